//! Whatever the JSON, an on-call schedule is refused or compiled; shifts of one
//! that is compiled tile their range, and agree with who is on call.

#![no_main]

use chrono::{DateTime, TimeDelta};
use helpdesk::core::calendar::BundledZones;
use helpdesk::core::escalation::oncall::ScheduleDef;
use helpdesk::core::escalation::schedule::Schedule;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static ZONES: LazyLock<BundledZones> = LazyLock::new(BundledZones::new);
const SHIFTS_MAX: usize = 200;

fuzz_target!(|bytes: &[u8]| {
    let Some((head, json)) = bytes.split_first_chunk::<8>() else { return };
    let Ok(def) = serde_json::from_slice::<ScheduleDef>(json) else { return };
    let Ok(schedule) = Schedule::compile(&def, &*ZONES) else { return };
    let from = i64::from_le_bytes(*head) % 10_000_000_000;
    let from = DateTime::from_timestamp(from, 0).expect("in range");
    let until = from + TimeDelta::days(366);
    let mut last = from;
    for shift in schedule.shifts(from..until).take(SHIFTS_MAX) {
        assert_eq!(shift.from, last, "no hole");
        assert!(shift.from < shift.until, "some length");
        assert_eq!(shift.agents, schedule.on_call(shift.from));
        let middle = shift.from + (shift.until - shift.from) / 2;
        assert_eq!(shift.agents, schedule.on_call(middle));
        last = shift.until;
    }
    assert!(last <= until);
});
