//! Scopes, shelves and orders as SQL on the columns of the ticket table.
//!
//! What is pushed down narrows the rows that are looked at. Unless it says all that
//! was asked, each one is tested again, so a filter that lets too much through is
//! slow, never wrong.

use super::narrow::narrow;
use crate::order::{self, Place, SortValue, column, is_optional};
use crate::{Direction, Order, Shelf};
use helpdesk_core::access::scope::Filter;
use helpdesk_core::condition::Condition;
use helpdesk_core::id::TenantId;
use rusqlite::types::Value;
use uuid::Uuid;

/// Neither spam nor deleted.
pub(super) const LIVE: i64 = 0;
/// Spam that is not deleted.
pub(super) const SPAM: i64 = 1;
/// Deleted.
pub(super) const DELETED: i64 = 2;

/// Values in one filter; a wider one is tested row by row.
const VALUES_MAX: usize = 500;

/// The text of a `WHERE` and its values.
#[derive(Debug)]
pub(super) struct Where {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    /// Whether it says all that shelf, scope and condition do.
    pub(super) is_exact: bool,
}

impl Where {
    /// The tickets of a tenant on a shelf.
    pub(super) fn new(tenant: TenantId, shelf: Shelf) -> Self {
        let mut it = Self { sql: "tenant_id = ?".to_owned(), values: Vec::new(), is_exact: true };
        it.values.push(blob(tenant.0));
        let shelf = match shelf {
            Shelf::Live => LIVE,
            Shelf::Spam => SPAM,
            Shelf::Deleted => DELETED,
            Shelf::All => return it,
        };
        // Part of the text, not a value: few texts, each planned for its shelf.
        it.sql += &format!(" AND shelf = {shelf}");
        it
    }

    /// Only those in the scope.
    pub(super) fn and_scope(&mut self, filter: &Filter) {
        if *filter == Filter::Always {
            return;
        }
        if n_values(filter) > VALUES_MAX {
            self.is_exact = false;
            return;
        }
        self.sql += " AND ";
        self.filter(filter);
    }

    /// Only those for which the condition may hold.
    pub(super) fn and_condition(&mut self, condition: &Condition) {
        if let Some(narrow) = narrow(condition) {
            self.sql += &format!(" AND {}", narrow.sql);
            self.values.extend(narrow.values);
            self.is_exact &= narrow.is_exact;
        } else {
            self.is_exact &= matches!(condition, Condition::Always);
        }
    }

    /// Only those after a place in an order.
    pub(super) fn and_after(&mut self, order: Order, place: &Place) {
        let (than, than_or_is) = match order.direction {
            Direction::Ascending => (">", ">="),
            Direction::Descending => ("<", "<="),
        };
        let id = blob(place.id);
        match &place.value {
            SortValue::Unset => {
                self.sql += &format!(" AND {} IS NULL AND id > ?", column(order.by));
                self.values.push(id);
            }
            SortValue::Int(value) => {
                let column = column(order.by);
                let rest = format!("({column} {than} ? OR id > ?)");
                self.sql += &if is_optional(order.by) {
                    format!(" AND ({column} IS NULL OR ({column} {than_or_is} ? AND {rest}))")
                } else {
                    format!(" AND {column} {than_or_is} ? AND {rest}")
                };
                self.values.extend([Value::Integer(*value), Value::Integer(*value), id]);
            }
            SortValue::Status(rank, status) => {
                self.sql += &format!(
                    " AND (status_category {than} ? OR (status_category = ? AND \
                     (status {than} ? OR (status = ? AND id > ?))))"
                );
                let (rank, status) = (Value::Integer(*rank), Value::Text(status.clone()));
                self.values.extend([rank.clone(), rank, status.clone(), status, id]);
            }
        }
    }

    fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::Never => self.sql += "0",
            Filter::Always => self.sql += "1",
            Filter::RequesterIs(id) => self.test("requester_id = ?", blob(id.0)),
            Filter::ParticipantIs(id) => {
                // Finds an id across two others as well.
                self.is_exact = false;
                self.sql += "(requester_id = ? OR \
                             (copied_ids IS NOT NULL AND instr(copied_ids, ?) > 0))";
                self.values.extend([blob(id.0), blob(id.0)]);
            }
            Filter::OrganizationIn(ids) => {
                self.is_in("organization_id", ids.iter().map(|id| blob(id.0)).collect());
            }
            Filter::GroupIn(keys) => {
                let keys = keys.iter().map(|key| Value::Text(key.as_str().to_owned()));
                self.is_in("group_key", keys.collect());
            }
            Filter::GroupUnset => self.sql += "group_key IS NULL",
            Filter::AssigneeIs(id) => self.test("assignee_id = ?", blob(id.0)),
            Filter::All(parts) => self.joined(parts, " AND "),
            Filter::Any(parts) => self.joined(parts, " OR "),
        }
    }

    fn test(&mut self, sql: &str, value: Value) {
        self.sql += sql;
        self.values.push(value);
    }

    fn is_in(&mut self, column: &str, values: Vec<Value>) {
        let marks = vec!["?"; values.len()].join(", ");
        self.sql += &format!("{column} IN ({marks})");
        self.values.extend(values);
    }

    fn joined(&mut self, parts: &[Filter], by: &str) {
        self.sql.push('(');
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.sql += by;
            }
            self.filter(part);
        }
        self.sql.push(')');
    }
}

/// The `ORDER BY` of an order.
pub(super) fn order_by(order: Order) -> String {
    order::order_by(order, |column, way| format!("{column} IS NULL, {column} {way}"))
}

fn n_values(filter: &Filter) -> usize {
    match filter {
        Filter::OrganizationIn(ids) => ids.len(),
        Filter::GroupIn(keys) => keys.len(),
        Filter::All(parts) | Filter::Any(parts) => 1 + parts.iter().map(n_values).sum::<usize>(),
        Filter::Never
        | Filter::Always
        | Filter::RequesterIs(_)
        | Filter::ParticipantIs(_)
        | Filter::GroupUnset
        | Filter::AssigneeIs(_) => 1,
    }
}

fn blob(id: Uuid) -> Value {
    Value::Blob(id.as_bytes().to_vec())
}
