//! Statuses: the table, roles, required fields; closing; spam and deletion.

use crate::kit::{Step, change, check, mail, note, on, reply, set_status, show};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({"agents": {"amy": {"groups": ["support"]}, "lea": {"groups": ["support"], "roles": ["team_lead"]}}})
}

#[test]
fn a_step_outside_the_table_is_refused() {
    let mut config = desk();
    config["transitions"] = json!([
        {"from": ["new"], "to": ["open"]},
        {"from": ["open"], "to": ["pending"]},
        {"from": ["pending"], "to": ["solved"], "roles": ["team_lead"], "requires": ["assignee", "type"]},
        {"from": ["solved"], "to": ["closed"]},
    ]);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, set_status("amy", "#1", "solved")),
            (AT, set_status("amy", "#1", "none")),
            (AT, set_status("amy", "#1", "open")),
            (AT, set_status("amy", "#1", "open")),
            (AT, set_status("amy", "#1", "pending")),
            // The table has no way back: the message stands, the status stays.
            (AT, reply("anna", "#1", "hello")),
            (AT, set_status("amy", "#1", "solved")),
            (AT, set_status("lea", "#1", "solved")),
            (AT, change("amy", "#1", json!([{"type": "set_type", "to": "incident"}]))),
            (AT, on("amy", "claim", "#1")),
            (AT, on("lea", "solve", "#1")),
            (AT, on("lea", "reopen", "#1")),
            (AT, on("lea", "close", "#1")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refused: no_such_transition status
            Fri 09:00 refused: not_configured status
            Fri 09:00 #1 new→open (by_hand)
            Fri 09:00 nothing
            Fri 09:00 #1 open→pending (by_hand)
            Fri 09:00 [no_transition from=pending to=open]; #1 m2 by anna
            Fri 09:00 refused: forbidden status
            Fri 09:00 refused: required_field assignee, required_field type
            Fri 09:00 #1 updated changes=[{to:incident,type:set_type}]
            Fri 09:00 #1 assigned to amy (claimed)
            Fri 09:00 #1 pending→solved (by_hand) closes Tue 09:00
            Fri 09:00 refused: no_such_transition status
            Fri 09:00 #1 solved→closed (by_hand)"#]],
    );
}

#[test]
fn reopen_is_for_solved_only() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("anna", "reopen", "#1")),
            (AT, on("anna", "solve", "#1")),
            (AT, on("anna", "solve", "#1")),
            (AT, on("anna", "reopen", "#1")),
            (AT, show("#1", &["status", "counters.reopens", "times"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refused: no_such_transition
            Fri 09:00 #1 new→solved (by_hand) closes Tue 09:00
            Fri 09:00 nothing
            Fri 09:00 #1 solved→open (by_hand); #1 to support (reopened)
            Fri 09:00 status=open counters.reopens=1 times={created_at:Fri-09:00,last_requester_at:Fri-09:00,updated_at:Fri-09:00}"#]],
    );
}

#[test]
fn a_closed_ticket_does_not_change() {
    let command = |kind: &str, more: Value| {
        let mut command = json!({"type": kind, "ticket": "#1"});
        crate::kit::merge(&mut command, more);
        Step::Do("lea", command)
    };
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "close", "#1")),
            (AT, reply("amy", "#1", "x")),
            (AT, note("amy", "#1", "x")),
            (AT, set_status("amy", "#1", "open")),
            (AT, on("amy", "reopen", "#1")),
            (AT, on("amy", "claim", "#1")),
            (AT, on("amy", "mark_spam", "#1")),
            (AT, change("amy", "#1", json!([]))),
            (AT, command("mark_seen", json!({"seq": 1}))),
            (AT, command("redact", json!({"seq": 1}))),
            (AT, command("delete_ticket", json!({}))),
            (AT, command("restore_ticket", json!({}))),
            (AT, command("follow_up", json!({"text": "again"}))),
            (AT, reply("anna", "#1", "back")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 new→closed (by_hand)
            Fri 09:00 refused: closed
            Fri 09:00 refused: closed
            Fri 09:00 refused: closed
            Fri 09:00 refused: closed
            Fri 09:00 refused: closed
            Fri 09:00 refused: closed
            Fri 09:00 refused: closed
            Fri 09:00 #1 seen by={id:lea,type:agent} seq=1
            Fri 09:00 #1 redacted n_attachments=0 seq=1
            Fri 09:00 #1 deleted
            Fri 09:00 #1 restored
            Fri 09:00 #2 opened `A` for anna; #2 linked link={kind:follow_up_of,to:#1}; #1 linked link={kind:followed_up_by,to:#2}; #2 m1 by lea; #2 new→open (agent_replied); #2 to support (desk_default)
            Fri 09:00 [not_joined why=closed]; #3 opened `A` for anna; #3 linked link={kind:follow_up_of,to:#1}; #1 linked link={kind:followed_up_by,to:#3}; #3 m1 by anna; #3 to support (desk_default)"#]],
    );
}

#[test]
fn nothing_is_written_to_a_ticket_whose_time_to_close_has_come() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "solve", "#1")),
            // Nobody ticked since.
            ("2026-11-24T09:00:00Z", reply("amy", "#1", "one more thing")),
            ("2026-11-24T09:00:00Z", on("amy", "reopen", "#1")),
            ("2026-11-24T09:00:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 new→solved (by_hand) closes Tue 09:00
            Tue 09:00 refused: closed
            Tue 09:00 refused: closed
            Tue 09:00 tick: Tue 09:00 #1 solved→closed (auto_closed)"#]],
    );
}

#[test]
fn spam_and_deleted_tickets_are_out_of_sight_and_come_back() {
    let list = |who, shelf: &str| {
        Step::Ask(who, json!({"type": "list_tickets", "which": {"shelf": shelf}}), &["number"])
    };
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("anna@acme.com", "B", "b")),
            (AT, on("amy", "claim", "#1")),
            (AT, on("amy", "mark_spam", "#1")),
            (AT, on("amy", "delete_ticket", "#2")),
            (AT, list("amy", "live")),
            (AT, list("amy", "spam")),
            (AT, list("amy", "deleted")),
            (AT, list("amy", "all")),
            (AT, list("anna", "live")),
            (AT, list("anna", "spam")),
            (AT, reply("anna", "#1", "no spam")),
            (AT, on("anna", "solve", "#2")),
            (AT, reply("amy", "#2", "x")),
            (AT, Step::Ask("sys", json!({"type": "workload"}), &["name", "active"])),
            (AT, on("amy", "unmark_spam", "#1")),
            (AT, on("amy", "restore_ticket", "#2")),
            (AT, on("amy", "restore_ticket", "#2")),
            (AT, Step::Ask("sys", json!({"type": "workload"}), &["name", "active"])),
            (AT, list("amy", "live")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
            Fri 09:00 #1 assigned to amy (claimed); #1 new→open (assigned)
            Fri 09:00 #1 marked_spam
            Fri 09:00 #2 deleted
            Fri 09:00 0 rows:
            Fri 09:00 1 rows: number=HD-1
            Fri 09:00 1 rows: number=HD-2
            Fri 09:00 2 rows: number=HD-1 | number=HD-2
            Fri 09:00 0 rows:
            Fri 09:00 refused: forbidden shelf
            Fri 09:00 refused: not_found ticket
            Fri 09:00 refused: not_found ticket
            Fri 09:00 refused: deleted
            Fri 09:00 2 rows: name=amy active=0 | name=lea active=0
            Fri 09:00 #1 unmarked_spam
            Fri 09:00 #2 restored
            Fri 09:00 nothing
            Fri 09:00 2 rows: name=amy active=1 | name=lea active=0
            Fri 09:00 2 rows: number=HD-1 | number=HD-2"#]],
    );
}
