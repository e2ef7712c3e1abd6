//! Conditions as a desk writes them.

mod evidence;
mod hours;
mod large_sets;
mod laws;
mod meaning;
mod parsing;
mod words;

use super::{Calendars, Condition, CustomKind, FactMap, Schema};
use crate::calendar::BundledZones;
use crate::id::Key;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// One calendar, `office`: Monday to Friday, nine to five UTC.
fn calendars() -> Calendars {
    let nine_to_five = json!([["09:00", "17:00"]]);
    let days = ["mon", "tue", "wed", "thu", "fri"];
    let weekly: serde_json::Map<String, Value> =
        days.into_iter().map(|day| (day.to_owned(), nine_to_five.clone())).collect();
    let def = serde_json::from_value(json!({"weekly": weekly})).unwrap();
    let mut calendars = Calendars::default();
    calendars.add(Key::new("office").unwrap(), &def, &BundledZones::new()).unwrap();
    calendars
}

/// A desk with one custom field of each kind, one calendar and two metrics.
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
    let keys = |keys: [&str; 2]| keys.map(|key| Key::new(key).unwrap());
    let schema = Schema::default()
        .with_values(super::Field::Skills, ["sql", "german"])
        .with_calendars(keys(["office", "support"]))
        .with_metrics(keys(["first_reply", "resolution"]));
    custom
        .into_iter()
        .fold(schema, |schema, (key, kind)| schema.with_custom(Key::new(key).unwrap(), kind))
}

fn parse(source: &Value) -> Condition {
    Condition::parse(source, &schema()).unwrap_or_else(|faults| panic!("{source}: {faults:?}"))
}

fn facts(facts: &Value) -> FactMap {
    FactMap::from_json(facts, now(), &schema()).unwrap().with_calendars(calendars())
}

/// One leaf on a ticket that has one fact.
fn leaf_holds(field: &str, operator: &str, value: &Value, fact: &Value) -> bool {
    let given = if fact.is_null() { json!({}) } else { json!({field: fact}) };
    parse(&json!({"field": field, operator: value})).holds(&facts(&given))
}
