//! Takes a person out of what stands: records, and journal entries.
//!
//! An entry keeps its stream, its number and its time; what a person wrote or was called in
//! it goes. Erased entries still fold to the stored record, as the state loses the
//! same things by an event of its own. Source: spec/access.md, "Erase a person".

use crate::actor::Author;
use crate::contact::{Contact, ContactPatch};
use crate::event::{Event, NewEvent, Recorded, RoutedBy, StreamKind};
use crate::id::ContactId;
use crate::prediction::Prediction;
use crate::ticket::change::Change;
use crate::ticket::message::{Attachment, Message, MessageMeta, text_hash};
use crate::ticket::{Follower, Ticket};
use std::collections::BTreeSet;

/// What stands where a person's words or name stood.
pub const ERASED: &str = "Erased";

/// The name of [`Event::WriterErased`].
const WRITER_ERASED: &str = "writer_erased";

/// The contacts that one person is, those joined into one included.
pub type People = BTreeSet<ContactId>;

/// Takes a person out of a contact; id, company, tags and class stay.
pub fn erase_contact(contact: &mut Contact) {
    let id = contact.id.0.as_simple().to_string();
    // Ids of one minute begin alike: their ends differ.
    let end = id.get(id.len().saturating_sub(8)..).unwrap_or_default();
    contact.name = format!("{ERASED} #{end}");
    contact.identities.clear();
    contact.language = None;
    contact.time_zone = None;
    contact.custom.clear();
    contact.notes.clear();
}

/// Whether [`erase_contact`] would change nothing.
#[must_use]
pub fn is_contact_erased(contact: &Contact) -> bool {
    let mut erased = contact.clone();
    erase_contact(&mut erased);
    erased == *contact
}

/// Takes a requester's words out of a ticket.
pub fn erase_ticket(ticket: &mut Ticket) {
    ERASED.clone_into(&mut ticket.subject);
    ticket.custom.clear();
}

/// Takes text, files and outer names out of a message.
pub fn erase_message(message: &mut Message) {
    erase_meta(&mut message.meta);
    message.meta.attachments.clear();
    message.text.clear();
    message.html = None;
    message.redacted = true;
}

/// Whether [`erase_message`] would change nothing.
#[must_use]
pub fn is_erased(message: &Message) -> bool {
    let mut erased = message.clone();
    erase_message(&mut erased);
    erased == *message
}

fn erase_meta(meta: &mut MessageMeta) {
    meta.text_bytes = 0;
    meta.sha256 = text_hash("", None);
    meta.external_id = None;
    // As many as before: the ticket counts them.
    meta.attachments.iter_mut().for_each(erase_file);
}

fn erase_file(file: &mut Attachment) {
    *file = Attachment {
        name: ERASED.to_owned(),
        media_type: "application/octet-stream".to_owned(),
        size_bytes: 0,
        sha256: "0".repeat(64),
        inline_id: None,
    };
}

/// What the journal of one ticket says of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traces {
    /// Whether the person is, or was, its requester.
    pub is_requester: bool,
    /// Their messages.
    pub messages: BTreeSet<u32>,
    /// Whether they stand in it some other way: followed, or acted.
    pub is_named: bool,
}

impl Traces {
    /// Looks at one more entry.
    pub fn note(&mut self, entry: &Recorded, people: &People) {
        for (contact, part) in parts(entry) {
            if people.contains(&contact) {
                match part {
                    Part::Asks => self.is_requester = true,
                    Part::Wrote { seq } => _ = self.messages.insert(seq),
                    Part::Follows | Part::Acted => self.is_named = true,
                }
            }
        }
    }

    /// Looks at the ticket as it stands, where entries are in the archive.
    pub fn note_ticket(&mut self, ticket: &Ticket, people: &People) {
        self.is_requester |= people.contains(&ticket.requester);
        self.is_named |= ticket
            .followers
            .iter()
            .any(|follower| matches!(follower, Follower::Contact { id } if people.contains(id)));
    }

    /// Looks at one of its messages as it stands, where entries are in the archive.
    pub fn note_message(&mut self, message: &MessageMeta, people: &People) {
        if is_by(message, people) {
            self.messages.insert(message.seq);
        }
    }

    /// Adds what was taken out of the ticket before, where the entry says so; whether it does.
    pub fn note_erasure(&mut self, entry: &Recorded) -> bool {
        let Event::WriterErased { of_requester, messages, .. } = &entry.entry.event else {
            return false;
        };
        self.is_requester |= of_requester;
        self.messages.extend(messages);
        true
    }

    /// Whether there is anything to take out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.is_requester && !self.is_named && self.messages.is_empty()
    }
}

/// Whether the entry is a tombstone of one that said what was taken out of the ticket.
#[must_use]
pub fn was_erasure(entry: &Recorded) -> bool {
    matches!(&entry.entry.event, Event::Archived { of } if of == WRITER_ERASED)
}

/// What a contact has to do with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It is their ticket, from then on.
    Asks,
    /// The message is theirs.
    Wrote { seq: u32 },
    /// They follow the ticket from then on.
    Follows,
    /// They did it, or had it done.
    Acted,
}

/// The contacts that an entry names, and what each has to do with it. Who acted may be none.
fn parts(entry: &Recorded) -> impl Iterator<Item = (ContactId, Part)> {
    let NewEvent { event, origin, .. } = &entry.entry;
    let one = match event {
        Event::Opened { ticket, .. } => Some((ticket.requester, Part::Asks)),
        Event::Replied { message } | Event::Noted { message } => match message.author {
            Author::Contact { id } => Some((id, Part::Wrote { seq: message.seq })),
            _ => None,
        },
        Event::FollowerAdded { follower: Follower::Contact { id } } => Some((*id, Part::Follows)),
        _ => None,
    };
    let changes = match event {
        Event::Updated { changes } => changes.as_slice(),
        _ => &[],
    };
    let asks = changes.iter().filter_map(|change| match change {
        Change::SetRequester { to } => Some((*to, Part::Asks)),
        _ => None,
    });
    let acted = origin.actor.into_iter().chain(origin.on_behalf_of);
    one.into_iter().chain(asks).chain(acted.map(|actor| (ContactId(actor), Part::Acted)))
}

/// The contacts that an entry names. Who acted may be none.
pub fn named(entry: &Recorded) -> impl Iterator<Item = ContactId> {
    parts(entry).map(|(contact, _)| contact)
}

fn is_by(message: &MessageMeta, people: &People) -> bool {
    matches!(message.author, Author::Contact { id } if people.contains(&id))
}

/// Whether one of them did it, or had it done.
#[must_use]
pub fn acted(entry: &Recorded, people: &People) -> bool {
    parts(entry).any(|(contact, part)| part == Part::Acted && people.contains(&contact))
}

/// Takes a person out of the entries of one stream, given all of them and what is known of the
/// person from elsewhere; those that changed.
#[must_use]
pub fn erase_entries(entries: &[Recorded], known: &Traces, people: &People) -> Vec<Recorded> {
    let mut traces = known.clone();
    for entry in entries {
        traces.note(entry, people);
    }
    let erased = entries.iter().map(|entry| erase_entry(entry, &traces, people));
    erased
        .zip(entries)
        .filter(|(erased, entry)| erased != *entry)
        .map(|(erased, _)| erased)
        .collect()
}

/// Takes a person out of one entry, given what its whole stream says of the person.
#[must_use]
pub fn erase_entry(entry: &Recorded, traces: &Traces, people: &People) -> Recorded {
    let mut erased = entry.clone();
    if acted(entry, people) {
        erased.entry.origin.ip = None;
    }
    match erased.entry.stream.kind {
        StreamKind::Contact if people.contains(&ContactId(erased.entry.stream.id)) => {
            erase_from_contact(&mut erased.entry.event);
        }
        StreamKind::Case => erase_from_case(&mut erased.entry.event, traces),
        _ => {}
    }
    erased
}

fn erase_from_contact(event: &mut Event) {
    match event {
        Event::ContactCreated { contact } => erase_contact(contact),
        Event::ContactUpdated { patch } | Event::ContactAbsorbed { patch, .. } => {
            erase_patch(patch);
        }
        _ => {}
    }
}

/// Company, tags and class stay.
fn erase_patch(patch: &mut ContactPatch) {
    let ContactPatch { tags, organization, requester_tier, .. } = std::mem::take(patch);
    *patch = ContactPatch { tags, organization, requester_tier, ..ContactPatch::default() };
}

fn erase_from_case(event: &mut Event, traces: &Traces) {
    match event {
        Event::Replied { message } | Event::Noted { message }
            if traces.messages.contains(&message.seq) =>
        {
            erase_meta(message);
        }
        Event::AttachmentAdded { seq, attachment } if traces.messages.contains(seq) => {
            erase_file(attachment);
        }
        // Evidence may quote the words that a rule or a model found.
        Event::Routed { by: RoutedBy::Rule { because, .. }, .. }
        | Event::Routed {
            by: RoutedBy::Predicted { prediction: Prediction { because, .. } },
            ..
        }
        | Event::Predicted { prediction: Prediction { because, .. }, .. }
        | Event::PolicyPicked { because, .. }
            if traces.is_requester || !traces.messages.is_empty() =>
        {
            because.clear();
        }
        // Nobody knows here what it says of whom.
        Event::Opaque(map) if !traces.is_empty() => map.retain(|key, _| key == "type"),
        Event::Opened { ticket, .. } if traces.is_requester => erase_ticket(ticket),
        Event::Updated { changes } if traces.is_requester => {
            changes.retain(|change| !matches!(change, Change::SetCustom { .. }));
            for change in changes {
                if let Change::SetSubject { to } = change {
                    ERASED.clone_into(to);
                }
            }
        }
        _ => {}
    }
}
