//! Claims: what is due, tenant by tenant, so that each gets its share.

use super::doc::{decode, stream_kind, timer_kind};
use super::failure::{corrupt, failed};
use super::lease::small;
use super::session::{Session, doc, integer, uuid, word};
use crate::doc::{claimed_word, tell_unreadable};
use crate::order::{instant, lease_end, micros};
use crate::{
    ClaimParams, ClaimWhat, Claimed, Lease, LeaseBody, LeaseToken, LeasedThing, Result, StoreError,
    UNREADABLE_SECONDS,
};
use helpdesk_core::case::record::OutboxMessage;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::TenantId;
use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};
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
    /// Whether more is due, and cannot be read.
    is_cut: bool,
}

impl Session<'_> {
    /// Leases what is due. What of it cannot be read is put off, so that it comes to an end.
    pub(super) fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        loop {
            let (claimed, is_cut) = match params.what {
                ClaimWhat::Timers => self.claim_timers(params)?,
                ClaimWhat::Outbox => self.claim_outbox(params)?,
            };
            if !claimed.leases.is_empty() || !is_cut {
                return Ok(claimed);
            }
        }
    }

    fn claim_timers(&self, params: &ClaimParams) -> Result<(Claimed, bool)> {
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
        let next_due = picked.next_due.map(instant);
        Ok((Claimed { leases: picked.rows, next_due }, picked.is_cut))
    }

    fn claim_outbox(&self, params: &ClaimParams) -> Result<(Claimed, bool)> {
        let tenants = self.tenants(params, &self.sql.outbox_tenant)?;
        let picked = self.pick(params, &tenants, &self.sql.outbox_heads, |row| {
            let head = outbox_head(row)?;
            Ok(((integer(row, 0)?, head.seq), head))
        })?;
        let until = lease_end(params.now, params.lease_seconds);
        let mut is_cut = picked.is_cut;
        let mut leases = Vec::with_capacity(picked.rows.len());
        for head in picked.rows {
            let message = self
                .first(&self.sql.outbox_doc, params![head.seq], |row| {
                    Ok(decode::<OutboxMessage>("outbox message", doc(row, 0)?).ok())
                })?
                .ok_or_else(|| corrupt("an outbox message is gone"))?;
            let Some(message) = message else {
                let LeasedThing::Outbox { id } = head.token.thing else { continue };
                self.put_off(params, head.token.tenant.0, id, &[head.seq.into()])?;
                is_cut = true;
                continue;
            };
            self.run(&self.sql.outbox_lease, params![head.seq, until])?;
            let body = LeaseBody::Outbox(Box::new(message));
            leases.push(Lease { token: head.token, attempts: head.attempts, body });
        }
        Ok((Claimed { leases, next_due: picked.next_due.map(instant) }, is_cut))
    }

    /// Has what cannot be read, by the values of its row's key, due again later.
    fn put_off(&self, params: &ClaimParams, tenant: Uuid, id: Uuid, key: &[Value]) -> Result<()> {
        tell_unreadable(claimed_word(params.what), tenant, id);
        let until = lease_end(params.now, UNREADABLE_SECONDS).into();
        let sql = match params.what {
            ClaimWhat::Timers => &self.sql.timer_put_off,
            ClaimWhat::Outbox => &self.sql.outbox_put_off,
        };
        self.run(sql, params_from_iter(key.iter().chain([&until])))?;
        Ok(())
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
        let mut unreadable = Vec::new();
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
                match read(row) {
                    Ok((place, head)) => due.push((place, due_at, head)),
                    Err(StoreError::Corrupt { .. }) => unreadable.push(key_of(params.what, row)?),
                    Err(error) => return Err(error),
                }
                n += 1;
            }
        }
        for (tenant, id, key) in &unreadable {
            self.put_off(params, *tenant, *id, key)?;
        }
        due.sort_unstable_by_key(|(place, _, _)| *place);
        if let Some((_, due_at, _)) = due.get(params.max) {
            next_due = earliest(next_due, *due_at);
        }
        due.truncate(params.max);
        let rows = due.into_iter().map(|(_, _, head)| head).collect();
        Ok(Picked { rows, next_due, is_cut: !unreadable.is_empty() })
    }
}

fn earliest(known: Option<i64>, due_at: i64) -> Option<i64> {
    Some(known.map_or(due_at, |known| known.min(due_at)))
}

/// Tenant, id and the values of the key of a row that is due.
fn key_of(what: ClaimWhat, row: &Row<'_>) -> Result<(Uuid, Uuid, Vec<Value>)> {
    let (id_at, key) = match what {
        ClaimWhat::Timers => (3, 1..=4),
        ClaimWhat::Outbox => (2, 5..=5),
    };
    let key: rusqlite::Result<Vec<Value>> = key.map(|at| row.get(at)).collect();
    Ok((uuid(row, 1)?, uuid(row, id_at)?, key.map_err(failed)?))
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
