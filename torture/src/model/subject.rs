//! A store beside the model: each call is made, its answer compared, and everything
//! that the store holds.

use super::Fresh;
use super::change::{command_id, thing, unique};
use super::reference::{Answer, Call, End, Model, TENANTS, at};
use super::step::{N_THINGS, Step};
use crate::place::Place;
use helpdesk::block_on;
use helpdesk::core::case::record::RecordKey;
use helpdesk::core::event::{Recorded, StreamId, StreamKind};
use helpdesk::core::id::{TenantId, TicketId};
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, Committed, EventQuery, EventSource, ListKind, ListQuery,
    Settle, SettleHow, Shelf, Store, StoreError, StoreExt,
};
use proptest_state_machine::StateMachineTest;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows of a page: few, so that lists have several.
const PAGE: usize = 2;
/// How long the feed may take to show what was committed.
const FEED_LAG_MAX: Duration = Duration::from_secs(5);
/// When everything is due.
const LATE: i64 = 1_000_000;
/// Leases that the last claims take at once.
const CLAIM_MAX: usize = 1_000;

/// Stores of one backend against the model.
#[derive(Debug)]
pub(super) struct Against<F>(PhantomData<F>);

/// A store under test.
#[derive(Debug)]
pub(super) struct Subject {
    place: Box<dyn Place>,
    /// `None` only while it is opened again.
    store: Option<Arc<dyn Store>>,
}

impl Subject {
    fn store(&self) -> &dyn Store {
        &**self.store.as_ref().unwrap()
    }
}

impl<F: Fresh> StateMachineTest for Against<F> {
    type SystemUnderTest = Subject;
    type Reference = Model;

    fn init_test(_: &Model) -> Subject {
        let place = F::fresh();
        let store = Some(place.open().unwrap());
        Subject { place, store }
    }

    fn apply(mut subject: Subject, model: &Model, _: Step) -> Subject {
        let (call, answer) = &model.last;
        if let Call::Reopen = call {
            subject.store = None;
            subject.place.check();
            subject.store = Some(subject.place.open().unwrap());
        }
        assert_eq!(made(subject.store(), call), *answer, "answered to {call:#?}");
        subject
    }

    fn check_invariants(subject: &Subject, model: &Model) {
        for tenant in TENANTS {
            check_records(subject.store(), model, tenant);
            check_journal(subject.store(), model, tenant);
        }
        let mut peeking = model.clone();
        for what in [ClaimWhat::Timers, ClaimWhat::Outbox] {
            for tenants in [None, Some(vec![TENANTS[0]]), Some(vec![TENANTS[1]])] {
                // A claim of nothing only tells when the next one is due.
                let mut params = ClaimParams::new(what, at(0), 0);
                params.tenants = tenants;
                check_call(subject.store(), &mut peeking, &Call::Claim(params));
            }
        }
    }

    /// Takes out everything that is to be done, in order: timers at once, messages
    /// lane by lane.
    fn teardown(subject: Subject, mut model: Model) {
        for what in [ClaimWhat::Timers, ClaimWhat::Outbox] {
            loop {
                let claim = Call::Claim(ClaimParams::new(what, at(LATE), CLAIM_MAX));
                let answer = check_call(subject.store(), &mut model, &claim);
                let Answer::Claimed(claimed) = answer else { panic!("no claim: {answer:?}") };
                if claimed.leases.is_empty() {
                    break;
                }
                let done = |lease: &helpdesk_storage::Lease| Settle {
                    token: lease.token,
                    now: at(LATE),
                    how: SettleHow::Done,
                };
                let settles = Call::Settle(claimed.leases.iter().map(done).collect());
                check_call(subject.store(), &mut model, &settles);
            }
        }
    }
}

/// Makes a call of both, which must answer the same.
fn check_call(store: &dyn Store, model: &mut Model, call: &Call) -> Answer {
    let answer = model.answer(call);
    assert_eq!(made(store, call), answer, "answered to {call:#?}");
    answer
}

/// What a store answers.
fn made(store: &dyn Store, call: &Call) -> Answer {
    match call {
        Call::Nothing | Call::Reopen => Answer::Nothing,
        Call::Commit(change) => {
            let end = block_on(store.commit(ChangeSet::clone(change)));
            Answer::Commits(vec![end_of(change, end)])
        }
        Call::CommitMany(changes) => {
            let ends = block_on(store.commit_many(changes.clone()));
            assert_eq!(ends.len(), changes.len());
            Answer::Commits(
                changes.iter().zip(ends).map(|(change, end)| end_of(change, end)).collect(),
            )
        }
        Call::Claim(params) => Answer::Claimed(block_on(store.claim(params)).unwrap()),
        Call::Settle(settles) => {
            let results = block_on(store.settle(settles.clone())).unwrap();
            let stood = |result: Result<(), StoreError>| match result {
                Ok(()) => true,
                Err(StoreError::StaleLease) => false,
                Err(error) => panic!("{error}"),
            };
            Answer::Settled(results.into_iter().map(stood).collect())
        }
        Call::Maintain(maintain) => {
            Answer::Rows(block_on(store.maintain(maintain)).unwrap().n_rows)
        }
    }
}

fn end_of(change: &ChangeSet, end: Result<Committed, StoreError>) -> End {
    match end {
        Ok(Committed { replayed: Some(record), .. }) => End::Replayed(record),
        Ok(committed) => {
            assert_eq!(committed.position.is_some(), !change.events.is_empty());
            End::Done(committed.versions)
        }
        Err(StoreError::Conflict(conflict)) => End::Conflict(conflict),
        Err(StoreError::DuplicateKey { key }) => End::Duplicate(key),
        Err(StoreError::KeyReused { command_id }) => End::KeyReused(command_id),
        Err(StoreError::StaleLease) => End::StaleLease,
        Err(StoreError::NotAfter { commit_id }) => End::NotAfter(commit_id),
        Err(StoreError::Invalid { .. }) => End::Invalid,
        Err(error) => panic!("{error}: {error:?}"),
    }
}

/// Every record, by key and in lists.
fn check_records(store: &dyn Store, model: &Model, tenant: TenantId) {
    let mut keys: Vec<RecordKey> = (0..N_THINGS).map(|n| RecordKey::Stream(thing(n))).collect();
    keys.extend((0..3).map(|k| RecordKey::Unique(unique(k))));
    keys.extend((0..6).map(|n| RecordKey::Command(command_id(n))));
    let tickets: Vec<TicketId> = (0..N_THINGS).step_by(3).map(|n| TicketId(thing(n).id)).collect();
    keys.extend(tickets.iter().flat_map(|it| (1..4).map(|seq| RecordKey::Message(*it, seq))));
    let found = block_on(store.get(tenant, &keys)).unwrap();
    for (key, found) in keys.iter().zip(found) {
        let found = found.map(|stored| (stored.version, stored.record));
        assert_eq!(found, model.find(tenant, key), "{key:?} of {tenant}");
    }
    for kind in [StreamKind::Case, StreamKind::Contact, StreamKind::Article] {
        let of = |(id, stream): &(TenantId, StreamId)| *id == tenant && stream.kind == kind;
        let known = model.records.iter().filter(|(key, _)| of(key));
        let wanted: Vec<_> =
            known.map(|(_, (version, record))| (*version, record.clone())).collect();
        assert_eq!(listed(store, tenant, ListKind::Things(kind)), wanted, "{kind:?} of {tenant}");
        if kind == StreamKind::Case {
            let kind = ListKind::Cases(Shelf::All);
            assert_eq!(listed(store, tenant, kind).len(), wanted.len(), "cases of {tenant}");
        }
    }
    let mut dead: Vec<_> = model.dead.iter().filter(|(of, ..)| *of == tenant).collect();
    dead.sort_by_key(|(_, dead, _)| (dead.died_at, dead.message.id));
    let dead = dead.iter().map(|(_, dead, _)| RecordKey::DeadLetter(dead.message.id));
    let wanted: Vec<_> = dead.filter_map(|key| model.find(tenant, &key)).collect();
    assert_eq!(listed(store, tenant, ListKind::DeadLetters), wanted, "dead letters of {tenant}");
}

fn listed(
    store: &dyn Store,
    tenant: TenantId,
    kind: ListKind,
) -> Vec<(u64, helpdesk::core::case::record::Record)> {
    let query = ListQuery::all(tenant, kind, at(0), PAGE);
    let rows = block_on(store.list_all(query)).unwrap();
    rows.into_iter().map(|stored| (stored.version, stored.record)).collect()
}

/// The feed, once it shows so many entries: where commits run side by side it may show
/// one a little later.
fn feed(store: &dyn Store, tenant: TenantId, n_entries: usize) -> Vec<Recorded> {
    let began = Instant::now();
    loop {
        let source = EventSource::Feed { after: 0, kinds: Vec::new() };
        let rows = block_on(store.events(&EventQuery::new(tenant, source, 1_000))).unwrap().rows;
        if rows.len() >= n_entries || began.elapsed() > FEED_LAG_MAX {
            return rows;
        }
    }
}

/// The journal, as the feed and by stream; positions grow.
fn check_journal(store: &dyn Store, model: &Model, tenant: TenantId) {
    let n_entries = model.journal.iter().filter(|(of, ..)| *of == tenant).count();
    let feed = feed(store, tenant, n_entries);
    assert!(feed.is_sorted_by(|a, b| a.position < b.position), "positions do not grow");
    let end = feed.last().map_or(0, |last| last.position);
    assert_eq!(block_on(store.feed_end(tenant)).unwrap(), end, "the feed of {tenant} ends");
    // After a purge the last place may stay, as one of no ticket.
    let mut wanted = feed.iter().filter(|row| row.entry.stream.id.is_nil()).count();
    assert!(wanted <= 1, "{wanted} places of no ticket");
    for stream in (0..N_THINGS).map(thing) {
        let own =
            model.journal.iter().filter(|(of, _, event)| (*of, event.stream) == (tenant, stream));
        let own: Vec<_> = own.map(|(_, n, event)| (*n, event.clone())).collect();
        let rows = |rows: Vec<Recorded>| -> Vec<_> {
            rows.into_iter().map(|row| (row.n, row.entry)).collect()
        };
        let in_feed = feed.iter().filter(|row| row.entry.stream == stream).cloned().collect();
        assert_eq!(rows(in_feed), own, "{stream:?} of {tenant} in the feed");
        let history = block_on(store.history(tenant, stream)).unwrap();
        assert_eq!(rows(history), own, "{stream:?} of {tenant}");
        wanted += own.len();
    }
    assert_eq!(feed.len(), wanted, "entries of {tenant}");
}
