//! Calendars of a desk: what may be written, and what is compiled of it.

use super::*;
use crate::calendar::{BundledZones, CalendarError, Zone};
use crate::limit::CALENDARS_MAX;
use chrono::{DateTime, Utc};

fn office() -> Value {
    json!({"key": "office", "zone": "Europe/Berlin", "weekly": {"mon": [["09:00", "17:00"]]}})
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn a_calendar_is_compiled_by_the_desks_key() {
    let desk = desk(&json!({
        "calendars": [office()],
        "groups": [{"key": "support", "calendar": "office"}],
    }));
    let office = desk.calendar(&key("office")).unwrap();
    assert!(office.is_open(at("2026-06-01T07:00:00Z")).unwrap());
    assert!(!office.is_open(at("2026-06-01T15:00:00Z")).unwrap());
    assert_eq!(desk.calendar_defs().next().unwrap().name, "office");
    assert_eq!(desk.group(&key("support")).unwrap().calendar, Some(key("office")));
    assert!(desk.calendar(&key("night")).is_none());
}

#[test]
fn faults_of_calendars_are_told_with_their_spots() {
    check(
        &json!({
            "calendars": [
                office(),
                {"key": "office", "weekly": {"mon": [["09:00", "17:00"]]}, "holydays": [], "nmae": "x"},
                {"key": "office", "weekly": {"mon": [["09:00", "17:00"]]}},
                {"key": "b", "zone": "Europe/Berln", "weekly": {"mon": [["09:00", "17:00"]]}},
                {"key": "c", "weekly": {"mon": [["09:00", "09:00"]], "mno": []}},
                {"key": "d", "weekly": {"tue": [["08:00", "09:00"], ["09:00", "25:00"]]}},
                {"key": "never"},
                {"weekly": {}},
                {"key": "h", "holidays": [{"on": "2026-02-30"}, {"on": "12-25", "observd": "none"}]},
                {"key": "s", "special_days": {"2026-12-24": [["09:00"]], "christmas": []}},
            ],
            "groups": [{"key": "a", "calendar": "ofice"}, {"key": "b", "calendar": "d"}],
            "rules": [
                {"key": "r", "when": {"field": "now", "in_hours": "nigth"}, "then": {"queue": "a"}},
            ],
        }),
        &expect![[r#"
            unknown_field calendars[1].holydays: there is no field `holydays`; near it: `holidays`, `feeds`, `closures`
            unknown_field calendars[1].nmae: there is no field `nmae`; near it: `name`, `zone`, `key`
            unknown_field calendars[4].weekly.mno: there is no field `mno`; near it: `mon`, `fri`, `sat`
            invalid calendars[5].weekly.tue[1][1]: `25:00` is no time of day: take HH:MM or HH:MM:SS, 24:00 at most
            required_field calendars[7].key: `key` is missing: it must be given
            unknown_field calendars[8].holidays[1].observd: there is no field `observd`; near it: `observed`, `hours`, `name`
            invalid calendars[9].special_days.2026-12-24[0]: a list does not fit `minItems`
            duplicate calendars[2].key: `office` is defined twice
            invalid calendars[3].zone: there is no time zone `Europe/Berln`: take an IANA name, such as `Europe/Berlin`
            never_opens calendars[6]: the calendar never opens: give it weekly hours or a special day"#]],
    );
}

#[test]
fn conditions_and_groups_name_calendars_of_the_desk() {
    let night = json!({"field": "now", "outside_hours": "night"});
    check(
        &json!({"calendars": [office()], "views": [{"key": "v", "when": night}]}),
        &expect![
            "not_configured views[0].when.outside_hours: there is no calendar `night`; near it: `office`"
        ],
    );
    check(
        &json!({"calendars": [office()], "groups": [{"key": "a", "calendar": "ofice"}]}),
        &expect![
            "not_configured groups[0].calendar: there is no calendar `ofice`; near it: `office`"
        ],
    );
    check(
        &json!({"views": [{"key": "v", "when": night}]}),
        &expect![
            "not_configured views[0].when.outside_hours: there is no calendar `night`; none is defined"
        ],
    );
}

#[test]
fn calendars_are_limited() {
    let document = |n: usize| {
        let entry =
            |i: usize| json!({"key": format!("c{i}"), "weekly": {"mon": [["09:00", "17:00"]]}});
        json!({"calendars": (0..n).map(entry).collect::<Vec<_>>()})
    };
    assert_eq!(desk(&document(CALENDARS_MAX)).calendar_defs().count(), CALENDARS_MAX);
    check(
        &document(CALENDARS_MAX + 1),
        &expect!["over_limit calendars: 1001 entries, at most 1000"],
    );
}

#[test]
fn a_stamp_changes_with_hours_and_zone_rules_and_with_nothing_else() {
    let stamp = |calendar: Value| {
        let desk = desk(&json!({"calendars": [calendar]}));
        desk.calendar_stamp(&key("office")).unwrap().clone()
    };
    let before = stamp(office());
    let changed = |field: &str, value: Value| {
        let mut calendar = office();
        calendar[field] = value;
        stamp(calendar)
    };
    assert_eq!(changed("name", json!("Office")), before);
    assert_eq!(changed("holidays", json!([])), before);
    assert_ne!(changed("zone", json!("Europe/Paris")), before);
    assert_ne!(changed("weekly", json!({"mon": [["09:00", "17:01"]]})), before);
    assert_eq!(before.to_string().len(), 16);

    let document = json!({"calendars": [office()]});
    let host = DeskReader::new().unwrap().with_zones(Arc::new(HostZones));
    let by_host = host.read(&document).unwrap();
    assert_ne!(by_host.calendar_stamp(&key("office")), Some(&before));
    assert_ne!(by_host, desk(&document));
    assert_eq!(desk(&document), desk(&document));
    let open_at = |desk: &Desk| {
        desk.calendar(&key("office")).unwrap().next_open(at("2026-06-01T00:00:00Z")).unwrap()
    };
    assert_eq!(open_at(&by_host), at("2026-06-01T09:00:00Z"));
}

/// Rules of a host: every zone is UTC.
#[derive(Debug)]
struct HostZones;

impl ZoneRules for HostZones {
    fn zone(&self, name: &str) -> Result<Arc<Zone>, CalendarError> {
        Ok(Arc::new(Zone::new(name, self.tzdb_version(), 0, &[])?))
    }

    fn tzdb_version(&self) -> &str {
        "2099a"
    }
}

#[test]
fn the_bundled_zones_are_the_default() {
    let desk = desk(&json!({"calendars": [office()]}));
    let version = BundledZones::new().tzdb_version().to_owned();
    assert_eq!(desk.calendar(&key("office")).unwrap().tzdb_version(), version);
}
