//! Reads what a decision looks at: tenants into memory, records for a command.

use crate::engine::{Helpdesk, Job};
use crate::error::Result;
use crate::snapshot::{Snapshot, Tenant, is_in_snapshot, put_agent, read_desk, streams_of};
use crate::waiting::Seeking;
use chrono::{DateTime, Utc};
use helpdesk_core::access::scope::Scope;
use helpdesk_core::actor::Actor;
use helpdesk_core::agent::{Roster, RosterEntry};
use helpdesk_core::case::record::{CommandRecord, Numbers, Record, RecordKey, Stored};
use helpdesk_core::decide::{Loaded, candidates, needs, needs_more};
use helpdesk_core::desk::Desk;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{AgentId, CommandId, ContactId, TenantId, TicketNumber};
use helpdesk_core::limit::{PAGE_MAX, PARENT_DEPTH_MAX, TICKET_NUMBER_MAX};
use helpdesk_core::query::Query;
use helpdesk_storage::{ChangeSet, Expect, ListKind, ListQuery, News, StoreError, StoreExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use uuid::Uuid;

/// Numbers that an engine leases at once.
const NUMBER_BLOCK: u64 = 64;
/// Times that leasing numbers, or a conflict elsewhere, is tried again.
const LEASE_RETRIES_MAX: u32 = 32;

/// What was loaded for a command.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) loaded: Loaded,
    pub(crate) earlier: Option<CommandRecord>,
    /// For whom a candidate was sought, and as what they were known.
    pub(crate) taker: Option<(AgentId, Option<RosterEntry>)>,
}

impl Helpdesk {
    /// The tenant in memory, read when it is first asked for.
    pub(crate) async fn tenant(&self, id: TenantId) -> Result<Arc<Tenant>> {
        if let Some(tenant) = self.known_tenant(id) {
            return Ok(tenant);
        }
        let snapshot = self.read_snapshot(id).await?;
        let make = || Arc::new(Tenant::new(id, self.inner.reader.clone(), snapshot));
        let mut tenants = self.inner.tenants.write().unwrap_or_else(PoisonError::into_inner);
        Ok(tenants.entry(id).or_insert_with(make).clone())
    }

    pub(crate) fn known_tenant(&self, id: TenantId) -> Option<Arc<Tenant>> {
        self.inner.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(crate) fn known_tenants(&self) -> Vec<Arc<Tenant>> {
        self.inner
            .tenants
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    async fn read_snapshot(&self, id: TenantId) -> Result<Snapshot> {
        let position = self.inner.store.feed_end(id).await?;
        let key = RecordKey::Stream(StreamId::config(id));
        let stored = self.inner.store.get_one(id, key).await?;
        let (config_version, desk) = match &stored {
            Some(Stored { version, record: Record::Config(config) }) => {
                (*version, Arc::new(read_desk(&self.inner.reader, config)?))
            }
            _ => (0, self.inner.blank_desk.clone()),
        };
        let mut roster = Roster::default();
        // Agents first: presences and loads are put beside them.
        for kind in [StreamKind::Agent, StreamKind::Presence, StreamKind::Load] {
            for stored in self.all_things(id, kind).await? {
                put_agent(&mut roster, &stored);
            }
        }
        Ok(Snapshot::new(config_version, desk, roster, position))
    }

    async fn all_things(&self, tenant: TenantId, kind: StreamKind) -> Result<Vec<Stored>> {
        let kind = ListKind::Things(kind);
        let query = ListQuery::all(tenant, kind, DateTime::<Utc>::MIN_UTC, PAGE_MAX);
        Ok(self.inner.store.list_all(query).await?)
    }

    /// Takes in what other engines did to configuration and agents.
    ///
    /// Called by [`tick`](Self::tick), and after a lost race; a host with several
    /// engines that neither ticks nor commands may call it itself.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store cannot be read.
    pub async fn refresh(&self, tenant: TenantId) -> Result<()> {
        let Some(tenant) = self.known_tenant(tenant) else { return Ok(()) };
        let settled = self.inner.store.feed_end(tenant.id).await?;
        let kinds = vec![StreamKind::Agent, StreamKind::Presence, StreamKind::Config];
        let mut news = News::new(tenant.id, tenant.snapshot().position, kinds);
        while let Some(rows) = news.next(&*self.inner.store).await? {
            let mut streams: Vec<StreamId> = Vec::new();
            for row in &rows {
                let stream = row.entry.stream;
                match stream.kind {
                    StreamKind::Config => streams.push(stream),
                    _ => streams.extend(streams_of(AgentId(stream.id))),
                }
            }
            streams.sort();
            streams.dedup();
            self.take_streams(&tenant, &streams).await?;
        }
        // What comes after it is read again: something may yet come to stand before it.
        tenant.advance(settled);
        Ok(())
    }

    /// Takes in what other engines did, as far as the answer to a query depends on it.
    pub(crate) async fn refresh_for(&self, actor: &Actor, query: &Query) -> Result<()> {
        let of_one = match query {
            Query::NextFor { agent } | Query::CountFor { agent } => agent.or(actor.agent_id()),
            Query::Explain { .. } | Query::Workload { .. } | Query::WhatIf(_) => None,
            _ => return Ok(()),
        };
        let tenant = self.tenant(actor.tenant).await?;
        let desk = tenant.snapshot().desk;
        // Who else has room decides there whether a stage is skipped.
        let mut stages = desk.queues().flat_map(|queue| &queue.stages);
        match of_one.filter(|_| !stages.any(|stage| stage.skip_if_empty)) {
            Some(agent) if self.inner.store.capabilities().is_shared => {
                self.refresh(actor.tenant).await?;
                self.take_streams(&tenant, &streams_of(agent)).await
            }
            Some(_) => Ok(()),
            None => self.refresh_agents(actor.tenant).await,
        }
    }

    /// As [`refresh`](Self::refresh), and what agents hold, which the feed does not tell.
    pub(crate) async fn refresh_agents(&self, id: TenantId) -> Result<()> {
        if !self.inner.store.capabilities().is_shared {
            return Ok(());
        }
        let tenant = self.tenant(id).await?;
        self.refresh(id).await?;
        let loads = self.all_things(id, StreamKind::Load).await?;
        tenant.take(&loads)?;
        Ok(())
    }

    /// Reads these things anew into the tenant's snapshot.
    pub(crate) async fn take_streams(&self, tenant: &Tenant, streams: &[StreamId]) -> Result<()> {
        let keys: Vec<RecordKey> = streams
            .iter()
            .filter(|stream| is_in_snapshot(**stream))
            .map(|stream| RecordKey::Stream(*stream))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let stored: Vec<Stored> =
            self.inner.store.get(tenant.id, &keys).await?.into_iter().flatten().collect();
        tenant.take(&stored)?;
        Ok(())
    }

    /// Loads what commands look at: by their own words, then by what those lead to. As many reads
    /// as one of them needs do for all; one that cannot be read fails all.
    pub(crate) async fn load(
        &self,
        jobs: &[Job<'_>],
        tenant: &Tenant,
        desk: &Desk,
        view: fn(&Tenant) -> Snapshot,
    ) -> Result<Vec<Case>> {
        let first = |job: &Job<'_>| {
            let mut keys = needs(&job.call.command, job.actor);
            keys.push(RecordKey::Command(job.call.command_id));
            keys
        };
        let mut cases: Vec<Case> = jobs.iter().map(|_| Case::default()).collect();
        let keys = jobs.iter().map(first).collect();
        self.read_for(tenant.id, jobs, &mut cases, keys).await?;
        for (job, case) in jobs.iter().zip(&mut cases) {
            let Some(candidates) = candidates(&job.call.command, job.actor) else { continue };
            let snapshot = &view(tenant);
            let agent = candidates.agent();
            case.taker = Some((agent, snapshot.roster.get(agent).cloned()));
            let seeking = Seeking { tenant, snapshot, scope: &Scope::All, now: job.now };
            if let Some(stored) = self.first_candidate(&seeking, candidates).await? {
                case.loaded.set_candidate(stored);
            }
        }
        for _ in 0..=PARENT_DEPTH_MAX {
            let more =
                |(job, case): (&Job<'_>, &Case)| needs_more(&job.call.command, &case.loaded, desk);
            let keys: Vec<Vec<RecordKey>> = jobs.iter().zip(&cases).map(more).collect();
            if keys.iter().all(Vec::is_empty) {
                break;
            }
            self.read_for(tenant.id, jobs, &mut cases, keys).await?;
        }
        Ok(cases)
    }

    /// Reads records, for each command its own.
    async fn read_for(
        &self,
        tenant: TenantId,
        jobs: &[Job<'_>],
        cases: &mut [Case],
        keys: Vec<Vec<RecordKey>>,
    ) -> Result<()> {
        let n_keys: Vec<usize> = keys.iter().map(Vec::len).collect();
        let keys = keys.concat();
        let found = self.inner.store.get(tenant, &keys).await?;
        let mut found = keys.iter().zip(found);
        for ((job, case), n) in jobs.iter().zip(cases).zip(n_keys) {
            for (key, stored) in found.by_ref().take(n) {
                match (key, stored) {
                    (
                        RecordKey::Command(_),
                        Some(Stored { record: Record::Command(record), .. }),
                    ) => {
                        case.earlier = Some(*record).filter(|it| it.expires_at > job.now);
                    }
                    (RecordKey::Command(_), _) => {}
                    (key, stored) => case.loaded.add(key, stored),
                }
            }
        }
        Ok(())
    }

    /// Who answered each of these requesters last, where somebody did.
    pub(crate) async fn answered_by(
        &self,
        tenant: TenantId,
        requesters: BTreeSet<ContactId>,
    ) -> Result<BTreeMap<ContactId, AgentId>> {
        if requesters.is_empty() {
            return Ok(BTreeMap::new());
        }
        let keys = requesters.into_iter().map(|id| RecordKey::Stream(StreamId::contact(id)));
        let keys: Vec<RecordKey> = keys.collect();
        let found = self.inner.store.get(tenant, &keys).await?.into_iter().flatten();
        let answered = found.filter_map(|stored| match stored.record {
            Record::Contact(contact) => Some((contact.id, contact.last_answered_by?)),
            _ => None,
        });
        Ok(answered.collect())
    }

    /// A number that no other ticket of the tenant gets from any engine.
    pub(crate) async fn number(&self, tenant: &Tenant, prefix: &Arc<str>) -> Result<TicketNumber> {
        for _ in 0..LEASE_RETRIES_MAX {
            if let Some(n) = tenant.take_number(prefix) {
                return Ok(TicketNumber { prefix: prefix.clone(), n });
            }
            match self.lease_numbers(tenant, prefix, 0).await {
                Ok(numbers) => tenant.give_numbers(prefix, numbers),
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(crate::Error::LostRaces { attempts: LEASE_RETRIES_MAX })
    }

    /// An imported number and those before it are never leased any more.
    pub(crate) async fn skip_numbers(&self, tenant: &Tenant, number: &TicketNumber) -> Result<()> {
        if number.n > TICKET_NUMBER_MAX {
            let message = format!("{} is over {TICKET_NUMBER_MAX}", number.n);
            return Err(Rejection::at(Code::OverLimit, "number", message).into());
        }
        for _ in 0..LEASE_RETRIES_MAX {
            match self.lease_numbers(tenant, &number.prefix, number.n).await {
                Ok(numbers) => {
                    tenant.drop_numbers_to(number);
                    tenant.give_numbers(&number.prefix, numbers);
                    return Ok(());
                }
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(crate::Error::LostRaces { attempts: LEASE_RETRIES_MAX })
    }

    /// Leases a block of numbers after `last`; nothing when `last` lies behind.
    async fn lease_numbers(
        &self,
        tenant: &Tenant,
        prefix: &Arc<str>,
        last: u64,
    ) -> std::result::Result<std::ops::Range<u64>, StoreError> {
        let stream = StreamId::numbers(tenant.id);
        let stored = self.inner.store.get_one(tenant.id, RecordKey::Stream(stream)).await?;
        let (version, mut numbers) = match stored {
            Some(Stored { version, record: Record::Numbers(numbers) }) => (version, numbers),
            _ => (0, Numbers::default()),
        };
        let next = numbers.next.get(prefix).copied().unwrap_or(1);
        if last > 0 && last < next {
            return Ok(0..0);
        }
        let first = next.max(last.saturating_add(1));
        let end = first.saturating_add(NUMBER_BLOCK);
        numbers.next.insert(prefix.clone(), end);
        let mut change_set =
            ChangeSet::new(tenant.id, CommandId(Uuid::new_v4()), DateTime::<Utc>::UNIX_EPOCH);
        change_set.expect.push(Expect { stream, version });
        change_set.put.push(Record::Numbers(numbers));
        self.inner.store.commit(change_set).await?;
        Ok(first..end)
    }
}

/// The refusal for a tenant without a configuration.
pub(crate) fn no_tenant(id: TenantId) -> Rejection {
    let message = format!("no tenant `{id}`: its first `apply_config` creates it");
    Rejection::at(Code::NotFound, "actor.tenant", message)
}
