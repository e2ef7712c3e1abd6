//! Folding, words and phrases: how conditions look at a text.
//!
//! A text is folded and split once for each ticket, when the first leaf asks,
//! and all leaves share the result. Source: spec/routing.md, "Folding and words".

use crate::limit::{CONDITION_TEXT_BYTES_MAX, TEXT_BYTES_MAX};
use foldhash::fast::FixedState;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::hash::{BuildHasher, Hasher};
use unicode_normalization::char::is_combining_mark;

/// How a desk looks at texts. Conditions and the texts they meet must be made
/// with the same options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldOptions {
    /// Whether `ё` counts as `е`.
    pub fold_yo: bool,
    /// Bytes of a text that are looked at; never more than
    /// [`TEXT_BYTES_MAX`].
    pub text_bytes_max: usize,
}

impl Default for FoldOptions {
    fn default() -> Self {
        Self { fold_yo: false, text_bytes_max: CONDITION_TEXT_BYTES_MAX }
    }
}

/// The text in lower case, char by char, without normalization: `ß` stays,
/// `Σ` is always `σ`, and `İ` gives two chars. Folding twice changes nothing.
///
/// ```
/// use helpdesk_core::condition::{FoldOptions, fold};
/// let options = FoldOptions::default();
/// assert_eq!(fold("Große СЧЁТ", options), "große счёт");
/// assert_eq!(fold("СЧЁТ", FoldOptions { fold_yo: true, ..options }), "счет");
/// ```
#[must_use]
pub fn fold(text: &str, options: FoldOptions) -> String {
    fold_aligned(text, options).0
}

/// The folded text, and whether each of its chars stands where it stood before.
fn fold_aligned(text: &str, options: FoldOptions) -> (String, bool) {
    if text.is_ascii() {
        return (text.to_ascii_lowercase(), true);
    }
    let mut folded = String::with_capacity(text.len());
    let mut is_aligned = true;
    for char in text.chars() {
        match char {
            '\0'..='\x7f' => folded.push(char.to_ascii_lowercase()),
            'Ё' | 'ё' => folded.push(if options.fold_yo { 'е' } else { 'ё' }),
            'а'..='џ' => folded.push(char),
            _ => {
                let end = folded.len() + char.len_utf8();
                folded.extend(char.to_lowercase());
                is_aligned &= folded.len() == end;
            }
        }
    }
    (folded, is_aligned)
}

/// Whether the char is part of a word: alphanumeric or a combining mark.
fn is_word_char(char: char) -> bool {
    match char {
        '\0'..='\x7f' => char.is_ascii_alphanumeric(),
        'А'..='я' => true,
        _ => char.is_alphanumeric() || is_combining_mark(char),
    }
}

/// The words of a folded text, in order.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|char| !is_word_char(char)).filter(|word| !word.is_empty())
}

pub(super) fn hash_of(word: &str) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(word.as_bytes());
    hasher.finish()
}

/// A text of a ticket as conditions see it.
///
/// ```
/// use helpdesk_core::condition::{FoldOptions, Phrase, TextFact};
/// let options = FoldOptions::default();
/// let text = TextFact::new("I want my MONEY back!", options);
/// let phrase = Phrase::new("money back", options).ok_or("no word in it")?;
/// assert!(text.has_phrase(&phrase));
/// assert!(!text.is_cut());
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone)]
pub struct TextFact<'a> {
    text: Cow<'a, str>,
    n_bytes_seen: usize,
    options: FoldOptions,
    /// Folded, and whether each char stands there where it stood before.
    folded: OnceCell<(String, bool)>,
    words: OnceCell<Vec<IndexedWord>>,
    index: OnceCell<WordIndex>,
}

impl<'a> TextFact<'a> {
    /// Takes a text; nothing is folded before a leaf asks.
    #[must_use]
    pub fn new(text: impl Into<Cow<'a, str>>, options: FoldOptions) -> Self {
        let text = text.into();
        let mut n_bytes_seen = text.len().min(options.text_bytes_max).min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(n_bytes_seen) {
            n_bytes_seen -= 1;
        }
        Self {
            text,
            n_bytes_seen,
            options,
            folded: OnceCell::new(),
            words: OnceCell::new(),
            index: OnceCell::new(),
        }
    }

    /// The part that is looked at, unfolded.
    #[must_use]
    pub fn seen(&self) -> &str {
        self.text.get(..self.n_bytes_seen).unwrap_or_default()
    }

    /// Whether the text is longer than what is looked at.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.n_bytes_seen < self.text.len()
    }

    /// Whether the text is empty, and so counts as unset.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The part that is looked at, folded.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.fold().0
    }

    /// Whether each char of the folded text stands where it stands in the other.
    pub(super) fn is_aligned(&self) -> bool {
        self.fold().1
    }

    fn fold(&self) -> &(String, bool) {
        self.folded.get_or_init(|| fold_aligned(self.seen(), self.options))
    }

    /// Whether the words of the phrase stand in the text, one after the other.
    #[must_use]
    pub fn has_phrase(&self, phrase: &Phrase) -> bool {
        let (folded, words) = (self.folded(), self.hashed_words());
        self.index.get_or_init(|| WordIndex::new(words)).has(folded, words, phrase)
    }

    /// The words of the part that is looked at, in order.
    pub(super) fn hashed_words(&self) -> &[IndexedWord] {
        self.words.get_or_init(|| hashed_words(self.folded()))
    }
}

/// A word or phrase to look for: its folded words, never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    source: String,
    first: PhraseWord,
    others: Vec<PhraseWord>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PhraseWord {
    hash: u64,
    text: String,
}

impl Phrase {
    /// Folds and splits; `None` when there is no word in `source`.
    #[must_use]
    pub fn new(source: &str, options: FoldOptions) -> Option<Self> {
        let folded = fold(source, options);
        let mut found =
            words(&folded).map(|text| PhraseWord { hash: hash_of(text), text: text.to_owned() });
        let first = found.next()?;
        let others = found.collect();
        Some(Self { source: source.to_owned(), first, others })
    }

    /// The phrase as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The folded words, in order; at least one.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.first).chain(&self.others).map(|word| word.text.as_str())
    }
}

/// Marks the end of a chain of words.
const NO_WORD: u32 = u32::MAX;

/// Finds words of one folded text: chains of words by the low bits of their
/// hash. A text is at most [`TEXT_BYTES_MAX`] bytes before folding, so offsets
/// fit 32 bits. The seed is fixed, and nothing iterates in hash order.
#[derive(Debug, Clone)]
struct WordIndex {
    heads: Vec<u32>,
    /// The next word of the same chain, for each word.
    nexts: Vec<u32>,
}

/// A word of a folded text: its hash, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct IndexedWord {
    pub(super) hash: u64,
    start: u32,
    end: u32,
}

impl IndexedWord {
    /// The word, in its folded text.
    #[inline]
    pub(super) fn of(self, folded: &str) -> &str {
        folded.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

fn hashed_words(folded: &str) -> Vec<IndexedWord> {
    let mut all = Vec::with_capacity(folded.len() / 5);
    let mut put = |start: usize, end: usize| {
        let hash = hash_of(folded.get(start..end).unwrap_or_default());
        all.push(IndexedWord { hash, start: start as u32, end: end as u32 });
    };
    if folded.is_ascii() {
        each_ascii_word(folded.as_bytes(), put);
    } else {
        let base = folded.as_ptr().addr();
        for word in words(folded) {
            let start = word.as_ptr().addr() - base;
            put(start, start + word.len());
        }
    }
    all
}

/// Shows where each word of a folded text begins and ends: the same as [`words`],
/// for a text in ASCII, 64 bytes at a time.
fn each_ascii_word(folded: &[u8], mut see: impl FnMut(usize, usize)) {
    let (mut start, mut is_in_word) = (0, false);
    for (n, part) in folded.chunks(64).enumerate() {
        let mut mask = 0;
        for (at, bytes) in part.chunks(8).enumerate() {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            mask |= word_bytes(u64::from_le_bytes(eight)) << (at * 8);
        }
        // Bits where a word begins or ends.
        let mut edges = mask ^ (mask << 1 | u64::from(is_in_word));
        while edges != 0 {
            let at = n * 64 + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            if is_in_word {
                see(start, at);
            }
            (start, is_in_word) = (at, !is_in_word);
        }
    }
    if is_in_word {
        see(start, folded.len());
    }
}

/// Which of eight ASCII bytes are digits or small letters, one bit for each: all
/// eight are compared at once, in a word of the machine.
fn word_bytes(eight: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The high bit of each byte that is this or greater: no byte is over 0x7f.
    let at_least = |byte: u8| eight + EACH * u64::from(0x80 - byte);
    let letters = at_least(b'a') & !at_least(b'z' + 1);
    let digits = at_least(b'0') & !at_least(b'9' + 1);
    // Brings the eight high bits together, the first byte's lowest.
    ((((letters | digits) & HIGH) >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56
}

impl WordIndex {
    fn new(words: &[IndexedWord]) -> Self {
        let mut heads = vec![NO_WORD; (words.len() * 2).next_power_of_two()];
        let n_heads = heads.len();
        let chain = |(at, word): (u32, &IndexedWord)| {
            std::mem::replace(&mut heads[bucket(word.hash, n_heads)], at)
        };
        let nexts = (0u32..).zip(words).map(chain).collect();
        Self { heads, nexts }
    }

    fn has(&self, folded: &str, words: &[IndexedWord], phrase: &Phrase) -> bool {
        let mut at = self.heads[bucket(phrase.first.hash, self.heads.len())];
        while let Some(word) = words.get(at as usize) {
            let rest = &words[at as usize + 1..];
            if is_word(folded, word, &phrase.first) && goes_on(folded, rest, &phrase.others) {
                return true;
            }
            at = self.nexts[at as usize];
        }
        false
    }
}

/// Whether `rest` begins with `others`.
fn goes_on(folded: &str, rest: &[IndexedWord], others: &[PhraseWord]) -> bool {
    rest.len() >= others.len()
        && rest.iter().zip(others).all(|(word, wanted)| is_word(folded, word, wanted))
}

fn is_word(folded: &str, word: &IndexedWord, wanted: &PhraseWord) -> bool {
    word.hash == wanted.hash && word.of(folded) == wanted.text
}

/// The bucket of a hash; `n_buckets` is a power of two.
fn bucket(hash: u64, n_buckets: usize) -> usize {
    hash as usize & (n_buckets - 1)
}
