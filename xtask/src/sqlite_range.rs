//! `cargo xtask sqlite-range`: the SQLite backend compiles with the oldest and the newest
//! rusqlite that its manifest admits. It needs a network, to fetch the oldest.

use crate::{Failure, no_arguments, shell};
use std::fs;

/// Where the range stands, and where what is picked of it is kept.
const MANIFEST: &str = "helpdesk-storage/Cargo.toml";
const LOCK: &str = "Cargo.lock";

/// Runs the chore. The lock file is as it was, whatever happens.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    no_arguments("sqlite-range", args)?;
    let root = shell::root()?;
    let read = |path: &str| {
        fs::read_to_string(root.join(path)).map_err(|error| format!("`{path}`: {error}"))
    };
    let (oldest, newest) = ends(&read(MANIFEST)?)?;
    let lock = read(LOCK)?;
    let outcome = [oldest, newest].iter().try_for_each(|version| check(version));
    fs::write(root.join(LOCK), lock).map_err(|error| format!("`{LOCK}`: {error}"))?;
    Ok(outcome?)
}

fn check(version: &str) -> Result<(), String> {
    shell::stream(&mut shell::cargo(&["update", "rusqlite", "--precise", version])?)?;
    let features = "sqlite,bundled";
    let package = ["--package", "helpdesk-storage", "--no-default-features"];
    let args = [&["check"][..], &package[..], &["--features", features][..]].concat();
    shell::stream(&mut shell::cargo(&args)?)
}

/// The oldest version of the range, and the one before its end: `>=0.32, <0.42` has
/// 0.32.0 and 0.41.0.
fn ends(manifest: &str) -> Result<(String, String), String> {
    let range = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rusqlite = { version = \">=0.")?.split_once('"'))
        .and_then(|(range, _)| range.split_once(", <0."))
        .ok_or_else(|| format!("`{MANIFEST}` has no range of rusqlite `>=0.N, <0.M`"))?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`0.{text}` is no version"));
    let (oldest, end) = (number(range.0)?, number(range.1)?);
    Ok((format!("0.{oldest}.0"), format!("0.{}.0", end.saturating_sub(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_those_of_the_manifest() {
        let line = "rusqlite = { version = \">=0.32, <0.42\", optional = true }\n";
        assert_eq!(ends(line), Ok(("0.32.0".to_owned(), "0.41.0".to_owned())));
        assert!(ends("rusqlite = \"0.41\"").is_err());
    }

    #[test]
    fn the_manifest_has_a_range() {
        let path = shell::root().unwrap().join(MANIFEST);
        ends(&fs::read_to_string(path).unwrap()).unwrap();
    }
}
