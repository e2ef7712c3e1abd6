//! Change sets that were decided on what others of their call do.

use crate::{ChangeSet, Committed, Result, StoreError};
use helpdesk_core::id::CommandId;
use std::collections::BTreeSet;

/// Which change sets of one [`commit_many`](crate::Store::commit_many) were committed, for those
/// that stand or fall with them ([`ChangeSet::after`]).
///
/// A backend that commits one after the other lets each pass through it; for a
/// [`commit`](crate::Store::commit) of one it takes a new series.
///
/// ```
/// use helpdesk_storage::{ChangeSet, Committed, Result, Series};
/// fn commit_many(sets: Vec<ChangeSet>, commit: impl Fn(ChangeSet) -> Result<Committed>) -> Vec<Result<Committed>> {
///     let mut series = Series::default();
///     sets.into_iter().map(|set| series.commit(set, &commit)).collect()
/// }
/// ```
#[derive(Debug, Default)]
pub struct Series {
    committed: BTreeSet<CommandId>,
}

impl Series {
    /// Commits the next change set, unless what it comes after was not committed.
    ///
    /// # Errors
    ///
    /// Those of `commit`, and [`StoreError::NotAfter`].
    pub fn commit(
        &mut self,
        mut change_set: ChangeSet,
        commit: impl FnOnce(ChangeSet) -> Result<Committed>,
    ) -> Result<Committed> {
        self.check(&change_set)?;
        let id = change_set.commit_id;
        // It has come: what commits one alone need not know.
        change_set.after = None;
        let result = commit(change_set);
        self.note(id, &result);
        result
    }

    /// The same for a backend that keeps the change set.
    pub(crate) fn run(
        &mut self,
        change_set: &ChangeSet,
        commit: impl FnOnce() -> Result<Committed>,
    ) -> Result<Committed> {
        self.check(change_set)?;
        let result = commit();
        self.note(change_set.commit_id, &result);
        result
    }

    /// Whether the change set's turn has come.
    pub(crate) fn check(&self, change_set: &ChangeSet) -> Result<()> {
        match change_set.after {
            Some(after) if !self.committed.contains(&after) => {
                Err(StoreError::NotAfter { commit_id: after })
            }
            _ => Ok(()),
        }
    }

    /// What became of one. A replay did nothing now; of several of one id the last counts.
    pub(crate) fn note(&mut self, id: CommandId, result: &Result<Committed>) {
        match result {
            Ok(Committed { replayed: None, .. }) => self.committed.insert(id),
            _ => self.committed.remove(&id),
        };
    }
}
