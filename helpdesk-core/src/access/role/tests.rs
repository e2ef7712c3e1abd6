//! What roles mean for one actor.

use super::*;
use crate::actor::Capability;
use crate::agent::Capacity;
use crate::id::{OrganizationId, TenantId};
use crate::ticket::custom::CustomValue;
use crate::ticket::priority::Priority;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const ANNA: AgentId = AgentId(Uuid::from_u128(2));
const RITA: ContactId = ContactId(Uuid::from_u128(3));
const ACME: OrganizationId = OrganizationId(Uuid::from_u128(4));

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn keys(texts: &[&str]) -> BTreeSet<Key> {
    texts.iter().map(|text| key(text)).collect()
}

fn stored(roles: &[&str], groups: &[&str], active: bool) -> Agent {
    Agent {
        id: ANNA,
        name: "Anna".to_owned(),
        email: None,
        roles: keys(roles).into_iter().collect(),
        groups: keys(groups).into_iter().collect(),
        skills: Vec::new(),
        languages: Vec::new(),
        capacity: Capacity::default(),
        tier: None,
        shift: None,
        manager: None,
        active,
    }
}

fn scope_of(actor: &Actor, permission: Permission, agent: Option<&Agent>, shares: bool) -> Scope {
    scope(actor, permission, &AccessContext { roles: &RoleTable::default(), agent, shares })
}

#[test]
fn a_requester_sees_own_tickets_and_those_of_an_organization_that_shares() {
    let rita = Actor::requester(TENANT, RITA).with_organization(ACME);
    assert_eq!(scope_of(&rita, Permission::Read, None, false), Scope::Participant(RITA));
    assert_eq!(
        scope_of(&rita, Permission::Read, None, true),
        Scope::Or(vec![Scope::Participant(RITA), Scope::Organizations([ACME].into())])
    );
    assert_eq!(scope_of(&rita, Permission::Solve, None, false), Scope::Requester(RITA));
    assert_eq!(scope_of(&rita, Permission::ReadNotes, None, true), Scope::None);
}

#[test]
fn a_requester_never_gets_what_is_for_the_desks_own_people() {
    let rita = Actor::requester(TENANT, RITA)
        .with_roles([key("admin"), key("agent")])
        .with_groups([key("support")]);
    for permission in Permission::ALL.iter().filter(|p| !p.fits_requesters()) {
        assert_eq!(scope_of(&rita, *permission, None, true), Scope::None, "{permission}");
    }
    // The groups of `agent` do not reach a requester; the host's `admin` does.
    let rita =
        Actor::requester(TENANT, RITA).with_roles([key("agent")]).with_groups([key("support")]);
    assert_eq!(scope_of(&rita, Permission::Read, None, true), Scope::None);
}

#[test]
fn an_agent_sees_own_groups_tickets_without_a_group_and_own_tickets() {
    let anna = Actor::agent(TENANT, ANNA);
    let stored = stored(&[], &["billing"], true);
    let wanted =
        Scope::Or(vec![Scope::Groups(keys(&["billing"])), Scope::NoGroup, Scope::Assigned(ANNA)]);
    assert_eq!(scope_of(&anna, Permission::Read, Some(&stored), false), wanted);
    assert_eq!(scope_of(&anna, Permission::Redact, Some(&stored), false), Scope::None);
}

#[test]
fn roles_and_groups_are_the_actors_else_the_stored_agents_else_the_kinds() {
    let anna = Actor::agent(TENANT, ANNA);
    let lead = stored(&["team_lead"], &["billing"], true);
    assert_ne!(scope_of(&anna, Permission::Redact, Some(&lead), false), Scope::None);
    let light = anna.clone().with_roles([key("light_agent")]).with_groups([key("tech")]);
    assert_eq!(scope_of(&light, Permission::Redact, Some(&lead), false), Scope::None);
    assert_eq!(
        scope_of(&light, Permission::Read, Some(&lead), false),
        Scope::Or(vec![Scope::Groups(keys(&["tech"])), Scope::Assigned(ANNA)])
    );
    assert_ne!(scope_of(&anna, Permission::Claim, None, false), Scope::None);
    let bot = Actor::bot(TENANT, ANNA);
    assert_eq!(scope_of(&bot, Permission::TakeNext, None, false), Scope::None);
    assert_ne!(scope_of(&bot, Permission::Claim, None, false), Scope::None);
}

#[test]
fn a_deactivated_agent_may_do_nothing_and_the_system_everything() {
    let gone = stored(&["admin"], &[], false);
    let system = Actor::system(TENANT, Capability::ActAsSystem);
    let import = Actor::system(TENANT, Capability::ActAsImport);
    for permission in Permission::ALL {
        let anna = Actor::agent(TENANT, ANNA).with_roles([key("admin")]);
        assert_eq!(scope_of(&anna, *permission, Some(&gone), false), Scope::None);
        assert_eq!(scope_of(&anna, *permission, None, false), Scope::All);
        assert_eq!(scope_of(&system, *permission, None, false), Scope::All);
        assert_eq!(scope_of(&import, *permission, None, false), Scope::All);
    }
}

#[test]
fn scopes_of_several_roles_are_joined() {
    let own = RoleDef {
        key: key("auditor"),
        name: String::new(),
        may: [(Permission::Read, Reach::All), (Permission::Reply, Reach::Assigned)].into(),
    };
    let roles = RoleTable::new(vec![own]);
    let context = AccessContext { roles: &roles, agent: None, shares: false };
    let anna = Actor::agent(TENANT, ANNA)
        .with_roles([key("auditor"), key("light_agent"), key("no_such_role")])
        .with_groups([key("tech")]);
    assert_eq!(scope(&anna, Permission::Read, &context), Scope::All);
    assert_eq!(scope(&anna, Permission::Reply, &context), Scope::Assigned(ANNA));
    assert!(may(&anna, Permission::AddNote, &context));
    assert!(!may(&anna, Permission::Assign, &context));
}

#[test]
fn an_own_role_with_a_built_in_key_replaces_it() {
    let own = RoleDef { key: key("agent"), name: String::new(), may: BTreeMap::new() };
    let roles = RoleTable::new(vec![own]);
    let context = AccessContext { roles: &roles, agent: None, shares: false };
    assert!(!may(&Actor::agent(TENANT, ANNA), Permission::Read, &context));
}

#[test]
fn a_requester_changes_public_custom_fields_alone() {
    let custom =
        |field: &str| Change::SetCustom { field: key(field), to: Some(CustomValue::Boolean(true)) };
    let is_public = |field: &Key| *field == "shown";
    assert!(may_change(ActorKind::Requester, &custom("shown"), is_public));
    assert!(!may_change(ActorKind::Requester, &custom("hidden"), is_public));
    let priority = Change::SetPriority { to: Some(Priority::Urgent) };
    assert!(!may_change(ActorKind::Requester, &priority, is_public));
    assert!(may_change(ActorKind::Agent, &priority, is_public));
}
