//! `cargo xtask torture`: the reliability suite for as long as one likes.

use crate::{Failure, shell};

/// Runs the suite's own program, which says what the arguments are.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let program = ["run", "--profile", "torture", "--package", "helpdesk-torture", "--"];
    let args: Vec<&str> = program.into_iter().chain(args.iter().map(String::as_str)).collect();
    shell::stream(&mut shell::cargo(&args)?)?;
    Ok(())
}
