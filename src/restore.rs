//! Puts archived entries back into the journal, and says how an archive and the journal stand.

use crate::archive::ArchivedEntry;
use crate::engine::Helpdesk;
use crate::erase_archive::check_tenant;
use crate::error::Result;
use crate::retain::CHECKPOINT;
use chrono::{DateTime, Utc};
use helpdesk_core::case::archive::{is_tombstone, tombstone};
use helpdesk_core::event::{Recorded, StreamId, StreamKind};
use helpdesk_core::id::{TenantId, TicketId, Version};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_storage::{Follower, Maintain, StoreExt};
use std::collections::{BTreeMap, BTreeSet};

/// How the lines of an archive and the journal stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RestoreReport {
    /// Lines that were read.
    pub lines: u64,
    /// Entries that stood as tombstones of just these: put back, or by
    /// [`compare_archive`](Helpdesk::compare_archive) only counted.
    pub archived: u64,
    /// Those of them with words of somebody who was erased since: they go back without.
    pub erased: u64,
    /// Entries that stand in the journal just so.
    pub standing: u64,
    /// Entries that stand in the journal otherwise: a person was erased from them since.
    pub changed: u64,
    /// Entries whose place is no more: their ticket was removed.
    pub gone: u64,
}

impl Helpdesk {
    /// Puts the entries of an archive back where their tombstones stand, bit for bit, but for
    /// whoever was erased since. The next [`retain`](Self::retain) archives them again, unless the
    /// configuration says otherwise by then.
    /// Tickets that were removed do not come back.
    ///
    /// # Errors
    ///
    /// Those of the lines; [`Error::Rejected`](crate::Error::Rejected) with `invalid` for an entry of
    /// another tenant; [`Error::Store`](crate::Error::Store). What was put back before stands.
    pub async fn restore_archive(
        &self,
        tenant: TenantId,
        lines: impl IntoIterator<Item = Result<ArchivedEntry>>,
        now: DateTime<Utc>,
    ) -> Result<RestoreReport> {
        self.go_through(tenant, lines, Some(now)).await
    }

    /// What [`restore_archive`](Self::restore_archive) would find; nothing changes.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn compare_archive(
        &self,
        tenant: TenantId,
        lines: impl IntoIterator<Item = Result<ArchivedEntry>>,
    ) -> Result<RestoreReport> {
        self.go_through(tenant, lines, None).await
    }

    async fn go_through(
        &self,
        tenant: TenantId,
        lines: impl IntoIterator<Item = Result<ArchivedEntry>>,
        restore_at: Option<DateTime<Utc>>,
    ) -> Result<RestoreReport> {
        let mut report = RestoreReport::default();
        let mut first_position: Option<u64> = None;
        let mut chunk: Vec<Recorded> = Vec::new();
        for line in lines {
            let ArchivedEntry { tenant: of, entry, .. } = line?;
            report.lines += 1;
            check_tenant(tenant, of, report.lines)?;
            // What one commit did to a ticket goes back into its row together.
            let is_another = chunk.last().is_some_and(|last| {
                (last.entry.stream, last.entry.at) != (entry.entry.stream, entry.entry.at)
            });
            if chunk.len() >= PAGE_MAX && is_another {
                let page = std::mem::take(&mut chunk);
                self.take_page(tenant, page, restore_at, &mut report, &mut first_position).await?;
            }
            chunk.push(entry);
        }
        self.take_page(tenant, chunk, restore_at, &mut report, &mut first_position).await?;
        if let Some((now, first)) = restore_at.zip(first_position) {
            let mut follower = Follower::open(&*self.inner.store, tenant, CHECKPOINT).await?;
            follower.set_checkpoint(follower.checkpoint().min(first.saturating_sub(1)));
            follower.keep(&*self.inner.store, now).await?;
        }
        Ok(report)
    }

    async fn take_page(
        &self,
        tenant: TenantId,
        page: Vec<Recorded>,
        restore_at: Option<DateTime<Utc>>,
        report: &mut RestoreReport,
        first_position: &mut Option<u64>,
    ) -> Result<()> {
        // Of an entry that stands there twice the last line counts.
        let by_place: BTreeMap<(StreamId, Version), Recorded> =
            page.into_iter().map(|it| ((it.entry.stream, it.n), it)).collect();
        let streams: BTreeSet<StreamId> = by_place.keys().map(|(stream, _)| *stream).collect();
        let mut back = Vec::new();
        for stream in streams {
            let standing = match stream.kind {
                StreamKind::Case => self.inner.store.history(tenant, stream).await?,
                _ => Vec::new(),
            };
            let mut its_back = Vec::new();
            for ((_, n), entry) in by_place.range((stream, 0)..=(stream, Version::MAX)) {
                // A journal stands in the order of its numbers.
                let at = standing.binary_search_by_key(n, |it| it.n).ok();
                match at.map(|at| &standing[at]) {
                    None => report.gone += 1,
                    Some(it) if it == entry => report.standing += 1,
                    Some(it) if is_tombstone(it) && *it == tombstone(entry) => {
                        its_back.push(entry.clone());
                    }
                    Some(_) => report.changed += 1,
                }
            }
            if !its_back.is_empty() {
                let ticket = TicketId(stream.id);
                report.erased +=
                    self.erase_from_restored(tenant, ticket, &standing, &mut its_back).await?;
                back.extend(its_back);
            }
        }
        report.archived += back.len() as u64;
        if restore_at.is_some() && !back.is_empty() {
            let first = back.iter().map(|it| it.position).min();
            *first_position = (*first_position).into_iter().chain(first).min();
            self.inner.store.maintain(&Maintain::Rewrite { tenant, entries: back }).await?;
        }
        Ok(())
    }
}
