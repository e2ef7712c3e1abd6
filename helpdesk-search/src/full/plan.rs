//! What is looked up for a question: words, where they stand in each segment, and
//! how rare they are among what the asker may read.

use super::audience::Sees;
use super::schema::{N_PARTS, group_char};
use super::snapshot::{Segment, Snapshot};
use super::weights::{B, K1, SCORED_MAX};
use tantivy::postings::TermInfo;
use tantivy::schema::Field;
use tantivy::{InvertedIndexReader, Term};

/// One word of a question.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    /// The word, folded, as it was asked.
    pub(crate) word: String,
    /// What of it is looked up.
    pub(crate) alternatives: Vec<Alternative>,
    /// How often it was asked.
    pub(crate) n_asked: u16,
}

/// One stem that a word of a question may stand as.
#[derive(Debug, Clone)]
pub(crate) struct Alternative {
    pub(crate) stem: String,
    /// 1 for the word itself, less for what is like it.
    pub(crate) weight: f32,
}

/// The part of a question that concerns one group.
pub(crate) struct GroupPlan {
    pub(crate) group: u32,
    pub(crate) language: String,
    pub(crate) slots: Vec<PlannedSlot>,
    /// The slots in the order asked.
    pub(crate) order: Vec<usize>,
    /// Sum of the rarities of all slots.
    pub(crate) rarity: f32,
    /// What of each segment may be read.
    pub(crate) readable: Vec<Readable>,
    /// By part, the divisor's second summand for each length.
    pub(crate) lengths: [Box<[f32; 256]>; N_PARTS],
    /// Documents that may be read.
    n_docs: f32,
}

pub(crate) struct PlannedSlot {
    pub(crate) slot: Slot,
    /// The rarity of its most frequent alternative, in the text; 0 when none stands anywhere.
    pub(crate) rarity: f32,
    pub(crate) terms: Vec<PlannedTerm>,
    /// Whether other words of the question say more.
    pub(crate) is_left_out: bool,
}

/// An alternative, looked up.
pub(crate) struct PlannedTerm {
    pub(crate) weight: f32,
    /// By part, how rare it is.
    pub(crate) rarities: [f32; N_PARTS],
    /// By segment and part, where its documents are.
    pub(crate) infos: Vec<[Option<TermInfo>; N_PARTS]>,
}

/// What an asker may read of a group in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readable {
    Nothing,
    /// All of it, and nothing of it was deleted.
    All,
    /// Living documents of some classes.
    Classes(Vec<bool>),
}

impl Readable {
    pub(crate) fn of(segment: &Segment, group: u32, sees: Sees<'_>) -> Self {
        let mut sees_all = !segment.reader.has_deletes();
        let mut seen = vec![];
        for (ord, class) in segment.classes_of(group) {
            if class.n_docs == 0 {
                continue;
            }
            if sees(&class.audience) {
                seen.push(ord as usize);
            } else {
                sees_all = false;
            }
        }
        if seen.is_empty() {
            return Self::Nothing;
        }
        if sees_all {
            return Self::All;
        }
        let mut classes = vec![false; segment.classes.len()];
        for ord in seen {
            classes[ord] = true;
        }
        Self::Classes(classes)
    }

    /// Whether the document is of those.
    pub(crate) fn has(&self, segment: &Segment, doc: u32) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Classes(classes) => {
                let class = segment.class_of.first(doc).unwrap_or_default() as usize;
                classes.get(class).copied().unwrap_or(false)
                    && segment.reader.alive_bitset().is_none_or(|alive| alive.is_alive(doc))
            }
        }
    }
}

/// Of a long text, forgets the words that say the least: frequent ones, asked once.
fn keep_best(slots: &mut [PlannedSlot]) {
    if slots.len() <= SCORED_MAX {
        return;
    }
    let says = |slot: &PlannedSlot| slot.rarity * (1.0 + f32::from(slot.slot.n_asked).ln());
    let mut order: Vec<usize> = (0..slots.len()).collect();
    order.sort_by(|a, b| says(&slots[*b]).total_cmp(&says(&slots[*a])));
    for at in order.split_off(SCORED_MAX) {
        slots[at].terms.clear();
        slots[at].rarity = 0.0;
        slots[at].is_left_out = true;
    }
}

/// Documents that may be read, and their mean lengths.
struct Statistics {
    n_docs: f32,
    mean_lengths: [f32; N_PARTS],
}

impl GroupPlan {
    /// Looks the slots up; `None` when the asker may read nothing of the group.
    pub(crate) fn new(
        snapshot: &Snapshot,
        sees: Sees<'_>,
        (language, group): (&str, u32),
        slots: Vec<Slot>,
        order: Vec<usize>,
    ) -> tantivy::Result<Option<Self>> {
        let readable: Vec<Readable> =
            snapshot.segments.iter().map(|segment| Readable::of(segment, group, sees)).collect();
        let Some(statistics) = statistics(snapshot, group, &readable) else { return Ok(None) };
        let lengths = std::array::from_fn(|part| {
            let mean = statistics.mean_lengths[part].max(0.1);
            let of_length = |id: usize| {
                let length = tantivy::fieldnorm::FieldNormReader::id_to_fieldnorm(id as u8) as f32;
                K1[part] * (1.0 - B[part] + B[part] * length / mean)
            };
            Box::new(std::array::from_fn(of_length))
        });
        let n_docs = statistics.n_docs;
        let lookup = Lookup { snapshot, group, readable: &readable, n_docs };
        let slots: Vec<PlannedSlot> =
            slots.into_iter().map(|slot| lookup.slot(slot)).collect::<Result<_, _>>()?;
        let rarity = slots.iter().map(|slot| slot.rarity).sum();
        let language = language.to_owned();
        Ok(Some(Self { group, language, slots, order, rarity, readable, lengths, n_docs }))
    }

    /// Of a long text, keeps only the words that say the most.
    pub(crate) fn shorten(&mut self) {
        keep_best(&mut self.slots);
        self.rarity = self.slots.iter().map(|slot| slot.rarity).sum();
    }

    /// Looks other stems up for a slot.
    pub(crate) fn replace(
        &mut self,
        snapshot: &Snapshot,
        i_slot: usize,
        alternatives: Vec<Alternative>,
    ) -> tantivy::Result<()> {
        let (group, n_docs) = (self.group, self.n_docs);
        let lookup = Lookup { snapshot, group, readable: &self.readable, n_docs };
        let slot = Slot { alternatives, ..self.slots[i_slot].slot.clone() };
        self.slots[i_slot] = lookup.slot(slot)?;
        self.rarity = self.slots.iter().map(|slot| slot.rarity).sum();
        Ok(())
    }
}

fn statistics(snapshot: &Snapshot, group: u32, readable: &[Readable]) -> Option<Statistics> {
    let mut n_docs = 0u64;
    let mut n_words = [0u64; N_PARTS];
    for (segment, readable) in snapshot.segments.iter().zip(readable) {
        for (ord, class) in segment.classes_of(group) {
            let is_seen = match readable {
                Readable::Nothing => false,
                Readable::All => true,
                Readable::Classes(classes) => classes[ord as usize],
            };
            if is_seen {
                n_docs += class.n_docs;
                for (sum, n) in n_words.iter_mut().zip(class.n_words) {
                    *sum += n;
                }
            }
        }
    }
    let mean_lengths = n_words.map(|n| n as f32 / n_docs.max(1) as f32);
    (n_docs > 0).then_some(Statistics { n_docs: n_docs as f32, mean_lengths })
}

/// Looks terms of a group up.
pub(crate) struct Lookup<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) group: u32,
    pub(crate) readable: &'a [Readable],
    pub(crate) n_docs: f32,
}

impl Lookup<'_> {
    fn slot(&self, slot: Slot) -> tantivy::Result<PlannedSlot> {
        let mut terms = Vec::new();
        let mut rarity = f32::INFINITY;
        for alternative in &slot.alternatives {
            if let Some(term) = self.term(alternative)? {
                rarity = rarity.min(term.rarities[0] * term.weight);
                terms.push(term);
            }
        }
        let rarity = if terms.is_empty() { 0.0 } else { rarity };
        Ok(PlannedSlot { slot, rarity, terms, is_left_out: false })
    }

    /// `None` when no document that may be read has it.
    fn term(&self, alternative: &Alternative) -> tantivy::Result<Option<PlannedTerm>> {
        let mut text = String::with_capacity(alternative.stem.len() + 4);
        text.push(group_char(self.group));
        text.push_str(&alternative.stem);
        let mut n_with = [0u32; N_PARTS];
        let mut infos = Vec::with_capacity(self.readable.len());
        for (segment, readable) in self.snapshot.segments.iter().zip(self.readable) {
            let mut found = [const { None }; N_PARTS];
            if *readable != Readable::Nothing {
                for (part, info) in found.iter_mut().enumerate() {
                    let field = self.snapshot.fields.parts[part];
                    let index = &segment.parts[part];
                    *info = index.get_term_info(&Term::from_field_text(field, &text))?;
                    let Some(info) = info else {
                        // What does not stand in the text stands in no part of it.
                        break;
                    };
                    n_with[part] += {
                        let term = (text.as_bytes(), &*info);
                        self.n_readable(segment, readable, (field, index), term)?
                    };
                }
            }
            infos.push(found);
        }
        if n_with[0] == 0 {
            return Ok(None);
        }
        let rarity = |n: u32| (1.0 + (self.n_docs - n as f32 + 0.5) / (n as f32 + 0.5)).ln();
        let rarities = n_with.map(rarity);
        Ok(Some(PlannedTerm { weight: alternative.weight, rarities, infos }))
    }

    /// How many documents with the term may be read.
    pub(crate) fn n_readable(
        &self,
        segment: &Segment,
        readable: &Readable,
        (field, index): (Field, &InvertedIndexReader),
        (term, info): (&[u8], &TermInfo),
    ) -> tantivy::Result<u32> {
        match readable {
            Readable::Nothing => Ok(0),
            Readable::All => Ok(info.doc_freq),
            Readable::Classes(classes) => {
                let counts = segment.counts(field, index, term, info)?;
                let seen = counts.iter().filter(|(class, _)| classes[*class as usize]);
                Ok(seen.map(|(_, n)| n).sum())
            }
        }
    }
}
