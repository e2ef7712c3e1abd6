//! What a desk may define, and what it is told of what it may not.

use super::*;
use crate::condition::Scratch;
use crate::escalation::lint::{lint, lint_agents};
use crate::escalation::oncall::ScheduleDef;
use crate::escalation::tier;
use expect_test::{Expect, expect};
use std::collections::BTreeSet;

#[track_caller]
fn check_faults(tiers: Value, schedules: Value, policies: Value, expected: &Expect) {
    let (tiers, schedules, policies) = (list(tiers), list(schedules), list(policies));
    let defs = EscalationDefs {
        tiers: &tiers,
        schedules: &schedules,
        policies: &policies,
        maintenance: &list(json!([{"from": minute(1), "to": minute(0), "groups": ["nobody"]}])),
    };
    let keys = |names: &[&str]| names.iter().map(|name| key(name)).collect::<BTreeSet<Key>>();
    let (groups, metrics) = (keys(&["l1", "l2"]), keys(&["first_reply"]));
    let (calendars, tier_keys) = (keys(&["office"]), keys(&["l1", "l2", "l3"]));
    let (schedule_keys, queues) = (keys(&["duty"]), keys(&["first"]));
    let known = Known {
        groups: Some(&groups),
        metrics: Some(&metrics),
        calendars: Some(&calendars),
        tiers: Some(&tier_keys),
        schedules: Some(&schedule_keys),
        queues: Some(&queues),
        skills: Some(&keys(&["sql"])),
        statuses: Some(&keys(&["open"])),
    };
    let faults = check(&defs, &known, &Schema::default(), &*ZONES).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    expected.assert_eq(&told.join("\n"));
}

#[test]
fn tiers_that_go_round_in_a_circle_are_faults() {
    let skip = |to: &str| json!([{"when": "always", "to": to}]);
    check_faults(
        json!([
            {"key": "l1", "skip_to": skip("l2")}, {"key": "l2", "skip_to": skip("l3")},
            {"key": "l3", "skip_to": skip("l2")},
        ]),
        json!([]),
        json!([]),
        &expect![[r#"
            tiers[1].skip_to[0].to: leads back to `l2`: tiers go round in a circle
            tiers[2].skip_to[0].to: leads back to `l3`: tiers go round in a circle
            maintenance[0].to: ends before it begins
            maintenance[0].groups[0]: there is no group `nobody`; near it: `l1`, `l2`"#]],
    );
}

#[test]
fn keys_that_nothing_defines_are_faults() {
    check_faults(
        json!([{"key": "l1", "group": "l9", "entry_metric": "last_reply", "skills": [{"skill": "cobol", "level": 1}]}]),
        json!([]),
        json!([policy(json!({
            "hours": "night", "when": {"field": "prio", "is": "high"},
            "fallback": [{"type": "queue", "key": "none"}],
            "steps": [
                {"trigger": {"type": "sla_breached", "metric": "x"}, "targets": [{"type": "group", "key": "l9"}]},
                {"trigger": {"type": "after", "seconds": 60, "calendar": "night"}, "targets": [{"type": "schedule", "key": "x"}]},
                {"trigger": {"type": "manual"}, "kind": {"type": "functional", "to": {"type": "tier", "key": "l9"}}},
                {"trigger": {"type": "manual"}, "kind": {"type": "functional", "to": {"type": "group", "key": "l9"}}},
                {"trigger": {"type": "manual"}, "kind": {"type": "automation", "actions": [{"type": "set_status", "to": "x"}]}},
                {"trigger": {"type": "manual"}, "guard": {"field": "priority", "is": "x"}, "targets": to_agent(1)},
            ],
        }))]),
        &expect![[r#"
            tiers[0].group: there is no group `l9`; near it: `l1`, `l2`
            tiers[0].entry_metric: there is no metric `last_reply`; near it: `first_reply`
            tiers[0].skills[0].skill: there is no skill `cobol`; near it: `sql`
            escalations[0].steps[0].trigger.metric: there is no metric `x`; near it: `first_reply`
            escalations[0].steps[0].targets[0].key: there is no group `l9`; near it: `l1`, `l2`
            escalations[0].steps[1].trigger.calendar: there is no calendar `night`; near it: `office`
            escalations[0].steps[1].targets[0].key: there is no on-call schedule `x`; near it: `duty`
            escalations[0].steps[2].kind.to.key: there is no tier `l9`; near it: `l1`, `l2`, `l3`
            escalations[0].steps[3].kind.to.key: there is no group `l9`; near it: `l1`, `l2`
            escalations[0].steps[4].kind.actions[0].to: there is no status `x`; near it: `open`
            escalations[0].steps[5].guard.is: `x` is no value of priority; near it: `low`, `high`, `normal`
            escalations[0].hours: there is no calendar `night`; near it: `office`
            escalations[0].fallback[0].key: there is no queue `none`; near it: `first`
            escalations[0].when.field: there is no field `prio`; near it: `body`, `brand`, `group`
            maintenance[0].to: ends before it begins
            maintenance[0].groups[0]: there is no group `nobody`; near it: `l1`, `l2`"#]],
    );
}

#[test]
fn policies_that_make_no_sense_are_faults() {
    let nothing = json!({"trigger": {"type": "after", "seconds": 0}});
    check_faults(
        json!([{"key": "l1"}]),
        json!([{"key": "duty"}, {"key": "duty", "layers": []}]),
        json!([
            policy(json!({"steps": [], "repeat": {"type": "times", "n": 10}})),
            policy(json!({
                "position": 0, "steps": [nothing], "repeat": {"type": "until_resolved", "max_total": 0},
                "on_exhausted": "notify_fallback", "ack_timeout": {"seconds": 0},
            })),
            {"key": "other", "steps": [
                {"trigger": {"type": "sla_percent", "metric": "first_reply", "percent": 0}, "targets": [{"type": "manager", "level": 0}], "if_no_one": "fallback"},
                {"trigger": {"type": "reopened", "times": 0}, "kind": {"type": "automation", "actions": []}},
                {"trigger": {"type": "idle", "since": "unassigned", "seconds": 100_000_000}, "kind": {"type": "functional", "to": {"type": "tier", "key": "l1"}}},
                {"trigger": {"type": "manual"}, "kind": {"type": "automation", "actions": [{"type": "note", "text": " "}]}},
                {"trigger": {"type": "manual"}, "kind": {"type": "functional", "to": {"type": "next_tier"}}},
            ]},
        ]),
        &expect![[r#"
            schedules[0].layers: nobody is ever on call: give it a layer
            schedules[1].layers: nobody is ever on call: give it a layer
            escalations[0].steps: an escalation policy needs at least one step
            escalations[0].repeat.n: takes 1 to 9
            escalations[1].position: 0 is also the position of escalations[0]
            escalations[1].steps[0].trigger.seconds: takes 1 to 31622400
            escalations[1].steps[0].targets: the step does nothing: name a target
            escalations[1].repeat.max_total: takes 1 to 1000
            escalations[1].ack_timeout.seconds: takes 1 to 31622400
            escalations[1].fallback: nobody to fall back to: name at least one target
            escalations[2].steps[0].trigger.percent: takes 1 to 1000
            escalations[2].steps[0].targets[0].level: takes 1 to 10
            escalations[2].steps[1].trigger.times: takes 1 to 4294967295
            escalations[2].steps[1].kind.actions: the step does nothing: name a change
            escalations[2].steps[2].trigger.seconds: takes 1 to 31622400
            escalations[2].steps[2].kind.to.key: the tier `l1` has no group to hand over to
            escalations[2].steps[3].kind.actions[0].text: there is no text
            escalations[2].steps[4].kind.to: the tier `l1` has no group to hand over to
            escalations[2].fallback: nobody to fall back to: name at least one target
            maintenance[0].to: ends before it begins
            maintenance[0].groups[0]: there is no group `nobody`; near it: `l1`, `l2`
            schedules[1].key: `duty` is also the key of schedules[0]
            escalations[1].key: `some` is also the key of escalations[0]"#]],
    );
}

#[test]
fn what_the_document_does_not_know_is_refused() {
    for text in [
        r#"{"key": "p", "steps": [], "stepz": []}"#,
        r#"{"key": "p", "steps": [{"trigger": {"type": "after", "seconds": -1}}]}"#,
        r#"{"key": "p", "steps": [{"trigger": {"type": "after", "seconds": 1, "days": 1}}]}"#,
        r#"{"key": "p", "steps": [{"trigger": {"type": "later"}}]}"#,
        r#"{"key": "p", "steps": [], "repeat": {"type": "times", "n": -1}}"#,
    ] {
        assert!(serde_json::from_str::<PolicyDef>(text).is_err(), "{text}");
    }
}

#[test]
fn a_policy_in_short_stops_on_an_acknowledgement_and_does_not_repeat() {
    let policy: PolicyDef = serde_json::from_value(policy(json!({"steps": []}))).unwrap();
    let written = serde_json::to_value(&policy).unwrap();
    assert_eq!(
        (&written["stop_on"], &written["repeat"]["type"]),
        (&json!(["ack"]), &json!("never"))
    );
    assert_eq!(serde_json::from_value::<PolicyDef>(written).unwrap(), policy);
}

#[test]
fn the_first_policy_that_holds_is_taken_by_position_and_in_no_other_order() {
    let of = |name: &str, position: i64, when: Value| json!({"key": name, "position": position, "when": when, "steps": [after(1, to_agent(1))]});
    let urgent = json!({"field": "priority", "is": "urgent"});
    let defs =
        [of("all", 30, json!("always")), of("urgent", 10, urgent), of("never", 5, json!("never"))];
    let facts = |priority: &str| {
        FactMap::from_json(&json!({"priority": priority}), minute(0), &Schema::default()).unwrap()
    };
    for turn in 0..3 {
        let mut turned = defs.to_vec();
        turned.rotate_left(turn);
        let desk = escalations(json!(turned), json!([]));
        let mut policies = desk.policies.to_vec();
        policies.rotate_left(turn);
        let chosen = |priority| {
            let facts = facts(priority);
            let walked = select(&policies, &facts).unwrap();
            let found = desk.policies.find(&facts, &mut Scratch::default(), |_| true);
            assert_eq!(found.unwrap().1.def.key, walked.def.key);
            walked.def.key.to_string()
        };
        assert_eq!([chosen("urgent"), chosen("low")], ["urgent", "all"]);
        assert!(select(&policies[..0], &facts("low")).is_none());
    }
}

#[test]
fn tiers_stand_in_the_order_of_their_list() {
    let desk = escalations(json!([]), json!([]));
    let after = |name: Option<&str>| {
        let name = name.map(key);
        tier::after(&desk.tiers, name.as_ref()).map(|tier| tier.def.key.to_string())
    };
    assert_eq!(after(Some("l1")).as_deref(), Some("l2"));
    assert_eq!(after(Some("l3")), None);
    assert_eq!(after(None).as_deref(), Some("l1"));
}

#[test]
fn what_looks_like_a_mistake_is_told_with_its_spot() {
    let (tiers, mut schedules) = (list(tiers()), list::<ScheduleDef>(schedules()));
    let noon = "2026-06-02T12:00:00Z";
    schedules[0].overrides = list(json!([
        {"from": noon, "until": noon, "do": {"type": "add", "agent": agent(6)}},
    ]));
    let targets = json!([
        {"type": "schedule", "key": "duty"}, {"type": "group", "key": "l3"}, {"type": "agent", "id": agent(9)},
    ]);
    let policies = list(json!([
        policy(json!({"steps": [after(10, targets)]})),
        {"key": "late", "when": {"field": "priority", "is": "urgent"}, "steps": [after(10, to_agent(1))]},
    ]));
    let defs = EscalationDefs {
        tiers: &tiers,
        schedules: &schedules,
        policies: &policies,
        maintenance: &[],
    };
    let desk = check(&defs, &Known::default(), &Schema::default(), &*ZONES).unwrap();
    let lints = lint(&defs, &desk, minute(0)).into_iter().chain(lint_agents(&defs, &roster()));
    let told: Vec<String> =
        lints.map(|l| format!("{} {}: {}", l.path, l.code.as_str(), l.message)).collect();
    expect![[r#"
        schedules[0].overrides[0] empty_override: begins and ends at 2026-06-02T12:00:00Z
        schedules[1].layers schedule_gaps: nobody is on call in 54 stretches of 366 days, the first from 2026-06-01T09:00:00Z to 2026-06-02T00:00:00Z
        schedules[1] unused_schedule: no step and no fallback asks the schedule `tuesdays`
        schedules[0].overrides[0].do.agent agent_inactive: the agent 00000000-0000-0000-0000-000000000006 is deactivated or unknown
        escalations[0].steps[0].targets[1].key group_without_agents: no active agent is in the group `l3`
        escalations[0].steps[0].targets[2].id agent_inactive: the agent 00000000-0000-0000-0000-000000000009 is deactivated or unknown"#]].assert_eq(&told.join("\n"));
}
