//! How a SQLite store is opened.

use crate::Result;
use crate::plan::invalid;
use std::time::Duration;

/// When SQLite waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// At every commit: what is committed survives a power loss.
    #[default]
    Full,
    /// At checkpoints only: a power loss may take the last commits, and never
    /// corrupts the database.
    Normal,
    /// Never, for tests and benches: a power loss may corrupt the database; the
    /// end of the process does not.
    Off,
}

/// How a SQLite store is opened.
///
/// ```
/// use helpdesk_storage::sqlite::{SqliteOptions, Synchronous};
/// let options = SqliteOptions::default()
///     .with_prefix("desk_")?
///     .with_synchronous(Synchronous::Normal);
/// assert_eq!(options.prefix(), "desk_");
/// assert!(SqliteOptions::default().with_prefix("drop table").is_err());
/// # Ok::<(), helpdesk_storage::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    prefix: String,
    pub(super) synchronous: Synchronous,
    pub(super) busy_timeout: Duration,
    pub(super) cache_kib: u32,
    pub(super) mapped_bytes: u64,
    pub(super) n_readers: usize,
    pub(super) migrates: bool,
    pub(super) read_timeout: Duration,
}

/// How long a read may take unless the options say. Meanwhile the write-ahead log
/// cannot be folded in, so it has an end.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Chars of a table prefix.
const PREFIX_CHARS_MAX: usize = 32;

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            prefix: "hd_".to_owned(),
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(5),
            cache_kib: 16 * 1024,
            mapped_bytes: 0,
            n_readers: 4,
            migrates: true,
            read_timeout: READ_TIMEOUT,
        }
    }
}

impl SqliteOptions {
    /// What the names of all tables and indexes start with; `hd_` unless set.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Sets the prefix, so that the store can share a database with others.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`](crate::StoreError::Invalid) unless it is a letter
    /// `a-z` and at most 31 more of `a-z 0-9 _`.
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self> {
        let fits = prefix.len() <= PREFIX_CHARS_MAX
            && prefix.starts_with(|c: char| c.is_ascii_lowercase())
            && prefix.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && !prefix.starts_with("sqlite_");
        if !fits {
            return Err(invalid(format!(
                "`{}` is no table prefix: take a letter and up to 31 more of a-z 0-9 _",
                prefix.chars().take(PREFIX_CHARS_MAX).collect::<String>()
            )));
        }
        prefix.clone_into(&mut self.prefix);
        Ok(self)
    }

    /// When to wait for the disk; [`Synchronous::Full`] unless set.
    #[must_use]
    pub fn with_synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// How long to wait for another process's write; 5 seconds unless set.
    #[must_use]
    pub fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Page cache of each connection that reads, in KiB; 16,384 unless set. The
    /// one that writes keeps a small cache of its own: a great one makes commits
    /// slower.
    #[must_use]
    pub fn with_cache_kib(mut self, kib: u32) -> Self {
        self.cache_kib = kib;
        self
    }

    /// How much of the file's start is read by mapping it into memory instead of by calls of
    /// the operating system; none unless set. A ticket that is read again takes a seventh less
    /// time so; the first look at a page costs as much as a call or more, so it is worth it for
    /// what is read often, and for files that fit into memory. SQLite maps 2 GiB at most unless it
    /// was built with a greater `SQLITE_MAX_MMAP_SIZE`; commits are written as ever.
    ///
    /// With it, a disk that fails to read, or another program that shortens the file, ends
    /// the process by a signal (`SIGBUS`) where it would be an error. It is no use in memory,
    /// and takes as much of the address space, which 32-bit systems have little of.
    /// Source: SQLite, "Memory-Mapped I/O".
    #[must_use]
    pub fn with_mapped_bytes(mut self, n: u64) -> Self {
        self.mapped_bytes = n;
        self
    }

    /// Connections that only read, beside the one that writes; 4 unless set.
    /// With none, reads wait for writes. A database in memory has none.
    #[must_use]
    pub fn with_readers(mut self, n: usize) -> Self {
        self.n_readers = n;
        self
    }

    /// How long one call may read; [`READ_TIMEOUT`] unless set. One that takes longer, such
    /// as a list by a condition that millions of tickets are tested by, is broken off as
    /// [`Unavailable`](crate::StoreError::Unavailable), so that no reader keeps the
    /// write-ahead log from being folded in.
    #[must_use]
    pub fn with_read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Whether opening brings the schema up to date; it does unless set. A host
    /// that runs its own migrations takes
    /// [`pending_sql`](super::SqliteStore::pending_sql) instead.
    #[must_use]
    pub fn with_migration(mut self, migrates: bool) -> Self {
        self.migrates = migrates;
        self
    }
}
