//! SLA clocks. A case is one ticket: its events, and the clocks it must have.

use super::Tally;
use super::calendar::definition;
use chrono::{DateTime, Utc};
use helpdesk_core::actor::ActorKind;
use helpdesk_core::calendar::{BundledZones, Calendar};
use helpdesk_core::clock::{Clock, ClockState};
use helpdesk_core::condition::Schema;
use helpdesk_core::id::Key;
use helpdesk_core::sla::check::{SlaDef, SlaRules, check as check_sla};
use helpdesk_core::sla::count::elapsed;
use helpdesk_core::sla::replay::{ReplayEvent, replay};
use helpdesk_core::sla::signal::{CalendarRevisions, MessageSignal, Signal};
use helpdesk_core::ticket::status::StatusCategory;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The key under which a case's calendar is known.
const CALENDAR: &str = "hours";

/// Replays every ticket and compares its clocks with `expect`: state, elapsed
/// seconds, and for a running clock within its target `due_at`.
pub(super) fn check(file: &Value) -> Result<Tally, String> {
    let cases = file["cases"].as_array().ok_or("`cases` is not a list")?;
    let zones = BundledZones::new();
    let mut tally = Tally::default();
    for case in cases {
        let (expected, got) = (expected(case), got(case, &zones));
        if got.as_ref() == Ok(&expected) {
            tally.n_passed += 1;
            continue;
        }
        tally.n_failed += 1;
        println!("FAILED case {}", case["id"]);
        let got = got.unwrap_or_else(|message| [message].into());
        expected.difference(&got).for_each(|row| println!("  expected  {row}"));
        got.difference(&expected).for_each(|row| println!("  got       {row}"));
    }
    Ok(tally)
}

/// The rows that a case asks for, as text.
fn expected(case: &Value) -> BTreeSet<String> {
    let rows = case["expect"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let row = |row: &Value| {
        let due_at = row["due_at"].as_str().and_then(|due| due.parse().ok());
        in_words(
            (&text(&row["metric"]), row["cycle"].as_u64().unwrap_or(0)),
            &text(&row["state"]),
            row["elapsed_seconds"].as_i64().unwrap_or(-1),
            due_at,
        )
    };
    rows.iter().map(row).collect()
}

fn in_words(
    (metric, cycle): (&str, u64),
    state: &str,
    seconds: i64,
    due_at: Option<DateTime<Utc>>,
) -> String {
    let due = due_at.map_or_else(|| "-".to_owned(), |due_at| due_at.to_rfc3339());
    format!("{metric} #{cycle} {state} {seconds} s due {due}")
}

fn got(case: &Value, zones: &BundledZones) -> Result<BTreeSet<String>, String> {
    let (rules, calendars) = setup(case, zones)?;
    let until = instant(&case["probe_at"])?;
    let events = case["events"].as_array().ok_or("`events` is not a list")?;
    let mut signals = Vec::new();
    let mut category = StatusCategory::New;
    for event in events {
        let (signal, after) = signal(event, category)?;
        category = after;
        signals.push((instant(&event["at"])?, signal, after));
    }
    let events: Vec<ReplayEvent<'_>> = signals
        .iter()
        .map(|(at, signal, after)| ReplayEvent::new(*at, signal).with_category(*after))
        .collect();
    let clocks = replay(&rules, &events, &calendars, until);
    Ok(clocks.iter().map(|clock| row(clock, until, &calendars)).collect())
}

fn row(clock: &Clock, until: DateTime<Utc>, calendars: &CalendarRevisions) -> String {
    let due_at =
        clock.due_at.filter(|_| clock.state == ClockState::Running && !clock.is_breached());
    in_words(
        (clock.metric.as_str(), u64::from(clock.cycle)),
        clock.state.as_str(),
        elapsed(clock, until, calendars),
        due_at,
    )
}

/// One policy with the case's targets, in the case's calendar.
fn setup(case: &Value, zones: &BundledZones) -> Result<(SlaRules, CalendarRevisions), String> {
    let targets = case["targets_seconds"].as_object().ok_or("`targets_seconds` is missing")?;
    let metrics: Vec<Value> = targets
        .iter()
        .map(|(metric, seconds)| json!({"metric": metric, "targets": [{"seconds": seconds}]}))
        .collect();
    let mut policy = json!({"key": "case", "metrics": metrics});
    let key = Key::new(CALENDAR).map_err(|fault| fault.message)?;
    let mut calendars = CalendarRevisions::default();
    if !case["calendar"].is_null() {
        policy["calendar"] = json!(CALENDAR);
        // As in their source, a holiday beats special hours.
        let def = definition(&case["calendar"], true)?;
        let calendar = Calendar::compile(&def, zones).map_err(|error| error.to_string())?;
        calendars = calendars.with(key.clone(), 1, calendar);
    }
    let sla = json!({"preset": case["preset"], "policies": [policy]});
    let sla: SlaDef = serde_json::from_value(sla).map_err(|error| error.to_string())?;
    let rules = check_sla(&sla, &Schema::default(), Some(&BTreeSet::from([key])), 1);
    let rules = rules.map_err(|faults| faults.iter().map(ToString::to_string).collect());
    rules.map(|rules| (rules, calendars)).map_err(|faults: Vec<String>| faults.join("; "))
}

/// What happened, and the category after it.
fn signal(event: &Value, before: StatusCategory) -> Result<(Signal, StatusCategory), String> {
    let message = || -> Result<MessageSignal, String> {
        let by: ActorKind = serde_json::from_value(event["role"].clone())
            .map_err(|error| format!("`role`: {error}"))?;
        Ok(MessageSignal { by, public: event["public"].as_bool().unwrap_or(false) })
    };
    match event["type"].as_str() {
        Some("created") => Ok((Signal::Created { message: Some(message()?) }, StatusCategory::New)),
        Some("message") => Ok((Signal::Message(message()?), before)),
        Some("status") => {
            let after = serde_json::from_value(event["category"].clone())
                .map_err(|error| format!("`category`: {error}"))?;
            Ok((Signal::Status { from: before }, after))
        }
        _ => Err(format!("no event is a {}", event["type"])),
    }
}

fn instant(value: &Value) -> Result<DateTime<Utc>, String> {
    let text = value.as_str().ok_or("an instant is missing")?;
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}
