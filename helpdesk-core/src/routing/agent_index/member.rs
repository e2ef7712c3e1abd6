//! An agent as the index keeps it: what decisions ask, as plain numbers.

use super::marks::{FRESH, Mark, STATE_MARKS, State};
use super::rank::{Rank, of_instant, of_ratio};
use crate::agent::{Agent, AgentLoad, PresenceState, RosterEntry};
use crate::id::AgentId;
use crate::routing::eligible::no_room;
use crate::routing::select::Turns;
use crate::routing::stage::Selector;
use crate::ticket::priority::Channel;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// How many channels there are.
pub(super) const N_CHANNELS: usize = Channel::ALL.len();

const _: () = assert!(STATE_MARKS == 2 * N_CHANNELS + 1, "a state has two bits for each channel");

/// A channel's place among all.
pub(super) fn place_of(channel: Channel) -> usize {
    channel as usize
}

/// Kept small: who holds how much is asked of members all over the desk.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) agent: Arc<Agent>,
    pub(super) id: AgentId,
    capacity: u32,
    /// Groups, skills and shift; none of one who is deactivated.
    pub(super) marks: Box<[Mark]>,
    /// The mark of the shift.
    pub(super) shift: Option<Mark>,
    /// Of one who has any.
    by_channel: Option<Box<ByChannel>>,
    /// A bit for each channel on which an active agent is online.
    pub(super) online: State,
    pub(super) state: State,
    active: u32,
    /// Active and reserved units.
    held: u32,
    pub(super) last_assigned_at: Option<DateTime<Utc>>,
    n_taken: u64,
    idle_since: [Option<DateTime<Utc>>; N_CHANNELS],
}

/// Weights other than 1, and maxima.
#[derive(Debug, Clone)]
struct ByChannel {
    weights: [u32; N_CHANNELS],
    maxima: [Option<u32>; N_CHANNELS],
}

impl Member {
    pub(super) fn new(entry: &RosterEntry, marks: Vec<Mark>, shift: Option<Mark>) -> Self {
        let agent = entry.agent.clone();
        let is_online = |channel: Channel| {
            agent.active && entry.presence.state(channel) == PresenceState::Online
        };
        let online = Channel::ALL.iter().filter(|channel| is_online(**channel));
        let online = online.fold(0, |bits, channel| bits | 1 << place_of(*channel));
        let capacity = &agent.capacity;
        let is_plain = capacity.weights.is_empty() && capacity.channels.is_empty();
        let by_channel = (!is_plain).then(|| {
            let weights = std::array::from_fn(|at| capacity.weight(Channel::ALL[at]));
            let of = |at: usize| capacity.channels.get(&Channel::ALL[at]).copied();
            Box::new(ByChannel { weights, maxima: std::array::from_fn(of) })
        });
        let mut member = Self {
            marks: marks.into(),
            shift,
            by_channel,
            online,
            state: 0,
            active: 0,
            held: 0,
            last_assigned_at: None,
            n_taken: 0,
            idle_since: [None; N_CHANNELS],
            id: agent.id,
            capacity: capacity.total,
            agent,
        };
        member.take_load(&entry.load);
        member
    }

    /// Has the load from now on.
    pub(super) fn take_load(&mut self, load: &AgentLoad) {
        let mut held_on = [0; N_CHANNELS];
        self.idle_since = [None; N_CHANNELS];
        (self.active, self.held, self.last_assigned_at, self.n_taken) = (0, 0, None, 0);
        for (channel, load) in &load.channels {
            held_on[place_of(*channel)] = u64::from(load.active) + u64::from(load.reserved);
            self.idle_since[place_of(*channel)] = load.last_assigned_at;
            // As the sums of `AgentLoad`.
            self.active = self.active.saturating_add(load.active);
            self.held = self.held.saturating_add(load.active).saturating_add(load.reserved);
            self.last_assigned_at = self.last_assigned_at.max(load.last_assigned_at);
            self.n_taken = self.n_taken.saturating_add(load.n_taken);
        }
        let is_fresh = self.active == 0 && self.last_assigned_at.is_none();
        let fresh = State::from(is_fresh) << FRESH;
        self.state = bits_of_channels(self.online).fold(fresh, |bits, channel| {
            let ready = State::from(self.has_room(channel, held_on[channel]));
            let never = State::from(self.idle_since[channel].is_none());
            bits | ready << channel | never << (N_CHANNELS + channel)
        });
    }

    /// The channels on which they are online and were given work before.
    pub(super) fn given_on(&self, state: State) -> State {
        self.online & !(state >> N_CHANNELS)
    }

    /// Units that a ticket of a channel takes.
    pub(super) fn weight(&self, channel: usize) -> u32 {
        self.by_channel.as_ref().map_or(1, |it| it.weights[channel])
    }

    fn has_room(&self, channel: usize, held: u64) -> bool {
        let channel_max = self.by_channel.as_ref().and_then(|it| it.maxima[channel]);
        let total = (u64::from(self.held), self.capacity);
        no_room(self.weight(channel), (held, channel_max), total).is_none()
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

    pub(super) fn turns(&self) -> Turns {
        Turns { n_taken: self.n_taken, capacity: self.capacity }
    }
}

/// The places of the channels whose bits are set.
pub(super) fn bits_of_channels(bits: State) -> impl Iterator<Item = usize> {
    (0..N_CHANNELS).filter(move |channel| (bits >> channel) & 1 == 1)
}
