//! Who may give which command, and what another tenant sees.

use crate::kit::{Kit, Step, at, mail, sender};
use expect_test::expect;
use helpdesk::MemoryStore;
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::id::TenantId;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

const AT: &str = "2026-11-20T09:00:00Z";

/// Two groups with a ticket each (#1 of support, #2 of sales), and one of every role.
fn desk() -> Kit {
    let config = json!({
        "groups": [{"key": "support"}, {"key": "sales"}],
        "queues": [{"key": "support", "group": "support"}, {"key": "sales", "group": "sales"}],
        "rules": [{"key": "buy", "when": {"field": "text", "has_word": ["buy"]}, "then": {"queue": "sales"}}],
        "macros": [{"key": "m", "name": "M", "steps": [{"type": "note", "text": "n"}]}],
        "agents": {
            "amy": {"groups": ["support"]}, "lia": {"groups": ["support"], "roles": ["light_agent"]},
            "lea": {"groups": ["support"], "roles": ["team_lead"]}, "ada": {"roles": ["admin"]},
            "bot": {"groups": ["support"], "roles": ["bot"]}, "sam": {"groups": ["sales"]},
        },
    });
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), config);
    let article = json!({"type": "save_article", "key": "a", "language": "en", "title": "t", "body": "b",
        "visibility": "public"});
    kit.run(&[
        (AT, mail("anna@acme.com", "A", "a")),
        (AT, mail("bob@acme.com", "B", "buy")),
        (AT, Step::Do("sys", article)),
        (AT, Step::Do("sys", json!({"type": "publish_article", "article": "@a.en"}))),
    ]);
    kit
}

/// A command of every kind: on the ticket where it is about one.
fn commands(ticket: &str) -> Vec<Value> {
    let on = |kind: &str, more: Value| {
        let mut command = json!({"type": kind, "ticket": ticket});
        crate::kit::merge(&mut command, more);
        command
    };
    let file =
        json!({"name": "a", "media_type": "text/plain", "size_bytes": 1, "sha256": "0".repeat(64)});
    let follower = json!({"follower": {"type": "agent", "id": "@amy"}});
    let mut all = vec![
        on("reply", json!({"text": "t"})),
        on("add_note", json!({"text": "t"})),
        on("edit_note", json!({"seq": 2, "text": "t"})),
        on("add_attachment", json!({"seq": 1, "attachment": file})),
        on("redact", json!({"seq": 1})),
        on("mark_seen", json!({"seq": 1})),
        on("update_ticket", json!({"changes": [{"type": "set_type", "to": "task"}]})),
        on("set_status", json!({"to": "pending"})),
        on("add_follower", follower.clone()),
        on("remove_follower", follower),
        on("snooze", json!({"until": "2027-01-01T00:00:00Z"})),
        on("assign", json!({"agent": "@amy"})),
        on("assign", json!({"agent": "@sam"})),
        on("offer", json!({"agent": "@amy"})),
        on("reject_offer", json!({"reason": "r"})),
        on("route_again", json!({})),
        on("set_due", json!({"metric": "first_reply", "to": "2027-01-01T00:00:00Z"})),
        on("escalate", json!({})),
        on("de_escalate", json!({"note": "n"})),
        on("acknowledge", json!({})),
        on("link", json!({"kind": "relates", "to": ticket})),
        on("unlink", json!({"kind": "relates", "to": ticket})),
        on("set_parent", json!({"parent": null})),
        on("follow_up", json!({"text": "t"})),
        on("run_macro", json!({"key": "m"})),
    ];
    let plain = [
        "solve",
        "reopen",
        "close",
        "wake",
        "mark_spam",
        "unmark_spam",
        "delete_ticket",
        "restore_ticket",
        "unassign",
        "claim",
        "accept_offer",
    ];
    all.extend(plain.map(|kind| on(kind, json!({}))));
    all
}

/// Commands that name no ticket.
fn others() -> Vec<Value> {
    vec![
        json!({"type": "receive", "channel": "email", "external_id": "<z>", "from": sender("z@z.com"), "text": "t"}),
        json!({"type": "open_ticket", "subject": "s", "text": "t"}),
        json!({"type": "import_ticket", "external_id": "z", "requester": sender("z@z.com"), "subject": "s", "channel": "email",
            "status": "open", "created_at": AT, "messages": []}),
        json!({"type": "take_next"}),
        json!({"type": "rebalance"}),
        json!({"type": "set_presence", "status": "online"}),
        json!({"type": "set_presence", "agent": "@sam", "status": "online"}),
        json!({"type": "run_macro_on_many", "tickets": [], "key": "m"}),
        json!({"type": "apply_changes_to_many", "tickets": [], "changes": []}),
        json!({"type": "create_contact", "name": "n", "identities": []}),
        json!({"type": "update_contact", "contact": "@anna", "patch": {}}),
        json!({"type": "join_contacts", "from": "@anna", "into": "@bob"}),
        json!({"type": "erase_person", "contact": "@anna"}),
        json!({"type": "create_organization", "name": "n"}),
        json!({"type": "update_organization", "organization": "@anna", "patch": {}}),
        json!({"type": "create_agent", "name": "n"}),
        json!({"type": "update_agent", "agent": "@amy", "patch": {}}),
        json!({"type": "deactivate_agent", "agent": "@amy"}),
        json!({"type": "save_article", "article": "@a.en", "title": "n"}),
        json!({"type": "submit_article", "article": "@a.en"}),
        json!({"type": "publish_article", "article": "@a.en"}),
        json!({"type": "archive_article", "article": "@a.en"}),
        json!({"type": "restore_article_revision", "article": "@a.en", "revision": 1}),
        json!({"type": "vote_article", "article": "@a.en", "helpful": true}),
        json!({"type": "record_search", "session": Uuid::from_u128(9), "text": "t", "n_found": 0}),
        json!({"type": "record_search_click", "session": Uuid::from_u128(9), "article": "@a.en"}),
        json!({"type": "apply_config", "document": {}}),
    ]
}

const ROLES: [&str; 9] = ["visitor", "anna", "bob", "lia", "amy", "bot:bot", "lea", "ada", "sys"];

/// `+` allowed, `-` forbidden, `?` not found; what the command itself refuses is allowed.
fn verdict(who: &str, command: &Value) -> char {
    let mut kit = desk();
    match kit.execute(who, command.clone(), at(AT)) {
        Ok(_) => '+',
        Err(error) => match error.code().as_str() {
            "forbidden" => '-',
            "not_found" if error.body().path.as_deref() == Some("ticket") => '?',
            _ => '+',
        },
    }
}

fn table(commands: &[Value]) -> String {
    let mut lines = vec![format!("{:24}{}", "", ROLES.join(" "))];
    for command in commands {
        let mut line = format!("{:24}", command["type"].as_str().unwrap());
        for who in ROLES {
            let cell = verdict(who, command);
            line.push_str(&format!("{cell:<width$}", width = who.len() + 1));
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

#[test]
fn each_role_may_what_the_table_says() {
    let mut all = commands("#1");
    all.extend(others());
    expect![[r#"
                                visitor anna bob lia amy bot:bot lea ada sys
        reply                   ?       +    ?   -   +   +       +   +   +
        add_note                ?       -    ?   +   +   +       +   +   +
        edit_note               ?       -    ?   +   +   +       +   +   +
        add_attachment          ?       +    ?   -   +   +       +   +   +
        redact                  ?       -    ?   -   -   -       +   +   +
        mark_seen               ?       -    ?   +   +   +       +   +   +
        update_ticket           ?       -    ?   -   +   +       +   +   +
        set_status              ?       -    ?   -   +   +       +   +   +
        add_follower            ?       +    ?   +   +   +       +   +   +
        remove_follower         ?       +    ?   +   +   +       +   +   +
        snooze                  ?       -    ?   -   +   +       +   +   +
        assign                  ?       -    ?   -   +   +       +   +   +
        assign                  ?       -    ?   -   -   -       +   +   +
        offer                   ?       -    ?   -   -   -       +   +   +
        reject_offer            ?       -    ?   -   +   +       +   +   +
        route_again             ?       -    ?   -   -   -       +   +   +
        set_due                 ?       -    ?   -   +   +       +   +   +
        escalate                ?       -    ?   -   +   +       +   +   +
        de_escalate             ?       -    ?   -   -   -       +   +   +
        acknowledge             ?       -    ?   -   +   +       +   +   +
        link                    ?       -    ?   -   +   +       +   +   +
        unlink                  ?       -    ?   -   +   +       +   +   +
        set_parent              ?       -    ?   -   +   +       +   +   +
        follow_up               ?       -    ?   -   +   +       +   +   +
        run_macro               ?       -    ?   -   +   +       +   +   +
        solve                   ?       +    ?   -   +   +       +   +   +
        reopen                  ?       +    ?   -   +   +       +   +   +
        close                   ?       -    ?   -   +   +       +   +   +
        wake                    ?       -    ?   -   +   +       +   +   +
        mark_spam               ?       -    ?   -   +   +       +   +   +
        unmark_spam             ?       -    ?   -   +   +       +   +   +
        delete_ticket           ?       -    ?   -   +   +       +   +   +
        restore_ticket          ?       -    ?   -   +   +       +   +   +
        unassign                ?       -    ?   -   +   +       +   +   +
        claim                   ?       -    ?   -   +   +       +   +   +
        accept_offer            ?       -    ?   -   +   +       +   +   +
        receive                 -       -    -   -   -   -       -   +   +
        open_ticket             -       +    +   -   +   +       +   +   +
        import_ticket           -       -    -   -   -   -       -   +   +
        take_next               -       -    -   -   +   -       +   +   +
        rebalance               -       -    -   -   -   -       +   +   +
        set_presence            -       -    -   -   +   +       +   +   +
        set_presence            -       -    -   -   -   -       -   +   +
        run_macro_on_many       -       -    -   -   -   -       +   +   +
        apply_changes_to_many   -       -    -   -   -   -       +   +   +
        create_contact          -       -    -   -   +   +       +   +   +
        update_contact          -       -    -   -   +   +       +   +   +
        join_contacts           -       -    -   -   -   -       +   +   +
        erase_person            -       -    -   -   -   -       -   +   +
        create_organization     -       -    -   -   -   -       -   +   +
        update_organization     -       -    -   -   -   -       -   +   +
        create_agent            -       -    -   -   -   -       -   +   +
        update_agent            -       -    -   -   -   -       -   +   +
        deactivate_agent        -       -    -   -   -   -       -   +   +
        save_article            -       -    -   -   +   +       +   +   +
        submit_article          -       -    -   -   +   +       +   +   +
        publish_article         -       -    -   -   -   -       +   +   +
        archive_article         -       -    -   -   -   -       +   +   +
        restore_article_revision-       -    -   -   +   +       +   +   +
        vote_article            -       +    +   +   +   +       +   +   +
        record_search           +       +    +   +   +   +       +   +   +
        record_search_click     +       +    +   +   +   +       +   +   +
        apply_config            -       -    -   -   -   -       -   +   +"#]]
    .assert_eq(&table(&all));
}

#[test]
fn the_table_has_every_command() {
    let schema = helpdesk::core::command::schema();
    let variants = schema["$defs"]["Command"]["oneOf"].as_array().unwrap();
    let name =
        |variant: &Value| variant["properties"]["type"]["const"].as_str().unwrap().to_owned();
    let known: BTreeSet<String> = variants.iter().map(name).collect();
    let mut all = commands("#1");
    all.extend(others());
    let tried = all.iter().map(|command| command["type"].as_str().unwrap().to_owned());
    assert_eq!(tried.collect::<BTreeSet<_>>(), known);
}

#[test]
fn a_ticket_of_another_group_is_not_found() {
    let mut kit = desk();
    for command in commands("#2") {
        for who in ["anna", "lia", "amy", "bot:bot", "lea"] {
            let error = kit.execute(who, command.clone(), at(AT)).unwrap_err();
            assert_eq!(error.code().as_str(), "not_found", "{who}: {command}");
        }
    }
}

#[test]
fn a_foreign_tenant_sees_nothing() {
    let kit = desk();
    let foreign = TenantId(Uuid::from_u128(2));
    let now = at(AT);
    let system = Actor::system(foreign, Capability::ActAsSystem);
    let config = json!({"type": "apply_config", "document": {}});
    kit.desk.execute(&system, kit.command(config), now).unwrap();
    for command in commands("#1") {
        let error = kit.desk.execute(&system, kit.command(command.clone()), now).unwrap_err();
        assert_eq!(error.code().as_str(), "not_found", "{command}");
    }
    for command in others() {
        let own = ["update_contact", "join_contacts", "update_agent", "deactivate_agent"];
        if own.contains(&command["type"].as_str().unwrap()) || !command["article"].is_null() {
            let error = kit.desk.execute(&system, kit.command(command.clone()), now).unwrap_err();
            assert_eq!(error.code().as_str(), "not_found", "{command}");
        }
    }
    for kind in ["get_ticket", "conversation", "history", "explain"] {
        for ticket in [json!({"id": kit.names.id("#1")}), json!({"number": "HD-1"})] {
            let query = serde_json::from_value(json!({"type": kind, "ticket": ticket})).unwrap();
            let error = kit.desk.query(&system, query, now).unwrap_err();
            assert_eq!(error.code().as_str(), "not_found", "{kind}");
        }
    }
    for (query, expected) in [
        (json!({"type": "list_tickets", "which": {"shelf": "all"}}), json!({"rows": []})),
        (json!({"type": "count_tickets"}), json!({"n": 0, "capped": false})),
        (json!({"type": "search_tickets", "text": "a"}), json!({"rows": []})),
        (
            json!({"type": "changes_since", "position": 0}),
            json!({"rows": [], "position": 0, "has_more": false}),
        ),
        (json!({"type": "list_articles"}), json!({"rows": []})),
        (json!({"type": "workload"}), json!([])),
        (json!({"type": "list_dead_letters"}), json!({"rows": []})),
        (json!({"type": "board", "by": "group"}), json!([])),
        (
            json!({"type": "report", "from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z",
                "group_by": "group", "measures": ["opened"]}),
            json!({"group_by": "group", "rows": [], "totals": {"opened": 0}}),
        ),
    ] {
        let query = serde_json::from_value(query).unwrap();
        let answer = kit.desk.query(&system, query, now).unwrap();
        assert_eq!(serde_json::to_value(answer).unwrap(), expected);
    }
    for kind in ["get_article", "article_revisions"] {
        let translation = json!({"translation": {"key": "a", "language": "en"}});
        for article in [json!({"id": kit.names.id("a.en")}), translation] {
            let query = serde_json::from_value(json!({"type": kind, "article": article})).unwrap();
            let error = kit.desk.query(&system, query, now).unwrap_err();
            assert_eq!(error.code().as_str(), "not_found", "{kind}");
        }
    }
    let unknown = Actor::system(TenantId(Uuid::from_u128(3)), Capability::ActAsSystem);
    let error =
        kit.desk.execute(&unknown, kit.command(json!({"type": "take_next"})), now).unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.body().path.as_deref()),
        ("not_found", Some("actor.tenant"))
    );
}

#[test]
fn a_requesters_answers_hold_nothing_internal() {
    let mut kit = desk();
    let now = at(AT);
    for command in [
        json!({"type": "add_note", "ticket": "#1", "text": "SECRET"}),
        json!({"type": "assign", "ticket": "#1", "agent": "@amy"}),
        json!({"type": "update_ticket", "ticket": "#1", "changes": [{"type": "add_tags", "tags": ["SECRET"]}]}),
    ] {
        kit.execute("sys", command, now).unwrap();
    }
    for query in [
        json!({"type": "get_ticket", "ticket": {"id": "#1"}}),
        json!({"type": "conversation", "ticket": {"id": "#1"}}),
        json!({"type": "list_tickets"}),
        json!({"type": "board"}),
        json!({"type": "search_tickets", "text": "a"}),
        json!({"type": "count_tickets"}),
    ] {
        let answer = serde_json::to_string(&kit.ask("anna", query, now).unwrap()).unwrap();
        for inside in [
            "SECRET",
            "assignee",
            "queue",
            "group",
            "tags",
            "internal",
            "00000000-0000-0000-0000-00000000a000",
        ] {
            assert!(!answer.contains(inside), "{inside} in {answer}");
        }
    }
}
