//! Metrics, checked, and the moments they wait for.

use super::def::{Anchor, CycleMode, Occurrence, OnPolicyChange, Slot};
use super::signal::{ClockContext, MessageSignal, Signal};
use crate::actor::ActorKind;
use crate::condition::Condition;
use crate::id::Key;
use crate::ticket::status::StatusCategory;

/// What is measured, checked; see [`MetricDef`](super::def::MetricDef).
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its key.
    pub key: Key,
    /// What people read.
    pub name: String,
    /// Which policy it follows.
    pub slot: Slot,
    /// A clock starts on the first of these.
    pub start: Vec<Occasion>,
    /// An open clock stops on any of these.
    pub stop: Vec<Occasion>,
    /// An open clock is given up on any of these.
    pub cancel: Vec<Occasion>,
    /// An open clock counts from nothing again on any of these.
    pub reset: Vec<Occasion>,
    /// An open clock is paused in these categories.
    pub pause_in: Vec<StatusCategory>,
    /// An open clock is paused while this holds.
    pub pause_when: Condition,
    /// What a start does after the metric was met or missed.
    pub cycle: CycleMode,
    /// With `accumulate`: whether the time between stop and start counts.
    pub count_solved_gap: bool,
    /// Whether a bot's message is an agent's.
    pub counts_as_human: bool,
    /// Whether an open clock takes over the waiting time of a merged ticket.
    pub carries_on_merge: bool,
    /// What becomes of its time under another policy or target.
    pub on_policy_change: OnPolicyChange,
}

impl Metric {
    /// Whether an open clock is paused now.
    #[must_use]
    pub fn is_paused(&self, ctx: &ClockContext<'_>) -> bool {
        self.pause_in.contains(&ctx.ticket.category) || self.pause_when.holds(ctx.facts)
    }
}

/// One kind of moment, checked; see [`OccasionDef`](super::def::OccasionDef).
#[derive(Debug, Clone, PartialEq)]
pub struct Occasion {
    /// What happens.
    pub on: Occurrence,
    /// Who wrote the message; anybody when empty.
    pub by: Vec<ActorKind>,
    /// Whether requesters can read the message; either when absent.
    pub public: Option<bool>,
    /// The status category before; any when empty.
    pub from: Vec<StatusCategory>,
    /// The status category afterwards; any when empty.
    pub within: Vec<StatusCategory>,
    /// Not once a human agent has answered in public.
    pub unless_answered: bool,
    /// Only after each of these metrics.
    pub after: Vec<Key>,
    /// From when a cycle counts that starts so.
    pub anchor: Anchor,
    /// A test on the ticket.
    pub when: Condition,
}

impl Occasion {
    /// Whether this moment has come; `after` is for the caller to say.
    pub(super) fn fits(&self, metric: &Metric, signal: &Signal, ctx: &ClockContext<'_>) -> bool {
        self.happens(metric, signal)
            && (self.within.is_empty() || self.within.contains(&ctx.ticket.category))
            && !(self.unless_answered && ctx.ticket.answered)
            && self.when.holds(ctx.facts)
    }

    fn happens(&self, metric: &Metric, signal: &Signal) -> bool {
        match self.on {
            Occurrence::Created => {
                matches!(signal, Signal::Created { message }
                    if self.is_written(metric, message.as_ref()))
            }
            Occurrence::Message => {
                matches!(signal, Signal::Created { message: Some(message) }
                    | Signal::Message(message) if self.is_written(metric, Some(message)))
            }
            Occurrence::Status => {
                matches!(signal, Signal::Status { from }
                    if self.from.is_empty() || self.from.contains(from))
            }
            Occurrence::Fields => *signal == Signal::Fields,
            Occurrence::Group => *signal == Signal::Group,
            Occurrence::Assignee => *signal == Signal::Assignee,
            Occurrence::Policy => matches!(signal, Signal::Policy | Signal::Restored),
        }
    }

    /// Whether the message is by one of these, and as public as asked. No
    /// message is by nobody.
    fn is_written(&self, metric: &Metric, message: Option<&MessageSignal>) -> bool {
        let Some(message) = message else {
            return self.by.is_empty() && self.public.is_none();
        };
        let is_agent = metric.counts_as_human && message.by == ActorKind::Bot;
        let by = self.by.is_empty()
            || self.by.contains(&message.by)
            || is_agent && self.by.contains(&ActorKind::Agent);
        by && self.public.is_none_or(|public| public == message.public)
    }
}
