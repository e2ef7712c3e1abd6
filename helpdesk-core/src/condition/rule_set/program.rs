//! Conditions as short programs of tests.

use super::Scratch;

/// One test that a program makes on a ticket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Probe {
    /// The ticket has this key.
    Key(u32),
    /// The ticket has one of the keys of this list.
    Any(u32),
    /// This part stands in a text, which is looked for when a test asks.
    Part(u32),
    /// A number lies as this range test says.
    Range(u32),
    /// This condition holds, asked at most once for a ticket.
    Asked(u32),
}

impl Probe {
    /// What it costs, roughly, in tests of a bit.
    pub(super) fn cost(self) -> u32 {
        match self {
            Self::Key(_) => 1,
            Self::Range(_) => 2,
            Self::Any(_) => 3,
            Self::Part(_) => 20,
            Self::Asked(_) => COST_OF_A_LOOK,
        }
    }
}

/// From this cost on a test looks at the ticket itself, not only at its keys.
const COST_OF_A_LOOK: u32 = 50;

/// A condition in negation normal form: constants are folded, and only tests are negated.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    True,
    False,
    All(Vec<Node>),
    Any(Vec<Node>),
    Probe { probe: Probe, negated: bool },
}

impl Node {
    /// All of these.
    pub(super) fn all(children: impl IntoIterator<Item = Self>) -> Self {
        Self::join(children, true)
    }

    /// One of these.
    pub(super) fn any(children: impl IntoIterator<Item = Self>) -> Self {
        Self::join(children, false)
    }

    fn join(children: impl IntoIterator<Item = Self>, all: bool) -> Self {
        let children = children.into_iter();
        let mut kept = Vec::with_capacity(children.size_hint().0);
        for child in children {
            match (child, all) {
                (Self::True, true) | (Self::False, false) => {}
                (Self::False, true) => return Self::False,
                (Self::True, false) => return Self::True,
                (Self::All(inner), true) | (Self::Any(inner), false) => kept.extend(inner),
                (other, _) => kept.push(other),
            }
        }
        match (kept.len(), all) {
            (0, true) => Self::True,
            (0, false) => Self::False,
            (1, _) => kept.swap_remove(0),
            (_, true) => Self::All(kept),
            (_, false) => Self::Any(kept),
        }
    }

    /// What it costs to ask, roughly, when nothing decides early.
    pub(super) fn cost(&self) -> u32 {
        match self {
            Self::True | Self::False => 0,
            Self::Probe { probe, .. } => probe.cost(),
            Self::All(children) | Self::Any(children) => {
                children.iter().map(Self::cost).fold(0, u32::saturating_add)
            }
        }
    }

    /// How many tests it has.
    fn n_tests(&self) -> usize {
        match self {
            Self::True | Self::False => 0,
            Self::Probe { .. } => 1,
            Self::All(children) | Self::Any(children) => children.iter().map(Self::n_tests).sum(),
        }
    }

    /// Its opposite.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::All(children) => Self::any(children.into_iter().map(Self::negated)),
            Self::Any(children) => Self::all(children.into_iter().map(Self::negated)),
            Self::Probe { probe, negated } => Self::Probe { probe, negated: !negated },
        }
    }
}

impl From<Probe> for Node {
    fn from(probe: Probe) -> Self {
        Self::Probe { probe, negated: false }
    }
}

/// Where a program ends: it holds.
const YES: u16 = u16::MAX;
/// Where a program ends: it does not.
const NO: u16 = u16::MAX - 1;
/// Bits of a test's number; those above them are its kind.
const NUMBER_BITS: u32 = 29;

/// One test, and where in its program to go on: 8 bytes, of which a rule has about five.
#[derive(Debug, Clone, Copy)]
struct Step {
    test: u32,
    yes: u16,
    no: u16,
}

impl Step {
    fn new(probe: Probe, yes: u16, no: u16) -> Self {
        let (kind, number) = match probe {
            Probe::Key(number) => (0, number),
            Probe::Any(number) => (1, number),
            Probe::Range(number) => (2, number),
            Probe::Part(number) => (3, number),
            Probe::Asked(number) => (4, number),
        };
        Self { test: kind << NUMBER_BITS | number, yes, no }
    }

    #[inline]
    fn probe(self) -> Probe {
        let number = self.test & ((1 << NUMBER_BITS) - 1);
        match self.test >> NUMBER_BITS {
            0 => Probe::Key(number),
            1 => Probe::Any(number),
            2 => Probe::Range(number),
            3 => Probe::Part(number),
            _ => Probe::Asked(number),
        }
    }
}

/// Where a program begins.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Entry(u32);

impl Entry {
    /// Of the program that always holds.
    pub(super) const TRUE: Self = Self(u32::MAX);
    /// Of the program that never holds.
    pub(super) const FALSE: Self = Self(u32::MAX - 1);
}

/// Programs, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Programs {
    steps: Vec<Step>,
}

impl Programs {
    /// Whether a node is short enough for a program.
    pub(super) fn fits(node: &Node) -> bool {
        node.n_tests() < usize::from(NO)
    }

    /// Adds a program for tickets that have these keys.
    pub(super) fn push(&mut self, node: &Node, known: &[u32]) -> Entry {
        let start = self.steps.len();
        let first = self.emit(node, (YES, NO), known, start);
        let n_steps = if first >= NO { 0 } else { first + 1 };
        // Nothing leads to what was written after the first test.
        self.steps.truncate(start + usize::from(n_steps));
        // Steps were written from the last to the first; a program is read forward.
        let program = &mut self.steps[start..];
        program.reverse();
        let turn = |target: u16| if target >= NO { target } else { n_steps - 1 - target };
        for step in program {
            (step.yes, step.no) = (turn(step.yes), turn(step.no));
        }
        match first {
            YES => Entry::TRUE,
            NO => Entry::FALSE,
            _ => Entry(start as u32),
        }
    }

    /// Writes steps from the last to the first, so that each knows the next, and
    /// says where a node begins, counted from `start`.
    fn emit(&mut self, node: &Node, ends: (u16, u16), known: &[u32], start: usize) -> u16 {
        let (yes, no) = ends;
        match node {
            Node::True => yes,
            Node::False => no,
            Node::All(children) => {
                let emit = |next, child| self.emit(child, (next, no), known, start);
                children.iter().rev().fold(yes, emit)
            }
            Node::Any(children) => {
                let emit = |next, child| self.emit(child, (yes, next), known, start);
                children.iter().rev().fold(no, emit)
            }
            Node::Probe { probe, negated } => {
                let (yes, no) = if *negated { (no, yes) } else { (yes, no) };
                if let Probe::Key(key) = probe
                    && known.contains(key)
                {
                    return yes;
                }
                self.steps.push(Step::new(*probe, yes, no));
                (self.steps.len() - start - 1) as u16
            }
        }
    }

    pub(super) fn shrink(&mut self) {
        self.steps.shrink_to_fit();
    }

    /// Whether a program holds. Each step goes to a later one, so this ends. Nearly all
    /// tests are of keys, so these are told apart from the others first.
    #[inline]
    pub(super) fn run(
        &self,
        entry: Entry,
        ticket: &mut Scratch,
        mut passes: impl FnMut(Probe, &mut Scratch) -> bool,
    ) -> bool {
        let Some(steps) = self.steps.get(entry.0 as usize..) else { return entry == Entry::TRUE };
        let mut at = 0;
        while let Some(step) = steps.get(usize::from(at)) {
            let is_key = step.test >> NUMBER_BITS == 0;
            let passed = if is_key { ticket.has(step.test) } else { passes(step.probe(), ticket) };
            at = if passed { step.yes } else { step.no };
            if at >= NO {
                break;
            }
        }
        at == YES
    }
}
