//! A few seeds of each part; `cargo xtask torture` runs as many as there is time for.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use helpdesk_torture::part::{Extent, Setting, parts, run};
use std::path::PathBuf;

/// Runs a part, which must see at least so much.
fn check(name: &str, n_seeds: u64, n_seen_min: u64) {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_torture"));
    let chosen = parts(&[name.to_owned()]).unwrap();
    let outcome = run(&chosen, 1, Extent::Seeds(n_seeds), &Setting { program });
    let report = outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.parts[0].n_seen >= n_seen_min, "it saw too little: {}", report.text());
}

#[test]
fn killed_processes_lose_nothing_that_was_acked() {
    check("kill", 2, 20);
}

#[test]
fn every_store_does_what_the_model_says() {
    check("model", 20, 40);
}

#[test]
fn clients_at_once_see_one_order_of_commits() {
    check("clients", 5, 200);
}

#[test]
fn what_is_tried_again_on_a_failing_store_happens_once() {
    check("chaos", 2, 60);
}

#[test]
fn engines_that_crash_lose_and_double_nothing() {
    check("sim", 6, 100);
}
