//! How much each sign counts. Found on development halves of real questions with
//! `cargo xtask eval search`; see docs/DESIGN.md, "Ranking".

use super::schema::N_PARTS;

/// How much a word counts in each part, beside its rarity there.
pub(crate) const PART_WEIGHTS: [f32; N_PARTS] = [1.0, 1.0];
/// BM25's saturation of repeated words, by part.
pub(crate) const K1: [f32; N_PARTS] = [1.2, 1.2];
/// BM25's share of the length, by part.
pub(crate) const B: [f32; N_PARTS] = [0.75, 0.75];

/// The candidates that are looked at closely.
pub(crate) const CANDIDATES: usize = 100;
/// Distinct words up to which a question is one that a document may answer whole.
pub(crate) const LONG_QUESTION: f32 = 10.0;

// How much each sign of the second pass counts, times the rarity of the whole question. None
// is below zero, so that what was looked at never falls below what was not.

/// That the document has all words.
pub(crate) const COVERAGE: f32 = 2.5;
/// That the title has them.
pub(crate) const TITLE: f32 = 1.8;
/// That neighbors of the question are neighbors here.
pub(crate) const PAIRS: f32 = 1.1;
/// That words stand near each other.
pub(crate) const NEAR: f32 = 1.2;
/// That they do so early.
pub(crate) const EARLY: f32 = 2.2;

/// Words of a question that are looked up.
pub(crate) const LOOKED_UP_MAX: usize = 400;
/// Words of a question that are scored: those that say the most.
pub(crate) const SCORED_MAX: usize = 60;
