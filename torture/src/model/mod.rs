//! Every store does what a small model says: whatever is committed, claimed and
//! settled, in whatever order, and after each reopening.
//!
//! The model in [`reference`](mod@reference) is written from the documentation of the
//! traits, with one list for everything and no index: it shares no code with a backend.
//! Source: spec/storage.md, "Reliability suite", 2.

mod change;
mod reference;
mod step;
mod subject;

use crate::part::Setting;
use crate::place::{MemoryPlace, Place, PostgresPlace, SqlitePlace};
use helpdesk_test_support::postgres::shared;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
pub(crate) use reference::{Call, Model};
use std::fmt::Debug;
pub(crate) use step::{How, Part, Step};
use subject::Against;

/// Steps of one run at most.
const STEPS_MAX: usize = 60;

/// Makes places for empty stores of one backend.
pub(crate) trait Fresh: Debug {
    fn fresh() -> Box<dyn Place>;
}

/// The store in memory.
#[derive(Debug)]
pub(crate) struct Memory;

impl Fresh for Memory {
    fn fresh() -> Box<dyn Place> {
        Box::new(MemoryPlace::default())
    }
}

/// SQLite, in a file.
#[derive(Debug)]
pub(crate) struct Sqlite;

impl Fresh for Sqlite {
    fn fresh() -> Box<dyn Place> {
        Box::new(SqlitePlace::fresh())
    }
}

/// PostgreSQL, in a schema of a server that this process starts.
#[derive(Debug)]
pub(crate) struct Postgres;

impl Fresh for Postgres {
    fn fresh() -> Box<dyn Place> {
        Box::new(PostgresPlace::fresh(shared().unwrap()))
    }
}

/// One run against memory and one against SQLite.
pub(crate) fn run(seed: u64, _: &Setting) -> u64 {
    against::<Memory>(seed);
    against::<Sqlite>(seed);
    2
}

/// One run against PostgreSQL.
pub(crate) fn run_postgres(seed: u64, _: &Setting) -> u64 {
    against::<Postgres>(seed);
    1
}

fn against<F: Fresh + 'static>(seed: u64) {
    let config = Config { cases: 1, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let dice = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config.clone(), dice);
    let runs = Model::sequential_strategy(STEPS_MAX / 2..STEPS_MAX);
    let outcome = runner.run(&runs, |(model, steps, seen)| {
        Against::<F>::test_sequential(config.clone(), model, steps, seen);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
