//! The k-th call of the file system fails, for k from 0 on: what SQLite was asked is
//! done or not done, never half, as its answer says; and it goes on, or says that it
//! cannot.
//!
//! A seed takes one operation, one kind of failure and every fifth k; so
//! [`N_SEEDS`] seeds in a row are all of them. Source: spec/storage.md, "Reliability suite", 7.

use crate::model::{Call, How, Model, Part, Step};
use crate::part::Setting;
use crate::place::{integrity, tables};
use helpdesk::block_on;
use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore};
use helpdesk_storage::{Store, StoreError};
use helpdesk_torture_disk::{Disk, Fault, Loss, Trouble};
use std::sync::Arc;
use std::time::Duration;

const FILE: &str = "desk.db";
/// Calls between two that fail.
const STRIDE: u64 = 5;
/// Calls of one operation at most: it ends long before.
const CALLS_MAX: u64 = 5_000;
/// What goes wrong, and how often in a row. A lock that is never free keeps SQLite
/// waiting for seconds; ten times is over its patience here.
const TROUBLES: [(Trouble, u64); 5] = [
    (Trouble::Io, 1),
    (Trouble::Io, u64::MAX),
    (Trouble::Full, 1),
    (Trouble::Full, u64::MAX),
    (Trouble::Busy, 10),
];
/// Seeds for everything.
pub(crate) const N_SEEDS: u64 = 13 * TROUBLES.len() as u64 * STRIDE;

/// What is asked while calls fail.
#[derive(Debug, Clone)]
enum Operation {
    /// A database is made.
    Make,
    /// A database is opened that was not closed.
    Open,
    /// A call of an open store.
    Call(Call),
}

/// Sweeps the calls of one operation; how many of them failed.
pub(crate) fn run(seed: u64, _: &Setting) -> u64 {
    let mut operations = vec![Operation::Make, Operation::Open];
    let (base, calls) = base();
    operations.extend(calls.into_iter().map(Operation::Call));
    assert_eq!(N_SEEDS, operations.len() as u64 * TROUBLES.len() as u64 * STRIDE);
    let dice = seed % N_SEEDS;
    let (offset, rest) = (dice % STRIDE, dice / STRIDE);
    let trouble = TROUBLES[(rest % TROUBLES.len() as u64) as usize];
    let operation = &operations[(rest / TROUBLES.len() as u64) as usize];
    for (n_failed, k) in (offset..CALLS_MAX).step_by(STRIDE as usize).enumerate() {
        if !sweep(&base, operation, trouble, k) {
            return n_failed as u64;
        }
    }
    panic!("{} never ends", name_of(operation))
}

/// A disk with something of everything, and calls that change it.
fn base() -> (Arc<Disk>, Vec<Call>) {
    let disk = Disk::new();
    let store = open(&disk).unwrap();
    let mut model = Model::new();
    let put = |n| Part::Put { n, off: 0, n_events: 2 };
    let outbox = |id, lane| Part::Outbox { id, lane, after: 0 };
    let set = |n| Part::Set { n, kind: 3, after: 0 };
    let rich = vec![
        put(3),
        put(1),
        Part::Message { n: 3, seq: 1 },
        Part::Unique { k: 2, n: 3, replace: false },
        Part::Remove { k: 0 },
        set(3),
        outbox(9, 2),
        Part::Command { id: 3, content: 0 },
        Part::Done { lease: 0 },
    ];
    let before = [
        Step::Commit(vec![
            put(0),
            set(0),
            outbox(1, 0),
            Part::Unique { k: 0, n: 0, replace: false },
        ]),
        Step::Commit(vec![put(1), outbox(2, 1), outbox(3, 0), Part::Command { id: 1, content: 0 }]),
        Step::Claim { timers: false, max: 2, of_all: true },
        Step::Settle { lease: 0, how: How::Dead },
        Step::Later(10),
        Step::Commit(vec![outbox(5, 2), put(2), put(6), set(6)]),
        Step::Claim { timers: true, max: 1, of_all: true },
    ];
    for step in &before {
        let call = model.make(step);
        for end in ask(&store, &call) {
            end.unwrap();
        }
    }
    let asked = [
        Step::Commit(rich.clone()),
        Step::CommitMany(vec![rich, vec![put(0), outbox(8, 0)], vec![put(2)]]),
        Step::Claim { timers: false, max: 3, of_all: true },
        Step::Settle { lease: 0, how: How::Dead },
        Step::Redrive { all: true },
        Step::PurgeDead,
        Step::PurgeTickets(vec![(0, 0), (6, 0)]),
        Step::Archive { n: 0 },
        Step::Lead { job: 0, owner: 0, seconds: 9 },
        Step::Compact,
        Step::Scrub,
    ];
    let calls = asked.iter().map(|step| model.clone().make(step)).collect();
    // The process dies: the log is not folded.
    let left = disk.survivor(Loss::Process, &mut |_| 0);
    (left, calls)
}

fn open(disk: &Disk) -> Result<SqliteStore, StoreError> {
    let options =
        SqliteOptions::default().with_readers(1).with_busy_timeout(Duration::from_millis(2));
    SqliteStore::open(disk.path(FILE), options)
}

fn name_of(operation: &Operation) -> &'static str {
    match operation {
        Operation::Make => "make",
        Operation::Open => "open",
        Operation::Call(Call::Nothing | Call::Reopen) => "nothing",
        Operation::Call(Call::Commit(_)) => "commit",
        Operation::Call(Call::CommitMany(_)) => "commit_many",
        Operation::Call(Call::Claim(_)) => "claim",
        Operation::Call(Call::Settle(_)) => "settle",
        Operation::Call(Call::Maintain(_)) => "maintain",
    }
}

/// Makes a call; how each of its parts ended.
fn ask(store: &dyn Store, call: &Call) -> Vec<Result<(), StoreError>> {
    match call {
        Call::Nothing | Call::Reopen => Vec::new(),
        Call::Commit(change) => vec![block_on(store.commit((**change).clone())).map(|_| ())],
        Call::CommitMany(changes) => {
            let ends = block_on(store.commit_many(changes.clone()));
            ends.into_iter().map(|end| end.map(|_| ())).collect()
        }
        Call::Claim(params) => vec![block_on(store.claim(params)).map(|_| ())],
        Call::Settle(settles) => match block_on(store.settle(settles.clone())) {
            Ok(_) => vec![Ok(())],
            Err(error) => vec![Err(error)],
        },
        Call::Maintain(maintain) => vec![block_on(store.maintain(maintain)).map(|_| ())],
    }
}

/// Lets the k-th call of an operation fail; `false` where there is none.
fn sweep(base: &Disk, operation: &Operation, (trouble, n_calls): (Trouble, u64), k: u64) -> bool {
    let fault = Fault { trouble, at: k, n_calls };
    let disk = match operation {
        Operation::Make => Disk::new(),
        Operation::Open | Operation::Call(_) => base.survivor(Loss::Process, &mut |_| 0),
    };
    let spot = format!("{} with {fault:?}", name_of(operation));
    let Operation::Call(call) = operation else {
        disk.fail(fault);
        let first = open(&disk);
        let has_failed = disk.heal();
        assert!(first.is_ok() || has_failed, "{spot}: {first:?}");
        drop(first);
        let second =
            open(&disk).unwrap_or_else(|error| panic!("{spot}: not opened again: {error:?}"));
        drop(second);
        assert_eq!(integrity(&disk.path(FILE)), "ok", "{spot}");
        return has_failed;
    };
    let store = open(&disk).unwrap();
    disk.fail(fault);
    let ends = ask(&store, call);
    let has_failed = disk.heal();
    let is_fine = ends.iter().all(Result::is_ok);
    assert!(is_fine || has_failed, "{spot}: {ends:?}");
    check_state(base, &disk, call, &ends, &spot);
    // It goes on: what was not done is done when it is asked again.
    if !is_fine {
        let again: Vec<_> = ask(&store, call).into_iter().filter_map(Result::err).collect();
        let is_refused = |error: &StoreError| matches!(error, StoreError::Conflict(_));
        let all_or_done = ends.len() > 1 || again.is_empty();
        assert!(all_or_done || again.iter().all(is_refused), "{spot}: then {again:?}");
    }
    drop(store);
    assert_eq!(integrity(&disk.path(FILE)), "ok", "{spot}");
    has_failed
}

/// What is there is what the answers say: now, and where the process died there.
fn check_state(base: &Disk, disk: &Disk, call: &Call, ends: &[Result<(), StoreError>], spot: &str) {
    let is_unknown =
        |end: &Result<(), StoreError>| matches!(end, Err(StoreError::Ambiguous { .. }));
    let done: Vec<bool> = ends.iter().map(Result::is_ok).collect();
    let mut wanted = vec![expected(base, call, &done)];
    if ends.iter().any(is_unknown) {
        let all: Vec<bool> = ends.iter().map(|end| end.is_ok() || is_unknown(end)).collect();
        wanted.push(expected(base, call, &all));
    }
    let dead = disk.survivor(Loss::Process, &mut |_| 0);
    for (place, what) in [(disk, "now"), (&*dead, "after the death of the process")] {
        let found = tables(&place.path(FILE));
        let fits = wanted.contains(&found);
        assert!(
            fits,
            "{spot}: answered {ends:?}, and {what} there is\n{}",
            differs(&found, &wanted[0])
        );
    }
}

/// What there is once these parts of a call are done.
fn expected(base: &Disk, call: &Call, done: &[bool]) -> Vec<String> {
    let disk = base.survivor(Loss::Process, &mut |_| 0);
    let store = open(&disk).unwrap();
    let of_done = match call {
        Call::CommitMany(changes) => {
            let changes = changes.iter().zip(done).filter(|(_, done)| **done);
            Some(Call::CommitMany(changes.map(|(change, _)| change.clone()).collect()))
        }
        call => done.first().copied().unwrap_or(false).then(|| call.clone()),
    };
    if let Some(call) = of_done {
        for end in ask(&store, &call) {
            end.unwrap();
        }
    }
    tables(&disk.path(FILE))
}

/// The rows that only one of two has.
fn differs(found: &[String], wanted: &[String]) -> String {
    let only = |own: &[String], other: &[String], sign: char| -> Vec<String> {
        let rows = own.iter().filter(|row| !other.contains(row));
        rows.map(|row| format!("{sign} {row}")).collect()
    };
    [only(found, wanted, '+'), only(wanted, found, '-')].concat().join("\n")
}
