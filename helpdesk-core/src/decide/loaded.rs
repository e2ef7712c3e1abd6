//! What was loaded for a decision.

use crate::article::ArticleMeta;
use crate::case::Case;
use crate::case::record::{ConfigRecord, Record, RecordKey, Stored, UniqueKey};
use crate::contact::Contact;
use crate::event::StreamId;
use crate::id::{ArticleId, TicketId, Version};
use crate::ticket::message::Message;
use std::collections::{BTreeMap, BTreeSet};

/// The records that a decision looks at, by the keys they were asked for.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    streams: BTreeMap<StreamId, Stored>,
    unique: BTreeMap<UniqueKey, StreamId>,
    messages: BTreeMap<(TicketId, u32), Message>,
    configs: BTreeMap<Version, ConfigRecord>,
    candidate: Option<TicketId>,
    asked: BTreeSet<RecordKey>,
}

impl Loaded {
    /// Takes what a store gave for a key; nothing for a key that finds nothing.
    pub fn add(&mut self, key: &RecordKey, stored: Option<Stored>) {
        self.asked.insert(key.clone());
        let Some(stored) = stored else { return };
        match stored.record {
            Record::Message(message) => {
                self.messages.insert((message.ticket_id, message.meta.seq), *message);
                return;
            }
            Record::ConfigVersion(config) => {
                self.configs.insert(config.version, *config);
                return;
            }
            _ => {}
        }
        let stream = match key {
            RecordKey::Stream(stream) => Some(*stream),
            _ => stored.record.stream(),
        };
        let Some(stream) = stream else { return };
        if let RecordKey::Unique(unique) = key {
            self.unique.insert(unique.clone(), stream);
        }
        self.streams.insert(stream, stored);
    }

    /// Takes the ticket that [`candidates`](super::candidates) asked for.
    pub fn set_candidate(&mut self, stored: Stored) {
        if let Record::Case(case) = &stored.record {
            let id = case.ticket.id;
            self.candidate = Some(id);
            self.streams.insert(StreamId::case(id), stored);
        }
    }

    /// The ticket that was found for an agent.
    #[must_use]
    pub fn candidate(&self) -> Option<TicketId> {
        self.candidate
    }

    /// Whether a key was asked for, found or not.
    #[must_use]
    pub fn was_asked(&self, key: &RecordKey) -> bool {
        match key {
            RecordKey::Stream(stream) if self.streams.contains_key(stream) => true,
            _ => self.asked.contains(key),
        }
    }

    /// A thing by its stream.
    #[must_use]
    pub fn stream(&self, stream: StreamId) -> Option<&Stored> {
        self.streams.get(&stream)
    }

    /// The stream that a unique key finds.
    #[must_use]
    pub fn find(&self, key: &UniqueKey) -> Option<StreamId> {
        self.unique.get(key).copied()
    }

    /// A case by its ticket's id.
    #[must_use]
    pub fn case(&self, id: TicketId) -> Option<&Case> {
        match &self.stream(StreamId::case(id))?.record {
            Record::Case(case) => Some(case),
            _ => None,
        }
    }

    /// An article by its id.
    #[must_use]
    pub fn article(&self, id: ArticleId) -> Option<&ArticleMeta> {
        match &self.stream(StreamId::article(id))?.record {
            Record::Article(article) => Some(article),
            _ => None,
        }
    }

    /// The case that a unique key finds.
    #[must_use]
    pub fn case_by(&self, key: &UniqueKey) -> Option<&Case> {
        match &self.stream(self.find(key)?)?.record {
            Record::Case(case) => Some(case),
            _ => None,
        }
    }

    /// The contact that a unique key finds.
    #[must_use]
    pub fn contact_by(&self, key: &UniqueKey) -> Option<&Contact> {
        match &self.stream(self.find(key)?)?.record {
            Record::Contact(contact) => Some(contact),
            _ => None,
        }
    }

    /// All cases.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.streams.values().filter_map(|stored| match &stored.record {
            Record::Case(case) => Some(&**case),
            _ => None,
        })
    }

    /// All contacts.
    pub fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.streams.values().filter_map(|stored| match &stored.record {
            Record::Contact(contact) => Some(&**contact),
            _ => None,
        })
    }

    /// An earlier configuration.
    #[must_use]
    pub fn config(&self, version: Version) -> Option<&ConfigRecord> {
        self.configs.get(&version)
    }

    /// A message of a ticket.
    #[must_use]
    pub fn message(&self, ticket: TicketId, seq: u32) -> Option<&Message> {
        self.messages.get(&(ticket, seq))
    }
}
