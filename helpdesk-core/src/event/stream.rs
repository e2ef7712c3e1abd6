//! What has a history or a version of its own, and its name.

use crate::actor::Author;
use crate::article::{ArticleVote, RevisionRecord};
use crate::id::{
    AgentId, ArticleId, ContactId, OrganizationId, SearchSessionId, TenantId, TicketId,
    derived_command_id,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of a stored thing with a history or a version of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// A ticket with its offer.
    Case,
    /// A contact.
    Contact,
    /// An organization.
    Organization,
    /// An agent.
    Agent,
    /// An agent's presence.
    Presence,
    /// An agent's load: versioned, without events, recomputable.
    Load,
    /// The configuration: one stream a tenant, its id the tenant's.
    Config,
    /// Blocks of ticket numbers: versioned, without events.
    Numbers,
    /// An article of the knowledge base.
    Article,
    /// A revision of an article, with its text: versioned, without events.
    Revision,
    /// A person's vote on an article: versioned, without events.
    Vote,
    /// How far a consumer of the journal has read: versioned, without events.
    Checkpoint,
    /// A search session: versioned, without events.
    SearchSession,
}

impl StreamKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Case,
        Self::Contact,
        Self::Organization,
        Self::Agent,
        Self::Presence,
        Self::Load,
        Self::Config,
        Self::Numbers,
        Self::Article,
        Self::Revision,
        Self::Vote,
        Self::Checkpoint,
        Self::SearchSession,
    ];

    /// The kind as it stands in JSON and in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Contact => "contact",
            Self::Organization => "organization",
            Self::Agent => "agent",
            Self::Presence => "presence",
            Self::Load => "load",
            Self::Config => "config",
            Self::Numbers => "numbers",
            Self::Article => "article",
            Self::Revision => "revision",
            Self::Vote => "vote",
            Self::Checkpoint => "checkpoint",
            Self::SearchSession => "search_session",
        }
    }
}

/// Names one stored thing of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// Its kind.
    pub kind: StreamKind,
    /// Its id.
    pub id: Uuid,
}

impl StreamId {
    /// The stream of a ticket's case.
    #[must_use]
    pub fn case(id: TicketId) -> Self {
        Self { kind: StreamKind::Case, id: id.0 }
    }

    /// The stream of a contact.
    #[must_use]
    pub fn contact(id: ContactId) -> Self {
        Self { kind: StreamKind::Contact, id: id.0 }
    }

    /// The stream of an organization.
    #[must_use]
    pub fn organization(id: OrganizationId) -> Self {
        Self { kind: StreamKind::Organization, id: id.0 }
    }

    /// The stream of an agent.
    #[must_use]
    pub fn agent(id: AgentId) -> Self {
        Self { kind: StreamKind::Agent, id: id.0 }
    }

    /// The stream of an agent's presence.
    #[must_use]
    pub fn presence(id: AgentId) -> Self {
        Self { kind: StreamKind::Presence, id: id.0 }
    }

    /// The record of an agent's load.
    #[must_use]
    pub fn load(id: AgentId) -> Self {
        Self { kind: StreamKind::Load, id: id.0 }
    }

    /// The stream of a tenant's configuration.
    #[must_use]
    pub fn config(tenant: TenantId) -> Self {
        Self { kind: StreamKind::Config, id: tenant.0 }
    }

    /// The stream of an article.
    #[must_use]
    pub fn article(id: ArticleId) -> Self {
        Self { kind: StreamKind::Article, id: id.0 }
    }

    /// The record of a revision of an article.
    #[must_use]
    pub fn revision(article: ArticleId, number: u32) -> Self {
        Self { kind: StreamKind::Revision, id: RevisionRecord::id(article, number) }
    }

    /// The record of a person's vote on an article; `None` for who is no person.
    #[must_use]
    pub fn vote(article: ArticleId, by: Author) -> Option<Self> {
        Some(Self { kind: StreamKind::Vote, id: ArticleVote::id(article, by)? })
    }

    /// The record of how far a consumer of the journal has read, by its name.
    #[must_use]
    pub fn checkpoint(name: &str) -> Self {
        let id = derived_command_id(&[b"checkpoint", name.as_bytes()]).0;
        Self { kind: StreamKind::Checkpoint, id }
    }

    /// The record of a search session.
    #[must_use]
    pub fn search_session(id: SearchSessionId) -> Self {
        Self { kind: StreamKind::SearchSession, id: id.0 }
    }

    /// The record of a tenant's ticket numbers.
    #[must_use]
    pub fn numbers(tenant: TenantId) -> Self {
        Self { kind: StreamKind::Numbers, id: tenant.0 }
    }
}
