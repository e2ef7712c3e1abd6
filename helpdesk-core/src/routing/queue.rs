//! Queues: where a ticket waits for an agent.

use super::stage::{Selector, Stage};
use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a ticket comes from the queue to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum QueueMode {
    /// Agents take it themselves.
    #[default]
    Pull,
    /// It is assigned at once.
    Assign,
    /// It is offered, and assigned when accepted.
    Offer {
        /// How long an offer stands.
        timeout_seconds: u32,
    },
}

/// By what a queue orders its tickets; `entered_queue_at` and id break ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueSort {
    /// Oldest first.
    #[default]
    Age,
    /// Most urgent first; tickets without priority count as normal.
    Priority,
    /// Due first, by the earliest of the running SLA clocks; tickets that are due
    /// at no time come last.
    Deadline,
}

/// At most so much work for one agent in so long a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Tickets at most, at least 1.
    pub max: u32,
    /// In any so many seconds.
    pub per_seconds: u64,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Its key.
    pub key: Key,
    /// What people read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its group; a ticket routed here gets it.
    pub group: Key,
    /// Lower is served first by agents who serve several queues; ties go by key.
    #[serde(default)]
    pub order: i64,
    /// By what its tickets are ordered.
    #[serde(default)]
    pub sort: QueueSort,
    /// With sort `priority`: a ticket counts as one level more urgent for each
    /// such interval it has waited, so that nothing starves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ageing_seconds: Option<u64>,
    /// How a ticket comes to an agent.
    #[serde(default)]
    pub mode: QueueMode,
    /// Its stages, by `after_seconds`; none for one stage of the own group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// Whether the agent who had the ticket, or answered this requester last, is preferred.
    #[serde(default = "yes")]
    pub affinity: bool,
    /// Wait for such an agent for this long when they are only busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity_wait_seconds: Option<u64>,
    /// Give an agent nothing for this long after the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u64>,
    /// Give an agent nothing while they were given so much in so long a time, work of
    /// every queue, and what they took themselves, being counted; an offer and its
    /// acceptance count once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// A reopened ticket whose assignee is gone goes before all others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopen_front: bool,
    /// Take a ticket from its assignee when nothing happens for this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_unassign_seconds: Option<u64>,
    /// The calendar in whose hours `idle_unassign_seconds` counts; the wall clock
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_calendar: Option<Key>,
    /// An agent who takes a ticket must answer within this time, or loses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_within_seconds: Option<u64>,
    /// An agent who rejects an offer, or lets it expire, is not offered the
    /// ticket for this long; for ever when absent, not at all when 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_seconds: Option<u64>,
}

fn yes() -> bool {
    true
}

impl Queue {
    /// How its stages choose one of several agents; a queue without stages has one.
    pub fn selectors(&self) -> impl Iterator<Item = Selector> {
        let of_one = self.stages.is_empty().then(Selector::default);
        self.stages.iter().map(|stage| stage.selector).chain(of_one)
    }
}

/// How many instants of [`AgentLoad::given`](crate::agent::AgentLoad::given) the rate
/// limits of these queues ask for.
pub fn n_given_kept<'q>(queues: impl IntoIterator<Item = &'q Queue>) -> usize {
    let limits = queues.into_iter().filter_map(|queue| queue.rate_limit);
    limits.map(|limit| limit.max as usize).max().unwrap_or(0)
}
