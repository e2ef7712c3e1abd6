//! Handoffs of rotations: the cases of kind `rotation_handoffs`.

use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::calendar::ZoneRules;
use helpdesk_core::escalation::oncall::LayerDef;
use helpdesk_core::escalation::rotation::Rotation;
use serde_json::{Value, json};

/// The handoffs of a case's rotation, from the first that is expected, beside
/// those that are: what was asked, what was expected, what came.
pub(super) fn handoffs(
    case: &Value,
    zones: &dyn ZoneRules,
) -> Result<Vec<(&'static str, Value, Value)>, String> {
    let expected = case["expected_handoffs"].as_array().ok_or("no `expected_handoffs`")?;
    let expected: Option<Vec<DateTime<Utc>>> =
        expected.iter().map(|at| at.as_str()?.parse().ok()).collect();
    let expected = expected.ok_or("`expected_handoffs` are not instants")?;
    let layer: LayerDef = serde_json::from_value(json!({
        "participants": ["00000000-0000-0000-0000-000000000001"],
        "unit": case["rotation"]["type"],
        "length": case["rotation"]["length"],
        "start": case["rotation"]["start"],
        "zone": case["zone"],
    }))
    .map_err(|error| error.to_string())?;
    let zone = zones.zone(&layer.zone).map_err(|error| error.to_string())?;
    let rotation = Rotation::new(&layer, zone);
    let mut got = Vec::new();
    let first = expected.first().and_then(|at| at.checked_sub_signed(TimeDelta::seconds(1)));
    let mut next = first.and_then(|at| rotation.next_handoff(at));
    for _ in &expected {
        let Some(at) = next else { break };
        got.push(at);
        next = rotation.next_handoff(at);
    }
    Ok(vec![("handoffs", json!(expected), json!(got))])
}
