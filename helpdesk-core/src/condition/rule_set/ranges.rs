//! Rules that have only ranges: found by where a number lies.

/// From and to, both counted in, of a number field by its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) number: u32,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Ranges by the number they are of, each an interval tree laid out in order.
#[derive(Debug, Clone, Default)]
pub(super) struct RangeIndex {
    trees: Vec<(u32, Vec<Entry>)>,
}

/// A range, with the greatest `high` of the part of the tree that it is the root of.
#[derive(Debug, Clone, Copy)]
struct Entry {
    low: f64,
    high: f64,
    highest: f64,
    rule: u32,
}

impl RangeIndex {
    pub(super) fn new(mut ranged: Vec<(u32, Range)>) -> Self {
        ranged.sort_by(|(_, a), (_, b)| {
            a.number.cmp(&b.number).then(a.low.total_cmp(&b.low)).then(a.high.total_cmp(&b.high))
        });
        let mut trees: Vec<(u32, Vec<Entry>)> = Vec::new();
        for (rule, Range { number, low, high }) in ranged {
            let entry = Entry { low, high, highest: high, rule };
            match trees.last_mut() {
                Some((last, tree)) if *last == number => tree.push(entry),
                _ => trees.push((number, vec![entry])),
            }
        }
        for (_, tree) in &mut trees {
            set_highest(tree);
        }
        Self { trees }
    }

    /// The rules whose range a ticket's number lies in, in no order.
    pub(super) fn find(&self, numbers: &[f64], mut found: impl FnMut(u32)) {
        for (number, tree) in &self.trees {
            let value = numbers.get(*number as usize).copied().unwrap_or(f64::NAN);
            if !value.is_nan() {
                stab(tree, value, &mut found);
            }
        }
    }
}

/// The root of a part is in its middle. Recursion is as deep as the tree: 32 at most.
fn set_highest(part: &mut [Entry]) -> f64 {
    if part.is_empty() {
        return f64::NEG_INFINITY;
    }
    let middle = part.len() / 2;
    let left = set_highest(&mut part[..middle]);
    let right = set_highest(&mut part[middle + 1..]);
    let root = &mut part[middle];
    root.highest = root.high.max(left).max(right);
    root.highest
}

fn stab(part: &[Entry], value: f64, found: &mut impl FnMut(u32)) {
    let Some(root) = part.get(part.len() / 2) else { return };
    if root.highest < value {
        return;
    }
    let (left, rest) = part.split_at(part.len() / 2);
    stab(left, value, found);
    if root.low <= value {
        if value <= root.high {
            found(root.rule);
        }
        stab(&rest[1..], value, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_tree_finds_what_a_scan_finds(
            ranges in prop::collection::vec((-20i8..20, 0i8..9), 0..60),
            value in -25i8..30,
        ) {
            let range = |(low, length): &(i8, i8)| {
                Range { number: 0, low: f64::from(*low), high: f64::from(*low + *length) }
            };
            let all: Vec<(u32, Range)> = (0..).zip(ranges.iter().map(range)).collect();
            let value = f64::from(value);
            let scanned: Vec<u32> = all
                .iter()
                .filter(|(_, range)| range.low <= value && value <= range.high)
                .map(|(rule, _)| *rule)
                .collect();
            let mut found = Vec::new();
            RangeIndex::new(all).find(&[value], |rule| found.push(rule));
            found.sort_unstable();
            prop_assert_eq!(found, scanned);
        }
    }
}
