//! Many callers of one engine at once: what agents hold is decided in turn, on what others are
//! about to do, and committed together.

use crate::faulty::{Faulty, Hook};
use crate::kit::{Kit, Shared, TENANT, sender, without_agents};
use crate::state;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::agent::AgentLoad;
use helpdesk::core::case::Case;
use helpdesk::core::command::{Command, Snooze};
use helpdesk::core::desk::Desk;
use helpdesk::core::event::{Event, StreamId};
use helpdesk::core::fault::Code;
use helpdesk::core::id::{AgentId, TicketId};
use helpdesk::core::intake::inbound::InboundMessage;
use helpdesk::core::ticket::priority::Channel;
use helpdesk::storage::Store;
use helpdesk::{Error, Helpdesk, Imported, MemoryStore, Outcome, block_on};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use uuid::Uuid;

const N_CALLERS: u64 = 8;
const N_ROUNDS: u64 = 24;
const CAPACITY: u64 = 5;

/// Some agents who are given what comes in, and a queue that they serve themselves.
fn desk(n_agents: u64, capacity: u64) -> Value {
    let agent = |i| {
        let capacity = json!({"total": capacity, "weights": {"chat": 2}});
        let agent = json!({"groups": ["support"], "capacity": capacity, "online": true});
        (format!("agent{i}"), agent)
    };
    json!({
        "groups": [{"key": "support"}],
        "queues": [
            {"key": "given", "group": "support", "mode": {"type": "assign"}},
            {"key": "taken", "group": "support"},
        ],
        "rules": [
            {"key": "taken", "when": {"field": "subject", "is": "taken"}, "then": {"queue": "taken"}},
            {"key": "given", "then": {"queue": "given"}},
        ],
        "agents": (0..n_agents).map(agent).collect::<serde_json::Map<_, _>>(),
    })
}

fn agent(i: u64) -> AgentId {
    AgentId(Uuid::from_u128(0xA000 + u128::from(i)))
}

fn start() -> DateTime<Utc> {
    crate::script::start()
}

fn mail(from: &str, subject: &str, id: &str) -> InboundMessage {
    let message = json!({
        "channel": "email", "from": sender(from), "subject": subject, "text": "t", "external_id": id,
    });
    serde_json::from_value(message).unwrap()
}

/// What weighs as much as two mails.
fn chat(from: &str, id: &str) -> InboundMessage {
    InboundMessage { channel: Channel::Chat, ..mail(from, "given", id) }
}

fn held(store: &dyn Store) -> u32 {
    state::loads(store, TENANT).iter().map(AgentLoad::total).sum()
}

#[test]
fn who_calls_at_once_loses_no_race() {
    crowd(Arc::new(MemoryStore::default()));
    crowd(Shared::sqlite().open());
}

#[test]
fn who_calls_at_once_on_postgres_loses_no_race() {
    crowd(Shared::postgres().open());
}

/// No call is given again here.
fn crowd(store: Arc<dyn Store>) {
    let kit = Kit::new(store, desk(N_CALLERS, CAPACITY));
    let together = Barrier::new(N_CALLERS as usize);
    std::thread::scope(|scope| {
        for caller in 0..N_CALLERS {
            let (kit, together) = (&kit, &together);
            scope.spawn(move || {
                together.wait();
                call(kit, caller);
            });
        }
    });
    // Who solved has room again.
    let end = start() + TimeDelta::seconds(N_ROUNDS as i64);
    kit.desk.tick(end, 10_000).unwrap();
    let store = &*kit.store;
    state::check_laws_but_time(store, TENANT);
    let tickets = state::cases(store, TENANT);
    assert_eq!(tickets.len() as u64, N_CALLERS * N_ROUNDS, "each mail is one ticket");
    let numbers: BTreeSet<u64> = tickets.iter().map(|case| case.ticket.number.n).collect();
    assert_eq!(numbers.len(), tickets.len(), "numbers are unique");
    let desk = Desk::from_value(&without_agents(desk(N_CALLERS, CAPACITY))).unwrap();
    state::check_nobody_waits_in_vain(store, TENANT, &desk, end);
    let most = (CAPACITY * N_CALLERS) as u32;
    assert!(held(store) > most / 2 && held(store) <= most, "{} units held", held(store));
}

/// Receives, takes and solves.
fn call(kit: &Kit, caller: u64) {
    let actor = Actor::agent(TENANT, agent(caller));
    for round in 0..N_ROUNDS {
        let now = start() + TimeDelta::seconds(round as i64);
        let subject = if round % 3 == 2 { "taken" } else { "given" };
        let message =
            mail(&format!("p{}@x.com", round % 5), subject, &format!("<{caller}-{round}@x>"));
        kit.desk.receive(TENANT, message, now).unwrap();
        let command = kit.command(json!({"type": "take_next"}));
        let taken = kit.desk.execute(&actor, command, now).unwrap().made.ticket;
        let held = || state::cases(&*kit.store, TENANT).into_iter().find(|it| is_of(it, caller));
        let ticket: Option<TicketId> = taken.or_else(|| held().map(|case| case.ticket.id));
        if let Some(ticket) = ticket.filter(|_| round % 2 == 1) {
            let command = kit.command(json!({"type": "solve", "ticket": ticket}));
            kit.desk.execute(&actor, command, now).unwrap();
        }
    }
}

fn is_of(case: &Case, caller: u64) -> bool {
    case.ticket.assignee == Some(agent(caller)) && case.ticket.category.is_unsolved()
}

type Receiving<'a> = Pin<Box<dyn Future<Output = Result<Outcome, Error>> + 'a>>;

/// Mails that are on their way: each was looked at once, so it is decided and has its turn.
fn receiving(desk: &Helpdesk, n: u64) -> Vec<Receiving<'_>> {
    let mails = (0..n).map(|i| mail(&format!("p{i}@x.com"), "given", &format!("<{i}@x>")));
    let mut all: Vec<Receiving<'_>> = mails
        .map(|mail| -> Receiving<'_> { Box::pin(desk.receive(TENANT, mail, start())) })
        .collect();
    for one in &mut all {
        assert!(look(one).is_pending(), "it leaves the others of its thread time to come in");
    }
    all
}

fn look(one: &mut Receiving<'_>) -> Poll<Result<Outcome, Error>> {
    one.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn assignee(store: &dyn Store, outcome: &Outcome) -> Option<AgentId> {
    let id = outcome.made.ticket.unwrap();
    let cases = state::cases(store, TENANT);
    cases.iter().find(|case| case.ticket.id == id).unwrap().ticket.assignee
}

#[test]
fn mails_of_one_thread_are_committed_together() {
    let store = Faulty::new(Arc::new(MemoryStore::default()));
    let kit = Kit::new(store.clone(), desk(3, 20));
    let mails = receiving(kit.desk.engine(), 30);
    store.faults().batches.clear();
    for mail in mails {
        block_on(mail).unwrap();
    }
    assert_eq!(store.faults().batches, [30]);
    let loads = state::loads(&*kit.store, TENANT);
    assert!(
        loads.iter().all(|load| load.total() == 10),
        "each has as much as the others: {loads:?}"
    );
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn what_was_decided_on_a_mail_that_is_given_up_is_decided_again() {
    for given_up in 0..4 {
        let store = Faulty::new(Arc::new(MemoryStore::default()));
        let kit = Kit::new(store.clone(), desk(1, 3));
        let mut mails = receiving(kit.desk.engine(), 4);
        store.faults().batches.clear();
        drop(mails.remove(given_up));
        for mail in mails {
            let outcome = block_on(mail).unwrap();
            assert_eq!(assignee(&*kit.store, &outcome), Some(agent(0)), "without {given_up}");
        }
        assert_eq!(held(&*kit.store), 3);
        let n_sent: usize = store.faults().batches.iter().sum();
        assert_eq!(n_sent, 3, "no race is lost");
        state::check_laws(&*kit.store, TENANT);
    }
}

#[test]
fn who_commits_for_others_and_goes_away_holds_up_nobody() {
    for is_dropped in [true, false] {
        let store = Faulty::new(Arc::new(MemoryStore::default()));
        let kit = Kit::new(store.clone(), desk(2, 20));
        let mut mails = receiving(kit.desk.engine(), 5);
        store.faults().is_slow = true;
        let mut first = mails.remove(0);
        assert!(look(&mut first).is_pending(), "the store does not answer");
        // Left alone, nobody looks at it until the others are done.
        let first = (!is_dropped).then_some(first);
        store.faults().is_slow = false;
        for mail in mails {
            block_on(mail).unwrap();
        }
        assert_eq!(held(&*kit.store), 5, "what was at work is done");
        first.into_iter().for_each(|first| _ = block_on(first).unwrap());
        state::check_laws(&*kit.store, TENANT);
    }
}

#[test]
fn a_call_comes_through_beside_one_that_is_left_alone() {
    for n_looks in 1..8 {
        let kit = Kit::new(Shared::sqlite().open(), desk(2, 20));
        let engine = kit.desk.engine();
        let first = mail("a@x.com", "given", "<a@x>");
        let mut first: Receiving<'_> = Box::pin(engine.receive(TENANT, first, start()));
        let is_done = (0..n_looks).any(|_| look(&mut first).is_ready());
        kit.desk.receive(TENANT, mail("b@x.com", "given", "<b@x>"), start()).unwrap();
        if !is_done {
            block_on(first).unwrap();
        }
        assert_eq!(held(&*kit.store), 2);
        state::check_laws(&*kit.store, TENANT);
    }
}

#[test]
fn what_is_at_work_when_all_are_gone_is_let_go() {
    let store = Faulty::new(Arc::new(MemoryStore::default()));
    let kit = Kit::new(store.clone(), desk(2, 20));
    let mut mails = receiving(kit.desk.engine(), 3);
    store.faults().is_slow = true;
    assert!(look(&mut mails[0]).is_pending());
    drop(mails);
    store.faults().is_slow = false;
    kit.desk.receive(TENANT, mail("b@x.com", "given", "<b@x>"), start()).unwrap();
    assert_eq!(held(&*kit.store), 1);
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn a_store_that_is_gone_is_told_to_all_at_once() {
    let store = Faulty::new(Arc::new(MemoryStore::default()));
    let kit = Kit::new(store.clone(), desk(2, 20));
    let mails = receiving(kit.desk.engine(), 5);
    store.faults().batches.clear();
    let down = store.clone();
    store.faults().before = Some(Hook(Box::new(move || down.faults().is_down = true)));
    for mail in mails {
        assert_eq!(block_on(mail).unwrap_err().code(), Code::Unavailable);
    }
    assert_eq!(store.faults().batches, [5]);
    store.faults().is_down = false;
    kit.desk.receive(TENANT, mail("b@x.com", "given", "<b@x>"), start()).unwrap();
    assert_eq!(held(&*kit.store), 1);
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn an_import_overwrites_nothing_that_comes_between() {
    let inner = Arc::new(MemoryStore::default());
    let store = Faulty::new(inner.clone());
    let kit = Kit::new(store.clone(), desk(1, 20));
    let other = Kit::bare(inner);
    store.faults().before = Some(Hook(Box::new(move || {
        let chat = chat("q@x.com", "<other@x>");
        other.desk.receive(TENANT, chat, start()).unwrap();
    })));
    let old = (1..=2).map(|n| {
        let old = json!({
            "external_id": format!("old-{n}"), "subject": "q", "channel": "email",
            "requester": sender(&format!("o{n}@x.com")), "assignee": agent(0),
            "status": "open", "created_at": "2020-01-01T00:00:00Z", "messages": [],
        });
        serde_json::from_value(old).unwrap()
    });
    let import = Actor::system(TENANT, Capability::ActAsImport);
    let tell = |_, imported: Result<Imported, Error>| _ = imported.unwrap();
    block_on(kit.desk.engine().import_tickets(&import, old, start(), tell)).unwrap();
    assert_eq!(held(&*kit.store), 4);
    state::check_laws_but_time(&*kit.store, TENANT);
}

#[test]
fn another_engine_that_does_the_same_meanwhile_is_not_overlooked() {
    // The first of these loses against the other engine, which brings the agent to where the
    // first would have, but for a ticket that weighs more: the second was decided on that.
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let kit = Kit::new(store.clone(), desk(1, 5));
    let other = Kit::bare(store.clone());
    let mails = receiving(kit.desk.engine(), 4);
    let chat = chat("q@x.com", "<other@x>");
    other.desk.receive(TENANT, chat, start()).unwrap();
    for mail in mails {
        block_on(mail).unwrap();
    }
    assert_eq!(held(&*store), 5);
    let tickets = state::cases(&*store, TENANT);
    assert_eq!(tickets.iter().filter(|case| case.waits()).count(), 1);
    state::check_laws(&*store, TENANT);
}

#[test]
fn who_takes_a_ticket_is_known_as_when_it_was_sought_for_them() {
    let store = Faulty::new(Arc::new(MemoryStore::default()));
    let kit = Kit::new(store.clone(), desk(1, 2));
    let taken = kit.desk.receive(TENANT, mail("q@x.com", "taken", "<taken@x>"), start()).unwrap();
    let taken = taken.made.ticket.unwrap();
    let engine = kit.desk.engine();
    // About to hold one of two, the agent looks for one more.
    let mut mails = receiving(engine, 1);
    store.faults().held_up = Some(StreamId::case(taken));
    let actor = Actor::agent(TENANT, agent(0));
    let command = kit.command(json!({"type": "take_next"}));
    let mut taking: Receiving<'_> = Box::pin(engine.execute(&actor, command, start()));
    assert!(look(&mut taking).is_pending());
    // They do not come to hold that one; and then are about to hold two, by as many commits.
    mails.clear();
    let chat = chat("p@x.com", "<chat@x>");
    let mut chat: Receiving<'_> = Box::pin(engine.receive(TENANT, chat, start()));
    assert!(look(&mut chat).is_pending());
    store.faults().held_up = None;
    let mut both = vec![look(&mut taking), look(&mut chat)];
    while both.iter().any(Poll::is_pending) {
        for (one, poll) in [&mut taking, &mut chat].into_iter().zip(&mut both) {
            if poll.is_pending() {
                *poll = look(one);
            }
        }
    }
    let ends: Vec<bool> = both.iter().map(|it| matches!(it, Poll::Ready(Ok(_)))).collect();
    assert_eq!(ends, [true, true], "{both:?}");
    assert_eq!(held(&*store), 2, "there is no room for the one that was sought");
    state::check_laws(&*store, TENANT);
}

#[test]
fn timers_of_different_tickets_are_committed_together_in_their_order() {
    let store = Faulty::new(Arc::new(MemoryStore::default()));
    let kit = Kit::new(store.clone(), desk(1, 100));
    let tickets: Vec<TicketId> = (0..30)
        .map(|n| {
            let mail = mail(&format!("u{n}@example.com"), "taken", &format!("<{n}@x>"));
            let ticket = kit.desk.receive(TENANT, mail, start()).unwrap().made.ticket.unwrap();
            // The last comes first.
            let until = start() + TimeDelta::seconds(600 - n);
            let system = Actor::system(TENANT, Capability::ActAsSystem);
            let snooze = Command::Snooze(Snooze { ticket, until });
            kit.desk.execute(&system, snooze, start()).unwrap();
            ticket
        })
        .collect();
    kit.desk.tick(start(), 100).unwrap();
    store.faults().batches.clear();
    let report = kit.desk.tick(start() + TimeDelta::seconds(600), 100).unwrap();
    assert_eq!((report.fired, report.late_by_seconds), (30, 29));
    assert_eq!(store.faults().batches, [30]);
    let woken =
        state::journal(&*store, TENANT).into_iter().filter(|row| row.entry.event == Event::Woken);
    let woken: Vec<TicketId> = woken.map(|row| TicketId(row.entry.stream.id)).collect();
    assert_eq!(woken, tickets.into_iter().rev().collect::<Vec<_>>());
}
