//! The reliability suite: what must hold when processes die, disks fail, calls are
//! lost and engines race.
//!
//! Each part is a function of a seed. The tests run a few seeds of each, `cargo
//! xtask torture` as many as there is time for; a failure names the seed and the
//! call that runs it again. What each part proves stands in docs/RELIABILITY.md.
//! Source: spec/storage.md, "Reliability suite".

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here is a test that fails"
)]

mod chaos;
pub mod child;
mod clients;
mod finish;
mod io;
mod kill;
mod laws;
mod model;
mod office;
pub mod part;
mod place;
mod power;
pub mod search;
mod sim;
mod threads;
