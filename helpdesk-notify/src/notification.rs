//! One effect with all that a channel needs to deliver it.

use chrono::{DateTime, Utc};
use helpdesk_core::agent::Agent;
use helpdesk_core::contact::{Contact, Identity};
use helpdesk_core::effect::Effect;
use helpdesk_core::id::{AgentId, ContactId, Key, TenantId, TicketNumber};
use helpdesk_core::ticket::message::PublicMessage;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// For whom a notification is: only what a channel needs to reach them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Recipient {
    /// A person outside the desk.
    Contact {
        /// Who.
        id: ContactId,
        /// What people call them.
        name: String,
        /// How they are known, sorted; may be empty.
        identities: Vec<Identity>,
    },
    /// A person who answers.
    Agent {
        /// Who.
        id: AgentId,
        /// What people call them.
        name: String,
        /// Their mail address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
    },
    /// All agents of a group; the host knows how a group is reached.
    Group {
        /// Which.
        key: Key,
    },
    /// A channel of the host, such as a pager; the host knows what the key means.
    Channel {
        /// Which.
        key: Key,
    },
    /// Those who look after the desk; the host knows who they are.
    Administrators,
}

impl From<&Contact> for Recipient {
    fn from(contact: &Contact) -> Self {
        Self::Contact {
            id: contact.id,
            name: contact.name.clone(),
            identities: contact.identities.clone(),
        }
    }
}

impl From<&Agent> for Recipient {
    fn from(agent: &Agent) -> Self {
        Self::Agent { id: agent.id, name: agent.name.clone(), email: agent.email.clone() }
    }
}

/// One effect, ready to be delivered.
///
/// The engine fills it from the store when it delivers, not when the effect is
/// queued, so a redaction reaches what still waits. Between two attempts all
/// but the [`delivery_id`](Self::delivery_id), the tenant and the effect may
/// change. Source: spec/storage.md, "Worker".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The same at every attempt, and no other notification's: an idempotency key.
    pub delivery_id: Uuid,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Whose desk.
    pub tenant: TenantId,
    /// What is wished.
    pub effect: Effect,
    /// The ticket's number.
    pub number: TicketNumber,
    /// The ticket's subject, as its requester may see it.
    pub subject: String,
    /// The reply to send. `None` for an effect that sends none, and for a
    /// reply that was redacted since: then there is nothing to send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<PublicMessage>,
    /// For whom; those who no longer exist are left out, so it may be empty.
    pub recipients: Vec<Recipient>,
    /// The time of this attempt, as the host gave it.
    pub at: DateTime<Utc>,
}
