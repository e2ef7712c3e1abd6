//! Reads: by key, lists, counts, the journal.

use super::state::{Row, State, Tenant};
use crate::matching::{Related, Wanted, group_of};
use crate::order::{
    Place, case_cursor, case_place, check_limit, dead_cursor, dead_place, micros, number_cursor,
    number_place, page, thing_cursor, thing_place,
};
use crate::{
    Bucket, CountBy, CountQuery, Cursor, EventQuery, EventSource, ListKind, ListQuery, Page,
    Result, Shelf,
};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::contact::{Contact, Organization};
use helpdesk_core::event::{Recorded, StreamId, StreamKind};
use helpdesk_core::id::{ContactId, OrganizationId, TenantId, TicketId};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;
use uuid::Uuid;

impl State {
    pub(super) fn get(&self, tenant: TenantId, keys: &[RecordKey]) -> Vec<Option<Row>> {
        let tenant = self.tenants.get(&tenant);
        keys.iter().map(|key| tenant?.get(key)).collect()
    }

    pub(super) fn list(&self, query: &ListQuery) -> Result<Page<Row>> {
        check_limit(query.limit)?;
        let nothing = Tenant::default();
        let tenant = self.tenants.get(&query.tenant).unwrap_or(&nothing);
        match query.kind {
            ListKind::Cases(shelf) => tenant.list_cases(query, shelf),
            ListKind::Things(kind) => tenant.list_things(query, kind),
            ListKind::Messages(ticket) => tenant.list_messages(query, ticket),
            ListKind::DeadLetters => tenant.list_dead(query),
            ListKind::ConfigVersions => tenant.list_configs(query),
        }
    }

    pub(super) fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>> {
        let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
        if query.by == CountBy::Nothing {
            counts.insert(None, 0);
        }
        let wanted = Wanted::of_count(query);
        if let Some(tenant) = self.tenants.get(&query.tenant) {
            for (_, case) in tenant.cases(wanted) {
                if wanted.takes(case, tenant)? {
                    *counts.entry(group_of(query.by, &case.ticket)).or_default() += 1;
                }
            }
        }
        let bucket =
            |(key, n): (_, u64)| Bucket { key, n: n.min(query.cap), capped: n > query.cap };
        Ok(counts.into_iter().map(bucket).collect())
    }

    pub(super) fn feed_end(&self, tenant: TenantId) -> u64 {
        let feed = self.tenants.get(&tenant).map(|tenant| &tenant.feed);
        feed.and_then(|feed| feed.keys().next_back().copied()).unwrap_or(0)
    }

    pub(super) fn events(&self, query: &EventQuery) -> Result<Page<Arc<Recorded>>> {
        check_limit(query.limit)?;
        let nothing = Tenant::default();
        let tenant = self.tenants.get(&query.tenant).unwrap_or(&nothing);
        let wanted = query.limit + 1;
        let rows: Vec<_> = match &query.source {
            EventSource::Stream { stream, after } => tenant
                .journal
                .range((Excluded((*stream, *after)), Included((*stream, u64::MAX))))
                .map(|(_, entry)| Arc::clone(entry))
                .take(wanted)
                .collect(),
            EventSource::Feed { after, kinds } | EventSource::News { after, kinds } => tenant
                .feed
                .range((Excluded(*after), Unbounded))
                .map(|(_, entry)| entry)
                .filter(|it| kinds.is_empty() || kinds.contains(&it.entry.stream.kind))
                .map(Arc::clone)
                .take(wanted)
                .collect(),
        };
        Ok(page(rows, query.limit, |last| match query.source {
            EventSource::Stream { .. } => Cursor(last.n.to_string()),
            EventSource::Feed { .. } | EventSource::News { .. } => {
                Cursor(last.position.to_string())
            }
        }))
    }
}

impl Tenant {
    fn get(&self, key: &RecordKey) -> Option<Row> {
        match key {
            RecordKey::Stream(stream) => self.things.get(stream).cloned(),
            RecordKey::Unique(key) => self.things.get(self.unique.get(key)?).cloned(),
            RecordKey::Message(ticket, seq) => {
                self.messages.get(&(*ticket, *seq)).cloned().map(Row::plain)
            }
            RecordKey::ConfigVersion(version) => self.configs.get(version).cloned().map(Row::plain),
            RecordKey::Command(id) => self
                .commands
                .get(id)
                .map(|command| Row::plain(Arc::new(Record::Command(Box::new(command.clone()))))),
            RecordKey::DeadLetter(id) => self.dead.get(id).map(|dead| {
                Row::plain(Arc::new(Record::DeadLetter(Box::new(dead.letter.clone()))))
            }),
        }
    }

    /// All cases among which the wanted ones are.
    fn cases(&self, wanted: Wanted<'_>) -> impl Iterator<Item = (&Row, &Case)> {
        let is_narrow = wanted.is_for_unsolved();
        let ends = |kind| StreamId { kind, id: Uuid::nil() }..=StreamId { kind, id: Uuid::max() };
        let streams = ends(StreamKind::Case);
        let held = wanted.held_by().map(Some).map(|holder| {
            self.unsolved.range((holder, *streams.start())..=(holder, *streams.end()))
        });
        let unheld = held.is_none().then(|| self.unsolved.iter()).into_iter().flatten();
        let unsolved = held.into_iter().flatten().chain(unheld).filter(move |_| is_narrow);
        let unsolved = unsolved.filter_map(|(_, stream)| self.things.get(stream));
        let all = (!is_narrow).then(|| self.things_of(StreamKind::Case, None));
        let all = all.into_iter().flatten().map(|(_, row)| row);
        all.chain(unsolved).filter_map(|row| match &*row.record {
            Record::Case(case) => Some((row, &**case)),
            _ => None,
        })
    }

    fn things_of(
        &self,
        kind: StreamKind,
        after: Option<Uuid>,
    ) -> impl Iterator<Item = (Uuid, &Row)> {
        let first = match after {
            Some(id) => Excluded(StreamId { kind, id }),
            None => Included(StreamId { kind, id: Uuid::nil() }),
        };
        self.things
            .range((first, Unbounded))
            .take_while(move |(stream, _)| stream.kind == kind)
            .map(|(stream, row)| (stream.id, row))
    }

    fn list_cases(&self, query: &ListQuery, shelf: Shelf) -> Result<Page<Row>> {
        let order = query.order;
        let after = query.after.as_ref().map(|cursor| case_place(order, cursor)).transpose()?;
        let wanted = Wanted::of_list(query, shelf);
        let mut rows: Vec<(Place, &Row)> = Vec::new();
        for (row, case) in self.cases(wanted) {
            if !wanted.takes(case, self)? {
                continue;
            }
            let place = Place::of(order.by, case);
            let passed =
                after.as_ref().is_some_and(|after| place.compare(after, order.direction).is_le());
            if !passed {
                rows.push((place, row));
            }
        }
        let by_place = |a: &(Place, &Row), b: &(Place, &Row)| a.0.compare(&b.0, order.direction);
        // Only the page is sorted, and only it is copied.
        if rows.len() > query.limit + 1 {
            rows.select_nth_unstable_by(query.limit, by_place);
            rows.truncate(query.limit + 1);
        }
        rows.sort_unstable_by(by_place);
        let page = page(rows, query.limit, |(place, _)| case_cursor(order, place));
        let rows = page.rows.into_iter().map(|(_, row)| row.clone()).collect();
        Ok(Page { rows, next: page.next })
    }

    fn list_things(&self, query: &ListQuery, kind: StreamKind) -> Result<Page<Row>> {
        let after = query.after.as_ref().map(|cursor| thing_place(kind, cursor)).transpose()?;
        let rows: Vec<_> = self.things_of(kind, after).take(query.limit + 1).collect();
        let page = page(rows, query.limit, |(id, _)| thing_cursor(kind, *id));
        let rows = page.rows.into_iter().map(|(_, row)| row.clone()).collect();
        Ok(Page { rows, next: page.next })
    }

    fn list_messages(&self, query: &ListQuery, ticket: TicketId) -> Result<Page<Row>> {
        let after = after_number(query)?.unwrap_or(0);
        let rows: Vec<_> = self
            .messages
            .range((ticket, 0)..=(ticket, u32::MAX))
            .map(|((_, seq), record)| (u64::from(*seq), record))
            .filter(|(seq, _)| query.after.is_none() || *seq > after)
            .take(query.limit + 1)
            .collect();
        Ok(number_page(query, rows))
    }

    fn list_configs(&self, query: &ListQuery) -> Result<Page<Row>> {
        let end = after_number(query)?.map_or(Unbounded, Excluded);
        let rows: Vec<_> = self
            .configs
            .range((Unbounded, end))
            .rev()
            .map(|(version, record)| (*version, record))
            .take(query.limit + 1)
            .collect();
        Ok(number_page(query, rows))
    }

    fn list_dead(&self, query: &ListQuery) -> Result<Page<Row>> {
        let after = query.after.as_ref().map(dead_place).transpose()?;
        let mut rows: Vec<_> = self
            .dead
            .iter()
            .map(|(id, dead)| ((micros(dead.letter.died_at), *id), &dead.letter))
            .filter(|(place, _)| after.is_none_or(|after| *place > after))
            .collect();
        rows.sort_unstable_by_key(|(place, _)| *place);
        rows.truncate(query.limit + 1);
        let page = page(rows, query.limit, |((died_at, id), _)| dead_cursor(*died_at, *id));
        let row =
            |letter: &_| Row::plain(Arc::new(Record::DeadLetter(Box::new(Clone::clone(letter)))));
        let rows = page.rows.into_iter().map(|(_, letter)| row(letter)).collect();
        Ok(Page { rows, next: page.next })
    }
}

impl Related for Tenant {
    fn contact(&self, id: ContactId) -> Result<Option<Cow<'_, Contact>>> {
        Ok(match self.things.get(&StreamId::contact(id)).map(|row| &*row.record) {
            Some(Record::Contact(contact)) => Some(Cow::Borrowed(&**contact)),
            _ => None,
        })
    }

    fn organization(&self, id: OrganizationId) -> Result<Option<Cow<'_, Organization>>> {
        Ok(match self.things.get(&StreamId::organization(id)).map(|row| &*row.record) {
            Some(Record::Organization(organization)) => Some(Cow::Borrowed(&**organization)),
            _ => None,
        })
    }

    fn text(&self, ticket: TicketId, seq: u32) -> Result<Option<Cow<'_, str>>> {
        Ok(match self.messages.get(&(ticket, seq)).map(|record| &**record) {
            Some(Record::Message(message)) => Some(Cow::Borrowed(&message.text)),
            _ => None,
        })
    }
}

fn after_number(query: &ListQuery) -> Result<Option<u64>> {
    query.after.as_ref().map(|cursor| number_place(query.kind, cursor)).transpose()
}

fn number_page(query: &ListQuery, rows: Vec<(u64, &Arc<Record>)>) -> Page<Row> {
    let page = page(rows, query.limit, |(n, _)| number_cursor(query.kind, *n));
    let rows = page.rows.into_iter().map(|(_, record)| Row::plain(Arc::clone(record))).collect();
    Page { rows, next: page.next }
}
