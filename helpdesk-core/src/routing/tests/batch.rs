//! A batch is as greedy as choosing for one ticket after the other by asking everybody.

use super::index_desk::Draw;
use super::*;
use crate::routing::batch::assign_all;
use crate::routing::next::{Upcoming, waiting_key};
use crate::routing::queue::{QueueMode, n_given_kept};
use proptest::prelude::*;

fn check(seed: u64, calendars: &Calendars) {
    let draw = &mut Draw(seed);
    let n_agents = draw.of(&[3, 20, 60]);
    let mut roster = roster((0..n_agents).map(|_| draw.entry()));
    let queues = ["a", "b", "c"].map(|name| {
        let mut queue = draw.queue();
        queue.key = key(name);
        let offer = QueueMode::Offer { timeout_seconds: 30 };
        queue.mode = draw.of(&[QueueMode::Assign, QueueMode::Assign, offer, QueueMode::Pull]);
        queue
    });
    let tickets: Vec<(Ticket, Queue, Vec<AgentId>)> = (0..30)
        .map(|n| {
            let ticket = Ticket { id: ticket_id(n), ..draw.ticket() };
            (ticket, draw.of(&queues), draw.some(2, Draw::agent))
        })
        .collect();
    let upcoming = || {
        tickets.iter().map(|(ticket, queue, affinity)| Upcoming {
            ticket,
            queue: Some(queue),
            offered_to: None,
            affinity,
            due_at: None,
        })
    };
    let waiting = upcoming().filter(|it| waiting_key(it, now()).is_some());
    let of_given = waiting.filter_map(|it| it.queue).filter(|it| it.mode != QueueMode::Pull);
    let n_kept = n_given_kept(of_given);
    let mut scanned = roster.clone();
    let found = assign_all(upcoming(), &mut roster, calendars, now(), 3);

    let given = upcoming().filter(|it| it.queue.is_some_and(|queue| queue.mode != QueueMode::Pull));
    let mut in_order: Vec<_> =
        given.filter_map(|it| Some((waiting_key(&it, now())?, it))).collect();
    in_order.sort_by(|(a, _), (b, _)| b.cmp(a));
    for (ticket, found) in found {
        let (_, it) = in_order.pop().unwrap();
        let Upcoming { queue: Some(queue), affinity, .. } = it else { unreachable!() };
        assert_eq!(ticket, it.ticket.id);
        let (ticket, now) = (it.ticket, now());
        let ask = Ask { queue, ticket, roster: &scanned, calendars, affinity, now, seed: 3 };
        let choice = choose(&ask);
        assert_eq!((found.chosen, found.by), (choice.chosen, choice.by), "{}", told(&choice));
        let Some(agent) = choice.chosen else { continue };
        let load = &mut scanned.agents.get_mut(&agent).unwrap().load;
        load.note_given(now, n_kept);
        let load = load.channels.entry(ticket.channel).or_default();
        match queue.mode {
            QueueMode::Offer { .. } => load.reserved += choice.weight,
            _ => load.active += choice.weight,
        }
        load.n_taken = load.n_taken.saturating_add(choice.n_taken_added);
        load.last_assigned_at = Some(now);
    }
    assert!(in_order.is_empty());
    assert_eq!(roster, scanned);
}

#[test]
fn a_batch_gives_what_one_choice_after_the_other_gives() {
    let calendars = &shifts();
    proptest!(ProptestConfig::with_cases(60), |(seed in any::<u64>())| check(seed, calendars));
}
