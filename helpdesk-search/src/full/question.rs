//! A question, cut into the words to look up.

use super::plan::{Alternative, Slot};
use super::weights::LOOKED_UP_MAX;
use crate::language::{Analyzer, Piece, pieces};
use crate::synonyms::Synonyms;

/// How much a synonym counts beside the word that was asked.
const SYNONYM_WEIGHT: f32 = 0.7;

/// The words of a question in one language, and their order. Words that say nothing
/// by themselves are left out, unless there are no others.
pub(crate) fn slots(
    text: &str,
    analyzer: &Analyzer,
    synonyms: &Synonyms,
) -> (Vec<Slot>, Vec<usize>) {
    let mut words = Vec::new();
    pieces(text, |piece| match piece {
        Piece::Word { folded, .. } => words.push((folded.to_owned(), true)),
        Piece::Gram { text, .. } => words.push((text.to_owned(), false)),
    });
    let says_nothing = |(word, is_word): &(String, bool)| *is_word && analyzer.is_stop_word(word);
    if !words.iter().all(says_nothing) {
        words.retain(|word| !says_nothing(word));
    }
    let mut slots: Vec<Slot> = Vec::new();
    let mut order = Vec::new();
    for (word, is_word) in words {
        let stem = stem(analyzer, &word, is_word);
        let known = slots.iter().position(|slot| slot.alternatives[0].stem == stem);
        if let Some(known) = known {
            slots[known].n_asked = slots[known].n_asked.saturating_add(1);
            order.push(known);
        } else if slots.len() < LOOKED_UP_MAX {
            order.push(slots.len());
            let mut alternatives = vec![Alternative { stem, weight: 1.0 }];
            for other in synonyms.of(&word) {
                let stem = self::stem(analyzer, other, is_word);
                if alternatives.iter().all(|known| known.stem != stem) {
                    alternatives.push(Alternative { stem, weight: SYNONYM_WEIGHT });
                }
            }
            slots.push(Slot { word, alternatives, n_asked: 1 });
        }
    }
    (slots, order)
}

pub(crate) fn stem(analyzer: &Analyzer, word: &str, is_word: bool) -> String {
    if !is_word {
        return word.to_owned();
    }
    let mut stem = String::new();
    analyzer.stem_into(word, &mut stem);
    stem
}
