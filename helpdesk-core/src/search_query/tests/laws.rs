//! Laws: what is written is read as the same search, and there is one way to write it.

use super::{parse_with, schema};
use proptest::prelude::*;
use proptest::strategy::Union;

fn pick(from: &'static [&'static str]) -> BoxedStrategy<String> {
    proptest::sample::select(from).prop_map(str::to_owned).boxed()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Any text with a word in it, in quotes.
fn phrase() -> BoxedStrategy<String> {
    (any::<String>(), "[a-zа-я]{1,5}").prop_map(|(text, word)| quoted(&(text + &word))).boxed()
}

fn instant() -> BoxedStrategy<String> {
    let at = (-60_000_000_000i64..250_000_000_000, 0u32..3).prop_map(|(seconds, nanos)| {
        let nanos = [0, 999_999_999, 123_000_000][nanos as usize];
        let at = chrono::DateTime::from_timestamp(seconds, nanos).unwrap();
        at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    });
    let day = (1900i32..2100, 1u32..13, 1u32..29)
        .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    prop_oneof![at, day].boxed()
}

fn values(of: BoxedStrategy<String>) -> BoxedStrategy<String> {
    proptest::collection::vec(of, 1..4).prop_map(|values| values.join(",")).boxed()
}

/// `name`, then a sign, then what fits.
fn test() -> BoxedStrategy<String> {
    let with = |names: &'static [&'static str], value: BoxedStrategy<String>| {
        (pick(names), value).prop_map(|(name, value)| name + &value).boxed()
    };
    let number = || {
        // Whole numbers from 2^53 on are refused.
        let float = any::<f64>().prop_filter("exact", |n| n.abs() < 9e15);
        prop_oneof![(-9i64..99).prop_map(|n| n.to_string()), float.prop_map(|n| n.to_string())]
            .boxed()
    };
    let id = any::<u128>().prop_map(|id| uuid::Uuid::from_u128(id).to_string());
    let id = prop_oneof![id, Just("me".to_owned())].boxed();
    let length = (0u32..900_000, pick(&["", "s", "m", "h", "d", "w"]))
        .prop_map(|(n, unit)| format!("{n}{unit}"))
        .boxed();
    let age = prop_oneof![length.clone(), length.clone().prop_map(|l| l + "@office")].boxed();
    let bools = pick(&["true", "false", "yes", "no"]);
    let word = prop_oneof![phrase(), pick(&["vip", "none", "\"none\"", "\"any\"", "any"])].boxed();
    Union::new([
        with(&["status:", "status.in:", "status.not_in:"], values(pick(&["open", "pending"]))),
        with(&["status:", "category:", "due:", "now:", "sla.resolution:"], pick(&["any", "none"])),
        with(&["status.is_not:"], pick(&["open", "none"])),
        with(
            &["tag.has_any:", "status.not_in:", "custom.seats.in:", "text.has_word:"],
            pick(&[""]),
        ),
        with(
            &["priority>=", "priority>", "priority<", "priority<=", "priority:"],
            pick(&["low", "high"]),
        ),
        with(&["assignee:", "requester.in:", "organization.not_in:"], values(id)),
        with(&["tag:", "tags.has_all:", "requester_tags.has_none:"], values(word.clone())),
        with(&["subject:", "text.has_word:", "body.has_all_words:", "custom.note:"], values(word)),
        with(
            &["subject.is:", "text.contains:", "email.ends_with:", "custom.note.is_not:"],
            phrase(),
        ),
        with(&["text.matches:"], pick(&["a+", "\"[a-z]{2,3} \\\\d\"", "\"(?i)x|y\""])),
        with(&["messages:", "custom.seats:", "custom.seats.in:"], values(number())),
        with(&["messages<", "custom.seats<=", "custom.seats>", "body_length>="], number()),
        (number(), number()).prop_map(|(a, b)| format!("custom.seats:{a}..{b}")).boxed(),
        with(
            &["created<", "created<=", "updated>", "custom.renewal>=", "due:", "solved.after:"],
            instant(),
        ),
        with(&["created.older_than:", "updated.newer_than:"], age),
        with(&["due.within_next:", "sla.first_reply.left_lt:"], length),
        with(&["custom.paid:", "custom.paid.is_not:", "subject.set:", "tag.unset:"], bools.clone()),
        with(&["sla.first_reply.breached:"], bools),
        with(&["sla.first_reply:"], pick(&["running", "breached", "met", "any"])),
        with(&["sla.resolution.used_ge:"], (0.0..150.0f64).prop_map(|n| n.to_string()).boxed()),
        with(&["now:", "now.outside_hours:"], pick(&["office"])),
        with(&["custom.product:", "custom.parts:"], values(pick(&["core", "api"]))),
    ])
    .boxed()
}

fn term() -> BoxedStrategy<String> {
    let word = prop_oneof![pick(&["refund", "e-mail", "10:30", "счёт", "a,b"]), phrase()];
    let any_term = prop_oneof![4 => test(), 2 => word];
    let negated = (any::<bool>(), any_term).prop_map(|(negated, term)| {
        // A day has no opposite.
        let is_range = term.starts_with("due:2") || term.starts_with("due:1");
        if negated && !is_range { format!("-{term}") } else { term }
    });
    negated.boxed()
}

fn search() -> impl Strategy<Value = String> {
    let order = prop::option::of(pick(&["order:due", "order:-number", "order:relevance"]));
    (proptest::collection::vec(term(), 0..6), order)
        .prop_map(|(terms, order)| terms.into_iter().chain(order).collect::<Vec<_>>().join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_written_search_is_read_as_the_same(source in search()) {
        let schema = schema();
        let Ok(query) = parse_with(&schema, &source) else {
            // Of what is generated, only ranges that end before they begin, or days at the
            // edge of the calendar, may be refused.
            return Ok(());
        };
        let written = query.to_string();
        let again = parse_with(&schema, &written);
        prop_assert_eq!(again.as_ref(), Ok(&query), "{}", written);
        prop_assert_eq!(again.map(|query| query.to_string()), Ok(written));
    }

    #[test]
    fn most_of_what_is_generated_is_a_search(source in test()) {
        let schema = schema();
        if let Err(errors) = parse_with(&schema, &source) {
            prop_assert!(source.starts_with("due:") || source.contains("created") || source.contains("renewal") || source.contains("updated") || source.contains("solved"), "{source}: {errors:?}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused_inside_its_columns(source in "\\PC{0,60}|[-a-z:<>=\", .]{0,40}") {
        let schema = schema();
        match parse_with(&schema, &source) {
            Ok(query) => prop_assert_eq!(parse_with(&schema, &query.to_string()), Ok(query)),
            Err(errors) => {
                let n_chars = source.chars().count();
                for error in errors {
                    prop_assert!((1..=n_chars + 1).contains(&error.column), "{source}: {error}");
                }
            }
        }
    }
}
