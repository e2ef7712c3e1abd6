//! History of another system, many tickets at once.
//!
//! Tickets are decided one after the other as `import_ticket` decides them, each on what
//! those before it will have done, and committed a group at a time: one read and one wait for the
//! disk for all of a group. Whichever loses a race is imported by itself.

use crate::attempt::context_of;
use crate::change_set::{change_set, is_no_change};
use crate::engine::{Call, Helpdesk, Job};
use crate::error::{Error, Result};
use crate::snapshot::{Snapshot, Tenant, is_kept, put_agent};
use chrono::{DateTime, Utc};
use helpdesk_core::actor::Actor;
use helpdesk_core::case::record::{Record, RecordKey, Stored, UniqueOp};
use helpdesk_core::command::{Command, ImportTicket};
use helpdesk_core::decide::{Loaded, Made, decide, needs, needs_more};
use helpdesk_core::event::StreamId;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{TicketId, TicketNumber, derived_command_id};
use helpdesk_storage::ChangeSet;
use std::collections::BTreeMap;

/// Tickets of one group at most.
pub const IMPORT_GROUP_MAX: usize = 256;
/// Bytes of the texts of one group, beyond which it takes no further ticket: 8 MiB.
pub const IMPORT_GROUP_BYTES: usize = 8 << 20;

/// A ticket that was imported, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its id.
    pub ticket: TicketId,
    /// Its number.
    pub number: Option<TicketNumber>,
    /// Whether it had been imported before, and nothing was done now.
    pub existed: bool,
}

/// What an import of many came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Tickets that are there now and were not before.
    pub n_imported: u64,
    /// Tickets that were there already.
    pub n_existed: u64,
    /// Tickets that were refused.
    pub n_refused: u64,
}

impl Helpdesk {
    /// Imports tickets in their order, as `import_ticket` does, a group of at most
    /// [`IMPORT_GROUP_MAX`] at a time: what is in memory is a group, however many there are.
    /// `tell` gets each ticket's place, from 0, with what became of it, in order.
    ///
    /// A ticket is known by its external id. So an import that was interrupted is given again
    /// from its beginning, or from where `tell` got to: what is there is not imported twice.
    ///
    /// ```
    /// use helpdesk::core::actor::{Actor, Capability};
    /// use helpdesk::core::command::{ApplyConfig, Command, ImportTicket};
    /// use helpdesk::core::id::TenantId;
    /// use helpdesk::Helpdesk;
    /// # helpdesk::block_on(async {
    /// let desk = Helpdesk::builder().build()?;
    /// let now = "2026-11-20T09:00:00Z".parse()?;
    /// let tenant = TenantId(uuid::Uuid::from_u128(1));
    /// let system = Actor::system(tenant, Capability::ActAsSystem);
    /// let config = ApplyConfig { document: serde_json::json!({"name": "Acme"}) };
    /// desk.execute(&system, Command::ApplyConfig(config), now).await?;
    ///
    /// let old = (1..=3).map(|n| serde_json::from_value::<ImportTicket>(serde_json::json!({
    ///     "external_id": format!("old-{n}"), "subject": "A question", "channel": "email",
    ///     "requester": {"identity": {"kind": "email", "value": "anna@example.com"}},
    ///     "status": "open", "created_at": "2020-01-01T00:00:00Z", "messages": [],
    /// })).unwrap());
    /// let import = Actor::system(tenant, Capability::ActAsImport);
    /// let report = desk.import_tickets(&import, old, now, |_, result| assert!(result.is_ok())).await?;
    /// assert_eq!(report.n_imported, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for an actor who may not import, [`Error::Store`] with `unavailable` when the store
    /// cannot be reached: what was told is done, and of the next tickets some may be, which are
    /// known by their external ids when they are imported again. What is wrong with one ticket is
    /// told, and the next is imported.
    pub async fn import_tickets(
        &self,
        actor: &Actor,
        tickets: impl IntoIterator<Item = ImportTicket>,
        now: DateTime<Utc>,
        mut tell: impl FnMut(u64, Result<Imported>),
    ) -> Result<ImportReport> {
        actor.check()?;
        let mut report = ImportReport::default();
        let mut n_told = 0;
        let mut tickets = tickets.into_iter().peekable();
        let mut is_permitted = false;
        while tickets.peek().is_some() {
            let mut n_bytes = 0;
            let mut group = Vec::new();
            while group.len() < IMPORT_GROUP_MAX && n_bytes < IMPORT_GROUP_BYTES {
                let Some(ticket) = tickets.next() else { break };
                n_bytes += ticket.messages.iter().map(|it| it.text.len()).sum::<usize>();
                group.push(Command::ImportTicket(ticket));
            }
            if let (false, Some(first)) = (is_permitted, group.first()) {
                self.check_permission(actor, first).await?;
                is_permitted = true;
            }
            for result in self.import_group(actor, group, now).await? {
                match &result {
                    Ok(imported) if imported.existed => report.n_existed += 1,
                    Ok(_) => report.n_imported += 1,
                    Err(_) => report.n_refused += 1,
                }
                tell(n_told, result);
                n_told += 1;
            }
        }
        Ok(report)
    }

    async fn import_group(
        &self,
        actor: &Actor,
        commands: Vec<Command>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Result<Imported>>> {
        let tenant = self.tenant(actor.tenant).await?;
        self.skip_imported_numbers(&tenant, &commands).await?;
        let calls: Vec<Call> = commands.into_iter().map(|it| call_of(actor, it)).collect();
        let mut group = self.load_group(actor, &tenant, &calls).await?;
        let mut results = Vec::with_capacity(calls.len());
        let mut sets = Vec::new();
        let mut decided = Vec::new();
        for (i, call) in calls.iter().enumerate() {
            let job = Job { actor, call, now, lease: None };
            match self.decide_one(&job, &tenant, &mut group).await? {
                Ok((Some(mut set), records, made)) => {
                    // It was decided on what those before it do.
                    set.after = sets.last().map(|before: &ChangeSet| before.commit_id);
                    sets.push(set);
                    decided.push((i, records));
                    results.push(imported(&made, false));
                }
                Ok((None, _, made)) => results.push(imported(&made, true)),
                Err(rejection) => results.push(Err(rejection.into())),
            }
        }
        let committed = self.inner.store.commit_many(sets).await;
        for ((i, records), committed) in decided.into_iter().zip(committed) {
            match committed {
                Ok(committed) => tenant.held_mut().take_commit(tenant.id, records, &committed),
                Err(error @ helpdesk_storage::StoreError::Unavailable { .. }) => {
                    return Err(error.into());
                }
                // A race was lost, by it or by one before it, or its end is not known: what
                // stands by now says whether it is there.
                Err(_) => {
                    let job = Job { actor, call: &calls[i], now, lease: None };
                    results[i] = match self.run(&job).await {
                        Ok(done) => imported(&done.outcome.made, done.outcome.events.is_empty()),
                        Err(Error::Store(
                            error @ helpdesk_storage::StoreError::Unavailable { .. },
                        )) => {
                            return Err(error.into());
                        }
                        Err(error) => Err(error),
                    };
                }
            }
        }
        Ok(results)
    }

    /// Numbers that imported tickets bring are never leased any more: asked once for a group.
    async fn skip_imported_numbers(&self, tenant: &Tenant, commands: &[Command]) -> Result<()> {
        let mut last: BTreeMap<&str, &TicketNumber> = BTreeMap::new();
        for command in commands {
            let Command::ImportTicket(ImportTicket { number: Some(number), .. }) = command else {
                continue;
            };
            // Over the limit: refused when it is decided.
            if number.n > helpdesk_core::limit::TICKET_NUMBER_MAX {
                continue;
            }
            let known = last.entry(&number.prefix).or_insert(number);
            if known.n < number.n {
                *known = number;
            }
        }
        for number in last.into_values() {
            self.skip_numbers(tenant, number).await?;
        }
        Ok(())
    }

    /// What the decisions of a group look at, in two reads.
    async fn load_group(&self, actor: &Actor, tenant: &Tenant, calls: &[Call]) -> Result<Group> {
        let mut group = Group { snapshot: tenant.snapshot(), known: BTreeMap::new() };
        let first = calls.iter().flat_map(|call| needs(&call.command, actor)).collect();
        self.fetch(tenant, &mut group, first).await?;
        let more = calls.iter().flat_map(|call| {
            let loaded = group.loaded(&needs(&call.command, actor));
            needs_more(&call.command, &loaded, &group.snapshot.desk)
        });
        let more = more.collect();
        self.fetch(tenant, &mut group, more).await?;
        Ok(group)
    }

    async fn fetch(
        &self,
        tenant: &Tenant,
        group: &mut Group,
        mut keys: Vec<RecordKey>,
    ) -> Result<()> {
        keys.sort();
        keys.dedup();
        keys.retain(|key| !group.known.contains_key(key));
        if keys.is_empty() {
            return Ok(());
        }
        let found = self.inner.store.get(tenant.id, &keys).await?;
        group.known.extend(keys.into_iter().zip(found));
        Ok(())
    }

    /// Decides one of a group, on what those before it will have done.
    async fn decide_one(
        &self,
        job: &Job<'_>,
        tenant: &Tenant,
        group: &mut Group,
    ) -> Result<Decided> {
        if group.snapshot.config_version == 0 {
            return Ok(Err(crate::load::no_tenant(tenant.id)));
        }
        let command = &job.call.command;
        let mut keys = needs(command, job.actor);
        loop {
            let more = needs_more(command, &group.loaded(&keys), &group.snapshot.desk);
            if more.is_empty() {
                break;
            }
            self.fetch(tenant, group, more.clone()).await?;
            keys.extend(more);
        }
        let loaded = group.loaded(&keys);
        let number = match command.may_open() {
            true => Some(self.number(tenant, group.snapshot.desk.number_prefix()).await?),
            false => None,
        };
        // What is imported is as it was; nothing is guessed.
        let context = context_of(job, &group.snapshot, number.clone());
        let give_back = || {
            if let Some(TicketNumber { prefix, n }) = &number {
                tenant.give_numbers(prefix, [*n]);
            }
        };
        let decision = match decide(&loaded, command, &context) {
            Ok(decision) => decision,
            Err(rejection) => {
                give_back();
                return Ok(Err(rejection));
            }
        };
        let made = decision.made.clone();
        if is_no_change(&decision) {
            give_back();
            return Ok(Ok((None, Vec::new(), made)));
        }
        let records = decision.records.iter().filter(|it| is_kept(it)).cloned().collect();
        let (mut set, _) = change_set(job, group.snapshot.config_version, decision, "");
        group.foresee(&set);
        // It is known by its external id.
        set.command = None;
        Ok(Ok((Some(set), records, made)))
    }
}

/// A change set with what the snapshot keeps of it, and what it makes; no change set for a
/// ticket that is there.
type Decided = std::result::Result<(Option<ChangeSet>, Vec<Record>, Made), Rejection>;

/// What a group's decisions look at: what was read, and what those before will have done.
struct Group {
    snapshot: Snapshot,
    known: BTreeMap<RecordKey, Option<Stored>>,
}

impl Group {
    fn loaded(&self, keys: &[RecordKey]) -> Loaded {
        let mut loaded = Loaded::default();
        for key in keys {
            if let Some(stored) = self.known.get(key) {
                loaded.add(key, stored.clone());
            }
        }
        loaded
    }

    /// Takes in what a decision does, as the store will have it once it is committed.
    fn foresee(&mut self, set: &ChangeSet) {
        let mut stored: BTreeMap<StreamId, Stored> = BTreeMap::new();
        for record in &set.put {
            let Some(stream) = record.stream() else { continue };
            let Some(version) = set.version_after(stream) else { continue };
            let new = Stored { version, record: record.clone() };
            if is_kept(record) {
                put_agent(std::sync::Arc::make_mut(&mut self.snapshot.roster), &new);
            }
            self.known.insert(RecordKey::Stream(stream), Some(new.clone()));
            stored.insert(stream, new);
        }
        for op in &set.unique {
            let (key, found) = match op {
                UniqueOp::Put { key, stream, .. } => (key, stored.get(stream).cloned()),
                UniqueOp::Remove { key } => (key, None),
            };
            self.known.insert(RecordKey::Unique(key.clone()), found);
        }
    }
}

/// A command under the id that its external id gives.
fn call_of(actor: &Actor, command: Command) -> Call {
    let external_id = match &command {
        Command::ImportTicket(import) => import.external_id.as_str(),
        _ => "",
    };
    let parts: [&[u8]; 3] = [b"import", actor.tenant.0.as_bytes(), external_id.as_bytes()];
    Call::new(derived_command_id(&parts), command)
}

fn imported(made: &Made, existed: bool) -> Result<Imported> {
    let Some(ticket) = made.ticket else {
        return Err(Rejection::new(Code::Internal, "an import made no ticket").into());
    };
    Ok(Imported { ticket, number: made.number.clone(), existed })
}
