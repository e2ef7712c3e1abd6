//! Who is on call, levels of support, and how tickets are escalated.

use super::Checker;
use crate::calendar::ZoneRules;
use crate::condition::ConditionSource;
use crate::desk::Desk;
use crate::desk::document::Document;
use crate::escalation::check::check;
use crate::escalation::policy::{EscalationDefs, Escalations, Known, Policy};
use crate::escalation::step::{Action, HandOverTo, StepKind};
use crate::fault::Code;
use crate::id::Key;
use crate::sla::check::SlaRules;
use crate::sla::signal::ALWAYS;
use std::collections::BTreeSet;

/// The sections that make it up.
const SECTIONS: [&str; 4] = ["tiers", "schedules", "escalations", "maintenance"];

/// Whether any policy, guard or tier looks at the newest public message.
pub(super) fn need_body(desk: &Desk) -> bool {
    let looks = |when: &ConditionSource| {
        when.parse(&desk.schema).is_ok_and(|condition| condition.needs().body)
    };
    let of_policy = |policy: &Policy| {
        policy.when.needs().body || policy.def.steps.iter().any(|step| looks(&step.guard))
    };
    desk.escalations.policies.iter().any(of_policy)
        || desk.tiers.values().any(|tier| tier.skip_to.iter().any(|skip| looks(&skip.when)))
}

impl Checker<'_> {
    /// Everything ready to be used; `None` when something is wrong with it.
    pub(super) fn escalations(
        &mut self,
        document: &Document,
        sla: Option<&SlaRules>,
        zones: &dyn ZoneRules,
    ) -> Option<Escalations> {
        if SECTIONS.iter().any(|section| !self.draft.is_whole(section)) {
            return None;
        }
        let metrics: Option<BTreeSet<Key>> =
            sla.map(|rules| rules.metrics.iter().map(|metric| metric.key.clone()).collect());
        let keys = |section: &str| self.keys.get(section).and_then(Option::as_ref);
        // It is on every desk.
        let calendars = keys("calendars")
            .map(|own| own.iter().cloned().chain(Key::new(ALWAYS).ok()).collect::<BTreeSet<Key>>());
        let known = Known {
            groups: keys("groups"),
            queues: keys("queues"),
            skills: keys("skills"),
            statuses: keys("statuses"),
            calendars: calendars.as_ref(),
            metrics: metrics.as_ref(),
            tiers: keys("tiers"),
            schedules: keys("schedules"),
        };
        let defs = EscalationDefs {
            tiers: &document.tiers,
            schedules: &document.schedules,
            policies: &document.escalations,
            maintenance: &document.maintenance,
        };
        let checked = check(&defs, &known, &self.schema, zones);
        self.hand_overs(document);
        self.actions(document);
        match checked {
            Ok(escalations) => Some(escalations),
            Err(found) => {
                self.faults.extend(found);
                None
            }
        }
    }

    /// A group that gets tickets has a queue in which they wait.
    fn hand_overs(&mut self, document: &Document) {
        let has_queue = |group: &Key| document.queues.iter().any(|queue| queue.group == *group);
        let mut missing = Vec::new();
        for (i, tier) in document.tiers.iter().enumerate() {
            if let Some(group) = tier.group.as_ref().filter(|group| !has_queue(group)) {
                missing.push((format!("tiers[{i}].group"), group));
            }
        }
        for (i, policy) in document.escalations.iter().enumerate() {
            for (j, step) in policy.steps.iter().enumerate() {
                if let StepKind::Functional { to: HandOverTo::Group { key }, .. } = &step.kind
                    && !has_queue(key)
                {
                    missing.push((format!("escalations[{i}].steps[{j}].kind.to.key"), key));
                }
            }
        }
        if !self.draft.is_whole("queues") {
            return;
        }
        for (path, group) in missing {
            let message =
                format!("no queue belongs to the group `{group}`: tickets have nowhere to wait");
            self.fault(path, Code::NotConfigured, message);
        }
    }

    /// What steps change is checked as what macros change.
    fn actions(&mut self, document: &Document) {
        for (i, policy) in document.escalations.iter().enumerate() {
            for (j, step) in policy.steps.iter().enumerate() {
                let StepKind::Automation { actions } = &step.kind else { continue };
                for (k, action) in actions.iter().enumerate() {
                    if let Action::Change { change } = action {
                        let path = format!("escalations[{i}].steps[{j}].kind.actions[{k}].change");
                        self.change(change, document, &path);
                    }
                }
            }
        }
    }
}
