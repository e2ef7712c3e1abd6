//! The project's own: the rule set, and the plain walk.

use super::{RuleEngine, Ticket};
use chrono::{DateTime, Utc};
use helpdesk::core::calendar::Calendar;
use helpdesk::core::condition::{
    ClockFact, Condition, FactSet, FactValue, Facts, Field, FoldOptions, RuleSet, Scratch, TextFact,
};
use helpdesk::core::id::Key;

/// What conditions look at, borrowed from a ticket: what a host would write.
struct Looked<'a> {
    ticket: &'a Ticket,
    subject: TextFact<'a>,
    body: TextFact<'a>,
}

impl<'a> Looked<'a> {
    fn new(ticket: &'a Ticket) -> Self {
        let text = |text: &'a str| TextFact::new(text, FoldOptions::default());
        Self { ticket, subject: text(&ticket.subject), body: text(&ticket.body) }
    }
}

impl Facts for Looked<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.ticket.now
    }

    fn value(&self, field: &Field) -> Option<FactValue<'_>> {
        Some(match field {
            Field::Channel => FactValue::Choice(&self.ticket.channel),
            Field::Priority => FactValue::Choice(&self.ticket.priority),
            Field::Language => FactValue::Choice(&self.ticket.language),
            Field::Brand => FactValue::Choice(&self.ticket.brand),
            Field::Mailbox => FactValue::Choice(&self.ticket.mailbox),
            Field::Tags => FactValue::Set(FactSet::List(&self.ticket.tags)),
            Field::MessageCount => FactValue::Number(self.ticket.message_count as f64),
            _ => return None,
        })
    }

    fn text(&self, field: &Field) -> Option<&TextFact<'_>> {
        match field {
            Field::Subject => Some(&self.subject),
            Field::Body => Some(&self.body),
            _ => None,
        }
    }

    fn calendar(&self, key: &Key) -> Option<&Calendar> {
        self.ticket.calendars.get(key)
    }

    fn clock(&self, _metric: &Key) -> Option<ClockFact> {
        None
    }
}

/// A ticket that lives as long as the bench, looked at.
fn kept(ticket: &Ticket) -> Looked<'static> {
    let own = Ticket {
        now: ticket.now,
        channel: ticket.channel.clone(),
        priority: ticket.priority.clone(),
        language: ticket.language.clone(),
        brand: ticket.brand.clone(),
        mailbox: ticket.mailbox.clone(),
        tags: ticket.tags.clone(),
        message_count: ticket.message_count,
        subject: ticket.subject.clone(),
        body: ticket.body.clone(),
        calendars: ticket.calendars.clone(),
    };
    Looked::new(Box::leak(Box::new(own)))
}

pub(super) struct Indexed {
    rules: RuleSet,
    scratch: Scratch,
    kept: Vec<Looked<'static>>,
}

impl Indexed {
    pub(super) fn new(conditions: &[Condition]) -> Self {
        Self { rules: RuleSet::new(conditions), scratch: Scratch::default(), kept: Vec::new() }
    }
}

impl RuleEngine for Indexed {
    fn all(&mut self, ticket: &Ticket, found: &mut Vec<u32>) {
        found.extend(self.rules.all(&Looked::new(ticket), &mut self.scratch));
    }

    fn keep(&mut self, tickets: &[Ticket]) {
        self.kept = tickets.iter().map(kept).collect();
        for looked in &self.kept {
            // Folds the texts, as the others have been given folded words.
            self.rules.all(looked, &mut self.scratch);
        }
    }

    fn all_kept(&mut self, at: usize, found: &mut Vec<u32>) {
        found.extend(self.rules.all(&self.kept[at], &mut self.scratch));
    }
}

pub(super) struct Walk {
    conditions: Vec<Condition>,
    kept: Vec<Looked<'static>>,
}

impl Walk {
    pub(super) fn new(conditions: &[Condition]) -> Self {
        Self { conditions: conditions.to_vec(), kept: Vec::new() }
    }

    fn find(&self, looked: &Looked<'_>, found: &mut Vec<u32>) {
        let holding = (0u32..).zip(&self.conditions).filter(|(_, it)| it.holds(looked));
        found.extend(holding.map(|(rule, _)| rule));
    }
}

impl RuleEngine for Walk {
    fn all(&mut self, ticket: &Ticket, found: &mut Vec<u32>) {
        self.find(&Looked::new(ticket), found);
    }

    fn keep(&mut self, tickets: &[Ticket]) {
        self.kept = tickets.iter().map(kept).collect();
        let mut found = Vec::new();
        self.kept.iter().for_each(|looked| self.find(looked, &mut found));
    }

    fn all_kept(&mut self, at: usize, found: &mut Vec<u32>) {
        self.find(&self.kept[at], found);
    }
}
