//! The course of a ticket: what its events came to.

use super::TicketResult;
use crate::clock::ClockNews;
use crate::event::{Event, RoutedBy};
use crate::id::{AgentId, Key};
use serde::Serialize;
use std::collections::BTreeSet;

/// Where a ticket was put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placed {
    /// The queue.
    pub queue: Key,
    /// Its group.
    pub group: Key,
    /// Why there.
    pub by: RoutedBy,
}

impl Placed {
    /// Whether the same decided, whatever the words that it found.
    #[must_use]
    pub fn is_by_the_same(&self, other: &Self) -> bool {
        match (&self.by, &other.by) {
            (RoutedBy::Rule { rule, .. }, RoutedBy::Rule { rule: other, .. }) => rule == other,
            (by, other) => by == other,
        }
    }
}

/// What has come of one ticket, event by event.
///
/// ```
/// use helpdesk_core::event::{Event, RoutedBy};
/// use helpdesk_core::id::Key;
/// use helpdesk_core::what_if::course::Course;
/// let mut course = Course::default();
/// for queue in ["billing", "support"] {
///     let queue = Key::new(queue)?;
///     course.see(&Event::Routed {
///         group: queue.clone(), queue, by: RoutedBy::DeskDefault,
///         entered_queue_at: chrono::DateTime::UNIX_EPOCH,
///         priority: None, ticket_type: None, tags: Vec::new(), skills: Vec::new(),
///     });
/// }
/// // The first place counts: it is what rules decide.
/// let placed = course.result().placed;
/// assert_eq!(placed.map(|placed| placed.queue.to_string()).as_deref(), Some("billing"));
/// # Ok::<(), helpdesk_core::fault::Fault>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Course {
    placed: Option<Placed>,
    is_unroutable: bool,
    first_agent: Option<AgentId>,
    /// Metric and cycle of each missed target.
    breaches: BTreeSet<(Key, u32)>,
}

impl Course {
    /// Takes the next event of the ticket.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::Routed { queue, group, by, .. }
                if self.placed.is_none() && !self.is_unroutable =>
            {
                let (queue, group, by) = (queue.clone(), group.clone(), by.clone());
                self.placed = Some(Placed { queue, group, by });
            }
            Event::Unroutable if self.placed.is_none() => self.is_unroutable = true,
            Event::Assigned { agent, .. } if self.first_agent.is_none() => {
                self.first_agent = Some(*agent);
            }
            Event::ClockChanged { change } => {
                let cycle = (change.clock.metric.clone(), change.clock.cycle);
                match change.news {
                    ClockNews::Breached { .. } | ClockNews::Missed => {
                        self.breaches.insert(cycle);
                    }
                    ClockNews::BreachRevised => {
                        self.breaches.remove(&cycle);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Whether no rule and no default took it at first.
    #[must_use]
    pub fn is_unroutable(&self) -> bool {
        self.is_unroutable
    }

    /// What it came to so far.
    #[must_use]
    pub fn result(&self) -> TicketResult {
        let mut result = TicketResult {
            placed: self.placed.clone(),
            first_agent: self.first_agent,
            ..TicketResult::default()
        };
        for (metric, _) in &self.breaches {
            *result.breaches.entry(metric.clone()).or_default() += 1;
        }
        result
    }
}
