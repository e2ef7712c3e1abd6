//! Many parts of a text, found in one pass.

use aho_corasick::automaton::{Automaton, StateID};
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
        // The walk skips nothing. With a prefilter the state it starts in would be special,
        // and the text is in that most of the time.
        let automaton = if parts.is_empty() {
            None
        } else if parts.iter().map(String::len).sum::<usize>() <= DFA_BYTES_MAX {
            dfa::Builder::new().prefilter(false).build(&parts).ok().map(Kind::Fast)
        } else {
            nfa::contiguous::Builder::new().prefilter(false).build(&parts).ok().map(Kind::Small)
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
    /// at once; each goes on into the next by the longest part.
    fn walk(&self, automaton: &impl Automaton, folded: &str, mut see: impl FnMut(u32, usize)) {
        let Ok(start) = automaton.start_state(Anchored::No) else { return };
        let bytes = folded.as_bytes();
        let length = bytes.len() / LANES;
        let overlap = automaton.max_pattern_len();
        let mut step = |state, at: usize| step(automaton, state, bytes[at], at + 1, &mut see);
        let mut states = [start; LANES];
        let mut n_seen = 0;
        if length > overlap * 2 {
            for at in 0..length {
                for (lane, state) in states.iter_mut().enumerate() {
                    *state = step(*state, lane * length + at);
                }
            }
            n_seen = LANES * length;
            for (lane, state) in (1..).zip(&states[..LANES - 1]) {
                (lane * length..lane * length + overlap).fold(*state, &mut step);
            }
        }
        (n_seen..bytes.len()).fold(states[LANES - 1], step);
    }
}

/// The next state; shows the parts that end there.
#[inline]
fn step(
    automaton: &impl Automaton,
    state: StateID,
    byte: u8,
    end: usize,
    see: &mut dyn FnMut(u32, usize),
) -> StateID {
    let state = automaton.next_state(Anchored::No, state, byte);
    if automaton.is_special(state) {
        report(automaton, state, end, see);
    }
    state
}

/// Shows the parts that end in a state. Most steps come to none, and are not to make
/// room for this.
#[cold]
#[inline(never)]
fn report(automaton: &impl Automaton, state: StateID, end: usize, see: &mut dyn FnMut(u32, usize)) {
    if automaton.is_match(state) {
        for at in 0..automaton.match_len(state) {
            let part = automaton.match_pattern(state, at);
            see(part.as_u32(), end - automaton.pattern_len(part));
        }
    }
}
