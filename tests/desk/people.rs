//! Contacts, organizations, agents.

use crate::kit::{Step, check, mail, mail_with, on, reply};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({"agents": {"amy": {"groups": ["support"]}, "lea": {"groups": ["support"], "roles": ["team_lead"]}}})
}

fn contact(name: &str, address: &str) -> Step {
    let identities = json!([{"kind": "email", "value": address}]);
    Step::Do("amy", json!({"type": "create_contact", "name": name, "identities": identities}))
}

#[test]
fn an_identity_belongs_to_one_contact() {
    let patch = |patch: Value| {
        Step::Do("amy", json!({"type": "update_contact", "contact": "@anna", "patch": patch}))
    };
    let identity = |value: &str| json!([{"kind": "email", "value": value}]);
    check(
        desk(),
        &[
            (AT, contact("Anna", " Anna@ACME.com ")),
            (AT, contact("Bob", "anna@acme.com")),
            (AT, contact("Bob", "bob@acme.com")),
            (AT, contact(" ", "nonsense")),
            (AT, patch(json!({"add_identities": identity("bob@acme.com")}))),
            (
                AT,
                patch(
                    json!({"add_identities": identity("anna@home.com"), "remove_identities": identity("ANNA@acme.com")}),
                ),
            ),
            (AT, patch(json!({"name": "Anna"}))),
            (
                AT,
                patch(
                    json!({"requester_tier": "gold", "language": "X!", "custom": {"none": 1}, "organization": "@amy", "tags": [""]}),
                ),
            ),
            (AT, mail("anna@home.com", "A", "a")),
            (AT, contact("Anna2", "anna@acme.com")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made
            Fri 09:00 refused: duplicate identities[0]
            Fri 09:00 contact bob made
            Fri 09:00 refused: invalid name, invalid identities[0].value
            Fri 09:00 refused: duplicate patch.add_identities[0]
            Fri 09:00 anna contact_updated patch={add_identities:[{kind:email,value:anna@home.com}],remove_identities:[{kind:email,value:anna@acme.com}]}
            Fri 09:00 nothing
            Fri 09:00 refused: invalid patch.tags[0], not_configured patch.custom.none, invalid patch.language, not_found patch.organization, not_configured patch.requester_tier
            Fri 09:00 #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 contact anna2 made"#]],
    );
}

#[test]
fn joined_contacts_are_one() {
    let join = |from: &str, into: &str| {
        Step::Do("lea", json!({"type": "join_contacts", "from": from, "into": into}))
    };
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("annie@home.com", "B", "b")),
            (AT, join("@anna", "@anna")),
            (AT, join("@anna", "@annie")),
            (AT, join("@anna", "@annie")),
            // Mail of the old address, on the old ticket, and the answer to it.
            (AT, mail_with("anna@acme.com", "Re", "x", json!({"in_reply_to": "<mail-1@x>"}))),
            (AT, mail_with("annie@home.com", "Re", "x", json!({"in_reply_to": "<mail-1@x>"}))),
            (AT, reply("amy", "#1", "hello")),
            (AT, Step::Deliver),
            (
                AT,
                Step::Do(
                    "amy",
                    json!({"type": "update_contact", "contact": "@anna", "patch": {"name": "x"}}),
                ),
            ),
            (
                AT,
                Step::Do(
                    "amy",
                    json!({"type": "open_ticket", "requester": "@anna", "subject": "s", "text": "t"}),
                ),
            ),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 contact annie made; #2 opened `B` for annie; #2 m1 by annie; #2 to support (desk_default)
            Fri 09:00 refused: invalid into
            Fri 09:00 anna contact_joined into=annie; annie contact_absorbed from=anna patch={add_identities:[{kind:email,value:anna@acme.com}],custom:{},notes:,tags:[]}
            Fri 09:00 refused: merged from
            Fri 09:00 [joined by=in_reply_to]; #1 m2 by annie
            Fri 09:00 [joined by=in_reply_to]; #1 m3 by annie
            Fri 09:00 #1 m4 by amy; #1 new→open (agent_replied)
            Fri 09:00 delivered group HD-1 to support; group HD-2 to support; group HD-1 to support; group HD-1 to support; reply HD-1 `hello` to annie@home.com
            Fri 09:00 refused: merged
            Fri 09:00 refused: merged requester"#]],
    );
}

#[test]
fn a_domain_belongs_to_one_organization() {
    let create = |name: &str, domains: Value| {
        Step::Do(
            "sys",
            json!({"type": "create_organization", "name": name, "details": {"domains": domains}}),
        )
    };
    let update = |patch: Value| {
        Step::Do(
            "sys",
            json!({"type": "update_organization", "organization": "@acme", "patch": patch}),
        )
    };
    check(
        desk(),
        &[
            (AT, create("Acme", json!(["acme.com", "ACME.com."]))),
            (AT, create("Other", json!(["acme.com"]))),
            (AT, create("", json!(["a b"]))),
            (AT, update(json!({"domains": ["acme.org"]}))),
            (AT, update(json!({"domains": ["acme.org"]}))),
            (AT, create("Other", json!(["acme.com"]))),
            (AT, Step::Do("amy", json!({"type": "create_organization", "name": "X"}))),
        ],
        &expect![[r#"
            Fri 09:00 acme organization_created acme
            Fri 09:00 refused: duplicate details.domains[0]
            Fri 09:00 refused: invalid name, invalid details.domains[0]
            Fri 09:00 acme organization_updated patch={domains:[acme.org]}
            Fri 09:00 nothing
            Fri 09:00 other organization_created other
            Fri 09:00 refused: forbidden"#]],
    );
}

#[test]
fn requesters_of_an_organization_that_shares_see_each_others_tickets() {
    let share = |shares: bool| {
        Step::Do(
            "sys",
            json!({"type": "update_organization", "organization": "@acme", "patch": {"shares_tickets": shares}}),
        )
    };
    let create = json!({"type": "create_organization", "name": "Acme", "details": {"domains": ["acme.com"]}});
    let list = Step::Ask("bob of acme", json!({"type": "list_tickets"}), &["number"]);
    check(
        desk(),
        &[
            (AT, Step::Do("sys", create)),
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("bob@acme.com", "B", "b")),
            (AT, list.clone()),
            (AT, share(true)),
            (AT, list),
            (AT, on("bob of acme", "solve", "#1")),
        ],
        &expect![[r#"
            Fri 09:00 acme organization_created acme
            Fri 09:00 contact anna made; #1 opened `A` for anna organization=acme; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 contact bob made; #2 opened `B` for bob organization=acme; #2 m1 by bob; #2 to support (desk_default)
            Fri 09:00 1 rows: number=HD-2
            Fri 09:00 acme organization_updated patch={shares_tickets:true}
            Fri 09:00 2 rows: number=HD-1 | number=HD-2
            Fri 09:00 #1 new→solved (by_hand) closes Tue 09:00"#]],
    );
}

#[test]
fn an_agent_names_what_the_desk_defines() {
    let create = |more: Value| {
        let mut command = json!({"type": "create_agent", "name": "New"});
        crate::kit::merge(&mut command, more);
        Step::Do("sys", command)
    };
    let update = |patch: Value| {
        Step::Do("sys", json!({"type": "update_agent", "agent": "@amy", "patch": patch}))
    };
    check(
        desk(),
        &[
            (AT, create(json!({"id": "@amy"}))),
            (
                AT,
                create(
                    json!({"roles": ["king"], "groups": ["none"], "tier": "l9", "languages": ["?"], "manager": "00000000-0000-0000-0000-000000000009",
                "skills": [{"skill": "none"}], "capacity": {"total": 1, "weights": {"chat": 0}}}),
                ),
            ),
            (AT, create(json!({"name": " "}))),
            (AT, update(json!({"manager": "@amy"}))),
            (AT, update(json!({"manager": "@lea"}))),
            (AT, update(json!({"manager": "@lea"}))),
            (AT, Step::Do("lea", json!({"type": "create_agent", "name": "x"}))),
        ],
        &expect![[r#"
            Fri 09:00 refused: duplicate id
            Fri 09:00 refused: not_configured roles[0], not_configured groups[0], not_configured tier, not_configured skills[0].skill, invalid languages[0], not_found manager, invalid capacity.weights
            Fri 09:00 refused: invalid name
            Fri 09:00 refused: not_found patch.manager
            Fri 09:00 amy agent_updated patch={manager:lea}
            Fri 09:00 nothing
            Fri 09:00 refused: forbidden"#]],
    );
}
