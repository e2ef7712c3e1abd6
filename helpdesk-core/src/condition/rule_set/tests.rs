//! Sets that are made to be hard, and what a scratch carries over.

use super::{RuleSet, Scratch, WALKED_MAX};
use crate::condition::{Condition, FactMap, Schema};
use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(source: &Value) -> Condition {
    Condition::parse(source, &Schema::default()).unwrap()
}

fn facts(source: &Value) -> FactMap {
    FactMap::from_json(source, DateTime::UNIX_EPOCH, &Schema::default()).unwrap()
}

/// A set finds what the walk finds, on each ticket: walked where it is small, and compiled.
fn agrees(sources: &[Value], tickets: &[Value]) {
    let conditions: Vec<Condition> = sources.iter().map(parse).collect();
    agree(&conditions, tickets);
    agree(&[vec![Condition::Never; WALKED_MAX + 1], conditions].concat(), tickets);
}

fn agree(conditions: &[Condition], tickets: &[Value]) {
    let rules = RuleSet::new(conditions);
    assert_eq!((rules.len(), rules.is_empty()), (conditions.len(), conditions.is_empty()));
    let mut scratch = Scratch::default();
    for ticket in tickets {
        let facts = facts(ticket);
        let holding = conditions.iter().enumerate().filter(|(_, it)| it.holds(&facts));
        let walked: Vec<u32> = holding.map(|(rule, _)| rule as u32).collect();
        assert_eq!(rules.all(&facts, &mut scratch), walked, "{ticket}");
        let first = walked.first().map(|rule| *rule as usize);
        assert_eq!(rules.first(&facts, &mut scratch), first, "{ticket}");
    }
}

fn tickets() -> Vec<Value> {
    let brands = ["brand-7", "brand-300", "brand-9999", "none"];
    let mut tickets: Vec<Value> = brands
        .iter()
        .enumerate()
        .map(|(n, brand)| {
            json!({
                "brand": brand, "channel": "email", "tags": ["vip", format!("tag-{n}")],
                "message_count": n * 7, "subject": format!("Order {n}77 is late"),
                "body": format!("Pattern-{n}3 and a rebate\nof {n} %"),
            })
        })
        .collect();
    tickets.push(json!({}));
    tickets
}

#[test]
fn rules_of_only_nots_and_ranges_are_found() {
    let rules: Vec<Value> = (0..200)
        .map(|n| match n % 4 {
            0 => json!({"field": "brand", "is_not": format!("brand-{n}")}),
            1 => json!({"not": {"field": "tags", "has_any": [format!("tag-{}", n % 7)]}}),
            2 => json!({"field": "message_count", "between": [n % 30, n % 30 + 4]}),
            _ => json!({"all": [
                {"field": "message_count", "ge": n % 25}, {"field": "message_count", "lt": 22},
            ]}),
        })
        .collect();
    agrees(&rules, &tickets());
}

#[test]
fn long_lists_are_found_and_refused() {
    let brands = |from: usize| -> Vec<String> {
        (from..from + 10_000).map(|n| format!("brand-{n}")).collect()
    };
    let tags: Vec<String> = (0..300).map(|n| format!("tag-{n}")).collect();
    agrees(
        &[
            json!({"field": "brand", "in": brands(0)}),
            json!({"field": "brand", "not_in": brands(0)}),
            json!({"field": "brand", "in": brands(200)}),
            json!({"not": {"field": "brand", "not_in": brands(5_000)}}),
            json!({"all": [{"field": "channel", "is": "email"}, {"field": "brand", "not_in": brands(8)}]}),
            json!({"field": "tags", "has_any": tags}),
            json!({"field": "tags", "has_none": tags}),
            json!({"field": "tags", "has_all": tags}),
        ],
        &tickets(),
    );
}

#[test]
fn a_key_that_every_rule_has_does_no_harm() {
    let rules: Vec<Value> = (0..300)
        .map(|n| {
            json!({"all": [
                {"field": "channel", "is": "email"}, {"field": "tags", "has_any": ["vip"]},
                {"field": "message_count", "is": n % 40},
            ]})
        })
        .collect();
    agrees(&rules, &tickets());
}

#[test]
fn a_word_is_found_in_each_field_that_looks_for_it() {
    let fields = ["subject", "text", "body"];
    let phrases = ["order", "late", "late 7", "order 77 is", "rebate", "pattern 03", "vip"];
    let rules: Vec<Value> = fields
        .iter()
        .flat_map(|field| phrases.map(|phrase| json!({"field": field, "has_word": [phrase]})))
        .chain([json!({"field": "subject", "has_word": ["late", "is late"]})])
        .collect();
    let mut tickets = tickets();
    tickets.push(json!({"subject": "late late 7", "body": "Rebate: order, order 77 is vip"}));
    agrees(&rules, &tickets);
    agrees(&rules[..20], &tickets);
}

#[test]
fn patterns_and_parts_are_looked_for_once() {
    let rules: Vec<Value> = (0..300)
        .map(|n| match n % 5 {
            0 => json!({"field": "text", "matches": format!("(?i)order {}[0-9]+", n % 9)}),
            1 => json!({"field": "body", "contains": format!("PATTERN-{}", n % 50)}),
            2 => json!({"not": {"field": "body", "matches": format!("of {} %$", n % 6)}}),
            3 => json!({"field": "subject", "starts_with": format!("order {}", n % 9)}),
            _ => json!({"all": [
                {"field": "text", "ends_with": "late"}, {"field": "text", "matches": "[0-9]{3}"},
                {"field": "tags", "has_any": [format!("tag-{}", n % 8)]},
            ]}),
        })
        .collect();
    agrees(&rules, &tickets());
}

#[test]
fn constants_duplicates_and_nothing_at_all_are_rules_too() {
    let vip = json!({"field": "tags", "has_any": ["vip"]});
    agrees(
        &[
            json!("never"),
            json!({"any": []}),
            json!({"all": [vip, "never"]}),
            json!({"any": [vip, {"not": "always"}]}),
            vip.clone(),
            vip.clone(),
            json!({"all": [vip, {"not": vip}]}),
            json!({"any": [vip, {"not": vip}]}),
            json!("always"),
            json!({"all": []}),
        ],
        &tickets(),
    );
    agrees(&[], &tickets());
}

#[test]
fn a_rule_too_long_for_a_program_is_asked_as_a_whole() {
    let tags: Vec<String> = (0..70_000).map(|n| format!("tag-{}", n % 9)).collect();
    let ticket = json!({"tags": (0..9).map(|n| format!("tag-{n}")).collect::<Vec<_>>()});
    let rule = json!({"field": "tags", "has_all": tags});
    agrees(&[rule.clone(), json!({"not": rule})], &[ticket, json!({"tags": ["tag-1"]})]);
}

#[test]
fn parts_are_found_wherever_they_stand_in_a_long_text() {
    let rules: Vec<Value> =
        (0..60).map(|n| json!({"field": "body", "contains": format!("part {n}.")})).collect();
    for start in 0..200 {
        let body = format!("{}part 7.{}part 41.", "x".repeat(start), "y ".repeat(start));
        agrees(&rules, &[json!({"body": body})]);
    }
}

#[test]
fn a_scratch_goes_from_one_set_to_another() {
    let small = [parse(&json!({"field": "channel", "is": "email"}))];
    let large: Vec<Condition> = (0..500)
        .map(|n| parse(&json!({"field": "tags", "has_any": [format!("tag-{n}"), "vip"]})))
        .collect();
    let (small, large) = (RuleSet::new(&small), RuleSet::new(&large));
    let mut scratch = Scratch::default();
    let [vip, plain] = [json!({"channel": "email", "tags": ["vip"]}), json!({"channel": "email"})];
    for _ in 0..3 {
        assert_eq!(large.all(&facts(&vip), &mut scratch).len(), 500);
        assert_eq!(small.all(&facts(&vip), &mut scratch), [0]);
        assert_eq!(large.first(&facts(&plain), &mut scratch), None);
        assert_eq!(small.first(&facts(&plain), &mut scratch), Some(0));
    }
}

/// One of these, again and again.
fn some_of(from: &'static [&'static str], n: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(from), 0..n).prop_map(|chosen| chosen.concat())
}

fn pattern() -> impl Strategy<Value = String> {
    const FLAGS: &[&str] = &["", "(?i)", "(?m)", "(?im)", "(?iR)"];
    const ITEMS: &[&str] = &[
        "order",
        "Kiste",
        "straße",
        "СЧЕТ",
        "счёт",
        "no.",
        "[0-9]+",
        "[ -]?",
        r"\d{2,}",
        "x*",
        "(?:late)+",
        "(late|soon)",
        "^",
        "$",
        r"\b",
        r"\B",
        ".*",
        "[^a-z]",
        "(?s:.)?",
        "s",
        "i̇",
    ];
    const WORDS: &[&str] = &["order", "Kiste", "straße", "счет", "late", "soon", "ißt"];
    let flags = prop::sample::select(FLAGS);
    (flags, some_of(ITEMS, 3), prop::sample::select(WORDS), some_of(ITEMS, 4))
        .prop_map(|(flags, before, word, behind)| [flags, &before, word, &behind].concat())
}

fn text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "order",
        "ORDER",
        "Kiste",
        "\u{212a}i\u{17f}te",
        "straße",
        "STRAẞE",
        "счет",
        "Счёт",
        "late",
        "soon",
        "7",
        "42",
        " ",
        "-",
        "\n",
        "\r\n",
        "x",
        "s",
        "İ",
        "i̇",
        "é",
        ".",
    ];
    some_of(PIECES, 14)
}

proptest! {
    #[test]
    fn a_pattern_is_found_near_its_parts_as_anywhere(
        patterns in prop::collection::vec(pattern(), 1..8),
        tickets in prop::collection::vec((text(), text()), 1..6),
    ) {
        let fields = ["text", "body", "subject"].iter().cycle();
        let patterns = patterns.iter().zip(fields);
        let rule = |(pattern, field)| json!({"field": field, "matches": pattern});
        let mut rules: Vec<Value> = patterns.map(rule).collect();
        // So many that all parts are looked for with each ticket.
        rules.extend((0..20).map(|n| json!({"field": "text", "contains": format!("part {n}")})));
        let ticket = |(subject, body)| json!({"subject": subject, "body": body});
        agrees(&rules, &tickets.into_iter().map(ticket).collect::<Vec<_>>());
    }
}

#[test]
fn a_part_that_stands_everywhere_costs_no_more_than_the_text() {
    let mut rules: Vec<Value> = (0..20)
        .map(|n| json!({"field": "body", "matches": format!("aaa[ab]{{{n}}}c[0-9]+")}))
        .collect();
    rules.push(json!({"field": "body", "matches": "aaa[ab]{500}c"}));
    for n in [3, 100, 5_000] {
        let body = "a".repeat(n);
        let tickets = ["c1", "c", "bc7", "cc"].map(|end| json!({"body": format!("{body}{end}")}));
        agrees(&rules, &tickets);
    }
}
