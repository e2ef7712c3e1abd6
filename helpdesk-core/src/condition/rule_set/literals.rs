//! What must stand in a text for a pattern to match, and how near to it the match lies.

use crate::condition::text::{FoldOptions, fold};
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::cmp::Reverse;

/// Chars under which a part is too frequent to be worth a search.
const CHARS_MIN: usize = 3;
/// Parts at most.
const PARTS_MAX: usize = 32;
/// Spellings of one run of chars at most.
const SPELLINGS_MAX: usize = 4;
/// Chars that are written as one at most: a letter, large and small, and its like.
const LIKE_MAX: usize = 4;

/// Folded parts of which one stands in every folded text that a pattern matches.
///
/// Folding goes char by char, so what stands in a text stands folded in the
/// folded text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Required {
    pub(super) parts: Vec<String>,
    /// Where a match lies, if that is bounded.
    pub(super) reach: Option<Reach>,
}

/// Where the pattern matches, one of its matches lies within so many bytes before and
/// behind the place where one of its parts begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reach {
    pub(super) before: u32,
    pub(super) behind: u32,
    /// Whether the pattern looks at what stands around a match.
    pub(super) looks: bool,
    /// A byte that must stand behind the part, from so many bytes behind its beginning
    /// on: a digit, say.
    pub(super) follows: Option<(u32, Bytes)>,
}

/// A set of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bytes([u64; 4]);

impl Bytes {
    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
    }

    fn len(&self) -> u32 {
        self.0.iter().map(|bits| bits.count_ones()).sum()
    }

    #[inline]
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] >> (byte % 64) & 1 == 1
    }
}

/// What stands in every text that the pattern matches; `None` when there is nothing
/// worth looking for.
pub(super) fn required(pattern: &str) -> Option<Required> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let items = match hir.kind() {
        HirKind::Concat(items) => items.as_slice(),
        _ => std::slice::from_ref(&hir),
    };
    let (at, parts, rest) = match longest_run(items) {
        Some(run) => (run.start, run.spellings, &items[run.end..]),
        None => {
            let (at, parts) = found_parts(&hir, items)?;
            (at, parts, &[][..])
        }
    };
    let looks = !hir.properties().look_set().is_empty();
    let length = parts.iter().map(String::len).min().unwrap_or_default() as u32;
    let follows = rest.iter().filter_map(first_bytes).min_by_key(Bytes::len);
    let follows = follows.map(|bytes| (length, bytes));
    let reach = reach(items, at).map(|(before, behind)| Reach { before, behind, looks, follows });
    Some(Required { parts, reach })
}

/// A run of chars that each match has, in each of its spellings; of items from `start`
/// to `end`.
#[derive(Clone)]
struct Run {
    start: usize,
    end: usize,
    n_chars: usize,
    spellings: Vec<String>,
}

/// The longest run of chars.
fn longest_run(items: &[Hir]) -> Option<Run> {
    let none = |at| Run { start: at, end: at, n_chars: 0, spellings: vec![String::new()] };
    let (mut best, mut run) = (none(0), none(0));
    for (at, item) in items.iter().enumerate() {
        let Some(spellings) = spellings(item) else {
            run = none(at + 1);
            continue;
        };
        if spellings.len() * run.spellings.len() > SPELLINGS_MAX {
            run = none(at);
        }
        let starts = run.spellings.iter();
        let joined = starts.flat_map(|start| spellings.iter().map(move |end| start.clone() + end));
        run.spellings = joined.collect();
        run.n_chars += spellings[0].chars().count();
        run.end = at + 1;
        if run.n_chars > best.n_chars {
            best = run.clone();
        }
    }
    (best.n_chars >= CHARS_MIN).then_some(best)
}

/// How an item is written, folded: one way or few, all of the same length in chars.
fn spellings(item: &Hir) -> Option<Vec<String>> {
    let mut all: Vec<String> = match item.kind() {
        HirKind::Literal(literal) => {
            vec![folded(std::str::from_utf8(&literal.0).ok()?)?]
        }
        HirKind::Class(Class::Unicode(class)) => {
            let n_chars: usize = class.iter().map(regex_syntax::hir::ClassUnicodeRange::len).sum();
            if n_chars > LIKE_MAX {
                return None;
            }
            let chars = class.iter().flat_map(|range| range.start()..=range.end());
            chars.map(|char| folded(char.encode_utf8(&mut [0; 4]))).collect::<Option<_>>()?
        }
        HirKind::Capture(capture) => return spellings(&capture.sub),
        _ => return None,
    };
    all.sort_unstable();
    all.dedup();
    let n_chars = all.first()?.chars().count();
    all.iter().all(|one| one.chars().count() == n_chars).then_some(all)
}

/// A text as it is folded at any desk: whether `ё` and `е` are one is the desk's
/// choice, which is not known here.
fn folded(text: &str) -> Option<String> {
    (!text.contains(['ё', 'Ё'])).then(|| fold(text, FoldOptions::default()))
}

/// The same of patterns that have a choice: of few parts, and long ones.
fn found_parts(hir: &Hir, items: &[Hir]) -> Option<(usize, Vec<String>)> {
    // Every match contains a match of each part of a sequence.
    let whole = parts_of(hir).map(|parts| (0, parts));
    let inner = items.iter().enumerate().filter_map(|(at, item)| Some((at, parts_of(item)?)));
    let shortest = |parts: &Vec<String>| parts.iter().map(|part| part.chars().count()).min();
    whole.into_iter().chain(inner).max_by_key(|(_, parts)| (Reverse(parts.len()), shortest(parts)))
}

fn parts_of(hir: &Hir) -> Option<Vec<String>> {
    let found: Seq = Extractor::new().kind(ExtractKind::Prefix).extract(hir);
    let literals = found.literals()?;
    let mut parts = Vec::new();
    for literal in literals {
        parts.push(folded(std::str::from_utf8(literal.as_bytes()).ok()?)?);
    }
    parts.sort_unstable();
    parts.dedup();
    let is_worth = |part: &String| part.chars().count() >= CHARS_MIN;
    (!parts.is_empty() && parts.len() <= PARTS_MAX && parts.iter().all(is_worth)).then_some(parts)
}

/// How far a match reaches around the place where the item at `at` begins to match.
///
/// Where `[0-9]+` at an end of a pattern matches many digits, it matches one of them
/// too, and nothing behind it says no. So of what is repeated at both ends only the least
/// counts, as long as nothing else stands further out.
fn reach(items: &[Hir], at: usize) -> Option<(u32, u32)> {
    let (front, back) = items.split_at(at);
    Some((least_bytes(front.iter())?, least_bytes(back.iter().rev())?))
}

/// The bytes with which what an item matches begins, where that is one char at least.
fn first_bytes(item: &Hir) -> Option<Bytes> {
    let mut bytes = Bytes::default();
    match item.kind() {
        HirKind::Literal(literal) => bytes.add(*literal.0.first()?),
        HirKind::Class(Class::Unicode(class)) => {
            // The greater the char, the greater its first byte.
            let first = |char: char| char.encode_utf8(&mut [0; 4]).as_bytes()[0];
            let ranges = class.iter().map(|range| first(range.start())..=first(range.end()));
            ranges.flatten().for_each(|byte| bytes.add(byte));
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            return first_bytes(&repetition.sub);
        }
        HirKind::Capture(capture) => return first_bytes(&capture.sub),
        _ => return None,
    }
    Some(bytes)
}

/// Bytes that items match at most, the outermost first, where the repetitions furthest out
/// match as little as they may.
fn least_bytes<'h>(items: impl Iterator<Item = &'h Hir>) -> Option<u32> {
    let (mut n_bytes, mut is_outermost) = (0_usize, true);
    for item in items {
        n_bytes = n_bytes.checked_add(match item.kind() {
            HirKind::Repetition(repetition) if is_outermost => {
                let times = repetition.min as usize;
                is_outermost = times == 0;
                let each =
                    if times == 0 { 0 } else { repetition.sub.properties().maximum_len()? };
                each.checked_mul(times)?
            }
            _ => {
                is_outermost = false;
                item.properties().maximum_len()?
            }
        })?;
    }
    u32::try_from(n_bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::required;

    /// Parts, how far before and behind their beginning a match may reach, and how many
    /// bytes may follow them.
    fn parts(pattern: &str) -> String {
        let Some(required) = required(pattern) else { return "none".to_owned() };
        let reach = required.reach.map_or_else(
            || "anywhere".to_owned(),
            |reach| {
                let looks = if reach.looks { " looks" } else { "" };
                let follows = reach.follows.map(|(at, bytes)| format!(" {at}:{}", bytes.len()));
                let follows = follows.unwrap_or_default();
                format!("-{}+{}{looks}{follows}", reach.before, reach.behind)
            },
        );
        format!("{} {reach}", required.parts.join("|"))
    }

    #[test]
    fn a_match_contains_one_of_the_parts() {
        assert_eq!(parts("order [0-9]+"), "order  -0+7 6:10");
        assert_eq!(parts("(?i)order[ -]?[0-9]+"), "order -0+7 5:10");
        assert_eq!(parts("(?i)refund|money back"), "money ba|refund -0+12");
        assert_eq!(parts(r"[0-9]+ invoices?"), " invoice -1+8");
        assert_eq!(parts("(?i)Kiste"), "kiste|ki\u{17f}te -0+8");
        assert_eq!(parts("no. ([0-9]{4}) of"), " of -11+3");
        assert_eq!(parts("СЧЁТ"), "none");
        assert_eq!(parts("[a-z]+"), "none");
        assert_eq!(parts("ab|cde"), "none");
        assert_eq!(parts("("), "none");
    }

    #[test]
    fn a_match_reaches_no_further_than_is_said() {
        assert_eq!(parts(r"\border-[0-9]+\b"), "order- anywhere");
        assert_eq!(parts(r"(?m)^late"), "late -0+4 looks");
        assert_eq!(parts("x.*late"), "late anywhere");
        assert_eq!(parts(".*late.*"), "late -0+4");
        assert_eq!(parts("[0-9]*x[0-9]*late"), "late anywhere");
        assert_eq!(parts("[0-9]{2,}x?late(?:r+)?"), "late -3+4");
    }
}
