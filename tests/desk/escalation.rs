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
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 policy all; #1 first_reply started due Fri 09:30; #1 escalation started next Fri 09:10
            Fri 09:09:59 tick: nothing
            Fri 09:30 tick: Fri 09:10 #1 escalation step_fired step=0 tells front next Fri 09:25; Fri 09:25 #1 escalation step_fired step=1 tells ben; #1 escalation exhausted
            Fri 10:00 tick: Fri 09:30:01 #1 first_reply breached time_passed at Fri 09:30:01
            Fri 10:00 delivered group HD-1 to front; escalation HD-1 to front; escalation HD-1 to ben; sla breached HD-1 to front
            Fri 10:00 agents=[ben] next_handoff=Sat-08:00
            Fri 10:00 3 rows: from=Fri-07:00 until=Fri-08:00 agents=[cat] | from=Fri-08:00 until=Sat-08:00 agents=[ben] | from=Sat-08:00 until=Sat-09:00 agents=[cat]"#]],
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
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 policy all; #1 first_reply started due Fri 09:30; #1 escalation started
            Fri 09:00 #1 assigned to amy (claimed); #1 new→open (assigned)
            Fri 09:30:01 tick: Fri 09:30:01 #1 first_reply breached time_passed at Fri 09:30:01; #1 escalation rescheduled next Fri 09:30:01; #1 escalation step_fired step=0 to back; #1 follower_added follower={id:amy,type:agent}; #1 updated changes=[{to:l2,type:set_tier}]; #1 unassigned agent=amy why=escalated; #1 to back (escalated); #1 escalation exhausted
            Fri 09:31 #1 assigned to ben (claimed)
            Fri 09:32 refused: required_field note
            Fri 09:32 refused: forbidden
            Fri 09:33 #1 note m2 by lea; #1 escalation handed_back by=lea; #1 updated changes=[{to:null,type:set_tier}]; #1 unassigned agent=ben why=escalated; #1 to front (escalated); #1 assigned to amy (escalated)
            Fri 09:34 group=front assignee=amy escalation.level=0 escalation.state=exhausted
            Fri 09:35 #1 m3 by amy; #1 first_reply missed after 2100 s
            Fri 09:36 #1 open→solved (by_hand) closes Tue 09:36; #1 escalation done"#]],
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
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 policy all; #1 first_reply started due Fri 09:30; #1 escalation started next Fri 09:10
            Fri 09:10 tick: Fri 09:10 #1 escalation step_fired step=0 tells front next Fri 09:20
            Fri 09:12 #1 escalation acknowledged by=amy next Fri 09:42
            Fri 09:12 nothing
            Fri 09:30 tick: nothing
            Fri 09:42 tick: Fri 09:30:01 #1 first_reply breached time_passed at Fri 09:30:01; Fri 09:42 #1 escalation ack_timed_out by=amy tells front+amy next Fri 09:52
            Fri 09:43 #1 escalation acknowledged by=amy next Fri 10:13
            Fri 09:44 #1 escalation unacknowledged by=amy next Fri 09:54"#]],
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
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `help` for anna; #1 m1 by anna; #1 to front (desk_default); #1 escalation started
            Fri 09:00 #1 assigned to amy (claimed); #1 new→open (assigned)
            Fri 09:10 #1 note m2 by amy; #1 escalation step_fired step=0 tells back to back; #1 follower_added follower={id:amy,type:agent}; #1 updated changes=[{to:l2,type:set_tier}]; #1 unassigned agent=amy why=escalated; #1 to back (escalated); #1 escalation exhausted
            Fri 09:11 refused: not_found ticket
            Fri 09:12 #2 opened `other` for anna; #2 m1 by anna; #2 to front (desk_default)
            Fri 09:12 refused: not_configured
            Fri 09:12 refused: invalid
            Fri 09:13 refused: not_found ticket"#]],
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
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 policy all; #1 first_reply started due Fri 09:30; #1 escalation started next Fri 09:10
            Fri 09:10 tick: Fri 09:10 #1 escalation step_fired step=0 tells front; #1 escalation exhausted
            Fri 11:59:59 delivered group HD-1 to front; next in about 0 s
            Fri 12:00 delivered escalation HD-1 to front"#]],
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
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 policy all; #1 first_reply started due Fri 09:30; #1 escalation started next Fri 09:10
            Fri 09:10 tick: Fri 09:10 #1 escalation step_fired step=0 no_one=next_step next Fri 09:10; #1 escalation step_fired step=1; #1 updated changes=[{to:urgent,type:set_priority}]; #1 note m2 by the desk; #1 escalation exhausted"#]],
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
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 policy all; #1 first_reply started due Fri 09:30; #1 escalation started next Fri 09:10
            Fri 09:05 #1 new→solved (by_hand) closes Tue 09:05; #1 first_reply met after 300 s; #1 escalation done
            Fri 09:30 tick: nothing
            Fri 09:31 #1 solved→open (by_hand); #1 to front (reopened); #1 escalation started next Fri 09:41
            Fri 09:41 tick: Fri 09:41 #1 escalation step_fired step=0 tells front; #1 escalation exhausted"#]],
    );
}

#[test]
fn a_step_that_solves_the_ticket_ends_its_escalation() {
    check(
        desk(
            json!([
                {"trigger": {"type": "after", "seconds": 600}, "kind": {"type": "automation", "actions": [{"type": "set_status", "to": "solved"}]}},
                {"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "group", "key": "front"}]},
            ]),
            json!({}),
        ),
        &[(AT, mail("anna@acme.com", "A", "a")), ("2026-11-20T09:30:00Z", Step::Tick)],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 policy all; #1 first_reply started due Fri 09:30; #1 escalation started next Fri 09:10
            Fri 09:30 tick: Fri 09:10 #1 escalation step_fired step=0 next Fri 09:20; #1 new→solved (escalated) closes Tue 09:10; #1 first_reply met after 600 s; #1 escalation done"#]],
    );
}

#[test]
fn a_hand_over_to_a_named_agent_keeps_to_their_capacity() {
    let ben = "00000000-0000-0000-0000-00000000a001";
    let mut config = desk(
        json!([{"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "agent", "id": ben}],
            "kind": {"type": "functional", "to": {"type": "next_tier"}, "strategy": "assign_target"}}]),
        json!({}),
    );
    config["sla"] = json!({});
    config["agents"]["ben"]["capacity"] = json!({"total": 1});
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("anna@acme.com", "B", "b")),
            ("2026-11-20T09:10:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 escalation started next Fri 09:10
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to front (desk_default); #2 escalation started next Fri 09:10
            Fri 09:10 tick: Fri 09:10 #1 escalation step_fired step=0 tells ben to back; #1 updated changes=[{to:l2,type:set_tier}]; #1 to back (escalated); #1 assigned to ben (escalated); #1 new→open (assigned); #1 escalation exhausted; #2 escalation step_fired step=0 tells ben to back; #2 updated changes=[{to:l2,type:set_tier}]; #2 to back (escalated); #2 escalation exhausted"#]],
    );
}

#[test]
fn a_notice_that_waits_for_the_end_of_maintenance_holds_back_no_other() {
    let mut config = desk(
        json!([
            {"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "group", "key": "front"}], "kind": {"type": "functional", "to": {"type": "next_tier"}}},
            {"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "group", "key": "back"}]},
        ]),
        json!({}),
    );
    config["sla"] = json!({});
    config["maintenance"] = json!([{"from": "2026-11-20T09:00:00Z", "to": "2026-11-20T12:00:00Z", "groups": ["front"]}]);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:20:00Z", Step::Tick),
            ("2026-11-20T09:20:00Z", Step::Deliver),
            ("2026-11-20T12:00:00Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 escalation started next Fri 09:10
            Fri 09:20 tick: Fri 09:10 #1 escalation step_fired step=0 tells front to back next Fri 09:20; #1 updated changes=[{to:l2,type:set_tier}]; #1 to back (escalated); Fri 09:20 #1 escalation step_fired step=1 tells back; #1 escalation exhausted
            Fri 09:20 delivered group HD-1 to front; escalation HD-1 to back; group HD-1 to back; next in about 9600 s
            Fri 12:00 delivered escalation HD-1 to front"#]],
    );
}

#[test]
fn an_order_to_escalate_is_no_reopening() {
    let mut config = desk(
        json!([
            {"trigger": {"type": "manual"}, "targets": [{"type": "group", "key": "front"}]},
            {"trigger": {"type": "reopened", "times": 1}, "targets": [{"type": "group", "key": "back"}]},
        ]),
        json!({"stop_on": ["reply"]}),
    );
    config["sla"] = json!({});
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "claim", "#1")),
            (AT, on("amy", "solve", "#1")),
            ("2026-11-20T09:05:00Z", on("amy", "reopen", "#1")),
            ("2026-11-20T09:06:00Z", Step::Tick),
            ("2026-11-20T09:07:00Z", reply("amy", "#1", "so")),
            ("2026-11-20T09:08:00Z", escalate("amy", "help")),
            ("2026-11-20T09:30:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to front (desk_default); #1 escalation started
            Fri 09:00 #1 assigned to amy (claimed); #1 new→open (assigned)
            Fri 09:00 #1 open→solved (by_hand) closes Tue 09:00; #1 escalation done
            Fri 09:05 #1 solved→open (by_hand); #1 escalation started next Fri 09:05
            Fri 09:06 tick: Fri 09:05 #1 escalation step_fired step=1 tells back; #1 escalation exhausted
            Fri 09:07 #1 m2 by amy; #1 escalation done
            Fri 09:08 #1 escalation started; #1 note m3 by amy; #1 escalation step_fired step=0 tells front; #1 escalation exhausted
            Fri 09:30 tick: nothing"#]],
    );
}
