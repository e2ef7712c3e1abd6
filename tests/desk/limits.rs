//! Every limit of the desk, at it and over it: commands are refused with
//! `over_limit` and the spot, intake is cut.

use crate::kit::{Kit, Step, TENANT, at, mail, mail_with, sender};
use crate::state;
use expect_test::expect;
use helpdesk::core::case::record::{Record, RecordKey};
use helpdesk::core::event::{Event, StreamId};
use helpdesk::core::id::{CommandId, ContactId, TicketId};
use helpdesk::core::limit::*;
use helpdesk::core::query::{Answer, Counted};
use helpdesk::core::ticket::relation::{Link, LinkKind};
use helpdesk::core::ticket::{Follower, Ticket};
use helpdesk::storage::{ChangeSet, Expect};
use helpdesk::{MemoryStore, block_on};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

const AT: &str = "2026-11-20T09:00:00Z";

/// A desk with a ticket, and what is needed to write long things to it.
fn desk() -> Kit {
    let skills: Vec<Value> = (0..=SKILLS_MAX).map(|i| json!({"key": format!("s{i}")})).collect();
    let text = json!({"type": "text"});
    let config = json!({
        "skills": skills,
        "queues": [{"key": "support", "group": "support", "mode": {"type": "offer", "timeout_seconds": 600}, "exclude_seconds": 0}],
        "fields": [
            {"key": "f", "name": "F", "kind": text},
            {"key": "f", "name": "F", "kind": text, "on": "contact"},
            {"key": "f", "name": "F", "kind": text, "on": "organization"},
        ],
        "agents": {"amy": {"groups": ["support"], "online": true}, "lea": {"groups": ["support"], "roles": ["team_lead"]}},
    });
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), config);
    let acme = json!({"type": "create_organization", "name": "Acme"});
    kit.execute("sys", acme, at(AT)).unwrap();
    kit.run(&[(AT, mail("anna@acme.com", "A", "a")), (AT, mail("bob@acme.com", "B", "b"))]);
    kit
}

/// The command passes at the limit; over it, it is refused at this spot and
/// changes nothing.
fn holds(max: usize, spot: &str, who: &str, command: impl Fn(usize) -> Value) {
    let mut kit = desk();
    let before = state::dump(&*kit.store, TENANT);
    let over = kit.execute(who, command(max + 1), at(AT)).unwrap_err().body();
    assert_eq!(over.code.as_str(), "over_limit", "{spot}: {}", over.message);
    assert_eq!(over.path.as_deref(), Some(spot), "{}", over.message);
    let (n, limit) = ((max + 1).to_string(), max.to_string());
    assert!(over.message.contains(&limit), "{spot}: {n}: {}", over.message);
    assert_eq!(state::dump(&*kit.store, TENANT), before, "{spot}");
    if let Err(error) = kit.execute(who, command(max), at(AT)) {
        panic!("{spot}: {error}");
    }
}

fn on(kind: &str, more: Value) -> Value {
    let mut command = json!({"type": kind, "ticket": "#1"});
    crate::kit::merge(&mut command, more);
    command
}

fn change(change: Value) -> Value {
    on("update_ticket", json!({ "changes": [change] }))
}

fn file(more: Value) -> Value {
    let mut file =
        json!({"name": "a", "media_type": "text/plain", "size_bytes": 1, "sha256": "0".repeat(64)});
    crate::kit::merge(&mut file, more);
    file
}

fn chars(n: usize) -> String {
    "ж".repeat(n)
}

fn bytes(n: usize) -> String {
    "x".repeat(n)
}

fn words(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("t{i}")).collect()
}

fn deep(n: usize) -> String {
    "<div>".repeat(n)
}

#[test]
fn texts_of_messages() {
    holds(TEXT_BYTES_MAX, "text", "amy", |n| on("reply", json!({"text": bytes(n)})));
    holds(TEXT_BYTES_MAX, "text", "amy", |n| on("add_note", json!({"text": bytes(n)})));
    holds(HTML_BYTES_MAX, "html", "amy", |n| on("reply", json!({"text": "t", "html": bytes(n)})));
    holds(HTML_DEPTH_MAX, "html", "amy", |n| on("reply", json!({"text": "t", "html": deep(n)})));
    holds(
        TEXT_BYTES_MAX,
        "text",
        "amy",
        |n| json!({"type": "open_ticket", "requester": "@anna", "subject": "s", "text": bytes(n)}),
    );
    holds(TEXT_BYTES_MAX, "messages[0].text", "import", |n| {
        json!({"type": "import_ticket", "external_id": "z", "requester": sender("z@z.com"), "subject": "s",
            "channel": "email", "status": "open", "created_at": AT,
            "messages": [{"kind": "public_reply", "text": bytes(n), "sent_at": AT}]})
    });
    let mut kit = desk();
    kit.execute("amy", on("add_note", json!({"text": "n"})), at(AT)).unwrap();
    let edit = |n| on("edit_note", json!({"seq": 2, "text": bytes(n)}));
    let over = kit.execute("amy", edit(TEXT_BYTES_MAX + 1), at(AT)).unwrap_err();
    assert_eq!(crate::kit::refused(&over), "refused: over_limit text");
    kit.execute("amy", edit(TEXT_BYTES_MAX), at(AT)).unwrap();
}

#[test]
fn articles() {
    let save = |more: Value| {
        let mut command = json!({"type": "save_article", "key": "a", "language": "en", "title": "t", "body": "b"});
        crate::kit::merge(&mut command, more);
        command
    };
    let segment = |tags: Vec<String>| save(json!({"visibility": {"segment": tags}}));
    holds(ARTICLE_TITLE_CHARS_MAX, "title", "amy", |n| save(json!({"title": chars(n)})));
    holds(ARTICLE_BODY_BYTES_MAX, "body", "amy", |n| save(json!({"body": bytes(n)})));
    holds(TAGS_MAX, "labels", "amy", |n| save(json!({"labels": words(n)})));
    holds(TAG_CHARS_MAX, "labels[0]", "amy", |n| save(json!({"labels": [chars(n)]})));
    holds(TAGS_MAX, "visibility.segment", "amy", |n| segment(words(n)));
    holds(TAG_CHARS_MAX, "visibility.segment[0]", "amy", |n| segment(vec![chars(n)]));
}

#[test]
fn attachments_and_ids_of_messages() {
    let with = |files: Value| on("reply", json!({"text": "t", "attachments": files}));
    holds(ATTACHMENTS_MAX, "attachments", "amy", |n| with(json!(vec![file(json!({})); n])));
    holds(NAME_CHARS_MAX, "attachments[0].name", "amy", |n| {
        with(json!([file(json!({"name": chars(n)}))]))
    });
    holds(NAME_CHARS_MAX, "attachments[0].media_type", "amy", |n| {
        with(json!([file(json!({"media_type": chars(n)}))]))
    });
    holds(EXTERNAL_ID_CHARS_MAX, "attachments[0].inline_id", "amy", |n| {
        with(json!([file(json!({"inline_id": chars(n)}))]))
    });
    holds(EXTERNAL_ID_CHARS_MAX, "external_id", "amy", |n| {
        on("reply", json!({"text": "t", "external_id": chars(n)}))
    });
}

#[test]
fn fields_of_tickets() {
    holds(SUBJECT_CHARS_MAX, "changes[0].to", "amy", |n| {
        change(json!({"type": "set_subject", "to": chars(n)}))
    });
    holds(
        SUBJECT_CHARS_MAX,
        "subject",
        "amy",
        |n| json!({"type": "open_ticket", "requester": "@anna", "subject": chars(n), "text": "t"}),
    );
    holds(TAGS_MAX, "changes[0].tags", "amy", |n| {
        change(json!({"type": "add_tags", "tags": words(n)}))
    });
    holds(TAGS_MAX, "changes", "amy", |n| {
        let (first, rest) = (json!(words(n)[..60]), json!(words(n)[60..]));
        on(
            "update_ticket",
            json!({"changes": [{"type": "add_tags", "tags": first}, {"type": "add_tags", "tags": rest}]}),
        )
    });
    holds(TAG_CHARS_MAX, "changes[0].tags[0]", "amy", |n| {
        change(json!({"type": "add_tags", "tags": [chars(n)]}))
    });
    holds(CUSTOM_TEXT_CHARS_MAX, "changes[0].to", "amy", |n| {
        change(json!({"type": "set_custom", "field": "f", "to": chars(n)}))
    });
    holds(SKILLS_MAX, "changes[0].skills", "amy", |n| {
        let skills: Vec<Value> = (0..n).map(|i| json!({"skill": format!("s{i}")})).collect();
        change(json!({"type": "require_skills", "skills": skills}))
    });
    holds(CHANGES_MAX, "changes", "amy", |n| {
        on("update_ticket", json!({"changes": vec![json!({"type": "set_type", "to": "task"}); n]}))
    });
    holds(usize::try_from(TICKET_NUMBER_MAX).unwrap(), "number", "import", |n| {
        json!({"type": "import_ticket", "external_id": "z", "requester": sender("z@z.com"), "subject": "s",
            "channel": "email", "status": "open", "created_at": AT, "messages": [], "number": format!("HD-{n}")})
    });
}

#[test]
fn reasons_of_agents() {
    let reject = |n| on("reject_offer", json!({"reason": chars(n)}));
    holds(REASON_CHARS_MAX, "reason", "amy", reject);
    holds(
        REASON_CHARS_MAX,
        "skip.reason",
        "amy",
        |n| json!({"type": "take_next", "skip": {"ticket": "#1", "reason": chars(n)}}),
    );
}

#[test]
fn people() {
    let contact = |name: String, more: Value| {
        let mut create = json!({"type": "create_contact", "name": name, "identities": []});
        crate::kit::merge(&mut create, more);
        create
    };
    let identities = |n: usize| {
        let one = |i| json!({"kind": "handle", "value": format!("h{i}")});
        (0..n).map(one).collect::<Vec<_>>()
    };
    holds(NAME_CHARS_MAX, "name", "amy", |n| contact(chars(n), json!({})));
    holds(IDENTITIES_MAX, "identities", "amy", |n| {
        contact("n".into(), json!({"identities": identities(n)}))
    });
    holds(IDENTITIES_MAX, "patch.add_identities", "amy", |n| {
        // One of them is her address.
        json!({"type": "update_contact", "contact": "@anna", "patch": {"add_identities": identities(n - 1)}})
    });
    holds(TAGS_MAX, "details.tags", "amy", |n| {
        contact("n".into(), json!({"details": {"tags": words(n)}}))
    });
    holds(NOTES_BYTES_MAX, "details.notes", "amy", |n| {
        contact("n".into(), json!({"details": {"notes": bytes(n)}}))
    });
    holds(CUSTOM_TEXT_CHARS_MAX, "details.custom.f", "amy", |n| {
        contact("n".into(), json!({"details": {"custom": {"f": chars(n)}}}))
    });
    let organization = |patch: Value| json!({"type": "update_organization", "organization": "@acme", "patch": patch});
    holds(NAME_CHARS_MAX, "patch.name", "sys", |n| organization(json!({"name": chars(n)})));
    holds(TAG_CHARS_MAX, "patch.tags[0]", "sys", |n| organization(json!({"tags": [chars(n)]})));
    holds(TAGS_MAX, "patch.tags", "sys", |n| organization(json!({"tags": words(n)})));
    holds(CUSTOM_TEXT_CHARS_MAX, "patch.custom.f", "sys", |n| {
        organization(json!({"custom": {"f": chars(n)}}))
    });
    holds(DOMAINS_MAX, "patch.domains", "sys", |n| {
        let domains: Vec<String> = (0..n).map(|i| format!("d{i}.com")).collect();
        organization(json!({ "domains": domains }))
    });
    let agent = |patch: Value| json!({"type": "update_agent", "agent": "@amy", "patch": patch});
    holds(NAME_CHARS_MAX, "patch.name", "sys", |n| agent(json!({"name": chars(n)})));
    holds(SKILLS_MAX, "patch.skills", "sys", |n| {
        let skills: Vec<Value> = (0..n).map(|i| json!({"skill": format!("s{i}")})).collect();
        agent(json!({ "skills": skills }))
    });
}

#[test]
fn two_contacts_are_joined_while_one_has_room_for_both() {
    let mut kit = desk();
    let tags = |who: &str, tags: &[String]| json!({"type": "update_contact", "contact": who, "patch": {"tags": tags}});
    let join = json!({"type": "join_contacts", "from": "@anna", "into": "@bob"});
    let all = words(TAGS_MAX + 1);
    kit.execute("amy", tags("@anna", &all[..60]), at(AT)).unwrap();
    kit.execute("amy", tags("@bob", &all[60..]), at(AT)).unwrap();
    let over = kit.execute("lea", join.clone(), at(AT)).unwrap_err();
    assert_eq!(crate::kit::refused(&over), "refused: over_limit into");
    kit.execute("amy", tags("@bob", &all[61..]), at(AT)).unwrap();
    kit.execute("lea", join, at(AT)).unwrap();
}

#[test]
fn a_batch() {
    let nobody = "00000000-0000-0000-0000-000000000009";
    holds(
        BATCH_MAX,
        "tickets",
        "lea",
        |n| json!({"type": "apply_changes_to_many", "tickets": vec![nobody; n], "changes": []}),
    );
}

#[test]
fn a_page() {
    let kit = desk();
    for (name, path) in [
        ("list_tickets", "limit"),
        ("search_tickets", "limit"),
        ("history", "limit"),
        ("conversation", "limit"),
        ("changes_since", "limit"),
        ("list_dead_letters", "limit"),
        ("board", "limit"),
    ] {
        let ask = |limit: usize| {
            let mut query = json!({"type": name, "limit": limit});
            match name {
                "search_tickets" => query["text"] = json!("a"),
                "changes_since" => query["position"] = json!(0),
                "history" | "conversation" => query["ticket"] = json!({"number": "HD-1"}),
                _ => {}
            }
            kit.ask("sys", query, at(AT))
        };
        let over = ask(PAGE_MAX + 1).unwrap_err().body();
        assert_eq!(
            (over.code.as_str(), over.path.as_deref()),
            ("over_limit", Some(path)),
            "{name}"
        );
        assert_eq!(ask(0).unwrap_err().code().as_str(), "invalid", "{name}");
        ask(PAGE_MAX).unwrap();
    }
}

/// Changes a ticket behind the engine's back, as thousands of commands would.
fn edit(kit: &Kit, ticket: &str, edit: impl Fn(&mut Ticket)) {
    let stream = StreamId::case(TicketId(kit.names.id(ticket)));
    let found = block_on(kit.store.get(TENANT, &[RecordKey::Stream(stream)])).unwrap();
    let stored = found.into_iter().next().flatten().unwrap();
    let Record::Case(mut case) = stored.record else { panic!("no case") };
    edit(&mut case.ticket);
    let mut set = ChangeSet::new(TENANT, CommandId(Uuid::new_v4()), at(AT));
    set.expect.push(Expect { stream, version: stored.version });
    set.put.push(Record::Case(case));
    block_on(kit.store.commit(set)).unwrap();
}

fn id(n: usize) -> Uuid {
    Uuid::from_u128(0xF000_0000 + n as u128)
}

#[test]
fn followers_and_links_of_a_ticket() {
    let follow = on("add_follower", json!({"follower": {"type": "contact", "id": "@bob"}}));
    let link = on("link", json!({"kind": "relates", "to": "#2"}));
    for (n_more, expected) in [(1, "#1 follower_added"), (0, "refused: over_limit follower")] {
        let mut kit = desk();
        let stranger = |n| Follower::Contact { id: ContactId(id(n)) };
        edit(&kit, "#1", |ticket| {
            ticket.followers = (0..FOLLOWERS_MAX - n_more).map(stranger).collect();
        });
        let line = kit.step(&Step::Do("amy", follow.clone()), at(AT));
        assert!(line.starts_with(expected), "{line}");
        // Intake leaves copies out, and keeps the message.
        let more = json!({"in_reply_to": "<mail-1@x>", "cc": [sender("carl@acme.com")]});
        let line = kit.step(&mail_with("anna@acme.com", "Re", "x", more), at(AT));
        assert!(line.contains("#1 m2 by anna") && !line.contains("follower_added"), "{line}");
    }
    for (n_more, expected) in [(1, "#1 linked"), (0, "refused: over_limit to")] {
        let mut kit = desk();
        let other = |n| Link { kind: LinkKind::Relates, to: TicketId(id(n)) };
        edit(&kit, "#1", |ticket| ticket.links = (0..LINKS_MAX - n_more).map(other).collect());
        let line = kit.step(&Step::Do("amy", link.clone()), at(AT));
        assert!(line.starts_with(expected), "{line}");
    }
}

#[test]
fn a_count_stops_at_ten_thousand() {
    let kit = desk();
    let stored = state::cases(&*kit.store, TENANT).remove(0);
    let limit = usize::try_from(COUNT_MAX).unwrap();
    let count = |kit: &Kit| match kit.ask("sys", json!({"type": "count_tickets"}), at(AT)).unwrap()
    {
        Answer::Count(counted) => counted,
        other => panic!("{other:?}"),
    };
    let add = |kit: &Kit, from: usize, to: usize| {
        let mut set = ChangeSet::new(TENANT, CommandId(Uuid::new_v4()), at(AT));
        for n in from..to {
            let mut case = stored.clone();
            case.ticket.id = TicketId(id(n));
            set.expect.push(Expect { stream: StreamId::case(case.ticket.id), version: 0 });
            set.put.push(Record::Case(Box::new(case)));
        }
        block_on(kit.store.commit(set)).unwrap();
    };
    // Two are there.
    add(&kit, 2, limit);
    assert_eq!(count(&kit), Counted { n: COUNT_MAX, capped: false });
    add(&kit, limit, limit + 1);
    assert_eq!(count(&kit), Counted { n: COUNT_MAX, capped: true });
}

#[test]
fn parts_of_parts() {
    let mut kit = desk();
    for n in 3..=PARENT_DEPTH_MAX + 2 {
        let letter = mail("anna@acme.com", &format!("T{n}"), "t");
        kit.step(&letter, at(AT));
    }
    let part = |n: usize| json!({"type": "set_parent", "ticket": format!("#{n}"), "parent": format!("#{}", n - 1)});
    for n in 2..=PARENT_DEPTH_MAX + 1 {
        kit.execute("sys", part(n), at(AT)).unwrap_or_else(|error| panic!("{n}: {error}"));
    }
    let over = kit.execute("sys", part(PARENT_DEPTH_MAX + 2), at(AT)).unwrap_err();
    assert_eq!(crate::kit::refused(&over), "refused: over_limit parent");
}

#[test]
fn timers_that_a_command_fires_first() {
    let mut config = json!({
        "queues": [{"key": "support", "group": "support", "mode": {"type": "offer", "timeout_seconds": 1}, "exclude_seconds": 0}],
    });
    config["agents"] = json!({"amy": {"groups": ["support"], "online": true}});
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), config);
    kit.run(&[(AT, mail("anna@acme.com", "A", "a"))]);
    // An offer ran out each second since.
    let late = at("2026-11-20T10:00:00Z");
    let outcome = kit.execute("amy", on("add_note", json!({"text": "n"})), late).unwrap();
    let steps = outcome.trace.steps.iter();
    let n = steps.filter(|step| step.to_string().starts_with("first came")).count();
    assert_eq!(n, CATCH_UP_MAX);
    assert!(matches!(outcome.events.last().unwrap().event, Event::Noted { .. }));
}

#[test]
fn an_inbound_message_is_cut_and_never_refused() {
    let mut kit = desk();
    let long = |n: usize| bytes(n);
    let file =
        file(json!({"name": long(NAME_CHARS_MAX + 1), "media_type": long(NAME_CHARS_MAX + 1),
        "inline_id": long(EXTERNAL_ID_CHARS_MAX + 1)}));
    let mut tags = words(TAGS_MAX);
    tags.push(chars(TAG_CHARS_MAX + 1));
    tags.push(" ".into());
    let more = json!({
        "html": deep(HTML_DEPTH_MAX + 1), "attachments": vec![file; ATTACHMENTS_MAX + 1], "tags": tags,
        "custom": {"f": chars(CUSTOM_TEXT_CHARS_MAX + 1)}, "language": bytes(1_000),
    });
    let mut letter = json!({"channel": "email", "text": long(TEXT_BYTES_MAX + 1), "subject": chars(SUBJECT_CHARS_MAX + 1),
        "from": {"identity": {"kind": "email", "value": "zoe@acme.com"}, "name": chars(NAME_CHARS_MAX + 1)}});
    crate::kit::merge(&mut letter, more);
    let outcome = kit.receive(letter, at(AT)).unwrap();
    let steps = outcome.trace.steps.iter().map(ToString::to_string);
    let cuts: BTreeSet<String> = steps.filter(|step| step.contains(" cut from ")).collect();
    let cuts: Vec<String> = cuts.into_iter().collect();
    expect![[r#"
        attachment name cut from 501 to 500
        attachments cut from 101 to 100
        custom.f cut from 65537 to 65536
        html cut from 1285 to 1280
        media type cut from 501 to 500
        name cut from 501 to 500
        subject cut from 1001 to 1000
        tag cut from 101 to 100
        tags cut from 101 to 100
        text cut from 1048577 to 1048576"#]]
    .assert_eq(&cuts.join("\n"));
    let Event::Replied { message } =
        &outcome.events.iter().find(|e| matches!(e.event, Event::Replied { .. })).unwrap().event
    else {
        panic!("no message")
    };
    assert!(message.truncated);
}

#[test]
fn an_inbound_message_at_every_limit_is_whole() {
    let mut kit = desk();
    let file = file(
        json!({"name": chars(NAME_CHARS_MAX), "media_type": chars(NAME_CHARS_MAX), "inline_id": bytes(EXTERNAL_ID_CHARS_MAX)}),
    );
    let letter = json!({
        "channel": "email", "text": bytes(TEXT_BYTES_MAX), "subject": chars(SUBJECT_CHARS_MAX), "html": deep(HTML_DEPTH_MAX),
        "external_id": bytes(EXTERNAL_ID_CHARS_MAX), "attachments": vec![file; ATTACHMENTS_MAX], "tags": words(TAGS_MAX),
        "custom": {"f": chars(CUSTOM_TEXT_CHARS_MAX)},
        "from": {"identity": {"kind": "email", "value": "zoe@acme.com"}, "name": chars(NAME_CHARS_MAX)},
    });
    let outcome = kit.receive(letter, at(AT)).unwrap();
    assert!(outcome.trace.steps.iter().all(|step| !step.to_string().contains(" cut ")));
}

#[test]
fn two_ids_that_begin_alike_stay_two() {
    let mut kit = desk();
    let letter = |n: usize, end: &str| {
        let id = format!("<{}{end}>", bytes(n - 1));
        mail_with("anna@acme.com", "Long", "x", json!({"external_id": id}))
    };
    for n in [EXTERNAL_ID_CHARS_MAX, EXTERNAL_ID_CHARS_MAX + 1, 5_000] {
        for end in ["a", "b"] {
            let line = kit.step(&letter(n, end), at(AT));
            assert!(line.contains("opened `Long`"), "{n} {end}: {line}");
        }
    }
    let answer = format!("<{}b>", bytes(4_999));
    let line =
        kit.step(&mail_with("anna@acme.com", "Re", "x", json!({"in_reply_to": answer})), at(AT));
    assert!(line.starts_with("[joined by=in_reply_to]; #8 m2"), "{line}");
}

#[test]
fn threading_looks_at_the_last_hundred_references() {
    let mut kit = desk();
    let after = |n: usize| {
        let mut references = vec!["<mail-1@x>".to_owned()];
        references.extend((0..n).map(|i| format!("<unknown-{i}@x>")));
        mail_with("anna@acme.com", "Re", "x", json!({ "references": references }))
    };
    let line = kit.step(&after(REFERENCES_MAX - 1), at(AT));
    assert!(line.starts_with("[joined by=references]"), "{line}");
    let line = kit.step(&after(REFERENCES_MAX), at(AT));
    assert!(line.contains("#3 opened"), "{line}");
}

#[test]
fn a_rule_adds_tags_while_there_is_room() {
    let config = json!({"rules": [{"key": "r", "then": {"queue": "support", "tags": words(2)}}], "queues": [{"key": "support", "group": "support"}]});
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), config);
    for (n, expected) in [(TAGS_MAX - 2, TAGS_MAX), (TAGS_MAX - 1, TAGS_MAX), (TAGS_MAX, TAGS_MAX)]
    {
        let tags: Vec<String> = (0..n).map(|i| format!("own{i}")).collect();
        let line = kit.step(&mail_with("anna@acme.com", "A", "a", json!({ "tags": tags })), at(AT));
        assert!(line.contains("opened"), "{line}");
        let newest =
            state::cases(&*kit.store, TENANT).into_iter().max_by_key(|case| case.ticket.number.n);
        assert_eq!(newest.unwrap().ticket.tags.len(), expected);
    }
}
