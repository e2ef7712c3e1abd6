//! How urgent a ticket is, what kind of ticket, and where it came in.

use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word as it stands in JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The variant with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How urgent a ticket is; later is more urgent.
    Priority {
        /// Can wait.
        Low = "low",
        /// As usual.
        Normal = "normal",
        /// Soon.
        High = "high",
        /// Now.
        Urgent = "urgent",
    }
}

words! {
    /// How many are hit, or how fast it must be: the two sides of the priority matrix.
    Level {
        /// One person, or no hurry.
        Low = "low",
        /// Several, or today.
        Medium = "medium",
        /// Everybody, or at once.
        High = "high",
    }
}

words! {
    /// What kind of request a ticket is. Source: ITIL's practices.
    TicketType {
        /// Somebody wants to know.
        Question = "question",
        /// Something is broken for somebody.
        Incident = "incident",
        /// The cause of incidents.
        Problem = "problem",
        /// Work to be done.
        Task = "task",
        /// Somebody wants something from the catalog.
        ServiceRequest = "service_request",
        /// Something shall be changed.
        Change = "change",
    }
}

words! {
    /// Where a message came in.
    Channel {
        /// Mail.
        Email = "email",
        /// Live chat or a messenger.
        Chat = "chat",
        /// A form on a page.
        Form = "form",
        /// A call.
        Phone = "phone",
        /// A social network.
        Social = "social",
        /// The host's own code.
        Api = "api",
    }
}

/// One cell of the priority matrix: impact and urgency give a priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixCell {
    /// How many are hit.
    pub impact: Level,
    /// How fast it must be.
    pub urgency: Level,
    /// What that gives.
    pub priority: Priority,
}

/// A skill and how well it must be (or is) mastered, 1–10.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillLevel {
    /// Which.
    pub skill: Key,
    /// 1 (some) to 10 (master).
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10))]
    pub level: u8,
}

fn one() -> u8 {
    1
}
