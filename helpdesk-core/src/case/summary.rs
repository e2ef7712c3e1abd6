//! A case as lists show it: what a row has room for.

use super::Case;
use crate::id::{AgentId, ContactId, Key, OrganizationId, TicketId, TicketNumber};
use crate::ticket::priority::{Channel, Priority, TicketType};
use crate::ticket::status::StatusCategory;
use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;

/// A case as lists show it, for agents. Stores read it without the rest of the case.
///
/// ```
/// use helpdesk_core::case::Case;
/// use helpdesk_core::case::summary::CaseSummary;
/// use helpdesk_core::id::{ContactId, TicketId};
/// use helpdesk_core::ticket::Ticket;
/// use helpdesk_core::ticket::priority::Channel;
/// use helpdesk_core::ticket::status::StatusPreset;
/// use uuid::Uuid;
/// let new = &StatusPreset::Zendesk.statuses()[0];
/// let (id, anna) = (TicketId(Uuid::from_u128(1)), ContactId(Uuid::from_u128(2)));
/// let at = "2026-11-20T09:00:00Z".parse()?;
/// let ticket = Ticket::blank(id, "HD-1".parse()?, anna, Channel::Email, new, at);
/// let summary = CaseSummary::of(&Case::new(ticket));
/// assert_eq!((summary.number.to_string(), summary.due_at), ("HD-1".to_owned(), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseSummary {
    /// The ticket.
    pub id: TicketId,
    /// Its number, such as `HD-1024`.
    pub number: TicketNumber,
    /// The subject.
    pub subject: String,
    /// Who asked.
    pub requester: ContactId,
    /// The requester's company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// Where it came in.
    pub channel: Channel,
    /// The desk's status.
    pub status: Key,
    /// What that means.
    pub category: StatusCategory,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What kind of request.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<TicketType>,
    /// Where it waits for an agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Key>,
    /// The agents sharing the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Key>,
    /// The agent responsible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<AgentId>,
    /// Level of support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Key>,
    /// Free words, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Opened.
    pub created_at: DateTime<Utc>,
    /// Last event.
    pub updated_at: DateTime<Utc>,
    /// Last message of a contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_requester_at: Option<DateTime<Utc>>,
    /// When the first target of a running clock is used up, in whole microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
}

impl CaseSummary {
    /// What a list shows of a case.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let ticket = &case.ticket;
        Self {
            id: ticket.id,
            number: ticket.number.clone(),
            subject: ticket.subject.clone(),
            requester: ticket.requester,
            organization: ticket.organization,
            channel: ticket.channel,
            status: ticket.status.clone(),
            category: ticket.category,
            priority: ticket.priority,
            ticket_type: ticket.ticket_type,
            queue: ticket.queue.clone(),
            group: ticket.group.clone(),
            assignee: ticket.assignee,
            tier: ticket.tier.clone(),
            tags: ticket.tags.clone(),
            created_at: ticket.times.created_at.trunc_subsecs(6),
            updated_at: ticket.times.updated_at.trunc_subsecs(6),
            last_requester_at: ticket.times.last_requester_at.map(|at| at.trunc_subsecs(6)),
            due_at: case.due_at().map(|at| at.trunc_subsecs(6)),
        }
    }
}
