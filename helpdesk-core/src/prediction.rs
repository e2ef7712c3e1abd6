//! Predictions: what a model takes the fields of a new ticket to be.
//!
//! The engine asks its models before the decision; a prediction that counts enters the ticket as an
//! event with its evidence, so a replay needs no model. Source: spec/search.md, "Classification".

use crate::fault::Fault;
use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The probability under which nothing is predicted, unless the desk says otherwise.
pub const THRESHOLD_DEFAULT: f64 = 0.7;

/// A field that can be predicted: `type`, `priority`, `queue`, `tags` or `custom.<key>`.
///
/// ```
/// use helpdesk_core::prediction::PredictedField;
/// assert_eq!("custom.product".parse::<PredictedField>()?.to_string(), "custom.product");
/// # Ok::<(), helpdesk_core::fault::Fault>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PredictedField {
    /// What kind of request it is.
    Type,
    /// How urgent.
    Priority,
    /// Where it waits, where no rule says.
    Queue,
    /// One tag.
    Tags,
    /// A custom choice.
    Custom(Key),
}

impl fmt::Display for PredictedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type => f.write_str("type"),
            Self::Priority => f.write_str("priority"),
            Self::Queue => f.write_str("queue"),
            Self::Tags => f.write_str("tags"),
            Self::Custom(key) => write!(f, "custom.{key}"),
        }
    }
}

impl FromStr for PredictedField {
    type Err = Fault;

    /// # Errors
    ///
    /// [`Code::Invalid`](crate::fault::Code::Invalid) for any other text.
    fn from_str(text: &str) -> Result<Self, Fault> {
        match text {
            "type" => Ok(Self::Type),
            "priority" => Ok(Self::Priority),
            "queue" => Ok(Self::Queue),
            "tags" => Ok(Self::Tags),
            _ => text
                .strip_prefix("custom.")
                .and_then(|key| Key::new(key).ok())
                .map(Self::Custom)
                .ok_or_else(|| {
                    let message = "takes `type`, `priority`, `queue`, `tags` or `custom.<key>`";
                    Fault::invalid("", message)
                }),
        }
    }
}

impl TryFrom<String> for PredictedField {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<PredictedField> for String {
    fn from(field: PredictedField) -> Self {
        field.to_string()
    }
}

impl JsonSchema for PredictedField {
    fn schema_name() -> Cow<'static, str> {
        "PredictedField".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // Its own reader says more about a wrong one than a pattern can.
        schemars::json_schema!({
            "description": "`type`, `priority`, `queue`, `tags` or `custom.<key>`.",
            "type": "string",
        })
    }
}

/// Turns prediction of a field on, for tickets that are opened without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionDef {
    /// Which.
    pub field: PredictedField,
    /// The probability, 0 to 1, under which nothing is predicted; 0.7 when absent.
    #[serde(default = "threshold")]
    pub threshold: f64,
}

fn threshold() -> f64 {
    THRESHOLD_DEFAULT
}

/// What a model takes a field to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// Which field.
    pub field: PredictedField,
    /// Its value.
    pub label: String,
    /// How likely.
    pub percent: u8,
    /// The words that spoke for it, the strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is `{}`, {} % likely", self.field, self.label, self.percent)?;
        match self.because.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.because.join(", ")),
        }
    }
}
