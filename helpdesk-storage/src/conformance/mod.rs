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
//! assert_eq!(outcome, Ok(()));
//! ```

mod commands;
mod commits;
mod counts;
mod journal;
mod kit;
mod letters;
mod lists;
mod orders;
mod outbox;
mod settles;
mod tenants;
mod timers;
mod uniques;

use crate::Store;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

/// How a case ends: well, or with what is wrong.
pub type Outcome = Result<(), String>;

/// A running case.
pub type CaseFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// One thing that a store must do.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is about, such as `outbox`.
    pub area: &'static str,
    /// What must be so, as a sentence in snake case.
    pub name: &'static str,
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
            counts::CASES,
            timers::CASES,
            outbox::CASES,
            settles::CASES,
            letters::CASES,
            tenants::CASES,
        ]
        .concat()
    });
    &ALL
}

/// Runs every case, each on a fresh, empty store of `factory`.
///
/// # Errors
///
/// One line for each case that failed, or whose store could not be made: which
/// and why.
pub async fn run<Factory>(mut factory: Factory) -> Outcome
where
    Factory: AsyncFnMut(&Case) -> Result<Arc<dyn Store>, String>,
{
    let mut failures = Vec::new();
    for case in cases() {
        let outcome = match factory(case).await {
            Ok(store) => (case.run)(store).await,
            Err(why) => Err(format!("no store: {why}")),
        };
        if let Err(why) = outcome {
            failures.push(format!("{case:?}: {why}"));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}
