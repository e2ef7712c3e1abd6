//! Which queue a ticket goes to.

use super::super::rules::{RouteTo, RouteTrace, RoutingRule, explain_route, route, sort_rules};
use super::{key, now};
use crate::condition::{Condition, FactMap, Schema};
use crate::event::RoutedBy;
use crate::limit::{TRACE_BECAUSE_MAX, TRACE_RULES_MAX};
use serde_json::{Value, json};

fn rule(name: &str, position: i64, when: &Value) -> RoutingRule {
    let then: RouteTo = serde_json::from_value(json!({"queue": format!("{name}-queue")})).unwrap();
    let when = Condition::parse(when, &Schema::default()).unwrap();
    RoutingRule { key: key(name), position, when, then }
}

fn facts() -> FactMap {
    let facts = json!({"subject": "Refund for invoice 17", "priority": "high", "tags": ["vip"]});
    FactMap::from_json(&facts, now(), &Schema::default()).unwrap()
}

fn matched(rules: &[RoutingRule]) -> Option<&str> {
    route(rules, &facts()).map(|rule| rule.key.as_str())
}

#[test]
fn the_first_matching_rule_wins_by_position_then_key() {
    let never = rule("never", 0, &json!("never"));
    let late = rule("a-late", 3, &json!("always"));
    let b = rule("b", 2, &json!("always"));
    let a = rule("a", 2, &json!({"field": "priority", "is": "high"}));
    for rules in [
        [never.clone(), late.clone(), b.clone(), a.clone()],
        [a.clone(), b.clone(), late.clone(), never.clone()],
        [b.clone(), a.clone(), never.clone(), late.clone()],
    ] {
        assert_eq!(matched(&rules), Some("a"));
        assert_eq!(explain_route(&rules, &facts()).n_tried, 2);
    }
    let mut sorted = [late, b, never, a];
    sort_rules(&mut sorted);
    assert_eq!(sorted.each_ref().map(|rule| rule.key.as_str()), ["never", "a", "b", "a-late"]);
}

#[test]
fn without_a_match_there_is_no_rule() {
    assert_eq!(matched(&[]), None);
    let rules = [rule("urgent", 0, &json!({"field": "priority", "is": "urgent"}))];
    assert_eq!(matched(&rules), None);
    let trace = explain_route(&rules, &facts());
    assert_eq!((trace.rule.as_ref(), trace.n_tried, trace.missed.len()), (None, 1, 1));
    assert_eq!(trace.routed_by(), None);
}

#[test]
fn a_trace_says_why_this_rule_and_why_none_before() {
    let rules = [
        rule(
            "urgent",
            1,
            &json!({"all": [
                {"field": "tags", "has_any": ["vip"]},
                {"field": "priority", "is": "urgent"},
                {"field": "channel", "is": "phone"},
            ]}),
        ),
        rule("money", 2, &json!({"field": "text", "has_word": ["refund"]})),
    ];
    let trace = explain_route(&rules, &facts());
    assert_eq!(trace.queue, Some(key("money-queue")));
    assert_eq!(trace.because, ["text has the word `refund`: yes, `refund` is in subject"]);
    assert_eq!(trace.missed[0].rule, key("urgent"));
    assert_eq!(trace.missed[0].because.path, "all[1]");
    let because = trace.because.clone();
    assert_eq!(trace.routed_by(), Some(RoutedBy::Rule { rule: key("money"), because }));
    let json = serde_json::to_value(&trace).unwrap();
    assert_eq!(serde_json::from_value::<RouteTrace>(json).unwrap(), trace);
}

#[test]
fn a_trace_is_bounded() {
    let mut rules: Vec<RoutingRule> =
        (0..100).map(|n| rule(&format!("n{n}"), n, &json!("never"))).collect();
    let high = json!({"field": "priority", "is": "high"});
    rules.push(rule("last", 200, &json!({"all": vec![high; 9]})));
    let trace = explain_route(&rules, &facts());
    assert_eq!(trace.n_tried, 101);
    assert_eq!(trace.missed.len(), TRACE_RULES_MAX);
    assert_eq!(trace.because.len(), TRACE_BECAUSE_MAX);
}
