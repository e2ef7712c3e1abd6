//! Whatever a policy and whatever happens to its ticket, no step fires twice in
//! a loop, what is due is the timer, and the journal folds to the chain.

#![no_main]

use arbitrary::{Result, Unstructured};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::agent::Roster;
use helpdesk::core::calendar::BundledZones;
use helpdesk::core::condition::{FactMap, Schema};
use helpdesk::core::escalation::chain::{Chain, EscalationChange, EscalationNews, apply};
use helpdesk::core::escalation::check::check;
use helpdesk::core::escalation::policy::{EscalationDefs, Escalations, Known, PolicyDef};
use helpdesk::core::escalation::run::fire;
use helpdesk::core::escalation::scene::Scene;
use helpdesk::core::escalation::signal::{Signal, advance, start};
use helpdesk::core::escalation::{command, due};
use helpdesk::core::id::{AgentId, ContactId, TicketId};
use helpdesk::core::sla::signal::CalendarRevisions;
use helpdesk::core::ticket::Ticket;
use helpdesk::core::ticket::priority::Channel;
use helpdesk::core::ticket::status::StatusPreset;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const ACTS_MAX: usize = 40;
const STEPS_MAX: usize = 8;
/// Firings of a script at most: each act may begin each loop and step again.
const FIRINGS_MAX: usize = 20_000;

fuzz_target!(|bytes: &[u8]| {
    let _ = run(&mut Unstructured::new(bytes));
});

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let Some(escalations) = desk(input)? else { return Ok(()) };
    let (schema, calendars, roster) =
        (Schema::default(), CalendarRevisions::default(), Roster::default());
    let mut now = DateTime::from_timestamp(1_795_000_000, 0).expect("in range");
    let facts = FactMap::from_json(&json!({}), now, &schema).expect("fits");
    let new = &StatusPreset::Zendesk.statuses()[0];
    let (id, contact) = (TicketId(Uuid::from_u128(1)), ContactId(Uuid::from_u128(2)));
    let number = "HD-1".parse().expect("a number");
    let mut ticket = Ticket::blank(id, number, contact, Channel::Email, new, now);
    let queue_groups = BTreeMap::new();
    let mut chain: Option<Chain> = None;
    let mut fired = BTreeSet::new();
    for n in 0..ACTS_MAX {
        let wait = TimeDelta::seconds(i64::from(input.arbitrary::<u16>()?));
        let act = input.int_in_range(0u8..=8)?;
        ticket.counters.reopens += u32::from(act == 4);
        let scene = Scene {
            escalations: &escalations,
            schema: &schema,
            calendars: &calendars,
            queue_groups: &queue_groups,
            roster: &roster,
            ticket: &ticket,
            tier: ticket.tier.as_ref(),
            unassigned_since: (act % 2 == 0).then_some(now),
            clocks: &[],
            facts: &facts,
        };
        if n == 0 {
            let changes = start(&escalations.policies[0], 1, None, false, now, &scene);
            take(&mut chain, &changes, &mut fired);
        }
        // What happened outside of the chain may have moved its timer.
        now += wait;
        let Some(own) = &chain else { return Ok(()) };
        let changes = advance(own, Signal::Changed, now, &scene);
        take(&mut chain, &changes, &mut fired);
        catch_up(&mut chain, now, &scene, &mut fired);
        let Some(own) = &chain else { return Ok(()) };
        let by = AgentId(Uuid::from_u128(3));
        let changes = match act {
            0 => command::acknowledge(own, by, now, &scene).unwrap_or_default(),
            1 => command::unacknowledge(own, by, now, &scene).unwrap_or_default(),
            2 => command::force(own, None, by, now, &scene).unwrap_or_default(),
            3 => advance(own, Signal::Replied, now, &scene),
            4 => advance(own, Signal::Reopened, now, &scene),
            5 => advance(own, Signal::Assigned, now, &scene),
            6 if input.ratio(1u8, 10u8)? => advance(own, Signal::Solved, now, &scene),
            _ => Vec::new(),
        };
        take(&mut chain, &changes, &mut fired);
        let own = chain.as_ref().expect("began");
        assert_eq!(own.progress.due, due::next_timer(own, &scene));
        let written = serde_json::to_string(own).expect("is written");
        assert_eq!(&serde_json::from_str::<Chain>(&written).expect("is read"), own);
    }
    Ok(())
}

fn catch_up(
    chain: &mut Option<Chain>,
    now: DateTime<Utc>,
    scene: &Scene<'_>,
    fired: &mut BTreeSet<(u32, u16)>,
) {
    for _ in 0..FIRINGS_MAX {
        let Some(own) = chain.as_ref().filter(|own| own.due_at().is_some_and(|at| at <= now))
        else {
            return;
        };
        let at = own.due_at().unwrap_or(now);
        let changes = fire(own, at, scene);
        assert!(!changes.is_empty(), "due and nothing happens");
        take(chain, &changes, fired);
    }
    panic!("fires without end");
}

fn take(chain: &mut Option<Chain>, changes: &[EscalationChange], fired: &mut BTreeSet<(u32, u16)>) {
    for change in changes {
        if let EscalationNews::StepFired(own) = &change.news {
            assert!(fired.insert((own.loop_index, own.step)), "a step fired twice");
        }
        apply(chain, change);
    }
}

fn desk(input: &mut Unstructured<'_>) -> Result<Option<Escalations>> {
    let mut steps = Vec::new();
    for _ in 0..input.int_in_range(1..=STEPS_MAX)? {
        let seconds = u32::from(input.arbitrary::<u16>()?) + 1;
        let trigger = match input.int_in_range(0u8..=5)? {
            0 => json!({"type": "manual"}),
            1 => json!({"type": "idle", "since": "unassigned", "seconds": seconds}),
            2 => json!({"type": "reopened", "times": 1 + seconds % 3}),
            3 => json!({"type": "sla_breached", "metric": "none"}),
            _ => json!({"type": "after", "seconds": seconds}),
        };
        let guard = if input.ratio(1u8, 8u8)? { "never" } else { "always" };
        let if_no_one = *input.choose(&["next_step", "fallback", "wait"])?;
        let target = *input.choose(&["assignee", "channel"])?;
        let target = match target {
            "channel" => json!({"type": "channel", "key": "pager"}),
            _ => json!({"type": target}),
        };
        steps.push(json!({
            "trigger": trigger, "guard": guard, "if_no_one": if_no_one, "targets": [target],
        }));
    }
    let repeat: Value = match input.int_in_range(0u32..=9)? {
        0 => json!({"type": "never"}),
        9 => json!({"type": "until_resolved", "max_total": 50}),
        n => json!({"type": "times", "n": n}),
    };
    let policy = json!({
        "key": "some", "steps": steps, "repeat": repeat, "ack_timeout": {"seconds": 600},
        "fallback": [{"type": "channel", "key": "pager"}], "on_exhausted": "notify_fallback",
        "stop_on": if input.arbitrary()? { json!(["ack"]) } else { json!(["reply", "assign"]) },
    });
    let policies: Vec<PolicyDef> = serde_json::from_value(json!([policy])).expect("is read");
    let defs = EscalationDefs { policies: &policies, ..EscalationDefs::default() };
    Ok(check(&defs, &Known::default(), &Schema::default(), &BundledZones::new()).ok())
}
