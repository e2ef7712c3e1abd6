//! The core's purity, as far as its manifest goes.
//!
//! A full build may switch on chrono's clock through another crate, and the
//! core would compile with it. So the core is checked alone, and its own
//! dependencies are read.

use crate::shell;

/// Features that bring a clock or randomness, by crate.
const FEATURES_FORBIDDEN: &[(&str, &[&str])] = &[
    ("chrono", &["default", "clock", "now"]),
    ("uuid", &["v1", "v4", "v6", "v7", "rng", "fast-rng"]),
];

/// Crates that do I/O, run futures or draw numbers, by name.
const CRATES_FORBIDDEN: &[&str] = &[
    "async-io",
    "async-std",
    "async-trait",
    "futures",
    "futures-util",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "pollster",
    "rand",
    "reqwest",
    "rusqlite",
    "smol",
    "tokio",
    "tokio-postgres",
];

/// Checks that the core compiles alone, and that nothing it depends on breaks its purity.
pub(crate) fn check() -> Result<(), String> {
    shell::stream(&mut shell::cargo(&["check", "--package", "helpdesk-core"])?)?;
    let args = ["tree", "--package", "helpdesk-core", "--edges", "normal", "--prefix", "none"];
    let mut tree = shell::cargo(&args)?;
    let faults = faults(&shell::output(tree.args(["--format", "{p}|{f}"]))?)?;
    if faults.is_empty() {
        println!("helpdesk-core: no clock, no randomness, no I/O among its dependencies");
        return Ok(());
    }
    Err(format!("helpdesk-core is not pure:\n  {}", faults.join("\n  ")))
}

/// What is wrong in a `cargo tree` whose lines read `name version (source)|feature,feature`.
fn faults(tree: &str) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for line in tree.lines().filter(|line| !line.trim().is_empty()) {
        let (package, features) = line
            .split_once('|')
            .ok_or_else(|| format!("`cargo tree` printed a line of another form: `{line}`"))?;
        let name = package.split(' ').next().unwrap_or(package);
        if CRATES_FORBIDDEN.contains(&name) {
            faults.push(format!("it depends on `{name}`"));
        }
        let features = features.trim_end_matches(" (*)");
        for (_, forbidden) in FEATURES_FORBIDDEN.iter().filter(|(krate, _)| *krate == name) {
            for feature in features.split(',').filter(|feature| forbidden.contains(feature)) {
                faults.push(format!("feature `{feature}` of `{name}` is on"));
            }
        }
    }
    if !tree.lines().any(|line| line.starts_with("chrono ")) {
        return Err("`cargo tree` names no chrono: nothing was checked".to_owned());
    }
    faults.sort_unstable();
    faults.dedup();
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pure_tree_has_no_fault() {
        let tree = "helpdesk-core v0.1.0|\nchrono v0.4.45|alloc,serde (*)\nuuid v1.29.1|serde\n";
        assert_eq!(faults(tree), Ok(vec![]));
    }

    #[test]
    fn a_clock_randomness_and_a_runtime_are_faults() {
        let tree = "chrono v0.4.45|alloc,clock\nuuid v1.29.1|serde,v4 (*)\n\ntokio v1.50.0|rt\n";
        assert_eq!(
            faults(tree),
            Ok(vec![
                "feature `clock` of `chrono` is on".to_owned(),
                "feature `v4` of `uuid` is on".to_owned(),
                "it depends on `tokio`".to_owned(),
            ])
        );
    }

    #[test]
    fn an_empty_tree_is_no_proof() {
        assert!(faults("").is_err());
    }
}
