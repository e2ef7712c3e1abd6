//! Working time. A case is one question to one calendar.

use super::Tally;
use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use helpdesk_core::calendar::{
    BundledZones, Calendar, CalendarDef, ClosureDef, HolidayDate, HolidayDef, LocalSpan, LocalTime,
    Moment, Observed, WeeklyHours, ZoneRules,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The tz database by which the sources of the cases answered.
const TZDB_OF_CASES: &str = "2025b";

/// Asks each question and compares the answer.
///
/// Cases whose source differs on purpose, whose zone has changed its rules
/// since, or that no calendar answers are skipped.
pub(super) fn check(file: &Value) -> Result<Tally, String> {
    let cases = file["vectors"].as_array().or(file["cases"].as_array());
    let cases = cases.ok_or("has neither `vectors` nor `cases`")?;
    // In random cases, as in their source, a holiday beats special hours.
    let is_random = file["cases"].is_array();
    let zones = BundledZones::new();
    let mut tally = Tally::default();
    for case in cases {
        if is_skipped(case, &zones) {
            tally.n_skipped += 1;
            continue;
        }
        let repo = case["source"]["repo"].as_str().unwrap_or_default();
        let holidays_first = is_random || repo.starts_with("zendesk/biz");
        let Some(questions) = questions(case, holidays_first, &zones) else {
            tally.n_skipped += 1;
            continue;
        };
        match questions {
            Ok(answers) if answers.iter().all(|(_, expected, got)| expected == got) => {
                tally.n_passed += 1;
            }
            other => {
                tally.n_failed += 1;
                println!("FAILED {} {}\n  case      {case}", kind(case), case["id"]);
                match other {
                    Ok(answers) => answers.iter().filter(|(_, want, got)| want != got).for_each(
                        |(what, want, got)| {
                            println!("  {what}\n  expected  {want}\n  got       {got}");
                        },
                    ),
                    Err(message) => println!("  got       an error: {message}"),
                }
            }
        }
    }
    Ok(tally)
}

fn kind(case: &Value) -> &str {
    case["op"].as_str().or(case["kind"].as_str()).unwrap_or_default()
}

fn is_skipped(case: &Value, zones: &BundledZones) -> bool {
    let differs = case.get("matches_reference").is_some_and(|matches| *matches != json!(true));
    let is_newer = case["tzdb_2026f_differs"] == json!(true);
    differs || (is_newer && zones.tzdb_version() != TZDB_OF_CASES)
}

/// What was asked, what was expected, what came.
type Answer = (&'static str, Value, Value);

/// The answers to a case; `None` for a kind that is not about calendars.
fn questions(
    case: &Value,
    holidays_first: bool,
    zones: &BundledZones,
) -> Option<Result<Vec<Answer>, String>> {
    let ask = match kind(case) {
        "clock_first" => return Some(clock_first(case, zones)),
        "between" => between,
        "add" | "sub" => add_or_sub,
        "is_open" => is_open,
        "next_open" | "next_close" | "prev_close" => next,
        "segments" => segments,
        "pause_scenario" => pauses,
        _ => return None,
    };
    let calendar = definition(&case["calendar"], holidays_first)
        .and_then(|def| Calendar::compile(&def, zones).map_err(|error| error.to_string()));
    Some(calendar.and_then(|calendar| ask(case, &calendar)))
}

fn between(case: &Value, calendar: &Calendar) -> Result<Vec<Answer>, String> {
    let got = calendar.elapsed(at(case, "start")?, at(case, "end")?).map_err(in_words)?;
    Ok(vec![("working seconds", case["expected_seconds"].clone(), json!(got))])
}

/// Both inverses where the case has both, else the one that the source uses.
fn add_or_sub(case: &Value, calendar: &Calendar) -> Result<Vec<Answer>, String> {
    let start = at(case, "start")?;
    let seconds = case["seconds"].as_i64().ok_or("`seconds` is not a number")?;
    let (earliest, latest) = match kind(case) {
        "sub" => (calendar.sub_latest(start, seconds), calendar.sub_earliest(start, seconds)),
        _ => (calendar.due_at(start, seconds), calendar.breach_at(start, seconds)),
    };
    let earliest = shown(earliest.map_err(in_words)?);
    let latest = shown(latest.map_err(in_words)?);
    if case.get("due_earliest").is_some() {
        return Ok(vec![
            ("the earliest", case["due_earliest"].clone(), earliest),
            ("the latest", case["due_latest"].clone(), latest),
        ]);
    }
    let expected = case["expected_instant"].clone();
    match (kind(case), case["exact_end"].as_str()) {
        ("sub", _) => Ok(vec![("plain", expected.clone(), earliest), ("mirror", expected, latest)]),
        (_, Some("earliest")) => Ok(vec![("the earliest", expected, earliest)]),
        (_, Some("latest")) => Ok(vec![("the latest", expected, latest)]),
        (_, other) => Err(format!("`exact_end` is {other:?}")),
    }
}

fn is_open(case: &Value, calendar: &Calendar) -> Result<Vec<Answer>, String> {
    let got = calendar.is_open(at(case, "at")?).map_err(in_words)?;
    Ok(vec![("is open", case["expected_bool"].clone(), json!(got))])
}

fn next(case: &Value, calendar: &Calendar) -> Result<Vec<Answer>, String> {
    let at = at(case, "at")?;
    let got = match kind(case) {
        "next_open" => calendar.next_open(at),
        "next_close" => calendar.next_close(at),
        _ => calendar.prev_close(at),
    };
    Ok(vec![("instant", case["expected_instant"].clone(), shown(got.map_err(in_words)?))])
}

/// As many windows from `start` as are expected.
fn segments(case: &Value, calendar: &Calendar) -> Result<Vec<Answer>, String> {
    let start = at(case, "start")?;
    let n = case["expected_segments"].as_array().map_or(0, Vec::len);
    let windows = calendar.windows(start, start + TimeDelta::days(366)).map_err(in_words)?;
    let got = windows.into_iter().take(n).map(|(from, to)| json!([shown(from), shown(to)]));
    Ok(vec![("windows", case["expected_segments"].clone(), got.collect())])
}

fn clock_first(case: &Value, zones: &BundledZones) -> Result<Vec<Answer>, String> {
    let zone = zones.zone(case["zone"].as_str().unwrap_or_default()).map_err(in_words)?;
    let date: NaiveDate = text(case, "date")?.parse().map_err(in_words)?;
    let local = local(date, text(case, "clock")?.parse().map_err(in_words)?)?;
    let got = zone.first_at_or_after(local);
    Ok(vec![("first instant", case["expected_instant"].clone(), shown(got))])
}

/// Both clocks stop while the ticket is paused.
fn pauses(case: &Value, calendar: &Calendar) -> Result<Vec<Answer>, String> {
    let created = at(case, "created")?;
    let mut spans = Vec::new();
    let mut since = created;
    for pause in case["paused"].as_array().into_iter().flatten() {
        spans.push((since, Some(instant(&pause[0])?)));
        since = instant(&pause[1])?;
    }
    spans.push((since, None));
    let mut answers = Vec::new();
    for (name, expected) in case["expected"].as_object().into_iter().flatten() {
        let got = if let Some(clock) = name.strip_suffix("_due") {
            let minutes = case["targets_minutes"][clock].as_i64().ok_or("no target")?;
            shown(due_over(&spans, minutes * 60, calendar)?)
        } else {
            let (_, time) = name.split_once("_minutes_at_").ok_or("an unknown expectation")?;
            let until =
                instant(&json!(format!("{}T{time}", created.date_naive()).replace('Z', ":00Z")))?;
            json!(worked(&spans, until, calendar)? / 60)
        };
        answers.push(("a clock with pauses", expected.clone(), got));
    }
    Ok(answers)
}

type Spans = [(DateTime<Utc>, Option<DateTime<Utc>>)];

fn due_over(spans: &Spans, target: i64, calendar: &Calendar) -> Result<DateTime<Utc>, String> {
    let mut left = target;
    for (since, until) in spans {
        let took = match until {
            Some(until) => calendar.elapsed(*since, *until).map_err(in_words)?,
            None => i64::MAX,
        };
        if took >= left {
            return calendar.due_at(*since, left).map_err(in_words);
        }
        left -= took;
    }
    Err("the clock never runs".to_owned())
}

fn worked(spans: &Spans, at: DateTime<Utc>, calendar: &Calendar) -> Result<i64, String> {
    let spans = spans.iter().filter(|(since, _)| *since < at);
    let spans = spans.map(|(since, until)| (*since, until.map_or(at, |until| until.min(at))));
    spans.map(|(since, until)| calendar.elapsed(since, until).map_err(in_words)).sum()
}

/// Reads a calendar as the cases write it. Where holidays come first, special
/// hours on a holiday are dropped: ours would win.
fn definition(source: &Value, holidays_first: bool) -> Result<CalendarDef, String> {
    let mut def = CalendarDef::new(text(source, "zone")?);
    let weekly: BTreeMap<String, Vec<LocalSpan>> = read(source, "hours")?;
    let day = |name: &str| weekly.get(name).cloned().unwrap_or_default();
    def.weekly = WeeklyHours {
        mon: day("mon"),
        tue: day("tue"),
        wed: day("wed"),
        thu: day("thu"),
        fri: day("fri"),
        sat: day("sat"),
        sun: day("sun"),
    };
    let holidays: Vec<NaiveDate> = read(source, "holidays")?;
    def.special_days = read(source, "shifts")?;
    def.special_days.retain(|date, _| !(holidays_first && holidays.contains(date)));
    def.holidays = holidays.into_iter().map(holiday).collect();
    let breaks: BTreeMap<NaiveDate, Vec<LocalSpan>> = read(source, "breaks")?;
    for (date, spans) in breaks {
        for LocalSpan { open, close } in spans {
            let (from, to) = (local(date, open)?, local(date, close)?);
            let (from, to) = (Moment::Local(from), Moment::Local(to));
            def.closures.push(ClosureDef { from, to, name: String::new() });
        }
    }
    Ok(def)
}

fn holiday(date: NaiveDate) -> HolidayDef {
    HolidayDef {
        on: HolidayDate::Date(date),
        name: String::new(),
        until: None,
        observed: Observed::SameDay,
        hours: Vec::new(),
    }
}

fn read<T: serde::de::DeserializeOwned>(source: &Value, name: &str) -> Result<T, String> {
    serde_json::from_value(source[name].clone()).map_err(|error| format!("{name}: {error}"))
}

fn local(date: NaiveDate, time: LocalTime) -> Result<chrono::NaiveDateTime, String> {
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    let local = midnight.checked_add_signed(TimeDelta::seconds(i64::from(time.seconds())));
    local.ok_or_else(|| "a date out of range".to_owned())
}

fn text<'a>(case: &'a Value, name: &str) -> Result<&'a str, String> {
    case[name].as_str().ok_or_else(|| format!("`{name}` is not a text"))
}

fn at(case: &Value, name: &str) -> Result<DateTime<Utc>, String> {
    instant(&case[name]).map_err(|error| format!("{name}: {error}"))
}

fn instant(value: &Value) -> Result<DateTime<Utc>, String> {
    value.as_str().unwrap_or_default().parse().map_err(in_words)
}

fn shown(at: DateTime<Utc>) -> Value {
    json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
