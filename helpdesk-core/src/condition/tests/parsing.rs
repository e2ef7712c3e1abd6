//! What a desk may write, and what it is told when it may not.

use super::{parse, schema};
use crate::condition::{Condition, ConditionSource, FactMap, Field, Schema};
use crate::fault::{Code, Fault};
use crate::limit::{CONDITION_DEPTH_MAX, CONDITION_LEAVES_MAX};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn faults(source: &Value) -> Vec<Fault> {
    Condition::parse(source, &schema()).unwrap_err()
}

fn check(source: &Value, expected: &Expect) {
    let lines: Vec<String> = faults(source).iter().map(Fault::to_string).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn every_fault_is_found_with_its_spot() {
    check(
        &json!({"any": [
            {"field": "priority", "is": "hihg"},
            {"field": "priorty", "is": "high"},
            {"not": {"field": "subject", "has_word": ["ok", "—", 7]}},
            {"all": ["sometimes", {"field": "created_at", "older_than": "1h"}]},
        ]}),
        &expect![[r#"
            any[0].is: `hihg` is no value of priority; near it: `high`, `low`, `normal`
            any[1].field: there is no field `priorty`; near it: `priority`, `body`, `group`
            any[2].not.has_word[1]: there is no word in `—`
            any[2].not.has_word[2]: `7` is not a string
            any[3].all[0]: `sometimes` is not a condition: take `always` or `never`
            any[3].all[1].older_than: `"1h"` is not a whole number of seconds, 0 or more"#]],
    );
}

#[test]
fn a_value_must_fit_its_operator() {
    let leaf = |field: &str, operator: &str, value: Value| json!({"field": field, operator: value});
    let wrong = [
        leaf("priority", "is", json!(1)),
        leaf("priority", "in", json!("high")),
        leaf("priority", "in", json!(["high", "hi"])),
        leaf("priority", "set", json!("yes")),
        leaf("assignee", "is", json!("ann")),
        leaf("skills", "has_any", json!(["sqll"])),
        leaf("subject", "contains", json!("")),
        leaf("subject", "matches", json!("(")),
        leaf("subject", "matches", json!(r"\w{1000}{1000}")),
        leaf("subject", "has_word", json!("refund")),
        leaf("message_count", "ge", json!("3")),
        leaf("message_count", "between", json!([1])),
        leaf("message_count", "is", json!(9_007_199_254_740_993_i64)),
        leaf("created_at", "before", json!("yesterday")),
        leaf("created_at", "older_than", json!(-1)),
        leaf("created_at", "older_than", json!(i64::MAX)),
        leaf("created_at", "newer_than", json!({"seconds": 60, "calendar": "offic"})),
        leaf("created_at", "newer_than", json!({"seconds": -1, "calender": "office"})),
        leaf("snoozed_until", "within_next", json!({"seconds": 60, "calendar": "office"})),
        leaf("now", "in_hours", json!("Office")),
        leaf("now", "outside_hours", json!("ofice")),
        leaf("sla.first_reply", "state", json!("late")),
        leaf("sla.first_reply", "breached", json!("yes")),
        leaf("sla.first_reply", "left_lt", json!(1.5)),
        leaf("sla.first_reply", "used_ge", json!(-1)),
        leaf("sla.first_replay", "breached", json!(true)),
        leaf("sla.", "breached", json!(true)),
        leaf("custom.paid", "is", json!("true")),
    ];
    check(
        &json!({"all": wrong}),
        &expect![[r#"
            all[0].is: `1` is not a string
            all[1].in: `"high"` is not a list
            all[2].in[1]: `hi` is no value of priority; near it: `high`, `low`, `normal`
            all[3].set: `"yes"` is not true or false
            all[4].is: `"ann"` is not a UUID
            all[5].has_any[0]: `sqll` is no value of skills; near it: `sql`, `german`
            all[6].contains: an empty text is part of every text: give one
            all[7].matches: the pattern `(` does not compile: unclosed group
            all[8].matches: the pattern `\w{1000}{1000}` does not compile: Compiled regex exceeds size limit of 4194304 bytes.
            all[9].has_word: `"refund"` is not a list
            all[10].ge: `"3"` is not a number
            all[11].between: takes two numbers: the lowest and the highest
            all[12].is: `9007199254740993` is not exact: whole numbers go below 2^53
            all[13].before: `"yesterday"` is not an RFC 3339 instant such as `2026-06-01T12:00:00Z`
            all[14].older_than: `-1` is not a whole number of seconds, 0 or more
            all[15].older_than: `9223372036854775807` is not a whole number of seconds, 0 or more
            all[16].newer_than.calendar: there is no calendar `offic`; near it: `office`, `support`
            all[17].newer_than.calender: there is no field `calender`; near it: `calendar`, `seconds`
            all[17].newer_than.seconds: `-1` is not a whole number of seconds, 0 or more
            all[17].newer_than.calendar: `calendar` is missing: it must be given
            all[18].within_next: `{"calendar":"office","seconds":60}` is not a whole number of seconds, 0 or more
            all[19].in_hours: `"Office"` is not the key of a calendar
            all[20].outside_hours: there is no calendar `ofice`; near it: `office`, `support`
            all[21].state: `"late"` is not a state of a clock: take one of `inactive`, `running`, `paused`, `met`, `missed`, `cancelled`, `superseded`
            all[22].breached: `"yes"` is not true or false
            all[23].left_lt: `1.5` is not a whole number of seconds, below 2^53
            all[24].used_ge: `-1` is not a number of percent, 0 or more
            all[25].field: there is no field `sla.first_replay`; near it: `sla.first_reply`, `last_agent_at`, `sla.resolution`
            all[26].field: there is no field `sla.`; near it: `body`, `brand`, `now`
            all[27].is: `"true"` is not true or false"#]],
    );
}

#[test]
fn an_operator_must_fit_its_field() {
    check(
        &json!({"all": [
            {"field": "priority", "has_any": ["high"]},
            {"field": "created_at", "within_next": 60},
            {"field": "tags", "changed": true},
            {"field": "custom.nothing", "is": 1},
            {"field": "csat", "set": true},
            {"field": ["priority"], "set": true},
        ]}),
        &expect![[r#"
            all[0].has_any: `has_any` is no operator of priority: take one of `is`, `is_not`, `in`, `not_in`, `set`, `unset`
            all[1].within_next: `within_next` is no operator of created_at: take one of `before`, `after`, `older_than`, `newer_than`, `set`, `unset`
            all[2].changed: `changed` is no operator of tags: take one of `has_any`, `has_all`, `has_none`, `set`, `unset`
            all[3].field: there is no field `custom.nothing`; near it: `custom.note`, `custom.paid`, `custom.parts`
            all[4].field: there is no field `csat`; near it: `text`, `body`, `brand`
            all[5].field: `["priority"]` is not the name of a field"#]],
    );
}

#[test]
fn a_part_of_a_condition_is_one_thing() {
    check(
        &json!({"all": [
            {"field": "priority"},
            {"field": "priority", "is": "high", "set": true},
            {"all": [], "any": []},
            {},
            {"and": []},
            {"any": "always"},
            7,
            null,
        ]}),
        &expect![[r#"
            all[0]: a leaf takes exactly one operator; found none
            all[1]: a leaf takes exactly one operator; found `is`, `set`
            all[2]: takes one of `all`, `any`, `not`, or `field`; found `all`, `any`
            all[3]: takes one of `all`, `any`, `not`, or `field`; found none
            all[4].and: `and` is not part of a condition: take `all`, `any`, `not`, or `field`
            all[5].any: `"always"` is not a list of conditions
            all[6]: `7` is not a condition
            all[7]: `null` is not a condition"#]],
    );
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| (1..depth).fold(json!("always"), |inner, _| json!({"not": inner}));
    assert!(Condition::parse(&nested(CONDITION_DEPTH_MAX), &schema()).is_ok());
    let over = faults(&nested(CONDITION_DEPTH_MAX + 1));
    assert_eq!(over.len(), 1);
    assert_eq!(over[0].code, Code::OverLimit);
    assert_eq!(over[0].path, vec!["not"; CONDITION_DEPTH_MAX].join("."));
}

#[test]
fn leaves_have_a_limit() {
    for leaf in [json!({"field": "priority", "is": "high"}), json!("always"), json!({"all": []})] {
        let with = |n_leaves: usize| json!({"any": vec![leaf.clone(); n_leaves]});
        assert!(Condition::parse(&with(CONDITION_LEAVES_MAX), &schema()).is_ok());
        let over = faults(&with(CONDITION_LEAVES_MAX + 9));
        assert_eq!(over.len(), 1, "{leaf}");
        assert_eq!((over[0].code, over[0].path.as_str()), (Code::OverLimit, ""));
    }
    // Nothing is read beyond the limit.
    let wrong = json!({"all": vec![json!("sometimes"); CONDITION_LEAVES_MAX + 9]});
    assert_eq!(faults(&wrong).len(), CONDITION_LEAVES_MAX + 1);
}

#[test]
fn a_condition_reads_the_same_from_toml() {
    let text = r#"
        [[all]]
        field = "created_at"
        before = "2026-06-01T12:00:00Z"

        [[all]]
        not = { field = "text", has_word = ["refund", "money back"] }

        [[all]]
        field = "message_count"
        between = [1, 5]
    "#;
    let table: toml::Table = toml::from_str(text).unwrap();
    let from_toml = parse(&serde_json::to_value(table).unwrap());
    let from_json = parse(&json!({"all": [
        {"field": "created_at", "before": "2026-06-01T14:00:00+02:00"},
        {"not": {"field": "text", "has_word": ["refund", "money back"]}},
        {"field": "message_count", "between": [1, 5]},
    ]}));
    assert_eq!(from_toml, from_json);
}

#[test]
fn a_toml_datetime_is_an_instant_once_it_is_a_string() {
    let table: toml::Table = toml::from_str("at = 2026-06-01 14:00:00.5+02:00").unwrap();
    let at = table["at"].as_datetime().unwrap().to_string();
    let read = parse(&json!({"field": "created_at", "after": at}));
    assert_eq!(read.to_json()["after"], "2026-06-01T12:00:00.500Z");
}

#[test]
fn the_source_keeps_what_was_written_and_is_always_by_default() {
    let written = json!({"any": [{"field": "priority", "in": ["urgent", "high"]}]});
    let source: ConditionSource = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&source).unwrap(), written);
    assert_eq!(source.parse(&schema()).unwrap(), parse(&written));
    assert_eq!(ConditionSource::default().parse(&schema()), Ok(Condition::Always));
}

#[test]
fn the_published_schema_takes_what_the_parser_takes() {
    let schema = serde_json::to_value(schemars::schema_for!(ConditionSource)).unwrap();
    assert_eq!(schema["title"], "Condition");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = [
        json!("always"),
        json!({"all": [{"any": []}, {"not": {"field": "priority", "is": "high"}}]}),
        json!({"field": "custom.seats", "between": [1, 2.5]}),
        json!({"field": "text", "has_word": ["refund"]}),
        json!({"field": "snoozed_until", "within_next": 60}),
    ];
    let bad = [
        json!("sometimes"),
        json!({"all": [7]}),
        json!({"field": "priorty", "is": "high"}),
        json!({"field": "priority"}),
        json!({"field": "priority", "is": "high", "set": true}),
        json!({"field": "priority", "isnt": "high"}),
        json!({"all": [], "any": []}),
    ];
    for source in good {
        assert!(validator.is_valid(&source), "{source}");
        parse(&source);
    }
    for source in bad {
        assert!(!validator.is_valid(&source), "{source}");
        faults(&source);
    }
}

#[test]
fn a_condition_reads_as_a_sentence() {
    let source = json!({"all": [
        {"field": "priority", "in": ["high", "urgent"]},
        {"any": [
            {"field": "text", "has_word": ["refund"]},
            {"not": {"field": "custom.seats", "between": [1, 5]}},
            {"all": [{"field": "tags", "has_any": (0..10).map(|n| n.to_string()).collect::<Vec<_>>()}]},
        ]},
        {"field": "created_at", "older_than": 3600},
    ]});
    expect!["priority is one of `high`, `urgent` and (text has the word `refund` or not (custom.seats is from 1 to 5) or tags has any of `0`, `1`, `2`, `3`, `4`, `5`, `6`, `7` and 2 more) and created_at is more than 3600 seconds ago"].assert_eq(&parse(&source).to_string());
}

#[test]
fn facts_are_checked_too() {
    let given = json!({
        "priorty": "high", "tags": "vip", "text": "x", "assignee": "ann", "custom.x": 1,
        "language": null,
    });
    let faults = FactMap::from_json(&given, super::now(), &Schema::default()).unwrap_err();
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    expect![[r#"
        assignee: `"ann"` is not a UUID
        custom.x: the custom field or the metric is not declared
        priorty: there is no field `priorty`; near it: `priority`, `body`, `group`
        tags: `"vip"` is not a list of strings
        text: `text` is the subject and the body: give these"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn a_field_has_one_name() {
    for name in Field::built_in_names() {
        let field: Field = name.parse().unwrap();
        assert_eq!(field.to_string(), name);
        assert_eq!(serde_json::to_value(&field).unwrap(), name);
        assert!(field.built_in_kind().is_some());
    }
    assert!("custom.".parse::<Field>().is_err());
    assert!("custom.A".parse::<Field>().is_err());
}
