//! Classification: which type, queue, tag or choice a text asks for.

mod features;
mod save;
#[cfg(test)]
mod tests;

pub use save::ModelError;

use features::{Features, N_FEATURES, TABLE};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The probability under which a prediction is withheld, unless told otherwise.
pub const THRESHOLD_DEFAULT: f32 = 0.5;
/// Words that a prediction names as its evidence.
pub const EVIDENCE_MAX: usize = 5;
/// Labels that one classifier can tell apart.
pub const LABELS_MAX: usize = 10_000;

/// Times that a batch is gone through.
const EPOCHS: usize = 12;
/// How far the first step goes.
const RATE: f32 = 0.35;
/// How fast weights that nothing confirms shrink.
const DECAY: f32 = 1e-6;
/// How much the rarity of a place counts.
const RARITY_POWER: f32 = 0.4;

/// Tells labels apart by the words of a text, in any language.
///
/// It learns in batches, in the order given, and the same batches always make the same
/// classifier, on every machine. What it takes for unsure it does not say.
///
/// A prediction is made from words, their beginnings, pairs of words and runs of chars, hashed
/// into 65,536 places with a weight for each label: memory is 256 KiB for each label.
///
/// ```
/// use helpdesk_search::Classifier;
/// let mut classifier = Classifier::new();
/// classifier.partial_fit(&[
///     ("I want my money back", "refund"),
///     ("please refund my order", "refund"),
///     ("I cannot log in", "access"),
///     ("my password does not work", "access"),
/// ]);
/// let prediction = classifier.predict("Give me a refund!");
/// assert_eq!(prediction.label.as_deref(), Some("refund"));
/// assert_eq!(prediction.evidence[0].word, "refund");
/// assert_eq!(classifier.predict("Guten Tag").label, None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    labels: Vec<String>,
    threshold: f32,
    /// By place, then by label: as many as there is room for.
    weights: Vec<f32>,
    room: usize,
    /// How far each place has moved: places that moved much move less.
    moved: Vec<f32>,
    /// Texts that have something in a place.
    n_with: Vec<u32>,
    n_texts: u32,
}

/// What a text is, as far as can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The likeliest label; `None` when it is less likely than the threshold, or when no word of the
    /// text, nor the beginning of one, has been seen before.
    pub label: Option<String>,
    /// The likeliest labels with their probabilities, best first, at most five; equal
    /// ones in the order in which they were learned.
    pub probabilities: Vec<(String, f32)>,
    /// The words that spoke the most for the likeliest label, the strongest first; at most
    /// [`EVIDENCE_MAX`].
    pub evidence: Vec<Evidence>,
}

/// A word that spoke for a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The word, folded.
    pub word: String,
    /// How much it added to the label's score; above zero.
    pub weight: f32,
}

/// Probabilities that a prediction lists.
const LISTED_MAX: usize = 5;

impl Default for Classifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Classifier {
    /// One that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            labels: Vec::new(),
            threshold: THRESHOLD_DEFAULT,
            weights: Vec::new(),
            room: 0,
            moved: vec![0.0; N_FEATURES],
            n_with: vec![0; N_FEATURES],
            n_texts: 0,
        }
    }

    /// With another threshold: 0 never abstains.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f32) -> Self {
        self.threshold = threshold;
        self
    }

    /// The probability under which a prediction is withheld.
    #[must_use]
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// The labels known, in the order in which they were learned.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Learns a batch of texts and their labels, after what it knows already. A new label
    /// is known from here on; one over [`LABELS_MAX`] is passed over.
    ///
    /// A batch is learned as a whole: one of a hundred examples teaches more than a hundred of one.
    pub fn partial_fit(&mut self, examples: &[(&str, &str)]) {
        let mut learned: Vec<(Features, usize)> = Vec::with_capacity(examples.len());
        let mut numbers: HashMap<String, usize> = self.labels.iter().cloned().zip(0..).collect();
        for (text, label) in examples {
            let number = match numbers.get(*label) {
                Some(number) => *number,
                None if self.labels.len() >= LABELS_MAX => continue,
                None => {
                    numbers.insert((*label).to_owned(), self.labels.len());
                    self.labels.push((*label).to_owned());
                    self.labels.len() - 1
                }
            };
            let features = Features::of(text);
            for (place, _) in &features.counts {
                self.n_with[*place as usize] = self.n_with[*place as usize].saturating_add(1);
            }
            self.n_texts = self.n_texts.saturating_add(1);
            learned.push((features, number));
        }
        self.make_room();
        let learned: Vec<(Vec<(u32, f32)>, usize)> = learned
            .into_iter()
            .map(|(features, number)| (self.values(&features), number))
            .collect();
        let mut order: Vec<usize> = (0..learned.len()).collect();
        let mut random = u64::from(self.n_texts) | 1;
        let mut scores = vec![0.0; self.labels.len()];
        for epoch in 0..EPOCHS {
            shuffle(&mut order, &mut random);
            let rate = RATE * (1.0 - epoch as f32 / EPOCHS as f32);
            for at in &order {
                let (values, number) = &learned[*at];
                self.learn(values, *number, rate, &mut scores);
            }
        }
    }

    /// One step towards the label.
    fn learn(&mut self, values: &[(u32, f32)], number: usize, rate: f32, scores: &mut [f32]) {
        self.score(values, scores);
        softmax(scores);
        scores[number] -= 1.0;
        let surprise: f32 = scores.iter().map(|error| error * error).sum();
        if surprise < 1e-6 {
            return;
        }
        let n_labels = self.labels.len();
        for (place, value) in values {
            let place = *place as usize;
            self.moved[place] += value * value * surprise;
            let step = rate * value / (self.moved[place].sqrt() + 1e-3);
            let row = &mut self.weights[place * self.room..place * self.room + n_labels];
            for (weight, error) in row.iter_mut().zip(&*scores) {
                *weight -= step * error + rate * DECAY * *weight;
            }
        }
    }

    /// What the text is, as far as can be told.
    #[must_use]
    pub fn predict(&self, text: &str) -> Prediction {
        let features = Features::of(text);
        let values = self.values(&features);
        let mut scores = vec![0.0; self.labels.len()];
        self.score(&values, &mut scores);
        softmax(&mut scores);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        let n_listed = LISTED_MAX.min(order.len());
        let best_first = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
        if n_listed > 0 {
            order.select_nth_unstable_by(n_listed - 1, best_first);
            order.truncate(n_listed);
            order.sort_unstable_by(best_first);
        }
        // Runs of chars are in every text; a word, or how one begins, must have been seen.
        let has_evidence = values
            .iter()
            .any(|(place, _)| (*place as usize) < TABLE && self.moved[*place as usize] > 0.0);
        let label = order
            .first()
            .filter(|best| has_evidence && scores[**best] >= self.threshold)
            .map(|best| self.labels[*best].clone());
        let evidence = order.first().map(|best| self.evidence(&features, &values, *best));
        Prediction {
            label,
            probabilities: order.iter().map(|n| (self.labels[*n].clone(), scores[*n])).collect(),
            evidence: evidence.unwrap_or_default(),
        }
    }

    /// The words that spoke for a label, beside the mean of all.
    fn evidence(&self, features: &Features, values: &[(u32, f32)], label: usize) -> Vec<Evidence> {
        let mut by_word = vec![0.0f32; features.words.len()];
        for seen in &features.seen {
            let Ok(at) = values.binary_search_by_key(&seen.place, |(place, _)| *place) else {
                continue;
            };
            let n = features.counts[at].1 as f32;
            let row = self.row(seen.place);
            let mean = row.iter().sum::<f32>() / row.len().max(1) as f32;
            by_word[seen.word as usize] += (row[label] - mean) * values[at].1 / n;
        }
        let mut found: Vec<Evidence> = Vec::new();
        for (word, weight) in features.words.iter().zip(by_word) {
            match found.iter_mut().find(|evidence| evidence.word == *word) {
                Some(evidence) => evidence.weight += weight,
                None => found.push(Evidence { word: word.clone(), weight }),
            }
        }
        found.retain(|evidence| evidence.weight > 0.0);
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.word.cmp(&b.word)));
        found.truncate(EVIDENCE_MAX);
        found
    }

    /// Rare places count more, repeated ones a little more; words and runs of chars have
    /// length one each.
    fn values(&self, features: &Features) -> Vec<(u32, f32)> {
        let n_texts = self.n_texts as f32;
        let mut values: Vec<(u32, f32)> = features
            .counts
            .iter()
            .map(|(place, n)| {
                let n_with = self.n_with[*place as usize] as f32;
                let rarity = ((1.0 + n_texts) / (1.0 + n_with)).ln() + 1.0;
                (*place, (1.0 + (*n as f32).ln()) * rarity.powf(RARITY_POWER))
            })
            .collect();
        let split = values.partition_point(|(place, _)| (*place as usize) < TABLE);
        let (words, parts) = values.split_at_mut(split);
        for half in [words, parts] {
            let length = half.iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
            for (_, value) in half {
                *value /= length.max(f32::MIN_POSITIVE);
            }
        }
        values
    }

    fn score(&self, values: &[(u32, f32)], scores: &mut [f32]) {
        scores.fill(0.0);
        for (place, value) in values {
            for (score, weight) in scores.iter_mut().zip(self.row(*place)) {
                *score += value * weight;
            }
        }
    }

    /// The weights of a place, for each label.
    fn row(&self, place: u32) -> &[f32] {
        let start = place as usize * self.room;
        &self.weights[start..start + self.labels.len()]
    }

    /// Makes room for all labels.
    fn make_room(&mut self) {
        if self.labels.len() <= self.room {
            return;
        }
        let room = self.labels.len().max(self.room * 3 / 2);
        let mut weights = vec![0.0; N_FEATURES * room];
        if self.room > 0 {
            let rows = self.weights.chunks_exact(self.room).zip(weights.chunks_exact_mut(room));
            for (old, new) in rows {
                new[..self.room].copy_from_slice(old);
            }
        }
        (self.weights, self.room) = (weights, room);
    }
}

fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

/// Another order, the same every time.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for at in (1..order.len()).rev() {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        order.swap(at, (*random % (at as u64 + 1)) as usize);
    }
}
