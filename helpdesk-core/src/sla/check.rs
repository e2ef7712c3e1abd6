//! From configuration to rules: every key resolved, every condition parsed,
//! every target possible.

use super::def::{Anchor, CycleMode, MetricDef, OccasionDef, Occurrence};
use super::metric::{Metric, Occasion};
use super::policy::{MetricTargets, MetricTargetsDef, SlaPolicy, SlaPolicyDef, Target, TargetDef};
use super::presets::{Preset, PresetOptions};
use super::signal::ALWAYS;
use crate::clock::Threshold;
use crate::condition::{Compiled, Condition, ConditionSource, Schema, suggestion};
use crate::fault::{Code, Fault};
use crate::id::Key;
use crate::limit::{
    METRICS_MAX, NAME_CHARS_MAX, POLICIES_MAX, TARGET_SECONDS_MAX, TARGETS_MAX, THRESHOLDS_MAX,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a desk promises, as the configuration has it.
///
/// `{}` is a desk with the metrics of Zendesk and no policy, on which no clock runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SlaDef {
    /// Whose metrics the desk has, beside its own.
    pub preset: Preset,
    /// What may differ from the product.
    pub options: PresetOptions,
    /// The desk's own metrics; one with the key of a preset's takes its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricDef>,
    /// Policies: of each slot, the first that matches gives the targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<SlaPolicyDef>,
}

/// What a desk promises, checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SlaRules {
    /// What is measured: the preset's metrics, then the desk's own.
    pub metrics: Vec<Metric>,
    /// Policies, by position and key.
    pub policies: Compiled<SlaPolicy>,
}

impl SlaRules {
    /// Whether any of it looks at the newest public message.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        let of_metric = |metric: &Metric| {
            let occasions =
                metric.start.iter().chain(&metric.stop).chain(&metric.cancel).chain(&metric.reset);
            let whens = occasions.map(|occasion| &occasion.when);
            whens.chain([&metric.pause_when]).any(|when| when.needs().body)
        };
        let of_policy = |policy: &SlaPolicy| {
            let targets = policy.metrics.iter().flat_map(|metric| &metric.targets);
            policy.when.needs().body || targets.into_iter().any(|target| target.when.needs().body)
        };
        self.metrics.iter().any(of_metric) || self.policies.iter().any(of_policy)
    }
}

/// Checks what a desk promises. `calendars` are the keys of those that it has,
/// beside `always`; `None` where it cannot be said which there are. The policies
/// get `revision`.
///
/// # Errors
///
/// Every fault, with its path in `sla`: a condition that does not fit the
/// schema, a metric or calendar that does not exist, two of one key or two
/// policies of a slot with one position, a target or threshold that is nothing
/// or too much, and a warning beyond its target.
pub fn check(
    sla: &SlaDef,
    schema: &Schema,
    calendars: Option<&BTreeSet<Key>>,
    revision: u64,
) -> Result<SlaRules, Vec<Fault>> {
    let mut checker = Checker { schema, calendars, metrics: Vec::new(), faults: Vec::new() };
    checker.at_most("metrics", sla.metrics.len(), METRICS_MAX);
    checker.at_most("policies", sla.policies.len(), POLICIES_MAX);
    if !checker.faults.is_empty() {
        return Err(checker.faults);
    }
    checker.metrics(sla);
    let policies = checker.policies(&sla.policies, revision);
    let Checker { metrics, faults, .. } = checker;
    if !faults.is_empty() {
        return Err(faults);
    }
    let policies = Compiled::new(policies, |policy| &policy.when);
    Ok(SlaRules { metrics, policies })
}

struct Checker<'a> {
    schema: &'a Schema,
    calendars: Option<&'a BTreeSet<Key>>,
    metrics: Vec<Metric>,
    faults: Vec<Fault>,
}

impl Checker<'_> {
    fn invalid(&mut self, path: &str, message: impl Into<String>) {
        self.faults.push(Fault::invalid(path, message));
    }

    fn at_most(&mut self, path: &str, n: usize, max: usize) {
        if n > max {
            self.faults.push(Fault::new(
                path,
                Code::OverLimit,
                format!("{n} entries, at most {max}"),
            ));
        }
    }

    fn name(&mut self, path: &str, name: &str) {
        let n = name.chars().count();
        if n > NAME_CHARS_MAX {
            let message = format!("{n} chars, at most {NAME_CHARS_MAX}");
            self.faults.push(Fault::new(format!("{path}.name"), Code::OverLimit, message));
        }
    }

    fn unique<'k>(&mut self, section: &str, keys: impl Iterator<Item = &'k Key>) {
        let mut seen = BTreeSet::new();
        for (i, key) in keys.enumerate() {
            if !seen.insert(key) {
                let message = format!("`{key}` is defined twice");
                self.faults.push(Fault::new(
                    format!("{section}[{i}].key"),
                    Code::Duplicate,
                    message,
                ));
            }
        }
    }

    /// The condition; one that holds nowhere, and a fault, where it does not parse.
    fn condition(&mut self, path: &str, source: &ConditionSource) -> Condition {
        match source.parse(self.schema) {
            Ok(condition) => condition,
            Err(faults) => {
                self.faults.extend(faults.into_iter().map(|fault| fault.under(path)));
                Condition::Never
            }
        }
    }

    fn metrics(&mut self, sla: &SlaDef) {
        self.unique("metrics", sla.metrics.iter().map(|metric| &metric.key));
        for def in sla.preset.metrics(sla.options) {
            // An own metric of this key stands in its place, and at its place.
            let own = sla.metrics.iter().enumerate().find(|(_, own)| own.key == def.key);
            match own {
                Some((i, own)) => self.metric(own, &format!("metrics[{i}]")),
                None => self.metric(&def, "preset"),
            }
        }
        for (i, def) in sla.metrics.iter().enumerate() {
            if !self.metrics.iter().any(|metric| metric.key == def.key) {
                self.metric(def, &format!("metrics[{i}]"));
            }
        }
    }

    fn metric(&mut self, def: &MetricDef, path: &str) {
        self.name(path, &def.name);
        if def.start.is_empty() {
            self.invalid(&format!("{path}.start"), "a clock that never starts measures nothing");
        }
        if def.stop.is_empty() {
            self.invalid(&format!("{path}.stop"), "a clock that never stops is never met");
        }
        if def.count_solved_gap && def.cycle != CycleMode::Accumulate {
            let message = "only a cycle that goes on has such a gap: take `cycle` `accumulate`";
            self.invalid(&format!("{path}.count_solved_gap"), message);
        }
        let start = self.occasions(&def.start, path, "start");
        let metric = Metric {
            key: def.key.clone(),
            name: name_or_key(&def.name, &def.key),
            slot: def.slot,
            start,
            stop: self.occasions(&def.stop, path, "stop"),
            cancel: self.occasions(&def.cancel, path, "cancel"),
            reset: self.occasions(&def.reset, path, "reset"),
            pause_in: def.pause.within.clone(),
            pause_when: self.condition(&format!("{path}.pause.when"), &def.pause.when),
            cycle: def.cycle,
            count_solved_gap: def.count_solved_gap,
            counts_as_human: def.counts_as_human,
            carries_on_merge: def.carries_on_merge,
            on_policy_change: def.on_policy_change,
        };
        self.metrics.push(metric);
    }

    fn occasions(&mut self, defs: &[OccasionDef], path: &str, part: &str) -> Vec<Occasion> {
        let each = defs.iter().enumerate();
        each.map(|(i, def)| self.occasion(def, &format!("{path}.{part}[{i}]"), part)).collect()
    }

    fn occasion(&mut self, def: &OccasionDef, path: &str, part: &str) -> Occasion {
        let is_message = matches!(def.on, Occurrence::Created | Occurrence::Message);
        let asks_writer = !def.by.is_empty() || def.public.is_some();
        if asks_writer && !is_message {
            self.invalid(
                path,
                "`by` and `public` are of a message: take `on` `message` or `created`",
            );
        }
        if def.on != Occurrence::Status && !def.from.is_empty() {
            self.invalid(&format!("{path}.from"), "only a `status` changes from another");
        }
        if part != "start" && (def.anchor != Anchor::EventTime || !def.after.is_empty()) {
            self.invalid(path, "`anchor` and `after` are of a start");
        }
        for (i, key) in def.after.iter().enumerate() {
            if !self.metrics.iter().any(|metric| metric.key == *key) {
                let message = format!("no metric `{key}` stands before this one");
                let path = format!("{path}.after[{i}]");
                self.faults.push(Fault::new(path, Code::NotConfigured, message));
            }
        }
        Occasion {
            on: def.on,
            by: def.by.clone(),
            public: def.public,
            from: def.from.clone(),
            within: def.within.clone(),
            unless_answered: def.unless_answered,
            after: def.after.clone(),
            anchor: def.anchor,
            when: self.condition(&format!("{path}.when"), &def.when),
        }
    }

    fn policies(&mut self, defs: &[SlaPolicyDef], revision: u64) -> Vec<SlaPolicy> {
        self.unique("policies", defs.iter().map(|policy| &policy.key));
        let mut taken = BTreeSet::new();
        let mut policies = Vec::with_capacity(defs.len());
        for (i, def) in defs.iter().enumerate() {
            let path = format!("policies[{i}]");
            let position = def.position.unwrap_or(i as i64 * 10);
            if !taken.insert((def.slot, position)) {
                let message = format!("another policy of its slot has the position {position}");
                self.faults.push(Fault::new(format!("{path}.position"), Code::Duplicate, message));
            }
            policies.push(self.policy(def, &path, position, revision));
        }
        policies.sort_by(|a, b| a.order().cmp(&b.order()));
        policies
    }

    fn policy(
        &mut self,
        def: &SlaPolicyDef,
        path: &str,
        position: i64,
        revision: u64,
    ) -> SlaPolicy {
        self.name(path, &def.name);
        if let (Some(from), Some(until)) = (def.valid_from, def.valid_until)
            && from >= until
        {
            self.invalid(&format!("{path}.valid_until"), "lies after `valid_from`, or never is");
        }
        let calendar = self.calendar(&format!("{path}.calendar"), def.calendar.as_ref());
        let notice_hours =
            self.calendar(&format!("{path}.notice_hours"), def.notice_hours.as_ref());
        self.thresholds(&format!("{path}.warn_at"), &def.warn_at);
        let mut metrics = Vec::with_capacity(def.metrics.len());
        let mut seen = BTreeSet::new();
        for (i, targets) in def.metrics.iter().enumerate() {
            let path = format!("{path}.metrics[{i}]");
            if !seen.insert(&targets.metric) {
                let message = format!("`{}` has its targets above", targets.metric);
                self.faults.push(Fault::new(format!("{path}.metric"), Code::Duplicate, message));
            }
            self.resolve_metric(def, &targets.metric, &format!("{path}.metric"));
            metrics.extend(
                calendar.as_ref().map(|calendar| self.targets(def, targets, calendar, &path)),
            );
        }
        SlaPolicy {
            key: def.key.clone(),
            name: name_or_key(&def.name, &def.key),
            revision,
            position,
            when: self.condition(&format!("{path}.when"), &def.when),
            slot: def.slot,
            valid_from: def.valid_from,
            valid_until: def.valid_until,
            pin: def.pin,
            // Without one there is a fault, and no policy comes of it.
            calendar: calendar.unwrap_or_else(|| def.key.clone()),
            notice_hours: notice_hours.unwrap_or_else(|| def.key.clone()),
            recalculation: def.recalculation,
            metrics,
        }
    }

    fn resolve_metric(&mut self, policy: &SlaPolicyDef, key: &Key, path: &str) {
        let Some(metric) = self.metrics.iter().find(|metric| metric.key == *key) else {
            let near = suggestion(key.as_str(), self.metrics.iter().map(|own| own.key.as_str()));
            let message = format!("there is no metric `{key}`{near}");
            self.faults.push(Fault::new(path, Code::NotConfigured, message));
            return;
        };
        if metric.slot != policy.slot {
            self.invalid(path, format!("`{key}` is of the other `slot` than its policy"));
        }
    }

    /// The calendar that is meant; `None`, and a fault, when there is no such one.
    fn calendar(&mut self, path: &str, key: Option<&Key>) -> Option<Key> {
        let Some(key) = key else { return Key::new(ALWAYS).ok() };
        let Some(known) = self.calendars else { return Some(key.clone()) };
        if key == ALWAYS || known.contains(key) {
            return Some(key.clone());
        }
        let near = suggestion(key.as_str(), known.iter().map(Key::as_str).chain([ALWAYS]));
        let message = format!("there is no calendar `{key}`{near}");
        self.faults.push(Fault::new(path, Code::NotConfigured, message));
        None
    }

    fn thresholds(&mut self, path: &str, thresholds: &[Threshold]) {
        self.at_most(path, thresholds.len(), THRESHOLDS_MAX);
        let mut seen = BTreeSet::new();
        for (i, threshold) in thresholds.iter().enumerate() {
            let path = format!("{path}[{i}]");
            match threshold {
                Threshold::Percent(1..=100) => {}
                Threshold::Percent(percent) => {
                    self.invalid(&path, format!("takes 1 to 100 percent; found {percent}"));
                }
                Threshold::BeforeSeconds(0) | Threshold::BeforeWallSeconds(0) => {
                    self.invalid(&path, "takes more than 0 seconds");
                }
                Threshold::BeforeSeconds(_) | Threshold::BeforeWallSeconds(_) => {}
            }
            if !seen.insert(threshold) {
                self.faults.push(Fault::new(path, Code::Duplicate, "stands here twice"));
            }
        }
    }

    fn targets(
        &mut self,
        policy: &SlaPolicyDef,
        def: &MetricTargetsDef,
        calendar: &Key,
        path: &str,
    ) -> MetricTargets {
        self.at_most(&format!("{path}.targets"), def.targets.len(), TARGETS_MAX);
        let warn_at = def.warn_at.as_ref().unwrap_or(&policy.warn_at);
        if def.warn_at.is_some() {
            self.thresholds(&format!("{path}.warn_at"), warn_at);
        }
        let mut targets = Vec::with_capacity(def.targets.len());
        for (i, target) in def.targets.iter().enumerate() {
            targets.push(self.target(target, warn_at, calendar, &format!("{path}.targets[{i}]")));
        }
        MetricTargets { metric: def.metric.clone(), targets, warn_at: warn_at.clone() }
    }

    fn target(
        &mut self,
        def: &TargetDef,
        warn_at: &[Threshold],
        calendar: &Key,
        path: &str,
    ) -> Target {
        let spot = format!("{path}.seconds");
        if def.seconds == 0 {
            self.invalid(&spot, "takes more than 0 seconds");
        }
        if def.seconds > TARGET_SECONDS_MAX {
            let message = format!("{} seconds, at most {TARGET_SECONDS_MAX}", def.seconds);
            self.faults.push(Fault::new(&spot, Code::OverLimit, message));
        }
        for threshold in warn_at {
            if let Threshold::BeforeSeconds(before) = threshold
                && u64::from(*before) >= def.seconds
                && def.seconds > 0
            {
                let message =
                    format!("warns {before} seconds before the end of a target of {}", def.seconds);
                self.invalid(&spot, message);
            }
        }
        let own = def.calendar.as_ref();
        let own = own.and_then(|key| self.calendar(&format!("{path}.calendar"), Some(key)));
        Target {
            priorities: def.priorities.clone(),
            when: self.condition(&format!("{path}.when"), &def.when),
            seconds: i64::try_from(def.seconds).unwrap_or(i64::MAX),
            calendar: own.unwrap_or_else(|| calendar.clone()),
        }
    }
}

fn name_or_key(name: &str, key: &Key) -> String {
    if name.is_empty() { key.as_str().to_owned() } else { name.to_owned() }
}
