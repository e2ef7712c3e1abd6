//! How long the engine waits between two attempts.

use std::time::Duration;
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// Attempts after which an effect is a dead letter.
pub const ATTEMPTS_MAX: u32 = 20;
/// The wait after the first attempt, before jitter.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(15);
/// The longest wait before jitter: 6 hours.
pub const BACKOFF_MAX: Duration = Duration::from_secs(6 * 3_600);
/// The longest wait that a channel can ask for: 24 hours.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);

/// Jitter is counted in ten-thousandths: the wait times 0.9000 to 1.1000.
const JITTER_SCALE: u64 = 10_000;
const JITTER_MAX: u64 = 1_000;

/// How long to wait after attempt number `attempt` (from 1) has failed, or
/// `None` when it was the last: then the effect is a dead letter.
///
/// The wait is 15 s after the first attempt and doubles up to 6 h, with up to 10 %
/// more or less. The jitter is a hash of delivery id and attempt, so it is the
/// same on every machine, and effects that failed together do not come back
/// together. What the channel asks for (`retry_after`) wins, to the letter and up
/// to 24 h; zero means the next `deliver`. Without it all
/// [`ATTEMPTS_MAX`] attempts take about 56 hours. Attempt 0 counts as the first.
/// Source: spec/storage.md, "Worker".
///
/// ```
/// use helpdesk_notify::backoff;
/// use std::time::Duration;
/// let id = uuid::Uuid::from_u128(7);
/// let wait = backoff(1, id, None).ok_or("a second attempt")?;
/// assert!((13_500..=16_500).contains(&wait.as_millis()));
/// assert_eq!(backoff(1, id, Some(Duration::from_secs(60))), Some(Duration::from_secs(60)));
/// assert_eq!(backoff(20, id, None), None);
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn backoff(attempt: u32, delivery_id: Uuid, retry_after: Option<Duration>) -> Option<Duration> {
    if attempt >= ATTEMPTS_MAX {
        return None;
    }
    if let Some(asked) = retry_after {
        return Some(asked.min(RETRY_AFTER_MAX));
    }
    let n_doublings = attempt.saturating_sub(1);
    let wait = BACKOFF_FIRST.saturating_mul(2u32.saturating_pow(n_doublings)).min(BACKOFF_MAX);
    let jitter = hash(delivery_id, attempt) % (2 * JITTER_MAX + 1);
    let millis = wait.as_secs() * 1_000 * (JITTER_SCALE - JITTER_MAX + jitter) / JITTER_SCALE;
    Some(Duration::from_millis(millis))
}

/// The same everywhere and forever; that is why it is spelled out.
fn hash(delivery_id: Uuid, attempt: u32) -> u64 {
    let (high, low) = delivery_id.as_u64_pair();
    mix(mix(mix(high) ^ low) ^ u64::from(attempt))
}

/// One step of SplitMix64.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
