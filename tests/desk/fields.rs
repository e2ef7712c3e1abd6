//! Plain fields, custom fields, tags, and who may write them.

use crate::kit::{Kit, Step, at, change, check, mail, show};
use expect_test::expect;
use helpdesk::MemoryStore;
use serde_json::{Value, json};
use std::sync::Arc;

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({
        "agents": {"amy": {"groups": ["support"]}},
        "brands": [{"key": "shop"}], "tiers": [{"key": "l2"}], "skills": [{"key": "french"}],
        "fields": [
            {"key": "product", "name": "Product", "public": true, "kind": {"type": "choice", "values": ["a", "b"]}},
            {"key": "parts", "name": "Parts", "kind": {"type": "multi_choice", "values": ["x", "y"]}},
            {"key": "serial", "name": "Serial", "kind": {"type": "text", "max_chars": 4, "pattern": "[0-9]+"}},
            {"key": "amount", "name": "Amount", "kind": {"type": "number", "min": 0, "max": 10, "whole": true}},
            {"key": "bought", "name": "Bought", "kind": {"type": "instant"}},
            {"key": "paid", "name": "Paid", "kind": {"type": "boolean"}},
        ],
    })
}

fn custom(field: &str, to: Value) -> Value {
    json!([{"type": "set_custom", "field": field, "to": to}])
}

#[test]
fn impact_and_urgency_give_the_priority() {
    let set = |kind: &str, to: &str| change("amy", "#1", json!([{"type": kind, "to": to}]));
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, set("set_impact", "high")),
            (AT, set("set_urgency", "high")),
            (AT, set("set_priority", "low")),
            (AT, set("set_urgency", "high")),
            (AT, set("set_urgency", "low")),
            (
                AT,
                change(
                    "amy",
                    "#1",
                    json!([{"type": "set_impact", "to": "low"}, {"type": "set_priority", "to": "urgent"}]),
                ),
            ),
            (AT, show("#1", &["priority", "impact", "urgency"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 updated changes=[{to:high,type:set_impact}]
            Fri 09:00 #1 updated changes=[{to:high,type:set_urgency},{to:urgent,type:set_priority}]
            Fri 09:00 #1 updated changes=[{to:low,type:set_priority}]
            Fri 09:00 nothing
            Fri 09:00 #1 updated changes=[{to:low,type:set_urgency},{to:normal,type:set_priority}]
            Fri 09:00 #1 updated changes=[{to:low,type:set_impact},{to:low,type:set_priority},{to:urgent,type:set_priority}]
            Fri 09:00 priority=urgent impact=low urgency=low"#]],
    );
}

#[test]
fn custom_fields_take_values_of_their_type_only() {
    let good = [
        ("product", json!("a")),
        ("parts", json!(["y", "x", "y"])),
        ("serial", json!("1234")),
        ("amount", json!(10)),
        ("bought", json!("2026-01-01T02:00:00+02:00")),
        ("paid", json!(true)),
    ];
    let bad = [
        ("product", json!("c")),
        ("product", json!(1)),
        ("parts", json!(["z"])),
        ("parts", json!("x")),
        ("serial", json!("12345")),
        ("serial", json!("12a")),
        ("amount", json!(10.5)),
        ("amount", json!(11)),
        ("amount", json!("1")),
        ("bought", json!("tomorrow")),
        ("paid", json!("yes")),
        ("none", json!(1)),
    ];
    let mut script = vec![(AT, mail("anna@acme.com", "A", "a"))];
    script.extend(good.into_iter().map(|(field, to)| (AT, change("amy", "#1", custom(field, to)))));
    script.extend(bad.into_iter().map(|(field, to)| (AT, change("amy", "#1", custom(field, to)))));
    script.push((AT, change("amy", "#1", custom("paid", Value::Null))));
    script.push((AT, show("#1", &["custom"])));
    check(
        desk(),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 #1 updated changes=[{field:product,to:a,type:set_custom}]
        Fri 09:00 #1 updated changes=[{field:parts,to:[x,y],type:set_custom}]
        Fri 09:00 #1 updated changes=[{field:serial,to:1234,type:set_custom}]
        Fri 09:00 #1 updated changes=[{field:amount,to:10.0,type:set_custom}]
        Fri 09:00 #1 updated changes=[{field:bought,to:Thu-00:00,type:set_custom}]
        Fri 09:00 #1 updated changes=[{field:paid,to:true,type:set_custom}]
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: over_limit changes[0].to
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: invalid changes[0].to
        Fri 09:00 refused: not_configured changes[0].to
        Fri 09:00 #1 updated changes=[{field:paid,to:null,type:set_custom}]
        Fri 09:00 custom={amount:10.0,bought:Thu-00:00,parts:[x,y],product:a,serial:1234}"#]],
    );
}

#[test]
fn custom_fields_of_contacts_and_organizations_are_checked_alike() {
    let mut config = desk();
    let of_tickets = config["fields"].as_array().unwrap().clone();
    let on = |owner: &str| {
        let mut fields = of_tickets.clone();
        fields.iter_mut().for_each(|field| field["on"] = json!(owner));
        fields
    };
    config["fields"] = json!([on("contact"), on("organization")].concat());
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), config);
    let now = at(AT);
    kit.step(&mail("anna@acme.com", "A", "a"), now);
    kit.execute("sys", json!({"type": "create_organization", "name": "Acme"}), now).unwrap();
    let patch = |owner: &str, field: &str, to: &Value| match owner {
        "contact" => {
            json!({"type": "update_contact", "contact": "@anna", "patch": {"custom": {field: to}}})
        }
        _ => {
            json!({"type": "update_organization", "organization": "@acme", "patch": {"custom": {field: to}}})
        }
    };
    for owner in ["contact", "organization"] {
        for (field, good, bad, code) in [
            ("product", json!("a"), json!("c"), "invalid"),
            ("parts", json!(["y", "x"]), json!(["z"]), "invalid"),
            ("serial", json!("1234"), json!("12345"), "over_limit"),
            ("amount", json!(10), json!(10.5), "invalid"),
            ("bought", json!("2026-01-01T02:00:00+02:00"), json!("tomorrow"), "invalid"),
            ("paid", json!(true), json!("yes"), "invalid"),
        ] {
            let error = kit.execute("sys", patch(owner, field, &bad), now).unwrap_err().body();
            let spot = format!("patch.custom.{field}");
            assert_eq!(
                (error.code.as_str(), error.path.as_deref()),
                (code, Some(&*spot)),
                "{owner}"
            );
            let done = kit.execute("sys", patch(owner, field, &good), now).unwrap();
            assert_eq!(done.events.len(), 1, "{owner} {field}");
            let unset = kit.execute("sys", patch(owner, field, &Value::Null), now).unwrap();
            assert_eq!(unset.events.len(), 1, "{owner} {field}");
        }
        let error = kit.execute("sys", patch(owner, "none", &json!(1)), now).unwrap_err().body();
        assert_eq!(error.code.as_str(), "not_configured", "{owner}");
    }
    // A ticket has none of them.
    let line = kit.step(&change("amy", "#1", custom("paid", json!(true))), now);
    assert_eq!(line, "refused: not_configured changes[0].to");
}

#[test]
fn plain_fields_are_checked_against_the_configuration_all_at_once() {
    let good = json!([
        {"type": "set_subject", "to": " B "}, {"type": "set_type", "to": "incident"},
        {"type": "set_language", "to": "fr"}, {"type": "set_brand", "to": "shop"},
        {"type": "set_tier", "to": "l2"}, {"type": "require_skills", "skills": [{"skill": "french", "level": 3}]},
        {"type": "prefer_skills", "skills": []},
    ]);
    let bad = json!([
        {"type": "set_subject", "to": " "}, {"type": "set_subject", "to": "s".repeat(1_001)},
        {"type": "set_language", "to": "Klingon!"}, {"type": "set_brand", "to": "none"},
        {"type": "set_tier", "to": "none"}, {"type": "set_requester", "to": "@amy"},
        {"type": "set_organization", "to": "@amy"},
        {"type": "require_skills", "skills": [{"skill": "french", "level": 11}, {"skill": "none"}, {"skill": "french"}]},
    ]);
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, change("amy", "#1", good.clone())),
            (AT, change("amy", "#1", good)),
            (AT, change("amy", "#1", bad)),
            (
                AT,
                change(
                    "amy",
                    "#1",
                    json!([{"type": "set_type", "to": "problem"}, {"type": "set_tier", "to": "none"}]),
                ),
            ),
            (AT, show("#1", &["subject", "type", "language", "brand", "tier", "required_skills"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 updated changes=[{to:B,type:set_subject},{to:incident,type:set_type},{to:fr,type:set_language},{to:shop,type:set_brand},{to:l2,type:set_tier},{skills:[{level:3,skill:french}],type:require_skills}]
            Fri 09:00 nothing
            Fri 09:00 refused: required_field changes[0].to, over_limit changes[1].to, invalid changes[2].to, not_configured changes[3].to, not_configured changes[4].to, not_found changes[5].to, not_found changes[6].to, invalid changes[7].skills[0].level, not_configured changes[7].skills[1].skill, duplicate changes[7].skills
            Fri 09:00 refused: not_configured changes[1].to
            Fri 09:00 subject=B type=incident language=fr brand=shop tier=l2 required_skills=[{level:3,skill:french}]"#]],
    );
}

#[test]
fn a_ticket_has_a_hundred_tags_at_most() {
    let tags = |n: usize| (0..n).map(|i| format!("t{i}")).collect::<Vec<_>>();
    let add = |tags: Vec<String>| change("amy", "#1", json!([{"type": "add_tags", "tags": tags}]));
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, add(vec![" vip ".into(), "a".into(), "vip".into()])),
            (AT, add(vec!["a".into()])),
            (AT, change("amy", "#1", json!([{"type": "remove_tags", "tags": ["a", "none"]}]))),
            (AT, add(vec![String::new(), "x".repeat(101)])),
            (AT, add(tags(101))),
            (AT, add(tags(100))),
            (AT, show("#1", &["tags"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 updated changes=[{tags:[a,vip],type:add_tags}]
            Fri 09:00 nothing
            Fri 09:00 #1 updated changes=[{tags:[a,none],type:remove_tags}]
            Fri 09:00 refused: invalid changes[0].tags[0], over_limit changes[0].tags[1]
            Fri 09:00 refused: over_limit changes[0].tags
            Fri 09:00 refused: over_limit changes
            Fri 09:00 tags=[vip]"#]],
    );
}

#[test]
fn requesters_write_public_custom_fields_only() {
    let mut config = desk();
    config["roles"] = json!([{"key": "customer", "may": {"read": "own", "update_ticket": "own"}}]);
    let set = |change_: Value| change("customer:anna", "#1", json!([change_]));
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, change("anna", "#1", custom("product", json!("a")))),
            (AT, set(custom("product", json!("a"))[0].clone())),
            (AT, set(custom("paid", json!(true))[0].clone())),
            (AT, set(json!({"type": "set_priority", "to": "urgent"}))),
            (AT, set(json!({"type": "add_tags", "tags": ["vip"]}))),
            (AT, set(json!({"type": "set_subject", "to": "B"}))),
            (AT, change("amy", "#1", custom("paid", json!(true)))),
            (
                AT,
                Step::Ask("anna", json!({"type": "get_ticket", "ticket": {"number": "HD-1"}}), &[]),
            ),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refused: forbidden
            Fri 09:00 #1 updated changes=[{field:product,to:a,type:set_custom}]
            Fri 09:00 refused: forbidden changes[0].type
            Fri 09:00 refused: forbidden changes[0].type
            Fri 09:00 refused: forbidden changes[0].type
            Fri 09:00 refused: forbidden changes[0].type
            Fri 09:00 #1 updated changes=[{field:paid,to:true,type:set_custom}]
            Fri 09:00 {category:new,channel:email,created_at:Fri-09:00,custom:{product:a},id:#1,last_message_at:Fri-09:00,number:HD-1,requester:anna,status:new,subject:A,version:5}"#]],
    );
}
