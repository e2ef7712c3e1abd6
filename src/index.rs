//! Indexes that follow the journal: made of it, disposable, up to date when the host says so.
//!
//! An index keeps, in the same commit as what it took in, how far it has read each tenant's
//! feed; so a crash skips nothing. Nothing runs by itself: [`Helpdesk::index`] is a call of
//! the host, like a tick.

use crate::engine::Helpdesk;
use crate::error::{Error, Result};
use crate::spans::coded;
use async_trait::async_trait;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::TenantId;
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_search::Checkpoints;
use helpdesk_storage::Follower;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

/// An index as the journal feeds it.
#[async_trait]
pub(crate) trait Following: Send + Sync + Debug {
    /// Of which streams it is made.
    fn kinds(&self) -> Vec<StreamKind>;

    /// How far it has read, what is not committed yet included.
    fn reached(&self) -> Checkpoints;

    /// Takes in these things as the store has them now, and then that the tenant's feed was
    /// read up to `position`.
    async fn take(
        &self,
        desk: &Helpdesk,
        tenant: TenantId,
        streams: BTreeSet<StreamId>,
        position: u64,
    ) -> Result<()>;

    /// Makes what was taken in durable and visible.
    fn commit(&self) -> Result<()>;
}

/// What a call of [`Helpdesk::index`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct IndexReport {
    /// Journal entries read.
    pub entries: u64,
    /// Things that were taken in as they stand now.
    pub things: u64,
    /// Whether there is more already.
    pub has_more: bool,
}

impl Helpdesk {
    /// Brings the engine's indexes up to date with the journal, at most `max_entries` of it
    /// for each index and tenant, and commits them: what is in them then is found by the
    /// next search. Without an index nothing is done.
    ///
    /// The tenants are those that this engine has met, and those that the index knows. It
    /// blocks for the time of a commit of the index. An index that has read further than a feed goes is one of a
    /// store that was put back from a backup: all that the feed names is taken in anew. Tickets that were
    /// opened after the backup are found no more, but counted until the index is rebuilt; and where so much was
    /// committed since that the feed is as long again before the first call, nothing tells: rebuild an
    /// index whenever a backup is put back.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store), [`Error::Search`](crate::Error::Search): the
    /// first of them, at the end, as a tenant that cannot be read holds up no other and no other
    /// index. What was taken in stands, and the next call goes on from there.
    pub async fn index(&self, max_entries: usize) -> Result<IndexReport> {
        let span = tracing::debug_span!("index", code = tracing::field::Empty);
        coded(span, self.index_all(max_entries)).await
    }

    async fn index_all(&self, max_entries: usize) -> Result<IndexReport> {
        let mut report = IndexReport::default();
        let mut failure = None;
        for index in &self.inner.indexes {
            match self.feed_index(index, max_entries, &mut report).await {
                Err(error) if error.is_outage() => return Err(error),
                fed => failure = failure.or(fed.err()),
            }
        }
        failure.map_or(Ok(report), Err)
    }

    /// Feeds one index with what each tenant has for it, and commits it. A tenant that cannot
    /// be read holds up no other: the first such error is the answer at the end.
    async fn feed_index(
        &self,
        index: &Arc<dyn Following>,
        max_entries: usize,
        report: &mut IndexReport,
    ) -> Result<()> {
        let reached = index.reached();
        let met = self.known_tenants().into_iter().map(|tenant| tenant.id);
        let tenants: BTreeSet<TenantId> = met.chain(reached.keys().copied()).collect();
        let mut failure = None;
        for tenant in tenants {
            let from = reached.get(&tenant).copied().unwrap_or_default();
            if let Err(error) = self.follow_feed(index, (tenant, from), max_entries, report).await {
                // What fails is the index, for whomever.
                if matches!(error, Error::Search(_)) {
                    return Err(error);
                }
                tracing::error!(%tenant, code = %error.code(), "a feed could not be indexed");
                let is_outage = error.is_outage();
                failure = failure.or(Some(error));
                if is_outage {
                    break;
                }
            }
        }
        // What was taken in stands, with how far each feed was read.
        index.commit()?;
        failure.map_or(Ok(()), Err)
    }

    async fn follow_feed(
        &self,
        index: &Arc<dyn Following>,
        (tenant, from): (TenantId, u64),
        max_entries: usize,
        report: &mut IndexReport,
    ) -> Result<()> {
        let mut follower = Follower::new(tenant, from).with_kinds(index.kinds());
        let mut left = max_entries;
        while left > 0 {
            let limit = left.min(PAGE_MAX);
            let entries = follower.next(&*self.inner.store, limit).await?;
            if entries.is_empty() {
                let end = self.inner.store.feed_end(tenant).await?;
                if follower.checkpoint() <= end {
                    return Ok(());
                }
                // The store was put back from a backup: what it says now is taken in anew.
                tracing::warn!(%tenant, end, reached = from, "the index is ahead of the feed");
                follower.set_checkpoint(0);
                if end == 0 {
                    return index.take(self, tenant, BTreeSet::new(), 0).await;
                }
                continue;
            }
            let streams: BTreeSet<StreamId> = entries.iter().map(|row| row.entry.stream).collect();
            report.entries += entries.len() as u64;
            report.things += streams.len() as u64;
            index.take(self, tenant, streams, follower.checkpoint()).await?;
            left -= entries.len();
            if entries.len() < limit {
                return Ok(());
            }
        }
        report.has_more = true;
        Ok(())
    }
}

/// Of these places in feeds, those that lie further on than an index has read.
pub(crate) fn newer(before: &Checkpoints, mut reached: Checkpoints) -> Checkpoints {
    reached.retain(|tenant, position| before.get(tenant).is_none_or(|before| before < position));
    reached
}
