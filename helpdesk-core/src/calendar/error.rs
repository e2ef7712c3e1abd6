//! Why a calendar cannot be compiled, or a question not be answered.

use crate::fault::{Fault, Rejection};
use thiserror::Error;

/// Why a calendar cannot be compiled, or a question not be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The question or its answer lies outside of what calendars cover:
    /// from [`HORIZON_START`](super::HORIZON_START) to
    /// [`HORIZON_END`](super::HORIZON_END).
    #[error("beyond the horizon of calendars, 1970-01-01 to 2099-12-31")]
    Horizon,
    /// The calendar has not one open second between 1970 and 2099.
    #[error("the calendar never opens: give it weekly hours or a special day")]
    NeverOpens,
    /// The zone rules in use know no such zone.
    #[error("there is no time zone `{zone}`: take an IANA name, such as `Europe/Berlin`")]
    UnknownZone {
        /// The name that was asked for.
        zone: String,
    },
    /// Rules that a host supplies for a zone make no sense.
    #[error("the rules of time zone `{zone}` cannot be used: {reason}")]
    BadZone {
        /// The zone.
        zone: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The definition has faults.
    #[error("the calendar has faults: {}", Rejection::many(.faults.clone()))]
    Invalid {
        /// All of them, with paths.
        faults: Vec<Fault>,
    },
}
