//! What follows from conditions without a ticket: contradictions.
//! Careful, not complete: what is said here is true, and much is left unsaid.

use super::implied::follows;
use crate::condition::{
    Age, BooleanTest, ChoiceTest, ClockState, ClockTest, Condition, Field, HoursTest, InstantTest,
    NumberTest, SetTest, Test, TextTest,
};
use std::collections::{BTreeMap, BTreeSet};

/// The parts that must all hold. None for a condition that always does.
pub(super) fn conjuncts(condition: &Condition) -> Vec<&Condition> {
    match condition {
        Condition::Always => Vec::new(),
        Condition::All(children) => children.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// The parts of which one must hold: the condition itself, or those of an `any`.
pub(super) fn alternatives(condition: &Condition) -> Vec<&Condition> {
    match condition {
        Condition::Any(children) => children.iter().flat_map(alternatives).collect(),
        Condition::All(children) => match &children[..] {
            [only] => alternatives(only),
            _ => vec![condition],
        },
        other => vec![other],
    }
}

/// Whether the test fails on a missing value.
pub(super) fn needs_value(test: &Test) -> bool {
    match test {
        Test::Present(wanted) => *wanted,
        Test::Choice(test) => matches!(test, ChoiceTest::Is(_) | ChoiceTest::In(_)),
        Test::Id(test) => matches!(test, ChoiceTest::Is(_) | ChoiceTest::In(_)),
        // `has_all` of nothing holds on a missing set.
        Test::Set(SetTest::HasAll(members)) => !members.is_empty(),
        Test::Set(test) => matches!(test, SetTest::HasAny(_)),
        // An empty text is unset and may still be equal to an empty one.
        Test::Text(_) => false,
        // A clock that has not started is unset, inactive and not breached.
        Test::Clock(test) => {
            !matches!(test, ClockTest::State(ClockState::Inactive) | ClockTest::Breached(false))
        }
        Test::Number(_) | Test::Instant(_) | Test::Hours(_) => true,
        Test::Boolean(test) => matches!(test, BooleanTest::Is(_)),
    }
}

/// Whether the condition certainly holds on no ticket.
pub(super) fn never_holds(condition: &Condition) -> bool {
    match condition {
        Condition::Never => true,
        Condition::Always => false,
        Condition::Any(children) => children.iter().all(never_holds),
        Condition::Not(child) => conjuncts(child).is_empty(),
        Condition::All(_) => {
            let parts = conjuncts(condition);
            parts.iter().any(|part| never_holds(part)) || contradict(&parts)
        }
        Condition::Leaf(_) => contradict(&[condition]),
    }
}

pub(super) fn contradict(parts: &[&Condition]) -> bool {
    let mut by_field: BTreeMap<&Field, Vec<&Test>> = BTreeMap::new();
    for part in parts {
        if let Condition::Leaf(leaf) = part {
            by_field.entry(leaf.field()).or_default().push(leaf.test());
        }
    }
    let negated = parts.iter().any(|part| match part {
        Condition::Not(child) => {
            conjuncts(child).iter().all(|wanted| parts.iter().any(|given| follows(given, wanted)))
        }
        _ => false,
    });
    negated || by_field.iter().any(|(field, tests)| tests_contradict(field, tests))
}

/// Whether no value passes the test, nor a missing one.
pub(super) fn passes_nothing(test: &Test) -> bool {
    match test {
        Test::Choice(ChoiceTest::In(values)) => values.is_empty(),
        Test::Id(ChoiceTest::In(values)) => values.is_empty(),
        Test::Set(SetTest::HasAny(members)) => members.is_empty(),
        Test::Text(TextTest::HasWord(phrases)) => phrases.is_empty(),
        Test::Number(NumberTest::In(values)) => values.is_empty(),
        Test::Number(NumberTest::Between(low, high)) => low > high,
        _ => false,
    }
}

fn tests_contradict(field: &Field, tests: &[&Test]) -> bool {
    if tests.iter().any(|test| passes_nothing(test)) {
        return true;
    }
    let unset = tests.iter().any(|test| matches!(test, Test::Present(false)));
    if unset && tests.iter().any(|test| needs_value(test)) {
        return true;
    }
    let choices = tests.iter().filter_map(|t| if let Test::Choice(t) = t { Some(t) } else { None });
    let ids = tests.iter().filter_map(|t| if let Test::Id(t) = t { Some(t) } else { None });
    let sets = tests.iter().filter_map(|t| if let Test::Set(t) = t { Some(t) } else { None });
    no_choice_left(choices)
        || no_choice_left(ids)
        || sets_contradict(&sets.collect::<Vec<_>>())
        || numbers_contradict(tests)
        || instants_contradict(tests)
        || booleans_contradict(tests)
        || hours_contradict(tests)
        || clocks_contradict(tests)
        // `text` is two texts, and each leaf may look at the other.
        || (*field != Field::Text && texts_contradict(tests))
}

fn no_choice_left<'a, T: Ord + Clone + 'a>(tests: impl Iterator<Item = &'a ChoiceTest<T>>) -> bool {
    let mut only: Option<BTreeSet<T>> = None;
    let mut none = BTreeSet::new();
    for test in tests {
        match (Choices::of(test), &mut only) {
            (Choices::Only(values), Some(left)) => left.retain(|value| values.contains(value)),
            (Choices::Only(values), None) => only = Some(values),
            (Choices::AllBut(values), _) => none.extend(values),
        }
    }
    only.is_some_and(|left| left.is_subset(&none))
}

fn sets_contradict(tests: &[&SetTest]) -> bool {
    let none: BTreeSet<&String> = tests
        .iter()
        .filter_map(|test| if let SetTest::HasNone(members) = test { Some(members) } else { None })
        .flatten()
        .collect();
    tests.iter().any(|test| match test {
        SetTest::HasAny(members) => members.iter().all(|member| none.contains(member)),
        SetTest::HasAll(members) => members.iter().any(|member| none.contains(member)),
        SetTest::HasNone(_) => false,
    })
}

fn numbers_contradict(tests: &[&Test]) -> bool {
    let tests = tests.iter().filter_map(|t| if let Test::Number(t) = t { Some(t) } else { None });
    let ranges: Vec<Range> = tests.map(Range::of).collect();
    let low = ranges.iter().map(|range| range.low).fold(Edge::LOWEST, Edge::higher);
    let high = ranges.iter().map(|range| range.high).fold(Edge::HIGHEST, Edge::lower);
    low.at > high.at || (low.at == high.at && (low.open || high.open))
}

fn instants_contradict(tests: &[&Test]) -> bool {
    let instants: Vec<&InstantTest> = tests
        .iter()
        .filter_map(|t| if let Test::Instant(t) = t { Some(t) } else { None })
        .collect();
    instants.iter().any(|a| {
        instants.iter().any(|b| match (a, b) {
            (InstantTest::After(from), InstantTest::Before(to)) => from >= to,
            (InstantTest::OlderThan(from), InstantTest::NewerThan(to)) => is_longer(from, to),
            (InstantTest::OlderThan(_), InstantTest::WithinNext(_)) => true,
            _ => false,
        })
    })
}

/// Whether one age is certainly no shorter than another.
pub(super) fn is_longer(a: &Age, b: &Age) -> bool {
    match (a, b) {
        (Age::Wall(a), Age::Wall(b)) => a >= b,
        (
            Age::Working { seconds: a, calendar: by },
            Age::Working { seconds: b, calendar: other },
        ) => a >= b && by == other,
        (Age::Wall(_), Age::Working { .. }) | (Age::Working { .. }, Age::Wall(_)) => false,
    }
}

fn hours_contradict(tests: &[&Test]) -> bool {
    tests.iter().any(|test| match test {
        Test::Hours(HoursTest::In(key)) => {
            tests.contains(&&Test::Hours(HoursTest::Outside(key.clone())))
        }
        _ => false,
    })
}

fn booleans_contradict(tests: &[&Test]) -> bool {
    let boolean = |wanted: bool| Test::Boolean(BooleanTest::Is(wanted));
    let has = |test: &Test| tests.iter().any(|own| **own == *test);
    let both = has(&boolean(true)) && has(&boolean(false));
    let not =
        |wanted: bool| has(&boolean(wanted)) && has(&Test::Boolean(BooleanTest::IsNot(wanted)));
    both || not(true) || not(false)
}

/// A clock is in one state, and past its target or not.
fn clocks_contradict(tests: &[&Test]) -> bool {
    let clocks = tests.iter().filter_map(|t| if let Test::Clock(t) = t { Some(t) } else { None });
    let clocks: Vec<&ClockTest> = clocks.collect();
    clocks.iter().any(|a| {
        clocks.iter().any(|b| match (a, b) {
            (ClockTest::State(a), ClockTest::State(b)) => a != b,
            (ClockTest::Breached(a), ClockTest::Breached(b)) => a != b,
            _ => false,
        })
    })
}

fn texts_contradict(tests: &[&Test]) -> bool {
    let mut wanted = None;
    for test in tests {
        let Test::Text(TextTest::Is(needle)) = test else { continue };
        if wanted.is_some_and(|other| other != needle.folded()) {
            return true;
        }
        wanted = Some(needle.folded());
    }
    tests.iter().any(|test| match test {
        Test::Text(TextTest::IsNot(needle)) => wanted == Some(needle.folded()),
        _ => false,
    })
}

/// The values that a test of a choice lets through; a missing one is none.
pub(super) enum Choices<T> {
    Only(BTreeSet<T>),
    AllBut(BTreeSet<T>),
}

impl<T: Ord + Clone> Choices<T> {
    pub(super) fn of(test: &ChoiceTest<T>) -> Self {
        match test {
            ChoiceTest::Is(value) => Self::Only([value.clone()].into()),
            ChoiceTest::In(values) => Self::Only(values.clone()),
            ChoiceTest::IsNot(value) => Self::AllBut([value.clone()].into()),
            ChoiceTest::NotIn(values) => Self::AllBut(values.clone()),
        }
    }
}

/// One end of a range.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    at: f64,
    open: bool,
}

impl Edge {
    const LOWEST: Self = Self { at: f64::NEG_INFINITY, open: false };
    const HIGHEST: Self = Self { at: f64::INFINITY, open: false };

    fn higher(self, other: Self) -> Self {
        if other.at > self.at || (other.at == self.at && other.open) { other } else { self }
    }

    fn lower(self, other: Self) -> Self {
        if other.at < self.at || (other.at == self.at && other.open) { other } else { self }
    }
}

/// The smallest range with everything in it that a test of a number lets through.
pub(super) struct Range {
    pub(super) low: Edge,
    pub(super) high: Edge,
    /// It lets through less than the range.
    pub(super) is_list: bool,
}

impl Range {
    pub(super) fn of(test: &NumberTest) -> Self {
        let closed = |at: f64| Edge { at, open: false };
        let open = |at: f64| Edge { at, open: true };
        let (low, high) = match test {
            NumberTest::Lt(bound) => (Edge::LOWEST, open(*bound)),
            NumberTest::Le(bound) => (Edge::LOWEST, closed(*bound)),
            NumberTest::Gt(bound) => (open(*bound), Edge::HIGHEST),
            NumberTest::Ge(bound) => (closed(*bound), Edge::HIGHEST),
            NumberTest::Between(low, high) => (closed(*low), closed(*high)),
            NumberTest::Is(value) => (closed(*value), closed(*value)),
            NumberTest::In(values) => {
                let low = values.iter().copied().fold(f64::INFINITY, f64::min);
                let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                (closed(low), closed(high))
            }
        };
        Self { low, high, is_list: matches!(test, NumberTest::In(_)) }
    }

    /// Whether everything from `low` to `high` is in it.
    pub(super) fn holds(&self, low: Edge, high: Edge) -> bool {
        let from = self.low.at < low.at || (self.low.at == low.at && (low.open || !self.low.open));
        let to =
            self.high.at > high.at || (self.high.at == high.at && (high.open || !self.high.open));
        from && to
    }
}
