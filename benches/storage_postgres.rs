//! What a commit to PostgreSQL costs: `cargo bench --bench storage_postgres`.
//!
//! Prints one JSON object. So many callers at once commit what receiving a mail commits, to
//! a server of the bench's own that waits for the disk at every commit; by turns with it,
//! as many callers insert one row of the same bytes each, and as many rows of them in as many
//! tables as a commit adds, by one statement that checks nothing. Then one caller commits many at once,
//! by turns with one statement that inserts as many rows. Of all, the best round counts.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may panic, and prints what it found"
)]

#[path = "fixture/mod.rs"]
#[allow(dead_code, unused_imports, reason = "a part of it is used")]
mod fixture;
#[path = "fixture/stored.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod stored;

use fixture::floor::noise;
use helpdesk::block_on;
use helpdesk::storage::postgres::tokio_postgres::types::ToSql;
use helpdesk::storage::postgres::tokio_postgres::{Client, NoTls, Statement, connect};
use helpdesk::storage::postgres::{PostgresOptions, PostgresStore};
use helpdesk::storage::{ChangeSet, Store};
use helpdesk_test_support::postgres::{Cluster, Disk};
use serde_json::{Value, json};
use std::time::Instant;
use stored::{Kinds, pure_bytes};
use uuid::Uuid;

/// Callers at once.
const CALLERS: [usize; 3] = [1, 8, 32];
/// Rounds of which the best counts.
const ROUNDS: usize = 7;
/// What a wait for the disk takes more, where it is slow: a common network disk's.
const SLOW_SYNC_US: u32 = 4_000;
/// Rounds there; they take long.
const SLOW_ROUNDS: usize = 3;
/// Commits of one round, by all callers together.
const COMMITS: usize = 960;
/// Commits at once, of one caller.
const AT_ONCE: usize = 64;

fn main() {
    let is_test = std::env::args().any(|arg| arg == "--test");
    let (n_rounds, n_commits) = if is_test { (1, 32) } else { (ROUNDS, COMMITS) };
    let cluster = Cluster::start(Disk::Safe).expect("a server");
    let kinds = Kinds::record();
    let mut first = 1;
    let mut measure = |n_rounds: usize| -> Vec<Value> {
        let run = |n_callers| {
            let run = Run { cluster: &cluster, kinds: &kinds, n_callers, n_rounds };
            run.measure(n_commits / n_callers, &mut first)
        };
        CALLERS.into_iter().map(run).collect()
    };
    let runs = measure(n_rounds);
    slow_syncs(&cluster);
    let slow_runs = measure(n_rounds.min(SLOW_ROUNDS));
    fast_syncs(&cluster);
    let run = Run { cluster: &cluster, kinds: &kinds, n_callers: 1, n_rounds };
    let many = run.measure_many(n_commits / AT_ONCE.min(n_commits), &mut first);
    let found = json!({
        "bytes": n_bytes(&kinds), "runs": runs, "slow_runs": slow_runs,
        "sync_wait_us": SLOW_SYNC_US, "many": many,
    });
    println!("{}", serde_json::to_string_pretty(&found).expect("JSON"));
}

/// Whoever waits for the disk waits so much longer, for all who commit meanwhile.
fn slow_syncs(cluster: &Cluster) {
    set(cluster, &format!("SET commit_delay = {SLOW_SYNC_US}"));
    set(cluster, "SET commit_siblings = 0");
}

fn fast_syncs(cluster: &Cluster) {
    set(cluster, "RESET commit_delay");
}

/// Changes a setting of the server, for the sessions that come.
fn set(cluster: &Cluster, change: &str) {
    let raw = Raw::connect(&cluster.address(), 1);
    let (client, _) = &raw.clients[0];
    block_on(client.batch_execute(&format!("ALTER SYSTEM {change}"))).expect("set");
    block_on(client.batch_execute("SELECT pg_reload_conf()")).expect("read");
}

/// What one commit holds.
fn n_bytes(kinds: &Kinds) -> usize {
    kinds.receives(1..2).map(|set| pure_bytes(&set)).sum()
}

struct Run<'a> {
    cluster: &'a Cluster,
    kinds: &'a Kinds,
    n_callers: usize,
    n_rounds: usize,
}

impl Run<'_> {
    /// Each caller commits so many, in each round.
    fn measure(&self, n_each: usize, first: &mut usize) -> Value {
        let address = self.cluster.address();
        let options = PostgresOptions::default().with_connections(self.n_callers);
        let store = block_on(PostgresStore::open(&address, options)).expect("opens");
        let mut raw = Raw::connect(&address, self.n_callers);
        let bytes = noise(n_bytes(self.kinds));
        let added = raw.added_by(|| {
            let set = self.kinds.receives(*first..*first + 1).next().expect("a change set");
            *first += 1;
            block_on(store.commit(set)).expect("commits");
        });
        raw.prepare_rows(&added);
        let (mut own, mut floors, mut bare) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
        // One more, so that all is prepared and in memory.
        for round in 0..=self.n_rounds {
            let mut job = || {
                let sets: Vec<ChangeSet> = self.kinds.receives(*first..*first + n_each).collect();
                *first += n_each;
                sets
            };
            let jobs: Vec<Vec<ChangeSet>> = (0..self.n_callers).map(|_| job()).collect();
            let commits = per_commit(jobs, |_, set| {
                block_on(store.commit(set)).expect("commits");
            });
            let rows = vec![vec![(); n_each]; self.n_callers];
            let inserts = per_commit(rows.clone(), |caller, ()| raw.insert(caller, &bytes));
            let of_all = per_commit(rows, |caller, ()| raw.insert_rows(caller, &added, &bytes));
            if round > 0 {
                own = own.min(commits);
                floors = floors.min(inserts);
                bare = bare.min(of_all);
            }
        }
        json!({
            "callers": self.n_callers, "commit_ns": own, "insert_ns": floors,
            "of_insert_rate": floors / own,
            "rows": added.iter().sum::<usize>(), "tables": added.len(),
            "rows_ns": bare, "rows_of_insert_rate": floors / bare,
        })
    }

    /// One caller commits so many times many at once, in each round.
    fn measure_many(&self, n_times: usize, first: &mut usize) -> Value {
        let address = self.cluster.address();
        let options = PostgresOptions::default().with_connections(1);
        let store = block_on(PostgresStore::open(&address, options)).expect("opens");
        let raw = Raw::connect(&address, 1);
        let bytes = vec![noise(n_bytes(self.kinds)); AT_ONCE];
        let (mut own, mut floors) = (f64::INFINITY, f64::INFINITY);
        for round in 0..=self.n_rounds {
            let mut some = || {
                let sets: Vec<ChangeSet> = self.kinds.receives(*first..*first + AT_ONCE).collect();
                *first += AT_ONCE;
                sets
            };
            let jobs: Vec<Vec<ChangeSet>> = (0..n_times).map(|_| some()).collect();
            let commits = per_commit(vec![jobs], |_, sets| {
                for done in block_on(store.commit_many(sets)) {
                    done.expect("commits");
                }
            });
            let inserts = per_commit(vec![vec![(); n_times]], |_, ()| raw.insert_many(&bytes));
            if round > 0 {
                own = own.min(commits / AT_ONCE as f64);
                floors = floors.min(inserts / AT_ONCE as f64);
            }
        }
        json!({
            "commits": AT_ONCE, "commit_ns": own, "insert_ns": floors,
            "of_insert_rate": floors / own,
        })
    }
}

/// Wall time of each caller's work, by all at once, for one piece of it.
fn per_commit<T: Send>(jobs: Vec<Vec<T>>, work: impl Fn(usize, T) + Sync) -> f64 {
    let n: usize = jobs.iter().map(Vec::len).sum();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (caller, job) in jobs.into_iter().enumerate() {
            let work = &work;
            scope.spawn(move || job.into_iter().for_each(|piece| work(caller, piece)));
        }
    });
    start.elapsed().as_nanos() as f64 / n as f64
}

/// Connections of the driver's, each with one prepared statement.
struct Raw {
    _runtime: tokio::runtime::Runtime,
    clients: Vec<(Client, Statement)>,
    /// For each of them, the statement that inserts into as many tables as a commit does.
    rows: Vec<Statement>,
}

impl Raw {
    fn connect(address: &str, n: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let clients = (0..n).map(|_| {
            runtime.block_on(async {
                let (client, connection) = connect(address, NoTls).await.expect("connects");
                tokio::spawn(connection);
                let table = "CREATE TABLE IF NOT EXISTS floor (id uuid PRIMARY KEY, bytes bytea)";
                client.batch_execute(table).await.expect("makes a table");
                let insert = "INSERT INTO floor (id, bytes) VALUES ($1, $2)";
                let insert = client.prepare(insert).await.expect("prepares");
                (client, insert)
            })
        });
        let clients = clients.collect();
        Self { _runtime: runtime, clients, rows: Vec::new() }
    }

    /// Rows that some work adds to the store's tables, of each that gets some.
    fn added_by(&self, work: impl FnOnce()) -> Vec<usize> {
        let count = || -> Vec<i64> {
            let (client, _) = &self.clients[0];
            let tables = "SELECT tablename::text FROM pg_tables \
                WHERE schemaname = 'public' AND tablename LIKE 'hd\\_%' ORDER BY tablename";
            let tables = block_on(client.query(tables, &[])).expect("names");
            let count = |table: &str| {
                let sql = format!("SELECT count(*) FROM {table}");
                block_on(client.query_one(&sql, &[])).expect("counts").get(0)
            };
            tables.iter().map(|row| count(row.get(0))).collect()
        };
        let before = count();
        work();
        let added = count().into_iter().zip(before).map(|(after, before)| after - before);
        added.filter_map(|n| usize::try_from(n).ok().filter(|n| *n > 0)).collect()
    }

    /// Prepares the statement that adds so many rows to each of as many tables.
    fn prepare_rows(&mut self, added: &[usize]) {
        let insert = |at: usize| {
            let (ids, rows) = (2 * at + 1, 2 * at + 2);
            let rows = format!("unnest(${ids}::uuid[], ${rows}::bytea[])");
            format!("INSERT INTO floor_{at} (id, bytes) SELECT * FROM {rows}")
        };
        let last = added.len().checked_sub(1).expect("rows are added");
        let others: Vec<String> =
            (0..last).map(|at| format!("t{at} AS ({})", insert(at))).collect();
        let sql = format!("WITH {} {}", others.join(", "), insert(last));
        for at in 0..added.len() {
            let table = "(id uuid PRIMARY KEY, bytes bytea)";
            let table = format!("CREATE TABLE IF NOT EXISTS floor_{at} {table}");
            block_on(self.clients[0].0.batch_execute(&table)).expect("makes a table");
        }
        for (client, _) in &self.clients {
            // As the store's sessions do: planned once.
            let plan = "SET plan_cache_mode = force_generic_plan";
            block_on(client.batch_execute(plan)).expect("set");
            self.rows.push(block_on(client.prepare(&sql)).expect("prepares"));
        }
    }

    /// The same bytes in as many rows of as many tables as a commit adds.
    fn insert_rows(&self, caller: usize, added: &[usize], bytes: &[u8]) {
        let n_rows: usize = added.iter().sum();
        let mut parts = bytes.chunks(bytes.len().div_ceil(n_rows)).cycle();
        let tables: Vec<(Vec<Uuid>, Vec<&[u8]>)> = added
            .iter()
            .map(|n| ((0..*n).map(|_| Uuid::new_v4()).collect(), parts.by_ref().take(*n).collect()))
            .collect();
        let params: Vec<&(dyn ToSql + Sync)> = tables
            .iter()
            .flat_map(|(ids, rows)| [ids as &(dyn ToSql + Sync), rows as &(dyn ToSql + Sync)])
            .collect();
        block_on(self.clients[caller].0.execute(&self.rows[caller], &params)).expect("inserts");
    }

    fn insert_many(&self, bytes: &[Vec<u8>]) {
        let (client, _) = &self.clients[0];
        let ids: Vec<Uuid> = bytes.iter().map(|_| Uuid::new_v4()).collect();
        let insert = "INSERT INTO floor (id, bytes) SELECT * FROM unnest($1::uuid[], $2::bytea[])";
        block_on(client.execute(insert, &[&ids, &bytes])).expect("inserts");
    }

    fn insert(&self, caller: usize, bytes: &[u8]) {
        let (client, insert) = &self.clients[caller];
        let id = Uuid::new_v4();
        block_on(client.execute(insert, &[&id, &bytes])).expect("inserts");
    }
}
