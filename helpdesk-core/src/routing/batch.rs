//! Many tickets at once: a drained queue, the start of a shift.

use super::next::{Upcoming, WaitingKey, waiting_key};
use super::queue::QueueMode;
use super::select::{Ask, Choice, choose};
use crate::agent::{ChannelLoad, Roster};
use crate::condition::Calendars;
use crate::id::TicketId;
use crate::ticket::priority::Channel;
use chrono::{DateTime, Utc};

/// Chooses an agent for each waiting ticket: greedily, in the order of
/// [`waiting_key`], each choice updating `roster` before the next.
///
/// Tickets that do not wait, or whose queue leaves them to the agents, are left
/// out; those for whom nobody was found are in the answer, in the same order.
/// An offer is reserved, an assignment active. The order of `tickets` does not
/// matter. Source: spec/routing.md §3.6.
pub fn assign_all<'a>(
    tickets: impl IntoIterator<Item = Upcoming<'a>>,
    roster: &mut Roster,
    calendars: &Calendars,
    now: DateTime<Utc>,
    seed: u64,
) -> Vec<(TicketId, Choice)> {
    let keyed = tickets.into_iter().filter_map(|u| Some((waiting_key(&u, now)?, u)));
    let mut waiting: Vec<(WaitingKey, Upcoming<'a>)> = keyed.collect();
    waiting.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut choices = Vec::new();
    for (_, Upcoming { ticket, queue, affinity, .. }) in waiting {
        let Some(queue) = queue.filter(|queue| queue.mode != QueueMode::Pull) else { continue };
        let choice = choose(&Ask { queue, ticket, roster, calendars, affinity, now, seed });
        hold(roster, &choice, ticket.channel, queue.mode, now);
        choices.push((ticket.id, choice));
    }
    choices
}

/// Adds a choice to the chosen's load.
fn hold(
    roster: &mut Roster,
    choice: &Choice,
    channel: Channel,
    mode: QueueMode,
    now: DateTime<Utc>,
) {
    let Some(entry) = choice.chosen.and_then(|agent| roster.agents.get_mut(&agent)) else { return };
    let load: &mut ChannelLoad = entry.load.channels.entry(channel).or_default();
    match mode {
        QueueMode::Offer { .. } => load.reserved += choice.weight,
        QueueMode::Pull | QueueMode::Assign => load.active += choice.weight,
    }
    load.last_assigned_at = Some(now);
    load.n_taken = load.n_taken.saturating_add(choice.n_taken_added);
}
