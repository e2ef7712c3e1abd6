//! What routing costs by the number of rules, in CPU time of the calling thread.
//!
//! `cargo xtask bench routing` runs this. A ticket's texts are folded and split
//! each time, as for a message that has just come in; `folded` is the same ticket
//! asked again. The plain walk stands beside it, up to 10,000 rules. The groups
//! `hard_…` hold sets that are made to be hard; finding all rules is never to cost more
//! than the walk.

#![allow(missing_docs, clippy::expect_used, reason = "a bench may panic")]

#[path = "fixture/clock.rs"]
mod clock;
#[path = "fixture/hard.rs"]
mod hard;
#[path = "fixture/rules.rs"]
mod rules;

use clock::{ThreadTime, is_test, measured};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use helpdesk::core::condition::{FactMap, RuleSet, Scratch};
use rules::Workload;
use std::hint::black_box;
use std::time::Duration;

const SEED: u64 = 7;
const N_TICKETS: usize = 500;
/// Rules up to which the plain walk is measured too.
const WALK_MAX: usize = 10_000;

fn sizes() -> &'static [usize] {
    if is_test() { &[10, 100] } else { &[10, 100, 1_000, 10_000, 100_000] }
}

fn bench_rules(c: &mut Criterion<ThreadTime>) {
    for (name, is_cyrillic) in [("latin", false), ("cyrillic", true)] {
        let mut group = c.benchmark_group(format!("routing_{name}"));
        for n_rules in sizes() {
            let work = Workload::new(*n_rules, N_TICKETS, SEED, is_cyrillic);
            let rules = RuleSet::new(&work.conditions);
            check(&work, &rules);
            let mut at = 0;
            let mut next = || {
                at = (at + 1) % N_TICKETS;
                work.tickets[at].clone()
            };
            let mut scratch = Scratch::default();
            group.bench_function(BenchmarkId::new("first", n_rules), |b| {
                b.iter_batched_ref(
                    &mut next,
                    |ticket| black_box(rules.first(ticket, &mut scratch)),
                    BatchSize::SmallInput,
                );
            });
            group.bench_function(BenchmarkId::new("all", n_rules), |b| {
                b.iter_batched_ref(
                    &mut next,
                    |ticket| black_box(rules.all(ticket, &mut scratch).len()),
                    BatchSize::SmallInput,
                );
            });
            let folded: Vec<FactMap> = work.tickets.clone();
            let mut at = 0;
            group.bench_function(BenchmarkId::new("first_folded", n_rules), |b| {
                b.iter(|| {
                    at = (at + 1) % N_TICKETS;
                    black_box(rules.first(&folded[at], &mut scratch))
                });
            });
            if *n_rules <= WALK_MAX {
                group.bench_function(BenchmarkId::new("walk_all", n_rules), |b| {
                    let walk = |ticket: &mut FactMap| {
                        black_box(work.conditions.iter().filter(|it| it.holds(ticket)).count())
                    };
                    b.iter_batched_ref(&mut next, walk, BatchSize::SmallInput);
                });
            }
        }
        group.finish();
    }
}

/// What is measured is right: the rule set finds what the walk finds.
fn check(work: &Workload, rules: &RuleSet) {
    let mut scratch = Scratch::default();
    for ticket in work.tickets.iter().take(5) {
        let ticket = ticket.clone();
        let walked = work.walk(&ticket);
        assert_eq!(rules.all(&ticket, &mut scratch), walked);
        let first = walked.first().map(|rule| *rule as usize);
        assert_eq!(rules.first(&ticket, &mut scratch), first);
    }
}

/// Sets made to be hard, each beside the walk over the same rules.
fn bench_hard(c: &mut Criterion<ThreadTime>) {
    for (name, work) in hard::sets(if is_test() { 20 } else { 1 }) {
        let rules = RuleSet::new(&work.conditions);
        check(&work, &rules);
        let mut scratch = Scratch::default();
        beside(
            c,
            &work,
            &format!("hard_{name}_all"),
            |ticket| rules.all(ticket, &mut scratch).len(),
            |ticket| work.conditions.iter().filter(|it| it.holds(ticket)).count(),
        );
        beside(
            c,
            &work,
            &format!("hard_{name}_first"),
            |ticket| rules.first(ticket, &mut scratch),
            |ticket| work.conditions.iter().position(|it| it.holds(ticket)),
        );
    }
}

/// A rule set beside the walk, both asked the same of the same tickets.
fn beside<T>(
    c: &mut Criterion<ThreadTime>,
    work: &Workload,
    name: &str,
    mut rule_set: impl FnMut(&FactMap) -> T,
    mut walk: impl FnMut(&FactMap) -> T,
) {
    let mut at = 0;
    let mut next = || {
        at = (at + 1) % work.tickets.len();
        work.tickets[at].clone()
    };
    let mut group = c.benchmark_group(name);
    group.bench_function("rule_set", |b| {
        b.iter_batched_ref(&mut next, |it| black_box(rule_set(it)), BatchSize::SmallInput);
    });
    group.bench_function("walk", |b| {
        b.iter_batched_ref(&mut next, |it| black_box(walk(it)), BatchSize::SmallInput);
    });
    group.finish();
}

/// What is not looked at costs nothing: a body of 1 MiB, and one of 64 KiB.
fn bench_bodies(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("hard_body");
    for (name, work) in hard::bodies() {
        let rules = RuleSet::new(&work.conditions);
        check(&work, &rules);
        let mut scratch = Scratch::default();
        group.bench_function(name, |b| {
            let all = |ticket: &mut FactMap| black_box(rules.all(ticket, &mut scratch).len());
            b.iter_batched_ref(|| work.tickets[0].clone(), all, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn bench_build(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("routing_build");
    for n_rules in sizes().iter().filter(|n_rules| **n_rules <= WALK_MAX) {
        let work = Workload::new(*n_rules, 1, SEED, false);
        group.bench_function(BenchmarkId::from_parameter(n_rules), |b| {
            b.iter(|| black_box(RuleSet::new(&work.conditions)).len());
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = measured(30, Duration::from_millis(500), Duration::from_secs(2));
    targets = bench_rules, bench_build, bench_hard, bench_bodies
}
criterion_main!(benches);
