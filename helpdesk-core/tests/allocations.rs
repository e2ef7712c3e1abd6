//! What matching allocates: nothing, once it has seen tickets like these.
//!
//! A program of its own, as its allocator counts what the whole process does.

use chrono::{DateTime, Utc};
use helpdesk_core::condition::{Condition, FactMap, LiveRules, RuleSet, Schema, Scratch};
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const N_RULES: usize = 1_000;
const N_TICKETS: usize = 50;

/// Every kind of test that a rule set answers in its own way.
fn rule(i: usize) -> Value {
    let word = ["refund", "invoice", "parcel", "money back", "vip"][i % 5];
    let leaf = match i % 12 {
        0 => json!({"field": "text", "has_word": [word, format!("word{i}")]}),
        1 => json!({"field": "subject", "has_all_words": [word, "please"]}),
        2 => json!({"field": "body", "contains": format!("x{}", i % 40)}),
        3 => json!({"field": "text", "matches": format!("(?i)order[- ]?{}", i % 30)}),
        4 => json!({"field": "body", "matches": r"\d{3}-\d{2}"}),
        5 => json!({"field": "tags", "has_any": [format!("t{}", i % 50), "hot"]}),
        6 => json!({"field": "tags", "has_none": [format!("t{}", i % 50)]}),
        7 => json!({"field": "message_count", "between": [i % 7, i % 7 + 2]}),
        8 => json!({"field": "body_length", "gt": i}),
        9 => json!({"field": "created_at", "older_than": i * 10}),
        10 => json!({"field": "channel", "in": ["email", "chat"]}),
        _ => json!({"field": "subject", "starts_with": word}),
    };
    let priority = ["low", "normal", "high", "urgent"][i / 12 % 4];
    match i % 5 {
        0 => leaf,
        1 => json!({"all": [leaf, {"field": "priority", "is": priority}]}),
        2 => json!({"any": [leaf, {"field": "priority", "is_not": priority}]}),
        3 => json!({"not": leaf}),
        _ => json!({"all": [leaf, {"not": {"field": "tags", "has_any": ["hot"]}}]}),
    }
}

fn ticket(i: usize) -> Value {
    let word = ["Refund", "INVOICE", "parcel", "money  back", "Größe", "посылка"][i % 6];
    let priority = ["low", "normal", "high", "urgent"][i % 4];
    let channel = ["email", "chat", "form"][i % 3];
    json!({
        "subject": format!("{word} please"),
        "body": format!("Order-{i} of 123-45: x{i} word{} {word}. {}", i * 5, "More text. ".repeat(i)),
        "tags": [format!("t{i}"), format!("t{}", i * 2)], "message_count": i % 9,
        "body_length": i * 20, "created_at": "2026-06-01T11:00:00Z",
        "priority": priority, "channel": channel,
    })
}

/// How often `work` asks for memory.
fn n_allocations(work: impl FnOnce()) -> usize {
    let region = Region::new(MEMORY);
    work();
    let change = region.change();
    change.allocations + change.reallocations
}

#[test]
fn matching_allocates_nothing_once_the_scratch_is_warm() {
    let schema = Schema::default();
    let now: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
    let rules: Vec<Condition> =
        (0..N_RULES).map(|i| Condition::parse(&rule(i), &schema).unwrap()).collect();
    let fresh: Vec<FactMap> =
        (0..N_TICKETS).map(|i| FactMap::from_json(&ticket(i), now, &schema).unwrap()).collect();
    // Walked ones, a small set, and the whole.
    for n in [10, 40, N_RULES] {
        let set = RuleSet::new(&rules[..n]);
        let live = LiveRules::new((0..n).zip(rules[..n].iter().cloned()));
        let tickets = fresh.clone();
        let mut scratch = Scratch::default();
        let mut n_found = 0;
        let mut pass = || {
            for ticket in &tickets {
                n_found += set.all(ticket, &mut scratch).len();
                n_found += usize::from(set.first(ticket, &mut scratch).is_some());
                n_found += usize::from(set.find(7, ticket, &mut scratch, |i| i % 3 == 0).is_some());
                n_found += usize::from(live.first(ticket, &mut scratch).is_some());
            }
        };
        assert!(n_allocations(&mut pass) > 0, "folded texts, and what the scratch grows to");
        assert_eq!(n_allocations(&mut pass), 0, "{n} rules");
        assert!(n_found > N_TICKETS, "{n} rules: {n_found} found");
    }
}
