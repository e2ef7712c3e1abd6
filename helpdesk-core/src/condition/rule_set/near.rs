//! Patterns that are tried only where one of their parts stands.

use super::Scratch;
use super::literals::Reach;
use super::texts::Texts;
use crate::condition::ast::Pattern;
use crate::condition::facts::Facts;
use crate::condition::text::TextFact;

/// Places of parts that are kept of one ticket; with more of them patterns are tried on
/// whole texts.
const PLACES_MAX: usize = 4_096;
/// Marks the end of the places of a part.
const NO_PLACE: u32 = u32::MAX;

/// Where a pattern of a field can match: near these parts.
#[derive(Debug, Clone)]
pub(super) struct Near {
    pub(super) field: u32,
    pub(super) parts: Vec<u32>,
    pub(super) reach: Reach,
}

/// Where parts stand in a ticket's texts.
#[derive(Debug, Clone, Default)]
pub(super) struct PartPlaces {
    places: Vec<PartPlace>,
    /// For each part the place that was found last.
    last: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct PartPlace {
    part: u32,
    /// Which of the ticket's texts.
    source: u32,
    start: u32,
    /// The place of the same part that was found before.
    before: u32,
}

impl PartPlaces {
    /// Forgets all, and makes room for so many parts.
    pub(super) fn begin(&mut self, n_parts: usize) {
        for place in self.places.drain(..) {
            if let Some(last) = self.last.get_mut(place.part as usize) {
                *last = NO_PLACE;
            }
        }
        if self.last.len() < n_parts {
            self.last.resize(n_parts, NO_PLACE);
        }
    }

    #[inline]
    pub(super) fn add(&mut self, part: u32, source: u32, start: usize) {
        if self.places.len() < PLACES_MAX {
            let place = self.places.len() as u32;
            let before = std::mem::replace(&mut self.last[part as usize], place);
            self.places.push(PartPlace { part, source, start: start as u32, before });
        }
    }

    /// Where a part stands in one of the texts.
    fn of(&self, part: u32, source: u32) -> impl Iterator<Item = usize> {
        let place = |at: u32| self.places.get(at as usize);
        let last = self.last.get(part as usize).copied().unwrap_or(NO_PLACE);
        let all = std::iter::successors(place(last), move |found| place(found.before));
        all.filter(move |found| found.source == source).map(|found| found.start as usize)
    }

    fn is_cut(&self) -> bool {
        self.places.len() >= PLACES_MAX
    }
}

impl Near {
    /// Whether the pattern matches one of the field's texts, in which all parts have been
    /// found.
    pub(super) fn matches<F: Facts + ?Sized>(
        &self,
        pattern: &Pattern,
        texts: &Texts,
        facts: &F,
        scratch: &Scratch,
    ) -> bool {
        texts.of_field(self.field, facts).any(|(source, text)| {
            let tries = self.tries(pattern, source, text, &scratch.part_places);
            tries.unwrap_or_else(|| pattern.regex().is_match(text.seen()))
        })
    }

    /// Tries the pattern around its parts; `None` where the whole text must tell.
    fn tries(
        &self,
        pattern: &Pattern,
        source: u32,
        text: &TextFact<'_>,
        places: &PartPlaces,
    ) -> Option<bool> {
        if places.is_cut() || !text.is_aligned() {
            return None;
        }
        let seen = text.seen();
        // What stands beside a match shows in the piece too, so that a pattern that looks
        // at it misses nothing; but at the ends of a piece it may see what is not there.
        let margin = usize::from(self.reach.looks);
        let mut n_left = seen.len();
        for start in self.parts.iter().flat_map(|part| places.of(*part, source)) {
            let from = start.saturating_sub(self.reach.before as usize + margin);
            let upto = start.saturating_add(self.reach.behind as usize + margin);
            if let Some((length, bytes)) = self.reach.follows {
                let rest = seen.as_bytes().get(start + length as usize..).unwrap_or_default();
                let n_bytes = self.reach.behind.saturating_sub(length) as usize;
                if !rest.iter().take(n_bytes).any(|byte| bytes.has(*byte)) {
                    continue;
                }
            }
            let piece = seen.get(seen.floor_char_boundary(from)..seen.ceil_char_boundary(upto))?;
            // Pieces that are more than the text are not worth it.
            n_left = n_left.checked_sub(piece.len())?;
            if pattern.regex().is_match(piece) {
                return (!self.reach.looks).then_some(true);
            }
        }
        Some(false)
    }
}
