//! Tickets: one request and its history.

pub mod change;
pub mod custom;
pub mod html;
pub mod message;
pub mod priority;
pub mod relation;
pub mod status;

use crate::id::{AgentId, ContactId, Key, OrganizationId, TicketId, TicketNumber};
use chrono::{DateTime, Utc};
use custom::CustomValues;
use priority::{Channel, Level, Priority, SkillLevel, TicketType};
use relation::Link;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use status::{StatusCategory, StatusDef};

/// Somebody who follows a ticket, or is copied on it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Follower {
    /// An agent: hears of everything.
    Agent {
        /// Who.
        id: AgentId,
    },
    /// A contact on copy: gets public replies, and may answer.
    Contact {
        /// Who.
        id: ContactId,
    },
}

/// An agent whom a ticket is not offered to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// Who.
    pub agent: AgentId,
    /// Until when; for ever when absent.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
}

/// What a ticket counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Messages of every kind; the last one's sequence number.
    pub messages: u32,
    /// Files of all messages.
    pub attachments: u32,
    /// Times it was reopened.
    pub reopens: u32,
    /// Times it went from one assignee to another.
    pub reassignments: u32,
    /// Public replies by human agents.
    pub agent_touches: u32,
}

/// When things happened to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Opened.
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    /// Last event.
    #[serde(with = "crate::instant")]
    pub updated_at: DateTime<Utc>,
    /// Given to the present assignee.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub assigned_at: Option<DateTime<Utc>>,
    /// First public reply by a human agent.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub first_replied_at: Option<DateTime<Utc>>,
    /// Solved last; unset when reopened.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub solved_at: Option<DateTime<Utc>>,
    /// Closed.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
    /// Last message of a contact.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub last_requester_at: Option<DateTime<Utc>>,
    /// Last public reply by an agent.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub last_agent_at: Option<DateTime<Utc>>,
}

impl Times {
    /// The times of a ticket that is opened now.
    #[must_use]
    pub fn opened(at: DateTime<Utc>) -> Self {
        Self {
            created_at: at,
            updated_at: at,
            assigned_at: None,
            first_replied_at: None,
            solved_at: None,
            closed_at: None,
            last_requester_at: None,
            last_agent_at: None,
        }
    }
}

/// One request and its state. Its messages' texts are not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// Its number, such as `HD-1024`.
    pub number: TicketNumber,
    /// The subject.
    pub subject: String,
    /// Who asked.
    pub requester: ContactId,
    /// The requester's company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// Where it came in.
    pub channel: Channel,
    /// Every channel it was spoken on, sorted.
    pub channels: Vec<Channel>,
    /// The mailbox it came in by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Key>,
    /// The brand it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Key>,
    /// Its language, as an ISO 639 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The desk's status.
    pub status: Key,
    /// What that means.
    pub category: StatusCategory,
    /// How urgent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// How many are hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Level>,
    /// How fast it must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Level>,
    /// What kind of request.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<TicketType>,
    /// Where it waits for an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Key>,
    /// Since when; kept through offers, and when an owner goes.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub entered_queue_at: Option<DateTime<Utc>>,
    /// The agents sharing the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Key>,
    /// The agent responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<AgentId>,
    /// The assignee before this one, or before none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_assignee: Option<AgentId>,
    /// The human agent who answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_answered_by: Option<AgentId>,
    /// Level of support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Key>,
    /// Skills its agent must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_skills: Vec<SkillLevel>,
    /// Skills its agent better has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred_skills: Vec<SkillLevel>,
    /// Agents it is not offered to, sorted by agent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Excluded>,
    /// Free words, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Custom fields that are set.
    #[serde(default, skip_serializing_if = "CustomValues::is_empty")]
    pub custom: CustomValues,
    /// Who follows, sorted; contacts are on copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followers: Vec<Follower>,
    /// Links to other tickets, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The ticket it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TicketId>,
    /// Out of sight until then.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<DateTime<Utc>>,
    /// Sequence number of the newest public message, 0 without one.
    pub newest_public_seq: u32,
    /// Bytes of the newest public message's text.
    pub newest_public_bytes: u64,
    /// The host's own id of an imported ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What it counts.
    pub counters: Counters,
    /// When things happened.
    pub times: Times,
    /// Marked as spam: out of lists, queues and loads.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spam: bool,
    /// Deleted: out of lists, queues and loads, until restored or purged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl Ticket {
    /// A ticket with what every ticket has, opened at `at`; everything else is unset.
    ///
    /// ```
    /// use helpdesk_core::id::{ContactId, TicketId};
    /// use helpdesk_core::ticket::Ticket;
    /// use helpdesk_core::ticket::priority::Channel;
    /// use helpdesk_core::ticket::status::StatusPreset;
    /// use uuid::Uuid;
    /// let new = &StatusPreset::Zendesk.statuses()[0];
    /// let (id, anna) = (TicketId(Uuid::from_u128(1)), ContactId(Uuid::from_u128(2)));
    /// let at = "2026-11-20T09:00:00Z".parse()?;
    /// let ticket = Ticket::blank(id, "HD-1".parse()?, anna, Channel::Email, new, at);
    /// assert!(ticket.is_live() && ticket.assignee.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn blank(
        id: TicketId,
        number: TicketNumber,
        requester: ContactId,
        channel: Channel,
        status: &StatusDef,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            number,
            subject: String::new(),
            requester,
            organization: None,
            channel,
            channels: vec![channel],
            mailbox: None,
            brand: None,
            language: None,
            status: status.key.clone(),
            category: status.category,
            priority: None,
            impact: None,
            urgency: None,
            ticket_type: None,
            queue: None,
            entered_queue_at: None,
            group: None,
            assignee: None,
            last_assignee: None,
            last_answered_by: None,
            tier: None,
            required_skills: Vec::new(),
            preferred_skills: Vec::new(),
            excluded: Vec::new(),
            tags: Vec::new(),
            custom: CustomValues::new(),
            followers: Vec::new(),
            links: Vec::new(),
            parent: None,
            snoozed_until: None,
            newest_public_seq: 0,
            newest_public_bytes: 0,
            external_id: None,
            counters: Counters::default(),
            times: Times::opened(at),
            spam: false,
            deleted: false,
        }
    }

    /// Whether it is neither spam nor deleted.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.spam && !self.deleted
    }

    /// Whether this contact takes part: as requester or on copy.
    #[must_use]
    pub fn has_participant(&self, contact: ContactId) -> bool {
        self.requester == contact
            || self.followers.binary_search(&Follower::Contact { id: contact }).is_ok()
    }

    /// Whether a requester's message waits for an answer.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        match (self.times.last_requester_at, self.times.last_agent_at) {
            (Some(asked), Some(answered)) => asked > answered,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Whether this agent is excluded at `now`.
    #[must_use]
    pub fn excludes(&self, agent: AgentId, now: DateTime<Utc>) -> bool {
        self.excluded.iter().any(|e| e.agent == agent && e.until.is_none_or(|until| now < until))
    }
}
