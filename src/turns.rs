//! Who changes what agents hold, in turn.
//!
//! Tickets that come in together are mostly for the same few agents. Were each decided on what is
//! committed, all but one would lose the race for the agent who holds least. So an engine decides
//! such commands one after the other, each on what those before it are about to do, and commits
//! them in that order, many at once ([`commit_many`](helpdesk_storage::Store::commit_many)): the
//! disk is waited for once. What a decision was made on and did not come to be takes it along
//! ([`NotAfter`](StoreError::NotAfter)); it is decided again.
//!
//! Nobody is chosen to commit for the others: what is at work belongs to all who wait, and
//! whoever is looked at goes on with it. So a caller who goes away, or whom nobody looks at any
//! more, holds up nobody.

use super::snapshot::{Snapshot, Tenant};
use super::sync::{AtomicBool, Mutex, MutexGuard, Ordering, PoisonError, TryLockError};
use helpdesk_core::case::record::Record;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::CommandId;
use helpdesk_storage::{ChangeSet, Committed, StoreError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Commits of one batch: what a PostgreSQL store takes in one transaction.
const BATCH_MAX: usize = 64;

/// A place in the order of decisions.
pub(crate) type Turn = u64;

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
    /// Whether what is decided next stands or falls with it, whatever it changes.
    pub(crate) leads: bool,
}

#[derive(Debug)]
pub(super) struct Entry {
    turn: Turn,
    /// `None` where there is nothing to commit.
    commit_id: Option<CommandId>,
    work: Work,
    /// Whose doing it was decided on.
    after: Option<Turn>,
    /// Whether others may be decided on its doing.
    is_ahead: bool,
    /// What it writes, but for what agents hold.
    written: Vec<StreamId>,
}

/// A batch that is being committed.
pub(crate) type AtWork = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The commits of a tenant that wait for their turn.
#[derive(Default)]
pub(crate) struct Turns {
    state: Mutex<State>,
    at_work: Mutex<Option<AtWork>>,
    /// Somebody would have gone on with it while another one did.
    was_missed: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    last: Turn,
    /// Those who wait, whether their end is there or not.
    pub(super) n_callers: usize,
    pub(super) is_at_work: bool,
    pub(super) waiting: VecDeque<Entry>,
    /// Written by those that wait or are at work.
    pub(super) written: BTreeSet<StreamId>,
    pub(super) wakers: BTreeMap<Turn, Waker>,
    /// Ends that nobody fetched yet.
    pub(super) ended: BTreeMap<Turn, End>,
    /// At work, while their callers have gone.
    pub(super) abandoned: BTreeSet<Turn>,
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").field("state", &self.state).finish_non_exhaustive()
    }
}

/// What is at work may go on: all who wait are looked at.
impl Wake for Turns {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

impl Turns {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_all(&self) {
        let wakers: Vec<Waker> = self.state().wakers.values().cloned().collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// What is at work, unless somebody else is at it right now.
    pub(super) fn try_at_work(&self) -> Option<MutexGuard<'_, Option<AtWork>>> {
        match self.at_work.try_lock() {
            Ok(at_work) => Some(at_work),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Goes on with what is at work, or begins something; ready when a batch came to its end.
    fn go_on(self: &Arc<Self>, begin: impl FnOnce() -> Option<AtWork>) -> Poll<()> {
        let free = self.try_at_work().or_else(|| {
            // Whoever is at it looks once more after this.
            self.was_missed.store(true, Ordering::SeqCst);
            self.try_at_work()
        });
        let Some(mut at_work) = free else { return Poll::Pending };
        // Out of its place: should it panic, it is gone, and everybody is told.
        let Some(mut work) = at_work.take().or_else(begin) else {
            drop(at_work);
            self.tell_missed();
            return Poll::Pending;
        };
        let waker = Waker::from(self.clone());
        let poll = work.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_pending() {
            *at_work = Some(work);
        }
        drop(at_work);
        self.tell_missed();
        if poll.is_ready() {
            self.wake_all();
        }
        poll
    }

    /// Drops what is at work where nobody is left to go on with it: the last callers of it have gone
    /// away.
    fn break_off(&self) {
        // Whoever is at it goes on with it.
        let Some(mut at_work) = self.try_at_work() else { return };
        if self.state().n_callers == 0 {
            // Before anybody may begin: what was decided on it goes with it.
            *at_work = None;
        }
        drop(at_work);
        self.tell_missed();
    }

    /// Whoever let go of what is at work has those look again who could not.
    fn tell_missed(&self) {
        if self.was_missed.swap(false, Ordering::SeqCst) {
            self.wake_all();
        }
    }
}

impl State {
    /// Whether what took this turn is known not to be done; its end must not be fetched yet.
    fn has_fallen(&self, turn: Turn) -> bool {
        self.ended.get(&turn).is_some_and(|end| match end {
            Ok(committed) => committed.as_ref().is_some_and(|it| it.replayed.is_some()),
            Err(_) => true,
        })
    }

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
    fn end_those_after(&mut self, turn: Turn, error: &impl Fn() -> StoreError) -> Vec<Waker> {
        let is_after = |entry: &Entry| entry.after.is_some_and(|after| after >= turn);
        let waiting = std::mem::take(&mut self.waiting);
        let (fallen, waiting) = waiting.into_iter().partition::<VecDeque<Entry>, _>(is_after);
        self.waiting = waiting;
        fallen.iter().filter_map(|entry| self.end(entry, Err(error()))).collect()
    }
}

impl Tenant {
    /// Decides on what is committed and what others are about to do.
    pub(crate) fn look<T>(&self, decide: impl FnOnce(&Snapshot) -> T) -> (T, Seen) {
        let held = self.held();
        (decide(&held.snapshot), held.seen())
    }

    /// Takes a turn: decides, with what was seen before if nothing changed since, and has the
    /// next ones decide on it. What is `behind` another one's turn stands or falls with that, too.
    /// `None` where the work would lose against that of somebody before it for certain, or who it
    /// is behind has: it is to be decided again after them.
    pub(crate) fn take_turn<T>(
        self: &Arc<Self>,
        seen: Seen,
        behind: Option<Turn>,
        decide: impl FnOnce(Option<&Snapshot>) -> (T, Work),
    ) -> (Option<T>, InTurn<'_>) {
        let mut held = self.held_mut();
        let is_as_seen = held.seen().n_changes == seen.n_changes;
        let (decided, work) = decide((!is_as_seen).then_some(&held.snapshot));
        let mut state = self.turns.state();
        let change_set = work.change_set.as_ref();
        let written: Vec<StreamId> = change_set.map(written).unwrap_or_default();
        let is_doomed = behind.is_some_and(|turn| state.has_fallen(turn))
            || written.iter().any(|stream| state.written.contains(stream));
        let (decided, work, written) = match is_doomed {
            true => (None, Work::default(), Vec::new()),
            false => (Some(decided), work, written),
        };
        state.last += 1;
        state.n_callers += 1;
        let turn = state.last;
        // What is ahead may have been taken back meanwhile, and not all that it was.
        let after = held.seen().ahead.max(behind);
        let is_ahead =
            work.change_set.as_ref().is_some_and(|it| held.put_ahead(turn, it, work.leads));
        state.written.extend(&written);
        let commit_id = work.change_set.as_ref().map(|change_set| change_set.commit_id);
        state.waiting.push_back(Entry { turn, commit_id, work, after, is_ahead, written });
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
    tenant: &'a Arc<Tenant>,
    turn: Turn,
    has_waited: bool,
    is_over: bool,
}

impl InTurn<'_> {
    pub(crate) fn turn(&self) -> Turn {
        self.turn
    }

    /// Waits for the end; `commit` is what is done with a batch.
    pub(crate) async fn end(mut self, commit: &(impl Fn(Leading) -> AtWork + Sync)) -> End {
        poll_fn(|context| self.poll_end(context, commit)).await
    }

    fn poll_end(
        &mut self,
        context: &Context<'_>,
        commit: &impl Fn(Leading) -> AtWork,
    ) -> Poll<End> {
        let turns = &self.tenant.turns;
        loop {
            let mut state = turns.state();
            if let Some(end) = state.ended.remove(&self.turn) {
                self.is_over = true;
                state.n_callers -= 1;
                let is_last = state.n_callers == 0;
                drop(state);
                if is_last {
                    turns.break_off();
                }
                return Poll::Ready(end);
            }
            let is_at_work = state.is_at_work;
            let before = state.wakers.insert(self.turn, context.waker().clone());
            // Not under the lock: the last waker of a task may take the task with it.
            drop(state);
            drop(before);
            let has_waited = std::mem::replace(&mut self.has_waited, true);
            if !has_waited && !is_at_work {
                // Others of the same thread may come first, and join in.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if turns.go_on(|| Leading::begin(self.tenant).map(commit)).is_pending() {
                return Poll::Pending;
            }
        }
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
                    let ahead = entry.filter(|entry| entry.is_ahead);
                    if let Some(Entry { turn, commit_id: Some(commit_id), .. }) = ahead {
                        held.fall_back();
                        woken = state.end_those_after(turn, &not_after(commit_id));
                    }
                }
                // At work: nobody asks for its end.
                None => _ = state.abandoned.insert(self.turn),
            }
        }
        state.n_callers -= 1;
        let is_last = state.n_callers == 0;
        drop((state, held));
        drop(waker);
        woken.into_iter().for_each(Waker::wake);
        if is_last {
            tenant.turns.break_off();
        }
    }
}

/// A batch on its way. However that ends, nobody waits for it in vain.
#[derive(Debug)]
pub(crate) struct Leading {
    tenant: Arc<Tenant>,
    at_work: Vec<Entry>,
    is_over: bool,
}

impl Leading {
    /// Takes what waits, for one call of the store.
    fn begin(tenant: &Arc<Tenant>) -> Option<Self> {
        let mut state = tenant.turns.state();
        let n = state.waiting.len().min(BATCH_MAX);
        if n == 0 {
            return None;
        }
        state.is_at_work = true;
        let at_work = state.waiting.drain(..n).collect();
        Some(Self { tenant: tenant.clone(), at_work, is_over: false })
    }

    pub(crate) fn tenant(&self) -> &Arc<Tenant> {
        &self.tenant
    }

    /// The change sets, in their order.
    pub(crate) fn take(&mut self) -> Vec<ChangeSet> {
        let mut ids: BTreeMap<Turn, CommandId> = BTreeMap::new();
        let mut change_sets = Vec::with_capacity(self.at_work.len());
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
        // The first whose doing others were decided on, and which was not done: what becomes of them.
        let mut broken: Option<(Turn, Fallen)> = None;
        let mut last = 0;
        for mut entry in std::mem::take(&mut self.at_work) {
            last = entry.turn;
            let result = match entry.commit_id {
                Some(_) => results.next().unwrap_or_else(|| Err(left())).map(Some),
                None => Ok(None),
            };
            let end = match (result, &broken) {
                (Ok(None) | Err(StoreError::NotAfter { .. }), Some((turn, fallen)))
                    if entry.after >= Some(*turn) =>
                {
                    Err(fallen.error())
                }
                (result, _) => result,
            };
            match &end {
                Ok(None) => {}
                Ok(Some(committed)) if committed.replayed.is_none() => {
                    let kept = std::mem::take(&mut entry.work.kept);
                    held.take_commit(self.tenant.id, kept, committed);
                }
                end if entry.is_ahead && broken.is_none() => {
                    let fallen = |commit_id| Fallen::of(commit_id, end.as_ref().err());
                    broken = entry.commit_id.map(|commit_id| (entry.turn, fallen(commit_id)));
                }
                _ => {}
            }
            woken.extend(state.end(&entry, end));
        }
        match broken {
            Some((turn, fallen)) => {
                held.fall_back();
                woken.extend(state.end_those_after(turn, &|| fallen.error()));
            }
            None => held.has_caught_up(last),
        }
        state.is_at_work = false;
        drop((state, held));
        woken.into_iter().for_each(Waker::wake);
    }
}

/// What becomes of those that were decided on what was not done.
enum Fallen {
    /// They are decided again.
    Again(CommandId),
    /// The store cannot be reached: each would find out by itself, one after the other.
    Down { backend: &'static str, retry_after: Option<Duration>, said: String },
}

impl Fallen {
    fn of(commit_id: CommandId, error: Option<&StoreError>) -> Self {
        match error {
            Some(StoreError::Unavailable { backend, retry_after, source }) => {
                Self::Down { backend, retry_after: *retry_after, said: source.to_string() }
            }
            _ => Self::Again(commit_id),
        }
    }

    fn error(&self) -> StoreError {
        match self {
            Self::Again(commit_id) => not_after(*commit_id)(),
            Self::Down { backend, retry_after, said } => StoreError::Unavailable {
                backend,
                retry_after: *retry_after,
                source: said.clone().into(),
            },
        }
    }
}

fn not_after(commit_id: CommandId) -> impl Fn() -> StoreError {
    move || StoreError::NotAfter { commit_id }
}

impl Drop for Leading {
    fn drop(&mut self) {
        if !self.is_over {
            self.finish(Vec::new());
        }
    }
}

/// Of a commit that was broken off: it panicked, or all who waited for it are gone.
fn left() -> StoreError {
    let source = "the commit was broken off".into();
    StoreError::Ambiguous { backend: "engine", source }
}
