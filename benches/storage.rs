//! What the embedded store costs: `cargo xtask bench storage [--tickets N] [--only PART]`.
//!
//! Prints one JSON object; docs/PERFORMANCE.md says what its fields are. Each cost stands
//! beside a floor that was measured in turns with it, and of both the least of all rounds
//! counts: CPU time of the calling thread where nothing waits, wall time where the disk does.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench may panic, and prints what it found"
)]

#[path = "fixture/mod.rs"]
#[allow(dead_code, unused_imports, reason = "a part of it is used")]
mod fixture;
#[path = "fixture/log.rs"]
mod log;
#[path = "fixture/stored.rs"]
mod stored;

use fixture::floor::{bytes_written, floor, noise, put_blob, put_blobs};
use fixture::{TENANT, cpu_time, fill, now, receive};
use helpdesk::core::case::record::RecordKey;
use helpdesk::core::event::StreamId;
use helpdesk::core::view::{Direction, OrderBy};
use helpdesk::storage::sqlite::Synchronous;
use helpdesk::storage::{
    ChangeSet, ClaimParams, ClaimWhat, ListKind, ListQuery, Maintain, Order, Projection, Settle,
    SettleHow, Shelf, Store,
};
use helpdesk::{Helpdesk, SqliteOptions, SqliteStore, block_on};
use helpdesk_torture_disk::slow_syncs;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use stored::{Kinds, pure_bytes};
use tempfile::TempDir;

/// Tickets among which single ones and pages are read, unless the options say.
const TICKETS: usize = 1_000_000;
/// Rounds of which the best counts.
const ROUNDS: usize = 9;
/// Commits of one round.
const COMMITS: usize = 200;
/// Commits whose pages are counted, and as many before them.
const PAGED: usize = 300;
/// Callers at once.
const CALLERS: [usize; 3] = [1, 8, 32];
/// Commits of one caller in a durable round.
const DURABLE: usize = 20;
/// What a sync takes on the slow disk, beside what it takes on this one: as a good part of
/// the disks in clouds.
const SLOW_SYNC: Duration = Duration::from_millis(4);
/// How much of the database is mapped where that is measured: as much as SQLite does.
const MAPPED: u64 = 1 << 40;
/// The file of a database within its folder.
const FILE: &str = "desk.db";
/// Reads of one kind.
const READS: usize = 2_000;
/// Tickets read one by one.
const GETS: usize = 20_000;

struct Options {
    n_tickets: usize,
    n_rounds: usize,
    /// The part that is measured; all of them unless named.
    only: Option<String>,
}

impl Options {
    /// Cargo adds `--bench`, and the suite `--test`: small then.
    fn read() -> Self {
        let mut options = Self { n_tickets: TICKETS, n_rounds: ROUNDS, only: None };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--tickets" => {
                    let value = args.next().and_then(|value| value.parse().ok());
                    options.n_tickets = value.expect("`--tickets` wants a number");
                }
                "--only" => options.only = Some(args.next().expect("`--only` wants a part")),
                "--test" => (options.n_tickets, options.n_rounds) = (3_000, 2),
                "--bench" => {}
                other => panic!("no option `{other}`"),
            }
        }
        options
    }
}

fn main() {
    let options = Options::read();
    let n_rounds = options.n_rounds;
    let durable = |wait| json!(CALLERS.map(|callers| durable(callers, n_rounds, wait)));
    let parts: [(&str, &dyn Fn() -> Value); 6] = [
        ("commit", &|| commit_cpu(n_rounds)),
        ("pages", &pages),
        ("durable", &|| durable(Duration::ZERO)),
        ("durable_slow", &|| durable(SLOW_SYNC)),
        ("receive", &|| receive_cpu(n_rounds)),
        ("large", &|| large(options.n_tickets)),
    ];
    if let Some(only) = &options.only {
        assert!(parts.iter().any(|(name, _)| name == only), "no part `{only}`");
    }
    let mut found = json!({"format": 1, "tickets": options.n_tickets});
    for (name, part) in parts {
        if options.only.as_deref().is_none_or(|only| only == name) {
            found[name] = part();
        }
    }
    println!("{found}");
}

fn open(folder: &TempDir, synchronous: Synchronous) -> SqliteStore {
    let options = SqliteOptions::default().with_synchronous(synchronous);
    SqliteStore::open(folder.path().join(FILE), options).expect("opens")
}

/// A folder on the disk that the project is on: `/tmp` may be memory.
fn folder() -> TempDir {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), Into::into);
    let target: std::path::PathBuf = target;
    std::fs::create_dir_all(&target).expect("a folder");
    TempDir::new_in(target).expect("a folder")
}

/// Nanoseconds of CPU for each of some jobs.
fn each<T>(jobs: Vec<T>, mut work: impl FnMut(T)) -> f64 {
    let n = jobs.len();
    let start = cpu_time();
    jobs.into_iter().for_each(&mut work);
    (cpu_time() - start).as_nanos() as f64 / n as f64
}

fn least(rounds: &[f64]) -> f64 {
    rounds.iter().copied().fold(f64::INFINITY, f64::min)
}

/// One commit of what a received message leaves, without waiting for the disk, beside one
/// row of as many bytes.
fn commit_cpu(n_rounds: usize) -> Value {
    let (ours, theirs) = (folder(), folder());
    let store = open(&ours, Synchronous::Off);
    let kinds = Kinds::record();
    let n_written = bytes_written(&ours.path().join(FILE), || {
        for change_set in kinds.receives(1..65) {
            block_on(store.commit(change_set)).expect("commits");
        }
    }) / 64;
    let conn = floor(&theirs.path().join("floor.db"));
    let blob = noise(n_written);
    let (mut own, mut floors) = (Vec::new(), Vec::new());
    for round in 0..n_rounds {
        let first = 10_000 + round * COMMITS;
        let change_sets: Vec<ChangeSet> = kinds.receives(first..first + COMMITS).collect();
        own.push(each(change_sets, |set| {
            block_on(store.commit(set)).expect("commits");
        }));
        floors.push(each(vec![(); COMMITS], |()| put_blob(&conn, &blob)));
    }
    json!({
        "bytes": n_written,
        "cpu_ns": least(&own), "floor_cpu_ns": least(&floors),
        "x_floor": least(&own) / least(&floors),
    })
}

/// Pages that one commit of a received message writes to the log, in all and of each table and
/// index: as many whenever they are counted.
fn pages() -> Value {
    let folder = folder();
    let store = open(&folder, Synchronous::Off);
    let kinds = Kinds::record();
    let commit = |numbers| {
        for change_set in kinds.receives(numbers) {
            block_on(store.commit(change_set)).expect("commits");
        }
    };
    commit(1..PAGED + 1);
    block_on(store.maintain(&Maintain::Compact)).expect("compacts");
    commit(PAGED + 1..2 * PAGED + 1);
    let frames = log::frames(&folder.path().join(FILE));
    let each = |n: usize| n as f64 / PAGED as f64;
    let trees: Map<String, Value> =
        frames.iter().map(|(tree, n)| (tree.clone(), json!(each(*n)))).collect();
    json!({"all": each(frames.values().sum()), "of": trees})
}

/// Commits that wait for the disk, by so many callers at once, beside a file to which the
/// same bytes are appended and synced, as many as callers at a time. Each sync, theirs and
/// ours, waits so long besides. Beside both, what SQLite itself reaches: as many rows of the
/// same bytes in one transaction of one thread.
fn durable(n_callers: usize, n_rounds: usize, wait: Duration) -> Value {
    slow_syncs(wait);
    let (ours, theirs) = (folder(), folder());
    let store = open(&ours, Synchronous::Full);
    let kinds = Kinds::record();
    let n_written = bytes_written(&ours.path().join(FILE), || {
        for change_set in kinds.receives(1..17) {
            block_on(store.commit(change_set)).expect("commits");
        }
    }) / 16;
    if n_rounds == ROUNDS {
        fill_log(&store, &kinds, &ours.path().join(FILE));
    }
    let rows = floor(&theirs.path().join("rows.db"));
    rows.pragma_update(None, "synchronous", "FULL").expect("full");
    let row = noise(n_written);
    let mut file = File::create(theirs.path().join("floor")).expect("a file");
    let bytes = noise(n_written * n_callers);
    let n_commits = n_callers * DURABLE;
    let (mut own, mut floors, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..n_rounds {
        let first = 10_000 + round * n_commits;
        // Each makes its own, as callers do: memory that another thread took is freed for more.
        let ready = Barrier::new(n_callers);
        let call = |caller| {
            let first = first + caller * DURABLE;
            let job: Vec<ChangeSet> = kinds.receives(first..first + DURABLE).collect();
            ready.wait();
            let begun = Instant::now();
            for change_set in job {
                block_on(store.commit(change_set)).expect("commits");
            }
            begun
        };
        let begun: Vec<Instant> = std::thread::scope(|scope| {
            let call = &call;
            let callers: Vec<_> =
                (0..n_callers).map(|caller| scope.spawn(move || call(caller))).collect();
            callers.into_iter().map(|caller| caller.join().expect("commits")).collect()
        });
        let start = begun.into_iter().min().expect("a caller");
        own.push(start.elapsed().as_nanos() as f64 / n_commits as f64);
        let start = Instant::now();
        for _ in 0..DURABLE {
            file.write_all(&bytes).expect("appends");
            file.sync_data().expect("syncs");
            std::thread::sleep(wait);
        }
        floors.push(start.elapsed().as_nanos() as f64 / n_commits as f64);
        let start = Instant::now();
        (0..DURABLE).for_each(|_| put_blobs(&rows, &row, n_callers));
        bare.push(start.elapsed().as_nanos() as f64 / n_commits as f64);
    }
    slow_syncs(Duration::ZERO);
    json!({
        "callers": n_callers, "bytes": n_written,
        "sync_wait_ns": wait.as_nanos() as u64,
        "wall_ns": least(&own), "floor_wall_ns": least(&floors),
        "of_floor": least(&floors) / least(&own),
        "rows_wall_ns": least(&bare), "rows_of_floor": least(&floors) / least(&bare),
    })
}

/// Commits until the write-ahead log does not grow any more: from then on its file is written
/// over, which is what a desk does all day.
fn fill_log(store: &SqliteStore, kinds: &Kinds, path: &Path) {
    let log = path.with_extension("db-wal");
    let length = || std::fs::metadata(&log).map_or(0, |facts| facts.len());
    let (mut first, mut before) = (1_000_000, 0);
    while before < length() {
        before = length();
        // More than a log holds: it was folded in meanwhile, and began anew.
        for _ in 0..20 {
            let change_sets = kinds.receives(first..first + 100).collect();
            for result in block_on(store.commit_many(change_sets)) {
                result.expect("commits");
            }
            first += 100;
        }
    }
}

/// A message through the whole engine, beside one row of the bytes that it leaves.
fn receive_cpu(n_rounds: usize) -> Value {
    let (ours, theirs) = (folder(), folder());
    let store: Arc<dyn Store> = Arc::new(open(&ours, Synchronous::Off));
    let desk = Helpdesk::builder().with_shared_store(Arc::clone(&store)).build().expect("builds");
    fill(&desk, 100);
    block_on(store.maintain(&Maintain::Compact)).expect("compacts");
    let n_written = bytes_written(&ours.path().join(FILE), || {
        (1..65).for_each(|n| _ = receive(&desk, n));
    }) / 64;
    let n_frames: usize = log::frames(&ours.path().join(FILE)).values().sum();
    let conn = floor(&theirs.path().join("floor.db"));
    let blob = noise(n_written);
    let (mut own, mut floors) = (Vec::new(), Vec::new());
    for round in 0..n_rounds {
        let first = (10_000 + round * COMMITS) as u64;
        own.push(each((first..first + COMMITS as u64).collect(), |n| _ = receive(&desk, n)));
        floors.push(each(vec![(); COMMITS], |()| put_blob(&conn, &blob)));
    }
    json!({
        "bytes": n_written, "pages": n_frames as f64 / 64.0,
        "cpu_ns": least(&own), "floor_cpu_ns": least(&floors),
        "x_floor": least(&own) / least(&floors),
    })
}

/// Reads and claims among many tickets, and what these take on the disk.
fn large(n_tickets: usize) -> Value {
    let folder = folder();
    let store = open(&folder, Synchronous::Off);
    let kinds = Kinds::record();
    let path = folder.path().join(FILE);
    let mut n_pure = 0;
    let mut first = 1;
    while first <= n_tickets {
        let end = (first + 1_000).min(n_tickets + 1);
        let change_sets: Vec<ChangeSet> = kinds.receives(first..end).collect();
        n_pure += change_sets.iter().map(pure_bytes).sum::<usize>();
        for result in block_on(store.commit_many(change_sets)) {
            result.expect("commits");
        }
        first = end;
    }
    block_on(store.maintain(&Maintain::Compact)).expect("compacts");
    let n_file = std::fs::metadata(&path).expect("there").len();
    eprintln!("{n_tickets} tickets: {n_file} bytes");
    let get = |store: &SqliteStore| {
        percentiles(GETS, |i| {
            let n = 1 + (i * 7_919) % n_tickets;
            let key = RecordKey::Stream(StreamId::case(kinds.ticket(n)));
            let found = block_on(store.get(TENANT, &[key])).expect("reads");
            assert!(found[0].is_some(), "ticket {n}");
        })
    };
    let mapped = SqliteOptions::default().with_mapped_bytes(MAPPED);
    let mapped = SqliteStore::open(&path, mapped).expect("opens");
    let list = |order, condition: Option<&Value>, projection| {
        let mut query = ListQuery::all(TENANT, ListKind::Cases(Shelf::Live), now(), 50);
        query.order = order;
        query.projection = projection;
        if let Some(condition) = condition {
            query.condition = kinds.condition(condition);
        }
        percentiles(READS / 10, |_| {
            let page = block_on(store.list(&query)).expect("reads");
            assert_eq!(page.rows.len(), 50);
        })
    };
    let newest = |by| Order { by, direction: Direction::Descending };
    let mine = json!({"all": [
        {"field": "assignee", "is": kinds.agent().to_string()},
        {"field": "status_category", "not_in": ["solved", "closed"]},
    ]});
    json!({
        "bytes_a_ticket": n_file as f64 / n_tickets as f64,
        "pure_bytes_a_ticket": n_pure as f64 / n_tickets as f64,
        "size_ratio": n_file as f64 / n_pure as f64,
        "get": get(&store),
        "get_mapped": get(&mapped),
        "list_created_summary": list(newest(OrderBy::CreatedAt), None, Projection::Summary),
        "list_created_full": list(newest(OrderBy::CreatedAt), None, Projection::Full),
        "list_updated_summary": list(newest(OrderBy::UpdatedAt), None, Projection::Summary),
        "list_mine_summary": list(Order::default(), Some(&mine), Projection::Summary),
        "claim": claims(&store),
    })
}

/// Claims of 100 timers among as many as there are tickets, given back each time; wall time.
fn claims(store: &dyn Store) -> Value {
    let later = now() + Duration::from_secs(400 * 86_400);
    percentiles(READS / 40, |_| {
        let params = ClaimParams::new(ClaimWhat::Timers, later, 100).with_share(100);
        let leases = block_on(store.claim(&params)).expect("claims").leases;
        assert_eq!(leases.len(), 100);
        let how = || SettleHow::Release;
        let settles =
            leases.into_iter().map(|it| Settle { token: it.token, now: later, how: how() });
        block_on(store.settle(settles.collect())).expect("settles");
    })
}

/// Nanoseconds of CPU of single calls: half of them took less, and all but one in a hundred.
/// As many others come before, as at a desk that has been at work for a while. What it costs to
/// look at the clock is no part of them.
fn percentiles(n: usize, mut call: impl FnMut(usize)) -> Value {
    (n..2 * n).for_each(&mut call);
    let share = |times: &mut Vec<Duration>, share: usize| {
        times.sort_unstable();
        times[times.len() * share / 100]
    };
    let mut idle = taken(READS, |_| {});
    let clock = share(&mut idle, 50);
    let mut took = taken(n, call);
    let mut at = |percent| share(&mut took, percent).saturating_sub(clock).as_nanos() as f64;
    json!({"p50_ns": at(50), "p99_ns": at(99)})
}

/// CPU of each of some calls, with a look at the clock.
fn taken(n: usize, mut call: impl FnMut(usize)) -> Vec<Duration> {
    (0..n)
        .map(|i| {
            let start = cpu_time();
            call(i);
            cpu_time() - start
        })
        .collect()
}
