//! What people write wrong about hours, promises and escalation: each has its
//! fault with its spot, or a meaning that is defined.

use super::*;
use chrono::{DateTime, Utc};

fn office(more: Value) -> Value {
    let mut calendar =
        json!({"key": "office", "zone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}});
    merge(&mut calendar, more);
    json!({"calendars": [calendar]})
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

fn policy(more: Value) -> Value {
    let mut policy = json!({"key": "p", "metrics": []});
    merge(&mut policy, more);
    policy
}

fn target(seconds: &Value) -> Value {
    let metrics = json!([{"metric": "first_reply", "targets": [{"seconds": seconds}]}]);
    json!({"sla": {"policies": [policy(json!({"metrics": metrics}))]}})
}

fn steps(steps: &Value) -> Value {
    json!({"escalations": [{"key": "e", "steps": steps}]})
}

fn schedule(layer: Value) -> Value {
    let mut own = json!({
        "participants": [uuid::Uuid::from_u128(1)], "unit": "daily", "start": "2026-06-01T09:00:00", "zone": "UTC",
    });
    merge(&mut own, layer);
    json!({"schedules": [{"key": "duty", "layers": [own]}]})
}

/// Every day of the year as a holiday.
fn all_holidays() -> Value {
    let days: Vec<Value> = (0..366)
        .filter_map(|day| {
            let date = chrono::NaiveDate::from_ymd_opt(2028, 1, 1)? + chrono::Days::new(day);
            Some(json!({"on": date.format("%m-%d").to_string()}))
        })
        .collect();
    office(json!({"holidays": days}))
}

/// What is wrong about hours, with its name.
fn wrong_hours() -> Vec<(&'static str, Value)> {
    vec![
        (
            "overlapping windows",
            office(json!({"weekly": {"mon": [["09:00", "13:00"], ["12:00", "17:00"]]}})),
        ),
        ("a window past midnight", office(json!({"weekly": {"mon": [["09:00", "24:01"]]}}))),
        ("a window that is no time", office(json!({"weekly": {"mon": [["nine", "17:00"]]}}))),
        ("an unknown zone", office(json!({"zone": "Europe/Atlantis"}))),
        ("an unknown zone of a schedule", schedule(json!({"zone": "Mars/Olympus"}))),
        (
            "a special day in 2100",
            office(json!({"special_days": {"2100-01-01": [["09:00", "10:00"]]}})),
        ),
        ("a holiday in 2100", office(json!({"holidays": [{"on": "2100-01-01"}]}))),
        (
            "open in 2100 only",
            office(json!({"weekly": {}, "special_days": {"2100-01-01": [["09:00", "10:00"]]}})),
        ),
        ("a rotation from 2100 on", schedule(json!({"start": "2100-06-01T09:00:00"}))),
        (
            "a policy from 2100 on",
            json!({"sla": {"policies": [policy(json!({"valid_from": "2100-01-01T00:00:00Z"}))]}}),
        ),
        ("all days are holidays", all_holidays()),
        (
            "closed for good",
            office(
                json!({"closures": [{"from": "1970-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}]}),
            ),
        ),
    ]
}

/// What is wrong about promises and escalation, with its name.
fn wrong_promises() -> Vec<(&'static str, Value)> {
    let group = json!([{"type": "group", "key": "support"}]);
    let after = |seconds: Value| json!({"type": "after", "seconds": seconds});
    vec![
        ("a target of a million hours", target(&json!(3_600_000_000_u64))),
        ("a target beyond all numbers", target(&json!(u64::MAX))),
        ("a target of nothing", target(&json!(0))),
        ("a negative target", target(&json!(-60))),
        ("a target in words", target(&json!("1h"))),
        (
            "a wait of a million hours",
            steps(&json!([{"trigger": after(json!(3_600_000_000_u64)), "targets": group}])),
        ),
        ("a wait of nothing", steps(&json!([{"trigger": after(json!(0)), "targets": group}]))),
        ("a negative wait", steps(&json!([{"trigger": after(json!(-1)), "targets": group}]))),
        ("a step without target", steps(&json!([{"trigger": after(json!(60))}]))),
        ("a policy without steps", steps(&json!([]))),
        (
            "a step for an unknown schedule",
            steps(
                &json!([{"trigger": after(json!(60)), "targets": [{"type": "schedule", "key": "duty"}]}]),
            ),
        ),
        (
            "a step of an unknown metric",
            steps(
                &json!([{"trigger": {"type": "sla_breached", "metric": "reply"}, "targets": group}]),
            ),
        ),
        (
            "a step in unknown hours",
            steps(
                &json!([{"trigger": {"type": "after", "seconds": 60, "calendar": "office"}, "targets": group}]),
            ),
        ),
        (
            "cyclic tiers",
            json!({"tiers": [
                {"key": "l1", "skip_to": [{"when": "always", "to": "l2"}]}, {"key": "l2", "skip_to": [{"when": "always", "to": "l1"}]},
            ]}),
        ),
        (
            "two SLA policies at one place",
            json!({"sla": {"policies": [
                policy(json!({"position": 5})), policy(json!({"key": "q", "position": 5})),
            ]}}),
        ),
        (
            "two escalations at one place",
            json!({"escalations": [
                {"key": "a", "position": 5, "steps": [{"trigger": after(json!(60)), "targets": group}]},
                {"key": "b", "position": 5, "steps": [{"trigger": after(json!(60)), "targets": group}]},
            ]}),
        ),
        (
            "maintenance that ends first",
            json!({"maintenance": [
                {"from": "2026-06-02T00:00:00Z", "to": "2026-06-01T00:00:00Z"},
            ]}),
        ),
    ]
}

#[test]
fn each_mistake_has_its_fault_with_its_spot_or_a_defined_meaning() {
    let mut rows = wrong_hours();
    rows.extend(wrong_promises());
    let told: Vec<String> = rows
        .iter()
        .map(|(name, document)| match Desk::from_value(document) {
            Ok(_) => format!("{name}: fine"),
            Err(faults) => format!("{name}: {}", lines(&faults)),
        })
        .collect();
    expect![[r#"
        overlapping windows: fine
        a window past midnight: invalid calendars[0].weekly.mon[0][1]: `24:01` is no time of day: take HH:MM or HH:MM:SS, 24:00 at most
        a window that is no time: invalid calendars[0].weekly.mon[0][0]: `nine` is no time of day: take HH:MM or HH:MM:SS, 24:00 at most
        an unknown zone: invalid calendars[0].zone: there is no time zone `Europe/Atlantis`: take an IANA name, such as `Europe/Berlin`
        an unknown zone of a schedule: not_configured schedules[0].layers[0].zone: there is no time zone `Mars/Olympus`: take an IANA name, such as `Europe/Berlin`
        a special day in 2100: invalid calendars[0].special_days.2100-01-01: 2100-01-01: calendars cover 1970-01-01 to 2099-12-31
        a holiday in 2100: invalid calendars[0].holidays[0].on: 2100-01-01: calendars cover 1970-01-01 to 2099-12-31
        open in 2100 only: invalid calendars[0].special_days.2100-01-01: 2100-01-01: calendars cover 1970-01-01 to 2099-12-31
        a rotation from 2100 on: fine
        a policy from 2100 on: fine
        all days are holidays: never_opens calendars[0]: the calendar never opens: give it weekly hours or a special day
        closed for good: never_opens calendars[0]: the calendar never opens: give it weekly hours or a special day
        a target of a million hours: fine
        a target beyond all numbers: over_limit sla.policies[0].metrics[0].targets[0].seconds: 18446744073709551615 seconds, at most 10000000000
        a target of nothing: invalid sla.policies[0].metrics[0].targets[0].seconds: takes more than 0 seconds
        a negative target: invalid sla.policies[0].metrics[0].targets[0].seconds: takes at least 0; found `-60`
        a target in words: invalid sla.policies[0].metrics[0].targets[0].seconds: takes a whole number; found `1h`
        a wait of a million hours: invalid escalations[0].steps[0].trigger.seconds: takes 1 to 31622400
        a wait of nothing: invalid escalations[0].steps[0].trigger.seconds: takes 1 to 31622400
        a negative wait: invalid escalations[0].steps[0].trigger.seconds: takes at least 0; found `-1`
        a step without target: invalid escalations[0].steps[0].targets: the step does nothing: name a target
        a policy without steps: invalid escalations[0].steps: an escalation policy needs at least one step
        a step for an unknown schedule: not_configured escalations[0].steps[0].targets[0].key: there is no on-call schedule `duty`; none is defined
        a step of an unknown metric: not_configured escalations[0].steps[0].trigger.metric: there is no metric `reply`; near it: `next_reply`, `first_reply`, `group_time`
        a step in unknown hours: not_configured escalations[0].steps[0].trigger.calendar: there is no calendar `office`; near it: `always`
        cyclic tiers: invalid tiers[0].skip_to[0].to: leads back to `l1`: tiers go round in a circle
        invalid tiers[1].skip_to[0].to: leads back to `l2`: tiers go round in a circle
        two SLA policies at one place: duplicate sla.policies[1].position: another policy of its slot has the position 5
        two escalations at one place: duplicate escalations[1].position: 5 is also the position of escalations[0]
        maintenance that ends first: invalid maintenance[0].to: ends before it begins"#]].assert_eq(&told.join("\n"));
}

#[test]
fn overlapping_windows_count_once() {
    let desk = desk(&office(
        json!({"weekly": {"mon": [["09:00", "13:00"], ["12:00", "17:00"], ["17:00", "18:00"]]}}),
    ));
    let calendar = desk.calendar(&key("office")).unwrap();
    let day =
        |hour: u32| -> DateTime<Utc> { format!("2026-06-01T{hour:02}:00:00Z").parse().unwrap() };
    assert_eq!(calendar.elapsed(day(0), day(23)).unwrap(), 9 * 3_600);
    assert_eq!(calendar.due_at(day(9), 9 * 3_600).unwrap(), day(18));
}

#[test]
fn a_target_past_what_calendars_cover_is_due_at_no_time_and_stops_nothing() {
    let most = i64::try_from(TARGET_SECONDS_MAX).unwrap();
    let desk = desk(&office(json!({})));
    let calendar = desk.calendar(&key("office")).unwrap();
    let monday: DateTime<Utc> = "2026-06-01T09:00:00Z".parse().unwrap();
    assert!(calendar.due_at(monday, most).is_err());
    let last: DateTime<Utc> = "2099-12-28T09:00:00Z".parse().unwrap();
    assert!(calendar.due_at(last, 3_600).is_ok());
    assert!(calendar.due_at(last, 30 * 3_600).is_err());
}
