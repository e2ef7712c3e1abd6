//! Calendars with more hours in a day, or fewer in a week, than most have; and
//! every day of the horizon.

use super::*;
use crate::calendar::HORIZON_END;
use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, Weekday};
use std::fmt::Write as _;

type Windows = Vec<(DateTime<Utc>, DateTime<Utc>)>;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The open stretches of some days, by the minutes of each.
fn windows(from: &str, to: &str, open: impl Fn(NaiveDate) -> Vec<(i64, i64)>) -> Windows {
    let mut windows: Windows = Vec::new();
    let (from, to) = (day(from), day(to));
    for day in from.iter_days().take_while(|day| *day < to) {
        for (opens, closes) in open(day) {
            let at = |minutes| midnight(day) + TimeDelta::minutes(minutes);
            match windows.last_mut() {
                Some(last) if last.1 == at(opens) => last.1 = at(closes),
                _ => windows.push((at(opens), at(closes))),
            }
        }
    }
    windows
}

/// Whatever is asked about the edges of each window and its middle is as a walk
/// over the windows says.
#[track_caller]
fn agrees(calendar: &Calendar, from: &str, to: &str, expected: &Windows) {
    let (from, to) = (midnight(day(from)), midnight(day(to)));
    assert_eq!(calendar.windows(from, to).as_ref(), Ok(expected));
    let mut cum = 0;
    let mut closed_at = from;
    for &(opens, closes) in expected {
        let length = (closes - opens).num_seconds();
        let middle = length / 2;
        assert_eq!(calendar.elapsed(from, opens), Ok(cum), "until {opens}");
        let inside = opens + TimeDelta::seconds(middle);
        assert_eq!(calendar.elapsed(from, inside), Ok(cum + middle), "until {inside}");
        assert_eq!(calendar.due_at(from, cum), Ok(closed_at), "due after {cum}");
        assert_eq!(calendar.breach_at(from, cum), Ok(opens), "missed after {cum}");
        let ends = (closed_at, Some(opens));
        assert_eq!(calendar.deadlines(from, cum), Ok(ends), "both after {cum}");
        assert_eq!(calendar.due_at(from, cum + middle), Ok(inside), "due inside");
        let ends = (inside, Some(inside));
        assert_eq!(calendar.deadlines(from, cum + middle), Ok(ends), "both inside");
        assert_eq!(calendar.next_close(inside), Ok(closes));
        (cum, closed_at) = (cum + length, closes);
    }
}

/// A quarter of each hour.
fn quarters() -> Vec<(i64, i64)> {
    (0..24).map(|hour| (60 * hour + 10, 60 * hour + 25)).collect()
}

#[test]
fn a_day_of_many_short_spells_counts_each() {
    let spans = quarters().into_iter().map(|(from, to)| {
        let time = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        format!("[\"{}\", \"{}\"]", time(from), time(to))
    });
    let spans = spans.collect::<Vec<_>>().join(", ");
    let hours = "[[\"09:00\", \"12:00\"], [\"13:00\", \"18:00\"]]";
    let toml = format!("zone = \"UTC\"\n[weekly]\nmon = [{spans}]\nwed = {hours}\n");
    let expected = windows("2026-01-01", "2027-01-01", |day| match day.weekday() {
        Weekday::Mon => quarters(),
        Weekday::Wed => vec![(540, 720), (780, 1_080)],
        _ => Vec::new(),
    });
    agrees(&calendar(&toml), "2026-01-01", "2027-01-01", &expected);
}

#[test]
fn weeks_of_a_minute_count_beside_weeks_without_a_break() {
    let busy = |date: NaiveDate| (day("2029-03-01")..day("2029-07-01")).contains(&date);
    let mut toml =
        "zone = \"UTC\"\n[weekly]\nmon = [[\"09:00\", \"09:01\"]]\n[special_days]\n".to_owned();
    for date in day("2029-03-01").iter_days().take_while(|date| busy(*date)) {
        writeln!(toml, "{date} = [[\"00:00\", \"24:00\"]]").expect("a string takes all");
    }
    let expected = windows("2026-01-01", "2034-01-01", |day| match day.weekday() {
        _ if busy(day) => vec![(0, 1_440)],
        Weekday::Mon => vec![(540, 541)],
        _ => Vec::new(),
    });
    agrees(&calendar(&toml), "2026-01-01", "2034-01-01", &expected);
}

#[test]
fn long_closings_are_passed_to_the_next_opening() {
    // A few weeks a year, and two years without any; over three pieces.
    let is_open = |day: NaiveDate| day.month() == 5 && !(2030..2032).contains(&day.year());
    let mut toml = "zone = \"UTC\"\n[weekly]\n[special_days]\n".to_owned();
    for date in day("2018-01-01").iter_days().take_while(|date| date.year() < 2042) {
        if is_open(date) {
            writeln!(toml, "{date} = [[\"08:30\", \"17:00\"]]").expect("a string takes all");
        }
    }
    let open = |day| if is_open(day) { vec![(510, 1_020)] } else { Vec::new() };
    let expected = windows("2018-01-01", "2042-01-01", open);
    agrees(&calendar(&toml), "2018-01-01", "2042-01-01", &expected);
}

#[test]
fn every_day_of_the_horizon_is_read_and_given_back() {
    let always = Calendar::always();
    let end = day("2100-01-01");
    for date in day("1970-01-01").iter_days().take_while(|date| *date < end) {
        let first = midnight(date);
        let last = first + TimeDelta::seconds(86_399);
        assert_eq!(always.breach_at(first, 0), Ok(first));
        assert_eq!(always.breach_at(last, 0), Ok(last));
        assert_eq!(always.due_at(last, 1), Ok(last + TimeDelta::seconds(1)));
        assert_eq!(always.elapsed(DateTime::UNIX_EPOCH, first), Ok(first.timestamp()));
    }
    let seconds = midnight(end).timestamp();
    assert_eq!(always.elapsed(DateTime::UNIX_EPOCH, midnight(end)), Ok(seconds));
    assert_eq!(always.elapsed(midnight(end), DateTime::UNIX_EPOCH), Ok(-seconds));
}

#[test]
fn what_lies_beyond_the_horizon_is_refused_however_far() {
    let always = Calendar::always();
    let beyond = ["1969-12-31T23:59:59.999Z", "2100-01-01T00:00:01Z", "2100-12-31T00:00:00Z"];
    let beyond = beyond.map(at).into_iter();
    for at in beyond.chain([DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC]) {
        assert_eq!(always.due_at(at, 0), Err(CalendarError::Horizon), "{at}");
        assert_eq!(always.elapsed(at, at), Err(CalendarError::Horizon), "{at}");
        assert_eq!(always.is_open(at), Err(CalendarError::Horizon), "{at}");
    }
    let start = at("2026-01-01T00:00:00Z");
    let piece = i64::from(8 * 365 + 2) * 86_400;
    let end = HORIZON_END.timestamp();
    let near = [end, 4_294_967_295].into_iter();
    let near = near.flat_map(|n| (0..5).map(move |k| n + k * piece + 60));
    let far = [i64::MAX, i64::MAX - start.timestamp(), i64::MAX - piece, 1 << 40];
    for seconds in near.chain(far) {
        // A new one each time, of which one piece is compiled.
        let always = Calendar::always();
        assert_eq!(always.due_at(start, 1), Ok(start + TimeDelta::seconds(1)));
        assert_eq!(always.due_at(start, seconds), Err(CalendarError::Horizon), "{seconds}");
        assert_eq!(always.sub_latest(start, seconds), Err(CalendarError::Horizon), "{seconds}");
        assert_eq!(always.breach_at(start, -seconds), Err(CalendarError::Horizon), "{seconds}");
    }
}
