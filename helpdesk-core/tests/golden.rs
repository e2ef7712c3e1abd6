//! What was written once can be read for ever: an event of each type, in each shape, as it stands
//! in journals and archives.
//!
//! `golden/events.jsonl` is added to, never changed: a line that this version cannot read, or writes
//! otherwise, is somebody's journal. A new type of event, or a new field, comes with a line.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use helpdesk_core::case::archive::tombstone;
use helpdesk_core::case::erase::was_erasure;
use helpdesk_core::event::Event;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const EVENTS: &str = include_str!("golden/events.jsonl");

fn lines() -> impl Iterator<Item = (usize, Value)> {
    (1..).zip(EVENTS.lines()).map(|(n, line)| (n, serde_json::from_str(line).unwrap()))
}

#[test]
fn events_are_read_and_written_as_ever() {
    for (n, line) in lines() {
        let event: Event =
            serde_json::from_value(line.clone()).unwrap_or_else(|e| panic!("line {n}: {e}"));
        let again: Event = serde_json::from_value(serde_json::to_value(&event).unwrap()).unwrap();
        assert_eq!(again, event, "line {n}");
        let written = serde_json::to_value(&event).unwrap();
        // Nothing that stood there is lost.
        assert_eq!(lost(&line, &written), Vec::<String>::new(), "line {n}");
    }
}

/// Where a value stands in one and not so in the other. What is empty or null may be left out.
fn lost(before: &Value, after: &Value) -> Vec<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before
            .iter()
            .flat_map(|(key, value)| {
                let inner = lost(value, after.get(key).unwrap_or(&Value::Null));
                inner.into_iter().map(move |path| format!("{key}.{path}"))
            })
            .collect(),
        (Value::Array(one), Value::Null) if one.is_empty() => Vec::new(),
        (Value::Object(one), Value::Null) if one.is_empty() => Vec::new(),
        _ if before == after => Vec::new(),
        _ => vec![format!("{before} became {after}")],
    }
}

#[test]
fn each_type_of_event_has_its_line() {
    let error = serde_json::from_value::<Event>(json!({"type": "?"})).unwrap_err().to_string();
    let known: BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(known.contains("opened") && known.len() > 50, "{error}");
    let lines: BTreeSet<String> =
        lines().map(|(_, line)| line["type"].as_str().unwrap().to_owned()).collect();
    let missing: Vec<&&str> = known.iter().filter(|name| !lines.contains(**name)).collect();
    assert_eq!(missing, Vec::<&&str>::new());
}

#[test]
fn the_tombstone_of_an_erasure_is_known_as_one() {
    let erasure = Event::WriterErased { of_requester: true, messages: vec![1], n_attachments: 0 };
    for (event, is_one) in [(erasure, true), (Event::Woken, false)] {
        let entry = json!({
            "n": 1, "position": 1, "at": "2026-11-20T09:00:00Z", "event": event,
            "stream": {"kind": "case", "id": "00000000-0000-0000-0000-000000000001"},
            "origin": {"kind": "system", "cause":
                {"type": "command", "id": "00000000-0000-0000-0000-000000000002"}},
        });
        let left = tombstone(&serde_json::from_value(entry).unwrap());
        assert_eq!(was_erasure(&left), is_one, "{left:?}");
    }
}

#[test]
fn what_a_newer_version_wrote_passes_through() {
    let newer = [
        json!({"type": "sung", "song": {"verses": 7}}),
        json!({"type": "updated", "changes": [{"type": "set_mood", "to": "fine"}]}),
    ];
    for value in newer {
        let event = Event::or_opaque(value.clone()).unwrap();
        assert!(matches!(event, Event::Opaque(_)), "{event:?}");
        assert_eq!(serde_json::to_value(&event).unwrap(), value);
        assert_eq!(event.name(), value["type"].as_str().unwrap());
    }
    for none in [json!({"song": 7}), json!({"type": 7}), json!("woken"), json!(null)] {
        assert!(Event::or_opaque(none).is_err());
    }
}
