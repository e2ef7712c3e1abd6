//! Escalation: what a ticket's events mean to its chain, and what the chain does
//! to the ticket.
//!
//! A chain hears of events once the clocks have, at the end of each part of a
//! decision. What a step does (hand over, change, notify) happens in the same
//! decision, through the same rules as by hand, and is not news to the chain.

use super::clocks;
use super::conversation::{Draft, add_message};
use super::fields;
use super::ownership;
use super::place;
use super::status;
use super::work::Work;
use crate::actor::Author;
use crate::agent::Roster;
use crate::case::Case;
use crate::command::{Acknowledge, DeEscalate, Escalate};
use crate::condition::{Facts, Scratch};
use crate::desk::Desk;
use crate::effect::{Effect, EscalationTold};
use crate::escalation::chain::{
    Chain, EscalationChange, EscalationNews, HandedOver, Owner, StepFired,
};
use crate::escalation::command::{acknowledge, force, hand_back, unacknowledge};
use crate::escalation::resolve::Notice;
use crate::escalation::run::fire;
use crate::escalation::scene::Scene;
use crate::escalation::signal::{Occasion, Signal, advance, follow, start, starts_on};
use crate::escalation::step::Action;
use crate::event::{AssignedHow, Event, RoutedBy, StatusWhy, UnassignedWhy};
use crate::fault::{Code, Rejection};
use crate::id::{AgentId, Key, TicketId};
use crate::limit::ESCALATION_FIRINGS_MAX;
use crate::routing::eligible::full;
use crate::sla::signal::CalendarRevisions;
use crate::ticket::Follower;
use crate::ticket::change::Change;
use crate::ticket::message::MessageKind;
use crate::ticket::priority::SkillLevel;
use crate::ticket::status::StatusCategory;
use crate::trace::Step;
use chrono::{DateTime, Utc};

/// Lets a ticket's chain hear of what happened to it, and begins one where a
/// policy holds.
pub(super) fn settle(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let news = work.take_unheard(id);
    let Some(case) = work.find_case(id) else { return Ok(()) };
    let is_idle = work.ctx.desk.escalations().policies.is_empty() && case.escalation.is_none();
    if is_idle || work.is_imported(id) {
        return Ok(());
    }
    let changes = with_chain(work, id, |chain, scene| {
        let policy = scene.escalations.policy(&chain.snapshot.policy.key);
        follow(chain, policy, work.ctx.config_version, work.now, scene)
    })?;
    put_all(work, id, changes)?;
    for said in &news {
        let News::Signal(signal, at) = *said else { continue };
        hear(work, id, signal, at)?;
    }
    begin(work, id, occasion_of(&news))?;
    hear(work, id, Signal::Changed, work.now)
}

/// Lets the ticket's chain hear a signal.
fn hear(
    work: &mut Work<'_>,
    id: TicketId,
    signal: Signal,
    at: DateTime<Utc>,
) -> Result<(), Rejection> {
    let changes = with_chain(work, id, |chain, scene| advance(chain, signal, at, scene))?;
    put_all(work, id, changes)
}

/// Something that a ticket's chain may hear, or begin on.
#[derive(Debug, Clone, Copy)]
pub(super) enum News {
    /// It hears this, which happened then.
    Signal(Signal, DateTime<Utc>),
    /// The requester wrote.
    RequesterWrote,
}

impl News {
    /// That the ticket was given to an agent.
    pub(super) fn is_gift(&self) -> bool {
        matches!(self, Self::Signal(Signal::Assigned, _))
    }
}

/// What an event says to a ticket's chain; `was` is the category before.
pub(super) fn news_of(
    event: &Event,
    was: Option<StatusCategory>,
    at: DateTime<Utc>,
) -> Option<News> {
    let signal = match event {
        Event::Replied { message } => match message.author {
            Author::Agent { .. } => Signal::Replied,
            Author::Contact { .. } => return Some(News::RequesterWrote),
            Author::Bot { .. } | Author::System => return None,
        },
        Event::Assigned { .. } => Signal::Assigned,
        Event::StatusSet { category: StatusCategory::Solved, .. } => Signal::Solved,
        Event::StatusSet { category: StatusCategory::Closed, .. } => Signal::Closed,
        Event::StatusSet { .. } if was == Some(StatusCategory::Solved) => Signal::Reopened,
        Event::Deleted => Signal::Deleted,
        Event::MarkedSpam => Signal::Spam,
        _ => return None,
    };
    Some(News::Signal(signal, at))
}

/// On what a chain may begin after this news.
fn occasion_of(news: &[News]) -> Occasion {
    let is_reopened = |news: &News| matches!(news, News::Signal(Signal::Reopened, _));
    let has_written = |news: &News| matches!(news, News::RequesterWrote);
    match (news.iter().any(is_reopened), news.iter().any(has_written)) {
        (true, _) => Occasion::Reopened,
        (false, true) => Occasion::RequesterReplied,
        (false, false) => Occasion::Changed,
    }
}

/// What `look` makes of the ticket's chain; nothing where it has none.
fn with_chain(
    work: &Work<'_>,
    id: TicketId,
    look: impl FnOnce(&Chain, &Scene<'_>) -> Vec<EscalationChange>,
) -> Result<Vec<EscalationChange>, Rejection> {
    with_scene(work, id, |case, scene| {
        Ok(case.escalation.as_deref().map_or_else(Vec::new, |chain| look(chain, scene)))
    })
}

fn with_scene<T>(
    work: &Work<'_>,
    id: TicketId,
    look: impl FnOnce(&Case, &Scene<'_>) -> Result<T, Rejection>,
) -> Result<T, Rejection> {
    let case = work.case(id)?;
    let calendars = clocks::calendars(work, id)?;
    let facts = place::facts(work, id)?;
    look(case, &scene(work.ctx.desk, work.ctx.roster, case, &calendars, &facts))
}

/// A case as its escalation sees it.
pub(super) fn scene<'a>(
    desk: &'a Desk,
    roster: &'a Roster,
    case: &'a Case,
    calendars: &'a CalendarRevisions,
    facts: &'a dyn Facts,
) -> Scene<'a> {
    let ticket = &case.ticket;
    let of_group = || ticket.group.as_ref().and_then(|group| desk.group(group)?.tier.as_ref());
    Scene {
        escalations: desk.escalations(),
        schema: desk.condition_schema(),
        calendars,
        queue_groups: desk.queue_groups(),
        roster,
        ticket,
        tier: ticket.tier.as_ref().or_else(of_group),
        unassigned_since: case.unassigned_since,
        clocks: &case.clocks,
        facts,
    }
}

/// Begins a chain where a policy holds on a ticket that needs one.
fn begin(work: &mut Work<'_>, id: TicketId, occasion: Occasion) -> Result<(), Rejection> {
    let ticket = &work.case(id)?.ticket;
    if !ticket.category.is_unsolved() || !ticket.is_live() {
        return Ok(());
    }
    match starts_on(work.case(id)?.escalation.as_deref(), occasion) {
        true => start_chain(work, id, occasion == Occasion::Reopened),
        false => Ok(()),
    }
}

/// Begins a chain by the policy that holds, if one does.
fn start_chain(work: &mut Work<'_>, id: TicketId, reopened: bool) -> Result<(), Rejection> {
    let changes = with_scene(work, id, |case, scene| {
        let policies = &scene.escalations.policies;
        let policy = policies.find(scene.facts, &mut Scratch::default(), |_| true);
        Ok(policy.map_or_else(Vec::new, |(_, policy)| {
            let before = case.escalation.as_deref();
            start(policy, work.ctx.config_version, before, reopened, work.now, scene)
        }))
    })?;
    put_all(work, id, changes)
}

/// Fires what is due in a ticket's chain at `work.now`.
pub(super) fn fire_due(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    for _ in 0..ESCALATION_FIRINGS_MAX {
        let due_at = work.case(id)?.escalation.as_deref().and_then(Chain::due_at);
        if due_at.is_none_or(|due_at| due_at > work.now) {
            return Ok(());
        }
        let changes = with_chain(work, id, |chain, scene| fire(chain, work.now, scene))?;
        if changes.is_empty() {
            // What was due is not any more: only the date is stale.
            return hear(work, id, Signal::Changed, work.now);
        }
        put_all(work, id, changes)?;
    }
    Ok(())
}

fn put_all(
    work: &mut Work<'_>,
    id: TicketId,
    changes: Vec<EscalationChange>,
) -> Result<(), Rejection> {
    changes.into_iter().try_for_each(|change| put(work, id, change))
}

/// Puts a change into the journal, and does what it says.
fn put(work: &mut Work<'_>, id: TicketId, change: EscalationChange) -> Result<(), Rejection> {
    let news = change.news.clone();
    let due_at = change.progress.due.map(|due| due.at);
    work.on_case(id, Event::EscalationChanged { change: Box::new(change) })?;
    work.trace(Step::Escalation { news: news.clone(), due_at });
    match news {
        EscalationNews::StepFired(fired) => step_fired(work, id, &fired),
        EscalationNews::Exhausted { notice } => {
            notify(work, id, &notice, EscalationTold::Exhausted);
            Ok(())
        }
        EscalationNews::AckTimedOut { notice, .. } => {
            notify(work, id, &notice, EscalationTold::AckTimedOut);
            Ok(())
        }
        EscalationNews::HandedBack { to, .. } => give_back(work, id, &to),
        EscalationNews::Started { .. }
        | EscalationNews::PolicyFollowed { .. }
        | EscalationNews::StepPassed { .. }
        | EscalationNews::LoopBegan
        | EscalationNews::Acknowledged { .. }
        | EscalationNews::Unacknowledged { .. }
        | EscalationNews::Reopened
        | EscalationNews::Forced { .. }
        | EscalationNews::Done { .. }
        | EscalationNews::Rescheduled => Ok(()),
    }
}

fn notify(work: &mut Work<'_>, id: TicketId, notice: &Notice, told: EscalationTold) {
    for notified in &notice.to {
        let to = notified.recipient.clone();
        let not_before = notice.held_until;
        work.wish(Effect::NotifyEscalation { ticket: id, to, told, not_before });
    }
}

fn step_fired(work: &mut Work<'_>, id: TicketId, fired: &StepFired) -> Result<(), Rejection> {
    notify(work, id, &fired.notice, EscalationTold::Step { step: fired.step });
    if let Some(over) = &fired.handed_over {
        hand_over(work, id, over)?;
    }
    for action in &fired.actions {
        act(work, id, action)?;
    }
    work.forget_gifts(id);
    Ok(())
}

fn hand_over(work: &mut Work<'_>, id: TicketId, over: &HandedOver) -> Result<(), Rejection> {
    if let Some(watcher) = over.watcher.filter(|agent| work.ctx.roster.active(*agent).is_some()) {
        let follower = Follower::Agent { id: watcher };
        if !work.case(id)?.ticket.followers.contains(&follower) {
            work.on_case(id, Event::FollowerAdded { follower })?;
        }
    }
    let place = Place {
        tier: over.tier.clone().map(Some),
        group: Some(over.group.clone()),
        assignee: over.assignee.filter(|agent| has_room(work, id, *agent)),
    };
    move_to(work, id, place, &over.skills)
}

/// Whether the agent can be given the ticket without an order by hand: then it
/// waits for whom routing finds.
fn has_room(work: &Work<'_>, id: TicketId, agent: AgentId) -> bool {
    let Some(case) = work.find_case(id) else { return false };
    let has_it = case.ticket.assignee == Some(agent);
    has_it
        || work.with_roster(|roster| {
            let entry = roster.active(agent);
            entry.is_some_and(|entry| full(entry, case.ticket.channel).is_none())
        })
}

fn give_back(work: &mut Work<'_>, id: TicketId, to: &Owner) -> Result<(), Rejection> {
    let place =
        Place { tier: Some(to.tier.clone()), group: to.group.clone(), assignee: to.assignee };
    move_to(work, id, place, &[])?;
    work.forget_gifts(id);
    Ok(())
}

/// Where a ticket goes.
struct Place {
    /// Its tier, or none; unchanged when absent.
    tier: Option<Option<Key>>,
    group: Option<Key>,
    assignee: Option<AgentId>,
}

/// Moves a ticket to another tier and group: it waits in the group's first queue
/// unless an agent gets it at once.
fn move_to(
    work: &mut Work<'_>,
    id: TicketId,
    place: Place,
    skills: &[SkillLevel],
) -> Result<(), Rejection> {
    let ticket = &work.case(id)?.ticket;
    let mut changes = Vec::new();
    changes.extend(place.tier.filter(|tier| *tier != ticket.tier).map(|to| Change::SetTier { to }));
    let missing = place::missing_skills(&ticket.required_skills, skills);
    if !missing.is_empty() {
        changes.push(Change::RequireSkills { skills: missing });
    }
    let is_other_group = ticket.group != place.group;
    if !changes.is_empty() {
        work.on_case(id, Event::Updated { changes })?;
    }
    ownership::rescind_offer(work, id)?;
    ownership::release(work, id, UnassignedWhy::Escalated)?;
    let desk = work.ctx.desk;
    let queue = place.group.as_ref().and_then(|group| desk.queue_of_group(group));
    if let (true, Some(queue)) = (is_other_group, queue) {
        let event = place::routed(work, queue, RoutedBy::Escalated);
        work.on_case(id, event)?;
    }
    match place.assignee.filter(|agent| work.ctx.roster.active(*agent).is_some()) {
        Some(agent) => ownership::give_to(work, id, agent, AssignedHow::Escalated, None),
        None => place::seek(work, id),
    }
}

fn act(work: &mut Work<'_>, id: TicketId, action: &Action) -> Result<(), Rejection> {
    match action {
        Action::Change { change } => fields::update_ticket(work, id, std::slice::from_ref(change)),
        Action::SetStatus { to } => status::set_checked(work, id, to, StatusWhy::Escalated),
        Action::Unassign => ownership::release(work, id, UnassignedWhy::Escalated),
        Action::Note { text } => note(work, id, Author::System, text),
    }
}

fn note(work: &mut Work<'_>, id: TicketId, author: Author, text: &str) -> Result<(), Rejection> {
    let channel = work.case(id)?.ticket.channel;
    let draft = Draft::new(MessageKind::InternalNote, author, channel, text, work.now);
    add_message(work, id, draft).map(|_| ())
}

/// The acting agent.
fn by(work: &Work<'_>) -> Result<AgentId, Rejection> {
    work.ctx
        .actor
        .agent_id()
        .ok_or_else(|| Rejection::new(Code::Invalid, "agents escalate: act as one"))
}

fn has_chain(work: &Work<'_>, id: TicketId) -> Result<(), Rejection> {
    match work.case(id)?.escalation {
        Some(_) => Ok(()),
        None => Err(Rejection::new(Code::Invalid, "the ticket is not being escalated")),
    }
}

/// `escalate`: the chain goes on now; it begins where there is none.
pub(super) fn escalate(work: &mut Work<'_>, escalate: &Escalate) -> Result<(), Rejection> {
    let id = escalate.ticket;
    work.made.ticket = Some(id);
    let by = by(work)?;
    if !work.case(id)?.ticket.category.is_unsolved() {
        return Err(Rejection::new(Code::Invalid, "only unsolved tickets are escalated"));
    }
    let is_over = |chain: &Chain| chain.progress.done.is_some();
    if work.case(id)?.escalation.as_deref().is_none_or(is_over) {
        start_chain(work, id, false)?;
    }
    if work.case(id)?.escalation.is_none() {
        let message = "no escalation policy holds for the ticket: add one to `escalations`";
        return Err(Rejection::new(Code::NotConfigured, message));
    }
    if let Some(text) = escalate.note.as_deref().filter(|text| !text.trim().is_empty()) {
        note(work, id, Author::Agent { id: by }, text)?;
    }
    let changes = with_scene(work, id, |case, scene| match &case.escalation {
        Some(chain) => force(chain, escalate.step, by, work.now, scene),
        None => Ok(Vec::new()),
    })?;
    put_all(work, id, changes)
}

/// `acknowledge`: an agent takes care, or no longer.
pub(super) fn acknowledge_it(work: &mut Work<'_>, ack: &Acknowledge) -> Result<(), Rejection> {
    let id = ack.ticket;
    work.made.ticket = Some(id);
    let by = by(work)?;
    has_chain(work, id)?;
    let changes = with_scene(work, id, |case, scene| match (&case.escalation, ack.undo) {
        (Some(chain), false) => acknowledge(chain, by, work.now, scene),
        (Some(chain), true) => unacknowledge(chain, by, work.now, scene),
        (None, _) => Ok(Vec::new()),
    })?;
    put_all(work, id, changes)
}

/// `de_escalate`: back to whom it came from, with a note that says why.
pub(super) fn de_escalate(work: &mut Work<'_>, back: &DeEscalate) -> Result<(), Rejection> {
    let id = back.ticket;
    work.made.ticket = Some(id);
    let by = by(work)?;
    has_chain(work, id)?;
    let changes = with_scene(work, id, |case, scene| match &case.escalation {
        Some(chain) => hand_back(chain, &back.note, by, work.now, scene),
        None => Ok(Vec::new()),
    })?;
    note(work, id, Author::Agent { id: by }, &back.note)?;
    put_all(work, id, changes)
}
