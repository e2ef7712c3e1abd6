//! Groups of tickets by the skills they ask for.

use super::Waiting;
use crate::agent::Agent;
use crate::id::Key;
use crate::routing::next::{Importance, Turn, priority};
use crate::routing::queue::{Queue, QueueSort};
use crate::ticket::priority::{Channel, Priority, SkillLevel};
use foldhash::fast::FixedState;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tickets that ask the same, in both orders.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) in_turn: BTreeMap<Turn, Arc<Waiting>>,
    pub(super) by_importance: BTreeMap<Importance, Arc<Waiting>>,
}

/// Where a ticket stands in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) turn: Turn,
    pub(super) importance: Importance,
}

impl Standing {
    /// The first of each of two.
    fn first(self, other: Self) -> Self {
        Self { turn: self.turn.min(other.turn), importance: self.importance.min(other.importance) }
    }

    /// Whether it is first of all that this is the first of.
    fn leads(self, first: Self) -> bool {
        self.turn == first.turn || self.importance == first.importance
    }
}

impl Group {
    fn first(&self) -> Option<Standing> {
        let (turn, _) = self.in_turn.first_key_value()?;
        let (importance, _) = self.by_importance.first_key_value()?;
        Some(Standing { turn: *turn, importance: *importance })
    }
}

/// A skill, by the number that the index gave it, and a level.
pub(super) type Skill = (u32, u8);
/// As many as most tickets ask for stand in place.
pub(super) type Skills = SmallVec<[Skill; 3]>;

/// The numbers of skills, in the order in which they came up.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(Table);

/// Looked up for each agent.
#[allow(clippy::disallowed_types, reason = "its seed is fixed, and nothing goes over it")]
type Table = std::collections::HashMap<Key, u32, FixedState>;

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
    pub(super) skills: Skills,
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
/// of theirs, and nowhere that has nothing for them before what they found.
#[derive(Debug, Clone, Default)]
pub(super) struct BySkills {
    /// Of those who ask for no further skill.
    groups: BTreeMap<Kind, Group>,
    /// By the skill's number.
    further: Vec<OfSkill>,
}

/// The groups that ask for one more skill, by level.
#[derive(Debug, Clone)]
struct OfSkill {
    skill: u32,
    /// The first of all tickets here, at whatever level.
    first: Standing,
    levels: Vec<(u8, Further)>,
}

/// The groups that ask for one more skill at a level.
#[derive(Debug, Clone)]
struct Further {
    /// The first of all tickets here; a ticket before it there is not.
    first: Standing,
    groups: BySkills,
}

impl BySkills {
    pub(super) fn insert(&mut self, asked: &Asked, standing: Standing, waiting: &Arc<Waiting>) {
        let mut at = self;
        for skill in &asked.skills {
            let further = at.further_with(*skill, standing);
            at = &mut further.groups;
        }
        let group = at.groups.entry(asked.kind).or_default();
        group.in_turn.insert(standing.turn, waiting.clone());
        group.by_importance.insert(standing.importance, waiting.clone());
    }

    pub(super) fn get(&self, asked: &Asked, turn: &Turn) -> Option<&Arc<Waiting>> {
        let mut at = self;
        for skill in &asked.skills {
            at = &at.further(*skill)?.groups;
        }
        at.groups.get(&asked.kind)?.in_turn.get(turn)
    }

    pub(super) fn remove(&mut self, asked: &Asked, standing: Standing) -> Option<Arc<Waiting>> {
        self.remove_at(&asked.skills, asked.kind, standing)
    }

    fn remove_at(
        &mut self,
        skills: &[Skill],
        kind: Kind,
        standing: Standing,
    ) -> Option<Arc<Waiting>> {
        let Some((skill, others)) = skills.split_first() else {
            let group = self.groups.get_mut(&kind)?;
            group.by_importance.remove(&standing.importance);
            let removed = group.in_turn.remove(&standing.turn);
            if group.in_turn.is_empty() {
                self.groups.remove(&kind);
            }
            return removed;
        };
        let (at_skill, at_level) = self.place(*skill)?;
        let of_skill = &mut self.further[at_skill];
        let levels = &mut of_skill.levels;
        let further = &mut levels[at_level].1;
        let removed = further.groups.remove_at(others, kind, standing);
        if standing.leads(further.first) {
            match further.groups.first() {
                Some(first) => further.first = first,
                None => drop(levels.remove(at_level)),
            }
        }
        if standing.leads(of_skill.first) {
            match of_skill.levels.iter().map(|(_, it)| it.first).reduce(Standing::first) {
                Some(first) => of_skill.first = first,
                None => drop(self.further.remove(at_skill)),
            }
        }
        removed
    }

    /// The first of all tickets; `None` where there are none.
    fn first(&self) -> Option<Standing> {
        let groups = self.groups.values().filter_map(Group::first);
        groups.chain(self.further.iter().map(|it| it.first)).reduce(Standing::first)
    }

    fn all_further(&self) -> impl Iterator<Item = &Further> {
        self.further.iter().flat_map(|it| it.levels.iter().map(|(_, further)| further))
    }

    /// The place of a skill, and of a level there.
    fn place(&self, (skill, level): Skill) -> Option<(usize, usize)> {
        let at_skill = self.further.binary_search_by_key(&skill, |it| it.skill).ok()?;
        let levels = &self.further[at_skill].levels;
        Some((at_skill, levels.binary_search_by_key(&level, |(level, _)| *level).ok()?))
    }

    fn further(&self, skill: Skill) -> Option<&Further> {
        let (at_skill, at_level) = self.place(skill)?;
        Some(&self.further[at_skill].levels[at_level].1)
    }

    /// Those that ask for a skill, made where there are none, with one more that stands so.
    fn further_with(&mut self, (skill, level): Skill, one: Standing) -> &mut Further {
        let at_skill = self.further.binary_search_by_key(&skill, |it| it.skill);
        let at_skill = at_skill.unwrap_or_else(|at| {
            self.further.insert(at, OfSkill { skill, first: one, levels: Vec::new() });
            at
        });
        let OfSkill { first, levels, .. } = &mut self.further[at_skill];
        *first = first.first(one);
        let at_level = levels.binary_search_by_key(&level, |(level, _)| *level);
        let at_level = at_level.unwrap_or_else(|at| {
            levels.insert(at, (level, Further { first: one, groups: Self::default() }));
            at
        });
        let further = &mut levels[at_level].1;
        further.first = further.first.first(one);
        further
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.further.is_empty()
    }

    /// All groups.
    pub(super) fn all(&self) -> Vec<&Group> {
        let mut found = Vec::new();
        self.groups.values().for_each(|group| found.push(group));
        self.all_further().for_each(|further| found.extend(further.groups.all()));
        found
    }

    /// Goes over the groups that ask for no more than these skills (without any given:
    /// over all), those with the first tickets first, as far as they have a ticket that
    /// comes before what was found. `look` is shown each group, and says what was found.
    pub(super) fn search<'a, K: Ord + Copy>(
        &'a self,
        skills: Option<&[Skill]>,
        key: &impl Fn(Standing) -> K,
        found: &mut Option<K>,
        look: &mut impl FnMut(Kind, &'a Group) -> Option<K>,
    ) {
        for (kind, group) in &self.groups {
            *found = look(*kind, group);
        }
        if self.further.is_empty() {
            return;
        }
        let mut open: SmallVec<[(K, &Self); OPEN]> = SmallVec::new();
        let before = *found;
        let may_have = |first: Standing| before.is_none_or(|found| key(first) < found);
        let mut note = |of_skill: &'a OfSkill, level_max: u8| {
            if !may_have(of_skill.first) {
                return;
            }
            let levels = of_skill.levels.iter().take_while(|(level, _)| *level <= level_max);
            let levels = levels.filter(|(_, further)| may_have(further.first));
            open.extend(levels.map(|(_, further)| (key(further.first), &further.groups)));
        };
        match skills {
            None => self.further.iter().for_each(|it| note(it, u8::MAX)),
            Some(skills) => skills.iter().for_each(|(skill, level)| {
                let place = self.further.binary_search_by_key(skill, |it| it.skill);
                place.into_iter().for_each(|at| note(&self.further[at], *level));
            }),
        }
        open.sort_unstable_by_key(|(key, _)| *key);
        for (key_of_first, groups) in open {
            if found.is_some_and(|found| found <= key_of_first) {
                break;
            }
            groups.search(skills, key, found, look);
        }
    }
}

/// As many as agents mostly have open at a time; so many stand on the stack.
const OPEN: usize = 24;

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
        let mut skills: Skills = asked.map(|skill| numbers.get_or_add(skill)).collect();
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
