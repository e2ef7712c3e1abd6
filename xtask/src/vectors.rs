//! `cargo xtask vectors KIND FILE…`: checks the engine against files of known answers.
//!
//! Each failing case is printed; the last line is `N passed, M failed, K skipped`.

mod conditions;

use serde_json::Value;
use std::fs;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask vectors conditions FILE…";

/// What came of the cases of one or more files.
#[derive(Debug, Default)]
struct Tally {
    n_passed: u64,
    n_failed: u64,
    n_skipped: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.n_passed += other.n_passed;
        self.n_failed += other.n_failed;
        self.n_skipped += other.n_skipped;
    }
}

/// Checks the cases of one file.
type Check = fn(&Value) -> Result<Tally, String>;

/// Checks each file. The exit code is 1 when a case fails or a file cannot be
/// read, and 2 when the arguments make no sense.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let (check, files): (Check, _) = match args {
        [kind, files @ ..] if kind == "conditions" && !files.is_empty() => {
            (conditions::check, files)
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut total = Tally::default();
    let mut all_read = true;
    for file in files {
        match read(file).and_then(|value| check(&value)) {
            Ok(tally) => total.add(&tally),
            Err(message) => {
                all_read = false;
                eprintln!("error: {file}: {message}");
            }
        }
    }
    println!("{} passed, {} failed, {} skipped", total.n_passed, total.n_failed, total.n_skipped);
    if all_read && total.n_failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(file: &str) -> Result<Value, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("is not JSON: {error}"))
}
