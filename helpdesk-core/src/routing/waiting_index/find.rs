//! The next ticket for an agent, by the index.

use super::groups::{Group, Standing};
use super::taker::Taker;
use super::{Waiting, WaitingIndex};
use crate::routing::next::{ForAgent, ToSolveKey, Turn, may_be_given, to_solve_key, turn};
use crate::routing::queue::{Queue, QueueMode};
use crate::ticket::Ticket;

impl WaitingIndex {
    /// The waiting ticket that the agent, who has room, is given next.
    #[must_use]
    pub fn next_ticket(&self, for_agent: &ForAgent<'_>) -> Option<&Ticket> {
        let taker = Taker::new(for_agent, &self.skills)?;
        // Every ticket of a queue comes before those of the next.
        self.queues.values().find_map(|of_queue| {
            let queue = &of_queue.queue;
            if queue.mode == QueueMode::Pull || !taker.serves(queue) {
                return None;
            }
            let mut best: Option<(Turn, &Ticket)> = None;
            let is_ageing = queue.ageing_seconds.is_some();
            taker.search(of_queue, &|first| first.turn, &mut None, |group| {
                best = first_given(group, queue, for_agent, best);
                // What ages may pass what comes before it for good.
                best.map(|(turn, _)| turn).filter(|_| !is_ageing)
            });
            best.map(|(_, ticket)| ticket)
        })
    }

    /// The unassigned ticket that the agent should solve next, of those that `sees`
    /// lets through.
    #[must_use]
    pub fn next_to_solve(
        &self,
        for_agent: &ForAgent<'_>,
        sees: impl Fn(&Ticket) -> bool,
    ) -> Option<&Ticket> {
        let key = |waiting: &Waiting| {
            let upcoming = waiting.upcoming();
            to_solve_key(&upcoming, for_agent, &self.options).filter(|_| sees(&waiting.ticket))
        };
        // Those whom the agent answered last may come before all others.
        let answered = self.options.last_agent.then(|| self.answered_by.get(&for_agent.agent));
        let answered = answered.flatten().into_iter().flatten();
        let own = answered.filter_map(|id| self.get(*id)).filter_map(|it| Some((key(it)?, it)));
        let mut best: Option<(ToSolveKey, &Waiting)> = own.min_by_key(|(key, _)| *key);
        let least = |first: Standing| ToSolveKey::of_others(first.importance);
        let mut found = best.map(|(key, _)| key);
        self.search(Taker::new(for_agent, &self.skills).as_ref(), &least, &mut found, |group| {
            for (importance, waiting) in &group.by_importance {
                let least = ToSolveKey::of_others(*importance);
                if best.is_some_and(|(best, _)| best <= least) {
                    break;
                }
                if let Some(key) = key(waiting) {
                    best = best.filter(|(best, _)| *best < key).or(Some((key, &**waiting)));
                    break;
                }
            }
            best.map(|(key, _)| key)
        });
        best.map(|(_, waiting)| &*waiting.ticket)
    }

    /// The waiting tickets that the agent might take, among others: of groups that ask
    /// for no more than the agent has.
    pub fn might_take<'i, 't>(
        &'i self,
        for_agent: &ForAgent<'t>,
    ) -> impl Iterator<Item = &'i Waiting> + use<'i, 't> {
        let mut groups: Vec<&Group> = Vec::new();
        let taker = Taker::new(for_agent, &self.skills);
        self.search(taker.as_ref(), &|first| first.turn, &mut None, |group| {
            groups.push(group);
            None
        });
        groups.into_iter().flat_map(|group| group.in_turn.values().map(|it| &**it))
    }

    /// Goes over the groups of all queues that the agent serves, as [`Taker::search`]
    /// does over those of one.
    fn search<'i, K: Ord + Copy>(
        &'i self,
        taker: Option<&Taker<'_>>,
        key: &impl Fn(Standing) -> K,
        found: &mut Option<K>,
        mut look: impl FnMut(&'i Group) -> Option<K>,
    ) {
        let Some(taker) = taker else { return };
        for of_queue in self.queues.values().filter(|it| taker.serves(&it.queue)) {
            taker.search(of_queue, key, found, &mut look);
        }
    }
}

/// The first ticket of a group that the agent can be given, if it comes before `best`.
fn first_given<'a>(
    group: &'a Group,
    queue: &Queue,
    for_agent: &ForAgent<'_>,
    best: Option<(Turn, &'a Ticket)>,
) -> Option<(Turn, &'a Ticket)> {
    for (turn_at_last, waiting) in &group.in_turn {
        let upcoming = waiting.upcoming();
        let turn = match queue.ageing_seconds {
            None => *turn_at_last,
            Some(_) => turn(&upcoming, queue, for_agent.now),
        };
        if best.is_some_and(|(best, _)| best < turn) {
            break;
        }
        if may_be_given(&upcoming, for_agent) {
            return Some((turn, &waiting.ticket));
        }
    }
    best
}
