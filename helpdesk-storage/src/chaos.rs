//! A store that fails on purpose, for tests of what stands on a store.
//!
//! [`Chaos`] stands before any [`Store`] and breaks what a network, a disk or a
//! crash breaks, by a seed: the same seed and the same calls break in the same
//! places. [`cut`] drops a future at one of its awaits, as a runtime does when a
//! request is canceled.
//!
//! ```
//! use helpdesk_storage::chaos::{Chaos, Odds};
//! use helpdesk_storage::memory::MemoryStore;
//! use helpdesk_storage::{Store, StoreError};
//! use std::sync::Arc;
//! let odds = Odds { after_percent: 100, ..Odds::default() };
//! let chaos = Chaos::new(Arc::new(MemoryStore::default()), odds, 7);
//! let tenant = helpdesk_core::id::TenantId(uuid::Uuid::from_u128(1));
//! let id = helpdesk_core::id::CommandId(uuid::Uuid::from_u128(2));
//! let at = chrono::DateTime::UNIX_EPOCH;
//! let change = helpdesk_storage::ChangeSet::new(tenant, id, at);
//! let outcome = pollster::block_on(chaos.commit(change));
//! assert!(matches!(outcome, Err(StoreError::Ambiguous { .. })));
//! ```
//!
//! Source: spec/storage.md, "Reliability suite", 3.

use crate::{
    Bucket, Capabilities, ChangeSet, ClaimParams, ClaimWhat, Claimed, Committed, CountQuery,
    EventQuery, Lease, LeaseBody, ListQuery, Maintain, MaintainReport, Page, Result, Settle, Store,
    StoreError,
};
use async_trait::async_trait;
use helpdesk_core::case::record::{RecordKey, Stored};
use helpdesk_core::event::Recorded;
use helpdesk_core::id::TenantId;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// The name that errors made here carry.
const BACKEND: &str = "chaos";
/// Awaits that one wait takes at most.
const WAITS_MAX: u64 = 4;
/// Leases that may be given a second time: the last so many.
const GIVEN_MAX: usize = 32;

/// Numbers that look drawn and are the same for the same seed (splitmix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below a bound; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// Whether something that is so in this many of a hundred cases is so now.
    pub fn percent(&mut self, percent: u8) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// One of these; `None` of none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(from.len() as u64)).ok()?;
        from.get(at)
    }
}

/// How often what happens, in percent of the calls; nothing unless set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Odds {
    /// The call fails and nothing was done: [`StoreError::Unavailable`].
    pub before_percent: u8,
    /// The call is done and its answer is lost: [`StoreError::Ambiguous`] where it
    /// writes, [`StoreError::Unavailable`] where it reads.
    pub after_percent: u8,
    /// The call waits, before and after it is done: 1 to 4 awaits each.
    pub wait_percent: u8,
    /// A claim gives a lease that another claim gave before, too.
    pub twice_percent: u8,
}

/// A store that fails by a seed; see the [module](self).
#[derive(Debug)]
pub struct Chaos {
    inner: Arc<dyn Store>,
    odds: Odds,
    is_shared: bool,
    drawn: Mutex<Drawn>,
}

#[derive(Debug)]
struct Drawn {
    dice: Dice,
    given: Vec<Lease>,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Fine,
    Before,
    After,
}

impl Chaos {
    /// A store that does what `inner` does, but for what fails by `odds` and `seed`.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, odds: Odds, seed: u64) -> Self {
        let is_shared = inner.capabilities().is_shared;
        let drawn = Mutex::new(Drawn { dice: Dice::new(seed), given: Vec::new() });
        Self { inner, odds, is_shared, drawn }
    }

    /// The same, saying that other engines use the store too: with several
    /// decorators on one store in memory that is so.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws what happens to a call, and waits before it.
    async fn fate(&self) -> Fate {
        self.wait().await;
        let mut drawn = self.drawn();
        if drawn.dice.percent(self.odds.before_percent) {
            Fate::Before
        } else if drawn.dice.percent(self.odds.after_percent) {
            Fate::After
        } else {
            Fate::Fine
        }
    }

    async fn wait(&self) {
        let n = {
            let mut drawn = self.drawn();
            if !drawn.dice.percent(self.odds.wait_percent) {
                return;
            }
            1 + drawn.dice.below(WAITS_MAX)
        };
        for _ in 0..n {
            once().await;
        }
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let fate = self.fate().await;
        if fate == Fate::Before {
            return Err(unavailable());
        }
        let outcome = call.await;
        self.wait().await;
        if fate == Fate::After { Err(unavailable()) } else { outcome }
    }

    async fn write<T>(&self, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let fate = self.fate().await;
        if fate == Fate::Before {
            return Err(unavailable());
        }
        let outcome = call.await;
        self.wait().await;
        if fate == Fate::After { Err(ambiguous()) } else { outcome }
    }

    /// A lease that was given before, now and then; remembers what is given.
    fn give_twice(&self, params: &ClaimParams, claimed: &mut Claimed) {
        let mut drawn = self.drawn();
        let Drawn { dice, given } = &mut *drawn;
        let fresh = claimed.leases.clone();
        if dice.percent(self.odds.twice_percent) {
            let fitting: Vec<&Lease> = given.iter().filter(|lease| fits(params, lease)).collect();
            let again = dice.pick(&fitting).map(|lease| Lease::clone(lease));
            claimed.leases.extend(again);
        }
        given.extend(fresh);
        let n_old = given.len().saturating_sub(GIVEN_MAX);
        given.drain(..n_old);
    }
}

/// Whether a claim could have given this lease.
fn fits(params: &ClaimParams, lease: &Lease) -> bool {
    let is_wanted = match lease.body {
        LeaseBody::Timer { .. } => params.what == ClaimWhat::Timers,
        LeaseBody::Outbox(_) => params.what == ClaimWhat::Outbox,
    };
    is_wanted && params.tenants.as_ref().is_none_or(|own| own.contains(&lease.token.tenant))
}

fn unavailable() -> StoreError {
    let source = "the line was cut before".into();
    StoreError::Unavailable { backend: BACKEND, retry_after: None, source }
}

fn ambiguous() -> StoreError {
    StoreError::Ambiguous { backend: BACKEND, source: "the line was cut after".into() }
}

/// Is pending once, and ready the next time.
async fn once() {
    let mut is_second = false;
    poll_fn(|context| {
        if std::mem::replace(&mut is_second, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs a future until it waits for the time after the `n_waits`-th, and drops it
/// there; `None` then. With 0 it is dropped at its first await.
pub async fn cut<T>(future: impl Future<Output = T>, n_waits: u32) -> Option<T> {
    let mut future = pin!(future);
    let mut n = 0;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if n == n_waits => Poll::Ready(None),
        Poll::Pending => {
            n += 1;
            Poll::Pending
        }
    })
    .await
}

#[async_trait]
impl Store for Chaos {
    fn capabilities(&self) -> Capabilities {
        Capabilities { is_shared: self.is_shared, ..self.inner.capabilities() }
    }

    async fn commit(&self, change_set: ChangeSet) -> Result<Committed> {
        self.write(self.inner.commit(change_set)).await
    }

    async fn commit_many(&self, change_sets: Vec<ChangeSet>) -> Vec<Result<Committed>> {
        let n = change_sets.len();
        let call = async { Ok(self.inner.commit_many(change_sets).await) };
        match self.write(call).await {
            Ok(results) => results,
            Err(StoreError::Ambiguous { .. }) => (0..n).map(|_| Err(ambiguous())).collect(),
            Err(_) => (0..n).map(|_| Err(unavailable())).collect(),
        }
    }

    async fn get(&self, tenant: TenantId, keys: &[RecordKey]) -> Result<Vec<Option<Stored>>> {
        self.read(self.inner.get(tenant, keys)).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page<Stored>> {
        self.read(self.inner.list(query)).await
    }

    async fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>> {
        self.read(self.inner.count(query)).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<Recorded>> {
        self.read(self.inner.events(query)).await
    }

    async fn feed_end(&self, tenant: TenantId) -> Result<u64> {
        self.read(self.inner.feed_end(tenant)).await
    }

    async fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        let mut claimed = self.write(self.inner.claim(params)).await?;
        self.give_twice(params, &mut claimed);
        Ok(claimed)
    }

    async fn settle(&self, settles: Vec<Settle>) -> Result<Vec<Result<()>>> {
        self.write(self.inner.settle(settles)).await
    }

    async fn maintain(&self, maintain: &Maintain) -> Result<MaintainReport> {
        self.write(self.inner.maintain(maintain)).await
    }
}
