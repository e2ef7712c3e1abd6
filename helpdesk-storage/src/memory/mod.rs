//! The reference backend: plain ordered maps behind one lock.
//!
//! Every other backend must answer as this one does. It keeps nothing once the
//! process ends. A call holds the lock for as long as it runs.

mod commit;
mod lease;
mod leases;
mod maintain;
mod read;
mod state;

use crate::{
    Bucket, Capabilities, ChangeSet, ClaimParams, Claimed, Committed, CountQuery, EventQuery,
    ListKind, ListQuery, Maintain, MaintainReport, Page, Projection, Result, Series, Settle, Store,
};
use async_trait::async_trait;
use helpdesk_core::case::record::{RecordKey, Stored};
use helpdesk_core::event::Recorded;
use helpdesk_core::id::TenantId;
use state::State;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps everything in memory.
///
/// ```
/// use helpdesk_storage::Store;
/// use helpdesk_storage::memory::MemoryStore;
/// let store = MemoryStore::default();
/// assert!(!store.capabilities().is_durable);
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

impl MemoryStore {
    /// The state. Changes are checked before the first one is made, so a panic
    /// elsewhere leaves nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("memory", false, false)
    }

    async fn commit(&self, change_set: ChangeSet) -> Result<Committed> {
        Series::default().commit(change_set, |set| self.state().commit(set))
    }

    async fn commit_many(&self, change_sets: Vec<ChangeSet>) -> Vec<Result<Committed>> {
        let mut state = self.state();
        let mut series = Series::default();
        let commit = |set| series.commit(set, |set| state.commit(set));
        change_sets.into_iter().map(commit).collect()
    }

    async fn get(&self, tenant: TenantId, keys: &[RecordKey]) -> Result<Vec<Option<Stored>>> {
        let found = self.state().get(tenant, keys);
        // Records are copied after the lock is gone.
        Ok(found.into_iter().map(|row| row.map(state::Row::into_stored)).collect())
    }

    async fn list(&self, query: &ListQuery) -> Result<Page<Stored>> {
        let page = self.state().list(query)?;
        let summary =
            query.projection == Projection::Summary && matches!(query.kind, ListKind::Cases(_));
        let stored = |row: state::Row| if summary { row.into_summary() } else { row.into_stored() };
        let rows = page.rows.into_iter().map(stored).collect();
        Ok(Page { rows, next: page.next })
    }

    async fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>> {
        self.state().count(query)
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<Recorded>> {
        let page = self.state().events(query)?;
        let rows = page.rows.iter().map(|entry| Recorded::clone(entry)).collect();
        Ok(Page { rows, next: page.next })
    }

    async fn feed_end(&self, tenant: TenantId) -> Result<u64> {
        Ok(self.state().feed_end(tenant))
    }

    async fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        Ok(self.state().claim(params))
    }

    async fn settle(&self, settles: Vec<Settle>) -> Result<Vec<Result<()>>> {
        let mut state = self.state();
        Ok(settles.into_iter().map(|settle| state.settle(settle)).collect())
    }

    async fn maintain(&self, maintain: &Maintain) -> Result<MaintainReport> {
        Ok(MaintainReport { n_rows: self.state().maintain(maintain)? })
    }
}
