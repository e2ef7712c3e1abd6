//! The disk that is there, with syncs that take longer: what group commit is worth where
//! syncs are slow.

use rusqlite::ffi;
use std::ffi::{CStr, c_char, c_int};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use std::time::Duration;

/// The name under which SQLite knows this file system.
const NAME: &CStr = c"helpdesk-slow-disk";

static REGISTERED: Once = Once::new();
static BELOW: OnceLock<Below> = OnceLock::new();
static SLOW: Mutex<Vec<&'static Slow>> = Mutex::new(Vec::new());
static MICROS: AtomicU64 = AtomicU64::new(0);

/// The file system that was the default.
struct Below(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite keeps registered file systems for as long as the process lives, and
// calls them from any thread itself.
unsafe impl Send for Below {}
// SAFETY: as above; nothing here writes through the pointer.
unsafe impl Sync for Below {}

/// The functions of files below with another sync: `methods` first, so that SQLite takes it
/// for them.
#[repr(C)]
struct Slow {
    methods: ffi::sqlite3_io_methods,
    below: &'static ffi::sqlite3_io_methods,
}

/// From now on each sync of SQLite in this process waits so long once it is done, in files
/// that are opened from the first call on. Zero for none.
pub fn slow_syncs(length: Duration) {
    REGISTERED.call_once(register);
    let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
    MICROS.store(micros, Ordering::Relaxed);
}

/// Makes this the default file system.
fn register() {
    // SAFETY: SQLite gives the default file system, which it keeps; a copy of it that opens
    // files by another function is leaked, so that it is kept, too.
    unsafe {
        ffi::sqlite3_initialize();
        let below = ffi::sqlite3_vfs_find(std::ptr::null());
        let mut own = *below;
        own.zName = NAME.as_ptr();
        own.pNext = std::ptr::null_mut();
        own.xOpen = Some(open);
        let _ = BELOW.set(Below(below));
        ffi::sqlite3_vfs_register(Box::into_raw(Box::new(own)), 1);
    }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let below = BELOW.get().map_or(std::ptr::null_mut(), |below| below.0);
    // SAFETY: `below` was read from SQLite before this function was registered; arguments
    // are passed on as they came.
    let code = unsafe {
        (*below)
            .xOpen
            .map_or(ffi::SQLITE_CANTOPEN, |call| call(below, path, file, flags, out_flags))
    };
    // SAFETY: SQLite passes a file, and the file systems that it has keep their functions
    // for as long as the process lives; null where the file is not open.
    let methods = unsafe { (*file).pMethods.as_ref() };
    if let Some(methods) = methods.filter(|_| code == ffi::SQLITE_OK) {
        // SAFETY: as above; these functions are those, but for the sync.
        unsafe { (*file).pMethods = &slow(methods).methods };
    }
    code
}

/// These functions with a slow sync, made once.
fn slow(below: &'static ffi::sqlite3_io_methods) -> &'static Slow {
    let mut known = SLOW.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(slow) = known.iter().find(|slow| std::ptr::eq(slow.below, below)) {
        return slow;
    }
    let methods = ffi::sqlite3_io_methods { xSync: Some(sync), ..*below };
    let slow: &'static Slow = Box::leak(Box::new(Slow { methods, below }));
    known.push(slow);
    slow
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: this is called only by the functions of a `Slow`, whose first field they are.
    let below = unsafe { (*(*file).pMethods.cast::<Slow>()).below };
    // SAFETY: as it came.
    let code = below.xSync.map_or(ffi::SQLITE_OK, |call| unsafe { call(file, flags) });
    std::thread::sleep(Duration::from_micros(MICROS.load(Ordering::Relaxed)));
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use std::time::Instant;

    #[test]
    fn a_commit_that_syncs_takes_as_long_as_the_sync() {
        slow_syncs(Duration::from_millis(30));
        let path = std::env::temp_dir().join(format!("slow-{}.db", std::process::id()));
        let database = Connection::open(&path).unwrap();
        database.pragma_update(None, "journal_mode", "WAL").unwrap();
        database.pragma_update(None, "synchronous", "FULL").unwrap();
        database.execute_batch("CREATE TABLE t (n)").unwrap();
        let start = Instant::now();
        database.execute_batch("INSERT INTO t VALUES (7)").unwrap();
        assert!(start.elapsed() >= Duration::from_millis(30));
        let n: i64 = database.query_row("SELECT n FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(n, 7);
        slow_syncs(Duration::ZERO);
        drop(database);
        for end in ["db", "db-wal", "db-shm"] {
            let _ = std::fs::remove_file(path.with_extension(end));
        }
    }
}
