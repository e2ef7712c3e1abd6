//! Who commits: the first caller leads, those who come meanwhile follow, and the leader
//! commits for them, many in one transaction and with one wait for the disk.
//!
//! No thread and no runtime of its own: a caller that finds nobody leading works on its own
//! thread, once the other tasks of that thread had a chance to come in; a follower is woken by
//! its waker. Nobody is ever *chosen* to lead, as
//! whoever is chosen may never be polled again: a leader that retires wakes all who wait,
//! and the first of them to be polled, or the next caller, leads. So a future that is
//! dropped, or left alone, holds up nobody but itself.
//!
//! Callers who commit again and again come back just after they were served. A leader who took
//! only those who are there would find the first of them, and the others would wait for two
//! waits for the disk: so it gives them a moment, a part of what they were served in. It does
//! not wait idly: it works on each job as it comes, while those to come still prepare theirs.

use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Jobs of one batch.
pub(super) const BATCH_MAX: usize = 256;
/// The part of what a batch took for which the next one waits, at most, that those of the
/// last come back. It is used up in vain only when fewer come than did, and as it is part of
/// what that one takes, it is never more than a quarter of the work.
const PATIENCE_PART: u32 = 5;
/// And no longer than that, however long the disk took once.
const PATIENCE_MAX: Duration = Duration::from_millis(2);

/// Jobs that wait, and who waits for them.
#[derive(Debug)]
pub(super) struct Queue<J, R> {
    state: Mutex<State<J, R>>,
    /// A job came while the leader had none.
    pub(super) has_come: Condvar,
}

/// Which job.
type Number = u64;

#[derive(Debug)]
pub(super) struct State<J, R> {
    pub(super) is_led: bool,
    /// The leader waits for a job.
    pub(super) is_idle: bool,
    pub(super) next: Number,
    pub(super) waiting: VecDeque<(Number, J)>,
    pub(super) wakers: HashMap<Number, Waker>,
    /// Results that nobody fetched yet; `None` where the leader panicked.
    pub(super) done: HashMap<Number, Option<R>>,
    /// Jobs at work whose caller has gone.
    pub(super) abandoned: HashSet<Number>,
    /// How many will wait once those of the last batch are back, and until when they may be.
    pub(super) n_awaited: usize,
    pub(super) awaited_until: Option<Instant>,
}

impl<J, R> Default for Queue<J, R> {
    fn default() -> Self {
        let state = State {
            is_led: false,
            is_idle: false,
            next: 0,
            waiting: VecDeque::new(),
            wakers: HashMap::new(),
            done: HashMap::new(),
            abandoned: HashSet::new(),
            n_awaited: 0,
            awaited_until: None,
        };
        Self { state: Mutex::new(state), has_come: Condvar::new() }
    }
}

impl<J, R> Queue<J, R> {
    /// Has a job done by `work`, alone or with others: it takes jobs, one after the other,
    /// and gives a result for each that it took. `None` when whoever did it panicked.
    ///
    /// Dropped before it was polled, or while the job waits, the job is not done; dropped
    /// while another has it at work, it is done.
    pub(super) fn submit<W>(&self, job: J, work: W) -> Submitted<'_, J, R, W>
    where
        W: Fn(Batch<'_, J, R>) -> Vec<R>,
    {
        Submitted { queue: self, work, stage: Stage::New(Some(job)) }
    }

    /// Nothing in here panics while it is held.
    pub(super) fn state(&self) -> MutexGuard<'_, State<J, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what waits, as the leader, until job `own` is done. A caller kept for longer would
    /// be missing in the batches after that.
    fn lead(&self, own: Number, work: &impl Fn(Batch<'_, J, R>) -> Vec<R>) -> Option<R> {
        let mut leading = Leading { queue: self, at_work: Vec::new(), is_over: false };
        let mut result = None;
        let mut is_own_done = false;
        while !leading.is_over {
            let start = Instant::now();
            let results = work(Batch { queue: self, taken: &mut leading.at_work });
            let patience = (start.elapsed() / PATIENCE_PART).min(PATIENCE_MAX);
            let numbers = std::mem::take(&mut leading.at_work);
            debug_assert_eq!(numbers.len(), results.len(), "a result for each job");
            let mut results = results.into_iter();
            let mut state = self.state();
            state.n_awaited = state.waiting.len() + numbers.len();
            state.awaited_until = Instant::now().checked_add(patience);
            let mut woken = Vec::with_capacity(numbers.len());
            for number in numbers {
                let found = results.next();
                if number == own {
                    is_own_done = true;
                    result = found;
                } else {
                    woken.extend(state.finish(number, found));
                }
            }
            // Before anybody is woken: the first who comes back leads, and need not be woken twice.
            if is_own_done || state.waiting.is_empty() {
                state.is_led = false;
                leading.is_over = true;
            }
            drop(state);
            woken.into_iter().for_each(Waker::wake);
        }
        drop(leading);
        result
    }

    /// Wakes all who wait, where nobody leads.
    fn wake_waiting(&self) {
        let woken: Vec<Waker> = {
            let mut state = self.state();
            if state.is_led {
                return;
            }
            let numbers: Vec<Number> = state.waiting.iter().map(|(number, _)| *number).collect();
            numbers.iter().filter_map(|number| state.wakers.remove(number)).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

/// The jobs of one batch, as they come: those that wait, and those of the last batch's callers
/// who come back in time.
pub(super) struct Batch<'a, J, R> {
    queue: &'a Queue<J, R>,
    taken: &'a mut Vec<Number>,
}

impl<J, R> Iterator for Batch<'_, J, R> {
    type Item = J;

    fn next(&mut self) -> Option<J> {
        if self.taken.len() == BATCH_MAX {
            return None;
        }
        let mut state = self.queue.state();
        if state.waiting.is_empty() && self.taken.len() < state.n_awaited {
            state = self.idle(state);
        }
        let (number, job) = state.waiting.pop_front()?;
        self.taken.push(number);
        Some(job)
    }
}

impl<'a, J, R> Batch<'a, J, R> {
    /// Gives those who were served last a moment to come back, where there were any.
    fn idle(&self, mut state: MutexGuard<'a, State<J, R>>) -> MutexGuard<'a, State<J, R>> {
        let Some(until) = state.awaited_until else { return state };
        let patience = until.saturating_duration_since(Instant::now());
        state.is_idle = true;
        let lack = |state: &mut State<J, R>| state.waiting.is_empty();
        let waited = self.queue.has_come.wait_timeout_while(state, patience, lack);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.is_idle = false;
        state
    }
}

impl<J, R> State<J, R> {
    /// Keeps a result for its caller, unless they have gone; whom to wake.
    fn finish(&mut self, number: Number, result: Option<R>) -> Option<Waker> {
        if !self.abandoned.remove(&number) {
            self.done.insert(number, result);
        }
        self.wakers.remove(&number)
    }

    fn push(&mut self, job: J) -> Number {
        self.next += 1;
        self.waiting.push_back((self.next, job));
        self.next
    }
}

/// A leader at work. Whatever ends it, nobody waits for it in vain.
struct Leading<'a, J, R> {
    queue: &'a Queue<J, R>,
    at_work: Vec<Number>,
    is_over: bool,
}

impl<J, R> Drop for Leading<'_, J, R> {
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.queue.state();
            state.is_led = false;
            let numbers = std::mem::take(&mut self.at_work);
            let woken: Vec<Waker> =
                numbers.into_iter().filter_map(|number| state.finish(number, None)).collect();
            drop(state);
            woken.into_iter().for_each(Waker::wake);
        }
        self.queue.wake_waiting();
    }
}

#[derive(Debug)]
enum Stage<J> {
    /// Not polled yet.
    New(Option<J>),
    /// In the queue, at work or done.
    Queued(Number),
    /// The result was given.
    Given,
}

/// A job on its way.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is polled"]
pub(super) struct Submitted<'a, J, R, W> {
    queue: &'a Queue<J, R>,
    work: W,
    stage: Stage<J>,
}

// Nothing in it is ever pinned.
impl<J, R, W> Unpin for Submitted<'_, J, R, W> {}

impl<J, R, W> Future for Submitted<'_, J, R, W>
where
    W: Fn(Batch<'_, J, R>) -> Vec<R>,
{
    type Output = Option<R>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let it = self.get_mut();
        let mut state = it.queue.state();
        let number = match &mut it.stage {
            Stage::New(job) => match job.take() {
                Some(job) => {
                    let number = state.push(job);
                    it.stage = Stage::Queued(number);
                    if state.is_idle {
                        it.queue.has_come.notify_one();
                    }
                    let before = state.wakers.insert(number, context.waker().clone());
                    let nobody_leads = !state.is_led;
                    drop(state);
                    drop(before);
                    if nobody_leads {
                        context.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
                None => return Poll::Ready(None),
            },
            Stage::Queued(number) => *number,
            Stage::Given => return Poll::Ready(None),
        };
        if let Some(result) = state.done.remove(&number) {
            it.stage = Stage::Given;
            return Poll::Ready(result);
        }
        let waits = |state: &State<J, R>| state.waiting.iter().any(|(other, _)| *other == number);
        if state.is_led || !waits(&state) {
            let before = state.wakers.insert(number, context.waker().clone());
            // Not under the lock: the last waker of a task may take the task with it.
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        state.is_led = true;
        // It looked without being woken for this: by a wake of an earlier job of its task's.
        let unused = state.wakers.remove(&number);
        drop(state);
        drop(unused);
        let result = it.queue.lead(number, &it.work);
        it.stage = Stage::Given;
        Poll::Ready(result)
    }
}

impl<J, R, W> Drop for Submitted<'_, J, R, W> {
    fn drop(&mut self) {
        let Stage::Queued(number) = self.stage else { return };
        let mut state = self.queue.state();
        let waker = state.wakers.remove(&number);
        let is_done = state.done.remove(&number).is_some();
        let at = state.waiting.iter().position(|(waiting, _)| *waiting == number);
        let job = at.and_then(|at| state.waiting.remove(at));
        if !is_done && job.is_none() {
            // At work: its leader is not to keep the result.
            state.abandoned.insert(number);
        }
        // Not under the lock: the last waker of a task may take the task with it.
        drop(state);
        drop((waker, job));
        // It may have been the only one that was woken and looked.
        self.queue.wake_waiting();
    }
}
