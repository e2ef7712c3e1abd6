//! The laws of working time (P1 to P11 of spec/sla.md) over random calendars
//! around changes of the clock. Those of clocks stand with the clocks.

use super::*;
use crate::calendar::{
    ClosureDef, HolidayDate, HolidayDef, LocalSpan, LocalTime, Moment, Observed,
};
use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;
use std::sync::LazyLock;

/// The bundled rules, whose tables are made once for all cases.
static ZONES: LazyLock<BundledZones> = LazyLock::new(BundledZones::new);

/// Zones with a change of the clock, or close to one, at this date.
const SCENES: [(&str, &str); 16] = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-11-01"),
    ("America/St_Johns", "2010-11-07"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("America/Havana", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Antarctica/Troll", "2026-03-29"),
    ("Pacific/Apia", "2011-12-30"),
    ("Africa/Cairo", "2026-04-24"),
    ("Africa/Casablanca", "2026-09-20"),
    ("Europe/Moscow", "2014-10-26"),
    ("Pacific/Chatham", "2034-01-01"),
    ("UTC", "2026-01-01"),
];
/// Days on either side of the change.
const SIDE_DAYS: i64 = 6;

#[derive(Debug, Clone)]
struct Scene {
    def: CalendarDef,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Scene {
    fn calendar(&self) -> Option<Calendar> {
        Calendar::compile(&self.def, &*ZONES).ok()
    }

    /// The instant so many minutes after the start; wraps at the end.
    fn minute(&self, n: i64) -> DateTime<Utc> {
        self.from + TimeDelta::minutes(n % (self.to - self.from).num_minutes())
    }

    fn second(&self, n: i64) -> DateTime<Utc> {
        self.from + TimeDelta::seconds(n % (self.to - self.from).num_seconds())
    }
}

fn time() -> impl Strategy<Value = LocalTime> {
    // Mostly near midnight, where clocks change.
    let quarter = prop_oneof![0_u32..16, 0_u32..96];
    quarter.prop_map(|n| LocalTime::from_seconds(n * 900).expect("a time"))
}

fn span() -> impl Strategy<Value = LocalSpan> {
    let end = prop_oneof![4 => time(), 1 => Just(LocalTime::DAY_END)];
    (time(), end).prop_map(LocalSpan::from)
}

fn spans() -> impl Strategy<Value = Vec<LocalSpan>> {
    prop::collection::vec(span(), 0..4)
}

/// A day by its distance from the change.
fn day(middle: NaiveDate) -> impl Strategy<Value = NaiveDate> {
    (-4_i64..=4).prop_map(move |n| middle + TimeDelta::days(n))
}

fn holiday(middle: NaiveDate) -> impl Strategy<Value = HolidayDef> {
    let observed = prop_oneof![
        Just(Observed::SameDay),
        Just(Observed::NearestWeekday),
        Just(Observed::TuesdayAfterWeekend),
    ];
    let hours = prop_oneof![2 => Just(Vec::new()), 1 => spans()];
    (day(middle), observed, hours).prop_map(|(date, observed, hours)| {
        let on = HolidayDate::Date(date);
        HolidayDef { on, name: String::new(), until: None, observed, hours }
    })
}

fn closure(middle: NaiveDate) -> impl Strategy<Value = ClosureDef> {
    let start = (day(middle), time(), any::<bool>(), 1_i64..2_000);
    start.prop_map(|(date, time, is_local, minutes)| {
        let from = date.and_hms_opt(0, 0, 0).expect("midnight");
        let from = from + TimeDelta::seconds(i64::from(time.seconds()));
        let to = from + TimeDelta::minutes(minutes);
        let (from, to) = match is_local {
            true => (Moment::Local(from), Moment::Local(to)),
            false => (Moment::Instant(from.and_utc()), Moment::Instant(to.and_utc())),
        };
        ClosureDef { from, to, name: String::new() }
    })
}

fn scene() -> impl Strategy<Value = Scene> {
    prop::sample::select(&SCENES[..]).prop_flat_map(|(zone, middle)| {
        let middle: NaiveDate = middle.parse().expect("a date");
        let weekly = prop::collection::vec(spans(), 7);
        let special_days = prop::collection::btree_map(day(middle), spans(), 0..3);
        let holidays = prop::collection::vec(holiday(middle), 0..3);
        let closures = prop::collection::vec(closure(middle), 0..3);
        (weekly, special_days, holidays, closures).prop_map(move |parts| {
            let mut def = CalendarDef::new(zone);
            let (weekly, special_days, holidays, closures) = parts;
            let [mon, tue, wed, thu, fri, sat, sun] = weekly.try_into().expect("seven days");
            def.weekly = crate::calendar::WeeklyHours { mon, tue, wed, thu, fri, sat, sun };
            def.special_days = special_days;
            def.holidays = holidays;
            def.closures = closures;
            let noon = middle.and_hms_opt(12, 0, 0).expect("noon").and_utc();
            let side = TimeDelta::days(SIDE_DAYS);
            Scene { def, from: noon - side, to: noon + side }
        })
    })
}

/// A point of a scene.
fn point() -> impl Strategy<Value = i64> {
    0_i64..1_000_000_000
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn p1_working_time_is_that_of_a_clock_read_minute_by_minute(scene in scene(), a in point(), b in point()) {
        let Some(calendar) = scene.calendar() else { return Ok(()) };
        let oracle = Oracle::new(&scene.def, scene.from, scene.to, 60);
        prop_assert_eq!(calendar.windows(scene.from, scene.to), Ok(oracle.windows()));
        let (a, b) = (scene.minute(a), scene.minute(b));
        let (a, b) = (a.min(b), a.max(b));
        prop_assert_eq!(calendar.elapsed(a, b), Ok(oracle.elapsed(a, b)));
    }

    #[test]
    fn p2_working_time_adds_up(scene in scene(), a in point(), b in point(), c in point()) {
        let Some(calendar) = scene.calendar() else { return Ok(()) };
        let (a, b, c) = (scene.second(a), scene.second(b), scene.second(c));
        let elapsed = |from, to| calendar.elapsed(from, to).expect("in range");
        prop_assert_eq!(elapsed(a, b) + elapsed(b, c), elapsed(a, c));
    }

    #[test]
    fn p3_due_is_the_earliest_and_breach_the_latest_instant_with_that_working_time(
        scene in scene(), a in point(), seconds in 0_i64..2_000_000,
    ) {
        let Some(calendar) = scene.calendar() else { return Ok(()) };
        let start = scene.second(a);
        let elapsed = |to| calendar.elapsed(start, to).expect("in range");
        let second = TimeDelta::seconds(1);
        let Ok(due) = calendar.due_at(start, seconds) else { return Ok(()) };
        prop_assert!(due >= start);
        prop_assert_eq!(elapsed(due), seconds);
        prop_assert!(due == start || elapsed(due - second) < seconds);
        let Ok(breach) = calendar.breach_at(start, seconds) else { return Ok(()) };
        prop_assert!(breach >= due);
        prop_assert_eq!((elapsed(breach), elapsed(breach + second)), (seconds, seconds + 1));
    }

    #[test]
    fn p4_later_starts_and_longer_targets_are_never_due_earlier(
        scene in scene(), a in point(), b in point(), seconds in 0_i64..1_000_000, more in 0_i64..100_000,
    ) {
        let Some(calendar) = scene.calendar() else { return Ok(()) };
        let (a, b) = (scene.second(a), scene.second(b));
        let (a, b) = (a.min(b), a.max(b));
        for ask in [Calendar::due_at, Calendar::breach_at] {
            if let (Ok(first), Ok(later)) = (ask(&calendar, a, seconds), ask(&calendar, b, seconds)) {
                prop_assert!(first <= later);
            }
            if let (Ok(first), Ok(longer)) = (ask(&calendar, a, seconds), ask(&calendar, a, seconds + more)) {
                prop_assert!(first <= longer);
            }
        }
    }

    #[test]
    fn p5_taking_off_is_the_mirror_of_putting_on(scene in scene(), a in point(), seconds in 0_i64..1_000_000) {
        let Some(calendar) = scene.calendar() else { return Ok(()) };
        let end = scene.second(a);
        let second = TimeDelta::seconds(1);
        let elapsed = |from| calendar.elapsed(from, end).expect("in range");
        if let Ok(latest) = calendar.sub_latest(end, seconds) {
            prop_assert!(latest <= end);
            prop_assert_eq!(elapsed(latest), seconds);
            prop_assert!(latest == end || elapsed(latest + second) < seconds);
            let due = calendar.due_at(latest, seconds).expect("in range");
            prop_assert!(due <= end);
            prop_assert_eq!(elapsed(due), 0);
        }
        if let Ok(earliest) = calendar.sub_earliest(end, seconds) {
            prop_assert_eq!((elapsed(earliest), elapsed(earliest - second)), (seconds, seconds + 1));
        }
    }

    #[test]
    fn p6_open_is_what_a_second_of_working_time_begins_with(scene in scene(), a in point()) {
        let Some(calendar) = scene.calendar() else { return Ok(()) };
        let at = scene.second(a);
        let second = TimeDelta::seconds(1);
        let is_open = calendar.is_open(at).expect("in range");
        prop_assert_eq!(calendar.elapsed(at, at + second), Ok(i64::from(is_open)));
        if let Ok(opens) = calendar.next_open(at) {
            prop_assert_eq!(opens == at, is_open);
            prop_assert_eq!(calendar.is_open(opens), Ok(true));
            prop_assert_eq!(calendar.elapsed(at, opens), Ok(0));
        }
        if let Ok(closes) = calendar.next_close(at) {
            prop_assert!(closes > at);
            prop_assert_eq!(calendar.is_open(closes - second), Ok(true));
            prop_assert_eq!(calendar.is_open(closes), Ok(false));
            let windows = calendar.windows(at, closes).expect("in range");
            prop_assert_eq!(windows.len(), 1);
        }
        if let Ok(closed) = calendar.prev_close(at) {
            prop_assert!(closed <= at);
            prop_assert_eq!(calendar.is_open(closed - second), Ok(true));
            prop_assert_eq!(calendar.elapsed(closed, at), Ok(0));
        }
    }

    #[test]
    fn p7_around_the_clock_in_any_zone_is_elapsed_time(
        zone in prop::sample::select(&SCENES[..]), a in 0_i64..4_000_000_000, seconds in 0_i64..100_000_000,
    ) {
        let weekly = crate::calendar::WeeklyHours::every_day(&[LocalSpan::DAY]);
        let def = CalendarDef::new(zone.0).with_weekly(weekly);
        let calendar = Calendar::compile(&def, &*ZONES).expect("compiles");
        let start = DateTime::from_timestamp(a, 0).expect("in range");
        let end = start + TimeDelta::seconds(seconds);
        prop_assert_eq!(calendar.elapsed(start, end), Ok(seconds));
        prop_assert_eq!(calendar.due_at(start, seconds), Ok(end));
        prop_assert_eq!(calendar.breach_at(start, seconds), Ok(end));
    }

    #[test]
    fn p8_a_zone_with_one_offset_answers_as_utc_shifted_by_it(
        scene in scene(), hours in -12_i64..=12, a in point(), b in point(),
    ) {
        let mut utc = scene.clone();
        utc.def.zone = "UTC".to_owned();
        // An instant does not move with the zone.
        utc.def.closures.retain(|closure| matches!(closure.from, Moment::Local(_)));
        let mut ahead = utc.clone();
        ahead.def.zone = format!("Etc/GMT{:+}", -hours);
        let (Some(utc_calendar), Some(calendar)) = (utc.calendar(), ahead.calendar()) else { return Ok(()) };
        let shift = TimeDelta::hours(hours);
        let (a, b) = (scene.second(a), scene.second(b));
        prop_assert_eq!(calendar.elapsed(a - shift, b - shift), utc_calendar.elapsed(a, b));
    }

    #[test]
    fn p9_the_order_of_spans_and_saying_one_twice_change_nothing(scene in scene()) {
        let mut other = scene.clone();
        let week = &mut other.def.weekly;
        for day in [&mut week.mon, &mut week.tue, &mut week.wed, &mut week.thu, &mut week.fri, &mut week.sat, &mut week.sun] {
            day.reverse();
            day.extend(day.first().copied());
        }
        other.def.holidays.reverse();
        other.def.closures.reverse();
        other.def.closures.extend(scene.def.closures.first().cloned());
        let windows = |scene: &Scene| Some(scene.calendar()?.windows(scene.from, scene.to));
        prop_assert_eq!(windows(&scene), windows(&other));
    }

    #[test]
    fn p10_closing_more_never_makes_anything_due_earlier(
        scene in scene(), a in point(), seconds in 0_i64..1_000_000, from in point(), length in 1_i64..10_000,
    ) {
        let mut less = scene.clone();
        let from = scene.minute(from);
        let to = from + TimeDelta::minutes(length);
        less.def.closures.push(ClosureDef { from: Moment::Instant(from), to: Moment::Instant(to), name: String::new() });
        let (Some(more), Some(less)) = (scene.calendar(), less.calendar()) else { return Ok(()) };
        let start = scene.second(a);
        prop_assert!(more.elapsed(start, scene.to).expect("in range") >= less.elapsed(start, scene.to).expect("in range"));
        for ask in [Calendar::due_at, Calendar::breach_at] {
            if let (Ok(more), Ok(less)) = (ask(&more, start, seconds), ask(&less, start, seconds)) {
                prop_assert!(more <= less);
            }
        }
    }

}

proptest! {
    // All of 130 years is compiled twice for each.
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn p11_no_answer_depends_on_which_pieces_were_compiled_before(
        scene in scene(), a in 0_i64..4_102_444_800, b in 0_i64..4_102_444_800, seconds in 0_i64..1_000_000_000,
    ) {
        let (Some(fresh), Some(warm)) = (scene.calendar(), scene.calendar()) else { return Ok(()) };
        let (a, b) = (DateTime::from_timestamp(a, 0).expect("in range"), DateTime::from_timestamp(b, 0).expect("in range"));
        let whole = warm.elapsed(crate::calendar::HORIZON_START, crate::calendar::HORIZON_END).expect("in range");
        prop_assert_eq!(fresh.due_at(a, seconds), warm.due_at(a, seconds));
        prop_assert_eq!(fresh.elapsed(a, b), warm.elapsed(a, b));
        prop_assert_eq!(fresh.sub_latest(b, seconds), warm.sub_latest(b, seconds));
        // In pieces of a year it is the same as in one.
        let years = (1970..=2100).map(|year| NaiveDate::from_ymd_opt(year, 1, 1).expect("a date"));
        let years: Vec<DateTime<Utc>> = years.map(|date| date.and_hms_opt(0, 0, 0).expect("midnight").and_utc()).collect();
        let sum: i64 = years.windows(2).map(|year| fresh.elapsed(year[0], year[1]).expect("in range")).sum();
        prop_assert_eq!(sum, whole);
    }
}
