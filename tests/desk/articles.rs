//! The knowledge base: articles written, reviewed, published, read and judged.

use crate::kit::{Kit, Step, TENANT, at, check, mail, stores};
use crate::state;
use expect_test::expect;
use helpdesk::core::query::Answer;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({"agents": {
        "amy": {"groups": ["support"]},
        "lea": {"groups": ["support"], "roles": ["team_lead"]},
        "lia": {"groups": ["support"], "roles": ["light_agent"]},
    }})
}

fn save(who: &'static str, more: Value) -> Step {
    let mut command = json!({"type": "save_article"});
    crate::kit::merge(&mut command, more);
    Step::Do(who, command)
}

fn begin(key: &str, language: &str, title: &str, visibility: Value) -> Step {
    save(
        "amy",
        json!({"key": key, "language": language, "title": title, "body": format!("{title}, at length."),
            "visibility": visibility}),
    )
}

fn on(who: &'static str, kind: &str, article: &str) -> Step {
    Step::Do(who, json!({"type": kind, "article": article}))
}

fn publish_at(who: &'static str, article: &str, at: &str) -> Step {
    Step::Do(who, json!({"type": "publish_article", "article": article, "publish_at": at}))
}

fn vote(who: &'static str, article: &str, helpful: bool) -> Step {
    Step::Do(who, json!({"type": "vote_article", "article": article, "helpful": helpful}))
}

fn restore(who: &'static str, article: &str, revision: u32) -> Step {
    let kind = "restore_article_revision";
    Step::Do(who, json!({"type": kind, "article": article, "revision": revision}))
}

fn read(who: &'static str, article: &str) -> Step {
    let query = json!({"type": "get_article", "article": {"id": article}});
    Step::Ask(
        who,
        query,
        &[
            "title",
            "body",
            "state",
            "newest.number",
            "published.number",
            "n_helpful",
            "n_unhelpful",
            "version",
        ],
    )
}

fn list(who: &'static str, more: Value) -> Step {
    let mut query = json!({"type": "list_articles"});
    crate::kit::merge(&mut query, more);
    Step::Ask(who, query, &["key", "language", "title", "state"])
}

const REFUNDS: &str = "@refunds.en";

#[test]
fn an_article_goes_from_draft_to_review_to_its_readers() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, begin("refunds", "en", "Refunds", json!("public"))),
            (AT, read("anna", REFUNDS)),
            (AT, read("lia", REFUNDS)),
            (AT, on("amy", "publish_article", REFUNDS)),
            (AT, on("amy", "submit_article", REFUNDS)),
            (AT, on("amy", "submit_article", REFUNDS)),
            (AT, on("lea", "publish_article", REFUNDS)),
            (AT, on("lea", "publish_article", REFUNDS)),
            (AT, read("anna", REFUNDS)),
            (AT, read("amy", REFUNDS)),
            (AT, on("lea", "archive_article", REFUNDS)),
            (AT, on("lea", "archive_article", REFUNDS)),
            (AT, read("anna", REFUNDS)),
            (AT, save("amy", json!({"article": REFUNDS, "title": "Money back"}))),
            (AT, on("lea", "publish_article", REFUNDS)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refunds.en begun r1 visibility=public
            Fri 09:00 refused: not_found article
            Fri 09:00 title=Refunds body=Refunds, at length. state=draft newest.number=1 n_helpful=0 n_unhelpful=0 version=1
            Fri 09:00 refused: forbidden
            Fri 09:00 refunds.en article_submitted
            Fri 09:00 refused: no_such_transition
            Fri 09:00 refunds.en article_published
            Fri 09:00 refused: no_such_transition
            Fri 09:00 title=Refunds body=Refunds, at length.
            Fri 09:00 title=Refunds body=Refunds, at length. state=published newest.number=1 published.number=1 n_helpful=0 n_unhelpful=0 version=3
            Fri 09:00 refunds.en article_archived
            Fri 09:00 refused: no_such_transition
            Fri 09:00 refused: not_found article
            Fri 09:00 refused: no_such_transition
            Fri 09:00 refused: no_such_transition"#]],
    );
}

#[test]
fn the_language_of_a_new_article_is_guessed() {
    for store in stores() {
        let mut kit = Kit::new(store.clone(), desk());
        let engine = helpdesk::Helpdesk::builder().with_shared_store(store).build().unwrap();
        kit.desk = engine.into();
        let text = "Wir überweisen das Geld innerhalb von vierzehn Tagen, nachdem die Lampe bei \
                    uns angekommen ist.";
        let german = json!({"key": "refunds", "title": "Rückzahlung", "body": text});
        let lines = kit.run(&[
            (AT, save("amy", german.clone())),
            (AT, save("amy", german)),
            (AT, save("amy", json!({"key": "short", "title": "4711", "body": "4711"}))),
        ]);
        expect![[r#"
            Fri 09:00 refunds.de begun r1 visibility=internal
            Fri 09:00 refused: duplicate language
            Fri 09:00 refused: required_field language"#]]
        .assert_eq(&lines.join("\n"));
    }
}

#[test]
fn readers_keep_what_is_out_while_the_next_revision_is_written() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, begin("refunds", "en", "Refunds", json!("public"))),
            (AT, on("lea", "publish_article", REFUNDS)),
            (AT, save("amy", json!({"article": REFUNDS, "title": "Money back"}))),
            (
                AT,
                save(
                    "amy",
                    json!({"article": REFUNDS, "visibility": "internal", "labels": ["money", "money"]}),
                ),
            ),
            // Nothing new, so no revision.
            (
                AT,
                save(
                    "amy",
                    json!({"article": REFUNDS, "title": " Money back ", "labels": ["money"]}),
                ),
            ),
            (AT, read("anna", REFUNDS)),
            (AT, read("amy", REFUNDS)),
            (AT, on("lea", "publish_article", REFUNDS)),
            (AT, read("anna", REFUNDS)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refunds.en begun r1 visibility=public
            Fri 09:00 refunds.en article_published
            Fri 09:00 refunds.en saved r2 visibility=public
            Fri 09:00 refunds.en saved r3 (text of r2) labels=[money] visibility=internal
            Fri 09:00 nothing
            Fri 09:00 title=Refunds body=Refunds, at length.
            Fri 09:00 title=Money back body=Refunds, at length. state=draft newest.number=3 published.number=1 n_helpful=0 n_unhelpful=0 version=4
            Fri 09:00 refunds.en article_published
            Fri 09:00 refused: not_found article"#]],
    );
}

#[test]
fn an_earlier_revision_is_brought_back_whole() {
    let revisions = |who: &'static str, more: Value| {
        let mut query = json!({"type": "article_revisions", "article": {"id": REFUNDS}});
        crate::kit::merge(&mut query, more);
        Step::Ask(
            who,
            query,
            &["number", "text_of", "title", "visibility", "by.id", "restored_from", "is_published"],
        )
    };
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, begin("refunds", "en", "Refunds", json!("public"))),
            (AT, on("lea", "publish_article", REFUNDS)),
            (AT, save("lea", json!({"article": REFUNDS, "title": "Money", "body": "No."}))),
            (AT, save("amy", json!({"article": REFUNDS, "visibility": "internal"}))),
            (AT, restore("amy", REFUNDS, 1)),
            (AT, restore("amy", REFUNDS, 1)),
            (AT, restore("amy", REFUNDS, 9)),
            (AT, restore("lia", REFUNDS, 1)),
            (AT, read("amy", REFUNDS)),
            (AT, revisions("amy", json!({"limit": 2}))),
            (AT, revisions("amy", json!({"after": 2, "limit": 2}))),
            (AT, revisions("anna", json!({}))),
            // Of an archived article any revision is a draft again.
            (AT, on("lea", "archive_article", REFUNDS)),
            (AT, restore("amy", REFUNDS, 4)),
            (AT, on("lea", "publish_article", REFUNDS)),
            (AT, read("anna", REFUNDS)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refunds.en begun r1 visibility=public
            Fri 09:00 refunds.en article_published
            Fri 09:00 refunds.en saved r2 visibility=public
            Fri 09:00 refunds.en saved r3 (text of r2) visibility=internal
            Fri 09:00 refunds.en saved r4 (text of r1) visibility=public restored_from=1
            Fri 09:00 nothing
            Fri 09:00 refused: not_found revision
            Fri 09:00 refused: forbidden
            Fri 09:00 title=Refunds body=Refunds, at length. state=draft newest.number=4 published.number=1 n_helpful=0 n_unhelpful=0 version=5
            Fri 09:00 2 rows: number=1 text_of=1 title=Refunds visibility=public by.id=amy is_published=true | number=2 text_of=2 title=Money visibility=public by.id=lea is_published=false …
            Fri 09:00 2 rows: number=3 text_of=2 title=Money visibility=internal by.id=amy is_published=false | number=4 text_of=1 title=Refunds visibility=public by.id=amy restored_from=1 is_published=false
            Fri 09:00 refused: forbidden
            Fri 09:00 refunds.en article_archived
            Fri 09:00 refunds.en saved r5 (text of r1) visibility=public restored_from=4
            Fri 09:00 refunds.en article_published
            Fri 09:00 title=Refunds body=Refunds, at length."#]],
    );
}

#[test]
fn a_scheduled_article_comes_out_at_its_time() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, begin("refunds", "en", "Refunds", json!("signed_in"))),
            (AT, publish_at("lea", REFUNDS, "2026-11-20T12:00:00Z")),
            (AT, publish_at("lea", REFUNDS, "2026-11-20T12:00:00Z")),
            (AT, publish_at("lea", REFUNDS, "2026-11-20T11:00:00Z")),
            ("2026-11-20T10:59:59Z", Step::Tick),
            ("2026-11-20T10:59:59Z", read("anna", REFUNDS)),
            ("2026-11-20T11:30:00Z", Step::Tick),
            ("2026-11-20T11:30:00Z", read("anna", REFUNDS)),
            // A changed text is published by a decision of its own.
            ("2026-11-20T12:00:00Z", save("amy", json!({"article": REFUNDS, "title": "Money"}))),
            ("2026-11-20T12:00:00Z", publish_at("lea", REFUNDS, "2026-11-20T13:00:00Z")),
            ("2026-11-20T12:30:00Z", save("amy", json!({"article": REFUNDS, "title": "Cash"}))),
            ("2026-11-20T13:30:00Z", Step::Tick),
            ("2026-11-20T13:30:00Z", publish_at("lea", REFUNDS, "2026-11-20T14:00:00Z")),
            // Nobody ticked: whoever comes first finds it published.
            ("2026-11-20T15:00:00Z", save("amy", json!({"article": REFUNDS, "title": "Coins"}))),
            ("2026-11-20T15:00:00Z", read("anna", REFUNDS)),
            ("2026-11-20T15:00:00Z", Step::Tick),
            ("2026-11-20T15:00:00Z", publish_at("lea", REFUNDS, "2026-11-20T14:00:00Z")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refunds.en begun r1 visibility=signed_in
            Fri 09:00 refunds.en article_scheduled publish_at=Fri-12:00
            Fri 09:00 nothing
            Fri 09:00 refunds.en article_scheduled publish_at=Fri-11:00
            Fri 10:59:59 tick: nothing
            Fri 10:59:59 refused: not_found article
            Fri 11:30 tick: Fri 11:00 refunds.en article_published
            Fri 11:30 title=Refunds body=Refunds, at length.
            Fri 12:00 refunds.en saved r2 visibility=signed_in
            Fri 12:00 refunds.en article_scheduled publish_at=Fri-13:00
            Fri 12:30 refunds.en saved r3 visibility=signed_in
            Fri 13:30 tick: nothing
            Fri 13:30 refunds.en article_scheduled publish_at=Fri-14:00
            Fri 15:00 [caught_up due_at=Fri-14:00 kind=publish]; refunds.en article_published; refunds.en saved r4 visibility=signed_in
            Fri 15:00 title=Cash body=Refunds, at length.
            Fri 15:00 tick: nothing
            Fri 15:00 refunds.en article_published"#]],
    );
}

#[test]
fn a_person_has_one_vote_on_what_they_may_read() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("bob@acme.com", "B", "b")),
            (AT, begin("refunds", "en", "Refunds", json!("public"))),
            (AT, vote("anna", REFUNDS, true)),
            (AT, vote("amy", REFUNDS, true)),
            (AT, on("lea", "publish_article", REFUNDS)),
            (AT, vote("anna", REFUNDS, true)),
            (AT, vote("anna", REFUNDS, true)),
            (AT, vote("bob", REFUNDS, true)),
            (AT, vote("amy", REFUNDS, false)),
            (AT, vote("bob", REFUNDS, false)),
            (AT, vote("sys", REFUNDS, true)),
            (AT, read("amy", REFUNDS)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 contact bob made; #2 opened `B` for bob; #2 m1 by bob; #2 to support (desk_default)
            Fri 09:00 refunds.en begun r1 visibility=public
            Fri 09:00 refused: not_found article
            Fri 09:00 refused: no_such_transition
            Fri 09:00 refunds.en article_published
            Fri 09:00 refunds.en article_voted helpful=true
            Fri 09:00 nothing
            Fri 09:00 refunds.en article_voted helpful=true
            Fri 09:00 refunds.en article_voted helpful=false
            Fri 09:00 refunds.en article_voted before=true helpful=false
            Fri 09:00 refused: invalid actor
            Fri 09:00 title=Refunds body=Refunds, at length. state=published newest.number=1 published.number=1 n_helpful=1 n_unhelpful=2 version=6"#]],
    );
}

#[test]
fn a_segment_is_for_those_who_carry_its_tag() {
    let tag = |who: &str, tags: Value| {
        Step::Do("sys", json!({"type": "update_contact", "contact": who, "patch": {"tags": tags}}))
    };
    let acme =
        json!({"type": "create_organization", "name": "Acme", "details": {"tags": ["beta"]}});
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("bob@home.com", "B", "b")),
            (AT, Step::Do("sys", acme)),
            (AT, begin("vip", "en", "For few", json!({"segment": ["vip", "beta", "vip"]}))),
            (AT, begin("inside", "en", "For us", json!("internal"))),
            (AT, on("lea", "publish_article", "@vip.en")),
            (AT, on("lea", "publish_article", "@inside.en")),
            (AT, list("anna", json!({}))),
            (AT, vote("anna", "@vip.en", true)),
            (AT, tag("@anna", json!(["vip"]))),
            (AT, list("anna", json!({}))),
            (AT, vote("anna", "@vip.en", true)),
            (AT, list("bob of acme", json!({}))),
            (AT, vote("bob of acme", "@vip.en", true)),
            (AT, read("bob of acme", "@inside.en")),
            (AT, list("lia", json!({}))),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 contact bob made; #2 opened `B` for bob; #2 m1 by bob; #2 to support (desk_default)
            Fri 09:00 acme organization_created acme
            Fri 09:00 vip.en begun r1 visibility={segment:[beta,vip]}
            Fri 09:00 inside.en begun r1 visibility=internal
            Fri 09:00 vip.en article_published
            Fri 09:00 inside.en article_published
            Fri 09:00 0 rows:
            Fri 09:00 refused: not_found article
            Fri 09:00 anna contact_updated patch={tags:[vip]}
            Fri 09:00 1 rows: key=vip language=en title=For few
            Fri 09:00 vip.en article_voted helpful=true
            Fri 09:00 1 rows: key=vip language=en title=For few
            Fri 09:00 vip.en article_voted helpful=true
            Fri 09:00 refused: not_found article
            Fri 09:00 2 rows: key=inside language=en title=For us state=published | key=vip language=en title=For few state=published"#]],
    );
}

#[test]
fn a_translation_shares_the_key_and_has_its_own_language() {
    let by_key = |language: &str| {
        let name = json!({"translation": {"key": "refunds", "language": language}});
        Step::Ask("sys", json!({"type": "get_article", "article": name}), &["title", "language"])
    };
    check(
        desk(),
        &[
            (AT, begin("refunds", "en", "Refunds", json!("public"))),
            (AT, begin("refunds", "bg", "Връщане", json!("public"))),
            (AT, begin("refunds", "bg", "Отново", json!("public"))),
            (AT, save("amy", json!({"article": "@refunds.bg", "language": "de"}))),
            (AT, save("amy", json!({"article": "@refunds.bg", "key": "money"}))),
            (AT, begin("refunds", "English", "Refunds", json!("public"))),
            (AT, save("amy", json!({"key": "empty"}))),
            (
                AT,
                save(
                    "amy",
                    json!({"key": "blank", "language": "en", "title": " ", "body": " ", "labels": [""]}),
                ),
            ),
            (AT, by_key("bg")),
            (AT, by_key("de")),
            (AT, list("amy", json!({"key": "refunds"}))),
            (AT, list("amy", json!({"language": "bg"}))),
            (AT, save("lia", json!({"key": "mine", "language": "en", "title": "t", "body": "b"}))),
        ],
        &expect![[r#"
            Fri 09:00 refunds.en begun r1 visibility=public
            Fri 09:00 refunds.bg begun r1 visibility=public
            Fri 09:00 refused: duplicate language
            Fri 09:00 refused: invalid language
            Fri 09:00 refused: invalid key
            Fri 09:00 refused: invalid language
            Fri 09:00 refused: required_field language, required_field title, required_field body
            Fri 09:00 refused: invalid title, invalid body, invalid labels[0]
            Fri 09:00 title=Връщане language=bg
            Fri 09:00 refused: not_found article
            Fri 09:00 2 rows: key=refunds language=en title=Refunds state=draft | key=refunds language=bg title=Връщане state=draft
            Fri 09:00 1 rows: key=refunds language=bg title=Връщане state=draft
            Fri 09:00 refused: forbidden"#]],
    );
}

#[test]
fn articles_that_should_be_read_again_are_listed() {
    let review =
        |article: &str, at: Value| save("amy", json!({"article": article, "review_at": at}));
    let due = list("amy", json!({"review_until": "2026-12-01T00:00:00Z"}));
    check(
        desk(),
        &[
            (AT, begin("refunds", "en", "Refunds", json!("public"))),
            (AT, begin("orders", "en", "Orders", json!("public"))),
            (AT, on("lea", "publish_article", REFUNDS)),
            (AT, review(REFUNDS, json!("2026-12-01T00:00:00Z"))),
            (AT, review("@orders.en", json!("2026-12-01T00:00:01Z"))),
            (AT, due.clone()),
            (AT, review(REFUNDS, Value::Null)),
            (AT, review(REFUNDS, Value::Null)),
            (AT, due),
            (AT, list("amy", json!({"state": "published"}))),
        ],
        &expect![[r#"
            Fri 09:00 refunds.en begun r1 visibility=public
            Fri 09:00 orders.en begun r1 visibility=public
            Fri 09:00 refunds.en article_published
            Fri 09:00 refunds.en article_review_set review_at=Tue-00:00
            Fri 09:00 orders.en article_review_set review_at=Tue-00:00:01
            Fri 09:00 1 rows: key=refunds language=en title=Refunds state=published
            Fri 09:00 refunds.en article_review_set
            Fri 09:00 nothing
            Fri 09:00 0 rows:
            Fri 09:00 1 rows: key=refunds language=en title=Refunds state=published"#]],
    );
}

#[test]
fn a_stale_version_of_an_article_is_a_conflict() {
    let title = |title: &str| json!({"type": "save_article", "article": REFUNDS, "title": title});
    check(
        desk(),
        &[
            (AT, begin("refunds", "en", "Refunds", json!("public"))),
            (AT, Step::DoAt("amy", 1, title("Money"))),
            (AT, Step::DoAt("lea", 1, title("Cash"))),
            (AT, Step::DoAt("lea", 2, title("Cash"))),
            (AT, Step::DoAs("lea", 7, title("Coins"))),
            (AT, Step::DoAs("lea", 7, title("Coins"))),
            (AT, Step::DoAs("lea", 7, title("Notes"))),
        ],
        &expect![[r#"
            Fri 09:00 refunds.en begun r1 visibility=public
            Fri 09:00 refunds.en saved r2 visibility=public
            Fri 09:00 refused: conflict expected_version (at version 2)
            Fri 09:00 refunds.en saved r3 visibility=public
            Fri 09:00 refunds.en saved r4 visibility=public
            Fri 09:00 replayed; refunds.en saved r4 visibility=public
            Fri 09:00 refused: command_id_reused"#]],
    );
}

/// Every page of a list together is what the asker may read, whatever the size of pages.
#[test]
fn pages_of_articles_hold_each_once_and_nothing_unreadable() {
    for store in stores() {
        let mut kit = Kit::new(store, desk());
        kit.run(&[(AT, mail("anna@acme.com", "A", "a"))]);
        // More than the store is asked for at once.
        for n in 0..205 {
            let visibility = if n % 3 == 0 { "internal" } else { "public" };
            let key = format!("a{n}");
            kit.step(&begin(&key, "en", &format!("Article {n}"), json!(visibility)), at(AT));
            if n % 2 == 0 {
                kit.step(&on("lea", "publish_article", &format!("@{key}.en")), at(AT));
            }
        }
        let mut whole = keys_of(&kit, "anna", 1_000);
        assert_eq!(whole.len(), (0..205).filter(|n| n % 2 == 0 && n % 3 != 0).count());
        for limit in [1, 7, 68, 69] {
            assert_eq!(keys_of(&kit, "anna", limit), whole, "{limit}");
        }
        assert_eq!(keys_of(&kit, "amy", 60).len(), 205);
        whole.dedup();
        assert_eq!(whole, keys_of(&kit, "anna", 13));
        state::check_laws(&*kit.store, TENANT);
    }
}

fn keys_of(kit: &Kit, who: &str, limit: usize) -> Vec<String> {
    let mut keys = Vec::new();
    let mut after = Value::Null;
    loop {
        let query = json!({"type": "list_articles", "limit": limit, "after": after});
        let Answer::Articles(page) = kit.ask(who, query, at(AT)).unwrap() else { panic!() };
        assert!(page.rows.len() <= limit);
        let page = serde_json::to_value(page).unwrap();
        let rows = page["rows"].as_array().unwrap();
        keys.extend(rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()));
        assert!(rows.iter().all(|row| row.get("body").is_none()));
        after = page["next"].clone();
        if after.is_null() {
            return keys;
        }
    }
}

#[test]
fn events_of_articles_hold_no_text() {
    for store in stores() {
        let mut kit = Kit::new(store, desk());
        kit.run(&[
            (AT, begin("refunds", "en", "SECRET", json!("public"))),
            (AT, save("amy", json!({"article": REFUNDS, "title": "SECRET", "body": "SECRET"}))),
            (AT, restore("amy", REFUNDS, 1)),
        ]);
        let journal = serde_json::to_string(&state::journal(&*kit.store, TENANT)).unwrap();
        assert!(journal.contains("article_saved") && !journal.contains("SECRET"));
    }
}
