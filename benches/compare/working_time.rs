//! Working time beside other crates, in CPU time of the calling thread.
//!
//! Before anything is measured every rival has to give our answers: the hours
//! of the definition lie within a day and away from changes of the clock,
//! where all of them mean the same.

#[path = "../fixture/clock.rs"]
mod clock;
#[path = "../fixture/working_time.rs"]
mod fixture;

use clock::{ThreadTime, is_test, measured};
use criterion::{Criterion, criterion_group, criterion_main};
use fixture::{HOUR, Question, definition, questions};
use helpdesk::core::calendar::{BundledZones, Calendar};
use helpdesk_compare::{WorkingTime, all};
use std::time::Duration;

/// Distinct questions.
const N_QUESTIONS: usize = 1_000_000;
/// Questions whose answers are compared.
const N_COMPARED: usize = 500;

fn questions_of(seconds: std::ops::RangeInclusive<i64>) -> Vec<Question> {
    questions(if is_test() { N_COMPARED } else { N_QUESTIONS }, seconds)
}

type Ask = fn(&dyn WorkingTime, &Question) -> i64;

fn bench(c: &mut Criterion<ThreadTime>) {
    let rivals = all(&definition(0));
    let due: Ask = |rival, q| rival.due_at(q.start, q.seconds);
    let elapsed: Ask = |rival, q| rival.elapsed(q.start, q.end());
    for (name, ask, asked) in [
        ("due_8h", due, questions_of(8 * HOUR..=8 * HOUR)),
        ("due_2000h", due, questions_of(2_000 * HOUR..=2_000 * HOUR)),
        ("elapsed_30_days", elapsed, questions_of(0..=30 * 24 * HOUR)),
        ("elapsed_1_year", elapsed, questions_of(0..=365 * 24 * HOUR)),
    ] {
        let mut group = c.benchmark_group(name);
        for (rival, calendar) in &rivals {
            for q in &asked[..N_COMPARED] {
                let ours = ask(&*rivals[0].1, q);
                assert_eq!(ask(&**calendar, q), ours, "{rival} at {} + {}", q.start, q.seconds);
            }
            let mut at = 0;
            group.bench_function(*rival, |b| {
                b.iter(|| {
                    at = if at + 1 == asked.len() { 0 } else { at + 1 };
                    ask(&**calendar, &asked[at])
                });
            });
        }
        group.finish();
    }
    let mut group = c.benchmark_group("compile");
    let (def, zones) = (definition(0), BundledZones::new());
    group.bench_function("helpdesk_8_years", |b| b.iter(|| Calendar::compile(&def, &zones)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = measured(20, Duration::from_millis(300), Duration::from_secs(1));
    targets = bench
}
criterion_main!(benches);
