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

/// A skill, by the number that the index gave it, and a level.
pub(super) type Skill = (u32, u8);

/// The numbers of skills, in the order in which they came up.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(BTreeMap<Key, u32>);

impl Numbers {
    fn get_or_add(&mut self, skill: &SkillLevel) -> Skill {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        (*self.0.entry(skill.skill.clone()).or_insert(next), skill.level)
    }

    /// The agent's skills that any ticket has asked for.
    pub(super) fn of_agent(&self, agent: &Agent) -> Vec<Skill> {
        let mut skills: Vec<Skill> = Vec::with_capacity(agent.skills.len());
        for own in &agent.skills {
            let Some(number) = self.0.get(&own.skill) else { continue };
            // Of several levels the first counts.
            if skills.iter().all(|(known, _)| known != number) {
                skills.push((*number, own.level));
            }
        }
        skills
    }
}

/// What the tickets of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Each once and in order, as far as they refuse anybody. Where stages ask for
    /// less, as they stand in the ticket: that is what those stages change.
    pub(super) skills: Vec<Skill>,
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
    further: BTreeMap<Skill, Self>,
}

impl BySkills {
    /// The group, made where there is none.
    pub(super) fn group_mut(&mut self, asked: &Asked) -> &mut Group {
        let mut at = self;
        for skill in &asked.skills {
            at = at.further.entry(*skill).or_default();
        }
        at.groups.entry(asked.kind).or_default()
    }

    pub(super) fn group(&self, asked: &Asked) -> Option<&Group> {
        let mut at = self;
        for skill in &asked.skills {
            at = at.further.get(skill)?;
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
        skills: &[Skill],
        kind: Kind,
        change: impl FnOnce(&mut Group) -> T,
    ) -> Option<T> {
        let Some((skill, further)) = skills.split_first() else {
            let group = self.groups.get_mut(&kind)?;
            let done = change(group);
            if group.in_turn.is_empty() {
                self.groups.remove(&kind);
            }
            return Some(done);
        };
        let next = self.further.get_mut(skill)?;
        let done = next.change_at(further, kind, change);
        if next.is_empty() {
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

    /// The groups that ask for no more than these skills; without any given, all.
    pub(super) fn collect<'a>(
        &'a self,
        skills: Option<&[Skill]>,
        found: &mut impl FnMut(Kind, &'a Group),
    ) {
        self.groups.iter().for_each(|(kind, group)| found(*kind, group));
        let Some(skills) = skills else {
            return self.further.values().for_each(|next| next.collect(None, found));
        };
        if self.further.is_empty() {
            return;
        }
        for (number, level) in skills {
            for (_, next) in self.further.range((*number, 0)..=(*number, *level)) {
                next.collect(Some(skills), found);
            }
        }
    }
}

impl Asked {
    pub(super) fn of(waiting: &Waiting, numbers: &mut Numbers) -> Self {
        let Waiting { ticket, queue, .. } = waiting;
        let priority = match queue.sort {
            QueueSort::Priority => priority(ticket),
            QueueSort::Age | QueueSort::Deadline => Priority::Normal,
        };
        let required = ticket.required_skills.iter();
        let relaxes = relaxes(queue);
        let asked = required.filter(|skill| relaxes || skill.level > 0);
        let mut skills: Vec<Skill> = asked.map(|skill| numbers.get_or_add(skill)).collect();
        if !relaxes {
            // The highest level of each.
            skills.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
            skills.dedup_by(|a, b| a.0 == b.0);
        }
        Self { skills, kind: Kind { priority, channel: ticket.channel } }
    }
}

/// Whether stages of the queue ask for less than the ticket.
pub(super) fn relaxes(queue: &Queue) -> bool {
    queue.stages.iter().any(|stage| !stage.relax.is_empty())
}
