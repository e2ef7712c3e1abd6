//! Routing as a desk sees it: the desk has agents 1, 2, 3 … in the group
//! `billing`, all online and idle, and a ticket that has waited for an hour.

mod affinity;
mod agent_index;
mod batch;
mod candidates;
pub(crate) mod index_desk;
mod laws;
mod order;
mod rules;
mod selectors;
mod stages;
mod to_solve;
mod waiting_index;

use super::queue::Queue;
use super::select::{Ask, Choice, choose};
use crate::agent::{
    Agent, AgentLoad, Capacity, ChannelLoad, ChannelPresence, Presence, PresenceState, Roster,
    RosterEntry,
};
use crate::calendar::BundledZones;
use crate::condition::Calendars;
use crate::id::{AgentId, Key, TicketId};
use crate::ticket::Ticket;
use crate::ticket::priority::{Channel, SkillLevel};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

fn now() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// So many seconds before now.
fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn id(n: u128) -> AgentId {
    AgentId(Uuid::from_u128(n))
}

fn ticket_id(n: u128) -> TicketId {
    TicketId(Uuid::from_u128(n))
}

fn skill(skill: &str, level: u8) -> SkillLevel {
    SkillLevel { skill: key(skill), level }
}

/// Ticket 1 by mail, in the queue for an hour.
fn ticket() -> Ticket {
    serde_json::from_value(json!({
        "id": ticket_id(1), "number": "1", "subject": "Invoice missing",
        "requester": Uuid::from_u128(100), "channel": "email", "channels": ["email"],
        "status": "new", "category": "new", "queue": "billing", "entered_queue_at": ago(3_600),
        "newest_public_seq": 1, "newest_public_bytes": 10,
        "counters": {
            "messages": 1, "attachments": 0, "reopens": 0, "reassignments": 0, "agent_touches": 0,
        },
        "times": {
            "created_at": ago(3_600), "updated_at": ago(3_600), "last_requester_at": ago(3_600),
        },
    }))
    .unwrap()
}

/// The queue `billing`, which assigns, with these settings.
fn queue(settings: Value) -> Queue {
    let mut queue = json!({"key": "billing", "group": "billing", "mode": {"type": "assign"}});
    let (Value::Object(all), Value::Object(more)) = (&mut queue, settings) else { panic!() };
    all.extend(more);
    serde_json::from_value(queue).unwrap()
}

/// A queue of one stage with this selector.
fn queue_by(selector: &str) -> Queue {
    queue(json!({"stages": [{"selector": selector}]}))
}

/// Calendars by which it is Monday noon: `early` has just ended, `late` just
/// begun, `night` begins in six hours.
fn shifts() -> Calendars {
    let mut calendars = Calendars::default();
    for (name, from, to) in
        [("early", "06:00", "12:00"), ("late", "12:00", "20:00"), ("night", "18:00", "24:00")]
    {
        let def = serde_json::from_value(json!({"weekly": {"mon": [[from, to]]}})).unwrap();
        calendars.add(key(name), &def, &BundledZones::new()).unwrap();
    }
    calendars
}

fn entry(n: u128) -> RosterEntry {
    let agent = Agent {
        id: id(n),
        name: format!("Agent {n}"),
        email: None,
        roles: Vec::new(),
        groups: vec![key("billing")],
        skills: Vec::new(),
        languages: Vec::new(),
        capacity: Capacity::default(),
        tier: None,
        shift: None,
        manager: None,
        active: true,
    };
    let mut presence = Presence::none(id(n));
    for channel in Channel::ALL {
        presence.channels.insert(*channel, on_channel(PresenceState::Online));
    }
    RosterEntry {
        agent: Arc::new(agent),
        agent_version: 1,
        presence,
        presence_version: 1,
        load: AgentLoad::none(id(n)),
        load_version: 1,
    }
}

fn on_channel(state: PresenceState) -> ChannelPresence {
    ChannelPresence { status: key("some"), state, since: ago(7_200), until: None }
}

fn roster(entries: impl IntoIterator<Item = RosterEntry>) -> Roster {
    Roster { agents: entries.into_iter().map(|entry| (entry.agent.id, entry)).collect() }
}

/// An agent with changes.
trait Changed: Sized {
    fn agent(self, change: impl FnOnce(&mut Agent)) -> Self;
    fn load(self, channel: Channel, change: impl FnOnce(&mut ChannelLoad)) -> Self;
    fn skills(self, skills: &[(&str, u8)]) -> Self {
        self.agent(|a| a.skills = skills.iter().map(|(key, level)| skill(key, *level)).collect())
    }
    fn shift(self, shift: &str) -> Self {
        self.agent(|a| a.shift = Some(key(shift)))
    }
    fn groups(self, groups: &[&str]) -> Self {
        self.agent(|a| a.groups = groups.iter().map(|group| key(group)).collect())
    }
    fn capacity(self, total: u32) -> Self {
        self.agent(|a| a.capacity.total = total)
    }
    fn active(self, units: u32) -> Self {
        self.load(Channel::Email, |load| load.active = units)
    }
    fn taken(self, units: u64) -> Self {
        self.load(Channel::Email, |load| load.n_taken = units)
    }
    fn assigned_on(self, channel: Channel, seconds_ago: i64) -> Self {
        self.load(channel, |load| load.last_assigned_at = Some(ago(seconds_ago)))
    }
}

impl Changed for RosterEntry {
    fn agent(mut self, change: impl FnOnce(&mut Agent)) -> Self {
        change(Arc::make_mut(&mut self.agent));
        self
    }

    fn load(mut self, channel: Channel, change: impl FnOnce(&mut ChannelLoad)) -> Self {
        change(self.load.channels.entry(channel).or_default());
        self
    }
}

fn choose_with(queue: &Queue, ticket: &Ticket, roster: &Roster, affinity: &[AgentId]) -> Choice {
    let calendars = &Calendars::default();
    choose(&Ask { queue, ticket, roster, calendars, affinity, now: now(), seed: 7 })
}

/// The same, by the calendars of [`shifts`].
fn choose_on_shift(
    queue: &Queue,
    ticket: &Ticket,
    roster: &Roster,
    affinity: &[AgentId],
) -> Choice {
    let calendars = &shifts();
    choose(&Ask { queue, ticket, roster, calendars, affinity, now: now(), seed: 7 })
}

/// The choice as people read it; agents are called `#1`, `#2` ….
fn told(choice: &Choice) -> String {
    choice.sentences(|agent| format!("#{}", agent.0.as_u128())).join("\n")
}
