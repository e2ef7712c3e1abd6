//! A decision in the making: the state as it will be, and what led there.

use super::{Context, Decision, Loaded, Made, WholeText, clocks, escalation};
use crate::agent::{AgentLoad, Roster, RosterEntry};
use crate::article::ArticleMeta;
use crate::case::apply::apply;
use crate::case::record::{Record, TimerOp, UniqueKey, UniqueOp};
use crate::case::{Case, Share};
use crate::clock::Clock;
use crate::contact::{Contact, Organization};
use crate::desk::Desk;
use crate::effect::Effect;
use crate::event::{AssignedHow, Cause, Event, NewEvent, Origin, StreamId, StreamKind, TimerKind};
use crate::fault::{Code, Rejection};
use crate::id::{AgentId, ArticleId, ContactId, IdSource, OrganizationId, TicketId, Version};
use crate::routing::agent_index::AgentIndex;
use crate::routing::queue::{QueueMode, n_given_kept};
use crate::sla::signal::Signal;
use crate::ticket::message::Message;
use crate::ticket::priority::Channel;
use crate::trace::{Step, Trace};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// A thing that the decision changes.
#[derive(Debug)]
struct Touched {
    version: Version,
    timers_before: Vec<(TimerKind, DateTime<Utc>)>,
    after: Option<Record>,
}

/// What a ticket's clocks hear once it has its policies.
#[derive(Debug)]
pub(super) struct ToHear {
    /// The decision opens the ticket.
    pub(super) is_new: bool,
    pub(super) signals: Vec<Signal>,
}

/// A decision in the making.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) ctx: &'a Context<'a>,
    pub(super) loaded: &'a Loaded,
    /// The time of what happens now: the command's, or a timer's due time.
    pub(super) now: DateTime<Utc>,
    pub(super) cause: Cause,
    pub(super) ids: IdSource,
    pub(super) made: Made,
    touched: BTreeMap<StreamId, Touched>,
    loads: BTreeMap<AgentId, AgentLoad>,
    freed: BTreeSet<AgentId>,
    expect: BTreeMap<StreamId, Version>,
    events: Vec<NewEvent>,
    effects: Vec<Effect>,
    texts: Vec<Message>,
    wholes: Vec<WholeText>,
    unique: Vec<UniqueOp>,
    timers: Vec<TimerOp>,
    records: Vec<Record>,
    trace: Trace,
    /// What clocks of tickets without a policy have yet to hear.
    to_hear: BTreeMap<TicketId, ToHear>,
    /// What tickets' escalations have yet to hear.
    unheard: BTreeMap<TicketId, Vec<escalation::News>>,
}

impl<'a> Work<'a> {
    pub(super) fn new(ctx: &'a Context<'a>, loaded: &'a Loaded) -> Self {
        Self {
            ctx,
            loaded,
            now: ctx.now,
            cause: Cause::Command { id: ctx.command_id },
            ids: IdSource::new(ctx.now, ctx.command_id),
            made: Made::default(),
            touched: BTreeMap::new(),
            loads: BTreeMap::new(),
            freed: BTreeSet::new(),
            expect: BTreeMap::new(),
            events: Vec::new(),
            effects: Vec::new(),
            texts: Vec::new(),
            wholes: Vec::new(),
            unique: Vec::new(),
            timers: Vec::new(),
            records: Vec::new(),
            trace: Trace::default(),
            to_hear: BTreeMap::new(),
            unheard: BTreeMap::new(),
        }
    }

    /// The state of a thing as it will be.
    pub(super) fn record(&self, stream: StreamId) -> Option<&Record> {
        match self.touched.get(&stream) {
            Some(touched) => touched.after.as_ref(),
            None => self.loaded.stream(stream).map(|stored| &stored.record),
        }
    }

    pub(super) fn find_case(&self, id: TicketId) -> Option<&Case> {
        match self.record(StreamId::case(id)) {
            Some(Record::Case(case)) => Some(case),
            _ => None,
        }
    }

    /// A case that was loaded or made.
    pub(super) fn case(&self, id: TicketId) -> Result<&Case, Rejection> {
        self.find_case(id).ok_or_else(|| not_found("ticket", id))
    }

    pub(super) fn find_article(&self, id: ArticleId) -> Option<&ArticleMeta> {
        match self.record(StreamId::article(id)) {
            Some(Record::Article(article)) => Some(article),
            _ => None,
        }
    }

    pub(super) fn contact(&self, id: ContactId) -> Option<&Contact> {
        match self.record(StreamId::contact(id)) {
            Some(Record::Contact(contact)) => Some(contact),
            _ => None,
        }
    }

    pub(super) fn organization(&self, id: OrganizationId) -> Option<&Organization> {
        match self.record(StreamId::organization(id)) {
            Some(Record::Organization(organization)) => Some(organization),
            _ => None,
        }
    }

    /// An active agent, by the roster.
    pub(super) fn agent(&self, id: AgentId) -> Result<&'a RosterEntry, Rejection> {
        self.ctx.roster.active(id).ok_or_else(|| not_found("agent", id))
    }

    /// The roster with the loads as they will be. Clones only when this decision
    /// has changed one.
    pub(super) fn with_roster<T>(&self, look: impl FnOnce(&Roster) -> T) -> T {
        if self.loads.is_empty() {
            return look(self.ctx.roster);
        }
        let mut roster = self.ctx.roster.clone();
        for (id, load) in &self.loads {
            if let Some(entry) = roster.agents.get_mut(id) {
                entry.load.clone_from(load);
            }
        }
        look(&roster)
    }

    /// The index of the roster, as long as this decision has changed no load.
    pub(super) fn index(&self) -> Option<&'a AgentIndex> {
        self.ctx.index.filter(|_| self.loads.is_empty())
    }

    /// Applies an event and puts it into the journal.
    pub(super) fn emit(&mut self, stream: StreamId, event: Event) -> Result<(), Rejection> {
        let loaded = self.loaded;
        let touched = self.touched.entry(stream).or_insert_with(|| {
            let stored = loaded.stream(stream);
            Touched {
                version: stored.map_or(0, |stored| stored.version),
                timers_before: stored.map_or_else(Vec::new, |stored| timers_of(&stored.record)),
                after: stored.map(|stored| stored.record.clone()),
            }
        });
        let before = touched.after.as_ref().map_or_else(Vec::new, shares_of);
        let category = touched.after.as_ref().and_then(case_of).map(|case| case.ticket.category);
        let measured = clocks::Before::of(self.ctx.desk, touched.after.as_ref().and_then(case_of));
        apply(stream, &mut touched.after, &event, self.now).map_err(|misfit| {
            Rejection::new(Code::Internal, format!("the decision does not fit its state: {misfit}"))
        })?;
        let after = touched.after.as_ref().map_or_else(Vec::new, shares_of);
        if before != after {
            self.move_load(&before, &after);
        }
        let is_work = matches!(event, Event::Assigned { .. } | Event::Offered { .. });
        if is_work {
            let was_offered = matches!(event, Event::Assigned { how: AssignedHow::Accepted, .. });
            self.stamp_load(&after, !was_offered);
        }
        let signals = match (measured, self.record(stream).and_then(case_of)) {
            (Some(before), Some(case)) => before.signals(&event, case),
            _ => Vec::new(),
        };
        self.note_opening(stream, &event);
        if let Some(news) = escalation::news_of(&event, category, self.now) {
            self.unheard.entry(TicketId(stream.id)).or_default().push(news);
        }
        let origin = Origin::new(self.ctx.actor, self.cause);
        self.events.push(NewEvent { stream, at: self.now, origin, event });
        let id = TicketId(stream.id);
        signals.into_iter().try_for_each(|signal| self.tell_clocks(id, signal))
    }

    /// A ticket that is opened keeps what its clocks should hear until it is
    /// routed and has its policies.
    fn note_opening(&mut self, stream: StreamId, event: &Event) {
        if let Event::Opened { imported: false, .. } = event {
            let to_hear = ToHear { is_new: true, signals: Vec::new() };
            self.to_hear.insert(TicketId(stream.id), to_hear);
        }
    }

    /// Lets a ticket's clocks hear a signal: at once, or where the ticket has no
    /// policy, as one that is only being opened, when those are picked.
    pub(super) fn tell_clocks(&mut self, id: TicketId, signal: Signal) -> Result<(), Rejection> {
        let is_promised = self.find_case(id).is_some_and(is_promised);
        match self.to_hear.get_mut(&id) {
            Some(to_hear) => to_hear.signals.push(signal),
            None if is_promised => return clocks::hear(self, id, &signal),
            None => {
                self.to_hear.insert(id, ToHear { is_new: false, signals: vec![signal] });
            }
        }
        Ok(())
    }

    /// What a ticket's clocks have yet to hear; the first message of one that this
    /// decision opens comes with its opening.
    pub(super) fn take_to_hear(&mut self, id: TicketId) -> Option<ToHear> {
        let mut to_hear = self.to_hear.remove(&id)?;
        let signals = &mut to_hear.signals;
        if to_hear.is_new {
            let first = signals.iter().position(|signal| matches!(signal, Signal::Message(_)));
            let message = match first.map(|at| signals.remove(at)) {
                Some(Signal::Message(message)) => Some(message),
                _ => None,
            };
            signals.insert(0, Signal::Created { message });
        }
        Some(to_hear)
    }

    /// What the ticket's escalation has yet to hear; it has heard it then.
    pub(super) fn take_unheard(&mut self, id: TicketId) -> Vec<escalation::News> {
        self.unheard.remove(&id).unwrap_or_default()
    }

    /// That a step of the escalation itself gave the ticket to somebody is no news to it.
    pub(super) fn forget_gifts(&mut self, id: TicketId) {
        if let Some(news) = self.unheard.get_mut(&id) {
            news.retain(|news| !news.is_gift());
        }
    }

    /// Whether the decision brings the ticket in as history.
    pub(super) fn is_imported(&self, id: TicketId) -> bool {
        let stream = StreamId::case(id);
        self.events.iter().any(|entry| {
            entry.stream == stream && matches!(entry.event, Event::Opened { imported: true, .. })
        })
    }

    /// The tickets that the decision has changed, by id.
    pub(super) fn changed_tickets(&self) -> Vec<TicketId> {
        let cases = self.touched.keys().filter(|stream| stream.kind == StreamKind::Case);
        cases.map(|stream| TicketId(stream.id)).collect()
    }

    /// Emits on a ticket's case.
    pub(super) fn on_case(&mut self, id: TicketId, event: Event) -> Result<(), Rejection> {
        self.emit(StreamId::case(id), event)
    }

    fn load_mut(&mut self, agent: AgentId) -> &mut AgentLoad {
        let roster = self.ctx.roster;
        self.loads.entry(agent).or_insert_with(|| {
            roster.get(agent).map_or_else(|| AgentLoad::none(agent), |entry| entry.load.clone())
        })
    }

    fn move_load(&mut self, before: &[Share], after: &[Share]) {
        for share in before {
            let load = self.load_mut(share.agent).channels.entry(share.channel).or_default();
            load.active = load.active.saturating_sub(share.active);
            load.reserved = load.reserved.saturating_sub(share.reserved);
            self.freed.insert(share.agent);
        }
        for share in after {
            let load = self.load_mut(share.agent).channels.entry(share.channel).or_default();
            load.active += share.active;
            load.reserved += share.reserved;
        }
    }

    /// Notes when work was given; an accepted offer was counted when it was made.
    fn stamp_load(&mut self, shares: &[Share], is_counted: bool) {
        let now = self.now;
        let n_kept = n_given_kept(self.ctx.desk.queues());
        for share in shares {
            let load = self.load_mut(share.agent);
            let on_channel = load.channels.entry(share.channel).or_default();
            on_channel.last_assigned_at = on_channel.last_assigned_at.max(Some(now));
            if is_counted {
                load.note_given(now, n_kept);
            }
        }
    }

    /// What an agent holds, as it will be.
    pub(super) fn load(&self, agent: AgentId) -> Option<&AgentLoad> {
        self.loads.get(&agent).or_else(|| Some(&self.ctx.roster.get(agent)?.load))
    }

    /// Counts work that an agent was chosen for, so that turns go round.
    pub(super) fn count_turn(&mut self, agent: AgentId, channel: Channel, n: u64) {
        let load = self.load_mut(agent).channels.entry(channel).or_default();
        load.n_taken = load.n_taken.saturating_add(n);
    }

    pub(super) fn wish(&mut self, effect: Effect) {
        if !self.effects.contains(&effect) {
            self.effects.push(effect);
        }
    }

    pub(super) fn trace(&mut self, step: Step) {
        self.trace.steps.push(step);
    }

    pub(super) fn whole(&mut self, whole: WholeText) {
        self.wholes.push(whole);
    }

    pub(super) fn text(&mut self, message: Message) {
        self.texts.retain(|m| (m.ticket_id, m.meta.seq) != (message.ticket_id, message.meta.seq));
        self.texts.push(message);
    }

    /// A message of a ticket: one written by this decision, or a loaded one.
    pub(super) fn message(&self, ticket: TicketId, seq: u32) -> Option<&Message> {
        let written = self.texts.iter().find(|m| m.ticket_id == ticket && m.meta.seq == seq);
        written.or_else(|| self.loaded.message(ticket, seq))
    }

    /// Writes a record that no event carries whole.
    pub(super) fn put_record(&mut self, record: Record) {
        self.records.push(record);
    }

    pub(super) fn put_unique(&mut self, key: UniqueKey, stream: StreamId, replace: bool) {
        self.unique.push(UniqueOp::Put { key, stream, replace });
    }

    pub(super) fn remove_unique(&mut self, key: UniqueKey) {
        self.unique.push(UniqueOp::Remove { key });
    }

    /// Sets a timer on an agent; a case's timers follow from its state.
    pub(super) fn set_agent_timer(
        &mut self,
        agent: AgentId,
        kind: TimerKind,
        due_at: Option<DateTime<Utc>>,
    ) {
        let stream = StreamId::agent(agent);
        self.timers.retain(|op| {
            let (TimerOp::Set { stream: s, kind: k, .. } | TimerOp::Cancel { stream: s, kind: k }) =
                op;
            (*s, *k) != (stream, kind)
        });
        self.timers.push(match due_at {
            Some(due_at) => TimerOp::Set { stream, kind, due_at },
            None => TimerOp::Cancel { stream, kind },
        });
    }

    /// Sets a timer on the configuration.
    pub(super) fn set_config_timer(&mut self, kind: TimerKind, due_at: DateTime<Utc>) {
        let stream = StreamId::config(self.ctx.actor.tenant);
        self.timers.push(TimerOp::Set { stream, kind, due_at });
    }

    /// The agent may have room now: give it the next ticket.
    pub(super) fn drain(&mut self, agent: AgentId) {
        self.freed.insert(agent);
    }

    /// The decision was made on this version of a thing that it does not change.
    pub(super) fn depends_on(&mut self, stream: StreamId, version: Version) {
        self.expect.entry(stream).or_insert(version);
    }

    /// Steps of the trace so far.
    pub(super) fn n_steps(&self) -> usize {
        self.trace.steps.len()
    }

    /// The contact that this decision made with this identity.
    pub(super) fn made_contact(&self, key: &UniqueKey) -> Option<ContactId> {
        self.unique.iter().find_map(|op| match op {
            UniqueOp::Put { key: own, stream, .. } if own == key => Some(ContactId(stream.id)),
            UniqueOp::Put { .. } | UniqueOp::Remove { .. } => None,
        })
    }

    /// The finished decision.
    pub(super) fn finish(mut self) -> Decision {
        self.set_drains();
        let mut records = self.records;
        for (stream, touched) in self.touched {
            self.expect.insert(stream, touched.version);
            let is_written_whole = stream.kind == StreamKind::Config;
            if let Some(record) = touched.after.filter(|_| !is_written_whole) {
                diff_timers(stream, &touched.timers_before, &timers_of(&record), &mut self.timers);
                records.push(record);
            }
        }
        for (agent, load) in self.loads {
            let known = self.ctx.roster.get(agent);
            // Expected even where it stays: it may only look so on a stale roster.
            self.expect.insert(StreamId::load(agent), known.map_or(0, |entry| entry.load_version));
            if known.is_some_and(|entry| entry.load == load) {
                continue;
            }
            records.push(Record::Load(load));
        }
        Decision {
            events: self.events,
            effects: self.effects,
            trace: self.trace,
            records,
            texts: self.texts,
            wholes: self.wholes,
            unique: self.unique,
            timers: self.timers,
            expect: self.expect.into_iter().collect(),
            made: self.made,
        }
    }

    /// Whoever holds less than before, or may take more, is given the next ticket.
    fn set_drains(&mut self) {
        if !gives_work(self.ctx.desk) {
            return;
        }
        for agent in std::mem::take(&mut self.freed) {
            let Some(entry) = self.ctx.roster.get(agent) else { continue };
            let held = self.loads.get(&agent).map_or_else(|| entry.load.total(), AgentLoad::total);
            let has_room = held < entry.load.total() || !self.loads.contains_key(&agent);
            if has_room && entry.agent.active {
                self.set_agent_timer(agent, TimerKind::Drain, Some(self.now));
            }
        }
    }
}

/// Whether any queue gives tickets to agents by itself.
pub(super) fn gives_work(desk: &Desk) -> bool {
    desk.queues().any(|queue| queue.mode != QueueMode::Pull)
}

fn case_of(record: &Record) -> Option<&Case> {
    match record {
        Record::Case(case) => Some(case),
        _ => None,
    }
}

fn timers_of(record: &Record) -> Vec<(TimerKind, DateTime<Utc>)> {
    match record {
        Record::Case(case) => case.timers(),
        Record::Article(article) => {
            article.publish_at.map(|at| (TimerKind::Publish, at)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn shares_of(record: &Record) -> Vec<Share> {
    match record {
        Record::Case(case) => case.shares(),
        _ => Vec::new(),
    }
}

fn diff_timers(
    stream: StreamId,
    before: &[(TimerKind, DateTime<Utc>)],
    after: &[(TimerKind, DateTime<Utc>)],
    ops: &mut Vec<TimerOp>,
) {
    if !matches!(stream.kind, StreamKind::Case | StreamKind::Article) {
        return;
    }
    for &(kind, due_at) in after {
        if !before.contains(&(kind, due_at)) {
            ops.push(TimerOp::Set { stream, kind, due_at });
        }
    }
    for &(kind, _) in before {
        if !after.iter().any(|(k, _)| *k == kind) {
            ops.push(TimerOp::Cancel { stream, kind });
        }
    }
}

/// The refusal for a thing that is not there, or not for the actor's eyes.
pub(super) fn not_found(what: &str, id: impl std::fmt::Display) -> Rejection {
    Rejection::at(Code::NotFound, what, format!("no {what} `{id}`"))
}

/// Whether a ticket has a policy, or a clock that one gave it.
fn is_promised(case: &Case) -> bool {
    case.requester_policy.is_some()
        || case.group_policy.is_some()
        || case.clocks.iter().any(Clock::is_open)
}
