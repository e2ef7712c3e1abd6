//! Views: saved conditions with an order.

use crate::condition::{Condition, ConditionSource};
use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// By what tickets are ordered. Unset values come last either way; ties go by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderBy {
    /// The ticket number's count.
    #[default]
    Number,
    /// Opened.
    CreatedAt,
    /// Last event.
    UpdatedAt,
    /// Last message of a contact.
    LastRequesterAt,
    /// Priority.
    Priority,
    /// When the first target of a running clock is used up.
    DueAt,
    /// The status category, then the status key.
    Status,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Direction {
    /// Small first.
    #[default]
    #[serde(rename = "asc")]
    Ascending,
    /// Great first.
    #[serde(rename = "desc")]
    Descending,
}

/// A view, as the configuration has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewDef {
    /// Its key.
    pub key: Key,
    /// What people read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Which tickets; all when absent.
    #[serde(default)]
    pub when: ConditionSource,
    /// By what it is ordered.
    #[serde(default)]
    pub order: OrderBy,
    /// Which way.
    #[serde(default)]
    pub direction: Direction,
    /// Only for agents of these groups; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Key>,
}

/// A view, its condition parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its key.
    pub key: Key,
    /// What people read.
    pub name: String,
    /// Which tickets.
    pub condition: Condition,
    /// By what it is ordered.
    pub order: OrderBy,
    /// Which way.
    pub direction: Direction,
    /// Only for agents of these groups; empty for all.
    pub groups: Vec<Key>,
}
