//! What must stand in a text for a pattern to match.

use crate::condition::text::{FoldOptions, fold};
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Hir, HirKind};
use std::cmp::Reverse;

/// Chars under which a part is too frequent to be worth a search.
const CHARS_MIN: usize = 3;
/// Parts at most.
const PARTS_MAX: usize = 32;

/// Folded parts of which at least one stands in every folded text that the
/// pattern matches; `None` when there are no such parts worth looking for.
///
/// Folding goes char by char, so what stands in a text stands folded in the
/// folded text.
pub(super) fn required(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let whole = std::iter::once(&hir);
    let inner = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => &[],
    };
    // Every match contains a match of each part of a sequence.
    let all = whole.chain(inner).filter_map(parts_of);
    let shortest = |parts: &Vec<String>| parts.iter().map(|part| part.chars().count()).min();
    all.max_by_key(|parts| (Reverse(parts.len()), shortest(parts)))
}

fn parts_of(hir: &Hir) -> Option<Vec<String>> {
    let found: Seq = Extractor::new().kind(ExtractKind::Prefix).extract(hir);
    let literals = found.literals()?;
    let mut parts = Vec::new();
    for literal in literals {
        let text = std::str::from_utf8(literal.as_bytes()).ok()?;
        // Whether these two are one is the desk's choice, which is not known here.
        if text.contains(['ё', 'Ё']) {
            return None;
        }
        parts.push(fold(text, FoldOptions::default()));
    }
    parts.sort_unstable();
    parts.dedup();
    let is_worth = |part: &String| part.chars().count() >= CHARS_MIN;
    (!parts.is_empty() && parts.len() <= PARTS_MAX && parts.iter().all(is_worth)).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::required;

    fn parts(pattern: &str) -> String {
        required(pattern).map_or_else(|| "none".to_owned(), |parts| parts.join(" "))
    }

    #[test]
    fn a_match_contains_one_of_the_parts() {
        assert_eq!(parts("order [0-9]+"), "order ");
        assert_eq!(parts("(?i)refund|money back"), "money ba refund");
        assert_eq!(parts(r"\d+ invoices?"), " invoice");
        assert_eq!(parts("СЧЁТ"), "none");
        assert_eq!(parts("[a-z]+"), "none");
        assert_eq!(parts("ab|cde"), "none");
        assert_eq!(parts("("), "none");
    }
}
