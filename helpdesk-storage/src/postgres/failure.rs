//! PostgreSQL's errors as the store's.

use crate::StoreError;
use std::time::Duration;
use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

pub(super) const BACKEND: &str = "postgres";

/// How long to wait when others were in the way too often.
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// What a commit says when a key was taken while it ran; the server's log shows it.
pub(super) const RACE_WORDS: &str = "helpdesk: another transaction was first";

/// What an error means for what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Others were in the way: the same again may succeed at once.
    Again,
    /// Another transaction made what this one wanted to make.
    Raced,
    /// The connection is gone, and with it the answer.
    Lost,
    /// The server cannot do it now; nothing was done.
    Busy,
    /// What is stored cannot be read.
    Corrupt,
    /// Anything else; nothing was done.
    Other,
}

/// What the driver says of a statement that it could not make, and so did not send: it has no
/// other sign for that.
const UNSENT: [&str; 3] = ["error serializing parameter", "error encoding message", "expected "];

/// What an error means.
pub(super) fn kind(error: &Error) -> Kind {
    let Some(said) = error.as_db_error() else {
        let words = error.to_string();
        let is_unsent = UNSENT.iter().any(|start| words.starts_with(start));
        return if is_unsent { Kind::Other } else { Kind::Lost };
    };
    let code = said.code();
    if matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) {
        return Kind::Lost;
    }
    match code {
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => Kind::Again,
        &SqlState::UNIQUE_VIOLATION => Kind::Raced,
        &SqlState::INVALID_TEXT_REPRESENTATION if said.message().contains(RACE_WORDS) => {
            Kind::Raced
        }
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => Kind::Corrupt,
        &SqlState::QUERY_CANCELED
        | &SqlState::LOCK_NOT_AVAILABLE
        | &SqlState::READ_ONLY_SQL_TRANSACTION => Kind::Busy,
        // Insufficient resources, operator intervention, system errors.
        code if ["53", "57", "58"].iter().any(|class| code.code().starts_with(class)) => Kind::Busy,
        _ => Kind::Other,
    }
}

/// What the error means that made this one; `None` where it came from elsewhere.
pub(super) fn kind_of(error: &StoreError) -> Option<Kind> {
    match error {
        StoreError::Unavailable { source, .. }
        | StoreError::Ambiguous { source, .. }
        | StoreError::Backend { source, .. } => source.downcast_ref().map(kind),
        _ => None,
    }
}

/// What PostgreSQL said to what changes nothing, as callers can act on it.
pub(super) fn failed(error: Error) -> StoreError {
    match kind(&error) {
        Kind::Again => unavailable(Some(BUSY_WAIT), error),
        Kind::Lost | Kind::Busy => unavailable(None, error),
        Kind::Corrupt => corrupt(error.to_string()),
        Kind::Raced | Kind::Other => {
            StoreError::Backend { backend: BACKEND, source: Box::new(error) }
        }
    }
}

/// What PostgreSQL said to what changes something: without an answer it may have been done.
pub(super) fn commit_failed(error: Error) -> StoreError {
    match kind(&error) {
        Kind::Lost => StoreError::Ambiguous { backend: BACKEND, source: Box::new(error) },
        _ => failed(error),
    }
}

/// A commit without an answer.
pub(super) fn ambiguous(what: &str) -> StoreError {
    StoreError::Ambiguous { backend: BACKEND, source: what.into() }
}

/// The server, or a connection to it, cannot be had.
pub(super) fn unavailable(
    retry_after: Option<Duration>,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unavailable { backend: BACKEND, retry_after, source: source.into() }
}

/// Others were first, again and again.
pub(super) fn busy() -> StoreError {
    unavailable(Some(BUSY_WAIT), "other transactions were in the way too often")
}

/// A transaction that began later was first, so this one has no place in the feed behind it.
pub(super) fn late() -> StoreError {
    unavailable(Some(BUSY_WAIT), "a transaction that began later has committed: run this one again")
}

/// What is stored cannot be read.
pub(super) fn corrupt(what: impl Into<String>) -> StoreError {
    StoreError::Corrupt { backend: BACKEND, what: what.into() }
}

#[cfg(test)]
mod tests;
