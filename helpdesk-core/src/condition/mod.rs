//! Conditions: one vocabulary of tests on a ticket, for routing rules,
//! triggers, automations, views, SLA and escalation selection.
//!
//! A condition is data: [`Condition::parse`] checks it against a [`Schema`],
//! [`Condition::holds`] evaluates it on [`Facts`], [`Condition::evidence`]
//! says why. Source: spec/routing.md, "One condition language".

mod ast;
mod clock;
mod display;
mod eval;
mod evidence;
mod facts;
mod field;
mod json;
mod parse;
mod rule_set;
mod schema;
mod source;
mod terms;
#[cfg(test)]
mod tests;
mod text;

pub use ast::{
    Age, BooleanTest, ChoiceTest, ClockTest, Condition, FactNeeds, HoursTest, InstantTest, Leaf,
    Needle, NumberTest, Pattern, SetTest, Test, TextTest,
};
pub use clock::{ClockFact, ClockState};
pub use evidence::Evidence;
pub use facts::{FactMap, FactSet, FactValue, Facts};
pub use field::{Field, FieldKind};
pub use rule_set::{Compiled, LiveRules, RuleSet, Scratch};
pub(crate) use schema::suggestion;
pub use schema::{CustomKind, Schema};
pub use source::ConditionSource;
pub use terms::{CalendarStamp, Calendars, Terms};
pub use text::{FoldOptions, Phrase, TextFact, fold, words};

/// Chars of a value that messages show.
const SHOWN_CHARS_MAX: usize = 60;

/// The start of a text, for messages.
fn clip(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
