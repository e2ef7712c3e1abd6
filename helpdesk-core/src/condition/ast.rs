//! Conditions as checked, typed data, ready to be evaluated.

use super::clock::ClockState;
use super::field::Field;
use super::text::{FoldOptions, Phrase, fold};
use crate::id::Key;
use chrono::{DateTime, TimeDelta, Utc};
use regex::Regex;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A test on a ticket: one vocabulary for rules, triggers, views and SLA selection.
///
/// Made by [`Condition::parse`], which checks it against a
/// [`Schema`](super::Schema); evaluated by [`Condition::holds`].
///
/// ```
/// use helpdesk_core::condition::{Condition, FactMap, Schema};
/// use serde_json::json;
///
/// let schema = Schema::default();
/// let source = json!({"all": [
///     {"field": "priority", "in": ["high", "urgent"]},
///     {"field": "text", "has_word": ["refund", "money back"]},
/// ]});
/// let condition = Condition::parse(&source, &schema).map_err(|faults| faults[0].to_string())?;
///
/// let facts = json!({"priority": "high", "subject": "I want my money back"});
/// let now = "2026-06-01T12:00:00Z".parse().map_err(|_| "not an instant")?;
/// let facts = FactMap::from_json(&facts, now, &schema).map_err(|faults| faults[0].to_string())?;
/// assert!(condition.holds(&facts));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Holds on every ticket.
    Always,
    /// Holds on none.
    Never,
    /// Holds when each of these does; when there is none, it holds.
    All(Vec<Condition>),
    /// Holds when one of these does; when there is none, it does not hold.
    Any(Vec<Condition>),
    /// Holds when this does not.
    Not(Box<Condition>),
    /// Tests one field.
    Leaf(Leaf),
}

/// One field and one test that fits its kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    pub(super) field: Field,
    pub(super) test: Test,
}

impl Leaf {
    /// The field that is tested.
    #[must_use]
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// The test, of the kind of the field.
    #[must_use]
    pub fn test(&self) -> &Test {
        &self.test
    }

    /// The calendar that the test asks.
    #[must_use]
    pub fn calendar(&self) -> Option<&Key> {
        match &self.test {
            Test::Hours(HoursTest::In(calendar) | HoursTest::Outside(calendar))
            | Test::Instant(
                InstantTest::OlderThan(Age::Working { calendar, .. })
                | InstantTest::NewerThan(Age::Working { calendar, .. }),
            ) => Some(calendar),
            _ => None,
        }
    }
}

/// A test of one kind of field.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `set` (true) or `unset` (false), for every kind.
    Present(bool),
    /// Of a choice.
    Choice(ChoiceTest<String>),
    /// Of an id.
    Id(ChoiceTest<Uuid>),
    /// Of a set.
    Set(SetTest),
    /// Of a text.
    Text(TextTest),
    /// Of a number.
    Number(NumberTest),
    /// Of an instant.
    Instant(InstantTest),
    /// Of a boolean.
    Boolean(BooleanTest),
    /// Of the time at which the condition is asked.
    Hours(HoursTest),
    /// Of a clock.
    Clock(ClockTest),
}

/// Tests of a choice or an id. A missing value is no value, so the negated
/// tests hold on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChoiceTest<T: Ord> {
    /// It is this one.
    Is(T),
    /// It is another or missing.
    IsNot(T),
    /// It is one of these.
    In(BTreeSet<T>),
    /// It is none of these or missing.
    NotIn(BTreeSet<T>),
}

/// Tests of a set. A missing set is an empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetTest {
    /// At least one of these is in it.
    HasAny(BTreeSet<String>),
    /// Each of these is in it.
    HasAll(BTreeSet<String>),
    /// None of these is in it.
    HasNone(BTreeSet<String>),
}

/// Tests of a text. On the field `text`, each looks at the subject and at the
/// body by itself and holds when one of them passes, but for `has_all_words`
/// (each entry in one of them) and `is_not` (neither is it).
#[derive(Debug, Clone, PartialEq)]
pub enum TextTest {
    /// At least one of these words or phrases is in it.
    HasWord(Vec<Phrase>),
    /// Each of these words or phrases is in it.
    HasAllWords(Vec<Phrase>),
    /// This is a part of it, folded.
    Contains(Needle),
    /// It starts with this, folded.
    StartsWith(Needle),
    /// It ends with this, folded.
    EndsWith(Needle),
    /// It is this, folded.
    Is(Needle),
    /// It is another or missing.
    IsNot(Needle),
    /// The pattern finds something in the unfolded text.
    Matches(Pattern),
}

/// Tests of a number.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberTest {
    /// Less than this.
    Lt(f64),
    /// This or less.
    Le(f64),
    /// More than this.
    Gt(f64),
    /// This or more.
    Ge(f64),
    /// From the first to the second, both counted in.
    Between(f64, f64),
    /// This.
    Is(f64),
    /// One of these.
    In(Vec<f64>),
}

/// Tests of an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstantTest {
    /// Strictly before this.
    Before(DateTime<Utc>),
    /// Strictly after this.
    After(DateTime<Utc>),
    /// More than this long ago.
    OlderThan(Age),
    /// Less than this long ago, or in the future.
    NewerThan(Age),
    /// From now to this long ahead, both counted in.
    WithinNext(TimeDelta),
}

/// How long ago something was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Age {
    /// By the wall clock.
    Wall(TimeDelta),
    /// Seconds of working time, by a calendar. There are no hours before 1970
    /// and after 2099. Without that calendar no test of the age passes.
    Working {
        /// How many.
        seconds: i64,
        /// By which calendar.
        calendar: Key,
    },
}

/// Tests of the time at which the condition is asked. Without the calendar
/// neither passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoursTest {
    /// This calendar is open.
    In(Key),
    /// This calendar is closed.
    Outside(Key),
}

/// Tests of a clock. A ticket without the clock passes none.
#[derive(Debug, Clone, PartialEq)]
pub enum ClockTest {
    /// It is in this state.
    State(ClockState),
    /// Whether its target was passed.
    Breached(bool),
    /// Less than so many seconds of working time are left until its target.
    LeftLt(i64),
    /// So many percent of its target are used, or more.
    UsedGe(f64),
}

/// Tests of a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BooleanTest {
    /// It is this.
    Is(bool),
    /// It is the other or missing.
    IsNot(bool),
}

/// A text to compare with, folded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    source: String,
    folded: String,
}

impl Needle {
    /// Folds a text.
    #[must_use]
    pub fn new(source: &str, options: FoldOptions) -> Self {
        Self { source: source.to_owned(), folded: fold(source, options) }
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text, folded.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

/// A compiled pattern. Two are equal when they are written the same.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub(super) regex: Regex,
}

impl Pattern {
    /// The compiled pattern.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str()
    }
}

/// What a caller must load before it evaluates a condition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FactNeeds {
    /// The contact who asked: address, name, tags, class (the id stands in the ticket).
    pub requester: bool,
    /// The requester's company: tags, class (the id stands in the ticket).
    pub organization: bool,
    /// The newest public message.
    pub body: bool,
    /// The ticket's clocks and its escalation.
    pub clocks: bool,
}

impl FactNeeds {
    /// What either of the two needs.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            requester: self.requester || other.requester,
            organization: self.organization || other.organization,
            body: self.body || other.body,
            clocks: self.clocks || other.clocks,
        }
    }
}

impl Condition {
    /// The leaves, from left to right.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Leaf> {
        let mut leaves = Vec::new();
        collect_leaves(self, &mut leaves);
        leaves
    }

    /// What must be loaded before [`Condition::holds`] can answer.
    #[must_use]
    pub fn needs(&self) -> FactNeeds {
        let each = self.leaves().into_iter().map(|leaf| needs_of(&leaf.field));
        each.fold(FactNeeds::default(), FactNeeds::union)
    }
}

fn collect_leaves<'a>(condition: &'a Condition, leaves: &mut Vec<&'a Leaf>) {
    match condition {
        Condition::Always | Condition::Never => {}
        Condition::All(children) | Condition::Any(children) => {
            children.iter().for_each(|child| collect_leaves(child, leaves));
        }
        Condition::Not(child) => collect_leaves(child, leaves),
        Condition::Leaf(leaf) => leaves.push(leaf),
    }
}

fn needs_of(field: &Field) -> FactNeeds {
    let none = FactNeeds::default();
    match field {
        Field::Body | Field::Text | Field::BodyLength => FactNeeds { body: true, ..none },
        Field::RequesterEmail
        | Field::RequesterDomain
        | Field::RequesterName
        | Field::RequesterTags => FactNeeds { requester: true, ..none },
        Field::RequesterTier => FactNeeds { requester: true, organization: true, ..none },
        Field::OrganizationTags => FactNeeds { organization: true, ..none },
        Field::DueAt | Field::EscalationLevel | Field::Sla(_) => FactNeeds { clocks: true, ..none },
        Field::Status
        | Field::StatusCategory
        | Field::Priority
        | Field::Type
        | Field::Channel
        | Field::Group
        | Field::Assignee
        | Field::Requester
        | Field::Organization
        | Field::Tier
        | Field::Language
        | Field::Brand
        | Field::Mailbox
        | Field::Tags
        | Field::Skills
        | Field::Subject
        | Field::MessageCount
        | Field::ReopenCount
        | Field::AttachmentCount
        | Field::CreatedAt
        | Field::UpdatedAt
        | Field::LastRequesterAt
        | Field::LastAgentAt
        | Field::AssignedAt
        | Field::SolvedAt
        | Field::SnoozedUntil
        | Field::Now
        | Field::Custom(_) => none,
    }
}
