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
use program::{Probe, Program};
use ranges::RangeIndex;

/// Rules that are looked at first, where only the first that holds is wanted.
const FIRST_RULES: u32 = 64;
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
    programs: Program,
    /// Where the postings of each key begin; one more than there are keys.
    starts: Vec<u32>,
    postings: Vec<Posting>,
    /// Whether rules are filed under parts of texts: these are looked for with each
    /// ticket then, else when a test asks.
    files_parts: bool,
    ranges: RangeIndex,
    /// Rules that no key and no range stands for, in order.
    always: Vec<u32>,
}

/// A rule filed under a key.
#[derive(Debug, Clone, Copy)]
struct Posting {
    rule: u32,
    /// Another key that the rule needs; [`NO_KEY`] when none does.
    guard: u32,
}

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
        let mut keys = Keys::default();
        let mut nodes: Vec<program::Node> =
            conditions.into_iter().map(|condition| keys.node(condition)).collect();
        keys.seal();
        let mut rules = Self { n_rules: nodes.len(), ..Self::default() };
        let mut posted: Vec<(u32, Posting)> = Vec::with_capacity(nodes.len());
        let mut ranged = Vec::new();
        for (rule, node) in (0u32..).zip(&mut nodes) {
            match cover::file(node, &keys) {
                Filing::Never => {}
                Filing::Keys { keys: filed, guard, has_parts } => {
                    rules.files_parts |= has_parts;
                    posted.extend(filed.into_iter().map(|key| (key, Posting { rule, guard })));
                }
                Filing::Range(range) => ranged.push((rule, range)),
                Filing::Always => rules.always.push(rule),
            }
            rules.programs.push(node);
        }
        // Within a key by order: what comes first is tried first.
        posted.sort_by_key(|(key, posting)| (*key, posting.rule));
        rules.starts = vec![0; keys.n_keys() + 1];
        for (key, _) in &posted {
            rules.starts[*key as usize + 1] += 1;
        }
        for at in 1..rules.starts.len() {
            rules.starts[at] += rules.starts[at - 1];
        }
        rules.postings = posted.into_iter().map(|(_, posting)| posting).collect();
        rules.ranges = RangeIndex::new(ranged);
        rules.programs.shrink();
        rules.keys = keys;
        rules
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
        self.ranges.find(&scratch.numbers, |rule| ranged.push(rule));
        for rule in &ranged {
            if *rule < best && self.runs(*rule, facts, scratch) {
                best = *rule;
            }
        }
        scratch.found = ranged;
        for rule in &self.always {
            if *rule >= best {
                break;
            }
            if self.runs(*rule, facts, scratch) {
                best = *rule;
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
                    let is_over = posting.rule >= upto;
                    if !is_over
                        && scratch.has_guard(posting.guard)
                        && self.runs(posting.rule, facts, scratch)
                    {
                        best = posting.rule;
                    }
                    is_over || best == posting.rule
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
                if scratch.has_guard(posting.guard)
                    && scratch.is_untried(posting.rule)
                    && self.runs(posting.rule, facts, scratch)
                {
                    found.push(posting.rule);
                }
            }
        }
        let n_keyed = found.len();
        self.ranges.find(&scratch.numbers, |rule| found.push(rule));
        let mut n_kept = n_keyed;
        for at in n_keyed..found.len() {
            let rule = found[at];
            if self.runs(rule, facts, scratch) {
                found[n_kept] = rule;
                n_kept += 1;
            }
        }
        found.truncate(n_kept);
        for rule in &self.always {
            if self.runs(*rule, facts, scratch) {
                found.push(*rule);
            }
        }
        found.sort_unstable();
        scratch.found = found;
        &scratch.found
    }

    /// Whether one rule holds. `false` for a rule that is none.
    pub fn holds<F: Facts + ?Sized>(&self, rule: usize, facts: &F, scratch: &mut Scratch) -> bool {
        self.look(facts, scratch);
        let known = u32::try_from(rule).ok().filter(|_| rule < self.n_rules);
        known.is_some_and(|rule| self.runs(rule, facts, scratch))
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
    fn runs<F: Facts + ?Sized>(&self, rule: u32, facts: &F, scratch: &mut Scratch) -> bool {
        self.programs.run(rule, |test| match test {
            Probe::Key(key) => scratch.has(key),
            Probe::Part(key) => {
                self.keys.find_parts(facts, scratch);
                scratch.has(key)
            }
            Probe::Any(list) => match self.keys.list_leaf(list) {
                Some((leaf, wanted)) => {
                    scratch.remember(leaf, || self.keys.leaf(leaf).holds(facts)) == wanted
                }
                None => self.keys.has_any(list, scratch),
            },
            Probe::Range(range) => self.keys.in_range(range, scratch),
            Probe::Leaf(leaf) => scratch.remember(leaf, || self.keys.leaf(leaf).holds(facts)),
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
        self.memo.resize(rules.keys.n_leaves(), Memo::Unknown);
        self.knows_parts = false;
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
        guard == NO_KEY || self.has(guard)
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

    fn remember(&mut self, leaf: u32, test: impl FnOnce() -> bool) -> bool {
        let Some(memo) = self.memo.get_mut(leaf as usize) else { return test() };
        if *memo == Memo::Unknown {
            *memo = if test() { Memo::Passed } else { Memo::Failed };
        }
        *memo == Memo::Passed
    }
}
