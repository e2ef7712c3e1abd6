//! Days, weeks and months where clocks and years change, and queries that do not fit.

use super::*;

/// Each row's key, first instant and length in hours.
fn rows(from: &str, to: &str, zone: &str, group_by: GroupBy) -> Vec<String> {
    let query = query(from, to, zone, group_by, &[Measure::Opened]);
    let report = reporter(&query).finish();
    let mut end = query.from;
    let mut lines = Vec::new();
    for row in &report.rows {
        let (from, to) = (row.from.unwrap(), row.to.unwrap());
        assert_eq!(from, end, "rows follow each other");
        end = to;
        let hours = (to - from).num_minutes() as f64 / 60.0;
        let key = row.key.as_deref().unwrap();
        lines.push(format!("{key} {} {hours}h", from.format("%m-%dT%H:%MZ")));
    }
    assert_eq!(end, query.to, "rows fill the range");
    lines
}

#[test]
fn a_day_has_23_or_25_hours_where_clocks_change() {
    assert_eq!(
        rows("2026-03-28T23:00:00Z", "2026-03-30T22:00:00Z", "Europe/Berlin", GroupBy::Day),
        ["2026-03-29 03-28T23:00Z 23h", "2026-03-30 03-29T22:00Z 24h"],
    );
    assert_eq!(
        rows("2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z", "Europe/Berlin", GroupBy::Day),
        ["2026-10-25 10-24T22:00Z 25h", "2026-10-26 10-25T23:00Z 24h"],
    );
    // Clocks skip midnight itself.
    assert_eq!(
        rows("2018-11-03T03:00:00Z", "2018-11-05T02:00:00Z", "America/Sao_Paulo", GroupBy::Day),
        ["2018-11-03 11-03T03:00Z 24h", "2018-11-04 11-04T03:00Z 23h"],
    );
    // Clocks go from 01:00 back to midnight: the first one begins the day.
    assert_eq!(
        rows("2026-10-31T04:00:00Z", "2026-11-02T05:00:00Z", "America/Havana", GroupBy::Day),
        ["2026-10-31 10-31T04:00Z 24h", "2026-11-01 11-01T04:00Z 25h"],
    );
    // Samoa had no 30 December 2011.
    assert_eq!(
        rows("2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z", "Pacific/Apia", GroupBy::Day),
        ["2011-12-29 12-29T10:00Z 24h", "2011-12-31 12-30T10:00Z 24h"],
    );
}

#[test]
fn an_event_counts_on_the_day_of_the_zone() {
    check(
        &query(
            "2026-03-28T23:00:00Z",
            "2026-03-30T22:00:00Z",
            "Europe/Berlin",
            GroupBy::Day,
            &[Measure::Opened, Measure::Backlog],
        ),
        &[
            (1, "2026-03-28T22:59:59Z", Step::Open),
            (2, "2026-03-28T23:00:00Z", Step::Open),
            (3, "2026-03-29T21:59:59Z", Step::Open),
            (4, "2026-03-29T22:00:00Z", Step::Open),
        ],
        &expect![[r#"
            day         opened  backlog
            2026-03-29       2        3
            2026-03-30       1        4
            total            3        4
        "#]],
    );
}

#[test]
fn weeks_are_iso_weeks_across_the_year() {
    assert_eq!(
        rows("2026-12-27T00:00:00Z", "2027-01-12T00:00:00Z", "UTC", GroupBy::Week),
        [
            "2026-W52 12-27T00:00Z 24h",
            "2026-W53 12-28T00:00Z 168h",
            "2027-W01 01-04T00:00Z 168h",
            "2027-W02 01-11T00:00Z 24h",
        ],
    );
    assert_eq!(
        rows("2025-12-28T12:00:00Z", "2026-01-01T00:00:00Z", "UTC", GroupBy::Week),
        ["2025-W52 12-28T12:00Z 12h", "2026-W01 12-29T00:00Z 72h"],
    );
    // The week in which clocks go back.
    assert_eq!(
        rows("2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z", "Europe/Berlin", GroupBy::Week),
        ["2026-W43 10-18T22:00Z 169h"],
    );
}

#[test]
fn months_are_cut_by_the_range() {
    assert_eq!(
        rows("2027-12-31T12:00:00Z", "2028-03-01T00:00:01Z", "UTC", GroupBy::Month),
        [
            "2027-12 12-31T12:00Z 12h",
            "2028-01 01-01T00:00Z 744h",
            "2028-02 02-01T00:00Z 696h",
            "2028-03 03-01T00:00Z 0h",
        ],
    );
}

#[test]
fn a_range_may_be_as_short_as_a_nanosecond() {
    let tiny =
        rows("2026-11-20T10:00:00.1Z", "2026-11-20T10:00:00.100000001Z", "UTC", GroupBy::Day);
    assert_eq!(tiny, ["2026-11-20 11-20T10:00Z 0h"]);
}

/// The faults of a query, one a line.
fn faults(from: &str, to: &str, zone: &str, measures: &[Measure]) -> String {
    let query = query(from, to, zone, GroupBy::Day, measures);
    let faults = query.check();
    assert_eq!(Reporter::new(&query).err().unwrap_or_default(), faults);
    let lines: Vec<_> = faults.iter().map(|f| format!("{} {f}", f.code)).collect();
    lines.join("\n")
}

#[test]
fn all_faults_of_a_query_are_told() {
    expect![[r#"
        invalid zone: `Mars/Olympus` is no IANA zone like `Europe/Berlin`
        invalid measures: name at least one measure
        invalid to: must be later than `from`"#]]
    .assert_eq(&faults("2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z", "Mars/Olympus", &[]));
    expect![[r#"
        invalid from: lies beyond the year 9999
        invalid to: lies beyond the year 9999"#]]
    .assert_eq(&faults("+12000-01-01T00:00:00Z", "+12001-01-01T00:00:00Z", "UTC", &ALL));
    assert_eq!(faults("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "UTC", &ALL), "");
}

#[test]
fn a_report_covers_ten_civil_years_of_its_zone() {
    // 29 October is in summer time in 2016 and in winter time in 2026.
    let from = "2016-10-28T22:00:00Z";
    let zone = "Europe/Berlin";
    assert_eq!(faults(from, "2026-10-28T23:00:00Z", zone, &ALL), "");
    expect!["over_limit to: a report covers 10 years at most: ask for a shorter range"]
        .assert_eq(&faults(from, "2026-10-28T23:00:00.001Z", zone, &ALL));
    let days = rows(from, "2026-10-28T23:00:00Z", zone, GroupBy::Day);
    assert_eq!(days.len(), 3_652);
    assert!(days.len() < crate::limit::REPORT_BUCKETS_MAX);
}

#[test]
fn the_calendar_ends() {
    let end = ("9999-12-30T00:00:00Z", "9999-12-30T22:00:00Z");
    assert_eq!(rows(end.0, end.1, "UTC", GroupBy::Day), ["9999-12-30 12-30T00:00Z 22h"]);
    assert_eq!(rows(end.0, end.1, "UTC", GroupBy::Month), ["9999-12 12-30T00:00Z 22h"]);
}

#[test]
fn a_query_has_a_schema_and_no_unknown_fields() {
    let text = json!({"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z",
        "group_by": "type", "measures": ["solve_seconds"]});
    let query: ReportQuery = serde_json::from_value(text.clone()).unwrap();
    assert_eq!((query.zone.as_str(), query.group_by), ("UTC", GroupBy::Type));
    let mut unknown = text.clone();
    unknown["sum"] = json!(1);
    assert!(serde_json::from_value::<ReportQuery>(unknown.clone()).is_err());
    let schema = serde_json::to_value(schemars::schema_for!(ReportQuery)).unwrap();
    assert!(jsonschema::is_valid(&schema, &text));
    assert!(!jsonschema::is_valid(&schema, &unknown));
}
