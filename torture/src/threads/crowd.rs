//! Tickets that are given at once by one engine: each is decided on what those before it are about
//! to do, and all are committed by whoever waits.
//!
//! `snapshot.rs` and `turns.rs` of the engine are compiled here once more, upon shuttle's locks. What
//! an engine decides is cut down to what matters to them: whoever holds least is given the next.

use crate::office::start;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::agent::{AgentLoad, Roster, RosterEntry};
use helpdesk_core::case::record::{CommandRecord, Record, RecordKey, Stored};
use helpdesk_core::contact::Contact;
use helpdesk_core::desk::DeskReader;
use helpdesk_core::event::StreamId;
use helpdesk_core::id::{AgentId, CommandId, ContactId, TenantId, Version};
use helpdesk_core::ticket::priority::Channel;
use helpdesk_storage::memory::MemoryStore;
use helpdesk_storage::{ChangeSet, Committed, Expect, Store, StoreError, StoreExt};
use serde_json::json;
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use shuttle::thread;
use snapshot::{Snapshot, Tenant, is_kept, put_agent};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex as StdMutex};
use std::task::{Context, Poll, Waker};
use turns::{AtWork, Leading, Work};
use uuid::Uuid;

#[path = "../../../src/snapshot.rs"]
#[allow(dead_code, reason = "the engine uses more of it")]
mod snapshot;
#[path = "../../../src/turns.rs"]
#[allow(dead_code, reason = "the engine uses more of it")]
mod turns;

/// What the two are made of here.
mod sync {
    pub(super) use shuttle::sync::atomic::{AtomicBool, Ordering};
    pub(super) use shuttle::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
    pub(super) use std::sync::{PoisonError, TryLockError};
}

/// Nobody asks for the next ticket here.
mod waiting {
    #[derive(Debug, Default)]
    pub(super) struct WaitingTickets(());
}

const TENANT: TenantId = TenantId(Uuid::from_u128(0xC408D));
const N_AGENTS: u64 = 2;
/// Callers, and tickets of each.
const CALLERS: u64 = 4;
const TICKETS: u64 = 3;
/// What another engine gives meanwhile.
const OTHERS: u64 = 3;

static READER: LazyLock<Arc<DeskReader>> = LazyLock::new(|| Arc::new(DeskReader::new().unwrap()));

/// What a decision knew of an agent: who, at which version, with which command's ticket as the last.
type Known = (AgentId, Version, Option<DateTime<Utc>>);

/// What all threads share.
struct Shared {
    tenant: Arc<Tenant>,
    store: MemoryStore,
    disk: Disk,
    is_at_work: AtomicBool,
    n_callers: AtomicU64,
    /// What agents ever held, as it was committed.
    history: StdMutex<BTreeSet<Known>>,
    /// Nobody goes away, nothing fails, there is no other engine, and no two write the same contact:
    /// then nobody is to lose a race.
    is_calm: bool,
}

/// Some callers give tickets at once; how many were given.
pub(super) fn scenario() -> u64 {
    let shared = Arc::new(Shared::open(thread_rng().gen_bool(0.3)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let shared = shared.clone();
            thread::spawn(move || call(&shared, caller))
        })
        .collect();
    let disk = {
        let shared = shared.clone();
        thread::spawn(move || shared.disk.spin(&shared.n_callers))
    };
    if !shared.is_calm {
        let shared = shared.clone();
        thread::spawn(move || other_engine(&shared)).join().unwrap();
    }
    let served: Vec<CommandId> =
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect();
    disk.join().unwrap();
    shared.judge(&served)
}

impl Shared {
    fn open(is_calm: bool) -> Self {
        Self {
            tenant: Arc::new(Tenant::new(TENANT, READER.clone(), snapshot(&[]))),
            store: MemoryStore::default(),
            disk: Disk::default(),
            is_at_work: AtomicBool::new(false),
            n_callers: AtomicU64::new(CALLERS),
            history: StdMutex::default(),
            is_calm,
        }
    }

    async fn commit(&self, change_sets: Vec<ChangeSet>) -> Vec<Result<Committed, StoreError>> {
        let results = self.store.commit_many(change_sets.clone()).await;
        let mut history = self.history.lock().unwrap();
        for (change_set, result) in change_sets.iter().zip(&results) {
            if result.as_ref().is_ok_and(|committed| committed.replayed.is_none()) {
                history.extend(change_set.put.iter().filter_map(|record| match record {
                    Record::Load(load) => {
                        let version = change_set.version_after(StreamId::load(load.agent))?;
                        Some((load.agent, version, last_of(load)))
                    }
                    _ => None,
                }));
            }
        }
        results
    }

    /// What agents hold as it is committed; nothing for those who were never given anything.
    fn loads(&self) -> Vec<Stored> {
        let keys: Vec<RecordKey> =
            (0..N_AGENTS).map(|n| RecordKey::Stream(StreamId::load(agent_id(n)))).collect();
        block_on(self.store.get(TENANT, &keys)).unwrap().into_iter().flatten().collect()
    }

    /// Nothing is left of the turns, nothing was given twice or lost; how many were given.
    fn judge(&self, served: &[CommandId]) -> u64 {
        let state = self.tenant.turns.state();
        assert_eq!(state.n_callers, 0, "somebody waits still: {state:?}");
        assert!(!state.is_at_work && state.waiting.is_empty(), "work is left: {state:?}");
        assert!(state.written.is_empty() && state.wakers.is_empty(), "left behind: {state:?}");
        assert!(state.ended.is_empty() && state.abandoned.is_empty(), "ends are left: {state:?}");
        drop(state);
        assert!(self.tenant.turns.try_at_work().unwrap().is_none(), "a batch is left");
        assert!(!self.tenant.held().seen().is_ahead(), "ahead of nothing");
        let n_given: u64 = self.loads().iter().map(|load| u64::from(held(load))).sum();
        let all =
            (0..=CALLERS).flat_map(|caller| (0..TICKETS.max(OTHERS)).map(move |n| (caller, n)));
        let mut done: BTreeSet<CommandId> = BTreeSet::new();
        let history = self.history.lock().unwrap();
        for id in all.map(|(caller, n)| command_id(caller, n)) {
            let found = block_on(self.store.get_one(TENANT, RecordKey::Command(id))).unwrap();
            let Some(Stored { record: Record::Command(command), .. }) = found else { continue };
            let seen: Vec<Known> = serde_json::from_value(command.result).unwrap();
            for known in seen.iter().filter(|(_, version, _)| *version > 0) {
                assert!(history.contains(known), "decided on what did not come to be: {known:?}");
            }
            done.insert(id);
        }
        drop(history);
        let lost: Vec<_> = served.iter().filter(|id| !done.contains(id)).collect();
        assert!(lost.is_empty(), "said to be given, and not given: {lost:?}");
        assert_eq!(n_given, done.len() as u64, "an update was lost");
        let known = self.tenant.snapshot().roster;
        assert_eq!(known, self.tenant.ahead().roster, "ahead of what is committed");
        for stored in self.loads().iter().filter(|_| self.is_calm) {
            let Record::Load(load) = &stored.record else { continue };
            let entry = known.get(load.agent).unwrap();
            assert_eq!(
                (&entry.load, entry.load_version),
                (load, stored.version),
                "not as committed"
            );
        }
        n_given
    }
}

/// Gives tickets, one after the other; those that were. Now and then gives one up, or leaves it alone.
fn call(shared: &Arc<Shared>, caller: u64) -> Vec<CommandId> {
    let mut served = Vec::new();
    let mut left_alone: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    for n in 0..TICKETS {
        let id = command_id(caller, n);
        if shared.is_calm || thread_rng().gen_bool(0.7) {
            block_on(give(shared, id));
            served.push(id);
            continue;
        }
        let mut given: Pin<Box<dyn Future<Output = ()> + '_>> = Box::pin(give(shared, id));
        let n_looks = thread_rng().gen_range(1..5);
        let is_over = (0..n_looks).any(|_| {
            thread::yield_now();
            given.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        });
        match is_over {
            true => served.push(id),
            false if thread_rng().gen_bool(0.3) => left_alone.push(given),
            false => {}
        }
    }
    drop(left_alone);
    shared.n_callers.fetch_sub(1, Ordering::SeqCst);
    served
}

/// Gives one ticket, as the engine would: decides in turn, and anew after whatever went wrong.
async fn give(shared: &Arc<Shared>, id: CommandId) {
    let tenant = &shared.tenant;
    loop {
        // Sometimes it writes what another one writes, too, or there is nothing to do.
        let contact = match !shared.is_calm && thread_rng().gen_bool(0.3) {
            true => Some(contact_version(shared).await),
            false => None,
        };
        let is_nothing = thread_rng().gen_bool(0.15);
        let decide = |snapshot: &Snapshot| match is_nothing {
            true => Work::default(),
            false => work_of(gift(snapshot, id, contact)),
        };
        let (before, seen) = tenant.look(decide);
        thread::yield_now();
        let (decided, turn) =
            tenant.take_turn(seen, None, |changed| ((), changed.map_or(before, decide)));
        let commit = |leading| commit(shared, leading);
        match (decided, turn.end(&commit).await) {
            (Some(()), Ok(Some(_))) => return,
            (Some(()), Ok(None)) => assert!(is_nothing, "nothing was done"),
            (None, Ok(None)) => assert!(!shared.is_calm, "nobody else writes it"),
            (None, Ok(Some(_))) => panic!("what was not decided was done"),
            (_, Err(error)) => assert!(!shared.is_calm, "lost a race to nobody: {error}"),
        }
    }
}

/// Commits a batch, as the engine does; sometimes the store fails before or after.
fn commit(shared: &Arc<Shared>, mut leading: Leading) -> AtWork {
    let shared = shared.clone();
    Box::pin(async move {
        let at_work = AtWorkAlone::enter(&shared);
        some_waits(&shared.disk).await;
        let change_sets = leading.take();
        let n = change_sets.len();
        let all = |error: fn() -> StoreError| (0..n).map(|_| Err(error())).collect();
        let fault = if shared.is_calm { 9 } else { thread_rng().gen_range(0..10) };
        let results: Vec<Result<Committed, StoreError>> = match fault {
            0 => all(unavailable),
            1 => {
                shared.commit(change_sets).await;
                all(ambiguous)
            }
            _ => shared.commit(change_sets).await,
        };
        some_waits(&shared.disk).await;
        let is_old = |result: &Result<Committed, StoreError>| {
            matches!(result, Err(StoreError::Ambiguous { .. } | StoreError::Conflict(_)))
        };
        if results.iter().any(is_old) {
            shared.tenant.take(&shared.loads()).unwrap();
        }
        drop(at_work);
        leading.end(results);
    })
}

fn unavailable() -> StoreError {
    StoreError::Unavailable { backend: "none", retry_after: None, source: "not there".into() }
}

fn ambiguous() -> StoreError {
    StoreError::Ambiguous { backend: "none", source: "the answer was lost".into() }
}

async fn some_waits(disk: &Disk) {
    for _ in 0..thread_rng().gen_range(0..3) {
        DiskWait { disk }.await;
    }
}

/// What a batch waits for. It tells whoever waits for it when it is there, and nobody when they
/// have seen so themselves before: a future owes no more.
#[derive(Debug, Default)]
struct Disk(Mutex<(bool, Option<Waker>)>);

impl Disk {
    /// Is there again and again, until all callers are gone.
    fn spin(&self, n_callers: &AtomicU64) {
        while n_callers.load(Ordering::SeqCst) > 0 {
            let mut state = self.0.lock().unwrap();
            state.0 = state.1.is_some();
            drop(state);
            thread::yield_now();
            let waker = self.0.lock().unwrap().1.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

struct DiskWait<'a> {
    disk: &'a Disk,
}

impl Future for DiskWait<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.disk.0.lock().unwrap();
        if state.0 {
            return Poll::Ready(());
        }
        let before = state.1.replace(context.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for DiskWait<'_> {
    fn drop(&mut self) {
        let before = std::mem::take(&mut *self.disk.0.lock().unwrap());
        drop(before);
    }
}

/// One batch is at work at a time, until its end or until it is dropped.
struct AtWorkAlone(Arc<Shared>);

impl AtWorkAlone {
    fn enter(shared: &Arc<Shared>) -> Self {
        assert!(!shared.is_at_work.swap(true, Ordering::SeqCst), "two batches at work");
        Self(shared.clone())
    }
}

impl Drop for AtWorkAlone {
    fn drop(&mut self) {
        self.0.is_at_work.store(false, Ordering::SeqCst);
    }
}

/// Another engine on the same store gives tickets that this one hears of by its lost races.
fn other_engine(shared: &Shared) {
    for n in 0..OTHERS {
        thread::yield_now();
        let gift = gift(&snapshot(&shared.loads()), command_id(CALLERS, n), None);
        thread::yield_now();
        match block_on(shared.commit(vec![gift])).remove(0) {
            Ok(_) | Err(StoreError::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn contact_version(shared: &Shared) -> Version {
    let key = RecordKey::Stream(StreamId::contact(contact_id()));
    let found = shared.store.get_one(TENANT, key).await.unwrap();
    thread::yield_now();
    found.map_or(0, |stored| stored.version)
}

fn work_of(change_set: ChangeSet) -> Work {
    let kept = change_set.put.iter().filter(|record| is_kept(record)).cloned().collect();
    Work { change_set: Some(change_set), kept, leads: false }
}

/// A ticket for whoever holds least; with it a contact is written that is at this version.
fn gift(snapshot: &Snapshot, id: CommandId, contact: Option<Version>) -> ChangeSet {
    let agents = || snapshot.roster.agents.values();
    let known = |entry: &RosterEntry| (entry.agent.id, entry.load_version, last_of(&entry.load));
    let seen: Vec<Known> = agents().map(known).collect();
    let entry = agents().min_by_key(|entry| (entry.load.total(), entry.agent.id)).unwrap();
    let mut load = AgentLoad::clone(&entry.load);
    let mail = load.channels.entry(Channel::Email).or_default();
    mail.active += 1;
    // Which command's it is.
    let (caller, n) = id.0.as_u64_pair();
    mail.last_assigned_at = Some(start() + TimeDelta::seconds((100 * caller + n).cast_signed()));
    let mut change_set = ChangeSet::new(TENANT, id, start());
    let version = entry.load_version;
    change_set.expect.push(Expect { stream: StreamId::load(load.agent), version });
    change_set.put.push(Record::Load(load));
    if let Some(version) = contact {
        change_set.expect.push(Expect { stream: StreamId::contact(contact_id()), version });
        let contact = Contact::named(contact_id(), "Kim".to_owned());
        change_set.put.push(Record::Contact(Box::new(contact)));
    }
    change_set.command = Some(CommandRecord {
        id,
        sha256: String::new(),
        result: serde_json::to_value(&seen).unwrap(),
        expires_at: start() + TimeDelta::days(1),
    });
    change_set
}

/// When an agent was given the last ticket: whose command that was.
fn last_of(load: &AgentLoad) -> Option<DateTime<Utc>> {
    load.on(Channel::Email).last_assigned_at
}

/// Tickets that an agent holds.
fn held(stored: &Stored) -> u32 {
    match &stored.record {
        Record::Load(load) => load.total(),
        other => panic!("no load: {other:?}"),
    }
}

/// The agents, with what they hold.
fn snapshot(loads: &[Stored]) -> Snapshot {
    let mut roster = Roster::default();
    for n in 0..N_AGENTS {
        put_agent(&mut roster, &Stored { version: 1, record: agent(n) });
    }
    loads.iter().for_each(|load| put_agent(&mut roster, load));
    Snapshot::new(1, Arc::new(READER.read(&json!({})).unwrap()), roster, 0)
}

fn agent(n: u64) -> Record {
    let agent = json!({
        "id": agent_id(n), "name": format!("Agent {n}"), "roles": [], "groups": [],
        "capacity": {"total": 10}, "active": true,
    });
    Record::Agent(serde_json::from_value(agent).unwrap())
}

fn agent_id(n: u64) -> AgentId {
    AgentId(Uuid::from_u128(0xA000 + u128::from(n)))
}

fn contact_id() -> ContactId {
    ContactId(Uuid::from_u128(0xC0))
}

fn command_id(caller: u64, n: u64) -> CommandId {
    CommandId(Uuid::from_u64_pair(caller + 1, n + 1))
}
