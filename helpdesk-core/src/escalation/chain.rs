//! The escalation of one ticket as data: where it stands, and what happened to it.
//!
//! A [`Chain`] keeps the policy as it was when it began. Each
//! [`EscalationChange`] carries the whole standing after it, so that the journal
//! folds without a configuration: [`apply`] only sets it. What moves a chain is
//! in [`run`](super::run), [`command`](super::command) and
//! [`signal`](super::signal). Source: spec/sla.md, "Escalation".

use super::policy::Snapshot;
use super::reason::Reason;
use super::resolve::Notice;
use super::step::{Action, IfNoOne};
use crate::id::{AgentId, Key};
use crate::ticket::priority::SkillLevel;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A ticket's escalation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// Its policy, as it was when the chain began.
    pub snapshot: Snapshot,
    /// Where it stands.
    pub progress: Progress,
}

/// What a chain does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainState {
    /// Waits for its next step.
    Pending,
    /// Somebody takes care: only steps of SLA clocks fire.
    Acked,
    /// At its end: only steps of SLA clocks fire, on another cycle or target.
    Exhausted,
    /// Over.
    Done,
}

impl ChainState {
    /// The state as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Acked => "acked",
            Self::Exhausted => "exhausted",
            Self::Done => "done",
        }
    }
}

/// Where a chain stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What it does.
    pub state: ChainState,
    /// The first step that is not done in this loop, from 0; the number of steps when all are.
    pub step: u16,
    /// Counts beginnings at the first step, from 0: repeats, and whatever else
    /// leads back there.
    #[serde(rename = "loop")]
    pub loop_index: u32,
    /// Repeats since it last began at the first step for another reason.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n_repeats: u32,
    /// When it began.
    #[serde(with = "crate::instant")]
    pub started_at: DateTime<Utc>,
    /// When the loop began.
    #[serde(with = "crate::instant")]
    pub loop_began_at: DateTime<Utc>,
    /// Waits count from here at the earliest: set where it began anew or went on.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub counts_from: Option<DateTime<Utc>>,
    /// What is known of each step.
    pub marks: Vec<StepMark>,
    /// Steps that fired, over all loops.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n_fired: u32,
    /// The step that notified last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_notified: Option<u16>,
    /// Who acknowledged it, while that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acked: Option<Ack>,
    /// When the ticket was opened again, in this loop.
    #[serde(default, with = "crate::instant::optional", skip_serializing_if = "Option::is_none")]
    pub reopened_at: Option<DateTime<Utc>>,
    /// Who had the ticket before each time it was handed over, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Owner>,
    /// Why it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<DoneWhy>,
    /// What it waits for next; nothing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Due>,
    /// Grows with each change; a timer of another generation is stale.
    pub generation: u32,
}

/// What is known of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StepMark {
    /// When it was last done, in which loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<StepDone>,
    /// The cycle and target revision of the clock it last fired for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockCycle>,
}

/// That a step fired or was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDone {
    /// In which loop.
    #[serde(rename = "loop")]
    pub loop_index: u32,
    /// When.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// Whether the step after it waits no longer: its own targets were nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hurry: bool,
}

/// A cycle of a clock and its target: what a step of an SLA clock fires once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClockCycle {
    /// The cycle.
    pub cycle: u32,
    /// The target's revision.
    pub target_rev: u32,
}

/// An acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Whose.
    pub by: AgentId,
    /// When.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
}

/// Who has a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Owner {
    /// The level of support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Key>,
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Key>,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<AgentId>,
}

/// What a chain waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// When.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// For what.
    pub what: DueWhat,
}

/// What comes due in a chain. The order is the order of firing at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DueWhat {
    /// A step.
    Step {
        /// Which, from 0.
        step: u16,
    },
    /// An acknowledgement holds no longer.
    AckTimeout,
}

/// Why a chain is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoneWhy {
    /// The ticket was solved.
    Solved,
    /// It was closed.
    Closed,
    /// It lives on in another.
    Merged,
    /// It was deleted.
    Deleted,
    /// It is spam.
    Spam,
    /// An agent answered, and the policy stops on that.
    Replied,
    /// It was given to an agent, and the policy stops on that.
    Assigned,
    /// The policy is no more, and the chain followed its edits.
    PolicyGone,
}

/// That a ticket was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOver {
    /// Who had it.
    pub from: Owner,
    /// Its level of support from now on; unchanged when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Key>,
    /// Its group from now on.
    pub group: Key,
    /// Tiers that it skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Key>,
    /// Skills that it requires from now on, beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillLevel>,
    /// Who gets it; whom routing finds when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<AgentId>,
    /// Who follows it from now on: whoever answered last, or had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watcher: Option<AgentId>,
}

/// That a step fired: what the desk does in the same decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFired {
    /// Which, from 0.
    pub step: u16,
    /// In which loop.
    #[serde(rename = "loop")]
    pub loop_index: u32,
    /// Because it was due, or forced.
    pub why: Reason,
    /// The cycle and target of the clock it fired for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockCycle>,
    /// Whom to notify.
    pub notice: Notice,
    /// What happens as its targets were nobody; absent when they were somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_one: Option<IfNoOne>,
    /// To whom the ticket goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<HandedOver>,
    /// How the ticket changes, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// What happened to a chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EscalationNews {
    /// It began.
    Started {
        /// By this policy.
        snapshot: Snapshot,
    },
    /// Its policy was edited, and it follows.
    PolicyFollowed {
        /// The policy from now on.
        snapshot: Snapshot,
    },
    /// A step fired.
    StepFired(Box<StepFired>),
    /// A step was passed over.
    StepPassed {
        /// Which, from 0.
        step: u16,
        /// Why.
        reason: Reason,
    },
    /// It begins again, after its last step.
    LoopBegan,
    /// It is at its end.
    Exhausted {
        /// Whom to notify.
        notice: Notice,
    },
    /// An agent takes care.
    Acknowledged {
        /// Who.
        by: AgentId,
    },
    /// The acknowledgement holds no longer.
    AckTimedOut {
        /// Whose it was.
        by: AgentId,
        /// Whom to notify: them, and those of the step that notified last.
        notice: Notice,
    },
    /// The acknowledgement was taken back.
    Unacknowledged {
        /// By whom.
        by: AgentId,
    },
    /// The ticket was opened again.
    Reopened,
    /// An agent made it go on.
    Forced {
        /// Who.
        by: AgentId,
    },
    /// The ticket goes back to whom it came from.
    HandedBack {
        /// By whom.
        by: AgentId,
        /// To whom.
        to: Owner,
    },
    /// It is over.
    Done {
        /// Why.
        why: DoneWhy,
    },
    /// It waits for something else, or for another time.
    Rescheduled,
}

impl EscalationNews {
    /// Whom to notify of it; `None` where that is nobody. The desk queues one
    /// effect for each, not before [`Notice::held_until`].
    #[must_use]
    pub fn notice(&self) -> Option<&Notice> {
        let notice = match self {
            Self::StepFired(fired) => &fired.notice,
            Self::Exhausted { notice } | Self::AckTimedOut { notice, .. } => notice,
            Self::Started { .. }
            | Self::PolicyFollowed { .. }
            | Self::StepPassed { .. }
            | Self::LoopBegan
            | Self::Acknowledged { .. }
            | Self::Unacknowledged { .. }
            | Self::Reopened
            | Self::Forced { .. }
            | Self::HandedBack { .. }
            | Self::Done { .. }
            | Self::Rescheduled => return None,
        };
        (!notice.to.is_empty()).then_some(notice)
    }

    /// The news in one word, as it stands in JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::PolicyFollowed { .. } => "policy_followed",
            Self::StepFired(_) => "step_fired",
            Self::StepPassed { .. } => "step_passed",
            Self::LoopBegan => "loop_began",
            Self::Exhausted { .. } => "exhausted",
            Self::Acknowledged { .. } => "acknowledged",
            Self::AckTimedOut { .. } => "ack_timed_out",
            Self::Unacknowledged { .. } => "unacknowledged",
            Self::Reopened => "reopened",
            Self::Forced { .. } => "forced",
            Self::HandedBack { .. } => "handed_back",
            Self::Done { .. } => "done",
            Self::Rescheduled => "rescheduled",
        }
    }
}

/// One thing that happened to a ticket's escalation, and how it stands after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EscalationChange {
    /// What happened.
    pub news: EscalationNews,
    /// How it stands.
    pub progress: Progress,
}

/// Makes a change part of a ticket's escalation. A change of none, but for its
/// beginning, does nothing.
pub fn apply(chain: &mut Option<Chain>, change: &EscalationChange) {
    let progress = change.progress.clone();
    match (&change.news, chain) {
        (
            EscalationNews::Started { snapshot } | EscalationNews::PolicyFollowed { snapshot },
            chain,
        ) => *chain = Some(Chain { snapshot: snapshot.clone(), progress }),
        (_, Some(chain)) => chain.progress = progress,
        (_, None) => {}
    }
}

impl Chain {
    /// The next instant at which something comes due; the timer of the ticket.
    #[must_use]
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        self.progress.due.map(|due| due.at)
    }

    /// How many times the ticket was handed over and not back: what conditions
    /// call `escalation_level`.
    #[must_use]
    pub fn level(&self) -> u32 {
        u32::try_from(self.progress.owners.len()).unwrap_or(u32::MAX)
    }
}

/// `pending(2)`, `acked`.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            ChainState::Pending => write!(f, "pending({})", self.step),
            state => f.write_str(state.as_str()),
        }
    }
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}
