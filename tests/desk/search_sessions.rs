//! Sessions of searches: what is noted of them, and what is lacking by them.

use crate::kit::{Kit, Step, TENANT, at, mail, mail_with, sqlite};
use crate::state::assert_same;
use expect_test::{Expect, expect};
use helpdesk::MemoryStore;
use helpdesk::search::{FullTextIndex, IndexOptions};
use helpdesk::storage::Store;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const AT: &str = "2026-11-20T09:00:00Z";
const LATER: &str = "2026-11-20T10:00:00Z";

fn desk() -> Value {
    json!({"agents": {
        "amy": {"groups": ["support"]},
        "lea": {"groups": ["support"], "roles": ["admin"]},
    }})
}

fn kit(store: Arc<dyn Store>) -> Kit {
    let patient = IndexOptions::default().with_window(Duration::from_secs(3600));
    Kit::knowing(store, desk(), FullTextIndex::in_memory(&patient).unwrap())
}

/// Runs a script in memory and on SQLite, which must come to the same.
fn check(script: &[(&str, Step)], expected: &Expect) -> Kit {
    let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::default()), Arc::new(sqlite())];
    let [(memory, of_memory), (_, of_sqlite)] = stores.clone().map(|store| {
        let mut kit = kit(store);
        let lines = kit.run(script);
        (kit, lines)
    });
    assert_eq!(of_memory, of_sqlite, "memory and SQLite disagree");
    assert_same(&*stores[0], &*stores[1], TENANT);
    expected.assert_eq(&of_memory.join("\n"));
    memory
}

fn session(n: u128) -> String {
    uuid::Uuid::from_u128(n).to_string()
}

fn search(who: &'static str, n: u128, text: &str, n_found: u64) -> (&'static str, Step) {
    let command = json!({
        "type": "record_search", "session": session(n), "text": text, "n_found": n_found,
    });
    (AT, Step::Do(who, command))
}

fn click(who: &'static str, n: u128, article: &str) -> (&'static str, Step) {
    let command = json!({"type": "record_search_click", "session": session(n), "article": article});
    (AT, Step::Do(who, command))
}

fn article(key: &str, title: &str, body: &str) -> [(&'static str, Step); 2] {
    let save = json!({"type": "save_article", "key": key, "language": "en", "title": title,
        "body": body, "visibility": "public"});
    let publish = json!({"type": "publish_article", "article": format!("@{key}.en")});
    [(AT, Step::Do("amy", save)), (AT, Step::Do("lea", publish))]
}

fn report(kit: &Kit, from: &str, to: &str) -> Value {
    let query = json!({"type": "knowledge_report", "from": from, "to": to});
    let mut report = serde_json::to_value(kit.ask("lea", query, at(LATER)).unwrap()).unwrap();
    for gap in report["unhelpful"].as_array_mut().unwrap() {
        gap.as_object_mut().unwrap().remove("article");
    }
    report
}

fn lines(report: &Value) -> String {
    report.as_object().unwrap().iter().map(|(key, value)| format!("{key}: {value}\n")).collect()
}

#[test]
fn a_session_comes_to_an_answer_or_to_a_ticket() {
    let mut script = vec![(AT, mail("anna@acme.com", "Hello", "My lamp is broken."))];
    script.extend(article("lamps", "Lamps", "How to change a bulb."));
    script.extend(article("plans", "Plans", "What we will do next year."));
    let vote = json!({"type": "vote_article", "article": "@plans.en", "helpful": false,
        "session": session(3)});
    let form = json!({"search_session": session(2)});
    let open = json!({"type": "open_ticket", "subject": "Plans?", "text": "Tell me.",
        "search_session": session(3)});
    script.extend([
        // Answered, by somebody who is not signed in.
        search("visitor", 1, "change bulb", 1),
        click("visitor", 1, "@lamps.en"),
        click("visitor", 1, "@lamps.en"),
        // Nothing found, twice; a form came of it.
        search("visitor", 2, " Warranty ", 0),
        search("visitor", 2, "warranty", 0),
        (AT, mail_with("bob@acme.com", "Warranty", "How long is it?", form)),
        // Read, no help, and a ticket.
        search("anna", 3, "plan", 2),
        click("anna", 3, "@plans.en"),
        (AT, Step::Do("anna", vote)),
        (AT, Step::Do("anna", open)),
        // Found and not opened.
        search("anna", 4, "price", 5),
    ]);
    let kit = check(
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `Hello` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 lamps.en begun r1 visibility=public
        Fri 09:00 lamps.en article_published
        Fri 09:00 plans.en begun r1 visibility=public
        Fri 09:00 plans.en article_published
        Fri 09:00 nothing
        Fri 09:00 nothing
        Fri 09:00 nothing
        Fri 09:00 nothing
        Fri 09:00 nothing
        Fri 09:00 contact bob made; #2 opened `Warranty` for bob; #2 m1 by bob; #2 to support (desk_default)
        Fri 09:00 nothing
        Fri 09:00 nothing
        Fri 09:00 plans.en article_voted helpful=false
        Fri 09:00 #3 opened `Plans?` for anna; #3 m1 by anna; #3 to support (desk_default)
        Fri 09:00 nothing"#]],
    );
    let all = report(&kit, "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
    expect![[r#"
        funnel: {"deflected":1,"helped":0,"searches":5,"searches_without_click":1,"searches_without_result":2,"sessions":4,"with_click":2,"with_result":3,"with_ticket":2}
        topics: []
        unhelpful: [{"helpful":0,"key":"plans","language":"en","opened":1,"tickets":1,"unhelpful":1}]
        without_click: [{"searches":1,"sessions":1,"text":"price","tickets":0}]
        without_result: [{"searches":2,"sessions":1,"text":"Warranty","tickets":1}]
    "#]].assert_eq(&lines(&all));
    let none = report(&kit, "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z");
    assert_eq!(none["funnel"]["sessions"], json!(0));
    assert_eq!(none["without_result"], json!([]));
}

#[test]
fn steps_that_do_not_fit_are_refused() {
    let mut script = article("lamps", "Lamps", "How to change a bulb.").to_vec();
    script.extend([
        search("visitor", 1, " ", 0),
        search("visitor", 1, &"x".repeat(1_001), 0),
        click("visitor", 1, "@lamps.en"),
        (
            AT,
            Step::Do(
                "visitor",
                json!({"type": "vote_article", "article": "@lamps.en", "helpful": true}),
            ),
        ),
        (AT, Step::Ask("amy", json!({"type": "knowledge_report", "from": AT, "to": LATER}), &[])),
        (
            AT,
            Step::Ask(
                "lea",
                json!({"type": "knowledge_report", "from": LATER, "to": AT, "limit": 0}),
                &[],
            ),
        ),
    ]);
    check(
        &script,
        &expect![[r#"
        Fri 09:00 lamps.en begun r1 visibility=public
        Fri 09:00 lamps.en article_published
        Fri 09:00 refused: invalid text
        Fri 09:00 refused: over_limit text
        Fri 09:00 refused: not_found session
        Fri 09:00 refused: forbidden
        Fri 09:00 refused: forbidden
        Fri 09:00 refused: invalid to, invalid limit"#]],
    );
}

#[test]
fn a_session_has_an_end() {
    let mut kit = kit(Arc::new(MemoryStore::default()));
    let searches: Vec<_> = (0..200).map(|_| search("visitor", 1, "again", 0)).collect();
    kit.run(&searches);
    let (_, Step::Do(who, one_more)) = search("visitor", 1, "again", 0) else { panic!() };
    let error = kit.execute(who, one_more, at(AT)).unwrap_err();
    assert_eq!(error.code().as_str(), "over_limit");
}

#[test]
fn a_visitor_reads_what_is_public_and_no_ticket() {
    let mut script = vec![(AT, mail("anna@acme.com", "Hello", "My lamp is broken."))];
    script.extend(article("lamps", "Lamps", "How to change a bulb."));
    let save = json!({"type": "save_article", "key": "inside", "language": "en",
        "title": "Lamps inside", "body": "For requesters.", "visibility": "signed_in"});
    script.extend([
        (AT, Step::Do("amy", save)),
        (AT, Step::Do("lea", json!({"type": "publish_article", "article": "@inside.en"}))),
        (AT, Step::Index),
    ]);
    let ask = |who, query| (AT, Step::Ask(who, query, &["key"][..]));
    script.extend([
        ask("visitor", json!({"type": "search_articles", "text": "lamps"})),
        ask("anna", json!({"type": "search_articles", "text": "lamps"})),
        ask("visitor", json!({"type": "list_articles"})),
        ask("visitor", json!({"type": "list_tickets"})),
        ask("visitor", json!({"type": "get_ticket", "ticket": {"number": "HD-1"}})),
        ask("visitor", json!({"type": "search_tickets", "text": "lamp"})),
        click("visitor", 1, "@inside.en"),
    ]);
    check(
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `Hello` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 lamps.en begun r1 visibility=public
        Fri 09:00 lamps.en article_published
        Fri 09:00 inside.en begun r1 visibility=signed_in
        Fri 09:00 inside.en article_published
        Fri 09:00 indexed
        Fri 09:00 1 rows: key=lamps
        Fri 09:00 2 rows: key=lamps | key=inside
        Fri 09:00 1 rows: key=lamps
        Fri 09:00 0 rows:
        Fri 09:00 refused: not_found ticket
        Fri 09:00 0 rows:
        Fri 09:00 refused: not_found article"#]],
    );
}

#[test]
fn topics_of_many_tickets_without_an_article_are_told() {
    let mut script = Vec::new();
    let texts = [
        ("Warranty", "Is the kettle under warranty?"),
        ("Question", "How long does the warranty of a toaster last?"),
        ("Kettle broke", "I want it repaired under warranty."),
        ("Bulb", "How do I change the bulb of my lamp?"),
        ("Lamp", "Which bulb is for this lamp?"),
        ("Light", "The bulb of the lamp is loose."),
    ];
    for (subject, text) in texts {
        script.push((AT, mail("anna@acme.com", subject, text)));
    }
    script.extend(article("lamps", "Lamps", "How to change the bulb of a lamp."));
    script.push((AT, Step::Index));
    let mut kit = kit(Arc::new(MemoryStore::default()));
    kit.run(&script);
    let found = report(&kit, "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
    expect![[r#"[{"examples":["HD-1","HD-3","HD-2"],"tickets":3,"words":["warranty"]}]"#]]
        .assert_eq(&found["topics"].to_string());
}
