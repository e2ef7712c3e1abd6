//! Repeated events. Rules are of the wall clock, so they are expanded as if it
//! were universal time; what the clock does then is the calendar's matter.

use super::dates::{Edge, Zoned, clip, edge};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use rrule::{RRule, Tz, Unvalidated};
use std::ops::Range;

/// Occurrences of one rule in the range that is asked for.
const OCCURRENCES_MAX: u16 = 10_000;

/// The occurrences of a rule that start within a range.
pub(super) fn occurrences(
    rule: &str,
    start: &Edge,
    range: &Range<NaiveDateTime>,
) -> Result<Vec<NaiveDateTime>, String> {
    let wrong = |error: String| format!("its rule `{}` makes no sense: {error}", clip(rule));
    let (until, parts): (Vec<&str>, Vec<&str>) =
        rule.split(';').partition(|part| part.to_ascii_uppercase().starts_with("UNTIL="));
    let read: Result<RRule<Unvalidated>, _> = parts.join(";").parse();
    let mut read = read.map_err(|error| wrong(error.to_string()))?;
    if let Some((_, text)) = until.first().and_then(|part| part.split_once('=')) {
        let until = until_of(text, start).map_err(wrong)?;
        if until < start.local {
            return Ok(Vec::new());
        }
        read = read.until(pretend(until));
    }
    let set = read.build(pretend(start.local)).map_err(|error| wrong(error.to_string()))?;
    let last = range.end.checked_sub_signed(TimeDelta::seconds(1)).unwrap_or(range.end);
    let result = set.after(pretend(range.start)).before(pretend(last)).all(OCCURRENCES_MAX);
    if result.limited {
        return Err(wrong("it gives too many occurrences".to_owned()));
    }
    Ok(result.dates.into_iter().map(|date| date.naive_utc()).collect())
}

/// The last time of a rule on the event's own wall clock; a date is all of it.
fn until_of(text: &str, start: &Edge) -> Result<NaiveDateTime, String> {
    let zone = match &start.zoned {
        Zoned::Zone(zone) => Some(zone),
        Zoned::Floating | Zoned::Utc => None,
    };
    let until = edge(text, zone)?;
    if until.is_date {
        return Ok(until.local + TimeDelta::seconds(86_399));
    }
    Ok(start.own(&until))
}

/// A wall time in the clothes of universal time.
fn pretend(local: NaiveDateTime) -> DateTime<Tz> {
    local.and_utc().with_timezone(&Tz::UTC)
}
