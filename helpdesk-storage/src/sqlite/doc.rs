//! Records as documents: JSON texts, those of the journal packed.

use super::failure::{BACKEND, corrupt};
pub(super) use crate::doc::is_one_run;
use crate::doc::{self, BadDoc};
use crate::{Result, StoreError};
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::{CommandRecord, Record};
use helpdesk_core::event::{NewEvent, Recorded, StreamId, StreamKind, TimerKind};
use helpdesk_core::id::CommandId;
use helpdesk_core::instant;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A thing as its document.
pub(super) fn encode<T: Serialize + ?Sized>(thing: &T) -> Result<String> {
    doc::encode(thing).map_err(unwritable)
}

/// A thing of its document.
pub(super) fn decode<T: DeserializeOwned>(what: &str, doc: ValueRef<'_>) -> Result<T> {
    doc::decode(what, bytes(what, doc)?).map_err(unreadable)
}

/// A record as its document.
pub(super) fn encode_record(record: &Record) -> Result<String> {
    doc::encode_record(record).map_err(unwritable)
}

/// The record of a stream, of its document.
pub(super) fn decode_record(kind: StreamKind, doc: ValueRef<'_>) -> Result<Record> {
    doc::decode_record(kind, bytes(kind.as_str(), doc)?).map_err(unreadable)
}

/// The kind with this word.
pub(super) fn stream_kind(word: &str) -> Result<StreamKind> {
    doc::stream_kind(word).map_err(unreadable)
}

/// The kind of timer with this word.
pub(super) fn timer_kind(word: &str) -> Result<TimerKind> {
    doc::timer_kind(word).map_err(unreadable)
}

fn unwritable(error: BadDoc) -> StoreError {
    StoreError::Backend { backend: BACKEND, source: error.0.into() }
}

fn unreadable(error: BadDoc) -> StoreError {
    corrupt(error.0)
}

fn bytes<'r>(what: &str, doc: ValueRef<'r>) -> Result<&'r [u8]> {
    match doc {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(bytes),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {
            Err(corrupt(format!("a {what} without document")))
        }
    }
}

/// What is kept of a command without what its row's columns say.
#[derive(Serialize)]
struct CommandOut<'a> {
    result: &'a Value,
    #[serde(with = "instant")]
    expires_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct CommandIn {
    result: Value,
    #[serde(with = "instant")]
    expires_at: DateTime<Utc>,
}

/// What is kept of a command as its document.
pub(super) fn encode_command(kept: &CommandRecord) -> Result<String> {
    encode(&CommandOut { result: &kept.result, expires_at: kept.expires_at })
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

/// A run of entries as its document, packed where that is smaller.
pub(super) fn encode_run(run: &[NewEvent]) -> Result<Doc> {
    let text = doc::encode_run(run).map_err(unwritable)?;
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
    let text = match doc {
        ValueRef::Blob(packed) => {
            unpacked = unpack(what, packed)?;
            &unpacked
        }
        text => bytes(what, text)?,
    };
    doc::decode_run(stream, last_n, last_position, text).map_err(unreadable)
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

/// A count as SQLite keeps it.
pub(super) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A count as SQLite kept it.
pub(super) fn count(n: i64) -> Result<u64> {
    u64::try_from(n).map_err(|_| corrupt(format!("{n} where a count should be")))
}
