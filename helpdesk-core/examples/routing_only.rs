//! The routing alone: a rule names the queue of a ticket, and the queue's agents
//! are asked who can take it. No engine, no store, no runtime.
//!
//! `cargo run -p helpdesk-core --example routing_only`
#![allow(clippy::print_stdout, reason = "an example prints what it decided")]

use chrono::DateTime;
use helpdesk_core::agent::{Roster, RosterEntry};
use helpdesk_core::condition::{FactMap, Scratch};
use helpdesk_core::desk::Desk;
use helpdesk_core::fault::Rejection;
use helpdesk_core::routing::select::{Ask, choose};
use helpdesk_core::ticket::{Ticket, priority::Channel, status::StatusPreset};
use serde_json::{from_value, json};
use uuid::Uuid;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now = DateTime::from_timestamp(1_795_165_200, 0).ok_or("out of range")?;
    // Rules and queues: read and compiled once, all faults told with their spots.
    let desk = json!({
        "groups": [{"key": "billing"}], "skills": [{"key": "french"}],
        "queues": [{"key": "billing", "group": "billing", "mode": {"type": "assign"}}],
        "rules": [{"key": "money", "when": {"field": "subject", "has_word": ["invoice", "refund"]},
            "then": {"queue": "billing", "skills": [{"skill": "french", "level": 5}]}}],
    });
    let desk = Desk::from_value(&desk).map_err(Rejection::many)?;
    let facts = json!({"subject": "Refund for invoice 17", "channel": "email"});
    let facts =
        FactMap::from_json(&facts, now, desk.condition_schema()).map_err(Rejection::many)?;
    let (_, rule) = desk.routing().route(&facts, &mut Scratch::default()).ok_or("no rule holds")?;
    println!("queue {} by rule {}: {}", rule.then.queue, rule.key, rule.when.evidence(&facts)[0]);

    // Agents, and the ticket: who can take it, and who gets it.
    let agent = |(n, name, french): (u128, &str, u8)| {
        let (id, skill) = (Uuid::from_u128(n), json!({"skill": "french", "level": french}));
        let agent = from_value(json!({"id": id, "name": name, "roles": [], "groups": ["billing"],
            "skills": [skill], "capacity": {"total": 5}, "active": true}))?;
        let online = json!({"email": {"status": "online", "state": "online", "since": now}});
        let presence = from_value(json!({"agent": id, "channels": online}))?;
        Ok::<_, serde_json::Error>(RosterEntry { presence, ..RosterEntry::new(agent) })
    };
    let agents = [(1, "Ana", 7), (2, "Boris", 3)].into_iter().map(agent);
    let roster: &Roster = &agents.collect::<Result<_, _>>()?;
    let (id, requester) = (Uuid::from_u128(10).into(), Uuid::from_u128(20).into());
    let new = &StatusPreset::Zendesk.statuses()[0];
    let mut ticket = Ticket::blank(id, "HD-1".parse()?, requester, Channel::Email, new, now);
    ticket.required_skills.clone_from(&rule.then.skills);
    let (ticket, queue) = (&ticket, desk.queue(&rule.then.queue).ok_or("no such queue")?);
    let (calendars, affinity, seed) = (desk.calendars(), &[], desk.selection_seed());
    let choice = choose(&Ask { queue, ticket, roster, calendars, affinity, now, seed });
    let name_of = |id| roster.get(id).map_or_else(String::new, |entry| entry.agent.name.clone());
    choice.sentences(name_of).iter().for_each(|sentence| println!("{sentence}"));
    Ok(())
}
