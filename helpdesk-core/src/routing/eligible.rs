//! Whether an agent can take a ticket, and the first reason why not.

use super::after;
use super::queue::Queue;
use super::select::Ask;
use super::stage::Search;
use crate::agent::{Agent, AgentLoad, PresenceState, RosterEntry};
use crate::calendar::HORIZON_END;
use crate::condition::Calendars;
use crate::event::RefusedReason;
use crate::ticket::priority::{Channel, SkillLevel};
use chrono::{DateTime, Utc};

/// The first reason why an agent is no candidate for a ticket; `None` for a candidate.
///
/// The checks run in the order of [`RefusedReason`]: active, in a group of the
/// search, online on the ticket's channel, on shift, the required skills, room on
/// the channel, room in total, cooldown, rate limit, excluded. Source:
/// spec/routing.md §3.2.
#[must_use]
pub fn refusal(ask: &Ask<'_>, search: &Search<'_>, entry: &RosterEntry) -> Option<RefusedReason> {
    let (agent, ticket) = (&entry.agent, ask.ticket);
    if !agent.active {
        Some(RefusedReason::Inactive)
    } else if !search.pools.iter().any(|group| agent.is_in(group)) {
        Some(RefusedReason::NotInPool)
    } else if entry.presence.state(ticket.channel) != PresenceState::Online {
        Some(RefusedReason::NotOnline)
    } else if shift_starts_at(ask.calendars, agent, ask.now).is_some() {
        Some(RefusedReason::OffShift)
    } else if lacking_skill(search, entry).is_some() {
        Some(RefusedReason::LacksSkill)
    } else if let Some(full) = full(entry, ticket.channel) {
        Some(full)
    } else if let Some(resting) = resting(ask, &entry.load) {
        Some(resting)
    } else if ticket.excludes(agent.id, ask.now) {
        Some(RefusedReason::Excluded)
    } else {
        None
    }
}

/// When an agent who is off shift is on shift again; `None` while on shift.
///
/// Hours are half-open: the shift's last instant is off shift. An agent without
/// a shift calendar, or with one that the desk has no more, is always on shift.
/// The end of 2099 when the calendar opens no more.
#[must_use]
pub fn shift_starts_at(
    calendars: &Calendars,
    agent: &Agent,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let shift = calendars.get(agent.shift.as_ref()?)?;
    let starts_at = shift.next_open(now).unwrap_or(HORIZON_END);
    (starts_at > now).then_some(starts_at)
}

/// Whether an agent has no room for one more ticket of a channel: on the channel
/// first, then in total; `None` when there is room.
///
/// There is room while active, reserved and the ticket's own units together are
/// within the capacity; exactly reaching it is within.
#[must_use]
pub fn full(entry: &RosterEntry, channel: Channel) -> Option<RefusedReason> {
    let capacity = &entry.agent.capacity;
    let on_channel = entry.load.on(channel);
    let held = u64::from(on_channel.active) + u64::from(on_channel.reserved);
    no_room(
        capacity.weight(channel),
        (held, capacity.channels.get(&channel).copied()),
        (u64::from(entry.load.total()), capacity.total),
    )
}

/// The same for units held, and their maximum, on the channel and in total.
pub(super) fn no_room(
    weight: u32,
    (on_channel, channel_max): (u64, Option<u32>),
    (in_total, total_max): (u64, u32),
) -> Option<RefusedReason> {
    let weight = u64::from(weight);
    if channel_max.is_some_and(|max| on_channel + weight > u64::from(max)) {
        return Some(RefusedReason::ChannelFull);
    }
    (in_total + weight > u64::from(total_max)).then_some(RefusedReason::TotalFull)
}

/// The first required skill, in the ticket's order, that the agent lacks or has
/// at a lower level.
#[must_use]
pub fn lacking_skill<'s>(search: &'s Search<'_>, entry: &RosterEntry) -> Option<&'s SkillLevel> {
    search.required.iter().find(|skill| lacks_skill(&entry.agent, skill))
}

pub(super) fn lacks_skill(agent: &Agent, required: &SkillLevel) -> bool {
    agent.skill_level(&required.skill) < required.level
}

/// When an agent may be given work of this queue again, by its cooldown and its rate
/// limit: from this instant on, work of any channel being counted; `None` for one whom
/// neither ever held back.
#[must_use]
pub fn cooldown_ends_at(queue: &Queue, load: &AgentLoad) -> Option<DateTime<Utc>> {
    rested_at(queue, load.last_assigned_at()).max(rate_ends_at(queue, load))
}

/// Why the agent may be given no work of the queue so soon.
fn resting(ask: &Ask<'_>, load: &AgentLoad) -> Option<RefusedReason> {
    let is_on = |end: Option<DateTime<Utc>>| end.is_some_and(|end| ask.now < end);
    if is_on(rested_at(ask.queue, load.last_assigned_at())) {
        return Some(RefusedReason::Cooldown);
    }
    is_on(rate_ends_at(ask.queue, load)).then_some(RefusedReason::RateLimited)
}

/// When the rate limit allows the agent one more: so long after the last but so many
/// that they were given.
pub(super) fn rate_ends_at(queue: &Queue, load: &AgentLoad) -> Option<DateTime<Utc>> {
    let limit = queue.rate_limit?;
    let place = usize::try_from(limit.max.max(1)).ok()? - 1;
    Some(after(*load.given.get(place)?, limit.per_seconds))
}

/// When the queue's cooldown is over for one who was last given work then.
pub(super) fn rested_at(
    queue: &Queue,
    last_assigned_at: Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    Some(after(last_assigned_at?, queue.cooldown_seconds?))
}
