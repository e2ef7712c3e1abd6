//! How tickets hang together.

use crate::id::TicketId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one ticket is to another. Every kind has an inverse, which the other
/// ticket carries.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// Has to do with it.
    Relates,
    /// Must be solved before it.
    Blocks,
    /// Waits for it.
    BlockedBy,
    /// Says the same again.
    Duplicates,
    /// Is said again by it.
    DuplicatedBy,
    /// Is a consequence of it.
    CausedBy,
    /// Is the cause of it.
    Causes,
    /// Was opened because the other was over.
    FollowUpOf,
    /// Went on in the other.
    FollowedUpBy,
}

impl LinkKind {
    /// What the other ticket is to this one.
    #[must_use]
    pub fn inverse(self) -> Self {
        match self {
            Self::Relates => Self::Relates,
            Self::Blocks => Self::BlockedBy,
            Self::BlockedBy => Self::Blocks,
            Self::Duplicates => Self::DuplicatedBy,
            Self::DuplicatedBy => Self::Duplicates,
            Self::CausedBy => Self::Causes,
            Self::Causes => Self::CausedBy,
            Self::FollowUpOf => Self::FollowedUpBy,
            Self::FollowedUpBy => Self::FollowUpOf,
        }
    }

    /// Whether only the engine makes such links.
    #[must_use]
    pub fn is_made_by_follow_up(self) -> bool {
        matches!(self, Self::FollowUpOf | Self::FollowedUpBy)
    }
}

/// One end of a link.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What this ticket is to the other.
    pub kind: LinkKind,
    /// The other.
    pub to: TicketId,
}
