//! Searches as people write them.

mod laws;

use super::{QueryErrorKind, SearchOrder, SearchQuery, SearchTerms, faults};
use crate::condition::{Condition, CustomKind, Field, Schema};
use crate::fault::Code;
use crate::id::Key;
use crate::limit::{SEARCH_CHARS_MAX, SEARCH_TERMS_MAX, SEARCH_VALUES_MAX};
use crate::view::{Direction, OrderBy};
use expect_test::expect;
use serde_json::{Value, json};
use uuid::Uuid;

/// A desk with one custom field of each kind, one calendar and two metrics.
fn schema() -> Schema {
    let values = || ["core", "mobile", "api"].into_iter().map(str::to_owned).collect();
    let custom = [
        ("product", CustomKind::Choice { values: values() }),
        ("parts", CustomKind::MultiChoice { values: values() }),
        ("note", CustomKind::Text),
        ("seats", CustomKind::Number),
        ("renewal", CustomKind::Instant),
        ("paid", CustomKind::Boolean),
    ];
    let key = |key: &str| Key::new(key).unwrap();
    let schema = Schema::default()
        .with_values(Field::Status, ["open", "pending", "none"])
        .with_calendars([key("office")])
        .with_metrics([key("first_reply"), key("resolution")]);
    custom.into_iter().fold(schema, |schema, (name, kind)| schema.with_custom(key(name), kind))
}

const ME: Uuid = Uuid::from_u128(7);

fn parse_with(schema: &Schema, source: &str) -> Result<SearchQuery, Vec<super::QueryError>> {
    let terms = SearchTerms { me: Some(ME), time_zone: "Europe/Sofia", ..SearchTerms::new(schema) };
    SearchQuery::parse(source, &terms)
}

fn parse(source: &str) -> SearchQuery {
    parse_with(&schema(), source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}

/// A search reads as this condition, which is parsed like any other.
#[track_caller]
fn reads(source: &str, condition: &Value) {
    let expected = Condition::parse(condition, &schema()).unwrap();
    assert_eq!(parse(source).condition(), expected, "{source}");
}

#[test]
fn each_kind_of_field_is_asked_by_name_and_value() {
    let is = |field: &str, operator: &str, value: Value| json!({"field": field, operator: value});
    reads("status:open", &is("status", "is", json!("open")));
    reads("status:open,pending", &is("status", "in", json!(["open", "pending"])));
    reads("priority>=high", &is("priority", "in", json!(["high", "urgent"])));
    reads("priority<normal", &is("priority", "is", json!("low")));
    reads("assignee:me", &is("assignee", "is", json!(ME)));
    reads("assignee:none", &is("assignee", "unset", json!(true)));
    reads("group:any", &is("group", "set", json!(true)));
    reads("tag:refund", &is("tags", "has_any", json!(["refund"])));
    reads("tags.has_all:a,b", &is("tags", "has_all", json!(["a", "b"])));
    reads("subject:invoice", &is("subject", "has_word", json!(["invoice"])));
    reads(
        "subject:\"money back\",refund",
        &is("subject", "has_word", json!(["money back", "refund"])),
    );
    reads("subject.starts_with:\"re: \"", &is("subject", "starts_with", json!("re: ")));
    reads("custom.seats>2.5", &is("custom.seats", "gt", json!(2.5)));
    reads("messages:2..5", &is("message_count", "between", json!([2, 5])));
    reads("custom.paid:yes", &is("custom.paid", "is", json!(true)));
    reads("custom.product:core", &is("custom.product", "is", json!("core")));
    reads("now:office", &is("now", "in_hours", json!("office")));
    reads("sla.first_reply:breached", &is("sla.first_reply", "breached", json!(true)));
    reads("sla.resolution:running", &is("sla.resolution", "state", json!("running")));
    reads("sla.first_reply.left_lt:30m", &is("sla.first_reply", "left_lt", json!(1_800)));
    reads("created.older_than:7d", &is("created_at", "older_than", json!(604_800)));
    reads(
        "updated.newer_than:8h@office",
        &is("updated_at", "newer_than", json!({"seconds": 28_800, "calendar": "office"})),
    );
    reads("due.within_next:4h", &is("due_at", "within_next", json!(14_400)));
    reads("-tag:spam", &json!({"not": is("tags", "has_any", json!(["spam"]))}));
    reads(
        "status:open -tag:spam",
        &json!({"all": [
            is("status", "is", json!("open")),
            {"not": is("tags", "has_any", json!(["spam"]))},
        ]}),
    );
}

#[test]
fn a_date_is_a_day_of_the_desk() {
    // Sofia is two hours ahead in January.
    let created = |operator: &str, at: &str| json!({"field": "created_at", operator: at});
    reads("created>=2026-01-01", &created("after", "2025-12-31T21:59:59.999999999Z"));
    reads("created<2026-01-01", &created("before", "2025-12-31T22:00:00Z"));
    reads("created>2026-01-01", &created("after", "2026-01-01T21:59:59.999999999Z"));
    reads("created<=2026-01-01", &created("before", "2026-01-01T22:00:00Z"));
    reads(
        "created:2026-01-01",
        &json!({"all": [
            created("after", "2025-12-31T21:59:59.999999999Z"),
            created("before", "2026-01-01T22:00:00Z"),
        ]}),
    );
    reads(
        "created:2026-01-01..2026-01-31",
        &json!({"all": [
            created("after", "2025-12-31T21:59:59.999999999Z"),
            created("before", "2026-01-31T22:00:00Z"),
        ]}),
    );
    reads("created>2026-01-01T09:00:00+02:00", &created("after", "2026-01-01T07:00:00Z"));
}

#[test]
fn other_words_are_looked_for_in_the_texts() {
    let query = parse(r#"refund "money back" -draft -"no reply" 10:30 e-mail "status:open""#);
    assert_eq!(query.condition(), Condition::Always);
    assert_eq!(query.text().all, ["refund", "money back", "10:30", "e-mail", "status:open"]);
    assert_eq!(query.text().none, ["draft", "no reply"]);
    assert_eq!(parse(r#""a \"b\" \\ c""#).text().all, [r#"a "b" \ c"#]);
    assert!(parse("  ").text().is_empty());
}

#[test]
fn the_order_goes_either_way() {
    let order = |source| parse(source).order();
    assert_eq!(order("order:due"), Some(SearchOrder::By(OrderBy::DueAt, Direction::Ascending)));
    assert_eq!(
        order("order:-created_at"),
        Some(SearchOrder::By(OrderBy::CreatedAt, Direction::Descending))
    );
    assert_eq!(order("order:relevance"), Some(SearchOrder::Relevance));
    assert_eq!(parse("refund").into_parts().2, SearchOrder::Relevance);
}

#[test]
fn a_search_has_one_written_form() {
    let written = |source: &str, expected: &str| assert_eq!(parse(source).to_string(), expected);
    written(
        "order:due_at refund STATUS:pending,open tags:a",
        "status:open,pending tag:a refund order:due",
    );
    written(r#"status:"none" assignee:none"#, r#"status:"none" assignee:none"#);
    written("created>=2026-01-01", "created>=2025-12-31T22:00:00Z");
    written("created.older_than:604800", "created.older_than:1w");
    written("subject.set:true custom.note.unset:true", "subject.set:true custom.note.unset:true");
    written("tags.has_none: status.in:open", "tag.has_none: status.in:open");
    written(
        "updated.newer_than:28800@office sla.first_reply.breached:no",
        "updated.newer_than:8h@office sla.first_reply.breached:false",
    );
}

#[test]
fn what_is_wrong_names_its_column_and_the_remedy() {
    let wrong = [
        "refund stat:open",
        "group>5",
        "status:open,opne",
        "created>yesterday due<2026-02-30",
        "a \"money back",
        "status: tag:a,",
        "- refund",
        "refund &",
        "messages:many",
        "created.older_than:soon",
        "custom.paid:maybe",
        "sla.first_reply:late",
        "-created:2026-01-01",
        "order:size",
        "order:due order:number -order:due",
        "custom.paid:yes,no",
        "sla.speed:met custom.size:3",
        "subject.matches:\"(\"",
    ];
    let told = wrong.map(|source| {
        let errors = parse_with(&schema(), source).map(|query| query.to_string()).unwrap_err();
        let lines: String = errors.iter().map(|error| format!("  {error}\n")).collect();
        format!("{source}\n{lines}")
    });
    expect![[r#"
        refund stat:open
          column 8: there is no field `stat`; near it: `status`, `tag`, `tags`; in quotes it is looked for as text
        group>5
          column 1: `>` does not fit `group`: take `:`, `.is:`, `.is_not:`, `.in:`, `.not_in:`, `.set:`, `.unset:`
        status:open,opne
          column 13: `opne` is no value of status; near it: `none`, `open`, `pending`
        created>yesterday due<2026-02-30
          column 9: `yesterday` is no date: write `2026-01-31`, or an instant like `2026-01-31T09:00:00Z`
          column 23: `2026-02-30` is no date: write `2026-01-31`, or an instant like `2026-01-31T09:00:00Z`
        a "money back
          column 3: the quote does not end: add a `"`, or write `\"` for one inside
        status: tag:a,
          column 1: a value is missing behind `status:`
          column 15: a value is missing behind `a,`
        - refund
          column 1: a value is missing behind `-`
        refund &
          column 8: there is no word in `&`: leave it out
        messages:many
          column 10: `many` is no number; write `3`, `2.5` or, for a range, `3..5`
        created.older_than:soon
          column 20: `soon` is no length of time: write `30m`, `8h`, `7d`, or `8h@calendar`
        custom.paid:maybe
          column 13: `maybe` is neither `true` nor `false`
        sla.first_reply:late
          column 17: `late` is no state of `sla.first_reply`; near it: `met`, `paused`, `inactive`
        -created:2026-01-01
          column 2: a range has no opposite: write `created<…` or `created>…`
        order:size
          column 7: `size` is no order: take one of `number`, `created`, `updated`, `last_requester`, `priority`, `due`, `status`, `relevance`, with a `-` before it for the other way
        order:due order:number -order:due
          column 11: the order is named twice: leave one out
          column 25: an order has no opposite: `order:-due` is the other way round
        custom.paid:yes,no
          column 17: `custom.paid` takes one value here
        sla.speed:met custom.size:3
          column 1: there is no field `sla.speed`; near it: `assigned`, `snoozed`, `solved`; in quotes it is looked for as text
          column 15: there is no field `custom.size`; near it: `custom.note`, `custom.paid`, `custom.seats`; in quotes it is looked for as text
        subject.matches:"("
          column 17: the pattern `(` does not compile: unclosed group
    "#]].assert_eq(&told.concat());
}

#[test]
fn nobody_in_particular_has_no_tickets_of_their_own() {
    let schema = schema();
    let errors = SearchQuery::parse("assignee:me", &SearchTerms::new(&schema)).unwrap_err();
    assert_eq!(errors[0].kind, QueryErrorKind::NoMe);
    let faults = faults(errors, "query");
    assert_eq!((faults[0].path.as_str(), faults[0].code), ("query", Code::Invalid));
}

#[test]
fn a_search_ends_at_its_limits() {
    let code = |source: &str| parse_with(&schema(), source).err().map(|e| e[0].kind.code());
    let words = |n: usize| vec!["a"; n].join(" ");
    assert_eq!(code(&words(SEARCH_TERMS_MAX)), None);
    assert_eq!(code(&words(SEARCH_TERMS_MAX + 1)), Some(Code::OverLimit));
    let values = |n: usize| format!("tag:{}", vec!["a"; n].join(","));
    assert_eq!(code(&values(SEARCH_VALUES_MAX)), None);
    assert_eq!(code(&values(SEARCH_VALUES_MAX + 1)), Some(Code::OverLimit));
    assert_eq!(code(&"ä".repeat(SEARCH_CHARS_MAX)), None);
    assert_eq!(code(&"ä".repeat(SEARCH_CHARS_MAX + 1)), Some(Code::OverLimit));
}
