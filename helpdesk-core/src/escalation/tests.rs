//! Escalation as a desk sees it: agents 1 and 2 work in the group and tier
//! `l1`, 3 in `l2`, nobody in `l3`; 4 is the manager of 1 and 2, 5 that of 4,
//! and 6 is deactivated. By the schedule `duty` 1 and 2 take turns by the week,
//! `tuesdays` has a gap on all other days. It is Monday, 1 June 2026, 9:00 UTC,
//! and ticket 7 was just opened in `l1`, where agent 1 has it.

#![allow(clippy::needless_pass_by_value, reason = "values are written where they are used")]

mod cells;
mod chains;
mod clocks;
mod config;
mod duty;
mod laws;
mod targets;

use super::chain::{Chain, EscalationChange, EscalationNews, StepFired, apply};
use super::check::check;
use super::policy::{EscalationDefs, Escalations, Known, Policy, PolicyDef, select};
use super::reason::Reason;
use super::resolve::{Notice, Recipient};
use super::run::fire;
use super::scene::Scene;
use super::signal::{self, Signal, advance};
use super::{command, due};
use crate::agent::{Agent, AgentLoad, Capacity, Presence, Roster, RosterEntry};
use crate::calendar::{BundledZones, Calendar, CalendarDef, LocalSpan, WeeklyHours};
use crate::clock::Clock;
use crate::condition::{FactMap, Schema};
use crate::fault::Rejection;
use crate::id::{AgentId, ContactId, Key, TicketId};
use crate::sla::signal::CalendarRevisions;
use crate::ticket::Ticket;
use crate::ticket::priority::Channel;
use crate::ticket::status::StatusPreset;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

static ZONES: LazyLock<BundledZones> = LazyLock::new(BundledZones::new);

/// Firings of one story at most; a chain that fires more is a defect.
const FIRINGS_MAX: usize = 500;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// So many minutes after Monday, 9:00.
fn minute(minutes: i64) -> DateTime<Utc> {
    at("2026-06-01T09:00:00Z") + TimeDelta::minutes(minutes)
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn agent(n: u128) -> AgentId {
    AgentId(Uuid::from_u128(n))
}

fn entry(n: u128, group: &str, manager: Option<u128>) -> RosterEntry {
    let made = Agent {
        id: agent(n),
        name: format!("Agent {n}"),
        email: None,
        roles: Vec::new(),
        groups: vec![key(group)],
        skills: Vec::new(),
        languages: Vec::new(),
        capacity: Capacity::default(),
        tier: None,
        manager: manager.map(agent),
        shift: None,
        active: n != 6,
    };
    RosterEntry {
        agent: Arc::new(made),
        agent_version: 1,
        presence: Presence::none(agent(n)),
        presence_version: 1,
        load: AgentLoad::none(agent(n)),
        load_version: 1,
    }
}

fn roster() -> Roster {
    let entries = [
        entry(1, "l1", Some(4)),
        entry(2, "l1", Some(4)),
        entry(3, "l2", None),
        entry(4, "leads", Some(5)),
        entry(5, "leads", None),
        entry(6, "l3", None),
    ];
    Roster { agents: entries.into_iter().map(|entry| (entry.agent.id, entry)).collect() }
}

fn ticket() -> Ticket {
    let new = &StatusPreset::Zendesk.statuses()[0];
    let (id, anna) = (TicketId(Uuid::from_u128(7)), ContactId(Uuid::from_u128(100)));
    let mut ticket =
        Ticket::blank(id, "HD-7".parse().unwrap(), anna, Channel::Email, new, minute(0));
    ticket.tier = Some(key("l1"));
    ticket.group = Some(key("l1"));
    ticket.assignee = Some(agent(1));
    ticket
}

fn calendars() -> CalendarRevisions {
    let nine_to_five: LocalSpan = serde_json::from_value(json!(["09:00", "17:00"])).unwrap();
    let office =
        CalendarDef::new("UTC").with_weekly(WeeklyHours::monday_to_friday(&[nine_to_five]));
    CalendarRevisions::default().with(
        key("office"),
        1,
        Calendar::compile(&office, &*ZONES).unwrap(),
    )
}

fn list<T: serde::de::DeserializeOwned>(value: Value) -> Vec<T> {
    serde_json::from_value(value).unwrap()
}

fn tiers() -> Value {
    json!([
        {"key": "l1", "group": "l1"},
        {"key": "l2", "group": "l2", "skills": [{"skill": "sql", "level": 2}],
         "skip_to": [{"when": {"field": "tags", "has_any": ["vip"]}, "to": "l3"}]},
        {"key": "l3", "group": "l3"},
    ])
}

fn schedules() -> Value {
    let layer = |participants: Value| json!({"participants": participants, "start": "2026-06-01T09:00", "zone": "UTC"});
    let mut tuesdays = layer(json!([agent(1)]));
    tuesdays["hours"] = json!({"tue": [["00:00", "24:00"]]});
    json!([
        {"key": "duty", "layers": [layer(json!([agent(1), agent(2)]))]},
        {"key": "tuesdays", "layers": [tuesdays]},
    ])
}

fn escalations(policies: Value, maintenance: Value) -> Escalations {
    let (tiers, schedules) = (list(tiers()), list(schedules()));
    let (policies, maintenance) = (list::<PolicyDef>(policies), list(maintenance));
    let defs = EscalationDefs {
        tiers: &tiers,
        schedules: &schedules,
        policies: &policies,
        maintenance: &maintenance,
    };
    check(&defs, &Known::default(), &Schema::default(), &*ZONES).unwrap()
}

/// A policy with these settings.
fn policy(settings: Value) -> Value {
    let mut policy = json!({"key": "some"});
    let (Value::Object(all), Value::Object(more)) = (&mut policy, settings) else { panic!() };
    all.extend(more);
    policy
}

/// A step that notifies these targets after so many minutes.
fn after(minutes: u64, targets: Value) -> Value {
    json!({"trigger": {"type": "after", "seconds": minutes * 60}, "targets": targets})
}

fn to_agent(n: u128) -> Value {
    json!([{"type": "agent", "id": agent(n)}])
}

/// A desk, a ticket, its escalation, and what happened to it.
struct Story {
    escalations: Escalations,
    schema: Schema,
    calendars: CalendarRevisions,
    queue_groups: BTreeMap<Key, Key>,
    roster: Roster,
    ticket: Ticket,
    unassigned_since: Option<DateTime<Utc>>,
    clocks: Vec<Clock>,
    facts: FactMap,
    chain: Option<Chain>,
    told: Vec<String>,
}

impl Story {
    /// Of a desk with one policy; its escalation has not begun.
    fn of(policy: Value) -> Self {
        Self::of_desk(escalations(json!([policy]), json!([])))
    }

    fn of_desk(escalations: Escalations) -> Self {
        let schema = Schema::default();
        Self {
            escalations,
            facts: FactMap::from_json(&json!({}), minute(0), &schema).unwrap(),
            schema,
            calendars: calendars(),
            queue_groups: BTreeMap::from([(key("first"), key("l1")), (key("third"), key("l3"))]),
            roster: roster(),
            ticket: ticket(),
            unassigned_since: None,
            clocks: Vec::new(),
            chain: None,
            told: Vec::new(),
        }
    }

    fn with_facts(mut self, facts: Value) -> Self {
        self.facts = FactMap::from_json(&facts, minute(0), &self.schema).unwrap();
        self
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            escalations: &self.escalations,
            schema: &self.schema,
            calendars: &self.calendars,
            queue_groups: &self.queue_groups,
            roster: &self.roster,
            ticket: &self.ticket,
            tier: self.ticket.tier.as_ref(),
            unassigned_since: self.unassigned_since,
            clocks: &self.clocks,
            facts: &self.facts,
        }
    }

    fn policy(&self) -> Policy {
        select(&self.escalations.policies, &self.facts).unwrap().clone()
    }

    fn chain(&self) -> &Chain {
        self.chain.as_ref().unwrap()
    }

    fn take(&mut self, at: DateTime<Utc>, changes: Vec<EscalationChange>) {
        for change in changes {
            apply(&mut self.chain, &change);
            self.told.push(told(at, &change));
        }
        // The timer that the state asks for is the one that is looked up.
        if let Some(chain) = &self.chain {
            assert_eq!(chain.progress.due, due::next_timer(chain, &self.scene()));
        }
    }

    fn start(mut self) -> Self {
        let changes = signal::start(&self.policy(), 1, None, false, minute(0), &self.scene());
        self.take(minute(0), changes);
        self
    }

    /// Fires all that comes due until then, each at its time.
    fn until(mut self, minutes: i64) -> Self {
        for _ in 0..FIRINGS_MAX {
            let Some(due) = self.chain().due_at().filter(|due| *due <= minute(minutes)) else {
                return self;
            };
            let changes = fire(self.chain(), due, &self.scene());
            assert!(!changes.is_empty(), "due and nothing happens");
            self.take(due, changes);
        }
        panic!("fires without end: {:#?}", self.told);
    }

    fn hear(mut self, minutes: i64, signal: Signal) -> Self {
        let changes = advance(self.chain(), signal, minute(minutes), &self.scene());
        self.take(minute(minutes), changes);
        self
    }

    fn done(mut self, minutes: i64, result: Result<Vec<EscalationChange>, Rejection>) -> Self {
        match result {
            Ok(changes) => self.take(minute(minutes), changes),
            Err(rejection) => self.told.push(format!("refused: {rejection}")),
        }
        self
    }

    fn ack(self, minutes: i64, n: u128) -> Self {
        let result = command::acknowledge(self.chain(), agent(n), minute(minutes), &self.scene());
        self.done(minutes, result)
    }

    fn unack(self, minutes: i64, n: u128) -> Self {
        let result = command::unacknowledge(self.chain(), agent(n), minute(minutes), &self.scene());
        self.done(minutes, result)
    }

    fn force(self, minutes: i64, step: Option<u16>) -> Self {
        let result = command::force(self.chain(), step, agent(1), minute(minutes), &self.scene());
        self.done(minutes, result)
    }

    fn hand_back(self, minutes: i64, note: &str) -> Self {
        let result =
            command::hand_back(self.chain(), note, agent(3), minute(minutes), &self.scene());
        self.done(minutes, result)
    }

    /// Does to the ticket what its last firing says.
    fn handed_over(mut self) -> Self {
        let owner = self.chain().progress.owners.last();
        assert!(owner.is_some(), "nobody handed it over");
        self.ticket.tier = Some(key("l2"));
        self.ticket.group = Some(key("l2"));
        self.ticket.assignee = Some(agent(3));
        self
    }

    fn changed(self, minutes: i64, change: impl FnOnce(&mut Self)) -> Self {
        let mut story = self;
        change(&mut story);
        story.hear(minutes, Signal::Changed)
    }

    /// What happened, one line each.
    fn log(&self) -> String {
        self.told.join("\n")
    }

    /// What happened last.
    fn last(&self) -> &str {
        self.told.last().unwrap()
    }

    /// Why no step fires.
    fn reasons(&self) -> String {
        let steps = due::explain(self.chain(), &self.scene());
        let told = |step: &due::StepStanding| match step.due_at {
            Some(due) => format!("{} at {}", step.reason, clock_time(due)),
            None => step.reason.to_string(),
        };
        steps.iter().map(told).collect::<Vec<_>>().join(", ")
    }
}

fn clock_time(at: DateTime<Utc>) -> String {
    let first_day = at.date_naive() == minute(0).date_naive();
    at.format(if first_day { "%H:%M" } else { "%d %H:%M" }).to_string()
}

fn told(at: DateTime<Utc>, change: &EscalationChange) -> String {
    let news = match &change.news {
        EscalationNews::StepFired(fired) => fired_told(fired),
        EscalationNews::StepPassed { step, reason } => format!("step {step} passed: {reason}"),
        EscalationNews::Exhausted { notice } => format!("exhausted{}", notice_told(notice)),
        EscalationNews::AckTimedOut { by, notice } => {
            format!("ack of {} timed out{}", by.0.as_u128(), notice_told(notice))
        }
        EscalationNews::Acknowledged { by } => format!("acknowledged by {}", by.0.as_u128()),
        EscalationNews::HandedBack { to, .. } => {
            let group = to.group.as_ref().map_or("none", Key::as_str);
            let assignee = to.assignee.map(|id| format!(", {}", id.0.as_u128()));
            format!("handed back to {group}{}", assignee.unwrap_or_default())
        }
        EscalationNews::Done { why } => format!("done: {why:?}").to_lowercase(),
        news => news.as_str().replace('_', " "),
    };
    let progress = &change.progress;
    let due = progress.due.map(|due| format!(" due {}", clock_time(due.at)));
    format!("{} {news} => {progress}{}", clock_time(at), due.unwrap_or_default())
}

fn fired_told(fired: &StepFired) -> String {
    let mut told = format!("step {} fired", fired.step);
    if fired.why == Reason::Forced {
        told += " by force";
    }
    told += &notice_told(&fired.notice);
    if let Some(no_one) = fired.no_one {
        told += &format!("; no one, {no_one:?}").to_lowercase();
    }
    if let Some(over) = &fired.handed_over {
        told += &format!("; to {}", over.group);
        if let Some(id) = over.assignee {
            told += &format!(", {}", id.0.as_u128());
        }
    }
    if !fired.actions.is_empty() {
        told += &format!("; {} changes", fired.actions.len());
    }
    told
}

fn notice_told(notice: &Notice) -> String {
    let mut told = String::new();
    for own in &notice.to {
        told += &match &own.recipient {
            Recipient::Agent { id } => format!(" #{}", id.0.as_u128()),
            Recipient::Group { key } => format!(" @{key}"),
            Recipient::Channel { key } => format!(" ~{key}"),
        };
    }
    if let Some(held) = notice.held_until {
        told += &format!(" held until {}", clock_time(held));
    }
    told
}
