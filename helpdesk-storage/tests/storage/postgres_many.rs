//! Many commits at once to PostgreSQL: one transaction, and the results of one after the other.

use crate::servers::{fresh, options};
use crate::work::{received, start, tenant};
use helpdesk_core::id::TenantId;
use helpdesk_storage::chaos::cut;
use helpdesk_storage::memory::MemoryStore;
use helpdesk_storage::postgres::{PostgresStore, StatementMode};
use helpdesk_storage::{
    ChangeSet, Committed, EventQuery, EventSource, ListKind, ListQuery, Result, Shelf, Store,
    StoreExt,
};
use helpdesk_test_support::postgres::shared;
use pollster::block_on;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Each needs what the one before did: they share an agent's load.
fn chain(n: std::ops::Range<u64>) -> Vec<ChangeSet> {
    n.map(|n| received(n, n - 1)).collect()
}

/// What became of each, but for positions.
fn ends(results: &[Result<Committed>]) -> Vec<String> {
    let end = |result: &Result<Committed>| match result {
        Ok(done) => format!("{:?} {}", done.versions, done.replayed.is_some()),
        Err(error) => format!("{error:?}"),
    };
    results.iter().map(end).collect()
}

fn cases(store: &dyn Store, tenant: TenantId) -> Vec<String> {
    let query = ListQuery::all(tenant, ListKind::Cases(Shelf::All), start(), 1_000);
    block_on(store.list_all(query)).unwrap().iter().map(|row| format!("{row:?}")).collect()
}

/// Positions of the journal.
fn positions(store: &dyn Store, tenant: TenantId) -> Vec<u64> {
    let news = EventSource::News { after: 0, kinds: Vec::new() };
    let page = block_on(store.events(&EventQuery::new(tenant, news, 1_000))).unwrap();
    page.rows.iter().map(|row| row.position).collect()
}

#[test]
fn many_commits_are_few_transactions() {
    let address = shared().unwrap();
    for mode in [StatementMode::Prepared, StatementMode::Unnamed] {
        let (store, memory) = (fresh(&address, mode), MemoryStore::default());
        let done = block_on(store.commit_many(chain(1..101)));
        assert_eq!(ends(&done), ends(&block_on(memory.commit_many(chain(1..101)))));
        assert_eq!(cases(&store, tenant()), cases(&memory, tenant()));
        let all = positions(&store, tenant());
        assert!(all.is_sorted_by(|a, b| a < b), "each has a place of its own");
        let transactions: BTreeSet<u64> = all.iter().map(|position| position >> 20).collect();
        assert_eq!(transactions.len(), 2, "64 commits, and the rest");
        let told = done.iter().filter_map(|it| it.as_ref().ok()?.position);
        assert!(
            told.is_sorted()
                && done.last().unwrap().as_ref().unwrap().position == all.last().copied()
        );
    }
}

#[test]
fn among_many_each_ends_as_if_alone() {
    let store = fresh(&shared().unwrap(), StatementMode::Prepared);
    let memory = MemoryStore::default();
    let replayed = received(2, 1);
    // One that lost, that comes once more, that makes no sense, whose keys are taken.
    let mut senseless = received(9, 8);
    senseless.expect.clear();
    let mut taken = received(7, 3);
    taken.unique.extend(received(1, 0).unique);
    let mut other_content = received(1, 3);
    other_content.command.as_mut().unwrap().sha256 = "other".to_owned();
    let many = vec![
        received(1, 0),
        received(8, 7),
        received(2, 1),
        replayed,
        received(3, 2),
        senseless,
        taken,
        other_content,
        received(4, 3),
        // Only what comes before it lets it fit.
        received(5, 4),
    ];
    let results = block_on(store.commit_many(many.clone()));
    let expected = block_on(memory.commit_many(many));
    let kinds = |results: &[Result<Committed>]| -> Vec<String> {
        ends(results).iter().map(|end| end.chars().take(12).collect()).collect()
    };
    assert_eq!(kinds(&results), kinds(&expected));
    assert_eq!(results.iter().filter(|it| it.is_ok()).count(), 6);
    assert_eq!(cases(&store, tenant()), cases(&memory, tenant()));
}

#[test]
fn clients_that_commit_many_at_once_lose_nothing() {
    let address = shared().unwrap();
    let options = options();
    let open = || block_on(PostgresStore::open(&address, options.clone())).unwrap();
    let store = open();
    // Two on each tenant want the same: of each commit one of them is first.
    let done: Vec<Vec<bool>> = std::thread::scope(|scope| {
        let client = |i: u128| {
            let store = open();
            move || {
                let of_tenant = |mut change: ChangeSet| {
                    change.tenant = TenantId(Uuid::from_u128(0xB0 + i / 2));
                    change.command = None;
                    change
                };
                let mut done = Vec::new();
                for first in [1, 41, 81] {
                    let many = chain(first..first + 40).into_iter().map(of_tenant).collect();
                    done.extend(block_on(store.commit_many(many)).iter().map(Result::is_ok));
                }
                done
            }
        };
        let clients: Vec<_> = (0..4).map(|i| scope.spawn(client(i))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    for (i, pair) in done.chunks(2).enumerate() {
        let tenant = TenantId(Uuid::from_u128(0xB0 + i as u128));
        let n_done = pair.iter().flatten().filter(|is_done| **is_done).count();
        assert_eq!(cases(&store, tenant).len(), n_done, "each that said so is there, once");
        let both = pair[0].iter().zip(&pair[1]).filter(|(one, two)| **one && **two);
        assert_eq!(both.count(), 0, "both were first");
        assert!(n_done > 0);
    }
}

#[test]
fn whoever_stops_waiting_leaves_all_or_nothing_and_a_store_that_works() {
    let address = shared().unwrap();
    let options = options().with_connections(1);
    let store = block_on(PostgresStore::open(&address, options)).unwrap();
    let mut n_before = 0;
    for n_waits in 0..40 {
        let first = n_before + 1;
        let many = chain(first..first + 8);
        let ended = block_on(cut(store.commit_many(many.clone()), n_waits));
        // Whatever was under way ends before the only connection does something else.
        let n_now = cases(&store, tenant()).len() as u64;
        assert!(n_now == n_before || n_now == n_before + 8, "{n_before} to {n_now}");
        if let Some(results) = ended {
            assert!(results.iter().all(Result::is_ok));
            assert_eq!(n_now, n_before + 8);
        }
        n_before = n_now;
    }
    assert!(n_before > 0, "some came to their end");
}
