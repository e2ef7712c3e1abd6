//! Callers at once on one PostgreSQL store: they share statements, and nothing else.

use crate::postgres::{Host, eventually};
use crate::postgres_faults::n_waiting;
use crate::servers::options;
use crate::work::{received, start, tenant};
use helpdesk_core::event::StreamId;
use helpdesk_core::id::TenantId;
use helpdesk_storage::chaos::cut;
use helpdesk_storage::postgres::{PostgresOptions, PostgresStore};
use helpdesk_storage::{
    ChangeSet, Committed, EventQuery, EventSource, Expect, ListKind, ListQuery, Result, Shelf,
    Store, StoreError, StoreExt, UniqueOp,
};
use helpdesk_test_support::postgres::shared;
use pollster::block_on;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use uuid::Uuid;

fn store() -> (PostgresStore, Host, PostgresOptions) {
    let (address, options) = (shared().unwrap(), options());
    let store = block_on(PostgresStore::open(&address, options.clone())).unwrap();
    (store, Host::connect(&address), options)
}

/// Ticket `n` comes in, and touches nothing of another's.
pub(crate) fn alone(n: u64) -> ChangeSet {
    let mut change = received(n, 0);
    change.expect.truncate(2);
    change.put.truncate(3);
    change
}

/// The ticket that a change set makes.
pub(crate) fn made_by(change: &ChangeSet) -> StreamId {
    change.expect[0].stream
}

/// Ticket `n` is written again, at this version.
fn again(n: u64, version: u64) -> ChangeSet {
    let mut change = alone(n);
    change.commit_id.0 = Uuid::new_v4();
    change.expect = vec![Expect { stream: made_by(&change), version }];
    change.put.truncate(1);
    (change.command, change.unique) = (None, Vec::new());
    (change.events, change.timers, change.outbox) = (Vec::new(), Vec::new(), Vec::new());
    change
}

/// Puts the keys of ticket `n`.
fn with_keys_of(n: u64, mut change: ChangeSet) -> ChangeSet {
    let owner = made_by(&change);
    change.unique = alone(n).unique;
    for op in &mut change.unique {
        if let UniqueOp::Put { stream, .. } = op {
            *stream = owner;
        }
    }
    change
}

fn cases(store: &dyn Store, tenant: TenantId) -> usize {
    let query = ListQuery::all(tenant, ListKind::Cases(Shelf::All), start(), 1_000);
    block_on(store.list_all(query)).unwrap().len()
}

/// Has these committed at once while nothing can be committed, so that all but the first wait
/// for their turn; how each ended.
fn at_once(changes: &[ChangeSet]) -> (PostgresStore, Vec<Result<Committed>>) {
    let (store, host, options) = store();
    for n in [1, 2] {
        block_on(store.commit(alone(n))).unwrap();
    }
    host.run(&format!("BEGIN; LOCK TABLE {}.hd_idem IN ACCESS EXCLUSIVE MODE", options.schema()));
    let other = Host::connect(&shared().unwrap());
    let ends = std::thread::scope(|scope| {
        let first = scope.spawn(|| block_on(store.commit(alone(100))));
        eventually("the first waits", || n_waiting(&other, options.schema()) == 1);
        let mut pending: Vec<_> =
            changes.iter().map(|change| Box::pin(store.commit(change.clone()))).collect();
        let mut context = Context::from_waker(Waker::noop());
        for commit in &mut pending {
            assert!(commit.as_mut().poll(&mut context).is_pending());
        }
        host.run("COMMIT");
        first.join().unwrap().unwrap();
        pending.into_iter().map(block_on).collect()
    });
    (store, ends)
}

#[test]
fn callers_at_once_share_statements() {
    let (store, _, _) = store();
    let store = &store;
    std::thread::scope(|scope| {
        for i in 0..24 {
            scope.spawn(move || {
                for n in 0..8 {
                    block_on(store.commit(alone(1 + i * 8 + n))).unwrap();
                }
            });
        }
    });
    assert_eq!(cases(store, tenant()), 192);
    let news = EventSource::News { after: 0, kinds: Vec::new() };
    let page = block_on(store.events(&EventQuery::new(tenant(), news, 1_000))).unwrap();
    let positions: Vec<u64> = page.rows.iter().map(|row| row.position).collect();
    assert!(positions.is_sorted_by(|a, b| a < b), "each has a place of its own");
    let transactions: BTreeSet<u64> = positions.iter().map(|position| position >> 20).collect();
    assert!(transactions.len() < 96, "{} transactions", transactions.len());
}

#[test]
fn of_those_who_share_a_statement_each_ends_as_if_alone() {
    let mut senseless = alone(5);
    senseless.expect.clear();
    let mut other_tenant = alone(6);
    other_tenant.tenant = TenantId(Uuid::from_u128(0xB0B));
    let taken = with_keys_of(1, alone(7));
    let mut reused = alone(2);
    reused.command.as_mut().unwrap().sha256 = "other".to_owned();
    let mut late = again(1, 1);
    late.after = Some(alone(3).commit_id);
    let changes = [
        alone(3),
        again(1, 9),
        alone(4),
        senseless,
        other_tenant,
        taken,
        alone(1),
        reused,
        again(2, alone(2).version_after(made_by(&alone(2))).unwrap()),
        alone(8),
    ];
    let (store, ends) = at_once(&changes);
    assert!(matches!(block_on(store.commit(late)), Err(StoreError::NotAfter { .. })));
    let told: Vec<&str> = ends
        .iter()
        .map(|end| match end {
            Ok(done) if done.replayed.is_some() => "replayed",
            Ok(_) => "done",
            Err(StoreError::Conflict(_)) => "conflict",
            Err(StoreError::Invalid { .. }) => "invalid",
            Err(StoreError::DuplicateKey { .. }) => "duplicate",
            Err(StoreError::KeyReused { .. }) => "reused",
            Err(error) => panic!("{error}: {error:?}"),
        })
        .collect();
    let wanted = [
        "done",
        "conflict",
        "done",
        "invalid",
        "done",
        "duplicate",
        "replayed",
        "reused",
        "done",
        "done",
    ];
    assert_eq!(told, wanted);
    // 1, 2 and 100 of before.
    assert_eq!(cases(&store, tenant()), 6);
    assert_eq!(cases(&store, TenantId(Uuid::from_u128(0xB0B))), 1);
}

#[test]
fn whoever_stops_waiting_is_not_committed_and_whoever_is_left_alone_holds_up_nobody() {
    let (store, host, options) = store();
    host.run(&format!("BEGIN; LOCK TABLE {}.hd_idem IN ACCESS EXCLUSIVE MODE", options.schema()));
    let other = Host::connect(&shared().unwrap());
    let mut context = Context::from_waker(Waker::noop());
    let mut first = Box::pin(store.commit(alone(1)));
    assert!(first.as_mut().poll(&mut context).is_pending());
    eventually("the first waits", || n_waiting(&other, options.schema()) == 1);
    assert!(block_on(cut(store.commit(alone(2)), 0)).is_none());
    // Of these nobody will ask again.
    let mut left = pin!(store.commit(alone(3)));
    assert!(left.as_mut().poll(&mut context).is_pending());
    host.run("COMMIT");
    block_on(store.commit(alone(4))).unwrap();
    eventually("1, 3 and 4 are there", || cases(&store, tenant()) == 3);
    block_on(store.commit(alone(2))).unwrap();
    drop(first);
}

#[test]
fn whoever_waits_for_a_host_holds_up_nobody_else() {
    let (store, host, options) = store();
    let schema = options.schema();
    block_on(store.commit(alone(1))).unwrap();
    let id = made_by(&alone(1)).id;
    let version = alone(1).version_after(made_by(&alone(1))).unwrap();
    // A ticket is locked, and keys are another's, or nobody's.
    host.run(&format!("BEGIN; SELECT 1 FROM {schema}.hd_ticket WHERE id = '{id}' FOR UPDATE"));
    let writer = Host::connect(&shared().unwrap());
    writer.run("BEGIN");
    for op in &alone(3).unique {
        let UniqueOp::Put { key, .. } = op else { continue };
        writer.run(&format!(
            "INSERT INTO {schema}.hd_unique (tenant_id, kind, key, stream_kind, stream_id) \
             VALUES ('{}', '{}', convert_to('{}', 'UTF8'), 'case', '{id}')",
            tenant(),
            key.kind(),
            key.text()
        ));
    }
    let other = Host::connect(&shared().unwrap());
    let store = &store;
    std::thread::scope(|scope| {
        let locked = scope.spawn(|| block_on(store.commit(again(1, version))));
        let keyed = scope.spawn(|| block_on(store.commit(alone(3))));
        eventually("both wait", || n_waiting(&other, schema) == 2);
        for n in 10..30 {
            block_on(store.commit(alone(n))).unwrap();
        }
        let many: Vec<_> =
            (30..50).map(|n| scope.spawn(move || block_on(store.commit(alone(n))))).collect();
        assert!(many.into_iter().all(|one| one.join().unwrap().is_ok()));
        assert!(!locked.is_finished() && !keyed.is_finished());
        host.run("COMMIT");
        locked.join().unwrap().unwrap();
        writer.run("COMMIT");
        assert!(matches!(keyed.join().unwrap(), Err(StoreError::DuplicateKey { .. })));
    });
    assert_eq!(cases(store, tenant()), 41);
}
