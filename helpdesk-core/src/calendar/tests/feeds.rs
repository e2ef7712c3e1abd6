//! Case 28 of spec/sla.md: holidays that a host read from a feed.

use super::*;

fn with_feed(filters: &str, events: &str) -> String {
    format!("feeds = [{{ {filters} events = [{events}] }}]\n{OFFICE}")
}

const EVENTS: &str = r#"
    { name = "Autumn Break", from = "2026-11-17", to = "2026-11-19", all_day = true },
    { name = "Daylight Saving Time ends", from = "2026-11-16", to = "2026-11-17", all_day = true },
    { name = "Fire drill", from = "2026-11-19T10:00:00Z", to = "2026-11-19T10:30:00Z" },
"#;
const FRIDAY: &str = "2026-11-20T09:00:00Z 2026-11-20T17:00:00Z";
const DRILL: [&str; 2] =
    ["2026-11-19T09:00:00Z 2026-11-19T10:00:00Z", "2026-11-19T10:30:00Z 2026-11-19T17:00:00Z"];

#[track_caller]
fn week(toml: &str, expected: &[&str]) {
    let calendar = calendar(toml);
    let (from, to) = (at("2026-11-16T00:00:00Z"), at("2026-11-21T00:00:00Z"));
    let windows = calendar.windows(from, to).expect("in range");
    let got: Vec<String> =
        windows.iter().map(|(from, to)| format!("{} {}", shown(*from), shown(*to))).collect();
    assert_eq!(got, expected);
}

#[test]
fn case_28_whole_days_are_holidays_and_timed_events_close() {
    let monday = "2026-11-16T09:00:00Z 2026-11-16T17:00:00Z";
    week(&with_feed("", EVENTS), &[monday, DRILL[0], DRILL[1], FRIDAY]);
}

#[test]
fn case_28_changes_of_the_clock_are_no_days_off_unless_the_filter_is_emptied() {
    week(&with_feed("except = [],", EVENTS), &[DRILL[0], DRILL[1], FRIDAY]);
}

#[test]
fn case_28_an_entry_filtered_by_its_name_stays_out_when_the_feed_is_read_again() {
    let (monday, tuesday, wednesday) = (
        "2026-11-16T09:00:00Z 2026-11-16T17:00:00Z",
        "2026-11-17T09:00:00Z 2026-11-17T17:00:00Z",
        "2026-11-18T09:00:00Z 2026-11-18T17:00:00Z",
    );
    let thursday = "2026-11-19T09:00:00Z 2026-11-19T17:00:00Z";
    let drills = "except = [\"daylight\", \"FIRE DRILL\"],";
    week(&with_feed(drills, EVENTS), &[monday, thursday, FRIDAY]);
    week(
        &with_feed("only = [\"drill\"],", EVENTS),
        &[monday, tuesday, wednesday, DRILL[0], DRILL[1], FRIDAY],
    );
    // The feed has shrunk to nothing.
    week(&with_feed(drills, ""), &[monday, tuesday, wednesday, thursday, FRIDAY]);
}

#[test]
fn case_28_a_special_day_beats_a_day_of_a_feed_and_not_a_timed_event() {
    let special = "special_days = { 2026-11-18 = [[\"10:00\", \"11:00\"]], 2026-11-19 = [[\"10:00\", \"11:00\"]] }";
    let toml = format!("{special}\n{}", with_feed("except = [\"saving\"],", EVENTS));
    let monday = "2026-11-16T09:00:00Z 2026-11-16T17:00:00Z";
    let special = "2026-11-18T10:00:00Z 2026-11-18T11:00:00Z";
    let rest = "2026-11-19T10:30:00Z 2026-11-19T11:00:00Z";
    week(&toml, &[monday, special, rest, FRIDAY]);
}
