use super::*;
use crate::sla::presets::{Preset, PresetOptions};
use StatusCategory::{OnHold, Open, Pending, Solved};
use expect_test::expect;

fn preset(name: &str, targets: &[(&str, u64)]) -> SlaRules {
    rules(json!({"preset": name, "policies": [minutes(targets)]}))
}

#[test]
fn every_preset_is_data_without_a_fault() {
    for preset in [
        Preset::Zendesk,
        Preset::Freshdesk,
        Preset::JiraServiceManagement,
        Preset::Zammad,
        Preset::LiveAgent,
        Preset::None,
    ] {
        let metrics = preset.metrics(PresetOptions::default());
        let sla = json!({"preset": "none", "metrics": metrics});
        let read = read(sla).expect("no fault");
        let named = rules(json!({"preset": preset}));
        assert_eq!(read.metrics, named.metrics, "{preset:?}");
    }
}

#[test]
fn zendesk_measures_seven_things_for_requesters_and_two_between_groups() {
    let metrics = Preset::Zendesk.metrics(PresetOptions::default());
    let keys: Vec<&str> = metrics.iter().map(|metric| metric.key.as_str()).collect();
    expect![[r#"
        [
            "first_reply",
            "next_reply",
            "periodic_update",
            "pausable_update",
            "requester_wait",
            "agent_work",
            "total_resolution",
            "first_assign",
            "group_time",
        ]
    "#]]
    .assert_debug_eq(&keys);
}

#[test]
fn freshdesk_dates_a_new_priority_from_the_opening_and_stops_the_timer_on_hold() {
    let policy = json!({"key": "p", "metrics": [{"metric": "resolution", "targets": [
        {"priorities": ["urgent"], "seconds": 3_600},
        {"seconds": 14_400},
    ]}]});
    let rules = rules(json!({"preset": "freshdesk", "policies": [policy]}));
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:30", set(OnHold)),
        ("Mon 10:00", set(Open)),
        ("Mon 10:10", priority("urgent")),
    ];
    check(
        &rules,
        &script,
        "Mon 10:20",
        &expect![[r#"
        resolution #1 running 50m of 60m due Mon 10:30
    "#]],
    );
}

#[test]
fn jira_lists_a_cycle_for_each_time_a_ticket_is_resolved() {
    let rules = preset("jira_service_management", &[("time_to_resolution", 60)]);
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:30", set(Solved)),
        ("Mon 12:00", set(Open)),
        ("Mon 12:10", set(Pending)),
    ];
    check(
        &rules,
        &script,
        "Mon 13:00",
        &expect![[r#"
        time_to_resolution #1 met 30m of 60m
        time_to_resolution #2 paused 10m of 60m
    "#]],
    );
}

#[test]
fn zammad_takes_breaks_out_of_every_clock() {
    let rules = preset("zammad", &[("first_response", 60), ("update", 60), ("solution", 120)]);
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:30", set(Pending)),
        ("Mon 10:30", set(Open)),
        ("Mon 10:45", replied()),
    ];
    check(
        &rules,
        &script,
        "Mon 11:00",
        &expect![[r#"
        first_response #1 met 45m of 60m
        update #1 met 45m of 60m
        solution #1 running 60m of 120m due Mon 12:00
    "#]],
    );
}

#[test]
fn an_agents_reply_ends_the_update_and_does_not_start_it_again() {
    let rules = preset("zammad", &[("first_response", 60), ("update", 60)]);
    let script = [("Mon 09:00", opened()), ("Mon 09:20", replied()), ("Mon 09:30", replied())];
    check(
        &rules,
        &script,
        "Mon 12:00",
        &expect![[r#"
        first_response #1 met 20m of 60m
        update #1 met 20m of 60m
    "#]],
    );
}

#[test]
fn live_agent_logs_no_first_answer_for_a_ticket_resolved_without_one() {
    let rules = preset("live_agent", &[("first_answer", 60), ("next_answer", 60)]);
    let script = [
        ("Mon 09:00", opened()),
        ("Mon 09:30", set(Solved)),
        ("Mon 10:00", asked()),
        ("Mon 10:00", set(Open)),
        ("Mon 10:20", replied()),
        ("Mon 10:20", set(Pending)),
    ];
    check(
        &rules,
        &script,
        "Mon 11:00",
        &expect![[r#"
        first_answer #1 cancelled 30m of 60m (ByMetric)
        next_answer #1 met 20m of 60m
    "#]],
    );
}

#[test]
fn an_own_metric_takes_the_place_of_a_presets() {
    let rules = rules(json!({"metrics": [{
        "key": "first_reply",
        "start": [{"on": "created"}],
        "stop": [{"on": "message", "by": ["agent"]}],
    }], "policies": [minutes(&[("first_reply", 60)])]}));
    let place = rules.metrics.iter().position(|metric| metric.key == "first_reply");
    assert_eq!((place, rules.metrics.len()), (Some(0), 9));
    // An internal note is an answer here.
    let script = [("Mon 09:00", opened()), ("Mon 09:10", noted())];
    check(
        &rules,
        &script,
        "Mon 10:00",
        &expect![[r#"
        first_reply #1 met 10m of 60m
    "#]],
    );
}
