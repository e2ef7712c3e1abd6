//! Many conditions at once: which of them hold on a ticket.
//!
//! [`Condition::holds`] walks one condition; a desk with thousands of rules would
//! walk thousands for each ticket. A [`RuleSet`] turns them around. Every equality
//! of every condition (a priority, a tag, a word) is a *key*; a ticket has a few
//! dozen of them, found in one pass over its facts. Each rule is filed under the
//! keys without which it cannot hold, and only the rules filed under the ticket's
//! own keys are looked at, by short programs of tests on bits.
//!
//! The result is that of `holds` on each condition, whatever the conditions and
//! the facts. Source: spec/routing.md, "Rule sets at speed".

mod cover;
mod keys;
mod literals;
mod program;
mod ranges;
mod texts;
mod word_map;
#[cfg(test)]
mod tests;

use super::ast::Condition;
use super::facts::Facts;
use cover::Filing;
use keys::Keys;
use program::{Entry, Node, Probe, Programs};
use ranges::{Range, RangeIndex};

/// Rules that are looked at first, where only the first that holds is wanted.
const FIRST_RULES: u32 = 64;
/// Keys of a rule up to which each has its own copy of the rule's program.
const COPIES_MAX: usize = 4;
/// Marks the absence of a key.
const NO_KEY: u32 = u32::MAX;

/// Conditions, compiled to be matched together; immutable and shareable.
///
/// Rules are named by their place among the conditions: 0 is tried first.
///
/// ```
/// use helpdesk_core::condition::{Condition, FactMap, RuleSet, Schema, Scratch};
/// use serde_json::json;
///
/// let schema = Schema::default();
/// let conditions: Vec<Condition> = [
///     json!({"all": [{"field": "channel", "is": "email"}, {"field": "text", "has_word": ["refund"]}]}),
///     json!({"field": "tags", "has_any": ["vip"]}),
///     json!({"field": "message_count", "ge": 2}),
/// ]
/// .iter()
/// .map(|source| Condition::parse(source, &schema).map_err(|faults| faults[0].to_string()))
/// .collect::<Result<_, _>>()?;
/// let rules = RuleSet::new(&conditions);
///
/// let facts = json!({"channel": "email", "tags": ["vip"], "subject": "Where is my order?", "message_count": 3});
/// let facts = FactMap::from_json(&facts, chrono::DateTime::UNIX_EPOCH, &schema)
///     .map_err(|faults| faults[0].to_string())?;
/// let mut scratch = Scratch::default();
/// assert_eq!(rules.first(&facts, &mut scratch), Some(1));
/// assert_eq!(rules.all(&facts, &mut scratch), [1, 2]);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    n_rules: usize,
    keys: Keys,
    programs: Programs,
    /// Where the postings of each key begin; one more than there are keys.
    starts: Vec<u32>,
    postings: Vec<Posting>,
    /// Whether rules are filed under parts of texts: these are looked for with each
    /// ticket then, else when a test asks.
    files_parts: bool,
    ranges: RangeIndex,
    /// Rules that the ranges stand for.
    ranged: Vec<Filed>,
    /// Rules that no key and no range stands for, in order.
    always: Vec<Filed>,
}

/// A rule and its program.
#[derive(Debug, Clone, Copy)]
struct Filed {
    rule: u32,
    entry: Entry,
}

/// A rule filed under a key. Its program takes the key and the guard for granted, and
/// lies beside those of the other rules under the key, as they are run together.
#[derive(Debug, Clone, Copy)]
struct Posting {
    filed: Filed,
    /// Another key that the rule needs, or [`NO_GUARD`]; with [`IS_REPEATED`] where
    /// the rule is filed under other keys too.
    guard: u32,
}

/// Marks a rule that is filed under several keys, beside its guard.
const IS_REPEATED: u32 = 1 << 31;
/// The guard of a rule that has none.
const NO_GUARD: u32 = IS_REPEATED - 1;

/// What matching works on, kept from one ticket to the next: once it has grown to
/// its rule set, matching allocates nothing. It fits every rule set.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// The ticket's keys, as bits.
    bits: Vec<u64>,
    /// The same, one after the other.
    set: Vec<u32>,
    /// The ticket's words, by their number in the dictionary.
    words: Vec<u32>,
    /// The value of each number field; NaN when unset.
    numbers: Vec<f64>,
    /// The results of tests that are made at most once for a ticket.
    memo: Vec<Memo>,
    /// For each rule: the ticket it was last tried for.
    tried: Vec<u32>,
    ticket: u32,
    /// Whether the parts of the ticket's texts were looked for.
    knows_parts: bool,
    /// How many of them were looked for one by one.
    n_parts_sought: u32,
    found: Vec<u32>,
    /// For each key of the ticket, the posting to look at next.
    next: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memo {
    Unknown,
    Passed,
    Failed,
}

impl RuleSet {
    /// Compiles conditions, in the order in which they are tried.
    #[must_use]
    pub fn new<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Self {
        let mut rules = Self::default();
        let conditions: Vec<&Condition> = conditions.into_iter().collect();
        let mut nodes: Vec<Node> =
            conditions.iter().map(|condition| rules.keys.node(condition)).collect();
        rules.keys.seal();
        rules.n_rules = nodes.len();
        for (node, condition) in nodes.iter_mut().zip(conditions) {
            cover::arrange(node, &rules.keys);
            if !Programs::fits(node) {
                *node = rules.keys.asked_node(condition);
            }
        }
        rules.file(&nodes);
        rules.keys.shrink();
        rules.programs.shrink();
        rules
    }

    /// Files each rule, and writes its programs.
    fn file(&mut self, nodes: &[Node]) {
        let mut filings: Vec<(u32, Vec<u32>, u32)> = Vec::with_capacity(nodes.len());
        let mut ranges: Vec<(u32, Range)> = Vec::new();
        for (rule, node) in (0u32..).zip(nodes) {
            match cover::file(node, &self.keys) {
                Filing::Never => {}
                Filing::Keys { keys, guard } => filings.push((rule, keys, guard)),
                Filing::Range(range) => {
                    ranges.push((self.ranged.len() as u32, range));
                    self.ranged.push(Filed { rule, entry: self.programs.push(node, &[]) });
                }
                Filing::Always => {
                    self.always.push(Filed { rule, entry: self.programs.push(node, &[]) });
                }
            }
        }
        self.ranges = RangeIndex::new(ranges);
        self.post(nodes, &filings);
        let mut part_keys = self.keys.part_keys();
        self.files_parts = part_keys.any(|key| !self.postings_of(key).is_empty());
    }

    /// Puts rules under their keys; within a key by order, so that what comes first is
    /// tried first.
    fn post(&mut self, nodes: &[Node], filings: &[(u32, Vec<u32>, u32)]) {
        self.starts = vec![0; self.keys.n_keys() + 1];
        for key in filings.iter().flat_map(|(_, keys, _)| keys) {
            self.starts[*key as usize + 1] += 1;
        }
        for at in 1..self.starts.len() {
            self.starts[at] += self.starts[at - 1];
        }
        let n_postings = self.starts.last().copied().unwrap_or_default();
        let mut places = vec![(0, 0); n_postings as usize];
        let mut next = self.starts.clone();
        for (at, (_, keys, _)) in (0u32..).zip(filings) {
            for key in keys {
                let place = &mut next[*key as usize];
                places[*place as usize] = (at, *key);
                *place += 1;
            }
        }
        let mut shared = vec![None; filings.len()];
        for (at, key) in places {
            let (rule, keys, guard) = &filings[at as usize];
            let node = &nodes[*rule as usize];
            let entry = if keys.len() <= COPIES_MAX {
                self.programs.push(node, &[key, *guard])
            } else {
                *shared[at as usize].get_or_insert_with(|| self.programs.push(node, &[*guard]))
            };
            let guard = if *guard == NO_KEY { NO_GUARD } else { *guard };
            let repeated = if keys.len() > 1 { IS_REPEATED } else { 0 };
            self.postings
                .push(Posting { filed: Filed { rule: *rule, entry }, guard: guard | repeated });
        }
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.n_rules
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n_rules == 0
    }

    /// The first rule that holds.
    pub fn first<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) -> Option<usize> {
        self.look(facts, scratch);
        let mut best = self.first_of_keys(facts, scratch);
        let mut ranged = std::mem::take(&mut scratch.found);
        ranged.clear();
        self.ranges.find(&scratch.numbers, |at| ranged.push(at));
        for at in &ranged {
            let filed = self.ranged[*at as usize];
            if filed.rule < best && self.runs(filed, facts, scratch) {
                best = filed.rule;
            }
        }
        scratch.found = ranged;
        let before = self.always.iter().take_while(|filed| filed.rule < best);
        for filed in before {
            if self.runs(*filed, facts, scratch) {
                best = filed.rule;
                break;
            }
        }
        (best != u32::MAX).then_some(best as usize)
    }

    /// The first rule that holds and is filed under the ticket's keys: looked for
    /// among the first few rules under each key, then among the next more.
    fn first_of_keys<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) -> u32 {
        let mut next = std::mem::take(&mut scratch.next);
        next.clear();
        next.extend(scratch.set.iter().map(|key| self.starts[*key as usize]));
        let (mut best, mut bound) = (u32::MAX, FIRST_RULES);
        loop {
            let mut is_left = false;
            for (at, next) in next.iter_mut().enumerate() {
                let end = self.starts[scratch.set[at] as usize + 1];
                let postings = &self.postings[*next as usize..end as usize];
                let upto = bound.min(best);
                let looked_at = postings.iter().position(|posting| {
                    let rule = posting.filed.rule;
                    let is_over = rule >= upto;
                    if !is_over
                        && scratch.has_guard(posting.guard)
                        && self.runs(posting.filed, facts, scratch)
                    {
                        best = rule;
                    }
                    is_over || best == rule
                });
                *next += looked_at.unwrap_or(postings.len()) as u32;
                is_left |= *next < end;
            }
            if best < bound || !is_left {
                break;
            }
            bound = bound.saturating_mul(8);
        }
        scratch.next = next;
        best
    }

    /// All rules that hold, in order.
    pub fn all<'s, F: Facts + ?Sized>(&self, facts: &F, scratch: &'s mut Scratch) -> &'s [u32] {
        self.look(facts, scratch);
        scratch.begin_trying(self.n_rules);
        let mut found = std::mem::take(&mut scratch.found);
        found.clear();
        for at in 0..scratch.set.len() {
            for posting in self.postings_of(scratch.set[at]) {
                let rule = posting.filed.rule;
                if scratch.has_guard(posting.guard)
                    && (posting.guard & IS_REPEATED == 0 || scratch.is_untried(rule))
                    && self.runs(posting.filed, facts, scratch)
                {
                    found.push(rule);
                }
            }
        }
        let n_keyed = found.len();
        self.ranges.find(&scratch.numbers, |at| found.push(at));
        let mut n_kept = n_keyed;
        for at in n_keyed..found.len() {
            let filed = self.ranged[found[at] as usize];
            if self.runs(filed, facts, scratch) {
                found[n_kept] = filed.rule;
                n_kept += 1;
            }
        }
        found.truncate(n_kept);
        for filed in &self.always {
            if self.runs(*filed, facts, scratch) {
                found.push(filed.rule);
            }
        }
        found.sort_unstable();
        scratch.found = found;
        &scratch.found
    }

    fn postings_of(&self, key: u32) -> &[Posting] {
        let key = key as usize;
        &self.postings[self.starts[key] as usize..self.starts[key + 1] as usize]
    }

    /// Takes in a ticket: finds its keys and numbers.
    fn look<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) {
        scratch.begin(self);
        self.keys.find(facts, scratch);
        if self.files_parts {
            self.keys.find_parts(facts, scratch);
        }
    }

    /// Runs a rule's program.
    fn runs<F: Facts + ?Sized>(&self, filed: Filed, facts: &F, scratch: &mut Scratch) -> bool {
        self.programs.run(filed.entry, |test| match test {
            Probe::Key(key) => scratch.has(key),
            Probe::Any(list) => self.keys.has_any(list, facts, scratch),
            Probe::Range(range) => self.keys.in_range(range, scratch),
            Probe::Part(part) => self.keys.has_part(part, facts, scratch),
            Probe::Asked(asked) => self.keys.ask(asked, facts, scratch),
        })
    }
}

impl Scratch {
    /// Forgets the ticket before, and grows to a rule set.
    fn begin(&mut self, rules: &RuleSet) {
        for key in self.set.drain(..) {
            if let Some(word) = self.bits.get_mut(key as usize / 64) {
                *word = 0;
            }
        }
        let n_bits = rules.keys.n_keys().div_ceil(64);
        if self.bits.len() < n_bits {
            self.bits.resize(n_bits, 0);
        }
        self.numbers.clear();
        self.numbers.resize(rules.keys.n_numbers(), f64::NAN);
        self.memo.clear();
        self.memo.resize(rules.keys.n_memos(), Memo::Unknown);
        self.knows_parts = false;
        self.n_parts_sought = 0;
    }

    /// Lets each of so many rules be tried once for the ticket.
    fn begin_trying(&mut self, n_rules: usize) {
        self.ticket = self.ticket.wrapping_add(1);
        if self.tried.len() < n_rules || self.ticket == 0 {
            self.tried.clear();
            self.tried.resize(n_rules, 0);
            self.ticket = 1;
        }
    }

    fn has(&self, key: u32) -> bool {
        self.bits.get(key as usize / 64).is_some_and(|word| word >> (key % 64) & 1 == 1)
    }

    fn has_guard(&self, guard: u32) -> bool {
        let guard = guard & !IS_REPEATED;
        guard == NO_GUARD || self.has(guard)
    }

    /// Adds a key of the ticket.
    fn add(&mut self, key: u32) {
        let Some(word) = self.bits.get_mut(key as usize / 64) else { return };
        let bit = 1 << (key % 64);
        if *word & bit == 0 {
            *word |= bit;
            self.set.push(key);
        }
    }

    fn add_found(&mut self, key: Option<u32>) {
        if let Some(key) = key {
            self.add(key);
        }
    }

    fn is_untried(&mut self, rule: u32) -> bool {
        let Some(tried) = self.tried.get_mut(rule as usize) else { return true };
        std::mem::replace(tried, self.ticket) != self.ticket
    }

    fn remembers(&self, test: usize) -> bool {
        self.memo.get(test).is_some_and(|memo| *memo != Memo::Unknown)
    }

    fn remember(&mut self, test: usize, ask: impl FnOnce() -> bool) -> bool {
        let Some(memo) = self.memo.get_mut(test) else { return ask() };
        if *memo == Memo::Unknown {
            *memo = if ask() { Memo::Passed } else { Memo::Failed };
        }
        *memo == Memo::Passed
    }
}
