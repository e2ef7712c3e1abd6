//! How many clocks were met.

use crate::clock::{Clock, ClockState};
use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The clocks of one metric that have a target, counted. Cancelled and
/// superseded ones are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Attainment {
    /// Stopped in time.
    pub n_met: u64,
    /// Stopped too late.
    pub n_missed: u64,
    /// Open and in time.
    pub n_open: u64,
    /// Open and past their target.
    pub n_open_breached: u64,
}

impl Attainment {
    /// Met of all that are decided, in percent, rounded down: met, missed, or
    /// breached already. `None` when none is.
    ///
    /// ```
    /// use helpdesk_core::sla::report::Attainment;
    /// let counts = Attainment { n_met: 3, n_missed: 1, n_open: 7, n_open_breached: 0 };
    /// assert_eq!(counts.percent(), Some(75));
    /// ```
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        let n_decided = self.n_met + self.n_missed + self.n_open_breached;
        (self.n_met * 100).checked_div(n_decided)
    }

    /// Counts one clock.
    pub fn add(&mut self, clock: &Clock) {
        if clock.target_seconds.is_none() && clock.due_override.is_none() {
            return;
        }
        match clock.state {
            ClockState::Met => self.n_met += 1,
            ClockState::Missed => self.n_missed += 1,
            ClockState::Running | ClockState::Paused if clock.is_breached() => {
                self.n_open_breached += 1;
            }
            ClockState::Running | ClockState::Paused => self.n_open += 1,
            ClockState::Cancelled(_) | ClockState::Superseded => {}
        }
    }
}

/// Counts clocks by metric, each cycle by itself.
#[must_use]
pub fn attainment<'a>(clocks: impl IntoIterator<Item = &'a Clock>) -> BTreeMap<Key, Attainment> {
    let mut counts: BTreeMap<Key, Attainment> = BTreeMap::new();
    for clock in clocks {
        counts.entry(clock.metric.clone()).or_default().add(clock);
    }
    counts
}
