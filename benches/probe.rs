//! Throw-away.
#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#[path = "fixture/mod.rs"]
#[allow(dead_code, unused_imports)]
mod fixture;
#[path = "fixture/stored.rs"]
#[allow(dead_code, unused_imports)]
mod stored;
use fixture::{TENANT, cpu_time};
use helpdesk::core::case::record::RecordKey;
use helpdesk::core::event::StreamId;
use helpdesk::storage::sqlite::Synchronous;
use helpdesk::storage::{ChangeSet, Store};
use helpdesk::{SqliteOptions, SqliteStore, block_on};
use helpdesk_torture_disk::slow_syncs;
use std::time::{Duration, Instant};
use stored::Kinds;

fn main() {
    let args: Vec<String> = std::env::args().filter(|a| a != "--bench").collect();
    let mode = args[1].as_str();
    let path = &args[2];
    let n: usize = args[3].parse().unwrap();
    let kinds = Kinds::record();
    match mode {
        "fill" => {
            let store = SqliteStore::open(path, SqliteOptions::default().with_synchronous(Synchronous::Off)).unwrap();
            let mut first = 1;
            while first <= n {
                let end = (first + 1_000).min(n + 1);
                for r in block_on(store.commit_many(kinds.receives(first..end).collect())) { r.unwrap(); }
                first = end;
            }
            block_on(store.maintain(&helpdesk::storage::Maintain::Compact)).unwrap();
        }
        "get" => {
            let reads: usize = args[4].parse().unwrap();
            let store = SqliteStore::open(path, SqliteOptions::default().with_synchronous(Synchronous::Off)).unwrap();
            let mut took = Vec::new();
            for i in 0..reads {
                let t = 1 + (i * 7_919) % n;
                let key = RecordKey::Stream(StreamId::case(kinds.ticket(t)));
                let start = cpu_time();
                let found = block_on(store.get(TENANT, &[key])).unwrap();
                assert!(found[0].is_some());
                drop(found);
                took.push((cpu_time() - start).as_nanos());
            }
            took.sort_unstable();
            println!("p50 {} p99 {}", took[reads / 2], took[reads * 99 / 100]);
        }
        "many" => {
            // commit_many of n at once, CPU a commit
            let store = SqliteStore::open(path, SqliteOptions::default().with_synchronous(Synchronous::Off)).unwrap();
            let base: usize = args[4].parse().unwrap();
            let mut best = f64::MAX;
            for round in 0..20 {
                let first = base + round * n * 10;
                let sets: Vec<Vec<ChangeSet>> = (0..10).map(|i| kinds.receives(first + i * n..first + (i + 1) * n).collect()).collect();
                let start = cpu_time();
                for set in sets { for r in block_on(store.commit_many(set)) { r.unwrap(); } }
                best = best.min((cpu_time() - start).as_nanos() as f64 / (n * 10) as f64);
            }
            println!("{best} ns a commit");
        }
        "durable" => {
            slow_syncs(Duration::from_millis(4));
            let store = SqliteStore::open(path, SqliteOptions::default()).unwrap();
            let base: usize = args[4].parse().unwrap();
            for round in 0..6 {
                let first = base + round * n * 20;
                let jobs: Vec<Vec<ChangeSet>> = (0..n).map(|c| kinds.receives(first + c * 20..first + (c + 1) * 20).collect()).collect();
                let start = Instant::now();
                std::thread::scope(|scope| for job in jobs {
                    let store = &store;
                    scope.spawn(move || for set in job { block_on(store.commit(set)).unwrap(); });
                });
                println!("{} us a round", start.elapsed().as_micros() / 20);
            }
        }
        _ => panic!(),
    }
}
