use super::*;
use StatusCategory::{OnHold, Open, Pending, Solved};
use expect_test::expect;

/// Total resolution by priority: urgent 60, high 120, all others 240 minutes.
fn by_priority() -> Value {
    json!({"key": "p", "metrics": [{"metric": "total_resolution", "targets": [
        {"priorities": ["urgent"], "seconds": 3_600},
        {"priorities": ["high"], "seconds": 7_200},
        {"seconds": 14_400},
    ]}]})
}

#[test]
fn a_new_priority_changes_the_target_and_keeps_the_time() {
    let script = [("Mon 09:00", opened()), ("Mon 09:30", priority("high"))];
    check(
        &one(by_priority()),
        &script,
        "Mon 10:00",
        &expect![[r#"
        total_resolution #1 running 60m of 120m due Mon 11:00
    "#]],
    );
}

#[test]
fn a_new_priority_while_paused_keeps_the_time_and_dates_nothing() {
    let mut policy = by_priority();
    policy["metrics"][0]["metric"] = json!("requester_wait");
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:30", set(Pending)),
        ("Mon 12:00", priority("high")),
        ("Mon 14:00", set(Open)),
    ];
    check(
        &one(policy.clone()),
        &script[..3],
        "Mon 13:00",
        &expect![[r#"
        requester_wait #1 paused 30m of 120m
    "#]],
    );
    check(
        &one(policy),
        &script,
        "Mon 14:10",
        &expect![[r#"
        requester_wait #1 running 40m of 120m due Mon 15:30
    "#]],
    );
}

#[test]
fn a_priority_that_is_changed_back_is_due_as_before() {
    let script =
        [("Mon 09:00", opened()), ("Mon 09:30", priority("high")), ("Mon 10:00", priority("low"))];
    let told = tell(&one(by_priority()), &script, "Mon 10:10");
    expect![[r#"
        total_resolution #1 running 70m of 240m due Mon 13:00
    "#]]
    .assert_eq(&told.rows());
    assert_eq!(told.clock("total_resolution").target_rev, 3);
}

#[test]
fn a_target_cut_below_the_elapsed_time_breaches_at_once_and_only_once() {
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 11:30", priority("urgent")),
        ("Mon 11:40", noted()),
        ("Mon 11:50", priority("urgent")),
    ];
    let rules = one(by_priority());
    check_news(
        &rules,
        &script,
        "Mon 18:00",
        &expect![[r#"
        Mon 09:00 total_resolution #1 started
        Mon 11:30 total_resolution #1 retargeted fields
        Mon 11:30 total_resolution #1 breached target_changed
    "#]],
    );
    // It lay at one hour and a second.
    check(
        &rules,
        &script,
        "Mon 18:00",
        &expect![[r#"
        total_resolution #1 running 540m of 60m due Mon 10:00 breached Mon 10:00:01
    "#]],
    );
}

#[test]
fn a_target_raised_after_the_breach_takes_it_back_and_keeps_the_event() {
    let script = [
        ("Mon 09:00", opened().with_facts(json!({"priority": "urgent"}))),
        ("Mon 10:30", priority("high")),
    ];
    let rules = one(by_priority());
    check_news(
        &rules,
        &script,
        "Mon 18:00",
        &expect![[r#"
        Mon 09:00 total_resolution #1 started
        Mon 10:00:01 total_resolution #1 breached time_passed
        Mon 10:30 total_resolution #1 retargeted fields
        Mon 10:30 total_resolution #1 breach_revised
        Mon 11:00:01 total_resolution #1 breached time_passed
    "#]],
    );
    check(
        &rules,
        &script,
        "Mon 10:40",
        &expect![[r#"
        total_resolution #1 running 100m of 120m due Mon 11:00
    "#]],
    );
}

#[test]
fn a_raised_target_that_is_still_passed_leaves_the_breach() {
    let script = [
        ("Mon 09:00", opened().with_facts(json!({"priority": "urgent"}))),
        ("Mon 12:00", priority("high")),
    ];
    let told = tell(&one(by_priority()), &script, "Mon 18:00");
    assert_eq!((told.n_news("breached"), told.n_news("breach_revised")), (1, 0), "{}", told.news());
}

#[test]
fn a_new_deadline_in_an_earlier_stretch_is_found_there() {
    let mut policy = by_priority();
    policy["metrics"][0]["metric"] = json!("requester_wait");
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 10:30", set(Pending)),
        ("Mon 12:00", set(Open)),
        ("Mon 12:10", priority("urgent")),
    ];
    check(
        &one(policy),
        &script,
        "Mon 12:20",
        &expect![[r#"
        requester_wait #1 running 110m of 60m breached Mon 10:00:01
    "#]],
    );
}

#[test]
fn a_priority_without_a_target_leaves_a_clock_that_only_measures() {
    let mut policy = by_priority();
    policy["metrics"][0]["targets"].as_array_mut().expect("targets").pop();
    let script =
        [("Mon 09:00", opened()), ("Mon 10:00", priority("low")), ("Mon 15:00", set(Solved))];
    check(
        &one(policy),
        &script,
        "Mon 16:00",
        &expect![[r#"
        total_resolution #1 met 360m without target
    "#]],
    );
}

/// Freshdesk dates a new target from the start; another desk from now.
#[test]
fn a_metric_says_what_becomes_of_its_time_under_a_new_target() {
    let own = |on_policy_change| {
        let mut policy = by_priority();
        policy["metrics"][0]["metric"] = json!("work");
        policy["metrics"][0]["targets"][1]["calendar"] = json!("office");
        rules(json!({"preset": "none", "metrics": [{
            "key": "work",
            "start": [{"on": "created"}],
            "stop": [{"on": "status", "in": ["solved"]}],
            "on_policy_change": on_policy_change,
        }], "policies": [policy]}))
    };
    // Two hours before opening, then half an hour of it.
    let script = [("Mon 07:00", opened()), ("Mon 09:30", priority("high"))];
    check(
        &own("keep_elapsed"),
        &script,
        "Mon 09:40",
        &expect![[r#"
        work #1 running 160m of 120m breached Mon 09:00:01
    "#]],
    );
    check(
        &own("restart_now"),
        &script,
        "Mon 09:40",
        &expect![[r#"
        work #1 running 10m of 120m due Mon 11:30
    "#]],
    );
    check(
        &own("restart_from_anchor"),
        &script,
        "Mon 09:40",
        &expect![[r#"
        work #1 running 40m of 120m due Mon 11:00
    "#]],
    );
}

fn office_policy(recalculation: &str) -> SlaRules {
    let policy = with(minutes(&[("requester_wait", 2_000)]), "calendar", json!("office"));
    one(with(policy, "recalculation", json!(recalculation)))
}

/// The office opens from 8 to 18 instead, known from Monday, 12:00.
fn longer() -> CalendarRevisions {
    calendars().with(key("office"), 2, hours("08:00", "18:00"))
}

#[test]
fn a_changed_calendar_counts_from_now_on() {
    let script =
        [("Fri 16:00", opened()), ("Mon 12:00", step(Signal::Calendar).with_calendars(longer()))];
    // Friday 1 h and Monday 3 h in the old hours, then 7 h until 19:00 in the new: 6 h.
    let told = tell(&office_policy("from_now"), &script, "Mon 19:00");
    assert_eq!(told.elapsed("requester_wait"), 10 * 3_600);
}

#[test]
fn a_changed_calendar_may_count_for_the_whole_cycle() {
    let script = [
        ("Fri 16:00", opened()),
        ("Fri 16:30", set(Pending)),
        ("Fri 16:45", set(Open)),
        ("Mon 12:00", step(Signal::Calendar).with_calendars(longer())),
    ];
    // Friday 30 min and 75 min, Monday 8 to 18.
    let told = tell(&office_policy("whole"), &script, "Mon 19:00");
    assert_eq!(told.elapsed("requester_wait"), 105 * 60 + 10 * 3_600);
}

#[test]
fn a_changed_calendar_may_wait_for_the_tickets_next_event() {
    let script = [
        ("Fri 16:00", opened()),
        ("Mon 12:00", step(Signal::Calendar).with_calendars(longer())),
        ("Mon 19:00", noted()),
    ];
    let rules = office_policy("next_event");
    let before = tell(&rules, &script[..2], "Mon 16:00");
    assert_eq!(before.clock("requester_wait").calendar_rev, 1);
    // At the event, all that ran counts in the new hours: Friday 2 h, Monday 10 h.
    let after = tell(&rules, &script, "Mon 19:00");
    assert_eq!(after.elapsed("requester_wait"), 12 * 3_600);
}

/// A schedule of Chicago is changed for one of San Francisco, 12 seconds before
/// the reply: 959.46 minutes in both, 689.46 when the last one counts for all.
#[test]
fn spans_under_two_calendars_count_each_or_all_in_the_last() {
    let open = |zone: &str, from: &str, to: &str| {
        let day = json!([[from, to]]);
        calendar(json!({"zone": zone, "weekly": {"tue": day, "wed": day}}))
    };
    // 14 hours of a Tuesday and a Wednesday in Chicago, 9 and a half in San Francisco.
    let chicago = open("America/Chicago", "06:00", "20:00");
    let san_francisco = open("America/Los_Angeles", "08:00", "17:30");
    let before = CalendarRevisions::default().with(key("office"), 1, chicago);
    let after = before.clone().with(key("office"), 2, san_francisco);
    let seconds = |recalculation| {
        let created = Step { calendars: Some(before.clone()), ..opened() };
        let script = [
            ("Tue 17:02", created),
            ("Wed 19:01:15", step(Signal::Calendar).with_calendars(after.clone())),
            ("Wed 19:01:28", replied()),
            ("Wed 19:01:28", set(Solved)),
        ];
        tell(&office_policy(recalculation), &script, "Thu 00:00").elapsed("requester_wait")
    };
    // 959.46 and 689.46 minutes, to the second.
    assert_eq!(seconds("from_now"), 57_568);
    assert_eq!(seconds("next_event"), 41_368);
}

#[test]
fn a_changed_calendar_leaves_closed_clocks_alone() {
    let script = [
        ("Fri 16:00", opened()),
        ("Mon 10:00", set(Solved)),
        ("Mon 12:00", step(Signal::Calendar).with_calendars(longer())),
    ];
    for recalculation in ["from_now", "whole", "next_event"] {
        let told = tell(&office_policy(recalculation), &script, "Mon 19:00");
        assert_eq!(told.clock("requester_wait").accumulated_seconds, 2 * 3_600);
        assert_eq!(told.clock("requester_wait").calendar_rev, 1);
    }
}

#[test]
fn a_changed_calendar_dates_running_clocks_anew() {
    let policy = with(minutes(&[("first_reply", 120)]), "calendar", json!("office"));
    let script =
        [("Fri 16:00", opened()), ("Fri 16:30", step(Signal::Calendar).with_calendars(longer()))];
    check_news(
        &one(policy.clone()),
        &script,
        "Fri 16:40",
        &expect![[r#"
        Fri 16:00 first_reply #1 started
        Fri 16:30 first_reply #1 retargeted calendar
    "#]],
    );
    check(
        &one(policy),
        &script,
        "Fri 16:40",
        &expect![[r#"
        first_reply #1 running 40m of 120m due Fri 18:00
    "#]],
    );
}

#[test]
fn a_date_set_by_hand_stands_until_it_is_cleared() {
    let metric = key("total_resolution");
    let due_at = at("Tue 12:00");
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:10", step(Signal::DueSet { metric: metric.clone(), due_at })),
        ("Mon 09:30", priority("urgent")),
        ("Mon 12:00", step(Signal::DueCleared { metric })),
    ];
    let rules = one(by_priority());
    check(
        &rules,
        &script[..3],
        "Mon 11:00",
        &expect![[r#"
        total_resolution #1 running 120m of 240m due Tue 12:00
    "#]],
    );
    check_news(
        &rules,
        &script[..3],
        "Wed 09:00",
        &expect![[r#"
        Mon 09:00 total_resolution #1 started
        Mon 09:10 total_resolution #1 retargeted due_set
        Tue 12:00:01 total_resolution #1 breached time_passed
    "#]],
    );
    check_news(
        &rules,
        &script,
        "Wed 09:00",
        &expect![[r#"
        Mon 09:00 total_resolution #1 started
        Mon 09:10 total_resolution #1 retargeted due_set
        Mon 12:00 total_resolution #1 retargeted due_cleared
        Mon 12:00 total_resolution #1 breached target_changed
    "#]],
    );
}

#[test]
fn a_date_set_in_the_past_breaches_at_once() {
    let signal = Signal::DueSet { metric: key("total_resolution"), due_at: at("Mon 09:30") };
    let script = [("Mon 09:00", opened()), ("Mon 10:00", step(signal))];
    check_news(
        &one(by_priority()),
        &script,
        "Mon 11:00",
        &expect![[r#"
        Mon 09:00 total_resolution #1 started
        Mon 10:00 total_resolution #1 retargeted due_set
        Mon 10:00 total_resolution #1 breached target_changed
    "#]],
    );
    check(
        &one(by_priority()),
        &script,
        "Mon 11:00",
        &expect![[r#"
        total_resolution #1 running 120m of 240m due Mon 09:30 breached Mon 09:30:01
    "#]],
    );
}

#[test]
fn warnings_come_once_for_each_target() {
    let policy = with(
        by_priority(),
        "warn_at",
        json!([{"percent": 50}, {"before_seconds": 600}, {"before_wall_seconds": 300}]),
    );
    let script = [("Mon 09:00", opened()), ("Mon 11:30", priority("high"))];
    check_news(
        &one(policy.clone()),
        &script[..1],
        "Mon 18:00",
        &expect![[r#"
        Mon 09:00 total_resolution #1 started
        Mon 11:00 total_resolution #1 warned {percent:50}
        Mon 12:50 total_resolution #1 warned {before_seconds:600}
        Mon 12:55 total_resolution #1 warned {before_wall_seconds:300}
        Mon 13:00:01 total_resolution #1 breached time_passed
    "#]],
    );
    let raised = [
        ("Mon 09:00", opened().with_facts(json!({"priority": "high"}))),
        ("Mon 10:30", priority("low")),
    ];
    check_news(
        &one(policy),
        &raised,
        "Mon 18:00",
        &expect![[r#"
        Mon 09:00 total_resolution #1 started
        Mon 10:00 total_resolution #1 warned {percent:50}
        Mon 10:30 total_resolution #1 retargeted fields
        Mon 11:00 total_resolution #1 warned {percent:50}
        Mon 12:50 total_resolution #1 warned {before_seconds:600}
        Mon 12:55 total_resolution #1 warned {before_wall_seconds:300}
        Mon 13:00:01 total_resolution #1 breached time_passed
    "#]],
    );
}

#[test]
fn a_warning_before_the_end_counts_in_business_hours_and_one_by_the_wall_does_not() {
    let policy = with(
        with(minutes(&[("first_reply", 90)]), "calendar", json!("office")),
        "warn_at",
        json!([{"before_seconds": 3_600}, {"before_wall_seconds": 3_600}]),
    );
    let script = [("Fri 16:00", opened())];
    check_news(
        &one(policy),
        &script,
        "Mon 18:00",
        &expect![[r#"
        Fri 16:00 first_reply #1 started
        Fri 16:30 first_reply #1 warned {before_seconds:3600}
        Mon 08:30 first_reply #1 warned {before_wall_seconds:3600}
        Mon 09:30:01 first_reply #1 breached time_passed
    "#]],
    );
}

#[test]
fn deadlines_slept_over_fire_each_once_and_in_order() {
    let policy = with(usual(), "warn_at", json!([{"percent": 50}, {"percent": 75}]));
    let told = tell(&one(policy), &[("Fri 09:00", opened())], "Thu 09:00");
    let news = told.news();
    let mut times: Vec<_> = told.changes.iter().map(|(at, _)| *at).collect();
    let fired = times.clone();
    times.sort_unstable();
    assert_eq!(fired, times, "{news}");
    assert_eq!((told.n_news("warned"), told.n_news("breached")), (8, 4), "{news}");
}

#[test]
fn a_merged_ticket_stops_all_its_clocks_and_never_breaches() {
    let script =
        [("Mon 09:00", opened()), ("Mon 09:30", step(Signal::Merged)), ("Mon 09:30", set(Solved))];
    let told = tell(&one(usual()), &script, "Wed 09:00");
    expect![[r#"
        first_reply #1 cancelled 30m of 60m (Merged)
        requester_wait #1 cancelled 30m of 480m (Merged)
        agent_work #1 cancelled 30m of 360m (Merged)
        total_resolution #1 cancelled 30m of 1440m (Merged)
    "#]]
    .assert_eq(&told.rows());
    assert_eq!(told.n_news("breached"), 0);
}

#[test]
fn a_desk_may_let_the_requester_of_a_merged_ticket_keep_their_place() {
    let signal = Signal::Absorbed { waiting_since: at("Mon 08:30") };
    let script = [("Mon 09:00", opened()), ("Mon 09:10", step(signal))];
    let policy = minutes(&[("first_reply", 60), ("total_resolution", 60)]);
    let rules = rules(json!({"options": {"carries_on_merge": true}, "policies": [policy]}));
    check(
        &rules,
        &script,
        "Mon 09:20",
        &expect![[r#"
        first_reply #1 running 50m of 60m due Mon 09:30
        total_resolution #1 running 20m of 60m due Mon 10:00
    "#]],
    );
}

#[test]
fn a_deleted_or_spam_ticket_has_no_clock_until_it_is_restored() {
    let script = [
        ("Mon 09:00", opened().with_facts(json!({"last_requester_at": "2026-11-23T09:00:00Z"}))),
        ("Mon 09:10", step(Signal::Spam)),
        ("Mon 09:20", step(Signal::Restored)),
    ];
    let rules = one(minutes(&[("first_reply", 60), ("requester_wait", 60)]));
    check(
        &rules,
        &script,
        "Mon 09:30",
        &expect![[r#"
        first_reply #1 cancelled 10m of 60m (Spam)
        first_reply #2 running 30m of 60m due Mon 10:00
        requester_wait #1 cancelled 10m of 60m (Spam)
        requester_wait #2 running 10m of 60m due Mon 10:20
    "#]],
    );
}

#[test]
fn a_target_beyond_the_horizon_runs_without_a_date() {
    let policy = with(minutes(&[("first_reply", 60)]), "calendar", json!("office"));
    let mut far = policy;
    far["metrics"][0]["targets"][0]["seconds"] = json!(3_600_000_000_u64);
    let told = tell(&one(far), &[("Mon 09:00", opened())], "Tue 09:00");
    let clock = told.clock("first_reply");
    assert!(clock.beyond_horizon && clock.due_at.is_none() && clock.next_timer().is_none());
    assert_eq!(told.elapsed("first_reply"), 8 * 3_600);
}

#[test]
fn a_latest_only_metric_supersedes_its_earlier_cycle() {
    let rules = rules(json!({"preset": "none", "metrics": [{
        "key": "hold",
        "start": [{"on": "status", "in": ["on_hold"]}],
        "stop": [{"on": "status", "in": ["open"]}],
        "cycle": "latest_only",
    }], "policies": [minutes(&[("hold", 60)])]}));
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:10", set(OnHold)),
        ("Mon 09:20", set(Open)),
        ("Mon 09:30", set(OnHold)),
    ];
    check(
        &rules,
        &script,
        "Mon 09:40",
        &expect![[r#"
        hold #1 superseded 10m of 60m
        hold #2 running 10m of 60m due Mon 10:30
    "#]],
    );
}

#[test]
fn a_cancel_and_a_reset_are_data_too() {
    let rules = rules(json!({"preset": "none", "metrics": [{
        "key": "callback",
        "start": [{"on": "created"}],
        "stop": [{"on": "message", "by": ["agent"]}],
        "cancel": [{"on": "fields", "when": {"field": "tags", "has_any": ["no-call"]}}],
        "reset": [{"on": "message", "by": ["requester"]}],
    }], "policies": [minutes(&[("callback", 60)])]}));
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:30", asked()),
        ("Mon 09:40", facts(json!({"tags": ["no-call"]}))),
    ];
    check(
        &rules,
        &script[..2],
        "Mon 09:35",
        &expect![[r#"
        callback #1 running 5m of 60m due Mon 10:30
    "#]],
    );
    check_news(
        &rules,
        &script,
        "Mon 12:00",
        &expect![[r#"
        Mon 09:00 callback #1 started
        Mon 09:30 callback #1 reset
        Mon 09:40 callback #1 cancelled by_metric
    "#]],
    );
}

#[test]
fn a_running_clock_says_when_it_will_reach_a_threshold_and_a_paused_one_does_not() {
    use crate::clock::Threshold;
    use crate::sla::schedule::reached_at;
    let script = [("Mon 09:00", opened()), ("Mon 09:30", set(Pending))];
    let rules = one(minutes(&[("requester_wait", 60)]));
    let half = |script: &[(&str, Step)]| {
        let told = tell(&rules, script, "Mon 09:40");
        reached_at(told.clock("requester_wait"), Threshold::Percent(50), &told.calendars)
    };
    assert_eq!(half(&script[..1]), Some(at("Mon 09:30")));
    assert_eq!(half(&script), None);
}
