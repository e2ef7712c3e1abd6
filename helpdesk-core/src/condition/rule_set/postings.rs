//! Rules filed under keys, and how those of a ticket's keys are gone through.

use super::program::{Entry, Node, Programs};
use super::{Filed, Scratch};

/// Keys of a rule up to which each has its own copy of the rule's program.
const COPIES_MAX: usize = 4;

/// Where a rule is filed: the keys of which a ticket must have one, and two more that it
/// must have, each by its place; the first of these is the rarest.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) rule: u32,
    pub(super) keys: Vec<u32>,
    pub(super) guards: [u32; 2],
}

/// The rules under each key, twice: in groups of one guard, to be gone through as a
/// whole, and in order, to find the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Postings {
    /// Where the postings of each key begin; one more than there are keys.
    starts: Vec<u32>,
    /// Where the groups of each key begin; one more than there are keys.
    group_starts: Vec<u32>,
    groups: Vec<Group>,
    postings: Vec<Posting>,
    ordered: Vec<Ordered>,
}

/// Postings of one key with one guard, up to `end`. A ticket without the guard is done
/// with all of them.
#[derive(Debug, Clone, Copy)]
struct Group {
    guard: u32,
    end: u32,
}

/// A rule filed under a key, and its second guard. Its program takes the key and the
/// guards for granted, and lies beside those of the other rules of the group, as they
/// are run together.
#[derive(Debug, Clone, Copy)]
struct Posting {
    filed: Filed,
    guard: u32,
}

/// A rule filed under a key, its first guard, and the place of its posting.
#[derive(Debug, Clone, Copy)]
struct Ordered {
    rule: u32,
    guard: u32,
    posting: u32,
}

impl Postings {
    /// Puts rules, which are given in order, under so many keys.
    pub(super) fn new(
        n_keys: usize,
        nodes: &[Node],
        places: &[Place],
        programs: &mut Programs,
    ) -> Self {
        let mut starts = vec![0; n_keys + 1];
        for key in places.iter().flat_map(|place| &place.keys) {
            starts[*key as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let n_postings = starts.last().copied().unwrap_or_default() as usize;
        // Guard and place of each posting, those of a key together.
        let mut posted = vec![(0, 0); n_postings];
        let mut next = starts.clone();
        for (at, place) in (0u32..).zip(places) {
            for key in &place.keys {
                let next = &mut next[*key as usize];
                posted[*next as usize] = (place.guards[0], at);
                *next += 1;
            }
        }
        let mut made = Self {
            group_starts: Vec::with_capacity(n_keys + 1),
            postings: Vec::with_capacity(n_postings),
            ordered: Vec::with_capacity(n_postings),
            ..Self::default()
        };
        let mut shared = vec![None; places.len()];
        for (key, ends) in (0u32..).zip(starts.windows(2)) {
            let posted = &mut posted[ends[0] as usize..ends[1] as usize];
            posted.sort_unstable();
            made.group_starts.push(made.groups.len() as u32);
            for group in posted.chunk_by(|(a, _), (b, _)| a == b) {
                for (_, at) in group {
                    let place = &places[*at as usize];
                    let shared = &mut shared[*at as usize];
                    made.post(key, place, &nodes[place.rule as usize], shared, programs);
                }
                let end = made.postings.len() as u32;
                made.groups.push(Group { guard: group[0].0, end });
            }
            made.ordered[ends[0] as usize..].sort_unstable_by_key(|ordered| ordered.rule);
        }
        made.group_starts.push(made.groups.len() as u32);
        made.groups.shrink_to_fit();
        made.starts = starts;
        made
    }

    fn post(
        &mut self,
        key: u32,
        place: &Place,
        node: &Node,
        shared: &mut Option<Entry>,
        programs: &mut Programs,
    ) {
        let Place { rule, ref keys, guards: [first, second] } = *place;
        let entry = if keys.len() <= COPIES_MAX {
            programs.push(node, &[key, first, second])
        } else {
            *shared.get_or_insert_with(|| programs.push(node, &[first, second]))
        };
        let posting = self.postings.len() as u32;
        self.postings.push(Posting { filed: Filed { rule, entry }, guard: second });
        self.ordered.push(Ordered { rule, guard: first, posting });
    }

    /// Collects the rules under the ticket's keys that have their guards, some more than
    /// once, and says how many these are.
    ///
    /// Whether a guard is there is hard to foresee, so nothing branches on one: each group
    /// is written down, and the next one over it where it is not kept; then its rules.
    pub(super) fn collect(
        &self,
        kept: &mut Vec<Filed>,
        groups: &mut Vec<(u32, u32)>,
        scratch: &Scratch,
    ) -> usize {
        let n_groups = self.collect_groups(groups, scratch);
        let mut n_kept = 0;
        for (start, end) in &groups[..n_groups] {
            let postings = &self.postings[*start as usize..*end as usize];
            if kept.len() < n_kept + postings.len() {
                kept.resize(n_kept + postings.len(), Filed::default());
            }
            for posting in postings {
                kept[n_kept] = posting.filed;
                n_kept += usize::from(scratch.has(posting.guard));
            }
        }
        n_kept
    }

    /// Where the postings of each group under the ticket's keys begin and end whose guard
    /// the ticket has, and how many these are.
    fn collect_groups(&self, kept: &mut Vec<(u32, u32)>, scratch: &Scratch) -> usize {
        let mut n_kept = 0;
        for key in &scratch.set {
            let mut start = self.starts[*key as usize];
            let groups = self.group_starts[*key as usize]..self.group_starts[*key as usize + 1];
            let groups = &self.groups[groups.start as usize..groups.end as usize];
            if kept.len() < n_kept + groups.len() {
                kept.resize(n_kept + groups.len(), (0, 0));
            }
            let kept = &mut kept[n_kept..];
            let mut n = 0;
            for group in groups {
                kept[n] = (start, group.end);
                start = group.end;
                n += usize::from(scratch.has(group.guard));
            }
            n_kept += n;
        }
        n_kept
    }

    /// Where the rules of a key at `from` or behind it begin, in order.
    pub(super) fn ordered_from(&self, key: u32, from: u32) -> u32 {
        let (start, end) = self.ends(key);
        let ordered = &self.ordered[start as usize..end as usize];
        start + ordered.partition_point(|ordered| ordered.rule < from) as u32
    }

    /// Goes on through the rules of a key in order, from `next` to those before `upto`,
    /// until one is `found`. Says where to go on, and whether anything is left.
    #[inline]
    pub(super) fn find_ordered(
        &self,
        key: u32,
        next: u32,
        upto: u32,
        scratch: &mut Scratch,
        mut found: impl FnMut(Filed, &mut Scratch) -> bool,
    ) -> (u32, bool) {
        let (_, end) = self.ends(key);
        let ordered = &self.ordered[next as usize..end as usize];
        let looked_at = ordered.iter().position(|ordered| {
            if ordered.rule >= upto {
                return true;
            }
            if !scratch.has(ordered.guard) {
                return false;
            }
            let posting = self.postings[ordered.posting as usize];
            scratch.has(posting.guard) && found(posting.filed, scratch)
        });
        let next = next + looked_at.unwrap_or(ordered.len()) as u32;
        (next, next < end)
    }

    #[inline]
    fn ends(&self, key: u32) -> (u32, u32) {
        (self.starts[key as usize], self.starts[key as usize + 1])
    }
}
