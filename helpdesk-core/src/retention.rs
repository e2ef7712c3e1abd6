//! Retention: how long a desk keeps what it needs no more.
//!
//! Everything is kept for ever unless the configuration says otherwise. What goes is found by
//! the engine (`Helpdesk::retain`); here is what the configuration says of it.
//! Source: spec/desk.md, "Things"; spec/storage.md, "several nodes".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Days that anything can be kept: a hundred years.
pub const RETENTION_DAYS_MAX: u32 = 36_525;
/// Days that the journal is kept at least: a command that is given once more within seven
/// days answers with its entries.
pub const JOURNAL_DAYS_MIN: u32 = 8;

/// How long things are kept, in days of 86,400 seconds; each for ever when absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// After so many days the journal's entries of tickets go to the archive; 8 at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal_days: Option<u32>,
    /// A deleted ticket to which nothing happened for so many days is removed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_days: Option<u32>,
    /// Effects that could not be delivered are dropped so many days after they were given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_days: Option<u32>,
}

impl Retention {
    /// Whether everything is kept for ever.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
