//! The choice of an agent by the index.

use super::AgentIndex;
use super::member::place_of;
use super::sieve::Sieve;
use crate::bits::ones;
use crate::event::{ChosenBy, RefusedReason};
use crate::id::AgentId;
use crate::routing::select::{
    Ask, Choice, affinity, awaited, obstacle_ends_at, verdict, wait_ends_at, walk_stages,
};
use crate::routing::stage::{Search, Selector};
use chrono::{DateTime, Utc};

/// Who gets a ticket: what [`Choice`] says, but for the verdicts on everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As [`Choice::chosen`].
    pub chosen: Option<AgentId>,
    /// As [`Choice::by`].
    pub by: Option<ChosenBy>,
    /// As [`Choice::weight`].
    pub weight: u32,
    /// As [`Choice::n_taken_added`].
    pub n_taken_added: u64,
    /// As [`Choice::stage`].
    pub stage: u16,
    /// As [`Choice::selector`].
    pub selector: Selector,
    /// As [`Choice::waits_for`].
    pub waits_for: Option<AgentId>,
    /// As [`Choice::look_again_at`].
    pub look_again_at: Option<DateTime<Utc>>,
}

impl From<&Choice> for Found {
    fn from(choice: &Choice) -> Self {
        Self {
            chosen: choice.chosen,
            by: choice.by,
            weight: choice.weight,
            n_taken_added: choice.n_taken_added,
            stage: choice.stage,
            selector: choice.selector,
            waits_for: choice.waits_for,
            look_again_at: choice.look_again_at,
        }
    }
}

/// The outcome of one search.
#[derive(Default)]
struct Outcome {
    chosen: Option<(u32, ChosenBy)>,
    n_taken_added: u64,
    waits_for: Option<AgentId>,
}

impl AgentIndex {
    /// Chooses the agent who gets a ticket, as [`choose`](crate::routing::select::choose)
    /// does by asking everybody.
    ///
    /// `ask.roster` must be what the index was told of: the agents with affinity
    /// are looked up there, and those whom the ticket excludes.
    #[must_use]
    pub fn choose(&self, ask: &Ask<'_>) -> Found {
        self.settled(ask).1
    }

    /// The search at which the stages settle, and who is found there.
    pub(super) fn settled<'a>(&self, ask: &Ask<'a>) -> (Search<'a>, Found) {
        let is_settled = |it: &Outcome| it.chosen.is_some() || it.waits_for.is_some();
        let (search, outcome) = walk_stages(ask, |search| self.outcome(ask, search), is_settled);
        let chosen = outcome.chosen.and_then(|(number, _)| self.members.get(number));
        let found = Found {
            chosen: chosen.map(|member| member.id),
            by: outcome.chosen.map(|(_, by)| by),
            weight: chosen.map_or(0, |member| member.weight(place_of(ask.ticket.channel))),
            n_taken_added: outcome.n_taken_added,
            stage: search.stage,
            selector: search.selector,
            waits_for: outcome.waits_for,
            look_again_at: match chosen {
                Some(_) => None,
                None => self.look_again_at(ask, &search, outcome.waits_for),
            },
        };
        (search, found)
    }

    fn outcome(&self, ask: &Ask<'_>, search: &Search<'_>) -> Outcome {
        let known = affinity(ask).filter_map(|agent| ask.roster.get(agent));
        let preferred: Vec<_> = known.map(|entry| verdict(ask, search, entry)).collect();
        let waits_for = awaited(ask, &preferred);
        if waits_for.is_some() {
            return Outcome { waits_for, ..Outcome::default() };
        }
        let Some(mut sieve) = Sieve::new(self, ask, search) else { return Outcome::default() };
        let preferred = preferred.iter().find(|verdict| verdict.reason.is_none());
        if let Some(number) = preferred.and_then(|v| self.members.number(v.agent)) {
            let n_taken_added = sieve.n_taken_added(number, None);
            return Outcome {
                chosen: Some((number, ChosenBy::Affinity)),
                n_taken_added,
                ..Outcome::default()
            };
        }
        let Some(two @ (first, second)) = sieve.two_first() else { return Outcome::default() };
        let n_taken_added = match second {
            None => self.members.get(first).map_or(0, |m| u64::from(m.weight(sieve.channel))),
            Some(second) => sieve.n_taken_added(first, Some(second)),
        };
        let chosen = sieve.decided_by(two).map(|by| (first, by));
        Outcome { chosen, n_taken_added, waits_for: None }
    }

    /// When time alone may change that nobody was chosen.
    fn look_again_at(
        &self,
        ask: &Ask<'_>,
        search: &Search<'_>,
        waits_for: Option<AgentId>,
    ) -> Option<DateTime<Utc>> {
        let ends_at = |agent: AgentId| {
            let verdict = verdict(ask, search, ask.roster.get(agent)?);
            Some((obstacle_ends_at(ask, search, &verdict)?, verdict))
        };
        let mut first: Option<DateTime<Utc>> = None;
        let mut note = |at: Option<DateTime<Utc>>| {
            let at = at.filter(|at| ask.now < *at);
            first = first.into_iter().chain(at).min();
        };
        note(search.next_stage_at);
        note(waits_for.and_then(|_| wait_ends_at(ask)));
        for excluded in &ask.ticket.excluded {
            note(ends_at(excluded.agent).map(|(at, _)| at));
        }
        // Everybody else for whom a time is known has all that lasts: groups, skills, room.
        if let Some(mut sieve) = Sieve::new(self, ask, search) {
            let ranking = &self.everybody;
            for block in ranking.blocks() {
                let mut asked = 0;
                while let Some(bit) = ones(sieve.bits(ranking, block) & !asked).next() {
                    asked |= 1 << bit;
                    let Some(member) = self.members.get(ranking.member(block, bit)) else {
                        continue;
                    };
                    let Some((at, verdict)) = ends_at(member.id) else { continue };
                    note(Some(at));
                    // None of the same shift has an earlier time than its start.
                    if verdict.reason == Some(RefusedReason::OffShift) && verdict.until == Some(at)
                    {
                        member.shift().into_iter().for_each(|shift| sieve.leave_out(shift));
                    }
                }
            }
        }
        first
    }
}
