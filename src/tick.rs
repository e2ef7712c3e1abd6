//! Time passes: timers that are due are fired.

use crate::engine::Helpdesk;
use crate::error::{Error, Result};
use crate::firing::Round;
use crate::leased::{EARLIER_MAX, Leased};
use crate::pace::{AtOnce, Pace, SHARE_MAX};
use crate::spans::{code_of, coded};
use chrono::{DateTime, Utc};
use helpdesk_storage::{ClaimParams, ClaimWhat, Lease, LeaseToken, Settle, SettleHow};
use std::collections::VecDeque;

/// Timers leased at once.
const CLAIM_MAX: usize = 128;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct TickReport {
    /// Timers that were fired. What one of them sets due at once fires with it, and
    /// counts with it.
    pub fired: u64,
    /// Timers that another engine fired meanwhile, or that were set anew.
    pub dropped: u64,
    /// Timers that could not be fired, as what they are of cannot be read: they are tried
    /// again after a minute, then after twice as long each time, 16 minutes at the most.
    pub failed: u64,
    /// Whole seconds by which the latest of those fired was late: how long nobody
    /// ticked. Their events carry their due times all the same.
    pub late_by_seconds: u64,
    /// When the next timer comes due, if there is one.
    pub next_due: Option<DateTime<Utc>>,
}

impl Helpdesk {
    /// Fires what is due at `now`, at most `max_timers`, in each tenant in order (due time,
    /// kind rank, ticket), each with its due time as the time of its events.
    ///
    /// One big tick does the same as many small ones. A timer's firing and its
    /// effect are one commit, so it fires exactly once, whatever the number of engines.
    /// Those of different tickets wait for the disk together, up to 32 of a tenant.
    /// A tenant with much to do shares the tick with the others.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when the store cannot be reached; what was fired before stands. What
    /// cannot be read of one ticket or tenant holds up nobody else: it is logged, and its timers
    /// are tried again later.
    pub async fn tick(&self, now: DateTime<Utc>, max_timers: usize) -> Result<TickReport> {
        self.tick_at(&AtOnce(now), max_timers).await
    }

    /// The same with a clock: what is due at its start is fired, and what comes due while it
    /// goes on. Leases are extended meanwhile, and given back when it is over before its end.
    ///
    /// # Errors
    ///
    /// As [`tick`](Self::tick).
    pub async fn tick_at(&self, pace: &dyn Pace, max_timers: usize) -> Result<TickReport> {
        let span = tracing::debug_span!("tick", code = tracing::field::Empty);
        coded(span, self.tick_all(pace, max_timers)).await
    }

    async fn tick_all(&self, pace: &dyn Pace, max_timers: usize) -> Result<TickReport> {
        if self.inner.store.capabilities().is_shared {
            for tenant in self.known_tenants() {
                let refreshed = self.refresh(tenant.id).await;
                if let Err(error) = refreshed {
                    if error.is_outage() {
                        return Err(error);
                    }
                    // Its commits find out that what is known of it is old.
                    let (tenant, code) = (tenant.id, error.code());
                    tracing::error!(%tenant, %code, "a tenant could not be read anew");
                }
            }
        }
        let mut round = Round::begin(self, pace);
        let mut budget = max_timers;
        loop {
            let max = if pace.is_over() { 0 } else { budget.min(CLAIM_MAX) };
            round.keeper.lease_anew();
            // Leases count from here on, however long the tick has gone on.
            let claim = ClaimParams::new(ClaimWhat::Timers, pace.now(), max).with_share(SHARE_MAX);
            let claimed = self.inner.store.claim(&claim).await?;
            round.report.next_due = claimed.next_due;
            if claimed.leases.is_empty() {
                return Ok(round.report);
            }
            budget -= self.fire_all(claimed.leases.into(), budget, &mut round).await?;
        }
    }

    /// Fires leased timers in order, at most `max`; gives the rest back. Where one of
    /// them sets a timer that comes before the next of its tenant, that one is leased too
    /// and fired in its turn.
    async fn fire_all(
        &self,
        leases: VecDeque<Lease>,
        max: usize,
        round: &mut Round<'_>,
    ) -> Result<usize> {
        let mut leased = Leased::of(leases);
        let mut n_done = 0;
        while n_done < max && !round.keeper.is_over() {
            match self.fire_first(&mut leased, max - n_done, round).await {
                Ok(Some(n)) => n_done += n,
                Ok(None) => break,
                Err(error) => {
                    let now = round.keeper.now();
                    return Err(self.release_after(error, leased.leases, now).await);
                }
            }
        }
        self.release(leased.leases, round.keeper.now()).await?;
        Ok(n_done)
    }

    /// Fires the first that is leased, together with those that may be, at most `max`, and leases
    /// what may come next then. How many were fired; `None` where nothing is leased.
    async fn fire_first(
        &self,
        leased: &mut Leased,
        max: usize,
        round: &mut Round<'_>,
    ) -> Result<Option<usize>> {
        round.keeper.keep(leased.leases.iter().map(|lease| lease.token)).await?;
        let mut due = leased.take_first(max);
        let n_due = due.len();
        let n_done = match n_due {
            0 => return Ok(None),
            1 => {
                let lease = &due[0];
                let rest: Vec<LeaseToken> = leased.leases.iter().map(|it| it.token).collect();
                let timers = self.fire(lease, &rest, round).await?;
                leased.note(lease.token.tenant, timers);
                1
            }
            _ => {
                let ends = self.fire_together(due.make_contiguous()).await;
                round.take(due, ends, leased)
            }
        };
        leased.together_max.learn(n_due, n_done);
        self.lease_earlier(leased, round.keeper.now()).await?;
        Ok(Some(n_done))
    }

    /// Leases what may come before the first that is leased.
    async fn lease_earlier(&self, leased: &mut Leased, now: DateTime<Utc>) -> Result<()> {
        while let Some(tenant) = leased.may_miss_the_first() {
            let mut params = ClaimParams::new(ClaimWhat::Timers, now, EARLIER_MAX);
            params.tenants = Some(vec![tenant]);
            leased.take(tenant, self.inner.store.claim(&params).await?.leases);
        }
        Ok(())
    }

    /// Gives leases back after a failure, which is what counts: leases that cannot be given
    /// back end by themselves.
    async fn release_after(
        &self,
        error: Error,
        leases: VecDeque<Lease>,
        now: DateTime<Utc>,
    ) -> Error {
        let released = self.release(leases, now).await;
        if released.is_err() {
            tracing::debug!(code = code_of(&released), "leases end by themselves");
        }
        error
    }

    async fn release(&self, leases: VecDeque<Lease>, now: DateTime<Utc>) -> Result<()> {
        if leases.is_empty() {
            return Ok(());
        }
        let settle = |lease: Lease| Settle { token: lease.token, now, how: SettleHow::Release };
        let settles: Vec<Settle> = leases.into_iter().map(settle).collect();
        // A lease that is gone meanwhile needs no giving back.
        self.inner.store.settle(settles).await?;
        Ok(())
    }
}
