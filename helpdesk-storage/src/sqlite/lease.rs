//! Claims and settlements.

use super::doc::{decode, encode, stream_kind};
use super::failure::corrupt;
use super::session::{Session, doc, integer, uuid, word};
use crate::order::{instant, lease_end, micros};
use crate::{
    ClaimParams, ClaimWhat, Claimed, Lease, LeaseBody, LeaseToken, LeasedThing, Result, Settle,
    SettleHow, StoreError,
};
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::{DeadLetter, OutboxMessage};
use helpdesk_core::event::{StreamId, TimerKind};
use helpdesk_core::id::TenantId;
use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};
use uuid::Uuid;

/// A row of the outbox that a token names.
#[derive(Debug, Clone, Copy)]
struct OutboxRow {
    seq: i64,
    n_claims: u32,
    is_leased: bool,
    n_attempts: u32,
    lane: Uuid,
}

impl Session<'_> {
    /// Whether the lease stands.
    pub(super) fn is_held(&self, token: LeaseToken) -> Result<bool> {
        match token.thing {
            LeasedThing::Timer { stream, kind } => {
                let (tenant, of, id) =
                    (token.tenant.0.as_bytes(), stream.kind.as_str(), stream.id.as_bytes());
                let params = params![tenant, of, id, kind.as_str()];
                let found = self.first(&self.sql.timer_get, params, |row| {
                    Ok((small(row, 0)?, small(row, 1)?, integer(row, 2)? != 0))
                })?;
                Ok(found == Some((token.generation, token.attempt, true)))
            }
            LeasedThing::Outbox { id } => {
                let found = self.outbox_row(token.tenant, id)?;
                Ok(token.generation == 0
                    && found.is_some_and(|row| row.is_leased && row.n_claims == token.attempt))
            }
        }
    }

    /// Whether this message is in the outbox.
    pub(super) fn has_outbox(&self, tenant: TenantId, id: Uuid) -> Result<bool> {
        Ok(self.outbox_row(tenant, id)?.is_some())
    }

    fn outbox_row(&self, tenant: TenantId, id: Uuid) -> Result<Option<OutboxRow>> {
        let params = params![tenant.0.as_bytes(), id.as_bytes()];
        self.first(&self.sql.outbox_get, params, |row| {
            Ok(OutboxRow {
                seq: integer(row, 0)?,
                n_claims: small(row, 1)?,
                is_leased: integer(row, 2)? != 0,
                n_attempts: small(row, 3)?,
                lane: uuid(row, 4)?,
            })
        })
    }

    /// Removes a timer or an outbox message; no error where there is none.
    pub(super) fn remove_leased(&self, tenant: TenantId, thing: LeasedThing) -> Result<()> {
        match thing {
            LeasedThing::Timer { stream, kind } => {
                let (of, id) = (stream.kind.as_str(), stream.id.as_bytes());
                let params = params![tenant.0.as_bytes(), of, id, kind.as_str()];
                self.run(&self.sql.timer_remove, params)?;
            }
            LeasedThing::Outbox { id } => {
                if let Some(row) = self.outbox_row(tenant, id)? {
                    self.remove_outbox(tenant, row)?;
                }
            }
        }
        Ok(())
    }

    /// Removes a message that is the first of its lane; the next one is due then.
    fn remove_outbox(&self, tenant: TenantId, row: OutboxRow) -> Result<()> {
        self.run(&self.sql.outbox_remove, params![row.seq])?;
        let params = params![tenant.0.as_bytes(), row.lane.as_bytes()];
        self.run(&self.sql.outbox_promote, params)?;
        Ok(())
    }

    /// Leases what is due.
    pub(super) fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        match params.what {
            ClaimWhat::Timers => self.claim_timers(params),
            ClaimWhat::Outbox => self.claim_outbox(params),
        }
    }

    fn claim_timers(&self, params: &ClaimParams) -> Result<Claimed> {
        let sql = format!(
            "SELECT due_at, tenant_id, stream_kind, stream_id, kind, generation, n_claims, \
             n_attempts, set_for FROM {}timer WHERE due_at IS NOT NULL{} \
             ORDER BY due_at, rank, stream_id, tenant_id, stream_kind LIMIT ?",
            self.prefix,
            of_tenants(params)
        );
        let until = lease_end(params.now, params.lease_seconds);
        let found = self.all(&sql, params_from_iter(values(params)), |row| {
            Ok((integer(row, 0)?, timer_lease(row)?))
        })?;
        let claimed = split(found, params);
        for lease in &claimed.leases {
            let LeasedThing::Timer { stream, kind } = lease.token.thing else { continue };
            let (of, id) = (stream.kind.as_str(), stream.id.as_bytes());
            let tenant = lease.token.tenant.0;
            let params = params![tenant.as_bytes(), of, id, kind.as_str(), until];
            self.run(&self.sql.timer_lease, params)?;
        }
        Ok(claimed)
    }

    fn claim_outbox(&self, params: &ClaimParams) -> Result<Claimed> {
        let sql = format!(
            "SELECT due_at, tenant_id, id, n_claims, n_attempts, doc FROM {}outbox \
             WHERE due_at IS NOT NULL{} ORDER BY due_at, seq LIMIT ?",
            self.prefix,
            of_tenants(params)
        );
        let until = lease_end(params.now, params.lease_seconds);
        let found = self.all(&sql, params_from_iter(values(params)), |row| {
            Ok((integer(row, 0)?, outbox_lease(row)?))
        })?;
        let claimed = split(found, params);
        for lease in &claimed.leases {
            let LeasedThing::Outbox { id } = lease.token.thing else { continue };
            let tenant = lease.token.tenant.0;
            let params = params![tenant.as_bytes(), id.as_bytes(), until];
            self.run(&self.sql.outbox_lease, params)?;
        }
        Ok(claimed)
    }

    /// Ends or changes one lease.
    pub(super) fn settle(&self, settle: &Settle) -> Result<()> {
        let Settle { token, now, how } = settle;
        if !self.is_held(*token)? {
            return Err(StoreError::StaleLease);
        }
        match how {
            SettleHow::Done => self.remove_leased(token.tenant, token.thing),
            SettleHow::Retry { at, .. } => self.postpone(*token, micros(*at), false),
            SettleHow::Extend { lease_seconds } => {
                self.postpone(*token, lease_end(*now, *lease_seconds), true)
            }
            SettleHow::Dead { error } => self.bury(*token, *now, error),
            SettleHow::Release => self.release(*token),
        }
    }

    fn postpone(&self, token: LeaseToken, due_at: i64, is_leased: bool) -> Result<()> {
        let tenant = token.tenant.0.as_bytes();
        match token.thing {
            LeasedThing::Timer { stream, kind } => {
                let (of, id) = (stream.kind.as_str(), stream.id.as_bytes());
                let params = params![tenant, of, id, kind.as_str(), due_at, is_leased];
                self.run(&self.sql.timer_due, params)?;
            }
            LeasedThing::Outbox { id } => {
                let params = params![tenant, id.as_bytes(), due_at, is_leased];
                self.run(&self.sql.outbox_due, params)?;
            }
        }
        Ok(())
    }

    fn release(&self, token: LeaseToken) -> Result<()> {
        let tenant = token.tenant.0.as_bytes();
        match token.thing {
            LeasedThing::Timer { stream, kind } => {
                let (of, id) = (stream.kind.as_str(), stream.id.as_bytes());
                self.run(&self.sql.timer_release, params![tenant, of, id, kind.as_str()])?;
            }
            LeasedThing::Outbox { id } => {
                self.run(&self.sql.outbox_release, params![tenant, id.as_bytes()])?;
            }
        }
        Ok(())
    }

    fn bury(&self, token: LeaseToken, now: DateTime<Utc>, error: &str) -> Result<()> {
        let LeasedThing::Outbox { id } = token.thing else {
            return self.remove_leased(token.tenant, token.thing);
        };
        let Some(row) = self.outbox_row(token.tenant, id)? else { return Ok(()) };
        let message = self
            .first(&self.sql.outbox_doc, params![row.seq], |row| {
                decode::<OutboxMessage>("outbox message", doc(row, 0)?)
            })?
            .ok_or_else(|| corrupt("an outbox message is gone"))?;
        let attempts = row.n_attempts;
        let letter = DeadLetter { message, attempts, died_at: now, error: error.to_owned() };
        let (tenant, died_at) = (token.tenant.0.as_bytes(), micros(now));
        let params = params![tenant, id.as_bytes(), died_at, row.n_claims, encode(&letter)?];
        self.run(&self.sql.dead_put, params)?;
        self.remove_outbox(token.tenant, row)
    }
}

fn small(row: &Row<'_>, at: usize) -> Result<u32> {
    u32::try_from(integer(row, at)?).map_err(|_| corrupt("a count out of bounds"))
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

/// A message's row as the lease that it becomes.
fn outbox_lease(row: &Row<'_>) -> Result<Lease> {
    let thing = LeasedThing::Outbox { id: uuid(row, 2)? };
    let tenant = TenantId(uuid(row, 1)?);
    let token = LeaseToken { tenant, thing, generation: 0, attempt: small(row, 3)? + 1 };
    let message: OutboxMessage = decode("outbox message", doc(row, 5)?)?;
    let body = LeaseBody::Outbox(Box::new(message));
    Ok(Lease { token, attempts: small(row, 4)? + 1, body })
}

fn timer_kind(word: &str) -> Result<TimerKind> {
    TimerKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| corrupt(format!("a timer of kind `{word}`")))
}

/// The part of a claim's statement that picks tenants.
fn of_tenants(params: &ClaimParams) -> String {
    match &params.tenants {
        None => String::new(),
        Some(tenants) => format!(" AND tenant_id IN ({})", vec!["?"; tenants.len()].join(", ")),
    }
}

/// The values of a claim's statement: tenants, and one row more than wanted.
fn values(params: &ClaimParams) -> Vec<Value> {
    let tenants = params.tenants.iter().flatten();
    let mut values: Vec<Value> =
        tenants.map(|tenant| Value::Blob(tenant.0.as_bytes().to_vec())).collect();
    let limit = i64::try_from(params.max).unwrap_or(i64::MAX).saturating_add(1);
    values.push(Value::Integer(limit));
    values
}

/// Parts rows in order into what is claimed now and when the next one is due.
fn split(found: Vec<(i64, Lease)>, params: &ClaimParams) -> Claimed {
    let now = micros(params.now);
    let mut leases = Vec::new();
    for (due_at, lease) in found {
        if due_at > now || leases.len() == params.max {
            return Claimed { leases, next_due: Some(instant(due_at)) };
        }
        leases.push(lease);
    }
    Claimed { leases, next_due: None }
}
