//! Timers: what happens when one comes due.

use super::articles;
use super::clocks;
use super::escalation;
use super::ownership;
use super::place;
use super::status;
use super::work::Work;
use crate::agent::PresenceState;
use crate::command::FireTimer;
use crate::effect::{AgentNews, Effect};
use crate::event::{Cause, Event, OfferEnd, StatusWhy, StreamKind, TimerKind, UnassignedWhy};
use crate::fault::{Code, Rejection};
use crate::id::{AgentId, ArticleId, TicketId};
use crate::limit::CATCH_UP_MAX;
use crate::routing::eligible::{cooldown_ends_at, shift_starts_at};
use crate::ticket::status::StatusCategory;
use crate::trace::Step;
use chrono::{DateTime, Utc};

/// Fires the timers of a command's own ticket that were due before it, in order,
/// each with its due time as the time of its events.
pub(super) fn catch_up(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let (now, cause) = (work.now, work.cause);
    for _ in 0..CATCH_UP_MAX {
        let Some((kind, due_at)) = next_due(work, id, now) else { break };
        work.trace(Step::CaughtUp { kind, due_at });
        work.now = not_before_last(work, id, due_at);
        work.cause = Cause::Timer { kind };
        let result = run_on_case(work, id, kind).and_then(|()| super::settle(work, id));
        work.now = now;
        work.cause = cause;
        result?;
        if next_due(work, id, now) == Some((kind, due_at)) {
            break;
        }
    }
    Ok(())
}

/// A timer's due time; that of the ticket's last event where the timer comes
/// late, or is due at once: no event happens before the one before it.
fn not_before_last(work: &Work<'_>, id: TicketId, due_at: DateTime<Utc>) -> DateTime<Utc> {
    work.find_case(id).map_or(due_at, |case| {
        case.last_event_at.unwrap_or(case.ticket.times.updated_at).max(due_at)
    })
}

/// The ticket's first timer that is due, by due time and rank.
fn next_due(
    work: &Work<'_>,
    id: TicketId,
    now: DateTime<Utc>,
) -> Option<(TimerKind, DateTime<Utc>)> {
    let case = work.find_case(id)?;
    let redate = clocks::redate_at(work.ctx.desk, case).map(|at| (TimerKind::Redate, at));
    let timers = case.timers().into_iter().chain(redate);
    timers.filter(|(_, due_at)| *due_at <= now).min_by_key(|(kind, due_at)| (*due_at, *kind))
}

pub(super) fn fire(work: &mut Work<'_>, fire: &FireTimer) -> Result<(), Rejection> {
    work.cause = Cause::Timer { kind: fire.kind };
    match fire.stream.kind {
        StreamKind::Case => fire_on_case(work, TicketId(fire.stream.id), fire.kind),
        StreamKind::Agent => fire_on_agent(work, AgentId(fire.stream.id), fire.kind),
        StreamKind::Article => articles::fire(work, ArticleId(fire.stream.id)),
        // The engine has dated each ticket anew by now; this ends the timer.
        StreamKind::Config if fire.kind == TimerKind::Redate => Ok(()),
        StreamKind::Contact
        | StreamKind::Organization
        | StreamKind::Presence
        | StreamKind::Load
        | StreamKind::Config
        | StreamKind::Numbers
        | StreamKind::Revision
        | StreamKind::Vote
        | StreamKind::Checkpoint
        | StreamKind::SearchSession => {
            let message = format!("no timer belongs to the {}", fire.stream.kind.as_str());
            Err(Rejection::new(Code::Internal, message))
        }
    }
}

fn fire_on_case(work: &mut Work<'_>, id: TicketId, kind: TimerKind) -> Result<(), Rejection> {
    let Some(case) = work.find_case(id) else {
        work.trace(Step::TimerIdle { kind });
        return Ok(());
    };
    let is_due = match kind {
        TimerKind::Redate => clocks::redate_at(work.ctx.desk, case).is_some(),
        _ => case.timers().iter().any(|(own, due_at)| *own == kind && *due_at <= work.now),
    };
    work.made.ticket = Some(id);
    if !is_due {
        work.trace(Step::TimerIdle { kind });
        return Ok(());
    }
    // Another engine may hold the lease of a timer that comes before this one, and
    // a calendar may have changed several times.
    catch_up(work, id)?;
    work.now = not_before_last(work, id, work.now);
    Ok(())
}

fn run_on_case(work: &mut Work<'_>, id: TicketId, kind: TimerKind) -> Result<(), Rejection> {
    match kind {
        TimerKind::OfferExpires => {
            let Some(offer) = &work.case(id)?.offer else { return Ok(()) };
            let agent = offer.agent;
            work.on_case(id, Event::OfferEnded { agent, how: OfferEnd::Expired })?;
            ownership::exclude(work, id, agent, "did not answer the offer")?;
            place::seek(work, id)
        }
        TimerKind::AnswerDue => {
            take_back(work, id, UnassignedWhy::NotAnswered, "did not answer in time")
        }
        TimerKind::IdleUnassign => match idle_later(work, id)? {
            Some(later) => work.on_case(id, later),
            None => take_back(work, id, UnassignedWhy::Idle, "left it idle"),
        },
        TimerKind::Snooze => {
            work.on_case(id, Event::Woken)?;
            match work.case(id)?.ticket.assignee {
                Some(agent) => {
                    work.wish(Effect::NotifyAgent { ticket: id, agent, news: AgentNews::Woken });
                    Ok(())
                }
                None => place::seek(work, id),
            }
        }
        TimerKind::AutoClose => {
            status::automatic(work, id, StatusCategory::Closed, StatusWhy::AutoClosed)?;
            if work.case(id)?.auto_close_at.is_some() {
                // The desk's table does not let it close: ask no more.
                work.on_case(id, Event::AutoCloseLeft)?;
            }
            Ok(())
        }
        TimerKind::LookAgain => look_again(work, id),
        TimerKind::SlaWarning | TimerKind::SlaBreach => {
            // What is promised no more is not broken.
            clocks::settle(work, id)?;
            clocks::fire_due(work, id, kind)
        }
        TimerKind::Redate => clocks::redate(work, id),
        TimerKind::Escalation => {
            clocks::settle(work, id)?;
            escalation::fire_due(work, id)
        }
        TimerKind::PresenceEnds | TimerKind::Unload | TimerKind::Drain | TimerKind::Publish => {
            Err(Rejection::new(Code::Internal, "another thing's timer on a case"))
        }
    }
}

/// The wall clock says idle; the queue's calendar may say not yet. Working time is
/// never longer than time, so no ticket is looked at too late.
fn idle_later(work: &Work<'_>, id: TicketId) -> Result<Option<Event>, Rejection> {
    let case = work.case(id)?;
    let desk = work.ctx.desk;
    let queue = case.ticket.queue.as_ref().and_then(|key| desk.queue(key));
    let calendar = queue.and_then(|queue| desk.calendar(queue.idle_calendar.as_ref()?));
    let (Some(calendar), Some(seconds)) = (calendar, case.idle_seconds) else { return Ok(None) };
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    // Beyond what calendars cover nothing comes due.
    let idle_at = calendar.due_at(case.ticket.times.updated_at, seconds).ok();
    let is_later = idle_at.is_none_or(|at| at > work.now);
    Ok(is_later.then_some(Event::IdleLater { idle_at }))
}

fn take_back(
    work: &mut Work<'_>,
    id: TicketId,
    why: UnassignedWhy,
    reason: &str,
) -> Result<(), Rejection> {
    let Some(agent) = work.case(id)?.ticket.assignee else { return Ok(()) };
    ownership::release(work, id, why)?;
    ownership::exclude(work, id, agent, reason)?;
    place::seek(work, id)
}

/// Seeks again. A queue that has become a pull queue, or is gone, asks no more.
fn look_again(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    place::seek(work, id)?;
    let case = work.case(id)?;
    let still_due = case.look_again_at.is_some_and(|at| at <= work.now) && case.waits();
    if still_due {
        let stage = case.stage;
        work.on_case(id, Event::Waiting { stage, look_again_at: None })?;
    }
    Ok(())
}

fn fire_on_agent(work: &mut Work<'_>, agent: AgentId, kind: TimerKind) -> Result<(), Rejection> {
    work.made.agent = Some(agent);
    match kind {
        TimerKind::PresenceEnds => presence_ends(work, agent),
        TimerKind::Unload => unload(work, agent),
        TimerKind::Drain => drain(work, agent),
        TimerKind::Redate
        | TimerKind::OfferExpires
        | TimerKind::AnswerDue
        | TimerKind::IdleUnassign
        | TimerKind::Snooze
        | TimerKind::SlaWarning
        | TimerKind::SlaBreach
        | TimerKind::Escalation
        | TimerKind::AutoClose
        | TimerKind::LookAgain
        | TimerKind::Publish => {
            Err(Rejection::new(Code::Internal, "another thing's timer on an agent"))
        }
    }
}

fn presence_ends(work: &mut Work<'_>, agent: AgentId) -> Result<(), Rejection> {
    if work.ctx.roster.active(agent).is_none() {
        work.trace(Step::TimerIdle { kind: TimerKind::PresenceEnds });
        return Ok(());
    }
    ownership::end_presence(work, agent)
}

/// Takes one ticket or offer from an agent who is gone, and comes back for the next.
fn unload(work: &mut Work<'_>, agent: AgentId) -> Result<(), Rejection> {
    let entry = work.ctx.roster.get(agent);
    let is_gone = entry.is_none_or(|entry| !entry.agent.active);
    let is_offline = entry.is_some_and(|entry| {
        !entry.presence.channels.is_empty()
            && entry.presence.channels.values().all(|p| p.state == PresenceState::Offline)
    });
    let candidate = work.loaded.candidate();
    let (true, Some(id)) = (is_gone || is_offline, candidate) else {
        work.trace(Step::TimerIdle { kind: TimerKind::Unload });
        // Nothing to take, unless the agent only looks free.
        place::depends_on_load(work, agent);
        return Ok(());
    };
    work.made.ticket = Some(id);
    work.now = not_before_last(work, id, work.now);
    if work.case(id)?.offer.as_ref().is_some_and(|offer| offer.agent == agent) {
        ownership::rescind_offer(work, id)?;
    }
    if work.case(id)?.ticket.assignee == Some(agent) {
        let why = if is_gone { UnassignedWhy::Deactivated } else { UnassignedWhy::Offline };
        ownership::release(work, id, why)?;
    }
    place::depends_on_agent(work, agent);
    place::seek(work, id)?;
    work.set_agent_timer(agent, TimerKind::Unload, Some(work.now));
    Ok(())
}

/// Gives one waiting ticket to an agent who has room, and comes back for the next.
fn drain(work: &mut Work<'_>, agent: AgentId) -> Result<(), Rejection> {
    let given = match work.loaded.candidate() {
        Some(id) if work.ctx.roster.active(agent).is_some() => {
            work.made.ticket = Some(id);
            work.now = not_before_last(work, id, work.now);
            place::give_next(work, id, agent)?
        }
        _ => false,
    };
    if given {
        work.set_agent_timer(agent, TimerKind::Drain, Some(work.now));
        return Ok(());
    }
    work.trace(Step::TimerIdle { kind: TimerKind::Drain });
    // Nothing to give, unless the agent only looks full or gone.
    place::depends_on_agent(work, agent);
    place::depends_on_load(work, agent);
    if let Some(takes_at) = takes_at(work, agent) {
        work.set_agent_timer(agent, TimerKind::Drain, Some(takes_at));
    }
    Ok(())
}

/// When time alone lets the agent take work again: once their shift starts, else
/// once the first cooldown or rate limit that holds them back is over.
fn takes_at(work: &Work<'_>, agent: AgentId) -> Option<DateTime<Utc>> {
    let entry = work.ctx.roster.active(agent)?;
    let desk = work.ctx.desk;
    let ends = desk.queues().filter_map(|queue| cooldown_ends_at(queue, &entry.load));
    let rested_at = ends.filter(|end| *end > work.now).min();
    shift_starts_at(desk.calendars(), &entry.agent, work.now).or(rested_at)
}
