//! What agents are compared by, packed into numbers that compare the same way.

use crate::event::ChosenBy;
use crate::id::AgentId;
use chrono::{DateTime, Datelike, Timelike, Utc};

/// An agent's place in an order: by the selector, then fewer active units, longest
/// since last assigned (never first), agent id. The smallest is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// What the selector compares.
    pub(super) first: u128,
    /// Active units in the upper 32 bits, when last assigned in the others.
    tie: u128,
    agent: u128,
}

/// Bits of an instant: 32 of the day, of the second and of the nanosecond.
const INSTANT_BITS: u32 = 96;

impl Rank {
    /// None is lower.
    pub(super) const MIN: Self = Self { first: 0, tie: 0, agent: 0 };
    /// None is higher; the rank of no agent, who could have no later instant.
    pub(super) const MAX: Self = Self { first: u128::MAX, tie: u128::MAX, agent: u128::MAX };

    pub(super) fn new(
        first: u128,
        active: u32,
        last_assigned_at: Option<DateTime<Utc>>,
        agent: AgentId,
    ) -> Self {
        let tie = (u128::from(active) << INSTANT_BITS) | of_instant(last_assigned_at);
        Self { first, tie, agent: agent.0.as_u128() }
    }

    /// Of one who comes by id alone.
    pub(super) fn of_id(agent: AgentId) -> Self {
        Self { first: agent.0.as_u128(), tie: 0, agent: 0 }
    }

    /// What tells it from another.
    pub(super) fn decided_by(self, other: Self) -> ChosenBy {
        let active = |rank: Self| rank.tie >> INSTANT_BITS;
        if self.first != other.first {
            ChosenBy::Selector
        } else if active(self) != active(other) {
            ChosenBy::FewerActive
        } else if self.tie != other.tie {
            ChosenBy::LongestSinceAssigned
        } else {
            ChosenBy::AgentId
        }
    }
}

/// Never is before any instant; instants in their order.
pub(super) fn of_instant(at: Option<DateTime<Utc>>) -> u128 {
    let Some(at) = at.map(|at| at.naive_utc()) else { return 0 };
    // Day, second and nanosecond as they are kept: years are within ±262,143.
    let year = (at.year() + (1 << 20)).cast_unsigned();
    let day = (year << 9) | at.ordinal();
    (u128::from(day) << 64)
        | (u128::from(at.num_seconds_from_midnight()) << 32)
        | u128::from(at.nanosecond())
}

/// `n / of`, exactly ordered; a quotient by 0 is greater than any other.
///
/// It is ⌊n · 2⁶⁴ / of⌋: two different quotients whose divisors are below 2³²
/// differ by more than 2⁻⁶⁴, so they have different numbers, in the same order.
pub(super) fn of_ratio(n: u64, of: u32) -> u128 {
    if of == 0 {
        return u128::MAX;
    }
    let of = u64::from(of);
    let (whole, rest) = (n / of, n % of);
    let (upper, rest) = ((rest << 32) / of, (rest << 32) % of);
    let lower = (rest << 32) / of;
    (u128::from(whole) << 64) | (u128::from(upper) << 32) | u128::from(lower)
}

/// More comes first.
pub(super) fn of_levels(required: u32, preferred: u32) -> u128 {
    u128::from(u64::MAX - ((u64::from(required) << 32) | u64::from(preferred)))
}
