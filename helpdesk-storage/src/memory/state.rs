//! What the memory backend holds.

use super::leases::{Outbox, Timers};
use crate::lead::Lead;
use helpdesk_core::case::record::{CommandRecord, DeadLetter, Record, Stored, UniqueKey};
use helpdesk_core::case::summary::CaseSummary;
use helpdesk_core::event::{Recorded, StreamId};
use helpdesk_core::id::{AgentId, CommandId, TenantId, TicketId, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// Everything.
#[derive(Debug, Default)]
pub(super) struct State {
    /// By tenant; absent while there is nothing.
    pub(super) tenants: BTreeMap<TenantId, Tenant>,
    /// The feed position of the last event.
    pub(super) position: u64,
    /// All tenants' timers.
    pub(super) timers: Timers,
    /// All tenants' outbox.
    pub(super) outbox: Outbox,
    /// Who leads which job.
    pub(super) leads: BTreeMap<String, Lead>,
}

/// What one tenant has.
#[derive(Debug, Default)]
pub(super) struct Tenant {
    /// Records with a version.
    pub(super) things: BTreeMap<StreamId, Row>,
    /// Which of the things are unsolved cases, by who has them: those that desks ask
    /// for most.
    pub(super) unsolved: BTreeSet<(Option<AgentId>, StreamId)>,
    /// Messages with their texts.
    pub(super) messages: BTreeMap<(TicketId, u32), Arc<Record>>,
    /// Every configuration.
    pub(super) configs: BTreeMap<Version, Arc<Record>>,
    /// What a unique key finds.
    pub(super) unique: BTreeMap<UniqueKey, StreamId>,
    /// What commands did.
    pub(super) commands: BTreeMap<CommandId, CommandRecord>,
    /// The journal, by stream.
    pub(super) journal: BTreeMap<(StreamId, Version), Arc<Recorded>>,
    /// The journal, by position.
    pub(super) feed: BTreeMap<u64, Arc<Recorded>>,
    /// What could not be delivered.
    pub(super) dead: BTreeMap<Uuid, Dead>,
}

/// A dead letter.
#[derive(Debug, Clone)]
pub(super) struct Dead {
    /// The letter.
    pub(super) letter: DeadLetter,
    /// How often it was claimed, so that no old lease fits when it is redriven.
    pub(super) claims: u32,
}

/// A record and its version.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// 0 for records without.
    pub(super) version: Version,
    /// The record.
    pub(super) record: Arc<Record>,
}

impl Row {
    /// A record without a version.
    pub(super) fn plain(record: Arc<Record>) -> Self {
        Self { version: 0, record }
    }

    /// A case as lists show it; anything else as it is.
    pub(super) fn into_summary(self) -> Stored {
        match &*self.record {
            Record::Case(case) => {
                let record = Record::Summary(Box::new(CaseSummary::of(case)));
                Stored { version: self.version, record }
            }
            _ => self.into_stored(),
        }
    }

    /// A copy for the caller.
    pub(super) fn into_stored(self) -> Stored {
        Stored { version: self.version, record: Arc::unwrap_or_clone(self.record) }
    }
}

impl Tenant {
    /// The version of a thing, 0 for absent.
    pub(super) fn version(&self, stream: StreamId) -> Version {
        self.things.get(&stream).map_or(0, |row| row.version)
    }
}
