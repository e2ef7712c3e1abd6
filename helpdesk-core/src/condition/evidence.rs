//! Why a condition holds or does not: the leaves that decided, with what they saw.

use super::ast::{Age, Condition, HoursTest, InstantTest, Leaf, SetTest, Test, TextTest};
use super::clock::ClockFact;
use super::display::{list, quoted};
use super::eval::{clock, texts, worked};
use super::facts::{FactSet, FactValue, Facts};
use super::field::Field;
use super::json::{instant_text, number_value};
use super::text::{Phrase, TextFact};
use crate::fault::join_path;
use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One part of a condition that decided its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The spot in the condition, as in `any[1].not`; empty for the whole.
    pub path: String,
    /// Whether this part holds.
    pub holds: bool,
    /// The part in words: "text has the word `refund`".
    pub test: String,
    /// What it saw, in words: "`refund` is in subject". Empty for a part that
    /// looks at nothing, such as `always`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub found: String,
    /// Whether a text was longer than what is looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// One sentence: "text has the word `refund`: yes, `refund` is in subject".
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.test, if self.holds { "yes" } else { "no" })?;
        if !self.found.is_empty() {
            write!(f, ", {}", self.found)?;
        }
        if self.cut {
            f.write_str(" (only the start of the text was looked at)")?;
        }
        Ok(())
    }
}

impl Condition {
    /// Why the condition holds, or why it does not.
    ///
    /// Of an `all` that holds, the evidence of each child, and of one that does
    /// not, that of the first child that fails; of an `any` that holds, that of
    /// the first child that holds, and of one that does not, that of each. Never
    /// empty.
    ///
    /// ```
    /// use helpdesk_core::condition::{Condition, FactMap, Schema};
    /// use serde_json::json;
    /// let schema = Schema::default();
    /// let condition = json!({"any": [
    ///     {"field": "priority", "is": "urgent"},
    ///     {"field": "text", "has_word": ["refund"]},
    /// ]});
    /// let condition = Condition::parse(&condition, &schema).map_err(|f| f[0].to_string())?;
    /// let facts = json!({"subject": "Refund please", "priority": "low"});
    /// let facts = FactMap::from_json(&facts, chrono::DateTime::UNIX_EPOCH, &schema)
    ///     .map_err(|f| f[0].to_string())?;
    /// let evidence = condition.evidence(&facts);
    /// assert_eq!(evidence[0].path, "any[1]");
    /// assert_eq!(
    ///     evidence[0].to_string(),
    ///     "text has the word `refund`: yes, `refund` is in subject",
    /// );
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn evidence<F: Facts + ?Sized>(&self, facts: &F) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        collect(self, "", facts, &mut evidence);
        evidence
    }
}

fn collect<F: Facts + ?Sized>(
    condition: &Condition,
    path: &str,
    facts: &F,
    evidence: &mut Vec<Evidence>,
) {
    match condition {
        Condition::All(children) if !children.is_empty() => {
            let failing = children.iter().position(|child| !child.holds(facts));
            collect_children(children, failing, &join_path(path, "all"), facts, evidence);
        }
        Condition::Any(children) if !children.is_empty() => {
            let holding = children.iter().position(|child| child.holds(facts));
            collect_children(children, holding, &join_path(path, "any"), facts, evidence);
        }
        Condition::Not(child) => collect(child, &join_path(path, "not"), facts, evidence),
        Condition::Leaf(leaf) => evidence.push(of_leaf(leaf, path, facts)),
        Condition::Always | Condition::Never | Condition::All(_) | Condition::Any(_) => {
            evidence.push(Evidence {
                path: path.to_owned(),
                holds: condition.holds(facts),
                test: condition.to_string(),
                found: String::new(),
                cut: false,
            });
        }
    }
}

/// The evidence of the child that decided alone, or of all.
fn collect_children<F: Facts + ?Sized>(
    children: &[Condition],
    decided_by: Option<usize>,
    path: &str,
    facts: &F,
    evidence: &mut Vec<Evidence>,
) {
    for (i, child) in children.iter().enumerate() {
        if decided_by.is_none_or(|decided_by| decided_by == i) {
            collect(child, &format!("{path}[{i}]"), facts, evidence);
        }
    }
}

fn of_leaf<F: Facts + ?Sized>(leaf: &Leaf, path: &str, facts: &F) -> Evidence {
    let texts = texts(leaf.field(), facts);
    let found = match leaf.test() {
        Test::Text(test) => found_in_texts(leaf.field(), test, texts),
        Test::Set(test) => found_in_set(test, facts.value(leaf.field())),
        Test::Present(_) if texts.iter().flatten().any(|text| !text.is_empty()) => {
            "it has a text".to_owned()
        }
        Test::Present(_) if *leaf.field() == Field::Now => "it always is".to_owned(),
        Test::Present(_) | Test::Clock(_) if matches!(leaf.field(), Field::Sla(_)) => {
            seen_clock(clock(leaf.field(), facts))
        }
        Test::Instant(
            InstantTest::OlderThan(Age::Working { calendar, .. })
            | InstantTest::NewerThan(Age::Working { calendar, .. }),
        ) => seen_age(facts.value(leaf.field()), calendar, facts),
        Test::Hours(HoursTest::In(calendar) | HoursTest::Outside(calendar)) => {
            seen_hours(calendar, facts)
        }
        Test::Present(_)
        | Test::Clock(_)
        | Test::Choice(_)
        | Test::Id(_)
        | Test::Number(_)
        | Test::Instant(_)
        | Test::Boolean(_) => seen(facts.value(leaf.field())),
    };
    let looks_into_text = matches!(leaf.test(), Test::Text(_));
    Evidence {
        path: path.to_owned(),
        holds: leaf.holds(facts),
        test: leaf.to_string(),
        found,
        cut: looks_into_text && texts.into_iter().flatten().any(TextFact::is_cut),
    }
}

fn seen(value: Option<FactValue<'_>>) -> String {
    let shown = match value {
        None => return "it is unset".to_owned(),
        Some(FactValue::Choice(key)) => quoted(key),
        Some(FactValue::Id(id)) => quoted(id),
        Some(FactValue::Set(set)) if set.is_empty() => return "it is unset".to_owned(),
        Some(FactValue::Set(set)) => list(set.members()),
        Some(FactValue::Number(number)) => quoted(number_value(number)),
        Some(FactValue::Instant(at)) => quoted(instant_text(at)),
        Some(FactValue::Boolean(boolean)) => quoted(boolean),
    };
    format!("it is {shown}")
}

fn seen_clock(clock: Option<ClockFact>) -> String {
    let Some(clock) = clock else { return "it is unset".to_owned() };
    let mut seen = format!("it is {}", quoted(clock.state));
    if clock.breached {
        seen += " and breached";
    }
    if let Some(left) = clock.left_seconds {
        seen += &format!(", {left} seconds left");
    }
    if let Some(used) = clock.used_percent {
        seen += &format!(", {} percent used", number_value(used));
    }
    seen
}

/// "it is `…`, 600 working seconds ago".
fn seen_age<F: Facts + ?Sized>(value: Option<FactValue<'_>>, key: &Key, facts: &F) -> String {
    match (value, facts.calendar(key)) {
        (Some(FactValue::Instant(at)), Some(calendar)) if at <= facts.now() => {
            let seconds = worked(calendar, at, facts.now());
            format!("{}, {seconds} working seconds ago", seen(value))
        }
        (Some(FactValue::Instant(_)), None) => no_calendar(key),
        _ => seen(value),
    }
}

fn seen_hours<F: Facts + ?Sized>(key: &Key, facts: &F) -> String {
    let Some(calendar) = facts.calendar(key) else { return no_calendar(key) };
    let is_open = calendar.is_open(facts.now()).unwrap_or(false);
    let state = if is_open { "open" } else { "closed" };
    format!("{} is {state} at {}", quoted(key), quoted(instant_text(facts.now())))
}

fn no_calendar(key: &Key) -> String {
    format!("there is no calendar {}", quoted(key))
}

fn found_in_set(test: &SetTest, value: Option<FactValue<'_>>) -> String {
    let set = match value {
        Some(FactValue::Set(set)) => set,
        _ => FactSet::List(&[]),
    };
    let (named, verb) = match test {
        SetTest::HasAny(members) | SetTest::HasNone(members) => {
            (members.iter().find(|member| set.has(member)), "has")
        }
        SetTest::HasAll(members) => (members.iter().find(|member| !set.has(member)), "lacks"),
    };
    named.map_or_else(|| seen(value), |member| format!("it {verb} {}", quoted(member)))
}

fn found_in_texts(field: &Field, test: &TextTest, texts: [Option<&TextFact<'_>>; 2]) -> String {
    if texts.iter().all(Option::is_none) {
        return "it is unset".to_owned();
    }
    let place = |passes: &dyn Fn(&TextFact<'_>) -> bool| {
        let at = texts.iter().position(|text| text.is_some_and(passes))?;
        Some(place_name(field, at))
    };
    let place_of = |phrase: &Phrase| place(&|text| text.has_phrase(phrase));
    let found = |what: &str, place: Option<String>| match place {
        Some(place) => format!("{} is in {place}", quoted(what)),
        None => format!("{} is not in {field}", quoted(what)),
    };
    match test {
        TextTest::HasWord(phrases) => {
            let hit = phrases.iter().find_map(|phrase| Some((phrase, place_of(phrase)?)));
            hit.map_or_else(
                || "none is there".to_owned(),
                |(phrase, place)| found(phrase.source(), Some(place)),
            )
        }
        TextTest::HasAllWords(phrases) => {
            let missing = phrases.iter().find(|phrase| place_of(phrase).is_none());
            missing.map_or_else(|| "each is there".to_owned(), |miss| found(miss.source(), None))
        }
        TextTest::Matches(pattern) => {
            let hit = texts
                .iter()
                .enumerate()
                .find_map(|(at, text)| Some((at, pattern.regex().find((*text)?.seen())?.as_str())));
            hit.map_or_else(
                || "nothing matches".to_owned(),
                |(at, what)| found(what, Some(place_name(field, at))),
            )
        }
        TextTest::Contains(part) => {
            found(part.source(), place(&|text| text.folded().contains(part.folded())))
        }
        TextTest::StartsWith(_) | TextTest::EndsWith(_) | TextTest::Is(_) | TextTest::IsNot(_) => {
            format!("it is {}", list(texts.into_iter().flatten().map(TextFact::seen)))
        }
    }
}

/// Which of the texts behind a field.
fn place_name(field: &Field, at: usize) -> String {
    match (field, at) {
        (Field::Text, 0) => Field::Subject.to_string(),
        (Field::Text, _) => Field::Body.to_string(),
        (other, _) => other.to_string(),
    }
}
