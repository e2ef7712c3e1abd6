//! Rules and policies that never come to their turn, because an earlier one always holds.

use super::logic::{alternatives, atoms, conjuncts, follows};
use crate::condition::Condition;
use std::collections::{BTreeMap, BTreeSet};

/// Pairs of conditions that are compared before the search gives up.
const PAIRS_MAX: usize = 2_000_000;

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
/// alternatives, the one that covers the last.
///
/// Each earlier alternative is found under a value that its rarest part needs,
/// so that a rule is compared with those alone that share one.
pub(super) fn shadowed(rules: &[Tried<'_>], never_holds: &BTreeSet<usize>) -> Vec<(usize, usize)> {
    let mut earlier: Vec<Earlier<'_>> = Vec::new();
    let mut by_atom: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    let mut n_left = PAIRS_MAX;
    let mut always: Option<usize> = None;
    for (i, rule) in rules.iter().enumerate().filter(|(i, _)| !never_holds.contains(i)) {
        let by = match always {
            Some(by) => Some(by),
            None => covering(rule.when, &earlier, &by_atom, &mut n_left),
        };
        found.extend(by.map(|by| (i, by)));
        for alternative in alternatives(rule.when).into_iter().filter(|_| rule.covers) {
            let needs = conjuncts(alternative);
            let rarest = needs.iter().map(|part| atoms(part)).min_by_key(Vec::len);
            match rarest {
                Some(atoms) => {
                    for atom in atoms {
                        by_atom.entry(atom).or_default().push(earlier.len());
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
    by_atom: &BTreeMap<String, Vec<usize>>,
    n_left: &mut usize,
) -> Option<usize> {
    let mut last = None;
    for alternative in alternatives(when) {
        let given = conjuncts(alternative);
        let candidates = given.iter().flat_map(|part| atoms(part));
        let candidates = candidates.filter_map(|atom| by_atom.get(&atom)).flatten();
        let mut by = None;
        for &candidate in candidates {
            *n_left = n_left.checked_sub(1)?;
            let Earlier { rule, needs } = &earlier[candidate];
            let covers = needs.iter().all(|need| given.iter().any(|part| follows(part, need)));
            if covers && by.is_none_or(|best| *rule < best) {
                by = Some(*rule);
            }
        }
        last = Some(by?);
    }
    last
}
