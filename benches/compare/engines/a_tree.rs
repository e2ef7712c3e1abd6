//! A-tree: an index over boolean expressions, found by one search a ticket.

use super::say::{Signs, Tongue, quoted, say};
use super::{RuleEngine, Ticket, office};
use a_tree::{ATree, AttributeDefinition, Event};
use helpdesk::core::condition::words;
use helpdesk::core::id::Key;
use serde_json::Value;

struct Say;

impl Tongue for Say {
    fn signs(&self) -> Signs {
        Signs { and: "and", or: "or", not: "not ", equals: "=" }
    }

    fn has_one(&self, set: &str, entries: &[&str]) -> String {
        format!("{set} one of [{}]", quoted(entries))
    }
}

pub(super) struct Tree {
    tree: ATree<u32>,
    office: Key,
    kept: Vec<Event>,
}

impl Tree {
    pub(super) fn new(sources: &[Value]) -> Self {
        let strings = ["channel", "priority", "language", "brand", "mailbox"];
        let mut attributes: Vec<AttributeDefinition> =
            strings.iter().map(|name| AttributeDefinition::string(name)).collect();
        attributes.push(AttributeDefinition::string_list("tags"));
        attributes.push(AttributeDefinition::string_list("words"));
        attributes.push(AttributeDefinition::integer("message_count"));
        attributes.push(AttributeDefinition::boolean("open"));
        let mut tree = ATree::new(&attributes).expect("distinct names");
        for (rule, source) in (0u32..).zip(sources) {
            let expression = say(source, &Say);
            if let Err(error) = tree.insert(&rule, &expression) {
                panic!("`{expression}`: {error}");
            }
        }
        Self { tree, office: office(), kept: Vec::new() }
    }

    fn event(&self, ticket: &Ticket) -> Event {
        let mut event = self.tree.make_event();
        for (name, value) in ticket.choices() {
            event.with_string(name, value).expect("known");
        }
        let tags: Vec<&str> = ticket.tags.iter().map(String::as_str).collect();
        event.with_string_list("tags", &tags).expect("known");
        let folded = ticket.folded();
        event.with_string_list("words", &words(&folded).collect::<Vec<_>>()).expect("known");
        event.with_integer("message_count", ticket.message_count).expect("known");
        event.with_boolean("open", ticket.is_office_open(&self.office)).expect("known");
        event.build().expect("complete")
    }

    fn find(&self, event: &Event, found: &mut Vec<u32>) {
        let report = self.tree.search(event).expect("fits");
        found.extend(report.matches().iter().copied());
    }
}

impl RuleEngine for Tree {
    fn all(&mut self, ticket: &Ticket, found: &mut Vec<u32>) {
        self.find(&self.event(ticket), found);
    }

    fn keep(&mut self, tickets: &[Ticket]) {
        self.kept = tickets.iter().map(|ticket| self.event(ticket)).collect();
    }

    fn all_kept(&mut self, at: usize, found: &mut Vec<u32>) {
        self.find(&self.kept[at], found);
    }
}
