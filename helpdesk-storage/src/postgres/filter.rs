//! Scopes, shelves, conditions and orders as SQL on the columns of the ticket table.
//!
//! What is pushed down only narrows the rows that are looked at: each one is
//! tested again, so a filter that lets too much through is slow, never wrong.

use super::columns::{DELETED, LIVE, SPAM, small};
use super::query::Query;
use crate::matching::takes_category;
use crate::order::{self, Place, SortValue, category_rank, column, is_optional, priority_rank};
use crate::{Direction, Order, OrderBy, Shelf};
use helpdesk_core::access::scope::Filter;
use helpdesk_core::condition::{ChoiceTest, Condition, Field, Leaf, Test};
use helpdesk_core::id::TenantId;
use helpdesk_core::ticket::priority::Priority;
use helpdesk_core::ticket::status::StatusCategory;
use std::collections::BTreeSet;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// The text of a `WHERE`, in the making.
#[derive(Debug)]
pub(super) struct Where {
    pub(super) text: String,
    pub(super) query: Query,
}

impl Where {
    /// The tickets of a tenant on a shelf.
    pub(super) fn new(tenant: TenantId, shelf: Shelf) -> Self {
        let mut query = Query::once();
        let tenant = query.bind(tenant.0, Type::UUID);
        let mut it = Self { text: format!("tenant_id = {tenant}"), query };
        let shelf = match shelf {
            Shelf::Live => LIVE,
            Shelf::Spam => SPAM,
            Shelf::Deleted => DELETED,
            Shelf::All => return it,
        };
        it.text += &format!(" AND shelf = {shelf}");
        it
    }

    /// Only those in the scope; exactly.
    pub(super) fn and_scope(&mut self, filter: &Filter) {
        if *filter != Filter::Always {
            let text = self.filter(filter);
            self.text += &format!(" AND {text}");
        }
    }

    /// Only those for which the condition may hold.
    pub(super) fn and_condition(&mut self, condition: &Condition) {
        if let Some(text) = self.narrow(condition) {
            self.text += &format!(" AND {text}");
        }
    }

    /// Only those after a place in an order.
    pub(super) fn and_after(&mut self, order: Order, place: &Place) {
        let (than, than_or_is) = match order.direction {
            Direction::Ascending => (">", ">="),
            Direction::Descending => ("<", "<="),
        };
        let id = self.query.bind(place.id, Type::UUID);
        let column = column(order.by);
        self.text += &match &place.value {
            SortValue::Unset => format!(" AND {column} IS NULL AND id > {id}"),
            SortValue::Int(value) => {
                let value = match order.by {
                    OrderBy::Priority => self.query.bind(small(*value), Type::INT2),
                    _ => self.query.bind(*value, Type::INT8),
                };
                let rest = format!("({column} {than} {value} OR id > {id})");
                let after = format!("{column} {than_or_is} {value} AND {rest}");
                match is_optional(order.by) {
                    true => format!(" AND ({column} IS NULL OR ({after}))"),
                    false => format!(" AND {after}"),
                }
            }
            SortValue::Status(rank, status) => {
                let rank = self.query.bind(small(*rank), Type::INT2);
                // No cursor of ours has one, and no value of a statement may.
                let status = self.query.bind(status.replace('\0', ""), Type::TEXT);
                format!(
                    " AND (status_category {than} {rank} OR (status_category = {rank} AND \
                     (status {than} {status} OR (status = {status} AND id > {id}))))"
                )
            }
        };
    }

    fn filter(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Never => "false".to_owned(),
            Filter::Always => "true".to_owned(),
            Filter::RequesterIs(id) => self.is_id("requester_id", id.0),
            Filter::ParticipantIs(id) => {
                let id = self.query.bind(id.0, Type::UUID);
                format!(
                    "(requester_id = {id} OR (copied_ids IS NOT NULL AND {id} = ANY(copied_ids)))"
                )
            }
            Filter::OrganizationIn(ids) => {
                self.is_one_id("organization_id", ids.iter().map(|id| id.0).collect())
            }
            Filter::GroupIn(keys) => {
                let keys = keys.iter().map(|key| key.as_str().to_owned());
                self.is_one_word("group_key", keys.collect())
            }
            Filter::GroupUnset => "group_key IS NULL".to_owned(),
            Filter::AssigneeIs(id) => self.is_id("assignee_id", id.0),
            Filter::All(parts) => self.joined(parts, " AND ", "true"),
            Filter::Any(parts) => self.joined(parts, " OR ", "false"),
        }
    }

    fn joined(&mut self, parts: &[Filter], by: &str, of_none: &str) -> String {
        if parts.is_empty() {
            return of_none.to_owned();
        }
        let parts: Vec<String> = parts.iter().map(|part| self.filter(part)).collect();
        format!("({})", parts.join(by))
    }

    fn is_id(&mut self, column: &str, id: Uuid) -> String {
        format!("{column} = {}", self.query.bind(id, Type::UUID))
    }

    fn is_one_id(&mut self, column: &str, ids: Vec<Uuid>) -> String {
        format!("{column} = ANY({})", self.query.bind(ids, Type::UUID_ARRAY))
    }

    fn is_one_word(&mut self, column: &str, words: Vec<String>) -> String {
        // No word of a column has one, and no value of a statement may.
        let words: Vec<String> = words.into_iter().filter(|word| !word.contains('\0')).collect();
        format!("{column} = ANY({})", self.query.bind(words, Type::TEXT_ARRAY))
    }

    /// A test that every case passes for which the condition holds; `None` for one
    /// that would let all through.
    fn narrow(&mut self, condition: &Condition) -> Option<String> {
        match condition {
            Condition::Always | Condition::Not(_) => None,
            Condition::Never => Some("false".to_owned()),
            Condition::All(parts) => {
                let parts: Vec<String> = parts.iter().filter_map(|it| self.narrow(it)).collect();
                (!parts.is_empty()).then(|| format!("({})", parts.join(" AND ")))
            }
            Condition::Any(parts) if parts.is_empty() => Some("false".to_owned()),
            Condition::Any(parts) => {
                let parts: Option<Vec<String>> = parts.iter().map(|it| self.narrow(it)).collect();
                parts.map(|parts| format!("({})", parts.join(" OR ")))
            }
            Condition::Leaf(leaf) => self.leaf(leaf),
        }
    }

    fn leaf(&mut self, leaf: &Leaf) -> Option<String> {
        let column = match leaf.field() {
            Field::StatusCategory => return of_category(leaf.test()),
            Field::Priority => return self.of_priority(leaf.test()),
            Field::Status => "status",
            Field::Group => "group_key",
            Field::Assignee => "assignee_id",
            Field::Requester => "requester_id",
            Field::Organization => "organization_id",
            _ => return None,
        };
        match leaf.test() {
            Test::Present(true) => Some(format!("{column} IS NOT NULL")),
            Test::Present(false) => Some(format!("{column} IS NULL")),
            Test::Choice(test) => {
                let words = one_of(test)?;
                Some(self.is_one_word(column, words.into_iter().collect()))
            }
            Test::Id(test) => {
                let ids = one_of(test)?;
                Some(self.is_one_id(column, ids.into_iter().collect()))
            }
            _ => None,
        }
    }

    fn of_priority(&mut self, test: &Test) -> Option<String> {
        match test {
            Test::Present(true) => Some("priority IS NOT NULL".to_owned()),
            Test::Present(false) => Some("priority IS NULL".to_owned()),
            Test::Choice(test) => {
                let words = one_of(test)?;
                let known = words.iter().filter_map(|word| Priority::from_word(word));
                let ranks: Vec<i16> = known.map(|it| small(priority_rank(it))).collect();
                Some(format!("priority = ANY({})", self.query.bind(ranks, Type::INT2_ARRAY)))
            }
            _ => None,
        }
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

/// Every ticket has a category, so a negated test names the others.
fn of_category(test: &Test) -> Option<String> {
    let Test::Choice(test) = test else { return None };
    let takes = |category: &StatusCategory| takes_category(test, *category);
    let ranks: Vec<i64> =
        StatusCategory::ALL.into_iter().filter(takes).map(category_rank).collect();
    let waiting = [StatusCategory::New, StatusCategory::Open].map(category_rank);
    // In the words of the index on waiting tickets, so that it is used.
    if !ranks.is_empty() && ranks.iter().all(|rank| waiting.contains(rank)) {
        return Some("status_category <= 1".to_owned());
    }
    if ranks.is_empty() {
        return Some("false".to_owned());
    }
    let ranks: Vec<String> = ranks.iter().map(ToString::to_string).collect();
    Some(format!("status_category IN ({})", ranks.join(", ")))
}

/// The `ORDER BY` of an order.
pub(super) fn order_by(order: Order) -> String {
    order::order_by(order, |column, way| format!("{column} {way} NULLS LAST"))
}
