//! Languages: how a text becomes the words that an index compares.
//!
//! An [`Analyzer`] belongs to one language and is used for articles and questions
//! alike. Its [`stamp`](Analyzer::stamp) stands in the metadata of every index.
//! Source: spec/search.md, "How to rank, with the figures".

mod bulstem;
mod guess;
mod stem;
mod stop;
mod words;

pub use guess::{GuessedLanguage, guess_language};
pub(crate) use stem::StemCache;
pub(crate) use words::{Piece, each_word, pieces};

use std::fmt;
use stem::Stemming;

/// Counts changes to how texts are cut into words and folded, whatever the language.
const WORDS_VERSION: u32 = 1;

/// How the words of one language are compared.
///
/// Languages that Snowball has an algorithm for are stemmed by it, Bulgarian by the
/// BulStem rules; of any other, five chars of a word count. Chinese, Japanese,
/// Korean and Thai text is cut into single chars and pairs of them, in whatever
/// language it stands.
///
/// ```
/// use helpdesk_search::Analyzer;
/// let words = |language: &str, text: &str| Analyzer::of(language).words(text);
/// assert_eq!(words("en", "Resetting passwords"), ["reset", "password"]);
/// assert_eq!(words("bg", "заявките"), words("bg", "заявка"));
/// assert_eq!(words("zh", "密码"), ["密", "密码", "码"]);
/// ```
#[derive(Clone)]
pub struct Analyzer {
    language: String,
    stemming: Stemming,
}

impl Analyzer {
    /// That of the language with this ISO 639 code; a region (`pt-BR`) counts for nothing.
    #[must_use]
    pub fn of(language: &str) -> Self {
        let language = base_code(language);
        Self { stemming: Stemming::of(&language), language }
    }

    /// The language, as an ISO 639 code without region.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Name and version: `en:snowball-english/1.1`. An index that was made with another
    /// must be made again.
    #[must_use]
    pub fn stamp(&self) -> String {
        let (name, version) = self.stemming.name();
        format!("{}:{name}/{WORDS_VERSION}.{version}", self.language)
    }

    /// The words of a text as the index compares them, in order.
    #[must_use]
    pub fn words(&self, text: &str) -> Vec<String> {
        let mut cache = StemCache::default();
        let mut found = Vec::new();
        pieces(text, |piece| {
            found.push(match piece {
                Piece::Word { folded, .. } => cache.stem(self, folded).to_owned(),
                Piece::Gram { text, .. } => text.to_owned(),
            });
        });
        found
    }

    /// Whether the word, folded, says nothing by itself.
    pub(crate) fn is_stop_word(&self, folded: &str) -> bool {
        stop::is_stop_word(&self.language, folded)
    }

    /// Writes the stem of a folded word.
    pub(crate) fn stem_into(&self, folded: &str, stem: &mut String) {
        self.stemming.stem_into(folded, stem);
    }

    /// Whether a word and its stem begin with the same char.
    pub(crate) fn keeps_first_char(&self) -> bool {
        !matches!(self.language.as_str(), "ar" | "ga" | "id" | "fa" | "ne" | "hi")
    }
}

impl fmt::Debug for Analyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Analyzer").field(&self.stamp()).finish()
    }
}

/// The code without region and script, in lower case; `nb` and `nn` are Norwegian.
pub(crate) fn base_code(language: &str) -> String {
    let base = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    match base.as_str() {
        "nb" | "nn" => "no".to_owned(),
        "" => "und".to_owned(),
        _ => base,
    }
}

#[cfg(test)]
mod tests;
