//! Escalation policies: which tickets, which steps, how often, and when they end.

use super::oncall::ScheduleDef;
use super::step::{StepDef, Target};
use super::tier::{Tier, TierDef};
use crate::condition::{Compiled, Condition, ConditionSource, Facts, suggestion};
use crate::escalation::schedule::Schedule;
use crate::fault::{Code, Fault};
use crate::id::{Key, Version};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An escalation policy, as the configuration has it.
///
/// ```
/// use helpdesk_core::escalation::policy::{PolicyDef, Repeat};
/// let policy: PolicyDef = serde_json::from_value(serde_json::json!({
///     "key": "outage",
///     "when": {"field": "priority", "is": "urgent"},
///     "steps": [
///         {"trigger": {"type": "after", "seconds": 300}, "targets": [{"type": "schedule", "key": "duty"}]},
///         {"trigger": {"type": "after", "seconds": 900}, "kind": {"type": "functional", "to": {"type": "next_tier"}}},
///     ],
///     "repeat": {"type": "times", "n": 2},
///     "ack_timeout": {"seconds": 3600},
/// }))?;
/// assert_eq!(policy.repeat, Repeat::Times { n: 2 });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDef {
    /// Its key.
    pub key: Key,
    /// What people read; the key when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Lower is tried first; ten times its index in the list when absent. No two
    /// policies have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Which tickets; all when absent.
    #[serde(default)]
    pub when: ConditionSource,
    /// What is done, in order.
    pub steps: Vec<StepDef>,
    /// What happens after the last step.
    #[serde(default)]
    pub repeat: Repeat,
    /// What happens when it is at its end, and the ticket not.
    #[serde(default)]
    pub on_exhausted: OnExhausted,
    /// Whom to notify when a step's targets are nobody, or the policy is at its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<Target>,
    /// How long an acknowledgement holds; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_timeout: Option<AckTimeout>,
    /// What stops it, beside the ticket being solved. Acknowledging alone when absent.
    #[serde(default = "on_ack")]
    pub stop_on: BTreeSet<StopOn>,
    /// The calendar in whose hours steps fire: one that comes due outside of them
    /// waits until it opens. At any time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Key>,
    /// Whether tickets on which it runs follow when it is edited; they keep what
    /// it was otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow_edits: bool,
}

/// What happens after the last step. A step that comes out of turn does not
/// come again, unless its clock has another cycle or target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Repeat {
    /// The policy is at its end.
    #[default]
    Never,
    /// It begins again so many times.
    Times {
        /// How many, from 1 to 9.
        n: u32,
    },
    /// It begins again until the ticket is solved.
    UntilResolved {
        /// Loops in all, from 1 to 1,000; then it is at its end.
        max_total: u32,
    },
}

impl Repeat {
    /// Whether another loop follows when there were `n_repeats` after the first.
    #[must_use]
    pub fn goes_on(self, n_repeats: u32) -> bool {
        match self {
            Self::Never => false,
            Self::Times { n } => n_repeats < n,
            Self::UntilResolved { max_total } => n_repeats.saturating_add(1) < max_total,
        }
    }
}

/// What happens when a policy is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnExhausted {
    /// Nothing.
    #[default]
    Hold,
    /// The policy's fallback is notified.
    NotifyFallback,
}

/// How long an acknowledgement holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AckTimeout {
    /// Seconds of the wall clock, from 1.
    pub seconds: u64,
    /// Where it goes on.
    #[serde(default)]
    pub then: AfterAck,
}

/// Where a policy goes on when an acknowledgement holds no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterAck {
    /// At its first step.
    #[default]
    Restart,
    /// At the step that was next; its wait begins anew.
    Resume,
}

/// What stops a policy before its end.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StopOn {
    /// An agent acknowledges it: steps wait, but for those of SLA clocks.
    Ack,
    /// An agent answers in public: it is over.
    Reply,
    /// The ticket is given to an agent: it is over.
    Assign,
    /// The ticket is solved or merged: it is over. So it is anyway.
    Resolve,
}

/// Time in which nobody is notified: notifications wait until its end. Clocks
/// and steps go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceDef {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
    /// Only on tickets of these groups; on all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Key>,
}

/// A policy that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// As it was written.
    pub def: Arc<PolicyDef>,
    /// Which tickets.
    pub when: Condition,
    /// Its place: lower is tried first.
    pub position: i64,
}

/// A policy as it was when a ticket's escalation began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version of the configuration it is of.
    pub rev: Version,
    /// It.
    pub policy: Arc<PolicyDef>,
}

/// The sections of a configuration that are about escalation.
#[derive(Debug, Clone, Copy, Default)]
pub struct EscalationDefs<'a> {
    /// Levels of support: `tiers`.
    pub tiers: &'a [TierDef],
    /// On-call schedules: `schedules`.
    pub schedules: &'a [ScheduleDef],
    /// Policies: `escalations`.
    pub policies: &'a [PolicyDef],
    /// Windows of maintenance: `maintenance`.
    pub maintenance: &'a [MaintenanceDef],
}

/// Everything that a desk defines for escalation, checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Escalations {
    /// Levels of support, from the first.
    pub tiers: Vec<Tier>,
    /// On-call schedules.
    pub schedules: BTreeMap<Key, Schedule>,
    /// Policies, in the order in which they are tried.
    pub policies: Compiled<Policy>,
    /// Windows of maintenance.
    pub maintenance: Vec<MaintenanceDef>,
}

impl Escalations {
    /// The policy with this key.
    #[must_use]
    pub fn policy(&self, key: &Key) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.def.key == *key)
    }

    /// Until when notifications about a ticket of `group` wait; `None` outside
    /// of maintenance. Windows that overlap or touch are one.
    #[must_use]
    pub fn held_until(&self, group: Option<&Key>, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_meant = |window: &&MaintenanceDef| {
            window.groups.is_empty() || group.is_some_and(|group| window.groups.contains(group))
        };
        let mut held = None;
        for _ in 0..self.maintenance.len() {
            let now = held.unwrap_or(at);
            let covers = |window: &&MaintenanceDef| window.from <= now && now < window.to;
            let end = self.maintenance.iter().filter(is_meant).filter(covers).map(|w| w.to).max();
            let Some(end) = end else { break };
            held = Some(end);
        }
        held
    }
}

/// The policy of a ticket: the first that holds, by position and key. The order
/// of `policies` does not matter.
#[must_use]
pub fn select<'a>(policies: &'a [Policy], facts: &dyn Facts) -> Option<&'a Policy> {
    let mut ordered: Vec<&Policy> = policies.iter().collect();
    ordered.sort_by(|a, b| (a.position, &a.def.key).cmp(&(b.position, &b.def.key)));
    ordered.into_iter().find(|policy| policy.when.holds(facts))
}

/// What the rest of a configuration defines. `None` where that cannot be said;
/// then no key of the kind is a fault.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Keys of groups.
    pub groups: Option<&'a BTreeSet<Key>>,
    /// Keys of queues.
    pub queues: Option<&'a BTreeSet<Key>>,
    /// Keys of skills.
    pub skills: Option<&'a BTreeSet<Key>>,
    /// Keys of statuses.
    pub statuses: Option<&'a BTreeSet<Key>>,
    /// Keys of calendars.
    pub calendars: Option<&'a BTreeSet<Key>>,
    /// Keys of SLA metrics.
    pub metrics: Option<&'a BTreeSet<Key>>,
    /// Keys of tiers.
    pub tiers: Option<&'a BTreeSet<Key>>,
    /// Keys of on-call schedules.
    pub schedules: Option<&'a BTreeSet<Key>>,
}

macro_rules! resolvers {
    ($($name:ident: $field:ident, $what:literal;)*) => {$(
        pub(super) fn $name(&self, key: &Key, path: impl Into<String>, faults: &mut Vec<Fault>) {
            resolve(self.$field, $what, key, path.into(), faults);
        }
    )*};
}

impl Known<'_> {
    resolvers! {
        group: groups, "group";
        queue: queues, "queue";
        skill: skills, "skill";
        status: statuses, "status";
        calendar: calendars, "calendar";
        metric: metrics, "metric";
        tier: tiers, "tier";
        schedule: schedules, "on-call schedule";
    }
}

fn resolve(
    keys: Option<&BTreeSet<Key>>,
    what: &str,
    key: &Key,
    path: String,
    faults: &mut Vec<Fault>,
) {
    let Some(keys) = keys.filter(|keys| !keys.contains(key)) else { return };
    let near = suggestion(key.as_str(), keys.iter().map(Key::as_str));
    faults.push(Fault::new(path, Code::NotConfigured, format!("there is no {what} `{key}`{near}")));
}

fn on_ack() -> BTreeSet<StopOn> {
    BTreeSet::from([StopOn::Ack])
}
