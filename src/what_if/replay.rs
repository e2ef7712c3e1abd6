//! One replay: a private engine, seeded, led through what was recorded, and read.

use super::history::History;
use super::perform::Performer;
use super::staff::{Move, Moved, Staff, built_in};
use crate::engine::{Call, Helpdesk};
use crate::error::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::actor::{Actor, Capability};
use helpdesk_core::case::record::{ConfigRecord, Record};
use helpdesk_core::command::{Command, DeactivateAgent, SetPresence};
use helpdesk_core::desk::Desk;
use helpdesk_core::event::{Event, Recorded, StreamId};
use helpdesk_core::id::{AgentId, CommandId, Key, TenantId, TicketId, derived_command_id};
use helpdesk_core::ticket::priority::Channel;
use helpdesk_core::what_if::compare::Run;
use helpdesk_storage::memory::MemoryStore;
use helpdesk_storage::{ChangeSet, Expect, Store};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// What is tried: a configuration and the people.
pub(super) struct Tried<'t> {
    pub(super) document: &'t Value,
    /// The same, read.
    pub(super) desk: &'t Desk,
    pub(super) staff: &'t Staff,
}

/// Replays what was recorded, by an engine that reads configurations as `engine` does.
pub(super) async fn run(engine: &Helpdesk, history: &History, tried: &Tried<'_>) -> Result<Run> {
    let mut replay = Replay::new(engine, history, tried).await?;
    let staff = tried.staff;
    let mut moves = staff.moves.iter().peekable();
    for deed in &history.deeds {
        let (at, position) = (deed.input.at, deed.input.position);
        while let Some(moved) = moves.next_if(|m| (m.at, m.position) < (at, position)) {
            replay.pass(moved.at).await?;
            replay.make(moved).await?;
        }
        replay.pass(at).await?;
        Box::pin(replay.performer.perform(deed)).await?;
    }
    for moved in moves {
        replay.pass(moved.at).await?;
        replay.make(moved).await?;
    }
    replay.pass(history.until).await?;
    replay.read().await
}

struct Replay<'h> {
    performer: Performer,
    history: &'h History,
    run: Run,
    /// The first end of an hour that has not been looked at.
    next_hour: DateTime<Utc>,
}

impl<'h> Replay<'h> {
    async fn new(engine: &Helpdesk, history: &'h History, tried: &Tried<'_>) -> Result<Self> {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        store.commit(seed(history, tried)).await?;
        let desk = engine.private(store);
        let (tenant, from, staff) = (history.tenant, history.from, tried.staff);
        let mut run = Run::default();
        for (id, (agent, _)) in &staff.agents {
            run.names.insert(*id, agent.name.clone());
        }
        let next_hour = from + TimeDelta::seconds(HOUR);
        Ok(Self { performer: Performer::new(desk, tenant), history, run, next_hour })
    }

    /// Lets time pass, and looks at what agents hold at the end of each hour.
    ///
    /// What the engine does is put aside: its futures are large, and this is inside of one.
    async fn pass(&mut self, to: DateTime<Utc>) -> Result<()> {
        while self.next_hour <= to {
            self.tick(self.next_hour).await?;
            let hour_at = self.next_hour - TimeDelta::seconds(HOUR);
            self.look(hour_at).await?;
            self.next_hour += TimeDelta::seconds(HOUR);
        }
        self.tick(to).await
    }

    async fn tick(&self, now: DateTime<Utc>) -> Result<()> {
        Box::pin(self.performer.desk.tick(now, usize::MAX)).await.map(|_| ())
    }

    async fn look(&mut self, hour_at: DateTime<Utc>) -> Result<()> {
        let snapshot = self.performer.desk.tenant(self.history.tenant).await?.snapshot();
        for (id, entry) in &snapshot.roster.agents {
            let active = entry.load.active();
            if active > 0 {
                self.run.hours.entry((hour_at, *id)).or_default().active = active;
            }
        }
        Ok(())
    }

    /// What an agent does besides answering.
    async fn make(&mut self, moved: &Moved) -> Result<()> {
        let channels = match &moved.what {
            Move::Presence(channels) => channels,
            Move::Leave => {
                let command = Command::DeactivateAgent(DeactivateAgent { agent: moved.agent });
                return self.order(moved, "leave", command).await;
            }
        };
        let desk = self.performer.desk.tenant(self.history.tenant).await?.snapshot().desk;
        let mut by_status: BTreeMap<Key, Vec<Channel>> = BTreeMap::new();
        for (channel, presence) in channels {
            // A status that the desk does not have means what it meant.
            let known = desk.presence(&presence.status) == Some(presence.state);
            let status =
                if known { Some(presence.status.clone()) } else { built_in(presence.state) };
            if let Some(status) = status {
                by_status.entry(status).or_default().push(*channel);
            }
        }
        for (status, channels) in by_status {
            let set = SetPresence {
                agent: Some(moved.agent),
                channels: Some(channels),
                status: status.clone(),
                until: None,
            };
            self.order(moved, status.as_str(), Command::SetPresence(set)).await?;
        }
        Ok(())
    }

    async fn order(&mut self, moved: &Moved, what: &str, command: Command) -> Result<()> {
        let parts: [&[u8]; 5] = [
            b"what_if",
            moved.agent.0.as_bytes(),
            what.as_bytes(),
            &moved.at.timestamp_micros().to_be_bytes(),
            &moved.position.to_be_bytes(),
        ];
        let call = Call::new(derived_command_id(&parts), command);
        let actor = system(self.history.tenant);
        match Box::pin(self.performer.desk.execute(&actor, call, moved.at)).await {
            Ok(_) => {}
            Err(Error::Rejected(_)) => self.performer.n_refused += 1,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Reads what became of the tickets.
    async fn read(mut self) -> Result<Run> {
        let recorded: BTreeMap<TicketId, TicketId> =
            self.performer.ids.iter().map(|(recorded, own)| (*own, *recorded)).collect();
        let History { tenant, from, until, .. } = *self.history;
        let hour_of = |at: DateTime<Utc>| {
            let n_hours = (at - from).num_seconds().div_euclid(HOUR);
            from + TimeDelta::seconds(n_hours * HOUR)
        };
        let run = &mut self.run;
        let see = |row: &Recorded| {
            let at = row.entry.at;
            let own = TicketId(row.entry.stream.id);
            let Some(ticket) = recorded.get(&own).filter(|_| at < until) else { return };
            run.courses.entry(*ticket).or_default().see(&row.entry.event);
            if let Event::Assigned { agent, weight, .. } = row.entry.event {
                run.hours.entry((hour_of(at), agent)).or_default().assigned += u64::from(weight);
            }
        };
        self.performer.desk.each_case_event(tenant, see).await?;
        self.run.n_refused = self.performer.n_refused;
        self.run.n_unanswered = self.performer.n_unanswered;
        Ok(self.run)
    }
}

pub(super) fn system(tenant: TenantId) -> Actor {
    Actor::system(tenant, Capability::ActAsSystem)
}

/// What there is at the start: the configuration, agents, whether they are there,
/// contacts, organizations.
fn seed(history: &History, tried: &Tried<'_>) -> ChangeSet {
    let id: CommandId = derived_command_id(&[b"what_if", b"seed"]);
    let mut set = ChangeSet::new(history.tenant, id, history.from);
    set.put = history.people.clone();
    for (agent, presence) in tried.staff.agents.values() {
        set.put.push(Record::Agent(Box::new(agent.clone())));
        if !presence.channels.is_empty() {
            set.put.push(Record::Presence(presence.clone()));
        }
    }
    let streams = set.put.iter().filter_map(Record::stream);
    set.expect = streams.map(|stream| Expect { stream, version: 0 }).collect();
    let config = ConfigRecord {
        version: 1,
        applied_at: history.from,
        document: tried.document.clone(),
        calendars: tried.desk.calendar_marks(None, 1, history.from),
    };
    set.expect.push(Expect { stream: StreamId::config(history.tenant), version: 0 });
    set.put.push(Record::Config(Box::new(config)));
    set
}

/// An agent as the one who acts. What they may do is not what is tried.
pub(super) fn agent_actor(tenant: TenantId, agent: AgentId) -> Actor {
    Actor::agent(tenant, agent).with_roles(Key::new("admin"))
}
