//! `cargo xtask test`: the whole suite, one named and timed step after the other.
//!
//! It stops at the first failure. A step whose input is missing fails: nothing is skipped.

use crate::{Failure, generate, purity, shell, tidy};
use helpdesk_test_support::{bouncer, postgres};
use std::time::Instant;

/// One step: its name, and what it runs.
struct Step {
    name: &'static str,
    run: fn() -> Result<(), String>,
}

/// The suite, cheap steps first.
const STEPS: &[Step] = &[
    Step { name: "fmt", run: || cargo(&["fmt", "--all", "--", "--check"]) },
    Step { name: "tidy", run: tidy::check },
    Step { name: "purity", run: purity::check },
    Step { name: "clippy", run: clippy },
    Step { name: "test", run: test },
    Step { name: "doctest", run: || cargo(&["test", "--doc", "--workspace", "--all-features"]) },
    Step { name: "doc", run: doc },
    Step { name: "features", run: features },
    Step { name: "gen", run: || generate::generate(generate::Mode::Check) },
    Step { name: "quickstart", run: quickstart },
    Step { name: "bench", run: bench },
    Step { name: "fuzz", run: fuzz },
];

/// What can be measured.
const BENCHES: [&str; 12] = [
    "desk",
    "storage",
    "storage_postgres",
    "calls",
    "routing",
    "routing_at",
    "assign",
    "drain",
    "calendar",
    "tick",
    "what_if",
    "search",
];

/// Runs all steps, or those that `args` name, in the suite's order.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let steps = select(args)?;
    let mut done: Vec<(&str, f64)> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n==> {} ({} of {})", step.name, index + 1, steps.len());
        let start = Instant::now();
        let outcome = (step.run)();
        let seconds = start.elapsed().as_secs_f64();
        if let Err(message) = outcome {
            println!("\nerror: step `{}` failed after {seconds:.1} s: {message}", step.name);
            if let Some(room) = shell::room_left() {
                println!("{room}");
            }
            let rest: Vec<&str> = steps.iter().skip(index + 1).map(|step| step.name).collect();
            if !rest.is_empty() {
                println!("not run: {}", rest.join(", "));
            }
            println!("try again: cargo xtask test {}", step.name);
            summarize(&done, 1);
            return Err(Failure::Reported);
        }
        done.push((step.name, seconds));
    }
    summarize(&done, 0);
    Ok(())
}

/// The names of the steps, in order.
pub(crate) fn step_names() -> String {
    STEPS.iter().map(|step| step.name).collect::<Vec<_>>().join(", ")
}

fn select(args: &[String]) -> Result<Vec<&'static Step>, Failure> {
    if let Some(arg) = args.iter().find(|arg| STEPS.iter().all(|step| step.name != **arg)) {
        return Err(Failure::Usage(format!("no step `{arg}`: take some of {}", step_names())));
    }
    Ok(STEPS.iter().filter(|step| args.is_empty() || args.iter().any(|a| a == step.name)).collect())
}

fn summarize(done: &[(&str, f64)], n_failed: usize) {
    println!();
    for (name, seconds) in done {
        println!("{seconds:>8.1} s  {name}");
    }
    println!("{} passed, {n_failed} failed", done.len());
}

fn cargo(args: &[&str]) -> Result<(), String> {
    shell::stream(&mut shell::cargo(args)?)
}

/// A step that needs a file fails without it: the project is not complete then.
fn require(path: &str) -> Result<(), String> {
    if shell::root()?.join(path).is_file() { Ok(()) } else { Err(format!("`{path}` is missing")) }
}

fn clippy() -> Result<(), String> {
    cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
}

/// Libraries, binaries, integration tests and the examples that the manifest says have tests
/// (`test = true`), beside a PostgreSQL server that is started for them and ends with them;
/// benches compile under `clippy`.
fn test() -> Result<(), String> {
    postgres::install()?;
    bouncer::install()?;
    let cluster = postgres::Cluster::start(postgres::Disk::Unsafe)?;
    let run = |args: &[&str]| {
        let mut command = shell::cargo(args)?;
        shell::stream(command.env(postgres::ADDRESS_VARIABLE, cluster.address()))
    };
    if shell::has_subcommand("nextest")? {
        return run(&["nextest", "run", "--workspace", "--all-features"]);
    }
    println!("cargo-nextest is not installed: cargo test takes its place");
    let targets = ["--lib", "--bins", "--tests", "--examples"];
    run(&[&["test", "--workspace", "--all-features"][..], &targets[..]].concat())
}

fn doc() -> Result<(), String> {
    let mut command = shell::cargo(&["doc", "--no-deps", "--workspace", "--all-features"])?;
    shell::stream(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Each crate with features builds without them.
fn features() -> Result<(), String> {
    for package in ["helpdesk", "helpdesk-storage", "helpdesk-search"] {
        cargo(&["check", "--package", package, "--no-default-features"])?;
    }
    Ok(())
}

fn quickstart() -> Result<(), String> {
    require("examples/quickstart/main.rs")?;
    cargo(&["run", "--release", "--example", "quickstart"])
}

/// Each benchmark runs once, unmeasured, as the tests are built: an optimized build of each
/// would take longer than all that it does.
fn bench() -> Result<(), String> {
    let mut args = vec!["test", "--all-features"];
    for name in BENCHES {
        args.extend(["--bench", name]);
    }
    args.extend(["--", "--test"]);
    cargo(&args)
}

/// The fuzz targets compile; `cargo xtask fuzz` runs them.
fn fuzz() -> Result<(), String> {
    require("fuzz/Cargo.toml")?;
    let mut command = shell::cargo(&["check", "--manifest-path", "fuzz/Cargo.toml"])?;
    shell::stream(command.env("RUSTFLAGS", "--cfg fuzzing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_steps_run_in_the_suites_order() {
        let args = ["gen".to_owned(), "fmt".to_owned()];
        let Ok(steps) = select(&args) else { panic!("both are steps") };
        assert_eq!(steps.iter().map(|step| step.name).collect::<Vec<_>>(), ["fmt", "gen"]);
    }

    #[test]
    fn an_unknown_step_is_a_usage_error() {
        assert!(matches!(select(&["nothing".to_owned()]), Err(Failure::Usage(_))));
    }

    #[test]
    fn a_missing_file_is_named() {
        assert_eq!(require("no/such.rs"), Err("`no/such.rs` is missing".to_owned()));
        assert_eq!(require("Cargo.toml"), Ok(()));
    }
}
