//! Commits that come together: of many callers, and of a host in its own transaction.

use crate::work::{received, start, tenant};
use helpdesk_core::case::record::{RecordKey, UniqueKey};
use helpdesk_core::event::StreamId;
use helpdesk_core::id::TicketId;
use helpdesk_storage::sqlite::rusqlite::{Connection, TransactionBehavior};
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore, Synchronous, in_tx};
use helpdesk_storage::{ListKind, ListQuery, Shelf, Store, StoreError, StoreExt};
use pollster::block_on;
use std::future::Future;
use std::path::Path;
use std::task::{Context, Waker};
use std::time::Duration;

fn options() -> SqliteOptions {
    SqliteOptions::default().with_synchronous(Synchronous::Off)
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, options()).unwrap()
}

fn cases(store: &dyn Store) -> usize {
    let query = ListQuery::all(tenant(), ListKind::Cases(Shelf::All), start(), 1_000);
    block_on(store.list_all(query)).unwrap().len()
}

/// A host's connection with a table of its own.
fn host(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch("CREATE TABLE IF NOT EXISTS shop_order (id INTEGER PRIMARY KEY)").unwrap();
    conn
}

fn n_orders(conn: &Connection) -> i64 {
    conn.query_row("SELECT count(*) FROM shop_order", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_host_commits_its_rows_and_ours_together() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let store = open(&path);
    let mut conn = host(&path);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    tx.execute("INSERT INTO shop_order (id) VALUES (1)", []).unwrap();
    let committed = in_tx(&tx).commit(&received(1, 0)).unwrap();
    assert!(committed.position.is_some());
    assert_eq!(cases(&store), 0, "nobody sees it yet");
    tx.commit().unwrap();
    assert_eq!((cases(&store), n_orders(&conn)), (1, 1));
    // The store's own writer goes on from there: versions, positions, numbers of events.
    block_on(store.commit(received(2, 1))).unwrap();
    assert!(block_on(store.commit(received(1, 0))).unwrap().replayed.is_some());
    let end = block_on(store.feed_end(tenant())).unwrap();
    assert_eq!(end, 2 * committed.position.unwrap());
    store.verify().unwrap();
}

#[test]
fn what_a_host_rolls_back_never_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let store = open(&path);
    block_on(store.commit(received(1, 0))).unwrap();
    let end = block_on(store.feed_end(tenant())).unwrap();
    let mut conn = host(&path);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    tx.execute("INSERT INTO shop_order (id) VALUES (1)", []).unwrap();
    in_tx(&tx).commit(&received(2, 1)).unwrap();
    tx.rollback().unwrap();
    assert_eq!((cases(&store), n_orders(&conn)), (1, 0));
    assert_eq!(block_on(store.feed_end(tenant())).unwrap(), end);
    // The same again, by the store itself, is no replay and finds no leftovers.
    assert!(block_on(store.commit(received(2, 1))).unwrap().replayed.is_none());
    assert_eq!(cases(&store), 2);
}

#[test]
fn a_host_goes_on_after_a_change_set_that_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let store = open(&path);
    block_on(store.commit(received(1, 0))).unwrap();
    let mut conn = host(&path);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    tx.execute("INSERT INTO shop_order (id) VALUES (1)", []).unwrap();
    let error = in_tx(&tx).commit(&received(2, 0)).unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error:?}");
    // One that fails while it is written leaves nothing of itself either.
    tx.execute_batch(
        "CREATE TEMP TRIGGER broken BEFORE INSERT ON hd_outbox \
        BEGIN SELECT raise(FAIL, 'broken'); END",
    )
    .unwrap();
    let error = in_tx(&tx).commit(&received(2, 1)).unwrap_err();
    assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    tx.commit().unwrap();
    assert_eq!((cases(&store), n_orders(&conn)), (1, 1));
    let number = received(2, 1).unique.into_iter().find_map(|op| match op {
        helpdesk_storage::UniqueOp::Put { key: key @ UniqueKey::Number { .. }, .. } => Some(key),
        _ => None,
    });
    let key = RecordKey::Unique(number.unwrap());
    assert!(block_on(store.get_one(tenant(), key)).unwrap().is_none());
}

#[test]
fn a_prefix_of_the_stores_is_the_hosts_to_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let options = options().with_prefix("desk_").unwrap();
    let store = SqliteStore::open(&path, options.clone()).unwrap();
    let mut conn = host(&path);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    assert!(in_tx(&tx).commit(&received(1, 0)).is_err(), "there are no tables `hd_…`");
    in_tx(&tx).with_options(&options).commit(&received(1, 0)).unwrap();
    tx.commit().unwrap();
    assert_eq!(cases(&store), 1);
}

/// Callers on many threads; some of them give up after one look.
#[test]
fn callers_on_many_threads_commit_all_that_they_were_told() {
    const THREADS: u64 = 8;
    const ROUNDS: u64 = 40;
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("desk.db"));
    let n_kept = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let store = &store;
                scope.spawn(move || {
                    let mut n_kept = 0;
                    for round in 0..ROUNDS {
                        let n = 1 + thread * ROUNDS + round;
                        let mut change = received(n, 0);
                        // The agent's load is everybody's: without it nobody loses a race.
                        let load = StreamId::load(crate::work::agent());
                        change.expect.retain(|expect| expect.stream != load);
                        change.put.retain(|record| record.stream() != Some(load));
                        change.events.retain(|event| event.stream != load);
                        if round % 5 == 4 {
                            let mut commit = Box::pin(store.commit(change));
                            let mut context = Context::from_waker(Waker::noop());
                            if commit.as_mut().poll(&mut context).is_ready() {
                                n_kept += 1;
                            }
                        } else {
                            block_on(store.commit(change)).unwrap();
                            n_kept += 1;
                        }
                    }
                    n_kept
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum::<usize>()
    });
    let n = cases(&store);
    // One that was given up may have been at work with another's.
    assert!((n_kept..=usize::try_from(THREADS * ROUNDS).unwrap()).contains(&n), "{n_kept}, {n}");
    store.verify().unwrap();
}

#[test]
fn a_read_that_takes_too_long_is_broken_off() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.db");
    let store = open(&path);
    let changes = (1..=200).map(|n| received(n, n - 1)).collect();
    assert!(block_on(store.commit_many(changes)).iter().all(Result::is_ok));
    let hasty = SqliteStore::open(&path, options().with_read_timeout(Duration::ZERO)).unwrap();
    let query = ListQuery::all(tenant(), ListKind::Cases(Shelf::All), start(), 1_000);
    let mut slow = query.clone();
    slow.scope = helpdesk_core::access::scope::Scope::Participant(helpdesk_core::id::ContactId(
        uuid::Uuid::from_u128(1),
    ));
    let broken_off =
        (0..50).any(|_| matches!(block_on(hasty.list(&slow)), Err(StoreError::Unavailable { .. })));
    assert!(broken_off);
    // What is quick still is answered, and writes have all the time they need.
    let key = RecordKey::Stream(StreamId::case(TicketId(uuid::Uuid::from_u128(1))));
    assert!(block_on(hasty.get(tenant(), &[key])).is_ok());
    block_on(hasty.commit(received(201, 200))).unwrap();
    assert_eq!(block_on(store.list_all(query)).unwrap().len(), 201);
}
