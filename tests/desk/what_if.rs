//! What would have been: recorded tickets through another configuration, or with
//! other people.

use crate::kit::{
    Kit, Step, TENANT, assign, at, change, mail, note, on, presence, reply, set_status, sqlite_at,
    stores, take_next, without_agents,
};
use crate::script::{self, scripts};
use crate::state;
use chrono::TimeDelta;
use expect_test::{Expect, expect};
use helpdesk::MemoryStore;
use helpdesk::core::limit::WHAT_IF_TICKETS_MAX;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use std::sync::Arc;

/// One rule for invoices, two groups that are given work, an answer in half an hour.
fn desk() -> Value {
    json!({
        "groups": [{"key": "billing"}, {"key": "support"}],
        "queues": [
            {"key": "billing", "group": "billing", "mode": {"type": "assign"}},
            {"key": "support", "group": "support", "mode": {"type": "assign"}},
        ],
        "default_queue": "support",
        "rules": [{"key": "money", "when": {"field": "text", "has_word": ["invoice"]}, "then": {"queue": "billing"}}],
        "sla": {"policies": [{"key": "all", "metrics": [
            {"metric": "first_reply", "targets": [{"seconds": 1800}]},
        ]}]},
        "agents": {
            "amy": {"groups": ["billing"], "online": true, "capacity": {"total": 2}},
            "ben": {"groups": ["support"], "online": true, "capacity": {"total": 1}},
        },
    })
}

/// A Friday: an invoice, two parcels of which the second waits for Ben, a late answer.
fn friday() -> Vec<(&'static str, Step)> {
    vec![
        ("2026-11-20T09:00:00Z", mail("anna@acme.com", "Invoice", "It is wrong.")),
        ("2026-11-20T09:05:00Z", mail("bob@acme.com", "Parcel", "Where is it?")),
        ("2026-11-20T09:10:00Z", mail("carl@acme.com", "Refund", "Of a parcel.")),
        ("2026-11-20T09:20:00Z", reply("amy", "#1", "Sorry.")),
        ("2026-11-20T09:25:00Z", reply("ben", "#2", "On its way.")),
        ("2026-11-20T09:30:00Z", on("ben", "solve", "#2")),
        ("2026-11-20T09:30:00Z", Step::Tick),
        ("2026-11-20T10:30:00Z", reply("ben", "#3", "Soon.")),
        ("2026-11-20T10:30:00Z", Step::Tick),
        ("2026-11-20T10:40:00Z", on("amy", "solve", "#1")),
        ("2026-11-20T11:00:00Z", on("ben", "solve", "#3")),
        ("2026-11-20T11:00:00Z", Step::Tick),
    ]
}

fn a_day(more: Value) -> Value {
    let mut ask = json!({
        "type": "what_if", "from": "2026-11-20T09:00:00Z", "until": "2026-11-20T12:00:00Z",
    });
    crate::kit::merge(&mut ask, more);
    ask
}

/// The desk after a script, in memory and on SQLite.
fn both(config: &Value, script: &[(&str, Step)]) -> [Kit; 2] {
    stores().map(|store| {
        let mut kit = Kit::new(store, config.clone());
        kit.run(script);
        kit
    })
}

/// Asks twice in both; everybody must say the same, and nothing may be written.
fn ask(kits: &[Kit; 2], who: &str, question: &Value) -> Value {
    let now = at("2026-12-01T09:00:00Z");
    let answers = kits.each_ref().map(|kit| {
        let before = state::last_position(&*kit.store, TENANT);
        let first = kit.ask(who, question.clone(), now).unwrap();
        let second = kit.ask(who, question.clone(), now).unwrap();
        assert_eq!(
            serde_json::to_string(&first).unwrap(),
            serde_json::to_string(&second).unwrap(),
            "the same question has one answer"
        );
        assert_eq!(before, state::last_position(&*kit.store, TENANT), "something was written");
        state::check_laws(&*kit.store, TENANT);
        kit.names.in_words(serde_json::to_value(first).unwrap())
    });
    let [answer, other] = answers;
    assert_eq!(answer, other, "memory and SQLite disagree");
    answer
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn check(answer: &Value, fields: &[&str], expected: &Expect) {
    let lines: Vec<String> =
        fields.iter().map(|field| format!("{field}: {}", answer[*field])).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn an_unchanged_configuration_differs_in_nothing_and_the_record_is_met() {
    let kits = both(&desk(), &friday());
    let same = ask(&kits, "sys", &a_day(json!({})));
    assert_eq!(same, ask(&kits, "sys", &a_day(json!({"document": without_agents(desk())}))));
    assert_eq!(same["before"], same["after"], "{}", pretty(&same));
    check(
        &same,
        &[
            "n_tickets",
            "n_replayed",
            "n_differ",
            "tickets",
            "hours",
            "before",
            "agents",
            "fidelity",
        ],
        &expect![[r#"
            n_tickets: 3
            n_replayed: 3
            n_differ: 0
            tickets: []
            hours: []
            before: {"breaches":{"first_reply":1},"groups":{"billing":1,"support":2},"n_assigned":3,"n_refused":0,"n_unanswered":0,"n_unroutable":0,"queues":{"billing":1,"support":2},"rules":{"money":1}}
            agents: [{"after":{"assigned":1,"peak":1,"unit_hours":1},"agent":"amy","before":{"assigned":1,"peak":1,"unit_hours":1},"name":"amy"},{"after":{"assigned":2,"peak":1,"unit_hours":2},"agent":"ben","before":{"assigned":2,"peak":1,"unit_hours":2},"name":"ben"}]
            fidelity: {"n_imported_same_group":0,"n_same":3,"n_same_breaches":3,"n_same_first_agent":3,"n_same_queue":3,"n_same_rule":3,"n_tickets":3}"#]],
    );
}

#[test]
fn a_new_rule_sends_tickets_elsewhere_and_says_by_what() {
    let kits = both(&desk(), &friday());
    let mut changed = without_agents(desk());
    changed["rules"] = json!([
        {"key": "money", "when": {"field": "text", "has_word": ["invoice", "refund"]}, "then": {"queue": "billing"}},
    ]);
    let answer = ask(&kits, "sys", &a_day(json!({"document": changed})));
    check(
        &answer,
        &["n_differ", "n_differ_by", "tickets", "before", "after", "agents", "hours"],
        &expect![[r##"
            n_differ: 1
            n_differ_by: {"breaches":0,"first_agent":1,"group":1,"queue":1,"rule":1}
            tickets: [{"after":{"breaches":{"first_reply":1},"first_agent":"amy","placed":{"by":{"because":["text has one of the words `invoice`, `refund`: yes, `refund` is in subject"],"rule":"money","type":"rule"},"group":"billing","queue":"billing"}},"before":{"breaches":{"first_reply":1},"first_agent":"ben","placed":{"by":{"type":"desk_default"},"group":"support","queue":"support"}},"number":"HD-3","ticket":"#3"}]
            before: {"breaches":{"first_reply":1},"groups":{"billing":1,"support":2},"n_assigned":3,"n_refused":0,"n_unanswered":0,"n_unroutable":0,"queues":{"billing":1,"support":2},"rules":{"money":1}}
            after: {"breaches":{"first_reply":1},"groups":{"billing":2,"support":1},"n_assigned":3,"n_refused":0,"n_unanswered":0,"n_unroutable":0,"queues":{"billing":2,"support":1},"rules":{"money":2}}
            agents: [{"after":{"assigned":2,"peak":2,"unit_hours":3},"agent":"amy","before":{"assigned":1,"peak":1,"unit_hours":1},"name":"amy"},{"after":{"assigned":1,"peak":0,"unit_hours":0},"agent":"ben","before":{"assigned":2,"peak":1,"unit_hours":2},"name":"ben"}]
            hours: [{"after":{"active":2,"assigned":2},"agent":"amy","before":{"active":1,"assigned":1},"hour_at":"2026-11-20T09:00:00Z"},{"after":{"active":0,"assigned":1},"agent":"ben","before":{"active":1,"assigned":2},"hour_at":"2026-11-20T09:00:00Z"},{"after":{"active":1,"assigned":0},"agent":"amy","before":{"active":0,"assigned":0},"hour_at":"2026-11-20T10:00:00Z"},{"after":{"active":0,"assigned":0},"agent":"ben","before":{"active":1,"assigned":0},"hour_at":"2026-11-20T10:00:00Z"}]"##]],
    );
}

#[test]
fn one_more_agent_takes_what_waited() {
    let kits = both(&desk(), &friday());
    let zoe = json!({"staffing": [{
        "agent": "00000000-0000-0000-0000-00000000beef",
        "patch": {"name": "zoe", "groups": ["support"]},
        "online": [{"from": "2026-11-20T09:00:00Z", "until": "2026-11-20T12:00:00Z"}],
    }]});
    let answer = ask(&kits, "sys", &a_day(zoe));
    check(
        &answer,
        &["n_differ", "n_differ_by", "tickets", "agents"],
        &expect![[r##"
        n_differ: 1
        n_differ_by: {"breaches":0,"first_agent":1,"group":0,"queue":0,"rule":0}
        tickets: [{"after":{"breaches":{"first_reply":1},"first_agent":"00000000-0000-0000-0000-00000000beef","placed":{"by":{"type":"desk_default"},"group":"support","queue":"support"}},"before":{"breaches":{"first_reply":1},"first_agent":"ben","placed":{"by":{"type":"desk_default"},"group":"support","queue":"support"}},"number":"HD-3","ticket":"#3"}]
        agents: [{"after":{"assigned":1,"peak":1,"unit_hours":1},"agent":"amy","before":{"assigned":1,"peak":1,"unit_hours":1},"name":"amy"},{"after":{"assigned":1,"peak":0,"unit_hours":0},"agent":"ben","before":{"assigned":2,"peak":1,"unit_hours":2},"name":"ben"},{"after":{"assigned":1,"peak":1,"unit_hours":2},"agent":"00000000-0000-0000-0000-00000000beef","before":{"assigned":0,"peak":0,"unit_hours":0},"name":"zoe"}]"##]],
    );
    let gone = json!({"staffing": [{"agent": "@ben", "absent": true}]});
    let answer = ask(&kits, "sys", &a_day(gone));
    check(
        &answer,
        &["n_differ", "n_differ_by", "before", "after"],
        &expect![[r#"
            n_differ: 2
            n_differ_by: {"breaches":1,"first_agent":2,"group":0,"queue":0,"rule":0}
            before: {"breaches":{"first_reply":1},"groups":{"billing":1,"support":2},"n_assigned":3,"n_refused":0,"n_unanswered":0,"n_unroutable":0,"queues":{"billing":1,"support":2},"rules":{"money":1}}
            after: {"breaches":{"first_reply":2},"groups":{"billing":1,"support":2},"n_assigned":1,"n_refused":0,"n_unanswered":4,"n_unroutable":0,"queues":{"billing":1,"support":2},"rules":{"money":1}}"#]],
    );
}

#[test]
fn what_does_not_fit_the_changed_desk_is_counted_and_left_out() {
    let mut config = desk();
    config["fields"] = json!([{"key": "plan", "name": "Plan", "kind": {"type": "text"}}]);
    let plan = json!([{"type": "set_custom", "field": "plan", "to": "gold"}, {"type": "add_tags", "tags": ["late"]}]);
    let billing = json!({"type": "route_again", "ticket": "#3", "queue": "billing"});
    let mut script = friday();
    script.insert(3, ("2026-11-20T09:11:00Z", change("ben", "#2", plan)));
    script.insert(4, ("2026-11-20T09:12:00Z", Step::Do("sys", billing)));
    let kits = both(&config, &script);
    let mut changed = without_agents(desk());
    changed["queues"] = json!([{"key": "support", "group": "support"}]);
    changed["rules"] = json!([]);
    let answer = ask(&kits, "sys", &a_day(json!({"document": changed})));
    check(
        &answer,
        &["n_differ_by", "before", "after"],
        &expect![[r#"
            n_differ_by: {"breaches":0,"first_agent":2,"group":1,"queue":1,"rule":1}
            before: {"breaches":{"first_reply":1},"groups":{"billing":1,"support":2},"n_assigned":3,"n_refused":0,"n_unanswered":0,"n_unroutable":0,"queues":{"billing":1,"support":2},"rules":{"money":1}}
            after: {"breaches":{"first_reply":1},"groups":{"support":3},"n_assigned":2,"n_refused":2,"n_unanswered":0,"n_unroutable":0,"queues":{"support":3},"rules":{}}"#]],
    );
}

#[test]
fn a_sample_draws_the_same_tickets_each_time_and_totals_are_those_of_the_sample() {
    let kits = both(&desk(), &friday());
    let sample =
        |n: usize, seed: u64| ask(&kits, "sys", &a_day(json!({"sample": {"n": n, "seed": seed}})));
    assert_eq!(sample(3, 1)["fidelity"], ask(&kits, "sys", &a_day(json!({})))["fidelity"]);
    let two = sample(2, 1);
    assert_eq!((&two["n_tickets"], &two["n_replayed"]), (&json!(3), &json!(2)));
    let drawn: std::collections::BTreeSet<String> =
        (0..20).map(|seed| sample(1, seed)["before"]["queues"].to_string()).collect();
    assert_eq!(drawn.len(), 2, "other seeds draw other tickets");
}

#[test]
fn it_is_for_those_who_manage_the_configuration_and_within_bounds() {
    let kits = both(&desk(), &friday());
    let refused = |who: &str, more: Value| {
        let error = kits[0].ask(who, a_day(more), at("2026-12-01T09:00:00Z")).unwrap_err();
        format!("{} {}", error.code().as_str(), error.body().path.unwrap_or_default())
    };
    assert_eq!(refused("amy", json!({})), "forbidden ");
    assert_eq!(refused("anna", json!({})), "forbidden ");
    assert_eq!(refused("sys", json!({"until": "2026-11-20T09:00:00Z"})), "invalid until");
    assert_eq!(refused("sys", json!({"until": "2028-11-20T09:00:00Z"})), "over_limit until");
    assert_eq!(refused("sys", json!({"limit": 0})), "invalid limit");
    assert_eq!(refused("sys", json!({"limit": 1001})), "over_limit limit");
    assert_eq!(refused("sys", json!({"sample": {"n": 0}})), "invalid sample.n");
    let many = json!({"sample": {"n": WHAT_IF_TICKETS_MAX + 1}});
    assert_eq!(refused("sys", many), "over_limit sample.n");
    let twice = json!({"staffing": [{"agent": "@amy"}, {"agent": "@amy"}]});
    assert_eq!(refused("sys", twice), "invalid staffing[1].agent");
    let ask_admin = kits[0].ask("admin:amy", a_day(json!({})), at("2026-12-01T09:00:00Z"));
    assert!(ask_admin.is_ok());
}

#[test]
fn a_change_of_staff_is_refused_where_the_agent_would_be() {
    let kits = both(&desk(), &friday());
    let now = at("2026-12-01T09:00:00Z");
    let refused = |document: Option<Value>, agent: &str, patch: Value| {
        let mut more = json!({"staffing": [
            {"agent": "@ben", "absent": true}, {"agent": agent, "patch": patch},
        ]});
        more.as_object_mut().unwrap().extend(document.map(|own| ("document".to_owned(), own)));
        let error = kits[0].ask("sys", a_day(more), now).unwrap_err();
        format!("{} {}", error.code().as_str(), error.body().path.unwrap_or_default())
    };
    let new = "00000000-0000-0000-0000-00000000beef";
    for agent in ["@amy", new] {
        let check = |patch: Value, expected: &str| {
            assert_eq!(refused(None, agent, patch), expected.replace('@', "staffing[1].patch."));
        };
        check(json!({"groups": ["support", "sales"]}), "not_configured @groups[1]");
        check(
            json!({"skills": [{"skill": "french", "level": 3}]}),
            "not_configured @skills[0].skill",
        );
        check(
            json!({"capacity": {"total": 3, "weights": {"chat": 0}}}),
            "invalid @capacity.weights",
        );
        check(json!({"shift": "nights"}), "not_configured @shift");
        check(json!({"manager": agent}), "not_found @manager");
        check(json!({"manager": "@ben"}), "not_found @manager");
    }
    // It is about the desk that is tried, and about everybody who would be there.
    let mut sales = without_agents(desk());
    sales["groups"].as_array_mut().unwrap().push(json!({"key": "sales"}));
    let boss = "00000000-0000-0000-0000-00000000b055";
    let fits = json!({"document": sales, "staffing": [
        {"agent": new, "patch": {"groups": ["support", "sales", "sales"], "manager": boss}},
        {"agent": boss, "patch": {"name": "boss"}},
    ]});
    let answer = ask(&kits, "sys", &a_day(fits));
    assert_eq!(answer["n_replayed"], json!(3), "{}", pretty(&answer));
    sales["groups"].as_array_mut().unwrap().remove(1);
    sales["queues"].as_array_mut().unwrap().remove(1);
    sales["default_queue"] = json!("billing");
    let gone = refused(Some(sales), "@amy", json!({"groups": ["support"]}));
    assert_eq!(gone, "not_configured staffing[1].patch.groups[0]");
}

#[test]
fn what_another_engine_did_before_is_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite_at(&dir.path().join("desk.db"));
    let first = Kit::new(store.clone(), desk());
    let mut second = Kit::bare(store);
    second.n_commands = 1_000;
    let mut changed = desk();
    changed["groups"].as_array_mut().unwrap().push(json!({"key": "sales"}));
    changed["queues"][1]["group"] = json!("sales");
    changed["agents"] = json!({});
    second.configure(changed);
    let zoe = json!({"type": "create_agent", "name": "zoe", "groups": ["sales"]});
    second.execute("sys", zoe, at("2026-11-20T08:30:00Z")).unwrap();
    second.run(&[
        ("2026-11-20T08:31:00Z", presence("zoe", "online")),
        ("2026-11-20T09:00:00Z", mail("bob@acme.com", "Parcel", "Where is it?")),
        ("2026-11-20T09:25:00Z", reply("zoe", "#1", "On its way.")),
    ]);
    let answer = first.ask("sys", a_day(json!({})), at("2026-12-01T09:00:00Z")).unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(answer["before"]["groups"], json!({"sales": 1}), "{}", pretty(&answer));
    assert_eq!(answer["fidelity"]["n_same"], json!(1), "{}", pretty(&answer));
    assert_eq!(answer["n_differ"], json!(0), "{}", pretty(&answer));
}

#[test]
fn a_record_need_not_be_in_the_order_of_time() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    kit.run(&[
        ("2026-11-20T08:30:00Z", presence("ben", "offline")),
        ("2026-11-20T09:00:00Z", mail("bob@acme.com", "Parcel", "Where is it?")),
        // By a host whose clock goes ahead, and then by one whose clock does not.
        ("2026-11-20T12:30:00Z", note("sys", "#1", "From the warehouse.")),
        ("2026-11-20T09:10:00Z", assign("sys", "#1", "@ben")),
    ]);
    let answer = kit.ask("sys", a_day(json!({})), at("2026-12-01T09:00:00Z")).unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(answer["fidelity"]["n_same_first_agent"], json!(1), "{}", pretty(&answer));
}

#[test]
fn faults_of_the_document_are_told_as_a_preview_tells_them() {
    let kits = both(&desk(), &friday());
    let mut changed = without_agents(desk());
    changed["rules"][0]["then"]["queue"] = json!("nowhere");
    let answer = ask(&kits, "sys", &a_day(json!({"document": changed})));
    assert_eq!(answer["faults"][0]["path"], json!("document.rules[0].then.queue"));
    assert_eq!(answer["n_replayed"], json!(0));
}

#[test]
fn rows_are_bounded_and_counts_are_not() {
    let kits = both(&desk(), &friday());
    let mut changed = without_agents(desk());
    changed["rules"] = json!([{"key": "all", "then": {"queue": "billing"}}]);
    let answer = ask(&kits, "sys", &a_day(json!({"document": changed, "limit": 1})));
    assert_eq!(answer["tickets"].as_array().unwrap().len(), 1);
    assert_eq!(answer["tickets_cut"], json!(true));
    assert_eq!(answer["n_differ"], json!(3));
    assert_eq!(answer["hours"].as_array().unwrap().len(), 1);
    assert!(answer["n_hours_differ"].as_u64().unwrap() > 1);
}

#[test]
fn redacted_texts_are_routed_by_what_is_left() {
    let mut script = friday();
    let redact = json!({"type": "redact", "ticket": "#3", "seq": 1});
    script.push(("2026-11-20T11:30:00Z", Step::Do("sys", redact)));
    let kits = both(&desk(), &script);
    let mut changed = without_agents(desk());
    changed["rules"] = json!([
        {"key": "money", "when": {"field": "body", "has_word": ["parcel"]}, "then": {"queue": "billing"}},
    ]);
    let answer = ask(&kits, "sys", &a_day(json!({"document": changed})));
    assert_eq!(answer["n_redacted"], json!(1));
    assert_eq!(answer["after"]["rules"], json!({}), "its word is gone: {}", pretty(&answer));
}

#[test]
fn imported_tickets_are_replayed_as_if_they_had_come_in() {
    let import = |id: &str, subject: &str, group: &str| {
        Step::Do(
            "import",
            json!({
                "type": "import_ticket", "external_id": id, "requester": {"identity": {"kind": "email", "value": "anna@acme.com"}},
                "subject": subject, "channel": "email", "status": "closed", "group": group, "assignee": "@ben",
                "created_at": "2026-11-02T09:00:00Z", "solved_at": "2026-11-02T12:00:00Z",
                "messages": [
                    {"kind": "public_reply", "text": "Hello.", "sent_at": "2026-11-02T09:00:00Z"},
                    {"kind": "public_reply", "agent": "@ben", "text": "Here.", "sent_at": "2026-11-02T10:00:00Z"},
                ],
            }),
        )
    };
    let script = [
        ("2026-11-20T09:00:00Z", import("1", "Invoice", "billing")),
        ("2026-11-20T09:00:01Z", import("2", "Parcel", "support")),
        ("2026-11-20T09:00:02Z", import("3", "Bill", "billing")),
    ];
    let kits = both(&desk(), &script);
    let november = json!({
        "type": "what_if", "from": "2026-11-01T00:00:00Z", "until": "2026-11-15T00:00:00Z",
        "staffing": [{"agent": "@ben", "online": [{"from": "2026-11-01T00:00:00Z", "until": "2026-11-15T00:00:00Z"}]}],
    });
    let answer = ask(&kits, "sys", &november);
    check(
        &answer,
        &["n_tickets", "n_imported", "n_differ", "before", "after", "fidelity"],
        &expect![[r#"
            n_tickets: 3
            n_imported: 3
            n_differ: 0
            before: {"breaches":{"first_reply":3},"groups":{"billing":1,"support":2},"n_assigned":3,"n_refused":0,"n_unanswered":0,"n_unroutable":0,"queues":{"billing":1,"support":2},"rules":{"money":1}}
            after: {"breaches":{"first_reply":3},"groups":{"billing":1,"support":2},"n_assigned":3,"n_refused":0,"n_unanswered":0,"n_unroutable":0,"queues":{"billing":1,"support":2},"rules":{"money":1}}
            fidelity: {"n_imported_same_group":2,"n_same":0,"n_same_breaches":0,"n_same_first_agent":0,"n_same_queue":0,"n_same_rule":0,"n_tickets":0}"#]],
    );
}

#[test]
fn people_come_and_go_and_take_as_they_did() {
    let mut config = desk();
    config["queues"] = json!([{"key": "support", "group": "support"}, {"key": "billing", "group": "billing",
        "mode": {"type": "offer", "timeout_seconds": 600}}]);
    let script = [
        ("2026-11-20T09:00:00Z", mail("anna@acme.com", "Invoice", "It is wrong.")),
        ("2026-11-20T09:00:30Z", on("amy", "accept_offer", "#1")),
        ("2026-11-20T09:05:00Z", mail("bob@acme.com", "Parcel", "Where is it?")),
        ("2026-11-20T09:06:00Z", take_next("ben")),
        ("2026-11-20T09:07:00Z", presence("amy", "away")),
        ("2026-11-20T09:08:00Z", mail("carl@acme.com", "Invoice", "Mine too.")),
        ("2026-11-20T09:09:00Z", presence("amy", "online")),
        ("2026-11-20T09:09:00Z", Step::Tick),
        (
            "2026-11-20T09:10:00Z",
            Step::Do("amy", json!({"type": "reject_offer", "ticket": "#3", "reason": "busy"})),
        ),
        ("2026-11-20T09:20:00Z", set_status("ben", "#2", "pending")),
        ("2026-11-20T09:30:00Z", reply("anna", "#1", "Hello?")),
        (
            "2026-11-20T09:31:00Z",
            Step::Do(
                "amy",
                json!({"type": "reply", "ticket": "#1", "text": "Done.", "status": "solved"}),
            ),
        ),
        (
            "2026-11-20T09:40:00Z",
            Step::Do("sys", json!({"type": "assign", "ticket": "#3", "agent": "@amy"})),
        ),
        ("2026-11-20T09:50:00Z", Step::Do("sys", json!({"type": "unassign", "ticket": "#3"}))),
        ("2026-11-20T10:00:00Z", Step::Do("sys", json!({"type": "mark_spam", "ticket": "#2"}))),
    ];
    let kits = both(&config, &script);
    let answer = ask(&kits, "sys", &a_day(json!({})));
    check(
        &answer,
        &["n_differ", "before", "agents", "fidelity"],
        &expect![[r#"
        n_differ: 0
        before: {"breaches":{"first_reply":3},"groups":{"billing":2,"support":1},"n_assigned":3,"n_refused":0,"n_unanswered":0,"n_unroutable":0,"queues":{"billing":2,"support":1},"rules":{"money":2}}
        agents: [{"after":{"assigned":2,"peak":0,"unit_hours":0},"agent":"amy","before":{"assigned":2,"peak":0,"unit_hours":0},"name":"amy"},{"after":{"assigned":1,"peak":0,"unit_hours":0},"agent":"ben","before":{"assigned":1,"peak":0,"unit_hours":0},"name":"ben"}]
        fidelity: {"n_imported_same_group":0,"n_same":3,"n_same_breaches":3,"n_same_first_agent":3,"n_same_queue":3,"n_same_rule":3,"n_tickets":3}"#]],
    );
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, max_shrink_iters: 60, ..Config::default() })]

    #[test]
    fn a_run_beside_itself_differs_in_nothing(script in scripts(50), limit in 1..20usize) {
        let mut kit = Kit::new(Arc::new(MemoryStore::default()), script::desk());
        let (_, now) = script::run(&mut kit, &script);
        let from = script::start() - TimeDelta::hours(1);
        let until = now + TimeDelta::hours(2);
        let asked = |document: Option<Value>| {
            let mut ask = json!({"type": "what_if", "from": from, "until": until, "limit": limit});
            if let Some(document) = document {
                ask["document"] = document;
            }
            let before = state::last_position(&*kit.store, TENANT);
            let answer = serde_json::to_value(kit.ask("sys", ask, until).unwrap()).unwrap();
            assert_eq!(before, state::last_position(&*kit.store, TENANT));
            answer
        };
        let alone = asked(None);
        let beside = asked(Some(without_agents(script::desk())));
        prop_assert_eq!(&alone, &beside);
        prop_assert_eq!(&alone["before"], &alone["after"]);
        prop_assert_eq!(&alone["n_differ"], &json!(0));
        prop_assert_eq!(&alone["n_hours_differ"], &json!(0));
        let sum = |counts: &Value| counts.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>();
        let totals = &alone["before"];
        let n = sum(&totals["queues"]) + totals["n_unroutable"].as_u64().unwrap();
        prop_assert!(n <= alone["n_replayed"].as_u64().unwrap());
        prop_assert_eq!(sum(&totals["queues"]), sum(&totals["groups"]));
    }
}
