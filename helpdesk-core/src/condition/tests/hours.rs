//! Working time and clocks. The office is open Monday to Friday, nine to five
//! UTC; it is Monday noon.

use super::{facts, now, parse};
use crate::condition::{Calendars, Facts};
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Whether a condition holds on a ticket at another time.
fn holds_at(source: &Value, ticket: &Value, at: &str) -> bool {
    let schema = super::schema();
    let now = at.parse().unwrap();
    let facts = crate::condition::FactMap::from_json(ticket, now, &schema).unwrap();
    parse(source).holds(&facts.with_calendars(super::calendars()))
}

#[test]
fn hours_are_half_open() {
    let open = json!({"field": "now", "in_hours": "office"});
    let closed = json!({"field": "now", "outside_hours": "office"});
    let rows = [
        ("2026-06-01T08:59:59Z", false),
        ("2026-06-01T09:00:00Z", true),
        ("2026-06-01T16:59:59.999Z", true),
        ("2026-06-01T17:00:00Z", false),
        ("2026-06-06T12:00:00Z", false),
        ("2150-06-01T12:00:00Z", false),
    ];
    for (at, is_open) in rows {
        assert_eq!(holds_at(&open, &json!({}), at), is_open, "{at}");
        assert_eq!(holds_at(&closed, &json!({}), at), !is_open, "{at}");
    }
}

#[test]
fn a_calendar_that_is_not_there_is_as_a_missing_field() {
    let ago = json!({"seconds": 0, "calendar": "office"});
    let leaves = [
        json!({"field": "now", "in_hours": "office"}),
        json!({"field": "now", "outside_hours": "office"}),
        json!({"field": "created_at", "older_than": ago}),
        json!({"field": "created_at", "newer_than": ago}),
    ];
    for created_at in ["2026-05-01T12:00:00Z", "2026-07-01T12:00:00Z"] {
        let ticket = facts(&json!({"created_at": created_at})).with_calendars(Calendars::default());
        for leaf in &leaves {
            assert!(!parse(leaf).holds(&ticket), "{leaf}");
            assert!(parse(&json!({"not": leaf})).holds(&ticket), "{leaf}");
        }
    }
}

#[test]
fn the_time_of_the_question_is_always_set() {
    assert!(parse(&json!({"field": "now", "set": true})).holds(&facts(&json!({}))));
    assert!(!parse(&json!({"field": "now", "unset": true})).holds(&facts(&json!({}))));
}

#[test]
fn age_in_working_time_is_strict_either_way() {
    // Friday 16:00 to Monday 12:00 are four hours of work.
    let rows = [
        ("2026-05-29T16:00:00Z", 14_400, false, false),
        ("2026-05-29T16:00:00Z", 14_399, true, false),
        ("2026-05-29T16:00:00Z", 14_401, false, true),
        ("2026-06-01T12:00:00Z", 0, false, false),
        // The future is newer than anything, and older than nothing.
        ("2026-06-01T12:00:01Z", 0, false, true),
        ("2026-12-01T12:00:00Z", 0, false, true),
        // Beyond the horizon nobody works.
        ("1950-01-01T00:00:00Z", 400_000_000, true, false),
        ("1950-01-01T00:00:00Z", 1_000_000_000, false, true),
        ("2190-01-01T00:00:00Z", 0, false, true),
    ];
    for (at, seconds, is_older, is_newer) in rows {
        let age = json!({"seconds": seconds, "calendar": "office"});
        let holds = |operator| super::leaf_holds("custom.renewal", operator, &age, &json!(at));
        assert_eq!(holds("older_than"), is_older, "{at} older than {seconds}");
        assert_eq!(holds("newer_than"), is_newer, "{at} newer than {seconds}");
    }
    let age = json!({"seconds": 0, "calendar": "office"});
    assert!(!super::leaf_holds("custom.renewal", "newer_than", &age, &Value::Null));
}

#[test]
fn a_clock_is_tested_by_state_breach_and_time_left() {
    let clock = json!({
        "state": "running", "breached": false, "left_seconds": 600, "used_percent": 40,
    });
    let late = json!({
        "state": "missed", "breached": true, "left_seconds": -60, "used_percent": 101.5,
    });
    let bare = json!({"state": "inactive", "breached": false});
    let rows = [
        ("state", json!("running"), [true, false, false]),
        ("state", json!("inactive"), [false, false, true]),
        ("breached", json!(true), [false, true, false]),
        ("breached", json!(false), [true, false, true]),
        ("left_lt", json!(600), [false, true, false]),
        ("left_lt", json!(601), [true, true, false]),
        ("left_lt", json!(-59), [false, true, false]),
        ("used_ge", json!(40), [true, true, false]),
        ("used_ge", json!(40.5), [false, true, false]),
        ("used_ge", json!(0), [true, true, false]),
        // What has not started is not there.
        ("set", json!(true), [true, true, false]),
    ];
    for (operator, value, expected) in rows {
        for (clock, expected) in [&clock, &late, &bare].into_iter().zip(expected) {
            let got = super::leaf_holds("sla.first_reply", operator, &value, clock);
            assert_eq!(got, expected, "{operator} {value} on {clock}");
        }
        let other = facts(&json!({"sla.resolution": clock}));
        let leaf = json!({"field": "sla.first_reply", operator: value});
        assert!(!parse(&leaf).holds(&other), "{leaf} on a ticket without the clock");
    }
    assert!(super::leaf_holds("sla.first_reply", "unset", &json!(true), &Value::Null));
}

#[test]
fn what_is_due_and_how_far_it_is_escalated_are_plain_facts() {
    let ticket = facts(&json!({"due_at": "2026-06-01T12:30:00Z", "escalation_level": 2}));
    let holds = |leaf: Value| parse(&leaf).holds(&ticket);
    assert!(holds(json!({"field": "due_at", "within_next": 1_800})));
    assert!(!holds(json!({"field": "due_at", "within_next": 1_799})));
    assert!(holds(json!({"field": "escalation_level", "ge": 2})));
    let none = facts(&json!({}));
    assert!(!parse(&json!({"field": "due_at", "newer_than": 5})).holds(&none));
    assert!(!parse(&json!({"field": "escalation_level", "lt": 9})).holds(&none));
}

/// Whole hours of work between two instants at whole hours, counted one by one.
fn naive_seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    let hours = (0..(to - from).num_hours()).map(|n| from + TimeDelta::hours(n));
    let is_open =
        |at: &DateTime<Utc>| at.weekday().number_from_monday() <= 5 && (9..17).contains(&at.hour());
    hours.filter(is_open).count() as i64 * 3_600
}

proptest! {
    #[test]
    fn age_in_working_time_is_what_counting_hours_gives(ago in -300i64..1_500, half_hours in 0i64..500) {
        let (at, seconds) = (now() - TimeDelta::hours(ago), half_hours * 1_800);
        let ticket = facts(&json!({"created_at": at}));
        prop_assert_eq!(ticket.now(), now());
        let age = json!({"seconds": seconds, "calendar": "office"});
        let worked = naive_seconds(at, now());
        let older = parse(&json!({"field": "created_at", "older_than": age})).holds(&ticket);
        prop_assert_eq!(older, at <= now() && worked > seconds);
        let newer = parse(&json!({"field": "created_at", "newer_than": age})).holds(&ticket);
        prop_assert_eq!(newer, at > now() || worked < seconds);
    }
}
