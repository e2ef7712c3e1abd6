//! Which articles an actor may read: one test for a page, a list, a vote and a search.

use super::permission::Permission;
use super::role::{self, AccessContext};
use crate::actor::{Actor, ActorKind};
use crate::article::{ArticleMeta, Revision, Visibility};
use crate::contact::{Contact, Organization};

/// Which articles an actor may read, and in which revision.
///
/// Source: spec/desk.md, "Article"; spec/access.md.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// What is out and public.
    Public,
    /// What is out and visible to a requester.
    Requester {
        /// Their tags and those of their organization.
        tags: Vec<String>,
    },
    /// What is out, to whomever it is visible.
    Published,
    /// Everything, drafts too.
    Drafts,
}

impl Reading {
    /// What this actor may read. `contact` is a requester's own record.
    ///
    /// A deactivated agent reads what anybody does.
    #[must_use]
    pub fn of(
        actor: &Actor,
        context: &AccessContext<'_>,
        contact: Option<&Contact>,
        organization: Option<&Organization>,
    ) -> Self {
        match actor.kind {
            ActorKind::Visitor => Self::Public,
            ActorKind::System | ActorKind::Import => Self::Drafts,
            ActorKind::Requester => {
                let own = contact.into_iter().flat_map(|contact| &contact.tags);
                let of_company = organization.into_iter().flat_map(|company| &company.tags);
                let mut tags: Vec<String> = own.chain(of_company).cloned().collect();
                tags.sort();
                tags.dedup();
                Self::Requester { tags }
            }
            ActorKind::Agent | ActorKind::Bot => {
                if role::may(actor, Permission::ReadDrafts, context) {
                    Self::Drafts
                } else if context.agent.is_some_and(|agent| !agent.active) {
                    Self::Public
                } else {
                    Self::Published
                }
            }
        }
    }

    /// The revision of an article that is read so; `None` where the article does not
    /// exist for the reader.
    #[must_use]
    pub fn revision<'a>(&self, article: &'a ArticleMeta) -> Option<&'a Revision> {
        match self {
            Self::Drafts => Some(&article.newest),
            Self::Public | Self::Requester { .. } | Self::Published => {
                article.published.as_ref().filter(|out| self.sees(&out.visibility))
            }
        }
    }

    /// Whether what is visible like this is visible to the reader. A segment without tags
    /// is visible to agents only; tags are compared char by char.
    #[must_use]
    pub fn sees(&self, visibility: &Visibility) -> bool {
        match (self, visibility) {
            (Self::Drafts | Self::Published, _) | (_, Visibility::Public) => true,
            (Self::Requester { .. }, Visibility::SignedIn) => true,
            (Self::Requester { tags }, Visibility::Segment(segment)) => {
                segment.iter().any(|tag| tags.contains(tag))
            }
            (Self::Public | Self::Requester { .. }, _) => false,
        }
    }
}
