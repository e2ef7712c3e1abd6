//! The SLA metrics of known products, as data.

use super::def::{
    Anchor, CycleMode, MetricDef, OccasionDef, Occurrence, OnPolicyChange, PauseDef, Slot,
};
use crate::actor::ActorKind;
use crate::condition::ConditionSource;
use crate::id::Key;
use crate::ticket::status::StatusCategory::{self, Closed, New, OnHold, Open, Pending, Solved};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Whose metrics a desk has, beside its own.
///
/// ```
/// use helpdesk_core::sla::presets::{Preset, PresetOptions};
/// let metrics = Preset::JiraServiceManagement.metrics(PresetOptions::default());
/// let keys: Vec<&str> = metrics.iter().map(|metric| metric.key.as_str()).collect();
/// assert_eq!(keys, ["time_to_first_response", "time_to_resolution"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// First and next reply, periodic and pausable update, requester wait, agent
    /// work, total resolution; between groups first assignment and group time.
    /// Source: Zendesk Support, "Defining SLA policies".
    #[default]
    Zendesk,
    /// First response, every response, resolution; a new target is dated from
    /// the start. Source: Freshdesk, "Understanding SLA policies".
    Freshdesk,
    /// Time to first response, time to resolution, in cycles.
    /// Source: Jira Service Management, "Set up SLAs".
    JiraServiceManagement,
    /// First response, update, solution. Source: Zammad, "Service Level Agreements".
    Zammad,
    /// First answer, next answer, first assignment.
    /// Source: LiveAgent, "Service level agreements".
    LiveAgent,
    /// None.
    None,
}

/// What a ticket solved without a reply does to its first reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstReplyOnSolve {
    /// What the product does.
    #[default]
    Preset,
    /// It counts as the reply.
    Fulfil,
    /// The clock is given up.
    Drop,
}

/// What may differ from the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PresetOptions {
    /// What a ticket solved without a reply does to its first reply.
    pub first_reply_on_solve: FirstReplyOnSolve,
    /// Whether the time a ticket was solved counts once it is reopened.
    pub count_solved_gap: bool,
    /// Whether a bot's public message is an agent's.
    pub counts_as_human: bool,
    /// Whether the first reply starts only with the ticket itself, and never
    /// with the first message of a requester for whom an agent opened it.
    pub first_reply_at_creation_only: bool,
    /// Whether reply clocks take over the waiting time of a merged ticket.
    pub carries_on_merge: bool,
}

/// A metric in short; the rest follows from it.
#[derive(Default)]
struct Row {
    key: &'static str,
    name: &'static str,
    slot: Slot,
    start: Vec<OccasionDef>,
    stop: Vec<OccasionDef>,
    cancel: Vec<OccasionDef>,
    reset: Vec<OccasionDef>,
    pause: &'static [StatusCategory],
    cycle: CycleMode,
}

const UNSOLVED: &[StatusCategory] = &[New, Open, Pending, OnHold];
const DONE: &[StatusCategory] = &[Solved, Closed];

impl Preset {
    /// The product's metrics, in the order in which they start.
    #[must_use]
    pub fn metrics(self, options: PresetOptions) -> Vec<MetricDef> {
        let rows = match self {
            Self::Zendesk => zendesk(options),
            Self::Freshdesk => freshdesk(options),
            Self::JiraServiceManagement => jira_service_management(options),
            Self::Zammad => zammad(options),
            Self::LiveAgent => live_agent(options),
            Self::None => Vec::new(),
        };
        let on_policy_change = match self {
            Self::Freshdesk | Self::JiraServiceManagement | Self::Zammad => {
                OnPolicyChange::RestartFromAnchor
            }
            Self::Zendesk | Self::LiveAgent | Self::None => OnPolicyChange::KeepElapsed,
        };
        rows.into_iter().filter_map(|row| metric(row, options, on_policy_change)).collect()
    }
}

fn metric(row: Row, options: PresetOptions, on_policy_change: OnPolicyChange) -> Option<MetricDef> {
    let is_reply = row.start.iter().any(|start| start.by == [ActorKind::Requester]);
    Some(MetricDef {
        key: Key::new(row.key).ok()?,
        name: row.name.to_owned(),
        slot: row.slot,
        start: row.start,
        stop: row.stop,
        cancel: row.cancel,
        reset: row.reset,
        pause: PauseDef { within: row.pause.to_vec(), ..PauseDef::default() },
        cycle: row.cycle,
        count_solved_gap: options.count_solved_gap && row.cycle == CycleMode::Accumulate,
        counts_as_human: options.counts_as_human,
        carries_on_merge: options.carries_on_merge && is_reply,
        on_policy_change,
    })
}

fn zendesk(options: PresetOptions) -> Vec<Row> {
    vec![
        first_reply("first_reply", "First reply", options, FirstReplyOnSolve::Fulfil),
        Row {
            start: vec![after(requester_writes(), "first_reply")],
            ..next_reply("next_reply", "Next reply")
        },
        update("periodic_update", "Periodic update", DONE),
        update("pausable_update", "Pausable update", &[Pending, Solved, Closed]),
        resolution("requester_wait", "Requester wait", Anchor::EventTime, &[Pending]),
        resolution("agent_work", "Agent work", Anchor::EventTime, &[Pending, OnHold]),
        resolution("total_resolution", "Total resolution", Anchor::TicketCreated, &[]),
        first_assign("first_assign", "First assignment", Slot::Group),
        Row {
            key: "group_time",
            name: "Time in the group",
            slot: Slot::Group,
            start: vec![
                when(on(Occurrence::Created, UNSOLVED), "group", true),
                when(on(Occurrence::Group, UNSOLVED), "group", true),
                when(on(Occurrence::Policy, UNSOLVED), "group", true),
            ],
            stop: vec![on(Occurrence::Group, &[])],
            cancel: vec![on(Occurrence::Status, DONE)],
            pause: DONE,
            cycle: CycleMode::Restart,
            ..Row::default()
        },
    ]
}

fn freshdesk(options: PresetOptions) -> Vec<Row> {
    const OFF: &[StatusCategory] = &[Pending, OnHold];
    let first = first_reply("first_response", "First response", options, FirstReplyOnSolve::Fulfil);
    vec![
        Row { pause: OFF, ..first },
        Row {
            start: vec![after(requester_writes(), "first_response")],
            pause: &[Pending, OnHold, Solved, Closed],
            ..next_reply("every_response", "Every response")
        },
        resolution("resolution", "Resolution", Anchor::EventTime, OFF),
    ]
}

fn jira_service_management(options: PresetOptions) -> Vec<Row> {
    let first = first_reply(
        "time_to_first_response",
        "Time to first response",
        options,
        FirstReplyOnSolve::Fulfil,
    );
    let done =
        resolution("time_to_resolution", "Time to resolution", Anchor::TicketCreated, &[Pending]);
    vec![first, Row { cycle: CycleMode::Restart, ..done }]
}

fn zammad(options: PresetOptions) -> Vec<Row> {
    const BREAKS: &[StatusCategory] = &[Pending];
    let first = first_reply("first_response", "First response", options, FirstReplyOnSolve::Fulfil);
    let update = next_reply("update", "Update");
    let solution = resolution("solution", "Solution", Anchor::TicketCreated, BREAKS);
    vec![
        Row { pause: BREAKS, ..first },
        Row { start: vec![requester_writes()], pause: &[Pending, Solved, Closed], ..update },
        solution,
    ]
}

fn live_agent(options: PresetOptions) -> Vec<Row> {
    let reopened = OccasionDef { from: vec![Pending, Solved], ..on(Occurrence::Status, &[Open]) };
    vec![
        first_reply("first_answer", "First answer", options, FirstReplyOnSolve::Drop),
        Row {
            start: vec![after(requester_writes(), "first_answer"), after(reopened, "first_answer")],
            stop: vec![agent_replies()],
            cancel: vec![on(Occurrence::Status, DONE)],
            ..next_reply("next_answer", "Next answer")
        },
        first_assign("first_assign", "First assignment", Slot::Requester),
    ]
}

/// From a requester's first public message to an agent's; once.
fn first_reply(
    key: &'static str,
    name: &'static str,
    options: PresetOptions,
    preset: FirstReplyOnSolve,
) -> Row {
    let first = OccasionDef {
        on: if options.first_reply_at_creation_only {
            Occurrence::Created
        } else {
            Occurrence::Message
        },
        unless_answered: true,
        ..requester_writes()
    };
    let late = OccasionDef {
        unless_answered: true,
        anchor: Anchor::TicketCreated,
        ..when(on(Occurrence::Policy, UNSOLVED), "last_requester_at", true)
    };
    let solved = on(Occurrence::Status, DONE);
    let drops = match options.first_reply_on_solve {
        FirstReplyOnSolve::Preset => preset == FirstReplyOnSolve::Drop,
        FirstReplyOnSolve::Fulfil => false,
        FirstReplyOnSolve::Drop => true,
    };
    let (stop, cancel) = if drops { (vec![], vec![solved]) } else { (vec![solved], vec![]) };
    Row {
        key,
        name,
        start: vec![first, late],
        stop: [vec![agent_replies()], stop].concat(),
        cancel,
        ..Row::default()
    }
}

/// From a requester's message to the reply, or to the solution; again each time.
fn next_reply(key: &'static str, name: &'static str) -> Row {
    Row {
        key,
        name,
        stop: vec![agent_replies(), on(Occurrence::Status, DONE)],
        pause: DONE,
        cycle: CycleMode::Restart,
        ..Row::default()
    }
}

/// From an agent's public message to the next one, or to the solution.
fn update(key: &'static str, name: &'static str, pause: &'static [StatusCategory]) -> Row {
    Row {
        key,
        name,
        start: vec![OccasionDef { within: UNSOLVED.to_vec(), ..agent_replies() }],
        stop: vec![agent_replies(), on(Occurrence::Status, DONE)],
        pause,
        cycle: CycleMode::Restart,
        ..Row::default()
    }
}

/// From the opening to the solution; goes on when reopened.
fn resolution(
    key: &'static str,
    name: &'static str,
    late: Anchor,
    pause: &'static [StatusCategory],
) -> Row {
    Row {
        key,
        name,
        start: vec![
            on(Occurrence::Created, UNSOLVED),
            on(Occurrence::Status, UNSOLVED),
            OccasionDef { anchor: late, ..on(Occurrence::Policy, UNSOLVED) },
        ],
        stop: vec![on(Occurrence::Status, DONE)],
        pause,
        cycle: CycleMode::Accumulate,
        ..Row::default()
    }
}

/// From the opening, or from entering a group, until somebody is responsible.
fn first_assign(key: &'static str, name: &'static str, slot: Slot) -> Row {
    let waiting = |occurrence| when(on(occurrence, UNSOLVED), "assignee", false);
    let grouped = on(Occurrence::Group, &[]);
    Row {
        key,
        name,
        slot,
        start: vec![
            waiting(Occurrence::Created),
            waiting(Occurrence::Group),
            waiting(Occurrence::Policy),
        ],
        stop: vec![when(on(Occurrence::Assignee, &[]), "assignee", true)],
        cancel: vec![on(Occurrence::Status, DONE)],
        reset: if slot == Slot::Group { vec![grouped] } else { vec![] },
        pause: DONE,
        cycle: if slot == Slot::Group { CycleMode::Restart } else { CycleMode::Once },
    }
}

fn on(on: Occurrence, within: &[StatusCategory]) -> OccasionDef {
    OccasionDef { on, within: within.to_vec(), ..OccasionDef::default() }
}

fn requester_writes() -> OccasionDef {
    OccasionDef {
        by: vec![ActorKind::Requester],
        public: Some(true),
        ..on(Occurrence::Message, &[])
    }
}

fn agent_replies() -> OccasionDef {
    OccasionDef { by: vec![ActorKind::Agent], public: Some(true), ..on(Occurrence::Message, &[]) }
}

fn after(occasion: OccasionDef, metric: &str) -> OccasionDef {
    OccasionDef { after: Key::new(metric).into_iter().collect(), ..occasion }
}

/// Only where a field is set, or is not.
fn when(occasion: OccasionDef, field: &str, set: bool) -> OccasionDef {
    let test = if set { "set" } else { "unset" };
    OccasionDef { when: ConditionSource(json!({"field": field, test: true})), ..occasion }
}
