//! What a store is asked.

use crate::change_set::LeaseToken;
use chrono::{DateTime, Utc};
use helpdesk_core::access::scope::Scope;
use helpdesk_core::case::record::OutboxMessage;
use helpdesk_core::condition::{Condition, Terms};
use helpdesk_core::event::{StreamId, StreamKind, TimerKind};
use helpdesk_core::id::{TenantId, TicketId, Version};
pub use helpdesk_core::query::{Projection, Shelf};
pub use helpdesk_core::view::{Direction, OrderBy};
use serde::{Deserialize, Serialize};

/// What a backend is and can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Its name, as errors say it.
    pub backend: &'static str,
    /// Whether committed state outlives the process.
    pub is_durable: bool,
    /// Whether several processes may share it.
    pub is_shared: bool,
    /// Whether [`ClaimParams::max_per_tenant`] is kept. A store for one tenant has no
    /// need to.
    pub has_shares: bool,
}

impl Capabilities {
    /// A backend's capabilities; what is not named here it has.
    #[must_use]
    pub fn new(backend: &'static str, is_durable: bool, is_shared: bool) -> Self {
        Self { backend, is_durable, is_shared, has_shares: true }
    }

    /// Without shares in claims.
    #[must_use]
    pub fn without_shares(mut self) -> Self {
        self.has_shares = false;
        self
    }
}

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Cases, by scope, condition and order.
    Cases(Shelf),
    /// All things of another kind, by id; scope and condition are not looked at.
    Things(StreamKind),
    /// Messages of a ticket, by sequence number.
    Messages(TicketId),
    /// Effects that could not be delivered, by time of death and id.
    DeadLetters,
    /// Configurations, newest first.
    ConfigVersions,
}

/// An order of cases. Unset values come last either way; ties go by id, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// By what.
    pub by: OrderBy,
    /// Which way.
    pub direction: Direction,
}

/// Where a page ended; opaque, and good for the same query only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// A list. [`Scope`] and condition are the only filters.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListQuery {
    /// The tenant.
    pub tenant: TenantId,
    /// What.
    pub kind: ListKind,
    /// Which the asker may see.
    pub scope: Scope,
    /// Which are wanted.
    pub condition: Condition,
    /// The time at which the condition holds.
    pub now: DateTime<Utc>,
    /// How the condition compares texts and by which calendars: the desk's way.
    pub terms: Terms,
    /// In which order.
    pub order: Order,
    /// How much of each case: [`Record::Case`](helpdesk_core::case::record::Record::Case)
    /// or [`Record::Summary`](helpdesk_core::case::record::Record::Summary). Other kinds
    /// have one form only.
    pub projection: Projection,
    /// After the end of which page.
    pub after: Option<Cursor>,
    /// Rows at most.
    pub limit: usize,
}

impl ListQuery {
    /// The first page of everything of a kind.
    #[must_use]
    pub fn all(tenant: TenantId, kind: ListKind, now: DateTime<Utc>, limit: usize) -> Self {
        Self {
            tenant,
            kind,
            scope: Scope::All,
            condition: Condition::Always,
            now,
            terms: Terms::default(),
            order: Order::default(),
            projection: Projection::Full,
            after: None,
            limit,
        }
    }
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page starts; `None` exactly when there are no more rows.
    /// For the journal it is the last row's number or position in decimal,
    /// which goes into [`EventSource`] as `after`.
    pub next: Option<Cursor>,
}

/// By what cases are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountBy {
    /// All in one bucket.
    Nothing,
    /// By status key.
    Status,
    /// By assignee.
    Assignee,
    /// By group key.
    Group,
    /// By queue key.
    Queue,
}

/// A count of cases.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CountQuery {
    /// The tenant.
    pub tenant: TenantId,
    /// On which shelf.
    pub shelf: Shelf,
    /// Which the asker may see.
    pub scope: Scope,
    /// Which are wanted.
    pub condition: Condition,
    /// The time at which the condition holds.
    pub now: DateTime<Utc>,
    /// How the condition compares texts and by which calendars: the desk's way.
    pub terms: Terms,
    /// By what.
    pub by: CountBy,
    /// Stop a bucket here.
    pub cap: u64,
}

impl CountQuery {
    /// A count of all live cases, uncapped.
    #[must_use]
    pub fn all(tenant: TenantId, by: CountBy, now: DateTime<Utc>) -> Self {
        Self {
            tenant,
            shelf: Shelf::Live,
            scope: Scope::All,
            condition: Condition::Always,
            now,
            terms: Terms::default(),
            by,
            cap: u64::MAX,
        }
    }
}

/// One group of a count; groups come in the order of their keys, unset first.
/// Empty groups do not come, but all in one bucket always does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its value as text; `None` for unset, or for all in one.
    pub key: Option<String>,
    /// How many, the cap at most.
    pub n: u64,
    /// Whether there are more than the cap.
    pub capped: bool,
}

/// Which part of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSource {
    /// One stream, after its n-th event.
    Stream {
        /// Which.
        stream: StreamId,
        /// After which number; 0 for all.
        after: u64,
    },
    /// Everything of the tenant, after a feed position, oldest first. Nothing comes to
    /// stand before what was shown, so whoever goes on from the last row misses nothing;
    /// what is committed may therefore show a while later.
    Feed {
        /// After which position; 0 for all.
        after: u64,
        /// Only streams of these kinds; empty for all.
        kinds: Vec<StreamKind>,
    },
    /// As [`Feed`](Self::Feed), and beyond it whatever is committed, though something that
    /// is committed later may come to stand before it. For keeping what is in memory
    /// fresh: take in each thing as it now stands, and go on from the
    /// [`feed_end`](crate::Store::feed_end) that was asked for before, not from the last row.
    News {
        /// After which position; 0 for all.
        after: u64,
        /// Only streams of these kinds; empty for all.
        kinds: Vec<StreamKind>,
    },
}

/// A page of the journal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EventQuery {
    /// The tenant.
    pub tenant: TenantId,
    /// Which part.
    pub source: EventSource,
    /// Rows at most.
    pub limit: usize,
}

impl EventQuery {
    /// A page of the journal.
    #[must_use]
    pub fn new(tenant: TenantId, source: EventSource, limit: usize) -> Self {
        Self { tenant, source, limit }
    }
}

/// What to lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimWhat {
    /// Timers, by due time, kind rank, stream id.
    Timers,
    /// Outbox messages, by time, at most one for each ordering key: its oldest
    /// by order of commit. While that one is leased or waits to be tried again,
    /// the later ones wait.
    Outbox,
}

/// How long a lease stands unless a claim says: long enough to deliver a message,
/// short enough that another engine soon takes over from one that died.
/// Source: spec/storage.md, "Worker".
pub const LEASE_SECONDS: u32 = 60;

/// After so long a claim looks again at what is due and cannot be read: soon enough for a node
/// of a newer version to take what an older one does not know.
pub const UNREADABLE_SECONDS: u32 = 600;

/// A claim.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClaimParams {
    /// What.
    pub what: ClaimWhat,
    /// What is due at or before then, and leases that ended at or before then.
    pub now: DateTime<Utc>,
    /// How long the lease stands.
    pub lease_seconds: u32,
    /// How many at most.
    pub max: usize,
    /// How many of one tenant at most, so that a tenant with much to do does not
    /// hold up the others: what it has beyond waits for the next claim.
    pub max_per_tenant: usize,
    /// Only of these tenants; `None` for all.
    pub tenants: Option<Vec<TenantId>>,
}

impl ClaimParams {
    /// A claim for [`LEASE_SECONDS`], of all tenants, without a share for each.
    #[must_use]
    pub fn new(what: ClaimWhat, now: DateTime<Utc>, max: usize) -> Self {
        let lease_seconds = LEASE_SECONDS;
        Self { what, now, lease_seconds, max, max_per_tenant: usize::MAX, tenants: None }
    }

    /// At most so many of one tenant.
    #[must_use]
    pub fn with_share(mut self, max_per_tenant: usize) -> Self {
        self.max_per_tenant = max_per_tenant;
        self
    }
}

/// What a claim gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The leases, in order.
    pub leases: Vec<Lease>,
    /// When the next one not claimed here comes due (or its lease ends), if
    /// there is one; messages that wait behind another do not count.
    pub next_due: Option<DateTime<Utc>>,
}

/// One lease.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// Its proof.
    pub token: LeaseToken,
    /// How often it was tried, this time included; released leases do not count.
    pub attempts: u32,
    /// What is leased.
    pub body: LeaseBody,
}

/// What is leased.
#[derive(Debug, Clone, PartialEq)]
pub enum LeaseBody {
    /// A timer.
    Timer {
        /// Of which thing.
        stream: StreamId,
        /// What for.
        kind: TimerKind,
        /// When it was due; retries do not change it.
        due_at: DateTime<Utc>,
    },
    /// An outbox message, as it was committed.
    Outbox(Box<OutboxMessage>),
}

/// Ends or changes one lease.
#[derive(Debug, Clone, PartialEq)]
pub struct Settle {
    /// Its proof.
    pub token: LeaseToken,
    /// The time now.
    pub now: DateTime<Utc>,
    /// How.
    pub how: SettleHow,
}

/// How a lease ends or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettleHow {
    /// Done: the timer or message is removed.
    Done,
    /// Failed: due again then.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        error: String,
    },
    /// Given up: an outbox message becomes a dead letter, a timer is removed.
    Dead {
        /// Why.
        error: String,
    },
    /// Still at work.
    Extend {
        /// From now.
        lease_seconds: u32,
    },
    /// Given back untried: due at once, the attempt does not count.
    Release,
    /// Given back untried: due then, the attempt does not count.
    Snooze {
        /// Until when.
        until: DateTime<Utc>,
    },
}

/// Housekeeping.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Maintain {
    /// Forgets commands whose time is over.
    PurgeCommands {
        /// The tenant.
        tenant: TenantId,
        /// The time now.
        now: DateTime<Utc>,
    },
    /// Puts dead letters back into the outbox, behind what waits there, due at
    /// once and untried; no ids for all.
    Redrive {
        /// The tenant.
        tenant: TenantId,
        /// Which.
        ids: Vec<uuid::Uuid>,
        /// The time now.
        now: DateTime<Utc>,
    },
    /// Drops dead letters that died before then.
    PurgeDeadLetters {
        /// The tenant.
        tenant: TenantId,
        /// When.
        before: DateTime<Utc>,
    },
    /// Puts other entries where these stand in the journal: what they say, and who
    /// did it. Stream, number and time stay; an entry that is not there is passed over.
    /// Entries of one commit and thing keep one origin in common. For what must be forgotten.
    Rewrite {
        /// The tenant.
        tenant: TenantId,
        /// The entries as they shall be.
        entries: Vec<helpdesk_core::event::Recorded>,
    },
    /// Removes these tickets with all that is theirs (messages, journal, unique keys, timers)
    /// where they stand at these versions; one that does not is passed over. What other things
    /// say of them stays, and feed positions are not given again.
    PurgeTickets {
        /// The tenant.
        tenant: TenantId,
        /// Which, and the version of each.
        tickets: Vec<(TicketId, Version)>,
    },
    /// Of all tenants: takes the lead of a job that one engine at a time does, or keeps it.
    /// [`n_rows`](MaintainReport::n_rows) is 1 when the owner has it then, 0 while another does. Times are
    /// the callers': engines whose clocks differ by more than they leave of a lease may both
    /// lead for that long.
    Lead {
        /// What is led: 1 to 200 chars, none of them `U+0000`.
        job: String,
        /// Who; as long, and no other engine's.
        owner: String,
        /// The time now.
        now: DateTime<Utc>,
        /// How long others wait when nothing is heard of the owner.
        lease_seconds: u32,
    },
    /// Of all tenants: gives the lead of a job back, so that others need not wait for its end;
    /// nothing happens where this owner has it not.
    Resign {
        /// What was led.
        job: String,
        /// By whom.
        owner: String,
    },
    /// Of all tenants: leaves no bytes of what was removed or rewritten in the backend's files.
    /// Takes as long as copying them. A server that tidies up by itself does it in its own time.
    Scrub,
    /// Of all tenants: folds the write-ahead log, or whatever the backend has to tidy up.
    Compact,
}

/// What housekeeping did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaintainReport {
    /// Rows removed or moved.
    pub n_rows: u64,
}
