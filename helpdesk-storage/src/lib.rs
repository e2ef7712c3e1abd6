//! Where a help desk keeps its state.
//!
//! A backend implements [`Store`]: eleven methods, all required. Everything that a
//! command does is one [`ChangeSet`], committed whole or not at all. `memory`
//! is the reference; `sqlite` (default feature) is the embedded one, `postgres` (a
//! feature) the one for many nodes; every backend, third-party ones too, passes the suite
//! of the feature `conformance`.

pub mod blob;
mod change_set;
#[cfg(feature = "conformance")]
pub mod chaos;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod doc;
mod error;
mod ext;
mod follower;
mod lead;
mod matching;
pub mod memory;
mod order;
mod plan;
#[cfg(feature = "postgres")]
pub mod postgres;
mod query;
mod series;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use change_set::{
    ChangeSet, Committed, Expect, LeaseToken, LeasedThing, NewOutbox, TimerOp, UniqueOp,
};
pub use error::{Conflict, Result, StoreError};
pub use ext::{News, Pages, StoreExt};
pub use follower::Follower;
pub use query::{
    Bucket, Capabilities, ClaimParams, ClaimWhat, Claimed, CountBy, CountQuery, Cursor, Direction,
    EventQuery, EventSource, LEASE_SECONDS, Lease, LeaseBody, ListKind, ListQuery, Maintain,
    MaintainReport, Order, OrderBy, Page, Projection, Settle, SettleHow, Shelf, UNREADABLE_SECONDS,
};

pub use series::Series;

use async_trait::async_trait;
use helpdesk_core::case::record::{RecordKey, Stored};
use helpdesk_core::event::Recorded;
use helpdesk_core::id::TenantId;
use std::fmt::Debug;

/// A backend.
///
/// # Contract
///
/// - [`commit`](Store::commit) is atomic and isolated: all of a change set or
///   nothing, and no reader sees half of it.
/// - Every call is for one tenant, and tenant B never sees A's rows; only
///   [`claim`](Store::claim) may work for several.
/// - Nothing reads a clock: times are arguments. Due times, leases and orders
///   are exact to the microsecond; records keep their instants whole.
///
/// Source: spec/storage.md, "Traits".
#[async_trait]
pub trait Store: Send + Sync + Debug + 'static {
    /// What this backend is and can.
    fn capabilities(&self) -> Capabilities;

    /// Commits one change set.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when an expectation does not hold,
    /// [`StoreError::DuplicateKey`] when a unique key is another's,
    /// [`StoreError::KeyReused`] when the command id was used with other
    /// content, [`StoreError::StaleLease`] when a finished lease is no more,
    /// [`StoreError::Invalid`] when the change set makes no sense: nothing was
    /// committed. [`StoreError::Ambiguous`] when it may have been.
    async fn commit(&self, change_set: ChangeSet) -> Result<Committed>;

    /// Commits several change sets, each for itself: one's failure does not
    /// touch another, but for one that comes [after](ChangeSet::after) it. A later one sees
    /// what an earlier one did.
    async fn commit_many(&self, change_sets: Vec<ChangeSet>) -> Vec<Result<Committed>>;

    /// The records with these keys, in the order of the keys, all from one snapshot.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`] or [`StoreError::Backend`].
    async fn get(&self, tenant: TenantId, keys: &[RecordKey]) -> Result<Vec<Option<Stored>>>;

    /// A page of records.
    ///
    /// # Errors
    ///
    /// As [`get`](Store::get); [`StoreError::Invalid`] for a cursor of another
    /// list or order, and for a limit that is 0 or over
    /// [`PAGE_MAX`](helpdesk_core::limit::PAGE_MAX).
    async fn list(&self, query: &ListQuery) -> Result<Page<Stored>>;

    /// How many cases, by group.
    ///
    /// # Errors
    ///
    /// As [`get`](Store::get).
    async fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>>;

    /// A page of the journal: of one stream, or of the feed. Positions grow
    /// with every commit of a thing; they may have gaps. On a backend whose commits run
    /// side by side the feed shows a commit only once nothing can come to stand before it.
    ///
    /// # Errors
    ///
    /// As [`get`](Store::get); [`StoreError::Invalid`] for a limit as in
    /// [`list`](Store::list).
    async fn events(&self, query: &EventQuery) -> Result<Page<Recorded>>;

    /// The feed position of the tenant's last event that the feed shows; 0 without any.
    /// Whoever follows the feed from there on misses nothing that is committed later.
    ///
    /// # Errors
    ///
    /// As [`get`](Store::get).
    async fn feed_end(&self, tenant: TenantId) -> Result<u64>;

    /// Leases timers or outbox messages that are due.
    ///
    /// What is due and cannot be read, such as what a newer version wrote, is left out, and the
    /// others are given: it is due again [`UNREADABLE_SECONDS`] later, without an attempt counted,
    /// until then what comes after it in its lane waits, and a `tracing` event of level `ERROR`
    /// names it.
    ///
    /// # Errors
    ///
    /// As [`get`](Store::get); [`StoreError::Ambiguous`] when it may have been done: what was
    /// leased is due again when that lease has ended, an attempt later.
    async fn claim(&self, params: &ClaimParams) -> Result<Claimed>;

    /// Ends or changes leases, each for itself.
    ///
    /// # Errors
    ///
    /// As [`get`](Store::get) for the whole, and [`StoreError::Ambiguous`] when some or all of
    /// it may have been done: settled again, what was done is stale. [`StoreError::StaleLease`]
    /// for one.
    async fn settle(&self, settles: Vec<Settle>) -> Result<Vec<Result<()>>>;

    /// Housekeeping. Done twice, it leaves what it leaves done once.
    ///
    /// # Errors
    ///
    /// As [`get`](Store::get); [`StoreError::Ambiguous`] when it may have been done: do it again.
    /// [`StoreError::Invalid`] for a [`Maintain::Rewrite`] that gives entries of one commit and
    /// thing different origins, and a [`Maintain::Lead`] or [`Maintain::Resign`] with a name that
    /// is none: nothing was done.
    async fn maintain(&self, maintain: &Maintain) -> Result<MaintainReport>;
}
