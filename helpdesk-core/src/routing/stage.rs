//! Stages: how a queue widens its search for an agent while a ticket waits.

use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Selector {
    /// Longest since last assigned on the ticket's channel; never-assigned first.
    #[default]
    LongestIdle,
    /// Smallest ratio of load to capacity.
    MostSpare,
    /// Fewest units, active and reserved.
    LeastLoaded,
    /// Fewest units for its capacity, over time: turns in proportion to capacity.
    WeightedRoundRobin,
    /// Highest sum of levels over required skills, then preferred ones.
    BestSkill,
    /// Lowest hash of seed, ticket id and agent id.
    Random,
}

impl Selector {
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
