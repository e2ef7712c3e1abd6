use super::*;
use helpdesk_core::calendar::{BundledZones, Calendar, CalendarDef, FeedDef};

/// The events of 2026 and 2027 as `name from to`, whole days marked.
fn read(events: &str) -> Result<Vec<String>, FeedError> {
    let date = |text: &str| text.parse().expect("a date");
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n",
        events.replace('\n', "\r\n")
    );
    let events = read_feed(&text, date("2026-01-01")..date("2028-01-01"), &BundledZones::new())?;
    let shown = |event: FeedEvent| {
        let day = if event.all_day { " (day)" } else { "" };
        format!("{} {} {}{day}", event.name, event.from, event.to)
    };
    Ok(events.into_iter().map(shown).collect())
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:1\nSUMMARY:X\n{lines}\nEND:VEVENT\n")
}

#[track_caller]
fn gives(events: &str, expected: &[&str]) {
    assert_eq!(read(events).expect("reads"), expected);
}

#[test]
fn a_day_without_an_end_is_one_day_and_an_end_is_not_part_of_it() {
    gives(&event("DTSTART;VALUE=DATE:20261225"), &["X 2026-12-25 2026-12-26 (day)"]);
    gives(
        &event("DTSTART:20261225\nDTEND;VALUE=DATE:20261227"),
        &["X 2026-12-25 2026-12-27 (day)"],
    );
    gives(&event("DTSTART;VALUE=DATE:20261225\nDURATION:P1W"), &["X 2026-12-25 2027-01-01 (day)"]);
}

#[test]
fn a_time_is_on_the_clock_of_its_zone_else_on_the_calendars() {
    gives(
        &event("DTSTART:20261224T120000Z\nDTEND:20261224T130000Z"),
        &["X 2026-12-24T12:00:00Z 2026-12-24T13:00:00Z"],
    );
    let berlin = "DTSTART;TZID=Europe/Berlin:20261224T120000\nDURATION:PT1H30M";
    gives(&event(berlin), &["X 2026-12-24T11:00:00Z 2026-12-24T12:30:00Z"]);
    gives(
        &event("DTSTART:20261224T120000\nDTEND:20261224T130000"),
        &["X 2026-12-24T12:00:00 2026-12-24T13:00:00"],
    );
    let unknown =
        "DTSTART;TZID=\"Our Office\":20261224T120000\nDTEND;TZID=\"Our Office\":20261224T130000";
    gives(&event(unknown), &["X 2026-12-24T12:00:00 2026-12-24T13:00:00"]);
}

#[test]
fn a_rule_repeats_a_day_each_year_less_its_exceptions() {
    let yearly = "DTSTART;VALUE=DATE:19990501\nRRULE:FREQ=YEARLY";
    gives(&event(yearly), &["X 2026-05-01 2026-05-02 (day)", "X 2027-05-01 2027-05-02 (day)"]);
    let but_one = format!("{yearly}\nEXDATE;VALUE=DATE:20260501\nRDATE;VALUE=DATE:20260504");
    gives(&event(&but_one), &["X 2026-05-04 2026-05-05 (day)", "X 2027-05-01 2027-05-02 (day)"]);
    let thanksgiving = "DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH";
    gives(
        &event(thanksgiving),
        &["X 2026-11-26 2026-11-27 (day)", "X 2027-11-25 2027-11-26 (day)"],
    );
    gives(
        &event("DTSTART;VALUE=DATE:20250501\nRRULE:FREQ=YEARLY;UNTIL=20260501"),
        &["X 2026-05-01 2026-05-02 (day)"],
    );
    gives(&event("DTSTART;VALUE=DATE:20250501\nRRULE:FREQ=YEARLY;COUNT=1"), &[]);
}

#[test]
fn a_repeated_time_keeps_its_wall_clock_over_a_change_of_it() {
    let weekly = "DTSTART;TZID=Europe/Berlin:20261022T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL=20261029T080000Z";
    let expected = [
        "X 2026-10-22T07:00:00Z 2026-10-22T08:00:00Z",
        "X 2026-10-29T08:00:00Z 2026-10-29T09:00:00Z",
    ];
    gives(&event(weekly), &expected);
}

#[test]
fn canceled_events_and_moved_occurrences_are_where_they_are_now() {
    gives(&event("DTSTART;VALUE=DATE:20261225\nSTATUS:CANCELLED"), &[]);
    let master = event("DTSTART;VALUE=DATE:20250501\nRRULE:FREQ=YEARLY;COUNT=3");
    let moved = event("RECURRENCE-ID;VALUE=DATE:20260501\nDTSTART;VALUE=DATE:20260504");
    let gone =
        event("RECURRENCE-ID;VALUE=DATE:20270501\nDTSTART;VALUE=DATE:20270501\nSTATUS:CANCELLED");
    gives(&format!("{master}{moved}{gone}"), &["X 2026-05-04 2026-05-05 (day)"]);
}

#[test]
fn long_lines_and_escaped_names_are_read() {
    let folded = "BEGIN:VEVENT\nUID:2\nSUMMARY:Day of Prayer\\, Repen\n tance\\; and more\nDTSTART;VALUE=DATE:20261118\nEND:VEVENT\n";
    gives(folded, &["Day of Prayer, Repentance; and more 2026-11-18 2026-11-19 (day)"]);
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_the_event() {
    let refused = |lines: &str| read(&event(lines)).expect_err("refused").to_string();
    assert_eq!(
        refused("DTSTART:Christmas"),
        "event `X` of the feed cannot be read: `Christmas` is no date or time"
    );
    assert_eq!(refused("DURATION:P1D"), "event `X` of the feed cannot be read: it has no DTSTART");
    assert!(
        refused("DTSTART:20261225\nDURATION:PT").is_empty()
            || !refused("DTSTART:20261225\nDURATION:1D").is_empty()
    );
    assert!(
        refused("DTSTART:20261225\nRRULE:FREQ=SOMETIMES")
            .contains("its rule `FREQ=SOMETIMES` makes no sense")
    );
    assert!(
        refused("DTSTART:20261225T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY")
            .contains("too many")
    );
    let deep = "BEGIN:VEVENT\n".repeat(9);
    assert!(matches!(read(&deep), Err(FeedError::TooLarge { .. })));
    let dates = "2026-01-01".parse().expect("a date").."2027-01-01".parse().expect("a date");
    assert!(matches!(
        read_feed("<html>", dates, &BundledZones::new()),
        Err(FeedError::Malformed { .. })
    ));
}

#[test]
fn what_is_read_closes_a_calendar() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Christmas Day\nDTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR\n";
    let date = |text: &str| text.parse().expect("a date");
    let zones = BundledZones::new();
    let events = read_feed(text, date("2026-01-01")..date("2030-01-01"), &zones).expect("reads");
    let mut def: CalendarDef = serde_json::from_value(serde_json::json!({
        "zone": "Europe/Berlin", "weekly": {"fri": [["09:00", "17:00"]]}
    }))
    .expect("reads");
    let feed: FeedDef =
        serde_json::from_value(serde_json::json!({"events": events})).expect("reads");
    def.feeds.push(feed);
    assert_eq!(def.check("", &zones), []);
    let calendar = Calendar::compile(&def, &zones).expect("compiles");
    let open =
        calendar.next_open("2026-12-19T00:00:00Z".parse().expect("an instant")).expect("opens");
    assert_eq!(open.to_rfc3339(), "2027-01-01T08:00:00+00:00");
}
