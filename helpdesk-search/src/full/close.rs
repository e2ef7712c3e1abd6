//! The second pass: signs that are too dear for every document.
//!
//! Each of the best candidates is looked at: how much of the question it has, whether
//! the title says it all, how near the words stand to each other.

use super::plan::{GroupPlan, Readable};
use super::schema::{N_PARTS, Part};
use super::score::{Candidate, compare, of};
use super::snapshot::{Segment, Snapshot};
use super::weights::{self, CANDIDATES, LONG_QUESTION};
use crate::hits::ScoreParts;
use tantivy::postings::Postings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};

/// A candidate, looked at.
#[derive(Debug, Clone)]
pub(crate) struct Ranked {
    pub(crate) candidate: Candidate,
    pub(crate) parts: ScoreParts,
}

/// What was seen, each from 0 to 1, as shares of the rarity of the whole question.
#[derive(Debug, Clone, Copy)]
struct Signs {
    /// Words that stand in the document at all.
    coverage: f32,
    /// Words that stand in the title.
    title: f32,
    /// Pairs of neighbors that stand near each other, in order.
    pairs: f32,
    /// Words that stand within a few places of each other.
    near: f32,
    /// The same, the more the earlier in the document.
    early: f32,
}

/// Places that words may be apart and still count as near.
const NEAR_PLACES: u32 = 8;
/// Words that may stand between two neighbors of the question.
const SLOP: u32 = 2;
/// Occurrences of one word in one document that are looked at.
const OCCURRENCES_MAX: usize = 64;
/// Places after which something is half as early.
const EARLY_PLACES: f32 = 100.0;

/// Orders the candidates: the best of the first pass by all signs, those after them as
/// they were.
pub(crate) fn rank(
    snapshot: &Snapshot,
    plans: &[GroupPlan],
    candidates: Vec<Candidate>,
) -> tantivy::Result<Vec<Ranked>> {
    let plain = |candidate: Candidate| Ranked {
        candidate,
        parts: ScoreParts { words: candidate.score, ..ScoreParts::default() },
    };
    let mut ranked: Vec<Ranked> = candidates.into_iter().map(plain).collect();
    let n_first = CANDIDATES.min(ranked.len());
    let (first, _) = ranked.split_at_mut(n_first);
    first.sort_unstable_by_key(|r| (r.candidate.plan, r.candidate.segment, r.candidate.doc));
    let same = |a: &Ranked, b: &Ranked| {
        (a.candidate.plan, a.candidate.segment) == (b.candidate.plan, b.candidate.segment)
    };
    for chunk in first.chunk_by_mut(same) {
        let Candidate { plan, segment: i_segment, .. } = chunk[0].candidate;
        let (plan, segment) = (&plans[plan as usize], &snapshot.segments[i_segment as usize]);
        look(plan, i_segment as usize, segment, chunk)?;
    }
    first.sort_unstable_by(|a, b| compare(snapshot, &a.candidate, &b.candidate));
    Ok(ranked)
}

/// One word of the question at one place.
#[derive(Debug, Clone, Copy)]
struct Occurrence {
    position: u32,
    slot: u16,
    weight: f32,
}

/// Looks at candidates of one segment, in the order of their documents.
fn look(
    plan: &GroupPlan,
    i_segment: usize,
    segment: &Segment,
    chunk: &mut [Ranked],
) -> tantivy::Result<()> {
    debug_assert!(plan.readable[i_segment] != Readable::Nothing);
    let mut seen: Vec<[Vec<Occurrence>; N_PARTS]> = vec![Default::default(); chunk.len()];
    let mut positions = Vec::new();
    for (planned, slot) in plan.slots.iter().zip(0u16..) {
        for term in &planned.terms {
            for part in [Part::Both, Part::Title] {
                let Some(info) = &term.infos[i_segment][of(part)] else { continue };
                let option = IndexRecordOption::WithFreqsAndPositions;
                let index = &segment.parts[of(part)];
                let mut postings = index.read_postings_from_terminfo(info, option)?;
                for (ranked, seen) in chunk.iter().zip(&mut seen) {
                    let doc = ranked.candidate.doc;
                    if postings.doc() < doc {
                        postings.seek(doc);
                    }
                    if postings.doc() == TERMINATED {
                        break;
                    }
                    if postings.doc() == doc {
                        postings.positions(&mut positions);
                        let some = positions.iter().take(OCCURRENCES_MAX);
                        seen[of(part)].extend(some.map(|position| Occurrence {
                            position: *position,
                            slot,
                            weight: term.weight,
                        }));
                    }
                }
            }
        }
    }
    for (ranked, seen) in chunk.iter_mut().zip(&mut seen) {
        for occurrences in seen.iter_mut() {
            occurrences.sort_unstable_by_key(|o| (o.position, o.slot));
        }
        weigh(plan, &signs(plan, seen), ranked);
    }
    Ok(())
}

/// Adds what the signs say to the score.
fn weigh(plan: &GroupPlan, signs: &Signs, ranked: &mut Ranked) {
    // Nobody repeats all words of a long text, so little follows from it there.
    let share = (LONG_QUESTION / plan.slots.len() as f32).min(1.0);
    let unit = plan.rarity * share;
    let parts = &mut ranked.parts;
    parts.coverage = unit * weights::COVERAGE * signs.coverage;
    parts.title = unit * weights::TITLE * signs.title;
    parts.pairs = unit * weights::PAIRS * signs.pairs;
    parts.near = unit * weights::NEAR * signs.near;
    parts.early = unit * weights::EARLY * signs.early;
    ranked.candidate.score =
        parts.words + parts.coverage + parts.title + parts.pairs + parts.near + parts.early;
}

fn signs(plan: &GroupPlan, seen: &[Vec<Occurrence>; N_PARTS]) -> Signs {
    let [both, title] = seen;
    let rarity = plan.rarity.max(f32::MIN_POSITIVE);
    let mut best = vec![0.0f32; plan.slots.len()];
    let coverage = covered(plan, both, &mut best) / rarity;
    let title = covered(plan, title, &mut best) / rarity;
    let (near, early) = near(plan, both, &mut best);
    let pairs = pairs(plan, both);
    Signs { coverage, title, pairs, near: near / rarity, early: early / rarity }
}

/// The rarity of the words that occur.
fn covered(plan: &GroupPlan, occurrences: &[Occurrence], best: &mut [f32]) -> f32 {
    best.fill(0.0);
    for occurrence in occurrences {
        let best = &mut best[usize::from(occurrence.slot)];
        *best = best.max(occurrence.weight);
    }
    best.iter().zip(&plan.slots).map(|(best, planned)| best * planned.rarity).sum()
}

/// The most that stands within [`NEAR_PLACES`] places, and the same weighted by how early.
fn near(plan: &GroupPlan, both: &[Occurrence], best: &mut [f32]) -> (f32, f32) {
    let (mut nearest, mut earliest) = (0.0f32, 0.0f32);
    for (first, at) in both.iter().zip(0..) {
        let n =
            both[at..].iter().take_while(|o| o.position <= first.position + NEAR_PLACES).count();
        let here = covered(plan, &both[at..at + n], best);
        nearest = nearest.max(here);
        earliest = earliest.max(here / (1.0 + first.position as f32 / EARLY_PLACES));
    }
    (nearest, earliest)
}

/// Neighbors of the question that are almost neighbors here, as a share of all such pairs.
fn pairs(plan: &GroupPlan, both: &[Occurrence]) -> f32 {
    let (mut all, mut found) = (0.0f32, 0.0f32);
    for pair in plan.order.windows(2) {
        let (first, second) = (pair[0], pair[1]);
        let rarity = plan.slots[first].rarity + plan.slots[second].rarity;
        if first == second || rarity <= 0.0 {
            continue;
        }
        all += rarity;
        let mut n = 0.0f32;
        for (o, at) in both.iter().zip(0..) {
            if usize::from(o.slot) == first {
                let after =
                    both[at + 1..].iter().take_while(|p| p.position <= o.position + 1 + SLOP);
                let is_followed = after
                    .filter(|p| usize::from(p.slot) == second && p.position > o.position)
                    .count()
                    > 0;
                n += f32::from(u8::from(is_followed));
            }
        }
        found += rarity * n / (n + 1.0);
    }
    if all > 0.0 { 2.0 * found / all } else { 0.0 }
}
