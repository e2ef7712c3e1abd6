//! Other ways to answer the questions of working time, behind one trait; and
//! [`engines`] of rules.

pub mod engines;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use compact_calendar::CompactCalendar;
use helpdesk::core::calendar::{BundledZones, Calendar, CalendarDef, HolidayDate, LocalSpan};
use jiff::{SignedDuration, Timestamp};
use opening_hours::localization::TzLocation;
use opening_hours::{Context, ContextHolidays, OpeningHours};
use std::collections::HashSet;
use std::sync::Arc;

/// Answers both questions, in seconds.
pub trait WorkingTime {
    /// The earliest instant at which so much working time has passed.
    fn due_at(&self, start: DateTime<Utc>, seconds: i64) -> i64;
    /// Working time from one instant until a later one.
    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64;
}

/// All of them by name, for one definition with the same hours from Monday to
/// Friday and listed holidays.
pub fn all(def: &CalendarDef) -> Vec<(&'static str, Box<dyn WorkingTime>)> {
    vec![
        ("helpdesk", Box::new(Calendar::compile(def, &BundledZones::new()).expect("compiles"))),
        ("ule-hours", Box::new(ule_hours(def))),
        ("workclock", Box::new(workclock(def))),
        ("opening-hours", Box::new(Osm::new(def))),
        ("chrono-day-walk", Box::new(DayWalk::new(def))),
    ]
}

impl WorkingTime for Calendar {
    fn due_at(&self, start: DateTime<Utc>, seconds: i64) -> i64 {
        Calendar::due_at(self, start, seconds).expect("in range").timestamp()
    }

    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        Calendar::elapsed(self, from, to).expect("in range")
    }
}

fn holidays(def: &CalendarDef) -> impl Iterator<Item = NaiveDate> {
    def.holidays.iter().filter_map(|holiday| match holiday.on {
        HolidayDate::Date(date) => Some(date),
        _ => None,
    })
}

fn civil(date: NaiveDate) -> jiff::civil::Date {
    jiff::civil::date(date.year() as i16, date.month() as i8, date.day() as i8)
}

fn stamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_second(at.timestamp()).expect("in range")
}

/// `09:00-12:00, 13:00-18:00`.
fn windows(def: &CalendarDef, between: &str) -> String {
    let spans = def.weekly.mon.iter().map(|span| format!("{}-{}", span.open, span.close));
    spans.collect::<Vec<_>>().join(between)
}

fn ule_hours(def: &CalendarDef) -> ule_hours::Schedule {
    let builder = ule_hours::Schedule::builder(&def.zone).expect("a zone");
    let builder = builder.mon_fri(&windows(def, ", ")).expect("hours").horizon_days(40_000);
    holidays(def).fold(builder, |builder, date| builder.closed_on(civil(date))).build()
}

impl WorkingTime for ule_hours::Schedule {
    fn due_at(&self, start: DateTime<Utc>, seconds: i64) -> i64 {
        let due = self.add(stamp(start), SignedDuration::from_secs(seconds));
        due.expect("in range").as_second()
    }

    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        self.between(stamp(from), stamp(to)).as_secs()
    }
}

fn workclock(def: &CalendarDef) -> workclock::Schedule {
    let time = |time: helpdesk::core::calendar::LocalTime| {
        let seconds = time.seconds();
        jiff::civil::time((seconds / 3_600) as i8, (seconds / 60 % 60) as i8, 0, 0)
    };
    let days = workclock::Weekdays::MON_TO_FRI;
    let builder = workclock::Schedule::builder().time_zone(def.zone.clone());
    let builder = def.weekly.mon.iter().fold(builder, |builder, span| {
        builder.rule(workclock::WorkDay::new(time(span.open), time(span.close), days))
    });
    builder.rule(workclock::Holidays::new(holidays(def).map(civil))).build().expect("builds")
}

impl WorkingTime for workclock::Schedule {
    fn due_at(&self, start: DateTime<Utc>, seconds: i64) -> i64 {
        let due = self.add(stamp(start), SignedDuration::from_secs(seconds));
        due.expect("in range").as_second()
    }

    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        self.between(stamp(from), stamp(to)).as_secs()
    }
}

/// OpenStreetMap's hours, whose intervals are summed by hand.
struct Osm {
    hours: OpeningHours<TzLocation<Tz>>,
    zone: Tz,
}

impl Osm {
    fn new(def: &CalendarDef) -> Self {
        let zone: Tz = def.zone.parse().expect("a zone");
        let mut public = CompactCalendar::default();
        holidays(def).for_each(|date| {
            public.insert(date);
        });
        let days = ContextHolidays::new(Arc::new(public), Arc::default());
        let context = Context::default().with_holidays(days).with_locale(TzLocation::new(zone));
        let text = format!("Mo-Fr {}; PH off", windows(def, ","));
        let hours = text.parse::<OpeningHours>().expect("hours").with_context(context);
        Self { hours, zone }
    }

    fn open(
        &self,
        range: impl Iterator<Item = (DateTime<Tz>, DateTime<Tz>, bool)>,
    ) -> impl Iterator<Item = (i64, i64)> {
        range.filter(|(_, _, open)| *open).map(|(from, to, _)| (from.timestamp(), to.timestamp()))
    }
}

impl WorkingTime for Osm {
    fn due_at(&self, start: DateTime<Utc>, seconds: i64) -> i64 {
        let from = start.with_timezone(&self.zone);
        let ranges = self.hours.iter_from(from);
        let mut left = seconds;
        for (from, to) in self.open(
            ranges.map(|r| (r.range.start, r.range.end, r.kind == opening_hours::RuleKind::Open)),
        ) {
            if to - from >= left {
                return from + left;
            }
            left -= to - from;
        }
        panic!("never due")
    }

    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        let (from, to) = (from.with_timezone(&self.zone), to.with_timezone(&self.zone));
        let ranges = self.hours.iter_range(from, to);
        self.open(
            ranges.map(|r| (r.range.start, r.range.end, r.kind == opening_hours::RuleKind::Open)),
        )
        .map(|(from, to)| to - from)
        .sum()
    }
}

/// Day by day over local dates.
struct DayWalk {
    zone: Tz,
    spans: Vec<LocalSpan>,
    holidays: HashSet<NaiveDate>,
}

impl DayWalk {
    fn new(def: &CalendarDef) -> Self {
        let zone = def.zone.parse().expect("a zone");
        Self { zone, spans: def.weekly.mon.clone(), holidays: holidays(def).collect() }
    }

    /// The hours of a date, in seconds of universal time.
    fn hours(&self, date: NaiveDate) -> impl Iterator<Item = (i64, i64)> {
        let is_open = date.weekday().num_days_from_monday() < 5 && !self.holidays.contains(&date);
        let spans = self.spans.iter().filter(move |_| is_open);
        spans.map(move |span| {
            let at = |seconds: u32| {
                let local = date.and_time(NaiveTime::MIN) + TimeDelta::seconds(i64::from(seconds));
                self.zone.from_local_datetime(&local).earliest().expect("no gap").timestamp()
            };
            (at(span.open.seconds()), at(span.close.seconds()))
        })
    }
}

impl WorkingTime for DayWalk {
    fn due_at(&self, start: DateTime<Utc>, seconds: i64) -> i64 {
        let mut date = start.with_timezone(&self.zone).date_naive();
        let (start, mut left) = (start.timestamp(), seconds);
        loop {
            for (from, to) in self.hours(date) {
                let from = from.max(start);
                if from < to && to - from >= left {
                    return from + left;
                }
                left -= (to - from).max(0);
            }
            date = date + Days::new(1);
        }
    }

    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        let mut date = from.with_timezone(&self.zone).date_naive();
        let last = to.with_timezone(&self.zone).date_naive();
        let (start, end) = (from.timestamp(), to.timestamp());
        let mut sum = 0;
        while date <= last {
            for (from, to) in self.hours(date) {
                sum += (to.min(end) - from.max(start)).max(0);
            }
            date = date + Days::new(1);
        }
        sum
    }
}
