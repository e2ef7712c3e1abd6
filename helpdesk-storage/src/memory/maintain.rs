//! Housekeeping.

use super::state::{Dead, State, Tenant};
use crate::lead::{Lead, checked_name};
use crate::order::micros;
use crate::{Maintain, Result};
use chrono::{DateTime, Utc};
use helpdesk_core::event::{Recorded, StreamId};
use helpdesk_core::id::{TenantId, TicketId, Version};
use std::sync::Arc;
use uuid::Uuid;

impl State {
    /// Tidies up; how many rows were removed or moved.
    pub(super) fn maintain(&mut self, maintain: &Maintain) -> Result<u64> {
        Ok(match maintain {
            Maintain::PurgeCommands { tenant, now } => {
                let Some(tenant) = self.tenants.get_mut(tenant) else { return Ok(0) };
                let before = tenant.commands.len();
                tenant.commands.retain(|_, command| command.expires_at > *now);
                (before - tenant.commands.len()) as u64
            }
            Maintain::Redrive { tenant, ids, now } => self.redrive(*tenant, ids, *now),
            Maintain::PurgeDeadLetters { tenant, before: end } => {
                let Some(tenant) = self.tenants.get_mut(tenant) else { return Ok(0) };
                let before = tenant.dead.len();
                tenant.dead.retain(|_, dead| micros(dead.letter.died_at) >= micros(*end));
                (before - tenant.dead.len()) as u64
            }
            Maintain::Rewrite { tenant, entries } => self.rewrite(*tenant, entries),
            Maintain::PurgeTickets { tenant, tickets } => self.purge_tickets(*tenant, tickets),
            Maintain::Lead { job, owner, now, lease_seconds } => {
                let (job, owner) = (checked_name(job)?, checked_name(owner)?);
                let taken = Lead::take(self.leads.get(job), owner, *now, *lease_seconds);
                let n_rows = u64::from(taken.is_some());
                self.leads.extend(taken.map(|lead| (job.to_owned(), lead)));
                n_rows
            }
            Maintain::Resign { job, owner } => {
                let (job, owner) = (checked_name(job)?, checked_name(owner)?);
                let n_before = self.leads.len();
                self.leads.retain(|of, lead| of != job || lead.owner != owner);
                (n_before - self.leads.len()) as u64
            }
            Maintain::Compact | Maintain::Scrub => 0,
        })
    }

    fn purge_tickets(&mut self, id: TenantId, tickets: &[(TicketId, Version)]) -> u64 {
        let Some(tenant) = self.tenants.get_mut(&id) else { return 0 };
        let mut n = 0;
        for &(ticket, version) in tickets {
            let stream = StreamId::case(ticket);
            if version > 0 && tenant.version(stream) == version {
                tenant.purge(ticket);
                self.timers.forget(id, stream);
                n += 1;
            }
        }
        n
    }

    fn rewrite(&mut self, id: TenantId, entries: &[Recorded]) -> u64 {
        let Some(tenant) = self.tenants.get_mut(&id) else { return 0 };
        let mut n = 0;
        for new in entries {
            let Some(known) = tenant.journal.get_mut(&(new.entry.stream, new.n)) else { continue };
            let mut entry = Recorded::clone(known);
            entry.entry.event = new.entry.event.clone();
            entry.entry.origin = new.entry.origin.clone();
            let entry = Arc::new(entry);
            tenant.feed.insert(entry.position, entry.clone());
            *known = entry;
            n += 1;
        }
        n
    }

    fn redrive(&mut self, id: TenantId, ids: &[Uuid], now: DateTime<Utc>) -> u64 {
        let Some(tenant) = self.tenants.get_mut(&id) else { return 0 };
        let mut picked: Vec<(i64, Uuid)> = tenant
            .dead
            .iter()
            .filter(|(letter, _)| ids.is_empty() || ids.contains(letter))
            .filter(|(letter, _)| !self.outbox.has(id, **letter))
            .map(|(letter, dead)| (micros(dead.letter.died_at), *letter))
            .collect();
        picked.sort_unstable();
        for (_, letter) in &picked {
            if let Some(Dead { letter, claims }) = tenant.dead.remove(letter) {
                self.outbox.push_at(id, letter.message, claims, now);
            }
        }
        picked.len() as u64
    }
}

impl Tenant {
    /// Removes a ticket with all that is its.
    fn purge(&mut self, ticket: TicketId) {
        let stream = StreamId::case(ticket);
        self.things.remove(&stream);
        self.unsolved.retain(|(_, of)| *of != stream);
        self.messages.retain(|(of, _), _| *of != ticket);
        self.unique.retain(|_, of| *of != stream);
        self.journal.retain(|(of, _), _| *of != stream);
        self.feed.retain(|_, entry| entry.entry.stream != stream);
    }
}
