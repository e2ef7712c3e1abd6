//! Commands on different tickets that are committed together: timers that a tick fires, parts of
//! a command on many tickets.

use crate::faulty::Faulty;
use crate::kit::{Kit, TENANT, sender};
use crate::script::start;
use crate::state;
use chrono::TimeDelta;
use helpdesk::MemoryStore;
use serde_json::{Value, json};
use std::sync::Arc;

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
