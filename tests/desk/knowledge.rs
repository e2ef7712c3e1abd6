//! Articles found by a search and suggested for questions, by an index that follows the journal.

use crate::kit::{Kit, Step, TENANT, at, mail, sqlite};
use expect_test::{Expect, expect};
use helpdesk::MemoryStore;
use helpdesk::search::{FullTextIndex, IndexOptions};
use helpdesk::storage::Store;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({"agents": {
        "amy": {"groups": ["support"]},
        "lea": {"groups": ["support"], "roles": ["team_lead"]},
    }})
}

/// Commits only when told to.
fn index() -> FullTextIndex {
    let patient = IndexOptions::default().with_window(Duration::from_secs(3600));
    FullTextIndex::in_memory(&patient).unwrap()
}

/// Runs a script in memory and on SQLite, which must agree.
fn check(script: &[(&str, Step)], expected: &Expect) {
    let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::default()), Arc::new(sqlite())];
    let lines = stores.map(|store| Kit::knowing(store, desk(), index()).run(script));
    assert_eq!(lines[0], lines[1], "memory and SQLite disagree");
    expected.assert_eq(&lines[0].join("\n"));
}

fn save(key: &str, title: &str, body: &str, more: Value) -> (&'static str, Step) {
    let mut command = json!({"type": "save_article", "key": key, "language": "en",
        "title": title, "body": body, "visibility": "public"});
    crate::kit::merge(&mut command, more);
    (AT, Step::Do("amy", command))
}

fn publish(article: &str) -> (&'static str, Step) {
    (AT, Step::Do("lea", json!({"type": "publish_article", "article": article})))
}

fn some() -> Vec<(&'static str, Step)> {
    vec![
        (AT, mail("anna@acme.com", "A refund", "How do I get my money back?\nThe lamp is broken.")),
        save(
            "refunds",
            "Refunds",
            "We send the money back within 14 days of the day on which the lamp reached us.",
            json!({"category": "money", "labels": ["lamps"]}),
        ),
        save(
            "goodwill",
            "Goodwill",
            "Up to 20 euros of money go back without a question.",
            json!({"visibility": "internal", "category": "money"}),
        ),
        save("lamps", "Lamps", "How to change a broken bulb.", json!({"labels": ["lamps"]})),
        save("plans", "Money and plans", "Next year lamps will cost more money.", json!({})),
        publish("@refunds.en"),
        publish("@goodwill.en"),
        publish("@lamps.en"),
        (AT, Step::Index),
    ]
}

fn search(who: &'static str, text: &str, more: Value) -> (&'static str, Step) {
    let mut query = json!({"type": "search_articles", "text": text});
    crate::kit::merge(&mut query, more);
    (AT, Step::Ask(who, query, &["key", "title", "snippet.text"]))
}

fn suggest(who: &'static str, about: Value) -> (&'static str, Step) {
    (AT, Step::Ask(who, json!({"type": "suggest_articles", "for": about}), &["key"]))
}

#[test]
fn what_is_out_and_for_the_asker_is_found() {
    let mut script = some();
    script.extend([
        search("anna", "money", json!({})),
        search("amy", "money", json!({})),
        search("amy", "moneys backs", json!({"limit": 1})),
        search("amy", "moneys backs", json!({"limit": 1, "after": "1"})),
        search("amy", "money", json!({"after": "page two"})),
        search("amy", "lamp", json!({"category": "money"})),
        search("amy", "lamp", json!({"label": "lamps", "languages": ["de"]})),
        search("anna", "nothing of it", json!({})),
    ]);
    check(
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A refund` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 refunds.en begun r1 category=money labels=[lamps] visibility=public
        Fri 09:00 goodwill.en begun r1 category=money visibility=internal
        Fri 09:00 lamps.en begun r1 labels=[lamps] visibility=public
        Fri 09:00 plans.en begun r1 visibility=public
        Fri 09:00 refunds.en article_published
        Fri 09:00 goodwill.en article_published
        Fri 09:00 lamps.en article_published
        Fri 09:00 indexed
        Fri 09:00 1 rows: key=refunds title=Refunds snippet.text=We send the money back within 14 days of the day on which the lamp reached us.
        Fri 09:00 2 rows: key=goodwill title=Goodwill snippet.text=Up to 20 euros of money go back without a question. | key=refunds title=Refunds snippet.text=We send the money back within 14 days of the day on which the lamp reached us.
        Fri 09:00 1 rows: key=goodwill title=Goodwill snippet.text=Up to 20 euros of money go back without a question. …
        Fri 09:00 1 rows: key=refunds title=Refunds snippet.text=We send the money back within 14 days of the day on which the lamp reached us.
        Fri 09:00 refused: invalid after
        Fri 09:00 1 rows: key=refunds title=Refunds snippet.text=back within 14 days of the day on which the lamp reached us.
        Fri 09:00 2 rows: key=lamps title=Lamps snippet.text=How to change a broken bulb. | key=refunds title=Refunds snippet.text=back within 14 days of the day on which the lamp reached us.
        Fri 09:00 0 rows:"#]],
    );
}

#[test]
fn the_desks_synonyms_find_each_other() {
    let synonyms = |groups: Value| {
        (AT, Step::Do("sys", json!({"type": "apply_config", "document": {"synonyms": groups}})))
    };
    let mut script = some();
    script.extend([
        search("anna", "luminaire", json!({})),
        synonyms(json!([["lamp", "luminaire"], ["bulb"], ["two words", "-"]])),
        synonyms(json!([["lamp", "luminaire"]])),
        search("anna", "luminaire", json!({})),
        suggest("anna", json!({"text": "luminaire?"})),
        suggest("anna", json!({"beginning": "luminaire "})),
    ]);
    check(
        &script,
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A refund` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refunds.en begun r1 category=money labels=[lamps] visibility=public
            Fri 09:00 goodwill.en begun r1 category=money visibility=internal
            Fri 09:00 lamps.en begun r1 labels=[lamps] visibility=public
            Fri 09:00 plans.en begun r1 visibility=public
            Fri 09:00 refunds.en article_published
            Fri 09:00 goodwill.en article_published
            Fri 09:00 lamps.en article_published
            Fri 09:00 indexed
            Fri 09:00 0 rows:
            Fri 09:00 refused: invalid document.synonyms[1], invalid document.synonyms[2][0], invalid document.synonyms[2][1]
            Fri 09:00 config applied
            Fri 09:00 2 rows: key=lamps title=Lamps snippet.text=How to change a broken bulb. | key=refunds title=Refunds snippet.text=back within 14 days of the day on which the lamp reached us.
            Fri 09:00 2 rows: key=lamps | key=refunds
            Fri 09:00 2 rows: key=lamps | key=refunds"#]],
    );
}

#[test]
fn facets_count_what_the_asker_may_read() {
    let mut kit = Kit::knowing(Arc::new(MemoryStore::default()), desk(), index());
    kit.run(&some());
    let query =
        json!({"type": "search_articles", "text": "lamp money", "facets": true, "limit": 1});
    let found = |who: &str| {
        let answer = kit.ask(who, query.clone(), at(AT)).unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        json!([answer["total"], answer["facets"]])
    };
    expect![[r#"
        [2,{"categories":{"money":1},"labels":{"lamps":2},"languages":{"en":2}}]
        [3,{"categories":{"money":2},"labels":{"lamps":2},"languages":{"en":3}}]"#]]
    .assert_eq(&[found("anna"), found("amy")].map(|found| found.to_string()).join("\n"));
}

#[test]
fn articles_are_suggested_for_a_question_a_ticket_and_a_beginning() {
    let mut script = some();
    script.extend([
        suggest("anna", json!({"text": "My lamp broke. Do I get the money back?"})),
        suggest("amy", json!({"ticket": {"number": "HD-1"}})),
        suggest("anna", json!({"ticket": {"number": "HD-1"}})),
        suggest("bob", json!({"ticket": {"number": "HD-1"}})),
        suggest("anna", json!({"beginning": "refu"})),
        suggest("anna", json!({"text": "weather"})),
    ]);
    script.insert(1, (AT, mail("bob@home.com", "Hello", "Hello")));
    check(
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A refund` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 contact bob made; #2 opened `Hello` for bob; #2 m1 by bob; #2 to support (desk_default)
        Fri 09:00 refunds.en begun r1 category=money labels=[lamps] visibility=public
        Fri 09:00 goodwill.en begun r1 category=money visibility=internal
        Fri 09:00 lamps.en begun r1 labels=[lamps] visibility=public
        Fri 09:00 plans.en begun r1 visibility=public
        Fri 09:00 refunds.en article_published
        Fri 09:00 goodwill.en article_published
        Fri 09:00 lamps.en article_published
        Fri 09:00 indexed
        Fri 09:00 2 rows: key=refunds | key=lamps
        Fri 09:00 3 rows: key=lamps | key=refunds | key=goodwill
        Fri 09:00 2 rows: key=refunds | key=lamps
        Fri 09:00 refused: not_found ticket
        Fri 09:00 1 rows: key=refunds
        Fri 09:00 0 rows:"#]],
    );
}

/// The index hears of it later; the answer does not wait for that.
#[test]
fn what_is_out_no_more_is_not_found_before_the_index_knows() {
    let mut script = some();
    let hide = json!({"type": "save_article", "article": "@lamps.en", "visibility": "internal"});
    script.extend([
        (AT, Step::Do("lea", json!({"type": "archive_article", "article": "@refunds.en"}))),
        (AT, Step::Do("lea", hide)),
        publish("@lamps.en"),
        search("anna", "lamp", json!({})),
        search("amy", "lamp", json!({})),
        (AT, Step::Index),
        search("anna", "lamp", json!({})),
        search("amy", "lamp", json!({})),
        publish("@plans.en"),
        search("anna", "lamp", json!({})),
        (AT, Step::Index),
        search("anna", "lamp", json!({})),
    ]);
    check(
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A refund` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:00 refunds.en begun r1 category=money labels=[lamps] visibility=public
        Fri 09:00 goodwill.en begun r1 category=money visibility=internal
        Fri 09:00 lamps.en begun r1 labels=[lamps] visibility=public
        Fri 09:00 plans.en begun r1 visibility=public
        Fri 09:00 refunds.en article_published
        Fri 09:00 goodwill.en article_published
        Fri 09:00 lamps.en article_published
        Fri 09:00 indexed
        Fri 09:00 refunds.en article_archived
        Fri 09:00 lamps.en saved r2 (text of r1) labels=[lamps] visibility=internal
        Fri 09:00 lamps.en article_published
        Fri 09:00 0 rows:
        Fri 09:00 1 rows: key=lamps title=Lamps snippet.text=How to change a broken bulb.
        Fri 09:00 indexed
        Fri 09:00 0 rows:
        Fri 09:00 1 rows: key=lamps title=Lamps snippet.text=How to change a broken bulb.
        Fri 09:00 plans.en article_published
        Fri 09:00 0 rows:
        Fri 09:00 indexed
        Fri 09:00 1 rows: key=plans title=Money and plans snippet.text=Next year lamps will cost more money."#]],
    );
}

#[test]
fn without_an_index_a_search_says_what_is_missing() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    let lines =
        kit.run(&[search("amy", "money", json!({})), suggest("amy", json!({"text": "money"}))]);
    expect![[r#"
        Fri 09:00 refused: not_configured
        Fri 09:00 refused: not_configured"#]]
    .assert_eq(&lines.join("\n"));
}

/// Every article has the word that is asked for: what is found is what the list shows.
#[test]
fn an_actor_finds_what_they_may_list_before_and_after_a_rebuild() {
    let mut script = vec![
        (AT, mail("anna@acme.com", "A", "a")),
        (AT, mail("vera@acme.com", "V", "v")),
        (
            AT,
            Step::Do(
                "sys",
                json!({"type": "update_contact", "contact": "@vera", "patch": {"tags": ["vip"]}}),
            ),
        ),
    ];
    let visibilities =
        [json!("public"), json!("signed_in"), json!("internal"), json!({"segment": ["vip"]})];
    for (n, visibility) in visibilities.iter().cycle().take(24).enumerate() {
        let key = format!("a{n}");
        script.push(save(&key, &key, "word", json!({"visibility": visibility})));
        if n % 5 != 0 {
            script.push(publish(&format!("@{key}.en")));
        }
    }
    for n in [3, 8, 13] {
        let article = format!("@a{n}.en");
        script.push((AT, Step::Do("lea", json!({"type": "archive_article", "article": article}))));
    }
    script.push((AT, Step::Index));
    let mut kit = Kit::knowing(Arc::new(MemoryStore::default()), desk(), index());
    kit.run(&script);
    let keys = |who: &str, query: Value| -> BTreeSet<String> {
        let answer = serde_json::to_value(kit.ask(who, query, at(AT)).unwrap()).unwrap();
        let rows = answer["rows"].as_array().unwrap();
        rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect()
    };
    let compare = || {
        let mut counts = Vec::new();
        for who in ["anna", "vera", "amy", "lea"] {
            let published = json!({"type": "list_articles", "state": "published"});
            let listed = match who {
                "anna" | "vera" => keys(who, json!({"type": "list_articles"})),
                _ => keys(who, published),
            };
            let found = keys(who, json!({"type": "search_articles", "text": "word"}));
            assert_eq!(found, listed, "{who}");
            counts.push(found.len());
        }
        counts
    };
    let counts = compare();
    assert_eq!(counts.iter().collect::<BTreeSet<_>>().len(), 3, "they read different things");
    let mut n_done = 0;
    helpdesk::block_on(kit.desk.engine().rebuild_article_index(&[TENANT], |n| n_done = n)).unwrap();
    assert_eq!((n_done, compare()), (24, counts));
}
