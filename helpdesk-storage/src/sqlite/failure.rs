//! SQLite's errors as the store's.

use crate::StoreError;
use rusqlite::ErrorCode;
use std::time::Duration;

pub(super) const BACKEND: &str = "sqlite";

/// How long to wait when another process holds the database.
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// What SQLite said, as callers can act on it.
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    let retry_after = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            return corrupt(error.to_string());
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Some(BUSY_WAIT),
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::OutOfMemory
            // A read that took too long.
            | ErrorCode::OperationInterrupted,
        ) => None,
        _ => return StoreError::Backend { backend: BACKEND, source: Box::new(error) },
    };
    StoreError::Unavailable { backend: BACKEND, retry_after, source: Box::new(error) }
}

/// What is stored cannot be read.
pub(super) fn corrupt(what: impl Into<String>) -> StoreError {
    StoreError::Corrupt { backend: BACKEND, what: what.into() }
}

/// What a caller is told of a commit whose end nobody saw.
pub(super) fn ambiguous(what: &'static str) -> StoreError {
    StoreError::Ambiguous { backend: BACKEND, source: what.into() }
}

/// The same failure for another caller.
pub(super) fn same_again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable { backend, retry_after, source } => StoreError::Unavailable {
            backend,
            retry_after: *retry_after,
            source: source.to_string().into(),
        },
        StoreError::Ambiguous { backend, source } => {
            StoreError::Ambiguous { backend, source: source.to_string().into() }
        }
        StoreError::Corrupt { backend, what } => {
            StoreError::Corrupt { backend, what: what.clone() }
        }
        StoreError::SchemaNewer { found, known } => {
            StoreError::SchemaNewer { found: *found, known: *known }
        }
        other => StoreError::Backend { backend: BACKEND, source: other.to_string().into() },
    }
}
