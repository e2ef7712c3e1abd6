//! What exists in a desk, so that conditions can be checked when they are loaded.

use super::clip;
use super::field::{Field, FieldKind};
use super::text::FoldOptions;
use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The declared type of a custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum CustomKind {
    /// One of these values.
    Choice {
        /// The values there are.
        values: BTreeSet<String>,
    },
    /// Any number of these values.
    MultiChoice {
        /// The values there are.
        values: BTreeSet<String>,
    },
    /// Free text.
    Text,
    /// A number.
    Number,
    /// An instant.
    Instant,
    /// True or false.
    Boolean,
}

impl CustomKind {
    /// Which operators fit.
    #[must_use]
    pub fn kind(&self) -> FieldKind {
        match self {
            Self::Choice { .. } => FieldKind::Choice,
            Self::MultiChoice { .. } => FieldKind::Set,
            Self::Text => FieldKind::Text,
            Self::Number => FieldKind::Number,
            Self::Instant => FieldKind::Instant,
            Self::Boolean => FieldKind::Boolean,
        }
    }
}

/// What conditions may name: the keys of the desk's choices and sets, its
/// custom fields, and how it folds texts.
///
/// ```
/// use helpdesk_core::condition::{Condition, CustomKind, Field, Schema};
/// use helpdesk_core::id::Key;
/// use serde_json::json;
///
/// let schema = Schema::default()
///     .with_values(Field::Group, ["billing", "support"])
///     .with_custom(Key::new("seats")?, CustomKind::Number);
/// assert!(Condition::parse(&json!({"field": "custom.seats", "ge": 10}), &schema).is_ok());
///
/// let faults = Condition::parse(&json!({"field": "group", "is": "biling"}), &schema);
/// let message = faults.err().map(|faults| faults[0].to_string()).unwrap_or_default();
/// assert_eq!(message, "is: `biling` is no value of group; near it: `billing`, `support`");
/// # Ok::<(), helpdesk_core::fault::Fault>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// How texts are folded and cut.
    pub fold: FoldOptions,
    /// The values of choices and sets that are closed. A field that is not
    /// here takes any text. Only choices and sets are looked up.
    pub values: BTreeMap<Field, BTreeSet<String>>,
    /// The custom fields.
    pub custom: BTreeMap<Key, CustomKind>,
    /// The calendars; `None` when any key goes.
    pub calendars: Option<BTreeSet<Key>>,
    /// The SLA metrics; `None` when any key goes.
    pub metrics: Option<BTreeSet<Key>>,
}

/// The choices that are the same in every desk.
const BUILT_IN_VALUES: &[(Field, &[&str])] = &[
    (Field::StatusCategory, &["new", "open", "pending", "on_hold", "solved", "closed"]),
    (Field::Priority, &["low", "normal", "high", "urgent"]),
    (Field::Type, &["question", "incident", "problem", "task", "service_request", "change"]),
    (Field::Channel, &["email", "chat", "form", "phone", "social", "api"]),
];

impl Default for Schema {
    /// The choices that are the same in every desk, and nothing of a desk's own.
    fn default() -> Self {
        let mut values = BTreeMap::new();
        for (field, keys) in BUILT_IN_VALUES {
            values.insert(field.clone(), keys.iter().map(|&key| key.to_owned()).collect());
        }
        Self {
            fold: FoldOptions::default(),
            values,
            custom: BTreeMap::new(),
            calendars: None,
            metrics: None,
        }
    }
}

impl Schema {
    /// Closes a choice or a set: these values exist, and no others.
    #[must_use]
    pub fn with_values<V: Into<String>>(
        mut self,
        field: Field,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.values.insert(field, values.into_iter().map(Into::into).collect());
        self
    }

    /// Declares a custom field.
    #[must_use]
    pub fn with_custom(mut self, key: Key, kind: CustomKind) -> Self {
        self.custom.insert(key, kind);
        self
    }

    /// Closes the calendars: these exist, and no others.
    #[must_use]
    pub fn with_calendars(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.calendars = Some(keys.into_iter().collect());
        self
    }

    /// Closes the SLA metrics: these exist, and no others.
    #[must_use]
    pub fn with_metrics(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.metrics = Some(keys.into_iter().collect());
        self
    }

    /// Sets how texts are folded and cut.
    #[must_use]
    pub fn with_fold(mut self, fold: FoldOptions) -> Self {
        self.fold = fold;
        self
    }

    /// What the field holds; `None` for a custom field or a metric that is not
    /// declared.
    #[must_use]
    pub fn kind(&self, field: &Field) -> Option<FieldKind> {
        match field {
            Field::Custom(key) => self.custom.get(key).map(CustomKind::kind),
            Field::Sla(metric) => {
                let is_known = self.metrics.as_ref().is_none_or(|metrics| metrics.contains(metric));
                is_known.then_some(FieldKind::Clock)
            }
            built_in => built_in.built_in_kind(),
        }
    }

    /// The names of all fields.
    #[must_use]
    pub(crate) fn field_names(&self) -> Vec<String> {
        let custom = self.custom.keys().map(|key| format!("custom.{key}"));
        let metrics = self.metrics.iter().flatten().map(|metric| format!("sla.{metric}"));
        let built_in = Field::built_in_names().map(str::to_owned);
        built_in.chain(custom).chain(metrics).collect()
    }

    /// The values of a closed choice or set; `None` when any text goes.
    #[must_use]
    pub fn values_of(&self, field: &Field) -> Option<&BTreeSet<String>> {
        let Field::Custom(key) = field else { return self.values.get(field) };
        match self.custom.get(key)? {
            CustomKind::Choice { values } | CustomKind::MultiChoice { values } => Some(values),
            CustomKind::Text | CustomKind::Number | CustomKind::Instant | CustomKind::Boolean => {
                None
            }
        }
    }
}

/// How many names a suggestion has at most.
const SUGGESTED_MAX: usize = 3;

/// "; near it: `a`, `b`", or what stands in for it when there are no names.
pub(crate) fn suggestion<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    let wrong = clip(wrong);
    let mut near: Vec<(usize, &str)> =
        names.map(|name| (edit_distance(&wrong, &clip(name)), name)).collect();
    near.sort_unstable();
    if near.is_empty() {
        return "; none is defined".to_owned();
    }
    let named: Vec<String> =
        near.iter().take(SUGGESTED_MAX).map(|(_, name)| format!("`{name}`")).collect();
    format!("; near it: {}", named.join(", "))
}

/// How many chars must be added, dropped or replaced to make `b` of `a`.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
