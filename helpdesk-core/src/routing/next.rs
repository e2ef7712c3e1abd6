//! Which ticket comes next: for an agent with room, and "to solve".
//!
//! Both orders are keys: a caller streams pages of tickets, and keeps the one
//! with the smallest key. A ticket without a key is not the agent's to take.

use super::after;
use super::eligible::refusal;
use super::queue::{Queue, QueueMode, QueueSort};
use super::select::{Ask, affinity, awaited, settled, verdict, wait_ends_at};
use super::stage::{Search, active_stages, entered_queue_at};
use crate::agent::Roster;
use crate::condition::Calendars;
use crate::id::{AgentId, Key, TicketId};
use crate::ticket::Ticket;
use crate::ticket::priority::Priority;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// A ticket that may come next.
#[derive(Debug, Clone, Copy)]
pub struct Upcoming<'a> {
    /// The ticket.
    pub ticket: &'a Ticket,
    /// The queue that `ticket.queue` names; `None` when it names none.
    pub queue: Option<&'a Queue>,
    /// Whom it is offered to now.
    pub offered_to: Option<AgentId>,
    /// As [`Ask::affinity`].
    pub affinity: &'a [AgentId],
    /// When it is due: the earliest of its running SLA clocks.
    pub due_at: Option<DateTime<Utc>>,
}

/// The agent for whom the next ticket is looked up.
#[derive(Debug, Clone, Copy)]
pub struct ForAgent<'a> {
    /// Who.
    pub agent: AgentId,
    /// All agents: who is free decides whether a stage is skipped.
    pub roster: &'a Roster,
    /// The desk's calendars, for shifts.
    pub calendars: &'a Calendars,
    /// When.
    pub now: DateTime<Utc>,
}

/// What leads the order of "to solve".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leading {
    /// Importance alone.
    #[default]
    None,
    /// Priority, most urgent first, then importance.
    Priority,
    /// First in, first out: `entered_queue_at` in place of importance.
    Fifo,
}

/// How "to solve" orders tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ToSolve {
    /// Own tickets do not come before unassigned ones, nor those of `last_agent`
    /// before others: all go by `leading` and importance.
    pub strict_importance: bool,
    /// How long after it entered the queue a ticket of which no SLA clock runs
    /// counts as due; so everything is comparable, and nothing starves.
    pub importance_after_seconds: u64,
    /// What goes before importance.
    pub leading: Leading,
    /// Unassigned tickets that the agent answered last come before others.
    pub last_agent: bool,
    /// With `last_agent`: while that agent is not deactivated, such tickets are
    /// hidden from colleagues for this long since they entered the queue or the
    /// requester wrote last, whichever is later.
    pub hold_for_seconds: u64,
}

impl Default for ToSolve {
    fn default() -> Self {
        Self {
            strict_importance: false,
            importance_after_seconds: 7 * 24 * 60 * 60,
            leading: Leading::None,
            last_agent: false,
            hold_for_seconds: 0,
        }
    }
}

/// The place of a ticket in an agent's order "to solve"; the smallest is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToSolveKey {
    rank: Rank,
    importance: Importance,
}

/// The place of a ticket among those of its rank; no passing of time changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Importance {
    priority: Reverse<Option<Priority>>,
    important_at: DateTime<Utc>,
    entered_queue_at: DateTime<Utc>,
    ticket: TicketId,
}

impl ToSolveKey {
    /// That of the most important of all unassigned tickets with this importance.
    pub(super) fn of_others(importance: Importance) -> Self {
        Self { rank: Rank::Other, importance }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Assigned to the agent, a requester's message unanswered.
    Own,
    /// Unassigned, answered last by the agent.
    AnsweredLast,
    /// Any other.
    Other,
}

/// Where a ticket stands in the agent's order "to solve"; `None` when it is not
/// among them.
///
/// Among them are (a) the agent's own tickets with an unanswered requester's
/// message, whatever room the agent has, but for those that they skipped since they
/// have them, and (b) the unassigned tickets of
/// queues of every mode for which the agent is a candidate by the stages active
/// now. Both are live, new or open, not snoozed at `now` (the end of a snooze is
/// not snoozed), (a) not offered to another agent, (b) not offered to anybody.
/// The order is: own before those answered last before others (unless
/// `strict_importance`), priority where it leads, importance, `entered_queue_at`,
/// ticket id. Importance is when the ticket is due, by [`Upcoming::due_at`] or,
/// without one, by `importance_after_seconds`. Source: spec/routing.md §4.
#[must_use]
pub fn to_solve_key(
    upcoming: &Upcoming<'_>,
    for_agent: &ForAgent<'_>,
    options: &ToSolve,
) -> Option<ToSolveKey> {
    let ticket = upcoming.ticket;
    for_agent.roster.active(for_agent.agent)?;
    let rank = match ticket.assignee {
        Some(assignee) => own_rank(upcoming, assignee, for_agent)?,
        None => unassigned_rank(upcoming, for_agent, options)?,
    };
    Some(ToSolveKey {
        rank: if options.strict_importance { Rank::Other } else { rank },
        importance: importance(ticket, upcoming.due_at, options),
    })
}

/// The importance of a ticket with this deadline.
pub(super) fn importance(
    ticket: &Ticket,
    due_at: Option<DateTime<Utc>>,
    options: &ToSolve,
) -> Importance {
    let entered_queue_at = entered_queue_at(ticket);
    let by_priority = options.leading == Leading::Priority;
    Importance {
        priority: Reverse(by_priority.then(|| priority(ticket))),
        important_at: match options.leading {
            Leading::None | Leading::Priority => {
                due_at.unwrap_or_else(|| after(entered_queue_at, options.importance_after_seconds))
            }
            Leading::Fifo => entered_queue_at,
        },
        entered_queue_at,
        ticket: ticket.id,
    }
}

/// The ticket that the agent should solve next; the order of `tickets` does not matter.
#[must_use]
pub fn next_for<'a>(
    tickets: impl IntoIterator<Item = Upcoming<'a>>,
    for_agent: &ForAgent<'_>,
    options: &ToSolve,
) -> Option<&'a Ticket> {
    first(tickets, |upcoming| to_solve_key(upcoming, for_agent, options))
}

/// How many tickets [`next_for`] chooses from.
#[must_use]
pub fn count_for<'a>(
    tickets: impl IntoIterator<Item = Upcoming<'a>>,
    for_agent: &ForAgent<'_>,
    options: &ToSolve,
) -> usize {
    let keys = tickets.into_iter().filter_map(|u| to_solve_key(&u, for_agent, options));
    keys.count()
}

/// The place of a waiting ticket among those of all queues; the smallest is next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaitingKey {
    queue_order: i64,
    queue: Key,
    turn: Turn,
}

/// The place of a waiting ticket among those of its queue; the smallest is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    behind: bool,
    level: Reverse<u64>,
    due_at: Deadline,
    entered_queue_at: DateTime<Utc>,
    ticket: TicketId,
}

/// In this order: what is due at no time comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    At(DateTime<Utc>),
    Never,
}

/// Where a ticket stands among all that wait; `None` when it does not wait.
///
/// A ticket waits when it is live, new or open, without assignee and offer, not
/// snoozed at `now`, and in a queue. The order is: queue order, queue key, a
/// reopened ticket that lost its assignee first (where the queue has
/// `reopen_front`), what the queue sorts by, `entered_queue_at`, ticket id. With
/// `ageing_seconds`, each full interval of waiting counts as one priority more,
/// without an upper end. Source: spec/routing.md §3.5.
#[must_use]
pub fn waiting_key(upcoming: &Upcoming<'_>, now: DateTime<Utc>) -> Option<WaitingKey> {
    let queue = upcoming.queue.filter(|_| waits(upcoming, now))?;
    let turn = turn(upcoming, queue, now);
    Some(WaitingKey { queue_order: queue.order, queue: queue.key.clone(), turn })
}

/// The place of a ticket that waits in this queue.
pub(super) fn turn(upcoming: &Upcoming<'_>, queue: &Queue, now: DateTime<Utc>) -> Turn {
    let ticket = upcoming.ticket;
    let was_reopened = ticket.counters.reopens > 0 && ticket.last_assignee.is_some();
    Turn {
        behind: !(queue.reopen_front && was_reopened),
        level: Reverse(match queue.sort {
            QueueSort::Age | QueueSort::Deadline => 0,
            QueueSort::Priority => aged_level(ticket, queue, now),
        }),
        due_at: match (queue.sort, upcoming.due_at) {
            (QueueSort::Deadline, Some(due_at)) => Deadline::At(due_at),
            (QueueSort::Age | QueueSort::Priority, _) | (_, None) => Deadline::Never,
        },
        entered_queue_at: entered_queue_at(ticket),
        ticket: ticket.id,
    }
}

/// [`waiting_key`] of a ticket that the agent can be given now; `None` when the
/// agent is no candidate, the queue is one whose tickets agents take themselves,
/// or the ticket waits for a preferred agent.
#[must_use]
pub fn next_ticket_key(upcoming: &Upcoming<'_>, for_agent: &ForAgent<'_>) -> Option<WaitingKey> {
    may_be_given(upcoming, for_agent).then(|| waiting_key(upcoming, for_agent.now))?
}

/// Whether [`next_ticket_key`] gives it a place.
pub(super) fn may_be_given(upcoming: &Upcoming<'_>, for_agent: &ForAgent<'_>) -> bool {
    let queue = upcoming.queue.filter(|queue| queue.mode != QueueMode::Pull);
    let Some(queue) = queue.filter(|_| waits(upcoming, for_agent.now)) else { return false };
    let ask = ask(upcoming, queue, for_agent);
    let search = search(&ask);
    is_candidate(&ask, &search, for_agent.agent) && !is_held(&ask, &search)
}

/// The waiting ticket that the agent, who has room, is given next, by
/// [`next_ticket_key`]; the order of `tickets` does not matter.
#[must_use]
pub fn next_ticket<'a>(
    tickets: impl IntoIterator<Item = Upcoming<'a>>,
    for_agent: &ForAgent<'_>,
) -> Option<&'a Ticket> {
    first(tickets, |upcoming| next_ticket_key(upcoming, for_agent))
}

fn first<'a, K: Ord>(
    tickets: impl IntoIterator<Item = Upcoming<'a>>,
    key: impl Fn(&Upcoming<'a>) -> Option<K>,
) -> Option<&'a Ticket> {
    let keyed = tickets.into_iter().filter_map(|upcoming| Some((key(&upcoming)?, upcoming.ticket)));
    keyed.min_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, ticket)| ticket)
}

/// Whether it is live, an agent's turn, and not snoozed.
fn is_due(ticket: &Ticket, now: DateTime<Utc>) -> bool {
    ticket.is_live()
        && ticket.category.waits_for_agent()
        && ticket.snoozed_until.is_none_or(|until| until <= now)
}

pub(super) fn waits(upcoming: &Upcoming<'_>, now: DateTime<Utc>) -> bool {
    is_due(upcoming.ticket, now)
        && upcoming.ticket.assignee.is_none()
        && upcoming.offered_to.is_none()
}

fn own_rank(upcoming: &Upcoming<'_>, assignee: AgentId, for_agent: &ForAgent<'_>) -> Option<Rank> {
    let is_own = assignee == for_agent.agent
        && upcoming.offered_to.is_none_or(|to| to == for_agent.agent)
        && is_due(upcoming.ticket, for_agent.now)
        && upcoming.ticket.is_unanswered()
        && !upcoming.ticket.excludes(assignee, for_agent.now);
    is_own.then_some(Rank::Own)
}

fn unassigned_rank(
    upcoming: &Upcoming<'_>,
    for_agent: &ForAgent<'_>,
    options: &ToSolve,
) -> Option<Rank> {
    let ticket = upcoming.ticket;
    let queue = upcoming.queue.filter(|_| waits(upcoming, for_agent.now))?;
    let answered_last = options.last_agent && ticket.last_answered_by == Some(for_agent.agent);
    if !answered_last && is_hidden(ticket, for_agent, options) {
        return None;
    }
    let ask = ask(upcoming, queue, for_agent);
    let is_free = is_candidate(&ask, &search(&ask), for_agent.agent);
    is_free.then_some(if answered_last { Rank::AnsweredLast } else { Rank::Other })
}

/// The search where the ticket stands now.
fn search<'a>(ask: &Ask<'a>) -> Search<'a> {
    let active = active_stages(ask.queue, ask.ticket, ask.now);
    // Who else is free matters only to a stage that may be skipped.
    if active.skip_if_empty { settled(ask).0 } else { active }
}

fn is_candidate(ask: &Ask<'_>, search: &Search<'_>, agent: AgentId) -> bool {
    ask.roster.get(agent).is_some_and(|entry| refusal(ask, search, entry).is_none())
}

/// Whether the ticket waits for a preferred agent who is busy.
fn is_held(ask: &Ask<'_>, search: &Search<'_>) -> bool {
    let preferred = affinity(ask).filter_map(|agent| ask.roster.get(agent));
    let may_be_held = wait_ends_at(ask).is_some_and(|end| ask.now < end);
    let verdicts: Vec<_> =
        preferred.filter(|_| may_be_held).map(|entry| verdict(ask, search, entry)).collect();
    awaited(ask, &verdicts).is_some()
}

/// Whether the ticket is held for a colleague who answered it last.
fn is_hidden(ticket: &Ticket, for_agent: &ForAgent<'_>, options: &ToSolve) -> bool {
    let since = entered_queue_at(ticket);
    let since = ticket.times.last_requester_at.map_or(since, |at| at.max(since));
    let colleague = ticket.last_answered_by.and_then(|agent| for_agent.roster.active(agent));
    options.last_agent
        && colleague.is_some()
        && for_agent.now < after(since, options.hold_for_seconds)
}

fn ask<'a>(upcoming: &Upcoming<'a>, queue: &'a Queue, for_agent: &ForAgent<'a>) -> Ask<'a> {
    let Upcoming { ticket, affinity, .. } = *upcoming;
    let ForAgent { roster, calendars, now, .. } = *for_agent;
    // The seed decides between candidates, never who is one.
    Ask { queue, ticket, roster, calendars, affinity, now, seed: 0 }
}

pub(super) fn priority(ticket: &Ticket) -> Priority {
    ticket.priority.unwrap_or(Priority::Normal)
}

fn aged_level(ticket: &Ticket, queue: &Queue, now: DateTime<Utc>) -> u64 {
    let level = match priority(ticket) {
        Priority::Low => 0,
        Priority::Normal => 1,
        Priority::High => 2,
        Priority::Urgent => 3,
    };
    let waited = (now - entered_queue_at(ticket)).num_seconds();
    let waited = u64::try_from(waited).unwrap_or(0);
    level + queue.ageing_seconds.and_then(|n| waited.checked_div(n)).unwrap_or(0)
}
