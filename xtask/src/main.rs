//! The project's chores: `cargo xtask CHORE`.
//!
//! One file a chore. A new one is a module, a line in [`CHORES`] and an arm in [`run`].

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to a terminal")]

mod bench;
mod eval;
mod fuzz;
mod generate;
mod purity;
mod shell;
mod sqlite_range;
mod test;
mod tidy;
mod torture;
mod vectors;

use std::process::ExitCode;

/// Each chore: its name, its arguments, what it does.
const CHORES: &[(&str, &str, &str)] = &[
    ("test", "[STEP…]", "run the whole suite, or only the named steps of it"),
    ("tidy", "", "check what the compiler does not: sizes, headers, leftovers, import order"),
    ("gen", "[--check]", "write the generated files again, or only say which are stale"),
    ("fuzz", "[--seconds N] [TARGET…]", "fuzz each target, or the named ones, for N seconds"),
    (
        "torture",
        "[OPTION…] [PART…]",
        "run the reliability suite: --minutes N or --seeds N, --seed S",
    ),
    ("bench", "NAME [OPTION…]", "run a bench; `bench report` writes docs/PERFORMANCE.md again"),
    ("eval", "search|classify …", "measure search and classification on sets of real questions"),
    ("vectors", "KIND FILE…", "check the engine against files of known answers"),
    ("sqlite-range", "", "compile with the oldest and the newest rusqlite that may be taken"),
    ("help", "", "print this text"),
];

/// Why a chore did not succeed.
#[derive(Debug)]
enum Failure {
    /// The arguments make no sense: exit code 2.
    Usage(String),
    /// The chore ran and failed: exit code 1.
    Failed(String),
    /// Like `Failed`, and the chore has said why itself.
    Reported,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (chore, rest) = match args.split_first() {
        Some((chore, rest)) => (chore.as_str(), rest),
        None => ("help", &[][..]),
    };
    match run(chore, rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(message)) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
        Err(Failure::Reported) => ExitCode::FAILURE,
    }
}

fn run(chore: &str, args: &[String]) -> Result<(), Failure> {
    match chore {
        "test" => test::run(args),
        "tidy" => tidy::run(args),
        "gen" => generate::run(args),
        "fuzz" => fuzz::run(args),
        "torture" => torture::run(args),
        "bench" => bench::run(args),
        "eval" => eval::run(args),
        "vectors" => vectors::run(args),
        "sqlite-range" => sqlite_range::run(args),
        "help" | "--help" | "-h" => {
            print!("{}", usage());
            Ok(())
        }
        _ => Err(Failure::Usage(format!("no chore `{chore}`: take one of {}", names()))),
    }
}

/// Refuses arguments of a chore that takes none.
fn no_arguments(chore: &str, args: &[String]) -> Result<(), Failure> {
    match args.first() {
        None => Ok(()),
        Some(first) => {
            Err(Failure::Usage(format!("`cargo xtask {chore}` takes no argument, not `{first}`")))
        }
    }
}

fn names() -> String {
    CHORES.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ")
}

fn usage() -> String {
    let mut text = String::from("Usage: cargo xtask CHORE [ARGUMENTS]\n\nChores:\n");
    for (name, args, about) in CHORES {
        let call = format!("{name} {args}");
        text.push_str(&format!("  {call:<29} {about}\n"));
    }
    text.push_str("\nSteps of `test`: ");
    text.push_str(&test::step_names());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_chore_is_a_usage_error_that_names_the_valid_ones() {
        let Err(Failure::Usage(message)) = run("tset", &[]) else {
            panic!("`tset` is no chore");
        };
        assert_eq!(message, format!("no chore `tset`: take one of {}", names()));
        assert!(message.contains("tidy"));
    }

    #[test]
    fn usage_names_every_chore() {
        let usage = usage();
        for (name, _, _) in CHORES {
            assert!(usage.contains(&format!("\n  {name} ")), "{name} is missing");
        }
    }
}
