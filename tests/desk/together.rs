//! Commands on different tickets that are committed together: timers that a tick fires, parts of
//! a command on many tickets.

use crate::faulty::{Faulty, Hook};
use crate::kit::{Kit, TENANT, at, mail, presence, sender, without_agents};
use crate::script::start;
use crate::state;
use chrono::TimeDelta;
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::command::Command;
use helpdesk::{MemoryStore, block_on};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const N_TICKETS: i64 = 60;

/// Each ticket's second step comes so long after its first.
fn desk(between_seconds: i64) -> Value {
    let step = |seconds| {
        json!({
            "trigger": {"type": "after", "seconds": seconds},
            "targets": [{"type": "group", "key": "front"}],
        })
    };
    let steps = [step(3600), step(between_seconds)];
    json!({
        "groups": [{"key": "front"}],
        "escalations": [{"key": "help", "steps": steps}],
        "agents": {"amy": {"groups": ["front"]}},
    })
}

/// Fires both steps of tickets that came in one each half minute; how many commits that took, and
/// how many records it asked for.
fn fire(between_seconds: i64) -> (usize, usize) {
    let store = Faulty::new(Arc::new(MemoryStore::default()));
    let mut kit = Kit::new(store.clone(), desk(between_seconds));
    for i in 0..N_TICKETS {
        let mail = json!({"channel": "email", "from": sender(&format!("a{i}@x.com")), "text": "t"});
        kit.receive(mail, start() + TimeDelta::seconds(30 * i)).unwrap();
    }
    store.faults().batches.clear();
    store.faults().n_asked = 0;
    let report = kit.desk.tick(start() + TimeDelta::hours(8), 10_000).unwrap();
    assert_eq!(i64::try_from(report.fired), Ok(2 * N_TICKETS));
    state::check_laws(&*kit.store, TENANT);
    let faults = store.faults();
    (faults.batches.len(), faults.n_asked)
}

#[test]
fn what_cannot_be_fired_together_is_not_looked_at_again_and_again() {
    let (n_commits, n_asked) = fire(24 * 60);
    assert_eq!(n_commits, 4);
    // A second step comes before the next ticket's first: a group ends behind that one.
    let (n_commits_by_twos, n_asked_by_twos) = fire(10);
    assert!(n_commits_by_twos <= 62, "{n_commits_by_twos}");
    assert!(n_asked_by_twos < 2 * n_asked, "{n_asked_by_twos} instead of {n_asked}");
}

#[test]
fn parts_of_a_command_on_many_tickets_wait_for_the_disk_by_the_32() {
    let store = Faulty::new(Arc::new(MemoryStore::default()));
    let mut kit = Kit::new(store.clone(), desk(10));
    let tickets: Vec<String> = (1..=N_TICKETS).map(|n| format!("#{n}")).collect();
    for i in 0..N_TICKETS {
        let mail = json!({"channel": "email", "from": sender(&format!("a{i}@x.com")), "text": "t"});
        kit.receive(mail, start()).unwrap();
    }
    // What is refused is so by itself.
    kit.execute("sys", json!({"type": "close", "ticket": "#7"}), start()).unwrap();
    store.faults().batches.clear();
    let changes = json!([{"type": "add_tags", "tags": ["vip"]}]);
    let many = json!({"type": "apply_changes_to_many", "tickets": tickets, "changes": changes});
    let outcome = kit.execute("sys", many, start()).unwrap();
    let refused: Vec<usize> =
        (0..tickets.len()).filter(|i| outcome.each[*i].error.is_some()).collect();
    assert_eq!((refused, outcome.events.len()), (vec![6], tickets.len() - 1));
    assert_eq!(store.faults().batches, [31, 28]);
    state::check_laws(&*kit.store, TENANT);
}

/// Has somebody do something just before one is decided, of those that are decided one after the
/// other: when its span is entered.
struct Between {
    nth: usize,
    spans: Mutex<(u64, Vec<Id>)>,
    hook: Mutex<Option<Hook>>,
}

impl Subscriber for Between {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let (n, commands) = &mut *self.spans.lock().unwrap();
        *n += 1;
        let id = Id::from_u64(*n);
        if span.metadata().name() == "command" {
            commands.push(id.clone());
        }
        id
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        let is_it = self.spans.lock().unwrap().1.get(self.nth) == Some(id);
        let hook = self.hook.lock().unwrap().take_if(|_| is_it);
        if let Some(Hook(hook)) = hook {
            // On a thread of its own: its spans are told to nobody.
            std::thread::scope(|scope| scope.spawn(hook).join()).unwrap();
        }
    }

    fn exit(&self, _: &Id) {}
}

fn system() -> Actor {
    Actor::system(TENANT, Capability::ActAsSystem)
}

/// What is done of #1 to #8 together, in the order of the journal, while the second loses a race
/// and `between` comes before the fifth is decided.
fn interrupted(
    work: fn(&Kit),
    closed: Option<&str>,
    between: fn(helpdesk::Helpdesk, Command),
) -> Vec<String> {
    let inner = Arc::new(MemoryStore::default());
    let store = Faulty::new(inner.clone());
    let mut kit = Kit::new(
        store.clone(),
        json!({
            "queues": [{"key": "support", "group": "front", "mode": {"type": "assign"}}],
            "groups": [{"key": "front"}],
            "agents": {"amy": {"groups": ["front"]}},
        }),
    );
    for i in 1..=9 {
        let mail = json!({"channel": "email", "from": sender(&format!("a{i}@x.com")), "text": "t"});
        kit.receive(mail, start()).unwrap();
        let until = start() + TimeDelta::minutes(i);
        let snooze = json!({"type": "snooze", "ticket": format!("#{i}"), "until": until});
        if i < 9 {
            kit.execute("sys", snooze, start()).unwrap();
        }
    }
    if let Some(ticket) = closed {
        kit.execute("sys", json!({"type": "close", "ticket": ticket}), start()).unwrap();
    }
    kit.run(&[("2026-11-20T09:00:00Z", presence("amy", "online"))]);
    let changes = json!([{"type": "set_impact", "to": "high"}]);
    let race = kit.command(json!({"type": "update_ticket", "ticket": "#2", "changes": changes}));
    let other = Kit::bare(inner);
    let race = move || drop(other.desk.execute(&system(), race, start()).unwrap());
    store.faults().before = Some(Hook(Box::new(race)));
    let before = state::last_position(&*kit.store, TENANT);
    let (engine, give) =
        (kit.desk.engine().clone(), json!({"type": "assign", "ticket": "#9", "agent": "@amy"}));
    let give = kit.command(give);
    let hook = Hook(Box::new(move || between(engine, give)));
    let between = Between { nth: 4, spans: Mutex::default(), hook: Mutex::new(Some(hook)) };
    tracing::subscriber::with_default(between, || work(&kit));
    state::check_laws_but_time(&*kit.store, TENANT);
    let events = state::events_after(&*kit.store, TENANT, before);
    let lines = events.iter().map(|event| kit.names.event(event));
    lines.filter(|line| line.contains("vip") || line.contains("woken")).collect()
}

fn tag_all(kit: &Kit) {
    let tickets: Vec<String> = (1..=8).map(|n| format!("#{n}")).collect();
    let changes = json!([{"type": "add_tags", "tags": ["vip"]}]);
    let many = json!({"type": "apply_changes_to_many", "tickets": tickets, "changes": changes});
    kit.desk.execute(&system(), kit.command(many), start()).unwrap();
}

fn wake_all(kit: &Kit) {
    assert_eq!(kit.desk.tick(start() + TimeDelta::minutes(30), 100).unwrap().failed, 0);
}

/// Another caller commits what was begun.
fn commit(engine: helpdesk::Helpdesk, give: Command) {
    block_on(engine.execute(&system(), give, start())).unwrap();
}

/// Another caller decides on what was begun, and goes away.
fn go_away(engine: helpdesk::Helpdesk, give: Command) {
    let actor = system();
    let mut call = Box::pin(engine.execute(&actor, give, start()));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn the_order_stays_whoever_comes_between() {
    for between in [commit, go_away] {
        for work in [tag_all, wake_all] {
            let lines = interrupted(work, None, between);
            assert!(lines.len() == 8 && lines.is_sorted(), "{lines:?}");
        }
        let lines = interrupted(tag_all, Some("#4"), between);
        assert!(lines.len() == 7 && lines.is_sorted(), "{lines:?}");
    }
}

/// Who gets two tickets of whom the first is given to Anna, as is the second by then.
fn affinity(is_never_together: bool) -> Vec<String> {
    let store = Faulty::new(Arc::new(MemoryStore::default()));
    let config = json!({
        "queues": [{"key": "support", "group": "support", "mode": {"type": "assign"}, "affinity": true}],
        "macros": [{"key": "mine", "name": "Mine", "steps": [
            {"type": "reply", "text": "mine"},
            {"type": "change", "change": {"type": "set_requester", "to": "@anna"}},
            {"type": "set_status", "to": "pending"},
            {"type": "set_status", "to": "open"},
        ]}],
        "agents": {
            "amy": {"groups": ["support"], "roles": ["team_lead"]}, "ben": {"groups": ["support"]},
        },
    });
    let mut before = without_agents(config.clone());
    before["macros"] = json!([]);
    let mut kit = Kit::new(store.clone(), before);
    let time = "2026-11-20T09:00:00Z";
    kit.run(&[(time, mail("anna@acme.com", "A", "a")), (time, mail("bob@acme.com", "B", "b"))]);
    // Anna has an id now.
    let config = kit.names.in_ids(config);
    kit.configure(config);
    kit.run(&[(time, presence("amy", "online")), (time, presence("ben", "online"))]);
    store.faults().is_never_together = is_never_together;
    let many = json!({"type": "run_macro_on_many", "tickets": ["#1", "#2"], "key": "mine"});
    let outcome = kit.execute("amy", many, at(time)).unwrap();
    outcome.events.iter().map(|event| kit.names.event(event)).collect()
}

#[test]
fn a_part_sees_what_those_before_it_write() {
    assert_eq!(affinity(false), affinity(true));
}
