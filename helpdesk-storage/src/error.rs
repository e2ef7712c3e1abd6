//! What can go wrong in a store, as its caller can act on it.

use helpdesk_core::case::record::UniqueKey;
use helpdesk_core::event::StreamId;
use helpdesk_core::id::{CommandId, Version};
use std::time::Duration;
use thiserror::Error;

/// The result of a store's method.
pub type Result<T> = std::result::Result<T, StoreError>;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An expectation that did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The thing.
    pub stream: StreamId,
    /// The version that the change set was decided on; 0 for absent.
    pub expected: Version,
    /// The version that stands; 0 for absent.
    pub actual: Version,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another commit came first; reload and decide again.
    #[error("{} `{}` is at version {}, not {}", .0.stream.kind.as_str(), .0.stream.id, .0.actual, .0.expected)]
    Conflict(Conflict),
    /// The key is another thing's; reload and decide again.
    #[error("the {} `{}` is taken", .key.kind(), .key.text())]
    DuplicateKey {
        /// The key.
        key: UniqueKey,
    },
    /// What the change set comes [after](crate::ChangeSet::after) was not committed by the same
    /// call; reload and decide again.
    #[error("it comes after commit `{commit_id}`, which was not done")]
    NotAfter {
        /// What it comes after.
        commit_id: CommandId,
    },
    /// The command id was used with other content; take a new one.
    #[error("command id `{command_id}` was used with other content")]
    KeyReused {
        /// The id.
        command_id: CommandId,
    },
    /// The lease has ended, or another holds it; drop the work.
    #[error("the lease is no more")]
    StaleLease,
    /// The query makes no sense, such as a cursor of another order.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
    },
    /// The backend cannot be reached now, or its disk is full; nothing was
    /// committed, try again later.
    #[error("the {backend} backend is unavailable")]
    Unavailable {
        /// Which.
        backend: &'static str,
        /// How long to wait, where the backend says.
        retry_after: Option<Duration>,
        /// What it said.
        source: BoxError,
    },
    /// It may or may not have happened: commit again with the same id, claim, settle or
    /// maintain again.
    #[error("the {backend} backend did not say whether it committed")]
    Ambiguous {
        /// Which.
        backend: &'static str,
        /// What it said.
        source: BoxError,
    },
    /// What is stored cannot be read; restore a backup.
    #[error("the {backend} backend holds what cannot be read: {what}")]
    Corrupt {
        /// Which.
        backend: &'static str,
        /// What.
        what: String,
    },
    /// A newer version wrote the database; upgrade this program.
    #[error("the database has schema {found}, this version knows {known} at most")]
    SchemaNewer {
        /// The database's.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The backend failed; nothing was committed.
    #[error("the {backend} backend failed")]
    Backend {
        /// Which.
        backend: &'static str,
        /// What it said.
        source: BoxError,
    },
}

impl StoreError {
    /// Whether deciding again on fresh state may succeed at once.
    #[must_use]
    pub fn is_lost_race(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::DuplicateKey { .. } | Self::NotAfter { .. })
    }
}
