//! What follows from one condition for another, whatever the ticket: implications.
//! Careful, not complete: what is said here is true, and much is left unsaid.

use super::logic::{Choices, Range, conjuncts, contradict, is_longer, needs_value, passes_nothing};
use crate::condition::{
    BooleanTest, ChoiceTest, ClockTest, Condition, Field, InstantTest, Leaf, NumberTest, Phrase,
    SetTest, Test, TextTest, words,
};

/// Children of an `any` or `all` inside of a rule's parts that are looked at.
const CHILDREN_MAX: usize = 16;

/// Whether `then` holds on every ticket on which `given` does.
pub(super) fn follows(given: &Condition, then: &Condition) -> bool {
    use Condition::{All, Any, Leaf, Not};
    if given == then {
        return true;
    }
    match (given, then) {
        (Leaf(given), Leaf(then)) => leaf_follows(given, then),
        (Not(given), Not(then)) => follows_flat(then, given),
        (Leaf(leaf), Not(then)) => {
            // One cannot hold beside the other.
            let parts = conjuncts(then).into_iter();
            let mut both: Vec<&Condition> = parts.filter(|part| is_of(part, leaf)).collect();
            both.push(given);
            !passes_nothing(leaf.test()) && both.len() <= CHILDREN_MAX && contradict(&both)
        }
        (Any(given), then) if is_short(given) => {
            !given.is_empty() && given.iter().all(|given| follows_one_of(given, then))
        }
        (given, Any(_)) => follows_one_of(given, then),
        (given, All(then)) if is_short(then) => {
            !then.is_empty() && then.iter().all(|then| follows_flat(given, then))
        }
        (All(given), then) if is_short(given) => {
            given.iter().any(|given| follows_flat(given, then))
        }
        _ => false,
    }
}

fn is_of(part: &Condition, leaf: &Leaf) -> bool {
    matches!(part, Condition::Leaf(own) if own.field() == leaf.field())
}

fn is_short(children: &[Condition]) -> bool {
    children.len() <= CHILDREN_MAX
}

fn follows_one_of(given: &Condition, then: &Condition) -> bool {
    match then {
        Condition::Any(then) if is_short(then) => then.iter().any(|then| follows_flat(given, then)),
        then => follows_flat(given, then),
    }
}

/// The same, of leaves: what is nested is compared as it is written.
fn follows_flat(given: &Condition, then: &Condition) -> bool {
    match (given, then) {
        (Condition::Leaf(given), Condition::Leaf(then)) => {
            given == then || leaf_follows(given, then)
        }
        (given, then) => given == then,
    }
}

/// Nothing is said to follow from what never holds: it would have to be found everywhere.
fn leaf_follows(given: &Leaf, then: &Leaf) -> bool {
    if passes_nothing(given.test()) {
        return false;
    }
    if let (Test::Text(test), Test::Text(wanted)) = (given.test(), then.test()) {
        return text_follows(given.field(), test, then.field(), wanted);
    }
    if given.field() != then.field() {
        return false;
    }
    match (given.test(), then.test()) {
        (Test::Choice(given), Test::Choice(then)) => choice_follows(given, then),
        (Test::Id(given), Test::Id(then)) => choice_follows(given, then),
        (Test::Set(given), Test::Set(then)) => set_follows(given, then),
        (Test::Number(given), Test::Number(then)) => number_follows(given, then),
        (Test::Instant(given), Test::Instant(then)) => instant_follows(given, then),
        (Test::Boolean(BooleanTest::Is(given)), Test::Boolean(BooleanTest::IsNot(then))) => {
            given != then
        }
        (Test::Clock(ClockTest::LeftLt(given)), Test::Clock(ClockTest::LeftLt(then))) => {
            given <= then
        }
        (Test::Clock(ClockTest::UsedGe(given)), Test::Clock(ClockTest::UsedGe(then))) => {
            given >= then
        }
        (Test::Present(false), then) => holds_on_nothing(then),
        (given, Test::Present(true)) => needs_value(given),
        _ => false,
    }
}

/// Whether the test holds on a missing value.
fn holds_on_nothing(test: &Test) -> bool {
    match test {
        Test::Choice(test) => matches!(test, ChoiceTest::IsNot(_) | ChoiceTest::NotIn(_)),
        Test::Id(test) => matches!(test, ChoiceTest::IsNot(_) | ChoiceTest::NotIn(_)),
        Test::Set(test) => matches!(test, SetTest::HasNone(_)),
        Test::Boolean(test) => matches!(test, BooleanTest::IsNot(_)),
        Test::Present(wanted) => !wanted,
        Test::Text(_) | Test::Number(_) | Test::Instant(_) | Test::Hours(_) | Test::Clock(_) => {
            false
        }
    }
}

fn choice_follows<T: Ord + Clone>(given: &ChoiceTest<T>, then: &ChoiceTest<T>) -> bool {
    let (given, then) = (Choices::of(given), Choices::of(then));
    match (given, then) {
        (Choices::Only(given), Choices::Only(then)) => given.is_subset(&then),
        (Choices::Only(given), Choices::AllBut(then)) => given.is_disjoint(&then),
        (Choices::AllBut(given), Choices::AllBut(then)) => then.is_subset(&given),
        (Choices::AllBut(_), Choices::Only(_)) => false,
    }
}

fn set_follows(given: &SetTest, then: &SetTest) -> bool {
    match (given, then) {
        (SetTest::HasAny(given), SetTest::HasAny(then)) => given.is_subset(then),
        (SetTest::HasAll(given), SetTest::HasAny(then)) => !given.is_disjoint(then),
        (SetTest::HasAll(given), SetTest::HasAll(then)) => then.is_subset(given),
        (SetTest::HasNone(given), SetTest::HasNone(then)) => then.is_subset(given),
        _ => false,
    }
}

fn number_follows(given: &NumberTest, then: &NumberTest) -> bool {
    let all_in = |given: &[f64], then: &[f64]| given.iter().all(|value| then.contains(value));
    match (given, then) {
        (NumberTest::Is(given), NumberTest::In(then)) => then.contains(given),
        (NumberTest::In(given), NumberTest::In(then)) => all_in(given, then),
        (given, then) => {
            let (given, then) = (Range::of(given), Range::of(then));
            !then.is_list && then.holds(given.low, given.high)
        }
    }
}

fn instant_follows(given: &InstantTest, then: &InstantTest) -> bool {
    match (given, then) {
        (InstantTest::Before(given), InstantTest::Before(then)) => given <= then,
        (InstantTest::After(given), InstantTest::After(then)) => given >= then,
        (InstantTest::OlderThan(given), InstantTest::OlderThan(then)) => is_longer(given, then),
        (InstantTest::NewerThan(given), InstantTest::NewerThan(then)) => is_longer(then, given),
        (InstantTest::WithinNext(given), InstantTest::WithinNext(then)) => given <= then,
        _ => false,
    }
}

/// Whether what is found in one text is found in another: in the same one, or in
/// `text` what is in the subject or in the body.
fn is_seen_in(given: &Field, then: &Field) -> bool {
    given == then || (*then == Field::Text && matches!(given, Field::Subject | Field::Body))
}

fn text_follows(field: &Field, given: &TextTest, other: &Field, then: &TextTest) -> bool {
    if let TextTest::IsNot(wanted) = then {
        // `text` is two texts, and each leaf may look at the other.
        return field == other
            && match given {
                TextTest::IsNot(given) => given.folded() == wanted.folded(),
                TextTest::Is(given) => *field != Field::Text && given.folded() != wanted.folded(),
                _ => false,
            };
    }
    is_seen_in(field, other)
        && match given {
            // One of them is there, and nobody knows which.
            TextTest::HasWord(phrases) => phrases.iter().all(|phrase| has(phrase, then)),
            TextTest::HasAllWords(phrases) => match then {
                TextTest::HasAllWords(wanted) => wanted
                    .iter()
                    .all(|wanted| phrases.iter().any(|phrase| is_part(wanted, || phrase.words()))),
                _ => phrases.iter().any(|phrase| has(phrase, then)),
            },
            TextTest::Is(whole) => is_whole(whole.folded(), then),
            TextTest::Contains(given) => match then {
                TextTest::Contains(then) => given.folded().contains(then.folded()),
                _ => false,
            },
            TextTest::StartsWith(given) => match then {
                TextTest::StartsWith(then) => given.folded().starts_with(then.folded()),
                TextTest::Contains(then) => given.folded().contains(then.folded()),
                _ => false,
            },
            TextTest::EndsWith(given) => match then {
                TextTest::EndsWith(then) => given.folded().ends_with(then.folded()),
                TextTest::Contains(then) => given.folded().contains(then.folded()),
                _ => false,
            },
            TextTest::IsNot(_) => false,
            TextTest::Matches(given) => match then {
                TextTest::Matches(then) => given == then,
                _ => false,
            },
        }
}

/// Whether a text with this phrase passes.
fn has(phrase: &Phrase, then: &TextTest) -> bool {
    match then {
        TextTest::HasWord(wanted) => wanted.iter().any(|wanted| is_part(wanted, || phrase.words())),
        TextTest::HasAllWords(wanted) => {
            wanted.iter().all(|wanted| is_part(wanted, || phrase.words()))
        }
        // Words of a phrase may stand apart in the text.
        TextTest::Contains(part) => phrase.words().any(|word| word.contains(part.folded())),
        _ => false,
    }
}

/// Whether a text that is this, folded, passes. Patterns see it unfolded.
fn is_whole(text: &str, then: &TextTest) -> bool {
    let has = |wanted: &Phrase| is_part(wanted, || words(text));
    match then {
        TextTest::HasWord(wanted) => wanted.iter().any(has),
        TextTest::HasAllWords(wanted) => wanted.iter().all(has),
        TextTest::Contains(part) => text.contains(part.folded()),
        TextTest::StartsWith(part) => text.starts_with(part.folded()),
        TextTest::EndsWith(part) => text.ends_with(part.folded()),
        TextTest::Is(whole) => text == whole.folded(),
        TextTest::IsNot(_) | TextTest::Matches(_) => false,
    }
}

/// Whether the words of a phrase stand in these words, one behind the other.
fn is_part<'w, I: Iterator<Item = &'w str>>(wanted: &Phrase, given: impl Fn() -> I) -> bool {
    // Most phrases have no word in common: that is found without a list.
    let first = wanted.words().next();
    if !given().any(|word| Some(word) == first) {
        return false;
    }
    let (given, wanted): (Vec<&str>, Vec<&str>) = (given().collect(), wanted.words().collect());
    given.windows(wanted.len()).any(|window| window == wanted)
}

/// Where a condition is filed, to be found by what it may follow from: if `then`
/// follows from `given`, one of these keys of `then` is among [`looked_under`] of `given`.
pub(super) fn filed_under(then: &Condition) -> Vec<String> {
    let leaf = match then {
        Condition::Leaf(leaf) => leaf,
        Condition::Any(children) if !children.is_empty() => {
            return children.iter().flat_map(filed_under).collect();
        }
        Condition::All(children) if !children.is_empty() => return filed_under(&children[0]),
        other => return fields_of(other),
    };
    let of = |value: &str| format!("{} {value}", leaf.field());
    match leaf.test() {
        Test::Choice(ChoiceTest::Is(value)) => vec![of(value)],
        Test::Choice(ChoiceTest::In(values)) if !values.is_empty() => {
            values.iter().map(|value| of(value)).collect()
        }
        Test::Set(SetTest::HasAny(values) | SetTest::HasAll(values)) if !values.is_empty() => {
            values.iter().map(|value| of(value)).collect()
        }
        Test::Text(TextTest::HasWord(phrases) | TextTest::HasAllWords(phrases))
            if !phrases.is_empty() =>
        {
            phrases.iter().filter_map(|phrase| Some(of(phrase.words().next()?))).collect()
        }
        _ => vec![leaf.field().to_string()],
    }
}

/// Where what follows from a condition is looked for.
pub(super) fn looked_under(given: &Condition) -> Vec<String> {
    let leaf = match given {
        Condition::Leaf(leaf) => leaf,
        // What follows from one of several follows from the first of them too.
        Condition::Any(children) if !children.is_empty() => return looked_under(&children[0]),
        Condition::All(children) if !children.is_empty() => {
            return children.iter().flat_map(looked_under).collect();
        }
        other => return fields_of(other),
    };
    let fields = fields_seen(leaf.field());
    let mut keys: Vec<String> = fields.iter().map(ToString::to_string).collect();
    let values: Vec<&str> = match leaf.test() {
        Test::Choice(ChoiceTest::Is(value)) => vec![value],
        Test::Choice(ChoiceTest::In(values)) => values.iter().map(String::as_str).collect(),
        Test::Set(SetTest::HasAny(values) | SetTest::HasAll(values)) => {
            values.iter().map(String::as_str).collect()
        }
        Test::Text(TextTest::HasWord(phrases) | TextTest::HasAllWords(phrases)) => {
            phrases.iter().flat_map(Phrase::words).collect()
        }
        Test::Text(TextTest::Is(whole)) => words(whole.folded()).collect(),
        _ => Vec::new(),
    };
    for field in fields {
        keys.extend(values.iter().map(|value| format!("{field} {value}")));
    }
    keys
}

/// The field, and `text` for a part of it.
fn fields_seen(field: &Field) -> Vec<&Field> {
    match field {
        Field::Subject | Field::Body => vec![field, &Field::Text],
        field => vec![field],
    }
}

/// The fields of a negation; of what looks at nothing, what it is.
fn fields_of(condition: &Condition) -> Vec<String> {
    let leaves = condition.leaves();
    if leaves.is_empty() {
        return vec![condition.to_json().to_string()];
    }
    let fields = leaves.into_iter().flat_map(|leaf| fields_seen(leaf.field()));
    let mut keys: Vec<String> = fields.map(ToString::to_string).collect();
    keys.sort();
    keys.dedup();
    keys
}
