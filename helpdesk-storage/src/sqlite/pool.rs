//! Connections: one that writes, some that read for so long at most; and transactions.

use super::failure::failed;
use super::options::{SqliteOptions, Synchronous};
use crate::{Result, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// Statements that each connection keeps prepared.
const STATEMENTS_MAX: usize = 256;
/// Pages in the write-ahead log before they are folded into the database.
const CHECKPOINT_PAGES: u32 = 8_192;
/// Page cache of the connection that writes, in KiB. SQLite walks through all
/// of it at each commit in which a page split, so a greater one makes commits
/// slower; what it misses the operating system still has.
const WRITER_CACHE_KIB: u32 = 4 * 1024;
/// Bytes to which the write-ahead log's file is cut back.
const LOG_BYTES_MAX: u32 = 64 << 20;

/// Steps of SQLite's machine between two looks at the clock: some 20 microseconds.
const STEPS: i32 = 1_000;
/// For ever, in the milliseconds of a connection.
const NEVER: u64 = u64::MAX;

/// A connection, and until when what runs on it may read.
#[derive(Debug)]
pub(super) struct Conn {
    conn: Connection,
    /// Milliseconds since `since` at which a read is broken off.
    until: Arc<AtomicU64>,
    since: Instant,
}

impl Deref for Conn {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.conn
    }
}

impl Conn {
    fn new(conn: Connection) -> Self {
        Self { conn, until: Arc::new(AtomicU64::new(NEVER)), since: Instant::now() }
    }

    /// Breaks off reads that run past their time.
    fn with_watch(mut self) -> Result<Self> {
        let (until, since) = (Arc::clone(&self.until), self.since);
        let is_over = move || {
            let until = until.load(Ordering::Relaxed);
            until != NEVER && millis(since.elapsed()) > until
        };
        self.conn.progress_handler(STEPS, Some(is_over)).done()?;
        Ok(self)
    }

    /// From now on, reads for so long at most; until the guard is dropped.
    pub(super) fn within(&self, timeout: Duration) -> Within<'_> {
        let until = millis(self.since.elapsed()).saturating_add(millis(timeout));
        self.until.store(until, Ordering::Relaxed);
        Within(&self.until)
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(NEVER)
}

/// A time within which something is read.
#[derive(Debug)]
pub(super) struct Within<'a>(&'a AtomicU64);

impl Drop for Within<'_> {
    fn drop(&mut self) {
        self.0.store(NEVER, Ordering::Relaxed);
    }
}

/// What newer rusqlite may fail at and older cannot.
trait Done {
    fn done(self) -> Result<()>;
}

impl Done for () {
    fn done(self) -> Result<()> {
        Ok(())
    }
}

impl Done for rusqlite::Result<()> {
    fn done(self) -> Result<()> {
        self.map_err(failed)
    }
}

/// The connections of a store.
#[derive(Debug)]
pub(super) struct Pool {
    writer: Mutex<Conn>,
    readers: Vec<Mutex<Conn>>,
    next: AtomicUsize,
}

/// A connection of its own that only reads, for work that takes long.
pub(super) fn open_reader(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags).map_err(failed)?;
    set_up(&reader, options, options.cache_kib)?;
    Ok(reader)
}

impl Pool {
    /// The connection that writes, for `options` to be applied to the schema
    /// before anything reads.
    pub(super) fn open_file(path: &Path, options: &SqliteOptions) -> Result<Self> {
        let writer = Connection::open(path).map_err(failed)?;
        set_up(&writer, options, WRITER_CACHE_KIB)?;
        writer.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        writer.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX).map_err(failed)?;
        writer.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(failed)?;
        let mut readers = Vec::with_capacity(options.n_readers);
        for _ in 0..options.n_readers {
            let reader = open_reader(path, options)?;
            readers.push(Mutex::new(Conn::new(reader).with_watch()?));
        }
        let writer = Conn::new(writer).with_watch()?;
        Ok(Self { writer: Mutex::new(writer), readers, next: AtomicUsize::new(0) })
    }

    pub(super) fn open_memory(options: &SqliteOptions) -> Result<Self> {
        let writer = Connection::open_in_memory().map_err(failed)?;
        set_up(&writer, options, options.cache_kib)?;
        let writer = Conn::new(writer).with_watch()?;
        let (writer, next) = (Mutex::new(writer), AtomicUsize::new(0));
        Ok(Self { writer, readers: Vec::new(), next })
    }

    /// The connection that writes. An open transaction of a caller that
    /// panicked was rolled back when it unwound.
    pub(super) fn writer(&self) -> MutexGuard<'_, Conn> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that writes where it is free: its pages are the newest, while
    /// readers drop theirs at each commit. Else one that reads. For what takes
    /// microseconds.
    pub(super) fn for_a_moment(&self) -> MutexGuard<'_, Conn> {
        match self.writer.try_lock() {
            Ok(free) => free,
            Err(TryLockError::Poisoned(free)) => free.into_inner(),
            Err(TryLockError::WouldBlock) => self.reader(),
        }
    }

    /// A connection that is free, or the next in turn.
    pub(super) fn reader(&self) -> MutexGuard<'_, Conn> {
        if self.readers.is_empty() {
            return self.writer();
        }
        for reader in &self.readers {
            match reader.try_lock() {
                Ok(free) => return free,
                Err(TryLockError::Poisoned(free)) => return free.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.readers.len();
        self.readers[turn].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set_up(conn: &Connection, options: &SqliteOptions, cache_kib: u32) -> Result<()> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A statement is planned once for all values: else SQLite plans those anew at each use that
    // might find their rows by an index of some rows.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    conn.busy_timeout(options.busy_timeout).map_err(failed)?;
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
        Synchronous::Off => "OFF",
    };
    conn.pragma_update(None, "synchronous", synchronous).map_err(failed)?;
    conn.pragma_update(None, "cache_size", -i64::from(cache_kib)).map_err(failed)?;
    conn.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    let mapped = i64::try_from(options.mapped_bytes).unwrap_or(i64::MAX);
    conn.pragma_update(None, "mmap_size", mapped).map_err(failed)?;
    conn.pragma_update(None, "temp_store", "MEMORY").map_err(failed)
}

/// A transaction; rolled back unless committed.
#[derive(Debug)]
pub(super) struct Tx<'a> {
    conn: &'a Connection,
    writes: bool,
    open: bool,
}

impl<'a> Tx<'a> {
    /// One that may write: takes the lock at once.
    pub(super) fn write(conn: &'a Connection) -> Result<Self> {
        run(conn, "BEGIN IMMEDIATE")?;
        Ok(Self { conn, writes: true, open: true })
    }

    /// One that only reads: all from one snapshot.
    pub(super) fn read(conn: &'a Connection) -> Result<Self> {
        run(conn, "BEGIN DEFERRED")?;
        Ok(Self { conn, writes: false, open: true })
    }

    pub(super) fn commit(mut self) -> Result<()> {
        run(self.conn, "COMMIT").map_err(|error| self.end_unknown(error))?;
        self.open = false;
        Ok(())
    }

    /// A commit that failed at the disk is undone while the process lives. Its frames
    /// may stand in the log all the same, and whoever finds that after the death of the
    /// process takes them for committed.
    fn end_unknown(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Unavailable { backend, retry_after: None, source } if self.writes => {
                StoreError::Ambiguous { backend, source }
            }
            error => error,
        }
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        // Some failures end the transaction by themselves.
        if self.open
            && !self.conn.is_autocommit()
            && let Err(error) = run(self.conn, "ROLLBACK")
        {
            tracing::warn!(%error, "a transaction could not be rolled back");
        }
    }
}

fn run(conn: &Connection, sql: &str) -> Result<()> {
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    statement.execute([]).map_err(failed)?;
    Ok(())
}
