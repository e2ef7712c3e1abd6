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
//! # For hosts that want only this
//!
//! `examples/routing_only.rs` is the shortest program. A host that routes for long keeps:
//!
//! 1. **Rules and queues**, read from one document of `rules`, `queues`, `groups`, `skills`
//!    and `calendars` (`Desk::from_value`; it tells every fault with its spot, and
//!    `Desk::lint` what looks like a mistake), or made of parts
//!    ([`Condition::parse`](crate::condition::Condition::parse), [`rules::RoutingRules`]).
//!    Rules that are edited while tickets come in are
//!    [`LiveRules`](crate::condition::LiveRules).
//! 2. **Facts** of a ticket: a [`FactMap`](crate::condition::FactMap) of JSON, or
//!    [`Facts`](crate::condition::Facts) for a type of its own. One
//!    [`Scratch`](crate::condition::Scratch) for each thread; then matching allocates nothing.
//! 3. **A [`Roster`](crate::agent::Roster)**: agents, whether they are there, what they hold.
//!    Loads are the host's to keep: below is what a choice adds and an ended ticket takes
//!    away. From about a hundred agents on an [`agent_index::AgentIndex`] beside it.
//! 4. **Waiting tickets**: in any order for [`next::next_ticket`], or in a
//!    [`waiting_index::WaitingIndex`]. Whoever is freed, or comes online, is given the next.
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use helpdesk_core::agent::{AgentLoad, Roster, RosterEntry};
//! use helpdesk_core::desk::Desk;
//! use helpdesk_core::id::{AgentId, Key};
//! use helpdesk_core::routing::next::{ForAgent, Upcoming, next_ticket};
//! use helpdesk_core::routing::queue::n_given_kept;
//! use helpdesk_core::routing::select::{Ask, Choice, choose};
//! use helpdesk_core::ticket::{Ticket, priority::Channel, status::StatusPreset};
//! use serde_json::{from_value, json};
//! use uuid::Uuid;
//!
//! let now: DateTime<Utc> = DateTime::UNIX_EPOCH;
//! let desk = Desk::from_value(&json!({
//!     "groups": [{"key": "support"}],
//!     "queues": [{"key": "support", "group": "support", "mode": {"type": "assign"}}],
//! })).map_err(|faults| faults[0].to_string())?;
//! let ana = from_value(json!({
//!     "id": Uuid::from_u128(1), "name": "Ana", "roles": [], "groups": ["support"],
//!     "capacity": {"total": 1}, "active": true,
//! }))?;
//! let mut ana = RosterEntry::new(ana);
//! let online = json!({"status": "online", "state": "online", "since": now});
//! ana.presence.channels.insert(Channel::Email, from_value(online)?);
//! let mut roster = Roster::from_iter([ana]);
//!
//! let new = &StatusPreset::Zendesk.statuses()[0];
//! let ticket = |n: u128| -> Result<Ticket, Box<dyn std::error::Error>> {
//!     let (id, requester) = (Uuid::from_u128(n).into(), Uuid::from_u128(20).into());
//!     let number = format!("HD-{n}").parse()?;
//!     let mut ticket = Ticket::blank(id, number, requester, Channel::Email, new, now);
//!     ticket.queue = Some(Key::new("support")?);
//!     ticket.entered_queue_at = Some(now);
//!     Ok(ticket)
//! };
//! let (first, second) = (ticket(10)?, ticket(11)?);
//! let queue = desk.queue(&Key::new("support")?).ok_or("no queue")?;
//! let (calendars, affinity, seed) = (desk.calendars(), &[][..], desk.selection_seed());
//! let ask = |ticket: &Ticket, roster: &Roster| {
//!     choose(&Ask { queue, ticket, roster, calendars, affinity, now, seed })
//! };
//!
//! // What a choice adds to a load; with `QueueMode::Offer` to `reserved`, not `active`.
//! let n_kept = n_given_kept(desk.queues());
//! let give = |load: &mut AgentLoad, choice: &Choice| {
//!     load.note_given(now, n_kept);
//!     let load = load.channels.entry(choice.channel).or_default();
//!     load.active += choice.weight;
//!     load.last_assigned_at = Some(now);
//!     load.n_taken = load.n_taken.saturating_add(choice.n_taken_added);
//! };
//! let choice = ask(&first, &roster);
//! let chosen: AgentId = choice.chosen.ok_or("nobody")?;
//! let load = |roster: &mut Roster, change: &dyn Fn(&mut AgentLoad)| {
//!     roster.agents.get_mut(&chosen).into_iter().for_each(|entry| change(&mut entry.load));
//! };
//! load(&mut roster, &|load| give(load, &choice));
//! assert_eq!(ask(&second, &roster).chosen, None, "Ana has no room");
//!
//! // The first is solved: what waits longest goes to whoever was freed.
//! load(&mut roster, &|load| {
//!     load.channels.entry(Channel::Email).or_default().active -= choice.weight;
//! });
//! let waiting = [&second].map(|ticket| Upcoming {
//!     ticket, queue: Some(queue), offered_to: None, affinity, due_at: None,
//! });
//! let for_agent = ForAgent { agent: chosen, roster: &roster, calendars, now };
//! assert_eq!(next_ticket(waiting, &for_agent).map(|ticket| ticket.id), Some(second.id));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Why it came out so: [`select::Choice::sentences`] and [`rules::explain_route`].
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
