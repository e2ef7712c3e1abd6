//! Escalation: steps that fetch help, hand over and come back; who is on call.

use crate::kit::{Step, check, mail, on, reply};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

/// Two tiers, a duty rota and one policy with these steps.
fn desk(steps: Value, more: Value) -> Value {
    let mut policy = json!({"key": "help", "steps": steps});
    crate::kit::merge(&mut policy, more);
    json!({
        "groups": [{"key": "front", "tier": "l1"}, {"key": "back", "tier": "l2"}],
        "tiers": [{"key": "l1", "group": "front"}, {"key": "l2", "group": "back"}],
        "schedules": [{"key": "duty", "layers": [{
            "participants": ["00000000-0000-0000-0000-00000000a001", "00000000-0000-0000-0000-00000000a002"],
            "unit": "daily", "start": "2026-11-16T08:00:00", "zone": "UTC",
        }]}],
        "sla": {"policies": [{"key": "all", "metrics": [{"metric": "first_reply", "targets": [{"seconds": 1800}]}]}]},
        "escalations": [policy],
        "agents": {
            "amy": {"groups": ["front"], "manager": null}, "ben": {"groups": ["back"]},
            "cat": {"groups": ["back"]}, "lea": {"groups": ["front", "back"], "roles": ["team_lead"]},
        },
    })
}

fn escalate(who: &'static str, note: &str) -> Step {
    Step::Do(who, json!({"type": "escalate", "ticket": "#1", "note": note}))
}

#[test]
fn a_ticket_that_waits_is_told_to_the_group_then_to_whoever_is_on_call() {
    check(
        desk(
            json!([
                {"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "group", "key": "front"}]},
                {"trigger": {"type": "after", "seconds": 900}, "targets": [{"type": "schedule", "key": "duty"}]},
            ]),
            json!({}),
        ),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:09:59Z", Step::Tick),
            ("2026-11-20T09:30:00Z", Step::Tick),
            ("2026-11-20T10:00:00Z", Step::Tick),
            ("2026-11-20T10:00:00Z", Step::Deliver),
            (
                "2026-11-20T10:00:00Z",
                Step::Ask(
                    "amy",
                    json!({"type": "on_call", "schedule": "duty"}),
                    &["agents", "next_handoff"],
                ),
            ),
            (
                "2026-11-20T10:00:00Z",
                Step::Ask(
                    "amy",
                    json!({"type": "shifts", "schedule": "duty", "from": "2026-11-20T07:00:00Z", "to": "2026-11-21T09:00:00Z"}),
                    &["from", "until", "agents"],
                ),
            ),
        ],
        &expect![[r#""#]],
    );
}

#[test]
fn a_breach_hands_over_to_the_next_tier_and_comes_back_with_a_note() {
    check(
        desk(
            json!([{"trigger": {"type": "sla_breached", "metric": "first_reply"}, "kind": {"type": "functional", "to": {"type": "tier", "key": "l2"}}}]),
            json!({}),
        ),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "claim", "#1")),
            ("2026-11-20T09:30:01Z", Step::Tick),
            ("2026-11-20T09:31:00Z", on("ben", "claim", "#1")),
            (
                "2026-11-20T09:32:00Z",
                Step::Do("lea", json!({"type": "de_escalate", "ticket": "#1", "note": " "})),
            ),
            (
                "2026-11-20T09:32:00Z",
                Step::Do(
                    "ben",
                    json!({"type": "de_escalate", "ticket": "#1", "note": "first line can"}),
                ),
            ),
            (
                "2026-11-20T09:33:00Z",
                Step::Do(
                    "lea",
                    json!({"type": "de_escalate", "ticket": "#1", "note": "first line can"}),
                ),
            ),
            (
                "2026-11-20T09:34:00Z",
                Step::Ask(
                    "sys",
                    json!({"type": "get_ticket", "ticket": {"number": "HD-1"}}),
                    &["group", "tier", "assignee", "escalation.level", "escalation.state"],
                ),
            ),
            ("2026-11-20T09:35:00Z", reply("amy", "#1", "so")),
            ("2026-11-20T09:36:00Z", on("amy", "solve", "#1")),
        ],
        &expect![[r#""#]],
    );
}

#[test]
fn an_acknowledgement_holds_for_as_long_as_the_policy_says() {
    let ack =
        |undo: bool| Step::Do("amy", json!({"type": "acknowledge", "ticket": "#1", "undo": undo}));
    check(
        desk(
            json!([
                {"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "group", "key": "front"}]},
                {"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "group", "key": "back"}]},
            ]),
            json!({"ack_timeout": {"seconds": 1800}}),
        ),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:10:00Z", Step::Tick),
            ("2026-11-20T09:12:00Z", ack(false)),
            ("2026-11-20T09:12:00Z", ack(false)),
            ("2026-11-20T09:30:00Z", Step::Tick),
            ("2026-11-20T09:42:00Z", Step::Tick),
            ("2026-11-20T09:43:00Z", ack(false)),
            ("2026-11-20T09:44:00Z", ack(true)),
        ],
        &expect![[r#""#]],
    );
}

#[test]
fn an_agent_may_force_the_next_step_and_only_where_a_policy_holds() {
    let mut config = desk(
        json!([{"trigger": {"type": "manual"}, "kind": {"type": "functional", "to": {"type": "next_tier"}}, "targets": [{"type": "group", "key": "back"}]}]),
        json!({"when": {"field": "subject", "is": "help"}}),
    );
    config["sla"] = json!({});
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "help", "a")),
            (AT, on("amy", "claim", "#1")),
            ("2026-11-20T09:10:00Z", escalate("amy", "beyond me")),
            ("2026-11-20T09:11:00Z", escalate("amy", "again")),
            ("2026-11-20T09:12:00Z", mail("anna@acme.com", "other", "a")),
            ("2026-11-20T09:12:00Z", Step::Do("amy", json!({"type": "escalate", "ticket": "#2"}))),
            (
                "2026-11-20T09:12:00Z",
                Step::Do("amy", json!({"type": "acknowledge", "ticket": "#2"})),
            ),
            (
                "2026-11-20T09:13:00Z",
                Step::Do("amy", json!({"type": "escalate", "ticket": "#1", "step": 7})),
            ),
        ],
        &expect![[r#""#]],
    );
}

#[test]
fn maintenance_holds_notifications_back_and_nothing_else() {
    let mut config = desk(
        json!([{"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "group", "key": "front"}]}]),
        json!({}),
    );
    config["maintenance"] = json!([{"from": "2026-11-20T09:00:00Z", "to": "2026-11-20T12:00:00Z"}]);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:10:00Z", Step::Tick),
            ("2026-11-20T11:59:59Z", Step::Deliver),
            ("2026-11-20T12:00:00Z", Step::Deliver),
        ],
        &expect![[r#""#]],
    );
}

#[test]
fn a_step_for_nobody_lets_the_next_one_come_at_once() {
    check(
        desk(
            json!([
                {"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "assignee"}]},
                {"trigger": {"type": "after", "seconds": 3600}, "kind": {"type": "automation", "actions": [
                    {"type": "change", "change": {"type": "set_priority", "to": "urgent"}}, {"type": "note", "text": "nobody had it"},
                ]}},
            ]),
            json!({}),
        ),
        &[(AT, mail("anna@acme.com", "A", "a")), ("2026-11-20T09:10:00Z", Step::Tick)],
        &expect![[r#""#]],
    );
}

#[test]
fn a_solved_ticket_is_escalated_no_more_until_it_is_reopened() {
    check(
        desk(
            json!([{"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "group", "key": "front"}]}]),
            json!({}),
        ),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:05:00Z", on("amy", "solve", "#1")),
            ("2026-11-20T09:30:00Z", Step::Tick),
            ("2026-11-20T09:31:00Z", on("amy", "reopen", "#1")),
            ("2026-11-20T09:41:00Z", Step::Tick),
        ],
        &expect![[r#""#]],
    );
}
