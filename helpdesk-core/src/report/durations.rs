//! Many durations in four numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long things took, in seconds.
///
/// Percentiles are by nearest rank: the smallest value that at least so many
/// percent of all do not exceed. It is always a value that occurred.
///
/// ```
/// use helpdesk_core::report::Durations;
/// let durations = Durations::of(vec![20, 10, 40, 30]);
/// assert_eq!((durations.p50, durations.p90), (Some(20), Some(40)));
/// assert_eq!(durations.mean, Some(25.0));
/// assert_eq!(Durations::of(vec![]), Durations { n: 0, mean: None, p50: None, p90: None });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Durations {
    /// How many.
    pub n: u64,
    /// Arithmetic mean; `None` without any.
    pub mean: Option<f64>,
    /// The median; `None` without any.
    pub p50: Option<u64>,
    /// The 90th percentile; `None` without any.
    pub p90: Option<u64>,
}

impl Durations {
    /// The durations of these seconds, in any order.
    #[must_use]
    pub fn of(mut seconds: Vec<u64>) -> Self {
        seconds.sort_unstable();
        let n = seconds.len();
        let sum: u128 = seconds.iter().map(|s| u128::from(*s)).sum();
        let mean = (n > 0).then(|| sum as f64 / n as f64);
        Self { n: n as u64, mean, p50: nearest_rank(&seconds, 50), p90: nearest_rank(&seconds, 90) }
    }
}

/// The value at rank ⌈percent · n / 100⌉ of a sorted list, counted from 1.
fn nearest_rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}
