//! Those who are online, in the orders that selectors go by.

use super::marks::{FRESH, READY, State};
use super::member::{Member, N_CHANNELS, channels};
use super::members::Members;
use super::ranking::Ranking;
use crate::routing::stage::Selector;

/// The orders of some selectors, each with the marks that are asked of its members.
#[derive(Debug, Clone, Default)]
pub(super) struct Orders {
    /// Everybody who is online, for selectors that compare over all channels.
    of_all: Vec<(Selector, Ranking)>,
    /// For `longest_idle` one for each channel; none where that order is not kept.
    idle: Vec<Idle>,
}

/// Those who are online on a channel, as `longest_idle` orders them.
#[derive(Debug, Clone)]
pub(super) struct Idle {
    /// Those who never were given work there, by id: no load changes a place.
    pub(super) never_given: Ranking,
    /// The others.
    pub(super) given: Ranking,
}

/// What of a member decides where they stand, but for the rank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) state: State,
    given: State,
}

impl Before {
    pub(super) fn of(member: &Member) -> Self {
        Self { state: member.state, given: member.given() }
    }
}

impl Orders {
    /// Keeps the order of a selector, if it has one, of nobody yet.
    pub(super) fn keep(&mut self, selector: Selector, n_marks: usize) {
        match selector {
            Selector::LongestIdle if self.idle.is_empty() => {
                let none = || Ranking::new(n_marks);
                let idle = || Idle { never_given: none(), given: none() };
                self.idle.extend((0..N_CHANNELS).map(|_| idle()));
            }
            Selector::MostSpare | Selector::LeastLoaded | Selector::WeightedRoundRobin
                if self.of_all(selector).is_none() =>
            {
                self.of_all.push((selector, Ranking::new(n_marks)));
            }
            // Kept already, or depends on the ticket.
            Selector::LongestIdle
            | Selector::MostSpare
            | Selector::LeastLoaded
            | Selector::WeightedRoundRobin
            | Selector::BestSkill
            | Selector::Random => {}
        }
    }

    /// The order that a selector goes by over all channels, if it is kept.
    pub(super) fn of_all(&self, selector: Selector) -> Option<&Ranking> {
        self.of_all.iter().find(|(of, _)| *of == selector).map(|(_, ranking)| ranking)
    }

    /// The orders of `longest_idle` on a channel, if they are kept.
    pub(super) fn idle(&self, channel: usize) -> Option<&Idle> {
        self.idle.get(channel)
    }

    /// Makes room for this many marks at least.
    pub(super) fn widen(&mut self, n_marks: usize) {
        self.of_all.iter_mut().for_each(|(_, ranking)| ranking.widen(n_marks));
        for idle in &mut self.idle {
            idle.never_given.widen(n_marks);
            idle.given.widen(n_marks);
        }
    }

    /// Puts a member in who is in none of them.
    pub(super) fn insert(&mut self, number: u32, members: &Members) {
        let Some(member) = members.get(number) else { return };
        let (state, is_given, marks) = (member.state, member.given(), &*member.marks);
        for (selector, ranking) in self.of_all.iter_mut().filter(|_| member.online != 0) {
            ranking.insert(number, members.ranks(*selector, 0), state & READY, marks);
        }
        for channel in channels(member.online) {
            let Some(idle) = self.idle.get_mut(channel) else { return };
            let state = state & of_channel(channel);
            match is_on(is_given, channel) {
                false => idle.never_given.insert(number, members.ranks_by_id(), state, marks),
                true => idle.given.insert(
                    number,
                    members.ranks(Selector::LongestIdle, channel),
                    state,
                    marks,
                ),
            }
        }
    }

    /// Takes a member out.
    pub(super) fn remove(&mut self, number: u32, member: &Member) {
        let is_given = member.given();
        for (_, ranking) in self.of_all.iter_mut().filter(|_| member.online != 0) {
            ranking.remove(number, member.state & READY);
        }
        for channel in channels(member.online) {
            let Some(idle) = self.idle.get_mut(channel) else { return };
            let state = member.state & of_channel(channel);
            match is_on(is_given, channel) {
                false => idle.never_given.remove(number, state),
                true => idle.given.remove(number, state),
            }
        }
    }

    /// Lets a member stand where another load puts them.
    pub(super) fn take_load(&mut self, number: u32, members: &Members, before: Before) {
        let Some(member) = members.get(number) else { return };
        let (is_given, marks) = (member.given(), &*member.marks);
        for (selector, ranking) in self.of_all.iter_mut().filter(|_| member.online != 0) {
            let states = (before.state & READY, member.state & READY);
            ranking.put_anew(number, members.ranks(*selector, 0), states, marks);
        }
        for channel in channels(member.online) {
            let Some(Idle { never_given, given }) = self.idle.get_mut(channel) else { return };
            let mask = of_channel(channel);
            let (was, is) = (before.state & mask, member.state & mask);
            let (by_id, ranks) =
                (members.ranks_by_id(), members.ranks(Selector::LongestIdle, channel));
            match (is_on(before.given, channel), is_on(is_given, channel)) {
                (false, false) => never_given.set_state(number, (was, is)),
                (true, true) => given.put_anew(number, ranks, (was, is), marks),
                (false, true) => {
                    never_given.remove(number, was);
                    given.insert(number, ranks, is, marks);
                }
                (true, false) => {
                    given.remove(number, was);
                    never_given.insert(number, by_id, is, marks);
                }
            }
        }
    }
}

/// What of a state is asked in the orders of a channel.
fn of_channel(channel: usize) -> State {
    1 << channel | 1 << FRESH
}

fn is_on(channels: State, channel: usize) -> bool {
    (channels >> channel) & 1 == 1
}
