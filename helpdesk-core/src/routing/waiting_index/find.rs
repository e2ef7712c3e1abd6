//! The next ticket for an agent, by the index.

use super::groups::Group;
use super::taker::Taker;
use super::{Waiting, WaitingIndex};
use crate::routing::next::{ForAgent, ToSolveKey, WaitingKey};
use crate::routing::next::{next_ticket_key, to_solve_key, waiting_key};
use crate::routing::queue::QueueMode;
use crate::ticket::Ticket;
use std::borrow::Cow;

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
            let groups = taker.open(queue, &of_queue.groups).into_iter();
            let best = groups.fold(None, |best, group| first_given(group, for_agent, best));
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
        for group in self.open_to(Taker::new(for_agent, &self.skills).as_ref()) {
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
        }
        best.map(|(_, waiting)| &*waiting.ticket)
    }

    /// The waiting tickets that the agent might take, among others: of groups that ask
    /// for no more than the agent has.
    pub fn might_take<'i, 't>(
        &'i self,
        for_agent: &ForAgent<'t>,
    ) -> impl Iterator<Item = &'i Waiting> + use<'i, 't> {
        let groups = self.open_to(Taker::new(for_agent, &self.skills).as_ref());
        groups.into_iter().flat_map(|group| group.in_turn.values().map(|it| &**it))
    }

    /// The groups of which the agent might take a ticket.
    fn open_to(&self, taker: Option<&Taker<'_>>) -> Vec<&Group> {
        let Some(taker) = taker else { return Vec::new() };
        let served = self.queues.values().filter(|it| taker.serves(&it.queue));
        served.flat_map(|it| taker.open(&it.queue, &it.groups)).collect()
    }
}

/// The first ticket of a group that the agent can be given, if it comes before `best`.
fn first_given<'a>(
    group: &'a Group,
    for_agent: &ForAgent<'_>,
    best: Option<(Cow<'a, WaitingKey>, &'a Ticket)>,
) -> Option<(Cow<'a, WaitingKey>, &'a Ticket)> {
    for (turn, waiting) in &group.in_turn {
        let upcoming = waiting.upcoming();
        let key = match waiting.queue.ageing_seconds {
            None => Cow::Borrowed(turn),
            Some(_) => match waiting_key(&upcoming, for_agent.now) {
                Some(key) => Cow::Owned(key),
                None => continue,
            },
        };
        if best.as_ref().is_some_and(|(best, _)| *best < key) {
            break;
        }
        if next_ticket_key(&upcoming, for_agent).is_some() {
            return Some((key, &waiting.ticket));
        }
    }
    best
}
