//! `cargo xtask eval`: how well search and classification do on sets of real questions.
//!
//! The measuring itself is behind the feature `eval`, because it needs the index
//! library; without it, this runs the package again with it, in the profile `eval`.

#[cfg(feature = "eval")]
mod classify;
#[cfg(feature = "eval")]
mod data;
#[cfg(feature = "eval")]
mod floor;
#[cfg(feature = "eval")]
mod measures;
#[cfg(feature = "eval")]
mod search;

use crate::Failure;

const USAGE: &str = "`cargo xtask eval search DIR… [--docs DIR] [--floor] [--json]` or \
    `cargo xtask eval classify TRAIN DEV [--json]`";

/// Runs the chore.
#[cfg(feature = "eval")]
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    match args.split_first() {
        Some((kind, rest)) if kind == "search" => search::run(rest),
        Some((kind, rest)) if kind == "classify" => classify::run(rest),
        _ => Err(Failure::Usage(USAGE.to_owned())),
    }
}

/// Runs the chore in a build that can.
#[cfg(not(feature = "eval"))]
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    if !args.first().is_some_and(|kind| kind == "search" || kind == "classify") {
        return Err(Failure::Usage(USAGE.to_owned()));
    }
    let build = ["run", "--quiet", "--package", "xtask", "--profile", "eval", "--features", "eval"];
    let mut command = crate::shell::cargo(&build)?;
    // Paths are meant from where the chore was started, not from the root.
    let here = std::env::current_dir().map_err(|error| format!("no current folder: {error}"))?;
    let root = crate::shell::root()?;
    command.current_dir(here).arg("--manifest-path").arg(root.join("Cargo.toml"));
    command.args(["--", "eval"]).args(args);
    let status = command.status().map_err(|error| format!("cargo did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(Failure::Reported) }
}
