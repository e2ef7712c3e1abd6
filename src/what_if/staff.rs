//! Who was there, and who would have been.

use crate::answer::Asking;
use crate::engine::Helpdesk;
use crate::error::Result;
use chrono::{DateTime, Utc};
use helpdesk_core::agent::{Agent, AgentPatch, Capacity, ChannelPresence, Presence, PresenceState};
use helpdesk_core::decide::checked_agent;
use helpdesk_core::desk::Desk;
use helpdesk_core::event::{Event, Recorded, StreamId};
use helpdesk_core::fault::Rejection;
use helpdesk_core::id::{AgentId, Key};
use helpdesk_core::ticket::priority::Channel;
use helpdesk_core::what_if::{OnlineSpan, StaffChange, WhatIf};
use helpdesk_storage::StoreExt;
use std::collections::BTreeMap;

/// What an agent does besides answering tickets.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Move {
    /// Comes, goes, is away, on these channels.
    Presence(Vec<(Channel, ChannelPresence)>),
    /// Works here no more.
    Leave,
}

/// When somebody does it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moved {
    pub(super) at: DateTime<Utc>,
    /// The order at one instant; what a what-if adds comes first.
    pub(super) position: u64,
    pub(super) agent: AgentId,
    pub(super) what: Move,
}

/// Agents at the start of a replay, and what they do during it.
#[derive(Debug, Clone, Default)]
pub(super) struct Staff {
    pub(super) agents: BTreeMap<AgentId, (Agent, Presence)>,
    /// In the order in which they happen.
    pub(super) moves: Vec<Moved>,
}

impl Helpdesk {
    /// Agents as they are now, where they were at `from`. One who works here no
    /// more leaves when they did.
    pub(super) async fn read_staff(&self, asking: &Asking<'_>, what_if: &WhatIf) -> Result<Staff> {
        let (store, tenant) = (&self.inner.store, asking.actor.tenant);
        let mut staff = Staff::default();
        for (id, entry) in &asking.snapshot.roster.agents {
            let mut agent = (*entry.agent).clone();
            if !agent.active {
                let life = store.history(tenant, StreamId::agent(*id)).await?;
                let left = life.iter().rfind(|row| row.entry.event == Event::AgentDeactivated);
                if let Some(row) = left.filter(|row| row.entry.at >= what_if.from) {
                    agent.active = true;
                    staff.add(row, *id, Move::Leave);
                }
            }
            let mut presence = Presence::none(*id);
            for row in &store.history(tenant, StreamId::presence(*id)).await? {
                let Event::PresenceSet { channels } = &row.entry.event else { continue };
                match row.entry.at < what_if.from {
                    true => presence.channels.extend(channels.iter().cloned()),
                    false => staff.add(row, *id, Move::Presence(channels.clone())),
                }
            }
            // What ends by itself is in the journal too.
            presence.channels.values_mut().for_each(|channel| channel.until = None);
            staff.agents.insert(*id, (agent, presence));
        }
        staff.moves.retain(|moved| moved.at < what_if.until);
        staff.moves.sort_by_key(|moved| (moved.at, moved.position));
        Ok(staff)
    }
}

impl Staff {
    fn add(&mut self, row: &Recorded, agent: AgentId, what: Move) {
        let (at, position) = (row.entry.at, row.position);
        self.moves.push(Moved { at, position, agent, what });
    }

    /// The same with what a what-if changes, refused where `desk` would refuse it of
    /// an agent.
    pub(super) fn with(&self, what_if: &WhatIf, desk: &Desk) -> Result<Self> {
        let is_there = |id| match what_if.staffing.iter().find(|change| change.agent == id) {
            Some(change) => !change.absent,
            None => self.agents.contains_key(&id),
        };
        let mut staff = self.clone();
        let mut faults = Vec::new();
        for (i, change) in what_if.staffing.iter().enumerate() {
            let is_other = |id| id != change.agent && is_there(id);
            let path = format!("staffing[{i}].patch.");
            match checked_agent(desk, &change.patch, is_other, &path) {
                Ok(patch) => staff.change(change, &patch, what_if.from, what_if.until),
                Err(found) => faults.extend(found),
            }
        }
        staff.moves.sort_by_key(|moved| (moved.at, moved.position));
        if faults.is_empty() { Ok(staff) } else { Err(Rejection::many(faults).into()) }
    }

    fn change(
        &mut self,
        change: &StaffChange,
        patch: &AgentPatch,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) {
        let id = change.agent;
        if change.absent {
            self.agents.remove(&id);
            self.moves.retain(|moved| moved.agent != id);
            return;
        }
        let (agent, presence) =
            self.agents.entry(id).or_insert_with(|| (new_agent(id), Presence::none(id)));
        patch.apply(agent);
        let Some(spans) = &change.online else { return };
        self.moves.retain(|moved| moved.agent != id || moved.what == Move::Leave);
        presence.channels = on_every_channel(PresenceState::Offline, from).into_iter().collect();
        for (start, end) in joined(spans) {
            let (start, end) = (start.max(from), end.min(until));
            if start >= end {
                continue;
            }
            if start == from {
                presence.channels =
                    on_every_channel(PresenceState::Online, from).into_iter().collect();
            } else {
                self.moves.push(comes_or_goes(id, PresenceState::Online, start));
            }
            if end < until {
                self.moves.push(comes_or_goes(id, PresenceState::Offline, end));
            }
        }
    }
}

fn new_agent(id: AgentId) -> Agent {
    Agent {
        id,
        name: "new agent".to_owned(),
        email: None,
        roles: Vec::new(),
        groups: Vec::new(),
        skills: Vec::new(),
        languages: Vec::new(),
        capacity: Capacity::default(),
        tier: None,
        shift: None,
        manager: None,
        active: true,
    }
}

fn comes_or_goes(agent: AgentId, state: PresenceState, at: DateTime<Utc>) -> Moved {
    Moved { at, position: 0, agent, what: Move::Presence(on_every_channel(state, at)) }
}

/// The key of a state that every desk has.
pub(super) fn built_in(state: PresenceState) -> Option<Key> {
    let key = match state {
        PresenceState::Online => "online",
        PresenceState::Away => "away",
        PresenceState::Offline => "offline",
    };
    Key::new(key).ok()
}

fn on_every_channel(state: PresenceState, at: DateTime<Utc>) -> Vec<(Channel, ChannelPresence)> {
    let Some(status) = built_in(state) else { return Vec::new() };
    let presence = ChannelPresence { status, state, since: at, until: None };
    Channel::ALL.iter().map(|channel| (*channel, presence.clone())).collect()
}

/// Spans by their start; those that overlap or touch are one.
fn joined(spans: &[OnlineSpan]) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut sorted: Vec<_> = spans.iter().map(|span| (span.from, span.until)).collect();
    sorted.sort_unstable();
    let mut joined: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
    for (from, until) in sorted {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = until.max(*end),
            _ => joined.push((from, until)),
        }
    }
    joined
}
