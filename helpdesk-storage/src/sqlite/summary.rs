//! What lists show of a case, read from its row without the rest of the document.

use super::doc::{count, decode};
use super::failure::failed;
use super::session::{doc, integer};
use crate::Result;
use crate::order::instant;
use helpdesk_core::case::summary::CaseSummary;
use helpdesk_core::id::{AgentId, ContactId, Key, OrganizationId, TicketId, TicketNumber, Version};
use helpdesk_core::ticket::priority::{Channel, Priority, TicketType};
use helpdesk_core::ticket::status::StatusCategory;
use rusqlite::Row;
use serde::Deserialize;

/// The part of a case's document that a summary needs; the rest is skipped.
#[derive(Deserialize)]
struct CasePart {
    ticket: TicketPart,
}

/// The part of a ticket that no column has, or that is cheaper to read here.
#[derive(Deserialize)]
struct TicketPart {
    id: TicketId,
    number: TicketNumber,
    subject: String,
    requester: ContactId,
    #[serde(default)]
    organization: Option<OrganizationId>,
    channel: Channel,
    status: Key,
    category: StatusCategory,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default, rename = "type")]
    ticket_type: Option<TicketType>,
    #[serde(default)]
    queue: Option<Key>,
    #[serde(default)]
    group: Option<Key>,
    #[serde(default)]
    assignee: Option<AgentId>,
    #[serde(default)]
    tier: Option<Key>,
    #[serde(default)]
    tags: Vec<String>,
}

/// Version and summary, of a row of `ticket_summary`.
pub(super) fn summary(row: &Row<'_>) -> Result<(Version, CaseSummary)> {
    let CasePart { ticket } = decode("case", doc(row, 1)?)?;
    let at = |column| integer(row, column).map(instant);
    let optional = |column| -> Result<_> {
        let micros: Option<i64> = row.get(column).map_err(failed)?;
        Ok(micros.map(instant))
    };
    let summary = CaseSummary {
        id: ticket.id,
        number: ticket.number,
        subject: ticket.subject,
        requester: ticket.requester,
        organization: ticket.organization,
        channel: ticket.channel,
        status: ticket.status,
        category: ticket.category,
        priority: ticket.priority,
        ticket_type: ticket.ticket_type,
        queue: ticket.queue,
        group: ticket.group,
        assignee: ticket.assignee,
        tier: ticket.tier,
        tags: ticket.tags,
        created_at: at(2)?,
        updated_at: at(3)?,
        last_requester_at: optional(4)?,
        due_at: optional(5)?,
    };
    Ok((count(integer(row, 0)?)?, summary))
}
