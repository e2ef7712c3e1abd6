//! What a long round of work asks while it runs: the time, and whether to stop.

use crate::engine::Helpdesk;
use crate::error::Result;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_storage::{LEASE_SECONDS, LeaseToken, Settle, SettleHow};

/// Of the things leased at once, how many are one tenant's at most: what it has beyond waits
/// for the next claim, so that nobody waits for one tenant's backlog.
pub(crate) const SHARE_MAX: usize = 32;

/// What a round of [`tick_at`](Helpdesk::tick_at) or [`deliver_at`](Helpdesk::deliver_at)
/// asks between its parts. The engine has no clock of its own.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use helpdesk::Pace;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// /// The system's clock, until somebody says stop.
/// #[derive(Debug, Default)]
/// struct UntilStopped(AtomicBool);
///
/// impl Pace for UntilStopped {
///     fn now(&self) -> DateTime<Utc> {
///         std::time::SystemTime::now().into()
///     }
///
///     fn is_over(&self) -> bool {
///         self.0.load(Ordering::Relaxed)
///     }
/// }
/// # let desk = helpdesk::Helpdesk::builder().build()?;
/// # helpdesk::block_on(async {
/// let pace = UntilStopped::default();
/// let report = desk.deliver_at(&pace, 100).await?;
/// assert_eq!(report.delivered, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Pace: Send + Sync {
    /// The time now. It may stand still, and must not go back.
    fn now(&self) -> DateTime<Utc>;

    /// Whether to stop: what is leased and not yet begun is given back.
    fn is_over(&self) -> bool;
}

/// One time, to the end of the work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AtOnce(pub(crate) DateTime<Utc>);

impl Pace for AtOnce {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }

    fn is_over(&self) -> bool {
        false
    }
}

/// Keeps leases while their work goes on.
pub(crate) struct Keeper<'a> {
    desk: &'a Helpdesk,
    pace: &'a dyn Pace,
    leased_at: DateTime<Utc>,
}

impl<'a> Keeper<'a> {
    /// Of leases that are taken now.
    pub(crate) fn new(desk: &'a Helpdesk, pace: &'a dyn Pace) -> Self {
        Self { desk, pace, leased_at: pace.now() }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.pace.now()
    }

    pub(crate) fn leased_at(&self) -> DateTime<Utc> {
        self.leased_at
    }

    /// Of other leases, taken now.
    pub(crate) fn lease_anew(&mut self) {
        self.leased_at = self.pace.now();
    }

    /// Whether to stop.
    pub(crate) fn is_over(&self) -> bool {
        self.pace.is_over()
    }

    /// Extends these leases once a third of their time is over. Those that ended
    /// all the same are found out when they are settled.
    pub(crate) async fn keep(&mut self, tokens: impl Iterator<Item = LeaseToken>) -> Result<()> {
        let now = self.pace.now();
        if now - self.leased_at < TimeDelta::seconds(i64::from(LEASE_SECONDS) / 3) {
            return Ok(());
        }
        self.leased_at = now;
        let how = SettleHow::Extend { lease_seconds: LEASE_SECONDS };
        let settles: Vec<Settle> =
            tokens.map(|token| Settle { token, now, how: how.clone() }).collect();
        if !settles.is_empty() {
            self.desk.inner.store.settle(settles).await?;
        }
        Ok(())
    }
}
