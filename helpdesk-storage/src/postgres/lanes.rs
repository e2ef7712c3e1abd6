//! Who commits with whom: a caller who finds nobody of its tenant at work is committed at once;
//! those who come meanwhile wait, and are committed in one round, many by one statement.
//!
//! So a wait for the disk serves all who were there when it began: the server waits for
//! one commit after the other, whatever is under way at once. Large rounds are some statements
//! side by side. All of it is done on the store's own runtime, and callers only wait: one that
//! is dropped, or never polled again, holds up nobody.
//!
//! Callers who commit again and again come back just after they were served. A round of
//! only those who are there would find the first of them, and the others would wait for two
//! waits for the disk: so it gives them a moment, a part of what they were served in, unless
//! few came the last time.

use super::batch::{BATCH_MAX, Batch};
use super::commit::{Committer, Ended};
use super::failure::ambiguous;
use crate::{ChangeSet, Committed, Result, Series};
use helpdesk_core::id::TenantId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

/// Statements of a round, at once.
const PARTS_MAX: usize = 4;
/// Callers for whom a statement of their own pays: what it costs itself is little by then.
const PART_MIN: usize = 16;
/// The part of what a round took for which the next one waits, at most, that those it served
/// come back.
const PATIENCE_PART: u32 = 4;
/// And no longer than that, however long the disk took once.
const PATIENCE_MAX: Duration = Duration::from_millis(2);
/// Rounds after which one that waited in vain is followed by one that waits again.
const IMPATIENT_FOR: u32 = 16;

/// The lanes of all tenants.
#[derive(Debug)]
pub(super) struct Lanes {
    committer: Committer,
    lanes: Mutex<HashMap<TenantId, Lane>>,
}

/// The lane of a tenant of whom a round is under way.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Job>,
    /// Callers whom the round serves.
    n_served: usize,
    /// How many will wait once these are back; known when the first of them is told.
    n_awaited: Option<usize>,
    /// The next round waits until so many wait.
    gathering: Option<(usize, Arc<Notify>)>,
    /// Rounds that nobody is waited for after.
    n_impatient: u32,
}

#[derive(Debug)]
struct Job {
    change: ChangeSet,
    end: oneshot::Sender<Result<Committed>>,
}

/// The round of a lane. Whatever ends it, those who wait have the next.
struct Round {
    lanes: Arc<Lanes>,
    tenant: TenantId,
}

impl Lanes {
    pub(super) fn new(committer: Committer) -> Self {
        Self { committer, lanes: Mutex::default() }
    }

    pub(super) fn committer(&self) -> &Committer {
        &self.committer
    }

    /// Commits one change set, alone or by one statement with others. Where its caller stops
    /// waiting before it is at work it is not done.
    pub(super) async fn commit(self: &Arc<Self>, change: ChangeSet) -> Result<Committed> {
        let ends = self.enter(change);
        ends.await.unwrap_or_else(|_| Err(ambiguous("a task of the store's has panicked")))
    }

    fn enter(self: &Arc<Self>, change: ChangeSet) -> oneshot::Receiver<Result<Committed>> {
        let tenant = change.tenant;
        let (end, ends) = oneshot::channel();
        let mut lanes = self.lanes();
        let is_first = !lanes.contains_key(&tenant);
        let lane = lanes.entry(tenant).or_default();
        lane.waiting.push_back(Job { change, end });
        let n_waiting = lane.waiting.len();
        if let Some((_, gathered)) = lane.gathering.take_if(|(n, _)| n_waiting >= *n) {
            gathered.notify_one();
        }
        drop(lanes);
        if is_first {
            Round { lanes: Arc::clone(self), tenant }.begin();
        }
        ends
    }

    /// Nothing in here panics while it is held.
    fn lanes(&self) -> MutexGuard<'_, HashMap<TenantId, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits them, and tells each how it ended.
    async fn serve(self: Arc<Self>, jobs: Vec<Job>) {
        let mut groups = vec![jobs];
        while let Some(mut jobs) = groups.pop() {
            jobs.retain(|job| !job.end.is_closed());
            let batch = Batch::of(jobs.iter().map(|job| &job.change), &Series::default());
            let n = batch.members().len();
            let ended = match n {
                // Refused by its looks.
                0 => Ended::Undone,
                _ => self.committer.commit_batch(&batch).await,
            };
            drop(batch);
            if let Some(job) = jobs.first() {
                self.note_telling(job.change.tenant);
            }
            let later = jobs.split_off(jobs.len().min(n.max(1)));
            if !later.is_empty() {
                groups.push(later);
            }
            match ended {
                Ended::Done(ends) => {
                    jobs.into_iter().zip(ends).for_each(|(job, end)| job.tell(end));
                }
                Ended::Failed(failure) => {
                    jobs.into_iter().for_each(|job| job.tell(failure.told()));
                }
                Ended::Undone if n < 2 => jobs.into_iter().for_each(|job| self.serve_alone(job)),
                Ended::Undone => {
                    groups.push(jobs.split_off(n / 2));
                    groups.push(jobs);
                }
            }
        }
    }

    /// Notes who waits, before those who are told come back.
    fn note_telling(&self, tenant: TenantId) {
        if let Some(lane) = self.lanes().get_mut(&tenant) {
            lane.n_awaited.get_or_insert(lane.waiting.len() + lane.n_served);
        }
    }

    /// Commits one that may have to wait for others, while nobody waits for it.
    fn serve_alone(self: &Arc<Self>, job: Job) {
        let lanes = Arc::clone(self);
        self.committer.connections.spawn(async move {
            let end = lanes.committer.commit_undone(&job.change).await;
            job.tell(end);
        });
    }
}

impl Job {
    /// Tells its caller, unless that has gone.
    fn tell(self, end: Result<Committed>) {
        let _ = self.end.send(end);
    }
}

impl Round {
    fn begin(self) {
        let lanes = Arc::clone(&self.lanes);
        lanes.committer.connections.spawn(self.work());
    }

    /// Serves those who wait, round after round, as long as there are any.
    async fn work(self) {
        while let Some(mut jobs) = self.take() {
            let start = Instant::now();
            let n_served = jobs.len();
            let n_parts = (n_served / PART_MIN).clamp(1, PARTS_MAX);
            let others = jobs.split_off(n_served.div_ceil(n_parts));
            let beside = (!others.is_empty()).then(|| {
                self.lanes.committer.connections.spawn(Arc::clone(&self.lanes).serve(others))
            });
            Arc::clone(&self.lanes).serve(jobs).await;
            if let Some(Some(beside)) = beside {
                // Where it panicked, its callers know.
                let _ = beside.await;
            }
            self.gather((start.elapsed() / PATIENCE_PART).min(PATIENCE_MAX)).await;
        }
    }

    /// Those who wait, as many as fit into a round; `None` where nobody does.
    fn take(&self) -> Option<Vec<Job>> {
        let mut lanes = self.lanes.lanes();
        let lane = lanes.get_mut(&self.tenant)?;
        lane.n_served = lane.waiting.len().min(PARTS_MAX * BATCH_MAX);
        lane.n_awaited = None;
        (lane.n_served > 0).then(|| lane.waiting.drain(..lane.n_served).collect())
    }

    /// Gives those who were just served a moment to come back.
    async fn gather(&self, patience: Duration) {
        let gathered = Arc::new(Notify::new());
        let n_awaited = {
            let mut lanes = self.lanes.lanes();
            let Some(lane) = lanes.get_mut(&self.tenant) else { return };
            let n_awaited = lane.n_awaited.unwrap_or_default();
            // One who is alone finds nobody at work.
            if n_awaited < 2 || lane.waiting.len() >= n_awaited {
                return;
            }
            if lane.n_impatient > 0 {
                lane.n_impatient -= 1;
                return;
            }
            lane.gathering = Some((n_awaited, Arc::clone(&gathered)));
            n_awaited
        };
        let are_back = tokio::time::timeout(patience, gathered.notified()).await.is_ok();
        if !are_back && let Some(lane) = self.lanes.lanes().get_mut(&self.tenant) {
            lane.gathering = None;
            if lane.waiting.len() <= n_awaited / 2 {
                lane.n_impatient = IMPATIENT_FOR;
            }
        }
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        let mut lanes = self.lanes.lanes();
        match lanes.get(&self.tenant) {
            Some(lane) if !lane.waiting.is_empty() => {
                drop(lanes);
                Self { lanes: Arc::clone(&self.lanes), tenant: self.tenant }.begin();
            }
            _ => {
                lanes.remove(&self.tenant);
            }
        }
    }
}
