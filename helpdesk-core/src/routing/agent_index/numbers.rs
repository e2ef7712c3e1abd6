//! The numbers of agents.

use crate::id::AgentId;
use foldhash::fast::FixedState;
use std::hash::BuildHasher;

/// A number for each agent that ever was known, from 0; theirs for good.
///
/// An open table, at most half full; nothing goes over it in its own order.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    agents: Vec<AgentId>,
    /// Numbers plus 1, where the hash of the agent says or behind; 0 where there is none.
    /// As many as a power of two.
    table: Vec<u32>,
}

impl Numbers {
    /// The number of an agent.
    pub(super) fn get(&self, agent: AgentId) -> Option<u32> {
        self.table.get(self.place(agent))?.checked_sub(1)
    }

    /// The number of an agent, a new one where they have none.
    pub(super) fn get_or_add(&mut self, agent: AgentId) -> u32 {
        if let Some(number) = self.get(agent) {
            return number;
        }
        self.agents.push(agent);
        if self.agents.len() * 2 > self.table.len() {
            self.table = vec![0; (self.agents.len() * 4).next_power_of_two()];
            for at in 0..self.agents.len() - 1 {
                let place = self.place(self.agents[at]);
                self.table[place] = at as u32 + 1;
            }
        }
        let place = self.place(agent);
        self.table[place] = self.agents.len() as u32;
        self.agents.len() as u32 - 1
    }

    /// Where in the table an agent is, or would be; 0 while there is no table.
    fn place(&self, agent: AgentId) -> usize {
        let last = self.table.len().saturating_sub(1);
        let mut place = FixedState::default().hash_one(agent) as usize & last;
        while let Some(number) = self.table.get(place).and_then(|it| it.checked_sub(1)) {
            if self.agents[number as usize] == agent {
                break;
            }
            place = (place + 1) & last;
        }
        place
    }
}
