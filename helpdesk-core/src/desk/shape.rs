//! The shape of a document: its JSON Schema, and what does not fit it, all at
//! once, each with the spot and the remedy.

use super::document::Document;
use crate::calendar::{MOMENT_PATTERN, TIME_PATTERN};
use crate::condition::suggestion;
use crate::fault::{Code, Fault, join_path};
use crate::limit::{DOCUMENT_DEPTH_MAX, FAULTS_MAX};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{ValidationError, Validator};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The JSON Schema (draft 2020-12) of a configuration document.
///
/// ```
/// let schema = helpdesk_core::desk::config_schema();
/// assert!(schema["properties"]["rules"].is_object());
/// ```
#[must_use]
pub fn config_schema() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document>().to_value()
}

/// Checks shapes. Compiled once, used for many documents.
#[derive(Debug)]
pub(super) struct Shape {
    schema: Value,
    validator: Validator,
}

/// How deep alternatives inside alternatives are followed for one message.
const ALTERNATIVES_DEPTH_MAX: usize = 8;
/// Chars of a value that a message shows.
const SHOWN_CHARS_MAX: usize = 60;

impl Shape {
    /// Compiles the schema. Conditions are left open: their own parser says
    /// more about them than a schema can.
    pub(super) fn new() -> Result<Self, Fault> {
        let mut schema = config_schema();
        if let Some(condition) = schema.pointer_mut("/$defs/Condition") {
            *condition = json!(true);
        }
        match jsonschema::draft202012::new(&schema) {
            Ok(validator) => Ok(Self { schema, validator }),
            Err(error) => {
                let message = format!("the schema of configurations does not compile: {error}");
                Err(Fault::new("", Code::Internal, message))
            }
        }
    }

    /// What does not fit, in the order of the document's keys; [`FAULTS_MAX`] at
    /// most, and one.
    pub(super) fn faults(&self, document: &Value) -> Vec<Fault> {
        if is_deeper(document, DOCUMENT_DEPTH_MAX) {
            let message = format!("a configuration nests at most {DOCUMENT_DEPTH_MAX} deep");
            return vec![Fault::new("", Code::OverLimit, message)];
        }
        let mut faults = Vec::new();
        for error in self.validator.iter_errors(document) {
            self.explain(&error, ALTERNATIVES_DEPTH_MAX, &mut faults);
            if faults.len() > FAULTS_MAX {
                break;
            }
        }
        faults
    }

    fn explain(&self, error: &ValidationError<'_>, depth: usize, faults: &mut Vec<Fault>) {
        let path = path_of(error.instance_path());
        let found = shown(error.instance());
        let invalid = |message: String| Fault::invalid(path.clone(), message);
        let fault = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.properties_beside(error);
                faults.extend(unexpected.iter().map(|name| unknown_field(&path, name, &known)));
                return;
            }
            ValidationErrorKind::PropertyNames { error: inner } => {
                let name = inner.instance().as_str().unwrap_or_default();
                let known = words_of(inner).into_iter().flatten().collect::<Vec<_>>();
                unknown_field(&path, name, &known)
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let message = format!("`{name}` is missing: it must be given");
                Fault::new(join_path(&path, name), Code::RequiredField, message)
            }
            ValidationErrorKind::Type { kind } => {
                invalid(format!("takes {}; found {found}", type_names(kind)))
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                return self.explain_alternatives(error, context, depth, faults);
            }
            ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
                invalid(takes_one_of(&words_of(error).unwrap_or_default(), &found))
            }
            ValidationErrorKind::Pattern { pattern } => {
                let known = PATTERNS.iter().find(|(known, _)| pattern == known);
                let unknown = || format!("does not match `{pattern}`");
                let fault = known.map_or_else(unknown, |(_, words)| (*words).to_owned());
                invalid(format!("{found} {fault}"))
            }
            ValidationErrorKind::Minimum { limit } => {
                invalid(format!("takes at least {limit}; found {found}"))
            }
            ValidationErrorKind::Maximum { limit } => {
                invalid(format!("takes at most {limit}; found {found}"))
            }
            other => invalid(format!("{found} does not fit `{}`", other.keyword())),
        };
        faults.push(fault);
    }

    /// Says what is wrong with the alternative that was meant: the one whose
    /// `type` fits, else the one that got furthest.
    fn explain_alternatives(
        &self,
        error: &ValidationError<'_>,
        branches: &[Vec<ValidationError<'static>>],
        depth: usize,
        faults: &mut Vec<Fault>,
    ) {
        let at = error.instance_path();
        let words: Vec<String> = branches
            .iter()
            .filter_map(|branch| branch.iter().find(|e| e.instance_path() == at))
            .filter_map(words_of)
            .flatten()
            .collect();
        let meant: Vec<_> = branches.iter().filter(|branch| is_meant(branch, at)).collect();
        let found = shown(error.instance());
        let path = path_of(at);
        let tags = self.tags_of(branches, at);
        match (&meant[..], depth) {
            ([branch], 1..) => {
                branch.iter().for_each(|inner| self.explain(inner, depth - 1, faults));
            }
            ([], _) if !tags.is_empty() => faults.push(tag_fault(&path, error.instance(), &tags)),
            ([first, ..], 1..) if words.is_empty() => {
                // Several are possible: the one with the fewest faults.
                let best = meant.iter().min_by_key(|branch| branch.len()).unwrap_or(first);
                best.iter().for_each(|inner| self.explain(inner, depth - 1, faults));
            }
            _ => faults.push(Fault::invalid(path, self.takes(branches, at, &words, &found))),
        }
    }

    /// "takes one of `a`, `b`, or an object with `c`; found `d`".
    fn takes(
        &self,
        branches: &[Vec<ValidationError<'static>>],
        at: &Location,
        words: &[String],
        found: &str,
    ) -> String {
        let mut parts = Vec::new();
        if !words.is_empty() {
            parts.push(format!("one of {}", quoted(words)));
        }
        for error in branches.iter().flatten().filter(|e| e.instance_path() == at) {
            if let ValidationErrorKind::Type { kind } = error.kind() {
                let object = self.names_required_beside(error);
                let part = match object.is_empty() {
                    true => type_names(kind),
                    false => format!("an object with {}", quoted(&object)),
                };
                let said = part == "a string" && !words.is_empty();
                if part != "null" && !said && !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        if parts.is_empty() {
            return format!("{found} does not fit here");
        }
        format!("takes {}; found {found}", parts.join(", or "))
    }

    /// The words of the alternatives' tags, where they are told apart by `type`.
    fn tags_of(&self, branches: &[Vec<ValidationError<'static>>], at: &Location) -> Vec<String> {
        let tag = at.join("type");
        let mut tags = Vec::new();
        for error in branches.iter().flatten() {
            let word = match error.kind() {
                ValidationErrorKind::Constant { expected_value } => {
                    Some(&**expected_value).filter(|_| *error.instance_path() == tag)
                }
                _ if error.instance_path() == at => {
                    self.beside(error).and_then(|schema| schema.pointer("/properties/type/const"))
                }
                _ => None,
            };
            let word = word.and_then(Value::as_str).unwrap_or_default();
            if !word.is_empty() && !tags.iter().any(|tag| tag == word) {
                tags.push(word.to_owned());
            }
        }
        tags
    }

    /// The properties that the schema around the failed keyword knows.
    fn properties_beside(&self, error: &ValidationError<'_>) -> Vec<String> {
        let properties = self.beside(error).and_then(|schema| schema.get("properties"));
        let names = properties.and_then(Value::as_object).map(|map| map.keys().cloned().collect());
        names.unwrap_or_default()
    }

    fn names_required_beside(&self, error: &ValidationError<'_>) -> Vec<String> {
        let names = self.beside(error).and_then(|schema| schema.get("required"));
        let names = names.and_then(Value::as_array);
        names.into_iter().flatten().filter_map(|n| n.as_str().map(str::to_owned)).collect()
    }

    fn beside(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let (parent, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(parent)
    }
}

/// Patterns of texts, and what is wrong with one that does not match.
const PATTERNS: &[(&str, &str)] = &[
    // Of a [`Key`](crate::id::Key).
    ("^[a-z0-9_-]{1,64}$", "is not a key: take 1 to 64 of a-z 0-9 _ -"),
    (TIME_PATTERN, "is no time of day: take HH:MM or HH:MM:SS, 24:00 at most"),
    (
        MOMENT_PATTERN,
        "is no point in time: take 2026-12-24, 2026-12-24T12:00 or 2026-12-24T11:00:00Z",
    ),
];

fn unknown_field(path: &str, name: &str, known: &[String]) -> Fault {
    let near = suggestion(name, known.iter().map(String::as_str));
    let near = if known.is_empty() { "" } else { &near };
    let message = format!("there is no field `{}`{near}", clip(name));
    Fault::new(join_path(path, &clip(name)), Code::UnknownField, message)
}

/// Whether a branch failed neither at once, by its type or its one word, nor by its tag.
fn is_meant(branch: &[ValidationError<'static>], at: &Location) -> bool {
    let tag = at.join("type");
    !branch.iter().any(|error| match error.kind() {
        ValidationErrorKind::Type { .. } => error.instance_path() == at,
        ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. } => {
            error.instance_path() == at || *error.instance_path() == tag
        }
        ValidationErrorKind::Required { property } => {
            error.instance_path() == at && property == "type"
        }
        _ => false,
    })
}

/// What is wrong with the `type` that tells alternatives apart.
fn tag_fault(path: &str, instance: &Value, tags: &[String]) -> Fault {
    if !instance.is_object() {
        let message = format!(
            "takes an object whose `type` is one of {}; found {}",
            quoted(tags),
            shown(instance)
        );
        return Fault::invalid(path, message);
    }
    let path = join_path(path, "type");
    match instance.get("type") {
        Some(tag) => Fault::invalid(path, takes_one_of(tags, &shown(tag))),
        None => {
            let message = format!("`type` is missing: it is one of {}", quoted(tags));
            Fault::new(path, Code::RequiredField, message)
        }
    }
}

/// The words that a failed `enum` or `const` would take.
fn words_of(error: &ValidationError<'_>) -> Option<Vec<String>> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match error.kind() {
        ValidationErrorKind::Enum { options } => {
            Some(options.as_array()?.iter().map(word).collect())
        }
        ValidationErrorKind::Constant { expected_value } => Some(vec![word(expected_value)]),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            Some(context.iter().flatten().filter_map(words_of).flatten().collect())
        }
        _ => None,
    }
}

fn takes_one_of(words: &[String], found: &str) -> String {
    format!("takes one of {}; found {found}", quoted(words))
}

fn quoted(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

fn type_names(kind: &TypeKind) -> String {
    let name = |kind: &str| match kind {
        "null" => "null",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a string",
        "array" => "a list",
        _ => "an object",
    };
    match kind {
        TypeKind::Single(kind) => name(kind.as_str()).to_owned(),
        TypeKind::Multiple(kinds) => {
            let names: Vec<&str> = kinds.iter().map(|kind| name(kind.as_str())).collect();
            names.join(" or ")
        }
    }
}

/// A value in a message: short ones whole, others by their kind.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{}`", clip(&value.to_string())),
        Value::String(text) => format!("`{}`", clip(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// `/rules/3/then` as `rules[3].then`.
fn path_of(location: &Location) -> String {
    location.iter().fold(String::new(), |path, segment| match segment {
        LocationSegment::Property(name) => join_path(&path, &clip(&name)),
        LocationSegment::Index(index) => format!("{path}[{index}]"),
    })
}

fn is_deeper(value: &Value, depth_max: usize) -> bool {
    match value {
        Value::Array(list) if depth_max == 0 => !list.is_empty(),
        Value::Object(map) if depth_max == 0 => !map.is_empty(),
        Value::Array(list) => list.iter().any(|entry| is_deeper(entry, depth_max - 1)),
        Value::Object(map) => map.values().any(|entry| is_deeper(entry, depth_max - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
