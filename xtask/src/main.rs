//! The project's chores: `cargo xtask test | vectors | gen | fuzz | bench`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to a terminal")]

mod vectors;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((chore, rest)) if chore == "vectors" => vectors::run(rest),
        _ => {
            eprintln!("usage: cargo xtask vectors KIND FILE…");
            ExitCode::from(2)
        }
    }
}
