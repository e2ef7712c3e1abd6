//! Runs futures on this thread, in an order that a seed gives.

use helpdesk_storage::chaos::Dice;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Something that runs on a node.
struct Task<'a> {
    id: u64,
    node: usize,
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    is_ready: Arc<Ready>,
}

/// Whether a task wants to be polled.
#[derive(Debug)]
struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// All tasks, and what was polled in which order.
pub(super) struct Executor<'a> {
    tasks: Vec<Task<'a>>,
    dice: Dice,
    n_tasks: u64,
    trace: Vec<(u64, usize, bool)>,
}

impl<'a> Executor<'a> {
    pub(super) fn new(dice: Dice) -> Self {
        Self { tasks: Vec::new(), dice, n_tasks: 0, trace: Vec::new() }
    }

    /// Starts a task on a node.
    pub(super) fn spawn(&mut self, node: usize, future: impl Future<Output = ()> + 'a) {
        self.n_tasks += 1;
        let is_ready = Arc::new(Ready(AtomicBool::new(true)));
        self.tasks.push(Task { id: self.n_tasks, node, future: Box::pin(future), is_ready });
    }

    /// Drops all that runs on a node, wherever it is.
    pub(super) fn crash(&mut self, node: usize) {
        self.tasks.retain(|task| task.node != node);
    }

    /// Polls one task after the other, at most so many times; how many times it did.
    /// Fewer means that all are done.
    pub(super) fn run(&mut self, n_polls: usize) -> usize {
        for n in 0..n_polls {
            let is_ready = |task: &Task<'_>| task.is_ready.0.load(Ordering::Relaxed);
            let ready: Vec<usize> =
                (0..self.tasks.len()).filter(|at| is_ready(&self.tasks[*at])).collect();
            let Some(at) = self.dice.pick(&ready).copied() else {
                assert!(self.tasks.is_empty(), "{} tasks wait for nothing", self.tasks.len());
                return n;
            };
            self.poll(at);
        }
        n_polls
    }

    fn poll(&mut self, at: usize) {
        let task = &mut self.tasks[at];
        task.is_ready.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(task.is_ready.clone());
        let outcome = task.future.as_mut().poll(&mut Context::from_waker(&waker));
        self.trace.push((task.id, task.node, outcome.is_ready()));
        if outcome == Poll::Ready(()) {
            self.tasks.swap_remove(at);
        }
    }

    /// What was polled in which order: task, node, whether it was done.
    pub(super) fn into_trace(self) -> Vec<(u64, usize, bool)> {
        self.trace
    }
}
