//! The rules of a help desk as pure functions.
//!
//! No clock, no randomness, no I/O, no `async`: time and ids are arguments,
//! and everything that happens is data. Hosts use the `helpdesk` crate; hosts
//! that want only the routing use the `condition` and `routing` modules of this one.

pub mod condition;
pub mod fault;
pub mod id;
pub mod limit;
