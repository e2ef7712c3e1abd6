//! What every backend checks of a change set before it looks at its state, and
//! the numbers that follow from it.

use crate::change_set::{ChangeSet, UniqueOp};
use crate::error::{Conflict, Result, StoreError};
use helpdesk_core::case::record::{Record, UniqueKey};
use helpdesk_core::event::StreamId;
use helpdesk_core::id::{TenantId, TicketId, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Where a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// With its stream's version.
    Stream(StreamId),
    /// Among a ticket's messages.
    Message(TicketId, u32),
    /// Among the configurations.
    ConfigVersion(Version),
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(stream) => write!(f, "{} `{}`", stream.kind.as_str(), stream.id),
            Self::Message(ticket, seq) => write!(f, "message {seq} of ticket `{ticket}`"),
            Self::ConfigVersion(version) => write!(f, "configuration {version}"),
        }
    }
}

/// A stream that a change set writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    /// Which.
    pub(crate) stream: StreamId,
    /// The version it is expected at.
    pub(crate) expected: Version,
    /// The version it gets.
    pub(crate) version: Version,
    /// Whether its record is written too.
    pub(crate) is_put: bool,
}

/// A change set that makes sense, with its numbers.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Each stream in `put` or `events`, in order of first mention.
    pub(crate) written: Vec<Written>,
    /// Where each record of `put` goes.
    pub(crate) slots: Vec<Slot>,
    /// The number of each of `events`.
    pub(crate) numbers: Vec<Version>,
}

impl Plan {
    /// Checks what needs no state.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] when a stream is written but not expected, is
    /// expected twice, or has events but no record; when a record is put twice;
    /// and for one that is no part of `put`.
    pub(crate) fn new(change_set: &ChangeSet) -> Result<Self> {
        let mut expected = BTreeMap::new();
        for expect in &change_set.expect {
            if expected.insert(expect.stream, expect.version).is_some() {
                return Err(about(expect.stream, "is expected twice"));
            }
        }
        let mut plan = Self {
            written: Vec::new(),
            slots: Vec::with_capacity(change_set.put.len()),
            numbers: Vec::with_capacity(change_set.events.len()),
        };
        let mut others = BTreeSet::new();
        for record in &change_set.put {
            let slot = slot(change_set.tenant, record)?;
            if let Slot::Stream(stream) = slot {
                plan.put(stream, &expected)?;
            } else if !others.insert(slot) {
                return Err(invalid(format!("{slot} is put twice")));
            }
            plan.slots.push(slot);
        }
        for event in &change_set.events {
            let n = plan.event(event.stream, &expected)?;
            plan.numbers.push(n);
        }
        for written in &mut plan.written {
            // A record without events moves on by one.
            written.version = written.version.max(written.expected + 1);
            if written.expected == 0 && !written.is_put {
                return Err(about(written.stream, "has events but no record"));
            }
        }
        Ok(plan)
    }

    /// The new version of every stream written.
    pub(crate) fn versions(&self) -> Vec<(StreamId, Version)> {
        self.written.iter().map(|written| (written.stream, written.version)).collect()
    }

    /// What becomes of a stream of `put` or `events`.
    pub(crate) fn of(&self, stream: StreamId) -> Option<Written> {
        self.written.iter().copied().find(|written| written.stream == stream)
    }

    fn put(&mut self, stream: StreamId, expected: &BTreeMap<StreamId, Version>) -> Result<()> {
        let written = self.entry(stream, expected)?;
        if written.is_put {
            return Err(about(stream, "is put twice"));
        }
        written.is_put = true;
        Ok(())
    }

    fn event(
        &mut self,
        stream: StreamId,
        expected: &BTreeMap<StreamId, Version>,
    ) -> Result<Version> {
        let written = self.entry(stream, expected)?;
        written.version += 1;
        Ok(written.version)
    }

    fn entry(
        &mut self,
        stream: StreamId,
        expected: &BTreeMap<StreamId, Version>,
    ) -> Result<&mut Written> {
        let at = match self.written.iter().position(|written| written.stream == stream) {
            Some(at) => at,
            None => {
                let Some(version) = expected.get(&stream).copied() else {
                    return Err(about(stream, "is written but not expected"));
                };
                self.written.push(Written { stream, expected: version, version, is_put: false });
                self.written.len() - 1
            }
        };
        Ok(&mut self.written[at])
    }
}

/// Checks the expectations against the versions that stand.
pub(crate) fn check_expected(
    change_set: &ChangeSet,
    mut version: impl FnMut(StreamId) -> Result<Version>,
) -> Result<()> {
    for expect in &change_set.expect {
        let actual = version(expect.stream)?;
        if actual != expect.version {
            let (stream, expected) = (expect.stream, expect.version);
            return Err(StoreError::Conflict(Conflict { stream, expected, actual }));
        }
    }
    Ok(())
}

/// Checks the unique keys against what they find, removals first, and says what
/// each key that changes finds afterwards.
pub(crate) fn plan_unique<'a>(
    ops: &'a [UniqueOp],
    mut found: impl FnMut(&'a UniqueKey) -> Result<Option<StreamId>>,
) -> Result<BTreeMap<&'a UniqueKey, Option<StreamId>>> {
    let mut after = BTreeMap::new();
    for op in ops {
        if let UniqueOp::Remove { key } = op {
            after.insert(key, None);
        }
    }
    for op in ops {
        let UniqueOp::Put { key, stream, replace } = op else { continue };
        let owner = match after.get(key) {
            Some(owner) => *owner,
            None => found(key)?,
        };
        match owner {
            Some(owner) if owner == *stream => {}
            Some(_) if !replace => return Err(StoreError::DuplicateKey { key: key.clone() }),
            Some(_) | None => {
                after.insert(key, Some(*stream));
            }
        }
    }
    Ok(after)
}

/// Checks that no outbox message is there twice.
pub(crate) fn check_outbox(
    change_set: &ChangeSet,
    mut exists: impl FnMut(uuid::Uuid) -> Result<bool>,
) -> Result<()> {
    let mut ids = BTreeSet::new();
    for new in &change_set.outbox {
        let id = new.message.id;
        if !ids.insert(id) || exists(id)? {
            return Err(invalid(format!("outbox message `{id}` is already there")));
        }
    }
    Ok(())
}

/// Where a record of `put` goes.
fn slot(tenant: TenantId, record: &Record) -> Result<Slot> {
    Ok(match record {
        Record::Case(case) => Slot::Stream(StreamId::case(case.ticket.id)),
        Record::Contact(contact) => Slot::Stream(StreamId::contact(contact.id)),
        Record::Organization(it) => Slot::Stream(StreamId::organization(it.id)),
        Record::Agent(agent) => Slot::Stream(StreamId::agent(agent.id)),
        Record::Presence(presence) => Slot::Stream(StreamId::presence(presence.agent)),
        Record::Load(load) => Slot::Stream(StreamId::load(load.agent)),
        Record::Config(_) => Slot::Stream(StreamId::config(tenant)),
        Record::Numbers(_) => Slot::Stream(StreamId::numbers(tenant)),
        Record::Article(article) => Slot::Stream(StreamId::article(article.id)),
        Record::Revision(it) => Slot::Stream(StreamId::revision(it.article, it.revision.number)),
        Record::Vote(vote) => match StreamId::vote(vote.article, vote.by) {
            Some(stream) => Slot::Stream(stream),
            None => return Err(invalid("a vote of nobody: contacts and agents have one")),
        },
        Record::Checkpoint(it) => Slot::Stream(StreamId::checkpoint(&it.name)),
        Record::SearchSession(it) => Slot::Stream(StreamId::search_session(it.id)),
        Record::Message(message) => Slot::Message(message.ticket_id, message.meta.seq),
        Record::ConfigVersion(config) => Slot::ConfigVersion(config.version),
        Record::Command(_) => {
            return Err(invalid("a command record is committed as `command`, not put"));
        }
        Record::DeadLetter(_) => {
            return Err(invalid("a dead letter is made by `settle`, not put"));
        }
        Record::Summary(_) => return Err(invalid("a summary is read, not put: put the case")),
    })
}

/// An [`StoreError::Invalid`].
pub(crate) fn invalid(message: impl Into<String>) -> StoreError {
    StoreError::Invalid { message: message.into() }
}

fn about(stream: StreamId, what: &str) -> StoreError {
    invalid(format!("{} {what}", Slot::Stream(stream)))
}
