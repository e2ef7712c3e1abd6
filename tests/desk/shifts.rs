//! Shifts: whoever is off shift is given nothing, and tickets wait for the next one.

use crate::kit::{Step, check, mail, presence, reply, take_next};
use expect_test::expect;
use serde_json::{Value, json};

/// Amy works by day, Zoe on weekends; the queue assigns.
fn shifts() -> Value {
    let day = json!([["09:00", "17:00"]]);
    json!({
        "calendars": [
            {"key": "day", "weekly": {"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}},
            {"key": "weekend", "weekly": {"sat": day, "sun": day}},
        ],
        "queues": [{"key": "support", "group": "support", "mode": {"type": "assign"}}],
        "agents": {
            "amy": {"groups": ["support"], "shift": "day", "online": true, "capacity": {"total": 2}},
            "zoe": {"groups": ["support"], "shift": "weekend", "capacity": {"total": 2}},
        },
    })
}

#[test]
fn a_ticket_that_comes_after_hours_is_assigned_when_the_next_shift_starts() {
    check(
        shifts(),
        &[
            ("2026-11-20T16:59:59Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T17:00:00Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-20T17:00:01Z", take_next("amy")),
            ("2026-11-23T08:59:59Z", Step::Tick),
            ("2026-11-23T09:00:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 16:59:59 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 17:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 waiting look_again_at=Mon-09:00 stage=0
            Fri 17:00:01 nothing
            Mon 08:59:59 tick: nothing
            Mon 09:00 tick: Mon 09:00 #2 assigned to amy (automatically) only_candidate of 1; #2 new→open (assigned)"#]],
    );
}

#[test]
fn who_comes_online_or_is_freed_off_shift_is_given_work_when_their_shift_starts() {
    check(
        shifts(),
        &[
            ("2026-11-20T10:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T10:00:01Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-20T10:00:02Z", mail("anna@acme.com", "C", "c")),
            ("2026-11-20T18:00:00Z", presence("zoe", "online")),
            ("2026-11-20T18:00:01Z", Step::Do("amy", json!({"type": "solve", "ticket": "#1"}))),
            ("2026-11-20T18:00:02Z", Step::Tick),
            ("2026-11-21T08:59:59Z", Step::Tick),
            ("2026-11-21T09:00:00Z", Step::Tick),
            ("2026-11-21T17:00:00Z", reply("zoe", "#3", "Soon.")),
        ],
        &expect![[r#"
            Fri 10:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 10:00:01 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 assigned to amy (automatically) only_candidate of 1; #2 new→open (assigned)
            Fri 10:00:02 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default); #3 waiting stage=0
            Fri 18:00 zoe online
            Fri 18:00:01 #1 open→solved (by_hand) closes Tue 18:00:01
            Fri 18:00:02 tick: nothing
            Sat 08:59:59 tick: nothing
            Sat 09:00 tick: Sat 09:00 #3 assigned to zoe (automatically) only_candidate of 1; #3 new→open (assigned)
            Sat 17:00 #3 m2 by zoe"#]],
    );
}

#[test]
fn a_shift_is_a_calendar_of_the_desk() {
    let agent =
        |shift: Value| json!({"type": "update_agent", "agent": "@amy", "patch": {"shift": shift}});
    check(
        shifts(),
        &[
            ("2026-11-20T18:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T18:00:00Z", Step::Do("sys", agent(json!("night")))),
            ("2026-11-20T18:00:00Z", Step::Do("sys", agent(Value::Null))),
            ("2026-11-20T18:00:01Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 18:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 waiting look_again_at=Mon-09:00 stage=0
            Fri 18:00 refused: not_configured patch.shift
            Fri 18:00 amy agent_updated patch={shift:null}
            Fri 18:00:01 tick: Fri 18:00 #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)"#]],
    );
}

#[test]
fn rules_tell_office_hours_from_the_night() {
    let mut config = shifts();
    config["groups"] = json!([{"key": "support"}, {"key": "night", "calendar": "weekend"}]);
    config["queues"] =
        json!([{"key": "support", "group": "support"}, {"key": "night", "group": "night"}]);
    config["rules"] = json!([{
        "key": "after_hours", "when": {"field": "now", "outside_hours": "day"}, "then": {"queue": "night"},
    }]);
    let unanswered = json!({"all": [
        {"field": "created_at", "older_than": {"seconds": 3_600, "calendar": "day"}},
        {"field": "sla.first_reply", "unset": true},
    ]});
    let list = || {
        Step::Ask(
            "sys",
            json!({"type": "list_tickets", "which": {"condition": unanswered}}),
            &["number"],
        )
    };
    check(
        config,
        &[
            ("2026-11-20T16:30:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T17:00:00Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-23T09:30:00Z", list()),
            ("2026-11-23T09:30:01Z", list()),
            ("2026-11-23T10:00:01Z", list()),
        ],
        &expect![[r#"
            Fri 16:30 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 17:00 #2 opened `B` for anna; #2 m1 by anna; #2 to night (rule after_hours)
            Mon 09:30 0 rows:
            Mon 09:30:01 1 rows: number=HD-1
            Mon 10:00:01 2 rows: number=HD-1 | number=HD-2"#]],
    );
}
