//! Documents as people write them, and what the desk makes of them.

mod bad_input;
mod calendars;

use super::*;
use crate::limit::*;
use crate::ticket::priority::Channel;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn desk(document: &Value) -> Desk {
    Desk::from_value(document).unwrap_or_else(|faults| panic!("{}", lines(&faults)))
}

fn lines(faults: &[Fault]) -> String {
    let lines: Vec<String> =
        faults.iter().map(|f| format!("{} {}: {}", f.code, f.path, f.message)).collect();
    lines.join("\n")
}

/// The faults of a document, one a line: code, path, message.
fn check(document: &Value, expected: &Expect) {
    let told = match Desk::from_value(document) {
        Ok(_) => "none".to_owned(),
        Err(faults) => lines(&faults),
    };
    expected.assert_eq(&told);
}

#[test]
fn an_empty_document_is_a_desk_that_works() {
    let desk = desk(&json!({}));
    let support = key("support");
    assert_eq!(desk.statuses().statuses().len(), 6);
    assert!(desk.group(&support).is_some());
    assert_eq!(desk.default_queue(None).map(|queue| &queue.group), Some(&support));
    assert_eq!(&**desk.number_prefix(), "HD");
    assert_eq!(desk.auto_close_after_seconds(), Some(345_600));
    assert!(desk.counts(StatusCategory::New) && !desk.counts(StatusCategory::Pending));
    assert_eq!(desk.follow_up(None), FollowUp::Reopen);
    assert_eq!(desk.priority_of(Level::High, Level::High), Some(Priority::Urgent));
    assert_eq!(desk.priority_of(Level::Low, Level::Medium), Some(Priority::Low));
    assert_eq!(desk.presence(&key("away")), Some(PresenceState::Away));
    assert_eq!(desk.requester_tiers().count(), 3);
}

#[test]
fn shapes_that_do_not_fit() {
    check(
        &json!({
            "nmae": "Desk",
            "name": 7,
            "preset": "zendsk",
            "follow_up": "never",
            "auto_close_after_seconds": "soon",
            "selection_seed": -1,
            "default_queue": 5,
            "groups": [{"key": "Support"}, {"name": "x"}, {"key": "a", "teir": "b"}],
            "queues": [
                {"key": "q", "group": "a", "mode": "pull"},
                {"key": "q", "group": "a", "mode": {"type": "offer"}},
                {"key": "q", "group": "a", "mode": {"type": "offr", "timeout_seconds": 5}},
                {"key": "q", "group": "a", "mode": {}},
                {"key": "q", "group": "a", "stages": [{"selector": "idle", "relax": [{"type": "drop_skill"}]}]},
            ],
            "rules": [
                {"key": "r", "then": {"queue": "q", "priority": "hgih", "skills": [{"skill": "s", "level": 11}]}},
                {"key": "r", "when": {"field": "status", "is": "x"}, "then": []},
            ],
            "fields": [{"key": "f", "name": "F", "kind": {"type": "choice", "valeus": []}}],
            "macros": [{"key": "m", "name": "M", "steps": [
                {"type": "change", "change": {"type": "set_priority", "to": "later"}},
                {"type": "change", "change": {"type": "set_prio"}},
            ]}],
            "roles": [{"key": "x", "may": {"raed": "all", "reply": "some"}}],
            "mailboxes": [{"key": "m", "follow_up": {"reopen_within_seconds": -1}}],
            "views": {},
        }),
        &expect![[r#"
            unknown_field nmae: there is no field `nmae`; near it: `name`, `sla`, `roles`
            invalid auto_close_after_seconds: takes null or a whole number; found `soon`
            invalid default_queue: takes a string; found `5`
            required_field fields[0].kind.values: `values` is missing: it must be given
            unknown_field fields[0].kind.valeus: there is no field `valeus`; near it: `values`, `type`
            invalid follow_up: takes one of `reopen`, `new_ticket`, or an object with `reopen_within_seconds`; found `never`
            invalid groups[0].key: `Support` is not a key: take 1 to 64 of a-z 0-9 _ -
            required_field groups[1].key: `key` is missing: it must be given
            unknown_field groups[2].teir: there is no field `teir`; near it: `tier`, `key`, `name`
            invalid macros[0].steps[0].change.to: takes one of `low`, `normal`, `high`, `urgent`; found `later`
            invalid macros[0].steps[1].change.type: takes one of `set_subject`, `set_priority`, `set_impact`, `set_urgency`, `set_type`, `set_language`, `set_brand`, `set_tier`, `set_requester`, `set_organization`, `add_tags`, `remove_tags`, `set_custom`, `require_skills`, `prefer_skills`; found `set_prio`
            invalid mailboxes[0].follow_up.reopen_within_seconds: takes at least 0; found `-1`
            invalid name: takes a string; found `7`
            invalid preset: takes one of `zendesk`, `jira_service_management`, `live_agent`; found `zendsk`
            invalid queues[0].mode: takes an object whose `type` is one of `pull`, `assign`, `offer`; found `pull`
            required_field queues[1].mode.timeout_seconds: `timeout_seconds` is missing: it must be given
            invalid queues[2].mode.type: takes one of `pull`, `assign`, `offer`; found `offr`
            required_field queues[3].mode.type: `type` is missing: it is one of `pull`, `assign`, `offer`
            required_field queues[4].stages[0].relax[0].skill: `skill` is missing: it must be given
            invalid queues[4].stages[0].selector: takes one of `longest_idle`, `most_spare`, `least_loaded`, `weighted_round_robin`, `best_skill`, `random`; found `idle`
            unknown_field roles[0].may.raed: there is no field `raed`; near it: `read`, `wake`, `claim`
            invalid roles[0].may.reply: takes one of `own`, `participant`, `assigned`, `groups`, `groups_or_none`, `all`; found `some`
            invalid rules[0].then.priority: takes one of `low`, `normal`, `high`, `urgent`; found `hgih`
            invalid rules[0].then.skills[0].level: takes at most 10; found `11`
            invalid rules[1].then: takes an object; found a list
            invalid selection_seed: takes at least 0; found `-1`
            invalid views: takes a list; found an object
            invalid rules[1].when.is: `x` is no value of status; near it: `new`, `open`, `closed`"#]],
    );
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn keys_that_do_not_exist() {
    check(
        &json!({
            "groups": [{"key": "billing", "tier": "l2"}, {"key": "tech"}, {"key": "tech"}],
            "queues": [
                {"key": "billing", "group": "biling", "stages": [
                    {"after_seconds": 60, "pools": ["tech", "sales"], "relax": [{"type": "drop_skill", "skill": "sql"}]},
                    {"after_seconds": 30},
                ]},
                {"key": "tech", "group": "tech", "mode": {"type": "offer", "timeout_seconds": 0},
                 "rate_limit": {"max": 0, "per_seconds": 0}},
                {"key": "fast", "group": "tech", "rate_limit": {"max": 101, "per_seconds": 60}},
            ],
            "default_queue": "teck",
            "mailboxes": [
                {"key": "help", "address": "help@example.com", "default_queue": "x", "brand": "acme"},
                {"key": "help2", "address": "Help@Example.com"},
                {"key": "help3", "address": "nowhere"},
            ],
            "skills": [{"key": "german"}],
            "fields": [
                {"key": "seats", "name": "Seats", "kind": {"type": "number", "min": 5, "max": 1}},
                {"key": "plan", "name": "Plan", "kind": {"type": "choice", "values": ["gold"]}},
                {"key": "plan", "name": "Plan", "on": "contact", "kind": {"type": "text", "pattern": "("}},
            ],
            "rules": [
                {"key": "a", "when": {"all": [{"field": "group", "is": "sales"}, {"field": "custom.plan", "is": "silver"}]},
                 "then": {"queue": "sales", "skills": [{"skill": "germn", "level": 3}], "tags": [" "]}},
                {"key": "b", "when": {"any": [{"field": "priorty", "is": "high"}]}, "then": {"queue": "tech"}},
                {"key": "b", "when": {"field": "subject", "matches": "("}, "then": {"queue": "tech"}},
            ],
            "macros": [{"key": "m", "name": "M", "groups": ["tehc"], "steps": [
                {"type": "set_status", "to": "gone"},
                {"type": "change", "change": {"type": "set_brand", "to": "acme"}},
                {"type": "change", "change": {"type": "set_custom", "field": "plan", "to": "silver"}},
                {"type": "change", "change": {"type": "set_custom", "field": "plane", "to": "gold"}},
                {"type": "reply", "text": ""},
            ]}],
            "views": [{"key": "v", "when": {"field": "status", "is": "gone"}, "groups": ["nobody"]}],
            "transitions": [{"from": ["gone"], "to": ["open"], "roles": ["boss"], "requires": ["assigne", "custom.plan"]}],
            "status_after_reply": "answered",
            "presences": [{"key": "online", "state": "away"}],
            "load_categories": ["open", "solved"],
            "priority_matrix": [
                {"impact": "low", "urgency": "low", "priority": "low"},
                {"impact": "low", "urgency": "low", "priority": "high"},
            ],
            "default_language": "German",
            "time_zone": "",
            "number_prefix": "HD-",
        }),
        &expect![[r#"
            invalid default_language: takes an ISO 639 code in lower case, such as `en`
            invalid time_zone: takes the name of a time zone, such as `Europe/Berlin`
            invalid number_prefix: takes 16 letters and digits of a-z A-Z 0-9 at most
            invalid load_categories[1]: takes `new`, `open` and `pending`; found `solved`
            not_configured default_queue: there is no queue `teck`; near it: `tech`, `fast`, `billing`
            not_configured status_after_reply: there is no status `answered`; near it: `solved`, `closed`, `new`
            duplicate groups[2].key: `tech` is defined twice
            duplicate rules[2].key: `b` is defined twice
            duplicate priority_matrix[1]: `low, low` is defined twice
            duplicate mailboxes[1].address: another mailbox has this address
            invalid mailboxes[2].address: takes a mail address, such as `help@example.com`
            duplicate presences[0].key: `online` is built in: take another key
            not_configured transitions[0].roles[0]: there is no role `boss`; near it: `bot`, `admin`, `agent`
            unknown_field transitions[0].requires[0]: there is no field `assigne`; near it: `assignee`, `assigned_at`, `skills`
            not_configured transitions[0].from[0]: no status `gone`
            invalid fields[0].kind.min: more than `max`
            invalid fields[2].kind.pattern: the pattern does not compile: unclosed group
            not_configured groups[0].tier: there is no tier `l2`; none is defined
            not_configured mailboxes[0].default_queue: there is no queue `x`; near it: `fast`, `tech`, `billing`
            not_configured mailboxes[0].brand: there is no brand `acme`; none is defined
            not_configured queues[0].group: there is no group `biling`; near it: `billing`, `tech`
            not_configured queues[0].stages[0].pools[1]: there is no group `sales`; near it: `tech`, `billing`
            not_configured queues[0].stages[0].relax[0].skill: there is no skill `sql`; near it: `german`
            invalid queues[0].stages[1].after_seconds: less than that of the stage before: stages stand in order
            invalid queues[1].mode.timeout_seconds: takes at least 1; leave it out for never
            invalid queues[1].rate_limit.max: takes at least 1
            invalid queues[1].rate_limit.per_seconds: takes at least 1
            over_limit queues[2].rate_limit.max: 101 tickets, at most 100
            not_configured macros[0].groups[0]: there is no group `tehc`; near it: `tech`, `billing`
            not_configured macros[0].steps[0].to: there is no status `gone`; near it: `new`, `open`, `closed`
            not_configured macros[0].steps[1].change.to: there is no brand `acme`; none is defined
            invalid macros[0].steps[2].change.to: `silver` is not one of gold
            not_configured macros[0].steps[3].change.field: tickets have no custom field `plane`
            invalid macros[0].steps[4].text: there is no text
            not_configured rules[0].then.queue: there is no queue `sales`; near it: `fast`, `tech`, `billing`
            invalid rules[0].then.tags[0]: a tag needs at least one char
            not_configured rules[0].then.skills[0].skill: there is no skill `germn`; near it: `german`
            invalid rules[0].when.all[0].is: `sales` is no value of group; near it: `tech`, `billing`
            invalid rules[0].when.all[1].is: `silver` is no value of custom.plan; near it: `gold`
            unknown_field rules[1].when.any[0].field: there is no field `priorty`; near it: `priority`, `body`, `group`
            invalid rules[2].when.matches: the pattern `(` does not compile: unclosed group
            not_configured views[0].groups[0]: there is no group `nobody`; near it: `tech`, `billing`
            invalid views[0].when.is: `gone` is no value of status; near it: `new`, `open`, `closed`"#]],
    );
}

#[test]
fn shape_and_meaning_are_told_together_and_keys_of_faulty_entries_count() {
    check(
        &json!({
            "groups": [{"key": "a", "tier": 5}],
            "fields": [{"key": "f", "name": "F", "kind": "text"}],
            "rules": [
                {"key": "r", "then": {"queue": "a"}, "when": {"field": "custom.f", "is": "x"}, "oops": 1},
                {"key": "s", "then": {"queue": "z"}, "when": {"field": "group", "is": "a"}},
            ],
            "queues": [{"key": "a", "group": "a"}],
        }),
        &expect![[r#"
            invalid fields[0].kind: takes an object whose `type` is one of `choice`, `multi_choice`, `text`, `number`, `instant`, `boolean`; found `text`
            invalid groups[0].tier: takes a string; found `5`
            unknown_field rules[0].oops: there is no field `oops`; near it: `key`, `then`, `when`
            not_configured rules[1].then.queue: there is no queue `z`; near it: `a`"#]],
    );
}

#[test]
fn a_number_that_the_types_do_not_hold_is_a_fault_with_its_spot() {
    check(
        &json!({"queues": [
            {"key": "a", "group": "support"},
            {"key": "b", "group": "support", "mode": {"type": "offer", "timeout_seconds": 5_000_000_000_i64}},
        ], "auto_close_after_seconds": 1e300}),
        &expect![[r#"
            invalid auto_close_after_seconds: invalid type: floating point `1e+300`, expected u64
            invalid queues[1]: invalid value: integer `5000000000`, expected u32"#]],
    );
}

#[test]
fn a_document_with_fifty_faults_gives_fifty() {
    let rules: Vec<Value> = (0..50)
        .map(|i| match i % 5 {
            0 => json!({"key": format!("r{i}"), "then": {"queue": "nowhere"}}),
            1 => json!({"key": format!("r{i}"), "then": {"queue": "support"}, "wen": "always"}),
            2 => json!({"key": format!("r{i}"), "then": {"queue": "support"}, "when": {"field": "x"}}),
            3 => json!({"key": format!("r{i}"), "then": {}}),
            _ => json!({"key": "R", "then": {"queue": "support"}}),
        })
        .collect();
    let faults = Desk::from_value(&json!({ "rules": rules })).unwrap_err();
    // A leaf without an operator and with an unknown field has two.
    assert_eq!(faults.len(), 60, "{}", lines(&faults));
    for i in 0..50 {
        assert!(faults.iter().any(|f| f.path.starts_with(&format!("rules[{i}]"))), "rule {i}");
    }
}

#[test]
fn faults_over_the_limit_are_counted() {
    let rules = vec![json!({"key": "r", "then": {"queue": "nowhere"}}); 2_000];
    let faults = Desk::from_value(&json!({ "rules": rules })).unwrap_err();
    assert_eq!(faults.len(), FAULTS_MAX + 1);
    assert_eq!(faults[FAULTS_MAX].message, "and 2999 faults more");
}

/// The document passes at the limit; over it, it is refused at this spot.
fn holds(reader: &DeskReader, max: usize, spot: &str, document: impl Fn(usize) -> Value) {
    if let Err(faults) = reader.read(&document(max)) {
        panic!("{spot} at {max}: {}", lines(&faults));
    }
    let faults = reader.read(&document(max + 1)).unwrap_err();
    assert!(
        faults.iter().any(|fault| fault.code == Code::OverLimit && fault.path == spot),
        "{spot} over {max}: {}",
        lines(&faults)
    );
}

#[test]
fn limits_of_lists_hold_at_and_over() {
    let reader = DeskReader::new().unwrap();
    let many = |n: usize, more: &Value| {
        let mut entries = vec![more.clone(); n];
        for (i, entry) in entries.iter_mut().enumerate() {
            entry["key"] = json!(format!("k{i}"));
        }
        json!(entries)
    };
    let named = json!({"name": "N"});
    let sections = [
        ("groups", named.clone()),
        ("brands", named.clone()),
        ("skills", named.clone()),
        ("tiers", named.clone()),
        ("requester_tiers", named),
        ("queues", json!({"group": "k0"})),
        ("mailboxes", json!({"channel": "chat"})),
        ("macros", json!({"name": "N", "steps": [{"type": "note", "text": "n"}]})),
        ("views", json!({"when": "always"})),
        ("roles", json!({"may": {"read": "all"}})),
        ("presences", json!({"state": "away"})),
        ("statuses", json!({"name": "N", "category": "open"})),
    ];
    let documents = [CONFIG_ENTRIES_MAX, CONFIG_ENTRIES_MAX + 1].map(|n| {
        let mut document = json!({"transitions": vec![json!({"to": ["k0"]}); n]});
        for (section, more) in &sections {
            document[*section] = many(n, more);
        }
        for (i, category) in StatusCategory::ALL.iter().enumerate() {
            document["statuses"][i]["category"] = json!(category);
        }
        document
    });
    assert!(reader.read(&documents[0]).is_ok());
    let faults = reader.read(&documents[1]).unwrap_err();
    let mut spots: Vec<&str> = sections.iter().map(|(section, _)| *section).collect();
    spots.push("transitions");
    for spot in spots {
        let is_told = |fault: &Fault| fault.code == Code::OverLimit && fault.path == spot;
        assert!(faults.iter().any(is_told), "{spot}");
    }
    let field = json!({"name": "F", "kind": {"type": "boolean"}});
    holds(&reader, CUSTOM_FIELDS_MAX, "fields", |n| json!({"fields": many(n, &field)}));
    let rule = json!({"then": {"queue": "support"}});
    holds(&reader, RULES_MAX, "rules", |n| json!({"rules": many(n, &rule)}));
}

#[test]
fn limits_of_entries_hold_at_and_over() {
    let reader = DeskReader::new().unwrap();
    let words = |n: usize| (0..n).map(|i| format!("t{i}")).collect::<Vec<_>>();
    holds(
        &reader,
        STAGES_MAX,
        "queues[0].stages",
        |n| json!({"queues": [{"key": "support", "group": "support", "stages": vec![json!({}); n]}]}),
    );
    let one_step = |step: Value| json!({"macros": [{"key": "m", "name": "M", "steps": [step]}]});
    holds(
        &reader,
        MACRO_STEPS_MAX,
        "macros[0].steps",
        |n| json!({"macros": [{"key": "m", "name": "M", "steps": vec![json!({"type": "note", "text": "n"}); n]}]}),
    );
    holds(&reader, TEXT_BYTES_MAX, "macros[0].steps[0].text", |n| {
        one_step(json!({"type": "reply", "text": "x".repeat(n)}))
    });
    holds(&reader, SUBJECT_CHARS_MAX, "macros[0].steps[0].change.to", |n| {
        one_step(json!({"type": "change", "change": {"type": "set_subject", "to": "ж".repeat(n)}}))
    });
    holds(&reader, NAME_CHARS_MAX, "name", |n| json!({"name": "ж".repeat(n)}));
    holds(
        &reader,
        NAME_CHARS_MAX,
        "groups[0].name",
        |n| json!({"groups": [{"key": "support", "name": "ж".repeat(n)}]}),
    );
    let then = |then: Value| json!({"rules": [{"key": "r", "then": then}]});
    holds(&reader, TAGS_MAX, "rules[0].then.tags", |n| {
        then(json!({"queue": "support", "tags": words(n)}))
    });
    holds(&reader, TAG_CHARS_MAX, "rules[0].then.tags[0]", |n| {
        then(json!({"queue": "support", "tags": ["ж".repeat(n)]}))
    });
    holds(&reader, SKILLS_MAX, "rules[0].then.skills", |n| {
        let skills: Vec<Value> = words(n).iter().map(|key| json!({ "skill": key })).collect();
        let keys: Vec<Value> = words(n).iter().map(|key| json!({ "key": key })).collect();
        let mut document = then(json!({"queue": "support", "skills": skills}));
        document["skills"] = json!(keys);
        document
    });
    let condition = |when: Value| json!({"views": [{"key": "v", "when": when}]});
    let nested = |n: usize| (1..n).fold(json!("always"), |inner, _| json!({ "not": inner }));
    let spot = format!("views[0].when.{}", ["not"; CONDITION_DEPTH_MAX].join("."));
    holds(&reader, CONDITION_DEPTH_MAX, &spot, |n| condition(nested(n)));
    holds(&reader, CONDITION_LEAVES_MAX, "views[0].when", |n| {
        condition(json!({"all": vec!["always"; n]}))
    });
}

#[test]
fn the_depth_of_a_document_has_a_limit_in_each_format() {
    let nested = |n: usize| (0..n).fold(json!(1), |inner, _| json!([inner]));
    let over = |value: &Value| {
        let faults = Desk::from_value(value).err().unwrap_or_default();
        faults.iter().any(|fault| fault.code == Code::OverLimit)
    };
    assert!(!over(&nested(DOCUMENT_DEPTH_MAX)));
    assert!(over(&nested(DOCUMENT_DEPTH_MAX + 1)));
    let text = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    assert!(from_json(&text(DOCUMENT_DEPTH_MAX)).is_ok());
    assert!(from_json(&text(DOCUMENT_DEPTH_MAX + 100)).is_err());
    assert!(from_toml(&format!("a = {}", text(70))).is_ok());
    assert!(from_toml(&format!("a = {}", text(DOCUMENT_DEPTH_MAX + 20))).is_err());
    // The limit leaves room on the 2 MiB stack of a thread, unoptimized too.
    assert!(from_yaml(&text(DOCUMENT_DEPTH_MAX - 1)).is_ok());
    assert!(from_yaml(&text(DOCUMENT_DEPTH_MAX + 1)).is_err());
}

#[test]
fn the_length_of_a_text_has_a_limit_in_each_format() {
    let mut text = " ".repeat(DOCUMENT_BYTES_MAX - 2) + "{}";
    assert!(from_json(&text).is_ok());
    text.push(' ');
    for read in [from_json, from_toml, from_yaml] {
        assert_eq!(read(&text).unwrap_err().code, Code::OverLimit);
    }
}

#[test]
fn faults_at_the_limit_are_all_told() {
    let rules = vec![json!({"key": "r", "then": {"queue": "support"}}); FAULTS_MAX + 1];
    let faults = Desk::from_value(&json!({ "rules": rules })).unwrap_err();
    assert_eq!(faults.len(), FAULTS_MAX);
    assert!(faults.iter().all(|fault| fault.code == Code::Duplicate));
}

#[test]
fn a_value_nested_too_deep_is_a_fault() {
    let mut value = json!("always");
    for _ in 0..1_000 {
        value = json!({ "not": value });
    }
    let document = json!({"views": [{"key": "v", "when": value}]});
    assert_eq!(Desk::from_value(&document).unwrap_err()[0].code, Code::OverLimit);
}

#[test]
fn rules_stand_in_order_of_position_then_key() {
    let rule = |key: &str, position: Option<i64>| {
        let mut rule = json!({"key": key, "then": {"queue": "support"}});
        rule["position"] = json!(position);
        rule
    };
    let desk = desk(&json!({"rules": [
        rule("first", None), rule("second", None), rule("z", Some(5)), rule("a", Some(10)),
    ]}));
    let keys: Vec<&str> = desk.rules().iter().map(|rule| rule.key.as_str()).collect();
    assert_eq!(keys, ["first", "z", "a", "second"]);
}

#[test]
fn groups_without_queues_get_one_each_and_the_first_is_the_default() {
    let desk = desk(&json!({"groups": [{"key": "b"}, {"key": "a", "name": "Alpha"}]}));
    assert_eq!(desk.default_queue(None).map(|q| q.key.as_str()), Some("b"));
    assert_eq!(desk.queue(&key("a")).map(|q| &*q.name), Some("Alpha"));
    assert_eq!(desk.group(&key("b")).map(|g| &*g.name), Some("b"));
}

#[test]
fn a_desk_may_have_no_default_queue() {
    let document = json!({"default_queue": null, "mailboxes": [
        {"key": "sales", "default_queue": "support", "channel": "chat", "follow_up": "new_ticket"},
    ]});
    let desk = desk(&document);
    assert!(desk.default_queue(None).is_none());
    assert!(desk.default_queue(Some(&key("sales"))).is_some());
    assert_eq!(desk.follow_up(Some(&key("sales"))), FollowUp::NewTicket);
    assert_eq!(desk.mailbox(&key("sales")).map(|m| m.channel), Some(Channel::Chat));
}

#[test]
fn the_status_after_a_reply_is_the_presets_unless_the_desk_says_otherwise() {
    let after = |document: Value| desk(&document).status_after_reply().map(|s| s.key.clone());
    assert_eq!(after(json!({"preset": "live_agent"})), Some(key("answered")));
    assert_eq!(after(json!({"preset": "live_agent", "status_after_reply": null})), None);
    assert_eq!(after(json!({"status_after_reply": "pending"})), Some(key("pending")));
    assert_eq!(after(json!({})), None);
}

const TOML: &str = r#"
name = "Acme"
auto_close_after_seconds = 3600

[[groups]]
key = "billing"

[[fields]]
key = "due"
name = "Due"
on = "ticket"
kind = { type = "instant" }

[[rules]]
key = "old"
when = { all = [
    { field = "custom.due", before = 2026-06-01T12:00:00Z },
    { not = { field = "language", is = "no" } },
] }
then = { queue = "billing", tags = ["on"] }
"#;

const YAML: &str = "
name: Acme
auto_close_after_seconds: 3600
groups:
- key: billing
fields:
- {key: due, name: Due, on: ticket, kind: {type: instant}}
rules:
- key: old
  when:
    all:
    - {field: custom.due, before: 2026-06-01T12:00:00Z}
    - not: {field: language, is: no}
  then: {queue: billing, tags: [on]}
";

const JSON: &str = r#"{
    "name": "Acme", "auto_close_after_seconds": 3600, "groups": [{"key": "billing"}],
    "fields": [{"key": "due", "name": "Due", "on": "ticket", "kind": {"type": "instant"}}],
    "rules": [{
        "key": "old",
        "when": {"all": [
            {"field": "custom.due", "before": "2026-06-01T12:00:00Z"},
            {"not": {"field": "language", "is": "no"}}
        ]},
        "then": {"queue": "billing", "tags": ["on"]}
    }]
}"#;

#[test]
fn toml_yaml_and_json_of_one_document_give_the_same_desk() {
    let from_json = from_json(JSON).unwrap();
    assert_eq!(from_toml(TOML).unwrap(), from_json);
    assert_eq!(from_yaml(YAML).unwrap(), from_json);
    assert_eq!(desk(&from_toml(TOML).unwrap()), desk(&from_json));
}

#[test]
fn texts_that_cannot_be_read() {
    let deep = "[".repeat(100_000);
    let bomb = format!(
        "a: &a [x]\n{}z: *y\n",
        ('b'..='y').zip('a'..='x').fold(String::new(), |text, (name, of)| {
            text + &format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(", "))
        })
    );
    let cases: [(&str, Result<Value, Fault>); 14] = [
        ("json cut", from_json("{\"name\": ")),
        ("json twice", from_json("{\"name\": 1,\n \"name\": 2}")),
        ("json number", from_json("[1e999]")),
        ("json deep", from_json(&deep)),
        ("toml cut", from_toml("name = \n")),
        ("toml twice", from_toml("name = 1\nname = 2")),
        ("toml number", from_toml("name = inf")),
        ("toml deep", from_toml(&format!("a = {deep}"))),
        ("yaml cut", from_yaml("name: [a, b\n")),
        ("yaml twice", from_yaml("name: 1\nname: 2")),
        ("yaml number", from_yaml("name: .inf")),
        ("yaml deep", from_yaml(&deep)),
        ("yaml bomb", from_yaml(&bomb)),
        ("yaml merge", from_yaml("a: &a {x: 1}\nb: {<<: *a}\n")),
    ];
    let told: Vec<String> =
        cases.into_iter().map(|(name, read)| format!("{name}: {}", read.unwrap_err())).collect();
    expect![[r#"
        json cut: not JSON: line 1, column 9: EOF while parsing a value
        json twice: not JSON: line 2, column 11: `name` stands twice in one place
        json number: not JSON: line 1, column 6: number out of range
        json deep: not JSON: line 1, column 128: recursion limit exceeded
        toml cut: not TOML: line 1, column 8: string values must be quoted, expected literal string
        toml twice: not TOML: line 2, column 1: duplicate key
        toml number: not TOML: line 1, column 8: not a finite number
        toml deep: not TOML: line 1, column 85: cannot recurse further; max recursion depth met
        yaml cut: not YAML: line 1, column 7: unclosed bracket '['
        yaml twice: not YAML: line 2, column 1: duplicate mapping key: name
        yaml number: not YAML: line 1, column 7: non-finite float `.inf` rejected by the configured policy
        yaml deep: not YAML: line 1, column 81: recursion limit exceeded
        yaml bomb: not YAML: line 7, column 24: budget breached: RecordedAnchorEvents { recorded_anchor_events: 1000001 }
        yaml merge: not YAML: line 2, column 5: YAML merge keys are not allowed by configured policy"#]].assert_eq(&told.join("\n"));
}

#[test]
fn the_schema_is_one_that_others_can_use() {
    let schema = config_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    assert!(validator.is_valid(&from_json(JSON).unwrap()));
    assert!(validator.is_valid(&serde_json::to_value(Document::default()).unwrap()));
    assert!(!validator.is_valid(&json!({"views": [{"key": "v", "when": {"field": "nix"}}]})));
}

#[test]
fn the_default_document_is_the_empty_one() {
    let written = serde_json::to_value(Document::default()).unwrap();
    assert_eq!(desk(&written), desk(&json!({})));
}

fn any_value() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "key", "name", "type", "to", "groups", "queues", "rules", "when", "then", "all", "field",
        "support", "status", "is", "always", "steps", "macros", "roles", "may", "read", "own",
        "statuses", "category", "new", "fields", "kind", "choice", "values", "views", "tier",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        words.clone().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(words.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,200}", seed in "[\\[\\]{}:,\\-&*!|>\"'=\\n a-z0-9.#]{0,120}") {
        for text in [&text, &seed] {
            let _ = (from_json(text), from_toml(text), from_yaml(text));
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_value_makes_a_desk_panic(entries in prop::collection::vec(any_value(), 1..4)) {
        let reader = DeskReader::new().unwrap();
        for section in ["rules", "calendars", "queues", "macros", "fields", "statuses", "roles", "follow_up"] {
            let list = json!({ section: entries });
            let single = json!({ section: entries[0] });
            for document in [&list, &single, &entries[0]] {
                match reader.read(document) {
                    Ok(desk) => { let _ = desk.lint(); }
                    Err(faults) => prop_assert!(!faults.is_empty()),
                }
            }
        }
    }
}
