//! What a chain looks at.

use super::policy::Escalations;
use crate::agent::Roster;
use crate::clock::Clock;
use crate::condition::{Facts, Schema};
use crate::id::Key;
use crate::sla::signal::CalendarRevisions;
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fmt;

/// A ticket and its desk, as escalation sees them at one instant: after what
/// happened there, so after the ticket's clocks have heard of it.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// What the desk defines for escalation, now.
    pub escalations: &'a Escalations,
    /// What conditions may name, now.
    pub schema: &'a Schema,
    /// The desk's calendars.
    pub calendars: &'a CalendarRevisions,
    /// The group of each queue.
    pub queue_groups: &'a BTreeMap<Key, Key>,
    /// The agents.
    pub roster: &'a Roster,
    /// The ticket.
    pub ticket: &'a Ticket,
    /// The ticket's tier, or else that of its group.
    pub tier: Option<&'a Key>,
    /// Since when the ticket has no assignee; `None` while it has one.
    pub unassigned_since: Option<DateTime<Utc>>,
    /// Its clocks: the newest cycle of each metric.
    pub clocks: &'a [Clock],
    /// Its facts, for conditions.
    pub facts: &'a dyn Facts,
}

impl fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").field("ticket", &self.ticket.id).finish_non_exhaustive()
    }
}
