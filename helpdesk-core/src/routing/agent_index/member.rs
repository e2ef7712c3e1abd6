//! An agent as the index keeps it: what decisions ask, as plain numbers.

use super::marks::{Mark, STATE_WORDS, State};
use super::rank::{Rank, of_instant, of_ratio};
use crate::agent::{Agent, AgentLoad, PresenceState, RosterEntry};
use crate::id::AgentId;
use crate::routing::eligible::no_room;
use crate::routing::select::Standing;
use crate::routing::stage::Selector;
use crate::ticket::priority::Channel;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// How many channels there are.
pub(super) const N_CHANNELS: usize = Channel::ALL.len();

const _: () = assert!(STATE_WORDS == 2 * N_CHANNELS, "a state has two bits for each channel");

/// A channel's place among all.
pub(super) fn place_of(channel: Channel) -> usize {
    channel as usize
}

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) agent: Arc<Agent>,
    id: AgentId,
    capacity: u32,
    /// Groups, skills and shift; none of one who is deactivated.
    pub(super) marks: Vec<Mark>,
    /// The mark of the shift.
    pub(super) shift: Option<Mark>,
    /// A bit for each channel on which an active agent is online.
    pub(super) online: State,
    pub(super) state: State,
    pub(super) weights: [u32; N_CHANNELS],
    maxima: [Option<u32>; N_CHANNELS],
    /// Active and reserved units.
    held_on: [u64; N_CHANNELS],
    idle_since: [Option<DateTime<Utc>>; N_CHANNELS],
    active: u32,
    held: u32,
    pub(super) last_assigned_at: Option<DateTime<Utc>>,
    pub(super) n_taken: u64,
}

impl Member {
    pub(super) fn new(entry: &RosterEntry, marks: Vec<Mark>, shift: Option<Mark>) -> Self {
        let agent = entry.agent.clone();
        let is_online = |channel: Channel| {
            agent.active && entry.presence.state(channel) == PresenceState::Online
        };
        let online = Channel::ALL.iter().filter(|channel| is_online(**channel));
        let online = online.fold(0, |bits, channel| bits | 1 << place_of(*channel));
        let mut member = Self {
            marks,
            shift,
            online,
            state: 0,
            weights: [1; N_CHANNELS],
            maxima: [None; N_CHANNELS],
            held_on: [0; N_CHANNELS],
            idle_since: [None; N_CHANNELS],
            active: 0,
            held: 0,
            last_assigned_at: None,
            n_taken: 0,
            id: agent.id,
            capacity: agent.capacity.total,
            agent,
        };
        for channel in Channel::ALL {
            let capacity = &member.agent.capacity;
            member.weights[place_of(*channel)] = capacity.weight(*channel);
            member.maxima[place_of(*channel)] = capacity.channels.get(channel).copied();
        }
        member.take_load(&entry.load);
        member
    }

    /// Has the load from now on.
    pub(super) fn take_load(&mut self, load: &AgentLoad) {
        self.held_on = [0; N_CHANNELS];
        self.idle_since = [None; N_CHANNELS];
        (self.active, self.held, self.last_assigned_at, self.n_taken) = (0, 0, None, 0);
        for (channel, load) in &load.channels {
            self.held_on[place_of(*channel)] = u64::from(load.active) + u64::from(load.reserved);
            self.idle_since[place_of(*channel)] = load.last_assigned_at;
            // As the sums of `AgentLoad`.
            self.active = self.active.saturating_add(load.active);
            self.held = self.held.saturating_add(load.active).saturating_add(load.reserved);
            self.last_assigned_at = self.last_assigned_at.max(load.last_assigned_at);
            self.n_taken = self.n_taken.saturating_add(load.n_taken);
        }
        self.state = bits_of_channels(self.online).fold(0, |bits, channel| {
            let ready = State::from(self.has_room(channel));
            let never = State::from(self.idle_since[channel].is_none());
            bits | ready << channel | never << (N_CHANNELS + channel)
        });
    }

    /// The channels on which they are online and were given work before.
    pub(super) fn given_on(&self, state: State) -> State {
        self.online & !(state >> N_CHANNELS)
    }

    fn has_room(&self, channel: usize) -> bool {
        let (held, weight) = (self.held_on[channel], self.weights[channel]);
        let total = (u64::from(self.held), self.capacity);
        no_room(weight, (held, self.maxima[channel]), total).is_none()
    }

    /// What a selector compares that looks at no skill and draws no lot.
    pub(super) fn rank(&self, selector: Selector, channel: usize) -> Rank {
        let capacity = self.capacity;
        let first = match selector {
            Selector::LongestIdle => of_instant(self.idle_since[channel]),
            Selector::MostSpare => of_ratio(self.held.into(), capacity),
            Selector::LeastLoaded => self.held.into(),
            Selector::WeightedRoundRobin => of_ratio(self.n_taken, capacity),
            Selector::BestSkill | Selector::Random => 0,
        };
        self.rank_by(first)
    }

    pub(super) fn rank_by(&self, first: u128) -> Rank {
        Rank::new(first, self.active, self.last_assigned_at, self.id)
    }

    /// What the turns of a candidate go by; the rest is not looked at for them.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            active: self.active,
            held: self.held,
            capacity: self.capacity,
            idle_since: None,
            last_assigned_at: self.last_assigned_at,
            n_taken: self.n_taken,
            required_levels: 0,
            preferred_levels: 0,
            hash: 0,
        }
    }
}

/// The places of the channels whose bits are set.
pub(super) fn bits_of_channels(bits: State) -> impl Iterator<Item = usize> {
    (0..N_CHANNELS).filter(move |channel| (bits >> channel) & 1 == 1)
}
