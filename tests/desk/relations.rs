//! Links, parents, follow-ups, macros.

use crate::kit::{Step, check, mail, on, run_macro, show};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({
        "groups": [{"key": "support"}, {"key": "sales"}],
        "agents": {"amy": {"groups": ["support"]}, "sam": {"groups": ["sales"]},
            "lea": {"groups": ["support"], "roles": ["team_lead"]}},
        "macros": [
            {"key": "done", "name": "Done", "steps": [
                {"type": "assign", "to": {"type": "me"}}, {"type": "reply", "text": "Done."},
                {"type": "note", "text": "easy"}, {"type": "change", "change": {"type": "add_tags", "tags": ["easy"]}},
                {"type": "set_status", "to": "solved"}]},
            {"key": "stuck", "name": "Stuck", "steps": [
                {"type": "reply", "text": "Wait."}, {"type": "set_status", "to": "new"}]},
            {"key": "sale", "name": "Sale", "groups": ["sales"], "steps": [{"type": "assign", "to": {"type": "nobody"}}]},
        ],
        "transitions": [{"to": ["open", "pending", "solved", "closed"]}],
    })
}

fn link(kind: &str, link: &str, from: &str, to: &str) -> Step {
    Step::Do("amy", json!({"type": kind, "ticket": from, "kind": link, "to": to}))
}

fn parent(ticket: &str, parent: &str) -> Step {
    Step::Do("amy", json!({"type": "set_parent", "ticket": ticket, "parent": parent}))
}

fn three() -> Vec<(&'static str, Step)> {
    ["A", "B", "C"].into_iter().map(|s| (AT, mail("anna@acme.com", s, "t"))).collect()
}

#[test]
fn a_link_has_two_ends() {
    let mut script = three();
    script.extend([
        (AT, link("link", "blocks", "#1", "#2")),
        (AT, link("link", "blocks", "#1", "#2")),
        (AT, link("link", "relates", "#1", "#1")),
        (AT, link("link", "follow_up_of", "#1", "#2")),
        (AT, show("#2", &["links"])),
        (AT, link("unlink", "blocked_by", "#2", "#1")),
        (AT, link("unlink", "blocked_by", "#2", "#1")),
        (AT, Step::Do("lea", json!({"type": "route_again", "ticket": "#3"}))),
        (AT, Step::Do("sys", json!({"type": "apply_config", "document": {"groups": [{"key": "support"}, {"key": "sales"}], "queues": [{"key": "sales", "group": "sales"}]}}))),
        (AT, Step::Do("sys", json!({"type": "route_again", "ticket": "#3"}))),
        (AT, link("link", "relates", "#1", "#3")),
    ]);
    check(
        desk(),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
        Fri 09:00 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default)
        Fri 09:00 #1 linked link={kind:blocks,to:#2}; #2 linked link={kind:blocked_by,to:#1}
        Fri 09:00 nothing
        Fri 09:00 refused: invalid to
        Fri 09:00 refused: invalid kind
        Fri 09:00 links=[{kind:blocked_by,to:#1}]
        Fri 09:00 #2 unlinked link={kind:blocked_by,to:#1}; #1 unlinked link={kind:blocks,to:#2}
        Fri 09:00 nothing
        Fri 09:00 #3 to support (desk_default)
        Fri 09:00 config applied
        Fri 09:00 #3 to sales (desk_default)
        Fri 09:00 refused: not_found to"#]],
    );
}

#[test]
fn a_ticket_is_no_part_of_itself() {
    let mut script = three();
    script.extend([
        (AT, parent("#1", "#1")),
        (AT, parent("#2", "#1")),
        (AT, parent("#3", "#2")),
        (AT, parent("#1", "#3")),
        (AT, Step::Do("amy", json!({"type": "set_parent", "ticket": "#3"}))),
        (AT, parent("#1", "#3")),
    ]);
    check(
        desk(),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
        Fri 09:00 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default)
        Fri 09:00 refused: invalid parent
        Fri 09:00 #2 parent_set parent=#1
        Fri 09:00 #3 parent_set parent=#2
        Fri 09:00 refused: invalid parent
        Fri 09:00 #3 parent_set
        Fri 09:00 #1 parent_set parent=#3"#]],
    );
}

#[test]
fn only_what_is_over_is_followed_up() {
    let follow = |subject: Value| {
        Step::Do(
            "amy",
            json!({"type": "follow_up", "ticket": "#1", "text": "again", "subject": subject}),
        )
    };
    let mut script = three();
    script.extend([
        (AT, follow(Value::Null)),
        (AT, on("amy", "solve", "#1")),
        (AT, follow(json!(" "))),
        (AT, follow(json!("Again"))),
        (AT, show("#1", &["links", "status"])),
    ]);
    check(
        desk(),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
        Fri 09:00 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default)
        Fri 09:00 refused: invalid
        Fri 09:00 #1 new→solved (by_hand) closes Tue 09:00
        Fri 09:00 refused: required_field subject
        Fri 09:00 #4 opened `Again` for anna; #4 linked link={kind:follow_up_of,to:#1}; #1 linked link={kind:followed_up_by,to:#4}; #4 m1 by amy; #4 new→open (agent_replied); #4 to support (desk_default)
        Fri 09:00 links=[{kind:followed_up_by,to:#4}] status=solved"#]],
    );
}

#[test]
fn a_macro_does_all_or_nothing() {
    let mut script = three();
    script.extend([
        (AT, run_macro("amy", "#1", "done")),
        (AT, run_macro("amy", "#2", "stuck")),
        (AT, show("#2", &["version", "counters.messages"])),
        (AT, run_macro("amy", "#2", "sale")),
        (AT, run_macro("amy", "#2", "none")),
        (AT, run_macro("anna", "#2", "done")),
        (AT, run_macro("sys", "#2", "done")),
        (AT, Step::Deliver),
    ]);
    check(
        desk(),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
        Fri 09:00 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default)
        Fri 09:00 #1 macro_run key=done; #1 assigned to amy (macro); #1 new→open (assigned); #1 m2 by amy; #1 note m3 by amy; #1 updated changes=[{tags:[easy],type:add_tags}]; #1 open→solved (macro) closes Tue 09:00
        Fri 09:00 refused: no_such_transition steps[1].status
        Fri 09:00 version=3 counters.messages=1
        Fri 09:00 refused: forbidden key
        Fri 09:00 refused: not_configured key
        Fri 09:00 refused: forbidden
        Fri 09:00 refused: invalid steps[0].to
        Fri 09:00 delivered group HD-1 to support; group HD-2 to support; group HD-3 to support; reply HD-1 `Done.` to anna@acme.com"#]],
    );
}

fn many_changes(to: &str) -> Value {
    json!({"type": "apply_changes_to_many", "tickets": ["#1", "#2"],
        "changes": [{"type": "set_type", "to": to}]})
}

#[test]
fn one_failure_among_many_does_not_stop_the_rest() {
    let many = |who| {
        Step::Do(
            who,
            json!({"type": "run_macro_on_many", "tickets": ["#1", "#2", "#3"], "key": "done"}),
        )
    };
    let change = json!({"type": "apply_changes_to_many", "tickets": ["#1", "#2", "00000000-0000-0000-0000-000000000009"],
        "changes": [{"type": "set_type", "to": "task"}]});
    let too_many =
        json!({"type": "apply_changes_to_many", "tickets": vec!["#1"; 10_001], "changes": []});
    let mut script = three();
    script.extend([
        (AT, on("amy", "close", "#2")),
        (AT, many("amy")),
        (AT, many("lea")),
        (AT, Step::Do("lea", change.clone())),
        (AT, Step::Do("lea", too_many)),
        (AT, Step::DoAs("lea", 7, change.clone())),
        (AT, Step::DoAs("lea", 7, change)),
        (AT, Step::DoAt("lea", 3, many_changes("incident"))),
        (AT, Step::DoAs("lea", 8, many_changes("incident"))),
        (AT, Step::DoAs("lea", 8, many_changes("incident"))),
        (AT, Step::DoAs("lea", 8, many_changes("problem"))),
    ]);
    check(
        desk(),
        &script,
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
            Fri 09:00 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default)
            Fri 09:00 #2 new→closed (by_hand)
            Fri 09:00 refused: forbidden
            Fri 09:00 #1 macro_run key=done; #1 assigned to lea (macro); #1 new→open (assigned); #1 m2 by lea; #1 note m3 by lea; #1 updated changes=[{tags:[easy],type:add_tags}]; #1 open→solved (macro) closes Tue 09:00; #3 macro_run key=done; #3 assigned to lea (macro); #3 new→open (assigned); #3 m2 by lea; #3 note m3 by lea; #3 updated changes=[{tags:[easy],type:add_tags}]; #3 open→solved (macro) closes Tue 09:00; #2 refused: closed
            Fri 09:00 #1 updated changes=[{to:task,type:set_type}]; #2 refused: closed; a ticket refused: not_found
            Fri 09:00 refused: over_limit tickets
            Fri 09:00 #2 refused: closed; a ticket refused: not_found
            Fri 09:00 #2 refused: closed; a ticket refused: not_found
            Fri 09:00 refused: invalid expected_version
            Fri 09:00 #1 updated changes=[{to:incident,type:set_type}]; #2 refused: closed
            Fri 09:00 replayed; #1 updated changes=[{to:incident,type:set_type}]; #2 refused: closed
            Fri 09:00 #1 refused: command_id_reused; #2 refused: closed"#]],
    );
}
