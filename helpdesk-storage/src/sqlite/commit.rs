//! Commits: what is checked, then what is written, in one transaction.

use super::doc::{count, decode_command, encode, int, is_one_run, stream_kind};
use super::failure::{BACKEND, failed};
use super::prepared::Prepared;
use super::session::{Session, doc, integer, uuid, word};
use crate::order::{category_rank, count_rank, micros, number_rank, priority_rank};
use crate::plan::{Plan, Slot, check_expected, check_outbox, invalid, plan_unique};
use crate::{ChangeSet, Committed, LeasedThing, Result, StoreError, TimerOp};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{CommandRecord, OutboxMessage, Record, UniqueKey};
use helpdesk_core::event::{StreamId, StreamKind, TimerKind};
use helpdesk_core::id::{Key, TenantId, TicketId, Version};
use helpdesk_core::ticket::{Follower, Ticket};
use rusqlite::{Row, ToSql, ffi, params};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Positions of a stretch of the journal: of those where a tenant has a row, `stretch` has one.
pub(super) const STRETCH: u64 = 128;
/// The last position with which a conversation may begin: its messages' numbers take the lower
/// half of an integer.
const CONVERSATION_MAX: u64 = i32::MAX as u64;

/// Values of a case that a change takes: all but where its journal and its messages begin.
const N_CHANGED: usize = 21;

/// What the checks found out.
#[derive(Debug)]
pub(super) enum Checked<'a> {
    /// The command was committed before.
    Replay(CommandRecord),
    /// All expectations hold.
    Holds(Keys<'a>),
}

/// The unique keys that change.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    /// What each finds afterwards.
    after: BTreeMap<&'a UniqueKey, Option<StreamId>>,
    /// Tickets' numbers that found nothing before.
    new_numbers: Vec<&'a UniqueKey>,
}

impl<'a> Keys<'a> {
    /// The key that finds a new ticket by its own number, which the ticket's row says.
    fn of_number(&self, ticket: &Ticket) -> Option<&'a UniqueKey> {
        let is_own = |key: &UniqueKey| matches!(key, UniqueKey::Number { number } if *number == ticket.number);
        let key = self.new_numbers.iter().copied().find(|key| is_own(key))?;
        (self.after.get(key) == Some(&Some(StreamId::case(ticket.id)))).then_some(key)
    }
}

/// The journal's end before a commit.
#[derive(Debug, Clone, Copy)]
struct Tail {
    /// Of the last entry, 0 before the first.
    position: u64,
    /// Whose that is.
    tenant: Option<TenantId>,
}

/// A new ticket and the row in which its journal begins.
#[derive(Debug, Clone, Copy)]
struct Opened {
    stream: StreamId,
    position: u64,
}

/// What is said of a case that is written.
#[derive(Debug, Clone, Copy)]
struct Said<'a> {
    version: Version,
    doc: &'a str,
    /// The message in the outbox that is alone in its lane.
    outbox_seq: Option<i64>,
    /// When it is new.
    new: Option<New<'a>>,
}

/// What is said of a case when it is new.
#[derive(Debug, Clone, Copy)]
struct New<'a> {
    /// The key that its own number is.
    number_key: Option<&'a UniqueKey>,
    /// The row of the journal in which it begins.
    first_run: Option<u64>,
}

/// How a message comes into the outbox.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// When it is due, once it is the first of its lane.
    due_at: i64,
    /// How often it was claimed before.
    n_claims: u32,
    /// Whether others of its lane come first.
    waits: bool,
    /// Whether its ticket says where it is.
    is_alone: bool,
}

impl Session<'_> {
    /// Checks a change set; writes nothing.
    pub(super) fn check<'c>(&self, prepared: &'c Prepared<'_>) -> Result<Checked<'c>> {
        let change_set = prepared.change_set();
        if let Some(record) = self.known_command(change_set)? {
            return Ok(Checked::Replay(record));
        }
        let tenant = change_set.tenant;
        check_expected(change_set, |stream| self.version(tenant, stream))?;
        self.check_done(change_set)?;
        let mut new_numbers = Vec::new();
        let after = plan_unique(&change_set.unique, |key| {
            let found = self.unique(tenant, key)?;
            if found.is_none() && matches!(key, UniqueKey::Number { .. }) {
                new_numbers.push(key);
            }
            Ok(found)
        })?;
        // That none is there yet the index says when they are written: it is a mistake, not
        // a race, so it is no matter that the others of a batch are committed again.
        check_outbox(change_set, |_| Ok(false))?;
        Ok(Checked::Holds(Keys { after, new_numbers }))
    }

    /// Writes a change set that was checked in the same transaction.
    pub(super) fn write(&self, prepared: &Prepared<'_>, checked: Checked<'_>) -> Result<Committed> {
        let keys = match checked {
            Checked::Replay(record) => return Ok(Committed::replayed(record)),
            Checked::Holds(keys) => keys,
        };
        let (change_set, plan) = (prepared.change_set(), &prepared.plan);
        if self.conn.is_autocommit() {
            return Err(ended());
        }
        let tenant = change_set.tenant;
        // Before what is done goes: an id that is there is refused, even one that is done here.
        let alone = self.push_all(prepared)?;
        let tail = (!change_set.events.is_empty()).then(|| self.tail()).transpose()?;
        let opened = opened(prepared, tail);
        self.put_records(prepared, &keys, &opened, &alone)?;
        for written in plan.written.iter().filter(|written| !written.is_put) {
            self.bump(tenant, written.stream, written.version)?;
        }
        let position = self.append(prepared, tail, &opened)?;
        if let (Some(command), Some(doc)) = (&change_set.command, &prepared.command) {
            self.put_command(tenant, command, doc)?;
        }
        for token in &change_set.done {
            self.remove_leased(tenant, token.thing)?;
        }
        for op in &change_set.timers {
            self.set_timer(tenant, *op)?;
        }
        Ok(Committed::new(plan.versions(), position))
    }

    fn known_command(&self, change_set: &ChangeSet) -> Result<Option<CommandRecord>> {
        let Some(command) = &change_set.command else { return Ok(None) };
        let (tenant, id) = (change_set.tenant.0, command.id);
        let found = self.first(
            &self.sql.command_get,
            params![tenant.as_bytes(), id.0.as_bytes()],
            |row| decode_command(id, word(row, 0)?, doc(row, 1)?),
        )?;
        match found {
            Some(known) if known.expires_at <= change_set.at => Ok(None),
            Some(known) if known.sha256 == command.sha256 => Ok(Some(known)),
            Some(_) => Err(StoreError::KeyReused { command_id: id }),
            None => Ok(None),
        }
    }

    fn version(&self, tenant: TenantId, stream: StreamId) -> Result<Version> {
        let (tenant, id) = (tenant.0.as_bytes(), stream.id.as_bytes());
        let read = |row: &Row<'_>| count(integer(row, 0)?);
        let found = match stream.kind {
            StreamKind::Case => self.first(&self.sql.ticket_version, params![tenant, id], read)?,
            kind => {
                let params = params![tenant, kind.as_str(), id];
                self.first(&self.sql.entity_version, params, read)?
            }
        };
        Ok(found.unwrap_or(0))
    }

    fn check_done(&self, change_set: &ChangeSet) -> Result<()> {
        let mut finished = BTreeSet::new();
        for token in &change_set.done {
            let holds = token.tenant == change_set.tenant
                && finished.insert(token.thing)
                && self.is_held(*token)?;
            if !holds {
                return Err(StoreError::StaleLease);
            }
        }
        Ok(())
    }

    /// What a unique key finds.
    pub(super) fn unique(&self, tenant: TenantId, key: &UniqueKey) -> Result<Option<StreamId>> {
        let (tenant, text) = (tenant.0.as_bytes(), key.text());
        let read =
            |row: &Row<'_>| Ok(StreamId { kind: stream_kind(word(row, 0)?)?, id: uuid(row, 1)? });
        match key {
            UniqueKey::Number { number } => {
                let params = params![tenant, text, count_rank(number.n)];
                self.first(&self.sql.number_get, params, read)
            }
            _ => self.first(&self.sql.unique_get, params![tenant, key.kind(), text], read),
        }
    }

    fn write_unique(
        &self,
        tenant: TenantId,
        key: &UniqueKey,
        owner: Option<StreamId>,
    ) -> Result<()> {
        let (tenant, kind, text) = (tenant.0.as_bytes(), key.kind(), key.text());
        if let UniqueKey::Number { number } = key {
            // The row says it now, or that there is none.
            let params = params![tenant, text, count_rank(number.n)];
            self.run(&self.sql.number_unset, params)?;
        }
        match owner {
            Some(StreamId { kind: of, id }) => {
                let params = params![tenant, kind, text, of.as_str(), id.as_bytes()];
                self.run(&self.sql.unique_put, params)?;
            }
            None => {
                self.run(&self.sql.unique_remove, params![tenant, kind, text])?;
            }
        }
        Ok(())
    }

    /// Writes the unique keys and the records: cases first, as they say where their messages go
    /// and what their numbers find.
    fn put_records(
        &self,
        prepared: &Prepared<'_>,
        keys: &Keys<'_>,
        opened: &[Opened],
        alone: &BTreeMap<Uuid, i64>,
    ) -> Result<()> {
        let (change_set, plan) = (prepared.change_set(), &prepared.plan);
        let tenant = change_set.tenant;
        let mut own_numbers = Vec::new();
        let mut others = Vec::with_capacity(change_set.put.len());
        for ((record, slot), doc) in change_set.put.iter().zip(&plan.slots).zip(&prepared.records) {
            let (Record::Case(case), Slot::Stream(stream)) = (record, *slot) else {
                others.push((*slot, doc));
                continue;
            };
            let Some(written) = plan.of(stream) else { continue };
            let new = (written.expected == 0).then(|| New {
                number_key: keys.of_number(&case.ticket),
                first_run: opened.iter().find(|it| it.stream == stream).map(|it| it.position),
            });
            own_numbers.extend(new.and_then(|new| new.number_key));
            let outbox_seq = alone.get(&stream.id).copied();
            let version = written.version;
            self.put_case(tenant, case, Said { version, doc, outbox_seq, new })?;
        }
        for (key, owner) in &keys.after {
            if !own_numbers.contains(key) {
                self.write_unique(tenant, key, *owner)?;
            }
        }
        for (slot, doc) in others {
            self.put(tenant, slot, plan, doc)?;
        }
        Ok(())
    }

    fn put(&self, tenant: TenantId, slot: Slot, plan: &Plan, doc: &str) -> Result<()> {
        match slot {
            Slot::Stream(stream) => {
                let Some(written) = plan.of(stream) else { return Ok(()) };
                let (is_new, version) = (written.expected == 0, int(written.version));
                self.put_entity(tenant, stream, is_new, version, doc)?;
            }
            Slot::Message(TicketId(ticket), seq) => {
                let params = params![tenant.0.as_bytes(), ticket.as_bytes(), seq, doc];
                // Not beside others: the ticket is of an earlier schema, or not there yet.
                if self.run(&self.sql.placed_put, params)? == 0 {
                    self.run(&self.sql.message_put, params)?;
                }
            }
            Slot::ConfigVersion(version) => {
                let params = params![tenant.0.as_bytes(), int(version), doc];
                self.run(&self.sql.config_put, params)?;
            }
        }
        Ok(())
    }

    /// Writes a case; one that is there already without what is said of new ones.
    fn put_case(&self, tenant: TenantId, case: &Case, said: Said<'_>) -> Result<()> {
        let ticket = &case.ticket;
        let Said { version, doc, outbox_seq, new } = said;
        let number_key = new.and_then(|new| new.number_key);
        let first_run = new.and_then(|new| new.first_run);
        // No other ticket has this position, so its messages have the place to themselves.
        let conversation = first_run.filter(|position| *position <= CONVERSATION_MAX);
        let params: &[&dyn ToSql] = params![
            tenant.0.as_bytes(),
            ticket.id.0.as_bytes(),
            int(version),
            number_rank(ticket),
            shelf(ticket),
            category_rank(ticket.category),
            ticket.status.as_str(),
            ticket.priority.map(priority_rank),
            ticket.queue.as_ref().map(Key::as_str),
            ticket.group.as_ref().map(Key::as_str),
            ticket.assignee.as_ref().map(|id| id.0.as_bytes()),
            ticket.requester.0.as_bytes(),
            ticket.organization.as_ref().map(|id| id.0.as_bytes()),
            copied(ticket),
            micros(ticket.times.created_at),
            micros(ticket.times.updated_at),
            ticket.times.last_requester_at.map(micros),
            case.due_at().map(micros),
            doc,
            number_key.map(UniqueKey::text),
            outbox_seq,
            first_run.map(int),
            conversation.map(int),
        ];
        if new.is_some() {
            self.run(&self.sql.ticket_insert, params)?;
            return Ok(());
        }
        let of_all = &params[..N_CHANGED];
        if self.run(&self.sql.ticket_update, of_all)? == 0 {
            // It gets another number, and the one before still finds it.
            let id = &params[..2];
            self.run(&self.sql.number_move, id)?;
            self.run(&self.sql.number_moved, id)?;
            self.run(&self.sql.ticket_update, of_all)?;
        }
        Ok(())
    }

    fn put_entity(
        &self,
        tenant: TenantId,
        stream: StreamId,
        is_new: bool,
        version: i64,
        doc: &str,
    ) -> Result<()> {
        let sql = if is_new { &self.sql.entity_insert } else { &self.sql.entity_update };
        let (kind, id) = (stream.kind.as_str(), stream.id.as_bytes());
        self.run(sql, params![tenant.0.as_bytes(), kind, id, version, doc])?;
        Ok(())
    }

    fn bump(&self, tenant: TenantId, stream: StreamId, version: Version) -> Result<()> {
        let (tenant, id) = (tenant.0.as_bytes(), stream.id.as_bytes());
        match stream.kind {
            StreamKind::Case => {
                self.run(&self.sql.ticket_bump, params![tenant, id, int(version)])?
            }
            kind => {
                let params = params![tenant, kind.as_str(), id, int(version)];
                self.run(&self.sql.entity_bump, params)?
            }
        };
        Ok(())
    }

    /// Appends the journal's entries, a row for each run of them.
    fn append(
        &self,
        prepared: &Prepared<'_>,
        tail: Option<Tail>,
        opened: &[Opened],
    ) -> Result<Option<u64>> {
        let change_set = prepared.change_set();
        let tenant = change_set.tenant;
        let mut position = tail.map_or(0, |tail| tail.position);
        // Where the tenant was last is noted already.
        let mut noted = tail.filter(|it| it.tenant == Some(tenant)).map(|it| it.position / STRETCH);
        let mut numbers = prepared.plan.numbers.iter();
        for (run, doc) in change_set.events.chunk_by(is_one_run).zip(&prepared.runs) {
            let (Some(first), Some(n)) = (run.first(), numbers.nth(run.len() - 1)) else {
                continue;
            };
            let (kind, id) = (first.stream.kind.as_str(), first.stream.id.as_bytes());
            position += run.len() as u64;
            let tenant = tenant.0.as_bytes();
            let opens = opened.iter().any(|it| it.position == position).then_some(true);
            let params = params![int(position), tenant, kind, id, int(*n), doc, opens];
            self.run(&self.sql.event_insert, params)?;
            let stretch = position / STRETCH;
            if noted != Some(stretch) {
                self.run(&self.sql.stretch_put, params![tenant, int(stretch)])?;
                noted = Some(stretch);
            }
        }
        Ok((!change_set.events.is_empty()).then_some(position))
    }

    /// Where the journal ends.
    fn tail(&self) -> Result<Tail> {
        let last = self.first(&self.sql.event_last, [], |row| {
            let tenant = Some(TenantId(uuid(row, 1)?));
            Ok(Tail { position: count(integer(row, 0)?)?, tenant })
        })?;
        Ok(last.unwrap_or(Tail { position: 0, tenant: None }))
    }

    fn put_command(&self, tenant: TenantId, command: &CommandRecord, doc: &str) -> Result<()> {
        let (tenant, id) = (tenant.0.as_bytes(), command.id.0.as_bytes());
        let expires_at = micros(command.expires_at);
        let params = params![tenant, id, command.sha256, expires_at, doc];
        self.run(&self.sql.command_put, params)?;
        Ok(())
    }

    fn set_timer(&self, tenant: TenantId, op: TimerOp) -> Result<()> {
        match op {
            TimerOp::Cancel { stream, kind } => {
                self.remove_leased(tenant, LeasedThing::Timer { stream, kind })
            }
            TimerOp::Set { stream, kind, due_at } => {
                let (tenant, of, id) =
                    (tenant.0.as_bytes(), stream.kind.as_str(), stream.id.as_bytes());
                let params =
                    params![tenant, of, id, kind.as_str(), timer_rank(kind), micros(due_at)];
                self.run(&self.sql.timer_set, params)?;
                Ok(())
            }
        }
    }

    /// Puts the messages of a change set at the end of the outbox. Of each that is put together
    /// with the ticket that its lane is of, and alone in that: where it is, for the ticket to say.
    fn push_all(&self, prepared: &Prepared<'_>) -> Result<BTreeMap<Uuid, i64>> {
        let change_set = prepared.change_set();
        let tenant = change_set.tenant;
        let mut alone = BTreeMap::new();
        for (new, doc) in change_set.outbox.iter().zip(&prepared.messages) {
            let message = &new.message;
            let lane = message.ordering_key;
            let waits = alone.contains_key(&lane) || self.is_in_lane(tenant, lane)?;
            let is_alone = !waits && puts_case(change_set, lane);
            let due_at = micros(message.not_before);
            self.queue(tenant, message, doc, Place { due_at, n_claims: 0, waits, is_alone })?;
            if is_alone {
                alone.insert(lane, self.conn.last_insert_rowid());
            }
        }
        Ok(alone)
    }

    /// Puts a message at the end of the outbox.
    pub(super) fn push(
        &self,
        tenant: TenantId,
        message: &OutboxMessage,
        due_at: i64,
        n_claims: u32,
    ) -> Result<()> {
        let waits = self.is_in_lane(tenant, message.ordering_key)?;
        let place = Place { due_at, n_claims, waits, is_alone: false };
        self.queue(tenant, message, &encode(message)?, place)
    }

    /// Whether a message is in the lane.
    fn is_in_lane(&self, tenant: TenantId, lane: Uuid) -> Result<bool> {
        let params = params![tenant.0.as_bytes(), lane.as_bytes()];
        let found = self.first(&self.sql.outbox_lane, params, |row| integer(row, 0))?;
        Ok(found.is_some_and(|any| any != 0))
    }

    fn queue(
        &self,
        tenant: TenantId,
        message: &OutboxMessage,
        doc: &str,
        place: Place,
    ) -> Result<()> {
        let (tenant, id) = (tenant.0.as_bytes(), message.id.as_bytes());
        let (lane, topic) = (message.ordering_key.as_bytes(), message.effect.topic());
        let Place { due_at, n_claims, waits, is_alone } = place;
        let of_first = (!waits).then_some(due_at);
        let is_alone = is_alone.then_some(true);
        let params = params![tenant, id, lane, topic, due_at, of_first, n_claims, doc, is_alone];
        let mut statement = self.prepare(&self.sql.outbox_insert)?;
        match statement.execute(params) {
            Ok(_) => Ok(()),
            Err(error) if is_taken(&error) => {
                Err(invalid(format!("outbox message `{}` is already there", message.id)))
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// Whether the ticket with this id is put.
fn puts_case(change_set: &ChangeSet, id: Uuid) -> bool {
    let is_it = |record: &Record| matches!(record, Record::Case(case) if case.ticket.id.0 == id);
    change_set.put.iter().any(is_it)
}

/// Where the journal of each new ticket begins.
fn opened(prepared: &Prepared<'_>, tail: Option<Tail>) -> Vec<Opened> {
    let mut opened: Vec<Opened> = Vec::new();
    let Some(Tail { mut position, .. }) = tail else { return opened };
    for run in prepared.change_set().events.chunk_by(is_one_run) {
        position += run.len() as u64;
        let Some(stream) = run.first().map(|first| first.stream) else { continue };
        let is_new = |stream| prepared.plan.of(stream).is_some_and(|it| it.expected == 0);
        let is_known = || opened.iter().any(|it| it.stream == stream);
        if stream.kind == StreamKind::Case && is_new(stream) && !is_known() {
            opened.push(Opened { stream, position });
        }
    }
    opened
}

/// Whether a unique index refused a row.
fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|it| it.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE)
}

/// A failure of the disk ends the transaction of whoever met it, and each statement
/// after it would be a commit of its own.
fn ended() -> StoreError {
    let source = "the transaction ended when an earlier read or write failed".into();
    StoreError::Unavailable { backend: BACKEND, retry_after: None, source }
}

/// On which shelf a ticket lies, as tables keep it.
fn shelf(ticket: &Ticket) -> i64 {
    match (ticket.deleted, ticket.spam) {
        (true, _) => super::filter::DELETED,
        (false, true) => super::filter::SPAM,
        (false, false) => super::filter::LIVE,
    }
}

/// The contacts on copy, one id after the other; `None` without any.
fn copied(ticket: &Ticket) -> Option<Vec<u8>> {
    let mut ids = Vec::new();
    for follower in &ticket.followers {
        match follower {
            Follower::Contact { id } => ids.extend_from_slice(id.0.as_bytes()),
            Follower::Agent { .. } => {}
        }
    }
    (!ids.is_empty()).then_some(ids)
}

/// The rank of a timer among those of one instant.
fn timer_rank(kind: TimerKind) -> i64 {
    let position = TimerKind::ALL.iter().position(|known| *known == kind);
    position.and_then(|at| i64::try_from(at).ok()).unwrap_or(i64::MAX)
}
