//! Dates, times and durations as iCalendar writes them.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use helpdesk_core::calendar::{Zone, ZoneRules};
use icalendar::parser::Property;
use std::sync::Arc;

/// Whose wall clock a time is on.
#[derive(Debug, Clone)]
pub(super) enum Zoned {
    /// Wherever the reader is: the calendar's.
    Floating,
    Utc,
    Zone(Arc<Zone>),
}

/// A date, or a date and time, on the wall clock of its own zone.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) local: NaiveDateTime,
    pub(super) zoned: Zoned,
    pub(super) is_date: bool,
}

impl Edge {
    /// How long it is on the wall clock until another.
    pub(super) fn until(&self, other: &Self) -> TimeDelta {
        self.own(other) - self.local
    }

    /// Another's time on this one's wall clock.
    pub(super) fn own(&self, other: &Self) -> NaiveDateTime {
        let at = match (&self.zoned, &other.zoned) {
            (Zoned::Floating, _) | (_, Zoned::Floating) => return other.local,
            (_, Zoned::Utc) => other.local.and_utc(),
            (_, Zoned::Zone(zone)) => zone.first_at_or_after(other.local),
        };
        match &self.zoned {
            Zoned::Zone(zone) => zone.wall(at),
            Zoned::Utc | Zoned::Floating => at.naive_utc(),
        }
    }
}

/// The dates and times of a property; a period's start stands for it.
pub(super) fn edges(property: &Property<'_>, zones: &dyn ZoneRules) -> Result<Vec<Edge>, String> {
    let zone = property.params.iter().find(|parameter| parameter.key == "TZID");
    let zone = zone.and_then(|parameter| parameter.val.as_ref());
    let zone = zone.and_then(|name| zones.zone(name.as_str().trim_matches('"')).ok());
    let texts = property.val.as_str().split(',').filter(|text| !text.is_empty());
    texts.map(|text| edge(text.split('/').next().unwrap_or(text).trim(), zone.as_ref())).collect()
}

/// One date or time: `20261225`, `20261225T090000` or `20261225T080000Z`.
pub(super) fn edge(text: &str, zone: Option<&Arc<Zone>>) -> Result<Edge, String> {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y%m%d") {
        let local = date.and_time(NaiveTime::MIN);
        return Ok(Edge { local, zoned: Zoned::Floating, is_date: true });
    }
    let bare = text.strip_suffix('Z');
    let zoned = match (bare, zone) {
        (Some(_), _) => Zoned::Utc,
        (None, Some(zone)) => Zoned::Zone(zone.clone()),
        (None, None) => Zoned::Floating,
    };
    let local = NaiveDateTime::parse_from_str(bare.unwrap_or(text), "%Y%m%dT%H%M%S");
    let local = local.map_err(|_| format!("`{}` is no date or time", clip(text)))?;
    Ok(Edge { local, zoned, is_date: false })
}

/// A length such as `P1D`, `PT1H30M` or `P2W`; a negative one is none.
pub(super) fn duration(text: &str) -> Result<TimeDelta, String> {
    let wrong = || format!("`{}` is no duration", clip(text));
    let rest = text.trim_start_matches('+').strip_prefix('P').ok_or_else(wrong)?;
    let mut seconds = 0_i64;
    let mut number = String::new();
    for c in rest.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'T' if number.is_empty() => continue,
            'W' => 604_800,
            'D' => 86_400,
            'H' => 3_600,
            'M' => 60,
            'S' => 1,
            _ => return Err(wrong()),
        };
        let n: i64 = std::mem::take(&mut number).parse().map_err(|_| wrong())?;
        let part = n.checked_mul(unit).and_then(|part| part.checked_add(seconds));
        seconds = part.ok_or_else(wrong)?;
    }
    match TimeDelta::try_seconds(seconds) {
        Some(length) if number.is_empty() => Ok(length),
        _ => Err(wrong()),
    }
}

pub(super) fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}
