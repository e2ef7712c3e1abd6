//! People who answer tickets: what they can, how much, whether they are there.

use crate::contact::{Patch, patch, set};
use crate::id::{AgentId, Key, Version};
use crate::ticket::priority::{Channel, SkillLevel};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How much work an agent takes, in work units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Units over all channels.
    pub total: u32,
    /// Units of single channels; a channel that is absent is bounded by the total only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<Channel, u32>,
    /// Units that one ticket of a channel takes; 1 unless set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<Channel, u32>,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { total: 10, channels: BTreeMap::new(), weights: BTreeMap::new() }
    }
}

impl Capacity {
    /// Units that one ticket of this channel takes.
    #[must_use]
    pub fn weight(&self, channel: Channel) -> u32 {
        self.weights.get(&channel).copied().unwrap_or(1)
    }
}

/// A person who answers tickets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// What people call them.
    pub name: String,
    /// Their mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their roles, sorted.
    pub roles: Vec<Key>,
    /// Their groups, sorted.
    pub groups: Vec<Key>,
    /// What they can, sorted by skill.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillLevel>,
    /// The languages they speak, as ISO 639 codes, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// How much work they take.
    pub capacity: Capacity,
    /// Their level of support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Key>,
    /// The calendar in whose hours they are given work; always when absent, or
    /// when the desk has it no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<Key>,
    /// To whom they report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<AgentId>,
    /// False once deactivated: gets no work, and may do nothing.
    pub active: bool,
}

impl Agent {
    /// The agent's level in a skill, 0 without it.
    #[must_use]
    pub fn skill_level(&self, skill: &Key) -> u8 {
        self.skills.iter().find(|s| s.skill == *skill).map_or(0, |s| s.level)
    }

    /// Whether the agent is in this group.
    #[must_use]
    pub fn is_in(&self, group: &Key) -> bool {
        self.groups.contains(group)
    }
}

patch! {
    /// What to change of an agent. Absent fields stay; null unsets.
    AgentPatch {
        set {
            /// The name.
            name: String,
            /// All roles.
            roles: Vec<Key>,
            /// All groups.
            groups: Vec<Key>,
            /// All skills.
            skills: Vec<SkillLevel>,
            /// All languages.
            languages: Vec<String>,
            /// How much work they take.
            capacity: Capacity,
        }
        unset {
            /// The mail address.
            email: String,
            /// The level of support.
            tier: Key,
            /// The calendar of their shift.
            shift: Key,
            /// To whom they report.
            manager: AgentId,
        }
    }
}

impl AgentPatch {
    /// Makes the changes. The values were checked when the patch was decided.
    pub fn apply(&self, agent: &mut Agent) {
        if let Some(name) = &self.name {
            agent.name.clone_from(name);
        }
        if let Some(roles) = &self.roles {
            agent.roles.clone_from(roles);
        }
        if let Some(groups) = &self.groups {
            agent.groups.clone_from(groups);
        }
        if let Some(skills) = &self.skills {
            agent.skills.clone_from(skills);
        }
        if let Some(languages) = &self.languages {
            agent.languages.clone_from(languages);
        }
        if let Some(capacity) = &self.capacity {
            agent.capacity.clone_from(capacity);
        }
        set(&mut agent.email, self.email.as_ref());
        set(&mut agent.tier, self.tier.as_ref());
        set(&mut agent.shift, self.shift.as_ref());
        set(&mut agent.manager, self.manager.as_ref());
    }
}

/// Whether an agent is there for work.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// Takes work.
    Online,
    /// Keeps work, takes no more.
    Away,
    /// Not there; loses work after the desk's grace.
    Offline,
}

/// One agent's presence on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelPresence {
    /// `online`, `away`, `offline`, or the desk's own status.
    pub status: Key,
    /// What that means for work.
    pub state: PresenceState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Until when: then an online agent goes offline, any other comes online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// One agent's presence, by channel; a channel that is absent is offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Whose.
    pub agent: AgentId,
    /// By channel.
    pub channels: BTreeMap<Channel, ChannelPresence>,
}

impl Presence {
    /// Nobody there.
    #[must_use]
    pub fn none(agent: AgentId) -> Self {
        Self { agent, channels: BTreeMap::new() }
    }

    /// The state on a channel.
    #[must_use]
    pub fn state(&self, channel: Channel) -> PresenceState {
        self.channels.get(&channel).map_or(PresenceState::Offline, |p| p.state)
    }

    /// Since when the agent is offline on every channel; `None` while on one it is
    /// not, or when it never was there.
    #[must_use]
    pub fn offline_since(&self) -> Option<DateTime<Utc>> {
        if self.channels.values().any(|p| p.state != PresenceState::Offline) {
            return None;
        }
        self.channels.values().map(|p| p.since).max()
    }

    /// The next instant at which a channel's presence ends by itself.
    #[must_use]
    pub fn next_end(&self) -> Option<DateTime<Utc>> {
        self.channels.values().filter_map(|p| p.until).min()
    }
}

/// What an agent holds on one channel, in work units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelLoad {
    /// Units of assigned tickets whose category counts.
    pub active: u32,
    /// Units of live offers.
    pub reserved: u32,
    /// When work was last assigned or offered.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::instant::optional")]
    pub last_assigned_at: Option<DateTime<Utc>>,
    /// Units ever taken, for turns in proportion to capacity: each assignment or
    /// offer adds its weight, an automatic one what
    /// [`Choice::n_taken_added`](crate::routing::select::Choice::n_taken_added)
    /// says. Releasing takes nothing away; a lost count only shifts the turns.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n_taken: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What an agent holds. An ordinary record, recomputable from tickets and offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLoad {
    /// Whose.
    pub agent: AgentId,
    /// By channel; a channel that is absent holds nothing.
    pub channels: BTreeMap<Channel, ChannelLoad>,
    /// When work was given last, on any channel, the newest first: as many instants as
    /// the largest [rate limit](crate::routing::queue::RateLimit) of the desk asks for,
    /// none where no queue has one. As [`ChannelLoad::last_assigned_at`], it is memory:
    /// a lost instant only lets the agent have a ticket earlier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<DateTime<Utc>>,
}

impl AgentLoad {
    /// Nothing.
    #[must_use]
    pub fn none(agent: AgentId) -> Self {
        Self { agent, channels: BTreeMap::new(), given: Vec::new() }
    }

    /// What the agent holds on a channel.
    #[must_use]
    pub fn on(&self, channel: Channel) -> ChannelLoad {
        self.channels.get(&channel).copied().unwrap_or_default()
    }

    /// Notes that work was given at `at`, and keeps the newest `n_kept` such instants.
    pub fn note_given(&mut self, at: DateTime<Utc>, n_kept: usize) {
        let place = self.given.partition_point(|known| *known > at);
        if place < n_kept {
            self.given.insert(place, at);
        }
        self.given.truncate(n_kept);
    }

    /// Active and reserved units over all channels, `u32::MAX` at most.
    #[must_use]
    pub fn total(&self) -> u32 {
        let units = self.channels.values().flat_map(|l| [l.active, l.reserved]);
        units.fold(0, u32::saturating_add)
    }

    /// Active units over all channels, `u32::MAX` at most.
    #[must_use]
    pub fn active(&self) -> u32 {
        self.channels.values().map(|l| l.active).fold(0, u32::saturating_add)
    }

    /// Reserved units over all channels, `u32::MAX` at most.
    #[must_use]
    pub fn reserved(&self) -> u32 {
        self.channels.values().map(|l| l.reserved).fold(0, u32::saturating_add)
    }

    /// Units ever taken over all channels, `u64::MAX` at most.
    #[must_use]
    pub fn n_taken(&self) -> u64 {
        self.channels.values().map(|l| l.n_taken).fold(0, u64::saturating_add)
    }

    /// When work was last assigned or offered on any channel.
    #[must_use]
    pub fn last_assigned_at(&self) -> Option<DateTime<Utc>> {
        self.channels.values().filter_map(|l| l.last_assigned_at).max()
    }
}

/// One agent with everything that assignment looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct RosterEntry {
    /// The agent.
    pub agent: Arc<Agent>,
    /// Version of the agent's record.
    pub agent_version: Version,
    /// Whether it is there.
    pub presence: Presence,
    /// Version of the presence record.
    pub presence_version: Version,
    /// What it holds.
    pub load: AgentLoad,
    /// Version of the load record.
    pub load_version: Version,
}

impl RosterEntry {
    /// An agent who is nowhere online and holds nothing.
    #[must_use]
    pub fn new(agent: Agent) -> Self {
        Self {
            presence: Presence::none(agent.id),
            load: AgentLoad::none(agent.id),
            agent: Arc::new(agent),
            agent_version: 0,
            presence_version: 0,
            load_version: 0,
        }
    }
}

/// All agents of a tenant, by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roster {
    /// By id, so that no decision depends on the order they came in.
    pub agents: BTreeMap<AgentId, RosterEntry>,
}

impl FromIterator<RosterEntry> for Roster {
    fn from_iter<I: IntoIterator<Item = RosterEntry>>(entries: I) -> Self {
        Self { agents: entries.into_iter().map(|entry| (entry.agent.id, entry)).collect() }
    }
}

impl Roster {
    /// The entry of an agent.
    #[must_use]
    pub fn get(&self, id: AgentId) -> Option<&RosterEntry> {
        self.agents.get(&id)
    }

    /// The entry of an agent who is active.
    #[must_use]
    pub fn active(&self, id: AgentId) -> Option<&RosterEntry> {
        self.get(id).filter(|entry| entry.agent.active)
    }
}
