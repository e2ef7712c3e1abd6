//! Idempotency, versions, JSON envelopes, and bad input: a stable code, nothing changed.

use crate::kit::{Kit, Step, TENANT, at, check, mail, on, refused, sender, sqlite_at};
use crate::races::{Failure, Flaky};
use crate::state;
use expect_test::expect;
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::case::record::UniqueKey;
use helpdesk::storage::{Conflict, Expect, StoreError};
use helpdesk::{MemoryStore, SqliteOptions, SqliteStore};
use serde_json::{Value, json};
use std::sync::Arc;

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({"agents": {"amy": {"groups": ["support"]}, "ben": {"groups": ["support"]}}})
}

fn reply(text: &str) -> Value {
    json!({"type": "reply", "ticket": "#1", "text": text})
}

#[test]
fn a_command_id_stands_for_one_command() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, Step::DoAs("amy", 7, reply("once"))),
            (AT, Step::DoAs("amy", 7, reply("once"))),
            (AT, Step::DoAs("amy", 7, reply("other"))),
            (AT, Step::DoAs("ben", 7, reply("once"))),
            // A refused command is not kept.
            (AT, Step::DoAs("amy", 8, json!({"type": "reopen", "ticket": "#1"}))),
            (AT, Step::DoAs("amy", 8, reply("again"))),
            ("2026-11-27T08:59:59Z", Step::DoAs("amy", 7, reply("once"))),
            ("2026-11-27T09:00:00Z", Step::DoAs("amy", 7, reply("forgotten by now"))),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 m2 by amy; #1 new→open (agent_replied)
            Fri 09:00 replayed; #1 m2 by amy; #1 new→open (agent_replied)
            Fri 09:00 refused: command_id_reused
            Fri 09:00 refused: command_id_reused
            Fri 09:00 refused: no_such_transition
            Fri 09:00 #1 m3 by amy
            Fri 08:59:59 replayed; #1 m2 by amy; #1 new→open (agent_replied)
            Fri 09:00 #1 m4 by amy"#]],
    );
}

#[test]
fn a_long_import_is_replayed_whole() {
    let message = json!({"kind": "public_reply", "text": "t", "sent_at": AT});
    let import = json!({
        "type": "import_ticket", "external_id": "Z", "requester": sender("anna@acme.com"), "subject": "s",
        "channel": "email", "status": "open", "created_at": AT, "messages": vec![message; 1_100],
    });
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    let call = || helpdesk::Call::new(uuid::Uuid::from_u128(9).into(), kit.command(import.clone()));
    let actor = Actor::system(TENANT, Capability::ActAsImport);
    let first = kit.desk.execute(&actor, call(), at(AT)).unwrap();
    let again = kit.desk.execute(&actor, call(), at(AT)).unwrap();
    assert!(again.replayed && again.made == first.made);
    assert_eq!(again.events.len(), first.events.len());
    kit.step(&Step::Tick, at(AT));
}

#[test]
fn a_stale_version_is_a_conflict_with_the_actual_one() {
    let solve = json!({"type": "solve", "ticket": "#1"});
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, Step::DoAt("amy", 3, reply("seen"))),
            (AT, Step::DoAt("amy", 3, solve.clone())),
            (AT, Step::DoAt("amy", 5, solve)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 m2 by amy; #1 new→open (agent_replied)
            Fri 09:00 refused: conflict expected_version (at version 5)
            Fri 09:00 #1 open→solved (by_hand) closes Tue 09:00"#]],
    );
}

#[test]
fn json_envelopes_say_ok_or_what_is_wrong_and_where() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    kit.run(&[(AT, mail("anna@acme.com", "A", "a"))]);
    let actor = serde_json::to_value(Actor::system(TENANT, Capability::ActAsSystem)).unwrap();
    let id = "00000000-0000-0000-0000-000000000007";
    let ticket = kit.names.id("#1");
    let envelope =
        |command: Value| json!({"actor": actor, "command_id": id, "command": command}).to_string();
    let query = |query: Value| json!({"actor": actor, "query": query}).to_string();
    let mut lines = Vec::new();
    for text in [
        envelope(json!({"type": "solve", "ticket": ticket})),
        envelope(json!({"type": "solve", "ticket": ticket, "colour": 1})),
        envelope(json!({"type": "solve", "ticket": 7})),
        envelope(json!({"type": "update_ticket", "ticket": ticket, "changes": [{"type": "set_subject", "to": "x", "colour": 1}]})),
        envelope(json!({"type": "fire_timer"})), envelope(json!({"type": "dance"})), envelope(json!({})),
        json!({"actor": actor, "command_id": id, "command": {"type": "take_next"}, "more": 1}).to_string(),
        json!({"actor": {"tenant": TENANT, "kind": "system"}, "command_id": id, "command": {"type": "take_next"}}).to_string(),
        "{".to_owned(), String::new(), "[]".to_owned(),
    ] {
        lines.push(short(&kit.desk.execute_json(&text, at(AT))).trim_end().to_owned());
    }
    for text in [
        query(json!({"type": "count_tickets"})),
        query(json!({"type": "count_tickets", "colour": 1})),
        query(json!({"type": "get_ticket", "ticket": {"number": "HD 1"}})),
        query(
            json!({"type": "list_tickets", "which": {"condition": {"field": "colour", "is": "red"}}}),
        ),
        query(json!({"type": "dance"})),
        "nonsense".to_owned(),
    ] {
        lines.push(short(&kit.desk.query_json(&text, at(AT))).trim_end().to_owned());
    }
    expect![[r#"
        ok: events replayed ticket trace version
        unknown_field command.colour
        invalid command
        unknown_field command.changes[0].colour
        invalid command.type
        invalid command.type
        invalid command
        unknown_field more
        forbidden actor.capability
        invalid line 1 column 1
        invalid line 1 column 0
        invalid
        ok: capped n
        unknown_field query.colour
        invalid query
        unknown_field condition.field
        invalid query.type
        invalid line 1 column 2"#]]
    .assert_eq(&lines.join("\n"));
}

/// An answer without its words: the code and the spot, or the keys of what is ok.
fn short(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    if let Some(ok) = answer.get("ok") {
        let keys: Vec<&str> = ok.as_object().unwrap().keys().map(String::as_str).collect();
        return format!("ok: {}", keys.join(" "));
    }
    let error = &answer["error"];
    format!("{} {}", error["code"].as_str().unwrap(), error["path"].as_str().unwrap_or("-"))
}

#[test]
fn bad_input_changes_nothing() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    kit.run(&[(AT, mail("anna@acme.com", "A", "a"))]);
    let before = state::dump(&*kit.store, TENANT);
    let nobody = "00000000-0000-0000-0000-000000000009";
    let long = "x".repeat((1 << 20) + 1);
    let mut lines = Vec::new();
    for command in [
        reply(&long),
        reply(" "),
        json!({"type": "reply", "ticket": nobody, "text": "t"}),
        json!({"type": "reply", "ticket": "#1", "text": "t", "html": long}),
        json!({"type": "reply", "ticket": "#1", "text": "t", "external_id": " "}),
        json!({"type": "open_ticket", "requester": "@anna", "subject": "s".repeat(1_001), "text": "t"}),
        json!({"type": "open_ticket", "requester": nobody, "subject": "s", "text": "t"}),
        json!({"type": "update_ticket", "ticket": "#1", "changes": vec![json!({"type": "set_type"}); 1_001]}),
        json!({"type": "assign", "ticket": "#1", "agent": nobody}),
        json!({"type": "link", "ticket": "#1", "kind": "blocks", "to": nobody}),
        json!({"type": "set_parent", "ticket": "#1", "parent": nobody}),
        json!({"type": "update_contact", "contact": nobody, "patch": {}}),
        json!({"type": "join_contacts", "from": "@anna", "into": nobody}),
        json!({"type": "update_organization", "organization": nobody, "patch": {}}),
        json!({"type": "update_agent", "agent": nobody, "patch": {}}),
        json!({"type": "deactivate_agent", "agent": nobody}),
        json!({"type": "set_status", "ticket": "#1", "to": "none"}),
        json!({"type": "reopen", "ticket": "#1"}),
        json!({"type": "take_next"}),
        json!({"type": "apply_config", "document": {"queues": [{"key": "q", "group": "none"}]}}),
        json!({"type": "apply_config", "document": 7}),
    ] {
        let kind = command["type"].as_str().unwrap().to_owned();
        let error = kit.execute("sys", command, at(AT)).unwrap_err();
        lines.push(format!("{kind} {}", refused(&error)));
    }
    expect![[r#"
        reply refused: over_limit text
        reply refused: invalid text
        reply refused: not_found ticket
        reply refused: over_limit html
        reply refused: invalid external_id
        open_ticket refused: over_limit subject
        open_ticket refused: not_found requester
        update_ticket refused: over_limit changes
        assign refused: not_found agent
        link refused: not_found to
        set_parent refused: not_found parent
        update_contact refused: not_found contact
        join_contacts refused: not_found into
        update_organization refused: not_found organization
        update_agent refused: not_found agent
        deactivate_agent refused: not_found agent
        set_status refused: not_configured status
        reopen refused: no_such_transition
        take_next refused: invalid actor.kind
        apply_config refused: not_configured document.queues[0].group
        apply_config refused: invalid document"#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(state::dump(&*kit.store, TENANT), before);
    assert_eq!(kit.step(&on("sys", "solve", "#1"), at(AT)).split(' ').next(), Some("#1"));
}

#[test]
fn what_the_statuses_versions_and_ids_refuse_changes_nothing() {
    let mut config = desk();
    config["transitions"] = json!([
        {"to": ["open", "pending"]}, {"to": ["solved"], "requires": ["type", "assignee"]},
    ]);
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), config);
    kit.run(&[(AT, mail("anna@acme.com", "A", "a")), (AT, Step::DoAs("amy", 7, reply("once")))]);
    let before = state::dump(&*kit.store, TENANT);
    let lines = kit.run(&[
        (AT, on("amy", "close", "#1")),
        (AT, Step::Do("amy", json!({"type": "set_status", "ticket": "#1", "to": "on_hold"}))),
        (AT, on("amy", "solve", "#1")),
        (AT, Step::DoAt("amy", 3, reply("late"))),
        (AT, Step::DoAs("amy", 7, reply("other"))),
        (AT, Step::DoAs("amy", 7, json!({"type": "take_next"}))),
    ]);
    expect![[r#"
        Fri 09:00 refused: no_such_transition status
        Fri 09:00 refused: no_such_transition status
        Fri 09:00 refused: required_field type, required_field assignee
        Fri 09:00 refused: conflict expected_version (at version 5)
        Fri 09:00 refused: command_id_reused
        Fri 09:00 refused: command_id_reused"#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(state::dump(&*kit.store, TENANT), before);
}

#[test]
fn each_failure_of_a_store_has_its_code_and_changes_nothing() {
    let store = Arc::new(Flaky::new(0));
    let mut kit = Kit::new(store.clone(), desk());
    kit.run(&[(AT, mail("anna@acme.com", "A", "a"))]);
    let before = state::dump(&*kit.store, TENANT);
    let mut lines = Vec::new();
    let failures: [(&str, Failure); 9] = [
        ("conflict", |set| {
            let Expect { stream, version } = set.expect[0];
            StoreError::Conflict(Conflict { stream, expected: version, actual: version + 1 })
        }),
        ("duplicate_key", |_| StoreError::DuplicateKey {
            key: UniqueKey::Domain { domain: "acme.com".into() },
        }),
        ("key_reused", |set| StoreError::KeyReused { command_id: set.commit_id }),
        ("invalid", |_| StoreError::Invalid { message: "no such cursor".into() }),
        ("unavailable", |_| StoreError::Unavailable {
            backend: "x",
            retry_after: None,
            source: "the disk is full".into(),
        }),
        ("ambiguous", |_| StoreError::Ambiguous { backend: "x", source: "cut off".into() }),
        ("corrupt", |_| StoreError::Corrupt { backend: "x", what: "a page".into() }),
        ("schema_newer", |_| StoreError::SchemaNewer { found: 99, known: 1 }),
        ("backend", |_| StoreError::Backend { backend: "x", source: "a defect".into() }),
    ];
    for (name, failure) in failures {
        store.fail_always(Some(failure));
        let error = kit.execute("amy", reply("r"), at(AT)).unwrap_err();
        lines.push(format!("{name}: {} {error}", error.code()));
        assert_eq!(state::dump(&*kit.store, TENANT), before, "{name}");
    }
    expect![[r#"
        conflict: conflict other commits came first 33 times
        duplicate_key: duplicate the domain `acme.com` is taken
        key_reused: command_id_reused command id `00000000-0000-0000-0000-0000c0000006` was used with other content
        invalid: invalid no such cursor
        unavailable: unavailable the x backend is unavailable
        ambiguous: outcome_unknown the x backend did not say whether it committed
        corrupt: internal the x backend holds what cannot be read: a page
        schema_newer: schema_newer the database has schema 99, this version knows 1 at most
        backend: internal the x backend failed"#]].assert_eq(&lines.join("\n"));
    store.fail_always(None);
    kit.execute("amy", reply("r"), at(AT)).unwrap();
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn a_full_disk_refuses_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let store = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
    let mut kit = Kit::new(store.clone(), desk());
    kit.run(&[(AT, mail("anna@acme.com", "A", "a"))]);
    let before = state::dump(&*kit.store, TENANT);
    store.limit_pages(1).unwrap();
    let error = kit.execute("amy", reply(&"x".repeat(1 << 20)), at(AT)).unwrap_err();
    assert_eq!(error.code().as_str(), "unavailable");
    assert_eq!(state::dump(&*kit.store, TENANT), before);
    store.limit_pages(1 << 20).unwrap();
    kit.execute("amy", reply(&"x".repeat(1 << 20)), at(AT)).unwrap();
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn what_another_engine_made_is_known_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let mut late = Kit::bare(sqlite_at(&path));
    // It looked before there was anything.
    let refusal = late.execute(
        "sys",
        json!({"type": "create_contact", "name": "n", "identities": []}),
        at(AT),
    );
    assert_eq!(refused(&refusal.unwrap_err()), "refused: not_found actor.tenant");
    let mut first = Kit::new(sqlite_at(&path), desk());
    first.run(&[(AT, mail("anna@acme.com", "A", "a"))]);
    late.names = first.names.clone();
    late.n_commands = 1_000;
    let assign = json!({"type": "assign", "ticket": "#1", "agent": "@amy"});
    late.execute("sys", assign, at(AT)).unwrap();
    // The first engine never saw that load.
    first.execute("amy", json!({"type": "solve", "ticket": "#1"}), at(AT)).unwrap();
    state::check_laws(&*first.store, TENANT);
}
