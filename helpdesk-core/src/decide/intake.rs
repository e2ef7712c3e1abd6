//! From a message to a ticket: threading, contacts, opening, follow-ups, import.

use super::WholeText;
use super::conversation::{self, Draft, add_message, check_attachments};
use super::fields;
use super::opening::{Opening, guessed, open, open_follow_up};
use super::place;
use super::predict;
use super::searches;
use super::status;
use super::timers;
use super::work::Work;
use crate::actor::Author;
use crate::case::record::UniqueKey;
use crate::contact::{Contact, Identity};
use crate::desk::document::FollowUp as FollowUpRule;
use crate::effect::{AgentNews, Effect};
use crate::event::{Event, StatusWhy, StreamId};
use crate::fault::{Code, Rejection};
use crate::id::{ContactId, Key, OrganizationId, TicketId};
use crate::intake::inbound::{InboundMessage, Sender};
use crate::limit::{
    ATTACHMENTS_MAX, EXTERNAL_ID_CHARS_MAX, FOLLOWERS_MAX, HTML_BYTES_MAX, HTML_DEPTH_MAX,
    NAME_CHARS_MAX, REFERENCES_MAX, SUBJECT_CHARS_MAX, TAG_CHARS_MAX, TAGS_MAX, TEXT_BYTES_MAX,
};
use crate::ticket::custom::{CustomValue, CustomValues, FieldDef, FieldOwner};
use crate::ticket::html::too_deep_at;
use crate::ticket::message::{Attachment, MessageKind, bytes_hash, text_hash};
use crate::ticket::status::StatusCategory;
use crate::ticket::{Follower, Ticket};
use crate::trace::{JoinedBy, NotJoinedWhy, Step};
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
    let draft = inbound_draft(work, message, contact)?;
    if let Some((ticket, by)) = find_thread(work, message, contact) {
        timers::catch_up(work, ticket)?;
        let via = Via { thread_key: message.thread_key.as_deref(), by };
        let at = requester_wrote(work, ticket, draft, Some(via))?;
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
    predict::predict(work, id)?;
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
    Ok(())
}

/// The message, normalized and cut to the limits.
fn inbound_draft(
    work: &mut Work<'_>,
    message: &InboundMessage,
    contact: ContactId,
) -> Result<Draft, Rejection> {
    let n_before = work.n_steps();
    let (text, whole_text) = cut_body(work, &PLAIN, nfc(&message.text), |work, text| {
        cut_bytes(work, "text", text, TEXT_BYTES_MAX)
    });
    let (html, whole_html) = match &message.html {
        Some(html) => {
            let (html, whole) = cut_body(work, &HTML, nfc(html), cut_html);
            (Some(html), whole)
        }
        None => (None, None),
    };
    let wholes: Vec<Attachment> = whole_text.into_iter().chain(whole_html).collect();
    let n_files_max = ATTACHMENTS_MAX - wholes.len();
    let mut attachments = cut_list(work, "attachments", &message.attachments, n_files_max);
    for file in &mut attachments {
        file.name = cut_chars(work, "attachment name", &file.name, NAME_CHARS_MAX);
        file.media_type = cut_chars(work, "media type", &file.media_type, NAME_CHARS_MAX);
        file.inline_id = file.inline_id.as_deref().map(normal_id);
    }
    check_attachments(&attachments)?;
    attachments.extend(wholes);
    Ok(Draft {
        kind: MessageKind::PublicReply,
        author: Author::Contact { id: contact },
        channel: message.channel,
        text,
        html,
        attachments,
        external_id: Some(normal_id(&message.external_id)),
        sent_at: message.sent_at.map_or(work.now, |at| at.min(work.now)),
        truncated: work.n_steps() > n_before,
    })
}

/// A body of a message, and what it is called where the whole of it is kept as a file.
struct Body {
    what: &'static str,
    name: &'static str,
    media_type: &'static str,
}

const PLAIN: Body =
    Body { what: "text", name: "message.txt", media_type: "text/plain; charset=utf-8" };
const HTML: Body =
    Body { what: "html", name: "message.html", media_type: "text/html; charset=utf-8" };

/// A body cut to its limits; the whole as an attachment where something was cut off and
/// the host has a place for it. Source: spec/desk.md, "Limits".
fn cut_body(
    work: &mut Work<'_>,
    body: &Body,
    whole: String,
    cut: fn(&mut Work<'_>, String) -> String,
) -> (String, Option<Attachment>) {
    let size_bytes = whole.len() as u64;
    let n_before = work.n_steps();
    let kept = cut(work, whole.clone());
    let has_place = work.ctx.file_bytes_max.is_some_and(|max| size_bytes <= max);
    if work.n_steps() == n_before || !has_place {
        return (kept, None);
    }
    let sha256 = bytes_hash(whole.as_bytes());
    work.trace(Step::WholeKept {
        what: body.what.to_owned(),
        name: body.name.to_owned(),
        sha256: sha256.clone(),
    });
    work.whole(WholeText { sha256: sha256.clone(), text: whole });
    let attachment = Attachment {
        name: body.name.to_owned(),
        media_type: body.media_type.to_owned(),
        size_bytes,
        sha256,
        inline_id: None,
    };
    (kept, Some(attachment))
}

/// NFC, so that the same letters are the same chars.
pub(super) fn nfc(text: &str) -> String {
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

/// HTML cut to its bytes, and before the first element that nests too deep.
fn cut_html(work: &mut Work<'_>, html: String) -> String {
    let html = cut_bytes(work, "html", html, HTML_BYTES_MAX);
    match too_deep_at(&html, HTML_DEPTH_MAX) {
        Some(end) => cut_bytes(work, "html", html, end),
        None => html,
    }
}

fn cut_list<T: Clone>(work: &mut Work<'_>, what: &str, list: &[T], max: usize) -> Vec<T> {
    if list.len() > max {
        truncated(work, what, list.len(), max);
    }
    list.iter().take(max).cloned().collect()
}

/// Tags in their one form, cut to the limits.
fn cut_tags(work: &mut Work<'_>, tags: &[String]) -> Vec<String> {
    let tags = tags.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty());
    let mut tags: Vec<String> =
        tags.map(|tag| cut_chars(work, "tag", tag, TAG_CHARS_MAX)).collect();
    tags.sort();
    tags.dedup();
    cut_list(work, "tags", &tags, TAGS_MAX)
}

/// Custom values, texts cut to what their field takes.
fn cut_custom(work: &mut Work<'_>, custom: &CustomValues) -> CustomValues {
    let mut cut = custom.clone();
    for (key, value) in &mut cut {
        let field = work.ctx.desk.field(FieldOwner::Ticket, key);
        if let (Some(max), CustomValue::Text(text)) = (field.and_then(FieldDef::chars_max), value) {
            *text = cut_chars(work, &format!("custom.{key}"), text, max);
        }
    }
    cut
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

/// A channel's id without `<>` and blanks.
pub(super) fn bare_id(id: &str) -> &str {
    let trimmed = id.trim();
    trimmed.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(trimmed).trim()
}

/// A channel's id in its one form: bare, 998 chars at most. A longer one ends in
/// the hash of the whole, so that two that begin alike stay two.
pub(super) fn normal_id(id: &str) -> String {
    let id = bare_id(id);
    if id.chars().count() <= EXTERNAL_ID_CHARS_MAX {
        return id.to_owned();
    }
    let hash = text_hash(id, None);
    let head: String = id.chars().take(EXTERNAL_ID_CHARS_MAX - hash.len()).collect();
    head + &hash
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

/// By what an inbound message found its ticket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Via<'m> {
    thread_key: Option<&'m str>,
    by: JoinedBy,
}

/// A requester's public message on a ticket: joins it, or goes on in a new one.
/// The ticket it is in.
pub(super) fn requester_wrote(
    work: &mut Work<'_>,
    id: TicketId,
    draft: Draft,
    via: Option<Via<'_>>,
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
        if let Some(thread_key) = via.and_then(|via| via.thread_key) {
            let key = thread_unique(ticket.mailbox.as_ref(), thread_key);
            work.put_unique(key, StreamId::case(new), true);
        }
        place::route(work, new, None)?;
        return Ok(new);
    }
    if let Some(Via { by, .. }) = via {
        work.trace(Step::Joined { ticket: id, by });
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
pub(super) fn contact_of(work: &mut Work<'_>, sender: &Sender) -> Result<ContactId, Rejection> {
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
    let mut contact = Contact::named(id, name);
    contact.identities.push(identity);
    contact.organization = organization;
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

fn open_inbound(
    work: &mut Work<'_>,
    message: &InboundMessage,
    contact: ContactId,
    draft: Draft,
) -> Result<TicketId, Rejection> {
    let custom = cut_custom(work, &message.custom);
    let custom = fields::checked_custom(work, &custom, "custom")?;
    let tags = cut_tags(work, &message.tags);
    let subject = match message.subject.as_deref().map(str::trim).filter(|s| !s.is_empty()) {
        Some(subject) => cut_chars(work, "subject", &nfc(subject), SUBJECT_CHARS_MAX),
        None => subject_from(&draft.text),
    };
    let language = message.language.as_ref().map(|code| code.to_lowercase());
    let language = language.and_then(|code| Some((fields::checked_language(&code).ok()?, None)));
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
    searches::ended_in(work, message.search_session, id);
    add_message(work, id, draft)?;
    add_copies(work, id, message)?;
    Ok(id)
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
