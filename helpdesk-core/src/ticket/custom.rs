//! Custom fields: what a desk adds to tickets, contacts and organizations.

use crate::fault::Fault;
use crate::id::Key;
use crate::limit::CUSTOM_TEXT_CHARS_MAX;
use chrono::{DateTime, SecondsFormat, Utc};
use regex::Regex;
use schemars::JsonSchema;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What carries a custom field.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FieldOwner {
    /// Tickets.
    #[default]
    Ticket,
    /// Contacts.
    Contact,
    /// Organizations.
    Organization,
}

/// The type of a custom field, with what its values must meet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FieldType {
    /// One of a list.
    Choice {
        /// The list.
        values: Vec<Key>,
    },
    /// Any of a list.
    MultiChoice {
        /// The list.
        values: Vec<Key>,
    },
    /// Free text.
    Text {
        /// Chars at most; 65,536 unless set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_chars: Option<usize>,
        /// A regular expression that the whole value must match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
    },
    /// A finite number.
    Number {
        /// At least.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        /// At most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
        /// Whole numbers only.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        whole: bool,
    },
    /// A point in time, RFC 3339.
    Instant,
    /// Yes or no.
    Boolean,
}

/// One custom field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldDef {
    /// Its key; conditions say `custom.<key>` for a ticket's.
    pub key: Key,
    /// What people read.
    pub name: String,
    /// What carries it.
    #[serde(default)]
    pub on: FieldOwner,
    /// Its type.
    pub kind: FieldType,
    /// Whether requesters see and may set it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
}

/// The value of a custom field. JSON's own types; the field's definition says
/// what they mean (an instant is a text in RFC 3339, in UTC to the second or finer).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum CustomValue {
    /// Of a boolean field.
    Boolean(bool),
    /// Of a number field; finite.
    Number(f64),
    /// Of a choice, text or instant field.
    Text(String),
    /// Of a multi-choice field; sorted, without doubles.
    List(Vec<String>),
}

/// Reads what comes: trying one variant after the other would copy the value first.
impl<'de> Deserialize<'de> for CustomValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OfAny;
        impl<'de> Visitor<'de> for OfAny {
            type Value = CustomValue;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("true or false, a number, a string or a list of strings")
            }

            fn visit_bool<E>(self, yes: bool) -> Result<CustomValue, E> {
                Ok(CustomValue::Boolean(yes))
            }

            fn visit_f64<E>(self, number: f64) -> Result<CustomValue, E> {
                Ok(CustomValue::Number(number))
            }

            #[allow(clippy::cast_precision_loss, reason = "JSON's numbers are those of floats")]
            fn visit_i64<E>(self, number: i64) -> Result<CustomValue, E> {
                Ok(CustomValue::Number(number as f64))
            }

            #[allow(clippy::cast_precision_loss, reason = "JSON's numbers are those of floats")]
            fn visit_u64<E>(self, number: u64) -> Result<CustomValue, E> {
                Ok(CustomValue::Number(number as f64))
            }

            fn visit_str<E>(self, text: &str) -> Result<CustomValue, E> {
                Ok(CustomValue::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<CustomValue, E> {
                Ok(CustomValue::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<CustomValue, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(CustomValue::List)
            }
        }
        from.deserialize_any(OfAny)
    }
}

/// The custom values of one thing, by field.
pub type CustomValues = BTreeMap<Key, CustomValue>;

impl FieldDef {
    /// Checks the definition itself.
    ///
    /// # Errors
    ///
    /// Faults with paths relative to the definition.
    pub fn check(&self) -> Vec<Fault> {
        match &self.kind {
            FieldType::Choice { values } | FieldType::MultiChoice { values }
                if values.is_empty() =>
            {
                vec![Fault::invalid("kind.values", "a choice needs at least one value")]
            }
            FieldType::Text { pattern: Some(pattern), .. } => match whole_match(pattern) {
                Ok(_) => Vec::new(),
                Err(error) => {
                    // The last line says what is wrong, those before show where.
                    let text = error.to_string();
                    let reason = text.lines().next_back().unwrap_or_default();
                    let reason = reason.trim_start_matches("error: ");
                    let message = format!("the pattern does not compile: {reason}");
                    vec![Fault::invalid("kind.pattern", message)]
                }
            },
            FieldType::Number { min: Some(min), max: Some(max), .. } if min > max => {
                vec![Fault::invalid("kind.min", "more than `max`")]
            }
            _ => Vec::new(),
        }
    }

    /// Chars of a value at most, for a text.
    #[must_use]
    pub fn chars_max(&self) -> Option<usize> {
        match self.kind {
            FieldType::Text { max_chars, .. } => Some(chars_max(max_chars)),
            FieldType::Choice { .. }
            | FieldType::MultiChoice { .. }
            | FieldType::Number { .. }
            | FieldType::Instant
            | FieldType::Boolean => None,
        }
    }

    /// Checks a value and puts it in its one form: sorted lists, instants in UTC.
    ///
    /// # Errors
    ///
    /// A [`Fault`] without a path that says what would be right.
    pub fn normalize(&self, value: CustomValue) -> Result<CustomValue, Fault> {
        match (&self.kind, value) {
            (FieldType::Choice { values }, CustomValue::Text(text)) => {
                one_of(values, &text)?;
                Ok(CustomValue::Text(text))
            }
            (FieldType::MultiChoice { values }, CustomValue::List(mut list)) => {
                for text in &list {
                    one_of(values, text)?;
                }
                list.sort();
                list.dedup();
                Ok(CustomValue::List(list))
            }
            (FieldType::Text { max_chars, pattern }, CustomValue::Text(text)) => {
                check_text(&text, *max_chars, pattern.as_deref())?;
                Ok(CustomValue::Text(text))
            }
            (FieldType::Number { min, max, whole }, CustomValue::Number(number)) => {
                check_number(number, *min, *max, *whole)?;
                Ok(CustomValue::Number(number))
            }
            (FieldType::Instant, CustomValue::Text(text)) => match parse_instant(&text) {
                Some(at) => Ok(CustomValue::Text(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))),
                None => Err(Fault::invalid(
                    "",
                    format!("`{text}` is not an instant like 2026-11-20T16:30:00Z"),
                )),
            },
            (FieldType::Boolean, CustomValue::Boolean(yes)) => Ok(CustomValue::Boolean(yes)),
            (kind, _) => {
                Err(Fault::invalid("", format!("field `{}` takes {}", self.key, kind.wants())))
            }
        }
    }
}

impl FieldType {
    fn wants(&self) -> &'static str {
        match self {
            Self::Choice { .. } => "one of its values, as a string",
            Self::MultiChoice { .. } => "a list of its values",
            Self::Text { .. } => "a string",
            Self::Number { .. } => "a number",
            Self::Instant => "an instant like 2026-11-20T16:30:00Z",
            Self::Boolean => "true or false",
        }
    }
}

/// An instant as a custom value holds it.
#[must_use]
pub fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

fn one_of(values: &[Key], text: &str) -> Result<(), Fault> {
    if values.iter().any(|v| v == text) {
        return Ok(());
    }
    let known: Vec<&str> = values.iter().map(Key::as_str).collect();
    Err(Fault::invalid("", format!("`{text}` is not one of {}", known.join(", "))))
}

fn chars_max(max_chars: Option<usize>) -> usize {
    max_chars.unwrap_or(CUSTOM_TEXT_CHARS_MAX).min(CUSTOM_TEXT_CHARS_MAX)
}

fn check_text(text: &str, max_chars: Option<usize>, pattern: Option<&str>) -> Result<(), Fault> {
    let max = chars_max(max_chars);
    let n = text.chars().count();
    if n > max {
        return Err(Fault::over_limit("", n, "chars", max));
    }
    match pattern.map(whole_match) {
        Some(Ok(regex)) if !regex.is_match(text) => {
            Err(Fault::invalid("", format!("does not match `{}`", pattern.unwrap_or_default())))
        }
        _ => Ok(()),
    }
}

fn check_number(number: f64, min: Option<f64>, max: Option<f64>, whole: bool) -> Result<(), Fault> {
    if !number.is_finite() {
        return Err(Fault::invalid("", "not a finite number"));
    }
    if whole && number.fract() != 0.0 {
        return Err(Fault::invalid("", format!("{number} is not a whole number")));
    }
    if min.is_some_and(|min| number < min) {
        return Err(Fault::invalid(
            "",
            format!("{number} is less than {}", min.unwrap_or_default()),
        ));
    }
    if max.is_some_and(|max| number > max) {
        return Err(Fault::invalid(
            "",
            format!("{number} is more than {}", max.unwrap_or_default()),
        ));
    }
    Ok(())
}

fn whole_match(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn a_value_of_each_kind_comes_back_and_others_are_refused() {
        for value in [json!(true), json!(-2.5), json!("a"), json!(""), json!([]), json!(["a", "b"])]
        {
            let read: CustomValue = from_value(value.clone()).unwrap();
            assert_eq!(to_value(&read).unwrap(), value);
        }
        for (whole, number) in
            [(json!(7), 7.0), (json!(-7), -7.0), (json!(u64::MAX), 1.8446744073709552e19)]
        {
            assert_eq!(from_value::<CustomValue>(whole).unwrap(), CustomValue::Number(number));
        }
        for other in [json!(null), json!({}), json!({"a": 1}), json!([1]), json!([["a"]])] {
            let error = from_value::<CustomValue>(other.clone()).unwrap_err().to_string();
            let wanted =
                ["expected true or false, a number, a string or a list", "expected a string"];
            assert!(wanted.iter().any(|it| error.contains(it)), "{other}: {error}");
        }
    }
}
