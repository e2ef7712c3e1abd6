//! What the engine holds of a tenant in memory: configuration, agents, numbers.
//!
//! A decision is made on a snapshot; the commit checks the versions it depends
//! on, so a stale one costs a retry and nothing else.

use crate::waiting::WaitingTickets;
use helpdesk_core::agent::{AgentLoad, Presence, Roster, RosterEntry};
use helpdesk_core::case::record::{ConfigRecord, Record, Stored};
use helpdesk_core::desk::{Desk, DeskReader};
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{AgentId, TenantId, TicketNumber, Version};
use helpdesk_core::limit::INDEXED_AGENTS_MIN;
use helpdesk_core::routing::agent_index::AgentIndex;
use helpdesk_core::routing::queue::{Queue, QueueMode};
use helpdesk_search::Synonyms;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// A tenant as the engine sees it at one moment. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// Version of the configuration, 0 while the tenant has none.
    pub(crate) config_version: Version,
    pub(crate) desk: Arc<Desk>,
    pub(crate) roster: Arc<Roster>,
    /// The index of the roster, where it is large.
    pub(crate) index: Option<Arc<AgentIndex>>,
    /// The desk's words that mean the same, as indexes of articles take them.
    pub(crate) synonyms: Arc<Synonyms>,
    /// The feed position up to which agents, presences and configuration are in.
    pub(crate) position: u64,
}

impl Snapshot {
    pub(crate) fn new(
        config_version: Version,
        desk: Arc<Desk>,
        roster: Roster,
        position: u64,
    ) -> Self {
        let index = index_of(&desk, &roster);
        let synonyms = synonyms_of(&desk);
        Self { config_version, desk, roster: Arc::new(roster), index, synonyms, position }
    }

    fn take(&mut self, reader: &DeskReader, stored: &Stored) -> Result<(), Rejection> {
        let agent = match &stored.record {
            Record::Config(config) if stored.version > self.config_version => {
                self.desk = Arc::new(read_desk(reader, config)?);
                self.config_version = stored.version;
                self.synonyms = synonyms_of(&self.desk);
                // Its queues may choose by other selectors.
                self.index = index_of(&self.desk, &self.roster);
                return Ok(());
            }
            Record::Agent(agent) => agent.id,
            Record::Presence(presence) => presence.agent,
            Record::Load(load) => load.agent,
            _ => return Ok(()),
        };
        put_agent(Arc::make_mut(&mut self.roster), stored);
        match (&mut self.index, self.roster.get(agent)) {
            (None, _) => self.index = index_of(&self.desk, &self.roster),
            (Some(_), None) => {}
            (Some(index), Some(entry)) => {
                let index = Arc::make_mut(index);
                match stored.record {
                    Record::Load(_) => index.put_load(&entry.load),
                    _ => index.put(entry),
                }
            }
        }
        Ok(())
    }
}

fn synonyms_of(desk: &Desk) -> Arc<Synonyms> {
    Arc::new(Synonyms::new(desk.synonyms()))
}

/// The index of a roster of many, with the orders that the desk's queues choose by.
fn index_of(desk: &Desk, roster: &Roster) -> Option<Arc<AgentIndex>> {
    if roster.agents.len() < INDEXED_AGENTS_MIN {
        return None;
    }
    let giving = desk.queues().filter(|queue| queue.mode != QueueMode::Pull);
    Some(Arc::new(AgentIndex::new(roster, giving.flat_map(Queue::selectors))))
}

/// A tenant in memory.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    snapshot: RwLock<Snapshot>,
    /// Leased and free, by prefix.
    numbers: Mutex<BTreeMap<Arc<str>, BTreeSet<u64>>>,
    pub(crate) waiting: WaitingTickets,
}

impl Tenant {
    pub(crate) fn new(id: TenantId, snapshot: Snapshot) -> Self {
        Self {
            id,
            snapshot: RwLock::new(snapshot),
            numbers: Mutex::new(BTreeMap::new()),
            waiting: WaitingTickets::default(),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what a store holds now, or a commit wrote, into the snapshot. Older
    /// versions than the snapshot's are left out.
    pub(crate) fn take(&self, reader: &DeskReader, stored: &[Stored]) -> Result<(), Rejection> {
        if !stored.iter().any(|stored| is_kept(&stored.record)) {
            return Ok(());
        }
        let mut snapshot = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        for stored in stored.iter().filter(|stored| is_kept(&stored.record)) {
            snapshot.take(reader, stored)?;
        }
        Ok(())
    }

    pub(crate) fn advance(&self, position: u64) {
        let mut snapshot = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        snapshot.position = snapshot.position.max(position);
    }

    fn numbers(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, BTreeSet<u64>>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lowest leased number that is free.
    pub(crate) fn take_number(&self, prefix: &Arc<str>) -> Option<u64> {
        self.numbers().get_mut(prefix)?.pop_first()
    }

    /// Numbers leased, or not used after all.
    pub(crate) fn give_numbers(&self, prefix: &Arc<str>, numbers: impl IntoIterator<Item = u64>) {
        self.numbers().entry(prefix.clone()).or_default().extend(numbers);
    }

    /// Numbers up to this one are somebody else's.
    pub(crate) fn drop_numbers_to(&self, last: &TicketNumber) {
        if let Some(numbers) = self.numbers().get_mut(&last.prefix) {
            numbers.retain(|n| *n > last.n);
        }
    }
}

/// Freezes a stored document, which was checked when it was applied.
pub(crate) fn read_desk(reader: &DeskReader, config: &ConfigRecord) -> Result<Desk, Rejection> {
    let read = reader.read(&config.document).map(|desk| desk.with_marks(&config.calendars));
    read.map_err(|faults| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        let message = format!("the stored configuration does not fit this version: {first}");
        Rejection { errors: faults, ..Rejection::new(Code::Internal, message) }
    })
}

/// Puts an agent, its presence or its load into a roster, unless it is older.
pub(crate) fn put_agent(roster: &mut Roster, stored: &Stored) {
    match &stored.record {
        Record::Agent(agent) => {
            let entry = roster.agents.entry(agent.id).or_insert_with(|| RosterEntry {
                agent: Arc::new((**agent).clone()),
                agent_version: 0,
                presence: Presence::none(agent.id),
                presence_version: 0,
                load: AgentLoad::none(agent.id),
                load_version: 0,
            });
            if stored.version > entry.agent_version {
                entry.agent = Arc::new((**agent).clone());
                entry.agent_version = stored.version;
            }
        }
        Record::Presence(presence) => {
            if let Some(entry) = roster.agents.get_mut(&presence.agent)
                && stored.version > entry.presence_version
            {
                entry.presence.clone_from(presence);
                entry.presence_version = stored.version;
            }
        }
        Record::Load(load) => {
            if let Some(entry) = roster.agents.get_mut(&load.agent)
                && stored.version > entry.load_version
            {
                entry.load.clone_from(load);
                entry.load_version = stored.version;
            }
        }
        _ => {}
    }
}

/// Whether a snapshot holds this record.
pub(crate) fn is_kept(record: &Record) -> bool {
    matches!(record, Record::Config(_) | Record::Agent(_) | Record::Presence(_) | Record::Load(_))
}

/// Whether a snapshot holds such things.
pub(crate) fn is_in_snapshot(stream: StreamId) -> bool {
    match stream.kind {
        StreamKind::Agent | StreamKind::Presence | StreamKind::Load | StreamKind::Config => true,
        StreamKind::Case
        | StreamKind::Contact
        | StreamKind::Organization
        | StreamKind::Numbers
        | StreamKind::Article
        | StreamKind::Revision
        | StreamKind::Vote
        | StreamKind::Checkpoint
        | StreamKind::SearchSession => false,
    }
}

/// The streams of an agent.
pub(crate) fn streams_of(agent: AgentId) -> [StreamId; 3] {
    [StreamId::agent(agent), StreamId::presence(agent), StreamId::load(agent)]
}
