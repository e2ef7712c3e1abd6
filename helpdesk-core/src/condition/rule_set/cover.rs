//! Under which keys a rule is filed: those without which it cannot hold.

use super::ANY_TICKET;
use super::keys::Keys;
use super::program::{Node, Probe};
use super::ranges::Range;

/// Tests that cost less than this go by how often they decide, dearer ones by their cost.
const CHEAP: u32 = 16;
/// How many tickets pass a test of which nothing is known, roughly.
const UNKNOWN_CHANCE: f32 = 0.5;

/// Where a rule is looked for.
#[derive(Debug, PartialEq)]
pub(super) enum Filing {
    /// Nowhere: it never holds.
    Never,
    /// Among the tickets that have one of these keys, and both guards.
    Keys { keys: Vec<u32>, guards: [u32; 2] },
    /// Among those whose number lies there.
    Range(Range),
    /// With every ticket.
    Always,
}

/// Where to file a rule: under its rarest keys.
pub(super) fn file(node: &Node, keys: &Keys) -> Filing {
    if *node == Node::False {
        return Filing::Never;
    }
    if share(node, keys).is_none() {
        return range(node, keys).map_or(Filing::Always, Filing::Range);
    }
    let mut filed = Vec::new();
    collect(node, keys, &mut filed);
    filed.sort_unstable();
    filed.dedup();
    let guards = guards(node, &filed, keys);
    Filing::Keys { keys: filed, guards }
}

/// How many of all tickets have one of the keys that a node would be filed under,
/// roughly; `None` where a ticket without any of its keys may pass.
fn share(node: &Node, keys: &Keys) -> Option<f32> {
    match node {
        Node::True | Node::False | Node::Probe { negated: true, .. } => None,
        Node::Probe { probe, .. } => match probe {
            Probe::Key(key) => Some(keys.share(*key)),
            // Only where nothing else will do: looking for parts costs more than all the rest.
            Probe::Part(part) => Some(1.0 + keys.share(keys.part_key(*part))),
            Probe::Any(list) => Some(keys.list(*list).iter().map(|key| keys.share(*key)).sum()),
            Probe::Range(_) | Probe::Asked(_) => None,
        },
        Node::All(children) => least(children, keys).map(|(_, share)| share),
        Node::Any(children) => children.iter().map(|child| share(child, keys)).sum(),
    }
}

/// The child that is filed under the rarest keys.
fn least<'n>(children: &'n [Node], keys: &Keys) -> Option<(&'n Node, f32)> {
    let shares = children.iter().filter_map(|child| Some((child, share(child, keys)?)));
    shares.min_by(|(_, a), (_, b)| a.total_cmp(b))
}

/// The keys whose share [`share`] tells.
fn collect(node: &Node, keys: &Keys, filed: &mut Vec<u32>) {
    match node {
        Node::Probe { probe: Probe::Key(key), .. } => filed.push(*key),
        Node::Probe { probe: Probe::Part(part), .. } => filed.push(keys.part_key(*part)),
        Node::Probe { probe: Probe::Any(list), .. } => filed.extend(keys.list(*list)),
        Node::All(children) => {
            if let Some((child, _)) = least(children, keys) {
                collect(child, keys, filed);
            }
        }
        Node::Any(children) => children.iter().for_each(|child| collect(child, keys, filed)),
        Node::True | Node::False | Node::Probe { .. } => {}
    }
}

/// The two rarest other keys that a conjunction needs, the rarest first.
fn guards(node: &Node, filed: &[u32], keys: &Keys) -> [u32; 2] {
    let mut guards = [ANY_TICKET; 2];
    let Node::All(children) = node else { return guards };
    for child in children {
        let Node::Probe { probe: Probe::Key(key), negated: false } = child else { continue };
        let key = *key;
        if filed == [key] || guards.contains(&key) {
            continue;
        }
        if keys.share(key) < keys.share(guards[0]) {
            guards = [key, guards[0]];
        } else if keys.share(key) < keys.share(guards[1]) {
            guards[1] = key;
        }
    }
    guards
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

/// Puts the tests that decide most and cost least first.
pub(super) fn arrange(node: &mut Node, keys: &Keys) {
    let (children, all) = match node {
        Node::All(children) => (children, true),
        Node::Any(children) => (children, false),
        Node::True | Node::False | Node::Probe { .. } => return,
    };
    children.iter_mut().for_each(|child| arrange(child, keys));
    children.sort_by_cached_key(|child| {
        let cost = child.cost();
        let chance = chance(child, keys);
        let undecided = if all { chance } else { 1.0 - chance };
        // Chances are not negative, so their bits are in their order.
        if cost < CHEAP { (0, undecided.to_bits()) } else { (cost, 0) }
    });
}

/// How many of all tickets pass a node, roughly: from 0 to 1.
fn chance(node: &Node, keys: &Keys) -> f32 {
    match node {
        Node::True => 1.0,
        Node::False => 0.0,
        Node::Probe { probe, negated } => {
            let chance = match probe {
                Probe::Key(key) => keys.share(*key),
                Probe::Part(part) => keys.share(keys.part_key(*part)),
                Probe::Any(list) => keys.list(*list).iter().map(|key| keys.share(*key)).sum(),
                Probe::Range(_) | Probe::Asked(_) => UNKNOWN_CHANCE,
            };
            let chance = chance.clamp(0.0, 1.0);
            if *negated { 1.0 - chance } else { chance }
        }
        Node::All(children) => children.iter().map(|child| chance(child, keys)).product(),
        Node::Any(children) => {
            1.0 - children.iter().map(|child| 1.0 - chance(child, keys)).product::<f32>()
        }
    }
}
