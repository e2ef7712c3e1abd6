//! The rule of calendars, case by case and as laws, against a clock that is
//! read minute by minute.

mod arithmetic;
mod config;
mod density;
mod feeds;
mod holidays;
mod laws;
mod oracle;
mod shape;
mod zones;

use super::{BundledZones, Calendar, CalendarDef, CalendarError};
use chrono::{DateTime, SecondsFormat, Utc};
use oracle::Oracle;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn def(toml: &str) -> CalendarDef {
    toml::from_str(toml).unwrap_or_else(|error| panic!("{error}"))
}

fn compile(toml: &str) -> Result<Calendar, CalendarError> {
    Calendar::compile(&def(toml), &BundledZones::new())
}

fn calendar(toml: &str) -> Calendar {
    compile(toml).unwrap_or_else(|error| panic!("{error}"))
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The open stretches between two dates of UTC are these, one a line, and those
/// of a clock read minute by minute.
#[track_caller]
fn opens(toml: &str, from: &str, to: &str, expected: &[&str]) {
    let (from, to) = (at(&format!("{from}T00:00:00Z")), at(&format!("{to}T00:00:00Z")));
    let windows = calendar(toml).windows(from, to).expect("in range");
    let got: Vec<String> =
        windows.iter().map(|(from, to)| format!("{} {}", shown(*from), shown(*to))).collect();
    assert_eq!(got, expected);
    let step = if expected.iter().all(|line| line.matches(":00Z").count() == 2) { 60 } else { 1 };
    assert_eq!(Oracle::new(&def(toml), from, to, step).windows(), windows, "the oracle differs");
}

/// Monday to Friday from 9 to 17 in UTC.
const OFFICE: &str = r#"
    [weekly]
    mon = [["09:00", "17:00"]]
    tue = [["09:00", "17:00"]]
    wed = [["09:00", "17:00"]]
    thu = [["09:00", "17:00"]]
    fri = [["09:00", "17:00"]]
"#;
