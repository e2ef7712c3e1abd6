//! What each test means. Source: spec/routing.md, "One condition language".

use super::ast::{
    Age, BooleanTest, ChoiceTest, ClockTest, Condition, HoursTest, InstantTest, Leaf, NumberTest,
    SetTest, Test, TextTest,
};
use super::clock::{ClockFact, ClockState};
use super::facts::{FactSet, FactValue, Facts};
use super::field::Field;
use super::text::{Phrase, TextFact};
use crate::calendar::{Calendar, HORIZON_END, HORIZON_START};
use chrono::{DateTime, TimeDelta, Utc};
use std::borrow::Borrow;
use uuid::Uuid;

impl Condition {
    /// Whether the condition holds: the plain walk, from left to right, no
    /// further than needed. Every faster matcher agrees with it.
    ///
    /// A missing field makes every test false but `is_not`, `not_in`,
    /// `has_none` and `unset`; lists without entries give the same result on
    /// every ticket (`in`, `has_any` and `has_word` false, `not_in`,
    /// `has_all`, `has_all_words` and `has_none` true). A calendar that is not
    /// there is as a missing field.
    #[must_use]
    pub fn holds<F: Facts + ?Sized>(&self, facts: &F) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::All(children) => children.iter().all(|child| child.holds(facts)),
            Self::Any(children) => children.iter().any(|child| child.holds(facts)),
            Self::Not(child) => !child.holds(facts),
            Self::Leaf(leaf) => leaf.holds(facts),
        }
    }
}

impl Leaf {
    /// Whether the test passes.
    #[must_use]
    pub fn holds<F: Facts + ?Sized>(&self, facts: &F) -> bool {
        let field = &self.field;
        match &self.test {
            Test::Present(wanted) => is_present(field, facts) == *wanted,
            Test::Choice(test) => passes_choice(test, choice(field, facts)),
            Test::Id(test) => passes_choice(test, id(field, facts).as_ref()),
            Test::Set(test) => passes_set(test, set(field, facts)),
            Test::Text(test) => passes_text(test, &texts(field, facts)),
            Test::Number(test) => number(field, facts).is_some_and(|n| test.passes(n)),
            Test::Instant(test) => {
                instant(field, facts).is_some_and(|at| passes_instant(test, at, facts))
            }
            Test::Boolean(test) => passes_boolean(*test, boolean(field, facts)),
            Test::Hours(test) => passes_hours(test, facts),
            Test::Clock(test) => clock(field, facts).is_some_and(|fact| passes_clock(test, &fact)),
        }
    }
}

fn choice<'a, F: Facts + ?Sized>(field: &Field, facts: &'a F) -> Option<&'a str> {
    if let FactValue::Choice(key) = facts.value(field)? { Some(key) } else { None }
}

fn id<F: Facts + ?Sized>(field: &Field, facts: &F) -> Option<Uuid> {
    if let FactValue::Id(id) = facts.value(field)? { Some(id) } else { None }
}

fn set<'a, F: Facts + ?Sized>(field: &Field, facts: &'a F) -> FactSet<'a> {
    if let Some(FactValue::Set(set)) = facts.value(field) { set } else { FactSet::List(&[]) }
}

fn number<F: Facts + ?Sized>(field: &Field, facts: &F) -> Option<f64> {
    if let FactValue::Number(number) = facts.value(field)? { Some(number) } else { None }
}

fn instant<F: Facts + ?Sized>(field: &Field, facts: &F) -> Option<DateTime<Utc>> {
    if let FactValue::Instant(instant) = facts.value(field)? { Some(instant) } else { None }
}

fn boolean<F: Facts + ?Sized>(field: &Field, facts: &F) -> Option<bool> {
    if let FactValue::Boolean(boolean) = facts.value(field)? { Some(boolean) } else { None }
}

/// The clock behind a field.
pub(super) fn clock<F: Facts + ?Sized>(field: &Field, facts: &F) -> Option<ClockFact> {
    if let Field::Sla(metric) = field { facts.clock(metric) } else { None }
}

/// The texts behind a field: two for `text`, one for the others.
pub(super) fn texts<'a, F: Facts + ?Sized>(
    field: &Field,
    facts: &'a F,
) -> [Option<&'a TextFact<'a>>; 2] {
    match field {
        Field::Text => [facts.text(&Field::Subject), facts.text(&Field::Body)],
        other => [facts.text(other), None],
    }
}

/// An empty text and an empty set are not there.
fn is_present<F: Facts + ?Sized>(field: &Field, facts: &F) -> bool {
    match field {
        Field::Now => return true,
        Field::Sla(metric) => {
            let clock = facts.clock(metric);
            return clock.is_some_and(|clock| clock.state != ClockState::Inactive);
        }
        _ => {}
    }
    match facts.value(field) {
        Some(FactValue::Set(set)) => !set.is_empty(),
        Some(_) => true,
        None => texts(field, facts).into_iter().flatten().any(|text| !text.is_empty()),
    }
}

fn passes_choice<T, V>(test: &ChoiceTest<T>, value: Option<&V>) -> bool
where
    T: Ord + Borrow<V>,
    V: Ord + ?Sized,
{
    match test {
        ChoiceTest::Is(wanted) => value == Some(wanted.borrow()),
        ChoiceTest::IsNot(wanted) => value != Some(wanted.borrow()),
        ChoiceTest::In(wanted) => value.is_some_and(|value| wanted.contains(value)),
        ChoiceTest::NotIn(wanted) => !value.is_some_and(|value| wanted.contains(value)),
    }
}

fn passes_set(test: &SetTest, set: FactSet<'_>) -> bool {
    match test {
        SetTest::HasAny(wanted) => wanted.iter().any(|member| set.has(member)),
        SetTest::HasAll(wanted) => wanted.iter().all(|member| set.has(member)),
        SetTest::HasNone(wanted) => !wanted.iter().any(|member| set.has(member)),
    }
}

fn passes_text(test: &TextTest, texts: &[Option<&TextFact<'_>>]) -> bool {
    let one =
        |passes: &dyn Fn(&TextFact<'_>) -> bool| texts.iter().flatten().any(|text| passes(text));
    let has = |phrase: &Phrase| one(&|text| text.has_phrase(phrase));
    match test {
        TextTest::HasWord(phrases) => phrases.iter().any(has),
        TextTest::HasAllWords(phrases) => phrases.iter().all(has),
        TextTest::Contains(part) => one(&|text| text.folded().contains(part.folded())),
        TextTest::StartsWith(part) => one(&|text| text.folded().starts_with(part.folded())),
        TextTest::EndsWith(part) => one(&|text| text.folded().ends_with(part.folded())),
        TextTest::Is(whole) => one(&|text| text.folded() == whole.folded()),
        TextTest::IsNot(whole) => !one(&|text| text.folded() == whole.folded()),
        TextTest::Matches(pattern) => one(&|text| pattern.regex().is_match(text.seen())),
    }
}

impl NumberTest {
    /// Whether a number passes; none that is not a number does.
    pub(super) fn passes(&self, number: f64) -> bool {
        match self {
            Self::Lt(bound) => number < *bound,
            Self::Le(bound) => number <= *bound,
            Self::Gt(bound) => number > *bound,
            Self::Ge(bound) => number >= *bound,
            Self::Between(low, high) => (*low..=*high).contains(&number),
            Self::Is(wanted) => number == *wanted,
            Self::In(wanted) => wanted.contains(&number),
        }
    }
}

fn passes_instant<F: Facts + ?Sized>(test: &InstantTest, at: DateTime<Utc>, facts: &F) -> bool {
    let now = facts.now();
    let age = now.signed_duration_since(at);
    match test {
        InstantTest::Before(bound) => at < *bound,
        InstantTest::After(bound) => at > *bound,
        InstantTest::OlderThan(Age::Wall(length)) => age > *length,
        InstantTest::NewerThan(Age::Wall(length)) => age < *length,
        InstantTest::OlderThan(Age::Working { seconds, calendar }) => facts
            .calendar(calendar)
            .is_some_and(|calendar| at <= now && worked(calendar, at, now) > *seconds),
        InstantTest::NewerThan(Age::Working { seconds, calendar }) => facts
            .calendar(calendar)
            .is_some_and(|calendar| at > now || worked(calendar, at, now) < *seconds),
        InstantTest::WithinNext(length) => (-*length..=TimeDelta::zero()).contains(&age),
    }
}

/// Seconds of working time from one instant until another. Beyond the horizon
/// of calendars there are no hours.
pub(super) fn worked(calendar: &Calendar, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    let inside = |at: DateTime<Utc>| at.clamp(HORIZON_START, HORIZON_END);
    calendar.elapsed(inside(from), inside(to)).unwrap_or(0)
}

fn passes_hours<F: Facts + ?Sized>(test: &HoursTest, facts: &F) -> bool {
    let (HoursTest::In(calendar) | HoursTest::Outside(calendar)) = test;
    let is_open = facts.calendar(calendar).map(|it| it.is_open(facts.now()).unwrap_or(false));
    is_open == Some(matches!(test, HoursTest::In(_)))
}

fn passes_clock(test: &ClockTest, fact: &ClockFact) -> bool {
    match test {
        ClockTest::State(state) => fact.state == *state,
        ClockTest::Breached(wanted) => fact.breached == *wanted,
        ClockTest::LeftLt(seconds) => fact.left_seconds.is_some_and(|left| left < *seconds),
        ClockTest::UsedGe(percent) => fact.used_percent.is_some_and(|used| used >= *percent),
    }
}

fn passes_boolean(test: BooleanTest, value: Option<bool>) -> bool {
    match test {
        BooleanTest::Is(wanted) => value == Some(wanted),
        BooleanTest::IsNot(wanted) => value != Some(wanted),
    }
}
