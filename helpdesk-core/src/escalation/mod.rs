//! Escalation: who is on call, levels of support, and the steps that fetch
//! help when a ticket waits too long.

pub mod oncall;
pub mod rotation;
pub mod schedule;

#[cfg(test)]
mod tests;
