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
