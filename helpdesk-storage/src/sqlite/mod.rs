//! The embedded backend: one SQLite database, by default a file in
//! write-ahead-log mode with one connection that writes and a few that read.
//!
//! The methods do their work on the calling thread before they return: a
//! commit takes tens of microseconds plus, with [`Synchronous::Full`], one wait
//! for the disk. A host on an asynchronous runtime that cannot have that wraps
//! the calls, for example in `spawn_blocking`.
//!
//! Callers who commit while another does share the next transaction, up to 256 of
//! them, and with it the wait for the disk: whoever was first commits for all, and waits a
//! moment for those who were just served, should they come back. A
//! change set whose expectations do not hold is left out of it, and nobody else's
//! suffers. A commit whose future is dropped is not done if it has not begun.
//!
//! Several processes on one machine may share a file; network file systems are
//! not supported. Once one of a newer version has brought its schema further, the transactions of
//! those of this version are refused with [`StoreError::SchemaNewer`]. Documents are JSON texts (the journal's packed as an LZ4 block behind its
//! length of four bytes, least first, where that is smaller), instants integer microseconds since
//! 1970, ids blobs of 16 bytes, so the tables can be read with SQL; they must
//! not be written by others. A row of the journal holds the entries that one
//! commit adds to one thing; its position and number are those of the last.
//!
//! A ticket's row says where that stands which a commit would else write an index for: its number,
//! where that is a unique key of its own (`number_key`), the row of the journal in which it begins
//! (`first_run`), where in the table `conversation` its messages follow each other
//! (`conversation`; without one, as for tickets of earlier schemas, they are in `message`), and the
//! message of the outbox that was put with it and alone in its lane (`outbox_seq`).

mod backup;
mod cases;
mod claim;
mod commit;
mod doc;
mod failure;
mod filter;
mod host;
mod lease;
mod lead;
mod maintain;
mod narrow;
mod options;
mod pool;
mod prepared;
mod purge;
mod queue;
#[cfg(test)]
#[path = "queue/tests.rs"]
mod queue_tests;
mod read;
mod schema;
mod session;
mod statements;
mod summary;
/// What the queue is made of. The reliability suite compiles `queue.rs` once more, upon what tries
/// threads in orders of its choice.
mod sync {
    pub(super) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
}

pub use host::{InTx, in_tx};
pub use options::{READ_TIMEOUT, SqliteOptions, Synchronous};
/// The rusqlite that this crate was built with: a host that shares a transaction needs the same.
pub use rusqlite;
pub use schema::SchemaState;
use schema::Seen;

use crate::{
    Bucket, Capabilities, ChangeSet, ClaimParams, Claimed, Committed, CountQuery, EventQuery,
    ListQuery, Maintain, MaintainReport, Page, Result, Series, Settle, Store, StoreError,
};
use async_trait::async_trait;
use helpdesk_core::case::record::{RecordKey, Stored};
use helpdesk_core::event::Recorded;
use helpdesk_core::id::TenantId;
use pool::{Conn, Pool};
use prepared::Prepared;
use queue::Queue;
use rusqlite::Connection;
use session::Session;
use statements::Statements;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Keeps everything in one SQLite database.
///
/// ```
/// use helpdesk_storage::Store;
/// use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore};
/// let store = SqliteStore::open_in_memory(SqliteOptions::default())?;
/// assert_eq!(store.capabilities().backend, "sqlite");
/// # Ok::<(), helpdesk_storage::StoreError>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    pool: Pool,
    queue: Queue<Prepared<'static>, (Result<Committed>, Prepared<'static>)>,
    options: SqliteOptions,
    statements: Statements,
    seen: Seen,
    /// Where it is; `None` in memory.
    path: Option<PathBuf>,
}

impl SqliteStore {
    /// Opens the database in this file, made if it is not there, and brings its
    /// schema up to date unless the options say otherwise.
    ///
    /// # Errors
    ///
    /// [`StoreError::SchemaNewer`] when a newer
    /// version wrote it, [`StoreError::Corrupt`]
    /// when it is no SQLite database or its schema is not the one released,
    /// [`StoreError::Unavailable`] when it
    /// cannot be opened or is busy.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self> {
        let pool = Pool::open_file(path.as_ref(), &options)?;
        Self::with_pool(pool, options, Some(path.as_ref().to_owned()))
    }

    /// Opens a new database in memory; it is gone with the store.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub fn open_in_memory(options: SqliteOptions) -> Result<Self> {
        let pool = Pool::open_memory(&options)?;
        Self::with_pool(pool, options, None)
    }

    fn with_pool(pool: Pool, options: SqliteOptions, path: Option<PathBuf>) -> Result<Self> {
        let statements = Statements::new(options.prefix());
        let (queue, seen) = (Queue::default(), Seen::default());
        let store = Self { pool, queue, options, statements, seen, path };
        if store.options.migrates {
            store.migrate()?;
        } else {
            store.check()?;
        }
        Ok(store)
    }

    /// Brings the schema up to date, in one transaction.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub fn migrate(&self) -> Result<()> {
        schema::migrate(&self.pool.writer(), &self.options)
    }

    /// Where the schema stands.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub fn check(&self) -> Result<SchemaState> {
        schema::check(&self.pool.writer(), &self.options)
    }

    /// What [`migrate`](SqliteStore::migrate) would run: SQL for hosts that run
    /// their own migrations. Empty when there is nothing to do.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub fn pending_sql(&self) -> Result<String> {
        schema::pending_sql(&self.pool.writer(), &self.options)
    }

    /// Lets the database have at most so many pages of 4 KiB; a commit that
    /// needs more is refused as [`Unavailable`](crate::StoreError::Unavailable).
    /// For a quota; it is not kept in the file.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub fn limit_pages(&self, n: u32) -> Result<()> {
        self.pool
            .writer()
            .pragma_update_and_check(None, "max_page_count", n, |_| Ok(()))
            .map_err(failure::failed)
    }

    fn session<'a>(&'a self, conn: &'a Connection) -> Session<'a> {
        Session {
            conn,
            sql: &self.statements,
            prefix: self.options.prefix(),
            busy_timeout: self.options.busy_timeout,
            seen: &self.seen,
            kept: None,
        }
    }

    fn write<T>(&self, work: impl FnOnce(Session<'_>) -> Result<T>) -> Result<T> {
        let conn = self.pool.writer();
        let session = self.session(&conn);
        let tx = session.begin_write()?;
        let done = work(session)?;
        tx.commit()?;
        Ok(done)
    }

    fn read<T>(&self, work: impl FnOnce(Session<'_>) -> Result<T>) -> Result<T> {
        self.read_on(&self.pool.reader(), work)
    }

    fn read_on<T>(&self, conn: &Conn, work: impl FnOnce(Session<'_>) -> Result<T>) -> Result<T> {
        let _within = conn.within(self.options.read_timeout);
        let session = self.session(conn);
        let tx = session.begin_read()?;
        let done = work(session)?;
        tx.commit()?;
        Ok(done)
    }

    fn commit_one(&self, prepared: &Prepared<'_>) -> Result<Committed> {
        self.write(|session| {
            let checked = session.check(prepared)?;
            session.write(prepared, checked)
        })
    }

    /// Each for itself, in one transaction where all goes well. They are taken as they come,
    /// and given back: whoever made them has the memory at hand in which they lie.
    fn commit_all<'p>(
        &self,
        mut coming: impl Iterator<Item = Prepared<'p>>,
    ) -> Vec<(Result<Committed>, Prepared<'p>)> {
        let mut batch: Vec<Prepared<'p>> = coming.by_ref().take(1).collect();
        let results = match self.commit_together(&mut batch, &mut coming) {
            Together::Done(results) => results,
            // Whatever it was, it hits only the one that it concerns.
            Together::Undone(error) => {
                batch.extend(coming);
                match batch.len() {
                    1 => vec![Err(error)],
                    _ => {
                        let mut series = Series::default();
                        let mut commit =
                            |it: &Prepared<'p>| series.run(it.change_set(), || self.commit_one(it));
                        batch.iter().map(&mut commit).collect()
                    }
                }
            }
            Together::NotBegun(error) => {
                batch.extend(coming);
                let mut results: Vec<_> =
                    batch.iter().skip(1).map(|_| Err(failure::same_again(&error))).collect();
                results.push(Err(error));
                results
            }
        };
        results.into_iter().zip(batch).collect()
    }

    /// All in one transaction: those whose checks fail write nothing, so the others stand.
    /// What comes is added to the batch.
    fn commit_together<'p>(
        &self,
        batch: &mut Vec<Prepared<'p>>,
        coming: &mut impl Iterator<Item = Prepared<'p>>,
    ) -> Together {
        let conn = self.pool.writer();
        let session = self.session(&conn).for_many();
        let tx = match session.begin_write() {
            Ok(tx) => tx,
            Err(error) => return Together::NotBegun(error),
        };
        let mut results = Vec::with_capacity(batch.len());
        let mut series = Series::default();
        while let Some(prepared) = batch.get(results.len()) {
            let change_set = prepared.change_set();
            let checked = series.check(change_set).and_then(|()| session.check(prepared));
            let result = match checked {
                Ok(checked) => match session.write(prepared, checked) {
                    Err(error) => return Together::Undone(error),
                    committed => committed,
                },
                Err(error) => Err(error),
            };
            series.note(change_set.commit_id, &result);
            results.push(result);
            batch.extend(coming.next());
        }
        match tx.commit() {
            Ok(()) => Together::Done(results),
            // Committed again, and failing, each would say that nothing was committed.
            Err(error @ StoreError::Ambiguous { .. }) => {
                let end = |result: Result<Committed>| {
                    result.and_then(|_| Err(failure::same_again(&error)))
                };
                Together::Done(results.into_iter().map(end).collect())
            }
            Err(error) => Together::Undone(error),
        }
    }
}

/// What became of several change sets in one transaction.
enum Together {
    /// It was committed, or may have been: what each of them did.
    Done(Vec<Result<Committed>>),
    /// A write failed, and with it all of them.
    Undone(StoreError),
    /// There was no transaction to be had.
    NotBegun(StoreError),
}

#[async_trait]
impl Store for SqliteStore {
    fn capabilities(&self) -> Capabilities {
        let in_file = self.path.is_some();
        Capabilities::new(failure::BACKEND, in_file, in_file)
    }

    async fn commit(&self, change_set: ChangeSet) -> Result<Committed> {
        // Those beside it in the queue are other callers'.
        Series::default().check(&change_set)?;
        let prepared = Prepared::new(Cow::Owned(change_set))?;
        match self.queue.submit(prepared, |coming| self.commit_all(coming)).await {
            Some((result, _)) => result,
            None => Err(failure::ambiguous("the caller who committed for others panicked")),
        }
    }

    async fn commit_many(&self, change_sets: Vec<ChangeSet>) -> Vec<Result<Committed>> {
        let mut batch = Vec::with_capacity(change_sets.len());
        let mut refused = Vec::with_capacity(change_sets.len());
        for change_set in change_sets {
            match Prepared::new(Cow::Owned(change_set)) {
                Ok(prepared) => {
                    batch.push(prepared);
                    refused.push(None);
                }
                Err(error) => refused.push(Some(Err(error))),
            }
        }
        let mut done = self.commit_all(batch.into_iter()).into_iter().map(|(result, _)| result);
        refused.into_iter().filter_map(|refused| refused.or_else(|| done.next())).collect()
    }

    async fn get(&self, tenant: TenantId, keys: &[RecordKey]) -> Result<Vec<Option<Stored>>> {
        let conn = self.pool.for_a_moment();
        if let [key @ (RecordKey::Stream(_) | RecordKey::Message(..))] = keys {
            // One statement sees one snapshot by itself.
            let _within = conn.within(self.options.read_timeout);
            return Ok(vec![self.session(&conn).get(tenant, key)?]);
        }
        self.read_on(&conn, |session| keys.iter().map(|key| session.get(tenant, key)).collect())
    }

    async fn list(&self, query: &ListQuery) -> Result<Page<Stored>> {
        self.read(|session| session.list(query))
    }

    async fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>> {
        self.read(|session| session.count(query))
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<Recorded>> {
        self.read(|session| session.events(query))
    }

    async fn feed_end(&self, tenant: TenantId) -> Result<u64> {
        let conn = self.pool.for_a_moment();
        self.read_on(&conn, |session| session.feed_end(tenant))
    }

    async fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        self.write(|session| session.claim(params))
    }

    async fn settle(&self, settles: Vec<Settle>) -> Result<Vec<Result<()>>> {
        self.write(|session| {
            let mut results = Vec::with_capacity(settles.len());
            for settle in &settles {
                results.push(match session.settle(settle) {
                    Err(error @ StoreError::StaleLease) => Err(error),
                    other => Ok(other?),
                });
            }
            Ok(results)
        })
    }

    async fn maintain(&self, maintain: &Maintain) -> Result<MaintainReport> {
        let conn = self.pool.writer();
        Ok(MaintainReport { n_rows: self.session(&conn).maintain(maintain)? })
    }
}
