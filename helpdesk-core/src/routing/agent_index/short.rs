//! A choice in short, from the index.

use super::AgentIndex;
use super::find::Found;
use super::ranking::{Ranking, bits_of};
use super::sieve::Sieve;
use crate::event::{ChoiceShort, Refused};
use crate::id::AgentId;
use crate::limit::TRACE_REFUSED_MAX;
use crate::routing::eligible::refusal;
use crate::routing::select::Ask;
use crate::routing::stage::{Search, at_stage};

impl AgentIndex {
    /// What the event keeps of a choice that [`choose`](Self::choose) found for the
    /// same ask, as [`Choice::short`](crate::routing::select::Choice::short) says
    /// it; `None` when nobody was chosen.
    #[must_use]
    pub fn short(&self, ask: &Ask<'_>, found: &Found) -> Option<ChoiceShort> {
        let by = found.by?;
        let search = at_stage(ask.queue, ask.ticket, found.stage);
        let (n_candidates, refused) = self.refused(ask, &search);
        Some(ChoiceShort {
            stage: found.stage,
            by,
            selector: found.selector.as_str().to_owned(),
            n_candidates,
            refused,
        })
    }

    /// How many candidates there are, and of the others those of the asked groups
    /// before the rest, by id as far as there is room; then all by id.
    fn refused(&self, ask: &Ask<'_>, search: &Search<'_>) -> (u32, Vec<Refused>) {
        let Some(mut sieve) = Sieve::new(self, ask, search) else { return (0, Vec::new()) };
        let everybody = &self.everybody;
        let mut n_candidates = 0;
        let (mut asked, mut others): (Vec<AgentId>, Vec<AgentId>) = (Vec::new(), Vec::new());
        for block in everybody.blocks() {
            let candidates = sieve.candidates(everybody, block);
            n_candidates += candidates.count_ones();
            let of_groups = sieve.of_groups(everybody, block);
            note(&mut asked, everybody, block, of_groups & !candidates);
            note(&mut others, everybody, block, everybody.all(block) & !of_groups);
        }
        asked.extend(others);
        asked.truncate(TRACE_REFUSED_MAX);
        asked.sort_unstable();
        let refused = asked.into_iter().filter_map(|agent| {
            let reason = refusal(ask, search, ask.roster.get(agent)?)?;
            Some(Refused { agent, reason })
        });
        (n_candidates, refused.collect())
    }
}

/// Notes members of a block by id, blocks coming by id, until there are enough.
fn note(noted: &mut Vec<AgentId>, everybody: &Ranking, block: u32, bits: u64) {
    if noted.len() >= TRACE_REFUSED_MAX {
        return;
    }
    let start = noted.len();
    noted.extend(bits_of(bits).map(|bit| everybody.member(block, bit).1.agent()));
    noted[start..].sort_unstable();
    noted.truncate(TRACE_REFUSED_MAX);
}
