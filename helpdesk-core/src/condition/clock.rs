//! What conditions see of an SLA clock.

use crate::fault::{Code, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a clock stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// Nothing has started it.
    Inactive,
    /// Its time passes.
    Running,
    /// Its time stands still.
    Paused,
    /// What it measures happened in time.
    Met,
    /// What it measures happened too late.
    Missed,
    /// It ended without a result.
    Cancelled,
    /// Another clock took its place.
    Superseded,
}

impl ClockState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Inactive,
        Self::Running,
        Self::Paused,
        Self::Met,
        Self::Missed,
        Self::Cancelled,
        Self::Superseded,
    ];

    /// The state as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }
}

impl fmt::Display for ClockState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ClockState {
    type Err = Fault;

    /// # Errors
    ///
    /// [`Code::Invalid`] when no state has the name.
    fn from_str(word: &str) -> Result<Self, Fault> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| {
            let shown = super::clip(word);
            Fault::new("", Code::Invalid, format!("`{shown}` is no state of a clock"))
        })
    }
}

/// One metric's newest clock on a ticket, at the time of the question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockFact {
    /// Where it stands.
    pub state: ClockState,
    /// Whether its target was passed; never so for one that ended without a result.
    pub breached: bool,
    /// Seconds of working time left until its target, negative once it is
    /// passed; `None` without a target or a result to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_seconds: Option<i64>,
    /// How much of its target is used, over 100 once it is passed; `None`
    /// without a target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<f64>,
}
