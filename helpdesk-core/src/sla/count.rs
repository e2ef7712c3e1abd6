//! What a clock has counted: banked stretches, and counting them again.

use super::signal::CalendarRevisions;
use crate::calendar::Calendar;
use crate::clock::{Clock, Span, second_after};
use crate::id::Key;
use crate::limit::CLOCK_SPANS_MAX;
use chrono::{DateTime, SubsecRound, Utc};

/// Working seconds that a clock has counted at `at`.
///
/// Where `at` lies before it began to run, what it had counted until then.
#[must_use]
pub fn elapsed(clock: &Clock, at: DateTime<Utc>, calendars: &CalendarRevisions) -> i64 {
    elapsed_in(clock, at, calendars.revision(&clock.calendar, clock.calendar_rev))
}

/// The same, where the running stretch counts in this calendar.
#[must_use]
pub fn elapsed_in(clock: &Clock, at: DateTime<Utc>, calendar: &Calendar) -> i64 {
    let Some(since) = clock.running_since else { return clock.accumulated_seconds };
    clock.accumulated_seconds.saturating_add(worked(calendar, since, at))
}

/// An instant, cut to its second.
pub(super) fn cut(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(0)
}

/// Working seconds between; 0 when there are none, or no calendar covers them.
pub(super) fn worked(calendar: &Calendar, from: DateTime<Utc>, until: DateTime<Utc>) -> i64 {
    calendar.elapsed(from, until).unwrap_or(0).max(0)
}

/// Ends the running stretch at `at` and adds it to what was counted. The clock
/// runs no more; nothing when it did not.
pub(super) fn bank(clock: &mut Clock, at: DateTime<Utc>, calendars: &CalendarRevisions) {
    let Some(since) = clock.running_since.take() else { return };
    if at <= since {
        return;
    }
    let calendar = calendars.revision(&clock.calendar, clock.calendar_rev);
    let seconds = worked(calendar, since, at);
    add_span(clock, Span(since, at, seconds));
}

/// Adds a stretch that lies after all others.
pub(super) fn add_span(clock: &mut Clock, span: Span) {
    if clock.spans.len() >= CLOCK_SPANS_MAX {
        clock.spans.remove(0);
    }
    clock.accumulated_seconds = clock.accumulated_seconds.saturating_add(span.2);
    clock.spans.push(span);
}

/// Counts every stretch that is known again, in this calendar.
pub(super) fn recount(clock: &mut Clock, calendar: &Calendar) {
    for Span(from, until, seconds) in &mut clock.spans {
        let again = worked(calendar, *from, *until);
        clock.accumulated_seconds = clock.accumulated_seconds.saturating_add(again - *seconds);
        *seconds = again;
    }
}

/// Ends the running stretch at `at`, and lets the next begin there.
pub(super) fn split(clock: &mut Clock, at: DateTime<Utc>, calendars: &CalendarRevisions) {
    if clock.running_since.is_some() {
        bank(clock, at, calendars);
        clock.running_since = Some(at);
    }
}

/// Lets the clock count from nothing, at `at`.
pub(super) fn restart(clock: &mut Clock, at: DateTime<Utc>) {
    clock.accumulated_seconds = 0;
    clock.spans.clear();
    clock.started_at = at;
    if clock.running_since.is_some() {
        clock.running_since = Some(at);
    }
}

/// Puts the clock under another calendar, or another revision of its own.
pub(super) fn set_calendar(clock: &mut Clock, key: &Key, revision: u64) {
    if clock.calendar != *key {
        clock.calendar = key.clone();
    }
    clock.calendar_rev = revision;
}

/// The first second past `target` in what the clock has counted until `at`.
///
/// Exact within the stretches that are known; where the target was used up in
/// earlier ones, the end of these.
pub(super) fn passed_at(
    clock: &Clock,
    target: i64,
    at: DateTime<Utc>,
    calendars: &CalendarRevisions,
) -> DateTime<Utc> {
    let calendar = calendars.revision(&clock.calendar, clock.calendar_rev);
    let known: i64 = clock.spans.iter().map(|span| span.2).sum();
    let mut counted = clock.accumulated_seconds.saturating_sub(known);
    let running = clock.running_since.map(|since| Span(since, at, worked(calendar, since, at)));
    for Span(from, until, seconds) in clock.spans.iter().copied().chain(running) {
        if counted.saturating_add(seconds) > target {
            let latest = calendar.breach_at(from, target.saturating_sub(counted).max(0));
            return latest.map_or(until, |latest| second_after(latest).clamp(from, until));
        }
        counted = counted.saturating_add(seconds);
    }
    at
}
