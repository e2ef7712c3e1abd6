//! `cargo xtask fuzz`: runs the fuzz targets for a while.

use crate::{Failure, shell};
use std::fs;
use std::path::Path;

/// Seconds for each target when none are given.
const SECONDS_DEFAULT: u32 = 15;

/// What to fuzz, and for how long.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    seconds: u32,
    /// Empty: all of them.
    targets: Vec<String>,
}

/// Runs the chore.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let plan = parse(args).map_err(Failure::Usage)?;
    let known = targets(&shell::root()?.join("fuzz/fuzz_targets"))?;
    if let Some(other) = plan.targets.iter().find(|target| !known.contains(target)) {
        let list = known.join(", ");
        return Err(Failure::Usage(format!("no fuzz target `{other}`: take some of {list}")));
    }
    if !shell::has_subcommand("fuzz")? {
        let install = "cargo install --locked cargo-fuzz";
        return Err(Failure::Failed(format!("cargo-fuzz is not installed; run `{install}`")));
    }
    let chosen = if plan.targets.is_empty() { &known } else { &plan.targets };
    for target in chosen {
        let limit = format!("-max_total_time={}", plan.seconds);
        let mut command = shell::cargo(&["fuzz", "run", target, "--", &limit])?;
        // libFuzzer's instrumentation is an unstable flag of the compiler.
        shell::stream(command.env("RUSTC_BOOTSTRAP", "1"))?;
    }
    println!("{} fuzz targets, {} s each: nothing found", chosen.len(), plan.seconds);
    Ok(())
}

fn parse(args: &[String]) -> Result<Plan, String> {
    let mut plan = Plan { seconds: SECONDS_DEFAULT, targets: Vec::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let text = args.next().map_or("", String::as_str);
            // 0 would mean forever to libFuzzer.
            plan.seconds = match text.parse() {
                Ok(seconds) if seconds > 0 => seconds,
                _ => return Err(format!("`--seconds` wants a positive number, not `{text}`")),
            };
        } else if arg.starts_with('-') {
            return Err(format!("no option `{arg}`: `cargo xtask fuzz [--seconds N] [TARGET…]`"));
        } else {
            plan.targets.push(arg.clone());
        }
    }
    Ok(plan)
}

/// The targets by name, sorted: one a file.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error| format!("`fuzz/fuzz_targets` cannot be read: {error}");
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort_unstable();
    if names.is_empty() { Err("`fuzz/fuzz_targets` has no target".to_owned()) } else { Ok(names) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Plan, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn seconds_and_targets_may_come_in_any_order() {
        let plan = Plan { seconds: 60, targets: vec!["intake".to_owned(), "config".to_owned()] };
        assert_eq!(parsed("intake --seconds 60 config"), Ok(plan));
        assert_eq!(parsed(""), Ok(Plan { seconds: SECONDS_DEFAULT, targets: vec![] }));
    }

    #[test]
    fn no_time_and_unknown_options_are_refused() {
        assert!(parsed("--seconds").is_err());
        assert!(parsed("--seconds 0").is_err());
        assert!(parsed("--minutes 3").is_err());
    }
}
