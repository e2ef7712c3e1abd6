//! What a backend does with what it cannot read, such as what a newer version wrote.

use crate::postgres::Host;
use crate::servers::options;
use crate::sqlite;
use crate::work::{received, start};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::event::TimerKind;
use helpdesk_storage::postgres::PostgresStore;
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, LEASE_SECONDS, LeaseBody, LeasedThing, Maintain, Settle,
    SettleHow, Store, UNREADABLE_SECONDS,
};
use helpdesk_test_support::postgres::shared;
use pollster::block_on;
use rusqlite::Connection;
use uuid::Uuid;

/// A store, and a way around it to its tables.
struct Tables<'a> {
    store: &'a dyn Store,
    /// What stands before a table's name.
    prefix: String,
    /// Runs SQL; an id in it is said by this one's words.
    run: &'a dyn Fn(&str),
    id: fn(Uuid) -> String,
}

/// What a claim gives: of whom, and the number of the attempt.
type Given = Vec<(Uuid, u32)>;

impl Tables<'_> {
    fn set(&self, table: &str, column: &str, value: &str, key: &str, id: Uuid) {
        let (prefix, id) = (&self.prefix, (self.id)(id));
        (self.run)(&format!("UPDATE {prefix}{table} SET {column} = '{value}' WHERE {key} = {id}"));
    }

    fn claim(&self, what: ClaimWhat, now: DateTime<Utc>, max: usize) -> Given {
        let claimed = block_on(self.store.claim(&ClaimParams::new(what, now, max))).unwrap();
        let mut given: Given = Vec::new();
        for lease in claimed.leases {
            if let LeaseBody::Outbox(message) = &lease.body {
                assert_eq!(lease.token.thing, LeasedThing::Outbox { id: message.id });
            }
            let id = match lease.token.thing {
                LeasedThing::Timer { stream, .. } => stream.id,
                LeasedThing::Outbox { id } => id,
            };
            given.push((id, lease.attempts));
        }
        given
    }
}

fn on_sqlite(test: impl Fn(&Tables<'_>)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = sqlite::open(&path);
    let run = |sql: &str| {
        assert_eq!(Connection::open(&path).unwrap().execute(sql, []).unwrap(), 1);
    };
    let id = |id: Uuid| format!("x'{}'", id.simple());
    test(&Tables { store: &store, prefix: "hd_".to_owned(), run: &run, id });
}

fn on_postgres(test: impl Fn(&Tables<'_>)) {
    let (address, options) = (shared().unwrap(), options());
    let store = block_on(PostgresStore::open(&address, options.clone())).unwrap();
    let host = Host::connect(&address);
    let run = |sql: &str| host.run(sql);
    let id = |id: Uuid| format!("'{id}'");
    let prefix = format!("{}.hd_", options.schema());
    test(&Tables { store: &store, prefix, run: &run, id });
}

fn after(seconds: u32) -> DateTime<Utc> {
    start() + TimeDelta::seconds(600 + i64::from(seconds))
}

/// Three tickets, each with a lane of two messages and a timer.
fn three(store: &dyn Store) -> Vec<ChangeSet> {
    let changes: Vec<ChangeSet> = (1..=3).map(|n| received(n, n - 1)).collect();
    for change in &changes {
        block_on(store.commit(change.clone())).unwrap();
    }
    changes
}

/// The message that nobody can read stops its lane, and nobody else's.
fn a_message_that_cannot_be_read_is_left_out(tables: &Tables<'_>) {
    let changes = three(tables.store);
    let heads: Vec<_> = changes.iter().map(|it| &it.outbox[0].message).collect();
    let ids: Vec<Uuid> = heads.iter().map(|message| message.id).collect();
    let claim = |seconds, max| tables.claim(ClaimWhat::Outbox, after(seconds), max);
    tables.set("outbox", "doc", r#"{"effect": "of tomorrow"}"#, "id", ids[0]);
    // It takes no one's place.
    assert_eq!(claim(0, 1), [(ids[1], 1)]);
    assert_eq!(claim(0, 10), [(ids[2], 1)]);
    assert_eq!(claim(LEASE_SECONDS, 10), [(ids[1], 2), (ids[2], 2)]);
    // Nobody reads it then either, and nothing else is due.
    let later = UNREADABLE_SECONDS;
    assert_eq!(claim(later, 10), [(ids[1], 3), (ids[2], 3)]);
    assert_eq!(claim(later, 10), []);
    // Somebody who can read it finds it as it was, and its lane behind it.
    let doc = serde_json::to_string(heads[0]).unwrap();
    tables.set("outbox", "doc", &doc, "id", ids[0]);
    assert_eq!(claim(2 * later - 1, 10), [(ids[1], 4), (ids[2], 4)]);
    assert_eq!(claim(2 * later, 10), [(ids[0], 1)]);
}

fn a_timer_that_cannot_be_read_is_left_out(tables: &Tables<'_>) {
    let changes = three(tables.store);
    let ids: Vec<Uuid> = changes.iter().map(|it| it.expect[0].stream.id).collect();
    let claim =
        |seconds: u32, max| tables.claim(ClaimWhat::Timers, after(9 * 3_600 + seconds), max);
    tables.set("timer", "kind", "of_tomorrow", "stream_id", ids[0]);
    assert_eq!(claim(0, 1), [(ids[1], 1)]);
    assert_eq!(claim(0, 10), [(ids[2], 1)]);
    assert_eq!(claim(LEASE_SECONDS, 10), [(ids[1], 2), (ids[2], 2)]);
    tables.set("timer", "kind", TimerKind::IdleUnassign.as_str(), "stream_id", ids[0]);
    assert_eq!(claim(UNREADABLE_SECONDS, 1), [(ids[1], 3)]);
    let rest = claim(UNREADABLE_SECONDS, 10);
    assert!(rest.contains(&(ids[0], 1)) && rest.contains(&(ids[2], 3)), "{rest:?}");
}

#[test]
fn sqlite_puts_the_other_dead_letters_back_when_one_cannot_be_read() {
    on_sqlite(|tables| {
        let tenant = three(tables.store)[0].tenant;
        let params = ClaimParams::new(ClaimWhat::Outbox, after(0), 10);
        let leases = block_on(tables.store.claim(&params)).unwrap().leases;
        let ids: Vec<Uuid> = leases
            .iter()
            .map(|lease| match &lease.body {
                LeaseBody::Outbox(message) => message.id,
                LeaseBody::Timer { .. } => Uuid::nil(),
            })
            .collect();
        let how = || SettleHow::Dead { error: "no such mailbox".to_owned() };
        let dead = leases.iter().map(|it| Settle { token: it.token, now: after(0), how: how() });
        for settled in block_on(tables.store.settle(dead.collect())).unwrap() {
            settled.unwrap();
        }
        let key = [RecordKey::DeadLetter(ids[0])];
        let found = block_on(tables.store.get(tenant, &key)).unwrap().remove(0).unwrap();
        let Record::DeadLetter(letter) = found.record else { panic!("no letter") };
        tables.set("dead", "doc", r#"{"effect": "of tomorrow"}"#, "id", ids[0]);
        let redrive = Maintain::Redrive { tenant, ids: Vec::new(), now: after(1) };
        let put_back = || block_on(tables.store.maintain(&redrive)).unwrap().n_rows;
        assert_eq!(put_back(), 2);
        tables.set("dead", "doc", &serde_json::to_string(&letter).unwrap(), "id", ids[0]);
        assert_eq!(put_back(), 1);
    });
}

#[test]
fn sqlite_gives_the_others_when_a_message_cannot_be_read() {
    on_sqlite(a_message_that_cannot_be_read_is_left_out);
}

#[test]
fn sqlite_gives_the_others_when_a_timer_cannot_be_read() {
    on_sqlite(a_timer_that_cannot_be_read_is_left_out);
}

#[test]
fn postgres_gives_the_others_when_a_message_cannot_be_read() {
    on_postgres(a_message_that_cannot_be_read_is_left_out);
}

#[test]
fn postgres_gives_the_others_when_a_timer_cannot_be_read() {
    on_postgres(a_timer_that_cannot_be_read_is_left_out);
}
