//! Replies, notes, and what is done to messages.

use crate::kit::{Step, check, mail, note, on, reply, show};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({"agents": {"amy": {"groups": ["support"]}, "ben": {"groups": ["support"]},
        "lea": {"groups": ["support"], "roles": ["team_lead"]}}})
}

fn messages(who: &'static str, ticket: &str) -> Step {
    let query = json!({"type": "conversation", "ticket": {"id": ticket}});
    Step::Ask(who, query, &["seq", "kind", "text", "redacted"])
}

fn file(n: usize) -> Value {
    let one = json!({"name": "a.txt", "media_type": "text/plain", "size_bytes": 1, "sha256": "0".repeat(64)});
    json!(vec![one; n])
}

#[test]
fn an_agents_first_reply_opens_a_new_ticket() {
    let with =
        |status: &str| json!({"type": "reply", "ticket": "#1", "text": "t", "status": status});
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, reply("amy", "#1", "hello")),
            (AT, Step::Do("amy", with("pending"))),
            (AT, Step::Do("amy", with("solved"))),
            (AT, Step::Do("amy", with("nowhere"))),
            (AT, Step::Do("anna", with("open"))),
            (AT, reply("bot:ben", "#1", "beep")),
            (
                AT,
                show(
                    "#1",
                    &[
                        "status",
                        "times.first_replied_at",
                        "last_answered_by",
                        "counters.agent_touches",
                    ],
                ),
            ),
            (AT, Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 m2 by amy; #1 new→open (agent_replied)
            Fri 09:00 #1 m3 by amy; #1 open→pending (by_hand)
            Fri 09:00 #1 m4 by amy; #1 pending→solved (by_hand) closes Tue 09:00
            Fri 09:00 refused: not_configured status
            Fri 09:00 refused: forbidden status
            Fri 09:00 #1 m5 by bot ben
            Fri 09:00 status=solved times.first_replied_at=Fri-09:00 last_answered_by=amy counters.agent_touches=3
            Fri 09:00 delivered group HD-1 to support; reply HD-1 `hello` to anna@acme.com; reply HD-1 `t` to anna@acme.com; reply HD-1 `t` to anna@acme.com; reply HD-1 `beep` to anna@acme.com"#]],
    );
}

#[test]
fn live_agents_desk_answers_with_the_reply() {
    let mut config = desk();
    config["preset"] = json!("live_agent");
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, reply("amy", "#1", "hello")),
            (AT, reply("anna", "#1", "thanks")),
            (AT, on("amy", "solve", "#1")),
            (AT, reply("amy", "#1", "one more thing")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 m2 by amy; #1 new→open (agent_replied); #1 open→answered (agent_replied)
            Fri 09:00 #1 m3 by anna; #1 answered→open (requester_replied)
            Fri 09:00 #1 open→resolved (by_hand) closes Tue 09:00
            Fri 09:00 #1 m4 by amy"#]],
    );
}

#[test]
fn requesters_never_see_notes() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, note("amy", "#1", "she is difficult")),
            (AT, reply("amy", "#1", "hello")),
            (AT, note("anna", "#1", "me too")),
            (AT, messages("anna", "#1")),
            (AT, messages("amy", "#1")),
            (
                AT,
                Step::Ask(
                    "anna",
                    json!({"type": "search_tickets", "text": "difficult"}),
                    &["number"],
                ),
            ),
            (
                AT,
                Step::Ask(
                    "amy",
                    json!({"type": "search_tickets", "text": "difficult"}),
                    &["number"],
                ),
            ),
            (AT, Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 note m2 by amy
            Fri 09:00 #1 m3 by amy; #1 new→open (agent_replied)
            Fri 09:00 refused: forbidden
            Fri 09:00 2 rows: seq=1 text=a | seq=3 text=hello
            Fri 09:00 3 rows: seq=1 kind=public_reply text=a | seq=2 kind=internal_note text=she is difficult | seq=3 kind=public_reply text=hello
            Fri 09:00 0 rows:
            Fri 09:00 1 rows: number=HD-1
            Fri 09:00 delivered group HD-1 to support; reply HD-1 `hello` to anna@acme.com"#]],
    );
}

#[test]
fn a_conversation_is_read_page_by_page() {
    let page = |who, after: u32, limit: usize| {
        let query =
            json!({"type": "conversation", "ticket": {"id": "#1"}, "after": after, "limit": limit});
        Step::Ask(who, query, &["seq"])
    };
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "1")),
            (AT, note("amy", "#1", "2")),
            (AT, reply("amy", "#1", "3")),
            (AT, reply("amy", "#1", "4")),
            (AT, page("anna", 0, 2)),
            (AT, page("anna", 3, 2)),
            (AT, page("amy", 0, 2)),
            (AT, page("amy", u32::MAX, 2)),
            (AT, page("amy", 0, 0)),
            (AT, page("amy", 0, 1_001)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 note m2 by amy
            Fri 09:00 #1 m3 by amy; #1 new→open (agent_replied)
            Fri 09:00 #1 m4 by amy
            Fri 09:00 2 rows: seq=1 | seq=3 …
            Fri 09:00 1 rows: seq=4
            Fri 09:00 2 rows: seq=1 | seq=2 …
            Fri 09:00 0 rows:
            Fri 09:00 refused: invalid limit
            Fri 09:00 refused: over_limit limit"#]],
    );
}

#[test]
fn a_note_is_edited_by_who_wrote_it() {
    let edit = |seq: u32, text: &str| json!({"type": "edit_note", "ticket": "#1", "seq": seq, "text": text});
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, note("amy", "#1", "teh note")),
            (AT, Step::Do("amy", edit(2, "the note"))),
            (AT, Step::Do("ben", edit(2, "my note"))),
            (AT, Step::Do("admin:ben", edit(2, "our note"))),
            (AT, Step::Do("amy", edit(1, "a"))),
            (AT, Step::Do("amy", edit(9, "a"))),
            (AT, Step::Do("amy", edit(2, " "))),
            (AT, messages("amy", "#1")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 note m2 by amy
            Fri 09:00 #1 note_edited seq=2
            Fri 09:00 refused: forbidden
            Fri 09:00 #1 note_edited seq=2
            Fri 09:00 refused: invalid seq
            Fri 09:00 refused: not_found message
            Fri 09:00 refused: invalid text
            Fri 09:00 2 rows: seq=1 kind=public_reply text=a | seq=2 kind=internal_note text=our note"#]],
    );
}

#[test]
fn a_redacted_message_is_empty_for_good() {
    let redact = |seq: u32| json!({"type": "redact", "ticket": "#1", "seq": seq});
    let attach = |seq: u32| json!({"type": "add_attachment", "ticket": "#1", "seq": seq, "attachment": file(1)[0]});
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "my card is 4111")),
            (AT, note("amy", "#1", "card 4111")),
            (AT, Step::Do("anna", attach(1))),
            (AT, Step::Do("amy", redact(1))),
            (AT, Step::Do("lea", redact(1))),
            (AT, Step::Do("lea", redact(2))),
            (AT, Step::Do("lea", redact(2))),
            (AT, Step::Do("anna", attach(1))),
            (
                AT,
                Step::Do(
                    "amy",
                    json!({"type": "edit_note", "ticket": "#1", "seq": 2, "text": "back"}),
                ),
            ),
            (AT, messages("amy", "#1")),
            (AT, Step::Ask("amy", json!({"type": "search_tickets", "text": "4111"}), &["number"])),
            (AT, show("#1", &["counters"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 note m2 by amy
            Fri 09:00 #1 attachment_added attachment={media_type:text/plain,name:a.txt,sha256:0000000000000000000000000000000000000000000000000000000000000000,size_bytes:1} seq=1
            Fri 09:00 refused: forbidden
            Fri 09:00 #1 redacted n_attachments=1 seq=1
            Fri 09:00 #1 redacted n_attachments=0 seq=2
            Fri 09:00 nothing
            Fri 09:00 refused: deleted seq
            Fri 09:00 refused: deleted seq
            Fri 09:00 2 rows: seq=1 kind=public_reply text= redacted=true | seq=2 kind=internal_note text= redacted=true
            Fri 09:00 0 rows:
            Fri 09:00 counters={agent_touches:0,attachments:0,messages:2,reassignments:0,reopens:0}"#]],
    );
}

#[test]
fn a_message_has_at_most_a_hundred_files() {
    let with =
        |files: Value| json!({"type": "reply", "ticket": "#1", "text": "", "attachments": files});
    let attach =
        json!({"type": "add_attachment", "ticket": "#1", "seq": 2, "attachment": file(1)[0]});
    let bad = json!([{"name": "", "media_type": "x", "size_bytes": 1, "sha256": "XYZ"}]);
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, Step::Do("amy", with(file(100)))),
            (AT, Step::Do("amy", with(file(101)))),
            (AT, Step::Do("amy", attach.clone())),
            (AT, Step::Do("anna", attach)),
            (AT, Step::Do("amy", with(bad))),
            (AT, Step::Do("amy", with(json!([])))),
            (AT, show("#1", &["counters"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 m2 by amy +100 files; #1 new→open (agent_replied)
            Fri 09:00 refused: over_limit attachments
            Fri 09:00 refused: over_limit attachments
            Fri 09:00 refused: forbidden seq
            Fri 09:00 refused: invalid attachments[0].name, invalid attachments[0].sha256
            Fri 09:00 refused: invalid text
            Fri 09:00 counters={agent_touches:1,attachments:100,messages:2,reassignments:0,reopens:0}"#]],
    );
}

#[test]
fn agents_say_what_they_read() {
    let seen = |seq: u32| json!({"type": "mark_seen", "ticket": "#1", "seq": seq});
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, Step::Do("amy", seen(1))),
            (AT, Step::Do("amy", seen(2))),
            (AT, Step::Do("anna", seen(1))),
            (AT, Step::Do("sys", seen(1))),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 seen by={id:amy,type:agent} seq=1
            Fri 09:00 refused: not_found message
            Fri 09:00 refused: forbidden
            Fri 09:00 refused: invalid"#]],
    );
}

#[test]
fn followers_hear_of_messages() {
    let follow = |kind: &str, who: &str, name: &str| json!({"type": kind, "ticket": "#1", "follower": {"type": who, "id": name}});
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("bob@acme.com", "B", "b")),
            (AT, Step::Deliver),
            (AT, Step::Do("amy", follow("add_follower", "agent", "@ben"))),
            (AT, Step::Do("amy", follow("add_follower", "contact", "@bob"))),
            (AT, Step::Do("amy", follow("add_follower", "contact", "@bob"))),
            (AT, Step::Do("amy", follow("add_follower", "contact", "@ben"))),
            (AT, reply("amy", "#1", "to both")),
            (AT, note("amy", "#1", "inside")),
            (AT, reply("bob", "#1", "I answer too")),
            (AT, Step::Deliver),
            (AT, Step::Do("anna", follow("remove_follower", "contact", "@bob"))),
            (AT, reply("bob", "#1", "hello?")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 contact bob made; #2 opened `B` for bob; #2 m1 by bob; #2 to support (desk_default)
            Fri 09:00 delivered group HD-1 to support; group HD-2 to support
            Fri 09:00 #1 follower_added follower={id:ben,type:agent}
            Fri 09:00 #1 follower_added follower={id:bob,type:contact}
            Fri 09:00 nothing
            Fri 09:00 refused: not_found contact
            Fri 09:00 #1 m2 by amy; #1 new→open (agent_replied)
            Fri 09:00 #1 note m3 by amy
            Fri 09:00 #1 m4 by bob
            Fri 09:00 delivered reply HD-1 `to both` to anna@acme.com, bob@acme.com; agent followed HD-1 to ben; agent followed HD-1 to ben; group HD-1 to support; agent followed HD-1 to ben
            Fri 09:00 #1 follower_removed follower={id:bob,type:contact}
            Fri 09:00 refused: not_found ticket"#]],
    );
}

#[test]
fn a_ticket_is_opened_on_behalf_of_a_contact() {
    let open = |more: Value| {
        let mut command = json!({"type": "open_ticket", "subject": "Call", "text": "she called"});
        crate::kit::merge(&mut command, more);
        command
    };
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("bob@acme.com", "B", "b")),
            (
                AT,
                Step::Do(
                    "amy",
                    open(
                        json!({"requester": "@anna", "channel": "phone", "changes": [{"type": "set_priority", "to": "high"}]}),
                    ),
                ),
            ),
            (
                AT,
                Step::Do(
                    "amy",
                    open(json!({"requester": "@anna", "as_note": true, "queue": "support"})),
                ),
            ),
            (AT, Step::Do("sys", open(json!({"requester": "@anna"})))),
            (AT, Step::Do("anna", open(json!({"as_note": true})))),
            (AT, Step::Do("anna", open(json!({"requester": "@bob"})))),
            (AT, Step::Do("anna", open(json!({"queue": "support"})))),
            (
                AT,
                Step::Do(
                    "anna",
                    open(json!({"changes": [{"type": "set_priority", "to": "high"}]})),
                ),
            ),
            (AT, Step::Do("amy", open(json!({})))),
            (AT, Step::Do("amy", open(json!({"requester": "@amy"})))),
            (AT, Step::Do("amy", open(json!({"requester": "@anna", "subject": " "})))),
            (AT, Step::Do("amy", open(json!({"requester": "@anna", "mailbox": "none"})))),
            (AT, Step::Do("amy", open(json!({"requester": "@anna", "queue": "none"})))),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 contact bob made; #2 opened `B` for bob; #2 m1 by bob; #2 to support (desk_default)
            Fri 09:00 #3 opened `Call` for anna; #3 m1 by amy; #3 new→open (agent_replied); #3 updated changes=[{to:high,type:set_priority}]; #3 to support (desk_default)
            Fri 09:00 #4 opened `Call` for anna; #4 note m1 by amy; #4 to support (by_hand)
            Fri 09:00 #5 opened `Call` for anna; #5 m1 by anna; #5 to support (desk_default)
            Fri 09:00 #6 opened `Call` for anna; #6 m1 by anna; #6 to support (desk_default)
            Fri 09:00 refused: forbidden requester
            Fri 09:00 refused: forbidden queue
            Fri 09:00 refused: forbidden changes[0].type
            Fri 09:00 refused: required_field requester
            Fri 09:00 refused: not_found requester
            Fri 09:00 refused: required_field subject
            Fri 09:00 refused: not_configured mailbox
            Fri 09:00 refused: not_configured queue"#]],
    );
}
