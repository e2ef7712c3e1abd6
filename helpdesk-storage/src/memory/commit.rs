//! Commits: everything is checked before anything is written.

use super::state::{Row, State, Tenant};
use crate::plan::{Plan, Slot, check_expected, check_outbox, plan_unique};
use crate::{ChangeSet, Committed, Result, StoreError, TimerOp};
use helpdesk_core::case::record::{CommandRecord, Record};
use helpdesk_core::event::{NewEvent, Recorded, StreamId};
use helpdesk_core::id::{AgentId, TenantId, Version};
use std::collections::BTreeSet;
use std::sync::Arc;

impl State {
    pub(super) fn commit(&mut self, change_set: ChangeSet) -> Result<Committed> {
        let plan = Plan::new(&change_set)?;
        let tenant = self.tenants.entry(change_set.tenant).or_default();
        if let Some(record) = known_command(tenant, &change_set)? {
            return Ok(Committed::replayed(record));
        }
        check_expected(&change_set, |stream| Ok(tenant.version(stream)))?;
        self.check_done(&change_set)?;
        self.write(change_set, &plan)
    }

    fn check_done(&self, change_set: &ChangeSet) -> Result<()> {
        let mut finished = BTreeSet::new();
        for token in &change_set.done {
            let holds = token.tenant == change_set.tenant
                && finished.insert(token.thing)
                && self.is_held(*token);
            if !holds {
                return Err(StoreError::StaleLease);
            }
        }
        Ok(())
    }

    fn write(&mut self, change_set: ChangeSet, plan: &Plan) -> Result<Committed> {
        let id = change_set.tenant;
        let tenant = self.tenants.entry(id).or_default();
        let unique = plan_unique(&change_set.unique, |key| Ok(tenant.unique.get(key).copied()))?;
        check_outbox(&change_set, |message| Ok(self.outbox.has(id, message)))?;
        // The last check is done; from here nothing fails.
        for (key, owner) in unique {
            match owner {
                Some(stream) => tenant.unique.insert(key.clone(), stream),
                None => tenant.unique.remove(key),
            };
        }
        for (record, slot) in change_set.put.into_iter().zip(&plan.slots) {
            tenant.put(Arc::new(record), *slot, plan);
        }
        for written in &plan.written {
            if let Some(row) = tenant.things.get_mut(&written.stream) {
                row.version = written.version;
            }
        }
        let position = append(tenant, &mut self.position, change_set.events, &plan.numbers);
        if let Some(command) = change_set.command {
            tenant.commands.insert(command.id, command);
        }
        for token in change_set.done {
            self.remove(token);
        }
        self.set_timers(id, &change_set.timers);
        for new in change_set.outbox {
            self.outbox.push(id, new.message);
        }
        Ok(Committed::new(plan.versions(), position))
    }

    fn set_timers(&mut self, tenant: TenantId, ops: &[TimerOp]) {
        for op in ops {
            match *op {
                TimerOp::Set { stream, kind, due_at } => {
                    self.timers.set(tenant, stream, kind, due_at);
                }
                TimerOp::Cancel { stream, kind } => self.timers.cancel(tenant, stream, kind),
            }
        }
    }
}

/// Who has an unsolved case, if anybody; `None` for any other record.
fn holder(record: &Record) -> Option<Option<AgentId>> {
    match record {
        Record::Case(case) => case.ticket.category.is_unsolved().then_some(case.ticket.assignee),
        _ => None,
    }
}

impl Tenant {
    fn put(&mut self, record: Arc<Record>, slot: Slot, plan: &Plan) {
        match slot {
            Slot::Stream(stream) => {
                let version = new_version(plan, stream);
                let before = self.things.get(&stream).and_then(|row| holder(&row.record));
                if let Some(before) = before {
                    self.unsolved.remove(&(before, stream));
                }
                self.unsolved.extend(holder(&record).map(|holder| (holder, stream)));
                self.things.insert(stream, Row { version, record });
            }
            Slot::Message(ticket, seq) => {
                self.messages.insert((ticket, seq), record);
            }
            Slot::ConfigVersion(version) => {
                self.configs.insert(version, record);
            }
        }
    }
}

fn new_version(plan: &Plan, stream: StreamId) -> Version {
    plan.of(stream).map_or(0, |written| written.version)
}

/// What is kept of this command, if it was committed before.
fn known_command(tenant: &Tenant, change_set: &ChangeSet) -> Result<Option<CommandRecord>> {
    let Some(command) = &change_set.command else { return Ok(None) };
    match tenant.commands.get(&command.id) {
        Some(known) if known.expires_at <= change_set.at => Ok(None),
        Some(known) if known.sha256 == command.sha256 => Ok(Some(known.clone())),
        Some(_) => Err(StoreError::KeyReused { command_id: command.id }),
        None => Ok(None),
    }
}

fn append(
    tenant: &mut Tenant,
    position: &mut u64,
    events: Vec<NewEvent>,
    numbers: &[Version],
) -> Option<u64> {
    let mut last = None;
    for (entry, n) in events.into_iter().zip(numbers) {
        *position += 1;
        let key = (entry.stream, *n);
        let entry = Arc::new(Recorded { n: *n, position: *position, entry });
        tenant.journal.insert(key, Arc::clone(&entry));
        tenant.feed.insert(*position, entry);
        last = Some(*position);
    }
    last
}
