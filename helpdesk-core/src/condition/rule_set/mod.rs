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

mod compiled;
mod cover;
mod found;
mod keys;
mod literals;
mod live;
mod near;
mod parts;
mod postings;
mod program;
mod ranges;
mod scratch;
mod texts;
mod word_map;
#[cfg(test)]
mod tests;

use super::ast::Condition;
use super::facts::{FactMap, Facts};
pub use compiled::Compiled;
pub use live::LiveRules;
pub use scratch::Scratch;

use cover::Filing;
use keys::Keys;
use postings::{Place, Postings};
use program::{Entry, Node, Probe, Programs};
use ranges::{Range, RangeIndex};

/// Rules up to which a set is walked, rule by rule: a ticket's keys cost more.
const WALKED_MAX: usize = 16;
/// The first rules of a larger set, walked before a ticket's keys are found where only
/// the first that holds is wanted.
const FIRST_WALKED: usize = 8;
/// Rules that are looked at first, where only the first that holds is wanted.
const FIRST_RULES: u32 = 64;
/// As many parts of a ticket's texts are looked for one by one, then all together.
const PARTS_BY_ONE: u32 = 16;
/// Marks the absence of a key.
const NO_KEY: u32 = u32::MAX;
/// A key that every ticket has.
const ANY_TICKET: u32 = 0;

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
    /// All rules of a small set, which has nothing else; else the first few.
    walked: Vec<Condition>,
    keys: Keys,
    programs: Programs,
    postings: Postings,
    /// Rules that are filed under parts of texts, in order; where there are none, parts
    /// are looked for when a test asks.
    by_parts: Vec<u32>,
    ranges: RangeIndex,
    /// Rules that the ranges stand for.
    ranged: Vec<Filed>,
    /// Rules that no key and no range stands for, in order.
    always: Vec<Filed>,
}

/// A rule and its program.
#[derive(Debug, Clone, Copy, Default)]
struct Filed {
    rule: u32,
    entry: Entry,
}

impl RuleSet {
    /// Compiles conditions, in the order in which they are tried.
    #[must_use]
    pub fn new<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Self {
        Self::for_tickets(conditions, std::iter::empty::<&FactMap>())
    }

    /// The same, made to be fast on tickets like these: what they have often is looked
    /// at late. A few hundred tell enough. What holds does not depend on them.
    #[must_use]
    pub fn for_tickets<'c, 'f, F: Facts + ?Sized + 'f>(
        conditions: impl IntoIterator<Item = &'c Condition>,
        tickets: impl IntoIterator<Item = &'f F>,
    ) -> Self {
        let mut rules = Self::default();
        let conditions: Vec<&Condition> = conditions.into_iter().collect();
        rules.n_rules = conditions.len();
        let n_walked = if rules.is_small() { WALKED_MAX } else { FIRST_WALKED };
        rules.walked = conditions.iter().take(n_walked).copied().cloned().collect();
        if rules.is_small() {
            return rules;
        }
        rules.keys = Keys::new();
        let mut nodes: Vec<Node> =
            conditions.iter().map(|condition| rules.keys.node(condition)).collect();
        rules.keys.seal();
        rules.learn(tickets);
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

    /// Counts how many of these tickets have each key.
    fn learn<'f, F: Facts + ?Sized + 'f>(&mut self, tickets: impl IntoIterator<Item = &'f F>) {
        let mut scratch = Scratch::default();
        let mut counts = vec![0; self.keys.n_keys()];
        let mut n_tickets = 0;
        for facts in tickets {
            self.look(facts, &mut scratch);
            self.keys.find_parts(facts, &mut scratch);
            scratch.set.iter().for_each(|key| counts[*key as usize] += 1);
            n_tickets += 1;
        }
        self.keys.learn(&counts, n_tickets);
    }

    /// Files each rule, and writes its programs.
    fn file(&mut self, nodes: &[Node]) {
        let mut places = Vec::with_capacity(nodes.len());
        let mut ranges: Vec<(u32, Range)> = Vec::new();
        let mut always: Vec<u32> = Vec::new();
        for (rule, node) in (0u32..).zip(nodes) {
            match cover::file(node, &self.keys) {
                Filing::Never => {}
                Filing::Keys { keys, guards } => places.push(Place { rule, keys, guards }),
                Filing::Range(range) => {
                    ranges.push((self.ranged.len() as u32, range));
                    self.ranged.push(Filed { rule, entry: self.programs.push(node, &[]) });
                }
                Filing::Always => always.push(rule),
            }
        }
        self.ranges = RangeIndex::new(ranges);
        // To look for all parts with each ticket pays where many rules are filed so.
        let is_by_parts = |place: &Place| place.keys.iter().any(|key| self.keys.is_part(*key));
        let by_parts = places.iter().filter(|place| is_by_parts(place)).map(|place| place.rule);
        let by_parts: Vec<u32> = by_parts.collect();
        if by_parts.len() > PARTS_BY_ONE as usize {
            self.by_parts = by_parts;
        } else {
            places.retain(|place| by_parts.binary_search(&place.rule).is_err());
            always.extend(by_parts);
            always.sort_unstable();
        }
        for rule in always {
            let entry = self.programs.push(&nodes[rule as usize], &[]);
            self.always.push(Filed { rule, entry });
        }
        self.postings = Postings::new(self.keys.n_keys(), nodes, &places, &mut self.programs);
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

    fn is_small(&self) -> bool {
        self.n_rules <= WALKED_MAX
    }

    /// The first rule that holds.
    pub fn first<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) -> Option<usize> {
        self.find(0, facts, scratch, |_| true)
    }

    /// The first rule at `from` or behind it that is accepted and holds. Asks for few
    /// more than the rules up to the one that is found whether they are accepted.
    ///
    /// A cascade goes on behind the rule that has acted, on the ticket as it is then:
    ///
    /// ```
    /// use helpdesk_core::condition::{Condition, FactMap, RuleSet, Schema, Scratch};
    /// use serde_json::json;
    ///
    /// let schema = Schema::default();
    /// let parse = |source| {
    ///     Condition::parse(&source, &schema).map_err(|faults| faults[0].to_string())
    /// };
    /// let rules = RuleSet::new(&[
    ///     parse(json!({"field": "subject", "has_word": ["refund"]}))?,
    ///     parse(json!({"field": "priority", "is": "high"}))?,
    /// ]);
    /// let mut ticket = json!({"subject": "Refund, please"});
    /// let (mut scratch, mut from, mut acted) = (Scratch::default(), 0, Vec::new());
    /// loop {
    ///     let facts = FactMap::from_json(&ticket, chrono::DateTime::UNIX_EPOCH, &schema)
    ///         .map_err(|faults| faults[0].to_string())?;
    ///     let Some(rule) = rules.find(from, &facts, &mut scratch, |_| true) else { break };
    ///     acted.push(rule);
    ///     from = rule + 1;
    ///     // What the first one does, the second one sees.
    ///     ticket["priority"] = json!("high");
    /// }
    /// assert_eq!(acted, [0, 1]);
    /// # Ok::<(), String>(())
    /// ```
    pub fn find<F: Facts + ?Sized>(
        &self,
        from: usize,
        facts: &F,
        scratch: &mut Scratch,
        accept: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut walked = self.walked.iter().enumerate().skip(from);
        let found = walked.find(|(rule, condition)| accept(*rule) && condition.holds(facts));
        if found.is_some() || self.is_small() {
            return found.map(|(rule, _)| rule);
        }
        let from = u32::try_from(from.max(self.walked.len())).ok()?;
        self.look(facts, scratch);
        let accept = |rule: u32| rule >= from && accept(rule as usize);
        let mut best = self.first_of_keys(0, (from, u32::MAX), facts, scratch, accept);
        // To look for parts is dear, and most often over before a rule needs it.
        let next = self.by_parts.partition_point(|rule| *rule < from);
        if self.by_parts.get(next).is_some_and(|rule| *rule < best) {
            let n_keys = scratch.set.len();
            self.keys.find_parts(facts, scratch);
            best = self.first_of_keys(n_keys, (from, best), facts, scratch, accept);
        }
        let mut ranged = std::mem::take(&mut scratch.found);
        ranged.clear();
        self.ranges.find(&scratch.numbers, |at| ranged.push(at));
        for at in &ranged {
            let filed = self.ranged[*at as usize];
            if filed.rule < best && accept(filed.rule) && self.runs(filed, facts, scratch) {
                best = filed.rule;
            }
        }
        scratch.found = ranged;
        let start = self.always.partition_point(|filed| filed.rule < from);
        let before = self.always[start..].iter().take_while(|filed| filed.rule < best);
        for filed in before {
            if accept(filed.rule) && self.runs(*filed, facts, scratch) {
                best = filed.rule;
                break;
            }
        }
        (best != u32::MAX).then_some(best as usize)
    }

    /// The first rule that holds and is filed under the ticket's keys from a place on, in
    /// a range of rules, or the range's end: looked for among the first few rules under
    /// each key, then among the next more.
    fn first_of_keys<F: Facts + ?Sized>(
        &self,
        start: usize,
        (from, mut best): (u32, u32),
        facts: &F,
        scratch: &mut Scratch,
        accept: impl Fn(u32) -> bool,
    ) -> u32 {
        let mut next = std::mem::take(&mut scratch.next);
        next.clear();
        let keys = &scratch.set[start..];
        next.extend(keys.iter().map(|key| self.postings.ordered_from(*key, from)));
        let mut bound = from.saturating_add(FIRST_RULES);
        loop {
            let mut is_left = false;
            for (at, next) in next.iter_mut().enumerate() {
                let (key, upto) = (scratch.set[start + at], bound.min(best));
                let found = |filed: Filed, scratch: &mut Scratch| {
                    let holds = accept(filed.rule) && self.runs(filed, facts, scratch);
                    if holds {
                        best = filed.rule;
                    }
                    holds
                };
                let left = self.postings.find_ordered(key, *next, upto, scratch, found);
                *next = left.0;
                is_left |= left.1;
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
        let mut found = std::mem::take(&mut scratch.found);
        found.clear();
        if self.is_small() {
            let walked = (0u32..).zip(&self.walked).filter(|(_, condition)| condition.holds(facts));
            found.extend(walked.map(|(rule, _)| rule));
            scratch.found = found;
            return &scratch.found;
        }
        self.look(facts, scratch);
        if !self.by_parts.is_empty() {
            self.keys.find_parts(facts, scratch);
        }
        let mut candidates = std::mem::take(&mut scratch.candidates);
        let mut groups = std::mem::take(&mut scratch.groups);
        let n_candidates = self.postings.collect(&mut candidates, &mut groups, scratch);
        scratch.groups = groups;
        scratch.holding.grow(self.n_rules);
        for filed in &candidates[..n_candidates] {
            self.try_one(*filed, facts, scratch);
        }
        scratch.candidates = candidates;
        self.ranges.find(&scratch.numbers, |at| found.push(at));
        for at in found.drain(..) {
            self.try_one(self.ranged[at as usize], facts, scratch);
        }
        for filed in &self.always {
            self.try_one(*filed, facts, scratch);
        }
        scratch.holding.drain(|rule| found.push(rule));
        scratch.found = found;
        &scratch.found
    }

    #[inline]
    fn try_one<F: Facts + ?Sized>(&self, filed: Filed, facts: &F, scratch: &mut Scratch) {
        if self.runs(filed, facts, scratch) {
            scratch.holding.add(filed.rule);
        }
    }

    /// Takes in a ticket: finds its keys and numbers.
    fn look<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) {
        scratch.begin(self);
        self.keys.find(facts, scratch);
    }

    /// Runs a rule's program.
    #[inline]
    fn runs<F: Facts + ?Sized>(&self, filed: Filed, facts: &F, scratch: &mut Scratch) -> bool {
        self.programs.run(filed.entry, scratch, |test, scratch| self.passes(test, facts, scratch))
    }

    /// Whether the ticket passes a test. Not a part of every program that is run: most
    /// need no more than a look at the ticket's keys.
    #[inline(never)]
    fn passes<F: Facts + ?Sized>(&self, test: Probe, facts: &F, scratch: &mut Scratch) -> bool {
        match test {
            Probe::Key(key) => scratch.has(key),
            Probe::Any(list) => self.keys.has_any(list, facts, scratch),
            Probe::Range(range) => self.keys.in_range(range, scratch),
            Probe::Part(part) => self.keys.has_part(part, facts, scratch),
            Probe::Asked(asked) => self.keys.ask(asked, facts, scratch),
        }
    }
}
