//! Who may give which command: the whole table.

use super::*;
use crate::access::role::{BUILT_IN_ROLES, RoleTable};
use crate::event::{StreamId, TimerKind};
use crate::id::Key;
use chrono::DateTime;
use expect_test::expect;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The smallest command of each name.
fn command(name: &str) -> Command {
    let id = Uuid::from_u128(7);
    let fields: &[(&str, Value)] = match name {
        "receive" => {
            let message = json!({
                "type": "receive", "external_id": "1", "channel": "chat", "text": "hello",
                "from": {"identity": {"kind": "handle", "value": "anna"}},
            });
            return serde_json::from_value(message).unwrap();
        }
        "import_ticket" => {
            let ticket = json!({
                "type": "import_ticket", "external_id": "1", "subject": "s", "channel": "email",
                "requester": {"identity": {"kind": "handle", "value": "anna"}}, "status": "open",
                "created_at": "2026-06-01T12:00:00Z", "messages": [],
            });
            return serde_json::from_value(ticket).unwrap();
        }
        "open_ticket" => &[("subject", json!("s")), ("text", json!("t"))],
        "reply" | "add_note" | "follow_up" => &[("ticket", json!(id)), ("text", json!("t"))],
        "edit_note" => &[("ticket", json!(id)), ("seq", json!(1)), ("text", json!("t"))],
        "redact" | "mark_seen" => &[("ticket", json!(id)), ("seq", json!(1))],
        "add_attachment" => &[
            ("ticket", json!(id)),
            ("seq", json!(1)),
            (
                "attachment",
                json!({"name": "a", "media_type": "text/plain", "size_bytes": 1, "sha256": "0".repeat(64)}),
            ),
        ],
        "update_ticket" => &[("ticket", json!(id)), ("changes", json!([]))],
        "set_status" => &[("ticket", json!(id)), ("to", json!("open"))],
        "snooze" => &[("ticket", json!(id)), ("until", json!("2026-06-01T12:00:00Z"))],
        "add_follower" | "remove_follower" => {
            &[("ticket", json!(id)), ("follower", json!({"type": "agent", "id": id}))]
        }
        "assign" | "offer" => &[("ticket", json!(id)), ("agent", json!(id))],
        "reject_offer" => &[("ticket", json!(id)), ("reason", json!("busy"))],
        "set_due" => &[("ticket", json!(id)), ("metric", json!("first_reply"))],
        "de_escalate" => &[("ticket", json!(id)), ("note", json!("n"))],
        "take_next" | "rebalance" => &[],
        "set_presence" => &[("status", json!("online"))],
        "link" | "unlink" => {
            &[("ticket", json!(id)), ("kind", json!("relates")), ("to", json!(id))]
        }
        "run_macro" => &[("ticket", json!(id)), ("key", json!("m"))],
        "run_macro_on_many" => &[("tickets", json!([])), ("key", json!("m"))],
        "apply_changes_to_many" => &[("tickets", json!([])), ("changes", json!([]))],
        "create_contact" => &[("name", json!("n")), ("identities", json!([]))],
        "update_contact" => &[("contact", json!(id)), ("patch", json!({}))],
        "join_contacts" => &[("from", json!(id)), ("into", json!(id))],
        "create_organization" | "create_agent" => &[("name", json!("n"))],
        "update_organization" => &[("organization", json!(id)), ("patch", json!({}))],
        "update_agent" => &[("agent", json!(id)), ("patch", json!({}))],
        "erase_person" => &[("contact", json!(id))],
        "deactivate_agent" => &[("agent", json!(id))],
        "save_article" => &[],
        "submit_article" | "publish_article" | "archive_article" => &[("article", json!(id))],
        "restore_article_revision" => &[("article", json!(id)), ("revision", json!(1))],
        "vote_article" => &[("article", json!(id)), ("helpful", json!(true))],
        "record_search" => &[("session", json!(id)), ("text", json!("t")), ("n_found", json!(0))],
        "record_search_click" => &[("session", json!(id)), ("article", json!(id))],
        "apply_config" => &[("document", json!({}))],
        _ => &[("ticket", json!(id))],
    };
    let mut object: serde_json::Map<String, Value> =
        fields.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect();
    object.insert("type".to_owned(), json!(name));
    serde_json::from_value(Value::Object(object)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The names of all commands, in order, out of the published schema.
fn names() -> Vec<String> {
    let schema = schema();
    let variants = schema["$defs"]["Command"]["oneOf"].as_array().unwrap();
    let name = |v: &Value| v["properties"]["type"]["const"].as_str().unwrap().to_owned();
    variants.iter().map(name).collect()
}

#[test]
fn each_command_has_its_own_name_and_a_permission() {
    let names = names();
    for name in &names {
        let command = command(name);
        assert_eq!(command.name(), name);
        assert!(command.permission().is_some(), "{name}");
    }
    let timer = Command::FireTimer(FireTimer {
        stream: StreamId::case(TicketId(Uuid::nil())),
        kind: TimerKind::AutoClose,
        due_at: DateTime::UNIX_EPOCH,
    });
    assert_eq!(timer.permission(), None);
}

#[test]
fn every_permission_is_of_a_command_or_named_as_an_extra() {
    let of_commands: BTreeSet<Permission> =
        names().iter().filter_map(|name| command(name).permission()).collect();
    let extras = [
        Permission::Read,
        Permission::ReadNotes,
        Permission::EditAnyNote,
        Permission::AssignToAnyMember,
        Permission::SetPresenceOfOthers,
        Permission::ExportPerson,
        Permission::ReadDrafts,
        Permission::Report,
        Permission::ListDeadLetters,
    ];
    for permission in Permission::ALL {
        let is_extra = extras.contains(permission);
        assert_ne!(of_commands.contains(permission), is_extra, "{permission}");
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn who_may_give_which_command() {
    let roles = RoleTable::default();
    let reach = |role: &str, permission: Permission| {
        let role = roles.get(&Key::new(role).unwrap()).unwrap();
        role.may.get(&permission).map_or("-".to_owned(), |reach| {
            serde_json::to_value(reach).unwrap().as_str().unwrap().to_owned()
        })
    };
    let row = |name: &str, permission: Permission| {
        let cells = BUILT_IN_ROLES.iter().map(|role| format!("{:15}", reach(role, permission)));
        format!("{name:22} {}", cells.collect::<String>()).trim_end().to_owned()
    };
    let head = BUILT_IN_ROLES.iter().map(|role| format!("{role:15}")).collect::<String>();
    let mut table = vec![format!("{:22} {}", "", head).trim_end().to_owned()];
    table.extend(names().iter().map(|name| row(name, command(name).permission().unwrap())));
    let of_commands: BTreeSet<Permission> =
        names().iter().filter_map(|name| command(name).permission()).collect();
    let extras = Permission::ALL.iter().filter(|permission| !of_commands.contains(permission));
    table.extend(extras.map(|extra| row(&format!("({extra})"), *extra)));
    expect![[r#"
                               requester      light_agent    agent          team_lead      admin          bot
        receive                -              -              -              -              all            -
        open_ticket            own            -              groups_or_none groups_or_none all            groups_or_none
        import_ticket          -              -              -              -              all            -
        reply                  participant    -              groups_or_none groups_or_none all            groups_or_none
        add_note               -              groups         groups_or_none groups_or_none all            groups_or_none
        edit_note              -              groups         groups_or_none groups_or_none all            groups_or_none
        redact                 -              -              -              groups         all            -
        add_attachment         participant    -              groups_or_none groups_or_none all            groups_or_none
        mark_seen              -              groups         groups_or_none groups_or_none all            groups_or_none
        update_ticket          -              -              groups_or_none groups_or_none all            groups_or_none
        set_status             -              -              groups_or_none groups_or_none all            groups_or_none
        solve                  own            -              groups_or_none groups_or_none all            groups_or_none
        reopen                 own            -              groups_or_none groups_or_none all            groups_or_none
        close                  -              -              groups_or_none groups_or_none all            groups_or_none
        snooze                 -              -              groups_or_none groups_or_none all            groups_or_none
        wake                   -              -              groups_or_none groups_or_none all            groups_or_none
        add_follower           own            groups         groups_or_none groups_or_none all            groups_or_none
        remove_follower        own            groups         groups_or_none groups_or_none all            groups_or_none
        mark_spam              -              -              groups_or_none groups_or_none all            groups_or_none
        unmark_spam            -              -              groups_or_none groups_or_none all            groups_or_none
        delete_ticket          -              -              groups_or_none groups_or_none all            groups_or_none
        restore_ticket         -              -              groups_or_none groups_or_none all            groups_or_none
        assign                 -              -              groups_or_none groups_or_none all            groups_or_none
        unassign               -              -              groups_or_none groups_or_none all            groups_or_none
        claim                  -              -              groups_or_none groups_or_none all            groups_or_none
        take_next              -              -              groups_or_none groups_or_none all            -
        offer                  -              -              -              groups         all            -
        accept_offer           -              -              groups_or_none groups_or_none all            groups_or_none
        reject_offer           -              -              groups_or_none groups_or_none all            groups_or_none
        route_again            -              -              -              groups         all            -
        rebalance              -              -              -              groups         all            -
        set_presence           -              -              own            own            all            own
        set_due                -              -              groups_or_none groups_or_none all            groups_or_none
        escalate               -              -              groups_or_none groups_or_none all            groups_or_none
        de_escalate            -              -              -              groups         all            -
        acknowledge            -              -              groups_or_none groups_or_none all            groups_or_none
        link                   -              -              groups_or_none groups_or_none all            groups_or_none
        unlink                 -              -              groups_or_none groups_or_none all            groups_or_none
        set_parent             -              -              groups_or_none groups_or_none all            groups_or_none
        follow_up              -              -              groups_or_none groups_or_none all            groups_or_none
        run_macro              -              -              groups_or_none groups_or_none all            groups_or_none
        run_macro_on_many      -              -              -              groups         all            -
        apply_changes_to_many  -              -              -              groups         all            -
        create_contact         -              -              groups_or_none groups_or_none all            groups_or_none
        update_contact         -              -              groups_or_none groups_or_none all            groups_or_none
        join_contacts          -              -              -              groups         all            -
        erase_person           -              -              -              -              all            -
        create_organization    -              -              -              -              all            -
        update_organization    -              -              -              -              all            -
        create_agent           -              -              -              -              all            -
        update_agent           -              -              -              -              all            -
        deactivate_agent       -              -              -              -              all            -
        save_article           -              -              groups_or_none groups_or_none all            groups_or_none
        submit_article         -              -              groups_or_none groups_or_none all            groups_or_none
        publish_article        -              -              -              groups         all            -
        archive_article        -              -              -              groups         all            -
        restore_article_revision -              -              groups_or_none groups_or_none all            groups_or_none
        vote_article           own            groups         groups_or_none groups_or_none all            groups_or_none
        record_search          own            groups         groups_or_none groups_or_none all            groups_or_none
        record_search_click    own            groups         groups_or_none groups_or_none all            groups_or_none
        apply_config           -              -              -              -              all            -
        (read)                 participant    groups         groups_or_none groups_or_none all            groups_or_none
        (read_notes)           -              groups         groups_or_none groups_or_none all            groups_or_none
        (edit_any_note)        -              -              -              -              all            -
        (assign_to_any_member) -              -              -              groups         all            -
        (set_presence_of_others) -              -              -              -              all            -
        (export_person)        -              -              -              -              all            -
        (read_drafts)          -              groups         groups_or_none groups_or_none all            groups_or_none
        (report)               -              -              -              groups         all            -
        (list_dead_letters)    -              -              -              -              all            -"#]].assert_eq(&table.join("\n"));
}
