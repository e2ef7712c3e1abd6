//! What is allowed in escalation and still looks like a mistake. A lint never
//! stops a configuration.

use super::oncall::{OverrideChange, ScheduleDef};
use super::policy::{EscalationDefs, Escalations};
use super::schedule::COVERAGE_DAYS;
use super::step::Target;
use crate::agent::Roster;
use crate::id::{AgentId, Key};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A stable code of what looks like a mistake. The list grows; none changes its meaning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EscalationLintCode {
    /// Nobody is on call for a part of the year.
    ScheduleGaps,
    /// No step and no fallback asks the schedule.
    UnusedSchedule,
    /// The override has no length.
    EmptyOverride,
    /// The agent is deactivated or unknown.
    AgentInactive,
    /// No active agent is in the group that a step notifies.
    GroupWithoutAgents,
}

impl EscalationLintCode {
    /// The code as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ScheduleGaps => "schedule_gaps",
            Self::UnusedSchedule => "unused_schedule",
            Self::EmptyOverride => "empty_override",
            Self::AgentInactive => "agent_inactive",
            Self::GroupWithoutAgents => "group_without_agents",
        }
    }
}

/// One thing that looks like a mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EscalationLint {
    /// What.
    pub code: EscalationLintCode,
    /// The spot in the document, as in `schedules[1].layers`.
    pub path: String,
    /// The same in words.
    pub message: String,
}

/// What looks like a mistake in the configuration alone, but for policies that
/// others shadow: the desk's lint tells them. Schedules are looked at
/// from `from` on for [`COVERAGE_DAYS`].
#[must_use]
pub fn lint(
    defs: &EscalationDefs<'_>,
    escalations: &Escalations,
    from: DateTime<Utc>,
) -> Vec<EscalationLint> {
    let mut lints = Lints(Vec::new());
    let asked: BTreeSet<&Key> = targets(defs)
        .into_iter()
        .filter_map(|(_, target)| match target {
            Target::Schedule { key } => Some(key),
            _ => None,
        })
        .collect();
    for (i, def) in defs.schedules.iter().enumerate() {
        let path = format!("schedules[{i}]");
        if let Some(schedule) = escalations.schedules.get(&def.key) {
            let coverage = schedule.coverage(from);
            if let Some((gap_from, gap_until)) = coverage.first_gap {
                let message = format!(
                    "nobody is on call in {} stretches of {COVERAGE_DAYS} days, the first from {} to {}",
                    coverage.n_gaps,
                    shown(gap_from),
                    shown(gap_until),
                );
                lints.add(EscalationLintCode::ScheduleGaps, format!("{path}.layers"), message);
            }
        }
        if !asked.contains(&def.key) {
            let message = format!("no step and no fallback asks the schedule `{}`", def.key);
            lints.add(EscalationLintCode::UnusedSchedule, path.clone(), message);
        }
        for (j, own) in def.overrides.iter().enumerate().filter(|(_, own)| own.from == own.until) {
            let path = format!("{path}.overrides[{j}]");
            let message = format!("begins and ends at {}", shown(own.from));
            lints.add(EscalationLintCode::EmptyOverride, path, message);
        }
    }
    lints.0
}

/// What looks like a mistake with these agents: whoever is named and is not there.
#[must_use]
pub fn lint_agents(defs: &EscalationDefs<'_>, roster: &Roster) -> Vec<EscalationLint> {
    let mut lints = Lints(Vec::new());
    for (i, def) in defs.schedules.iter().enumerate() {
        for (path, agent) in agents_of(def) {
            lints.agent(agent, format!("schedules[{i}].{path}"), roster);
        }
    }
    for (path, target) in targets(defs) {
        match target {
            Target::Agent { id } => lints.agent(*id, format!("{path}.id"), roster),
            Target::Group { key } => {
                let mut agents = roster.agents.values().map(|entry| &entry.agent);
                if !agents.any(|agent| agent.active && agent.is_in(key)) {
                    let message = format!("no active agent is in the group `{key}`");
                    let code = EscalationLintCode::GroupWithoutAgents;
                    lints.add(code, format!("{path}.key"), message);
                }
            }
            Target::Assignee
            | Target::Manager { .. }
            | Target::Schedule { .. }
            | Target::Queue { .. }
            | Target::Channel { .. } => {}
        }
    }
    lints.0
}

struct Lints(Vec<EscalationLint>);

impl Lints {
    fn add(&mut self, code: EscalationLintCode, path: String, message: String) {
        self.0.push(EscalationLint { code, path, message });
    }

    fn agent(&mut self, agent: AgentId, path: String, roster: &Roster) {
        if roster.active(agent).is_none() {
            let message = format!("the agent {agent} is deactivated or unknown");
            self.add(EscalationLintCode::AgentInactive, path, message);
        }
    }
}

/// Every agent that a schedule names, with the spot.
fn agents_of(def: &ScheduleDef) -> Vec<(String, AgentId)> {
    let mut found = Vec::new();
    for (i, layer) in def.layers.iter().enumerate() {
        let of_layer = layer.participants.iter().enumerate();
        found.extend(of_layer.map(|(j, id)| (format!("layers[{i}].participants[{j}]"), *id)));
    }
    for (i, own) in def.overrides.iter().enumerate() {
        match own.change {
            OverrideChange::Add { agent } => {
                found.push((format!("overrides[{i}].do.agent"), agent));
            }
            OverrideChange::Replace { with, .. } => {
                found.push((format!("overrides[{i}].do.with"), with));
            }
            OverrideChange::Remove { .. } => {}
        }
    }
    found
}

/// Every target of a policy, with the spot.
fn targets<'a>(defs: &EscalationDefs<'a>) -> Vec<(String, &'a Target)> {
    let mut found = Vec::new();
    for (i, policy) in defs.policies.iter().enumerate() {
        for (j, step) in policy.steps.iter().enumerate() {
            let of_step = step.targets.iter().enumerate();
            found.extend(
                of_step.map(|(k, t)| (format!("escalations[{i}].steps[{j}].targets[{k}]"), t)),
            );
        }
        let fallback = policy.fallback.iter().enumerate();
        found.extend(fallback.map(|(k, t)| (format!("escalations[{i}].fallback[{k}]"), t)));
    }
    found
}

fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
