//! Conditions on tickets. A case is one condition on one ticket, walked by itself
//! and found among all by their rule set.

use super::Tally;
use chrono::{DateTime, Utc};
use helpdesk_core::condition::{Condition, CustomKind, FactMap, RuleSet, Schema, Scratch};
use helpdesk_core::fault::Fault;
use helpdesk_core::id::Key;
use serde_json::Value;
use std::collections::BTreeSet;

/// Evaluates every condition on every ticket and compares with `expect`: for
/// each condition the indexes of the tickets on which it holds.
pub(super) fn check(file: &Value) -> Result<Tally, String> {
    let now = file["now"].as_str().ok_or("`now` is missing")?;
    let now: DateTime<Utc> = now.parse().map_err(|error| format!("`now`: {error}"))?;
    let conditions = list(file, "conditions")?;
    let schema = schema(file, conditions)?;
    let tickets = list(file, "tickets")?;
    let mut facts = Vec::new();
    for (i, ticket) in tickets.iter().enumerate() {
        let read = FactMap::from_json(ticket, now, &schema);
        facts.push(read.map_err(|faults| format!("tickets[{i}]: {}", in_words(&faults)))?);
    }
    let expect = list(file, "expect")?;
    if expect.len() != conditions.len() {
        return Err("`expect` and `conditions` are not of one length".to_owned());
    }
    let found = found_by_rule_set(conditions, &schema, &facts);
    let mut tally = Tally::default();
    for (i, source) in conditions.iter().enumerate() {
        let expected = indexes(&expect[i], facts.len())
            .ok_or_else(|| format!("expect[{i}] is not a list of indexes of tickets"))?;
        let condition = Condition::parse(source, &schema).map_err(|faults| in_words(&faults));
        for (at, facts) in facts.iter().enumerate() {
            let expected = expected.contains(&at);
            let got = condition.as_ref().map(|condition| condition.holds(facts));
            if got == Ok(expected) && found[at].contains(&i) == expected {
                tally.n_passed += 1;
                continue;
            }
            tally.n_failed += 1;
            let got = got.map_or_else(|faults| format!("a fault: {faults}"), |got| got.to_string());
            println!("FAILED conditions[{i}] on tickets[{at}]");
            println!("  condition {source}\n  ticket    {}", tickets[at]);
            let by_set = found[at].contains(&i);
            println!("  expected  {expected}\n  got       {got}, by the rule set {by_set}");
        }
    }
    Ok(tally)
}

/// For each ticket the conditions that hold on it, all asked at once.
fn found_by_rule_set(
    conditions: &[Value],
    schema: &Schema,
    facts: &[FactMap],
) -> Vec<BTreeSet<usize>> {
    let parsed = conditions.iter().enumerate();
    let parsed = parsed.filter_map(|(i, source)| Some((i, Condition::parse(source, schema).ok()?)));
    let (places, parsed): (Vec<usize>, Vec<Condition>) = parsed.unzip();
    let rules = RuleSet::new(&parsed);
    let mut scratch = Scratch::default();
    let find = |facts: &FactMap| {
        let found = rules.all(facts, &mut scratch).iter();
        found.map(|rule| places[*rule as usize]).collect()
    };
    facts.iter().map(find).collect()
}

fn list<'a>(file: &'a Value, name: &str) -> Result<&'a [Value], String> {
    file[name].as_array().map(Vec::as_slice).ok_or_else(|| format!("`{name}` is not a list"))
}

fn indexes(list: &Value, n_tickets: usize) -> Option<BTreeSet<usize>> {
    let read = |index: &Value| usize::try_from(index.as_u64()?).ok().filter(|at| *at < n_tickets);
    list.as_array()?.iter().map(read).collect()
}

fn in_words(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

/// The declared custom fields; keys that occur in the conditions exist.
fn schema(file: &Value, conditions: &[Value]) -> Result<Schema, String> {
    let mut schema = Schema::default();
    let none = serde_json::Map::new();
    for (name, kind) in file["fields"].as_object().unwrap_or(&none) {
        let key = name.strip_prefix("custom.").unwrap_or(name);
        let key = Key::new(key).map_err(|fault| format!("fields: {fault}"))?;
        let mut kind: CustomKind = serde_json::from_value(kind.clone())
            .map_err(|error| format!("fields.{name}: {error}"))?;
        if let CustomKind::Choice { values } | CustomKind::MultiChoice { values } = &mut kind {
            for condition in conditions {
                add_keys(condition, name, values);
            }
        }
        schema = schema.with_custom(key, kind);
    }
    Ok(schema)
}

/// Adds the keys with which the condition compares the field.
fn add_keys(condition: &Value, field: &str, keys: &mut BTreeSet<String>) {
    let Some(object) = condition.as_object() else { return };
    let is_leaf = object.contains_key("field");
    if is_leaf && object.get("field").and_then(Value::as_str) != Some(field) {
        return;
    }
    for inner in object.iter().filter(|(name, _)| *name != "field").map(|(_, inner)| inner) {
        let several = inner.as_array().map_or(std::slice::from_ref(inner), Vec::as_slice);
        for inner in several {
            match inner.as_str() {
                Some(key) if is_leaf => {
                    keys.insert(key.to_owned());
                }
                _ => add_keys(inner, field, keys),
            }
        }
    }
}
