//! Messages: replies, notes, and what is done to them.

use super::guard;
use super::intake;
use super::status;
use super::work::{Work, not_found};
use crate::actor::{ActorKind, Author};
use crate::case::record::UniqueKey;
use crate::command::{AddAttachment, AddNote, EditNote, MarkSeen, Redact, Reply};
use crate::effect::{AgentNews, Effect};
use crate::event::{Event, StatusWhy, StreamId};
use crate::fault::{Code, Fault, Rejection};
use crate::id::{ContactId, TicketId};
use crate::limit::{
    ATTACHMENTS_MAX, EXTERNAL_ID_CHARS_MAX, HTML_BYTES_MAX, HTML_DEPTH_MAX, NAME_CHARS_MAX,
    TEXT_BYTES_MAX,
};
use crate::ticket::html::too_deep_at;
use crate::ticket::message::{Attachment, Message, MessageKind, MessageMeta, text_hash};
use crate::ticket::priority::Channel;
use crate::ticket::status::StatusCategory;
use crate::ticket::{Follower, Ticket};
use chrono::{DateTime, Utc};

/// A message that is about to be written.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) kind: MessageKind,
    pub(super) author: Author,
    pub(super) channel: Channel,
    pub(super) text: String,
    pub(super) html: Option<String>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) external_id: Option<String>,
    pub(super) sent_at: DateTime<Utc>,
    pub(super) truncated: bool,
}

impl Draft {
    pub(super) fn new(
        kind: MessageKind,
        author: Author,
        channel: Channel,
        text: &str,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            kind,
            author,
            channel,
            text: text.to_owned(),
            html: None,
            attachments: Vec::new(),
            external_id: None,
            sent_at: at,
            truncated: false,
        }
    }
}

/// Writes a message: event, text, and the key by which replies find it.
pub(super) fn add_message(
    work: &mut Work<'_>,
    id: TicketId,
    draft: Draft,
) -> Result<u32, Rejection> {
    let ticket = &work.case(id)?.ticket;
    let seq = ticket.counters.messages + 1;
    let mailbox = ticket.mailbox.clone();
    let meta = MessageMeta {
        id: work.ids.derive(),
        seq,
        kind: draft.kind,
        author: draft.author,
        channel: draft.channel,
        text_bytes: draft.text.len() as u64,
        sha256: text_hash(&draft.text, draft.html.as_deref()),
        attachments: draft.attachments,
        external_id: draft.external_id,
        sent_at: draft.sent_at,
        truncated: draft.truncated,
    };
    if let Some(external_id) = meta.external_id.clone() {
        work.put_unique(UniqueKey::Message { mailbox, external_id }, StreamId::case(id), false);
    }
    let message =
        Message { ticket_id: id, meta, text: draft.text, html: draft.html, redacted: false };
    let event = match message.meta.kind {
        MessageKind::PublicReply => Event::Replied { message: message.meta.clone() },
        MessageKind::InternalNote | MessageKind::System => {
            Event::Noted { message: message.meta.clone() }
        }
    };
    work.on_case(id, event)?;
    work.text(message);
    work.made.seq = Some(seq);
    Ok(seq)
}

pub(super) fn reply(work: &mut Work<'_>, reply: &Reply) -> Result<(), Rejection> {
    check_text(&reply.text, reply.html.as_deref(), &reply.attachments)?;
    let ticket = &work.case(reply.ticket)?.ticket;
    let channel = reply.channel.unwrap_or(ticket.channel);
    let mailbox = ticket.mailbox.clone();
    let mut draft = Draft::new(
        MessageKind::PublicReply,
        work.ctx.actor.author(),
        channel,
        &reply.text,
        work.now,
    );
    draft.html.clone_from(&reply.html);
    draft.attachments.clone_from(&reply.attachments);
    if let Some(external_id) = &reply.external_id {
        let external_id = check_external_id(external_id)?;
        let key = UniqueKey::Message { mailbox, external_id: external_id.clone() };
        if work.loaded.find(&key).is_some() {
            let message = format!("a message with the external id `{external_id}` exists");
            return Err(Rejection::at(Code::Duplicate, "external_id", message));
        }
        draft.external_id = Some(external_id);
    }
    work.made.ticket = Some(reply.ticket);
    if work.ctx.actor.kind == ActorKind::Requester {
        if reply.status.is_some() {
            return Err(Rejection::at(
                Code::Forbidden,
                "status",
                "requesters solve or reopen instead",
            ));
        }
        return intake::requester_wrote(work, reply.ticket, draft, None).map(|_| ());
    }
    if let Some(status) = &reply.status {
        status::configured(work, status)?;
    }
    agent_reply(work, reply.ticket, draft)?;
    match &reply.status {
        Some(status) => status::set_by_hand(work, reply.ticket, status),
        None => status::after_reply(work, reply.ticket),
    }
}

/// An agent's, bot's or host's public message, and what follows from it.
pub(super) fn agent_reply(
    work: &mut Work<'_>,
    id: TicketId,
    draft: Draft,
) -> Result<(), Rejection> {
    let author = draft.author;
    let seq = add_message(work, id, draft)?;
    if work.case(id)?.ticket.category == StatusCategory::New {
        status::automatic(work, id, StatusCategory::Open, StatusWhy::AgentReplied)?;
    }
    let ticket = work.case(id)?.ticket.clone();
    if let Author::Agent { id: agent } = author {
        let requester = ticket.requester;
        let known = work.contact(requester).map(|contact| contact.last_answered_by);
        if known.is_some_and(|last| last != Some(agent)) {
            work.emit(StreamId::contact(requester), Event::ContactAnswered { by: agent })?;
        }
    }
    work.wish(Effect::SendReply { ticket: id, seq, to: audience(&ticket) });
    tell_followers(work, &ticket);
    Ok(())
}

/// The contacts who get a ticket's public messages.
fn audience(ticket: &Ticket) -> Vec<ContactId> {
    let copies = ticket.followers.iter().filter_map(|follower| match follower {
        Follower::Contact { id } if *id != ticket.requester => Some(*id),
        Follower::Contact { .. } | Follower::Agent { .. } => None,
    });
    std::iter::once(ticket.requester).chain(copies).collect()
}

/// Tells the agents who follow, but not the one who acts.
pub(super) fn tell_followers(work: &mut Work<'_>, ticket: &Ticket) {
    let actor = work.ctx.actor.agent_id();
    for follower in &ticket.followers {
        if let Follower::Agent { id } = follower
            && Some(*id) != actor
        {
            work.wish(Effect::NotifyAgent {
                ticket: ticket.id,
                agent: *id,
                news: AgentNews::Followed,
            });
        }
    }
}

pub(super) fn add_note(work: &mut Work<'_>, note: &AddNote) -> Result<(), Rejection> {
    check_text(&note.text, None, &note.attachments)?;
    let ticket = work.case(note.ticket)?.ticket.clone();
    let author = work.ctx.actor.author();
    let mut draft =
        Draft::new(MessageKind::InternalNote, author, ticket.channel, &note.text, work.now);
    draft.attachments.clone_from(&note.attachments);
    add_message(work, note.ticket, draft)?;
    work.made.ticket = Some(note.ticket);
    tell_followers(work, &ticket);
    Ok(())
}

pub(super) fn edit_note(work: &mut Work<'_>, edit: &EditNote) -> Result<(), Rejection> {
    check_text(&edit.text, None, &[])?;
    let message = message(work, edit.ticket, edit.seq)?;
    if message.meta.kind != MessageKind::InternalNote {
        return Err(Rejection::at(Code::Invalid, "seq", "only internal notes can be edited"));
    }
    if message.redacted {
        return Err(Rejection::at(Code::Deleted, "seq", "the note was redacted"));
    }
    if message.meta.author != work.ctx.actor.author() {
        guard::may_edit_any_note(work, edit.ticket)?;
    }
    let mut message = message.clone();
    message.text.clone_from(&edit.text);
    message.meta.text_bytes = edit.text.len() as u64;
    message.meta.sha256 = text_hash(&edit.text, message.html.as_deref());
    let event = Event::NoteEdited {
        seq: edit.seq,
        text_bytes: message.meta.text_bytes,
        sha256: message.meta.sha256.clone(),
    };
    work.on_case(edit.ticket, event)?;
    work.text(message);
    made(work, edit.ticket, edit.seq);
    Ok(())
}

pub(super) fn redact(work: &mut Work<'_>, redact: &Redact) -> Result<(), Rejection> {
    let mut message = message(work, redact.ticket, redact.seq)?.clone();
    made(work, redact.ticket, redact.seq);
    if message.redacted {
        return Ok(());
    }
    let n_attachments = u32::try_from(message.meta.attachments.len()).unwrap_or(u32::MAX);
    message.text.clear();
    message.html = None;
    message.meta.attachments.clear();
    message.redacted = true;
    work.on_case(redact.ticket, Event::Redacted { seq: redact.seq, n_attachments })?;
    work.text(message);
    Ok(())
}

pub(super) fn add_attachment(work: &mut Work<'_>, add: &AddAttachment) -> Result<(), Rejection> {
    let mut message = message(work, add.ticket, add.seq)?.clone();
    let is_own = message.meta.author == work.ctx.actor.author();
    if work.ctx.actor.kind == ActorKind::Requester {
        if message.meta.kind != MessageKind::PublicReply {
            return Err(not_found("message", add.seq));
        }
        if !is_own {
            return Err(Rejection::at(Code::Forbidden, "seq", "not the actor's own message"));
        }
    }
    if message.redacted {
        return Err(Rejection::at(Code::Deleted, "seq", "the message was redacted"));
    }
    message.meta.attachments.push(add.attachment.clone());
    check_attachments(&message.meta.attachments)?;
    work.on_case(
        add.ticket,
        Event::AttachmentAdded { seq: add.seq, attachment: add.attachment.clone() },
    )?;
    work.text(message);
    made(work, add.ticket, add.seq);
    Ok(())
}

pub(super) fn mark_seen(work: &mut Work<'_>, seen: &MarkSeen) -> Result<(), Rejection> {
    let n_messages = work.case(seen.ticket)?.ticket.counters.messages;
    if seen.seq > n_messages {
        return Err(not_found("message", seen.seq));
    }
    let actor = work.ctx.actor;
    let by = match (actor.contact_id(), actor.agent_id()) {
        (Some(id), _) => Follower::Contact { id },
        (None, Some(id)) => Follower::Agent { id },
        (None, None) => return Err(Rejection::new(Code::Invalid, "only people see")),
    };
    work.made.ticket = Some(seen.ticket);
    work.on_case(seen.ticket, Event::Seen { by, seq: seen.seq })
}

fn made(work: &mut Work<'_>, ticket: TicketId, seq: u32) {
    work.made.ticket = Some(ticket);
    work.made.seq = Some(seq);
}

fn message<'w>(work: &'w Work<'_>, ticket: TicketId, seq: u32) -> Result<&'w Message, Rejection> {
    work.message(ticket, seq).ok_or_else(|| not_found("message", seq))
}

/// Checks a message that a command writes; intake cuts instead.
pub(super) fn check_text(
    text: &str,
    html: Option<&str>,
    attachments: &[Attachment],
) -> Result<(), Rejection> {
    if text.trim().is_empty()
        && html.is_none_or(|html| html.trim().is_empty())
        && attachments.is_empty()
    {
        return Err(Rejection::at(Code::Invalid, "text", "a message needs a text or a file"));
    }
    for (path, bytes, max) in
        [("text", text.len(), TEXT_BYTES_MAX), ("html", html.map_or(0, str::len), HTML_BYTES_MAX)]
    {
        if bytes > max {
            return Err(Fault::over_limit(path, bytes, "bytes", max).into());
        }
    }
    if html.is_some_and(|html| too_deep_at(html, HTML_DEPTH_MAX).is_some()) {
        let message = format!("elements nest at most {HTML_DEPTH_MAX} deep");
        return Err(Rejection::at(Code::OverLimit, "html", message));
    }
    check_attachments(attachments)
}

pub(super) fn check_attachments(attachments: &[Attachment]) -> Result<(), Rejection> {
    if attachments.len() > ATTACHMENTS_MAX {
        let n = attachments.len();
        return Err(Fault::over_limit("attachments", n, "attachments", ATTACHMENTS_MAX).into());
    }
    let faults: Vec<Fault> = attachments
        .iter()
        .enumerate()
        .flat_map(|(i, attachment)| {
            attachment_faults(attachment)
                .into_iter()
                .map(move |f| f.under(&format!("attachments[{i}]")))
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Rejection::many(faults)) }
}

fn attachment_faults(attachment: &Attachment) -> Vec<Fault> {
    let mut faults = Vec::new();
    if attachment.name.is_empty() {
        faults.push(Fault::invalid("name", "a file has a name"));
    }
    let inline_id = attachment.inline_id.as_deref().unwrap_or_default();
    for (path, text, max) in [
        ("name", &*attachment.name, NAME_CHARS_MAX),
        ("media_type", &attachment.media_type, NAME_CHARS_MAX),
        ("inline_id", inline_id, EXTERNAL_ID_CHARS_MAX),
    ] {
        let n = text.chars().count();
        if n > max {
            faults.push(Fault::over_limit(path, n, "chars", max));
        }
    }
    let is_hash = attachment.sha256.len() == 64
        && attachment.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash {
        faults.push(Fault::invalid("sha256", "not 64 lower-case hex digits"));
    }
    faults
}

fn check_external_id(id: &str) -> Result<String, Rejection> {
    let id = intake::bare_id(id);
    if id.is_empty() {
        return Err(Rejection::at(Code::Invalid, "external_id", "empty: leave it out"));
    }
    let n = id.chars().count();
    if n > EXTERNAL_ID_CHARS_MAX {
        return Err(Fault::over_limit("external_id", n, "chars", EXTERNAL_ID_CHARS_MAX).into());
    }
    Ok(id.to_owned())
}
