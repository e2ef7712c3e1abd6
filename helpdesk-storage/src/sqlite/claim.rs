//! Claims: what is due, tenant by tenant, so that each gets its share.

use super::doc::{decode, stream_kind, timer_kind};
use super::failure::{corrupt, failed};
use super::lease::small;
use super::session::{Session, doc, integer, uuid, word};
use crate::order::{instant, lease_end, micros};
use crate::{ClaimParams, ClaimWhat, Claimed, Lease, LeaseBody, LeaseToken, LeasedThing, Result};
use helpdesk_core::case::record::OutboxMessage;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::TenantId;
use rusqlite::{Row, params};
use uuid::Uuid;

/// A timer in the order of claims: due, rank, id; then what makes it one.
type TimerPlace = (i64, i64, Uuid, TenantId, StreamKind);

/// A message that is due: its row, and what its lease says of it.
#[derive(Debug, Clone, Copy)]
struct OutboxHead {
    seq: i64,
    token: LeaseToken,
    attempts: u32,
}

/// What is due and wanted, in order, and when the first thing that is not is due.
#[derive(Debug)]
struct Picked<T> {
    rows: Vec<T>,
    next_due: Option<i64>,
}

impl Session<'_> {
    /// Leases what is due.
    pub(super) fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        match params.what {
            ClaimWhat::Timers => self.claim_timers(params),
            ClaimWhat::Outbox => self.claim_outbox(params),
        }
    }

    fn claim_timers(&self, params: &ClaimParams) -> Result<Claimed> {
        let tenants = self.tenants(params, &self.sql.timer_tenant)?;
        let picked = self.pick(params, &tenants, &self.sql.timer_heads, |row| {
            let lease = timer_lease(row)?;
            Ok((timer_place(row, &lease)?, lease))
        })?;
        let until = lease_end(params.now, params.lease_seconds);
        for lease in &picked.rows {
            let LeasedThing::Timer { stream, kind } = lease.token.thing else { continue };
            let (of, id) = (stream.kind.as_str(), stream.id.as_bytes());
            let tenant = lease.token.tenant.0;
            let params = params![tenant.as_bytes(), of, id, kind.as_str(), until];
            self.run(&self.sql.timer_lease, params)?;
        }
        Ok(Claimed { leases: picked.rows, next_due: picked.next_due.map(instant) })
    }

    fn claim_outbox(&self, params: &ClaimParams) -> Result<Claimed> {
        let tenants = self.tenants(params, &self.sql.outbox_tenant)?;
        let picked = self.pick(params, &tenants, &self.sql.outbox_heads, |row| {
            let head = outbox_head(row)?;
            Ok(((integer(row, 0)?, head.seq), head))
        })?;
        let until = lease_end(params.now, params.lease_seconds);
        let mut leases = Vec::with_capacity(picked.rows.len());
        for head in picked.rows {
            let message = self
                .first(&self.sql.outbox_doc, params![head.seq], |row| {
                    decode::<OutboxMessage>("outbox message", doc(row, 0)?)
                })?
                .ok_or_else(|| corrupt("an outbox message is gone"))?;
            self.run(&self.sql.outbox_lease, params![head.seq, until])?;
            let body = LeaseBody::Outbox(Box::new(message));
            leases.push(Lease { token: head.token, attempts: head.attempts, body });
        }
        Ok(Claimed { leases, next_due: picked.next_due.map(instant) })
    }

    /// The tenants that a claim is about: those named, or those that have anything.
    fn tenants(&self, params: &ClaimParams, next: &str) -> Result<Vec<TenantId>> {
        if let Some(named) = &params.tenants {
            let mut named = named.clone();
            named.sort_unstable();
            named.dedup();
            return Ok(named);
        }
        let mut all: Vec<TenantId> = Vec::new();
        loop {
            // Nothing has an empty id, so it is before all of them.
            let after: &[u8] = all.last().map_or(&[], |tenant| tenant.0.as_bytes());
            let Some(tenant) = self.first(next, params![after], |row| uuid(row, 0))? else {
                return Ok(all);
            };
            all.push(TenantId(tenant));
        }
    }

    /// The first that are due, each tenant's share of them.
    fn pick<Place: Ord + Copy, T>(
        &self,
        params: &ClaimParams,
        tenants: &[TenantId],
        heads: &str,
        read: impl Fn(&Row<'_>) -> Result<(Place, T)>,
    ) -> Result<Picked<T>> {
        let now = micros(params.now);
        let share = params.max.min(params.max_per_tenant);
        let mut due: Vec<(Place, i64, T)> = Vec::new();
        let mut next_due: Option<i64> = None;
        for tenant in tenants {
            let mut statement = self.prepare(heads)?;
            let mut rows = statement.query(params![tenant.0.as_bytes()]).map_err(failed)?;
            let mut n = 0;
            while let Some(row) = rows.next().map_err(failed)? {
                let due_at = integer(row, 0)?;
                if due_at > now || n == share {
                    next_due = earliest(next_due, due_at);
                    break;
                }
                let (place, head) = read(row)?;
                due.push((place, due_at, head));
                n += 1;
            }
        }
        due.sort_unstable_by_key(|(place, _, _)| *place);
        if let Some((_, due_at, _)) = due.get(params.max) {
            next_due = earliest(next_due, *due_at);
        }
        due.truncate(params.max);
        Ok(Picked { rows: due.into_iter().map(|(_, _, head)| head).collect(), next_due })
    }
}

fn earliest(known: Option<i64>, due_at: i64) -> Option<i64> {
    Some(known.map_or(due_at, |known| known.min(due_at)))
}

/// A timer's row as the lease that it becomes.
fn timer_lease(row: &Row<'_>) -> Result<Lease> {
    let tenant = TenantId(uuid(row, 1)?);
    let stream = StreamId { kind: stream_kind(word(row, 2)?)?, id: uuid(row, 3)? };
    let kind = timer_kind(word(row, 4)?)?;
    let thing = LeasedThing::Timer { stream, kind };
    let token =
        LeaseToken { tenant, thing, generation: small(row, 5)?, attempt: small(row, 6)? + 1 };
    let body = LeaseBody::Timer { stream, kind, due_at: instant(integer(row, 8)?) };
    Ok(Lease { token, attempts: small(row, 7)? + 1, body })
}

fn timer_place(row: &Row<'_>, lease: &Lease) -> Result<TimerPlace> {
    let LeasedThing::Timer { stream, .. } = lease.token.thing else {
        return Err(corrupt("a timer that is none"));
    };
    Ok((integer(row, 0)?, integer(row, 9)?, stream.id, lease.token.tenant, stream.kind))
}

/// A message's row as the lease that it becomes, without the message.
fn outbox_head(row: &Row<'_>) -> Result<OutboxHead> {
    let thing = LeasedThing::Outbox { id: uuid(row, 2)? };
    let tenant = TenantId(uuid(row, 1)?);
    let token = LeaseToken { tenant, thing, generation: 0, attempt: small(row, 3)? + 1 };
    Ok(OutboxHead { seq: integer(row, 5)?, token, attempts: small(row, 4)? + 1 })
}
