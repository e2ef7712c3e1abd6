use super::queue::{BATCH_MAX, Batch, Queue};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Whether a future was woken since it was polled.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

type Job = Pin<Box<dyn Future<Output = Option<u32>>>>;

/// One caller.
struct Caller {
    future: Option<Job>,
    woken: Arc<Woken>,
    result: Option<Option<u32>>,
}

/// Many callers, moved on step by step by one thread: what others do while one leads is
/// done in the midst of its work.
struct World {
    queue: Queue<u32, u32>,
    callers: RefCell<BTreeMap<u32, Caller>>,
    /// What is still to happen, last first.
    steps: RefCell<Vec<Step>>,
    done: RefCell<Vec<u32>>,
    is_led: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A caller comes, and is polled once.
    Come,
    /// The n-th caller that is left is polled, whether it was woken or not.
    Poll(u32),
    /// The n-th caller that is left goes away.
    Drop(u32),
    /// Whoever is at work takes one more, if there is one.
    Take,
    /// Whoever is at work is done with what was taken.
    Work,
}

impl World {
    fn work(&'static self, mut coming: Batch<'_, u32, u32>) -> Vec<u32> {
        assert!(!self.is_led.swap(true, Ordering::SeqCst), "one leads at a time");
        let mut jobs: Vec<u32> = coming.by_ref().take(1).collect();
        loop {
            let step = self.steps.borrow_mut().pop();
            match step {
                None | Some(Step::Work) => break,
                Some(Step::Take) => jobs.extend(coming.next()),
                Some(step) => self.step(step),
            }
        }
        assert!(jobs.len() <= BATCH_MAX);
        self.done.borrow_mut().extend(&jobs);
        self.is_led.store(false, Ordering::SeqCst);
        jobs.into_iter().map(|job| job + 1_000).collect()
    }

    fn step(&'static self, step: Step) {
        match step {
            Step::Come => {
                let id = self.callers.borrow().len() as u32;
                let future: Job = Box::pin(self.queue.submit(id, |jobs| self.work(jobs)));
                let caller = Caller { future: Some(future), woken: Arc::default(), result: None };
                self.callers.borrow_mut().insert(id, caller);
                self.poll(id);
            }
            Step::Poll(n) => {
                if let Some(id) = self.nth(n) {
                    self.poll(id);
                }
            }
            Step::Drop(n) => {
                if let Some(id) = self.nth(n) {
                    let future = self.callers.borrow_mut().get_mut(&id).unwrap().future.take();
                    drop(future);
                }
            }
            Step::Take | Step::Work => {}
        }
    }

    /// The n-th of those that wait for their result, and are not being polled now.
    fn nth(&self, n: u32) -> Option<u32> {
        let callers = self.callers.borrow();
        let left: Vec<u32> = callers
            .iter()
            .filter(|(_, caller)| caller.future.is_some())
            .map(|(id, _)| *id)
            .collect();
        left.get(n as usize % left.len().max(1)).copied()
    }

    fn poll(&'static self, id: u32) {
        let (mut future, waker) = {
            let mut callers = self.callers.borrow_mut();
            let caller = callers.get_mut(&id).unwrap();
            caller.woken.0.store(false, Ordering::SeqCst);
            let Some(future) = caller.future.take() else { return };
            (future, Waker::from(Arc::clone(&caller.woken)))
        };
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        let mut callers = self.callers.borrow_mut();
        let caller = callers.get_mut(&id).unwrap();
        match polled {
            Poll::Ready(result) => caller.result = Some(result),
            Poll::Pending => caller.future = Some(future),
        }
    }

    /// Polls whoever was woken, as an executor does, until nobody is.
    fn settle(&'static self) {
        loop {
            let woken = self.callers.borrow().iter().find_map(|(id, caller)| {
                let is_woken = caller.woken.0.load(Ordering::SeqCst) && caller.future.is_some();
                is_woken.then_some(*id)
            });
            match woken {
                Some(id) => self.poll(id),
                None => return,
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Come),
        2 => any::<u32>().prop_map(Step::Poll),
        2 => any::<u32>().prop_map(Step::Drop),
        3 => Just(Step::Take),
        2 => Just(Step::Work),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever happens in whatever order: who stays gets a result, of a job done once;
    /// who goes has had theirs done once at most; only who was woken needs to be polled.
    #[test]
    fn nobody_waits_in_vain(steps in prop::collection::vec(step(), 1..60)) {
        // Its callers borrow it, and it has them: it stays.
        let world: &'static World = Box::leak(Box::new(World {
            queue: Queue::default(),
            callers: RefCell::default(),
            steps: RefCell::new(steps),
            done: RefCell::default(),
            is_led: AtomicBool::new(false),
        }));
        loop {
            let step = world.steps.borrow_mut().pop();
            match step {
                Some(step) => world.step(step),
                None => break,
            }
        }
        world.settle();
        let mut done = world.done.borrow().clone();
        done.sort_unstable();
        let n_done = done.len();
        done.dedup();
        prop_assert_eq!(done.len(), n_done, "each job once at most");
        for (id, caller) in &*world.callers.borrow() {
            if caller.future.is_some() {
                prop_assert!(false, "caller {} waits for ever", id);
            }
            if let Some(result) = caller.result {
                prop_assert_eq!(result, Some(id + 1_000));
                prop_assert!(done.binary_search(id).is_ok());
            }
        }
        let state = world.queue.state();
        prop_assert!(!state.is_led && state.waiting.is_empty() && state.wakers.is_empty());
        prop_assert!(state.done.is_empty() && state.abandoned.is_empty());
    }
}

#[test]
fn threads_share_batches_and_lose_nothing() {
    const CALLERS: u32 = 8;
    const JOBS: u32 = 2_000;
    let queue: Queue<u32, u32> = Queue::default();
    let is_led = AtomicBool::new(false);
    let (n_jobs, n_batches) = (AtomicU32::new(0), AtomicUsize::new(0));
    let work = |coming: Batch<'_, u32, u32>| {
        let jobs: Vec<u32> = coming.collect();
        assert!(!is_led.swap(true, Ordering::SeqCst), "one leads at a time");
        n_jobs.fetch_add(jobs.len() as u32, Ordering::SeqCst);
        n_batches.fetch_add(1, Ordering::SeqCst);
        std::thread::yield_now();
        is_led.store(false, Ordering::SeqCst);
        jobs.into_iter().map(|job| job + 1).collect()
    };
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (queue, work) = (&queue, &work);
            scope.spawn(move || {
                for n in 0..JOBS {
                    let job = caller * JOBS + n;
                    if n % 7 == 3 {
                        // A caller that gives up after one look.
                        let mut future = Box::pin(queue.submit(job, work));
                        let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                    } else {
                        assert_eq!(pollster::block_on(queue.submit(job, work)), Some(job + 1));
                    }
                }
            });
        }
    });
    let kept = CALLERS * JOBS * 6 / 7;
    assert!((kept..=CALLERS * JOBS).contains(&n_jobs.load(Ordering::SeqCst)));
    let state = queue.state();
    assert!(state.waiting.is_empty() && state.done.is_empty() && state.abandoned.is_empty());
}

#[test]
fn a_leader_that_panics_takes_nobody_along() {
    let queue: Queue<u32, u32> = Queue::default();
    await_callers(&queue, 2, Duration::from_secs(600));
    let work = |coming: Batch<'_, u32, u32>| {
        let jobs: Vec<u32> = coming.collect();
        if jobs.len() == 2 {
            std::panic::panic_any("the disk is on fire");
        }
        jobs
    };
    let ends: Vec<_> = std::thread::scope(|scope| {
        let submit = |job| {
            let (queue, work) = (&queue, &work);
            let submit = move || pollster::block_on(queue.submit(job, work));
            scope.spawn(move || catch_unwind(AssertUnwindSafe(submit)))
        };
        let callers = [submit(1), submit(2)];
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(ends.iter().filter(|end| end.is_err()).count(), 1, "who led");
    assert_eq!(ends.iter().filter(|end| matches!(end, Ok(None))).count(), 1, "its follower");
    await_callers(&queue, 0, Duration::ZERO);
    assert_eq!(pollster::block_on(queue.submit(3, work)), Some(3));
}

/// As after a batch of so many, who may still come back for so long.
fn await_callers(queue: &Queue<u32, u32>, n: usize, patience: Duration) {
    let mut state = queue.state();
    state.n_awaited = n;
    state.awaited_until = Instant::now().checked_add(patience);
}

/// The batches that two callers are served in, after one of so many.
fn batches(n_awaited: usize, patience: Duration) -> Vec<usize> {
    let queue: Queue<u32, u32> = Queue::default();
    await_callers(&queue, n_awaited, patience);
    let batches = Mutex::new(Vec::new());
    let work = |coming: Batch<'_, u32, u32>| {
        let jobs: Vec<u32> = coming.collect();
        batches.lock().unwrap().push(jobs.len());
        jobs
    };
    std::thread::scope(|scope| {
        for job in 0..2 {
            let (queue, work) = (&queue, &work);
            scope.spawn(move || assert_eq!(pollster::block_on(queue.submit(job, work)), Some(job)));
        }
    });
    batches.into_inner().unwrap()
}

#[test]
fn those_who_were_served_together_are_waited_for() {
    assert_eq!(batches(2, Duration::from_secs(600)), [2]);
}

#[test]
fn nobody_is_waited_for_who_is_late() {
    let batches = batches(3, Duration::ZERO);
    assert_eq!(batches.iter().sum::<usize>(), 2, "{batches:?}");
}

#[test]
fn one_caller_alone_never_waits() {
    let queue: Queue<u32, u32> = Queue::default();
    for job in 0..3 {
        assert_eq!(pollster::block_on(queue.submit(job, |jobs| jobs.collect())), Some(job));
        assert_eq!(queue.state().n_awaited, 1, "who comes is all who are awaited");
    }
}

/// Looks, when its caller is woken, whether somebody leads.
struct Looks {
    queue: &'static Queue<u32, u32>,
    n_led: AtomicUsize,
    n_free: AtomicUsize,
}

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        let counted = if self.queue.state().is_led { &self.n_led } else { &self.n_free };
        counted.fetch_add(1, Ordering::SeqCst);
    }
}

/// Else the first to come back would wait behind a leader who is leaving, and be woken again.
#[test]
fn who_is_served_finds_nobody_leading() {
    let queue: &'static Queue<u32, u32> = Box::leak(Box::default());
    let looks = Arc::new(Looks { queue, n_led: AtomicUsize::new(0), n_free: AtomicUsize::new(0) });
    let waker = Waker::from(Arc::clone(&looks));
    let followers: Mutex<Vec<Job>> = Mutex::default();
    let work = |mut coming: Batch<'_, u32, u32>| {
        let mut jobs: Vec<u32> = coming.by_ref().take(1).collect();
        for job in 1..4 {
            let mut follower: Job = Box::pin(queue.submit(job, |_| Vec::new()));
            assert!(follower.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            followers.lock().unwrap().push(follower);
        }
        jobs.extend(coming);
        jobs
    };
    assert_eq!(pollster::block_on(queue.submit(0, work)), Some(0));
    assert_eq!(looks.n_free.load(Ordering::SeqCst), 3);
    assert_eq!(looks.n_led.load(Ordering::SeqCst), 0);
    for (job, follower) in (1..).zip(followers.into_inner().unwrap()) {
        assert_eq!(pollster::block_on(follower), Some(job));
    }
}
