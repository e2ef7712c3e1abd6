use super::*;
use crate::conformance;
use helpdesk_core::id::AgentId;

#[test]
fn a_notification_reads_back_from_json() {
    for sample in conformance::samples() {
        let json = serde_json::to_string(&sample).unwrap();
        assert_eq!(serde_json::from_str::<Notification>(&json).unwrap(), sample, "{json}");
    }
}

#[test]
fn a_recipient_holds_nothing_that_agents_wrote_about_a_contact() {
    let contact: Contact = serde_json::from_value(serde_json::json!({
        "id": Uuid::from_u128(1),
        "name": "Ann",
        "identities": [{ "kind": "email", "value": "ann@example.com", "verified": true }],
        "tags": ["difficult"],
        "notes": "shouts",
        "custom": {},
    }))
    .unwrap();
    assert_eq!(
        serde_json::to_value(Recipient::from(&contact)).unwrap(),
        serde_json::json!({
            "type": "contact",
            "id": Uuid::from_u128(1),
            "name": "Ann",
            "identities": [{ "kind": "email", "value": "ann@example.com", "verified": true }],
        }),
    );
}

#[test]
fn an_agent_without_an_address_is_still_a_recipient() {
    let recipient = Recipient::Agent { id: AgentId(Uuid::nil()), name: "Bo".into(), email: None };
    let json = serde_json::to_value(&recipient).unwrap();
    assert_eq!(json, serde_json::json!({ "type": "agent", "id": Uuid::nil(), "name": "Bo" }));
    assert_eq!(serde_json::from_value::<Recipient>(json).unwrap(), recipient);
}
