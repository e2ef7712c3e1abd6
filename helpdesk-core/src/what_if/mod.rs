//! What would have been: recorded tickets once more, through another configuration.
//!
//! The engine does the journey with its own `decide`; here is what is pure of it:
//! what a host asks, which [`inputs`](input::inputs) a journal holds, what a
//! ticket's [`Course`](course::Course) came to, and how two runs
//! [differ](compare::compare). Source: docs/DESIGN.md, "What does a what-if do?".

pub mod compare;
pub mod course;
pub mod input;
#[cfg(test)]
mod tests;

use crate::agent::AgentPatch;
use crate::event::RoutedBy;
use crate::fault::{Code, Fault, Rejection};
use crate::id::{AgentId, Key, TicketId, TicketNumber};
use crate::limit::{
    PAGE_MAX, WHAT_IF_DAYS_MAX, WHAT_IF_SPANS_MAX, WHAT_IF_STAFF_MAX, WHAT_IF_TICKETS_MAX,
};
use chrono::{DateTime, TimeDelta, Utc};
use course::Placed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Rows of an answer unless a query says.
const ROWS_DEFAULT: usize = 100;

/// What is tried: the tickets opened in `[from, until)`, through another
/// configuration, with other people, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIf {
    /// The changed configuration; the one in force when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Value>,
    /// Who else would have been there, and who not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub staffing: Vec<StaffChange>,
    /// Tickets opened from this instant on.
    pub from: DateTime<Utc>,
    /// Before this instant, at which the replay ends; 366 days later at most.
    pub until: DateTime<Utc>,
    /// Only some of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    /// Rows of tickets, and of hours, at most; 100 when absent, 1,000 at most.
    /// Totals are complete whatever it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Draws tickets by a hash of seed and ticket id: the same ones each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// How many at most.
    pub n: usize,
    /// Another seed draws others.
    #[serde(default)]
    pub seed: u64,
}

impl Sample {
    /// By this tickets are drawn: those with the lowest come first.
    ///
    /// ```
    /// use helpdesk_core::id::TicketId;
    /// use helpdesk_core::what_if::Sample;
    /// let ticket = TicketId(uuid::Uuid::from_u128(7));
    /// let lot = |seed| Sample { n: 1, seed }.lot(ticket);
    /// assert_eq!(lot(1), lot(1));
    /// assert_ne!(lot(1), lot(2));
    /// ```
    #[must_use]
    pub fn lot(&self, ticket: TicketId) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(ticket.0.as_bytes());
        hash.finalize().into()
    }
}

/// One agent who would be other, absent, or new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffChange {
    /// Who. An id that the desk does not know is a new agent, with the name
    /// `new agent` unless the patch has one.
    pub agent: AgentId,
    /// Whether they would not be there at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
    /// How they would be other: groups, skills, capacity, shift.
    #[serde(default)]
    pub patch: AgentPatch,
    /// When they would be online, on every channel, instead of when they were;
    /// spans that overlap are one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<Vec<OnlineSpan>>,
}

/// A time in which an agent is online: `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnlineSpan {
    /// From this instant on.
    pub from: DateTime<Utc>,
    /// Before this one.
    pub until: DateTime<Utc>,
}

impl WhatIf {
    /// A what-if of this time, with nothing changed yet.
    #[must_use]
    pub fn new(from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self { document: None, staffing: Vec::new(), from, until, sample: None, limit: None }
    }

    /// Rows of the answer at most.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.limit.unwrap_or(ROWS_DEFAULT)
    }

    /// Checks the bounds. The document is checked when it is read, the patches of
    /// the staff by that document, as those of agents are.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] for a time without length, a sample or page of none, an
    /// agent named twice; [`Code::OverLimit`] for a time, a sample, a page, a staff
    /// or spans over their limits.
    pub fn check(&self) -> Result<(), Rejection> {
        let over = |path: &str, n: usize, what: &str, max: usize| {
            (n > max).then(|| Fault::over_limit(path, n, what, max))
        };
        let mut faults = Vec::new();
        if self.until <= self.from {
            faults.push(Fault::invalid("until", "until after from"));
        }
        if self.until - self.from > TimeDelta::days(WHAT_IF_DAYS_MAX) {
            let message = format!("at most {WHAT_IF_DAYS_MAX} days: ask for less at once");
            faults.push(Fault::new("until", Code::OverLimit, message));
        }
        if self.sample.is_some_and(|sample| sample.n == 0) {
            faults.push(Fault::invalid("sample.n", "take 1 at least"));
        }
        let n_drawn = self.sample.map_or(0, |sample| sample.n);
        faults.extend(over("sample.n", n_drawn, "tickets", WHAT_IF_TICKETS_MAX));
        if self.limit == Some(0) {
            faults.push(Fault::invalid("limit", "take 1 at least"));
        }
        faults.extend(over("limit", self.rows(), "rows", PAGE_MAX));
        faults.extend(over("staffing", self.staffing.len(), "agents", WHAT_IF_STAFF_MAX));
        for (i, change) in self.staffing.iter().enumerate() {
            let spans = change.online.as_deref().unwrap_or_default();
            let path = format!("staffing[{i}].online");
            faults.extend(over(&path, spans.len(), "spans", WHAT_IF_SPANS_MAX));
            if spans.iter().any(|span| span.until <= span.from) {
                faults.push(Fault::invalid(path, "until after from"));
            }
            if self.staffing[..i].iter().any(|other| other.agent == change.agent) {
                let path = format!("staffing[{i}].agent");
                faults.push(Fault::invalid(path, "named before: one change an agent"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Rejection::many(faults)) }
    }
}

/// What would have been other. Where `faults` is not empty nothing was replayed,
/// and the rest is empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct WhatIfAnswer {
    /// What is wrong with the document.
    pub faults: Vec<Fault>,
    /// Tickets opened in that time, in the asker's scope.
    pub n_tickets: u64,
    /// Those that were replayed: all, or the sample.
    pub n_replayed: u64,
    /// Those of them that were imported: replayed as if they had come in then.
    pub n_imported: u64,
    /// Those of them with a text that was redacted: routed by what is left.
    pub n_redacted: u64,
    /// Replayed tickets whose result is another.
    pub n_differ: u64,
    /// In what they differ; a ticket may count several times.
    pub n_differ_by: DifferBy,
    /// What the replay came to under the configuration in force.
    pub before: RunTotals,
    /// What it came to under the changed one.
    pub after: RunTotals,
    /// The tickets that differ, in the order in which they were opened.
    pub tickets: Vec<TicketDiffers>,
    /// Whether more differ than are listed.
    pub tickets_cut: bool,
    /// What each agent held, by id.
    pub agents: Vec<AgentDiffers>,
    /// Where the two runs load an agent otherwise in an hour, by hour and agent.
    pub hours: Vec<HourDiffers>,
    /// Hours of agents that differ, whether listed or not.
    pub n_hours_differ: u64,
    /// How far the replay under the configuration in force is from what was recorded.
    pub fidelity: Fidelity,
}

/// In what the results of tickets differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct DifferBy {
    /// The queue that they came to first.
    pub queue: u64,
    /// Its group.
    pub group: u64,
    /// What decided so: another rule, a default, nothing.
    pub rule: u64,
    /// The agent who had them first.
    pub first_agent: u64,
    /// Which targets were missed.
    pub breaches: u64,
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RunTotals {
    /// Tickets by the queue that they came to first.
    pub queues: BTreeMap<Key, u64>,
    /// Tickets by the group of that queue.
    pub groups: BTreeMap<Key, u64>,
    /// Tickets by the rule that decided first.
    pub rules: BTreeMap<Key, u64>,
    /// Tickets that no rule and no default took.
    pub n_unroutable: u64,
    /// Tickets that an agent had at some time.
    pub n_assigned: u64,
    /// Missed targets, by metric.
    pub breaches: BTreeMap<Key, u64>,
    /// Recorded inputs that did not fit and were left out, such as a status that
    /// this configuration does not have.
    pub n_refused: u64,
    /// Answers and other work of agents that nobody could do: no agent of the
    /// ticket's group works there.
    pub n_unanswered: u64,
}

/// A ticket whose result is another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TicketDiffers {
    /// Which.
    pub ticket: TicketId,
    /// Its number.
    pub number: TicketNumber,
    /// What it came to under the configuration in force.
    pub before: TicketResult,
    /// What it came to under the changed one.
    pub after: TicketResult,
}

/// What a ticket came to in one run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TicketResult {
    /// Where it came first, and why; absent for one that was not routable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placed: Option<Placed>,
    /// Who had it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_agent: Option<AgentId>,
    /// Missed targets, by metric.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub breaches: BTreeMap<Key, u64>,
}

impl TicketResult {
    /// The rule that decided where it came first, if a rule did.
    #[must_use]
    pub fn rule(&self) -> Option<&Key> {
        match &self.placed.as_ref()?.by {
            RoutedBy::Rule { rule, .. } => Some(rule),
            _ => None,
        }
    }
}

/// What an agent held in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LoadTotals {
    /// Units given to them.
    pub assigned: u64,
    /// Units that they held at the end of an hour, summed over all hours.
    pub unit_hours: u64,
    /// The most that they held at the end of an hour.
    pub peak: u32,
}

/// What one agent held in both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentDiffers {
    /// Who.
    pub agent: AgentId,
    /// What people call them.
    pub name: String,
    /// Under the configuration in force.
    pub before: LoadTotals,
    /// Under the changed one.
    pub after: LoadTotals,
}

/// An agent's load in one hour of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct HourLoad {
    /// Units given to them in the hour.
    pub assigned: u64,
    /// Units that they held at its end.
    pub active: u32,
}

/// An agent's load in one hour of both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HourDiffers {
    /// When the hour began.
    pub hour_at: DateTime<Utc>,
    /// Who.
    pub agent: AgentId,
    /// Under the configuration in force.
    pub before: HourLoad,
    /// Under the changed one.
    pub after: HourLoad,
}

/// How far a replay under the configuration in force is from the record: of how
/// many tickets it gives the recorded result. Imported tickets, which nothing had
/// routed, count in `n_imported_same_group` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Fidelity {
    /// Tickets compared.
    pub n_tickets: u64,
    /// The same queue first.
    pub n_same_queue: u64,
    /// The same rule or default.
    pub n_same_rule: u64,
    /// The same agent first.
    pub n_same_first_agent: u64,
    /// The same missed targets.
    pub n_same_breaches: u64,
    /// The same in all of these.
    pub n_same: u64,
    /// Imported tickets that come to the group that they were imported with.
    pub n_imported_same_group: u64,
}
