//! SLA policies and clocks: they start, pause, warn, breach and are met with the ticket.

use crate::kit::{
    Kit, Step, apply_config, change, check, mail, mail_with, on, reply, set_status, show, sqlite,
};
use crate::state;
use expect_test::expect;
use helpdesk::MemoryStore;
use serde_json::{Value, json};
use std::sync::Arc;

/// A Friday, 16:30 by the office's clock.
const FRI: &str = "2026-11-20T16:30:00Z";

fn office() -> Value {
    json!({"key": "office", "zone": "UTC", "weekly": {
        "mon": [["09:00", "17:00"]], "tue": [["09:00", "17:00"]], "wed": [["09:00", "17:00"]],
        "thu": [["09:00", "17:00"]], "fri": [["09:00", "17:00"]],
    }})
}

/// One policy with these metrics in office hours.
fn desk(metrics: Value) -> Value {
    json!({
        "agents": {"amy": {"groups": ["support"]}, "ben": {"groups": ["support"]}},
        "calendars": [office()],
        "sla": {"policies": [{"key": "all", "calendar": "office", "metrics": metrics}]},
    })
}

fn first_reply(seconds: u64) -> Value {
    json!({"metric": "first_reply", "targets": [{"seconds": seconds}]})
}

#[test]
fn an_unanswered_ticket_breaches_its_first_reply_on_monday() {
    check(
        desk(json!([first_reply(3600)])),
        &[
            (FRI, mail("anna@acme.com", "Invoice", "missing")),
            (FRI, on("amy", "claim", "#1")),
            ("2026-11-23T09:30:00Z", Step::Tick),
            ("2026-11-23T09:30:01Z", Step::Tick),
            ("2026-11-23T09:30:01Z", Step::Tick),
            ("2026-11-23T09:40:00Z", reply("amy", "#1", "here")),
            ("2026-11-23T09:40:00Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 16:30 contact anna made; #1 opened `Invoice` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Mon 09:30
            Fri 16:30 #1 assigned to amy (claimed); #1 new→open (assigned)
            Mon 09:30 tick: nothing
            Mon 09:30:01 tick: Mon 09:30:01 #1 first_reply breached time_passed at Mon 09:30:01
            Mon 09:30:01 tick: nothing
            Mon 09:40 #1 m2 by amy; #1 first_reply missed after 4200 s
            Mon 09:40 delivered group HD-1 to support; sla breached HD-1 to amy; reply HD-1 `here` to anna@acme.com"#]],
    );
}

#[test]
fn a_reply_at_the_last_instant_is_in_time_whichever_comes_first() {
    check(
        desk(json!([first_reply(3600)])),
        &[
            (FRI, mail("anna@acme.com", "A", "a")),
            ("2026-11-23T09:30:00Z", reply("amy", "#1", "just so")),
            ("2026-11-23T09:40:00Z", Step::Tick),
            (FRI, mail("anna@acme.com", "B", "b")),
            // Late by a second: the command fires the breach before it is heard.
            ("2026-11-23T09:30:01Z", reply("amy", "#2", "too late")),
            ("2026-11-23T09:40:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 16:30 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Mon 09:30
            Mon 09:30 #1 m2 by amy; #1 first_reply met after 3600 s; #1 new→open (agent_replied)
            Mon 09:40 tick: nothing
            Fri 16:30 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 policy all; #2 first_reply started due Mon 09:30
            Mon 09:30:01 [caught_up due_at=Mon-09:30:01 kind=sla_breach]; #2 first_reply breached time_passed at Mon 09:30:01; #2 m2 by amy; #2 first_reply missed after 3601 s; #2 new→open (agent_replied)
            Mon 09:40 tick: nothing"#]],
    );
}

#[test]
fn a_clock_warns_once_for_each_threshold_and_pauses_with_the_ticket() {
    let mut config = desk(json!([
        {"metric": "requester_wait", "targets": [{"seconds": 7200}], "warn_at": [{"percent": 50}, {"before_seconds": 600}]},
    ]));
    config["status_after_reply"] = json!("pending");
    check(
        config,
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T10:00:00Z", Step::Tick),
            ("2026-11-20T10:30:00Z", reply("amy", "#1", "which one?")),
            ("2026-11-20T16:00:00Z", Step::Tick),
            (
                "2026-11-20T16:50:00Z",
                mail_with("anna@acme.com", "Re", "this", json!({"in_reply_to": "<mail-1@x>"})),
            ),
            ("2026-11-23T09:09:59Z", Step::Tick),
            ("2026-11-23T09:10:00Z", Step::Tick),
            ("2026-11-23T09:20:00Z", on("amy", "solve", "#1")),
            ("2026-11-24T09:20:00Z", on("amy", "reopen", "#1")),
            (
                "2026-11-24T09:20:00Z",
                Step::Ask(
                    "amy",
                    json!({"type": "clocks", "ticket": {"number": "HD-1"}}),
                    &["metric", "state", "elapsed_seconds", "left_seconds", "due_at"],
                ),
            ),
            ("2026-11-24T09:20:01Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 requester_wait started due Fri 11:00
            Fri 10:00 tick: Fri 10:00 #1 requester_wait warned {percent:50}
            Fri 10:30 #1 m2 by amy; #1 new→open (agent_replied); #1 open→pending (agent_replied); #1 requester_wait paused
            Fri 16:00 tick: nothing
            Fri 16:50 [joined by=in_reply_to]; #1 m3 by anna; #1 pending→open (requester_replied); #1 requester_wait resumed due Mon 09:20
            Mon 09:09:59 tick: nothing
            Mon 09:10 tick: Mon 09:10 #1 requester_wait warned {before_seconds:600}
            Mon 09:20 #1 open→solved (by_hand) closes Fri 09:20; #1 requester_wait met after 7200 s
            Tue 09:20 #1 solved→open (by_hand); #1 requester_wait reopened due Tue 09:20; #1 to support (reopened)
            Tue 09:20 1 rows: metric=requester_wait state=running elapsed_seconds=7200 left_seconds=0 due_at=Tue-09:20
            Tue 09:20:01 tick: Tue 09:20:01 #1 requester_wait breached time_passed at Tue 09:20:01"#]],
    );
}

#[test]
fn answer_and_solve_in_one_command_count_in_that_order() {
    check(
        desk(json!([
            first_reply(3600),
            {"metric": "periodic_update", "targets": [{"seconds": 7200}]},
            {"metric": "total_resolution", "targets": [{"seconds": 36000}]},
        ])),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            (
                "2026-11-20T09:40:00Z",
                Step::Do(
                    "amy",
                    json!({"type": "reply", "ticket": "#1", "text": "so", "status": "solved"}),
                ),
            ),
            ("2026-11-20T09:50:00Z", show("#1", &["status", "due_at"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00; #1 total_resolution started due Mon 11:00
            Fri 09:40 #1 m2 by amy; #1 first_reply met after 2400 s; #1 periodic_update started due Fri 11:40; #1 new→open (agent_replied); #1 open→solved (by_hand) closes Tue 09:40; #1 periodic_update met after 0 s; #1 total_resolution met after 2400 s
            Fri 09:50 status=solved"#]],
    );
}

#[test]
fn a_higher_priority_has_another_target_and_may_breach_at_once() {
    check(
        desk(json!([{"metric": "first_reply", "targets": [
            {"priorities": ["urgent"], "seconds": 600}, {"seconds": 3600},
        ]}])),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            (
                "2026-11-20T09:20:00Z",
                change("amy", "#1", json!([{"type": "set_priority", "to": "urgent"}])),
            ),
            (
                "2026-11-20T09:25:00Z",
                change("amy", "#1", json!([{"type": "set_priority", "to": "low"}])),
            ),
            ("2026-11-20T10:00:01Z", Step::Tick),
            ("2026-11-20T10:05:00Z", reply("amy", "#1", "sorry")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00
            Fri 09:20 #1 updated changes=[{to:urgent,type:set_priority}]; #1 first_reply retargeted fields due Fri 09:10; #1 first_reply breached target_changed at Fri 09:10:01
            Fri 09:25 #1 updated changes=[{to:low,type:set_priority}]; #1 first_reply retargeted fields due Fri 10:00; #1 first_reply breach_revised
            Fri 10:00:01 tick: Fri 10:00:01 #1 first_reply breached time_passed at Fri 10:00:01
            Fri 10:05 #1 m2 by amy; #1 first_reply missed after 3900 s; #1 new→open (agent_replied)"#]],
    );
}

#[test]
fn the_first_policy_that_holds_counts_and_another_takes_over_with_the_time() {
    let config = json!({
        "agents": {"amy": {"groups": ["support"]}},
        "sla": {"policies": [
            {"key": "vip", "when": {"field": "tags", "has_any": ["vip"]}, "metrics": [first_reply(600)]},
            {"key": "rest", "when": {"field": "tags", "has_none": ["free"]}, "metrics": [first_reply(3600)]},
        ]},
    });
    check(
        config,
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            (
                "2026-11-20T09:05:00Z",
                change("amy", "#1", json!([{"type": "add_tags", "tags": ["vip"]}])),
            ),
            (
                "2026-11-20T09:06:00Z",
                change(
                    "amy",
                    "#1",
                    json!([{"type": "add_tags", "tags": ["free"]}, {"type": "remove_tags", "tags": ["vip"]}]),
                ),
            ),
            (
                "2026-11-20T09:07:00Z",
                Step::Ask(
                    "amy",
                    json!({"type": "explain", "ticket": {"number": "HD-1"}}),
                    &["sentences"],
                ),
            ),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy rest; #1 first_reply started due Fri 10:00
            Fri 09:05 #1 updated changes=[{tags:[vip],type:add_tags}]; #1 policy vip; #1 first_reply retargeted policy due Fri 09:10
            Fri 09:06 #1 updated changes=[{tags:[free],type:add_tags},{tags:[vip],type:remove_tags}]; #1 policy none; #1 first_reply cancelled policy_gone
            Fri 09:07 sentences=[queue `support`, the desk's default,SLA policy `rest`: tags has none of `free`: yes, it is unset,SLA policy `vip`: tags has any of `vip`: yes, it has `vip`,clock `first_reply` has another target (policy),no SLA policy fits,clock `first_reply` was given up (policy gone)]"#]],
    );
}

#[test]
fn deleted_and_spam_tickets_have_no_clocks_and_solved_ones_stand_still() {
    check(
        desk(
            json!([first_reply(3600), {"metric": "requester_wait", "targets": [{"seconds": 7200}]}]),
        ),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:10:00Z", on("amy", "mark_spam", "#1")),
            ("2026-11-20T12:00:00Z", Step::Tick),
            ("2026-11-20T12:00:00Z", on("amy", "unmark_spam", "#1")),
            ("2026-11-20T12:10:00Z", on("amy", "delete_ticket", "#1")),
            ("2026-11-20T13:00:00Z", on("amy", "restore_ticket", "#1")),
            ("2026-11-20T13:10:00Z", on("amy", "solve", "#1")),
            ("2026-11-23T13:10:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00; #1 requester_wait started due Fri 11:00
            Fri 09:10 #1 marked_spam; #1 first_reply cancelled spam; #1 requester_wait cancelled spam
            Fri 12:00 tick: nothing
            Fri 12:00 #1 unmarked_spam; #1 first_reply#2 started due Fri 10:00; #1 first_reply#2 breached target_changed at Fri 10:00:01; #1 requester_wait#2 started due Fri 14:00
            Fri 12:10 #1 deleted; #1 first_reply#2 cancelled deleted; #1 requester_wait#2 cancelled deleted
            Fri 13:00 #1 restored; #1 first_reply#3 started due Fri 10:00; #1 first_reply#3 breached target_changed at Fri 10:00:01; #1 requester_wait#3 started due Fri 15:00
            Fri 13:10 #1 new→solved (by_hand) closes Tue 13:10; #1 first_reply#3 missed after 15000 s; #1 requester_wait#3 met after 600 s
            Mon 13:10 tick: nothing"#]],
    );
}

#[test]
fn a_changed_calendar_redates_what_runs_and_leaves_what_is_over() {
    let config = desk(json!([first_reply(3600)]));
    let mut shorter = config.clone();
    shorter["calendars"][0]["weekly"]["fri"] = json!([["09:00", "16:45"]]);
    check(
        config,
        &[
            (FRI, mail("anna@acme.com", "A", "a")),
            (FRI, mail("anna@acme.com", "B", "b")),
            (FRI, reply("amy", "#2", "so")),
            ("2026-11-20T16:40:00Z", apply_config(shorter)),
            ("2026-11-20T16:50:00Z", Step::Tick),
            ("2026-11-23T09:45:00Z", Step::Tick),
            ("2026-11-23T09:45:01Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 16:30 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Mon 09:30
            Fri 16:30 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 policy all; #2 first_reply started due Mon 09:30
            Fri 16:30 #2 m2 by amy; #2 first_reply met after 0 s; #2 new→open (agent_replied)
            Fri 16:40 config applied
            Fri 16:50 tick: Fri 16:40 #1 first_reply retargeted calendar due Mon 09:45
            Mon 09:45 tick: nothing
            Mon 09:45:01 tick: Mon 09:45:01 #1 first_reply breached time_passed at Mon 09:45:01"#]],
    );
}

/// Friday ends at 16:32, then (from 16:40 on) at 16:50. Of its quarter of an hour the
/// ticket uses two minutes by 16:32, ten from 16:40 to 16:50, and three on Monday.
#[test]
fn of_several_changes_to_a_calendar_each_counts_as_long_as_it_was_in_force() {
    let config = desk(json!([first_reply(900)]));
    let until = |end: &str| {
        let mut config = config.clone();
        config["calendars"][0]["weekly"]["fri"] = json!([["09:00", end]]);
        apply_config(config)
    };
    let ticks_late = [
        (FRI, mail("anna@acme.com", "A", "a")),
        ("2026-11-20T16:31:00Z", until("16:32")),
        ("2026-11-20T16:40:00Z", until("16:50")),
        ("2026-11-20T17:30:00Z", Step::Tick),
        ("2026-11-23T09:03:01Z", Step::Tick),
    ];
    check(
        config.clone(),
        &ticks_late,
        &expect![[r#"
        Fri 16:30 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 16:45
        Fri 16:31 config applied
        Fri 16:40 config applied
        Fri 17:30 tick: Fri 16:31 #1 first_reply retargeted calendar due Mon 09:13; Fri 16:40 #1 first_reply retargeted calendar due Mon 09:03, 1 dropped
        Mon 09:03:01 tick: Mon 09:03:01 #1 first_reply breached time_passed at Mon 09:03:01"#]],
    );
    let [mail, first, second, _, breach] = ticks_late;
    let tick = |at| (at, Step::Tick);
    let at_once =
        [mail, first, tick("2026-11-20T16:31:00Z"), second, tick("2026-11-20T16:40:00Z"), breach];
    check(
        config.clone(),
        &at_once,
        &expect![[r#"
        Fri 16:30 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 16:45
        Fri 16:31 config applied
        Fri 16:31 tick: Fri 16:31 #1 first_reply retargeted calendar due Mon 09:13
        Fri 16:40 config applied
        Fri 16:40 tick: Fri 16:40 #1 first_reply retargeted calendar due Mon 09:03
        Mon 09:03:01 tick: Mon 09:03:01 #1 first_reply breached time_passed at Mon 09:03:01"#]],
    );
}

#[test]
fn a_ticket_that_is_touched_before_its_turn_is_redated_first() {
    let config = desk(json!([first_reply(3600)]));
    let mut shorter = config.clone();
    shorter["calendars"][0]["weekly"]["fri"] = json!([["09:00", "16:45"]]);
    check(
        config,
        &[
            (FRI, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T16:40:00Z", apply_config(shorter)),
            ("2026-11-20T16:44:00Z", set_status("amy", "#1", "open")),
            ("2026-11-20T16:50:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 16:30 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Mon 09:30
            Fri 16:40 config applied
            Fri 16:44 [caught_up due_at=Fri-16:40 kind=redate]; #1 first_reply retargeted calendar due Mon 09:45; #1 new→open (by_hand)
            Fri 16:50 tick: nothing"#]],
    );
}

#[test]
fn a_policy_that_is_gone_takes_its_clocks_along() {
    let config = desk(json!([first_reply(3600)]));
    let mut none = config.clone();
    none["sla"] = json!({});
    check(
        config,
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:10:00Z", apply_config(none)),
            ("2026-11-20T09:20:00Z", set_status("amy", "#1", "open")),
            ("2026-11-20T12:00:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00
            Fri 09:10 config applied
            Fri 09:20 #1 new→open (by_hand); #1 first_reply cancelled policy_gone; #1 policy none
            Fri 12:00 tick: nothing"#]],
    );
}

#[test]
fn a_date_set_by_hand_stands_until_it_is_cleared() {
    let set_due = |to: Value| {
        Step::Do(
            "amy",
            json!({"type": "set_due", "ticket": "#1", "metric": "first_reply", "to": to}),
        )
    };
    check(
        desk(json!([first_reply(3600)])),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:10:00Z", set_due(json!("2026-11-20T12:00:00Z"))),
            ("2026-11-20T11:00:00Z", Step::Tick),
            ("2026-11-20T11:00:00Z", set_due(Value::Null)),
            (
                "2026-11-20T11:00:00Z",
                Step::Do(
                    "amy",
                    json!({"type": "set_due", "ticket": "#1", "metric": "next_reply", "to": "2026-11-20T12:00:00Z"}),
                ),
            ),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00
            Fri 09:10 #1 first_reply retargeted due_set due Fri 12:00
            Fri 11:00 tick: nothing
            Fri 11:00 #1 first_reply retargeted due_cleared due Fri 10:00; #1 first_reply breached target_changed at Fri 10:00:01
            Fri 11:00 refused: invalid metric"#]],
    );
}

#[test]
fn tickets_are_listed_by_due_time_and_found_by_their_clocks() {
    let due = |condition: Value| {
        Step::Ask(
            "amy",
            json!({"type": "list_tickets", "which": {"condition": condition}, "order": "due_at"}),
            &["number", "due_at"],
        )
    };
    check(
        desk(
            json!([{"metric": "first_reply", "targets": [{"priorities": ["high"], "seconds": 1800}, {"seconds": 3600}]}]),
        ),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            (
                "2026-11-20T09:01:00Z",
                mail_with("anna@acme.com", "B", "b", json!({"priority": "high"})),
            ),
            ("2026-11-20T09:02:00Z", mail("anna@acme.com", "C", "c")),
            ("2026-11-20T09:03:00Z", reply("amy", "#3", "c")),
            ("2026-11-20T09:20:00Z", due(json!("always"))),
            ("2026-11-20T09:20:00Z", due(json!({"field": "sla.first_reply", "left_lt": 1000}))),
            ("2026-11-20T09:20:00Z", due(json!({"field": "sla.first_reply", "used_ge": 50}))),
            ("2026-11-20T09:20:00Z", due(json!({"field": "sla.first_reply", "state": "met"}))),
            ("2026-11-20T09:20:00Z", due(json!({"field": "due_at", "within_next": 900}))),
            ("2026-11-20T09:20:00Z", due(json!({"field": "sla.first_repl", "state": "met"}))),
            (
                "2026-11-20T09:20:00Z",
                Step::Ask("anna", json!({"type": "list_tickets", "order": "due_at"}), &["number"]),
            ),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00
            Fri 09:01 #2 opened `B` for anna priority=high; #2 m1 by anna; #2 to support (desk_default); #2 policy all; #2 first_reply started due Fri 09:31
            Fri 09:02 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default); #3 policy all; #3 first_reply started due Fri 10:02
            Fri 09:03 #3 m2 by amy; #3 first_reply met after 60 s; #3 new→open (agent_replied)
            Fri 09:20 3 rows: number=HD-2 due_at=Fri-09:31 | number=HD-1 due_at=Fri-10:00 | number=HD-3
            Fri 09:20 1 rows: number=HD-2 due_at=Fri-09:31
            Fri 09:20 1 rows: number=HD-2 due_at=Fri-09:31
            Fri 09:20 1 rows: number=HD-3
            Fri 09:20 1 rows: number=HD-2 due_at=Fri-09:31
            Fri 09:20 refused: unknown_field condition.field
            Fri 09:20 refused: forbidden order"#]],
    );
}

#[test]
fn attainment_is_reported_by_metric() {
    check(
        desk(
            json!([first_reply(3600), {"metric": "total_resolution", "targets": [{"seconds": 36000}]}]),
        ),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "B", "b")),
            (
                "2026-11-20T09:30:00Z",
                Step::Do(
                    "amy",
                    json!({"type": "reply", "ticket": "#1", "text": "so", "status": "solved"}),
                ),
            ),
            ("2026-11-20T11:00:00Z", Step::Tick),
            (
                "2026-11-20T12:00:00Z",
                Step::Ask(
                    "sys",
                    json!({"type": "report", "from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z", "group_by": "day", "measures": ["sla"]}),
                    &["key", "values.sla"],
                ),
            ),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00; #1 total_resolution started due Mon 11:00
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 policy all; #2 first_reply started due Fri 10:00; #2 total_resolution started due Mon 11:00
            Fri 09:30 #1 m2 by amy; #1 first_reply met after 1800 s; #1 new→open (agent_replied); #1 open→solved (by_hand) closes Tue 09:30; #1 total_resolution met after 1800 s
            Fri 11:00 tick: Fri 10:00:01 #2 first_reply breached time_passed at Fri 10:00:01
            Fri 12:00 1 rows: key=2026-11-20 values.sla={first_reply:{n_met:1,n_missed:1},total_resolution:{n_met:1,n_missed:0}}"#]],
    );
}

#[test]
fn imported_history_has_no_clocks() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk(json!([first_reply(3600)])));
    let import = json!({
        "type": "import_ticket", "external_id": "old-1", "channel": "email", "subject": "Old",
        "requester": crate::kit::sender("anna@acme.com"), "created_at": "2020-01-01T00:00:00Z", "messages": [], "status": "open",
    });
    let outcome = kit.execute("sys", import, crate::kit::at(FRI)).unwrap();
    let words: Vec<String> = outcome.events.iter().map(|e| format!("{:?}", e.event)).collect();
    assert!(
        words.iter().all(|w| !w.contains("ClockChanged") && !w.contains("PolicyPicked")),
        "{words:?}"
    );
}

#[test]
fn two_engines_fire_a_breach_once() {
    let store = Arc::new(sqlite());
    let mut first = Kit::new(store.clone(), desk(json!([first_reply(3600)])));
    first.run(&[(FRI, mail("anna@acme.com", "A", "a"))]);
    let second = Kit::bare(store.clone());
    let late = crate::kit::at("2026-11-24T09:00:00Z");
    let fired = [&first, &second].map(|kit| kit.desk.tick(late, 100).unwrap().fired);
    assert_eq!(fired.iter().sum::<u64>(), 1);
    let journal = state::journal(&*store, crate::kit::TENANT);
    let n =
        journal.iter().filter(|row| format!("{:?}", row.entry.event).contains("Breached")).count();
    assert_eq!(n, 1);
}

#[test]
fn a_policy_that_is_gone_breaches_no_ticket_that_nobody_touched() {
    let config = desk(json!([first_reply(3600)]));
    let mut none = config.clone();
    none["sla"] = json!({});
    check(
        config,
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:10:00Z", apply_config(none)),
            ("2026-11-20T12:00:00Z", Step::Tick),
            ("2026-11-20T12:00:00Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 first_reply started due Fri 10:00
            Fri 09:10 config applied
            Fri 12:00 tick: Fri 10:00:01 #1 policy none; #1 first_reply cancelled policy_gone
            Fri 12:00 delivered group HD-1 to support"#]],
    );
}
