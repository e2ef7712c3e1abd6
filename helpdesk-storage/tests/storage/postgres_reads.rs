//! What a call to PostgreSQL reads does not grow with what there is, also where its statement was
//! planned while the tables were empty.

use crate::postgres::{Host, eventually};
use crate::postgres_lanes::{alone, made_by};
use crate::servers::options;
use crate::work::{agent, start, tenant};
use chrono::TimeDelta;
use helpdesk_core::case::record::{RecordKey, UniqueKey};
use helpdesk_core::event::{StreamId, TimerKind};
use helpdesk_core::id::{CommandId, TicketId};
use helpdesk_storage::postgres::PostgresStore;
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, Direction, EventQuery, EventSource, Expect, Lease, ListKind,
    ListQuery, Order, OrderBy, Settle, SettleHow, Shelf, Store, TimerOp, UniqueOp,
};
use helpdesk_test_support::postgres::shared;
use pollster::block_on;
use uuid::Uuid;

/// Tickets that come in before the statements are planned.
const FEW: u64 = 15;
/// And after that.
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

/// The version of what stands.
fn version(store: &PostgresStore, stream: StreamId) -> u64 {
    let found = block_on(store.get(tenant(), &[RecordKey::Stream(stream)])).unwrap();
    found[0].as_ref().unwrap().version
}

/// Ticket `n` and its contact are written again, as they stand.
fn rewrite(store: &PostgresStore, n: u64) -> ChangeSet {
    let mut change = written_again(n, 0);
    for expect in &mut change.expect {
        expect.version = version(store, expect.stream);
    }
    change
}

fn commit(store: &PostgresStore, change: ChangeSet) {
    assert!(block_on(store.commit(change)).unwrap().replayed.is_none());
}

/// A commit that ends a lease.
fn end(store: &PostgresStore, lease: &Lease) {
    let mut change = ChangeSet::new(tenant(), CommandId(Uuid::new_v4()), start());
    change.done = vec![lease.token];
    commit(store, change);
}

fn write_many(store: &PostgresStore, n: u64) {
    let sets = (n..n + 3).map(|n| rewrite(store, n)).collect();
    assert!(block_on(store.commit_many(sets)).iter().all(Result::is_ok));
}

/// Looks at a ticket, its contact and an agent who is not there, and cancels a timer.
fn look_and_cancel(store: &PostgresStore, n: u64) {
    let mut change = rewrite(store, n);
    let stream = change.expect[0].stream;
    (change.put, change.events, change.unique) = Default::default();
    change.command = None;
    change.expect.push(Expect { stream: StreamId::agent(agent()), version: 0 });
    change.timers = vec![TimerOp::Cancel { stream, kind: TimerKind::IdleUnassign }];
    commit(store, change);
}

fn remove_keys(store: &PostgresStore, n: u64) {
    let mut change = rewrite(store, n);
    change.unique = keys_of(&change).map(|key| UniqueOp::Remove { key }).collect();
    commit(store, change);
}

fn keys_of(change: &ChangeSet) -> impl Iterator<Item = UniqueKey> {
    change.unique.iter().map(|op| match op {
        UniqueOp::Put { key, .. } | UniqueOp::Remove { key } => key.clone(),
    })
}

fn replay_and_conflict(store: &PostgresStore, n: u64) {
    assert!(block_on(store.commit(alone(n))).unwrap().replayed.is_some());
    assert!(block_on(store.commit(written_again(n, 99))).is_err());
}

fn get(store: &PostgresStore, n: u64) {
    let change = alone(n);
    let mut keys: Vec<RecordKey> =
        change.expect.iter().map(|it| RecordKey::Stream(it.stream)).collect();
    keys.push(RecordKey::Command(change.commit_id));
    keys.push(RecordKey::Message(TicketId(made_by(&change).id), 1));
    keys.extend(keys_of(&change).map(RecordKey::Unique));
    assert!(block_on(store.get(tenant(), &keys)).unwrap().iter().all(Option::is_some));
}

fn journal(store: &PostgresStore, n: u64) {
    let source = EventSource::Stream { stream: made_by(&alone(n)), after: 0 };
    block_on(store.events(&EventQuery::new(tenant(), source, 10))).unwrap();
}

fn feed(store: &PostgresStore, _: u64) {
    for source in [
        EventSource::Feed { after: 0, kinds: Vec::new() },
        EventSource::News { after: 0, kinds: Vec::new() },
    ] {
        block_on(store.events(&EventQuery::new(tenant(), source, 10))).unwrap();
    }
    block_on(store.feed_end(tenant())).unwrap();
}

fn newest(store: &PostgresStore, _: u64) {
    let mut query = ListQuery::all(tenant(), ListKind::Cases(Shelf::All), start(), 10);
    query.order = Order { by: OrderBy::CreatedAt, direction: Direction::Descending };
    block_on(store.list(&query)).unwrap();
}

fn timers(store: &PostgresStore, _: u64) {
    let leases = claim(store, ClaimWhat::Timers);
    assert!(!leases.is_empty());
    leases.iter().for_each(|lease| end(store, lease));
}

fn outbox(store: &PostgresStore, _: u64) {
    let leases = claim(store, ClaimWhat::Outbox);
    let (first, rest) = leases.split_first().unwrap();
    end(store, first);
    let now = start() + TimeDelta::days(9);
    let settle = |lease: &Lease| Settle { token: lease.token, now, how: SettleHow::Done };
    let settled = block_on(store.settle(rest.iter().map(settle).collect())).unwrap();
    assert!(settled.iter().all(Result::is_ok));
}

type Call = fn(&PostgresStore, u64);

/// What is done with ticket `n`. Purges are not here: they look through a tenant's unique keys.
const CALLS: [(&str, Call); 12] = [
    ("receive", |store, n| commit(store, alone(n + 10 * N))),
    ("write", |store, n| commit(store, rewrite(store, n))),
    ("write many", write_many),
    ("look and cancel", look_and_cancel),
    ("remove keys", remove_keys),
    ("replay and conflict", replay_and_conflict),
    ("get", get),
    ("journal", journal),
    ("feed", feed),
    ("newest", newest),
    ("timers", timers),
    ("outbox", outbox),
];

#[test]
fn what_a_call_reads_does_not_grow_with_what_there_is() {
    let (address, options) = (shared().unwrap(), options().with_connections(1));
    let schema = options.schema().to_owned();
    // Ours, among those of other tests.
    let separator = if address.contains('?') { '&' } else { '?' };
    let address = format!("{address}{separator}application_name={schema}");
    let host = Host::connect(&address);
    let open = || block_on(PostgresStore::open(&address, options.clone())).unwrap();
    let filler = open();
    // As few as the first calls need.
    for n in 1..FEW {
        block_on(filler.commit(alone(n))).unwrap();
    }
    // Each call has a session of its own, which tells what it read when it ends.
    let stores: Vec<PostgresStore> = CALLS.iter().map(|_| open()).collect();
    for (at, ((_, call), store)) in (0..).zip(CALLS.iter().zip(&stores)) {
        call(store, 1 + at);
    }
    for first in (FEW..N).step_by(64) {
        let sets = (first..first + 64).map(alone).collect();
        assert!(block_on(filler.commit_many(sets)).iter().all(Result::is_ok));
    }
    drop(filler);
    let n_sessions = || {
        host.number(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{schema}' \
             AND pid <> pg_backend_pid()"
        ))
    };
    let ends = |before: i64| eventually("the session ends", || n_sessions() < before);
    let rows = format!(
        "SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes \
         WHERE schemaname = '{schema}') + (SELECT sum(seq_tup_read) \
         FROM pg_stat_user_tables WHERE schemaname = '{schema}'))::bigint"
    );
    ends(i64::MAX);
    let mut found = Vec::new();
    for (at, ((name, call), store)) in (0..).zip(CALLS.iter().zip(stores)) {
        let (n_before, n_rows) = (n_sessions(), host.number(&rows));
        for i in 0..4 {
            call(&store, 100 + at * 20 + i * 4);
        }
        drop(store);
        ends(n_before);
        // With the one before.
        found.push((*name, (host.number(&rows) - n_rows) / 5));
    }
    println!("rows read by a call: {found:?}");
    assert!(found.iter().any(|(_, n)| *n > 0), "nothing is counted");
    let too_many: Vec<_> = found.iter().filter(|(_, n)| *n > ROWS_MAX).collect();
    assert!(too_many.is_empty(), "{too_many:?}");
}
