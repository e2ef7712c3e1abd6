//! Stems.

use super::{Analyzer, bulstem};
use frostem::{Algorithm, Stemmer};
use std::collections::HashMap;

/// Counts changes to the stemmers themselves: raise it with the version of `frostem`.
const SNOWBALL_VERSION: u32 = 1;
/// Chars of a word that count where there is no stemmer.
const CUT_CHARS: usize = 5;
/// Stems that a cache keeps; then it starts anew.
const CACHED_MAX: usize = 50_000;
/// Bytes of a word whose stem is worth keeping.
const CACHED_BYTES_MAX: usize = 40;

/// Languages, and their Snowball algorithm.
const SNOWBALL: &[(&str, Algorithm)] = &[
    ("ar", Algorithm::Arabic),
    ("ca", Algorithm::Catalan),
    ("cs", Algorithm::Czech),
    ("da", Algorithm::Danish),
    ("de", Algorithm::German),
    ("el", Algorithm::Greek),
    ("en", Algorithm::English),
    ("eo", Algorithm::Esperanto),
    ("es", Algorithm::Spanish),
    ("et", Algorithm::Estonian),
    ("eu", Algorithm::Basque),
    ("fa", Algorithm::Persian),
    ("fi", Algorithm::Finnish),
    ("fr", Algorithm::French),
    ("ga", Algorithm::Irish),
    ("hi", Algorithm::Hindi),
    ("hu", Algorithm::Hungarian),
    ("hy", Algorithm::Armenian),
    ("id", Algorithm::Indonesian),
    ("it", Algorithm::Italian),
    ("lt", Algorithm::Lithuanian),
    ("ne", Algorithm::Nepali),
    ("nl", Algorithm::Dutch),
    ("no", Algorithm::Norwegian),
    ("pl", Algorithm::Polish),
    ("pt", Algorithm::Portuguese),
    ("ro", Algorithm::Romanian),
    ("ru", Algorithm::Russian),
    ("sr", Algorithm::Serbian),
    ("st", Algorithm::Sesotho),
    ("sv", Algorithm::Swedish),
    ("ta", Algorithm::Tamil),
    ("tr", Algorithm::Turkish),
    ("yi", Algorithm::Yiddish),
];

/// How a language shortens its words.
#[derive(Clone, Copy)]
pub(super) enum Stemming {
    /// By a Snowball algorithm.
    Snowball(Stemmer),
    /// By the Bulgarian rules.
    BulStem,
    /// Not at all: Chinese, Japanese, Korean, Thai.
    Whole,
    /// Only the first chars count.
    Cut,
}

impl Stemming {
    pub(super) fn of(language: &str) -> Self {
        let snowball = SNOWBALL.iter().find(|(code, _)| *code == language);
        match (language, snowball) {
            (_, Some((_, algorithm))) => Self::Snowball(Stemmer::new(*algorithm)),
            ("bg", None) => Self::BulStem,
            ("zh" | "ja" | "ko" | "th", None) => Self::Whole,
            (_, None) => Self::Cut,
        }
    }

    /// Its name and its version.
    pub(super) fn name(self) -> (String, u32) {
        match self {
            Self::Snowball(stemmer) => {
                (format!("snowball-{}", stemmer.algorithm().name()), SNOWBALL_VERSION)
            }
            Self::BulStem => ("bulstem-2".to_owned(), 1),
            Self::Whole => ("grams".to_owned(), 1),
            Self::Cut => (format!("cut-{CUT_CHARS}"), 1),
        }
    }

    pub(super) fn stem_into(self, folded: &str, stem: &mut String) {
        match self {
            Self::Snowball(stemmer) => stem.push_str(&stemmer.stem(folded)),
            Self::BulStem => stem.push_str(bulstem::stem(folded)),
            Self::Whole => stem.push_str(folded),
            Self::Cut => stem.extend(folded.chars().take(CUT_CHARS)),
        }
    }
}

/// Stems of words seen before. One cache is for one analyzer at a time: another
/// empties it.
#[derive(Default)]
pub(crate) struct StemCache {
    language: String,
    stems: HashMap<Box<str>, Box<str>, foldhash::fast::FixedState>,
    own: String,
}

impl StemCache {
    /// The stem of a folded word.
    pub(crate) fn stem(&mut self, analyzer: &Analyzer, folded: &str) -> &str {
        if self.language != analyzer.language || self.stems.len() >= CACHED_MAX {
            self.stems.clear();
            self.language.clone_from(&analyzer.language);
        }
        if folded.len() > CACHED_BYTES_MAX {
            self.own.clear();
            analyzer.stem_into(folded, &mut self.own);
            return &self.own;
        }
        if !self.stems.contains_key(folded) {
            let mut stem = String::new();
            analyzer.stem_into(folded, &mut stem);
            self.stems.insert(folded.into(), stem.into_boxed_str());
        }
        self.stems.get(folded).map_or(&self.own, |stem| &**stem)
    }
}
