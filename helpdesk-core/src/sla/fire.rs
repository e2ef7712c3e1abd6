//! What a clock's timer does when it comes due.

use super::schedule::schedule;
use super::signal::ClockContext;
use crate::clock::{
    BreachReason, Clock, ClockChange, ClockNews, ClockState, ClockTimer, ClockTimerKind,
    second_after,
};
use crate::id::Key;

/// The first timer among a ticket's clocks, with the metric it belongs to: by
/// due time, warnings before breaches, then in the order of the clocks.
#[must_use]
pub fn next_timer(clocks: &[Clock]) -> Option<(&Key, ClockTimer)> {
    let timers = clocks.iter().filter_map(|clock| Some((&clock.metric, clock.next_timer()?)));
    timers.min_by_key(|(_, timer)| (timer.due_at, timer.kind))
}

/// Fires a timer of a clock: a warning, or the breach, at the timer's due time.
///
/// `None` when the timer is stale: the clock is of another generation, does not
/// run, has warned of this or is breached. So each threshold is warned of once
/// for a (cycle, `target_rev`), and each breach comes once, however often and by
/// whom the timer is fired. The caller sees to it that the due time has come.
#[must_use]
pub fn fire(clock: &Clock, timer: &ClockTimer, ctx: &ClockContext<'_>) -> Option<ClockChange> {
    if clock.next_timer().as_ref() != Some(timer) || clock.state != ClockState::Running {
        return None;
    }
    let mut clock = clock.clone();
    let news = match timer.kind {
        ClockTimerKind::Warn(threshold) => {
            clock.warned.push(threshold);
            ClockNews::Warned { threshold }
        }
        ClockTimerKind::Breach => {
            clock.breached_at = clock.breach_at.map(second_after);
            ClockNews::Breached { reason: BreachReason::TimePassed }
        }
    };
    let metric = ctx.metrics.iter().find(|metric| metric.key == clock.metric);
    let policy = metric.and_then(|metric| ctx.policy(metric.slot));
    let targets = policy.and_then(|policy| policy.targets_of(&clock.metric));
    schedule(&mut clock, ctx.calendars, targets.map_or(&[], |targets| &targets.warn_at));
    clock.generation = timer.generation.wrapping_add(1);
    Some(ClockChange { news, clock })
}
