//! Which cases a list or a count takes: the same test for every backend.

use crate::order::on_shelf;
use crate::{CountBy, CountQuery, ListQuery, Result, Shelf};
use chrono::{DateTime, Utc};
use helpdesk_core::access::scope::Scope;
use helpdesk_core::case::Case;
use helpdesk_core::case::facts::{Around, holds};
use helpdesk_core::condition::{ChoiceTest, Condition, FactNeeds, Field, Terms, Test};
use helpdesk_core::contact::{Contact, Organization};
use helpdesk_core::id::{AgentId, ContactId, Key, OrganizationId, TicketId};
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::status::StatusCategory;
use std::borrow::Cow;

/// Where the things around a ticket are found.
pub(crate) trait Related {
    /// A contact.
    fn contact(&self, id: ContactId) -> Result<Option<Cow<'_, Contact>>>;
    /// An organization.
    fn organization(&self, id: OrganizationId) -> Result<Option<Cow<'_, Organization>>>;
    /// The text of a message.
    fn text(&self, ticket: TicketId, seq: u32) -> Result<Option<Cow<'_, str>>>;
}

/// What a list or a count wants of cases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    shelf: Shelf,
    scope: &'a Scope,
    condition: &'a Condition,
    now: DateTime<Utc>,
    terms: &'a Terms,
    needs: FactNeeds,
}

impl<'a> Wanted<'a> {
    pub(crate) fn of_list(query: &'a ListQuery, shelf: Shelf) -> Self {
        let ListQuery { scope, condition, now, terms, .. } = query;
        Self { shelf, scope, condition, now: *now, terms, needs: condition.needs() }
    }

    pub(crate) fn of_count(query: &'a CountQuery) -> Self {
        let CountQuery { shelf, scope, condition, now, terms, .. } = query;
        let needs = condition.needs();
        Self { shelf: *shelf, scope, condition, now: *now, terms, needs }
    }

    /// What the condition looks at beside the case.
    #[cfg(feature = "postgres")]
    pub(crate) fn needs(self) -> FactNeeds {
        self.needs
    }

    /// Whether shelf and scope say it all.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_unconditional(self) -> bool {
        matches!(self.condition, Condition::Always)
    }

    /// Whether only unsolved cases are wanted, as far as the condition shows it.
    pub(crate) fn is_for_unsolved(self) -> bool {
        is_for_unsolved(self.condition)
    }

    /// The one agent whose cases alone are wanted, as far as the condition shows it.
    pub(crate) fn held_by(self) -> Option<AgentId> {
        held_by(self.condition)
    }

    /// Whether this case is wanted.
    pub(crate) fn takes(self, case: &Case, related: &impl Related) -> Result<bool> {
        if !on_shelf(self.shelf, &case.ticket) || !self.scope.permits(&case.ticket) {
            return Ok(false);
        }
        self.condition_holds(case, related)
    }

    /// Loads what the condition looks at, and nothing else.
    fn condition_holds(self, case: &Case, related: &impl Related) -> Result<bool> {
        let ticket = &case.ticket;
        let requester = match self.needs.requester {
            true => related.contact(ticket.requester)?,
            false => None,
        };
        let organization = match ticket.organization {
            Some(id) if self.needs.organization => related.organization(id)?,
            _ => None,
        };
        let body = match ticket.newest_public_seq {
            seq if seq > 0 && self.needs.body => related.text(ticket.id, seq)?,
            _ => None,
        };
        let around = Around {
            requester: requester.as_deref(),
            organization: organization.as_deref(),
            body: body.as_deref(),
            clocks: Some(case),
        };
        Ok(holds(self.condition, ticket, around, self.now, self.terms))
    }
}

/// Whether a condition on a status category takes this one.
pub(crate) fn takes_category(test: &ChoiceTest<String>, category: StatusCategory) -> bool {
    let word = category.as_str();
    match test {
        ChoiceTest::Is(value) => value == word,
        ChoiceTest::In(values) => values.contains(word),
        ChoiceTest::IsNot(value) => value != word,
        ChoiceTest::NotIn(values) => !values.contains(word),
    }
}

/// Whether a condition can be seen to hold on unsolved tickets only.
fn is_for_unsolved(condition: &Condition) -> bool {
    match condition {
        Condition::Always | Condition::Not(_) => false,
        Condition::Never => true,
        Condition::All(parts) => parts.iter().any(is_for_unsolved),
        Condition::Any(parts) => parts.iter().all(is_for_unsolved),
        Condition::Leaf(leaf) => match (leaf.field(), leaf.test()) {
            (Field::StatusCategory, Test::Choice(test)) => StatusCategory::ALL
                .into_iter()
                .all(|category| category.is_unsolved() || !takes_category(test, category)),
            _ => false,
        },
    }
}

/// The one agent on whose tickets a condition can be seen to hold only.
fn held_by(condition: &Condition) -> Option<AgentId> {
    match condition {
        Condition::All(parts) => parts.iter().find_map(held_by),
        Condition::Leaf(leaf) => match (leaf.field(), leaf.test()) {
            (Field::Assignee, Test::Id(ChoiceTest::Is(id))) => Some(AgentId(*id)),
            _ => None,
        },
        _ => None,
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
