//! What a search answers.

use helpdesk_core::id::ArticleId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// Chars of a snippet.
pub const SNIPPET_CHARS_MAX: usize = 200;

/// One page of an answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Hits {
    /// Articles found that the asker may read, on all pages.
    pub total: usize,
    /// Those of this page, best first; equal scores by id.
    pub hits: Vec<Hit>,
    /// Counts of all that was found, if the question asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facets: Option<Facets>,
}

/// How many of the articles found carry what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facets {
    /// By key of the category; articles without one are not counted.
    pub categories: BTreeMap<String, usize>,
    /// By label; an article counts for each of its labels.
    pub labels: BTreeMap<String, usize>,
    /// By language, as an ISO 639 code without region.
    pub languages: BTreeMap<String, usize>,
}

/// One article found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Which.
    pub id: ArticleId,
    /// Its title.
    pub title: String,
    /// The part of its body to show: with words found, where any stand in the body.
    pub snippet: Snippet,
    /// How well it fits; comparable within one answer of one index only.
    pub score: f32,
    /// What the score is the sum of.
    pub parts: ScoreParts,
    /// What of the question was found, in the order of the question.
    pub why: Vec<WordMatch>,
}

/// What a score is the sum of.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ScoreParts {
    /// The words themselves: the rarer, the more often and the shorter the text, the more.
    pub words: f32,
    /// How much of the question the article has.
    pub coverage: f32,
    /// How much of the question its title has.
    pub title: f32,
    /// Words that follow each other in the question, and here.
    pub pairs: f32,
    /// Words that stand near each other.
    pub near: f32,
    /// How early they do.
    pub early: f32,
}

/// Where one word of the question was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordMatch {
    /// The word of the question, folded. What was found may be another form of it, a
    /// synonym, or the word that it was taken to mean.
    pub word: String,
    /// Whether it stands in the title.
    pub in_title: bool,
    /// Whether it stands in the body.
    pub in_body: bool,
}

/// A part of a body, at most [`SNIPPET_CHARS_MAX`] chars, with the words found.
///
/// It is plain text, not HTML: a page escapes it before it marks the words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snippet {
    /// The text, as it stands in the body, line breaks included.
    pub text: String,
    /// The words found: byte ranges of `text`, at char boundaries, in order,
    /// without overlap.
    pub marks: Vec<Range<usize>>,
}

impl Snippet {
    /// The words found, as they stand in the text. A range that does not fit the
    /// text, as one read from outside may not, is left out.
    #[must_use]
    pub fn marked(&self) -> Vec<&str> {
        self.marks.iter().filter_map(|mark| self.text.get(mark.clone())).collect()
    }
}
