//! The days, weeks and months of a range, by a zone's civil dates.

use super::{GroupBy, ReportQuery};
use crate::calendar::start_of_day;
use crate::fault::{Code, Fault};
use crate::limit::{REPORT_BUCKETS_MAX, REPORT_YEARS_MAX};
use chrono::{DateTime, Utc};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// One day, week or month, as far as it lies in the range: half-open, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) key: String,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy)]
enum Period {
    Day,
    Week,
    Month,
}

/// Checks a query and gives its buckets: contiguous and in order, from the
/// query's `from` to its `to`; none where it does not group by time.
pub(super) fn buckets(query: &ReportQuery) -> Result<Vec<Bucket>, Vec<Fault>> {
    let mut faults = Vec::new();
    // Looking a zone up is slow: once a query, never once an event.
    let zone = TimeZone::get(&query.zone).unwrap_or_else(|_| {
        let message = format!("`{}` is no IANA zone like `Europe/Berlin`", query.zone);
        faults.push(Fault::invalid("zone", message));
        TimeZone::UTC
    });
    if query.measures.is_empty() {
        faults.push(Fault::invalid("measures", "name at least one measure"));
    }
    let first = civil_range(query, &zone).unwrap_or_else(|mut found| {
        faults.append(&mut found);
        None
    });
    let (Some(first), true) = (first, faults.is_empty()) else { return Err(faults) };
    let Some(period) = period(query.group_by) else { return Ok(Vec::new()) };
    list(query, period, first, &zone).ok_or_else(|| vec![over_limit(REPORT_BUCKETS_MAX, "rows")])
}

fn over_limit(max: impl std::fmt::Display, of: &str) -> Fault {
    let message = format!("a report covers {max} {of} at most: ask for a shorter range");
    Fault::new("to", Code::OverLimit, message)
}

/// The civil date of `from`, once the range is found to be one.
fn civil_range(query: &ReportQuery, zone: &TimeZone) -> Result<Option<Date>, Vec<Fault>> {
    let beyond = |path| Fault::invalid(path, "lies beyond the year 9999");
    let (from, to) = match (timestamp(query.from), timestamp(query.to)) {
        (Some(from), Some(to)) => (from, to),
        (from, to) => {
            let paths = [("from", from.is_none()), ("to", to.is_none())];
            return Err(paths.into_iter().filter(|p| p.1).map(|p| beyond(p.0)).collect());
        }
    };
    if query.to <= query.from {
        return Err(vec![Fault::invalid("to", "must be later than `from`")]);
    }
    let (from, to) = (zone.to_datetime(from), zone.to_datetime(to));
    // An end beyond the last civil year is none.
    match from.checked_add(Span::new().years(REPORT_YEARS_MAX)) {
        Ok(last) if to > last => Err(vec![over_limit(REPORT_YEARS_MAX, "years")]),
        Ok(_) | Err(_) => Ok(Some(from.date())),
    }
}

fn period(group_by: GroupBy) -> Option<Period> {
    match group_by {
        GroupBy::Day => Some(Period::Day),
        GroupBy::Week => Some(Period::Week),
        GroupBy::Month => Some(Period::Month),
        GroupBy::Channel
        | GroupBy::Group
        | GroupBy::Assignee
        | GroupBy::Priority
        | GroupBy::Type
        | GroupBy::Organization => None,
    }
}

/// The buckets from `from` to `to`; `None` when there are too many.
///
/// A civil day begins at its first instant and ends where the next begins. A day
/// that a zone skipped, such as 2011-12-30 in Samoa, is empty and left out.
fn list(query: &ReportQuery, period: Period, date: Date, zone: &TimeZone) -> Option<Vec<Bucket>> {
    let mut list = Vec::new();
    let mut date = period.first_of(date);
    let mut from = query.from;
    for _ in 0..REPORT_BUCKETS_MAX {
        let next = period.next(date);
        // Without a next one the calendar ends, and `to` is not beyond it.
        let end = next.and_then(|next| start_of_day(next, zone)).unwrap_or(query.to);
        let to = end.min(query.to);
        if to > from {
            list.push(Bucket { key: period.key(date), from, to });
            from = to;
        }
        match next {
            Some(next) if from < query.to => date = next,
            Some(_) | None => return Some(list),
        }
    }
    None
}

impl Period {
    fn first_of(self, date: Date) -> Date {
        match self {
            Self::Day => date,
            Self::Week => {
                let back = Span::new().days(date.weekday().to_monday_zero_offset());
                date.checked_sub(back).unwrap_or(date)
            }
            Self::Month => date.first_of_month(),
        }
    }

    fn next(self, first: Date) -> Option<Date> {
        let step = match self {
            Self::Day => Span::new().days(1),
            Self::Week => Span::new().days(7),
            Self::Month => Span::new().months(1),
        };
        first.checked_add(step).ok()
    }

    fn key(self, first: Date) -> String {
        match self {
            Self::Day => first.to_string(),
            Self::Week => {
                let week = first.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Self::Month => format!("{:04}-{:02}", first.year(), first.month()),
        }
    }
}

fn timestamp(at: DateTime<Utc>) -> Option<Timestamp> {
    // Chrono counts a leap second as nanoseconds from a whole second on.
    let nanos = at.timestamp_subsec_nanos().min(999_999_999);
    Timestamp::new(at.timestamp(), i32::try_from(nanos).ok()?).ok()
}
