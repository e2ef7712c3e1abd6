//! Disks in memory for SQLite, that lose power and fail when they are told to.
//!
//! [`Disk::new`] makes one, [`Disk::path`] names a file on it that any connection of
//! this process opens as it opens others: paths of no disk go where they always went.
//! A disk keeps what was written and synced apart from what was only written. After
//! [`Disk::fail`] a later call fails, or the power goes off; [`Disk::survivor`] is the
//! disk as the next start finds it.
//!
//! ```
//! use helpdesk_torture_disk::{Disk, Loss};
//! use rusqlite::Connection;
//! let disk = Disk::new();
//! let database = Connection::open(disk.path("some.db"))?;
//! database.pragma_update(None, "journal_mode", "WAL")?;
//! database.execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (7)")?;
//! let after = disk.survivor(Loss::Power, &mut |bound| bound - 1);
//! let again = Connection::open(after.path("some.db"))?;
//! assert_eq!(again.query_row("SELECT n FROM t", [], |row| row.get::<_, i64>(0))?, 7);
//! # Ok::<(), rusqlite::Error>(())
//! ```
//!
//! Its model is that of SQLite's own crash tests (test6.c): a sync makes the writes
//! before it last; of those after the last sync each sector of 512 bytes may be kept
//! or not, in any combination. Files live in the process alone.
//!
//! [`slow_syncs`] is for benches: the machine's own disk, with syncs that take longer.

mod locks;
mod slow;
mod state;
mod vfs;

pub use slow::slow_syncs;
pub use state::{Fault, Loss, Trouble};

use state::State;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

/// What the paths of all disks start with.
const ROOT: &str = "/helpdesk-torture-disk/";

static DISKS: LazyLock<Mutex<BTreeMap<String, Weak<Disk>>>> = LazyLock::new(Mutex::default);
static N_DISKS: AtomicU64 = AtomicU64::new(0);

/// A disk. It is gone with the last connection and the last of these.
#[derive(Debug)]
pub struct Disk {
    name: String,
    state: Mutex<State>,
}

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::with(State::default())
    }

    fn with(state: State) -> Arc<Self> {
        vfs::register();
        let name = N_DISKS.fetch_add(1, Ordering::Relaxed).to_string();
        let disk = Arc::new(Self { name: name.clone(), state: Mutex::new(state) });
        let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        disks.retain(|_, disk| disk.strong_count() > 0);
        disks.insert(name, Arc::downgrade(&disk));
        disk
    }

    /// The path of a file on this disk.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("{ROOT}{}/{name}", self.name))
    }

    /// What a later call does; none is forgotten that is armed already.
    pub fn fail(&self, fault: Fault) {
        self.state().arm(Some(fault));
    }

    /// No call fails any more, but for a disk without power. Whether one has failed.
    pub fn heal(&self) -> bool {
        self.state().heal()
    }

    /// How many calls so far could have failed by such a trouble.
    #[must_use]
    pub fn n_calls(&self, trouble: Trouble) -> u64 {
        self.state().n_calls(trouble)
    }

    /// The disk as it is found after a loss; `draw(bound)` draws a number below it.
    #[must_use]
    pub fn survivor(&self, loss: Loss, draw: &mut dyn FnMut(u64) -> u64) -> Arc<Self> {
        Self::with(self.state().survivor(loss, draw))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The disk and the name of the file that a path names; `None` for a path of no disk.
fn find(path: &str) -> Option<(Arc<Disk>, String)> {
    let (disk, file) = path.strip_prefix(ROOT)?.split_once('/')?;
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    Some((disks.get(disk)?.upgrade()?, file.to_owned()))
}
