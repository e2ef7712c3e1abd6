//! When each step of a chain comes due, and why it does not.

use super::chain::{Chain, ChainState, ClockCycle, Due, DueWhat, Progress};
use super::policy::PolicyDef;
use super::reason::Reason;
use super::scene::Scene;
use super::step::{IdleSince, Trigger};
use crate::clock::{Clock, ClockState};
use crate::id::Key;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A step as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepStanding {
    /// Which, from 0.
    pub step: u16,
    /// When it comes due; `None` when nothing but time does not bring it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// [`Reason::NotDue`] with a time, otherwise why there is none.
    pub reason: Reason,
}

/// The next thing that comes due in a chain, at its time: a step, or the end of
/// an acknowledgement. The desk keeps one timer for it.
///
/// Of two at one instant the lower step comes first.
#[must_use]
pub fn next_timer(chain: &Chain, scene: &Scene<'_>) -> Option<Due> {
    View { policy: &chain.snapshot.policy, progress: &chain.progress, scene }.next_due()
}

/// Every step of a chain: when it comes due, or why it does not.
#[must_use]
pub fn explain(chain: &Chain, scene: &Scene<'_>) -> Vec<StepStanding> {
    let view = View { policy: &chain.snapshot.policy, progress: &chain.progress, scene };
    let standing = |(step, i): (u16, usize)| match view.step_due(i) {
        Ok(at) => StepStanding { step, due_at: Some(at), reason: Reason::NotDue },
        Err(reason) => StepStanding { step, due_at: None, reason },
    };
    (0u16..).zip(0..view.policy.steps.len()).map(standing).collect()
}

/// A chain that is looked at.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) policy: &'a PolicyDef,
    pub(super) progress: &'a Progress,
    pub(super) scene: &'a Scene<'a>,
}

impl View<'_> {
    pub(super) fn next_due(&self) -> Option<Due> {
        let of_step = |(step, i)| {
            let at = self.step_due(i).ok()?;
            Some(Due { at, what: DueWhat::Step { step } })
        };
        let steps = (0u16..).zip(0..self.policy.steps.len()).filter_map(of_step);
        steps.chain(self.ack_due()).min_by_key(|due| (due.at, due.what))
    }

    fn ack_due(&self) -> Option<Due> {
        let (ack, timeout) = (self.progress.acked?, self.policy.ack_timeout?);
        let at = wall(ack.at, timeout.seconds)?;
        let due = Due { at, what: DueWhat::AckTimeout };
        (self.progress.state == ChainState::Acked).then_some(due)
    }

    /// When a step comes due, or came: never before the chain began, and in the
    /// policy's hours.
    pub(super) fn step_due(&self, i: usize) -> Result<DateTime<Utc>, Reason> {
        let trigger = &self.policy.steps[i].trigger;
        let is_sla = trigger.metric().is_some();
        match self.progress.state {
            ChainState::Done => return Err(Reason::Done),
            ChainState::Acked if !is_sla => return Err(Reason::Acknowledged),
            ChainState::Exhausted if !is_sla => return Err(Reason::Exhausted),
            ChainState::Acked | ChainState::Exhausted | ChainState::Pending => {}
        }
        if !is_sla && self.settled(i).is_some() {
            return Err(Reason::AlreadyDone);
        }
        let due = self.trigger_due(i, trigger)?.max(self.progress.started_at);
        let Some(hours) = &self.policy.hours else { return Ok(due) };
        let (_, calendar) = self.scene.calendars.current(hours);
        calendar.next_open(due).map_err(|_| Reason::BeyondHorizon)
    }

    fn trigger_due(&self, i: usize, trigger: &Trigger) -> Result<DateTime<Utc>, Reason> {
        let since = self.progress.counts_from;
        match trigger {
            Trigger::After { seconds, calendar } => {
                let (done_at, hurry) = self.before(i).ok_or(Reason::WaitsForStep)?;
                let from = since.map_or(done_at, |since| since.max(done_at));
                if hurry && from == done_at {
                    return Ok(from);
                }
                self.after(from, *seconds, calendar.as_ref())
            }
            Trigger::Idle { since: fact, seconds, calendar } => {
                let idle = self.idle_since(*fact)?;
                let from = since.map_or(idle, |since| since.max(idle));
                self.after(from, *seconds, calendar.as_ref())
            }
            Trigger::Reopened { times } => {
                let reopened_at = self.progress.reopened_at.ok_or(Reason::NotReopened)?;
                let is_enough = self.scene.ticket.counters.reopens >= *times;
                if is_enough { Ok(reopened_at) } else { Err(Reason::NotReopened) }
            }
            Trigger::Manual => Err(Reason::WaitsForAgent),
            Trigger::SlaPercent { .. }
            | Trigger::SlaBefore { .. }
            | Trigger::SlaBreached { .. } => self.sla_due(i, trigger),
        }
    }

    fn sla_due(&self, i: usize, trigger: &Trigger) -> Result<DateTime<Utc>, Reason> {
        let clock = self.clock(trigger).ok_or(Reason::NoClock)?;
        if self.progress.marks.get(i).is_some_and(|mark| mark.clock >= Some(cycle_of(clock))) {
            return Err(Reason::AlreadyFired);
        }
        if !clock.is_open() {
            return Err(Reason::ClockStopped);
        }
        if clock.target_seconds.is_none() && clock.due_override.is_none() {
            return Err(Reason::NoTarget);
        }
        match trigger {
            Trigger::SlaPercent { percent, .. } => {
                let parts = allowed(clock, self.scene)?.saturating_mul(i64::from(*percent));
                counted_at(clock, parts.saturating_add(99) / 100, self.scene)
            }
            Trigger::SlaBefore { seconds, .. } => {
                let before = i64::try_from(*seconds).unwrap_or(i64::MAX);
                counted_at(clock, allowed(clock, self.scene)?.saturating_sub(before), self.scene)
            }
            Trigger::SlaBreached { .. } => clock.breached_at.ok_or(Reason::NotBreached),
            Trigger::After { .. }
            | Trigger::Idle { .. }
            | Trigger::Reopened { .. }
            | Trigger::Manual => Err(Reason::NoClock),
        }
    }

    fn idle_since(&self, fact: IdleSince) -> Result<DateTime<Utc>, Reason> {
        let times = &self.scene.ticket.times;
        let since = match fact {
            IdleSince::LastAgentAct => Some(times.last_agent_at.unwrap_or(times.created_at)),
            IdleSince::LastRequesterMessage => times.last_requester_at,
            IdleSince::Unassigned => self.scene.unassigned_since,
        };
        since.ok_or(Reason::NotIdle)
    }

    /// `seconds` after `from`: of a calendar's working time, or of the wall clock.
    fn after(
        &self,
        from: DateTime<Utc>,
        seconds: u64,
        calendar: Option<&Key>,
    ) -> Result<DateTime<Utc>, Reason> {
        let due = match calendar {
            None => wall(from, seconds),
            Some(key) => {
                let (_, calendar) = self.scene.calendars.current(key);
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                calendar.due_at(from, seconds).ok()
            }
        };
        due.ok_or(Reason::BeyondHorizon)
    }

    /// When the last of the steps before was done, and whether this one waits no
    /// longer; `None` while one of them is open.
    fn before(&self, i: usize) -> Option<(DateTime<Utc>, bool)> {
        let mut last = (self.progress.loop_began_at, false);
        for step in 0..i {
            let done = self.settled(step)?;
            if done.0 >= last.0 {
                last = done;
            }
        }
        Some(last)
    }

    /// When a step was done in this loop, and whether the next one waits no longer.
    /// A step of a clock that has fired for all there is, is done when the loop begins.
    pub(super) fn settled(&self, i: usize) -> Option<(DateTime<Utc>, bool)> {
        let mark = self.progress.marks.get(i)?;
        let in_this_loop = mark.done.filter(|done| done.loop_index == self.progress.loop_index);
        if let Some(done) = in_this_loop {
            return Some((done.at, done.hurry));
        }
        let now = self.clock(&self.policy.steps[i].trigger).map(cycle_of);
        (now <= Some(mark.clock?)).then_some((self.progress.loop_began_at, false))
    }

    /// The first step that is not done in this loop.
    pub(super) fn first_open(&self) -> usize {
        let n = self.policy.steps.len();
        (0..n).find(|i| self.settled(*i).is_none()).unwrap_or(n)
    }

    /// Which steps of this loop may still come without an agent's doing.
    pub(super) fn coming(&self) -> Vec<bool> {
        let n = self.policy.steps.len();
        let mut coming = Vec::with_capacity(n);
        for i in 0..n {
            let comes = match self.step_due(i) {
                Ok(_) => true,
                Err(Reason::WaitsForStep) => {
                    (0..i).all(|before| coming[before] || self.settled(before).is_some())
                }
                Err(reason) => {
                    matches!(reason, Reason::ClockPaused | Reason::NotBreached | Reason::NotIdle)
                }
            };
            coming.push(comes);
        }
        coming
    }

    /// The cycle and target of the clock that a step looks at.
    pub(super) fn cycle(&self, i: usize) -> Option<ClockCycle> {
        self.clock(&self.policy.steps[i].trigger).map(cycle_of)
    }

    fn clock(&self, trigger: &Trigger) -> Option<&Clock> {
        let metric = trigger.metric()?;
        self.scene.clocks.iter().find(|clock| clock.metric == *metric)
    }
}

fn cycle_of(clock: &Clock) -> ClockCycle {
    ClockCycle { cycle: clock.cycle, target_rev: clock.target_rev }
}

/// Working seconds that a running clock is allowed: its target, or what a date
/// set by hand leaves.
fn allowed(clock: &Clock, scene: &Scene<'_>) -> Result<i64, Reason> {
    match (clock.due_override, clock.target_seconds) {
        (Some(due), _) => {
            let since = clock.running_since.ok_or(Reason::ClockPaused)?;
            let calendar = scene.calendars.revision(&clock.calendar, clock.calendar_rev);
            let left = calendar.elapsed(since, due).map_err(|_| Reason::BeyondHorizon)?;
            Ok(clock.accumulated_seconds.saturating_add(left))
        }
        (None, target) => target.ok_or(Reason::NoTarget),
    }
}

/// The earliest instant at which a running clock has counted so much.
fn counted_at(clock: &Clock, seconds: i64, scene: &Scene<'_>) -> Result<DateTime<Utc>, Reason> {
    let (ClockState::Running, Some(since)) = (clock.state, clock.running_since) else {
        return Err(Reason::ClockPaused);
    };
    let left = seconds.saturating_sub(clock.accumulated_seconds).max(0);
    let calendar = scene.calendars.revision(&clock.calendar, clock.calendar_rev);
    calendar.due_at(since, left).map_err(|_| Reason::BeyondHorizon)
}

fn wall(from: DateTime<Utc>, seconds: u64) -> Option<DateTime<Utc>> {
    from.checked_add_signed(TimeDelta::try_seconds(i64::try_from(seconds).ok()?)?)
}
