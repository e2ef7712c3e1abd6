//! Every operator at its edges.

use super::{facts, leaf_holds, parse};
use crate::calendar::Calendar;
use crate::condition::{ClockFact, FactNeeds, FactSet, FactValue, Facts, Field, TextFact};
use crate::id::Key;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Checks lines of operator, value, fact (`null` for none) and outcome.
fn check(field: &str, table: &[(&str, Value, Value, bool)]) {
    for (operator, value, fact, expected) in table {
        let got = leaf_holds(field, operator, value, fact);
        assert_eq!(got, *expected, "{field} {operator} {value} on {fact}");
    }
}

#[test]
fn a_choice_is_compared_by_key_and_a_missing_one_is_none() {
    let no = Value::Null;
    check(
        "priority",
        &[
            ("is", json!("high"), json!("high"), true),
            ("is", json!("high"), json!("low"), false),
            ("is", json!("high"), no.clone(), false),
            ("is_not", json!("high"), json!("high"), false),
            ("is_not", json!("high"), json!("low"), true),
            ("is_not", json!("high"), no.clone(), true),
            ("in", json!(["low", "high"]), json!("high"), true),
            ("in", json!(["low", "high"]), json!("urgent"), false),
            ("in", json!(["low"]), no.clone(), false),
            ("in", json!([]), json!("low"), false),
            ("in", json!([]), no.clone(), false),
            ("not_in", json!(["low"]), json!("low"), false),
            ("not_in", json!(["low"]), json!("high"), true),
            ("not_in", json!(["low"]), no.clone(), true),
            ("not_in", json!([]), json!("low"), true),
            ("not_in", json!([]), no.clone(), true),
            ("set", json!(true), json!("low"), true),
            ("set", json!(true), no.clone(), false),
            ("set", json!(false), no.clone(), true),
            ("unset", json!(true), no.clone(), true),
            ("unset", json!(true), json!("low"), false),
            ("unset", json!(false), json!("low"), true),
        ],
    );
    check("language", &[("is", json!("EN"), json!("en"), false)]);
    check("custom.product", &[("is_not", json!("core"), no, true)]);
}

#[test]
fn an_id_is_compared_as_a_uuid_however_it_is_written() {
    let (plain, upper) =
        ("0190163d-8694-739b-aea5-966c26f8ad91", "0190163D8694739BAEA5966C26F8AD91");
    check(
        "assignee",
        &[
            ("is", json!(upper), json!(plain), true),
            ("is_not", json!(upper), json!(plain), false),
            ("is_not", json!(plain), Value::Null, true),
            ("in", json!([upper]), json!(plain), true),
            ("not_in", json!([]), Value::Null, true),
            ("set", json!(true), json!(plain), true),
            ("unset", json!(true), Value::Null, true),
        ],
    );
}

#[test]
fn a_missing_set_is_an_empty_one() {
    for none in [Value::Null, json!([])] {
        check(
            "tags",
            &[
                ("has_any", json!(["a"]), none.clone(), false),
                ("has_any", json!([]), none.clone(), false),
                ("has_all", json!(["a"]), none.clone(), false),
                ("has_all", json!([]), none.clone(), true),
                ("has_none", json!(["a"]), none.clone(), true),
                ("has_none", json!([]), none.clone(), true),
                ("set", json!(true), none.clone(), false),
                ("unset", json!(true), none, true),
            ],
        );
    }
    check(
        "tags",
        &[
            ("has_any", json!(["a", "z"]), json!(["a", "b"]), true),
            ("has_any", json!(["y", "z"]), json!(["a", "b"]), false),
            ("has_any", json!(["A"]), json!(["a"]), false),
            ("has_any", json!([]), json!(["a"]), false),
            ("has_all", json!(["a", "b"]), json!(["b", "a", "c"]), true),
            ("has_all", json!(["a", "z"]), json!(["a", "b"]), false),
            ("has_all", json!([]), json!(["a"]), true),
            ("has_none", json!(["y", "z"]), json!(["a"]), true),
            ("has_none", json!(["a", "z"]), json!(["a"]), false),
            ("set", json!(true), json!(["a"]), true),
        ],
    );
    check("custom.parts", &[("has_all", json!(["core"]), json!(["core", "api"]), true)]);
    check("skills", &[("has_any", json!(["sql"]), json!(["sql"]), true)]);
}

#[test]
fn a_text_is_compared_folded() {
    let no = Value::Null;
    check(
        "subject",
        &[
            ("has_word", json!(["refund", "money back"]), json!("I want my MONEY  back!"), true),
            ("has_word", json!(["refund"]), json!("refunds"), false),
            ("has_word", json!(["money back"]), json!("money is back"), false),
            ("has_word", json!(["don't"]), json!("DON T do it"), true),
            ("has_word", json!([]), json!("a"), false),
            ("has_word", json!([]), no.clone(), false),
            ("has_word", json!(["a"]), no.clone(), false),
            ("has_all_words", json!(["b", "a"]), json!("a b"), true),
            ("has_all_words", json!(["a", "c"]), json!("a b"), false),
            ("has_all_words", json!(["a"]), no.clone(), false),
            ("has_all_words", json!([]), no.clone(), true),
            ("contains", json!("NEY B"), json!("my money back"), true),
            ("contains", json!("x"), no.clone(), false),
            ("contains", json!("STRASS"), json!("Straße"), false),
            ("starts_with", json!("MY "), json!("my money"), true),
            ("starts_with", json!("oney"), json!("money"), false),
            ("ends_with", json!("EY"), json!("my money"), true),
            ("ends_with", json!("mone"), json!("money"), false),
            ("is", json!("ПЕЧАТ"), json!("печат"), true),
            ("is", json!("a"), json!("a "), false),
            ("is", json!(""), json!(""), true),
            ("is", json!(""), no.clone(), false),
            ("is_not", json!("a"), json!("A"), false),
            ("is_not", json!("a"), json!("b"), true),
            ("is_not", json!("a"), no.clone(), true),
            ("matches", json!("^[A-Z]"), json!("Abc"), true),
            ("matches", json!("^[A-Z]"), json!("abc"), false),
            ("matches", json!("(?i)^[A-Z]"), json!("abc"), true),
            ("matches", json!("^$"), json!(""), true),
            ("matches", json!("^$"), no.clone(), false),
            ("set", json!(true), json!(""), false),
            ("set", json!(true), json!(" "), true),
            ("unset", json!(true), json!(""), true),
            ("unset", json!(true), no, true),
        ],
    );
}

#[test]
fn text_is_the_subject_or_the_body_each_by_itself() {
    let both = facts(&json!({"subject": "Money for", "body": "back pain"}));
    let table = [
        (json!({"field": "text", "has_word": ["money", "x"]}), true),
        (json!({"field": "text", "has_word": ["for back"]}), false),
        (json!({"field": "text", "has_all_words": ["money", "pain"]}), true),
        (json!({"field": "text", "has_all_words": ["money", "x"]}), false),
        (json!({"field": "text", "contains": "or\nback"}), false),
        (json!({"field": "text", "starts_with": "back"}), true),
        (json!({"field": "text", "ends_with": "for"}), true),
        (json!({"field": "text", "is": "back pain"}), true),
        (json!({"field": "text", "is_not": "back pain"}), false),
        (json!({"field": "text", "is_not": "pain"}), true),
        (json!({"field": "text", "matches": "for\\s*back"}), false),
        (json!({"field": "text", "matches": "^back"}), true),
        (json!({"field": "text", "set": true}), true),
    ];
    for (source, expected) in table {
        assert_eq!(parse(&source).holds(&both), expected, "{source}");
    }
    let unset = parse(&json!({"field": "text", "unset": true}));
    assert!(unset.holds(&facts(&json!({}))));
    assert!(unset.holds(&facts(&json!({"subject": ""}))));
    assert!(!unset.holds(&facts(&json!({"subject": "", "body": "x"}))));
    assert!(parse(&json!({"field": "text", "is_not": "x"})).holds(&facts(&json!({}))));
}

#[test]
fn numbers_are_compared_exactly_and_between_is_closed() {
    check(
        "message_count",
        &[
            ("lt", json!(3), json!(2), true),
            ("lt", json!(3), json!(3), false),
            ("le", json!(3), json!(3), true),
            ("le", json!(3), json!(4), false),
            ("gt", json!(3), json!(3), false),
            ("gt", json!(3), json!(4), true),
            ("ge", json!(3), json!(3), true),
            ("ge", json!(3), json!(2), false),
            ("between", json!([3, 5]), json!(3), true),
            ("between", json!([3, 5]), json!(5), true),
            ("between", json!([3, 5]), json!(6), false),
            ("between", json!([5, 3]), json!(4), false),
            ("is", json!(3.0), json!(3), true),
            ("is", json!(0), json!(-0.0), true),
            ("in", json!([1, 3]), json!(3), true),
            ("in", json!([]), json!(3), false),
            ("set", json!(true), json!(0), true),
        ],
    );
    for operator in ["lt", "le", "gt", "ge", "is"] {
        assert!(!leaf_holds("custom.seats", operator, &json!(0), &Value::Null));
    }
    assert!(leaf_holds(
        "custom.seats",
        "is",
        &json!(9_007_199_254_740_991_i64),
        &json!(9_007_199_254_740_991_i64)
    ));
    assert!(leaf_holds("custom.seats", "lt", &json!(0.5), &json!(0.25)));
}

#[test]
fn before_after_older_and_newer_are_strict() {
    let (hour_ago, now) = (json!("2026-06-01T11:00:00Z"), json!("2026-06-01T12:00:00Z"));
    let ahead = json!("2026-06-01T13:00:00Z");
    check(
        "created_at",
        &[
            ("before", json!("2026-06-01T14:00:00+03:00"), hour_ago.clone(), false),
            ("before", json!("2026-06-01T11:00:00.001Z"), hour_ago.clone(), true),
            ("after", hour_ago.clone(), hour_ago.clone(), false),
            ("after", json!("2026-06-01T10:59:59Z"), hour_ago.clone(), true),
            ("older_than", json!(3600), hour_ago.clone(), false),
            ("older_than", json!(3599), hour_ago.clone(), true),
            ("newer_than", json!(3600), hour_ago.clone(), false),
            ("newer_than", json!(3601), hour_ago.clone(), true),
            ("newer_than", json!(0), now.clone(), false),
            ("newer_than", json!(0), ahead.clone(), true),
            ("older_than", json!(0), now.clone(), false),
            ("set", json!(true), now.clone(), true),
        ],
    );
    check(
        "snoozed_until",
        &[
            ("within_next", json!(3600), ahead.clone(), true),
            ("within_next", json!(3599), ahead, false),
            ("within_next", json!(0), now, true),
            ("within_next", json!(3600), hour_ago, false),
            ("within_next", json!(3600), Value::Null, false),
        ],
    );
    for (operator, value) in [("before", json!("2100-01-01T00:00:00Z")), ("newer_than", json!(9))] {
        assert!(!leaf_holds("custom.renewal", operator, &value, &Value::Null));
    }
}

#[test]
fn a_missing_boolean_is_neither() {
    check(
        "custom.paid",
        &[
            ("is", json!(true), json!(true), true),
            ("is", json!(false), json!(true), false),
            ("is", json!(false), Value::Null, false),
            ("is_not", json!(true), json!(false), true),
            ("is_not", json!(true), json!(true), false),
            ("is_not", json!(false), Value::Null, true),
            ("set", json!(true), json!(false), true),
            ("unset", json!(true), Value::Null, true),
        ],
    );
}

#[test]
fn groups_of_nothing_have_a_fixed_answer() {
    let none = facts(&json!({}));
    let table = [
        (json!("always"), true),
        (json!("never"), false),
        (json!({"all": []}), true),
        (json!({"any": []}), false),
        (json!({"not": "never"}), true),
        (json!({"all": ["always", "never"]}), false),
        (json!({"any": ["never", "always"]}), true),
    ];
    for (source, expected) in table {
        assert_eq!(parse(&source).holds(&none), expected, "{source}");
    }
}

#[test]
fn a_condition_names_what_must_be_loaded() {
    let needs = |field: &str| {
        let field: Field = field.parse().unwrap();
        parse(&json!({"not": {"any": [{"field": field, "set": true}]}})).needs()
    };
    let none = FactNeeds::default();
    assert_eq!(needs("subject"), none);
    assert_eq!(needs("requester"), none);
    assert_eq!(needs("text"), FactNeeds { body: true, ..none });
    assert_eq!(needs("requester_domain"), FactNeeds { requester: true, ..none });
    assert_eq!(needs("organization_tags"), FactNeeds { organization: true, ..none });
    let tier = FactNeeds { requester: true, organization: true, ..none };
    assert_eq!(needs("requester_tier"), tier);
    for field in ["due_at", "escalation_level", "sla.first_reply"] {
        assert_eq!(needs(field), FactNeeds { clocks: true, ..none });
    }
    assert_eq!(needs("now"), none);
}

/// Facts of a host's own: a sorted set, and a number where a choice belongs.
struct HostFacts {
    tags: BTreeSet<String>,
}

impl Facts for HostFacts {
    fn now(&self) -> DateTime<Utc> {
        super::now()
    }

    fn value(&self, field: &Field) -> Option<FactValue<'_>> {
        match field {
            Field::Tags => Some(FactValue::Set(FactSet::Tree(&self.tags))),
            Field::Priority => Some(FactValue::Number(1.0)),
            _ => None,
        }
    }

    fn text(&self, _: &Field) -> Option<&TextFact<'_>> {
        None
    }

    fn calendar(&self, _: &Key) -> Option<&Calendar> {
        None
    }

    fn clock(&self, _: &Key) -> Option<ClockFact> {
        None
    }
}

#[test]
fn a_host_brings_its_own_facts_and_a_fact_of_another_kind_is_missing() {
    let host = HostFacts { tags: BTreeSet::from(["vip".to_owned()]) };
    let host: &dyn Facts = &host;
    assert!(parse(&json!({"field": "tags", "has_all": ["vip"]})).holds(host));
    assert!(!parse(&json!({"field": "tags", "unset": true})).holds(host));
    assert!(!parse(&json!({"field": "priority", "is": "high"})).holds(host));
    assert!(parse(&json!({"field": "priority", "is_not": "high"})).holds(host));
}
