//! The end of a run: an engine that nothing disturbs does what is left to do.

use crate::child::insist;
use crate::laws::reply_of;
use crate::office::{TENANT, open};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::id::TicketId;
use helpdesk::notify::Recorder;
use helpdesk::{Helpdesk, block_on};
use helpdesk_storage::Store;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Seconds until leases of the dead have ended.
pub(crate) const LEASES_END: i64 = 61;
/// Seconds until a delivery that failed is tried again, at the latest.
pub(crate) const RETRIES_END: i64 = 7 * 3_600;

/// An engine on this store, and what it delivers.
pub(crate) fn engine(store: Arc<dyn Store>) -> (Helpdesk, Recorder) {
    let recorder = Recorder::new();
    let desk = Helpdesk::builder()
        .with_shared_store(store)
        .with_notifier(recorder.clone())
        .with_language_guessing(false)
        .build()
        .unwrap();
    (desk, recorder)
}

/// Does what is due now and so many seconds later each; when it ended, and which
/// replies it delivered.
pub(crate) fn finish(
    store: &Arc<dyn Store>,
    now: DateTime<Utc>,
    waits: &[i64],
) -> (DateTime<Utc>, BTreeSet<(TicketId, u32)>) {
    let (desk, recorder) = engine(store.clone());
    // Whoever died may have set up a part of the desk, or nothing.
    insist(|| block_on(open(&desk)));
    let mut end = now;
    for wait in [0].iter().chain(waits) {
        end += TimeDelta::seconds(*wait);
        insist(|| block_on(desk.tick(end, 100_000)));
        insist(|| block_on(desk.redrive(TENANT, Vec::new(), end)));
        insist(|| block_on(desk.deliver(end, 100_000)));
    }
    (end, recorder.delivered().iter().filter_map(reply_of).collect())
}
