//! Hits as they are shown: title, the part of the body to read, and why.

use super::close::Ranked;
use super::plan::GroupPlan;
use super::snapshot::Snapshot;
use crate::hits::{Hit, SNIPPET_CHARS_MAX, Snippet, WordMatch};
use crate::language::{Analyzer, Piece, StemCache, each_word, pieces};
use helpdesk_core::id::ArticleId;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use tantivy::schema::Value;
use tantivy::{DocAddress, TantivyDocument};
use uuid::Uuid;

/// Bytes of a body in which words are marked.
const MARKED_BYTES_MAX: usize = 200_000;

/// What is to be marked in the hits of one plan.
pub(crate) struct Marker<'a> {
    plan: &'a GroupPlan,
    analyzer: Analyzer,
    /// The word of the question that a stem stands for.
    slots: HashMap<&'a str, usize>,
    /// What words to mark begin with; empty where that says nothing.
    firsts: HashSet<char>,
    cache: StemCache,
}

impl<'a> Marker<'a> {
    pub(crate) fn new(plan: &'a GroupPlan) -> Self {
        let analyzer = Analyzer::of(&plan.language);
        let mut slots = HashMap::new();
        for (planned, slot) in plan.slots.iter().zip(0..) {
            if !planned.terms.is_empty() {
                for alternative in &planned.slot.alternatives {
                    slots.entry(alternative.stem.as_str()).or_insert(slot);
                }
            }
        }
        let firsts = match analyzer.keeps_first_char() {
            true => slots.keys().filter_map(|stem| stem.chars().next()).collect(),
            false => HashSet::new(),
        };
        Self { plan, analyzer, slots, firsts, cache: StemCache::default() }
    }

    /// Where words of the question stand in the text, and which.
    fn marks(&mut self, text: &str) -> Vec<(Range<usize>, usize)> {
        let mut end = text.len().min(MARKED_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut found: Vec<(Range<usize>, usize)> = Vec::new();
        each_word(&text[..end], |word_start, word_end| {
            let word = &text[word_start..word_end];
            let may_fit = |first: char| {
                self.firsts.is_empty()
                    || first.to_lowercase().next().is_some_and(|c| self.firsts.contains(&c))
            };
            // Of other scripts, compatible forms may begin otherwise, and so may stems.
            let is_plain = |c: char| c.is_ascii() || ('А'..='я').contains(&c);
            if word.chars().next().is_some_and(|c| is_plain(c) && !may_fit(c)) && !has_gram(word) {
                return;
            }
            pieces(word, |piece| {
                let (slot, start, end) = match piece {
                    Piece::Word { folded, start, end } => {
                        (self.slots.get(self.cache.stem(&self.analyzer, folded)), start, end)
                    }
                    Piece::Gram { text, start, end } => (self.slots.get(text), start, end),
                };
                let Some(slot) = slot else { return };
                let mark = word_start + start..word_start + end;
                match found.last_mut() {
                    // Grams overlap.
                    Some((last, _)) if mark.start < last.end => last.end = last.end.max(mark.end),
                    _ => found.push((mark, *slot)),
                }
            });
        });
        found
    }
}

/// Whether there may be chars of a script without spaces behind others.
fn has_gram(word: &str) -> bool {
    word.chars().any(|char| char >= '\u{0E00}')
}

/// The hit as it is shown.
pub(crate) fn show(
    snapshot: &Snapshot,
    marker: &mut Marker<'_>,
    ranked: &Ranked,
) -> tantivy::Result<Hit> {
    let candidate = ranked.candidate;
    let segment = &snapshot.segments[candidate.segment as usize];
    let document: TantivyDocument =
        snapshot.searcher.doc(DocAddress::new(candidate.segment, candidate.doc))?;
    let text = |field| document.get_first(field).and_then(|v| v.as_str()).unwrap_or_default();
    let (title, body) = (text(snapshot.fields.title), text(snapshot.fields.body));
    let in_title = marker.marks(title);
    let in_body = marker.marks(body);
    let has = |marks: &[(Range<usize>, usize)], slot| marks.iter().any(|(_, s)| *s == slot);
    let why = |slot: usize| WordMatch {
        word: marker.plan.slots[slot].slot.word.clone(),
        in_title: has(&in_title, slot),
        in_body: has(&in_body, slot),
    };
    let why = (0..marker.plan.slots.len()).map(why).filter(|w| w.in_title || w.in_body).collect();
    Ok(Hit {
        id: ArticleId(Uuid::from_u128(segment.id(candidate.doc))),
        title: title.to_owned(),
        snippet: snippet(body, &in_body, marker.plan),
        score: candidate.score,
        parts: ranked.parts,
        why,
    })
}

/// The part of the body with the most of the question; its start where there is none.
fn snippet(body: &str, marks: &[(Range<usize>, usize)], plan: &GroupPlan) -> Snippet {
    // Room for what leads up to the first word.
    let (before, room) = (SNIPPET_CHARS_MAX / 4, SNIPPET_CHARS_MAX * 3 / 4);
    let mut best = (0.0f32, 0);
    for (mark, at) in marks.iter().zip(0..) {
        let end = forward(body, mark.0.start, room);
        let mut seen: Vec<usize> = Vec::new();
        let mut says = 0.0;
        for (_, slot) in marks[at..].iter().take_while(|(mark, _)| mark.end <= end) {
            if !seen.contains(slot) {
                seen.push(*slot);
                says += plan.slots[*slot].rarity.max(f32::MIN_POSITIVE);
            }
        }
        if says > best.0 {
            best = (says, mark.0.start);
        }
    }
    let (_, first) = best;
    let start = back(body, first, before);
    let end = forward(body, start, SNIPPET_CHARS_MAX);
    let inside = marks.iter().filter(|(mark, _)| mark.start >= start && mark.end <= end);
    Snippet {
        text: body[start..end].to_owned(),
        marks: inside.map(|(mark, _)| mark.start - start..mark.end - start).collect(),
    }
}

/// So many chars further, at most.
fn forward(text: &str, from: usize, n_chars: usize) -> usize {
    text[from..].char_indices().nth(n_chars).map_or(text.len(), |(at, _)| from + at)
}

/// So many chars back, at most, to the beginning of a word or of the line.
fn back(text: &str, from: usize, n_chars: usize) -> usize {
    let start = text[..from].char_indices().rev().take(n_chars).last().map_or(from, |(at, _)| at);
    if start == 0 {
        return 0;
    }
    let line = text[start..from].rfind('\n').map(|at| start + at + 1);
    let word = text[start..from].find(' ').map(|at| start + at + 1);
    line.or(word).unwrap_or(start)
}
