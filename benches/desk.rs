//! What the engine costs, in CPU time of the calling thread.
//!
//! `cargo xtask bench desk` runs this and prints the ratios to the floor beside it.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may panic and print"
)]

mod fixture;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fixture::floor::{bytes_written, floor, noise, put_blob};
use fixture::{
    N_AGENTS, TENANT, ThreadTime, cpu_time, fill, is_test, measured, message, now, receive, system,
};
use helpdesk::core::agent::{AgentLoad, Presence, Roster, RosterEntry};
use helpdesk::core::case::record::{Record, RecordKey, UniqueKey, UniqueOp};
use helpdesk::core::command::{ApplyChangesToMany, Command, UpdateTicket};
use helpdesk::core::decide::{Context, Loaded, decide, needs, needs_more};
use helpdesk::core::desk::{Desk, DeskReader};
use helpdesk::core::event::{Event, StreamId};
use helpdesk::core::id::{AgentId, CommandId, TicketId, TicketNumber};
use helpdesk::core::query::{ListTickets, Query, TicketName, Which};
use helpdesk::core::ticket::change::Change;
use helpdesk::core::ticket::priority::TicketType;
use helpdesk::core::view::{Direction, OrderBy};
use helpdesk::storage::sqlite::Synchronous;
use helpdesk::storage::{ChangeSet, EventQuery, EventSource, Expect, Store};
use helpdesk::{Helpdesk, MemoryStore, SqliteOptions, SqliteStore, block_on};
use std::cell::LazyCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// Tickets that a desk in memory gets before the next one takes over.
const DESK_TICKETS: u64 = 4_096;

/// The file of a database within its folder.
const FILE: &str = "desk.db";

/// Tickets among which single ones and pages are read.
fn n_stored() -> usize {
    if is_test() { 1_000 } else { 100_000 }
}

fn engine(store: Arc<dyn Store>) -> Helpdesk {
    Helpdesk::builder().with_shared_store(store).build().expect("builds")
}

fn sqlite(folder: &TempDir) -> Arc<SqliteStore> {
    let options = SqliteOptions::default().with_synchronous(Synchronous::Off);
    Arc::new(SqliteStore::open(folder.path().join(FILE), options).expect("opens"))
}

/// What a decision about one message is made of.
struct Scene {
    desk: Desk,
    roster: Roster,
    loaded: Loaded,
    command: Command,
}

impl Scene {
    fn new(n_rules: usize) -> Self {
        let store = Arc::new(MemoryStore::default());
        fill(&engine(store.clone()), n_rules);
        let get = |key: RecordKey| block_on(store.get(TENANT, &[key])).expect("reads").remove(0);
        let reader = DeskReader::new().expect("compiles");
        let desk = reader.read(&fixture::document(n_rules)).expect("fits");
        let mut roster = Roster::default();
        for i in 0..N_AGENTS {
            let id = AgentId(Uuid::from_u128(1_000 + i));
            let agent = get(RecordKey::Stream(StreamId::agent(id))).expect("made");
            let presence = get(RecordKey::Stream(StreamId::presence(id))).expect("made");
            let Record::Agent(agent_record) = agent.record else { unreachable!() };
            let presence_record = match presence.record {
                Record::Presence(presence) => presence,
                _ => Presence::none(id),
            };
            roster.agents.insert(
                id,
                RosterEntry {
                    agent: Arc::new(*agent_record),
                    agent_version: agent.version,
                    presence: presence_record,
                    presence_version: presence.version,
                    load: AgentLoad::none(id),
                    load_version: 0,
                },
            );
        }
        let command = Command::Receive(message(1));
        let mut loaded = Loaded::default();
        let mut keys = needs(&command, &system());
        while !keys.is_empty() {
            keys.drain(..).for_each(|key| loaded.add(&key, get(key.clone())));
            keys = needs_more(&command, &loaded, &desk);
        }
        Self { desk, roster, loaded, command }
    }

    fn decide(&self) {
        let actor = system();
        let context = Context {
            now: now(),
            command_id: CommandId(Uuid::from_u128(7)),
            actor: &actor,
            desk: &self.desk,
            config_version: 1,
            roster: &self.roster,
            index: None,
            number: Some(TicketNumber { prefix: self.desk.number_prefix().clone(), n: 1 }),
            language: None,
            predictions: &[],
            expected_version: None,
            file_bytes_max: None,
        };
        let decision = decide(&self.loaded, &self.command, &context).expect("decides");
        assert!(decision.events.iter().any(|e| matches!(e.event, Event::Assigned { .. })));
        drop(black_box(decision));
    }
}

/// One message received, routed and assigned, without engine and store.
fn bench_decide(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("decide");
    for n_rules in [10, 100, 1_000] {
        let scene = LazyCell::new(|| Scene::new(n_rules));
        group.bench_function(BenchmarkId::from_parameter(n_rules), |b| b.iter(|| scene.decide()));
    }
    group.finish();
}

/// The same through the engine, committed, beside its bytes as one blob.
fn bench_receive(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("receive");
    for n_rules in [10, 100] {
        group.bench_function(BenchmarkId::new("memory", n_rules), |b| {
            b.iter_custom(|n| receive_in_memory(n_rules, n));
        });
    }
    let folder = TempDir::new().expect("a folder");
    let desk = engine(sqlite(&folder));
    fill(&desk, 100);
    let log = folder.path().join(format!("{FILE}-wal"));
    let n_logged = || std::fs::metadata(&log).expect("there").len();
    let before = n_logged();
    let n_bytes = bytes_written(&folder.path().join(FILE), || {
        for n in 0..64 {
            receive(&desk, n);
        }
    }) / 64;
    let n_pages = (n_logged() - before) / 64 / 4_120;
    println!("one receive writes {n_bytes} bytes of rows, by {n_pages} pages");
    let mut n = 1_000;
    group.bench_function(BenchmarkId::new("sqlite", 100), |b| {
        b.iter(|| {
            n += 1;
            receive(&desk, n);
        });
    });
    let folder = TempDir::new().expect("a folder");
    let conn = floor(&folder.path().join(FILE));
    let blob = noise(n_bytes);
    group.bench_function("floor", |b| b.iter(|| put_blob(&conn, &blob)));
    group.finish();
}

/// CPU time of `n` receives, on a new desk for every few thousand: what the
/// kernel takes to hand out ever more memory is not the engine's.
fn receive_in_memory(n_rules: usize, n: u64) -> Duration {
    let mut took = Duration::ZERO;
    for first in (0..n).step_by(DESK_TICKETS as usize) {
        let desk = engine(Arc::new(MemoryStore::default()));
        fill(&desk, n_rules);
        let start = cpu_time();
        for n in first..n.min(first + DESK_TICKETS) {
            receive(&desk, n);
        }
        took += cpu_time() - start;
    }
    took
}

/// One ticket and a page of 50 among many.
fn bench_read(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("read");
    let folder = TempDir::new().expect("a folder");
    let stores: [(&str, Arc<dyn Store>); 2] =
        [("memory", Arc::new(MemoryStore::default())), ("sqlite", sqlite(&folder))];
    for (name, store) in stores {
        let filled = LazyCell::new(|| {
            let desk = engine(store.clone());
            fill(&desk, 10);
            let ids = store_many(&desk, &*store, n_stored());
            (desk, ids)
        });
        let mut at = 0;
        group.bench_function(BenchmarkId::new(name, "get"), |b| {
            let (desk, ids) = &*filled;
            b.iter(|| {
                at = (at + 7_919) % ids.len();
                let ticket = TicketName::Id(ids[at]);
                black_box(block_on(desk.query(&system(), Query::GetTicket { ticket }, now())))
                    .expect("found");
            });
        });
        for (order, order_name) in
            [(OrderBy::CreatedAt, "list_created"), (OrderBy::UpdatedAt, "list_updated")]
        {
            let list = Query::ListTickets(ListTickets {
                which: Which::default(),
                order: Some(order),
                direction: Some(Direction::Descending),
                limit: Some(50),
                ..ListTickets::default()
            });
            group.bench_function(BenchmarkId::new(name, order_name), |b| {
                let (desk, _) = &*filled;
                b.iter(|| {
                    black_box(block_on(desk.query(&system(), list.clone(), now()))).expect("listed")
                });
            });
        }
    }
    group.finish();
}

/// One change of 100 tickets, each commit on the disk before it counts: by one command, and by
/// one each.
fn bench_change(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("change_100");
    let folder = TempDir::new().expect("a folder");
    let store = SqliteStore::open(folder.path().join(FILE), SqliteOptions::default());
    let desk = engine(Arc::new(store.expect("opens")));
    fill(&desk, 100);
    let received = (0..100).map(|n| block_on(desk.receive(TENANT, message(n), now())));
    let tickets = received.map(|outcome| outcome.expect("received").made.ticket.expect("made"));
    let tickets: Vec<TicketId> = tickets.collect();
    let mut n = 0;
    let mut to = || {
        n += 1;
        let to = if n % 2 == 0 { TicketType::Task } else { TicketType::Incident };
        vec![Change::SetType { to: Some(to) }]
    };
    group.bench_function("at_once", |b| {
        b.iter(|| {
            let many = ApplyChangesToMany { tickets: tickets.clone(), changes: to() };
            let command = Command::ApplyChangesToMany(many);
            let outcome = block_on(desk.execute(&system(), command, now())).expect("changed");
            assert_eq!(outcome.events.len(), tickets.len());
        });
    });
    group.bench_function("one_by_one", |b| {
        b.iter(|| {
            let changes = to();
            for ticket in &tickets {
                let one = UpdateTicket { ticket: *ticket, changes: changes.clone() };
                let command = Command::UpdateTicket(one);
                block_on(desk.execute(&system(), command, now())).expect("changed");
            }
        });
    });
    group.finish();
}

/// Stores copies of one ticket under other ids, numbers and times.
fn store_many(desk: &Helpdesk, store: &dyn Store, n: usize) -> Vec<TicketId> {
    let made = block_on(desk.receive(TENANT, message(0), now())).expect("received").made;
    let stream = StreamId::case(made.ticket.expect("made"));
    let stored =
        block_on(store.get(TENANT, &[RecordKey::Stream(stream)])).expect("reads").remove(0);
    let Some(Record::Case(case)) = stored.map(|stored| stored.record) else { unreachable!() };
    let source = EventSource::Stream { stream, after: 0 };
    let opened =
        block_on(store.events(&EventQuery::new(TENANT, source, 1))).expect("reads").rows.remove(0);
    let ids: Vec<TicketId> =
        (0..n).map(|i| TicketId(Uuid::from_u128((1 << 100) + i as u128))).collect();
    for (chunk, ids) in ids.chunks(1_000).enumerate() {
        let sets = ids.iter().enumerate().map(|(i, id)| {
            let n = (chunk * 1_000 + i) as u64 + 1_000;
            let mut set = ChangeSet::new(TENANT, CommandId(id.0), now());
            let mut case = case.clone();
            case.ticket.id = *id;
            case.ticket.number.n = n;
            case.ticket.times.created_at += Duration::from_secs(n);
            case.ticket.times.updated_at += Duration::from_secs(n * 7_919 % 100_000);
            let stream = StreamId::case(*id);
            let key = UniqueKey::Number { number: case.ticket.number.clone() };
            set.expect.push(Expect { stream, version: 0 });
            set.unique.push(UniqueOp::Put { key, stream, replace: false });
            let mut event = opened.entry.clone();
            event.stream = stream;
            set.events.push(event);
            set.put.push(Record::Case(case));
            set
        });
        for result in block_on(store.commit_many(sets.collect())) {
            result.expect("committed");
        }
    }
    ids
}

criterion_group! {
    name = benches;
    config = measured(30, Duration::from_secs(1), Duration::from_secs(3));
    targets = bench_decide, bench_receive, bench_read, bench_change
}
criterion_main!(benches);
