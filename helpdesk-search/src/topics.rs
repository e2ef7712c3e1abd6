//! What many texts are about, and no article.

use crate::language::{Analyzer, Piece, StemCache, pieces};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Words of a text by which its topic is told.
const TELLING_MAX: usize = 10;
/// Words that name a topic.
const TOPIC_WORDS_MAX: usize = 5;
/// Chars of a text that are looked at: a question stands at its beginning.
const TOPIC_TEXT_CHARS_MAX: usize = 4_000;

/// Finds the topics of texts that no article answers.
///
/// Each text is asked of an index of articles by the words that tell it from the others and that it shares with some of them
/// ([`question`](Self::question)); what was found says whether an article answers it
/// ([`answer`](Self::answer)): one that has half of what these words weigh. Those that are
/// left are put together by the word that most of them share, over and over
/// ([`finish`](Self::finish)). A word weighs the more, the fewer of the texts have it.
///
/// ```
/// use helpdesk_search::TopicFinder;
/// let texts = [
///     ("en", "Is a broken kettle under warranty?"),
///     ("en", "How long is the warranty of my toaster?"),
///     ("en", "I forgot my password"),
///     ("en", "The password is refused"),
/// ];
/// let mut finder = TopicFinder::new(2, texts);
/// assert_eq!(finder.question(0), "warranty");
/// // An index of articles has nothing on warranties, and something on passwords.
/// finder.answer(2, ["password"]);
/// finder.answer(3, ["password"]);
/// let topics = finder.finish();
/// assert_eq!(topics.len(), 1);
/// assert_eq!((&*topics[0].words[0], &*topics[0].texts), ("warranty", [0, 1].as_slice()));
/// ```
#[derive(Debug)]
pub struct TopicFinder {
    texts_min: usize,
    texts: Vec<Text>,
}

/// A topic, as it is shared by texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The word that all of them have, as most of them write it, and then those that most
    /// of them have too.
    pub words: Vec<String>,
    /// The texts, by their place among all, from 0.
    pub texts: Vec<usize>,
}

#[derive(Debug)]
struct Text {
    /// By stem: as it stands in the text, folded.
    words: BTreeMap<String, String>,
    /// The stems that tell it from others, and what they weigh.
    telling: Vec<(String, f64)>,
    is_answered: bool,
}

impl Text {
    fn read(language: &str, text: &str, stems: &mut StemCache) -> Self {
        let analyzer = Analyzer::of(language);
        let end = text.char_indices().nth(TOPIC_TEXT_CHARS_MAX).map_or(text.len(), |(at, _)| at);
        let mut words = BTreeMap::new();
        pieces(&text[..end], |piece| match piece {
            Piece::Word { folded, .. } => {
                let is_number = folded.chars().all(char::is_numeric);
                if !is_number && !analyzer.is_stop_word(folded) {
                    let stem = stems.stem(&analyzer, folded).to_owned();
                    words.entry(stem).or_insert_with(|| folded.to_owned());
                }
            }
            // One char of a script without spaces says little.
            Piece::Gram { text, .. } if text.chars().nth(1).is_some() => {
                words.entry(text.to_owned()).or_insert_with(|| text.to_owned());
            }
            Piece::Gram { .. } => {}
        });
        Self { words, telling: Vec::new(), is_answered: false }
    }
}

impl TopicFinder {
    /// Finds topics of `texts_min` texts at least (one at least). Each text comes with the
    /// ISO 639 code of its language; the words of all are weighed.
    #[must_use]
    pub fn new<L, T>(texts_min: usize, texts: impl IntoIterator<Item = (L, T)>) -> Self
    where
        L: AsRef<str>,
        T: AsRef<str>,
    {
        let texts_min = texts_min.max(1);
        let mut stems = StemCache::default();
        let read =
            |(language, text): (L, T)| Text::read(language.as_ref(), text.as_ref(), &mut stems);
        let mut texts: Vec<Text> = texts.into_iter().map(read).collect();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for stem in texts.iter().flat_map(|text| text.words.keys()) {
            *known.entry(stem).or_default() += 1;
        }
        let n_texts = texts.len() as f64;
        let telling = |text: &Text| {
            let shared = text.words.keys().filter_map(|stem| {
                let n = *known.get(&**stem)?;
                (n >= texts_min).then(|| (stem.clone(), ((n_texts + 1.0) / n as f64).ln()))
            });
            let mut telling: Vec<(String, f64)> = shared.collect();
            telling.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            telling.truncate(TELLING_MAX);
            telling
        };
        let telling: Vec<_> = texts.iter().map(telling).collect();
        for (text, telling) in texts.iter_mut().zip(telling) {
            text.telling = telling;
        }
        Self { texts_min, texts }
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// What to ask an index of articles for a text; empty where it shares no telling word.
    #[must_use]
    pub fn question(&self, text: usize) -> String {
        let Some(text) = self.texts.get(text) else { return String::new() };
        let words = text.telling.iter().filter_map(|(stem, _)| text.words.get(stem));
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Says which words of the question one article has, folded as
    /// [`WordMatch::word`](crate::WordMatch::word).
    pub fn answer<'w>(&mut self, text: usize, found: impl IntoIterator<Item = &'w str>) {
        let Some(text) = self.texts.get_mut(text) else { return };
        let found: BTreeSet<&str> = found.into_iter().collect();
        let is_found = |stem: &str| text.words.get(stem).is_some_and(|it| found.contains(&**it));
        let weight: f64 = text.telling.iter().map(|(_, weight)| weight).sum();
        let has: f64 =
            text.telling.iter().filter(|(stem, _)| is_found(stem)).map(|(_, weight)| weight).sum();
        text.is_answered |= has > 0.0 && has * 2.0 >= weight;
    }

    /// The topics of what no article answers, those of the most texts first.
    #[must_use]
    pub fn finish(self) -> Vec<Topic> {
        let mut open: BTreeSet<usize> =
            (0..self.texts.len()).filter(|at| !self.texts[*at].is_answered).collect();
        let mut topics = Vec::new();
        while let Some(topic) = self.topic_of(&open) {
            topic.texts.iter().for_each(|at| {
                open.remove(at);
            });
            topics.push(topic);
        }
        topics.sort_by(|a, b| b.texts.len().cmp(&a.texts.len()).then(a.words.cmp(&b.words)));
        topics
    }

    /// The word that counts the most among the texts that are left.
    fn topic_of(&self, open: &BTreeSet<usize>) -> Option<Topic> {
        let mut shared: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
        for (stem, weight) in open.iter().flat_map(|at| &self.texts[*at].telling) {
            let (n, sum) = shared.entry(stem).or_default();
            (*n, *sum) = (*n + 1, *sum + weight);
        }
        shared.retain(|_, (n, _)| *n >= self.texts_min);
        let (head, _) =
            shared.iter().fold(None, |best: Option<(&str, f64)>, (stem, (_, sum))| match best {
                Some((_, most)) if *sum <= most => best,
                _ => Some((*stem, *sum)),
            })?;
        let has = |at: &usize| self.texts[*at].telling.iter().any(|(stem, _)| stem == head);
        let texts: Vec<usize> = open.iter().copied().filter(has).collect();
        Some(Topic { words: self.words_of(head, &texts), texts })
    }

    /// The words that most of a topic's texts share, the one they all have first.
    fn words_of(&self, head: &str, texts: &[usize]) -> Vec<String> {
        let mut shared: BTreeMap<&str, usize> = BTreeMap::new();
        for (stem, _) in texts.iter().flat_map(|at| &self.texts[*at].telling) {
            *shared.entry(stem).or_default() += 1;
        }
        let mut beside: Vec<(&str, usize)> =
            shared.into_iter().filter(|(stem, n)| *stem != head && *n * 2 > texts.len()).collect();
        beside.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let stems = std::iter::once(head).chain(beside.into_iter().map(|(stem, _)| stem));
        stems.take(TOPIC_WORDS_MAX).map(|stem| self.as_written(stem, texts)).collect()
    }

    /// A stem as most of these texts write it.
    fn as_written(&self, stem: &str, texts: &[usize]) -> String {
        let mut forms: BTreeMap<&str, usize> = BTreeMap::new();
        for form in texts.iter().filter_map(|at| self.texts[*at].words.get(stem)) {
            *forms.entry(form).or_default() += 1;
        }
        let most = forms.into_iter().fold(("", 0), |best, form| match form.1 > best.1 {
            true => form,
            false => best,
        });
        most.0.to_owned()
    }
}

#[cfg(test)]
mod tests;
