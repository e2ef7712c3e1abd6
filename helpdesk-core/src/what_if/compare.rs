//! Two runs side by side.

use super::course::{Course, Placed};
use super::{
    AgentDiffers, DifferBy, Fidelity, HourDiffers, HourLoad, LoadTotals, RunTotals, TicketDiffers,
    TicketResult, WhatIfAnswer,
};
use crate::id::{AgentId, Key, TicketId, TicketNumber};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What one replay came to. Tickets are named as they are in the record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// The course of each replayed ticket.
    pub courses: BTreeMap<TicketId, Course>,
    /// What agents held, by the hour's beginning; hours of nothing are left out.
    pub hours: BTreeMap<(DateTime<Utc>, AgentId), HourLoad>,
    /// What people call the agents.
    pub names: BTreeMap<AgentId, String>,
    /// Inputs that did not fit.
    pub n_refused: u64,
    /// Answers that nobody could give.
    pub n_unanswered: u64,
}

/// A replayed ticket as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// Which.
    pub ticket: TicketId,
    /// Its number.
    pub number: TicketNumber,
    /// What was recorded of it.
    pub course: Course,
    /// The group that it was imported with; `None` for one that came in.
    pub imported: Option<Option<Key>>,
}

/// In what two results differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Same {
    queue: bool,
    group: bool,
    rule: bool,
    first_agent: bool,
    breaches: bool,
}

impl Same {
    fn of(a: &Course, b: &Course) -> Self {
        let (left, right) = (a.result(), b.result());
        let places = (&left.placed, &right.placed);
        let part =
            |of: fn(&Placed) -> &Key| left.placed.as_ref().map(of) == right.placed.as_ref().map(of);
        Self {
            queue: part(|placed| &placed.queue),
            group: part(|placed| &placed.group),
            rule: match places {
                (Some(placed), Some(other)) => placed.is_by_the_same(other),
                (placed, other) => {
                    placed.is_none() == other.is_none() && a.is_unroutable() == b.is_unroutable()
                }
            },
            first_agent: left.first_agent == right.first_agent,
            breaches: left.breaches == right.breaches,
        }
    }

    fn all(self) -> bool {
        self.queue && self.group && self.rule && self.first_agent && self.breaches
    }
}

/// How two runs of the same tickets differ, and how far the first is from the
/// record. `limit` bounds the rows of tickets and of hours; counts and totals are
/// complete.
///
/// A run beside itself differs in nothing: a property of the tests.
#[must_use]
pub fn compare(tickets: &[Replayed], before: &Run, after: &Run, limit: usize) -> WhatIfAnswer {
    let mut answer = WhatIfAnswer {
        n_replayed: tickets.len() as u64,
        before: totals(before),
        after: totals(after),
        agents: agents(before, after),
        ..WhatIfAnswer::default()
    };
    let nothing = Course::default();
    for replayed in tickets {
        let [left, right] =
            [before, after].map(|run| run.courses.get(&replayed.ticket).unwrap_or(&nothing));
        answer.n_imported += u64::from(replayed.imported.is_some());
        measure(&mut answer.fidelity, replayed, left);
        let same = Same::of(left, right);
        if same.all() {
            continue;
        }
        answer.n_differ += 1;
        count(&mut answer.n_differ_by, same);
        if answer.tickets.len() < limit {
            let (ticket, number) = (replayed.ticket, replayed.number.clone());
            let (before, after) = (left.result(), right.result());
            answer.tickets.push(TicketDiffers { ticket, number, before, after });
        }
    }
    answer.tickets_cut = answer.n_differ > answer.tickets.len() as u64;
    for (hour_at, agent) in both(before.hours.keys(), after.hours.keys()) {
        let load = |run: &Run| run.hours.get(&(hour_at, agent)).copied().unwrap_or_default();
        let (before, after): (HourLoad, HourLoad) = (load(before), load(after));
        if before == after {
            continue;
        }
        answer.n_hours_differ += 1;
        if answer.hours.len() < limit {
            answer.hours.push(HourDiffers { hour_at, agent, before, after });
        }
    }
    answer
}

fn both<'k, K: Ord + Copy + 'k>(
    left: impl Iterator<Item = &'k K>,
    right: impl Iterator<Item = &'k K>,
) -> BTreeSet<K> {
    left.chain(right).copied().collect()
}

fn count(by: &mut DifferBy, same: Same) {
    by.queue += u64::from(!same.queue);
    by.group += u64::from(!same.group);
    by.rule += u64::from(!same.rule);
    by.first_agent += u64::from(!same.first_agent);
    by.breaches += u64::from(!same.breaches);
}

fn measure(fidelity: &mut Fidelity, recorded: &Replayed, course: &Course) {
    if let Some(group) = &recorded.imported {
        let came_to = course.result().placed.map(|placed| placed.group);
        fidelity.n_imported_same_group += u64::from(came_to == *group);
        return;
    }
    let same = Same::of(&recorded.course, course);
    fidelity.n_tickets += 1;
    fidelity.n_same_queue += u64::from(same.queue);
    fidelity.n_same_rule += u64::from(same.rule);
    fidelity.n_same_first_agent += u64::from(same.first_agent);
    fidelity.n_same_breaches += u64::from(same.breaches);
    fidelity.n_same += u64::from(same.all());
}

fn totals(run: &Run) -> RunTotals {
    let (n_refused, n_unanswered) = (run.n_refused, run.n_unanswered);
    let mut totals = RunTotals { n_refused, n_unanswered, ..RunTotals::default() };
    for course in run.courses.values() {
        let result: TicketResult = course.result();
        if let Some(rule) = result.rule() {
            *totals.rules.entry(rule.clone()).or_default() += 1;
        }
        if let Some(Placed { queue, group, .. }) = result.placed {
            *totals.queues.entry(queue).or_default() += 1;
            *totals.groups.entry(group).or_default() += 1;
        }
        totals.n_unroutable += u64::from(course.is_unroutable());
        totals.n_assigned += u64::from(result.first_agent.is_some());
        for (metric, n) in result.breaches {
            *totals.breaches.entry(metric).or_default() += n;
        }
    }
    totals
}

fn agents(before: &Run, after: &Run) -> Vec<AgentDiffers> {
    let loads = |run: &Run| {
        let mut loads: BTreeMap<AgentId, LoadTotals> = BTreeMap::new();
        for ((_, agent), hour) in &run.hours {
            let load = loads.entry(*agent).or_default();
            load.assigned += hour.assigned;
            load.unit_hours += u64::from(hour.active);
            load.peak = load.peak.max(hour.active);
        }
        loads
    };
    let (left, right) = (loads(before), loads(after));
    let name = |agent: &AgentId| before.names.get(agent).or_else(|| after.names.get(agent));
    let row = |agent: AgentId| AgentDiffers {
        agent,
        name: name(&agent).cloned().unwrap_or_default(),
        before: left.get(&agent).copied().unwrap_or_default(),
        after: right.get(&agent).copied().unwrap_or_default(),
    };
    both(left.keys(), right.keys()).into_iter().map(row).collect()
}
