//! Zen: each rule an expression compiled to byte code, run on one machine.

use super::say::{Tongue, say};
use super::{RuleEngine, Ticket, office};
use helpdesk::core::condition::words;
use helpdesk::core::id::Key;
use serde_json::Value;
use zen_expression::expression::Standard;
use zen_expression::variable::{Symbol, VariableMap};
use zen_expression::vm::VM;
use zen_expression::{Expression, Isolate, Scope, Variable};

/// Lists are looked up as objects: `in` goes through an array one by one.
struct Say;

impl Tongue for Say {
    fn pattern(&self, pattern: &str) -> Option<String> {
        Some(format!("(matches(subject, \"{pattern}\") or matches(body, \"{pattern}\"))"))
    }
}

pub(super) struct Zen {
    expressions: Vec<Expression<Standard>>,
    vm: VM,
    office: Key,
    kept: Vec<Scope>,
}

impl Zen {
    pub(super) fn new(sources: &[Value]) -> Self {
        let mut isolate = Isolate::new();
        let mut compile = |source: &Value| {
            let expression = say(source, &Say);
            match isolate.compile_standard(&expression) {
                Ok(compiled) => compiled,
                Err(error) => panic!("`{expression}`: {error}"),
            }
        };
        let expressions = sources.iter().map(&mut compile).collect();
        Self { expressions, vm: VM::new(), office: office(), kept: Vec::new() }
    }

    fn scope(&self, ticket: &Ticket) -> Scope {
        let string = |text: &str| Variable::String(Symbol::from(text));
        let mut fields = VariableMap::with_capacity(12);
        let mut add = |name: &str, value: Variable| {
            fields.insert(Symbol::from(name), value);
        };
        for (name, value) in ticket.choices() {
            add(name, string(value));
        }
        let folded = ticket.folded();
        add("tags", set(ticket.tags.iter().map(String::as_str)));
        add("words", set(words(&folded)));
        add("message_count", Variable::Number(ticket.message_count.into()));
        add("open", Variable::Bool(ticket.is_office_open(&self.office)));
        add("subject", string(&ticket.subject));
        add("body", string(&ticket.body));
        Scope::new(Variable::from_object(fields))
    }

    fn find(
        expressions: &[Expression<Standard>],
        vm: &mut VM,
        scope: &Scope,
        found: &mut Vec<u32>,
    ) {
        for (rule, expression) in (0u32..).zip(expressions) {
            match expression.evaluate_with_scope(scope, vm) {
                Ok(Variable::Bool(true)) => found.push(rule),
                Ok(Variable::Bool(false)) => {}
                other => panic!("rule {rule} gives {other:?}"),
            }
        }
    }
}

fn set<'a>(entries: impl Iterator<Item = &'a str>) -> Variable {
    let mut map = VariableMap::new();
    for entry in entries {
        map.insert(Symbol::from(entry), Variable::Bool(true));
    }
    Variable::from_object(map)
}

impl RuleEngine for Zen {
    fn all(&mut self, ticket: &Ticket, found: &mut Vec<u32>) {
        let scope = self.scope(ticket);
        Self::find(&self.expressions, &mut self.vm, &scope, found);
    }

    fn keep(&mut self, tickets: &[Ticket]) {
        self.kept = tickets.iter().map(|ticket| self.scope(ticket)).collect();
    }

    fn all_kept(&mut self, at: usize, found: &mut Vec<u32>) {
        Self::find(&self.expressions, &mut self.vm, &self.kept[at], found);
    }
}
