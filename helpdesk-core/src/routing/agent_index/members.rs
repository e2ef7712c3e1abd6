//! All members by number, and the number of each agent.

use super::member::Member;
use super::rank::Rank;
use crate::id::AgentId;
use crate::routing::stage::Selector;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Members by number. The numbers of those who were removed are given to others.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    by_number: Vec<Option<Member>>,
    free: Vec<u32>,
    /// By agent. It keeps the number alone: whose it is says the member, who is read anyway.
    numbers: HashTable<u32>,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn get(&self, number: u32) -> Option<&Member> {
        self.by_number[number as usize].as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Member> {
        self.by_number[number as usize].as_mut()
    }

    pub(super) fn number(&self, agent: AgentId) -> Option<u32> {
        let is_theirs = |number: &u32| self.is(*number, agent);
        self.numbers.find(hash(agent), is_theirs).copied()
    }

    fn is(&self, number: u32, agent: AgentId) -> bool {
        self.get(number).is_some_and(|member| member.id == agent)
    }

    /// Takes in one who is not known, and gives them a number.
    pub(super) fn insert(&mut self, member: Member) -> u32 {
        let agent = member.id;
        let number = self.free.pop().unwrap_or_else(|| {
            self.by_number.push(None);
            self.by_number.len() as u32 - 1
        });
        self.by_number[number as usize] = Some(member);
        let Self { by_number, numbers, .. } = self;
        numbers.insert_unique(hash(agent), number, |number| {
            by_number[*number as usize].as_ref().map_or(0, |member| hash(member.id))
        });
        number
    }

    /// Forgets a member.
    pub(super) fn remove(&mut self, number: u32) {
        let Some(member) = self.by_number[number as usize].take() else { return };
        if let Ok(entry) = self.numbers.find_entry(hash(member.id), |known| *known == number) {
            entry.remove();
        }
        self.free.push(number);
    }

    /// The ranks of members by a selector that looks at no skill and draws no lot.
    pub(super) fn ranks(&self, selector: Selector, channel: usize) -> Ranks<'_> {
        Ranks { members: self, by: Some((selector, channel)) }
    }

    /// The ranks by id alone.
    pub(super) fn ranks_by_id(&self) -> Ranks<'_> {
        Ranks { members: self, by: None }
    }
}

/// The ranks of all members in an order, as they are now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranks<'a> {
    members: &'a Members,
    /// By a selector, on a channel; else by id.
    by: Option<(Selector, usize)>,
}

impl Ranks<'_> {
    /// The first part of a rank.
    pub(super) fn first(&self, number: u32) -> u128 {
        let Some(member) = self.members.get(number) else { return u128::MAX };
        match self.by {
            Some((selector, channel)) => member.first(selector, channel),
            None => Rank::of_id(member.id).first,
        }
    }

    pub(super) fn rank(&self, number: u32) -> Rank {
        let Some(member) = self.members.get(number) else { return Rank::MAX };
        match self.by {
            Some((selector, channel)) => member.rank_by(member.first(selector, channel)),
            None => Rank::of_id(member.id),
        }
    }
}

fn hash(agent: AgentId) -> u64 {
    FixedState::default().hash_one(agent.0.as_u128())
}
