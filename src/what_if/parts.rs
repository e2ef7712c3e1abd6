//! The parts of what is done again: whom a queue asks, how a ticket was opened, what
//! is left of a command that does not fit.

use super::history::Deed;
use super::perform::NO_TEXT;
use helpdesk_core::agent::RosterEntry;
use helpdesk_core::command::{Command, OpenTicket, UpdateTicket};
use helpdesk_core::desk::Desk;
use helpdesk_core::fault::Rejection;
use helpdesk_core::id::Key;
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::change::Change;
use helpdesk_core::ticket::message::{MessageKind, MessageMeta};
use helpdesk_core::ticket::status::StatusCategory;
use std::collections::BTreeSet;

/// The groups that a ticket's queue asks, else its own; `None` for everybody.
pub(super) fn asked(desk: &Desk, ticket: &Ticket) -> Option<BTreeSet<Key>> {
    match ticket.queue.as_ref().and_then(|key| desk.queue(key)) {
        Some(queue) => {
            let pools = queue.stages.iter().flat_map(|stage| &stage.pools);
            Some(pools.chain([&queue.group]).cloned().collect())
        }
        None => ticket.group.clone().map(|group| [group].into()),
    }
}

pub(super) fn is_in(entry: &RosterEntry, asked: &Option<BTreeSet<Key>>) -> bool {
    asked.as_ref().is_none_or(|asked| entry.agent.groups.iter().any(|group| asked.contains(group)))
}

/// The status, where the desk has it, else its default of what it meant.
pub(super) fn status_key(desk: &Desk, to: &Key, category: StatusCategory) -> Key {
    match desk.statuses().get(to) {
        Some(status) => status.key.clone(),
        None => desk.statuses().default_of(category).key.clone(),
    }
}

/// The command that opens a ticket as it was.
pub(super) fn opening(
    ticket: &Ticket,
    first: Option<&MessageMeta>,
    more: &[Change],
    queue: Option<Key>,
    deed: &Deed,
) -> OpenTicket {
    let text = deed.text.clone().unwrap_or_else(|| NO_TEXT.to_owned());
    let mut changes = vec![Change::SetLanguage { to: ticket.language.clone() }];
    changes.extend(ticket.priority.map(|to| Change::SetPriority { to: Some(to) }));
    changes.extend(ticket.ticket_type.map(|to| Change::SetType { to: Some(to) }));
    changes.extend(ticket.tier.clone().map(|to| Change::SetTier { to: Some(to) }));
    changes.extend(ticket.brand.clone().map(|to| Change::SetBrand { to: Some(to) }));
    if !ticket.tags.is_empty() {
        changes.push(Change::AddTags { tags: ticket.tags.clone() });
    }
    for (field, value) in &ticket.custom {
        changes.push(Change::SetCustom { field: field.clone(), to: Some(value.clone()) });
    }
    changes.extend(more.iter().cloned());
    OpenTicket {
        requester: Some(ticket.requester),
        subject: ticket.subject.clone(),
        text,
        html: None,
        as_note: first.is_some_and(|message| message.kind != MessageKind::PublicReply),
        channel: Some(ticket.channel),
        mailbox: ticket.mailbox.clone(),
        attachments: first.map_or_else(Vec::new, |message| message.attachments.clone()),
        changes,
        queue,
        search_session: None,
    }
}

/// Leaves out what a command was refused for; whether something was, and more is left.
pub(super) fn leave_out(rejection: &Rejection, command: &mut Command) -> bool {
    match (command, rejection.path.as_deref()) {
        (Command::OpenTicket(opening), Some("queue")) => opening.queue.take().is_some(),
        (Command::OpenTicket(opening), Some("mailbox")) => opening.mailbox.take().is_some(),
        (Command::OpenTicket(opening), _) => leave_out_changes(rejection, &mut opening.changes),
        (Command::UpdateTicket(UpdateTicket { changes, .. }), _) => {
            leave_out_changes(rejection, changes) && !changes.is_empty()
        }
        _ => false,
    }
}

fn leave_out_changes(rejection: &Rejection, changes: &mut Vec<Change>) -> bool {
    let paths = rejection.errors.iter().map(|fault| fault.path.as_str());
    let paths = paths.chain(rejection.path.as_deref());
    let place = |path: &str| path.strip_prefix("changes[")?.split_once(']')?.0.parse().ok();
    let refused: BTreeSet<usize> = paths.filter_map(place).collect();
    let n_before = changes.len();
    let mut places = 0..;
    changes.retain(|_| places.next().is_none_or(|place: usize| !refused.contains(&place)));
    changes.len() < n_before
}
