//! SLA clocks: which targets a ticket has, and what its clocks do.
//!
//! A [`Metric`](metric::Metric) says as data when a clock starts, stops, pauses;
//! a [`SlaPolicy`](policy::SlaPolicy) gives targets; a [`Signal`](signal::Signal)
//! is what happens to the ticket. [`advance`](step::advance) turns clocks and a
//! signal into changes, [`fire`](fire::fire) turns a due timer into one. Both
//! are pure: what they give is applied by [`clock::apply`](crate::clock::apply).
//! Each works without engine, store or runtime, as [`replay`](replay::replay) shows.
//!
//! - [`def`], [`presets`]: metrics as configuration, and those of known products.
//! - [`policy::pick`]: the policy of a ticket.
//! - [`check::check`]: configuration to [`SlaRules`](check::SlaRules), every fault at once.
//!
//! Source: spec/sla.md, "Clocks".

pub mod def;
pub mod signal;
pub mod metric;
pub mod policy;
pub mod presets;
pub mod check;
pub mod count;
pub mod schedule;
mod retarget;
pub mod step;
pub mod fire;
pub mod replay;

#[cfg(test)]
mod tests;
