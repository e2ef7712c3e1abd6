//! The Bulgarian stemmer: endings that are cut after two letters of context.
//!
//! The rules are those of BulStem (see `data/README.md`): the longest ending of the
//! word that begins after its first vowel and the letter behind that, and that a
//! rule knows, is cut.

use std::collections::HashMap;
use std::sync::LazyLock;

const RULES: &str = include_str!("../../data/bulstem.txt");
const VOWELS: &str = "аъоуеиюя";

/// Context and ending, with the bytes of the ending.
static ENDINGS: LazyLock<HashMap<String, usize, foldhash::fast::FixedState>> =
    LazyLock::new(|| {
        let mut endings = HashMap::default();
        for line in RULES.lines() {
            let mut parts = line.split(' ');
            let context = parts.next().unwrap_or_default();
            for ending in parts {
                let ending = if ending == "-" { "" } else { ending };
                endings.insert(format!("{context}{ending}"), ending.len());
            }
        }
        endings
    });

/// The stem of a folded word: its beginning.
pub(super) fn stem(word: &str) -> &str {
    let mut starts = word.char_indices().skip_while(|(_, char)| !VOWELS.contains(*char));
    // The vowel itself and the letter behind it always stay.
    if starts.next().is_none() || starts.next().is_none() {
        return word;
    }
    for (start, _) in starts {
        if let Some(n_bytes) = ENDINGS.get(&word[start..]) {
            return &word[..word.len() - n_bytes];
        }
    }
    word
}
