//! A store of somebody else's: what a backend is made of, and how it is checked.
//!
//! `cargo run --example custom_backend` runs the public conformance suite on it and prints
//! what passed and what was skipped. It keeps everything in plain maps and walks over all
//! of it, so it is slow, and short. It does not give tenants their shares of a claim, says
//! so in its capabilities, and is spared the cases about that.

#![allow(clippy::print_stdout, reason = "an example talks to a terminal")]

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::block_on;
use helpdesk::core::case::Case;
use helpdesk::core::case::facts::{Around, holds};
use helpdesk::core::case::record::{DeadLetter, OutboxMessage, Record, RecordKey, Stored};
use helpdesk::core::case::record::{UniqueKey, UniqueOp};
use helpdesk::core::case::summary::CaseSummary;
use helpdesk::core::event::{Recorded, StreamId, TimerKind};
use helpdesk::core::id::{TenantId, TicketId, Version};
use helpdesk::core::limit::PAGE_MAX;
use helpdesk::core::ticket::Ticket;
use helpdesk::core::ticket::priority::Priority;
use helpdesk::core::ticket::status::StatusCategory;
use helpdesk::storage::{
    Bucket, Capabilities, ChangeSet, ClaimParams, ClaimWhat, Claimed, Committed, Conflict, CountBy,
    CountQuery, Cursor, Direction, EventQuery, EventSource, Lease, LeaseBody, LeaseToken,
    LeasedThing, ListKind, ListQuery, Maintain, MaintainReport, OrderBy, Page, Projection, Result,
    Series, Settle, SettleHow, Shelf, Store, StoreError, TimerOp, conformance,
};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let checked = conformance::run(async |_case| Ok(Arc::new(Plain::default()) as Arc<dyn Store>));
    println!("{}", block_on(checked)?);
    Ok(())
}

/// A store of plain maps.
#[derive(Debug, Default)]
struct Plain(Mutex<World>);

/// Everything, of all tenants.
#[derive(Debug, Default)]
struct World {
    /// Records with a version.
    things: BTreeMap<(TenantId, StreamId), (Version, Record)>,
    /// Records without: messages, configurations, commands, dead letters.
    plain: BTreeMap<(TenantId, RecordKey), Record>,
    unique: BTreeMap<(TenantId, UniqueKey), StreamId>,
    /// By position.
    journal: Vec<(TenantId, Recorded)>,
    /// Generations are kept when a timer is gone, so that no old lease fits again.
    timers: BTreeMap<(TenantId, StreamId, TimerKind), (u32, Option<Due>)>,
    /// In the order of commits.
    outbox: Vec<(TenantId, OutboxMessage, Due)>,
    /// How often dead letters were claimed.
    buried: BTreeMap<(TenantId, Uuid), u32>,
    /// Who leads a job, and until when.
    leads: BTreeMap<String, (String, i64)>,
    /// None is given twice.
    n_positions: u64,
}

/// When something can be claimed, and who has it.
#[derive(Debug, Clone, Copy)]
struct Due {
    original: i64,
    at: i64,
    is_leased: bool,
    n_claims: u32,
    n_attempts: u32,
}

impl Due {
    fn new(at: DateTime<Utc>, n_claims: u32) -> Self {
        let at = at.timestamp_micros();
        Self { original: at, at, is_leased: false, n_claims, n_attempts: 0 }
    }

    fn lease(&mut self, params: &ClaimParams) {
        let length = TimeDelta::seconds(i64::from(params.lease_seconds));
        self.at = (params.now + length).timestamp_micros();
        self.is_leased = true;
        self.n_claims += 1;
        self.n_attempts += 1;
    }

    fn give_back(&mut self, at: i64) {
        self.at = at;
        self.is_leased = false;
        self.n_attempts -= 1;
    }
}

fn invalid(message: impl Into<String>) -> StoreError {
    StoreError::Invalid { message: message.into() }
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// The versions that a change set leaves behind, in order of first mention.
fn versions(set: &ChangeSet) -> Result<Vec<(StreamId, Version, Version)>> {
    let mut expected = BTreeMap::new();
    for expect in &set.expect {
        if expected.insert(expect.stream, expect.version).is_some() {
            return Err(invalid("a stream is expected twice"));
        }
    }
    let keys: Option<Vec<_>> = set.put.iter().map(|it| key_of(set.tenant, it)).collect();
    let keys = keys.ok_or_else(|| invalid("a record that is not put"))?;
    let put: BTreeSet<&RecordKey> = keys.iter().collect();
    if put.len() < keys.len() {
        return Err(invalid("put twice"));
    }
    let streams = keys.iter().filter_map(|key| match key {
        RecordKey::Stream(stream) => Some(*stream),
        _ => None,
    });
    let mut written: Vec<(StreamId, Version, Version)> = Vec::new();
    for stream in streams.chain(set.events.iter().map(|event| event.stream)) {
        let from = expected.get(&stream).ok_or_else(|| invalid("written but not expected"))?;
        if !written.iter().any(|(other, _, _)| *other == stream) {
            let n = set.events.iter().filter(|event| event.stream == stream).count() as u64;
            written.push((stream, *from, from + n.max(1)));
        }
    }
    let is_put = |stream: &StreamId| put.contains(&RecordKey::Stream(*stream));
    match written.iter().any(|(stream, from, _)| *from == 0 && !is_put(stream)) {
        true => Err(invalid("events but no record")),
        false => Ok(written),
    }
}

/// Where a record of a change set is kept.
fn key_of(tenant: TenantId, record: &Record) -> Option<RecordKey> {
    Some(match record {
        Record::Message(it) => RecordKey::Message(it.ticket_id, it.meta.seq),
        Record::ConfigVersion(it) => RecordKey::ConfigVersion(it.version),
        Record::Config(_) => RecordKey::Stream(StreamId::config(tenant)),
        Record::Numbers(_) => RecordKey::Stream(StreamId::numbers(tenant)),
        Record::Summary(_) => return None,
        record => RecordKey::Stream(record.stream()?),
    })
}

impl World {
    fn version(&self, tenant: TenantId, stream: StreamId) -> Version {
        self.things.get(&(tenant, stream)).map_or(0, |(version, _)| *version)
    }

    /// All checks come first, so that what is refused has changed nothing.
    fn commit(&mut self, set: ChangeSet) -> Result<Committed> {
        let tenant = set.tenant;
        let written = versions(&set)?;
        if let Some(command) = &set.command
            && let Some(Record::Command(known)) =
                self.plain.get(&(tenant, RecordKey::Command(command.id)))
            && known.expires_at > set.at
        {
            return match known.sha256 == command.sha256 {
                true => Ok(Committed::replayed((**known).clone())),
                false => Err(StoreError::KeyReused { command_id: command.id }),
            };
        }
        for expect in &set.expect {
            let (stream, expected) = (expect.stream, expect.version);
            let actual = self.version(tenant, stream);
            if actual != expected {
                return Err(StoreError::Conflict(Conflict { stream, expected, actual }));
            }
        }
        let mut finished = BTreeSet::new();
        for token in &set.done {
            let is_new = token.tenant == tenant && finished.insert(token.thing);
            if !is_new || self.due(*token).is_none() {
                return Err(StoreError::StaleLease);
            }
        }
        let unique = self.unique_after(&set)?;
        let mut ids = BTreeSet::new();
        for new in &set.outbox {
            let id = new.message.id;
            let is_there = self.outbox.iter().any(|(of, old, _)| *of == tenant && old.id == id);
            if is_there || !ids.insert(id) {
                return Err(invalid("an outbox message that is already there"));
            }
        }
        self.unique = unique;
        Ok(self.write(set, &written))
    }

    /// Removals first; a key is another's unless it is taken from them.
    fn unique_after(&self, set: &ChangeSet) -> Result<BTreeMap<(TenantId, UniqueKey), StreamId>> {
        let mut unique = self.unique.clone();
        for op in &set.unique {
            if let UniqueOp::Remove { key } = op {
                unique.remove(&(set.tenant, key.clone()));
            }
        }
        for op in &set.unique {
            let UniqueOp::Put { key, stream, replace } = op else { continue };
            let owner = unique.insert((set.tenant, key.clone()), *stream);
            if owner.is_some_and(|owner| owner != *stream && !replace) {
                return Err(StoreError::DuplicateKey { key: key.clone() });
            }
        }
        Ok(unique)
    }

    fn write(&mut self, set: ChangeSet, written: &[(StreamId, Version, Version)]) -> Committed {
        let tenant = set.tenant;
        for (stream, _, version) in written {
            if let Some((stored, _)) = self.things.get_mut(&(tenant, *stream)) {
                *stored = *version;
            }
        }
        for record in set.put {
            match key_of(tenant, &record) {
                Some(RecordKey::Stream(stream)) => {
                    let version = written.iter().find(|(other, _, _)| *other == stream);
                    let version = version.map_or(0, |(_, _, version)| *version);
                    self.things.insert((tenant, stream), (version, record));
                }
                Some(key) => {
                    self.plain.insert((tenant, key), record);
                }
                None => {}
            }
        }
        let has_events = !set.events.is_empty();
        let mut numbers: BTreeMap<StreamId, Version> =
            written.iter().map(|(stream, from, _)| (*stream, *from)).collect();
        for entry in set.events {
            let n = numbers.entry(entry.stream).or_default();
            *n += 1;
            self.n_positions += 1;
            let position = self.n_positions;
            self.journal.push((tenant, Recorded { n: *n, position, entry }));
        }
        if let Some(command) = set.command {
            let key = (tenant, RecordKey::Command(command.id));
            self.plain.insert(key, Record::Command(Box::new(command)));
        }
        for token in set.done {
            self.remove(token);
        }
        for op in set.timers {
            let (stream, kind, due) = match op {
                TimerOp::Set { stream, kind, due_at } => (stream, kind, Some(Due::new(due_at, 0))),
                TimerOp::Cancel { stream, kind } => (stream, kind, None),
            };
            let timer = self.timers.entry((tenant, stream, kind)).or_default();
            timer.0 += u32::from(due.is_some());
            timer.1 = due;
        }
        for new in set.outbox {
            let due = Due::new(new.message.not_before, 0);
            self.outbox.push((tenant, new.message, due));
        }
        let versions = written.iter().map(|(stream, _, version)| (*stream, *version)).collect();
        Committed::new(versions, has_events.then_some(self.journal.len() as u64))
    }

    fn get(&self, tenant: TenantId, key: &RecordKey) -> Option<Stored> {
        let thing = |stream: &StreamId| {
            let (version, record) = self.things.get(&(tenant, *stream))?;
            Some(Stored { version: *version, record: record.clone() })
        };
        match key {
            RecordKey::Stream(stream) => thing(stream),
            RecordKey::Unique(key) => thing(self.unique.get(&(tenant, key.clone()))?),
            key => {
                let record = self.plain.get(&(tenant, key.clone()))?.clone();
                Some(Stored { version: 0, record })
            }
        }
    }

    fn wanted(&self, query: &ListQuery, shelf: Shelf, case: &Case) -> bool {
        let ticket = &case.ticket;
        let on_shelf = match shelf {
            Shelf::Live => ticket.is_live(),
            Shelf::Spam => ticket.spam && !ticket.deleted,
            Shelf::Deleted => ticket.deleted,
            Shelf::All => true,
        };
        let find = |key: RecordKey| self.get(query.tenant, &key).map(|stored| stored.record);
        let requester = find(RecordKey::Stream(StreamId::contact(ticket.requester)));
        let organization = ticket.organization.map(StreamId::organization);
        let organization = organization.and_then(|stream| find(RecordKey::Stream(stream)));
        let body = find(RecordKey::Message(ticket.id, ticket.newest_public_seq));
        let around = Around {
            requester: match &requester {
                Some(Record::Contact(contact)) => Some(contact),
                _ => None,
            },
            organization: match &organization {
                Some(Record::Organization(organization)) => Some(organization),
                _ => None,
            },
            body: match &body {
                Some(Record::Message(message)) => Some(&message.text),
                _ => None,
            },
            clocks: Some(case),
        };
        on_shelf
            && query.scope.permits(ticket)
            && holds(&query.condition, ticket, around, query.now, &query.terms)
    }

    fn cases(&self, query: &ListQuery, shelf: Shelf) -> Vec<(Version, Case)> {
        let of_tenant = self.things.iter().filter(|((tenant, _), _)| *tenant == query.tenant);
        let cases = of_tenant.filter_map(|(_, (version, record))| match record {
            Record::Case(case) if self.wanted(query, shelf, case) => {
                Some((*version, (**case).clone()))
            }
            _ => None,
        });
        cases.collect()
    }

    /// All rows of a list, each with its place.
    fn rows(&self, query: &ListQuery) -> Vec<(Place, Stored)> {
        let of_tenant = self.plain.iter().filter(|((tenant, _), _)| *tenant == query.tenant);
        let plain = |place: fn(&Record) -> Option<Place>| {
            let rows = of_tenant.clone().filter_map(move |(_, record)| {
                Some((place(record)?, Stored { version: 0, record: record.clone() }))
            });
            rows.collect::<Vec<_>>()
        };
        match query.kind {
            ListKind::Cases(shelf) => {
                let row = |(version, case): (Version, Case)| {
                    let place = case_place(query.order.by, &case);
                    let record = match query.projection {
                        Projection::Full => Record::Case(Box::new(case)),
                        Projection::Summary => Record::Summary(Box::new(CaseSummary::of(&case))),
                    };
                    (place, Stored { version, record })
                };
                self.cases(query, shelf).into_iter().map(row).collect()
            }
            ListKind::Things(kind) => {
                let things = self
                    .things
                    .iter()
                    .filter(|((tenant, stream), _)| *tenant == query.tenant && stream.kind == kind);
                let row = |((_, stream), (version, record)): (&(_, StreamId), &(_, Record))| {
                    let place = (false, 0, String::new(), stream.id);
                    (place, Stored { version: *version, record: record.clone() })
                };
                things.map(row).collect()
            }
            ListKind::Messages(ticket) => {
                let mut rows = plain(|record| match record {
                    Record::Message(it) => Some(number(i64::from(it.meta.seq))),
                    _ => None,
                });
                rows.retain(
                    |(_, row)| matches!(&row.record, Record::Message(it) if it.ticket_id == ticket),
                );
                rows
            }
            ListKind::DeadLetters => plain(|record| match record {
                Record::DeadLetter(it) => {
                    Some((false, it.died_at.timestamp_micros(), String::new(), it.message.id))
                }
                _ => None,
            }),
            ListKind::ConfigVersions => plain(|record| match record {
                Record::ConfigVersion(it) => Some(number(-i64::try_from(it.version).ok()?)),
                _ => None,
            }),
        }
    }

    fn list(&self, query: &ListQuery) -> Result<Page<Stored>> {
        check_limit(query.limit)?;
        let (list, direction) = match query.kind {
            ListKind::Cases(_) => (format!("{:?}", query.order), query.order.direction),
            kind => (format!("{kind:?}"), Direction::Ascending),
        };
        let after: Option<Place> = match &query.after {
            None => None,
            Some(Cursor(text)) => {
                let (of, place): (String, Place) =
                    serde_json::from_str(text).map_err(|_| invalid("not a cursor"))?;
                match of == list {
                    true => Some(place),
                    false => return Err(invalid("a cursor of another list")),
                }
            }
        };
        let mut rows = self.rows(query);
        rows.sort_by(|(a, _), (b, _)| compare(a, b, direction));
        if let Some(after) = after {
            rows.retain(|(place, _)| compare(place, &after, direction).is_gt());
        }
        let has_more = rows.len() > query.limit;
        rows.truncate(query.limit);
        let next = rows.last().filter(|_| has_more).map(|(place, _)| (list, place));
        let next = next.and_then(|cursor| serde_json::to_string(&cursor).ok()).map(Cursor);
        Ok(Page { rows: rows.into_iter().map(|(_, row)| row).collect(), next })
    }

    fn count(&self, query: &CountQuery) -> Vec<Bucket> {
        let mut list =
            ListQuery::all(query.tenant, ListKind::Cases(query.shelf), query.now, PAGE_MAX);
        list.scope = query.scope.clone();
        list.condition = query.condition.clone();
        list.terms = query.terms.clone();
        let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
        if query.by == CountBy::Nothing {
            counts.insert(None, 0);
        }
        for (_, case) in self.cases(&list, query.shelf) {
            *counts.entry(group(query.by, &case.ticket)).or_default() += 1;
        }
        let bucket =
            |(key, n): (_, u64)| Bucket { key, n: n.min(query.cap), capped: n > query.cap };
        counts.into_iter().map(bucket).collect()
    }

    fn events(&self, query: &EventQuery) -> Result<Page<Recorded>> {
        check_limit(query.limit)?;
        let of_tenant = self.journal.iter().filter(|(tenant, _)| *tenant == query.tenant);
        let is_wanted = |entry: &Recorded| match &query.source {
            EventSource::Stream { stream, after } => {
                entry.entry.stream == *stream && entry.n > *after
            }
            // One writer: nothing comes to stand before what was shown.
            EventSource::Feed { after, kinds } | EventSource::News { after, kinds } => {
                let is_of_kind = kinds.is_empty() || kinds.contains(&entry.entry.stream.kind);
                is_of_kind && entry.position > *after
            }
        };
        let found = of_tenant.map(|(_, entry)| entry).filter(|entry| is_wanted(entry));
        let mut rows: Vec<Recorded> = found.take(query.limit + 1).cloned().collect();
        let has_more = rows.len() > query.limit;
        rows.truncate(query.limit);
        let next = rows.last().filter(|_| has_more).map(|last| match query.source {
            EventSource::Stream { .. } => Cursor(last.n.to_string()),
            EventSource::Feed { .. } | EventSource::News { .. } => {
                Cursor(last.position.to_string())
            }
        });
        Ok(Page { rows, next })
    }

    /// What can be claimed at some time, in order: the firsts of their lanes only.
    fn due_things(&self, params: &ClaimParams) -> Vec<(i64, TenantId, LeasedThing)> {
        let is_wanted = |tenant: &TenantId| {
            params.tenants.as_ref().is_none_or(|tenants| tenants.contains(tenant))
        };
        match params.what {
            ClaimWhat::Timers => {
                let due = |((tenant, stream, kind), (_, due)): (&(_, StreamId, _), &(_, _))| {
                    let due: Due = (*due)?;
                    Some((due.at, *kind, stream.id, *tenant, stream.kind))
                };
                let mut timers: Vec<(_, TimerKind, _, _, _)> =
                    self.timers.iter().filter_map(due).collect();
                timers.retain(|(_, _, _, tenant, _)| is_wanted(tenant));
                timers.sort_unstable();
                let thing = |(at, kind, id, tenant, of)| {
                    (at, tenant, LeasedThing::Timer { stream: StreamId { kind: of, id }, kind })
                };
                timers.into_iter().map(thing).collect()
            }
            ClaimWhat::Outbox => {
                let mut lanes = BTreeSet::new();
                let mut firsts: Vec<(i64, TenantId, LeasedThing)> = Vec::new();
                for (tenant, message, due) in &self.outbox {
                    if lanes.insert((*tenant, message.ordering_key)) && is_wanted(tenant) {
                        firsts.push((due.at, *tenant, LeasedThing::Outbox { id: message.id }));
                    }
                }
                firsts.sort_by_key(|(at, _, _)| *at);
                firsts
            }
        }
    }

    fn claim(&mut self, params: &ClaimParams) -> Claimed {
        let now = params.now.timestamp_micros();
        let mut leases = Vec::new();
        for (at, tenant, thing) in self.due_things(params) {
            if at > now || leases.len() == params.max {
                return Claimed { leases, next_due: Some(instant(at)) };
            }
            leases.extend(self.lease(tenant, thing, params));
        }
        Claimed { leases, next_due: None }
    }

    fn lease(
        &mut self,
        tenant: TenantId,
        thing: LeasedThing,
        params: &ClaimParams,
    ) -> Option<Lease> {
        let (generation, due, body) = match thing {
            LeasedThing::Timer { stream, kind } => {
                let (generation, due) = self.timers.get_mut(&(tenant, stream, kind))?;
                let due = due.as_mut()?;
                let due_at = instant(due.original);
                (*generation, due, LeaseBody::Timer { stream, kind, due_at })
            }
            LeasedThing::Outbox { id } => {
                let (_, message, due) =
                    self.outbox.iter_mut().find(|(of, it, _)| *of == tenant && it.id == id)?;
                (0, due, LeaseBody::Outbox(Box::new(message.clone())))
            }
        };
        due.lease(params);
        let token = LeaseToken { tenant, thing, generation, attempt: due.n_claims };
        Some(Lease { token, attempts: due.n_attempts, body })
    }

    /// What a token has leased, as long as its lease stands.
    fn due(&mut self, token: LeaseToken) -> Option<&mut Due> {
        let (generation, due) = match token.thing {
            LeasedThing::Timer { stream, kind } => {
                let (generation, due) = self.timers.get_mut(&(token.tenant, stream, kind))?;
                (*generation, due.as_mut()?)
            }
            LeasedThing::Outbox { id } => {
                let mut rows = self.outbox.iter_mut();
                let row = rows.find(|(of, it, _)| *of == token.tenant && it.id == id)?;
                (0, &mut row.2)
            }
        };
        let stands =
            due.is_leased && (generation, due.n_claims) == (token.generation, token.attempt);
        stands.then_some(due)
    }

    fn settle(&mut self, settle: Settle) -> Result<()> {
        let Settle { token, now, how } = settle;
        let due = self.due(token).ok_or(StoreError::StaleLease)?;
        match how {
            SettleHow::Done => _ = self.remove(token),
            SettleHow::Retry { at, .. } => {
                (due.at, due.is_leased) = (at.timestamp_micros(), false);
            }
            SettleHow::Extend { lease_seconds } => {
                due.at = (now + TimeDelta::seconds(i64::from(lease_seconds))).timestamp_micros();
            }
            SettleHow::Release => due.give_back(due.original),
            SettleHow::Snooze { until } => due.give_back(until.timestamp_micros()),
            SettleHow::Dead { error } => {
                let due = *due;
                if let Some(message) = self.remove(token) {
                    let attempts = due.n_attempts;
                    self.buried.insert((token.tenant, message.id), due.n_claims);
                    let key = (token.tenant, RecordKey::DeadLetter(message.id));
                    let letter = DeadLetter { message, attempts, died_at: now, error };
                    self.plain.insert(key, Record::DeadLetter(Box::new(letter)));
                }
            }
        }
        Ok(())
    }

    fn remove(&mut self, token: LeaseToken) -> Option<OutboxMessage> {
        match token.thing {
            LeasedThing::Timer { stream, kind } => {
                self.timers.get_mut(&(token.tenant, stream, kind))?.1 = None;
                None
            }
            LeasedThing::Outbox { id } => {
                let mut rows = self.outbox.iter();
                let at = rows.position(|(of, it, _)| *of == token.tenant && it.id == id)?;
                Some(self.outbox.remove(at).1)
            }
        }
    }

    fn maintain(&mut self, maintain: &Maintain) -> Result<u64> {
        let n_before = self.plain.len();
        let is_bad = |it: &&String| it.is_empty() || it.chars().count() > 200 || it.contains('\0');
        if let Maintain::Lead { job, owner, .. } | Maintain::Resign { job, owner } = maintain
            && [job, owner].iter().any(is_bad)
        {
            return Err(invalid("a name has 1 to 200 chars, none of them U+0000"));
        }
        match maintain {
            Maintain::PurgeCommands { tenant, now } => self.plain.retain(|(of, _), record| {
                !matches!(record, Record::Command(it) if of == tenant && it.expires_at <= *now)
            }),
            Maintain::PurgeDeadLetters { tenant, before } => {
                let end = before.timestamp_micros();
                self.plain.retain(|(of, _), record| {
                    !matches!(record, Record::DeadLetter(it)
                        if of == tenant && it.died_at.timestamp_micros() < end)
                });
            }
            Maintain::Redrive { tenant, ids, now } => self.redrive(*tenant, ids, *now),
            Maintain::Rewrite { tenant, entries } => return Ok(self.rewrite(*tenant, entries)),
            Maintain::PurgeTickets { tenant, tickets } => {
                return Ok(tickets.iter().filter(|(it, at)| self.purge(*tenant, *it, *at)).count()
                    as u64);
            }
            Maintain::Lead { job, owner, now, lease_seconds } => {
                let until = *now + TimeDelta::seconds(i64::from(*lease_seconds));
                let (of, end) = self.leads.entry(job.clone()).or_default();
                if of != owner && *end > now.timestamp_micros() {
                    return Ok(0);
                }
                (*of, *end) = (owner.clone(), until.timestamp_micros());
                return Ok(1);
            }
            Maintain::Resign { job, owner } => {
                let has_it = self.leads.get(job).is_some_and(|(of, _)| of == owner);
                return Ok(has_it.then(|| self.leads.remove(job)).into_iter().count() as u64);
            }
            Maintain::Compact | Maintain::Scrub => {}
            other => return Err(invalid(format!("no such housekeeping here: {other:?}"))),
        }
        Ok((n_before - self.plain.len()) as u64)
    }

    fn purge(&mut self, tenant: TenantId, ticket: TicketId, version: Version) -> bool {
        let stream = StreamId::case(ticket);
        let stands = self.version(tenant, stream) == version;
        if !stands || self.things.remove(&(tenant, stream)).is_none() {
            return false;
        }
        let is_its = |key: &RecordKey| matches!(key, RecordKey::Message(it, _) if *it == ticket);
        self.plain.retain(|(of, key), _| *of != tenant || !is_its(key));
        self.unique.retain(|(of, _), it| *of != tenant || *it != stream);
        self.timers.retain(|(of, it, _), _| *of != tenant || *it != stream);
        self.journal.retain(|(of, it)| *of != tenant || it.entry.stream != stream);
        true
    }

    fn rewrite(&mut self, tenant: TenantId, entries: &[Recorded]) -> u64 {
        let mut n = 0;
        for (_, known) in self.journal.iter_mut().filter(|(of, _)| *of == tenant) {
            let place = (known.entry.stream, known.n);
            if let Some(new) = entries.iter().rfind(|it| (it.entry.stream, it.n) == place) {
                known.entry.event = new.entry.event.clone();
                known.entry.origin = new.entry.origin.clone();
                n += 1;
            }
        }
        n
    }

    fn redrive(&mut self, tenant: TenantId, ids: &[Uuid], now: DateTime<Utc>) {
        let of_tenant = self.plain.iter().filter(|((of, _), _)| *of == tenant);
        let mut picked: Vec<DeadLetter> = of_tenant
            .filter_map(|(_, record)| match record {
                Record::DeadLetter(it) => Some((**it).clone()),
                _ => None,
            })
            .filter(|it| ids.is_empty() || ids.contains(&it.message.id))
            .collect();
        picked.sort_by_key(|it| (it.died_at.timestamp_micros(), it.message.id));
        for letter in picked {
            let id = letter.message.id;
            if self.outbox.iter().any(|(of, it, _)| *of == tenant && it.id == id) {
                continue;
            }
            self.plain.remove(&(tenant, RecordKey::DeadLetter(id)));
            let n_claims = self.buried.remove(&(tenant, id)).unwrap_or(0);
            self.outbox.push((tenant, letter.message, Due::new(now, n_claims)));
        }
    }
}

/// Where a row stands: unset values, numbers, words, and an id for ties.
type Place = (bool, i64, String, Uuid);

fn number(n: i64) -> Place {
    (false, n, String::new(), Uuid::nil())
}

fn compare(a: &Place, b: &Place, direction: Direction) -> Ordering {
    let turned = |ordering: Ordering| match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    };
    let by_value = turned((a.1, &a.2).cmp(&(b.1, &b.2)));
    a.0.cmp(&b.0).then(by_value).then(a.3.cmp(&b.3))
}

fn case_place(by: OrderBy, case: &Case) -> Place {
    let ticket = &case.ticket;
    let rank = |at: Option<usize>| at.and_then(|at| i64::try_from(at).ok());
    let micros = |at: DateTime<Utc>| at.timestamp_micros();
    let mut word = String::new();
    let value = match by {
        OrderBy::Number => i64::try_from(ticket.number.n).ok(),
        OrderBy::CreatedAt => Some(micros(ticket.times.created_at)),
        OrderBy::UpdatedAt => Some(micros(ticket.times.updated_at)),
        OrderBy::LastRequesterAt => ticket.times.last_requester_at.map(micros),
        OrderBy::Priority => rank(Priority::ALL.iter().position(|it| Some(*it) == ticket.priority)),
        OrderBy::DueAt => case.due_at().map(micros),
        OrderBy::Status => {
            word = ticket.status.as_str().to_owned();
            rank(StatusCategory::ALL.iter().position(|it| *it == ticket.category))
        }
    };
    (value.is_none(), value.unwrap_or(0), word, ticket.id.0)
}

fn group(by: CountBy, ticket: &Ticket) -> Option<String> {
    match by {
        CountBy::Nothing => None,
        CountBy::Status => Some(ticket.status.to_string()),
        CountBy::Assignee => ticket.assignee.map(|id| id.to_string()),
        CountBy::Group => ticket.group.as_ref().map(ToString::to_string),
        CountBy::Queue => ticket.queue.as_ref().map(ToString::to_string),
    }
}

fn check_limit(limit: usize) -> Result<()> {
    match (1..=PAGE_MAX).contains(&limit) {
        true => Ok(()),
        false => Err(invalid(format!("a page has 1 to {PAGE_MAX} rows"))),
    }
}

impl Plain {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Plain {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("plain", false, false).without_shares()
    }

    async fn commit(&self, change_set: ChangeSet) -> Result<Committed> {
        Series::default().commit(change_set, |set| self.world().commit(set))
    }

    async fn commit_many(&self, change_sets: Vec<ChangeSet>) -> Vec<Result<Committed>> {
        let (mut world, mut series) = (self.world(), Series::default());
        change_sets.into_iter().map(|set| series.commit(set, |set| world.commit(set))).collect()
    }

    async fn get(&self, tenant: TenantId, keys: &[RecordKey]) -> Result<Vec<Option<Stored>>> {
        let world = self.world();
        Ok(keys.iter().map(|key| world.get(tenant, key)).collect())
    }

    async fn list(&self, query: &ListQuery) -> Result<Page<Stored>> {
        self.world().list(query)
    }

    async fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>> {
        Ok(self.world().count(query))
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<Recorded>> {
        self.world().events(query)
    }

    async fn feed_end(&self, tenant: TenantId) -> Result<u64> {
        let world = self.world();
        let last = world.journal.iter().rev().find(|(of, _)| *of == tenant);
        Ok(last.map_or(0, |(_, entry)| entry.position))
    }

    async fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        Ok(self.world().claim(params))
    }

    async fn settle(&self, settles: Vec<Settle>) -> Result<Vec<Result<()>>> {
        let mut world = self.world();
        Ok(settles.into_iter().map(|settle| world.settle(settle)).collect())
    }

    async fn maintain(&self, maintain: &Maintain) -> Result<MaintainReport> {
        Ok(MaintainReport { n_rows: self.world().maintain(maintain)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_passes_all_that_it_says_it_can() {
        let checked = conformance::run(async |_| Ok(Arc::new(Plain::default()) as Arc<dyn Store>));
        let report = block_on(checked).unwrap_or_else(|failures| panic!("{failures}"));
        assert!(report.skipped.iter().all(|case| case.area == "shares"), "{report}");
        assert_eq!(report.n_passed + report.skipped.len(), conformance::cases().len());
    }
}
