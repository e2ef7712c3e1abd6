//! Whatever stands in a table, it is read or refused; what is read is the same once
//! written and read again, and an event of it changes a record or does not fit.

#![no_main]

use chrono::DateTime;
use helpdesk::core::case::Case;
use helpdesk::core::case::apply::apply;
use helpdesk::core::case::record::{
    CommandRecord, ConfigRecord, DeadLetter, OutboxMessage, Record,
};
use helpdesk::core::contact::Contact;
use helpdesk::core::event::{Event, NewEvent, Origin, StreamId};
use helpdesk::core::id::{ContactId, TicketId};
use helpdesk::core::ticket::message::Message;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use uuid::Uuid;

fuzz_target!(|bytes: &[u8]| {
    again::<Case>(bytes);
    again::<Contact>(bytes);
    again::<Message>(bytes);
    again::<OutboxMessage>(bytes);
    again::<DeadLetter>(bytes);
    again::<CommandRecord>(bytes);
    again::<ConfigRecord>(bytes);
    again::<Origin>(bytes);
    again::<NewEvent>(bytes);
    let Some(event) = again::<Event>(bytes) else { return };
    let at = DateTime::from_timestamp(1_795_000_000, 0).expect("in range");
    let id = Uuid::from_u128(1);
    for stream in [StreamId::case(TicketId(id)), StreamId::contact(ContactId(id))] {
        let mut record: Option<Record> = None;
        // Twice: on nothing, and on what it made.
        for _ in 0..2 {
            let _ = apply(stream, &mut record, &event, at);
        }
    }
});

/// Reads, writes and reads again.
fn again<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_vec(&read).expect("is JSON");
    let again: T = serde_json::from_slice(&written).expect("what was written is read");
    assert_eq!(read, again);
    Some(read)
}
