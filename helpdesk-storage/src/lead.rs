//! Jobs that one engine at a time does: who leads each, and until when.

use crate::Result;
use crate::order::{lease_end, micros};
use crate::plan::invalid;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Chars of a job's or an owner's name.
const NAME_CHARS_MAX: usize = 200;

/// Who leads a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lead {
    /// Who.
    pub(crate) owner: String,
    /// Until then, exclusively, in microseconds since 1970.
    pub(crate) until: i64,
}

impl Lead {
    /// The lead of an owner from now on; `None` while another has it.
    pub(crate) fn take(
        before: Option<&Self>,
        owner: &str,
        now: DateTime<Utc>,
        lease_seconds: u32,
    ) -> Option<Self> {
        let is_free = before.is_none_or(|it| it.owner == owner || it.until <= micros(now));
        is_free.then(|| Self { owner: owner.to_owned(), until: lease_end(now, lease_seconds) })
    }
}

/// A name that a job or an owner can have.
pub(crate) fn checked_name(name: &str) -> Result<&str> {
    if (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.contains('\0') {
        return Ok(name);
    }
    Err(invalid(format!("a name has 1 to {NAME_CHARS_MAX} chars, none of them U+0000")))
}
