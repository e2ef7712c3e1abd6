//! What a condition is evaluated on.

use super::clip;
use super::clock::ClockFact;
use super::field::{Field, FieldKind};
use super::schema::{Schema, suggestion};
use super::terms::Calendars;
use super::text::TextFact;
use crate::calendar::Calendar;
use crate::fault::Fault;
use crate::id::Key;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The facts of one ticket at one time, as conditions ask for them.
///
/// A fact of another kind than the field's counts as missing.
pub trait Facts {
    /// The time at which the condition is asked.
    fn now(&self) -> DateTime<Utc>;

    /// The value of a field of any kind but text; `None` when it is not set.
    /// Never asked for [`Field::Now`] and for clocks.
    fn value(&self, field: &Field) -> Option<FactValue<'_>>;

    /// The text of a text field; `None` when it is not set. Never asked for
    /// [`Field::Text`], which is the subject and the body.
    ///
    /// Return the same [`TextFact`] each time, so that it is folded once.
    fn text(&self, field: &Field) -> Option<&TextFact<'_>>;

    /// The desk's calendar with this key.
    fn calendar(&self, key: &Key) -> Option<&Calendar>;

    /// The newest clock of a metric on the ticket, as it stands at [`Facts::now`];
    /// `None` when the ticket has none.
    fn clock(&self, metric: &Key) -> Option<ClockFact>;
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FactValue<'a> {
    /// Of a choice.
    Choice(&'a str),
    /// Of an id.
    Id(Uuid),
    /// Of a set.
    Set(FactSet<'a>),
    /// Of a number; a whole one is exact up to 2^53.
    Number(f64),
    /// Of an instant.
    Instant(DateTime<Utc>),
    /// Of a boolean.
    Boolean(bool),
}

/// The members of a set, as the ticket has them. An empty one counts as unset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FactSet<'a> {
    /// In any order.
    List(&'a [String]),
    /// Sorted.
    Tree(&'a BTreeSet<String>),
}

impl<'a> FactSet<'a> {
    /// Whether it has this member.
    #[must_use]
    pub fn has(self, member: &str) -> bool {
        match self {
            Self::List(list) => list.iter().any(|own| own == member),
            Self::Tree(tree) => tree.contains(member),
        }
    }

    /// Whether it has no member.
    #[must_use]
    pub fn is_empty(self) -> bool {
        match self {
            Self::List(list) => list.is_empty(),
            Self::Tree(tree) => tree.is_empty(),
        }
    }

    /// Shows each member, in the order in which the ticket has them.
    pub fn each(self, mut see: impl FnMut(&'a str)) {
        match self {
            Self::List(list) => list.iter().for_each(|member| see(member)),
            Self::Tree(tree) => tree.iter().for_each(|member| see(member)),
        }
    }

    /// The members, in the order in which the ticket has them.
    #[must_use]
    pub fn members(self) -> Vec<&'a str> {
        match self {
            Self::List(list) => list.iter().map(String::as_str).collect(),
            Self::Tree(tree) => tree.iter().map(String::as_str).collect(),
        }
    }
}

/// Facts by field, for hosts that only want to evaluate conditions, and for tests.
#[derive(Debug, Clone)]
pub struct FactMap {
    now: DateTime<Utc>,
    values: BTreeMap<Field, OwnedValue>,
    texts: BTreeMap<Field, TextFact<'static>>,
    clocks: BTreeMap<Key, ClockFact>,
    calendars: Calendars,
}

#[derive(Debug, Clone)]
enum OwnedValue {
    Choice(String),
    Id(Uuid),
    Set(Vec<String>),
    Number(f64),
    Instant(DateTime<Utc>),
    Boolean(bool),
}

impl FactMap {
    /// Reads a JSON object: values by the name of their field, `null` for unset.
    ///
    /// Choices and texts are strings, ids are UUIDs, sets lists of strings,
    /// instants RFC 3339, clocks objects as [`ClockFact`] has them. Only kinds are
    /// checked, not whether a key exists.
    ///
    /// ```
    /// use helpdesk_core::condition::{FactMap, Schema};
    /// let facts = serde_json::json!({"priority": "high", "tags": ["vip"], "message_count": 2});
    /// let now = chrono::DateTime::UNIX_EPOCH;
    /// assert!(FactMap::from_json(&facts, now, &Schema::default()).is_ok());
    /// let facts = serde_json::json!({"tags": "vip"});
    /// assert!(FactMap::from_json(&facts, now, &Schema::default()).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// A fault for each unknown field and each value of another kind; its path
    /// is the name of the field.
    pub fn from_json(
        facts: &Value,
        now: DateTime<Utc>,
        schema: &Schema,
    ) -> Result<Self, Vec<Fault>> {
        let Value::Object(facts) = facts else {
            return Err(vec![Fault::invalid("", "facts are an object: values by field")]);
        };
        let mut map = Self {
            now,
            values: BTreeMap::new(),
            texts: BTreeMap::new(),
            clocks: BTreeMap::new(),
            calendars: Calendars::default(),
        };
        let mut faults = Vec::new();
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_null()) {
            if let Err(fault) = map.insert(name, value, schema) {
                faults.push(fault.under(name));
            }
        }
        if faults.is_empty() { Ok(map) } else { Err(faults) }
    }

    /// The same facts, by these calendars.
    #[must_use]
    pub fn with_calendars(mut self, calendars: Calendars) -> Self {
        self.calendars = calendars;
        self
    }

    fn insert(&mut self, name: &str, value: &Value, schema: &Schema) -> Result<(), Fault> {
        let field: Field = name.parse().map_err(|mut fault: Fault| {
            fault.message += &suggestion(name, Field::built_in_names());
            fault
        })?;
        let Some(kind) = schema.kind(&field) else {
            return Err(Fault::invalid("", "the custom field or the metric is not declared"));
        };
        if let Field::Sla(metric) = field {
            let clock = serde_json::from_value(value.clone());
            let clock = clock.map_err(|error| Fault::invalid("", format!("no clock: {error}")))?;
            self.clocks.insert(metric, clock);
            return Ok(());
        }
        if field == Field::Text {
            return Err(Fault::invalid("", "`text` is the subject and the body: give these"));
        }
        if kind == FieldKind::Text {
            let text = value.as_str().ok_or_else(|| wrong_kind("a string", value))?;
            self.texts.insert(field, TextFact::new(text.to_owned(), schema.fold));
        } else {
            self.values.insert(field, owned_value(kind, value)?);
        }
        Ok(())
    }
}

fn owned_value(kind: FieldKind, value: &Value) -> Result<OwnedValue, Fault> {
    let (made, wanted) = match kind {
        FieldKind::Choice | FieldKind::Text => {
            (value.as_str().map(|text| OwnedValue::Choice(text.to_owned())), "a string")
        }
        FieldKind::Id => {
            (value.as_str().and_then(|text| text.parse().ok()).map(OwnedValue::Id), "a UUID")
        }
        FieldKind::Set => (strings(value).map(OwnedValue::Set), "a list of strings"),
        FieldKind::Number => (value.as_f64().map(OwnedValue::Number), "a number"),
        FieldKind::Instant => {
            let instant = value.as_str().and_then(instant_of);
            (instant.map(OwnedValue::Instant), "an RFC 3339 instant")
        }
        FieldKind::Boolean => (value.as_bool().map(OwnedValue::Boolean), "true or false"),
        FieldKind::Hours | FieldKind::Clock => {
            return Err(Fault::invalid("", "no ticket brings this: the question does"));
        }
    };
    made.ok_or_else(|| wrong_kind(wanted, value))
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|entry| entry.as_str().map(str::to_owned)).collect()
}

/// Reads an RFC 3339 instant.
pub(super) fn instant_of(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc())
}

/// "`5` is not a string".
pub(super) fn wrong_kind(wanted: &str, value: &Value) -> Fault {
    Fault::invalid("", format!("`{}` is not {wanted}", clip(&value.to_string())))
}

impl Facts for FactMap {
    fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn value(&self, field: &Field) -> Option<FactValue<'_>> {
        self.values.get(field).map(|value| match value {
            OwnedValue::Choice(key) => FactValue::Choice(key),
            OwnedValue::Id(id) => FactValue::Id(*id),
            OwnedValue::Set(members) => FactValue::Set(FactSet::List(members)),
            OwnedValue::Number(number) => FactValue::Number(*number),
            OwnedValue::Instant(instant) => FactValue::Instant(*instant),
            OwnedValue::Boolean(boolean) => FactValue::Boolean(*boolean),
        })
    }

    fn text(&self, field: &Field) -> Option<&TextFact<'_>> {
        self.texts.get(field)
    }

    fn calendar(&self, key: &Key) -> Option<&Calendar> {
        self.calendars.get(key)
    }

    fn clock(&self, metric: &Key) -> Option<ClockFact> {
        self.clocks.get(metric).copied()
    }
}
