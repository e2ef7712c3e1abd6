//! Timers and outbox of the memory backend, each with an index of what is due.

use crate::order::micros;
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::OutboxMessage;
use helpdesk_core::event::{StreamId, StreamKind, TimerKind};
use helpdesk_core::id::TenantId;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// When something is due, and who has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// When it was to happen, in microseconds.
    pub(super) original: i64,
    /// When it can be claimed: then, when it is to be tried again, or when the lease ends.
    pub(super) at: i64,
    /// Whether somebody has it.
    pub(super) is_leased: bool,
    /// How often it was claimed.
    pub(super) claims: u32,
    /// How often it was tried.
    pub(super) attempts: u32,
}

impl Due {
    fn new(at: i64, claims: u32) -> Self {
        Self { original: at, at, is_leased: false, claims, attempts: 0 }
    }

    pub(super) fn lease(&mut self, until: i64) {
        self.at = until;
        self.is_leased = true;
        self.claims += 1;
        self.attempts += 1;
    }

    pub(super) fn retry(&mut self, at: i64) {
        self.at = at;
        self.is_leased = false;
    }

    pub(super) fn release(&mut self) {
        self.at = self.original;
        self.is_leased = false;
        self.attempts = self.attempts.saturating_sub(1);
    }
}

/// Which timer.
pub(super) type TimerKey = (TenantId, StreamId, TimerKind);
/// A timer in the order of claims: due, rank, id; then what makes it one.
pub(super) type TimerPlace = (i64, TimerKind, Uuid, TenantId, StreamKind);

/// A timer that is or was set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timer {
    /// How often it was set; kept when it is gone, so that no old lease fits again.
    pub(super) generation: u32,
    /// When it is due; `None` when it is gone.
    pub(super) due: Option<Due>,
}

/// All timers.
#[derive(Debug, Default)]
pub(super) struct Timers {
    rows: BTreeMap<TimerKey, Timer>,
    by_due: BTreeSet<TimerPlace>,
}

impl Timers {
    pub(super) fn get(&self, key: TimerKey) -> Option<(u32, Due)> {
        self.rows.get(&key).and_then(|timer| Some((timer.generation, timer.due?)))
    }

    pub(super) fn set(
        &mut self,
        tenant: TenantId,
        stream: StreamId,
        kind: TimerKind,
        due_at: DateTime<Utc>,
    ) {
        let key = (tenant, stream, kind);
        let generation = self.rows.get(&key).map_or(0, |timer| timer.generation) + 1;
        self.replace(key, Timer { generation, due: Some(Due::new(micros(due_at), 0)) });
    }

    pub(super) fn cancel(&mut self, tenant: TenantId, stream: StreamId, kind: TimerKind) {
        let key = (tenant, stream, kind);
        if let Some(timer) = self.rows.get(&key).copied() {
            self.replace(key, Timer { due: None, ..timer });
        }
    }

    /// Leaves nothing of a stream's timers.
    pub(super) fn forget(&mut self, tenant: TenantId, stream: StreamId) {
        for kind in TimerKind::ALL {
            self.cancel(tenant, stream, kind);
            self.rows.remove(&(tenant, stream, kind));
        }
    }

    pub(super) fn change(&mut self, key: TimerKey, change: impl FnOnce(&mut Due)) {
        if let Some(mut timer) = self.rows.get(&key).copied() {
            if let Some(due) = &mut timer.due {
                change(due);
            }
            self.replace(key, timer);
        }
    }

    /// Timers in the order of claims.
    pub(super) fn in_order(&self) -> impl Iterator<Item = TimerPlace> {
        self.by_due.iter().copied()
    }

    fn replace(&mut self, key: TimerKey, timer: Timer) {
        if let Some(due) = self.rows.insert(key, timer).and_then(|old| old.due) {
            self.by_due.remove(&place(key, due));
        }
        if let Some(due) = timer.due {
            self.by_due.insert(place(key, due));
        }
    }
}

fn place((tenant, stream, kind): TimerKey, due: Due) -> TimerPlace {
    (due.at, kind, stream.id, tenant, stream.kind)
}

/// A message in the outbox.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    /// Whose.
    pub(super) tenant: TenantId,
    /// As it was committed.
    pub(super) message: OutboxMessage,
    /// When.
    pub(super) due: Due,
}

/// All outbox messages. Those with one ordering key stand in a lane; only the
/// first of a lane is in the index of what is due.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// By order of commit.
    rows: BTreeMap<u64, Queued>,
    by_id: BTreeMap<(TenantId, Uuid), u64>,
    lanes: BTreeMap<(TenantId, Uuid), BTreeSet<u64>>,
    by_due: BTreeSet<(i64, u64)>,
    last: u64,
}

impl Outbox {
    pub(super) fn has(&self, tenant: TenantId, id: Uuid) -> bool {
        self.by_id.contains_key(&(tenant, id))
    }

    pub(super) fn get(&self, tenant: TenantId, id: Uuid) -> Option<&Queued> {
        self.rows.get(self.by_id.get(&(tenant, id))?)
    }

    pub(super) fn at(&self, seq: u64) -> Option<&Queued> {
        self.rows.get(&seq)
    }

    /// Puts a message at the end.
    pub(super) fn push(&mut self, tenant: TenantId, message: OutboxMessage) {
        let due_at = message.not_before;
        self.push_at(tenant, message, 0, due_at);
    }

    /// Puts a message at the end that is due then and was claimed before.
    pub(super) fn push_at(
        &mut self,
        tenant: TenantId,
        message: OutboxMessage,
        claims: u32,
        due_at: DateTime<Utc>,
    ) {
        self.last += 1;
        let seq = self.last;
        let due = Due::new(micros(due_at), claims);
        self.by_id.insert((tenant, message.id), seq);
        let lane = self.lanes.entry((tenant, message.ordering_key)).or_default();
        lane.insert(seq);
        if lane.first() == Some(&seq) {
            self.by_due.insert((due.at, seq));
        }
        self.rows.insert(seq, Queued { tenant, message, due });
    }

    pub(super) fn remove(&mut self, tenant: TenantId, id: Uuid) -> Option<Queued> {
        let seq = self.by_id.remove(&(tenant, id))?;
        let row = self.rows.remove(&seq)?;
        self.by_due.remove(&(row.due.at, seq));
        let key = (tenant, row.message.ordering_key);
        let next = self.lanes.get_mut(&key).and_then(|lane| {
            lane.remove(&seq);
            lane.first().copied()
        });
        match next.and_then(|next| Some((next, self.rows.get(&next)?))) {
            Some((next, first)) => {
                self.by_due.insert((first.due.at, next));
            }
            None => {
                self.lanes.remove(&key);
            }
        }
        Some(row)
    }

    /// Changes the first of a lane.
    pub(super) fn change(&mut self, tenant: TenantId, id: Uuid, change: impl FnOnce(&mut Due)) {
        let Some(seq) = self.by_id.get(&(tenant, id)).copied() else { return };
        let Some(row) = self.rows.get_mut(&seq) else { return };
        self.by_due.remove(&(row.due.at, seq));
        change(&mut row.due);
        self.by_due.insert((row.due.at, seq));
    }

    /// The firsts of all lanes, by due time.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (i64, u64)> {
        self.by_due.iter().copied()
    }
}
