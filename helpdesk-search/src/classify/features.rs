//! What a classifier sees of a text: its words, beginnings of words, pairs of words, and
//! runs of a few chars, each hashed into a table.

use crate::language::{Piece, pieces};

/// Places for words, their beginnings and pairs, and as many for runs of chars.
pub(super) const TABLE: usize = 1 << 15;
/// All places.
pub(super) const N_FEATURES: usize = 2 * TABLE;
/// Chars of the runs that are looked at; they go over spaces.
const RUN_CHARS_MIN: usize = 2;
const RUN_CHARS_MAX: usize = 4;
/// Chars of the beginning of a word.
const BEGINNING_CHARS: usize = 5;
/// Words of a text that are looked at.
const WORDS_MAX: usize = 2_000;

/// One thing seen: where in the table, how much, and in which word of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) place: u32,
    pub(super) word: u32,
}

/// All that is seen of one text.
#[derive(Debug, Default)]
pub(super) struct Features {
    /// The words, folded.
    pub(super) words: Vec<String>,
    /// In order of the text.
    pub(super) seen: Vec<Seen>,
    /// Each place once, with how often it was seen; in order.
    pub(super) counts: Vec<(u32, u32)>,
}

impl Features {
    pub(super) fn of(text: &str) -> Self {
        let mut features = Self::default();
        pieces(text, |piece| match piece {
            Piece::Word { folded: text, .. } | Piece::Gram { text, .. } => {
                if features.words.len() < WORDS_MAX {
                    features.words.push(text.to_owned());
                }
            }
        });
        if features.words.is_empty() {
            return features;
        }
        let mut before: Option<u64> = None;
        for (word, i_word) in features.words.iter().zip(0u32..) {
            let hash = hash(1, word.as_bytes());
            features.seen.push(Seen { place: place(hash), word: i_word });
            if let Some(before) = before {
                let pair = place(mix(before.rotate_left(23) ^ hash));
                features.seen.push(Seen { place: pair, word: i_word });
            }
            before = Some(hash);
            let beginning: String = word.chars().take(BEGINNING_CHARS).collect();
            let beginning = place(self::hash(3, beginning.as_bytes()));
            features.seen.push(Seen { place: beginning, word: i_word });
        }
        let Self { words, seen, .. } = &mut features;
        runs(words, |run, word| {
            let place = TABLE as u32 + place(hash(2, run));
            seen.push(Seen { place, word });
        });
        let mut places: Vec<u32> = features.seen.iter().map(|seen| seen.place).collect();
        places.sort_unstable();
        for run in places.chunk_by(|a, b| a == b) {
            features.counts.push((run[0], u32::try_from(run.len()).unwrap_or(u32::MAX)));
        }
        features
    }
}

/// Each run of a few chars of the words with spaces between, and the word that it begins in
/// or before.
fn runs(words: &[String], mut each: impl FnMut(&[u8], u32)) {
    let mut text = String::from(" ");
    // Where each char begins, and in which word; a space belongs to the word behind it.
    let mut chars: Vec<(usize, u32)> = vec![(0, 0)];
    for (word, i_word) in words.iter().zip(0u32..) {
        let start = text.len();
        chars.extend(word.char_indices().map(|(at, _)| (start + at, i_word)));
        text.push_str(word);
        chars.push((text.len(), i_word + 1));
        text.push(' ');
    }
    let last = u32::try_from(words.len()).unwrap_or(u32::MAX).saturating_sub(1);
    chars.push((text.len(), last));
    for n_chars in RUN_CHARS_MIN..=RUN_CHARS_MAX {
        for bounds in chars.windows(n_chars + 1) {
            let (start, word) = bounds[0];
            each(&text.as_bytes()[start..bounds[n_chars].0], word.min(last));
        }
    }
}

fn place(hash: u64) -> u32 {
    // The high bits are the best mixed ones.
    (hash >> (64 - TABLE.trailing_zeros())) as u32
}

/// FNV-1a, mixed: the same on every machine and in every version, for saved models.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(hash)
}

fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
