//! Whatever JSON a calendar is made of, nothing panics or hangs, faults and
//! compiling agree, and the inverses keep their laws.

#![no_main]

use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::calendar::{BundledZones, Calendar, CalendarDef, CalendarError};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Questions to one calendar.
const QUESTIONS_MAX: usize = 16;
/// Tables of zones are made once.
static ZONES: LazyLock<BundledZones> = LazyLock::new(BundledZones::new);

// Half of the input may be numbers to ask with: they follow a zero byte.
fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (json, numbers) = bytes.split_at(end);
    let Ok(def) = serde_json::from_slice::<CalendarDef>(json) else { return };
    let faults = def.check("", &*ZONES);
    let calendar = Calendar::compile(&def, &*ZONES);
    assert_eq!(faults.is_empty(), calendar.is_ok(), "{faults:?}");
    let Ok(calendar) = calendar else { return };
    let written = serde_json::to_vec(&def).expect("writes");
    assert_eq!(serde_json::from_slice::<CalendarDef>(&written).expect("reads"), def);
    ask(&calendar, at(1_795_000_000), 8 * 3_600);
    for chunk in numbers.chunks_exact(16).take(QUESTIONS_MAX) {
        let (start, seconds) = chunk.split_at(8);
        let number = |part: &[u8]| i64::from_le_bytes(part.try_into().expect("eight bytes"));
        ask(&calendar, at(number(start)), number(seconds));
        // Most numbers are beyond the horizon; these are not.
        let near = at(number(start).rem_euclid(4_102_444_800));
        ask(&calendar, near, number(seconds).rem_euclid(100_000_000));
    }
});

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn ask(calendar: &Calendar, start: DateTime<Utc>, seconds: i64) {
    let second = TimeDelta::seconds(1);
    let due = calendar.due_at(start, seconds);
    if let (Ok(due), 0..) = (&due, seconds) {
        assert_eq!(calendar.elapsed(start, *due), Ok(seconds));
    }
    if let Ok(breach) = calendar.breach_at(start, seconds) {
        assert_eq!(calendar.elapsed(start, breach), Ok(seconds));
        assert_eq!(calendar.elapsed(start, breach + second), Ok(seconds + 1));
    }
    if let (Ok(latest), 0..) = (calendar.sub_latest(start, seconds), seconds) {
        assert_eq!(calendar.elapsed(latest, start), Ok(seconds));
    }
    if let Ok(earliest) = calendar.sub_earliest(start, seconds) {
        assert_eq!(calendar.elapsed(earliest, start), Ok(seconds));
    }
    if let (Ok(is_open), Ok(next)) = (calendar.is_open(start), calendar.next_open(start)) {
        assert_eq!(is_open, next == start);
    }
    if let Ok(closes) = calendar.next_close(start) {
        assert!(closes > start && calendar.is_open(closes) != Ok(true));
    }
    match (calendar.deadlines(start, seconds), due) {
        (Ok((first, _)), Ok(due)) => assert_eq!(first, due),
        (first, due) => assert_eq!(first.err(), due.err()),
    }
    let windows = calendar.windows(start, at(start.timestamp().saturating_add(30 * 86_400)));
    assert!(matches!(windows, Ok(_) | Err(CalendarError::Horizon)));
}
