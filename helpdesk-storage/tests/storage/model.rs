//! SQLite and PostgreSQL do what the memory backend does, whatever comes.

use crate::servers::fresh;
use crate::work::{key, start, tenant, ticket};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::access::scope::Scope;
use helpdesk_core::actor::ActorKind;
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{CommandRecord, OutboxMessage, Record, RecordKey, UniqueKey};
use helpdesk_core::effect::Effect;
use helpdesk_core::event::{Cause, Event, NewEvent, Origin, StreamId, StreamKind, TimerKind};
use helpdesk_core::id::{CommandId, TenantId, TicketId};
use helpdesk_storage::memory::MemoryStore;
use helpdesk_storage::postgres::StatementMode;
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore};
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, CountBy, CountQuery, Direction, EventQuery, EventSource,
    Expect, LeaseToken, ListKind, ListQuery, Maintain, NewOutbox, Order, OrderBy, Settle,
    SettleHow, Shelf, Store, TimerOp, UniqueOp,
};
use pollster::block_on;
use proptest::prelude::*;
use uuid::Uuid;

/// One step; small numbers, so that steps meet each other.
#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Part>),
    CommitMany(Vec<Vec<Part>>),
    Claim { timers: bool, max: usize, both: bool },
    Settle { lease: usize, how: SettleHow },
    Maintain(u8),
    Later(i64),
}

/// A part of a change set.
#[derive(Debug, Clone)]
enum Part {
    /// Puts ticket `n`; its version is the one that stands, plus `off`.
    Put {
        n: u8,
        off: i8,
        events: u8,
    },
    Events {
        n: u8,
    },
    Unique {
        k: u8,
        n: u8,
        replace: bool,
    },
    Remove {
        k: u8,
    },
    Set {
        n: u8,
        kind: u8,
        after: i64,
    },
    Cancel {
        n: u8,
        kind: u8,
    },
    Outbox {
        id: u8,
        lane: u8,
        after: i64,
    },
    Done {
        lease: usize,
    },
    Command {
        id: u8,
        hash: u8,
    },
    Other,
}

fn part() -> impl Strategy<Value = Part> {
    let off = prop_oneof![8 => Just(0i8), 1 => Just(1), 1 => Just(-1)];
    prop_oneof![
        4 => (0..4u8, off, 0..3u8).prop_map(|(n, off, events)| Part::Put { n, off, events }),
        1 => (0..4u8).prop_map(|n| Part::Events { n }),
        2 => (0..3u8, 0..4u8, any::<bool>()).prop_map(|(k, n, replace)| Part::Unique { k, n, replace }),
        1 => (0..3u8).prop_map(|k| Part::Remove { k }),
        3 => (0..4u8, 0..9u8, 0..30i64).prop_map(|(n, kind, after)| Part::Set { n, kind, after }),
        1 => (0..4u8, 0..9u8).prop_map(|(n, kind)| Part::Cancel { n, kind }),
        3 => (0..20u8, 0..3u8, 0..30i64).prop_map(|(id, lane, after)| Part::Outbox { id, lane, after }),
        1 => (0..8usize).prop_map(|lease| Part::Done { lease }),
        1 => (0..6u8, 0..2u8).prop_map(|(id, hash)| Part::Command { id, hash }),
        1 => Just(Part::Other),
    ]
}

fn how() -> impl Strategy<Value = SettleHow> {
    let error = || "no".to_owned();
    prop_oneof![
        Just(SettleHow::Done),
        (0..40i64).prop_map(move |s| SettleHow::Retry { at: at(s), error: error() }),
        Just(SettleHow::Dead { error: error() }),
        (0..40u32).prop_map(|lease_seconds| SettleHow::Extend { lease_seconds }),
        Just(SettleHow::Release),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let parts = || prop::collection::vec(part(), 0..5);
    prop_oneof![
        6 => parts().prop_map(Step::Commit),
        1 => prop::collection::vec(parts(), 0..4).prop_map(Step::CommitMany),
        3 => (any::<bool>(), 0..4usize, any::<bool>())
            .prop_map(|(timers, max, both)| Step::Claim { timers, max, both }),
        4 => (0..8usize, how()).prop_map(|(lease, how)| Step::Settle { lease, how }),
        1 => (0..5u8).prop_map(Step::Maintain),
        2 => (0..50i64).prop_map(Step::Later),
    ]
}

fn at(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

fn other() -> TenantId {
    TenantId(Uuid::from_u128(0xB0B))
}

fn ticket_id(n: u8) -> TicketId {
    TicketId(Uuid::from_u128(u128::from(n) + 1))
}

fn domain(k: u8) -> UniqueKey {
    UniqueKey::Domain { domain: format!("{k}.example") }
}

/// Both stores, the time, and the leases that were given.
struct Pair {
    memory: MemoryStore,
    other: Box<dyn Store>,
    now: i64,
    tokens: Vec<LeaseToken>,
    n_commits: u128,
}

impl Pair {
    fn both<T: std::fmt::Debug>(&self, ask: impl Fn(&dyn Store) -> T) -> T {
        let (left, right) = (ask(&self.memory), ask(&*self.other));
        // Errors have no equality, but their debug output says everything.
        assert_eq!(told(&left), told(&right));
        left
    }

    fn change(&mut self, parts: &[Part]) -> ChangeSet {
        self.n_commits += 1;
        let tenant =
            if parts.iter().any(|part| matches!(part, Part::Other)) { other() } else { tenant() };
        let mut change =
            ChangeSet::new(tenant, CommandId(Uuid::from_u128(self.n_commits)), at(self.now));
        for part in parts {
            self.add(&mut change, part);
        }
        change
    }

    fn add(&self, change: &mut ChangeSet, part: &Part) {
        let now = self.now;
        match *part {
            Part::Put { n, off, events } => {
                let stream = StreamId::case(ticket_id(n));
                let version = self.version(change.tenant, stream).saturating_add_signed(off.into());
                let mut it = ticket(ticket_id(n), u64::from(n) % 2, at(now));
                it.group = [None, Some(key("a")), Some(key("b"))][usize::from(events)].clone();
                change.expect.push(Expect { stream, version });
                change.put.push(Record::Case(Box::new(Case::new(it))));
                change.events.extend((0..events).map(|_| event(stream, at(now))));
            }
            Part::Events { n } => {
                let stream = StreamId::case(ticket_id(n));
                let version = self.version(change.tenant, stream);
                change.expect.push(Expect { stream, version });
                change.events.push(event(stream, at(now)));
            }
            Part::Unique { k, n, replace } => {
                let stream = StreamId::case(ticket_id(n));
                change.unique.push(UniqueOp::Put { key: domain(k), stream, replace });
            }
            Part::Remove { k } => change.unique.push(UniqueOp::Remove { key: domain(k) }),
            Part::Set { n, kind, after } => change.timers.push(TimerOp::Set {
                stream: StreamId::case(ticket_id(n)),
                kind: TimerKind::ALL[usize::from(kind)],
                due_at: at(now + after),
            }),
            Part::Cancel { n, kind } => change.timers.push(TimerOp::Cancel {
                stream: StreamId::case(ticket_id(n)),
                kind: TimerKind::ALL[usize::from(kind)],
            }),
            Part::Outbox { id, lane, after } => change.outbox.push(NewOutbox {
                message: OutboxMessage {
                    id: Uuid::from_u128(u128::from(id) + 1),
                    effect: Effect::NotifyUnroutable { ticket: ticket_id(id) },
                    ordering_key: Uuid::from_u128(u128::from(lane)),
                    not_before: at(now + after),
                    created_at: at(now),
                },
            }),
            Part::Done { lease } => change.done.extend(self.tokens.iter().rev().nth(lease)),
            Part::Command { id, hash } => {
                change.command = Some(CommandRecord {
                    id: CommandId(Uuid::from_u128(u128::from(id))),
                    sha256: hash.to_string(),
                    result: serde_json::json!({"at": now}),
                    expires_at: at(now + 40),
                });
            }
            Part::Other => {}
        }
    }

    fn version(&self, tenant: TenantId, stream: StreamId) -> u64 {
        let found = block_on(self.memory.get(tenant, &[RecordKey::Stream(stream)])).unwrap();
        found[0].as_ref().map_or(0, |row| row.version)
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Commit(parts) => {
                let change = self.change(&parts);
                let _ = self.both(|store| block_on(store.commit(change.clone())));
            }
            Step::CommitMany(many) => {
                let changes: Vec<_> = many.iter().map(|parts| self.change(parts)).collect();
                self.both(|store| block_on(store.commit_many(changes.clone())));
            }
            Step::Claim { timers, max, both } => {
                let what = if timers { ClaimWhat::Timers } else { ClaimWhat::Outbox };
                let mut params = ClaimParams::new(what, at(self.now), max);
                params.lease_seconds = 20;
                params.tenants = (!both).then(|| vec![tenant()]);
                let claimed = self.both(|store| block_on(store.claim(&params))).unwrap();
                self.tokens.extend(claimed.leases.iter().map(|lease| lease.token));
            }
            Step::Settle { lease, how } => {
                let settle = |token: &LeaseToken| Settle {
                    token: *token,
                    now: at(self.now),
                    how: how.clone(),
                };
                let settles: Vec<_> =
                    self.tokens.iter().rev().skip(lease).take(2).map(settle).collect();
                self.both(|store| block_on(store.settle(settles.clone()))).unwrap();
            }
            Step::Maintain(kind) => {
                let (tenant, now) = (tenant(), at(self.now));
                let maintain = match kind {
                    0 => Maintain::PurgeCommands { tenant, now },
                    1 => Maintain::Redrive { tenant, ids: Vec::new(), now },
                    2 => Maintain::Redrive {
                        tenant,
                        ids: vec![Uuid::from_u128(1), Uuid::from_u128(2)],
                        now,
                    },
                    3 => {
                        Maintain::PurgeDeadLetters { tenant, before: now - TimeDelta::seconds(30) }
                    }
                    _ => Maintain::Compact,
                };
                self.both(|store| block_on(store.maintain(&maintain))).unwrap();
            }
            Step::Later(seconds) => self.now += seconds,
        }
    }

    /// Everything that can be read.
    fn compare(&self) {
        for tenant in [tenant(), other()] {
            let mut keys: Vec<RecordKey> = (0..3).map(|k| RecordKey::Unique(domain(k))).collect();
            keys.extend((0..6).map(|n| RecordKey::Command(CommandId(Uuid::from_u128(n)))));
            self.both(|store| block_on(store.get(tenant, &keys))).unwrap();
            for kind in [ListKind::Things(StreamKind::Case), ListKind::DeadLetters] {
                let query = ListQuery::all(tenant, kind, at(0), 2);
                self.both(|store| block_on(store.list(&query))).unwrap();
            }
            for by in [OrderBy::Number, OrderBy::UpdatedAt] {
                let mut query = ListQuery::all(tenant, ListKind::Cases(Shelf::Live), at(0), 2);
                query.order = Order { by, direction: Direction::Descending };
                query.scope = Scope::Or(vec![Scope::NoGroup, Scope::Groups([key("a")].into())]);
                self.both(|store| block_on(store.list(&query))).unwrap();
            }
            let query = CountQuery::all(tenant, CountBy::Group, at(0));
            self.both(|store| block_on(store.count(&query))).unwrap();
            let news = EventSource::News { after: 0, kinds: Vec::new() };
            self.both(|store| {
                block_on(store.events(&EventQuery::new(tenant, news.clone(), 1_000)))
            })
            .unwrap();
        }
        // A claim of nothing only tells when the next one is due.
        for what in [ClaimWhat::Timers, ClaimWhat::Outbox] {
            let params = ClaimParams::new(what, at(self.now), 0);
            self.both(|store| block_on(store.claim(&params))).unwrap();
        }
    }
}

fn event(stream: StreamId, at: DateTime<Utc>) -> NewEvent {
    let cause = Cause::Command { id: CommandId(Uuid::from_u128(1)) };
    let kind = ActorKind::System;
    let origin = Origin { kind, actor: None, on_behalf_of: None, ip: None, cause };
    NewEvent { stream, at, origin, event: Event::Woken }
}

/// What an answer says, but for positions, which each backend counts in its own way.
fn told(answer: &impl std::fmt::Debug) -> String {
    let text = format!("{answer:?}");
    let mut parts = text.split("position: ");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest =
            part.trim_start_matches("Some(").trim_start_matches(|c: char| c.is_ascii_digit());
        told += "position: ";
        told += rest;
    }
    told
}

fn compare(other: Box<dyn Store>, steps: Vec<Step>) {
    let memory = MemoryStore::default();
    let mut pair = Pair { memory, other, now: 0, tokens: Vec::new(), n_commits: 100 };
    for step in steps {
        pair.step(step);
        pair.compare();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_does_what_memory_does(steps in prop::collection::vec(step(), 1..60)) {
        compare(Box::new(SqliteStore::open_in_memory(SqliteOptions::default()).unwrap()), steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn postgres_does_what_memory_does(steps in prop::collection::vec(step(), 1..60)) {
        let address = helpdesk_test_support::postgres::shared().unwrap();
        compare(Box::new(fresh(&address, StatementMode::Prepared)), steps);
    }
}
