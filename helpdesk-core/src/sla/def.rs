//! Metrics as people write them: when a clock starts, stops, pauses.

use crate::actor::ActorKind;
use crate::condition::ConditionSource;
use crate::id::Key;
use crate::ticket::status::StatusCategory;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to a ticket, as far as clocks look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Occurrence {
    /// It is opened.
    Created,
    /// A message comes, with the ticket or later.
    #[default]
    Message,
    /// Its status changes.
    Status,
    /// A plain field changes.
    Fields,
    /// Its group changes.
    Group,
    /// Its assignee changes.
    Assignee,
    /// A policy is chosen for it, after it was opened.
    Policy,
}

/// From when a cycle counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// From the event that starts it.
    #[default]
    EventTime,
    /// From the ticket's opening.
    TicketCreated,
}

/// One kind of moment. Every part that is given must fit.
///
/// ```
/// use helpdesk_core::sla::def::OccasionDef;
/// let reply: OccasionDef = serde_json::from_str(
///     r#"{"on": "message", "by": ["agent"], "public": true}"#,
/// )?;
/// assert_eq!(reply.by.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OccasionDef {
    /// What happens.
    pub on: Occurrence,
    /// Who wrote the message; anybody when empty. The one who opens the ticket
    /// counts as the writer of its first message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<ActorKind>,
    /// Whether requesters can read the message; either when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// The status category before, on `status`; any when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<StatusCategory>,
    /// The ticket's status category afterwards; any when empty.
    #[serde(default, rename = "in", skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<StatusCategory>,
    /// Not once a human agent has answered in public.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unless_answered: bool,
    /// Only after each of these metrics, which stand before in the list: its
    /// clock is closed, or it has none and a human agent has answered in public.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Key>,
    /// From when a cycle counts that starts so; only in `start`.
    #[serde(default)]
    pub anchor: Anchor,
    /// A test on the ticket; none when absent.
    #[serde(default)]
    pub when: ConditionSource,
}

/// When an open clock is paused: in one of these categories, or while the
/// condition holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseDef {
    /// In these status categories.
    #[serde(default, rename = "in", skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<StatusCategory>,
    /// While this holds; `"never"` when absent.
    #[serde(default = "never")]
    pub when: ConditionSource,
}

impl Default for PauseDef {
    fn default() -> Self {
        Self { within: Vec::new(), when: never() }
    }
}

fn never() -> ConditionSource {
    ConditionSource(serde_json::Value::from("never"))
}

/// What a start does after the metric was met or missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CycleMode {
    /// Nothing: the metric is measured once a ticket.
    #[default]
    Once,
    /// A new cycle from nothing.
    Restart,
    /// The same cycle goes on with its time.
    Accumulate,
    /// A new cycle from nothing, and the one before counts no more.
    LatestOnly,
}

/// What becomes of a clock's time when another policy, or another target of
/// the same one, takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnPolicyChange {
    /// It stays.
    #[default]
    KeepElapsed,
    /// The clock counts from now, from nothing.
    RestartNow,
    /// The stretches in which the clock ran are counted anew, from the cycle's
    /// start, in the calendar of the new target.
    RestartFromAnchor,
}

/// Which of a ticket's two policies a metric follows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// What was promised to requesters.
    #[default]
    Requester,
    /// What groups promised to each other.
    Group,
}

/// What is measured, as the configuration has it. Everything a vendor's SLA
/// metrics do is said by this data; see [`Preset`](super::presets::Preset).
///
/// ```
/// use helpdesk_core::sla::def::{CycleMode, MetricDef};
/// let metric: MetricDef = serde_json::from_value(serde_json::json!({
///     "key": "vendor_wait",
///     "start": [{"on": "status", "in": ["on_hold"]}],
///     "stop": [{"on": "status", "from": ["on_hold"]}],
///     "cycle": "restart",
/// }))?;
/// assert_eq!(metric.cycle, CycleMode::Restart);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricDef {
    /// Its key.
    pub key: Key,
    /// What people read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Which policy it follows.
    #[serde(default)]
    pub slot: Slot,
    /// A clock starts on the first of these.
    pub start: Vec<OccasionDef>,
    /// An open clock stops on any of these: met or missed.
    pub stop: Vec<OccasionDef>,
    /// An open clock is given up on any of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancel: Vec<OccasionDef>,
    /// An open clock counts from nothing again on any of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<OccasionDef>,
    /// When an open clock is paused.
    #[serde(default)]
    pub pause: PauseDef,
    /// What a start does after the metric was met or missed.
    #[serde(default)]
    pub cycle: CycleMode,
    /// With `accumulate`: whether the time between stop and start counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub count_solved_gap: bool,
    /// Whether a bot's message is an agent's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts_as_human: bool,
    /// Whether an open clock counts from when the requester of a ticket merged
    /// into this one began to wait, where that is earlier.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carries_on_merge: bool,
    /// What becomes of its time under another policy or target.
    #[serde(default)]
    pub on_policy_change: OnPolicyChange,
}
