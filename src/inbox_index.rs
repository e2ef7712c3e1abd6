//! The index of tickets: what of the store goes into it.

use crate::engine::Helpdesk;
use crate::error::Result;
use crate::index::{Following, newer};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use helpdesk_core::access::scope::ScopeFacts;
use helpdesk_core::case::record::{Record, RecordKey, Stored};
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{TenantId, TicketId};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::message::MessageKind;
use helpdesk_search::{Checkpoints, MessageText, TicketChange, TicketIndex, TicketText};
use helpdesk_storage::{ListKind, ListQuery, Pages, Shelf, StoreExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Feeds the index of tickets.
#[derive(Debug)]
pub(crate) struct FollowTickets(pub(crate) Arc<TicketIndex>);

#[async_trait]
impl Following for FollowTickets {
    fn kinds(&self) -> Vec<StreamKind> {
        vec![StreamKind::Case]
    }

    fn reached(&self) -> Checkpoints {
        self.0.reached()
    }

    async fn take(
        &self,
        desk: &Helpdesk,
        tenant: TenantId,
        streams: BTreeSet<StreamId>,
        position: u64,
    ) -> Result<()> {
        let keys: Vec<RecordKey> = streams.iter().copied().map(RecordKey::Stream).collect();
        let found = desk.inner.store.get(tenant, &keys).await?;
        let mut live = Vec::new();
        let mut changes = Vec::new();
        for (stream, stored) in streams.into_iter().zip(found) {
            match stored {
                Some(Stored { record: Record::Case(case), .. }) if case.ticket.is_live() => {
                    live.push(case.ticket);
                }
                _ => changes.push(TicketChange::Delete(tenant, TicketId(stream.id))),
            }
        }
        let texts = desk.ticket_texts(tenant, &live).await?;
        changes.extend(texts.into_iter().map(|text| TicketChange::Upsert(tenant, text)));
        changes.push(TicketChange::Reached(tenant, position));
        self.0.apply(&changes)?;
        Ok(())
    }

    fn commit(&self) -> Result<()> {
        self.0.commit()?;
        Ok(())
    }
}

impl Helpdesk {
    /// The texts of tickets, in their order.
    pub(crate) async fn ticket_texts(
        &self,
        tenant: TenantId,
        tickets: &[Ticket],
    ) -> Result<Vec<TicketText>> {
        let of_ticket = |ticket: &Ticket| {
            let id = ticket.id;
            (1..=ticket.counters.messages).map(move |seq| RecordKey::Message(id, seq))
        };
        let keys: Vec<RecordKey> = tickets.iter().flat_map(of_ticket).collect();
        let mut messages: BTreeMap<TicketId, Vec<MessageText>> = BTreeMap::new();
        for stored in self.inner.store.get_all(tenant, &keys).await?.into_iter().flatten() {
            if let Record::Message(message) = stored.record {
                let is_internal = message.meta.kind != MessageKind::PublicReply;
                let own = messages.entry(message.ticket_id).or_default();
                own.push(MessageText { is_internal, text: message.text });
            }
        }
        let text = |ticket: &Ticket| TicketText {
            id: ticket.id,
            language: ticket.language.clone(),
            subject: ticket.subject.clone(),
            messages: messages.remove(&ticket.id).unwrap_or_default(),
            scope: ScopeFacts::from(ticket),
        };
        Ok(tickets.iter().map(text).collect())
    }

    /// What a ticket is about: its subject and its first public message.
    pub(crate) async fn opening_text(&self, tenant: TenantId, ticket: Ticket) -> Result<String> {
        let texts = self.ticket_texts(tenant, &[ticket]).await?;
        let text = texts.into_iter().next().map(|texts| {
            let first = texts.messages.into_iter().find(|message| !message.is_internal);
            format!("{}\n{}", texts.subject, first.map(|it| it.text).unwrap_or_default())
        });
        Ok(text.unwrap_or_default())
    }

    /// Makes the index of tickets anew from all live tickets of these tenants, and tells
    /// `progress` how many are done. The old one answers meanwhile, and goes on following
    /// the journal. Wanted when [`Status::stale`](helpdesk_search::Status::stale) says so.
    ///
    /// # Errors
    ///
    /// [`Code::NotConfigured`] without an index; [`Error::Store`](crate::Error::Store),
    /// [`Error::Search`](crate::Error::Search), and then the old index stays.
    pub async fn rebuild_ticket_index(
        &self,
        tenants: &[TenantId],
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<()> {
        let Some(index) = self.inner.ticket_index.clone() else {
            let message = "the engine has no index of tickets: give it one when it is built";
            return Err(Rejection::new(Code::NotConfigured, message).into());
        };
        let rebuild = index.begin_rebuild()?;
        let mut reached = Checkpoints::default();
        let mut n_done = 0;
        for &tenant in tenants {
            // What is committed from here on comes by the feed.
            let position = self.inner.store.feed_end(tenant).await?;
            reached.insert(tenant, position);
            let now = DateTime::<Utc>::MIN_UTC;
            let query = ListQuery::all(tenant, ListKind::Cases(Shelf::Live), now, PAGE_MAX);
            let mut pages = Pages::new(query);
            while let Some(rows) = pages.next(&*self.inner.store).await? {
                let cases = rows.into_iter().filter_map(|stored| match stored.record {
                    Record::Case(case) => Some(case.ticket),
                    _ => None,
                });
                let tickets: Vec<Ticket> = cases.collect();
                n_done += tickets.len() as u64;
                rebuild.add(tenant, self.ticket_texts(tenant, &tickets).await?)?;
                progress(n_done);
            }
        }
        rebuild.finish()?;
        let further = newer(&index.reached(), reached);
        let reached = |(tenant, position)| TicketChange::Reached(tenant, position);
        index.apply(&further.into_iter().map(reached).collect::<Vec<_>>())?;
        index.commit()?;
        Ok(())
    }
}
