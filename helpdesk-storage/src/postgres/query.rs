//! One statement with its values, and where it is sent.

use super::options::StatementMode;
use deadpool_postgres::Client;
use std::fmt;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row, Transaction};

/// The place of a value in a statement's text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(usize);

impl Place {
    /// Of the value that is bound first.
    pub(super) const FIRST: Self = Self(1);
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.0)
    }
}

/// More rows than any statement is given.
const ROWS_MAX: u32 = i32::MAX as u32;

/// The rows of arrays, to be joined with a table: `x` has these columns.
///
/// The limit has the planner take them for one row, and look it up by the table's key. Without
/// it, and where it knows nothing of the table as yet, it takes all that a tenant has for even
/// fewer, reads those, and keeps to that plan.
pub(super) fn few(x: &str, arrays: impl fmt::Display, columns: &str) -> String {
    format!(
        "(SELECT * FROM unnest({arrays}) AS u({columns}) LIMIT (SELECT {ROWS_MAX})) AS {x}({columns})"
    )
}

/// The same with a column `tenant_id`: the statement's first value. By that the table is to be
/// joined, too: then a tenant's rows are no place to begin at.
pub(super) fn few_of_tenant(x: &str, arrays: impl fmt::Display, columns: &str) -> String {
    let tenant = Place::FIRST;
    format!(
        "(SELECT {tenant}, u.* FROM unnest({arrays}) AS u({columns}) LIMIT (SELECT {ROWS_MAX})) \
         AS {x}(tenant_id, {columns})"
    )
}

/// All rows of a part of the statement, taken for few by the planner in the same way.
pub(super) fn limited(part: &str, x: &str) -> String {
    format!("(SELECT * FROM {part} LIMIT (SELECT {ROWS_MAX})) AS {x}")
}

type Value = Box<dyn ToSql + Send + Sync>;

/// A statement with its values.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) text: String,
    values: Vec<Value>,
    types: Vec<Type>,
    /// Whether its text is one of few, so that it pays to keep it prepared.
    is_kept: bool,
}

impl Query {
    /// A statement whose text is one of few.
    pub(super) fn kept() -> Self {
        Self { is_kept: true, ..Self::default() }
    }

    /// A statement whose text follows from what is asked.
    pub(super) fn once() -> Self {
        Self::default()
    }

    /// Adds a value; where it stands in the text.
    pub(super) fn bind(
        &mut self,
        value: impl ToSql + Send + Sync + 'static,
        of_type: Type,
    ) -> Place {
        self.values.push(Box::new(value));
        self.types.push(of_type);
        Place(self.values.len())
    }
}

/// Where a statement is sent.
#[derive(Clone, Copy)]
pub(super) enum Link<'a> {
    /// To a connection of the pool; each statement is a transaction.
    Pooled(&'a Client, StatementMode),
    /// Into an open transaction.
    Inside(&'a Transaction<'a>),
}

impl Link<'_> {
    /// Runs it; all rows, once the server has ended the statement, and with it the
    /// transaction of a pooled connection.
    pub(super) async fn rows(self, query: &Query) -> Result<Vec<Row>, Error> {
        match self {
            Self::Pooled(client, StatementMode::Prepared) if query.is_kept => {
                let statement = client.prepare_typed_cached(&query.text, &query.types).await?;
                let values = query.values.iter().map(|value| &**value as &(dyn ToSql + Sync));
                let values: Vec<_> = values.collect();
                client.query(&statement, &values).await
            }
            Self::Pooled(client, _) => client.query_typed(&query.text, &query.typed()).await,
            Self::Inside(tx) => tx.query_typed(&query.text, &query.typed()).await,
        }
    }
}

impl Query {
    fn typed(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        let values = self.values.iter().map(|value| &**value as &(dyn ToSql + Sync));
        values.zip(self.types.iter().cloned()).collect()
    }
}
