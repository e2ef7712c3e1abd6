//! Where a ticket goes, and who gets it: rules, queues, stages, selection.
//!
//! This is the plain, obviously right form: rules are tried in order by
//! [`Condition::holds`](crate::condition::Condition::holds), agents are scanned.
//! It works without engine, store or runtime.

pub mod queue;
pub mod rules;
pub mod stage;
