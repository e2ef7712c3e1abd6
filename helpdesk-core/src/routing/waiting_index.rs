//! Waiting tickets kept so that an agent with room is given the next without a look
//! at all of them: an index over what [`next_ticket`](super::next::next_ticket) scans.
//!
//! Tickets that ask the same of an agent (queue, channel, required skills) stand
//! together, in an order that no passing of time changes. An agent looks only at
//! those who ask for what they have, and of those at the first.

use super::eligible::{cooldown_ends_at, full, lacking_skill, shift_starts_at};
use super::next::{ForAgent, Upcoming, WaitingKey, next_ticket_key, priority, waiting_key, waits};
use super::queue::{Queue, QueueMode, QueueSort};
use super::stage::{at_stage, entered_queue_at};
use crate::agent::{PresenceState, RosterEntry};
use crate::id::{AgentId, Key, TicketId};
use crate::ticket::Ticket;
use crate::ticket::priority::{Channel, Priority, SkillLevel};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
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

/// The tickets that queues give out, by what they ask of an agent.
///
/// It is told of every ticket and of every change ([`put`](Self::put),
/// [`remove`](Self::remove)), all under one configuration: another one needs
/// another index. [`next_ticket`](Self::next_ticket) answers as
/// [`next_ticket`](super::next::next_ticket) does for the same tickets.
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
    groups: BTreeMap<Asked, BTreeMap<Place, Waiting>>,
    places: BTreeMap<TicketId, (Asked, Place)>,
}

/// What the tickets of a group have in common, queues in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    queue_order: i64,
    queue: Key,
    /// Where the queue sorts by priority: among equals, age decides whatever the
    /// ageing; else the same for all.
    priority: Priority,
    channel: Channel,
    required: Vec<SkillLevel>,
}

/// The order inside a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    behind: bool,
    /// None last.
    due_at: (bool, Option<DateTime<Utc>>),
    entered_queue_at: DateTime<Utc>,
    ticket: TicketId,
}

impl WaitingIndex {
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

    /// Takes a ticket in, or anew. One that does not wait, or whose queue leaves it
    /// to the agents to take, is forgotten.
    pub fn put(&mut self, waiting: Waiting) {
        self.remove(waiting.ticket.id);
        // Snoozed tickets wait too, as far as the index goes: when they are asked for.
        let is_given = waiting.queue.mode != QueueMode::Pull;
        if !is_given || !waits(&waiting.upcoming(), DateTime::<Utc>::MAX_UTC) {
            return;
        }
        let (asked, place) = (Asked::of(&waiting), Place::of(&waiting));
        self.places.insert(waiting.ticket.id, (asked.clone(), place));
        self.groups.entry(asked).or_default().insert(place, waiting);
    }

    /// Forgets a ticket, if it is known.
    pub fn remove(&mut self, ticket: TicketId) {
        let Some((asked, place)) = self.places.remove(&ticket) else { return };
        let Some(group) = self.groups.get_mut(&asked) else { return };
        group.remove(&place);
        if group.is_empty() {
            self.groups.remove(&asked);
        }
    }

    /// The waiting ticket that the agent, who has room, is given next.
    #[must_use]
    pub fn next_ticket(&self, for_agent: &ForAgent<'_>) -> Option<&Ticket> {
        let entry = for_agent.roster.active(for_agent.agent)?;
        let mut best: Option<(WaitingKey, &Ticket)> = None;
        let mut groups = self.groups.iter().peekable();
        while let Some((asked, group)) = groups.next() {
            if let Some(first) = group.values().next()
                && may_take(entry, &first.queue, &first.ticket, for_agent)
            {
                best = first_of(group, for_agent, best);
            }
            // Every ticket of a queue comes before those of the next.
            let is_last = groups.peek().is_none_or(|(next, _)| next.queue != asked.queue);
            if is_last && best.is_some() {
                break;
            }
        }
        best.map(|(_, ticket)| ticket)
    }
}

/// The first ticket of a group that the agent can be given, if it comes before `best`.
fn first_of<'a>(
    group: &'a BTreeMap<Place, Waiting>,
    for_agent: &ForAgent<'_>,
    best: Option<(WaitingKey, &'a Ticket)>,
) -> Option<(WaitingKey, &'a Ticket)> {
    for waiting in group.values() {
        let upcoming = waiting.upcoming();
        let Some(key) = waiting_key(&upcoming, for_agent.now) else { continue };
        if best.as_ref().is_some_and(|(best, _)| *best < key) {
            break;
        }
        if next_ticket_key(&upcoming, for_agent).is_some() {
            return Some((key, &waiting.ticket));
        }
    }
    best
}

/// Whether any ticket of a queue that asks for this could be the agent's now,
/// whatever stage it has come to.
fn may_take(entry: &RosterEntry, queue: &Queue, ticket: &Ticket, for_agent: &ForAgent<'_>) -> bool {
    let now = for_agent.now;
    let is_free = entry.presence.state(ticket.channel) == PresenceState::Online
        && full(entry, ticket.channel).is_none()
        && cooldown_ends_at(queue, &entry.load).is_none_or(|end| end <= now);
    let n_stages = u16::try_from(queue.stages.len().max(1)).unwrap_or(u16::MAX);
    let mut searches = (0..n_stages).map(|stage| at_stage(queue, ticket, stage));
    is_free
        && searches.any(|search| {
            search.pools.iter().any(|group| entry.agent.is_in(group))
                && lacking_skill(&search, entry).is_none()
        })
        && shift_starts_at(for_agent.calendars, entry, now).is_none()
}

impl Asked {
    fn of(waiting: &Waiting) -> Self {
        let Waiting { ticket, queue, .. } = waiting;
        Self {
            queue_order: queue.order,
            queue: queue.key.clone(),
            priority: match queue.sort {
                QueueSort::Priority => priority(ticket),
                QueueSort::Age | QueueSort::Deadline => Priority::Normal,
            },
            channel: ticket.channel,
            required: ticket.required_skills.clone(),
        }
    }
}

impl Place {
    fn of(waiting: &Waiting) -> Self {
        let Waiting { ticket, queue, .. } = waiting;
        let due_at = waiting.due_at.filter(|_| queue.sort == QueueSort::Deadline);
        let was_reopened = ticket.counters.reopens > 0 && ticket.last_assignee.is_some();
        Self {
            behind: !(queue.reopen_front && was_reopened),
            due_at: (due_at.is_none(), due_at),
            entered_queue_at: entered_queue_at(ticket),
            ticket: ticket.id,
        }
    }
}
