//! Under which keys a rule is filed: those without which it cannot hold.

use super::NO_KEY;
use super::keys::Keys;
use super::program::{COST_OF_A_LOOK, Node, Probe};
use super::ranges::Range;

/// Where a rule is looked for.
#[derive(Debug, PartialEq)]
pub(super) enum Filing {
    /// Nowhere: it never holds.
    Never,
    /// Among the tickets that have one of these keys, and the guard.
    Keys { keys: Vec<u32>, guard: u32, has_parts: bool },
    /// Among those whose number lies there.
    Range(Range),
    /// With every ticket.
    Always,
}

/// Keys of which a ticket has one wherever a node holds.
struct Cover {
    keys: Vec<u32>,
    /// How many of all tickets have one of them, roughly.
    share: f32,
    /// Whether parts of texts are among them.
    has_parts: bool,
}

/// Where to file a rule: under its rarest keys. Orders its tests by what is known
/// then: those that decide most and cost least come first, and what brought the
/// rule up comes last.
pub(super) fn file(node: &mut Node, keys: &Keys) -> Filing {
    if *node == Node::False {
        return Filing::Never;
    }
    let Some(cover) = cover(node, keys) else {
        return range(node, keys).map_or(Filing::Always, Filing::Range);
    };
    let guard = guard(node, &cover.keys, keys);
    if let Node::All(children) = node {
        children.sort_by_cached_key(|child| {
            let own = self::cover(child, keys);
            let place = match child {
                Node::Probe { probe: Probe::Key(key), negated: false } if *key == guard => 1,
                _ if own.as_ref().is_some_and(|own| own.keys == cover.keys) => 2,
                _ => 0,
            };
            match child.cost() {
                // Shares are not negative, so their bits are in their order.
                ..COST_OF_A_LOOK => (place, 0, own.map_or(1.0, |own| own.share).to_bits()),
                cost => (place, cost, 0),
            }
        });
    }
    Filing::Keys { keys: cover.keys, guard, has_parts: cover.has_parts }
}

fn cover(node: &Node, keys: &Keys) -> Option<Cover> {
    match node {
        Node::True | Node::False | Node::Probe { negated: true, .. } => None,
        Node::Probe { probe: Probe::Key(key), .. } => {
            Some(Cover { keys: vec![*key], share: keys.share(*key), has_parts: false })
        }
        // Only where nothing else will do: looking for parts costs more than all the rest.
        Node::Probe { probe: Probe::Part(key), .. } => {
            Some(Cover { keys: vec![*key], share: 1.0 + keys.share(*key), has_parts: true })
        }
        Node::Probe { probe: Probe::Any(list), .. } => {
            let all = keys.list(*list).to_vec();
            let share = all.iter().map(|key| keys.share(*key)).sum();
            Some(Cover { keys: all, share, has_parts: false })
        }
        Node::Probe { probe: Probe::Range(_) | Probe::Leaf(_), .. } => None,
        Node::All(children) => children
            .iter()
            .filter_map(|child| cover(child, keys))
            .min_by(|a, b| a.share.total_cmp(&b.share)),
        Node::Any(children) => {
            let mut all = Cover { keys: Vec::new(), share: 0.0, has_parts: false };
            for child in children {
                let child = cover(child, keys)?;
                all.keys.extend(child.keys);
                all.share += child.share;
                all.has_parts |= child.has_parts;
            }
            all.keys.sort_unstable();
            all.keys.dedup();
            Some(all)
        }
    }
}

/// The rarest other key that a conjunction needs.
fn guard(node: &Node, filed: &[u32], keys: &Keys) -> u32 {
    let Node::All(children) = node else { return NO_KEY };
    let needed = children.iter().filter_map(|child| match child {
        Node::Probe { probe: Probe::Key(key), negated: false } if filed != [*key] => Some(*key),
        _ => None,
    });
    needed.min_by(|a, b| keys.share(*a).total_cmp(&keys.share(*b))).unwrap_or(NO_KEY)
}

/// The narrowest range that a node needs.
fn range(node: &Node, keys: &Keys) -> Option<Range> {
    match node {
        Node::Probe { probe: Probe::Range(test), negated: false } => Some(keys.range(*test)),
        Node::All(children) => children
            .iter()
            .filter_map(|child| range(child, keys))
            .min_by(|a, b| (a.high - a.low).total_cmp(&(b.high - b.low))),
        Node::True | Node::False | Node::Any(_) | Node::Probe { .. } => None,
    }
}
