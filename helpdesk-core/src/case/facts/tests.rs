//! What conditions see of a case's clocks.

use super::*;
use crate::condition::{ClockState, Schema};
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

fn now() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn ticket() -> Ticket {
    serde_json::from_value(json!({
        "id": Uuid::from_u128(1), "number": "1", "subject": "Invoice missing",
        "requester": Uuid::from_u128(100), "channel": "email", "channels": ["email"],
        "status": "new", "category": "new", "newest_public_seq": 0, "newest_public_bytes": 0,
        "counters": {
            "messages": 0, "attachments": 0, "reopens": 0, "reassignments": 0, "agent_touches": 0,
        },
        "times": {"created_at": now(), "updated_at": now()},
    }))
    .unwrap()
}

/// One clock, of the metric `first_reply`, due in ten minutes; level 2.
#[derive(Debug)]
struct OneClock;

impl CaseClocks for OneClock {
    fn due_at(&self) -> Option<DateTime<Utc>> {
        Some(now() + TimeDelta::minutes(10))
    }

    fn escalation_level(&self) -> Option<u32> {
        Some(2)
    }

    fn clock(&self, metric: &Key, at: DateTime<Utc>, _: &Calendars) -> Option<ClockFact> {
        let left_seconds = Some((self.due_at()? - at).num_seconds());
        let state = ClockState::Running;
        let fact = ClockFact { state, breached: false, left_seconds, used_percent: None };
        (metric.as_str() == "first_reply").then_some(fact)
    }
}

#[test]
fn a_condition_sees_the_clocks_of_the_case() {
    let leaves = [
        json!({"field": "due_at", "within_next": 600}),
        json!({"field": "escalation_level", "is": 2}),
        json!({"field": "sla.first_reply", "state": "running"}),
        json!({"field": "sla.first_reply", "left_lt": 601}),
        json!({"field": "sla.resolution", "unset": true}),
    ];
    let check = |leaf: &Value, around: Around<'_>| {
        let condition = Condition::parse(leaf, &Schema::default()).unwrap();
        holds(&condition, &ticket(), around, now(), &Terms::default())
    };
    for leaf in &leaves {
        let around = Around { clocks: Some(&OneClock), ..Around::default() };
        assert!(check(leaf, around), "{leaf}");
    }
    let without = leaves.iter().filter(|leaf| check(leaf, Around::default()));
    assert_eq!(without.collect::<Vec<_>>(), [&leaves[4]]);
}
