//! Time passes: timers that are due are fired.

use crate::engine::{Call, Helpdesk, Job};
use crate::error::{Error, Result};
use crate::pace::{AtOnce, Keeper, Pace, SHARE_MAX};
use crate::spans::{code_of, coded};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use helpdesk_core::actor::{Actor, Capability};
use helpdesk_core::case::record::{Record, TimerOp};
use helpdesk_core::command::{Command, FireTimer};
use helpdesk_core::condition::Condition;
use helpdesk_core::decide::redate_at;
use helpdesk_core::event::{StreamId, TimerKind};
use helpdesk_core::fault::Rejection;
use helpdesk_core::id::{TenantId, derived_command_id};
use helpdesk_storage::{
    ClaimParams, ClaimWhat, Lease, LeaseBody, LeaseToken, ListKind, ListQuery, Pages, Settle,
    SettleHow, Shelf, StoreError,
};
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;

/// Timers leased at once.
const CLAIM_MAX: usize = 128;

/// Timers leased at once that may come before those leased already.
const EARLIER_MAX: usize = 2;

/// Tickets read at once when clocks are dated anew.
const REDATE_MAX: usize = 500;

/// How long a timer rests that could not be fired: a minute, up to 16 of them.
const REST: TimeDelta = TimeDelta::minutes(1);
const REST_DOUBLINGS_MAX: u32 = 4;

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
        let started_at = pace.now();
        let mut report = TickReport::default();
        let mut budget = max_timers;
        loop {
            let max = if pace.is_over() { 0 } else { budget.min(CLAIM_MAX) };
            let mut keeper = Keeper::new(self, pace);
            // Leases count from here on, however long the tick has gone on.
            let claim = ClaimParams::new(ClaimWhat::Timers, pace.now(), max).with_share(SHARE_MAX);
            let claimed = self.inner.store.claim(&claim).await?;
            report.next_due = claimed.next_due;
            if claimed.leases.is_empty() {
                return Ok(report);
            }
            let leases = claimed.leases.into();
            budget -= self.fire_all(leases, started_at, budget, &mut keeper, &mut report).await?;
        }
    }

    /// Fires leased timers in order, at most `max`; gives the rest back. Where one of
    /// them sets a timer that comes before the next of its tenant, that one is leased too
    /// and fired in its turn.
    async fn fire_all(
        &self,
        leases: VecDeque<Lease>,
        started_at: DateTime<Utc>,
        max: usize,
        keeper: &mut Keeper<'_>,
        report: &mut TickReport,
    ) -> Result<usize> {
        let mut leased = Leased { leases, ..Leased::default() };
        let mut n_done = 0;
        while n_done < max && !keeper.is_over() {
            let kept = keeper.keep(leased.leases.iter().map(|lease| lease.token)).await;
            if let Err(error) = kept {
                return Err(self.release_after(error, leased.leases, keeper.now()).await);
            }
            let Some(lease) = leased.leases.pop_front() else { break };
            let n_fired = report.fired;
            let rest: Vec<LeaseToken> = leased.leases.iter().map(|it| it.token).collect();
            let fired = self.fire(&lease, &rest, keeper, report).await;
            n_done += 1;
            if report.fired > n_fired {
                let late_by = (started_at - due_of(&lease)).num_seconds();
                let late_by = u64::try_from(late_by).unwrap_or(0);
                report.late_by_seconds = report.late_by_seconds.max(late_by);
            }
            let more = match fired {
                Ok(timers) => {
                    leased.note(lease.token.tenant, timers);
                    self.lease_earlier(&mut leased, keeper.now()).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = more {
                return Err(self.release_after(error, leased.leases, keeper.now()).await);
            }
        }
        self.release(leased.leases, keeper.now()).await?;
        Ok(n_done)
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

    /// Fires one timer: an ordinary decision whose commit finishes the lease. The
    /// timers that it set or dropped; `None` where another did that meanwhile.
    async fn fire(
        &self,
        lease: &Lease,
        rest: &[LeaseToken],
        keeper: &mut Keeper<'_>,
        report: &mut TickReport,
    ) -> Result<Option<Vec<TimerOp>>> {
        let LeaseBody::Timer { stream, kind, due_at } = lease.body else {
            return Ok(Some(Vec::new()));
        };
        let token = lease.token;
        let actor = Actor::system(token.tenant, Capability::ActAsSystem);
        let parts: [&[u8]; 6] = [
            b"timer",
            token.tenant.0.as_bytes(),
            stream.kind.as_str().as_bytes(),
            stream.id.as_bytes(),
            kind.as_str().as_bytes(),
            &token.generation.to_be_bytes(),
        ];
        let mut redated = Ok(());
        if kind == TimerKind::Redate {
            let tokens: Vec<LeaseToken> = rest.iter().copied().chain([token]).collect();
            redated = self.redate(&actor, due_at, &tokens, keeper, report).await;
        }
        let command = Command::FireTimer(FireTimer { stream, kind, due_at });
        let call = Call::new(derived_command_id(&parts), command);
        let job = Job { actor: &actor, call: &call, now: due_at, lease: Some(token) };
        let verdict = match redated {
            Ok(()) => self.run_to_verdict(&job).await,
            Err(error) => Err(error),
        };
        match verdict {
            Ok(Ok(done)) => {
                report.fired += 1;
                Ok(Some(done.timers))
            }
            Err(Error::Store(StoreError::StaleLease)) => {
                report.dropped += 1;
                // Whoever fired it may have set what comes before the rest.
                Ok(None)
            }
            Ok(Err(rejection)) => {
                tracing::error!(kind = kind.as_str(), code = %rejection.code, "a timer was refused");
                report.dropped += 1;
                let how = SettleHow::Dead { error: rejection.to_string() };
                self.settle_timer(token, due_at, how).await?;
                Ok(Some(Vec::new()))
            }
            Err(error) if error.is_outage() => Err(error),
            // What it is of cannot be read. A newer engine may read what this one cannot.
            Err(error) => {
                self.put_off(lease, kind, &error, keeper.now()).await?;
                report.failed += 1;
                Ok(Some(Vec::new()))
            }
        }
    }

    /// Calendars changed: dates the clocks that count in them anew, each ticket by
    /// a decision of its own. Tickets that were touched since are dated already.
    /// Interrupted, it starts again from the first and finds little to do.
    async fn redate(
        &self,
        actor: &Actor,
        due_at: DateTime<Utc>,
        leased: &[LeaseToken],
        keeper: &mut Keeper<'_>,
        report: &mut TickReport,
    ) -> Result<()> {
        let snapshot = self.tenant(actor.tenant).await?.snapshot();
        let mut query =
            ListQuery::all(actor.tenant, ListKind::Cases(Shelf::Live), due_at, REDATE_MAX);
        let unsolved =
            serde_json::json!({"field": "status_category", "not_in": ["solved", "closed"]});
        query.condition = Condition::parse(&unsolved, snapshot.desk.condition_schema())
            .map_err(Rejection::many)?;
        let mut pages = Pages::new(query);
        while let Some(rows) = pages.next(&*self.inner.store).await? {
            for stored in rows {
                let Record::Case(case) = stored.record else { continue };
                if redate_at(&snapshot.desk, &case).is_none() {
                    continue;
                }
                let stream = StreamId::case(case.ticket.id);
                let version = snapshot.config_version.to_be_bytes();
                let parts: [&[u8]; 4] =
                    [b"redate", actor.tenant.0.as_bytes(), stream.id.as_bytes(), &version];
                let command = FireTimer { stream, kind: TimerKind::Redate, due_at };
                let call = Call::new(derived_command_id(&parts), Command::FireTimer(command));
                let job = Job { actor, call: &call, now: due_at, lease: None };
                match self.run_to_verdict(&job).await? {
                    Ok(_) => report.fired += 1,
                    Err(rejection) => {
                        tracing::error!(ticket = %stream.id, code = %rejection.code, "a ticket keeps its old dates");
                    }
                }
                keeper.keep(leased.iter().copied()).await?;
            }
        }
        Ok(())
    }

    /// Gives a timer back that could not be fired, to be tried again later.
    async fn put_off(
        &self,
        lease: &Lease,
        kind: TimerKind,
        error: &Error,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let token = lease.token;
        let (tenant, code) = (token.tenant, error.code());
        tracing::error!(%tenant, kind = kind.as_str(), %code, "a timer could not be fired");
        let at = now + rest_after(lease.attempts);
        let how = SettleHow::Retry { at, error: error.to_string() };
        self.settle_timer(token, now, how).await
    }

    async fn settle_timer(
        &self,
        token: LeaseToken,
        now: DateTime<Utc>,
        how: SettleHow,
    ) -> Result<()> {
        self.inner.store.settle(vec![Settle { token, now, how }]).await?;
        Ok(())
    }
}

/// How long a timer rests that could not be fired so often: twice as long each time.
fn rest_after(attempts: u32) -> TimeDelta {
    let factor = 1_i32 << attempts.saturating_sub(1).min(REST_DOUBLINGS_MAX);
    REST * factor
}

/// Leased timers in the order of firing, and what is known of others.
#[derive(Default)]
struct Leased {
    leases: VecDeque<Lease>,
    /// What was set or dropped since leases were taken: it is leased no more.
    changed: Vec<(TenantId, TimerOp)>,
    /// No timer of the tenant that is not leased comes before this.
    first_unleased: BTreeMap<TenantId, Place>,
}

impl Leased {
    /// Takes in the timers that a firing set or dropped.
    fn note(&mut self, tenant: TenantId, timers: Option<Vec<TimerOp>>) {
        let Some(timers) = timers else {
            // Whatever was set may come first. What is leased now may be just that.
            self.first_unleased.insert(tenant, (DateTime::<Utc>::MIN_UTC, None));
            return;
        };
        let set = timers.iter().filter_map(place_of_set);
        let known = self.first_unleased.get(&tenant).copied();
        if let Some(first) = known.into_iter().chain(set).min() {
            self.first_unleased.insert(tenant, first);
        }
        self.changed.extend(timers.into_iter().map(|op| (tenant, op)));
    }

    /// The tenant of the first that is leased, where one of its timers that is not may
    /// come before it.
    fn may_miss_the_first(&self) -> Option<TenantId> {
        let first = self.leases.front()?;
        let unleased = self.first_unleased.get(&first.token.tenant)?;
        (*unleased <= place_of(first)).then_some(first.token.tenant)
    }

    /// Takes the first timers of a tenant that were not leased, in their order.
    fn take(&mut self, tenant: TenantId, claimed: Vec<Lease>) {
        let changed = std::mem::take(&mut self.changed);
        self.leases.retain(|lease| !changed.iter().any(|(tenant, op)| is_of(*tenant, op, lease)));
        // Fewer than were asked for are all that are due.
        match claimed.last().filter(|_| claimed.len() == EARLIER_MAX) {
            Some(last) => self.first_unleased.insert(tenant, place_of(last)),
            None => self.first_unleased.remove(&tenant),
        };
        self.leases.extend(claimed);
        self.leases.make_contiguous().sort_by_key(place_of);
    }
}

/// Whether it sets or drops the timer that is leased.
fn is_of(tenant: TenantId, op: &TimerOp, lease: &Lease) -> bool {
    let (TimerOp::Set { stream, kind, .. } | TimerOp::Cancel { stream, kind }) = op;
    match &lease.body {
        LeaseBody::Timer { stream: of, kind: own, .. } => {
            (lease.token.tenant, of, own) == (tenant, stream, kind)
        }
        LeaseBody::Outbox(_) => false,
    }
}

/// Where a timer stands in the order of firing.
type Place = (DateTime<Utc>, Option<(TimerKind, Uuid)>);

fn place_of(lease: &Lease) -> Place {
    let own = match &lease.body {
        LeaseBody::Timer { stream, kind, .. } => Some((*kind, stream.id)),
        LeaseBody::Outbox(_) => None,
    };
    (due_of(lease), own)
}

fn place_of_set(op: &TimerOp) -> Option<Place> {
    match op {
        // Stores keep microseconds at least.
        TimerOp::Set { stream, kind, due_at } => {
            Some((due_at.trunc_subsecs(6), Some((*kind, stream.id))))
        }
        TimerOp::Cancel { .. } => None,
    }
}

fn due_of(lease: &Lease) -> DateTime<Utc> {
    match &lease.body {
        LeaseBody::Timer { due_at, .. } => *due_at,
        LeaseBody::Outbox(message) => message.not_before,
    }
}
