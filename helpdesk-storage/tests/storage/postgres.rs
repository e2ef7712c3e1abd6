//! What PostgreSQL does beside the suite: schemas, poolers, hosts' transactions, slow
//! transactions beside, lost connections.

use crate::servers::{fresh, options};
use crate::sqlite::race;
use crate::work::{received, start, tenant};
use chrono::TimeDelta;
use helpdesk_core::event::{Recorded, StreamId};
use helpdesk_core::id::{CommandId, TicketId};
use helpdesk_storage::postgres::tokio_postgres::{self, Client, NoTls};
use helpdesk_storage::postgres::{
    PostgresOptions, PostgresStore, SchemaState, StatementMode, in_tx,
};
use helpdesk_storage::{
    ChangeSet, Committed, EventQuery, EventSource, Expect, Follower, ListKind, ListQuery, Shelf,
    Store, StoreError, StoreExt, UniqueOp, conformance,
};
use helpdesk_test_support::bouncer::Bouncer;
use helpdesk_test_support::postgres::{Cluster, Disk, shared};
use pollster::block_on;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

fn cases(store: &dyn Store) -> usize {
    let query = ListQuery::all(tenant(), ListKind::Cases(Shelf::All), start(), 100);
    block_on(store.list_all(query)).unwrap().len()
}

/// A client of the host's, and the runtime that drives it.
pub(crate) struct Host {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) client: Client,
}

impl Host {
    pub(crate) fn connect(address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(address, NoTls)).unwrap();
        runtime.spawn(connection);
        Self { runtime, client }
    }

    pub(crate) fn run(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.runtime.block_on(self.client.query_one(sql, &[])).unwrap().get(0)
    }
}

/// Looks again until it is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let is_so = (0..4_000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        is_so()
    });
    assert!(is_so, "never: {what}");
}

fn positions(store: &dyn Store, source: EventSource) -> Vec<u64> {
    let page = block_on(store.events(&EventQuery::new(tenant(), source, 1_000))).unwrap();
    page.rows.iter().map(|row| row.position).collect()
}

fn feed(store: &dyn Store, after: u64) -> Vec<u64> {
    positions(store, EventSource::Feed { after, kinds: Vec::new() })
}

pub(crate) fn news(store: &dyn Store, after: u64) -> Vec<u64> {
    positions(store, EventSource::News { after, kinds: Vec::new() })
}

fn open(address: &str, options: &PostgresOptions) -> Result<PostgresStore, StoreError> {
    block_on(PostgresStore::open(address, options.clone()))
}

#[test]
fn a_host_can_run_the_migrations_itself() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options.clone().with_migration(false)).unwrap();
    let state = || block_on(store.check()).unwrap();
    assert_eq!(state(), SchemaState::Behind { found: 0, known: 1 });
    let sql = block_on(store.pending_sql()).unwrap();
    Host::connect(&address).run(&sql);
    assert_eq!(state(), SchemaState::Current);
    assert_eq!(block_on(store.pending_sql()).unwrap(), "");
    block_on(store.migrate()).unwrap();
    block_on(store.commit(received(1, 0))).unwrap();
    assert_eq!(cases(&store), 1);
    assert_eq!(cases(&open(&address, &options).unwrap()), 1, "a second store sees it");
}

#[test]
fn nodes_that_start_at_once_migrate_once() {
    let (address, options) = (shared().unwrap(), options());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| open(&address, &options).unwrap());
        }
    });
    let schema = options.schema();
    let sql = format!("SELECT count(*) FROM {schema}.hd_schema");
    assert_eq!(Host::connect(&address).number(&sql), 1);
}

#[test]
fn a_newer_schema_and_one_of_another_making_are_refused() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options).unwrap();
    block_on(store.commit(received(1, 0))).unwrap();
    let (host, schema) = (Host::connect(&address), options.schema());
    host.run(&format!("INSERT INTO {schema}.hd_schema (version, checksum) VALUES (99, '')"));
    let error = open(&address, &options).unwrap_err();
    assert!(matches!(error, StoreError::SchemaNewer { found: 99, known: 1 }), "{error:?}");
    host.run(&format!("DELETE FROM {schema}.hd_schema WHERE version = 99"));
    assert_eq!(cases(&open(&address, &options).unwrap()), 1, "nothing was lost");
    host.run(&format!("UPDATE {schema}.hd_schema SET checksum = 'other'"));
    let error = open(&address, &options).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[test]
fn names_are_checked_at_their_limits() {
    let fits = |name: &str| {
        let schema = PostgresOptions::default().with_schema(name).is_ok();
        let prefix = PostgresOptions::default().with_prefix(name).is_ok();
        assert_eq!(schema, prefix);
        schema
    };
    assert!(fits("a") && fits(&"a".repeat(32)) && fits("desk_2_"));
    let wrong = ["", "_a", "2a", "A", "a-b", "a\"", "é", "pg_a", &"a".repeat(33)];
    assert!(!wrong.iter().any(|name| fits(name)));
}

#[test]
fn two_prefixes_in_one_schema_do_not_see_each_other() {
    let (address, options) = (shared().unwrap(), options());
    let first = open(&address, &options).unwrap();
    let second = open(&address, &options.with_prefix("unique_").unwrap()).unwrap();
    block_on(first.commit(received(1, 0))).unwrap();
    assert_eq!((cases(&first), cases(&second)), (1, 0));
    block_on(second.commit(received(1, 0))).unwrap();
    block_on(second.commit(received(2, 1))).unwrap();
    assert_eq!((cases(&first), cases(&second)), (1, 2));
}

#[test]
fn threads_on_one_postgres_store_lose_nothing() {
    race(&fresh(&shared().unwrap(), StatementMode::Prepared));
}

#[test]
fn a_plain_role_can_use_what_was_migrated() {
    let (address, options) = (shared().unwrap(), options());
    let schema = options.schema().to_owned();
    let host = Host::connect(&address);
    host.run(&format!(
        "CREATE ROLE r_{schema} LOGIN; CREATE SCHEMA {schema} AUTHORIZATION r_{schema}"
    ));
    let address = address.replace("postgres@", &format!("r_{schema}@"));
    let store = open(&address, &options).unwrap();
    block_on(store.commit(received(1, 0))).unwrap();
    assert_eq!(cases(&open(&address, &options).unwrap()), 1);
}

#[test]
fn the_suite_passes_through_pgbouncer_in_transaction_mode() {
    let config: tokio_postgres::Config = shared().unwrap().parse().unwrap();
    let bouncer = Bouncer::start(config.get_ports()[0]).unwrap();
    let address = bouncer.address();
    let outcome = block_on(conformance::run(async |_| {
        Ok(Arc::new(fresh(&address, StatementMode::Unnamed)) as Arc<dyn Store>)
    }));
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    race(&fresh(&address, StatementMode::Unnamed));
}

#[test]
fn a_host_commits_its_rows_and_ours_together() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options).unwrap();
    let (mut host, schema) = (Host::connect(&address), options.schema());
    host.run(&format!("CREATE TABLE {schema}.shop_order (id integer PRIMARY KEY)"));
    let insert = format!("INSERT INTO {schema}.shop_order (id) VALUES (1)");
    let Host { runtime, client } = &mut host;
    let mut last = 0;
    for (n, is_kept) in [(1, false), (1, true)] {
        runtime.block_on(async {
            let tx = client.transaction().await.unwrap();
            tx.batch_execute(&insert).await.unwrap();
            let ours = in_tx(&tx).with_options(&options);
            let first = ours.commit(&received(n, 0)).await.unwrap();
            let second = ours.commit(&received(n + 1, 1)).await.unwrap();
            assert!(first.position < second.position, "positions grow in it, too");
            last = second.position.unwrap();
            // What lost its race leaves the transaction as it was.
            let error = ours.commit(&received(n + 2, 1)).await.unwrap_err();
            assert!(matches!(error, StoreError::Conflict(_)), "{error:?}");
            assert!(ours.commit(&received(n, 0)).await.unwrap().replayed.is_some());
            let mut twice = received(n + 2, 2);
            let UniqueOp::Put { key, .. } = received(n, 0).unique.swap_remove(0) else { panic!() };
            let stream = twice.expect[0].stream;
            twice.unique = vec![UniqueOp::Put { key, stream, replace: false }];
            let error = ours.commit(&twice).await.unwrap_err();
            assert!(matches!(error, StoreError::DuplicateKey { .. }), "{error:?}");
            if is_kept { tx.commit().await.unwrap() } else { tx.rollback().await.unwrap() }
        });
        let n_orders = host_orders(runtime, client, schema);
        let wanted = if is_kept { (2, 1) } else { (0, 0) };
        assert_eq!((cases(&store), n_orders), wanted);
    }
    eventually("the feed shows both", || feed(&store, 0).last() == Some(&last));
    assert_eq!(feed(&store, 0).len(), 10);
    block_on(store.commit(received(3, 2))).unwrap();
}

fn host_orders(runtime: &tokio::runtime::Runtime, client: &Client, schema: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {schema}.shop_order");
    runtime.block_on(client.query_one(&sql, &[])).unwrap().get(0)
}

#[test]
fn the_feed_skips_nothing_that_a_slow_transaction_commits_late() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options).unwrap();
    let first = block_on(store.commit(received(1, 0))).unwrap().position.unwrap();
    eventually("the first shows", || feed(&store, 0).last() == Some(&first));
    let mut host = Host::connect(&address);
    let Host { runtime, client } = &mut host;
    let tx = runtime.block_on(client.transaction()).unwrap();
    let slow = in_tx(&tx).with_options(&options);
    let mut change = received(2, 1);
    // Of another agent's load, so that nobody waits for it.
    change.put.retain(|record| record.stream().is_none_or(|it| it.kind.as_str() != "load"));
    change.expect.retain(|expect| expect.stream.kind.as_str() != "load");
    let late = runtime.block_on(slow.commit(&change)).unwrap().position.unwrap();
    let mut after = Vec::new();
    for (n, load) in (3..6).zip(1..) {
        after.push(block_on(store.commit(received(n, load))).unwrap().position.unwrap());
    }
    assert!(first < late && late < after[0], "the late one stands before those after it");
    // The feed stands still, and says so; news tell what is committed, and no more.
    let end = block_on(store.feed_end(tenant())).unwrap();
    assert_eq!(end, first);
    assert_eq!(feed(&store, 0).last(), Some(&first));
    assert_eq!(news(&store, end).len(), 15);
    assert!(!news(&store, end).contains(&late));
    runtime.block_on(tx.commit()).unwrap();
    eventually("all show", || block_on(store.feed_end(tenant())).unwrap() == after[2]);
    let shown = feed(&store, first);
    assert_eq!(shown.len(), 20);
    assert!(shown.is_sorted() && shown.contains(&late));
    assert_eq!(news(&store, first), shown);
}

#[test]
fn a_database_that_was_restored_elsewhere_goes_on_behind_what_it_holds() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options).unwrap();
    block_on(store.commit(received(1, 0))).unwrap();
    let (host, schema) = (Host::connect(&address), options.schema());
    // As if its transactions had had numbers far beyond this server's.
    host.run(&format!(
        "UPDATE {schema}.hd_event SET position = position + (1::bigint << 50); \
         UPDATE {schema}.hd_feed SET server = 1"
    ));
    let error = open(&address, &options.clone().with_migration(false)).unwrap_err();
    assert!(error.to_string().contains("run `migrate` once"), "{error}");
    let store = open(&address, &options).unwrap();
    let last = *news(&store, 0).last().unwrap();
    let next = block_on(store.commit(received(2, 1))).unwrap().position.unwrap();
    assert!(last < next);
    eventually("all show", || feed(&store, 0).last() == Some(&next));
    assert_eq!(feed(&store, 0).len(), 10);
}

#[test]
fn an_address_without_a_server_is_unavailable_and_one_that_is_none_says_so() {
    let options = PostgresOptions::default().with_timeout(Duration::from_secs(2));
    let error = open("postgres://postgres@127.0.0.1:1/postgres", &options).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
    let error = open("postgres://user:secret@host:port/db", &options).unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error:?}");
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn a_commit_without_an_answer_is_ambiguous_and_its_retry_finds_out() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options).unwrap();
    block_on(store.commit(received(1, 0))).unwrap();
    let (host, other) = (Host::connect(&address), Host::connect(&address));
    let schema = options.schema();
    // The load that the next commit writes is held, until its connection has been cut.
    host.run(&format!("BEGIN; SELECT 1 FROM {schema}.hd_entity WHERE kind = 'load' FOR UPDATE"));
    let error = std::thread::scope(|scope| {
        let commit = scope.spawn(|| block_on(store.commit(received(2, 1))));
        let cut = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE wait_event_type = 'Lock' AND query LIKE '%\"{schema}\"%' AND state = 'active'"
        );
        eventually("it waits", || other.number(&cut) == 1);
        commit.join().unwrap().unwrap_err()
    });
    assert!(matches!(error, StoreError::Ambiguous { .. }), "{error:?}");
    host.run("ROLLBACK");
    let Committed { replayed, .. } = block_on(store.commit(received(2, 1))).unwrap();
    assert!(replayed.is_none(), "it had not been done");
    assert!(block_on(store.commit(received(2, 1))).unwrap().replayed.is_some());
    assert_eq!(cases(&store), 2);
}

#[test]
fn a_deadlock_is_tried_again_inside() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options).unwrap();
    let ids = [1, 2].map(|n| StreamId::case(TicketId(Uuid::from_u128(n))));
    for (n, stream) in (1..).zip(ids) {
        let mut change = ChangeSet::new(tenant(), CommandId(Uuid::from_u128(n)), start());
        change.expect.push(Expect { stream, version: 0 });
        let ticket = crate::work::ticket(TicketId(stream.id), n as u64, start());
        let case = helpdesk_core::case::Case::new(ticket);
        change.put.push(helpdesk_core::case::record::Record::Case(Box::new(case)));
        block_on(store.commit(change)).unwrap();
    }
    let (host, schema) = (Host::connect(&address), options.schema());
    let lock = |stream: StreamId| {
        format!("SELECT 1 FROM {schema}.hd_ticket WHERE id = '{}' FOR UPDATE", stream.id)
    };
    // It holds the second and wants the first; the commit, the other way round.
    host.run(&format!("BEGIN; SET LOCAL deadlock_timeout = '60s'; {}", lock(ids[1])));
    let mut change = ChangeSet::new(tenant(), CommandId(Uuid::from_u128(9)), start());
    change.expect.extend(ids.map(|stream| Expect { stream, version: 1 }));
    std::thread::scope(|scope| {
        let commit = scope.spawn(|| block_on(store.commit(change.clone())));
        let waits = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
             AND query LIKE '%\"{schema}\"%'"
        );
        let other = Host::connect(&address);
        eventually("it waits", || other.number(&waits) == 1);
        host.run(&lock(ids[0]));
        host.run("COMMIT");
        commit.join().unwrap().unwrap();
    });
}

#[test]
fn a_server_that_crashes_loses_nothing_it_confirmed() {
    let cluster = Cluster::start(Disk::Safe).unwrap();
    let store = fresh(&cluster.address(), StatementMode::Prepared);
    for n in 1..=20 {
        block_on(store.commit(received(n, n - 1))).unwrap();
    }
    cluster.crash().unwrap();
    let error = block_on(store.commit(received(21, 20))).unwrap_err();
    let is_honest = matches!(error, StoreError::Ambiguous { .. } | StoreError::Unavailable { .. });
    assert!(is_honest, "{error:?}");
    let error = block_on(store.feed_end(tenant())).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    cluster.restart().unwrap();
    assert_eq!(cases(&store), 20);
    assert!(block_on(store.commit(received(20, 19))).unwrap().replayed.is_some());
    block_on(store.commit(received(21, 20))).unwrap();
    eventually("the feed shows all", || feed(&store, 0).len() == 105);
}

#[test]
fn one_node_at_a_time_leads_a_job() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options).unwrap();
    let lead = |owner: &str, seconds: i64| {
        let now = start() + TimeDelta::seconds(seconds);
        block_on(store.lead("digest", owner, now, 60)).unwrap().map(|lead| lead.generation)
    };
    let taken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for n in 0..6 {
            let (taken, lead) = (&taken, &lead);
            scope.spawn(move || {
                let owner = format!("node {n}");
                if lead(&owner, 0).is_some() {
                    taken.lock().unwrap().push(owner);
                }
            });
        }
    });
    let taken = taken.into_inner().unwrap();
    assert_eq!(taken.len(), 1, "{taken:?}");
    let first = &taken[0];
    assert_eq!((lead(first, 30), lead("other", 89)), (Some(1), None));
    assert_eq!((lead("other", 90), lead(first, 90)), (Some(2), None));
    block_on(store.resign("digest", first)).unwrap();
    assert_eq!(lead(first, 91), None, "who has it not gives nothing back");
    block_on(store.resign("digest", "other")).unwrap();
    assert_eq!(lead(first, 91), Some(3));
    assert!(block_on(store.lead("", "a", start(), 60)).is_err());
}

#[test]
fn a_follower_sees_each_entry_once_while_others_commit() {
    const N: u64 = 60;
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options).unwrap();
    // Tickets alone, so that commits run side by side.
    let change = |n: u64| {
        let mut change = received(n, 0);
        change.put.retain(|record| record.stream().is_none_or(|it| it.kind.as_str() != "load"));
        change.expect.retain(|expect| expect.stream.kind.as_str() != "load");
        change
    };
    let mut seen = Vec::new();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (store, change) = (&store, &change);
            scope.spawn(move || {
                for n in (1..=N).filter(|n| n % 4 == part) {
                    block_on(store.commit(change(n))).unwrap();
                }
            });
        }
        eventually("all are seen", || {
            // Each time anew, from what was kept.
            let checkpoint = seen.last().map_or(0, |entry: &Recorded| entry.position);
            let mut follower = Follower::new(tenant(), checkpoint);
            seen.extend(block_on(follower.next(&store, 7)).unwrap());
            seen.len() as u64 == N * 5
        });
    });
    assert!(seen.is_sorted_by(|a, b| a.position < b.position));
    assert_eq!(block_on(Follower::new(tenant(), 0).next(&store, 1_000)).unwrap(), seen);
}
