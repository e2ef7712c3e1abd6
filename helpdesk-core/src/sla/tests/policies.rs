use super::*;
use crate::condition::{Compiled, Scratch};
use crate::sla::def::Slot;
use crate::sla::policy::{PickedBy, explain_pick, pick, pick_compiled};
use StatusCategory::Open;
use expect_test::expect;

fn tiered() -> Value {
    let gold = json!({"field": "requester_tier", "is": "vip"});
    json!({"policies": [
        with(with(minutes(&[("requester_wait", 60)]), "when", gold), "key", json!("gold")),
        with(minutes(&[("requester_wait", 240)]), "key", json!("rest")),
    ]})
}

fn vip() -> Value {
    json!({"requester_tier": "vip"})
}

fn fact_map(facts: &Value) -> FactMap {
    FactMap::from_json(facts, at("Mon 09:00"), &Schema::default()).expect("facts")
}

#[test]
fn the_first_policy_that_matches_gives_the_targets() {
    let rules = rules(tiered());
    let pick = |facts: Value| {
        let facts = fact_map(&facts);
        pick(&rules.policies, Slot::Requester, None, &facts, at("Mon 09:00")).map(|p| p.key.clone())
    };
    assert_eq!(pick(vip()), Some(key("gold")));
    assert_eq!(pick(json!({})), Some(key("rest")));
}

#[test]
fn the_order_in_which_policies_are_listed_does_not_matter() {
    let mut reversed = tiered();
    let list = reversed["policies"].as_array_mut().expect("a list");
    list[0]["position"] = json!(1);
    list[1]["position"] = json!(2);
    let forward = rules(reversed.clone());
    reversed["policies"].as_array_mut().expect("a list").reverse();
    assert_eq!(forward.policies, rules(reversed).policies);
}

#[test]
fn a_choice_tells_which_policies_came_before_and_why_not() {
    let rules = rules(tiered());
    let facts = fact_map(&json!({}));
    let trace = explain_pick(&rules.policies, Slot::Requester, None, &facts, at("Mon 09:00"));
    let trace = serde_json::to_string_pretty(&trace).expect("JSON");
    expect![[r#"
        {
          "slot": "requester",
          "by": "first_match",
          "policy": "rest",
          "revision": 1,
          "because": [
            "always: yes"
          ],
          "missed": [
            {
              "policy": "gold",
              "because": {
                "path": "",
                "holds": false,
                "test": "requester_tier is `vip`",
                "found": "it is unset"
              }
            }
          ]
        }"#]]
    .assert_eq(&trace);
}

#[test]
fn a_policy_is_chosen_from_its_first_instant_until_before_its_last() {
    let mut sla = tiered();
    sla["policies"][0]["valid_from"] = json!("2026-11-23T09:00:00Z");
    sla["policies"][0]["valid_until"] = json!("2026-11-24T09:00:00Z");
    let rules = rules(sla);
    let facts = fact_map(&vip());
    let is_gold = |when: &str| {
        let picked = pick(&rules.policies, Slot::Requester, None, &facts, at(when));
        picked.is_some_and(|policy| policy.key == "gold")
    };
    assert!(!is_gold("Mon 08:59:59") && is_gold("Mon 09:00"));
    assert!(is_gold("Tue 08:59:59") && !is_gold("Tue 09:00"));
}

#[test]
fn many_policies_are_chosen_from_as_a_few_are() {
    let policy = |n: u64| {
        let tier = json!({"field": "requester_tier", "is": format!("tier-{}", n % 5)});
        let tag = json!({"field": "tags", "has_any": [format!("tag-{}", n % 7)]});
        let (slot, metric) = if n.is_multiple_of(4) {
            ("group", "group_time")
        } else {
            ("requester", "requester_wait")
        };
        let when = if n.is_multiple_of(3) { json!({"all": [tier, tag]}) } else { tag };
        let mut policy =
            with(with(minutes(&[(metric, 60)]), "when", when), "key", json!(format!("p{n}")));
        policy["slot"] = json!(slot);
        if n.is_multiple_of(2) {
            policy["valid_until"] = json!("2026-11-24T09:00:00Z");
        }
        policy
    };
    let rules = rules(json!({"policies": (0..40).map(policy).collect::<Vec<_>>()}));
    let mut scratch = Scratch::default();
    let mut n_picked = 0;
    for n in 0..35 {
        let facts = json!({"requester_tier": format!("tier-{}", n % 5), "tags": [format!("tag-{n}"), "tag-3"]});
        let facts = fact_map(&facts);
        for (slot, when) in
            [(Slot::Requester, "Mon 09:00"), (Slot::Group, "Mon 09:00"), (Slot::Group, "Tue 09:00")]
        {
            let walked = pick(&rules.policies, slot, None, &facts, at(when));
            let found = pick_compiled(&rules.policies, slot, None, &facts, at(when), &mut scratch);
            assert_eq!(found, walked);
            n_picked += usize::from(found.is_some());
        }
    }
    assert!(n_picked > 35, "{n_picked}");
}

#[test]
fn a_pinned_policy_stays_though_another_matches_now() {
    let mut sla = tiered();
    sla["policies"][1]["pin"] = json!("on_create");
    let rules = rules(sla);
    let script = [("Mon 09:00", opened()), ("Mon 09:30", facts(vip()))];
    let told = tell(&rules, &script, "Mon 09:40");
    assert_eq!(told.clock("requester_wait").policy, "rest");
    let facts = fact_map(&vip());
    let rest = key("rest");
    let trace =
        explain_pick(&rules.policies, Slot::Requester, Some(&rest), &facts, at("Mon 09:40"));
    assert_eq!((trace.by, trace.policy), (PickedBy::Pinned, Some(rest)));
}

#[test]
fn another_policy_keeps_the_time_and_brings_its_target() {
    let script = [("Mon 09:00", opened()), ("Mon 09:30", facts(vip()))];
    check_news(
        &rules(tiered()),
        &script,
        "Mon 12:00",
        &expect![[r#"
        Mon 09:00 requester_wait #1 started
        Mon 09:30 requester_wait #1 retargeted policy
        Mon 10:00:01 requester_wait #1 breached time_passed
    "#]],
    );
    check(
        &rules(tiered()),
        &script,
        "Mon 09:40",
        &expect![[r#"
        requester_wait #1 running 40m of 60m due Mon 10:00
    "#]],
    );
}

#[test]
fn a_policy_that_is_gone_cancels_its_clocks_and_never_breaches() {
    let mut sla = tiered();
    sla["policies"].as_array_mut().expect("a list").truncate(1);
    let script = [
        ("Mon 09:00", opened().with_facts(vip())),
        ("Mon 09:30", facts(json!({}))),
        ("Mon 14:00", facts(vip())),
    ];
    check_news(
        &rules(sla.clone()),
        &script[..2],
        "Mon 18:00",
        &expect![[r#"
        Mon 09:00 requester_wait #1 started
        Mon 09:30 requester_wait #1 cancelled policy_gone
    "#]],
    );
    let told = tell(&rules(sla), &script, "Mon 14:10");
    assert_eq!(told.clocks.len(), 1);
}

#[test]
fn a_policy_chosen_later_counts_from_the_opening_where_the_metric_says_so() {
    let only_vip = with(usual(), "when", json!({"field": "requester_tier", "is": "vip"}));
    let asked = json!({"requester_tier": "vip", "last_requester_at": "2026-11-23T09:00:00Z"});
    let later = Step { signal: Signal::Policy, ..facts(asked) };
    let script = [("Mon 09:00", opened()), ("Mon 09:50", later)];
    check(
        &one(only_vip),
        &script,
        "Mon 09:55",
        &expect![[r#"
        first_reply #1 running 55m of 60m due Mon 10:00
        requester_wait #1 running 5m of 480m due Mon 17:50
        agent_work #1 running 5m of 360m due Mon 15:50
        total_resolution #1 running 55m of 1440m due Tue 09:00
    "#]],
    );
}

#[test]
fn a_policy_applied_after_its_target_has_passed_breaches_at_once() {
    let only_vip = with(
        minutes(&[("total_resolution", 60)]),
        "when",
        json!({"field": "requester_tier", "is": "vip"}),
    );
    let later = Step { signal: Signal::Policy, ..facts(vip()) };
    let script = [("Mon 09:00", opened()), ("Mon 12:00", later)];
    check(
        &one(only_vip),
        &script,
        "Mon 12:10",
        &expect![[r#"
        total_resolution #1 running 190m of 60m due Mon 10:00 breached Mon 10:00:01
    "#]],
    );
}

#[test]
fn an_edited_policy_that_changes_nothing_for_a_ticket_is_no_news() {
    let mut rules = one(usual());
    let script = [("Mon 09:00", opened())];
    let told = tell(&rules, &script, "Mon 09:10");
    let mut policies = rules.policies.to_vec();
    policies[0].revision = 2;
    rules.policies = Compiled::new(policies, |policy| &policy.when);
    let policy = &rules.policies[0];
    let ctx = super::super::signal::ClockContext {
        metrics: &rules.metrics,
        requester_policy: Some(policy),
        group_policy: None,
        calendars: &told.calendars,
        ticket: super::super::signal::TicketNow {
            category: Open,
            created_at: at("Mon 09:00"),
            answered: false,
        },
        facts: &fact_map(&json!({})),
    };
    let changes = super::super::step::advance(&told.clocks, &Signal::Fields, at("Mon 09:10"), &ctx);
    assert_eq!(changes, []);
}

#[test]
fn group_clocks_follow_the_groups_own_policy() {
    let metrics = minutes(&[("first_assign", 30), ("group_time", 120)]);
    let ola = with(with(metrics, "slot", json!("group")), "key", json!("ola"));
    let rules = rules(json!({"policies": [usual(), ola]}));
    let in_group = |group: &str| json!({"group": group});
    let assigned = json!({"group": "two", "assignee": "00000000-0000-0000-0000-000000000001"});
    let script = [
        ("Mon 09:00", opened().with_facts(in_group("one"))),
        ("Mon 09:20", Step { signal: Signal::Group, ..facts(in_group("two")) }),
        ("Mon 09:45", Step { signal: Signal::Assignee, ..facts(assigned) }),
    ];
    let told = tell(&rules, &script, "Mon 10:00");
    let rows: String =
        told.clocks.iter().filter(|c| c.policy == "ola").map(|c| told.row(c) + "\n").collect();
    expect![[r#"
        first_assign #1 met 25m of 30m
        group_time #1 met 20m of 120m
        group_time #2 running 40m of 120m due Mon 11:20
    "#]]
    .assert_eq(&rows);
}

#[test]
fn every_fault_of_a_section_is_told_at_once_with_its_spot() {
    let faults = read(json!({
        "metrics": [
            {"key": "first_reply", "start": [], "stop": []},
            {"key": "own", "start": [{"on": "status", "by": ["agent"], "after": ["nothing"]}],
             "stop": [{"on": "message", "from": ["new"], "anchor": "ticket_created"}],
             "count_solved_gap": true, "pause": {"when": {"field": "moood", "is": "bad"}}},
            {"key": "own", "start": [{"on": "created"}], "stop": [{"on": "created"}]},
        ],
        "policies": [
            {"key": "a", "position": 1, "calendar": "offices", "metrics": []},
            {"key": "a", "position": 1, "valid_from": "2026-01-01T00:00:00Z",
             "valid_until": "2025-01-01T00:00:00Z", "notice_hours": "offic", "warn_at": [
                {"percent": 0}, {"percent": 101}, {"before_seconds": 60}, {"before_seconds": 60},
             ], "metrics": [
                {"metric": "first_repply"},
                {"metric": "group_time"},
                {"metric": "next_reply", "warn_at": [{"before_seconds": 60}], "targets": [
                    {"seconds": 0}, {"seconds": 60}, {"seconds": 1_000_000_000_000_u64},
                    {"seconds": 600, "calendar": "moon", "when": {"field": "x", "is": 1}},
                ]},
                {"metric": "next_reply"},
             ]},
        ],
    }))
    .expect_err("faults");
    let lines: String = faults.iter().map(|fault| format!("{} {fault}\n", fault.code)).collect();
    expect![[r#"
        duplicate metrics[2].key: `own` is defined twice
        invalid metrics[0].start: a clock that never starts measures nothing
        invalid metrics[0].stop: a clock that never stops is never met
        invalid metrics[1].count_solved_gap: only a cycle that goes on has such a gap: take `cycle` `accumulate`
        invalid metrics[1].start[0]: `by` and `public` are of a message: take `on` `message` or `created`
        not_configured metrics[1].start[0].after[0]: no metric `nothing` stands before this one
        invalid metrics[1].stop[0].from: only a `status` changes from another
        invalid metrics[1].stop[0]: `anchor` and `after` are of a start
        unknown_field metrics[1].pause.when.field: there is no field `moood`; near it: `body`, `brand`, `group`
        duplicate policies[1].key: `a` is defined twice
        not_configured policies[0].calendar: there is no calendar `offices`; near it: `office`, `always`
        duplicate policies[1].position: another policy of its slot has the position 1
        invalid policies[1].valid_until: lies after `valid_from`, or never is
        not_configured policies[1].notice_hours: there is no calendar `offic`; near it: `office`, `always`
        invalid policies[1].warn_at[0]: takes 1 to 100 percent; found 0
        invalid policies[1].warn_at[1]: takes 1 to 100 percent; found 101
        duplicate policies[1].warn_at[3]: stands here twice
        not_configured policies[1].metrics[0].metric: there is no metric `first_repply`; near it: `first_reply`, `next_reply`, `first_assign`
        invalid policies[1].metrics[1].metric: `group_time` is of the other `slot` than its policy
        invalid policies[1].metrics[2].targets[0].seconds: takes more than 0 seconds
        invalid policies[1].metrics[2].targets[1].seconds: warns 60 seconds before the end of a target of 60
        over_limit policies[1].metrics[2].targets[2].seconds: 1000000000000 seconds, at most 10000000000
        not_configured policies[1].metrics[2].targets[3].calendar: there is no calendar `moon`; near it: `always`, `office`
        unknown_field policies[1].metrics[2].targets[3].when.field: there is no field `x`; near it: `now`, `text`, `body`
        duplicate policies[1].metrics[3].metric: `next_reply` has its targets above
    "#]].assert_eq(&lines);
}

#[test]
fn a_negative_target_and_an_unknown_field_have_not_the_shape_of_a_policy() {
    let read = |value: Value| serde_json::from_value::<SlaDef>(value);
    let target = |target: Value| json!({"policies": [{"key": "p", "metrics": [{"metric": "m", "targets": [target]}]}]});
    assert!(read(target(json!({"seconds": 60}))).is_ok());
    assert!(read(target(json!({"seconds": -60}))).is_err());
    assert!(read(target(json!({"seconds": 60, "minutes": 1}))).is_err());
}
