//! Texts to values: TOML, YAML and JSON, all read as the same JSON.
//!
//! A key that stands twice, a number that is not finite and nesting over
//! [`DOCUMENT_DEPTH_MAX`] are faults in each of them. Nothing here looks at
//! what the values mean.

use crate::fault::Fault;
use crate::limit::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Reads a configuration written in TOML.
///
/// ```
/// use helpdesk_core::desk::from_toml;
/// assert_eq!(from_toml("name = 'Desk'")?["name"], "Desk");
/// let message = from_toml("name = 'Desk'\nrules = [").err().map(|fault| fault.message);
/// assert!(message.is_some_and(|text| text.starts_with("not TOML: line 2, column")));
/// # Ok::<(), helpdesk_core::fault::Fault>(())
/// ```
///
/// # Errors
///
/// One fault with line and column when the text is not TOML.
pub fn from_toml(text: &str) -> Result<Value, Fault> {
    check_length(text)?;
    let read: Result<Strict, toml::de::Error> = toml::from_str(text);
    read.map(|strict| strict.value).map_err(|error| {
        let at = error.span().map(|span| line_and_column(text, span.start));
        syntax_fault("TOML", at, error.message())
    })
}

/// Reads a configuration written in YAML 1.2: only `true` and `false` are
/// booleans, so that `on` and `no` are words. Merge keys are refused, and what
/// aliases may repeat is bounded.
///
/// # Errors
///
/// One fault with line and column when the text is not YAML.
pub fn from_yaml(text: &str) -> Result<Value, Fault> {
    check_length(text)?;
    if text.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DOCUMENT_DEPTH_MAX,
            flow_nesting_limit: DOCUMENT_DEPTH_MAX,
            max_documents: 1,
            max_events: YAML_EVENTS_MAX,
            max_nodes: YAML_EVENTS_MAX,
            max_aliases: YAML_ALIASES_MAX,
            max_anchors: YAML_ALIASES_MAX,
        },
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    let read: Result<Strict, _> = serde_saphyr::from_str_with_options(text, options);
    read.map(|strict| strict.value).map_err(|error| {
        let at = error.location().map(|at| (at.line(), at.column()));
        syntax_fault("YAML", at, &error.without_snippet().to_string())
    })
}

/// Reads a configuration written in JSON.
///
/// # Errors
///
/// One fault with line and column when the text is not JSON.
pub fn from_json(text: &str) -> Result<Value, Fault> {
    check_length(text)?;
    let read: Result<Strict, serde_json::Error> = serde_json::from_str(text);
    read.map(|strict| strict.value).map_err(|error| {
        let at = (error.line() as u64, error.column() as u64);
        syntax_fault("JSON", Some(at), &error.to_string())
    })
}

/// Events and nodes of a YAML text, the repeated ones counted in.
const YAML_EVENTS_MAX: usize = 20_000_000;
/// Anchors and aliases of a YAML text, each.
const YAML_ALIASES_MAX: usize = 10_000;
/// Chars of a parser's message that a fault keeps.
const MESSAGE_CHARS_MAX: usize = 200;

fn check_length(text: &str) -> Result<(), Fault> {
    if text.len() <= DOCUMENT_BYTES_MAX {
        return Ok(());
    }
    let message = format!("{} bytes, at most {DOCUMENT_BYTES_MAX}", text.len());
    Err(Fault::new("", crate::fault::Code::OverLimit, message))
}

/// The parser's first line, without the source that some of them quote and
/// without advice for programmers.
fn syntax_fault(format: &str, at: Option<(u64, u64)>, message: &str) -> Fault {
    let first = message.lines().next().unwrap_or_default();
    let first = first.split(" at line ").next().unwrap_or_default();
    let first = first.split(", set ").next().unwrap_or_default();
    let short: String = first.chars().take(MESSAGE_CHARS_MAX).collect();
    Fault::invalid(
        "",
        match at {
            Some((line, column)) => format!("not {format}: line {line}, column {column}: {short}"),
            None => format!("not {format}: {short}"),
        },
    )
}

/// Both from 1, the column in chars.
fn line_and_column(text: &str, at: usize) -> (u64, u64) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line as u64, column as u64)
}

/// A value whose maps have each key once.
struct Strict {
    value: Value,
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(|value| Self { value })
    }
}

struct StrictVisitor;

/// How the `toml` crate hands over a date or time.
const TOML_DATETIME: &str = "$__toml_private_datetime";

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Value, E> {
        Ok(Value::Bool(boolean))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("not a finite number"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element::<Strict>()? {
            list.push(entry.value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let entry: Strict = entries.next_value()?;
            if key == TOML_DATETIME {
                return Ok(entry.value);
            }
            if map.contains_key(&key) {
                let shown: String = key.chars().take(60).collect();
                return Err(A::Error::custom(format!("`{shown}` stands twice in one place")));
            }
            map.insert(key, entry.value);
        }
        Ok(Value::Object(map))
    }
}
