//! Policies: which targets a ticket has. The first that matches counts.

use super::def::Slot;
use crate::clock::{PolicyRef, Threshold};
use crate::condition::{
    Compiled, Condition, ConditionSource, Evidence, FactValue, Facts, Field, Scratch,
};
use crate::id::Key;
use crate::limit::{TRACE_BECAUSE_MAX, TRACE_RULES_MAX};
use crate::ticket::priority::Priority;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a ticket keeps its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
    /// It has the one that matches now.
    #[default]
    Follow,
    /// It keeps the one it was given, for as long as that exists.
    OnCreate,
}

/// How running clocks take a changed calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recalculation {
    /// Each stretch counts in the calendar that was then in force.
    #[default]
    FromNow,
    /// The whole cycle counts in the new calendar.
    Whole,
    /// At the ticket's next event, the stretch that still runs counts in the new calendar.
    NextEvent,
}

/// One target. Everything that is given must fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetDef {
    /// For tickets of these priorities; for all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priorities: Vec<Priority>,
    /// For tickets on which this holds.
    #[serde(default)]
    pub when: ConditionSource,
    /// Seconds of working time allowed.
    pub seconds: u64,
    /// The calendar in which it counts; the policy's when absent. `always` is
    /// there on every desk: around the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Key>,
}

/// The targets of one metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricTargetsDef {
    /// What is measured.
    pub metric: Key,
    /// The first that fits counts. Where none does, the clock only measures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetDef>,
    /// When to warn; the policy's own thresholds when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<Vec<Threshold>>,
}

/// A policy, as the configuration has it.
///
/// ```
/// use helpdesk_core::sla::policy::SlaPolicyDef;
/// let policy: SlaPolicyDef = serde_json::from_value(serde_json::json!({
///     "key": "gold",
///     "when": {"field": "requester_tier", "is": "vip"},
///     "calendar": "office",
///     "warn_at": [{"percent": 75}],
///     "metrics": [{"metric": "first_reply", "targets": [
///         {"priorities": ["urgent"], "seconds": 900, "calendar": "always"},
///         {"seconds": 3600},
///     ]}],
/// }))?;
/// assert_eq!(policy.metrics[0].targets[1].seconds, 3600);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlaPolicyDef {
    /// Its key.
    pub key: Key,
    /// What people read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Lower is tried first; ten times its place in the list when absent. No
    /// two policies of a slot share one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Which tickets; all when absent.
    #[serde(default)]
    pub when: ConditionSource,
    /// Whose promise it is.
    #[serde(default)]
    pub slot: Slot,
    /// Chosen from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<DateTime<Utc>>,
    /// Chosen before this instant only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<DateTime<Utc>>,
    /// Whether a ticket keeps it.
    #[serde(default)]
    pub pin: Pin,
    /// The calendar of its targets; `always` when absent: around the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Key>,
    /// The calendar in whose hours people are told of warnings and breaches;
    /// outside of them they are told at the next opening. `always` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_hours: Option<Key>,
    /// How running clocks take a changed calendar.
    #[serde(default)]
    pub recalculation: Recalculation,
    /// When to warn, for metrics that do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warn_at: Vec<Threshold>,
    /// What is measured. A metric that is not here has no clock.
    pub metrics: Vec<MetricTargetsDef>,
}

/// A target, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// For tickets of these priorities; for all when empty.
    pub priorities: Vec<Priority>,
    /// For tickets on which this holds.
    pub when: Condition,
    /// Seconds of working time allowed, more than 0.
    pub seconds: i64,
    /// The calendar in which it counts.
    pub calendar: Key,
}

/// The targets of one metric, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricTargets {
    /// What is measured.
    pub metric: Key,
    /// The first that fits counts.
    pub targets: Vec<Target>,
    /// When to warn.
    pub warn_at: Vec<Threshold>,
}

impl MetricTargets {
    /// The target of a ticket with these facts.
    #[must_use]
    pub fn target<F: Facts + ?Sized>(&self, facts: &F) -> Option<&Target> {
        self.targets.iter().find(|target| {
            (target.priorities.is_empty() || has_priority(&target.priorities, facts))
                && target.when.holds(facts)
        })
    }
}

fn has_priority<F: Facts + ?Sized>(priorities: &[Priority], facts: &F) -> bool {
    let Some(FactValue::Choice(word)) = facts.value(&Field::Priority) else { return false };
    priorities.iter().any(|priority| priority.as_str() == word)
}

/// A policy, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct SlaPolicy {
    /// Its key.
    pub key: Key,
    /// What people read.
    pub name: String,
    /// Changes whenever the policy does; clocks remember it.
    pub revision: u64,
    /// Lower is tried first; ties go by key.
    pub position: i64,
    /// Which tickets.
    pub when: Condition,
    /// Whose promise it is.
    pub slot: Slot,
    /// Chosen from this instant on.
    pub valid_from: Option<DateTime<Utc>>,
    /// Chosen before this instant only.
    pub valid_until: Option<DateTime<Utc>>,
    /// Whether a ticket keeps it.
    pub pin: Pin,
    /// The calendar of clocks without a target.
    pub calendar: Key,
    /// The calendar in whose hours people are told of warnings and breaches.
    pub notice_hours: Key,
    /// How running clocks take a changed calendar.
    pub recalculation: Recalculation,
    /// What is measured.
    pub metrics: Vec<MetricTargets>,
}

impl SlaPolicy {
    /// What a ticket keeps of it.
    #[must_use]
    pub fn reference(&self) -> PolicyRef {
        PolicyRef { key: self.key.clone(), revision: self.revision }
    }

    /// By this policies are tried: position, then key.
    #[must_use]
    pub fn order(&self) -> (i64, &Key) {
        (self.position, &self.key)
    }

    /// The targets of a metric; `None` when the policy leaves it out.
    #[must_use]
    pub fn targets_of(&self, metric: &Key) -> Option<&MetricTargets> {
        self.metrics.iter().find(|targets| targets.metric == *metric)
    }

    fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.valid_from.is_none_or(|from| from <= now)
            && self.valid_until.is_none_or(|until| now < until)
    }
}

/// The policy that a ticket has in a slot from `now` on; `None` when none matches.
///
/// A ticket that has `current`, pinned, keeps it while it exists, whether it
/// still matches or is valid. Otherwise the first by (position, key) counts
/// that is valid at `now`, half-open, and whose condition holds. The order of
/// `policies` does not matter; in order, none behind the first match is tried.
#[must_use]
pub fn pick<'p, F: Facts + ?Sized>(
    policies: &'p [SlaPolicy],
    slot: Slot,
    current: Option<&Key>,
    facts: &F,
    now: DateTime<Utc>,
) -> Option<&'p SlaPolicy> {
    if let Some(pinned) = pinned(policies, slot, current) {
        return Some(pinned);
    }
    let mut first: Option<&SlaPolicy> = None;
    for policy in policies.iter().filter(|policy| policy.slot == slot) {
        let comes_before = first.is_none_or(|first| policy.order() < first.order());
        if comes_before && policy.is_valid(now) && policy.when.holds(facts) {
            first = Some(policy);
        }
    }
    first
}

/// [`pick`] of policies in order, compiled: its cost hardly grows with their number.
#[must_use]
pub fn pick_compiled<'p, F: Facts + ?Sized>(
    policies: &'p Compiled<SlaPolicy>,
    slot: Slot,
    current: Option<&Key>,
    facts: &F,
    now: DateTime<Utc>,
    scratch: &mut Scratch,
) -> Option<&'p SlaPolicy> {
    if let Some(pinned) = pinned(policies, slot, current) {
        return Some(pinned);
    }
    let accept = |policy: &SlaPolicy| policy.slot == slot && policy.is_valid(now);
    policies.find(facts, scratch, accept).map(|(_, policy)| policy)
}

fn pinned<'p>(
    policies: &'p [SlaPolicy],
    slot: Slot,
    current: Option<&Key>,
) -> Option<&'p SlaPolicy> {
    let own = policies.iter().find(|policy| policy.slot == slot && Some(&policy.key) == current);
    own.filter(|policy| policy.pin == Pin::OnCreate)
}

/// How a policy was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PickedBy {
    /// The ticket has it, and keeps it.
    Pinned,
    /// It is the first that matches.
    FirstMatch,
    /// None matches.
    NoMatch,
}

/// Why a policy that comes before the chosen one was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyMissed {
    /// The policy.
    pub policy: Key,
    /// The first part of its condition that decided so; absent for a policy
    /// that is not valid now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Evidence>,
}

/// Why a ticket has a policy, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyTrace {
    /// In which slot.
    pub slot: Slot,
    /// How.
    pub by: PickedBy,
    /// The policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Key>,
    /// Its revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// What decided, in words; at most [`TRACE_BECAUSE_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
    /// Policies tried before, in order; the first [`TRACE_RULES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<PolicyMissed>,
}

/// [`pick`] with its reasons.
#[must_use]
pub fn explain_pick<F: Facts + ?Sized>(
    policies: &[SlaPolicy],
    slot: Slot,
    current: Option<&Key>,
    facts: &F,
    now: DateTime<Utc>,
) -> PolicyTrace {
    let picked = pick(policies, slot, current, facts, now);
    let is_pinned = pinned(policies, slot, current).is_some();
    let by = match (picked, is_pinned) {
        (Some(_), true) => PickedBy::Pinned,
        (Some(_), false) => PickedBy::FirstMatch,
        (None, _) => PickedBy::NoMatch,
    };
    let mut before: Vec<&SlaPolicy> = policies
        .iter()
        .filter(|policy| policy.slot == slot && !is_pinned)
        .filter(|policy| picked.is_none_or(|picked| policy.order() < picked.order()))
        .collect();
    before.sort_by(|a, b| a.order().cmp(&b.order()));
    let missed = before.into_iter().take(TRACE_RULES_MAX).map(|policy| PolicyMissed {
        policy: policy.key.clone(),
        because: if policy.is_valid(now) {
            policy.when.evidence(facts).into_iter().next()
        } else {
            None
        },
    });
    let because = picked.filter(|_| !is_pinned).map(|policy| {
        let evidence = policy.when.evidence(facts).into_iter().take(TRACE_BECAUSE_MAX);
        evidence.map(|part| part.to_string()).collect()
    });
    PolicyTrace {
        slot,
        by,
        policy: picked.map(|policy| policy.key.clone()),
        revision: picked.map(|policy| policy.revision),
        because: because.unwrap_or_default(),
        missed: missed.collect(),
    }
}
