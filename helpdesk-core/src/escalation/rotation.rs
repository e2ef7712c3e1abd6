//! Turns of a rotation, and hours of a week, on the axis of a wall clock.
//!
//! Everything here is arithmetic on local readings. Two functions lead to
//! instants and back: [`Zone::first_at_or_after`], and `reading`, the farthest
//! that the wall clock has read by an instant. A local time X has happened at an
//! instant exactly when the reading there is X or later, so gaps, folds and
//! skipped days need no special case. Source: spec/sla.md, "The calendar rule".

use super::oncall::{LayerDef, RotationUnit, index};
use crate::calendar::{LocalSpan, WeeklyHours, Zone};
use crate::id::AgentId;
use chrono::{DateTime, Datelike, Months, NaiveDateTime, TimeDelta, Timelike, Utc};
use std::sync::Arc;

/// Seconds that a wall clock is set back at once, at most: twice the greatest
/// distance from UTC.
const FOLD_SECONDS_MAX: i64 = 52 * 3_600;
const DAY_SECONDS: i64 = 86_400;
const WEEK_SECONDS: i64 = 7 * DAY_SECONDS;

/// The farthest that the wall clock has read by `at`, in whole seconds.
///
/// While the clock reads a time again after it was set back, this is the last
/// second before it was.
#[must_use]
pub(super) fn reading(zone: &Zone, at: DateTime<Utc>) -> NaiveDateTime {
    let at = DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at);
    let wall = zone.wall(at);
    let has_read = |ahead| zone.first_at_or_after(later(wall, ahead)) <= at;
    let (mut known, mut unread) = (0, 1);
    if has_read(unread) {
        unread = FOLD_SECONDS_MAX + 1;
    }
    while unread - known > 1 {
        let middle = known + (unread - known) / 2;
        if has_read(middle) { known = middle } else { unread = middle }
    }
    later(wall, known)
}

fn later(local: NaiveDateTime, seconds: i64) -> NaiveDateTime {
    local.checked_add_signed(TimeDelta::seconds(seconds)).unwrap_or(NaiveDateTime::MAX)
}

/// Agents who take turns.
///
/// ```
/// use helpdesk_core::calendar::{BundledZones, ZoneRules};
/// use helpdesk_core::escalation::oncall::LayerDef;
/// use helpdesk_core::escalation::rotation::Rotation;
/// let layer: LayerDef = serde_json::from_value(serde_json::json!({
///     "participants": ["00000000-0000-0000-0000-000000000001"],
///     "unit": "monthly", "start": "2026-01-31T09:00", "zone": "UTC",
/// }))?;
/// let rotation = Rotation::new(&layer, BundledZones::new().zone("UTC")?);
/// let at = |text: &str| text.parse().map_err(|_| "not an instant");
/// let february = rotation.next_handoff(at("2026-02-01T00:00:00Z")?);
/// assert_eq!(february, Some(at("2026-02-28T09:00:00Z")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rotation {
    participants: Vec<AgentId>,
    unit: RotationUnit,
    length: i64,
    start: NaiveDateTime,
    zone: Arc<Zone>,
}

impl Rotation {
    /// The rotation of a layer; `zone` is the one it names.
    #[must_use]
    pub fn new(layer: &LayerDef, zone: Arc<Zone>) -> Self {
        Self {
            participants: layer.participants.clone(),
            unit: layer.unit,
            length: i64::from(layer.length.max(1)),
            start: layer.local_start(&zone),
            zone,
        }
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The number of the turn at `at`: 0 begins at the rotation's start, those
    /// before it are negative.
    #[must_use]
    pub fn turn(&self, at: DateTime<Utc>) -> i64 {
        self.turn_of(reading(&self.zone, at))
    }

    /// Whose turn it is; `None` without participants.
    #[must_use]
    pub fn agent(&self, turn: i64) -> Option<AgentId> {
        self.participants.get(index(turn, self.participants.len())).copied()
    }

    /// When a turn begins; `None` beyond the end of time. A turn that the wall
    /// clock skips begins when the next one does.
    #[must_use]
    pub fn begins_at(&self, turn: i64) -> Option<DateTime<Utc>> {
        Some(self.zone.first_at_or_after(self.local_start(turn)?))
    }

    /// The first instant after `at` at which a turn begins.
    #[must_use]
    pub fn next_handoff(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.begins_at(self.turn(at).checked_add(1)?)
    }

    /// The turn in which a reading lies: that with the last start at or before it.
    pub(super) fn turn_of(&self, local: NaiveDateTime) -> i64 {
        let Some(unit) = self.unit_seconds() else {
            let months = month_number(local) - month_number(self.start);
            let turn = months.div_euclid(self.length);
            let begun = self.local_start(turn).is_some_and(|start| start <= local);
            return if begun { turn } else { turn - 1 };
        };
        (local - self.start).num_seconds().div_euclid(unit * self.length)
    }

    fn local_start(&self, turn: i64) -> Option<NaiveDateTime> {
        let units = turn.checked_mul(self.length)?;
        let Some(unit) = self.unit_seconds() else {
            let months = Months::new(u32::try_from(units.unsigned_abs()).ok()?);
            return match units < 0 {
                true => self.start.checked_sub_months(months),
                false => self.start.checked_add_months(months),
            };
        };
        self.start.checked_add_signed(TimeDelta::try_seconds(units.checked_mul(unit)?)?)
    }

    /// Seconds of a unit on the wall clock; `None` for months.
    fn unit_seconds(&self) -> Option<i64> {
        match self.unit {
            RotationUnit::Hourly => Some(3_600),
            RotationUnit::Daily => Some(DAY_SECONDS),
            RotationUnit::Weekly => Some(WEEK_SECONDS),
            RotationUnit::Monthly => None,
        }
    }
}

fn month_number(local: NaiveDateTime) -> i64 {
    i64::from(local.year()) * 12 + i64::from(local.month0())
}

/// Hours of a week as seconds since Monday 00:00 of the wall clock: sorted, apart,
/// none past the week's end. A span that runs into the next week is in two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WeekHours(Vec<(i64, i64)>);

impl WeekHours {
    /// The hours; `None` when they leave nothing out.
    pub(super) fn new(hours: &WeeklyHours) -> Option<Self> {
        let mut spans = Vec::new();
        for (day, (_, of_day)) in (0i64..).zip(hours.days()) {
            for LocalSpan { open, close } in of_day {
                let (open, close) = (i64::from(open.seconds()), i64::from(close.seconds()));
                let close = if close <= open { close + DAY_SECONDS } else { close };
                let (open, close) = (day * DAY_SECONDS + open, day * DAY_SECONDS + close);
                spans.push((open, close.min(WEEK_SECONDS)));
                spans.push((0, close - WEEK_SECONDS));
            }
        }
        spans.retain(|(open, close)| open < close);
        spans.sort_unstable();
        let mut apart: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
        for (open, close) in spans {
            match apart.last_mut() {
                Some(last) if open <= last.1 => last.1 = last.1.max(close),
                _ => apart.push((open, close)),
            }
        }
        (apart != [(0, WEEK_SECONDS)]).then_some(Self(apart))
    }

    /// When the hours end that `local` is in; `None` outside of them.
    pub(super) fn end(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let at = second_of_week(local);
        let (_, close) = self.0.iter().find(|(open, close)| (*open..*close).contains(&at))?;
        let runs_on = self.0.first().filter(|(open, _)| *close == WEEK_SECONDS && *open == 0);
        let more = runs_on.map_or(0, |(_, close)| *close);
        Some(later(local, close - at + more))
    }

    /// When hours begin next, after `local`.
    pub(super) fn next_open(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let at = second_of_week(local);
        let opens = self.0.iter().map(|(open, _)| *open);
        let next = opens.clone().find(|open| *open > at);
        let next = next.or_else(|| opens.min().map(|open| open + WEEK_SECONDS))?;
        Some(later(local, next - at))
    }
}

fn second_of_week(local: NaiveDateTime) -> i64 {
    let day = i64::from(local.weekday().num_days_from_monday());
    day * DAY_SECONDS + i64::from(local.num_seconds_from_midnight())
}
