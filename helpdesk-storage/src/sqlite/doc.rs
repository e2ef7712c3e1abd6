//! Records as documents: JSON texts, those of the journal packed.

use super::failure::{BACKEND, corrupt};
use crate::{Result, StoreError};
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::{CommandRecord, Record};
use helpdesk_core::event::{Event, NewEvent, Origin, Recorded, StreamId, StreamKind};
use helpdesk_core::id::CommandId;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
        Record::Article(it) => encode(it),
        Record::Revision(it) => encode(it),
        Record::Vote(it) => encode(it),
        Record::Summary(it) => encode(it),
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
        StreamKind::Article => Record::Article(decode(what, doc)?),
        StreamKind::Revision => Record::Revision(decode(what, doc)?),
        StreamKind::Vote => Record::Vote(decode(what, doc)?),
    })
}

/// What is kept of a command without what its row's columns say.
#[derive(Serialize)]
struct CommandOut<'a> {
    result: &'a Value,
    expires_at: &'a DateTime<Utc>,
}

#[derive(Deserialize)]
struct CommandIn {
    result: Value,
    expires_at: DateTime<Utc>,
}

/// What is kept of a command as its document.
pub(super) fn encode_command(kept: &CommandRecord) -> Result<String> {
    encode(&CommandOut { result: &kept.result, expires_at: &kept.expires_at })
}

/// What is kept of a command, of its row.
pub(super) fn decode_command(
    id: CommandId,
    sha256: &str,
    doc: ValueRef<'_>,
) -> Result<CommandRecord> {
    let CommandIn { result, expires_at } = decode("command", doc)?;
    Ok(CommandRecord { id, sha256: sha256.to_owned(), result, expires_at })
}

/// Journal entries of one stream that were committed one after the other, in
/// one row: with what they share, and without what the row's columns say.
#[derive(Serialize)]
struct RunOut<'a> {
    at: &'a DateTime<Utc>,
    origin: &'a Origin,
    events: Vec<&'a Event>,
}

#[derive(Deserialize)]
struct RunIn {
    at: DateTime<Utc>,
    origin: Origin,
    events: Vec<Event>,
}

/// Whether two entries, one after the other, are of one run.
pub(super) fn is_one_run(one: &NewEvent, next: &NewEvent) -> bool {
    one.stream == next.stream && one.at == next.at && one.origin == next.origin
}

/// A run of entries as its document, packed where that is smaller.
pub(super) fn encode_run(run: &[NewEvent]) -> Result<Doc> {
    let Some(NewEvent { at, origin, .. }) = run.first() else {
        return Err(corrupt("a run without entries"));
    };
    let events = run.iter().map(|entry| &entry.event).collect();
    let text = encode(&RunOut { at, origin, events })?;
    let packed = lz4_flex::block::compress_prepend_size(text.as_bytes());
    Ok(if packed.len() < text.len() { Doc::Packed(packed) } else { Doc::Text(text) })
}

/// The entries of a run's row, whose columns name the last one.
pub(super) fn decode_run(
    stream: StreamId,
    last_n: u64,
    last_position: u64,
    doc: ValueRef<'_>,
) -> Result<Vec<Recorded>> {
    let what = "run of journal entries";
    let unpacked;
    let doc = match doc {
        ValueRef::Blob(packed) => {
            unpacked = unpack(what, packed)?;
            ValueRef::Text(&unpacked)
        }
        text => text,
    };
    let RunIn { at, origin, events } = decode(what, doc)?;
    let n_before = events.len() as u64;
    let (Some(n), Some(position)) =
        (last_n.checked_sub(n_before), last_position.checked_sub(n_before))
    else {
        return Err(corrupt(format!("a run of {n_before} journal entries that ends at {last_n}")));
    };
    let recorded = |(i, event)| {
        let entry = NewEvent { stream, at, origin: origin.clone(), event };
        Recorded { n: n + i, position: position + i, entry }
    };
    Ok((1..).zip(events).map(recorded).collect())
}

/// A document as a column keeps it.
#[derive(Debug)]
pub(super) enum Doc {
    /// JSON.
    Text(String),
    /// JSON in an LZ4 block, behind its length.
    Packed(Vec<u8>),
}

impl ToSql for Doc {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Packed(bytes) => bytes.to_sql(),
        }
    }
}

/// Bytes of an unpacked document; what claims to be more is damaged.
const UNPACKED_MAX: usize = 1 << 30;

fn unpack(what: &str, packed: &[u8]) -> Result<Vec<u8>> {
    let damaged = |error: &dyn std::fmt::Display| corrupt(format!("a {what}: {error}"));
    let (length, block) =
        lz4_flex::block::uncompressed_size(packed).map_err(|error| damaged(&error))?;
    // A block packs at most 255 bytes into one.
    if length > UNPACKED_MAX || length / 255 > block.len() {
        return Err(damaged(&"a length that cannot be"));
    }
    lz4_flex::block::decompress(block, length).map_err(|error| damaged(&error))
}

/// The kind with this word.
pub(super) fn stream_kind(word: &str) -> Result<StreamKind> {
    StreamKind::ALL
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
