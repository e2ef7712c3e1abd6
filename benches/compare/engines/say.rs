//! Says a rule in another language.

use serde_json::Value;

/// The signs of a language that puts them between what they join.
pub(super) struct Signs {
    pub(super) and: &'static str,
    pub(super) or: &'static str,
    pub(super) not: &'static str,
    pub(super) equals: &'static str,
}

/// What a rule is made of, in one language. Most say it with signs between, a set
/// looked up by `"one" in set`, and know no patterns.
pub(super) trait Tongue {
    fn signs(&self) -> Signs {
        Signs { and: "and", or: "or", not: "not ", equals: "==" }
    }

    fn all(&self, of: &[String]) -> String {
        joined(of, self.signs().and)
    }

    fn any(&self, of: &[String]) -> String {
        joined(of, self.signs().or)
    }

    fn not(&self, of: &str) -> String {
        format!("{}({of})", self.signs().not)
    }

    /// A field has one of these values.
    fn choice(&self, field: &str, values: &[&str]) -> String {
        match values {
            [value] => format!("{field} {} \"{value}\"", self.signs().equals),
            values => format!("{field} in [{}]", quoted(values)),
        }
    }

    /// A set of the ticket, `tags` or the `words` of subject and body, has one of these.
    fn has_one(&self, set: &str, entries: &[&str]) -> String {
        let test = |entry: &&str| format!("\"{entry}\" in {set}");
        self.any(&entries.iter().map(test).collect::<Vec<_>>())
    }

    /// A number lies between these, both included.
    fn between(&self, field: &str, low: i64, high: i64) -> String {
        self.all(&[format!("{field} >= {low}"), format!("{field} <= {high}")])
    }

    /// The pattern matches subject or body; `None` where the language knows none.
    fn pattern(&self, _pattern: &str) -> Option<String> {
        None
    }

    fn open(&self) -> String {
        "open".to_owned()
    }
}

fn joined(of: &[String], sign: &str) -> String {
    format!("({})", of.join(&format!(" {sign} ")))
}

/// The rule in a language that can say it.
pub(super) fn say(source: &Value, tongue: &dyn Tongue) -> String {
    if let Some(tests) = list(source, "all") {
        return tongue.all(&all_of(&tests, tongue));
    }
    if let Some(tests) = list(source, "any") {
        return tongue.any(&all_of(&tests, tongue));
    }
    if let Some(test) = source.get("not") {
        return tongue.not(&say(test, tongue));
    }
    let field = source["field"].as_str().expect("a field");
    let (operator, value) = source
        .as_object()
        .and_then(|leaf| leaf.iter().find(|(key, _)| *key != "field"))
        .expect("an operator");
    let entries: Vec<&str> = match value {
        Value::Array(entries) => entries.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    match (field, operator.as_str()) {
        ("text", "has_word") => tongue.has_one("words", &entries),
        ("text", "matches") => tongue.pattern(entries[0]).expect("it knows patterns"),
        ("tags", "has_any") => tongue.has_one("tags", &entries),
        ("now", "in_hours") => tongue.open(),
        ("now", "outside_hours") => tongue.not(&tongue.open()),
        (field, "between") => {
            let bound = |at: usize| value[at].as_i64().expect("a whole number");
            tongue.between(field, bound(0), bound(1))
        }
        (field, "is" | "in") => tongue.choice(field, &entries),
        other => panic!("no language says {other:?}"),
    }
}

fn list(source: &Value, name: &str) -> Option<Vec<Value>> {
    source.get(name).and_then(Value::as_array).cloned()
}

/// Cheapest first, which is best for engines that stop at the first that decides.
fn all_of(tests: &[Value], tongue: &dyn Tongue) -> Vec<String> {
    let mut tests: Vec<&Value> = tests.iter().collect();
    tests.sort_by_key(|test| cost(test));
    tests.into_iter().map(|test| say(test, tongue)).collect()
}

fn cost(test: &Value) -> u32 {
    let text = test.to_string();
    let costs = [("\"matches\"", 4), ("\"has_word\"", 3), ("\"has_any\"", 2), ("\"in\"", 1)];
    costs.iter().find(|(part, _)| text.contains(part)).map_or(0, |(_, cost)| *cost)
}

/// `"a", "b"`, in quotes of JSON; there is nothing to escape in a workload's names.
pub(super) fn quoted(entries: &[&str]) -> String {
    entries.iter().map(|entry| format!("\"{entry}\"")).collect::<Vec<_>>().join(", ")
}
