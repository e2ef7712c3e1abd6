//! What it costs to give a waiting ticket to an agent who has room, by the number of
//! tickets that wait, in CPU time of the calling thread.
//!
//! `cargo xtask bench drain` runs this: 1,000 agents with 50 skills, of which each ticket
//! asks for one or two. `next` finds the ticket, `given` takes it out too, `put` takes
//! one in. The scan of all tickets stands beside the index.

#![allow(missing_docs, clippy::expect_used, reason = "a bench may panic")]

#[path = "fixture/agents.rs"]
#[allow(dead_code, reason = "what one bench needs, the other may not")]
mod agents;
#[path = "fixture/clock.rs"]
mod clock;

use agents::{Draw, queue, roster, start, tickets};
use chrono::{DateTime, TimeDelta, Utc};
use clock::{ThreadTime, cpu_time, is_test, measured};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use helpdesk::core::agent::Roster;
use helpdesk::core::condition::Calendars;
use helpdesk::core::id::{AgentId, TicketId};
use helpdesk::core::routing::batch::assign_all;
use helpdesk::core::routing::next::{ForAgent, ToSolve, next_for, next_ticket};
use helpdesk::core::routing::waiting_index::{Waiting, WaitingIndex};
use helpdesk::core::ticket::Ticket;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const N_AGENTS: usize = 1_000;
const CAPACITY: u32 = 5;
/// Tickets up to which the scan is measured too.
const SCAN_MAX: usize = 10_000;

fn sizes() -> &'static [usize] {
    if is_test() { &[10, 100] } else { &[1_000, 10_000, 100_000] }
}

/// Agents with room, and tickets that wait for them.
struct Desk {
    roster: Roster,
    agents: Vec<AgentId>,
    waiting: Vec<Waiting>,
    index: WaitingIndex,
    calendars: Calendars,
    draw: Draw,
    n_tickets: u128,
}

impl Desk {
    fn new(n_tickets: usize) -> Self {
        let roster = roster(if is_test() { 20 } else { N_AGENTS }, CAPACITY);
        let queue = Arc::new(queue("longest_idle"));
        let wait = |ticket: Ticket| Waiting {
            ticket: Arc::new(ticket),
            queue: queue.clone(),
            offered_to: None,
            affinity: Vec::new(),
            due_at: None,
        };
        let waiting: Vec<Waiting> = tickets(n_tickets, &roster).into_iter().map(wait).collect();
        let mut index = WaitingIndex::default();
        waiting.iter().for_each(|it| index.put(it.clone()));
        Self {
            agents: roster.agents.keys().copied().collect(),
            roster,
            waiting,
            index,
            calendars: Calendars::default(),
            draw: Draw(3),
            n_tickets: n_tickets as u128,
        }
    }

    /// One of the agents, who has room.
    fn freed(&mut self) -> AgentId {
        self.agents[self.draw.below(self.agents.len() as u64) as usize]
    }

    fn for_agent(&self, agent: AgentId) -> ForAgent<'_> {
        let now = self.now();
        ForAgent { agent, roster: &self.roster, calendars: &self.calendars, now }
    }

    fn now(&self) -> DateTime<Utc> {
        start() + TimeDelta::hours(1)
    }

    /// Gives the next ticket to an agent.
    fn drain(&mut self) -> Option<Arc<Waiting>> {
        let agent = self.freed();
        let ticket = self.index.next_ticket(&self.for_agent(agent)).map(|it| it.id)?;
        self.index.remove(ticket)
    }

    /// A ticket that comes in as this one did.
    fn like(&mut self, given: &Waiting) -> Waiting {
        let mut next = Ticket::clone(&given.ticket);
        self.n_tickets += 1;
        next.id = TicketId(Uuid::from_u128(self.n_tickets));
        next.entered_queue_at = next.entered_queue_at.map(|at| at + TimeDelta::seconds(1));
        Waiting { ticket: Arc::new(next), ..given.clone() }
    }

    /// What giving so many tickets costs, and what taking as many in does; a hundred
    /// leave at a time, and then as many come in.
    fn cost(&mut self, n: u64) -> [Duration; 2] {
        let mut costs = [Duration::ZERO; 2];
        let mut n_left = n;
        while n_left > 0 {
            let n_now = n_left.min(100).min(self.index.len() as u64);
            n_left -= n_now;
            let start = cpu_time();
            let given: Vec<Arc<Waiting>> = (0..n_now).filter_map(|_| self.drain()).collect();
            costs[0] += cpu_time() - start;
            let next: Vec<Waiting> = given.iter().map(|it| self.like(it)).collect();
            let start = cpu_time();
            next.into_iter().for_each(|it| self.index.put(it));
            costs[1] += cpu_time() - start;
        }
        costs
    }
}

fn bench_drain(c: &mut Criterion<ThreadTime>) {
    let options = ToSolve::default();
    for n_tickets in sizes() {
        let mut desk = Desk::new(*n_tickets);
        let upcoming = || desk.waiting.iter().map(Waiting::upcoming);
        for agent in desk.agents.iter().take(20) {
            let it = desk.for_agent(*agent);
            let scanned = next_ticket(upcoming(), &it).map(|it| it.id);
            assert_eq!(desk.index.next_ticket(&it).map(|it| it.id), scanned, "the index is right");
            let scanned = next_for(upcoming(), &it, &options).map(|it| it.id);
            let found = desk.index.next_to_solve(&it, |_| true).map(|it| it.id);
            assert_eq!(found, scanned, "the index is right");
        }
        let mut group = c.benchmark_group("drain");
        let id = |name| BenchmarkId::new(name, n_tickets);
        group.bench_function(id("given"), |b| b.iter_custom(|n| desk.cost(n)[0]));
        group.bench_function(id("put"), |b| b.iter_custom(|n| desk.cost(n)[1]));
        group.bench_function(id("next"), |b| {
            b.iter(|| {
                let agent = desk.freed();
                desk.index.next_ticket(&desk.for_agent(agent)).map(|it| it.id)
            });
        });
        group.bench_function(id("to_solve"), |b| {
            b.iter(|| {
                let agent = desk.freed();
                desk.index.next_to_solve(&desk.for_agent(agent), |_| true).map(|it| it.id)
            });
        });
        if *n_tickets <= SCAN_MAX {
            group.bench_function(id("scan"), |b| {
                b.iter(|| {
                    let agent = desk.freed();
                    let waiting = desk.waiting.iter().map(Waiting::upcoming);
                    next_ticket(waiting, &desk.for_agent(agent)).map(|it| it.id)
                });
            });
        }
        group.bench_function(id("batch"), |b| {
            b.iter_batched(
                || desk.roster.clone(),
                |mut roster| {
                    let waiting = desk.waiting.iter().map(Waiting::upcoming);
                    assign_all(waiting, &mut roster, &desk.calendars, desk.now(), 7).len()
                },
                BatchSize::LargeInput,
            );
        });
    }
}

criterion_group! {
    name = benches;
    config = measured(20, Duration::from_millis(500), Duration::from_secs(2));
    targets = bench_drain
}
criterion_main!(benches);
