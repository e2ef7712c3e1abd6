//! The one shape of every message that comes in, whatever its channel.

use crate::contact::Identity;
use crate::id::{Key, SearchSessionId};
use crate::ticket::custom::CustomValue;
use crate::ticket::message::Attachment;
use crate::ticket::priority::{Channel, Priority, TicketType};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who sent a message, as the channel says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// The address, number or handle.
    pub identity: Identity,
    /// The name beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A message that came in by a channel.
///
/// Intake is idempotent by tenant, mailbox and `external_id`. A message joins
/// the ticket whose `thread_key`, or whose stored external id (`in_reply_to`,
/// then `references` from the last to the first), it names, if its sender takes
/// part in it; else it opens a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundMessage {
    /// Where it came in.
    pub channel: Channel,
    /// The mailbox that received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Key>,
    /// The channel's own id of the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_key: Option<String>,
    /// The channel's own id of the message.
    pub external_id: String,
    /// Who sent it.
    pub from: Sender,
    /// Contacts on copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<Sender>,
    /// The subject; a ticket without one is named after its first words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The external id of the message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// External ids of the conversation, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// When it was written; `now` where the channel does not say, or says the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<DateTime<Utc>>,
    /// Its language, where the host knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The priority that a form asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The type that a form asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<TicketType>,
    /// Tags that the host gives a new ticket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Custom fields that a form asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<Key, CustomValue>,
    /// The search session that did not answer it, where a form knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_session: Option<SearchSessionId>,
}

impl InboundMessage {
    /// A message with what every message has.
    #[must_use]
    pub fn new(
        channel: Channel,
        external_id: impl Into<String>,
        from: Identity,
        text: impl Into<String>,
    ) -> Self {
        Self {
            channel,
            mailbox: None,
            thread_key: None,
            external_id: external_id.into(),
            from: Sender { identity: from, name: None },
            cc: Vec::new(),
            subject: None,
            text: text.into(),
            html: None,
            attachments: Vec::new(),
            in_reply_to: None,
            references: Vec::new(),
            sent_at: None,
            language: None,
            priority: None,
            ticket_type: None,
            tags: Vec::new(),
            custom: BTreeMap::new(),
            search_session: None,
        }
    }
}
