//! "To solve": the next ticket that an agent takes.

use super::super::next::{ForAgent, ToSolve, Upcoming, count_for, next_for, to_solve_key};
use super::*;
use crate::ticket::Excluded;
use crate::ticket::priority::Priority;

const HOUR: i64 = 3_600;

fn waiting(n: u128, seconds: i64) -> Ticket {
    Ticket { id: ticket_id(n), entered_queue_at: Some(ago(seconds)), ..ticket() }
}

fn own(n: u128, seconds: i64) -> Ticket {
    Ticket { assignee: Some(id(1)), ..waiting(n, seconds) }
}

fn pull() -> Queue {
    queue(json!({"mode": {"type": "pull"}}))
}

fn options(options: Value) -> ToSolve {
    serde_json::from_value(options).unwrap()
}

/// The whole order for an agent, by taking the next again and again.
fn order_for(agent: u128, roster: &Roster, tickets: &[Ticket], options: &ToSolve) -> Vec<u128> {
    let queue = pull();
    let calendars = &Calendars::default();
    let for_agent = ForAgent { agent: id(agent), roster, calendars, now: now() };
    let upcoming = |ticket| Upcoming {
        ticket,
        queue: Some(&queue),
        offered_to: None,
        affinity: &[],
        due_at: None,
    };
    let mut left: Vec<&Ticket> = tickets.iter().collect();
    let n = count_for(left.iter().copied().map(upcoming), &for_agent, options);
    let mut order = Vec::new();
    while let Some(next) = next_for(left.iter().copied().map(upcoming), &for_agent, options) {
        order.push(next.id.0.as_u128());
        left.retain(|ticket| ticket.id != next.id);
    }
    assert_eq!(order.len(), n, "the count is that of the same set");
    order
}

fn order(tickets: &[Ticket], settings: Value) -> Vec<u128> {
    order_for(1, &roster([entry(1), entry(2)]), tickets, &options(settings))
}

#[test]
fn an_own_ticket_that_was_skipped_comes_back_when_its_time_is_over() {
    let skipped = |until| Ticket {
        excluded: vec![Excluded { agent: id(1), until }, Excluded { agent: id(2), until: None }],
        ..own(1, HOUR)
    };
    assert_eq!(order(&[skipped(Some(ago(-1))), own(2, 60)], json!({})), [2]);
    assert_eq!(order(&[skipped(Some(now())), own(2, 60)], json!({})), [1, 2]);
}

#[test]
fn own_unanswered_tickets_come_first_unless_importance_is_strict() {
    let mut answered = own(3, 9 * HOUR);
    answered.times.last_agent_at = Some(now());
    let theirs = Ticket { assignee: Some(id(2)), ..waiting(4, 9 * HOUR) };
    let tickets = [waiting(1, 5 * HOUR), own(2, HOUR), answered, theirs];
    assert_eq!(order(&tickets, json!({})), [2, 1]);
    assert_eq!(order(&tickets, json!({"strict_importance": true})), [1, 2]);
}

#[test]
fn importance_goes_by_age_and_ties_by_id() {
    let tickets = [waiting(3, HOUR), waiting(2, HOUR), waiting(1, 1), waiting(4, 9 * HOUR)];
    assert_eq!(order(&tickets, json!({})), [4, 2, 3, 1]);
    assert_eq!(order(&tickets, json!({"importance_after_seconds": 0})), [4, 2, 3, 1]);
}

#[test]
fn importance_goes_by_the_due_time_where_there_is_one() {
    let queue = pull();
    let roster = roster([entry(1)]);
    let calendars = &Calendars::default();
    let for_agent = ForAgent { agent: id(1), roster: &roster, calendars, now: now() };
    let before = |first: (Ticket, Option<i64>), second: (Ticket, Option<i64>), with: Value| {
        let options = options(with);
        let [first, second] = [first, second].map(|(ticket, due)| {
            let due_at = due.map(|seconds| ago(-seconds));
            let queue = Some(&queue);
            let upcoming =
                Upcoming { ticket: &ticket, queue, offered_to: None, affinity: &[], due_at };
            to_solve_key(&upcoming, &for_agent, &options).unwrap()
        });
        first < second
    };
    let week = 7 * 24 * HOUR;
    assert!(before((waiting(1, HOUR), Some(60)), (waiting(2, 9 * HOUR), None), json!({})));
    // What waits for a week without a due time is due then.
    assert!(before((waiting(1, HOUR), None), (waiting(2, 9 * HOUR), Some(week)), json!({})));
    let short = json!({"importance_after_seconds": 3_630});
    assert!(before((waiting(1, HOUR), None), (waiting(2, 9 * HOUR), Some(60)), short));
    let fifo = json!({"leading": "fifo"});
    assert!(before((waiting(1, 9 * HOUR), None), (waiting(2, HOUR), Some(60)), fifo));
}

#[test]
fn priority_or_age_may_lead() {
    let of = |n, seconds, priority| Ticket { priority: Some(priority), ..waiting(n, seconds) };
    let tickets = [
        of(1, 9 * HOUR, Priority::Low),
        waiting(2, 5 * HOUR),
        of(3, HOUR, Priority::Urgent),
        of(4, 6 * HOUR, Priority::Normal),
        Ticket { priority: Some(Priority::Low), ..own(5, 1) },
    ];
    assert_eq!(order(&tickets, json!({"leading": "priority"})), [5, 3, 4, 2, 1]);
    let strict = json!({"leading": "priority", "strict_importance": true});
    assert_eq!(order(&tickets, strict), [3, 4, 2, 1, 5]);
    assert_eq!(order(&tickets, json!({"leading": "fifo"})), [5, 1, 4, 2, 3]);
}

#[test]
fn tickets_answered_last_by_the_agent_come_before_others_and_may_be_held() {
    let answered =
        |n, seconds, by| Ticket { last_answered_by: Some(id(by)), ..waiting(n, seconds) };
    let mut again = answered(4, 9 * HOUR, 2);
    again.times.last_requester_at = Some(ago(60));
    let tickets = [waiting(1, 9 * HOUR), answered(2, HOUR, 1), answered(3, 5 * HOUR, 2), again];
    assert_eq!(order(&tickets, json!({})), [1, 4, 3, 2]);
    assert_eq!(order(&tickets, json!({"last_agent": true})), [2, 1, 4, 3]);
    let held = |seconds| json!({"last_agent": true, "hold_for_seconds": seconds});
    assert_eq!(order(&tickets, held(60)), [2, 1, 4, 3]);
    assert_eq!(order(&tickets, held(61)), [2, 1, 3]);
    assert_eq!(order(&tickets, held(6 * HOUR)), [2, 1]);
    // Nothing is held for who does not work here any more.
    let without = roster([entry(1), entry(2).agent(|a| a.active = false)]);
    assert_eq!(order_for(1, &without, &tickets, &options(held(6 * HOUR))), [2, 1, 4, 3]);
}

#[test]
fn an_agent_sees_only_what_they_can_take() {
    let excluding = Ticket {
        excluded: vec![Excluded { agent: id(1), until: Some(ago(-60)) }],
        ..waiting(2, HOUR)
    };
    let tickets = [
        waiting(1, HOUR),
        excluding,
        Ticket { required_skills: vec![skill("french", 1)], ..waiting(3, HOUR) },
        Ticket { snoozed_until: Some(ago(-60)), ..waiting(4, HOUR) },
        Ticket { spam: true, ..waiting(5, HOUR) },
        Ticket { snoozed_until: Some(ago(-60)), ..own(6, HOUR) },
    ];
    assert_eq!(order(&tickets, json!({})), [1]);
    let tickets = [waiting(1, HOUR), own(2, HOUR)];
    let all = ToSolve::default();
    // Own tickets need no room; a deactivated agent solves nothing.
    assert_eq!(order_for(1, &roster([entry(1).active(10)]), &tickets, &all), [2]);
    let away = RosterEntry { presence: Presence::none(id(1)), ..entry(1) };
    assert_eq!(order_for(1, &roster([away]), &tickets, &all), [2]);
    let gone = roster([entry(1).agent(|a| a.active = false)]);
    assert_eq!(order_for(1, &gone, &tickets, &all), [0; 0]);
}

#[test]
fn an_offered_ticket_is_nobodys_to_take() {
    let queue = pull();
    let roster = roster([entry(1)]);
    let calendars = &Calendars::default();
    let for_agent = ForAgent { agent: id(1), roster: &roster, calendars, now: now() };
    let is_there = |ticket: &Ticket, offered_to: Option<AgentId>| {
        let upcoming =
            Upcoming { ticket, queue: Some(&queue), offered_to, affinity: &[], due_at: None };
        to_solve_key(&upcoming, &for_agent, &ToSolve::default()).is_some()
    };
    assert!(is_there(&waiting(1, 1), None));
    assert!(!is_there(&waiting(1, 1), Some(id(1))) && !is_there(&waiting(1, 1), Some(id(2))));
    assert!(is_there(&own(1, 1), Some(id(1))) && !is_there(&own(1, 1), Some(id(2))));
}

#[test]
fn options_have_defaults_and_no_unknown_fields() {
    assert_eq!(options(json!({})), ToSolve::default());
    assert_eq!(ToSolve::default().importance_after_seconds, 604_800);
    assert!(serde_json::from_value::<ToSolve>(json!({"strict": true})).is_err());
}
