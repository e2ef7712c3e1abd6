//! What a what-if costs, in CPU time of the calling thread: 1,000 recorded tickets
//! replayed twice, and beside it what it cost to record them; counting what rules did.
//!
//! `cargo xtask bench what_if` runs this.

#![allow(missing_docs, clippy::expect_used, reason = "a bench may panic")]

mod fixture;

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fixture::{
    N_AGENTS, TENANT, ThreadTime, cpu_time, document, fill, is_test, measured, now, receive, system,
};
use helpdesk::core::actor::Actor;
use helpdesk::core::command::{Command, OnTicket, Reply};
use helpdesk::core::id::{AgentId, CommandId, TicketId};
use helpdesk::core::query::{Answer, Query};
use helpdesk::core::what_if::WhatIf;
use helpdesk::storage::Store;
use helpdesk::storage::sqlite::Synchronous;
use helpdesk::{Call, Helpdesk, MemoryStore, SqliteOptions, SqliteStore, block_on};
use serde_json::json;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// Milliseconds between two tickets: 1,000 of them come in most of a day.
const APART: u64 = 60_000;
const N_RULES: usize = 100;

fn n_tickets() -> u64 {
    if is_test() { 50 } else { 1_000 }
}

/// A ticket a minute, answered after a quarter of an hour and solved after an hour.
fn record(desk: &Helpdesk, n: u64) -> DateTime<Utc> {
    let mut due: Vec<(DateTime<Utc>, TicketId, bool)> = Vec::new();
    let mut n_commands = 1_000_000;
    let mut do_due = |due: &mut Vec<(DateTime<Utc>, TicketId, bool)>, until: DateTime<Utc>| {
        due.sort_unstable();
        while let Some((at, ticket, solves)) = due.first().copied().filter(|(at, ..)| *at < until) {
            due.remove(0);
            n_commands += 1;
            let agent = AgentId(Uuid::from_u128(1_000 + n_commands % N_AGENTS));
            let (actor, command) = match solves {
                true => (system(), Command::Solve(OnTicket { ticket })),
                false => (Actor::agent(TENANT, agent), reply(ticket)),
            };
            let call = Call::new(CommandId(Uuid::from_u128(n_commands)), command);
            block_on(desk.tick(at, usize::MAX)).expect("ticked");
            // Not every agent may answer every ticket.
            let _ = block_on(desk.execute(&actor, call, at));
        }
    };
    let mut at = now();
    for i in 0..n {
        at = now() + Duration::from_millis(i * APART);
        do_due(&mut due, at);
        block_on(desk.tick(at, usize::MAX)).expect("ticked");
        let ticket = receive(desk, i * APART);
        due.push((at + TimeDelta::minutes(15), ticket, false));
        due.push((at + TimeDelta::minutes(60), ticket, true));
    }
    let end = at + TimeDelta::hours(2);
    do_due(&mut due, end);
    end
}

fn reply(ticket: TicketId) -> Command {
    let reply = json!({"ticket": ticket, "text": "A new desk is on its way."});
    Command::Reply(serde_json::from_value::<Reply>(reply).expect("a reply"))
}

/// A desk whose tickets were recorded, and the end of them.
struct Scene {
    desk: Helpdesk,
    end: DateTime<Utc>,
    _folder: Option<TempDir>,
}

impl Scene {
    fn new(store: Arc<dyn Store>, folder: Option<TempDir>) -> Self {
        let desk = Helpdesk::builder().with_shared_store(store).build().expect("builds");
        fill(&desk, N_RULES);
        let end = record(&desk, n_tickets());
        Self { desk, end, _folder: folder }
    }

    fn what_if(&self) {
        let mut changed = document(N_RULES);
        changed["rules"][N_RULES * 7 / 10]["then"]["queue"] = json!("returns");
        let what_if = WhatIf { document: Some(changed), ..WhatIf::new(now(), self.end) };
        let answer = block_on(self.desk.query(&system(), Query::WhatIf(what_if), self.end));
        let n_replayed = match answer.expect("answered") {
            Answer::WhatIf(answer) => black_box(answer).n_replayed,
            _ => 0,
        };
        assert_eq!(n_replayed, n_tickets());
    }

    fn rule_usage(&self) {
        let query = Query::RuleUsage { from: now(), until: self.end };
        let answer = block_on(self.desk.query(&system(), query, self.end));
        let n_hits: u64 = match answer.expect("answered") {
            Answer::RuleUsage(usage) => usage.rules.iter().map(|rule| rule.n_hits).sum(),
            _ => 0,
        };
        assert_eq!(n_hits, n_tickets());
    }
}

/// CPU time of recording the tickets on a new desk.
fn recording() -> Duration {
    let desk = Helpdesk::builder().with_store(MemoryStore::default()).build().expect("builds");
    fill(&desk, N_RULES);
    let start = cpu_time();
    record(&desk, n_tickets());
    cpu_time() - start
}

fn bench_what_if(c: &mut Criterion<ThreadTime>) {
    let folder = TempDir::new().expect("a folder");
    let options = SqliteOptions::default().with_synchronous(Synchronous::Off);
    let sqlite = SqliteStore::open(folder.path().join("desk.db"), options).expect("opens");
    let scenes = [
        ("memory", Scene::new(Arc::new(MemoryStore::default()), None)),
        ("sqlite", Scene::new(Arc::new(sqlite), Some(folder))),
    ];
    let mut group = c.benchmark_group("what_if");
    // What it cost to record the same tickets, once.
    group.bench_function("floor", |b| b.iter_custom(|n| (0..n).map(|_| recording()).sum()));
    for (name, scene) in &scenes {
        group.bench_function(BenchmarkId::new(*name, n_tickets()), |b| b.iter(|| scene.what_if()));
    }
    group.finish();
    let mut group = c.benchmark_group("rule_usage");
    for (name, scene) in &scenes {
        group.bench_function(BenchmarkId::new(*name, n_tickets()), |b| {
            b.iter(|| scene.rule_usage());
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = measured(10, Duration::from_millis(1), Duration::from_secs(1));
    targets = bench_what_if
}
criterion_main!(benches);
