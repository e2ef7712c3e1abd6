//! Commits in transactions of a host's beside others that commit meanwhile.

use crate::postgres::{Host, eventually, news};
use crate::servers::options;
use crate::work::{received, start, tenant};
use chrono::TimeDelta;
use helpdesk_core::case::record::Record;
use helpdesk_core::effect::Effect;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::{CommandId, TenantId, TicketId};
use helpdesk_storage::postgres::{PostgresOptions, PostgresStore, in_tx, tokio_postgres};
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, EventQuery, EventSource, Expect, LeaseBody, NewOutbox,
    Store, StoreError,
};
use helpdesk_test_support::postgres::shared;
use pollster::block_on;
use tokio_postgres::Transaction;
use uuid::Uuid;

/// A ticket that shares nothing with others.
fn alone(n: u64) -> ChangeSet {
    let mut change = received(n, 0);
    change.put.retain(|record| !matches!(record, Record::Load(_)));
    change.expect.retain(|expect| expect.stream.kind != StreamKind::Load);
    change
}

/// The ticket that a change set opens.
fn ticket_of(change: &ChangeSet) -> StreamId {
    change.expect.iter().map(|it| it.stream).find(|it| it.kind == StreamKind::Case).unwrap()
}

/// Another entry for that ticket, at the version that opening it left.
fn more_of(opened: &ChangeSet, n: u128) -> ChangeSet {
    let stream = ticket_of(opened);
    let mut change = ChangeSet::new(tenant(), CommandId(Uuid::from_u128(n)), start());
    let last = opened.events.iter().rfind(|event| event.stream == stream).unwrap();
    change.expect = vec![Expect { stream, version: 4 }];
    change.events = vec![last.clone()];
    change
}

/// A message that waits in a lane.
fn queued(lane: Uuid, n: u128) -> ChangeSet {
    let mut change = ChangeSet::new(tenant(), CommandId(Uuid::from_u128(n)), start());
    let mut message = alone(1).outbox.swap_remove(0).message;
    message.id = Uuid::from_u128(n);
    message.effect = Effect::NotifyUnroutable { ticket: TicketId(lane) };
    message.ordering_key = lane;
    change.outbox = vec![NewOutbox { message }];
    change
}

fn block(position: Option<u64>) -> u64 {
    position.unwrap() >> 20
}

struct Desk {
    store: PostgresStore,
    options: PostgresOptions,
}

impl Desk {
    fn new() -> Self {
        let options = options();
        let store = block_on(PostgresStore::open(&shared().unwrap(), options.clone())).unwrap();
        Self { store, options }
    }

    fn host(&self) -> Host {
        let host = Host::connect(&shared().unwrap());
        // Who waits for another in these tests waits for good.
        host.run("SET statement_timeout = '20s'");
        host
    }

    async fn commit(
        &self,
        tx: &Transaction<'_>,
        change: &ChangeSet,
    ) -> Result<Option<u64>, StoreError> {
        Ok(in_tx(tx).with_options(&self.options).commit(change).await?.position)
    }
}

/// Makes the transaction one that writes, so that it has its place in the order.
async fn begin(client: &mut tokio_postgres::Client) -> Transaction<'_> {
    let tx = client.transaction().await.unwrap();
    tx.query("SELECT pg_current_xact_id()::text", &[]).await.unwrap();
    tx
}

#[test]
fn a_transaction_keeps_to_its_own_places_when_a_later_one_commits_first() {
    let desk = Desk::new();
    let (mut one, mut two) = (desk.host(), desk.host());
    let (Host { runtime, client: one }, two) = (&mut one, &mut two.client);
    runtime.block_on(async {
        let (first, second) = (begin(one).await, begin(two).await);
        let later = desk.store.commit(alone(1)).await.unwrap().position;
        // None of them is in another's way.
        let of_first = desk.commit(&first, &alone(2)).await.unwrap();
        let of_second = desk.commit(&second, &alone(3)).await.unwrap();
        let again = desk.commit(&first, &alone(4)).await.unwrap();
        assert!(block(of_first) < block(of_second) && block(of_second) < block(later));
        assert_eq!(block(again), block(of_first));
        assert!(again > of_first);
        second.commit().await.unwrap();
        first.commit().await.unwrap();
    });
    eventually("all show", || news(&desk.store, 0).len() == 20);
}

#[test]
fn what_a_later_transaction_wrote_a_host_goes_on_from_when_it_runs_again() {
    let desk = Desk::new();
    let mut host = desk.host();
    let Host { runtime, client } = &mut host;
    let opened = alone(1);
    runtime.block_on(async {
        let tx = begin(client).await;
        desk.store.commit(opened.clone()).await.unwrap();
        let error = desk.commit(&tx, &more_of(&opened, 7)).await.unwrap_err();
        let runs_again = matches!(&error, StoreError::Unavailable { retry_after: Some(_), .. });
        assert!(runs_again, "{error:?}");
        // What was committed before is said, whatever its place; a lost race too.
        assert!(
            in_tx(&tx)
                .with_options(&desk.options)
                .commit(&opened)
                .await
                .unwrap()
                .replayed
                .is_some()
        );
        let mut lost = more_of(&opened, 8);
        lost.expect[0].version = 3;
        let error = desk.commit(&tx, &lost).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict(_)), "{error:?}");
        // The transaction is as it was, and may also go on with something else.
        desk.commit(&tx, &alone(2)).await.unwrap();
        tx.rollback().await.unwrap();
        let tx = begin(client).await;
        desk.commit(&tx, &more_of(&opened, 7)).await.unwrap();
        tx.commit().await.unwrap();
    });
    let query =
        EventQuery::new(tenant(), EventSource::Stream { stream: ticket_of(&opened), after: 0 }, 10);
    let rows = block_on(desk.store.events(&query)).unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.n).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(rows.is_sorted_by(|one, next| one.position < next.position));
}

#[test]
fn a_lane_keeps_its_order_when_a_later_transaction_commits_first() {
    let desk = Desk::new();
    let mut host = desk.host();
    let Host { runtime, client } = &mut host;
    let lane = Uuid::from_u128(0x1A);
    runtime.block_on(async {
        let tx = begin(client).await;
        desk.store.commit(queued(lane, 1)).await.unwrap();
        let error = desk.commit(&tx, &queued(lane, 2)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { retry_after: Some(_), .. }));
        drop(tx);
        // Without entries of the journal, each has a place of its own all the same.
        let tx = begin(client).await;
        for n in 2..5 {
            desk.commit(&tx, &queued(lane, n)).await.unwrap();
        }
        tx.commit().await.unwrap();
    });
    let mut order = Vec::new();
    loop {
        let now = start() + TimeDelta::seconds(60);
        let params = ClaimParams::new(ClaimWhat::Outbox, now, 10);
        let mut claimed = block_on(desk.store.claim(&params)).unwrap();
        let Some(lease) = claimed.leases.pop() else { break };
        let LeaseBody::Outbox(message) = lease.body else { panic!() };
        order.push(message.id.as_u128());
        let mut done = ChangeSet::new(tenant(), CommandId(message.id), now);
        done.done = vec![lease.token];
        block_on(desk.store.commit(done)).unwrap();
    }
    assert_eq!(order, [1, 2, 3, 4]);
}

#[test]
fn a_savepoint_of_the_hosts_takes_places_back_and_tenants_share_what_is_left() {
    let desk = Desk::new();
    let mut host = desk.host();
    let Host { runtime, client } = &mut host;
    let of_other = |mut change: ChangeSet| {
        change.tenant = TenantId(Uuid::from_u128(0xB0B));
        change
    };
    let places = runtime.block_on(async {
        let mut tx = begin(client).await;
        let mut places = vec![desk.commit(&tx, &alone(1)).await.unwrap()];
        let inner = tx.savepoint("own").await.unwrap();
        desk.commit(&inner, &alone(2)).await.unwrap();
        inner.rollback().await.unwrap();
        places.push(desk.commit(&tx, &of_other(alone(3))).await.unwrap());
        places.push(desk.commit(&tx, &alone(4)).await.unwrap());
        tx.commit().await.unwrap();
        places
    });
    let first = places[0].unwrap();
    assert_eq!(places, [first, first + 5, first + 10].map(Some));
}
