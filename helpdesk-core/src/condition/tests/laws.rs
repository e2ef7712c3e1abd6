//! Laws that hold for every condition and every ticket.

use super::{facts, schema};
use crate::condition::{
    Condition, FactMap, FoldOptions, LiveRules, Phrase, RuleSet, Scratch, TextFact, fold, words,
};
use proptest::prelude::*;
use proptest::strategy::Union;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const WORDS: [&str; 8] = ["refund", "money", "back", "Straße", "ΣΊΣ", "счёт", "e-mail", "İ"];

fn pick(from: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(from).prop_map(str::to_owned)
}

fn keys(from: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(pick(from), 0..4)
}

fn text() -> impl Strategy<Value = String> {
    let words = proptest::collection::vec((pick(&WORDS), pick(&[" ", ". ", "\n", "", "-"])), 0..8);
    prop_oneof![
        4 => words.prop_map(|words| words.into_iter().map(|(word, gap)| word + &gap).collect()),
        1 => any::<String>(),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    const PRIORITIES: &[&str] = &["low", "normal", "high", "urgent"];
    const TAGS: &[&str] = &["vip", "eu", "spam"];
    let with = |field: &'static str, operator: &'static str, value: BoxedStrategy<Value>| {
        value.prop_map(move |value| json!({"field": field, operator: value})).boxed()
    };
    let mut leaves = Vec::new();
    for operator in ["is", "is_not"] {
        leaves.push(with("priority", operator, pick(PRIORITIES).prop_map(Value::from).boxed()));
        leaves.push(with("subject", operator, text().prop_map(Value::from).boxed()));
        leaves.push(with("custom.paid", operator, any::<bool>().prop_map(Value::from).boxed()));
        let id = any::<u128>().prop_map(|id| json!(uuid::Uuid::from_u128(id))).boxed();
        leaves.push(with("assignee", operator, id));
    }
    for operator in ["in", "not_in"] {
        leaves.push(with("priority", operator, keys(PRIORITIES).prop_map(Value::from).boxed()));
    }
    for operator in ["has_any", "has_all", "has_none"] {
        leaves.push(with("tags", operator, keys(TAGS).prop_map(Value::from).boxed()));
    }
    for operator in ["has_word", "has_all_words"] {
        leaves.push(with("text", operator, keys(&WORDS).prop_map(Value::from).boxed()));
    }
    for operator in ["contains", "starts_with", "ends_with", "matches"] {
        leaves.push(with("text", operator, pick(&WORDS).prop_map(Value::from).boxed()));
    }
    for operator in ["lt", "le", "gt", "ge", "is"] {
        let number = prop_oneof![
            (-3i64..9).prop_map(Value::from),
            any::<f64>().prop_filter_map("finite", |n| n.is_finite().then(|| json!(n))),
        ];
        leaves.push(with("custom.seats", operator, number.boxed()));
    }
    for operator in ["before", "after"] {
        let at = (-4_000_000_000i64..200_000_000_000, 0u32..1_000_000_000)
            .prop_map(|(secs, nanos)| json!(chrono::DateTime::from_timestamp(secs, nanos)));
        leaves.push(with("created_at", operator, at.boxed()));
    }
    for operator in ["older_than", "newer_than", "within_next"] {
        let seconds = (0i64..200_000).prop_map(Value::from).boxed();
        leaves.push(with("snoozed_until", operator, seconds));
    }
    for operator in ["older_than", "newer_than"] {
        let age = (0i64..90_000)
            .prop_map(|seconds| json!({"seconds": seconds, "calendar": "office"}))
            .boxed();
        leaves.push(with("created_at", operator, age));
    }
    for operator in ["in_hours", "outside_hours"] {
        leaves.push(with("now", operator, Just(json!("office")).boxed()));
    }
    const STATES: &[&str] = &["inactive", "running", "met", "missed"];
    let clock = "sla.first_reply";
    leaves.push(with(clock, "state", pick(STATES).prop_map(Value::from).boxed()));
    leaves.push(with(clock, "breached", any::<bool>().prop_map(Value::from).boxed()));
    leaves.push(with(clock, "left_lt", (-900i64..900).prop_map(Value::from).boxed()));
    leaves.push(with(clock, "used_ge", (0.0..150.0).prop_map(|n: f64| json!(n)).boxed()));
    for field in
        ["priority", "tags", "text", "custom.seats", "created_at", "custom.paid", "now", clock]
    {
        leaves.push(with(field, "set", any::<bool>().prop_map(Value::from).boxed()));
    }
    leaves.push(Just(json!("always")).boxed());
    leaves.push(Just(json!("never")).boxed());
    Union::new(leaves)
}

fn condition() -> impl Strategy<Value = Condition> {
    let source = leaf().prop_recursive(4, 24, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            list.clone().prop_map(|list| json!({"all": list})),
            list.prop_map(|list| json!({"any": list})),
            inner.prop_map(|inner| json!({"not": inner})),
        ]
    });
    source.prop_map(|source| super::parse(&source))
}

fn clock() -> impl Strategy<Value = Value> {
    let state = pick(&["inactive", "running", "met", "missed"]);
    let left = proptest::option::of(-900i64..900);
    (state, any::<bool>(), left, proptest::option::of(0.0..150.0)).prop_map(
        |(state, breached, left, used): (String, bool, Option<i64>, Option<f64>)| {
            json!({
                "state": state, "breached": breached, "left_seconds": left, "used_percent": used,
            })
        },
    )
}

fn ticket() -> impl Strategy<Value = FactMap> {
    let maybe = |value: BoxedStrategy<Value>| prop_oneof![3 => value, 1 => Just(Value::Null)];
    let at = (1_780_000_000i64..1_781_000_000)
        .prop_map(|secs| json!(chrono::DateTime::from_timestamp(secs, 0)))
        .boxed();
    let fields = (
        maybe(pick(&["low", "normal", "high", "urgent"]).prop_map(Value::from).boxed()),
        maybe(keys(&["vip", "eu", "spam"]).prop_map(Value::from).boxed()),
        maybe(text().prop_map(Value::from).boxed()),
        maybe(text().prop_map(Value::from).boxed()),
        maybe((-3i64..9).prop_map(Value::from).boxed()),
        maybe(at.clone()),
        maybe(at),
        maybe(any::<bool>().prop_map(Value::from).boxed()),
        maybe(clock().boxed()),
    );
    fields.prop_map(
        |(priority, tags, subject, body, seats, created_at, snoozed_until, paid, clock)| {
            facts(&json!({
                "priority": priority, "tags": tags, "subject": subject, "body": body,
                "custom.seats": seats, "created_at": created_at, "snoozed_until": snoozed_until,
                "custom.paid": paid, "sla.first_reply": clock,
            }))
        },
    )
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// The words of a text, found without the code under test.
fn naive_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for char in text.chars().flat_map(char::to_lowercase) {
        let mark = unicode_normalization::char::is_combining_mark(char);
        if char.is_alphanumeric() || mark {
            words.last_mut().unwrap().push(char);
        } else {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

proptest! {
    #[test]
    fn a_condition_reads_back_from_its_json(condition in condition()) {
        let json = condition.to_json();
        prop_assert_eq!(&Condition::parse(&json, &schema()), &Ok(condition));
    }

    #[test]
    fn not_of_an_any_is_an_all_of_nots(a in condition(), b in condition(), ticket in ticket()) {
        let any = not(Condition::Any(vec![a.clone(), b.clone()]));
        let all = Condition::All(vec![not(a.clone()), not(b.clone())]);
        prop_assert_eq!(any.holds(&ticket), all.holds(&ticket));
        let all = not(Condition::All(vec![a.clone(), b.clone()]));
        let any = Condition::Any(vec![not(a.clone()), not(b)]);
        prop_assert_eq!(any.holds(&ticket), all.holds(&ticket));
        prop_assert_eq!(not(not(a.clone())).holds(&ticket), a.holds(&ticket));
    }

    #[test]
    fn evidence_agrees_with_the_outcome(condition in condition(), ticket in ticket()) {
        let evidence = condition.evidence(&ticket);
        prop_assert!(!evidence.is_empty());
        for one in &evidence {
            let negated = one.path.split('.').filter(|part| *part == "not").count() % 2 == 1;
            prop_assert_eq!(one.holds != negated, condition.holds(&ticket), "{}", one);
        }
    }

    #[test]
    fn a_rule_set_finds_what_the_walk_finds(
        sets in proptest::collection::vec(proptest::collection::vec(condition(), 0..24), 1..3),
        tickets in proptest::collection::vec(ticket(), 1..4),
    ) {
        // A small set is walked; one more rule than that is compiled.
        let sets: Vec<Vec<Condition>> = sets
            .into_iter()
            .flat_map(|set| [set.clone(), [vec![Condition::Never; 17], set].concat()])
            .collect();
        let compiled = sets.iter().map(RuleSet::new);
        let tuned = sets.iter().map(|set| RuleSet::for_tickets(set, &tickets));
        let compiled: Vec<(RuleSet, RuleSet)> = compiled.zip(tuned).collect();
        // One scratch for all: nothing of a ticket or a set is left for the next.
        let mut scratch = Scratch::default();
        for ticket in &tickets {
            for (conditions, (rules, tuned)) in sets.iter().zip(&compiled) {
                let walked: Vec<u32> = (0..)
                    .zip(conditions)
                    .filter(|(_, condition)| condition.holds(ticket))
                    .map(|(rule, _)| rule)
                    .collect();
                prop_assert_eq!(rules.all(ticket, &mut scratch), &walked);
                prop_assert_eq!(tuned.all(ticket, &mut scratch), &walked);
                let first = walked.first().map(|rule| *rule as usize);
                prop_assert_eq!(rules.first(ticket, &mut scratch), first);
                // One after the other, the odd ones only.
                let mut from = 0;
                let mut found = Vec::new();
                while let Some(rule) = rules.find(from, ticket, &mut scratch, |at| at % 2 == 1) {
                    found.push(rule as u32);
                    from = rule + 1;
                }
                let odd: Vec<u32> = walked.iter().copied().filter(|rule| rule % 2 == 1).collect();
                prop_assert_eq!(found, odd);
            }
        }
    }

    #[test]
    fn edited_rules_find_what_a_walk_of_them_finds(
        first in proptest::collection::vec((0_u8..30, condition()), 0..30),
        edits in proptest::collection::vec(
            (0_u8..30, proptest::option::of(condition()), 0_u8..5),
            0..20,
        ),
        ticket in ticket(),
    ) {
        let mut plain: BTreeMap<u8, Condition> = first.iter().cloned().collect();
        let mut live = LiveRules::new(first);
        let mut rebuilt = None;
        let mut scratch = Scratch::default();
        for (key, when, what) in edits {
            match when {
                Some(when) => {
                    plain.insert(key, when.clone());
                    live.put(key, when);
                }
                None => prop_assert_eq!(live.remove(&key), plain.remove(&key).is_some()),
            }
            match what {
                0 => rebuilt = Some(live.clone().rebuilt()),
                1 => {
                    if let Some(rebuilt) = rebuilt.take() {
                        prop_assert!(live.adopt(rebuilt));
                    }
                }
                _ => {}
            }
            let walked: Vec<&u8> =
                plain.iter().filter(|(_, when)| when.holds(&ticket)).map(|(key, _)| key).collect();
            prop_assert_eq!(live.first(&ticket, &mut scratch), walked.first().copied());
            prop_assert_eq!(live.all(&ticket, &mut scratch), walked);
            prop_assert_eq!((live.len(), live.is_empty()), (plain.len(), plain.is_empty()));
        }
        let all = live.clone().rebuilt();
        prop_assert_eq!(all.n_added(), 0);
        prop_assert_eq!(all.first(&ticket, &mut scratch), live.first(&ticket, &mut scratch));
        // What is older than what is compiled is not taken.
        let old = live.clone();
        live.put(7, Condition::Always);
        let mut newer = live.rebuilt();
        prop_assert!(!newer.adopt(old));
        prop_assert_eq!(newer.n_added(), 0);
    }

    #[test]
    fn a_text_is_split_the_same_whatever_its_chars(
        text in prop_oneof!["[ -~\n]{0,200}", "[a-z0-9 .!]{60,70}", "\\PC{0,40}"],
    ) {
        let fact = TextFact::new(text.as_str(), FoldOptions::default());
        let folded = fact.folded();
        let seen: Vec<&str> = fact.hashed_words().iter().map(|word| word.of(folded)).collect();
        prop_assert_eq!(seen, words(folded).collect::<Vec<_>>());
    }

    #[test]
    fn folding_twice_changes_nothing(text: String, fold_yo: bool) {
        let options = FoldOptions { fold_yo, ..FoldOptions::default() };
        let once = fold(&text, options);
        prop_assert_eq!(fold(&once, options), once);
    }

    #[test]
    fn any_text_and_any_cut_can_be_looked_at(text: String, part: String, n_bytes in 0usize..64) {
        let fold = FoldOptions { text_bytes_max: n_bytes, ..FoldOptions::default() };
        let schema = schema().with_fold(fold);
        let ticket = json!({"subject": text});
        let ticket = FactMap::from_json(&ticket, super::now(), &schema).unwrap();
        for operator in ["contains", "starts_with", "ends_with", "is", "matches"] {
            let source = json!({"field": "text", operator: part});
            if let Ok(condition) = Condition::parse(&source, &schema) {
                let evidence = condition.evidence(&ticket);
                prop_assert_eq!(evidence[0].holds, condition.holds(&ticket));
            }
        }
    }

    #[test]
    fn a_phrase_is_found_as_a_plain_search_finds_it(text in text(), phrase in text()) {
        let options = FoldOptions::default();
        let (in_text, wanted) = (naive_words(&text), naive_words(&phrase));
        let phrase = Phrase::new(&phrase, options);
        prop_assert_eq!(phrase.is_none(), wanted.is_empty());
        if let Some(phrase) = phrase {
            let expected = in_text.windows(wanted.len()).any(|run| run == wanted);
            prop_assert_eq!(TextFact::new(text, options).has_phrase(&phrase), expected);
        }
    }
}
