//! What people may write, and what they are told when it is wrong.

use super::*;
use crate::fault::Fault;

#[track_caller]
fn faults(toml: &str, expected: &[&str]) {
    let found = def(toml).check("calendars[2]", &BundledZones::new());
    let found: Vec<String> = found.iter().map(Fault::to_string).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_fault_is_told_at_once_with_its_path_and_remedy() {
    let toml = r#"
        zone = "Europe/Berln"
        holidays = [
            { on = "2206-12-25" },
            { on = { easter = 500 } },
            { on = { nth = 6, weekday = "mon", month = 13 } },
            { on = "12-25", until = "2026-12-26" },
            { on = "2026-12-25", until = "2026-12-24", hours = [["24:00", "06:00"]] },
        ]
        closures = [{ from = "2026-12-25", to = "2026-12-24T12:00" }]
        feeds = [{ only = [" "], events = [
            { name = "x", from = "2026-12-25T01:00", to = "2026-12-26", all_day = true },
        ] }]
        [weekly]
        mon = [["09:00", "17:00"], ["24:00", "06:00"]]
        [special_days]
        1969-12-31 = []
    "#;
    faults(
        toml,
        &[
            "calendars[2].zone: there is no time zone `Europe/Berln`: take an IANA name, such as `Europe/Berlin`",
            "calendars[2].weekly.mon[1]: 24:00 ends a day: open at 00:00 of the next one",
            "calendars[2].special_days.1969-12-31: 1969-12-31: calendars cover 1970-01-01 to 2099-12-31",
            "calendars[2].holidays[0].on: 2206-12-25: calendars cover 1970-01-01 to 2099-12-31",
            "calendars[2].holidays[1].on: takes 200 days at most; found 500",
            "calendars[2].holidays[2].on.nth: takes 1 to 5, or -1 to -5 from the end; found 6",
            "calendars[2].holidays[2].on.month: takes 1 to 12; found 13",
            "calendars[2].holidays[3].until: only a listed date has a last day: list the days of a rule",
            "calendars[2].holidays[4].hours[0]: 24:00 ends a day: open at 00:00 of the next one",
            "calendars[2].holidays[4].until: 2026-12-24 is before 2026-12-25: swap them",
            "calendars[2].holidays[4].until: several days have neither `hours` nor `observed`: list them",
            "calendars[2].feeds[0].only[0]: is empty: give a part of a name",
            "calendars[2].feeds[0].events[0]: an event of whole days begins and ends with dates",
            "calendars[2].closures[0].to: 2026-12-24T12:00:00 is not after 2026-12-25: swap them",
        ],
    );
}

#[test]
fn a_calendar_that_never_opens_is_a_fault() {
    let expected = "calendars[2]: the calendar never opens: give it weekly hours or a special day";
    faults("zone = \"UTC\"", &[expected]);
    faults(OFFICE, &[]);
}

#[test]
fn a_list_over_its_limit_is_one_fault() {
    let mut def = def(OFFICE);
    def.weekly.mon = vec![def.weekly.mon[0]; 49];
    def.closures = (0..10_001)
        .map(|_| crate::calendar::ClosureDef {
            from: "2026-01-01".parse().expect("a moment"),
            to: "2026-01-01".parse().expect("a moment"),
            name: String::new(),
        })
        .collect();
    let found = def.check("", &BundledZones::new());
    let found: Vec<String> = found.iter().map(Fault::to_string).collect();
    assert_eq!(
        found,
        ["weekly.mon: 49 entries, at most 48", "closures: 10001 entries, at most 10000"]
    );
}

#[test]
fn unknown_fields_and_malformed_times_are_refused_in_words() {
    let refused =
        |toml: &str| toml::from_str::<CalendarDef>(toml).expect_err("refused").message().to_owned();
    assert!(refused("zones = \"UTC\"").contains("unknown field `zones`"));
    assert!(refused("[weekly]\nmonday = []").contains("unknown field `monday`"));
    for time in [
        "24:01",
        "25:00",
        "9:00",
        "09:60",
        "09:00:60",
        "09",
        "+9:00",
        "09:00:00:00",
        "24:00:01",
        "",
    ] {
        let toml = format!("[weekly]\nmon = [[\"08:00\", \"{time}\"]]");
        let expected = format!("`{time}` is no time of day: take HH:MM or HH:MM:SS, 24:00 at most");
        assert_eq!(refused(&toml), expected);
    }
    let moment = "closures = [{ from = \"2026-12-24 12:00\", to = \"2026-12-25\" }]";
    assert!(refused(moment).starts_with("`2026-12-24 12:00` is no point in time"));
}

#[test]
fn what_is_read_is_written_and_read_again() {
    let toml = r#"
        zone = "Europe/Berlin"
        holidays = [{ on = "12-25", name = "Christmas", observed = "nearest_weekday" }]
        closures = [{ from = "2026-12-24T12:00", to = "2026-12-24T11:00:00Z" }]
        feeds = [{ name = "Saxony", source = "https://example.com/feed.ics", events = [
            { name = "Reformation Day", from = "2026-10-31", to = "2026-11-01", all_day = true },
        ] }]
        [weekly]
        mon = [["09:00", "12:30:15"], ["13:00", "24:00"]]
        [special_days]
        2026-12-31 = []
    "#;
    let read = def(toml);
    let written = toml::to_string(&read).expect("writes");
    assert_eq!(def(&written), read);
    let json = serde_json::to_value(&read).expect("writes");
    assert_eq!(serde_json::from_value::<CalendarDef>(json).expect("reads"), read);
}

#[test]
fn the_schema_takes_what_is_written_and_refuses_what_is_not_read() {
    let schema = serde_json::to_value(schemars::schema_for!(CalendarDef)).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("compiles");
    let read =
        def("holidays = [{ on = { nth = 1, weekday = \"mon\", month = 5 } }, { on = \"12-25\" }]");
    assert!(validator.is_valid(&serde_json::to_value(&read).expect("writes")));
    for wrong in [
        serde_json::json!({"weekly": {"mon": [["09:00", "25:00"]]}}),
        serde_json::json!({"weekly": {"mon": [["09:00"]]}}),
        serde_json::json!({"holidays": [{"on": "December 25"}]}),
        serde_json::json!({"closures": [{"from": "noon", "to": "2026-12-25"}]}),
        serde_json::json!({"hours": {}}),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}
