//! Which waiting tickets a rebalance gives, and in which order.

use super::needs::waiting_condition;
use crate::agent::Roster;
use crate::case::Case;
use crate::condition::Condition;
use crate::desk::Desk;
use crate::id::{AgentId, Key, TicketId};
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

/// What a [`Batch`] picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batched {
    /// The tickets to give, the first one first.
    pub tickets: Vec<TicketId>,
    /// Further ones that there is room for.
    pub n_left: u64,
}

impl<'a> Batch<'a> {
    /// Nothing looked at yet; no queues stand for all.
    #[must_use]
    pub fn new(desk: &'a Desk, roster: &'a Roster, queues: &'a [Key], now: DateTime<Utc>) -> Self {
        Self { desk, roster, queues, now, kept: Vec::new() }
    }

    /// A condition that holds for every ticket that may be picked, and for others.
    #[must_use]
    pub fn condition(&self) -> Condition {
        waiting_condition(self.desk)
    }

    /// Looks at one ticket; `answered` is who answered its requester last.
    pub fn look(&mut self, case: Case, answered: Option<AgentId>) {
        let affinity: Vec<AgentId> = answered.into_iter().collect();
        let upcoming = upcoming(self.desk, &case, &affinity);
        let Some(queue) = upcoming.queue.filter(|queue| self.takes(queue)) else { return };
        // Loads only grow while tickets are given: who has no room now has none later.
        let ask = Ask {
            queue,
            ticket: &case.ticket,
            roster: self.roster,
            calendars: self.desk.calendars(),
            affinity: &affinity,
            now: self.now,
            seed: self.desk.selection_seed(),
        };
        if case.waits() && choose(&ask).chosen.is_some() {
            self.kept.push((case, affinity));
        }
    }

    fn takes(&self, queue: &Queue) -> bool {
        let is_named = self.queues.is_empty() || self.queues.contains(&queue.key);
        is_named && queue.mode != QueueMode::Pull
    }

    /// The tickets of those looked at that [`assign_all`] finds somebody for, in its
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

fn upcoming<'a>(desk: &'a Desk, case: &'a Case, affinity: &'a [AgentId]) -> Upcoming<'a> {
    Upcoming {
        ticket: &case.ticket,
        queue: case.ticket.queue.as_ref().and_then(|key| desk.queue(key)),
        offered_to: case.offer.as_ref().map(|offer| offer.agent),
        affinity,
        due_at: case.due_at(),
    }
}
