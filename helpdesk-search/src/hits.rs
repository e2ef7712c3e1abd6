//! What a search answers.

use helpdesk_core::id::ArticleId;
use serde::{Deserialize, Serialize};
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
    /// What of the question was found, in the order of the question.
    pub why: Vec<WordMatch>,
}

/// Where one word of the question was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordMatch {
    /// The word, as the index compares it.
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
