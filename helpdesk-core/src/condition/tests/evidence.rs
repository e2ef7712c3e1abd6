//! Why a condition holds, or does not.

use super::{facts, parse, schema};
use crate::condition::{Condition, Evidence, FactMap, FoldOptions};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn check(source: &Value, expected: &Expect) {
    let ticket = facts(&json!({
        "subject": "Refund please", "body": "Money back for v2.1, now",
        "priority": "high", "tags": ["vip", "eu"], "message_count": 3, "custom.paid": false,
        "created_at": "2026-06-01T11:00:00Z",
    }));
    let evidence = parse(source).evidence(&ticket);
    let lines: Vec<String> = evidence.iter().map(|one| format!("{} | {one}", one.path)).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn each_child_of_an_all_that_holds_is_evidence() {
    check(
        &json!({"all": [
            {"field": "priority", "in": ["high", "urgent"]},
            {"field": "text", "has_word": ["invoice", "money back"]},
            {"field": "text", "has_all_words": ["refund", "now"]},
            {"field": "text", "matches": "v\\d"},
            {"field": "text", "contains": "BACK"},
            {"field": "subject", "starts_with": "refund"},
            {"field": "body", "set": true},
            {"field": "tags", "has_any": ["de", "eu"]},
            {"field": "tags", "has_none": ["spam"]},
            {"field": "language", "unset": true},
            {"field": "message_count", "ge": 3},
            {"field": "created_at", "older_than": 60},
            {"field": "custom.paid", "is": false},
            "always",
        ]}),
        &expect![[r#"
            all[0] | priority is one of `high`, `urgent`: yes, it is `high`
            all[1] | text has one of the words `invoice`, `money back`: yes, `money back` is in body
            all[2] | text has each of the words `refund`, `now`: yes, each is there
            all[3] | text matches `v\d`: yes, `v2` is in body
            all[4] | text contains `BACK`: yes, `BACK` is in body
            all[5] | subject starts with `refund`: yes, it is `Refund please`
            all[6] | body is set: yes, it has a text
            all[7] | tags has any of `de`, `eu`: yes, it has `eu`
            all[8] | tags has none of `spam`: yes, it is `vip`, `eu`
            all[9] | language is unset: yes, it is unset
            all[10] | message_count is at least 3: yes, it is `3`
            all[11] | created_at is more than 60 seconds ago: yes, it is `2026-06-01T11:00:00Z`
            all[12] | custom.paid is false: yes, it is `false`
            all[13] | always: yes"#]],
    );
}

#[test]
fn each_child_of_an_any_that_fails_is_evidence() {
    check(
        &json!({"any": [
            {"field": "priority", "is": "low"},
            {"field": "text", "has_word": ["invoice"]},
            {"field": "text", "has_all_words": ["refund", "never"]},
            {"field": "body", "matches": "^now"},
            {"field": "subject", "contains": "now"},
            {"field": "tags", "has_all": ["vip", "de"]},
            {"field": "tags", "has_none": ["vip"]},
            {"field": "skills", "has_any": ["sql"]},
            {"field": "custom.note", "contains": "x"},
            {"any": []},
        ]}),
        &expect![[r#"
            any[0] | priority is `low`: no, it is `high`
            any[1] | text has the word `invoice`: no, none is there
            any[2] | text has each of the words `refund`, `never`: no, `never` is not in text
            any[3] | body matches `^now`: no, nothing matches
            any[4] | subject contains `now`: no, `now` is not in subject
            any[5] | tags has all of `de`, `vip`: no, it lacks `de`
            any[6] | tags has none of `vip`: no, it has `vip`
            any[7] | skills has any of `sql`: no, it is unset
            any[8] | custom.note contains `x`: no, it is unset
            any[9] | never: no"#]],
    );
}

#[test]
fn the_first_child_that_decides_is_the_evidence() {
    check(
        &json!({"all": [
            "always",
            {"not": {"any": ["never", {"field": "priority", "is": "high"}, "always"]}},
            "never",
        ]}),
        &expect!["all[1].not.any[1] | priority is `high`: yes, it is `high`"],
    );
}

#[test]
fn evidence_says_when_a_text_was_cut() {
    let schema = schema().with_fold(FoldOptions { text_bytes_max: 4, ..FoldOptions::default() });
    let condition = json!({"field": "subject", "has_word": ["word"]});
    let condition = Condition::parse(&condition, &schema).unwrap();
    let ticket = json!({"subject": "word word"});
    let ticket = FactMap::from_json(&ticket, super::now(), &schema).unwrap();
    let evidence = condition.evidence(&ticket);
    assert!(evidence[0].cut && evidence[0].holds);
    let json = serde_json::to_value(&evidence).unwrap();
    assert_eq!(serde_json::from_value::<Vec<Evidence>>(json).unwrap(), evidence);
}

#[test]
fn evidence_says_what_hours_and_clocks_were_seen() {
    let ticket = facts(&json!({
        "created_at": "2026-05-29T16:00:00Z", "snoozed_until": "2026-06-02T09:00:00Z",
        "sla.first_reply": {
            "state": "missed", "breached": true, "left_seconds": -60, "used_percent": 101.5,
        },
    }));
    let age = |calendar: &str| json!({"seconds": 3_600, "calendar": calendar});
    let condition = parse(&json!({"any": [
        {"field": "now", "outside_hours": "office"},
        {"field": "now", "in_hours": "support"},
        {"field": "now", "unset": true},
        {"field": "created_at", "newer_than": age("office")},
        {"field": "created_at", "older_than": age("support")},
        {"field": "snoozed_until", "older_than": age("office")},
        {"field": "updated_at", "older_than": age("office")},
        {"field": "sla.first_reply", "state": "running"},
        {"field": "sla.first_reply", "breached": false},
        {"field": "sla.first_reply", "left_lt": -60},
        {"field": "sla.first_reply", "used_ge": 150},
        {"field": "sla.first_reply", "unset": true},
        {"field": "sla.resolution", "breached": true},
        {"field": "due_at", "within_next": 60},
        {"field": "escalation_level", "ge": 1},
    ]}));
    let lines: Vec<String> = condition.evidence(&ticket).iter().map(ToString::to_string).collect();
    expect![[r#"
        now is outside of the hours of `office`: no, `office` is open at `2026-06-01T12:00:00Z`
        now is in the hours of `support`: no, there is no calendar `support`
        now is unset: no, it always is
        created_at is less than 3600 working seconds of `office` ago: no, it is `2026-05-29T16:00:00Z`, 14400 working seconds ago
        created_at is more than 3600 working seconds of `support` ago: no, there is no calendar `support`
        snoozed_until is more than 3600 working seconds of `office` ago: no, it is `2026-06-02T09:00:00Z`
        updated_at is more than 3600 working seconds of `office` ago: no, it is unset
        sla.first_reply is `running`: no, it is `missed` and breached, -60 seconds left, 101.5 percent used
        sla.first_reply is not breached: no, it is `missed` and breached, -60 seconds left, 101.5 percent used
        sla.first_reply has less than -60 seconds left: no, it is `missed` and breached, -60 seconds left, 101.5 percent used
        sla.first_reply has used at least 150 percent: no, it is `missed` and breached, -60 seconds left, 101.5 percent used
        sla.first_reply is unset: no, it is `missed` and breached, -60 seconds left, 101.5 percent used
        sla.resolution is breached: no, it is unset
        due_at is within the next 60 seconds: no, it is unset
        escalation_level is at least 1: no, it is unset"#]].assert_eq(&lines.join("\n"));
}
