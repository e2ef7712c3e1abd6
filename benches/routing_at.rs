//! What routing costs at one size: `cargo xtask bench routing --rules N --seed S`.
//!
//! Prints one JSON object; docs/PERFORMANCE.md says what its fields are. Costs are
//! CPU time of the calling thread, medians of rounds over all tickets. Memory is
//! counted by an allocator that this program alone has.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench may panic, and prints what it found"
)]

#[path = "fixture/clock.rs"]
#[allow(dead_code, reason = "criterion is not asked here")]
mod clock;
#[path = "fixture/rules.rs"]
mod rules;

use clock::cpu_time;
use helpdesk::core::condition::{FactMap, RuleSet, Scratch};
use rules::Workload;
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Rounds over all tickets, of which the median counts.
const ROUNDS: usize = 15;
/// Rounds of what takes longer: the walk, a build.
const ROUNDS_LONG: usize = 5;
/// Conditions that one round of the walk asks at most, about.
const WALKED_MAX: usize = 1_000_000;

struct Options {
    n_rules: usize,
    n_tickets: usize,
    seed: u64,
    is_cyrillic: bool,
}

impl Options {
    /// Cargo adds `--bench`, and the suite `--test`: small then.
    fn read() -> Self {
        let mut options = Self { n_rules: 1_000, n_tickets: 500, seed: 7, is_cyrillic: false };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut number = || {
                let value = args.next().and_then(|value| value.parse::<u64>().ok());
                value.unwrap_or_else(|| panic!("`{arg}` wants a number"))
            };
            match arg.as_str() {
                "--rules" => options.n_rules = number() as usize,
                "--tickets" => options.n_tickets = (number() as usize).max(1),
                "--seed" => options.seed = number(),
                "--cyrillic" => options.is_cyrillic = true,
                "--test" => (options.n_rules, options.n_tickets) = (200, 20),
                "--bench" => {}
                other => panic!("no option `{other}`"),
            }
        }
        options
    }
}

fn main() {
    let options = Options::read();
    let Options { n_rules, n_tickets, seed, is_cyrillic } = options;
    let work = Workload::new(n_rules, n_tickets, seed, is_cyrillic);
    let (rules, set_bytes) = build(&work);
    let mut found = json!({
        "format": 1,
        "rules": n_rules, "tickets": n_tickets, "seed": seed,
        "script": if is_cyrillic { "cyrillic" } else { "latin" },
        "bytes_a_rule": set_bytes as f64 / n_rules.max(1) as f64,
        "build_ns": build_time(&work),
    });
    let mut add = |name: &str, value: Value| found[name] = value;
    let n_walked = walked(&work, n_tickets);
    add("checked_tickets", json!(check(&work, &rules, n_walked)));
    add("matches_a_ticket", json!(matches(&work, &rules)));
    let mut scratch = Scratch::default();
    let first = |it: &mut FactMap| rules.first(it, &mut scratch).map_or(0, |rule| rule as u32);
    add("first_ns", json!(cost(&work.tickets, ROUNDS, first)));
    let mut scratch = Scratch::default();
    let all = |it: &mut FactMap| rules.all(it, &mut scratch).len() as u32;
    add("all_ns", json!(cost(&work.tickets, ROUNDS, all)));
    add("folded", folded(&work, &rules));
    let walk_all = |it: &mut FactMap| work.walk(it).len() as u32;
    let walk_first = |it: &mut FactMap| {
        work.conditions.iter().position(|rule| rule.holds(it)).map_or(0, |rule| rule as u32)
    };
    let walked = &work.tickets[..n_walked];
    add("walk_first_ns", json!(cost(walked, ROUNDS_LONG, walk_first)));
    add("walk_all_ns", json!(cost(walked, ROUNDS_LONG, walk_all)));
    add("walk_tickets", json!(n_walked));
    println!("{found}");
}

/// Builds the rule set, and counts the bytes that it keeps.
fn build(work: &Workload) -> (RuleSet, usize) {
    let region = Region::new(MEMORY);
    let rules = RuleSet::new(&work.conditions);
    let change = region.change();
    let bytes = change.bytes_allocated as isize - change.bytes_deallocated as isize;
    (rules, bytes.max(0).unsigned_abs())
}

/// Nanoseconds that one build takes.
fn build_time(work: &Workload) -> f64 {
    let rounds = (0..ROUNDS_LONG).map(|_| {
        let start = cpu_time();
        let rules = RuleSet::new(&work.conditions);
        let time = cpu_time() - start;
        black_box(rules.len());
        time
    });
    median(rounds.collect()).as_nanos() as f64
}

/// On how many tickets the walk is affordable; one at least.
fn walked(work: &Workload, n_tickets: usize) -> usize {
    (WALKED_MAX / work.conditions.len().max(1)).clamp(1, n_tickets)
}

/// The rule set finds what the walk finds; on how many tickets that was checked.
fn check(work: &Workload, rules: &RuleSet, n_checked: usize) -> usize {
    let mut scratch = Scratch::default();
    for ticket in &work.tickets[..n_checked] {
        let ticket = ticket.clone();
        let walked = work.walk(&ticket);
        assert_eq!(rules.all(&ticket, &mut scratch), walked);
        let first = walked.first().map(|rule| *rule as usize);
        assert_eq!(rules.first(&ticket, &mut scratch), first);
    }
    n_checked
}

/// Rules that hold on a ticket, in the mean.
fn matches(work: &Workload, rules: &RuleSet) -> f64 {
    let mut scratch = Scratch::default();
    let found = |ticket: &FactMap| rules.all(&ticket.clone(), &mut scratch).len();
    work.tickets.iter().map(found).sum::<usize>() as f64 / work.tickets.len() as f64
}

/// The same tickets asked again: their texts are folded, and nothing is allocated.
fn folded(work: &Workload, rules: &RuleSet) -> Value {
    let tickets = work.tickets.clone();
    let mut scratch = Scratch::default();
    let mut pass = |is_first: bool| {
        for ticket in &tickets {
            match is_first {
                true => _ = black_box(rules.first(ticket, &mut scratch)),
                false => _ = black_box(rules.all(ticket, &mut scratch).len()),
            }
        }
    };
    pass(true);
    pass(false);
    let region = Region::new(MEMORY);
    pass(true);
    pass(false);
    let change = region.change();
    let n_allocations = change.allocations + change.reallocations;
    let mut time = |is_first: bool| {
        let rounds = (0..ROUNDS).map(|_| {
            let start = cpu_time();
            pass(is_first);
            cpu_time() - start
        });
        median(rounds.collect()).as_nanos() as f64 / tickets.len() as f64
    };
    json!({"first_ns": time(true), "all_ns": time(false), "allocations": n_allocations})
}

/// Nanoseconds a ticket, its texts folded and split each time.
fn cost(tickets: &[FactMap], n_rounds: usize, mut ask: impl FnMut(&mut FactMap) -> u32) -> f64 {
    let rounds = (0..=n_rounds).map(|_| {
        let mut fresh = tickets.to_vec();
        let start = cpu_time();
        for ticket in &mut fresh {
            black_box(ask(ticket));
        }
        cpu_time() - start
    });
    // The first round warms up.
    let rounds = rounds.skip(1).collect();
    median(rounds).as_nanos() as f64 / tickets.len() as f64
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds[rounds.len() / 2]
}
