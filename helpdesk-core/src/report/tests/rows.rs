//! What each measure counts, and which rows there are.

use super::*;

const WEEKEND: (&str, &str) = ("2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z");

fn weekend(group_by: GroupBy) -> ReportQuery {
    query(WEEKEND.0, WEEKEND.1, "UTC", group_by, &ALL)
}

#[test]
fn three_days_of_a_desk() {
    check(
        &weekend(GroupBy::Day),
        &[
            (1, "2026-11-20T08:00:00Z", Step::Open),
            (2, "2026-11-20T09:00:00Z", Step::Open),
            (1, "2026-11-20T09:05:00Z", Step::AgentReplies),
            (2, "2026-11-20T09:30:00Z", Step::RequesterReplies),
            (1, "2026-11-20T12:00:00Z", SOLVED),
            (2, "2026-11-22T09:00:00Z", Step::BotReplies),
            (1, "2026-11-22T10:00:00Z", REOPENED),
            (2, "2026-11-22T10:00:00Z", Step::AgentReplies),
            (2, "2026-11-22T10:00:20Z", Step::AgentReplies),
            (1, "2026-11-22T11:00:00Z", SOLVED),
            (1, "2026-11-22T12:00:00Z", CLOSED),
        ],
        &expect![[r#"
            day         opened  solved  reopened  backlog  first replies    mean     p50     p90  solves    mean     p50     p90
            2026-11-20       2       1         0        1              1  1h 05m  1h 05m  1h 05m       1  4h 00m  4h 00m  4h 00m
            2026-11-21       0       0         0        1              0       -       -       -       0       -       -       -
            2026-11-22       0       1         1        1              1  2d 01h  2d 01h  2d 01h       1  2d 03h  2d 03h  2d 03h
            total            2       2         1        1              2  1d 01h  1h 05m  2d 01h       2  1d 03h  4h 00m  2d 03h
        "#]],
    );
}

#[test]
fn the_range_is_half_open_and_the_backlog_knows_what_was_before() {
    check(
        &weekend(GroupBy::Day),
        &[
            (1, "2026-11-01T00:00:00Z", Step::Open),
            (2, "2026-11-01T00:00:00Z", Step::Open),
            (2, "2026-11-19T23:59:59Z", SOLVED),
            (3, "2026-11-20T00:00:00Z", Step::Open),
            (4, "2026-11-20T23:59:59.999Z", Step::Open),
            (5, "2026-11-21T00:00:00Z", Step::Open),
            (3, "2026-11-22T23:59:59Z", SOLVED),
            (4, "2026-11-23T00:00:00Z", SOLVED),
            (6, "2026-11-23T00:00:00Z", Step::Open),
        ],
        &expect![[r#"
            day         opened  solved  reopened  backlog  first replies  mean  p50  p90  solves    mean     p50     p90
            2026-11-20       2       0         0        3              0     -    -    -       0       -       -       -
            2026-11-21       1       0         0        4              0     -    -    -       0       -       -       -
            2026-11-22       0       1         0        3              0     -    -    -       1  2d 23h  2d 23h  2d 23h
            total            3       1         0        3              0     -    -    -       1  2d 23h  2d 23h  2d 23h
        "#]],
    );
}

#[test]
fn imported_tickets_bring_their_own_times() {
    check(
        &weekend(GroupBy::Day),
        &[
            // Created before the range and solved in it.
            (
                1,
                "2026-11-10T00:00:00Z",
                Step::Import("2026-11-10T00:00:00Z", Some("2026-11-21T00:00:00Z")),
            ),
            // Both in it, imported later.
            (
                2,
                "2026-12-01T00:00:00Z",
                Step::Import("2026-11-20T10:00:00Z", Some("2026-11-20T11:00:00Z")),
            ),
            (2, "2026-12-01T00:00:00Z", SOLVED),
            // Nobody knows when it was solved.
            (3, "2026-11-22T00:00:00Z", Step::Import("2026-11-22T00:00:00Z", None)),
            // Solved before it was created: solved at once.
            (
                4,
                "2026-11-22T00:00:00Z",
                Step::Import("2026-11-22T00:00:00Z", Some("2026-11-02T00:00:00Z")),
            ),
            (4, "2026-11-22T12:00:00Z", REOPENED),
        ],
        &expect![[r#"
            day         opened  solved  reopened  backlog  first replies  mean  p50  p90  solves     mean      p50      p90
            2026-11-20       1       1         0        1              0     -    -    -       1   1h 00m   1h 00m   1h 00m
            2026-11-21       0       1         0        0              0     -    -    -       1  11d 00h  11d 00h  11d 00h
            2026-11-22       2       1         1        1              0     -    -    -       1       0s       0s       0s
            total            3       3         1        1              0     -    -    -       3   3d 16h   1h 00m  11d 00h
        "#]],
    );
}

#[test]
fn values_are_those_of_today_and_only_those_with_data_have_rows() {
    let query = weekend(GroupBy::Group);
    let mut reporter = reporter(&query);
    for (n, group) in [(1, Some("support")), (2, Some("billing")), (3, None), (4, Some("idle"))] {
        let mut ticket = ticket(n, instant(WEEKEND.0));
        ticket.group = group.map(key);
        reporter.ticket(&ticket);
        // A second announcement changes nothing.
        ticket.group = Some(key("other"));
        reporter.ticket(&ticket);
    }
    for n in 1..=3 {
        reporter.event(&recorded(n, instant("2026-11-21T00:00:00Z"), Step::Open));
    }
    reporter.event(&recorded(4, instant(WEEKEND.1), Step::Open));
    reporter.event(&recorded(1, instant("2026-11-21T00:00:45Z"), SOLVED));
    expect![[r#"
        group    opened  solved  reopened  backlog  first replies  mean  p50  p90  solves  mean  p50  p90
        (none)        1       0         0        1              0     -    -    -       0     -    -    -
        billing       1       0         0        1              0     -    -    -       0     -    -    -
        support       1       1         0        0              0     -    -    -       1   45s  45s  45s
        total         3       1         0        2              0     -    -    -       1   45s  45s  45s
    "#]].assert_eq(&reporter.finish().to_string());
}

#[test]
fn every_value_has_its_key() {
    let id = Uuid::from_u128(5);
    let cases = [
        (GroupBy::Channel, "email".to_owned()),
        (GroupBy::Group, "support".to_owned()),
        (GroupBy::Assignee, id.to_string()),
        (GroupBy::Priority, "urgent".to_owned()),
        (GroupBy::Type, "service_request".to_owned()),
        (GroupBy::Organization, id.to_string()),
    ];
    for (group_by, expected) in cases {
        let mut reporter = reporter(&weekend(group_by));
        let mut ticket = ticket(1, instant(WEEKEND.0));
        ticket.group = Some(key("support"));
        ticket.assignee = Some(AgentId(id));
        ticket.priority = Some(Priority::Urgent);
        ticket.ticket_type = Some(TicketType::ServiceRequest);
        ticket.organization = Some(OrganizationId(id));
        reporter.ticket(&ticket);
        reporter.event(&recorded(1, instant(WEEKEND.0), Step::Open));
        let report = reporter.finish();
        let keys: Vec<_> = report.rows.iter().map(|row| row.key.clone()).collect();
        assert_eq!(keys, [Some(expected)], "{group_by}");
        assert_eq!((report.rows[0].from, report.rows[0].to), (None, None));
    }
}

#[test]
fn tickets_that_were_not_announced_do_not_count() {
    let mut reporter = reporter(&weekend(GroupBy::Channel));
    let mut spam = ticket(2, instant(WEEKEND.0));
    spam.spam = true;
    let mut deleted = ticket(3, instant(WEEKEND.0));
    deleted.deleted = true;
    reporter.ticket(&spam);
    reporter.ticket(&deleted);
    for n in 1..=3 {
        reporter.event(&recorded(n, instant(WEEKEND.0), Step::Open));
    }
    // Announced, but never opened.
    reporter.ticket(&ticket(4, instant(WEEKEND.0)));
    reporter.event(&recorded(4, instant(WEEKEND.0), SOLVED));
    reporter.event(&recorded(4, instant(WEEKEND.0), Step::AgentReplies));
    // Of another kind of stream.
    let mut other = recorded(4, instant(WEEKEND.0), Step::Open);
    other.entry.stream = StreamId::agent(AgentId(other.entry.stream.id));
    reporter.event(&other);
    let report = reporter.finish();
    assert_eq!(report.rows, []);
    assert_eq!(report.totals[&Measure::Opened], Value::Count(0));
}

#[test]
fn only_events_that_can_count_are_wanted() {
    let wants = |measures: &[Measure]| {
        let reporter =
            reporter(&ReportQuery { measures: measures.to_vec(), ..weekend(GroupBy::Day) });
        [Step::Open, Step::AgentReplies, Step::RequesterReplies, SOLVED]
            .map(|step| reporter.wants(&event(1, instant(WEEKEND.0), step)))
    };
    assert_eq!(wants(&[Measure::Opened]), [true, false, false, false]);
    assert_eq!(wants(&[Measure::FirstReplySeconds]), [true, true, false, false]);
    for measure in [Measure::Solved, Measure::Reopened, Measure::Backlog, Measure::SolveSeconds] {
        assert_eq!(wants(&[measure]), [true, false, false, true]);
    }
    assert!(!reporter(&weekend(GroupBy::Day)).wants(&Event::Woken));
}

#[test]
fn a_report_reads_back_from_json() {
    let journal = [(1, WEEKEND.0, Step::Open), (1, "2026-11-20T00:00:01Z", SOLVED)];
    let report = report(&weekend(GroupBy::Month), &journal);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        json,
        json!({
            "group_by": "month",
            "rows": [{
                "key": "2026-11", "from": WEEKEND.0, "to": WEEKEND.1,
                "values": json["totals"].clone()
            }],
            "totals": {
                "opened": 1, "solved": 1, "reopened": 0, "backlog": 0,
                "first_reply_seconds": {"n": 0, "mean": null, "p50": null, "p90": null},
                "solve_seconds": {"n": 1, "mean": 1.0, "p50": 1, "p90": 1}
            }
        })
    );
    assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
}

#[test]
fn percentiles_are_by_nearest_rank() {
    let cases: [(&[u64], u64, u64); 5] = [
        (&[5], 5, 5),
        (&[1, 2], 1, 2),
        (&[3, 1, 2], 2, 3),
        (&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 5, 9),
        (&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 6, 10),
    ];
    for (seconds, p50, p90) in cases {
        let durations = Durations::of(seconds.to_vec());
        assert_eq!((durations.p50, durations.p90), (Some(p50), Some(p90)), "{seconds:?}");
    }
    assert_eq!(Durations::of(vec![u64::MAX; 3]).mean, Some(u64::MAX as f64));
}
