//! Rule sets beside other engines of rules, in CPU time of the calling thread.
//!
//! Before anything is measured every engine has to find the same rules on each
//! ticket. `rules_N` holds the rules without a pattern, which all of them can say;
//! `patterns_N` holds all N rules, for those that know patterns. `_built` counts
//! what it takes to bring a ticket before the engine: folding and splitting its
//! texts, and what the engine wants made of them.

#[path = "../fixture/clock.rs"]
mod clock;
#[path = "../fixture/rules.rs"]
mod fixture;

use clock::{ThreadTime, is_test, measured};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use fixture::{Workload, calendars};
use helpdesk_compare::engines::{Named, RuleEngine, Ticket, all, has_pattern};
use std::time::Duration;

const SEED: u64 = 7;
const N_TICKETS: usize = 100;

fn sizes() -> &'static [usize] {
    if is_test() { &[10, 300] } else { &[10, 100, 1_000, 10_000] }
}

fn bench(c: &mut Criterion<ThreadTime>) {
    for n_rules in sizes() {
        let work = Workload::new(*n_rules, N_TICKETS, SEED, false);
        let calendars = calendars();
        let tickets: Vec<Ticket> =
            work.sent.iter().map(|it| Ticket::new(&it.facts, it.now, &calendars)).collect();
        let said = work.sources.iter().map(|source| !has_pattern(source));
        let plain = (work.sources.iter().zip(&work.conditions).zip(said))
            .filter_map(|(rule, is_said)| is_said.then_some(rule));
        let (sources, conditions): (Vec<_>, Vec<_>) =
            plain.map(|(source, condition)| (source.clone(), condition.clone())).unzip();
        let mut engines = all(&sources, &conditions);
        let n_found = check(&mut engines, &tickets);
        println!("rules_{n_rules}: {} rules, {n_found} hold on {N_TICKETS}", sources.len());
        measure(c, &format!("rules_{n_rules}"), &mut engines, &tickets);
        if sources.len() < work.sources.len() {
            let mut engines = all(&work.sources, &work.conditions);
            let n_found = check(&mut engines, &tickets);
            println!("patterns_{n_rules}: {n_rules} rules, {n_found} hold on {N_TICKETS}");
            measure(c, &format!("patterns_{n_rules}"), &mut engines, &tickets);
        }
    }
}

/// Each engine finds what the first finds, whichever way it is asked; how many
/// rules that is.
fn check(engines: &mut [Named], tickets: &[Ticket]) -> usize {
    let mut expected: Vec<Vec<u32>> = Vec::new();
    for (name, engine) in engines.iter_mut() {
        engine.keep(tickets);
        for (at, ticket) in tickets.iter().enumerate() {
            let (mut built, mut kept) = (Vec::new(), Vec::new());
            engine.all(ticket, &mut built);
            engine.all_kept(at, &mut kept);
            built.sort_unstable();
            kept.sort_unstable();
            if expected.len() == at {
                expected.push(built.clone());
            }
            assert_eq!(built, expected[at], "{name} on ticket {at}");
            assert_eq!(kept, expected[at], "{name} on ticket {at}, kept");
        }
    }
    expected.iter().map(Vec::len).sum()
}

/// How an engine is asked about the ticket at this place.
type Asking = fn(&mut dyn RuleEngine, &[Ticket], usize, &mut Vec<u32>);

fn measure(c: &mut Criterion<ThreadTime>, name: &str, engines: &mut [Named], tickets: &[Ticket]) {
    let kept: Asking = |engine, _, at, found| engine.all_kept(at, found);
    let built: Asking = |engine, tickets, at, found| engine.all(&tickets[at], found);
    let mut found = Vec::new();
    for (name, ask) in [(name.to_owned(), kept), (format!("{name}_built"), built)] {
        let mut group = c.benchmark_group(name);
        group.sampling_mode(SamplingMode::Flat);
        for (rival, engine) in engines.iter_mut() {
            let mut at = 0;
            group.bench_function(*rival, |b| {
                b.iter(|| {
                    at = (at + 1) % tickets.len();
                    found.clear();
                    ask(&mut **engine, tickets, at, &mut found);
                    found.len()
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = measured(20, Duration::from_millis(300), Duration::from_secs(1));
    targets = bench
}
criterion_main!(benches);
