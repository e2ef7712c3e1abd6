//! Routing rules as the desk's people look at them: how often each decides, and what
//! a ticket meets.

use crate::kit::{Kit, Step, TENANT, apply_config, at, check, mail, mail_with, on, stores};
use crate::state;
use expect_test::expect;
use helpdesk::MemoryStore;
use serde_json::{Value, json};
use std::sync::Arc;

const NINE: &str = "2026-11-20T09:00:00Z";
const TEN: &str = "2026-11-20T10:00:00Z";
const NOON: &str = "2026-11-20T12:00:00Z";

fn desk() -> Value {
    json!({
        "groups": [{"key": "billing"}, {"key": "support"}],
        "default_queue": "support",
        "mailboxes": [{"key": "sales", "address": "sales@desk.com", "default_queue": "billing"}],
        "rules": [
            {"key": "money", "when": {"field": "text", "has_word": ["invoice", "refund"]}, "then": {"queue": "billing"}},
            {"key": "parcel", "when": {"all": [
                {"field": "channel", "is": "email"}, {"field": "text", "contains": "parcel"},
            ]}, "then": {"queue": "support"}},
            {"key": "vip", "when": {"field": "tags", "has_any": ["vip"]}, "then": {"queue": "support"}},
        ],
        "agents": {"amy": {"groups": ["billing"]}, "ben": {"groups": ["support"]}},
    })
}

fn usage(from: &str, until: &str) -> Step {
    let ask = json!({"type": "rule_usage", "from": from, "until": until});
    Step::Ask("sys", ask, &["rules", "dead", "n_default", "n_unroutable"])
}

#[test]
fn each_rule_is_counted_and_those_that_decide_nothing_are_named() {
    let mut other = desk();
    other["rules"] = json!([other["rules"][1], other["rules"][2]]);
    check(
        desk(),
        &[
            (NINE, mail("anna@acme.com", "Invoice", "for a parcel")),
            (NINE, mail("bob@acme.com", "Parcel", "lost")),
            (NINE, mail("carl@acme.com", "Hello", "there")),
            (NINE, mail_with("carl@acme.com", "Hello", "sales", json!({"mailbox": "sales"}))),
            (TEN, on("sys", "route_again", "#1")),
            (NOON, usage(NINE, NOON)),
            (NOON, usage(TEN, NOON)),
            (NOON, usage(NINE, TEN)),
            (NOON, apply_config(other)),
            (NOON, usage(NINE, NOON)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `Invoice` for anna; #1 m1 by anna; #1 to billing (rule money)
            Fri 09:00 contact bob made; #2 opened `Parcel` for bob; #2 m1 by bob; #2 to support (rule parcel)
            Fri 09:00 contact carl made; #3 opened `Hello` for carl; #3 m1 by carl; #3 to support (desk_default)
            Fri 09:00 #4 opened `Hello` for carl mailbox=sales; #4 m1 by carl; #4 to billing (mailbox_default)
            Fri 10:00 #1 to billing (rule money)
            Fri 12:00 rules=[{in_force:true,last_hit_at:Fri-10:00,n_hits:2,rule:money},{in_force:true,last_hit_at:Fri-09:00,n_hits:1,rule:parcel},{in_force:true,n_hits:0,rule:vip}] dead=[vip] n_default=2 n_unroutable=0
            Fri 12:00 rules=[{in_force:true,last_hit_at:Fri-10:00,n_hits:1,rule:money},{in_force:true,n_hits:0,rule:parcel},{in_force:true,n_hits:0,rule:vip}] dead=[parcel,vip] n_default=0 n_unroutable=0
            Fri 12:00 rules=[{in_force:true,last_hit_at:Fri-09:00,n_hits:1,rule:money},{in_force:true,last_hit_at:Fri-09:00,n_hits:1,rule:parcel},{in_force:true,n_hits:0,rule:vip}] dead=[vip] n_default=2 n_unroutable=0
            Fri 12:00 config applied
            Fri 12:00 rules=[{in_force:true,last_hit_at:Fri-09:00,n_hits:1,rule:parcel},{in_force:true,n_hits:0,rule:vip},{in_force:false,last_hit_at:Fri-10:00,n_hits:2,rule:money}] dead=[vip] n_default=2 n_unroutable=0"#]],
    );
}

#[test]
fn rule_usage_is_for_those_who_see_all_tickets() {
    let mut config = desk();
    config["roles"] = json!([
        {"key": "owner", "may": {"manage_config": "all", "read": "groups"}},
    ]);
    let ask = |who: &'static str| {
        let ask = json!({"type": "rule_usage", "from": NINE, "until": TEN});
        (NOON, Step::Ask(who, ask, &["n_default"]))
    };
    check(
        config,
        &[
            (NINE, mail("anna@acme.com", "Hello", "there")),
            ask("amy"),
            ask("anna"),
            ask("owner:amy"),
            ask("admin:amy"),
            (NOON, usage(NINE, NINE)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `Hello` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 12:00 refused: forbidden
            Fri 12:00 refused: forbidden
            Fri 12:00 refused: forbidden
            Fri 12:00 n_default=1
            Fri 12:00 refused: invalid until"#]],
    );
}

#[test]
fn usage_goes_by_the_journal_alone_whatever_its_length() {
    for store in stores() {
        let mut kit = Kit::new(store, desk());
        // More than a page of the journal.
        for n in 0..400 {
            let subject = if n % 3 == 0 { "Invoice" } else { "Parcel" };
            let from = json!({"identity": {"kind": "email", "value": "anna@acme.com"}});
            let message =
                json!({"channel": "email", "from": from, "subject": subject, "text": "x"});
            kit.receive(message, at(NINE)).unwrap();
        }
        let ask = json!({"type": "rule_usage", "from": NINE, "until": NOON});
        let answer = serde_json::to_value(kit.ask("sys", ask, at(NOON)).unwrap()).unwrap();
        assert!(state::journal(&*kit.store, TENANT).len() > 1_000);
        let hits: Vec<u64> = answer["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["n_hits"].as_u64().unwrap())
            .collect();
        assert_eq!(hits, [134, 266, 0]);
        assert_eq!(answer["dead"], json!(["vip"]));
    }
}

fn explain(who: &'static str, rules: Value) -> Step {
    let ask = json!({"type": "explain_rules", "ticket": {"id": "#1"}, "rules": rules});
    Step::Ask(who, ask, &["n_rules", "n_matched", "matched", "asked", "cut"])
}

#[test]
fn for_any_rule_the_part_that_decides_is_said_with_what_it_saw() {
    check(
        desk(),
        &[
            (NINE, mail("anna@acme.com", "Invoice", "for a parcel")),
            (NOON, explain("ben", json!([]))),
            (NOON, explain("amy", json!(["vip", "money"]))),
            (NOON, explain("amy", json!(["gone"]))),
            (NOON, explain("anna", json!([]))),
            (NOON, explain("sys", json!(vec!["vip"; 101]))),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `Invoice` for anna; #1 m1 by anna; #1 to billing (rule money)
            Fri 12:00 refused: not_found ticket
            Fri 12:00 n_rules=3 n_matched=2 matched=[{because:[{found:`invoice` is in subject,holds:true,path:,test:text has one of the words `invoice`, `refund`}],outcome:decides,place:0,queue:billing,rule:money,sentence:rule `money` decides: text has one of the words `invoice`, `refund`: yes, `invoice` is in subject},{because:[{found:it is `email`,holds:true,path:all[0],test:channel is `email`},{found:`parcel` is in body,holds:true,path:all[1],test:text contains `parcel`}],outcome:comes_later,place:1,queue:support,rule:parcel,sentence:rule `parcel` holds, and comes after the one that decides: channel is `email`: yes, it is `email`; text contains `parcel`: yes, `parcel` is in body}] asked=[{because:[{found:it is unset,holds:false,path:,test:tags has any of `vip`}],outcome:does_not_hold,place:2,queue:support,rule:vip,sentence:rule `vip` does not hold: tags has any of `vip`: no, it is unset},{because:[{found:`invoice` is in subject,holds:true,path:,test:text has one of the words `invoice`, `refund`}],outcome:decides,place:0,queue:billing,rule:money,sentence:rule `money` decides: text has one of the words `invoice`, `refund`: yes, `invoice` is in subject}] cut=[]
            Fri 12:00 refused: not_configured rules[0]
            Fri 12:00 refused: forbidden
            Fri 12:00 refused: over_limit rules"#]],
    );
}

#[test]
fn an_explanation_counts_the_rules_that_were_tried_as_the_decision_did() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    let from = json!({"identity": {"kind": "email", "value": "anna@acme.com"}});
    let tried = |steps: &Value| {
        let steps = steps.as_array().unwrap();
        let is_outcome =
            |step: &&Value| step["type"] == "rule_matched" || step["type"] == "default_queue";
        steps.iter().find(is_outcome).unwrap()["n_tried"].clone()
    };
    for (n, subject, n_tried) in [(1, "Invoice", 0), (2, "Parcel", 1), (3, "Hello", 3)] {
        let message = json!({"channel": "email", "from": from, "subject": subject, "text": "x"});
        let outcome = kit.receive(message, at(NINE)).unwrap();
        let decided = serde_json::to_value(&outcome.trace).unwrap();
        let ask = json!({"type": "explain", "ticket": {"id": format!("#{n}")}});
        let explained = serde_json::to_value(kit.ask("sys", ask, at(NOON)).unwrap()).unwrap();
        assert_eq!(tried(&decided), json!(n_tried), "{subject}");
        assert_eq!(tried(&explained["now"]), json!(n_tried), "{subject}");
    }
}

#[test]
fn a_text_of_which_conditions_see_only_the_start_is_named() {
    let long = format!("{} parcel", "long ".repeat(14_000));
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    let from = json!({"identity": {"kind": "email", "value": "anna@acme.com"}});
    let message = json!({"channel": "email", "from": from, "subject": "Hello", "text": long});
    let outcome = kit.receive(message, at(NINE)).unwrap();
    let words = "only the first 65536 bytes of the body were looked at";
    let steps: Vec<String> = outcome.trace.steps.iter().map(ToString::to_string).collect();
    assert!(steps.iter().any(|step| step == words), "{steps:?}");
    let ask = |ask: Value| serde_json::to_value(kit.ask("sys", ask, at(NOON)).unwrap()).unwrap();
    let explained = ask(json!({"type": "explain", "ticket": {"id": "#1"}}));
    assert_eq!(explained["now"][0]["type"], json!("text_cut"));
    assert_eq!(explained["now_sentences"][0], json!(words));
    let rules = ask(json!({"type": "explain_rules", "ticket": {"id": "#1"}, "rules": ["parcel"]}));
    assert_eq!(rules["cut"], json!([{"type": "text_cut", "what": "body", "looked_at": 65_536}]));
    assert_eq!(rules["asked"][0]["because"][0]["cut"], json!(true));
    assert_eq!(rules["asked"][0]["outcome"], json!("does_not_hold"));
}
