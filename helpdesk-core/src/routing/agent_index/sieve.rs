//! Who is a candidate, and who of them comes first.

use super::marks::{FRESH, LEVEL_MAX, Mark};
use super::member::{Member, place_of};
use super::members::Ranks;
use super::orders::Idle;
use super::rank::{Rank, of_levels};
use super::ranking::Ranking;
use super::{AgentIndex, NO_MARK};
use crate::bits::ones;
use crate::event::ChosenBy;
use crate::id::AgentId;
use crate::routing::eligible::{lacks_skill, rate_ends_at, rested_at, shift_starts_at};
use crate::routing::select::{Ask, levels, lot};
use crate::routing::stage::{Search, Selector};
use smallvec::SmallVec;

/// The candidate whom the selector takes, by number, and the one it would take without them.
pub(super) type TwoFirst = (u32, Option<u32>);

/// A member's rank and number.
type Ranked = (Rank, u32);

/// Who is a candidate: by bits as far as bits say, and by asking whom they leave.
pub(super) struct Sieve<'a> {
    index: &'a AgentIndex,
    ask: &'a Ask<'a>,
    search: &'a Search<'a>,
    pub(super) channel: usize,
    /// The groups, any of which is enough; then the skills.
    asked: SmallVec<[Mark; 8]>,
    n_groups: usize,
    /// A bit of the state that is asked of those in the order that is looked at.
    also: Option<Mark>,
    /// Shifts that were looked at, and whether they are on.
    shifts: Vec<(Mark, bool)>,
    /// Whether bits say all there is to say.
    is_exact: bool,
}

impl<'a> Sieve<'a> {
    /// `None` when nobody bears the marks that are asked for.
    pub(super) fn new(
        index: &'a AgentIndex,
        ask: &'a Ask<'a>,
        search: &'a Search<'a>,
    ) -> Option<Self> {
        let mut asked = SmallVec::new();
        for group in &*search.pools {
            if let Some(mark) = index.catalog.groups.get(group) {
                asked.push(*mark);
            }
        }
        let n_groups = asked.len();
        let mut has_high = false;
        for skill in search.required.iter().filter(|skill| skill.level > 0) {
            let levels = index.catalog.skills.get(&skill.skill)?;
            let mark = levels[usize::from(skill.level.min(LEVEL_MAX)) - 1];
            if mark == NO_MARK {
                return None;
            }
            asked.push(mark);
            has_high |= skill.level > LEVEL_MAX;
        }
        let is_exact = !has_high
            && index.catalog.shifts.is_empty()
            && ask.queue.cooldown_seconds.is_none()
            && ask.queue.rate_limit.is_none()
            && ask.ticket.excluded.is_empty();
        let channel = place_of(ask.ticket.channel);
        (n_groups > 0).then_some(Self {
            index,
            ask,
            search,
            channel,
            asked,
            n_groups,
            also: None,
            shifts: Vec::new(),
            is_exact,
        })
    }

    /// Those of a block whom nothing refuses that bits know.
    #[inline]
    pub(super) fn bits(&self, ranking: &Ranking, block: u32) -> u64 {
        let mut ready = ranking.with(block, self.channel as Mark);
        if let Some(mark) = self.also {
            ready &= ranking.with(block, mark);
        }
        if ready == 0 { 0 } else { ready & self.asked_for(ranking, block) }
    }

    /// Those of a block who are in the groups and have the skills.
    #[inline]
    fn asked_for(&self, ranking: &Ranking, block: u32) -> u64 {
        let (groups, skills) = self.asked.split_at(self.n_groups);
        let mut bits = groups.iter().fold(0, |any, mark| any | ranking.with(block, *mark));
        for mark in skills {
            if bits == 0 {
                return 0;
            }
            bits &= ranking.with(block, *mark);
        }
        let off = self.shifts.iter().filter(|(_, is_on)| !is_on);
        off.fold(bits, |bits, (mark, _)| bits & !ranking.with(block, *mark))
    }

    /// Whether nothing refuses a member whom the bits left.
    fn passes(&mut self, number: u32) -> bool {
        let Some(member) = self.index.members.get(number) else { return false };
        let (ask, agent) = (self.ask, &member.agent);
        let is_on = member.shift().is_none_or(|mark| self.is_on(mark, member));
        let rested_at = rested_at(ask.queue, member.last_assigned_at());
        is_on
            && self.search.required.iter().all(|skill| !lacks_skill(agent, skill))
            && rested_at.is_none_or(|at| at <= ask.now)
            && self.is_below_rate(member.id)
            && !ask.ticket.excludes(member.id, ask.now)
    }

    /// Whether the queue's rate limit allows the agent one more, by the roster's load.
    fn is_below_rate(&self, agent: AgentId) -> bool {
        let Ask { queue, roster, now, .. } = *self.ask;
        let entry = roster.get(agent).filter(|_| queue.rate_limit.is_some());
        let ends_at = entry.and_then(|entry| rate_ends_at(queue, &entry.load));
        ends_at.is_none_or(|at| at <= now)
    }

    /// Whether a shift is on; each calendar is asked once.
    fn is_on(&mut self, mark: Mark, member: &Member) -> bool {
        if let Some((_, is_on)) = self.shifts.iter().find(|(known, _)| *known == mark) {
            return *is_on;
        }
        let is_on = shift_starts_at(self.ask.calendars, &member.agent, self.ask.now).is_none();
        self.shifts.push((mark, is_on));
        is_on
    }

    /// The candidates of a block.
    pub(super) fn candidates(&mut self, ranking: &Ranking, block: u32) -> u64 {
        let bits = self.bits(ranking, block);
        self.sift(ranking, block, bits)
    }

    fn sift(&mut self, ranking: &Ranking, block: u32, bits: u64) -> u64 {
        if self.is_exact {
            return bits;
        }
        let passing = ones(bits).filter(|bit| self.passes(ranking.member(block, *bit)));
        passing.fold(0, |bits, bit| bits | 1 << bit)
    }

    /// Leaves out all of a shift from now on.
    pub(super) fn leave_out(&mut self, shift: Mark) {
        self.shifts.push((shift, false));
    }

    /// The candidate whom the selector takes, and the one it would take without them.
    pub(super) fn two_first(&mut self) -> Option<TwoFirst> {
        let (index, selector, channel) = (self.index, self.search.selector, self.channel);
        let members = &index.members;
        if let Some(ranking) = index.orders.of_all(selector) {
            let mut first = None;
            let second = self.second(ranking, members.ranks(selector, channel), &mut first);
            return Some((first?, second));
        }
        let idle = index.orders.idle(channel).filter(|_| selector == Selector::LongestIdle);
        let Some(Idle { never_given, given }) = idle else {
            return self.two_first_of_all(&index.everybody);
        };
        let two = self.two_first_never_given(never_given);
        let mut first = match two {
            Some((_, Some(_))) => return two,
            Some((first, None)) => Some(first),
            None => None,
        };
        let second = self.second(given, members.ranks(selector, channel), &mut first);
        Some((first?, second))
    }

    /// The same of those who never were given work on the channel. Of these the fresh
    /// come first, by id; the others are in no order, as no desk has them for long.
    fn two_first_never_given(&mut self, ranking: &Ranking) -> Option<TwoFirst> {
        self.also = Some(FRESH as Mark);
        let mut first = None;
        let second = self.second(ranking, self.index.members.ranks_by_id(), &mut first);
        self.also = None;
        match first {
            Some(first) if second.is_some() => Some((first, second)),
            _ => self.two_first_of_all(ranking),
        }
    }

    /// Finds the first in an order, unless it was found before, and then the second.
    fn second(
        &mut self,
        ranking: &Ranking,
        ranks: Ranks<'_>,
        first: &mut Option<u32>,
    ) -> Option<u32> {
        for block in ranking.blocks() {
            let mut bits = self.bits(ranking, block);
            let mut is_sifted = self.is_exact;
            while bits != 0 {
                let bit = ranking.lowest(block, bits, ranks);
                bits &= !(1 << bit);
                let number = ranking.member(block, bit);
                if !is_sifted && !self.passes(number) {
                    // Who is left is asked before they are put in order.
                    (bits, is_sifted) = (self.sift(ranking, block, bits), true);
                    continue;
                }
                if first.is_some() {
                    return Some(number);
                }
                *first = Some(number);
            }
        }
        None
    }

    fn two_first_of_all(&mut self, ranking: &Ranking) -> Option<TwoFirst> {
        let (mut first, mut second): (Option<Ranked>, Option<Ranked>) = (None, None);
        self.until(ranking, |sieve, number| {
            let Some(member) = sieve.index.members.get(number) else { return false };
            let it = (member.rank_by(sieve.first(member)), number);
            if first.is_none_or(|first| it < first) {
                (first, second) = (Some(it), first);
            } else if second.is_none_or(|second| it < second) {
                second = Some(it);
            }
            false
        });
        Some((first?.1, second.map(|(_, number)| number)))
    }

    /// Goes over the candidates, until one is enough.
    fn until(&mut self, ranking: &Ranking, mut is_enough: impl FnMut(&Self, u32) -> bool) {
        for block in ranking.blocks() {
            for bit in ones(self.candidates(ranking, block)) {
                if is_enough(self, ranking.member(block, bit)) {
                    return;
                }
            }
        }
    }

    /// What the selector compares of a member.
    fn first(&self, member: &Member) -> u128 {
        match self.search.selector {
            Selector::BestSkill => {
                let (required, preferred) = levels(self.search, &member.agent);
                of_levels(required, preferred)
            }
            Selector::Random => lot(self.ask.seed, self.ask.ticket.id, member.id).into(),
            selector @ (Selector::LongestIdle
            | Selector::MostSpare
            | Selector::LeastLoaded
            | Selector::WeightedRoundRobin) => member.first(selector, self.channel),
        }
    }

    /// What told the first from the second.
    pub(super) fn decided_by(&self, (first, second): TwoFirst) -> Option<ChosenBy> {
        let Some(second) = second else { return Some(ChosenBy::OnlyCandidate) };
        let (a, b) = (self.index.members.get(first)?, self.index.members.get(second)?);
        let (first, second) = (self.first(a), self.first(b));
        if first != second {
            return Some(ChosenBy::Selector);
        }
        Some(a.rank_by(first).decided_by(b.rank_by(second)))
    }

    /// As [`Choice::n_taken_added`]. Any other candidate who is not ahead by more
    /// than one full capacity shows that the chosen did not fall back; so it
    /// seldom takes more than one look.
    pub(super) fn n_taken_added(&mut self, chosen: u32, other: Option<u32>) -> u64 {
        let Some(member) = self.index.members.get(chosen) else { return 0 };
        let own = member.turns();
        let near = u128::from(own.n_taken) + u128::from(own.capacity);
        let mut last: Option<u128> = None;
        let mut is_near = |sieve: &Self, number: u32| {
            let other = sieve.index.members.get(number).filter(|_| number != chosen);
            let level = other.and_then(|other| own.level_with(other.turns()));
            last = last.into_iter().chain(level).min();
            last.is_some_and(|last| last <= near)
        };
        if !other.is_some_and(|other| is_near(self, other)) {
            self.until(&self.index.everybody, is_near);
        }
        own.behind(last).saturating_add(u64::from(member.weight(self.channel)))
    }
}
