//! Exact SLA time alone: a calendar tells working time, and a ticket's clocks
//! follow from its history. No engine, no store, no runtime.
//!
//! `cargo run -p helpdesk-core --example sla_only`
#![allow(clippy::print_stdout, reason = "an example prints what it counted")]

use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::actor::ActorKind;
use helpdesk_core::calendar::{BundledZones, Calendar, CalendarDef};
use helpdesk_core::condition::Schema;
use helpdesk_core::id::Key;
use helpdesk_core::sla::check::{SlaDef, check};
use helpdesk_core::sla::replay::{ReplayEvent, replay};
use helpdesk_core::sla::signal::{CalendarRevisions, MessageSignal, Signal};
use helpdesk_core::ticket::status::StatusCategory::{New, Pending};
use serde_json::{from_value, json};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // Hours stand on a zone's wall clock. Zone rules come with the crate; `TzifZones` takes yours.
    let office: CalendarDef = from_value(json!({"zone": "Europe/Berlin", "weekly": {
        "mon": [["09:00", "17:00"]], "fri": [["09:00", "12:00"], ["13:00", "17:00"]],
    }}))?;
    let office = Calendar::compile(&office, &BundledZones::new())?;
    // A Friday, 16:30 in Berlin; on Sunday its clocks go forward by an hour.
    let friday: DateTime<Utc> = from_value(json!("2026-03-27T15:30:00Z"))?;
    println!("two working hours from {friday} are over at {}", office.due_at(friday, 7_200)?);
    // Half an hour ends with the day: due on Friday, and in time until the desk opens on Monday.
    println!("half an hour is over at {}", office.due_at(friday, 1_800)?);
    println!("and in time until {}", office.breach_at(friday, 1_800)?);

    // What is promised. A preset says when each clock starts, pauses and stops.
    let sla: SlaDef = from_value(json!({"preset": "zendesk", "policies": [{
        "key": "all", "calendar": "office", "warn_at": [{"percent": 75}], "metrics": [
            {"metric": "first_reply", "targets": [{"seconds": 3_600}]},
            {"metric": "requester_wait", "targets": [{"seconds": 28_800}]},
        ],
    }]}))?;
    let key = Key::new("office").map_err(|fault| fault.to_string())?;
    let rules = check(&sla, &Schema::default(), Some(&[key.clone()].into()), 1)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let calendars = CalendarRevisions::default().with(key, 1, office);

    // What happened, from your own journal: events in order, with the status category after each.
    let by = |by| MessageSignal { by, public: true };
    let opened = Signal::Created { message: Some(by(ActorKind::Requester)) };
    let answered = Signal::Message(by(ActorKind::Agent));
    let waits = Signal::Status { from: New };
    let monday = friday + TimeDelta::hours(64); // 09:30 in Berlin
    let events = [
        ReplayEvent::new(friday, &opened).with_category(New),
        ReplayEvent::new(monday, &answered),
        ReplayEvent::new(monday, &waits).with_category(Pending),
    ];
    for clock in replay(&rules, &events, &calendars, monday + TimeDelta::hours(2)) {
        let (seconds, state) = (clock.accumulated_seconds, clock.state.as_str());
        println!("{} #{}: {state}, {seconds} s counted", clock.metric, clock.cycle);
    }
    Ok(())
}
