//! Where a ticket goes and who gets it: routing, then assignment.

use super::explain::name_of;
use super::explain_rules::cut_texts;
use super::ownership;
use super::predict;
use super::work::Work;
use crate::agent::{PresenceState, Roster, RosterEntry};
use crate::case::facts::{Around, CaseFacts};
use crate::command::RouteAgain;
use crate::condition::Scratch;
use crate::effect::{AgentNews, Effect};
use crate::event::{
    AssignedHow, ChosenBy, Event, RefusedReason, RoutedBy, StreamId, TimerKind, UnassignedWhy,
};
use crate::fault::{Code, Rejection};
use crate::id::{AgentId, Key, TicketId, Version};
use crate::limit::{TAGS_MAX, TRACE_BECAUSE_MAX};
use crate::routing::eligible::cooldown_ends_at;
use crate::routing::queue::{Queue, QueueMode};
use crate::routing::select::{Ask, Choice, Verdict, choose, judge_one};
use crate::ticket::priority::SkillLevel;
use crate::trace::{CandidateStep, Step};
use chrono::{DateTime, Utc};

/// The facts of a ticket as it will be.
pub(super) fn facts<'w>(work: &'w Work<'_>, id: TicketId) -> Result<CaseFacts<'w>, Rejection> {
    let case = work.case(id)?;
    let ticket = &case.ticket;
    let requester = work.contact(ticket.requester);
    let organization = ticket.organization.and_then(|id| work.organization(id));
    let body = work.message(id, ticket.newest_public_seq).map(|message| message.text.as_str());
    let around = Around { requester, organization, body, clocks: Some(case) };
    Ok(CaseFacts::new(ticket, around, work.now, work.ctx.desk.terms()))
}

/// Routes a ticket by the rules, or into a named queue, and seeks an agent.
pub(super) fn route(
    work: &mut Work<'_>,
    id: TicketId,
    queue: Option<&Key>,
) -> Result<(), Rejection> {
    let event = match queue {
        Some(key) => into_queue(work, key)?,
        None => by_rules(work, id)?,
    };
    let Some(event) = event else {
        work.on_case(id, Event::Unroutable)?;
        work.wish(Effect::NotifyUnroutable { ticket: id });
        return Ok(());
    };
    work.on_case(id, event)?;
    seek(work, id)
}

fn into_queue(work: &Work<'_>, key: &Key) -> Result<Option<Event>, Rejection> {
    let Some(queue) = work.ctx.desk.queue(key) else {
        return Err(Rejection::at(
            Code::NotConfigured,
            "queue",
            format!("the desk has no queue `{key}`"),
        ));
    };
    Ok(Some(routed(work, queue, RoutedBy::ByHand)))
}

pub(super) fn routed(work: &Work<'_>, queue: &Queue, by: RoutedBy) -> Event {
    Event::Routed {
        queue: queue.key.clone(),
        group: queue.group.clone(),
        by,
        entered_queue_at: work.now,
        priority: None,
        ticket_type: None,
        tags: Vec::new(),
        skills: Vec::new(),
    }
}

fn by_rules(work: &mut Work<'_>, id: TicketId) -> Result<Option<Event>, Rejection> {
    let desk = work.ctx.desk;
    let facts = facts(work, id)?;
    let route = desk.routing().route(&facts, &mut Scratch::default());
    let n_tried = route.map_or(desk.rules().len(), |(place, _)| place) as u64;
    let cut = if desk.rules().is_empty() { Vec::new() } else { cut_texts(&facts) };
    if let Some((_, rule)) = route
        && let Some(queue) = desk.queue(&rule.then.queue)
    {
        let ticket = &work.case(id)?.ticket;
        let mut evidence = rule.when.evidence(&facts);
        evidence.truncate(TRACE_BECAUSE_MAX);
        let because = evidence.iter().map(ToString::to_string).collect();
        let then = &rule.then;
        let event = Event::Routed {
            queue: queue.key.clone(),
            group: queue.group.clone(),
            by: RoutedBy::Rule { rule: rule.key.clone(), because },
            entered_queue_at: work.now,
            priority: then.priority.filter(|_| ticket.priority.is_none()),
            ticket_type: then.ticket_type.filter(|_| ticket.ticket_type.is_none()),
            tags: missing_tags(&ticket.tags, &then.tags),
            skills: missing_skills(&ticket.required_skills, &then.skills),
        };
        cut.into_iter().for_each(|step| work.trace(step));
        work.trace(Step::RuleMatched {
            rule: rule.key.clone(),
            queue: queue.key.clone(),
            n_tried,
            because: evidence,
        });
        return Ok(Some(event));
    }
    cut.into_iter().for_each(|step| work.trace(step));
    if let Some(prediction) = predict::queue(work)
        && let Some(queue) = predict::key_of(&prediction.label).and_then(|key| desk.queue(&key))
    {
        work.trace(Step::Predicted { prediction: prediction.clone() });
        return Ok(Some(routed(work, queue, RoutedBy::Predicted { prediction })));
    }
    let key = work.case(id)?.ticket.mailbox.clone();
    let mailbox = key.as_ref().and_then(|key| desk.mailbox(key));
    let of_mailbox = mailbox.is_some_and(|mailbox| mailbox.default_queue.is_some());
    let by = if of_mailbox { RoutedBy::MailboxDefault } else { RoutedBy::DeskDefault };
    let Some(queue) = desk.default_queue(key.as_ref()) else {
        work.trace(Step::Unroutable { n_tried });
        return Ok(None);
    };
    work.trace(Step::DefaultQueue { queue: queue.key.clone(), n_tried, of_mailbox });
    Ok(Some(routed(work, queue, by)))
}

/// What a rule adds to a ticket's tags, as long as there is room.
fn missing_tags(known: &[String], more: &[String]) -> Vec<String> {
    let room = TAGS_MAX.saturating_sub(known.len());
    more.iter().filter(|tag| !known.contains(tag)).take(room).cloned().collect()
}

pub(super) fn missing_skills(known: &[SkillLevel], more: &[SkillLevel]) -> Vec<SkillLevel> {
    let is_new = |skill: &&SkillLevel| {
        !known.iter().any(|own| own.skill == skill.skill && own.level >= skill.level)
    };
    more.iter().filter(is_new).cloned().collect()
}

pub(super) fn route_again(work: &mut Work<'_>, again: &RouteAgain) -> Result<(), Rejection> {
    let id = again.ticket;
    work.made.ticket = Some(id);
    if let Some(key) = &again.queue {
        into_queue(work, key)?;
    }
    let category = work.case(id)?.ticket.category;
    if !category.is_unsolved() {
        let message = format!("only unsolved tickets are routed; this one is {category}");
        return Err(Rejection::new(Code::Invalid, message));
    }
    ownership::rescind_offer(work, id)?;
    ownership::release(work, id, UnassignedWhy::RoutedAgain)?;
    route(work, id, again.queue.as_ref())
}

/// Seeks an agent for a waiting ticket, as its queue says.
pub(super) fn seek(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let Some(queue) = seeks_by(work, id)? else { return Ok(()) };
    if queue.mode == QueueMode::Pull {
        work.wish(Effect::NotifyGroup { ticket: id, group: queue.group.clone() });
        return Ok(());
    }
    let choice = give_to_chosen(work, id, queue)?;
    if choice.chosen.is_some() {
        return Ok(());
    }
    depends_on_refused(work, &choice);
    let waiting = Event::Waiting { stage: choice.stage, look_again_at: choice.look_again_at };
    work.on_case(id, waiting)
}

/// [`seek`], where the ticket's queue gives its tickets; of one that agents serve
/// themselves they have heard already.
pub(super) fn seek_given(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    match seeks_by(work, id)?.map(|queue| queue.mode) {
        Some(QueueMode::Assign | QueueMode::Offer { .. }) => seek(work, id),
        Some(QueueMode::Pull) | None => Ok(()),
    }
}

/// Gives a waiting ticket to an agent who has room now, if there is one; otherwise
/// it waits on as it did.
pub(super) fn seek_now(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    match seeks_by(work, id)? {
        Some(queue) if queue.mode != QueueMode::Pull => give_to_chosen(work, id, queue).map(|_| ()),
        _ => Ok(()),
    }
}

/// The queue by which a ticket seeks an agent now; `None` for one that does not wait,
/// sleeps, or is in no queue of the desk.
fn seeks_by<'d>(work: &Work<'d>, id: TicketId) -> Result<Option<&'d Queue>, Rejection> {
    let case = work.case(id)?;
    let is_snoozed = case.ticket.snoozed_until.is_some_and(|until| until > work.now);
    let key = case.ticket.queue.as_ref().filter(|_| case.waits() && !is_snoozed);
    Ok(key.and_then(|key| work.ctx.desk.queue(key)))
}

/// Gives a ticket to the agent whom its queue chooses, if there is one.
fn give_to_chosen(work: &mut Work<'_>, id: TicketId, queue: &Queue) -> Result<Choice, Rejection> {
    let choice = choose_for(work, id, queue)?;
    work.trace(sought(queue, &choice, work.ctx.roster));
    if let Some(agent) = choice.chosen {
        give(work, id, queue, agent, &choice)?;
    }
    Ok(choice)
}

fn choose_for(work: &Work<'_>, id: TicketId, queue: &Queue) -> Result<Choice, Rejection> {
    let index = work.index();
    let found = index.map(|index| asked(work, id, queue, |ask| index.choose_explained(ask)));
    match found.transpose()?.filter(|choice| choice.chosen.is_some()) {
        Some(choice) => Ok(choice),
        // That it is nobody depends on each of them.
        None => asked(work, id, queue, choose),
    }
}

/// Asks for the agent for a ticket, by the loads as they will be.
fn asked<T>(
    work: &Work<'_>,
    id: TicketId,
    queue: &Queue,
    answer: impl FnOnce(&Ask<'_>) -> T,
) -> Result<T, Rejection> {
    let ticket = &work.case(id)?.ticket;
    let answered = work.contact(ticket.requester).and_then(|contact| contact.last_answered_by);
    let affinity: Vec<AgentId> = answered.into_iter().collect();
    Ok(work.with_roster(|roster| {
        answer(&Ask {
            queue,
            ticket,
            roster,
            calendars: work.ctx.desk.calendars(),
            affinity: &affinity,
            now: work.now,
            seed: work.ctx.desk.selection_seed(),
        })
    }))
}

/// A search for an agent, as a step of what is explained.
pub(super) fn sought(queue: &Queue, choice: &Choice, roster: &Roster) -> Step {
    Step::Sought {
        queue: queue.key.clone(),
        chosen: choice.chosen,
        candidates: choice.verdicts.iter().map(CandidateStep::from).collect(),
        sentences: choice.sentences(|id| name_of(roster, id)),
        look_again_at: choice.look_again_at,
    }
}

/// Assigns or offers a ticket to the agent that its queue chose.
fn give(
    work: &mut Work<'_>,
    id: TicketId,
    queue: &Queue,
    agent: AgentId,
    choice: &Choice,
) -> Result<(), Rejection> {
    depends_on_agent(work, agent);
    match queue.mode {
        QueueMode::Offer { timeout_seconds } => {
            ownership::make_offer(work, id, agent, timeout_seconds, choice.short())?;
        }
        QueueMode::Pull | QueueMode::Assign => {
            ownership::give_to(work, id, agent, AssignedHow::Automatically, choice.short())?;
            work.wish(Effect::NotifyAgent { ticket: id, agent, news: AgentNews::Assigned });
        }
    }
    work.count_turn(agent, choice.channel, choice.n_taken_added);
    if let Some(takes_at) = takes_again_at(work, agent, queue) {
        work.set_agent_timer(agent, TimerKind::Drain, Some(takes_at));
    }
    Ok(())
}

/// When an agent who was just given a ticket, and rests by its queue, may be given one
/// of any queue. The timer that brings it may have been due for another reason before:
/// where another queue lets the agent take more, that is now.
fn takes_again_at(work: &Work<'_>, agent: AgentId, queue: &Queue) -> Option<DateTime<Utc>> {
    let load = work.load(agent)?;
    let rested_at = |queue: &Queue| cooldown_ends_at(queue, load).filter(|at| *at > work.now);
    rested_at(queue)?;
    let giving = work.ctx.desk.queues().filter(|queue| queue.mode != QueueMode::Pull);
    giving.map(|queue| rested_at(queue).unwrap_or(work.now)).min()
}

/// That nobody can take the ticket holds only while those who might are as they
/// were seen: else one who came, learned or was freed meanwhile would be looked
/// past, and the ticket wait on. What time alone ends is looked at again in time;
/// who is in none of the groups is not watched.
fn depends_on_refused(work: &mut Work<'_>, choice: &Choice) {
    for &Verdict { agent, reason, .. } in &choice.verdicts {
        match reason {
            Some(RefusedReason::NotOnline) => {
                depends_on(work, StreamId::presence(agent), |entry| entry.presence_version);
            }
            Some(RefusedReason::OffShift | RefusedReason::LacksSkill) => {
                depends_on(work, StreamId::agent(agent), |entry| entry.agent_version);
            }
            Some(RefusedReason::ChannelFull | RefusedReason::TotalFull) => {
                depends_on(work, StreamId::agent(agent), |entry| entry.agent_version);
                depends_on_load(work, agent);
            }
            Some(
                RefusedReason::Inactive
                | RefusedReason::NotInPool
                | RefusedReason::Cooldown
                | RefusedReason::RateLimited
                | RefusedReason::Excluded,
            )
            | None => {}
        }
    }
}

fn depends_on(work: &mut Work<'_>, stream: StreamId, version: impl Fn(&RosterEntry) -> Version) {
    if let Some(entry) = work.ctx.roster.get(AgentId(stream.id)) {
        work.depends_on(stream, version(entry));
    }
}

/// The decision holds only while the agent's load is as it was seen.
pub(super) fn depends_on_load(work: &mut Work<'_>, agent: AgentId) {
    depends_on(work, StreamId::load(agent), |entry| entry.load_version);
}

/// The choice holds only while the agent is as it was seen.
pub(super) fn depends_on_agent(work: &mut Work<'_>, agent: AgentId) {
    depends_on(work, StreamId::agent(agent), |entry| entry.agent_version);
    depends_on(work, StreamId::presence(agent), |entry| entry.presence_version);
}

/// Gives a waiting ticket to an agent who has room, if it is eligible.
pub(super) fn give_next(
    work: &mut Work<'_>,
    id: TicketId,
    agent: AgentId,
) -> Result<bool, Rejection> {
    let case = work.case(id)?;
    let Some(queue) = case.ticket.queue.as_ref().and_then(|key| work.ctx.desk.queue(key)) else {
        return Ok(false);
    };
    if !case.waits() || queue.mode == QueueMode::Pull {
        return Ok(false);
    }
    let mut choice = choose_for(work, id, queue)?;
    let stage = choice.stage;
    let verdict = asked(work, id, queue, |ask| judge_one(ask, stage, agent))?;
    let Some(verdict) = verdict.filter(|verdict| verdict.reason.is_none()) else {
        return Ok(false);
    };
    if choice.chosen.is_none() {
        return Ok(false);
    }
    if let Err(at) = choice.verdicts.binary_search_by_key(&agent, |verdict| verdict.agent) {
        choice.verdicts.insert(at, verdict);
    }
    if choice.chosen != Some(agent) && choice.by != Some(ChosenBy::Affinity) {
        choice.chosen = Some(agent);
        choice.by = Some(ChosenBy::Drained);
    }
    work.trace(sought(queue, &choice, work.ctx.roster));
    let chosen = choice.chosen.unwrap_or(agent);
    give(work, id, queue, chosen, &choice)?;
    Ok(true)
}

/// A reopened ticket goes to its assignee if available, else back to its queue.
pub(super) fn after_reopen(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let ticket = &work.case(id)?.ticket;
    if !ticket.is_live() {
        return Ok(());
    }
    let Some(agent) = ticket.assignee else {
        return if ticket.queue.is_some() { requeue(work, id) } else { route(work, id, None) };
    };
    let channel = ticket.channel;
    let is_there = work
        .ctx
        .roster
        .active(agent)
        .is_some_and(|entry| entry.presence.state(channel) != PresenceState::Offline);
    // Without presence anywhere the desk does not track it: the ticket stays.
    let is_tracked =
        work.ctx.roster.get(agent).is_none_or(|entry| !entry.presence.channels.is_empty());
    if is_there || (!is_tracked && work.ctx.roster.active(agent).is_some()) {
        work.wish(Effect::NotifyAgent { ticket: id, agent, news: AgentNews::RequesterReplied });
        return Ok(());
    }
    ownership::release(work, id, UnassignedWhy::Reopened)?;
    requeue(work, id)
}

/// Back to its queue, waiting from now, and seeks an agent.
fn requeue(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let queue = work.case(id)?.ticket.queue.clone();
    match queue.as_ref().and_then(|key| work.ctx.desk.queue(key)) {
        Some(queue) => {
            let event = routed(work, queue, RoutedBy::Reopened);
            work.on_case(id, event)?;
            seek(work, id)
        }
        None => route(work, id, None),
    }
}
