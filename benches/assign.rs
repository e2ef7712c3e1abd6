//! What giving a ticket to an agent costs by the number of agents, in CPU time of the
//! calling thread: one choice with its load, and one ticket solved.
//!
//! `cargo xtask bench assign` runs this. The scan of all agents stands beside the
//! index, up to 10,000 agents, and the bench's own work beside both.

#![allow(missing_docs, clippy::expect_used, reason = "a bench may panic")]

#[path = "fixture/agents.rs"]
mod agents;
#[path = "fixture/clock.rs"]
mod clock;

use agents::{Draw, ask, hold, hold_mail, queue, roster, start, tickets};
use chrono::{DateTime, TimeDelta, Utc};
use clock::{ThreadTime, is_test, measured};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use helpdesk::core::agent::{AgentLoad, Roster};
use helpdesk::core::condition::Calendars;
use helpdesk::core::id::AgentId;
use helpdesk::core::routing::agent_index::{AgentIndex, Found};
use helpdesk::core::routing::queue::Queue;
use helpdesk::core::routing::select::{Ask, choose};
use helpdesk::core::routing::stage::Selector;
use helpdesk::core::ticket::Ticket;
use helpdesk::core::ticket::priority::Channel;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

const N_TICKETS: usize = 500;
const CAPACITY: u32 = 5;
/// Agents up to which the scan is measured too.
const SCAN_MAX: usize = 10_000;

fn sizes() -> &'static [usize] {
    if is_test() { &[10, 100] } else { &[10, 100, 1_000, 10_000, 100_000] }
}

/// A desk at work: half of what its agents can hold is held.
struct Desk {
    /// For the scan; the index is told of loads, and looks at no roster for these tickets.
    roster: Roster,
    loads: HashMap<AgentId, AgentLoad>,
    queue: Queue,
    tickets: Vec<Ticket>,
    calendars: Calendars,
    held: Vec<AgentId>,
    numbers: Draw,
    now: DateTime<Utc>,
    at: usize,
}

impl Desk {
    fn new(n_agents: usize, selector: &str) -> Self {
        let roster = roster(n_agents, CAPACITY);
        let mut desk = Self {
            tickets: tickets(N_TICKETS, &roster),
            loads: roster.agents.iter().map(|(id, entry)| (*id, entry.load.clone())).collect(),
            roster,
            queue: queue(selector),
            calendars: Calendars::default(),
            held: Vec::new(),
            numbers: Draw(5),
            now: start(),
            at: 0,
        };
        let mut index = desk.index();
        while desk.held.len() < n_agents * CAPACITY as usize / 2 {
            desk.give(&mut index);
        }
        desk
    }

    /// Lets the roster have the loads.
    fn level(&mut self) {
        for (id, entry) in &mut self.roster.agents {
            entry.load.clone_from(&self.loads[id]);
        }
    }

    fn index(&self) -> AgentIndex {
        AgentIndex::new(&self.roster, self.queue.selectors())
    }

    fn next(&mut self) -> Ask<'_> {
        self.at = (self.at + 1) % N_TICKETS;
        self.now += TimeDelta::milliseconds(1);
        ask(&self.queue, &self.tickets[self.at], &self.roster, &self.calendars, self.now)
    }

    /// Gives the next ticket to whom the index chooses; false when there is nobody.
    fn give(&mut self, index: &mut AgentIndex) -> bool {
        let Some(agent) = index.choose(&self.next()).chosen else { return false };
        let load = self.loads.get_mut(&agent).expect("an agent");
        hold(load, 1, Some(self.now));
        index.put_load(load);
        self.held.push(agent);
        true
    }

    /// One of the tickets that are held is solved.
    fn solve(&mut self, index: &mut AgentIndex) {
        let agent = self.leave();
        let load = self.loads.get_mut(&agent).expect("an agent");
        hold(load, -1, None);
        index.put_load(load);
    }

    /// The same two where nobody keeps loads but the index.
    fn give_alone(&mut self, index: &mut AgentIndex) -> bool {
        let Some(agent) = index.choose(&self.next()).chosen else { return false };
        let given_at = Some(self.now);
        index.change_load(agent, Channel::Email, |load| hold_mail(load, 1, given_at));
        self.held.push(agent);
        true
    }

    fn solve_alone(&mut self, index: &mut AgentIndex) {
        index.change_load(self.leave(), Channel::Email, |load| hold_mail(load, -1, None));
    }

    /// What the two cost beside the index: drawing a ticket, keeping who holds one.
    fn draw(&mut self) {
        black_box(self.next());
        let agent = self.leave();
        self.held.push(black_box(agent));
    }

    /// The same two by the scan.
    fn scan(&mut self) {
        let Some(agent) = choose(&self.next()).chosen else { return };
        let entry = self.roster.agents.get_mut(&agent).expect("an agent");
        hold(&mut entry.load, 1, Some(self.now));
        self.held.push(agent);
        let agent = self.leave();
        let entry = self.roster.agents.get_mut(&agent).expect("an agent");
        hold(&mut entry.load, -1, None);
    }

    fn leave(&mut self) -> AgentId {
        let solved = self.numbers.below(self.held.len() as u64) as usize;
        self.held.swap_remove(solved)
    }
}

fn bench_selector(c: &mut Criterion<ThreadTime>, selector: &str, sizes: &[usize]) {
    let mut group = c.benchmark_group(format!("assign_{selector}"));
    for n_agents in sizes {
        let mut desk = Desk::new(*n_agents, selector);
        desk.level();
        let mut index = desk.index();
        for ticket in &desk.tickets[..20] {
            let ask = ask(&desk.queue, ticket, &desk.roster, &desk.calendars, desk.now);
            assert_eq!(index.choose(&ask), Found::from(&choose(&ask)), "the index is right");
        }
        group.bench_function(BenchmarkId::new("index", n_agents), |b| {
            b.iter(|| {
                if desk.give(&mut index) {
                    desk.solve(&mut index);
                }
            });
        });
        let (mut alone, held) = (index.clone(), desk.held.clone());
        group.bench_function(BenchmarkId::new("alone", n_agents), |b| {
            b.iter(|| {
                if desk.give_alone(&mut alone) {
                    desk.solve_alone(&mut alone);
                }
            });
        });
        desk.held = held;
        group.bench_function(BenchmarkId::new("floor", n_agents), |b| b.iter(|| desk.draw()));
        let at = desk.at;
        group.bench_function(BenchmarkId::new("choose", n_agents), |b| {
            let mut at = at;
            b.iter(|| {
                at = (at + 1) % N_TICKETS;
                let ticket = &desk.tickets[at];
                index.choose(&ask(&desk.queue, ticket, &desk.roster, &desk.calendars, desk.now))
            });
        });
        if *n_agents <= SCAN_MAX {
            desk.level();
            group.bench_function(BenchmarkId::new("scan", n_agents), |b| b.iter(|| desk.scan()));
        }
    }
    group.finish();
}

fn bench_assign(c: &mut Criterion<ThreadTime>) {
    bench_selector(c, "longest_idle", sizes());
    for selector in &Selector::ALL[1..] {
        bench_selector(c, selector.as_str(), if is_test() { &[100] } else { &[10_000] });
    }
}

criterion_group! {
    name = benches;
    config = measured(20, Duration::from_millis(500), Duration::from_secs(2));
    targets = bench_assign
}
criterion_main!(benches);
