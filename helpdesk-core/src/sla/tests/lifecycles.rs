use super::*;
use StatusCategory::{OnHold, Open, Pending, Solved};
use expect_test::expect;

/// A ticket from its opening on Monday at 9 to its solution at 16.
fn full() -> Vec<(&'static str, Step)> {
    vec![
        ("Mon 09:00", opened()),
        ("Mon 09:10", noted()),
        ("Mon 09:20", asked()),
        ("Mon 09:40", replied()),
        ("Mon 09:40", set(Pending)),
        ("Mon 11:00", asked()),
        ("Mon 11:00", set(Open)),
        ("Mon 11:30", asked()),
        ("Mon 12:00", set(OnHold)),
        ("Mon 13:00", set(Open)),
        ("Mon 13:30", replied()),
        ("Mon 13:30", set(Pending)),
        ("Mon 16:00", set(Solved)),
    ]
}

/// The same, as far as it has gone at that time.
fn full_until(until: &str) -> Vec<(&'static str, Step)> {
    full().into_iter().filter(|(when, _)| at(when) <= at(until)).collect()
}

#[test]
fn a_solved_ticket_shows_what_each_metric_measured() {
    check(
        &one(usual()),
        &full(),
        "Mon 17:00",
        &expect![[r#"
        first_reply #1 met 40m of 60m
        next_reply #1 missed 150m of 120m breached Mon 13:00:01
        periodic_update #1 met 230m of 240m
        periodic_update #2 met 150m of 240m
        pausable_update #1 met 150m of 240m
        pausable_update #2 met 0m of 240m
        requester_wait #1 met 190m of 480m
        agent_work #1 met 130m of 360m
        total_resolution #1 met 420m of 1440m
    "#]],
    );
}

#[test]
fn a_ticket_on_hold_pauses_only_the_agents_work() {
    check(
        &one(usual()),
        &full_until("Mon 12:30"),
        "Mon 12:30",
        &expect![[r#"
        first_reply #1 met 40m of 60m
        next_reply #1 running 90m of 120m due Mon 13:00
        periodic_update #1 running 170m of 240m due Mon 13:40
        pausable_update #1 running 90m of 240m due Mon 15:00
        requester_wait #1 running 130m of 480m due Mon 18:20
        agent_work #1 paused 100m of 360m
        total_resolution #1 running 210m of 1440m due Tue 09:00
    "#]],
    );
}

#[test]
fn a_pending_ticket_waits_for_its_requester_and_is_due_for_an_update() {
    check(
        &one(usual()),
        &full_until("Mon 10:30"),
        "Mon 10:30",
        &expect![[r#"
        first_reply #1 met 40m of 60m
        periodic_update #1 running 50m of 240m due Mon 13:40
        pausable_update #1 paused 0m of 240m
        requester_wait #1 paused 40m of 480m
        agent_work #1 paused 40m of 360m
        total_resolution #1 running 90m of 1440m due Tue 09:00
    "#]],
    );
}

#[test]
fn a_reopened_ticket_goes_on_with_the_time_it_had() {
    let script = [full(), vec![("Mon 17:00", asked()), ("Mon 17:00", set(Open))]].concat();
    check(
        &one(usual()),
        &script,
        "Mon 18:00",
        &expect![[r#"
        first_reply #1 met 40m of 60m
        next_reply #1 missed 150m of 120m breached Mon 13:00:01
        next_reply #2 running 60m of 120m due Mon 19:00
        periodic_update #1 met 230m of 240m
        periodic_update #2 met 150m of 240m
        pausable_update #1 met 150m of 240m
        pausable_update #2 met 0m of 240m
        requester_wait #1 running 250m of 480m due Mon 21:50
        agent_work #1 running 190m of 360m due Mon 20:50
        total_resolution #1 running 480m of 1440m due Tue 10:00
    "#]],
    );
}

#[test]
fn a_ticket_solved_without_a_reply_has_met_its_first_reply() {
    let script = [("Mon 09:00", opened()), ("Mon 09:30", set(Solved))];
    check(
        &one(usual()),
        &script,
        "Mon 10:00",
        &expect![[r#"
        first_reply #1 met 30m of 60m
        requester_wait #1 met 30m of 480m
        agent_work #1 met 30m of 360m
        total_resolution #1 met 30m of 1440m
    "#]],
    );
}

#[test]
fn a_ticket_that_an_agent_opened_in_public_waits_for_no_first_reply() {
    let script =
        [("Mon 09:00", opened_by_agent(true)), ("Mon 10:00", asked()), ("Mon 10:45", replied())];
    check(
        &one(usual()),
        &script,
        "Mon 11:00",
        &expect![[r#"
        next_reply #1 met 45m of 120m
        periodic_update #1 met 105m of 240m
        periodic_update #2 running 15m of 240m due Mon 14:45
        pausable_update #1 met 105m of 240m
        pausable_update #2 running 15m of 240m due Mon 14:45
        requester_wait #1 running 120m of 480m due Mon 17:00
        agent_work #1 running 120m of 360m due Mon 15:00
        total_resolution #1 running 120m of 1440m due Tue 09:00
    "#]],
    );
}

#[test]
fn a_weekend_pending_costs_no_business_hours() {
    let script = [
        ("Fri 16:30", opened()),
        ("Fri 16:45", set(Pending)),
        ("Mon 08:00", set(Open)),
        ("Mon 09:50", replied()),
    ];
    let rules = one(with(usual(), "calendar", json!("office")));
    check(
        &rules,
        &script,
        "Mon 10:00",
        &expect![[r#"
        first_reply #1 missed 80m of 60m breached Mon 09:30:01
        periodic_update #1 running 10m of 240m due Mon 13:50
        pausable_update #1 running 10m of 240m due Mon 13:50
        requester_wait #1 running 75m of 480m due Mon 16:45
        agent_work #1 running 75m of 360m due Mon 14:45
        total_resolution #1 running 90m of 1440m due Wed 16:30
    "#]],
    );
}
