//! Documents as people write them, and what the desk makes of them.

use super::*;
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
            invalid roles[0].may.reply: takes one of `own`, `participant`, `assigned`, `groups`, `groups_or_none`, `all`; found `some`
            unknown_field roles[0].may.raed: there is no field `raed`; near it: `read`, `wake`, `claim`
            invalid rules[0].then.priority: takes one of `low`, `normal`, `high`, `urgent`; found `hgih`
            invalid rules[0].then.skills[0].level: takes at most 10; found `11`
            invalid rules[1].then: takes an object; found a list
            invalid selection_seed: takes at least 0; found `-1`
            invalid views: takes a list; found an object
            unknown_field nmae: there is no field `nmae`; near it: `name`, `roles`, `rules`
            invalid rules[1].when.is: there is no status `x`; near it: `new`, `open`, `closed`"#]],
    );
}
