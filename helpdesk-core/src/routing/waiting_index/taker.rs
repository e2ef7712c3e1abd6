//! What an agent can take, as far as it does not depend on the single ticket.

use super::OfQueue;
use super::groups::{Group, Kind, Numbers, Skill, Standing, relaxes};
use crate::agent::{PresenceState, RosterEntry};
use crate::routing::eligible::{cooldown_ends_at, full, lacking_skill, shift_starts_at};
use crate::routing::next::ForAgent;
use crate::routing::queue::Queue;
use crate::routing::stage::at_stage;
use crate::ticket::priority::Channel;
use chrono::{DateTime, Utc};

/// An agent who is active and on shift, and may take tickets now.
pub(super) struct Taker<'a> {
    entry: &'a RosterEntry,
    skills: Vec<Skill>,
    now: DateTime<Utc>,
}

impl<'a> Taker<'a> {
    /// `None` for one who may take nothing now.
    pub(super) fn new(for_agent: &ForAgent<'a>, numbers: &Numbers) -> Option<Self> {
        let entry = for_agent.roster.active(for_agent.agent)?;
        let is_off = shift_starts_at(for_agent.calendars, &entry.agent, for_agent.now).is_some();
        let skills = numbers.of_agent(&entry.agent);
        (!is_off).then_some(Self { entry, skills, now: for_agent.now })
    }

    /// Whether a queue may give the agent any ticket now, whatever stage it has come to.
    pub(super) fn serves(&self, queue: &Queue) -> bool {
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

    /// Goes over the groups of a queue that the agent serves, as [`BySkills::search`](super::groups::BySkills::search)
    /// does: those of which they might take a ticket.
    pub(super) fn search<'i, K: Ord + Copy>(
        &self,
        of_queue: &'i OfQueue,
        key: &impl Fn(Standing) -> K,
        found: &mut Option<K>,
        mut look: impl FnMut(&'i Group) -> Option<K>,
    ) {
        let OfQueue { queue, groups } = of_queue;
        let relaxes = relaxes(queue);
        let skills = (!relaxes).then_some(&*self.skills);
        let mut last = *found;
        groups.search(skills, key, found, &mut |Kind { channel, .. }, group| {
            if self.is_free(channel) && (!relaxes || self.has_skills(queue, group)) {
                last = look(group);
            }
            last
        });
    }

    fn is_free(&self, channel: Channel) -> bool {
        self.entry.presence.state(channel) == PresenceState::Online
            && full(self.entry, channel).is_none()
    }

    /// Whether the agent has what the tickets of a group ask for at any stage.
    fn has_skills(&self, queue: &Queue, group: &Group) -> bool {
        let Some(first) = group.in_turn.values().next() else { return false };
        let n_stages = u16::try_from(queue.stages.len()).unwrap_or(u16::MAX);
        let mut searches = (0..n_stages).map(|stage| at_stage(queue, &first.ticket, stage));
        searches.any(|search| lacking_skill(&search, self.entry).is_none())
    }
}
