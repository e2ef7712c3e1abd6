//! Typing errors: what stands in no document is looked up as what is written almost
//! like it.
//!
//! A word that some document has costs nothing here. What an asker may not read is
//! neither known nor offered.

use super::plan::{Alternative, GroupPlan, Lookup, Readable};
use super::question::stem;
use super::schema::group_char;
use super::snapshot::Snapshot;
use crate::language::Analyzer;
use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;
use tantivy_fst::Automaton;

/// Chars from which a word may be one edit off, and two.
const ONE_EDIT_CHARS: usize = 4;
const TWO_EDITS_CHARS: usize = 8;
/// Words that may stand for one.
const MENDED_MAX: usize = 4;
/// Words of a question that are mended; a text in another language has many.
const MENDED_WORDS_MAX: usize = 8;

/// An edit is a char more, less or other, or two neighbors exchanged.
static BUILDERS: LazyLock<[LevenshteinAutomatonBuilder; 2]> = LazyLock::new(|| {
    [LevenshteinAutomatonBuilder::new(1, true), LevenshteinAutomatonBuilder::new(2, true)]
});

/// Gives each word that no plan knows the words that are almost the same.
pub(crate) fn mend(snapshot: &Snapshot, plans: &mut [GroupPlan]) -> tantivy::Result<()> {
    let known: HashSet<String> = plans
        .iter()
        .flat_map(|plan| &plan.slots)
        .filter(|planned| !planned.terms.is_empty())
        .map(|planned| planned.slot.word.clone())
        .collect();
    for plan in plans {
        let analyzer = Analyzer::of(&plan.language);
        let mut n_mended = 0;
        for i_slot in 0..plan.slots.len() {
            let word = plan.slots[i_slot].slot.word.clone();
            let is_left_out = plan.slots[i_slot].is_left_out;
            if is_left_out || known.contains(&word) || n_mended == MENDED_WORDS_MAX {
                continue;
            }
            n_mended += 1;
            let alike = alike(snapshot, plan.group, &plan.readable, &word)?;
            let mut alternatives: Vec<Alternative> = Vec::new();
            for (form, weight) in alike {
                let stem = stem(&analyzer, &form, true);
                if alternatives.iter().all(|known| known.stem != stem) {
                    alternatives.push(Alternative { stem, weight });
                }
            }
            if !alternatives.is_empty() {
                plan.replace(snapshot, i_slot, alternatives)?;
            }
        }
    }
    Ok(())
}

/// Words of documents that may be read, and how likely each is meant.
fn alike(
    snapshot: &Snapshot,
    group: u32,
    readable: &[Readable],
    word: &str,
) -> tantivy::Result<Vec<(String, f32)>> {
    let n_chars = word.chars().count();
    if n_chars < ONE_EDIT_CHARS {
        return Ok(Vec::new());
    }
    let builder = &BUILDERS[usize::from(n_chars >= TWO_EDITS_CHARS)];
    let dfa = builder.build_dfa(word);
    let mut prefix = [0; 4];
    let prefix = group_char(group).encode_utf8(&mut prefix).as_bytes();
    let mut found = BTreeMap::<String, (u8, u32)>::new();
    let lookup = Lookup { snapshot, group, readable, n_docs: 0.0 };
    for (segment, readable) in snapshot.segments.iter().zip(readable) {
        if *readable == Readable::Nothing {
            continue;
        }
        let field = snapshot.fields.forms;
        let index = segment.reader.inverted_index(field)?;
        let mut terms = index.terms().search(Behind { prefix, dfa: &dfa }).into_stream()?;
        while let Some((term, info)) = terms.next() {
            let n = lookup.n_readable(segment, readable, (field, &index), (term, info))?;
            let (Some(bytes), true) = (term.get(prefix.len()..), n > 0) else { continue };
            let (Ok(form), Distance::Exact(n_edits)) =
                (std::str::from_utf8(bytes), dfa.eval(bytes))
            else {
                continue;
            };
            found.entry(form.to_owned()).or_insert((n_edits, 0)).1 += n;
        }
    }
    let first = word.chars().next();
    let mut ranked: Vec<(f32, String)> = found
        .into_iter()
        .map(|(form, (n_edits, n))| {
            let mut likely = (1.0 + n as f32).ln();
            likely *= if n_edits == 1 { 1.0 } else { 0.25 };
            likely *= if form.chars().next() == first { 1.0 } else { 0.3 };
            (likely, form)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    ranked.truncate(MENDED_MAX);
    let best = ranked.first().map_or(1.0, |(likely, _)| *likely);
    Ok(ranked.into_iter().map(|(likely, form)| (form, likely / best)).collect())
}

/// Runs an automaton behind the char of a group.
struct Behind<'a> {
    prefix: &'a [u8],
    dfa: &'a DFA,
}

/// Where it is: before the end of the prefix, or in a state of the automaton.
#[derive(Clone, Copy)]
enum State {
    Prefix(usize),
    Word(u32),
    Lost,
}

impl Automaton for Behind<'_> {
    type State = State;

    fn start(&self) -> State {
        State::Prefix(0)
    }

    fn is_match(&self, state: &State) -> bool {
        matches!(state, State::Word(state)
            if matches!(self.dfa.distance(*state), Distance::Exact(_)))
    }

    fn can_match(&self, state: &State) -> bool {
        !matches!(state, State::Lost | State::Word(SINK_STATE))
    }

    fn accept(&self, state: &State, byte: u8) -> State {
        match *state {
            State::Prefix(at) if self.prefix.get(at) != Some(&byte) => State::Lost,
            State::Prefix(at) if at + 1 == self.prefix.len() => {
                State::Word(self.dfa.initial_state())
            }
            State::Prefix(at) => State::Prefix(at + 1),
            State::Word(state) => State::Word(self.dfa.transition(state, byte)),
            State::Lost => State::Lost,
        }
    }
}
