//! Records as JSON texts, the same for every backend that keeps them so.

use crate::ClaimWhat;
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::Record;
use helpdesk_core::event::{Event, NewEvent, Origin, Recorded, StreamId, StreamKind, TimerKind};
use helpdesk_core::instant;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// What could not be written or read, and why.
#[derive(Debug)]
pub(crate) struct BadDoc(pub(crate) String);

impl fmt::Display for BadDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) type Result<T> = std::result::Result<T, BadDoc>;

/// A thing as its document.
pub(crate) fn encode<T: Serialize + ?Sized>(thing: &T) -> Result<String> {
    serde_json::to_string(thing).map_err(|error| BadDoc(error.to_string()))
}

/// A thing of its document.
pub(crate) fn decode<T: DeserializeOwned>(what: &str, doc: impl AsRef<[u8]>) -> Result<T> {
    let bad = |error: &dyn fmt::Display| BadDoc(format!("a {what}: {error}"));
    // Looked at once as a whole, not again at each of its strings.
    let text = std::str::from_utf8(doc.as_ref()).map_err(|error| bad(&error))?;
    serde_json::from_str(text).map_err(|error| bad(&error))
}

/// A record as its document.
pub(crate) fn encode_record(record: &Record) -> Result<String> {
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
        Record::Checkpoint(it) => encode(it),
        Record::SearchSession(it) => encode(it),
        Record::Summary(it) => encode(it),
    }
}

/// The record of a stream, of its document.
pub(crate) fn decode_record(kind: StreamKind, doc: impl AsRef<[u8]>) -> Result<Record> {
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
        StreamKind::Checkpoint => Record::Checkpoint(decode(what, doc)?),
        StreamKind::SearchSession => Record::SearchSession(decode(what, doc)?),
    })
}

/// Journal entries of one stream that were committed one after the other, in
/// one row: with what they share, and without what the row's columns say.
#[derive(Serialize)]
struct RunOut<'a> {
    #[serde(with = "instant")]
    at: DateTime<Utc>,
    origin: &'a Origin,
    events: Vec<&'a Event>,
}

#[derive(Deserialize)]
struct RunIn<E> {
    #[serde(with = "instant")]
    at: DateTime<Utc>,
    origin: Origin,
    events: Vec<E>,
}

/// Reads a run; events that only a newer version can read are [`Event::Opaque`].
fn run_of(doc: &[u8]) -> Result<RunIn<Event>> {
    const WHAT: &str = "run of journal entries";
    let known: Result<RunIn<Event>> = decode(WHAT, doc);
    let Err(bad) = known else { return known };
    // Once more, event by event: seldom, so what is usual pays nothing for it.
    let RunIn { at, origin, events } = decode::<RunIn<serde_json::Value>>(WHAT, doc)?;
    let events: std::result::Result<_, _> = events.into_iter().map(Event::or_opaque).collect();
    Ok(RunIn { at, origin, events: events.map_err(|_| bad)? })
}

/// Whether two entries, one after the other, are of one run.
pub(crate) fn is_one_run(one: &NewEvent, next: &NewEvent) -> bool {
    one.stream == next.stream && one.at == next.at && one.origin == next.origin
}

/// A run of entries as its document.
pub(crate) fn encode_run(run: &[NewEvent]) -> Result<String> {
    let Some(&NewEvent { at, ref origin, .. }) = run.first() else {
        return Err(BadDoc("a run without entries".to_owned()));
    };
    encode(&RunOut { at, origin, events: run.iter().map(|entry| &entry.event).collect() })
}

/// The entries of a run's row, whose columns name the last one.
pub(crate) fn decode_run(
    stream: StreamId,
    last_n: u64,
    last_position: u64,
    doc: impl AsRef<[u8]>,
) -> Result<Vec<Recorded>> {
    let RunIn { at, origin, events } = run_of(doc.as_ref())?;
    let n_before = events.len() as u64;
    let (Some(n), Some(position)) =
        (last_n.checked_sub(n_before), last_position.checked_sub(n_before))
    else {
        return Err(BadDoc(format!("a run of {n_before} journal entries that ends at {last_n}")));
    };
    let recorded = |(i, event)| {
        let entry = NewEvent { stream, at, origin: origin.clone(), event };
        Recorded { n: n + i, position: position + i, entry }
    };
    Ok((1..).zip(events).map(recorded).collect())
}

/// A run of the journal in which other entries stand.
pub(crate) struct Rewritten<'e> {
    /// The run as it shall be.
    pub(crate) run: Vec<NewEvent>,
    /// How many of its entries are others.
    pub(crate) n_entries: usize,
    /// The entries that are not of this run.
    pub(crate) rest: &'e [Recorded],
}

/// Puts an entry, and those right behind it that stand in the same run, where they stand in
/// it: what they say, and who did it. An entry that is not there is passed over.
pub(crate) fn rewrite_run<'e>(
    mut run: Vec<Recorded>,
    first: &Recorded,
    mut rest: &'e [Recorded],
) -> crate::Result<Rewritten<'e>> {
    let mut put = |new: &Recorded| {
        let of_same = |it: &&mut Recorded| it.n == new.n && it.entry.stream == new.entry.stream;
        let Some(it) = run.iter_mut().find(of_same) else { return false };
        it.entry.event = new.entry.event.clone();
        it.entry.origin = new.entry.origin.clone();
        true
    };
    let mut n_entries = usize::from(put(first));
    while let Some((next, behind)) = rest.split_first()
        && put(next)
    {
        n_entries += 1;
        rest = behind;
    }
    let run: Vec<NewEvent> = run.into_iter().map(|it| it.entry).collect();
    if !run.is_sorted_by(is_one_run) {
        return Err(crate::plan::invalid("entries of one commit keep one origin"));
    }
    Ok(Rewritten { run, n_entries, rest })
}

/// What is claimed, in a word.
pub(crate) fn claimed_word(what: ClaimWhat) -> &'static str {
    match what {
        ClaimWhat::Timers => "timer",
        ClaimWhat::Outbox => "outbox message",
    }
}

/// Names what cannot be read: not why, as that may quote what people wrote.
pub(crate) fn tell_unreadable(what: &str, tenant: Uuid, id: Uuid) {
    tracing::error!(what, %tenant, %id, "it cannot be read, and is left where it is");
}

/// The kind with this word.
pub(crate) fn stream_kind(word: &str) -> Result<StreamKind> {
    let found = StreamKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    found.ok_or_else(|| BadDoc(format!("a stream of kind `{word}`")))
}

/// The kind of timer with this word.
pub(crate) fn timer_kind(word: &str) -> Result<TimerKind> {
    let found = TimerKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    found.ok_or_else(|| BadDoc(format!("a timer of kind `{word}`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use helpdesk_core::actor::ActorKind;
    use helpdesk_core::event::Cause;
    use helpdesk_core::id::{CommandId, TicketId};
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn of_a_run_what_a_newer_version_wrote_stays_as_it_is_and_the_rest_is_read() {
        let stream = StreamId::case(TicketId(Uuid::from_u128(1)));
        let cause = Cause::Command { id: CommandId(Uuid::from_u128(2)) };
        let kind = ActorKind::System;
        let origin = Origin { kind, actor: None, on_behalf_of: None, ip: None, cause };
        let newer = json!({"type": "sung", "song": {"verses": 7}});
        let events = [Event::MarkedSpam, Event::or_opaque(newer.clone()).unwrap(), Event::Woken];
        let entry =
            |event| NewEvent { stream, at: DateTime::UNIX_EPOCH, origin: origin.clone(), event };
        let run = events.map(entry);
        let doc = encode_run(&run).unwrap();
        assert!(doc.contains(&newer.to_string()), "{doc}");
        let read = decode_run(stream, 7, 70, &doc).unwrap();
        assert_eq!(
            read.iter().map(|it| &it.entry).collect::<Vec<_>>(),
            run.iter().collect::<Vec<_>>()
        );
        assert_eq!(
            read.iter().map(|it| (it.n, it.position)).collect::<Vec<_>>(),
            [(5, 68), (6, 69), (7, 70)]
        );
        // What is no event of any version says what is wrong with it.
        let torn = doc.replace("\"type\":\"sung\"", "\"typ\":\"sung\"");
        let bad = decode_run(stream, 7, 70, torn).unwrap_err();
        assert!(bad.0.contains("type"), "{bad}");
    }
}
