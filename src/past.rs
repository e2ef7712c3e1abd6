//! Answers about what happened and why, and about what a configuration would change.

use crate::answer::{Asking, page_size};
use crate::engine::Helpdesk;
use crate::error::Result;
use helpdesk_core::access::permission::Permission;
use helpdesk_core::access::scope::Scope;
use helpdesk_core::case::Case;
use helpdesk_core::case::facts::Around;
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::condition::Condition;
use helpdesk_core::decide::{explain_now, sentence};
use helpdesk_core::desk::Desk;
use helpdesk_core::event::{Recorded, StreamId, StreamKind};
use helpdesk_core::fault::{Code, Fault, Rejection};
use helpdesk_core::id::{Key, TenantId, TicketId, Version};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::query::{Answer, Changes, ConfigPreview, Explanation, Listed, TicketName};
use helpdesk_storage::{
    CountBy, CountQuery, EventQuery, EventSource, ListKind, ListQuery, Pages, Shelf, StoreExt,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Records beside a ticket: requester, organization, newest public message.
pub(crate) struct Beside {
    found: Vec<Record>,
}

impl Beside {
    /// The records as facts are taken from them.
    pub(crate) fn around(&self) -> Around<'_> {
        let mut around = Around::default();
        for record in &self.found {
            match record {
                Record::Contact(contact) => around.requester = Some(contact),
                Record::Organization(organization) => around.organization = Some(organization),
                Record::Message(message) => around.body = Some(&message.text),
                _ => {}
            }
        }
        around
    }
}

impl Helpdesk {
    pub(crate) async fn history(
        &self,
        asking: &Asking<'_>,
        name: &TicketName,
        after: Version,
        limit: Option<usize>,
    ) -> Result<Answer> {
        let limit = page_size(limit)?;
        let (case, _) = self.seen(asking, name).await?;
        asking.for_agents(&case)?;
        let source = EventSource::Stream { stream: StreamId::case(case.ticket.id), after };
        let query = EventQuery::new(asking.actor.tenant, source, limit);
        let page = self.inner.store.events(&query).await?;
        Ok(Answer::History(Listed { rows: page.rows, next: page.next.map(|cursor| cursor.0) }))
    }

    /// Entries of tickets in the actor's scope as they stand now.
    pub(crate) async fn changes_since(
        &self,
        asking: &Asking<'_>,
        position: u64,
        limit: Option<usize>,
    ) -> Result<Answer> {
        let limit = page_size(limit)?;
        if asking.is_outside() {
            return Err(Rejection::new(Code::Forbidden, "the journal is for agents").into());
        }
        let tenant = asking.actor.tenant;
        let source = EventSource::Feed { after: position, kinds: vec![StreamKind::Case] };
        let page = self.inner.store.events(&EventQuery::new(tenant, source, limit)).await?;
        let last = page.rows.last().map_or(position, |row| row.position);
        let mut streams: Vec<StreamId> = page.rows.iter().map(|row| row.entry.stream).collect();
        streams.sort();
        streams.dedup();
        let keys: Vec<RecordKey> =
            streams.iter().map(|stream| RecordKey::Stream(*stream)).collect();
        let found = self.inner.store.get(tenant, &keys).await?;
        // The journal names notes: it is for those who read them.
        let scope =
            Scope::And(vec![asking.scope(Permission::Read), asking.scope(Permission::ReadNotes)]);
        let permitted: BTreeMap<StreamId, bool> = streams
            .into_iter()
            .zip(found)
            .map(|(stream, stored)| {
                let case = stored.map(|stored| stored.record);
                let permits =
                    matches!(case, Some(Record::Case(case)) if scope.permits(&case.ticket));
                (stream, permits)
            })
            .collect();
        let in_scope = |row: &Recorded| permitted.get(&row.entry.stream).copied().unwrap_or(false);
        let rows = page.rows.into_iter().filter(in_scope).collect();
        Ok(Answer::Changes(Changes { rows, position: last, has_more: page.next.is_some() }))
    }

    pub(crate) async fn explain(&self, asking: &Asking<'_>, name: &TicketName) -> Result<Answer> {
        let (case, _) = self.seen(asking, name).await?;
        asking.for_agents(&case)?;
        let journal = self.journal(asking, case.ticket.id).await?;
        let snapshot = &asking.snapshot;
        let mut past = Vec::new();
        let mut sentences = Vec::new();
        for row in journal {
            if let Some(sentence) = sentence(&row.entry.event, &snapshot.roster) {
                sentences.push(sentence);
                past.push(row);
            }
        }
        let beside = self.beside(asking, &case).await?;
        let around = Around { clocks: Some(&case), ..beside.around() };
        let now = explain_now(&case, around, &snapshot.desk, &snapshot.roster, asking.now);
        let now_sentences = now.iter().map(ToString::to_string).collect();
        Ok(Answer::Explanation(Explanation { past, now, sentences, now_sentences }))
    }

    /// What a ticket's facts are taken from, beside the ticket.
    pub(crate) async fn beside(&self, asking: &Asking<'_>, case: &Case) -> Result<Beside> {
        let ticket = &case.ticket;
        let mut keys = vec![
            RecordKey::Stream(StreamId::contact(ticket.requester)),
            RecordKey::Message(ticket.id, ticket.newest_public_seq),
        ];
        keys.extend(ticket.organization.map(|id| RecordKey::Stream(StreamId::organization(id))));
        let found = self.inner.store.get(asking.actor.tenant, &keys).await?;
        Ok(Beside { found: found.into_iter().flatten().map(|stored| stored.record).collect() })
    }

    pub(crate) async fn journal(
        &self,
        asking: &Asking<'_>,
        ticket: TicketId,
    ) -> Result<Vec<Recorded>> {
        Ok(self.inner.store.history(asking.actor.tenant, StreamId::case(ticket)).await?)
    }

    /// Shows every event of the tenant's tickets, in the order of the feed.
    pub(crate) async fn each_case_event(
        &self,
        tenant: TenantId,
        mut see: impl FnMut(&Recorded) + Send,
    ) -> Result<()> {
        let mut after = 0;
        loop {
            let source = EventSource::Feed { after, kinds: vec![StreamKind::Case] };
            let page = self.inner.store.events(&EventQuery::new(tenant, source, PAGE_MAX)).await?;
            page.rows.iter().for_each(&mut see);
            match page.rows.last() {
                Some(last) if page.next.is_some() => after = last.position,
                _ => return Ok(()),
            }
        }
    }

    pub(crate) async fn preview_config(
        &self,
        asking: &Asking<'_>,
        document: &Value,
    ) -> Result<Answer> {
        asking.require(Permission::ManageConfig)?;
        let desk = match self.inner.reader.read(document) {
            Ok(desk) => desk,
            Err(faults) => {
                let under = |fault: Fault| fault.under("document");
                let faults = faults.into_iter().map(under).collect();
                return Ok(Answer::Preview(ConfigPreview { faults, ..ConfigPreview::default() }));
            }
        };
        let watch = asking.snapshot.desk.changes_to(&desk);
        let preview = ConfigPreview {
            faults: Vec::new(),
            lints: desk.lint_with(&asking.snapshot.roster, asking.now),
            changed: self.changed_keys(asking, document).await?,
            n_stranded: self.n_stranded(asking, &desk).await?,
            n_redated: self.n_redated(asking, &watch.calendars).await?,
            watch,
        };
        Ok(Answer::Preview(preview))
    }

    /// Top-level keys whose values differ from the document in force.
    async fn changed_keys(&self, asking: &Asking<'_>, document: &Value) -> Result<Vec<String>> {
        let tenant = asking.actor.tenant;
        let key = RecordKey::Stream(StreamId::config(tenant));
        let found = self.inner.store.get_one(tenant, key).await?;
        let before = match found.map(|stored| stored.record) {
            Some(Record::Config(config)) => config.document,
            _ => Value::Null,
        };
        let empty = serde_json::Map::new();
        let (old, new) =
            (before.as_object().unwrap_or(&empty), document.as_object().unwrap_or(&empty));
        let mut keys: Vec<String> = old
            .keys()
            .chain(new.keys())
            .filter(|key| old.get(*key) != new.get(*key))
            .cloned()
            .collect();
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// Open tickets in queues that the new desk does not have.
    async fn n_stranded(&self, asking: &Asking<'_>, desk: &Desk) -> Result<u64> {
        let mut query = CountQuery::all(asking.actor.tenant, CountBy::Queue, asking.now);
        query.condition = unsolved(asking)?;
        let buckets = self.inner.store.count(&query).await?;
        let is_gone = |key: &Option<String>| {
            key.as_ref()
                .is_some_and(|key| Key::new(key).ok().and_then(|key| desk.queue(&key)).is_none())
        };
        Ok(buckets.iter().filter(|bucket| is_gone(&bucket.key)).map(|bucket| bucket.n).sum())
    }

    /// Unsolved tickets with an open clock that counts in one of these calendars.
    async fn n_redated(&self, asking: &Asking<'_>, calendars: &[Key]) -> Result<u64> {
        if calendars.is_empty() {
            return Ok(0);
        }
        let kind = ListKind::Cases(Shelf::Live);
        let mut query = ListQuery::all(asking.actor.tenant, kind, asking.now, PAGE_MAX);
        query.condition = unsolved(asking)?;
        let mut n = 0;
        let mut pages = Pages::new(query);
        while let Some(rows) = pages.next(&*self.inner.store).await? {
            for stored in rows {
                let Record::Case(case) = stored.record else { continue };
                let mut open = case.clocks.iter().filter(|clock| clock.is_open());
                n += u64::from(open.any(|clock| calendars.contains(&clock.calendar)));
            }
        }
        Ok(n)
    }
}

fn unsolved(asking: &Asking<'_>) -> Result<Condition> {
    let source = serde_json::json!({"field": "status_category", "not_in": ["solved", "closed"]});
    let parsed = Condition::parse(&source, asking.snapshot.desk.condition_schema());
    parsed.map_err(|faults| Rejection::many(faults).into())
}
