//! Who is on call: agents are called 1, 2, 3 ….

use super::*;
use crate::calendar::ZoneRules;
use crate::escalation::oncall::{LayerDef, ScheduleDef};
use crate::escalation::rotation::Rotation;
use crate::escalation::schedule::{Schedule, Shift};
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn schedule(layers: Value, overrides: Value) -> Schedule {
    let def = json!({"key": "duty", "layers": layers, "overrides": overrides});
    let def: ScheduleDef = serde_json::from_value(def).unwrap();
    Schedule::compile(&def, &*ZONES).unwrap()
}

fn agents(ids: &[u128]) -> Vec<AgentId> {
    ids.iter().map(|n| agent(*n)).collect()
}

/// A layer from 2026-06-01 09:00, a Monday, with these settings.
fn layer(participants: &[u128], settings: Value) -> Value {
    let mut layer = json!({
        "participants": agents(participants), "start": "2026-06-01T09:00", "zone": "UTC",
    });
    let (Value::Object(all), Value::Object(more)) = (&mut layer, settings) else { panic!() };
    all.extend(more);
    layer
}

fn told(shift: &Shift) -> String {
    let who: Vec<String> = shift.agents.iter().map(|a| a.0.as_u128().to_string()).collect();
    let who = if who.is_empty() { "nobody".to_owned() } else { who.join("+") };
    let minute = |at: DateTime<Utc>| at.format("%m-%d %H:%M").to_string();
    format!("{} to {}: {who}", minute(shift.from), minute(shift.until))
}

#[track_caller]
fn check(schedule: &Schedule, from: &str, until: &str, expected: &Expect) {
    let shifts: Vec<String> = schedule.shifts(at(from)..at(until)).map(|s| told(&s)).collect();
    expected.assert_eq(&shifts.join("\n"));
}

#[test]
fn agents_take_turns_by_the_week_and_turns_cover_the_time_before_the_start() {
    let duty = schedule(json!([layer(&[1, 2, 3], json!({}))]), json!([]));
    check(
        &duty,
        "2026-05-20T00:00:00Z",
        "2026-06-17T00:00:00Z",
        &expect![[r#"
            05-20 00:00 to 05-25 09:00: 2
            05-25 09:00 to 06-01 09:00: 3
            06-01 09:00 to 06-08 09:00: 1
            06-08 09:00 to 06-15 09:00: 2
            06-15 09:00 to 06-17 00:00: 3"#]],
    );
}

#[test]
fn a_handoff_at_a_skipped_local_time_happens_at_the_skip() {
    let start = json!({"start": "2026-03-27T02:30", "zone": "Europe/Berlin", "unit": "daily"});
    let duty = schedule(json!([layer(&[1, 2], start)]), json!([]));
    check(
        &duty,
        "2026-03-27T01:30:00Z",
        "2026-03-31T00:00:00Z",
        &expect![[r#"
            03-27 01:30 to 03-28 01:30: 1
            03-28 01:30 to 03-29 01:00: 2
            03-29 01:00 to 03-30 00:30: 1
            03-30 00:30 to 03-31 00:00: 2"#]],
    );
}

#[test]
fn a_handoff_at_a_time_that_is_read_twice_happens_the_first_time() {
    let start = json!({"start": "2026-10-24T22:30", "zone": "Europe/Berlin", "unit": "hourly"});
    let duty = schedule(json!([layer(&[1, 2], start)]), json!([]));
    check(
        &duty,
        "2026-10-24T22:30:00Z",
        "2026-10-25T04:00:00Z",
        &expect![[r#"
            10-24 22:30 to 10-24 23:30: 1
            10-24 23:30 to 10-25 00:30: 2
            10-25 00:30 to 10-25 02:30: 1
            10-25 02:30 to 10-25 03:30: 2
            10-25 03:30 to 10-25 04:00: 1"#]],
    );
}

#[test]
fn hours_of_a_rotation_are_those_that_the_clock_shows_in_chicago_too() {
    // At 2:00 on 8 March the clock there goes to 3:00.
    let start =
        json!({"start": "2020-03-06T08:30:00Z", "zone": "America/Chicago", "unit": "hourly"});
    let duty = schedule(json!([layer(&[1, 2, 3], start)]), json!([]));
    check(
        &duty,
        "2020-03-08T06:30:00Z",
        "2020-03-08T10:00:00Z",
        &expect![[r#"
        03-08 06:30 to 03-08 07:30: 2
        03-08 07:30 to 03-08 08:00: 3
        03-08 08:00 to 03-08 08:30: 1
        03-08 08:30 to 03-08 09:30: 2
        03-08 09:30 to 03-08 10:00: 3"#]],
    );
}

#[test]
fn a_turn_far_from_its_rotations_start_is_found_as_fast_as_a_near_one() {
    let start = json!({"start": "1970-01-01T00:00", "unit": "hourly"});
    let duty = schedule(json!([layer(&[1, 2], start)]), json!([]));
    assert_eq!(duty.on_call(at("2099-12-31T23:30:00Z")), agents(&[2]));
    assert_eq!(duty.next_handoff(at("9999-01-01T00:30:00Z")), Some(at("9999-01-01T01:00:00Z")));
}

#[test]
fn half_an_hour_of_summer_time_moves_handoffs_by_half_an_hour() {
    let start =
        json!({"start": "2020-10-02T02:15", "zone": "Australia/Lord_Howe", "unit": "daily"});
    let duty = schedule(json!([layer(&[1, 2], start)]), json!([]));
    check(
        &duty,
        "2020-10-01T15:45:00Z",
        "2020-10-06T00:00:00Z",
        &expect![[r#"
            10-01 15:45 to 10-02 15:45: 1
            10-02 15:45 to 10-03 15:30: 2
            10-03 15:30 to 10-04 15:15: 1
            10-04 15:15 to 10-05 15:15: 2
            10-05 15:15 to 10-06 00:00: 1"#]],
    );
}

#[test]
fn whoever_has_a_day_that_a_zone_skips_has_no_shift() {
    // Samoa had no 30 December 2011.
    let start = json!({"start": "2011-12-28T00:00", "zone": "Pacific/Apia", "unit": "daily"});
    let duty = schedule(json!([layer(&[1, 2, 3, 4], start)]), json!([]));
    check(
        &duty,
        "2011-12-28T12:00:00Z",
        "2012-01-01T00:00:00Z",
        &expect![[r#"
            12-28 12:00 to 12-29 10:00: 1
            12-29 10:00 to 12-30 10:00: 2
            12-30 10:00 to 12-31 10:00: 4
            12-31 10:00 to 01-01 00:00: 1"#]],
    );
}

#[test]
fn a_month_without_the_day_hands_off_on_its_last() {
    let start = json!({"start": "2026-01-31T09:00", "unit": "monthly"});
    let duty = schedule(json!([layer(&[1, 2], start)]), json!([]));
    check(
        &duty,
        "2026-01-31T09:00:00Z",
        "2026-06-01T00:00:00Z",
        &expect![[r#"
            01-31 09:00 to 02-28 09:00: 1
            02-28 09:00 to 03-31 09:00: 2
            03-31 09:00 to 04-30 09:00: 1
            04-30 09:00 to 05-31 09:00: 2
            05-31 09:00 to 06-01 00:00: 1"#]],
    );
}

#[test]
fn a_later_layer_counts_in_its_hours_and_time() {
    let nights = json!({
        "hours": {"fri": [["18:00", "06:00"]], "mon": [["18:00", "06:00"]]},
        "from": "2026-06-05T00:00:00Z", "until": "2026-06-08T20:00:00Z",
    });
    let layers = json!([layer(&[1], json!({})), layer(&[9], nights)]);
    let duty = schedule(layers, json!([]));
    check(
        &duty,
        "2026-06-01T09:00:00Z",
        "2026-06-10T00:00:00Z",
        &expect![[r#"
            06-01 09:00 to 06-05 18:00: 1
            06-05 18:00 to 06-06 06:00: 9
            06-06 06:00 to 06-08 09:00: 1
            06-08 09:00 to 06-08 18:00: 1
            06-08 18:00 to 06-08 20:00: 9
            06-08 20:00 to 06-10 00:00: 1"#]],
    );
}

#[test]
fn hours_that_run_over_the_weeks_end_are_one_shift_and_gaps_are_seen() {
    let hours = json!({"hours": {"sun": [["20:00", "24:00"]], "mon": [["00:00", "08:00"]]}});
    let duty = schedule(json!([layer(&[1], hours)]), json!([]));
    check(
        &duty,
        "2026-06-05T00:00:00Z",
        "2026-06-16T00:00:00Z",
        &expect![[r#"
            06-05 00:00 to 06-07 20:00: nobody
            06-07 20:00 to 06-08 08:00: 1
            06-08 08:00 to 06-14 20:00: nobody
            06-14 20:00 to 06-15 08:00: 1
            06-15 08:00 to 06-16 00:00: nobody"#]],
    );
}

#[test]
fn overrides_add_remove_and_replace_for_a_while() {
    let layers = json!([layer(&[1], json!({"unit": "monthly"}))]);
    let spans = json!([
        {"from": "2026-06-02T00:00:00Z", "until": "2026-06-02T06:00:00Z", "do": {"type": "add", "agent": agent(2)}},
        {"from": "2026-06-03T00:00:00Z", "until": "2026-06-03T06:00:00Z", "do": {"type": "remove", "agent": agent(1)}},
        {"from": "2026-06-04T00:00:00Z", "until": "2026-06-04T06:00:00Z", "do": {"type": "replace", "agent": agent(1), "with": agent(3)}},
        {"from": "2026-06-05T00:00:00Z", "until": "2026-06-05T06:00:00Z", "do": {"type": "replace", "agent": agent(7), "with": agent(3)}},
        {"from": "2026-06-06T00:00:00Z", "until": "2026-06-06T06:00:00Z", "do": {"type": "replace", "with": agent(4)}},
    ]);
    check(
        &schedule(layers, spans),
        "2026-06-01T09:00:00Z",
        "2026-06-07T00:00:00Z",
        &expect![[r#"
            06-01 09:00 to 06-02 00:00: 1
            06-02 00:00 to 06-02 06:00: 1+2
            06-02 06:00 to 06-03 00:00: 1
            06-03 00:00 to 06-03 06:00: nobody
            06-03 06:00 to 06-04 00:00: 1
            06-04 00:00 to 06-04 06:00: 3
            06-04 06:00 to 06-06 00:00: 1
            06-06 00:00 to 06-06 06:00: 4
            06-06 06:00 to 06-07 00:00: 1"#]],
    );
}

#[test]
fn an_override_without_length_does_nothing() {
    let noon = "2026-06-02T12:00:00Z";
    let spans = json!([{"from": noon, "until": noon, "do": {"type": "add", "agent": agent(2)}}]);
    let duty = schedule(json!([layer(&[1], json!({}))]), spans);
    assert_eq!(duty.on_call(at(noon)), agents(&[1]));
    assert_eq!(duty.next_handoff(at("2026-06-02T00:00:00Z")), Some(at("2026-06-08T09:00:00Z")));
}

#[test]
fn of_two_overrides_of_one_span_the_later_made_sees_what_the_earlier_did() {
    let span = |change: Value| json!({"from": "2026-06-02T00:00:00Z", "until": "2026-06-03T00:00:00Z", "do": change});
    let one_by_two = span(json!({"type": "replace", "agent": agent(1), "with": agent(2)}));
    let two_by_three = span(json!({"type": "replace", "agent": agent(2), "with": agent(3)}));
    let on_call = |spans| {
        schedule(json!([layer(&[1], json!({}))]), spans).on_call(at("2026-06-02T12:00:00Z"))
    };
    assert_eq!(on_call(json!([one_by_two, two_by_three])), agents(&[3]));
    assert_eq!(on_call(json!([two_by_three, one_by_two])), agents(&[2]));
}

#[test]
fn the_end_of_a_shift_is_the_next_ones_beginning() {
    let duty = schedule(json!([layer(&[1, 2], json!({}))]), json!([]));
    let handoff = at("2026-06-08T09:00:00Z");
    assert_eq!(duty.on_call(handoff - TimeDelta::nanoseconds(1)), agents(&[1]));
    assert_eq!(duty.on_call(handoff), agents(&[2]));
    assert_eq!(duty.next_handoff(handoff), Some(at("2026-06-15T09:00:00Z")));
}

#[test]
fn who_leaves_a_rotation_in_their_turn_is_followed_by_the_next_and_the_past_stays() {
    let whole: LayerDef = serde_json::from_value(layer(&[1, 2, 3], json!({}))).unwrap();
    let utc = ZONES.zone("UTC").unwrap();
    let layers = whole.without(agent(2), at("2026-06-10T12:00:00Z"), Arc::clone(&utc));
    check(
        &schedule(json!(layers), json!([])),
        "2026-06-01T09:00:00Z",
        "2026-06-30T00:00:00Z",
        &expect![[r#"
            06-01 09:00 to 06-08 09:00: 1
            06-08 09:00 to 06-10 12:00: 2
            06-10 12:00 to 06-15 09:00: 3
            06-15 09:00 to 06-22 09:00: 1
            06-22 09:00 to 06-29 09:00: 3
            06-29 09:00 to 06-30 00:00: 1"#]],
    );
    // In the turn of another, that one keeps it.
    let layers = whole.without(agent(2), at("2026-06-16T12:00:00Z"), Arc::clone(&utc));
    let duty = schedule(json!(layers), json!([]));
    assert_eq!(duty.on_call(at("2026-06-17T00:00:00Z")), agents(&[3]));
    assert_eq!(duty.on_call(at("2026-06-23T00:00:00Z")), agents(&[1]));
    assert_eq!(
        whole.without(agent(9), at("2026-06-16T12:00:00Z"), Arc::clone(&utc)),
        std::slice::from_ref(&whole)
    );
    let alone: LayerDef = serde_json::from_value(layer(&[1], json!({}))).unwrap();
    let layers = alone.without(agent(1), at("2026-06-16T12:00:00Z"), utc);
    assert!(schedule(json!(layers), json!([])).on_call(at("2026-06-16T12:00:00Z")).is_empty());
}

#[test]
fn coverage_tells_the_gaps_of_a_year() {
    let whole = schedule(json!([layer(&[1], json!({}))]), json!([]));
    assert_eq!(whole.coverage(at("2026-06-01T00:00:00Z")).n_gaps, 0);
    let hours = json!({"hours": {"mon": [["00:00", "24:00"]]}});
    let mondays = schedule(json!([layer(&[1], hours)]), json!([]));
    let coverage = mondays.coverage(at("2026-06-01T00:00:00Z"));
    assert_eq!((coverage.n_gaps, coverage.gap_seconds), (53, (366 - 53) * 86_400));
    assert_eq!(coverage.first_gap, Some((at("2026-06-02T00:00:00Z"), at("2026-06-08T00:00:00Z"))));
}

#[test]
fn faults_of_a_schedule_name_their_spot() {
    let def = json!({
        "key": "duty",
        "layers": [{
            "participants": [], "length": 0, "start": "2026-06-01", "zone": "Mars/Base", "hours": {},
            "from": "2026-06-02T00:00:00Z", "until": "2026-06-01T00:00:00Z",
        }],
        "overrides": [{
            "from": "2026-06-02T00:00:00Z", "until": "2026-06-01T00:00:00Z", "do": {"type": "add", "agent": agent(1)},
        }],
    });
    let def: ScheduleDef = serde_json::from_value(def).unwrap();
    let faults: Vec<String> = def.check(&*ZONES).iter().map(ToString::to_string).collect();
    expect![[r#"
        layers[0].participants: a rotation needs at least one
        layers[0].length: takes 1 to 10000
        layers[0].zone: there is no time zone `Mars/Base`: take an IANA name, such as `Europe/Berlin`
        layers[0].hours: no hours in any week: leave it out for always
        layers[0].until: ends before it begins
        overrides[0].until: ends before it begins"#]]
    .assert_eq(&faults.join("\n"));
}

const PLACES: [&str; 6] = [
    "UTC",
    "America/Chicago",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
];

fn any_layer() -> impl Strategy<Value = Value> {
    let units = prop::sample::select(vec!["hourly", "daily", "weekly", "monthly"]);
    let hours = prop::sample::select(vec![
        Value::Null,
        json!({"mon": [["09:00", "17:00"]], "sun": [["22:00", "02:30"]]}),
        json!({"tue": [["00:00", "00:00"]], "wed": [["00:00", "24:00"]]}),
    ]);
    (1u128..4, units, 1u32..30, -500_000_000i64..500_000_000, prop::sample::select(&PLACES[..]), hours)
        .prop_map(|(n, unit, length, start, zone, hours)| {
            let start = DateTime::from_timestamp(1_600_000_000 + start, 0).unwrap();
            let participants: Vec<u128> = (1..=n).collect();
            let mut layer = layer(&participants, json!({"unit": unit, "length": length, "start": start.format("%Y-%m-%dT%H:%M:%S").to_string(), "zone": zone}));
            if !hours.is_null() {
                layer["hours"] = hours;
            }
            layer
        })
}

fn any_override() -> impl Strategy<Value = Value> {
    (0i64..4_000_000, 0i64..400_000, 0u8..4, 1u128..4).prop_map(|(from, length, kind, who)| {
        let from = DateTime::from_timestamp(1_600_000_000 + from, 0).unwrap();
        let change = match kind {
            0 => json!({"type": "add", "agent": agent(who)}),
            1 => json!({"type": "remove", "agent": agent(who)}),
            2 => json!({"type": "replace", "agent": agent(who), "with": agent(9)}),
            _ => json!({"type": "replace", "with": agent(who)}),
        };
        json!({"from": from, "until": from + TimeDelta::seconds(length), "do": change})
    })
}

proptest! {
    #[test]
    fn the_turn_at_an_instant_is_the_last_that_has_begun(
        layer in any_layer(),
        probe in -1_000_000_000i64..4_000_000_000,
    ) {
        let layer: LayerDef = serde_json::from_value(layer).unwrap();
        let rotation = Rotation::new(&layer, ZONES.zone(&layer.zone).unwrap());
        let probe = DateTime::from_timestamp(probe, 0).unwrap();
        let turn = rotation.turn(probe);
        prop_assert!(rotation.begins_at(turn).unwrap() <= probe);
        prop_assert!(rotation.begins_at(turn + 1).unwrap() > probe);
    }

    #[test]
    fn turns_around_a_change_of_the_clock_are_the_last_that_have_begun(
        mut layer in any_layer(),
        offset in -100_000i64..100_000,
    ) {
        layer["unit"] = json!("hourly");
        layer["length"] = json!(1);
        for (zone, change) in [
            ("America/Chicago", "2020-11-01T07:00:00Z"), ("America/Chicago", "2020-03-08T08:00:00Z"),
            ("Australia/Lord_Howe", "2020-04-04T15:00:00Z"), ("Pacific/Apia", "2011-12-30T10:00:00Z"),
            ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
        ] {
            layer["zone"] = json!(zone);
            let layer: LayerDef = serde_json::from_value(layer.clone()).unwrap();
            let rotation = Rotation::new(&layer, ZONES.zone(zone).unwrap());
            let probe = at(change) + TimeDelta::seconds(offset);
            let turn = rotation.turn(probe);
            prop_assert!(rotation.begins_at(turn).unwrap() <= probe);
            prop_assert!(rotation.begins_at(turn + 1).unwrap() > probe);
        }
    }

    #[test]
    fn shifts_tile_the_range_and_agree_with_who_is_on_call(
        layers in prop::collection::vec(any_layer(), 1..4),
        overrides in prop::collection::vec(any_override(), 0..4),
        start in 0i64..4_000_000,
        probes in prop::collection::vec(0i64..3_000_000, 10),
    ) {
        let duty = schedule(Value::from(layers), Value::from(overrides));
        let from = DateTime::from_timestamp(1_600_000_000 + start, 0).unwrap();
        let until = from + TimeDelta::seconds(3_000_000);
        let shifts: Vec<Shift> = duty.shifts(from..until).collect();
        prop_assert_eq!(shifts[0].from, from);
        prop_assert_eq!(shifts[shifts.len() - 1].until, until);
        for pair in shifts.windows(2) {
            prop_assert!(pair[0].from < pair[0].until);
            prop_assert_eq!(pair[0].until, pair[1].from);
            let same = pair[0].agents == pair[1].agents && pair[0].layer == pair[1].layer;
            prop_assert!(!same, "{} {}", told(&pair[0]), told(&pair[1]));
        }
        for probe in probes {
            let at = from + TimeDelta::seconds(probe);
            let shift = shifts.iter().find(|s| s.from <= at && at < s.until).unwrap();
            prop_assert_eq!(&duty.on_call(at), &shift.agents);
            prop_assert!(duty.next_handoff(at).unwrap_or(until).min(until) == shift.until);
        }
    }

    #[test]
    fn one_agent_is_on_call_in_a_single_layer_without_hours(
        mut layer in any_layer(),
        probe in -2_000_000_000i64..4_000_000_000,
    ) {
        layer.as_object_mut().unwrap().remove("hours");
        let duty = schedule(json!([layer]), json!([]));
        let probe = DateTime::from_timestamp(probe, 0).unwrap();
        prop_assert_eq!(duty.on_call(probe).len(), 1);
        prop_assert!(duty.next_handoff(probe).unwrap() > probe);
    }
}
