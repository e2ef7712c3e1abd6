//! Time passes: snoozing, closing by itself, timers that come late.

use crate::kit::{Step, check, mail, mail_with, on, reply, set_status, show};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

fn desk() -> Value {
    json!({"agents": {"amy": {"groups": ["support"]}}})
}

fn snooze(ticket: &str, until: &str) -> Step {
    Step::Do("amy", json!({"type": "snooze", "ticket": ticket, "until": until}))
}

#[test]
fn a_snoozed_ticket_wakes_on_time_by_hand_or_by_an_answer() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "claim", "#1")),
            (AT, snooze("#1", AT)),
            (AT, snooze("#1", "2026-11-20T10:00:00Z")),
            (AT, snooze("#1", "2026-11-20T10:00:00Z")),
            ("2026-11-20T09:59:59Z", Step::Tick),
            ("2026-11-20T10:05:00Z", Step::Tick),
            ("2026-11-20T10:06:00Z", snooze("#1", "2026-11-20T11:00:00Z")),
            ("2026-11-20T10:07:00Z", on("amy", "wake", "#1")),
            ("2026-11-20T10:07:00Z", on("amy", "wake", "#1")),
            ("2026-11-20T10:08:00Z", snooze("#1", "2026-11-20T11:00:00Z")),
            ("2026-11-20T10:09:00Z", reply("anna", "#1", "now")),
            ("2026-11-20T10:10:00Z", snooze("#1", "2026-11-20T11:00:00Z")),
            ("2026-11-20T10:11:00Z", on("amy", "solve", "#1")),
            ("2026-11-20T10:12:00Z", snooze("#1", "2026-11-20T11:00:00Z")),
            ("2026-11-20T11:05:00Z", Step::Tick),
            ("2026-11-20T11:05:00Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 assigned to amy (claimed); #1 new→open (assigned)
            Fri 09:00 refused: invalid until
            Fri 09:00 #1 snoozed until=Fri-10:00
            Fri 09:00 nothing
            Fri 09:59:59 tick: nothing
            Fri 10:05 tick: Fri 10:00 #1 woken
            Fri 10:06 #1 snoozed until=Fri-11:00
            Fri 10:07 #1 woken
            Fri 10:07 nothing
            Fri 10:08 #1 snoozed until=Fri-11:00
            Fri 10:09 #1 m2 by anna; #1 woken
            Fri 10:10 #1 snoozed until=Fri-11:00
            Fri 10:11 #1 open→solved (by_hand) closes Tue 10:11
            Fri 10:12 refused: invalid
            Fri 11:05 tick: nothing
            Fri 11:05 delivered group HD-1 to support; agent woken HD-1 to amy; agent woken HD-1 to amy; agent requester_replied HD-1 to amy"#]],
    );
}

#[test]
fn a_solved_ticket_closes_by_itself() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "solve", "#1")),
            ("2026-11-24T08:59:59Z", Step::Tick),
            ("2026-11-24T09:00:00Z", Step::Tick),
            ("2026-11-24T09:00:00Z", Step::Tick),
            ("2026-11-24T09:00:00Z", show("#1", &["status", "times.closed_at"])),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 new→solved (by_hand) closes Tue 09:00
            Tue 08:59:59 tick: nothing
            Tue 09:00 tick: Tue 09:00 #1 solved→closed (auto_closed)
            Tue 09:00 tick: nothing
            Tue 09:00 status=closed times.closed_at=Tue-09:00"#]],
    );
    let mut never = desk();
    never["auto_close_after_seconds"] = Value::Null;
    check(
        never,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "solve", "#1")),
            ("2027-11-24T09:00:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 new→solved (by_hand)
            Wed 09:00 tick: nothing"#]],
    );
}

#[test]
fn a_desk_without_a_step_to_closed_asks_once() {
    let mut config = desk();
    config["transitions"] = json!([{"to": ["open", "pending", "solved"]}]);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "solve", "#1")),
            ("2026-12-24T09:00:00Z", Step::Tick),
            ("2026-12-25T09:00:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 new→solved (by_hand) closes Tue 09:00
            Thu 09:00 tick: Tue 09:00 #1 auto_close_left
            Fri 09:00 tick: nothing"#]],
    );
}

#[test]
fn a_command_fires_its_tickets_timers_first() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, snooze("#1", "2026-11-20T10:00:00Z")),
            ("2026-11-20T12:00:00Z", reply("amy", "#1", "hello")),
            ("2026-11-20T12:00:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 snoozed until=Fri-10:00
            Fri 12:00 [caught_up due_at=Fri-10:00 kind=snooze]; #1 woken; #1 m2 by amy; #1 new→open (agent_replied)
            Fri 12:00 tick: nothing"#]],
    );
}

#[test]
fn a_timer_that_comes_after_later_events_does_not_turn_back_time() {
    check(
        desk(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "solve", "#1")),
            (AT, on("amy", "delete_ticket", "#1")),
            ("2026-12-20T09:00:00Z", Step::Tick),
            ("2026-12-20T09:00:00Z", on("amy", "restore_ticket", "#1")),
            ("2026-12-20T09:01:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 new→solved (by_hand) closes Tue 09:00
            Fri 09:00 #1 deleted
            Sun 09:00 tick: nothing
            Sun 09:00 #1 restored
            Sun 09:01 tick: Sun 09:00 #1 solved→closed (auto_closed)"#]],
    );
}

#[test]
fn an_unassigned_ticket_that_waits_again_is_given_to_somebody() {
    let config = json!({
        "agents": {"amy": {"groups": ["support"], "online": true, "capacity": {"total": 1}}},
        "queues": [{"key": "support", "group": "support", "mode": {"type": "assign"}}],
    });
    let answer = |n: u32| {
        mail_with("anna@acme.com", "Re", "x", json!({"in_reply_to": format!("<mail-{n}@x>")}))
    };
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("anna@acme.com", "B", "b")),
            (AT, set_status("sys", "#2", "pending")),
            (AT, set_status("sys", "#1", "pending")),
            (AT, Step::Tick),
            // Amy has room, and nobody has the ticket.
            ("2026-11-20T09:10:00Z", answer(2)),
            ("2026-11-20T09:11:00Z", Step::Tick),
            ("2026-11-20T09:12:00Z", on("sys", "solve", "#2")),
            ("2026-11-20T09:12:00Z", Step::Tick),
            ("2026-11-20T09:12:00Z", presence_of_amy("away")),
            ("2026-11-20T09:13:00Z", mail("anna@acme.com", "C", "c")),
            (
                "2026-11-20T09:13:00Z",
                Step::Do(
                    "sys",
                    json!({"type": "snooze", "ticket": "#3", "until": "2026-11-21T00:00:00Z"}),
                ),
            ),
            ("2026-11-20T09:14:00Z", presence_of_amy("online")),
            ("2026-11-20T09:14:00Z", Step::Tick),
            ("2026-11-20T09:15:00Z", answer(4)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 waiting stage=0
            Fri 09:00 #2 new→pending (by_hand)
            Fri 09:00 #1 open→pending (by_hand)
            Fri 09:00 tick: nothing
            Fri 09:10 [joined by=in_reply_to]; #2 m2 by anna; #2 pending→open (requester_replied); #2 assigned to amy (automatically) only_candidate of 1
            Fri 09:11 tick: nothing
            Fri 09:12 #2 open→solved (by_hand) closes Tue 09:12
            Fri 09:12 tick: nothing
            Fri 09:12 amy away
            Fri 09:13 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default); #3 waiting stage=0
            Fri 09:13 #3 snoozed until=Sat-00:00
            Fri 09:14 amy online
            Fri 09:14 tick: nothing
            Fri 09:15 [joined by=in_reply_to]; #3 m2 by anna; #3 woken; #3 assigned to amy (automatically) only_candidate of 1; #3 new→open (assigned)"#]],
    );
}

fn presence_of_amy(status: &str) -> Step {
    Step::Do("sys", json!({"type": "set_presence", "agent": "@amy", "status": status}))
}
