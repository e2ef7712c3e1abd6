//! What change sets write, as columns: a statement takes an array for each.

use super::batch::Batch;
use super::query::{Query, few_of_tenant};
use super::write::int;
use crate::order::{category_rank, micros, number_rank, priority_rank};
use crate::{ChangeSet, LeasedThing, TimerOp};
use helpdesk_core::case::Case;
use helpdesk_core::event::{StreamId, StreamKind, TimerKind};
use helpdesk_core::id::Key;
use helpdesk_core::ticket::{Follower, Ticket};
use std::collections::BTreeMap;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Neither spam nor deleted.
pub(super) const LIVE: i16 = 0;
/// Spam that is not deleted.
pub(super) const SPAM: i16 = 1;
/// Deleted.
pub(super) const DELETED: i16 = 2;

/// Keys of things other than tickets.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) kinds: Vec<&'static str>,
    pub(super) ids: Vec<Uuid>,
}

impl Keys {
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub(super) fn push(&mut self, stream: StreamId) {
        self.kinds.push(stream.kind.as_str());
        self.ids.push(stream.id);
    }
}

/// Things at versions; tickets have no kinds.
#[derive(Debug, Default)]
pub(super) struct Versions {
    pub(super) kinds: Option<Vec<&'static str>>,
    pub(super) ids: Vec<Uuid>,
    pub(super) versions: Vec<i64>,
}

/// Tickets and other things that must be at a version.
#[derive(Debug, Default)]
pub(super) struct Present {
    pub(super) tickets: Versions,
    pub(super) entities: Versions,
}

impl Present {
    fn push(&mut self, stream: StreamId, version: i64) {
        let rows = match stream.kind {
            StreamKind::Case => &mut self.tickets,
            kind => {
                let kinds = self.entities.kinds.get_or_insert_default();
                kinds.push(kind.as_str());
                &mut self.entities
            }
        };
        rows.ids.push(stream.id);
        rows.versions.push(version);
    }
}

/// What a batch expects.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// What it writes and is there.
    pub(super) written: Present,
    /// What it only looks at.
    pub(super) seen: Present,
    /// What it only looks at and must not be there.
    pub(super) absent_tickets: Vec<Uuid>,
    pub(super) absent_entities: Keys,
}

impl Expected {
    pub(super) fn of(batch: &Batch<'_>) -> Self {
        let mut it = Self::default();
        for (stream, version, written) in batch.expected() {
            match (written, version, stream.kind) {
                (Some(_), 0, _) => {}
                (Some(_), version, _) => it.written.push(stream, int(version)),
                (None, 0, StreamKind::Case) => it.absent_tickets.push(stream.id),
                (None, 0, _) => it.absent_entities.push(stream),
                (None, version, _) => it.seen.push(stream, int(version)),
            }
        }
        it
    }
}

/// Things other than tickets, or runs of journal entries.
#[derive(Debug, Default)]
pub(super) struct Entities {
    pub(super) keys: Keys,
    pub(super) versions: Vec<i64>,
    pub(super) docs: Vec<String>,
}

impl Entities {
    pub(super) fn is_empty(&self) -> bool {
        self.docs.is_empty()
    }

    pub(super) fn push(&mut self, stream: StreamId, version: i64, doc: String) {
        self.keys.push(stream);
        self.versions.push(version);
        self.docs.push(doc);
    }

    pub(super) fn bind(self, query: &mut Query) -> String {
        let kinds = query.bind(self.keys.kinds, Type::TEXT_ARRAY);
        let ids = query.bind(self.keys.ids, Type::UUID_ARRAY);
        let versions = query.bind(self.versions, Type::INT8_ARRAY);
        let docs = query.bind(self.docs, Type::TEXT_ARRAY);
        few_of_tenant("x", format!("{kinds}, {ids}, {versions}, {docs}"), "kind, id, version, doc")
    }
}

/// The columns of the ticket table.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    ids: Vec<Uuid>,
    versions: Vec<i64>,
    numbers: Vec<i64>,
    shelves: Vec<i16>,
    categories: Vec<i16>,
    statuses: Vec<String>,
    priorities: Vec<Option<i16>>,
    queues: Vec<Option<String>>,
    groups: Vec<Option<String>>,
    assignees: Vec<Option<Uuid>>,
    requesters: Vec<Uuid>,
    organizations: Vec<Option<Uuid>>,
    copied: Vec<Option<String>>,
    created_at: Vec<i64>,
    updated_at: Vec<i64>,
    last_requester_at: Vec<Option<i64>>,
    due_at: Vec<Option<i64>>,
    docs: Vec<String>,
}

impl Tickets {
    /// The columns but the tenant's.
    pub(super) const NAMES: &'static str = "id, version, number, shelf, status_category, status, \
        priority, queue_key, group_key, assignee_id, requester_id, organization_id, copied_ids, \
        created_at, updated_at, last_requester_at, due_at, doc";
    /// Their values of the rows `x`.
    pub(super) const VALUES: &'static str = "x.id, x.version, x.number, x.shelf, \
        x.status_category, x.status, x.priority, x.queue_key, x.group_key, x.assignee_id, \
        x.requester_id, x.organization_id, x.copied_ids::uuid[], x.created_at, x.updated_at, \
        x.last_requester_at, x.due_at, x.doc";

    pub(super) fn is_empty(&self) -> bool {
        self.docs.is_empty()
    }

    pub(super) fn push(&mut self, case: &Case, version: i64, doc: String) {
        let ticket = &case.ticket;
        let key = |key: &Option<Key>| key.as_ref().map(|key| key.as_str().to_owned());
        self.ids.push(ticket.id.0);
        self.versions.push(version);
        self.numbers.push(number_rank(ticket));
        self.shelves.push(shelf(ticket));
        self.categories.push(small(category_rank(ticket.category)));
        self.statuses.push(ticket.status.as_str().to_owned());
        self.priorities.push(ticket.priority.map(|it| small(priority_rank(it))));
        self.queues.push(key(&ticket.queue));
        self.groups.push(key(&ticket.group));
        self.assignees.push(ticket.assignee.map(|id| id.0));
        self.requesters.push(ticket.requester.0);
        self.organizations.push(ticket.organization.map(|id| id.0));
        self.copied.push(copied(ticket));
        self.created_at.push(micros(ticket.times.created_at));
        self.updated_at.push(micros(ticket.times.updated_at));
        self.last_requester_at.push(ticket.times.last_requester_at.map(micros));
        self.due_at.push(case.due_at().map(micros));
        self.docs.push(doc);
    }

    pub(super) fn bind(self, query: &mut Query) -> String {
        let places = [
            query.bind(self.ids, Type::UUID_ARRAY),
            query.bind(self.versions, Type::INT8_ARRAY),
            query.bind(self.numbers, Type::INT8_ARRAY),
            query.bind(self.shelves, Type::INT2_ARRAY),
            query.bind(self.categories, Type::INT2_ARRAY),
            query.bind(self.statuses, Type::TEXT_ARRAY),
            query.bind(self.priorities, Type::INT2_ARRAY),
            query.bind(self.queues, Type::TEXT_ARRAY),
            query.bind(self.groups, Type::TEXT_ARRAY),
            query.bind(self.assignees, Type::UUID_ARRAY),
            query.bind(self.requesters, Type::UUID_ARRAY),
            query.bind(self.organizations, Type::UUID_ARRAY),
            query.bind(self.copied, Type::TEXT_ARRAY),
            query.bind(self.created_at, Type::INT8_ARRAY),
            query.bind(self.updated_at, Type::INT8_ARRAY),
            query.bind(self.last_requester_at, Type::INT8_ARRAY),
            query.bind(self.due_at, Type::INT8_ARRAY),
            query.bind(self.docs, Type::TEXT_ARRAY),
        ];
        let places = places.map(|place| place.to_string()).join(", ");
        few_of_tenant("x", places, Self::NAMES)
    }
}

/// A rank as its column keeps it.
pub(super) fn small(rank: i64) -> i16 {
    i16::try_from(rank).unwrap_or(i16::MAX)
}

/// On which shelf a ticket lies.
fn shelf(ticket: &Ticket) -> i16 {
    match (ticket.deleted, ticket.spam) {
        (true, _) => DELETED,
        (false, true) => SPAM,
        (false, false) => LIVE,
    }
}

/// The contacts on copy, as the text of an array; `None` without any.
fn copied(ticket: &Ticket) -> Option<String> {
    let ids = ticket.followers.iter().filter_map(|follower| match follower {
        Follower::Contact { id } => Some(id.0.to_string()),
        Follower::Agent { .. } => None,
    });
    let ids: Vec<String> = ids.collect();
    (!ids.is_empty()).then(|| format!("{{{}}}", ids.join(",")))
}

/// The keys of timers.
#[derive(Debug, Default)]
pub(super) struct TimerKeys {
    pub(super) stream_kinds: Vec<&'static str>,
    pub(super) stream_ids: Vec<Uuid>,
    pub(super) kinds: Vec<&'static str>,
}

impl TimerKeys {
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(super) fn push(&mut self, stream: StreamId, kind: TimerKind) {
        self.stream_kinds.push(stream.kind.as_str());
        self.stream_ids.push(stream.id);
        self.kinds.push(kind.as_str());
    }
}

/// Timers that are leased.
#[derive(Debug, Default)]
pub(super) struct HeldTimers {
    pub(super) keys: TimerKeys,
    pub(super) generations: Vec<i32>,
    pub(super) claims: Vec<i32>,
}

/// Timers that are set, how often each, and to what at last.
#[derive(Debug, Default)]
pub(super) struct SetTimers {
    pub(super) keys: TimerKeys,
    pub(super) ranks: Vec<i16>,
    pub(super) generations: Vec<i32>,
    pub(super) set_for: Vec<i64>,
    pub(super) due_at: Vec<Option<i64>>,
}

/// What commits do to timers, one thing to each.
#[derive(Debug, Default)]
pub(super) struct Timers {
    pub(super) set: SetTimers,
    /// Those that are finished or canceled and not set.
    pub(super) gone: TimerKeys,
}

impl Timers {
    /// The timers that commits finish.
    pub(super) fn done<'a>(changes: impl Iterator<Item = &'a ChangeSet>) -> HeldTimers {
        let mut held = HeldTimers::default();
        for token in changes.flat_map(|change| &change.done) {
            if let LeasedThing::Timer { stream, kind } = token.thing {
                held.keys.push(stream, kind);
                held.generations.push(claim_count(token.generation));
                held.claims.push(claim_count(token.attempt));
            }
        }
        held
    }

    /// What becomes of the timers that commits finish, set or cancel, each in that order.
    pub(super) fn changed<'a>(changes: impl Iterator<Item = &'a ChangeSet>) -> Self {
        // How often each is set, the last time for when, and when it is due at the end.
        let mut ends: BTreeMap<(StreamId, TimerKind), (i32, i64, Option<i64>)> = BTreeMap::new();
        for change in changes {
            for token in &change.done {
                if let LeasedThing::Timer { stream, kind } = token.thing {
                    ends.entry((stream, kind)).or_default();
                }
            }
            for op in &change.timers {
                match *op {
                    TimerOp::Set { stream, kind, due_at } => {
                        let (n_sets, set_for, due) = ends.entry((stream, kind)).or_default();
                        *n_sets += 1;
                        *set_for = micros(due_at);
                        *due = Some(*set_for);
                    }
                    TimerOp::Cancel { stream, kind } => {
                        ends.entry((stream, kind)).or_default().2 = None;
                    }
                }
            }
        }
        let mut it = Self::default();
        for ((stream, kind), (n_sets, set_for, due)) in ends {
            if n_sets == 0 {
                it.gone.push(stream, kind);
                continue;
            }
            it.set.keys.push(stream, kind);
            it.set.ranks.push(timer_rank(kind));
            it.set.generations.push(n_sets);
            it.set.set_for.push(set_for);
            it.set.due_at.push(due);
        }
        it
    }
}

/// A count of a token as its column keeps it; -1, which none is, for one over its bounds.
pub(super) fn claim_count(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(-1)
}

/// The rank of a timer among those of one instant.
fn timer_rank(kind: TimerKind) -> i16 {
    let position = TimerKind::ALL.iter().position(|known| *known == kind);
    position.and_then(|at| i16::try_from(at).ok()).unwrap_or(i16::MAX)
}
