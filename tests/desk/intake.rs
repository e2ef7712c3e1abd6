//! From a message to a ticket: joining, follow-ups, copies, cuts, contacts.

use crate::kit::{Step, check, mail, mail_with, on, reply, sender, set_status, show};
use expect_test::expect;
use serde_json::{Value, json};

fn desk() -> Value {
    json!({"agents": {"amy": {"groups": ["support"]}}})
}

/// A mail that answers the first mail of the script.
fn answer(from: &str, text: &str) -> Step {
    mail_with(from, "Re", text, json!({"in_reply_to": "<mail-1@x>"}))
}

#[test]
fn a_first_message_opens_a_ticket_in_the_default_queue() {
    check(
        desk(),
        &[
            ("2026-11-20T16:30:00Z", mail("anna@acme.com", "Invoice missing", "Where is it?")),
            (
                "2026-11-20T16:31:00Z",
                mail("anna@acme.com", "", &format!("{}\nmore", "a long first line ".repeat(9))),
            ),
            ("2026-11-20T16:32:00Z", mail("anna@acme.com", "  ", " ")),
            ("2026-11-20T16:33:00Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 16:30 contact anna made; #1 opened `Invoice missing` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 16:31 #2 opened `a long first line a long first line a long first line a long first line a long…` for anna; #2 m1 by anna; #2 to support (desk_default)
            Fri 16:32 #3 opened `(no subject)` for anna; #3 m1 by anna; #3 to support (desk_default)
            Fri 16:33 delivered group HD-1 to support; group HD-2 to support; group HD-3 to support"#]],
    );
}

#[test]
fn a_message_joins_by_conversation_then_answer_then_references() {
    check(
        desk(),
        &[
            (
                "2026-11-20T09:00:00Z",
                mail_with("anna@acme.com", "A", "a", json!({"thread_key": "t1"})),
            ),
            ("2026-11-20T09:01:00Z", mail("anna@acme.com", "B", "b")),
            (
                "2026-11-20T09:02:00Z",
                mail_with("anna@acme.com", "Re", "x", json!({"thread_key": "t1"})),
            ),
            (
                "2026-11-20T09:03:00Z",
                mail_with("anna@acme.com", "Re", "x", json!({"in_reply_to": "mail-2@x"})),
            ),
            (
                "2026-11-20T09:04:00Z",
                mail_with(
                    "anna@acme.com",
                    "Re",
                    "x",
                    json!({"references": ["<mail-1@x>", "<mail-2@x>", "<other@x>"]}),
                ),
            ),
            (
                "2026-11-20T09:05:00Z",
                mail_with(
                    "anna@acme.com",
                    "Re",
                    "x",
                    json!({"thread_key": "t1", "in_reply_to": "<mail-2@x>"}),
                ),
            ),
            (
                "2026-11-20T09:06:00Z",
                mail_with("anna@acme.com", "Re", "x", json!({"in_reply_to": "<nowhere@x>"})),
            ),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
            Fri 09:02 [joined by=thread_key]; #1 m2 by anna
            Fri 09:03 [joined by=in_reply_to]; #2 m2 by anna
            Fri 09:04 [joined by=references]; #2 m3 by anna
            Fri 09:05 [joined by=thread_key]; #1 m3 by anna
            Fri 09:06 #3 opened `Re` for anna; #3 m1 by anna; #3 to support (desk_default)"#]],
    );
}

#[test]
fn an_answer_to_an_agents_reply_joins_by_its_external_id() {
    let reply =
        json!({"type": "reply", "ticket": "#1", "text": "Here.", "external_id": "<out-1@desk>"});
    let again =
        json!({"type": "reply", "ticket": "#1", "text": "Here.", "external_id": "out-1@desk"});
    check(
        desk(),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", Step::Do("amy", reply)),
            (
                "2026-11-20T09:02:00Z",
                mail_with("anna@acme.com", "Re", "x", json!({"in_reply_to": "<out-1@desk>"})),
            ),
            ("2026-11-20T09:03:00Z", Step::Do("amy", again)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 #1 m2 by amy; #1 new→open (agent_replied)
            Fri 09:02 [joined by=in_reply_to]; #1 m3 by anna
            Fri 09:03 refused: duplicate external_id"#]],
    );
}

#[test]
fn a_stranger_does_not_join_but_who_is_on_copy_does() {
    check(
        desk(),
        &[
            (
                "2026-11-20T09:00:00Z",
                mail_with("anna@acme.com", "A", "a", json!({"cc": [sender("bob@acme.com")]})),
            ),
            ("2026-11-20T09:01:00Z", answer("eve@evil.com", "let me in")),
            ("2026-11-20T09:02:00Z", answer("Bob@ACME.com", "me too")),
            ("2026-11-20T09:03:00Z", reply("bob", "#1", "and by the portal")),
            ("2026-11-20T09:04:00Z", reply("eve", "#1", "hello?")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; contact bob made; #1 follower_added follower={id:bob,type:contact}; #1 to support (desk_default)
            Fri 09:01 [not_joined why=no_participant]; contact eve made; #2 opened `Re` for eve; #2 m1 by eve; #2 to support (desk_default)
            Fri 09:02 [joined by=in_reply_to]; #1 m2 by bob
            Fri 09:03 #1 m3 by bob
            Fri 09:04 refused: not_found ticket"#]],
    );
}

#[test]
fn the_desks_own_addresses_are_not_copied() {
    let mut config = desk();
    config["mailboxes"] = json!([{"key": "help", "address": "help@desk.com"}]);
    let more = json!({"mailbox": "help", "cc": [
        sender("HELP@desk.com"), sender("bob@acme.com"), sender("anna@acme.com"), sender("nonsense"),
    ]});
    check(
        config,
        &[
            ("2026-11-20T09:00:00Z", mail_with("anna@acme.com", "A", "a", more)),
            ("2026-11-20T09:01:00Z", reply("amy", "#1", "hello")),
            ("2026-11-20T09:02:00Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna mailbox=help; #1 m1 by anna; contact bob made; #1 follower_added follower={id:bob,type:contact}; #1 to support (desk_default)
            Fri 09:01 #1 m2 by amy; #1 new→open (agent_replied)
            Fri 09:02 delivered group HD-1 to support; reply HD-1 `hello` to anna@acme.com, bob@acme.com"#]],
    );
}

#[test]
fn a_message_that_comes_in_twice_is_one() {
    let twice = || mail_with("anna@acme.com", "A", "a", json!({"external_id": "<same@x>"}));
    check(
        desk(),
        &[
            ("2026-11-20T09:00:00Z", twice()),
            ("2026-11-20T09:00:05Z", twice()),
            // The command is forgotten by then, the message is not.
            ("2026-11-30T09:00:00Z", twice()),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00:05 replayed; contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Mon 09:00 [duplicate]"#]],
    );
}

#[test]
fn a_requesters_message_opens_pending_and_on_hold() {
    check(
        desk(),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", set_status("amy", "#1", "pending")),
            ("2026-11-20T09:02:00Z", answer("anna@acme.com", "still")),
            ("2026-11-20T09:03:00Z", set_status("amy", "#1", "on_hold")),
            ("2026-11-20T09:04:00Z", answer("anna@acme.com", "and?")),
            ("2026-11-20T09:05:00Z", on("amy", "solve", "#1")),
            ("2026-11-20T09:06:00Z", answer("anna@acme.com", "no, it is not")),
            ("2026-11-20T09:07:00Z", on("amy", "close", "#1")),
            ("2026-11-20T09:08:00Z", answer("anna@acme.com", "it is back")),
            ("2026-11-20T09:09:00Z", answer("anna@acme.com", "again")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 #1 new→pending (by_hand)
            Fri 09:02 [joined by=in_reply_to]; #1 m2 by anna; #1 pending→open (requester_replied)
            Fri 09:03 #1 open→on_hold (by_hand)
            Fri 09:04 [joined by=in_reply_to]; #1 m3 by anna; #1 on_hold→open (requester_replied)
            Fri 09:05 #1 open→solved (by_hand) closes Tue 09:05
            Fri 09:06 [joined by=in_reply_to]; #1 m4 by anna; #1 solved→open (requester_replied); #1 to support (reopened)
            Fri 09:07 #1 open→closed (by_hand)
            Fri 09:08 [not_joined why=closed]; #2 opened `A` for anna; #2 linked link={kind:follow_up_of,to:#1}; #1 linked link={kind:followed_up_by,to:#2}; #2 m1 by anna; #2 to support (desk_default)
            Fri 09:09 [not_joined why=closed]; #3 opened `A` for anna; #3 linked link={kind:follow_up_of,to:#1}; #1 linked link={kind:followed_up_by,to:#3}; #3 m1 by anna; #3 to support (desk_default)"#]],
    );
}

#[test]
fn the_mailbox_says_what_a_message_on_a_solved_ticket_does() {
    let mut config = desk();
    config["mailboxes"] = json!([
        {"key": "new", "follow_up": "new_ticket"},
        {"key": "soon", "follow_up": {"reopen_within_seconds": 3600}},
    ]);
    let first =
        |mailbox: &str| mail_with("anna@acme.com", mailbox, "a", json!({"mailbox": mailbox}));
    let next = |mailbox: &str, answered: &str| {
        let more = json!({"mailbox": mailbox, "in_reply_to": answered});
        mail_with("anna@acme.com", "Re", "b", more)
    };
    check(
        config,
        &[
            ("2026-11-20T09:00:00Z", first("new")),
            ("2026-11-20T09:01:00Z", first("soon")),
            ("2026-11-20T10:00:00Z", on("amy", "solve", "#1")),
            ("2026-11-20T10:00:00Z", on("amy", "solve", "#2")),
            ("2026-11-20T10:01:00Z", next("new", "<mail-1@x>")),
            ("2026-11-20T11:00:00Z", next("soon", "<mail-2@x>")),
            ("2026-11-20T12:00:00Z", on("amy", "solve", "#2")),
            ("2026-11-20T13:00:01Z", next("soon", "<mail-2@x>")),
            ("2026-11-20T13:01:00Z", show("#1", &["links"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `new` for anna mailbox=new; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 #2 opened `soon` for anna mailbox=soon; #2 m1 by anna; #2 to support (desk_default)
            Fri 10:00 #1 new→solved (by_hand) closes Tue 10:00
            Fri 10:00 #2 new→solved (by_hand) closes Tue 10:00
            Fri 10:01 [not_joined why=solved]; #3 opened `new` for anna mailbox=new; #3 linked link={kind:follow_up_of,to:#1}; #1 linked link={kind:followed_up_by,to:#3}; #3 m1 by anna; #3 to support (desk_default)
            Fri 11:00 [joined by=in_reply_to]; #2 m2 by anna; #2 solved→open (requester_replied); #2 to support (reopened)
            Fri 12:00 #2 open→solved (by_hand) closes Tue 12:00
            Fri 13:00:01 [not_joined why=solved]; #4 opened `soon` for anna mailbox=soon; #4 linked link={kind:follow_up_of,to:#2}; #2 linked link={kind:followed_up_by,to:#4}; #4 m1 by anna; #4 to support (desk_default)
            Fri 13:01 links=[{kind:followed_up_by,to:#3}]"#]],
    );
}

#[test]
fn a_conversation_goes_on_in_the_follow_up() {
    let chat = |text: &str| mail_with("anna@acme.com", "Chat", text, json!({"thread_key": "c"}));
    check(
        desk(),
        &[
            ("2026-11-20T09:00:00Z", chat("one")),
            ("2026-11-20T09:01:00Z", on("amy", "close", "#1")),
            (
                "2026-11-20T09:02:00Z",
                mail_with(
                    "anna@acme.com",
                    "Chat",
                    "two",
                    json!({"thread_key": "c", "cc": [sender("bob@acme.com")]}),
                ),
            ),
            ("2026-11-20T09:03:00Z", chat("three")),
            ("2026-11-20T09:04:00Z", on("amy", "delete_ticket", "#2")),
            ("2026-11-20T09:05:00Z", chat("four")),
            ("2026-11-20T09:06:00Z", chat("five")),
            ("2026-11-20T09:07:00Z", show("#1", &["followers", "links", "status"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `Chat` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 #1 new→closed (by_hand)
            Fri 09:02 [not_joined why=closed]; #2 opened `Chat` for anna; #2 linked link={kind:follow_up_of,to:#1}; #1 linked link={kind:followed_up_by,to:#2}; #2 m1 by anna; #2 to support (desk_default); contact bob made; #2 follower_added follower={id:bob,type:contact}
            Fri 09:03 [joined by=thread_key]; #2 m2 by anna
            Fri 09:04 #2 deleted
            Fri 09:05 [not_joined why=deleted]; #3 opened `Chat` for anna; #3 m1 by anna; #3 to support (desk_default)
            Fri 09:06 [joined by=thread_key]; #3 m2 by anna
            Fri 09:07 links=[{kind:followed_up_by,to:#2}] status=closed"#]],
    );
}

#[test]
fn a_message_after_the_time_to_close_finds_the_ticket_closed() {
    check(
        desk(),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", on("amy", "solve", "#1")),
            // Nobody ticked since.
            ("2026-11-24T09:01:00Z", answer("anna@acme.com", "late")),
            ("2026-11-24T09:02:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 #1 new→solved (by_hand) closes Tue 09:01
            Tue 09:01 [caught_up due_at=Tue-09:01 kind=auto_close]; [not_joined why=closed]; #1 solved→closed (auto_closed); #2 opened `A` for anna; #2 linked link={kind:follow_up_of,to:#1}; #1 linked link={kind:followed_up_by,to:#2}; #2 m1 by anna; #2 to support (desk_default)
            Tue 09:02 tick: nothing"#]],
    );
}

#[test]
fn long_texts_are_cut_and_flagged() {
    let attachment = json!({"name": "a.txt", "media_type": "text/plain", "size_bytes": 1, "sha256": "0".repeat(64)});
    let long = format!("{}é", "x".repeat((1 << 20) - 1));
    check(
        desk(),
        &[
            ("2026-11-20T09:00:00Z", mail("anna@acme.com", "at the limit", &"x".repeat(1 << 20))),
            ("2026-11-20T09:01:00Z", mail("anna@acme.com", "over", &long)),
            (
                "2026-11-20T09:02:00Z",
                mail_with(
                    "anna@acme.com",
                    "s",
                    "files",
                    json!({"attachments": vec![attachment; 101]}),
                ),
            ),
            (
                "2026-11-20T09:03:00Z",
                mail_with(
                    "anna@acme.com",
                    &"s".repeat(1_001),
                    "html",
                    json!({"html": "h".repeat((1 << 20) + 1)}),
                ),
            ),
            (
                "2026-11-20T09:04:00Z",
                Step::Ask(
                    "sys",
                    json!({"type": "conversation", "ticket": {"id": "#2"}}),
                    &["text_bytes", "truncated"],
                ),
            ),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `at the limit` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 [truncated from=1048577 to=1048575 what=text]; #2 opened `over` for anna; #2 m1 by anna (cut); #2 to support (desk_default)
            Fri 09:02 [truncated from=101 to=100 what=attachments]; #3 opened `s` for anna; #3 m1 by anna (cut) +100 files; #3 to support (desk_default)
            Fri 09:03 [truncated from=1048577 to=1048576 what=html]; [truncated from=1001 to=1000 what=subject]; #4 opened `ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss` for anna; #4 m1 by anna (cut); #4 to support (desk_default)
            Fri 09:04 1 rows: text_bytes=1048575 truncated=true"#]],
    );
}

#[test]
fn a_sender_is_a_contact_of_the_organization_with_that_domain() {
    let create = json!({"type": "create_organization", "name": "Acme", "details": {"domains": ["@ACME.com"]}});
    check(
        desk(),
        &[
            ("2026-11-20T08:59:00Z", Step::Do("sys", create)),
            ("2026-11-20T09:00:00Z", mail("Anna@Acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", mail("anna@other.com", "B", "b")),
            ("2026-11-20T09:02:00Z", mail("anna@acme.com", "C", "c")),
        ],
        &expect![[r#"
            Fri 08:59 acme organization_created acme
            Fri 09:00 contact anna made; #1 opened `A` for anna organization=acme; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 contact anna made; #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
            Fri 09:02 #3 opened `C` for anna organization=acme; #3 m1 by anna; #3 to support (desk_default)"#]],
    );
}

#[test]
fn a_form_brings_priority_type_tags_and_fields() {
    let mut config = desk();
    config["fields"] = json!([{"key": "product", "name": "Product", "kind": {"type": "choice", "values": ["a", "b"]}}]);
    let good = json!({"channel": "form", "priority": "high", "ticket_type": "incident", "tags": ["web", " web ", "b"], "custom": {"product": "a"}});
    let bad = json!({"channel": "form", "custom": {"product": "c", "nothing": 1}, "tags": [""]});
    check(
        config,
        &[
            ("2026-11-20T09:00:00Z", mail_with("anna@acme.com", "A", "a", good)),
            ("2026-11-20T09:01:00Z", mail_with("anna@acme.com", "A", "a", bad)),
            (
                "2026-11-20T09:02:00Z",
                mail_with("anna@acme.com", "A", "a", json!({"mailbox": "none"})),
            ),
            (
                "2026-11-20T09:03:00Z",
                mail_with("anna@acme.com", "A", "a", json!({"external_id": " <> "})),
            ),
            ("2026-11-20T09:04:00Z", mail("nobody", "A", "a")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna priority=high type=incident tags=[b,web] custom={product:a}; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 refused: not_configured custom.nothing, invalid custom.product
            Fri 09:02 refused: not_configured mailbox
            Fri 09:03 refused: invalid external_id
            Fri 09:04 refused: invalid from.identity.value"#]],
    );
}

#[test]
fn an_imported_ticket_stands_as_it_was_and_comes_once() {
    let import = json!({
        "type": "import_ticket", "external_id": "Z-7", "number": "HD-70", "requester": sender("anna@acme.com"),
        "subject": "Old", "channel": "email", "status": "solved", "assignee": "@amy", "tags": ["old"],
        "created_at": "2025-01-01T00:00:00Z", "solved_at": "2025-01-02T00:00:00Z",
        "messages": [
            {"kind": "public_reply", "text": "help", "sent_at": "2025-01-01T00:00:00Z", "external_id": "<z@x>"},
            {"kind": "public_reply", "agent": "@amy", "text": "done", "sent_at": "2025-01-01T12:00:00Z"},
        ],
    });
    let mut huge = import.clone();
    huge["external_id"] = json!("Z-8");
    huge["number"] = json!("HD-18446744073709551615");
    check(
        desk(),
        &[
            ("2026-11-20T09:00:00Z", Step::Do("import", import.clone())),
            ("2026-11-20T09:00:00Z", Step::Do("import", import)),
            ("2026-11-20T09:01:00Z", Step::Do("amy", huge.clone())),
            ("2026-11-20T09:01:00Z", Step::Do("import", huge)),
            ("2026-11-20T09:02:00Z", mail("bob@acme.com", "New", "n")),
            (
                "2026-11-20T09:03:00Z",
                mail_with("anna@acme.com", "Re", "again", json!({"in_reply_to": "<z@x>"})),
            ),
            (
                "2026-11-20T09:04:00Z",
                show(
                    "#70",
                    &[
                        "status",
                        "assignee",
                        "first_replied_at",
                        "times.created_at",
                        "counters.messages",
                    ],
                ),
            ),
            ("2026-11-20T09:05:00Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #70 opened `Old` for anna tags=[old]; #70 m1 by anna; #70 m2 by amy; #70 assigned to amy (imported)
            Fri 09:00 [duplicate]
            Fri 09:01 refused: forbidden
            Fri 09:01 refused: over_limit number
            Fri 09:02 contact bob made; #71 opened `New` for bob; #71 m1 by bob; #71 to support (desk_default)
            Fri 09:03 [joined by=in_reply_to]; #70 m3 by anna; #70 solved→open (requester_replied)
            Fri 09:04 status=open assignee=amy times.created_at=Wed-00:00 counters.messages=3
            Fri 09:05 delivered group HD-71 to support; agent requester_replied HD-70 to amy"#]],
    );
}
