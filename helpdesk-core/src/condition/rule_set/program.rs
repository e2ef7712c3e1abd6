//! Conditions as short programs of tests.

/// One test that a program makes on a ticket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Probe {
    /// The ticket has this key.
    Key(u32),
    /// The ticket has one of the keys of this list.
    Any(u32),
    /// The ticket has this key of a part of a text, which is looked for when a test asks.
    Part(u32),
    /// A number lies as this range test says.
    Range(u32),
    /// This leaf holds, asked at most once for a ticket.
    Leaf(u32),
}

impl Probe {
    /// What it costs, roughly, in tests of a bit.
    fn cost(self) -> u32 {
        match self {
            Self::Key(_) => 1,
            Self::Range(_) => 2,
            Self::Any(_) => 3,
            Self::Part(_) => 40,
            Self::Leaf(_) => COST_OF_A_LOOK,
        }
    }
}

/// From this cost on a test looks at the ticket itself, not only at its keys.
pub(super) const COST_OF_A_LOOK: u32 = 50;

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
    /// All of these, cheap ones first.
    pub(super) fn all(children: impl IntoIterator<Item = Self>) -> Self {
        Self::join(children, true)
    }

    /// One of these, cheap ones first.
    pub(super) fn any(children: impl IntoIterator<Item = Self>) -> Self {
        Self::join(children, false)
    }

    fn join(children: impl IntoIterator<Item = Self>, all: bool) -> Self {
        let mut kept = Vec::new();
        for child in children {
            match (child, all) {
                (Self::True, true) | (Self::False, false) => {}
                (Self::False, true) => return Self::False,
                (Self::True, false) => return Self::True,
                (Self::All(inner), true) | (Self::Any(inner), false) => kept.extend(inner),
                (other, _) => kept.push(other),
            }
        }
        kept.sort_by_key(Self::cost);
        match (kept.len(), all) {
            (0, true) => Self::True,
            (0, false) => Self::False,
            (1, _) => kept.swap_remove(0),
            (_, true) => Self::All(kept),
            (_, false) => Self::Any(kept),
        }
    }

    pub(super) fn cost(&self) -> u32 {
        match self {
            Self::True | Self::False => 0,
            Self::Probe { probe, .. } => probe.cost(),
            Self::All(children) | Self::Any(children) => {
                children.iter().map(Self::cost).fold(0, u32::saturating_add)
            }
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
const YES: u32 = u32::MAX;
/// Where a program ends: it does not.
const NO: u32 = u32::MAX - 1;
/// Bits of a test's number; those above them are its kind.
const NUMBER_BITS: u32 = 29;

/// One test, and where to go on: 12 bytes, of which a rule has about five.
#[derive(Debug, Clone, Copy)]
struct Step {
    test: u32,
    yes: u32,
    no: u32,
}

impl Step {
    fn new(probe: Probe, yes: u32, no: u32) -> Self {
        let (kind, number) = match probe {
            Probe::Key(number) => (0, number),
            Probe::Any(number) => (1, number),
            Probe::Range(number) => (2, number),
            Probe::Leaf(number) => (3, number),
            Probe::Part(number) => (4, number),
        };
        Self { test: kind << NUMBER_BITS | number, yes, no }
    }

    fn probe(self) -> Probe {
        let number = self.test & ((1 << NUMBER_BITS) - 1);
        match self.test >> NUMBER_BITS {
            0 => Probe::Key(number),
            1 => Probe::Any(number),
            2 => Probe::Range(number),
            3 => Probe::Leaf(number),
            _ => Probe::Part(number),
        }
    }
}

/// The programs of all rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    steps: Vec<Step>,
    /// The first step of each rule.
    entries: Vec<u32>,
}

impl Program {
    /// Adds the next rule.
    pub(super) fn push(&mut self, node: &Node) {
        let entry = self.emit(node, YES, NO);
        self.entries.push(entry);
    }

    pub(super) fn shrink(&mut self) {
        self.steps.shrink_to_fit();
    }

    /// Steps are written from the last to the first, so that each knows the next.
    fn emit(&mut self, node: &Node, yes: u32, no: u32) -> u32 {
        match node {
            Node::True => yes,
            Node::False => no,
            Node::All(children) => {
                children.iter().rev().fold(yes, |next, child| self.emit(child, next, no))
            }
            Node::Any(children) => {
                children.iter().rev().fold(no, |next, child| self.emit(child, yes, next))
            }
            Node::Probe { probe, negated } => {
                let (yes, no) = if *negated { (no, yes) } else { (yes, no) };
                self.steps.push(Step::new(*probe, yes, no));
                self.steps.len() as u32 - 1
            }
        }
    }

    /// Whether a rule holds. Each step goes to an earlier one, so this ends.
    pub(super) fn run(&self, rule: u32, mut passes: impl FnMut(Probe) -> bool) -> bool {
        let mut at = self.entries[rule as usize];
        while let Some(step) = self.steps.get(at as usize) {
            at = if passes(step.probe()) { step.yes } else { step.no };
        }
        at == YES
    }
}
