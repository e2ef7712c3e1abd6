//! A few seeds of each part; `cargo xtask torture` runs as many as there is time for.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use helpdesk_torture::part::{Extent, Setting, parts, run};
use std::path::PathBuf;

/// Runs a part from a seed on; it must see at least so much.
fn check_from(seed: u64, name: &str, n_seeds: u64, n_seen_min: u64) {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_torture"));
    let chosen = parts(&[name.to_owned()]).unwrap();
    let outcome = run(&chosen, seed, Extent::Seeds(n_seeds), &Setting { program });
    let report = outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.parts[0].n_seen >= n_seen_min, "it saw too little: {}", report.text());
}

/// The first seeds of a part.
fn check(name: &str, n_seeds: u64, n_seen_min: u64) {
    check_from(1, name, n_seeds, n_seen_min);
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
fn whoever_commits_is_served_in_whatever_order_threads_run() {
    check("threads", 20, 5_000);
}

#[test]
fn what_is_tried_again_on_a_failing_store_happens_once() {
    check("chaos", 2, 60);
}

#[test]
fn engines_that_crash_lose_and_double_nothing() {
    check("sim", 16, 300);
}

#[test]
fn what_was_acked_outlives_a_loss_of_power() {
    check("power", 6, 100);
}

/// The test of the test above.
#[test]
fn a_loss_of_power_without_syncs_is_seen() {
    check("bites", 8, 1);
}

#[test]
fn whatever_call_of_the_file_system_fails_all_or_nothing_was_done() {
    check("io", 6, 20);
}

#[test]
fn an_index_whose_process_was_killed_opens_with_all_that_was_committed() {
    check("search", 1, 3);
}

#[test]
fn postgres_does_what_the_model_says() {
    check("pg-model", 5, 5);
}

#[test]
fn clients_of_postgres_see_one_order_of_commits() {
    check("pg-clients", 3, 30);
}

#[test]
fn killed_processes_and_servers_lose_nothing_that_was_acked() {
    check("pg-kill", 1, 5);
}

/// The log holds the whole commit when its sync fails: the next process takes it in.
#[test]
fn a_commit_whose_sync_fails_is_not_said_to_be_undone() {
    check_from(53, "io", 1, 1);
}

/// Its statements would be commits of their own.
#[test]
fn a_batch_whose_transaction_ended_at_a_failure_writes_nothing_more() {
    check_from(75, "io", 1, 1);
}

/// Each for itself would fail, too, and say that nothing was committed.
#[test]
fn a_batch_that_may_have_been_committed_is_not_tried_again_one_by_one() {
    check_from(83, "io", 1, 1);
}
