//! What is wrong with tiers, schedules, policies and maintenance; and all of it
//! ready to be used where nothing is.

use super::oncall::at_most;
use super::policy::{
    AckTimeout, EscalationDefs, Escalations, Known, OnExhausted, Policy, PolicyDef, Repeat,
};
use super::schedule::Schedule;
use super::step::{Action, HandOverTo, IfNoOne, StepDef, StepKind, Target, Trigger};
use super::tier;
use super::tier::TierDef;
use crate::calendar::ZoneRules;
use crate::condition::{Compiled, Schema};
use crate::fault::{Code, Fault};
use crate::id::Key;
use crate::limit::{
    CONFIG_ENTRIES_MAX, ESCALATION_STEPS_MAX, LOOPS_MAX, MANAGER_LEVEL_MAX, REPEATS_MAX,
    STEP_TARGETS_MAX, STEP_WAIT_SECONDS_MAX, TEXT_BYTES_MAX,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Percents of a target that a step may wait for.
const PERCENT_MAX: u16 = 1_000;

/// Checks everything that a desk defines for escalation, and makes it ready.
///
/// Agents are no part of the configuration: whether they exist is not looked at.
/// Nor are the values of a [`Change`](crate::ticket::change::Change), which the
/// desk checks as it does a macro's.
///
/// # Errors
///
/// All faults, with paths such as `escalations[0].steps[2].targets[1].key`.
pub fn check(
    defs: &EscalationDefs<'_>,
    known: &Known<'_>,
    schema: &Schema,
    zones: &dyn ZoneRules,
) -> Result<Escalations, Vec<Fault>> {
    let mut faults = Vec::new();
    for (section, n) in [
        ("tiers", defs.tiers.len()),
        ("schedules", defs.schedules.len()),
        ("escalations", defs.policies.len()),
        ("maintenance", defs.maintenance.len()),
    ] {
        at_most(n, CONFIG_ENTRIES_MAX, "entries", section, &mut faults);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let tiers = tier::check(defs.tiers, known, schema, &mut faults);
    let schedules = check_schedules(defs, zones, &mut faults);
    let policies = check_policies(defs, known, schema, &mut faults);
    check_maintenance(defs, known, &mut faults);
    duplicates("tiers", defs.tiers.iter().map(|def| &def.key), &mut faults);
    duplicates("schedules", defs.schedules.iter().map(|def| &def.key), &mut faults);
    duplicates("escalations", defs.policies.iter().map(|def| &def.key), &mut faults);
    match tiers {
        Some(tiers) if faults.is_empty() => {
            let policies = Compiled::new(policies, |policy| &policy.when);
            Ok(Escalations { tiers, schedules, policies, maintenance: defs.maintenance.to_vec() })
        }
        _ => Err(faults),
    }
}

fn check_schedules(
    defs: &EscalationDefs<'_>,
    zones: &dyn ZoneRules,
    faults: &mut Vec<Fault>,
) -> BTreeMap<Key, Schedule> {
    let mut schedules = BTreeMap::new();
    for (i, def) in defs.schedules.iter().enumerate() {
        match Schedule::compile(def, zones) {
            Ok(schedule) => {
                schedules.insert(def.key.clone(), schedule);
            }
            Err(found) => {
                let path = format!("schedules[{i}]");
                faults.extend(found.into_iter().map(|fault| fault.under(&path)));
            }
        }
    }
    schedules
}

fn check_policies(
    defs: &EscalationDefs<'_>,
    known: &Known<'_>,
    schema: &Schema,
    faults: &mut Vec<Fault>,
) -> Vec<Policy> {
    let mut policies: Vec<Policy> = Vec::with_capacity(defs.policies.len());
    let mut positions: BTreeMap<i64, usize> = BTreeMap::new();
    for (i, def) in defs.policies.iter().enumerate() {
        let path = format!("escalations[{i}]");
        let position = def.position.unwrap_or(i as i64 * 10);
        if let Some(first) = positions.get(&position) {
            let message = format!("{position} is also the position of escalations[{first}]");
            faults.push(Fault::new(format!("{path}.position"), Code::Duplicate, message));
        }
        positions.entry(position).or_insert(i);
        let mut found = PolicyCheck { defs, known, schema, faults: Vec::new() };
        found.policy(def);
        let when = def.when.parse(schema).map_err(|wrong| {
            found.faults.extend(wrong.into_iter().map(|fault| fault.under("when")));
        });
        faults.extend(found.faults.into_iter().map(|fault| fault.under(&path)));
        policies.extend(when.ok().map(|when| Policy {
            def: Arc::new(def.clone()),
            when,
            position,
        }));
    }
    policies.sort_by(|a, b| (a.position, &a.def.key).cmp(&(b.position, &b.def.key)));
    policies
}

fn check_maintenance(defs: &EscalationDefs<'_>, known: &Known<'_>, faults: &mut Vec<Fault>) {
    for (i, window) in defs.maintenance.iter().enumerate() {
        let path = format!("maintenance[{i}]");
        if window.to < window.from {
            faults.push(Fault::invalid(format!("{path}.to"), "ends before it begins"));
        }
        for (j, group) in window.groups.iter().enumerate() {
            known.group(group, format!("{path}.groups[{j}]"), faults);
        }
    }
}

fn duplicates<'a>(section: &str, keys: impl Iterator<Item = &'a Key>, faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<&Key, usize> = BTreeMap::new();
    for (i, key) in keys.enumerate() {
        if let Some(first) = seen.get(key) {
            let message = format!("`{key}` is also the key of {section}[{first}]");
            faults.push(Fault::new(format!("{section}[{i}].key"), Code::Duplicate, message));
        }
        seen.entry(key).or_insert(i);
    }
}

/// Finds the faults of one policy, with paths in it.
struct PolicyCheck<'a> {
    defs: &'a EscalationDefs<'a>,
    known: &'a Known<'a>,
    schema: &'a Schema,
    faults: Vec<Fault>,
}

impl PolicyCheck<'_> {
    fn invalid(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault::invalid(path, message));
    }

    fn policy(&mut self, def: &PolicyDef) {
        if def.steps.is_empty() {
            self.invalid("steps", "an escalation policy needs at least one step");
        }
        at_most(def.steps.len(), ESCALATION_STEPS_MAX, "steps", "steps", &mut self.faults);
        for (i, step) in def.steps.iter().enumerate().take(ESCALATION_STEPS_MAX) {
            self.step(step, &format!("steps[{i}]"));
        }
        match def.repeat {
            Repeat::Never => {}
            Repeat::Times { n } => self.within(u64::from(n), REPEATS_MAX.into(), "repeat.n"),
            Repeat::UntilResolved { max_total } => {
                self.within(u64::from(max_total), LOOPS_MAX.into(), "repeat.max_total");
            }
        }
        if let Some(AckTimeout { seconds, .. }) = def.ack_timeout {
            self.within(seconds, STEP_WAIT_SECONDS_MAX, "ack_timeout.seconds");
        }
        if let Some(calendar) = &def.hours {
            self.known.calendar(calendar, "hours", &mut self.faults);
        }
        self.targets(&def.fallback, "fallback");
        let falls_back = def.on_exhausted == OnExhausted::NotifyFallback
            || def.steps.iter().any(|step| step.if_no_one == IfNoOne::Fallback);
        if def.fallback.is_empty() && falls_back {
            self.invalid("fallback", "nobody to fall back to: name at least one target");
        }
    }

    /// A number from 1 to `max`.
    fn within(&mut self, n: u64, max: u64, path: &str) {
        if n == 0 || n > max {
            self.invalid(path, format!("takes 1 to {max}"));
        }
    }

    fn step(&mut self, step: &StepDef, path: &str) {
        self.trigger(&step.trigger, &format!("{path}.trigger"));
        if let Err(found) = step.guard.parse(self.schema) {
            let path = format!("{path}.guard");
            self.faults.extend(found.into_iter().map(|fault| fault.under(&path)));
        }
        self.kind(&step.kind, &format!("{path}.kind"));
        self.targets(&step.targets, &format!("{path}.targets"));
        if step.targets.is_empty() && step.kind == StepKind::Hierarchical {
            self.invalid(format!("{path}.targets"), "the step does nothing: name a target");
        }
    }

    fn trigger(&mut self, trigger: &Trigger, path: &str) {
        if let Some(metric) = trigger.metric() {
            self.known.metric(metric, format!("{path}.metric"), &mut self.faults);
        }
        match trigger {
            Trigger::After { seconds, calendar } | Trigger::Idle { seconds, calendar, .. } => {
                self.within(*seconds, STEP_WAIT_SECONDS_MAX, &format!("{path}.seconds"));
                if let Some(calendar) = calendar {
                    self.known.calendar(calendar, format!("{path}.calendar"), &mut self.faults);
                }
            }
            Trigger::SlaBefore { seconds, .. } => {
                self.within(*seconds, STEP_WAIT_SECONDS_MAX, &format!("{path}.seconds"));
            }
            Trigger::SlaPercent { percent, .. } => {
                self.within(u64::from(*percent), PERCENT_MAX.into(), &format!("{path}.percent"));
            }
            Trigger::Reopened { times } => {
                self.within(u64::from(*times), u32::MAX.into(), &format!("{path}.times"));
            }
            Trigger::SlaBreached { .. } | Trigger::Manual => {}
        }
    }

    fn kind(&mut self, kind: &StepKind, path: &str) {
        match kind {
            StepKind::Hierarchical => {}
            StepKind::Functional { to: HandOverTo::Tier { key }, .. } => {
                let path = format!("{path}.to.key");
                self.known.tier(key, &path, &mut self.faults);
                self.tier_with_group(key, &path);
            }
            StepKind::Functional { to: HandOverTo::NextTier, .. } => {
                let defs: &[TierDef] = self.defs.tiers;
                if let Some(tier) = defs.iter().find(|tier| tier.group.is_none()) {
                    let message = format!("the tier `{}` has no group to hand over to", tier.key);
                    self.invalid(format!("{path}.to"), message);
                }
                if defs.is_empty() {
                    self.invalid(format!("{path}.to"), "the desk has no tiers");
                }
            }
            StepKind::Functional { to: HandOverTo::Group { key }, .. } => {
                self.known.group(key, format!("{path}.to.key"), &mut self.faults);
            }
            StepKind::Automation { actions } => self.actions(actions, &format!("{path}.actions")),
        }
    }

    /// A tier that tickets are handed over to, or that they skip to from there, has a group.
    fn tier_with_group(&mut self, key: &Key, path: &str) {
        let Some(tier) = self.defs.tiers.iter().find(|tier| tier.key == *key) else { return };
        let skips = tier.skip_to.iter().map(|skip| &skip.to);
        for key in std::iter::once(key).chain(skips) {
            let tier = self.defs.tiers.iter().find(|tier| tier.key == *key);
            if tier.is_some_and(|tier| tier.group.is_none()) {
                self.invalid(path, format!("the tier `{key}` has no group to hand over to"));
            }
        }
    }

    fn actions(&mut self, actions: &[Action], path: &str) {
        if actions.is_empty() {
            self.invalid(path, "the step does nothing: name a change");
        }
        at_most(actions.len(), STEP_TARGETS_MAX, "changes", path, &mut self.faults);
        for (i, action) in actions.iter().enumerate() {
            let path = format!("{path}[{i}]");
            match action {
                Action::SetStatus { to } => {
                    self.known.status(to, format!("{path}.to"), &mut self.faults);
                }
                Action::Note { text } if text.trim().is_empty() => {
                    self.invalid(format!("{path}.text"), "there is no text");
                }
                Action::Note { text } => {
                    let path = format!("{path}.text");
                    at_most(text.len(), TEXT_BYTES_MAX, "bytes", &path, &mut self.faults);
                }
                Action::Change { .. } | Action::Unassign => {}
            }
        }
    }

    fn targets(&mut self, targets: &[Target], path: &str) {
        at_most(targets.len(), STEP_TARGETS_MAX, "targets", path, &mut self.faults);
        for (i, target) in targets.iter().enumerate() {
            let at = format!("{path}[{i}].key");
            match target {
                Target::Group { key } => self.known.group(key, at, &mut self.faults),
                Target::Schedule { key } => self.known.schedule(key, at, &mut self.faults),
                Target::Queue { key } => self.known.queue(key, at, &mut self.faults),
                Target::Manager { level } => {
                    let path = format!("{path}[{i}].level");
                    self.within(u64::from(*level), MANAGER_LEVEL_MAX.into(), &path);
                }
                Target::Agent { .. } | Target::Assignee | Target::Channel { .. } => {}
            }
        }
    }
}
