//! Conditions back to the JSON that they were read from.

use super::ast::{
    Age, BooleanTest, ChoiceTest, ClockTest, Condition, HoursTest, InstantTest, Leaf, Needle,
    NumberTest, SetTest, Test, TextTest,
};
use super::text::Phrase;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Whole numbers below this are exact as `f64`, and written without a point.
pub(super) const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Condition {
    /// The condition as JSON: parsed with the same schema, it is the same condition.
    ///
    /// Lists that are sets come sorted, and `set: false` comes as `unset: true`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Always => json!("always"),
            Self::Never => json!("never"),
            Self::All(children) => json!({"all": list_of(children)}),
            Self::Any(children) => json!({"any": list_of(children)}),
            Self::Not(child) => json!({"not": child.to_json()}),
            Self::Leaf(leaf) => leaf.to_json(),
        }
    }
}

impl Leaf {
    fn to_json(&self) -> Value {
        let (operator, value) = self.test.operator();
        json!({"field": self.field.to_string(), operator: value})
    }
}

fn list_of(children: &[Condition]) -> Vec<Value> {
    children.iter().map(Condition::to_json).collect()
}

impl Test {
    /// The operator and its value, as they stand in JSON.
    #[must_use]
    pub fn operator(&self) -> (&'static str, Value) {
        match self {
            Self::Present(true) => ("set", json!(true)),
            Self::Present(false) => ("unset", json!(true)),
            Self::Choice(test) => choice(test, |key| json!(key)),
            Self::Id(test) => choice(test, |id: &Uuid| json!(id.to_string())),
            Self::Set(test) => set(test),
            Self::Text(test) => text(test),
            Self::Number(test) => number(test),
            Self::Instant(test) => instant(test),
            Self::Boolean(BooleanTest::Is(wanted)) => ("is", json!(wanted)),
            Self::Boolean(BooleanTest::IsNot(wanted)) => ("is_not", json!(wanted)),
            Self::Hours(HoursTest::In(calendar)) => ("in_hours", json!(calendar)),
            Self::Hours(HoursTest::Outside(calendar)) => ("outside_hours", json!(calendar)),
            Self::Clock(test) => clock(test),
        }
    }
}

fn choice<T: Ord>(test: &ChoiceTest<T>, show: impl Fn(&T) -> Value) -> (&'static str, Value) {
    let list = |values: &BTreeSet<T>| Value::Array(values.iter().map(&show).collect());
    match test {
        ChoiceTest::Is(value) => ("is", show(value)),
        ChoiceTest::IsNot(value) => ("is_not", show(value)),
        ChoiceTest::In(values) => ("in", list(values)),
        ChoiceTest::NotIn(values) => ("not_in", list(values)),
    }
}

fn set(test: &SetTest) -> (&'static str, Value) {
    match test {
        SetTest::HasAny(members) => ("has_any", json!(members)),
        SetTest::HasAll(members) => ("has_all", json!(members)),
        SetTest::HasNone(members) => ("has_none", json!(members)),
    }
}

fn text(test: &TextTest) -> (&'static str, Value) {
    let phrases =
        |phrases: &[Phrase]| phrases.iter().map(|phrase| json!(phrase.source())).collect();
    let needle = |needle: &Needle| json!(needle.source());
    match test {
        TextTest::HasWord(entries) => ("has_word", phrases(entries)),
        TextTest::HasAllWords(entries) => ("has_all_words", phrases(entries)),
        TextTest::Contains(part) => ("contains", needle(part)),
        TextTest::StartsWith(part) => ("starts_with", needle(part)),
        TextTest::EndsWith(part) => ("ends_with", needle(part)),
        TextTest::Is(whole) => ("is", needle(whole)),
        TextTest::IsNot(whole) => ("is_not", needle(whole)),
        TextTest::Matches(pattern) => ("matches", json!(pattern.regex().as_str())),
    }
}

fn number(test: &NumberTest) -> (&'static str, Value) {
    match test {
        NumberTest::Lt(bound) => ("lt", number_value(*bound)),
        NumberTest::Le(bound) => ("le", number_value(*bound)),
        NumberTest::Gt(bound) => ("gt", number_value(*bound)),
        NumberTest::Ge(bound) => ("ge", number_value(*bound)),
        NumberTest::Between(low, high) => {
            ("between", json!([number_value(*low), number_value(*high)]))
        }
        NumberTest::Is(wanted) => ("is", number_value(*wanted)),
        NumberTest::In(wanted) => ("in", wanted.iter().map(|n| number_value(*n)).collect()),
    }
}

pub(super) fn number_value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= EXACT_MAX {
        return json!(number as i64);
    }
    json!(number)
}

fn instant(test: &InstantTest) -> (&'static str, Value) {
    match test {
        InstantTest::Before(at) => ("before", json!(instant_text(*at))),
        InstantTest::After(at) => ("after", json!(instant_text(*at))),
        InstantTest::OlderThan(age) => ("older_than", age_value(age)),
        InstantTest::NewerThan(age) => ("newer_than", age_value(age)),
        InstantTest::WithinNext(length) => ("within_next", json!(length.num_seconds())),
    }
}

fn age_value(age: &Age) -> Value {
    match age {
        Age::Wall(length) => json!(length.num_seconds()),
        Age::Working { seconds, calendar } => json!({"seconds": seconds, "calendar": calendar}),
    }
}

fn clock(test: &ClockTest) -> (&'static str, Value) {
    match test {
        ClockTest::State(state) => ("state", json!(state)),
        ClockTest::Breached(wanted) => ("breached", json!(wanted)),
        ClockTest::LeftLt(seconds) => ("left_lt", json!(seconds)),
        ClockTest::UsedGe(percent) => ("used_ge", number_value(*percent)),
    }
}

/// RFC 3339, in UTC, as short as it can be without losing anything.
pub(super) fn instant_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
