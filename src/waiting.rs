//! The waiting tickets of a tenant, kept in memory in step with its journal.
//!
//! Whoever is given or asks for the next ticket needs no look at all of them. They are
//! read when somebody first does; from then on, each time, what the journal tells since.
//! What a decision takes from here it loads anew, and the commit expects its version.

use crate::engine::Helpdesk;
use crate::error::{Error, Result};
use crate::snapshot::{Snapshot, Tenant};
use chrono::{DateTime, Utc};
use helpdesk_core::access::scope::Scope;
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{Record, RecordKey, Stored};
use helpdesk_core::decide::{Candidates, Finder, waiting_condition};
use helpdesk_core::desk::Desk;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::{AgentId, ContactId, Key, TenantId, TicketId, Version};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::routing::next::{ForAgent, count_for};
use helpdesk_core::routing::queue::Queue;
use helpdesk_core::routing::waiting_index::{Waiting, WaitingIndex};
use helpdesk_core::ticket::Ticket;
use helpdesk_storage::{ListKind, ListQuery, News, Pages, Shelf, StoreExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Times that a ticket which changed while it was fetched is sought again.
const RETRIES_MAX: u32 = 8;

/// The tickets of a tenant that wait; `None` until somebody asks for them.
pub(crate) type WaitingTickets = async_lock::Mutex<Option<Kept>>;

/// Waiting tickets as of a feed position.
#[derive(Debug)]
pub(crate) struct Kept {
    index: WaitingIndex,
    /// The configuration's, by its version.
    queues: BTreeMap<Key, Arc<Queue>>,
    config_version: Version,
    /// The feed position up to which tickets and contacts are in.
    position: u64,
}

/// Where, when and among which tickets somebody seeks.
pub(crate) struct Seeking<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) scope: &'a Scope,
    pub(crate) now: DateTime<Utc>,
}

impl<'a> Seeking<'a> {
    fn finder(&self, candidates: Candidates) -> Finder<'a> {
        Finder::new(candidates, &self.snapshot.desk, &self.snapshot.roster, self.now)
    }

    fn for_agent(&self, agent: AgentId) -> ForAgent<'a> {
        let Snapshot { desk, roster, .. } = self.snapshot;
        ForAgent { agent, roster, calendars: desk.calendars(), now: self.now }
    }
}

impl Kept {
    fn new(desk: &Desk, config_version: Version, position: u64) -> Self {
        let queues = desk.queues().map(|queue| (queue.key.clone(), Arc::new(queue.clone())));
        let index = WaitingIndex::new(desk.to_solve().clone());
        Self { index, queues: queues.collect(), config_version, position }
    }

    /// Takes a ticket in as it is now; `answered` is who answered its requester last.
    fn put(&mut self, case: Case, answered: Option<AgentId>) {
        let queue = case.ticket.queue.as_ref().and_then(|key| self.queues.get(key));
        let Some(queue) = queue.filter(|_| case.waits()) else {
            self.index.remove(case.ticket.id);
            return;
        };
        self.index.put(Waiting {
            queue: queue.clone(),
            offered_to: None,
            affinity: answered.into_iter().collect(),
            due_at: case.due_at(),
            ticket: Arc::new(case.ticket),
        });
    }

    /// The requester, where it matters who answered them last.
    fn wants_contact(&self, case: &Case) -> Option<ContactId> {
        let queue = case.ticket.queue.as_ref().and_then(|key| self.queues.get(key))?;
        (case.waits() && queue.affinity).then_some(case.ticket.requester)
    }
}

impl Helpdesk {
    /// Looks at the waiting tickets as they are now.
    pub(crate) async fn with_waiting<T>(
        &self,
        tenant: &Tenant,
        snapshot: &Snapshot,
        look: impl FnOnce(&WaitingIndex) -> T,
    ) -> Result<T> {
        let mut place = tenant.waiting.lock().await;
        // Gone where this fails: then they are read anew.
        let kept = place.take().filter(|kept| kept.config_version == snapshot.config_version);
        let mut kept = match kept {
            Some(kept) => kept,
            None => self.read_waiting(tenant.id, snapshot).await?,
        };
        self.follow(tenant.id, &mut kept).await?;
        Ok(look(&place.insert(kept).index))
    }

    async fn read_waiting(&self, tenant: TenantId, snapshot: &Snapshot) -> Result<Kept> {
        let position = self.inner.store.feed_end(tenant).await?;
        let mut kept = Kept::new(&snapshot.desk, snapshot.config_version, position);
        let now = DateTime::<Utc>::MIN_UTC;
        let mut query = ListQuery::all(tenant, ListKind::Cases(Shelf::Live), now, PAGE_MAX);
        query.condition = waiting_condition(&snapshot.desk);
        let mut pages = Pages::new(query);
        while let Some(rows) = pages.next(&*self.inner.store).await? {
            self.put_cases(tenant, &mut kept, rows).await?;
        }
        Ok(kept)
    }

    /// Takes in what the journal tells since.
    async fn follow(&self, tenant: TenantId, kept: &mut Kept) -> Result<()> {
        let settled = self.inner.store.feed_end(tenant).await?;
        let kinds = vec![StreamKind::Case, StreamKind::Contact];
        let mut news = News::new(tenant, kept.position, kinds);
        while let Some(rows) = news.next(&*self.inner.store).await? {
            let streams: BTreeSet<StreamId> = rows.iter().map(|row| row.entry.stream).collect();
            let keys: Vec<RecordKey> = streams.iter().copied().map(RecordKey::Stream).collect();
            let found = self.inner.store.get(tenant, &keys).await?;
            let mut cases = Vec::new();
            for (stream, stored) in streams.into_iter().zip(found) {
                match stored {
                    None => {
                        kept.index.remove(TicketId(stream.id));
                    }
                    Some(Stored { record: Record::Contact(contact), .. }) => {
                        kept.index.answered(contact.id, contact.last_answered_by);
                    }
                    Some(stored) => cases.push(stored),
                }
            }
            self.put_cases(tenant, kept, cases).await?;
        }
        // What comes after it is read again: something may yet come to stand before it.
        kept.position = kept.position.max(settled);
        Ok(())
    }

    async fn put_cases(
        &self,
        tenant: TenantId,
        kept: &mut Kept,
        stored: Vec<Stored>,
    ) -> Result<()> {
        let cases = stored.into_iter().filter_map(|stored| match stored.record {
            Record::Case(case) => Some(*case),
            _ => None,
        });
        let cases: Vec<Case> = cases.collect();
        let requesters = cases.iter().filter_map(|case| kept.wants_contact(case)).collect();
        let answered = self.answered_by(tenant, requesters).await?;
        for case in cases {
            let last = answered.get(&case.ticket.requester).copied();
            kept.put(case, last);
        }
        Ok(())
    }

    /// The first of these candidates, as it is in the store.
    pub(crate) async fn first_candidate(
        &self,
        seeking: &Seeking<'_>,
        candidates: Candidates,
    ) -> Result<Option<Stored>> {
        let mut finder = seeking.finder(candidates);
        let waiting = match candidates {
            // Whoever gives up what they hold: the tickets that nobody has need no look.
            Candidates::HeldBy { .. } => None,
            Candidates::ToGive { .. } | Candidates::ToSolve { .. } => {
                self.first_waiting(seeking, candidates, &mut finder).await?
            }
        };
        let held = self.find_held(seeking, candidates, &mut finder).await?;
        Ok(held.or(waiting))
    }

    /// The first of these candidates that nobody has.
    async fn first_waiting(
        &self,
        seeking: &Seeking<'_>,
        candidates: Candidates,
        finder: &mut Finder<'_>,
    ) -> Result<Option<Stored>> {
        let first = |index: &WaitingIndex| {
            let ticket = match candidates {
                Candidates::HeldBy { .. } => None,
                Candidates::ToGive { agent } => index.next_ticket(&seeking.for_agent(agent)),
                Candidates::ToSolve { agent, but } => {
                    let sees = |it: &Ticket| Some(it.id) != but && seeking.scope.permits(it);
                    index.next_to_solve(&seeking.for_agent(agent), sees)
                }
            }?;
            let answered = index.get(ticket.id)?.affinity.first().copied();
            Some((ticket.id, answered))
        };
        for _ in 0..=RETRIES_MAX {
            let found = self.with_waiting(seeking.tenant, seeking.snapshot, first).await?;
            let Some((id, answered)) = found else { return Ok(None) };
            let key = RecordKey::Stream(StreamId::case(id));
            let stored = self.inner.store.get_one(seeking.tenant.id, key).await?;
            if let Some(Stored { record: Record::Case(case), .. }) = &stored
                && finder.look(case, answered)
            {
                return Ok(stored);
            }
        }
        Err(Error::LostRaces { attempts: RETRIES_MAX + 1 })
    }

    /// Shows a finder every candidate that somebody has; the best of them, if it comes
    /// before what the finder has seen.
    async fn find_held(
        &self,
        seeking: &Seeking<'_>,
        candidates: Candidates,
        finder: &mut Finder<'_>,
    ) -> Result<Option<Stored>> {
        let Snapshot { desk, roster, .. } = seeking.snapshot;
        let Some(condition) = candidates.held_condition(desk, roster) else { return Ok(None) };
        let (kind, tenant) = (ListKind::Cases(Shelf::Live), seeking.tenant.id);
        let mut query = ListQuery::all(tenant, kind, seeking.now, PAGE_MAX);
        query.scope = seeking.scope.clone();
        query.condition = condition;
        let mut best = None;
        let mut pages = Pages::new(query);
        while let Some(rows) = pages.next(&*self.inner.store).await? {
            for stored in rows {
                if let Record::Case(case) = &stored.record
                    && finder.look(case, None)
                {
                    best = Some(stored);
                }
            }
        }
        Ok(best)
    }

    /// How many tickets an agent has to solve.
    pub(crate) async fn count_to_solve(
        &self,
        seeking: &Seeking<'_>,
        agent: AgentId,
    ) -> Result<u64> {
        let candidates = Candidates::ToSolve { agent, but: None };
        let mut finder = seeking.finder(candidates);
        self.find_held(seeking, candidates, &mut finder).await?;
        let for_agent = seeking.for_agent(agent);
        let count = |index: &WaitingIndex| {
            let waiting = index.might_take(&for_agent);
            let seen = waiting.filter(|it| seeking.scope.permits(&it.ticket));
            let options = seeking.snapshot.desk.to_solve();
            count_for(seen.map(Waiting::upcoming), &for_agent, options)
        };
        let n_waiting = self.with_waiting(seeking.tenant, seeking.snapshot, count).await?;
        Ok(finder.n_found() + n_waiting as u64)
    }
}
