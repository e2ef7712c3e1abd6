//! Numbers for words, by their hash; nothing iterates in hash order.

use super::super::text::hash_of;

/// Words in the order in which they were added, found by hash.
#[derive(Debug, Clone, Default)]
pub(super) struct WordMap {
    entries: Vec<Entry>,
    /// Open addressing: the number of an entry plus one; 0 is free.
    slots: Vec<u32>,
    /// Bits that the words' hashes set, 16 for each word: most words that are not
    /// here are seen to be so without a look at the slots.
    filter: Vec<u64>,
    bytes: String,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    start: u32,
    end: u32,
}

impl WordMap {
    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number of a word, added where it is new.
    pub(super) fn intern(&mut self, word: &str) -> u32 {
        let hash = hash_of(word);
        if let Some(known) = self.get(hash, word) {
            return known;
        }
        let number = self.entries.len() as u32;
        let start = self.bytes.len() as u32;
        self.bytes.push_str(word);
        self.entries.push(Entry { hash, start, end: self.bytes.len() as u32 });
        if self.entries.len() * 2 > self.slots.len() {
            self.grow();
        } else {
            self.place(number, hash);
        }
        number
    }

    /// Whether a word with this hash may be here: `false` where it is not.
    #[inline]
    pub(super) fn may_have(&self, hash: u64) -> bool {
        let bit = (hash >> 32) as usize;
        let part = self.filter.get((bit / 64) & self.filter.len().wrapping_sub(1));
        part.is_some_and(|part| part >> (bit % 64) & 1 == 1)
    }

    /// The number of a word whose hash is known.
    #[inline]
    pub(super) fn get(&self, hash: u64, word: &str) -> Option<u32> {
        if !self.may_have(hash) {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let number = self.slots[at].checked_sub(1)?;
            let entry = self.entries[number as usize];
            if entry.hash == hash && &self.bytes[entry.start as usize..entry.end as usize] == word {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
    }

    /// The number of a word.
    pub(super) fn find(&self, word: &str) -> Option<u32> {
        if self.entries.is_empty() { None } else { self.get(hash_of(word), word) }
    }

    fn grow(&mut self) {
        let n_slots = (self.entries.len() * 4).next_power_of_two();
        self.slots = vec![0; n_slots];
        self.filter = vec![0; n_slots.div_ceil(8)];
        for number in 0..self.entries.len() {
            self.place(number as u32, self.entries[number].hash);
        }
    }

    fn place(&mut self, number: u32, hash: u64) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        // Half of the slots at least are free.
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = number + 1;
        let bit = (hash >> 32) as usize;
        let part = (bit / 64) & (self.filter.len() - 1);
        self.filter[part] |= 1 << (bit % 64);
    }
}
