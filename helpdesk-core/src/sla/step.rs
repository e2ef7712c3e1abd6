//! What a signal does to a ticket's clocks.
//!
//! Inside one signal the order is cancel, stop, reset, pause, start or resume,
//! re-target, and each change leaves its clock dated. A calendar that changed is
//! taken up first, so that a stop counts in it.

use super::count::{add_span, bank, cut, restart, worked};
use super::def::{Anchor, CycleMode};
use super::metric::{Metric, Occasion};
use super::policy::SlaPolicy;
use super::schedule::schedule;
use super::signal::{ClockContext, Signal};
use crate::clock::{
    BreachReason, CancelledWhy, Clock, ClockChange, ClockNews, ClockState, Span, Threshold,
};
use crate::id::Key;
use chrono::{DateTime, Utc};

/// What happens to a ticket's clocks at `at`, in order, when it is signalled.
///
/// `clocks` are the newest cycle of each metric, as
/// [`apply`](crate::clock::apply) leaves them; `ctx` is the ticket after the
/// signal, with the policies it has from now on. Timers due at `at` or before
/// are to be [fired](super::fire::fire) first; instants never go back. `at` is
/// cut to its second. A message and the status it brings are two signals.
/// Source: spec/sla.md, "The superset".
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use helpdesk_core::actor::ActorKind;
/// use helpdesk_core::clock::{Clock, apply};
/// use helpdesk_core::condition::{FactMap, Schema};
/// use helpdesk_core::sla::check::{SlaDef, check};
/// use helpdesk_core::sla::signal::{CalendarRevisions, ClockContext, MessageSignal, Signal, TicketNow};
/// use helpdesk_core::sla::step::advance;
/// use helpdesk_core::ticket::status::StatusCategory;
/// use std::collections::BTreeSet;
///
/// let sla: SlaDef = serde_json::from_value(serde_json::json!({"policies": [
///     {"key": "all", "metrics": [{"metric": "first_reply", "targets": [{"seconds": 3600}]}]},
/// ]}))?;
/// let rules = check(&sla, &Schema::default(), Some(&BTreeSet::new()), 1)
///     .map_err(|faults| faults[0].to_string())?;
/// let at: DateTime<Utc> = "2026-11-23T09:00:00Z".parse().map_err(|_| "not an instant")?;
/// let none = serde_json::json!({});
/// let facts = FactMap::from_json(&none, at, &Schema::default()).map_err(|f| f[0].to_string())?;
/// let ctx = ClockContext {
///     metrics: &rules.metrics,
///     requester_policy: rules.policies.first(),
///     group_policy: None,
///     calendars: &CalendarRevisions::default(),
///     ticket: TicketNow { category: StatusCategory::New, created_at: at, answered: false },
///     facts: &facts,
/// };
/// let message = MessageSignal { by: ActorKind::Requester, public: true };
/// let mut clocks: Vec<Clock> = Vec::new();
/// for change in advance(&clocks, &Signal::Created { message: Some(message) }, at, &ctx) {
///     apply(&mut clocks, &change);
/// }
/// assert_eq!(clocks[0].due_at, Some(at + TimeDelta::hours(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn advance(
    clocks: &[Clock],
    signal: &Signal,
    at: DateTime<Utc>,
    ctx: &ClockContext<'_>,
) -> Vec<ClockChange> {
    let mut step = Step::new(clocks, signal, cut(at), ctx);
    step.cancel_unmeasured();
    let spots: Vec<Spot<'_>> =
        ctx.metrics.iter().enumerate().map(|(i, m)| spot(i, m, ctx)).collect();
    spots.iter().for_each(|spot| step.cancel(*spot));
    spots.iter().for_each(|spot| step.take_calendar(*spot));
    spots.iter().for_each(|spot| step.stop(*spot));
    spots.iter().for_each(|spot| step.reset(*spot));
    spots.iter().for_each(|spot| step.pause(*spot));
    spots.iter().for_each(|spot| step.start_or_resume(*spot));
    spots.iter().for_each(|spot| step.retarget(*spot));
    step.changes
}

/// One signal on its way through the clocks.
pub(super) struct Step<'a> {
    clocks: &'a [Clock],
    pub(super) signal: &'a Signal,
    pub(super) at: DateTime<Utc>,
    pub(super) ctx: &'a ClockContext<'a>,
    changes: Vec<ClockChange>,
    /// The newest cycle of each metric: its place in `clocks`, or behind these
    /// in `changes`.
    newest: Vec<Option<usize>>,
}

/// What a metric's policy asks for on this ticket.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) policy: &'a SlaPolicy,
    pub(super) seconds: Option<i64>,
    pub(super) calendar: &'a Key,
    pub(super) warn_at: &'a [Threshold],
}

/// One metric, looked up once: its place among metrics, and what is asked for.
/// Nothing when no policy measures it.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    place: usize,
    pub(super) metric: &'a Metric,
    pub(super) wanted: Option<Wanted<'a>>,
}

impl<'a> Spot<'a> {
    pub(super) fn warn_at(self) -> &'a [Threshold] {
        self.wanted.map_or(&[], |wanted| wanted.warn_at)
    }
}

fn spot<'a>(place: usize, metric: &'a Metric, ctx: &ClockContext<'a>) -> Spot<'a> {
    let wanted = ctx.policy(metric.slot).and_then(|policy| {
        let targets = policy.targets_of(&metric.key)?;
        let target = targets.target(ctx.facts);
        Some(Wanted {
            policy,
            seconds: target.map(|target| target.seconds),
            calendar: target.map_or(&policy.calendar, |target| &target.calendar),
            warn_at: &targets.warn_at,
        })
    });
    Spot { place, metric, wanted }
}

impl<'a> Step<'a> {
    fn new(
        clocks: &'a [Clock],
        signal: &'a Signal,
        at: DateTime<Utc>,
        ctx: &'a ClockContext<'a>,
    ) -> Self {
        let place = |metric: &Metric| clocks.iter().position(|clock| clock.metric == metric.key);
        let newest = ctx.metrics.iter().map(place).collect();
        Self { clocks, signal, at, ctx, changes: Vec::new(), newest }
    }

    /// The newest cycle of the metric at this place, as the changes so far leave it.
    fn latest(&self, place: usize) -> Option<&Clock> {
        let at = self.newest.get(place).copied().flatten()?;
        match at.checked_sub(self.clocks.len()) {
            Some(changed) => self.changes.get(changed).map(|change| &change.clock),
            None => self.clocks.get(at),
        }
    }

    pub(super) fn open(&self, spot: Spot<'_>) -> Option<&Clock> {
        self.latest(spot.place).filter(|clock| clock.is_open())
    }

    pub(super) fn put(&mut self, clock: Clock, news: ClockNews) {
        if let Some(place) = self.place(&clock.metric) {
            self.newest[place] = Some(self.clocks.len() + self.changes.len());
        }
        self.changes.push(ClockChange { news, clock });
    }

    fn place(&self, metric: &Key) -> Option<usize> {
        self.ctx.metrics.iter().position(|own| own.key == *metric)
    }

    fn any(&self, occasions: &[Occasion], spot: Spot<'_>) -> bool {
        occasions.iter().any(|occasion| occasion.fits(spot.metric, self.signal, self.ctx))
    }

    /// Gives up what the desk measures no more.
    fn cancel_unmeasured(&mut self) {
        for clock in self.clocks.iter().filter(|clock| clock.is_open()) {
            if !self.ctx.metrics.iter().any(|metric| metric.key == clock.metric) {
                self.give_up(clock.clone(), CancelledWhy::MetricGone);
            }
        }
    }

    fn cancel(&mut self, spot: Spot<'_>) {
        let Some(clock) = self.open(spot) else { return };
        let why = match self.ended() {
            Some(why) => why,
            None if spot.wanted.is_none() => CancelledWhy::PolicyGone,
            None if self.any(&spot.metric.cancel, spot) => CancelledWhy::ByMetric,
            None => return,
        };
        let clock = clock.clone();
        self.give_up(clock, why);
    }

    /// Why nothing is measured on the ticket any more.
    fn ended(&self) -> Option<CancelledWhy> {
        match self.signal {
            Signal::Merged => Some(CancelledWhy::Merged),
            Signal::Deleted => Some(CancelledWhy::Deleted),
            Signal::Spam => Some(CancelledWhy::Spam),
            Signal::Created { .. }
            | Signal::Message(_)
            | Signal::Status { .. }
            | Signal::Fields
            | Signal::Group
            | Signal::Assignee
            | Signal::Absorbed { .. }
            | Signal::Restored
            | Signal::Policy
            | Signal::Calendar
            | Signal::DueSet { .. }
            | Signal::DueCleared { .. } => None,
        }
    }

    fn give_up(&mut self, mut clock: Clock, why: CancelledWhy) {
        bank(&mut clock, self.at, self.ctx.calendars);
        clock.state = ClockState::Cancelled(why);
        clock.stopped_at = Some(self.at);
        schedule(&mut clock, self.ctx.calendars, &[]);
        self.put(clock, ClockNews::Cancelled { why });
    }

    fn stop(&mut self, spot: Spot<'_>) {
        let Some(clock) = self.open(spot) else { return };
        if !self.any(&spot.metric.stop, spot) {
            return;
        }
        let mut clock = clock.clone();
        if self.is_over(&clock) && clock.breached_at.is_none() {
            // Its timer was never fired: the breach comes before the stop.
            clock.breached_at = Some(self.breach_of(&clock, None));
            schedule(&mut clock, self.ctx.calendars, &[]);
            let reason = BreachReason::TimePassed;
            self.put(clock.clone(), ClockNews::Breached { reason });
        }
        bank(&mut clock, self.at, self.ctx.calendars);
        let (state, news) = match clock.breached_at {
            Some(_) => (ClockState::Missed, ClockNews::Missed),
            None => (ClockState::Met, ClockNews::Met),
        };
        clock.state = state;
        clock.stopped_at = Some(self.at);
        schedule(&mut clock, self.ctx.calendars, &[]);
        self.put(clock, news);
    }

    fn reset(&mut self, spot: Spot<'_>) {
        let Some(clock) = self.open(spot) else { return };
        if !self.any(&spot.metric.reset, spot) {
            return;
        }
        let mut clock = clock.clone();
        restart(&mut clock, self.at);
        clock.breached_at = None;
        self.new_target_rev(&mut clock);
        schedule(&mut clock, self.ctx.calendars, spot.warn_at());
        self.put(clock, ClockNews::Reset);
    }

    pub(super) fn new_target_rev(&self, clock: &mut Clock) {
        clock.target_rev = clock.target_rev.saturating_add(1);
        clock.warned.clear();
    }

    fn pause(&mut self, spot: Spot<'_>) {
        let Some(clock) = self.open(spot) else { return };
        if clock.state != ClockState::Running || !spot.metric.is_paused(self.ctx) {
            return;
        }
        let mut clock = clock.clone();
        bank(&mut clock, self.at, self.ctx.calendars);
        clock.state = ClockState::Paused;
        schedule(&mut clock, self.ctx.calendars, &[]);
        self.put(clock, ClockNews::Paused);
    }

    fn start_or_resume(&mut self, spot: Spot<'_>) {
        match self.latest(spot.place) {
            Some(clock) if clock.state == ClockState::Paused => {
                if spot.metric.is_paused(self.ctx) {
                    return;
                }
                let mut clock = clock.clone();
                self.run_from(&mut clock, self.at);
                schedule(&mut clock, self.ctx.calendars, spot.warn_at());
                self.put(clock, ClockNews::Resumed);
            }
            Some(clock) if clock.is_open() => {}
            Some(_) | None => self.start(spot),
        }
    }

    fn run_from(&self, clock: &mut Clock, since: DateTime<Utc>) {
        clock.state = ClockState::Running;
        clock.running_since = Some(since);
    }

    fn start(&mut self, spot: Spot<'_>) {
        let found = spot.metric.start.iter().find(|occasion| {
            occasion.fits(spot.metric, self.signal, self.ctx) && self.comes_after(&occasion.after)
        });
        let (Some(occasion), Some(wanted)) = (found, spot.wanted) else { return };
        let since = match occasion.anchor {
            Anchor::EventTime => self.at,
            Anchor::TicketCreated => cut(self.ctx.ticket.created_at).min(self.at),
        };
        let Some(before) = self.latest(spot.place) else {
            return self.begin(spot, wanted, 1, since);
        };
        let next = before.cycle.saturating_add(1);
        match (before.state, spot.metric.cycle) {
            (ClockState::Cancelled(CancelledWhy::ByMetric), CycleMode::Once) => {}
            (ClockState::Cancelled(_) | ClockState::Superseded, _) => {
                self.begin(spot, wanted, next, since);
            }
            (_, CycleMode::Once) => {}
            (_, CycleMode::Restart) => self.begin(spot, wanted, next, since),
            (_, CycleMode::Accumulate) => {
                let clock = before.clone();
                self.reopen(spot, clock);
            }
            (_, CycleMode::LatestOnly) => {
                let mut clock = before.clone();
                clock.state = ClockState::Superseded;
                self.put(clock, ClockNews::Superseded);
                self.begin(spot, wanted, next, since);
            }
        }
    }

    /// Whether each of these metrics is done on the ticket.
    fn comes_after(&self, metrics: &[Key]) -> bool {
        metrics.iter().all(|metric| match self.place(metric).and_then(|place| self.latest(place)) {
            Some(clock) => !clock.is_open(),
            None => self.ctx.ticket.answered,
        })
    }

    fn begin(&mut self, spot: Spot<'_>, wanted: Wanted<'_>, cycle: u32, since: DateTime<Utc>) {
        let (calendar_rev, _) = self.ctx.calendars.current(wanted.calendar);
        let mut clock = Clock {
            metric: spot.metric.key.clone(),
            cycle,
            state: ClockState::Running,
            started_at: since,
            accumulated_seconds: 0,
            running_since: Some(since),
            stopped_at: None,
            spans: Vec::new(),
            target_seconds: wanted.seconds,
            target_rev: 1,
            policy: wanted.policy.key.clone(),
            policy_rev: wanted.policy.revision,
            calendar: wanted.calendar.clone(),
            calendar_rev,
            due_override: None,
            due_at: None,
            breach_at: None,
            beyond_horizon: false,
            breached_at: None,
            warned: Vec::new(),
            next_warning: None,
            generation: 0,
        };
        if spot.metric.is_paused(self.ctx) {
            bank(&mut clock, self.at, self.ctx.calendars);
            clock.state = ClockState::Paused;
        }
        schedule(&mut clock, self.ctx.calendars, wanted.warn_at);
        self.put(clock, ClockNews::Started);
        self.judge(spot, None);
    }

    /// Lets a cycle that was met or missed go on.
    fn reopen(&mut self, spot: Spot<'_>, mut clock: Clock) {
        let stopped_at = clock.stopped_at.take().unwrap_or(self.at);
        self.run_from(&mut clock, self.at);
        let (revision, calendar) = self.ctx.calendars.current(&clock.calendar);
        clock.calendar_rev = revision;
        if spot.metric.count_solved_gap {
            let seconds = worked(calendar, stopped_at, self.at);
            add_span(&mut clock, Span(stopped_at, self.at, seconds));
        }
        if spot.metric.is_paused(self.ctx) {
            clock.state = ClockState::Paused;
            clock.running_since = None;
        }
        schedule(&mut clock, self.ctx.calendars, spot.warn_at());
        self.put(clock, ClockNews::Reopened);
        self.judge(spot, None);
    }
}
