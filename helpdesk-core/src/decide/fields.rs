//! Plain fields, snoozing, followers, spam and deletion.

use super::guard;
use super::ownership;
use super::place;
use super::work::{Work, not_found};
use crate::command::{FollowTicket, Snooze};
use crate::desk::Desk;
use crate::effect::{AgentNews, Effect};
use crate::event::{Event, UnassignedWhy};
use crate::fault::{Code, Fault, Rejection};
use crate::id::{Key, TicketId};
use crate::limit::{
    CHANGES_MAX, FOLLOWERS_MAX, SKILLS_MAX, SUBJECT_CHARS_MAX, TAG_CHARS_MAX, TAGS_MAX,
};
use crate::ticket::change::Change;
use crate::ticket::custom::{CustomValue, CustomValues, FieldOwner};
use crate::ticket::priority::SkillLevel;
use crate::ticket::{Follower, Ticket};
use std::collections::BTreeMap;

pub(super) fn update_ticket(
    work: &mut Work<'_>,
    id: TicketId,
    changes: &[Change],
) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    if changes.len() > CHANGES_MAX {
        let n = changes.len();
        return Err(Fault::over_limit("changes", n, "changes", CHANGES_MAX).into());
    }
    let mut faults = Vec::new();
    let mut checked = Vec::with_capacity(changes.len());
    for (i, change) in changes.iter().enumerate() {
        match check_change(work, change) {
            Ok(change) => checked.push(change),
            Err(mut found) => {
                faults.extend(found.drain(..).map(|fault| fault.under(&format!("changes[{i}]"))));
            }
        }
    }
    if !faults.is_empty() {
        return Err(Rejection::many(faults));
    }
    let mut after = work.case(id)?.ticket.clone();
    let mut effective = Vec::with_capacity(checked.len());
    for change in checked {
        make(&mut after, change, &mut effective);
        if let Some(priority) = matrix_priority(work, &after, effective.last()) {
            make(&mut after, priority, &mut effective);
        }
    }
    if after.tags.len() > TAGS_MAX {
        let n = after.tags.len();
        return Err(Fault::over_limit("changes", n, "tags", TAGS_MAX).into());
    }
    if effective.is_empty() {
        return Ok(());
    }
    let asks_for_others =
        effective.iter().any(|change| matches!(change, Change::RequireSkills { .. }));
    work.on_case(id, Event::Updated { changes: effective })?;
    // Others may have what is asked now, and come at other times.
    if asks_for_others { place::seek_given(work, id) } else { Ok(()) }
}

/// Whether the desk has what a change sets.
pub(super) fn fits(work: &Work<'_>, change: &Change) -> bool {
    check_value(work, change).is_ok()
}

fn make(after: &mut Ticket, change: Change, effective: &mut Vec<Change>) {
    if !change.is_no_change(after) {
        change.apply(after);
        effective.push(change);
    }
}

/// Impact and urgency, once both are set, give the priority.
fn matrix_priority(work: &Work<'_>, after: &Ticket, last: Option<&Change>) -> Option<Change> {
    if !matches!(last, Some(Change::SetImpact { .. } | Change::SetUrgency { .. })) {
        return None;
    }
    let priority = work.ctx.desk.priority_of(after.impact?, after.urgency?)?;
    Some(Change::SetPriority { to: Some(priority) })
}

/// Checks one change and puts it in its one form.
fn check_change(work: &Work<'_>, change: &Change) -> Result<Change, Vec<Fault>> {
    guard::may_change(work, change).map_err(|fault| vec![fault])?;
    check_value(work, change)
}

/// Checks what a change sets, whoever sets it.
fn check_value(work: &Work<'_>, change: &Change) -> Result<Change, Vec<Fault>> {
    let desk = work.ctx.desk;
    let one =
        |result: Result<(), Fault>| result.map(|()| change.clone()).map_err(|fault| vec![fault]);
    match change {
        Change::SetSubject { to } => match checked_subject(to, "to") {
            Ok(to) => Ok(Change::SetSubject { to }),
            Err(fault) => Err(vec![fault]),
        },
        Change::AddTags { tags } => checked_tags(tags, "tags").map(|tags| Change::AddTags { tags }),
        Change::RemoveTags { tags } => {
            let tags = tags.iter().map(|tag| tag.trim().to_owned()).collect();
            Ok(Change::RemoveTags { tags })
        }
        Change::SetLanguage { to: Some(to) } => match checked_language(to) {
            Ok(to) => Ok(Change::SetLanguage { to: Some(to) }),
            Err(fault) => Err(vec![fault.under("to")]),
        },
        Change::SetBrand { to: Some(to) } => one(defined("brand", to, desk.brand(to).is_some())),
        Change::SetTier { to: Some(to) } => one(defined("tier", to, desk.tier(to).is_some())),
        Change::SetRequester { to } => {
            one(known("contact", work.contact(*to).is_some_and(|c| c.joined_into.is_none())))
        }
        Change::SetOrganization { to: Some(to) } => {
            one(known("organization", work.organization(*to).is_some()))
        }
        Change::SetCustom { field, to } => match checked_value(work, field, to.clone()) {
            Ok(to) => Ok(Change::SetCustom { field: field.clone(), to }),
            Err(fault) => Err(vec![fault]),
        },
        Change::RequireSkills { skills } => {
            checked_skills(work, skills).map(|skills| Change::RequireSkills { skills })
        }
        Change::PreferSkills { skills } => {
            checked_skills(work, skills).map(|skills| Change::PreferSkills { skills })
        }
        Change::SetPriority { .. }
        | Change::SetImpact { .. }
        | Change::SetUrgency { .. }
        | Change::SetType { .. }
        | Change::SetLanguage { to: None }
        | Change::SetBrand { to: None }
        | Change::SetTier { to: None }
        | Change::SetOrganization { to: None } => Ok(change.clone()),
    }
}

fn defined(kind: &str, key: &Key, is_there: bool) -> Result<(), Fault> {
    if is_there {
        return Ok(());
    }
    Err(Fault::new("to", Code::NotConfigured, format!("the desk has no {kind} `{key}`")))
}

fn known(kind: &str, is_there: bool) -> Result<(), Fault> {
    if is_there { Ok(()) } else { Err(Fault::new("to", Code::NotFound, format!("no such {kind}"))) }
}

pub(super) fn checked_subject(subject: &str, path: &str) -> Result<String, Fault> {
    let subject = subject.trim();
    let n = subject.chars().count();
    if n == 0 {
        return Err(Fault::new(path, Code::RequiredField, "a ticket needs a subject"));
    }
    if n > SUBJECT_CHARS_MAX {
        return Err(Fault::over_limit(path, n, "chars", SUBJECT_CHARS_MAX));
    }
    Ok(subject.to_owned())
}

pub(super) fn checked_language(code: &str) -> Result<String, Fault> {
    let fits =
        (2..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if fits {
        return Ok(code.to_owned());
    }
    Err(Fault::invalid("", format!("`{code}` is no language code like `en` or `bg`")))
}

/// Tags trimmed, sorted, without doubles.
pub(super) fn checked_tags(tags: &[String], path: &str) -> Result<Vec<String>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut checked: Vec<String> = tags.iter().map(|tag| tag.trim().to_owned()).collect();
    for (i, tag) in checked.iter().enumerate() {
        let n = tag.chars().count();
        if n == 0 {
            faults.push(Fault::invalid(format!("{path}[{i}]"), "an empty tag"));
        }
        if n > TAG_CHARS_MAX {
            faults.push(Fault::over_limit(format!("{path}[{i}]"), n, "chars", TAG_CHARS_MAX));
        }
    }
    checked.sort();
    checked.dedup();
    if checked.len() > TAGS_MAX {
        faults.push(Fault::over_limit(path, checked.len(), "tags", TAGS_MAX));
    }
    if faults.is_empty() { Ok(checked) } else { Err(faults) }
}

fn checked_skills(work: &Work<'_>, skills: &[SkillLevel]) -> Result<Vec<SkillLevel>, Vec<Fault>> {
    skill_list(work.ctx.desk, skills, "skills")
}

/// Skills that the desk defines, at levels 1–10, sorted, each once.
pub(super) fn skill_list(
    desk: &Desk,
    skills: &[SkillLevel],
    path: &str,
) -> Result<Vec<SkillLevel>, Vec<Fault>> {
    let mut faults = Vec::new();
    for (i, skill) in skills.iter().enumerate() {
        if desk.skill(&skill.skill).is_none() {
            let message = format!("the desk has no skill `{}`", skill.skill);
            faults.push(Fault::new(format!("{path}[{i}].skill"), Code::NotConfigured, message));
        }
        if !(1..=10).contains(&skill.level) {
            faults.push(Fault::invalid(format!("{path}[{i}].level"), "a level is 1 to 10"));
        }
    }
    let mut sorted = skills.to_vec();
    sorted.sort();
    if sorted.windows(2).any(|pair| pair[0].skill == pair[1].skill) {
        faults.push(Fault::new(path, Code::Duplicate, "a skill is named twice"));
    }
    if sorted.len() > SKILLS_MAX {
        faults.push(Fault::over_limit(path, sorted.len(), "skills", SKILLS_MAX));
    }
    if faults.is_empty() { Ok(sorted) } else { Err(faults) }
}

fn checked_value(
    work: &Work<'_>,
    field: &Key,
    value: Option<CustomValue>,
) -> Result<Option<CustomValue>, Fault> {
    custom_value(work, FieldOwner::Ticket, field, value, "to")
}

/// A custom value by its definition.
pub(super) fn custom_value(
    work: &Work<'_>,
    owner: FieldOwner,
    field: &Key,
    value: Option<CustomValue>,
    path: &str,
) -> Result<Option<CustomValue>, Fault> {
    let Some(definition) = work.ctx.desk.field(owner, field) else {
        let message = format!("the desk has no custom field `{field}` there");
        return Err(Fault::new(path, Code::NotConfigured, message));
    };
    value.map(|value| definition.normalize(value)).transpose().map_err(|fault| fault.under(path))
}

/// All custom values of a new ticket.
pub(super) fn checked_custom(
    work: &Work<'_>,
    custom: &BTreeMap<Key, CustomValue>,
    path: &str,
) -> Result<CustomValues, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut checked = CustomValues::new();
    for (key, value) in custom {
        let path = format!("{path}.{key}");
        match custom_value(work, FieldOwner::Ticket, key, Some(value.clone()), &path) {
            Ok(Some(value)) => {
                checked.insert(key.clone(), value);
            }
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(checked) } else { Err(faults) }
}

pub(super) fn snooze(work: &mut Work<'_>, snooze: &Snooze) -> Result<(), Rejection> {
    let id = snooze.ticket;
    work.made.ticket = Some(id);
    if snooze.until <= work.now {
        return Err(Rejection::at(Code::Invalid, "until", "snooze until after now"));
    }
    let ticket = &work.case(id)?.ticket;
    if !ticket.category.is_unsolved() {
        let message = format!("only unsolved tickets are snoozed; this one is {}", ticket.category);
        return Err(Rejection::new(Code::Invalid, message));
    }
    if ticket.snoozed_until == Some(snooze.until) {
        return Ok(());
    }
    work.on_case(id, Event::Snoozed { until: snooze.until })
}

pub(super) fn wake(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    let ticket = &work.case(id)?.ticket;
    if ticket.snoozed_until.is_none() {
        return Ok(());
    }
    let assignee = ticket.assignee;
    work.on_case(id, Event::Woken)?;
    match assignee {
        Some(agent) => {
            work.wish(Effect::NotifyAgent { ticket: id, agent, news: AgentNews::Woken });
            Ok(())
        }
        None => place::seek(work, id),
    }
}

pub(super) fn add_follower(work: &mut Work<'_>, follow: &FollowTicket) -> Result<(), Rejection> {
    work.made.ticket = Some(follow.ticket);
    match follow.follower {
        Follower::Agent { id } => {
            work.agent(id)?;
        }
        Follower::Contact { id } => {
            if work.contact(id).is_none_or(|contact| contact.joined_into.is_some()) {
                return Err(not_found("contact", id));
            }
        }
    }
    let ticket = &work.case(follow.ticket)?.ticket;
    if ticket.followers.contains(&follow.follower) {
        return Ok(());
    }
    if ticket.followers.len() >= FOLLOWERS_MAX {
        let message = format!("a ticket has at most {FOLLOWERS_MAX} followers");
        return Err(Rejection::at(Code::OverLimit, "follower", message));
    }
    work.on_case(follow.ticket, Event::FollowerAdded { follower: follow.follower })
}

pub(super) fn remove_follower(work: &mut Work<'_>, follow: &FollowTicket) -> Result<(), Rejection> {
    work.made.ticket = Some(follow.ticket);
    if !work.case(follow.ticket)?.ticket.followers.contains(&follow.follower) {
        return Ok(());
    }
    work.on_case(follow.ticket, Event::FollowerRemoved { follower: follow.follower })
}

pub(super) fn mark_spam(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    if work.case(id)?.ticket.spam {
        return Ok(());
    }
    ownership::rescind_offer(work, id)?;
    work.on_case(id, Event::MarkedSpam)
}

pub(super) fn unmark_spam(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    if !work.case(id)?.ticket.spam {
        return Ok(());
    }
    work.on_case(id, Event::UnmarkedSpam)?;
    back(work, id)
}

pub(super) fn delete(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    if work.case(id)?.ticket.deleted {
        return Ok(());
    }
    ownership::rescind_offer(work, id)?;
    work.on_case(id, Event::Deleted)
}

pub(super) fn restore(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    if !work.case(id)?.ticket.deleted {
        return Ok(());
    }
    work.on_case(id, Event::Restored)?;
    back(work, id)
}

/// A ticket that is in lists again: an assignee who went meanwhile loses it, and
/// one that waits is sought an agent for.
fn back(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let ticket = &work.case(id)?.ticket;
    if ticket.assignee.is_some_and(|agent| work.ctx.roster.active(agent).is_none()) {
        ownership::release(work, id, UnassignedWhy::Deactivated)?;
    }
    place::seek(work, id)
}
