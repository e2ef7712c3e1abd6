//! Working time the slow way: every minute or second is asked whether it is open.
//!
//! It shares nothing with the compiled form but the definition. What the wall
//! clock reads comes from jiff; an edge at local time X has passed as soon as
//! the clock has ever read X or later.

use crate::calendar::{CalendarDef, HolidayDate, LocalSpan, Moment};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(super) struct Oracle {
    start: i64,
    step: i64,
    open: Vec<bool>,
}

impl Oracle {
    /// Reads the clock from one instant until another, every `step` seconds.
    pub(super) fn new(
        def: &CalendarDef,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        step: i64,
    ) -> Self {
        let zone = TimeZone::get(&def.zone).expect("a zone");
        let wall = |at: i64| {
            let offset = zone.to_offset(Timestamp::from_second(at).expect("in range")).seconds();
            at + i64::from(offset)
        };
        let (start, end) = (from.timestamp(), to.timestamp());
        let mut latest = i64::MIN;
        let mut open = Vec::new();
        // Two days of running up: by then the clock has read all that it will
        // skip back to.
        let mut at = start - 172_800;
        while at < end {
            latest = latest.max(wall(at));
            if at >= start {
                let local = DateTime::from_timestamp(latest, 0).expect("in range").naive_utc();
                open.push(is_open(def, local, at));
            }
            at += step;
        }
        Self { start, step, open }
    }

    /// The open stretches.
    pub(super) fn windows(&self) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut windows: Vec<(i64, i64)> = Vec::new();
        for (i, _) in self.open.iter().enumerate().filter(|(_, open)| **open) {
            let from = self.start + i as i64 * self.step;
            match windows.last_mut() {
                Some(last) if last.1 == from => last.1 += self.step,
                _ => windows.push((from, from + self.step)),
            }
        }
        let instant = |at| DateTime::from_timestamp(at, 0).expect("in range");
        windows.into_iter().map(|(from, to)| (instant(from), instant(to))).collect()
    }

    /// Working seconds between two instants on steps.
    pub(super) fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        let index = |at: DateTime<Utc>| ((at.timestamp() - self.start) / self.step) as usize;
        let open = &self.open[index(from)..index(to)];
        open.iter().filter(|open| **open).count() as i64 * self.step
    }
}

/// Whether a calendar is open when the latest that its clock has read is `local`.
fn is_open(def: &CalendarDef, local: NaiveDateTime, at: i64) -> bool {
    let is_closed = def
        .closures
        .iter()
        .any(|closure| passed(closure.from, local, at) && !passed(closure.to, local, at));
    let days = [local.date(), local.date() - Days::new(1)];
    !is_closed && days.iter().any(|date| is_open_by(def, *date, local))
}

fn passed(moment: Moment, local: NaiveDateTime, at: i64) -> bool {
    match moment {
        Moment::Local(edge) => edge <= local,
        Moment::Instant(edge) => edge.timestamp() <= at,
    }
}

/// Whether the hours of one date cover a local time of it or of the next.
fn is_open_by(def: &CalendarDef, date: NaiveDate, local: NaiveDateTime) -> bool {
    if let Some(spans) = def.special_days.get(&date) {
        return covers(spans, date, local);
    }
    let holidays = def.holidays.iter().filter(|holiday| match holiday.on {
        HolidayDate::Date(first) => match holiday.until {
            Some(until) => first <= date && date <= until,
            None => holiday.observed.of(first) == date,
        },
        _ => (-1..=1).any(|year| {
            let on = holiday.on.in_year(date.year() + year);
            on.is_some_and(|on| holiday.observed.of(on) == date)
        }),
    });
    let weekday = date.weekday().num_days_from_monday() as usize;
    let is_off = |hours: &[LocalSpan]| hours.is_empty() || covers(hours, date, local);
    covers(def.weekly.days()[weekday].1, date, local)
        && !holidays.into_iter().any(|holiday| is_off(&holiday.hours))
}

fn covers(spans: &[LocalSpan], date: NaiveDate, local: NaiveDateTime) -> bool {
    let midnight = date.and_hms_opt(0, 0, 0).expect("midnight");
    let time = |seconds: u32| midnight + TimeDelta::seconds(i64::from(seconds));
    spans.iter().any(|span| {
        let mut close = span.close.seconds();
        if close <= span.open.seconds() {
            close += 86_400;
        }
        time(span.open.seconds()) <= local && local < time(close)
    })
}
