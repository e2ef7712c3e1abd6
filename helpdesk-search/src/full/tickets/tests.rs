//! What an index of tickets does.

mod laws;

use super::*;
use helpdesk_core::access::scope::ScopeFacts;
use helpdesk_core::id::{AgentId, ContactId, Key, OrganizationId};
use std::collections::BTreeSet;
use tempfile::TempDir;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

fn id(n: u128) -> TicketId {
    TicketId(Uuid::from_u128(n))
}

fn contact(n: u128) -> ContactId {
    ContactId(Uuid::from_u128(n))
}

fn of_requester(n: u128) -> ScopeFacts {
    ScopeFacts {
        requester: contact(n),
        on_copy: Vec::new(),
        organization: None,
        group: None,
        assignee: None,
    }
}

/// A ticket of contact 1; a text that begins with `!` is internal.
fn ticket(n: u128, subject: &str, messages: &[&str]) -> TicketText {
    let message = |text: &&str| MessageText {
        is_internal: text.starts_with('!'),
        text: text.trim_start_matches('!').to_owned(),
    };
    TicketText {
        id: id(n),
        language: Some("en".to_owned()),
        subject: subject.to_owned(),
        messages: messages.iter().map(message).collect(),
        scope: of_requester(1),
    }
}

fn patient() -> IndexOptions {
    IndexOptions::default().with_window(std::time::Duration::from_secs(3600))
}

fn upserts(tickets: &[TicketText]) -> Vec<TicketChange> {
    tickets.iter().map(|ticket| TicketChange::Upsert(TENANT, ticket.clone())).collect()
}

fn index_of(tickets: &[TicketText]) -> TicketIndex {
    let index = TicketIndex::in_memory(&patient()).unwrap();
    index.apply(&upserts(tickets)).unwrap();
    index.commit().unwrap();
    index
}

fn words(all: &[&str], none: &[&str]) -> TextQuery {
    let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    TextQuery { all: own(all), none: own(none) }
}

fn agent(text: TextQuery) -> TicketQuery {
    TicketQuery::new(TENANT, text).read_by(Scope::All).with_notes(Scope::All)
}

fn ids(hits: &TicketHits) -> Vec<u128> {
    hits.hits.iter().map(|hit| hit.id.0.as_u128()).collect()
}

fn found(index: &TicketIndex, all: &[&str], none: &[&str]) -> BTreeSet<u128> {
    let hits = index.search(&agent(words(all, none)).with_page(0, PAGE_MAX)).unwrap();
    assert_eq!(hits.total, hits.hits.len());
    ids(&hits).into_iter().collect()
}

#[test]
fn each_word_and_phrase_must_be_there_in_whatever_message() {
    let index = index_of(&[
        ticket(1, "Refund", &["My invoices are wrong.", "I want my money\nback, please."]),
        ticket(2, "Refunds", &["The money is back."]),
        ticket(3, "Invoice", &["back to the money"]),
    ]);
    assert_eq!(found(&index, &["refunded", "invoice"], &[]), [1].into());
    assert_eq!(found(&index, &["money back"], &[]), [1].into());
    assert_eq!(found(&index, &["money", "back"], &[]), [1, 2, 3].into());
    assert_eq!(found(&index, &["money", "back"], &["money back"]), [2, 3].into());
    assert_eq!(found(&index, &[], &["refund"]), [3].into());
    assert_eq!(found(&index, &["money", "lamp"], &[]), [].into());
    assert_eq!(found(&index, &["money"], &["lamp"]), [1, 2, 3].into());
    // What says nothing by itself need not be there, but inside a phrase.
    assert_eq!(found(&index, &["the", "refund"], &[]), [1, 2].into());
    assert_eq!(found(&index, &["the money"], &[]), [2, 3].into());
    assert_eq!(found(&index, &["the"], &[]), [2, 3].into());
}

#[test]
fn a_phrase_ends_with_its_message_and_its_paragraph() {
    let index = index_of(&[
        ticket(1, "money", &["back"]),
        ticket(2, "", &["my money", "back then"]),
        ticket(3, "", &["my money\n\nback then"]),
        ticket(4, "", &["my money\nback then"]),
    ]);
    assert_eq!(found(&index, &["money back"], &[]), [4].into());
}

#[test]
fn internal_texts_are_searched_for_those_who_may_read_them() {
    let index = index_of(&[
        ticket(1, "Lamp", &["It flickers.", "!A known swindler."]),
        ticket(2, "Lamp", &["It is a swindler's lamp."]),
    ]);
    let ask = |query: TicketQuery| index.search(&query).unwrap();
    let agent = ask(agent(words(&["swindler"], &[])));
    assert_eq!((agent.total, ids(&agent).into_iter().max()), (2, Some(2)));
    let requester = || TicketQuery::new(TENANT, words(&["swindler"], &[]));
    let own = ask(requester().read_by(Scope::Requester(contact(1))));
    assert_eq!(ids(&own), [2]);
    assert_eq!(ask(requester().read_by(Scope::Requester(contact(9)))).total, 0);
    let lamp = TicketQuery::new(TENANT, words(&["flickering"], &[]));
    let hits = ask(lamp.read_by(Scope::Requester(contact(1))));
    assert_eq!(hits.hits[0].snippet.text, "It flickers.");
    assert_eq!(hits.hits[0].snippet.marked(), ["flickers"]);
}

#[test]
fn an_answer_shows_where_the_words_stand() {
    let index = index_of(&[ticket(1, "Broken lamp", &["The lamp\nin room 7 is broken."])]);
    let hit = index.search(&agent(words(&["lamps", "room"], &[]))).unwrap().hits.remove(0);
    assert_eq!(hit.snippet.text, "The lamp in room 7 is broken.");
    assert_eq!(hit.snippet.marked(), ["lamp", "room"]);
    let why: Vec<_> = hit.why.iter().map(|w| (w.word.as_str(), w.in_title, w.in_body)).collect();
    assert_eq!(why, [("lamps", true, true), ("room", false, true)]);
}

#[test]
fn what_was_removed_from_a_ticket_is_not_found() {
    let index = index_of(&[ticket(1, "Card", &["My number is 4111.", "Thanks"])]);
    assert_eq!(found(&index, &["4111"], &[]), [1].into());
    index.apply(&upserts(&[ticket(1, "Card", &["", "Thanks"])])).unwrap();
    index.commit().unwrap();
    assert_eq!(found(&index, &["4111"], &[]), [].into());
    assert_eq!(found(&index, &["thanks"], &[]), [1].into());
    index.apply(&[TicketChange::Delete(TENANT, id(1))]).unwrap();
    index.commit().unwrap();
    assert_eq!(found(&index, &["thanks"], &[]), [].into());
}

#[test]
fn checkpoints_are_kept_with_the_changes_before_them() {
    let folder = TempDir::new().unwrap();
    let other = TenantId(Uuid::from_u128(2));
    {
        let index = TicketIndex::open(folder.path(), &patient()).unwrap();
        index.apply(&upserts(&[ticket(1, "Lamp", &[])])).unwrap();
        index.apply(&[TicketChange::Reached(TENANT, 7), TicketChange::Reached(other, 3)]).unwrap();
        assert_eq!(index.status().reached, [].into());
        assert_eq!(index.reached(), [(TENANT, 7), (other, 3)].into());
        index.commit().unwrap();
    }
    let index = TicketIndex::open(folder.path(), &patient()).unwrap();
    assert_eq!(index.status().reached, [(TENANT, 7), (other, 3)].into());
    assert_eq!(found(&index, &["lamps"], &[]), [1].into());
}

#[test]
fn a_rebuilt_index_has_what_it_was_given_and_what_came_meanwhile() {
    let folder = TempDir::new().unwrap();
    let index = TicketIndex::open(folder.path(), &patient()).unwrap();
    index.apply(&upserts(&[ticket(1, "Lamp", &[]), ticket(2, "Lamp", &[])])).unwrap();
    index.commit().unwrap();
    let rebuild = index.begin_rebuild().unwrap();
    assert!(matches!(index.begin_rebuild(), Err(SearchError::Rebuilding)));
    rebuild.add(TENANT, vec![ticket(2, "Lamp", &[]), ticket(3, "Lamp", &[])]).unwrap();
    index.apply(&upserts(&[ticket(4, "Lamp", &[])])).unwrap();
    index.apply(&[TicketChange::Reached(TENANT, 9)]).unwrap();
    assert_eq!(found(&index, &["lamp"], &[]), [1, 2].into());
    rebuild.finish().unwrap();
    assert_eq!(found(&index, &["lamp"], &[]), [2, 3, 4].into());
    assert_eq!(index.status().reached, [(TENANT, 9)].into());
    // One that is dropped changes nothing.
    drop(index.begin_rebuild().unwrap());
    assert!(!index.status().is_rebuilding);
    drop(index);
    let index = TicketIndex::open(folder.path(), &patient()).unwrap();
    assert_eq!(found(&index, &["lamp"], &[]), [2, 3, 4].into());
}

#[test]
fn similar_tickets_are_found_by_the_words_that_say_the_most() {
    let index = index_of(&[
        ticket(1, "Router is offline", &["The router in the office has been offline since noon."]),
        ticket(2, "Router offline again", &["It went offline, the light blinks red."]),
        ticket(3, "Invoice", &["The invoice is wrong.", "!router"]),
    ]);
    let text = "Our router went offline since this morning";
    let hits = index.similar(&agent(TextQuery::default()), text, Some(id(1))).unwrap();
    assert_eq!(ids(&hits), [2, 3]);
    let requester = TicketQuery::new(TENANT, TextQuery::default());
    let hits = index.similar(&requester.read_by(Scope::All), text, None).unwrap();
    assert!(!ids(&hits).contains(&3) || !hits.hits.iter().any(|h| h.snippet.text == "router"));
}

#[test]
fn long_tickets_are_read_up_to_their_limit() {
    let long = format!("first {} last", "filler ".repeat(TICKET_TEXT_BYTES_MAX / 7 + 1));
    let index = index_of(&[ticket(1, "Long", &[&long])]);
    assert_eq!(found(&index, &["first"], &[]), [1].into());
    assert_eq!(found(&index, &["last"], &[]), [].into());
    assert!(!ticket_has(&ticket(1, "Long", &[&long]), &words(&["last"], &[]), true));
}

#[test]
fn every_kind_of_scope_is_asked_of_the_index() {
    let scope = |n: u128| ScopeFacts {
        requester: contact(n),
        on_copy: vec![contact(10 + n)],
        organization: Some(OrganizationId(Uuid::from_u128(n))),
        group: (n > 1).then(|| Key::new(if n == 2 { "billing" } else { "support" }).unwrap()),
        assignee: (n == 3).then(|| AgentId(Uuid::from_u128(5))),
    };
    let tickets: Vec<TicketText> =
        (1..=3).map(|n| TicketText { scope: scope(n), ..ticket(n, "Lamp", &[]) }).collect();
    let index = index_of(&tickets);
    let keys = |key: &str| Scope::Groups([Key::new(key).unwrap()].into());
    let organization = OrganizationId(Uuid::from_u128(2));
    for (reads, expected) in [
        (Scope::None, vec![]),
        (Scope::All, vec![1, 2, 3]),
        (Scope::Requester(contact(2)), vec![2]),
        (Scope::Participant(contact(13)), vec![3]),
        (Scope::Organizations([organization].into()), vec![2]),
        (keys("billing"), vec![2]),
        (Scope::NoGroup, vec![1]),
        (Scope::Assigned(AgentId(Uuid::from_u128(5))), vec![3]),
        (Scope::And(vec![keys("support"), Scope::Requester(contact(2))]), vec![]),
        (Scope::Or(vec![keys("support"), Scope::NoGroup]), vec![1, 3]),
    ] {
        let query = TicketQuery::new(TENANT, words(&["lamp"], &[])).read_by(reads.clone());
        assert_eq!(ids(&index.search(&query).unwrap()), expected, "{reads:?}");
    }
}
