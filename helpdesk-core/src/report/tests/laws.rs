//! The reporter against an oracle that counts from the definitions.

use super::*;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// What happens to one ticket: seconds since the step before, and the step.
type Script = (i64, Vec<(i64, Step)>);

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::AgentReplies),
        Just(Step::RequesterReplies),
        Just(Step::BotReplies),
        Just(SOLVED),
        Just(CLOSED),
        Just(REOPENED),
        Just(Step::Set(StatusCategory::Pending)),
    ]
}

/// Times on whole quarters of an hour, so that edges are hit.
fn scripts() -> impl Strategy<Value = Vec<Script>> {
    let script = (0..4_000i64, prop::collection::vec((0..500i64, steps()), 0..8));
    prop::collection::vec(script, 0..12)
}

const ZONES: [&str; 5] =
    ["UTC", "Europe/Berlin", "America/Havana", "Asia/Kolkata", "Pacific/Chatham"];
const GROUPS: [GroupBy; 5] =
    [GroupBy::Day, GroupBy::Week, GroupBy::Month, GroupBy::Channel, GroupBy::Priority];

fn quarter(n: i64) -> DateTime<Utc> {
    // Some weeks around the clock changes of spring 2026, North and South.
    DateTime::from_timestamp(1_772_000_000 / 900 * 900 + n * 900, 0).unwrap()
}

/// One ticket's history with absolute times, its opening first.
fn history(script: &Script) -> Vec<(DateTime<Utc>, Step)> {
    let mut at = script.0;
    let mut events = vec![(quarter(at), Step::Open)];
    for (after, step) in &script.1 {
        at += after;
        events.push((quarter(at), *step));
    }
    events
}

fn channel(n: usize) -> Channel {
    Channel::ALL[n % 3]
}

fn priority(n: usize) -> Option<Priority> {
    Priority::ALL.get(n % 5).copied()
}

/// The key of the row that an event at `at` of ticket `n` counts in.
fn key_of(n: usize, at: DateTime<Utc>, query: &ReportQuery, zone: &TimeZone) -> Option<String> {
    let format = match query.group_by {
        GroupBy::Day => "%Y-%m-%d",
        GroupBy::Week => "%G-W%V",
        GroupBy::Month => "%Y-%m",
        GroupBy::Channel => return Some(channel(n).to_string()),
        _ => return priority(n).map(|priority| priority.to_string()),
    };
    let civil = Timestamp::from_second(at.timestamp()).unwrap().to_zoned(zone.clone());
    Some(civil.strftime(format).to_string())
}

/// Every (ticket, when, seconds) that a measure counts, by its definition.
fn counted(
    measure: Measure,
    histories: &[Vec<(DateTime<Utc>, Step)>],
) -> Vec<(usize, DateTime<Utc>, u64)> {
    let mut found = Vec::new();
    for (n, history) in histories.iter().enumerate() {
        let created_at = history[0].0;
        let unsolved_before = |i: usize| {
            let mut sets = history[..i].iter().rev().filter_map(|(_, step)| match step {
                Step::Set(category) => Some(category.is_unsolved()),
                _ => None,
            });
            sets.next().unwrap_or(true)
        };
        let replied_before =
            |i: usize| history[..i].iter().any(|(_, step)| matches!(step, Step::AgentReplies));
        for (i, (at, step)) in history.iter().enumerate() {
            let counts = match (measure, step) {
                (Measure::Opened, Step::Open) => true,
                (Measure::Solved | Measure::SolveSeconds, Step::Set(to)) => {
                    unsolved_before(i) && !to.is_unsolved()
                }
                (Measure::Reopened, Step::Set(to)) => !unsolved_before(i) && to.is_unsolved(),
                (Measure::FirstReplySeconds, Step::AgentReplies) => !replied_before(i),
                _ => false,
            };
            if counts {
                found.push((n, *at, (*at - created_at).num_seconds() as u64));
            }
        }
    }
    found
}

/// How many tickets that `belongs` are unsolved just before `end`.
fn backlog(
    histories: &[Vec<(DateTime<Utc>, Step)>],
    end: DateTime<Utc>,
    belongs: impl Fn(usize) -> bool,
) -> u64 {
    let is_unsolved = |history: &&Vec<(DateTime<Utc>, Step)>| {
        let mut unsolved = false;
        for (_, step) in history.iter().filter(|(at, _)| *at < end) {
            match step {
                Step::Open => unsolved = true,
                Step::Set(category) => unsolved = category.is_unsolved(),
                _ => {}
            }
        }
        unsolved
    };
    let own = histories.iter().enumerate().filter(|(n, _)| belongs(*n)).map(|(_, h)| h);
    own.filter(is_unsolved).count() as u64
}

/// The smallest value that `percent` of all do not exceed.
fn percentile(values: &[u64], percent: usize) -> Option<u64> {
    let reaches =
        |v: &&u64| values.iter().filter(|o| o <= v).count() * 100 >= percent * values.len();
    values.iter().filter(reaches).min().copied()
}

fn expected(measure: Measure, found: &[u64], backlog: u64) -> Value {
    match measure {
        Measure::Backlog => Value::Count(backlog),
        Measure::FirstReplySeconds | Measure::SolveSeconds => Value::Durations(Durations {
            n: found.len() as u64,
            mean: (!found.is_empty())
                .then(|| found.iter().sum::<u64>() as f64 / found.len() as f64),
            p50: percentile(found, 50),
            p90: percentile(found, 90),
        }),
        _ => Value::Count(found.len() as u64),
    }
}

fn told(query: &ReportQuery, histories: &[Vec<(DateTime<Utc>, Step)>]) -> Report {
    let mut reporter = reporter(query);
    let mut journal = Vec::new();
    for (n, history) in histories.iter().enumerate() {
        let mut ticket = ticket(n as u128, history[0].0);
        ticket.channel = channel(n);
        ticket.priority = priority(n);
        reporter.ticket(&ticket);
        journal.extend(history.iter().map(|(at, step)| (*at, n as u128, *step)));
    }
    journal.sort_by_key(|(at, n, _)| (*at, *n));
    for (at, n, step) in journal {
        let recorded = recorded(n, at, step);
        if reporter.wants(&recorded.entry.event) {
            reporter.event(&recorded);
        }
    }
    reporter.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_report_is_what_its_definitions_say(
        scripts in scripts(),
        range in (0..4_500i64, 1..6_000i64),
        zone in prop::sample::select(ZONES.to_vec()),
        group_by in prop::sample::select(GROUPS.to_vec()),
        measures in prop::sample::subsequence(ALL.to_vec(), 1..=6),
    ) {
        let query = ReportQuery {
            from: quarter(range.0), to: quarter(range.0 + range.1),
            zone: zone.to_owned(), group_by, measures: measures.clone(),
        };
        let histories: Vec<_> = scripts.iter().map(history).collect();
        let report = told(&query, &histories);
        let zone = TimeZone::get(zone).unwrap();
        let in_range = |at: DateTime<Utc>| query.from <= at && at < query.to;
        for measure in measures {
            let found: Vec<_> =
                counted(measure, &histories).into_iter().filter(|f| in_range(f.1)).collect();
            for row in &report.rows {
                let own: Vec<u64> = found.iter()
                    .filter(|(n, at, _)| key_of(*n, *at, &query, &zone) == row.key)
                    .map(|f| f.2).collect();
                let end = row.to.unwrap_or(query.to);
                let belongs = |n| row.to.is_some() || key_of(n, end, &query, &zone) == row.key;
                let backlog = backlog(&histories, end, belongs);
                prop_assert_eq!(&row.values[&measure], &expected(measure, &own, backlog), "{:?} {:?}", measure, row.key);
            }
            let all: Vec<u64> = found.iter().map(|f| f.2).collect();
            let total = expected(measure, &all, backlog(&histories, query.to, |_| true));
            prop_assert_eq!(&report.totals[&measure], &total);
            // Nothing that counts is without a row.
            for (n, at, _) in found {
                let key = key_of(n, at, &query, &zone);
                prop_assert!(report.rows.iter().any(|row| row.key == key));
            }
        }
        if report.rows.iter().all(|row| row.from.is_none()) {
            prop_assert!(report.rows.is_sorted_by(|a, b| a.key < b.key));
        } else {
            prop_assert!(report.rows.is_sorted_by(|a, b| a.to == b.from));
        }
    }
}
