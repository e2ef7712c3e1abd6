//! `cargo xtask bench storage_postgres`: the store on PostgreSQL beside its floors.

use super::storage::captured;
use super::{cost, machine};
use crate::Failure;
use serde_json::Value;

/// Runs it, and gives what it measured and on what.
pub(super) fn measure() -> Result<Value, String> {
    captured("storage_postgres", &[])
}

/// Refuses what the bench does not take.
pub(super) fn options(flags: &[String]) -> Result<(), Failure> {
    match flags.iter().find(|flag| *flag != "--json") {
        None => Ok(()),
        Some(_) => {
            let message = "`bench storage_postgres` has one size: `--json` is its only option";
            Err(Failure::Usage(message.to_owned()))
        }
    }
}

/// Rows of what was measured: what, how much, beside what.
pub(super) fn rows(found: &Value) -> Vec<[String; 3]> {
    let row = |what: String, run: &Value, floor: &str| {
        let number = |name: &str| run[name].as_f64();
        let nanos = |name: &str| number(name).map_or("-".to_owned(), cost);
        let share = number("of_insert_rate");
        let beside = share.map_or("-".to_owned(), |share| {
            format!("{share:.2} x the rate of {floor}, {} each", nanos("insert_ns"))
        });
        [what, nanos("commit_ns"), beside]
    };
    let mut rows: Vec<[String; 3]> = Vec::new();
    for (part, disk) in [("runs", ""), ("slow_runs", ", 4 ms more a sync")] {
        rows.extend(found[part].as_array().into_iter().flatten().map(|run| {
            let what = format!("durable commit, callers: {}{disk}", run["callers"]);
            let mut row = row(what, run, "inserts of one row");
            if let Some(share) = run["rows_of_insert_rate"].as_f64() {
                let (rows, tables) = (&run["rows"], &run["tables"]);
                row[2] += &format!("; bare, {rows} rows in {tables} tables: {share:.2} x");
            }
            row
        }));
    }
    let many = &found["many"];
    let what = format!("durable commit, {} at once by one caller", many["commits"]);
    rows.push(row(what, many, "as many rows in one insert"));
    rows
}

/// What was measured, for a reader.
pub(super) fn table(found: &Value) -> String {
    let mut text = format!("{}\n", machine::line(&found["machine"]));
    for [what, cost, beside] in rows(found) {
        text.push_str(&format!("{what:<48}{cost:>14}   {beside}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_cost_stands_beside_its_floor() {
        let found = json!({
            "runs": [{"callers": 8, "commit_ns": 700_000.0, "insert_ns": 560_000.0, "of_insert_rate": 0.8,
                "rows": 12, "tables": 9, "rows_of_insert_rate": 0.9}],
            "slow_runs": [{"callers": 8, "commit_ns": 900_000.0, "insert_ns": 810_000.0, "of_insert_rate": 0.9}],
            "many": {"commits": 64, "commit_ns": 500_000.0, "insert_ns": 50_000.0, "of_insert_rate": 0.1},
        });
        let table = table(&found);
        assert!(table.contains("callers: 8") && table.contains("0.80 x the rate"), "{table}");
        assert!(table.contains("12 rows in 9 tables: 0.90 x"), "{table}");
        assert!(table.contains("4 ms more a sync") && table.contains("0.90 x the rate"), "{table}");
        assert!(table.contains("64 at once") && table.contains("50.00 us each"), "{table}");
    }

    #[test]
    fn it_has_one_size() {
        assert!(options(&["--json".to_owned()]).is_ok());
        assert!(matches!(options(&["--tickets".to_owned()]), Err(Failure::Usage(_))));
    }
}
