//! Routing rules: the first whose condition holds names the queue.

use crate::condition::Condition;
use crate::id::Key;
use crate::ticket::priority::{Priority, SkillLevel, TicketType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rule does to the tickets it matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteTo {
    /// The queue to wait in.
    pub queue: Key,
    /// The priority, where the ticket has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The type, where the ticket has none yet.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<TicketType>,
    /// Tags to put on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Skills its agent must have, beside those it requires already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillLevel>,
}

/// A rule, its condition parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingRule {
    /// Its key.
    pub key: Key,
    /// Lower is tried first; ties go by key.
    pub position: i64,
    /// Which tickets.
    pub when: Condition,
    /// Where to.
    pub then: RouteTo,
}
