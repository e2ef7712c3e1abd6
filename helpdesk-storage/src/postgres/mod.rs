//! The backend for many nodes: a PostgreSQL database, version 13 or later.
//!
//! Any number of processes share it. A commit is one statement and one round trip; what
//! it expects is locked by the same statement, so a lost race is found out at once, and
//! only then is it asked which expectation failed. Deadlocks and serialization failures
//! are tried again here.
//!
//! Callers at once on one store share statements: of a tenant one round of commits is at work, and
//! those who come meanwhile are the next, as are the change sets of one
//! [`commit_many`](crate::Store::commit_many). Each still ends as if alone. A host's transaction
//! that keeps a ticket locked has those wait who want that one, others for a tenth of a second.
//! Whoever drops the future of a commit that is still waiting has not committed; one at work goes
//! on.
//!
//! The store drives its connections on a thread of its own, so its futures run on any
//! runtime, and on none. Documents are JSON texts, instants integer microseconds since
//! 1970, so the tables can be read with SQL; they must not be written by others. JSON
//! writes `U+0000` as an escape, which the type `text` holds; unique keys are bytes. A
//! row of the journal holds the entries that one change set adds to one thing; its position
//! and number are those of the last.
//!
//! # The feed
//!
//! A position is the number of the transaction (`xid8`), shifted left by 20 bits, and the
//! place in it. Transactions get their numbers when they begin to write and end in any
//! order, so the feed shows what lies below the oldest one that is still open: nothing
//! appears later before what was shown. While a transaction that writes is open, anywhere
//! on the server, the feed stands still. [`EventSource::News`](crate::EventSource::News),
//! by which engines keep fresh, shows what is committed beyond that, too.
//!
//! A dump that is restored on another server begins at lower numbers again;
//! [`PostgresStore::migrate`] sees that and shifts them.
//!
//! # An expectation that only looks
//!
//! is locked against changes until the commit ends. Only absence cannot be locked: that a
//! thing which the commit does not write is absent was so when its statement began.

mod batch;
mod cases;
mod check;
mod claim;
mod columns;
mod commit;
mod connect;
mod failure;
mod filter;
mod in_tx;
mod keys;
mod lanes;
mod lead;
mod maintain;
mod options;
mod query;
mod read;
mod schema;
mod settle;
mod write;

pub use in_tx::{InTx, in_tx};
pub use lead::Leadership;
pub use options::{PostgresOptions, StatementMode};
/// What [`PostgresOptions::with_tls`] takes, for hosts to build.
pub use rustls;
pub use schema::SchemaState;
/// The driver, for hosts that commit [in their own transactions](in_tx).
pub use tokio_postgres;

use crate::{
    Bucket, Capabilities, ChangeSet, ClaimParams, Claimed, Committed, CountQuery, EventQuery,
    ListKind, ListQuery, Maintain, MaintainReport, Page, Result, Series, Settle, Shelf, Store,
    StoreError,
};
use async_trait::async_trait;
use commit::Committer;
use connect::Connections;
use deadpool_postgres::Client;
use failure::{Kind, busy, commit_failed, corrupt, failed, kind, kind_of};
use helpdesk_core::case::record::{RecordKey, Stored};
use helpdesk_core::event::Recorded;
use helpdesk_core::id::TenantId;
use lanes::Lanes;
use query::{Link, Query};
use read::{column, count};
use std::sync::Arc;
use tokio_postgres::{IsolationLevel, Row};

/// Times that a statement in whose way another transaction was is tried again.
pub const RETRIES_MAX: u32 = 16;

/// Keeps everything in one PostgreSQL database.
///
/// ```no_run
/// use helpdesk_storage::Store;
/// use helpdesk_storage::postgres::{PostgresOptions, PostgresStore};
/// # async fn example() -> helpdesk_storage::Result<()> {
/// let address = "postgres://desk@localhost/desk?sslmode=require";
/// let store = PostgresStore::open(address, PostgresOptions::default()).await?;
/// assert_eq!(store.capabilities().backend, "postgres");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PostgresStore {
    connections: Arc<Connections>,
    /// Commits of callers at once.
    lanes: Arc<Lanes>,
    options: PostgresOptions,
    /// What stands before a table's name.
    tables: String,
}

impl PostgresStore {
    /// Opens the database at this address, `postgres://user:password@host/database` or
    /// `host=… user=… dbname=…`, and brings its schema up to date unless the options say
    /// otherwise.
    ///
    /// # Errors
    ///
    /// [`StoreError::SchemaNewer`] when a newer version wrote it, [`StoreError::Corrupt`]
    /// when its schema is not the one released, [`StoreError::Invalid`] for an address that
    /// is none, a database that does not hold Unicode, and one that was restored on
    /// another server and must be migrated; [`StoreError::Unavailable`] when the server
    /// cannot be reached.
    pub async fn open(address: &str, options: PostgresOptions) -> Result<Self> {
        let connections = Arc::new(Connections::new(address, &options)?);
        let committer = Committer {
            connections: Arc::clone(&connections),
            statements: options.statements,
            tables: options.tables(),
        };
        let lanes = Arc::new(Lanes::new(committer));
        let store = Self { connections, lanes, tables: options.tables(), options };
        if store.options.migrates {
            store.migrate().await?;
        } else {
            store.check().await?;
        }
        Ok(store)
    }

    /// Brings the schema up to date, in one transaction and under an advisory lock.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::open`].
    pub async fn migrate(&self) -> Result<()> {
        let mut client = self.connections.get().await?;
        self.connections.within(schema::migrate(&mut client, &self.options)).await
    }

    /// Where the schema stands.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::open`].
    pub async fn check(&self) -> Result<SchemaState> {
        let client = self.connections.get().await?;
        self.connections.within(schema::check(&client, &self.options)).await
    }

    /// What [`migrate`](PostgresStore::migrate) would run: SQL for hosts that run
    /// their own migrations. Empty when there is nothing to do.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::open`].
    pub async fn pending_sql(&self) -> Result<String> {
        let client = self.connections.get().await?;
        let link = Link::Pooled(&client, self.options.statements);
        self.connections.within(schema::pending_sql(link, &self.options)).await
    }

    fn link<'a>(&self, client: &'a Client) -> Link<'a> {
        Link::Pooled(client, self.options.statements)
    }

    /// Runs a statement that changes something, again when it was not done.
    async fn rows(&self, query: &Query) -> Result<Vec<Row>> {
        let client = self.connections.get().await?;
        for _ in 0..RETRIES_MAX {
            match self.connections.within(self.link(&client).rows(query)).await {
                Err(error) if kind(&error) == Kind::Again => {}
                Err(error) if kind(&error) == Kind::Lost => {
                    drop(Client::take(client));
                    return Err(commit_failed(error));
                }
                rows => return rows.map_err(failed),
            }
        }
        Err(busy())
    }

    /// Runs a statement that changes nothing; where its connection was gone, on another.
    async fn read(&self, query: &Query) -> Result<Vec<Row>> {
        let mut last = None;
        // Each connection of the pool may be gone.
        for _ in 0..=self.options.n_connections {
            let client = self.connections.get().await?;
            match self.connections.within(self.link(&client).rows(query)).await {
                Err(error) => last = Some(passing(failed(error), client)?),
                Ok(rows) => return Ok(rows),
            }
        }
        Err(last.unwrap_or_else(busy))
    }

    /// A list that asks for its rows again and again, all from one snapshot.
    async fn list_cases(
        &self,
        client: &mut Client,
        query: &ListQuery,
        shelf: Shelf,
    ) -> Result<Page<Stored>> {
        if cases::is_one_statement(query, shelf) {
            return cases::list(self.link(client), &self.tables, query, shelf).await;
        }
        let tx = snapshot(client).await?;
        cases::list(Link::Inside(&tx), &self.tables, query, shelf).await
    }

    async fn count_cases(&self, client: &mut Client, query: &CountQuery) -> Result<Vec<Bucket>> {
        let tx = snapshot(client).await?;
        cases::count_cases(Link::Inside(&tx), &self.tables, query).await
    }

    /// Puts other entries into the journal.
    async fn rewrite(&self, tenant: TenantId, entries: &[Recorded]) -> Result<u64> {
        for _ in 0..RETRIES_MAX {
            let mut client = self.connections.get().await?;
            let rewrite = async {
                let begin =
                    client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
                let tx = begin.start().await.map_err(failed)?;
                let link = Link::Inside(&tx);
                let n_rows = maintain::rewrite(link, &self.tables, tenant, entries).await?;
                tx.commit().await.map_err(commit_failed)?;
                Ok(n_rows)
            };
            let done = self.connections.within(rewrite).await;
            match done.as_ref().err().and_then(kind_of) {
                Some(Kind::Again) => {}
                Some(Kind::Lost) => {
                    drop(Client::take(client));
                    return done;
                }
                _ => return done,
            }
        }
        Err(busy())
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(failure::BACKEND, true, true)
    }

    async fn commit(&self, change_set: ChangeSet) -> Result<Committed> {
        Series::default().check(&change_set)?;
        self.lanes.commit(change_set).await
    }

    async fn commit_many(&self, change_sets: Vec<ChangeSet>) -> Vec<Result<Committed>> {
        self.lanes.committer().commit_series(&change_sets).await
    }

    async fn get(&self, tenant: TenantId, keys: &[RecordKey]) -> Result<Vec<Option<Stored>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.read(&read::get_query(&self.tables, tenant, keys)).await?;
        read::got(&rows, keys.len())
    }

    async fn list(&self, query: &ListQuery) -> Result<Page<Stored>> {
        let ListKind::Cases(shelf) = query.kind else {
            let rows = self.read(&read::list_query(&self.tables, query)?).await?;
            return read::listed(query, &rows);
        };
        let mut last = None;
        for _ in 0..=self.options.n_connections {
            let mut client = self.connections.get().await?;
            match self.connections.within(self.list_cases(&mut client, query, shelf)).await {
                Err(error) => last = Some(passing(error, client)?),
                done => return done,
            }
        }
        Err(last.unwrap_or_else(busy))
    }

    async fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>> {
        if let Some(one) = cases::count_query(&self.tables, query) {
            let rows = self.read(&one).await?;
            return cases::counted(query, &rows);
        }
        let mut last = None;
        for _ in 0..=self.options.n_connections {
            let mut client = self.connections.get().await?;
            match self.connections.within(self.count_cases(&mut client, query)).await {
                Err(error) => last = Some(passing(error, client)?),
                done => return done,
            }
        }
        Err(last.unwrap_or_else(busy))
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<Recorded>> {
        let rows = self.read(&read::events_query(&self.tables, query)?).await?;
        read::events(query, &rows)
    }

    async fn feed_end(&self, tenant: TenantId) -> Result<u64> {
        let rows = self.read(&read::feed_end_query(&self.tables, tenant)).await?;
        rows.first().map_or(Ok(0), |row| count(column(row, 0)?))
    }

    async fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        loop {
            let rows = self.rows(&claim::claim_query(&self.tables, params)).await?;
            let (claimed, unreadable) = claim::claimed(params, &rows)?;
            if unreadable.is_empty() {
                return Ok(claimed);
            }
            let put_off = claim::put_off_query(&self.tables, params, &unreadable);
            if let Err(error) = self.rows(&put_off).await {
                // Then they are looked at again once their leases have ended.
                tracing::warn!(%error, "what cannot be read could not be put off");
            }
            if !claimed.leases.is_empty() {
                return Ok(claimed);
            }
        }
    }

    async fn settle(&self, settles: Vec<Settle>) -> Result<Vec<Result<()>>> {
        let mut results = Vec::with_capacity(settles.len());
        let mut rest = &settles[..];
        while !rest.is_empty() {
            let (together, later) = rest.split_at(settle::n_together(rest));
            let mut stood = vec![false; together.len()];
            let queries = settle::settle_queries(&self.tables, together);
            for query in queries.map_err(|bad| corrupt(bad.0))? {
                for row in self.rows(&query).await? {
                    let at: i32 = column(&row, 0)?;
                    if let Some(stood) = usize::try_from(at).ok().and_then(|at| stood.get_mut(at)) {
                        *stood = true;
                    }
                }
            }
            let result = |stood| if stood { Ok(()) } else { Err(StoreError::StaleLease) };
            results.extend(stood.into_iter().map(result));
            rest = later;
        }
        Ok(results)
    }

    async fn maintain(&self, maintain: &Maintain) -> Result<MaintainReport> {
        match maintain {
            Maintain::Rewrite { tenant, entries } => {
                let n_rows = self.rewrite(*tenant, entries).await?;
                return Ok(MaintainReport { n_rows });
            }
            Maintain::Lead { job, owner, now, lease_seconds } => {
                let lead = self.lead(job, owner, *now, *lease_seconds).await?;
                return Ok(MaintainReport { n_rows: u64::from(lead.is_some()) });
            }
            Maintain::Resign { job, owner } => {
                let n_rows = self.give_back(job, owner).await?;
                return Ok(MaintainReport { n_rows });
            }
            _ => {}
        }
        let Some(query) = maintain::maintain_query(&self.tables, maintain) else {
            return Ok(MaintainReport::default());
        };
        let rows = self.rows(&query).await?;
        let n_rows = rows.first().map_or(Ok(0), |row| count(column(row, 0)?))?;
        Ok(MaintainReport { n_rows })
    }
}

/// An error of a read that may be tried again, on another connection where its own is gone.
///
/// # Errors
///
/// The error, where that would help nothing.
fn passing(error: StoreError, client: Client) -> Result<StoreError> {
    match kind_of(&error) {
        Some(Kind::Again) => Ok(error),
        Some(Kind::Lost) => {
            // It may be known as closed only a while later.
            drop(Client::take(client));
            Ok(error)
        }
        _ => Err(error),
    }
}

/// A transaction that reads one snapshot.
async fn snapshot(client: &mut Client) -> Result<deadpool_postgres::Transaction<'_>> {
    let build = client.build_transaction();
    let build = build.isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    build.start().await.map_err(failed)
}
