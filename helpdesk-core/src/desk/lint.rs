//! What is allowed in a desk and still looks like a mistake.
//!
//! A lint never stops a configuration. Source: spec/routing.md, "Lint".

mod implied;
mod logic;
mod shadow;
#[cfg(test)]
mod tests;
mod watch;

use super::Desk;
use crate::agent::{Agent, Roster};
use crate::automation::macros::{Macro, MacroStep};
use crate::condition::{Condition, Leaf};
use crate::escalation::lint::{EscalationLint, EscalationLintCode};
use crate::id::Key;
use crate::prediction::PredictedField;
use crate::routing::queue::Queue;
use crate::routing::rules::RoutingRule;
use crate::routing::stage::Relax;
use crate::ticket::change::Change;
use crate::ticket::custom::{FieldOwner, FieldType};
use crate::ticket::status::{StatusCategory, StatusDef};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shadow::Tried;
use std::collections::BTreeSet;

/// A stable code of what looks like a mistake. The list grows; none changes its meaning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LintCode {
    /// Earlier rules hold on every ticket on which this one does.
    UnreachableRule,
    /// An earlier rule has the same condition and does the same.
    DuplicateRule,
    /// The condition holds on no ticket.
    ContradictoryCondition,
    /// No queue is the group's, and no stage asks it.
    GroupWithoutQueue,
    /// No rule, mailbox or default leads to the queue.
    UnusedQueue,
    /// No group, queue, agent, condition, SLA target or escalation names the calendar.
    UnusedCalendar,
    /// The calendar has no opening any more, so that what counts in it is never due.
    CalendarNeverOpens,
    /// An agent's shift is a calendar that the desk does not have.
    UnknownShift,
    /// No rule and no macro asks for the skill.
    UnusedSkill,
    /// The macro cannot run to its end on any ticket.
    UnusableMacro,
    /// The role permits nothing.
    EmptyRole,
    /// No transition leads to the status.
    UnreachableStatus,
    /// No active agent is in the group.
    GroupWithoutAgents,
    /// No active agent whom the queue asks has what the rule requires.
    SkillNobodyHas,
    /// Earlier policies of SLA, or of escalation, hold on every ticket on which this one does.
    ShadowedPolicy,
    /// An earlier target of the metric fits every ticket that this one does.
    UnreachableTarget,
    /// The SLA policy has no target: its tickets are due at no time.
    PolicyWithoutTargets,
    /// No SLA policy measures the metric, so that no clock of it ever runs.
    UnmeasuredMetric,
    /// Nobody is on call for a part of the year.
    ScheduleGaps,
    /// No step and no fallback asks the schedule.
    UnusedSchedule,
    /// The override has no length.
    EmptyOverride,
    /// The agent is deactivated or unknown.
    AgentInactive,
    /// The field has one value only.
    NothingToPredict,
    /// The journal goes to the archive before a solved ticket is closed.
    ShortRetention,
}

impl LintCode {
    /// The code as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnreachableRule => "unreachable_rule",
            Self::DuplicateRule => "duplicate_rule",
            Self::ContradictoryCondition => "contradictory_condition",
            Self::GroupWithoutQueue => "group_without_queue",
            Self::UnusedQueue => "unused_queue",
            Self::UnusedCalendar => "unused_calendar",
            Self::CalendarNeverOpens => "calendar_never_opens",
            Self::UnknownShift => "unknown_shift",
            Self::UnusedSkill => "unused_skill",
            Self::UnusableMacro => "unusable_macro",
            Self::EmptyRole => "empty_role",
            Self::UnreachableStatus => "unreachable_status",
            Self::GroupWithoutAgents => "group_without_agents",
            Self::SkillNobodyHas => "skill_nobody_has",
            Self::ShadowedPolicy => "shadowed_policy",
            Self::UnreachableTarget => "unreachable_target",
            Self::PolicyWithoutTargets => "policy_without_targets",
            Self::UnmeasuredMetric => "unmeasured_metric",
            Self::ScheduleGaps => "schedule_gaps",
            Self::UnusedSchedule => "unused_schedule",
            Self::EmptyOverride => "empty_override",
            Self::AgentInactive => "agent_inactive",
            Self::NothingToPredict => "nothing_to_predict",
            Self::ShortRetention => "short_retention",
        }
    }
}

impl From<EscalationLintCode> for LintCode {
    fn from(code: EscalationLintCode) -> Self {
        match code {
            EscalationLintCode::ScheduleGaps => Self::ScheduleGaps,
            EscalationLintCode::UnusedSchedule => Self::UnusedSchedule,
            EscalationLintCode::EmptyOverride => Self::EmptyOverride,
            EscalationLintCode::AgentInactive => Self::AgentInactive,
            EscalationLintCode::GroupWithoutAgents => Self::GroupWithoutAgents,
        }
    }
}

/// One thing that looks like a mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lint {
    /// What.
    pub code: LintCode,
    /// The spot in the document, as in `rules[3].when`.
    pub path: String,
    /// The same in words.
    pub message: String,
}

impl Lint {
    fn new(code: LintCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: message.into() }
    }
}

impl From<EscalationLint> for Lint {
    fn from(lint: EscalationLint) -> Self {
        Self { code: lint.code.into(), path: lint.path, message: lint.message }
    }
}

impl Desk {
    /// What looks like a mistake in the configuration alone.
    ///
    /// Rules that earlier ones shadow are found where the earlier condition, or
    /// one alternative of it, is a part of the later one or follows from it leaf
    /// by leaf: values of lists, members of sets, ranges, words and parts of texts;
    /// not every shadowed rule is.
    ///
    /// ```
    /// use helpdesk_core::desk::{Desk, lint::LintCode};
    /// let desk = Desk::from_value(&serde_json::json!({"rules": [
    ///     {"key": "all", "then": {"queue": "support"}},
    ///     {"key": "chats", "when": {"field": "channel", "is": "chat"}, "then": {"queue": "support"}},
    /// ]})).map_err(|faults| faults[0].clone())?;
    /// let lints = desk.lint();
    /// assert_eq!((lints[0].code, &*lints[0].path), (LintCode::UnreachableRule, "rules[1]"));
    /// # Ok::<(), helpdesk_core::fault::Fault>(())
    /// ```
    #[must_use]
    pub fn lint(&self) -> Vec<Lint> {
        let mut lints = self.lint_conditions();
        lints.extend(self.lint_watch());
        lints.extend(self.lint_groups_and_queues());
        lints.extend(self.lint_skills());
        lints.extend(self.lint_statuses());
        lints.extend(self.lint_macros());
        lints.extend(self.lint_predictions());
        lints.extend(self.lint_retention());
        lints.extend(self.document.roles.iter().enumerate().filter(|(_, r)| r.may.is_empty()).map(
            |(i, role)| {
                let message = format!("the role `{}` permits nothing", role.key);
                Lint::new(LintCode::EmptyRole, format!("roles[{i}].may"), message)
            },
        ));
        lints
    }

    /// As [`Desk::lint`], and what looks like a mistake with these agents, and in
    /// the schedules from `now` on for
    /// [`COVERAGE_DAYS`](crate::escalation::schedule::COVERAGE_DAYS).
    #[must_use]
    pub fn lint_with(&self, roster: &Roster, now: DateTime<Utc>) -> Vec<Lint> {
        let mut lints = self.lint();
        let agents: Vec<&Agent> =
            roster.agents.values().map(|entry| &*entry.agent).filter(|a| a.active).collect();
        for (i, group) in self.document.groups.iter().enumerate() {
            if !agents.iter().any(|agent| agent.is_in(&group.key)) {
                let message = format!("no active agent is in the group `{}`", group.key);
                let path = self.path_of_group(i);
                lints.push(Lint::new(LintCode::GroupWithoutAgents, path, message));
            }
        }
        for (rule, spot) in self.rules().iter().zip(&self.rule_spots) {
            if self.nobody_can(rule, &agents) {
                let message = format!(
                    "no active agent whom the queue `{}` asks has these skills, and no stage asks for less",
                    rule.then.queue
                );
                let path = format!("rules[{spot}].then.skills");
                lints.push(Lint::new(LintCode::SkillNobodyHas, path, message));
            }
        }
        lints.extend(self.lint_calendars(&agents));
        lints.extend(self.lint_openings(now));
        lints.extend(self.lint_escalation(roster, now));
        lints
    }

    fn lint_predictions(&self) -> Vec<Lint> {
        let has_one_value = |field: &PredictedField| match field {
            PredictedField::Type | PredictedField::Priority | PredictedField::Tags => false,
            PredictedField::Queue => self.queues.len() < 2,
            PredictedField::Custom(key) => {
                self.field(FieldOwner::Ticket, key).is_some_and(|field| match &field.kind {
                    FieldType::Choice { values } => values.len() < 2,
                    FieldType::MultiChoice { .. }
                    | FieldType::Text { .. }
                    | FieldType::Number { .. }
                    | FieldType::Instant
                    | FieldType::Boolean => false,
                })
            }
        };
        let defs = self.predictions().iter().enumerate();
        defs.filter(|(_, def)| has_one_value(&def.field))
            .map(|(i, def)| {
                let message = format!("`{}` has one value only: nothing to predict", def.field);
                Lint::new(LintCode::NothingToPredict, format!("predictions[{i}]"), message)
            })
            .collect()
    }

    fn lint_retention(&self) -> Option<Lint> {
        let days = self.retention().journal_days?;
        let closes_after = self.auto_close_after_seconds()?;
        (u64::from(days) * 86_400 <= closes_after).then(|| {
            let message = format!(
                "{days} days are not longer than a solved ticket waits to be closed: what led to \
                 its solution is in the archive by then"
            );
            Lint::new(LintCode::ShortRetention, "retention.journal_days", message)
        })
    }

    fn lint_conditions(&self) -> Vec<Lint> {
        let mut lints = Vec::new();
        let never = "the condition holds on no ticket";
        let mut never_holds = BTreeSet::new();
        for (i, (rule, spot)) in self.rules().iter().zip(&self.rule_spots).enumerate() {
            if logic::never_holds(&rule.when) {
                never_holds.insert(i);
                let path = format!("rules[{spot}].when");
                lints.push(Lint::new(LintCode::ContradictoryCondition, path, never));
            }
        }
        let tried: Vec<Tried<'_>> = self.rules().iter().map(|r| Tried::always(&r.when)).collect();
        for (later, earlier) in shadow::shadowed(&tried, &never_holds) {
            let (rule, by) = (&self.rules()[later], &self.rules()[earlier]);
            let path = format!("rules[{}]", self.rule_spots[later]);
            if rule.when == by.when && rule.then == by.then {
                let message = format!("the same as the rule `{}`", by.key);
                lints.push(Lint::new(LintCode::DuplicateRule, path, message));
            } else {
                let message = format!("never reached: the rule `{}` holds before", by.key);
                lints.push(Lint::new(LintCode::UnreachableRule, path, message));
            }
        }
        for (i, key) in self.view_order.iter().enumerate() {
            if self.view(key).is_some_and(|view| logic::never_holds(&view.condition)) {
                let path = format!("views[{i}].when");
                lints.push(Lint::new(LintCode::ContradictoryCondition, path, never));
            }
        }
        lints
    }

    fn lint_groups_and_queues(&self) -> Vec<Lint> {
        let mut lints = Vec::new();
        let asked: BTreeSet<&Key> = self.queues.values().flat_map(groups_of).collect();
        for (i, group) in self.document.groups.iter().enumerate() {
            if !asked.contains(&group.key) {
                let message = format!("no queue asks the group `{}`", group.key);
                lints.push(Lint::new(LintCode::GroupWithoutQueue, self.path_of_group(i), message));
            }
        }
        let by_mailbox = self.mailboxes.values().filter_map(|m| m.default_queue.as_ref());
        let by_rule = self.rules().iter().map(|rule| &rule.then.queue);
        let used: BTreeSet<&Key> =
            by_mailbox.chain(by_rule).chain(self.default_queue.as_ref()).collect();
        for (i, queue) in self.document.queues.iter().enumerate() {
            if !used.contains(&queue.key) {
                let message =
                    format!("no rule, mailbox or default leads to the queue `{}`", queue.key);
                let path =
                    if self.lists_queues { format!("queues[{i}]") } else { self.path_of_group(i) };
                lints.push(Lint::new(LintCode::UnusedQueue, path, message));
            }
        }
        lints
    }

    fn lint_calendars(&self, agents: &[&Agent]) -> Vec<Lint> {
        let by_rule = self.rules().iter().map(|rule| &rule.when);
        let of_watch = self.watch_conditions();
        let by_watch = of_watch.iter().map(|(_, when)| when);
        let by_view = self.views.values().map(|view| &view.condition);
        let conditions = by_rule.chain(by_view).chain(by_watch);
        let by_condition = conditions.flat_map(Condition::leaves).filter_map(Leaf::calendar);
        let by_group = self.groups.values().filter_map(|group| group.calendar.as_ref());
        let by_agent = agents.iter().filter_map(|agent| agent.shift.as_ref());
        let by_queue = self.queues.values().filter_map(|queue| queue.idle_calendar.as_ref());
        let named = by_group.chain(by_agent).chain(by_queue).chain(self.watch_calendars());
        let used: BTreeSet<&Key> = by_condition.chain(named).collect();
        let mut lints = Vec::new();
        for (i, calendar) in self.document.calendars.iter().enumerate() {
            if !used.contains(&calendar.key) {
                let message = format!("nothing uses the calendar `{}`", calendar.key);
                let path = format!("calendars[{i}]");
                lints.push(Lint::new(LintCode::UnusedCalendar, path, message));
            }
        }
        for agent in agents {
            let Some(shift) = agent.shift.as_ref().filter(|key| self.calendar(key).is_none())
            else {
                continue;
            };
            let message = format!(
                "the shift of the agent `{}` is the calendar `{shift}`, which is not there: always on shift",
                agent.name
            );
            lints.push(Lint::new(LintCode::UnknownShift, "calendars", message));
        }
        lints
    }

    fn lint_openings(&self, now: DateTime<Utc>) -> Vec<Lint> {
        let mut lints = Vec::new();
        for (i, def) in self.document.calendars.iter().enumerate() {
            let calendar = self.calendar(&def.key);
            if calendar.is_some_and(|calendar| calendar.next_open(now).is_err()) {
                let message = format!("the calendar `{}` never opens again", def.key);
                let path = format!("calendars[{i}]");
                lints.push(Lint::new(LintCode::CalendarNeverOpens, path, message));
            }
        }
        lints
    }

    fn lint_skills(&self) -> Vec<Lint> {
        let by_rule = self.rules().iter().flat_map(|rule| &rule.then.skills);
        let steps = self.macros.values().flat_map(|m| &m.steps);
        let by_macro = steps.flat_map(|step| match step {
            MacroStep::Change {
                change: Change::RequireSkills { skills } | Change::PreferSkills { skills },
            } => &skills[..],
            _ => &[],
        });
        let used: BTreeSet<&Key> = by_rule.chain(by_macro).map(|level| &level.skill).collect();
        let unused = self.document.skills.iter().enumerate();
        let unused = unused.filter(|(_, skill)| !used.contains(&skill.key));
        let lint = |(i, skill): (usize, &super::document::NamedDef)| {
            let message = format!("no rule and no macro asks for the skill `{}`", skill.key);
            Lint::new(LintCode::UnusedSkill, format!("skills[{i}]"), message)
        };
        unused.map(lint).collect()
    }

    fn lint_statuses(&self) -> Vec<Lint> {
        let reachable = self.reachable_statuses();
        let all = self.statuses.statuses().iter().enumerate();
        let lost = all.filter(|(_, status)| !reachable.contains(&status.key));
        let lint = |(i, status): (usize, &StatusDef)| {
            let message = format!("no transition leads to the status `{}`", status.key);
            Lint::new(LintCode::UnreachableStatus, format!("statuses[{i}]"), message)
        };
        lost.map(lint).collect()
    }

    /// The statuses that the engine gives by itself (new tickets, taken ones,
    /// those closed after a while), and what transitions reach from there.
    fn reachable_statuses(&self) -> BTreeSet<&Key> {
        let table = &self.statuses;
        if table.transitions().is_empty() {
            return table.statuses().iter().map(|status| &status.key).collect();
        }
        let closes = self.auto_close_after_seconds().is_some();
        let by_itself = [StatusCategory::New, StatusCategory::Open, StatusCategory::Closed];
        let mut reached: BTreeSet<&Key> = by_itself
            .into_iter()
            .filter(|category| closes || *category != StatusCategory::Closed)
            .map(|category| &table.default_of(category).key)
            .collect();
        // Each round reaches a status more, or is the last.
        for _ in 0..table.statuses().len() {
            let n = reached.len();
            for transition in table.transitions() {
                if transition.from.is_empty() || transition.from.iter().any(|k| reached.contains(k))
                {
                    reached.extend(&transition.to);
                }
            }
            if reached.len() == n {
                break;
            }
        }
        reached
    }

    fn lint_macros(&self) -> Vec<Lint> {
        let reachable = self.reachable_statuses();
        let mut lints = Vec::new();
        for (i, definition) in self.document.macros.iter().enumerate() {
            for (j, why) in self.unusable_steps(definition, &reachable) {
                let path = format!("macros[{i}].steps[{j}]");
                lints.push(Lint::new(LintCode::UnusableMacro, path, why));
            }
        }
        lints
    }

    fn unusable_steps(
        &self,
        definition: &Macro,
        reachable: &BTreeSet<&Key>,
    ) -> Vec<(usize, &'static str)> {
        let mut unusable = Vec::new();
        let mut closed = false;
        for (j, step) in definition.steps.iter().enumerate() {
            if closed {
                unusable.push((
                    j,
                    "the step before closes the ticket, and closed tickets do not change",
                ));
                break;
            }
            let MacroStep::SetStatus { to } = step else { continue };
            if !reachable.contains(to) {
                unusable.push((j, "no transition leads to this status"));
            }
            closed = self.statuses.get(to).is_some_and(|s| s.category == StatusCategory::Closed);
        }
        unusable
    }

    fn nobody_can(&self, rule: &RoutingRule, agents: &[&Agent]) -> bool {
        let Some(queue) = self.queue(&rule.then.queue) else { return false };
        let asks_for_less = |relax: &Relax| {
            matches!(relax, Relax::LowerLevel { .. } | Relax::DropSkill { .. } | Relax::DropAll)
        };
        if rule.then.skills.is_empty()
            || queue.stages.iter().any(|stage| stage.relax.iter().any(asks_for_less))
        {
            return false;
        }
        let groups: BTreeSet<&Key> = groups_of(queue).collect();
        let can = |agent: &&Agent| {
            agent.groups.iter().any(|group| groups.contains(group))
                && rule.then.skills.iter().all(|s| agent.skill_level(&s.skill) >= s.level)
        };
        !agents.iter().any(can)
    }

    /// A desk that lists no groups has one all the same.
    fn path_of_group(&self, i: usize) -> String {
        if self.lists_groups { format!("groups[{i}]") } else { "groups".to_owned() }
    }
}

/// The groups that a queue asks: its own and those of its stages.
fn groups_of(queue: &Queue) -> impl Iterator<Item = &Key> {
    queue.stages.iter().flat_map(|stage| &stage.pools).chain([&queue.group])
}
