//! Stages: how a queue widens its search for an agent while a ticket waits.

use super::after;
use super::queue::Queue;
use crate::id::Key;
use crate::ticket::Ticket;
use crate::ticket::priority::SkillLevel;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a stage's groups do to those of the stages before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Widen {
    /// They join them.
    #[default]
    Accumulate,
    /// They replace them.
    Replace,
}

/// How a stage asks for less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Relax {
    /// Preferred skills count no more.
    DropPreferred,
    /// Every required level is lowered by this much, to 1 at least.
    LowerLevel {
        /// By how much.
        by: u8,
    },
    /// One skill is required no more.
    DropSkill {
        /// Which.
        skill: Key,
    },
    /// No skill is required or preferred any more.
    DropAll,
}

/// How one of several candidates is chosen. Ties always go by fewer active
/// units, longest since last assigned (never first), agent id.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Selector {
    /// Longest since last assigned on the ticket's channel; never-assigned first.
    #[default]
    LongestIdle,
    /// Smallest ratio of load to capacity.
    MostSpare,
    /// Fewest units, active and reserved.
    LeastLoaded,
    /// Fewest units ever taken for its capacity: turns in proportion to capacity.
    /// Whoever was away comes back at most one full capacity behind the others.
    WeightedRoundRobin,
    /// Highest sum of levels over the required skills; then over the preferred
    /// ones, each level times the preferred level. After relaxing.
    BestSkill,
    /// Lowest hash of seed, ticket id and agent id.
    Random,
}

impl Selector {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::LongestIdle,
        Self::MostSpare,
        Self::LeastLoaded,
        Self::WeightedRoundRobin,
        Self::BestSkill,
        Self::Random,
    ];

    /// The selector as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LongestIdle => "longest_idle",
            Self::MostSpare => "most_spare",
            Self::LeastLoaded => "least_loaded",
            Self::WeightedRoundRobin => "weighted_round_robin",
            Self::BestSkill => "best_skill",
            Self::Random => "random",
        }
    }
}

/// One stage. Those with `after_seconds` up to the ticket's waiting time are active.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Active once the ticket has waited for this long since it entered the queue.
    #[serde(default)]
    pub after_seconds: u64,
    /// The groups whose agents are asked; empty for the queue's own group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<Key>,
    /// What these groups do to those before.
    #[serde(default)]
    pub widen: Widen,
    /// How it asks for less, beside what earlier stages did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relax: Vec<Relax>,
    /// How one of several is chosen; that of the last active stage counts.
    #[serde(default)]
    pub selector: Selector,
    /// Go on to the next stage at once when this one has no candidate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_if_empty: bool,
}

/// What the active stages of a queue ask for, all together.
#[derive(Debug, Clone, PartialEq)]
pub struct Search<'a> {
    /// The last active stage, from 0; 0 also before the first one is active.
    pub stage: u16,
    /// The groups whose agents are asked, each once; empty before the first stage.
    pub pools: Cow<'a, [Key]>,
    /// The skills an agent must have, relaxed.
    pub required: Cow<'a, [SkillLevel]>,
    /// The skills an agent better has, relaxed.
    pub preferred: Cow<'a, [SkillLevel]>,
    /// How one of several is chosen: as the last active stage says.
    pub selector: Selector,
    /// Whether the next stage is asked at once when this search finds nobody;
    /// never on the last stage.
    pub skip_if_empty: bool,
    /// When the next stage becomes active; `None` on the last.
    pub next_stage_at: Option<DateTime<Utc>>,
}

/// The stages of `queue` that are active for `ticket` at `now`, merged.
///
/// A stage is active from `entered_queue_at + after_seconds` on, that instant
/// included; stages out of order are taken by `after_seconds`. A queue without
/// stages has one, of its own group. A ticket that never entered a queue waits
/// since it was opened. Source: spec/routing.md §3.1.
///
/// A timer that fires late may ask at a `now` before the ticket entered its queue; the answer
/// is then the one at its entry. With none, an agent whom that timer brings back would be
/// given nothing of what came since it was due.
#[must_use]
pub fn active_stages<'a>(queue: &'a Queue, ticket: &'a Ticket, now: DateTime<Utc>) -> Search<'a> {
    let entered_at = entered_queue_at(ticket);
    let now = now.max(entered_at);
    let is_active = |stage: &&Stage| after(entered_at, stage.after_seconds) <= now;
    let n_active = queue.stages.iter().filter(is_active).count();
    first_stages(queue, ticket, n_active)
}

/// The search one stage further than `search`, as `skip_if_empty` asks it.
#[must_use]
pub fn skip_stage<'a>(queue: &'a Queue, ticket: &'a Ticket, search: &Search<'a>) -> Search<'a> {
    first_stages(queue, ticket, usize::from(search.stage) + 2)
}

/// The search that stands at this stage, from 0, all before it being active.
pub(super) fn at_stage<'a>(queue: &'a Queue, ticket: &'a Ticket, stage: u16) -> Search<'a> {
    first_stages(queue, ticket, usize::from(stage) + 1)
}

/// Since when a ticket waits.
pub(super) fn entered_queue_at(ticket: &Ticket) -> DateTime<Utc> {
    ticket.entered_queue_at.unwrap_or(ticket.times.created_at)
}

/// The first `n_active` stages by `after_seconds`, merged.
fn first_stages<'a>(queue: &'a Queue, ticket: &'a Ticket, n_active: usize) -> Search<'a> {
    let n_active = n_active.min(queue.stages.len());
    // As most queues have them: every choice asks this.
    if queue.stages.is_sorted_by_key(|stage| stage.after_seconds) {
        let (active, coming) = queue.stages.split_at(n_active);
        return merged(queue, ticket, active.iter(), coming.first());
    }
    let mut stages: Vec<&Stage> = queue.stages.iter().collect();
    stages.sort_by_key(|stage| stage.after_seconds);
    let (active, coming) = stages.split_at(n_active);
    merged(queue, ticket, active.iter().copied(), coming.first().copied())
}

/// The active stages, in order, and the first to come.
fn merged<'a>(
    queue: &'a Queue,
    ticket: &'a Ticket,
    active: impl ExactSizeIterator<Item = &'a Stage> + DoubleEndedIterator + Clone,
    coming: Option<&'a Stage>,
) -> Search<'a> {
    let last = active.clone().next_back();
    let (required, preferred) = relaxed(ticket, active.clone().flat_map(|stage| &stage.relax));
    Search {
        stage: u16::try_from(active.len().saturating_sub(1)).unwrap_or(u16::MAX),
        pools: pools(queue, active),
        required,
        preferred,
        selector: last.map_or(Selector::default(), |stage| stage.selector),
        skip_if_empty: last.is_some_and(|stage| stage.skip_if_empty) && coming.is_some(),
        next_stage_at: coming.map(|stage| after(entered_queue_at(ticket), stage.after_seconds)),
    }
}

fn pools<'a>(queue: &'a Queue, active: impl Iterator<Item = &'a Stage>) -> Cow<'a, [Key]> {
    let own = std::slice::from_ref(&queue.group);
    if queue.stages.is_empty() {
        return own.into();
    }
    let mut pools: Cow<'a, [Key]> = Cow::default();
    for stage in active {
        let of_stage = if stage.pools.is_empty() { own } else { &stage.pools };
        if pools.is_empty() || stage.widen == Widen::Replace {
            pools = of_stage.into();
        } else {
            pools.to_mut().extend_from_slice(of_stage);
        }
    }
    if !pools.is_sorted_by(|a, b| a < b) {
        let pools = pools.to_mut();
        pools.sort_unstable();
        pools.dedup();
    }
    pools
}

/// The ticket's required and preferred skills after `relax`, in that order.
fn relaxed<'a>(
    ticket: &'a Ticket,
    relax: impl Iterator<Item = &'a Relax>,
) -> (Cow<'a, [SkillLevel]>, Cow<'a, [SkillLevel]>) {
    let mut required = Cow::Borrowed(ticket.required_skills.as_slice());
    let mut preferred = Cow::Borrowed(ticket.preferred_skills.as_slice());
    for step in relax {
        match step {
            Relax::DropPreferred => preferred.to_mut().clear(),
            Relax::LowerLevel { by } => {
                for skill in required.to_mut() {
                    skill.level = skill.level.saturating_sub(*by).max(1);
                }
            }
            Relax::DropSkill { skill } => required.to_mut().retain(|s| s.skill != *skill),
            Relax::DropAll => {
                required.to_mut().clear();
                preferred.to_mut().clear();
            }
        }
    }
    (required, preferred)
}
