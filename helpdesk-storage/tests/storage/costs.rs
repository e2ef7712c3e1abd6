//! What a commit costs beside the insert of one blob; run by hand with
//! `cargo test --release -p helpdesk-storage -- --ignored --nocapture costs`.

use crate::work::{received, start, tenant};
use helpdesk_core::case::record::{RecordKey, UniqueKey};
use helpdesk_storage::memory::MemoryStore;
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use helpdesk_storage::{Direction, ListKind, ListQuery, Order, OrderBy, Shelf, Store, StoreExt};
use pollster::block_on;
use std::time::Instant;

const N: u64 = 20_000;

fn micros(started: Instant, n: u64) -> f64 {
    started.elapsed().as_secs_f64() * 1e6 / n as f64
}

fn blobs(path: &std::path::Path) -> f64 {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.pragma_update(None, "synchronous", "OFF").unwrap();
    conn.execute_batch("CREATE TABLE t (id BLOB PRIMARY KEY, doc BLOB)").unwrap();
    let started = Instant::now();
    for n in 0..N {
        let doc = vec![7u8; 6_000];
        let id = (n as u128).to_be_bytes();
        conn.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
        let sql = "INSERT INTO t VALUES (?1, ?2)";
        conn.prepare_cached(sql).unwrap().execute(rusqlite::params![id, doc]).unwrap();
        conn.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
    }
    micros(started, N)
}

fn store(name: &str, store: &dyn Store) {
    let changes: Vec<_> = (1..=N).map(|n| received(n, n - 1)).collect();
    let started = Instant::now();
    for change in changes {
        block_on(store.commit(change)).unwrap();
    }
    println!("{name}: commit {:.1} us", micros(started, N));

    let started = Instant::now();
    for n in 1..=N {
        let external_id = format!("<{n}.abcdef@mail.example.com>");
        let mailbox = Some(crate::work::key("support"));
        let key = RecordKey::Unique(UniqueKey::Message { mailbox, external_id });
        assert!(block_on(store.get_one(tenant(), key)).unwrap().is_some());
    }
    println!("{name}: get by key {:.1} us", micros(started, N));

    for by in [OrderBy::Number, OrderBy::CreatedAt, OrderBy::UpdatedAt, OrderBy::Priority] {
        let mut query = ListQuery::all(tenant(), ListKind::Cases(Shelf::Live), start(), 50);
        query.order = Order { by, direction: Direction::Descending };
        let started = Instant::now();
        for _ in 0..20 {
            assert_eq!(block_on(store.list(&query)).unwrap().rows.len(), 50);
        }
        println!("{name}: list of 50 by {by:?} {:.1} us", micros(started, 20));
    }
}

#[test]
#[ignore = "measures, checks nothing"]
fn costs() {
    let directory = tempfile::tempdir().unwrap();
    println!("one blob of 6000 bytes: {:.1} us", blobs(&directory.path().join("blob.db")));
    store("memory", &MemoryStore::default());
    let options = SqliteOptions::default().with_synchronous(Synchronous::Off);
    let path = directory.path().join("store.db");
    store("sqlite", &SqliteStore::open(&path, options).unwrap());
    println!("{} bytes a ticket", std::fs::metadata(&path).unwrap().len() / N);
}
