//! Which waiting tickets a rebalance gives, and in which order.

use crate::agent::Roster;
use crate::desk::Desk;
use crate::id::TicketId;
use crate::routing::batch::assign_all;
use crate::routing::next::Upcoming;
use chrono::{DateTime, Utc};

/// What a rebalance gives of the tickets that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batched {
    /// The tickets to give, the first one first.
    pub tickets: Vec<TicketId>,
    /// Further ones that there is room for.
    pub n_left: u64,
}

impl Batched {
    /// The tickets that [`assign_all`] finds somebody for, in its order, `max` at most;
    /// the order of `tickets` does not matter. Source: spec/routing.md §3.6.
    #[must_use]
    pub fn pick<'a>(
        tickets: impl IntoIterator<Item = Upcoming<'a>>,
        desk: &Desk,
        roster: &Roster,
        now: DateTime<Utc>,
        max: usize,
    ) -> Self {
        let (mut roster, seed) = (roster.clone(), desk.selection_seed());
        let found = assign_all(tickets, &mut roster, desk.calendars(), now, seed);
        let given = found.into_iter().filter(|(_, found)| found.chosen.is_some());
        let mut tickets: Vec<TicketId> = given.map(|(id, _)| id).collect();
        let n_left = tickets.len().saturating_sub(max) as u64;
        tickets.truncate(max);
        Self { tickets, n_left }
    }
}
