//! A condition as it stands in configuration documents and queries.

use super::ast::Condition;
use super::clock::ClockState;
use super::field::{Field, FieldKind};
use super::schema::Schema;
use crate::fault::Fault;
use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A condition as it was written, not yet checked. The default is `"always"`,
/// as an `all` of nothing holds.
///
/// ```
/// use helpdesk_core::condition::{Condition, ConditionSource, Schema};
/// let source = ConditionSource::default();
/// assert_eq!(source.parse(&Schema::default()), Ok(Condition::Always));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConditionSource(pub Value);

impl ConditionSource {
    /// Checks the condition.
    ///
    /// # Errors
    ///
    /// As [`Condition::parse`].
    pub fn parse(&self, schema: &Schema) -> Result<Condition, Vec<Fault>> {
        Condition::parse(&self.0, schema)
    }
}

impl Default for ConditionSource {
    fn default() -> Self {
        Self(json!("always"))
    }
}

impl From<&Condition> for ConditionSource {
    fn from(condition: &Condition) -> Self {
        Self(condition.to_json())
    }
}

impl JsonSchema for ConditionSource {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> schemars::Schema {
        let condition = generator.subschema_for::<Self>();
        let mut properties = operator_schemas();
        properties.insert("field".to_owned(), generator.subschema_for::<Field>().to_value());
        let group = |name: &str, inner: Value| {
            json!({
                "type": "object",
                "properties": {name: inner},
                "required": [name],
                "additionalProperties": false,
            })
        };
        let list = json!({"type": "array", "items": condition.clone()});
        json_schema!({
            "description": "A test on a ticket.",
            "anyOf": [
                {"type": "string", "enum": ["always", "never"]},
                group("all", list.clone()),
                group("any", list),
                group("not", condition.to_value()),
                {
                    "description": "One field and exactly one operator that fits its kind.",
                    "type": "object",
                    "properties": properties,
                    "required": ["field"],
                    "minProperties": 2,
                    "maxProperties": 2,
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// Every operator; which one fits a field, and which values, is for the parser to say.
fn operator_schemas() -> Map<String, Value> {
    let kinds = [
        FieldKind::Choice,
        FieldKind::Set,
        FieldKind::Text,
        FieldKind::Number,
        FieldKind::Instant,
        FieldKind::Boolean,
        FieldKind::Hours,
        FieldKind::Clock,
    ];
    let operators = kinds.into_iter().flat_map(|kind| Field::SnoozedUntil.operators(kind));
    operators.map(|operator| (operator.to_owned(), value_schema(operator))).collect()
}

fn value_schema(operator: &str) -> Value {
    match operator {
        "set" | "unset" => json!({"type": "boolean"}),
        "is" | "is_not" => json!({"type": ["string", "number", "boolean"]}),
        "in" | "not_in" => json!({"type": "array", "items": {"type": ["string", "number"]}}),
        "lt" | "le" | "gt" | "ge" => json!({"type": "number"}),
        "between" => {
            json!({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2})
        }
        "before" | "after" => json!({"type": "string", "format": "date-time"}),
        "within_next" => length_schema(),
        "older_than" | "newer_than" => json!({"anyOf": [
            length_schema(),
            {
                "type": "object",
                "properties": {"seconds": length_schema(), "calendar": key_schema()},
                "required": ["seconds", "calendar"],
                "additionalProperties": false,
            },
        ]}),
        "in_hours" | "outside_hours" => key_schema(),
        "state" => json!({"type": "string", "enum": ClockState::ALL}),
        "breached" => json!({"type": "boolean"}),
        "left_lt" => json!({"type": "integer"}),
        "used_ge" => json!({"type": "number", "minimum": 0}),
        "contains" | "starts_with" | "ends_with" | "matches" => {
            json!({"type": "string", "minLength": 1})
        }
        _ => json!({"type": "array", "items": {"type": "string"}}),
    }
}

fn length_schema() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn key_schema() -> Value {
    json!({"type": "string", "pattern": "^[a-z0-9_-]{1,64}$"})
}
