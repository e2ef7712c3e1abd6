//! A calendar as people write it.

use super::{HolidayDef, LocalSpan, Moment, WeeklyHours};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When a team works.
///
/// A special day stands before a holiday, a holiday before the weekly hours;
/// closures are taken out of what remains. Dates are those of the calendar's
/// zone. Spans that overlap or touch are one.
///
/// ```
/// use helpdesk_core::calendar::CalendarDef;
/// let def: CalendarDef = toml::from_str(r#"
///     zone = "Europe/Berlin"
///     holidays = [{ on = "12-25" }, { on = { easter = 1 }, name = "Easter Monday" }]
///     closures = [{ from = "2026-07-01T12:00", to = "2026-07-02", name = "Summer party" }]
///     [weekly]
///     mon = [["09:00", "12:30"], ["13:30", "17:00"]]
///     fri = [["22:00", "06:00"]]
///     [special_days]
///     2026-12-24 = [["09:00", "12:00"]]
///     2026-12-31 = []
/// "#)?;
/// assert_eq!(def.weekly.mon.len(), 2);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarDef {
    /// The IANA time zone on whose wall clock the hours are.
    #[serde(default = "utc")]
    pub zone: String,
    /// The hours of a usual week.
    #[serde(default)]
    pub weekly: WeeklyHours,
    /// The hours of single dates, in place of all others; closed when empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub special_days: BTreeMap<NaiveDate, Vec<LocalSpan>>,
    /// Days, or parts of days, without weekly hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<HolidayDef>,
    /// Holidays from iCalendar feeds, as the host last read them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<FeedDef>,
    /// Stretches of time without any hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closures: Vec<ClosureDef>,
}

impl CalendarDef {
    /// A calendar of a zone that has no hours yet.
    pub fn new(zone: impl Into<String>) -> Self {
        Self {
            zone: zone.into(),
            weekly: WeeklyHours::default(),
            special_days: BTreeMap::new(),
            holidays: Vec::new(),
            feeds: Vec::new(),
            closures: Vec::new(),
        }
    }

    /// The same calendar with these hours of a week.
    #[must_use]
    pub fn with_weekly(mut self, weekly: WeeklyHours) -> Self {
        self.weekly = weekly;
        self
    }
}

/// A stretch of time without any hours, half-open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosureDef {
    /// Its start: local time, or an instant.
    pub from: Moment,
    /// Its end: local time, or an instant.
    pub to: Moment,
    /// What people call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// A feed of holidays that a host reads for the calendar.
///
/// The engine fetches nothing: the host puts the events of its last reading
/// here. When a fetch fails it leaves them as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedDef {
    /// What people call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where the host gets it from; nothing to the engine.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Only events whose name contains one of these, upper or lower case; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// No events whose name contains one of these, upper or lower case; they
    /// stay out when the feed is read again.
    #[serde(default = "clock_changes")]
    pub except: Vec<String>,
    /// What the feed held when it was last read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<FeedEvent>,
}

impl FeedDef {
    /// The events that count, by the filters.
    pub fn active_events(&self) -> impl Iterator<Item = &FeedEvent> {
        let (only, except) = (lower(&self.only), lower(&self.except));
        self.events.iter().filter(move |event| {
            let name = event.name.to_lowercase();
            let has = |words: &[String]| words.iter().any(|word| name.contains(word.as_str()));
            (only.is_empty() || has(&only)) && !has(&except)
        })
    }
}

/// One occurrence of an event of a feed. Two dates make whole days of holiday;
/// otherwise it is a closure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedEvent {
    /// Its name in the feed.
    pub name: String,
    /// When it begins; a date for whole days.
    pub from: Moment,
    /// When it ends; not part of it, so a day off ends at the next day's date.
    pub to: Moment,
    /// Whether it is of whole days, which a special day overrides.
    #[serde(default)]
    pub all_day: bool,
}

/// Feeds of holidays tell when clocks change, which is no day off.
fn clock_changes() -> Vec<String> {
    ["daylight saving", "summer time", "sommerzeit", "winterzeit"].map(str::to_owned).to_vec()
}

fn lower(words: &[String]) -> Vec<String> {
    words.iter().map(|word| word.to_lowercase()).collect()
}

fn utc() -> String {
    "UTC".to_owned()
}
