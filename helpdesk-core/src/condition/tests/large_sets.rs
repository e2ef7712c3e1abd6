//! Sets of hundreds of rules of every kind, drawn: larger than those of the other laws,
//! so that rules are looked for in more than one go, parts of texts together.

use super::{facts, parse};
use crate::condition::{Condition, FactMap, LiveRules, RuleSet, Scratch};
use proptest::prelude::*;
use serde_json::{Value, json};

const WORDS: [&str; 8] = ["refund", "money", "back", "straße", "счёт", "e-mail", "x", "order 7"];
const PRIORITIES: [&str; 4] = ["low", "normal", "high", "urgent"];

/// Numbers that a seed gives: a linear congruential generator, its upper bits.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// True once in so many times.
    fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// Fewer than `n`.
    fn some<T>(&mut self, n: u64, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(n)).map(|_| make(self)).collect()
    }
}

fn some(draw: &mut Draw, from: &[&str]) -> Vec<String> {
    draw.some(4, |draw| draw.of(from).to_owned())
}

/// A tag, most of them rare.
fn tag(draw: &mut Draw) -> String {
    let n = draw.of(&[2, 40, 400]);
    format!("t{}", draw.below(n))
}

/// A part of a text that other parts contain.
fn part(draw: &mut Draw) -> String {
    let word = draw.of(&WORDS);
    match draw.below(3) {
        0 => word.to_owned(),
        1 => word.chars().skip(1).chain([' ']).collect(),
        _ => format!("{word}{}", draw.below(30)),
    }
}

fn leaf(draw: &mut Draw) -> Value {
    let field = draw.of(&["subject", "body", "text"]);
    match draw.below(16) {
        0 => json!({"field": "priority", "is": draw.of(&PRIORITIES)}),
        1 => json!({"field": "priority", "not_in": some(draw, &PRIORITIES)}),
        2 => json!({"field": "tags", "has_any": draw.some(4, tag)}),
        3 => json!({"field": "tags", "has_all": draw.some(3, tag)}),
        4 => json!({"field": "tags", "has_none": draw.some(3, tag)}),
        5 | 6 => json!({"field": field, "has_word": some(draw, &WORDS)}),
        7 => json!({"field": field, "has_all_words": some(draw, &WORDS)}),
        8 | 9 => json!({"field": field, "contains": part(draw)}),
        10 => json!({"field": field, draw.of(&["starts_with", "ends_with", "is"]): part(draw)}),
        11 => {
            let pattern =
                draw.of(&["ord[a-z]+ 7", "(?i)REFUND", r"\d\d", "^money|back$", "(?i)x1?"]);
            json!({"field": field, "matches": pattern})
        }
        12 => {
            json!({"field": "custom.seats", draw.of(&["lt", "le", "gt", "ge", "is"]): draw.below(9)})
        }
        13 => json!({"field": "custom.seats", "between": [draw.below(5), draw.below(9)]}),
        14 => json!({"field": "snoozed_until", "within_next": draw.below(7_200)}),
        _ => json!({"field": draw.of(&["tags", "text", "custom.seats"]), "set": draw.once_in(2)}),
    }
}

fn condition(draw: &mut Draw, depth: u64) -> Value {
    match draw.below(10) {
        _ if depth == 0 => leaf(draw),
        0..4 => json!({"all": draw.some(4, |draw| condition(draw, depth - 1))}),
        4 => json!({"any": draw.some(4, |draw| condition(draw, depth - 1))}),
        5 => json!({"not": condition(draw, depth - 1)}),
        6 if draw.once_in(9) => json!(draw.of(&["always", "never"])),
        _ => leaf(draw),
    }
}

/// Most rules hold seldom, as those of a desk: else none behind the first few decides.
fn rule(draw: &mut Draw) -> Condition {
    let mut parts = vec![condition(draw, 3)];
    if !draw.once_in(12) {
        parts.push(json!({"field": "tags", "has_any": [format!("t{}", draw.below(400))]}));
    }
    parse(&json!({ "all": parts }))
}

fn text(draw: &mut Draw) -> String {
    let n = draw.of(&[0, 3, 30]);
    let words = draw.some(n + 1, |draw| {
        let gap = draw.of(&[" ", " ", ". ", "\n", ""]);
        match draw.once_in(3) {
            true => format!("{}{gap}", part(draw)),
            false => format!("{}{gap}", draw.of(&WORDS)),
        }
    });
    words.concat()
}

fn ticket(draw: &mut Draw) -> FactMap {
    let at = |seconds: u64| super::now() + chrono::TimeDelta::seconds(seconds as i64);
    facts(&json!({
        "subject": text(draw), "body": text(draw), "tags": draw.some(6, tag),
        "priority": draw.of(&[None, Some("low"), Some("high"), Some("urgent")]),
        "custom.seats": draw.of(&[None, Some(0), Some(3), Some(8)]),
        "snoozed_until": at(draw.below(9_000)),
    }))
}

fn check(seed: u64) {
    let draw = &mut Draw(seed);
    let n = draw.of(&[20, 90, 400, 900]);
    let rules: Vec<Condition> = (0..n).map(|_| rule(draw)).collect();
    let tickets: Vec<FactMap> = (0..8).map(|_| ticket(draw)).collect();
    let (set, tuned) = (RuleSet::new(&rules), RuleSet::for_tickets(&rules, &tickets[..2]));
    let (keep, from) = (draw.below(5) as usize, draw.below(n) as usize);
    let mut live = LiveRules::new((0..).zip(rules.iter().cloned()));
    let gone: Vec<usize> = draw.some(20, |draw| draw.below(n) as usize);
    gone.iter().for_each(|rule| _ = live.remove(rule));
    let mut scratch = Scratch::default();
    for ticket in &tickets {
        let walked = (0..).zip(&rules).filter(|(_, rule)| rule.holds(ticket));
        let walked: Vec<u32> = walked.map(|(rule, _)| rule).collect();
        for set in [&set, &tuned] {
            assert_eq!(set.all(ticket, &mut scratch), walked);
            let first = walked.first().map(|rule| *rule as usize);
            assert_eq!(set.first(ticket, &mut scratch), first);
            let accept = |rule: usize| rule % 5 == keep;
            let wanted =
                walked.iter().map(|rule| *rule as usize).find(|it| *it >= from && accept(*it));
            assert_eq!(set.find(from, ticket, &mut scratch, accept), wanted);
        }
        let left: Vec<usize> =
            walked.iter().map(|rule| *rule as usize).filter(|rule| !gone.contains(rule)).collect();
        assert_eq!(live.first(ticket, &mut scratch), left.first());
        assert_eq!(live.all(ticket, &mut scratch), left.iter().collect::<Vec<_>>());
    }
}

#[test]
fn large_sets_find_what_the_walk_finds() {
    proptest!(ProptestConfig::with_cases(40), |(seed in any::<u64>())| check(seed));
}
