//! A choice that explains itself, from the index.

use super::AgentIndex;
use super::sieve::Sieve;
use crate::bits::ones;
use crate::id::AgentId;
use crate::limit::{TRACE_PASSED_OVER_MAX, TRACE_REFUSED_MAX};
use crate::routing::select::{Ask, Choice, LookedAt, verdict};
use crate::routing::stage::Search;

impl AgentIndex {
    /// [`choose`](Self::choose), with what explains it: says in short and in sentences
    /// what [`choose`](crate::routing::select::choose) says that asks everybody.
    #[must_use]
    pub fn choose_explained(&self, ask: &Ask<'_>) -> Choice {
        let (search, found) = self.settled(ask);
        let (looked_at, mut shown) = self.looked_at(ask, &search);
        shown.extend(found.chosen);
        shown.sort_unstable();
        shown.dedup();
        let entries = shown.into_iter().filter_map(|agent| ask.roster.get(agent));
        Choice {
            chosen: found.chosen,
            by: found.by,
            weight: found.weight,
            n_taken_added: found.n_taken_added,
            queue: ask.queue.key.clone(),
            channel: ask.ticket.channel,
            stage: found.stage,
            selector: found.selector,
            looked_at,
            verdicts: entries.map(|entry| verdict(ask, &search, entry)).collect(),
            waits_for: found.waits_for,
            look_again_at: found.look_again_at,
        }
    }

    /// How many agents of each kind there are; of those refused the ones of the asked
    /// groups before the rest, by id as far as there is room, and likewise candidates.
    fn looked_at(&self, ask: &Ask<'_>, search: &Search<'_>) -> (LookedAt, Vec<AgentId>) {
        let everybody = &self.everybody;
        let mut sieve = Sieve::new(self, ask, search);
        let groups = search.pools.iter().filter_map(|group| self.catalog.groups.get(group));
        let (mut n_candidates, mut n_refused) = (0, 0);
        let (mut asked, mut others): (Vec<AgentId>, Vec<AgentId>) = (Vec::new(), Vec::new());
        let mut passed: Vec<AgentId> = Vec::new();
        for block in everybody.blocks() {
            let candidates = sieve.as_mut().map_or(0, |sieve| sieve.candidates(everybody, block));
            let all = everybody.all(block);
            let of_groups =
                all & groups.clone().fold(0, |any, mark| any | everybody.with(block, *mark));
            n_candidates += candidates.count_ones();
            n_refused += (of_groups & !candidates).count_ones();
            self.note(&mut asked, TRACE_REFUSED_MAX, block, of_groups & !candidates);
            self.note(&mut others, TRACE_REFUSED_MAX, block, all & !of_groups);
            // The chosen one may be among them.
            self.note(&mut passed, TRACE_PASSED_OVER_MAX + 1, block, candidates);
        }
        asked.extend(others);
        asked.truncate(TRACE_REFUSED_MAX);
        asked.extend(passed);
        let n_agents = u32::try_from(self.len()).unwrap_or(u32::MAX);
        (LookedAt { n_agents, n_candidates, n_refused }, asked)
    }

    /// Notes members of a block by id, blocks coming by id, until there are enough.
    fn note(&self, noted: &mut Vec<AgentId>, n_max: usize, block: u32, bits: u64) {
        if noted.len() >= n_max {
            return;
        }
        let start = noted.len();
        let members = ones(bits).map(|bit| self.everybody.member(block, bit));
        noted.extend(members.filter_map(|number| Some(self.members.get(number)?.id)));
        noted[start..].sort_unstable();
        noted.truncate(n_max);
    }
}
