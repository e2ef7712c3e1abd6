//! Whatever happens to a ticket under whatever policies, its clocks never panic,
//! no target breaches twice, and rows kept as JSON are those of a replay.

#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::actor::ActorKind;
use helpdesk::core::calendar::{BundledZones, Calendar, CalendarDef};
use helpdesk::core::clock::{Clock, ClockChange, ClockNews};
use helpdesk::core::condition::Schema;
use helpdesk::core::id::Key;
use helpdesk::core::sla::check::{SlaDef, SlaRules, check};
use helpdesk::core::sla::count::elapsed;
use helpdesk::core::sla::replay::{ReplayEvent, replay, replay_changes};
use helpdesk::core::sla::signal::{CalendarRevisions, MessageSignal, Signal};
use helpdesk::core::ticket::status::StatusCategory;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const STEPS_MAX: usize = 60;
const PRESETS: [&str; 5] =
    ["zendesk", "freshdesk", "jira_service_management", "zammad", "live_agent"];
const ACTORS: [ActorKind; 4] =
    [ActorKind::Requester, ActorKind::Agent, ActorKind::Bot, ActorKind::System];

/// Two revisions of the calendar `office`.
static REVISIONS: LazyLock<[CalendarRevisions; 2]> = LazyLock::new(|| {
    let hours = |from: &str, to: &str| {
        let day = json!([[from, to]]);
        let weekly = json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day});
        let def = json!({"zone": "Europe/Berlin", "weekly": weekly});
        let def: CalendarDef = serde_json::from_value(def).expect("a calendar");
        Calendar::compile(&def, &BundledZones::new()).expect("compiles")
    };
    let first = CalendarRevisions::default().with(office(), 1, hours("09:00", "17:00"));
    [first.clone(), first.with(office(), 2, hours("08:00", "20:00"))]
});

fn office() -> Key {
    Key::new("office").expect("a key")
}

fuzz_target!(|bytes: &[u8]| {
    let _ = run(&mut Unstructured::new(bytes));
});

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let rules = rules(input)?;
    let start = DateTime::from_timestamp(1_795_000_000, 0).expect("in range");
    let mut now: DateTime<Utc> = start;
    let mut steps = Vec::new();
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        now += TimeDelta::seconds(i64::from(u32::arbitrary(input)? % 400_000));
        let category = *input.choose(&StatusCategory::ALL)?;
        let is_newer = bool::arbitrary(input)?;
        steps.push((now, signal(input, &rules, now)?, category, is_newer));
    }
    let events: Vec<ReplayEvent<'_>> = steps
        .iter()
        .map(|(at, signal, category, is_newer)| {
            let event = ReplayEvent::new(*at, signal).with_category(*category);
            event.with_calendars(&REVISIONS[usize::from(*is_newer)])
        })
        .collect();
    let until = now + TimeDelta::days(400);
    let changes = replay_changes(&rules, &events, &REVISIONS[0], until);
    check_changes(&changes);
    let mut last = BTreeMap::new();
    for (_, ClockChange { clock, .. }) in changes {
        let json = serde_json::to_string(&clock).expect("is JSON");
        let again: Clock = serde_json::from_str(&json).expect("was written so");
        assert_eq!(clock, again);
        last.insert((clock.metric.clone(), clock.cycle), clock);
    }
    let clocks = replay(&rules, &events, &REVISIONS[0], until);
    assert_eq!(clocks.len(), last.len());
    for clock in clocks {
        assert!(elapsed(&clock, until, &REVISIONS[0]) >= 0);
        assert_eq!(last.get(&(clock.metric.clone(), clock.cycle)), Some(&clock));
    }
    Ok(())
}

/// Events are in order of time, and each target warns and breaches once.
fn check_changes(changes: &[(DateTime<Utc>, ClockChange)]) {
    assert!(changes.is_sorted_by_key(|(at, _)| *at));
    let mut told = BTreeSet::new();
    for (_, ClockChange { news, clock }) in changes {
        let what = match news {
            ClockNews::Warned { threshold } => format!("{threshold:?}"),
            ClockNews::Breached { .. } => "breach".to_owned(),
            _ => continue,
        };
        assert!(clock.is_open());
        assert!(told.insert((clock.metric.clone(), clock.cycle, clock.target_rev, what)));
    }
}

fn rules(input: &mut Unstructured<'_>) -> Result<SlaRules> {
    let preset = *input.choose(&PRESETS)?;
    let sla: SlaDef = serde_json::from_value(json!({"preset": preset})).expect("the shape");
    let metrics = check(&sla, &Schema::default(), None, 1).expect("no fault").metrics;
    let mut targets = Vec::new();
    for metric in metrics.iter().filter(|metric| metric.slot == Default::default()) {
        let calendar = if bool::arbitrary(input)? { "office" } else { "always" };
        let seconds = 1 + u32::arbitrary(input)? % 300_000;
        let target = json!({"seconds": seconds, "calendar": calendar});
        targets.push(json!({"metric": metric.key, "targets": [target]}));
    }
    let recalculation = *input.choose(&["from_now", "whole", "next_event"])?;
    let policy = json!({
        "key": "p", "metrics": targets, "recalculation": recalculation,
        "warn_at": [{"percent": 50}, {"percent": 75}, {"before_wall_seconds": 3600}],
    });
    let options: Value = json!({
        "first_reply_on_solve": *input.choose(&["fulfil", "drop"])?,
        "count_solved_gap": bool::arbitrary(input)?,
        "counts_as_human": bool::arbitrary(input)?,
        "carries_on_merge": bool::arbitrary(input)?,
    });
    let sla = json!({"preset": preset, "options": options, "policies": [policy]});
    let sla: SlaDef = serde_json::from_value(sla).expect("the shape");
    Ok(check(&sla, &Schema::default(), Some(&BTreeSet::from([office()])), 1).expect("no fault"))
}

fn signal(input: &mut Unstructured<'_>, rules: &SlaRules, now: DateTime<Utc>) -> Result<Signal> {
    let message = MessageSignal { by: *input.choose(&ACTORS)?, public: bool::arbitrary(input)? };
    let near = now + TimeDelta::seconds(i64::from(i32::arbitrary(input)? % 1_000_000));
    let metric = input.choose(&rules.metrics)?.key.clone();
    Ok(match u8::arbitrary(input)? % 16 {
        0 => Signal::Created { message: Some(message) },
        1 => Signal::Created { message: None },
        2..=4 => Signal::Message(message),
        5..=7 => Signal::Status { from: *input.choose(&StatusCategory::ALL)? },
        8 => Signal::Group,
        9 => Signal::Assignee,
        10 => Signal::Policy,
        11 => Signal::Calendar,
        12 => Signal::DueSet { metric, due_at: near },
        13 => Signal::DueCleared { metric },
        14 => Signal::Absorbed { waiting_since: near },
        _ => {
            let ends = [Signal::Merged, Signal::Spam, Signal::Deleted, Signal::Restored];
            input.choose(&ends)?.clone()
        }
    })
}
