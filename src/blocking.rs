//! The engine for programs without `async`.

use crate::archive::Archive;
use crate::deliver::DeliverReport;
use crate::engine::{Call, Outcome};
use crate::error::Result;
use crate::index::IndexReport;
use crate::prepare::Prepared;
use crate::retain::RetainReport;
use crate::tick::TickReport;
use chrono::{DateTime, Utc};
use helpdesk_core::actor::Actor;
use helpdesk_core::id::TenantId;
use helpdesk_core::intake::inbound::InboundMessage;
use helpdesk_core::query::{Answer, Query};
use std::future::Future;
use uuid::Uuid;

/// Runs a future on the calling thread until it is done. Needs no runtime; not
/// for use inside one.
pub fn block_on<F: Future>(future: F) -> F::Output {
    pollster::block_on(future)
}

/// An engine whose methods return when they are done. The same engine as the
/// [`crate::Helpdesk`] it is made from.
///
/// ```
/// use helpdesk::{Helpdesk, blocking};
/// let desk = blocking::Helpdesk::from(Helpdesk::builder().build()?);
/// let report = desk.tick("2026-11-20T09:00:00Z".parse()?, 100)?;
/// assert_eq!((report.fired, report.next_due), (0, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Helpdesk(crate::Helpdesk);

impl From<crate::Helpdesk> for Helpdesk {
    fn from(desk: crate::Helpdesk) -> Self {
        Self(desk)
    }
}

impl Helpdesk {
    /// The engine itself.
    #[must_use]
    pub fn engine(&self) -> &crate::Helpdesk {
        &self.0
    }

    /// As [`Helpdesk::receive`](crate::Helpdesk::receive).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn receive(
        &self,
        tenant: TenantId,
        message: InboundMessage,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        block_on(self.0.receive(tenant, message, now))
    }

    /// As [`Helpdesk::execute`](crate::Helpdesk::execute).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn execute(
        &self,
        actor: &Actor,
        call: impl Into<Call>,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        block_on(self.0.execute(actor, call, now))
    }

    /// As [`Helpdesk::prepare`](crate::Helpdesk::prepare).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn prepare(
        &self,
        actor: &Actor,
        call: impl Into<Call>,
        now: DateTime<Utc>,
    ) -> Result<Prepared> {
        block_on(self.0.prepare(actor, call, now))
    }

    /// As [`Helpdesk::query`](crate::Helpdesk::query).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn query(&self, actor: &Actor, query: Query, now: DateTime<Utc>) -> Result<Answer> {
        block_on(self.0.query(actor, query, now))
    }

    /// As [`Helpdesk::tick`](crate::Helpdesk::tick).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn tick(&self, now: DateTime<Utc>, max_timers: usize) -> Result<TickReport> {
        block_on(self.0.tick(now, max_timers))
    }

    /// As [`Helpdesk::deliver`](crate::Helpdesk::deliver).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn deliver(&self, now: DateTime<Utc>, max: usize) -> Result<DeliverReport> {
        block_on(self.0.deliver(now, max))
    }

    /// As [`Helpdesk::index`](crate::Helpdesk::index).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn index(&self, max_entries: usize) -> Result<IndexReport> {
        block_on(self.0.index(max_entries))
    }

    /// As [`Helpdesk::redrive`](crate::Helpdesk::redrive).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn redrive(&self, tenant: TenantId, ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<u64> {
        block_on(self.0.redrive(tenant, ids, now))
    }

    /// As [`Helpdesk::forget_commands`](crate::Helpdesk::forget_commands).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn forget_commands(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<u64> {
        block_on(self.0.forget_commands(tenant, now))
    }

    /// As [`Helpdesk::retain`](crate::Helpdesk::retain).
    ///
    /// # Errors
    ///
    /// The same.
    pub fn retain(
        &self,
        tenant: TenantId,
        archive: &dyn Archive,
        now: DateTime<Utc>,
    ) -> Result<RetainReport> {
        block_on(self.0.retain(tenant, archive, now))
    }

    /// As [`Helpdesk::execute_json`](crate::Helpdesk::execute_json).
    #[must_use]
    pub fn execute_json(&self, envelope: &str, now: DateTime<Utc>) -> String {
        block_on(self.0.execute_json(envelope, now))
    }

    /// As [`Helpdesk::query_json`](crate::Helpdesk::query_json).
    #[must_use]
    pub fn query_json(&self, envelope: &str, now: DateTime<Utc>) -> String {
        block_on(self.0.query_json(envelope, now))
    }
}
