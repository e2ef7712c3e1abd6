use super::*;
use proptest::prelude::*;

/// The wait in seconds before jitter, after each attempt.
const WAITS: &[(u32, u64)] = &[
    (0, 15),
    (1, 15),
    (2, 30),
    (3, 60),
    (4, 120),
    (5, 240),
    (6, 480),
    (7, 960),
    (8, 1_920),
    (9, 3_840),
    (10, 7_680),
    (11, 15_360),
    (12, 21_600),
    (13, 21_600),
    (19, 21_600),
];

#[test]
fn the_wait_doubles_up_to_six_hours() {
    for (attempt, seconds) in WAITS {
        let wait = backoff(*attempt, Uuid::from_u128(7), None).unwrap().as_millis();
        let within = u128::from(seconds * 900)..=u128::from(seconds * 1_100);
        assert!(within.contains(&wait), "attempt {attempt}: {wait} ms, not {within:?}");
    }
}

#[test]
fn the_twentieth_attempt_is_the_last() {
    let asked = Some(Duration::from_secs(1));
    for (attempt, last) in [(18, false), (19, false), (20, true), (21, true), (u32::MAX, true)] {
        assert_eq!(backoff(attempt, Uuid::nil(), None).is_none(), last, "{attempt}");
        assert_eq!(backoff(attempt, Uuid::nil(), asked).is_none(), last, "{attempt}");
    }
}

#[test]
fn what_the_channel_asks_for_wins_up_to_a_day() {
    let day = 24 * 3_600;
    for (asked, wait) in [(0, 0), (1, 1), (7_200, 7_200), (day, day), (day + 1, day)] {
        let got = backoff(3, Uuid::nil(), Some(Duration::from_secs(asked)));
        assert_eq!(got, Some(Duration::from_secs(wait)));
    }
    assert_eq!(backoff(3, Uuid::nil(), Some(Duration::MAX)), Some(RETRY_AFTER_MAX));
}

#[test]
fn the_jitter_never_changes() {
    let waits: Vec<u128> = [(1, 0), (1, 7), (2, 7), (19, u128::MAX)]
        .map(|(attempt, id)| backoff(attempt, Uuid::from_u128(id), None).unwrap().as_millis())
        .into();
    assert_eq!(waits, [15_261, 13_944, 31_263, 21_023_280]);
}

#[test]
fn all_attempts_take_about_56_hours() {
    let total: Duration = (1..ATTEMPTS_MAX).filter_map(|n| backoff(n, Uuid::nil(), None)).sum();
    assert!((50..=63).contains(&(total.as_secs() / 3_600)), "{total:?}");
}

#[test]
fn effects_that_failed_together_come_back_apart() {
    let waits: std::collections::BTreeSet<_> =
        (0..100).map(|id| backoff(10, Uuid::from_u128(id), None)).collect();
    assert!(waits.len() > 90, "{} of 100", waits.len());
    let mean: u64 = (0..1_000)
        .filter_map(|id| backoff(10, Uuid::from_u128(id), None))
        .map(|wait| wait.as_secs())
        .sum::<u64>()
        / 1_000;
    assert!((7_600..=7_760).contains(&mean), "a fair jitter leaves the mean alone: {mean}");
}

proptest! {
    #[test]
    fn a_wait_is_a_function_within_a_tenth_of_its_base(id: u128, attempt in 0u32..20) {
        let wait = backoff(attempt, Uuid::from_u128(id), None).unwrap();
        prop_assert_eq!(backoff(attempt, Uuid::from_u128(id), None), Some(wait));
        let base = (15u64 << attempt.saturating_sub(1)).min(21_600);
        let millis = u64::try_from(wait.as_millis()).unwrap();
        prop_assert!(millis >= base * 900 && millis <= base * 1_100);
    }

    #[test]
    fn no_input_breaks_it(id: u128, attempt: u32, asked in proptest::option::of(any::<Duration>())) {
        let wait = backoff(attempt, Uuid::from_u128(id), asked);
        prop_assert_eq!(wait.is_none(), attempt >= ATTEMPTS_MAX);
        prop_assert!(wait.unwrap_or_default() <= RETRY_AFTER_MAX);
    }
}
