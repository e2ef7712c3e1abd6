//! Who may read a document: what all documents of one class have in common.

use helpdesk_core::access::scope::ScopeFacts;
use helpdesk_core::article::Visibility;
use serde::{Deserialize, Serialize};

/// Who may read a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    /// An article, by its visibility.
    Article(Visibility),
    /// A ticket, by what scopes look at.
    Ticket {
        /// What of its texts the document has.
        texts: Texts,
        /// Whose it is.
        of: ScopeFacts,
    },
}

/// What of a ticket's texts a document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Texts {
    /// All there are; nothing in them is internal.
    Whole,
    /// What is public, of a ticket that has internal texts too.
    Public,
    /// All there are, internal ones among them.
    Internal,
}

/// Whether the asker may read what has this audience.
pub(crate) type Sees<'a> = &'a dyn Fn(&Audience) -> bool;
