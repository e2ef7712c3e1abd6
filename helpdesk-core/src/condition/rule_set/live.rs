//! Rules that are added, replaced and removed while tickets are matched.

use super::{RuleSet, Scratch};
use crate::condition::ast::Condition;
use crate::condition::facts::Facts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A rule set that is edited without a stop.
///
/// Rules are named by a key and tried in its order: a position and a name, say. An edit
/// lies over the compiled rules, and is walked; it costs no more than its own rule. Once
/// many have come together, compile them in the background: [`LiveRules::rebuilt`] on a
/// clone, which is cheap, while the original goes on and is edited; then
/// [`LiveRules::adopt`].
///
/// ```
/// use helpdesk_core::condition::{Condition, FactMap, LiveRules, Schema, Scratch};
/// use serde_json::json;
///
/// let schema = Schema::default();
/// let parse = |source| {
///     Condition::parse(&source, &schema).map_err(|faults| faults[0].to_string())
/// };
/// let vip = parse(json!({"field": "tags", "has_any": ["vip"]}))?;
/// let email = parse(json!({"field": "channel", "is": "email"}))?;
/// let mut rules = LiveRules::new([((20, "mail"), email.clone())]);
/// let facts = json!({"channel": "email", "tags": ["vip"]});
/// let facts = FactMap::from_json(&facts, chrono::DateTime::UNIX_EPOCH, &schema)
///     .map_err(|faults| faults[0].to_string())?;
/// let mut scratch = Scratch::default();
/// assert_eq!(rules.first(&facts, &mut scratch), Some(&(20, "mail")));
///
/// rules.put((10, "important"), vip);
/// assert_eq!(rules.first(&facts, &mut scratch), Some(&(10, "important")));
///
/// let rebuilt = rules.clone().rebuilt();
/// rules.remove(&(20, "mail"));
/// assert!(rules.adopt(rebuilt));
/// assert_eq!(rules.all(&facts, &mut scratch), [&(10, "important")]);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone)]
pub struct LiveRules<K> {
    rules: BTreeMap<K, Arc<Condition>>,
    /// The rules as they were when they were compiled last, and their keys.
    compiled: Arc<(RuleSet, Vec<K>)>,
    /// Places of compiled rules that are removed, or replaced.
    gone: BTreeSet<usize>,
    /// Rules that were added since, or replace others.
    added: BTreeMap<K, Arc<Condition>>,
    /// The keys of all edits since, in order.
    edits: Vec<K>,
    /// Edits made before.
    n_compiled: u64,
}

impl<K: Ord + Clone> LiveRules<K> {
    /// Compiles rules; of two with one key the later one counts.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = (K, Condition)>) -> Self {
        let rules = rules.into_iter().map(|(key, when)| (key, Arc::new(when))).collect();
        Self::compile(rules, 0)
    }

    fn compile(rules: BTreeMap<K, Arc<Condition>>, n_compiled: u64) -> Self {
        let set = RuleSet::new(rules.values().map(AsRef::as_ref));
        let compiled = Arc::new((set, rules.keys().cloned().collect()));
        Self {
            rules,
            compiled,
            gone: BTreeSet::new(),
            added: BTreeMap::new(),
            edits: Vec::new(),
            n_compiled,
        }
    }

    /// Adds a rule, or replaces the one with this key.
    pub fn put(&mut self, key: K, when: Condition) {
        self.edit(key, Some(Arc::new(when)));
    }

    /// Removes a rule. `false` where there is none.
    pub fn remove(&mut self, key: &K) -> bool {
        let is_there = self.rules.contains_key(key);
        if is_there {
            self.edit(key.clone(), None);
        }
        is_there
    }

    fn edit(&mut self, key: K, when: Option<Arc<Condition>>) {
        if let Ok(place) = self.compiled.1.binary_search(&key) {
            self.gone.insert(place);
        }
        match when {
            Some(when) => {
                self.rules.insert(key.clone(), when.clone());
                self.added.insert(key.clone(), when);
            }
            None => {
                self.rules.remove(&key);
                self.added.remove(&key);
            }
        }
        self.edits.push(key);
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Rules that lie over the compiled ones: each costs a walk of its condition with
    /// each ticket. Compile them from a few dozen on.
    #[must_use]
    pub fn n_added(&self) -> usize {
        self.added.len()
    }

    /// The same rules, all compiled.
    #[must_use]
    pub fn rebuilt(self) -> Self {
        let n_edits = self.n_edits();
        Self::compile(self.rules, n_edits)
    }

    fn n_edits(&self) -> u64 {
        self.n_compiled + self.edits.len() as u64
    }

    /// Takes over what was rebuilt from an earlier clone of these rules; the edits
    /// since then stay. `false`, and nothing changes, for what is older than what
    /// these rules have compiled, or is not of these rules.
    pub fn adopt(&mut self, rebuilt: Self) -> bool {
        let known = rebuilt.n_compiled.checked_sub(self.n_compiled);
        let Some(n_known) = known.and_then(|n| usize::try_from(n).ok()) else { return false };
        if n_known > self.edits.len() || !rebuilt.edits.is_empty() {
            return false;
        }
        let later = self.edits.split_off(n_known);
        let rules = std::mem::take(&mut self.rules);
        *self = rebuilt;
        for key in later {
            let when = rules.get(&key).cloned();
            self.edit(key, when);
        }
        true
    }

    /// The first rule that holds.
    pub fn first<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) -> Option<&K> {
        let (set, keys) = &*self.compiled;
        let place = set.find(0, facts, scratch, |place| !self.gone.contains(&place));
        let compiled = place.and_then(|place| keys.get(place));
        let comes_before = |key: &&K| compiled.is_none_or(|compiled| *key < compiled);
        let mut before = self.added.iter().take_while(|(key, _)| comes_before(key));
        before.find(|(_, when)| when.holds(facts)).map(|(key, _)| key).or(compiled)
    }

    /// All rules that hold, in order.
    pub fn all<F: Facts + ?Sized>(&self, facts: &F, scratch: &mut Scratch) -> Vec<&K> {
        let (set, keys) = &*self.compiled;
        let compiled = set.all(facts, scratch).iter().map(|rule| *rule as usize);
        let compiled = compiled.filter(|place| !self.gone.contains(place));
        let mut found: Vec<&K> = compiled.filter_map(|place| keys.get(place)).collect();
        let added = self.added.iter().filter(|(_, when)| when.holds(facts));
        found.extend(added.map(|(key, _)| key));
        found.sort_unstable();
        found
    }
}
