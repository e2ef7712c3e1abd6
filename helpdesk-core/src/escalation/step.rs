//! Steps of an escalation policy: what each waits for, and what it does.

use crate::condition::ConditionSource;
use crate::id::{AgentId, Key};
use crate::ticket::change::Change;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step: it waits for its trigger, then notifies, hands over or changes the ticket.
///
/// A step fires at most once in each loop of its policy; one that waits for an
/// SLA clock at most once for each cycle and target of the clock.
///
/// ```
/// use helpdesk_core::escalation::step::{StepDef, Trigger};
/// let step: StepDef = serde_json::from_value(serde_json::json!({
///     "trigger": {"type": "after", "seconds": 900},
///     "targets": [{"type": "schedule", "key": "duty"}],
/// }))?;
/// assert_eq!(step.trigger, Trigger::After { seconds: 900, calendar: None });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDef {
    /// What people read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it waits for.
    pub trigger: Trigger,
    /// Passed over when this does not hold at its time; a test on the ticket.
    #[serde(default)]
    pub guard: ConditionSource,
    /// What it does beside notifying.
    #[serde(default)]
    pub kind: StepKind,
    /// Whom it notifies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// What happens when its targets are nobody.
    #[serde(default)]
    pub if_no_one: IfNoOne,
}

/// What a step waits for. With a `calendar` its seconds are working time of that
/// calendar, without one they are seconds of the wall clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// Time after the last of the steps before it was done, or its loop began. It
    /// waits for all of them, so put what comes out of turn behind it.
    After {
        /// How long, from 1.
        seconds: u64,
        /// In whose hours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calendar: Option<Key>,
    },
    /// A part of an SLA target is used up. Comes out of turn.
    SlaPercent {
        /// Whose clock.
        metric: Key,
        /// How much, from 1; over 100 is after the breach.
        percent: u16,
    },
    /// So much working time is left of an SLA target. Comes out of turn.
    SlaBefore {
        /// Whose clock.
        metric: Key,
        /// How much, from 1.
        seconds: u64,
    },
    /// An SLA target is missed. Comes out of turn.
    SlaBreached {
        /// Whose clock.
        metric: Key,
    },
    /// Nothing happened for a while. Comes out of turn.
    Idle {
        /// Since what.
        since: IdleSince,
        /// How long, from 1.
        seconds: u64,
        /// In whose hours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calendar: Option<Key>,
    },
    /// The ticket is opened again for the n-th time, or one more. Comes out of turn.
    Reopened {
        /// n, from 1.
        times: u32,
    },
    /// An agent says so. Steps after it that wait for time wait for it.
    Manual,
}

impl Trigger {
    /// The SLA metric that it looks at.
    #[must_use]
    pub fn metric(&self) -> Option<&Key> {
        match self {
            Self::SlaPercent { metric, .. }
            | Self::SlaBefore { metric, .. }
            | Self::SlaBreached { metric } => Some(metric),
            Self::After { .. } | Self::Idle { .. } | Self::Reopened { .. } | Self::Manual => None,
        }
    }
}

/// Since when nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdleSince {
    /// An agent's last public reply, or the ticket's opening before there is one.
    LastAgentAct,
    /// The requester's last message.
    LastRequesterMessage,
    /// The ticket has no assignee.
    Unassigned,
}

/// What a step does beside notifying.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum StepKind {
    /// Nothing: people are told, the owner stays.
    #[default]
    Hierarchical,
    /// Hands the ticket over: its tier and group change and it is routed again.
    /// Clocks of the tiers' own promises stop and start, those towards the
    /// requester go on.
    Functional {
        /// To whom.
        to: HandOverTo,
        /// Who of them gets it.
        #[serde(default)]
        strategy: Strategy,
    },
    /// Changes the ticket.
    Automation {
        /// How, in order.
        actions: Vec<Action>,
    },
}

/// Whom a ticket is handed over to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum HandOverTo {
    /// A tier, and its group.
    Tier {
        /// Which.
        key: Key,
    },
    /// The tier after the ticket's own.
    NextTier,
    /// A group; the tier stays.
    Group {
        /// Which.
        key: Key,
    },
}

/// Who of a group gets a ticket that is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Whom routing finds: the ticket waits in the group's queue.
    #[default]
    Route,
    /// The first agent whom the step notifies; whom routing finds when that is nobody.
    AssignTarget,
}

/// One change that a step makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Changes a plain field.
    Change {
        /// How.
        change: Change,
    },
    /// Sets the status.
    SetStatus {
        /// To this.
        to: Key,
    },
    /// Takes the ticket from its assignee.
    Unassign,
    /// Writes an internal note, word for word.
    Note {
        /// The text.
        text: String,
    },
}

/// Whom a step notifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// An agent.
    Agent {
        /// Who.
        id: AgentId,
    },
    /// The ticket's assignee at the step's time.
    Assignee,
    /// To whom the assignee reports.
    Manager {
        /// 1 for the manager, 2 for theirs, up to 10.
        #[serde(default = "first")]
        level: u8,
    },
    /// All active agents of a group.
    Group {
        /// Which.
        key: Key,
    },
    /// Whoever is on call at the step's time.
    Schedule {
        /// By which schedule.
        key: Key,
    },
    /// One active agent of a queue's group: tickets and loops take turns.
    Queue {
        /// Which.
        key: Key,
    },
    /// A channel of the host, by its name there.
    Channel {
        /// Which.
        key: Key,
    },
}

/// What happens when a step's targets are nobody. That they were is always recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfNoOne {
    /// The next step, where it waits for time, is due at once.
    #[default]
    NextStep,
    /// The policy's fallback is notified in their place.
    Fallback,
    /// The next step waits for as long as it would have.
    Wait,
}

fn first() -> u8 {
    1
}
