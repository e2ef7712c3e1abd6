//! Who is responsible: by hand, by claim, by offer, by the queue, and back again.

use crate::kit::{
    Step, assign, check, mail, mail_with, note, offer, on, presence, reply, show, take_next,
};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

fn pull() -> Value {
    json!({
        "groups": [{"key": "support"}, {"key": "sales"}],
        "queues": [{"key": "support", "group": "support", "answer_within_seconds": 600}],
        "agents": {
            "amy": {"groups": ["support"], "online": true}, "ben": {"groups": ["support"], "online": true},
            "sam": {"groups": ["sales"], "online": true},
            "lea": {"groups": ["support"], "roles": ["team_lead"]},
        },
    })
}

/// A desk whose one queue works in this mode.
fn giving(mode: &str, more: Value) -> Value {
    let mut queue = json!({"key": "support", "group": "support", "mode": {"type": mode}});
    if mode == "offer" {
        queue["mode"]["timeout_seconds"] = json!(60);
    }
    crate::kit::merge(&mut queue, more);
    json!({"queues": [queue], "agents": {
        "amy": {"groups": ["support"], "online": true, "capacity": {"total": 1}},
        "ben": {"groups": ["support"], "capacity": {"total": 1}},
    }})
}

fn loads() -> Step {
    Step::Ask("sys", json!({"type": "workload"}), &["name", "active", "reserved"])
}

fn reject(who: &'static str, ticket: &str, reason: &str) -> Step {
    Step::Do(who, json!({"type": "reject_offer", "ticket": ticket, "reason": reason}))
}

#[test]
fn a_ticket_is_assigned_and_taken_away_by_hand() {
    check(
        pull(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, assign("amy", "#1", "@ben")),
            (AT, assign("amy", "#1", "@ben")),
            (AT, assign("amy", "#1", "@sam")),
            (AT, assign("lea", "#1", "@sam")),
            (AT, assign("lea", "#1", "@anna")),
            (AT, on("amy", "unassign", "#1")),
            (AT, on("sam", "unassign", "#1")),
            (AT, on("amy", "unassign", "#1")),
            (AT, on("amy", "claim", "#1")),
            (AT, on("amy", "claim", "#1")),
            (AT, on("ben", "claim", "#1")),
            (AT, on("sam", "claim", "#1")),
            (AT, on("sys", "claim", "#1")),
            (AT, on("amy", "solve", "#1")),
            (AT, on("amy", "unassign", "#1")),
            (AT, on("amy", "claim", "#1")),
            (AT, show("#1", &["last_assignee", "counters.reassignments"])),
            (AT, Step::Deliver),
            (AT, loads()),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 assigned to ben (by_hand); #1 new→open (assigned)
            Fri 09:00 nothing
            Fri 09:00 refused: forbidden agent
            Fri 09:00 #1 assigned to sam (by_hand)
            Fri 09:00 refused: not_found agent
            Fri 09:00 #1 unassigned agent=sam why=by_hand
            Fri 09:00 refused: not_found ticket
            Fri 09:00 nothing
            Fri 09:00 #1 assigned to amy (claimed)
            Fri 09:00 nothing
            Fri 09:00 refused: conflict
            Fri 09:00 refused: not_found ticket
            Fri 09:00 refused: invalid actor.kind
            Fri 09:00 #1 open→solved (by_hand) closes Tue 09:00
            Fri 09:00 #1 unassigned agent=amy why=by_hand
            Fri 09:00 refused: invalid
            Fri 09:00 last_assignee=amy counters.reassignments=2
            Fri 09:00 delivered group HD-1 to support; agent assigned HD-1 to ben; agent assigned HD-1 to sam; agent unassigned HD-1 to ben; agent unassigned HD-1 to sam; group HD-1 to support
            Fri 09:00 4 rows: name=amy active=0 reserved=0 | name=ben active=0 reserved=0 | name=lea active=0 reserved=0 | name=sam active=0 reserved=0"#]],
    );
}

#[test]
fn the_next_ticket_is_ones_own_unanswered_one_then_the_oldest() {
    let skip = |ticket: &str, reason: &str| {
        let skip = json!({"ticket": ticket, "reason": reason, "until": "2026-11-20T12:00:00Z"});
        Step::Do("amy", json!({"type": "take_next", "skip": skip}))
    };
    let next = |who| Step::Ask(who, json!({"type": "next_for"}), &["number"]);
    let count = |who| Step::Ask(who, json!({"type": "count_for"}), &["n"]);
    check(
        pull(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-20T09:02:00Z", mail("anna@acme.com", "C", "c")),
            ("2026-11-20T09:03:00Z", next("amy")),
            ("2026-11-20T09:03:00Z", count("amy")),
            ("2026-11-20T09:03:00Z", count("sam")),
            ("2026-11-20T09:03:00Z", take_next("amy")),
            ("2026-11-20T09:03:00Z", take_next("ben")),
            ("2026-11-20T09:03:00Z", take_next("amy")),
            ("2026-11-20T09:04:00Z", reply("amy", "#1", "hello")),
            ("2026-11-20T09:04:00Z", skip("#3", " ")),
            ("2026-11-20T09:04:00Z", skip("#3", "not mine")),
            ("2026-11-20T09:05:00Z", take_next("bot:amy")),
            // Ben did not answer in time.
            ("2026-11-20T09:14:00Z", Step::Tick),
            ("2026-11-20T09:14:00Z", take_next("ben")),
            ("2026-11-20T12:00:00Z", take_next("amy")),
            ("2026-11-20T12:00:00Z", take_next("sam")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
            Fri 09:02 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default)
            Fri 09:03 number=HD-1
            Fri 09:03 n=3
            Fri 09:03 n=0
            Fri 09:03 #1 assigned to amy (taken) answer by Fri 09:13; #1 new→open (assigned)
            Fri 09:03 #2 assigned to ben (taken) answer by Fri 09:13; #2 new→open (assigned)
            Fri 09:03 nothing
            Fri 09:04 #1 m2 by amy
            Fri 09:04 refused: required_field skip.reason
            Fri 09:04 #3 excluded agent=amy reason=not mine until=Fri-12:00
            Fri 09:05 refused: forbidden
            Fri 09:14 tick: Fri 09:13 #2 unassigned agent=ben why=not_answered; #2 excluded agent=ben reason=did not answer in time
            Fri 09:14 #3 assigned to ben (taken) answer by Fri 09:24; #3 new→open (assigned)
            Fri 12:00 #2 assigned to amy (taken) answer by Fri 12:10
            Fri 12:00 nothing"#]],
    );
}

#[test]
fn ones_own_ticket_is_skipped_for_a_time() {
    let skip = |until: Value| {
        let mut skip = json!({"ticket": "#1", "reason": "later"});
        crate::kit::merge(&mut skip, until);
        Step::Do("amy", json!({"type": "take_next", "skip": skip}))
    };
    let next = || Step::Ask("amy", json!({"type": "next_for"}), &["number"]);
    let count = || Step::Ask("amy", json!({"type": "count_for"}), &["n"]);
    let mut config = pull();
    config["queues"][0]["answer_within_seconds"] = Value::Null;
    config["queues"][0]["exclude_seconds"] = json!(36_000);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-20T09:02:00Z", take_next("amy")),
            ("2026-11-20T09:02:00Z", skip(json!({}))),
            ("2026-11-20T09:02:00Z", skip(json!({"until": "2026-11-20T10:00:00Z"}))),
            ("2026-11-20T09:59:59Z", next()),
            ("2026-11-20T09:59:59Z", count()),
            ("2026-11-20T10:00:00Z", next()),
            // Whoever is given what they skipped has it before them again.
            ("2026-11-20T10:00:00Z", skip(json!({"until": "2026-11-20T12:00:00Z"}))),
            ("2026-11-20T10:01:00Z", assign("lea", "#1", "@ben")),
            ("2026-11-20T10:02:00Z", assign("lea", "#1", "@amy")),
            ("2026-11-20T10:02:00Z", count()),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
            Fri 09:02 #1 assigned to amy (taken); #1 new→open (assigned)
            Fri 09:02 refused: required_field skip.until
            Fri 09:02 #1 excluded agent=amy reason=later until=Fri-10:00; #2 assigned to amy (taken); #2 new→open (assigned)
            Fri 09:59:59 number=HD-2
            Fri 09:59:59 n=1
            Fri 10:00 number=HD-1
            Fri 10:00 #1 excluded agent=amy reason=later until=Fri-12:00
            Fri 10:01 #1 assigned to ben (by_hand)
            Fri 10:02 #1 assigned to amy (by_hand)
            Fri 10:02 n=2"#]],
    );
}

#[test]
fn skipping_a_closed_ticket_leaves_it_alone() {
    let skip = json!({"type": "take_next", "skip": {"ticket": "#1", "reason": "no"}});
    check(
        pull(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "close", "#1")),
            (AT, Step::Do("amy", skip)),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 #1 new→closed (by_hand)
            Fri 09:00 nothing"#]],
    );
}

#[test]
fn an_offer_is_accepted_rejected_expires_or_is_taken_back() {
    check(
        pull(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, offer("amy", "#1", "@ben")),
            (AT, offer("lea", "#1", "@ben")),
            (AT, on("amy", "claim", "#1")),
            (AT, on("amy", "accept_offer", "#1")),
            (AT, loads()),
            (AT, reject("ben", "#1", " ")),
            (AT, reject("ben", "#1", "lunch")),
            (AT, reject("ben", "#1", "lunch")),
            (AT, offer("lea", "#1", "@sam")),
            (AT, on("sam", "accept_offer", "#1")),
            (AT, on("lea", "unassign", "#1")),
            (AT, offer("lea", "#1", "@amy")),
            ("2026-11-20T09:01:00Z", on("amy", "accept_offer", "#1")),
            ("2026-11-20T09:02:00Z", Step::Tick),
            ("2026-11-20T09:02:00Z", offer("lea", "#1", "@amy")),
            ("2026-11-20T09:02:00Z", on("amy", "solve", "#1")),
            ("2026-11-20T09:02:00Z", offer("lea", "#1", "@amy")),
            ("2026-11-20T09:02:00Z", loads()),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refused: forbidden
            Fri 09:00 #1 offered to ben until Fri 09:01
            Fri 09:00 refused: conflict
            Fri 09:00 refused: offer_gone
            Fri 09:00 4 rows: name=amy active=0 reserved=0 | name=ben active=0 reserved=1 | name=lea active=0 reserved=0 | name=sam active=0 reserved=0
            Fri 09:00 refused: required_field reason
            Fri 09:00 #1 offer_ended agent=ben how={reason:lunch,type:rejected}; #1 excluded agent=ben reason=rejected the offer
            Fri 09:00 refused: offer_gone
            Fri 09:00 #1 offered to sam until Fri 09:01
            Fri 09:00 #1 offer_ended agent=sam how={type:accepted}; #1 assigned to sam (accepted); #1 new→open (assigned)
            Fri 09:00 #1 unassigned agent=sam why=by_hand
            Fri 09:00 #1 offered to amy until Fri 09:01
            Fri 09:01 refused: offer_gone
            Fri 09:02 tick: Fri 09:01 #1 offer_ended agent=amy how={type:expired}; #1 excluded agent=amy reason=did not answer the offer
            Fri 09:02 #1 offered to amy until Fri 09:03
            Fri 09:02 #1 open→solved (by_hand) closes Tue 09:02; #1 offer_ended agent=amy how={type:rescinded}
            Fri 09:02 refused: invalid
            Fri 09:02 4 rows: name=amy active=0 reserved=0 | name=ben active=0 reserved=0 | name=lea active=0 reserved=0 | name=sam active=0 reserved=0"#]],
    );
}

#[test]
fn freed_capacity_drains_the_queue_oldest_first() {
    check(
        giving("assign", json!({})),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-20T09:02:00Z", mail("anna@acme.com", "C", "c")),
            ("2026-11-20T09:03:00Z", on("amy", "solve", "#1")),
            ("2026-11-20T09:03:00Z", Step::Tick),
            ("2026-11-20T09:04:00Z", presence("ben", "online")),
            ("2026-11-20T09:04:00Z", Step::Tick),
            ("2026-11-20T09:05:00Z", loads()),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 waiting stage=0
            Fri 09:02 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default); #3 waiting stage=0
            Fri 09:03 #1 open→solved (by_hand) closes Tue 09:03
            Fri 09:03 tick: Fri 09:03 #2 assigned to amy (automatically) only_candidate of 1; #2 new→open (assigned)
            Fri 09:04 ben online
            Fri 09:04 tick: Fri 09:04 #3 assigned to ben (automatically) only_candidate of 1; #3 new→open (assigned)
            Fri 09:05 2 rows: name=amy active=1 reserved=0 | name=ben active=1 reserved=0"#]],
    );
}

#[test]
fn an_offer_goes_round_until_somebody_accepts() {
    check(
        giving("offer", json!({"exclude_seconds": 300})),
        &[
            (AT, presence("ben", "online")),
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:00:30Z", reject("amy", "#1", "busy")),
            ("2026-11-20T09:02:00Z", Step::Tick),
            ("2026-11-20T09:06:00Z", Step::Tick),
            ("2026-11-20T09:06:10Z", on("amy", "accept_offer", "#1")),
            ("2026-11-20T09:06:10Z", loads()),
            ("2026-11-20T09:06:10Z", Step::Deliver),
        ],
        &expect![[r#"
            Fri 09:00 ben online
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 offered to amy until Fri 09:01
            Fri 09:00:30 #1 offer_ended agent=amy how={reason:busy,type:rejected}; #1 excluded agent=amy reason=rejected the offer until=Fri-09:05:30; #1 offered to ben until Fri 09:01:30
            Fri 09:02 tick: Fri 09:01:30 #1 offer_ended agent=ben how={type:expired}; #1 excluded agent=ben reason=did not answer the offer until=Fri-09:06:30; #1 waiting look_again_at=Fri-09:05:30 stage=0
            Fri 09:06 tick: Fri 09:05:30 #1 offered to amy until Fri 09:06:30
            Fri 09:06:10 #1 offer_ended agent=amy how={type:accepted}; #1 assigned to amy (accepted); #1 new→open (assigned)
            Fri 09:06:10 2 rows: name=amy active=1 reserved=0 | name=ben active=0 reserved=0
            Fri 09:06:10 delivered offer HD-1 to amy; offer HD-1 to ben; offer HD-1 to amy"#]],
    );
}

#[test]
fn who_is_offline_for_too_long_or_gone_loses_the_work() {
    let mut config = giving("assign", json!({}));
    config["offline_grace_seconds"] = json!(600);
    let deactivate = |who: &str| Step::Do("sys", json!({"type": "deactivate_agent", "agent": who}));
    let away = json!({"type": "set_presence", "status": "away", "until": "2026-11-20T10:00:00Z"});
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, presence("amy", "offline")),
            ("2026-11-20T09:09:59Z", Step::Tick),
            ("2026-11-20T09:10:00Z", presence("ben", "online")),
            ("2026-11-20T09:10:00Z", Step::Tick),
            ("2026-11-20T09:10:00Z", Step::Do("amy", away)),
            ("2026-11-20T10:00:00Z", Step::Tick),
            ("2026-11-20T10:01:00Z", deactivate("@ben")),
            ("2026-11-20T10:01:00Z", Step::Tick),
            ("2026-11-20T10:01:00Z", note("ben", "#1", "still here")),
            ("2026-11-20T10:01:00Z", deactivate("@ben")),
            ("2026-11-20T10:01:00Z", assign("sys", "#1", "@ben")),
            ("2026-11-20T10:01:00Z", loads()),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:00 amy offline
            Fri 09:09:59 tick: nothing
            Fri 09:10 ben online
            Fri 09:10 tick: Fri 09:10 #1 unassigned agent=amy why=offline; #1 assigned to ben (automatically) only_candidate of 1
            Fri 09:10 amy away
            Fri 10:00 tick: Fri 10:00 amy online
            Fri 10:01 ben agent_deactivated
            Fri 10:01 tick: Fri 10:01 #1 unassigned agent=ben why=deactivated; #1 assigned to amy (automatically) only_candidate of 1
            Fri 10:01 refused: not_found ticket
            Fri 10:01 nothing
            Fri 10:01 refused: not_found agent
            Fri 10:01 1 rows: name=amy active=1 reserved=0"#]],
    );
}

#[test]
fn what_was_offered_to_who_is_gone_is_taken_back() {
    let mut config = giving("offer", json!({}));
    config["queues"][0]["mode"]["timeout_seconds"] = json!(3_600);
    config["offline_grace_seconds"] = json!(600);
    config["agents"]["amy"]["capacity"]["total"] = json!(2);
    let gone = |who: &str| Step::Do("sys", json!({"type": "deactivate_agent", "agent": who}));
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("anna@acme.com", "B", "b")),
            (AT, on("amy", "accept_offer", "#1")),
            (AT, presence("ben", "online")),
            (AT, gone("@amy")),
            (AT, on("amy", "accept_offer", "#2")),
            (AT, Step::Tick),
            (AT, loads()),
            ("2026-11-20T09:01:00Z", presence("ben", "offline")),
            ("2026-11-20T09:11:00Z", Step::Tick),
            ("2026-11-20T09:11:00Z", loads()),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 offered to amy until Fri 10:00
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 offered to amy until Fri 10:00
            Fri 09:00 #1 offer_ended agent=amy how={type:accepted}; #1 assigned to amy (accepted); #1 new→open (assigned)
            Fri 09:00 ben online
            Fri 09:00 amy agent_deactivated
            Fri 09:00 refused: not_found agent
            Fri 09:00 tick: Fri 09:00 #1 unassigned agent=amy why=deactivated; #1 offered to ben until Fri 10:00; #2 offer_ended agent=amy how={type:rescinded}; #2 waiting stage=0
            Fri 09:00 1 rows: name=ben active=0 reserved=1
            Fri 09:01 ben offline
            Fri 09:11 tick: Fri 09:11 #1 offer_ended agent=ben how={type:rescinded}; #1 waiting stage=0
            Fri 09:11 1 rows: name=ben active=0 reserved=0"#]],
    );
}

#[test]
fn a_ticket_is_not_idle_while_the_office_is_closed() {
    let mut config =
        giving("assign", json!({"idle_unassign_seconds": 3_600, "idle_calendar": "office"}));
    config["calendars"] = json!([{"key": "office", "zone": "UTC", "weekly": {
        "mon": [["09:00", "17:00"]], "fri": [["09:00", "17:00"]],
    }}]);
    check(
        config,
        &[
            ("2026-11-20T15:00:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T16:30:00Z", Step::Tick),
            ("2026-11-20T16:30:00Z", presence("ben", "online")),
            ("2026-11-20T16:30:00Z", assign("sys", "#1", "@ben")),
            ("2026-11-20T17:30:00Z", Step::Tick),
            ("2026-11-23T09:10:00Z", note("ben", "#1", "on it")),
            ("2026-11-23T10:00:00Z", Step::Tick),
            ("2026-11-23T10:10:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 15:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 16:30 tick: Fri 16:00 #1 unassigned agent=amy why=idle; #1 excluded agent=amy reason=left it idle; #1 waiting stage=0
            Fri 16:30 ben online
            Fri 16:30 #1 assigned to ben (by_hand)
            Fri 17:30 tick: Fri 17:30 #1 idle_later idle_at=Mon-09:30
            Mon 09:10 #1 note m2 by ben
            Mon 10:00 tick: nothing
            Mon 10:10 tick: Mon 10:10 #1 unassigned agent=ben why=idle; #1 excluded agent=ben reason=left it idle; #1 waiting stage=0"#]],
    );
}

#[test]
fn an_idle_ticket_goes_to_another() {
    check(
        giving("assign", json!({"idle_unassign_seconds": 600})),
        &[
            (AT, presence("ben", "online")),
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:05:00Z", note("amy", "#1", "at it")),
            ("2026-11-20T09:14:59Z", Step::Tick),
            ("2026-11-20T09:15:00Z", Step::Tick),
            ("2026-11-20T09:30:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 ben online
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) agent_id of 2; #1 new→open (assigned)
            Fri 09:05 #1 note m2 by amy
            Fri 09:14:59 tick: nothing
            Fri 09:15 tick: Fri 09:15 #1 unassigned agent=amy why=idle; #1 excluded agent=amy reason=left it idle; #1 assigned to ben (automatically) only_candidate of 1
            Fri 09:30 tick: Fri 09:25 #1 unassigned agent=ben why=idle; #1 excluded agent=ben reason=left it idle; #1 waiting stage=0"#]],
    );
}

#[test]
fn stages_widen_the_search_while_a_ticket_waits() {
    let mut config = giving(
        "assign",
        json!({"stages": [
            {}, {"after_seconds": 300, "relax": [{"type": "drop_all"}]}, {"after_seconds": 600, "pools": ["second"]},
        ]}),
    );
    config["groups"] = json!([{"key": "support"}, {"key": "second"}]);
    config["skills"] = json!([{"key": "french"}]);
    config["rules"] =
        json!([{"key": "fr", "then": {"queue": "support", "skills": [{"skill": "french"}]}}]);
    config["agents"]["sam"] = json!({"groups": ["second"], "online": true});
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("anna@acme.com", "B", "b")),
            ("2026-11-20T09:04:59Z", Step::Tick),
            ("2026-11-20T09:05:00Z", Step::Tick),
            ("2026-11-20T09:10:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (rule fr) skills=[{level:1,skill:french}]; #1 waiting look_again_at=Fri-09:05 stage=0
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (rule fr) skills=[{level:1,skill:french}]; #2 waiting look_again_at=Fri-09:05 stage=0
            Fri 09:04:59 tick: nothing
            Fri 09:05 tick: Fri 09:05 #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned); #2 waiting look_again_at=Fri-09:10 stage=1
            Fri 09:10 tick: Fri 09:10 #2 assigned to sam (automatically) only_candidate of 1; #2 new→open (assigned)"#]],
    );
}

#[test]
fn capacity_is_counted_by_channel_and_weight() {
    let mut config = giving("assign", json!({}));
    config["agents"]["amy"]["capacity"] =
        json!({"total": 4, "channels": {"chat": 2}, "weights": {"chat": 2}});
    let chat = || mail_with("anna@acme.com", "Chat", "c", json!({"channel": "chat"}));
    check(
        config,
        &[
            (AT, chat()),
            (AT, chat()),
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, mail("anna@acme.com", "B", "b")),
            (AT, mail("anna@acme.com", "C", "c")),
            (AT, assign("sys", "#5", "@amy")),
            (AT, loads()),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `Chat` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:00 #2 opened `Chat` for anna; #2 m1 by anna; #2 to support (desk_default); #2 waiting stage=0
            Fri 09:00 #3 opened `A` for anna; #3 m1 by anna; #3 to support (desk_default); #3 assigned to amy (automatically) only_candidate of 1; #3 new→open (assigned)
            Fri 09:00 #4 opened `B` for anna; #4 m1 by anna; #4 to support (desk_default); #4 assigned to amy (automatically) only_candidate of 1; #4 new→open (assigned)
            Fri 09:00 #5 opened `C` for anna; #5 m1 by anna; #5 to support (desk_default); #5 waiting stage=0
            Fri 09:00 #5 assigned to amy (by_hand); #5 new→open (assigned)
            Fri 09:00 2 rows: name=amy active=5 reserved=0 | name=ben active=0 reserved=0"#]],
    );
}

#[test]
fn a_reopened_ticket_goes_to_its_assignee_or_back_to_the_queue() {
    check(
        giving("assign", json!({})),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "solve", "#1")),
            (AT, reply("anna", "#1", "no")),
            (AT, on("amy", "solve", "#1")),
            (AT, presence("amy", "offline")),
            (AT, presence("ben", "online")),
            (AT, reply("anna", "#1", "no")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:00 #1 open→solved (by_hand) closes Tue 09:00
            Fri 09:00 #1 m2 by anna; #1 solved→open (requester_replied)
            Fri 09:00 #1 open→solved (by_hand) closes Tue 09:00
            Fri 09:00 amy offline
            Fri 09:00 ben online
            Fri 09:00 #1 m3 by anna; #1 solved→open (requester_replied); #1 unassigned agent=amy why=reopened; #1 to support (reopened); #1 assigned to ben (automatically) only_candidate of 1"#]],
    );
}

#[test]
fn a_ticket_is_routed_again_by_rules_or_by_hand() {
    let mut config = pull();
    config["queues"] =
        json!([{"key": "support", "group": "support"}, {"key": "sales", "group": "sales"}]);
    config["rules"] = json!([{"key": "buy", "when": {"field": "text", "has_word": ["buy"]}, "then": {"queue": "sales", "tags": ["lead"], "priority": "high"}}]);
    config["default_queue"] = Value::Null;
    let again = |queue: Value| {
        Step::Do("sys", json!({"type": "route_again", "ticket": "#1", "queue": queue}))
    };
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "I want to buy")),
            (AT, again(json!("support"))),
            (AT, again(json!("none"))),
            (AT, on("amy", "claim", "#1")),
            (AT, again(Value::Null)),
            (AT, on("sys", "solve", "#1")),
            (AT, again(Value::Null)),
            (AT, mail("anna@acme.com", "B", "other")),
            (AT, Step::Deliver),
            (
                AT,
                Step::Ask(
                    "sys",
                    json!({"type": "explain", "ticket": {"id": "#1"}}),
                    &["sentences"],
                ),
            ),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to sales (rule buy) priority=high tags=[lead]
            Fri 09:00 #1 to support (by_hand)
            Fri 09:00 refused: not_configured queue
            Fri 09:00 #1 assigned to amy (claimed); #1 new→open (assigned)
            Fri 09:00 #1 unassigned agent=amy why=routed_again; #1 to sales (rule buy)
            Fri 09:00 #1 open→solved (by_hand) closes Tue 09:00
            Fri 09:00 refused: invalid
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 unroutable
            Fri 09:00 delivered group HD-1 to sales; unroutable HD-2 to administrators; group HD-1 to support; agent unassigned HD-1 to amy; group HD-1 to sales
            Fri 09:00 sentences=[queue `sales` by rule `buy`: text has the word `buy`: yes, `buy` is in body,queue `support` by hand,assigned to amy (claimed),status `new` to `open` (assigned),taken from amy (routed again),queue `sales` by rule `buy`: text has the word `buy`: yes, `buy` is in body,status `open` to `solved` (by hand)]"#]],
    );
}

#[test]
fn presence_is_ones_own_and_ends_on_time() {
    let set = |who, agent: &str, status: &str| {
        Step::Do(who, json!({"type": "set_presence", "agent": agent, "status": status}))
    };
    let until = |until: &str| json!({"type": "set_presence", "status": "online", "channels": ["chat"], "until": until});
    check(
        pull(),
        &[
            (AT, set("amy", "@ben", "away")),
            (AT, set("sys", "@ben", "away")),
            (AT, presence("amy", "asleep")),
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, presence("anna", "online")),
            (AT, presence("sys", "online")),
            (AT, Step::Do("amy", until(AT))),
            (AT, Step::Do("amy", until("2026-11-20T10:00:00Z"))),
            ("2026-11-20T11:00:00Z", presence("amy", "away")),
            ("2026-11-20T11:00:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 refused: forbidden
            Fri 09:00 ben away
            Fri 09:00 refused: not_configured status
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default)
            Fri 09:00 refused: forbidden
            Fri 09:00 refused: required_field agent
            Fri 09:00 refused: invalid until
            Fri 09:00 amy online
            Fri 11:00 amy offline; amy away
            Fri 11:00 tick: nothing"#]],
    );
}

/// Whoever came before that timer was fired saw an agent who was not back yet.
#[test]
fn who_is_back_by_a_timer_that_comes_late_is_given_what_came_since() {
    let away = json!({"type": "set_presence", "status": "away", "until": "2026-11-20T09:05:00Z"});
    check(
        giving("assign", json!({"stages": [{}, {"after_seconds": 3_600}]})),
        &[
            (AT, presence("ben", "offline")),
            (AT, Step::Do("amy", away)),
            ("2026-11-20T09:10:00Z", mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:20:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 ben offline
            Fri 09:00 amy away
            Fri 09:10 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 waiting look_again_at=Fri-10:10 stage=0
            Fri 09:20 tick: Fri 09:05 amy online; Fri 09:10 #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)"#]],
    );
}
