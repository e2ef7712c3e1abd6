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
        &expect![[r#""#]],
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
        &expect![[r#""#]],
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
        &expect![[r#""#]],
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
        &expect![[r#""#]],
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
        &expect![[r#""#]],
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
        &expect![[r#""#]],
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
        &expect![[r#""#]],
    );
}

#[test]
fn a_changed_calendar_redates_what_runs_and_leaves_what_is_over() {
    let config = desk(json!([first_reply(3600)]));
    let mut shorter = config.clone();
    shorter.as_object_mut().unwrap().remove("agents");
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
        &expect![[r#""#]],
    );
}

#[test]
fn a_ticket_that_is_touched_before_its_turn_is_redated_first() {
    let config = desk(json!([first_reply(3600)]));
    let mut shorter = config.clone();
    shorter.as_object_mut().unwrap().remove("agents");
    shorter["calendars"][0]["weekly"]["fri"] = json!([["09:00", "16:45"]]);
    check(
        config,
        &[
            (FRI, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T16:40:00Z", apply_config(shorter)),
            ("2026-11-20T16:44:00Z", set_status("amy", "#1", "open")),
            ("2026-11-20T16:50:00Z", Step::Tick),
        ],
        &expect![[r#""#]],
    );
}

#[test]
fn a_policy_that_is_gone_takes_its_clocks_along() {
    let config = desk(json!([first_reply(3600)]));
    let mut none = config.clone();
    none.as_object_mut().unwrap().remove("agents");
    none["sla"] = json!({});
    check(
        config,
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:10:00Z", apply_config(none)),
            ("2026-11-20T09:20:00Z", set_status("amy", "#1", "open")),
            ("2026-11-20T12:00:00Z", Step::Tick),
        ],
        &expect![[r#""#]],
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
        &expect![[r#""#]],
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
        &expect![[r#""#]],
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
        &expect![[r#""#]],
    );
}

#[test]
fn imported_history_has_no_clocks() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk(json!([first_reply(3600)])));
    let import = json!({
        "type": "import_ticket", "external_id": "old-1", "channel": "email", "subject": "Old",
        "requester": crate::kit::sender("anna@acme.com"), "created_at": "2020-01-01T00:00:00Z", "messages": [],
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
