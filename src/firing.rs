//! Timers are fired, one or several: each firing is an ordinary decision whose commit finishes the
//! lease.

use crate::attempt::Begun;
use crate::engine::{Call, Helpdesk, Job, Verdict};
use crate::error::{Error, Result};
use crate::leased::{Leased, come_before, due_of};
use crate::pace::{Keeper, Pace};
use crate::tick::TickReport;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::actor::{Actor, Capability};
use helpdesk_core::case::record::{Record, TimerOp};
use helpdesk_core::command::{Command, FireTimer};
use helpdesk_core::condition::Condition;
use helpdesk_core::decide::redate_at;
use helpdesk_core::event::{StreamId, TimerKind};
use helpdesk_core::fault::Rejection;
use helpdesk_core::id::derived_command_id;
use helpdesk_storage::{
    Lease, LeaseBody, LeaseToken, ListKind, ListQuery, Pages, Settle, SettleHow, Shelf, StoreError,
};
use std::collections::VecDeque;

/// Tickets read at once when clocks are dated anew.
const REDATE_MAX: usize = 500;

/// How long a timer rests that could not be fired: a minute, up to 16 of them.
const REST: TimeDelta = TimeDelta::minutes(1);
const REST_DOUBLINGS_MAX: u32 = 4;

/// A tick on its way.
pub(crate) struct Round<'a> {
    started_at: DateTime<Utc>,
    pub(crate) keeper: Keeper<'a>,
    pub(crate) report: TickReport,
}

impl<'a> Round<'a> {
    pub(crate) fn begin(desk: &'a Helpdesk, pace: &'a dyn Pace) -> Self {
        let keeper = Keeper::new(desk, pace);
        Self { started_at: keeper.leased_at(), keeper, report: TickReport::default() }
    }

    fn note_fired(&mut self, lease: &Lease) {
        self.report.fired += 1;
        let late_by = (self.started_at - due_of(lease)).num_seconds();
        let late_by = u64::try_from(late_by).unwrap_or(0);
        self.report.late_by_seconds = self.report.late_by_seconds.max(late_by);
    }

    /// Takes in how those ended that were fired together, and puts back what is not done; how many
    /// are.
    pub(crate) fn take(
        &mut self,
        due: VecDeque<Lease>,
        ends: Vec<Result<Option<Verdict>>>,
        leased: &mut Leased,
    ) -> usize {
        let n_due = due.len();
        let mut ends = ends.into_iter();
        let mut rest = Vec::new();
        for lease in due {
            match ends.next() {
                Some(Ok(Some(Ok(done)))) => {
                    self.note_fired(&lease);
                    leased.note(lease.token.tenant, Some(done.timers));
                }
                Some(Err(Error::Store(StoreError::StaleLease))) => {
                    self.report.dropped += 1;
                    leased.note(lease.token.tenant, None);
                }
                _ => rest.push(lease),
            }
        }
        let n_done = n_due - rest.len();
        leased.put_back(rest);
        n_done
    }
}

/// What fires a timer.
struct Firing {
    call: Call,
    kind: TimerKind,
    due_at: DateTime<Utc>,
}

impl Firing {
    fn of(lease: &Lease) -> Option<Self> {
        let LeaseBody::Timer { stream, kind, due_at } = lease.body else { return None };
        let LeaseToken { tenant, generation, .. } = lease.token;
        let parts: [&[u8]; 6] = [
            b"timer",
            tenant.0.as_bytes(),
            stream.kind.as_str().as_bytes(),
            stream.id.as_bytes(),
            kind.as_str().as_bytes(),
            &generation.to_be_bytes(),
        ];
        let command = Command::FireTimer(FireTimer { stream, kind, due_at });
        Some(Self { call: Call::new(derived_command_id(&parts), command), kind, due_at })
    }
}

impl Helpdesk {
    /// Fires timers of different tickets of one tenant in their order, as far as they can be
    /// together: each is decided on what those before it are about to do, and all are committed
    /// at once, unless one before is not. How those ended that were begun.
    pub(crate) async fn fire_together(&self, due: &[Lease]) -> Vec<Result<Option<Verdict>>> {
        let Some(first) = due.first() else { return Vec::new() };
        let Ok(tenant) = self.tenant(first.token.tenant).await else { return Vec::new() };
        let actor = Actor::system(tenant.id, Capability::ActAsSystem);
        let firings: Vec<Firing> = due.iter().map_while(Firing::of).collect();
        let jobs = due.iter().zip(&firings).map(|(lease, Firing { call, due_at, .. })| Job {
            actor: &actor,
            call,
            now: *due_at,
            lease: Some(lease.token),
        });
        let jobs: Vec<Job<'_>> = jobs.collect();
        // What is refused is looked at once more, and may yet come before the next ones.
        let is_next = |i: usize, begun: &[Begun<'_>]| {
            let timers = |one: &Begun<'_>| {
                one.timers_ahead().is_some_and(|timers| !come_before(timers, &due[i]))
            };
            begun.iter().all(|one| !one.is_refused() && timers(one))
        };
        self.run_together(&tenant, &jobs, is_next).await
    }

    /// Fires one timer: an ordinary decision whose commit finishes the lease. The
    /// timers that it set or dropped; `None` where another did that meanwhile.
    pub(crate) async fn fire(
        &self,
        lease: &Lease,
        rest: &[LeaseToken],
        round: &mut Round<'_>,
    ) -> Result<Option<Vec<TimerOp>>> {
        let Some(Firing { call, kind, due_at }) = Firing::of(lease) else {
            return Ok(Some(Vec::new()));
        };
        let token = lease.token;
        let actor = Actor::system(token.tenant, Capability::ActAsSystem);
        let mut redated = Ok(());
        if kind == TimerKind::Redate {
            let tokens: Vec<LeaseToken> = rest.iter().copied().chain([token]).collect();
            redated = self.redate(&actor, due_at, &tokens, round).await;
        }
        let job = Job { actor: &actor, call: &call, now: due_at, lease: Some(token) };
        let verdict = match redated {
            Ok(()) => self.run_to_verdict(&job).await,
            Err(error) => Err(error),
        };
        match verdict {
            Ok(Ok(done)) => {
                round.note_fired(lease);
                Ok(Some(done.timers))
            }
            Err(Error::Store(StoreError::StaleLease)) => {
                round.report.dropped += 1;
                // Whoever fired it may have set what comes before the rest.
                Ok(None)
            }
            Ok(Err(rejection)) => {
                tracing::error!(kind = kind.as_str(), code = %rejection.code, "a timer was refused");
                round.report.dropped += 1;
                let how = SettleHow::Dead { error: rejection.to_string() };
                self.settle_timer(token, due_at, how).await?;
                Ok(Some(Vec::new()))
            }
            Err(error) if error.is_outage() => Err(error),
            // What it is of cannot be read. A newer engine may read what this one cannot.
            Err(error) => {
                self.put_off(lease, kind, &error, round.keeper.now()).await?;
                round.report.failed += 1;
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
        round: &mut Round<'_>,
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
                    Ok(_) => round.report.fired += 1,
                    Err(rejection) => {
                        tracing::error!(ticket = %stream.id, code = %rejection.code, "a ticket keeps its old dates");
                    }
                }
                round.keeper.keep(leased.iter().copied()).await?;
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
