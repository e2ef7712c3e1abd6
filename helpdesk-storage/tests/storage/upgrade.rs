//! Databases of earlier versions are brought up to date and say what they said.
//!
//! `upgrades/schema_N.sql` is what the last program that wrote schema N left behind: three
//! received messages, one timer and one message leased. Before a migration is added, the
//! present schema gets its file:
//!
//! ```sh
//! cargo test -p helpdesk-storage --test storage write_the_present_schema -- --ignored
//! ```

use crate::work::{received, start, tenant};
use chrono::TimeDelta;
use helpdesk_core::case::record::{Record, RecordKey, Stored};
use helpdesk_core::event::StreamId;
use helpdesk_core::id::CommandId;
use helpdesk_storage::sqlite::{SchemaState, SqliteOptions, SqliteStore};
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, Direction, Lease, ListKind, ListQuery, Order, OrderBy,
    Projection, Settle, SettleHow, Shelf, Store, StoreError, StoreExt, UniqueOp,
};
use pollster::block_on;
use rusqlite::Connection;
use std::fmt::Write;
use std::path::PathBuf;
use uuid::Uuid;

pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/storage/upgrades").join(name)
}

/// All of a database as SQL.
pub(crate) fn dump(conn: &Connection) -> String {
    let all = |sql: &str| -> Vec<(String, String)> {
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let mut text = String::new();
    let made =
        "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL ORDER BY rowid";
    let tables = all(&made.replace('?', "'table'"));
    for (name, sql) in &tables {
        writeln!(text, "{sql};").unwrap();
        let columns: Vec<String> =
            all(&format!("SELECT name, 'quote(' || name || ')' FROM pragma_table_info('{name}')"))
                .into_iter()
                .map(|(_, quoted)| quoted)
                .collect();
        let row = columns.join(" || ', ' || ");
        for (_, values) in all(&format!("SELECT '', {row} FROM {name}")) {
            writeln!(text, "INSERT INTO {name} VALUES ({values});").unwrap();
        }
    }
    for (_, sql) in all(&made.replace('?', "'index'")) {
        writeln!(text, "{sql};").unwrap();
    }
    text
}

#[test]
#[ignore = "writes a fixture; see the head of this file"]
fn write_the_present_schema() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    for n in 1..=3 {
        block_on(store.commit(received(n, n - 1))).unwrap();
    }
    for what in [ClaimWhat::Timers, ClaimWhat::Outbox] {
        let params = ClaimParams::new(what, start() + TimeDelta::days(1), 1);
        assert_eq!(block_on(store.claim(&params)).unwrap().leases.len(), 1);
    }
    let conn = Connection::open(&path).unwrap();
    let sql = "SELECT max(version) FROM hd_schema";
    let version: u32 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    std::fs::create_dir_all(file("")).unwrap();
    std::fs::write(file(&format!("schema_{version}.sql")), dump(&conn)).unwrap();
}

/// A database as an earlier version left it.
fn old(directory: &tempfile::TempDir, version: u32) -> PathBuf {
    let sql = std::fs::read_to_string(file(&format!("schema_{version}.sql"))).unwrap();
    let path = directory.path().join("old.db");
    Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
    path
}

/// What a store says of the three messages, beside what leases have to do with.
fn told(store: &SqliteStore) -> Vec<String> {
    let mut lines = Vec::new();
    for n in 1..=3 {
        let set = received(n, n - 1);
        let streams: Vec<StreamId> = set.expect.iter().map(|expect| expect.stream).collect();
        let mut keys: Vec<RecordKey> = streams.iter().copied().map(RecordKey::Stream).collect();
        let put = set.unique.iter().filter_map(|op| match op {
            UniqueOp::Put { key, .. } => Some(RecordKey::Unique(key.clone())),
            UniqueOp::Remove { .. } => None,
        });
        keys.extend(put);
        keys.push(RecordKey::Command(set.commit_id));
        for record in set.put {
            if let Record::Message(message) = record {
                keys.push(RecordKey::Message(message.ticket_id, message.meta.seq));
            }
        }
        for (key, found) in keys.iter().zip(block_on(store.get(tenant(), &keys)).unwrap()) {
            lines.push(format!("{key:?}: {:?}", found.unwrap()));
        }
        for stream in streams {
            let history = block_on(store.history(tenant(), stream)).unwrap();
            lines.extend(history.iter().map(|entry| format!("{entry:?}")));
        }
    }
    for by in [OrderBy::Number, OrderBy::CreatedAt, OrderBy::DueAt] {
        let mut list = ListQuery::all(tenant(), ListKind::Cases(Shelf::Live), start(), 10);
        list.order = Order { by, direction: Direction::Descending };
        for projection in [Projection::Full, Projection::Summary] {
            list.projection = projection;
            let rows = block_on(store.list(&list)).unwrap().rows;
            lines.extend(rows.iter().map(|row| format!("{by:?}: {row:?}")));
        }
    }
    lines
}

#[test]
fn each_earlier_schema_says_what_it_said() {
    let directory = tempfile::tempdir().unwrap();
    let new = SqliteStore::open(directory.path().join("new.db"), SqliteOptions::default()).unwrap();
    for n in 1..=3 {
        block_on(new.commit(received(n, n - 1))).unwrap();
    }
    for version in 1.. {
        if !file(&format!("schema_{version}.sql")).exists() {
            // One for each but the present.
            assert!(version > 4, "no fixture of schema {version}");
            break;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = old(&directory, version);
        let options = || SqliteOptions::default().with_migration(false);
        let store = SqliteStore::open(&path, options()).unwrap();
        let state = store.check().unwrap();
        assert!(
            matches!(state, SchemaState::Behind { found, .. } if found == version),
            "{version}: {state:?}"
        );
        store.migrate().unwrap();
        assert_eq!(store.check().unwrap(), SchemaState::Current);
        store.verify().unwrap();
        let (said, says) = (told(&new), told(&store));
        for (said, says) in said.iter().zip(&says) {
            assert_eq!(said, says, "schema {version}");
        }
        assert_eq!(said.len(), says.len());
        works(&store, version);
    }
}

/// Leases, replays, expectations and commits go on where the old program stopped.
fn works(store: &SqliteStore, version: u32) {
    let claim = |what, days| {
        let params = ClaimParams::new(what, start() + TimeDelta::days(days), 100);
        block_on(store.claim(&params)).unwrap()
    };
    // One of each is leased, for a minute after the first day.
    let timers = claim(ClaimWhat::Timers, 1);
    assert_eq!((timers.leases.len(), timers.next_due.is_some()), (2, true), "schema {version}");
    assert!(timers.leases.iter().all(|lease| lease.attempts == 1));
    let ended = claim(ClaimWhat::Timers, 2).leases;
    assert_eq!(ended.len(), 3);
    assert!(ended.iter().all(|lease| lease.attempts == 2), "{ended:?}");
    // The others wait behind the firsts of their lanes.
    let messages = claim(ClaimWhat::Outbox, 2).leases;
    assert_eq!(messages.len(), 3);
    let now = start() + TimeDelta::days(2);
    let done = |lease: &Lease| Settle { token: lease.token, now, how: SettleHow::Done };
    let settles = messages.iter().map(done).collect();
    assert!(block_on(store.settle(settles)).unwrap().iter().all(Result::is_ok));
    assert_eq!(claim(ClaimWhat::Outbox, 2).leases.len(), 3, "schema {version}");
    assert!(block_on(store.commit(received(2, 1))).unwrap().replayed.is_some());
    let conflict = block_on(store.commit(received(4, 0))).unwrap_err();
    assert!(matches!(conflict, StoreError::Conflict(_)), "{conflict:?}");
    let end = block_on(store.feed_end(tenant())).unwrap();
    let position = block_on(store.commit(received(4, 3))).unwrap().position.unwrap();
    assert_eq!((end, position), (15, 20), "schema {version}");
    for n in [1, 4] {
        answered(store, n, version);
    }
}

/// A ticket gets one more message, which stands behind its first.
fn answered(store: &SqliteStore, n: u64, version: u32) {
    let of_it = |change: &ChangeSet| {
        change.put.iter().find_map(|record| match record {
            Record::Message(message) => Some((**message).clone()),
            _ => None,
        })
    };
    let mut answer = of_it(&received(n, 0)).unwrap();
    answer.meta.seq = 2;
    let ticket = answer.ticket_id;
    let mut change = ChangeSet::new(tenant(), CommandId(Uuid::from_u128(n.into())), start());
    change.put.push(Record::Message(Box::new(answer)));
    block_on(store.commit(change)).unwrap();
    let query = ListQuery::all(tenant(), ListKind::Messages(ticket), start(), 10);
    let rows = block_on(store.list(&query)).unwrap().rows;
    let seq = |row: &Stored| match &row.record {
        Record::Message(message) => Some(message.meta.seq),
        _ => None,
    };
    let seqs: Vec<Option<u32>> = rows.iter().map(seq).collect();
    assert_eq!(seqs, [Some(1), Some(2)], "schema {version}");
}
