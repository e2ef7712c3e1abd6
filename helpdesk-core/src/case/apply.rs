//! How each event changes a thing: the only way state changes.
//!
//! `fold(journal) == stored record`, for every kind of stream with a history.

use super::article::apply_to_article;
use super::erase::{erase_contact, erase_ticket};
use super::record::Record;
use super::{Case, Offer};
use crate::actor::Author;
use crate::agent::Presence;
use crate::clock::{self, Slot};
use crate::escalation::chain;
use crate::event::{Event, StreamId, StreamKind};
use crate::id::AgentId;
use crate::ticket::change::add_sorted;
use crate::ticket::message::{MessageKind, MessageMeta};
use crate::ticket::priority::SkillLevel;
use crate::ticket::status::StatusCategory;
use crate::ticket::{Excluded, Ticket};
use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

/// An event that does not fit the state it is applied to: a damaged journal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("event {n_or_name} does not fit the {kind} it belongs to")]
pub struct MisfitEvent {
    /// The kind of stream.
    pub kind: &'static str,
    /// What was applied.
    pub n_or_name: String,
}

/// Makes the change that an event stands for.
///
/// `record` is the state before, `None` where nothing stands yet. A place whose entry is in the
/// archive changes nothing: put the archive's entries back to fold from the first one on
/// ([`filled`](super::archive::filled)).
///
/// # Errors
///
/// [`MisfitEvent`] when the event belongs to another kind of thing, or to a
/// thing that does not exist.
pub fn apply(
    stream: StreamId,
    record: &mut Option<Record>,
    event: &Event,
    at: DateTime<Utc>,
) -> Result<(), MisfitEvent> {
    let fits = match (&mut *record, event) {
        (_, Event::Archived { .. }) => true,
        (Some(Record::Case(case)), _) => apply_to_case(case, event, at),
        (Some(Record::Article(article)), _) => apply_to_article(article, event, at),
        (None, Event::Opened { ticket, .. }) => {
            *record = Some(Record::Case(Box::new(Case::new((**ticket).clone()))));
            true
        }
        // The document stands beside the journal, as texts do.
        (_, Event::ConfigApplied { .. }) => stream.kind == StreamKind::Config,
        (Some(_), _) => apply_to_person(record, event),
        (None, _) => create(stream, record, event),
    };
    if fits {
        return Ok(());
    }
    let name = event.name();
    Err(MisfitEvent { kind: stream.kind.as_str(), n_or_name: format!("`{name}`") })
}

fn create(stream: StreamId, record: &mut Option<Record>, event: &Event) -> bool {
    let made = match event {
        Event::ContactCreated { contact } => Record::Contact(contact.clone()),
        Event::OrganizationCreated { organization } => Record::Organization(organization.clone()),
        Event::AgentCreated { agent } => Record::Agent(agent.clone()),
        Event::ArticleCreated { article } => Record::Article(article.clone()),
        Event::PresenceSet { channels } if stream.kind == StreamKind::Presence => {
            let mut presence = Presence::none(AgentId(stream.id));
            presence.channels.extend(channels.iter().cloned());
            Record::Presence(presence)
        }
        _ => return false,
    };
    *record = Some(made);
    true
}

fn apply_to_person(record: &mut Option<Record>, event: &Event) -> bool {
    match (record, event) {
        (Some(Record::Contact(contact)), Event::ContactUpdated { patch })
        | (Some(Record::Contact(contact)), Event::ContactAbsorbed { patch, .. }) => {
            patch.apply(contact);
        }
        (Some(Record::Contact(contact)), Event::ContactAnswered { by }) => {
            contact.last_answered_by = Some(*by);
        }
        (Some(Record::Contact(contact)), Event::ContactErased) => erase_contact(contact),
        (Some(Record::Contact(contact)), Event::ContactJoined { into }) => {
            contact.joined_into = Some(*into);
            contact.identities.clear();
        }
        (Some(Record::Organization(organization)), Event::OrganizationUpdated { patch }) => {
            patch.apply(organization);
        }
        (Some(Record::Agent(agent)), Event::AgentUpdated { patch }) => patch.apply(agent),
        (Some(Record::Agent(agent)), Event::AgentDeactivated) => agent.active = false,
        (Some(Record::Presence(presence)), Event::PresenceSet { channels }) => {
            presence.channels.extend(channels.iter().cloned());
        }
        _ => return false,
    }
    true
}

fn apply_to_case(case: &mut Case, event: &Event, at: DateTime<Utc>) -> bool {
    case.last_event_at = case.last_event_at.max(Some(at));
    let fits = match event {
        Event::Replied { message } | Event::Noted { message } => {
            add_message(case, message, at);
            true
        }
        Event::Assigned { .. }
        | Event::Unassigned { .. }
        | Event::Offered { .. }
        | Event::OfferEnded { .. }
        | Event::Excluded { .. } => apply_ownership(case, event, at),
        Event::Routed { .. } | Event::Waiting { .. } | Event::Unroutable => {
            apply_routing(case, event)
        }
        Event::StatusSet { .. } => apply_status(case, event, at),
        Event::AutoCloseLeft => {
            case.auto_close_at = None;
            true
        }
        Event::PolicyPicked { .. }
        | Event::ClockChanged { .. }
        | Event::EscalationChanged { .. }
        | Event::IdleLater { .. } => {
            // What the desk measures and watches is no news of the ticket.
            return apply_watch(case, event);
        }
        _ => apply_field(&mut case.ticket, event),
    };
    if !fits {
        return false;
    }
    if !matches!(event, Event::Seen { .. }) {
        case.ticket.times.updated_at = at;
    }
    case.idle_at = idle_end(case);
    true
}

fn apply_watch(case: &mut Case, event: &Event) -> bool {
    match event {
        Event::PolicyPicked { slot, policy, .. } => match slot {
            Slot::Requester => case.requester_policy.clone_from(policy),
            Slot::Group => case.group_policy.clone_from(policy),
        },
        Event::ClockChanged { change } => clock::apply(&mut case.clocks, change),
        Event::EscalationChanged { change } => {
            let mut chain = case.escalation.take().map(|chain| *chain);
            chain::apply(&mut chain, change);
            case.escalation = chain.map(Box::new);
        }
        Event::IdleLater { idle_at } => case.idle_at = *idle_at,
        _ => return false,
    }
    true
}

/// While an agent should act, nothing may happen for `idle_seconds`.
fn idle_end(case: &Case) -> Option<DateTime<Utc>> {
    let ticket = &case.ticket;
    let runs = ticket.assignee.is_some() && ticket.category.waits_for_agent() && ticket.is_live();
    let seconds = case.idle_seconds.filter(|_| runs)?;
    after_seconds(ticket.times.updated_at, seconds)
}

/// The instant `seconds` later, `None` beyond the end of time.
#[must_use]
pub fn after_seconds(at: DateTime<Utc>, seconds: u64) -> Option<DateTime<Utc>> {
    at.checked_add_signed(TimeDelta::try_seconds(i64::try_from(seconds).ok()?)?)
}

fn add_message(case: &mut Case, message: &MessageMeta, at: DateTime<Utc>) {
    let ticket = &mut case.ticket;
    ticket.counters.messages = message.seq;
    ticket.counters.attachments += n(message.attachments.len());
    if message.kind != MessageKind::PublicReply {
        return;
    }
    ticket.newest_public_seq = message.seq;
    ticket.newest_public_bytes = message.text_bytes;
    add_sorted(&mut ticket.channels, &[message.channel]);
    match message.author {
        Author::Contact { .. } => ticket.times.last_requester_at = Some(at),
        Author::Agent { id } => {
            ticket.times.last_agent_at = Some(at);
            ticket.times.first_replied_at.get_or_insert(at);
            ticket.counters.agent_touches += 1;
            ticket.last_answered_by = Some(id);
            case.answer_by = None;
        }
        Author::Bot { .. } => ticket.times.last_agent_at = Some(at),
        Author::System => {}
    }
}

fn apply_ownership(case: &mut Case, event: &Event, at: DateTime<Utc>) -> bool {
    match event {
        Event::Assigned { agent, weight, counts, answer_by, idle_seconds, .. } => {
            let ticket = &mut case.ticket;
            let before = ticket.assignee.or(ticket.last_assignee);
            if before.is_some_and(|before| before != *agent) {
                ticket.counters.reassignments += 1;
            }
            if ticket.assignee.is_some_and(|before| before != *agent) {
                ticket.last_assignee = ticket.assignee;
            }
            ticket.assignee = Some(*agent);
            // Whoever has it is not excluded any more, but for what they skip from now on.
            ticket.excluded.retain(|excluded| excluded.agent != *agent);
            ticket.times.assigned_at = Some(at);
            case.unassigned_since = None;
            case.weight = *weight;
            case.counts = *counts;
            case.answer_by = *answer_by;
            case.idle_seconds = *idle_seconds;
            case.look_again_at = None;
        }
        Event::Unassigned { agent, .. } => {
            case.ticket.last_assignee = Some(*agent);
            case.ticket.assignee = None;
            case.ticket.times.assigned_at = None;
            case.unassigned_since = Some(at);
            case.weight = 0;
            case.counts = false;
            case.answer_by = None;
            case.idle_seconds = None;
        }
        Event::Offered { agent, expires_at, weight, .. } => {
            case.offer = Some(Offer {
                agent: *agent,
                offered_at: at,
                expires_at: *expires_at,
                weight: *weight,
            });
            case.look_again_at = None;
        }
        Event::OfferEnded { .. } => case.offer = None,
        Event::Excluded { agent, until, .. } => {
            case.ticket.excluded.retain(|e| e.agent != *agent);
            add_sorted(&mut case.ticket.excluded, &[Excluded { agent: *agent, until: *until }]);
        }
        _ => return false,
    }
    true
}

fn apply_routing(case: &mut Case, event: &Event) -> bool {
    match event {
        Event::Routed {
            queue,
            group,
            entered_queue_at,
            priority,
            ticket_type,
            tags,
            skills,
            ..
        } => {
            let ticket = &mut case.ticket;
            ticket.queue = Some(queue.clone());
            ticket.group = Some(group.clone());
            ticket.entered_queue_at = Some(*entered_queue_at);
            ticket.priority = priority.or(ticket.priority);
            ticket.ticket_type = ticket_type.or(ticket.ticket_type);
            add_sorted(&mut ticket.tags, tags);
            require_skills(&mut ticket.required_skills, skills);
            case.stage = 0;
            case.look_again_at = None;
        }
        Event::Waiting { stage, look_again_at } => {
            case.stage = *stage;
            case.look_again_at = *look_again_at;
        }
        Event::Unroutable => {}
        _ => return false,
    }
    true
}

/// Adds required skills; the higher level of a skill counts.
fn require_skills(required: &mut Vec<SkillLevel>, more: &[SkillLevel]) {
    for skill in more {
        match required.iter_mut().find(|s| s.skill == skill.skill) {
            Some(known) => known.level = known.level.max(skill.level),
            None => add_sorted(required, std::slice::from_ref(skill)),
        }
    }
}

fn apply_status(case: &mut Case, event: &Event, at: DateTime<Utc>) -> bool {
    let Event::StatusSet { to, category, counts, auto_close_at, .. } = event else { return false };
    let ticket = &mut case.ticket;
    let was = ticket.category;
    ticket.status = to.clone();
    ticket.category = *category;
    case.counts = *counts;
    case.auto_close_at = *auto_close_at;
    match category {
        StatusCategory::Solved if was != StatusCategory::Solved => {
            ticket.times.solved_at = Some(at);
        }
        StatusCategory::Closed => {
            ticket.times.closed_at = Some(at);
            ticket.times.solved_at.get_or_insert(at);
        }
        _ => {}
    }
    if was == StatusCategory::Solved && category.is_unsolved() {
        ticket.counters.reopens += 1;
        ticket.times.solved_at = None;
    }
    if !category.is_unsolved() {
        ticket.snoozed_until = None;
        case.answer_by = None;
        case.look_again_at = None;
    }
    true
}

fn apply_field(ticket: &mut Ticket, event: &Event) -> bool {
    match event {
        Event::Updated { changes } => changes.iter().for_each(|change| change.apply(ticket)),
        Event::Predicted { change, .. } => change.apply(ticket),
        Event::Redacted { n_attachments, .. } => {
            ticket.counters.attachments =
                ticket.counters.attachments.saturating_sub(*n_attachments);
        }
        Event::WriterErased { of_requester, messages, n_attachments } => {
            ticket.counters.attachments =
                ticket.counters.attachments.saturating_sub(*n_attachments);
            if messages.contains(&ticket.newest_public_seq) {
                ticket.newest_public_bytes = 0;
            }
            if *of_requester {
                erase_ticket(ticket);
            }
        }
        Event::AttachmentAdded { .. } => ticket.counters.attachments += 1,
        Event::Snoozed { until } => ticket.snoozed_until = Some(*until),
        Event::Woken => ticket.snoozed_until = None,
        Event::FollowerAdded { follower } => add_sorted(&mut ticket.followers, &[*follower]),
        Event::FollowerRemoved { follower } => ticket.followers.retain(|f| f != follower),
        Event::MarkedSpam => ticket.spam = true,
        Event::UnmarkedSpam => ticket.spam = false,
        Event::Deleted => ticket.deleted = true,
        Event::Restored => ticket.deleted = false,
        Event::Linked { link } => add_sorted(&mut ticket.links, &[*link]),
        Event::Unlinked { link } => ticket.links.retain(|l| l != link),
        Event::ParentSet { parent } => ticket.parent = *parent,
        Event::NoteEdited { .. } | Event::Seen { .. } | Event::MacroRun { .. } => {}
        _ => return false,
    }
    true
}

fn n(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
