//! Claims and settlements.

use super::leases::TimerKey;
use super::state::{Dead, State};
use crate::order::{instant, lease_end, micros};
use crate::{
    ClaimParams, ClaimWhat, Claimed, Lease, LeaseBody, LeaseToken, LeasedThing, Result, Settle,
    SettleHow, StoreError,
};
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::DeadLetter;
use helpdesk_core::event::StreamId;
use helpdesk_core::id::TenantId;
use std::collections::BTreeMap;
use uuid::Uuid;

impl State {
    /// Whether the lease stands.
    pub(super) fn is_held(&self, token: LeaseToken) -> bool {
        let (generation, due) = match token.thing {
            LeasedThing::Timer { stream, kind } => {
                match self.timers.get((token.tenant, stream, kind)) {
                    Some(found) => found,
                    None => return false,
                }
            }
            LeasedThing::Outbox { id } => match self.outbox.get(token.tenant, id) {
                Some(row) => (0, row.due),
                None => return false,
            },
        };
        due.is_leased && generation == token.generation && due.claims == token.attempt
    }

    /// Removes what is leased.
    pub(super) fn remove(&mut self, token: LeaseToken) {
        match token.thing {
            LeasedThing::Timer { stream, kind } => self.timers.cancel(token.tenant, stream, kind),
            LeasedThing::Outbox { id } => {
                self.outbox.remove(token.tenant, id);
            }
        }
    }

    pub(super) fn claim(&mut self, params: &ClaimParams) -> Claimed {
        let until = lease_end(params.now, params.lease_seconds);
        match params.what {
            ClaimWhat::Timers => self.claim_timers(params, until),
            ClaimWhat::Outbox => self.claim_outbox(params, until),
        }
    }

    fn claim_timers(&mut self, params: &ClaimParams, until: i64) -> Claimed {
        let in_order = self
            .timers
            .in_order()
            .filter(|(_, _, _, tenant, _)| is_wanted(params, *tenant))
            .map(|(at, kind, id, tenant, of)| (at, (tenant, StreamId { kind: of, id }, kind)));
        let in_order = in_order.map(|(at, key)| (at, key.0, key));
        let (picked, next_due) = pick::<TimerKey>(in_order, params);
        let mut leases = Vec::with_capacity(picked.len());
        for key in picked {
            self.timers.change(key, |due| due.lease(until));
            let Some((generation, due)) = self.timers.get(key) else { continue };
            let (tenant, stream, kind) = key;
            let thing = LeasedThing::Timer { stream, kind };
            let token = LeaseToken { tenant, thing, generation, attempt: due.claims };
            let body = LeaseBody::Timer { stream, kind, due_at: instant(due.original) };
            leases.push(Lease { token, attempts: due.attempts, body });
        }
        Claimed { leases, next_due }
    }

    fn claim_outbox(&mut self, params: &ClaimParams, until: i64) -> Claimed {
        let in_order = self.outbox.in_order().filter_map(|(at, seq)| {
            let row = self.outbox.at(seq)?;
            let wanted = is_wanted(params, row.tenant);
            wanted.then_some((at, row.tenant, (row.tenant, row.message.id)))
        });
        let (picked, next_due) = pick::<(TenantId, Uuid)>(in_order, params);
        let mut leases = Vec::with_capacity(picked.len());
        for (tenant, id) in picked {
            self.outbox.change(tenant, id, |due| due.lease(until));
            let Some(row) = self.outbox.get(tenant, id) else { continue };
            let thing = LeasedThing::Outbox { id };
            let token = LeaseToken { tenant, thing, generation: 0, attempt: row.due.claims };
            let body = LeaseBody::Outbox(Box::new(row.message.clone()));
            leases.push(Lease { token, attempts: row.due.attempts, body });
        }
        Claimed { leases, next_due }
    }

    pub(super) fn settle(&mut self, settle: Settle) -> Result<()> {
        let Settle { token, now, how } = settle;
        if !self.is_held(token) {
            return Err(StoreError::StaleLease);
        }
        match how {
            SettleHow::Done => self.remove(token),
            SettleHow::Retry { at, .. } => self.change(token, |due| due.retry(micros(at))),
            SettleHow::Dead { error } => self.bury(token, now, error),
            SettleHow::Extend { lease_seconds } => {
                self.change(token, |due| due.at = lease_end(now, lease_seconds));
            }
            SettleHow::Release => self.change(token, super::leases::Due::release),
            SettleHow::Snooze { until } => {
                self.change(token, |due| {
                    due.release();
                    due.at = micros(until);
                });
            }
        }
        Ok(())
    }

    fn change(&mut self, token: LeaseToken, change: impl FnOnce(&mut super::leases::Due)) {
        match token.thing {
            LeasedThing::Timer { stream, kind } => {
                self.timers.change((token.tenant, stream, kind), change);
            }
            LeasedThing::Outbox { id } => self.outbox.change(token.tenant, id, change),
        }
    }

    fn bury(&mut self, token: LeaseToken, now: DateTime<Utc>, error: String) {
        let LeasedThing::Outbox { id } = token.thing else {
            self.remove(token);
            return;
        };
        let Some(row) = self.outbox.remove(token.tenant, id) else { return };
        let (claims, attempts) = (row.due.claims, row.due.attempts);
        let letter = DeadLetter { message: row.message, attempts, died_at: now, error };
        let dead = &mut self.tenants.entry(token.tenant).or_default().dead;
        dead.insert(id, Dead { letter, claims });
    }
}

fn is_wanted(params: &ClaimParams, tenant: TenantId) -> bool {
    params.tenants.as_ref().is_none_or(|tenants| tenants.contains(&tenant))
}

/// The first that are due, each tenant's share of them, and when the next one is.
fn pick<Key>(
    in_order: impl Iterator<Item = (i64, TenantId, Key)>,
    params: &ClaimParams,
) -> (Vec<Key>, Option<DateTime<Utc>>) {
    let now = micros(params.now);
    let mut picked = Vec::new();
    let mut shares: BTreeMap<TenantId, usize> = BTreeMap::new();
    let mut first_left = None;
    for (at, tenant, key) in in_order {
        if at > now || picked.len() == params.max {
            return (picked, Some(instant(first_left.unwrap_or(at))));
        }
        let n = shares.entry(tenant).or_default();
        if *n < params.max_per_tenant {
            *n += 1;
            picked.push(key);
        } else {
            first_left = first_left.or(Some(at));
        }
    }
    (picked, first_left.map(instant))
}
