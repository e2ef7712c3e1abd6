//! Conditions in words, for people who read traces and settings.

use super::ast::{
    Age, BooleanTest, ChoiceTest, ClockTest, Condition, HoursTest, InstantTest, Leaf, NumberTest,
    SetTest, Test, TextTest,
};
use super::clip;
use super::json::{instant_text, number_value};
use super::text::Phrase;
use std::fmt::{self, Display, Formatter};

/// Entries of a list that are shown; of the rest only the number.
const LISTED_MAX: usize = 8;

/// In words: "priority is `high` and (language is `en` or not (tags is set))".
///
/// For people: long lists and values are cut. [`Condition::to_json`] is exact.
impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
            Self::All(children) => write_joined(f, children, " and ", "always"),
            Self::Any(children) => write_joined(f, children, " or ", "never"),
            Self::Not(child) => write!(f, "not ({child})"),
            Self::Leaf(leaf) => leaf.fmt(f),
        }
    }
}

fn write_joined(
    f: &mut Formatter<'_>,
    children: &[Condition],
    between: &str,
    empty: &str,
) -> fmt::Result {
    if children.is_empty() {
        return f.write_str(empty);
    }
    for (i, child) in children.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        match child {
            Condition::All(inner) | Condition::Any(inner)
                if inner.len() > 1 && children.len() > 1 =>
            {
                write!(f, "({child})")?;
            }
            _ => child.fmt(f)?,
        }
    }
    Ok(())
}

/// In words: "text has the word `refund`".
impl Display for Leaf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.field)?;
        match &self.test {
            Test::Present(true) => f.write_str("is set"),
            Test::Present(false) => f.write_str("is unset"),
            Test::Choice(test) => write_choice(f, test),
            Test::Id(test) => write_choice(f, test),
            Test::Set(SetTest::HasAny(members)) => write!(f, "has any of {}", list(members)),
            Test::Set(SetTest::HasAll(members)) => write!(f, "has all of {}", list(members)),
            Test::Set(SetTest::HasNone(members)) => write!(f, "has none of {}", list(members)),
            Test::Text(test) => write_text(f, test),
            Test::Number(test) => write_number(f, test),
            Test::Instant(test) => write_instant(f, test),
            Test::Boolean(BooleanTest::Is(wanted)) => write!(f, "is {wanted}"),
            Test::Boolean(BooleanTest::IsNot(wanted)) => write!(f, "is not {wanted}"),
            Test::Hours(HoursTest::In(key)) => write!(f, "is in the hours of {}", quoted(key)),
            Test::Hours(HoursTest::Outside(key)) => {
                write!(f, "is outside of the hours of {}", quoted(key))
            }
            Test::Clock(test) => write_clock(f, test),
        }
    }
}

fn write_choice<T: Display + Ord>(f: &mut Formatter<'_>, test: &ChoiceTest<T>) -> fmt::Result {
    match test {
        ChoiceTest::Is(value) => write!(f, "is {}", quoted(value)),
        ChoiceTest::IsNot(value) => write!(f, "is not {}", quoted(value)),
        ChoiceTest::In(values) => write!(f, "is one of {}", list(values)),
        ChoiceTest::NotIn(values) => write!(f, "is none of {}", list(values)),
    }
}

fn write_text(f: &mut Formatter<'_>, test: &TextTest) -> fmt::Result {
    match test {
        TextTest::HasWord(phrases) => match &phrases[..] {
            [phrase] => write!(f, "has the word {}", quoted(phrase.source())),
            phrases => write!(f, "has one of the words {}", list(sources(phrases))),
        },
        TextTest::HasAllWords(phrases) => {
            write!(f, "has each of the words {}", list(sources(phrases)))
        }
        TextTest::Contains(part) => write!(f, "contains {}", quoted(part.source())),
        TextTest::StartsWith(part) => write!(f, "starts with {}", quoted(part.source())),
        TextTest::EndsWith(part) => write!(f, "ends with {}", quoted(part.source())),
        TextTest::Is(whole) => write!(f, "is {}", quoted(whole.source())),
        TextTest::IsNot(whole) => write!(f, "is not {}", quoted(whole.source())),
        TextTest::Matches(pattern) => write!(f, "matches {}", quoted(pattern.regex())),
    }
}

fn write_number(f: &mut Formatter<'_>, test: &NumberTest) -> fmt::Result {
    let shown = |number: &f64| number_value(*number);
    match test {
        NumberTest::Lt(bound) => write!(f, "is less than {}", shown(bound)),
        NumberTest::Le(bound) => write!(f, "is at most {}", shown(bound)),
        NumberTest::Gt(bound) => write!(f, "is more than {}", shown(bound)),
        NumberTest::Ge(bound) => write!(f, "is at least {}", shown(bound)),
        NumberTest::Between(low, high) => write!(f, "is from {} to {}", shown(low), shown(high)),
        NumberTest::Is(wanted) => write!(f, "is {}", shown(wanted)),
        NumberTest::In(wanted) => write!(f, "is one of {}", list(wanted.iter().map(shown))),
    }
}

fn write_instant(f: &mut Formatter<'_>, test: &InstantTest) -> fmt::Result {
    match test {
        InstantTest::Before(at) => write!(f, "is before {}", instant_text(*at)),
        InstantTest::After(at) => write!(f, "is after {}", instant_text(*at)),
        InstantTest::OlderThan(age) => write!(f, "is more than {} ago", age_text(age)),
        InstantTest::NewerThan(age) => write!(f, "is less than {} ago", age_text(age)),
        InstantTest::WithinNext(length) => {
            write!(f, "is within the next {} seconds", length.num_seconds())
        }
    }
}

fn age_text(age: &Age) -> String {
    match age {
        Age::Wall(length) => format!("{} seconds", length.num_seconds()),
        Age::Working { seconds, calendar } => {
            format!("{seconds} working seconds of {}", quoted(calendar))
        }
    }
}

fn write_clock(f: &mut Formatter<'_>, test: &ClockTest) -> fmt::Result {
    match test {
        ClockTest::State(state) => write!(f, "is {}", quoted(state)),
        ClockTest::Breached(true) => f.write_str("is breached"),
        ClockTest::Breached(false) => f.write_str("is not breached"),
        ClockTest::LeftLt(seconds) => write!(f, "has less than {seconds} seconds left"),
        ClockTest::UsedGe(percent) => {
            write!(f, "has used at least {} percent", number_value(*percent))
        }
    }
}

fn sources(phrases: &[Phrase]) -> impl Iterator<Item = &str> {
    phrases.iter().map(Phrase::source)
}

/// A value in backticks, cut when it is long.
pub(super) fn quoted(value: impl Display) -> String {
    format!("`{}`", clip(&value.to_string()))
}

/// "`a`, `b` and 9 more", or "nothing".
pub(super) fn list<V: Display>(values: impl IntoIterator<Item = V>) -> String {
    let mut values = values.into_iter();
    let shown: Vec<String> = values.by_ref().take(LISTED_MAX).map(quoted).collect();
    match (shown.is_empty(), values.count()) {
        (true, _) => "nothing".to_owned(),
        (false, 0) => shown.join(", "),
        (false, n_more) => format!("{} and {n_more} more", shown.join(", ")),
    }
}
