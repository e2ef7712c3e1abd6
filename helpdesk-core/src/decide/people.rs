//! Contacts, organizations and agents.

use super::fields::{checked_language, checked_tags, custom_value, skill_list};
use super::work::{Work, not_found};
use crate::agent::{Agent, AgentPatch};
use crate::case::record::UniqueKey;
use crate::command::{
    CreateAgent, CreateContact, CreateOrganization, JoinContacts, UpdateAgent, UpdateContact,
    UpdateOrganization,
};
use crate::contact::{
    Contact, ContactPatch, Identity, Organization, OrganizationPatch, is_zone_name,
};
use crate::desk::Desk;
use crate::event::{Event, StreamId, TimerKind};
use crate::fault::{Code, Fault, Rejection};
use crate::id::{AgentId, ContactId, Key, OrganizationId};
use crate::limit::{DOMAINS_MAX, IDENTITIES_MAX, NAME_CHARS_MAX, NOTES_BYTES_MAX, TAGS_MAX};
use crate::ticket::custom::{CustomValue, CustomValues, FieldOwner};
use std::collections::BTreeMap;

type Customs = BTreeMap<Key, Option<CustomValue>>;

fn done(faults: Vec<Fault>) -> Result<(), Rejection> {
    if faults.is_empty() { Ok(()) } else { Err(Rejection::many(faults)) }
}

fn checked_name(name: &str, path: &str, faults: &mut Vec<Fault>) -> String {
    let name = name.trim();
    let n = name.chars().count();
    if n == 0 {
        faults.push(Fault::invalid(path, "a name has one char at least"));
    }
    if n > NAME_CHARS_MAX {
        faults.push(Fault::over_limit(path, n, "chars", NAME_CHARS_MAX));
    }
    name.to_owned()
}

/// Identities in their one form; each must be free, or `own`'s already.
fn checked_identities(
    work: &Work<'_>,
    identities: &[Identity],
    own: Option<ContactId>,
    path: &str,
    faults: &mut Vec<Fault>,
) -> Vec<Identity> {
    let mut checked: Vec<Identity> = Vec::with_capacity(identities.len());
    for (i, identity) in identities.iter().enumerate() {
        let identity = identity.clone().normalized();
        let path = format!("{path}[{i}]");
        if !identity.is_plausible() {
            let message = format!("`{}` is no address, number or handle", identity.value);
            faults.push(Fault::invalid(format!("{path}.value"), message));
        }
        let holder = work.loaded.contact_by(&identity_key(&identity));
        if holder.is_some_and(|holder| Some(holder.id) != own) {
            let message = format!("another contact has `{}`: join the two", identity.value);
            faults.push(Fault::new(&path, Code::Duplicate, message));
        }
        crate::contact::add_identity(&mut checked, &identity);
    }
    if checked.len() > IDENTITIES_MAX {
        faults.push(Fault::over_limit(path, checked.len(), "identities", IDENTITIES_MAX));
    }
    checked
}

/// The key by which a contact is found by an identity.
pub(super) fn identity_key(identity: &Identity) -> UniqueKey {
    UniqueKey::Identity { key: identity.clone().normalized().lookup_key() }
}

/// A patch's custom values in their one form.
fn customs_of(
    work: &Work<'_>,
    owner: FieldOwner,
    customs: Option<&Customs>,
    path: &str,
    faults: &mut Vec<Fault>,
) -> Option<Customs> {
    let mut checked = Customs::new();
    for (key, value) in customs? {
        match custom_value(work, owner, key, value.clone(), &format!("{path}custom.{key}")) {
            Ok(value) => {
                checked.insert(key.clone(), value);
            }
            Err(fault) => faults.push(fault),
        }
    }
    Some(checked)
}

/// A patch's tags in their one form; none where it leaves them or they have faults.
fn tags_of(tags: Option<&Vec<String>>, path: &str, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
    match checked_tags(tags?, &format!("{path}tags")) {
        Ok(tags) => Some(tags),
        Err(found) => {
            faults.extend(found);
            None
        }
    }
}

fn checked_tier(work: &Work<'_>, tier: Option<&Option<Key>>, path: &str, faults: &mut Vec<Fault>) {
    if let Some(Some(tier)) = tier
        && work.ctx.desk.requester_tier(tier).is_none()
    {
        let message = format!("the desk has no requester tier `{tier}`");
        faults.push(Fault::new(format!("{path}requester_tier"), Code::NotConfigured, message));
    }
}

/// A contact's patch, checked and in its one form.
fn checked_patch(
    work: &Work<'_>,
    patch: &ContactPatch,
    own: Option<ContactId>,
    path: &str,
    faults: &mut Vec<Fault>,
) -> ContactPatch {
    let mut checked = patch.clone();
    if let Some(name) = &patch.name {
        checked.name = Some(checked_name(name, &format!("{path}name"), faults));
    }
    if let Some(identities) = &patch.add_identities {
        let path = format!("{path}add_identities");
        checked.add_identities = Some(checked_identities(work, identities, own, &path, faults));
    }
    if let Some(identities) = &patch.remove_identities {
        checked.remove_identities =
            Some(identities.iter().cloned().map(Identity::normalized).collect());
    }
    checked.tags = tags_of(patch.tags.as_ref(), path, faults);
    checked.custom = customs_of(work, FieldOwner::Contact, patch.custom.as_ref(), path, faults);
    if let Some(Some(language)) = &patch.language
        && let Err(fault) = checked_language(language)
    {
        faults.push(fault.under(&format!("{path}language")));
    }
    if let Some(Some(organization)) = patch.organization
        && work.organization(organization).is_none()
    {
        let message = format!("no organization `{organization}`");
        faults.push(Fault::new(format!("{path}organization"), Code::NotFound, message));
    }
    if let Some(notes) = &patch.notes
        && notes.len() > NOTES_BYTES_MAX
    {
        let path = format!("{path}notes");
        faults.push(Fault::over_limit(path, notes.len(), "bytes", NOTES_BYTES_MAX));
    }
    if let Some(Some(zone)) = &patch.time_zone
        && !is_zone_name(zone)
    {
        let message = "takes the name of a time zone, such as `Europe/Berlin`";
        faults.push(Fault::invalid(format!("{path}time_zone"), message));
    }
    checked_tier(work, patch.requester_tier.as_ref(), path, faults);
    checked
}

pub(super) fn create_contact(work: &mut Work<'_>, create: &CreateContact) -> Result<(), Rejection> {
    let mut faults = Vec::new();
    let name = checked_name(&create.name, "name", &mut faults);
    let identities = checked_identities(work, &create.identities, None, "identities", &mut faults);
    let patch = checked_patch(work, &create.details, None, "details.", &mut faults);
    done(faults)?;
    let id: ContactId = work.ids.derive();
    let mut contact = Contact::named(id, name);
    contact.identities = identities;
    patch.apply(&mut contact);
    if contact.organization.is_none() && patch.organization.is_none() {
        contact.organization = organization_by_domain(work, &contact);
    }
    for identity in &contact.identities {
        work.put_unique(identity_key(identity), StreamId::contact(id), false);
    }
    work.made.contact = Some(id);
    work.emit(StreamId::contact(id), Event::ContactCreated { contact: Box::new(contact) })
}

fn organization_by_domain(work: &Work<'_>, contact: &Contact) -> Option<OrganizationId> {
    contact.identities.iter().find_map(|identity| {
        let domain = identity.domain()?.to_owned();
        Some(OrganizationId(work.loaded.find(&UniqueKey::Domain { domain })?.id))
    })
}

pub(super) fn update_contact(work: &mut Work<'_>, update: &UpdateContact) -> Result<(), Rejection> {
    let id = update.contact;
    let Some(contact) = work.contact(id) else { return Err(not_found("contact", id)) };
    if let Some(into) = contact.joined_into {
        return Err(Rejection::new(Code::Merged, format!("the contact lives on in `{into}`")));
    }
    let before = contact.clone();
    let mut faults = Vec::new();
    let patch = checked_patch(work, &update.patch, Some(id), "patch.", &mut faults);
    done(faults)?;
    work.made.contact = Some(id);
    let mut after = before.clone();
    patch.apply(&mut after);
    if after.identities.len() > IDENTITIES_MAX {
        let (path, n) = ("patch.add_identities", after.identities.len());
        return Err(Fault::over_limit(path, n, "identities", IDENTITIES_MAX).into());
    }
    if after == before {
        return Ok(());
    }
    move_identities(work, id, &before.identities, &after.identities);
    work.emit(StreamId::contact(id), Event::ContactUpdated { patch: Box::new(patch) })
}

fn move_identities(work: &mut Work<'_>, id: ContactId, before: &[Identity], after: &[Identity]) {
    let has = |list: &[Identity], key: &UniqueKey| list.iter().any(|i| identity_key(i) == *key);
    for key in before.iter().map(identity_key) {
        if !has(after, &key) {
            work.remove_unique(key);
        }
    }
    for key in after.iter().map(identity_key) {
        if !has(before, &key) {
            work.put_unique(key, StreamId::contact(id), false);
        }
    }
}

/// `from` goes, `into` takes over its identities, tags and what was unset. Tickets
/// keep the requester they name; readers follow `joined_into`.
pub(super) fn join_contacts(work: &mut Work<'_>, join: &JoinContacts) -> Result<(), Rejection> {
    if join.from == join.into {
        return Err(Rejection::at(Code::Invalid, "into", "a contact is not joined with itself"));
    }
    for (path, id) in [("from", join.from), ("into", join.into)] {
        let Some(contact) = work.contact(id) else {
            return Err(Rejection::at(Code::NotFound, path, format!("no contact `{id}`")));
        };
        if let Some(other) = contact.joined_into {
            return Err(Rejection::at(
                Code::Merged,
                path,
                format!("the contact lives on in `{other}`"),
            ));
        }
    }
    let (Some(from), Some(into)) = (work.contact(join.from).cloned(), work.contact(join.into))
    else {
        return Err(not_found("contact", join.from));
    };
    let patch = absorbed(&from, into);
    let together = [
        ("identities", into.identities.len() + from.identities.len(), IDENTITIES_MAX),
        ("tags", patch.tags.as_ref().map_or(0, Vec::len), TAGS_MAX),
        ("bytes of notes", patch.notes.as_ref().map_or(0, String::len), NOTES_BYTES_MAX),
    ];
    for (what, n, max) in together {
        if n > max {
            return Err(Fault::over_limit("into", n, what, max).into());
        }
    }
    for identity in &from.identities {
        work.put_unique(identity_key(identity), StreamId::contact(join.into), true);
    }
    work.made.contact = Some(join.into);
    work.emit(StreamId::contact(join.from), Event::ContactJoined { into: join.into })?;
    let event = Event::ContactAbsorbed { from: join.from, patch: Box::new(patch) };
    work.emit(StreamId::contact(join.into), event)
}

fn absorbed(from: &Contact, into: &Contact) -> ContactPatch {
    let mut tags = into.tags.clone();
    crate::ticket::change::add_sorted(&mut tags, &from.tags);
    let unset = from.custom.iter().filter(|(key, _)| !into.custom.contains_key(*key));
    let notes = match (into.notes.as_str(), from.notes.as_str()) {
        (own, "") => own.to_owned(),
        ("", other) => other.to_owned(),
        (own, other) => format!("{own}\n\n{other}"),
    };
    let fill = |own: bool, other: bool| !own && other;
    ContactPatch {
        add_identities: Some(from.identities.clone()),
        tags: Some(tags),
        notes: Some(notes),
        custom: Some(unset.map(|(key, value)| (key.clone(), Some(value.clone()))).collect()),
        organization: fill(into.organization.is_some(), from.organization.is_some())
            .then_some(from.organization),
        language: fill(into.language.is_some(), from.language.is_some())
            .then(|| from.language.clone()),
        time_zone: fill(into.time_zone.is_some(), from.time_zone.is_some())
            .then(|| from.time_zone.clone()),
        requester_tier: fill(into.requester_tier.is_some(), from.requester_tier.is_some())
            .then(|| from.requester_tier.clone()),
        ..ContactPatch::default()
    }
}

/// An organization's patch, checked and in its one form.
fn checked_organization(
    work: &Work<'_>,
    patch: &OrganizationPatch,
    own: Option<OrganizationId>,
    path: &str,
    faults: &mut Vec<Fault>,
) -> OrganizationPatch {
    let mut checked = patch.clone();
    if let Some(name) = &patch.name {
        checked.name = Some(checked_name(name, &format!("{path}name"), faults));
    }
    if let Some(domains) = &patch.domains {
        checked.domains = Some(checked_domains(work, domains, own, path, faults));
    }
    checked.tags = tags_of(patch.tags.as_ref(), path, faults);
    let owner = FieldOwner::Organization;
    checked.custom = customs_of(work, owner, patch.custom.as_ref(), path, faults);
    checked_tier(work, patch.requester_tier.as_ref(), path, faults);
    checked
}

fn checked_domains(
    work: &Work<'_>,
    domains: &[String],
    own: Option<OrganizationId>,
    path: &str,
    faults: &mut Vec<Fault>,
) -> Vec<String> {
    let mut checked: Vec<String> = domains.iter().map(|domain| normal_domain(domain)).collect();
    for (i, domain) in checked.iter().enumerate() {
        let path = format!("{path}domains[{i}]");
        if domain.is_empty() || domain.contains(|c: char| c.is_whitespace() || c == '@') {
            faults.push(Fault::invalid(&path, format!("`{domain}` is no mail domain")));
        }
        let holder = work.loaded.find(&UniqueKey::Domain { domain: domain.clone() });
        if holder.is_some_and(|holder| Some(holder.id) != own.map(|id| id.0)) {
            let message = format!("another organization has `{domain}`");
            faults.push(Fault::new(&path, Code::Duplicate, message));
        }
    }
    checked.sort();
    checked.dedup();
    if checked.len() > DOMAINS_MAX {
        let path = format!("{path}domains");
        faults.push(Fault::over_limit(path, checked.len(), "domains", DOMAINS_MAX));
    }
    checked
}

/// A mail domain in its one form.
pub(super) fn normal_domain(domain: &str) -> String {
    domain.trim().trim_start_matches('@').trim_end_matches('.').to_lowercase()
}

pub(super) fn create_organization(
    work: &mut Work<'_>,
    create: &CreateOrganization,
) -> Result<(), Rejection> {
    let mut faults = Vec::new();
    let name = checked_name(&create.name, "name", &mut faults);
    let patch = checked_organization(work, &create.details, None, "details.", &mut faults);
    done(faults)?;
    let id: OrganizationId = work.ids.derive();
    let mut organization = Organization {
        id,
        name,
        domains: Vec::new(),
        tags: Vec::new(),
        requester_tier: None,
        shares_tickets: false,
        custom: CustomValues::new(),
    };
    patch.apply(&mut organization);
    for domain in organization.domains.clone() {
        work.put_unique(UniqueKey::Domain { domain }, StreamId::organization(id), false);
    }
    work.made.organization = Some(id);
    let event = Event::OrganizationCreated { organization: Box::new(organization) };
    work.emit(StreamId::organization(id), event)
}

pub(super) fn update_organization(
    work: &mut Work<'_>,
    update: &UpdateOrganization,
) -> Result<(), Rejection> {
    let id = update.organization;
    let Some(before) = work.organization(id).cloned() else {
        return Err(not_found("organization", id));
    };
    let mut faults = Vec::new();
    let patch = checked_organization(work, &update.patch, Some(id), "patch.", &mut faults);
    done(faults)?;
    work.made.organization = Some(id);
    let mut after = before.clone();
    patch.apply(&mut after);
    if after == before {
        return Ok(());
    }
    for domain in before.domains.iter().filter(|d| !after.domains.contains(d)) {
        work.remove_unique(UniqueKey::Domain { domain: domain.clone() });
    }
    for domain in after.domains.iter().filter(|d| !before.domains.contains(d)) {
        let key = UniqueKey::Domain { domain: domain.clone() };
        work.put_unique(key, StreamId::organization(id), false);
    }
    work.emit(StreamId::organization(id), Event::OrganizationUpdated { patch: Box::new(patch) })
}

/// An agent's patch, checked and in its one form: its lists sorted, each entry once,
/// its address normalized. `is_other` says who may be the agent's manager, `path` is
/// put before the paths of faults.
///
/// # Errors
///
/// Every [`Fault`]: what the desk does not define, what is out of bounds.
pub fn checked_agent(
    desk: &Desk,
    patch: &AgentPatch,
    is_other: impl Fn(AgentId) -> bool,
    path: &str,
) -> Result<AgentPatch, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut missing = |at: String, kind: &str, key: &Key| {
        let message = format!("the desk has no {kind} `{key}`");
        faults.push(Fault::new(format!("{path}{at}"), Code::NotConfigured, message));
    };
    for (i, role) in patch.roles.iter().flatten().enumerate() {
        if desk.roles().get(role).is_none() {
            missing(format!("roles[{i}]"), "role", role);
        }
    }
    for (i, group) in patch.groups.iter().flatten().enumerate() {
        if desk.group(group).is_none() {
            missing(format!("groups[{i}]"), "group", group);
        }
    }
    if let Some(Some(tier)) = &patch.tier
        && desk.tier(tier).is_none()
    {
        missing("tier".to_owned(), "tier", tier);
    }
    if let Some(Some(shift)) = &patch.shift
        && desk.calendar(shift).is_none()
    {
        missing("shift".to_owned(), "calendar", shift);
    }
    if let Some(name) = &patch.name {
        checked_name(name, &format!("{path}name"), &mut faults);
    }
    if let Some(Err(found)) =
        patch.skills.as_ref().map(|skills| skill_list(desk, skills, &format!("{path}skills")))
    {
        faults.extend(found);
    }
    for (i, language) in patch.languages.iter().flatten().enumerate() {
        if let Err(fault) = checked_language(language) {
            faults.push(fault.under(&format!("{path}languages[{i}]")));
        }
    }
    if let Some(Some(manager)) = patch.manager
        && !is_other(manager)
    {
        let message = format!("no other agent `{manager}`");
        faults.push(Fault::new(format!("{path}manager"), Code::NotFound, message));
    }
    if let Some(Some(email)) = &patch.email
        && !Identity::email(email).is_plausible()
    {
        let message = "takes a mail address, such as `amy@example.com`";
        faults.push(Fault::invalid(format!("{path}email"), message));
    }
    if let Some(capacity) = &patch.capacity
        && capacity.weights.values().any(|weight| *weight == 0)
    {
        faults.push(Fault::invalid(
            format!("{path}capacity.weights"),
            "a ticket takes one unit at least",
        ));
    }
    if faults.is_empty() { Ok(normalized(patch.clone())) } else { Err(faults) }
}

fn normalized(mut patch: AgentPatch) -> AgentPatch {
    if let Some(Some(email)) = &mut patch.email {
        *email = Identity::email(email).value;
    }
    if let Some(name) = &mut patch.name {
        *name = name.trim().to_owned();
    }
    for keys in [&mut patch.roles, &mut patch.groups].into_iter().flatten() {
        keys.sort();
        keys.dedup();
    }
    if let Some(skills) = &mut patch.skills {
        skills.sort();
    }
    if let Some(languages) = &mut patch.languages {
        languages.sort();
        languages.dedup();
    }
    patch
}

/// A patch of the agent with this id, as [`checked_agent`] has it.
fn patch_of(
    work: &Work<'_>,
    patch: &AgentPatch,
    own: Option<AgentId>,
    path: &str,
) -> Result<AgentPatch, Rejection> {
    let is_other = |id| Some(id) != own && work.ctx.roster.get(id).is_some();
    Ok(checked_agent(work.ctx.desk, patch, is_other, path)?)
}

pub(super) fn create_agent(work: &mut Work<'_>, create: &CreateAgent) -> Result<(), Rejection> {
    let roles = match (&create.roles[..], Key::new("agent")) {
        ([], Ok(role)) => vec![role],
        (roles, _) => roles.to_vec(),
    };
    let patch = AgentPatch {
        name: Some(create.name.clone()),
        roles: Some(roles),
        groups: Some(create.groups.clone()),
        skills: Some(create.skills.clone()),
        languages: Some(create.languages.clone()),
        capacity: Some(create.capacity.clone()),
        email: Some(create.email.clone()),
        tier: Some(create.tier.clone()),
        shift: Some(create.shift.clone()),
        manager: Some(create.manager),
    };
    let patch = patch_of(work, &patch, create.id, "")?;
    let id = create.id.unwrap_or_else(|| work.ids.derive());
    if work.ctx.roster.get(id).is_some() || work.loaded.stream(StreamId::agent(id)).is_some() {
        return Err(Rejection::at(Code::Duplicate, "id", format!("an agent `{id}` exists")));
    }
    let mut agent = Agent {
        id,
        name: String::new(),
        email: None,
        roles: Vec::new(),
        groups: Vec::new(),
        skills: Vec::new(),
        languages: Vec::new(),
        capacity: create.capacity.clone(),
        tier: None,
        shift: None,
        manager: None,
        active: true,
    };
    patch.apply(&mut agent);
    work.made.agent = Some(id);
    work.emit(StreamId::agent(id), Event::AgentCreated { agent: Box::new(agent) })
}

pub(super) fn update_agent(work: &mut Work<'_>, update: &UpdateAgent) -> Result<(), Rejection> {
    let id = update.agent;
    let entry = work.agent(id)?;
    let patch = patch_of(work, &update.patch, Some(id), "patch.")?;
    work.made.agent = Some(id);
    let mut after = (*entry.agent).clone();
    patch.apply(&mut after);
    if after == *entry.agent {
        return Ok(());
    }
    work.emit(StreamId::agent(id), Event::AgentUpdated { patch: Box::new(patch) })?;
    work.drain(id);
    Ok(())
}

/// The agent gets no more work; a timer takes what it holds, one by one.
pub(super) fn deactivate_agent(work: &mut Work<'_>, id: AgentId) -> Result<(), Rejection> {
    let Some(entry) = work.ctx.roster.get(id) else { return Err(not_found("agent", id)) };
    work.made.agent = Some(id);
    if !entry.agent.active {
        return Ok(());
    }
    work.emit(StreamId::agent(id), Event::AgentDeactivated)?;
    work.set_agent_timer(id, TimerKind::Unload, Some(work.now));
    Ok(())
}
