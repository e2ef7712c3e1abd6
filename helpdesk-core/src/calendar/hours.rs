//! Times of day, spans between them, and the hours of a week.

use crate::fault::Fault;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Seconds of a civil day.
pub(super) const DAY_SECONDS: u32 = 86_400;

/// A time of day to the second, from `00:00` to `24:00`, the end of the day.
///
/// ```
/// use helpdesk_core::calendar::LocalTime;
/// let half_past_nine: LocalTime = "09:30".parse()?;
/// assert_eq!(half_past_nine.seconds(), 34_200);
/// assert!("24:01".parse::<LocalTime>().is_err());
/// # Ok::<(), helpdesk_core::fault::Fault>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(u32);

impl LocalTime {
    /// The first second of a day.
    pub const MIDNIGHT: Self = Self(0);
    /// The end of a day, `24:00`.
    pub const DAY_END: Self = Self(DAY_SECONDS);

    /// The time this many seconds after midnight on a wall clock that nobody
    /// sets; `None` past 24:00.
    #[must_use]
    pub fn from_seconds(seconds: u32) -> Option<Self> {
        (seconds <= DAY_SECONDS).then_some(Self(seconds))
    }

    /// Seconds after midnight on a wall clock that nobody sets.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }
}

impl FromStr for LocalTime {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = || {
            let message = format!(
                "`{}` is no time of day: take HH:MM or HH:MM:SS, 24:00 at most",
                clip(text)
            );
            Fault::invalid("", message)
        };
        let two = |part: &str| match part.as_bytes() {
            [b'0'..=b'9', b'0'..=b'9'] => part.parse::<u32>().ok(),
            _ => None,
        };
        let mut parts = text.splitn(4, ':').map(two);
        let (hour, minute) = (parts.next().flatten(), parts.next().flatten());
        let second = parts.next().unwrap_or(Some(0));
        let (Some(hour), Some(minute), Some(second), None) = (hour, minute, second, parts.next())
        else {
            return Err(wrong());
        };
        if minute > 59 || second > 59 {
            return Err(wrong());
        }
        Self::from_seconds(hour * 3_600 + minute * 60 + second).ok_or_else(wrong)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = (self.0 / 3_600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hour:02}:{minute:02}")?;
        if second > 0 { write!(f, ":{second:02}") } else { Ok(()) }
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One opening of a day: from a time until another, half-open.
///
/// An end at or before the start lies on the next day; the span belongs to the
/// day on which it starts, and an end that is its start makes 24 hours. Written
/// `["09:00", "17:00"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(LocalTime, LocalTime)", into = "(LocalTime, LocalTime)")]
pub struct LocalSpan {
    /// When it opens.
    pub open: LocalTime,
    /// When it closes.
    pub close: LocalTime,
}

impl LocalSpan {
    /// A whole day, from midnight to midnight.
    pub const DAY: Self = Self { open: LocalTime::MIDNIGHT, close: LocalTime::DAY_END };

    /// Its end in seconds after midnight of the day on which it starts.
    pub(super) fn end_seconds(self) -> u32 {
        let is_next_day = self.close <= self.open;
        self.close.0 + if is_next_day { DAY_SECONDS } else { 0 }
    }
}

impl From<(LocalTime, LocalTime)> for LocalSpan {
    fn from((open, close): (LocalTime, LocalTime)) -> Self {
        Self { open, close }
    }
}

impl From<LocalSpan> for (LocalTime, LocalTime) {
    fn from(span: LocalSpan) -> Self {
        (span.open, span.close)
    }
}

impl JsonSchema for LocalSpan {
    fn schema_name() -> Cow<'static, str> {
        "LocalSpan".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let time = generator.subschema_for::<LocalTime>();
        schemars::json_schema!({
            "type": "array",
            "items": time,
            "minItems": 2,
            "maxItems": 2,
            "description": "Opens at the first, closes at the second; a second at or before the first is on the next day."
        })
    }
}

/// The hours of a week, by the day on which a span starts; none when absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WeeklyHours {
    /// Monday's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mon: Vec<LocalSpan>,
    /// Tuesday's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tue: Vec<LocalSpan>,
    /// Wednesday's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wed: Vec<LocalSpan>,
    /// Thursday's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thu: Vec<LocalSpan>,
    /// Friday's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fri: Vec<LocalSpan>,
    /// Saturday's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sat: Vec<LocalSpan>,
    /// Sunday's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sun: Vec<LocalSpan>,
}

impl WeeklyHours {
    /// The days with their names, from Monday.
    #[must_use]
    pub fn days(&self) -> [(&'static str, &[LocalSpan]); 7] {
        [
            ("mon", &self.mon),
            ("tue", &self.tue),
            ("wed", &self.wed),
            ("thu", &self.thu),
            ("fri", &self.fri),
            ("sat", &self.sat),
            ("sun", &self.sun),
        ]
    }

    /// The same spans on each day.
    #[must_use]
    pub fn every_day(spans: &[LocalSpan]) -> Self {
        let weekend = spans.to_vec();
        Self { sat: weekend.clone(), sun: weekend, ..Self::monday_to_friday(spans) }
    }

    /// The same spans on each day from Monday to Friday.
    #[must_use]
    pub fn monday_to_friday(spans: &[LocalSpan]) -> Self {
        let day = || spans.to_vec();
        Self { mon: day(), tue: day(), wed: day(), thu: day(), fri: day(), ..Self::default() }
    }
}

/// A point in time as people write it: on the calendar's wall clock, or an instant.
///
/// `2026-12-24` is that day's first second, `2026-12-24T12:00` a local time and
/// `2026-12-24T11:00:00Z` or `…+01:00` an instant.
///
/// ```
/// use helpdesk_core::calendar::Moment;
/// assert!(matches!("2026-12-24T12:00".parse()?, Moment::Local(_)));
/// assert!(matches!("2026-12-24T12:00+01:00".parse()?, Moment::Instant(_)));
/// # Ok::<(), helpdesk_core::fault::Fault>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// What the wall clock of the calendar's zone reads.
    Local(NaiveDateTime),
    /// An instant, the same everywhere.
    Instant(DateTime<Utc>),
}

impl FromStr for Moment {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if let Ok(date) = NaiveDate::from_str(text) {
            return Ok(Self::Local(date.and_time(NaiveTime::MIN)));
        }
        for format in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"] {
            if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
                return Ok(Self::Local(local));
            }
            let (zoned, with_zone) = (text.replace('Z', "+00:00"), format!("{format}%:z"));
            if let Ok(at) = DateTime::parse_from_str(&zoned, &with_zone) {
                return Ok(Self::Instant(at.to_utc()));
            }
        }
        let message = format!(
            "`{}` is no point in time: take 2026-12-24, 2026-12-24T12:00 or 2026-12-24T11:00:00Z",
            clip(text)
        );
        Err(Fault::invalid("", message))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(local) if local.time() == NaiveTime::MIN => local.date().fmt(f),
            Self::Local(local) => local.format("%Y-%m-%dT%H:%M:%S").fmt(f),
            Self::Instant(at) => at.format("%Y-%m-%dT%H:%M:%SZ").fmt(f),
        }
    }
}

/// The start of a text, for messages.
pub(super) fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Reads and writes a type as its text, with a schema that says its form.
macro_rules! as_text {
    ($type:ident, $pattern:expr, $about:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "pattern": $pattern, "description": $about})
            }
        }
    };
}
pub(super) use as_text;

/// What a [`LocalTime`] looks like.
pub(crate) const TIME_PATTERN: &str = "^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$";
/// What a [`Moment`] looks like.
pub(crate) const MOMENT_PATTERN: &str =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?$";

as_text!(LocalTime, TIME_PATTERN, "A time of day, HH:MM or HH:MM:SS, 24:00 at most.");
as_text!(Moment, MOMENT_PATTERN, "A local date, a local date and time, or an instant.");
