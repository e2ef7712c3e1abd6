//! What a tick costs among many timers, in CPU time of the calling thread.
//!
//! Each tick fires 1,000 warnings of SLA clocks, with nothing else armed, and
//! with a million timers armed that are not due; and on a database that waits for the disk.
//! `cargo xtask bench tick` prints all.

#![allow(missing_docs, clippy::expect_used, reason = "a bench may panic")]

#[path = "fixture/clock.rs"]
mod clock;

use chrono::{DateTime, TimeDelta, Utc};
use clock::{ThreadTime, cpu_time, is_test, measured};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::case::record::TimerOp;
use helpdesk::core::command::{ApplyConfig, Command};
use helpdesk::core::contact::Identity;
use helpdesk::core::event::{StreamId, TimerKind};
use helpdesk::core::id::{CommandId, TenantId, TicketId};
use helpdesk::core::intake::inbound::InboundMessage;
use helpdesk::core::ticket::priority::Channel;
use helpdesk::storage::sqlite::Synchronous;
use helpdesk::storage::{ChangeSet, Store};
use helpdesk::{Call, Helpdesk, MemoryStore, SqliteOptions, SqliteStore, block_on};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

/// Clocks that warn in one tick.
const DUE: u64 = 1_000;
/// Warnings of each clock, one a tick.
const WARNINGS: u64 = 20;
/// Seconds between two ticks.
const STEP: u64 = 30;

/// A desk whose tickets warn in step.
struct Scene {
    desk: Helpdesk,
    now: DateTime<Utc>,
    n_received: u64,
    n_left: u64,
    _folder: Option<TempDir>,
}

impl Scene {
    fn new(store: &Arc<dyn Store>, n_armed: u64, folder: Option<TempDir>) -> Self {
        let desk = Helpdesk::builder().with_shared_store(store.clone()).build().expect("builds");
        let now = DateTime::from_timestamp(1_795_000_000, 0).expect("in range");
        let warn_at: Vec<_> = (1..=WARNINGS).map(|n| json!({"before_seconds": n * STEP})).collect();
        let document = json!({"sla": {"policies": [{"key": "all", "warn_at": warn_at, "metrics": [
            {"metric": "first_reply", "targets": [{"seconds": (WARNINGS + 1) * STEP}]},
        ]}]}});
        let command = Command::ApplyConfig(ApplyConfig { document });
        let call = Call::new(CommandId(Uuid::from_u128(1)), command);
        block_on(desk.execute(&Actor::system(TENANT, Capability::ActAsSystem), call, now))
            .expect("applied");
        arm(&**store, n_armed, now);
        Self { desk, now, n_received: 0, n_left: 0, _folder: folder }
    }

    /// Opens tickets whose clocks start together.
    fn refill(&mut self) {
        self.now += TimeDelta::hours(1);
        for _ in 0..DUE {
            self.n_received += 1;
            let from = Identity::email("anna@example.com");
            let id = format!("<{}@mail.example.com>", self.n_received);
            let mut message = InboundMessage::new(Channel::Email, id, from, "Where is it?");
            message.language = Some("en".to_owned());
            block_on(self.desk.receive(TENANT, message, self.now)).expect("received");
        }
        // The breaches of the round before, outside of what is measured.
        block_on(self.desk.tick(self.now, usize::MAX)).expect("ticked");
        self.n_left = WARNINGS;
    }

    /// CPU time of one tick that fires one warning of each clock.
    fn tick(&mut self) -> Duration {
        if self.n_left == 0 {
            self.refill();
        }
        self.n_left -= 1;
        self.now += Duration::from_secs(STEP);
        let start = cpu_time();
        let report = block_on(self.desk.tick(self.now, usize::MAX)).expect("ticked");
        let took = cpu_time() - start;
        assert_eq!(report.fired, DUE);
        took
    }
}

/// Arms timers that never come due here.
fn arm(store: &dyn Store, n: u64, now: DateTime<Utc>) {
    let far = now + TimeDelta::days(3_650);
    for first in (0..n).step_by(1_000) {
        let mut set =
            ChangeSet::new(TENANT, CommandId(Uuid::from_u128(u128::from(first) + 9)), now);
        set.timers = (first..n.min(first + 1_000))
            .map(|i| TimerOp::Set {
                stream: StreamId::case(TicketId(Uuid::from_u128((1 << 100) + u128::from(i)))),
                kind: TimerKind::AutoClose,
                due_at: far + Duration::from_secs(i),
            })
            .collect();
        block_on(store.commit(set)).expect("armed");
    }
}

fn bench_tick(c: &mut Criterion<ThreadTime>) {
    let many = if is_test() { 5_000 } else { 1_000_000 };
    let mut group = c.benchmark_group("tick");
    for n_armed in [0, many] {
        let name = if n_armed == 0 { "alone" } else { "among_a_million" };
        group.bench_function(BenchmarkId::new("memory", name), |b| {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
            let mut scene = Scene::new(&store, n_armed, None);
            b.iter_custom(|n| (0..n).map(|_| scene.tick()).sum());
        });
        let durable = (n_armed == 0).then_some(("sqlite_durable", Synchronous::Full));
        for (id, synchronous) in [("sqlite", Synchronous::Off)].into_iter().chain(durable) {
            group.bench_function(BenchmarkId::new(id, name), |b| {
                let folder = TempDir::new().expect("a folder");
                let options = SqliteOptions::default().with_synchronous(synchronous);
                let path = folder.path().join("desk.db");
                let store = SqliteStore::open(path, options).expect("opens");
                let store: Arc<dyn Store> = Arc::new(store);
                let mut scene = Scene::new(&store, n_armed, Some(folder));
                b.iter_custom(|n| (0..n).map(|_| scene.tick()).sum());
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = measured(10, Duration::from_millis(500), Duration::from_secs(3));
    targets = bench_tick
}
criterion_main!(benches);
