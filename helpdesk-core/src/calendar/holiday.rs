//! Holidays: listed dates, and rules that give one date a year.

use super::hours::{LocalSpan, as_text, clip};
use crate::fault::Fault;
use chrono::{Datelike, Days, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A holiday: civil days, or a part of them, without weekly hours.
///
/// In TOML:
///
/// ```
/// use helpdesk_core::calendar::{HolidayDate, HolidayDef};
/// #[derive(serde::Deserialize)]
/// struct Holidays {
///     holidays: Vec<HolidayDef>,
/// }
/// let read: Holidays = toml::from_str(r#"
///     holidays = [
///         { on = "2026-06-15", name = "Moving day" },
///         { on = "12-25", name = "Christmas Day", observed = "monday_after_weekend" },
///         { on = { easter = 1 }, name = "Easter Monday" },
///         { on = { nth = 4, weekday = "thu", month = 11 }, name = "Thanksgiving" },
///         { on = "12-24", name = "Christmas Eve", hours = [["12:00", "24:00"]] },
///     ]
/// "#)?;
/// assert_eq!(read.holidays[2].on, HolidayDate::Easter { easter: 1 });
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HolidayDef {
    /// Its date, or the rule that gives one each year.
    pub on: HolidayDate,
    /// What people call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its last day, where it has several; only with a listed date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Where it moves to when it falls on a weekend.
    #[serde(default, skip_serializing_if = "Observed::is_same_day")]
    pub observed: Observed,
    /// The part of the day that is off; all of it when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<LocalSpan>,
}

/// When a holiday is.
///
/// A text is one date or, without a year, the same day each year; the other
/// rules are objects: `{ easter = 1 }`, `{ orthodox_easter = 1 }`,
/// `{ nth = -1, weekday = "mon", month = 5 }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "DateSource", into = "DateSource")]
pub enum HolidayDate {
    /// One date: `2026-12-25`.
    Date(NaiveDate),
    /// The same day each year: `12-25`. `02-29` is only in leap years.
    Yearly(MonthDay),
    /// Days after Easter Sunday of the western churches, negative for before.
    Easter {
        /// Days after Easter Sunday.
        easter: i16,
    },
    /// Days after Easter Sunday of the orthodox churches, negative for before.
    OrthodoxEaster {
        /// Days after Easter Sunday.
        orthodox_easter: i16,
    },
    /// Such as the fourth Thursday of November, or the last Monday of May.
    /// A fifth one is only in the years that have it.
    Nth {
        /// 1 to 5 from the month's start, -1 to -5 from its end.
        nth: i8,
        /// The day of the week.
        weekday: Weekday,
        /// The month, 1 to 12.
        month: u8,
    },
}

/// How a [`HolidayDate`] is written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
enum DateSource {
    /// A date, `2026-12-25`, or a day of each year, `12-25`.
    Text(#[schemars(regex(pattern = r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$"))] String),
    /// Days after Easter Sunday of the western churches, negative for before.
    Easter { easter: i16 },
    /// Days after Easter Sunday of the orthodox churches, negative for before.
    OrthodoxEaster { orthodox_easter: i16 },
    /// The nth day of a week in a month, from its end when negative.
    Nth { nth: i8, weekday: Weekday, month: u8 },
}

impl TryFrom<DateSource> for HolidayDate {
    type Error = Fault;

    fn try_from(source: DateSource) -> Result<Self, Fault> {
        Ok(match source {
            DateSource::Text(text) => match (text.parse(), text.parse()) {
                (Ok(date), _) => Self::Date(date),
                (_, Ok(day)) => Self::Yearly(day),
                _ => {
                    let text = clip(&text);
                    let message =
                        format!("`{text}` is no date: take 2026-12-25, or 12-25 for each year");
                    return Err(Fault::invalid("", message));
                }
            },
            DateSource::Easter { easter } => Self::Easter { easter },
            DateSource::OrthodoxEaster { orthodox_easter } => {
                Self::OrthodoxEaster { orthodox_easter }
            }
            DateSource::Nth { nth, weekday, month } => Self::Nth { nth, weekday, month },
        })
    }
}

impl From<HolidayDate> for DateSource {
    fn from(date: HolidayDate) -> Self {
        match date {
            HolidayDate::Date(date) => Self::Text(date.to_string()),
            HolidayDate::Yearly(day) => Self::Text(day.to_string()),
            HolidayDate::Easter { easter } => Self::Easter { easter },
            HolidayDate::OrthodoxEaster { orthodox_easter } => {
                Self::OrthodoxEaster { orthodox_easter }
            }
            HolidayDate::Nth { nth, weekday, month } => Self::Nth { nth, weekday, month },
        }
    }
}

impl HolidayDate {
    /// Its date in a year, where it has one.
    #[must_use]
    pub fn in_year(&self, year: i32) -> Option<NaiveDate> {
        match *self {
            Self::Date(date) => (date.year() == year).then_some(date),
            Self::Yearly(MonthDay { month, day }) => {
                NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day))
            }
            Self::Easter { easter } => shift(western_easter(year)?, i64::from(easter)),
            Self::OrthodoxEaster { orthodox_easter } => {
                shift(orthodox_easter_sunday(year)?, i64::from(orthodox_easter))
            }
            Self::Nth { nth, weekday, month } => {
                nth_weekday(year, u32::from(month), weekday.into(), nth)
            }
        }
    }
}

/// A day of each year, written `12-25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay {
    month: u8,
    day: u8,
}

impl MonthDay {
    /// A day that some year has.
    #[must_use]
    pub fn new(month: u8, day: u8) -> Option<Self> {
        // 2000 was a leap year.
        NaiveDate::from_ymd_opt(2000, u32::from(month), u32::from(day))?;
        Some(Self { month, day })
    }
}

impl FromStr for MonthDay {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let read = || match text.as_bytes() {
            [b'0'..=b'9', b'0'..=b'9', b'-', b'0'..=b'9', b'0'..=b'9'] => {
                let (month, day) = text.split_once('-')?;
                Self::new(month.parse().ok()?, day.parse().ok()?)
            }
            _ => None,
        };
        let message = || format!("`{}` is no day of a year: take MM-DD", clip(text));
        read().ok_or_else(|| Fault::invalid("", message()))
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

as_text!(MonthDay, "^[0-9]{2}-[0-9]{2}$", "A day of each year, MM-DD.");

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Weekday> for chrono::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}

/// Where a holiday moves to when it falls on a weekend.
///
/// Each holiday moves by itself: two that would share a day, as Christmas and
/// Boxing Day on a weekend do, are told apart by their rules
/// (`monday_after_weekend` and `tuesday_after_weekend`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// Nowhere.
    #[default]
    SameDay,
    /// From Saturday and Sunday to the Monday after.
    MondayAfterWeekend,
    /// From Saturday and Sunday to the Tuesday after: a second holiday in a row.
    TuesdayAfterWeekend,
    /// From Saturday to the Friday before, from Sunday to the Monday after.
    NearestWeekday,
    /// From Sunday to the Monday after; Saturday stays.
    MondayAfterSunday,
}

impl Observed {
    fn is_same_day(&self) -> bool {
        *self == Self::SameDay
    }

    /// The day on which a holiday of this date is kept.
    #[must_use]
    pub fn of(self, date: NaiveDate) -> NaiveDate {
        use chrono::Weekday::{Sat, Sun};
        let days = match (self, date.weekday()) {
            (Self::MondayAfterWeekend, Sat) | (Self::TuesdayAfterWeekend, Sun) => 2,
            (Self::MondayAfterWeekend | Self::NearestWeekday | Self::MondayAfterSunday, Sun) => 1,
            (Self::TuesdayAfterWeekend, Sat) => 3,
            (Self::NearestWeekday, Sat) => -1,
            _ => 0,
        };
        shift(date, days).unwrap_or(date)
    }
}

fn shift(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    let by = Days::new(days.unsigned_abs());
    if days < 0 { date.checked_sub_days(by) } else { date.checked_add_days(by) }
}

/// Easter Sunday by the Gregorian computus (Meeus, Jones and Butcher).
fn western_easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let l = (32 + 2 * e + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(sum / 31).ok()?, u32::try_from(sum % 31 + 1).ok()?)
}

/// Easter Sunday by the Julian computus (Meeus), on the Gregorian calendar.
fn orthodox_easter_sunday(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 4, year % 7, year % 19);
    let d = (19 * c + 15) % 30;
    let e = (2 * a + 4 * b - d + 34) % 7;
    let sum = d + e + 114;
    let (month, day) = (u32::try_from(sum / 31).ok()?, u32::try_from(sum % 31 + 1).ok()?);
    // Days between the calendars; a century year counts from its March on, and
    // no Easter is before.
    let days = year / 100 - year / 400 - 2;
    shift(NaiveDate::from_ymd_opt(year, month, day)?, i64::from(days))
}

/// The nth such day of a month, from its end when negative.
fn nth_weekday(year: i32, month: u32, weekday: chrono::Weekday, nth: i8) -> Option<NaiveDate> {
    if nth > 0 {
        return NaiveDate::from_weekday_of_month_opt(year, month, weekday, nth.unsigned_abs());
    }
    let count = (1..=5_u8)
        .filter(|n| NaiveDate::from_weekday_of_month_opt(year, month, weekday, *n).is_some())
        .count();
    let from_start = i8::try_from(count).ok()? + 1 + nth;
    let from_start = u8::try_from(from_start).ok().filter(|n| *n > 0 && nth < 0)?;
    NaiveDate::from_weekday_of_month_opt(year, month, weekday, from_start)
}
