//! Conditions as a desk writes them.

mod evidence;
mod laws;
mod meaning;
mod parsing;
mod words;

use super::{Condition, CustomKind, FactMap, Schema};
use crate::id::Key;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// A desk with one custom field of each kind.
fn schema() -> Schema {
    let values = || ["core", "mobile", "api"].into_iter().map(str::to_owned).collect();
    let custom = [
        ("product", CustomKind::Choice { values: values() }),
        ("parts", CustomKind::MultiChoice { values: values() }),
        ("note", CustomKind::Text),
        ("seats", CustomKind::Number),
        ("renewal", CustomKind::Instant),
        ("paid", CustomKind::Boolean),
    ];
    let schema = Schema::default().with_values(super::Field::Skills, ["sql", "german"]);
    custom
        .into_iter()
        .fold(schema, |schema, (key, kind)| schema.with_custom(Key::new(key).unwrap(), kind))
}

fn parse(source: &Value) -> Condition {
    Condition::parse(source, &schema()).unwrap_or_else(|faults| panic!("{source}: {faults:?}"))
}

fn facts(facts: &Value) -> FactMap {
    FactMap::from_json(facts, now(), &schema()).unwrap()
}

/// One leaf on a ticket that has one fact.
fn leaf_holds(field: &str, operator: &str, value: &Value, fact: &Value) -> bool {
    let given = if fact.is_null() { json!({}) } else { json!({field: fact}) };
    parse(&json!({"field": field, operator: value})).holds(&facts(&given))
}
