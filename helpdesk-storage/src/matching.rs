//! Which cases a list or a count takes: the same test for every backend.

use crate::order::on_shelf;
use crate::{CountBy, CountQuery, ListQuery, Result, Shelf};
use chrono::{DateTime, Utc};
use helpdesk_core::access::scope::Scope;
use helpdesk_core::case::Case;
use helpdesk_core::condition::Condition;
use helpdesk_core::id::Key;
use helpdesk_core::ticket::Ticket;

/// What a list or a count wants of cases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) shelf: Shelf,
    pub(crate) scope: &'a Scope,
    pub(crate) condition: &'a Condition,
    pub(crate) now: DateTime<Utc>,
}

impl<'a> Wanted<'a> {
    pub(crate) fn of_list(query: &'a ListQuery, shelf: Shelf) -> Self {
        Self { shelf, scope: &query.scope, condition: &query.condition, now: query.now }
    }

    pub(crate) fn of_count(query: &'a CountQuery) -> Self {
        let CountQuery { shelf, scope, condition, now, .. } = query;
        Self { shelf: *shelf, scope, condition, now: *now }
    }

    /// Whether shelf and scope say it all.
    pub(crate) fn is_unconditional(self) -> bool {
        matches!(self.condition, Condition::Always)
    }

    /// Whether this case is wanted.
    pub(crate) fn takes(self, case: &Case) -> Result<bool> {
        if !on_shelf(self.shelf, &case.ticket) || !self.scope.permits(&case.ticket) {
            return Ok(false);
        }
        condition_holds(self.condition, case, self.now)
    }
}

/// Whether the condition holds on a case at `now`.
fn condition_holds(condition: &Condition, _case: &Case, _now: DateTime<Utc>) -> Result<bool> {
    match condition {
        Condition::Always => Ok(true),
    }
}

/// The group of a ticket in a count.
pub(crate) fn group_of(by: CountBy, ticket: &Ticket) -> Option<String> {
    let text = |key: &Key| key.as_str().to_owned();
    match by {
        CountBy::Nothing => None,
        CountBy::Status => Some(text(&ticket.status)),
        CountBy::Assignee => ticket.assignee.map(|id| id.to_string()),
        CountBy::Group => ticket.group.as_ref().map(text),
        CountBy::Queue => ticket.queue.as_ref().map(text),
    }
}
