//! Backups, checks, and what the write-ahead log takes.

use super::SqliteStore;
use super::failure::{BACKEND, corrupt, failed};
use super::pool::open_reader;
use crate::plan::invalid;
use crate::{Result, StoreError};
use rusqlite::{Connection, params};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Faults that a check names.
const FAULTS_MAX: usize = 10;

impl SqliteStore {
    /// Writes a backup into a new file while the store is in use: the state at one
    /// moment, whole, compacted, and on the disk when this returns. Its bytes.
    ///
    /// It is a database like any other: [`SqliteStore::open`] opens it. Writers go on
    /// meanwhile, but the write-ahead log is not folded in until it is done. It takes
    /// the time of reading and writing everything, on the calling thread.
    ///
    /// ```
    /// use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore};
    /// # let folder = tempfile::tempdir()?;
    /// let store = SqliteStore::open(folder.path().join("desk.db"), SqliteOptions::default())?;
    /// let backup = folder.path().join("backup.db");
    /// assert!(store.backup(&backup)? > 0);
    /// SqliteStore::open(&backup, SqliteOptions::default())?.verify()?;
    /// assert!(store.backup(&backup).is_err(), "a backup replaces nothing");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] when the file is there already or cannot be made;
    /// [`StoreError::Unavailable`] when the disk is full. No part of a file is left.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<u64> {
        let to = to.as_ref();
        // Made here, so that nobody else's file is written over.
        let made = OpenOptions::new().write(true).create_new(true).open(to);
        made.map_err(|error| {
            invalid(format!("the backup `{}` cannot be made: {error}", to.display()))
        })?;
        let written = self.write_backup(to);
        if written.is_err() {
            // What was begun is of no use; the failure is what counts.
            let _ = fs::remove_file(to);
        }
        written
    }

    fn write_backup(&self, to: &Path) -> Result<u64> {
        let name = to.to_str().ok_or_else(|| invalid("a backup's name must be UTF-8"))?;
        self.with_reader(|conn| {
            conn.execute("VACUUM INTO ?1", params![name]).map_err(failed)?;
            Ok(())
        })?;
        let file = File::open(to).map_err(unavailable)?;
        file.sync_all().map_err(unavailable)?;
        let n_bytes = file.metadata().map_err(unavailable)?.len();
        #[cfg(unix)]
        if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            // The name is kept by the folder.
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(unavailable)?;
        }
        Ok(n_bytes)
    }

    /// Reads everything and checks that it fits together: pages, rows, indexes and the
    /// schema's version. It takes long, on the calling thread; writers go on meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] with the first faults: restore a backup.
    pub fn verify(&self) -> Result<()> {
        self.check()?;
        let faults = self.with_reader(|conn| {
            let sql = format!("PRAGMA integrity_check({FAULTS_MAX})");
            let mut statement = conn.prepare(&sql).map_err(failed)?;
            let mut rows = statement.query([]).map_err(failed)?;
            let mut faults: Vec<String> = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                faults.push(row.get(0).map_err(failed)?);
            }
            Ok(faults)
        })?;
        if faults == ["ok"] {
            return Ok(());
        }
        Err(corrupt(faults.join("; ")))
    }

    /// Bytes of the write-ahead log, 0 in memory: what a host watches. It grows up to
    /// 32 MiB before it is folded in, and beyond while a reader is at work; the file
    /// keeps its size, 64 MiB at most, until
    /// [`Maintain::Compact`](crate::Maintain::Compact).
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the file cannot be looked at.
    pub fn wal_bytes(&self) -> Result<u64> {
        let Some(path) = &self.path else { return Ok(0) };
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        match fs::metadata(PathBuf::from(log)) {
            Ok(facts) => Ok(facts.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Works on a connection of its own, so that nobody waits for it; in memory on the
    /// one that there is.
    fn with_reader<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        match &self.path {
            Some(path) => work(&open_reader(path, &self.options)?),
            None => work(&self.pool.writer()),
        }
    }
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable { backend: BACKEND, retry_after: None, source: Box::new(error) }
}
