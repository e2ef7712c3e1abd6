//! The rules of a help desk as pure functions.
//!
//! No clock, no randomness, no I/O, no `async`: time and ids are arguments,
//! and everything that happens is data. Hosts use the `helpdesk` crate; hosts
//! that want only the routing use the `condition` and `routing` modules of this one.

mod bits;
pub mod instant;
pub mod limit;
pub mod fault;
pub mod id;
pub mod actor;
pub mod calendar;
pub mod ticket;
pub mod prediction;
pub mod retention;
pub mod contact;
pub mod agent;
pub mod article;
pub mod clock;
pub mod condition;
pub mod sla;
pub mod escalation;
pub mod event;
pub mod effect;
pub mod access;
pub mod view;
pub mod search_query;
pub mod routing;
pub mod automation;
pub mod desk;
pub mod intake;
pub mod report;
pub mod case;
pub mod trace;
pub mod command;
pub mod what_if;
pub mod query;
pub mod decide;
