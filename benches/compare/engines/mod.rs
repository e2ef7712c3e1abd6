//! Engines of rules, behind one trait: which rules hold on a ticket.
//!
//! Each gets the same rules, written in its own language, and of each ticket what
//! that language can look at: fields as they are, the folded words of its texts,
//! and whether the office is open. Each is used as its documentation recommends
//! for speed: rules compiled once, memory used again where it offers that, the
//! tests of a rule cheapest first for those that go by the order they are given.

mod a_tree;
mod cel;
mod datalogic;
mod ours;
mod say;
mod zen;

use chrono::{DateTime, Utc};
use helpdesk::core::condition::{Calendars, Condition, FoldOptions, fold};
use helpdesk::core::id::Key;
use serde_json::Value;

/// A ticket as a host has it.
pub struct Ticket {
    pub now: DateTime<Utc>,
    pub channel: String,
    pub priority: String,
    pub language: String,
    pub brand: String,
    pub mailbox: String,
    pub tags: Vec<String>,
    pub message_count: i64,
    pub subject: String,
    pub body: String,
    pub calendars: Calendars,
}

impl Ticket {
    /// Of facts by the name of their field; all of them are set.
    pub fn new(facts: &Value, now: DateTime<Utc>, calendars: &Calendars) -> Self {
        let text = |name: &str| facts[name].as_str().expect("a string").to_owned();
        let tags = facts["tags"].as_array().expect("a list").iter();
        Self {
            now,
            channel: text("channel"),
            priority: text("priority"),
            language: text("language"),
            brand: text("brand"),
            mailbox: text("mailbox"),
            tags: tags.map(|tag| tag.as_str().expect("a string").to_owned()).collect(),
            message_count: facts["message_count"].as_i64().expect("a number"),
            subject: text("subject"),
            body: text("body"),
            calendars: calendars.clone(),
        }
    }

    /// Fields of one value, by name.
    fn choices(&self) -> [(&'static str, &str); 5] {
        [
            ("channel", &self.channel),
            ("priority", &self.priority),
            ("language", &self.language),
            ("brand", &self.brand),
            ("mailbox", &self.mailbox),
        ]
    }

    /// Subject and body, folded.
    fn folded(&self) -> String {
        let options = FoldOptions::default();
        fold(&self.subject, options) + "\n" + &fold(&self.body, options)
    }

    fn is_office_open(&self, office: &Key) -> bool {
        let calendar = self.calendars.get(office).expect("the office");
        calendar.is_open(self.now).expect("in range")
    }
}

fn office() -> Key {
    Key::new("office").expect("a key")
}

/// Finds the rules that hold, by their place among those it was given.
pub trait RuleEngine {
    /// Builds what the engine looks at, and finds the rules in it, in any order.
    fn all(&mut self, ticket: &Ticket, found: &mut Vec<u32>);
    /// Builds what the engine looks at for each of these tickets, to be asked later.
    fn keep(&mut self, tickets: &[Ticket]);
    /// Finds the rules in one of the tickets that were kept.
    fn all_kept(&mut self, at: usize, found: &mut Vec<u32>);
}

/// An engine by name, with its rules.
pub type Named = (&'static str, Box<dyn RuleEngine>);

/// Whether all engines can say the rule: only some know patterns.
pub fn has_pattern(source: &Value) -> bool {
    source.to_string().contains("\"matches\"")
}

/// The engines that can say these rules: those without patterns only when no rule
/// has one.
pub fn all(sources: &[Value], conditions: &[Condition]) -> Vec<Named> {
    let mut engines: Vec<Named> = vec![
        ("helpdesk", Box::new(ours::Indexed::new(conditions))),
        ("walk", Box::new(ours::Walk::new(conditions))),
        ("cel", Box::new(cel::Cel::new(sources))),
        ("zen-expression", Box::new(zen::Zen::new(sources))),
    ];
    if !sources.iter().any(has_pattern) {
        engines.push(("a-tree", Box::new(a_tree::Tree::new(sources))));
        engines.push(("datalogic-rs", Box::new(datalogic::DataLogic::new(sources))));
    }
    engines
}
