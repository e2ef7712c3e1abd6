//! What another configuration would change of a desk.

use super::Desk;
use crate::id::Key;
use crate::sla::policy::SlaPolicy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What of a desk would be other than it is, or gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeskChanges {
    /// Calendars with other hours, by key. New ones are not among them: nothing
    /// counts in them yet.
    pub calendars: Vec<Key>,
    /// SLA policies that are other, new or gone, by key.
    pub sla_policies: Vec<Key>,
    /// Escalation policies that are other, new or gone, by key.
    pub escalations: Vec<Key>,
}

impl Desk {
    /// What would change with the desk `next` in this one's place.
    #[must_use]
    pub fn changes_to(&self, next: &Self) -> DeskChanges {
        let stamps = self.calendars.keys().filter(|key| {
            let stamp = self.calendar_stamp(key);
            stamp != next.calendar_stamp(key)
        });
        let sla = |desk: &Self| -> Vec<(Key, SlaPolicy)> {
            // Any change of what is promised gives all policies another revision.
            let made = |policy: &SlaPolicy| SlaPolicy { revision: 0, ..policy.clone() };
            desk.sla.policies.iter().map(|policy| (policy.key.clone(), made(policy))).collect()
        };
        let escalations = |desk: &Self| -> Vec<_> {
            let policies = desk.escalations.policies.iter();
            policies.map(|policy| (policy.def.key.clone(), policy.clone())).collect()
        };
        DeskChanges {
            calendars: stamps.cloned().collect(),
            sla_policies: differing(&sla(self), &sla(next)),
            escalations: differing(&escalations(self), &escalations(next)),
        }
    }
}

/// Keys under which only one side has something, or both have another.
fn differing<T: PartialEq>(old: &[(Key, T)], new: &[(Key, T)]) -> Vec<Key> {
    let value = |of: &'_ [(Key, T)], key: &Key| of.iter().position(|(own, _)| own == key);
    let keys: BTreeSet<&Key> = old.iter().chain(new).map(|(key, _)| key).collect();
    let differs = |key: &&Key| match (value(old, key), value(new, key)) {
        (Some(a), Some(b)) => old[a].1 != new[b].1,
        _ => true,
    };
    keys.into_iter().filter(differs).cloned().collect()
}
