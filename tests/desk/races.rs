//! Lost races, commits whose end is not known, several engines at once.

use crate::kit::{Kit, Shared, TENANT, sender};
use crate::script::{self, scripts};
use crate::state;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::MemoryStore;
use helpdesk::core::actor::Actor;
use helpdesk::core::case::Case;
use helpdesk::core::case::record::{RecordKey, Stored, UniqueKey, UniqueOp};
use helpdesk::core::event::Recorded;
use helpdesk::core::fault::Code;
use helpdesk::core::id::{AgentId, CommandId, TenantId};
use helpdesk::storage::*;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// A store whose commits fail now and then, each at most once: lost before, a key
/// taken by another, unknown and not done, unknown and done.
#[derive(Debug)]
pub(crate) struct Flaky {
    inner: MemoryStore,
    seed: u64,
    failed: Mutex<BTreeSet<CommandId>>,
    always: Mutex<Option<Failure>>,
}

/// How a commit fails.
pub(crate) type Failure = fn(&ChangeSet) -> StoreError;

impl Flaky {
    pub(crate) fn new(seed: u64) -> Self {
        let inner = MemoryStore::default();
        Self { inner, seed, failed: Mutex::default(), always: Mutex::default() }
    }

    /// From now on every commit of a command fails like this.
    pub(crate) fn fail_always(&self, error: Option<Failure>) {
        *self.always.lock().unwrap() = error;
    }

    fn fails(&self, set: &ChangeSet) -> u64 {
        let is_work = set.command.is_some() || !set.done.is_empty();
        if !is_work || !self.failed.lock().unwrap().insert(set.commit_id) {
            return 0;
        }
        let hash = set.commit_id.0.as_u64_pair().1 ^ self.seed;
        hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61
    }
}

/// The key that another has, but for numbers: those are drawn anew.
fn taken(op: &UniqueOp) -> Option<UniqueKey> {
    match op {
        UniqueOp::Put { key, .. } if key.kind() != "number" => Some(key.clone()),
        _ => None,
    }
}

#[async_trait]
impl Store for Flaky {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn commit(&self, set: ChangeSet) -> Result<Committed> {
        let always = *self.always.lock().unwrap();
        if let Some(error) = always.filter(|_| set.command.is_some()) {
            return Err(error(&set));
        }
        let unknown = || StoreError::Ambiguous { backend: "flaky", source: "cut off".into() };
        match self.fails(&set) {
            1 => {
                let Expect { stream, version } = set.expect[0];
                let conflict = Conflict { stream, expected: version, actual: version + 1 };
                Err(StoreError::Conflict(conflict))
            }
            2 => Err(unknown()),
            5 => match set.unique.iter().find_map(taken) {
                Some(key) => Err(StoreError::DuplicateKey { key }),
                None => self.inner.commit(set).await,
            },
            3 | 4 => {
                self.inner.commit(set).await?;
                Err(unknown())
            }
            _ => self.inner.commit(set).await,
        }
    }

    async fn commit_many(&self, sets: Vec<ChangeSet>) -> Vec<Result<Committed>> {
        let mut series = Series::default();
        let mut commit = |set| series.commit(set, |set| helpdesk::block_on(self.commit(set)));
        sets.into_iter().map(&mut commit).collect()
    }

    async fn get(&self, tenant: TenantId, keys: &[RecordKey]) -> Result<Vec<Option<Stored>>> {
        self.inner.get(tenant, keys).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page<Stored>> {
        self.inner.list(query).await
    }

    async fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>> {
        self.inner.count(query).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<Recorded>> {
        self.inner.events(query).await
    }

    async fn feed_end(&self, tenant: TenantId) -> Result<u64> {
        self.inner.feed_end(tenant).await
    }

    async fn claim(&self, params: &ClaimParams) -> Result<Claimed> {
        self.inner.claim(params).await
    }

    async fn settle(&self, settles: Vec<Settle>) -> Result<Vec<Result<()>>> {
        self.inner.settle(settles).await
    }

    async fn maintain(&self, maintain: &Maintain) -> Result<MaintainReport> {
        self.inner.maintain(maintain).await
    }
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, max_shrink_iters: 60, ..Config::default() })]

    #[test]
    fn lost_races_and_unknown_ends_lose_and_double_nothing(script in scripts(40), seed in any::<u64>()) {
        let mut calm = Kit::new(Arc::new(MemoryStore::default()), script::desk());
        let (_, now) = script::run(&mut calm, &script);
        let mut flaky = Kit::new(Arc::new(Flaky::new(seed)), script::desk());
        script::run(&mut flaky, &script);
        for kit in [&calm, &flaky] {
            kit.desk.tick(now + TimeDelta::hours(2), 10_000).unwrap();
        }
        state::assert_same(&*calm.store, &*flaky.store, TENANT);
        state::check_laws(&*flaky.store, TENANT);
    }
}

const N_ENGINES: u32 = 3;
const N_ROUNDS: u32 = 12;

#[test]
fn several_engines_on_one_database_give_no_ticket_to_two() {
    several_engines(&Shared::sqlite());
}

#[test]
fn several_engines_on_postgres_give_no_ticket_to_two() {
    several_engines(&Shared::postgres());
}

fn several_engines(shared: &Shared) {
    let mut config = script::desk();
    config["agents"]["cat"]["online"] = json!(true);
    let first = Kit::new(shared.open(), config);
    std::thread::scope(|scope| {
        for engine in 0..N_ENGINES {
            let store = shared.open();
            scope.spawn(move || work(Kit::bare(store), engine));
        }
    });
    let store = &*first.store;
    state::check_laws_but_time(store, TENANT);
    let tickets = state::cases(store, TENANT);
    assert_eq!(tickets.len(), (N_ENGINES * N_ROUNDS) as usize, "each mail is one ticket");
    let numbers: BTreeSet<u64> = tickets.iter().map(|case| case.ticket.number.n).collect();
    assert_eq!(numbers.len(), tickets.len(), "numbers are unique");
}

/// What one engine does: receives, takes, claims and solves, all against the others.
fn work(kit: Kit, engine: u32) {
    let agent = AgentId(Uuid::from_u128(0xA000 + u128::from(engine)));
    let actor = Actor::agent(TENANT, agent);
    let mut now = script::start();
    for round in 0..N_ROUNDS {
        now += TimeDelta::seconds(1);
        let queue = ["given", "offered", "taken"][(round % 3) as usize];
        let message = json!({
            "channel": "email", "from": sender("anna@x.com"), "subject": queue, "text": "t",
            "external_id": format!("<{engine}-{round}@x>"),
        });
        insist(|| kit.desk.receive(TENANT, serde_json::from_value(message.clone()).unwrap(), now));
        let taken = try_some(&kit, &actor, json!({"type": "take_next"}), now);
        let waiting = state::cases(&*kit.store, TENANT).into_iter().find(Case::waits);
        if let Some(case) = waiting {
            try_some(&kit, &actor, json!({"type": "claim", "ticket": case.ticket.id}), now);
        }
        if let Some(ticket) = taken.filter(|_| round % 2 == 0) {
            try_some(&kit, &actor, json!({"type": "solve", "ticket": ticket}), now);
        }
        insist(|| kit.desk.tick(now, 100));
    }
}

/// A call that must come through: lost races and a busy database are tried again.
pub(crate) fn insist<T>(call: impl Fn() -> std::result::Result<T, helpdesk::Error>) -> T {
    for _ in 0..100 {
        match call() {
            Ok(done) => return done,
            Err(error) if matches!(error.code(), Code::Conflict | Code::Unavailable) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("never came through")
}

/// A command that others may make impossible.
pub(crate) fn try_some(
    kit: &Kit,
    actor: &Actor,
    command: serde_json::Value,
    now: DateTime<Utc>,
) -> Option<Uuid> {
    let command: helpdesk::core::command::Command = serde_json::from_value(command).unwrap();
    match kit.desk.execute(actor, command, now) {
        Ok(outcome) => outcome.made.ticket.map(|ticket| ticket.0),
        Err(error) => {
            let expected = [
                Code::Conflict,
                Code::Unavailable,
                Code::NotFound,
                Code::Forbidden,
                Code::Invalid,
                Code::OfferGone,
            ];
            assert!(expected.contains(&error.code()), "{error}");
            None
        }
    }
}
