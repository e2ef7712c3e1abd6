//! An agent as the index keeps it: what decisions ask, as plain numbers.

use super::marks::{FRESH, Mark, State};
use super::rank::{Rank, of_instant, of_ratio};
use crate::agent::{Agent, AgentLoad, ChannelLoad, PresenceState, RosterEntry};
use crate::bits::ones;
use crate::id::AgentId;
use crate::routing::eligible::no_room;
use crate::routing::select::Turns;
use crate::routing::stage::Selector;
use crate::ticket::priority::Channel;
use chrono::{DateTime, Utc};
use smallvec::SmallVec;
use std::sync::Arc;

/// How many channels there are.
pub(super) const N_CHANNELS: usize = Channel::ALL.len();

const _: () = assert!(FRESH == N_CHANNELS, "a state has a bit for each channel below it");

/// A channel's place among all.
pub(super) fn place_of(channel: Channel) -> usize {
    channel as usize
}

/// Fields are in order of how often they are read: what each change and each choice
/// asks of one who works on a single channel lies in one line of the cache.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(super) struct Member {
    pub(super) id: AgentId,
    pub(super) agent: Arc<Agent>,
    capacity: u32,
    /// A bit for each channel on which an active agent is online.
    pub(super) online: State,
    /// A bit for each channel of which they hold something, or did.
    loaded: State,
    pub(super) state: State,
    /// Whether there is nothing in `by_channel`.
    is_plain: bool,
    loads: [ChannelLoad; N_CHANNELS],
    /// Groups, skills and, as the last one, the shift; none of one who is deactivated.
    pub(super) marks: SmallVec<[Mark; 20]>,
    by_channel: Option<Box<ByChannel>>,
}

/// Weights other than 1, and maxima.
#[derive(Debug, Clone)]
struct ByChannel {
    weights: [u32; N_CHANNELS],
    maxima: [Option<u32>; N_CHANNELS],
}

impl Member {
    pub(super) fn new(entry: &RosterEntry, marks: &[Mark]) -> Self {
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
            id: agent.id,
            capacity: capacity.total,
            online,
            loaded: 0,
            state: 0,
            is_plain,
            loads: Default::default(),
            marks: marks.into(),
            by_channel,
            agent,
        };
        member.set_load(&entry.load);
        member
    }

    /// Has this load from now on.
    pub(super) fn set_load(&mut self, load: &AgentLoad) {
        (self.loads, self.loaded) = Default::default();
        for (channel, load) in &load.channels {
            self.loads[place_of(*channel)] = *load;
            self.loaded |= 1 << place_of(*channel);
        }
        self.settle();
    }

    /// Has another load on a channel from now on.
    pub(super) fn change_load(&mut self, channel: Channel, change: impl FnOnce(&mut ChannelLoad)) {
        let channel = place_of(channel);
        change(&mut self.loads[channel]);
        self.loaded |= 1 << channel;
        self.settle();
    }

    /// Derives from the load what depends on it.
    fn settle(&mut self) {
        let held = self.held();
        let is_fresh = self.active() == 0 && self.last_assigned_at().is_none();
        let ready = channels(self.online).filter(|channel| self.has_room(*channel, held));
        self.state = ready.fold(State::from(is_fresh) << FRESH, |bits, it| bits | 1 << it);
    }

    /// A bit for each channel on which they are online and were given work before.
    pub(super) fn given(&self) -> State {
        let is_given = |channel: &usize| self.loads[*channel].last_assigned_at.is_some();
        channels(self.online & self.loaded).filter(is_given).fold(0, |bits, it| bits | 1 << it)
    }

    /// The mark of the shift.
    pub(super) fn shift(&self) -> Option<Mark> {
        self.agent.shift.as_ref().and_then(|_| self.marks.last().copied())
    }

    fn own(&self) -> Option<&ByChannel> {
        if self.is_plain { None } else { self.by_channel.as_deref() }
    }

    /// The loads on channels of which they hold something, or did.
    fn loads(&self) -> impl Iterator<Item = &ChannelLoad> {
        channels(self.loaded).map(|channel| &self.loads[channel])
    }

    // Sums as those of `AgentLoad`.

    fn sum<const N: usize>(&self, units: impl Fn(&ChannelLoad) -> [u32; N]) -> u32 {
        self.loads().flat_map(units).fold(0, u32::saturating_add)
    }

    fn active(&self) -> u32 {
        self.sum(|load| [load.active])
    }

    /// Active and reserved units.
    fn held(&self) -> u32 {
        self.sum(|load| [load.active, load.reserved])
    }

    fn n_taken(&self) -> u64 {
        self.loads().map(|load| load.n_taken).fold(0, u64::saturating_add)
    }

    pub(super) fn last_assigned_at(&self) -> Option<DateTime<Utc>> {
        self.loads().filter_map(|load| load.last_assigned_at).max()
    }

    /// Units that a ticket of a channel takes.
    pub(super) fn weight(&self, channel: usize) -> u32 {
        self.own().map_or(1, |it| it.weights[channel])
    }

    fn has_room(&self, channel: usize, held: u32) -> bool {
        let total = (u64::from(held), self.capacity);
        let Some(own) = self.own() else { return no_room(1, (0, None), total).is_none() };
        let load = &self.loads[channel];
        let held = u64::from(load.active) + u64::from(load.reserved);
        no_room(own.weights[channel], (held, own.maxima[channel]), total).is_none()
    }

    /// What a selector compares that looks at no skill and draws no lot.
    pub(super) fn first(&self, selector: Selector, channel: usize) -> u128 {
        match selector {
            Selector::LongestIdle => of_instant(self.loads[channel].last_assigned_at),
            Selector::MostSpare => of_ratio(self.held().into(), self.capacity),
            Selector::LeastLoaded => self.held().into(),
            Selector::WeightedRoundRobin => of_ratio(self.n_taken(), self.capacity),
            Selector::BestSkill | Selector::Random => 0,
        }
    }

    /// The rank by what a selector compares.
    pub(super) fn rank_by(&self, first: u128) -> Rank {
        Rank::new(first, self.active(), self.last_assigned_at(), self.id)
    }

    pub(super) fn turns(&self) -> Turns {
        Turns { n_taken: self.n_taken(), capacity: self.capacity }
    }
}

/// The places of the channels whose bits are set.
pub(super) fn channels(bits: State) -> impl Iterator<Item = usize> {
    ones(bits.into()).map(|channel| channel as usize)
}
