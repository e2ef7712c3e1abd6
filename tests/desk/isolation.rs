//! What fails for one ticket or tenant stops nobody else's work, and loses nothing.

use crate::faulty::Faulty;
use crate::kit::at;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::blocking::block_on;
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::command::{ApplyConfig, Command, Snooze};
use helpdesk::core::contact::Identity;
use helpdesk::core::id::{TenantId, TicketId};
use helpdesk::core::intake::inbound::InboundMessage;
use helpdesk::core::ticket::priority::Channel;
use helpdesk::{Call, Helpdesk, MemoryStore};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

const A: TenantId = TenantId(Uuid::from_u128(0xA));
const B: TenantId = TenantId(Uuid::from_u128(0xB));

fn start() -> DateTime<Utc> {
    at("2026-11-20T09:00:00Z")
}

fn after(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

fn engine(store: Arc<dyn helpdesk::storage::Store>) -> Helpdesk {
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
