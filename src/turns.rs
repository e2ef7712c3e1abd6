//! Who changes what agents hold, in turn.
//!
//! Tickets that come in together are mostly for the same few agents. Were each decided on what is
//! committed, all but one would lose the race for the agent who holds least. So an engine decides
//! such commands one after the other, each on what those before it are about to do, and commits
//! them in that order, many at once ([`commit_many`](helpdesk_storage::Store::commit_many)): the
//! disk is waited for once. What a decision was made on and did not come to be takes it along
//! ([`NotAfter`](StoreError::NotAfter)); it is decided again.
//!
//! As with the queue of commits of a SQLite store, nobody is chosen to commit for the others:
//! whoever finds nobody at it does, and a caller who goes away holds up nobody.

use crate::snapshot::{Snapshot, Tenant};
use helpdesk_core::case::record::Record;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::CommandId;
use helpdesk_storage::{ChangeSet, Committed, StoreError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use uuid::Uuid;

/// Commits of one batch: what a PostgreSQL store takes in one transaction.
const BATCH_MAX: usize = 64;

/// A place in the order of decisions.
pub(crate) type Turn = u64;

/// Of work that commits nothing.
const NOTHING: CommandId = CommandId(Uuid::nil());

/// What became of a change set, or of what was decided on what others were about to do:
/// nothing was to be committed, and they did it.
pub(crate) type End = Result<Option<Committed>, StoreError>;

/// What a decision was made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Changes of the snapshot until then.
    n_changes: u64,
    /// The last of those that were about to do something.
    ahead: Option<Turn>,
}

impl Seen {
    pub(crate) fn new(n_changes: u64, ahead: Option<Turn>) -> Self {
        Self { n_changes, ahead }
    }

    /// Whether it holds only once others have done what they were about to.
    pub(crate) fn is_ahead(self) -> bool {
        self.ahead.is_some()
    }
}

/// What is to be done in a turn.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// `None` where nothing is, and whether it should depends on those before.
    pub(crate) change_set: Option<ChangeSet>,
    /// Of it, what a snapshot keeps.
    pub(crate) kept: Vec<Record>,
}

#[derive(Debug)]
struct Entry {
    turn: Turn,
    commit_id: CommandId,
    /// Whether there is something to commit.
    commits: bool,
    work: Work,
    /// Whose doing it was decided on.
    after: Option<Turn>,
    /// Whether others may be decided on its doing.
    is_ahead: bool,
    /// What it writes, but for what agents hold.
    written: Vec<StreamId>,
}

/// The commits of a tenant that wait for their turn.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Turn,
    is_led: bool,
    waiting: VecDeque<Entry>,
    /// Written by those that wait or are at work.
    written: BTreeSet<StreamId>,
    wakers: BTreeMap<Turn, Waker>,
    /// Ends that nobody fetched yet.
    ended: BTreeMap<Turn, End>,
    /// At work, while their callers have gone.
    abandoned: BTreeSet<Turn>,
}

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all who wait, where nobody leads.
    fn wake_waiting(&self) {
        let woken: Vec<Waker> = {
            let mut state = self.state();
            if state.is_led {
                return;
            }
            let turns: Vec<Turn> = state.waiting.iter().map(|entry| entry.turn).collect();
            turns.iter().filter_map(|turn| state.wakers.remove(turn)).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

impl State {
    /// Keeps an end for its caller, unless they have gone; whom to wake.
    fn end(&mut self, entry: &Entry, end: End) -> Option<Waker> {
        for stream in &entry.written {
            self.written.remove(stream);
        }
        if !self.abandoned.remove(&entry.turn) {
            self.ended.insert(entry.turn, end);
        }
        self.wakers.remove(&entry.turn)
    }

    /// What was not done takes along what was decided on it; whom to wake.
    fn end_those_after(&mut self, turn: Turn, commit_id: CommandId) -> Vec<Waker> {
        let is_after = |entry: &Entry| entry.after.is_some_and(|after| after >= turn);
        let waiting = std::mem::take(&mut self.waiting);
        let (fallen, waiting) = waiting.into_iter().partition::<VecDeque<Entry>, _>(is_after);
        self.waiting = waiting;
        let end = |entry: &Entry| self.end(entry, Err(StoreError::NotAfter { commit_id }));
        fallen.iter().filter_map(end).collect()
    }
}

impl Tenant {
    /// Decides on what is committed and what others are about to do.
    pub(crate) fn look<T>(&self, decide: impl FnOnce(&Snapshot) -> T) -> (T, Seen) {
        let held = self.held();
        (decide(&held.snapshot), held.seen())
    }

    /// Takes a turn: decides, with what was seen before if nothing changed since, and has the
    /// next ones decide on it. `None` where the work would lose against that of somebody before it
    /// for certain: it is to be decided again after them.
    pub(crate) fn take_turn<T>(
        &self,
        seen: Seen,
        decide: impl FnOnce(Option<&Snapshot>) -> (T, Work),
    ) -> (Option<T>, InTurn<'_>) {
        let mut held = self.held_mut();
        let is_as_seen = held.seen().n_changes == seen.n_changes;
        let (decided, work) = decide((!is_as_seen).then_some(&held.snapshot));
        let mut state = self.turns.state();
        let change_set = work.change_set.as_ref();
        let written: Vec<StreamId> = change_set.map(written).unwrap_or_default();
        let is_doomed = written.iter().any(|stream| state.written.contains(stream));
        let (decided, work, written) = match is_doomed {
            true => (None, Work::default(), Vec::new()),
            false => (Some(decided), work, written),
        };
        state.last += 1;
        let turn = state.last;
        let after = held.seen().ahead;
        let is_ahead = work.change_set.as_ref().is_some_and(|it| held.put_ahead(turn, it));
        state.written.extend(&written);
        let commit_id = work.change_set.as_ref().map(|change_set| change_set.commit_id);
        let (commits, commit_id) = (commit_id.is_some(), commit_id.unwrap_or(NOTHING));
        state.waiting.push_back(Entry { turn, commit_id, commits, work, after, is_ahead, written });
        (decided, InTurn { tenant: self, turn, has_waited: false, is_over: false })
    }
}

/// What a change set writes, but for what agents hold: that is decided on as it will be.
fn written(change_set: &ChangeSet) -> Vec<StreamId> {
    let streams = change_set.put.iter().filter_map(Record::stream);
    streams.filter(|stream| stream.kind != StreamKind::Load).collect()
}

/// A place in the order, with what is to be done there. Dropped, it is not done, unless somebody
/// is at it.
#[derive(Debug)]
#[must_use = "somebody has to wait for the turn"]
pub(crate) struct InTurn<'a> {
    tenant: &'a Tenant,
    turn: Turn,
    has_waited: bool,
    is_over: bool,
}

/// What is next for whoever waits.
pub(crate) enum Next<'a> {
    /// It came to this.
    Ended(End),
    /// Nobody is at work: commit, and ask again.
    Lead(Leading<'a>),
}

impl<'a> InTurn<'a> {
    /// Waits for what is next.
    pub(crate) async fn next(&mut self) -> Next<'a> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<Next<'a>> {
        let tenant = self.tenant;
        let mut state = tenant.turns.state();
        if let Some(end) = state.ended.remove(&self.turn) {
            self.is_over = true;
            return Poll::Ready(Next::Ended(end));
        }
        let is_free = !state.is_led;
        let is_mine = is_free && state.waiting.iter().any(|entry| entry.turn == self.turn);
        if is_mine && self.has_waited {
            state.is_led = true;
            let unused = state.wakers.remove(&self.turn);
            // Not under the lock: the last waker of a task may take the task with it.
            drop(state);
            drop(unused);
            let at_work = Vec::new();
            return Poll::Ready(Next::Lead(Leading { tenant, at_work, is_over: false }));
        }
        let before = state.wakers.insert(self.turn, context.waker().clone());
        drop(state);
        drop(before);
        if is_mine {
            // Others of the same thread may come first, and join in.
            context.waker().wake_by_ref();
        }
        self.has_waited = true;
        Poll::Pending
    }
}

impl Drop for InTurn<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let tenant = self.tenant;
        let mut held = tenant.held_mut();
        let mut state = tenant.turns.state();
        let mut woken = Vec::new();
        let waker = state.wakers.remove(&self.turn);
        if state.ended.remove(&self.turn).is_none() {
            match state.waiting.iter().position(|entry| entry.turn == self.turn) {
                Some(at) => {
                    let entry = state.waiting.remove(at);
                    for stream in entry.iter().flat_map(|entry| &entry.written) {
                        state.written.remove(stream);
                    }
                    if let Some(entry) = entry.filter(|entry| entry.is_ahead) {
                        held.fall_back();
                        woken = state.end_those_after(entry.turn, entry.commit_id);
                    }
                }
                // At work: whoever commits it is not to keep its end.
                None => _ = state.abandoned.insert(self.turn),
            }
        }
        drop((state, held));
        drop(waker);
        woken.into_iter().for_each(Waker::wake);
        // It may have been the only one that was woken and looked.
        tenant.turns.wake_waiting();
    }
}

/// Whoever commits for the others. However that ends, nobody waits for it in vain.
#[derive(Debug)]
pub(crate) struct Leading<'a> {
    tenant: &'a Tenant,
    at_work: Vec<Entry>,
    is_over: bool,
}

impl Leading<'_> {
    /// Takes what waits, for one call of the store.
    pub(crate) fn take(&mut self) -> Vec<ChangeSet> {
        let mut state = self.tenant.turns.state();
        let n = state.waiting.len().min(BATCH_MAX);
        self.at_work = state.waiting.drain(..n).collect();
        let mut ids: BTreeMap<Turn, CommandId> = BTreeMap::new();
        let mut change_sets = Vec::with_capacity(n);
        for entry in &mut self.at_work {
            if let Some(mut change_set) = entry.work.change_set.take() {
                // What is in no batch any more was done.
                change_set.after = entry.after.and_then(|turn| ids.get(&turn).copied());
                ids.insert(entry.turn, change_set.commit_id);
                change_sets.push(change_set);
            }
        }
        change_sets
    }

    /// Tells everybody what became of what was taken, in its order.
    pub(crate) fn end(mut self, results: Vec<Result<Committed, StoreError>>) {
        self.finish(results);
    }

    fn finish(&mut self, results: Vec<Result<Committed, StoreError>>) {
        self.is_over = true;
        let mut held = self.tenant.held_mut();
        let mut state = self.tenant.turns.state();
        let mut results = results.into_iter();
        let mut woken = Vec::new();
        // The first whose doing others were decided on, and which was not done.
        let mut broken: Option<(Turn, CommandId)> = None;
        let mut last = 0;
        for mut entry in std::mem::take(&mut self.at_work) {
            last = entry.turn;
            let end = match (entry.commits, broken) {
                (true, _) => results.next().unwrap_or_else(|| Err(left())).map(Some),
                (false, Some((turn, commit_id))) if entry.after >= Some(turn) => {
                    Err(StoreError::NotAfter { commit_id })
                }
                (false, _) => Ok(None),
            };
            match &end {
                Ok(None) => {}
                Ok(Some(committed)) if committed.replayed.is_none() => {
                    let kept = std::mem::take(&mut entry.work.kept);
                    held.take_commit(self.tenant.id, kept, committed);
                }
                _ if entry.is_ahead => {
                    broken = broken.or(Some((entry.turn, entry.commit_id)));
                }
                _ => {}
            }
            woken.extend(state.end(&entry, end));
        }
        match broken {
            Some((turn, commit_id)) => {
                held.fall_back();
                woken.extend(state.end_those_after(turn, commit_id));
            }
            None => held.has_caught_up(last),
        }
        state.is_led = false;
        drop((state, held));
        woken.into_iter().for_each(Waker::wake);
        self.tenant.turns.wake_waiting();
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.finish(Vec::new());
        }
    }
}

/// Of a commit whose caller went away while they committed for others.
fn left() -> StoreError {
    let source = "the caller who committed for others is gone".into();
    StoreError::Ambiguous { backend: "engine", source }
}
