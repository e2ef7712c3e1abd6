//! The file system as SQLite asks it: through pointers.
//!
//! It stands before the one that was the default; paths of no disk, and all that is
//! not about files, go on to that one.

use crate::locks::{Level, SLOTS};
use crate::state::{Ask, State, Trouble};
use crate::{Disk, find};
use rusqlite::ffi;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Once, OnceLock};

/// The name under which SQLite knows this file system.
const NAME: &CStr = c"helpdesk-torture-disk";

static REGISTERED: Once = Once::new();
static BEFORE: OnceLock<Before> = OnceLock::new();
static N_OPEN: AtomicU64 = AtomicU64::new(1);

/// The file system that was the default.
struct Before(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite keeps registered file systems for as long as the process lives, and
// calls them from any thread itself.
unsafe impl Send for Before {}
// SAFETY: as above; nothing here writes through the pointer.
unsafe impl Sync for Before {}

/// An open file, as SQLite allocates it: `base` first, so that it is a `sqlite3_file`.
#[repr(C)]
struct Raw {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

/// An open file of a disk.
struct Open {
    disk: Arc<Disk>,
    name: String,
    id: u64,
    is_mapped: bool,
    goes_when_closed: bool,
    /// Whether its next sync syncs the folder too, as SQLite's own file systems do at the
    /// first sync of a journal or a log that they may have made.
    syncs_folder: AtomicBool,
}

/// Files whose first sync syncs the folder too.
const JOURNALS: c_int =
    ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(map),
    xShmLock: Some(lock_slots),
    xShmBarrier: Some(barrier),
    xShmUnmap: Some(unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Makes this the default file system, once.
pub(crate) fn register() {
    REGISTERED.call_once(|| {
        // SAFETY: SQLite gives the default file system, which it keeps; a copy of it
        // with other functions for files is leaked, so that it is kept, too.
        unsafe {
            ffi::sqlite3_initialize();
            let before = ffi::sqlite3_vfs_find(std::ptr::null());
            let mut own = *before;
            let room = c_int::try_from(size_of::<Raw>()).unwrap_or(c_int::MAX);
            own.szOsFile = own.szOsFile.max(room);
            own.zName = NAME.as_ptr();
            own.pNext = std::ptr::null_mut();
            own.xOpen = Some(open);
            own.xDelete = Some(delete);
            own.xAccess = Some(access);
            own.xFullPathname = Some(full_pathname);
            let _ = BEFORE.set(Before(before));
            ffi::sqlite3_vfs_register(Box::into_raw(Box::new(own)), 1);
        }
    });
}

/// Calls a function of the file system before this one.
macro_rules! before {
    ($name:ident($($arg:expr),*)) => {{
        let before = BEFORE.get().map_or(std::ptr::null_mut(), |before| before.0);
        // SAFETY: `before` was read from SQLite when this file system was registered,
        // and no function here is called earlier; arguments are passed on as they came.
        unsafe { (*before).$name.map_or(ffi::SQLITE_ERROR, |call| call(before, $($arg),*)) }
    }};
}

/// A path as SQLite passes it; `None` for a temporary file.
///
/// # Safety
///
/// `path` is null or ends with a zero byte.
unsafe fn text<'a>(path: *const c_char) -> Option<&'a str> {
    if path.is_null() {
        return None;
    }
    // SAFETY: the caller says so.
    unsafe { CStr::from_ptr(path) }.to_str().ok()
}

/// What SQLite is told of a trouble.
fn code(trouble: Trouble, own: c_int) -> c_int {
    match trouble {
        Trouble::Io | Trouble::Off => own,
        Trouble::Full => ffi::SQLITE_FULL,
        Trouble::Busy => ffi::SQLITE_BUSY,
    }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes a path or null.
    let found = unsafe { text(path) }.and_then(find);
    let Some((disk, name)) = found else {
        return before!(xOpen(path, file, flags, out_flags));
    };
    let raw = file.cast::<Raw>();
    // SAFETY: SQLite allocates `szOsFile` bytes, which are a `Raw` at least. Without
    // methods it does not close what was not opened.
    unsafe { (*raw).base.pMethods = std::ptr::null() };
    let mut state = disk.state();
    if let Some(trouble) = state.trouble(Ask::Open) {
        return code(trouble, ffi::SQLITE_CANTOPEN);
    }
    if !state.has(&name) {
        if flags & ffi::SQLITE_OPEN_CREATE == 0 {
            return ffi::SQLITE_CANTOPEN;
        }
        state.create(&name);
    }
    drop(state);
    let goes_when_closed = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
    let id = N_OPEN.fetch_add(1, Ordering::Relaxed);
    let is_made = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & JOURNALS != 0;
    let syncs_folder = AtomicBool::new(is_made);
    let opened =
        Box::new(Open { disk, name, id, is_mapped: false, goes_when_closed, syncs_folder });
    // SAFETY: as above; `out_flags` may be null.
    unsafe {
        (*raw).open = Box::into_raw(opened);
        (*raw).base.pMethods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, path: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite passes a path.
    let Some((disk, name)) = unsafe { text(path) }.and_then(find) else {
        return before!(xDelete(path, sync));
    };
    let mut state = disk.state();
    if let Some(trouble) = state.trouble(Ask::Delete) {
        return code(trouble, ffi::SQLITE_IOERR_DELETE);
    }
    match state.delete(&name, sync != 0) {
        true => ffi::SQLITE_OK,
        false => ffi::SQLITE_IOERR_DELETE_NOENT,
    }
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes a path.
    let Some((disk, name)) = unsafe { text(path) }.and_then(find) else {
        return before!(xAccess(path, flags, out));
    };
    let mut state = disk.state();
    if let Some(trouble) = state.trouble(Ask::Access) {
        return code(trouble, ffi::SQLITE_IOERR_ACCESS);
    }
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = c_int::from(state.has(&name)) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a path.
    let own = unsafe { text(path) }.filter(|path| find(path).is_some());
    let Some(own) = own else { return before!(xFullPathname(path, room, out)) };
    let Some(room) = usize::try_from(room).ok().filter(|room| *room > own.len()) else {
        return ffi::SQLITE_CANTOPEN;
    };
    debug_assert!(own.len() < room);
    // SAFETY: there is room for `room` bytes, and the path with its zero byte is
    // no longer.
    unsafe { std::ptr::copy_nonoverlapping(path, out, own.len() + 1) };
    ffi::SQLITE_OK
}

/// The open file behind SQLite's pointer.
///
/// # Safety
///
/// `file` was opened by [`open`] and is not closed, and no other thread uses it: so
/// SQLite does it with each connection.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    // SAFETY: the caller says so.
    unsafe { &mut *(*file.cast::<Raw>()).open }
}

/// Does something with a file, unless that fails.
///
/// # Safety
///
/// As [`opened`].
unsafe fn with(
    file: *mut ffi::sqlite3_file,
    ask: Ask,
    own: c_int,
    act: impl FnOnce(&mut State, &Open) -> c_int,
) -> c_int {
    // SAFETY: the caller says so.
    let opened = unsafe { opened(file) };
    let mut state = opened.disk.state();
    match state.trouble(ask) {
        Some(trouble) => code(trouble, own),
        None => act(&mut state, opened),
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes what was opened, once.
    let opened = unsafe { Box::from_raw((*file.cast::<Raw>()).open) };
    let mut state = opened.disk.state();
    if let Ok(file) = state.file(&opened.name) {
        file.locks.drop_all(opened.id);
    }
    if opened.goes_when_closed {
        state.delete(&opened.name, true);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    n: c_int,
    at: i64,
) -> c_int {
    let (n, at) = (usize::try_from(n).unwrap_or(0), usize::try_from(at).unwrap_or(0));
    // SAFETY: SQLite passes an open file, and room for `n` bytes.
    unsafe {
        let into = std::slice::from_raw_parts_mut(into.cast::<u8>(), n);
        with(file, Ask::Read, ffi::SQLITE_IOERR_READ, |state, opened| {
            match state.file(&opened.name) {
                Ok(found) if found.read(at, into) == n => ffi::SQLITE_OK,
                Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
                Err(_) => ffi::SQLITE_IOERR_READ,
            }
        })
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    n: c_int,
    at: i64,
) -> c_int {
    let (n, at) = (usize::try_from(n).unwrap_or(0), usize::try_from(at).unwrap_or(0));
    // SAFETY: SQLite passes an open file, and `n` bytes.
    let (opened, bytes) =
        unsafe { (opened(file), std::slice::from_raw_parts(from.cast::<u8>(), n)) };
    let mut state = opened.disk.state();
    let trouble = state.trouble(Ask::Write);
    let Ok(found) = state.file(&opened.name) else { return ffi::SQLITE_IOERR_WRITE };
    match trouble {
        None => {
            found.write(at, bytes);
            ffi::SQLITE_OK
        }
        Some(Trouble::Off) => ffi::SQLITE_IOERR_WRITE,
        Some(trouble) => {
            // The rest did not fit, or did not come through.
            found.write(at, &bytes[..n / 2]);
            code(trouble, ffi::SQLITE_IOERR_WRITE)
        }
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: SQLite passes an open file.
    unsafe {
        with(file, Ask::Truncate, ffi::SQLITE_IOERR_TRUNCATE, |state, opened| {
            match state.file(&opened.name) {
                Ok(found) => found.truncate(usize::try_from(size).unwrap_or(0)),
                Err(_) => return ffi::SQLITE_IOERR_TRUNCATE,
            }
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    unsafe {
        with(file, Ask::Sync, ffi::SQLITE_IOERR_FSYNC, |state, opened| {
            match state.file(&opened.name) {
                Ok(found) => found.sync(),
                Err(_) => return ffi::SQLITE_IOERR_FSYNC,
            }
            if opened.syncs_folder.swap(false, Ordering::Relaxed) {
                state.sync_folder();
            }
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: SQLite passes an open file, and a place for the answer.
    unsafe {
        with(file, Ask::Size, ffi::SQLITE_IOERR_FSTAT, |state, opened| {
            let size = state.file(&opened.name).map_or(0, |found| found.size());
            *out = i64::try_from(size).unwrap_or(i64::MAX);
            ffi::SQLITE_OK
        })
    }
}

fn level(of: c_int) -> Level {
    match of {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        _ => Level::Exclusive,
    }
}

fn locked(is_free: bool) -> c_int {
    if is_free { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, to: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    unsafe {
        with(file, Ask::Lock, ffi::SQLITE_IOERR_LOCK, |state, opened| {
            let found = state.file(&opened.name);
            found.map_or(ffi::SQLITE_IOERR_LOCK, |it| locked(it.locks.lock(opened.id, level(to))))
        })
    }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, to: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let opened = unsafe { opened(file) };
    if let Ok(found) = opened.disk.state().file(&opened.name) {
        found.locks.unlock(opened.id, level(to));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite passes an open file, and a place for the answer.
    unsafe {
        with(file, Ask::Lock, ffi::SQLITE_IOERR_LOCK, |state, opened| {
            let is_reserved = state.file(&opened.name).is_ok_and(|found| found.locks.is_reserved());
            *out = c_int::from(is_reserved);
            ffi::SQLITE_OK
        })
    }
}

unsafe extern "C" fn control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector(_: *mut ffi::sqlite3_file) -> c_int {
    4_096
}

/// As the default file system has it: what is not written stays as it is.
unsafe extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    bytes: c_int,
    extends: c_int,
    out: *mut *mut c_void,
) -> c_int {
    let (region, bytes) =
        (usize::try_from(region).unwrap_or(0), usize::try_from(bytes).unwrap_or(0));
    // SAFETY: SQLite passes an open file, and a place for the answer.
    let opened = unsafe { opened(file) };
    let mut state = opened.disk.state();
    // SAFETY: as above.
    unsafe { *out = std::ptr::null_mut() };
    if let Some(trouble) = state.trouble(Ask::Map) {
        return code(trouble, ffi::SQLITE_IOERR_SHMMAP);
    }
    let Ok(found) = state.file(&opened.name) else { return ffi::SQLITE_IOERR_SHMMAP };
    if !std::mem::replace(&mut opened.is_mapped, true) {
        found.n_mapped += 1;
    }
    while found.regions.len() <= region {
        if extends == 0 {
            return ffi::SQLITE_OK;
        }
        found.regions.push(vec![0_u64; bytes / size_of::<u64>()].into_boxed_slice());
    }
    // SAFETY: regions are boxed and stay where they are until nobody has them mapped;
    // who uses them when is a matter of SQLite's own locks.
    unsafe { *out = found.regions[region].as_mut_ptr().cast() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock_slots(
    file: *mut ffi::sqlite3_file,
    from: c_int,
    n: c_int,
    flags: c_int,
) -> c_int {
    let (from, n) = (usize::try_from(from).unwrap_or(SLOTS), usize::try_from(n).unwrap_or(0));
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        // SAFETY: SQLite passes an open file.
        let opened = unsafe { opened(file) };
        if let Ok(found) = opened.disk.state().file(&opened.name) {
            found.locks.unlock_slots(opened.id, from, n);
        }
        return ffi::SQLITE_OK;
    }
    let is_exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    // SAFETY: SQLite passes an open file.
    unsafe {
        with(file, Ask::Lock, ffi::SQLITE_IOERR_SHMLOCK, |state, opened| {
            let found = state.file(&opened.name);
            found.map_or(ffi::SQLITE_IOERR_SHMLOCK, |it| {
                locked(it.locks.lock_slots(opened.id, from, n, is_exclusive))
            })
        })
    }
}

unsafe extern "C" fn barrier(_: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let opened = unsafe { opened(file) };
    let mut state = opened.disk.state();
    if let Ok(found) = state.file(&opened.name)
        && std::mem::take(&mut opened.is_mapped)
    {
        found.locks.unlock_slots(opened.id, 0, SLOTS);
        found.n_mapped -= 1;
        if found.n_mapped == 0 {
            // Whoever comes next finds nothing and reads the log anew.
            found.regions.clear();
        }
    }
    ffi::SQLITE_OK
}
