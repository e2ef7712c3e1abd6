//! Tickets that wait: for whom, since when, and who comes first.

use crate::kit::{
    Step, assign, change, check, mail, on, presence, reply, set_status, show, take_next,
};
use expect_test::expect;
use serde_json::{Value, json};

const AT: &str = "2026-11-20T09:00:00Z";

/// One queue that assigns, or works as `more` says; room for one ticket each.
fn desk(more: Value) -> Value {
    let mut queue = json!({"key": "support", "group": "support", "mode": {"type": "assign"}});
    crate::kit::merge(&mut queue, more);
    json!({"queues": [queue], "agents": {
        "amy": {"groups": ["support"], "online": true, "capacity": {"total": 1}},
        "ben": {"groups": ["support"], "capacity": {"total": 1}},
    }})
}

fn reject(who: &'static str, ticket: &str) -> Step {
    Step::Do(who, json!({"type": "reject_offer", "ticket": ticket, "reason": "busy"}))
}

#[test]
fn a_ticket_that_waits_for_its_agent_holds_up_nobody_elses() {
    check(
        desk(json!({"affinity_wait_seconds": 600})),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, reply("amy", "#1", "hello")),
            ("2026-11-20T09:01:00Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-20T09:02:00Z", mail("bob@acme.com", "C", "c")),
            // Amy answered Anna last and is only busy: Ben is given Bob's.
            ("2026-11-20T09:03:00Z", presence("ben", "online")),
            ("2026-11-20T09:03:00Z", Step::Tick),
            ("2026-11-20T09:04:00Z", on("ben", "solve", "#3")),
            ("2026-11-20T09:10:59Z", Step::Tick),
            ("2026-11-20T09:11:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:00 #1 m2 by amy
            Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 waiting look_again_at=Fri-09:11 stage=0
            Fri 09:02 contact bob made; #3 opened `C` for bob; #3 m1 by bob; #3 to support (desk_default); #3 waiting stage=0
            Fri 09:03 ben online
            Fri 09:03 tick: Fri 09:03 #3 assigned to ben (automatically) only_candidate of 1; #3 new→open (assigned)
            Fri 09:04 #3 open→solved (by_hand) closes Tue 09:04
            Fri 09:10:59 tick: nothing
            Fri 09:11 tick: Fri 09:11 #2 assigned to ben (automatically) only_candidate of 1; #2 new→open (assigned)"#]],
    );
}

#[test]
fn an_agent_who_rejects_is_asked_again_at_once_later_or_never() {
    let offer = |more: Value| {
        let mut queue = json!({"mode": {"type": "offer", "timeout_seconds": 60}});
        crate::kit::merge(&mut queue, more);
        desk(queue)
    };
    let script = [
        (AT, mail("anna@acme.com", "A", "a")),
        ("2026-11-20T09:00:10Z", reject("amy", "#1")),
        ("2026-11-20T09:02:00Z", Step::Tick),
    ];
    check(
        offer(json!({"exclude_seconds": 0})),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 offered to amy until Fri 09:01
        Fri 09:00:10 #1 offer_ended agent=amy how={reason:busy,type:rejected}; #1 offered to amy until Fri 09:01:10
        Fri 09:02 tick: Fri 09:01:10 #1 offer_ended agent=amy how={type:expired}; #1 offered to amy until Fri 09:02:10"#]],
    );
    check(
        offer(json!({"exclude_seconds": 60})),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 offered to amy until Fri 09:01
        Fri 09:00:10 #1 offer_ended agent=amy how={reason:busy,type:rejected}; #1 excluded agent=amy reason=rejected the offer until=Fri-09:01:10; #1 waiting look_again_at=Fri-09:01:10 stage=0
        Fri 09:02 tick: Fri 09:01:10 #1 offered to amy until Fri 09:02:10"#]],
    );
    check(
        offer(json!({})),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 offered to amy until Fri 09:01
        Fri 09:00:10 #1 offer_ended agent=amy how={reason:busy,type:rejected}; #1 excluded agent=amy reason=rejected the offer; #1 waiting stage=0
        Fri 09:02 tick: nothing"#]],
    );
}

#[test]
fn an_agent_rests_between_two_tickets_where_the_queue_says_so() {
    let mut config = desk(json!({"cooldown_seconds": 120}));
    config["agents"]["amy"]["capacity"]["total"] = json!(3);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:00:30Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-20T09:00:40Z", mail("anna@acme.com", "C", "c")),
            ("2026-11-20T09:01:59Z", Step::Tick),
            ("2026-11-20T09:02:00Z", Step::Tick),
            ("2026-11-20T09:10:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:00:30 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 waiting look_again_at=Fri-09:02 stage=0
            Fri 09:00:40 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default); #3 waiting look_again_at=Fri-09:02 stage=0
            Fri 09:01:59 tick: nothing
            Fri 09:02 tick: Fri 09:02 #2 assigned to amy (automatically) only_candidate of 1; #2 new→open (assigned); #3 waiting look_again_at=Fri-09:04 stage=0, 1 dropped
            Fri 09:10 tick: Fri 09:04 #3 assigned to amy (automatically) only_candidate of 1; #3 new→open (assigned), 1 dropped"#]],
    );
}

#[test]
fn an_agent_is_given_no_more_than_the_rate_limit_of_the_queue_allows() {
    let mut config = desk(json!({"rate_limit": {"max": 2, "per_seconds": 600}}));
    config["agents"]["amy"]["capacity"]["total"] = json!(9);
    check(
        config.clone(),
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", mail("anna@acme.com", "B", "b")),
            // To let go of one changes nothing.
            ("2026-11-20T09:01:30Z", on("amy", "solve", "#1")),
            ("2026-11-20T09:02:00Z", mail("anna@acme.com", "C", "c")),
            ("2026-11-20T09:03:00Z", mail("anna@acme.com", "D", "d")),
            ("2026-11-20T09:09:59Z", Step::Tick),
            ("2026-11-20T09:10:00Z", Step::Tick),
            // What is given by hand is counted, and not refused.
            ("2026-11-20T09:10:30Z", assign("sys", "#4", "@amy")),
            ("2026-11-20T09:11:00Z", mail("anna@acme.com", "E", "e")),
            ("2026-11-20T09:19:59Z", Step::Tick),
            ("2026-11-20T09:20:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 assigned to amy (automatically) only_candidate of 1; #2 new→open (assigned)
            Fri 09:01:30 #1 open→solved (by_hand) closes Tue 09:01:30
            Fri 09:02 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default); #3 waiting look_again_at=Fri-09:10 stage=0
            Fri 09:03 #4 opened `D` for anna; #4 m1 by anna; #4 to support (desk_default); #4 waiting look_again_at=Fri-09:10 stage=0
            Fri 09:09:59 tick: nothing
            Fri 09:10 tick: Fri 09:10 #3 assigned to amy (automatically) only_candidate of 1; #3 new→open (assigned); #4 waiting look_again_at=Fri-09:11 stage=0, 1 dropped
            Fri 09:10:30 #4 assigned to amy (by_hand); #4 new→open (assigned)
            Fri 09:11 #5 opened `E` for anna; #5 m1 by anna; #5 to support (desk_default); #5 waiting look_again_at=Fri-09:20 stage=0
            Fri 09:19:59 tick: nothing
            Fri 09:20 tick: Fri 09:20 #5 assigned to amy (automatically) only_candidate of 1; #5 new→open (assigned), 1 dropped"#]],
    );
    config["queues"][0]["mode"] = json!({"type": "offer", "timeout_seconds": 60});
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, on("amy", "accept_offer", "#1")),
            (AT, mail("anna@acme.com", "B", "b")),
            (AT, on("amy", "accept_offer", "#2")),
            (AT, mail("anna@acme.com", "C", "c")),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 offered to amy until Fri 09:01
            Fri 09:00 #1 offer_ended agent=amy how={type:accepted}; #1 assigned to amy (accepted); #1 new→open (assigned)
            Fri 09:00 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 offered to amy until Fri 09:01
            Fri 09:00 #2 offer_ended agent=amy how={type:accepted}; #2 assigned to amy (accepted); #2 new→open (assigned)
            Fri 09:00 #3 opened `C` for anna; #3 m1 by anna; #3 to support (desk_default); #3 waiting look_again_at=Fri-09:10 stage=0"#]],
    );
}

#[test]
fn who_rests_by_one_queue_is_given_the_tickets_of_another() {
    let queue = |key: &str, more: Value| {
        let mut queue = json!({"key": key, "group": "support", "mode": {"type": "assign"}});
        crate::kit::merge(&mut queue, more);
        queue
    };
    let rule = |key: &str| json!({"key": key, "when": {"field": "subject", "is": key}, "then": {"queue": key}});
    let config = json!({
        "queues": [queue("slow", json!({"cooldown_seconds": 600})), queue("quick", json!({}))],
        "rules": [rule("slow"), rule("quick")],
        "agents": {"amy": {"groups": ["support"]}},
    });
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "quick", "a")),
            (AT, mail("anna@acme.com", "quick", "b")),
            (AT, presence("amy", "online")),
            // Before the tick that would have given them the first one.
            (AT, mail("bob@acme.com", "slow", "c")),
            (AT, mail("bob@acme.com", "slow", "d")),
            (AT, Step::Tick),
            ("2026-11-20T09:09:59Z", Step::Tick),
            ("2026-11-20T09:10:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `quick` for anna; #1 m1 by anna; #1 to quick (rule quick); #1 waiting stage=0
            Fri 09:00 #2 opened `quick` for anna; #2 m1 by anna; #2 to quick (rule quick); #2 waiting stage=0
            Fri 09:00 amy online
            Fri 09:00 contact bob made; #3 opened `slow` for bob; #3 m1 by bob; #3 to slow (rule slow); #3 assigned to amy (automatically) only_candidate of 1; #3 new→open (assigned)
            Fri 09:00 #4 opened `slow` for bob; #4 m1 by bob; #4 to slow (rule slow); #4 waiting look_again_at=Fri-09:10 stage=0
            Fri 09:00 tick: Fri 09:00 #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned); #2 assigned to amy (automatically) only_candidate of 1; #2 new→open (assigned)
            Fri 09:09:59 tick: nothing
            Fri 09:10 tick: Fri 09:10 #4 assigned to amy (automatically) only_candidate of 1; #4 new→open (assigned)"#]],
    );
}

#[test]
fn a_ticket_whose_agent_is_gone_waits_since_it_first_did() {
    let mut config = desk(json!({}));
    config["offline_grace_seconds"] = json!(600);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-20T09:02:00Z", presence("amy", "offline")),
            ("2026-11-20T09:12:00Z", Step::Tick),
            ("2026-11-20T09:12:00Z", show("#1", &["entered_queue_at"])),
            // Before the one that came after it.
            ("2026-11-20T09:13:00Z", presence("ben", "online")),
            ("2026-11-20T09:13:00Z", Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:01 #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default); #2 waiting stage=0
            Fri 09:02 amy offline
            Fri 09:12 tick: Fri 09:12 #1 unassigned agent=amy why=offline; #1 waiting stage=0
            Fri 09:12 entered_queue_at=Fri-09:00
            Fri 09:13 ben online
            Fri 09:13 tick: Fri 09:13 #1 assigned to ben (automatically) only_candidate of 1"#]],
    );
}

#[test]
fn a_reopened_ticket_without_its_agent_goes_first_where_the_queue_says_so() {
    let script = [
        (AT, mail("anna@acme.com", "A", "a")),
        (AT, on("amy", "solve", "#1")),
        (AT, presence("amy", "offline")),
        ("2026-11-20T09:01:00Z", mail("bob@acme.com", "B", "b")),
        ("2026-11-20T09:02:00Z", reply("anna", "#1", "no")),
        ("2026-11-20T09:03:00Z", presence("ben", "online")),
        ("2026-11-20T09:03:00Z", Step::Tick),
    ];
    check(
        desk(json!({"reopen_front": true})),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
        Fri 09:00 #1 open→solved (by_hand) closes Tue 09:00
        Fri 09:00 amy offline
        Fri 09:01 contact bob made; #2 opened `B` for bob; #2 m1 by bob; #2 to support (desk_default); #2 waiting stage=0
        Fri 09:02 #1 m2 by anna; #1 solved→open (requester_replied); #1 unassigned agent=amy why=reopened; #1 to support (reopened); #1 waiting stage=0
        Fri 09:03 ben online
        Fri 09:03 tick: Fri 09:03 #1 assigned to ben (automatically) only_candidate of 1"#]],
    );
    check(
        desk(json!({})),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
        Fri 09:00 #1 open→solved (by_hand) closes Tue 09:00
        Fri 09:00 amy offline
        Fri 09:01 contact bob made; #2 opened `B` for bob; #2 m1 by bob; #2 to support (desk_default); #2 waiting stage=0
        Fri 09:02 #1 m2 by anna; #1 solved→open (requester_replied); #1 unassigned agent=amy why=reopened; #1 to support (reopened); #1 waiting stage=0
        Fri 09:03 ben online
        Fri 09:03 tick: Fri 09:03 #2 assigned to ben (automatically) only_candidate of 1; #2 new→open (assigned)"#]],
    );
}

#[test]
fn a_ticket_that_asks_for_less_is_given_at_once() {
    let mut config = desk(json!({}));
    config["skills"] = json!([{"key": "french"}]);
    config["rules"] =
        json!([{"key": "fr", "then": {"queue": "support", "skills": [{"skill": "french"}]}}]);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "A", "a")),
            (AT, change("sys", "#1", json!([{"type": "set_priority", "to": "high"}]))),
            (AT, change("sys", "#1", json!([{"type": "require_skills", "skills": []}]))),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (rule fr) skills=[{level:1,skill:french}]; #1 waiting stage=0
            Fri 09:00 #1 updated changes=[{to:high,type:set_priority}]
            Fri 09:00 #1 updated changes=[{skills:[],type:require_skills}]; #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)"#]],
    );
}

#[test]
fn a_ticket_that_waits_for_its_requester_takes_no_room_unless_the_desk_says_so() {
    let script = [
        (AT, mail("anna@acme.com", "A", "a")),
        (AT, mail("bob@acme.com", "B", "b")),
        ("2026-11-20T09:01:00Z", set_status("amy", "#1", "pending")),
        ("2026-11-20T09:01:00Z", Step::Tick),
    ];
    check(
        desk(json!({})),
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
        Fri 09:00 contact bob made; #2 opened `B` for bob; #2 m1 by bob; #2 to support (desk_default); #2 waiting stage=0
        Fri 09:01 #1 open→pending (by_hand)
        Fri 09:01 tick: Fri 09:01 #2 assigned to amy (automatically) only_candidate of 1; #2 new→open (assigned)"#]],
    );
    let mut config = desk(json!({}));
    config["load_categories"] = json!(["new", "open", "pending"]);
    check(
        config,
        &script,
        &expect![[r#"
        Fri 09:00 contact anna made; #1 opened `A` for anna; #1 m1 by anna; #1 to support (desk_default); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
        Fri 09:00 contact bob made; #2 opened `B` for bob; #2 m1 by bob; #2 to support (desk_default); #2 waiting stage=0
        Fri 09:01 #1 open→pending (by_hand)
        Fri 09:01 tick: nothing"#]],
    );
}

#[test]
fn a_ticket_is_held_for_who_answered_it_last() {
    let mut config = desk(json!({"mode": {"type": "pull"}}));
    config["to_solve"] = json!({"last_agent": true, "hold_for_seconds": 300});
    let count = |who| Step::Ask(who, json!({"type": "count_for"}), &["n"]);
    let next = |who| Step::Ask(who, json!({"type": "next_for"}), &["number"]);
    check(
        config,
        &[
            (AT, presence("ben", "online")),
            (AT, mail("bob@acme.com", "A", "a")),
            ("2026-11-20T09:01:00Z", mail("anna@acme.com", "B", "b")),
            ("2026-11-20T09:02:00Z", reply("amy", "#2", "hello")),
            ("2026-11-20T09:03:00Z", reply("anna", "#2", "more")),
            ("2026-11-20T09:07:59Z", count("ben")),
            ("2026-11-20T09:07:59Z", count("amy")),
            ("2026-11-20T09:07:59Z", next("amy")),
            ("2026-11-20T09:08:00Z", count("ben")),
            ("2026-11-20T09:08:00Z", next("ben")),
            ("2026-11-20T09:08:00Z", take_next("amy")),
            ("2026-11-20T09:08:00Z", take_next("ben")),
        ],
        &expect![[r#"
            Fri 09:00 ben online
            Fri 09:00 contact bob made; #1 opened `A` for bob; #1 m1 by bob; #1 to support (desk_default)
            Fri 09:01 contact anna made; #2 opened `B` for anna; #2 m1 by anna; #2 to support (desk_default)
            Fri 09:02 #2 m2 by amy; #2 new→open (agent_replied)
            Fri 09:03 #2 m3 by anna
            Fri 09:07:59 n=1
            Fri 09:07:59 n=2
            Fri 09:07:59 number=HD-2
            Fri 09:08 n=2
            Fri 09:08 number=HD-1
            Fri 09:08 #2 assigned to amy (taken)
            Fri 09:08 #1 assigned to ben (taken); #1 new→open (assigned)"#]],
    );
}
