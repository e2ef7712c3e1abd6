//! Takes entries out of the journal that are in the archive, and puts them back.
//!
//! A tombstone keeps the entry's place (stream, number, position), its time, what kind of event
//! it was, and what kind of actor by what; all else is in the archive. It changes nothing when it
//! is folded, so an archived thing folds from its stored record; with the archive's entries put
//! back ([`filled`]) the journal folds from the first one on, bit for bit as before.

use crate::event::{Event, Recorded};
use std::collections::BTreeMap;

/// What stands in the journal where an entry was that is in the archive.
///
/// A tombstone is its own.
#[must_use]
pub fn tombstone(entry: &Recorded) -> Recorded {
    let mut left = entry.clone();
    if !is_tombstone(entry) {
        left.entry.event = Event::Archived { of: entry.entry.event.name() };
    }
    left.entry.origin.actor = None;
    left.entry.origin.on_behalf_of = None;
    left.entry.origin.ip = None;
    left
}

/// Whether the entry is in the archive, and only its place stands here.
#[must_use]
pub fn is_tombstone(entry: &Recorded) -> bool {
    matches!(entry.entry.event, Event::Archived { .. })
}

/// A journal with its archived entries in their places; where the archive has an entry
/// several times, its last one counts. Entries that are no tombstones stay as they are.
#[must_use]
pub fn filled(journal: Vec<Recorded>, archive: &[Recorded]) -> Vec<Recorded> {
    let place = |it: &Recorded| (it.entry.stream, it.n);
    let by_place: BTreeMap<_, &Recorded> = archive.iter().map(|it| (place(it), it)).collect();
    let fill = |left: Recorded| match by_place.get(&place(&left)) {
        Some(entry) if tombstone(entry) == left => Recorded::clone(entry),
        _ => left,
    };
    journal.into_iter().map(fill).collect()
}
