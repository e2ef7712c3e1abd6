//! Keys of texts: words and phrases, whole texts, parts.

use super::keys::{new_key, place};
use super::literals::Reach;
use super::near::Near;
use super::parts::PartFinder;
use super::word_map::WordMap;
use super::{NO_KEY, Scratch};
use crate::condition::facts::Facts;
use crate::condition::field::Field;
use crate::condition::text::{Phrase, TextFact};

/// Everything that a rule set looks for in texts, under numbers of its own; and
/// for each field, which key each number is there.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    /// The words of all phrases.
    words: WordMap,
    /// Phrases by their words, one after the other.
    phrases: WordMap,
    /// The words of each phrase.
    phrase_words: Vec<Vec<u32>>,
    /// For each word, the phrases of more words that begin with it: where they begin in
    /// `firsts`. Empty where there are none.
    starts: Vec<u32>,
    firsts: Vec<u32>,
    wholes: WordMap,
    parts: WordMap,
    part_list: Vec<String>,
    part_tests: Vec<PartTest>,
    /// Finds all parts.
    finder: PartFinder,
    fields: Vec<TextField>,
    sources: Vec<Source>,
}

/// A text of a ticket, and the fields that look at it.
#[derive(Debug, Clone)]
struct Source {
    field: Field,
    fields: Vec<usize>,
    /// For each word its key, [`NO_KEY`], or [`MANY_KEYS`]: that of the phrase that is no
    /// more than the word. Empty where no phrase is looked for.
    word_keys: Vec<u32>,
}

/// Marks a word that has a key in more than one field.
const MANY_KEYS: u32 = NO_KEY - 1;

/// The keys of one field; none, or [`NO_KEY`], for what it does not look for.
#[derive(Debug, Clone)]
struct TextField {
    field: Field,
    phrases: Vec<u32>,
    wholes: Vec<u32>,
    parts: Vec<u32>,
    /// The test of each part.
    part_tests: Vec<u32>,
}

/// That a part stands in a field.
#[derive(Debug, Clone, Copy)]
struct PartTest {
    field: u32,
    part: u32,
    key: u32,
}

impl Texts {
    /// The key of a phrase in a field.
    pub(super) fn phrase(&mut self, field: &Field, phrase: &Phrase, shares: &mut Vec<f32>) -> u32 {
        let words: Vec<u32> = phrase.words().map(|word| self.words.intern(word)).collect();
        let name = phrase.words().collect::<Vec<_>>().join(" ");
        let number = self.phrases.intern(&name) as usize;
        // The longer, the rarer: of a word by its letters, of a phrase by its words.
        let share = if words.len() > 1 { 0.002 } else { 0.2 / name.chars().count() as f32 };
        if number == self.phrase_words.len() {
            self.phrase_words.push(words);
        }
        let field = self.field(field);
        key_at(&mut self.fields[field].phrases, number, share, shares)
    }

    /// The key of a whole text in a field.
    pub(super) fn whole(&mut self, field: &Field, folded: &str, shares: &mut Vec<f32>) -> u32 {
        let number = self.wholes.intern(folded) as usize;
        let field = self.field(field);
        key_at(&mut self.fields[field].wholes, number, 0.001, shares)
    }

    /// The test of a part of a text in a field. It is not empty.
    pub(super) fn part(&mut self, field: &Field, folded: &str, shares: &mut Vec<f32>) -> u32 {
        let number = self.parts.intern(folded) as usize;
        if number == self.part_list.len() {
            self.part_list.push(folded.to_owned());
        }
        let share = 0.3 / folded.chars().count().max(1) as f32;
        let at = self.field(field);
        let own = &mut self.fields[at];
        let key = key_at(&mut own.parts, number, share, shares);
        own.part_tests.resize(own.parts.len(), NO_KEY);
        let test = &mut own.part_tests[number];
        if *test == NO_KEY {
            *test = self.part_tests.len() as u32;
            self.part_tests.push(PartTest { field: at as u32, part: number as u32, key });
        }
        *test
    }

    /// Where a pattern can match that has one of the parts of these tests, which are of
    /// one field.
    pub(super) fn near(&self, tests: &[u32], reach: Reach) -> Option<Near> {
        let tests = tests.iter().map(|test| self.part_tests[*test as usize]);
        let field = tests.clone().next()?.field;
        Some(Near { field, parts: tests.map(|test| test.part).collect(), reach })
    }

    /// A ticket's texts that a field looks at, each with its place.
    pub(super) fn of_field<'f, F: Facts + ?Sized>(
        &self,
        field: u32,
        facts: &'f F,
    ) -> impl Iterator<Item = (u32, &'f TextFact<'f>)> {
        let sources = (0u32..).zip(&self.sources);
        let sources = sources.filter(move |(_, source)| source.fields.contains(&(field as usize)));
        sources.filter_map(|(at, source)| Some((at, facts.text(&source.field)?)))
    }

    pub(super) fn n_parts(&self) -> usize {
        self.part_list.len()
    }

    pub(super) fn n_part_tests(&self) -> usize {
        self.part_tests.len()
    }

    pub(super) fn part_key(&self, test: u32) -> u32 {
        self.part_tests[test as usize].key
    }

    /// Whether a key is of a part. Keys are made in order.
    pub(super) fn is_part(&self, key: u32) -> bool {
        self.part_tests.binary_search_by_key(&key, |test| test.key).is_ok()
    }

    /// The place of a field among those that are looked at.
    fn field(&mut self, field: &Field) -> usize {
        place(
            &mut self.fields,
            |own| own.field == *field,
            || TextField {
                field: field.clone(),
                phrases: Vec::new(),
                wholes: Vec::new(),
                parts: Vec::new(),
                part_tests: Vec::new(),
            },
        )
    }

    /// After the last condition: the dictionary of phrases, and the search for parts.
    pub(super) fn seal(&mut self) {
        self.index_phrases();
        self.finder = PartFinder::new(&self.part_list);
        for (at, own) in self.fields.iter().enumerate() {
            let fields = match &own.field {
                Field::Text => vec![Field::Subject, Field::Body],
                other => vec![other.clone()],
            };
            for field in fields {
                let place = place(
                    &mut self.sources,
                    |own| own.field == field,
                    || Source { field: field.clone(), fields: vec![], word_keys: vec![] },
                );
                self.sources[place].fields.push(at);
            }
        }
        for at in 0..self.sources.len() {
            self.sources[at].word_keys = self.word_keys(&self.sources[at].fields);
        }
    }

    /// Sets the phrases of more than one word by their first.
    fn index_phrases(&mut self) {
        let mut by_first: Vec<(u32, u32)> = (0u32..)
            .zip(&self.phrase_words)
            .filter(|(_, words)| words.len() > 1)
            .map(|(phrase, words)| (words[0], phrase))
            .collect();
        if by_first.is_empty() {
            return;
        }
        by_first.sort_unstable();
        self.starts = vec![0; self.words.len() + 1];
        for (word, _) in &by_first {
            self.starts[*word as usize + 1] += 1;
        }
        for at in 1..self.starts.len() {
            self.starts[at] += self.starts[at - 1];
        }
        self.firsts = by_first.into_iter().map(|(_, phrase)| phrase).collect();
    }

    /// The key of each word for a text that these fields look at.
    fn word_keys(&self, fields: &[usize]) -> Vec<u32> {
        if !self.one_has(fields, |field| &field.phrases) {
            return Vec::new();
        }
        let mut word_keys = vec![NO_KEY; self.words.len()];
        for (phrase, words) in self.phrase_words.iter().enumerate() {
            let [word] = words.as_slice() else { continue };
            let own = &mut word_keys[*word as usize];
            for field in fields {
                let key = self.fields[*field].phrases.get(phrase).copied();
                match key.filter(|key| *key != NO_KEY) {
                    Some(key) if *own == NO_KEY => *own = key,
                    Some(_) => *own = MANY_KEYS,
                    None => {}
                }
            }
        }
        word_keys
    }

    /// Finds the keys of a ticket's texts.
    pub(super) fn find<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) {
        for source in &self.sources {
            let Some(text) = facts.text(&source.field) else { continue };
            if !source.word_keys.is_empty() {
                self.find_phrases(text, source, scratch);
            }
            if self.one_has(&source.fields, |field| &field.wholes)
                && let Some(whole) = self.wholes.find(text.folded())
            {
                self.add(&source.fields, scratch, |field| &field.wholes, whole);
            }
        }
    }

    /// Finds all parts in all of a ticket's texts.
    pub(super) fn find_parts<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) {
        for (at, source) in (0u32..).zip(&self.sources) {
            if self.one_has(&source.fields, |field| &field.parts)
                && let Some(text) = facts.text(&source.field)
            {
                self.finder.find(text.folded(), |part, start| {
                    scratch.part_places.add(part, at, start);
                    self.add(&source.fields, scratch, |field| &field.parts, part);
                });
            }
        }
    }

    /// Whether a part stands in a field's texts.
    pub(super) fn has_part<F: Facts + ?Sized>(&self, test: u32, facts: &F) -> bool {
        let PartTest { field, part, .. } = self.part_tests[test as usize];
        let part = self.part_list[part as usize].as_bytes();
        self.of_field(field, facts).any(|(_, text)| {
            let folded = text.folded().as_bytes();
            memchr::memmem::find(folded, part).is_some()
        })
    }

    /// Finds the keys of a text's phrases. Whether a word is one of theirs is hard to
    /// foresee, so nothing branches on what the filter says: each word is written down,
    /// and the next one over it where it is not kept.
    fn find_phrases(&self, text: &TextFact<'_>, source: &Source, scratch: &mut Scratch) {
        let (folded, words) = (text.folded(), text.hashed_words());
        let mut kept = std::mem::take(&mut scratch.kept_words);
        if kept.len() < words.len() {
            kept.resize(words.len(), 0);
        }
        let mut n_kept = 0;
        for (at, word) in (0u32..).zip(words) {
            kept[n_kept] = at;
            n_kept += usize::from(self.words.may_have(word.hash));
        }
        let mut numbers = std::mem::take(&mut scratch.words);
        numbers.clear();
        let has_longer = !self.firsts.is_empty();
        if has_longer {
            numbers.resize(words.len(), NO_KEY);
        }
        for at in &kept[..n_kept] {
            let word = &words[*at as usize];
            let Some(number) = self.words.get(word.hash, word.of(folded)) else { continue };
            match source.word_keys[number as usize] {
                NO_KEY => {}
                MANY_KEYS => {
                    let phrase = self.phrases.get(word.hash, word.of(folded));
                    let phrase = phrase.unwrap_or(NO_KEY);
                    self.add(&source.fields, scratch, |field| &field.phrases, phrase);
                }
                key => scratch.add(key),
            }
            if has_longer {
                numbers[*at as usize] = number;
            }
        }
        self.find_longer(&numbers, source, scratch);
        scratch.words = numbers;
        scratch.kept_words = kept;
    }

    /// Finds the phrases of more than one word, by the numbers of a text's words.
    fn find_longer(&self, numbers: &[u32], source: &Source, scratch: &mut Scratch) {
        for (at, word) in numbers.iter().enumerate().filter(|(_, word)| **word != NO_KEY) {
            let (start, end) = (self.starts[*word as usize], self.starts[*word as usize + 1]);
            for phrase in &self.firsts[start as usize..end as usize] {
                if numbers[at..].starts_with(&self.phrase_words[*phrase as usize]) {
                    self.add(&source.fields, scratch, |field| &field.phrases, *phrase);
                }
            }
        }
    }

    /// Whether one of these fields looks for anything of a kind.
    fn one_has(&self, fields: &[usize], kind: impl Fn(&TextField) -> &Vec<u32>) -> bool {
        fields.iter().any(|at| !kind(&self.fields[*at]).is_empty())
    }

    /// Adds the key of something found, for each of these fields that looks for it.
    fn add(
        &self,
        fields: &[usize],
        scratch: &mut Scratch,
        kind: impl Fn(&TextField) -> &Vec<u32>,
        number: u32,
    ) {
        for at in fields {
            let key = kind(&self.fields[*at]).get(number as usize).copied();
            scratch.add_found(key.filter(|key| *key != NO_KEY));
        }
    }
}

/// The key at a place of a field's keys, made where there is none.
fn key_at(keys: &mut Vec<u32>, number: usize, share: f32, shares: &mut Vec<f32>) -> u32 {
    if keys.len() <= number {
        keys.resize(number + 1, NO_KEY);
    }
    if keys[number] == NO_KEY {
        keys[number] = new_key(shares, share);
    }
    keys[number]
}
