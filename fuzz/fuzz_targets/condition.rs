//! Whatever the JSON, a condition is parsed or refused; one that is parsed is
//! the same after a round trip, and testing it never panics: by itself, and in a
//! rule set, with the same result.

#![no_main]

use chrono::DateTime;
use helpdesk::core::calendar::{BundledZones, CalendarDef, LocalSpan, WeeklyHours};
use helpdesk::core::condition::{
    Calendars, Condition, CustomKind, FactMap, RuleSet, Schema, Scratch,
};
use helpdesk::core::id::Key;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Rules that never hold, before those that do.
const N_NEVER: usize = 20;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let key = |text| Key::new(text).expect("a key");
    Schema::default()
        .with_custom(key("seats"), CustomKind::Number)
        .with_custom(key("note"), CustomKind::Text)
        .with_custom(key("renewal"), CustomKind::Instant)
});

static CALENDARS: LazyLock<Calendars> = LazyLock::new(|| {
    let weekly = WeeklyHours::every_day(&[LocalSpan::DAY]);
    let office = CalendarDef::new("Europe/Berlin").with_weekly(weekly);
    let mut calendars = Calendars::default();
    let key = Key::new("office").expect("a key");
    calendars.add(key, &office, &BundledZones::new()).expect("it opens");
    calendars
});

static TICKET: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "subject": "Rechnung fehlt", "body": "Große Sorge: die Rechnung vom 3. Mai fehlt.",
        "tags": ["vip", "web"], "priority": "high", "channel": "email",
        "message_count": 3, "created_at": "2026-11-20T09:00:00Z",
        "due_at": "2026-11-20T17:00:00Z", "escalation_level": 1,
        "sla.first_reply": {"state": "running", "breached": false, "left_seconds": 600},
        "custom.seats": 12.5, "custom.note": "ÄÖÜ", "custom.renewal": "2027-01-01T00:00:00Z",
    })
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = serde_json::from_slice::<Value>(bytes) else { return };
    let Ok(condition) = Condition::parse(&source, &SCHEMA) else { return };
    let written = condition.to_json();
    let again = Condition::parse(&written, &SCHEMA).expect("what was written is parsed");
    assert_eq!(condition, again, "{written}");
    let opposite = Condition::Not(Box::new(again.clone()));
    // A small set is walked; so many are compiled.
    let never = vec![Condition::Never; N_NEVER];
    let rules = RuleSet::new(never.iter().chain([&condition, &opposite]));
    let mut scratch = Scratch::default();
    let now = DateTime::from_timestamp(1_795_000_000, 0).expect("in range");
    for ticket in [&*TICKET, &json!({})] {
        let facts = FactMap::from_json(ticket, now, &SCHEMA).expect("fits");
        let facts = facts.with_calendars(CALENDARS.clone());
        assert_eq!(condition.holds(&facts), again.holds(&facts));
        let holding = N_NEVER + usize::from(!condition.holds(&facts));
        assert_eq!(rules.all(&facts, &mut scratch), [holding as u32], "{condition}");
        assert_eq!(rules.first(&facts, &mut scratch), Some(holding), "{condition}");
        let _ = condition.evidence(&facts);
        let _ = condition.to_string();
    }
});
