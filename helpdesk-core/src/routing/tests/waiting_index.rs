//! The index of waiting tickets says what the scan of all tickets says.

use super::index_desk::Draw;
use super::*;
use crate::id::ContactId;
use crate::routing::next::{ForAgent, Leading, ToSolve, count_for, next_for, next_ticket};
use crate::routing::queue::{QueueMode, QueueSort};
use crate::routing::waiting_index::{Waiting, WaitingIndex};
use crate::ticket::priority::Priority;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn queues(draw: &mut Draw) -> Vec<Arc<Queue>> {
    let made = ["b", "a", "c"].map(|name| {
        let mut queue = draw.queue();
        queue.key = key(name);
        queue.group = draw.group();
        queue.order = draw.below(2) as i64;
        queue.sort = draw.of(&[QueueSort::Age, QueueSort::Priority, QueueSort::Deadline]);
        queue.ageing_seconds = draw.of(&[None, Some(0), Some(7), Some(60), Some(1_800)]);
        queue.reopen_front = draw.once_in(2);
        queue.mode = match draw.below(6) {
            0 => QueueMode::Pull,
            1 => QueueMode::Offer { timeout_seconds: 30 },
            _ => QueueMode::Assign,
        };
        Arc::new(queue)
    });
    made.into()
}

fn waiting(draw: &mut Draw, queues: &[Arc<Queue>], agents: &[AgentId]) -> Waiting {
    let mut ticket = draw.ticket();
    ticket.id = ticket_id(u128::from(draw.below(60)));
    ticket.required_skills.truncate(draw.of(&[0, 1, 1, 3]));
    ticket.entered_queue_at = draw.of(&[None, Some(5), Some(60), Some(61), Some(3_600)]).map(ago);
    ticket.priority =
        draw.of(&[None, Some(Priority::Low), Some(Priority::High), Some(Priority::Urgent)]);
    ticket.counters.reopens = draw.below(2) as u32;
    ticket.spam = draw.once_in(20);
    ticket.assignee = draw.once_in(20).then(|| draw.agent());
    ticket.last_answered_by = draw.once_in(2).then(|| draw.of(agents));
    ticket.requester = ContactId(Uuid::from_u128(u128::from(draw.below(9))));
    ticket.snoozed_until = if draw.once_in(5) { draw.instant() } else { None };
    Waiting {
        ticket: Arc::new(ticket),
        queue: draw.of(queues),
        offered_to: draw.once_in(20).then(|| draw.agent()),
        affinity: draw.some(2, Draw::agent),
        due_at: draw.instant(),
    }
}

fn check(seed: u64, calendars: &Calendars) {
    let mut draw = Draw(seed);
    let mut roster = roster((0..40).map(|_| draw.entry()));
    let agents: Vec<AgentId> = roster.agents.keys().copied().collect();
    let queues = queues(&mut draw);
    let options = ToSolve {
        strict_importance: draw.once_in(3),
        importance_after_seconds: draw.of(&[0, 60, 3_600]),
        leading: draw.of(&[Leading::None, Leading::Priority, Leading::Fifo]),
        last_agent: draw.once_in(2),
        hold_for_seconds: draw.of(&[0, 60, 3_600]),
    };
    let mut index = WaitingIndex::new(options.clone());
    let mut tickets: BTreeMap<TicketId, Waiting> = BTreeMap::new();
    for _ in 0..80 {
        let it = waiting(&mut draw, &queues, &agents);
        if draw.once_in(6) {
            index.remove(it.ticket.id);
            tickets.remove(&it.ticket.id);
        } else {
            index.put(it.clone());
            tickets.insert(it.ticket.id, it);
        }
        if draw.once_in(4) {
            let (requester, by) =
                (ContactId(Uuid::from_u128(u128::from(draw.below(9)))), draw.agent());
            index.answered(requester, Some(by));
            for it in tickets.values_mut().filter(|it| it.ticket.requester == requester) {
                it.affinity = vec![by];
            }
        }
        let from = draw.agent();
        let Some((agent, entry)) = roster.agents.range_mut(from..).next() else { continue };
        draw.load(entry);
        let agent = *agent;
        let now = now() + TimeDelta::seconds(draw.of(&[0, 1, 59, 900]));
        let for_agent = &ForAgent { agent, roster: &roster, calendars, now };
        let scanned = next_ticket(tickets.values().map(Waiting::upcoming), for_agent);
        let found = index.next_ticket(for_agent);
        assert_eq!(found.map(|t| t.id), scanned.map(|t| t.id));
        let unassigned = || tickets.values().filter(|it| it.ticket.assignee.is_none());
        let sees = |ticket: &Ticket| ticket.id.0.as_u128() % 7 != 3;
        let seen = unassigned().filter(|it| sees(&it.ticket));
        let scanned = next_for(seen.map(Waiting::upcoming), for_agent, &options);
        let to_solve = index.next_to_solve(for_agent, sees);
        assert_eq!(to_solve.map(|t| t.id), scanned.map(|t| t.id));
        let n = count_for(unassigned().map(Waiting::upcoming), for_agent, &options);
        let counted =
            count_for(index.might_take(for_agent).map(Waiting::upcoming), for_agent, &options);
        assert_eq!(counted, n);
        // Who is given it has it, and nobody else is.
        if let Some(id) = found.map(|ticket| ticket.id) {
            index.remove(id);
            tickets.remove(&id);
        }
    }
    assert!(index.len() <= tickets.len());
}

#[test]
fn the_index_says_what_comes_next_as_the_scan_does() {
    let calendars = &shifts();
    let config = ProptestConfig::with_cases(100);
    proptest!(config, |(seed in any::<u64>())| check(seed, calendars));
}

#[test]
fn a_ticket_waits_in_the_index_until_its_snooze_ends() {
    let queue = Arc::new(queue(json!({})));
    let ticket = Arc::new(Ticket { snoozed_until: Some(ago(-60)), ..ticket() });
    let mut index = WaitingIndex::default();
    let it = Waiting { ticket, queue, offered_to: None, affinity: Vec::new(), due_at: None };
    index.put(it.clone());
    assert!(!index.is_empty());
    let roster = roster([entry(1)]);
    let calendars = &Calendars::default();
    let at = |now| ForAgent { agent: id(1), roster: &roster, calendars, now };
    assert!(index.next_ticket(&at(ago(-59))).is_none());
    assert!(index.next_ticket(&at(ago(-60))).is_some());
    // Once it is somebody's, it is forgotten.
    index.put(Waiting { offered_to: Some(id(1)), ..it });
    assert!(index.is_empty());
}
