//! Lists, boards, history, explanations, reports; the outbox; configuration.

use crate::kit::{Step, apply_config, check, mail, note, on, presence, reply, run_macro};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({
        "groups": [{"key": "support"}, {"key": "sales"}],
        "queues": [{"key": "support", "group": "support"}, {"key": "sales", "group": "sales"}],
        "rules": [{"key": "buy", "when": {"field": "text", "has_word": ["buy"]}, "then": {"queue": "sales", "priority": "high"}}],
        "agents": {"amy": {"groups": ["support"], "online": true}, "sam": {"groups": ["sales"]},
            "lea": {"groups": ["support"], "roles": ["team_lead"]}},
        "views": [{"key": "urgent", "name": "Urgent", "when": {"field": "priority", "in": ["high", "urgent"]}}],
    })
}

fn three() -> Vec<(&'static str, Step)> {
    vec![
        ("2026-11-20T09:00:00Z", mail("anna@acme.com", "A", "help")),
        ("2026-11-20T09:01:00Z", mail("anna@acme.com", "B", "I want to buy")),
        ("2026-11-20T09:02:00Z", mail("bob@acme.com", "C", "help me")),
    ]
}

fn ask(who: &'static str, query: Value, fields: &'static [&'static str]) -> (&'static str, Step) {
    ("2026-11-20T10:00:00Z", Step::Ask(who, query, fields))
}

#[test]
fn lists_and_counts_go_by_view_condition_and_order() {
    let mut script = three();
    script.extend([
        ask("sys", json!({"type": "list_tickets", "order": "priority", "direction": "desc"}), &["number", "priority"]),
        ask("sys", json!({"type": "list_tickets", "which": {"view": "urgent"}}), &["number"]),
        ask("amy", json!({"type": "list_tickets", "which": {"view": "urgent"}}), &["number"]),
        ask("amy", json!({"type": "list_tickets", "limit": 1}), &["number"]),
        ask("sys", json!({"type": "count_tickets", "condition": {"field": "body", "has_word": ["help"]}}), &["n", "capped"]),
        ask("sys", json!({"type": "list_tickets", "which": {"view": "none"}}), &[]),
        ask("sys", json!({"type": "list_tickets", "which": {"condition": {"field": "colour", "is": "red"}}}), &[]),
        ask("sys", json!({"type": "list_tickets", "after": "nonsense"}), &[]),
        ask("anna", json!({"type": "list_tickets", "which": {"condition": {"field": "assignee", "set": true}}}), &[]),
        ask("anna", json!({"type": "list_tickets", "which": {"condition": {"field": "status", "is": "new"}}}), &["number"]),
        ask("amy", json!({"type": "search_tickets", "text": "HELP me"}), &["number"]),
        ask("amy", json!({"type": "search_tickets", "text": "!?"}), &["number"]),
    ]);
    check(
        desk(),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to sales (rule buy) priority=high
        Fri 09:02 contact bob made; #3 opened `C` for bob; #3 m1 by bob; #3 to support (desk_default)
        Fri 10:00 3 rows: number=HD-2 priority=high | number=HD-1 | number=HD-3
        Fri 10:00 1 rows: number=HD-2
        Fri 10:00 0 rows:
        Fri 10:00 1 rows: number=HD-1 …
        Fri 10:00 n=2 capped=false
        Fri 10:00 refused: not_configured view
        Fri 10:00 refused: unknown_field condition.field
        Fri 10:00 refused: invalid
        Fri 10:00 refused: forbidden condition
        Fri 10:00 2 rows: number=HD-1 | number=HD-2
        Fri 10:00 1 rows: number=HD-3
        Fri 10:00 refused: invalid text"#]],
    );
}

#[test]
fn a_board_keeps_columns_that_the_configuration_dropped() {
    let statuses = ["new", "open", "pending", "on_hold", "solved", "closed"];
    let statuses = statuses.map(|c| json!({"key": format!("my_{c}"), "name": c, "category": c}));
    let board = |by: &str| ask("sys", json!({"type": "board", "by": by}), &["key", "n"]);
    let mut script = three();
    script.extend([
        (AT, on("amy", "claim", "#1")),
        board("status"),
        board("group"),
        board("assignee"),
        ask("anna", json!({"type": "board"}), &["key", "n"]),
        ask("anna", json!({"type": "board", "by": "group"}), &[]),
        (AT, apply_config(json!({"groups": [{"key": "support"}], "statuses": statuses}))),
        board("group"),
        board("status"),
    ]);
    check(
        desk(),
        &script,
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to sales (rule buy) priority=high
            Fri 09:02 contact bob made; #3 opened `C` for bob; #3 m1 by bob; #3 to support (desk_default)
            Fri 09:00 #1 assigned to amy (claimed); #1 new→open (assigned)
            Fri 10:00 6 rows: key=new n=2 | key=open n=1 | key=pending n=0 | key=on_hold n=0 | key=solved n=0 | key=closed n=0
            Fri 10:00 2 rows: key=sales n=1 | key=support n=2
            Fri 10:00 2 rows: n=2 | key=amy n=1
            Fri 10:00 6 rows: key=new n=1 | key=open n=1 | key=pending n=0 | key=on_hold n=0 | key=solved n=0 | key=closed n=0
            Fri 10:00 refused: forbidden by
            Fri 09:00 config applied
            Fri 10:00 2 rows: key=sales n=1 | key=support n=2
            Fri 10:00 8 rows: key=my_new n=0 | key=my_open n=0 | key=my_pending n=0 | key=my_on_hold n=0 | key=my_solved n=0 | key=my_closed n=0 | key=new n=2 | key=open n=1"#]],
    );
}

#[test]
fn nobody_sees_the_work_of_a_group_that_is_not_theirs() {
    let mut script = three();
    script.extend([
        ask("lea", json!({"type": "next_for", "agent": "@amy"}), &["number"]),
        ask("lea", json!({"type": "next_for", "agent": "@sam"}), &["number"]),
        ask("lea", json!({"type": "count_for", "agent": "@sam"}), &["n"]),
        ask("amy", json!({"type": "next_for", "agent": "@sam"}), &[]),
        ask("sys", json!({"type": "next_for"}), &[]),
        ask("sam", json!({"type": "next_for"}), &["number"]),
        ask("anna", json!({"type": "next_for"}), &[]),
        ask("amy", json!({"type": "get_ticket", "ticket": {"number": "HD-2"}}), &[]),
        ask("amy", json!({"type": "history", "ticket": {"number": "HD-2"}}), &[]),
        ask("amy", json!({"type": "history", "ticket": {"number": "HD-1"}, "limit": 2}), &["n"]),
        ask("amy", json!({"type": "history", "ticket": {"number": "HD-1"}, "after": 2}), &["n"]),
        ask("anna", json!({"type": "history", "ticket": {"number": "HD-1"}}), &[]),
        ask("anna", json!({"type": "explain", "ticket": {"number": "HD-1"}}), &[]),
        ask("anna", json!({"type": "changes_since", "position": 0}), &[]),
        ask("amy", json!({"type": "changes_since", "position": 0}), &["n"]),
        ask("anna", json!({"type": "queue_state"}), &[]),
        ask(
            "sys",
            json!({"type": "queue_state"}),
            &["queue", "n_waiting", "n_online", "oldest_at"],
        ),
        ask("sys", json!({"type": "queue_state", "queue": "none"}), &[]),
        ask("anna", json!({"type": "workload"}), &[]),
        ask(
            "amy",
            json!({"type": "workload", "group": "support"}),
            &["name", "is_online", "capacity"],
        ),
        ask("anna", json!({"type": "list_dead_letters"}), &[]),
        ask("amy", json!({"type": "preview_config", "document": {}}), &[]),
    ]);
    check(
        desk(),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to sales (rule buy) priority=high
        Fri 09:02 contact bob made; #3 opened `C` for bob; #3 m1 by bob; #3 to support (desk_default)
        Fri 10:00 number=HD-1
        Fri 10:00 null
        Fri 10:00 n=0
        Fri 10:00 refused: forbidden
        Fri 10:00 refused: required_field agent
        Fri 10:00 null
        Fri 10:00 refused: required_field agent
        Fri 10:00 refused: not_found ticket
        Fri 10:00 refused: not_found ticket
        Fri 10:00 2 rows: n=1 | n=2 …
        Fri 10:00 1 rows: n=3
        Fri 10:00 refused: forbidden
        Fri 10:00 refused: forbidden
        Fri 10:00 refused: forbidden
        Fri 10:00 6 rows: n=1 | n=2 | n=3 | n=1 | n=2 | n=3
        Fri 10:00 refused: forbidden
        Fri 10:00 2 rows: queue=sales n_waiting=1 n_online=0 oldest_at=Fri-09:01 | queue=support n_waiting=2 n_online=1 oldest_at=Fri-09:00
        Fri 10:00 refused: not_configured queue
        Fri 10:00 refused: forbidden
        Fri 10:00 2 rows: name=amy is_online=true capacity=10 | name=lea is_online=false capacity=10
        Fri 10:00 refused: forbidden
        Fri 10:00 refused: forbidden"#]],
    );
}

#[test]
fn a_report_counts_what_happened_in_the_actors_scope() {
    let report = |who| {
        ask(
            who,
            json!({"type": "report", "from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z",
        "group_by": "group", "measures": ["opened", "solved"]}),
            &[],
        )
    };
    let mut script = three();
    script.extend([("2026-11-20T09:03:00Z", on("sys", "solve", "#2")), report("sys"), report("lea"), report("amy"),
        ask("sys", json!({"type": "report", "from": "2026-11-21T00:00:00Z", "to": "2026-11-20T00:00:00Z", "group_by": "day", "measures": [], "zone": "Mars"}), &[])]);
    check(
        desk(),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
        Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to sales (rule buy) priority=high
        Fri 09:02 contact bob made; #3 opened `C` for bob; #3 m1 by bob; #3 to support (desk_default)
        Fri 09:03 #2 new→solved (by_hand) closes Tue 09:03
        Fri 10:00 2 rows: {key:sales,values:{opened:1,solved:1}} | {key:support,values:{opened:2,solved:0}}
        Fri 10:00 1 rows: {key:support,values:{opened:2,solved:0}}
        Fri 10:00 refused: forbidden
        Fri 10:00 refused: invalid zone, invalid measures, invalid to"#]],
    );
}

#[test]
fn deliveries_are_retried_then_die_and_come_back() {
    let letters = Step::Ask(
        "sys",
        json!({"type": "list_dead_letters"}),
        &["attempts", "message.effect.type"],
    );
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, Step::Deliver),
            (AT, reply("amy", "#1", "first")),
            (AT, reply("amy", "#1", "second, with a secret")),
            (AT, Step::Fail(2, true)),
            (AT, Step::Deliver),
            // The second waits behind the first.
            (AT, Step::Deliver),
            ("2026-11-20T09:00:20Z", Step::Deliver),
            (AT, Step::Do("lea", json!({"type": "redact", "ticket": "#1", "seq": 3}))),
            ("2026-11-20T09:02:00Z", Step::Deliver),
            ("2026-11-20T09:02:00Z", reply("amy", "#1", "third")),
            ("2026-11-20T09:02:00Z", Step::Fail(1, false)),
            ("2026-11-20T09:02:00Z", Step::Deliver),
            ("2026-11-20T09:02:00Z", letters.clone()),
            ("2026-11-20T09:03:00Z", Step::Redrive),
            ("2026-11-20T09:03:00Z", Step::Deliver),
            ("2026-11-20T09:03:00Z", letters),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 delivered group HD-1 to support
            Fri 09:00 #1 m2 by amy; #1 new→open (agent_replied)
            Fri 09:00 #1 m3 by amy
            Fri 09:00 2 deliveries will fail
            Fri 09:00 delivered reply HD-1 `first` to anna@acme.com; 1 retried; next in about 15 s
            Fri 09:00 delivered next in about 15 s
            Fri 09:00:20 delivered reply HD-1 `first` to anna@acme.com; 1 retried; next in about 30 s
            Fri 09:00 #1 redacted n_attachments=0 seq=3
            Fri 09:02 delivered reply HD-1 `first` to anna@acme.com; reply HD-1 (redacted) to anna@acme.com
            Fri 09:02 #1 m4 by amy
            Fri 09:02 1 deliveries will fail
            Fri 09:02 delivered reply HD-1 `third` to anna@acme.com; 1 dead
            Fri 09:02 1 rows: attempts=1 message.effect.type=send_reply
            Fri 09:03 1 redriven
            Fri 09:03 delivered reply HD-1 `third` to anna@acme.com
            Fri 09:03 0 rows:"#]],
    );
}

#[test]
fn a_configuration_is_applied_whole_or_not_at_all() {
    let preview = |document: Value| {
        Step::Ask(
            "sys",
            json!({"type": "preview_config", "document": document}),
            &["changed", "n_stranded"],
        )
    };
    let assign =
        json!({"queues": [{"key": "support", "group": "support", "mode": {"type": "assign"}}]});
    let bad: Vec<Value> =
        (0..50).map(|i| json!({"key": format!("Bad {i}"), "group": "none"})).collect();
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("anna@acme.com", "B", "buy")),
            (AT, preview(assign.clone())),
            (AT, Step::Do("amy", json!({"type": "apply_config", "document": assign.clone()}))),
            (AT, apply_config(assign.clone())),
            (AT, apply_config(assign)),
            // What waited in the pull queue is given by the new one.
            (AT, Step::Tick),
            (AT, apply_config(json!({"queues": bad}))),
            (
                AT,
                apply_config(
                    json!({"number_prefix": "IT", "colour": "red", "follow_up": "perhaps"}),
                ),
            ),
            (AT, apply_config(json!({"number_prefix": "IT"}))),
            (AT, mail("carl@acme.com", "C", "c")),
            (AT, run_macro("amy", "#1", "gone")),
            (AT, note("amy", "#1", "n")),
            (AT, presence("amy", "away")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to sales (rule buy) priority=high
            Fri 09:00 changed=[groups,queues,rules,views] n_stranded=1
            Fri 09:00 refused: forbidden
            Fri 09:00 config applied
            Fri 09:00 nothing
            Fri 09:00 tick: Fri 09:00 #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:00 refused: invalid document.queues[0].key, invalid document.queues[1].key, invalid document.queues[2].key, invalid document.queues[3].key, invalid document.queues[4].key, invalid document.queues[5].key, invalid document.queues[6].key, invalid document.queues[7].key, invalid document.queues[8].key, invalid document.queues[9].key, invalid document.queues[10].key, invalid document.queues[11].key, invalid document.queues[12].key, invalid document.queues[13].key, invalid document.queues[14].key, invalid document.queues[15].key, invalid document.queues[16].key, invalid document.queues[17].key, invalid document.queues[18].key, invalid document.queues[19].key, invalid document.queues[20].key, invalid document.queues[21].key, invalid document.queues[22].key, invalid document.queues[23].key, invalid document.queues[24].key, invalid document.queues[25].key, invalid document.queues[26].key, invalid document.queues[27].key, invalid document.queues[28].key, invalid document.queues[29].key, invalid document.queues[30].key, invalid document.queues[31].key, invalid document.queues[32].key, invalid document.queues[33].key, invalid document.queues[34].key, invalid document.queues[35].key, invalid document.queues[36].key, invalid document.queues[37].key, invalid document.queues[38].key, invalid document.queues[39].key, invalid document.queues[40].key, invalid document.queues[41].key, invalid document.queues[42].key, invalid document.queues[43].key, invalid document.queues[44].key, invalid document.queues[45].key, invalid document.queues[46].key, invalid document.queues[47].key, invalid document.queues[48].key, invalid document.queues[49].key
            Fri 09:00 refused: unknown_field document.colour, invalid document.follow_up
            Fri 09:00 config applied
            Fri 09:00 contact carl made; #1 opened `C` for carl; #1 m1 by carl; #1 to support (desk_default)
            Fri 09:00 refused: not_configured key
            Fri 09:00 #1 note m2 by amy
            Fri 09:00 amy away"#]],
    );
}

#[test]
fn a_preview_says_which_hours_and_policies_change_and_whose_clocks_count_in_them() {
    let day = |until: &str| json!([["09:00", until]]);
    let config = |until: &str, seconds: u64, more: Value| {
        let mut config = json!({
            "calendars": [
                {"key": "office", "weekly": {"fri": day(until)}}, {"key": "night", "weekly": {"sat": day("12:00")}},
            ],
            "sla": {"policies": [
                {"key": "chat", "when": {"field": "channel", "is": "chat"}, "metrics": [{"metric": "first_reply", "targets": [{"seconds": 60}]}]},
                {"key": "mail", "calendar": "office", "metrics": [{"metric": "first_reply", "targets": [{"seconds": seconds}]}]},
            ]},
            "escalations": [{"key": "help", "hours": "night", "steps": [
                {"trigger": {"type": "after", "seconds": 60}, "targets": [{"type": "group", "key": "support"}]},
            ]}],
        });
        crate::kit::merge(&mut config, more);
        config
    };
    let preview = |document: Value| {
        let fields = &["changed", "calendars", "n_redated", "sla_policies", "escalations", "lints"];
        Step::Ask("sys", json!({"type": "preview_config", "document": document}), fields)
    };
    let duty = json!({"schedules": [{"key": "duty", "layers": [{
        "participants": ["00000000-0000-0000-0000-00000000a000"], "unit": "daily", "start": "2026-11-20T08:00:00", "zone": "UTC",
        "hours": {"mon": [["09:00", "17:00"]]},
    }]}]});
    let agents = json!({"agents": {"amy": {"groups": ["support"]}}});
    check(
        config("17:00", 3600, agents),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("anna@acme.com", "B", "b")),
            (AT, mail("anna@acme.com", "C", "c")),
            (AT, on("amy", "solve", "#2")),
            (AT, reply("amy", "#3", "met")),
            (AT, preview(config("17:00", 3600, json!({})))),
            (AT, preview(config("16:00", 3600, json!({})))),
            (AT, preview(config("17:00", 1800, json!({"escalations": []})))),
            (AT, preview(config("17:00", 3600, duty))),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy mail; #1 first_reply started due Fri 10:00; #1 escalation started next Sat 09:00
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 policy mail; #2 first_reply started due Fri 10:00; #2 escalation started next Sat 09:00
            Fri 09:00 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default); #3 policy mail; #3 first_reply started due Fri 10:00; #3 escalation started next Sat 09:00
            Fri 09:00 #2 new→solved (by_hand) closes Tue 09:00; #2 first_reply met after 0 s; #2 escalation done
            Fri 09:00 #3 m2 by amy; #3 first_reply met after 0 s; #3 new→open (agent_replied)
            Fri 09:00 changed=[] calendars=[] n_redated=0 sla_policies=[] escalations=[] lints=[]
            Fri 09:00 changed=[calendars] calendars=[office] n_redated=1 sla_policies=[] escalations=[] lints=[]
            Fri 09:00 changed=[escalations,sla] calendars=[] n_redated=0 sla_policies=[mail] escalations=[help] lints=[{code:unused_calendar,message:nothing uses the calendar `night`,path:calendars[1]}]
            Fri 09:00 changed=[schedules] calendars=[] n_redated=0 sla_policies=[] escalations=[] lints=[{code:schedule_gaps,message:nobody is on call in 53 stretches of 366 days, the first from 2026-11-20T09:00:00Z to 2026-11-23T09:00:00Z,path:schedules[0].layers},{code:unused_schedule,message:no step and no fallback asks the schedule `duty`,path:schedules[0]}]"#]],
    );
}
