//! Taking a person out: of their contact, and of each ticket. The engine does the rest,
//! which is no decision: the journal, and blobs.

use super::work::{Work, not_found};
use crate::case::erase::{ERASED, erase_message, is_contact_erased, is_erased};
use crate::case::record::UniqueKey;
use crate::command::{EraseFromTicket, ErasePerson};
use crate::event::{Event, StreamId};
use crate::fault::Rejection;

pub(super) fn erase_person(work: &mut Work<'_>, erase: &ErasePerson) -> Result<(), Rejection> {
    let id = erase.contact;
    let Some(contact) = work.contact(id) else { return Err(not_found("contact", id)) };
    let contact = contact.clone();
    work.made.contact = Some(id);
    if is_contact_erased(&contact) {
        return Ok(());
    }
    for identity in contact.identities {
        work.remove_unique(super::people::identity_key(&identity));
    }
    work.emit(StreamId::contact(id), Event::ContactErased)
}

pub(super) fn erase_from_ticket(
    work: &mut Work<'_>,
    erase: &EraseFromTicket,
) -> Result<(), Rejection> {
    let ticket = &work.case(erase.ticket)?.ticket;
    let mailbox = ticket.mailbox.clone();
    let of_requester =
        erase.of_requester && (ticket.subject != ERASED || !ticket.custom.is_empty());
    let mut messages = Vec::new();
    let mut n_attachments = 0;
    for &seq in &erase.messages {
        let Some(message) = work.message(erase.ticket, seq).filter(|it| !is_erased(it)) else {
            continue;
        };
        let mut message = message.clone();
        if let Some(external_id) = message.meta.external_id.clone() {
            work.remove_unique(UniqueKey::Message { mailbox: mailbox.clone(), external_id });
        }
        n_attachments += u32::try_from(message.meta.attachments.len()).unwrap_or(u32::MAX);
        erase_message(&mut message);
        work.text(message);
        messages.push(seq);
    }
    work.made.ticket = Some(erase.ticket);
    if messages.is_empty() && !of_requester {
        return Ok(());
    }
    let event = Event::WriterErased { of_requester, messages, n_attachments };
    work.on_case(erase.ticket, event)
}
