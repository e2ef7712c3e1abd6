//! `cargo xtask bench routing --rules N …`: one size, one seed.

use super::{cost, machine};
use crate::{Failure, shell};
use serde_json::Value;

/// Runs it, and gives what it measured and on what.
pub(super) fn measure(args: &[String]) -> Result<Value, String> {
    let mut command = shell::cargo(&["bench", "--bench", "routing_at", "--"])?;
    let text = shell::captured(command.args(args))?;
    let mut found: Value = serde_json::from_str(&text)
        .map_err(|error| format!("the bench printed no JSON: {error}"))?;
    found["machine"] = machine::facts();
    Ok(found)
}

/// The options of one size; `None` when there are none of them.
pub(super) fn options(flags: &[String]) -> Result<Option<Vec<String>>, Failure> {
    let mut own = Vec::new();
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            "--cyrillic" => own.push(flag.clone()),
            "--rules" | "--seed" | "--tickets" => {
                let value = flags.next().filter(|value| value.parse::<u64>().is_ok());
                let wanted = || Failure::Usage(format!("`{flag}` wants a number"));
                own.extend([flag.clone(), value.ok_or_else(wanted)?.clone()]);
            }
            "--json" => {}
            other => return Err(Failure::Usage(format!("no option `{other}` of `bench`"))),
        }
    }
    Ok((!own.is_empty()).then_some(own))
}

/// What was measured, for a reader.
pub(super) fn table(found: &Value) -> String {
    let number = |path: &str| found.pointer(path).and_then(Value::as_f64);
    let count = |path: &str| number(path).map_or("-".to_owned(), |value| value.to_string());
    let mut text = format!(
        "{} rules, {} {} tickets, seed {}\n{}\n",
        count("/rules"),
        count("/tickets"),
        found["script"].as_str().unwrap_or_default(),
        count("/seed"),
        machine::line(&found["machine"])
    );
    let mut row = |name: &str, value: String| text.push_str(&format!("{name:<34}{value:>16}\n"));
    for (name, path) in [
        ("first", "/first_ns"),
        ("all", "/all_ns"),
        ("first, texts folded before", "/folded/first_ns"),
        ("all, texts folded before", "/folded/all_ns"),
        ("plain walk, first", "/walk_first_ns"),
        ("plain walk, all", "/walk_all_ns"),
        ("build", "/build_ns"),
    ] {
        row(name, number(path).map_or("-".to_owned(), cost));
    }
    for (name, path) in [
        ("bytes a rule", "/bytes_a_rule"),
        ("rules that hold on a ticket", "/matches_a_ticket"),
        ("allocations, texts folded before", "/folded/allocations"),
        ("tickets that the walk was asked", "/walk_tickets"),
    ] {
        row(name, number(path).map_or("-".to_owned(), |value| format!("{value:.1}")));
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
    fn one_size_is_asked_for_by_its_options() {
        let asked = args("--rules 10 --json --cyrillic --seed 3");
        assert_eq!(options(&asked).unwrap().unwrap(), args("--rules 10 --cyrillic --seed 3"));
        assert!(options(&args("--json")).unwrap().is_none());
        assert!(options(&[]).unwrap().is_none());
    }

    #[test]
    fn a_size_without_a_number_is_a_usage_error() {
        for line in ["--rules", "--rules many", "--rules --json", "--tickest 5"] {
            assert!(matches!(options(&args(line)), Err(Failure::Usage(_))), "{line}");
        }
    }

    #[test]
    fn a_table_shows_each_figure_and_a_dash_for_what_is_not_there() {
        let found = json!({"rules": 10, "first_ns": 1500.0, "script": "latin"});
        let table = table(&found);
        assert!(
            table.contains("1.50 us") && table.contains("10 rules, - latin tickets"),
            "{table}"
        );
    }
}
