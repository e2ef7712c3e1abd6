//! Reads iCalendar feeds of holidays (RFC 5545): repeated events, whole days
//! and times, moved and canceled occurrences.
//!
//! Fetching is the host's. What is read here goes into
//! [`FeedDef::events`](helpdesk_core::calendar::FeedDef::events) of a calendar;
//! a host whose fetch fails leaves the events of its last reading as they are.

mod dates;
mod repeat;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use dates::{Edge, Zoned, duration, edges};
use helpdesk_core::calendar::{FeedEvent, Moment, ZoneRules};
use helpdesk_core::limit::{CALENDAR_FEED_EVENTS_MAX, NAME_CHARS_MAX};
use icalendar::parser::{Component, Property, read_calendar, unfold};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use thiserror::Error;

/// Bytes of a feed.
pub const FEED_BYTES_MAX: usize = 8 << 20;
/// Nesting of a feed's components: an alarm is in an event is in a calendar.
const FEED_DEPTH_MAX: usize = 8;

/// Why a feed cannot be read. Nothing of it is used then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeedError {
    /// It is larger than [`FEED_BYTES_MAX`], nests too deep, or has too many
    /// occurrences in the years asked for.
    #[error("the feed is too large: {reason}")]
    TooLarge {
        /// Which limit it exceeds.
        reason: String,
    },
    /// It is no iCalendar text.
    #[error("the feed is no iCalendar text: {reason}")]
    Malformed {
        /// What the parser says.
        reason: String,
    },
    /// One event of it makes no sense.
    #[error("event `{name}` of the feed cannot be read: {reason}")]
    Event {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The events of a feed that begin in a range of dates, in the order of time.
///
/// Canceled ones are left out; a repeated one gives each occurrence. A time in
/// a zone that the rules do not know, as many feeds invent, is one of the
/// calendar's own zone.
///
/// ```
/// use helpdesk::core::calendar::BundledZones;
/// let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Labor Day\r\n\
///     DTSTART;VALUE=DATE:20200501\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
/// let (from, until) = ("2026-01-01".parse()?, "2028-01-01".parse()?);
/// let events = helpdesk::ical::read_feed(text, from..until, &BundledZones::new())?;
/// assert_eq!(events.len(), 2);
/// assert_eq!(events[0].from.to_string(), "2026-05-01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`FeedError`], when any of it cannot be read.
pub fn read_feed(
    text: &str,
    dates: Range<NaiveDate>,
    zones: &dyn ZoneRules,
) -> Result<Vec<FeedEvent>, FeedError> {
    check_size(text)?;
    // Line ends may be either, and some feeds start with a byte order mark.
    let text = unfold(text.trim_start_matches('\u{feff}'));
    let calendar = read_calendar(&text).map_err(|reason| FeedError::Malformed {
        reason: reason.chars().take(NAME_CHARS_MAX).collect(),
    })?;
    let events: Vec<&Component<'_>> =
        calendar.components.iter().filter(|component| component.name == "VEVENT").collect();
    let moved = moved(&events, zones)?;
    let mut found = Vec::new();
    for event in events {
        let read = Event::read(event, zones).map_err(|reason| named(event, reason))?;
        let Some(read) = read else { continue };
        let uid = value(event, "UID").unwrap_or_default();
        let is_single = event.find_prop("RECURRENCE-ID").is_some();
        let moved = moved.get(uid).filter(|_| !is_single);
        let starts = read.starts(event, &dates, moved, zones);
        for start in starts.map_err(|reason| named(event, reason))? {
            found.push(read.at(start));
            if found.len() > CALENDAR_FEED_EVENTS_MAX {
                let reason = format!("more than {CALENDAR_FEED_EVENTS_MAX} occurrences");
                return Err(FeedError::TooLarge { reason });
            }
        }
    }
    found.sort_by_cached_key(|event| (event.from.to_string(), event.name.clone()));
    found.dedup();
    Ok(found)
}

/// The parser goes down as deep as the text does.
fn check_size(text: &str) -> Result<(), FeedError> {
    if text.len() > FEED_BYTES_MAX {
        let reason = format!("{} bytes, at most {FEED_BYTES_MAX}", text.len());
        return Err(FeedError::TooLarge { reason });
    }
    let mut depth = 0_usize;
    for line in text.lines() {
        let name = line.trim_start().split(':').next().unwrap_or_default();
        match name.to_ascii_uppercase().as_str() {
            "BEGIN" => depth += 1,
            "END" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > FEED_DEPTH_MAX {
            let reason = format!("it nests more than {FEED_DEPTH_MAX} deep");
            return Err(FeedError::TooLarge { reason });
        }
    }
    Ok(())
}

fn named(event: &Component<'_>, reason: String) -> FeedError {
    FeedError::Event { name: summary(event), reason }
}

fn summary(event: &Component<'_>) -> String {
    let name = event.find_prop("SUMMARY").map(|name| name.val.clone().unescape_text());
    name.map_or_else(String::new, |name| name.as_str().chars().take(NAME_CHARS_MAX).collect())
}

fn value<'a>(event: &'a Component<'_>, name: &str) -> Option<&'a str> {
    event.find_prop(name).map(|property| property.val.as_str())
}

fn all<'a>(event: &'a Component<'a>, name: &'a str) -> impl Iterator<Item = &'a Property<'a>> {
    event.properties.iter().filter(move |property| property.name == name)
}

/// The occurrences of repeated events that have an entry of their own, by UID.
fn moved<'a>(
    events: &[&'a Component<'a>],
    zones: &dyn ZoneRules,
) -> Result<BTreeMap<&'a str, BTreeSet<NaiveDateTime>>, FeedError> {
    let mut moved: BTreeMap<&str, BTreeSet<NaiveDateTime>> = BTreeMap::new();
    for event in events {
        let Some(id) = event.find_prop("RECURRENCE-ID") else { continue };
        let edges = edges(id, zones).map_err(|reason| named(event, reason))?;
        let uid = value(event, "UID").unwrap_or_default();
        moved.entry(uid).or_default().extend(edges.into_iter().map(|edge| edge.local));
    }
    Ok(moved)
}

/// One event, its times on the wall clock of its own zone.
struct Event {
    name: String,
    start: Edge,
    length: TimeDelta,
}

impl Event {
    /// `None` for one that is canceled, or has no length.
    fn read(event: &Component<'_>, zones: &dyn ZoneRules) -> Result<Option<Self>, String> {
        if value(event, "STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")) {
            return Ok(None);
        }
        let start = event.find_prop("DTSTART").ok_or("it has no DTSTART")?;
        let start = edges(start, zones)?.into_iter().next().ok_or("it has no DTSTART")?;
        let length = match (event.find_prop("DTEND"), value(event, "DURATION")) {
            (Some(end), _) => {
                let end = edges(end, zones)?.into_iter().next().ok_or("an empty DTEND")?;
                start.until(&end)
            }
            (None, Some(text)) => duration(text)?,
            (None, None) if start.is_date => TimeDelta::days(1),
            (None, None) => TimeDelta::zero(),
        };
        let name = summary(event);
        Ok((length > TimeDelta::zero()).then_some(Self { name, start, length }))
    }

    /// When its occurrences start, on its own wall clock.
    fn starts(
        &self,
        event: &Component<'_>,
        dates: &Range<NaiveDate>,
        moved: Option<&BTreeSet<NaiveDateTime>>,
        zones: &dyn ZoneRules,
    ) -> Result<BTreeSet<NaiveDateTime>, String> {
        let from = dates.start.and_time(NaiveTime::MIN);
        let until = dates.end.and_time(NaiveTime::MIN);
        let mut starts = BTreeSet::from([self.start.local]);
        for rule in all(event, "RRULE") {
            starts.extend(repeat::occurrences(rule.val.as_str(), &self.start, &(from..until))?);
        }
        for dates in all(event, "RDATE") {
            starts.extend(edges(dates, zones)?.into_iter().map(|edge| self.start.own(&edge)));
        }
        for dates in all(event, "EXDATE") {
            for edge in edges(dates, zones)? {
                starts.remove(&self.start.own(&edge));
            }
        }
        starts.retain(|start| (from..until).contains(start));
        if let Some(moved) = moved {
            starts.retain(|start| !moved.contains(start));
        }
        Ok(starts)
    }

    /// The occurrence that starts then.
    fn at(&self, start: NaiveDateTime) -> FeedEvent {
        let end = start.checked_add_signed(self.length).unwrap_or(start);
        let (from, to) = (self.start.zoned.moment(start), self.start.zoned.moment(end));
        FeedEvent { name: self.name.clone(), from, to, all_day: self.start.is_date }
    }
}

/// Wall time as if it were universal, for arithmetic that knows no zones.
fn as_utc(local: NaiveDateTime) -> DateTime<Utc> {
    local.and_utc()
}

impl Zoned {
    /// What a wall time of this zone is in a calendar.
    fn moment(&self, local: NaiveDateTime) -> Moment {
        match self {
            Self::Floating => Moment::Local(local),
            Self::Utc => Moment::Instant(as_utc(local)),
            Self::Zone(zone) => Moment::Instant(zone.first_at_or_after(local)),
        }
    }
}
