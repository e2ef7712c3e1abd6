//! Other targets, calendars and dates for clocks that are open, and what
//! becomes of a breach under them.

use super::count::{cut, elapsed, passed_at, recount, restart, set_calendar, split, worked};
use super::def::OnPolicyChange;
use super::metric::Metric;
use super::policy::Recalculation;
use super::schedule::schedule;
use super::signal::Signal;
use super::step::{Step, Wanted};
use crate::clock::{BreachReason, Clock, ClockNews, RetargetedWhy, Span, second_after};
use crate::id::Key;
use crate::limit::CLOCK_SPANS_MAX;
use chrono::{DateTime, Utc};

impl Step<'_> {
    /// Takes up a new revision of an open clock's calendar.
    pub(super) fn take_calendar(&mut self, metric: &Metric) {
        let Some(clock) = self.open(metric) else { return };
        let (revision, _) = self.ctx.calendars.current(&clock.calendar);
        let Some(wanted) = self.wanted(metric).filter(|_| revision != clock.calendar_rev) else {
            return;
        };
        let mode = wanted.policy.recalculation;
        if *self.signal == Signal::Calendar && mode == Recalculation::NextEvent {
            return;
        }
        let before = clock.clone();
        let mut clock = before.clone();
        self.switch_calendar(&mut clock, &before.calendar, mode);
        schedule(&mut clock, self.ctx.calendars, wanted.warn_at);
        self.put(clock, ClockNews::Retargeted { why: RetargetedWhy::Calendar });
        self.judge(metric, Some(&before));
    }

    /// Puts a clock under a calendar's present revision.
    fn switch_calendar(&self, clock: &mut Clock, key: &Key, mode: Recalculation) {
        let (revision, calendar) = self.ctx.calendars.current(key);
        match mode {
            Recalculation::FromNow => split(clock, self.at, self.ctx.calendars),
            Recalculation::Whole => recount(clock, calendar),
            Recalculation::NextEvent => {}
        }
        set_calendar(clock, key, revision);
    }

    /// Whether the clock is past its target, or past the date that somebody set.
    pub(super) fn is_over(&self, clock: &Clock) -> bool {
        match (clock.due_override, clock.target_seconds) {
            (Some(due), _) => self.at > due,
            (None, Some(target)) => elapsed(clock, self.at, self.ctx.calendars) > target,
            (None, None) => false,
        }
    }

    /// The first second past the target of a clock that is over. Where it has
    /// counted no more than `before`, the calendar of that one knows when.
    pub(super) fn breach_of(&self, clock: &Clock, before: Option<&Clock>) -> DateTime<Utc> {
        let calendars = self.ctx.calendars;
        let counted = elapsed(clock, self.at, calendars);
        let before = before.filter(|before| elapsed(before, self.at, calendars) == counted);
        match (clock.due_override, clock.target_seconds) {
            (Some(due), _) => second_after(due),
            (None, Some(target)) => passed_at(before.unwrap_or(clock), target, self.at, calendars),
            (None, None) => self.at,
        }
    }

    /// Gives an open clock the target that its ticket has now.
    pub(super) fn retarget(&mut self, metric: &Metric) {
        let (Some(clock), Some(wanted)) = (self.open(metric), self.wanted(metric)) else { return };
        let asks = self.asks_for(metric, clock);
        let is_frozen = clock.due_override.is_some() && asks.is_none();
        let is_other_policy =
            clock.policy != wanted.policy.key || clock.policy_rev != wanted.policy.revision;
        let is_other_target =
            clock.target_seconds != wanted.seconds || clock.calendar != *wanted.calendar;
        if is_frozen || (asks.is_none() && !is_other_policy && !is_other_target) {
            return;
        }
        let before = clock.clone();
        let mut clock = before.clone();
        if let Some(why) = asks {
            self.take_by_hand(&mut clock, why);
        }
        if clock.due_override.is_none() && (is_other_target || is_other_policy) {
            self.take_target(metric, &mut clock, wanted);
        }
        let moved = schedule(&mut clock, self.ctx.calendars, wanted.warn_at);
        let why = match asks {
            Some(why) => why,
            // Another revision of the policy that changes nothing here is no news.
            None if !moved && !is_other_target => return,
            None if is_other_policy => RetargetedWhy::Policy,
            None => RetargetedWhy::Fields,
        };
        self.put(clock, ClockNews::Retargeted { why });
        self.judge(metric, Some(&before));
    }

    /// What the signal asks of this clock beside its target.
    fn asks_for(&self, metric: &Metric, clock: &Clock) -> Option<RetargetedWhy> {
        if let Signal::DueSet { metric: key, due_at } = self.signal {
            let is_new = *key == metric.key && clock.due_override != Some(cut(*due_at));
            return is_new.then_some(RetargetedWhy::DueSet);
        }
        if let Signal::DueCleared { metric: key } = self.signal {
            let is_set = *key == metric.key && clock.due_override.is_some();
            return is_set.then_some(RetargetedWhy::DueCleared);
        }
        let Signal::Absorbed { waiting_since } = self.signal else { return None };
        let is_earlier = metric.carries_on_merge && cut(*waiting_since) < clock.started_at;
        is_earlier.then_some(RetargetedWhy::Merged)
    }

    fn take_by_hand(&self, clock: &mut Clock, why: RetargetedWhy) {
        if let Signal::Absorbed { waiting_since } = self.signal {
            self.carry(clock, cut(*waiting_since));
            return;
        }
        clock.due_override = match self.signal {
            Signal::DueSet { due_at, .. } if why == RetargetedWhy::DueSet => Some(cut(*due_at)),
            _ => None,
        };
        self.new_target_rev(clock);
    }

    /// Takes over the waiting time of a ticket that was merged into this one.
    fn carry(&self, clock: &mut Clock, since: DateTime<Utc>) {
        let calendar = self.ctx.calendars.revision(&clock.calendar, clock.calendar_rev);
        let seconds = worked(calendar, since, clock.started_at);
        if clock.spans.len() < CLOCK_SPANS_MAX {
            clock.spans.insert(0, Span(since, clock.started_at, seconds));
        }
        clock.accumulated_seconds = clock.accumulated_seconds.saturating_add(seconds);
        clock.started_at = since;
    }

    fn take_target(&self, metric: &Metric, clock: &mut Clock, wanted: Wanted<'_>) {
        let is_other_calendar = clock.calendar != *wanted.calendar;
        let is_other_target = clock.target_seconds != wanted.seconds || is_other_calendar;
        if is_other_target || clock.policy != wanted.policy.key {
            match metric.on_policy_change {
                OnPolicyChange::KeepElapsed if is_other_calendar => {
                    self.switch_calendar(clock, wanted.calendar, wanted.policy.recalculation);
                }
                OnPolicyChange::KeepElapsed => {}
                OnPolicyChange::RestartNow => {
                    restart(clock, self.at);
                    let (revision, _) = self.ctx.calendars.current(wanted.calendar);
                    set_calendar(clock, wanted.calendar, revision);
                }
                OnPolicyChange::RestartFromAnchor => {
                    self.switch_calendar(clock, wanted.calendar, Recalculation::Whole);
                }
            }
            self.new_target_rev(clock);
        }
        clock.target_seconds = wanted.seconds;
        if clock.policy != wanted.policy.key {
            clock.policy = wanted.policy.key.clone();
        }
        clock.policy_rev = wanted.policy.revision;
    }

    /// Says that a clock is breached, or is so no more, after its target,
    /// calendar or date changed. `before` is the clock before that, if it was.
    pub(super) fn judge(&mut self, metric: &Metric, before: Option<&Clock>) {
        let Some(clock) = self.open(metric) else { return };
        let news = match (self.is_over(clock), clock.is_breached()) {
            (true, false) => ClockNews::Breached { reason: BreachReason::TargetChanged },
            (false, true) => ClockNews::BreachRevised,
            (true, true) | (false, false) => return,
        };
        let mut clock = clock.clone();
        if news == ClockNews::BreachRevised {
            clock.breached_at = None;
            self.new_target_rev(&mut clock);
        } else {
            clock.breached_at = Some(self.breach_of(&clock, before));
        }
        schedule(&mut clock, self.ctx.calendars, self.warn_at(metric));
        self.put(clock, news);
    }
}
