//! PostgreSQL when transactions are in each other's way, and when connections are cut.

use crate::postgres::{Host, eventually};
use crate::servers::options;
use crate::sqlite::race;
use crate::work::{received, start, tenant};
use chrono::TimeDelta;
use helpdesk_core::condition::{Condition, Schema};
use helpdesk_core::event::Recorded;
use helpdesk_storage::postgres::{PostgresOptions, PostgresStore};
use helpdesk_storage::{
    ClaimParams, ClaimWhat, CountBy, CountQuery, EventQuery, EventSource, ListKind, ListQuery,
    Maintain, Settle, SettleHow, Shelf, Store, StoreError, StoreExt,
};
use helpdesk_test_support::postgres::shared;
use pollster::block_on;
use serde_json::json;
use std::time::Duration;

fn open(address: &str, options: &PostgresOptions) -> PostgresStore {
    block_on(PostgresStore::open(address, options.clone())).unwrap()
}

fn now() -> chrono::DateTime<chrono::Utc> {
    start() + TimeDelta::hours(9)
}

/// Sessions with a statement of this schema that waits for a lock.
fn waiting(schema: &str) -> String {
    format!(
        "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%\"{schema}\"%' \
         AND state = 'active'"
    )
}

pub(crate) fn n_waiting(host: &Host, schema: &str) -> i64 {
    host.number(&format!("SELECT count(*) {}", waiting(schema)))
}

fn waits(host: &Host, schema: &str) {
    eventually("it waits", || n_waiting(host, schema) == 1);
}

/// Cuts the connection whose statement waits, and waits for its end.
fn cut(host: &Host, schema: &str) {
    waits(host, schema);
    let pid = host.number(&format!("SELECT pid::bigint {}", waiting(schema)));
    let there = format!("FROM pg_stat_activity WHERE pid = {pid}");
    host.run(&format!("SELECT pg_terminate_backend(pid) {there}"));
    eventually("it ends", || host.number(&format!("SELECT count(*) {there}")) == 0);
}

fn journal(store: &dyn Store) -> Vec<Recorded> {
    let news = EventSource::News { after: 0, kinds: Vec::new() };
    block_on(store.events(&EventQuery::new(tenant(), news, 1_000))).unwrap().rows
}

#[test]
fn what_a_lost_connection_may_have_done_is_said() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options);
    let schema = options.schema();
    block_on(store.commit(received(1, 0))).unwrap();
    let claim = ClaimParams::new(ClaimWhat::Outbox, now(), 1);
    let lease = block_on(store.claim(&claim)).unwrap().leases.swap_remove(0);
    let (holder, other) = (Host::connect(&address), Host::connect(&address));
    // A lock that all of them want, until the connection is cut.
    let during = |work: &(dyn Fn() -> StoreError + Sync)| {
        holder.run(&format!(
            "BEGIN; LOCK TABLE {schema}.hd_outbox, {schema}.hd_idem, {schema}.hd_lease \
             IN ACCESS EXCLUSIVE MODE"
        ));
        let error = std::thread::scope(|scope| {
            let work = scope.spawn(work);
            cut(&other, schema);
            work.join().unwrap()
        });
        holder.run("ROLLBACK");
        assert!(matches!(error, StoreError::Ambiguous { .. }), "{error:?}");
    };
    during(&|| block_on(store.claim(&claim)).unwrap_err());
    let settle = Settle { token: lease.token, now: now(), how: SettleHow::Done };
    during(&|| block_on(store.settle(vec![settle.clone()])).unwrap_err());
    let purge = Maintain::PurgeCommands { tenant: tenant(), now: now() };
    during(&|| block_on(store.maintain(&purge)).unwrap_err());
    let lead = Maintain::Lead {
        job: "digest".to_owned(),
        owner: "node".to_owned(),
        now: now(),
        lease_seconds: 60,
    };
    during(&|| block_on(store.maintain(&lead)).unwrap_err());
    // Again it is done, or is found to have been.
    assert!(block_on(store.settle(vec![settle])).unwrap()[0].is_ok());
    assert_eq!(block_on(store.maintain(&lead)).unwrap().n_rows, 1);
}

#[test]
fn what_stricter_isolation_refuses_is_tried_again() {
    let (address, options) = (shared().unwrap(), options());
    let separator = if address.contains('?') { '&' } else { '?' };
    for level in ["repeatable%20read", "serializable"] {
        let strict = format!(
            "{address}{separator}options=-c%20default_transaction_isolation%3D{}",
            level.replace("%20", "%5C%20")
        );
        let options = options.clone().with_schema(&helpdesk_test_support::postgres::fresh_schema());
        let options = options.unwrap();
        let is_strict = "SELECT count(*) FROM pg_settings WHERE name = \
                         'default_transaction_isolation' AND setting <> 'read committed'";
        assert_eq!(Host::connect(&strict).number(is_strict), 1);
        let store = open(&strict, &options);
        block_on(store.commit(received(1, 0))).unwrap();
        let (holder, schema) = (Host::connect(&address), options.schema());
        let other = Host::connect(&address);
        // The row that a statement locks is another after it has waited for it: with more than
        // `read committed`, that is an error.
        let beside = |update: &str, work: &(dyn Fn() + Sync)| {
            holder.run(&format!("BEGIN; UPDATE {schema}.{update}"));
            std::thread::scope(|scope| {
                let work = scope.spawn(work);
                waits(&other, schema);
                holder.run("COMMIT");
                work.join().unwrap();
            });
        };
        beside("hd_entity SET doc = doc WHERE kind = 'load'", &|| {
            block_on(store.commit(received(2, 1))).unwrap();
        });
        let rewrite = Maintain::Rewrite { tenant: tenant(), entries: journal(&store) };
        beside("hd_event SET doc = doc", &|| {
            assert_eq!(block_on(store.maintain(&rewrite)).unwrap().n_rows, 10);
        });
        race(&store);
    }
}

/// Two that rewrite the same entries crosswise: one of them is ended by the server, and again.
#[test]
fn a_rewrite_that_is_in_anothers_way_is_tried_again() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options);
    for n in 1..=2 {
        block_on(store.commit(received(n, n - 1))).unwrap();
    }
    let (holder, schema) = (Host::connect(&address), options.schema());
    let entries = journal(&store);
    let (first, last) = (entries.first().unwrap().clone(), entries.last().unwrap().clone());
    let lock = |it: &Recorded| {
        let id = it.entry.stream.id;
        format!("SELECT 1 FROM {schema}.hd_event WHERE stream_id = '{id}' FOR UPDATE")
    };
    holder.run(&format!("BEGIN; SET LOCAL deadlock_timeout = '60s'; {}", lock(&last)));
    let rewrite = Maintain::Rewrite { tenant: tenant(), entries: vec![first.clone(), last] };
    let other = Host::connect(&address);
    std::thread::scope(|scope| {
        let rewrite = scope.spawn(|| block_on(store.maintain(&rewrite)));
        waits(&other, schema);
        holder.run(&lock(&first));
        holder.run("COMMIT");
        assert_eq!(rewrite.join().unwrap().unwrap().n_rows, 2);
    });
    assert_eq!(journal(&store), entries);
}

#[test]
fn a_list_or_count_whose_connection_is_cut_goes_on_another() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options);
    let schema = options.schema();
    block_on(store.commit(received(1, 0))).unwrap();
    let (holder, other) = (Host::connect(&address), Host::connect(&address));
    // Cut while they wait for a lock, twice.
    let during = |work: &(dyn Fn() + Sync)| {
        holder.run(&format!("BEGIN; LOCK TABLE {schema}.hd_ticket IN ACCESS EXCLUSIVE MODE"));
        std::thread::scope(|scope| {
            let work = scope.spawn(work);
            cut(&other, schema);
            cut(&other, schema);
            holder.run("ROLLBACK");
            work.join().unwrap();
        });
    };
    let mut list = ListQuery::all(tenant(), ListKind::Cases(Shelf::All), start(), 10);
    let mut count = CountQuery::all(tenant(), CountBy::Nothing, start());
    // Of one statement each, and of several.
    let condition = json!({"field": "subject", "contains": "invoice"});
    for condition in [Condition::Always, Condition::parse(&condition, &Schema::default()).unwrap()]
    {
        list.condition = condition.clone();
        count.condition = condition;
        during(&|| assert_eq!(block_on(store.list(&list)).unwrap().rows.len(), 1));
        during(&|| assert_eq!(block_on(store.count(&count)).unwrap()[0].n, 1));
    }
}

#[test]
fn a_statement_that_waits_too_long_is_undone_and_says_so() {
    let (address, options) = (shared().unwrap(), options());
    let store = open(&address, &options.clone().with_statement_timeout(Duration::from_millis(50)));
    block_on(store.commit(received(1, 0))).unwrap();
    let (holder, schema) = (Host::connect(&address), options.schema());
    holder.run(&format!("BEGIN; SELECT 1 FROM {schema}.hd_entity WHERE kind = 'load' FOR UPDATE"));
    let error = block_on(store.commit(received(2, 1))).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    holder.run("ROLLBACK");
    assert!(block_on(store.commit(received(2, 1))).unwrap().replayed.is_none());
    let query = ListQuery::all(tenant(), ListKind::Cases(Shelf::All), start(), 10);
    assert_eq!(block_on(store.list_all(query)).unwrap().len(), 2);
}
