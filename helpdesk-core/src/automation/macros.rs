//! Macros: ordered steps that an agent applies to a ticket.

use crate::id::{AgentId, Key};
use crate::ticket::change::Change;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whom a macro assigns a ticket to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum MacroAssignee {
    /// The agent who runs it.
    Me,
    /// This agent.
    Agent {
        /// Who.
        id: AgentId,
    },
    /// Nobody.
    Nobody,
}

/// One step of a macro.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum MacroStep {
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
    /// Assigns the ticket, or takes it away.
    Assign {
        /// To whom.
        to: MacroAssignee,
    },
    /// Answers in public, word for word.
    Reply {
        /// The text.
        text: String,
    },
    /// Writes an internal note, word for word.
    Note {
        /// The text.
        text: String,
    },
}

/// A macro.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Macro {
    /// Its key.
    pub key: Key,
    /// What people read.
    pub name: String,
    /// Only for agents of these groups; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Key>,
    /// What it does, in order.
    pub steps: Vec<MacroStep>,
}
