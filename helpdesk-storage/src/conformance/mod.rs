//! The suite that every backend passes, those of third parties too.
//!
//! A case gets a fresh, empty store and says what is wrong in words; nothing
//! panics, and no runtime is needed: run the futures on whichever you have.
//!
//! ```
//! use helpdesk_storage::conformance;
//! use helpdesk_storage::memory::MemoryStore;
//! use std::sync::Arc;
//!
//! // In the tests of your backend: one fresh store for each case.
//! let outcome = pollster::block_on(conformance::run(async |_case| {
//!     Ok(Arc::new(MemoryStore::default()) as Arc<dyn helpdesk_storage::Store>)
//! }));
//! let report = outcome?; // or one line for each case that failed
//! println!("{report}"); // such as: 151 passed, 0 skipped
//! assert!(report.skipped.is_empty());
//! # Ok::<(), String>(())
//! ```
//!
//! What a store cannot it says in its [`Capabilities`]; cases that need it are skipped, and
//! the report names them. `examples/custom_backend.rs` is a store of somebody else's.

mod blobs;
mod articles;
mod commands;
mod commits;
mod counts;
mod journal;
mod kit;
mod letters;
mod lists;
mod orders;
mod outbox;
mod retention;
mod settles;
mod shares;
mod summaries;
mod tenants;
mod timers;
mod uniques;

pub use blobs::{BlobCase, blob_cases, run_blobs};

use crate::{Capabilities, Store};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

/// How a case ends: well, or with what is wrong.
pub type Outcome = Result<(), String>;

/// A running case.
pub type CaseFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What not every store can, as its [`Capabilities`] say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// Claims give each tenant its share.
    Shares,
}

impl Need {
    fn is_met(self, capabilities: Capabilities) -> bool {
        match self {
            Self::Shares => capabilities.has_shares,
        }
    }
}

/// A run in which nothing failed.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Cases that ran well.
    pub n_passed: usize,
    /// Cases that were not run, as the store cannot what they need.
    pub skipped: Vec<Case>,
}

/// What a test prints: how many passed, and a line for each that was skipped.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} skipped", self.n_passed, self.skipped.len())?;
        for case in &self.skipped {
            write!(f, "\nSKIP {case:?}")?;
            if let Some(need) = case.needs {
                write!(f, ": the store has no {}", format!("{need:?}").to_lowercase())?;
            }
        }
        Ok(())
    }
}

/// One thing that a store must do.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is about, such as `outbox`.
    pub area: &'static str,
    /// What must be so, as a sentence in snake case.
    pub name: &'static str,
    /// What a store must be able to do for it; a store that says it cannot is spared.
    pub needs: Option<Need>,
    /// Tries it on a fresh, empty store.
    pub run: fn(Arc<dyn Store>) -> CaseFuture,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.area, self.name)
    }
}

/// All cases, by area.
#[must_use]
pub fn cases() -> &'static [Case] {
    static ALL: LazyLock<Vec<Case>> = LazyLock::new(|| {
        [
            commits::CASES,
            uniques::CASES,
            commands::CASES,
            journal::CASES,
            lists::CASES,
            orders::CASES,
            summaries::CASES,
            counts::CASES,
            timers::CASES,
            outbox::CASES,
            shares::CASES,
            settles::CASES,
            letters::CASES,
            tenants::CASES,
            articles::CASES,
            retention::CASES,
        ]
        .concat()
    });
    &ALL
}

/// Runs every case that the store can, each on a fresh, empty store of `factory`.
///
/// # Errors
///
/// One line for each case that failed, or whose store could not be made: which
/// and why.
pub async fn run<Factory>(mut factory: Factory) -> Result<Report, String>
where
    Factory: AsyncFnMut(&Case) -> Result<Arc<dyn Store>, String>,
{
    let mut report = Report::default();
    let mut failures = Vec::new();
    for case in cases() {
        let outcome = match factory(case).await {
            Ok(store) if case.needs.is_some_and(|need| !need.is_met(store.capabilities())) => {
                report.skipped.push(*case);
                continue;
            }
            Ok(store) => (case.run)(store).await,
            Err(why) => Err(format!("no store: {why}")),
        };
        match outcome {
            Ok(()) => report.n_passed += 1,
            Err(why) => failures.push(format!("{case:?}: {why}")),
        }
    }
    if failures.is_empty() { Ok(report) } else { Err(failures.join("\n")) }
}
