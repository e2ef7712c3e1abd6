//! What is wrong with an input: stable codes, the spot, and the refusal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A stable reason code. The list grows; none changes its meaning.
///
/// ```
/// use helpdesk_core::fault::Code;
/// assert_eq!(Code::NoSuchTransition.as_str(), "no_such_transition");
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// No such thing, or none that the actor may see.
    NotFound,
    /// The actor sees it but may not do this.
    Forbidden,
    /// A value is malformed or makes no sense here.
    Invalid,
    /// An input field that does not exist.
    UnknownField,
    /// Another commit came first.
    Conflict,
    /// The command id was used with other content.
    CommandIdReused,
    /// A thing with this unique key exists.
    Duplicate,
    /// The ticket is closed, and closed tickets do not change.
    Closed,
    /// The ticket, or the contact, lives on in another.
    Merged,
    /// The ticket is deleted.
    Deleted,
    /// The desk's table has no such status transition.
    NoSuchTransition,
    /// A field that the step requires is not set.
    RequiredField,
    /// Over a limit of [`limit`](crate::limit).
    OverLimit,
    /// The offer was answered, rescinded or has expired.
    OfferGone,
    /// The calendar has not one open second.
    NeverOpens,
    /// The configuration does not define what the command needs.
    NotConfigured,
    /// The backend cannot be reached now.
    Unavailable,
    /// The commit may or may not have happened: retry with the same command id.
    OutcomeUnknown,
    /// The database was written by a newer version.
    SchemaNewer,
    /// A defect of the engine or its backend.
    Internal,
}

impl Code {
    /// The code as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid",
            Self::UnknownField => "unknown_field",
            Self::Conflict => "conflict",
            Self::CommandIdReused => "command_id_reused",
            Self::Duplicate => "duplicate",
            Self::Closed => "closed",
            Self::Merged => "merged",
            Self::Deleted => "deleted",
            Self::NoSuchTransition => "no_such_transition",
            Self::RequiredField => "required_field",
            Self::OverLimit => "over_limit",
            Self::OfferGone => "offer_gone",
            Self::NeverOpens => "never_opens",
            Self::NotConfigured => "not_configured",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::SchemaNewer => "schema_newer",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing wrong with an input: where, what, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// The spot, as in `rules[3].when.any[1].field`; empty for the whole.
    pub path: String,
    /// The reason.
    pub code: Code,
    /// The reason in words, with the remedy where there is one.
    pub message: String,
}

impl Fault {
    /// A fault at `path`.
    pub fn new(path: impl Into<String>, code: Code, message: impl Into<String>) -> Self {
        Self { path: path.into(), code, message: message.into() }
    }

    /// A malformed value at `path`.
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(path, Code::Invalid, message)
    }

    /// More than a limit at `path`: `n` of what, `max` at most.
    pub fn over_limit(path: impl Into<String>, n: usize, what: &str, max: usize) -> Self {
        Self::new(path, Code::OverLimit, format!("{n} {what}, at most {max}"))
    }

    /// The same fault, `prefix` put before its path.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.path = join_path(prefix, &self.path);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for Fault {}

/// Joins two parts of a path: `a` and `b` give `a.b`, `a` and `[1]` give `a[1]`.
#[must_use]
pub fn join_path(prefix: &str, path: &str) -> String {
    match (prefix.is_empty(), path.is_empty()) {
        (true, _) => path.to_owned(),
        (_, true) => prefix.to_owned(),
        _ if path.starts_with('[') => format!("{prefix}{path}"),
        _ => format!("{prefix}.{path}"),
    }
}

/// Why a command or query does not fit. Not a failure: nothing was changed,
/// and the same input at the same state is refused again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// The reason.
    pub code: Code,
    /// The reason in words, with the remedy where there is one.
    pub message: String,
    /// The spot in the input, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// All faults, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// With [`Code::Conflict`]: the version that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<u64>,
}

impl Rejection {
    /// A refusal of the whole.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: None, errors: Vec::new(), actual: None }
    }

    /// A refusal of one spot.
    pub fn at(code: Code, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::new(code, message) }
    }

    /// A refusal for several faults; the first one's code and path lead.
    ///
    /// An empty list is a defect of the caller and gives [`Code::Internal`].
    #[must_use]
    pub fn many(faults: Vec<Fault>) -> Self {
        let Some(first) = faults.first() else {
            return Self::new(Code::Internal, "refused without a fault");
        };
        let message = match faults.len() {
            1 => first.to_string(),
            n => format!("{n} faults; the first: {first}"),
        };
        Self {
            code: first.code,
            message,
            path: Some(first.path.clone()),
            errors: faults,
            actual: None,
        }
    }
}

impl From<Vec<Fault>> for Rejection {
    fn from(faults: Vec<Fault>) -> Self {
        Self::many(faults)
    }
}

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Self {
        let path = (!fault.path.is_empty()).then_some(fault.path);
        Self { path, ..Self::new(fault.code, fault.message) }
    }
}
