//! Opening tickets: by command, and to go on from one that is over.

use super::conversation::{self, Draft, add_message, check_text};
use super::fields;
use super::place;
use super::predict;
use super::searches;
use super::work::{Work, not_found};
use crate::actor::{ActorKind, Author};
use crate::case::record::UniqueKey;
use crate::command::{FollowUp, OpenTicket};
use crate::contact::Contact;
use crate::event::{Event, StreamId};
use crate::fault::{Code, Rejection};
use crate::id::{ContactId, Key, TicketId};
use crate::ticket::custom::CustomValues;
use crate::ticket::message::MessageKind;
use crate::ticket::priority::{Channel, Priority, TicketType};
use crate::ticket::relation::{Link, LinkKind};
use crate::ticket::status::StatusCategory;
use crate::ticket::{Follower, Ticket};
use crate::trace::Step;

/// What a new ticket starts with.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) requester: ContactId,
    pub(super) channel: Channel,
    pub(super) mailbox: Option<Key>,
    pub(super) subject: String,
    pub(super) language: Option<(String, Option<String>)>,
    pub(super) priority: Option<Priority>,
    pub(super) ticket_type: Option<TicketType>,
    pub(super) tags: Vec<String>,
    pub(super) custom: CustomValues,
}

/// The guessed language, else the contact's.
pub(super) fn guessed(work: &Work<'_>, contact: ContactId) -> Option<(String, Option<String>)> {
    let guess =
        work.ctx.language.as_ref().map(|guess| (guess.code.clone(), Some(guess.by.clone())));
    guess.or_else(|| Some((work.contact(contact)?.language.clone()?, None)))
}

pub(super) fn open(work: &mut Work<'_>, opening: Opening) -> Result<TicketId, Rejection> {
    let Some(number) = work.ctx.number.clone() else {
        return Err(Rejection::new(Code::Internal, "a new ticket was decided without a number"));
    };
    let id: TicketId = work.ids.derive();
    let table = work.ctx.desk.statuses();
    let status = table.default_of(StatusCategory::New);
    let mailbox = opening.mailbox.as_ref().and_then(|key| work.ctx.desk.mailbox(key));
    let (language, language_by) = opening.language.map_or((None, None), |(l, by)| (Some(l), by));
    if let (Some(language), Some(by)) = (&language, &language_by) {
        work.trace(Step::LanguageGuessed { language: language.clone(), by: by.clone() });
    }
    let ticket = Ticket {
        id,
        number: number.clone(),
        subject: opening.subject,
        requester: opening.requester,
        organization: work.contact(opening.requester).and_then(|contact| contact.organization),
        channel: opening.channel,
        channels: vec![opening.channel],
        brand: mailbox.and_then(|mailbox| mailbox.brand.clone()),
        mailbox: opening.mailbox,
        language,
        status: status.key.clone(),
        category: status.category,
        priority: opening.priority,
        ticket_type: opening.ticket_type,
        tags: opening.tags,
        custom: opening.custom,
        ..Ticket::blank(id, number.clone(), opening.requester, opening.channel, status, work.now)
    };
    let event = Event::Opened { ticket: Box::new(ticket), imported: false, language_by };
    work.on_case(id, event)?;
    work.put_unique(UniqueKey::Number { number: number.clone() }, StreamId::case(id), false);
    work.made.ticket = Some(id);
    work.made.number = Some(number);
    Ok(id)
}

/// Whom a ticket is opened for: requesters open for themselves.
fn opened_for(work: &Work<'_>, open_: &OpenTicket) -> Result<ContactId, Rejection> {
    let actor = work.ctx.actor;
    let requester = match (actor.contact_id(), open_.requester) {
        (Some(own), None) => own,
        (Some(own), Some(other)) if own != other => {
            return Err(Rejection::at(
                Code::Forbidden,
                "requester",
                "requesters open for themselves",
            ));
        }
        (_, Some(requester)) => requester,
        (None, None) => {
            return Err(Rejection::at(
                Code::RequiredField,
                "requester",
                "name the contact who asks",
            ));
        }
    };
    match work.contact(requester) {
        None => Err(not_found("requester", requester)),
        Some(Contact { joined_into: Some(into), .. }) => {
            let text = format!("the contact lives on in `{into}`");
            Err(Rejection::at(Code::Merged, "requester", text))
        }
        Some(_) => Ok(requester),
    }
}

pub(super) fn open_ticket(work: &mut Work<'_>, open_: &OpenTicket) -> Result<(), Rejection> {
    check_text(&open_.text, open_.html.as_deref(), &open_.attachments)?;
    let actor = work.ctx.actor;
    let requester = opened_for(work, open_)?;
    if let Some(mailbox) = &open_.mailbox
        && work.ctx.desk.mailbox(mailbox).is_none()
    {
        let text = format!("the desk has no mailbox `{mailbox}`");
        return Err(Rejection::at(Code::NotConfigured, "mailbox", text));
    }
    if open_.queue.is_some() && actor.kind == ActorKind::Requester {
        return Err(Rejection::at(Code::Forbidden, "queue", "requesters do not choose the queue"));
    }
    let subject = fields::checked_subject(&open_.subject, "subject")?;
    let channel = open_.channel.unwrap_or(Channel::Api);
    let by_requester = actor.kind == ActorKind::Requester;
    let opening = Opening {
        requester,
        channel,
        mailbox: open_.mailbox.clone(),
        subject,
        language: guessed(work, requester),
        priority: None,
        ticket_type: None,
        tags: Vec::new(),
        custom: CustomValues::new(),
    };
    let id = open(work, opening)?;
    searches::ended_in(work, open_.search_session, id);
    let kind = if open_.as_note && !by_requester {
        MessageKind::InternalNote
    } else {
        MessageKind::PublicReply
    };
    // The host speaks for the requester when it opens a ticket.
    let author = match actor.author() {
        Author::System => Author::Contact { id: requester },
        author => author,
    };
    let mut draft = Draft::new(kind, author, channel, &open_.text, work.now);
    draft.html.clone_from(&open_.html);
    draft.attachments.clone_from(&open_.attachments);
    if kind == MessageKind::PublicReply && !author.is_contact() {
        conversation::agent_reply(work, id, draft)?;
    } else {
        add_message(work, id, draft)?;
    }
    if !open_.changes.is_empty() {
        fields::update_ticket(work, id, &open_.changes).map_err(|r| under(r, ""))?;
    }
    predict::predict(work, id)?;
    place::route(work, id, open_.queue.as_ref())
}

/// The refusal with a part put before its path.
pub(super) fn under(mut rejection: Rejection, prefix: &str) -> Rejection {
    rejection.path = rejection.path.map(|path| crate::fault::join_path(prefix, &path));
    rejection
}

/// Opens a ticket that goes on from one that is over. Its fields come along.
pub(super) fn open_follow_up(
    work: &mut Work<'_>,
    old: &Ticket,
    subject: Option<String>,
    draft: Draft,
) -> Result<TicketId, Rejection> {
    let opening = Opening {
        requester: old.requester,
        channel: draft.channel,
        mailbox: old.mailbox.clone(),
        subject: subject.unwrap_or_else(|| old.subject.clone()),
        language: old.language.clone().map(|language| (language, None)),
        priority: old.priority,
        ticket_type: old.ticket_type,
        tags: old.tags.clone(),
        custom: old.custom.clone(),
    };
    let id = open(work, opening)?;
    let copies: Vec<Follower> = old.followers.clone();
    for follower in copies {
        work.on_case(id, Event::FollowerAdded { follower })?;
    }
    link_follow_up(work, old.id, id)?;
    if draft.author.is_contact() || draft.kind != MessageKind::PublicReply {
        add_message(work, id, draft)?;
    } else {
        conversation::agent_reply(work, id, draft)?;
    }
    Ok(id)
}

fn link_follow_up(work: &mut Work<'_>, old: TicketId, new: TicketId) -> Result<(), Rejection> {
    work.on_case(new, Event::Linked { link: Link { kind: LinkKind::FollowUpOf, to: old } })?;
    work.on_case(old, Event::Linked { link: Link { kind: LinkKind::FollowedUpBy, to: new } })
}

pub(super) fn follow_up(work: &mut Work<'_>, follow: &FollowUp) -> Result<(), Rejection> {
    check_text(&follow.text, None, &[])?;
    let old = work.case(follow.ticket)?.ticket.clone();
    if old.category.is_unsolved() {
        let text =
            format!("only solved and closed tickets are followed up; this one is {}", old.category);
        return Err(Rejection::new(Code::Invalid, text));
    }
    let subject = match &follow.subject {
        Some(subject) => Some(fields::checked_subject(subject, "subject")?),
        None => None,
    };
    let author = match work.ctx.actor.author() {
        Author::System => Author::Contact { id: old.requester },
        author => author,
    };
    let draft = Draft::new(MessageKind::PublicReply, author, old.channel, &follow.text, work.now);
    let id = open_follow_up(work, &old, subject, draft)?;
    place::route(work, id, None)
}
