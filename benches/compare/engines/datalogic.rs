//! JSONLogic by datalogic-rs: each rule compiled, evaluated in one arena a ticket.

use super::say::{Tongue, quoted, say};
use super::{RuleEngine, Ticket, office};
use bumpalo::Bump;
use datalogic_rs::{DataValue, Engine, Logic, ParsedData};
use helpdesk::core::condition::words;
use helpdesk::core::id::Key;
use serde_json::{Value, json};

/// Words and tags are looked for as parts of one text, ` a b c `: going through an
/// array one by one costs more.
struct Say;

impl Tongue for Say {
    fn all(&self, of: &[String]) -> String {
        format!(r#"{{"and": [{}]}}"#, of.join(", "))
    }

    fn any(&self, of: &[String]) -> String {
        format!(r#"{{"or": [{}]}}"#, of.join(", "))
    }

    fn not(&self, of: &str) -> String {
        format!(r#"{{"!": [{of}]}}"#)
    }

    fn choice(&self, field: &str, values: &[&str]) -> String {
        match values {
            [value] => format!(r#"{{"===": [{{"var": "{field}"}}, "{value}"]}}"#),
            values => format!(r#"{{"in": [{{"var": "{field}"}}, [{}]]}}"#, quoted(values)),
        }
    }

    fn has_one(&self, set: &str, entries: &[&str]) -> String {
        let test = |entry: &&str| format!(r#"{{"in": [" {entry} ", {{"var": "{set}"}}]}}"#);
        let tests: Vec<String> = entries.iter().map(test).collect();
        match tests.as_slice() {
            [test] => test.clone(),
            tests => self.any(tests),
        }
    }

    fn between(&self, field: &str, low: i64, high: i64) -> String {
        format!(r#"{{"<=": [{low}, {{"var": "{field}"}}, {high}]}}"#)
    }

    fn open(&self) -> String {
        r#"{"var": "open"}"#.to_owned()
    }
}

pub(super) struct DataLogic {
    engine: Engine,
    rules: Vec<Logic>,
    arena: Bump,
    office: Key,
    kept: Vec<ParsedData>,
}

/// ` a b c `.
fn spaced<'a>(entries: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from(" ");
    for entry in entries {
        text += entry;
        text += " ";
    }
    text
}

impl DataLogic {
    pub(super) fn new(sources: &[Value]) -> Self {
        let engine = Engine::new();
        let compile =
            |source: &Value| engine.compile(say(source, &Say).as_str()).expect("compiles");
        let rules = sources.iter().map(compile).collect();
        Self { engine, rules, arena: Bump::new(), office: office(), kept: Vec::new() }
    }

    fn find<'a>(&'a self, data: &'a DataValue<'a>, arena: &'a Bump, found: &mut Vec<u32>) {
        for (rule, logic) in (0u32..).zip(&self.rules) {
            let value = self.engine.evaluate(logic, data, arena).expect("evaluates");
            if value.as_bool().expect("true or false") {
                found.push(rule);
            }
        }
    }
}

impl RuleEngine for DataLogic {
    fn all(&mut self, ticket: &Ticket, found: &mut Vec<u32>) {
        self.arena.reset();
        let arena = &self.arena;
        let text = DataValue::from_borrowed_str;
        let (folded, tags) = (ticket.folded(), spaced(ticket.tags.iter().map(String::as_str)));
        let words = spaced(words(&folded));
        let choices = ticket.choices();
        let mut fields = [("", DataValue::Null); 9];
        for (field, (name, value)) in fields.iter_mut().zip(choices) {
            *field = (name, text(value));
        }
        fields[5] = ("tags", text(&tags));
        fields[6] = ("words", text(&words));
        fields[7] = ("message_count", DataValue::from_i64(ticket.message_count));
        fields[8] = ("open", DataValue::bool(ticket.is_office_open(&self.office)));
        let data = DataValue::Object(&fields);
        self.find(&data, arena, found);
    }

    fn keep(&mut self, tickets: &[Ticket]) {
        let keep = |ticket: &Ticket| {
            let mut data = json!({
                "tags": spaced(ticket.tags.iter().map(String::as_str)),
                "words": spaced(words(&ticket.folded())),
                "message_count": ticket.message_count,
                "open": ticket.is_office_open(&self.office),
            });
            for (name, value) in ticket.choices() {
                data[name] = json!(value);
            }
            ParsedData::from_json(&data.to_string()).expect("JSON")
        };
        self.kept = tickets.iter().map(keep).collect();
    }

    fn all_kept(&mut self, at: usize, found: &mut Vec<u32>) {
        self.arena.reset();
        self.find(self.kept[at].value(), &self.arena, found);
    }
}
