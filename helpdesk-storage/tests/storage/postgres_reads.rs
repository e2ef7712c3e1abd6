//! What a call to PostgreSQL reads does not grow with what there is, also where its statement was
//! planned while the tables were empty.

use crate::postgres::{Host, eventually};
use crate::postgres_lanes::{alone, made_by};
use crate::servers::options;
use crate::work::{start, tenant};
use chrono::TimeDelta;
use helpdesk_core::case::record::RecordKey;
use helpdesk_storage::postgres::PostgresStore;
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, Direction, EventQuery, EventSource, Expect, Lease, ListKind,
    ListQuery, Maintain, Order, OrderBy, Settle, SettleHow, Shelf, Store, TimerOp, UniqueOp,
};
use helpdesk_core::event::{StreamId, TimerKind};
use helpdesk_test_support::postgres::shared;
use pollster::block_on;
use uuid::Uuid;

/// Tickets that come in after the statements were planned.
const N: u64 = 2_000;
/// Rows that a call may find in indexes, some of each table.
const ROWS_MAX: i64 = 150;

/// Ticket `n` with all that hangs on it is written once more.
fn written_again(n: u64, version: u64) -> ChangeSet {
    let mut change = alone(n);
    change.commit_id.0 = Uuid::new_v4();
    let command = change.command.as_mut().unwrap();
    command.id = change.commit_id;
    change.expect[0].version = version;
    change.expect[1].version = version;
    change.outbox.clear();
    change
}

fn claim(store: &PostgresStore, what: ClaimWhat) -> Vec<Lease> {
    let mut params = ClaimParams::new(what, start() + TimeDelta::days(9), 2);
    params.tenants = Some(vec![tenant()]);
    block_on(store.claim(&params)).unwrap().leases
}

type Work<'a> = Box<dyn Fn(u64) + 'a>;

/// What is done with ticket `n`, by name.
fn calls(store: &PostgresStore) -> Vec<(&'static str, Work<'_>)> {
    let version = |stream| {
        let found = block_on(store.get(tenant(), &[RecordKey::Stream(stream)])).unwrap();
        found[0].as_ref().unwrap().version
    };
    let commit = move |change| block_on(store.commit(change)).map(|_| ()).unwrap();
    let writes = move |n| {
        let (ticket, contact) = (alone(n).expect[0].stream, alone(n).expect[1].stream);
        let mut change = written_again(n, version(ticket));
        change.expect[1].version = version(contact);
        change
    };
    let source = |n| EventSource::Stream { stream: made_by(&alone(n)), after: 0 };
    vec![
        ("receive", Box::new(move |n| commit(alone(n + 10 * N)))),
        ("write", Box::new(move |n| commit(writes(n)))),
        (
            "write many",
            Box::new(move |n| {
                let sets = (n..n + 3).map(writes).collect();
                assert!(block_on(store.commit_many(sets)).iter().all(Result::is_ok));
            }),
        ),
        (
            "look and cancel",
            Box::new(move |n| {
                let mut change = writes(n);
                (change.put, change.events) = (Vec::new(), Vec::new());
                (change.unique, change.command) = (vec![], None);
                let absent = Expect { stream: StreamId::agent(crate::work::agent()), version: 0 };
                change.expect.push(absent);
                change.timers = vec![TimerOp::Cancel {
                    stream: change.expect[0].stream,
                    kind: TimerKind::IdleUnassign,
                }];
                commit(change);
            }),
        ),
        (
            "remove keys",
            Box::new(move |n| {
                let mut change = writes(n);
                let ops = std::mem::take(&mut change.unique).into_iter();
                change.unique = ops
                    .map(|op| match op {
                        UniqueOp::Put { key, .. } | UniqueOp::Remove { key } => {
                            UniqueOp::Remove { key }
                        }
                    })
                    .collect();
                commit(change);
            }),
        ),
        (
            "replay and conflict",
            Box::new(move |n| {
                assert!(block_on(store.commit(alone(n))).unwrap().replayed.is_some());
                assert!(block_on(store.commit(written_again(n, 99))).is_err());
            }),
        ),
        (
            "get",
            Box::new(move |n| {
                let change = alone(n);
                let mut keys: Vec<RecordKey> =
                    change.expect.iter().map(|it| RecordKey::Stream(it.stream)).collect();
                keys.push(RecordKey::Command(change.commit_id));
                keys.push(RecordKey::Message(helpdesk_core::id::TicketId(made_by(&change).id), 1));
                keys.extend(change.unique.iter().map(|op| match op {
                    UniqueOp::Put { key, .. } | UniqueOp::Remove { key } => {
                        RecordKey::Unique(key.clone())
                    }
                }));
                block_on(store.get(tenant(), &keys)).unwrap();
            }),
        ),
        (
            "journal",
            Box::new(move |n| {
                block_on(store.events(&EventQuery::new(tenant(), source(n), 10))).unwrap();
            }),
        ),
        (
            "newest",
            Box::new(move |_| {
                let mut query =
                    ListQuery::all(tenant(), ListKind::Cases(Shelf::All), start(), 10);
                query.order = Order { by: OrderBy::CreatedAt, direction: Direction::Descending };
                block_on(store.list(&query)).unwrap();
            }),
        ),
        (
            "timers",
            Box::new(move |_| {
                for lease in claim(store, ClaimWhat::Timers) {
                    let mut change = ChangeSet::new(
                        tenant(),
                        helpdesk_core::id::CommandId(Uuid::new_v4()),
                        start(),
                    );
                    change.done = vec![lease.token];
                    commit(change);
                }
            }),
        ),
        (
            "outbox",
            Box::new(move |_| {
                let leases = claim(store, ClaimWhat::Outbox);
                let [first, rest @ ..] = &leases[..] else { return };
                let mut change = ChangeSet::new(
                    tenant(),
                    helpdesk_core::id::CommandId(Uuid::new_v4()),
                    start(),
                );
                change.done = vec![first.token];
                commit(change);
                let settle = |lease: &Lease| Settle {
                    token: lease.token,
                    now: start() + TimeDelta::days(9),
                    how: SettleHow::Done,
                };
                for done in block_on(store.settle(rest.iter().map(settle).collect())).unwrap() {
                    done.unwrap();
                }
            }),
        ),
        (
            "purge",
            Box::new(move |n| {
                let ticket = made_by(&alone(n));
                let tickets = vec![(helpdesk_core::id::TicketId(ticket.id), version(ticket))];
                block_on(store.maintain(&Maintain::PurgeTickets { tenant: tenant(), tickets }))
                    .unwrap();
            }),
        ),
    ]
}

#[test]
fn what_a_call_reads_does_not_grow_with_what_there_is() {
    let (address, options) = (shared().unwrap(), options().with_connections(1));
    let schema = options.schema().to_owned();
    let address = match std::env::var("PLAN") {
        Ok(_) => format!("{address}?options=-c%20session_preload_libraries%3Dauto_explain%20-c%20auto_explain.log_min_duration%3D0%20-c%20auto_explain.log_analyze%3Don"),
        _ => address,
    };
    let store = block_on(PostgresStore::open(&address, options)).unwrap();
    let host = Host::connect(&address);
    let read = || {
        host.number(&format!(
            "SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes \
             WHERE schemaname = '{schema}') + (SELECT sum(seq_tup_read) \
             FROM pg_stat_user_tables WHERE schemaname = '{schema}'))::bigint"
        ))
    };
    // The statistics of a session come when it is idle, and once a second.
    let settled = || {
        let mut last = -1;
        eventually("the numbers stand", || {
            std::thread::sleep(std::time::Duration::from_millis(1_100));
            let now = read();
            std::mem::replace(&mut last, now) == now
        });
        last
    };
    for n in 1..60 {
        block_on(store.commit(alone(n))).unwrap();
    }
    for (at, (_, call)) in (0u64..).zip(calls(&store)) {
        for i in 0..3 {
            call(1 + at * 4 + i);
        }
    }
    for first in (60..N).step_by(64) {
        let sets = (first..first + 64).map(alone).collect();
        assert!(block_on(store.commit_many(sets)).iter().all(Result::is_ok));
    }
    let mut found = Vec::new();
    for (at, (name, call)) in (0u64..).zip(calls(&store)) {
        let before = settled();
        for i in 0..4 {
            call(100 + at * 20 + i * 4);
        }
        found.push((name, (settled() - before) / 4));
    }
    if std::env::var("PLAN").is_ok() {
        std::process::Command::new("sh").arg("-c").arg("cp -f $(ls -td /tmp/helpdesk-postgres-*/log | head -1) /tmp/pg.log").status().unwrap();
    }
    println!("{found:?}");
    let too_many: Vec<_> = found.iter().filter(|(_, n)| *n > ROWS_MAX).collect();
    assert!(too_many.is_empty(), "{too_many:?}");
}
