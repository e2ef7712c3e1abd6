//! Rules and policies that never come to their turn, because an earlier one always holds.

use super::implied::{filed_under, follows, looked_under};
use super::logic::{alternatives, conjuncts, never_holds};
use crate::condition::Condition;
use std::collections::{BTreeMap, BTreeSet};

/// Pairs of parts that are compared before the search gives up. Rules that name
/// values and words are far below it; thousands that have only ranges of one field,
/// or only negations, are compared as far as this goes.
const PAIRS_MAX: usize = 4_000_000;

/// What is tried, in order: the first whose condition holds counts.
pub(super) struct Tried<'a> {
    pub(super) when: &'a Condition,
    /// Whether it counts wherever its condition holds, at any time.
    pub(super) covers: bool,
}

impl<'a> Tried<'a> {
    /// It counts wherever its condition holds.
    pub(super) fn always(when: &'a Condition) -> Self {
        Self { when, covers: true }
    }
}

/// One alternative of an earlier rule: what must follow for it to hold.
struct Earlier<'a> {
    rule: usize,
    needs: Vec<&'a Condition>,
}

/// Rules that never hold first, each with one that holds before: for several
/// alternatives, the one that covers the last. An alternative that never holds needs none.
///
/// Each earlier alternative is filed under the values or words of one of its parts,
/// the one with the fewest others there, so that a rule is compared with those alone
/// that something of it may follow for.
pub(super) fn shadowed(rules: &[Tried<'_>], never_holds: &BTreeSet<usize>) -> Vec<(usize, usize)> {
    let mut earlier: Vec<Earlier<'_>> = Vec::new();
    let mut files: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    let mut n_left = PAIRS_MAX;
    let mut always: Option<usize> = None;
    for (i, rule) in rules.iter().enumerate().filter(|(i, _)| !never_holds.contains(i)) {
        let by = match always {
            Some(by) => Some(by),
            None => covering(rule.when, &earlier, &files, &mut n_left),
        };
        found.extend(by.map(|by| (i, by)));
        for alternative in alternatives(rule.when).into_iter().filter(|_| rule.covers) {
            let needs = conjuncts(alternative);
            let n_others = |keys: &Vec<String>| -> usize {
                let n_filed = keys.iter().filter_map(|key| files.get(key)).map(Vec::len);
                n_filed.sum::<usize>() + keys.len()
            };
            let rarest = needs.iter().map(|part| filed_under(part)).min_by_key(n_others);
            match rarest {
                Some(keys) => {
                    for key in keys {
                        files.entry(key).or_default().push(earlier.len());
                    }
                    earlier.push(Earlier { rule: i, needs });
                }
                None => always = always.or(Some(i)),
            }
        }
    }
    found
}

fn covering(
    when: &Condition,
    earlier: &[Earlier<'_>],
    files: &BTreeMap<String, Vec<usize>>,
    n_left: &mut usize,
) -> Option<usize> {
    let mut last = None;
    for alternative in alternatives(when).into_iter().filter(|part| !never_holds(part)) {
        let given = conjuncts(alternative);
        let keys = given.iter().flat_map(|part| looked_under(part));
        let candidates = keys.filter_map(|key| files.get(&key)).flatten();
        let mut by = None;
        for &candidate in candidates {
            let Earlier { rule, needs } = &earlier[candidate];
            if by.is_some_and(|best| best <= *rule) {
                continue;
            }
            *n_left = n_left.checked_sub(needs.len() * given.len())?;
            let covers = needs.iter().all(|need| given.iter().any(|part| follows(part, need)));
            if covers {
                by = Some(*rule);
            }
        }
        last = Some(by?);
    }
    last
}
