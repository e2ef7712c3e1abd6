//! What the cases are written with.

use super::Outcome;
use crate::{
    ChangeSet, ClaimParams, ClaimWhat, Claimed, Committed, Cursor, Expect, Lease, LeaseToken,
    ListKind, ListQuery, NewOutbox, Page, Settle, SettleHow, Store, StoreError, TimerOp, UniqueOp,
};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::actor::{ActorKind, Author};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{CommandRecord, OutboxMessage, Record, RecordKey, Stored};
use helpdesk_core::clock::Clock;
use helpdesk_core::contact::{Contact, Organization};
use helpdesk_core::effect::Effect;
use helpdesk_core::event::{Cause, Event, NewEvent, Origin, StreamId, TimerKind};
use helpdesk_core::id::{
    CommandId, ContactId, Key, MessageId, OrganizationId, TenantId, TicketId, TicketNumber,
};
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::message::{Message, MessageKind, MessageMeta, text_hash};
use helpdesk_core::ticket::priority::Channel;
use helpdesk_core::ticket::status::{StatusCategory, StatusDef};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Lists an area's cases.
macro_rules! area {
    ($area:literal: $($name:ident),* $(,)?) => {
        super::kit::area!($area needs None; $($name),*);
    };
    ($area:literal needs $needs:expr => $($name:ident),* $(,)?) => {
        super::kit::area!($area needs Some($needs); $($name),*);
    };
    ($area:literal needs $needs:expr; $($name:ident),* $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[$(super::Case {
            area: $area,
            name: stringify!($name),
            needs: $needs,
            run: |store| Box::pin($name(super::kit::Kit::new(store))),
        }),*];
    };
}
pub(super) use area;

/// How often, and how far apart, it is looked whether a commit shows in the feed.
const SETTLE_TRIES: u32 = 2_000;
const SETTLE_WAIT: Duration = Duration::from_millis(5);

/// One tenant of the store under test.
#[derive(Debug, Clone)]
pub(super) struct Kit {
    pub(super) store: Arc<dyn Store>,
    pub(super) tenant: TenantId,
}

/// An id.
pub(super) fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + n)
}

/// Seconds after the start of all cases: 2026-01-05 09:00 UTC.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_603_600 + seconds)
}

/// The id of the n-th ticket.
pub(super) fn ticket_id(n: u128) -> TicketId {
    TicketId(id(n))
}

/// The stream of the n-th ticket.
pub(super) fn stream(n: u128) -> StreamId {
    StreamId::case(ticket_id(n))
}

/// A key of the configuration.
pub(super) fn key(text: &str) -> Result<Key, String> {
    Key::new(text).map_err(|fault| fault.to_string())
}

/// The n-th ticket, opened at second n.
pub(super) fn ticket(n: u64) -> Result<Ticket, String> {
    let open =
        StatusDef { key: key("open")?, name: "Open".to_owned(), category: StatusCategory::Open };
    let number = TicketNumber { prefix: Arc::from("HD"), n };
    let created_at = at(i64::try_from(n).unwrap_or(0));
    let (id, requester) = (ticket_id(u128::from(n)), ContactId(id(1)));
    let mut ticket = Ticket::blank(id, number, requester, Channel::Email, &open, created_at);
    ticket.subject = format!("Ticket {n}");
    Ok(ticket)
}

/// A ticket as a record.
pub(super) fn case(ticket: Ticket) -> Record {
    Record::Case(Box::new(Case::new(ticket)))
}

/// A clock that runs, due then; that is paused, due at no time.
pub(super) fn clock(due_at: Option<DateTime<Utc>>) -> Result<Clock, String> {
    let state = if due_at.is_some() { "running" } else { "paused" };
    let clock = serde_json::json!({
        "metric": "first_reply", "cycle": 1, "state": state, "started_at": at(0),
        "accumulated_seconds": 0, "target_rev": 1, "policy": "all", "policy_rev": 1,
        "calendar": "always", "calendar_rev": 0, "generation": 1,
        "due_at": due_at, "breach_at": due_at,
    });
    serde_json::from_value(clock).map_err(|error| error.to_string())
}

/// The n-th contact.
pub(super) fn contact(n: u128) -> Contact {
    Contact::named(ContactId(id(n)), format!("Contact {n}"))
}

/// The n-th organization.
pub(super) fn organization(n: u128) -> Organization {
    Organization {
        id: OrganizationId(id(n)),
        name: format!("Organization {n}"),
        domains: Vec::new(),
        tags: Vec::new(),
        requester_tier: None,
        shares_tickets: false,
        custom: Default::default(),
    }
}

/// A public message.
pub(super) fn message(ticket: u128, seq: u32, text: &str) -> Message {
    Message {
        ticket_id: ticket_id(ticket),
        meta: MessageMeta {
            id: MessageId(id(ticket * 1_000 + u128::from(seq))),
            seq,
            kind: MessageKind::PublicReply,
            author: Author::Contact { id: ContactId(id(1)) },
            channel: Channel::Email,
            text_bytes: text.len() as u64,
            sha256: text_hash(text, None),
            attachments: Vec::new(),
            external_id: None,
            sent_at: at(0),
            truncated: false,
        },
        text: text.to_owned(),
        html: None,
        redacted: false,
    }
}

/// An event.
pub(super) fn event(stream: StreamId, event: Event, seconds: i64) -> NewEvent {
    let cause = Cause::Command { id: CommandId(id(9)) };
    let kind = ActorKind::System;
    let origin = Origin { kind, actor: None, on_behalf_of: None, ip: None, cause };
    NewEvent { stream, at: at(seconds), origin, event }
}

/// What is remembered of a command.
pub(super) fn command(n: u128, sha256: &str, expires: i64) -> CommandRecord {
    CommandRecord {
        id: CommandId(id(n)),
        sha256: sha256.to_owned(),
        result: serde_json::json!({"ticket": n.to_string()}),
        expires_at: at(expires),
    }
}

/// An outbox message in a lane, due at a second.
pub(super) fn outbox(n: u128, lane: u128, seconds: i64) -> NewOutbox {
    let effect = Effect::NotifyUnroutable { ticket: ticket_id(n) };
    NewOutbox {
        message: OutboxMessage {
            id: id(n),
            effect,
            ordering_key: id(lane),
            not_before: at(seconds),
            created_at: at(0),
        },
    }
}

/// A timer that is set.
pub(super) fn set(stream: StreamId, kind: TimerKind, seconds: i64) -> TimerOp {
    TimerOp::Set { stream, kind, due_at: at(seconds) }
}

/// A unique key that is put.
pub(super) fn unique(key: &helpdesk_core::case::record::UniqueKey, stream: StreamId) -> UniqueOp {
    UniqueOp::Put { key: key.clone(), stream, replace: false }
}

impl Kit {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, tenant: TenantId(id(0xA)) }
    }

    /// Another tenant of the same store.
    pub(super) fn other(&self) -> Self {
        Self { store: Arc::clone(&self.store), tenant: TenantId(id(0xB)) }
    }

    /// An empty change set.
    pub(super) fn change(&self) -> ChangeSet {
        ChangeSet::new(self.tenant, CommandId(id(9)), at(0))
    }

    /// A change set that puts a thing that was at this version.
    pub(super) fn put(&self, stream: StreamId, version: u64, record: Record) -> ChangeSet {
        let mut change = self.change();
        change.expect.push(Expect { stream, version });
        change.put.push(record);
        change
    }

    /// Commits.
    pub(super) async fn commit(&self, change: ChangeSet) -> Result<Committed, String> {
        self.store.commit(change).await.map_err(|error| format!("commit: {error}"))
    }

    /// Commits, and wants to be refused.
    pub(super) async fn refused(&self, change: ChangeSet) -> Result<StoreError, String> {
        match self.store.commit(change).await {
            Ok(committed) => Err(format!("committed, should be refused: {committed:?}")),
            Err(error) => Ok(error),
        }
    }

    /// Puts new tickets.
    pub(super) async fn open(&self, tickets: impl IntoIterator<Item = Ticket>) -> Outcome {
        for ticket in tickets {
            self.commit(self.put(StreamId::case(ticket.id), 0, case(ticket))).await?;
        }
        Ok(())
    }

    /// Puts new cases.
    pub(super) async fn open_cases(&self, cases: Vec<Case>) -> Outcome {
        for new in cases {
            let stream = StreamId::case(new.ticket.id);
            self.commit(self.put(stream, 0, Record::Case(Box::new(new)))).await?;
        }
        Ok(())
    }

    /// Waits until the feed shows everything up to a position, as it does once what other
    /// clients of a shared server have begun has ended.
    pub(super) async fn settled_to(&self, position: u64) -> Outcome {
        for _ in 0..SETTLE_TRIES {
            let end = self.store.feed_end(self.tenant).await;
            if end.map_err(|error| format!("feed_end: {error}"))? >= position {
                return Ok(());
            }
            std::thread::sleep(SETTLE_WAIT);
        }
        Err(format!("the feed never showed position {position}"))
    }

    /// The record with a key.
    pub(super) async fn get(&self, key: RecordKey) -> Result<Option<Stored>, String> {
        let mut found =
            self.store.get(self.tenant, &[key]).await.map_err(|error| format!("get: {error}"))?;
        same("records got for one key", found.len(), 1)?;
        Ok(found.pop().flatten())
    }

    /// The version of a thing, 0 for absent.
    pub(super) async fn version(&self, stream: StreamId) -> Result<u64, String> {
        Ok(self.get(RecordKey::Stream(stream)).await?.map_or(0, |stored| stored.version))
    }

    /// A list query for everything of a kind.
    pub(super) fn query(&self, kind: ListKind, limit: usize) -> ListQuery {
        ListQuery::all(self.tenant, kind, at(0), limit)
    }

    /// One page.
    pub(super) async fn page(&self, query: &ListQuery) -> Result<Page<Stored>, String> {
        self.store.list(query).await.map_err(|error| format!("list: {error}"))
    }

    /// Every row, page by page; each page but the last is full.
    pub(super) async fn rows(&self, query: &ListQuery) -> Result<Vec<Stored>, String> {
        let mut query = query.clone();
        let mut rows = Vec::new();
        loop {
            let page = self.page(&query).await?;
            if page.next.is_some() {
                same("rows of a page that is not the last", page.rows.len(), query.limit)?;
            } else if query.after.is_some() && page.rows.is_empty() {
                return Err("a cursor led to an empty page".to_owned());
            }
            rows.extend(page.rows);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(rows),
            }
        }
    }

    /// The ids of the tickets on every page.
    pub(super) async fn tickets(&self, query: &ListQuery) -> Result<Vec<Uuid>, String> {
        let rows = self.rows(query).await?;
        rows.iter().map(|row| Ok(ticket_of(row)?.id.0)).collect()
    }

    /// Claims for 60 seconds, of this tenant.
    pub(super) async fn claim(
        &self,
        what: ClaimWhat,
        now: i64,
        max: usize,
    ) -> Result<Claimed, String> {
        let mut params = ClaimParams::new(what, at(now), max);
        params.tenants = Some(vec![self.tenant]);
        self.store.claim(&params).await.map_err(|error| format!("claim: {error}"))
    }

    /// Claims and wants exactly one.
    pub(super) async fn claim_one(&self, what: ClaimWhat, now: i64) -> Result<Lease, String> {
        let mut claimed = self.claim(what, now, 10).await?;
        same("leases", claimed.leases.len(), 1)?;
        claimed.leases.pop().ok_or_else(|| "no lease".to_owned())
    }

    /// Settles one.
    pub(super) async fn settle(
        &self,
        token: LeaseToken,
        now: i64,
        how: SettleHow,
    ) -> Result<Result<(), StoreError>, String> {
        let settles = vec![Settle { token, now: at(now), how }];
        let mut results =
            self.store.settle(settles).await.map_err(|error| format!("settle: {error}"))?;
        results.pop().ok_or_else(|| "settle answered nothing".to_owned())
    }

    /// Settles one that stands.
    pub(super) async fn settled(&self, token: LeaseToken, now: i64, how: SettleHow) -> Outcome {
        self.settle(token, now, how).await?.map_err(|error| format!("settle: {error}"))
    }

    /// Settles one that must not stand.
    pub(super) async fn stale(&self, token: LeaseToken, now: i64) -> Outcome {
        match self.settle(token, now, SettleHow::Done).await? {
            Err(StoreError::StaleLease) => Ok(()),
            other => Err(format!("an old token was taken: {other:?}")),
        }
    }
}

/// The ticket of a row.
pub(super) fn ticket_of(stored: &Stored) -> Result<&Ticket, String> {
    match &stored.record {
        Record::Case(case) => Ok(&case.ticket),
        other => Err(format!("not a case: {other:?}")),
    }
}

/// Two values that must be the same.
#[expect(clippy::needless_pass_by_value, reason = "the values are made for this comparison")]
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: T, wanted: T) -> Outcome {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, wanted {wanted:?}"))
}

/// Something that must be so.
pub(super) fn so(what: &str, holds: bool) -> Outcome {
    if holds { Ok(()) } else { Err(format!("not so: {what}")) }
}

/// An error that must be `Invalid`.
pub(super) fn invalid<T: Debug>(what: &str, result: crate::Result<T>) -> Outcome {
    match result {
        Err(StoreError::Invalid { .. }) => Ok(()),
        other => Err(format!("{what}: should be refused as invalid, is {other:?}")),
    }
}

/// A cursor of nowhere.
pub(super) fn nonsense() -> Cursor {
    Cursor("nonsense".to_owned())
}

/// Random numbers that are the same for the same seed (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    /// The next one.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One below a bound over 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// One of these, or `None` as often as each.
    pub(super) fn maybe<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let at = self.below(from.len() as u64 + 1);
        usize::try_from(at).ok().and_then(|at| from.get(at)).cloned()
    }
}
