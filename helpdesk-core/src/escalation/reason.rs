//! Why a step fires, or does not: stable codes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a step fires, or does not. The list grows; none changes its meaning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Its time came.
    Due,
    /// An agent said so.
    Forced,
    /// Its time comes later.
    NotDue,
    /// It fired, or was passed over, in this loop.
    AlreadyDone,
    /// It fired for this cycle and target of its clock.
    AlreadyFired,
    /// The step before it is not done.
    WaitsForStep,
    /// It waits for an agent to say so.
    WaitsForAgent,
    /// The ticket has no clock of the metric.
    NoClock,
    /// The clock is paused.
    ClockPaused,
    /// The clock was met, missed or given up.
    ClockStopped,
    /// The clock has no target.
    NoTarget,
    /// The target is not missed.
    NotBreached,
    /// What it waits to be idle is not: the ticket has an assignee, or no message.
    NotIdle,
    /// The ticket was not opened again often enough in this loop.
    NotReopened,
    /// Its time lies beyond what calendars cover.
    BeyondHorizon,
    /// Somebody takes care.
    Acknowledged,
    /// The chain is at its end.
    Exhausted,
    /// The chain is over.
    Done,
    /// Its guard does not hold.
    GuardNotMet,
    /// Its guard names what the desk no longer defines.
    GuardUnreadable,
    /// The ticket is where it would be handed over to.
    AlreadyThere,
    /// There is no tier after the ticket's.
    NoNextTier,
    /// The desk no longer defines the tier, or it has no group.
    TierGone,
    /// The ticket was handed over [`HAND_OVERS_MAX`](crate::limit::HAND_OVERS_MAX) times.
    TooManyHandOvers,
}

impl Reason {
    /// The code as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Forced => "forced",
            Self::NotDue => "not_due",
            Self::AlreadyDone => "already_done",
            Self::AlreadyFired => "already_fired",
            Self::WaitsForStep => "waits_for_step",
            Self::WaitsForAgent => "waits_for_agent",
            Self::NoClock => "no_clock",
            Self::ClockPaused => "clock_paused",
            Self::ClockStopped => "clock_stopped",
            Self::NoTarget => "no_target",
            Self::NotBreached => "not_breached",
            Self::NotIdle => "not_idle",
            Self::NotReopened => "not_reopened",
            Self::BeyondHorizon => "beyond_horizon",
            Self::Acknowledged => "acknowledged",
            Self::Exhausted => "exhausted",
            Self::Done => "done",
            Self::GuardNotMet => "guard_not_met",
            Self::GuardUnreadable => "guard_unreadable",
            Self::AlreadyThere => "already_there",
            Self::NoNextTier => "no_next_tier",
            Self::TierGone => "tier_gone",
            Self::TooManyHandOvers => "too_many_hand_overs",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
