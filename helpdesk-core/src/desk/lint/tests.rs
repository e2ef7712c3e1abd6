//! What looks like a mistake, and what does not.

use super::*;
use crate::agent::{AgentLoad, Capacity, Presence, RosterEntry};
use crate::condition::{Condition, CustomKind, FactMap, Schema};
use crate::id::AgentId;
use crate::ticket::priority::SkillLevel;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

fn desk(document: &Value) -> Desk {
    Desk::from_value(document).unwrap_or_else(|faults| panic!("{}", faults[0]))
}

fn now() -> DateTime<Utc> {
    "2026-06-01T09:00:00Z".parse().unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn lines(lints: &[Lint]) -> String {
    let line = |l: &Lint| format!("{} {}: {}", l.code.as_str(), l.path, l.message);
    lints.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn check(document: &Value, expected: &Expect) {
    expected.assert_eq(&lines(&desk(document).lint()));
}

/// A desk with one rule for each condition, in order.
fn rules(conditions: &[Value]) -> Value {
    let rule = |(i, when): (usize, &Value)| json!({"key": format!("r{i}"), "when": when, "then": {"queue": "support", "tags": [format!("t{i}")]}});
    json!({"rules": conditions.iter().enumerate().map(rule).collect::<Vec<_>>()})
}

#[test]
fn the_empty_desk_has_none() {
    check(&json!({}), &expect![[""]]);
}

#[test]
fn rules_that_earlier_ones_shadow() {
    let chat = json!({"field": "channel", "is": "chat"});
    let urgent = json!({"field": "priority", "is": "urgent"});
    check(
        &rules(&[
            chat.clone(),
            json!({"all": [urgent, chat]}),
            json!({"field": "channel", "in": ["email", "form"]}),
            json!({"field": "channel", "is": "form"}),
            json!({"any": [{"field": "channel", "is": "chat"}, {"field": "channel", "in": ["form"]}]}),
            json!({"any": [{"field": "channel", "is": "chat"}, {"field": "channel", "is": "api"}]}),
            json!({"field": "tags", "has_any": ["a", "b"]}),
            json!({"all": [{"field": "tags", "has_all": ["b", "c"]}, {"field": "message_count", "gt": 3}]}),
            json!({"field": "channel", "not_in": ["chat"]}),
            json!("always"),
            json!({"field": "subject", "contains": "x"}),
        ]),
        &expect![[r#"
            unreachable_rule rules[1]: never reached: the rule `r0` holds before
            unreachable_rule rules[3]: never reached: the rule `r2` holds before
            unreachable_rule rules[4]: never reached: the rule `r2` holds before
            unreachable_rule rules[7]: never reached: the rule `r6` holds before
            unreachable_rule rules[10]: never reached: the rule `r9` holds before"#]],
    );
}

#[test]
fn positions_decide_which_rule_shadows() {
    check(
        &json!({"rules": [
            {"key": "late", "position": 9, "when": {"field": "channel", "is": "chat"}, "then": {"queue": "support"}},
            {"key": "early", "position": 1, "when": {"field": "channel", "is": "chat"}, "then": {"queue": "support"}},
        ]}),
        &expect!["duplicate_rule rules[0]: the same as the rule `early`"],
    );
}

fn schema() -> Schema {
    let field = |key: &str| Key::new(key).unwrap();
    Schema::default()
        .with_custom(field("b"), CustomKind::Boolean)
        .with_custom(field("n"), CustomKind::Number)
}

fn parse(condition: &Value) -> Condition {
    Condition::parse(condition, &schema()).unwrap()
}

fn never(condition: &Value) -> bool {
    logic::never_holds(&parse(condition))
}

#[test]
fn conditions_that_never_hold() {
    let contradictions = [
        json!("never"),
        json!({"any": []}),
        json!({"not": {"all": []}}),
        json!({"field": "status", "in": []}),
        json!({"all": [{"field": "status", "is": "a"}, {"field": "status", "is": "b"}]}),
        json!({"all": [{"field": "status", "in": ["a", "b"]}, {"field": "status", "not_in": ["a", "b"]}]}),
        json!({"all": [{"field": "status", "is": "a"}, {"all": [{"field": "status", "unset": true}]}]}),
        json!({"all": [{"field": "custom.n", "gt": 5}, {"field": "custom.n", "le": 5}]}),
        json!({"field": "custom.n", "between": [5, 4]}),
        json!({"all": [{"field": "custom.n", "in": [1, 2]}, {"field": "custom.n", "gt": 2}]}),
        json!({"all": [{"field": "tags", "has_any": ["a"]}, {"field": "tags", "has_none": ["a", "b"]}]}),
        json!({"all": [{"field": "custom.b", "is": true}, {"field": "custom.b", "is_not": true}]}),
        json!({"all": [{"field": "created_at", "older_than": 60}, {"field": "created_at", "newer_than": 60}]}),
        json!({"all": [{"field": "created_at", "after": "2026-06-02T00:00:00Z"}, {"field": "created_at", "before": "2026-06-01T00:00:00Z"}]}),
        json!({"all": [{"field": "subject", "is": "a"}, {"field": "subject", "is": "b"}]}),
        json!({"all": [{"field": "tags", "has_any": ["a"]}, {"not": {"field": "tags", "has_any": ["a", "b"]}}]}),
        json!({"all": [{"field": "sla.m", "unset": true}, {"field": "sla.m", "state": "running"}]}),
        json!({"all": [{"field": "sla.m", "left_lt": 60}, {"not": {"field": "sla.m", "left_lt": 90}}]}),
        json!({"all": [{"field": "sla.m", "used_ge": 75}, {"not": {"field": "sla.m", "used_ge": 50}}]}),
    ];
    for condition in &contradictions {
        assert!(never(condition), "{condition}");
    }
    let fine = [
        json!("always"),
        json!({"any": ["never", {"field": "status", "is": "a"}]}),
        json!({"all": [{"field": "text", "is": "a"}, {"field": "text", "is": "b"}]}),
        json!({"all": [{"field": "custom.n", "ge": 5}, {"field": "custom.n", "le": 5}]}),
        json!({"all": [{"field": "status", "is_not": "a"}, {"field": "status", "unset": true}]}),
        json!({"all": [{"field": "created_at", "older_than": 59}, {"field": "created_at", "newer_than": 60}]}),
        json!({"field": "tags", "has_all": []}),
        json!({"all": [{"field": "sla.m", "unset": true}, {"field": "sla.m", "state": "inactive"}]}),
        json!({"all": [{"field": "sla.m", "unset": true}, {"field": "sla.m", "breached": false}]}),
        json!({"all": [{"field": "sla.m", "left_lt": 60}, {"not": {"field": "sla.m", "left_lt": 30}}]}),
        json!({"not": {"field": "status", "is": "a"}}),
        json!({"all": [{"field": "custom.b", "is_not": true}, {"field": "custom.b", "is_not": false}]}),
    ];
    for condition in &fine {
        assert!(!never(condition), "{condition}");
    }
}

#[test]
fn things_that_nobody_uses() {
    check(
        &json!({
            "groups": [{"key": "a"}, {"key": "b"}, {"key": "c"}],
            "queues": [
                {"key": "q1", "group": "a", "stages": [{"pools": ["b"]}]},
                {"key": "q2", "group": "a"},
                {"key": "q3", "group": "a"},
            ],
            "mailboxes": [{"key": "m", "default_queue": "q3"}],
            "skills": [{"key": "german"}, {"key": "sql"}],
            "rules": [{"key": "r", "when": {"all": [{"field": "channel", "is": "chat"}, "never"]},
                       "then": {"queue": "q1", "skills": [{"skill": "sql"}]}}],
            "transitions": [
                {"from": ["new", "open"], "to": ["open", "solved"]},
                {"from": ["on_hold"], "to": ["pending"]},
                {"from": ["pending"], "to": ["on_hold"]},
            ],
            "macros": [
                {"key": "x", "name": "X", "steps": [{"type": "set_status", "to": "pending"}]},
                {"key": "y", "name": "Y", "steps": [{"type": "set_status", "to": "closed"}, {"type": "note", "text": "n"}]},
            ],
            "roles": [{"key": "nobody", "may": {}}],
            "views": [{"key": "z"}, {"key": "a", "when": "never"}],
        }),
        &expect![[r#"
            contradictory_condition rules[0].when: the condition holds on no ticket
            contradictory_condition views[1].when: the condition holds on no ticket
            group_without_queue groups[2]: no queue asks the group `c`
            unused_queue queues[1]: no rule, mailbox or default leads to the queue `q2`
            unused_skill skills[0]: no rule and no macro asks for the skill `german`
            unreachable_status statuses[2]: no transition leads to the status `pending`
            unreachable_status statuses[3]: no transition leads to the status `on_hold`
            unusable_macro macros[0].steps[0]: no transition leads to this status
            unusable_macro macros[1].steps[1]: the step before closes the ticket, and closed tickets do not change
            empty_role roles[0].may: the role `nobody` permits nothing"#]],
    );
    check(
        &json!({"groups": [{"key": "a"}, {"key": "b"}]}),
        &expect!["unused_queue groups[1]: no rule, mailbox or default leads to the queue `b`"],
    );
}

/// One agent of the group `a`, with this shift.
fn roster(shift: Option<&str>) -> Roster {
    let id = AgentId(Uuid::from_u128(1));
    let agent = Agent {
        id,
        name: "Anna".to_owned(),
        email: None,
        roles: Vec::new(),
        groups: vec![key("a")],
        skills: vec![SkillLevel { skill: key("sql"), level: 4 }],
        languages: Vec::new(),
        capacity: Capacity::default(),
        tier: None,
        shift: shift.map(key),
        manager: None,
        active: true,
    };
    let entry = RosterEntry {
        agent: Arc::new(agent),
        agent_version: 1,
        presence: Presence::none(id),
        presence_version: 0,
        load: AgentLoad::none(id),
        load_version: 0,
    };
    Roster { agents: [(id, entry)].into() }
}

#[test]
fn the_roster_shows_groups_and_skills_that_nobody_has() {
    let desk = desk(&json!({
        "groups": [{"key": "a"}, {"key": "b"}],
        "skills": [{"key": "sql"}],
        "rules": [
            {"key": "r", "when": {"field": "channel", "is": "chat"}, "then": {"queue": "a", "skills": [{"skill": "sql", "level": 5}]}},
            {"key": "s", "when": {"field": "channel", "is": "api"}, "then": {"queue": "b", "skills": [{"skill": "sql", "level": 4}]}},
            {"key": "t", "when": {"field": "channel", "is": "form"}, "then": {"queue": "a", "skills": [{"skill": "sql", "level": 4}]}},
        ],
    }));
    let roster = roster(None);
    expect![[r#"
        group_without_agents groups[1]: no active agent is in the group `b`
        skill_nobody_has rules[0].then.skills: no active agent whom the queue `a` asks has these skills, and no stage asks for less
        skill_nobody_has rules[1].then.skills: no active agent whom the queue `b` asks has these skills, and no stage asks for less"#]].assert_eq(&lines(&desk.lint_with(&roster, now())));
}

#[test]
fn many_rules_are_linted_in_time() {
    let rule = |i: usize| json!({"all": [{"field": "channel", "is": "chat"}, {"field": "tags", "has_any": [format!("t{i}")]}]});
    let conditions: Vec<Value> = (0..5_000).map(rule).collect();
    assert_eq!(desk(&rules(&conditions)).lint(), []);
}

#[test]
fn thousands_of_ranges_of_one_field_are_compared_as_far_as_the_limit_goes() {
    let at_least = |n: usize| json!({"field": "message_count", "ge": n});
    // Each holds where those after it would, but none of those before it does.
    let falling: Vec<Value> = (0..5_000).map(|i| at_least(10_000 - i)).collect();
    assert_eq!(desk(&rules(&falling)).lint(), []);
    let rising: Vec<Value> = (0..5_000).map(at_least).collect();
    let lints = desk(&rules(&rising)).lint();
    assert_eq!(lints.len(), 4_999);
    assert!(lints.iter().all(|lint| lint.message.contains("`r0`")));
}

fn any_leaf() -> impl Strategy<Value = Value> {
    let few = |words: &'static [&'static str]| prop::sample::subsequence(words, 0..=words.len());
    let at = (0_u32..4).prop_map(|day| format!("2026-06-0{}T00:00:00Z", day + 1));
    let pick = prop::sample::select(vec!["is", "is_not"]);
    let list = prop::sample::select(vec!["in", "not_in"]);
    let of_set = prop::sample::select(vec!["has_any", "has_all", "has_none"]);
    let bound = prop::sample::select(vec!["lt", "le", "gt", "ge", "is"]);
    let side = prop::sample::select(vec!["before", "after"]);
    let age = prop::sample::select(vec!["older_than", "newer_than"]);
    let name = prop::sample::select(vec![
        "status",
        "tags",
        "custom.n",
        "custom.b",
        "created_at",
        "subject",
        "text",
    ]);
    let word = prop::sample::select(vec!["a", "b", "c"]);
    prop_oneof![
        (pick.clone(), word.clone()).prop_map(|(op, w)| json!({"field": "status", op: w})),
        (list, few(&["a", "b", "c"])).prop_map(|(op, w)| json!({"field": "status", op: w})),
        (of_set, few(&["a", "b", "c"])).prop_map(|(op, w)| json!({"field": "tags", op: w})),
        (bound, 0..4).prop_map(|(op, n)| json!({"field": "custom.n", op: n})),
        prop::collection::vec(0..4, 0..3).prop_map(|n| json!({"field": "custom.n", "in": n})),
        (0..4, 0..4).prop_map(|(a, b)| json!({"field": "custom.n", "between": [a, b]})),
        (pick.clone(), any::<bool>()).prop_map(|(op, b)| json!({"field": "custom.b", op: b})),
        (side, at).prop_map(|(op, at)| json!({"field": "created_at", op: at})),
        (age, 0_u32..4).prop_map(|(op, n)| json!({"field": "created_at", op: n * 86_400})),
        (pick, word.clone()).prop_map(|(op, w)| json!({"field": "subject", op: w})),
        word.prop_map(|w| json!({"field": "text", "is": w})),
        any_text_leaf(),
        (name, any::<bool>()).prop_map(|(field, b)| json!({"field": field, "set": b})),
    ]
}

/// Words, phrases and parts, on the subject, the body and both.
fn any_text_leaf() -> impl Strategy<Value = Value> {
    let field = || prop::sample::select(vec!["subject", "body", "text"]);
    let phrase = || prop::sample::select(vec!["a", "b", "ab", "a b", "b a", "a b c"]);
    let of_words = prop::sample::select(vec!["has_word", "has_all_words"]);
    let of_part = prop::sample::select(vec!["contains", "starts_with", "ends_with", "is_not"]);
    prop_oneof![
        (field(), of_words, prop::collection::vec(phrase(), 0..3))
            .prop_map(|(field, op, list)| json!({"field": field, op: list})),
        (field(), of_part, phrase())
            .prop_map(|(field, op, part)| json!({"field": field, op: part})),
    ]
}

fn any_condition() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![8 => any_leaf(), 1 => Just(json!("always")), 1 => Just(json!("never"))];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            2 => list.clone().prop_map(|list| json!({ "all": list })),
            1 => list.prop_map(|list| json!({ "any": list })),
            1 => inner.prop_map(|child| json!({ "not": child })),
        ]
    })
}

fn any_text() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["a", "b", "c", "ab", "a b", "b a", "A-b c", "abc b", ""])
        .prop_map(Value::from)
}

fn any_facts() -> impl Strategy<Value = Value> {
    let word = || prop::sample::select(vec!["a", "b", "c"]);
    let maybe = |value: BoxedStrategy<Value>| prop_oneof![3 => value, 1 => Just(Value::Null)];
    (
        maybe(word().prop_map(Value::from).boxed()),
        maybe(prop::collection::vec(word(), 0..3).prop_map(|tags| json!(tags)).boxed()),
        maybe((0..4).prop_map(Value::from).boxed()),
        maybe(any::<bool>().prop_map(Value::from).boxed()),
        maybe((1..5).prop_map(|day| json!(format!("2026-06-0{day}T00:00:00Z"))).boxed()),
        maybe(any_text().boxed()),
        maybe(any_text().boxed()),
    )
        .prop_map(|(status, tags, n, b, created_at, subject, body)| {
            let all = json!({
                "status": status, "tags": tags, "custom.n": n, "custom.b": b,
                "created_at": created_at, "subject": subject, "body": body,
            });
            let set = all.as_object().unwrap().clone().into_iter().filter(|(_, v)| !v.is_null());
            Value::Object(set.collect())
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_said_of_conditions_is_true_on_every_ticket(
        given in any_condition(),
        then in any_condition(),
        facts in any_facts(),
    ) {
        let now = "2026-06-04T00:00:00Z".parse().unwrap();
        let facts = FactMap::from_json(&facts, now, &schema()).unwrap();
        let (given, then) = (parse(&given), parse(&then));
        if logic::never_holds(&given) {
            prop_assert!(!given.holds(&facts));
        }
        if implied::follows(&given, &then) && given.holds(&facts) {
            prop_assert!(then.holds(&facts));
        }
    }

    #[test]
    fn a_shadowed_rule_never_comes_first(
        conditions in prop::collection::vec(any_condition(), 2..6),
        facts in any_facts(),
    ) {
        let now = "2026-06-04T00:00:00Z".parse().unwrap();
        let facts = FactMap::from_json(&facts, now, &schema()).unwrap();
        let rule = |(i, when): (usize, &Value)| RoutingRule {
            key: Key::new(&format!("r{i}")).unwrap(),
            position: 0,
            when: parse(when),
            then: serde_json::from_value(json!({"queue": "q"})).unwrap(),
        };
        let rules: Vec<RoutingRule> = conditions.iter().enumerate().map(rule).collect();
        let when: Vec<&Condition> = rules.iter().map(|rule| &rule.when).collect();
        let first = rules.iter().position(|rule| rule.when.holds(&facts));
        let tried: Vec<_> = rules.iter().map(|rule| Tried::always(&rule.when)).collect();
        let all = when.iter().enumerate();
        let never: BTreeSet<usize> =
            all.filter(|(_, when)| logic::never_holds(when)).map(|(i, _)| i).collect();
        let found: Vec<usize> =
            shadow::shadowed(&tried, &never).into_iter().map(|(later, _)| later).collect();
        for later in &found {
            prop_assert_ne!(first, Some(*later));
        }
        prop_assert_eq!(found, shadowed_by_scan(&when, &never));
    }
}

/// The same, every rule compared with every earlier one.
fn shadowed_by_scan(rules: &[&Condition], never: &BTreeSet<usize>) -> Vec<usize> {
    let covers = |earlier: &Condition, given: &[&Condition]| {
        logic::alternatives(earlier).into_iter().any(|alternative| {
            let needs = logic::conjuncts(alternative);
            needs.iter().all(|need| given.iter().any(|part| implied::follows(part, need)))
        })
    };
    let is_covered = |later: usize, given: &[&Condition]| {
        (0..later).filter(|i| !never.contains(i)).any(|i| covers(rules[i], given))
    };
    let shadowed = (0..rules.len()).filter(|later| !never.contains(later)).filter(|later| {
        let alternatives = logic::alternatives(rules[*later]).into_iter();
        let mut alternatives = alternatives.filter(|alternative| !logic::never_holds(alternative));
        alternatives.all(|alternative| is_covered(*later, &logic::conjuncts(alternative)))
    });
    shadowed.collect()
}

#[test]
fn rules_that_earlier_ones_imply() {
    let leaf = |field: &str, op: &str, value: Value| json!({"field": field, op: value});
    check(
        &rules(&[
            leaf("channel", "is", json!("email")),
            json!({"all": [leaf("channel", "is", json!("email")), leaf("tags", "has_any", json!(["vip"]))]}),
            leaf("priority", "in", json!(["high", "urgent"])),
            leaf("priority", "is", json!("high")),
            leaf("message_count", "gt", json!(3)),
            json!({"all": [leaf("message_count", "between", json!([4, 9])), leaf("channel", "is", json!("chat"))]}),
            leaf("message_count", "ge", json!(3)),
            leaf("tags", "has_any", json!(["gold", "silver"])),
            leaf("tags", "has_all", json!(["gold", "late"])),
            leaf("text", "has_word", json!(["refund", "money back"])),
            leaf("text", "has_word", json!(["refund"])),
            leaf("subject", "has_word", json!(["my money back please"])),
            leaf("text", "has_word", json!(["money"])),
            leaf("text", "contains", json!("invoice")),
            leaf("body", "has_word", json!(["invoices"])),
            leaf("subject", "starts_with", json!("Re: invoice")),
            leaf("created_at", "older_than", json!(60)),
            leaf("created_at", "older_than", json!(600)),
            json!({"not": leaf("channel", "is", json!("api"))}),
            leaf("channel", "is", json!("phone")),
        ]),
        &expect![[r#"
            unreachable_rule rules[1]: never reached: the rule `r0` holds before
            unreachable_rule rules[3]: never reached: the rule `r2` holds before
            unreachable_rule rules[5]: never reached: the rule `r4` holds before
            unreachable_rule rules[8]: never reached: the rule `r7` holds before
            unreachable_rule rules[10]: never reached: the rule `r9` holds before
            unreachable_rule rules[11]: never reached: the rule `r9` holds before
            unreachable_rule rules[14]: never reached: the rule `r13` holds before
            unreachable_rule rules[15]: never reached: the rule `r13` holds before
            unreachable_rule rules[17]: never reached: the rule `r16` holds before
            unreachable_rule rules[19]: never reached: the rule `r18` holds before"#]],
    );
}

/// What never holds follows from nothing, and needs nothing to follow from.
#[test]
fn alternatives_that_never_hold() {
    let leaf = |field: &str, op: &str, value: Value| json!({"field": field, op: value});
    let no_tag = leaf("tags", "has_any", json!([]));
    let not_urgent = json!({"not": leaf("priority", "is", json!("urgent"))});
    check(
        &rules(&[
            not_urgent.clone(),
            json!({"any": [not_urgent, no_tag]}),
            json!({"any": [leaf("channel", "is", json!("email")), no_tag]}),
        ]),
        &expect!["unreachable_rule rules[1]: never reached: the rule `r0` holds before"],
    );
}

#[test]
fn calendars_that_never_open_again() {
    let day = json!([["09:00", "17:00"]]);
    let desk = desk(&json!({
        "groups": [{"key": "a", "calendar": "gone"}],
        "calendars": [
            {"key": "gone", "special_days": {"2020-06-01": day}},
            {"key": "rare", "special_days": {"2090-06-01": day}},
        ],
    }));
    let lints = desk.lint_with(&roster(None), now());
    let never: Vec<Lint> =
        lints.into_iter().filter(|lint| lint.code == LintCode::CalendarNeverOpens).collect();
    expect!["calendar_never_opens calendars[0]: the calendar `gone` never opens again"]
        .assert_eq(&lines(&never));
}

#[test]
fn calendars_that_nothing_names_and_shifts_that_are_gone() {
    let week = json!({"mon": [["09:00", "17:00"]]});
    let calendar = |key: &str| json!({"key": key, "weekly": week});
    let desk = desk(&json!({
        "groups": [{"key": "a", "calendar": "of_group"}],
        "calendars": [
            calendar("of_group"), calendar("of_rule"), calendar("of_view"), calendar("of_agent"),
            calendar("unused"),
        ],
        "rules": [{
            "key": "r", "when": {"not": {"field": "now", "in_hours": "of_rule"}}, "then": {"queue": "a"},
        }],
        "views": [{
            "key": "v",
            "when": {"field": "created_at", "older_than": {"seconds": 60, "calendar": "of_view"}},
        }],
    }));
    expect!["unused_calendar calendars[4]: nothing uses the calendar `unused`"]
        .assert_eq(&lines(&desk.lint_with(&roster(Some("of_agent")), now())));
    expect![[r#"
        unused_calendar calendars[3]: nothing uses the calendar `of_agent`
        unused_calendar calendars[4]: nothing uses the calendar `unused`
        unknown_shift calendars: the shift of the agent `Anna` is the calendar `gone`, which is not there: always on shift"#]].assert_eq(&lines(&desk.lint_with(&roster(Some("gone")), now())));
}

#[test]
fn ages_and_hours_contradict_by_one_calendar_only() {
    let age = |seconds: u32, key: &str| json!({"seconds": seconds, "calendar": key});
    let created = |operator: &str, age: Value| json!({"field": "created_at", operator: age});
    let conditions = [
        json!({"all": [created("older_than", age(60, "a")), created("newer_than", age(60, "a"))]}),
        json!({"all": [created("older_than", age(60, "a")), created("newer_than", age(60, "b"))]}),
        json!({"all": [created("older_than", age(60, "a")), created("newer_than", json!(60))]}),
        json!({"all": [{"field": "now", "in_hours": "a"}, {"field": "now", "outside_hours": "a"}]}),
        json!({"all": [{"field": "now", "in_hours": "a"}, {"field": "now", "outside_hours": "b"}]}),
    ];
    let mut document = rules(&conditions);
    let week = json!({"mon": [["09:00", "17:00"]]});
    document["calendars"] = json!([{"key": "a", "weekly": week}, {"key": "b", "weekly": week}]);
    check(
        &document,
        &expect![[r#"
        contradictory_condition rules[0].when: the condition holds on no ticket
        contradictory_condition rules[3].when: the condition holds on no ticket"#]],
    );
}

/// A desk with one SLA policy for each condition, in order.
fn policies(policies: &[Value]) -> Value {
    let made = policies.iter().enumerate().map(|(i, more)| {
        let mut policy = json!({
            "key": format!("p{i}"),
            "metrics": [{"metric": "first_reply", "targets": [{"seconds": 3600}]}],
        });
        for (field, value) in more.as_object().unwrap() {
            policy[field] = value.clone();
        }
        policy
    });
    json!({"sla": {"policies": made.collect::<Vec<_>>()}})
}

#[test]
fn policies_that_earlier_ones_shadow() {
    let tags = |words: &[&str]| json!({"field": "tags", "has_any": words});
    check(
        &policies(&[
            json!({"when": tags(&["vip", "gold"])}),
            json!({"when": tags(&["vip"])}),
            json!({"when": tags(&["vip"]), "slot": "group", "metrics": [
                {"metric": "first_assign", "targets": [{"seconds": 60}]},
            ]}),
            json!({"when": tags(&["summer"]), "valid_until": "2026-09-01T00:00:00Z"}),
            json!({"when": tags(&["summer"])}),
            json!({"when": tags(&["summer"]), "valid_from": "2026-09-01T00:00:00Z"}),
            json!({"when": tags(&["late"]), "position": -1}),
            json!({"when": tags(&["late"])}),
        ]),
        &expect![[r#"
            shadowed_policy sla.policies[1]: never chosen: the policy `p0` holds before
            shadowed_policy sla.policies[5]: never chosen: the policy `p4` holds before
            shadowed_policy sla.policies[7]: never chosen: the policy `p6` holds before"#]],
    );
    let step = json!({"trigger": {"type": "manual"}, "targets": [{"type": "assignee"}]});
    check(
        &json!({"escalations": [
            {"key": "a", "when": tags(&["a", "b"]), "steps": [step]},
            {"key": "b", "when": tags(&["b"]), "steps": [step]},
            {"key": "all", "steps": [step]},
            {"key": "c", "when": tags(&["c"]), "steps": [step]},
        ]}),
        &expect![[r#"
            shadowed_policy escalations[1]: never chosen: the policy `a` holds before
            shadowed_policy escalations[3]: never chosen: the policy `all` holds before"#]],
    );
}

#[test]
fn conditions_of_policies_and_steps_that_never_hold() {
    let both = |metric: &str, a: Value, b: Value| {
        let of = |mut leaf: Value| {
            leaf["field"] = json!(format!("sla.{metric}"));
            leaf
        };
        json!({"all": [of(a), of(b)]})
    };
    let never = both("first_reply", json!({"state": "running"}), json!({"state": "met"}));
    let fine = both("first_reply", json!({"state": "running"}), json!({"breached": true}));
    let mut document = policies(&[
        json!({"when": never}),
        json!({"when": fine}),
        json!({"metrics": [{"metric": "first_reply", "targets": [
            {"seconds": 60, "when": both("next_reply", json!({"breached": true}), json!({"breached": false}))},
            {"seconds": 90},
        ]}]}),
    ]);
    document["escalations"] = json!([{"key": "e", "steps": [
        {"trigger": {"type": "manual"}, "guard": never, "targets": [{"type": "assignee"}]},
    ]}]);
    document["tiers"] =
        json!([{"key": "l1", "skip_to": [{"to": "l2", "when": never}]}, {"key": "l2"}]);
    check(
        &document,
        &expect![[r#"
        contradictory_condition sla.policies[0].when: the condition holds on no ticket
        contradictory_condition sla.policies[2].metrics[0].targets[0].when: the condition holds on no ticket
        contradictory_condition escalations[0].steps[0].guard: the condition holds on no ticket
        contradictory_condition tiers[0].skip_to[0].when: the condition holds on no ticket"#]],
    );
}

#[test]
fn targets_and_metrics_that_measure_nothing() {
    let mut document = policies(&[
        json!({"when": {"field": "channel", "is": "chat"}, "metrics": [{"metric": "first_reply"}]}),
        json!({"metrics": [
            {"metric": "first_reply", "targets": [
                {"priorities": ["high", "urgent"], "seconds": 60}, {"priorities": ["urgent"], "seconds": 30},
                {"seconds": 90}, {"priorities": ["low"], "seconds": 600},
            ]},
            {"metric": "next_reply"},
        ]}),
    ]);
    document["sla"]["metrics"] = json!([{
        "key": "vendor_wait",
        "start": [{"on": "status", "in": ["on_hold"]}], "stop": [{"on": "status", "from": ["on_hold"]}],
    }]);
    document["escalations"] = json!([{"key": "e", "steps": [
        {"trigger": {"type": "sla_breached", "metric": "first_reply"}, "targets": [{"type": "assignee"}]},
        {"trigger": {"type": "sla_breached", "metric": "agent_work"}, "targets": [{"type": "assignee"}]},
    ]}]);
    check(
        &document,
        &expect![[r#"
        policy_without_targets sla.policies[0].metrics: `p0` has no target: its tickets are never due
        unreachable_target sla.policies[1].metrics[0].targets[1]: never reached: target 0 fits before
        unreachable_target sla.policies[1].metrics[0].targets[3]: never reached: target 2 fits before
        unmeasured_metric sla.metrics[0]: no SLA policy measures `vendor_wait`
        unmeasured_metric escalations[0].steps[1].trigger.metric: no SLA policy measures `agent_work`"#]],
    );
}

#[test]
fn calendars_of_policies_targets_steps_and_hours_are_used() {
    let week = json!({"mon": [["09:00", "17:00"]]});
    let keys = ["policy", "target", "clock", "after", "idle", "hours", "guard", "metric", "unused"];
    let calendars: Vec<Value> =
        keys.iter().map(|key| json!({"key": key, "weekly": week})).collect();
    let in_hours = |key: &str| json!({"field": "now", "in_hours": key});
    let assignee = json!([{"type": "assignee"}]);
    let desk = desk(&json!({
        "calendars": calendars,
        "sla": {
            "metrics": [{
                "key": "own", "start": [{"on": "created", "when": in_hours("metric")}], "stop": [{"on": "message"}],
            }],
            "policies": [{"key": "p", "calendar": "policy", "when": in_hours("clock"), "metrics": [
                {"metric": "own", "targets": [{"seconds": 60, "calendar": "target"}]},
            ]}],
        },
        "escalations": [{"key": "e", "hours": "hours", "steps": [
            {"trigger": {"type": "after", "seconds": 60, "calendar": "after"}, "targets": assignee},
            {"trigger": {"type": "idle", "since": "unassigned", "seconds": 60, "calendar": "idle"},
             "guard": in_hours("guard"), "targets": assignee},
        ]}],
    }));
    expect![[r#"
        group_without_agents groups: no active agent is in the group `support`
        unused_calendar calendars[8]: nothing uses the calendar `unused`"#]]
    .assert_eq(&lines(&desk.lint_with(&roster(None), now())));
}

#[test]
fn schedules_with_gaps_and_agents_who_are_gone() {
    let anna = Uuid::from_u128(1);
    let gone = Uuid::from_u128(9);
    let desk = desk(&json!({
        "groups": [{"key": "a"}],
        "schedules": [
            {"key": "week", "layers": [{
                "participants": [anna, gone], "unit": "weekly", "start": "2026-06-01T09:00:00", "zone": "UTC",
                "hours": {"mon": [["09:00", "17:00"]]},
            }]},
            {"key": "spare", "layers": [{
                "participants": [anna], "unit": "daily", "start": "2026-06-01T09:00:00", "zone": "UTC",
            }]},
        ],
        "escalations": [{"key": "e", "steps": [
            {"trigger": {"type": "manual"}, "targets": [{"type": "schedule", "key": "week"}]},
        ]}],
    }));
    expect![[r#"
        schedule_gaps schedules[0].layers: nobody is on call in 53 stretches of 366 days, the first from 2026-06-01T17:00:00Z to 2026-06-08T09:00:00Z
        unused_schedule schedules[1]: no step and no fallback asks the schedule `spare`
        agent_inactive schedules[0].layers[0].participants[1]: the agent 00000000-0000-0000-0000-000000000009 is deactivated or unknown"#]].assert_eq(&lines(&desk.lint_with(&roster(None), now())));
}
