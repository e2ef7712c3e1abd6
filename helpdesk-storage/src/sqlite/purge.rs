//! Removes tickets for good.

use super::commit::STRETCH;
use super::doc::{encode_run, int};
use super::failure::failed;
use super::read::run;
use super::session::{Session, integer};
use crate::Result;
use helpdesk_core::case::archive::tombstone;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::{TenantId, TicketId, Version};
use rusqlite::{Row, params};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

impl Session<'_> {
    /// Removes tickets that stand at these versions; how many.
    pub(super) fn purge_tickets(
        &self,
        tenant: TenantId,
        tickets: &[(TicketId, Version)],
    ) -> Result<usize> {
        let id = tenant.0.as_bytes();
        let mut gone = BTreeMap::new();
        for (ticket, version) in tickets {
            let params = params![id, ticket.0.as_bytes(), int(*version)];
            let of_ticket = params![id, ticket.0.as_bytes()];
            let first_run = self.first(&self.sql.first_run, of_ticket, |row| {
                row.get::<_, Option<i64>>(0).map_err(failed)
            })?;
            self.run(&self.sql.placed_purge, params)?;
            self.run(&self.sql.outbox_join, params)?;
            if self.run(&self.sql.ticket_purge, params)? > 0 {
                gone.insert(ticket.0, first_run.flatten());
            }
        }
        if gone.is_empty() {
            return Ok(0);
        }
        let ids: Vec<u8> = gone.keys().flat_map(|ticket| *ticket.as_bytes()).collect();
        self.run(&self.sql.unique_purge, params![id, ids])?;
        self.keep_last_place(tenant, &gone)?;
        let mut stretches = BTreeSet::new();
        let stretch = |row: &Row<'_>| Ok(integer(row, 0)? / int(STRETCH));
        for (ticket, first_run) in &gone {
            let params = params![id, ticket.as_bytes()];
            self.run(&self.sql.message_purge, params)?;
            self.run(&self.sql.timer_purge, params)?;
            stretches.extend(self.all(&self.sql.event_purge, params, stretch)?);
            if let Some(position) = first_run {
                let params = params![id, ticket.as_bytes(), position];
                stretches.extend(self.all(&self.sql.first_purge, params, stretch)?);
            }
        }
        stretches.extend(self.all(&self.sql.event_places, params![id], stretch)?);
        for n in stretches {
            self.run(&self.sql.stretch_purge, params![id, n])?;
        }
        Ok(gone.len())
    }

    /// The next commit's positions go on from the journal's last one: where that is of a ticket
    /// that goes, its place stays, as one of no ticket.
    fn keep_last_place(&self, tenant: TenantId, gone: &BTreeMap<Uuid, Option<i64>>) -> Result<()> {
        let tail = self.first(&self.sql.event_tail, [], run)?;
        let Some(last) = tail.and_then(|mut run| run.pop()) else { return Ok(()) };
        let stream = last.entry.stream;
        if stream.kind != StreamKind::Case || !gone.contains_key(&stream.id) {
            return Ok(());
        }
        let mut place = tombstone(&last).entry;
        place.stream = StreamId::case(TicketId(Uuid::nil()));
        let params = params![tenant.0.as_bytes(), int(last.position), encode_run(&[place])?];
        self.run(&self.sql.event_place, params)?;
        Ok(())
    }
}
