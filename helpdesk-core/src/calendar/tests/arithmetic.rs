//! Adding, subtracting and comparing. Numbers of cases are those of spec/sla.md.

use super::*;
use proptest::prelude::*;

const HOUR: i64 = 3_600;
const FRIDAY_16H: &str = "2026-11-20T16:00:00Z";
const FRIDAY_17H: &str = "2026-11-20T17:00:00Z";
const SATURDAY: &str = "2026-11-21T12:00:00Z";
const MONDAY_9H: &str = "2026-11-23T09:00:00Z";

fn office() -> Calendar {
    calendar(OFFICE)
}

#[track_caller]
fn is(got: Result<DateTime<Utc>, CalendarError>, expected: &str) {
    assert_eq!(got.map(shown), Ok(expected.to_owned()));
}

#[test]
fn case_30_a_target_used_up_at_closing_is_due_then_and_missed_after_the_next_opening() {
    is(office().due_at(at(FRIDAY_16H), HOUR), FRIDAY_17H);
    is(office().breach_at(at(FRIDAY_16H), HOUR), MONDAY_9H);
    is(office().sub_latest(at(MONDAY_9H), HOUR), FRIDAY_16H);
    is(office().sub_earliest(at("2026-11-23T10:00:00Z"), HOUR), FRIDAY_17H);
}

#[test]
fn case_31_no_time_at_all_is_due_at_once_and_missed_from_the_next_opening_on() {
    is(office().due_at(at(SATURDAY), 0), SATURDAY);
    is(office().breach_at(at(SATURDAY), 0), MONDAY_9H);
    is(office().due_at(at(FRIDAY_16H), 0), FRIDAY_16H);
    is(office().breach_at(at(FRIDAY_16H), 0), FRIDAY_16H);
    is(office().sub_latest(at(SATURDAY), 0), SATURDAY);
    is(office().sub_earliest(at(SATURDAY), 0), FRIDAY_17H);
}

#[test]
fn case_32_time_between_reversed_instants_is_negative() {
    assert_eq!(office().elapsed(at(FRIDAY_16H), at(MONDAY_9H)), Ok(HOUR));
    assert_eq!(office().elapsed(at(MONDAY_9H), at(FRIDAY_16H)), Ok(-HOUR));
    let ten_years = (at("2021-11-22T12:00:00Z"), at("2031-11-24T12:00:00Z"));
    let there = office().elapsed(ten_years.0, ten_years.1).expect("in range");
    assert_eq!(office().elapsed(ten_years.1, ten_years.0), Ok(-there));
}

#[test]
fn case_33_a_start_at_opening_or_closing_counts_the_open_side_only() {
    is(office().due_at(at(MONDAY_9H), 1), "2026-11-23T09:00:01Z");
    is(office().due_at(at(FRIDAY_17H), 1), "2026-11-23T09:00:01Z");
    assert_eq!(office().is_open(at(MONDAY_9H)), Ok(true));
    assert_eq!(office().is_open(at(FRIDAY_17H)), Ok(false));
    is(office().next_open(at(MONDAY_9H)), MONDAY_9H);
    is(office().next_open(at(FRIDAY_17H)), MONDAY_9H);
    is(office().next_close(at(FRIDAY_17H)), "2026-11-23T17:00:00Z");
    is(office().next_close(at("2026-11-20T16:59:59Z")), FRIDAY_17H);
    is(office().prev_close(at(FRIDAY_17H)), FRIDAY_17H);
    is(office().prev_close(at(MONDAY_9H)), FRIDAY_17H);
    is(office().prev_close(at("2026-11-23T09:00:01Z")), "2026-11-23T09:00:01Z");
}

#[test]
fn case_34_time_taken_off_and_put_on_again_comes_back() {
    let calendar = office();
    let end = at("2026-11-23T11:30:00Z");
    for seconds in [1, HOUR, 3 * HOUR, 8 * HOUR, 100 * HOUR] {
        let start = calendar.sub_latest(end, seconds).expect("in range");
        is(calendar.due_at(start, seconds), "2026-11-23T11:30:00Z");
    }
    is(calendar.sub_latest(end, 3 * HOUR), "2026-11-20T16:30:00Z");
}

#[test]
fn case_35_more_time_than_there_is_is_an_error_and_neither_wraps_nor_hangs() {
    let calendar = office();
    let start = at(FRIDAY_16H);
    let horizon = Err(CalendarError::Horizon);
    for seconds in [1_000_000 * HOUR, i64::MAX, i64::MAX - 1] {
        assert_eq!(calendar.due_at(start, seconds), horizon);
        assert_eq!(calendar.breach_at(start, seconds), horizon);
        assert_eq!(calendar.sub_latest(start, seconds), horizon);
        assert_eq!(calendar.sub_earliest(start, seconds), horizon);
    }
    is(calendar.due_at(start, i64::MIN), FRIDAY_16H);
    is(calendar.sub_latest(start, i64::MIN), FRIDAY_16H);
    assert_eq!(calendar.breach_at(start, i64::MIN), horizon);
    assert_eq!(calendar.sub_earliest(start, i64::MIN), horizon);
    for far in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, at("1969-12-31T23:59:59Z")] {
        assert_eq!(calendar.elapsed(far, start), Err(CalendarError::Horizon));
        assert_eq!(calendar.elapsed(start, far), Err(CalendarError::Horizon));
        assert_eq!(calendar.due_at(far, 1), horizon);
        assert_eq!(calendar.is_open(far), Err(CalendarError::Horizon));
        assert_eq!(calendar.next_close(far), horizon);
        assert!(calendar.windows(far, start).is_err());
    }
    assert_eq!(calendar.windows(start, at(SATURDAY)).map(|windows| windows.len()), Ok(1));
    assert_eq!(calendar.windows(at(SATURDAY), start), Ok(vec![]));
}

#[test]
fn the_horizon_ends_with_2099_and_its_last_second_counts() {
    let (end, last) = (crate::calendar::HORIZON_END, at("2099-12-31T23:59:59Z"));
    let always = Calendar::always();
    assert_eq!(always.elapsed(last, end), Ok(1));
    assert_eq!(always.elapsed(crate::calendar::HORIZON_START, end), Ok(end.timestamp()));
    assert_eq!(always.due_at(last, 1), Ok(end));
    assert_eq!(always.due_at(last, 2), Err(CalendarError::Horizon));
    assert_eq!(always.breach_at(last, 1), Err(CalendarError::Horizon));
    assert_eq!(
        (always.is_open(last), always.is_open(end)),
        (Ok(true), Err(CalendarError::Horizon))
    );
    assert_eq!(always.deadlines(last, 1), Ok((end, None)));
    assert_eq!(always.sub_earliest(at("1970-01-01T00:00:00Z"), 0), Err(CalendarError::Horizon));
}

#[test]
fn case_58_targets_of_years_and_decades_are_as_exact_as_those_of_hours() {
    let calendar = office();
    // 10,400 working days of 8 hours are 2,080 weeks.
    is(calendar.due_at(at(MONDAY_9H), 10_400 * 8 * HOUR), "2066-10-01T17:00:00Z");
    let (from, to) = (at("1990-01-01T09:00:00Z"), at("2089-12-30T17:00:00Z"));
    let days = (0..=(to - from).num_days()).map(|day| from + chrono::TimeDelta::days(day));
    let n_weekdays =
        days.filter(|day| chrono::Datelike::weekday(day).num_days_from_monday() < 5).count();
    assert_eq!(calendar.elapsed(from, to), Ok(n_weekdays as i64 * 8 * HOUR));
}

#[test]
fn instants_are_cut_to_their_second() {
    let calendar = office();
    let (from, to) = (at("2026-11-20T16:00:00.999Z"), at("2026-11-20T16:00:01.001Z"));
    assert_eq!(calendar.elapsed(from, to), Ok(1));
    is(calendar.due_at(from, 0), FRIDAY_16H);
    assert_eq!(calendar.is_open(at("2026-11-20T16:59:59.999Z")), Ok(true));
}

#[test]
fn time_that_has_run_over_asks_for_the_instant_at_which_it_would_have_been_in_time() {
    let calendar = office();
    is(calendar.breach_at(at("2026-11-23T10:00:00Z"), -2 * HOUR), FRIDAY_16H);
    is(calendar.sub_earliest(at(FRIDAY_16H), -HOUR), FRIDAY_17H);
}

#[test]
fn hours_that_run_over_new_year_between_two_pieces_are_one_stretch() {
    let nights = r#"weekly = { sat = [["22:00", "06:00"]] }"#;
    let calendar = calendar(nights);
    let (from, to) = (at("2033-12-31T22:00:00Z"), at("2034-01-01T06:00:00Z"));
    assert_eq!(
        calendar.windows(at("2033-12-30T00:00:00Z"), at("2034-01-03T00:00:00Z")),
        Ok(vec![(from, to)])
    );
    is(calendar.next_close(from), "2034-01-01T06:00:00Z");
    is(calendar.due_at(from, 3 * HOUR), "2034-01-01T01:00:00Z");
    is(calendar.sub_latest(to, 7 * HOUR), "2033-12-31T23:00:00Z");
    assert_eq!(calendar.elapsed(from, to), Ok(8 * HOUR));
    let until_midnight = r#"weekly = { sat = [["22:00", "24:00"]] }"#;
    is(super::calendar(until_midnight).next_close(from), "2034-01-01T00:00:00Z");
}

proptest! {
    #[test]
    fn both_deadlines_at_once_are_those_asked_for_one_by_one(start in 0_i64..4_102_444_800, seconds in -1_000_i64..100_000_000) {
        let calendar = office();
        let start = DateTime::from_timestamp(start, 0).expect("in range");
        match (calendar.deadlines(start, seconds), calendar.due_at(start, seconds)) {
            (Ok((due, breach)), Ok(expected)) => {
                prop_assert_eq!(due, expected);
                if seconds >= 0 {
                    prop_assert_eq!(breach, calendar.breach_at(start, seconds).ok());
                }
            }
            (got, expected) => prop_assert_eq!(got.is_err(), expected.is_err()),
        }
    }
}
