//! An index at work: its keeper, and the thread that commits what has waited.

use super::entry::Entry;
use super::generation::failed;
use super::keeper::{Keeper, Next};
use super::options::IndexOptions;
use super::snapshot::Snapshot;
use super::{Checkpoints, Status};
use crate::index::{SearchError, Seq};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Things between two words on how far a rebuild is.
const PROGRESS_EVERY: u64 = 500;

/// An index that is being made anew; dropping it gives up, and the old one stays.
pub(crate) struct Rebuilding {
    keeper: Arc<Keeper>,
    next: Option<Next>,
}

impl Rebuilding {
    pub(crate) fn add(&self, entries: &[Entry]) -> Result<(), SearchError> {
        self.next.as_ref().map_or(Ok(()), |next| next.add(entries).map(drop))
    }

    pub(crate) fn finish(mut self) -> Result<Seq, SearchError> {
        match self.next.take() {
            Some(next) => self.keeper.finish_rebuild(next),
            None => Err(SearchError::Rebuilding),
        }
    }
}

impl Drop for Rebuilding {
    fn drop(&mut self) {
        if let Some(next) = self.next.take() {
            drop(next);
            self.keeper.give_up_rebuild();
        }
    }
}

/// An index at work; dropping it commits what has been taken in.
pub(crate) struct Handle {
    keeper: Arc<Keeper>,
    committer: Option<JoinHandle<()>>,
}

impl Handle {
    pub(crate) fn in_memory(options: &IndexOptions) -> Result<Self, SearchError> {
        Self::with(Keeper::in_memory(options)?)
    }

    pub(crate) fn open(folder: &Path, options: &IndexOptions) -> Result<Self, SearchError> {
        Self::with(Keeper::open(folder, options)?)
    }

    fn with(keeper: Keeper) -> Result<Self, SearchError> {
        let keeper = Arc::new(keeper);
        let own = keeper.clone();
        let thread = std::thread::Builder::new().name("helpdesk-search".to_owned());
        let committer = thread.spawn(move || own.run()).map_err(failed)?;
        Ok(Self { keeper, committer: Some(committer) })
    }

    pub(crate) fn apply(&self, entries: &[Entry]) -> Result<Seq, SearchError> {
        self.keeper.apply(entries)
    }

    pub(crate) fn commit(&self) -> Result<Seq, SearchError> {
        self.keeper.commit()
    }

    /// Makes the index anew from all there is.
    pub(crate) fn rebuild(
        &self,
        entries: impl Iterator<Item = Entry>,
        mut progress: impl FnMut(u64),
    ) -> Result<Seq, SearchError> {
        let rebuild = self.begin_rebuild()?;
        let mut n_done = 0;
        for entry in entries {
            rebuild.add(&[entry])?;
            n_done += 1;
            if n_done % PROGRESS_EVERY == 0 {
                progress(n_done);
            }
        }
        progress(n_done);
        rebuild.finish()
    }

    /// The same step by step.
    pub(crate) fn begin_rebuild(&self) -> Result<Rebuilding, SearchError> {
        let next = self.keeper.begin_rebuild()?;
        Ok(Rebuilding { keeper: self.keeper.clone(), next: Some(next) })
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.keeper.current().snapshot()
    }

    /// Where the feeds had been read up to when the last change was taken in.
    pub(crate) fn applied_checkpoints(&self) -> Checkpoints {
        self.keeper.current().meta().checkpoints
    }

    pub(crate) fn status(&self) -> Status {
        let generation = self.keeper.current();
        let snapshot = generation.snapshot();
        let (stale, is_rebuilding) = self.keeper.rebuild_state();
        Status {
            visible: snapshot.seq,
            applied: generation.meta().seq,
            reached: snapshot.checkpoints.clone(),
            n_documents: snapshot.searcher.num_docs(),
            stale,
            is_rebuilding,
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.keeper.close();
        if let Some(committer) = self.committer.take() {
            let _ = committer.join();
        }
        let _ = self.keeper.commit();
    }
}
