//! Reports: what a desk did between two instants, counted from the journal.
//!
//! A [`ReportQuery`] says what to count, a [`Reporter`] is told the tickets and
//! then the journal, and a [`Report`] comes out; its [`Display`](std::fmt::Display)
//! is a plain table. What a measure means stands at [`Measure`]. Source:
//! spec/desk.md, `report`.

mod bucket;
mod durations;
mod knowledge;
mod reporter;
mod table;
#[cfg(test)]
mod tests;

pub use durations::Durations;
pub use knowledge::{
    ArticleGap, Funnel, KnowledgeQuery, KnowledgeReport, KnowledgeReporter, SearchGap, TopicGap,
};
pub use reporter::Reporter;

use crate::fault::Fault;
use crate::id::Key;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What to count, between when, and by what.
///
/// ```
/// use helpdesk_core::report::{GroupBy, ReportQuery};
/// let query: ReportQuery = serde_json::from_str(
///     r#"{
///         "from": "2026-11-01T00:00:00+01:00", "to": "2026-12-01T00:00:00+01:00",
///         "zone": "Europe/Berlin", "group_by": "day", "measures": ["opened", "backlog"]
///     }"#,
/// )?;
/// assert_eq!(query.group_by, GroupBy::Day);
/// assert!(query.check().is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// From this instant on.
    pub from: DateTime<Utc>,
    /// Before this instant; later than `from`, and 10 civil years at most.
    pub to: DateTime<Utc>,
    /// The IANA zone whose civil days, weeks and months count, such as
    /// `Europe/Berlin`; UTC when absent.
    #[serde(default = "utc")]
    pub zone: String,
    /// What makes a row.
    pub group_by: GroupBy,
    /// What to count; one at least. Naming one twice changes nothing.
    #[schemars(length(min = 1))]
    pub measures: Vec<Measure>,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl ReportQuery {
    /// Everything wrong with the query; empty when it can be asked.
    ///
    /// [`Code::Invalid`](crate::fault::Code::Invalid) at `zone` that does not
    /// exist, at `to` that is not after `from`, at an instant beyond the year
    /// 9999, and at `measures` without one;
    /// [`Code::OverLimit`](crate::fault::Code::OverLimit) at `to` over
    /// [`REPORT_YEARS_MAX`](crate::limit::REPORT_YEARS_MAX) or
    /// [`REPORT_BUCKETS_MAX`](crate::limit::REPORT_BUCKETS_MAX).
    /// [`Reporter::new`] checks the same: who makes one need not call this.
    #[must_use]
    pub fn check(&self) -> Vec<Fault> {
        bucket::buckets(self).err().unwrap_or_default()
    }
}

/// What makes a row of a report.
///
/// Days, weeks and months are civil ones of the query's zone, so that a day has
/// 23 or 25 hours where clocks change; the first and the last may be cut by
/// `from` and `to`. Every one in the range has a row, also without data.
///
/// The others are the ticket's *present* values, whenever its events happened:
/// a ticket that was moved counts where it is now. Only values with data have a
/// row, ordered by key as text, tickets without a value first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// A civil day; its key is `2026-11-22`.
    Day,
    /// An ISO 8601 week, Monday to Sunday; its key is `2026-W47`. Early days of
    /// January may belong to the year before, late ones of December to the next.
    Week,
    /// A civil month; its key is `2026-11`.
    Month,
    /// Where the ticket came in.
    Channel,
    /// The ticket's group, by key.
    Group,
    /// The ticket's assignee, by id.
    Assignee,
    /// The ticket's priority.
    Priority,
    /// The ticket's type.
    Type,
    /// The requester's company, by id.
    Organization,
}

impl GroupBy {
    /// The word as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Channel => "channel",
            Self::Group => "group",
            Self::Assignee => "assignee",
            Self::Priority => "priority",
            Self::Type => "type",
            Self::Organization => "organization",
        }
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is counted. Solved here means the category solved or closed, unsolved
/// every other; closing a solved ticket is no second solve.
///
/// For every row of a day, week or month, `backlog` is that of the row before
/// plus `opened` and `reopened` less `solved`, but for tickets that were imported
/// solved without saying when: they count as opened, and nowhere else.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Tickets opened in the range; imported ones when they say they were created.
    Opened,
    /// Changes from unsolved to solved in the range: a ticket solved twice counts
    /// twice. A ticket imported solved counts when it says it was solved.
    Solved,
    /// Changes from solved to unsolved in the range.
    Reopened,
    /// Tickets unsolved at the end of a day, week or month, or just before `to`
    /// in rows of other kinds; also those opened before the range.
    Backlog,
    /// Wall seconds from a ticket's creation to its first public reply by a human
    /// agent, where that reply falls in the range.
    FirstReplySeconds,
    /// Wall seconds from a ticket's creation to each solve that `solved` counts.
    SolveSeconds,
    /// Targets met and missed, by metric. A cycle is met when its clock stopped
    /// in time, and missed from the moment of its breach, whether it runs on or
    /// not; it counts then, as it stands at the end of the journal. Clocks
    /// without a target, cancelled and superseded ones do not count.
    Sla,
}

impl Measure {
    /// The word as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Solved => "solved",
            Self::Reopened => "reopened",
            Self::Backlog => "backlog",
            Self::FirstReplySeconds => "first_reply_seconds",
            Self::SolveSeconds => "solve_seconds",
            Self::Sla => "sla",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a measure came to: in JSON a number, or an object with `n`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// How many.
    Count(u64),
    /// How long.
    Durations(Durations),
    /// How many targets were met, by metric.
    Sla(BTreeMap<Key, Attainment>),
}

/// Targets of one metric, met and missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Attainment {
    /// Stopped in time.
    pub n_met: u64,
    /// Past their target.
    pub n_missed: u64,
}

impl Attainment {
    /// Met of both, in percent, rounded down; `None` where there are none.
    ///
    /// ```
    /// use helpdesk_core::report::Attainment;
    /// assert_eq!(Attainment { n_met: 2, n_missed: 1 }.percent(), Some(66));
    /// assert_eq!(Attainment::default().percent(), None);
    /// ```
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        self.n_met.saturating_mul(100).checked_div(self.n_met.saturating_add(self.n_missed))
    }

    pub(super) fn add(&mut self, other: Self) {
        self.n_met += other.n_met;
        self.n_missed += other.n_missed;
    }
}

/// One row: a day, week or month, or a value of the tickets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportRow {
    /// The day, week or month, or the value as it stands in JSON; `None` for the
    /// tickets without one.
    pub key: Option<String>,
    /// The first instant of a day, week or month, not before the query's `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// The first instant after it, not after the query's `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// One value for each measure that was asked for.
    pub values: BTreeMap<Measure, Value>,
}

/// What a desk did. Its `Display` is a plain table of aligned columns, one line
/// a row and a last one for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// What makes a row.
    pub group_by: GroupBy,
    /// The rows: days, weeks and months in order of time, others by key.
    pub rows: Vec<ReportRow>,
    /// The same over the whole range: durations of all rows together, the
    /// backlog at the end.
    pub totals: BTreeMap<Measure, Value>,
}
