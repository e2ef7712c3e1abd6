//! Why it came out so: each step of a decision in words, and each way to choose.

use crate::kit::{
    Step, TENANT, assign, at, change, check, mail, mail_with, on, presence, reply, set_status,
    without_agents,
};
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
    let engine = helpdesk::Helpdesk::builder().with_store(MemoryStore::default()).build().unwrap();
    let desk = helpdesk::blocking::Helpdesk::from(engine);
    let system = Actor::system(TENANT, Capability::ActAsSystem);
    let command = |command: Value| serde_json::from_value::<Command>(command).unwrap();
    desk.execute(
        &system,
        command(json!({"type": "apply_config", "document": without_agents(config)})),
        at(AT),
    )
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
        index: None,
        number: None,
        language: None,
        predictions: &[],
        expected_version: None,
        file_bytes_max: None,
    };
    let stream = StreamId::case(TicketId(Uuid::from_u128(2)));
    let fire = FireTimer { stream, kind: TimerKind::AutoClose, due_at: context.now };
    let decision = decide(&Loaded::default(), &Command::FireTimer(fire), &context).unwrap();
    let trace: Vec<String> = decision.trace.steps.iter().map(ToString::to_string).collect();
    assert_eq!(trace, ["the timer auto_close found nothing to do"]);
    assert!(decision.is_empty());
}

#[test]
fn a_ticket_says_which_policy_it_would_get_how_its_clocks_run_and_what_escalates_it() {
    let tags = |words: Value| json!({"field": "tags", "has_any": words});
    let metric = |key: &str| json!([{"metric": key, "targets": [{"seconds": 3600}]}]);
    let config = json!({
        "sla": {"policies": [
            {"key": "vip", "when": tags(json!(["vip"])), "metrics": metric("first_reply")},
            {"key": "summer", "valid_until": "2026-09-01T00:00:00Z", "metrics": metric("first_reply")},
            {"key": "mail", "when": {"field": "channel", "is": "email"}, "metrics": [
                {"metric": "first_reply", "targets": [{"seconds": 3600}]},
                {"metric": "requester_wait", "targets": [{"seconds": 7200}]},
                {"metric": "agent_work"},
            ]},
            {"key": "teams", "slot": "group", "pin": "on_create", "when": tags(json!(["a"])), "metrics": metric("first_assign")},
        ]},
        "escalations": [{"key": "late", "steps": [
            {"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "group", "key": "support"}]},
            {"trigger": {"type": "sla_breached", "metric": "first_reply"}, "targets": [{"type": "assignee"}]},
            {"trigger": {"type": "sla_percent", "metric": "requester_wait", "percent": 80}, "targets": [{"type": "assignee"}]},
            {"trigger": {"type": "manual"}, "targets": [{"type": "assignee"}]},
            {"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "assignee"}]},
        ]}],
        "agents": {"amy": {"groups": ["support"]}},
    });
    let now = Step::Ask(
        "amy",
        json!({"type": "explain", "ticket": {"number": "HD-1"}}),
        &["now_sentences"],
    );
    let data = Step::Ask("amy", json!({"type": "explain", "ticket": {"number": "HD-1"}}), &["now"]);
    check(
        config,
        &[
            (AT, mail_with("anna@acme.com", "A", "a", json!({"tags": ["a"]}))),
            ("2026-11-20T10:00:01Z", Step::Tick),
            ("2026-11-20T10:00:01Z", now.clone()),
            ("2026-11-20T10:10:00Z", set_status("amy", "#1", "pending")),
            (
                "2026-11-20T10:11:00Z",
                change("amy", "#1", json!([{"type": "remove_tags", "tags": ["a"]}])),
            ),
            ("2026-11-20T10:12:00Z", now),
            ("2026-11-20T10:12:00Z", data),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna tags=[a]; #1 m1 by anna; #1 to support (desk_default); #1 policy mail; #1 group policy teams; #1 first_reply started due Fri 10:00; #1 requester_wait started due Fri 11:00; #1 agent_work started; #1 first_assign started due Fri 10:00; #1 first_assign reset due Fri 10:00; #1 escalation started next Fri 09:10
            Fri 10:00:01 tick: Fri 09:10 #1 escalation step_fired step=0 tells support next Fri 10:36; Fri 10:00:01 #1 first_reply breached time_passed at Fri 10:00:01; #1 first_assign breached time_passed at Fri 10:00:01; #1 escalation rescheduled next Fri 10:00:01; #1 escalation step_fired step=1 no_one=next_step next Fri 10:36
            Fri 10:00:01 now_sentences=[none of 0 rules fits; the desk's default queue is `support`,stage 1 of queue support: 0 of 1 agents can take it; nobody chosen; amy: not online on email,not SLA policy `vip`: tags has any of `vip`: no, it is `a`,not SLA policy `summer`: it is not valid now,SLA policy `mail`: channel is `email`: yes, it is `email`,keeps its SLA policy between groups `teams`,clock first_reply #1 running, due at 2026-11-20 10:00:00 UTC, past its target since 2026-11-20 10:00:01 UTC,clock requester_wait #1 running, due at 2026-11-20 11:00:00 UTC,clock agent_work #1 running,clock first_assign #1 running, due at 2026-11-20 10:00:00 UTC, past its target since 2026-11-20 10:00:01 UTC,escalation by `late` pending; step 0: already done; step 1: already fired; step 2 due at 2026-11-20 10:36:00 UTC; step 3: waits for agent; step 4: waits for step]
            Fri 10:10 #1 new→pending (by_hand); #1 requester_wait paused; #1 agent_work paused; #1 escalation rescheduled
            Fri 10:11 #1 updated changes=[{tags:[a],type:remove_tags}]
            Fri 10:12 now_sentences=[none of 0 rules fits; the desk's default queue is `support`,not SLA policy `vip`: tags has any of `vip`: no, it is unset,not SLA policy `summer`: it is not valid now,SLA policy `mail`: channel is `email`: yes, it is `email`,keeps its SLA policy between groups `teams`,clock first_reply #1 running, due at 2026-11-20 10:00:00 UTC, past its target since 2026-11-20 10:00:01 UTC,clock requester_wait #1 paused,clock agent_work #1 paused,clock first_assign #1 running, due at 2026-11-20 10:00:00 UTC, past its target since 2026-11-20 10:00:01 UTC,escalation by `late` pending; step 0: already done; step 1: already fired; step 2: clock paused; step 3: waits for agent; step 4: waits for step]
            Fri 10:12 now=[{n_tried:0,of_mailbox:false,queue:support,type:default_queue},{because:{found:it is unset,holds:false,path:,test:tags has any of `vip`},policy:vip,slot:requester,type:policy_missed},{policy:summer,slot:requester,type:policy_missed},{because:[{found:it is `email`,holds:true,path:,test:channel is `email`}],policy:mail,slot:requester,type:policy_picked},{because:[],kept:true,policy:teams,slot:group,type:policy_picked},{breached_at:Fri-10:00:01,cycle:1,due_at:Fri-10:00,metric:first_reply,state:running,type:clock_stands},{cycle:1,metric:requester_wait,state:paused,type:clock_stands},{cycle:1,metric:agent_work,state:paused,type:clock_stands},{breached_at:Fri-10:00:01,cycle:1,due_at:Fri-10:00,metric:first_assign,state:running,type:clock_stands},{policy:late,state:pending,steps:[{reason:already_done,step:0},{reason:already_fired,step:1},{reason:clock_paused,step:2},{reason:waits_for_agent,step:3},{reason:waits_for_step,step:4}],type:escalation_stands}]"#]],
    );
}
