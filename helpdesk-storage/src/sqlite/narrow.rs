//! Conditions as SQL, as far as columns say what they ask.
//!
//! What comes out holds for every case for which the condition holds, and maybe
//! for more; it says which. Where it may, each row is tested again, so it is never
//! wrong, only fast or slow.

use crate::matching::takes_category;
use crate::order::{category_rank, priority_rank};
use helpdesk_core::condition::{ChoiceTest, Condition, Field, Leaf, Test};
use helpdesk_core::ticket::priority::Priority;
use helpdesk_core::ticket::status::StatusCategory;
use rusqlite::types::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Values in one test; a wider one is left to the rows.
const VALUES_MAX: usize = 100;

/// A SQL test.
#[derive(Debug)]
pub(super) struct Narrow {
    /// Its text.
    pub(super) sql: String,
    /// The values of its marks.
    pub(super) values: Vec<Value>,
    /// Whether no case passes it for which the condition does not hold.
    pub(super) is_exact: bool,
}

impl Narrow {
    fn exact(sql: String, values: Vec<Value>) -> Self {
        Self { sql, values, is_exact: true }
    }
}

/// A test that every case passes for which the condition holds; `None` for one
/// that would let all through.
pub(super) fn narrow(condition: &Condition) -> Option<Narrow> {
    match condition {
        Condition::Always | Condition::Not(_) => None,
        Condition::Never => Some(Narrow::exact("0".to_owned(), Vec::new())),
        Condition::All(parts) => {
            let asks = |part: &Condition| !matches!(part, Condition::Always);
            let n_asking = parts.iter().filter(|part| asks(part)).count();
            let parts: Vec<Narrow> = parts.iter().filter_map(narrow).collect();
            let is_whole = parts.len() == n_asking;
            (!parts.is_empty()).then(|| joined(parts, " AND ", is_whole))
        }
        Condition::Any(parts) if parts.is_empty() => {
            Some(Narrow::exact("0".to_owned(), Vec::new()))
        }
        Condition::Any(parts) => {
            let parts: Option<Vec<Narrow>> = parts.iter().map(narrow).collect();
            parts.map(|parts| joined(parts, " OR ", true))
        }
        Condition::Leaf(leaf) => of_leaf(leaf),
    }
}

fn joined(parts: Vec<Narrow>, by: &str, is_whole: bool) -> Narrow {
    let is_exact = is_whole && parts.iter().all(|part| part.is_exact);
    let (texts, values): (Vec<String>, Vec<Vec<Value>>) =
        parts.into_iter().map(|part| (part.sql, part.values)).unzip();
    Narrow { sql: format!("({})", texts.join(by)), values: values.concat(), is_exact }
}

fn of_leaf(leaf: &Leaf) -> Option<Narrow> {
    let column = match leaf.field() {
        Field::StatusCategory => return of_category(leaf.test()),
        Field::Priority => return of_priority(leaf.test()),
        Field::Status => "status",
        Field::Group => "group_key",
        Field::Assignee => "assignee_id",
        Field::Requester => "requester_id",
        Field::Organization => "organization_id",
        _ => return None,
    };
    match leaf.test() {
        Test::Present(true) => Some(Narrow::exact(format!("{column} IS NOT NULL"), Vec::new())),
        Test::Present(false) => Some(Narrow::exact(format!("{column} IS NULL"), Vec::new())),
        Test::Choice(test) => is_in(column, one_of(test)?.into_iter().map(Value::Text).collect()),
        Test::Id(test) => is_in(column, one_of(test)?.into_iter().map(blob).collect()),
        _ => None,
    }
}

/// The values that a test names; `None` for a negated one.
fn one_of<T: Ord + Clone>(test: &ChoiceTest<T>) -> Option<BTreeSet<T>> {
    match test {
        ChoiceTest::Is(value) => Some(BTreeSet::from([value.clone()])),
        ChoiceTest::In(values) => Some(values.clone()),
        ChoiceTest::IsNot(_) | ChoiceTest::NotIn(_) => None,
    }
}

fn is_in(column: &str, values: Vec<Value>) -> Option<Narrow> {
    if values.len() > VALUES_MAX {
        return None;
    }
    let marks = vec!["?"; values.len()].join(", ");
    Some(Narrow::exact(format!("{column} IN ({marks})"), values))
}

/// Every ticket has a category, so a negated test names the others.
fn of_category(test: &Test) -> Option<Narrow> {
    let Test::Choice(test) = test else { return None };
    let takes = |category: &StatusCategory| takes_category(test, *category);
    let ranks: Vec<i64> =
        StatusCategory::ALL.into_iter().filter(takes).map(category_rank).collect();
    let waiting = [StatusCategory::New, StatusCategory::Open].map(category_rank);
    let are_waiting = !ranks.is_empty() && ranks.iter().all(|rank| waiting.contains(rank));
    let words: Vec<String> = ranks.iter().map(ToString::to_string).collect();
    let mut sql = format!("status_category IN ({})", words.join(", "));
    if are_waiting {
        // In the words of the index on waiting tickets, so that it is used.
        sql = match ranks.len() == waiting.len() {
            true => "status_category <= 1".to_owned(),
            false => format!("(status_category <= 1 AND {sql})"),
        };
    }
    Some(Narrow::exact(sql, Vec::new()))
}

fn of_priority(test: &Test) -> Option<Narrow> {
    let column = "priority";
    match test {
        Test::Present(true) => Some(Narrow::exact(format!("{column} IS NOT NULL"), Vec::new())),
        Test::Present(false) => Some(Narrow::exact(format!("{column} IS NULL"), Vec::new())),
        Test::Choice(test) => {
            let words = one_of(test)?;
            let known = words.iter().filter_map(|word| Priority::from_word(word));
            is_in(column, known.map(|it| Value::Integer(priority_rank(it))).collect())
        }
        _ => None,
    }
}

fn blob(id: Uuid) -> Value {
    Value::Blob(id.as_bytes().to_vec())
}
