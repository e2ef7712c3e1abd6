//! The first pass: every document that has a word of the question, scored by the
//! words alone (BM25 over title and body, and over the title); the best are kept.
//!
//! Documents are gone through in windows, so that the scores at hand stay in the
//! cache, whatever the size of the segment.

use super::plan::{GroupPlan, Readable};
use super::schema::{N_PARTS, Part};
use super::snapshot::{Segment, Snapshot};
use super::weights::{K1, PART_WEIGHTS};
use std::cmp::Ordering;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::IndexRecordOption;

const WINDOW: u32 = 4_096;

/// A document and its score.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) score: f32,
    pub(crate) segment: u32,
    pub(crate) doc: u32,
    /// Which of the plans found it.
    pub(crate) plan: u32,
    /// 0 for a language that was asked for, 1 for another.
    pub(crate) tier: u8,
}

/// The best so many.
pub(crate) struct Top<'a> {
    snapshot: &'a Snapshot,
    n_max: usize,
    found: Vec<Candidate>,
    worst: Option<Candidate>,
}

impl<'a> Top<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, n_max: usize) -> Self {
        Self { snapshot, n_max, found: Vec::new(), worst: None }
    }

    #[inline]
    pub(crate) fn push(&mut self, candidate: Candidate) {
        let is_worse = |worst: &Candidate| {
            candidate.tier > worst.tier
                || (candidate.tier == worst.tier && candidate.score < worst.score)
        };
        if self.n_max == 0 || self.worst.as_ref().is_some_and(is_worse) {
            return;
        }
        self.found.push(candidate);
        if self.found.len() >= 2 * self.n_max + 64 {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        let snapshot = self.snapshot;
        let (_, worst, _) =
            self.found.select_nth_unstable_by(self.n_max - 1, |a, b| compare(snapshot, a, b));
        self.worst = Some(*worst);
        self.found.truncate(self.n_max);
    }

    /// Best first; equal scores by id.
    pub(crate) fn into_sorted(mut self) -> Vec<Candidate> {
        if self.found.len() > self.n_max && self.n_max > 0 {
            self.shrink();
        }
        let snapshot = self.snapshot;
        self.found.sort_unstable_by(|a, b| compare(snapshot, a, b));
        self.found
    }
}

/// Best first.
pub(crate) fn compare(snapshot: &Snapshot, a: &Candidate, b: &Candidate) -> Ordering {
    let id = |c: &Candidate| snapshot.segments[c.segment as usize].id(c.doc);
    a.tier.cmp(&b.tier).then_with(|| b.score.total_cmp(&a.score)).then_with(|| id(a).cmp(&id(b)))
}

/// One list of documents that have a term in a part.
struct Cursor<'a> {
    postings: BlockSegmentPostings,
    at: usize,
    /// Rarity, weight and BM25's constant factor.
    factor: f32,
    lengths: &'a [f32; 256],
    norms: &'a FieldNormReader,
}

impl Cursor<'_> {
    fn doc(&self) -> Option<u32> {
        self.postings.docs().get(self.at).copied()
    }

    /// Adds what documents before `end` have to their scores.
    #[inline]
    fn add(&mut self, start: u32, end: u32, window: &mut Window) {
        loop {
            let (docs, freqs) = (self.postings.docs(), self.postings.freqs());
            let n = docs.len();
            while self.at < n {
                let doc = docs[self.at];
                if doc >= end {
                    return;
                }
                let freq = freqs[self.at] as f32;
                let length = self.lengths[self.norms.fieldnorm_id(doc) as usize];
                let place = (doc - start) as usize;
                window.scores[place] += self.factor * freq / (freq + length);
                window.found[place / 64] |= 1 << (place % 64);
                self.at += 1;
            }
            if n == 0 {
                return;
            }
            self.postings.advance();
            self.at = 0;
        }
    }
}

struct Window {
    scores: Box<[f32; WINDOW as usize]>,
    found: [u64; WINDOW as usize / 64],
}

/// Scores the documents of one segment that the plan concerns. `keeps` says whether
/// a document counts; it is asked once for each.
pub(crate) fn score_segment(
    plan: &GroupPlan,
    (i_plan, tier): (u32, u8),
    (i_segment, segment): (u32, &Segment),
    mut keeps: impl FnMut(u32) -> bool,
    top: &mut Top<'_>,
) -> tantivy::Result<usize> {
    let readable = &plan.readable[i_segment as usize];
    if *readable == Readable::Nothing {
        return Ok(0);
    }
    let mut cursors = cursors(plan, i_segment as usize, segment)?;
    let mut window =
        Window { scores: Box::new([0.0; WINDOW as usize]), found: [0; WINDOW as usize / 64] };
    let mut n_found = 0;
    while let Some(start) = cursors.iter().filter_map(Cursor::doc).min() {
        let start = start - start % 64;
        for cursor in &mut cursors {
            cursor.add(start, start.saturating_add(WINDOW), &mut window);
        }
        for (i_bits, bits) in window.found.iter_mut().enumerate() {
            while *bits != 0 {
                let place = i_bits * 64 + bits.trailing_zeros() as usize;
                *bits &= *bits - 1;
                let score = std::mem::take(&mut window.scores[place]);
                let doc = start + place as u32;
                if readable.has(segment, doc) && keeps(doc) {
                    n_found += 1;
                    top.push(Candidate { score, segment: i_segment, doc, plan: i_plan, tier });
                }
            }
        }
    }
    Ok(n_found)
}

fn cursors<'a>(
    plan: &'a GroupPlan,
    i_segment: usize,
    segment: &'a Segment,
) -> tantivy::Result<Vec<Cursor<'a>>> {
    let mut cursors = Vec::new();
    for planned in &plan.slots {
        for term in &planned.terms {
            for part in 0..N_PARTS {
                let Some(info) = &term.infos[i_segment][part] else { continue };
                let index = &segment.parts[part];
                let option = IndexRecordOption::WithFreqs;
                let asked = f32::from(planned.slot.n_asked);
                cursors.push(Cursor {
                    postings: index.read_block_postings_from_terminfo(info, option)?,
                    at: 0,
                    factor: PART_WEIGHTS[part]
                        * term.rarities[part]
                        * term.weight
                        * asked
                        * (K1[part] + 1.0),
                    lengths: &plan.lengths[part],
                    norms: &segment.norms[part],
                });
            }
        }
    }
    Ok(cursors)
}

/// The index of a part.
pub(crate) const fn of(part: Part) -> usize {
    part as usize
}
