//! Reads conditions: every fault at once, each with the path to its spot.

use super::ast::{
    Age, BooleanTest, ChoiceTest, ClockTest, Condition, HoursTest, InstantTest, Leaf, Needle,
    NumberTest, Pattern, SetTest, Test, TextTest,
};
use super::clip;
use super::clock::ClockState;
use super::facts::{instant_of, wrong_kind};
use super::field::{Field, FieldKind};
use super::json::EXACT_MAX;
use super::schema::{Schema, suggestion};
use super::text::Phrase;
use crate::fault::{Code, Fault, join_path};
use crate::id::Key;
use crate::limit::{CONDITION_DEPTH_MAX, CONDITION_LEAVES_MAX};
use chrono::{DateTime, TimeDelta, Utc};
use regex::RegexBuilder;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Bytes that one compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 4 << 20;
/// The parts of an age in working time.
const AGE_PARTS: [&str; 2] = ["seconds", "calendar"];
/// Faults that come with suggestions, which cost time.
const SUGGESTIONS_MAX: usize = 100;

impl Condition {
    /// Checks a condition and prepares it for evaluation.
    ///
    /// The value is `"always"`, `"never"`, `{"all": […]}`, `{"any": […]}`,
    /// `{"not": …}` or `{"field": F, "<operator>": value}`. A condition read
    /// from TOML or YAML is given as the same JSON.
    ///
    /// ```
    /// use helpdesk_core::condition::{Condition, Schema};
    /// let source = serde_json::json!({"any": [
    ///     {"field": "priority", "is": "urgent"},
    ///     {"field": "priorty", "is": "high"},
    /// ]});
    /// let faults = Condition::parse(&source, &Schema::default()).err().unwrap_or_default();
    /// assert_eq!(faults[0].path, "any[1].field");
    /// ```
    ///
    /// # Errors
    ///
    /// All faults, their paths relative to this condition: unknown fields,
    /// operators and keys, values of another kind, patterns that do not
    /// compile, more than [`CONDITION_LEAVES_MAX`] leaves (what has nothing
    /// inside counts as a leaf) or nesting over [`CONDITION_DEPTH_MAX`] (a
    /// leaf alone is one deep).
    pub fn parse(source: &Value, schema: &Schema) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { schema, faults: Vec::new(), n_leaves: 0 };
        match reader.condition(source, "", 1) {
            Some(condition) if reader.faults.is_empty() => Ok(condition),
            _ => Err(reader.faults),
        }
    }
}

/// Reads one condition; a `None` of its methods has left a fault behind.
struct Reader<'a> {
    schema: &'a Schema,
    faults: Vec<Fault>,
    n_leaves: usize,
}

/// One operator of a leaf with its value.
#[derive(Clone, Copy)]
struct Spot<'a> {
    field: &'a Field,
    kind: FieldKind,
    operator: &'a str,
    value: &'a Value,
    /// The path of the value.
    path: &'a str,
}

impl Reader<'_> {
    fn condition(&mut self, source: &Value, path: &str, depth: usize) -> Option<Condition> {
        if depth > CONDITION_DEPTH_MAX {
            let message = format!("conditions nest at most {CONDITION_DEPTH_MAX} deep");
            return self.fail(Fault::new(path, Code::OverLimit, message));
        }
        match source {
            Value::String(word) => {
                self.count_leaf()?;
                match word.as_str() {
                    "always" => Some(Condition::Always),
                    "never" => Some(Condition::Never),
                    other => self.invalid(
                        path,
                        format!("`{}` is not a condition: take `always` or `never`", clip(other)),
                    ),
                }
            }
            Value::Object(object) if object.contains_key("field") => self.leaf(object, path),
            Value::Object(object) => self.group(object, path, depth),
            other => self.fail(wrong_kind("a condition", other).under(path)),
        }
    }

    fn group(
        &mut self,
        object: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Option<Condition> {
        let mut entries = object.iter();
        let (Some((name, inner)), None) = (entries.next(), entries.next()) else {
            let found = names_of(object.keys());
            let message = format!("takes one of `all`, `any`, `not`, or `field`; found {found}");
            return self.invalid(path, message);
        };
        let inner_path = join_path(path, name);
        match name.as_str() {
            "all" => self.children(inner, &inner_path, depth).map(Condition::All),
            "any" => self.children(inner, &inner_path, depth).map(Condition::Any),
            "not" => {
                let child = self.condition(inner, &inner_path, depth + 1)?;
                Some(Condition::Not(Box::new(child)))
            }
            other => {
                let message = format!(
                    "`{}` is not part of a condition: take `all`, `any`, `not`, or `field`",
                    clip(other)
                );
                self.fail(Fault::new(inner_path, Code::UnknownField, message))
            }
        }
    }

    fn children(&mut self, inner: &Value, path: &str, depth: usize) -> Option<Vec<Condition>> {
        let Value::Array(list) = inner else {
            return self.fail(wrong_kind("a list of conditions", inner).under(path));
        };
        if list.is_empty() {
            self.count_leaf()?;
        }
        let each = list.iter().enumerate();
        let read = each.map(|(i, child)| self.condition(child, &format!("{path}[{i}]"), depth + 1));
        all_of(read)
    }

    /// Counts what has nothing inside; the first one too many leaves a fault.
    fn count_leaf(&mut self) -> Option<()> {
        self.n_leaves += 1;
        if self.n_leaves == CONDITION_LEAVES_MAX + 1 {
            let message = format!("a condition has at most {CONDITION_LEAVES_MAX} leaves");
            return self.fail(Fault::new("", Code::OverLimit, message));
        }
        (self.n_leaves <= CONDITION_LEAVES_MAX).then_some(())
    }

    fn leaf(&mut self, object: &Map<String, Value>, path: &str) -> Option<Condition> {
        self.count_leaf()?;
        let field = object.get("field").and_then(|name| self.field(name, path));
        let mut operators = object.iter().filter(|(name, _)| *name != "field");
        let (Some((operator, value)), None) = (operators.next(), operators.next()) else {
            let found = names_of(object.keys().filter(|name| *name != "field"));
            return self.invalid(path, format!("a leaf takes exactly one operator; found {found}"));
        };
        let (field, kind) = field?;
        let path = join_path(path, operator);
        let spot = Spot { field: &field, kind, operator, value, path: &path };
        let test = self.test(spot)?;
        Some(Condition::Leaf(Leaf { field, test }))
    }

    fn field(&mut self, name: &Value, path: &str) -> Option<(Field, FieldKind)> {
        let path = join_path(path, "field");
        let Some(name) = name.as_str() else {
            return self.fail(wrong_kind("the name of a field", name).under(&path));
        };
        let field: Option<Field> = name.parse().ok();
        let kind = field.as_ref().and_then(|field| self.schema.kind(field));
        if let (Some(field), Some(kind)) = (field, kind) {
            return Some((field, kind));
        }
        let names = self.schema.field_names();
        let near = self.suggestion(name, names.iter().map(String::as_str));
        let message = format!("there is no field `{}`{near}", clip(name));
        self.fail(Fault::new(path, Code::UnknownField, message))
    }

    fn test(&mut self, spot: Spot<'_>) -> Option<Test> {
        match (spot.operator, spot.kind) {
            ("set", _) => self.boolean(spot).map(Test::Present),
            ("unset", _) => self.boolean(spot).map(|wanted| Test::Present(!wanted)),
            (_, FieldKind::Choice) => self.choice(spot, Self::key).map(Test::Choice),
            (_, FieldKind::Id) => self.choice(spot, Self::id).map(Test::Id),
            (_, FieldKind::Set) => self.set(spot).map(Test::Set),
            (_, FieldKind::Text) => self.text(spot).map(Test::Text),
            (_, FieldKind::Number) => self.number_test(spot).map(Test::Number),
            (_, FieldKind::Instant) => self.instant_test(spot).map(Test::Instant),
            (_, FieldKind::Boolean) => self.boolean_test(spot).map(Test::Boolean),
            (_, FieldKind::Hours) => self.hours(spot).map(Test::Hours),
            (_, FieldKind::Clock) => self.clock(spot).map(Test::Clock),
        }
    }

    fn choice<T: Ord>(
        &mut self,
        spot: Spot<'_>,
        read: fn(&mut Self, Spot<'_>) -> Option<T>,
    ) -> Option<ChoiceTest<T>> {
        match spot.operator {
            "is" => read(self, spot).map(ChoiceTest::Is),
            "is_not" => read(self, spot).map(ChoiceTest::IsNot),
            "in" => Some(ChoiceTest::In(self.list(spot, read)?.into_iter().collect())),
            "not_in" => Some(ChoiceTest::NotIn(self.list(spot, read)?.into_iter().collect())),
            _ => self.no_operator(spot),
        }
    }

    fn set(&mut self, spot: Spot<'_>) -> Option<SetTest> {
        let make = match spot.operator {
            "has_any" => SetTest::HasAny,
            "has_all" => SetTest::HasAll,
            "has_none" => SetTest::HasNone,
            _ => return self.no_operator(spot),
        };
        Some(make(self.list(spot, Self::key)?.into_iter().collect()))
    }

    fn text(&mut self, spot: Spot<'_>) -> Option<TextTest> {
        match spot.operator {
            "has_word" => self.list(spot, Self::phrase).map(TextTest::HasWord),
            "has_all_words" => self.list(spot, Self::phrase).map(TextTest::HasAllWords),
            "contains" => self.part(spot).map(TextTest::Contains),
            "starts_with" => self.part(spot).map(TextTest::StartsWith),
            "ends_with" => self.part(spot).map(TextTest::EndsWith),
            "is" => self.needle(spot).map(TextTest::Is),
            "is_not" => self.needle(spot).map(TextTest::IsNot),
            "matches" => self.pattern(spot).map(TextTest::Matches),
            _ => self.no_operator(spot),
        }
    }

    fn number_test(&mut self, spot: Spot<'_>) -> Option<NumberTest> {
        match spot.operator {
            "lt" => self.number(spot).map(NumberTest::Lt),
            "le" => self.number(spot).map(NumberTest::Le),
            "gt" => self.number(spot).map(NumberTest::Gt),
            "ge" => self.number(spot).map(NumberTest::Ge),
            "is" => self.number(spot).map(NumberTest::Is),
            "in" => self.list(spot, Self::number).map(NumberTest::In),
            "between" => match self.list(spot, Self::number)?[..] {
                [low, high] => Some(NumberTest::Between(low, high)),
                _ => self.invalid(spot.path, "takes two numbers: the lowest and the highest"),
            },
            _ => self.no_operator(spot),
        }
    }

    fn instant_test(&mut self, spot: Spot<'_>) -> Option<InstantTest> {
        match spot.operator {
            "before" => self.instant(spot).map(InstantTest::Before),
            "after" => self.instant(spot).map(InstantTest::After),
            "older_than" => self.age(spot).map(InstantTest::OlderThan),
            "newer_than" => self.age(spot).map(InstantTest::NewerThan),
            "within_next" if spot.field.lies_ahead() => {
                self.length(spot).map(InstantTest::WithinNext)
            }
            _ => self.no_operator(spot),
        }
    }

    fn boolean_test(&mut self, spot: Spot<'_>) -> Option<BooleanTest> {
        match spot.operator {
            "is" => self.boolean(spot).map(BooleanTest::Is),
            "is_not" => self.boolean(spot).map(BooleanTest::IsNot),
            _ => self.no_operator(spot),
        }
    }

    fn hours(&mut self, spot: Spot<'_>) -> Option<HoursTest> {
        match spot.operator {
            "in_hours" => self.calendar(spot).map(HoursTest::In),
            "outside_hours" => self.calendar(spot).map(HoursTest::Outside),
            _ => self.no_operator(spot),
        }
    }

    fn clock(&mut self, spot: Spot<'_>) -> Option<ClockTest> {
        match spot.operator {
            "state" => self.state(spot).map(ClockTest::State),
            "breached" => self.boolean(spot).map(ClockTest::Breached),
            "left_lt" => {
                match spot.value.as_i64().filter(|n| n.unsigned_abs() < EXACT_MAX as u64) {
                    Some(seconds) => Some(ClockTest::LeftLt(seconds)),
                    None => self.wrong(spot, "a whole number of seconds, below 2^53"),
                }
            }
            "used_ge" => match self.number(spot)? {
                percent if percent >= 0.0 => Some(ClockTest::UsedGe(percent)),
                _ => self.wrong(spot, "a number of percent, 0 or more"),
            },
            _ => self.no_operator(spot),
        }
    }

    /// Each entry of a list, read as a value of its own.
    fn list<T>(
        &mut self,
        spot: Spot<'_>,
        read: fn(&mut Self, Spot<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::Array(entries) = spot.value else { return self.wrong(spot, "a list") };
        all_of(entries.iter().enumerate().map(|(i, value)| {
            read(self, Spot { value, path: &format!("{}[{i}]", spot.path), ..spot })
        }))
    }

    fn key(&mut self, spot: Spot<'_>) -> Option<String> {
        let Some(key) = spot.value.as_str() else { return self.wrong(spot, "a string") };
        let values = self.schema.values_of(spot.field);
        let Some(values) = values.filter(|values| !values.contains(key)) else {
            return Some(key.to_owned());
        };
        let near = self.suggestion(key, values.iter().map(String::as_str));
        self.invalid(spot.path, format!("`{}` is no value of {}{near}", clip(key), spot.field))
    }

    fn id(&mut self, spot: Spot<'_>) -> Option<Uuid> {
        let id = spot.value.as_str().and_then(|text| text.parse().ok());
        if id.is_none() { self.wrong(spot, "a UUID") } else { id }
    }

    fn phrase(&mut self, spot: Spot<'_>) -> Option<Phrase> {
        let Some(text) = spot.value.as_str() else { return self.wrong(spot, "a string") };
        let phrase = Phrase::new(text, self.schema.fold);
        if phrase.is_some() {
            return phrase;
        }
        self.invalid(spot.path, format!("there is no word in `{}`", clip(text)))
    }

    fn needle(&mut self, spot: Spot<'_>) -> Option<Needle> {
        let Some(text) = spot.value.as_str() else { return self.wrong(spot, "a string") };
        Some(Needle::new(text, self.schema.fold))
    }

    /// A part of a text; every text has an empty one, so that is a mistake.
    fn part(&mut self, spot: Spot<'_>) -> Option<Needle> {
        let needle = self.needle(spot)?;
        if needle.source().is_empty() {
            return self.invalid(spot.path, "an empty text is part of every text: give one");
        }
        Some(needle)
    }

    fn pattern(&mut self, spot: Spot<'_>) -> Option<Pattern> {
        let needle = self.part(spot)?;
        let built = RegexBuilder::new(needle.source()).size_limit(PATTERN_BYTES_MAX).build();
        match built {
            Ok(regex) => Some(Pattern { regex }),
            Err(error) => {
                let text = error.to_string();
                let reason = text.lines().next_back().unwrap_or_default();
                let reason = reason.trim_start_matches("error: ");
                let shown = clip(needle.source());
                self.invalid(spot.path, format!("the pattern `{shown}` does not compile: {reason}"))
            }
        }
    }

    fn number(&mut self, spot: Spot<'_>) -> Option<f64> {
        let Some(number) = spot.value.as_f64() else { return self.wrong(spot, "a number") };
        if !spot.value.is_f64() && number.abs() >= EXACT_MAX {
            return self.wrong(spot, "exact: whole numbers go below 2^53");
        }
        Some(number)
    }

    fn instant(&mut self, spot: Spot<'_>) -> Option<DateTime<Utc>> {
        let instant = spot.value.as_str().and_then(instant_of);
        if instant.is_none() {
            return self.wrong(spot, "an RFC 3339 instant such as `2026-06-01T12:00:00Z`");
        }
        instant
    }

    /// Seconds, or seconds and the calendar by which they are working time.
    fn age(&mut self, spot: Spot<'_>) -> Option<Age> {
        let Value::Object(object) = spot.value else { return self.length(spot).map(Age::Wall) };
        for name in object.keys().filter(|name| !AGE_PARTS.contains(&name.as_str())) {
            let near = self.suggestion(name, AGE_PARTS.into_iter());
            let message = format!("there is no field `{}`{near}", clip(name));
            let fault = Fault::new(join_path(spot.path, &clip(name)), Code::UnknownField, message);
            self.faults.push(fault);
        }
        let seconds = self.entry(spot, object, AGE_PARTS[0], Self::length);
        let calendar = self.entry(spot, object, AGE_PARTS[1], Self::calendar);
        Some(Age::Working { seconds: seconds?.num_seconds(), calendar: calendar? })
    }

    /// An entry of an object that must be there.
    fn entry<T>(
        &mut self,
        spot: Spot<'_>,
        object: &Map<String, Value>,
        name: &str,
        read: fn(&mut Self, Spot<'_>) -> Option<T>,
    ) -> Option<T> {
        let path = join_path(spot.path, name);
        match object.get(name) {
            Some(value) => read(self, Spot { value, path: &path, ..spot }),
            None => {
                let message = format!("`{name}` is missing: it must be given");
                self.fail(Fault::new(path, Code::RequiredField, message))
            }
        }
    }

    fn calendar(&mut self, spot: Spot<'_>) -> Option<Key> {
        let key = spot.value.as_str().and_then(|text| Key::new(text).ok());
        let Some(key) = key else { return self.wrong(spot, "the key of a calendar") };
        let known = self.schema.calendars.as_ref().filter(|known| !known.contains(&key));
        let Some(known) = known else { return Some(key) };
        let near = self.suggestion(key.as_str(), known.iter().map(Key::as_str));
        let message = format!("there is no calendar `{key}`{near}");
        self.fail(Fault::new(spot.path, Code::NotConfigured, message))
    }

    fn state(&mut self, spot: Spot<'_>) -> Option<ClockState> {
        let state = spot.value.as_str().and_then(|word| word.parse().ok());
        if state.is_some() {
            return state;
        }
        let words = names_of(ClockState::ALL.into_iter().map(ClockState::as_str));
        self.wrong(spot, &format!("a state of a clock: take one of {words}"))
    }

    fn length(&mut self, spot: Spot<'_>) -> Option<TimeDelta> {
        let seconds = spot.value.as_i64().filter(|seconds| *seconds >= 0);
        let length = seconds.and_then(TimeDelta::try_seconds);
        if length.is_none() {
            self.wrong(spot, "a whole number of seconds, 0 or more")
        } else {
            length
        }
    }

    fn boolean(&mut self, spot: Spot<'_>) -> Option<bool> {
        let boolean = spot.value.as_bool();
        if boolean.is_none() { self.wrong(spot, "true or false") } else { boolean }
    }

    fn no_operator<T>(&mut self, spot: Spot<'_>) -> Option<T> {
        let names = names_of(spot.field.operators(spot.kind));
        let message = format!(
            "`{}` is no operator of {}: take one of {names}",
            clip(spot.operator),
            spot.field
        );
        self.fail(Fault::new(spot.path, Code::UnknownField, message))
    }

    fn wrong<T>(&mut self, spot: Spot<'_>, wanted: &str) -> Option<T> {
        self.fail(wrong_kind(wanted, spot.value).under(spot.path))
    }

    fn invalid<T>(&mut self, path: &str, message: impl Into<String>) -> Option<T> {
        self.fail(Fault::invalid(path, message))
    }

    fn fail<T>(&mut self, fault: Fault) -> Option<T> {
        self.faults.push(fault);
        None
    }

    fn suggestion<'n>(&self, wrong: &str, names: impl Iterator<Item = &'n str>) -> String {
        if self.faults.len() < SUGGESTIONS_MAX { suggestion(wrong, names) } else { String::new() }
    }
}

/// All, when none is missing; reads on after a missing one, to find every fault.
fn all_of<T>(read: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let mut complete = true;
    let mut list = Vec::new();
    for entry in read {
        match entry {
            Some(entry) => list.push(entry),
            None => complete = false,
        }
    }
    complete.then_some(list)
}

/// "`a`, `b`", or "none".
fn names_of<N: AsRef<str>>(names: impl Iterator<Item = N>) -> String {
    let named: Vec<String> = names.map(|name| format!("`{}`", clip(name.as_ref()))).collect();
    if named.is_empty() { "none".to_owned() } else { named.join(", ") }
}
