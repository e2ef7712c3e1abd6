//! What a course comes to, and how two runs compare.

use super::compare::{Replayed, Run, compare};
use super::course::Course;
use super::*;
use crate::clock::{BreachReason, Clock, ClockChange, ClockNews, ClockState};
use crate::event::{AssignedHow, Event};
use proptest::prelude::*;
use uuid::Uuid;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
}

fn routed(queue: &str, rule: Option<&str>) -> Event {
    let by = match rule {
        Some(rule) => RoutedBy::Rule { rule: key(rule), because: vec![format!("by {queue}")] },
        None => RoutedBy::DeskDefault,
    };
    Event::Routed {
        queue: key(queue),
        group: key(queue),
        by,
        entered_queue_at: at(0),
        priority: None,
        ticket_type: None,
        tags: Vec::new(),
        skills: Vec::new(),
    }
}

fn assigned(agent: u128) -> Event {
    Event::Assigned {
        agent: AgentId(Uuid::from_u128(agent)),
        how: AssignedHow::Automatically,
        weight: 1,
        counts: true,
        answer_by: None,
        idle_seconds: None,
        choice: None,
    }
}

fn clock(cycle: u32, news: ClockNews) -> Event {
    let clock = Clock {
        metric: key("first_reply"),
        cycle,
        state: ClockState::Running,
        started_at: at(0),
        accumulated_seconds: 0,
        running_since: Some(at(0)),
        stopped_at: None,
        spans: Vec::new(),
        target_seconds: Some(60),
        target_rev: 1,
        policy: key("all"),
        policy_rev: 1,
        calendar: key("always"),
        calendar_rev: 1,
        due_override: None,
        due_at: None,
        breach_at: None,
        beyond_horizon: false,
        breached_at: None,
        warned: Vec::new(),
        next_warning: None,
        generation: 1,
    };
    Event::ClockChanged { change: Box::new(ClockChange { news, clock }) }
}

fn course(events: &[Event]) -> Course {
    let mut course = Course::default();
    events.iter().for_each(|event| course.see(event));
    course
}

#[test]
fn the_first_place_and_the_first_agent_count() {
    let events = [routed("a", Some("r")), assigned(1), routed("b", None), assigned(2)];
    let result = course(&events).result();
    assert_eq!(result.rule(), Some(&key("r")));
    assert_eq!(result.first_agent, Some(AgentId(Uuid::from_u128(1))));
}

#[test]
fn a_ticket_that_nothing_took_at_first_stays_unroutable() {
    let found = course(&[Event::Unroutable, routed("a", None)]);
    assert!(found.is_unroutable() && found.result().placed.is_none());
}

#[test]
fn a_target_is_missed_once_a_cycle_and_not_when_the_breach_is_taken_back() {
    let breached = ClockNews::Breached { reason: BreachReason::TimePassed };
    let found = course(&[
        clock(1, breached),
        clock(1, ClockNews::Missed),
        clock(2, breached),
        clock(3, breached),
        clock(3, ClockNews::BreachRevised),
    ]);
    assert_eq!(found.result().breaches, [(key("first_reply"), 2)].into());
}

fn ticket(n: u128) -> Replayed {
    let number = format!("HD-{n}").parse().unwrap();
    let recorded = Course::default();
    Replayed { ticket: TicketId(Uuid::from_u128(n)), number, course: recorded, imported: None }
}

fn any_course() -> impl Strategy<Value = Course> {
    let queue = prop::sample::select(vec!["a", "b"]);
    let event = prop_oneof![
        (queue.clone(), prop::option::of(queue)).prop_map(|(to, rule)| routed(to, rule)),
        (1..3_u128).prop_map(assigned),
        Just(Event::Unroutable),
        (1..3_u32).prop_map(|cycle| clock(cycle, ClockNews::Missed)),
    ];
    prop::collection::vec(event, 0..5).prop_map(|events| course(&events))
}

fn any_run() -> impl Strategy<Value = Run> {
    let load = (0..3_u64, 0..3_u32).prop_map(|(assigned, active)| HourLoad { assigned, active });
    let hours = prop::collection::btree_map((0..4_i64, 1..3_u128), load, 0..6);
    (prop::collection::vec(any_course(), 6), hours).prop_map(|(courses, hours)| Run {
        courses: courses.into_iter().zip(1..).map(|(c, n)| (ticket(n).ticket, c)).collect(),
        hours: hours
            .into_iter()
            .map(|((hour, agent), load)| ((at(hour), AgentId(Uuid::from_u128(agent))), load))
            .collect(),
        ..Run::default()
    })
}

proptest! {
    #[test]
    fn counts_are_complete_whatever_the_limit(
        before in any_run(), after in any_run(), limit in 1..8_usize,
    ) {
        let tickets: Vec<Replayed> = (1..=6).map(ticket).collect();
        let few = compare(&tickets, &before, &after, limit);
        let all = compare(&tickets, &before, &after, 1_000);
        prop_assert_eq!((few.n_differ, few.n_hours_differ), (all.n_differ, all.n_hours_differ));
        prop_assert_eq!((&few.before, &few.after, &few.agents), (&all.before, &all.after, &all.agents));
        prop_assert_eq!(all.tickets.len() as u64, all.n_differ);
        prop_assert_eq!(all.hours.len() as u64, all.n_hours_differ);
        prop_assert_eq!(&few.tickets[..], &all.tickets[..few.tickets.len()]);
        prop_assert_eq!(few.tickets_cut, all.tickets.len() > limit);
        let none = compare(&tickets, &before, &before, limit);
        prop_assert_eq!((none.n_differ, none.n_hours_differ), (0, 0));
    }
}
