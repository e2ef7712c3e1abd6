//! Who gives a command or asks a query.
//!
//! The host authenticates; the engine believes the [`Actor`] it is given and
//! decides what that actor may do. Source: spec/access.md.

use crate::fault::{Code, Rejection};
use crate::id::{AgentId, ContactId, Key, OrganizationId, TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;
use uuid::Uuid;

/// What an actor is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Somebody who is not signed in: reads what is public of the knowledge base, and no more.
    Visitor,
    /// A contact: asks, answers, sees only what is public.
    Requester,
    /// A person who answers tickets.
    Agent,
    /// A program that acts like an agent; never counted as human.
    Bot,
    /// The host itself, and the engine's own timers.
    System,
    /// A one-time load of history.
    Import,
}

/// What an all-powerful actor names to exist, so that none comes about by accident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// May do everything in its tenant.
    ActAsSystem,
    /// May import history, and do everything else an administrator may.
    ActAsImport,
}

/// Who gives a command or asks a query.
///
/// ```
/// use helpdesk_core::actor::{Actor, Capability};
/// use helpdesk_core::id::{AgentId, TenantId};
/// let tenant = TenantId(uuid::Uuid::from_u128(1));
/// let agent = Actor::agent(tenant, AgentId(uuid::Uuid::from_u128(2)));
/// let system = Actor::system(tenant, Capability::ActAsSystem);
/// assert!(agent.agent_id().is_some() && system.agent_id().is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The tenant in which everything happens.
    pub tenant: TenantId,
    /// What the actor is.
    pub kind: ActorKind,
    /// A contact's id for a requester, an agent's for an agent or bot; none for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Roles by key. Empty: those of the stored agent, else the kind's own role.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Key>,
    /// Groups by key. Empty: those of the stored agent.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<Key>,
    /// A requester's organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// Where the request came from; kept in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The person for whom another acts; kept in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Uuid>,
    /// Named by `system` and `import` actors, which are refused without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
}

impl Actor {
    /// Somebody of whom nothing is known.
    #[must_use]
    pub fn visitor(tenant: TenantId) -> Self {
        Self::of(tenant, ActorKind::Visitor, None, None)
    }

    /// A requester: the contact with this id.
    #[must_use]
    pub fn requester(tenant: TenantId, id: ContactId) -> Self {
        Self::of(tenant, ActorKind::Requester, Some(id.0), None)
    }

    /// An agent; roles and groups are those of the stored agent unless set.
    #[must_use]
    pub fn agent(tenant: TenantId, id: AgentId) -> Self {
        Self::of(tenant, ActorKind::Agent, Some(id.0), None)
    }

    /// A bot with an agent's id.
    #[must_use]
    pub fn bot(tenant: TenantId, id: AgentId) -> Self {
        Self::of(tenant, ActorKind::Bot, Some(id.0), None)
    }

    /// An actor that may do everything in its tenant, or import into it.
    #[must_use]
    pub fn system(tenant: TenantId, capability: Capability) -> Self {
        let kind = match capability {
            Capability::ActAsSystem => ActorKind::System,
            Capability::ActAsImport => ActorKind::Import,
        };
        Self::of(tenant, kind, None, Some(capability))
    }

    /// The same actor in these roles.
    #[must_use]
    pub fn with_roles(mut self, roles: impl IntoIterator<Item = Key>) -> Self {
        self.roles = roles.into_iter().collect();
        self
    }

    /// The same actor in these groups.
    #[must_use]
    pub fn with_groups(mut self, groups: impl IntoIterator<Item = Key>) -> Self {
        self.groups = groups.into_iter().collect();
        self
    }

    /// The same requester in this organization.
    #[must_use]
    pub fn with_organization(mut self, organization: OrganizationId) -> Self {
        self.organization = Some(organization);
        self
    }

    /// The contact that acts, if one does.
    #[must_use]
    pub fn contact_id(&self) -> Option<ContactId> {
        (self.kind == ActorKind::Requester).then_some(self.id).flatten().map(ContactId)
    }

    /// The agent or bot that acts, if one does.
    #[must_use]
    pub fn agent_id(&self) -> Option<AgentId> {
        matches!(self.kind, ActorKind::Agent | ActorKind::Bot)
            .then_some(self.id)
            .flatten()
            .map(AgentId)
    }

    /// The actor as the author of a message.
    #[must_use]
    pub fn author(&self) -> Author {
        match (self.kind, self.id) {
            (ActorKind::Requester, Some(id)) => Author::Contact { id: ContactId(id) },
            (ActorKind::Agent, Some(id)) => Author::Agent { id: AgentId(id) },
            (ActorKind::Bot, Some(id)) => Author::Bot { id: AgentId(id) },
            _ => Author::System,
        }
    }

    /// Checks that the parts fit each other.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] when a requester, agent or bot has no id, or a visitor has one, and
    /// [`Code::Forbidden`] when a system or import actor lacks its capability.
    pub fn check(&self) -> Result<(), Rejection> {
        let needed = match self.kind {
            ActorKind::Visitor => {
                return match self.id {
                    None => Ok(()),
                    Some(_) => Err(Rejection::at(
                        Code::Invalid,
                        "actor.id",
                        "a visitor is nobody known: who has an id is a requester",
                    )),
                };
            }
            ActorKind::Requester | ActorKind::Agent | ActorKind::Bot => {
                return match self.id {
                    Some(_) => Ok(()),
                    None => Err(Rejection::at(
                        Code::Invalid,
                        "actor.id",
                        "this kind of actor needs an id",
                    )),
                };
            }
            ActorKind::System => Capability::ActAsSystem,
            ActorKind::Import => Capability::ActAsImport,
        };
        if self.capability == Some(needed) {
            return Ok(());
        }
        let name =
            if needed == Capability::ActAsSystem { "act_as_system" } else { "act_as_import" };
        Err(Rejection::at(
            Code::Forbidden,
            "actor.capability",
            format!("this kind of actor must name `{name}`"),
        ))
    }

    fn of(
        tenant: TenantId,
        kind: ActorKind,
        id: Option<Uuid>,
        capability: Option<Capability>,
    ) -> Self {
        Self {
            tenant,
            kind,
            id,
            roles: BTreeSet::new(),
            groups: BTreeSet::new(),
            organization: None,
            ip: None,
            on_behalf_of: None,
            capability,
        }
    }
}

/// Who wrote a message.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Author {
    /// A contact.
    Contact {
        /// Who.
        id: ContactId,
    },
    /// A human agent.
    Agent {
        /// Who.
        id: AgentId,
    },
    /// A bot.
    Bot {
        /// Which.
        id: AgentId,
    },
    /// The desk itself.
    System,
}

impl Author {
    /// Whether a contact wrote it.
    #[must_use]
    pub fn is_contact(self) -> bool {
        matches!(self, Self::Contact { .. })
    }

    /// Whether a human agent wrote it.
    #[must_use]
    pub fn is_human_agent(self) -> bool {
        matches!(self, Self::Agent { .. })
    }
}
