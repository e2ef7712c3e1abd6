//! Many tickets at once: a drained queue, the start of a shift.

use super::agent_index::{AgentIndex, Found};
use super::next::{Upcoming, WaitingKey, waiting_key};
use super::queue::{Queue, QueueMode, n_given_kept};
use super::select::Ask;
use super::stage::Selector;
use crate::agent::{AgentLoad, ChannelLoad, Roster};
use crate::condition::Calendars;
use crate::id::TicketId;
use crate::ticket::priority::Channel;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// Chooses an agent for each waiting ticket: greedily, in the order of
/// [`waiting_key`], each choice updating `roster` before the next.
///
/// Each is the choice of [`choose`](super::select::choose), found by an
/// [index](AgentIndex). Tickets that do not wait, or whose queue leaves them to the
/// agents, are left out; those for whom nobody was found are in the answer, in the same
/// order. An offer is reserved, an assignment active. The order of `tickets` does not
/// matter. Source: spec/routing.md §3.6.
pub fn assign_all<'a>(
    tickets: impl IntoIterator<Item = Upcoming<'a>>,
    roster: &mut Roster,
    calendars: &Calendars,
    now: DateTime<Utc>,
    seed: u64,
) -> Vec<(TicketId, Found)> {
    let given = tickets.into_iter().filter_map(|upcoming| {
        let queue = upcoming.queue.filter(|queue| queue.mode != QueueMode::Pull)?;
        Some((waiting_key(&upcoming, now)?, queue, upcoming))
    });
    let mut given: Vec<(WaitingKey, &Queue, Upcoming<'a>)> = given.collect();
    given.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let selectors: BTreeSet<Selector> =
        given.iter().flat_map(|(_, queue, _)| queue.selectors()).collect();
    let n_kept = n_given_kept(given.iter().map(|(_, queue, _)| *queue));
    let mut index = AgentIndex::new(roster, selectors);
    let mut found = Vec::with_capacity(given.len());
    for (_, queue, Upcoming { ticket, affinity, .. }) in given {
        let it = index.choose(&Ask { queue, ticket, roster, calendars, affinity, now, seed });
        if let Some(load) = hold(roster, &it, (ticket.channel, queue.mode), now, n_kept) {
            index.put_load(load);
        }
        found.push((ticket.id, it));
    }
    found
}

/// Adds a choice to the chosen's load; the load then.
fn hold<'r>(
    roster: &'r mut Roster,
    found: &Found,
    (channel, mode): (Channel, QueueMode),
    now: DateTime<Utc>,
    n_kept: usize,
) -> Option<&'r AgentLoad> {
    let entry = roster.agents.get_mut(&found.chosen?)?;
    let load: &mut ChannelLoad = entry.load.channels.entry(channel).or_default();
    match mode {
        QueueMode::Offer { .. } => load.reserved += found.weight,
        QueueMode::Pull | QueueMode::Assign => load.active += found.weight,
    }
    load.last_assigned_at = Some(now);
    load.n_taken = load.n_taken.saturating_add(found.n_taken_added);
    entry.load.note_given(now, n_kept);
    Some(&entry.load)
}
