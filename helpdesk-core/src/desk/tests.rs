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
        &expect![[]],
    );
}
