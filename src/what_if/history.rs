//! Reads what was recorded: tickets of a time, what people did to them, who wrote.

use crate::answer::Asking;
use crate::engine::Helpdesk;
use crate::error::Result;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use helpdesk_core::access::permission::Permission;
use helpdesk_core::actor::Author;
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::condition::Condition;
use helpdesk_core::event::{Event, Recorded, StreamId};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{TenantId, TicketId};
use helpdesk_core::limit::{PAGE_MAX, WHAT_IF_TICKETS_MAX};
use helpdesk_core::ticket::change::Change;
use helpdesk_core::what_if::compare::Replayed;
use helpdesk_core::what_if::course::Course;
use helpdesk_core::what_if::input::{Act, Input, inputs};
use helpdesk_core::what_if::{Sample, WhatIf};
use helpdesk_storage::{ListKind, ListQuery, Pages, Shelf, StoreExt};
use std::collections::{BTreeMap, BTreeSet};

/// Tickets whose texts are read at once.
const TEXTS_AT_ONCE: usize = 100;

/// One thing that was done, with what it needs to be done again.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) ticket: TicketId,
    pub(super) input: Input,
    /// The text of its message, where it has one that was not redacted.
    pub(super) text: Option<String>,
}

/// What was recorded.
#[derive(Debug)]
pub(super) struct History {
    pub(super) tenant: TenantId,
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) n_tickets: u64,
    pub(super) n_redacted: u64,
    /// In the order in which they were opened.
    pub(super) tickets: Vec<Replayed>,
    /// In the order in which they happened.
    pub(super) deeds: Vec<Deed>,
    /// Contacts and organizations, as they are now.
    pub(super) people: Vec<Record>,
}

impl Helpdesk {
    pub(super) async fn read_history(
        &self,
        asking: &Asking<'_>,
        what_if: &WhatIf,
    ) -> Result<History> {
        let (n_tickets, chosen) = self.chosen(asking, what_if).await?;
        let mut history = History {
            tenant: asking.actor.tenant,
            from: what_if.from,
            until: what_if.until,
            n_tickets,
            n_redacted: 0,
            tickets: Vec::with_capacity(chosen.len()),
            deeds: Vec::new(),
            people: Vec::new(),
        };
        let mut people = BTreeSet::new();
        for chunk in chosen.chunks(TEXTS_AT_ONCE) {
            let mut deeds = Vec::new();
            for &(_, ticket) in chunk {
                let journal = self.journal(asking, ticket).await?;
                history.tickets.extend(replayed(ticket, &journal, what_if.until));
                let done = inputs(&journal).into_iter().filter(|i| i.at < what_if.until);
                deeds.extend(done.map(|input| Deed { ticket, input, text: None }));
            }
            deeds.iter().for_each(|deed| add_people(&mut people, &deed.input.act));
            history.n_redacted += self.read_texts(asking, &mut deeds).await?;
            history.deeds.append(&mut deeds);
        }
        history.deeds.sort_by_key(|deed| (deed.input.at, deed.input.position));
        history.people = self.read_people(asking, people).await?;
        Ok(history)
    }

    /// How many tickets of the asker's scope were opened then, and those that are
    /// replayed, by opening and id.
    async fn chosen(
        &self,
        asking: &Asking<'_>,
        what_if: &WhatIf,
    ) -> Result<(u64, Vec<(DateTime<Utc>, TicketId)>)> {
        let kind = ListKind::Cases(Shelf::All);
        let mut query = ListQuery::all(asking.actor.tenant, kind, asking.now, PAGE_MAX);
        query.scope = asking.scope(Permission::Read);
        query.condition = opened_in(asking, what_if)?;
        let mut n_tickets = 0;
        let mut chosen: BTreeMap<[u8; 32], (DateTime<Utc>, TicketId)> = BTreeMap::new();
        let max = what_if.sample.map_or(WHAT_IF_TICKETS_MAX, |sample| sample.n);
        let lots = what_if.sample.unwrap_or(Sample { n: max, seed: 0 });
        let mut pages = Pages::new(query);
        while let Some(rows) = pages.next(&*self.inner.store).await? {
            for stored in rows {
                let Record::Case(case) = stored.record else { continue };
                let (id, at) = (case.ticket.id, case.ticket.times.created_at);
                if at < what_if.from || at >= what_if.until {
                    continue;
                }
                n_tickets += 1;
                chosen.insert(lots.lot(id), (at, id));
                if chosen.len() > max {
                    chosen.pop_last();
                }
            }
        }
        if what_if.sample.is_none() && n_tickets > WHAT_IF_TICKETS_MAX as u64 {
            let message = format!(
                "{n_tickets} tickets were opened then, at most {WHAT_IF_TICKETS_MAX} are replayed: \
                 ask for a shorter time, or for a `sample`"
            );
            return Err(Rejection::at(Code::OverLimit, "until", message).into());
        }
        let mut chosen: Vec<_> = chosen.into_values().collect();
        chosen.sort_unstable();
        Ok((n_tickets, chosen))
    }

    /// Reads the texts of these deeds; how many of their tickets have one that was redacted.
    async fn read_texts(&self, asking: &Asking<'_>, deeds: &mut [Deed]) -> Result<u64> {
        let key = |deed: &Deed| {
            let message = deed.input.act.message()?;
            Some(RecordKey::Message(deed.ticket, message.seq))
        };
        let keys: Vec<RecordKey> = deeds.iter().filter_map(key).collect();
        let found = self.inner.store.get(asking.actor.tenant, &keys).await?;
        let mut redacted = BTreeSet::new();
        let with_text = deeds.iter_mut().filter(|deed| deed.input.act.message().is_some());
        for (deed, stored) in with_text.zip(found) {
            match stored.map(|stored| stored.record) {
                Some(Record::Message(message)) if !message.redacted => {
                    deed.text = Some(message.text);
                }
                _ => {
                    redacted.insert(deed.ticket);
                }
            }
        }
        Ok(redacted.len() as u64)
    }

    /// Contacts, and their organizations.
    async fn read_people(
        &self,
        asking: &Asking<'_>,
        mut wanted: BTreeSet<StreamId>,
    ) -> Result<Vec<Record>> {
        let mut people = Vec::new();
        let mut known = BTreeSet::new();
        // Contacts name organizations, and nobody else.
        for _ in 0..2 {
            let next: Vec<StreamId> = wanted.difference(&known).copied().collect();
            let keys: Vec<RecordKey> = next.iter().copied().map(RecordKey::Stream).collect();
            let found = self.inner.store.get_all(asking.actor.tenant, &keys).await?;
            for stored in found.into_iter().flatten() {
                let mut record = stored.record;
                if let Record::Contact(contact) = &mut record {
                    wanted.extend(contact.organization.map(StreamId::organization));
                    // Who answers them is what the replay finds out.
                    contact.last_answered_by = None;
                }
                people.push(record);
            }
            known.extend(next);
        }
        Ok(people)
    }
}

fn opened_in(asking: &Asking<'_>, what_if: &WhatIf) -> Result<Condition> {
    // Conditions are strict; the exact edges are looked at beside.
    let edge = |at: DateTime<Utc>, seconds: i64| {
        let at = at.checked_add_signed(TimeDelta::seconds(seconds)).unwrap_or(at);
        at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    };
    let source = serde_json::json!({"all": [
        {"field": "created_at", "after": edge(what_if.from, -1)},
        {"field": "created_at", "before": edge(what_if.until, 1)},
    ]});
    let parsed = Condition::parse(&source, asking.snapshot.desk.condition_schema());
    parsed.map_err(|faults| Rejection::many(faults).into())
}

/// A ticket as it was recorded before `until`.
fn replayed(ticket: TicketId, journal: &[Recorded], until: DateTime<Utc>) -> Option<Replayed> {
    let mut course = Course::default();
    // By several clocks it need not be in the order of time.
    let seen = journal.iter().filter(|row| row.entry.at < until);
    seen.for_each(|row| course.see(&row.entry.event));
    let Event::Opened { ticket: opened, imported, .. } = &journal.first()?.entry.event else {
        return None;
    };
    let imported = imported.then(|| opened.group.clone());
    Some(Replayed { ticket, number: opened.number.clone(), course, imported })
}

/// The people whom doing this again looks at.
fn add_people(people: &mut BTreeSet<StreamId>, act: &Act) {
    if let Some(message) = act.message()
        && let Author::Contact { id } = message.author
    {
        people.insert(StreamId::contact(id));
    }
    let changes = match act {
        Act::Open { ticket, changes, .. } => {
            people.insert(StreamId::contact(ticket.requester));
            people.extend(ticket.organization.map(StreamId::organization));
            changes
        }
        Act::Change { changes } => changes,
        _ => return,
    };
    for change in changes {
        match change {
            Change::SetRequester { to } => people.insert(StreamId::contact(*to)),
            Change::SetOrganization { to: Some(to) } => people.insert(StreamId::organization(*to)),
            _ => false,
        };
    }
}
