//! What one commit does.

use chrono::{DateTime, Utc};
use helpdesk_core::case::record::{CommandRecord, OutboxMessage, Record};
pub use helpdesk_core::case::record::{TimerOp, UniqueOp};
use helpdesk_core::event::{NewEvent, StreamId, TimerKind};
use helpdesk_core::id::{CommandId, TenantId, Version};
use uuid::Uuid;

/// A condition on the state before a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// The thing.
    pub stream: StreamId,
    /// Its version; 0 for a thing that must not exist.
    pub version: Version,
}

/// A message to be put into the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOutbox {
    /// The message.
    pub message: OutboxMessage,
}

/// What is leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeasedThing {
    /// A timer.
    Timer {
        /// Of which thing.
        stream: StreamId,
        /// What for.
        kind: TimerKind,
    },
    /// An outbox message.
    Outbox {
        /// Which.
        id: Uuid,
    },
}

/// Proves that its holder leased a thing and that the lease still stands: a
/// later claim raises `attempt`, a new due time raises `generation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseToken {
    /// Whose.
    pub tenant: TenantId,
    /// What.
    pub thing: LeasedThing,
    /// How often the timer was set; 0 for an outbox message.
    pub generation: u32,
    /// How often it was claimed, released leases included.
    pub attempt: u32,
}

/// Everything that one command does, committed whole or not at all.
///
/// A change set that makes no sense (a stream written but not expected, put
/// twice, or with events and no record) is refused before anything is looked at.
///
/// Order inside: `after` comes first, then `command` is looked up (a replay ends there), then
/// `expect` and `done` are checked, then unique keys are put and removed (all
/// removals first), then outbox ids are checked (one that is there already is
/// [`Invalid`](crate::StoreError::Invalid)), then records, events, timers and outbox messages are written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChangeSet {
    /// The tenant.
    pub tenant: TenantId,
    /// The commit's id: the command's.
    pub commit_id: CommandId,
    /// The commit that this one was decided on, where that has not ended yet: it stands before
    /// this one in the same [`commit_many`](crate::Store::commit_many). Unless it is committed
    /// there, this one is [`NotAfter`](crate::StoreError::NotAfter) it. Versions alone would
    /// not do: another commit may come instead of it, and lead to the same.
    pub after: Option<CommandId>,
    /// The time of the command.
    pub at: DateTime<Utc>,
    /// Conditions on the state before. A stream in `put` or `events` must be here.
    pub expect: Vec<Expect>,
    /// Records to write whole. The new version of a record's stream is its
    /// expected one plus the number of its events here, or plus one when it has
    /// none. Messages and earlier configurations have no version. None may be here twice.
    pub put: Vec<Record>,
    /// Unique keys.
    pub unique: Vec<UniqueOp>,
    /// Journal entries, numbered on from their stream's expected version.
    pub events: Vec<NewEvent>,
    /// Timers.
    pub timers: Vec<TimerOp>,
    /// Outbox messages.
    pub outbox: Vec<NewOutbox>,
    /// Leases that this commit finishes: their timers or messages are removed
    /// (a timer set again in `timers` stands anew).
    pub done: Vec<LeaseToken>,
    /// What to remember of the command. A record that is kept under the same id
    /// ends the commit (a replay, or [`KeyReused`](crate::StoreError::KeyReused)
    /// when its hash is another), unless it expired at or before `at`.
    pub command: Option<CommandRecord>,
}

impl ChangeSet {
    /// An empty change set.
    #[must_use]
    pub fn new(tenant: TenantId, commit_id: CommandId, at: DateTime<Utc>) -> Self {
        Self {
            tenant,
            commit_id,
            after: None,
            at,
            expect: Vec::new(),
            put: Vec::new(),
            unique: Vec::new(),
            events: Vec::new(),
            timers: Vec::new(),
            outbox: Vec::new(),
            done: Vec::new(),
            command: None,
        }
    }

    /// The version that a thing gets by this commit: `None` for one that it does not expect.
    #[must_use]
    pub fn version_after(&self, stream: StreamId) -> Option<Version> {
        let before = self.expect.iter().find(|expect| expect.stream == stream)?.version;
        let n_events = self.events.iter().filter(|event| event.stream == stream).count() as u64;
        let is_put = || self.put.iter().any(|record| record.stream() == Some(stream));
        // A record without events moves on by one.
        let n_moves = if n_events == 0 { u64::from(is_put()) } else { n_events };
        Some(before + n_moves)
    }
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Committed {
    /// The new version of every stream in `put` or `events`.
    pub versions: Vec<(StreamId, Version)>,
    /// The feed position of the last event, where there was one.
    pub position: Option<u64>,
    /// The command was committed before: nothing was done, this is what was kept.
    pub replayed: Option<CommandRecord>,
}

impl Committed {
    /// A commit that wrote these versions, up to this feed position.
    #[must_use]
    pub fn new(versions: Vec<(StreamId, Version)>, position: Option<u64>) -> Self {
        Self { versions, position, replayed: None }
    }

    /// A commit that had been done before.
    #[must_use]
    pub fn replayed(record: CommandRecord) -> Self {
        Self { replayed: Some(record), ..Self::default() }
    }
}
