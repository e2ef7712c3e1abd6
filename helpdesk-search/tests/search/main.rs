//! What an index survives.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../../examples/churn/work.rs"]
mod work;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Names the folder to work on to the child.
const FOLDER: &str = "HELPDESK_SEARCH_CHURN";

/// Not a test by itself: the program that is killed.
#[test]
fn child() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        work::write(folder.as_ref(), u64::MAX).unwrap();
    }
}

#[test]
fn an_index_whose_program_was_killed_opens_with_all_that_was_committed() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut last = 0;
    for n_lines in [1, 4, 9, 2] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut n_seen = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            if let Some((_, round)) = line.unwrap().split_once("committed ") {
                last = round.trim().parse().unwrap();
                n_seen += 1;
            }
            if n_seen == n_lines {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(n_seen, n_lines, "the child ended before it was killed");
        let found = work::check(folder.path()).unwrap();
        assert!(found >= last, "round {last} was committed, and {found} is there");
        last = found;
    }
}
