//! Conditions.

/// A test on a ticket.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Holds.
    Always,
}
