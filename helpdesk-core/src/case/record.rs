//! What a store keeps, and how it is found.

use super::Case;
use super::summary::CaseSummary;
use crate::agent::{Agent, AgentLoad, Presence};
use crate::article::{ArticleMeta, ArticleVote, RevisionRecord, SearchSession};
use crate::contact::{Contact, Organization};
use crate::desk::CalendarMark;
use crate::effect::Effect;
use crate::event::{StreamId, TimerKind};
use crate::id::{CommandId, Key, TicketId, TicketNumber, Version};
use crate::ticket::message::Message;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// A text by which exactly one thing of a tenant is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum UniqueKey {
    /// A ticket, by its number.
    Number {
        /// The number.
        number: TicketNumber,
    },
    /// A contact, by [`Identity::lookup_key`](crate::contact::Identity::lookup_key).
    Identity {
        /// Kind and value.
        key: String,
    },
    /// An organization, by a mail domain.
    Domain {
        /// The domain, in lower case.
        domain: String,
    },
    /// A ticket, by the channel's own id of one of its messages.
    Message {
        /// Where it came in; absent for channels without mailboxes.
        mailbox: Option<Key>,
        /// The channel's id.
        external_id: String,
    },
    /// A ticket, by the channel's own id of the conversation.
    Thread {
        /// Where it came in.
        mailbox: Option<Key>,
        /// The channel's id.
        thread_key: String,
    },
    /// An imported ticket, by the id it had elsewhere.
    Imported {
        /// That id.
        external_id: String,
    },
    /// An article.
    Article {
        /// What its translations share.
        key: Key,
        /// Its language.
        language: String,
    },
}

impl UniqueKey {
    /// The key's kind, as stores keep it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Number { .. } => "number",
            Self::Identity { .. } => "identity",
            Self::Domain { .. } => "domain",
            Self::Message { .. } => "message",
            Self::Thread { .. } => "thread",
            Self::Imported { .. } => "imported",
            Self::Article { .. } => "article",
        }
    }

    /// The key's text within its kind, as stores keep it; one text for one key.
    #[must_use]
    pub fn text(&self) -> String {
        let in_mailbox = |mailbox: &Option<Key>, id: &str| {
            // A key has no `/`, so the first one ends it.
            format!("{}/{id}", mailbox.as_ref().map_or("", Key::as_str))
        };
        match self {
            Self::Number { number } => number.to_string(),
            Self::Identity { key } => key.clone(),
            Self::Domain { domain } => domain.clone(),
            Self::Message { mailbox, external_id } => in_mailbox(mailbox, external_id),
            Self::Thread { mailbox, thread_key } => in_mailbox(mailbox, thread_key),
            Self::Imported { external_id } => external_id.clone(),
            Self::Article { key, language } => format!("{key}/{language}"),
        }
    }
}

/// Names one record of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// A thing with a version.
    Stream(StreamId),
    /// The thing that a unique key finds.
    Unique(UniqueKey),
    /// A message of a ticket, by sequence number.
    Message(TicketId, u32),
    /// An earlier configuration, by its version.
    ConfigVersion(Version),
    /// What a command did, by its id.
    Command(CommandId),
    /// An effect that could not be delivered.
    DeadLetter(Uuid),
}

/// A configuration document, as it was applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigRecord {
    /// Its version; the configuration stream's.
    pub version: Version,
    /// When it was applied.
    #[serde(with = "crate::instant")]
    pub applied_at: DateTime<Utc>,
    /// The document.
    pub document: Value,
    /// Since when each of its calendars is as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calendars: BTreeMap<Key, CalendarMark>,
}

/// The next number of a tenant's tickets, by prefix. Engines lease blocks of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Numbers {
    /// The first number that no engine has leased.
    pub next: BTreeMap<Arc<str>, u64>,
}

/// How far a consumer of the journal has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What the consumer is called.
    pub name: String,
    /// The feed position of the last entry that it has done with.
    pub position: u64,
}

/// What a command did: kept so that a second call gives the first outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// The command.
    pub id: CommandId,
    /// SHA-256 of actor id and command in canonical JSON, hex.
    pub sha256: String,
    /// References to what it made.
    pub result: Value,
    /// When it may be forgotten.
    #[serde(with = "crate::instant")]
    pub expires_at: DateTime<Utc>,
}

/// An effect in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxMessage {
    /// Its id: the stable delivery id, the same at every attempt.
    pub id: Uuid,
    /// What to do.
    pub effect: Effect,
    /// Messages with the same key are delivered in the order they were committed.
    pub ordering_key: Uuid,
    /// Not before then.
    #[serde(with = "crate::instant")]
    pub not_before: DateTime<Utc>,
    /// When it was committed.
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
}

/// An effect that could not be delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The message.
    pub message: OutboxMessage,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was given up.
    #[serde(with = "crate::instant")]
    pub died_at: DateTime<Utc>,
    /// Why.
    pub error: String,
}

/// One thing that a store keeps.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A ticket with its offer.
    Case(Box<Case>),
    /// A contact.
    Contact(Box<Contact>),
    /// An organization.
    Organization(Box<Organization>),
    /// An agent.
    Agent(Box<Agent>),
    /// An agent's presence.
    Presence(Presence),
    /// An agent's load.
    Load(AgentLoad),
    /// The configuration in force.
    Config(Box<ConfigRecord>),
    /// An earlier configuration, or this one, by version.
    ConfigVersion(Box<ConfigRecord>),
    /// Blocks of ticket numbers.
    Numbers(Numbers),
    /// A message with its text.
    Message(Box<Message>),
    /// What a command did.
    Command(Box<CommandRecord>),
    /// An effect that could not be delivered.
    DeadLetter(Box<DeadLetter>),
    /// An article, but for its text.
    Article(Box<ArticleMeta>),
    /// A revision of an article, with the text that it brought.
    Revision(Box<RevisionRecord>),
    /// A person's vote on an article.
    Vote(Box<ArticleVote>),
    /// How far a consumer of the journal has read.
    Checkpoint(Checkpoint),
    /// A search session.
    SearchSession(Box<SearchSession>),
    /// A ticket as lists show it; read, never written.
    Summary(Box<CaseSummary>),
}

impl Record {
    /// The stream of a thing with a version; `None` for records without one.
    /// The configuration's and the numbers' are their tenant's, which they do not name.
    #[must_use]
    pub fn stream(&self) -> Option<StreamId> {
        match self {
            Self::Case(case) => Some(StreamId::case(case.ticket.id)),
            Self::Contact(contact) => Some(StreamId::contact(contact.id)),
            Self::Organization(organization) => Some(StreamId::organization(organization.id)),
            Self::Agent(agent) => Some(StreamId::agent(agent.id)),
            Self::Presence(presence) => Some(StreamId::presence(presence.agent)),
            Self::Load(load) => Some(StreamId::load(load.agent)),
            Self::Article(article) => Some(StreamId::article(article.id)),
            Self::Revision(it) => Some(StreamId::revision(it.article, it.revision.number)),
            Self::Vote(vote) => StreamId::vote(vote.article, vote.by),
            Self::Checkpoint(it) => Some(StreamId::checkpoint(&it.name)),
            Self::SearchSession(session) => Some(StreamId::search_session(session.id)),
            Self::Summary(summary) => Some(StreamId::case(summary.id)),
            Self::Config(_)
            | Self::ConfigVersion(_)
            | Self::Numbers(_)
            | Self::Message(_)
            | Self::Command(_)
            | Self::DeadLetter(_) => None,
        }
    }
}

/// Sets or drops a unique key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UniqueOp {
    /// The key finds this thing; refused while it finds another, unless `replace`.
    Put {
        /// The key.
        key: UniqueKey,
        /// What it finds.
        stream: StreamId,
        /// Take it from another.
        replace: bool,
    },
    /// The key finds nothing. No error where it did not.
    Remove {
        /// The key.
        key: UniqueKey,
    },
}

/// Sets or drops a timer. A stream has at most one timer of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerOp {
    /// Due then; replaces an earlier one and makes its lease stale.
    Set {
        /// Of which thing.
        stream: StreamId,
        /// What for.
        kind: TimerKind,
        /// When.
        due_at: DateTime<Utc>,
    },
    /// No timer of this kind, whether there was one or not.
    Cancel {
        /// Of which thing.
        stream: StreamId,
        /// What for.
        kind: TimerKind,
    },
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The version of its stream; 0 for records that have none.
    pub version: Version,
    /// The record.
    pub record: Record,
}
