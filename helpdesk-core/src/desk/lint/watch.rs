//! What looks like a mistake in SLA policies, escalation and who is on call.

use super::shadow::{Tried, shadowed};
use super::{Lint, LintCode, logic};
use crate::agent::Roster;
use crate::condition::{Condition, ConditionSource};
use crate::desk::Desk;
use crate::escalation::lint::{lint, lint_agents};
use crate::escalation::policy::EscalationDefs;
use crate::escalation::step::Trigger;
use crate::id::Key;
use crate::sla::def::{OccasionDef, Slot};
use crate::sla::policy::{SlaPolicy, Target};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

impl Desk {
    /// The lints of SLA and escalation that need neither agents nor a time.
    pub(super) fn lint_watch(&self) -> Vec<Lint> {
        let mut lints = Vec::new();
        for (path, when) in self.watch_conditions() {
            // Metrics that never pause say so.
            if logic::never_holds(&when) && !path.ends_with(".pause.when") {
                let message = "the condition holds on no ticket";
                lints.push(Lint::new(LintCode::ContradictoryCondition, path, message));
            }
        }
        for slot in [Slot::Requester, Slot::Group] {
            lints.extend(self.lint_sla_order(slot));
        }
        lints.extend(self.lint_escalation_order());
        lints.extend(self.lint_targets());
        lints.extend(self.lint_metrics());
        lints
    }

    /// What looks like a mistake in schedules from `now` on, and whom schedules
    /// and policies name who is not there.
    pub(super) fn lint_escalation(&self, roster: &Roster, now: DateTime<Utc>) -> Vec<Lint> {
        let document = &self.document;
        let defs = EscalationDefs {
            tiers: &document.tiers,
            schedules: &document.schedules,
            policies: &document.escalations,
            maintenance: &document.maintenance,
        };
        let of_config = lint(&defs, &self.escalations, now).into_iter();
        of_config.chain(lint_agents(&defs, roster)).map(Lint::from).collect()
    }

    /// Policies of a slot behind others that hold wherever they do, at any time.
    fn lint_sla_order(&self, slot: Slot) -> Vec<Lint> {
        let own: Vec<&SlaPolicy> = self.sla.policies.iter().filter(|p| p.slot == slot).collect();
        let tried: Vec<Tried<'_>> = own
            .iter()
            .map(|policy| {
                let covers = policy.valid_from.is_none() && policy.valid_until.is_none();
                Tried { when: &policy.when, covers }
            })
            .collect();
        let lint = |(later, earlier): (usize, usize)| {
            let path = format!("sla.policies[{}]", self.spot_of_sla(&own[later].key));
            shadowed_by(path, &own[earlier].key)
        };
        shadowed(&tried, &never_holding(&tried)).into_iter().map(lint).collect()
    }

    fn lint_escalation_order(&self) -> Vec<Lint> {
        let policies = &self.escalations.policies;
        let tried: Vec<Tried<'_>> = policies.iter().map(|p| Tried::always(&p.when)).collect();
        let spot_of = |key: &Key| self.document.escalations.iter().position(|def| def.key == *key);
        let lint = |(later, earlier): (usize, usize)| {
            let spot = spot_of(&policies[later].def.key).unwrap_or_default();
            shadowed_by(format!("escalations[{spot}]"), &policies[earlier].def.key)
        };
        shadowed(&tried, &never_holding(&tried)).into_iter().map(lint).collect()
    }

    fn spot_of_sla(&self, key: &Key) -> usize {
        self.document.sla.policies.iter().position(|def| def.key == *key).unwrap_or_default()
    }

    fn lint_targets(&self) -> Vec<Lint> {
        let mut lints = Vec::new();
        for policy in self.sla.policies.iter() {
            let path = format!("sla.policies[{}].metrics", self.spot_of_sla(&policy.key));
            if policy.metrics.iter().all(|metric| metric.targets.is_empty()) {
                let message = format!("`{}` has no target: its tickets are never due", policy.key);
                lints.push(Lint::new(LintCode::PolicyWithoutTargets, path, message));
                continue;
            }
            for (j, metric) in policy.metrics.iter().enumerate() {
                for (k, target) in metric.targets.iter().enumerate() {
                    let before = metric.targets[..k].iter();
                    if let Some(by) = before.clone().position(|earlier| covers(earlier, target)) {
                        let path = format!("{path}[{j}].targets[{k}]");
                        let message = format!("never reached: target {by} fits before");
                        lints.push(Lint::new(LintCode::UnreachableTarget, path, message));
                    }
                }
            }
        }
        lints
    }

    /// Metrics of the desk's own, and those that steps wait for, of which no clock runs.
    fn lint_metrics(&self) -> Vec<Lint> {
        let policies = self.sla.policies.iter();
        let measured: BTreeSet<&Key> =
            policies.flat_map(|policy| &policy.metrics).map(|targets| &targets.metric).collect();
        let lint = |path: String, metric: &Key| {
            let message = format!("no SLA policy measures `{metric}`");
            Lint::new(LintCode::UnmeasuredMetric, path, message)
        };
        let mut lints = Vec::new();
        for (i, def) in self.document.sla.metrics.iter().enumerate() {
            if !measured.contains(&def.key) {
                lints.push(lint(format!("sla.metrics[{i}]"), &def.key));
            }
        }
        for (i, policy) in self.document.escalations.iter().enumerate() {
            for (j, step) in policy.steps.iter().enumerate() {
                let metric = step.trigger.metric().filter(|metric| !measured.contains(metric));
                let path = || format!("escalations[{i}].steps[{j}].trigger.metric");
                lints.extend(metric.map(|metric| lint(path(), metric)));
            }
        }
        lints
    }

    /// Every condition of SLA and escalation, with its spot in the document.
    pub(super) fn watch_conditions(&self) -> Vec<(String, Condition)> {
        let mut sources: Vec<(String, &ConditionSource)> = Vec::new();
        for (i, def) in self.document.sla.metrics.iter().enumerate() {
            let path = format!("sla.metrics[{i}]");
            let parts: [(&str, &[OccasionDef]); 4] = [
                ("start", &def.start),
                ("stop", &def.stop),
                ("cancel", &def.cancel),
                ("reset", &def.reset),
            ];
            for (part, occasions) in parts {
                let each = occasions.iter().enumerate();
                sources.extend(each.map(|(j, on)| (format!("{path}.{part}[{j}].when"), &on.when)));
            }
            sources.push((format!("{path}.pause.when"), &def.pause.when));
        }
        for (i, policy) in self.document.sla.policies.iter().enumerate() {
            let path = format!("sla.policies[{i}]");
            sources.push((format!("{path}.when"), &policy.when));
            for (j, metric) in policy.metrics.iter().enumerate() {
                let each = metric.targets.iter().enumerate();
                let path = format!("{path}.metrics[{j}]");
                sources.extend(each.map(|(k, t)| (format!("{path}.targets[{k}].when"), &t.when)));
            }
        }
        for (i, policy) in self.document.escalations.iter().enumerate() {
            let path = format!("escalations[{i}]");
            sources.push((format!("{path}.when"), &policy.when));
            let each = policy.steps.iter().enumerate();
            sources.extend(each.map(|(j, step)| (format!("{path}.steps[{j}].guard"), &step.guard)));
        }
        for (i, tier) in self.document.tiers.iter().enumerate() {
            let each = tier.skip_to.iter().enumerate();
            sources.extend(each.map(|(j, s)| (format!("tiers[{i}].skip_to[{j}].when"), &s.when)));
        }
        let parsed = sources.into_iter().filter_map(|(path, source)| {
            // A desk that stands has no condition that does not parse.
            Some((path, source.parse(&self.schema).ok()?))
        });
        parsed.collect()
    }

    /// The calendars that SLA policies, their targets and escalation count in.
    pub(super) fn watch_calendars(&self) -> impl Iterator<Item = &Key> {
        let of_policy = self.sla.policies.iter().flat_map(|policy| {
            let targets = policy.metrics.iter().flat_map(|metric| &metric.targets);
            targets.map(|target| &target.calendar).chain([&policy.calendar])
        });
        let of_escalation = self.document.escalations.iter().flat_map(|policy| {
            let of_steps = policy.steps.iter().filter_map(|step| match &step.trigger {
                Trigger::After { calendar, .. } | Trigger::Idle { calendar, .. } => {
                    calendar.as_ref()
                }
                Trigger::SlaPercent { .. }
                | Trigger::SlaBefore { .. }
                | Trigger::SlaBreached { .. }
                | Trigger::Reopened { .. }
                | Trigger::Manual => None,
            });
            of_steps.chain(policy.hours.as_ref())
        });
        of_policy.chain(of_escalation)
    }
}

fn never_holding(tried: &[Tried<'_>]) -> BTreeSet<usize> {
    let all = tried.iter().enumerate();
    all.filter(|(_, tried)| logic::never_holds(tried.when)).map(|(i, _)| i).collect()
}

fn shadowed_by(path: String, by: &Key) -> Lint {
    let message = format!("never chosen: the policy `{by}` holds before");
    Lint::new(LintCode::ShadowedPolicy, path, message)
}

/// Whether a target fits every ticket that a later one does.
fn covers(earlier: &Target, later: &Target) -> bool {
    let every_priority = earlier.priorities.is_empty()
        || !later.priorities.is_empty()
            && later.priorities.iter().all(|priority| earlier.priorities.contains(priority));
    every_priority && (earlier.when == Condition::Always || earlier.when == later.when)
}
