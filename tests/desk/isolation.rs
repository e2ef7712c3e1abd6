//! What fails for one ticket or tenant stops nobody else's work, and loses nothing.

use crate::faulty::{Fate, Faulty};
use crate::kit::at;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::blocking::block_on;
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::command::{ApplyConfig, Command, Snooze};
use helpdesk::core::contact::Identity;
use helpdesk::core::event::StreamId;
use helpdesk::core::fault::Code;
use helpdesk::core::id::{TenantId, TicketId};
use helpdesk::core::intake::inbound::InboundMessage;
use helpdesk::core::ticket::priority::Channel;
use helpdesk::notify::ATTEMPTS_MAX;
use helpdesk::search::{IndexOptions, TicketIndex};
use helpdesk::storage::{ClaimParams, ClaimWhat, Store};
use helpdesk::{Archive, Call, Helpdesk, MemoryStore, Pace};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

const A: TenantId = TenantId(Uuid::from_u128(0xA));
const B: TenantId = TenantId(Uuid::from_u128(0xB));

fn start() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

fn after(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

fn engine(store: Arc<dyn Store>) -> Helpdesk {
    Helpdesk::builder().with_shared_store(store).build().unwrap()
}

fn apply(desk: &Helpdesk, tenant: TenantId, document: Value) {
    let system = Actor::system(tenant, Capability::ActAsSystem);
    let config = Command::ApplyConfig(ApplyConfig { document });
    block_on(desk.execute(&system, config, start())).unwrap();
}

fn mail(desk: &Helpdesk, tenant: TenantId, name: &str) -> TicketId {
    let from = Identity::email(&format!("{name}@example.com"));
    let message = InboundMessage::new(Channel::Email, format!("<{name}@x>"), from, "Help.");
    block_on(desk.receive(tenant, message, start())).unwrap().made.ticket.unwrap()
}

fn snooze(desk: &Helpdesk, tenant: TenantId, ticket: TicketId, until: DateTime<Utc>) {
    let system = Actor::system(tenant, Capability::ActAsSystem);
    let call = Call::from(Command::Snooze(Snooze { ticket, until }));
    block_on(desk.execute(&system, call, start())).unwrap();
}

/// A desk of two tenants, each with a ticket that sleeps for a minute, and another engine
/// whose store can fail.
fn two_tenants() -> (Helpdesk, Helpdesk, Arc<Faulty>, [TicketId; 2]) {
    let memory = Arc::new(MemoryStore::default());
    let faulty = Faulty::new(memory.clone());
    let desk = engine(memory);
    let tickets = [A, B].map(|tenant| {
        apply(&desk, tenant, json!({}));
        let ticket = mail(&desk, tenant, "anna");
        snooze(&desk, tenant, ticket, after(60));
        ticket
    });
    (desk, engine(faulty.clone()), faulty, tickets)
}

#[test]
fn a_timer_of_a_tenant_that_an_engine_cannot_read_waits_for_one_that_can() {
    let (newer, older, faulty, _) = two_tenants();
    faulty.faults().newer.insert(A);
    let report = block_on(older.tick(after(60), 100)).unwrap();
    assert_eq!((report.fired, report.failed, report.dropped), (1, 1, 0), "B's fires");
    // It rests for a minute, then for two.
    let report = block_on(newer.tick(after(119), 100)).unwrap();
    assert_eq!((report.fired, report.next_due), (0, Some(after(120))));
    let report = block_on(older.tick(after(120), 100)).unwrap();
    assert_eq!((report.failed, report.next_due), (1, Some(after(240))));
    let report = block_on(newer.tick(after(240), 100)).unwrap();
    assert_eq!((report.fired, report.late_by_seconds, report.next_due), (1, 180, None));
}
#[test]
fn a_timer_of_a_tenant_that_became_unreadable_waits_too() {
    let (newer, older, faulty, _) = two_tenants();
    // It knows the tenant as it was, and its commit finds that it is no more so.
    assert_eq!(block_on(older.tick(start(), 100)).unwrap().fired, 0);
    let other = mail(&older, A, "bob");
    snooze(&older, A, other, after(60));
    apply(&newer, A, json!({"name": "Acme"}));
    faulty.faults().newer.insert(A);
    let report = block_on(older.tick(after(60), 100)).unwrap();
    assert_eq!((report.fired, report.failed, report.dropped), (1, 2, 0));
    let report = block_on(newer.tick(after(120), 100)).unwrap();
    assert_eq!((report.fired, report.next_due), (2, None));
}

#[test]
fn a_ticket_that_cannot_be_read_holds_up_no_other_of_its_tenant() {
    let (newer, older, faulty, [torn, _]) = two_tenants();
    let other = mail(&newer, A, "bob");
    snooze(&newer, A, other, after(60));
    faulty.faults().torn.insert(StreamId::case(torn));
    let report = block_on(older.tick(after(60), 100)).unwrap();
    assert_eq!((report.fired, report.failed), (2, 1));
    faulty.faults().torn.clear();
    assert_eq!(block_on(older.tick(after(120), 100)).unwrap().fired, 1);
}

#[test]
fn a_tenant_whose_feed_cannot_be_read_holds_up_no_timer() {
    let (_, desk, faulty, _) = two_tenants();
    for tenant in [A, B] {
        mail(&desk, tenant, "bob");
    }
    faulty.faults().torn_feed.insert(A);
    let report = block_on(desk.tick(after(60), 100)).unwrap();
    assert_eq!((report.fired, report.failed), (2, 0), "what it knows of A is enough");
}

#[test]
fn a_tick_gives_back_what_it_leased_when_it_cannot_keep_it() {
    let (_, desk, faulty, _) = two_tenants();
    faulty.faults().lost_settlements = 1;
    let clock = Ticking { seconds: AtomicI64::new(60), step: 8 };
    let error = block_on(desk.tick_at(&clock, 100)).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    let now = clock.now();
    assert!(now < after(120), "the leases have not ended by themselves");
    let report = block_on(desk.tick(now, 100)).unwrap();
    assert_eq!((report.fired, report.next_due), (1, None), "the one before it was fired");
}

#[test]
fn a_server_that_is_gone_ends_the_tick() {
    let (_, desk, faulty, _) = two_tenants();
    faulty.faults().commits.extend([Fate::DoneThenDown]);
    let error = block_on(desk.tick(after(60), 100)).unwrap_err();
    assert_eq!(error.code(), Code::OutcomeUnknown);
    faulty.faults().is_down = false;
    // What could not be given back ends by itself; what was done is not done again.
    assert_eq!(block_on(desk.tick(after(60), 100)).unwrap().fired, 0);
    assert_eq!(block_on(desk.tick(after(120), 100)).unwrap().fired, 1);
}

/// What is in the outbox, and how often it was tried.
fn tried(store: &dyn Store, now: DateTime<Utc>) -> Vec<u32> {
    let claim = ClaimParams::new(ClaimWhat::Outbox, now, 100);
    block_on(store.claim(&claim)).unwrap().leases.iter().map(|lease| lease.attempts).collect()
}

#[test]
fn a_message_whose_ticket_cannot_be_read_holds_up_no_other_and_dies_at_last() {
    let (_, desk, faulty, [torn, _]) = two_tenants();
    faulty.faults().torn.insert(StreamId::case(torn));
    let report = block_on(desk.deliver(start(), 100)).unwrap();
    assert_eq!((report.delivered, report.retried, report.dead), (1, 1, 0), "B's goes out");
    let mut now = start();
    let mut n_retried = 1;
    loop {
        now += TimeDelta::hours(7);
        let report = block_on(desk.deliver(now, 100)).unwrap();
        n_retried += report.retried;
        if report.dead > 0 {
            break;
        }
    }
    assert_eq!(n_retried + 1, u64::from(ATTEMPTS_MAX));
    faulty.faults().torn.clear();
    assert_eq!(block_on(desk.redrive(A, Vec::new(), now)).unwrap(), 1);
    assert_eq!(block_on(desk.deliver(now, 100)).unwrap().delivered, 1);
}

#[test]
fn what_was_delivered_is_settled_though_the_server_was_gone_for_a_moment() {
    let (_, desk, faulty, _) = two_tenants();
    let clock = Ticking::new(6);
    faulty.faults().lost_settlements = 1;
    assert!(block_on(desk.deliver_at(&clock, 100)).is_err());
    // The first settlement was lost; the one at the end has all of it, and gives back the rest.
    assert_eq!(tried(&*faulty, after(1)), vec![1]);
}

#[test]
fn a_tenant_that_cannot_be_indexed_holds_up_no_other() {
    let (_, _, faulty, _) = two_tenants();
    let index = Arc::new(TicketIndex::in_memory(&IndexOptions::default()).unwrap());
    let builder = Helpdesk::builder().with_shared_store(faulty.clone());
    let desk = builder.with_ticket_index(index.clone()).build().unwrap();
    for tenant in [A, B] {
        mail(&desk, tenant, "bob");
    }
    faulty.faults().torn_feed.insert(A);
    assert_eq!(block_on(desk.index(100)).unwrap_err().code(), Code::Internal);
    let reached: Vec<TenantId> = index.reached().into_keys().collect();
    assert_eq!(reached, vec![B], "and B's is committed");
    faulty.faults().torn_feed.clear();
    block_on(desk.index(100)).unwrap();
    assert_eq!(index.reached().len(), 2);
}

#[test]
fn a_tenant_whose_retention_fails_holds_up_no_other() {
    let (newer, desk, faulty, _) = two_tenants();
    for tenant in [A, B] {
        apply(&newer, tenant, json!({"retention": {"journal_days": 8, "dead_letter_days": 8}}));
        mail(&desk, tenant, "bob");
    }
    faulty.faults().torn_letters.insert(A);
    let archive = Arc::new(Mutex::new(BTreeSet::new()));
    let builder = Helpdesk::builder().with_shared_store(faulty.clone());
    let desk = builder.with_archive(Noted(archive.clone())).build().unwrap();
    for tenant in [A, B] {
        mail(&desk, tenant, "cleo");
    }
    let pace = Ticking::at(start() + TimeDelta::days(30));
    let error = block_on(desk.lead_retention("one", &pace)).unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert_eq!(*archive.lock().unwrap(), BTreeSet::from([A, B]));
}

#[test]
fn each_tenant_is_archived_by_an_engine_that_has_met_it() {
    let (newer, _, faulty, _) = two_tenants();
    for tenant in [A, B] {
        apply(&newer, tenant, json!({"retention": {"journal_days": 8, "dead_letter_days": 8}}));
    }
    let engine = |tenants: &[TenantId]| {
        let archived = Arc::new(Mutex::new(BTreeSet::new()));
        let builder = Helpdesk::builder().with_shared_store(faulty.clone());
        let desk = builder.with_archive(Noted(archived.clone())).build().unwrap();
        for tenant in tenants {
            // It meets them.
            block_on(desk.preview_retention(*tenant, start())).unwrap();
        }
        (desk, archived)
    };
    let lead = |desk: &Helpdesk, name, days| {
        let pace = Ticking::at(start() + TimeDelta::days(days));
        block_on(desk.lead_retention(name, &pace)).map(|report| report.is_some())
    };
    let (one, of_one) = engine(&[A]);
    let (two, of_two) = engine(&[B]);
    let (both, of_both) = engine(&[A, B]);
    assert!(lead(&one, "one", 30).unwrap() && lead(&two, "two", 30).unwrap());
    assert_eq!(*of_one.lock().unwrap(), BTreeSet::from([A]));
    assert_eq!(*of_two.lock().unwrap(), BTreeSet::from([B]));
    // Who knows both leads what another gives back, and no more.
    for tenant in [A, B] {
        mail(&newer, tenant, "bob");
    }
    assert!(!lead(&both, "both", 30).unwrap());
    block_on(two.resign_retention("two")).unwrap();
    assert!(lead(&both, "both", 30).unwrap() && !lead(&two, "two", 30).unwrap());
    assert_eq!(*of_both.lock().unwrap(), BTreeSet::from([B]));
    // Who fails lets others try.
    faulty.faults().torn_letters.insert(A);
    assert!(lead(&one, "one", 31).is_err());
    faulty.faults().torn_letters.clear();
    assert!(lead(&both, "both", 31).unwrap() && !lead(&one, "one", 31).unwrap());
}

/// An archive that notes whose entries came.
#[derive(Debug)]
struct Noted(Arc<Mutex<BTreeSet<TenantId>>>);

#[async_trait]
impl Archive for Noted {
    async fn append(&self, tenant: TenantId, _: &[u8]) -> std::io::Result<()> {
        self.0.lock().unwrap().insert(tenant);
        Ok(())
    }
}

/// A clock that goes on by so many seconds at each look.
#[derive(Debug)]
struct Ticking {
    seconds: AtomicI64,
    step: i64,
}

impl Ticking {
    fn new(step: i64) -> Self {
        Self { seconds: AtomicI64::new(0), step }
    }

    fn at(now: DateTime<Utc>) -> Self {
        Self { seconds: AtomicI64::new((now - start()).num_seconds()), step: 0 }
    }
}

impl Pace for Ticking {
    fn now(&self) -> DateTime<Utc> {
        after(self.seconds.fetch_add(self.step, Ordering::Relaxed))
    }

    fn is_over(&self) -> bool {
        false
    }
}
