//! A loop that ticks, delivers and indexes on a tokio runtime (feature `tokio`).

use crate::engine::Helpdesk;
use crate::pace::Pace;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_storage::Maintain;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Timers, and messages, of one round.
const ROUND_MAX: usize = 1_000;

/// Journal entries that an index takes in in one round.
const INDEXED_MAX: usize = 10_000;

/// So often at most, and only when there is nothing else to do, the store tidies up.
const COMPACT_EVERY: TimeDelta = TimeDelta::minutes(10);

/// So often retention is looked at when there is nothing else to do, and at the latest after
/// twice as long.
const RETAIN_EVERY: TimeDelta = TimeDelta::days(1);

/// Where the loop gets the time from.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Ticks, delivers and brings indexes up to date until it is stopped.
///
/// It sleeps until the next timer or message is due, `poll` at the longest. A
/// failed round is logged and tried again after `poll`. When there is nothing to do, every
/// ten minutes at most, it has the store tidy up ([`Maintain::Compact`]), and once a day it does
/// what the configuration's `retention` says for each tenant that its engine has met, unless another
/// engine on the store leads that ([`lead_retention`](Helpdesk::lead_retention)).
#[derive(Debug)]
pub struct Runner {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Runner {
    /// Starts the loop on the current tokio runtime, by the system's clock.
    #[must_use]
    pub fn start(desk: Helpdesk, poll: Duration) -> Self {
        Self::start_with_clock(desk, poll, Arc::new(Utc::now))
    }

    /// The same by another clock.
    #[must_use]
    pub fn start_with_clock(desk: Helpdesk, poll: Duration, clock: Clock) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(desk, poll, clock, stopped));
        Self { stop, task }
    }

    /// Lets the timer or message that is at work end, gives back what else is leased, and
    /// stops: no lease is left behind, and another engine may lead retention.
    pub async fn stop(self) {
        // The loop may have ended already, with its runtime.
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

async fn run(desk: Helpdesk, poll: Duration, clock: Clock, mut stopped: watch::Receiver<bool>) {
    let mut compacted_at = clock();
    let mut retained_at = compacted_at - RETAIN_EVERY;
    let owner = format!("runner-{}", uuid::Uuid::new_v4());
    while !*stopped.borrow() {
        let pace = UntilStopped { clock: &clock, stopped: stopped.clone() };
        let round = round(&desk, &pace, poll).await;
        if round.is_idle && clock() - compacted_at >= COMPACT_EVERY {
            compacted_at = clock();
            if let Err(error) = desk.inner.store.maintain(&Maintain::Compact).await {
                tracing::warn!(%error, "the store could not tidy up");
            }
        }
        let unretained = clock() - retained_at;
        if unretained >= RETAIN_EVERY && (round.is_idle || unretained >= RETAIN_EVERY * 2) {
            retained_at = clock();
            if let Err(error) = desk.lead_retention(&owner, &pace).await {
                tracing::warn!(code = %error.code(), "retention failed");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(round.wait) => {}
            _ = stopped.changed() => {}
        }
    }
    if let Err(error) = desk.resign_retention(&owner).await {
        tracing::warn!(code = %error.code(), "others wait to lead retention");
    }
}

/// What came of a round.
struct Round {
    /// How long to sleep.
    wait: Duration,
    /// Whether there was nothing to do.
    is_idle: bool,
}

/// The loop's clock, until it is stopped.
struct UntilStopped<'a> {
    clock: &'a Clock,
    stopped: watch::Receiver<bool>,
}

impl Pace for UntilStopped<'_> {
    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    fn is_over(&self) -> bool {
        *self.stopped.borrow()
    }
}

async fn round(desk: &Helpdesk, pace: &dyn Pace, poll: Duration) -> Round {
    let ticked = desk.tick_at(pace, ROUND_MAX).await;
    let delivered = desk.deliver_at(pace, ROUND_MAX).await;
    let indexed = desk.index(INDEXED_MAX).await;
    let errors = [ticked.as_ref().err(), delivered.as_ref().err(), indexed.as_ref().err()];
    for error in errors.iter().flatten() {
        tracing::error!(code = %error.code(), "a round failed");
    }
    let is_failed = errors.iter().any(Option::is_some);
    let is_outage = errors.iter().flatten().any(|error| error.is_outage());
    // Where one part failed for some, the others' work counts all the same.
    let (ticked, delivered) = (ticked.unwrap_or_default(), delivered.unwrap_or_default());
    let indexed = indexed.unwrap_or_default();
    let due = [ticked.next_due, delivered.next_due].into_iter().flatten().min();
    let until_due = due.map(|due| (due - pace.now()).to_std().unwrap_or(Duration::ZERO));
    let n_done = ticked.fired + ticked.dropped + delivered.delivered + delivered.retried;
    Round {
        wait: match indexed.has_more {
            true => Duration::ZERO,
            false => until_due.filter(|_| !is_failed).map_or(poll, |until| until.min(poll)),
        },
        is_idle: !is_outage && n_done + delivered.dead + indexed.entries == 0,
    }
}
