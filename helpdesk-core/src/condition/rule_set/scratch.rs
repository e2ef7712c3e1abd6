//! What matching works on, for one ticket after the other.

use super::found::Found;
use super::near::PartPlaces;
use super::{ANY_TICKET, Filed, RuleSet};

/// What matching works on, kept from one ticket to the next: once it has grown to
/// its rule set, matching allocates nothing. It fits every rule set.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// The ticket's keys, as bits.
    bits: Vec<u64>,
    /// The same, one after the other.
    pub(super) set: Vec<u32>,
    /// The ticket's words, by their number in the dictionary.
    pub(super) words: Vec<u32>,
    /// The places of those that may be in the dictionary.
    pub(super) kept_words: Vec<u32>,
    /// The value of each number field; NaN when unset.
    pub(super) numbers: Vec<f64>,
    /// The results of tests that are made at most once for a ticket.
    memo: Vec<Memo>,
    /// Groups of rules under the ticket's keys, from where to where.
    pub(super) groups: Vec<(u32, u32)>,
    /// Rules under the ticket's keys.
    pub(super) candidates: Vec<Filed>,
    /// Rules that hold, while they are looked for.
    pub(super) holding: Found,
    /// Whether the parts of the ticket's texts were looked for, and where they stand.
    pub(super) knows_parts: bool,
    pub(super) part_places: PartPlaces,
    /// How many of them were looked for one by one.
    pub(super) n_parts_sought: u32,
    pub(super) found: Vec<u32>,
    /// For each key of the ticket, the posting to look at next.
    pub(super) next: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memo {
    Unknown,
    Passed,
    Failed,
}

impl Scratch {
    /// Forgets the ticket before, and grows to a rule set.
    pub(super) fn begin(&mut self, rules: &RuleSet) {
        for key in self.set.drain(..) {
            if let Some(word) = self.bits.get_mut(key as usize / 64) {
                *word = 0;
            }
        }
        let n_bits = rules.keys.n_keys().div_ceil(64);
        if self.bits.len() < n_bits {
            self.bits.resize(n_bits, 0);
        }
        self.bits[ANY_TICKET as usize / 64] |= 1 << (ANY_TICKET % 64);
        self.numbers.clear();
        self.numbers.resize(rules.keys.n_numbers(), f64::NAN);
        self.memo.clear();
        self.memo.resize(rules.keys.n_memos(), Memo::Unknown);
        self.knows_parts = false;
        self.part_places.begin(rules.keys.n_parts());
        self.n_parts_sought = 0;
    }

    #[inline]
    pub(super) fn has(&self, key: u32) -> bool {
        self.bits.get(key as usize / 64).is_some_and(|word| word >> (key % 64) & 1 == 1)
    }

    /// Adds a key of the ticket.
    #[inline]
    pub(super) fn add(&mut self, key: u32) {
        let Some(word) = self.bits.get_mut(key as usize / 64) else { return };
        let bit = 1 << (key % 64);
        if *word & bit == 0 {
            *word |= bit;
            self.set.push(key);
        }
    }

    #[inline]
    pub(super) fn add_found(&mut self, key: Option<u32>) {
        if let Some(key) = key {
            self.add(key);
        }
    }

    pub(super) fn remembers(&self, test: usize) -> bool {
        self.memo.get(test).is_some_and(|memo| *memo != Memo::Unknown)
    }

    pub(super) fn remember(&mut self, test: usize, ask: impl FnOnce(&Self) -> bool) -> bool {
        let known = self.memo.get(test).copied().unwrap_or(Memo::Unknown);
        if known != Memo::Unknown {
            return known == Memo::Passed;
        }
        let passes = ask(self);
        if let Some(memo) = self.memo.get_mut(test) {
            *memo = if passes { Memo::Passed } else { Memo::Failed };
        }
        passes
    }
}
