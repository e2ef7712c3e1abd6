//! The archive: where journal entries go before they leave the store, as lines of JSON.
//!
//! One line is one entry, whole, with its tenant (NDJSON). An entry may stand there twice, when
//! whoever wrote it ended before the store was told: its last line counts.

use crate::error::{Error, Result};
use async_trait::async_trait;
use helpdesk_core::event::Recorded;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::TenantId;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The form of lines that this version writes.
const LINE_VERSION: u16 = 1;
/// Bytes that are looked at at once for the end of the last whole line.
const BLOCK_BYTES: u64 = 64 * 1024;

/// Where archived entries go.
#[async_trait]
pub trait Archive: Send + Sync + Debug {
    /// Appends whole lines to what the archive has of a tenant.
    ///
    /// What it returns for must outlive the machine: the store forgets it then.
    ///
    /// # Errors
    ///
    /// When that is not sure; the lines come again. Whatever was written of them stays or goes.
    async fn append(&self, tenant: TenantId, lines: &[u8]) -> io::Result<()>;
}

/// A folder with a file for each tenant, `<tenant>.ndjson`, appended to and synced to the disk.
///
/// A file may be moved away at any time: the next lines begin another. A line that was torn
/// when the machine stopped is cut off before the next ones are written.
#[derive(Debug)]
pub struct ArchiveFolder {
    folder: PathBuf,
    writing: Mutex<()>,
}

impl ArchiveFolder {
    /// In this folder, made where it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, writing: Mutex::new(()) })
    }

    /// A tenant's file, whether it is there yet or not.
    #[must_use]
    pub fn path(&self, tenant: TenantId) -> PathBuf {
        self.folder.join(format!("{tenant}.ndjson"))
    }
}

#[async_trait]
impl Archive for ArchiveFolder {
    async fn append(&self, tenant: TenantId, lines: &[u8]) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path(tenant);
        let is_new = !path.exists();
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let end = whole_lines(&mut file)?;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(lines)?;
        file.sync_data()?;
        if is_new {
            sync_folder(&self.folder)?;
        }
        Ok(())
    }
}

/// Bytes of a file up to the end of its last whole line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        Read::by_ref(file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// A new file's name outlives the machine once its folder is synced, where that can be done.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Any writer: a pipe, a compressor, a buffer. Lines are taken for safe once the writer was
/// flushed; a bare [`File`] does not reach the disk by that, [`ArchiveFolder`] does.
///
/// ```
/// use helpdesk::ArchiveTo;
/// let archive = ArchiveTo::new(Vec::<u8>::new());
/// assert!(archive.into_inner().is_empty());
/// ```
#[derive(Debug)]
pub struct ArchiveTo<W>(Mutex<W>);

impl<W> ArchiveTo<W> {
    /// To this writer.
    pub fn new(writer: W) -> Self {
        Self(Mutex::new(writer))
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<W: Write + Send + Debug> Archive for ArchiveTo<W> {
    async fn append(&self, _: TenantId, lines: &[u8]) -> io::Result<()> {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(lines)?;
        writer.flush()
    }
}

/// An entry as it stands in an archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArchivedEntry {
    /// The form of the line.
    v: u16,
    /// Whose.
    pub tenant: TenantId,
    /// The entry, as it stood in the journal.
    #[serde(flatten)]
    pub entry: Recorded,
}

impl ArchivedEntry {
    pub(crate) fn new(tenant: TenantId, entry: Recorded) -> Self {
        Self { v: LINE_VERSION, tenant, entry }
    }
}

/// Reads an archive, line by line. A last line without its end is what was torn when the
/// machine stopped: it is passed over, as its entry still stands in the store.
///
/// Each item is an entry, or [`Error::Rejected`](crate::Error::Rejected) with the number of a line
/// that is none, or [`Error::Archive`](crate::Error::Archive) when it could not be read.
pub fn read_archive(mut lines: impl BufRead) -> impl Iterator<Item = Result<ArchivedEntry>> {
    let mut n = 0_u64;
    let mut line = Vec::new();
    std::iter::from_fn(move || {
        line.clear();
        n += 1;
        match lines.read_until(b'\n', &mut line) {
            Ok(_) if line.last() != Some(&b'\n') => None,
            Ok(_) => Some(parse(n, &line)),
            Err(error) => Some(Err(Error::Archive(error))),
        }
    })
}

fn parse(n: u64, line: &[u8]) -> Result<ArchivedEntry> {
    let bad = |what: String| Rejection::at(Code::Invalid, format!("line[{n}]"), what);
    let entry: ArchivedEntry =
        serde_json::from_slice(line).map_err(|error| bad(format!("no archived entry: {error}")))?;
    if entry.v != LINE_VERSION {
        let what = format!("a line of form {}, this version reads {LINE_VERSION}", entry.v);
        return Err(bad(what).into());
    }
    Ok(entry)
}

/// Entries as lines.
pub(crate) fn to_lines(entries: &[ArchivedEntry]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut lines, entry).map_err(|error| {
            let message = format!("an entry cannot be written as JSON: {error}");
            Error::from(Rejection::new(Code::Internal, message))
        })?;
        lines.push(b'\n');
    }
    Ok(lines)
}
