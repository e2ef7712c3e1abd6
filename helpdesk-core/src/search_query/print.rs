//! Writes a search in its one form.

use super::parse::{ORDER, ORDERS, RELEVANCE, SHORT_NAMES};
use super::term::name_in;
use super::value::{ANY, BREACHED, NONE, RANGE, UNITS, instant_text};
use super::{SearchOrder, SearchQuery, Tested};
use crate::condition::{
    BooleanTest, ChoiceTest, ClockTest, FieldKind, HoursTest, InstantTest, Leaf, NumberTest,
    Phrase, SetTest, Test, TextTest,
};
use crate::view::Direction;
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use serde_json::Value;
use std::fmt::{self, Display, Formatter};

/// Tests, then words, then the order: read again, it is the same search.
impl Display for SearchQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let negated = |is_negated: bool| if is_negated { "-" } else { "" };
        let tests = self
            .tests
            .iter()
            .map(|Tested { is_negated, leaf }| format!("{}{}", negated(*is_negated), test(leaf)));
        let all = self.text.all.iter().map(|text| free(text));
        let none = self.text.none.iter().map(|text| format!("-{}", free(text)));
        let order = self.order.map(|order| format!("{ORDER}:{}", order_name(order)));
        let parts: Vec<String> = tests.chain(all).chain(none).chain(order).collect();
        f.write_str(&parts.join(" "))
    }
}

fn order_name(order: SearchOrder) -> String {
    match order {
        SearchOrder::Relevance => RELEVANCE.to_owned(),
        SearchOrder::By(by, direction) => {
            let name = ORDERS.iter().find(|(.., known)| *known == by).map_or("", |(n, ..)| n);
            match direction {
                Direction::Ascending => name.to_owned(),
                Direction::Descending => format!("-{name}"),
            }
        }
    }
}

/// A word as it is where that reads as a word, else in quotes.
fn free(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_plain = !text.starts_with('-')
        && !text.is_empty()
        && !chars.iter().any(|c| c.is_whitespace() || *c == '"')
        && name_in(&chars).is_none();
    if is_plain { text.to_owned() } else { quoted(text) }
}

/// A value as it is, or in quotes where it would read as something else.
fn value(text: &str) -> String {
    let is_plain = !text.is_empty()
        && ![NONE, ANY].contains(&text)
        && !text.chars().any(|c| c.is_whitespace() || c == '"' || c == ',');
    if is_plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn test(leaf: &Leaf) -> String {
    let short = SHORT_NAMES.iter().find(|(_, field)| field == leaf.field());
    let name = short.map_or_else(|| leaf.field().to_string(), |(short, _)| (*short).to_owned());
    match signed(leaf) {
        Some(rest) => format!("{name}{rest}"),
        None => {
            let (operator, of) = leaf.test().operator();
            format!("{name}.{operator}:{}", json(operator, &of))
        }
    }
}

/// Sign and values, where a sign says it.
fn signed(leaf: &Leaf) -> Option<String> {
    let values = |texts: &mut dyn Iterator<Item = &str>| {
        let texts: Vec<String> = texts.map(value).collect();
        (!texts.is_empty()).then(|| format!(":{}", texts.join(",")))
    };
    match leaf.test() {
        Test::Present(is_set) => match leaf.field().built_in_kind() {
            // Of a text, these would be words.
            Some(FieldKind::Text) | None => None,
            Some(_) => Some(format!(":{}", if *is_set { ANY } else { NONE })),
        },
        Test::Choice(ChoiceTest::Is(key)) => Some(format!(":{}", value(key))),
        Test::Choice(ChoiceTest::In(keys)) if keys.len() > 1 => {
            values(&mut keys.iter().map(String::as_str))
        }
        Test::Id(ChoiceTest::Is(id)) => Some(format!(":{id}")),
        Test::Id(ChoiceTest::In(ids)) if ids.len() > 1 => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            Some(format!(":{}", ids.join(",")))
        }
        Test::Set(SetTest::HasAny(members)) => values(&mut members.iter().map(String::as_str)),
        Test::Text(TextTest::HasWord(phrases)) => values(&mut phrases.iter().map(Phrase::source)),
        Test::Number(test) => number(leaf, test),
        Test::Instant(InstantTest::After(at)) => Some(match whole_after(*at) {
            Some(start) => format!(">={}", instant_text(start)),
            None => format!(">{}", instant_text(*at)),
        }),
        Test::Instant(InstantTest::Before(at)) => Some(format!("<{}", instant_text(*at))),
        Test::Boolean(BooleanTest::Is(wanted)) => Some(format!(":{wanted}")),
        Test::Hours(HoursTest::In(calendar)) => Some(format!(":{}", value(calendar.as_str()))),
        Test::Clock(ClockTest::State(state)) => Some(format!(":{state}")),
        Test::Clock(ClockTest::Breached(true)) => Some(format!(":{BREACHED}")),
        Test::Choice(_)
        | Test::Id(_)
        | Test::Set(_)
        | Test::Text(_)
        | Test::Instant(_)
        | Test::Boolean(_)
        | Test::Hours(_)
        | Test::Clock(_) => None,
    }
}

fn number(leaf: &Leaf, test: &NumberTest) -> Option<String> {
    let (_, of) = leaf.test().operator();
    let list = |between: &str| {
        let entries = of.as_array().into_iter().flatten();
        entries.map(Value::to_string).collect::<Vec<_>>().join(between)
    };
    match test {
        NumberTest::Lt(_) => Some(format!("<{of}")),
        NumberTest::Le(_) => Some(format!("<={of}")),
        NumberTest::Gt(_) => Some(format!(">{of}")),
        NumberTest::Ge(_) => Some(format!(">={of}")),
        NumberTest::Between(..) => Some(format!(":{}", list(RANGE))),
        NumberTest::Is(_) => Some(format!(":{of}")),
        NumberTest::In(numbers) if numbers.len() > 1 => Some(format!(":{}", list(","))),
        NumberTest::In(_) => None,
    }
}

/// The whole second right after the last instant of the one before.
fn whole_after(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let next = at.checked_add_signed(TimeDelta::nanoseconds(1))?;
    (at.nanosecond() == 999_999_999 && next.year() <= 9_999).then_some(next)
}

/// The value of a named operator.
fn json(operator: &str, of: &Value) -> String {
    match of {
        Value::String(text) => value(text),
        Value::Array(entries) => {
            let texts = entries.iter().map(|entry| json(operator, entry));
            texts.collect::<Vec<_>>().join(",")
        }
        Value::Object(age) => {
            let seconds = age.get("seconds").and_then(Value::as_i64).unwrap_or_default();
            let calendar = age.get("calendar").and_then(Value::as_str).unwrap_or_default();
            format!("{}@{calendar}", length(seconds))
        }
        Value::Number(seconds)
            if matches!(operator, "older_than" | "newer_than" | "within_next" | "left_lt") =>
        {
            length(seconds.as_i64().unwrap_or_default())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => of.to_string(),
    }
}

/// In the greatest unit that it is a whole number of.
fn length(seconds: i64) -> String {
    let unit = UNITS.iter().find(|(_, unit)| seconds != 0 && seconds % unit == 0);
    let (unit, of) = unit.copied().unwrap_or(('s', 1));
    format!("{}{unit}", seconds / of)
}
