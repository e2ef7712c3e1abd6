//! What is on a disk: what lasts, what was only written, and what fails.

use crate::locks::Locks;
use std::collections::BTreeMap;

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;
/// Why a file is not found.
const NO_FILE: &str = "no such file";

/// What a disk survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The process dies: all that was written is there.
    Process,
    /// The power goes off: of what was not synced, anything may be there.
    Power,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Any call fails; a write may have done its first half.
    Io,
    /// A write finds the disk full, after its first half.
    Full,
    /// A lock is another's.
    Busy,
    /// The power goes off, at a write, a sync or a change of files: nothing works
    /// from then on.
    Off,
}

/// Which call fails, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub trouble: Trouble,
    /// At which call from now on, of those to which it can happen; the first is 0.
    pub at: u64,
    /// How many fail, one after the other; [`u64::MAX`] for all from then on.
    pub n_calls: u64,
}

/// What is asked of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Open,
    Read,
    Write,
    Truncate,
    Sync,
    Size,
    Delete,
    Access,
    Lock,
    Map,
}

impl Ask {
    fn may_meet(self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Io => true,
            Trouble::Full => self == Self::Write,
            Trouble::Busy => self == Self::Lock,
            Trouble::Off => {
                matches!(self, Self::Write | Self::Truncate | Self::Sync | Self::Delete)
            }
        }
    }
}

/// A change of a file that was not synced yet.
#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { size: usize },
}

/// A file.
#[derive(Debug, Default)]
pub(crate) struct File {
    live: Vec<u8>,
    /// As of the last sync; `None` while there was none.
    durable: Option<Vec<u8>>,
    changes: Vec<Change>,
    pub(crate) locks: Locks,
    /// The shared memory, 32 KiB each; owned by whoever opened the file.
    pub(crate) regions: Vec<Box<[u64]>>,
    pub(crate) n_mapped: usize,
}

/// A disk.
#[derive(Debug, Default)]
pub(crate) struct State {
    files: BTreeMap<String, File>,
    /// Deleted, and not for good before the folder is synced.
    graves: BTreeMap<String, Vec<u8>>,
    fault: Option<Fault>,
    has_failed: bool,
    is_off: bool,
    n_calls: [u64; 4],
}

impl State {
    pub(crate) fn arm(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        self.has_failed = false;
    }

    pub(crate) fn heal(&mut self) -> bool {
        self.fault = None;
        std::mem::take(&mut self.has_failed)
    }

    pub(crate) fn n_calls(&self, trouble: Trouble) -> u64 {
        self.n_calls[slot(trouble)]
    }

    /// Whether this call fails, and how.
    pub(crate) fn trouble(&mut self, ask: Ask) -> Option<Trouble> {
        for trouble in [Trouble::Io, Trouble::Full, Trouble::Busy, Trouble::Off] {
            self.n_calls[slot(trouble)] += u64::from(ask.may_meet(trouble));
        }
        if self.is_off {
            return Some(Trouble::Off);
        }
        let fault = self.fault.as_mut().filter(|fault| ask.may_meet(fault.trouble))?;
        let trouble = fault.trouble;
        if fault.at > 0 {
            fault.at -= 1;
            return None;
        }
        fault.n_calls = fault.n_calls.saturating_sub(1);
        if fault.n_calls == 0 {
            self.fault = None;
        }
        self.has_failed = true;
        self.is_off = trouble == Trouble::Off;
        Some(trouble)
    }

    pub(crate) fn file(&mut self, name: &str) -> Result<&mut File, &'static str> {
        self.files.get_mut(name).ok_or(NO_FILE)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    pub(crate) fn create(&mut self, name: &str) {
        self.files.entry(name.to_owned()).or_default();
    }

    /// Deletes a file; for good only once the folder is synced.
    pub(crate) fn delete(&mut self, name: &str, is_synced: bool) -> bool {
        let Some(file) = self.files.remove(name) else { return false };
        match file.durable {
            Some(durable) if !is_synced => {
                self.graves.insert(name.to_owned(), durable);
            }
            _ => {
                self.graves.remove(name);
            }
        }
        true
    }

    /// What was deleted is gone for good.
    pub(crate) fn sync_folder(&mut self) {
        self.graves.clear();
    }

    /// The disk as the next start finds it.
    pub(crate) fn survivor(&self, loss: Loss, draw: &mut dyn FnMut(u64) -> u64) -> Self {
        let mut found = Self::default();
        for (name, file) in &self.files {
            let left = match loss {
                Loss::Process => Some(file.live.clone()),
                Loss::Power => file.after_power_loss(draw),
            };
            found.files.extend(left.map(|left| (name.clone(), File::of(left))));
        }
        if loss == Loss::Power {
            for (name, bytes) in &self.graves {
                if draw(2) == 0 && !found.files.contains_key(name) {
                    found.files.insert(name.clone(), File::of(bytes.clone()));
                }
            }
        }
        found
    }
}

fn slot(trouble: Trouble) -> usize {
    match trouble {
        Trouble::Io => 0,
        Trouble::Full => 1,
        Trouble::Busy => 2,
        Trouble::Off => 3,
    }
}

impl File {
    fn of(bytes: Vec<u8>) -> Self {
        Self { live: bytes.clone(), durable: Some(bytes), ..Self::default() }
    }

    pub(crate) fn size(&self) -> usize {
        self.live.len()
    }

    /// Reads what there is; how much.
    pub(crate) fn read(&self, at: usize, into: &mut [u8]) -> usize {
        let there = self.live.get(at..).unwrap_or_default();
        let n = there.len().min(into.len());
        into[..n].copy_from_slice(&there[..n]);
        into[n..].fill(0);
        n
    }

    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) {
        write(&mut self.live, at, bytes);
        self.changes.push(Change::Write { at, bytes: bytes.to_vec() });
    }

    pub(crate) fn truncate(&mut self, size: usize) {
        self.live.truncate(size);
        self.changes.push(Change::Truncate { size });
    }

    pub(crate) fn sync(&mut self) {
        let durable = self.durable.get_or_insert_default();
        for change in self.changes.drain(..) {
            match change {
                Change::Write { at, bytes } => write(durable, at, &bytes),
                Change::Truncate { size } => durable.truncate(size),
            }
        }
    }

    /// What was synced, and of the changes since any sectors; a file that was never
    /// synced may be gone.
    fn after_power_loss(&self, draw: &mut dyn FnMut(u64) -> u64) -> Option<Vec<u8>> {
        let mut left = match &self.durable {
            Some(durable) => durable.clone(),
            None if draw(2) == 0 => return None,
            None => Vec::new(),
        };
        // Either all changes up to one reached the disk, or any of them.
        let n_whole = draw(self.changes.len() as u64 + 1) as usize;
        for (n, change) in self.changes.iter().enumerate() {
            let is_whole = n < n_whole;
            match change {
                Change::Truncate { size } if is_whole || draw(2) == 0 => left.truncate(*size),
                Change::Truncate { .. } => {}
                Change::Write { at, bytes } => {
                    for (sector, part) in bytes.chunks(SECTOR).enumerate() {
                        if is_whole || draw(2) == 0 {
                            write(&mut left, at + sector * SECTOR, part);
                        }
                    }
                }
            }
        }
        Some(left)
    }
}

/// Writes into a file, which grows as far as it must.
fn write(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}
