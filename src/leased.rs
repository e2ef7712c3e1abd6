//! Timers that a tick has leased, in the order of firing.

use crate::together::TogetherMax;
use chrono::{DateTime, SubsecRound, Utc};
use helpdesk_core::case::record::TimerOp;
use helpdesk_core::event::{StreamKind, TimerKind};
use helpdesk_core::id::TenantId;
use helpdesk_storage::{Lease, LeaseBody};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use uuid::Uuid;

/// Timers leased at once that may come before those leased already.
pub(crate) const EARLIER_MAX: usize = 2;

/// Leased timers in the order of firing, and what is known of others.
#[derive(Default)]
pub(crate) struct Leased {
    pub(crate) leases: VecDeque<Lease>,
    /// How many are fired together at most.
    pub(crate) together_max: TogetherMax,
    /// What was set or dropped since leases were taken: it is leased no more.
    changed: Vec<(TenantId, TimerOp)>,
    /// No timer of the tenant that is not leased comes before this.
    first_unleased: BTreeMap<TenantId, Place>,
}

impl Leased {
    pub(crate) fn of(leases: VecDeque<Lease>) -> Self {
        Self { leases, ..Self::default() }
    }

    /// Takes out the first, and with it those of its tenant that may be fired together with it, at
    /// most `max`: timers of different tickets, in their order.
    pub(crate) fn take_first(&mut self, max: usize) -> VecDeque<Lease> {
        let mut first: VecDeque<Lease> = self.leases.pop_front().into_iter().collect();
        let Some((tenant, ticket)) = first.front().and_then(ticket_of) else { return first };
        let max = max.min(self.together_max.get());
        let unleased = self.first_unleased.get(&tenant);
        let mut tickets = BTreeSet::from([ticket]);
        let mut at = 0;
        while first.len() < max
            && let Some(lease) = self.leases.get(at)
        {
            if lease.token.tenant != tenant {
                at += 1;
                continue;
            }
            let is_alone = ticket_of(lease).is_none_or(|(_, ticket)| !tickets.insert(ticket));
            if is_alone || unleased.is_some_and(|unleased| *unleased <= place_of(lease)) {
                break;
            }
            first.extend(self.leases.remove(at));
        }
        first
    }

    /// Puts back what was not fired.
    pub(crate) fn put_back(&mut self, leases: impl IntoIterator<Item = Lease>) {
        self.leases.extend(leases);
        self.leases.make_contiguous().sort_by_key(place_of);
    }

    /// Takes in the timers that a firing set or dropped.
    pub(crate) fn note(&mut self, tenant: TenantId, timers: Option<Vec<TimerOp>>) {
        let Some(timers) = timers else {
            // Whatever was set may come first. What is leased now may be just that.
            self.first_unleased.insert(tenant, (DateTime::<Utc>::MIN_UTC, None));
            return;
        };
        let set = timers.iter().filter_map(place_of_set);
        let known = self.first_unleased.get(&tenant).copied();
        if let Some(first) = known.into_iter().chain(set).min() {
            self.first_unleased.insert(tenant, first);
        }
        self.changed.extend(timers.into_iter().map(|op| (tenant, op)));
    }

    /// The tenant of the first that is leased, where one of its timers that is not may
    /// come before it.
    pub(crate) fn may_miss_the_first(&self) -> Option<TenantId> {
        let first = self.leases.front()?;
        let unleased = self.first_unleased.get(&first.token.tenant)?;
        (*unleased <= place_of(first)).then_some(first.token.tenant)
    }

    /// Takes the first timers of a tenant that were not leased, in their order.
    pub(crate) fn take(&mut self, tenant: TenantId, claimed: Vec<Lease>) {
        let changed = std::mem::take(&mut self.changed);
        self.leases.retain(|lease| !changed.iter().any(|(tenant, op)| is_of(*tenant, op, lease)));
        // Fewer than were asked for are all that are due.
        match claimed.last().filter(|_| claimed.len() == EARLIER_MAX) {
            Some(last) => self.first_unleased.insert(tenant, place_of(last)),
            None => self.first_unleased.remove(&tenant),
        };
        self.put_back(claimed);
    }
}

/// Whose, and of which ticket: of what stands alone, so that timers of several can be fired together.
fn ticket_of(lease: &Lease) -> Option<(TenantId, Uuid)> {
    match lease.body {
        LeaseBody::Timer { stream, .. } if stream.kind == StreamKind::Case => {
            Some((lease.token.tenant, stream.id))
        }
        LeaseBody::Timer { .. } | LeaseBody::Outbox(_) => None,
    }
}

/// Whether one of these, set or dropped by a firing of the same tenant, changes what is to be
/// fired next: it sets a timer that comes before this one, or is about this one.
pub(crate) fn come_before(timers: &[TimerOp], lease: &Lease) -> bool {
    let place = place_of(lease);
    timers.iter().any(|op| {
        is_of(lease.token.tenant, op, lease) || place_of_set(op).is_some_and(|set| set <= place)
    })
}

/// Whether it sets or drops the timer that is leased.
fn is_of(tenant: TenantId, op: &TimerOp, lease: &Lease) -> bool {
    let (TimerOp::Set { stream, kind, .. } | TimerOp::Cancel { stream, kind }) = op;
    match &lease.body {
        LeaseBody::Timer { stream: of, kind: own, .. } => {
            (lease.token.tenant, of, own) == (tenant, stream, kind)
        }
        LeaseBody::Outbox(_) => false,
    }
}

/// Where a timer stands in the order of firing.
type Place = (DateTime<Utc>, Option<(TimerKind, Uuid)>);

fn place_of(lease: &Lease) -> Place {
    let own = match &lease.body {
        LeaseBody::Timer { stream, kind, .. } => Some((*kind, stream.id)),
        LeaseBody::Outbox(_) => None,
    };
    (due_of(lease), own)
}

fn place_of_set(op: &TimerOp) -> Option<Place> {
    match op {
        // Stores keep microseconds at least.
        TimerOp::Set { stream, kind, due_at } => {
            Some((due_at.trunc_subsecs(6), Some((*kind, stream.id))))
        }
        TimerOp::Cancel { .. } => None,
    }
}

pub(crate) fn due_of(lease: &Lease) -> DateTime<Utc> {
    match &lease.body {
        LeaseBody::Timer { due_at, .. } => *due_at,
        LeaseBody::Outbox(message) => message.not_before,
    }
}
