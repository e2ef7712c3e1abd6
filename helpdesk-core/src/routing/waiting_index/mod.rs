//! Waiting tickets kept so that who takes one, or is given one, needs no look at all of
//! them: an index over what [`next_ticket`](super::next::next_ticket) and
//! [`next_for`](super::next::next_for) scan.
//!
//! Tickets that ask the same of an agent (queue, channel, required skills) stand
//! together, in two orders that no passing of time changes: that in which they are given,
//! and that in which they are to be solved. An agent looks only at those who ask for what
//! they have, and of those at the first.

mod find;
mod groups;
mod taker;

use super::next::{ToSolve, Upcoming, importance, turn, waits};
use super::queue::Queue;
use crate::id::{AgentId, ContactId, Key, TicketId};
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use foldhash::fast::FixedState;
use groups::{Asked, BySkills, Numbers, Standing};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A ticket with what its place depends on; [`Upcoming`], owned.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// As [`Upcoming::ticket`].
    pub ticket: Arc<Ticket>,
    /// As [`Upcoming::queue`].
    pub queue: Arc<Queue>,
    /// As [`Upcoming::offered_to`].
    pub offered_to: Option<AgentId>,
    /// As [`Upcoming::affinity`].
    pub affinity: Vec<AgentId>,
    /// As [`Upcoming::due_at`].
    pub due_at: Option<DateTime<Utc>>,
}

impl Waiting {
    /// The same, borrowed.
    #[must_use]
    pub fn upcoming(&self) -> Upcoming<'_> {
        Upcoming {
            ticket: &self.ticket,
            queue: Some(&self.queue),
            offered_to: self.offered_to,
            affinity: &self.affinity,
            due_at: self.due_at,
        }
    }
}

/// The tickets that wait in queues, by what they ask of an agent.
///
/// It is told of every ticket and of every change ([`put`](Self::put),
/// [`remove`](Self::remove), [`answered`](Self::answered)), all under one configuration:
/// another one needs another index. [`next_ticket`](Self::next_ticket) answers as
/// [`next_ticket`](super::next::next_ticket) does for the same tickets,
/// [`next_to_solve`](Self::next_to_solve) as [`next_for`](super::next::next_for) does for
/// those of them that are nobody's.
///
/// ```
/// use helpdesk_core::routing::waiting_index::{Waiting, WaitingIndex};
/// use serde_json::{from_value, json};
/// use std::sync::Arc;
/// let at = "2026-06-01T12:00:00Z";
/// let ticket = from_value(json!({
///     "id": "00000000-0000-0000-0000-000000000009", "number": "HD-1", "subject": "Refund",
///     "requester": "00000000-0000-0000-0000-000000000008", "channel": "email",
///     "channels": ["email"], "status": "new", "category": "new", "queue": "q",
///     "entered_queue_at": at, "newest_public_seq": 1, "newest_public_bytes": 1,
///     "counters": {"messages": 1, "attachments": 0, "reopens": 0, "reassignments": 0,
///         "agent_touches": 0},
///     "times": {"created_at": at, "updated_at": at},
/// }))?;
/// let queue = from_value(json!({"key": "q", "group": "billing", "mode": {"type": "assign"}}))?;
/// let mut index = WaitingIndex::default();
/// let waiting = Waiting {
///     ticket: Arc::new(ticket),
///     queue: Arc::new(queue),
///     offered_to: None,
///     affinity: Vec::new(),
///     due_at: None,
/// };
/// index.put(waiting.clone());
/// assert_eq!(index.len(), 1);
/// index.remove(waiting.ticket.id);
/// assert!(index.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct WaitingIndex {
    options: ToSolve,
    skills: Numbers,
    queues: BTreeMap<(i64, Key), OfQueue>,
    places: Places,
    /// Those that may go to whoever answered their requester last.
    of_requester: BTreeMap<ContactId, BTreeSet<TicketId>>,
    /// Those that somebody answered.
    answered_by: BTreeMap<AgentId, BTreeSet<TicketId>>,
}

/// The waiting tickets of a queue.
#[derive(Debug, Clone)]
struct OfQueue {
    queue: Arc<Queue>,
    groups: BySkills,
}

/// Where a ticket stands.
#[derive(Debug, Clone)]
struct Place {
    queue: (i64, Key),
    asked: Asked,
    standing: Standing,
}

/// Looked up at each change.
#[allow(clippy::disallowed_types, reason = "its seed is fixed, and nothing goes over it")]
type Places = std::collections::HashMap<TicketId, Place, FixedState>;

impl WaitingIndex {
    /// An index without tickets, for a desk with this order of "to solve".
    #[must_use]
    pub fn new(options: ToSolve) -> Self {
        Self { options, ..Self::default() }
    }

    /// How many tickets it knows that wait, or do once their snooze ends.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Takes a ticket in, or anew. One that does not wait is forgotten.
    pub fn put(&mut self, waiting: Waiting) {
        self.remove(waiting.ticket.id);
        let upcoming = waiting.upcoming();
        // Snoozed tickets wait too, as far as the index goes: when they are asked for.
        // Among those of a group, the order is the same at all times.
        let at = DateTime::<Utc>::MAX_UTC;
        if !waits(&upcoming, at) {
            return;
        }
        let standing = Standing {
            turn: turn(&upcoming, &waiting.queue, at),
            importance: importance(&waiting.ticket, waiting.due_at, &self.options),
        };
        let queue = (waiting.queue.order, waiting.queue.key.clone());
        let place = Place { queue, asked: Asked::of(&waiting, &mut self.skills), standing };
        self.note_people(&waiting);
        let waiting = Arc::new(waiting);
        let of_queue = self.queues.entry(place.queue.clone()).or_insert_with(|| OfQueue {
            queue: waiting.queue.clone(),
            groups: BySkills::default(),
        });
        of_queue.groups.insert(&place.asked, standing, &waiting);
        self.places.insert(waiting.ticket.id, place);
    }

    /// Forgets a ticket, if it is known, and gives it back.
    pub fn remove(&mut self, ticket: TicketId) -> Option<Arc<Waiting>> {
        let waiting = self.take(ticket)?;
        let Ticket { id, requester, last_answered_by, .. } = &*waiting.ticket;
        forget(&mut self.of_requester, requester, *id);
        if let Some(agent) = last_answered_by {
            forget(&mut self.answered_by, agent, *id);
        }
        Some(waiting)
    }

    /// Takes in who answered a requester last, and so whom queues with affinity prefer.
    pub fn answered(&mut self, requester: ContactId, by: Option<AgentId>) {
        let tickets = self.of_requester.get(&requester).cloned().unwrap_or_default();
        for id in tickets {
            let Some(waiting) = self.get(id).filter(|it| !it.affinity.iter().eq(by.iter())) else {
                continue;
            };
            let waiting = waiting.clone();
            self.put(Waiting { affinity: by.into_iter().collect(), ..waiting });
        }
    }

    /// All tickets, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &Waiting> {
        let groups = self.queues.values().flat_map(|of_queue| of_queue.groups.all());
        groups.flat_map(|group| group.in_turn.values().map(|waiting| &**waiting))
    }

    /// The ticket, if it is known.
    #[must_use]
    pub fn get(&self, ticket: TicketId) -> Option<&Waiting> {
        let place = self.places.get(&ticket)?;
        let groups = &self.queues.get(&place.queue)?.groups;
        groups.get(&place.asked, &place.standing.turn).map(|waiting| &**waiting)
    }

    fn take(&mut self, ticket: TicketId) -> Option<Arc<Waiting>> {
        let place = self.places.remove(&ticket)?;
        let of_queue = self.queues.get_mut(&place.queue)?;
        let waiting = of_queue.groups.remove(&place.asked, place.standing);
        if of_queue.groups.is_empty() {
            self.queues.remove(&place.queue);
        }
        waiting
    }

    fn note_people(&mut self, waiting: &Waiting) {
        let Ticket { id, requester, last_answered_by, .. } = &*waiting.ticket;
        if waiting.queue.affinity {
            self.of_requester.entry(*requester).or_default().insert(*id);
        }
        if let Some(agent) = last_answered_by {
            self.answered_by.entry(*agent).or_default().insert(*id);
        }
    }
}

fn forget<K: Ord>(of: &mut BTreeMap<K, BTreeSet<TicketId>>, key: &K, ticket: TicketId) {
    if let Some(tickets) = of.get_mut(key) {
        tickets.remove(&ticket);
        if tickets.is_empty() {
            of.remove(key);
        }
    }
}
