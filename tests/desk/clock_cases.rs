//! Clocks and escalation where the desks of others went wrong: what only a whole
//! desk can show. The rest is in `helpdesk-core`, `sla/tests` and `escalation/tests`.

use crate::kit::{
    Kit, Step, TENANT, apply_config, at, change, check, mail, mail_with, note, on, reply,
    run_macro, set_status, show, sqlite,
};
use crate::state;
use expect_test::expect;
use helpdesk::core::event::{Event, Recorded, StreamKind};
use serde_json::{Value, json};
use std::sync::Arc;

const AT: &str = "2026-11-20T09:00:00Z";

fn targets(metric: &str, seconds: u64) -> Value {
    json!({"metric": metric, "targets": [{"seconds": seconds}]})
}

/// Around the clock, one policy with these metrics.
fn desk(metrics: Value) -> Value {
    json!({
        "agents": {"amy": {"groups": ["support"]}, "ben": {"groups": ["support"]}},
        "sla": {"policies": [{"key": "all", "metrics": metrics}]},
    })
}

fn clocks(fields: &'static [&'static str]) -> Step {
    Step::Ask("amy", json!({"type": "clocks", "ticket": {"number": "HD-1"}}), fields)
}

/// Opened at 9, solved at 10, reopened at 12, looked at at 13.
fn reopened() -> Vec<(&'static str, Step)> {
    vec![
        (AT, mail("anna@acme.com", "A", "a")),
        ("2026-11-20T10:00:00Z", on("amy", "solve", "#1")),
        ("2026-11-20T12:00:00Z", on("amy", "reopen", "#1")),
        (
            "2026-11-20T13:00:00Z",
            clocks(&["metric", "cycle", "state", "elapsed_seconds", "due_at"]),
        ),
    ]
}

#[test]
fn a_reopened_ticket_goes_on_with_its_time_and_the_time_it_was_solved_is_left_out() {
    check(
        desk(json!([targets("total_resolution", 36_000)])),
        &reopened(),
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 total_resolution started due Fri 19:00
        Fri 10:00 #1 new→solved (by_hand) closes Tue 10:00; #1 total_resolution met after 3600 s
        Fri 12:00 #1 solved→open (by_hand); #1 total_resolution reopened due Fri 21:00; #1 to support (reopened)
        Fri 13:00 1 rows: metric=total_resolution cycle=1 state=running elapsed_seconds=7200 due_at=Fri-21:00"#]],
    );
}

#[test]
fn a_desk_may_count_the_time_that_a_reopened_ticket_was_solved() {
    let mut config = desk(json!([targets("total_resolution", 36_000)]));
    config["sla"]["options"] = json!({"count_solved_gap": true});
    check(
        config,
        &reopened(),
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 total_resolution started due Fri 19:00
        Fri 10:00 #1 new→solved (by_hand) closes Tue 10:00; #1 total_resolution met after 3600 s
        Fri 12:00 #1 solved→open (by_hand); #1 total_resolution reopened due Fri 19:00; #1 to support (reopened)
        Fri 13:00 1 rows: metric=total_resolution cycle=1 state=running elapsed_seconds=14400 due_at=Fri-19:00"#]],
    );
}

#[test]
fn a_desk_may_measure_a_reopened_ticket_in_a_new_cycle() {
    let mut config = desk(json!([targets("time_to_resolution", 36_000)]));
    config["sla"]["preset"] = json!("jira_service_management");
    check(
        config,
        &reopened(),
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 time_to_resolution started due Fri 19:00
        Fri 10:00 #1 new→solved (by_hand) closes Tue 10:00; #1 time_to_resolution met after 3600 s
        Fri 12:00 #1 solved→open (by_hand); #1 time_to_resolution#2 started due Fri 22:00; #1 to support (reopened)
        Fri 13:00 2 rows: metric=time_to_resolution cycle=1 state=met elapsed_seconds=3600 | metric=time_to_resolution cycle=2 state=running elapsed_seconds=3600 due_at=Fri-22:00"#]],
    );
}

#[test]
fn a_policy_that_is_gone_leaves_nothing_due_and_nothing_breached() {
    let mut config = desk(json!([targets("first_reply", 600), targets("requester_wait", 3_600)]));
    config["escalations"] = json!([{"key": "late", "steps": [
        {"trigger": {"type": "sla_percent", "metric": "requester_wait", "percent": 50}, "targets": [{"type": "group", "key": "support"}]},
    ]}]);
    let mut none = config.clone();
    none["sla"] = json!({});
    none["escalations"] = json!([]);
    let breached = json!({"field": "sla.first_reply", "breached": true});
    let listed = Step::Ask(
        "amy",
        json!({"type": "list_tickets", "which": {"condition": breached}}),
        &["number"],
    );
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:20:00Z", Step::Tick),
            ("2026-11-20T09:20:00Z", listed.clone()),
            ("2026-11-20T09:21:00Z", apply_config(none)),
            // Nothing is promised any more: no step and no breach comes.
            ("2026-11-20T11:00:00Z", Step::Tick),
            ("2026-11-20T11:01:00Z", set_status("amy", "#1", "open")),
            ("2026-11-20T11:01:00Z", listed),
            ("2026-11-20T11:01:00Z", show("#1", &["due_at", "clocks.0.state"])),
            ("2026-11-20T11:02:00Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 09:10; #1 requester_wait started due Fri 10:00; #1 escalation started next Fri 09:30
            Fri 09:20 tick: Fri 09:10:01 #1 first_reply breached time_passed at Fri 09:10:01
            Fri 09:20 1 rows: number=HD-1
            Fri 09:21 config applied
            Fri 11:00 tick: Fri 09:30 #1 policy none; #1 first_reply cancelled policy_gone; #1 requester_wait cancelled policy_gone; #1 escalation rescheduled, 1 dropped
            Fri 11:01 #1 new→open (by_hand)
            Fri 11:01 0 rows:
            Fri 11:01
            Fri 11:02 delivered group HD-1 to support; sla breached HD-1 to support"#]],
    );
}

#[test]
fn a_change_of_policy_neither_hides_nor_restarts_the_first_reply() {
    let mut config = desk(json!([]));
    let metrics = |seconds: u64| {
        json!([targets("first_reply", seconds), targets("periodic_update", seconds)])
    };
    config["sla"]["policies"] = json!([
        {"key": "vip", "when": {"field": "tags", "has_any": ["vip"]}, "metrics": metrics(600)},
        {"key": "all", "metrics": metrics(3_600)},
    ]);
    config["macros"] = json!([{"key": "vip", "name": "VIP", "steps": [
        {"type": "change", "change": {"type": "add_tags", "tags": ["vip"]}}, {"type": "reply", "text": "at once"},
    ]}]);
    let untag = json!([{"type": "remove_tags", "tags": ["vip"]}]);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            // Tagged and answered in one command: the reply is heard.
            ("2026-11-20T09:05:00Z", run_macro("amy", "#1", "vip")),
            ("2026-11-20T09:06:00Z", change("amy", "#1", untag)),
            (
                "2026-11-20T09:07:00Z",
                clocks(&["metric", "cycle", "state", "elapsed_seconds", "due_at"]),
            ),
            ("2026-11-20T11:00:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00
            Fri 09:05 #1 macro_run key=vip; #1 updated changes=[{tags:[vip],type:add_tags}]; #1 m2 by amy; #1 first_reply met after 300 s; #1 periodic_update started due Fri 10:05; #1 new→open (agent_replied); #1 policy vip; #1 periodic_update retargeted policy due Fri 09:15
            Fri 09:06 #1 updated changes=[{tags:[vip],type:remove_tags}]; #1 policy all; #1 periodic_update retargeted policy due Fri 10:05
            Fri 09:07 2 rows: metric=first_reply cycle=1 state=met elapsed_seconds=300 | metric=periodic_update cycle=1 state=running elapsed_seconds=120 due_at=Fri-10:05
            Fri 11:00 tick: Fri 10:05:01 #1 periodic_update breached time_passed at Fri 10:05:01"#]],
    );
}

#[test]
fn only_what_an_agent_tells_the_requester_is_an_answer() {
    check(
        desk(json!([targets("first_reply", 3_600), targets("next_reply", 3_600)])),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:10:00Z", note("amy", "#1", "for us")),
            ("2026-11-20T09:11:00Z", note("anna", "#1", "may she?")),
            ("2026-11-20T09:12:00Z", reply("anna", "#1", "more")),
            ("2026-11-20T09:13:00Z", reply("bot:amy", "#1", "we got it")),
            ("2026-11-20T09:20:00Z", reply("amy", "#1", "hello")),
            ("2026-11-20T09:30:00Z", reply("anna", "#1", "thanks, but")),
            ("2026-11-20T09:31:00Z", reply("anna", "#1", "one more")),
            ("2026-11-20T09:40:00Z", note("ben", "#1", "mine")),
            ("2026-11-20T09:50:00Z", reply("ben", "#1", "so")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00
            Fri 09:10 #1 note m2 by amy
            Fri 09:11 refused: forbidden
            Fri 09:12 #1 m3 by anna
            Fri 09:13 #1 m4 by bot amy; #1 new→open (agent_replied)
            Fri 09:20 #1 m5 by amy; #1 first_reply met after 1200 s
            Fri 09:30 #1 m6 by anna; #1 next_reply started due Fri 10:30
            Fri 09:31 #1 m7 by anna
            Fri 09:40 #1 note m8 by ben
            Fri 09:50 #1 m9 by ben; #1 next_reply met after 1200 s"#]],
    );
}

#[test]
fn a_call_that_an_agent_wrote_down_waits_for_an_answer_only_once_the_requester_writes() {
    let call = |more: Value| {
        let mut call = json!({
            "type": "open_ticket", "requester": "@anna", "subject": "Call", "text": "she called", "channel": "phone",
        });
        crate::kit::merge(&mut call, more);
        Step::Do("amy", call)
    };
    check(
        desk(json!([targets("first_reply", 3_600), targets("next_reply", 3_600)])),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", call(json!({"as_note": true}))),
            ("2026-11-20T09:02:00Z", call(json!({}))),
            ("2026-11-20T09:10:00Z", reply("anna", "#2", "what now?")),
            ("2026-11-20T09:10:00Z", reply("anna", "#3", "what now?")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00
            Fri 09:01 #2 opened `Call` for anna; #2 note m1 by amy; #2 to support (desk_default); #2 policy all
            Fri 09:02 #3 opened `Call` for anna; #3 m1 by amy; #3 new→open (agent_replied); #3 to support (desk_default); #3 policy all
            Fri 09:10 #2 m2 by anna; #2 first_reply started due Fri 10:10
            Fri 09:10 #3 m2 by anna; #3 next_reply started due Fri 10:10"#]],
    );
}

#[test]
fn an_answer_stays_one_when_its_agent_is_gone() {
    let gone = Step::Do("sys", json!({"type": "deactivate_agent", "agent": "@amy"}));
    let report = json!({
        "type": "report", "from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z", "group_by": "day", "measures": ["sla"],
    });
    check(
        desk(json!([targets("first_reply", 3_600), targets("next_reply", 3_600)])),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:10:00Z", reply("amy", "#1", "hello")),
            ("2026-11-20T09:20:00Z", gone),
            ("2026-11-20T09:20:00Z", Step::Tick),
            ("2026-11-20T09:30:00Z", reply("anna", "#1", "and now?")),
            ("2026-11-20T09:30:00Z", reply("amy", "#1", "I am gone")),
            ("2026-11-20T11:00:00Z", Step::Tick),
            ("2026-11-20T11:00:00Z", Step::Ask("sys", report, &["values.sla"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00
            Fri 09:10 #1 m2 by amy; #1 first_reply met after 600 s; #1 new→open (agent_replied)
            Fri 09:20 amy agent_deactivated
            Fri 09:20 tick: nothing
            Fri 09:30 #1 m3 by anna; #1 next_reply started due Fri 10:30
            Fri 09:30 refused: not_found ticket
            Fri 11:00 tick: Fri 10:30:01 #1 next_reply breached time_passed at Fri 10:30:01
            Fri 11:00 1 rows: values.sla={first_reply:{n_met:1,n_missed:0},next_reply:{n_met:0,n_missed:1}}"#]],
    );
}

#[test]
fn the_first_reply_in_a_chat_is_a_persons_unless_the_desk_counts_its_bot() {
    let chat = mail_with("anna@acme.com", "Chat", "hi", json!({"channel": "chat"}));
    let script = [
        (AT, chat),
        ("2026-11-20T09:00:01Z", reply("bot:amy", "#1", "hello, I am a bot")),
        ("2026-11-20T09:00:20Z", reply("anna", "#1", "a person, please")),
        ("2026-11-20T09:02:00Z", reply("amy", "#1", "here")),
        ("2026-11-20T09:02:10Z", reply("anna", "#1", "good")),
        ("2026-11-20T09:03:11Z", Step::Tick),
    ];
    let config = desk(json!([targets("first_reply", 60), targets("next_reply", 60)]));
    check(
        config.clone(),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `Chat` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 09:01
        Fri 09:00:01 #1 m2 by bot amy; #1 new→open (agent_replied)
        Fri 09:00:20 #1 m3 by anna
        Fri 09:02 [caught_up due_at=Fri-09:01:01 kind=sla_breach]; #1 first_reply breached time_passed at Fri 09:01:01; #1 m4 by amy; #1 first_reply missed after 120 s
        Fri 09:02:10 #1 m5 by anna; #1 next_reply started due Fri 09:03:10
        Fri 09:03:11 tick: Fri 09:03:11 #1 next_reply breached time_passed at Fri 09:03:11"#]],
    );
    let mut counted = config;
    counted["sla"]["options"] = json!({"counts_as_human": true});
    check(
        counted,
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `Chat` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 09:01
        Fri 09:00:01 #1 m2 by bot amy; #1 first_reply met after 1 s; #1 new→open (agent_replied)
        Fri 09:00:20 #1 m3 by anna; #1 next_reply started due Fri 09:01:20
        Fri 09:02 [caught_up due_at=Fri-09:01:21 kind=sla_breach]; #1 next_reply breached time_passed at Fri 09:01:21; #1 m4 by amy; #1 next_reply missed after 100 s
        Fri 09:02:10 #1 m5 by anna; #1 next_reply#2 started due Fri 09:03:10
        Fri 09:03:11 tick: Fri 09:03:11 #1 next_reply#2 breached time_passed at Fri 09:03:11"#]],
    );
}

#[test]
fn a_command_of_a_host_whose_clock_is_behind_takes_no_time_back() {
    let config = desk(json!([targets("first_reply", 3_600), targets("requester_wait", 3_600)]));
    let script = [
        ("2026-11-20T09:10:00Z", mail("anna@acme.com", "A", "a")),
        ("2026-11-20T09:20:00Z", set_status("amy", "#1", "pending")),
        ("2026-11-20T09:15:00Z", set_status("ben", "#1", "open")),
        ("2026-11-20T09:05:00Z", reply("ben", "#1", "early")),
        ("2026-11-20T09:30:00Z", clocks(&["metric", "state", "elapsed_seconds", "due_at"])),
    ];
    let mut kit = Kit::new(Arc::new(sqlite()), config);
    let lines = kit.run(&script);
    state::check_laws_but_time(&*kit.store, TENANT);
    expect![[r#"
        Fri 09:10 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:10; #1 requester_wait started due Fri 10:10
        Fri 09:20 #1 new→pending (by_hand); #1 requester_wait paused
        Fri 09:15 #1 pending→open (by_hand); #1 requester_wait resumed due Fri 10:10
        Fri 09:05 #1 m2 by ben; #1 first_reply met after 600 s
        Fri 09:30 2 rows: metric=first_reply state=met elapsed_seconds=600 | metric=requester_wait state=running elapsed_seconds=1200 due_at=Fri-10:10"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn imported_history_measures_nothing_and_what_comes_after_it_does() {
    let message = |agent: Option<&str>, at: &str| json!({"kind": "public_reply", "text": "t", "sent_at": at, "agent": agent});
    let import = json!({
        "type": "import_ticket", "external_id": "old-1", "channel": "email", "subject": "Old", "status": "open",
        "requester": crate::kit::sender("anna@acme.com"), "created_at": "2020-01-01T00:00:00Z",
        // Out of order, as exports are.
        "messages": [
            message(None, "2020-01-03T00:00:00Z"), message(Some("@amy"), "2020-01-02T00:00:00Z"),
        ],
    });
    check(
        desk(json!([
            targets("first_reply", 3_600),
            targets("next_reply", 3_600),
            targets("periodic_update", 7_200)
        ])),
        &[
            (AT, Step::Do("import", import)),
            ("2026-11-20T09:01:00Z", Step::Tick),
            ("2026-11-20T09:10:00Z", reply("anna", "#1", "still there?")),
            ("2026-11-20T09:20:00Z", reply("amy", "#1", "yes")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `Old` for anna; #1 m1 by anna; #1 m2 by amy
            Fri 09:01 tick: nothing
            Fri 09:10 #1 m3 by anna; #1 policy all; #1 next_reply started due Fri 10:10
            Fri 09:20 #1 m4 by amy; #1 next_reply met after 600 s; #1 periodic_update started due Fri 11:20"#]],
    );
}

#[test]
fn nobody_is_woken_at_night_where_the_policy_has_hours() {
    let week = json!([["09:00", "17:00"]]);
    let mut config = desk(json!([targets("first_reply", 28_800)]));
    config["calendars"] = json!([{"key": "office", "zone": "UTC", "weekly": {
        "mon": week, "tue": week, "wed": week, "thu": week, "fri": week,
    }}]);
    config["sla"]["policies"][0]["notice_hours"] = json!("office");
    config["escalations"] = json!([{"key": "late", "hours": "office", "steps": [
        {"trigger": {"type": "sla_breached", "metric": "first_reply"}, "targets": [{"type": "group", "key": "support"}]},
        {"trigger": {"type": "after", "seconds": 28_000}, "targets": [{"type": "channel", "key": "pager"}]},
    ]}]);
    // Over a part of Monday nobody is told anything, but the steps go on.
    config["maintenance"] = json!([{"from": "2026-11-23T09:00:00Z", "to": "2026-11-23T10:00:00Z"}]);
    check(
        config,
        &[
            ("2026-11-20T12:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-21T03:00:00Z", Step::Tick),
            ("2026-11-21T03:00:00Z", Step::Deliver),
            ("2026-11-23T09:00:00Z", Step::Tick),
            ("2026-11-23T09:30:00Z", Step::Deliver),
            ("2026-11-23T10:00:00Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 12:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 20:00; #1 escalation started
            Sat 03:00 tick: Fri 20:00:01 #1 first_reply breached time_passed at Fri 20:00:01; #1 escalation rescheduled next Mon 09:00
            Sat 03:00 delivered group HD-1 to support; next in about 194400 s
            Mon 09:00 tick: Mon 09:00 #1 escalation step_fired step=0 tells support next Mon 16:46:40
            Mon 09:30 delivered sla breached HD-1 to support; next in about 1800 s
            Mon 10:00 delivered escalation HD-1 to support"#]],
    );
}

/// A desk on which several things come due one after the other.
fn busy() -> Value {
    let mut config = desk(json!([
        {"metric": "first_reply", "targets": [{"seconds": 3_600}], "warn_at": [{"percent": 50}, {"before_seconds": 600}]},
        targets("requester_wait", 7_200),
    ]));
    config["escalations"] = json!([{"key": "late", "steps": [
        {"trigger": {"type": "after", "seconds": 1_200}, "targets": [{"type": "group", "key": "support"}]},
        {"trigger": {"type": "sla_breached", "metric": "first_reply"}, "targets": [{"type": "channel", "key": "pager"}]},
        {"trigger": {"type": "after", "seconds": 3_000}, "targets": [{"type": "channel", "key": "boss"}]},
    ]}]);
    config
}

#[test]
fn an_engine_that_slept_over_several_deadlines_fires_each_once_and_in_order() {
    check(
        busy(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:05:00Z", mail("bob@acme.com", "B", "b")),
            ("2026-11-22T00:00:00Z", Step::Tick),
            ("2026-11-22T00:00:00Z", Step::Tick),
            ("2026-11-22T00:00:01Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00; #1 requester_wait started due Fri 11:00; #1 escalation started next Fri 09:20
            Fri 09:05 contact bob made; #2 opened `B` for bob; #2 m1 by bob; #2 to support (desk_default); #2 policy all; #2 first_reply started due Fri 10:05; #2 requester_wait started due Fri 11:05; #2 escalation started next Fri 09:25
            Sun 00:00 tick: Fri 09:20 #1 escalation step_fired step=0 tells support; Fri 09:25 #2 escalation step_fired step=0 tells support; Fri 09:30 #1 first_reply warned {percent:50}; Fri 09:35 #2 first_reply warned {percent:50}; Fri 09:50 #1 first_reply warned {before_seconds:600}; Fri 09:55 #2 first_reply warned {before_seconds:600}; Fri 10:00:01 #1 first_reply breached time_passed at Fri 10:00:01; #1 escalation rescheduled next Fri 10:00:01; #1 escalation step_fired step=1 tells pager next Fri 10:50:01; Fri 10:05:01 #2 first_reply breached time_passed at Fri 10:05:01; #2 escalation rescheduled next Fri 10:05:01; #2 escalation step_fired step=1 tells pager next Fri 10:55:01; Fri 10:50:01 #1 escalation step_fired step=2 tells boss; #1 escalation exhausted; Fri 10:55:01 #2 escalation step_fired step=2 tells boss; #2 escalation exhausted; Fri 11:00:01 #1 requester_wait breached time_passed at Fri 11:00:01; Fri 11:05:01 #2 requester_wait breached time_passed at Fri 11:05:01
            Sun 00:00 tick: nothing
            Sun 00:00:01 delivered group HD-1 to support; group HD-2 to support; escalation HD-1 to support; escalation HD-2 to support; sla warned HD-1 to support; sla warned HD-2 to support; escalation HD-1 to pager; escalation HD-2 to pager; escalation HD-1 to boss; escalation HD-2 to boss; sla warned HD-1 to support; sla warned HD-2 to support; sla breached HD-1 to support; sla breached HD-2 to support; sla breached HD-1 to support; sla breached HD-2 to support"#]],
    );
}

#[test]
fn a_tick_says_how_late_it_came() {
    let mut kit = Kit::new(Arc::new(sqlite()), busy());
    kit.run(&[(AT, mail("anna@acme.com", "A", "a"))]);
    let tick = |now| kit.desk.tick(at(now), 1_000).unwrap();
    assert_eq!(tick("2026-11-20T09:20:00Z").late_by_seconds, 0);
    // Of what is left the first was due at 09:30.
    let late = tick("2026-11-20T12:00:00Z");
    assert_eq!((late.fired, late.late_by_seconds), (5, 9_000));
    assert_eq!(tick("2026-11-20T13:00:00Z").late_by_seconds, 0);
}

#[test]
fn two_engines_that_wake_at_once_tell_everybody_once() {
    let store = Arc::new(sqlite());
    let mut first = Kit::new(store.clone(), busy());
    first.run(&[
        (AT, mail("anna@acme.com", "A", "a")),
        ("2026-11-20T09:05:00Z", mail("bob@acme.com", "B", "b")),
    ]);
    let second = Kit::bare(store.clone());
    let late = at("2026-11-22T00:00:00Z");
    std::thread::scope(|scope| {
        for kit in [&first, &second] {
            scope.spawn(|| {
                // Whoever finds nothing left to lease is done; a lost race is retried.
                for _ in 0..20 {
                    kit.desk.tick(late, 3).unwrap();
                }
            });
        }
    });
    let journal = state::journal(&*store, TENANT);
    let n =
        |wanted: fn(&Event) -> bool| journal.iter().filter(|row| wanted(&row.entry.event)).count();
    // For each ticket: two warnings and two breaches, three steps.
    assert_eq!(n(|event| matches!(event, Event::ClockChanged { .. })), 2 * (2 + 2 + 2));
    let fired = |event: &Event| format!("{event:?}").contains("StepFired");
    assert_eq!(n(fired), 2 * 3);
    let told: usize = [&first, &second]
        .map(|kit| {
            kit.desk.deliver(late, 1_000).unwrap();
            kit.recorder.attempts().len()
        })
        .iter()
        .sum();
    // Each ticket: its group of it, two warnings, two breaches, three steps.
    assert_eq!(told, 2 * (1 + 2 + 2 + 3));
    state::check_laws(&*store, TENANT);
    // Whoever fires what: each ticket has the history that one engine would give it.
    let alone = Arc::new(sqlite());
    let mut one = Kit::new(alone.clone(), busy());
    one.run(&[
        (AT, mail("anna@acme.com", "A", "a")),
        ("2026-11-20T09:05:00Z", mail("bob@acme.com", "B", "b")),
    ]);
    one.desk.tick(late, 1_000).unwrap();
    let of_tickets = |journal: &[Recorded]| {
        let of_case = |row: &&Recorded| row.entry.stream.kind == StreamKind::Case;
        let mut rows: Vec<Recorded> = journal.iter().filter(of_case).cloned().collect();
        rows.iter_mut().for_each(|row| row.position = 0);
        rows.sort_by_key(|row| (row.entry.stream, row.n));
        rows
    };
    assert_eq!(of_tickets(&journal), of_tickets(&state::journal(&*alone, TENANT)));
}

#[test]
fn a_target_of_a_million_hours_is_due_at_no_time_and_is_met_all_the_same() {
    check(
        desk(json!([targets("first_reply", 3_600_000_000)])),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (
                "2026-11-20T09:00:00Z",
                clocks(&["metric", "state", "left_seconds", "due_at", "beyond_horizon"]),
            ),
            ("2060-01-01T00:00:00Z", Step::Tick),
            ("2060-01-01T00:00:00Z", reply("amy", "#1", "at last")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started
            Fri 09:00 1 rows: metric=first_reply state=running left_seconds=3600000000 beyond_horizon=true
            Thu 00:00 tick: nothing
            Thu 00:00 #1 m2 by amy; #1 first_reply met after 1044975600 s; #1 new→open (agent_replied)"#]],
    );
}
