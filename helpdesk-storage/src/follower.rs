//! Follows the journal: for search, reports, webhooks, whatever is made of it.

use crate::{
    ChangeSet, Committed, EventQuery, EventSource, Expect, Result, Store, StoreError, StoreExt,
};
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::{Checkpoint, Record, RecordKey};
use helpdesk_core::event::{Recorded, StreamId, StreamKind};
use helpdesk_core::id::{TenantId, Version, derived_command_id};

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
///
/// Whoever has no place for it keeps it in the store, under a name:
///
/// ```
/// use chrono::DateTime;
/// use helpdesk_core::id::TenantId;
/// use helpdesk_storage::Follower;
/// use helpdesk_storage::memory::MemoryStore;
/// # pollster::block_on(async {
/// let (store, tenant) = (MemoryStore::default(), TenantId(uuid::Uuid::from_u128(1)));
/// let mut follower = Follower::open(&store, tenant, "webhooks").await?;
/// for entry in follower.next(&store, 100).await? {
///     println!("{}", entry.entry.event.name()); // tell whoever waits for it
/// }
/// follower.keep(&store, DateTime::UNIX_EPOCH).await?;
/// # Ok::<(), helpdesk_storage::StoreError>(())
/// # })?;
/// # Ok::<(), helpdesk_storage::StoreError>(())
/// ```
///
/// What is made of the entries goes into the same commit by [`commit`](Self::commit) (outbox
/// messages, timers, records), or, in the host's own tables of the same database, by
/// [`put_in`](Self::put_in) and the backend's `in_tx`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follower {
    tenant: TenantId,
    kinds: Vec<StreamKind>,
    checkpoint: u64,
    kept: Option<Kept>,
}

/// Where the store keeps the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    name: String,
    version: Version,
    position: u64,
}

impl Follower {
    /// Goes on from a checkpoint that the caller keeps; 0 for the first entry.
    #[must_use]
    pub fn new(tenant: TenantId, checkpoint: u64) -> Self {
        Self { tenant, kinds: Vec::new(), checkpoint, kept: None }
    }

    /// Goes on from the checkpoint that the store keeps under this name; from the first entry
    /// where there is none. Of several that go by one name only one can commit each step.
    ///
    /// # Errors
    ///
    /// As [`Store::get`].
    pub async fn open(
        store: &dyn Store,
        tenant: TenantId,
        name: impl Into<String>,
    ) -> Result<Self> {
        let name = name.into();
        let key = RecordKey::Stream(StreamId::checkpoint(&name));
        let (version, position) = match store.get_one(tenant, key).await? {
            None => (0, 0),
            Some(stored) => match stored.record {
                Record::Checkpoint(it) => (stored.version, it.position),
                _ => {
                    let what = format!("the checkpoint `{name}` is something else");
                    let backend = store.capabilities().backend;
                    return Err(StoreError::Corrupt { backend, what });
                }
            },
        };
        let kept = Some(Kept { name, version, position });
        Ok(Self { tenant, kinds: Vec::new(), checkpoint: position, kept })
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

    /// Goes on from here, be it before or behind: for whoever takes in less than a page, or
    /// reads again.
    pub fn set_checkpoint(&mut self, position: u64) {
        self.checkpoint = position;
    }

    /// Adds the checkpoint to a change set, for a host's own transaction (`in_tx`): tell what
    /// came of it by [`note`](Self::note). Nothing is added where the caller keeps the checkpoint.
    pub fn put_in(&self, change_set: &mut ChangeSet) {
        let Some(Kept { name, version, .. }) = &self.kept else { return };
        let stream = StreamId::checkpoint(name);
        change_set.expect.push(Expect { stream, version: *version });
        let record = Checkpoint { name: name.clone(), position: self.checkpoint };
        change_set.put.push(Record::Checkpoint(record));
    }

    /// Takes in that a change set with the checkpoint was committed.
    pub fn note(&mut self, committed: &Committed) {
        let Some(kept) = &mut self.kept else { return };
        let stream = StreamId::checkpoint(&kept.name);
        let written = committed.versions.iter().find(|(of, _)| *of == stream);
        if let Some((_, version)) = written {
            (kept.version, kept.position) = (*version, self.checkpoint);
        }
    }

    /// Commits what was made of the entries and the checkpoint, all or nothing.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`]; [`StoreError::Conflict`] when another follower of this name was
    /// first. After any error [`open`](Self::open) says from where to go on.
    pub async fn commit(
        &mut self,
        store: &dyn Store,
        mut change_set: ChangeSet,
    ) -> Result<Committed> {
        self.put_in(&mut change_set);
        let committed = store.commit(change_set).await?;
        self.note(&committed);
        Ok(committed)
    }

    /// Commits the checkpoint alone, where it has moved: what was made of the entries is kept
    /// elsewhere, and is made again when this fails.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub async fn keep(&mut self, store: &dyn Store, now: DateTime<Utc>) -> Result<()> {
        let Some(kept) = self.kept.as_ref().filter(|it| it.position != self.checkpoint) else {
            return Ok(());
        };
        let version = kept.version.to_be_bytes();
        let parts: [&[u8]; 4] = [b"keep", self.tenant.0.as_bytes(), kept.name.as_bytes(), &version];
        let change_set = ChangeSet::new(self.tenant, derived_command_id(&parts), now);
        self.commit(store, change_set).await.map(|_| ())
    }
}
