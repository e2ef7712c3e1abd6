//! `cargo xtask bench storage [--tickets N]`: the embedded store beside its floors.

use super::tables::grouped;
use super::{cost, machine};
use crate::{Failure, shell};
use serde_json::Value;

/// Runs it, and gives what it measured and on what.
pub(super) fn measure(args: &[String]) -> Result<Value, String> {
    captured("storage", args)
}

/// The JSON that a bench prints, and on what it was measured.
pub(super) fn captured(bench: &str, args: &[String]) -> Result<Value, String> {
    let mut command = shell::cargo(&["bench", "--bench", bench, "--"])?;
    let text = shell::captured(command.args(args))?;
    let mut found: Value = serde_json::from_str(&text)
        .map_err(|error| format!("the bench printed no JSON: {error}"))?;
    found["machine"] = machine::facts();
    Ok(found)
}

/// What the bench itself is told: how many tickets.
pub(super) fn options(flags: &[String]) -> Result<Vec<String>, Failure> {
    let own: Vec<&String> = flags.iter().filter(|flag| *flag != "--json").collect();
    match own[..] {
        [] => Ok(Vec::new()),
        [flag, n] if flag == "--tickets" && n.parse::<u32>().is_ok_and(|n| n >= 1_000) => {
            Ok(vec![flag.clone(), n.clone()])
        }
        _ => Err(Failure::Usage(
            "`bench storage` takes `--tickets N`, 1000 at least, and `--json`".to_owned(),
        )),
    }
}

/// Rows of what was measured: what, how much, beside what.
pub(super) fn rows(found: &Value) -> Vec<[String; 3]> {
    let number = |path: &str| found.pointer(path).and_then(Value::as_f64);
    let nanos = |path: &str| number(path).map_or("-".to_owned(), cost);
    let ratio = |path: &str, floor: &str| {
        number(path).map_or("-".to_owned(), |ratio| format!("{ratio:.2} x {floor}"))
    };
    let mut rows = Vec::new();
    let mut row = |what: String, cost: String, beside: String| rows.push([what, cost, beside]);
    let blob = "one row of the same bytes, CPU";
    row("commit, CPU".to_owned(), nanos("/commit/cpu_ns"), ratio("/commit/x_floor", blob));
    row("receive, CPU".to_owned(), nanos("/receive/cpu_ns"), ratio("/receive/x_floor", blob));
    for (part, disk) in [("durable", ""), ("durable_slow", ", 4 ms more a sync")] {
        for (at, run) in found[part].as_array().into_iter().flatten().enumerate() {
            let what = format!("durable commit, callers: {}{disk}", run["callers"]);
            let path = |name: &str| format!("/{part}/{at}/{name}");
            let beside = ratio(&path("of_floor"), "the rate of append and fdatasync");
            let bare = number(&path("rows_of_floor"))
                .map_or(String::new(), |ratio| format!("; SQLite's bare rows: {ratio:.2} x"));
            row(what, nanos(&path("wall_ns")), beside + &bare);
        }
    }
    let tickets = number("/tickets").map_or("-".to_owned(), grouped);
    for (name, what) in [
        ("get", "a ticket by id"),
        ("get_mapped", "a ticket by id, file mapped"),
        ("list_created_summary", "50 newest, summaries"),
        ("list_created_full", "50 newest, whole"),
        ("list_updated_summary", "50 touched last, summaries"),
        ("list_mine_summary", "50 of one agent, unsolved, summaries"),
        ("claim", "100 timers leased and given back"),
    ] {
        let at = |share: &str| nanos(&format!("/large/{name}/{share}_ns"));
        let what = format!("{what}, of {tickets} tickets");
        row(what, at("p50"), format!("{} at the 99th percentile", at("p99")));
    }
    let bytes = number("/large/bytes_a_ticket").unwrap_or(f64::NAN);
    let size = ratio("/large/size_ratio", "its record, journal and text as JSON");
    row("bytes of a ticket".to_owned(), format!("{bytes:.0}"), size);
    rows
}

/// What was measured, for a reader.
pub(super) fn table(found: &Value) -> String {
    let mut text = format!("{}\n", machine::line(&found["machine"]));
    for [what, cost, beside] in rows(found) {
        text.push_str(&format!("{what:<58}{cost:>14}   {beside}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn args(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn only_the_number_of_tickets_can_be_chosen() {
        assert_eq!(options(&args("--json")).unwrap(), Vec::<String>::new());
        assert_eq!(options(&args("--tickets 5000 --json")).unwrap(), args("--tickets 5000"));
        for line in ["--tickets", "--tickets many", "--tickets 10", "--ticket 5000"] {
            assert!(matches!(options(&args(line)), Err(Failure::Usage(_))), "{line}");
        }
    }

    #[test]
    fn each_cost_stands_beside_its_floor() {
        let found = json!({
            "tickets": 1000000, "commit": {"cpu_ns": 70000.0, "x_floor": 4.5},
            "durable": [{"callers": 32, "wall_ns": 90000.0, "of_floor": 0.83, "rows_of_floor": 0.9}],
        });
        let table = table(&found);
        assert!(table.contains("70.00 us   4.50 x one row"), "{table}");
        assert!(table.contains("callers: 32") && table.contains("0.83 x the rate"), "{table}");
        assert!(table.contains("bare rows: 0.90 x"), "{table}");
        assert!(table.contains("of 1,000,000 tickets"), "{table}");
    }
}
