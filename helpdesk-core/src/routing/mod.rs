//! Where a ticket goes, and who gets it: rules, queues, stages, selection.
//!
//! It works without engine, store or runtime. Rules come in two forms that name the
//! same rule: compiled for many tickets ([`rules::RoutingRules`]), and plain, tried in
//! order by [`Condition::holds`](crate::condition::Condition::holds). Agents,
//! and waiting tickets, are scanned, or kept in indexes that answer the same
//! ([`agent_index::AgentIndex`], [`waiting_index::WaitingIndex`]).
//!
//! - [`rules::route`] and [`rules::RoutingRules::route`]: the queue of a ticket.
//! - [`stage::active_stages`]: whom its queue asks by now, and for what.
//! - [`select::choose`]: the agent who gets a ticket.
//! - [`next::next_ticket`]: the ticket that an agent with room gets.
//! - [`next::next_for`]: the ticket that an agent should solve next ("to solve").
//! - [`batch::assign_all`]: many tickets at once.
//! - [`usage::RuleCounter`]: how often each rule decided.
//!
//! Source: spec/routing.md, "Rules, queues, stages, agents" and "To solve".

pub mod queue;
pub mod rules;
pub mod stage;
pub mod eligible;
pub mod select;
pub mod trace;
pub mod agent_index;
pub mod next;
pub mod waiting_index;
pub mod batch;
pub mod usage;

#[cfg(test)]
pub(crate) mod tests;

use chrono::{DateTime, TimeDelta, Utc};

/// `seconds` after `at`; the end of time when that lies beyond it.
fn after(at: DateTime<Utc>, seconds: u64) -> DateTime<Utc> {
    if seconds == 0 {
        return at;
    }
    i64::try_from(seconds)
        .ok()
        .and_then(TimeDelta::try_seconds)
        .and_then(|length| at.checked_add_signed(length))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
