//! Hours of days and weeks. Numbers of cases are those of spec/sla.md.

use super::*;

/// One week in UTC, from Monday, 16 to Monday, 23 November 2026.
#[track_caller]
fn week(toml: &str, expected: &[&str]) {
    opens(toml, "2026-11-16", "2026-11-23", expected);
}

#[test]
fn case_16_a_week_without_hours_opens_on_special_days_only() {
    assert_eq!(compile("zone = \"UTC\"").expect_err("empty"), CalendarError::NeverOpens);
    let once = "special_days = { 2026-11-18 = [[\"09:00\", \"17:00\"]] }";
    week(once, &["2026-11-18T09:00:00Z 2026-11-18T17:00:00Z"]);
    let later = calendar(once).next_open(at("2026-11-19T00:00:00Z"));
    assert_eq!(later, Err(CalendarError::Horizon));
}

#[test]
fn case_17_a_calendar_whose_every_day_is_a_holiday_is_refused() {
    let toml = format!("holidays = [{{ on = \"1970-01-01\", until = \"2099-12-31\" }}]\n{OFFICE}");
    assert_eq!(compile(&toml).expect_err("closed"), CalendarError::NeverOpens);
    let closed = "closures = [{ from = \"1970-01-01\", to = \"2100-01-02\" }]";
    let toml = format!("{closed}\n{OFFICE}");
    assert_eq!(compile(&toml).expect_err("closed"), CalendarError::NeverOpens);
}

#[test]
fn case_18_around_the_clock_working_time_is_elapsed_time() {
    let always = Calendar::always();
    let (from, to) = (at("2026-03-28T23:59:59Z"), at("2031-10-26T00:00:01Z"));
    assert_eq!(always.elapsed(from, to), Ok((to - from).num_seconds()));
    assert_eq!(always.due_at(from, (to - from).num_seconds()), Ok(to));
    assert_eq!(always.windows(from, to), Ok(vec![(from, to)]));
    assert_eq!(always.next_close(from), Err(CalendarError::Horizon));
}

#[test]
fn case_19_midnight_as_an_end_leaves_no_seam_and_a_minute_before_does() {
    let whole = r#"weekly = { sat = [["20:00", "24:00"]], sun = [["00:00", "24:00"]] }"#;
    week(whole, &["2026-11-21T20:00:00Z 2026-11-23T00:00:00Z"]);
    let (from, to) = ("2026-11-22", "2026-11-24");
    let wrap = r#"weekly = { sun = [["00:00", "24:00"]], mon = [["00:00", "12:00"]] }"#;
    opens(wrap, from, to, &["2026-11-22T00:00:00Z 2026-11-23T12:00:00Z"]);
    let typed = r#"weekly = { sun = [["00:00", "23:59"]], mon = [["00:00", "12:00"]] }"#;
    let expected =
        &["2026-11-22T00:00:00Z 2026-11-22T23:59:00Z", "2026-11-23T00:00:00Z 2026-11-23T12:00:00Z"];
    opens(typed, from, to, expected);
}

#[test]
fn case_20_a_night_shift_belongs_to_the_day_on_which_it_starts() {
    let nights = r#"weekly = { sun = [["22:00", "06:00"]], tue = [["22:00", "06:00"]] }"#;
    let tuesday = "2026-11-17T22:00:00Z 2026-11-18T06:00:00Z";
    let sunday =
        ["2026-11-16T00:00:00Z 2026-11-16T06:00:00Z", "2026-11-22T22:00:00Z 2026-11-23T00:00:00Z"];
    week(nights, &[sunday[0], tuesday, sunday[1]]);
    let on_its_day = format!("holidays = [{{ on = \"2026-11-17\" }}]\n{nights}");
    week(&on_its_day, &sunday);
    let on_the_next = format!("holidays = [{{ on = \"2026-11-18\" }}]\n{nights}");
    week(&on_the_next, &[sunday[0], tuesday, sunday[1]]);
}

#[test]
fn case_21_hours_that_end_when_they_start_are_24() {
    week(
        r#"weekly = { wed = [["08:00", "08:00"]] }"#,
        &["2026-11-18T08:00:00Z 2026-11-19T08:00:00Z"],
    );
    week(
        r#"weekly = { wed = [["00:00", "00:00"]] }"#,
        &["2026-11-18T00:00:00Z 2026-11-19T00:00:00Z"],
    );
}

#[test]
fn case_22_hours_that_overlap_or_touch_count_once() {
    let toml = r#"weekly = { wed = [["12:00", "17:00"], ["09:00", "13:00"], ["17:00", "18:00"], ["10:00", "11:00"]] }"#;
    week(toml, &["2026-11-18T09:00:00Z 2026-11-18T18:00:00Z"]);
    let into_next_day = r#"weekly = { wed = [["20:00", "10:00"]], thu = [["09:00", "12:00"]] }"#;
    week(into_next_day, &["2026-11-18T20:00:00Z 2026-11-19T12:00:00Z"]);
}

#[test]
fn case_23_a_special_day_beats_a_holiday_and_a_holiday_listed_twice_is_one() {
    let toml = r#"
        holidays = [
            { on = "2026-11-18" }, { on = "11-18" }, { on = "2026-11-17", until = "2026-11-19" },
            { on = "2026-11-22", name = "a Sunday" },
        ]
        weekly = { wed = [["09:00", "17:00"]], fri = [["09:00", "17:00"]] }
        special_days = { 2026-11-18 = [["10:00", "12:00"]], 2026-11-20 = [] }
    "#;
    week(toml, &["2026-11-18T10:00:00Z 2026-11-18T12:00:00Z"]);
}

#[test]
fn case_24_a_holiday_is_a_date_of_the_calendars_zone() {
    // 18 November in Auckland, 13 hours ahead.
    let toml =
        format!("zone = \"Pacific/Auckland\"\nholidays = [{{ on = \"2026-11-18\" }}]\n{OFFICE}");
    let calendar = calendar(&toml);
    let from_tokyo = at("2026-11-18T04:00:00+09:00");
    assert_eq!(calendar.is_open(from_tokyo), Ok(false));
    assert_eq!(shown(calendar.next_open(from_tokyo).expect("opens")), "2026-11-18T20:00:00Z");
    assert_eq!(calendar.is_open(at("2026-11-16T22:00:00-05:00")), Ok(true));
}

#[test]
fn case_25_hours_may_be_to_the_second() {
    let toml = r#"weekly = { wed = [["09:00:30", "09:00:45"]] }"#;
    opens(toml, "2026-11-18", "2026-11-19", &["2026-11-18T09:00:30Z 2026-11-18T09:00:45Z"]);
}

#[test]
fn case_26_a_closure_takes_out_what_it_covers_of_any_hours() {
    let closed = |from: &str, to: &str| {
        format!(
            "closures = [{{ from = \"{from}\", to = \"{to}\" }}]\n\
             weekly = {{ wed = [[\"09:00\", \"12:00\"], [\"13:00\", \"17:00\"]] }}"
        )
    };
    let (morning, afternoon) =
        ("2026-11-18T09:00:00Z 2026-11-18T12:00:00Z", "2026-11-18T13:00:00Z 2026-11-18T17:00:00Z");
    week(&closed("2026-11-18T07:00", "2026-11-18T09:00"), &[morning, afternoon]);
    week(&closed("2026-11-18T12:00", "2026-11-18T13:00"), &[morning, afternoon]);
    let part = "2026-11-18T10:00:00Z 2026-11-18T12:00:00Z";
    week(&closed("2026-11-18T08:00", "2026-11-18T10:00"), &[part, afternoon]);
    let (first, last) =
        ("2026-11-18T09:00:00Z 2026-11-18T11:00:00Z", "2026-11-18T14:00:00Z 2026-11-18T17:00:00Z");
    week(&closed("2026-11-18T11:00", "2026-11-18T14:00:00Z"), &[first, last]);
    week(&closed("2026-11-18T08:00Z", "2026-11-18T12:00+00:00"), &[afternoon]);
    week(&closed("2026-11-18", "2026-11-19"), &[]);
    let middle = "2026-11-18T09:00:00Z 2026-11-18T10:00:00Z";
    let rest = "2026-11-18T10:00:01Z 2026-11-18T12:00:00Z";
    let second = closed("2026-11-18T10:00:00Z", "2026-11-18T10:00:01Z");
    opens(&second, "2026-11-18", "2026-11-19", &[middle, rest, afternoon]);
}

#[test]
fn case_27_a_week_starts_when_the_calendars_monday_does() {
    let monday =
        |zone: &str| format!("zone = \"{zone}\"\n[weekly]\nmon = [[\"00:00\", \"01:00\"]]");
    week(&monday("Etc/GMT+12"), &["2026-11-16T12:00:00Z 2026-11-16T13:00:00Z"]);
    let expected = &["2026-11-15T10:00:00Z 2026-11-15T11:00:00Z"];
    opens(&monday("Pacific/Kiritimati"), "2026-11-14", "2026-11-18", expected);
}

#[test]
fn case_29_a_customers_calendar_and_the_teams_answer_each_for_itself() {
    let team = calendar(&format!("zone = \"Europe/Berlin\"\n{OFFICE}"));
    let customer = calendar(&format!("zone = \"America/New_York\"\n{OFFICE}"));
    let (from, to) = (at("2026-11-18T13:00:00Z"), at("2026-11-18T18:00:00Z"));
    assert_eq!(
        (team.elapsed(from, to), customer.elapsed(from, to)),
        (Ok(3 * 3_600), Ok(4 * 3_600))
    );
}
