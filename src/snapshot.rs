//! What the engine holds of a tenant in memory: configuration, agents, numbers.
//!
//! A decision is made on a snapshot; the commit checks the versions it depends
//! on, so a stale one costs a retry and nothing else.

use super::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use super::turns::{Seen, Turn, Turns};
use super::waiting::WaitingTickets;
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
use helpdesk_storage::{ChangeSet, Committed};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    /// How often it changed.
    n_changes: u64,
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
        let roster = Arc::new(roster);
        Self { config_version, desk, roster, index, synonyms, position, n_changes: 0 }
    }

    fn take(&mut self, reader: &DeskReader, stored: &Stored) -> Result<(), Rejection> {
        let agent = match &stored.record {
            Record::Config(config) if stored.version > self.config_version => {
                self.desk = Arc::new(read_desk(reader, config)?);
                self.config_version = stored.version;
                self.synonyms = synonyms_of(&self.desk);
                // Its queues may choose by other selectors.
                self.index = index_of(&self.desk, &self.roster);
                self.n_changes += 1;
                return Ok(());
            }
            Record::Agent(agent) => agent.id,
            Record::Presence(presence) => presence.agent,
            Record::Load(load) => load.agent,
            _ => return Ok(()),
        };
        if !is_newer(&self.roster, stored) {
            return Ok(());
        }
        self.n_changes += 1;
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

    /// Puts what an agent holds, whatever the version.
    fn put_load(&mut self, load: &AgentLoad, version: Version) {
        let known = self.roster.get(load.agent);
        if known.is_none_or(|entry| entry.load_version == version && entry.load == *load) {
            return;
        }
        self.n_changes += 1;
        if let Some(entry) = Arc::make_mut(&mut self.roster).agents.get_mut(&load.agent) {
            entry.load.clone_from(load);
            entry.load_version = version;
        }
        if let Some(index) = &mut self.index {
            Arc::make_mut(index).put_load(load);
        }
    }
}

/// A tenant as it is committed, and ahead of that by what is about to be.
#[derive(Debug)]
pub(crate) struct Held {
    reader: Arc<DeskReader>,
    pub(crate) snapshot: Snapshot,
    /// The last turn whose doing is in the snapshot and not known to be done.
    ahead: Option<Turn>,
    /// What agents hold as it is committed, where the snapshot is ahead.
    settled: BTreeMap<AgentId, (AgentLoad, Version)>,
}

impl Held {
    /// What a decision is made on.
    pub(crate) fn seen(&self) -> Seen {
        Seen::new(self.snapshot.n_changes, self.ahead)
    }

    fn take(&mut self, stored: &Stored) -> Result<(), Rejection> {
        if let Record::Load(load) = &stored.record
            && let Some(settled) = self.settled.get_mut(&load.agent)
            && stored.version > settled.1
        {
            *settled = (load.clone(), stored.version);
        }
        self.snapshot.take(&self.reader, stored)
    }

    /// Takes what a commit wrote. The commit is done: a snapshot that cannot take it stays as it
    /// is, which costs the next command a lost race.
    pub(crate) fn take_commit(
        &mut self,
        tenant: TenantId,
        records: Vec<Record>,
        committed: &Committed,
    ) {
        let config = StreamId::config(tenant);
        for record in records {
            let stream = match &record {
                Record::Config(_) => Some(config),
                record => record.stream(),
            };
            let written = committed.versions.iter().find(|(it, _)| Some(*it) == stream);
            let Some((_, version)) = written else { continue };
            if let Err(rejection) = self.take(&Stored { version: *version, record }) {
                tracing::error!(code = %rejection.code, "the snapshot does not take what was committed");
            }
        }
    }

    /// What agents will hold once this is committed; whether what is decided next stands or falls
    /// with it, as it does in any case with what `leads`.
    pub(crate) fn put_ahead(&mut self, turn: Turn, change_set: &ChangeSet, leads: bool) -> bool {
        let mut is_ahead = leads;
        for record in &change_set.put {
            let Record::Load(load) = record else { continue };
            let version = change_set.version_after(StreamId::load(load.agent));
            let (Some(known), Some(version)) = (self.snapshot.roster.get(load.agent), version)
            else {
                continue;
            };
            let settled = || (known.load.clone(), known.load_version);
            self.settled.entry(load.agent).or_insert_with(settled);
            self.snapshot.put_load(load, version);
            is_ahead = true;
        }
        if is_ahead {
            self.ahead = Some(turn);
        }
        is_ahead
    }

    /// What was decided up to this turn is done.
    pub(crate) fn has_caught_up(&mut self, turn: Turn) {
        if self.ahead.is_some_and(|ahead| ahead <= turn) {
            self.fall_back();
        }
    }

    /// What is ahead is not to be counted on: back to what is committed.
    pub(crate) fn fall_back(&mut self) {
        for (load, version) in std::mem::take(&mut self.settled).into_values() {
            self.snapshot.put_load(&load, version);
        }
        self.ahead = None;
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
    held: RwLock<Held>,
    pub(crate) turns: Arc<Turns>,
    /// Leased and free, by prefix.
    numbers: Mutex<BTreeMap<Arc<str>, BTreeSet<u64>>>,
    pub(crate) waiting: WaitingTickets,
}

impl Tenant {
    pub(crate) fn new(id: TenantId, reader: Arc<DeskReader>, snapshot: Snapshot) -> Self {
        let held = Held { reader, snapshot, ahead: None, settled: BTreeMap::new() };
        Self {
            id,
            held: RwLock::new(held),
            turns: Arc::default(),
            numbers: Mutex::new(BTreeMap::new()),
            waiting: WaitingTickets::default(),
        }
    }

    pub(crate) fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn held_mut(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenant as it is committed.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let held = self.held();
        let mut snapshot = held.snapshot.clone();
        for (load, version) in held.settled.values() {
            snapshot.put_load(load, *version);
        }
        snapshot
    }

    /// The tenant as it will be once all that is decided is done.
    pub(crate) fn ahead(&self) -> Snapshot {
        self.held().snapshot.clone()
    }

    /// Takes what a store holds now, or a commit wrote, into the snapshot. Older
    /// versions than the snapshot's are left out.
    pub(crate) fn take(&self, stored: &[Stored]) -> Result<(), Rejection> {
        if !stored.iter().any(|stored| is_kept(&stored.record)) {
            return Ok(());
        }
        let mut held = self.held_mut();
        stored.iter().filter(|it| is_kept(&it.record)).try_for_each(|it| held.take(it))
    }

    pub(crate) fn advance(&self, position: u64) {
        let snapshot = &mut self.held_mut().snapshot;
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

/// Whether a roster has this at an older version, or may take it as new.
fn is_newer(roster: &Roster, stored: &Stored) -> bool {
    let known = match &stored.record {
        Record::Agent(agent) => roster.get(agent.id).map_or(Some(0), |it| Some(it.agent_version)),
        Record::Presence(presence) => roster.get(presence.agent).map(|it| it.presence_version),
        Record::Load(load) => roster.get(load.agent).map(|it| it.load_version),
        _ => None,
    };
    known.is_some_and(|version| stored.version > version)
}

/// Puts an agent, its presence or its load into a roster, unless it is older.
pub(crate) fn put_agent(roster: &mut Roster, stored: &Stored) {
    if !is_newer(roster, stored) {
        return;
    }
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
            entry.agent = Arc::new((**agent).clone());
            entry.agent_version = stored.version;
        }
        Record::Presence(presence) => {
            if let Some(entry) = roster.agents.get_mut(&presence.agent) {
                entry.presence.clone_from(presence);
                entry.presence_version = stored.version;
            }
        }
        Record::Load(load) => {
            if let Some(entry) = roster.agents.get_mut(&load.agent) {
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
