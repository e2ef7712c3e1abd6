//! Links between tickets, parents and parts.

use super::guard;
use super::work::Work;
use crate::command::{LinkTickets, SetParent};
use crate::event::Event;
use crate::fault::{Code, Rejection};
use crate::id::TicketId;
use crate::limit::{LINKS_MAX, PARENT_DEPTH_MAX};
use crate::ticket::relation::Link;

pub(super) fn link(work: &mut Work<'_>, link: &LinkTickets) -> Result<(), Rejection> {
    let (own, inverse) = both_ends(work, link)?;
    for (id, end) in [(link.ticket, own), (link.to, inverse)] {
        let links = &work.case(id)?.ticket.links;
        if links.contains(&end) {
            continue;
        }
        if links.len() >= LINKS_MAX {
            let message = format!("a ticket has at most {LINKS_MAX} links");
            return Err(Rejection::at(Code::OverLimit, "to", message));
        }
        work.on_case(id, Event::Linked { link: end })?;
    }
    Ok(())
}

pub(super) fn unlink(work: &mut Work<'_>, link: &LinkTickets) -> Result<(), Rejection> {
    let (own, inverse) = both_ends(work, link)?;
    for (id, end) in [(link.ticket, own), (link.to, inverse)] {
        if work.case(id)?.ticket.links.contains(&end) {
            work.on_case(id, Event::Unlinked { link: end })?;
        }
    }
    Ok(())
}

fn both_ends(work: &mut Work<'_>, link: &LinkTickets) -> Result<(Link, Link), Rejection> {
    work.made.ticket = Some(link.ticket);
    if link.ticket == link.to {
        return Err(Rejection::at(Code::Invalid, "to", "a ticket is not linked to itself"));
    }
    if link.kind.is_made_by_follow_up() {
        return Err(Rejection::at(Code::Invalid, "kind", "such links come about by `follow_up`"));
    }
    guard::sees_as(work, link.to, "to")?;
    let own = Link { kind: link.kind, to: link.to };
    Ok((own, Link { kind: link.kind.inverse(), to: link.ticket }))
}

pub(super) fn set_parent(work: &mut Work<'_>, set: &SetParent) -> Result<(), Rejection> {
    work.made.ticket = Some(set.ticket);
    if work.case(set.ticket)?.ticket.parent == set.parent {
        return Ok(());
    }
    if let Some(parent) = set.parent {
        guard::sees_as(work, parent, "parent")?;
        refuse_cycle(work, set.ticket, parent)?;
    }
    work.on_case(set.ticket, Event::ParentSet { parent: set.parent })
}

/// Walks up from the new parent. The chain was loaded up to its bound.
fn refuse_cycle(work: &mut Work<'_>, ticket: TicketId, parent: TicketId) -> Result<(), Rejection> {
    let mut at = Some(parent);
    for _ in 0..PARENT_DEPTH_MAX {
        let Some(id) = at else { return Ok(()) };
        if id == ticket {
            return Err(Rejection::at(
                Code::Invalid,
                "parent",
                "a ticket cannot be a part of itself",
            ));
        }
        let Some(case) = work.find_case(id) else { return Ok(()) };
        at = case.ticket.parent;
        // Two commands at once must not close a ring between them.
        if let Some(stored) = work.loaded.stream(crate::event::StreamId::case(id)) {
            work.depends_on(crate::event::StreamId::case(id), stored.version);
        }
    }
    if at.is_none() {
        return Ok(());
    }
    let message = format!("parts are nested at most {PARENT_DEPTH_MAX} deep");
    Err(Rejection::at(Code::OverLimit, "parent", message))
}
