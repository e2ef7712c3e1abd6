//! Statuses, their categories, and which may follow which.

use crate::fault::{Code, Fault};
use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a status means to the engine. Every status of a desk has exactly one;
/// capacity, clocks and reports look at it, never at the name.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StatusCategory {
    /// Nobody has taken it.
    New,
    /// An agent's turn.
    Open,
    /// The requester's turn.
    Pending,
    /// A third party's turn.
    OnHold,
    /// Answered; may be reopened.
    Solved,
    /// Over: the ticket never changes again.
    Closed,
}

/// Whose turn it is to act on a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The desk's.
    Agent,
    /// The requester's.
    Requester,
    /// Somebody else's, such as a supplier's.
    ThirdParty,
    /// Nobody's.
    Nobody,
}

impl StatusCategory {
    /// All categories, in the order of a ticket's life.
    pub const ALL: [Self; 6] =
        [Self::New, Self::Open, Self::Pending, Self::OnHold, Self::Solved, Self::Closed];

    /// The category as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Pending => "pending",
            Self::OnHold => "on_hold",
            Self::Solved => "solved",
            Self::Closed => "closed",
        }
    }

    /// Whose turn it is while a ticket is in this category.
    #[must_use]
    pub fn turn(self) -> Turn {
        match self {
            Self::New | Self::Open => Turn::Agent,
            Self::Pending => Turn::Requester,
            Self::OnHold => Turn::ThirdParty,
            Self::Solved | Self::Closed => Turn::Nobody,
        }
    }

    /// Whether the ticket still wants something done: neither solved nor closed.
    #[must_use]
    pub fn is_unsolved(self) -> bool {
        !matches!(self, Self::Solved | Self::Closed)
    }

    /// Whether a ticket waits for an agent: new or open.
    #[must_use]
    pub fn waits_for_agent(self) -> bool {
        matches!(self, Self::New | Self::Open)
    }
}

impl fmt::Display for StatusCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One status of a desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusDef {
    /// Its key.
    pub key: Key,
    /// What people read.
    pub name: String,
    /// What it means.
    pub category: StatusCategory,
}

/// One allowed step from status to status. A desk without any has the default
/// table: everything but out of a closed status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransitionDef {
    /// From these statuses; empty for every one that is not closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<Key>,
    /// To these.
    pub to: Vec<Key>,
    /// Only for actors in one of these roles; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Key>,
    /// Fields that must be set for the step, as conditions name them:
    /// `assignee`, `type`, `custom.product`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
}

/// The statuses of a desk and the steps between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusTable {
    statuses: Vec<StatusDef>,
    transitions: Vec<TransitionDef>,
}

impl StatusTable {
    /// Checks that every category has a status (its first is its default), that
    /// keys are unique and that transitions name statuses that exist.
    ///
    /// # Errors
    ///
    /// Every fault found, with paths under `statuses` and `transitions`.
    pub fn new(
        statuses: Vec<StatusDef>,
        transitions: Vec<TransitionDef>,
    ) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        for category in StatusCategory::ALL {
            if !statuses.iter().any(|s| s.category == category) {
                faults.push(Fault::invalid(
                    "statuses",
                    format!("no status has the category `{category}`"),
                ));
            }
        }
        for (i, status) in statuses.iter().enumerate() {
            if statuses[..i].iter().any(|s| s.key == status.key) {
                let message = format!("`{}` is defined twice", status.key);
                faults.push(Fault::new(format!("statuses[{i}].key"), Code::Duplicate, message));
            }
        }
        let table = Self { statuses, transitions };
        for (i, transition) in table.transitions.iter().enumerate() {
            table.check_transition(i, transition, &mut faults);
        }
        if faults.is_empty() { Ok(table) } else { Err(faults) }
    }

    fn check_transition(&self, i: usize, transition: &TransitionDef, faults: &mut Vec<Fault>) {
        for (side, keys) in [("from", &transition.from), ("to", &transition.to)] {
            for (j, key) in keys.iter().enumerate() {
                let path = format!("transitions[{i}].{side}[{j}]");
                match self.get(key) {
                    None => faults.push(Fault::new(
                        path,
                        Code::NotConfigured,
                        format!("no status `{key}`"),
                    )),
                    Some(status) if side == "from" && status.category == StatusCategory::Closed => {
                        faults.push(Fault::invalid(path, "nothing leads out of a closed status"));
                    }
                    Some(_) => {}
                }
            }
        }
        if transition.to.is_empty() {
            faults.push(Fault::invalid(format!("transitions[{i}].to"), "name at least one status"));
        }
    }

    /// All statuses, in the desk's order.
    #[must_use]
    pub fn statuses(&self) -> &[StatusDef] {
        &self.statuses
    }

    /// All listed transitions.
    #[must_use]
    pub fn transitions(&self) -> &[TransitionDef] {
        &self.transitions
    }

    /// The status with this key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&StatusDef> {
        self.statuses.iter().find(|s| s.key == *key)
    }

    /// The default status of a category: its first.
    #[must_use]
    pub fn default_of(&self, category: StatusCategory) -> &StatusDef {
        // `new` refuses a table without one.
        self.statuses.iter().find(|s| s.category == category).unwrap_or(&self.statuses[0])
    }

    /// The transition that allows the step, `Ok(None)` where the default table does.
    ///
    /// # Errors
    ///
    /// [`Code::Closed`] out of a closed status, [`Code::NoSuchTransition`] where
    /// the desk's table lists no such step.
    pub fn step(&self, from: &StatusDef, to: &StatusDef) -> Result<Option<&TransitionDef>, Fault> {
        if from.category == StatusCategory::Closed {
            let message = format!("`{}` is a closed status: open a follow-up instead", from.key);
            return Err(Fault::new("status", Code::Closed, message));
        }
        if self.transitions.is_empty() {
            return Ok(None);
        }
        let allows = |t: &&TransitionDef| {
            (t.from.is_empty() || t.from.contains(&from.key)) && t.to.contains(&to.key)
        };
        match self.transitions.iter().find(allows) {
            Some(transition) => Ok(Some(transition)),
            None => {
                let message =
                    format!("the desk has no transition from `{}` to `{}`", from.key, to.key);
                Err(Fault::new("status", Code::NoSuchTransition, message))
            }
        }
    }
}

/// Statuses as a well-known product has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusPreset {
    /// New, Open, Pending, On-hold, Solved, Closed. Source: Zendesk Support,
    /// "About ticket fields".
    #[default]
    Zendesk,
    /// Waiting for support, In progress, Waiting for customer, Pending,
    /// Resolved, Closed. Source: Jira Service Management's default workflow.
    JiraServiceManagement,
    /// New, Open, Answered, Postponed, Resolved, Closed. Source: LiveAgent,
    /// "Ticket statuses".
    LiveAgent,
}

impl StatusPreset {
    /// The preset's statuses.
    #[must_use]
    pub fn statuses(self) -> Vec<StatusDef> {
        use StatusCategory::{Closed, New, OnHold, Open, Pending, Solved};
        let rows: [(&str, &str, StatusCategory); 6] = match self {
            Self::Zendesk => [
                ("new", "New", New),
                ("open", "Open", Open),
                ("pending", "Pending", Pending),
                ("on_hold", "On-hold", OnHold),
                ("solved", "Solved", Solved),
                ("closed", "Closed", Closed),
            ],
            Self::JiraServiceManagement => [
                ("waiting_for_support", "Waiting for support", New),
                ("in_progress", "In progress", Open),
                ("waiting_for_customer", "Waiting for customer", Pending),
                ("pending", "Pending", OnHold),
                ("resolved", "Resolved", Solved),
                ("closed", "Closed", Closed),
            ],
            Self::LiveAgent => [
                ("new", "New", New),
                ("open", "Open", Open),
                ("answered", "Answered", Pending),
                ("postponed", "Postponed", OnHold),
                ("resolved", "Resolved", Solved),
                ("closed", "Closed", Closed),
            ],
        };
        rows.into_iter()
            .filter_map(|(key, name, category)| {
                Some(StatusDef { key: Key::new(key).ok()?, name: name.to_owned(), category })
            })
            .collect()
    }

    /// The status a ticket gets after an agent's public reply, where the
    /// product has such a rule.
    #[must_use]
    pub fn status_after_reply(self) -> Option<Key> {
        match self {
            Self::Zendesk | Self::JiraServiceManagement => None,
            Self::LiveAgent => Key::new("answered").ok(),
        }
    }
}
