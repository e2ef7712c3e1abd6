//! Whom targets are, at the instant at which a step fires.

use super::scene::Scene;
use super::step::Target;
use crate::agent::RosterEntry;
use crate::id::{AgentId, Key};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Whom to notify, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notice {
    /// Whom, each once, in the order of the targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Notified>,
    /// Targets that were nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nobody: Vec<Nobody>,
    /// Not before: the end of a maintenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<DateTime<Utc>>,
}

/// Somebody who is notified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notified {
    /// Who.
    pub recipient: Recipient,
    /// The target that they were found by, from 0; absent for whoever had acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u16>,
}

/// Who is notified.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Recipient {
    /// An agent.
    Agent {
        /// Who.
        id: AgentId,
    },
    /// A group.
    Group {
        /// Which.
        key: Key,
    },
    /// A channel of the host.
    Channel {
        /// Its name there.
        key: Key,
    },
}

/// A target that was nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nobody {
    /// Which, from 0.
    pub target: u16,
    /// Why.
    pub reason: NobodyReason,
}

/// Why a target is nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NobodyReason {
    /// The agent is deactivated or unknown.
    Inactive,
    /// The ticket has no assignee, or one who is deactivated.
    Unassigned,
    /// Nobody so far up, or somebody who is deactivated.
    NoManager,
    /// No active agent is in the group.
    EmptyGroup,
    /// The schedule has a gap, or all of its agents are deactivated.
    NobodyOnCall,
    /// The desk no longer defines the schedule or queue.
    Gone,
}

/// Finds whom to notify. `turn` says whose turn it is where one of several is
/// taken. Nobody is there twice.
#[must_use]
pub fn resolve(targets: &[Target], scene: &Scene<'_>, at: DateTime<Utc>, turn: u64) -> Notice {
    let held_until = scene.escalations.held_until(scene.ticket.group.as_ref(), at);
    let mut notice = Notice { held_until, ..Notice::default() };
    for (i, target) in (0u16..).zip(targets) {
        match recipients(target, scene, at, turn) {
            Ok(found) => {
                for recipient in found {
                    notice.add(recipient, Some(i));
                }
            }
            Err(reason) => notice.nobody.push(Nobody { target: i, reason }),
        }
    }
    notice
}

impl Notice {
    /// Adds somebody who is not there yet.
    pub(super) fn add(&mut self, recipient: Recipient, target: Option<u16>) {
        if self.to.iter().all(|own| own.recipient != recipient) {
            self.to.push(Notified { recipient, target });
        }
    }

    /// The first agent.
    #[must_use]
    pub fn first_agent(&self) -> Option<AgentId> {
        self.to.iter().find_map(|own| match own.recipient {
            Recipient::Agent { id } => Some(id),
            Recipient::Group { .. } | Recipient::Channel { .. } => None,
        })
    }
}

fn recipients(
    target: &Target,
    scene: &Scene<'_>,
    at: DateTime<Utc>,
    turn: u64,
) -> Result<Vec<Recipient>, NobodyReason> {
    let one = |id: AgentId, otherwise| {
        let found = scene.roster.active(id).map(|_| vec![Recipient::Agent { id }]);
        found.ok_or(otherwise)
    };
    match target {
        Target::Agent { id } => one(*id, NobodyReason::Inactive),
        Target::Assignee => {
            let assignee = scene.ticket.assignee.ok_or(NobodyReason::Unassigned)?;
            one(assignee, NobodyReason::Unassigned)
        }
        Target::Manager { level } => {
            let mut who = scene.ticket.assignee.ok_or(NobodyReason::Unassigned)?;
            for _ in 0..*level {
                let entry = scene.roster.get(who);
                who = entry.and_then(|e| e.agent.manager).ok_or(NobodyReason::NoManager)?;
            }
            one(who, NobodyReason::NoManager)
        }
        Target::Group { key } => match members(scene, key).next() {
            Some(_) => Ok(vec![Recipient::Group { key: key.clone() }]),
            None => Err(NobodyReason::EmptyGroup),
        },
        Target::Schedule { key } => {
            let schedule = scene.escalations.schedules.get(key).ok_or(NobodyReason::Gone)?;
            let on_call = schedule.on_call(at).into_iter();
            let active = on_call.filter(|id| scene.roster.active(*id).is_some());
            let found: Vec<Recipient> = active.map(|id| Recipient::Agent { id }).collect();
            if found.is_empty() { Err(NobodyReason::NobodyOnCall) } else { Ok(found) }
        }
        Target::Queue { key } => {
            let group = scene.queue_groups.get(key).ok_or(NobodyReason::Gone)?;
            let ids: Vec<AgentId> = members(scene, group).map(|entry| entry.agent.id).collect();
            let n = u64::try_from(ids.len()).unwrap_or(u64::MAX).max(1);
            let whose = usize::try_from(turn % n).ok().and_then(|at| ids.get(at));
            let id = whose.copied().ok_or(NobodyReason::EmptyGroup)?;
            Ok(vec![Recipient::Agent { id }])
        }
        Target::Channel { key } => Ok(vec![Recipient::Channel { key: key.clone() }]),
    }
}

/// The active agents of a group, by id.
fn members<'a>(scene: &Scene<'a>, group: &'a Key) -> impl Iterator<Item = &'a RosterEntry> {
    let entries = scene.roster.agents.values();
    entries.filter(move |entry| entry.agent.active && entry.agent.is_in(group))
}
