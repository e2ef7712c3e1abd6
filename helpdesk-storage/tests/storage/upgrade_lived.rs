//! A database of an earlier version that has seen more: two tenants, a journal of several rows,
//! lanes in which messages died, wait, and are under way.
//!
//! `upgrades/lived_N.sql` is what the last program that wrote schema N left behind, from 3 on; the
//! command in `upgrade.rs` writes it too.

use crate::upgrade::{dump, file};
use crate::work::{received, start, tenant};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::{CommandId, TenantId, TicketId};
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore};
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, EventQuery, EventSource, Expect, Lease, ListKind, ListQuery,
    Maintain, NewOutbox, Settle, SettleHow, Shelf, Store, StoreExt,
};
use pollster::block_on;
use rusqlite::Connection;
use uuid::Uuid;

/// Tickets of each tenant.
const TICKETS: [(u128, u64); 2] = [(0xA11CE, 3), (0xB0B, 2)];
/// How often the first ticket of the first tenant is changed.
const CHANGES: u64 = 3;

fn tickets() -> impl Iterator<Item = (TenantId, u64)> {
    let of =
        |(tenant, n): (u128, u64)| (1..=n).map(move |n| (TenantId(Uuid::from_u128(tenant)), n));
    TICKETS.into_iter().flat_map(of)
}

fn opened(tenant: TenantId, n: u64) -> ChangeSet {
    let mut change = received(n, n - 1);
    change.tenant = tenant;
    change
}

fn case_of(change: &ChangeSet) -> StreamId {
    change.expect.iter().map(|it| it.stream).find(|it| it.kind == StreamKind::Case).unwrap()
}

/// Another change of a ticket, with a message behind the others of its lane.
fn changed(opened: &ChangeSet, version: u64) -> ChangeSet {
    let stream = case_of(opened);
    let command = CommandId(Uuid::from_u128(0xC0 + u128::from(version)));
    let at = opened.at + TimeDelta::minutes(i64::try_from(version).unwrap());
    let mut change = ChangeSet::new(opened.tenant, command, at);
    change.expect = vec![Expect { stream, version }];
    for record in &opened.put {
        if let Record::Case(case) = record {
            let mut case = case.clone();
            case.ticket.counters.reopens = u32::try_from(version).unwrap();
            change.put.push(Record::Case(case));
        }
    }
    let mut entry = opened.events.iter().rfind(|event| event.stream == stream).unwrap().clone();
    entry.at = at;
    change.events = vec![entry];
    let mut message = opened.outbox[0].message.clone();
    message.id = command.0;
    change.outbox = vec![NewOutbox { message }];
    change
}

fn after(minutes: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(60 + minutes)
}

fn claim(store: &dyn Store, what: ClaimWhat, now: DateTime<Utc>) -> Vec<Lease> {
    block_on(store.claim(&ClaimParams::new(what, now, 100))).unwrap().leases
}

/// What a desk goes through before it is upgraded.
fn live(store: &dyn Store) {
    for (tenant, n) in tickets() {
        block_on(store.commit(opened(tenant, n))).unwrap();
    }
    let first = opened(tenant(), 1);
    for version in (4..).take(CHANGES as usize) {
        block_on(store.commit(changed(&first, version))).unwrap();
    }
    let hows = [
        SettleHow::Dead { error: "nobody there".to_owned() },
        SettleHow::Retry { at: after(10), error: "busy".to_owned() },
        SettleHow::Done,
    ];
    let leases = claim(store, ClaimWhat::Outbox, after(0));
    assert_eq!(leases.len(), 5, "the first of each lane; two stay under way");
    let settle =
        |(lease, how): (&Lease, SettleHow)| Settle { token: lease.token, now: after(0), how };
    let settles = leases.iter().zip(hows).map(settle).collect();
    assert!(block_on(store.settle(settles)).unwrap().iter().all(Result::is_ok));
}

/// What it says afterwards, and what it goes on with: line by line.
fn told(store: &dyn Store) -> Vec<String> {
    let mut lines = Vec::new();
    for (tenant, n) in tickets() {
        let opened = opened(tenant, n);
        let streams = opened.expect.iter().map(|expect| expect.stream);
        let mut keys: Vec<RecordKey> = streams.clone().map(RecordKey::Stream).collect();
        keys.push(RecordKey::Command(opened.commit_id));
        keys.push(RecordKey::Message(TicketId(case_of(&opened).id), 1));
        for (key, found) in keys.iter().zip(block_on(store.get(tenant, &keys)).unwrap()) {
            lines.push(format!("{key:?}: {:?}", found.unwrap()));
        }
        for stream in streams {
            let history = block_on(store.history(tenant, stream)).unwrap();
            lines.extend(history.iter().map(|entry| format!("{entry:?}")));
        }
    }
    for (tenant, _) in TICKETS {
        let tenant = TenantId(Uuid::from_u128(tenant));
        let feed = EventSource::Feed { after: 0, kinds: Vec::new() };
        let feed = block_on(store.events(&EventQuery::new(tenant, feed, 100))).unwrap();
        lines.extend(feed.rows.iter().map(|entry| format!("feed {entry:?}")));
        lines.push(format!("end {:?}", block_on(store.feed_end(tenant)).unwrap()));
        for kind in [ListKind::Cases(Shelf::All), ListKind::DeadLetters] {
            let rows = block_on(store.list(&ListQuery::all(tenant, kind, start(), 100))).unwrap();
            lines.extend(rows.rows.iter().map(|row| format!("{kind:?}: {row:?}")));
        }
        let redrive = Maintain::Redrive { tenant, ids: Vec::new(), now: after(5) };
        lines.push(format!("{:?}", block_on(store.maintain(&redrive)).unwrap()));
    }
    // What is due, in its order, until nothing is; each is done.
    for minutes in 0..20 {
        let now = after(minutes);
        let leases = claim(store, ClaimWhat::Outbox, now);
        lines.extend(leases.iter().map(|lease| format!("{minutes}: {lease:?}")));
        let done = |it: &Lease| Settle { token: it.token, now, how: SettleHow::Done };
        block_on(store.settle(leases.iter().map(done).collect())).unwrap();
    }
    // Then a ticket goes with all that is its own, and another is changed once more.
    let ticket = TicketId(case_of(&opened(tenant(), 1)).id);
    let tickets = vec![(ticket, 4 + CHANGES)];
    let purge = Maintain::PurgeTickets { tenant: tenant(), tickets };
    lines.push(format!("{:?}", block_on(store.maintain(&purge)).unwrap()));
    let committed = block_on(store.commit(changed(&opened(tenant(), 2), 4))).unwrap();
    lines.push(format!("{committed:?}"));
    let feed = EventSource::Feed { after: 0, kinds: vec![StreamKind::Case] };
    let feed = block_on(store.events(&EventQuery::new(tenant(), feed, 100))).unwrap();
    lines.extend(feed.rows.iter().map(|entry| format!("left {entry:?}")));
    lines
}

#[test]
#[ignore = "writes a fixture; see the head of this file"]
fn write_the_present_schema_as_it_is_lived_in() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    live(&SqliteStore::open(&path, SqliteOptions::default()).unwrap());
    let conn = Connection::open(&path).unwrap();
    let sql = "SELECT max(version) FROM hd_schema";
    let version: u32 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    std::fs::write(file(&format!("lived_{version}.sql")), dump(&conn)).unwrap();
}

#[test]
fn a_desk_that_was_lived_in_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let new = SqliteStore::open(directory.path().join("new.db"), SqliteOptions::default()).unwrap();
    live(&new);
    let said = told(&new);
    let is = |word: &str| said.iter().filter(|line| line.contains(word)).count();
    // Of two tickets, one more for the second, and the place of the last before the purge.
    assert_eq!((is("DeadLetters: "), is("left ")), (1, 2 * 4 + 1 + 1));
    for version in 3.. {
        let name = file(&format!("lived_{version}.sql"));
        if !name.exists() {
            // One for each but the present.
            assert!(version > 4, "no fixture of schema {version}");
            break;
        }
        let sql = std::fs::read_to_string(name).unwrap();
        let path = directory.path().join(format!("old_{version}.db"));
        Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
        let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
        store.verify().unwrap();
        let says = told(&store);
        for (said, says) in said.iter().zip(&says) {
            assert_eq!(said, says, "schema {version}");
        }
        assert_eq!(said.len(), says.len());
        let under_way = |line: &&String| line.contains("attempts: 2");
        assert!(says.iter().filter(under_way).count() >= 3, "what was under way comes again");
    }
}
