//! Retention: what the configuration says is kept no longer leaves the store.
//!
//! Entries go to the archive first; the store forgets what is safe there. Whoever was interrupted
//! begins again: lines may then stand in the archive twice, and nothing is forgotten that is
//! not in it.

use crate::archive::{Archive, ArchivedEntry, to_lines};
use crate::attachments::SweepReport;
use crate::engine::Helpdesk;
use crate::error::{Error, Result};
use crate::pace::{AtOnce, Pace};
use crate::spans::coded;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::case::Case;
use helpdesk_core::case::archive::{is_tombstone, tombstone};
use helpdesk_core::case::record::{Record, Stored};
use helpdesk_core::event::{Recorded, StreamId, StreamKind};
use helpdesk_core::id::{TenantId, TicketId, Version};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::retention::Retention;
use helpdesk_core::view::{Direction, OrderBy};
use helpdesk_search::TicketChange;
use helpdesk_storage::{Follower, ListKind, ListQuery, Maintain, Order, Shelf, StoreExt};

/// The name by which the store keeps how far the journal is in the archive.
pub(crate) const CHECKPOINT: &str = "retention";
/// How long other engines wait when nothing is heard of the one that leads: two days, as it
/// comes back every day.
const LEAD_SECONDS: u32 = 2 * 86_400;
/// Tickets removed at once.
const PURGED_AT_ONCE: usize = 100;

/// What a round of retention did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RetainReport {
    /// Journal entries that went to the archive.
    pub archived: u64,
    /// Deleted tickets that were removed for good.
    pub purged: u64,
    /// Dead letters that were dropped.
    pub dropped: u64,
    /// Outcomes of commands that were forgotten.
    pub forgotten: u64,
    /// Blobs that no message named any more.
    pub swept: u64,
    /// Whether it was stopped before its end; the next round goes on.
    pub has_more: bool,
}

/// What a round of retention would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RetainPreview {
    /// Journal entries that would go to the archive by their age.
    pub archived: u64,
    /// Deleted tickets that would be removed for good, and the rest of their journal archived.
    pub purged: u64,
    /// Dead letters that would be dropped.
    pub dropped: u64,
}

/// Who works, and for how long.
struct Turn<'a> {
    pace: &'a dyn Pace,
    /// The one who leads, where engines take turns.
    owner: Option<&'a str>,
}

impl Helpdesk {
    /// Does what the configuration's `retention` says, page by page: entries of tickets go to
    /// the archive by their age and leave tombstones ([`case::archive`](helpdesk_core::case::archive)),
    /// deleted tickets are removed with messages, keys and timers once the rest of their journal is in
    /// the archive too, dead letters are dropped. Forgets commands
    /// ([`forget_commands`](Self::forget_commands)) and, with a blob store, sweeps files
    /// ([`sweep_files`](Self::sweep_files)), whatever the configuration says.
    ///
    /// Once a day is enough, one engine at a time: see [`lead_retention`](Self::lead_retention).
    /// The bytes of what went leave a database file by [`scrub`](Self::scrub). Tickets in the archive
    /// are not reached by `erase_person`: what it has of a person is the host's to remove.
    ///
    /// ```
    /// use helpdesk::core::actor::{Actor, Capability};
    /// use helpdesk::core::command::{ApplyConfig, Command};
    /// use helpdesk::core::id::TenantId;
    /// use helpdesk::{ArchiveTo, Helpdesk, read_archive};
    /// # helpdesk::block_on(async {
    /// let desk = Helpdesk::builder().build()?;
    /// let now = "2026-11-20T09:00:00Z".parse()?;
    /// let tenant = TenantId(uuid::Uuid::from_u128(1));
    /// let system = Actor::system(tenant, Capability::ActAsSystem);
    /// let document = serde_json::json!({"retention": {"journal_days": 730, "deleted_days": 30}});
    /// desk.execute(&system, Command::ApplyConfig(ApplyConfig { document }), now).await?;
    ///
    /// let archive = ArchiveTo::new(Vec::new());
    /// let report = desk.retain(tenant, &archive, now).await?;
    /// assert_eq!(report.archived, 0, "nothing is that old");
    /// assert_eq!(read_archive(&archive.into_inner()[..]).count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Archive`](crate::Error::Archive) when lines could not be written: what they are of
    /// still stands in the store. [`Error::Store`](crate::Error::Store), with `conflict` where another
    /// engine was at it; [`Error::Blob`](crate::Error::Blob), [`Error::Search`](crate::Error::Search).
    /// What was done before stands; call again.
    pub async fn retain(
        &self,
        tenant: TenantId,
        archive: &dyn Archive,
        now: DateTime<Utc>,
    ) -> Result<RetainReport> {
        let turn = Turn { pace: &AtOnce(now), owner: None };
        self.retain_in(tenant, Some(archive), &turn).await
    }

    /// What [`retain`](Self::retain) would do now; nothing changes.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store failed.
    pub async fn preview_retention(
        &self,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<RetainPreview> {
        let kept = self.retention(tenant).await?;
        let mut preview = RetainPreview::default();
        if let Some(before) = before(now, kept.journal_days) {
            let mut follower = self.archive_follower(tenant).await?;
            loop {
                let (entries, is_last) = self.next_old(&mut follower, before).await?;
                preview.archived += n_to_archive(&entries);
                if is_last {
                    break;
                }
            }
        }
        if let Some(before) = before(now, kept.deleted_days) {
            let mut query = deleted(tenant, now);
            while let Some((tickets, next)) = self.next_deleted(&query, before).await? {
                preview.purged += tickets.len() as u64;
                let Some(next) = next else { break };
                query.after = Some(next);
            }
        }
        if let Some(before) = before(now, kept.dead_letter_days) {
            let query = ListQuery::all(tenant, ListKind::DeadLetters, now, PAGE_MAX);
            preview.dropped = self.n_dead_before(query, before).await?;
        }
        Ok(preview)
    }

    /// As [`retain`](Self::retain) for every tenant that this engine has met, into the engine's
    /// archive ([`with_archive`](crate::Builder::with_archive)), but for those whose retention another
    /// engine on the store leads; `None` where it leads none. Each tenant is led for itself, by an engine
    /// that has met it: for two days, or until that engine gives it back
    /// ([`resign_retention`](Self::resign_retention)). Without an archive nothing goes that needs one, and
    /// a warning says so.
    ///
    /// `owner` is this engine's name among all that share the store. Between pages the pace is
    /// asked whether to stop, and the lead is taken anew.
    ///
    /// # Errors
    ///
    /// As [`retain`](Self::retain), the first of them at the end: a tenant that fails holds up
    /// no other. [`Code::Invalid`](helpdesk_core::fault::Code::Invalid) for an owner
    /// without a name, or with one of more than 200 chars.
    pub async fn lead_retention(
        &self,
        owner: &str,
        pace: &dyn Pace,
    ) -> Result<Option<RetainReport>> {
        let turn = Turn { pace, owner: Some(owner) };
        let mut whole = None;
        let mut failure = None;
        for tenant in self.known_tenants() {
            match self.lead_one(owner, tenant.id, &turn).await {
                Ok(report) => add(&mut whole, report),
                Err(error) if error.is_outage() => return Err(error),
                Err(error) => {
                    tracing::error!(tenant = %tenant.id, code = %error.code(), "retention failed");
                    failure = failure.or(Some(error));
                }
            }
            if pace.is_over() {
                break;
            }
        }
        failure.map_or(Ok(whole), Err)
    }

    /// One tenant's, unless another engine leads it. Whoever fails at it lets others try.
    async fn lead_one(
        &self,
        owner: &str,
        tenant: TenantId,
        turn: &Turn<'_>,
    ) -> Result<Option<RetainReport>> {
        if !self.leads(tenant, turn).await? {
            return Ok(None);
        }
        let report = self.retain_in(tenant, self.inner.archive.as_deref(), turn).await;
        if report.as_ref().is_err_and(|error| !error.is_outage()) {
            self.resign(owner, tenant).await?;
        }
        report.map(Some)
    }

    async fn resign(&self, owner: &str, tenant: TenantId) -> Result<()> {
        let resign = Maintain::Resign { job: job_of(tenant), owner: owner.to_owned() };
        self.inner.store.maintain(&resign).await?;
        Ok(())
    }

    /// Lets other engines lead what this one leads of [`lead_retention`](Self::lead_retention)
    /// at once: the tenants that it has met.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store failed.
    pub async fn resign_retention(&self, owner: &str) -> Result<()> {
        let mut failure = None;
        for tenant in self.known_tenants() {
            failure = failure.or(self.resign(owner, tenant.id).await.err());
        }
        failure.map_or(Ok(()), Err)
    }

    async fn leads(&self, tenant: TenantId, turn: &Turn<'_>) -> Result<bool> {
        let Some(owner) = turn.owner else { return Ok(true) };
        let lead = Maintain::Lead {
            job: job_of(tenant),
            owner: owner.to_owned(),
            now: turn.pace.now(),
            lease_seconds: LEAD_SECONDS,
        };
        Ok(self.inner.store.maintain(&lead).await?.n_rows > 0)
    }

    async fn goes_on(&self, tenant: TenantId, turn: &Turn<'_>) -> Result<bool> {
        Ok(!turn.pace.is_over() && self.leads(tenant, turn).await?)
    }

    async fn retain_in(
        &self,
        tenant: TenantId,
        archive: Option<&dyn Archive>,
        turn: &Turn<'_>,
    ) -> Result<RetainReport> {
        let span = tracing::debug_span!("retain", %tenant, code = tracing::field::Empty);
        coded(span, self.retain_parts(tenant, archive, turn)).await
    }

    async fn retain_parts(
        &self,
        tenant: TenantId,
        archive: Option<&dyn Archive>,
        turn: &Turn<'_>,
    ) -> Result<RetainReport> {
        let now = turn.pace.now();
        let kept = self.retention(tenant).await?;
        let mut report = RetainReport::default();
        let old = before(now, kept.journal_days);
        let deleted = before(now, kept.deleted_days);
        match archive {
            Some(archive) => {
                if let Some(before) = old {
                    self.archive_old(tenant, archive, before, turn, &mut report).await?;
                }
                if let Some(before) = deleted.filter(|_| !report.has_more) {
                    self.purge_deleted(tenant, archive, before, turn, &mut report).await?;
                }
            }
            None if old.or(deleted).is_some() => {
                tracing::warn!(%tenant, "the desk has `retention`, and the engine no archive");
            }
            None => {}
        }
        if let Some(before) = before(now, kept.dead_letter_days) {
            let purge = Maintain::PurgeDeadLetters { tenant, before };
            report.dropped = self.inner.store.maintain(&purge).await?.n_rows;
        }
        report.forgotten = self.forget_commands(tenant, now).await?;
        if self.inner.blobs.is_some() && !report.has_more && self.goes_on(tenant, turn).await? {
            let SweepReport { n_removed, .. } = self.sweep_files(tenant, now).await?;
            report.swept = n_removed;
        }
        Ok(report)
    }

    /// What the configuration in force says.
    async fn retention(&self, tenant: TenantId) -> Result<Retention> {
        let known = self.tenant(tenant).await?;
        if self.inner.store.capabilities().is_shared {
            self.refresh(tenant).await?;
        }
        Ok(known.snapshot().desk.retention())
    }

    async fn archive_follower(&self, tenant: TenantId) -> Result<Follower> {
        let follower = Follower::open(&*self.inner.store, tenant, CHECKPOINT).await?;
        Ok(follower.with_kinds(vec![StreamKind::Case]))
    }

    /// Archives what the feed begins with, up to the first entry that is not old enough.
    async fn archive_old(
        &self,
        tenant: TenantId,
        archive: &dyn Archive,
        before: DateTime<Utc>,
        turn: &Turn<'_>,
        report: &mut RetainReport,
    ) -> Result<()> {
        let mut follower = self.archive_follower(tenant).await?;
        loop {
            let (entries, is_last) = self.next_old(&mut follower, before).await?;
            report.archived += self.append(tenant, archive, &entries).await?;
            if n_to_archive(&entries) > 0 {
                let entries = entries.iter().map(tombstone).collect();
                self.inner.store.maintain(&Maintain::Rewrite { tenant, entries }).await?;
            }
            follower.keep(&*self.inner.store, turn.pace.now()).await?;
            if is_last {
                return Ok(());
            }
            if !self.goes_on(tenant, turn).await? {
                report.has_more = true;
                return Ok(());
            }
        }
    }

    /// The next entries that are old enough, a page or less of them, and whether there are no
    /// more. What one commit did to a ticket comes together: it leaves its row together.
    async fn next_old(
        &self,
        follower: &mut Follower,
        before: DateTime<Utc>,
    ) -> Result<(Vec<Recorded>, bool)> {
        let done = follower.checkpoint();
        let mut entries: Vec<Recorded> = Vec::new();
        loop {
            let page = follower.next(&*self.inner.store, PAGE_MAX).await?;
            let is_end = page.len() < PAGE_MAX;
            entries.extend(page);
            let young = entries.iter().position(|it| it.entry.at >= before);
            let is_last = is_end || young.is_some();
            let n = match is_last {
                true => young.unwrap_or(entries.len()),
                false => start_of_last_run(&entries),
            };
            if n > 0 || is_last {
                entries.truncate(n);
                follower.set_checkpoint(entries.last().map_or(done, |last| last.position));
                return Ok((entries, is_last));
            }
        }
    }

    /// Writes entries that are not in the archive yet; how many.
    async fn append(
        &self,
        tenant: TenantId,
        archive: &dyn Archive,
        entries: &[Recorded],
    ) -> Result<u64> {
        let new = entries.iter().filter(|it| !is_tombstone(it));
        let new: Vec<ArchivedEntry> =
            new.map(|it| ArchivedEntry::new(tenant, it.clone())).collect();
        if !new.is_empty() {
            archive.append(tenant, &to_lines(&new)?).await.map_err(Error::Archive)?;
        }
        Ok(new.len() as u64)
    }

    async fn purge_deleted(
        &self,
        tenant: TenantId,
        archive: &dyn Archive,
        before: DateTime<Utc>,
        turn: &Turn<'_>,
        report: &mut RetainReport,
    ) -> Result<()> {
        let mut query = deleted(tenant, turn.pace.now());
        while let Some((tickets, next)) = self.next_deleted(&query, before).await? {
            for (ticket, _) in &tickets {
                let entries = self.inner.store.history(tenant, StreamId::case(*ticket)).await?;
                report.archived += self.append(tenant, archive, &entries).await?;
            }
            // One that is changed meanwhile stays, as its version is another.
            let purge = Maintain::PurgeTickets { tenant, tickets: tickets.clone() };
            report.purged += self.inner.store.maintain(&purge).await?.n_rows;
            if let Some(index) = &self.inner.ticket_index {
                let gone = |(ticket, _): &(TicketId, _)| TicketChange::Delete(tenant, *ticket);
                index.apply(&tickets.iter().map(gone).collect::<Vec<_>>())?;
                index.commit()?;
            }
            let Some(next) = next else { break };
            query.after = Some(next);
            if !self.goes_on(tenant, turn).await? {
                report.has_more = true;
                break;
            }
        }
        Ok(())
    }

    /// A page of tickets that were deleted long enough ago, and where the next begins, if there
    /// may be more; `None` without any.
    async fn next_deleted(
        &self,
        query: &ListQuery,
        before: DateTime<Utc>,
    ) -> Result<Option<DeletedPage>> {
        let page = self.inner.store.list(query).await?;
        let mut tickets = Vec::new();
        let mut next = page.next;
        for Stored { version, record } in page.rows {
            let Record::Case(case) = record else { continue };
            if case.ticket.times.updated_at >= before {
                next = None;
            } else if last_change(&case) < before {
                tickets.push((case.ticket.id, version));
            }
        }
        let is_end = tickets.is_empty() && next.is_none();
        Ok((!is_end).then_some((tickets, next)))
    }

    async fn n_dead_before(&self, mut query: ListQuery, before: DateTime<Utc>) -> Result<u64> {
        let mut n = 0;
        loop {
            let page = self.inner.store.list(&query).await?;
            let died = page
                .rows
                .iter()
                .filter(|row| matches!(&row.record, Record::DeadLetter(it) if it.died_at < before));
            n += died.count() as u64;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(n),
            }
        }
    }
}

/// The job that one engine at a time does for a tenant.
fn job_of(tenant: TenantId) -> String {
    format!("retention/{tenant}")
}

/// Adds what was done for a tenant to the whole.
fn add(whole: &mut Option<RetainReport>, report: Option<RetainReport>) {
    let Some(report) = report else { return };
    let whole = whole.get_or_insert_default();
    whole.archived += report.archived;
    whole.purged += report.purged;
    whole.dropped += report.dropped;
    whole.forgotten += report.forgotten;
    whole.swept += report.swept;
    whole.has_more |= report.has_more;
}

type DeletedPage = (Vec<(TicketId, Version)>, Option<helpdesk_storage::Cursor>);

/// The deleted tickets, those first to which nothing happened for longest.
fn deleted(tenant: TenantId, now: DateTime<Utc>) -> ListQuery {
    let kind = ListKind::Cases(Shelf::Deleted);
    let mut query = ListQuery::all(tenant, kind, now, PURGED_AT_ONCE);
    query.order = Order { by: OrderBy::UpdatedAt, direction: Direction::Ascending };
    query
}

fn last_change(case: &Case) -> DateTime<Utc> {
    case.last_event_at.unwrap_or(case.ticket.times.updated_at).max(case.ticket.times.updated_at)
}

/// What lies before this instant is older than so many days.
fn before(now: DateTime<Utc>, days: Option<u32>) -> Option<DateTime<Utc>> {
    now.checked_sub_signed(TimeDelta::days(i64::from(days?)))
}

fn n_to_archive(entries: &[Recorded]) -> u64 {
    entries.iter().filter(|it| !is_tombstone(it)).count() as u64
}

/// Where the last of the commits begins whose entries these are.
fn start_of_last_run(entries: &[Recorded]) -> usize {
    let Some(last) = entries.last().map(|it| &it.entry) else { return 0 };
    let is_another = |it: &Recorded| {
        (it.entry.stream, it.entry.at, &it.entry.origin) != (last.stream, last.at, &last.origin)
    };
    entries.iter().rposition(is_another).map_or(0, |at| at + 1)
}
