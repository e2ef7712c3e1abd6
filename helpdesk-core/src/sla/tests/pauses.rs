use super::*;
use StatusCategory::{Closed, New, OnHold, Open, Pending, Solved};
use expect_test::expect;

fn wait(minutes_allowed: u64) -> SlaRules {
    one(minutes(&[("requester_wait", minutes_allowed)]))
}

#[test]
fn a_pause_that_ends_in_the_same_second_costs_nothing() {
    let script = [("Mon 09:00", opened()), ("Mon 09:30", set(Pending)), ("Mon 09:30", set(Open))];
    check(
        &wait(60),
        &script,
        "Mon 09:40",
        &expect![[r#"
        requester_wait #1 running 40m of 60m due Mon 10:00
    "#]],
    );
}

#[test]
fn a_pause_over_nights_and_a_weekend_takes_out_only_what_was_open() {
    let rules = one(with(minutes(&[("requester_wait", 120)]), "calendar", json!("office")));
    let script = [("Fri 16:00", opened()), ("Fri 16:30", set(Pending)), ("Mon 09:15", set(Open))];
    check(
        &rules,
        &script,
        "Mon 09:20",
        &expect![[r#"
        requester_wait #1 running 35m of 120m due Mon 10:45
    "#]],
    );
}

#[test]
fn a_ticket_opened_pending_is_paused_from_its_start() {
    let script = [("Mon 09:00", opened().with_category(Pending)), ("Mon 10:00", set(Open))];
    check(
        &wait(60),
        &script[..1],
        "Mon 12:00",
        &expect![[r#"
        requester_wait #1 paused 0m of 60m
    "#]],
    );
    check(
        &wait(60),
        &script,
        "Mon 10:05",
        &expect![[r#"
        requester_wait #1 running 5m of 60m due Mon 11:00
    "#]],
    );
}

#[test]
fn an_answer_that_sets_pending_stops_before_it_pauses() {
    let rules = rules(json!({"preset": "freshdesk", "policies": [
        minutes(&[("first_response", 60)]),
    ]}));
    let script = [("Mon 09:00", opened()), ("Mon 09:40", replied()), ("Mon 09:40", set(Pending))];
    check_news(
        &rules,
        &script,
        "Mon 12:00",
        &expect![[r#"
        Mon 09:00 first_response #1 started
        Mon 09:40 first_response #1 met
    "#]],
    );
}

#[test]
fn stop_wins_over_pause_within_one_signal() {
    let rules = rules(json!({"preset": "none", "metrics": [{
        "key": "work",
        "start": [{"on": "created"}],
        "stop": [{"on": "status", "in": ["pending"]}],
        "pause": {"in": ["pending"]},
    }], "policies": [minutes(&[("work", 60)])]}));
    let script = [("Mon 09:00", opened()), ("Mon 09:30", set(Pending))];
    check_news(
        &rules,
        &script,
        "Mon 12:00",
        &expect![[r#"
        Mon 09:00 work #1 started
        Mon 09:30 work #1 met
    "#]],
    );
}

#[test]
fn a_reopened_ticket_does_not_count_the_time_it_was_solved() {
    let script = [("Mon 09:00", opened()), ("Mon 09:30", set(Solved)), ("Mon 12:00", set(Open))];
    check(
        &wait(60),
        &script,
        "Mon 12:10",
        &expect![[r#"
        requester_wait #1 running 40m of 60m due Mon 12:30
    "#]],
    );
}

#[test]
fn a_desk_may_count_the_time_a_ticket_was_solved() {
    let rules = rules(json!({
        "options": {"count_solved_gap": true},
        "policies": [minutes(&[("requester_wait", 60)])],
    }));
    let script = [("Mon 09:00", opened()), ("Mon 09:30", set(Solved)), ("Mon 12:00", set(Open))];
    check(
        &rules,
        &script,
        "Mon 12:10",
        &expect![[r#"
        requester_wait #1 running 190m of 60m breached Mon 10:00:01
    "#]],
    );
}

#[test]
fn a_closed_ticket_has_no_open_clock() {
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:10", replied()),
        ("Mon 09:20", set(Solved)),
        ("Mon 09:30", set(Closed)),
    ];
    let told = tell(&one(usual()), &script, "Wed 09:00");
    assert!(told.clocks.iter().all(|clock| !clock.is_open()), "{}", told.rows());
}

#[test]
fn a_clock_may_be_paused_by_any_condition() {
    let rules = rules(json!({"preset": "none", "metrics": [{
        "key": "work",
        "start": [{"on": "created"}],
        "stop": [{"on": "status", "in": ["solved"]}],
        "pause": {"when": {"field": "tags", "has_any": ["vendor"]}},
    }], "policies": [minutes(&[("work", 60)])]}));
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:10", facts(json!({"tags": ["vendor"]}))),
        ("Mon 09:30", facts(json!({"tags": []}))),
    ];
    check(
        &rules,
        &script[..2],
        "Mon 09:20",
        &expect![[r#"
        work #1 paused 10m of 60m
    "#]],
    );
    check(
        &rules,
        &script,
        "Mon 09:40",
        &expect![[r#"
        work #1 running 20m of 60m due Mon 10:20
    "#]],
    );
}

#[test]
fn a_ticket_open_for_two_years_counts_all_of_it() {
    let opened_at = at("Mon 09:00");
    let signal = Signal::Created { message: None };
    let events = [ReplayEvent::new(opened_at, &signal)];
    let until = opened_at + TimeDelta::days(731);
    let clocks = replay(&wait(60), &events, &calendars(), until);
    assert_eq!(elapsed(&clocks[0], until, &calendars()), 731 * 86_400);
    assert_eq!(clocks[0].breached_at, Some(opened_at + TimeDelta::seconds(3_601)));
}

#[test]
fn a_reply_at_the_last_instant_is_in_time_and_a_second_later_it_is_not() {
    let rules = one(with(minutes(&[("first_reply", 60)]), "calendar", json!("office")));
    // An hour from Friday 16:00 is used up at closing; Monday 9:00 is still in time.
    let script = |when| [("Fri 16:00", opened()), (when, replied())];
    check(
        &rules,
        &script("Fri 17:00"),
        "Mon 12:00",
        &expect![[r#"
        first_reply #1 met 60m of 60m
    "#]],
    );
    check(
        &rules,
        &script("Mon 09:00"),
        "Mon 12:00",
        &expect![[r#"
        first_reply #1 met 60m of 60m
    "#]],
    );
    check(
        &rules,
        &script("Mon 09:00:01"),
        "Mon 12:00",
        &expect![[r#"
        first_reply #1 missed 3601s of 60m breached Mon 09:00:01
    "#]],
    );
}

#[test]
fn a_timer_at_the_instant_of_a_reply_comes_first() {
    let rules = one(minutes(&[("first_reply", 60)]));
    let script = [("Mon 09:00", opened()), ("Mon 10:00:01", replied())];
    check_news(
        &rules,
        &script,
        "Mon 12:00",
        &expect![[r#"
        Mon 09:00 first_reply #1 started
        Mon 10:00:01 first_reply #1 breached time_passed
        Mon 10:00:01 first_reply #1 missed
    "#]],
    );
}

#[test]
fn a_paused_clock_neither_warns_nor_breaches() {
    let policy = with(minutes(&[("requester_wait", 60)]), "warn_at", json!([{"percent": 50}]));
    let script = [("Mon 09:00", opened()), ("Mon 09:20", set(Pending)), ("Tue 09:00", set(Open))];
    check_news(
        &one(policy),
        &script,
        "Tue 12:00",
        &expect![[r#"
        Mon 09:00 requester_wait #1 started
        Mon 09:20 requester_wait #1 paused
        Tue 09:00 requester_wait #1 resumed
        Tue 09:10 requester_wait #1 warned {percent:50}
        Tue 09:40:01 requester_wait #1 breached time_passed
    "#]],
    );
}

#[test]
fn events_of_one_instant_count_in_the_order_of_the_list() {
    let script = [("Mon 09:00", opened()), ("Mon 09:30", replied()), ("Mon 09:30", asked())];
    let rules = one(minutes(&[("first_reply", 60), ("next_reply", 60)]));
    check(
        &rules,
        &script,
        "Mon 09:40",
        &expect![[r#"
        first_reply #1 met 30m of 60m
        next_reply #1 running 10m of 60m due Mon 10:30
    "#]],
    );
    let script = [("Mon 09:00", opened()), ("Mon 09:30", asked()), ("Mon 09:30", replied())];
    check(
        &rules,
        &script,
        "Mon 09:40",
        &expect![[r#"
        first_reply #1 met 30m of 60m
    "#]],
    );
}

#[test]
fn a_clock_with_more_stretches_than_it_keeps_loses_none_of_its_time() {
    let mut script = vec![("Mon 09:00".to_owned(), opened())];
    for i in 0..50 {
        script.push((format!("Mon {:02}:{:02}", 10 + i / 10, i % 10 * 6 + 1), set(Pending)));
        script.push((format!("Mon {:02}:{:02}", 10 + i / 10, i % 10 * 6 + 2), set(OnHold)));
    }
    let script: Vec<(&str, Step)> =
        script.iter().map(|(when, step)| (when.as_str(), step.clone())).collect();
    let told = tell(&wait(60), &script, "Mon 16:00");
    let clock = told.clock("requester_wait");
    assert_eq!(clock.spans.len(), crate::limit::CLOCK_SPANS_MAX);
    assert_eq!(told.elapsed("requester_wait"), (7 * 60 - 50) * 60);
}

#[test]
fn a_message_of_a_requester_does_not_move_the_start_of_the_next_reply() {
    let rules = one(minutes(&[("first_reply", 60), ("next_reply", 60)]));
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:10", replied()),
        ("Mon 10:00", asked()),
        ("Mon 10:50", asked()),
    ];
    check(
        &rules,
        &script,
        "Mon 10:55",
        &expect![[r#"
        first_reply #1 met 10m of 60m
        next_reply #1 running 55m of 60m due Mon 11:00
    "#]],
    );
}

#[test]
fn neither_a_note_nor_a_bot_is_a_reply() {
    let rules = one(minutes(&[("first_reply", 60)]));
    let script = [("Mon 09:00", opened()), ("Mon 09:10", noted()), ("Mon 09:20", bot_replied())];
    check(
        &rules,
        &script,
        "Mon 09:30",
        &expect![[r#"
        first_reply #1 running 30m of 60m due Mon 10:00
    "#]],
    );
}

#[test]
fn a_desk_may_count_its_bots_as_human() {
    let rules = rules(json!({
        "options": {"counts_as_human": true},
        "policies": [minutes(&[("first_reply", 60)])],
    }));
    let script = [("Mon 09:00", opened()), ("Mon 09:20", bot_replied())];
    check(
        &rules,
        &script,
        "Mon 09:30",
        &expect![[r#"
        first_reply #1 met 20m of 60m
    "#]],
    );
}

#[test]
fn a_ticket_that_an_agent_opened_with_a_note_starts_with_its_requesters_first_message() {
    let policy = minutes(&[("first_reply", 60), ("next_reply", 60)]);
    let script = [("Mon 09:00", opened_by_agent(false)), ("Mon 11:00", asked())];
    check(
        &one(policy.clone()),
        &script,
        "Mon 11:10",
        &expect![[r#"
        first_reply #1 running 10m of 60m due Mon 12:00
    "#]],
    );
    let never = rules(json!({
        "options": {"first_reply_at_creation_only": true},
        "policies": [policy],
    }));
    check(&never, &script, "Mon 11:10", &expect![[r#""#]]);
}

#[test]
fn a_new_status_of_the_same_turn_changes_nothing() {
    let script = [("Mon 09:00", opened()), ("Mon 09:20", set(Open)), ("Mon 09:30", set(New))];
    let told = tell(&wait(60), &script, "Mon 09:40");
    assert_eq!(told.changes.len(), 1, "{}", told.news());
}

#[test]
fn a_breach_whose_timer_was_never_fired_comes_before_the_stop() {
    let rules = one(minutes(&[("first_reply", 60)]));
    let told = tell(&rules, &[("Mon 09:00", opened())], "Mon 09:00");
    let ctx = super::super::signal::ClockContext {
        metrics: &rules.metrics,
        requester_policy: rules.policies.first(),
        group_policy: None,
        calendars: &told.calendars,
        ticket: super::super::signal::TicketNow {
            category: New,
            created_at: at("Mon 09:00"),
            answered: true,
        },
        facts: &super::super::replay::Blank,
    };
    let signal = replied().signal;
    let changes = super::super::step::advance(&told.clocks, &signal, at("Mon 11:00"), &ctx);
    let news: Vec<&str> = changes.iter().map(|change| change.news.as_str()).collect();
    assert_eq!(news, ["breached", "missed"]);
    assert_eq!(changes[1].clock.breached_at, Some(at("Mon 10:00:01")));
}
