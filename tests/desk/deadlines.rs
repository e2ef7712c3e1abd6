//! Deadlines in routing: what is due first is given and taken first.

use crate::kit::{Step, check, mail, mail_with, on, presence, reply, set_status, take_next};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

/// A queue of this kind; chats are due after ten minutes, mails after two hours
/// and what came by phone never.
fn desk(queue: Value) -> Value {
    let mut own = json!({"key": "support", "group": "support"});
    crate::kit::merge(&mut own, queue);
    let on_channel = |channel: &str| json!({"field": "channel", "is": channel});
    json!({
        "queues": [own],
        "sla": {"policies": [{"key": "all", "metrics": [{"metric": "requester_wait", "targets": [
            {"when": on_channel("chat"), "seconds": 600}, {"when": on_channel("email"), "seconds": 7200},
        ]}]}]},
        "agents": {"amy": {"groups": ["support"], "capacity": {"total": 1}, "online": true}},
    })
}

fn by(channel: &str) -> Step {
    mail_with("anna@acme.com", channel, "a", json!({"channel": channel}))
}

#[test]
fn a_queue_by_deadline_gives_what_is_due_first() {
    check(
        desk(json!({"mode": {"type": "assign"}, "sort": "deadline"})),
        &[
            (AT, by("email")),
            ("2026-11-20T09:01:00Z", by("phone")),
            ("2026-11-20T09:02:00Z", by("email")),
            ("2026-11-20T09:03:00Z", by("chat")),
            ("2026-11-20T09:04:00Z", set_status("amy", "#3", "on_hold")),
            ("2026-11-20T09:05:00Z", on("amy", "solve", "#1")),
            ("2026-11-20T09:05:00Z", Step::Tick),
            ("2026-11-20T09:06:00Z", on("amy", "solve", "#4")),
            ("2026-11-20T09:06:00Z", Step::Tick),
            // A ticket that another is due before waits its turn.
            ("2026-11-20T09:07:00Z", set_status("sys", "#3", "open")),
            ("2026-11-20T09:08:00Z", presence("amy", "away")),
            ("2026-11-20T09:08:00Z", on("sys", "unassign", "#2")),
            ("2026-11-20T09:08:00Z", presence("amy", "online")),
            ("2026-11-20T09:08:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `email` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned); #1 policy all; #1 requester_wait started due Fri 11:00
            Fri 09:01 #2 opened `phone` for anna; #2 m1 by anna; #2 to support (desk_default); #2 waiting stage=0; #2 policy all; #2 requester_wait started
            Fri 09:02 #3 opened `email` for anna; #3 m1 by anna; #3 to support (desk_default); #3 waiting stage=0; #3 policy all; #3 requester_wait started due Fri 11:02
            Fri 09:03 #4 opened `chat` for anna; #4 m1 by anna; #4 to support (desk_default); #4 waiting stage=0; #4 policy all; #4 requester_wait started due Fri 09:13
            Fri 09:04 #3 new→on_hold (by_hand)
            Fri 09:05 #1 open→solved (by_hand) closes Tue 09:05; #1 requester_wait met after 300 s
            Fri 09:05 tick: Fri 09:05 #4 assigned to amy (automatically) only_candidate of 1; #4 new→open (assigned)
            Fri 09:06 #4 open→solved (by_hand) closes Tue 09:06; #4 requester_wait met after 180 s
            Fri 09:06 tick: Fri 09:06 #2 assigned to amy (automatically) only_candidate of 1; #2 new→open (assigned)
            Fri 09:07 #3 on_hold→open (by_hand); #3 waiting stage=0
            Fri 09:08 amy away
            Fri 09:08 #2 unassigned agent=amy why=by_hand; #2 excluded agent=amy reason=unassigned by hand; #2 waiting stage=0
            Fri 09:08 amy online
            Fri 09:08 tick: Fri 09:08 #3 assigned to amy (automatically) only_candidate of 1"#]],
    );
}

#[test]
fn to_solve_goes_by_the_due_time_and_counts_a_week_where_there_is_none() {
    let mut config = desk(json!({}));
    config["agents"]["amy"]["capacity"] = json!({"total": 9});
    let next = Step::Ask("amy", json!({"type": "next_for"}), &["number", "due_at"]);
    check(
        config,
        &[
            (AT, by("phone")),
            ("2026-11-20T09:01:00Z", by("email")),
            ("2026-11-20T09:02:00Z", by("chat")),
            ("2026-11-20T09:03:00Z", next.clone()),
            ("2026-11-20T09:03:00Z", take_next("amy")),
            ("2026-11-20T09:04:00Z", reply("amy", "#3", "hello")),
            ("2026-11-20T09:05:00Z", take_next("amy")),
            ("2026-11-20T09:06:00Z", reply("amy", "#2", "hello")),
            // A week after the phone call all that is due later comes later.
            ("2026-11-27T08:00:00Z", mail("bob@acme.com", "later", "b")),
            ("2026-11-27T08:01:00Z", next),
            ("2026-11-27T08:01:00Z", take_next("amy")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `phone` for anna; #1 m1 by anna; #1 to support (desk_default); #1 policy all; #1 requester_wait started
            Fri 09:01 #2 opened `email` for anna; #2 m1 by anna; #2 to support (desk_default); #2 policy all; #2 requester_wait started due Fri 11:01
            Fri 09:02 #3 opened `chat` for anna; #3 m1 by anna; #3 to support (desk_default); #3 policy all; #3 requester_wait started due Fri 09:12
            Fri 09:03 number=HD-3 due_at=Fri-09:12
            Fri 09:03 #3 assigned to amy (taken); #3 new→open (assigned)
            Fri 09:04 #3 m2 by amy
            Fri 09:05 #2 assigned to amy (taken); #2 new→open (assigned)
            Fri 09:06 #2 m2 by amy
            Fri 08:00 contact bob made; #4 opened `later` for bob; #4 m1 by bob; #4 to support (desk_default); #4 policy all; #4 requester_wait started due Fri 10:00
            Fri 08:01 number=HD-1
            Fri 08:01 #1 assigned to amy (taken); #1 new→open (assigned)"#]],
    );
}
