//! `cargo xtask torture`: the reliability suite for as long as one likes.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to a terminal")]

use helpdesk_torture::part::{Extent, PARTS, Setting, parts, run};
use helpdesk_torture::{child, search};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Minutes that a run takes when none are given.
const MINUTES_DEFAULT: u64 = 1;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    names: Vec<String>,
    seed: Option<u64>,
    extent: Extent,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((word, words)) if word == child::WORD => child::run(words),
        Some((word, words)) if word == search::WORD => search::work(words),
        _ => match torture(&args) {
            Ok(text) => {
                print!("{text}");
                ExitCode::SUCCESS
            }
            Err(message) => {
                eprintln!("error: {message}");
                ExitCode::FAILURE
            }
        },
    }
}

fn torture(args: &[String]) -> Result<String, String> {
    let plan = parse(args)?;
    let chosen = parts(&plan.names)?;
    let program = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let seed = plan.seed.unwrap_or_else(seed_of_now);
    for part in &chosen {
        println!("{:<10} {}", part.name, part.about);
    }
    println!("from seed {seed} on");
    run(&chosen, seed, plan.extent, &Setting { program }).map(|report| report.text())
}

/// A seed that was hardly taken before; small enough to be typed.
fn seed_of_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs() * 1_000_000
}

fn parse(args: &[String]) -> Result<Plan, String> {
    let extent = Extent::Time(Duration::from_secs(60 * MINUTES_DEFAULT));
    let mut plan = Plan { names: Vec::new(), seed: None, extent };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || {
            let text = args.next().map_or("", String::as_str);
            text.parse::<u64>().map_err(|_| format!("`{arg}` wants a number, not `{text}`"))
        };
        match arg.as_str() {
            "--seed" => plan.seed = Some(number()?),
            "--seeds" => plan.extent = Extent::Seeds(number()?),
            "--minutes" => plan.extent = Extent::Time(Duration::from_secs(60 * number()?)),
            name if name.starts_with('-') => {
                return Err(format!("no option `{name}`\n{}", usage()));
            }
            name => plan.names.push(name.to_owned()),
        }
    }
    Ok(plan)
}

fn usage() -> String {
    let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
    let names = names.join(", ");
    format!("torture [--minutes N | --seeds N] [--seed S] [PART…]; parts: {names}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Plan, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_and_parts_may_come_in_any_order() {
        let plan = parsed("kill --minutes 3 --seed 7").unwrap();
        assert_eq!(plan.names, ["kill"]);
        assert_eq!((plan.seed, plan.extent), (Some(7), Extent::Time(Duration::from_secs(180))));
        assert_eq!(parsed("--seeds 9").unwrap().extent, Extent::Seeds(9));
    }

    #[test]
    fn what_is_no_number_or_option_is_refused() {
        assert!(parsed("--seed x").is_err());
        assert!(parsed("--minutes").is_err());
        assert!(parsed("--hours 3").unwrap_err().contains("parts: "));
    }
}
