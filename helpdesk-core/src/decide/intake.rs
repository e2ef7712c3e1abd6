//! From a message to a ticket: threading, contacts, opening, follow-ups, import.

use super::conversation::{self, Draft, add_message, check_attachments, check_text};
use super::fields;
use super::place;
use super::status;
use super::timers;
use super::trace::{JoinedBy, NotJoinedWhy, Step};
use super::work::{Work, not_found};
use crate::actor::{ActorKind, Author};
use crate::case::record::UniqueKey;
use crate::command::{FollowUp, ImportTicket, OpenTicket};
use crate::contact::{Contact, Identity};
use crate::desk::document::FollowUp as FollowUpRule;
use crate::effect::{AgentNews, Effect};
use crate::event::{AssignedHow, Event, StatusWhy, StreamId};
use crate::fault::{Code, Rejection};
use crate::id::{AgentId, ContactId, Key, OrganizationId, TicketId};
use crate::intake::inbound::{InboundMessage, Sender};
use crate::limit::{
    ATTACHMENTS_MAX, EXTERNAL_ID_CHARS_MAX, FOLLOWERS_MAX, HTML_BYTES_MAX, NAME_CHARS_MAX,
    REFERENCES_MAX, SUBJECT_CHARS_MAX, TEXT_BYTES_MAX,
};
use crate::ticket::custom::CustomValues;
use crate::ticket::message::MessageKind;
use crate::ticket::priority::{Channel, Priority, TicketType};
use crate::ticket::relation::{Link, LinkKind};
use crate::ticket::status::StatusCategory;
use crate::ticket::{Counters, Follower, Ticket, Times};
use chrono::TimeDelta;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Contacts that one message may make by its copies.
pub(super) const COPIES_MAX: usize = 40;
/// Chars of a subject that is made from the first words.
const MADE_SUBJECT_CHARS_MAX: usize = 80;

pub(super) fn receive(work: &mut Work<'_>, message: &InboundMessage) -> Result<(), Rejection> {
    check_inbound(work, message)?;
    let own_key = message_key(message.mailbox.as_ref(), &message.external_id);
    if let Some(case) = work.loaded.case_by(&own_key) {
        let ticket = case.ticket.id;
        work.made.ticket = Some(ticket);
        work.made.number = Some(case.ticket.number.clone());
        work.trace(Step::Duplicate { ticket });
        return Ok(());
    }
    let contact = contact_of(work, &message.from)?;
    work.made.contact = Some(contact);
    let draft = inbound_draft(work, message, contact);
    if let Some((ticket, by)) = find_thread(work, message, contact) {
        work.trace(Step::Joined { ticket, by });
        timers::catch_up(work, ticket)?;
        let at = requester_wrote(work, ticket, draft, message.thread_key.as_deref())?;
        return add_copies(work, at, message);
    }
    let id = open_inbound(work, message, contact, draft)?;
    if let Some(thread_key) = &message.thread_key {
        let key = thread_unique(message.mailbox.as_ref(), thread_key);
        let holder = work.loaded.case_by(&key);
        // A deleted ticket's conversation goes on in the new one.
        if holder.is_none_or(|case| case.ticket.deleted) {
            work.put_unique(key, StreamId::case(id), holder.is_some());
        }
    }
    place::route(work, id, None)
}

fn check_inbound(work: &Work<'_>, message: &InboundMessage) -> Result<(), Rejection> {
    if normal_id(&message.external_id).is_empty() {
        return Err(Rejection::at(
            Code::Invalid,
            "external_id",
            "empty: intake needs it to recognize doubles",
        ));
    }
    if let Some(mailbox) = &message.mailbox
        && work.ctx.desk.mailbox(mailbox).is_none()
    {
        let text = format!("the desk has no mailbox `{mailbox}`");
        return Err(Rejection::at(Code::NotConfigured, "mailbox", text));
    }
    let from = message.from.identity.clone().normalized();
    if !from.is_plausible() {
        let text = format!("`{}` is no address, number or handle to answer to", from.value);
        return Err(Rejection::at(Code::Invalid, "from.identity.value", text));
    }
    if message.attachments.len() <= ATTACHMENTS_MAX {
        check_attachments(&message.attachments)?;
    }
    Ok(())
}

/// The message, normalized and cut to the limits.
fn inbound_draft(work: &mut Work<'_>, message: &InboundMessage, contact: ContactId) -> Draft {
    let n_before = work.n_steps();
    let text = cut_bytes(work, "text", nfc(&message.text), TEXT_BYTES_MAX);
    let html = message.html.as_ref().map(|html| cut_bytes(work, "html", nfc(html), HTML_BYTES_MAX));
    let mut attachments = message.attachments.clone();
    if attachments.len() > ATTACHMENTS_MAX {
        truncated(work, "attachments", attachments.len(), ATTACHMENTS_MAX);
        attachments.truncate(ATTACHMENTS_MAX);
    }
    Draft {
        kind: MessageKind::PublicReply,
        author: Author::Contact { id: contact },
        channel: message.channel,
        text,
        html,
        attachments,
        external_id: Some(normal_id(&message.external_id)),
        sent_at: message.sent_at.map_or(work.now, |at| at.min(work.now)),
        truncated: work.n_steps() > n_before,
    }
}

/// NFC, so that the same letters are the same chars.
fn nfc(text: &str) -> String {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text.to_owned(),
        IsNormalized::No | IsNormalized::Maybe => text.nfc().collect(),
    }
}

fn cut_bytes(work: &mut Work<'_>, what: &str, mut text: String, max: usize) -> String {
    if text.len() <= max {
        return text;
    }
    let from = text.len();
    let end = text.floor_char_boundary(max);
    text.truncate(end);
    truncated(work, what, from, end);
    text
}

fn cut_chars(work: &mut Work<'_>, what: &str, text: &str, max: usize) -> String {
    let n = text.chars().count();
    if n <= max {
        return text.to_owned();
    }
    truncated(work, what, n, max);
    text.chars().take(max).collect()
}

fn truncated(work: &mut Work<'_>, what: &str, from: usize, to: usize) {
    work.trace(Step::Truncated { what: what.to_owned(), from: from as u64, to: to as u64 });
}

/// A channel's id in its one form: without `<>` and blanks, 998 chars at most.
pub(super) fn normal_id(id: &str) -> String {
    let trimmed = id.trim();
    let inner = trimmed.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(trimmed);
    inner.trim().chars().take(EXTERNAL_ID_CHARS_MAX).collect()
}

/// The key by which a message with this external id is found.
pub(super) fn message_key(mailbox: Option<&Key>, external_id: &str) -> UniqueKey {
    UniqueKey::Message { mailbox: mailbox.cloned(), external_id: normal_id(external_id) }
}

/// The key by which a channel's conversation is found.
pub(super) fn thread_unique(mailbox: Option<&Key>, thread_key: &str) -> UniqueKey {
    UniqueKey::Thread { mailbox: mailbox.cloned(), thread_key: normal_id(thread_key) }
}

/// The keys under which a message may find its ticket, in the order they count.
pub(super) fn thread_keys(message: &InboundMessage) -> Vec<(UniqueKey, JoinedBy)> {
    let mailbox = message.mailbox.as_ref();
    let mut keys = Vec::new();
    if let Some(key) = &message.thread_key {
        keys.push((thread_unique(mailbox, key), JoinedBy::ThreadKey));
    }
    if let Some(id) = &message.in_reply_to {
        keys.push((message_key(mailbox, id), JoinedBy::InReplyTo));
    }
    for id in message.references.iter().rev().take(REFERENCES_MAX) {
        keys.push((message_key(mailbox, id), JoinedBy::References));
    }
    keys
}

fn find_thread(
    work: &mut Work<'_>,
    message: &InboundMessage,
    contact: ContactId,
) -> Option<(TicketId, JoinedBy)> {
    for (key, by) in thread_keys(message) {
        let Some(case) = work.loaded.case_by(&key) else { continue };
        let ticket = case.ticket.id;
        let why = if case.ticket.deleted {
            NotJoinedWhy::Deleted
        } else if !takes_part(work, &case.ticket, contact) {
            NotJoinedWhy::NoParticipant
        } else {
            return Some((ticket, by));
        };
        work.trace(Step::NotJoined { ticket, why });
    }
    None
}

/// Whether the contact takes part in the ticket, under its own id or as the one
/// in whom the requester lives on.
fn takes_part(work: &Work<'_>, ticket: &Ticket, contact: ContactId) -> bool {
    let joined = work.contact(ticket.requester).and_then(|requester| requester.joined_into);
    ticket.has_participant(contact) || joined == Some(contact)
}

/// A requester's public message on a ticket: joins it, or goes on in a new one.
/// The ticket it is in.
pub(super) fn requester_wrote(
    work: &mut Work<'_>,
    id: TicketId,
    draft: Draft,
    thread_key: Option<&str>,
) -> Result<TicketId, Rejection> {
    let ticket = work.case(id)?.ticket.clone();
    let goes_on_elsewhere = match ticket.category {
        StatusCategory::Closed => Some(NotJoinedWhy::Closed),
        StatusCategory::Solved if !reopens(work, &ticket) => Some(NotJoinedWhy::Solved),
        _ => None,
    };
    if let Some(why) = goes_on_elsewhere {
        work.trace(Step::NotJoined { ticket: id, why });
        let new = open_follow_up(work, &ticket, None, draft)?;
        if let Some(thread_key) = thread_key {
            let key = thread_unique(ticket.mailbox.as_ref(), thread_key);
            work.put_unique(key, StreamId::case(new), true);
        }
        place::route(work, new, None)?;
        return Ok(new);
    }
    add_message(work, id, draft)?;
    work.made.ticket = Some(id);
    work.made.number = Some(ticket.number.clone());
    if !ticket.is_live() {
        return Ok(id);
    }
    if ticket.snoozed_until.is_some() {
        work.on_case(id, Event::Woken)?;
    }
    match ticket.category {
        StatusCategory::Pending | StatusCategory::OnHold | StatusCategory::Solved => {
            status::automatic(work, id, StatusCategory::Open, StatusWhy::RequesterReplied)?;
        }
        StatusCategory::New | StatusCategory::Open if ticket.snoozed_until.is_some() => {
            place::seek(work, id)?;
        }
        StatusCategory::New | StatusCategory::Open | StatusCategory::Closed => {}
    }
    tell_of_reply(work, id)?;
    Ok(id)
}

fn tell_of_reply(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    let ticket = work.case(id)?.ticket.clone();
    match (ticket.assignee, &ticket.group) {
        (Some(agent), _) => {
            work.wish(Effect::NotifyAgent { ticket: id, agent, news: AgentNews::RequesterReplied });
        }
        (None, Some(group)) => work.wish(Effect::NotifyGroup { ticket: id, group: group.clone() }),
        (None, None) => {}
    }
    conversation::tell_followers(work, &ticket);
    Ok(())
}

/// Whether a requester's message opens a solved ticket again, by the mailbox's rule.
fn reopens(work: &Work<'_>, ticket: &Ticket) -> bool {
    match work.ctx.desk.follow_up(ticket.mailbox.as_ref()) {
        FollowUpRule::Reopen => true,
        FollowUpRule::NewTicket => false,
        FollowUpRule::ReopenWithinSeconds(seconds) => {
            let window = i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds);
            let since = ticket.times.solved_at.map(|solved| work.now - solved);
            window.zip(since).is_none_or(|(window, since)| since <= window)
        }
    }
}

/// The contact with the sender's identity; made when there is none.
fn contact_of(work: &mut Work<'_>, sender: &Sender) -> Result<ContactId, Rejection> {
    let identity = sender.identity.clone().normalized();
    let key = UniqueKey::Identity { key: identity.lookup_key() };
    if let Some(contact) = work.loaded.contact_by(&key) {
        return Ok(contact.joined_into.unwrap_or(contact.id));
    }
    if let Some(made) = work.made_contact(&key) {
        return Ok(made);
    }
    let organization = organization_of(work, &identity);
    let name = sender.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let name = match name {
        Some(name) => cut_chars(work, "name", &nfc(name), NAME_CHARS_MAX),
        None => identity.value.clone(),
    };
    let id: ContactId = work.ids.derive();
    let contact = Contact {
        id,
        name,
        identities: vec![identity],
        organization,
        language: None,
        time_zone: None,
        tags: Vec::new(),
        requester_tier: None,
        custom: CustomValues::new(),
        notes: String::new(),
        last_answered_by: None,
        joined_into: None,
    };
    work.emit(StreamId::contact(id), Event::ContactCreated { contact: Box::new(contact) })?;
    work.put_unique(key, StreamId::contact(id), false);
    work.trace(Step::ContactMade { contact: id });
    Ok(id)
}

fn organization_of(work: &Work<'_>, identity: &Identity) -> Option<OrganizationId> {
    let domain = identity.domain()?.to_owned();
    let stream = work.loaded.find(&UniqueKey::Domain { domain })?;
    Some(OrganizationId(stream.id))
}

/// Puts the copies on the ticket as followers, but for the desk's own addresses.
fn add_copies(
    work: &mut Work<'_>,
    id: TicketId,
    message: &InboundMessage,
) -> Result<(), Rejection> {
    for sender in message.cc.iter().take(COPIES_MAX) {
        let identity = sender.identity.clone().normalized();
        if !identity.is_plausible() || is_own_address(work, &identity) {
            continue;
        }
        let contact = contact_of(work, sender)?;
        let follower = Follower::Contact { id: contact };
        let ticket = &work.case(id)?.ticket;
        let is_known = ticket.requester == contact || ticket.followers.contains(&follower);
        if !is_known && ticket.followers.len() < FOLLOWERS_MAX {
            work.on_case(id, Event::FollowerAdded { follower })?;
        }
    }
    Ok(())
}

/// Whether one of the desk's mailboxes has this address.
fn is_own_address(work: &Work<'_>, identity: &Identity) -> bool {
    let mut addresses = work.ctx.desk.mailboxes().filter_map(|mailbox| mailbox.address.as_deref());
    addresses.any(|address| address.eq_ignore_ascii_case(&identity.value))
}

/// What a new ticket starts with.
#[derive(Debug)]
struct Opening {
    requester: ContactId,
    channel: Channel,
    mailbox: Option<Key>,
    subject: String,
    language: Option<(String, Option<String>)>,
    priority: Option<Priority>,
    ticket_type: Option<TicketType>,
    tags: Vec<String>,
    custom: CustomValues,
}

fn open_inbound(
    work: &mut Work<'_>,
    message: &InboundMessage,
    contact: ContactId,
    draft: Draft,
) -> Result<TicketId, Rejection> {
    let custom = fields::checked_custom(work, &message.custom, "custom")?;
    let tags = fields::checked_tags(&message.tags, "tags")?;
    let subject = match message.subject.as_deref().map(str::trim).filter(|s| !s.is_empty()) {
        Some(subject) => cut_chars(work, "subject", &nfc(subject), SUBJECT_CHARS_MAX),
        None => subject_from(&draft.text),
    };
    let language = message.language.as_ref().map(|code| (code.to_lowercase(), None));
    let opening = Opening {
        requester: contact,
        channel: message.channel,
        mailbox: message.mailbox.clone(),
        subject,
        language: language.or_else(|| guessed(work, contact)),
        priority: message.priority,
        ticket_type: message.ticket_type,
        tags,
        custom,
    };
    let id = open(work, opening)?;
    add_message(work, id, draft)?;
    add_copies(work, id, message)?;
    Ok(id)
}

/// The guessed language, else the contact's.
fn guessed(work: &Work<'_>, contact: ContactId) -> Option<(String, Option<String>)> {
    let guess =
        work.ctx.language.as_ref().map(|guess| (guess.code.clone(), Some(guess.by.clone())));
    guess.or_else(|| Some((work.contact(contact)?.language.clone()?, None)))
}

/// A subject from a text's first words.
fn subject_from(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("(no subject)");
    if line.chars().count() <= MADE_SUBJECT_CHARS_MAX {
        return line.to_owned();
    }
    let start: String = line.chars().take(MADE_SUBJECT_CHARS_MAX - 1).collect();
    let cut = start.rsplit_once(char::is_whitespace).map_or(start.as_str(), |(words, _)| words);
    format!("{}…", cut.trim_end())
}

fn open(work: &mut Work<'_>, opening: Opening) -> Result<TicketId, Rejection> {
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
        ..blank(id, number.clone(), opening.requester, opening.channel, work)
    };
    let event = Event::Opened { ticket: Box::new(ticket), imported: false, language_by };
    work.on_case(id, event)?;
    work.put_unique(UniqueKey::Number { number: number.clone() }, StreamId::case(id), false);
    work.made.ticket = Some(id);
    work.made.number = Some(number);
    Ok(id)
}

fn blank(
    id: TicketId,
    number: crate::id::TicketNumber,
    requester: ContactId,
    channel: Channel,
    work: &Work<'_>,
) -> Ticket {
    let status = work.ctx.desk.statuses().default_of(StatusCategory::New);
    Ticket {
        id,
        number,
        subject: String::new(),
        requester,
        organization: None,
        channel,
        channels: vec![channel],
        mailbox: None,
        brand: None,
        language: None,
        status: status.key.clone(),
        category: status.category,
        priority: None,
        impact: None,
        urgency: None,
        ticket_type: None,
        queue: None,
        entered_queue_at: None,
        group: None,
        assignee: None,
        last_assignee: None,
        last_answered_by: None,
        tier: None,
        required_skills: Vec::new(),
        preferred_skills: Vec::new(),
        excluded: Vec::new(),
        tags: Vec::new(),
        custom: CustomValues::new(),
        followers: Vec::new(),
        links: Vec::new(),
        parent: None,
        snoozed_until: None,
        newest_public_seq: 0,
        newest_public_bytes: 0,
        external_id: None,
        counters: Counters::default(),
        times: Times::opened(work.now),
        spam: false,
        deleted: false,
    }
}

pub(super) fn open_ticket(work: &mut Work<'_>, open_: &OpenTicket) -> Result<(), Rejection> {
    check_text(&open_.text, open_.html.as_deref(), &open_.attachments)?;
    let actor = work.ctx.actor;
    let requester = requester_of(work, open_)?;
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
    place::route(work, id, open_.queue.as_ref())
}

/// For whom a ticket is opened: a contact that stands for itself.
fn requester_of(work: &Work<'_>, open: &OpenTicket) -> Result<ContactId, Rejection> {
    let requester = match (work.ctx.actor.contact_id(), open.requester) {
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

fn under(mut rejection: Rejection, prefix: &str) -> Rejection {
    rejection.path = rejection.path.map(|path| crate::fault::join_path(prefix, &path));
    rejection
}

/// Opens a ticket that goes on from one that is over. Its fields come along.
fn open_follow_up(
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
    number: crate::id::TicketNumber,
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
    let id: TicketId = work.ids.derive();
    let mut times = Times::opened(import.created_at);
    times.solved_at =
        import.solved_at.or(import.closed_at).filter(|_| !status.category.is_unsolved());
    times.closed_at = import.closed_at.filter(|_| status.category == StatusCategory::Closed);
    Ok(Ticket {
        subject,
        organization: work.contact(requester).and_then(|contact| contact.organization),
        language: import.language.clone(),
        status: status.key.clone(),
        category: status.category,
        priority: import.priority,
        ticket_type: import.ticket_type,
        group: import.group.clone(),
        tags,
        custom,
        external_id: Some(external_id),
        times,
        ..blank(id, number, requester, import.channel, work)
    })
}

fn known_agent(work: &Work<'_>, agent: AgentId, path: &str) -> Result<(), Rejection> {
    match work.ctx.roster.get(agent) {
        Some(_) => Ok(()),
        None => Err(Rejection::at(Code::NotFound, path, format!("no agent `{agent}`"))),
    }
}
