//! Which waiting tickets a rebalance gives, and in which order.

use super::needs::waiting_condition;
use crate::agent::Roster;
use crate::case::Case;
use crate::condition::Condition;
use crate::desk::Desk;
use crate::id::{AgentId, ContactId, Key, TicketId};
use crate::routing::batch::assign_all;
use crate::routing::next::Upcoming;
use crate::routing::queue::{Queue, QueueMode};
use crate::routing::select::{Ask, choose};
use chrono::{DateTime, Utc};

/// Picks the waiting tickets that somebody has room for, out of tickets that come
/// in any order. Those that nobody could be given at all are not kept.
#[derive(Debug)]
pub struct Batch<'a> {
    desk: &'a Desk,
    roster: &'a Roster,
    queues: &'a [Key],
    now: DateTime<Utc>,
    kept: Vec<(Case, Vec<AgentId>)>,
}

/// A ticket that a [`Batch`] may pick: somebody has room for it, unless it waits for
/// the agent who answered its requester last.
#[derive(Debug)]
pub struct Wanted<'a> {
    case: Case,
    queue: &'a Queue,
}

/// What a [`Batch`] picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batched {
    /// The tickets to give, the first one first.
    pub tickets: Vec<TicketId>,
    /// Further ones that there is room for.
    pub n_left: u64,
}

impl<'a> Batch<'a> {
    /// Nothing kept yet; no queues stand for all.
    #[must_use]
    pub fn new(desk: &'a Desk, roster: &'a Roster, queues: &'a [Key], now: DateTime<Utc>) -> Self {
        Self { desk, roster, queues, now, kept: Vec::new() }
    }

    /// A condition that holds for every ticket that may be picked, and for others.
    #[must_use]
    pub fn condition(&self) -> Condition {
        waiting_condition(self.desk)
    }

    /// The ticket, where it may be picked, whoever answered its requester last.
    #[must_use]
    pub fn wants(&self, case: Case) -> Option<Wanted<'a>> {
        let queue = queue_of(self.desk, &case).filter(|queue| self.takes(queue))?;
        // Loads only grow while tickets are given: who has no room now has none later.
        (case.waits() && self.has_room(&case, queue, &[])).then_some(Wanted { case, queue })
    }

    /// Keeps a ticket to pick from; `answered` is who answered its requester last,
    /// where [`Wanted::requester`] asks for it.
    pub fn keep(&mut self, wanted: Wanted<'a>, answered: Option<AgentId>) {
        let Wanted { case, queue } = wanted;
        let affinity: Vec<AgentId> = answered.into_iter().collect();
        // A preferred agent changes who gets it, and whether it waits, and nothing else.
        let may_wait = !affinity.is_empty() && queue.affinity_wait_seconds.is_some();
        if !may_wait || self.has_room(&case, queue, &affinity) {
            self.kept.push((case, affinity));
        }
    }

    fn has_room(&self, case: &Case, queue: &Queue, affinity: &[AgentId]) -> bool {
        let ask = Ask {
            queue,
            ticket: &case.ticket,
            roster: self.roster,
            calendars: self.desk.calendars(),
            affinity,
            now: self.now,
            seed: self.desk.selection_seed(),
        };
        choose(&ask).chosen.is_some()
    }

    fn takes(&self, queue: &Queue) -> bool {
        let is_named = self.queues.is_empty() || self.queues.contains(&queue.key);
        is_named && queue.mode != QueueMode::Pull
    }

    /// The tickets of those kept that [`assign_all`] finds somebody for, in its
    /// order, `max` at most. Source: spec/routing.md §3.6.
    #[must_use]
    pub fn pick(&self, max: usize) -> Batched {
        let Self { desk, now, .. } = self;
        let mut roster = self.roster.clone();
        let tickets = self.kept.iter().map(|(case, affinity)| upcoming(desk, case, affinity));
        let seed = desk.selection_seed();
        let choices = assign_all(tickets, &mut roster, desk.calendars(), *now, seed);
        let given = choices.into_iter().filter(|(_, choice)| choice.chosen.is_some());
        let mut tickets: Vec<TicketId> = given.map(|(id, _)| id).collect();
        let n_left = tickets.len().saturating_sub(max) as u64;
        tickets.truncate(max);
        Batched { tickets, n_left }
    }
}

impl Wanted<'_> {
    /// The requester, where it matters who answered them last.
    #[must_use]
    pub fn requester(&self) -> Option<ContactId> {
        self.queue.affinity.then_some(self.case.ticket.requester)
    }
}

fn queue_of<'a>(desk: &'a Desk, case: &Case) -> Option<&'a Queue> {
    case.ticket.queue.as_ref().and_then(|key| desk.queue(key))
}

fn upcoming<'a>(desk: &'a Desk, case: &'a Case, affinity: &'a [AgentId]) -> Upcoming<'a> {
    Upcoming {
        ticket: &case.ticket,
        queue: queue_of(desk, case),
        offered_to: case.offer.as_ref().map(|offer| offer.agent),
        affinity,
        due_at: case.due_at(),
    }
}
