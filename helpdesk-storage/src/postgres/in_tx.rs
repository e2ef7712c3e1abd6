//! Commits inside a transaction of the host's.

use super::batch::Batch;
use super::check::check;
use super::columns::Keys;
use super::failure::{Kind, busy, commit_failed, corrupt, failed, kind, late};
use super::options::PostgresOptions;
use super::query::{Link, Query, few_of_tenant};
use super::read::{column, count};
use super::write::{Locked, ORDINAL_BITS, POSITIONS_MAX, base, commit, int};
use crate::plan::invalid;
use crate::{ChangeSet, Committed, Result, Series};
use std::fmt;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use uuid::Uuid;

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
/// The transaction must be `READ COMMITTED`, the default. Once it has written anything, the
/// feed of every tenant stands still until it ends, so keep it short, and read what you decide
/// on in it or before it: it may have to [run again](InTx::commit) otherwise. The change set of a
/// command, decided by all rules of the desk, is made by the engine's `prepare`
/// (`Helpdesk::prepare` of the crate `helpdesk`).
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

/// Where the transaction notes how many places in the feed it has taken.
const TAKEN: &str = "helpdesk.n_taken";

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
    /// another transaction was in the way: roll back and run yours again. So it is where a
    /// transaction that began to write after this one has committed to a thing that the
    /// change set expects: what stands in this one comes before it in the feed.
    /// [`Invalid`](crate::StoreError::Invalid) also for the entry that is one too many for one
    /// transaction, after half a million.
    pub async fn commit(&self, change_set: &ChangeSet) -> Result<Committed> {
        Series::default().check(change_set)?;
        let batch = Batch::of_one(change_set)?;
        let (link, p) = (Link::Inside(self.tx), self.options.tables());
        let Some(batch) = batch else {
            return check(link, &p, change_set).await?.ok_or_else(busy);
        };
        let Reserved { n_before, is_late } = self.reserve(&p, change_set).await?;
        if is_late {
            return check(link, &p, change_set).await?.ok_or_else(late);
        }
        let query = commit(&p, &batch, Locked::Wait, n_before)?;
        self.tx.batch_execute(SAVEPOINT).await.map_err(commit_failed)?;
        match link.rows(&query).await {
            Ok(rows) => {
                self.tx.batch_execute(ON).await.map_err(commit_failed)?;
                if let Some(row) = rows.first() {
                    return super::commit::committed(&batch, column(row, 0)?);
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

    /// Takes places in the feed for a commit, behind those of earlier commits of this
    /// transaction.
    async fn reserve(&self, p: &str, change: &ChangeSet) -> Result<Reserved> {
        let n = int(change.events.len().max(change.outbox.len()) as u64);
        let rows =
            Link::Inside(self.tx).rows(&reserve_query(p, change, n)).await.map_err(failed)?;
        let row = rows.first().ok_or_else(|| corrupt("no places in the feed"))?;
        let n_before: i64 = column(row, 0)?;
        count(n_before)?;
        if n_before + n > POSITIONS_MAX {
            return Err(invalid(format!("a transaction has {POSITIONS_MAX} entries at most")));
        }
        Ok(Reserved { n_before, is_late: column(row, 1)? })
    }
}

/// The places of a commit in the feed.
struct Reserved {
    /// Places of this transaction before them.
    n_before: i64,
    /// Whether what the commit expects has places behind all of this transaction's.
    is_late: bool,
}

/// How many places a transaction has taken is noted in the transaction itself, for all of its
/// tenants: it goes with it, and back with a savepoint of the host's.
fn reserve_query(p: &str, change: &ChangeSet, n: i64) -> Query {
    let mut query = Query::once();
    let tenant = query.bind(change.tenant.0, Type::UUID);
    let n = query.bind(n, Type::INT8);
    let mut keys = Keys::default();
    for expect in &change.expect {
        keys.push(expect.stream);
    }
    let kinds = query.bind(keys.kinds, Type::TEXT_ARRAY);
    let ids = query.bind(keys.ids, Type::UUID_ARRAY);
    let lanes: Vec<Uuid> = change.outbox.iter().map(|new| new.message.ordering_key).collect();
    let lanes = query.bind(lanes, Type::UUID_ARRAY);
    let streams = few_of_tenant("x", format!("{kinds}, {ids}"), "kind, id");
    let lanes = few_of_tenant("x", lanes, "lane");
    let base = base(p);
    query.text = format!(
        "WITH taken AS MATERIALIZED (SELECT \
         coalesce(nullif(current_setting('{TAKEN}', true), ''), '0')::bigint AS n), \
         block AS MATERIALIZED (SELECT {base} + (1::bigint << {ORDINAL_BITS}) AS ends) \
         SELECT taken.n, \
         EXISTS (SELECT 1 FROM {streams} CROSS JOIN LATERAL \
         (SELECT e.position FROM {p}event AS e WHERE e.tenant_id = {tenant} \
         AND e.stream_kind = x.kind AND e.stream_id = x.id ORDER BY e.n DESC LIMIT 1) AS last \
         WHERE last.position >= block.ends) \
         OR EXISTS (SELECT 1 FROM {lanes} JOIN {p}outbox AS o \
         ON o.tenant_id = x.tenant_id AND o.ordering_key = x.lane AND o.seq >= block.ends), \
         set_config('{TAKEN}', (taken.n + {n})::text, true) FROM taken, block"
    );
    query
}
