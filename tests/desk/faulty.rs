//! A store that has one fault for one tenant or thing, and is well otherwise.

use async_trait::async_trait;
use helpdesk::MemoryStore;
use helpdesk::core::case::record::{Record, RecordKey, Stored};
use helpdesk::core::event::{Recorded, StreamId};
use helpdesk::core::id::TenantId;
use helpdesk::storage::*;
use serde_json::json;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

/// What is wrong.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// A newer version wrote the configuration of these.
    pub(crate) newer: BTreeSet<TenantId>,
    /// The records of these things cannot be read.
    pub(crate) torn: BTreeSet<StreamId>,
    /// The feed of these cannot be read.
    pub(crate) torn_feed: BTreeSet<TenantId>,
    /// Dead letters of these cannot be dropped.
    pub(crate) torn_letters: BTreeSet<TenantId>,
    /// What becomes of the next commits of commands.
    pub(crate) commits: VecDeque<Fate>,
    /// The server cannot be reached.
    pub(crate) is_down: bool,
    /// The sizes of calls that commit.
    pub(crate) batches: Vec<usize>,
    /// How many records were asked for by their keys.
    pub(crate) n_asked: usize,
    /// Commits of many lose a race, all of them: so everything is committed alone.
    pub(crate) is_never_together: bool,
    /// Whoever reads this waits until it is gone from here.
    pub(crate) held_up: Option<StreamId>,
    /// Commits of many wait until it is no more so.
    pub(crate) is_slow: bool,
    /// Comes before the next commit of many.
    pub(crate) before: Option<Hook>,
    /// The next settlements are not made.
    pub(crate) lost_settlements: usize,
}

/// Something that happens once.
pub(crate) struct Hook(pub(crate) Box<dyn FnOnce() + Send>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is done.
    Done,
    /// It is done, and nobody is told; the server is gone from then on.
    DoneThenDown,
    /// It is not done, and nobody can tell; the server is gone from then on.
    LostThenDown,
    /// It is done, and then the server is gone.
    LastBeforeDown,
    /// It is done, and nobody is told; what it wrote cannot be read.
    DoneThenTorn,
}

/// See [`Faults`].
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<MemoryStore>,
    faults: Mutex<Faults>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<MemoryStore>) -> Arc<Self> {
        Arc::new(Self { inner, faults: Mutex::default() })
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    async fn commit_as_fated(&self, set: ChangeSet) -> Result<Committed> {
        let fate = self.faults().commits.pop_front().unwrap_or(Fate::Done);
        self.faults().is_down = fate != Fate::Done && fate != Fate::DoneThenTorn;
        match fate {
            Fate::DoneThenTorn => {
                let streams: Vec<_> = set.put.iter().filter_map(Record::stream).collect();
                self.inner.commit(set).await?;
                self.faults().torn.extend(streams);
                Err(unknown())
            }
            Fate::Done | Fate::LastBeforeDown => self.inner.commit(set).await,
            Fate::DoneThenDown => {
                self.inner.commit(set).await?;
                Err(unknown())
            }
            Fate::LostThenDown => Err(unknown()),
        }
    }

    fn reach(&self) -> Result<()> {
        match self.faults().is_down {
            true => Err(down()),
            false => Ok(()),
        }
    }
}

fn down() -> StoreError {
    let source = "no route to it".into();
    StoreError::Unavailable { backend: "faulty", retry_after: None, source }
}

fn not_after(set: &ChangeSet) -> Result<Committed> {
    Err(StoreError::NotAfter { commit_id: set.commit_id })
}

fn unknown() -> StoreError {
    StoreError::Ambiguous { backend: "faulty", source: "cut off".into() }
}

fn torn() -> StoreError {
    StoreError::Corrupt { backend: "faulty", what: "a torn row".to_owned() }
}

#[async_trait]
impl Store for Faulty {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("faulty", false, true)
    }

    async fn commit(&self, set: ChangeSet) -> Result<Committed> {
        self.reach()?;
        self.faults().batches.push(1);
        if set.command.is_none() && set.done.is_empty() {
            return self.inner.commit(set).await;
        }
        self.commit_as_fated(set).await
    }

    async fn commit_many(&self, sets: Vec<ChangeSet>) -> Vec<Result<Committed>> {
        self.faults().batches.push(sets.len());
        let before = self.faults().before.take();
        if let Some(Hook(before)) = before {
            before();
        }
        std::future::poll_fn(|_| match self.faults().is_slow {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
        if self.reach().is_err() {
            return sets.iter().map(|_| Err(down())).collect();
        }
        if self.faults().is_never_together {
            return sets.iter().map(not_after).collect();
        }
        if self.faults().commits.is_empty() {
            return self.inner.commit_many(sets).await;
        }
        let mut ends = Vec::new();
        for mut set in sets {
            ends.push(match (ends.last(), self.reach()) {
                (Some(Err(_)), _) => Err(unknown()),
                (_, Err(error)) => Err(error),
                (_, Ok(())) => {
                    // The one before is done.
                    set.after = None;
                    self.commit_as_fated(set).await
                }
            });
        }
        ends
    }

    async fn get(&self, tenant: TenantId, keys: &[RecordKey]) -> Result<Vec<Option<Stored>>> {
        self.reach()?;
        self.faults().n_asked += keys.len();
        std::future::poll_fn(|_| {
            let held_up = self.faults().held_up.map(RecordKey::Stream);
            match held_up.is_some_and(|key| keys.contains(&key)) {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        })
        .await;
        let mut found = self.inner.get(tenant, keys).await?;
        let faults = self.faults();
        let is_torn = |key: &RecordKey| match key {
            RecordKey::Stream(stream) => faults.torn.contains(stream),
            _ => false,
        };
        if keys.iter().any(is_torn) {
            return Err(torn());
        }
        for stored in found.iter_mut().flatten() {
            if let Record::Config(config) = &mut stored.record
                && faults.newer.contains(&tenant)
            {
                config.document["of_tomorrow"] = json!(true);
            }
        }
        Ok(found)
    }

    async fn list(&self, query: &ListQuery) -> Result<Page<Stored>> {
        self.reach()?;
        self.inner.list(query).await
    }

    async fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>> {
        self.reach()?;
        self.inner.count(query).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<Recorded>> {
        self.reach()?;
        if self.faults().torn_feed.contains(&query.tenant) {
            return Err(torn());
        }
        self.inner.events(query).await
    }

    async fn feed_end(&self, tenant: TenantId) -> Result<u64> {
        self.reach()?;
        self.inner.feed_end(tenant).await
    }

    async fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        self.reach()?;
        self.inner.claim(params).await
    }

    async fn settle(&self, settles: Vec<Settle>) -> Result<Vec<Result<()>>> {
        self.reach()?;
        {
            let mut faults = self.faults();
            if faults.lost_settlements > 0 {
                faults.lost_settlements -= 1;
                return Err(down());
            }
        }
        self.inner.settle(settles).await
    }

    async fn maintain(&self, maintain: &Maintain) -> Result<MaintainReport> {
        self.reach()?;
        if let Maintain::PurgeDeadLetters { tenant, .. } = maintain
            && self.faults().torn_letters.contains(tenant)
        {
            return Err(torn());
        }
        self.inner.maintain(maintain).await
    }
}
