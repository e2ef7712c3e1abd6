//! Follows the journal: for search, reports, webhooks, whatever is made of it.

use crate::{EventQuery, EventSource, Result, Store};
use helpdesk_core::event::{Recorded, StreamKind};
use helpdesk_core::id::TenantId;

/// Reads a tenant's journal entry by entry from a checkpoint on, on any backend, and misses
/// nothing.
///
/// Keep the [`checkpoint`](Self::checkpoint) where you keep what you make of the entries, in
/// one write: then each entry counts exactly once, whatever ends. A checkpoint that is
/// written later lets the entries since come again.
///
/// ```
/// use helpdesk_core::id::TenantId;
/// use helpdesk_storage::Follower;
/// use helpdesk_storage::memory::MemoryStore;
/// # pollster::block_on(async {
/// let store = MemoryStore::default();
/// let kept_checkpoint = 0; // read back from where you keep it
/// let mut follower = Follower::new(TenantId(uuid::Uuid::from_u128(1)), kept_checkpoint);
/// let entries = follower.next(&store, 100).await?;
/// assert!(entries.is_empty());
/// assert_eq!(follower.checkpoint(), 0);
/// # Ok::<(), helpdesk_storage::StoreError>(())
/// # })?;
/// # Ok::<(), helpdesk_storage::StoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follower {
    tenant: TenantId,
    kinds: Vec<StreamKind>,
    checkpoint: u64,
}

impl Follower {
    /// Goes on from a checkpoint; 0 for the first entry.
    #[must_use]
    pub fn new(tenant: TenantId, checkpoint: u64) -> Self {
        Self { tenant, kinds: Vec::new(), checkpoint }
    }

    /// Only entries of streams of these kinds; none for all.
    #[must_use]
    pub fn with_kinds(mut self, kinds: Vec<StreamKind>) -> Self {
        self.kinds = kinds;
        self
    }

    /// The feed position of the last entry that [`next`](Self::next) gave.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.checkpoint
    }

    /// The next entries, `limit` at most; none when there are none yet.
    ///
    /// # Errors
    ///
    /// As [`Store::events`]; the checkpoint stays where it was.
    pub async fn next(&mut self, store: &dyn Store, limit: usize) -> Result<Vec<Recorded>> {
        let source = EventSource::Feed { after: self.checkpoint, kinds: self.kinds.clone() };
        let page = store.events(&EventQuery::new(self.tenant, source, limit)).await?;
        if let Some(last) = page.rows.last() {
            self.checkpoint = last.position;
        }
        Ok(page.rows)
    }
}
