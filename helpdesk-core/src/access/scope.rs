//! Which tickets an actor may see: one tree that answers for one ticket and
//! for a list.

use crate::id::{AgentId, ContactId, Key, OrganizationId};
use crate::ticket::{Follower, Ticket};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The tickets that an actor may see, or act on.
///
/// [`Scope::permits`] and [`Scope::to_filter`] come from the same tree, so a
/// detail page and a list never disagree: `list(scope) == all.filter(permits)`.
/// Source: spec/access.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// No ticket.
    None,
    /// Every ticket of the tenant.
    All,
    /// Those this contact asked for.
    Requester(ContactId),
    /// Those this contact asked for or is on copy of.
    Participant(ContactId),
    /// Those of these organizations.
    Organizations(BTreeSet<OrganizationId>),
    /// Those of these groups.
    Groups(BTreeSet<Key>),
    /// Those of no group.
    NoGroup,
    /// Those this agent is responsible for.
    Assigned(AgentId),
    /// Those in all of these.
    And(Vec<Scope>),
    /// Those in any of these.
    Or(Vec<Scope>),
}

/// A [`Scope`] as backends take it: constants folded, nesting flattened, no
/// empty list inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// No ticket.
    Never,
    /// Every ticket.
    Always,
    /// `requester = id`.
    RequesterIs(ContactId),
    /// `requester = id` or the contact is on copy.
    ParticipantIs(ContactId),
    /// `organization in ids`; never empty.
    OrganizationIn(Vec<OrganizationId>),
    /// `group in keys`; never empty.
    GroupIn(Vec<Key>),
    /// `group` is unset.
    GroupUnset,
    /// `assignee = id`.
    AssigneeIs(AgentId),
    /// All of these; two at least, none of them `All`, `Always` or `Never`.
    All(Vec<Filter>),
    /// Any of these; two at least, none of them `Any`, `Always` or `Never`.
    Any(Vec<Filter>),
}

impl Scope {
    /// Whether this ticket is in the scope.
    #[must_use]
    pub fn permits(&self, ticket: &Ticket) -> bool {
        self.has(ticket)
    }

    /// The same, of a ticket that an index knows.
    #[must_use]
    pub fn permits_facts(&self, facts: &ScopeFacts) -> bool {
        self.has(facts)
    }

    fn has(&self, it: &impl Scoped) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Requester(id) => it.requester() == *id,
            Self::Participant(id) => it.has_participant(*id),
            Self::Organizations(ids) => it.organization().is_some_and(|id| ids.contains(&id)),
            Self::Groups(keys) => it.group().is_some_and(|key| keys.contains(key)),
            Self::NoGroup => it.group().is_none(),
            Self::Assigned(id) => it.assignee() == Some(*id),
            Self::And(scopes) => scopes.iter().all(|scope| scope.has(it)),
            Self::Or(scopes) => scopes.iter().any(|scope| scope.has(it)),
        }
    }

    /// The same set of tickets, as backends take it.
    #[must_use]
    pub fn to_filter(&self) -> Filter {
        match self {
            Self::None => Filter::Never,
            Self::All => Filter::Always,
            Self::Requester(id) => Filter::RequesterIs(*id),
            Self::Participant(id) => Filter::ParticipantIs(*id),
            Self::Organizations(ids) if ids.is_empty() => Filter::Never,
            Self::Organizations(ids) => Filter::OrganizationIn(ids.iter().copied().collect()),
            Self::Groups(keys) if keys.is_empty() => Filter::Never,
            Self::Groups(keys) => Filter::GroupIn(keys.iter().cloned().collect()),
            Self::NoGroup => Filter::GroupUnset,
            Self::Assigned(id) => Filter::AssigneeIs(*id),
            Self::And(scopes) => all_of(scopes.iter().map(Self::to_filter)),
            Self::Or(scopes) => any_of(scopes.iter().map(Self::to_filter)),
        }
    }
}

/// What scopes look at.
trait Scoped {
    fn requester(&self) -> ContactId;
    fn has_participant(&self, id: ContactId) -> bool;
    fn organization(&self) -> Option<OrganizationId>;
    fn group(&self) -> Option<&Key>;
    fn assignee(&self) -> Option<AgentId>;
}

impl Scoped for Ticket {
    fn requester(&self) -> ContactId {
        self.requester
    }

    fn has_participant(&self, id: ContactId) -> bool {
        Ticket::has_participant(self, id)
    }

    fn organization(&self) -> Option<OrganizationId> {
        self.organization
    }

    fn group(&self) -> Option<&Key> {
        self.group.as_ref()
    }

    fn assignee(&self) -> Option<AgentId> {
        self.assignee
    }
}

/// What scopes look at of a ticket: enough to answer [`Scope::permits_facts`] without
/// the ticket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScopeFacts {
    /// Who asked.
    pub requester: ContactId,
    /// Contacts on copy, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_copy: Vec<ContactId>,
    /// The organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Key>,
    /// The agent responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<AgentId>,
}

impl From<&Ticket> for ScopeFacts {
    fn from(ticket: &Ticket) -> Self {
        let mut on_copy: Vec<ContactId> = ticket
            .followers
            .iter()
            .filter_map(|follower| match follower {
                Follower::Contact { id } => Some(*id),
                Follower::Agent { .. } => None,
            })
            .collect();
        on_copy.sort_unstable();
        Self {
            requester: ticket.requester,
            on_copy,
            organization: ticket.organization,
            group: ticket.group.clone(),
            assignee: ticket.assignee,
        }
    }
}

impl Scoped for ScopeFacts {
    fn requester(&self) -> ContactId {
        self.requester
    }

    fn has_participant(&self, id: ContactId) -> bool {
        self.requester == id || self.on_copy.binary_search(&id).is_ok()
    }

    fn organization(&self) -> Option<OrganizationId> {
        self.organization
    }

    fn group(&self) -> Option<&Key> {
        self.group.as_ref()
    }

    fn assignee(&self) -> Option<AgentId> {
        self.assignee
    }
}

fn all_of(filters: impl Iterator<Item = Filter>) -> Filter {
    let mut parts = Vec::new();
    for filter in filters {
        match filter {
            Filter::Never => return Filter::Never,
            Filter::Always => {}
            Filter::All(inner) => parts.extend(inner),
            other => parts.push(other),
        }
    }
    match parts.len() {
        0 => Filter::Always,
        1 => parts.remove(0),
        _ => Filter::All(parts),
    }
}

fn any_of(filters: impl Iterator<Item = Filter>) -> Filter {
    let mut parts = Vec::new();
    for filter in filters {
        match filter {
            Filter::Always => return Filter::Always,
            Filter::Never => {}
            Filter::Any(inner) => parts.extend(inner),
            other => parts.push(other),
        }
    }
    match parts.len() {
        0 => Filter::Never,
        1 => parts.remove(0),
        _ => Filter::Any(parts),
    }
}
