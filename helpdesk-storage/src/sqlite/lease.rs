//! Settlements.

use super::doc::{decode, encode};
use super::failure::corrupt;
use super::session::{Session, doc, integer, uuid};
use crate::order::{lease_end, micros};
use crate::{LeaseToken, LeasedThing, Result, Settle, SettleHow, StoreError};
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::{DeadLetter, OutboxMessage};
use helpdesk_core::id::TenantId;
use rusqlite::{Row, params};
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
            SettleHow::Release => self.release(*token, None),
            SettleHow::Snooze { until } => self.release(*token, Some(micros(*until))),
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

    fn release(&self, token: LeaseToken, until: Option<i64>) -> Result<()> {
        let tenant = token.tenant.0.as_bytes();
        match token.thing {
            LeasedThing::Timer { stream, kind } => {
                let (of, id) = (stream.kind.as_str(), stream.id.as_bytes());
                let params = params![tenant, of, id, kind.as_str(), until];
                self.run(&self.sql.timer_release, params)?;
            }
            LeasedThing::Outbox { id } => {
                self.run(&self.sql.outbox_release, params![tenant, id.as_bytes(), until])?;
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

pub(super) fn small(row: &Row<'_>, at: usize) -> Result<u32> {
    u32::try_from(integer(row, at)?).map_err(|_| corrupt("a count out of bounds"))
}
