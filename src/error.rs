//! What can go wrong, as the host can act on it.

use helpdesk_core::fault::{Code, Fault, Rejection};
use helpdesk_search::SearchError;
use helpdesk_storage::StoreError;
use helpdesk_storage::blob::BlobError;
use serde::Serialize;
use thiserror::Error;

/// The result of an engine's method.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the engine did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The command or query does not fit. Nothing changed; the same input at the
    /// same state is refused again.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed. Unless the code is `outcome_unknown`, nothing changed: no commit
    /// of the command was done, and none may have been.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index failed. Nothing changed in the store.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The blob store failed, or refused the bytes. No ticket changed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The archive could not be written or read. What would have gone into it still stands in
    /// the store.
    #[error("the archive failed")]
    Archive(#[source] std::io::Error),
    /// Other commits came first too often. Nothing changed; try again.
    #[error("other commits came first {attempts} times")]
    LostRaces {
        /// How often it was tried.
        attempts: u32,
    },
}

/// An error as it stands in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// The stable code.
    pub code: Code,
    /// The reason in words.
    pub message: String,
    /// The spot in the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// All faults, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// With `conflict`: the version that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<u64>,
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Rejected(rejection) => rejection.code,
            Self::LostRaces { .. } => Code::Conflict,
            Self::Store(error) => store_code(error),
            Self::Search(SearchError::Locked | SearchError::Rebuilding) => Code::Unavailable,
            Self::Search(_) => Code::Internal,
            Self::Blob(error) => blob_code(error),
            Self::Archive(_) => Code::Unavailable,
        }
    }

    /// Whether the store as a whole is gone, so that whoever is at work for many need not go on
    /// with the next; what else fails is of the one thing or tenant.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Store(
                StoreError::Unavailable { .. }
                    | StoreError::Ambiguous { .. }
                    | StoreError::SchemaNewer { .. }
            )
        )
    }

    /// The same of a command of which parts were or may be done: that the store could not be
    /// reached, or other commits came first, does not say that nothing changed.
    pub(crate) fn after_parts(self, backend: &'static str) -> Self {
        match self {
            Self::Store(StoreError::Unavailable { .. }) | Self::LostRaces { .. } => {
                Self::Store(StoreError::Ambiguous { backend, source: self.into() })
            }
            error => error,
        }
    }

    /// The error as it stands in JSON.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        let (path, errors, actual) = match self {
            Self::Rejected(r) => (r.path.clone(), r.errors.clone(), r.actual),
            Self::Store(StoreError::Conflict(conflict)) => {
                (None, Vec::new(), Some(conflict.actual))
            }
            Self::Store(_)
            | Self::Search(_)
            | Self::Blob(_)
            | Self::Archive(_)
            | Self::LostRaces { .. } => (None, Vec::new(), None),
        };
        ErrorBody { code: self.code(), message: with_sources(self), path, errors, actual }
    }
}

/// The stable code of a store's error.
pub(crate) fn store_code(error: &StoreError) -> Code {
    match error {
        StoreError::Conflict(_) | StoreError::NotAfter { .. } => Code::Conflict,
        StoreError::DuplicateKey { .. } => Code::Duplicate,
        StoreError::KeyReused { .. } => Code::CommandIdReused,
        StoreError::Invalid { .. } => Code::Invalid,
        StoreError::Unavailable { .. } => Code::Unavailable,
        StoreError::Ambiguous { .. } => Code::OutcomeUnknown,
        StoreError::SchemaNewer { .. } => Code::SchemaNewer,
        _ => Code::Internal,
    }
}

/// The stable code of a blob store's error.
fn blob_code(error: &BlobError) -> Code {
    match error {
        BlobError::NotFound { .. } => Code::NotFound,
        BlobError::TooLarge { .. } => Code::OverLimit,
        BlobError::Mismatch { .. } | BlobError::OutOfRange { .. } | BlobError::Source(_) => {
            Code::Invalid
        }
        BlobError::Unavailable { .. } => Code::Unavailable,
        _ => Code::Internal,
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
