//! Long rounds of work: leases that are kept, rounds that are stopped, tenants that share.

use crate::kit::at;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::blocking::block_on;
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::command::{ApplyConfig, Command, Snooze};
use helpdesk::core::contact::Identity;
use helpdesk::core::effect::Effect;
use helpdesk::core::id::{TenantId, TicketId};
use helpdesk::core::intake::inbound::InboundMessage;
use helpdesk::core::ticket::priority::Channel;
use helpdesk::notify::{Delivered, DeliveryError, Notification, Notifier};
use helpdesk::storage::{ClaimParams, ClaimWhat, Store};
use helpdesk::{Call, Helpdesk, MemoryStore, Pace};
use serde_json::json;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

const A: TenantId = TenantId(Uuid::from_u128(0xA));
const B: TenantId = TenantId(Uuid::from_u128(0xB));

fn start() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

/// A clock that the channel moves on, and a round that ends after so many looks.
#[derive(Debug)]
struct Time {
    seconds: AtomicI64,
    looks_left: AtomicUsize,
}

impl Time {
    fn new(looks: usize) -> Arc<Self> {
        let (seconds, looks_left) = (AtomicI64::new(0), AtomicUsize::new(looks));
        Arc::new(Self { seconds, looks_left })
    }
}

impl Pace for Time {
    fn now(&self) -> DateTime<Utc> {
        start() + TimeDelta::seconds(self.seconds.load(Ordering::Relaxed))
    }

    fn is_over(&self) -> bool {
        let left = self.looks_left.load(Ordering::Relaxed);
        self.looks_left.store(left.saturating_sub(1), Ordering::Relaxed);
        left == 0
    }
}

/// A channel that takes its time, while another engine looks for work.
#[derive(Debug)]
struct Slow {
    takes_seconds: i64,
    time: Arc<Time>,
    store: Arc<MemoryStore>,
    delivered: Mutex<Vec<(TenantId, Uuid)>>,
    n_taken_by_another: AtomicUsize,
}

#[async_trait]
impl Notifier for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn handles(&self, _: &Effect) -> bool {
        true
    }

    async fn deliver(&self, notification: &Notification) -> Result<Delivered, DeliveryError> {
        self.time.seconds.fetch_add(self.takes_seconds, Ordering::Relaxed);
        if self.takes_seconds > 0 {
            let claim = ClaimParams::new(ClaimWhat::Outbox, self.time.now(), 100);
            let others = self.store.claim(&claim).await.unwrap().leases.len();
            self.n_taken_by_another.fetch_add(others, Ordering::Relaxed);
        }
        self.delivered.lock().unwrap().push((notification.tenant, notification.delivery_id));
        Ok(Delivered::Sent)
    }
}

/// A desk whose store has so many messages of each tenant in its outbox.
fn desk(
    takes_seconds: i64,
    looks: usize,
    tenants: &[(TenantId, usize)],
) -> (Helpdesk, Arc<Slow>, Vec<TicketId>) {
    let mut tickets = Vec::new();
    let store = Arc::new(MemoryStore::default());
    let time = Time::new(looks);
    let slow = Arc::new(Slow {
        takes_seconds,
        time,
        store: store.clone(),
        delivered: Mutex::default(),
        n_taken_by_another: AtomicUsize::new(0),
    });
    let builder = Helpdesk::builder().with_shared_store(store).with_notifier(slow.clone());
    let desk = builder.build().unwrap();
    for (tenant, n) in tenants {
        let system = Actor::system(*tenant, Capability::ActAsSystem);
        let config = Command::ApplyConfig(ApplyConfig { document: json!({}) });
        block_on(desk.execute(&system, Call::from(config), start())).unwrap();
        for i in 0..*n {
            let from = Identity::email(&format!("{i}@example.com"));
            let id = format!("<{i}@example.com>");
            let message = InboundMessage::new(Channel::Email, id, from, "Nobody routes me.");
            let outcome = block_on(desk.receive(*tenant, message, start())).unwrap();
            tickets.extend(outcome.made.ticket);
        }
    }
    (desk, slow, tickets)
}

/// The ids that a claim finds, and how often they were tried.
fn left(slow: &Slow) -> Vec<u32> {
    let claim = ClaimParams::new(ClaimWhat::Outbox, slow.time.now(), 1_000);
    let leases = block_on(slow.store.claim(&claim)).unwrap().leases;
    leases.iter().map(|lease| lease.attempts).collect()
}

#[test]
fn slow_deliveries_keep_their_leases() {
    let (desk, slow, _) = desk(25, usize::MAX, &[(A, 8)]);
    let report = block_on(desk.deliver_at(&*slow.time, 100)).unwrap();
    assert_eq!((report.delivered, report.retried, report.dead), (8, 0, 0));
    let mut ids = slow.delivered.lock().unwrap().clone();
    ids.dedup();
    assert_eq!(ids.len(), 8, "each once");
    assert_eq!(slow.n_taken_by_another.load(Ordering::Relaxed), 0);
    assert!(left(&slow).is_empty());
}

#[test]
fn a_delivery_without_a_clock_holds_its_leases_for_a_minute() {
    // The check that the one before bites: nobody extends what nobody times.
    let (desk, slow, _) = desk(25, usize::MAX, &[(A, 8)]);
    block_on(desk.deliver(start(), 100)).unwrap();
    assert!(slow.n_taken_by_another.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_stopped_round_gives_back_what_it_did_not_begin() {
    // One look before the claim, then one before each message.
    let (desk, slow, _) = desk(1, 4, &[(A, 8)]);
    let report = block_on(desk.deliver_at(&*slow.time, 100)).unwrap();
    assert_eq!(report.delivered, 3);
    assert!(report.next_due.is_some_and(|due| due <= slow.time.now()));
    assert_eq!(left(&slow), vec![1; 5], "the rest is untried");
}

#[test]
fn a_backlog_of_one_tenant_does_not_hold_up_another() {
    let (desk, slow, _) = desk(0, usize::MAX, &[(A, 150), (B, 3)]);
    block_on(desk.deliver_at(&*slow.time, 40)).unwrap();
    let delivered = slow.delivered.lock().unwrap().clone();
    assert_eq!(delivered.iter().filter(|(tenant, _)| *tenant == B).count(), 3);
    let report = block_on(desk.deliver_at(&*slow.time, 1_000)).unwrap();
    assert_eq!((report.delivered + 40, report.next_due), (153, None));
}

#[test]
fn a_stopped_tick_gives_back_what_it_did_not_fire() {
    let (desk, slow, tickets) = desk(0, usize::MAX, &[(A, 6), (B, 4)]);
    for (at, ticket) in tickets.into_iter().enumerate() {
        let system = Actor::system(if at < 6 { A } else { B }, Capability::ActAsSystem);
        let until = start() + TimeDelta::seconds(60);
        let snooze = Command::Snooze(Snooze { ticket, until });
        block_on(desk.execute(&system, Call::from(snooze), start())).unwrap();
    }
    slow.time.seconds.store(60, Ordering::Relaxed);
    // Before the claim, and before the first of a tenant, with which its others are fired.
    slow.time.looks_left.store(2, Ordering::Relaxed);
    let report = block_on(desk.tick_at(&*slow.time, 100)).unwrap();
    assert!(report.fired == 6 || report.fired == 4, "those of one tenant: {report:?}");
    assert!(report.next_due.is_some_and(|due| due <= slow.time.now()));
    slow.time.looks_left.store(usize::MAX, Ordering::Relaxed);
    let rest = block_on(desk.tick_at(&*slow.time, 100)).unwrap();
    assert_eq!(rest.fired, 10 - report.fired);
}

/// A clock that goes on by 25 seconds for each look, while another engine looks for timers
/// once the tick has leased all of them.
#[derive(Debug)]
struct Slowly {
    seconds: AtomicI64,
    looks: AtomicUsize,
    store: Arc<MemoryStore>,
    all_leased_after: usize,
    n_taken_by_another: AtomicUsize,
}

impl Pace for Slowly {
    fn now(&self) -> DateTime<Utc> {
        start() + TimeDelta::seconds(self.seconds.load(Ordering::Relaxed))
    }

    fn is_over(&self) -> bool {
        self.seconds.fetch_add(25, Ordering::Relaxed);
        if self.looks.fetch_add(1, Ordering::Relaxed) >= self.all_leased_after {
            let claim = ClaimParams::new(ClaimWhat::Timers, self.now(), 100);
            let others = block_on(self.store.claim(&claim)).unwrap().leases.len();
            self.n_taken_by_another.fetch_add(others, Ordering::Relaxed);
        }
        false
    }
}

#[test]
fn a_slow_tick_leases_for_a_minute_from_when_it_leases() {
    // A tenant's share of a claim is 32: there are two claims, the second more than a minute late.
    let (desk, slow, tickets) = desk(0, usize::MAX, &[(A, 40)]);
    let system = Actor::system(A, Capability::ActAsSystem);
    for ticket in tickets {
        let until = start() + TimeDelta::seconds(60);
        let snooze = Command::Snooze(Snooze { ticket, until });
        block_on(desk.execute(&system, Call::from(snooze), start())).unwrap();
    }
    let clock = Slowly {
        seconds: AtomicI64::new(60),
        looks: AtomicUsize::new(0),
        store: slow.store.clone(),
        // One before each claim, one before those that are fired together and one after.
        all_leased_after: 1 + 1 + 1 + 1,
        n_taken_by_another: AtomicUsize::new(0),
    };
    let report = block_on(desk.tick_at(&clock, 100)).unwrap();
    assert_eq!(clock.n_taken_by_another.load(Ordering::Relaxed), 0);
    assert_eq!((report.fired, report.dropped, report.next_due), (40, 0, None));
}
