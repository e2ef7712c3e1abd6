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
    parts: Vec<String>,
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
    /// Finds the parts of a list, none of which is empty.
    pub(super) fn new(list: &[String]) -> Self {
        let parts = list.to_vec();
        let automaton = if parts.is_empty() {
            None
        } else if parts.iter().map(String::len).sum::<usize>() <= DFA_BYTES_MAX {
            dfa::DFA::new(&parts).ok().map(Kind::Fast)
        } else {
            nfa::contiguous::NFA::new(&parts).ok().map(Kind::Small)
        };
        Self { automaton: automaton.unwrap_or_default(), parts }
    }

    /// Shows the number of each part that stands in a folded text, and where it begins,
    /// each time; some of these more than once.
    pub(super) fn find(&self, folded: &str, mut see: impl FnMut(u32, usize)) {
        match &self.automaton {
            Kind::Fast(automaton) => self.walk(automaton, folded, see),
            Kind::Small(automaton) => self.walk(automaton, folded, see),
            Kind::None => {
                for (number, part) in (0u32..).zip(&self.parts) {
                    let mut from = 0;
                    while let Some(at) = folded.get(from..).and_then(|rest| rest.find(part)) {
                        see(number, from + at);
                        from = folded.ceil_char_boundary(from + at + 1);
                    }
                }
            }
        }
    }

    /// Goes through the text byte by byte; in each state stand the parts that end there.
    /// A step waits for the one before it, so a text is gone through in several places
    /// at once; these overlap by the longest part.
    fn walk(&self, automaton: &impl Automaton, folded: &str, mut see: impl FnMut(u32, usize)) {
        let Ok(start) = automaton.start_state(Anchored::No) else { return };
        let bytes = folded.as_bytes();
        let length = bytes.len() / LANES;
        let overlap = automaton.max_pattern_len();
        let mut report = |state, at: usize| {
            if automaton.is_match(state) {
                for n in 0..automaton.match_len(state) {
                    let part = automaton.match_pattern(state, n);
                    see(part.as_u32(), at + 1 - automaton.pattern_len(part));
                }
            }
        };
        let mut states = [start; LANES];
        let mut n_seen = 0;
        if length > overlap * 2 {
            for at in 0..length {
                for (lane, state) in states.iter_mut().enumerate() {
                    let at = lane * length + at;
                    *state = automaton.next_state(Anchored::No, *state, bytes[at]);
                    if automaton.is_special(*state) {
                        report(*state, at);
                    }
                }
            }
            // What ends in the next lane began in this one, or is seen there.
            n_seen = LANES * length;
            for (lane, state) in states.iter().enumerate().take(LANES - 1) {
                let mut state = *state;
                let start = (lane + 1) * length;
                for (at, byte) in bytes.iter().enumerate().skip(start).take(overlap) {
                    state = automaton.next_state(Anchored::No, state, *byte);
                    if automaton.is_special(state) {
                        report(state, at);
                    }
                }
            }
        }
        let mut state = states[LANES - 1];
        for (at, byte) in bytes.iter().enumerate().skip(n_seen) {
            state = automaton.next_state(Anchored::No, state, *byte);
            if automaton.is_special(state) {
                report(state, at);
            }
        }
    }
}
