//! Status changes, by hand and by themselves.

use super::ownership;
use super::place;
use super::work::Work;
use crate::actor::ActorKind;
use crate::case::apply::after_seconds;
use crate::condition::{Facts, Field};
use crate::event::{Event, StatusWhy};
use crate::fault::{Code, Fault, Rejection};
use crate::id::{Key, TicketId};
use crate::ticket::status::{StatusCategory, StatusDef, TransitionDef};
use crate::trace::Step;

/// The desk's status with this key.
pub(super) fn configured<'a>(work: &Work<'a>, key: &Key) -> Result<&'a StatusDef, Rejection> {
    work.ctx.desk.statuses().get(key).ok_or_else(|| {
        let known: Vec<&str> =
            work.ctx.desk.statuses().statuses().iter().map(|s| s.key.as_str()).collect();
        let message = format!("the desk has no status `{key}`: it has {}", known.join(", "));
        Rejection::at(Code::NotConfigured, "status", message)
    })
}

/// Sets a status that somebody chose: the table, roles and required fields are checked.
pub(super) fn set_by_hand(work: &mut Work<'_>, id: TicketId, key: &Key) -> Result<(), Rejection> {
    set_checked(work, id, key, StatusWhy::ByHand)
}

pub(super) fn set_checked(
    work: &mut Work<'_>,
    id: TicketId,
    key: &Key,
    why: StatusWhy,
) -> Result<(), Rejection> {
    let to = configured(work, key)?;
    work.made.ticket = Some(id);
    let ticket = &work.case(id)?.ticket;
    if ticket.status == to.key {
        return Ok(());
    }
    let from = configured(work, &ticket.status)?;
    if let Some(transition) = work.ctx.desk.statuses().step(from, to)? {
        check_transition(work, id, transition)?;
    }
    set(work, id, to, why)
}

fn check_transition(
    work: &Work<'_>,
    id: TicketId,
    transition: &TransitionDef,
) -> Result<(), Rejection> {
    let actor = work.ctx.actor;
    let is_host = matches!(actor.kind, ActorKind::System | ActorKind::Import);
    if !transition.roles.is_empty() && !is_host {
        let roles = super::guard::roles(work);
        if !transition.roles.iter().any(|role| roles.contains(role)) {
            let names: Vec<&str> = transition.roles.iter().map(Key::as_str).collect();
            let message = format!("this transition is for {}", names.join(", "));
            return Err(Rejection::at(Code::Forbidden, "status", message));
        }
    }
    let facts = place::facts(work, id)?;
    let missing: Vec<Fault> = transition
        .requires
        .iter()
        .filter(|name| !name.parse::<Field>().is_ok_and(|field| is_set(&facts, &field)))
        .map(|name| {
            Fault::new(name, Code::RequiredField, format!("`{name}` must be set for this status"))
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Rejection::many(missing)) }
}

fn is_set(facts: &impl Facts, field: &Field) -> bool {
    facts.value(field).is_some() || facts.text(field).is_some_and(|text| !text.is_empty())
}

/// Sets the default status of a category by itself, where the desk's table has
/// such a step; else the status stays and the trace says so.
pub(super) fn automatic(
    work: &mut Work<'_>,
    id: TicketId,
    category: StatusCategory,
    why: StatusWhy,
) -> Result<(), Rejection> {
    let table = work.ctx.desk.statuses();
    let to = table.default_of(category);
    let ticket = &work.case(id)?.ticket;
    let from = table.get(&ticket.status);
    // A status that a later configuration dropped leads anywhere.
    if from.is_some_and(|from| table.step(from, to).is_err()) {
        let step = Step::NoTransition { from: ticket.status.clone(), to: to.key.clone() };
        work.trace(step);
        return Ok(());
    }
    set(work, id, to, why)
}

fn set(work: &mut Work<'_>, id: TicketId, to: &StatusDef, why: StatusWhy) -> Result<(), Rejection> {
    let case = work.case(id)?;
    if case.ticket.status == to.key {
        return Ok(());
    }
    let was = case.ticket.category;
    let from = case.ticket.status.clone();
    let counts = case.ticket.assignee.is_some() && work.ctx.desk.counts(to.category);
    let closes = work.ctx.desk.auto_close_after_seconds();
    let auto_close_at = closes
        .filter(|_| to.category == StatusCategory::Solved)
        .and_then(|seconds| after_seconds(work.now, seconds));
    let event = Event::StatusSet {
        from,
        to: to.key.clone(),
        category: to.category,
        why,
        counts,
        auto_close_at,
    };
    work.on_case(id, event)?;
    if !to.category.waits_for_agent() {
        ownership::rescind_offer(work, id)?;
    }
    if was.waits_for_agent() || !to.category.waits_for_agent() {
        return Ok(());
    }
    if was == StatusCategory::Solved {
        return place::after_reopen(work, id);
    }
    // Nobody had it while others were to act: it waits for an agent again.
    place::seek(work, id)
}

/// The status that the desk gives after an agent's public reply.
pub(super) fn after_reply(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let Some(to) = work.ctx.desk.status_after_reply() else { return Ok(()) };
    let ticket = &work.case(id)?.ticket;
    if !ticket.category.is_unsolved() {
        return Ok(());
    }
    let from = work.ctx.desk.statuses().get(&ticket.status);
    if from.is_some_and(|from| work.ctx.desk.statuses().step(from, to).is_err()) {
        let step = Step::NoTransition { from: ticket.status.clone(), to: to.key.clone() };
        work.trace(step);
        return Ok(());
    }
    set(work, id, to, StatusWhy::AgentReplied)
}

pub(super) fn solve(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    if work.case(id)?.ticket.category == StatusCategory::Solved {
        work.made.ticket = Some(id);
        return Ok(());
    }
    let key = work.ctx.desk.statuses().default_of(StatusCategory::Solved).key.clone();
    set_by_hand(work, id, &key)
}

pub(super) fn reopen(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let category = work.case(id)?.ticket.category;
    if category != StatusCategory::Solved {
        let message = format!("only solved tickets are reopened; this one is {category}");
        return Err(Rejection::new(Code::NoSuchTransition, message));
    }
    let key = work.ctx.desk.statuses().default_of(StatusCategory::Open).key.clone();
    set_by_hand(work, id, &key)
}

pub(super) fn close(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let key = work.ctx.desk.statuses().default_of(StatusCategory::Closed).key.clone();
    set_by_hand(work, id, &key)
}
