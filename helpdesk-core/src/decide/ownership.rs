//! Who is responsible: assignment, offers, presence.

use super::guard;
use super::place;
use super::status;
use super::work::{Work, not_found};
use crate::actor::ActorKind;
use crate::agent::{ChannelPresence, PresenceState};
use crate::case::Case;
use crate::case::apply::after_seconds;
use crate::command::{OfferTicket, RejectOffer, SetPresence, TakeNext};
use crate::effect::{AgentNews, Effect};
use crate::event::{
    AssignedHow, Cause, ChoiceShort, Event, OfferEnd, StatusWhy, StreamId, TimerKind, UnassignedWhy,
};
use crate::fault::{Code, Fault, Rejection};
use crate::id::{AgentId, Key, TicketId};
use crate::limit::REASON_CHARS_MAX;
use crate::routing::queue::{Queue, QueueMode};
use crate::ticket::priority::Channel;
use crate::ticket::status::StatusCategory;
use chrono::{DateTime, TimeDelta, Utc};

/// How long an offer by hand stands unless it says.
const OFFER_SECONDS: u32 = 60;

fn queue_of<'a>(work: &Work<'a>, case: &Case) -> Option<&'a Queue> {
    case.ticket.queue.as_ref().and_then(|key| work.ctx.desk.queue(key))
}

/// Makes an agent responsible, whoever was before.
pub(super) fn give_to(
    work: &mut Work<'_>,
    id: TicketId,
    agent: AgentId,
    how: AssignedHow,
    choice: Option<ChoiceShort>,
) -> Result<(), Rejection> {
    let entry = work.agent(agent)?;
    rescind_offer(work, id)?;
    let case = work.case(id)?;
    let queue = queue_of(work, case);
    let answer_within = queue.and_then(|queue| queue.answer_within_seconds);
    let answer_by = match how {
        AssignedHow::Taken => answer_within.and_then(|seconds| after_seconds(work.now, seconds)),
        _ => None,
    };
    let becomes = match case.ticket.category {
        StatusCategory::New => StatusCategory::Open,
        category => category,
    };
    let event = Event::Assigned {
        agent,
        how,
        weight: entry.agent.capacity.weight(case.ticket.channel),
        counts: work.ctx.desk.counts(becomes),
        answer_by,
        idle_seconds: queue.and_then(|queue| queue.idle_unassign_seconds),
        choice,
    };
    let was_new = case.ticket.category == StatusCategory::New;
    let (channel, weight) = (case.ticket.channel, entry.agent.capacity.weight(case.ticket.channel));
    let by_hand = matches!(&event, Event::Assigned { choice: None, .. });
    work.on_case(id, event)?;
    if by_hand {
        work.count_turn(agent, channel, u64::from(weight));
    }
    if was_new {
        status::automatic(work, id, StatusCategory::Open, StatusWhy::Assigned)?;
    }
    Ok(())
}

/// Takes a ticket from its assignee, if it has one.
pub(super) fn release(
    work: &mut Work<'_>,
    id: TicketId,
    why: UnassignedWhy,
) -> Result<(), Rejection> {
    let Some(agent) = work.case(id)?.ticket.assignee else { return Ok(()) };
    work.on_case(id, Event::Unassigned { agent, why })?;
    if work.ctx.actor.agent_id() != Some(agent) {
        work.wish(Effect::NotifyAgent { ticket: id, agent, news: AgentNews::Unassigned });
    }
    Ok(())
}

/// Takes back a live offer.
pub(super) fn rescind_offer(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let Some(offer) = &work.case(id)?.offer else { return Ok(()) };
    let agent = offer.agent;
    work.on_case(id, Event::OfferEnded { agent, how: OfferEnd::Rescinded })
}

/// Does not give the ticket to this agent again, for as long as its queue says.
pub(super) fn exclude(
    work: &mut Work<'_>,
    id: TicketId,
    agent: AgentId,
    reason: &str,
) -> Result<(), Rejection> {
    let case = work.case(id)?;
    let Some(queue) = queue_of(work, case) else { return Ok(()) };
    let until = match queue.exclude_seconds {
        Some(0) => return Ok(()),
        Some(seconds) => after_seconds(work.now, seconds),
        None => None,
    };
    work.on_case(id, Event::Excluded { agent, until, reason: reason.to_owned() })
}

pub(super) fn assign(work: &mut Work<'_>, id: TicketId, agent: AgentId) -> Result<(), Rejection> {
    guard::may_assign_to(work, id, agent)?;
    work.made.ticket = Some(id);
    if work.case(id)?.ticket.assignee == Some(agent) {
        return Ok(());
    }
    let before = work.case(id)?.ticket.assignee;
    give_to(work, id, agent, AssignedHow::ByHand, None)?;
    if work.ctx.actor.agent_id() != Some(agent) {
        work.wish(Effect::NotifyAgent { ticket: id, agent, news: AgentNews::Assigned });
    }
    if let Some(before) = before
        && work.ctx.actor.agent_id() != Some(before)
    {
        work.wish(Effect::NotifyAgent { ticket: id, agent: before, news: AgentNews::Unassigned });
    }
    Ok(())
}

pub(super) fn unassign(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    let Some(agent) = work.case(id)?.ticket.assignee else { return Ok(()) };
    release(work, id, UnassignedWhy::ByHand)?;
    let case = work.case(id)?;
    // Else a queue that gives work would hand it straight back.
    if queue_of(work, case).is_some_and(|queue| queue.mode != QueueMode::Pull) {
        exclude(work, id, agent, "unassigned by hand")?;
    }
    place::seek(work, id)
}

fn acting_agent(work: &Work<'_>) -> Result<AgentId, Rejection> {
    let Some(agent) = work.ctx.actor.agent_id() else {
        return Err(Rejection::at(Code::Invalid, "actor.kind", "only agents take tickets"));
    };
    work.agent(agent).map(|_| agent)
}

pub(super) fn claim(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let agent = acting_agent(work)?;
    work.made.ticket = Some(id);
    let case = work.case(id)?;
    if case.ticket.assignee == Some(agent) {
        return Ok(());
    }
    if let Some(other) = case.ticket.assignee {
        return Err(Rejection::new(Code::Conflict, format!("agent `{other}` has the ticket")));
    }
    if let Some(offer) = &case.offer
        && offer.agent != agent
    {
        let message = format!("the ticket is offered to agent `{}`", offer.agent);
        return Err(Rejection::new(Code::Conflict, message));
    }
    if !case.ticket.category.is_unsolved() {
        let message =
            format!("only unsolved tickets are taken; this one is {}", case.ticket.category);
        return Err(Rejection::new(Code::Invalid, message));
    }
    give_to(work, id, agent, AssignedHow::Claimed, None)
}

/// Gives the acting agent the ticket that was found for it, if there was one.
pub(super) fn take_next(work: &mut Work<'_>, take: &TakeNext) -> Result<(), Rejection> {
    let agent = acting_agent(work)?;
    if work.ctx.actor.kind == ActorKind::Bot {
        return Err(Rejection::new(Code::Forbidden, "bots do not take the next ticket"));
    }
    if let Some(skip) = &take.skip {
        check_reason(&skip.reason, "skip.reason", "skipping")?;
        if skip.until.is_some_and(|until| until <= work.now) {
            return Err(Rejection::at(Code::Invalid, "skip.until", "skip until after now"));
        }
        guard::sees(work, skip.ticket)?;
        let ticket = &work.case(skip.ticket)?.ticket;
        if ticket.assignee == Some(agent) && skip.until.is_none() {
            let message = "one's own ticket is skipped until a time";
            return Err(Rejection::at(Code::RequiredField, "skip.until", message));
        }
        // One that is over is not given anyway, and a closed one does not change.
        if ticket.category.is_unsolved() {
            let event = Event::Excluded { agent, until: skip.until, reason: skip.reason.clone() };
            work.on_case(skip.ticket, event)?;
        }
    }
    let Some(id) = work.loaded.candidate() else { return Ok(()) };
    let ticket = &work.case(id)?.ticket;
    let (number, is_own) = (ticket.number.clone(), ticket.assignee == Some(agent));
    work.made.number = Some(number);
    work.made.ticket = Some(id);
    if is_own {
        return Ok(());
    }
    place::depends_on_agent(work, agent);
    give_to(work, id, agent, AssignedHow::Taken, None)
}

pub(super) fn offer(work: &mut Work<'_>, offer: &OfferTicket) -> Result<(), Rejection> {
    let id = offer.ticket;
    work.made.ticket = Some(id);
    let ticket = &work.case(id)?.ticket;
    if !ticket.category.is_unsolved() || ticket.assignee.is_some() || !ticket.is_live() {
        let message = "only unsolved tickets without an assignee are offered";
        return Err(Rejection::new(Code::Invalid, message));
    }
    guard::may_assign_to(work, id, offer.agent)?;
    make_offer(work, id, offer.agent, offer.timeout_seconds.unwrap_or(OFFER_SECONDS), None)
}

pub(super) fn make_offer(
    work: &mut Work<'_>,
    id: TicketId,
    agent: AgentId,
    timeout_seconds: u32,
    choice: Option<ChoiceShort>,
) -> Result<(), Rejection> {
    let entry = work.agent(agent)?;
    rescind_offer(work, id)?;
    let weight = entry.agent.capacity.weight(work.case(id)?.ticket.channel);
    let expires_at = work.now + TimeDelta::seconds(i64::from(timeout_seconds.max(1)));
    work.on_case(id, Event::Offered { agent, expires_at, weight, choice })?;
    work.wish(Effect::NotifyOffer { ticket: id, agent, expires_at });
    Ok(())
}

fn own_offer(work: &Work<'_>, id: TicketId) -> Result<AgentId, Rejection> {
    let agent = acting_agent(work)?;
    match &work.case(id)?.offer {
        Some(offer) if offer.agent == agent => Ok(agent),
        _ => Err(Rejection::new(Code::OfferGone, "the actor has no live offer of this ticket")),
    }
}

fn check_reason(reason: &str, path: &str, what: &str) -> Result<(), Rejection> {
    if reason.trim().is_empty() {
        return Err(Rejection::at(Code::RequiredField, path, format!("{what} needs a reason")));
    }
    let n = reason.chars().count();
    if n > REASON_CHARS_MAX {
        return Err(Fault::over_limit(path, n, "chars", REASON_CHARS_MAX).into());
    }
    Ok(())
}

pub(super) fn accept_offer(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    let agent = own_offer(work, id)?;
    work.on_case(id, Event::OfferEnded { agent, how: OfferEnd::Accepted })?;
    give_to(work, id, agent, AssignedHow::Accepted, None)
}

pub(super) fn reject_offer(work: &mut Work<'_>, reject: &RejectOffer) -> Result<(), Rejection> {
    let id = reject.ticket;
    work.made.ticket = Some(id);
    check_reason(&reject.reason, "reason", "rejecting")?;
    let agent = own_offer(work, id)?;
    let how = OfferEnd::Rejected { reason: reject.reason.clone() };
    work.on_case(id, Event::OfferEnded { agent, how })?;
    exclude(work, id, agent, "rejected the offer")?;
    place::seek(work, id)
}

pub(super) fn set_presence(work: &mut Work<'_>, set: &SetPresence) -> Result<(), Rejection> {
    let own = work.ctx.actor.agent_id();
    let Some(agent) = set.agent.or(own) else {
        return Err(Rejection::at(Code::RequiredField, "agent", "name the agent"));
    };
    if own != Some(agent) {
        guard::may_set_presence_of_others(work)?;
    }
    work.agent(agent)?;
    let Some(state) = work.ctx.desk.presence(&set.status) else {
        let message =
            format!("the desk has no presence `{}`: take online, away or offline", set.status);
        return Err(Rejection::at(Code::NotConfigured, "status", message));
    };
    if set.until.is_some_and(|until| until <= work.now) {
        return Err(Rejection::at(Code::Invalid, "until", "until after now"));
    }
    end_presence(work, agent)?;
    let mut channels: Vec<Channel> = set.channels.clone().unwrap_or_else(|| Channel::ALL.to_vec());
    channels.sort();
    channels.dedup();
    work.made.agent = Some(agent);
    let presence =
        ChannelPresence { status: set.status.clone(), state, since: work.now, until: set.until };
    let changed = channels.into_iter().map(|channel| (channel, presence.clone())).collect();
    put_presence(work, agent, changed)
}

/// Ends what was to last until now or earlier, each channel at its time.
pub(super) fn end_presence(work: &mut Work<'_>, agent: AgentId) -> Result<(), Rejection> {
    let (now, cause) = (work.now, work.cause);
    for _ in Channel::ALL {
        let Some(presence) = guard::loaded_presence(work, agent)? else { break };
        let Some(end) = presence.next_end().filter(|end| *end <= now) else { break };
        let ended = presence.channels.iter().filter(|(_, p)| p.until == Some(end));
        let ended = ended.filter_map(|(channel, p)| Some((*channel, flipped(p, end)?))).collect();
        work.now = end;
        work.cause = Cause::Timer { kind: TimerKind::PresenceEnds };
        let result = put_presence(work, agent, ended);
        work.now = now;
        work.cause = cause;
        result?;
    }
    Ok(())
}

/// Sets channels of an agent's presence, and the timers that follow from it.
pub(super) fn put_presence(
    work: &mut Work<'_>,
    agent: AgentId,
    mut channels: Vec<(Channel, ChannelPresence)>,
) -> Result<(), Rejection> {
    let before = guard::loaded_presence(work, agent)?;
    channels.retain(|(channel, new)| {
        let old = before.as_ref().and_then(|presence| presence.channels.get(channel));
        old.is_none_or(|old| (&old.status, old.until) != (&new.status, new.until))
    });
    if channels.is_empty() {
        return Ok(());
    }
    let comes = channels.iter().any(|(_, new)| new.state == PresenceState::Online);
    // A stay in the same state goes on from where it began.
    for (channel, new) in &mut channels {
        let old = before.as_ref().and_then(|presence| presence.channels.get(channel));
        if let Some(old) = old.filter(|old| old.state == new.state) {
            new.since = old.since;
        }
    }
    work.emit(StreamId::presence(agent), Event::PresenceSet { channels })?;
    let Some(crate::case::record::Record::Presence(after)) = work.record(StreamId::presence(agent))
    else {
        return Err(not_found("presence", agent));
    };
    let (next_end, offline_since) = (after.next_end(), after.offline_since());
    work.set_agent_timer(agent, TimerKind::PresenceEnds, next_end);
    let unload_at = unload_at(work, offline_since);
    work.set_agent_timer(agent, TimerKind::Unload, unload_at);
    if comes {
        work.drain(agent);
    }
    Ok(())
}

fn unload_at(work: &Work<'_>, offline_since: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    let grace = work.ctx.desk.offline_grace_seconds()?;
    after_seconds(offline_since?, grace)
}

/// The state that a channel's presence goes to when its time is over.
fn flipped(presence: &ChannelPresence, at: DateTime<Utc>) -> Option<ChannelPresence> {
    let (key, state) = match presence.state {
        PresenceState::Online => ("offline", PresenceState::Offline),
        PresenceState::Away | PresenceState::Offline => ("online", PresenceState::Online),
    };
    Some(ChannelPresence { status: Key::new(key).ok()?, state, since: at, until: None })
}
