//! The routing alone: a rule names the queue of a ticket, and the queue's agents
//! are asked who can take it. No engine, no store, no runtime.
//!
//! `cargo run -p helpdesk-core --example routing_only`
#![allow(clippy::print_stdout, reason = "an example prints what it decided")]

use chrono::{DateTime, Utc};
use helpdesk_core::agent::{Agent, AgentLoad, Presence, Roster, RosterEntry};
use helpdesk_core::condition::{Calendars, Condition, FactMap, Schema};
use helpdesk_core::fault::Fault;
use helpdesk_core::id::Key;
use helpdesk_core::routing::queue::Queue;
use helpdesk_core::routing::rules::{RoutingRule, explain_route};
use helpdesk_core::routing::select::{Ask, choose};
use helpdesk_core::ticket::Ticket;
use serde_json::{Value, from_value, json};
use std::error::Error;
use uuid::Uuid;

fn main() -> Result<(), Box<dyn Error>> {
    let now = DateTime::from_timestamp(1_780_315_200, 0).unwrap_or_default();
    let rule = RoutingRule {
        key: Key::new("money").map_err(|fault| fault.to_string())?,
        position: 1,
        when: Condition::parse(
            &json!({"field": "subject", "has_word": ["invoice", "refund"]}),
            &Schema::default(),
        )
        .map_err(|faults| told(&faults))?,
        then: from_value(json!({"queue": "billing", "skills": [{"skill": "french", "level": 5}]}))?,
    };
    let queue: Queue =
        from_value(json!({"key": "billing", "group": "billing", "mode": {"type": "assign"}}))?;
    let roster = Roster {
        agents: [agent(1, "Ana", 7, now)?, agent(2, "Boris", 3, now)?]
            .map(|entry| (entry.agent.id, entry))
            .into(),
    };

    let facts =
        FactMap::from_json(&json!({"subject": "Refund for invoice 17"}), now, &Schema::default())
            .map_err(|faults| told(&faults))?;
    let route = explain_route(std::slice::from_ref(&rule), &facts);
    println!("queue: {:?} because {}", route.queue, route.because.join("; "));

    let ticket = Ticket { required_skills: rule.then.skills, ..ticket(now)? };
    let calendars = Calendars::default();
    let ask = Ask {
        queue: &queue,
        ticket: &ticket,
        roster: &roster,
        calendars: &calendars,
        affinity: &[],
        now,
        seed: 0,
    };
    let name_of = |id| roster.get(id).map_or_else(String::new, |entry| entry.agent.name.clone());
    for sentence in choose(&ask).sentences(name_of) {
        println!("{sentence}");
    }
    Ok(())
}

fn agent(
    n: u128,
    name: &str,
    french: u8,
    now: DateTime<Utc>,
) -> Result<RosterEntry, serde_json::Error> {
    let id = Uuid::from_u128(n);
    let agent: Agent = from_value(json!({
        "id": id, "name": name, "roles": [], "groups": ["billing"], "active": true,
        "skills": [{"skill": "french", "level": french}], "capacity": {"total": 5},
    }))?;
    let online: Value = json!({"status": "online", "state": "online", "since": now});
    Ok(RosterEntry {
        presence: from_value::<Presence>(json!({"agent": id, "channels": {"email": online}}))?,
        load: AgentLoad::none(agent.id),
        agent: agent.into(),
        agent_version: 1,
        presence_version: 1,
        load_version: 0,
    })
}

fn ticket(now: DateTime<Utc>) -> Result<Ticket, serde_json::Error> {
    from_value(json!({
        "id": Uuid::from_u128(10), "number": "HD-1", "subject": "Refund for invoice 17",
        "requester": Uuid::from_u128(20), "channel": "email", "channels": ["email"],
        "status": "new", "category": "new", "queue": "billing", "entered_queue_at": now,
        "newest_public_seq": 1, "newest_public_bytes": 40,
        "counters": {
            "messages": 1, "attachments": 0, "reopens": 0, "reassignments": 0, "agent_touches": 0,
        },
        "times": {"created_at": now, "updated_at": now},
    }))
}

fn told(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
