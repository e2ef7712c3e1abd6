//! Fields that models predict for new tickets.

use crate::kit::{
    Kit, Step, TENANT, apply_config, at, change, mail, mail_with, set_status, show, sqlite,
};
use crate::state;
use expect_test::expect;
use helpdesk::MemoryStore;
use helpdesk::core::prediction::PredictedField;
use helpdesk::search::Classifier;
use helpdesk::storage::Store;
use serde_json::{Value, json};
use std::sync::Arc;

const AT: &str = "2026-11-20T10:00:00Z";

fn desk() -> Value {
    json!({
        "groups": [{"key": "support"}, {"key": "sales"}],
        "queues": [{"key": "support", "group": "support"}, {"key": "sales", "group": "sales"}],
        "rules": [{"key": "urgent", "when": {"field": "type", "is": "incident"}, "then": {"queue": "support", "priority": "urgent"}}],
        "fields": [{"key": "product", "name": "Product", "kind": {"type": "choice", "values": ["lamp", "router"]}}],
        "predictions": [
            {"field": "type"}, {"field": "queue", "threshold": 0.6}, {"field": "tags"},
            {"field": "custom.product"},
        ],
        "agents": {"lea": {"groups": ["support", "sales"], "roles": ["admin"]}},
    })
}

fn model(examples: &[(&str, &str)]) -> Classifier {
    let mut model = Classifier::new();
    model.partial_fit(examples);
    model
}

fn teach(kit: &Kit) {
    let set = |field: &str, examples: &[(&str, &str)]| {
        let field: PredictedField = field.parse().unwrap();
        kit.desk.engine().set_classifier(TENANT, field, model(examples));
    };
    set(
        "type",
        &[
            ("everything is down since noon", "incident"),
            ("the router is offline", "incident"),
            ("how do I change my address", "question"),
            ("what does it cost", "question"),
        ],
    );
    set(
        "queue",
        &[
            ("I want to buy ten licenses", "sales"),
            ("please send me a quote", "sales"),
            ("it does not work", "support"),
            ("the router is broken", "support"),
        ],
    );
    set("tags", &[("please send me a quote", "lead"), ("the router is broken", "hardware")]);
    set("custom.product", &[("the router is broken", "router"), ("the lamp flickers", "lamp")]);
    // The desk has not turned it on.
    set("priority", &[("the router is broken", "high"), ("a quote", "low")]);
}

fn run(script: &[(&str, Step)], taught: bool) -> String {
    let mut outcomes = Vec::new();
    let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::default()), Arc::new(sqlite())];
    for store in stores {
        let mut kit = Kit::new(store, desk());
        if taught {
            teach(&kit);
        }
        outcomes.push(kit.run(script).join("\n"));
        state::check_laws(&*kit.store, TENANT);
    }
    assert_eq!(outcomes[0], outcomes[1], "memory and SQLite disagree");
    outcomes.remove(0)
}

const SHOWN: &[&str] = &["type", "queue", "tags", "custom", "priority"];

#[test]
fn a_new_ticket_gets_what_models_are_sure_of() {
    let typed = json!({"ticket_type": "task", "tags": ["quote"], "custom": {"product": "lamp"}});
    let script = [
        (AT, mail("anna@acme.com", "Quote", "Please send me a quote for ten licenses")),
        (AT, show("#1", SHOWN)),
        // The rules look at what was predicted, and come before the predicted queue.
        (AT, mail("anna@acme.com", "Router", "My router is offline")),
        (AT, show("#2", SHOWN)),
        // What is set stays.
        (AT, mail_with("anna@acme.com", "Router", "The router is broken", typed)),
        (AT, show("#3", SHOWN)),
        // Nothing is known of this.
        (AT, mail("anna@acme.com", "Hallo", "Guten Tag")),
        (AT, show("#4", SHOWN)),
        (AT, Step::Ask("lea", json!({"type": "explain", "ticket": {"id": "#1"}}), &["sentences"])),
    ];
    expect![[r#"
        Fri 10:00 contact anna made; #1 opened `Quote` for anna; #1 m1 by anna; #1 predicted change={tags:[lead],type:add_tags} prediction={because:[quote,please,send,me,a],field:tags,label:lead,percent:98}; #1 to sales (predicted)
        Fri 10:00 queue=sales tags=[lead]
        Fri 10:00 #2 opened `Router` for anna; #2 m1 by anna; #2 predicted change={to:incident,type:set_type} prediction={because:[router,offline,is],field:type,label:incident,percent:98}; #2 predicted change={tags:[hardware],type:add_tags} prediction={because:[router,is],field:tags,label:hardware,percent:93}; #2 predicted change={field:product,to:router,type:set_custom} prediction={because:[router,is],field:custom.product,label:router,percent:92}; #2 to support (rule urgent) priority=urgent
        Fri 10:00 type=incident queue=support tags=[hardware] custom={product:router} priority=urgent
        Fri 10:00 #3 opened `Router` for anna type=task tags=[quote] custom={product:lamp}; #3 m1 by anna; #3 predicted change={tags:[hardware],type:add_tags} prediction={because:[router,broken,is,the],field:tags,label:hardware,percent:99}; #3 to support (predicted)
        Fri 10:00 type=task queue=support tags=[hardware,quote] custom={product:lamp}
        Fri 10:00 #4 opened `Hallo` for anna; #4 m1 by anna; #4 to support (desk_default)
        Fri 10:00 queue=support
        Fri 10:00 sentences=[a model says: tags is `lead`, 98 % likely: quote, please, send, me, a,a model says: queue is `sales`, 99 % likely: quote, licenses, please, send, me]"#]].assert_eq(&run(&script, true));
}

#[test]
fn the_words_that_spoke_for_it_go_with_the_person() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    teach(&kit);
    kit.run(&[(AT, mail("anna@acme.com", "Quote", "Please send me a quote for ten licenses"))]);
    let said = |kit: &Kit| format!("{:?}", state::journal(&*kit.store, TENANT));
    assert!(said(&kit).contains("licenses"), "the queue's word");
    assert!(said(&kit).contains("please"), "the tag's word");
    kit.execute("lea", json!({"type": "erase_person", "contact": "@anna"}), at(AT)).unwrap();
    assert!(!said(&kit).contains("licenses") && !said(&kit).contains("please"));
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn without_a_model_nothing_is_predicted() {
    let script =
        [(AT, mail("anna@acme.com", "Quote", "Please send me a quote")), (AT, show("#1", SHOWN))];
    expect![[r#"
        Fri 10:00 contact anna made; #1 opened `Quote` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 10:00 queue=support"#]].assert_eq(&run(&script, false));
}

#[test]
fn what_the_desk_has_no_more_is_passed_over() {
    let mut config = desk();
    config["queues"] =
        json!([{"key": "support", "group": "support"}, {"key": "other", "group": "sales"}]);
    config["fields"][0]["kind"]["values"] = json!(["lamp", "phone"]);
    let script = [
        (AT, apply_config(config)),
        (AT, mail("anna@acme.com", "Quote", "Please send me a quote")),
        (AT, show("#1", SHOWN)),
        (AT, mail("anna@acme.com", "Router", "The router is broken")),
        (AT, show("#2", SHOWN)),
    ];
    expect![[r#"
        Fri 10:00 config applied
        Fri 10:00 contact anna made; #1 opened `Quote` for anna; #1 m1 by anna; #1 predicted change={tags:[lead],type:add_tags} prediction={because:[quote,please,send,me,a],field:tags,label:lead,percent:99}; #1 to support (desk_default)
        Fri 10:00 queue=support tags=[lead]
        Fri 10:00 #2 opened `Router` for anna; #2 m1 by anna; #2 predicted change={to:incident,type:set_type} prediction={because:[router,the,is,broken],field:type,label:incident,percent:98}; #2 predicted change={tags:[hardware],type:add_tags} prediction={because:[router,broken,is,the],field:tags,label:hardware,percent:99}; #2 to support (rule urgent) priority=urgent
        Fri 10:00 type=incident queue=support tags=[hardware] priority=urgent"#]].assert_eq(&run(&script, true));
}

#[test]
fn models_learn_from_solved_tickets() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    let texts = [
        ("Licenses", "We would like to buy licenses", "question", "lamp"),
        ("Offline", "The router has been offline since noon", "incident", "router"),
        ("Price", "What is the price of a license?", "question", "lamp"),
        ("Down", "The router is down, everything is offline", "incident", "router"),
    ];
    for (n, (subject, text, kind, product)) in texts.into_iter().enumerate() {
        let ticket = ["#1", "#2", "#3", "#4"][n];
        let changes = json!([
            {"type": "set_type", "to": kind}, {"type": "set_custom", "field": "product", "to": product},
            {"type": "add_tags", "tags": [product, "known"]},
        ]);
        for step in [
            mail("anna@acme.com", subject, text),
            change("lea", ticket, changes),
            set_status("lea", ticket, "solved"),
        ] {
            let line = kit.step(&step, at(AT));
            assert!(!line.starts_with("refused"), "{line}");
        }
    }
    // One that is not solved teaches nothing.
    kit.step(&mail("anna@acme.com", "Open", "A question about licenses"), at(AT));
    let engine = kit.desk.engine().clone();
    let learn = |max| helpdesk::block_on(engine.learn_predictions(TENANT, at(AT), max)).unwrap();
    let report = learn(100);
    assert_eq!(report.tickets, 4);
    let examples: Vec<(String, u64)> =
        report.examples.iter().map(|(field, n)| (field.to_string(), *n)).collect();
    let expected = [("type", 4), ("queue", 4), ("tags", 8), ("custom.product", 4)];
    assert_eq!(examples, expected.map(|(field, n)| (field.to_owned(), n)));
    kit.step(&mail("bob@acme.com", "Offline", "Our router is offline"), at(AT));
    let line = kit.step(&show("#6", &["type", "custom"]), at(AT));
    expect!["type=incident custom={product:router}"].assert_eq(&line);
    assert_eq!(learn(2).tickets, 2);
}

#[test]
fn predictions_are_checked_and_linted() {
    let kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    let preview = |predictions: Value| {
        let document = json!({
            "fields": [
                {"key": "product", "name": "Product", "kind": {"type": "choice", "values": ["lamp"]}},
                {"key": "seats", "name": "Seats", "kind": {"type": "number"}},
            ],
            "predictions": predictions,
        });
        let query = json!({"type": "preview_config", "document": document});
        let answer = serde_json::to_value(kit.ask("sys", query, at(AT)).unwrap()).unwrap();
        let lines = |list: &str, of: &str| {
            let entries = answer[list].as_array().cloned().unwrap_or_default();
            entries
                .iter()
                .map(|e| format!("{} {}: {}\n", e["code"], e["path"], e[of]))
                .filter(|line| line.contains("predict"))
                .collect::<String>()
        };
        lines("faults", "message") + &lines("lints", "message")
    };
    let wrong = preview(json!([
        {"field": "subject"}, {"field": "type", "threshold": 1.5}, {"field": "type"},
        {"field": "custom.seats"}, {"field": "custom.size"},
    ]));
    let odd = preview(json!([{"field": "queue"}, {"field": "custom.product"}, {"field": "tags"}]));
    expect![[r#"
        "invalid" "document.predictions[0]": "takes `type`, `priority`, `queue`, `tags` or `custom.<key>`"
        "duplicate" "document.predictions[2].field": "`type` is defined twice"
        "invalid" "document.predictions[1].threshold": "takes a probability from 0 to 1; found 1.5"
        "invalid" "document.predictions[3].field": "the field `seats` is no choice: only choices are predicted"
        "not_configured" "document.predictions[4].field": "tickets have no field `size`: define it in `fields`"
        ---
        "nothing_to_predict" "predictions[0]": "`queue` has one value only: nothing to predict"
        "nothing_to_predict" "predictions[1]": "`custom.product` has one value only: nothing to predict"
    "#]].assert_eq(&format!("{wrong}---\n{odd}"));
}
