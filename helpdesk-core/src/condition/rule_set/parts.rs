//! Many parts of a text, found in one pass.

use aho_corasick::automaton::Automaton;
use aho_corasick::{Anchored, dfa, nfa};

/// Bytes of parts up to which they are found by the fastest automaton: it takes
/// about a hundred times as many.
const DFA_BYTES_MAX: usize = 16 * 1024;

/// Places of a text that are gone through at once.
const LANES: usize = 4;

/// Finds which of its parts stand in a text.
#[derive(Debug, Clone, Default)]
pub(super) struct PartFinder {
    /// The number of each part, and the part, in the automaton's order.
    parts: Vec<(u32, String)>,
    automaton: Kind,
}

#[derive(Debug, Clone, Default)]
enum Kind {
    Fast(dfa::DFA),
    Small(nfa::contiguous::NFA),
    /// Too many parts for an automaton: found one by one.
    #[default]
    None,
}

impl PartFinder {
    /// Finds those of the list whose number is wanted; none of them is empty.
    pub(super) fn new(list: &[String], is_wanted: impl Fn(u32) -> bool) -> Self {
        let wanted = (0u32..).zip(list).filter(|(part, _)| is_wanted(*part));
        let parts: Vec<(u32, String)> = wanted.map(|(part, text)| (part, text.clone())).collect();
        let texts = || parts.iter().map(|(_, text)| text);
        let automaton = if parts.is_empty() {
            None
        } else if texts().map(String::len).sum::<usize>() <= DFA_BYTES_MAX {
            dfa::DFA::new(texts()).ok().map(Kind::Fast)
        } else {
            nfa::contiguous::NFA::new(texts()).ok().map(Kind::Small)
        };
        Self { automaton: automaton.unwrap_or_default(), parts }
    }

    /// Shows the number of each part that stands in a folded text, some more than once.
    pub(super) fn find(&self, folded: &str, see: impl FnMut(u32)) {
        match &self.automaton {
            Kind::Fast(automaton) => self.walk(automaton, folded, see),
            Kind::Small(automaton) => self.walk(automaton, folded, see),
            Kind::None => {
                let found = self.parts.iter().filter(|(_, part)| folded.contains(part.as_str()));
                found.map(|(number, _)| *number).for_each(see);
            }
        }
    }

    /// Goes through the text byte by byte; in each state stand the parts that end there.
    /// A step waits for the one before it, so a text is gone through in several places
    /// at once; these overlap by the longest part.
    fn walk(&self, automaton: &impl Automaton, folded: &str, mut see: impl FnMut(u32)) {
        let Ok(start) = automaton.start_state(Anchored::No) else { return };
        let bytes = folded.as_bytes();
        let length = bytes.len() / LANES;
        let overlap = automaton.max_pattern_len();
        let mut step = |state, byte| {
            let state = automaton.next_state(Anchored::No, state, byte);
            if automaton.is_special(state) && automaton.is_match(state) {
                for at in 0..automaton.match_len(state) {
                    see(self.parts[automaton.match_pattern(state, at).as_usize()].0);
                }
            }
            state
        };
        let mut states = [start; LANES];
        if length > overlap * 2 {
            for at in 0..length + overlap {
                for (lane, state) in states.iter_mut().enumerate() {
                    if let Some(byte) = bytes.get(lane * length + at) {
                        *state = step(*state, *byte);
                    }
                }
            }
            // What the division left over.
            let n_seen = (LANES * length + overlap).min(bytes.len());
            let last = &mut states[LANES - 1];
            bytes[n_seen..].iter().for_each(|byte| *last = step(*last, *byte));
        } else {
            bytes.iter().fold(start, |state, byte| step(state, *byte));
        }
    }
}
