//! Import: a ticket of another system as it was.

use super::conversation::{Draft, add_message, check_text};
use super::fields;
use super::intake::{contact_of, normal_id};
use super::opening::under;
use super::status;
use super::work::Work;
use crate::actor::Author;
use crate::case::record::UniqueKey;
use crate::command::ImportTicket;
use crate::event::{AssignedHow, Event, StreamId};
use crate::fault::{Code, Rejection};
use crate::id::{AgentId, ContactId, TicketId, TicketNumber};
use crate::ticket::message::MessageKind;
use crate::ticket::status::StatusCategory;
use crate::ticket::{Ticket, Times};
use crate::trace::Step;

pub(super) fn import_ticket(work: &mut Work<'_>, import: &ImportTicket) -> Result<(), Rejection> {
    let external_id = normal_id(&import.external_id);
    if external_id.is_empty() {
        return Err(Rejection::at(
            Code::Invalid,
            "external_id",
            "empty: import needs it to recognize doubles",
        ));
    }
    let key = UniqueKey::Imported { external_id: external_id.clone() };
    if let Some(case) = work.loaded.case_by(&key) {
        let ticket = case.ticket.id;
        work.made.ticket = Some(ticket);
        work.made.number = Some(case.ticket.number.clone());
        work.trace(Step::Duplicate { ticket });
        return Ok(());
    }
    let number = import.number.clone().or_else(|| work.ctx.number.clone());
    let Some(number) = number else {
        return Err(Rejection::new(Code::Internal, "an import was decided without a number"));
    };
    let requester = contact_of(work, &import.requester)?;
    let ticket = imported_ticket(work, import, requester, number.clone(), external_id)?;
    let id = ticket.id;
    let stream = StreamId::case(id);
    work.put_unique(key, stream, false);
    work.put_unique(UniqueKey::Number { number: number.clone() }, stream, false);
    let end = (ticket.times, ticket.counters);
    let event = Event::Opened { ticket: Box::new(ticket), imported: true, language_by: None };
    let now = work.now;
    work.now = end.0.created_at;
    work.on_case(id, event)?;
    let messages = import_messages(work, id, import, requester)
        .and_then(|()| import_assignee(work, id, import.assignee));
    work.now = now;
    work.made.ticket = Some(id);
    work.made.number = Some(number);
    work.made.contact = Some(requester);
    messages
}

fn import_assignee(
    work: &mut Work<'_>,
    id: TicketId,
    agent: Option<AgentId>,
) -> Result<(), Rejection> {
    let Some(entry) = agent.and_then(|agent| work.ctx.roster.get(agent)) else { return Ok(()) };
    let ticket = &work.case(id)?.ticket;
    let event = Event::Assigned {
        agent: entry.agent.id,
        how: AssignedHow::Imported,
        weight: entry.agent.capacity.weight(ticket.channel),
        counts: work.ctx.desk.counts(ticket.category),
        answer_by: None,
        idle_seconds: None,
        choice: None,
    };
    work.on_case(id, event)
}

fn import_messages(
    work: &mut Work<'_>,
    id: TicketId,
    import: &ImportTicket,
    requester: ContactId,
) -> Result<(), Rejection> {
    for (i, message) in import.messages.iter().enumerate() {
        check_text(&message.text, None, &message.attachments)
            .map_err(|r| under(r, &format!("messages[{i}]")))?;
        let author = match message.agent {
            Some(agent) => Author::Agent { id: agent },
            None => Author::Contact { id: requester },
        };
        if message.kind == MessageKind::InternalNote && author.is_contact() {
            let text = "internal notes are written by agents: name one";
            return Err(Rejection::at(Code::Invalid, format!("messages[{i}].agent"), text));
        }
        // An event does not happen before the one before it.
        work.now = work.now.max(message.sent_at);
        let mut draft =
            Draft::new(message.kind, author, import.channel, &message.text, message.sent_at);
        draft.attachments.clone_from(&message.attachments);
        draft.external_id =
            message.external_id.as_deref().map(normal_id).filter(|id| !id.is_empty());
        add_message(work, id, draft)?;
    }
    Ok(())
}

fn imported_ticket(
    work: &mut Work<'_>,
    import: &ImportTicket,
    requester: ContactId,
    number: TicketNumber,
    external_id: String,
) -> Result<Ticket, Rejection> {
    let status = status::configured(work, &import.status)?;
    if let Some(group) = &import.group
        && work.ctx.desk.group(group).is_none()
    {
        let text = format!("the desk has no group `{group}`");
        return Err(Rejection::at(Code::NotConfigured, "group", text));
    }
    if let Some(agent) = import.assignee {
        known_agent(work, agent, "assignee")?;
    }
    for (i, message) in import.messages.iter().enumerate() {
        if let Some(agent) = message.agent {
            known_agent(work, agent, &format!("messages[{i}].agent"))?;
        }
    }
    let custom = fields::checked_custom(work, &import.custom, "custom")?;
    let tags = fields::checked_tags(&import.tags, "tags")?;
    let subject = fields::checked_subject(&import.subject, "subject")?;
    let language = match &import.language {
        Some(code) => Some(fields::checked_language(code).map_err(|f| f.under("language"))?),
        None => None,
    };
    let id: TicketId = work.ids.derive();
    let mut times = Times::opened(import.created_at);
    times.solved_at =
        import.solved_at.or(import.closed_at).filter(|_| !status.category.is_unsolved());
    times.closed_at = import.closed_at.filter(|_| status.category == StatusCategory::Closed);
    Ok(Ticket {
        subject,
        organization: work.contact(requester).and_then(|contact| contact.organization),
        language,
        status: status.key.clone(),
        category: status.category,
        priority: import.priority,
        ticket_type: import.ticket_type,
        group: import.group.clone(),
        tags,
        custom,
        external_id: Some(external_id),
        times,
        ..Ticket::blank(id, number, requester, import.channel, status, import.created_at)
    })
}

fn known_agent(work: &Work<'_>, agent: AgentId, path: &str) -> Result<(), Rejection> {
    match work.ctx.roster.get(agent) {
        Some(_) => Ok(()),
        None => Err(Rejection::at(Code::NotFound, path, format!("no agent `{agent}`"))),
    }
}
