//! What is said of a command when the store fails: that nothing changed only where that is so.

use crate::faulty::{Fate, Faulty};
use crate::kit::{Kit, TENANT, at, mail};
use helpdesk::blocking::Helpdesk;
use helpdesk::core::case::record::RecordKey;
use helpdesk::core::fault::Code;
use helpdesk::core::id::CommandId;
use helpdesk::storage::StoreExt;
use helpdesk::{Call, Error, MemoryStore, Outcome, block_on};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

const AT: &str = "2026-11-20T09:00:00Z";
const ID: CommandId = CommandId(Uuid::from_u128(0xD0));

/// A desk with three tickets, and another engine whose store can fail.
fn desks() -> (Kit, Helpdesk, Arc<Faulty>) {
    let memory = Arc::new(MemoryStore::default());
    let mut kit = Kit::new(memory.clone(), json!({"agents": {"amy": {"online": true}}}));
    for name in ["anna", "bob", "cleo"] {
        kit.run(&[(AT, mail(&format!("{name}@acme.com"), "A", "a"))]);
    }
    let faulty = Faulty::new(memory);
    let engine = helpdesk::Helpdesk::builder().with_shared_store(faulty.clone()).build().unwrap();
    let desk = Helpdesk::from(engine);
    // The engine knows the tenant.
    desk.tick(at(AT), 0).unwrap();
    (kit, desk, faulty)
}

fn give(kit: &Kit, desk: &Helpdesk, command: &Value) -> Result<Outcome, Error> {
    desk.execute(&kit.actor("sys"), Call::new(ID, kit.command(command.clone())), at(AT))
}

/// On all three tickets.
fn many() -> Value {
    let changes = json!([{"type": "add_tags", "tags": ["vip"]}]);
    json!({"type": "apply_changes_to_many", "tickets": ["#1", "#2", "#3"], "changes": changes})
}

fn is_done(kit: &Kit) -> bool {
    block_on(kit.store.get_one(TENANT, RecordKey::Command(ID))).unwrap().is_some()
}

#[test]
fn a_commit_whose_end_is_unknown_stays_so_when_the_server_is_gone() {
    for (fate, done) in [(Fate::DoneThenDown, true), (Fate::LostThenDown, false)] {
        let (kit, desk, faulty) = desks();
        let note = json!({"type": "add_note", "ticket": "#1", "text": "n"});
        faulty.faults().commits.extend([fate]);
        let error = give(&kit, &desk, &note).unwrap_err();
        assert_eq!((error.code(), is_done(&kit)), (Code::OutcomeUnknown, done), "{error}");
        // Nothing is known of it either while the server is gone; then the same id tells.
        let error = give(&kit, &desk, &note).unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "this call did nothing");
        faulty.faults().is_down = false;
        assert_eq!(give(&kit, &desk, &note).unwrap().replayed, done);
    }
}

#[test]
fn a_server_that_goes_in_the_middle_of_many_tickets_is_no_word_that_nothing_changed() {
    let many = many();
    let (kit, desk, faulty) = desks();
    faulty.faults().commits.extend([Fate::Done, Fate::LastBeforeDown]);
    let error = give(&kit, &desk, &many).unwrap_err();
    assert_eq!(error.code(), Code::OutcomeUnknown, "two of three are done: {error}");
    let error = give(&kit, &desk, &many).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "none was done now: {error}");
    faulty.faults().is_down = false;
    let outcome = give(&kit, &desk, &many).unwrap();
    let replayed: Vec<bool> = outcome.each.iter().map(|it| it.replayed).collect();
    assert_eq!((replayed, outcome.replayed), (vec![true, true, false], false));
}

#[test]
fn parts_that_may_be_done_are_not_said_to_have_changed_nothing() {
    for (fate, done) in [(Fate::DoneThenDown, true), (Fate::LostThenDown, false)] {
        let (kit, desk, faulty) = desks();
        let many = many();
        faulty.faults().commits.extend([fate]);
        let error = give(&kit, &desk, &many).unwrap_err();
        assert_eq!(error.code(), Code::OutcomeUnknown, "the first may be done: {error}");
        faulty.faults().is_down = false;
        let outcome = give(&kit, &desk, &many).unwrap();
        let replayed: Vec<bool> = outcome.each.iter().map(|it| it.replayed).collect();
        assert_eq!(replayed, [done, false, false]);
    }
}

#[test]
fn a_part_whose_end_stays_unknown_is_not_said_to_have_failed() {
    for tickets in [json!(["#1"]), json!(["#1", "#2", "#3"])] {
        let (kit, desk, faulty) = desks();
        faulty.faults().commits.extend([Fate::DoneThenTorn]);
        let mut many = many();
        many["tickets"] = tickets;
        let outcome = give(&kit, &desk, &many).unwrap();
        let error = outcome.each[0].error.as_ref().unwrap();
        assert_eq!(error.code, Code::OutcomeUnknown, "{error:?}");
        assert!(outcome.each[1..].iter().all(|it| it.error.is_none()));
    }
}

#[test]
fn a_server_that_goes_in_the_middle_of_an_erasure_is_no_word_that_nothing_changed() {
    let (kit, desk, faulty) = desks();
    let erase = json!({"type": "erase_person", "contact": "@anna"});
    faulty.faults().commits.extend([Fate::LastBeforeDown]);
    let error = give(&kit, &desk, &erase).unwrap_err();
    assert_eq!(error.code(), Code::OutcomeUnknown, "the contact is erased: {error}");
    faulty.faults().is_down = false;
    assert_eq!(give(&kit, &desk, &erase).unwrap().each.len(), 1);
}

#[test]
fn what_was_done_is_said_to_be_done_though_what_came_after_it_cannot_be_read() {
    let (mut kit, desk, faulty) = desks();
    let apply = json!({"type": "apply_config", "document": {"name": "Acme"}});
    let first = give(&kit, &desk, &apply).unwrap();
    // A program of a newer version goes on, in words that this one does not know.
    let next = json!({"type": "apply_config", "document": {"name": "Acme & Sons"}});
    kit.execute("sys", next, at(AT)).unwrap();
    faulty.faults().newer.insert(TENANT);
    let again = give(&kit, &desk, &apply).unwrap();
    assert_eq!((again.made, again.replayed), (first.made, true));
    let note = json!({"type": "add_note", "ticket": "#1", "text": "n"});
    let call = Call::new(CommandId(Uuid::from_u128(0xD1)), kit.command(note));
    let error = desk.execute(&kit.actor("sys"), call, at(AT)).unwrap_err();
    assert_eq!(error.code(), Code::Internal, "what is not done it cannot decide");
}
