//! Backups, checks, and what the write-ahead log takes.

use crate::work::{received, start, tenant};
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use helpdesk_storage::{
    EventQuery, EventSource, ListKind, ListQuery, Maintain, Shelf, Store, StoreError, StoreExt,
};
use pollster::block_on;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

fn open(path: &Path) -> SqliteStore {
    let options = SqliteOptions::default().with_synchronous(Synchronous::Off);
    SqliteStore::open(path, options).unwrap()
}

fn cases(store: &dyn Store) -> u64 {
    let query = ListQuery::all(tenant(), ListKind::Cases(Shelf::All), start(), 1_000);
    block_on(store.list_all(query)).unwrap().len() as u64
}

fn n_events(store: &dyn Store) -> u64 {
    let (mut after, mut n) = (0, 0);
    loop {
        let feed = EventSource::Feed { after, kinds: Vec::new() };
        let page = block_on(store.events(&EventQuery::new(tenant(), feed, 1_000))).unwrap();
        n += page.rows.len() as u64;
        match page.next {
            Some(next) => after = next.0.parse().unwrap(),
            None => return n,
        }
    }
}

#[test]
fn a_backup_taken_while_others_write_is_the_state_at_one_moment() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("desk.db"));
    block_on(store.commit(received(1, 0))).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut n = 1;
            while !is_over.load(Ordering::Relaxed) {
                block_on(store.commit(received(n + 1, n))).unwrap();
                n += 1;
            }
            n
        });
        let mut sizes = Vec::new();
        for round in 0..5 {
            let before = cases(&store);
            let path = directory.path().join(format!("backup-{round}.db"));
            assert!(store.backup(&path).unwrap() > 0);
            let after = cases(&store);
            let backup = open(&path);
            backup.verify().unwrap();
            let n = cases(&backup);
            assert!((before..=after).contains(&n), "{before} <= {n} <= {after}");
            // Each case came with five entries, in one commit.
            assert_eq!(
                (n_events(&backup), block_on(backup.feed_end(tenant())).unwrap()),
                (n * 5, n * 5)
            );
            // It goes on by itself.
            block_on(backup.commit(received(n + 1, n))).unwrap();
            sizes.push(n);
        }
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(writer.join().unwrap(), cases(&store));
        assert!(sizes.is_sorted(), "{sizes:?}");
    });
}

#[test]
fn a_backup_replaces_nothing_and_leaves_no_parts() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("desk.db"));
    let path = directory.path().join("precious.txt");
    std::fs::write(&path, "precious").unwrap();
    let error = store.backup(&path).unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }) && error.to_string().contains("precious"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    let nowhere = directory.path().join("no/such/folder/backup.db");
    assert!(matches!(store.backup(&nowhere), Err(StoreError::Invalid { .. })));
}

#[test]
fn a_database_in_memory_can_be_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_in_memory(SqliteOptions::default()).unwrap();
    block_on(store.commit(received(1, 0))).unwrap();
    let path = directory.path().join("kept.db");
    store.backup(&path).unwrap();
    store.verify().unwrap();
    assert_eq!((cases(&open(&path)), store.wal_bytes().unwrap()), (1, 0));
}

#[test]
fn a_damaged_database_does_not_pass() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = open(&path);
    for n in 1..=20 {
        block_on(store.commit(received(n, n - 1))).unwrap();
    }
    store.verify().unwrap();
    block_on(store.maintain(&Maintain::Compact)).unwrap();
    drop(store);
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(
        "PRAGMA writable_schema = ON; \
         UPDATE sqlite_schema SET sql = replace(sql, 'number)', 'created_at)') \
         WHERE name = 'hd_ticket_number'",
    )
    .unwrap();
    drop(conn);
    let error = open(&path).verify().unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[test]
fn the_log_is_cut_when_it_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("desk.db"));
    for n in 1..=20 {
        block_on(store.commit(received(n, n - 1))).unwrap();
    }
    assert!(store.wal_bytes().unwrap() > 0);
    block_on(store.maintain(&Maintain::Compact)).unwrap();
    assert_eq!(store.wal_bytes().unwrap(), 0);
}
