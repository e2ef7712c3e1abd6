//! When a clock is due, and when it warns next.

use super::count::worked;
use super::signal::CalendarRevisions;
use crate::calendar::Calendar;
use crate::clock::{Clock, ClockState, NextWarning, Threshold};
use chrono::{DateTime, TimeDelta, Utc};

/// When a running clock reaches a threshold, should nothing happen to it; an
/// instant that has passed when it did so already.
///
/// `None` unless it runs, has a target, and calendars cover the instant.
/// Escalation steps that hang on a clock are due then.
#[must_use]
pub fn reached_at(
    clock: &Clock,
    threshold: Threshold,
    calendars: &CalendarRevisions,
) -> Option<DateTime<Utc>> {
    let (ClockState::Running, Some(since)) = (clock.state, clock.running_since) else {
        return None;
    };
    let calendar = calendars.revision(&clock.calendar, clock.calendar_rev);
    let frame = Frame { clock, calendar, since, due_at: clock.due_at? };
    frame.warning(threshold).map(|warning| warning.due_at)
}

/// Dates of a clock; all absent unless it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Dates {
    due_at: Option<DateTime<Utc>>,
    breach_at: Option<DateTime<Utc>>,
    beyond_horizon: bool,
    next_warning: Option<NextWarning>,
}

/// Dates the clock anew; its generation grows when a timer moves. Returns whether one did.
pub(super) fn schedule(
    clock: &mut Clock,
    calendars: &CalendarRevisions,
    warn_at: &[Threshold],
) -> bool {
    let dates = dates(clock, calendars, warn_at);
    let before = Dates {
        due_at: clock.due_at,
        breach_at: clock.breach_at,
        beyond_horizon: clock.beyond_horizon,
        next_warning: clock.next_warning,
    };
    if dates == before {
        return false;
    }
    clock.due_at = dates.due_at;
    clock.breach_at = dates.breach_at;
    clock.beyond_horizon = dates.beyond_horizon;
    clock.next_warning = dates.next_warning;
    clock.generation = clock.generation.wrapping_add(1);
    true
}

fn dates(clock: &Clock, calendars: &CalendarRevisions, warn_at: &[Threshold]) -> Dates {
    let (ClockState::Running, Some(since)) = (clock.state, clock.running_since) else {
        return Dates::default();
    };
    let calendar = calendars.revision(&clock.calendar, clock.calendar_rev);
    let mut dates = match (clock.due_override, clock.target_seconds) {
        (Some(due), _) => by_hand(due),
        (None, Some(target)) => by_target(clock, target, since, calendar),
        (None, None) => Dates::default(),
    };
    if let (Some(due_at), false) = (dates.due_at, clock.is_breached()) {
        let frame = Frame { clock, calendar, since, due_at };
        let pending = warn_at.iter().filter(|threshold| !clock.warned.contains(threshold));
        let warnings = pending.filter_map(|threshold| frame.warning(*threshold));
        dates.next_warning = warnings.min_by_key(|warning| (warning.due_at, warning.threshold));
    }
    dates
}

/// A date that somebody set is both: the instant named is still in time.
fn by_hand(due: DateTime<Utc>) -> Dates {
    Dates { due_at: Some(due), breach_at: Some(due), ..Dates::default() }
}

fn by_target(clock: &Clock, target: i64, since: DateTime<Utc>, calendar: &Calendar) -> Dates {
    let left = target.saturating_sub(clock.accumulated_seconds);
    if left < 0 {
        return Dates::default();
    }
    let due_at = calendar.due_at(since, left).ok();
    // Where nothing opens any more, the end of the horizon is still in time.
    let breach_at = due_at.and_then(|_| calendar.breach_at(since, left).ok());
    Dates { due_at, breach_at, beyond_horizon: due_at.is_none(), next_warning: None }
}

/// What the dates of warnings are reckoned from.
struct Frame<'a> {
    clock: &'a Clock,
    calendar: &'a Calendar,
    since: DateTime<Utc>,
    due_at: DateTime<Utc>,
}

impl Frame<'_> {
    /// When this threshold is reached; never before the stretch that runs.
    fn warning(&self, threshold: Threshold) -> Option<NextWarning> {
        let due_at = match threshold {
            Threshold::Percent(percent) => {
                let parts = self.allowed().checked_mul(i64::from(percent))?;
                self.counted_at(parts.saturating_add(99) / 100)?
            }
            Threshold::BeforeSeconds(seconds) => {
                self.counted_at(self.allowed().saturating_sub(i64::from(seconds)))?
            }
            Threshold::BeforeWallSeconds(seconds) => {
                let before = TimeDelta::seconds(i64::from(seconds));
                self.due_at.checked_sub_signed(before)?.max(self.since)
            }
        };
        Some(NextWarning { threshold, due_at })
    }

    /// Working seconds allowed: the target, or what a date set by hand leaves.
    fn allowed(&self) -> i64 {
        let by_date = || worked(self.calendar, self.since, self.due_at);
        match (self.clock.due_override, self.clock.target_seconds) {
            (None, Some(target)) => target,
            _ => self.clock.accumulated_seconds.saturating_add(by_date()),
        }
    }

    /// The earliest instant at which the clock has counted so much.
    fn counted_at(&self, seconds: i64) -> Option<DateTime<Utc>> {
        let left = seconds.saturating_sub(self.clock.accumulated_seconds).max(0);
        self.calendar.due_at(self.since, left).ok()
    }
}
