//! `cargo xtask vectors KIND FILE…`: checks the engine against files of known answers.
//!
//! Each failing case is printed; the last line is `N passed, M failed, K skipped`.

mod calendar;
mod conditions;

use crate::Failure;
use serde_json::Value;
use std::fs;

/// What can be checked. A new kind is a module and a line here.
const KINDS: &[(&str, Check)] = &[("calendar", calendar::check), ("conditions", conditions::check)];

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

/// Checks each file. Fails when a case fails or a file cannot be read; the
/// arguments make no sense without a kind and a file.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let (check, files) = match args {
        [name, files @ ..] if !files.is_empty() => {
            let kind = KINDS.iter().find(|(kind, _)| kind == name);
            (kind.ok_or_else(usage)?.1, files)
        }
        _ => return Err(usage()),
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
    if all_read && total.n_failed == 0 { Ok(()) } else { Err(Failure::Reported) }
}

fn usage() -> Failure {
    let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
    Failure::Usage(format!("usage: cargo xtask vectors {} FILE…", kinds.join("|")))
}

fn read(file: &str) -> Result<Value, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("is not JSON: {error}"))
}
