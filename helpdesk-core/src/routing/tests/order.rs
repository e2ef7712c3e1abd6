//! Which ticket comes next when an agent has room, and many at once.

use super::super::batch::assign_all;
use super::super::next::{ForAgent, Upcoming, next_ticket, waiting_key};
use super::*;
use crate::ticket::priority::Priority;
use crate::ticket::status::StatusCategory;

/// A ticket that has waited for so long.
fn waiting(n: u128, seconds: i64) -> Ticket {
    Ticket { id: ticket_id(n), entered_queue_at: Some(ago(seconds)), ..ticket() }
}

fn upcoming<'a>(ticket: &'a Ticket, queue: &'a Queue) -> Upcoming<'a> {
    Upcoming { ticket, queue: Some(queue), offered_to: None, affinity: &[], due_at: None }
}

fn next(tickets: &[(&Ticket, &Queue)], roster: &Roster) -> Option<u128> {
    let for_agent = ForAgent { agent: id(1), roster, calendars: &Calendars::default(), now: now() };
    let forward = tickets.iter().map(|(ticket, queue)| upcoming(ticket, queue));
    let backward = tickets.iter().rev().map(|(ticket, queue)| upcoming(ticket, queue));
    let next = next_ticket(forward, &for_agent);
    assert_eq!(next, next_ticket(backward, &for_agent), "the order given decides");
    next.map(|ticket| ticket.id.0.as_u128())
}

#[test]
fn a_ticket_waits_only_when_somebody_should_get_it() {
    let queue = queue(json!({}));
    let rows: [(&str, Ticket, bool); 8] = [
        ("new", ticket(), true),
        ("open", Ticket { category: StatusCategory::Open, ..ticket() }, true),
        ("pending", Ticket { category: StatusCategory::Pending, ..ticket() }, false),
        ("assigned", Ticket { assignee: Some(id(1)), ..ticket() }, false),
        ("snoozed", Ticket { snoozed_until: Some(ago(-1)), ..ticket() }, false),
        ("snoozed until now", Ticket { snoozed_until: Some(now()), ..ticket() }, true),
        ("spam", Ticket { spam: true, ..ticket() }, false),
        ("deleted", Ticket { deleted: true, ..ticket() }, false),
    ];
    for (name, ticket, waits) in rows {
        assert_eq!(waiting_key(&upcoming(&ticket, &queue), now()).is_some(), waits, "{name}");
    }
    let ticket = ticket();
    let offered = Upcoming { offered_to: Some(id(1)), ..upcoming(&ticket, &queue) };
    assert_eq!(waiting_key(&offered, now()), None);
    let nowhere = Upcoming { queue: None, ..upcoming(&ticket, &queue) };
    assert_eq!(waiting_key(&nowhere, now()), None);
}

#[test]
fn queues_go_by_order_then_key_then_tickets_by_age_then_id() {
    let first = queue(json!({"key": "z", "order": 1}));
    let second = queue(json!({"key": "a", "order": 2}));
    let third = queue(json!({"key": "b", "order": 2}));
    let (t1, t2, t3, t4) = (waiting(1, 10), waiting(2, 10), waiting(3, 20), waiting(4, 99));
    let roster = roster([entry(1)]);
    assert_eq!(next(&[(&t1, &first), (&t4, &second)], &roster), Some(1));
    assert_eq!(next(&[(&t1, &second), (&t4, &third)], &roster), Some(1));
    assert_eq!(next(&[(&t1, &first), (&t2, &first), (&t3, &first)], &roster), Some(3));
    assert_eq!(next(&[(&t2, &first), (&t1, &first)], &roster), Some(1));
}

#[test]
fn priority_leads_where_the_queue_says_so_and_ageing_lifts_who_waits() {
    let of = |n, seconds, priority| Ticket { priority, ..waiting(n, seconds) };
    let urgent = of(1, 10, Some(Priority::Urgent));
    let unset = of(2, 500, None);
    let low = of(3, 900, Some(Priority::Low));
    let roster = roster([entry(1)]);
    let rows = [
        (json!({}), 3),
        (json!({"sort": "priority"}), 1),
        // After 500 s, 2 is at 1 + 1, 3 at 0 + 2; 1 still leads with 3.
        (json!({"sort": "priority", "ageing_seconds": 450}), 1),
        // 1 is at 3, 2 at 1 + 2, 3 at 0 + 4.
        (json!({"sort": "priority", "ageing_seconds": 200}), 3),
        (json!({"sort": "priority", "ageing_seconds": 0}), 1),
    ];
    for (settings, wanted) in rows {
        let queue = queue(settings.clone());
        let tickets = [(&urgent, &queue), (&unset, &queue), (&low, &queue)];
        assert_eq!(next(&tickets, &roster), Some(wanted), "{settings}");
    }
}

#[test]
fn what_is_due_first_leads_where_the_queue_says_so_and_what_never_is_comes_last() {
    let queue = queue(json!({"sort": "deadline"}));
    let tickets = [waiting(1, 900), waiting(2, 10), waiting(3, 10), waiting(4, 20)];
    let due = [None, Some(ago(-60)), Some(ago(60)), Some(ago(-60))];
    let mut keys: Vec<_> = tickets
        .iter()
        .zip(due)
        .map(|(ticket, due_at)| Upcoming { due_at, ..upcoming(ticket, &queue) })
        .map(|u| (waiting_key(&u, now()).unwrap(), u.ticket.id.0.as_u128()))
        .collect();
    keys.sort();
    let order: Vec<u128> = keys.iter().map(|(_, id)| *id).collect();
    assert_eq!(order, [3, 4, 2, 1]);
}

#[test]
fn a_reopened_ticket_goes_to_the_front_where_the_queue_says_so() {
    let mut reopened = Ticket { last_assignee: Some(id(8)), ..waiting(1, 5) };
    reopened.counters.reopens = 1;
    let old = waiting(2, 500);
    let roster = roster([entry(1)]);
    for (front, wanted) in [(true, 1), (false, 2)] {
        let queue = queue(json!({"reopen_front": front}));
        assert_eq!(next(&[(&reopened, &queue), (&old, &queue)], &roster), Some(wanted));
    }
}

#[test]
fn an_agent_is_given_only_what_they_can_take() {
    let plain = queue(json!({}));
    let french = Ticket { required_skills: vec![skill("french", 1)], ..waiting(1, 50) };
    let other = waiting(2, 10);
    let free = roster([entry(1)]);
    assert_eq!(next(&[(&french, &plain), (&other, &plain)], &free), Some(2));
    assert_eq!(next(&[(&other, &plain)], &roster([entry(1).active(10)])), None);
    let pull = queue(json!({"mode": {"type": "pull"}}));
    assert_eq!(next(&[(&other, &pull)], &free), None);
    let offer = queue(json!({"mode": {"type": "offer", "timeout_seconds": 60}}));
    assert_eq!(next(&[(&other, &offer)], &free), Some(2));
}

#[test]
fn a_ticket_that_waits_for_its_agent_is_passed_over() {
    let patient = queue(json!({"affinity_wait_seconds": 600}));
    let twos = Ticket { last_assignee: Some(id(2)), ..waiting(1, 500) };
    let other = waiting(2, 10);
    let both = [(&twos, &patient), (&other, &patient)];
    assert_eq!(next(&both, &roster([entry(1), entry(2).active(10)])), Some(2));
    assert_eq!(next(&both, &roster([entry(1), entry(2)])), Some(1));
}

#[test]
fn a_skipped_stage_widens_whom_a_ticket_is_for() {
    let stages = json!([{"skip_if_empty": true}, {"after_seconds": 9_000, "pools": ["sales"]}]);
    let queue = queue(json!({"stages": stages}));
    let ticket = waiting(1, 10);
    let sales = || entry(1).groups(&["sales"]);
    assert_eq!(next(&[(&ticket, &queue)], &roster([sales(), entry(2).active(10)])), Some(1));
    assert_eq!(next(&[(&ticket, &queue)], &roster([sales(), entry(2)])), None);
}

#[test]
fn a_batch_is_greedy_and_counts_what_it_gives() {
    let assign = queue(json!({}));
    let offer = queue(json!({"key": "offers", "mode": {"type": "offer", "timeout_seconds": 60}}));
    let pull = queue(json!({"key": "pull", "mode": {"type": "pull"}}));
    let tickets: Vec<Ticket> = (1..=6).map(|n| waiting(n, 100 - n as i64)).collect();
    let queues = [&assign, &offer, &pull, &assign, &assign, &assign];
    let mut roster = roster([entry(1).capacity(2), entry(2).capacity(2)]);
    let upcoming = tickets.iter().zip(queues).map(|(ticket, queue)| upcoming(ticket, queue)).rev();
    let choices = assign_all(upcoming, &mut roster, &Calendars::default(), now(), 7);
    let told: Vec<(u128, Option<u128>)> = choices
        .iter()
        .map(|(ticket, choice)| (ticket.0.as_u128(), choice.chosen.map(|a| a.0.as_u128())))
        .collect();
    let wanted = [(1, Some(1)), (4, Some(2)), (5, Some(1)), (6, Some(2)), (2, None)];
    assert_eq!(told, wanted);
    assert_eq!(roster.agents[&id(1)].load.active(), 2);
    assert_eq!(roster.agents[&id(2)].load.n_taken(), 2);
}
