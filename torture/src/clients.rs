//! Clients that commit and read at once see one order of commits, and lose none.
//!
//! As in Elle (Kingsbury and Alvaro, VLDB 2020), what each client did and saw is
//! compared with the chain of versions of each stream: each version is written once,
//! by a commit that was acked; chains have no gaps; the order of commits that the
//! chains give together has no cycle; each read is of one moment, and not of one
//! before what had been acked when it began.
//! Source: spec/storage.md, "Reliability suite", 2.

use crate::model::Fresh;
use crate::model::{Memory, Postgres, Sqlite};
use crate::office::start;
use crate::part::Setting;
use helpdesk::block_on;
use helpdesk::core::actor::ActorKind;
use helpdesk::core::case::record::{Record, RecordKey, Stored};
use helpdesk::core::contact::Contact;
use helpdesk::core::event::{Cause, Event, NewEvent, Origin, StreamId};
use helpdesk::core::id::{CommandId, ContactId, TenantId};
use helpdesk_storage::chaos::Dice;
use helpdesk_storage::{ChangeSet, Committed, Expect, Store, StoreError, StoreExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(0xE11E));
/// Streams: few, so that clients meet.
const N_STREAMS: usize = 4;
const N_CLIENTS: u64 = 3;
/// Commits that each client tries.
const N_COMMITS: u64 = 25;

/// The version of each stream.
type Versions = [u64; N_STREAMS];

/// What a client did and saw.
#[derive(Debug, Default)]
struct Seen {
    /// Each commit, with the versions that it wrote.
    acked: Vec<(CommandId, Vec<(StreamId, u64)>)>,
    /// What had been acked before each read, and what it read.
    reads: Vec<(Versions, Versions)>,
}

/// Runs clients on one store, and on a store of each on one place; how many commits
/// were acked.
pub(crate) fn run(seed: u64, _: &Setting) -> u64 {
    let memory = Memory::fresh().open().unwrap();
    let mut n_acked = check(&vec![memory; N_CLIENTS as usize], seed);
    let place = Sqlite::fresh();
    let shared = place.open().unwrap();
    n_acked += check(&vec![shared; N_CLIENTS as usize], seed);
    let place = Sqlite::fresh();
    let own: Vec<_> = (0..N_CLIENTS).map(|_| place.open().unwrap()).collect();
    n_acked + check(&own, seed)
}

/// The same on PostgreSQL.
pub(crate) fn run_postgres(seed: u64, _: &Setting) -> u64 {
    let place = Postgres::fresh();
    let own: Vec<_> = (0..N_CLIENTS).map(|_| place.open().unwrap()).collect();
    check(&own, seed)
}

/// One client for each of these stores, which are one.
fn check(stores: &[Arc<dyn Store>], seed: u64) -> u64 {
    let acked_to: [AtomicU64; N_STREAMS] = Default::default();
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let clients: Vec<_> = stores
            .iter()
            .zip(1..)
            .map(|(store, n)| {
                let acked_to = &acked_to;
                scope.spawn(move || work(&**store, n, seed, acked_to))
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    judge(&*stores[0], &seen);
    seen.iter().map(|seen| seen.acked.len() as u64).sum()
}

fn stream(n: usize) -> StreamId {
    StreamId::contact(ContactId(Uuid::from_u128(n as u128 + 1)))
}

/// Reads, adds one to what it read, commits; again and again.
fn work(store: &dyn Store, client: u64, seed: u64, acked_to: &[AtomicU64; N_STREAMS]) -> Seen {
    let mut dice = Dice::new(seed.wrapping_mul(31).wrapping_add(client));
    let mut seen = Seen::default();
    for n in 0..N_COMMITS {
        let floor: Versions = std::array::from_fn(|at| acked_to[at].load(Ordering::SeqCst));
        let found = read(store);
        seen.reads.push((floor, found));
        let first = dice.below(N_STREAMS as u64) as usize;
        let second = dice.below(N_STREAMS as u64) as usize;
        let streams: BTreeSet<usize> = [first, second].into();
        let id = CommandId(Uuid::from_u64_pair(client, 2 * n));
        let mut changes = vec![change(id, &streams, &found)];
        if dice.percent(30) {
            // A second one that builds on the first, in the same call.
            let id = CommandId(Uuid::from_u64_pair(client, 2 * n + 1));
            let next = std::array::from_fn(|at| found[at] + u64::from(streams.contains(&at)));
            changes.push(change(id, &[first].into(), &next));
        }
        for (change, end) in changes.iter().zip(commit(store, &changes)) {
            match end {
                Ok(committed) => {
                    for (of, version) in &committed.versions {
                        let at = (0..N_STREAMS).find(|at| stream(*at) == *of).unwrap();
                        acked_to[at].fetch_max(*version, Ordering::SeqCst);
                    }
                    seen.acked.push((change.commit_id, committed.versions));
                }
                Err(StoreError::Conflict(_)) => {}
                Err(StoreError::Unavailable { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    seen
}

fn commit(store: &dyn Store, changes: &[ChangeSet]) -> Vec<Result<Committed, StoreError>> {
    match changes {
        [one] => vec![block_on(store.commit(one.clone()))],
        many => block_on(store.commit_many(many.to_vec())),
    }
}

/// All streams in one read: each one's version, which its record must say, too.
fn read(store: &dyn Store) -> Versions {
    let keys: Vec<RecordKey> = (0..N_STREAMS).map(|n| RecordKey::Stream(stream(n))).collect();
    let found = block_on(store.get(TENANT, &keys)).unwrap();
    std::array::from_fn(|at| match &found[at] {
        None => 0,
        Some(Stored { version, record: Record::Contact(contact) }) => {
            assert_eq!(contact.name, version.to_string(), "an update was lost");
            *version
        }
        Some(other) => panic!("no contact: {other:?}"),
    })
}

fn change(id: CommandId, streams: &BTreeSet<usize>, found: &Versions) -> ChangeSet {
    let mut change = ChangeSet::new(TENANT, id, start());
    for at in streams {
        let (stream, version) = (stream(*at), found[*at]);
        change.expect.push(Expect { stream, version });
        let name = (version + 1).to_string();
        let contact = Contact::named(ContactId(stream.id), name);
        change.put.push(Record::Contact(Box::new(contact)));
        let (kind, cause) = (ActorKind::System, Cause::Command { id });
        let origin = Origin { kind, actor: None, on_behalf_of: None, ip: None, cause };
        change.events.push(NewEvent { stream, at: start(), origin, event: Event::Woken });
    }
    change
}

/// Compares what clients did and saw with the chains.
fn judge(store: &dyn Store, seen: &[Seen]) {
    let chains: Vec<Vec<CommandId>> = (0..N_STREAMS).map(|n| chain(store, stream(n))).collect();
    let end = read(store);
    let mut written: BTreeMap<CommandId, Vec<(usize, u64)>> = BTreeMap::new();
    for (at, chain) in chains.iter().enumerate() {
        assert_eq!(chain.len() as u64, end[at], "a chain and its record differ");
        for (writer, version) in chain.iter().zip(1..) {
            written.entry(*writer).or_default().push((at, version));
        }
    }
    let mut n_acked = 0;
    for (id, versions) in seen.iter().flat_map(|seen| &seen.acked) {
        let mut own: Vec<(usize, u64)> = versions
            .iter()
            .map(|(of, version)| ((0..N_STREAMS).find(|n| stream(*n) == *of).unwrap(), *version))
            .collect();
        own.sort_unstable();
        assert_eq!(written.get(id), Some(&own), "{id} was acked with other versions");
        n_acked += 1;
    }
    assert_eq!(written.len(), n_acked, "a commit that was not acked left something");
    check_no_cycle(&chains);
    for (floor, found) in seen.iter().flat_map(|seen| &seen.reads) {
        let is_late = floor.iter().zip(found).all(|(floor, found)| found >= floor);
        assert!(is_late, "read {found:?} when {floor:?} had been acked");
        for (id, versions) in &written {
            let is_seen: BTreeSet<bool> =
                versions.iter().map(|(at, version)| found[*at] >= *version).collect();
            assert_eq!(is_seen.len(), 1, "read half of {id}: {found:?} of {versions:?}");
        }
    }
}

/// Who wrote each version of a stream, from 1 on.
fn chain(store: &dyn Store, stream: StreamId) -> Vec<CommandId> {
    let history = block_on(store.history(TENANT, stream)).unwrap();
    let writer = |(row, n): (helpdesk::core::event::Recorded, u64)| {
        assert_eq!(row.n, n, "a gap in {stream:?}");
        match row.entry.origin.cause {
            Cause::Command { id } => id,
            Cause::Timer { .. } => panic!("nobody set a timer"),
        }
    };
    history.into_iter().zip(1..).map(writer).collect()
}

/// The chains together are one order: whoever comes before another in one does so in all.
fn check_no_cycle(chains: &[Vec<CommandId>]) {
    let mut at = vec![0; chains.len()];
    loop {
        let heads: Vec<Option<CommandId>> =
            chains.iter().zip(&at).map(|(chain, at)| chain.get(*at).copied()).collect();
        let Some(first) = heads.iter().flatten().find(|id| {
            // All that it wrote is next in its chain.
            chains.iter().zip(&at).all(|(chain, at)| {
                chain.iter().position(|other| other == *id).is_none_or(|place| place == *at)
            })
        }) else {
            assert!(heads.iter().all(Option::is_none), "a cycle of commits: {heads:?}");
            return;
        };
        for (head, at) in heads.iter().zip(&mut at) {
            *at += usize::from(head.as_ref() == Some(first));
        }
    }
}
