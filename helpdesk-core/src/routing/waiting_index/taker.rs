//! What an agent can take, as far as it does not depend on the single ticket.

use super::{Asked, Waiting};
use crate::agent::{PresenceState, RosterEntry};
use crate::routing::eligible::{
    cooldown_ends_at, full, lacking_skill, lacks_skill, shift_starts_at,
};
use crate::routing::next::ForAgent;
use crate::routing::queue::Queue;
use crate::routing::stage::at_stage;
use chrono::{DateTime, Utc};

/// An agent who is active and on shift, and may take tickets now.
#[derive(Clone, Copy)]
pub(super) struct Taker<'a> {
    entry: &'a RosterEntry,
    now: DateTime<Utc>,
}

impl<'a> Taker<'a> {
    /// `None` for one who may take nothing now.
    pub(super) fn new(for_agent: &ForAgent<'a>) -> Option<Self> {
        let entry = for_agent.roster.active(for_agent.agent)?;
        let is_off = shift_starts_at(for_agent.calendars, &entry.agent, for_agent.now).is_some();
        (!is_off).then_some(Self { entry, now: for_agent.now })
    }

    /// Whether a queue may give the agent any ticket now, whatever stage it has come to.
    pub(super) fn serves(self, queue: &Queue) -> bool {
        let agent = &self.entry.agent;
        let is_asked = if queue.stages.is_empty() {
            agent.is_in(&queue.group)
        } else {
            let of_group = queue.stages.iter().any(|stage| stage.pools.is_empty());
            let mut pools = queue.stages.iter().flat_map(|stage| &stage.pools);
            (of_group && agent.is_in(&queue.group)) || pools.any(|group| agent.is_in(group))
        };
        is_asked && cooldown_ends_at(queue, &self.entry.load).is_none_or(|end| end <= self.now)
    }

    /// Whether the agent may take any of the tickets of a queue that they serve which
    /// ask for this; `first` is one of them.
    pub(super) fn may_take(self, queue: &Queue, asked: &Asked, first: &Waiting) -> bool {
        self.entry.presence.state(asked.channel) == PresenceState::Online
            && full(self.entry, asked.channel).is_none()
            && self.has_skills(queue, asked, first)
    }

    fn has_skills(self, queue: &Queue, asked: &Asked, first: &Waiting) -> bool {
        let agent = &self.entry.agent;
        if !asked.required.iter().any(|skill| lacks_skill(agent, skill)) {
            return true;
        }
        if queue.stages.iter().all(|stage| stage.relax.is_empty()) {
            return false;
        }
        let n_stages = u16::try_from(queue.stages.len()).unwrap_or(u16::MAX);
        let mut searches = (0..n_stages).map(|stage| at_stage(queue, &first.ticket, stage));
        searches.any(|search| lacking_skill(&search, self.entry).is_none())
    }
}
