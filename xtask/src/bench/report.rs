//! `cargo xtask bench report`: measures, and writes what docs/PERFORMANCE.md shows.
//!
//! What was measured is kept in docs/performance.json, part by part, so that a part
//! can be measured again without the others. The tables stand between markers in
//! docs/PERFORMANCE.md; everything else there is written by hand.

use super::{as_json, machine, measure, plot, routing_at, storage, storage_postgres, tables};
use crate::{Failure, shell};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

const DATA: &str = "docs/performance.json";
const PAGE: &str = "docs/PERFORMANCE.md";
/// What can be measured by itself.
const PARTS: [&str; 12] = [
    "routing",
    "hard",
    "compare",
    "calendar",
    "assign",
    "drain",
    "what_if",
    "tick",
    "search",
    "desk",
    "storage",
    "storage_postgres",
];
/// Rules of each run of `routing`, in both scripts.
const SIZES: [u64; 5] = [10, 100, 1_000, 10_000, 100_000];

/// Measures the named parts, or all; with `--draw` none. Then writes page and plots.
pub(super) fn run(args: &[String]) -> Result<(), Failure> {
    let is_drawn = args.iter().any(|arg| arg == "--draw");
    let named: Vec<&String> = args.iter().filter(|arg| *arg != "--draw").collect();
    if let Some(part) = named.iter().find(|part| !PARTS.contains(&part.as_str())) {
        let message = format!("no part `{part}`: take some of {}, or `--draw`", PARTS.join(", "));
        return Err(Failure::Usage(message));
    }
    let root = shell::root()?;
    let mut data = read(&root.join(DATA))?;
    let is_wanted = |part: &str| match named.is_empty() {
        true => !is_drawn,
        false => named.iter().any(|name| *name == part),
    };
    for part in PARTS.into_iter().filter(|part| is_wanted(part)) {
        data.insert(part.to_owned(), measured(part)?);
        // Kept at once: a later part may fail.
        let text = format!("{:#}\n", Value::Object(data.clone()));
        write(&root.join(DATA), &text)?;
    }
    let data = Value::Object(data);
    let page = fs::read_to_string(root.join(PAGE)).map_err(|error| format!("`{PAGE}`: {error}"))?;
    write(&root.join(PAGE), &tables::fill(&page, &data)?)?;
    for (path, picture) in plot::all(&data)? {
        write(&root.join(path), &picture)?;
    }
    Ok(())
}

fn measured(part: &str) -> Result<Value, String> {
    let mut found = match part {
        "routing" => {
            let mut runs = Vec::new();
            for script in [None, Some("--cyrillic")] {
                for n_rules in SIZES {
                    let mut args = vec!["--rules".to_owned(), n_rules.to_string()];
                    args.extend(script.map(str::to_owned));
                    runs.push(routing_at::measure(&args)?);
                }
            }
            json!({ "runs": runs })
        }
        // It says itself on what it was measured.
        "storage" => return storage::measure(&[]),
        "storage_postgres" => return storage_postgres::measure(),
        "hard" => json!({"medians": as_json(&measure("routing", &["hard_"])?)}),
        name => json!({"medians": as_json(&measure(name, &[])?)}),
    };
    found["machine"] = machine::facts();
    Ok(found)
}

fn read(path: &Path) -> Result<Map<String, Value>, String> {
    if !path.exists() {
        return Ok(Map::new());
    }
    let text = fs::read_to_string(path).map_err(|error| format!("`{DATA}`: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("`{DATA}`: {error}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("`{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_there_is_not_is_a_usage_error() {
        let Err(Failure::Usage(message)) = run(&["rivals".to_owned()]) else {
            panic!("`rivals` is no part");
        };
        assert!(message.contains("compare"), "{message}");
    }
}
