//! What the parts of a document name: groups, mailboxes, queues, macros.

use super::Checker;
use crate::automation::macros::{Macro, MacroStep};
use crate::calendar::ZoneRules;
use crate::condition::Calendars;
use crate::desk::document::Document;
use crate::fault::{Code, Fault};
use crate::id::Key;
use crate::limit::{
    MACRO_STEPS_MAX, RATE_LIMIT_MAX, SKILLS_MAX, STAGES_MAX, SUBJECT_CHARS_MAX, TAG_CHARS_MAX,
    TAGS_MAX, TEXT_BYTES_MAX,
};
use crate::routing::queue::{Queue, QueueMode, RateLimit};
use crate::routing::rules::RouteTo;
use crate::routing::stage::{Relax, Stage};
use crate::ticket::change::Change;
use crate::ticket::custom::{CustomValue, FieldOwner};
use crate::ticket::priority::SkillLevel;

impl Checker<'_> {
    /// Everything but statuses, rules and views.
    pub(super) fn parts(&mut self, document: &Document) {
        for (i, field) in document.fields.iter().enumerate() {
            let path = format!("fields[{i}]");
            self.faults.extend(field.check().into_iter().map(|fault| fault.under(&path)));
        }
        for (i, group) in document.groups.iter().enumerate() {
            if let Some(tier) = &group.tier {
                self.resolve("tiers", "tier", tier, format!("groups[{i}].tier"));
            }
            if let Some(calendar) = &group.calendar {
                self.resolve("calendars", "calendar", calendar, format!("groups[{i}].calendar"));
            }
        }
        for (i, mailbox) in document.mailboxes.iter().enumerate() {
            if let Some(queue) = &mailbox.default_queue {
                self.resolve("queues", "queue", queue, format!("mailboxes[{i}].default_queue"));
            }
            if let Some(brand) = &mailbox.brand {
                self.resolve("brands", "brand", brand, format!("mailboxes[{i}].brand"));
            }
        }
        for (i, queue) in document.queues.iter().enumerate() {
            self.queue(queue, &format!("queues[{i}]"));
        }
        for (i, definition) in document.macros.iter().enumerate() {
            self.macro_steps(definition, document, &format!("macros[{i}]"));
        }
    }

    /// The calendars that compile.
    pub(super) fn calendars(&mut self, document: &Document, zones: &dyn ZoneRules) -> Calendars {
        let mut calendars = Calendars::default();
        for (i, calendar) in document.calendars.iter().enumerate() {
            if calendars.add(calendar.key.clone(), &calendar.hours, zones).is_err() {
                self.faults.extend(calendar.hours.check(&format!("calendars[{i}]"), zones));
            }
        }
        calendars
    }

    fn queue(&mut self, queue: &Queue, path: &str) {
        self.resolve("groups", "group", &queue.group, format!("{path}.group"));
        if let Some(calendar) = &queue.idle_calendar {
            self.resolve("calendars", "calendar", calendar, format!("{path}.idle_calendar"));
        }
        let lengths = [
            ("ageing_seconds", queue.ageing_seconds),
            ("idle_unassign_seconds", queue.idle_unassign_seconds),
            ("answer_within_seconds", queue.answer_within_seconds),
            (
                "mode.timeout_seconds",
                match queue.mode {
                    QueueMode::Offer { timeout_seconds } => Some(u64::from(timeout_seconds)),
                    QueueMode::Pull | QueueMode::Assign => None,
                },
            ),
        ];
        for (field, seconds) in lengths {
            if seconds == Some(0) {
                self.invalid(format!("{path}.{field}"), "takes at least 1; leave it out for never");
            }
        }
        if let Some(RateLimit { max, per_seconds }) = queue.rate_limit {
            let path = format!("{path}.rate_limit");
            for (field, is_zero) in [("max", max == 0), ("per_seconds", per_seconds == 0)] {
                if is_zero {
                    self.invalid(format!("{path}.{field}"), "takes at least 1");
                }
            }
            self.at_most(max as usize, RATE_LIMIT_MAX, "tickets", &format!("{path}.max"));
        }
        self.at_most(queue.stages.len(), STAGES_MAX, "stages", &format!("{path}.stages"));
        for (i, stage) in queue.stages.iter().enumerate() {
            let path = format!("{path}.stages[{i}]");
            if i > 0 && stage.after_seconds < queue.stages[i - 1].after_seconds {
                self.invalid(
                    format!("{path}.after_seconds"),
                    "less than that of the stage before: stages stand in order",
                );
            }
            self.stage(stage, &path);
        }
    }

    fn stage(&mut self, stage: &Stage, path: &str) {
        self.resolve_all("groups", "group", &stage.pools, &format!("{path}.pools"));
        for (i, relax) in stage.relax.iter().enumerate() {
            match relax {
                Relax::DropSkill { skill } => {
                    self.resolve("skills", "skill", skill, format!("{path}.relax[{i}].skill"));
                }
                Relax::DropPreferred | Relax::LowerLevel { .. } | Relax::DropAll => {}
            }
        }
    }

    pub(super) fn route_to(&mut self, then: &RouteTo, path: &str) {
        self.resolve("queues", "queue", &then.queue, format!("{path}.queue"));
        self.tags(&then.tags, &format!("{path}.tags"));
        self.skills(&then.skills, &format!("{path}.skills"));
    }

    fn macro_steps(&mut self, definition: &Macro, document: &Document, path: &str) {
        self.resolve_all("groups", "group", &definition.groups, &format!("{path}.groups"));
        let path = format!("{path}.steps");
        if definition.steps.is_empty() {
            self.invalid(&path, "a macro needs at least one step");
        }
        self.at_most(definition.steps.len(), MACRO_STEPS_MAX, "steps", &path);
        for (i, step) in definition.steps.iter().enumerate() {
            let path = format!("{path}[{i}]");
            match step {
                MacroStep::Change { change } => {
                    self.change(change, document, &format!("{path}.change"));
                }
                MacroStep::SetStatus { to } => {
                    self.resolve("statuses", "status", to, format!("{path}.to"));
                }
                MacroStep::Reply { text } | MacroStep::Note { text } => {
                    if text.trim().is_empty() {
                        self.invalid(format!("{path}.text"), "there is no text");
                    }
                    self.at_most(text.len(), TEXT_BYTES_MAX, "bytes", &format!("{path}.text"));
                }
                // Agents are no part of the configuration.
                MacroStep::Assign { .. } => {}
            }
        }
    }

    pub(super) fn change(&mut self, change: &Change, document: &Document, path: &str) {
        let to = format!("{path}.to");
        match change {
            Change::SetSubject { to: subject } => {
                self.at_most(subject.chars().count(), SUBJECT_CHARS_MAX, "chars", &to);
            }
            Change::SetBrand { to: Some(brand) } => self.resolve("brands", "brand", brand, to),
            Change::SetTier { to: Some(tier) } => self.resolve("tiers", "tier", tier, to),
            Change::AddTags { tags } | Change::RemoveTags { tags } => {
                self.tags(tags, &format!("{path}.tags"));
            }
            Change::SetCustom { field, to: value } => {
                self.custom(field, value.as_ref(), document, path);
            }
            Change::RequireSkills { skills } | Change::PreferSkills { skills } => {
                self.skills(skills, &format!("{path}.skills"));
            }
            Change::SetBrand { to: None }
            | Change::SetTier { to: None }
            | Change::SetPriority { .. }
            | Change::SetImpact { .. }
            | Change::SetUrgency { .. }
            | Change::SetType { .. }
            | Change::SetLanguage { .. }
            | Change::SetRequester { .. }
            | Change::SetOrganization { .. } => {}
        }
    }

    fn custom(
        &mut self,
        field: &Key,
        value: Option<&CustomValue>,
        document: &Document,
        path: &str,
    ) {
        let of_tickets = document.fields.iter().filter(|f| f.on == FieldOwner::Ticket);
        match (of_tickets.into_iter().find(|f| f.key == *field), value) {
            (Some(_), None) => {}
            (Some(definition), Some(value)) => {
                if let Err(fault) = definition.normalize(value.clone()) {
                    self.faults.push(fault.under(&format!("{path}.to")));
                }
            }
            (None, _) if !self.draft.is_whole("fields") => {}
            (None, _) => {
                let message = format!("tickets have no custom field `{field}`");
                self.fault(format!("{path}.field"), Code::NotConfigured, message);
            }
        }
    }

    fn tags(&mut self, tags: &[String], path: &str) {
        self.at_most(tags.len(), TAGS_MAX, "tags", path);
        for (i, tag) in tags.iter().enumerate() {
            let path = format!("{path}[{i}]");
            if tag.trim().is_empty() {
                self.invalid(path, "a tag needs at least one char");
            } else {
                self.at_most(tag.chars().count(), TAG_CHARS_MAX, "chars", &path);
            }
        }
    }

    fn skills(&mut self, skills: &[SkillLevel], path: &str) {
        self.at_most(skills.len(), SKILLS_MAX, "skills", path);
        for (i, skill) in skills.iter().enumerate() {
            let path = format!("{path}[{i}].skill");
            if skills[..i].iter().any(|s| s.skill == skill.skill) {
                self.fault(&path, Code::Duplicate, format!("`{}` stands twice", skill.skill));
            }
            self.resolve("skills", "skill", &skill.skill, path);
        }
    }

    fn at_most(&mut self, n: usize, max: usize, of_what: &str, path: &str) {
        if n > max {
            let message = format!("{n} {of_what}, at most {max}");
            self.faults.push(Fault::new(path, Code::OverLimit, message));
        }
    }
}
