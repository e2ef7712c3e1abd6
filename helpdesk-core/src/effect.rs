//! What the world should do: wishes, queued in the commit that caused them.
//!
//! An effect names things by id and carries no text: the engine reads the text
//! when it delivers, so a redaction reaches what is still queued.

use crate::clock::Threshold;
use crate::escalation::resolve::Recipient;
use crate::id::{AgentId, ContactId, Key, TicketId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Why an agent is told of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentNews {
    /// It is theirs now.
    Assigned,
    /// It is theirs no more.
    Unassigned,
    /// The requester wrote.
    RequesterReplied,
    /// Something happened to a ticket they follow.
    Followed,
    /// It is in sight again.
    Woken,
}

/// Why people are told of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlaNews {
    /// It comes near its target.
    Warned,
    /// It is past its target.
    Breached,
}

/// Why people are told of an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EscalationTold {
    /// A step fired.
    Step {
        /// Which, from 0.
        step: u16,
    },
    /// All steps are done, and the ticket is not.
    Exhausted,
    /// Whoever took care did not in time.
    AckTimedOut,
}

/// One wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Effect {
    /// Send a public message of the desk to the people it is for.
    SendReply {
        /// The ticket.
        ticket: TicketId,
        /// The message.
        seq: u32,
        /// The requester, and the contacts on copy.
        to: Vec<ContactId>,
    },
    /// Tell an agent.
    NotifyAgent {
        /// The ticket.
        ticket: TicketId,
        /// Whom.
        agent: AgentId,
        /// Of what.
        news: AgentNews,
    },
    /// Offer a ticket to an agent.
    NotifyOffer {
        /// The ticket.
        ticket: TicketId,
        /// Whom.
        agent: AgentId,
        /// Until when.
        expires_at: DateTime<Utc>,
    },
    /// Tell a group that a ticket waits.
    NotifyGroup {
        /// The ticket.
        ticket: TicketId,
        /// Whom.
        group: Key,
    },
    /// Tell whoever is responsible that a clock warns, or that its target is missed.
    NotifySla {
        /// The ticket.
        ticket: TicketId,
        /// What is measured.
        metric: Key,
        /// What happened.
        news: SlaNews,
        /// Which of the warnings it is; absent for a breach.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<Threshold>,
        /// The assignee, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        /// The ticket's group, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<Key>,
        /// Not before then: when the policy's `notice_hours` begin.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<DateTime<Utc>>,
    },
    /// Tell somebody that a ticket is escalated.
    NotifyEscalation {
        /// The ticket.
        ticket: TicketId,
        /// Whom.
        to: Recipient,
        /// Of what.
        told: EscalationTold,
        /// Not before then: the end of a maintenance.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<DateTime<Utc>>,
    },
    /// Tell the desk's administrators that no rule fits a ticket.
    NotifyUnroutable {
        /// The ticket.
        ticket: TicketId,
    },
}

impl Effect {
    /// The topic under which notifiers subscribe.
    #[must_use]
    pub fn topic(&self) -> &'static str {
        match self {
            Self::SendReply { .. } => "reply",
            Self::NotifyAgent { .. } => "agent",
            Self::NotifyOffer { .. } => "offer",
            Self::NotifyGroup { .. } => "group",
            Self::NotifySla { .. } => "sla",
            Self::NotifyEscalation { .. } => "escalation",
            Self::NotifyUnroutable { .. } => "unroutable",
        }
    }

    /// Before when it must not be delivered.
    #[must_use]
    pub fn not_before(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::NotifySla { not_before, .. } | Self::NotifyEscalation { not_before, .. } => {
                *not_before
            }
            Self::SendReply { .. }
            | Self::NotifyAgent { .. }
            | Self::NotifyOffer { .. }
            | Self::NotifyGroup { .. }
            | Self::NotifyUnroutable { .. } => None,
        }
    }

    /// The ticket it is about.
    #[must_use]
    pub fn ticket(&self) -> TicketId {
        match self {
            Self::SendReply { ticket, .. }
            | Self::NotifyAgent { ticket, .. }
            | Self::NotifyOffer { ticket, .. }
            | Self::NotifyGroup { ticket, .. }
            | Self::NotifySla { ticket, .. }
            | Self::NotifyEscalation { ticket, .. }
            | Self::NotifyUnroutable { ticket } => *ticket,
        }
    }
}
