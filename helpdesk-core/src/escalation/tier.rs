//! Tiers: levels of support, who works there, and who skips them.

use super::oncall::at_most;
use super::policy::Known;
use crate::condition::{Condition, ConditionSource, Facts, Schema};
use crate::fault::{Code, Fault};
use crate::id::Key;
use crate::limit::{SKILLS_MAX, STEP_TARGETS_MAX};
use crate::ticket::priority::SkillLevel;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A level of support, as the configuration has it. Their order is that of the
/// list: after the first comes the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TierDef {
    /// Its key.
    pub key: Key,
    /// What people read; the key when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The group that works there, and gets tickets that are handed over to the
    /// tier; no ticket can be handed over to it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Key>,
    /// Skills that a ticket requires once it is there, beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillLevel>,
    /// The metric whose clock starts when a ticket comes there and stops when it
    /// leaves: what the tiers promised to each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_metric: Option<Key>,
    /// Tickets that come there go on to another tier at once; the first entry
    /// that holds counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip_to: Vec<SkipDef>,
}

/// Which tickets skip a tier, and where they go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkipDef {
    /// Which tickets.
    pub when: ConditionSource,
    /// The tier that they go on to.
    pub to: Key,
}

/// A tier that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Tier {
    /// As it was written.
    pub def: TierDef,
    skip_to: Vec<(Condition, Key)>,
}

/// The tier that a ticket comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Entered<'a> {
    /// It.
    pub tier: &'a Tier,
    /// The tiers that the ticket skipped, in order.
    pub skipped: Vec<Key>,
}

/// Where a ticket that is handed over to `key` comes to, by the tiers' rules of
/// skipping. `None` when there is no such tier.
#[must_use]
pub fn enter<'a>(tiers: &'a [Tier], key: &Key, facts: &dyn Facts) -> Option<Entered<'a>> {
    let find = |key: &Key| tiers.iter().find(|tier| tier.def.key == *key);
    let mut tier = find(key)?;
    let mut skipped = Vec::new();
    for _ in 0..tiers.len() {
        let holds = |(when, _): &&(Condition, Key)| when.holds(facts);
        let Some(next) = tier.skip_to.iter().find(holds).and_then(|(_, to)| find(to)) else {
            break;
        };
        skipped.push(tier.def.key.clone());
        tier = next;
    }
    Some(Entered { tier, skipped })
}

/// The tier after another in the list; the first one after none or an unknown one.
#[must_use]
pub fn after<'a>(tiers: &'a [Tier], key: Option<&Key>) -> Option<&'a Tier> {
    let at = key.and_then(|key| tiers.iter().position(|tier| tier.def.key == *key));
    tiers.get(at.map_or(0, |at| at + 1))
}

/// Checks tiers; `None` where something is wrong.
pub(super) fn check(
    defs: &[TierDef],
    known: &Known<'_>,
    schema: &Schema,
    faults: &mut Vec<Fault>,
) -> Option<Vec<Tier>> {
    let n_before = faults.len();
    let mut tiers = Vec::with_capacity(defs.len());
    for (i, def) in defs.iter().enumerate() {
        let path = format!("tiers[{i}]");
        if let Some(group) = &def.group {
            known.group(group, format!("{path}.group"), faults);
        }
        if let Some(metric) = &def.entry_metric {
            known.metric(metric, format!("{path}.entry_metric"), faults);
        }
        at_most(def.skills.len(), SKILLS_MAX, "skills", &format!("{path}.skills"), faults);
        for (j, skill) in def.skills.iter().enumerate() {
            known.skill(&skill.skill, format!("{path}.skills[{j}].skill"), faults);
        }
        at_most(def.skip_to.len(), STEP_TARGETS_MAX, "entries", &format!("{path}.skip_to"), faults);
        let mut skip_to = Vec::with_capacity(def.skip_to.len());
        for (j, skip) in def.skip_to.iter().enumerate() {
            let path = format!("{path}.skip_to[{j}]");
            known.tier(&skip.to, format!("{path}.to"), faults);
            match skip.when.parse(schema) {
                Ok(when) => skip_to.push((when, skip.to.clone())),
                Err(found) => {
                    faults.extend(found.into_iter().map(|f| f.under(&format!("{path}.when"))));
                }
            }
        }
        tiers.push(Tier { def: def.clone(), skip_to });
    }
    check_cycles(defs, faults);
    (faults.len() == n_before).then_some(tiers)
}

/// Tiers that lead back to themselves: each entry of `skip_to` on such a way is a fault.
fn check_cycles(defs: &[TierDef], faults: &mut Vec<Fault>) {
    for (i, def) in defs.iter().enumerate() {
        for (j, skip) in def.skip_to.iter().enumerate() {
            if leads_to(defs, &skip.to, &def.key) {
                let message = format!("leads back to `{}`: tiers go round in a circle", def.key);
                let path = format!("tiers[{i}].skip_to[{j}].to");
                faults.push(Fault::new(path, Code::Invalid, message));
            }
        }
    }
}

fn leads_to(defs: &[TierDef], from: &Key, to: &Key) -> bool {
    let mut seen: Vec<&Key> = vec![from];
    let mut at = 0;
    while let Some(key) = seen.get(at) {
        if *key == to {
            return true;
        }
        let next = defs.iter().find(|def| def.key == **key);
        for skip in next.map_or(&[][..], |def| &def.skip_to) {
            if !seen.contains(&&skip.to) {
                seen.push(&skip.to);
            }
        }
        at += 1;
    }
    false
}
