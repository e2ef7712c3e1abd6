//! The model: what a store holds, as lists, and what each call does to them.

use super::step::{Step, step};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use helpdesk::core::case::record::{
    CommandRecord, DeadLetter, OutboxMessage, Record, RecordKey, UniqueKey,
};
use helpdesk::core::event::{NewEvent, Recorded, StreamId};
use helpdesk::core::id::{CommandId, TenantId, TicketId};
use helpdesk::core::ticket::message::Message;
use helpdesk_storage::{
    ChangeSet, ClaimParams, ClaimWhat, Claimed, Conflict, Lease, LeaseBody, LeaseToken,
    LeasedThing, Maintain, Settle, SettleHow, TimerOp, UniqueOp,
};
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Tenants.
pub(crate) const TENANTS: [TenantId; 2] =
    [TenantId(Uuid::from_u128(0xA)), TenantId(Uuid::from_u128(0xB))];

/// Seconds after the beginning.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    crate::office::start() + TimeDelta::seconds(seconds)
}

/// A call of a store.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Nothing,
    Commit(Box<ChangeSet>),
    CommitMany(Vec<ChangeSet>),
    Claim(ClaimParams),
    Settle(Vec<Settle>),
    Maintain(Maintain),
    Reopen,
}

/// What it answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Nothing,
    Commits(Vec<End>),
    Claimed(Claimed),
    /// Which leases still stood.
    Settled(Vec<bool>),
    Rows(u64),
}

/// How a commit ends. Positions are the backend's own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Done(Vec<(StreamId, u64)>),
    Replayed(CommandRecord),
    Conflict(Conflict),
    Duplicate(UniqueKey),
    KeyReused(CommandId),
    StaleLease,
    NotAfter(CommandId),
    Invalid,
}

/// A timer or an outbox message.
#[derive(Debug, Clone)]
pub(super) struct Due {
    tenant: TenantId,
    thing: LeasedThing,
    message: Option<OutboxMessage>,
    /// When it was to happen, and when it can be claimed.
    set_for: DateTime<Utc>,
    due_at: DateTime<Utc>,
    is_leased: bool,
    generation: u32,
    n_claims: u32,
    n_attempts: u32,
}

/// Everything that a store holds.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(super) now: i64,
    pub(super) records: BTreeMap<(TenantId, StreamId), (u64, Record)>,
    pub(super) messages: BTreeMap<(TenantId, TicketId, u32), Message>,
    pub(super) journal: Vec<(TenantId, u64, NewEvent)>,
    pub(super) unique: BTreeMap<(TenantId, UniqueKey), StreamId>,
    pub(super) commands: BTreeMap<(TenantId, CommandId), CommandRecord>,
    /// With how often each was claimed.
    pub(super) dead: Vec<(TenantId, DeadLetter, u32)>,
    /// What is to be done; messages in order of commit.
    due: Vec<Due>,
    /// How often each timer was set, gone ones too.
    generations: BTreeMap<(TenantId, LeasedThing), u32>,
    pub(super) tokens: Vec<LeaseToken>,
    /// Who leads each job, and until when.
    leads: BTreeMap<String, (String, DateTime<Utc>)>,
    pub(super) n_commits: u128,
    /// The last call, and what it must answer.
    pub(super) last: (Call, Answer),
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::new()).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        step().boxed()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        model.make(step);
        model
    }
}

impl Model {
    /// An empty store.
    pub(crate) fn new() -> Self {
        Self {
            now: 0,
            records: BTreeMap::new(),
            messages: BTreeMap::new(),
            journal: Vec::new(),
            unique: BTreeMap::new(),
            commands: BTreeMap::new(),
            dead: Vec::new(),
            due: Vec::new(),
            generations: BTreeMap::new(),
            tokens: Vec::new(),
            leads: BTreeMap::new(),
            n_commits: 0x1000,
            last: (Call::Nothing, Answer::Nothing),
        }
    }

    /// Does what a step is; the call.
    pub(crate) fn make(&mut self, step: &Step) -> Call {
        let call = self.call(step);
        let answer = self.answer(&call);
        self.last = (call.clone(), answer);
        call
    }

    /// What a call answers and does.
    pub(super) fn answer(&mut self, call: &Call) -> Answer {
        match call {
            Call::Nothing | Call::Reopen => Answer::Nothing,
            Call::Commit(change) => {
                Answer::Commits(vec![self.commit(change, &mut BTreeSet::new())])
            }
            Call::CommitMany(changes) => {
                let mut series = BTreeSet::new();
                let ends = changes.iter().map(|change| self.commit(change, &mut series));
                Answer::Commits(ends.collect())
            }
            Call::Claim(params) => Answer::Claimed(self.claim(params)),
            Call::Settle(settles) => {
                Answer::Settled(settles.iter().map(|settle| self.settle(settle)).collect())
            }
            Call::Maintain(maintain) => Answer::Rows(self.maintain(maintain)),
        }
    }

    /// The version of a thing, 0 for absent.
    pub(super) fn version(&self, tenant: TenantId, stream: StreamId) -> u64 {
        self.records.get(&(tenant, stream)).map_or(0, |(version, _)| *version)
    }

    /// Commits a change set, in its turn in a series of which these were committed.
    pub(super) fn commit(&mut self, change: &ChangeSet, series: &mut BTreeSet<CommandId>) -> End {
        let end = match change.after {
            Some(after) if !series.contains(&after) => End::NotAfter(after),
            _ => self.commit_alone(change),
        };
        match end {
            End::Done(_) => series.insert(change.commit_id),
            _ => series.remove(&change.commit_id),
        };
        end
    }

    fn commit_alone(&mut self, change: &ChangeSet) -> End {
        let Some(written) = written(change) else { return End::Invalid };
        let of = change.tenant;
        if let Some(command) = &change.command
            && let Some(known) = self.commands.get(&(of, command.id))
            && known.expires_at > change.at
        {
            return match known.sha256 == command.sha256 {
                true => End::Replayed(known.clone()),
                false => End::KeyReused(command.id),
            };
        }
        for expect in &change.expect {
            let actual = self.version(of, expect.stream);
            if actual != expect.version {
                let (stream, expected) = (expect.stream, expect.version);
                return End::Conflict(Conflict { stream, expected, actual });
            }
        }
        let done: BTreeSet<_> = change.done.iter().map(|token| token.thing).collect();
        let stands = |token: &LeaseToken| token.tenant == of && self.held(token).is_some();
        if done.len() < change.done.len() || !change.done.iter().all(stands) {
            return End::StaleLease;
        }
        let mut unique = self.unique.clone();
        if let Err(key) = put_unique(&mut unique, of, &change.unique) {
            return End::Duplicate(key);
        }
        let ids: BTreeSet<_> = change.outbox.iter().map(|new| new.message.id).collect();
        if ids.len() < change.outbox.len() || ids.iter().any(|id| self.is_in_outbox(of, *id)) {
            return End::Invalid;
        }
        self.unique = unique;
        self.write(change, &written);
        End::Done(written)
    }

    fn write(&mut self, change: &ChangeSet, written: &[(StreamId, u64)]) {
        let of = change.tenant;
        for record in &change.put {
            if let Record::Message(message) = record {
                let key = (of, message.ticket_id, message.meta.seq);
                self.messages.insert(key, Message::clone(message));
            } else if let Some(stream) = record.stream() {
                self.records.insert((of, stream), (0, record.clone()));
            }
        }
        for (stream, version) in written {
            self.records.get_mut(&(of, *stream)).unwrap().0 = *version;
            let events = change.events.iter().filter(|event| event.stream == *stream);
            let n_events = events.count() as u64;
            let mut n = version - n_events;
            // Numbers go by stream, the journal by the order of the change set.
            self.journal.extend(change.events.iter().filter_map(|event| {
                if event.stream != *stream {
                    return None;
                }
                n += 1;
                Some((of, n, event.clone()))
            }));
        }
        if let Some(command) = &change.command {
            self.commands.insert((of, command.id), command.clone());
        }
        for token in &change.done {
            self.due.retain(|due| (due.tenant, due.thing) != (of, token.thing));
        }
        for op in &change.timers {
            let (TimerOp::Set { stream, kind, .. } | TimerOp::Cancel { stream, kind }) = *op;
            let thing = LeasedThing::Timer { stream, kind };
            self.due.retain(|due| (due.tenant, due.thing) != (of, thing));
            if let TimerOp::Set { due_at, .. } = op {
                let generation = self.generations.entry((of, thing)).or_default();
                *generation += 1;
                let generation = *generation;
                self.push(of, thing, None, *due_at, (generation, 0));
            }
        }
        for new in &change.outbox {
            let thing = LeasedThing::Outbox { id: new.message.id };
            self.push(of, thing, Some(new.message.clone()), new.message.not_before, (0, 0));
        }
    }

    fn push(
        &mut self,
        tenant: TenantId,
        thing: LeasedThing,
        message: Option<OutboxMessage>,
        at: DateTime<Utc>,
        (generation, n_claims): (u32, u32),
    ) {
        let at = at.trunc_subsecs(6);
        let (set_for, due_at) = (at, at);
        let (is_leased, n_attempts) = (false, 0);
        self.due.push(Due {
            tenant,
            thing,
            message,
            set_for,
            due_at,
            is_leased,
            generation,
            n_claims,
            n_attempts,
        });
    }

    fn is_in_outbox(&self, of: TenantId, id: Uuid) -> bool {
        self.due.iter().any(|due| (due.tenant, due.thing) == (of, LeasedThing::Outbox { id }))
    }

    /// Where the lease stands that this token proves, if it does.
    fn held(&self, token: &LeaseToken) -> Option<usize> {
        self.due.iter().position(|due| {
            (due.tenant, due.thing) == (token.tenant, token.thing)
                && due.is_leased
                && (due.generation, due.n_claims) == (token.generation, token.attempt)
        })
    }

    /// Whether a message with the same ordering key was committed before this one.
    fn is_behind(&self, at: usize) -> bool {
        let lane = |due: &Due| Some((due.tenant, due.message.as_ref()?.ordering_key));
        let own = lane(&self.due[at]);
        own.is_some() && self.due[..at].iter().any(|due| lane(due) == own)
    }

    fn claim(&mut self, params: &ClaimParams) -> Claimed {
        let is_wanted = |due: &Due| match due.thing {
            LeasedThing::Timer { .. } => params.what == ClaimWhat::Timers,
            LeasedThing::Outbox { .. } => params.what == ClaimWhat::Outbox,
        };
        let is_own = |due: &Due| params.tenants.as_ref().is_none_or(|t| t.contains(&due.tenant));
        let fits = |at: &usize| {
            let due = &self.due[*at];
            is_wanted(due) && is_own(due) && !self.is_behind(*at)
        };
        let mut order: Vec<usize> = (0..self.due.len()).filter(fits).collect();
        order.sort_by_key(|at| {
            let due = &self.due[*at];
            let timer = match due.thing {
                LeasedThing::Timer { stream, kind } => {
                    Some((kind, stream.id, due.tenant, stream.kind))
                }
                LeasedThing::Outbox { .. } => None,
            };
            (due.due_at, timer, *at)
        });
        let n_due = order.iter().filter(|at| self.due[**at].due_at <= params.now).count();
        let n_given = n_due.min(params.max);
        let next_due = order.get(n_given).map(|at| self.due[*at].due_at);
        let until = params.now + TimeDelta::seconds(i64::from(params.lease_seconds));
        let leases: Vec<Lease> =
            order[..n_given].iter().map(|at| self.due[*at].lease(until)).collect();
        self.tokens.extend(leases.iter().map(|lease| lease.token));
        Claimed { leases, next_due }
    }

    fn settle(&mut self, settle: &Settle) -> bool {
        let Some(at) = self.held(&settle.token) else { return false };
        let due = &mut self.due[at];
        match &settle.how {
            SettleHow::Done => {
                self.due.remove(at);
            }
            SettleHow::Retry { at, .. } => (due.due_at, due.is_leased) = (*at, false),
            SettleHow::Extend { lease_seconds } => {
                due.due_at = settle.now + TimeDelta::seconds(i64::from(*lease_seconds));
            }
            SettleHow::Release => {
                (due.due_at, due.is_leased) = (due.set_for, false);
                due.n_attempts -= 1;
            }
            SettleHow::Snooze { until } => {
                (due.due_at, due.is_leased) = (*until, false);
                due.n_attempts -= 1;
            }
            SettleHow::Dead { error } => {
                let gone = self.due.remove(at);
                if let Some(message) = gone.message {
                    let (attempts, died_at) = (gone.n_attempts, settle.now);
                    let id = message.id;
                    let letter = DeadLetter { message, attempts, died_at, error: error.clone() };
                    // A letter of that id that lies there already gives way.
                    self.dead.retain(|(of, old, _)| (*of, old.message.id) != (gone.tenant, id));
                    self.dead.push((gone.tenant, letter, gone.n_claims));
                }
            }
        }
        true
    }

    fn maintain(&mut self, maintain: &Maintain) -> u64 {
        let n_before = self.commands.len() + self.dead.len();
        match maintain {
            Maintain::PurgeCommands { tenant, now } => {
                self.commands.retain(|(of, _), known| of != tenant || known.expires_at > *now);
            }
            Maintain::PurgeDeadLetters { tenant, before } => {
                self.dead.retain(|(of, dead, _)| of != tenant || dead.died_at >= *before);
            }
            Maintain::Redrive { tenant, ids, now } => self.redrive(*tenant, ids, *now),
            Maintain::PurgeTickets { tenant, tickets } => {
                return tickets.iter().map(|it| u64::from(self.purge(*tenant, *it))).sum();
            }
            Maintain::Rewrite { tenant, entries } => {
                return entries.iter().map(|it| u64::from(self.rewrite(*tenant, it))).sum();
            }
            Maintain::Lead { job, owner, now, lease_seconds } => {
                let until = *now + TimeDelta::seconds(i64::from(*lease_seconds));
                return u64::from(self.lead(job, owner, *now, until));
            }
            Maintain::Resign { job, owner } => {
                let is_led = self.leads.get(job).is_some_and(|(leader, _)| leader == owner);
                if is_led {
                    self.leads.remove(job);
                }
                return u64::from(is_led);
            }
            _ => {}
        }
        (n_before - self.commands.len() - self.dead.len()) as u64
    }

    /// Removes a ticket that stands at this version; whether it does.
    fn purge(&mut self, of: TenantId, (ticket, version): (TicketId, u64)) -> bool {
        let stream = StreamId::case(ticket);
        if version == 0 || self.version(of, stream) != version {
            return false;
        }
        let is_its_timer = |tenant: TenantId, thing: LeasedThing| match thing {
            LeasedThing::Timer { stream: its, .. } => (tenant, its) == (of, stream),
            LeasedThing::Outbox { .. } => false,
        };
        self.records.remove(&(of, stream));
        self.messages.retain(|(tenant, its, _), _| (*tenant, *its) != (of, ticket));
        self.unique.retain(|(tenant, _), its| (*tenant, *its) != (of, stream));
        self.journal.retain(|(tenant, _, entry)| (*tenant, entry.stream) != (of, stream));
        self.due.retain(|due| !is_its_timer(due.tenant, due.thing));
        self.generations.retain(|(tenant, thing), _| !is_its_timer(*tenant, *thing));
        true
    }

    /// A thing's entries; the model knows no positions.
    pub(super) fn entries(&self, of: TenantId, stream: StreamId) -> impl Iterator<Item = Recorded> {
        let is_its = move |(tenant, _, entry): &&(TenantId, u64, NewEvent)| {
            (*tenant, entry.stream) == (of, stream)
        };
        let recorded = |(_, n, entry): &(TenantId, u64, NewEvent)| Recorded {
            position: 0,
            n: *n,
            entry: entry.clone(),
        };
        self.journal.iter().filter(is_its).map(recorded)
    }

    /// Puts another entry where this one stands; whether it does.
    fn rewrite(&mut self, of: TenantId, new: &Recorded) -> bool {
        let place = (of, new.n, new.entry.stream);
        let known = self.journal.iter_mut().find(|(t, n, it)| (*t, *n, it.stream) == place);
        let Some((_, _, entry)) = known else { return false };
        entry.event = new.entry.event.clone();
        entry.origin = new.entry.origin.clone();
        true
    }

    /// Takes or keeps a lead until then; whether it is the owner's.
    fn lead(&mut self, job: &str, owner: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        if self.leads.get(job).is_some_and(|(leader, end)| leader != owner && *end > now) {
            return false;
        }
        self.leads.insert(job.to_owned(), (owner.to_owned(), until));
        true
    }

    /// Dead letters go back in the order in which they died; one whose id is in the
    /// outbox again stays.
    fn redrive(&mut self, tenant: TenantId, ids: &[Uuid], now: DateTime<Utc>) {
        self.dead.sort_by_key(|(_, dead, _)| (dead.died_at, dead.message.id));
        for (of, dead, n_claims) in std::mem::take(&mut self.dead) {
            let id = dead.message.id;
            let is_wanted = of == tenant && (ids.is_empty() || ids.contains(&id));
            if is_wanted && !self.is_in_outbox(of, id) {
                let thing = LeasedThing::Outbox { id };
                self.push(of, thing, Some(dead.message), now, (0, n_claims));
            } else {
                self.dead.push((of, dead, n_claims));
            }
        }
    }

    /// The record that a key finds, with its version.
    pub(super) fn find(&self, of: TenantId, key: &RecordKey) -> Option<(u64, Record)> {
        let plain = |record: Record| Some((0, record));
        match key {
            RecordKey::Stream(stream) => self.records.get(&(of, *stream)).cloned(),
            RecordKey::Unique(key) => {
                let stream = self.unique.get(&(of, key.clone()))?;
                self.records.get(&(of, *stream)).cloned()
            }
            RecordKey::Message(ticket, seq) => {
                let message = self.messages.get(&(of, *ticket, *seq))?;
                plain(Record::Message(Box::new(message.clone())))
            }
            RecordKey::Command(id) => {
                plain(Record::Command(Box::new(self.commands.get(&(of, *id))?.clone())))
            }
            RecordKey::DeadLetter(id) => {
                let is_it = |(t, dead, _): &&(TenantId, DeadLetter, u32)| {
                    (*t, dead.message.id) == (of, *id)
                };
                let (_, dead, _) = self.dead.iter().find(is_it)?;
                plain(Record::DeadLetter(Box::new(dead.clone())))
            }
            RecordKey::ConfigVersion(_) => None,
        }
    }
}

impl Due {
    fn lease(&mut self, until: DateTime<Utc>) -> Lease {
        self.is_leased = true;
        self.due_at = until;
        self.n_claims += 1;
        self.n_attempts += 1;
        let (tenant, thing, generation) = (self.tenant, self.thing, self.generation);
        let token = LeaseToken { tenant, thing, generation, attempt: self.n_claims };
        let body = match (thing, &self.message) {
            (LeasedThing::Timer { stream, kind }, _) => {
                LeaseBody::Timer { stream, kind, due_at: self.set_for }
            }
            (LeasedThing::Outbox { .. }, message) => {
                LeaseBody::Outbox(Box::new(message.clone().unwrap()))
            }
        };
        Lease { token, attempts: self.n_attempts, body }
    }
}

/// The streams that a change set writes, in order of first mention, with their new
/// versions; `None` where it makes no sense.
pub(super) fn written(change: &ChangeSet) -> Option<Vec<(StreamId, u64)>> {
    let expected: BTreeMap<StreamId, u64> =
        change.expect.iter().map(|expect| (expect.stream, expect.version)).collect();
    let put: Vec<StreamId> = change.put.iter().filter_map(Record::stream).collect();
    let put_once: BTreeSet<&StreamId> = put.iter().collect();
    let messages = || {
        change.put.iter().filter_map(|record| match record {
            Record::Message(message) => Some((message.ticket_id, message.meta.seq)),
            _ => None,
        })
    };
    let is_put_twice = put_once.len() < put.len()
        || messages().collect::<BTreeSet<_>>().len() < messages().count();
    if expected.len() < change.expect.len() || is_put_twice {
        return None;
    }
    let mut written: Vec<(StreamId, u64)> = Vec::new();
    for stream in put.iter().copied().chain(change.events.iter().map(|event| event.stream)) {
        if written.iter().any(|(known, _)| *known == stream) {
            continue;
        }
        let before = *expected.get(&stream)?;
        if before == 0 && !put.contains(&stream) {
            return None;
        }
        let n_events = change.events.iter().filter(|event| event.stream == stream).count() as u64;
        written.push((stream, before + n_events.max(1)));
    }
    Some(written)
}

/// Removes keys, then puts others; the key that is another's.
fn put_unique(
    unique: &mut BTreeMap<(TenantId, UniqueKey), StreamId>,
    of: TenantId,
    ops: &[UniqueOp],
) -> Result<(), UniqueKey> {
    for op in ops {
        if let UniqueOp::Remove { key } = op {
            unique.remove(&(of, key.clone()));
        }
    }
    for op in ops {
        let UniqueOp::Put { key, stream, replace } = op else { continue };
        let owner = unique.get(&(of, key.clone()));
        if owner.is_some_and(|owner| owner != stream) && !replace {
            return Err(key.clone());
        }
        unique.insert((of, key.clone()), *stream);
    }
    Ok(())
}
