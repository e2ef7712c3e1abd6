//! Groups of tickets by the skills they ask for.

use super::Waiting;
use crate::agent::Agent;
use crate::id::Key;
use crate::routing::next::{Importance, WaitingKey, priority};
use crate::routing::queue::{Queue, QueueSort};
use crate::ticket::priority::{Channel, Priority, SkillLevel};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tickets that ask the same, in both orders.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) in_turn: BTreeMap<WaitingKey, Arc<Waiting>>,
    pub(super) by_importance: BTreeMap<Importance, Arc<Waiting>>,
}

/// What the tickets of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Each once and by its key, as far as they refuse anybody. Where stages ask for
    /// less, as they stand in the ticket: that is what those stages change.
    pub(super) skills: Vec<SkillLevel>,
    pub(super) kind: Kind,
}

/// What else they have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// Where the queue sorts by priority: among equals, age decides whatever the
    /// ageing; else the same for all.
    pub(super) priority: Priority,
    pub(super) channel: Channel,
}

/// Groups by their first skill, then by the next: an agent looks only where each is one
/// of theirs.
#[derive(Debug, Clone, Default)]
pub(super) struct BySkills {
    /// Of those who ask for no further skill.
    groups: BTreeMap<Kind, Group>,
    /// By skill and level.
    further: BTreeMap<Key, BTreeMap<u8, Self>>,
}

impl BySkills {
    /// The group, made where there is none.
    pub(super) fn group_mut(&mut self, asked: &Asked) -> &mut Group {
        let mut at = self;
        for SkillLevel { skill, level } in &asked.skills {
            at = at.further.entry(skill.clone()).or_default().entry(*level).or_default();
        }
        at.groups.entry(asked.kind).or_default()
    }

    pub(super) fn group(&self, asked: &Asked) -> Option<&Group> {
        let mut at = self;
        for SkillLevel { skill, level } in &asked.skills {
            at = at.further.get(skill)?.get(level)?;
        }
        at.groups.get(&asked.kind)
    }

    /// Changes a group, and forgets it when it is empty then.
    pub(super) fn change<T>(
        &mut self,
        asked: &Asked,
        change: impl FnOnce(&mut Group) -> T,
    ) -> Option<T> {
        self.change_at(&asked.skills, asked.kind, change)
    }

    fn change_at<T>(
        &mut self,
        skills: &[SkillLevel],
        kind: Kind,
        change: impl FnOnce(&mut Group) -> T,
    ) -> Option<T> {
        let Some((SkillLevel { skill, level }, further)) = skills.split_first() else {
            let group = self.groups.get_mut(&kind)?;
            let done = change(group);
            if group.in_turn.is_empty() {
                self.groups.remove(&kind);
            }
            return Some(done);
        };
        let levels = self.further.get_mut(skill)?;
        let next = levels.get_mut(level)?;
        let done = next.change_at(further, kind, change);
        if next.is_empty() {
            levels.remove(level);
        }
        if levels.is_empty() {
            self.further.remove(skill);
        }
        done
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.further.is_empty()
    }

    /// All groups.
    pub(super) fn all(&self) -> Vec<&Group> {
        let mut found = Vec::new();
        self.collect(None, &mut |_, group| found.push(group));
        found
    }

    /// The groups that ask for no skill that the agent lacks; without one, all.
    pub(super) fn collect<'a>(
        &'a self,
        agent: Option<&Agent>,
        found: &mut impl FnMut(Kind, &'a Group),
    ) {
        self.groups.iter().for_each(|(kind, group)| found(*kind, group));
        let Some(agent) = agent else {
            let next = self.further.values().flat_map(BTreeMap::values);
            return next.for_each(|next| next.collect(None, found));
        };
        if self.further.is_empty() {
            return;
        }
        for (at, own) in agent.skills.iter().enumerate() {
            // Of several levels the first counts.
            let is_again = agent.skills[..at].iter().any(|known| known.skill == own.skill);
            let Some(levels) = self.further.get(&own.skill).filter(|_| !is_again) else { continue };
            for (_, next) in levels.range(..=own.level) {
                next.collect(Some(agent), found);
            }
        }
    }
}

impl Asked {
    pub(super) fn of(waiting: &Waiting) -> Self {
        let Waiting { ticket, queue, .. } = waiting;
        let priority = match queue.sort {
            QueueSort::Priority => priority(ticket),
            QueueSort::Age | QueueSort::Deadline => Priority::Normal,
        };
        let skills = match relaxes(queue) {
            true => ticket.required_skills.clone(),
            false => least(&ticket.required_skills),
        };
        Self { skills, kind: Kind { priority, channel: ticket.channel } }
    }
}

/// Whether stages of the queue ask for less than the ticket.
pub(super) fn relaxes(queue: &Queue) -> bool {
    queue.stages.iter().any(|stage| !stage.relax.is_empty())
}

/// The fewest skills that refuse the same agents.
fn least(required: &[SkillLevel]) -> Vec<SkillLevel> {
    let mut skills: Vec<SkillLevel> = required.iter().filter(|it| it.level > 0).cloned().collect();
    // The highest level of each.
    skills.sort_by(|a, b| a.skill.cmp(&b.skill).then(b.level.cmp(&a.level)));
    skills.dedup_by(|a, b| a.skill == b.skill);
    skills
}
