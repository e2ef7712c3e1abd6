//! Several engines on one store, under a virtual clock and an order of steps that a
//! seed gives: mails come in, agents work, clocks differ, calls fail, leases end, nodes
//! crash in the middle of anything and start again. The same seed is the same run.
//!
//! A crash drops what a node does at one of its awaits, and all it has in memory. The
//! store lives on: it is what a database server is to a node.
//! Source: spec/storage.md, "Reliability suite", 4.

mod executor;

use crate::chaos::{Ends, check_end, is_unknown};
use crate::finish::{LEASES_END, RETRIES_END, engine, finish};
use crate::laws::{reply_of, state};
use crate::office::{Hand, TENANT, open, start};
use crate::part::Setting;
use chrono::{DateTime, TimeDelta, Utc};
use executor::Executor;
use helpdesk::core::actor::Actor;
use helpdesk::notify::{DeliveryError, Recorder};
use helpdesk::{Call, Helpdesk, MemoryStore, block_on};
use helpdesk_storage::Store;
use helpdesk_storage::chaos::{Chaos, Dice, Odds};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

const N_NODES: usize = 3;
const N_STEPS: u64 = 60;
/// Polls between two steps, at most: what does not end by then goes on during the next.
const POLLS_MAX: u64 = 60;
/// Polls in which everything ends.
const POLLS_END: usize = 1_000_000;
/// Times that a node tries a command by itself.
const TRIES_MAX: u32 = 5;
/// Seconds by which a node's clock goes wrong, at most.
const SKEW_MAX: u64 = 20;
/// One seed of so many is run twice, and must be the same.
const TWICE_EVERY: u64 = 16;
const ODDS: Odds = Odds { before_percent: 2, after_percent: 3, wait_percent: 50, twice_percent: 5 };

/// A process with an engine.
struct Node {
    desk: Helpdesk,
    recorder: Recorder,
    skew: TimeDelta,
}

/// Commands whose end is not known, and that no node works at any more.
type Open = Rc<RefCell<Vec<(Actor, Call)>>>;

/// A command that a node works at: open again when that ends without its end, by a
/// crash, too.
struct Given {
    open: Open,
    call: Option<(Actor, Call)>,
}

impl Given {
    /// The end is known.
    fn close(mut self) {
        self.call = None;
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.open.borrow_mut().extend(self.call.take());
    }
}

/// What a run was: what ran in which order, and what it left.
#[derive(Debug, PartialEq)]
struct Run {
    trace: Vec<(u64, usize, bool)>,
    left: Vec<String>,
    n_acked: u64,
}

/// Runs a seed, some of them twice; how many commands were acked.
pub(crate) fn run(seed: u64, _: &Setting) -> u64 {
    let first = simulate(seed);
    if seed.is_multiple_of(TWICE_EVERY) {
        let second = simulate(seed);
        let differs = first.trace.iter().zip(&second.trace).position(|(a, b)| a != b);
        assert_eq!(differs, None, "the same seed took another way at this step");
        assert_eq!(first, second, "the same seed left something else");
    }
    first.n_acked
}

fn simulate(seed: u64) -> Run {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    block_on(open(&engine(store.clone()).0)).unwrap();
    let mut world = World::new(&store, seed);
    for _ in 0..N_STEPS {
        world.step();
    }
    world.end()
}

/// Everything of a run.
struct World<'a> {
    store: &'a Arc<dyn Store>,
    nodes: Vec<Node>,
    executor: Executor<'a>,
    dice: Dice,
    hand: Hand,
    now: DateTime<Utc>,
    open: Open,
    ends: Rc<RefCell<Ends>>,
    delivered: BTreeSet<(helpdesk::core::id::TicketId, u32)>,
}

impl<'a> World<'a> {
    fn new(store: &'a Arc<dyn Store>, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let nodes = (0..N_NODES).map(|_| start_node(store, &mut dice)).collect();
        let executor = Executor::new(Dice::new(dice.roll()));
        Self {
            store,
            nodes,
            executor,
            dice,
            hand: Hand::new(seed),
            now: start(),
            open: Rc::default(),
            ends: Rc::default(),
            delivered: BTreeSet::new(),
        }
    }

    /// Time goes on, something begins on a node, and whatever runs goes on for a while.
    fn step(&mut self) {
        self.now += TimeDelta::seconds(self.dice.below(40) as i64);
        let at = self.dice.below(N_NODES as u64) as usize;
        match self.dice.below(20) {
            0 => self.crash(at),
            1..5 => self.tick(at),
            5..8 => self.deliver(at),
            8 => self.try_again(at),
            _ => {
                let cases = state::cases(&**self.store, TENANT);
                let (actor, call) = self.hand.next(&cases, self.now);
                self.give(at, actor, call);
            }
        }
        let n_polls = self.dice.below(POLLS_MAX) as usize;
        self.executor.run(n_polls);
    }

    /// A node dies and starts again: what it was doing is dropped where it stands.
    fn crash(&mut self, at: usize) {
        self.executor.crash(at);
        self.delivered.extend(self.nodes[at].recorder.delivered().iter().filter_map(reply_of));
        self.nodes[at] = start_node(self.store, &mut self.dice);
    }

    fn tick(&mut self, at: usize) {
        let Node { desk, skew, .. } = &self.nodes[at];
        let (desk, now) = (desk.clone(), self.now + *skew);
        let max = 1 + self.dice.below(20) as usize;
        self.executor.spawn(at, async move { quiet(desk.tick(now, max).await) });
    }

    fn deliver(&mut self, at: usize) {
        let Node { desk, skew, recorder } = &self.nodes[at];
        if self.dice.percent(20) {
            let reason = "the line is down".to_owned();
            recorder.fail_next(2, &DeliveryError::Transient { reason, retry_after: None });
        }
        let (desk, now) = (desk.clone(), self.now + *skew);
        self.executor.spawn(at, async move { quiet(desk.deliver(now, 20).await) });
    }

    /// Whoever gave a command and heard nothing gives it again, to any node.
    fn try_again(&mut self, at: usize) {
        let waiting = self.open.take();
        for (actor, call) in waiting {
            self.give(at, actor, call);
        }
    }

    fn give(&mut self, at: usize, actor: Actor, call: Call) {
        let Node { desk, skew, .. } = &self.nodes[at];
        let (desk, now) = (desk.clone(), self.now + *skew);
        let ends = self.ends.clone();
        let given = Given { open: self.open.clone(), call: Some((actor.clone(), call.clone())) };
        self.executor.spawn(at, async move {
            for _ in 0..TRIES_MAX {
                let result = desk.execute(&actor, call.clone(), now).await;
                if ends.borrow_mut().take(call.command_id, result) {
                    return given.close();
                }
            }
        });
    }

    /// Everything that runs ends, every command is given until its end is known, an
    /// engine without troubles does the rest, and the laws are checked.
    fn end(mut self) -> Run {
        assert!(self.executor.run(POLLS_END) < POLLS_END, "it never ends");
        while !self.open.borrow().is_empty() {
            self.try_again(0);
            assert!(self.executor.run(POLLS_END) < POLLS_END, "it never ends");
        }
        let (end, delivered) = finish(self.store, self.now, &[LEASES_END, RETRIES_END, LEASES_END]);
        self.delivered.extend(delivered);
        for node in &self.nodes {
            self.delivered.extend(node.recorder.delivered().iter().filter_map(reply_of));
        }
        let ends = self.ends.borrow();
        check_end(&**self.store, &ends, end, &self.delivered);
        let n_acked = ends.acked.len() as u64;
        let left = state::dump(&**self.store, TENANT);
        Run { trace: self.executor.into_trace(), left, n_acked }
    }
}

fn start_node(store: &Arc<dyn Store>, dice: &mut Dice) -> Node {
    let chaos = Chaos::new(store.clone(), ODDS, dice.roll()).shared();
    let (desk, recorder) = engine(Arc::new(chaos));
    let skew = TimeDelta::seconds(dice.below(2 * SKEW_MAX) as i64 - SKEW_MAX as i64);
    Node { desk, recorder, skew }
}

/// A tick or a delivery that fails is no matter: the next one goes on.
fn quiet<T>(result: helpdesk::Result<T>) {
    if let Err(error) = result {
        assert!(is_unknown(&error), "{error}: {:?}", error.body());
    }
}
