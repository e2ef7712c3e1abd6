//! Waiting tickets given at once to whoever has room.

use crate::kit::{
    Kit, Step, TENANT, assign, at, check, mail, mail_with, presence, reply, sender, without_agents,
};
use crate::state;
use expect_test::expect;
use helpdesk::MemoryStore;
use helpdesk::core::case::Case;
use helpdesk::core::decide::Batched;
use helpdesk::core::desk::Desk;
use helpdesk::core::id::{AgentId, TicketId};
use helpdesk::core::routing::batch::assign_all;
use helpdesk::core::routing::next::Upcoming;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const AT: &str = "2026-11-20T09:00:00Z";

/// Three queues that give work, one that agents serve themselves.
fn desk() -> Value {
    let queue = |key: &str, more: Value| {
        let mut queue = json!({"key": key, "group": "one", "mode": {"type": "assign"}});
        crate::kit::merge(&mut queue, more);
        queue
    };
    let offer = json!({"type": "offer", "timeout_seconds": 60});
    let queues = [
        queue("late", json!({"order": 2, "stages": [{"selector": "most_spare"}]})),
        queue(
            "first",
            json!({"order": 1, "sort": "priority", "stages": [{"selector": "least_loaded"}]}),
        ),
        queue("offered", json!({"order": 1, "group": "two", "mode": offer})),
        queue("taken", json!({"mode": {"type": "pull"}})),
    ];
    let rules = ["late", "first", "offered", "taken"].map(
        |key| json!({"key": key, "when": {"field": "subject", "is": key}, "then": {"queue": key}}),
    );
    json!({
        "groups": [{"key": "one"}, {"key": "two"}], "queues": queues, "rules": rules,
        "agents": {
            "amy": {"groups": ["one"], "capacity": {"total": 2}},
            "ben": {"groups": ["one", "two"], "capacity": {"total": 3, "weights": {"chat": 2}}},
            "cat": {"groups": ["two"], "capacity": {"total": 1}},
            "lea": {"groups": ["two"], "roles": ["team_lead"], "capacity": {"total": 1}},
        },
    })
}

fn rebalance(who: &'static str, queues: &[&str]) -> Step {
    Step::Do(who, json!({"type": "rebalance", "queues": queues}))
}

/// Who has or is offered each ticket.
fn holders(kit: &Kit) -> BTreeMap<TicketId, AgentId> {
    let holder = |case: &Case| case.ticket.assignee.or(case.offer.as_ref().map(|o| o.agent));
    let cases = state::cases(&*kit.store, TENANT);
    cases.iter().filter_map(|case| Some((case.ticket.id, holder(case)?))).collect()
}

fn upcoming<'a>(case: &'a Case, desk: &'a Desk) -> Upcoming<'a> {
    Upcoming {
        ticket: &case.ticket,
        queue: case.ticket.queue.as_ref().and_then(|key| desk.queue(key)),
        offered_to: None,
        affinity: &[],
        due_at: case.due_at(),
    }
}

/// Twenty tickets of all queues wait, and everybody comes; nobody has ticked.
fn full_house() -> Kit {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    for i in 0..20 {
        let now = at(AT) + chrono::TimeDelta::seconds(i);
        let queue = ["late", "taken", "first", "offered"][(i % 4) as usize];
        let channel = if i % 3 == 0 { "chat" } else { "email" };
        let message = json!({"channel": channel, "from": sender("anna@x.com"), "subject": queue, "text": "t"});
        kit.receive(message, now).unwrap();
    }
    for who in ["amy", "ben", "cat", "lea"] {
        kit.step(&presence(who, "online"), at("2026-11-20T09:01:00Z"));
    }
    kit
}

#[test]
fn waiting_tickets_are_given_as_the_pure_batch_gives_them_and_only_once() {
    let mut kit = full_house();
    let now = at("2026-11-20T09:01:00Z");
    let desk = Desk::from_value(&without_agents(desk())).unwrap();
    let cases = state::cases(&*kit.store, TENANT);
    let tickets = cases.iter().map(|case| upcoming(case, &desk));
    let mut roster = state::roster(&*kit.store, TENANT);
    let choices = assign_all(tickets, &mut roster, desk.calendars(), now, desk.selection_seed());
    let expected: BTreeMap<TicketId, AgentId> =
        choices.into_iter().filter_map(|(id, choice)| Some((id, choice.chosen?))).collect();
    assert!(expected.len() >= 5, "there is something to give: {expected:?}");

    let outcome = kit.execute("sys", json!({"type": "rebalance"}), now).unwrap();
    assert_eq!(holders(&kit), expected);
    assert_eq!((outcome.each.len(), outcome.n_left), (expected.len(), 0));
    for (agent, entry) in &roster.agents {
        let stored = state::roster(&*kit.store, TENANT);
        assert_eq!(stored.agents[agent].load, entry.load, "{}", entry.agent.name);
    }

    let again = kit.execute("sys", json!({"type": "rebalance"}), now).unwrap();
    assert_eq!((again.events.len(), again.each.len()), (0, 0));
    kit.desk.tick(now, 1_000).unwrap();
    assert_eq!(holders(&kit), expected, "drains find nothing more to give");
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn a_batch_stops_at_its_limit_and_counts_what_is_left() {
    let kit = full_house();
    let now = at("2026-11-20T09:01:00Z");
    let desk = Desk::from_value(&without_agents(desk())).unwrap();
    let roster = state::roster(&*kit.store, TENANT);
    let cases = state::cases(&*kit.store, TENANT);
    let tickets = || cases.iter().rev().map(|case| upcoming(case, &desk));
    let all = Batched::pick(tickets(), &desk, &roster, now, 20);
    let n = all.tickets.len();
    assert!(n > 2 && all.n_left == 0, "{all:?}");
    let two = Batched::pick(tickets(), &desk, &roster, now, 2);
    assert_eq!((&two.tickets[..], two.n_left), (&all.tickets[..2], n as u64 - 2));
}

#[test]
fn a_rebalance_gives_the_tickets_of_the_queues_it_names_in_the_groups_of_who_orders_it() {
    let mut config = desk();
    config["agents"]["lea"]["capacity"]["total"] = json!(0);
    check(
        config,
        &[
            (AT, mail("anna@acme.com", "late", "a")),
            (AT, mail_with("anna@acme.com", "offered", "b", json!({"channel": "chat"}))),
            (AT, mail("anna@acme.com", "first", "c")),
            (AT, mail("anna@acme.com", "taken", "d")),
            (AT, mail("anna@acme.com", "offered", "e")),
            (AT, assign("sys", "#5", "@cat")),
            (AT, presence("ben", "online")),
            (AT, rebalance("ben", &[])),
            (AT, rebalance("sys", &["first", "none"])),
            (AT, rebalance("sys", &["taken"])),
            (AT, rebalance("sys", &["first"])),
            // Lea leads group two.
            (AT, rebalance("lea", &[])),
            (AT, rebalance("sys", &[])),
            (AT, Step::Tick),
        ],
        &expect![[r#"
            Fri 09:00 contact anna made; #1 opened `late` for anna; #1 m1 by anna; #1 to late (rule late); #1 waiting stage=0
            Fri 09:00 #2 opened `offered` for anna; #2 m1 by anna; #2 to offered (rule offered); #2 waiting stage=0
            Fri 09:00 #3 opened `first` for anna; #3 m1 by anna; #3 to first (rule first); #3 waiting stage=0
            Fri 09:00 #4 opened `taken` for anna; #4 m1 by anna; #4 to taken (rule taken)
            Fri 09:00 #5 opened `offered` for anna; #5 m1 by anna; #5 to offered (rule offered); #5 waiting stage=0
            Fri 09:00 #5 assigned to cat (by_hand); #5 new→open (assigned)
            Fri 09:00 ben online
            Fri 09:00 refused: forbidden
            Fri 09:00 refused: not_configured queues[1]
            Fri 09:00 nothing
            Fri 09:00 #3 assigned to ben (automatically) only_candidate of 1; #3 new→open (assigned)
            Fri 09:00 #2 offered to ben until Fri 09:01
            Fri 09:00 nothing
            Fri 09:00 tick: nothing"#]],
    );
}

#[test]
fn a_rebalance_leaves_a_ticket_that_waits_for_who_answered_last() {
    let mut config = desk();
    config["queues"][0]["affinity_wait_seconds"] = json!(3_600);
    config["agents"]["amy"]["capacity"]["total"] = json!(1);
    check(
        config,
        &[
            (AT, presence("amy", "online")),
            (AT, mail("anna@acme.com", "late", "a")),
            (AT, reply("amy", "#1", "Here.")),
            (AT, mail("anna@acme.com", "late", "b")),
            (AT, mail("bob@acme.com", "late", "c")),
            (AT, presence("ben", "online")),
            (AT, rebalance("sys", &[])),
            ("2026-11-20T10:00:00Z", rebalance("sys", &[])),
        ],
        &expect![[r#"
            Fri 09:00 amy online
            Fri 09:00 contact anna made; #1 opened `late` for anna; #1 m1 by anna; #1 to late (rule late); #1 assigned to amy (automatically) only_candidate of 1; #1 new→open (assigned)
            Fri 09:00 #1 m2 by amy
            Fri 09:00 #2 opened `late` for anna; #2 m1 by anna; #2 to late (rule late); #2 waiting look_again_at=Fri-10:00 stage=0
            Fri 09:00 contact bob made; #3 opened `late` for bob; #3 m1 by bob; #3 to late (rule late); #3 waiting stage=0
            Fri 09:00 ben online
            Fri 09:00 #3 assigned to ben (automatically) only_candidate of 1; #3 new→open (assigned)
            Fri 10:00 #2 assigned to ben (automatically) only_candidate of 1; #2 new→open (assigned)"#]],
    );
}
