//! What working time costs, in CPU time of the calling thread.
//!
//! `cargo xtask bench calendar` runs this; `cargo xtask bench compare` sets the
//! same beside other crates.

#![allow(missing_docs, clippy::expect_used, reason = "a bench may panic")]

#[path = "fixture/clock.rs"]
mod clock;
#[path = "fixture/working_time.rs"]
mod working_time;

use clock::{ThreadTime, is_test, measured};
use criterion::{Criterion, criterion_group, criterion_main};
use helpdesk::core::calendar::{BundledZones, Calendar, ZoneRules};
use std::hint::black_box;
use std::time::Duration;
use working_time::{HOUR, Question, definition, questions};

/// Clocks that are dated again at once.
const N_CLOCKS: usize = 1_000_000;
/// Calendars of a large installation.
const N_CALENDARS: usize = 2_000;

fn n_clocks() -> usize {
    if is_test() { N_CALENDARS } else { N_CLOCKS }
}

fn bench_questions(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("calendar");
    let calendar = Calendar::compile(&definition(0), &BundledZones::new()).expect("compiles");
    let n = n_clocks();
    let mut bench = |name: &str, asked: &[Question], ask: fn(&Calendar, &Question) -> i64| {
        let mut at = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                at = if at + 1 == asked.len() { 0 } else { at + 1 };
                ask(&calendar, &asked[at])
            });
        });
    };
    let due = |calendar: &Calendar, q: &Question| {
        calendar.due_at(q.start, q.seconds).expect("in range").timestamp()
    };
    let breach = |calendar: &Calendar, q: &Question| {
        calendar.breach_at(q.start, q.seconds).expect("in range").timestamp()
    };
    let elapsed =
        |calendar: &Calendar, q: &Question| calendar.elapsed(q.start, q.end()).expect("in range");
    bench("due_8h", &questions(n, 8 * HOUR..=8 * HOUR), due);
    bench("due_10min_to_2000h", &questions(n, 600..=2_000 * HOUR), due);
    bench("breach_10min_to_2000h", &questions(n, 600..=2_000 * HOUR), breach);
    bench("due_to_60000h", &questions(n, 0..=60_000 * HOUR), due);
    bench("elapsed_30_days", &questions(n, 0..=30 * 24 * HOUR), elapsed);
    bench("elapsed_1_year", &questions(n, 0..=365 * 24 * HOUR), elapsed);
    bench("elapsed_60_years", &questions(n, 0..=60 * 365 * 24 * HOUR), elapsed);
    group.finish();
}

fn bench_compile(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("compile");
    let zones = BundledZones::new();
    let def = definition(0);
    // The first piece is of eight years.
    group.bench_function("8_years", |b| b.iter(|| Calendar::compile(&def, &zones)));
    group.bench_function("zones", |b| {
        b.iter(|| black_box(BundledZones::new().zone("Europe/Berlin")));
    });
    group.finish();
}

/// Both deadlines of a million running clocks, as after a change of calendars.
fn bench_redate(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("redate_1000000_clocks");
    let zones = BundledZones::new();
    let asked = questions(n_clocks(), 600..=200 * HOUR);
    for (name, n_calendars) in [("1_calendar", 1), ("2000_calendars", N_CALENDARS)] {
        let calendars: Vec<Calendar> = (0..n_calendars)
            .map(|i| Calendar::compile(&definition(i), &zones).expect("compiles"))
            .collect();
        let redate = || {
            let n_each = asked.len() / calendars.len();
            for (calendar, clocks) in calendars.iter().zip(asked.chunks(n_each)) {
                for clock in clocks {
                    let deadlines = calendar.deadlines(clock.start, clock.seconds);
                    black_box(deadlines.expect("in range"));
                }
            }
        };
        // Pieces that are compiled at the first question are not what is measured.
        redate();
        group.bench_function(name, |b| b.iter(redate));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = measured(20, Duration::from_millis(500), Duration::from_secs(2));
    targets = bench_questions, bench_compile, bench_redate
}
criterion_main!(benches);
