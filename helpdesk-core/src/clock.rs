//! Clocks as data: one metric running on one ticket, and what happened to it.
//!
//! A [`Clock`] holds everything that its next timer needs, and a [`ClockChange`]
//! the whole row after it, so that the journal folds without a calendar. What
//! moves a clock is [`sla`](crate::sla). Source: spec/sla.md, "Clocks".

use crate::id::Key;
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which of a ticket's two policies a metric follows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// What was promised to requesters.
    #[default]
    Requester,
    /// What groups promised to each other.
    Group,
}

/// A policy that a ticket has, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRef {
    /// Its key.
    pub key: Key,
    /// Its revision.
    pub revision: u64,
}

/// What a clock does. A metric that has not started on a ticket has no clock there.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// Counts working time; past its target too, with [`Clock::breached_at`] set.
    Running,
    /// Counts nothing, and is due at no time, until it runs again.
    Paused,
    /// Stopped in time: elapsed <= target, or there was no target.
    Met,
    /// Stopped too late: elapsed > target.
    Missed,
    /// Given up before it was stopped.
    Cancelled(CancelledWhy),
    /// Stopped, and a later cycle counts in its place.
    Superseded,
}

impl ClockState {
    /// Whether it may still be met or missed: running or paused.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    /// The state in one word, without the reason of a cancelled clock.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Cancelled(_) => "cancelled",
            Self::Superseded => "superseded",
        }
    }
}

/// Why a clock was given up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CancelledWhy {
    /// The metric's own `cancel` said so.
    ByMetric,
    /// The ticket lives on in another.
    Merged,
    /// The ticket was deleted.
    Deleted,
    /// The ticket is spam.
    Spam,
    /// No policy fits the ticket any more, or the one that does leaves the metric out.
    PolicyGone,
    /// The desk measures this no more.
    MetricGone,
}

/// When people are warned that a clock comes near its target.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// When this part of the target is used up, from 1 to 100, rounded up to a second.
    Percent(u8),
    /// When this much working time is left.
    BeforeSeconds(u32),
    /// This long before `due_at`, by the wall.
    BeforeWallSeconds(u32),
}

/// "75 %", "600 s of working time left", "600 s before".
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent} %"),
            Self::BeforeSeconds(seconds) => write!(f, "{seconds} s of working time left"),
            Self::BeforeWallSeconds(seconds) => write!(f, "{seconds} s before"),
        }
    }
}

/// A stretch of time in which a clock ran: the working time of `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span(
    /// From this instant.
    #[serde(with = "crate::instant")]
    #[schemars(with = "DateTime<Utc>")]
    pub DateTime<Utc>,
    /// To this one.
    #[serde(with = "crate::instant")]
    #[schemars(with = "DateTime<Utc>")]
    pub DateTime<Utc>,
    /// Seconds of working time between, by the calendar that was then in force.
    pub i64,
);

/// The warning that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextWarning {
    /// Which.
    pub threshold: Threshold,
    /// When.
    #[serde(with = "crate::instant")]
    #[schemars(with = "DateTime<Utc>")]
    pub due_at: DateTime<Utc>,
}

/// One cycle of one metric on one ticket.
///
/// Elapsed at `t` is `accumulated_seconds`, and while it runs the working time
/// from `running_since` to `t` beside. Instants are whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// What is measured.
    pub metric: Key,
    /// Which time it is measured on this ticket, from 1.
    pub cycle: u32,
    /// What it does.
    pub state: ClockState,
    /// From when the cycle counts.
    #[serde(with = "crate::instant")]
    #[schemars(with = "DateTime<Utc>")]
    pub started_at: DateTime<Utc>,
    /// Working time before `running_since`.
    pub accumulated_seconds: i64,
    /// Since when it runs; `None` unless it does.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub running_since: Option<DateTime<Utc>>,
    /// When it was met, missed or cancelled.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub stopped_at: Option<DateTime<Utc>>,
    /// The latest stretches in which it ran, at most
    /// [`CLOCK_SPANS_MAX`](crate::limit::CLOCK_SPANS_MAX), so that another
    /// calendar can count them again; their seconds are in `accumulated_seconds`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
    /// Seconds of working time allowed; `None` for a clock that only measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_seconds: Option<i64>,
    /// Counts the targets of this cycle, from 1: warnings and breach come once for each.
    pub target_rev: u32,
    /// The policy that gave the target.
    pub policy: Key,
    /// Its revision.
    pub policy_rev: u64,
    /// The calendar in which it counts.
    pub calendar: Key,
    /// Its revision.
    pub calendar_rev: u64,
    /// A date that somebody set by hand; it stands in place of the target's until cleared.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub due_override: Option<DateTime<Utc>>,
    /// The earliest instant at which the target is used up. Only while it runs.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub due_at: Option<DateTime<Utc>>,
    /// The latest instant still in time. Only while it runs.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub breach_at: Option<DateTime<Utc>>,
    /// The target lies beyond what calendars cover, so it is due at no time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beyond_horizon: bool,
    /// The first second past the target.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub breached_at: Option<DateTime<Utc>>,
    /// Thresholds of this `target_rev` that were warned of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warned: Vec<Threshold>,
    /// The warning that comes next. Only while it runs in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_warning: Option<NextWarning>,
    /// Grows whenever its timers move; a timer of another generation is stale.
    pub generation: u32,
}

/// What a clock's timer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockTimerKind {
    /// It warns.
    Warn(Threshold),
    /// The target is missed.
    Breach,
}

/// The next timer of a clock. The order is the order of firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockTimer {
    /// When it is due: for a breach, one second after `breach_at`.
    pub due_at: DateTime<Utc>,
    /// What it does; at one instant warnings come before the breach.
    pub kind: ClockTimerKind,
    /// The clock's generation that set it.
    pub generation: u32,
}

impl Clock {
    /// Whether it may still be met or missed: running or paused.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// Whether it runs past its target.
    #[must_use]
    pub fn is_breached(&self) -> bool {
        self.breached_at.is_some()
    }

    /// The timer that the clock waits for; only the next one. `None` unless it
    /// runs, has a target that calendars cover, and is not breached.
    #[must_use]
    pub fn next_timer(&self) -> Option<ClockTimer> {
        if self.state != ClockState::Running || self.is_breached() {
            return None;
        }
        let generation = self.generation;
        let warning = self.next_warning.map(|warning| ClockTimer {
            due_at: warning.due_at,
            kind: ClockTimerKind::Warn(warning.threshold),
            generation,
        });
        let breach = self.breach_at.map(|at| ClockTimer {
            due_at: second_after(at),
            kind: ClockTimerKind::Breach,
            generation,
        });
        warning.into_iter().chain(breach).min()
    }
}

/// The second after `at`; the end of time when there is none.
#[must_use]
pub(crate) fn second_after(at: DateTime<Utc>) -> DateTime<Utc> {
    at.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Why a target was missed at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreachReason {
    /// Time passed.
    TimePassed,
    /// A new target, calendar or date was used up already when it came.
    TargetChanged,
}

/// Why a clock is due at another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetargetedWhy {
    /// Another policy, or another revision of it.
    Policy,
    /// The ticket's fields choose another target of the same policy.
    Fields,
    /// Its calendar changed.
    Calendar,
    /// Somebody set a date.
    DueSet,
    /// Somebody cleared that date.
    DueCleared,
    /// Another ticket was merged into this one, whose requester waits longer.
    Merged,
}

/// What happened to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClockNews {
    /// A cycle began.
    Started,
    /// It stopped counting for a while.
    Paused,
    /// It counts again.
    Resumed,
    /// A cycle that was met or missed goes on with its time.
    Reopened,
    /// It was stopped in time.
    Met,
    /// It was stopped too late.
    Missed,
    /// It was given up.
    Cancelled {
        /// Why.
        why: CancelledWhy,
    },
    /// It counts from nothing again.
    Reset,
    /// It is due at another time.
    Retargeted {
        /// Why.
        why: RetargetedWhy,
    },
    /// People are warned.
    Warned {
        /// Of what.
        threshold: Threshold,
    },
    /// The target is missed; the clock runs on.
    Breached {
        /// Why now.
        reason: BreachReason,
    },
    /// A later target takes the breach back; the event of it stays.
    BreachRevised,
    /// A later cycle counts in its place.
    Superseded,
}

impl ClockNews {
    /// The news in one word, as it stands in JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Reopened => "reopened",
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Cancelled { .. } => "cancelled",
            Self::Reset => "reset",
            Self::Retargeted { .. } => "retargeted",
            Self::Warned { .. } => "warned",
            Self::Breached { .. } => "breached",
            Self::BreachRevised => "breach_revised",
            Self::Superseded => "superseded",
        }
    }
}

/// One thing that happened to one clock, and the clock after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockChange {
    /// What happened.
    pub news: ClockNews,
    /// The clock after it.
    pub clock: Clock,
}

/// Makes a change part of a ticket's clocks, which are the newest cycle of each
/// metric: it takes the place of the same cycle or of an earlier one, and comes
/// last where the metric has none. Earlier cycles stand in the journal.
pub fn apply(clocks: &mut Vec<Clock>, change: &ClockChange) {
    match clocks.iter_mut().find(|clock| clock.metric == change.clock.metric) {
        Some(clock) if clock.cycle <= change.clock.cycle => clock.clone_from(&change.clock),
        Some(_) => {}
        None => clocks.push(change.clock.clone()),
    }
}
