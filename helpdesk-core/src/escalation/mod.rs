//! Escalation: who is on call, levels of support, and the steps that fetch
//! help when a ticket waits too long.
//!
//! It works without engine, store or runtime: the desk says what happened, and
//! gets changes, each with the whole standing after it.
//!
//! - [`oncall`], [`schedule::Schedule`]: who is on call at an instant.
//! - [`tier::enter`]: the level of support that a ticket comes to.
//! - [`check::check`]: everything that a desk defines for it, ready to be used.
//! - [`lint::lint`]: what looks like a mistake in it, such as a gap.
//! - [`policy::select`]: the policy of a ticket.
//! - [`signal::start`], [`signal::advance`], [`signal::follow`]: what happened to the ticket.
//! - [`run::fire`]: what came due. [`due::next_timer`]: what comes due next.
//! - [`command`]: what agents do to it.
//! - [`due::explain`]: when each step comes, or why it does not.
//!
//! Source: spec/sla.md, "Escalation".

pub mod oncall;
pub mod rotation;
pub mod schedule;
pub mod tier;
pub mod step;
pub mod policy;
pub mod check;
pub mod lint;
pub mod reason;
pub mod scene;
pub mod resolve;
mod hand_over;
pub mod chain;
pub mod due;
pub mod run;
pub mod command;
pub mod signal;

#[cfg(test)]
mod tests;
