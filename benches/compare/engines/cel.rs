//! CEL: each rule a program, executed one by one in one context.

use super::say::{Signs, Tongue, say};
use super::{RuleEngine, Ticket, office};
use cel::{Context, Env, Program, Value as CelValue};
use helpdesk::core::condition::words;
use helpdesk::core::id::Key;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Lists are looked up as maps: `in` goes through a list one by one.
struct Say;

impl Tongue for Say {
    fn signs(&self) -> Signs {
        Signs { and: "&&", or: "||", not: "!", equals: "==" }
    }

    fn pattern(&self, pattern: &str) -> Option<String> {
        Some(format!("(subject.matches(r\"{pattern}\") || body.matches(r\"{pattern}\"))"))
    }
}

pub(super) struct Cel {
    programs: Vec<Program>,
    env: Arc<Env>,
    office: Key,
    kept: Vec<Context<'static, 'static>>,
}

impl Cel {
    pub(super) fn new(sources: &[Value]) -> Self {
        let env = Arc::new(Env::stdlib());
        let compile = |source: &Value| env.compile(&say(source, &Say)).expect("compiles");
        let programs = sources.iter().map(compile).collect();
        Self { programs, env, office: office(), kept: Vec::new() }
    }

    fn context(&self, ticket: &Ticket) -> Context<'static, 'static> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        for (name, value) in ticket.choices() {
            context.add_variable_from_value(name, value);
        }
        let folded = ticket.folded();
        let tags: HashMap<&str, bool> = ticket.tags.iter().map(|tag| (&**tag, true)).collect();
        let words: HashMap<&str, bool> = words(&folded).map(|word| (word, true)).collect();
        context.add_variable_from_value("tags", tags);
        context.add_variable_from_value("words", words);
        context.add_variable_from_value("message_count", ticket.message_count);
        context.add_variable_from_value("open", ticket.is_office_open(&self.office));
        context.add_variable_from_value("subject", &*ticket.subject);
        context.add_variable_from_value("body", &*ticket.body);
        context
    }

    fn find(&self, context: &Context<'_, '_>, found: &mut Vec<u32>) {
        for (rule, program) in (0u32..).zip(&self.programs) {
            match program.execute(context) {
                Ok(CelValue::Bool(true)) => found.push(rule),
                Ok(CelValue::Bool(false)) => {}
                other => panic!("rule {rule} gives {other:?}"),
            }
        }
    }
}

impl RuleEngine for Cel {
    fn all(&mut self, ticket: &Ticket, found: &mut Vec<u32>) {
        self.find(&self.context(ticket), found);
    }

    fn keep(&mut self, tickets: &[Ticket]) {
        self.kept = tickets.iter().map(|ticket| self.context(ticket)).collect();
    }

    fn all_kept(&mut self, at: usize, found: &mut Vec<u32>) {
        self.find(&self.kept[at], found);
    }
}
