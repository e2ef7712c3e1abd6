//! Searches over tickets: by an index, and by reading the tickets, with one answer.

use crate::kit::{Kit, Step, TENANT, assign, at, change, mail, mail_with, note, on, reply, sqlite};
use expect_test::{Expect, expect};
use helpdesk::blocking::Helpdesk;
use helpdesk::core::query::Answer;
use helpdesk::search::{IndexOptions, TicketIndex};
use helpdesk::storage::Store;
use helpdesk::{MemoryStore, SqliteOptions, SqliteStore};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tempfile::TempDir;

const AT: &str = "2026-11-20T10:00:00Z";

fn desk() -> Value {
    json!({
        "groups": [{"key": "support"}, {"key": "sales"}],
        "queues": [{"key": "support", "group": "support"}, {"key": "sales", "group": "sales"}],
        "rules": [{"key": "buy", "when": {"field": "text", "has_word": ["buy"]}, "then": {"queue": "sales", "priority": "high"}}],
        "agents": {"amy": {"groups": ["support"]}, "sam": {"groups": ["sales"]},
            "lea": {"groups": ["support", "sales"], "roles": ["team_lead"]}},
        "fields": [{"key": "seats", "name": "Seats", "kind": {"type": "number"}}],
        "time_zone": "Europe/Sofia",
    })
}

/// Commits only when told to.
fn index_in_memory() -> Arc<TicketIndex> {
    let patient = IndexOptions::default().with_window(std::time::Duration::from_secs(3600));
    Arc::new(TicketIndex::in_memory(&patient).unwrap())
}

/// Runs a script by reading the tickets and by an index, in memory and on SQLite, which
/// must all agree.
fn check(script: &[(&str, Step)], expected: &Expect) {
    let lines = Kit::new(Arc::new(MemoryStore::default()), desk()).run(script);
    let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::default()), Arc::new(sqlite())];
    for store in stores {
        let mut kit = Kit::indexed(store, desk(), index_in_memory());
        assert_eq!(lines, kit.run(script), "the index says otherwise");
    }
    expected.assert_eq(&lines.join("\n"));
}

fn some() -> Vec<(&'static str, Step)> {
    vec![
        ("2026-11-18T22:30:00Z", mail("anna@acme.com", "Invoices", "Two invoices are\nmissing.")),
        ("2026-11-19T09:01:00Z", mail("anna@acme.com", "Lamps", "I want to buy a lamp.")),
        ("2026-11-19T09:02:00Z", mail("bob@acme.com", "Invoice", "Please refund the lamp")),
        ("2026-11-19T09:03:00Z", note("amy", "#3", "A known swindler")),
        ("2026-11-19T09:04:00Z", reply("amy", "#3", "Which invoice?")),
        ("2026-11-19T09:05:00Z", assign("lea", "#3", "@amy")),
        (
            "2026-11-19T09:06:00Z",
            change(
                "lea",
                "#2",
                json!([{"type": "add_tags", "tags": ["vip"]}, {"type": "set_custom", "field": "seats", "to": 5}]),
            ),
        ),
        (AT, Step::Index),
    ]
}

#[test]
fn an_index_that_is_ahead_of_a_restored_store_takes_it_in_anew() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.db");
    let index = index_in_memory();
    let store = Arc::new(sqlite());
    let mut kit = Kit::indexed(store.clone(), desk(), index.clone());
    kit.run(&[(AT, mail("anna@acme.com", "Lamp", "One lamp."))]);
    store.backup(&backup).unwrap();
    let lamps = (0..9).map(|_| (AT, mail("bob@acme.com", "Lamp", "A lost lamp.")));
    kit.run(&lamps.chain([(AT, Step::Index)]).collect::<Vec<_>>());
    let restored = Arc::new(SqliteStore::open(&backup, SqliteOptions::default()).unwrap());
    let mut kit = Kit::indexed(restored, desk(), index);
    let outer = json!({"external_id": "<later@acme.com>"});
    let new = (AT, mail_with("carl@acme.com", "Lamp", "A new lamp.", outer));
    let lines = kit.run(&[new, (AT, Step::Index), search("lea", "lamp order:number")]);
    expect![[r#"
        Fri 10:00 contact carl made; #65 opened `Lamp` for carl; #65 m1 by carl; #65 to support (desk_default)
        Fri 10:00 indexed
        Fri 10:00 2 rows: number=HD-1 | number=HD-65"#]].assert_eq(&lines.join("\n"));
}

fn search(who: &'static str, text: &str) -> (&'static str, Step) {
    (
        AT,
        Step::Ask(who, json!({"type": "search_tickets", "text": text, "count": true}), &["number"]),
    )
}

#[test]
fn tests_words_and_orders_find_tickets_in_scope() {
    let mut script = some();
    script.extend([
        search("lea", "invoice order:number"),
        search("lea", "invoice order:-number"),
        search("lea", "\"are missing\""),
        search("lea", "invoice -refund"),
        search("lea", "-invoice"),
        search("lea", "tag:vip"),
        search("lea", "custom.seats>=5 lamp"),
        search("lea", "created:2026-11-19 order:created"),
        search("amy", "assignee:me"),
        search("lea", "assignee:none order:-number"),
        search("lea", "priority>=high"),
        search("lea", "email.ends_with:acme.com subject:invoice order:number"),
        search("lea", "body:\"which invoice\""),
        search("amy", "lamp"),
        search("sam", "lamp"),
        search("sys", "lamp order:number"),
        search("lea", "swindler"),
        search("bob", "swindler"),
        search("bob", "invoice"),
        search("anna", "invoice"),
        search("anna", "lamp status:new"),
        search("lea", "order:created"),
        search("lea", "nothing"),
    ]);
    check(
        &script,
        &expect![[r#"
        Wed 22:30 contact anna made; #1 opened `Invoices` for anna; #1 m1 by anna; #1 to support (desk_default)
        Thu 09:01 #2 opened `Lamps` for anna; #2 m1 by anna; #2 to sales (rule buy) priority=high
        Thu 09:02 contact bob made; #3 opened `Invoice` for bob; #3 m1 by bob; #3 to support (desk_default)
        Thu 09:03 #3 note m2 by amy
        Thu 09:04 #3 m3 by amy; #3 new→open (agent_replied)
        Thu 09:05 #3 assigned to amy (by_hand)
        Thu 09:06 #2 updated changes=[{tags:[vip],type:add_tags},{field:seats,to:5.0,type:set_custom}]
        Fri 10:00 indexed
        Fri 10:00 2 rows: number=HD-1 | number=HD-3
        Fri 10:00 2 rows: number=HD-3 | number=HD-1
        Fri 10:00 1 rows: number=HD-1
        Fri 10:00 1 rows: number=HD-1
        Fri 10:00 1 rows: number=HD-2
        Fri 10:00 1 rows: number=HD-2
        Fri 10:00 1 rows: number=HD-2
        Fri 10:00 3 rows: number=HD-1 | number=HD-2 | number=HD-3
        Fri 10:00 1 rows: number=HD-3
        Fri 10:00 2 rows: number=HD-2 | number=HD-1
        Fri 10:00 1 rows: number=HD-2
        Fri 10:00 1 rows: number=HD-3
        Fri 10:00 1 rows: number=HD-3
        Fri 10:00 1 rows: number=HD-3
        Fri 10:00 1 rows: number=HD-2
        Fri 10:00 2 rows: number=HD-2 | number=HD-3
        Fri 10:00 1 rows: number=HD-3
        Fri 10:00 0 rows:
        Fri 10:00 1 rows: number=HD-3
        Fri 10:00 1 rows: number=HD-1
        Fri 10:00 1 rows: number=HD-2
        Fri 10:00 3 rows: number=HD-1 | number=HD-2 | number=HD-3
        Fri 10:00 0 rows:"#]],
    );
}

#[test]
fn what_is_wrong_with_a_search_is_said_at_its_spot() {
    let mut script = some();
    script.extend([
        search("lea", "stat:open"),
        search("lea", "\"open"),
        search("anna", "assignee:none"),
        search("anna", "lamp order:due"),
        search("anna", "requester:me order:number"),
        search("sys", "assignee:me"),
    ]);
    let wrong = json!({"type": "search_tickets", "text": "lamp", "after": "page 2"});
    script.push((AT, Step::Ask("lea", wrong, &[])));
    check(
        &script,
        &expect![[r#"
        Wed 22:30 contact anna made; #1 opened `Invoices` for anna; #1 m1 by anna; #1 to support (desk_default)
        Thu 09:01 #2 opened `Lamps` for anna; #2 m1 by anna; #2 to sales (rule buy) priority=high
        Thu 09:02 contact bob made; #3 opened `Invoice` for bob; #3 m1 by bob; #3 to support (desk_default)
        Thu 09:03 #3 note m2 by amy
        Thu 09:04 #3 m3 by amy; #3 new→open (agent_replied)
        Thu 09:05 #3 assigned to amy (by_hand)
        Thu 09:06 #2 updated changes=[{tags:[vip],type:add_tags},{field:seats,to:5.0,type:set_custom}]
        Fri 10:00 indexed
        Fri 10:00 refused: unknown_field text
        Fri 10:00 refused: invalid text
        Fri 10:00 refused: forbidden text
        Fri 10:00 refused: forbidden text
        Fri 10:00 2 rows: number=HD-1 | number=HD-2
        Fri 10:00 refused: invalid text
        Fri 10:00 refused: invalid after"#]],
    );
}

#[test]
fn what_was_redacted_deleted_or_is_spam_is_not_found() {
    let mut script = some();
    script.extend([
        (AT, Step::Do("lea", json!({"type": "redact", "ticket": "#1", "seq": 1}))),
        (AT, on("lea", "mark_spam", "#2")),
        (AT, on("lea", "delete_ticket", "#3")),
        (AT, Step::Index),
        search("lea", "missing"),
        search("lea", "invoices"),
        search("lea", "lamp"),
        (AT, on("lea", "unmark_spam", "#2")),
        (AT, Step::Index),
        search("lea", "lamp"),
    ]);
    check(
        &script,
        &expect![[r#"
        Wed 22:30 contact anna made; #1 opened `Invoices` for anna; #1 m1 by anna; #1 to support (desk_default)
        Thu 09:01 #2 opened `Lamps` for anna; #2 m1 by anna; #2 to sales (rule buy) priority=high
        Thu 09:02 contact bob made; #3 opened `Invoice` for bob; #3 m1 by bob; #3 to support (desk_default)
        Thu 09:03 #3 note m2 by amy
        Thu 09:04 #3 m3 by amy; #3 new→open (agent_replied)
        Thu 09:05 #3 assigned to amy (by_hand)
        Thu 09:06 #2 updated changes=[{tags:[vip],type:add_tags},{field:seats,to:5.0,type:set_custom}]
        Fri 10:00 indexed
        Fri 10:00 #1 redacted n_attachments=0 seq=1
        Fri 10:00 #2 marked_spam
        Fri 10:00 #3 deleted
        Fri 10:00 indexed
        Fri 10:00 0 rows:
        Fri 10:00 1 rows: number=HD-1
        Fri 10:00 0 rows:
        Fri 10:00 #2 unmarked_spam
        Fri 10:00 indexed
        Fri 10:00 1 rows: number=HD-2"#]],
    );
}

/// A desk with some tickets, and the same desk without an index.
fn two_ways() -> (Kit, Helpdesk) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let mut kit = Kit::indexed(store.clone(), desk(), index_in_memory());
    kit.run(&some());
    let plain = helpdesk::Helpdesk::builder().with_shared_store(store).build().unwrap();
    (kit, Helpdesk::from(plain))
}

fn found(answer: Answer) -> helpdesk::core::query::Found {
    match answer {
        Answer::Found(found) => found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn hits_come_best_first_with_what_was_found_marked() {
    let (kit, _) = two_ways();
    let ask = |who: &str, text: &str| {
        let query = json!({"type": "search_tickets", "text": text});
        serde_json::to_value(kit.ask(who, query, at(AT)).unwrap()).unwrap()
    };
    let answer = ask("lea", "invoices");
    let row = &answer["rows"][0];
    assert_eq!(row["number"], "HD-1");
    let snippet = json!({"text": "Two invoices are missing.", "marks": [{"start": 4, "end": 12}]});
    assert_eq!(row["snippet"], snippet);
    assert!(row["score"].as_f64() > answer["rows"][1]["score"].as_f64());
    // Of what may be read only: the note is not shown to its requester, nor counted.
    let answer = ask("bob", "lamp");
    assert_eq!(answer["rows"][0]["snippet"]["text"], "Please refund the lamp\nWhich invoice?");
}

#[test]
fn pages_join_to_the_whole_in_every_order() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let mut kit = Kit::indexed(store.clone(), desk(), index_in_memory());
    for n in 0..23 {
        let text = if n % 3 == 0 { "a lamp" } else { "a lamp, a lamp: help" };
        kit.step(&mail("anna@acme.com", &format!("T{n}"), text), at(AT));
    }
    kit.step(&Step::Index, at(AT));
    let plain = helpdesk::Helpdesk::builder().with_shared_store(store).build().unwrap();
    let plain = Helpdesk::from(plain);
    let (lea, names) = (kit.actor("lea"), &kit.names);
    for desk in [&kit.desk, &plain] {
        for text in ["lamp", "lamp order:-number", "lamp -help order:created", "-help", ""] {
            let mut all = Vec::new();
            let mut after: Option<String> = None;
            loop {
                let query =
                    json!({"type": "search_tickets", "text": text, "limit": 4, "after": after});
                let query = serde_json::from_value(names.in_ids(query)).unwrap();
                let page = found(desk.query(&lea, query, at(AT)).unwrap());
                all.extend(page.rows.iter().map(|row| row.ticket.id()));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let query = json!({"type": "search_tickets", "text": text, "count": true});
            let whole =
                found(desk.query(&lea, serde_json::from_value(query).unwrap(), at(AT)).unwrap());
            let ids: Vec<_> = whole.rows.iter().map(|row| row.ticket.id()).collect();
            assert_eq!(all, ids, "{text}");
            assert_eq!(whole.total.map(|total| total.n), Some(ids.len() as u64), "{text}");
        }
    }
}

#[test]
fn similar_tickets_are_those_that_the_actor_may_read() {
    let (kit, plain) = two_ways();
    let ask = |who: &str, ticket: &str| {
        let query = json!({"type": "similar_tickets", "ticket": {"id": ticket}});
        let answer = serde_json::to_value(kit.ask(who, query, at(AT)).unwrap()).unwrap();
        let rows = answer["rows"].as_array().unwrap().clone();
        rows.iter().map(|row| row["number"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ask("lea", "#3"), ["HD-1", "HD-2"]);
    assert_eq!(ask("amy", "#3"), ["HD-1"]);
    assert_eq!(ask("bob", "#3"), [] as [&str; 0]);
    let query = json!({"type": "similar_tickets", "ticket": {"id": "#2"}});
    assert_eq!(kit.ask("amy", query.clone(), at(AT)).unwrap_err().code().as_str(), "not_found");
    let query = serde_json::from_value(kit.names.in_ids(query)).unwrap();
    let error = plain.query(&kit.actor("lea"), query, at(AT)).unwrap_err();
    assert_eq!(error.code().as_str(), "not_configured");
}

#[test]
fn an_index_goes_on_from_its_own_checkpoint_and_is_made_anew_while_it_answers() {
    let folder = TempDir::new().unwrap();
    let store: Arc<dyn Store> = Arc::new(sqlite());
    let open = || {
        let options = IndexOptions::default();
        Arc::new(TicketIndex::open(folder.path(), &options).unwrap())
    };
    let count = |desk: &Helpdesk, kit: &Kit| {
        let query = json!({"type": "search_tickets", "text": "lamp", "count": true});
        let query = serde_json::from_value(query).unwrap();
        found(desk.query(&kit.actor("lea"), query, at(AT)).unwrap()).total.unwrap().n
    };
    let mut kit = Kit::indexed(store.clone(), desk(), open());
    kit.run(&some());
    assert_eq!(count(&kit.desk, &kit), 2);
    let engine_with = |index: Arc<TicketIndex>| {
        let builder = helpdesk::Helpdesk::builder().with_shared_store(store.clone());
        Helpdesk::from(builder.with_ticket_index(index).build().unwrap())
    };
    let mut unindexed = Kit::bare(store.clone());
    std::mem::swap(&mut unindexed.names, &mut kit.names);
    unindexed.n_commands = 1_000;
    drop(kit);
    // Nobody follows meanwhile.
    let later = json!({"external_id": "<later@x>"});
    unindexed.step(&mail_with("anna@acme.com", "Lamp", "Another lamp", later), at(AT));
    let index = open();
    let again = engine_with(index.clone());
    assert_eq!(count(&again, &unindexed), 2);
    // The index knows the tenant, which this engine has not met.
    let report = again.index(10_000).unwrap();
    assert_eq!((report.things, report.has_more), (1, false));
    assert_eq!(again.index(10_000).unwrap().entries, 0);
    assert_eq!(count(&again, &unindexed), 3);
    let mut progress = Vec::new();
    let rebuilt = again.engine().rebuild_ticket_index(&[TENANT], |n| progress.push(n));
    helpdesk::block_on(rebuilt).unwrap();
    assert_eq!((progress, count(&again, &unindexed)), (vec![4], 3));
    assert_eq!(again.index(10_000).unwrap().entries, 0);
    // Into an index that has nothing yet: from there the feed goes on.
    let fresh = index_in_memory();
    let other = engine_with(fresh.clone());
    helpdesk::block_on(other.engine().rebuild_ticket_index(&[TENANT], |_| ())).unwrap();
    assert_eq!((count(&other, &unindexed), other.index(10_000).unwrap().entries), (3, 0));
    // Little by little.
    let slow = engine_with(index_in_memory());
    assert_eq!(count(&slow, &unindexed), 0);
    let mut n_calls = 0;
    while slow.index(2).unwrap().has_more {
        n_calls += 1;
    }
    assert!(n_calls > 2, "{n_calls}");
    assert_eq!(count(&slow, &unindexed), 3);
}

fn any_word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["lamp", "lamps", "invoice", "buy", "missing", "the", "swindler"])
}

fn any_step() -> impl Strategy<Value = Step> {
    let text = || prop::collection::vec(any_word(), 1..5).prop_map(|words| words.join(" "));
    let who = prop::sample::select(vec!["anna@acme.com", "bob@acme.com"]);
    let ticket = || prop::sample::select(vec!["#1", "#2", "#3"]);
    prop_oneof![
        3 => (who, text(), text()).prop_map(|(who, subject, text)| mail(who, &subject, &text)),
        2 => (ticket(), text()).prop_map(|(ticket, text)| note("lea", ticket, &text)),
        1 => (ticket(), text()).prop_map(|(ticket, text)| reply("lea", ticket, &text)),
        1 => ticket().prop_map(|ticket| assign("lea", ticket, "@amy")),
        1 => ticket().prop_map(|ticket| on("lea", "mark_spam", ticket)),
        1 => ticket().prop_map(|ticket| change("lea", ticket, json!([{"type": "set_requester", "to": "@bob"}]))),
        1 => ticket().prop_map(|ticket| Step::Do("lea", json!({"type": "redact", "ticket": ticket, "seq": 1}))),
    ]
}

fn any_search() -> impl Strategy<Value = String> {
    let tests = vec![
        "",
        "status:new",
        "status:open",
        "assignee:none",
        "subject:lamp",
        "created<2026-11-20",
    ];
    let order = prop::sample::select(vec!["", "order:-number", "order:updated"]);
    let phrase = (any_word(), any_word()).prop_map(|(a, b)| format!("\"{a} {b}\""));
    let word = prop_oneof![3 => any_word().prop_map(str::to_owned), 1 => phrase];
    let words = prop::collection::vec((any::<bool>(), word), 0..3).prop_map(|words| {
        let term = |(negated, word)| if negated { format!("-{word}") } else { word };
        words.into_iter().map(term).collect::<Vec<_>>().join(" ")
    });
    (prop::sample::select(tests), words, order).prop_map(|(a, b, c)| format!("{a} {b} {c}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_index_answers_as_if_the_tickets_were_read(
        steps in prop::collection::vec(any_step(), 1..12),
        searches in prop::collection::vec(any_search(), 1..12),
    ) {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let mut kit = Kit::indexed(store.clone(), desk(), index_in_memory());
        // So that each name is known.
        kit.step(&mail("anna@acme.com", "A", "lamp"), at(AT));
        kit.step(&mail("bob@acme.com", "B", "buy"), at(AT));
        kit.step(&mail("bob@acme.com", "C", "the invoice"), at(AT));
        for step in &steps {
            kit.step(step, at(AT));
        }
        kit.step(&Step::Index, at(AT));
        let plain = helpdesk::Helpdesk::builder().with_shared_store(store).build().unwrap();
        let plain = Helpdesk::from(plain);
        for text in &searches {
            for who in ["sys", "amy", "sam", "lea", "anna", "bob"] {
                let query = json!({"type": "search_tickets", "text": text, "count": true});
                let query = || serde_json::from_value(query.clone()).unwrap();
                let ask = |desk: &Helpdesk| match desk.query(&kit.actor(who), query(), at(AT)) {
                    Ok(answer) => {
                        let found = found(answer);
                        let ids: BTreeSet<_> = found.rows.iter().map(|r| r.ticket.id()).collect();
                        Ok((ids, found.total))
                    }
                    Err(error) => Err(error.code()),
                };
                prop_assert_eq!(ask(&kit.desk), ask(&plain), "{} asks {}", who, text);
            }
        }
    }
}
