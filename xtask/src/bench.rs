//! `cargo xtask bench`: runs the benches and prints each cost beside its floor.
//!
//! `bench report` runs those that docs/PERFORMANCE.md shows, and writes its tables
//! and plots again.

mod machine;
mod plot;
mod report;
mod routing_at;
mod storage;
mod storage_postgres;
mod tables;

use crate::{Failure, shell};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The bench to which the others of its group are compared: the first that the group has.
const FLOORS: [&str; 4] = ["floor", "helpdesk", "walk", "body_64_kib"];
/// The name of the comparison with other crates, a workspace of its own.
const COMPARE: &str = "compare";
/// The bench of rule sets, which also runs at one size.
const ROUTING: &str = "routing";
/// The bench of the embedded store, which has floors of its own.
const STORAGE: &str = "storage";
/// The bench of the store on PostgreSQL, likewise.
const POSTGRES: &str = "storage_postgres";
const USAGE: &str = "`cargo xtask bench desk|routing|assign|drain|calendar|tick|what_if|search|compare [--json]`, \
    `cargo xtask bench routing --rules N [--seed S] [--tickets T] [--cyrillic] [--json]`, `cargo \
    xtask bench storage [--tickets N] [--json]`, `cargo xtask bench storage_postgres [--json]`, or `cargo xtask bench report [PART…]`";

/// Runs the chore.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let (name, rest) = match args.split_first() {
        Some((name, rest)) if !name.starts_with('-') => (name.as_str(), rest),
        _ => return Err(Failure::Usage(format!("a bench first: {USAGE}"))),
    };
    if name == "report" {
        return report::run(rest);
    }
    let is_json = rest.iter().any(|flag| flag == "--json");
    if name == STORAGE {
        let found = storage::measure(&storage::options(rest)?)?;
        show(is_json, &found, || storage::table(&found));
        return Ok(());
    }
    if name == POSTGRES {
        storage_postgres::options(rest)?;
        let found = storage_postgres::measure()?;
        show(is_json, &found, || storage_postgres::table(&found));
        return Ok(());
    }
    let size = routing_at::options(rest)?;
    match size {
        Some(size) if name == ROUTING => {
            let found = routing_at::measure(&size)?;
            show(is_json, &found, || routing_at::table(&found));
        }
        Some(_) => {
            let message = format!("`{name}` has one size: `--json` is its only option");
            return Err(Failure::Usage(message));
        }
        None => {
            let medians = measure(name, &[])?;
            show(is_json, &as_json(&medians), || table(&medians));
        }
    }
    Ok(())
}

fn show(is_json: bool, found: &Value, table: impl FnOnce() -> String) {
    if is_json {
        println!("{found}");
    } else {
        print!("{}", table());
    }
}

/// Runs a bench, or the part of it that a filter names, and gives its medians. What
/// it says itself goes to stderr.
fn measure(name: &str, filter: &[&str]) -> Result<Medians, String> {
    let home = std::env::temp_dir().join(format!("helpdesk-bench-{}", std::process::id()));
    let args = match name {
        COMPARE => ["bench", "--manifest-path", "benches/compare/Cargo.toml"],
        name => ["bench", "--bench", name],
    };
    let mut command = shell::cargo(&args)?;
    if !filter.is_empty() {
        command.arg("--").args(filter);
    }
    shell::stream_aside(command.env("CRITERION_HOME", &home))?;
    let medians = medians(&home);
    // What criterion leaves is of no use any more, and in nobody's way either.
    let _ = fs::remove_dir_all(&home);
    medians
}

/// Median nanoseconds by bench, `group/bench` or `group/bench/parameter`.
type Medians = BTreeMap<String, f64>;

fn medians(home: &Path) -> Result<Medians, String> {
    let mut found = Medians::new();
    collect(home, "", &mut found)?;
    if found.is_empty() { Err("the bench measured nothing".to_owned()) } else { Ok(found) }
}

fn collect(folder: &Path, name: &str, found: &mut Medians) -> Result<(), String> {
    let failed = |error| format!("`{}` cannot be read: {error}", folder.display());
    let estimates = folder.join("new/estimates.json");
    if estimates.exists() {
        let text = fs::read_to_string(&estimates).map_err(failed)?;
        let median = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|value| value.pointer("/median/point_estimate")?.as_f64());
        found.insert(name.to_owned(), median.ok_or("no median in criterion's estimates")?);
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().is_dir() {
            let part = entry.file_name().to_string_lossy().into_owned();
            let name = if name.is_empty() { part } else { format!("{name}/{part}") };
            collect(&entry.path(), &name, found)?;
        }
    }
    Ok(())
}

/// The floor of a bench's group, where there is one, and the ratio to it.
fn ratio(medians: &Medians, name: &str) -> Option<(&'static str, f64)> {
    let group = name.split('/').next()?;
    let floor = |floor: &&'static str| Some((*floor, medians.get(&format!("{group}/{floor}"))?));
    let (floor, nanos) = FLOORS.iter().find_map(floor)?;
    Some((floor, medians.get(name)? / nanos))
}

fn table(medians: &Medians) -> String {
    let mut text = String::new();
    for (name, nanos) in medians {
        let times =
            ratio(medians, name).map_or(String::new(), |(floor, r)| format!("{r:>8.1} x {floor}"));
        text.push_str(&format!("{name:<42}{:>16}{times}\n", cost(*nanos)));
    }
    text
}

/// A cost in the unit that reads best.
fn cost(nanos: f64) -> String {
    match nanos {
        ..1_000.0 => format!("{nanos:.1} ns"),
        1_000.0..10_000_000.0 => format!("{:.2} us", nanos / 1_000.0),
        _ => format!("{:.2} ms", nanos / 1_000_000.0),
    }
}

fn as_json(medians: &Medians) -> Value {
    let row = |(name, nanos): (&String, &f64)| {
        (name.clone(), json!({"median_ns": nanos, "x_floor": ratio(medians, name).map(|(_, r)| r)}))
    };
    Value::Object(medians.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_is_compared_to_the_floor_of_its_group() {
        let rows = [("receive/floor", 10.0), ("receive/sqlite/100", 95.0), ("decide/10", 5.0)];
        let medians: Medians = rows.map(|(name, nanos)| (name.to_owned(), nanos)).into();
        assert_eq!(ratio(&medians, "receive/sqlite/100"), Some(("floor", 9.5)));
        assert_eq!(ratio(&medians, "decide/10"), None);
        assert!(table(&medians).contains("9.5 x floor"), "{}", table(&medians));
    }

    #[test]
    fn a_cost_is_told_in_the_unit_that_reads_best() {
        assert_eq!((cost(35.04), cost(123_456.0)), ("35.0 ns".to_owned(), "123.46 us".to_owned()));
        assert_eq!(cost(60_000_000.0), "60.00 ms");
    }

    #[test]
    fn it_wants_one_bench_and_options_that_this_bench_has() {
        for line in ["", "--json", "desk --jsno", "desk calendar", "tick --rules 10"] {
            let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert!(matches!(run(&args), Err(Failure::Usage(_))), "{line}");
        }
    }
}
