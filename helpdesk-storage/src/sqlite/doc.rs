//! Records as documents: JSON texts.

use super::failure::{BACKEND, corrupt};
use crate::{Result, StoreError};
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::Record;
use helpdesk_core::event::{Event, NewEvent, Origin, Recorded, StreamId, StreamKind};
use rusqlite::types::ValueRef;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A thing as its document.
pub(super) fn encode<T: Serialize + ?Sized>(thing: &T) -> Result<String> {
    serde_json::to_string(thing)
        .map_err(|error| StoreError::Backend { backend: BACKEND, source: Box::new(error) })
}

/// A thing of its document.
pub(super) fn decode<T: DeserializeOwned>(what: &str, doc: ValueRef<'_>) -> Result<T> {
    let bytes = match doc {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {
            return Err(corrupt(format!("a {what} without document")));
        }
    };
    serde_json::from_slice(bytes).map_err(|error| corrupt(format!("a {what}: {error}")))
}

/// A record as its document.
pub(super) fn encode_record(record: &Record) -> Result<String> {
    match record {
        Record::Case(it) => encode(it),
        Record::Contact(it) => encode(it),
        Record::Organization(it) => encode(it),
        Record::Agent(it) => encode(it),
        Record::Presence(it) => encode(it),
        Record::Load(it) => encode(it),
        Record::Config(it) | Record::ConfigVersion(it) => encode(it),
        Record::Numbers(it) => encode(it),
        Record::Message(it) => encode(it),
        Record::Command(it) => encode(it),
        Record::DeadLetter(it) => encode(it),
    }
}

/// The record of a stream, of its document.
pub(super) fn decode_record(kind: StreamKind, doc: ValueRef<'_>) -> Result<Record> {
    let what = kind.as_str();
    Ok(match kind {
        StreamKind::Case => Record::Case(decode(what, doc)?),
        StreamKind::Contact => Record::Contact(decode(what, doc)?),
        StreamKind::Organization => Record::Organization(decode(what, doc)?),
        StreamKind::Agent => Record::Agent(decode(what, doc)?),
        StreamKind::Presence => Record::Presence(decode(what, doc)?),
        StreamKind::Load => Record::Load(decode(what, doc)?),
        StreamKind::Config => Record::Config(decode(what, doc)?),
        StreamKind::Numbers => Record::Numbers(decode(what, doc)?),
    })
}

/// A journal entry without what its row's columns say.
#[derive(Serialize)]
struct EntryOut<'a> {
    at: &'a DateTime<Utc>,
    origin: &'a Origin,
    event: &'a Event,
}

#[derive(Deserialize)]
struct EntryIn {
    at: DateTime<Utc>,
    origin: Origin,
    event: Event,
}

/// A journal entry as its document.
pub(super) fn encode_entry(entry: &NewEvent) -> Result<String> {
    encode(&EntryOut { at: &entry.at, origin: &entry.origin, event: &entry.event })
}

/// A journal entry of its row.
pub(super) fn decode_entry(
    stream: StreamId,
    n: u64,
    position: u64,
    doc: ValueRef<'_>,
) -> Result<Recorded> {
    let EntryIn { at, origin, event } = decode("journal entry", doc)?;
    Ok(Recorded { n, position, entry: NewEvent { stream, at, origin, event } })
}

/// Every kind of stream.
const KINDS: [StreamKind; 8] = [
    StreamKind::Case,
    StreamKind::Contact,
    StreamKind::Organization,
    StreamKind::Agent,
    StreamKind::Presence,
    StreamKind::Load,
    StreamKind::Config,
    StreamKind::Numbers,
];

/// The kind with this word.
pub(super) fn stream_kind(word: &str) -> Result<StreamKind> {
    KINDS
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| corrupt(format!("a stream of kind `{word}`")))
}

/// A count as SQLite keeps it.
pub(super) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A count as SQLite kept it.
pub(super) fn count(n: i64) -> Result<u64> {
    u64::try_from(n).map_err(|_| corrupt(format!("{n} where a count should be")))
}
