//! Rules that were found, in any order and some more than once, and are told in order.

use crate::bits::ones;

/// A set of rules: a bit for each, and a bit for each 64 of them that have one. To tell
/// them costs as much as there are, about, not as there could be.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    bits: Vec<u64>,
    parts: Vec<u64>,
}

impl Found {
    /// Makes room for so many rules; it never shrinks.
    pub(super) fn grow(&mut self, n_rules: usize) {
        let n_bits = n_rules.div_ceil(64);
        if self.bits.len() < n_bits {
            self.bits.resize(n_bits, 0);
            self.parts.resize(n_bits.div_ceil(64), 0);
        }
    }

    #[inline]
    pub(super) fn add(&mut self, rule: u32) {
        let at = rule as usize / 64;
        self.bits[at] |= 1 << (rule % 64);
        self.parts[at / 64] |= 1 << (at % 64);
    }

    /// Shows all in order, and forgets them.
    pub(super) fn drain(&mut self, mut see: impl FnMut(u32)) {
        for (at, part) in self.parts.iter_mut().enumerate() {
            for at in ones(std::mem::take(part)).map(|one| at * 64 + one as usize) {
                let rules = ones(std::mem::take(&mut self.bits[at]));
                rules.for_each(|one| see(at as u32 * 64 + one));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Found;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn what_was_added_is_told_once_and_in_order(
            tickets in prop::collection::vec(prop::collection::vec(0u32..9_000, 0..40), 1..4),
        ) {
            let mut found = Found::default();
            found.grow(9_000);
            for rules in tickets {
                rules.iter().for_each(|rule| found.add(*rule));
                let mut told = Vec::new();
                found.drain(|rule| told.push(rule));
                let wanted: Vec<u32> = BTreeSet::from_iter(rules).into_iter().collect();
                prop_assert_eq!(told, wanted);
            }
        }
    }
}
