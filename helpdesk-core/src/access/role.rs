//! Roles: permissions, each with how far it reaches; and what that means for one actor.

use super::permission::Permission;
use super::scope::Scope;
use crate::actor::{Actor, ActorKind};
use crate::agent::Agent;
use crate::id::{AgentId, ContactId, Key};
use crate::ticket::change::Change;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// On which tickets a permission counts.
///
/// Where a permission is not about tickets (`create_contact`, `manage_config`)
/// any reach will do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// A requester's: those they asked for, and their organization's where it
    /// shares. An agent's: those assigned to them.
    Own,
    /// As `own`, and those a requester is on copy of.
    Participant,
    /// Those assigned to the agent.
    Assigned,
    /// Those of the agent's groups, and those assigned to the agent.
    Groups,
    /// As `groups`, and those without a group.
    GroupsOrNone,
    /// Every ticket.
    All,
}

/// A role: permissions, each with its reach. What is absent is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleDef {
    /// Its key; that of a built-in role replaces it.
    pub key: Key,
    /// What people read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it allows, and on which tickets.
    #[schemars(extend("propertyNames" = permission_names()))]
    pub may: BTreeMap<Permission, Reach>,
}

fn permission_names() -> serde_json::Value {
    let names: Vec<&str> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    serde_json::json!({ "enum": names })
}

/// The keys of the built-in roles, each row of spec/access.md's table.
pub const BUILT_IN_ROLES: &[&str] =
    &["requester", "light_agent", "agent", "team_lead", "admin", "bot"];

/// All roles of a desk: the built-in ones and its own.
///
/// ```
/// use helpdesk_core::access::{permission::Permission, role::{Reach, RoleTable}};
/// use helpdesk_core::id::Key;
/// let roles = RoleTable::default();
/// let agent = roles.get(&Key::new("agent")?).map(|role| role.may.clone()).unwrap_or_default();
/// assert_eq!(agent.get(&Permission::Reply), Some(&Reach::GroupsOrNone));
/// assert_eq!(agent.get(&Permission::Redact), None);
/// # Ok::<(), helpdesk_core::fault::Fault>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTable {
    roles: BTreeMap<Key, RoleDef>,
}

impl Default for RoleTable {
    /// The built-in roles.
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl RoleTable {
    /// The built-in roles and these; one with a built-in key replaces it.
    #[must_use]
    pub fn new(own: Vec<RoleDef>) -> Self {
        let all = BUILT_IN_ROLES.iter().filter_map(|key| built_in(key)).chain(own);
        Self { roles: all.map(|role| (role.key.clone(), role)).collect() }
    }

    /// The role with this key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&RoleDef> {
        self.roles.get(key)
    }

    /// All roles, by key.
    pub fn iter(&self) -> impl Iterator<Item = &RoleDef> {
        self.roles.values()
    }
}

/// What is known of an actor beside itself.
#[derive(Debug, Clone, Copy)]
pub struct AccessContext<'a> {
    /// The desk's roles.
    pub roles: &'a RoleTable,
    /// The stored agent with the actor's id, if there is one.
    pub agent: Option<&'a Agent>,
    /// Whether the requester's organization shares its tickets.
    pub shares: bool,
}

/// On which tickets the actor may do this: the union over the actor's roles.
///
/// Roles and groups are those the actor names, else those of the stored
/// agent; without a role it is the kind's own (`requester`, `agent`, `bot`). A
/// role that the desk does not have grants nothing. System and import actors
/// may do everything, a deactivated agent nothing; a visitor, whatever its roles, only
/// notes what was searched. Source: spec/access.md.
///
/// ```
/// use helpdesk_core::access::{permission::Permission, role::{AccessContext, RoleTable, scope}, scope::Scope};
/// use helpdesk_core::actor::Actor;
/// use helpdesk_core::id::{ContactId, TenantId};
/// use uuid::Uuid;
/// let roles = RoleTable::default();
/// let context = AccessContext { roles: &roles, agent: None, shares: false };
/// let anna = ContactId(Uuid::from_u128(2));
/// let actor = Actor::requester(TenantId(Uuid::from_u128(1)), anna);
/// assert_eq!(scope(&actor, Permission::Read, &context), Scope::Participant(anna));
/// assert_eq!(scope(&actor, Permission::Assign, &context), Scope::None);
/// ```
#[must_use]
pub fn scope(actor: &Actor, permission: Permission, context: &AccessContext<'_>) -> Scope {
    match actor.kind {
        ActorKind::System | ActorKind::Import => return Scope::All,
        ActorKind::Visitor if permission == Permission::RecordSearch => return Scope::All,
        ActorKind::Visitor => return Scope::None,
        ActorKind::Requester if !permission.fits_requesters() => return Scope::None,
        ActorKind::Requester => {}
        ActorKind::Agent | ActorKind::Bot if context.agent.is_some_and(|agent| !agent.active) => {
            return Scope::None;
        }
        ActorKind::Agent | ActorKind::Bot => {}
    }
    let reaches: BTreeSet<Reach> = roles_of(actor, context)
        .iter()
        .filter_map(|key| context.roles.get(key)?.may.get(&permission).copied())
        .collect();
    let mut parts = Vec::new();
    for reach in reaches {
        for part in reach_of(reach, actor, context) {
            if part == Scope::All {
                return Scope::All;
            }
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    match parts.len() {
        0 => Scope::None,
        1 => parts.remove(0),
        _ => Scope::Or(parts),
    }
}

/// Whether the actor may do this on some ticket, or at all where it is not
/// about tickets.
#[must_use]
pub fn may(actor: &Actor, permission: Permission, context: &AccessContext<'_>) -> bool {
    scope(actor, permission, context) != Scope::None
}

/// Whether an actor of this kind may make this change at all, with
/// `update_ticket` or while opening a ticket. A requester only sets custom
/// fields of tickets that are public.
#[must_use]
pub fn may_change(kind: ActorKind, change: &Change, is_public: impl Fn(&Key) -> bool) -> bool {
    match kind {
        ActorKind::Agent | ActorKind::Bot | ActorKind::System | ActorKind::Import => true,
        ActorKind::Visitor => false,
        ActorKind::Requester => match change {
            Change::SetCustom { field, .. } => is_public(field),
            Change::SetSubject { .. }
            | Change::SetPriority { .. }
            | Change::SetImpact { .. }
            | Change::SetUrgency { .. }
            | Change::SetType { .. }
            | Change::SetLanguage { .. }
            | Change::SetBrand { .. }
            | Change::SetTier { .. }
            | Change::SetRequester { .. }
            | Change::SetOrganization { .. }
            | Change::AddTags { .. }
            | Change::RemoveTags { .. }
            | Change::RequireSkills { .. }
            | Change::PreferSkills { .. } => false,
        },
    }
}

/// The actor's roles: its own, else the stored agent's, else the kind's.
#[must_use]
pub fn roles_of(actor: &Actor, context: &AccessContext<'_>) -> BTreeSet<Key> {
    if !actor.roles.is_empty() {
        return actor.roles.clone();
    }
    let own = match actor.kind {
        ActorKind::Visitor => "visitor",
        ActorKind::Requester => "requester",
        ActorKind::Agent => "agent",
        ActorKind::Bot => "bot",
        ActorKind::System | ActorKind::Import => "admin",
    };
    match context.agent {
        Some(agent) if actor.kind != ActorKind::Requester && !agent.roles.is_empty() => {
            agent.roles.iter().cloned().collect()
        }
        _ => Key::new(own).into_iter().collect(),
    }
}

/// The actor's groups: its own, else the stored agent's.
#[must_use]
pub fn groups_of(actor: &Actor, context: &AccessContext<'_>) -> BTreeSet<Key> {
    if !actor.groups.is_empty() {
        return actor.groups.clone();
    }
    context.agent.map(|agent| agent.groups.iter().cloned().collect()).unwrap_or_default()
}

fn reach_of(reach: Reach, actor: &Actor, context: &AccessContext<'_>) -> Vec<Scope> {
    match reach {
        Reach::All => return vec![Scope::All],
        Reach::Own | Reach::Participant => {}
        // A requester is in no group, whatever the actor says.
        Reach::Groups | Reach::GroupsOrNone | Reach::Assigned => {
            return actor.agent_id().map_or_else(Vec::new, |agent| {
                agent_reach(reach, agent, groups_of(actor, context))
            });
        }
    }
    match (actor.contact_id(), actor.agent_id()) {
        (Some(contact), _) => requester_reach(reach, contact, actor, context),
        (None, Some(agent)) => vec![Scope::Assigned(agent)],
        (None, None) => Vec::new(),
    }
}

fn requester_reach(
    reach: Reach,
    contact: ContactId,
    actor: &Actor,
    context: &AccessContext<'_>,
) -> Vec<Scope> {
    let mut parts = vec![match reach {
        Reach::Participant => Scope::Participant(contact),
        _ => Scope::Requester(contact),
    }];
    if let (true, Some(organization)) = (context.shares, actor.organization) {
        parts.push(Scope::Organizations([organization].into()));
    }
    parts
}

fn agent_reach(reach: Reach, agent: AgentId, groups: BTreeSet<Key>) -> Vec<Scope> {
    let mut parts = Vec::new();
    if reach != Reach::Assigned && !groups.is_empty() {
        parts.push(Scope::Groups(groups));
    }
    if reach == Reach::GroupsOrNone {
        parts.push(Scope::NoGroup);
    }
    parts.push(Scope::Assigned(agent));
    parts
}

/// Source: spec/access.md, the table of roles.
fn built_in(key: &str) -> Option<RoleDef> {
    use Permission as P;
    let with = |permissions: &[P], reach: Reach| -> BTreeMap<P, Reach> {
        permissions.iter().map(|permission| (*permission, reach)).collect()
    };
    let (name, may) = match key {
        "requester" => {
            let mut may = with(REQUESTER, Reach::Own);
            // Who is on copy sees the ticket and may answer.
            may.extend(with(&[P::Read, P::Reply, P::AddAttachment], Reach::Participant));
            ("Requester", may)
        }
        "light_agent" => ("Light agent", with(LIGHT_AGENT, Reach::Groups)),
        "agent" | "bot" | "team_lead" => {
            let mut may = with(LIGHT_AGENT, Reach::GroupsOrNone);
            may.extend(with(AGENT, Reach::GroupsOrNone));
            may.insert(P::SetPresence, Reach::Own);
            match key {
                "agent" => ("Agent", may),
                "bot" => {
                    may.remove(&P::TakeNext);
                    ("Bot", may)
                }
                _ => {
                    may.extend(with(TEAM_LEAD, Reach::Groups));
                    ("Team lead", may)
                }
            }
        }
        "admin" => ("Administrator", with(P::ALL, Reach::All)),
        _ => return None,
    };
    Some(RoleDef { key: Key::new(key).ok()?, name: name.to_owned(), may })
}

const REQUESTER: &[Permission] = &[
    Permission::OpenTicket,
    Permission::Solve,
    Permission::Reopen,
    Permission::AddFollower,
    Permission::RemoveFollower,
    Permission::VoteArticle,
    Permission::RecordSearch,
];

const LIGHT_AGENT: &[Permission] = &[
    Permission::Read,
    Permission::ReadNotes,
    Permission::AddNote,
    Permission::EditNote,
    Permission::AddFollower,
    Permission::RemoveFollower,
    Permission::MarkSeen,
    Permission::ReadDrafts,
    Permission::VoteArticle,
    Permission::RecordSearch,
];

/// What an agent may beyond a light agent, but for the own presence.
const AGENT: &[Permission] = &[
    Permission::OpenTicket,
    Permission::Reply,
    Permission::AddAttachment,
    Permission::UpdateTicket,
    Permission::SetStatus,
    Permission::Solve,
    Permission::Reopen,
    Permission::Close,
    Permission::Snooze,
    Permission::Wake,
    Permission::MarkSpam,
    Permission::UnmarkSpam,
    Permission::DeleteTicket,
    Permission::RestoreTicket,
    Permission::Assign,
    Permission::Unassign,
    Permission::Claim,
    Permission::TakeNext,
    Permission::AcceptOffer,
    Permission::RejectOffer,
    Permission::Link,
    Permission::Unlink,
    Permission::SetParent,
    Permission::FollowUp,
    Permission::RunMacro,
    Permission::CreateContact,
    Permission::UpdateContact,
    Permission::SetDue,
    Permission::Escalate,
    Permission::Acknowledge,
    Permission::SaveArticle,
    Permission::SubmitArticle,
    Permission::RestoreArticleRevision,
];

/// What a team lead may beyond an agent.
const TEAM_LEAD: &[Permission] = &[
    Permission::AssignToAnyMember,
    Permission::Offer,
    Permission::RouteAgain,
    Permission::DeEscalate,
    Permission::Redact,
    Permission::RunMacroOnMany,
    Permission::ApplyChangesToMany,
    Permission::JoinContacts,
    Permission::PublishArticle,
    Permission::ArchiveArticle,
    Permission::Report,
];

#[cfg(test)]
mod tests;
