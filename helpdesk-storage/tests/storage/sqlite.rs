//! What SQLite does beside the suite: files, schemas, prefixes, full disks.

use crate::work::{received, start, tenant, ticket};
use chrono::TimeDelta;
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{Numbers, Record, RecordKey};
use helpdesk_core::event::{StreamId, TimerKind};
use helpdesk_core::id::{CommandId, TicketId};
use helpdesk_storage::memory::MemoryStore;
use helpdesk_storage::sqlite::{SchemaState, SqliteOptions, SqliteStore, Synchronous, in_tx};
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, EventQuery, EventSource, Expect, ListKind, ListQuery, Shelf,
    Store, StoreError, StoreExt,
};
use pollster::block_on;
use rusqlite::{Connection, TransactionBehavior};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use uuid::Uuid;

fn options() -> SqliteOptions {
    SqliteOptions::default().with_synchronous(Synchronous::Off)
}

pub(crate) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, options()).unwrap()
}

fn cases(store: &dyn Store) -> usize {
    let query = ListQuery::all(tenant(), ListKind::Cases(Shelf::All), start(), 100);
    block_on(store.list_all(query)).unwrap().len()
}

#[test]
fn a_reopened_database_has_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    for n in 1..=3 {
        let store = open(&path);
        block_on(store.commit(received(n, n - 1))).unwrap();
        assert_eq!(cases(&store), usize::try_from(n).unwrap());
    }
    let store = open(&path);
    let feed = EventSource::Feed { after: 0, kinds: Vec::new() };
    let events = block_on(store.events(&EventQuery::new(tenant(), feed, 100))).unwrap();
    assert_eq!(events.rows.len(), 15);
    assert!(block_on(store.commit(received(2, 1))).unwrap().replayed.is_some());
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = open(&path);
    block_on(store.commit(received(1, 0))).unwrap();
    drop(store);
    let conn = Connection::open(&path).unwrap();
    conn.execute("INSERT INTO hd_schema (version, checksum) VALUES (99, '')", []).unwrap();
    let error = SqliteStore::open(&path, options()).unwrap_err();
    assert!(matches!(error, StoreError::SchemaNewer { found: 99, .. }), "{error:?}");
    conn.execute("DELETE FROM hd_schema WHERE version = 99", []).unwrap();
    assert_eq!(cases(&open(&path)), 1, "nothing was lost");
}

/// Whoever went on with old statements would leave out what the newer version relies on.
#[test]
fn a_newer_schema_ends_the_transactions_of_a_store_that_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = open(&path);
    block_on(store.commit(received(1, 0))).unwrap();
    let mut other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE shop_order (id INTEGER)").unwrap();
    block_on(store.commit(received(2, 1))).unwrap();

    let migration = "INSERT INTO hd_schema (version, checksum) VALUES (99, '');
        ALTER TABLE hd_ticket ADD COLUMN later";
    other.execute_batch(migration).unwrap();
    let is_newer = |error| matches!(error, StoreError::SchemaNewer { found: 99, .. });
    for _ in 0..2 {
        assert!(is_newer(block_on(store.commit(received(3, 2))).unwrap_err()));
        let many = block_on(store.commit_many(vec![received(3, 2), received(4, 2)]));
        assert!(many.into_iter().all(|result| is_newer(result.unwrap_err())));
        let feed = EventSource::Feed { after: 0, kinds: Vec::new() };
        let events = block_on(store.events(&EventQuery::new(tenant(), feed, 100)));
        assert!(is_newer(events.unwrap_err()));
        let timers = ClaimParams::new(ClaimWhat::Timers, start() + TimeDelta::days(1), 1);
        assert!(is_newer(block_on(store.claim(&timers)).unwrap_err()));
        let tx = other.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        assert!(is_newer(in_tx(&tx).commit(&received(3, 2)).unwrap_err()));
    }
    let back = "DELETE FROM hd_schema WHERE version = 99;
        ALTER TABLE hd_ticket DROP COLUMN later";
    other.execute_batch(back).unwrap();
    block_on(store.commit(received(3, 2))).unwrap();
    assert_eq!(cases(&store), 3, "nothing else was written");
}

#[test]
fn a_schema_of_another_making_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    drop(open(&path));
    let conn = Connection::open(&path).unwrap();
    conn.execute("UPDATE hd_schema SET checksum = 'other'", []).unwrap();
    let error = SqliteStore::open(&path, options()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[test]
fn what_is_no_database_is_corrupt() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    std::fs::write(&path, "not a database, by far not a database".repeat(50)).unwrap();
    let error = SqliteStore::open(&path, options()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[test]
fn a_host_can_run_the_migrations_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = SqliteStore::open(&path, options().with_migration(false)).unwrap();
    assert_eq!(store.check().unwrap(), SchemaState::Behind { found: 0, known: 5 });
    let sql = store.pending_sql().unwrap();
    Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
    assert_eq!(store.check().unwrap(), SchemaState::Current);
    assert_eq!(store.pending_sql().unwrap(), "");
    store.migrate().unwrap();
    block_on(store.commit(received(1, 0))).unwrap();
    assert_eq!(cases(&store), 1);
}

#[test]
fn a_database_of_the_version_before_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = SqliteStore::open(&path, options().with_migration(false)).unwrap();
    let sql = store.pending_sql().unwrap();
    // Up to the mark of version 1: what that version left behind.
    let end = sql.find("ALTER TABLE").unwrap();
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(&sql[..end]).unwrap();
    conn.execute_batch(
        "INSERT INTO hd_timer (tenant_id, stream_kind, stream_id, kind, rank, generation, \
         set_for, due_at, is_leased, n_claims, n_attempts) \
         VALUES (x'00', 'case', x'00', 'auto_close', 5, 1, 0, 0, 0, 0, 0)",
    )
    .unwrap();
    assert_eq!(store.check().unwrap(), SchemaState::Behind { found: 1, known: 5 });
    store.migrate().unwrap();
    assert_eq!(store.check().unwrap(), SchemaState::Current);
    // Timers of that version keep their place among the new kinds.
    let rank: i64 = conn.query_row("SELECT rank FROM hd_timer", [], |row| row.get(0)).unwrap();
    let place = TimerKind::ALL.iter().position(|kind| *kind == TimerKind::AutoClose);
    assert_eq!(usize::try_from(rank).ok(), place);
    block_on(store.commit(received(1, 0))).unwrap();
    assert_eq!(cases(&store), 1);
}

#[test]
fn two_prefixes_in_one_file_do_not_see_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let first = open(&path);
    let second = SqliteStore::open(&path, options().with_prefix("unique_").unwrap()).unwrap();
    block_on(first.commit(received(1, 0))).unwrap();
    assert_eq!((cases(&first), cases(&second)), (1, 0));
    block_on(second.commit(received(1, 0))).unwrap();
    block_on(second.commit(received(2, 1))).unwrap();
    assert_eq!((cases(&first), cases(&second)), (1, 2));
}

#[test]
fn a_prefix_is_checked_at_its_limits() {
    let check = |prefix: &str| SqliteOptions::default().with_prefix(prefix).is_ok();
    assert!(check("a") && check(&"a".repeat(32)) && check("desk_2_"));
    let wrong = ["", "_a", "2a", "A", "a-b", "a\"", "é", "sqlite_", &"a".repeat(33)];
    assert!(!wrong.iter().any(|prefix| check(prefix)));
}

#[test]
fn a_full_disk_leaves_the_state_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = open(&path);
    block_on(store.commit(received(1, 0))).unwrap();
    // The limit is of a connection, so it is put on the store's own.
    store.limit_pages(80).unwrap();
    let mut n = 1;
    let error = loop {
        match block_on(store.commit(received(n + 1, n))) {
            Ok(_) => n += 1,
            Err(error) => break error,
        }
        assert!(n < 1_000, "the disk never was full");
    };
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert_eq!(cases(&store), usize::try_from(n).unwrap());
    let load = RecordKey::Stream(StreamId::load(crate::work::agent()));
    assert_eq!(block_on(store.get_one(tenant(), load)).unwrap().unwrap().version, n);
    // It says so again and again, of many at once too, and works once there is room.
    let results = block_on(store.commit_many(vec![received(n + 1, n), received(n + 2, n + 1)]));
    assert!(results.iter().all(Result::is_err));
    store.limit_pages(1_000_000).unwrap();
    block_on(store.commit(received(n + 1, n))).unwrap();
    assert_eq!(cases(&store), usize::try_from(n).unwrap() + 1);
}

/// Takes the next block of numbers, as an engine does: read, commit, try again.
fn lease_block(store: &dyn Store) -> (u64, u32) {
    let stream = StreamId::numbers(tenant());
    for tries in 0.. {
        let found = block_on(store.get_one(tenant(), RecordKey::Stream(stream))).unwrap();
        let (version, mut numbers) = match found.map(|row| (row.version, row.record)) {
            Some((version, Record::Numbers(numbers))) => (version, numbers),
            _ => (0, Numbers::default()),
        };
        let next = numbers.next.entry("HD".into()).or_insert(1);
        let first = *next;
        *next += 64;
        let id = CommandId(Uuid::from_u128(u128::from(first) << 32));
        let mut change = ChangeSet::new(tenant(), id, start());
        change.expect.push(Expect { stream, version });
        change.put.push(Record::Numbers(numbers));
        match block_on(store.commit(change)) {
            Ok(_) => return (first, tries),
            Err(error) => assert!(error.is_lost_race(), "{error:?}"),
        }
    }
    unreachable!()
}

/// Threads count one ticket up, and lease numbers, all on one store.
pub(crate) fn race(store: &dyn Store) {
    const THREADS: usize = 4;
    const ROUNDS: u64 = 50;
    let id = TicketId(Uuid::from_u128(1));
    let blocks = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    blocks.lock().unwrap().push(lease_block(store).0);
                    count_up(store, id);
                }
            });
        }
    });
    let n = THREADS as u64 * ROUNDS;
    let (version, case) = block_on(store.get_case(tenant(), id)).unwrap().unwrap();
    assert_eq!((version, case.ticket.counters.reopens), (n, u32::try_from(n).unwrap()));
    let blocks = blocks.into_inner().unwrap();
    let wanted: BTreeSet<u64> = (0..n).map(|block| 1 + block * 64).collect();
    assert_eq!(blocks.len() as u64, n);
    assert_eq!(blocks.into_iter().collect::<BTreeSet<_>>(), wanted);
}

fn count_up(store: &dyn Store, id: TicketId) {
    loop {
        let (version, mut case) = block_on(store.get_case(tenant(), id))
            .unwrap()
            .unwrap_or_else(|| (0, Box::new(Case::new(ticket(id, 1, start())))));
        case.ticket.counters.reopens += 1;
        let command = CommandId(Uuid::from_u128(u128::from(version)));
        let mut change = ChangeSet::new(tenant(), command, start());
        change.expect.push(Expect { stream: StreamId::case(id), version });
        change.put.push(Record::Case(case));
        match block_on(store.commit(change)) {
            Ok(_) => return,
            Err(error) => assert!(error.is_lost_race(), "{error:?}"),
        }
    }
}

#[test]
fn threads_on_one_memory_store_lose_nothing() {
    race(&MemoryStore::default());
}

#[test]
fn threads_on_one_sqlite_store_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    race(&open(&directory.path().join("desk.db")));
}

#[test]
fn two_stores_on_one_file_share_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let (first, second) = (open(&path), open(&path));
    let mut taken = BTreeSet::new();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| (0..50).map(|_| lease_block(&second).0).collect::<Vec<_>>());
        taken.extend((0..50).map(|_| lease_block(&first).0));
        taken.extend(other.join().unwrap());
    });
    assert_eq!(taken.len(), 100);
}
