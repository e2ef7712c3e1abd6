//! What each test means. Source: spec/routing.md, "One condition language".

use super::ast::{
    BooleanTest, ChoiceTest, Condition, InstantTest, Leaf, NumberTest, SetTest, Test, TextTest,
};
use super::facts::{FactSet, FactValue, Facts};
use super::field::Field;
use super::text::{Phrase, TextFact};
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
    /// `has_all`, `has_all_words` and `has_none` true).
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
            Test::Number(test) => number(field, facts).is_some_and(|n| passes_number(test, n)),
            Test::Instant(test) => {
                instant(field, facts).is_some_and(|at| passes_instant(test, at, facts.now()))
            }
            Test::Boolean(test) => passes_boolean(*test, boolean(field, facts)),
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

fn passes_number(test: &NumberTest, number: f64) -> bool {
    match test {
        NumberTest::Lt(bound) => number < *bound,
        NumberTest::Le(bound) => number <= *bound,
        NumberTest::Gt(bound) => number > *bound,
        NumberTest::Ge(bound) => number >= *bound,
        NumberTest::Between(low, high) => (*low..=*high).contains(&number),
        NumberTest::Is(wanted) => number == *wanted,
        NumberTest::In(wanted) => wanted.contains(&number),
    }
}

fn passes_instant(test: &InstantTest, at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let age = now.signed_duration_since(at);
    match test {
        InstantTest::Before(bound) => at < *bound,
        InstantTest::After(bound) => at > *bound,
        InstantTest::OlderThan(length) => age > *length,
        InstantTest::NewerThan(length) => age < *length,
        InstantTest::WithinNext(length) => (-*length..=TimeDelta::zero()).contains(&age),
    }
}

fn passes_boolean(test: BooleanTest, value: Option<bool>) -> bool {
    match test {
        BooleanTest::Is(wanted) => value == Some(wanted),
        BooleanTest::IsNot(wanted) => value != Some(wanted),
    }
}
