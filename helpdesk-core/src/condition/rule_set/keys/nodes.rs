//! Conditions as nodes of tests on keys; the keys are made as they are met.

use super::super::NO_KEY;
use super::super::literals;
use super::super::program::{Node, Probe};
use super::super::word_map::WordMap;
use super::{Keys, SHORT_LIST, Values, new_key, place};
use crate::condition::ast::{
    BooleanTest, ChoiceTest, Condition, Leaf, NumberTest, SetTest, Test, TextTest,
};
use crate::condition::field::Field;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Lists up to this length are tests of their own, key by key.
const TINY_LIST: usize = 4;

impl Keys {
    /// A condition as a node of tests on these keys.
    pub(in super::super) fn node(&mut self, condition: &Condition) -> Node {
        match condition {
            Condition::Always => Node::True,
            Condition::Never => Node::False,
            Condition::All(children) => Node::all(self.nodes(children)),
            Condition::Any(children) => Node::any(self.nodes(children)),
            Condition::Not(child) => self.node(child).negated(),
            Condition::Leaf(leaf) => self.leaf_node(leaf),
        }
    }

    fn nodes(&mut self, conditions: &[Condition]) -> Vec<Node> {
        conditions.iter().map(|condition| self.node(condition)).collect()
    }

    fn leaf_node(&mut self, leaf: &Leaf) -> Node {
        let field = &leaf.field;
        match &leaf.test {
            Test::Present(wanted) => {
                let key = Node::from(Probe::Key(self.present_key(field)));
                if *wanted { key } else { key.negated() }
            }
            Test::Choice(test) => self.choice(leaf, test, |keys, value| {
                value_key(&mut keys.choices, field, value, &mut keys.shares)
            }),
            Test::Id(test) => self.choice(leaf, test, |keys, id| keys.id_key(field, *id)),
            Test::Set(test) => self.set(field, test),
            Test::Text(test) => self.text(leaf, test),
            Test::Number(test) => self.number(field, test),
            Test::Boolean(test) => {
                let (wanted, is_not) = match test {
                    BooleanTest::Is(wanted) => (*wanted, false),
                    BooleanTest::IsNot(other) => (*other, true),
                };
                let key = Node::from(Probe::Key(self.boolean_key(field, wanted)));
                if is_not { key.negated() } else { key }
            }
            Test::Instant(_) | Test::Hours(_) | Test::Clock(_) => self.asked_leaf(leaf),
        }
    }

    fn choice<T: Ord>(
        &mut self,
        leaf: &Leaf,
        test: &ChoiceTest<T>,
        mut key: impl FnMut(&mut Self, &T) -> u32,
    ) -> Node {
        match test {
            ChoiceTest::Is(wanted) => Node::from(Probe::Key(key(self, wanted))),
            ChoiceTest::IsNot(other) => Node::from(Probe::Key(key(self, other))).negated(),
            ChoiceTest::In(wanted) => {
                let all = wanted.iter().map(|wanted| key(self, wanted)).collect();
                self.one_choice_of(all, leaf, true)
            }
            ChoiceTest::NotIn(others) => {
                let all = others.iter().map(|other| key(self, other)).collect();
                self.one_choice_of(all, leaf, false).negated()
            }
        }
    }

    fn set(&mut self, field: &Field, test: &SetTest) -> Node {
        let (SetTest::HasAny(members) | SetTest::HasAll(members) | SetTest::HasNone(members)) =
            test;
        let (sets, shares) = (&mut self.sets, &mut self.shares);
        let keys = members.iter().map(|member| value_key(sets, field, member, shares));
        let keys: Vec<u32> = keys.collect();
        match test {
            SetTest::HasAny(_) => self.one_of(keys),
            SetTest::HasNone(_) => self.one_of(keys).negated(),
            SetTest::HasAll(_) => Node::all(keys.into_iter().map(|key| Probe::Key(key).into())),
        }
    }

    fn text(&mut self, leaf: &Leaf, test: &TextTest) -> Node {
        let field = &leaf.field;
        match test {
            TextTest::HasWord(phrases) => {
                let keys = phrases.iter().map(|it| self.texts.phrase(field, it, &mut self.shares));
                let keys = keys.collect();
                self.one_of(keys)
            }
            TextTest::HasAllWords(phrases) => {
                let keys = phrases.iter().map(|it| self.texts.phrase(field, it, &mut self.shares));
                Node::all(keys.map(|key| Probe::Key(key).into()).collect::<Vec<_>>())
            }
            TextTest::Is(whole) => {
                Probe::Key(self.texts.whole(field, whole.folded(), &mut self.shares)).into()
            }
            TextTest::IsNot(whole) => {
                let key = self.texts.whole(field, whole.folded(), &mut self.shares);
                Node::from(Probe::Key(key)).negated()
            }
            TextTest::Contains(part) if !part.folded().is_empty() => {
                Probe::Part(self.texts.part(field, part.folded(), &mut self.shares)).into()
            }
            TextTest::StartsWith(part) | TextTest::EndsWith(part) if !part.folded().is_empty() => {
                let part = self.texts.part(field, part.folded(), &mut self.shares);
                Node::all([Probe::Part(part).into(), self.asked_leaf(leaf)])
            }
            TextTest::Matches(pattern) => {
                let Some(required) = literals::required(pattern.regex().as_str()) else {
                    return self.asked_leaf(leaf);
                };
                let parts = required.parts.iter();
                let tests = parts.map(|part| self.texts.part(field, part, &mut self.shares));
                let tests: Vec<u32> = tests.collect();
                let asked = self.asked_number(Condition::Leaf(leaf.clone()));
                if let Some(reach) = required.reach {
                    self.asked[asked as usize].1 = self.texts.near(&tests, reach);
                }
                let parts = tests.into_iter().map(|test| Probe::Part(test).into());
                Node::all([Node::any(parts), Probe::Asked(asked).into()])
            }
            TextTest::Contains(_) | TextTest::StartsWith(_) | TextTest::EndsWith(_) => {
                self.asked_leaf(leaf)
            }
        }
    }

    fn number(&mut self, field: &Field, test: &NumberTest) -> Node {
        let number = place(&mut self.numbers, |own| own == field, || field.clone());
        self.range_tests.push((number as u32, test.clone()));
        Probe::Range(self.range_tests.len() as u32 - 1).into()
    }

    /// A test that no key stands for.
    fn asked_leaf(&mut self, leaf: &Leaf) -> Node {
        Probe::Asked(self.asked_number(Condition::Leaf(leaf.clone()))).into()
    }

    /// A condition that is asked as a whole.
    pub(in super::super) fn asked_node(&mut self, condition: &Condition) -> Node {
        Probe::Asked(self.asked_number(condition.clone())).into()
    }

    /// The same condition is asked once.
    fn asked_number(&mut self, condition: Condition) -> u32 {
        let (asked, next) = (&mut self.asked, self.asked_numbers.len() as u32);
        *self.asked_numbers.entry(condition.to_json().to_string()).or_insert_with(|| {
            asked.push((condition, None));
            next
        })
    }

    fn one_choice_of(&mut self, keys: Vec<u32>, leaf: &Leaf, wanted: bool) -> Node {
        let node = self.one_of(keys);
        if let Node::Probe { probe: Probe::Any(list), .. } = node
            && self.lists.get(list).len() > SHORT_LIST
        {
            let asked = self.asked_number(Condition::Leaf(leaf.clone()));
            self.lists.asked[list as usize] = Some((asked, wanted));
        }
        node
    }

    fn one_of(&mut self, mut keys: Vec<u32>) -> Node {
        keys.sort_unstable();
        keys.dedup();
        match keys.as_slice() {
            short if short.len() <= TINY_LIST => {
                Node::any(short.iter().map(|key| Probe::Key(*key).into()))
            }
            _ => Probe::Any(self.lists.intern(keys)).into(),
        }
    }

    fn id_key(&mut self, field: &Field, id: Uuid) -> u32 {
        let at = place(&mut self.ids, |(own, _)| own == field, || (field.clone(), BTreeMap::new()));
        let shares = &mut self.shares;
        *self.ids[at].1.entry(id).or_insert_with(|| new_key(shares, 0.02))
    }

    fn boolean_key(&mut self, field: &Field, wanted: bool) -> u32 {
        let at =
            place(&mut self.booleans, |(own, _)| own == field, || (field.clone(), [NO_KEY; 2]));
        let key = &mut self.booleans[at].1[usize::from(wanted)];
        if *key == NO_KEY {
            *key = new_key(&mut self.shares, 0.5);
        }
        *key
    }

    fn present_key(&mut self, field: &Field) -> u32 {
        let shares = &mut self.shares;
        let at = place(
            &mut self.present,
            |(leaf, _)| leaf.field == *field,
            || {
                let leaf = Leaf { field: field.clone(), test: Test::Present(true) };
                (leaf, new_key(shares, 0.6))
            },
        );
        self.present[at].1
    }
}

/// The key of a value of a field; its share shows when all values are known.
fn value_key(all: &mut Vec<Values>, field: &Field, value: &str, shares: &mut Vec<f32>) -> u32 {
    let at = place(
        all,
        |own| own.field == *field,
        || Values { field: field.clone(), words: WordMap::default(), keys: Vec::new() },
    );
    let values = &mut all[at];
    let number = values.words.intern(value) as usize;
    if number == values.keys.len() {
        values.keys.push(new_key(shares, 0.0));
    }
    values.keys[number]
}
