//! Words that mean the same to a desk.

use crate::language::{Piece, pieces};
use std::collections::HashMap;

/// Groups of words that find each other. They are looked up when a question is asked,
/// so a change needs no new index.
///
/// ```
/// use helpdesk_search::Synonyms;
/// let synonyms = Synonyms::new([vec!["invoice", "bill"], vec!["laptop", "notebook"]]);
/// assert_eq!(synonyms.of("bill").collect::<Vec<_>>(), ["invoice"]);
/// assert_eq!(synonyms.of("lamp").count(), 0);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synonyms {
    others: HashMap<String, Vec<String>>,
}

impl Synonyms {
    /// Each group is a list of words, in any language and case. A text of several words
    /// counts as each of them, and a word alone in its group is left out.
    #[must_use]
    pub fn new<G, W>(groups: impl IntoIterator<Item = G>) -> Self
    where
        G: IntoIterator<Item = W>,
        W: AsRef<str>,
    {
        let mut others = HashMap::<String, Vec<String>>::new();
        for group in groups {
            let mut words: Vec<String> = Vec::new();
            for text in group {
                pieces(text.as_ref(), |piece| match piece {
                    Piece::Word { folded: text, .. } | Piece::Gram { text, .. } => {
                        if !words.iter().any(|word| word == text) {
                            words.push(text.to_owned());
                        }
                    }
                });
            }
            for word in &words {
                let known = others.entry(word.clone()).or_default();
                for other in words.iter().filter(|other| *other != word) {
                    if !known.contains(other) {
                        known.push(other.clone());
                    }
                }
            }
        }
        others.retain(|_, known| !known.is_empty());
        Self { others }
    }

    /// What the folded word is found as, besides itself.
    pub fn of(&self, word: &str) -> impl Iterator<Item = &str> {
        self.others.get(word).into_iter().flatten().map(String::as_str)
    }
}
