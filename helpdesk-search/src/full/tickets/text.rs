//! A ticket's texts, as an index takes them and as a plain search reads them.

use crate::full::audience::{Audience, Texts};
use crate::full::entry::{Doc, Entry};
use crate::language::base_code;
use helpdesk_core::access::scope::ScopeFacts;
use helpdesk_core::id::{TenantId, TicketId};

/// Bytes of a ticket's messages that are looked at, cut back to a char boundary; the first
/// ones, with the breaks between them.
pub const TICKET_TEXT_BYTES_MAX: usize = 4 << 20;

/// What stands for a language that nobody named.
const NO_LANGUAGE: &str = "und";

/// A ticket's texts, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketText {
    /// Which.
    pub id: TicketId,
    /// Its language, as an ISO 639 code.
    pub language: Option<String>,
    /// The subject.
    pub subject: String,
    /// Its messages, in order.
    pub messages: Vec<MessageText>,
    /// Whose it is.
    pub scope: ScopeFacts,
}

/// The text of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText {
    /// Whether it is for agents only.
    pub is_internal: bool,
    /// The text; empty once it was redacted.
    pub text: String,
}

/// What happened to a ticket, as an index hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketChange {
    /// The ticket is so now.
    Upsert(TenantId, TicketText),
    /// The ticket is not to be found any more. No error when it was not.
    Delete(TenantId, TicketId),
    /// The feed of this tenant, which the changes come from, has been read up to here:
    /// stored with the changes before it, and given back after the index is opened again.
    Reached(TenantId, u64),
}

impl From<&TicketChange> for Entry {
    fn from(change: &TicketChange) -> Self {
        match change {
            TicketChange::Upsert(tenant, ticket) => {
                Self::Put { tenant: *tenant, id: ticket.id.0.as_u128(), docs: docs(ticket) }
            }
            TicketChange::Delete(tenant, id) => {
                Self::Put { tenant: *tenant, id: id.0.as_u128(), docs: Vec::new() }
            }
            TicketChange::Reached(tenant, position) => Self::Reached(*tenant, *position),
        }
    }
}

impl TicketText {
    /// The language that its words are compared by.
    pub(crate) fn language(&self) -> String {
        base_code(self.language.as_deref().unwrap_or(NO_LANGUAGE))
    }

    /// The messages that an asker may read, one paragraph a line.
    pub(crate) fn body(&self, reads_notes: bool) -> String {
        let mut body = String::new();
        for message in self.messages.iter().filter(|m| reads_notes || !m.is_internal) {
            if !body.is_empty() {
                body.push('\n');
            }
            unwrap_lines(&message.text, &mut body);
            if body.len() > TICKET_TEXT_BYTES_MAX {
                let mut end = TICKET_TEXT_BYTES_MAX;
                while !body.is_char_boundary(end) {
                    end -= 1;
                }
                body.truncate(end);
                break;
            }
        }
        body
    }
}

/// The documents of a ticket. Who may not read its internal texts has one without them, so
/// that nothing of them, not even a number, is ever looked at.
fn docs(ticket: &TicketText) -> Vec<Doc> {
    let doc = |texts: Texts, reads_notes: bool| Doc {
        language: ticket.language(),
        // A phrase does not go on behind the end of a line.
        title: ticket.subject.replace('\n', " "),
        body: ticket.body(reads_notes),
        audience: Audience::Ticket { texts, of: ticket.scope.clone() },
        category: None,
        labels: Vec::new(),
    };
    match ticket.messages.iter().any(|message| message.is_internal) {
        true => vec![doc(Texts::Public, false), doc(Texts::Internal, true)],
        false => vec![doc(Texts::Whole, false)],
    }
}

/// Joins the lines of each paragraph: mail is cut into lines wherever it is full, and a
/// phrase goes on behind that.
fn unwrap_lines(text: &str, body: &mut String) {
    let mut is_first = true;
    let mut is_paragraph = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            is_paragraph = true;
            continue;
        }
        if !is_first {
            body.push(if is_paragraph { '\n' } else { ' ' });
        }
        body.push_str(line);
        (is_first, is_paragraph) = (false, false);
    }
}
