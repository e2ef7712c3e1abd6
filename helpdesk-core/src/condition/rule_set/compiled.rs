//! Things that each have a condition, asked together.

use super::{RuleSet, Scratch};
use crate::condition::ast::Condition;
use crate::condition::facts::Facts;
use std::ops::Deref;

/// Things in the order in which they are tried, and their conditions compiled: rules,
/// policies. A list of them otherwise.
#[derive(Debug, Clone)]
pub struct Compiled<T> {
    things: Vec<T>,
    rules: RuleSet,
}

impl<T> Compiled<T> {
    /// Compiles what `when` shows of each.
    #[must_use]
    pub fn new(things: Vec<T>, when: impl Fn(&T) -> &Condition) -> Self {
        let rules = RuleSet::new(things.iter().map(when));
        Self { things, rules }
    }

    /// The first that is accepted and whose condition holds, and its place.
    pub fn find<F: Facts + ?Sized>(
        &self,
        facts: &F,
        scratch: &mut Scratch,
        accept: impl Fn(&T) -> bool,
    ) -> Option<(usize, &T)> {
        let accept = |place: usize| self.things.get(place).is_some_and(&accept);
        let place = self.rules.find(0, facts, scratch, accept)?;
        Some((place, self.things.get(place)?))
    }

    /// The places of all whose condition holds, in order.
    pub fn all<'s, F: Facts + ?Sized>(&self, facts: &F, scratch: &'s mut Scratch) -> &'s [u32] {
        self.rules.all(facts, scratch)
    }
}

impl<T> Default for Compiled<T> {
    fn default() -> Self {
        Self { things: Vec::new(), rules: RuleSet::default() }
    }
}

impl<T> Deref for Compiled<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.things
    }
}

/// Equal with the same things in the same order.
impl<T: PartialEq> PartialEq for Compiled<T> {
    fn eq(&self, other: &Self) -> bool {
        self.things == other.things
    }
}
