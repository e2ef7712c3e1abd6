//! The wall clock of a place: the table of its UTC offsets.

use super::CalendarError;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// The greatest distance of a wall clock from UTC, in seconds (the limit of TZif files).
const OFFSET_SECONDS_MAX: i32 = 26 * 3_600;

/// From an instant on, the wall clock is this far ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetChange {
    /// The first instant with the new offset.
    pub at: DateTime<Utc>,
    /// Local time minus UTC, in seconds.
    pub offset_seconds: i32,
}

/// A stretch of time with one offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    /// Its first second.
    starts_at: i64,
    offset: i64,
    /// The latest that the wall clock has read in this stretch or any before it
    /// reads less than this.
    reach: i64,
}

/// The wall clock of one place, as a table of offset changes.
///
/// ```
/// use helpdesk_core::calendar::{OffsetChange, Zone};
/// let change = OffsetChange { at: "2026-03-29T01:00:00Z".parse()?, offset_seconds: 7_200 };
/// let zone = Zone::new("Europe/Berlin", "2026e", 3_600, &[change])?;
/// let skipped = "2026-03-29T02:30:00".parse()?;
/// assert_eq!(zone.first_at_or_after(skipped), "2026-03-29T01:00:00Z".parse::<chrono::DateTime<chrono::Utc>>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    tzdb_version: String,
    stretches: Vec<Stretch>,
}

impl Zone {
    /// A zone that starts with one offset, in seconds ahead of UTC, and changes it.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BadZone`] when the changes do not ascend or an offset
    /// is more than 26 hours.
    pub fn new(
        name: &str,
        tzdb_version: &str,
        first_offset_seconds: i32,
        changes: &[OffsetChange],
    ) -> Result<Self, CalendarError> {
        let bad = |reason: String| CalendarError::BadZone { zone: name.to_owned(), reason };
        let offsets = changes.iter().map(|change| change.offset_seconds);
        for offset in std::iter::once(first_offset_seconds).chain(offsets) {
            if offset.abs() > OFFSET_SECONDS_MAX {
                return Err(bad(format!("an offset of {offset} seconds")));
            }
        }
        if let Some(pair) = changes.windows(2).find(|pair| pair[0].at >= pair[1].at) {
            return Err(bad(format!("the change at {} is not after the one before", pair[1].at)));
        }
        let first = (i64::MIN, i64::from(first_offset_seconds));
        let rest = changes.iter().map(|c| (c.at.timestamp(), i64::from(c.offset_seconds)));
        let starts: Vec<(i64, i64)> = std::iter::once(first).chain(rest).collect();
        let mut reach = i64::MIN;
        let stretches = starts.iter().enumerate().map(|(i, &(starts_at, offset))| {
            let end = starts.get(i + 1).map(|(end, _)| end + offset);
            reach = reach.max(end.unwrap_or(i64::MAX));
            Stretch { starts_at, offset, reach }
        });
        let stretches = stretches.collect();
        Ok(Self { name: name.to_owned(), tzdb_version: tzdb_version.to_owned(), stretches })
    }

    /// Universal time.
    #[must_use]
    pub fn utc() -> Self {
        let stretches = vec![Stretch { starts_at: i64::MIN, offset: 0, reach: i64::MAX }];
        Self { name: "UTC".to_owned(), tzdb_version: String::new(), stretches }
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the rules, such as `2026e`.
    #[must_use]
    pub fn tzdb_version(&self) -> &str {
        &self.tzdb_version
    }

    /// The first instant at which the wall clock reads `local` or later.
    ///
    /// A time that the clock skips happens at the skip, one that it reads twice
    /// the first time. Monotone: a later `local` never happens earlier.
    #[must_use]
    pub fn first_at_or_after(&self, local: NaiveDateTime) -> DateTime<Utc> {
        let wall = local.and_utc().timestamp();
        instant(self.cursor().first_at_or_after(wall))
    }

    /// What the wall clock reads at an instant.
    #[must_use]
    pub fn wall(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let seconds = at.timestamp();
        let i = self.stretches.partition_point(|stretch| stretch.starts_at <= seconds);
        let offset = self.stretches.get(i.saturating_sub(1)).map_or(0, |stretch| stretch.offset);
        let local = at.checked_add_signed(TimeDelta::seconds(offset));
        local.unwrap_or(at).naive_utc()
    }

    /// A reader that is quick when asked for times in their order.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor { stretches: &self.stretches, at: 0 }
    }
}

/// The instant of a second; out of range for chrono is the nearest in range.
pub(super) fn instant(seconds: i64) -> DateTime<Utc> {
    let edge = if seconds < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp(seconds, 0).unwrap_or(edge)
}

/// Finds instants of wall times, starting where it found the last one.
pub(super) struct Cursor<'a> {
    stretches: &'a [Stretch],
    at: usize,
}

impl Cursor<'_> {
    /// As [`Zone::first_at_or_after`], in seconds since 1970 of either clock.
    pub(super) fn first_at_or_after(&mut self, wall: i64) -> i64 {
        let is_before = |stretch: &Stretch| stretch.reach <= wall;
        let fits = |at: usize| {
            self.stretches.get(at).is_some_and(|stretch| !is_before(stretch))
                && (at == 0 || self.stretches.get(at - 1).is_some_and(is_before))
        };
        if !fits(self.at) {
            let next = self.at + 1;
            let found = if fits(next) { next } else { self.stretches.partition_point(is_before) };
            self.at = found;
        }
        let Some(stretch) = self.stretches.get(self.at) else { return wall };
        stretch.starts_at.max(wall - stretch.offset)
    }
}
