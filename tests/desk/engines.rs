//! Many engines on one store give work at once: nobody gets too much, nothing is lost.

use crate::kit::{Kit, Shared, TENANT, sender, without_agents};
use crate::races::{insist, try_some};
use crate::script;
use crate::state;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::actor::Actor;
use helpdesk::core::agent::AgentLoad;
use helpdesk::core::desk::Desk;
use helpdesk::core::event::{AssignedHow, Event, StreamId};
use helpdesk::core::id::{AgentId, Key};
use helpdesk::core::routing::stage::Selector;
use helpdesk::storage::postgres::tokio_postgres;
use helpdesk::storage::{ClaimParams, ClaimWhat, Store};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Barrier, Mutex};
use uuid::Uuid;

const N_ENGINES: u64 = 6;
const N_ROUNDS: u64 = 20;
const N_AGENTS: u64 = 7;
/// The queue with a rate limit, and how many tickets in how many seconds.
const LIMITED: usize = 1;
const RATE: (usize, i64) = (2, 6);

/// A queue for each selector, by turns assigning and offering, and one that agents
/// serve themselves; less room than there will be work.
fn desk() -> Value {
    let mut queues: Vec<Value> = Selector::ALL
        .iter()
        .enumerate()
        .map(|(i, selector)| {
            let mode = match i % 2 {
                0 => json!({"type": "assign"}),
                _ => json!({"type": "offer", "timeout_seconds": 8}),
            };
            let group = ["one", "two"][i / 3];
            json!({
                "key": selector, "group": group, "order": i % 3, "mode": mode, "exclude_seconds": 5,
                "rate_limit": (i == LIMITED).then(|| json!({"max": RATE.0, "per_seconds": RATE.1})),
                "stages": [{"selector": selector}, {"after_seconds": 6, "pools": ["one", "two"], "selector": selector}],
            })
        })
        .collect();
    queues.push(json!({"key": "taken", "group": "one", "answer_within_seconds": 10}));
    let rule = |queue: &Value| {
        let key = &queue["key"];
        json!({"key": key, "when": {"field": "subject", "is": key}, "then": {"queue": key}})
    };
    let agents = (0..N_AGENTS).map(|i| {
        let groups = [json!(["one"]), json!(["two"]), json!(["one", "two"])];
        let capacity = match i % 3 {
            0 => json!({"total": 1}),
            1 => json!({"total": 3, "channels": {"chat": 2}, "weights": {"chat": 2}}),
            _ => json!({"total": 2}),
        };
        let agent =
            json!({"groups": groups[(i % 3) as usize], "capacity": capacity, "online": true});
        (format!("agent{i}"), agent)
    });
    json!({
        "groups": [{"key": "one"}, {"key": "two"}],
        "rules": queues.iter().map(rule).collect::<Vec<_>>(),
        "queues": queues,
        "agents": agents.collect::<serde_json::Map<_, _>>(),
    })
}

/// Numbers that look drawn; the same for the same engine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn agent(&mut self) -> AgentId {
        AgentId(Uuid::from_u128(0xA000 + u128::from(self.below(N_AGENTS))))
    }
}

#[test]
fn many_engines_give_nobody_too_much_and_lose_nothing() {
    many_engines(&Shared::sqlite());
}

#[test]
fn many_engines_on_postgres_give_nobody_too_much_and_lose_nothing() {
    many_engines(&Shared::postgres());
}

fn many_engines(shared: &Shared) {
    let first = Kit::new(shared.open(), desk());
    let together = Barrier::new(N_ENGINES as usize);
    let told = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for engine in 0..N_ENGINES {
            let (together, told) = (&together, &told);
            scope.spawn(move || {
                let kit = Kit::bare(shared.open());
                together.wait();
                work(&kit, engine);
                told.lock().unwrap().extend(kit.recorder.attempts());
            });
        }
    });
    let mut told = told.into_inner().unwrap();
    let store = &*first.store;
    let tickets = state::cases(store, TENANT);
    let numbers: BTreeSet<u64> = tickets.iter().map(|case| case.ticket.number.n).collect();
    assert_eq!(numbers.len() as u64, N_ENGINES * N_ROUNDS, "each mail is one ticket");
    // As it stands, and once offers have expired and stages have widened.
    let end = script::start() + TimeDelta::seconds(N_ROUNDS as i64);
    let desk = Desk::from_value(&without_agents(desk())).unwrap();
    for now in [end, end + TimeDelta::seconds(7), end + TimeDelta::seconds(60)] {
        insist(|| first.desk.tick(now, 10_000));
        state::check_laws_but_time(store, TENANT);
        state::check_nobody_waits_in_vain(store, TENANT, &desk, now);
    }
    insist(|| first.desk.deliver(end + TimeDelta::days(1), 10_000));
    told.extend(first.recorder.attempts());
    let ids: BTreeSet<Uuid> = told.iter().map(|notification| notification.delivery_id).collect();
    assert_eq!(ids.len(), told.len(), "nobody is told a thing twice");
    let left = ClaimParams::new(ClaimWhat::Outbox, DateTime::<Utc>::MAX_UTC, 1);
    assert_eq!(helpdesk::block_on(store.claim(&left)).unwrap().leases, Vec::new());
    check_fired_once(store);
    check_rate(store);
    let load: u32 = state::loads(store, TENANT).iter().map(AgentLoad::total).sum();
    let n_waiting = state::cases(store, TENANT).iter().filter(|case| case.waits()).count();
    assert!(load > 0 && n_waiting > 0, "more work than room: {load} units held, {n_waiting} wait");
}

/// Each ticket's offers are made and ended by turns: no timer ended one twice.
fn check_fired_once(store: &dyn Store) {
    let mut offered: BTreeSet<StreamId> = BTreeSet::new();
    for row in state::journal(store, TENANT) {
        let stream = row.entry.stream;
        match row.entry.event {
            Event::Offered { .. } => assert!(offered.insert(stream), "one offer at a time"),
            Event::OfferEnded { .. } => assert!(offered.remove(&stream), "an offer ends once"),
            _ => {}
        }
    }
}

/// Nobody was given a ticket of the queue with a rate limit beyond it, whoever gave
/// them the others.
fn check_rate(store: &dyn Store) {
    let mut queues: BTreeMap<StreamId, Key> = BTreeMap::new();
    let mut given: BTreeMap<AgentId, Vec<DateTime<Utc>>> = BTreeMap::new();
    let mut n_limited = 0;
    for row in state::journal(store, TENANT) {
        let (stream, at) = (row.entry.stream, row.entry.at);
        let (agent, is_by_queue) = match row.entry.event {
            Event::Routed { queue, .. } => {
                queues.insert(stream, queue);
                continue;
            }
            Event::Assigned { how: AssignedHow::Accepted, .. } => continue,
            Event::Assigned { agent, choice, .. } | Event::Offered { agent, choice, .. } => {
                (agent, choice.is_some())
            }
            _ => continue,
        };
        let before = given.entry(agent).or_default();
        let is_limited = queues
            .get(&stream)
            .is_some_and(|queue| queue.as_str() == Selector::ALL[LIMITED].as_str());
        if is_limited && is_by_queue {
            let lately = before.iter().filter(|before| at < **before + TimeDelta::seconds(RATE.1));
            assert!(lately.count() < RATE.0, "{agent} was given too much at {at}");
            n_limited += 1;
        }
        before.push(at);
    }
    assert!(n_limited > 0, "the queue gave something");
}

/// What one engine does: it receives, ticks, delivers, and acts for any agent, all
/// against the others.
fn work(kit: &Kit, engine: u64) {
    let mut dice = Dice(engine);
    for round in 0..N_ROUNDS {
        let now = script::start() + TimeDelta::seconds(round as i64);
        let subject = match dice.below(7) {
            6 => "taken",
            i => Selector::ALL[i as usize].as_str(),
        };
        let channel = ["email", "chat"][dice.below(2) as usize];
        let message = json!({
            "channel": channel, "from": sender("anna@x.com"), "subject": subject, "text": "t",
            "external_id": format!("<{engine}-{round}@x>"),
        });
        insist(|| kit.desk.receive(TENANT, serde_json::from_value(message.clone()).unwrap(), now));
        insist(|| kit.desk.tick(now, 100));
        insist(|| kit.desk.deliver(now, 100));
        for _ in 0..3 {
            act(kit, &mut dice, now);
        }
    }
}

/// One thing that an agent does.
fn act(kit: &Kit, dice: &mut Dice, now: DateTime<Utc>) {
    let agent = dice.agent();
    let actor = Actor::agent(TENANT, agent);
    let cases = state::cases(&*kit.store, TENANT);
    let on = |kind: &str, case: &helpdesk::core::case::Case, more: Value| {
        let mut command = json!({"type": kind, "ticket": case.ticket.id});
        crate::kit::merge(&mut command, more);
        try_some(kit, &actor, command, now);
    };
    let offered =
        cases.iter().find(|case| case.offer.as_ref().is_some_and(|offer| offer.agent == agent));
    let own = cases
        .iter()
        .find(|case| case.ticket.assignee == Some(agent) && case.ticket.category.is_unsolved());
    match (dice.below(8), offered, own) {
        (0..3, Some(case), _) => on("accept_offer", case, json!({})),
        (3, Some(case), _) => on("reject_offer", case, json!({"reason": "busy"})),
        (0..3, None, Some(case)) => on("solve", case, json!({})),
        (4, _, Some(case)) => on("set_status", case, json!({"to": "pending"})),
        (5, ..) => {
            let status = ["online", "away"][dice.below(2) as usize];
            try_some(kit, &actor, json!({"type": "set_presence", "status": status}), now);
        }
        (6, ..) => {
            let free = cases.iter().find(|case| case.waits());
            free.into_iter().for_each(|case| on("claim", case, json!({})));
        }
        _ => {
            try_some(kit, &actor, json!({"type": "take_next"}), now);
        }
    }
}

const N_DAY: u64 = 12;

/// One queue in this mode and twelve agents with room for one ticket each.
fn day(mode: &str) -> Value {
    let agents = (0..N_DAY).map(|i| {
        let agent = json!({"groups": ["support"], "capacity": {"total": 1}});
        (format!("agent{i:02}"), agent)
    });
    json!({
        "queues": [{"key": "support", "group": "support", "mode": {"type": mode}}],
        "agents": agents.collect::<serde_json::Map<_, _>>(),
    })
}

/// An engine that works, and one that knows the desk as it was at nine and never ticks.
fn two_engines(shared: &Shared, mode: &str) -> (Kit, Kit) {
    let busy = Kit::new(shared.open(), day(mode));
    let mut idle = Kit::bare(shared.open());
    idle.n_commands = 1_000;
    let board = json!({"type": "board"});
    idle.ask("sys", board, script::start()).unwrap();
    (busy, idle)
}

fn mail() -> Value {
    json!({"channel": "email", "from": sender("anna@x.com"), "subject": "s", "text": "t"})
}

fn online(kit: &mut Kit, now: DateTime<Utc>) {
    for i in 0..N_DAY {
        let agent = format!("@agent{i:02}");
        let set = json!({"type": "set_presence", "agent": agent, "status": "online"});
        kit.execute("sys", set, now).unwrap();
    }
    kit.desk.tick(now, 1_000).unwrap();
}

fn n_waiting(kit: &Kit) -> usize {
    state::cases(&*kit.store, TENANT).iter().filter(|case| case.waits()).count()
}

#[test]
fn an_engine_that_did_not_hear_who_came_online_gives_them_work() {
    for shared in [Shared::sqlite(), Shared::postgres()] {
        let (mut busy, mut idle) = two_engines(&shared, "assign");
        let now = script::start();
        online(&mut busy, now);
        idle.receive(mail(), now).unwrap();
        assert_eq!(n_waiting(&busy), 0);
        state::check_laws_but_time(&*busy.store, TENANT);
    }
}

#[test]
fn an_engine_that_did_not_hear_who_is_free_gives_them_work() {
    for shared in [Shared::sqlite(), Shared::postgres()] {
        let (mut busy, mut idle) = two_engines(&shared, "assign");
        let now = script::start();
        online(&mut busy, now);
        for i in 0..N_DAY {
            let mail = json!({"external_id": format!("<{i}>")});
            let mut message = self::mail();
            crate::kit::merge(&mut message, mail);
            idle.receive(message, now).unwrap();
        }
        assert_eq!(n_waiting(&busy), 0);
        for case in state::cases(&*busy.store, TENANT) {
            let solve = json!({"type": "solve", "ticket": case.ticket.id});
            busy.execute("sys", solve, now).unwrap();
        }
        busy.desk.tick(now, 1_000).unwrap();
        idle.receive(mail(), now).unwrap();
        assert_eq!(n_waiting(&busy), 0);
        state::check_laws_but_time(&*busy.store, TENANT);
    }
}

#[test]
fn an_agent_who_is_free_again_takes_the_next_ticket_at_any_engine() {
    for shared in [Shared::sqlite(), Shared::postgres()] {
        let (mut busy, mut idle) = two_engines(&shared, "pull");
        let now = script::start();
        online(&mut busy, now);
        idle.names = busy.names.clone();
        for i in 0..3 {
            let mut message = mail();
            message["external_id"] = json!(format!("<{i}>"));
            busy.receive(message, now).unwrap();
        }
        let take = || json!({"type": "take_next"});
        let count = |kit: &Kit| {
            let answer = kit.ask("agent00", json!({"type": "count_for"}), now).unwrap();
            serde_json::to_value(answer).unwrap()["n"].clone()
        };
        assert_eq!(count(&idle), json!(3));
        let first = idle.execute("agent00", take(), now).unwrap().made.ticket.unwrap();
        // Full: the own one is unanswered, and nothing else is theirs to take.
        assert_eq!((count(&idle), count(&busy)), (json!(1), json!(1)));
        busy.execute("sys", json!({"type": "solve", "ticket": first}), now).unwrap();
        assert_eq!((count(&busy), count(&idle)), (json!(2), json!(2)));
        let second = idle.execute("agent00", take(), now).unwrap().made.ticket;
        assert!(second.is_some_and(|second| second != first), "{second:?}");
        let load = |kit: &Kit| {
            let answer = kit.ask("sys", json!({"type": "workload"}), now).unwrap();
            serde_json::to_value(answer).unwrap()[0]["active"].clone()
        };
        busy.execute("sys", json!({"type": "solve", "ticket": second}), now).unwrap();
        assert_eq!((load(&busy), load(&idle)), (json!(0), json!(0)));
    }
}

/// Keeps a transaction open that has begun to write, as a host's slow one does: the feed of
/// every desk on the server stands still meanwhile.
fn beside_a_slow_transaction(work: impl FnOnce()) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let address = helpdesk_test_support::postgres::shared().unwrap();
    let (client, connection) =
        runtime.block_on(tokio_postgres::connect(&address, tokio_postgres::NoTls)).unwrap();
    runtime.spawn(connection);
    let run = |sql: &str| runtime.block_on(client.batch_execute(sql)).unwrap();
    run("BEGIN; SELECT pg_current_xact_id()");
    work();
    run("COMMIT");
}

#[test]
fn engines_hear_of_each_other_beside_a_slow_transaction() {
    let shared = Shared::postgres();
    let (mut busy, mut idle) = two_engines(&shared, "assign");
    let now = script::start();
    beside_a_slow_transaction(|| {
        let end = helpdesk::block_on(busy.store.feed_end(TENANT)).unwrap();
        online(&mut busy, now);
        idle.receive(mail(), now).unwrap();
        assert_eq!(n_waiting(&busy), 0, "who came online was given it");
        // And once more, as what was heard is heard again.
        let mut second = mail();
        second["external_id"] = json!("<second>");
        idle.receive(second, now).unwrap();
        assert_eq!(n_waiting(&idle), 0);
        assert_eq!(helpdesk::block_on(busy.store.feed_end(TENANT)).unwrap(), end, "it stood still");
    });
    state::check_laws_but_time(&*busy.store, TENANT);
}

#[test]
fn whoever_takes_the_next_ticket_sees_those_of_a_moment_ago_beside_a_slow_transaction() {
    let shared = Shared::postgres();
    let (mut busy, mut idle) = two_engines(&shared, "pull");
    let now = script::start();
    online(&mut busy, now);
    idle.names = busy.names.clone();
    let take = || json!({"type": "take_next"});
    beside_a_slow_transaction(|| {
        for i in 0..6 {
            let mut message = mail();
            message["external_id"] = json!(format!("<{i}>"));
            busy.receive(message, now).unwrap();
        }
        let mut taken = BTreeSet::new();
        for (i, agent) in ["agent00", "agent01", "agent02", "agent03"].into_iter().enumerate() {
            let kit = if i % 2 == 0 { &mut idle } else { &mut busy };
            let ticket = kit.execute(agent, take(), now).unwrap().made.ticket;
            assert!(taken.insert(ticket.expect("one waits")), "nobody else has it");
        }
    });
    state::check_laws_but_time(&*busy.store, TENANT);
}
