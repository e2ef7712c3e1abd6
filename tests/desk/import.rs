//! Import of many tickets: groups of them do what one after the other does.

use crate::kit::{Kit, Shared, TENANT, at, stores};
use crate::state;
use helpdesk::core::command::ImportTicket;
use helpdesk::core::fault::Code;
use helpdesk::core::query::{Answer, Counted};
use helpdesk::storage::Store;
use helpdesk::{Error, IMPORT_GROUP_MAX, ImportReport, Imported, block_on};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

const AT: &str = "2026-11-20T09:00:00Z";

fn desk(store: Arc<dyn Store>) -> Kit {
    let config = json!({"agents": {
        "amy": {"groups": ["support"], "online": true}, "bo": {"groups": ["support"]},
    }});
    Kit::new(store, config)
}

/// The n-th ticket of another system: every seventh requester is the same, every third
/// ticket is open and somebody's.
fn old(kit: &Kit, n: u64) -> ImportTicket {
    let mut ticket = json!({
        "external_id": format!("old-{n}"), "subject": format!("Question {n}"), "channel": "email",
        "requester": {"identity": {"kind": "email", "value": format!("c{}@example.com", n % 7)}},
        "status": "open", "created_at": "2020-01-01T00:00:00Z",
        "messages": [
            {"kind": "public_reply", "text": format!("Why {n}?"), "sent_at": "2020-01-01T00:00:00Z",
             "external_id": format!("<{n}@old>")},
            {"kind": "internal_note", "text": "hm", "sent_at": "2020-01-02T00:00:00Z", "agent": "@bo"},
        ],
    });
    if n.is_multiple_of(3) {
        ticket["assignee"] = json!(["@amy", "@bo"][(n % 2) as usize]);
    } else {
        let solved = json!({"status": "closed", "closed_at": "2020-01-03T00:00:00Z"});
        crate::kit::merge(&mut ticket, solved);
    }
    if n.is_multiple_of(5) {
        ticket["number"] = json!(format!("OLD-{n}"));
    }
    if n == 13 {
        ticket["status"] = json!("nonsense");
    }
    let ticket: Value = kit.names.in_ids(ticket);
    serde_json::from_value(ticket).unwrap()
}

type Told = Vec<(u64, Result<Imported, Code>)>;

fn import(kit: &Kit, tickets: impl IntoIterator<Item = ImportTicket>) -> (ImportReport, Told) {
    let mut told = Vec::new();
    let tell = |n, result: Result<Imported, Error>| told.push((n, result.map_err(|it| it.code())));
    let actor = kit.actor("import");
    let report = block_on(kit.desk.engine().import_tickets(&actor, tickets, at(AT), tell)).unwrap();
    (report, told)
}

fn count(kit: &Kit) -> u64 {
    match kit.ask("sys", json!({"type": "count_tickets"}), at(AT)).unwrap() {
        Answer::Count(Counted { n, .. }) => n,
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_tickets_are_imported_once_and_told_in_order() {
    const N: u64 = IMPORT_GROUP_MAX as u64 * 2 + 10;
    for store in stores() {
        let kit = desk(store);
        let (report, told) = import(&kit, (1..=N).map(|n| old(&kit, n)));
        assert_eq!((report.n_imported, report.n_existed, report.n_refused), (N - 1, 0, 1));
        assert!(told.iter().map(|(n, _)| *n).eq(0..N));
        let refused = told.iter().filter_map(|(n, it)| Some((*n, *it.as_ref().err()?)));
        assert_eq!(refused.collect::<Vec<_>>(), [(12, Code::NotConfigured)]);
        let numbers = told.iter().filter_map(|(_, it)| it.as_ref().ok()?.number.clone());
        assert_eq!(numbers.collect::<BTreeSet<_>>().len() as u64, N - 1, "a number twice");
        let fifth = told[4].1.as_ref().unwrap().number.as_ref().unwrap();
        assert_eq!(fifth.to_string(), "OLD-5");
        assert_eq!(count(&kit), N - 1);
        state::check_laws(&*kit.store, TENANT);

        // Once more, from the beginning: what is there is not imported twice.
        let before = state::dump(&*kit.store, TENANT);
        let (again, told_again) = import(&kit, (1..=N).map(|n| old(&kit, n)));
        assert_eq!((again.n_imported, again.n_existed, again.n_refused), (0, N - 1, 1));
        let ids = |told: &Told| -> Vec<_> {
            told.iter().map(|(_, it)| it.as_ref().ok().map(|it| it.ticket)).collect()
        };
        assert_eq!(ids(&told), ids(&told_again));
        assert_eq!(state::dump(&*kit.store, TENANT), before);
    }
}

#[test]
fn a_group_does_what_one_ticket_after_the_other_does() {
    const N: u64 = 40;
    let [one, other] = stores();
    let (mut single, group) = (desk(one), desk(other));
    for n in (1..=N).filter(|n| *n != 13) {
        let ticket = serde_json::to_value(old(&single, n)).unwrap();
        let mut command = json!({"type": "import_ticket"});
        crate::kit::merge(&mut command, ticket);
        single.execute("import", command, at(AT)).unwrap();
    }
    import(&group, (1..=N).filter(|n| *n != 13).map(|n| old(&group, n)));
    let shown = |kit: &Kit| {
        let list = json!({"type": "list_tickets", "limit": 100});
        let mut rows = serde_json::to_value(kit.ask("sys", list, at(AT)).unwrap()).unwrap();
        let rows = rows["rows"].as_array_mut().unwrap();
        // Ids derive from the commands'.
        for row in &mut *rows {
            for id in ["id", "requester", "number"] {
                row.as_object_mut().unwrap().remove(id);
            }
        }
        let mut rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
        rows.sort();
        rows
    };
    assert_eq!(shown(&single), shown(&group));
}

#[test]
fn an_import_takes_a_group_at_a_time_from_its_source() {
    let kit = desk(stores()[0].clone());
    let (taken, done) = (Cell::new(0), Cell::new(0));
    let tickets = (1..=600).map(|n| {
        taken.set(n);
        let ahead = n - done.get();
        assert!(ahead <= IMPORT_GROUP_MAX as u64 + 1, "{ahead} tickets in memory");
        ImportTicket { messages: Vec::new(), ..old(&kit, n) }
    });
    let tell = |n, _: Result<Imported, Error>| done.set(n + 1);
    let actor = kit.actor("import");
    block_on(kit.desk.engine().import_tickets(&actor, tickets, at(AT), tell)).unwrap();
    assert_eq!((taken.get(), done.get()), (600, 600));
}

#[test]
fn engines_that_import_the_same_at_once_import_it_once() {
    const N: u64 = 60;
    for shared in [Shared::sqlite(), Shared::postgres()] {
        let kit = desk(shared.open());
        let names = &kit.names;
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let mut other = Kit::bare(shared.open());
                other.names = names.clone();
                scope.spawn(move || {
                    let (report, _) = import(&other, (1..=N).map(|n| old(&other, n)));
                    assert_eq!(report.n_imported + report.n_existed, N - 1);
                });
            }
        });
        assert_eq!(count(&kit), N - 1);
        state::check_laws_but_time(&*kit.store, TENANT);
    }
}

#[test]
fn only_who_may_imports() {
    let kit = desk(stores()[0].clone());
    let actor = kit.actor("amy");
    let import = kit.desk.engine().import_tickets(&actor, [old(&kit, 1)], at(AT), |_, _| ());
    assert_eq!(block_on(import).unwrap_err().code(), Code::Forbidden);
    assert_eq!(count(&kit), 0);
}
