//! Keeps an index: takes changes in, commits them a little later, and puts a rebuilt
//! index in the place of the old one.
//!
//! A folder holds the file `current`, which names the index in use, and that index in
//! a folder of its own. A rebuilt one is complete before `current` names it.

use super::entry::Entry;
use super::generation::{Generation, Meta, failed};
use super::options::IndexOptions;
use crate::index::{SearchError, Seq};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

const CURRENT_FILE: &str = "current";
const FOLDER_PREFIX: &str = "index-";

/// What the handles of one index share.
pub(crate) struct Keeper {
    folder: Option<PathBuf>,
    options: IndexOptions,
    current: RwLock<Arc<Generation>>,
    feed: Mutex<Feed>,
    /// Something in the feed has changed.
    news: Condvar,
}

#[derive(Default)]
struct Feed {
    /// When the first change came that no commit has asked for yet.
    waiting_since: Option<Instant>,
    /// Changes that a running rebuild has to take over.
    during_rebuild: Option<Vec<Entry>>,
    /// Why the index should be rebuilt.
    stale: Option<String>,
    /// Why the last commit of the thread failed.
    failure: Option<SearchError>,
    is_closed: bool,
}

impl Keeper {
    pub(crate) fn in_memory(options: &IndexOptions) -> Result<Self, SearchError> {
        let generation = Generation::create(None, options)?;
        Ok(Self::with(None, options, generation, None))
    }

    /// Opens what the folder holds, or begins there.
    pub(crate) fn open(folder: &Path, options: &IndexOptions) -> Result<Self, SearchError> {
        fs::create_dir_all(folder).map_err(failed)?;
        let (generation, stale) = match read_current(folder)? {
            Some(name) => Generation::open(&folder.join(name), options)?,
            None => {
                if !is_free(folder).map_err(failed)? {
                    return Err(SearchError::Format { folder: folder.to_owned() });
                }
                let name = name_of(1);
                let own = make_folder(folder, &name).map_err(failed)?;
                let generation = Generation::create(Some(&own), options)?;
                write_current(folder, &name).map_err(failed)?;
                (generation, None)
            }
        };
        // Nobody else has the folder open now. What is left there is of a rebuild that
        // did not end, or of an index that was still read when it was replaced.
        remove_others(folder, generation.folder.as_deref());
        Ok(Self::with(Some(folder), options, generation, stale))
    }

    fn with(
        folder: Option<&Path>,
        options: &IndexOptions,
        generation: Generation,
        stale: Option<String>,
    ) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
            options: options.clone(),
            current: RwLock::new(Arc::new(generation)),
            feed: Mutex::new(Feed { stale, ..Feed::default() }),
            news: Condvar::new(),
        }
    }

    pub(crate) fn current(&self) -> Arc<Generation> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn feed(&self) -> MutexGuard<'_, Feed> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn apply(&self, changes: &[Entry]) -> Result<Seq, SearchError> {
        let mut feed = self.feed();
        if let Some(failure) = feed.failure.take() {
            return Err(failure);
        }
        let seq = self.current().apply(changes)?;
        if let Some(during) = &mut feed.during_rebuild {
            during.extend_from_slice(changes);
        }
        if feed.waiting_since.is_none() {
            feed.waiting_since = Some(Instant::now());
            self.news.notify_all();
        }
        Ok(seq)
    }

    pub(crate) fn commit(&self) -> Result<Seq, SearchError> {
        if let Some(failure) = self.feed().failure.take() {
            return Err(failure);
        }
        self.current().commit()
    }

    /// Commits what has waited for the window, until the index is closed.
    pub(crate) fn run(&self) {
        let mut feed = self.feed();
        while !feed.is_closed {
            let Some(since) = feed.waiting_since else {
                feed = self.news.wait(feed).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = self.options.window.saturating_sub(since.elapsed());
            if !left.is_zero() {
                let waited = self.news.wait_timeout(feed, left);
                feed = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            feed.waiting_since = None;
            drop(feed);
            let outcome = self.current().commit();
            feed = self.feed();
            feed.failure = outcome.err().or(feed.failure.take());
        }
    }

    /// Ends [`run`](Self::run).
    pub(crate) fn close(&self) {
        self.feed().is_closed = true;
        self.news.notify_all();
    }

    /// Why the index should be rebuilt, and whether it is being.
    pub(crate) fn rebuild_state(&self) -> (Option<String>, bool) {
        let feed = self.feed();
        (feed.stale.clone(), feed.during_rebuild.is_some())
    }

    /// Begins to make the index anew. The old one answers until the new one is complete,
    /// with the changes that come meanwhile.
    pub(crate) fn begin_rebuild(&self) -> Result<Next, SearchError> {
        {
            let mut feed = self.feed();
            if feed.during_rebuild.is_some() {
                return Err(SearchError::Rebuilding);
            }
            feed.during_rebuild = Some(Vec::new());
        }
        let before = self.current();
        let name = before.folder.as_deref().map(|old| name_of(number_of(old) + 1));
        let made = || {
            let own = match (&self.folder, &name) {
                (Some(folder), Some(name)) => Some(make_folder(folder, name).map_err(failed)?),
                _ => None,
            };
            Generation::create(own.as_deref(), &self.options)
        };
        match made() {
            Ok(generation) => Ok(Next { generation, name }),
            Err(error) => {
                self.give_up_rebuild();
                Err(error)
            }
        }
    }

    /// Puts the new index in the place of the old one.
    pub(crate) fn finish_rebuild(&self, next: Next) -> Result<Seq, SearchError> {
        let outcome = self.replace_by(next);
        if outcome.is_err() {
            self.give_up_rebuild();
        }
        outcome
    }

    /// Goes on with the old index alone.
    pub(crate) fn give_up_rebuild(&self) {
        self.feed().during_rebuild = None;
        if let Some(folder) = &self.folder {
            remove_others(folder, self.current().folder.as_deref());
        }
    }

    fn replace_by(&self, next: Next) -> Result<Seq, SearchError> {
        let Next { generation: next, name } = next;
        next.commit()?;
        let before = self.current();
        // From here on no change comes in until the new index is the current one.
        let mut feed = self.feed();
        let during = feed.during_rebuild.take().unwrap_or_default();
        next.apply(&during)?;
        let Meta { seq, checkpoints, .. } = before.meta();
        next.continue_from(seq, checkpoints);
        let seq = next.commit()?;
        if let (Some(folder), Some(name)) = (&self.folder, &name) {
            write_current(folder, name).map_err(failed)?;
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        feed.stale = None;
        feed.failure = None;
        drop(feed);
        drop(before);
        if let Some(folder) = &self.folder {
            remove_others(folder, self.current().folder.as_deref());
        }
        Ok(seq)
    }
}

/// An index that is being made anew.
pub(crate) struct Next {
    generation: Generation,
    name: Option<String>,
}

impl Next {
    pub(crate) fn add(&self, entries: &[Entry]) -> Result<Seq, SearchError> {
        self.generation.apply(entries)
    }
}

fn name_of(number: u64) -> String {
    format!("{FOLDER_PREFIX}{number}")
}

fn number_of(folder: &Path) -> u64 {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.strip_prefix(FOLDER_PREFIX).and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn read_current(folder: &Path) -> Result<Option<String>, SearchError> {
    match fs::read_to_string(folder.join(CURRENT_FILE)) {
        Ok(name) if name.trim().starts_with(FOLDER_PREFIX) => Ok(Some(name.trim().to_owned())),
        Ok(_) => Err(SearchError::Format { folder: folder.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Whether nothing but beginnings of ours lies in the folder.
fn is_free(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with(FOLDER_PREFIX) && !name.starts_with(CURRENT_FILE) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An empty folder of that name.
fn make_folder(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let own = folder.join(name);
    if own.exists() {
        fs::remove_dir_all(&own)?;
    }
    fs::create_dir(&own)?;
    Ok(own)
}

/// Names the index in use: the old name or the new one is on the disk, never half of one.
fn write_current(folder: &Path, name: &str) -> io::Result<()> {
    let draft = folder.join(format!("{CURRENT_FILE}.new"));
    let mut file = File::create(&draft)?;
    file.write_all(name.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(CURRENT_FILE))?;
    sync_folder(folder)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes what is no longer in use. What cannot be removed now is when the folder is
/// opened next.
fn remove_others(folder: &Path, current: Option<&Path>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(FOLDER_PREFIX) && Some(path.as_path()) != current {
            let _ = fs::remove_dir_all(&path);
        }
    }
}
