//! Cases: a ticket with everything that is loaded, decided and committed with it.

pub mod apply;
pub mod archive;
pub mod erase;
mod article;
pub mod facts;
pub mod record;
pub mod summary;

use crate::clock::{Clock, ClockTimerKind, PolicyRef, Slot};
use crate::escalation::chain::Chain;
use crate::event::TimerKind;
use crate::id::AgentId;
use crate::ticket::Ticket;
use crate::ticket::priority::Channel;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A ticket reserved for an agent until accepted, rejected or expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Whom it is offered to.
    pub agent: AgentId,
    /// Since when.
    #[serde(with = "crate::instant")]
    pub offered_at: DateTime<Utc>,
    /// Until when.
    #[serde(with = "crate::instant")]
    pub expires_at: DateTime<Utc>,
    /// Work units reserved.
    pub weight: u32,
}

/// A ticket with its offer, its clocks, its escalation and its times to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The ticket.
    pub ticket: Ticket,
    /// The live offer, at most one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Work units that the ticket takes of its assignee.
    #[serde(default)]
    pub weight: u32,
    /// Whether it takes them now: its category is in the desk's load set.
    #[serde(default)]
    pub counts: bool,
    /// The queue's stage that was active last, from 0.
    #[serde(default)]
    pub stage: u16,
    /// When to look for an agent again.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub look_again_at: Option<DateTime<Utc>>,
    /// Until when its assignee, who took it, must answer.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<DateTime<Utc>>,
    /// How long nothing may happen before its assignee loses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
    /// When its assignee loses it unless something happens.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub idle_at: Option<DateTime<Utc>>,
    /// When it is closed for good.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub auto_close_at: Option<DateTime<Utc>>,
    /// What was promised to its requester.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester_policy: Option<PolicyRef>,
    /// What groups promised each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_policy: Option<PolicyRef>,
    /// Its clocks: the newest cycle of each metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// Its escalation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Box<Chain>>,
    /// When its last event happened, those of clocks and escalation too.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub last_event_at: Option<DateTime<Utc>>,
    /// Since when nobody is responsible; absent while somebody is.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub unassigned_since: Option<DateTime<Utc>>,
}

/// What a case takes of one agent on one channel, in work units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The agent.
    pub agent: AgentId,
    /// The channel.
    pub channel: Channel,
    /// Units of the assigned ticket.
    pub active: u32,
    /// Units of the live offer.
    pub reserved: u32,
}

/// The timer of the case that fires a clock's.
#[must_use]
pub fn timer_kind(kind: ClockTimerKind) -> TimerKind {
    match kind {
        ClockTimerKind::Warn(_) => TimerKind::SlaWarning,
        ClockTimerKind::Breach => TimerKind::SlaBreach,
    }
}

impl Case {
    /// A case of a ticket that nothing has happened to.
    #[must_use]
    pub fn new(ticket: Ticket) -> Self {
        let unassigned_since = ticket.assignee.is_none().then_some(ticket.times.created_at);
        Self {
            ticket,
            offer: None,
            weight: 0,
            counts: false,
            stage: 0,
            look_again_at: None,
            answer_by: None,
            idle_seconds: None,
            idle_at: None,
            auto_close_at: None,
            requester_policy: None,
            group_policy: None,
            clocks: Vec::new(),
            escalation: None,
            last_event_at: None,
            unassigned_since,
        }
    }

    /// The policy of a slot.
    #[must_use]
    pub fn policy(&self, slot: Slot) -> Option<&PolicyRef> {
        match slot {
            Slot::Requester => self.requester_policy.as_ref(),
            Slot::Group => self.group_policy.as_ref(),
        }
    }

    /// The earliest `due_at` of the running clocks.
    #[must_use]
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        self.clocks.iter().filter_map(|clock| clock.due_at).min()
    }

    /// When the first clock whose timer is of this kind is due.
    fn clock_timer(&self, kind: TimerKind) -> Option<DateTime<Utc>> {
        let timers = self.clocks.iter().filter_map(Clock::next_timer);
        timers.filter(|timer| timer_kind(timer.kind) == kind).map(|timer| timer.due_at).min()
    }

    /// The timers that this state asks for, in rank order. Timers are never set
    /// by hand: what is stored is always this.
    #[must_use]
    pub fn timers(&self) -> Vec<(TimerKind, DateTime<Utc>)> {
        if self.ticket.deleted {
            return Vec::new();
        }
        let timers = [
            (TimerKind::OfferExpires, self.offer.as_ref().map(|offer| offer.expires_at)),
            (TimerKind::AnswerDue, self.answer_by),
            (TimerKind::IdleUnassign, self.idle_at),
            (TimerKind::Snooze, self.ticket.snoozed_until),
            (TimerKind::SlaWarning, self.clock_timer(TimerKind::SlaWarning)),
            (TimerKind::SlaBreach, self.clock_timer(TimerKind::SlaBreach)),
            (TimerKind::Escalation, self.escalation.as_ref().and_then(|chain| chain.due_at())),
            (TimerKind::AutoClose, self.auto_close_at),
            (TimerKind::LookAgain, self.look_again_at.filter(|_| self.waits())),
        ];
        timers.into_iter().filter_map(|(kind, at)| Some((kind, at?))).collect()
    }

    /// Whether the ticket waits in a queue for an agent, with no offer out.
    #[must_use]
    pub fn waits(&self) -> bool {
        let ticket = &self.ticket;
        ticket.is_live()
            && ticket.queue.is_some()
            && ticket.assignee.is_none()
            && self.offer.is_none()
            && ticket.category.waits_for_agent()
    }

    /// What the case takes of agents' capacity: the ledger is the sum of these.
    #[must_use]
    pub fn shares(&self) -> Vec<Share> {
        let mut shares = Vec::new();
        if !self.ticket.is_live() {
            return shares;
        }
        let channel = self.ticket.channel;
        if let (Some(agent), true) = (self.ticket.assignee, self.counts) {
            shares.push(Share { agent, channel, active: self.weight, reserved: 0 });
        }
        if let Some(offer) = &self.offer {
            shares.push(Share { agent: offer.agent, channel, active: 0, reserved: offer.weight });
        }
        shares
    }
}
