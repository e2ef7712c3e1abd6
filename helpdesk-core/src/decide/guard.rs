//! What is checked before a command does anything: access, version, state.

use super::work::{Work, not_found};
use crate::access::permission::Permission;
use crate::access::reading::Reading;
use crate::access::role::{self, AccessContext};
use crate::access::scope::Scope;
use crate::actor::{Actor, ActorKind};
use crate::agent::Roster;
use crate::case::record::Record;
use crate::command::Command;
use crate::contact::Organization;
use crate::desk::Desk;
use crate::event::StreamId;
use crate::fault::{Code, Fault, Rejection};
use crate::id::{AgentId, ArticleId, Key, TicketId};
use crate::ticket::Ticket;
use crate::ticket::change::Change;
use crate::ticket::custom::FieldOwner;
use crate::ticket::status::StatusCategory;
use std::collections::BTreeSet;

/// What access looks at for an actor: roles, the stored agent, whether the
/// requester's organization shares its tickets.
#[must_use]
pub fn access_context<'a>(
    actor: &Actor,
    desk: &'a Desk,
    roster: &'a Roster,
    organization: Option<&Organization>,
) -> AccessContext<'a> {
    let agent = actor.agent_id().and_then(|id| roster.get(id)).map(|entry| &*entry.agent);
    AccessContext {
        roles: desk.roles(),
        agent,
        shares: organization.is_some_and(|organization| organization.shares_tickets),
    }
}

fn context<'a>(work: &Work<'a>) -> AccessContext<'a> {
    let actor = work.ctx.actor;
    let organization = actor.organization.and_then(|id| work.organization(id));
    access_context(actor, work.ctx.desk, work.ctx.roster, organization)
}

fn scope(work: &Work<'_>, permission: Permission) -> Scope {
    role::scope(work.ctx.actor, permission, &context(work))
}

pub(super) fn roles(work: &Work<'_>) -> BTreeSet<Key> {
    role::roles_of(work.ctx.actor, &context(work))
}

pub(super) fn is_in_any(work: &Work<'_>, groups: &[Key]) -> bool {
    let is_host = matches!(work.ctx.actor.kind, ActorKind::System | ActorKind::Import);
    let own = role::groups_of(work.ctx.actor, &context(work));
    is_host || groups.iter().any(|group| own.contains(group))
}

/// Whether the actor may give this command at all, and on its ticket.
pub(super) fn may(work: &Work<'_>, command: &Command) -> Result<(), Rejection> {
    let Some(permission) = command.permission() else {
        // Only the engine itself fires timers.
        return match work.ctx.actor.kind {
            ActorKind::System => Ok(()),
            _ => Err(Rejection::new(Code::Forbidden, "timers are fired by the engine")),
        };
    };
    let scope = scope(work, permission);
    if let Some(ticket) = command.ticket() {
        sees(work, ticket)?;
        let answers_offer = matches!(command, Command::AcceptOffer(_) | Command::RejectOffer(_))
            && is_offered(work, ticket);
        if !answers_offer && !scope.permits(&work.case(ticket)?.ticket) {
            return Err(forbidden(command.name()));
        }
        return state(work, command, ticket);
    }
    if let Some(article) = command.article() {
        sees_article(work, article)?;
    }
    if scope == Scope::None { Err(forbidden(command.name())) } else { Ok(()) }
}

/// Whether the article exists in the actor's eyes.
fn sees_article(work: &Work<'_>, id: ArticleId) -> Result<(), Rejection> {
    let actor = work.ctx.actor;
    let contact = actor.contact_id().and_then(|id| work.contact(id));
    let organization = actor.organization.and_then(|id| work.organization(id));
    let reading = Reading::of(actor, &context(work), contact, organization);
    match work.find_article(id).and_then(|article| reading.revision(article)) {
        Some(_) => Ok(()),
        None => Err(not_found("article", id)),
    }
}

fn forbidden(name: &str) -> Rejection {
    Rejection::new(Code::Forbidden, format!("the actor may not `{name}` here"))
}

/// Whether the ticket is offered to the actor, who may be of another group then.
fn is_offered(work: &Work<'_>, id: TicketId) -> bool {
    let offer = work.find_case(id).and_then(|case| case.offer.as_ref());
    offer.is_some_and(|offer| Some(offer.agent) == work.ctx.actor.agent_id())
}

/// Whether the ticket exists in the actor's eyes.
pub(super) fn sees(work: &Work<'_>, id: TicketId) -> Result<(), Rejection> {
    sees_as(work, id, "ticket")
}

pub(super) fn sees_as(work: &Work<'_>, id: TicketId, path: &str) -> Result<(), Rejection> {
    let reads = scope(work, Permission::Read);
    let is_requester = work.ctx.actor.kind == ActorKind::Requester;
    let case = work.find_case(id).filter(|case| {
        let permits = reads.permits(&case.ticket) || is_offered(work, id);
        // Requesters see neither spam nor what was deleted.
        permits && (case.ticket.is_live() || !is_requester)
    });
    match case {
        Some(_) => Ok(()),
        None => Err(Rejection::at(Code::NotFound, path, format!("no ticket `{id}`"))),
    }
}

/// Whether the ticket's state lets the command pass.
pub(super) fn state(work: &Work<'_>, command: &Command, id: TicketId) -> Result<(), Rejection> {
    let ticket = &work.case(id)?.ticket;
    if ticket.deleted && !on_deleted(command) {
        return Err(Rejection::new(
            Code::Deleted,
            format!("ticket {} is deleted: restore it first", ticket.number),
        ));
    }
    if ticket.category == StatusCategory::Closed && !on_closed(work.ctx.actor, command) {
        let message = format!("ticket {} is closed: open a follow-up instead", ticket.number);
        return Err(Rejection::new(Code::Closed, message));
    }
    Ok(())
}

fn on_deleted(command: &Command) -> bool {
    matches!(
        command,
        Command::DeleteTicket(_)
            | Command::RestoreTicket(_)
            | Command::Redact(_)
            | Command::EraseFromTicket(_)
    )
}

/// A closed ticket is immutable; what privacy asks for, and what opens another
/// ticket, still passes.
fn on_closed(actor: &Actor, command: &Command) -> bool {
    match command {
        Command::Reply(_) => actor.kind == ActorKind::Requester,
        Command::FollowUp(_)
        | Command::MarkSeen(_)
        | Command::Redact(_)
        | Command::EraseFromTicket(_)
        | Command::DeleteTicket(_)
        | Command::RestoreTicket(_) => true,
        _ => false,
    }
}

/// Whether the thing, a ticket or an article, still is as the actor saw it.
pub(super) fn version(work: &Work<'_>, stream: StreamId, what: &str) -> Result<(), Rejection> {
    let Some(expected) = work.ctx.expected_version else { return Ok(()) };
    let actual = work.loaded.stream(stream).map_or(0, |stored| stored.version);
    if actual == expected {
        return Ok(());
    }
    let message = format!("the {what} is at version {actual}, not {expected}: look again");
    Err(Rejection {
        actual: Some(actual),
        ..Rejection::at(Code::Conflict, "expected_version", message)
    })
}

/// Whether the actor may change this field.
pub(super) fn may_change(work: &Work<'_>, change: &Change) -> Result<(), Fault> {
    let is_public = |key: &Key| {
        work.ctx.desk.field(FieldOwner::Ticket, key).is_some_and(|definition| definition.public)
    };
    if role::may_change(work.ctx.actor.kind, change, is_public) {
        return Ok(());
    }
    Err(Fault::new(
        "type",
        Code::Forbidden,
        format!("the actor may not change `{}`", change.field()),
    ))
}

pub(super) fn may_edit_any_note(work: &Work<'_>, id: TicketId) -> Result<(), Rejection> {
    may_on(work, Permission::EditAnyNote, &work.case(id)?.ticket, "edit another's note")
}

fn may_on(
    work: &Work<'_>,
    permission: Permission,
    ticket: &Ticket,
    what: &str,
) -> Result<(), Rejection> {
    if scope(work, permission).permits(ticket) { Ok(()) } else { Err(forbidden(what)) }
}

/// Whether the actor may make this agent responsible: themselves, a member of
/// one of their groups, or anybody with the wider permission.
pub(super) fn may_assign_to(
    work: &Work<'_>,
    id: TicketId,
    agent: AgentId,
) -> Result<(), Rejection> {
    let entry = work.ctx.roster.active(agent);
    let Some(entry) = entry else {
        return Err(Rejection::at(Code::NotFound, "agent", format!("no agent `{agent}`")));
    };
    let is_own = work.ctx.actor.agent_id() == Some(agent) || is_in_any(work, &entry.agent.groups);
    if is_own || scope(work, Permission::AssignToAnyMember).permits(&work.case(id)?.ticket) {
        return Ok(());
    }
    Err(Rejection::at(Code::Forbidden, "agent", "the agent is in none of the actor's groups"))
}

pub(super) fn may_set_presence_of_others(work: &Work<'_>) -> Result<(), Rejection> {
    match scope(work, Permission::SetPresenceOfOthers) {
        Scope::None => Err(forbidden("set the presence of others")),
        _ => Ok(()),
    }
}

/// The presence that was loaded, for changes of it.
pub(super) fn loaded_presence(
    work: &Work<'_>,
    agent: AgentId,
) -> Result<Option<crate::agent::Presence>, Rejection> {
    match work.record(StreamId::presence(agent)) {
        Some(Record::Presence(presence)) => Ok(Some(presence.clone())),
        Some(_) => Err(not_found("presence", agent)),
        None => Ok(None),
    }
}
