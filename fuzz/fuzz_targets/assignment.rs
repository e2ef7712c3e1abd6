//! Whatever agents there are, and however they change, the index chooses for a
//! ticket whom the scan of all agents chooses, and says the same of it.

#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::agent::{Agent, AgentLoad, Presence, Roster, RosterEntry};
use helpdesk::core::calendar::BundledZones;
use helpdesk::core::condition::Calendars;
use helpdesk::core::id::{AgentId, Key};
use helpdesk::core::routing::agent_index::{AgentIndex, Found};
use helpdesk::core::routing::queue::Queue;
use helpdesk::core::routing::select::{Ask, choose};
use helpdesk::core::routing::stage::Selector;
use helpdesk::core::ticket::Ticket;
use helpdesk::core::ticket::priority::Channel;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_value, json};
use std::sync::LazyLock;
use uuid::Uuid;

const STEPS_MAX: usize = 200;
const N_AGENTS: u16 = 300;
/// Instants of work that loads keep.
const N_GIVEN: usize = 2;
static CALENDARS: LazyLock<Calendars> = LazyLock::new(|| {
    let mut calendars = Calendars::default();
    for (name, until) in [("open", "23:00"), ("over", "12:00")] {
        let hours = json!({"weekly": {"mon": [["06:00", until]]}});
        let def = from_value(hours).expect("a calendar");
        calendars
            .add(Key::new(name).expect("a key"), &def, &BundledZones::new())
            .expect("compiles");
    }
    calendars
});

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let _ = run(&mut input);
});

/// Monday noon.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_315_200, 0).expect("in range")
}

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let mut roster = Roster::default();
    let kept = Selector::ALL.into_iter().filter(|_| input.arbitrary().unwrap_or(false));
    let mut index = AgentIndex::new(&roster, kept.collect::<Vec<_>>());
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        match input.int_in_range(0..=5)? {
            0 | 1 => {
                let entry = entry(input)?;
                index.put(&entry);
                roster.agents.insert(entry.agent.id, entry);
            }
            2 => {
                let gone = agent(input)?;
                index.remove(gone);
                roster.agents.remove(&gone);
            }
            3 => {
                let from = agent(input)?;
                if let Some((id, entry)) = roster.agents.range_mut(from..).next() {
                    entry.load = load(input, *id)?;
                    index.put_load(&entry.load);
                }
            }
            _ => give(input, &mut roster, &mut index)?,
        }
    }
    Ok(())
}

/// Asks both for an agent, and gives them the ticket.
fn give(input: &mut Unstructured<'_>, roster: &mut Roster, index: &mut AgentIndex) -> Result<()> {
    let (queue, ticket) = (queue(input)?, ticket(input)?);
    let affinity = [agent(input)?];
    let ask = &Ask {
        queue: &queue,
        ticket: &ticket,
        roster,
        calendars: &CALENDARS,
        affinity: &affinity[..input.choose_index(2)?],
        now: now(),
        seed: 7,
    };
    let (choice, found) = (choose(ask), index.choose(ask));
    assert_eq!(found, Found::from(&choice));
    let explained = index.choose_explained(ask);
    assert_eq!(Found::from(&explained), found);
    assert_eq!(explained.short(), choice.short());
    if let Some(entry) = choice.chosen.and_then(|id| roster.agents.get_mut(&id)) {
        let load = entry.load.channels.entry(ticket.channel).or_default();
        load.active += choice.weight;
        load.n_taken = load.n_taken.saturating_add(choice.n_taken_added);
        load.last_assigned_at = Some(now());
        entry.load.note_given(now(), N_GIVEN);
        index.put_load(&entry.load);
    }
    Ok(())
}

fn agent(input: &mut Unstructured<'_>) -> Result<AgentId> {
    Ok(AgentId(Uuid::from_u128(u128::from(input.int_in_range(1..=N_AGENTS)?))))
}

fn some<T>(
    input: &mut Unstructured<'_>,
    n_max: usize,
    make: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..input.int_in_range(0..=n_max)?).map(|_| make(input)).collect()
}

fn group(input: &mut Unstructured<'_>) -> Result<&'static str> {
    input.choose(&["billing", "sales", "nobody"]).copied()
}

fn skill(input: &mut Unstructured<'_>) -> Result<Value> {
    let skill = input.choose(&["sql", "french", "law"])?;
    Ok(json!({"skill": skill, "level": input.int_in_range(0..=20)?}))
}

fn at(input: &mut Unstructured<'_>) -> Result<Option<DateTime<Utc>>> {
    let seconds = input.int_in_range(-3..=20)?;
    Ok((seconds < 18).then(|| now() - TimeDelta::seconds(seconds)))
}

fn load(input: &mut Unstructured<'_>, agent: AgentId) -> Result<AgentLoad> {
    let mut load = AgentLoad::none(agent);
    for channel in [Channel::Email, Channel::Chat] {
        let made = load.channels.entry(channel).or_default();
        made.active = input.int_in_range(0..=4)?;
        made.reserved = input.int_in_range(0..=2)?;
        made.last_assigned_at = at(input)?;
        made.n_taken =
            if input.ratio(1, 20)? { input.arbitrary()? } else { input.int_in_range(0..=30)? };
    }
    let given = some(input, N_GIVEN, at)?;
    given.into_iter().flatten().for_each(|at| load.note_given(at, N_GIVEN));
    Ok(load)
}

fn entry(input: &mut Unstructured<'_>) -> Result<RosterEntry> {
    let id = agent(input)?;
    let made: Agent = from_value(json!({
        "id": id, "name": "A", "roles": [], "groups": some(input, 3, group)?,
        "skills": some(input, 3, skill)?, "active": !input.ratio(1, 10)?,
        "shift": input.choose(&[None, None, Some("open"), Some("over"), Some("gone")])?,
        "capacity": {
            "total": input.int_in_range(0..=9)?,
            "channels": {"email": input.int_in_range(0..=9)?},
            "weights": {"chat": input.int_in_range(0..=3)?},
        },
    }))
    .expect("an agent");
    let on = |input: &mut Unstructured<'_>| -> Result<Value> {
        let state = input.choose(&["online", "online", "online", "away", "offline"])?;
        Ok(json!({"status": state, "state": state, "since": now()}))
    };
    let channels = json!({"email": on(input)?, "chat": on(input)?});
    let presence: Presence =
        from_value(json!({"agent": id, "channels": channels})).expect("a presence");
    Ok(RosterEntry {
        load: load(input, id)?,
        agent: made.into(),
        agent_version: 1,
        presence,
        presence_version: 1,
        load_version: 1,
    })
}

fn queue(input: &mut Unstructured<'_>) -> Result<Queue> {
    let stages = some(input, 3, |input| {
        Ok(json!({
            "after_seconds": input.choose(&[0, 59, 60, 61])?,
            "pools": some(input, 2, group)?,
            "widen": input.choose(&["accumulate", "replace"])?,
            "relax": some(input, 1, |input| {
                Ok(match input.choose_index(4)? {
                    0 => json!({"type": "drop_preferred"}),
                    1 => json!({"type": "lower_level", "by": 3}),
                    2 => json!({"type": "drop_skill", "skill": "sql"}),
                    _ => json!({"type": "drop_all"}),
                })
            })?,
            "selector": input.choose(&Selector::ALL)?,
            "skip_if_empty": bool::arbitrary(input)?,
        }))
    })?;
    Ok(from_value(json!({
        "key": "q", "group": "billing", "mode": {"type": "assign"}, "stages": stages,
        "affinity_wait_seconds": input.choose(&[None, None, Some(60), Some(90)])?,
        "rate_limit": input.choose(&[
            Value::Null, Value::Null,
            json!({"max": 1, "per_seconds": 4}), json!({"max": 2, "per_seconds": 5}),
        ])?,
        "cooldown_seconds": input.choose(&[None, None, Some(1), Some(5)])?,
    }))
    .expect("a queue"))
}

fn ticket(input: &mut Unstructured<'_>) -> Result<Ticket> {
    let channel = input.choose(&["email", "email", "chat", "phone"])?;
    let last_assignee = if input.ratio(1, 5)? { Some(agent(input)?) } else { None };
    Ok(from_value(json!({
        "id": Uuid::from_u128(9), "number": "HD-1", "subject": "S",
        "requester": Uuid::from_u128(8), "channel": channel, "channels": [channel],
        "status": "new", "category": "new", "queue": "q",
        "entered_queue_at": now() - TimeDelta::seconds(60),
        "newest_public_seq": 1, "newest_public_bytes": 1,
        "required_skills": some(input, 2, skill)?, "preferred_skills": some(input, 2, skill)?,
        "excluded": some(input, 2, |input| {
            Ok(json!({"agent": agent(input)?, "until": at(input)?}))
        })?,
        "last_assignee": last_assignee,
        "counters": {
            "messages": 1, "attachments": 0, "reopens": 0, "reassignments": 0, "agent_touches": 0,
        },
        "times": {"created_at": now(), "updated_at": now()},
    }))
    .expect("a ticket"))
}
