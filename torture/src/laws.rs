//! What must hold of a desk, whatever happened to it.

use crate::office::{Acked, TENANT, text_of};
use chrono::{DateTime, Utc};
use helpdesk::block_on;
use helpdesk::core::actor::Author;
use helpdesk::core::case::Case;
use helpdesk::core::case::record::{Record, RecordKey, Stored};
use helpdesk::core::clock::ClockNews;
use helpdesk::core::desk::Desk;
use helpdesk::core::effect::Effect;
use helpdesk::core::event::{Cause, Event, Recorded, StatusWhy, StreamId};
use helpdesk::core::id::{CommandId, TicketId};
use helpdesk::core::ticket::message::MessageKind;
use helpdesk::notify::Notification;
use helpdesk_storage::{ListKind, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that a store holds, and the laws of any desk: the desk's own tests have them.
#[path = "../../tests/desk/state.rs"]
#[expect(dead_code, reason = "the desk's tests need more of it")]
pub(crate) mod state;

/// The laws of any moment: the journal folds to the records, loads are sums of
/// shares, no ticket has two owners, nobody is given more than there is room for,
/// numbers and texts are unique, timers took effect once.
pub(crate) fn check(store: &dyn Store) {
    state::check_laws_but_time(store, TENANT);
    let cases = state::cases(store, TENANT);
    let numbers: BTreeSet<_> = cases.iter().map(|case| case.ticket.number.to_string()).collect();
    assert_eq!(numbers.len(), cases.len(), "a number was given twice");
    check_texts(store, &cases);
    check_timers(&state::journal(store, TENANT));
}

/// No command wrote its text twice.
fn check_texts(store: &dyn Store, cases: &[Case]) {
    let mut texts = BTreeSet::new();
    for case in cases {
        for stored in state::list(store, TENANT, ListKind::Messages(case.ticket.id)) {
            let Record::Message(message) = stored.record else { panic!("no message: {stored:?}") };
            assert!(texts.insert(message.text.clone()), "written twice: {message:?}");
        }
    }
}

/// What timers did, they did once: an offer expires and a snooze ends as often as
/// there was one, a clock breaches once in a cycle and once for a target. They did it
/// at their time, or at that of the ticket's latest event where clocks differ.
fn check_timers(journal: &[Recorded]) {
    let mut until: BTreeMap<(StreamId, &str), DateTime<Utc>> = BTreeMap::new();
    let mut latest: BTreeMap<StreamId, DateTime<Utc>> = BTreeMap::new();
    let mut breached = BTreeSet::new();
    for row in journal {
        let (stream, at) = (row.entry.stream, row.entry.at);
        let before = latest.get(&stream).copied().unwrap_or(at);
        let fires_at = |due: Option<DateTime<Utc>>| due.map(|due| due.max(before));
        let by_timer = matches!(row.entry.origin.cause, Cause::Timer { .. });
        match &row.entry.event {
            Event::Snoozed { until: to } => {
                until.insert((stream, "snooze"), *to);
            }
            Event::Woken => {
                let due = until.remove(&(stream, "snooze"));
                assert!(!by_timer || fires_at(due) == Some(at), "woken twice or late: {row:?}");
            }
            Event::Offered { expires_at, .. } => {
                let before = until.insert((stream, "offer"), *expires_at);
                assert_eq!(before, None, "offered twice: {row:?}");
            }
            Event::OfferEnded { .. } => {
                let due = until.remove(&(stream, "offer"));
                assert!(due.is_some(), "an offer ended twice: {row:?}");
            }
            Event::StatusSet { why: StatusWhy::AutoClosed, .. } => {
                let due = until.remove(&(stream, "close"));
                assert_eq!(fires_at(due), Some(at), "closed twice or late: {row:?}");
            }
            Event::StatusSet { auto_close_at, .. } => {
                match auto_close_at {
                    Some(due) => until.insert((stream, "close"), *due),
                    None => until.remove(&(stream, "close")),
                };
            }
            Event::ClockChanged { change } => {
                let clock = &change.clock;
                let target = (clock.cycle, clock.target_rev, clock.breach_at);
                let is_breach = matches!(change.news, ClockNews::Breached { .. });
                let is_new = !is_breach || breached.insert((stream, clock.metric.clone(), target));
                assert!(is_new, "breached twice: {row:?}");
            }
            _ => {}
        }
        latest.insert(stream, at.max(before));
    }
}

/// What was said to be done is done, and is not done twice.
pub(crate) fn check_acked(store: &dyn Store, acked: &[Acked]) {
    for Acked { id, message } in acked {
        let mut keys = vec![RecordKey::Command(*id)];
        keys.extend(message.map(|(ticket, seq)| RecordKey::Message(ticket, seq)));
        let found = block_on(store.get(TENANT, &keys)).unwrap();
        assert!(found[0].is_some(), "acked and lost: {id}");
        if let Some(found) = found.get(1) {
            let Some(Record::Message(message)) = found.as_ref().map(|found| &found.record) else {
                panic!("acked and lost: the message of {id}")
            };
            assert_eq!(message.text, text_of(*id));
        }
    }
}

/// How many of the commands that were acked are not there.
pub(crate) fn n_lost(store: &dyn Store, acked: &[Acked]) -> usize {
    let keys: Vec<RecordKey> = acked.iter().map(|acked| RecordKey::Command(acked.id)).collect();
    let found = block_on(store.get(TENANT, &keys)).unwrap();
    found.iter().filter(|found| found.is_none()).count()
}

/// What was refused is not done.
pub(crate) fn check_refused(store: &dyn Store, ids: &[CommandId]) {
    let keys: Vec<RecordKey> = ids.iter().map(|id| RecordKey::Command(*id)).collect();
    let found = block_on(store.get(TENANT, &keys)).unwrap();
    let done = ids.iter().zip(found).find(|(_, found)| found.is_some());
    assert!(done.is_none(), "refused and done: {done:?}");
}

/// Nothing that was due by then still stands: the other half of "exactly once".
pub(crate) fn check_nothing_due(store: &dyn Store, now: DateTime<Utc>) {
    for case in state::cases(store, TENANT) {
        let late = case.timers().into_iter().find(|(_, due_at)| *due_at <= now);
        assert_eq!(late, None, "a timer did not fire by {now}: {case:?}");
    }
}

/// Whoever could be given a waiting ticket has been given it.
pub(crate) fn check_nobody_waits(store: &dyn Store, now: DateTime<Utc>) {
    let desk = Desk::from_value(&crate::office::document()).unwrap();
    state::check_nobody_waits_in_vain(store, TENANT, &desk, now);
}

/// Every reply of an agent was delivered at least once, and nothing was delivered
/// that was not committed.
pub(crate) fn check_delivered(store: &dyn Store, delivered: &BTreeSet<(TicketId, u32)>) {
    let mut replies = BTreeSet::new();
    for row in state::journal(store, TENANT) {
        if let Event::Replied { message } = &row.entry.event
            && matches!(message.author, Author::Agent { .. })
            && message.kind == MessageKind::PublicReply
        {
            replies.insert((TicketId(row.entry.stream.id), message.seq));
        }
    }
    let lost: Vec<_> = replies.difference(delivered).collect();
    assert!(lost.is_empty(), "never delivered: {lost:?}");
    let early: Vec<_> = delivered.difference(&replies).collect();
    assert!(early.is_empty(), "delivered and not committed: {early:?}");
}

/// The reply that a notification carries, if it does.
pub(crate) fn reply_of(notification: &Notification) -> Option<(TicketId, u32)> {
    match &notification.effect {
        Effect::SendReply { ticket, seq, .. } => Some((*ticket, *seq)),
        _ => None,
    }
}

/// The cases of a list.
pub(crate) fn cases_of(rows: Vec<Stored>) -> Vec<Case> {
    let case = |stored: Stored| match stored.record {
        Record::Case(case) => Some(*case),
        _ => None,
    };
    rows.into_iter().filter_map(case).collect()
}
