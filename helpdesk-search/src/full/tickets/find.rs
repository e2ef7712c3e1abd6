//! Tickets that have all that is asked for, and nothing that is not.
//!
//! Unlike an article, which may answer a part of a question, a ticket is found by each word
//! and phrase or not at all: the rarest word leads, and the others are looked for where it
//! stands.

use super::wanted::{Run, Wanted};
use crate::full::audience::Sees;
use crate::full::plan::{Alternative, GroupPlan, Readable, Slot};
use crate::full::schema::{N_PARTS, Part};
use crate::full::score::{Candidate, Top, of};
use crate::full::snapshot::{Segment, Snapshot};
use crate::full::weights::{K1, PART_WEIGHTS};
use crate::language::Analyzer;
use helpdesk_core::id::TenantId;
use helpdesk_core::search_query::TextQuery;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};

/// What is looked up in one group.
pub(crate) struct TicketPlan {
    /// The words that must be there.
    pub(crate) all: GroupPlan,
    /// Of those, the ones that must follow each other, by slot.
    runs: Vec<Vec<usize>>,
    /// The words that must not be there, or not in a row.
    none: GroupPlan,
    none_runs: Vec<Vec<usize>>,
}

/// One plan for each language that the asker may read a ticket in.
pub(crate) fn plans(
    snapshot: &Snapshot,
    tenant: TenantId,
    sees: Sees<'_>,
    query: &TextQuery,
) -> tantivy::Result<Vec<TicketPlan>> {
    let mut plans = Vec::new();
    for (language, group) in snapshot.groups.of(tenant) {
        let Wanted { all, none } = Wanted::of(query, &Analyzer::of(language));
        let plan = |runs: &[Run]| {
            let (slots, order, by_slot) = slots(runs);
            let plan = GroupPlan::new(snapshot, sees, (language, group), slots, order)?;
            tantivy::Result::Ok(plan.map(|plan| (plan, by_slot)))
        };
        if let (Some((all, runs)), Some((none, none_runs))) = (plan(&all)?, plan(&none)?) {
            let is_there = |slot: &usize| !none.slots[*slot].terms.is_empty();
            let none_runs = none_runs.into_iter().filter(|run| run.iter().all(is_there)).collect();
            // What stands in no ticket that may be read makes the whole find nothing.
            if all.slots.iter().all(|slot| !slot.terms.is_empty()) {
                plans.push(TicketPlan { all, runs, none, none_runs });
            }
        }
    }
    Ok(plans)
}

/// The distinct stems of all runs, all words in order, and each run by slot.
fn slots(runs: &[Run]) -> (Vec<Slot>, Vec<usize>, Vec<Vec<usize>>) {
    let mut slots: Vec<Slot> = Vec::new();
    let mut by_slot = Vec::new();
    for run in runs {
        let mut own = Vec::new();
        for word in run {
            let known = slots.iter().position(|slot| slot.alternatives[0].stem == word.stem);
            own.push(known.unwrap_or(slots.len()));
            match known {
                Some(known) => slots[known].n_asked = slots[known].n_asked.saturating_add(1),
                None => slots.push(Slot {
                    word: word.folded.clone(),
                    alternatives: vec![Alternative { stem: word.stem.clone(), weight: 1.0 }],
                    n_asked: 1,
                }),
            }
        }
        by_slot.push(own);
    }
    let order = by_slot.iter().flatten().copied().collect();
    (slots, order, by_slot)
}

/// Gives each document that fits, and its score if that is wanted, to `each`.
pub(crate) fn each_match(
    plan: &TicketPlan,
    (i_segment, segment): (usize, &Segment),
    is_scored: bool,
    mut each: impl FnMut(u32, f32),
) -> tantivy::Result<()> {
    let readable = &plan.all.readable[i_segment];
    if *readable == Readable::Nothing {
        return Ok(());
    }
    let Some(mut all) = Words::new(&plan.all, &plan.runs, (i_segment, segment), is_scored)? else {
        return Ok(());
    };
    // A run with a word that stands nowhere in the segment stands nowhere in it.
    let mut none = Vec::new();
    for run in &plan.none_runs {
        none.extend(Words::of_run(&plan.none, run, (i_segment, segment))?);
    }
    // Words are those of the group; without any, all documents of the segment come by.
    let is_of_group = |doc: u32| {
        let class = segment.class_of.first(doc).unwrap_or_default() as usize;
        segment.classes.get(class).is_some_and(|class| class.group == plan.all.group)
    };
    let has_words = !all.each.is_empty();
    let mut doc = all.first();
    while doc < segment.reader.max_doc() {
        let found = all.seek(doc);
        if found > doc {
            doc = found;
            continue;
        }
        let is_kept = (has_words || is_of_group(doc))
            && readable.has(segment, doc)
            && all.has_runs()
            && !none.iter_mut().any(|words| words.seek(doc) == doc && words.has_runs());
        if is_kept {
            each(doc, all.score(doc));
        }
        doc += 1;
    }
    Ok(())
}

/// The documents of several words, in order.
struct Words<'a> {
    /// The rarest first.
    each: Vec<OneWord<'a>>,
    /// Runs of more than one word, as places in `each`.
    runs: Vec<Vec<usize>>,
}

struct OneWord<'a> {
    postings: SegmentPostings,
    parts: Vec<ScoredPart<'a>>,
}

struct ScoredPart<'a> {
    /// None for the text, which `postings` of the word are of.
    title: Option<SegmentPostings>,
    factor: f32,
    lengths: &'a [f32; 256],
    norms: &'a tantivy::fieldnorm::FieldNormReader,
}

impl<'a> Words<'a> {
    /// `None` when a word stands nowhere in the segment.
    fn new(
        plan: &'a GroupPlan,
        runs: &[Vec<usize>],
        (i_segment, segment): (usize, &'a Segment),
        is_scored: bool,
    ) -> tantivy::Result<Option<Self>> {
        let is_in_run = |slot: usize| runs.iter().any(|run| run.len() > 1 && run.contains(&slot));
        let mut each = Vec::new();
        for (planned, slot) in plan.slots.iter().zip(0..) {
            let Some(term) = planned.terms.first() else { return Ok(None) };
            let infos = &term.infos[i_segment];
            let Some(info) = &infos[of(Part::Both)] else { return Ok(None) };
            let option = match is_in_run(slot) {
                true => IndexRecordOption::WithFreqsAndPositions,
                false => IndexRecordOption::WithFreqs,
            };
            let both = &segment.parts[of(Part::Both)];
            let postings = both.read_postings_from_terminfo(info, option)?;
            let mut parts = Vec::new();
            for part in 0..if is_scored { N_PARTS } else { 0 } {
                let title = match (&infos[part], part == of(Part::Both)) {
                    (_, true) => None,
                    (None, false) => continue,
                    (Some(info), false) => Some(
                        segment.parts[part]
                            .read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?,
                    ),
                };
                let asked = f32::from(planned.slot.n_asked);
                parts.push(ScoredPart {
                    title,
                    factor: PART_WEIGHTS[part]
                        * term.rarities[part]
                        * term.weight
                        * asked
                        * (K1[part] + 1.0),
                    lengths: &plan.lengths[part],
                    norms: &segment.norms[part],
                });
            }
            each.push((info.doc_freq, slot, OneWord { postings, parts }));
        }
        each.sort_by_key(|(doc_freq, slot, _)| (*doc_freq, *slot));
        let place = |slot: &usize| each.iter().position(|(_, own, _)| own == slot);
        let runs = runs
            .iter()
            .filter(|run| run.len() > 1)
            .map(|run| run.iter().filter_map(place).collect())
            .collect();
        Ok(Some(Self { each: each.into_iter().map(|(.., word)| word).collect(), runs }))
    }

    /// The words of one run only.
    fn of_run(
        plan: &'a GroupPlan,
        run: &[usize],
        (i_segment, segment): (usize, &'a Segment),
    ) -> tantivy::Result<Option<Self>> {
        let mut each = Vec::new();
        let mut own: Vec<usize> = Vec::new();
        let mut places = Vec::new();
        for slot in run {
            if let Some(place) = own.iter().position(|known| known == slot) {
                places.push(place);
                continue;
            }
            let info = plan.slots[*slot].terms.first().map(|term| &term.infos[i_segment]);
            let Some(info) = info.and_then(|infos| infos[of(Part::Both)].as_ref()) else {
                return Ok(None);
            };
            let option = IndexRecordOption::WithFreqsAndPositions;
            let both = &segment.parts[of(Part::Both)];
            places.push(own.len());
            own.push(*slot);
            let postings = both.read_postings_from_terminfo(info, option)?;
            each.push(OneWord { postings, parts: Vec::new() });
        }
        let runs = if run.len() > 1 { vec![places] } else { Vec::new() };
        Ok(Some(Self { each, runs }))
    }

    /// The first document that may have them all.
    fn first(&self) -> u32 {
        self.each.iter().map(|word| word.postings.doc()).max().unwrap_or(0)
    }

    /// `doc` when it has all words, else a later document that may.
    fn seek(&mut self, doc: u32) -> u32 {
        for word in &mut self.each {
            let mut at = word.postings.doc();
            if at < doc {
                at = word.postings.seek(doc);
            }
            if at > doc {
                return at.min(TERMINATED);
            }
        }
        doc
    }

    /// Whether each run stands in the document that all words are at.
    fn has_runs(&mut self) -> bool {
        let Self { each, runs } = self;
        runs.iter().all(|run| {
            let mut starts: Vec<u32> = Vec::new();
            let mut positions = Vec::new();
            for (place, offset) in run.iter().zip(0..) {
                each[*place].postings.positions(&mut positions);
                if offset == 0 {
                    starts.clone_from(&positions);
                } else {
                    starts.retain(|start| positions.binary_search(&(start + offset)).is_ok());
                }
            }
            !starts.is_empty()
        })
    }

    /// BM25 over the text and over the title.
    fn score(&mut self, doc: u32) -> f32 {
        let mut score = 0.0;
        for word in &mut self.each {
            let own = word.postings.term_freq();
            for part in &mut word.parts {
                let freq = match &mut part.title {
                    None => own,
                    Some(title) => {
                        if title.doc() < doc {
                            title.seek(doc);
                        }
                        if title.doc() != doc {
                            continue;
                        }
                        title.term_freq()
                    }
                };
                let freq = freq as f32;
                let length = part.lengths[part.norms.fieldnorm_id(doc) as usize];
                score += part.factor * freq / (freq + length);
            }
        }
        score
    }
}

/// The best `n_kept` of what fits and is kept, and how many those are.
pub(crate) fn best(
    snapshot: &Snapshot,
    plans: &[TicketPlan],
    n_kept: usize,
    keeps: impl Fn(u128) -> bool,
) -> tantivy::Result<(usize, Vec<Candidate>)> {
    let mut top = Top::new(snapshot, n_kept);
    let mut n_found = 0;
    for (plan, i_plan) in plans.iter().zip(0..) {
        for (segment, i_segment) in snapshot.segments.iter().zip(0u32..) {
            each_match(plan, (i_segment as usize, segment), true, |doc, score| {
                if keeps(segment.id(doc)) {
                    n_found += 1;
                    top.push(Candidate { score, segment: i_segment, doc, plan: i_plan, tier: 0 });
                }
            })?;
        }
    }
    Ok((n_found, top.into_sorted()))
}
