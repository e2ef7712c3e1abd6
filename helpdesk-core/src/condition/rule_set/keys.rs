//! The keys of a rule set: every equality in it, and how a ticket's are found.

mod nodes;

use super::near::Near;
use super::ranges::Range;
use super::texts::Texts;
use super::word_map::WordMap;
use super::{ANY_TICKET, NO_KEY, PARTS_BY_ONE, Scratch};
use crate::condition::ast::{Condition, Leaf, NumberTest, Test, TextTest};
use crate::condition::facts::{FactValue, Facts};
use crate::condition::field::Field;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Lists up to this length are tested bit by bit.
const SHORT_LIST: usize = 64;
/// What is said of a key beforehand counts as much as so many tickets.
const PRIOR_TICKETS: f32 = 4.0;

/// The keys of a rule set, and the tests that are none.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    /// How many of all tickets have each key, roughly.
    shares: Vec<f32>,
    choices: Vec<Values>,
    sets: Vec<Values>,
    ids: Vec<(Field, BTreeMap<Uuid, u32>)>,
    booleans: Vec<(Field, [u32; 2])>,
    present: Vec<(Leaf, u32)>,
    texts: Texts,
    numbers: Vec<Field>,
    range_tests: Vec<(u32, NumberTest)>,
    lists: Lists,
    /// Conditions that no key stands for, and where those that are patterns can match.
    asked: Vec<(Condition, Option<Near>)>,
    asked_numbers: BTreeMap<String, u32>,
}

/// Lists of keys, one after the other.
#[derive(Debug, Clone, Default)]
struct Lists {
    keys: Vec<u32>,
    /// Where each list ends.
    ends: Vec<u32>,
    /// For a long list of choices: the condition that says faster whether one of them
    /// is there, and what it says then.
    asked: Vec<Option<(u32, bool)>>,
    numbers: BTreeMap<Vec<u32>, u32>,
}

impl Lists {
    /// The number of a list, added where it is new.
    fn intern(&mut self, list: Vec<u32>) -> u32 {
        let next = self.ends.len() as u32;
        if let Some(known) = self.numbers.get(&list) {
            return *known;
        }
        self.keys.extend(&list);
        self.ends.push(self.keys.len() as u32);
        self.asked.push(None);
        self.numbers.insert(list, next);
        next
    }

    #[inline]
    fn get(&self, list: u32) -> &[u32] {
        let list = list as usize;
        let start = if list == 0 { 0 } else { self.ends[list - 1] };
        &self.keys[start as usize..self.ends[list] as usize]
    }
}

/// The values of a field, and the key of each.
#[derive(Debug, Clone)]
struct Values {
    field: Field,
    words: WordMap,
    keys: Vec<u32>,
}

impl Values {
    fn key(&self, value: &str) -> Option<u32> {
        self.keys.get(self.words.find(value)? as usize).copied()
    }
}

impl Keys {
    /// No key but the one that every ticket has.
    pub(super) fn new() -> Self {
        let mut keys = Self::default();
        new_key(&mut keys.shares, 1.0);
        keys
    }

    /// After the last condition: what is needed to find a ticket's keys.
    pub(super) fn seal(&mut self) {
        // A ticket has one of a choice's values, and few of a set's.
        for (all, least) in [(&self.choices, 3), (&self.sets, 20)] {
            for values in all {
                let share = 1.0 / values.keys.len().max(least) as f32;
                values.keys.iter().for_each(|key| self.shares[*key as usize] = share);
            }
        }
        self.texts.seal();
    }

    /// Takes in how many of so many tickets have each key.
    pub(super) fn learn(&mut self, counts: &[u32], n_tickets: u32) {
        for (share, count) in self.shares.iter_mut().zip(counts) {
            let known = PRIOR_TICKETS * *share + *count as f32;
            *share = known / (PRIOR_TICKETS + n_tickets as f32);
        }
        self.shares[ANY_TICKET as usize] = 1.0;
    }

    /// Forgets what only the making of rules needs.
    pub(super) fn shrink(&mut self) {
        self.lists.numbers = BTreeMap::new();
        self.asked_numbers = BTreeMap::new();
    }

    /// Finds the parts of a ticket's texts, unless that is done.
    pub(super) fn find_parts<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) {
        if !std::mem::replace(&mut scratch.knows_parts, true) {
            self.texts.find_parts(facts, scratch);
        }
    }

    pub(super) fn n_keys(&self) -> usize {
        self.shares.len()
    }

    pub(super) fn n_parts(&self) -> usize {
        self.texts.n_parts()
    }

    pub(super) fn n_numbers(&self) -> usize {
        self.numbers.len()
    }

    /// How many tests are made at most once for a ticket.
    pub(super) fn n_memos(&self) -> usize {
        self.asked.len() + self.texts.n_part_tests()
    }

    pub(super) fn share(&self, key: u32) -> f32 {
        self.shares[key as usize]
    }

    pub(super) fn list(&self, list: u32) -> &[u32] {
        self.lists.get(list)
    }

    /// Whether a key is of a part of a text.
    pub(super) fn is_part(&self, key: u32) -> bool {
        self.texts.is_part(key)
    }

    /// The key of a part of a text.
    pub(super) fn part_key(&self, part: u32) -> u32 {
        self.texts.part_key(part)
    }

    /// The range in which a test's number lies wherever it passes.
    pub(super) fn range(&self, test: u32) -> Range {
        let (number, test) = &self.range_tests[test as usize];
        let (low, high) = match test {
            NumberTest::Lt(bound) | NumberTest::Le(bound) => (f64::NEG_INFINITY, *bound),
            NumberTest::Gt(bound) | NumberTest::Ge(bound) => (*bound, f64::INFINITY),
            NumberTest::Between(low, high) => (*low, *high),
            NumberTest::Is(wanted) => (*wanted, *wanted),
            NumberTest::In(wanted) => (
                wanted.iter().copied().fold(f64::INFINITY, f64::min),
                wanted.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ),
        };
        Range { number: *number, low, high }
    }

    #[inline]
    pub(super) fn in_range(&self, test: u32, scratch: &Scratch) -> bool {
        let (number, test) = &self.range_tests[test as usize];
        let value = scratch.numbers[*number as usize];
        // Unset is not a number, and passes no comparison.
        test.passes(value)
    }

    #[inline]
    pub(super) fn has_any<F: Facts + ?Sized>(
        &self,
        list: u32,
        facts: &F,
        scratch: &mut Scratch,
    ) -> bool {
        let keys = self.lists.get(list);
        if keys.len() <= SHORT_LIST {
            return keys.iter().any(|key| scratch.has(*key));
        }
        match self.lists.asked[list as usize] {
            Some((asked, wanted)) => self.ask(asked, facts, scratch) == wanted,
            None => scratch.set.iter().any(|key| keys.binary_search(key).is_ok()),
        }
    }

    /// Whether a condition that no key stands for holds.
    pub(super) fn ask<F: Facts + ?Sized>(
        &self,
        asked: u32,
        facts: &F,
        scratch: &mut Scratch,
    ) -> bool {
        let (condition, near) = &self.asked[asked as usize];
        scratch.remember(asked as usize, |scratch| match (near, condition) {
            (Some(near), Condition::Leaf(Leaf { test: Test::Text(TextTest::Matches(it)), .. }))
                if scratch.knows_parts =>
            {
                near.matches(it, &self.texts, facts, scratch)
            }
            _ => condition.holds(facts),
        })
    }

    /// Whether a part stands in a text: looked for by itself as long as few are,
    /// then with all the others.
    pub(super) fn has_part<F: Facts + ?Sized>(
        &self,
        part: u32,
        facts: &F,
        scratch: &mut Scratch,
    ) -> bool {
        if !scratch.knows_parts && scratch.n_parts_sought >= PARTS_BY_ONE {
            self.find_parts(facts, scratch);
        }
        if scratch.knows_parts {
            return scratch.has(self.part_key(part));
        }
        let memo = self.asked.len() + part as usize;
        if !scratch.remembers(memo) {
            scratch.n_parts_sought += 1;
        }
        scratch.remember(memo, |_| self.texts.has_part(part, facts))
    }

    /// Finds a ticket's keys and numbers.
    pub(super) fn find<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) {
        for values in &self.choices {
            if let Some(FactValue::Choice(value)) = facts.value(&values.field) {
                scratch.add_found(values.key(value));
            }
        }
        for values in &self.sets {
            if let Some(FactValue::Set(set)) = facts.value(&values.field) {
                set.each(|member| scratch.add_found(values.key(member)));
            }
        }
        for (field, ids) in &self.ids {
            if let Some(FactValue::Id(id)) = facts.value(field) {
                scratch.add_found(ids.get(&id).copied());
            }
        }
        for (field, keys) in &self.booleans {
            if let Some(FactValue::Boolean(yes)) = facts.value(field) {
                scratch.add_found(Some(keys[usize::from(yes)]).filter(|key| *key != NO_KEY));
            }
        }
        for (leaf, key) in &self.present {
            if leaf.holds(facts) {
                scratch.add(*key);
            }
        }
        for (at, field) in self.numbers.iter().enumerate() {
            if let Some(FactValue::Number(number)) = facts.value(field) {
                scratch.numbers[at] = number;
            }
        }
        self.texts.find(facts, scratch);
    }
}

/// A key that so many of all tickets have, roughly.
pub(super) fn new_key(shares: &mut Vec<f32>, share: f32) -> u32 {
    shares.push(share);
    shares.len() as u32 - 1
}

/// The place of an entry, added where it is not there.
pub(super) fn place<T>(
    all: &mut Vec<T>,
    is_it: impl FnMut(&T) -> bool,
    make: impl FnOnce() -> T,
) -> usize {
    all.iter().position(is_it).unwrap_or_else(|| {
        all.push(make());
        all.len() - 1
    })
}
