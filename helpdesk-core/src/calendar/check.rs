//! What is wrong with a definition, all at once.

use super::hours::LocalSpan;
use super::{
    Calendar, CalendarDef, CalendarError, ClosureDef, FeedDef, FeedEvent, HORIZON_END,
    HORIZON_START, HolidayDate, HolidayDef, LocalTime, Moment, ZoneRules,
};
use crate::fault::{Code, Fault, join_path};
use crate::limit::{
    CALENDAR_CLOSURES_MAX, CALENDAR_FEED_EVENTS_MAX, CALENDAR_FEED_WORDS_MAX, CALENDAR_FEEDS_MAX,
    CALENDAR_HOLIDAYS_MAX, CALENDAR_SPANS_MAX, CALENDAR_SPECIAL_DAYS_MAX, NAME_CHARS_MAX,
};
use chrono::{NaiveDate, NaiveTime};

/// Days between Easter and a feast that hangs on it, either way.
const EASTER_DAYS_MAX: u16 = 200;

impl CalendarDef {
    /// Everything that is wrong with it under these zone rules, with paths
    /// below `path`; nothing when it compiles.
    ///
    /// ```
    /// use helpdesk_core::calendar::{BundledZones, CalendarDef};
    /// let mut def = CalendarDef::new("Europe/Berln");
    /// let faults = def.check("calendars[0]", &BundledZones::new());
    /// assert_eq!(faults[0].path, "calendars[0].zone");
    /// ```
    #[must_use]
    pub fn check(&self, path: &str, zones: &dyn ZoneRules) -> Vec<Fault> {
        let mut faults = self.faults();
        if let Err(error) = zones.zone(&self.zone) {
            faults.insert(0, Fault::invalid("zone", error.to_string()));
        }
        if faults.is_empty()
            && let Err(error @ CalendarError::NeverOpens) = Calendar::compile(self, zones)
        {
            faults.push(Fault::invalid("", error.to_string()));
        }
        faults.into_iter().map(|fault| fault.under(path)).collect()
    }

    /// What is wrong whatever the zone rules.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut check = Check { faults: Vec::new() };
        for (day, spans) in self.weekly.days() {
            check.spans(&format!("weekly.{day}"), spans);
        }
        if check.count("special_days", self.special_days.len(), CALENDAR_SPECIAL_DAYS_MAX) {
            for (date, spans) in &self.special_days {
                let path = format!("special_days.{date}");
                check.date(&path, *date);
                check.spans(&path, spans);
            }
        }
        if check.count("holidays", self.holidays.len(), CALENDAR_HOLIDAYS_MAX) {
            for (i, holiday) in self.holidays.iter().enumerate() {
                check.holiday(&format!("holidays[{i}]"), holiday);
            }
        }
        check.feeds(&self.feeds);
        if check.count("closures", self.closures.len(), CALENDAR_CLOSURES_MAX) {
            for (i, closure) in self.closures.iter().enumerate() {
                check.closure(&format!("closures[{i}]"), closure);
            }
        }
        check.faults
    }
}

/// Collects faults.
struct Check {
    faults: Vec<Fault>,
}

impl Check {
    fn invalid(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault::invalid(path, message));
    }

    /// Whether there are few enough; otherwise that is the only fault told.
    fn count(&mut self, path: &str, n: usize, max: usize) -> bool {
        if n > max {
            let message = format!("{n} entries, at most {max}");
            self.faults.push(Fault::new(path, Code::OverLimit, message));
        }
        n <= max
    }

    fn name(&mut self, path: &str, name: &str) {
        let n = name.chars().count();
        if n > NAME_CHARS_MAX {
            let message = format!("{n} chars, at most {NAME_CHARS_MAX}");
            self.faults.push(Fault::new(join_path(path, "name"), Code::OverLimit, message));
        }
    }

    fn spans(&mut self, path: &str, spans: &[LocalSpan]) {
        if !self.count(path, spans.len(), CALENDAR_SPANS_MAX) {
            return;
        }
        for (i, span) in spans.iter().enumerate() {
            if span.open == LocalTime::DAY_END {
                let message = "24:00 ends a day: open at 00:00 of the next one";
                self.invalid(format!("{path}[{i}]"), message);
            }
        }
    }

    /// Dates that no calendar covers are slips of the pen.
    fn date(&mut self, path: &str, date: NaiveDate) {
        let (first, end) = (HORIZON_START.date_naive(), HORIZON_END.date_naive());
        if date < first || date >= end {
            self.invalid(path, format!("{date}: calendars cover 1970-01-01 to 2099-12-31"));
        }
    }

    fn holiday(&mut self, path: &str, holiday: &HolidayDef) {
        self.name(path, &holiday.name);
        self.spans(&join_path(path, "hours"), &holiday.hours);
        let on = join_path(path, "on");
        match holiday.on {
            HolidayDate::Date(date) => self.date(&on, date),
            HolidayDate::Yearly(_) => {}
            HolidayDate::Easter { easter: days }
            | HolidayDate::OrthodoxEaster { orthodox_easter: days } => {
                if days.unsigned_abs() > EASTER_DAYS_MAX {
                    self.invalid(on, format!("takes {EASTER_DAYS_MAX} days at most; found {days}"));
                }
            }
            HolidayDate::Nth { nth, month, .. } => {
                if !(1..=5).contains(&nth.unsigned_abs()) {
                    let message = format!("takes 1 to 5, or -1 to -5 from the end; found {nth}");
                    self.invalid(join_path(&on, "nth"), message);
                }
                if !(1..=12).contains(&month) {
                    self.invalid(join_path(&on, "month"), format!("takes 1 to 12; found {month}"));
                }
            }
        }
        if let Some(until) = holiday.until {
            self.until(&join_path(path, "until"), holiday, until);
        }
    }

    fn until(&mut self, path: &str, holiday: &HolidayDef, until: NaiveDate) {
        self.date(path, until);
        match holiday.on {
            HolidayDate::Date(date) if until < date => {
                self.invalid(path, format!("{until} is before {date}: swap them"));
            }
            HolidayDate::Date(_) => {}
            _ => self.invalid(path, "only a listed date has a last day: list the days of a rule"),
        }
        if !holiday.hours.is_empty() || holiday.observed != super::Observed::SameDay {
            self.invalid(path, "several days have neither `hours` nor `observed`: list them");
        }
    }

    fn feeds(&mut self, feeds: &[FeedDef]) {
        let n_events = feeds.iter().map(|feed| feed.events.len()).sum();
        let few = self.count("feeds", feeds.len(), CALENDAR_FEEDS_MAX);
        // The limit is that of all feeds together.
        if !few || !self.count("feeds", n_events, CALENDAR_FEED_EVENTS_MAX) {
            return;
        }
        for (i, feed) in feeds.iter().enumerate() {
            let path = format!("feeds[{i}]");
            self.name(&path, &feed.name);
            for (words, list) in [("only", &feed.only), ("except", &feed.except)] {
                let path = join_path(&path, words);
                if self.count(&path, list.len(), CALENDAR_FEED_WORDS_MAX)
                    && let Some(i) = list.iter().position(|word| word.trim().is_empty())
                {
                    self.invalid(format!("{path}[{i}]"), "is empty: give a part of a name");
                }
            }
            for (n, event) in feed.events.iter().enumerate() {
                self.event(&format!("{path}.events[{n}]"), event);
            }
        }
    }

    fn event(&mut self, path: &str, event: &FeedEvent) {
        self.name(path, &event.name);
        self.order(path, event.from, event.to);
        let is_date = |moment| matches!(moment, Moment::Local(at) if at.time() == NaiveTime::MIN);
        if event.all_day && !(is_date(event.from) && is_date(event.to)) {
            self.invalid(path, "an event of whole days begins and ends with dates");
        }
    }

    fn closure(&mut self, path: &str, closure: &ClosureDef) {
        self.name(path, &closure.name);
        self.order(path, closure.from, closure.to);
    }

    /// Local times and instants are only compared among themselves.
    fn order(&mut self, path: &str, from: Moment, to: Moment) {
        let is_ordered = match (from, to) {
            (Moment::Local(from), Moment::Local(to)) => from < to,
            (Moment::Instant(from), Moment::Instant(to)) => from < to,
            _ => true,
        };
        if !is_ordered {
            self.invalid(join_path(path, "to"), format!("{to} is not after {from}: swap them"));
        }
    }
}
