//! The tables of docs/PERFORMANCE.md, between `<!-- table: NAME -->` and `<!-- end -->`.

use super::{cost, machine, storage, storage_postgres};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const END: &str = "<!-- end -->";

/// The page with its tables made anew; for a part that was never measured it says so.
pub(super) fn fill(page: &str, data: &Value) -> Result<String, String> {
    let mut text = String::with_capacity(page.len());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let name = line.strip_prefix("<!-- table: ").and_then(|rest| rest.strip_suffix(" -->"));
        if let Some(name) = name {
            text.push_str(&table(name, data)?);
            if !lines.by_ref().any(|line| line == END) {
                return Err(format!("the table `{name}` has no `{END}`"));
            }
            text.push_str(END);
            text.push('\n');
        }
    }
    Ok(text)
}

fn table(name: &str, data: &Value) -> Result<String, String> {
    let part = name.split(' ').next().unwrap_or(name);
    let Some(found) = data.get(part) else {
        return Ok(format!("\nNot measured here yet: `cargo xtask bench report {part}`.\n\n"));
    };
    let table = match name.split(' ').collect::<Vec<_>>()[..] {
        ["routing", script] => routing(found, script),
        ["hard"] => hard(found),
        ["compare", group] => rivals(found, group),
        ["compare", "working", "time"] => by_group(found, &["due_", "elapsed_"]),
        ["calendar" | "assign" | "drain" | "what_if" | "tick" | "search" | "desk"] => plain(found),
        ["storage"] => storage_rows(storage::rows(found)),
        ["storage_postgres"] => storage_rows(storage_postgres::rows(found)),
        _ => return Err(format!("no table is called `{name}`")),
    };
    Ok(format!("\n{table}\nMeasured on {}.\n\n", machine::line(&found["machine"])))
}

/// A row of a table.
fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().collect();
    format!("| {} |\n", cells.join(" | "))
}

fn head(cells: &[&str]) -> String {
    let rule = cells.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "---:" });
    row(cells.iter().map(|cell| (*cell).to_owned())) + &row(rule.map(str::to_owned))
}

fn routing(found: &Value, script: &str) -> String {
    let mut text = head(&[
        "rules",
        "first",
        "all",
        "first, folded",
        "all, folded",
        "walk, first",
        "walk, all",
        "walk / all",
        "rules that hold",
        "build",
        "bytes a rule",
    ]);
    let runs = found["runs"].as_array().into_iter().flatten();
    for run in runs.filter(|run| run["script"] == script) {
        let number = |path: &str| run.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let mut cells = vec![grouped(number("/rules"))];
        let costs = [
            "/first_ns",
            "/all_ns",
            "/folded/first_ns",
            "/folded/all_ns",
            "/walk_first_ns",
            "/walk_all_ns",
        ];
        cells.extend(costs.map(|path| cost(number(path))));
        cells.push(times(number("/walk_all_ns") / number("/all_ns")));
        cells.push(format!("{:.1}", number("/matches_a_ticket")));
        cells.push(cost(number("/build_ns")));
        cells.push(format!("{:.0}", number("/bytes_a_rule")));
        text.push_str(&row(cells));
    }
    text
}

/// Median nanoseconds by group and bench.
fn medians(found: &Value) -> BTreeMap<(String, String), f64> {
    let rows = found["medians"].as_object().into_iter().flatten();
    rows.filter_map(|(name, row)| {
        let (group, bench) = name.split_once('/')?;
        Some(((group.to_owned(), bench.to_owned()), row["median_ns"].as_f64()?))
    })
    .collect()
}

fn hard(found: &Value) -> String {
    let medians = medians(found);
    let mut text = head(&["set", "rule set", "walk", "rule set / walk"]);
    for ((group, bench), nanos) in &medians {
        let (Some(set), "rule_set") = (group.strip_prefix("hard_"), bench.as_str()) else {
            continue;
        };
        let Some(walk) = medians.get(&(group.clone(), "walk".to_owned())) else { continue };
        let name = set.replace('_', " ");
        text.push_str(&row([name, cost(*nanos), cost(*walk), format!("{:.3}", nanos / walk)]));
    }
    let body = |name: &str| medians.get(&("hard_body".to_owned(), name.to_owned()));
    if let (Some(short), Some(long)) = (body("body_64_kib"), body("body_1_mib")) {
        text.push_str(&format!(
            "\nA body of 64 KiB: {}; of 1 MiB: {}, {:.2} times as much.\n",
            cost(*short),
            cost(*long),
            long / short
        ));
    }
    text
}

/// Sizes of a group `NAME_N` or `NAME_N_built`, and each engine's costs there.
pub(super) fn by_size(found: &Value, name: &str) -> BTreeMap<String, BTreeMap<u64, f64>> {
    let mut costs = BTreeMap::<String, BTreeMap<u64, f64>>::new();
    let (name, suffix) = match name.strip_suffix("_built") {
        Some(name) => (name, "_built"),
        None => (name, ""),
    };
    for ((group, engine), nanos) in medians(found) {
        let size = group.strip_prefix(name).and_then(|rest| rest.strip_prefix('_'));
        let size = size.and_then(|rest| rest.strip_suffix(suffix)?.parse().ok());
        if let Some(size) = size {
            costs.entry(engine).or_default().insert(size, nanos);
        }
    }
    costs
}

fn rivals(found: &Value, group: &str) -> String {
    let costs = by_size(found, group);
    let Some(ours) = costs.get("helpdesk") else { return String::new() };
    let sizes: Vec<u64> = ours.keys().copied().collect();
    let names: Vec<String> =
        sizes.iter().map(|size| format!("{} rules", grouped(*size as f64))).collect();
    let mut columns = vec!["engine"];
    columns.extend(names.iter().map(String::as_str));
    let mut text = head(&columns);
    let mut engines: Vec<&String> = costs.keys().collect();
    let at_most = |engine: &String| costs[engine].values().last().copied().unwrap_or_default();
    engines.sort_by(|a, b| at_most(a).total_cmp(&at_most(b)));
    for engine in engines {
        let cell = |size: &u64| match costs[engine].get(size) {
            Some(nanos) if engine == "helpdesk" => cost(*nanos),
            Some(nanos) => format!("{} ({})", cost(*nanos), times(nanos / ours[size])),
            None => "-".to_owned(),
        };
        text.push_str(&row([engine.clone()].into_iter().chain(sizes.iter().map(cell))));
    }
    text
}

/// Engines in rows, the groups that begin so in columns.
fn by_group(found: &Value, beginnings: &[&str]) -> String {
    let medians = medians(found);
    let is_wanted = |group: &str| beginnings.iter().any(|beginning| group.starts_with(beginning));
    let groups: BTreeSet<&String> =
        medians.keys().map(|(group, _)| group).filter(|group| is_wanted(group)).collect();
    let names: Vec<String> = groups.iter().map(|group| group.replace('_', " ")).collect();
    let mut columns = vec!["engine"];
    columns.extend(names.iter().map(String::as_str));
    let mut text = head(&columns);
    let engines: BTreeSet<&String> =
        medians.keys().filter(|(group, _)| is_wanted(group)).map(|(_, engine)| engine).collect();
    for engine in engines {
        let nanos = |group: &str, engine: &str| {
            medians.get(&(group.to_owned(), engine.to_owned())).copied().unwrap_or(f64::NAN)
        };
        let cell = |group: &&String| {
            let (own, ours) = (nanos(group, engine), nanos(group, "helpdesk"));
            if engine == "helpdesk" {
                cost(own)
            } else {
                format!("{} ({})", cost(own), times(own / ours))
            }
        };
        text.push_str(&row([engine.clone()].into_iter().chain(groups.iter().map(cell))));
    }
    text
}

/// A store beside its floors.
fn storage_rows(rows: Vec<[String; 3]>) -> String {
    rows.into_iter().fold(head(&["what", "cost", "beside"]), |text, cells| text + &row(cells))
}

/// All that a bench measured, one a row.
fn plain(found: &Value) -> String {
    let mut text = head(&["what", "median"]);
    for ((group, bench), nanos) in medians(found) {
        text.push_str(&row([format!("`{group}/{bench}`"), cost(nanos)]));
    }
    text
}

fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1} x") } else { format!("{ratio:.0} x") }
}

/// `10,000`.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_keeps_its_words_and_gets_new_tables() {
        let page = "# Costs\n<!-- table: compare rules -->\nold\n<!-- end -->\nwords\n";
        let data = json!({"compare": {"machine": {"cpu": "a cpu"}, "medians": {
            "rules_10/helpdesk": {"median_ns": 1000.0}, "rules_10/cel": {"median_ns": 4000.0},
            "rules_10000/helpdesk": {"median_ns": 9000.0}, "rules_10000/cel": {"median_ns": 9e7},
            "rules_10_built/cel": {"median_ns": 1.0},
        }}});
        let filled = fill(page, &data).unwrap();
        assert!(filled.starts_with("# Costs\n") && filled.ends_with("<!-- end -->\nwords\n"));
        assert!(!filled.contains("old"));
        assert!(filled.contains("| engine | 10 rules | 10,000 rules |\n"), "{filled}");
        assert!(filled.contains("| cel | 4.00 us (4.0 x) | 90.00 ms (10000 x) |\n"), "{filled}");
        assert_eq!(fill(&filled, &data).unwrap(), filled);
    }

    #[test]
    fn a_part_that_was_not_measured_has_no_figures() {
        let filled = fill("<!-- table: tick -->\n<!-- end -->\n", &json!({})).unwrap();
        assert!(filled.contains("Not measured here yet: `cargo xtask bench report tick`."));
    }

    #[test]
    fn a_table_without_an_end_or_of_no_known_name_is_refused() {
        let data = json!({"compare": {}, "weather": {}});
        assert!(fill("<!-- table: compare rules -->\nwords\n", &data).is_err());
        assert!(fill("<!-- table: weather -->\n<!-- end -->\n", &data).is_err());
    }

    #[test]
    fn a_hard_set_stands_beside_the_walk_over_it() {
        let found = json!({"medians": {
            "hard_parts_all/rule_set": {"median_ns": 10.0},
            "hard_parts_all/walk": {"median_ns": 40.0},
            "hard_body/body_64_kib": {"median_ns": 100.0}, "hard_body/body_1_mib": {"median_ns": 110.0},
        }});
        let text = hard(&found);
        assert!(text.contains("| parts all | 10.0 ns | 40.0 ns | 0.250 |"), "{text}");
        assert!(text.contains("1.10 times as much"), "{text}");
    }
}
