//! Commits inside a transaction of the host's.

use super::check::{check, is_refused};
use super::failure::{Kind, busy, commit_failed, failed, kind};
use super::keys::UniquePlan;
use super::options::PostgresOptions;
use super::query::{Link, Query};
use super::read::{column, count};
use super::write::{base, commit};
use crate::plan::Plan;
use crate::{ChangeSet, Committed, Result};
use helpdesk_core::id::TenantId;
use std::fmt;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

/// A transaction of the host's, for commits that stand or fall with its own.
pub struct InTx<'a> {
    tx: &'a Transaction<'a>,
    options: PostgresOptions,
}

impl fmt::Debug for InTx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTx").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A transaction of the host's, in which a desk's change sets are committed together
/// with rows of the host's own. The tables are those of default options.
///
/// The transaction must be `READ COMMITTED`, the default. While it is open, the feed of
/// every tenant stands still, so keep it short.
///
/// ```no_run
/// # async fn example(
/// #     client: &mut tokio_postgres::Client,
/// #     change_set: helpdesk_storage::ChangeSet,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let tx = client.transaction().await?;
/// tx.execute("INSERT INTO orders (id) VALUES (7)", &[]).await?;
/// helpdesk_storage::postgres::in_tx(&tx).commit(&change_set).await?;
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn in_tx<'a>(tx: &'a Transaction<'a>) -> InTx<'a> {
    InTx { tx, options: PostgresOptions::default() }
}

/// What the commit leaves the host's transaction with when it is not done.
const SAVEPOINT: &str = "SAVEPOINT helpdesk";
const BACK: &str = "ROLLBACK TO SAVEPOINT helpdesk; RELEASE SAVEPOINT helpdesk";
const ON: &str = "RELEASE SAVEPOINT helpdesk";

impl InTx<'_> {
    /// The tables are those that these options name; nothing else of them counts.
    #[must_use]
    pub fn with_options(mut self, options: &PostgresOptions) -> Self {
        self.options = options.clone();
        self
    }

    /// Commits one change set with the host's transaction: it is done once that is.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`](crate::Store::commit). After each but
    /// [`Ambiguous`](crate::StoreError::Ambiguous), which here means that the connection
    /// is gone, the transaction is as it was before and can go on.
    /// [`Unavailable`](crate::StoreError::Unavailable) with a `retry_after` says that
    /// another transaction was in the way: roll back and run yours again.
    pub async fn commit(&self, change_set: &ChangeSet) -> Result<Committed> {
        let plan = Plan::new(change_set)?;
        let unique = UniquePlan::of(&change_set.unique);
        let (link, p) = (Link::Inside(self.tx), self.options.tables());
        if is_refused(change_set) || unique.is_refused {
            return check(link, &p, change_set).await?.ok_or_else(busy);
        }
        let n_before = self.n_before(&p, change_set.tenant).await?;
        let query = commit(&p, change_set, &plan, &unique, n_before)?;
        self.tx.batch_execute(SAVEPOINT).await.map_err(commit_failed)?;
        match link.rows(&query).await {
            Ok(rows) => {
                self.tx.batch_execute(ON).await.map_err(commit_failed)?;
                if let Some(row) = rows.first() {
                    return super::committed(change_set, &plan, column(row, 0)?);
                }
            }
            Err(error) => {
                let kind = kind(&error);
                if kind == Kind::Lost {
                    return Err(commit_failed(error));
                }
                self.tx.batch_execute(BACK).await.map_err(commit_failed)?;
                if kind != Kind::Raced {
                    return Err(failed(error));
                }
            }
        }
        check(link, &p, change_set).await?.ok_or_else(busy)
    }

    /// How many feed positions earlier commits of this transaction took.
    async fn n_before(&self, p: &str, tenant: TenantId) -> Result<i64> {
        let mut query = Query::once();
        let tenant = query.bind(tenant.0, Type::UUID);
        let base = base(p);
        query.text = format!(
            "SELECT greatest((SELECT max(position) FROM {p}event WHERE tenant_id = {tenant} \
             AND position > {base}), (SELECT max(seq) FROM {p}outbox WHERE tenant_id = {tenant} \
             AND seq > {base}), {base}) - {base}"
        );
        let rows = Link::Inside(self.tx).rows(&query).await.map_err(failed)?;
        let n: i64 = rows.first().map_or(Ok(0), |row| column(row, 0))?;
        count(n)?;
        Ok(n)
    }
}
