//! Threads run in orders that a seed chooses: at each lock, each wait and each wake another one may
//! go on. Here they meet in the queue of those who commit to SQLite, in [`crowd`] where one engine
//! gives tickets at once.
//!
//! `queue.rs` of the store is compiled here once more, upon shuttle's locks instead of those of
//! the standard library. Source: spec/storage.md, "Reliability suite", 8.

use crate::part::Setting;
use queue::{Batch, Queue};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::RandomScheduler;
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use shuttle::{Config, Runner, thread};
use std::future::Future;
use std::task::{Context, Waker};

mod crowd;
#[path = "../../helpdesk-storage/src/sqlite/queue.rs"]
#[allow(dead_code, reason = "the store uses more of it")]
mod queue;

/// What the queue is made of here.
mod sync {
    pub(super) use shuttle::sync::{Mutex, MutexGuard};
    use std::sync::LockResult;
    pub(super) use std::sync::PoisonError;
    use std::time::Duration;

    /// Waits until somebody wakes it, or until a [`clock`](super::clock) does: that is a time that
    /// is up.
    #[derive(Debug, Default)]
    pub(super) struct Condvar(shuttle::sync::Condvar);

    impl Condvar {
        pub(super) fn new() -> Self {
            Self::default()
        }

        pub(super) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(super) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(super) fn wait_timeout_while<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
            _: Duration,
            mut condition: impl FnMut(&mut T) -> bool,
        ) -> LockResult<(MutexGuard<'a, T>, bool)> {
            if !condition(&mut guard) {
                return Ok((guard, false));
            }
            let waited = self.0.wait(guard);
            waited
                .map(|guard| (guard, true))
                .map_err(|poison| PoisonError::new((poison.into_inner(), true)))
        }
    }
}

/// Orders that are tried for a seed.
const ORDERS: usize = 40;
/// Callers, and jobs of each.
const CALLERS: u64 = 4;
const JOBS: u64 = 4;

/// What all threads share.
struct Shared {
    queue: Queue<u64, u64>,
    is_led: AtomicBool,
    n_done: AtomicU64,
    n_callers: AtomicU64,
}

/// Tries orders of threads; how many jobs were done and tickets given in all of them.
pub(crate) fn run(seed: u64, _: &Setting) -> u64 {
    try_orders(seed, scenario) + try_orders(seed, crowd::scenario)
}

fn try_orders(seed: u64, scenario: fn() -> u64) -> u64 {
    let n_done = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let scheduler = RandomScheduler::new_from_seed(seed, ORDERS);
    let total = n_done.clone();
    Runner::new(scheduler, Config::new()).run(move || {
        total.fetch_add(scenario(), Ordering::Relaxed);
    });
    n_done.load(Ordering::Relaxed)
}

/// Some callers commit again and again, and now and then give one up.
fn scenario() -> u64 {
    let shared = Arc::new(Shared {
        queue: Queue::default(),
        is_led: AtomicBool::new(false),
        n_done: AtomicU64::new(0),
        n_callers: AtomicU64::new(CALLERS),
    });
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let shared = shared.clone();
            thread::spawn(move || call(&shared, caller))
        })
        .collect();
    let clock = {
        let shared = shared.clone();
        thread::spawn(move || clock(&shared))
    };
    let n_served: u64 = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
    clock.join().unwrap();
    let n_done = shared.n_done.load(Ordering::SeqCst);
    assert!(n_done >= n_served && n_done <= CALLERS * JOBS, "{n_served} served, {n_done} done");
    let state = shared.queue.state();
    assert!(!state.is_led && !state.is_idle, "somebody leads still");
    assert!(state.waiting.is_empty() && state.wakers.is_empty(), "somebody waits still: {state:?}");
    assert!(state.done.is_empty() && state.abandoned.is_empty(), "results are left");
    n_done
}

/// Lets the time be up of whoever waits for some of it, until all callers are gone.
fn clock(shared: &Shared) {
    while shared.n_callers.load(Ordering::SeqCst) > 0 {
        shared.queue.has_come.notify_all();
        thread::yield_now();
    }
}

/// Has jobs done, one after the other; how many were.
fn call(shared: &Shared, caller: u64) -> u64 {
    let mut n_served = 0;
    for n in 0..JOBS {
        let job = caller * JOBS + n;
        let work = |coming: Batch<'_, u64, u64>| {
            assert!(!shared.is_led.swap(true, Ordering::SeqCst), "one leads at a time");
            let jobs: Vec<u64> = coming.collect();
            shared.is_led.store(false, Ordering::SeqCst);
            shared.n_done.fetch_add(jobs.len() as u64, Ordering::SeqCst);
            jobs.into_iter().map(|job| job + 1_000).collect()
        };
        if thread_rng().gen_bool(0.2) {
            // Gives up after one look.
            let mut future = Box::pin(shared.queue.submit(job, work));
            let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            continue;
        }
        let result = block_on(shared.queue.submit(job, work));
        assert_eq!(result, Some(job + 1_000), "the result of another job");
        n_served += 1;
    }
    shared.n_callers.fetch_sub(1, Ordering::SeqCst);
    n_served
}
