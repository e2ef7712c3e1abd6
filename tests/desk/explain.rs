//! Why it came out so: each step of a decision in words, and each way to choose.

use crate::kit::{Step, TENANT, assign, at, check, mail, mail_with, on, presence, reply};
use chrono::DateTime;
use expect_test::expect;
use helpdesk::MemoryStore;
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::agent::Roster;
use helpdesk::core::command::{Command, FireTimer};
use helpdesk::core::decide::{Context, Loaded, decide};
use helpdesk::core::desk::Desk;
use helpdesk::core::event::{StreamId, TimerKind};
use helpdesk::core::id::{CommandId, TicketId};
use serde_json::{Value, json};
use uuid::Uuid;

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({
        "groups": [{"key": "support"}],
        "queues": [
            {"key": "support", "group": "support", "mode": {"type": "assign"}, "stages": [{"selector": "least_loaded"}]},
            {"key": "mail", "group": "support"},
        ],
        "mailboxes": [{"key": "help", "address": "help@desk.com", "default_queue": "mail"}],
        "agents": {
            "amy": {"groups": ["support"], "capacity": {"total": 3}}, "ben": {"groups": ["support"], "capacity": {"total": 3}},
        },
    })
}

fn why(ticket: &'static str) -> Step {
    Step::Ask("sys", json!({"type": "explain", "ticket": {"id": ticket}}), &["sentences"])
}

#[test]
fn each_way_to_choose_is_said_in_a_sentence() {
    let help = json!({"mailbox": "help"});
    check(
        desk(),
        &[
            (AT, mail_with("anna@acme.com", "by the mailbox", "a", help)),
            (AT, mail("bob@acme.com", "drained", "b")),
            (AT, assign("sys", "#1", "@amy")),
            (AT, presence("amy", "online")),
            (AT, presence("ben", "online")),
            // Amy's turn comes first, though Ben holds less.
            (AT, Step::Tick),
            (AT, mail("carl@acme.com", "by the selector", "c")),
            (AT, reply("ben", "#3", "hello")),
            (AT, on("sys", "solve", "#1")),
            (AT, mail("carl@acme.com", "affinity", "d")),
            (AT, on("sys", "solve", "#4")),
            (AT, mail("dora@acme.com", "a tie", "e")),
            (AT, presence("amy", "away")),
            (AT, mail("emil@acme.com", "alone", "f")),
            (AT, why("#1")),
            (AT, why("#2")),
            (AT, why("#3")),
            (AT, why("#4")),
            (AT, why("#5")),
            (AT, why("#6")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `by the mailbox` for anna mailbox=help; #1 m1 by anna; #1 to mail (mailbox_default)
            Fri 09:00 contact bob made; #2 opened `drained` for bob; #2 m1 by bob; #2 to support (desk_default); #2 waiting stage=0
            Fri 09:00 #1 assigned to amy (by_hand); #1 new→open (assigned)
            Fri 09:00 amy online
            Fri 09:00 ben online
            Fri 09:00 tick: Fri 09:00 #2 assigned to amy (automatically) drained of 2; #2 new→open (assigned)
            Fri 09:00 contact carl made; #3 opened `by the selector` for carl; #3 m1 by carl; #3 to support (desk_default); #3 assigned to ben (automatically) selector of 2; #3 new→open (assigned)
            Fri 09:00 #3 m2 by ben
            Fri 09:00 #1 open→solved (by_hand) closes Tue 09:00
            Fri 09:00 #4 opened `affinity` for carl; #4 m1 by carl; #4 to support (desk_default); #4 assigned to ben (automatically) affinity of 2; #4 new→open (assigned)
            Fri 09:00 #4 open→solved (by_hand) closes Tue 09:00
            Fri 09:00 contact dora made; #5 opened `a tie` for dora; #5 m1 by dora; #5 to support (desk_default); #5 assigned to amy (automatically) agent_id of 2; #5 new→open (assigned)
            Fri 09:00 amy away
            Fri 09:00 contact emil made; #6 opened `alone` for emil; #6 m1 by emil; #6 to support (desk_default); #6 assigned to ben (automatically) only_candidate of 1; #6 new→open (assigned)
            Fri 09:00 sentences=[queue `mail`, the mailbox's default,assigned to amy (by hand),status `new` to `open` (assigned),status `open` to `solved` (by hand)]
            Fri 09:00 sentences=[queue `support`, the desk's default,nobody could take it,assigned to amy: had room when the ticket's turn came,status `new` to `open` (assigned)]
            Fri 09:00 sentences=[queue `support`, the desk's default,assigned to ben: by least loaded, of 2 candidates,status `new` to `open` (assigned)]
            Fri 09:00 sentences=[queue `support`, the desk's default,assigned to ben: had the ticket, or this requester, before,status `new` to `open` (assigned),status `open` to `solved` (by hand)]
            Fri 09:00 sentences=[queue `support`, the desk's default,assigned to amy: lowest agent id, after a tie of 2 by least loaded,status `new` to `open` (assigned)]
            Fri 09:00 sentences=[queue `support`, the desk's default,assigned to ben: the only candidate,status `new` to `open` (assigned)]"#]],
    );
}

#[test]
fn a_receipt_says_every_step() {
    let mut config = desk();
    config["rules"] = json!([
        {"key": "buy", "when": {"field": "text", "has_word": ["buy"]}, "then": {"queue": "mail"}},
        {"key": "bike", "when": {"field": "text", "has_word": ["bike"]}, "then": {"queue": "support"}},
    ]);
    config.as_object_mut().unwrap().remove("agents");
    let engine = helpdesk::Helpdesk::builder().with_store(MemoryStore::default()).build().unwrap();
    let desk = helpdesk::blocking::Helpdesk::from(engine);
    let system = Actor::system(TENANT, Capability::ActAsSystem);
    let command = |command: Value| serde_json::from_value::<Command>(command).unwrap();
    desk.execute(&system, command(json!({"type": "apply_config", "document": config})), at(AT))
        .unwrap();
    let letter = json!({"type": "receive", "channel": "email", "external_id": "1", "subject": "My bike",
        "text": "Good morning, the rear wheel of my bike has been making a terrible noise since yesterday.",
        "from": {"identity": {"kind": "email", "value": "anna@acme.com"}}});
    let outcome = desk.execute(&system, command(letter), at(AT)).unwrap();
    let steps = |steps: &Value| -> Vec<String> {
        let types = steps.as_array().unwrap().iter();
        types.map(|step| step["type"].as_str().unwrap().to_owned()).collect()
    };
    let trace = serde_json::to_value(&outcome.trace).unwrap();
    assert_eq!(steps(&trace), ["contact_made", "language_guessed", "rule_matched", "sought"]);
    let explain = json!({"type": "explain", "ticket": {"number": "HD-1"}});
    let answer = desk.query(&system, serde_json::from_value(explain).unwrap(), at(AT)).unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(steps(&answer["now"]), ["rule_missed", "rule_matched", "sought"]);
}

#[test]
fn a_timer_without_its_ticket_finds_nothing_to_do() {
    let desk = Desk::from_value(&json!({})).unwrap();
    let actor = Actor::system(TENANT, Capability::ActAsSystem);
    let context = Context {
        now: DateTime::UNIX_EPOCH,
        command_id: CommandId(Uuid::from_u128(1)),
        actor: &actor,
        desk: &desk,
        config_version: 1,
        roster: &Roster::default(),
        number: None,
        language: None,
        expected_version: None,
    };
    let stream = StreamId::case(TicketId(Uuid::from_u128(2)));
    let fire = FireTimer { stream, kind: TimerKind::AutoClose, due_at: context.now };
    let decision = decide(&Loaded::default(), &Command::FireTimer(fire), &context).unwrap();
    let trace: Vec<String> = decision.trace.steps.iter().map(ToString::to_string).collect();
    assert_eq!(trace, ["the timer auto_close found nothing to do"]);
    assert!(decision.is_empty());
}
