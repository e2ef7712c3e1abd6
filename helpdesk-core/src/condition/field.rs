//! The fields that conditions look at.

use crate::fault::{Code, Fault};
use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// What a field holds, and so which operators fit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One of some keys: `is`, `is_not`, `in`, `not_in`.
    Choice,
    /// One id, a UUID: `is`, `is_not`, `in`, `not_in`.
    Id,
    /// Several words: `has_any`, `has_all`, `has_none`.
    Set,
    /// A text: `has_word`, `has_all_words`, `contains`, `starts_with`,
    /// `ends_with`, `is`, `is_not`, `matches`.
    Text,
    /// A number: `lt`, `le`, `gt`, `ge`, `between`, `is`, `in`.
    Number,
    /// An instant: `before`, `after`, `older_than`, `newer_than`, for some
    /// fields `within_next`.
    Instant,
    /// True or false: `is`, `is_not`.
    Boolean,
    /// The time of the question: `in_hours`, `outside_hours`.
    Hours,
    /// A clock: `state`, `breached`, `left_lt`, `used_ge`.
    Clock,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident $name:literal $kind:ident;)*) => {
        /// A field of a ticket, by the name that conditions use.
        ///
        /// ```
        /// use helpdesk_core::condition::Field;
        /// let field: Field = "requester_tier".parse()?;
        /// assert_eq!(field, Field::RequesterTier);
        /// assert_eq!("custom.seats".parse::<Field>()?.to_string(), "custom.seats");
        /// # Ok::<(), helpdesk_core::fault::Fault>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Field {
            $($(#[$doc])* $field,)*
            /// `custom.<key>`: a field that the desk defines.
            Custom(Key),
            /// `sla.<metric>`: the newest clock of a metric.
            Sla(Key),
        }

        /// Every built-in field with its name.
        const BUILT_IN: &[(&str, Field)] = &[$(($name, Field::$field),)*];

        impl Field {
            /// What the field holds; `None` for a custom field, whose kind
            /// [`Schema::kind`](super::Schema::kind) knows.
            #[must_use]
            pub fn built_in_kind(&self) -> Option<FieldKind> {
                match self {
                    $(Self::$field => Some(FieldKind::$kind),)*
                    Self::Custom(_) => None,
                    Self::Sla(_) => Some(FieldKind::Clock),
                }
            }
        }

        impl fmt::Display for Field {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$field => f.write_str($name),)*
                    Self::Custom(key) => write!(f, "custom.{key}"),
                    Self::Sla(metric) => write!(f, "sla.{metric}"),
                }
            }
        }
    };
}

fields! {
    /// The status, by the desk's own key.
    Status "status" Choice;
    /// The category of the status.
    StatusCategory "status_category" Choice;
    /// The priority.
    Priority "priority" Choice;
    /// What kind of request it is.
    Type "type" Choice;
    /// Where the ticket came in.
    Channel "channel" Choice;
    /// The group.
    Group "group" Choice;
    /// The agent responsible.
    Assignee "assignee" Id;
    /// The contact who asked.
    Requester "requester" Id;
    /// The requester's company.
    Organization "organization" Id;
    /// The level of support.
    Tier "tier" Choice;
    /// The language, as a short code.
    Language "language" Choice;
    /// The brand.
    Brand "brand" Choice;
    /// The mailbox that the ticket came to.
    Mailbox "mailbox" Choice;
    /// The requester's class.
    RequesterTier "requester_tier" Choice;
    /// The ticket's tags.
    Tags "tags" Set;
    /// The requester's tags.
    RequesterTags "requester_tags" Set;
    /// The organization's tags.
    OrganizationTags "organization_tags" Set;
    /// The skills that the ticket needs.
    Skills "skills" Set;
    /// The subject.
    Subject "subject" Text;
    /// The newest public message.
    Body "body" Text;
    /// The subject or the body, each looked at by itself.
    Text "text" Text;
    /// The requester's address.
    RequesterEmail "requester_email" Text;
    /// What stands after the `@` of the requester's address.
    RequesterDomain "requester_domain" Text;
    /// The requester's name.
    RequesterName "requester_name" Text;
    /// How many messages the ticket has.
    MessageCount "message_count" Number;
    /// How often the ticket was reopened.
    ReopenCount "reopen_count" Number;
    /// How many attachments the ticket has.
    AttachmentCount "attachment_count" Number;
    /// How long the newest public message is.
    BodyLength "body_length" Number;
    /// The level that the ticket's escalation has reached.
    EscalationLevel "escalation_level" Number;
    /// When the ticket was opened.
    CreatedAt "created_at" Instant;
    /// When the ticket last changed.
    UpdatedAt "updated_at" Instant;
    /// When the requester last wrote.
    LastRequesterAt "last_requester_at" Instant;
    /// When an agent last answered.
    LastAgentAt "last_agent_at" Instant;
    /// When the ticket was last assigned.
    AssignedAt "assigned_at" Instant;
    /// When the ticket was solved.
    SolvedAt "solved_at" Instant;
    /// Until when the ticket sleeps.
    SnoozedUntil "snoozed_until" Instant;
    /// The earliest time at which a running clock's target is used up.
    DueAt "due_at" Instant;
    /// The time at which the condition is asked.
    Now "now" Hours;
}

const TEXT_OPERATORS: &[&str] = &[
    "has_word",
    "has_all_words",
    "contains",
    "starts_with",
    "ends_with",
    "is",
    "is_not",
    "matches",
];

impl Field {
    /// The names of all built-in fields.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Whether `within_next` fits: for instants that lie ahead.
    #[must_use]
    pub fn lies_ahead(&self) -> bool {
        matches!(self, Self::SnoozedUntil | Self::DueAt)
    }

    /// The operators that fit the field, which is of this kind, as they stand in JSON.
    pub fn operators(&self, kind: FieldKind) -> impl Iterator<Item = &'static str> + use<> {
        let own: &[&str] = match kind {
            FieldKind::Choice | FieldKind::Id => &["is", "is_not", "in", "not_in"],
            FieldKind::Set => &["has_any", "has_all", "has_none"],
            FieldKind::Text => TEXT_OPERATORS,
            FieldKind::Number => &["lt", "le", "gt", "ge", "between", "is", "in"],
            FieldKind::Instant => &["before", "after", "older_than", "newer_than"],
            FieldKind::Boolean => &["is", "is_not"],
            FieldKind::Hours => &["in_hours", "outside_hours"],
            FieldKind::Clock => &["state", "breached", "left_lt", "used_ge"],
        };
        let is_ahead = kind == FieldKind::Instant && self.lies_ahead();
        let ahead: &[&str] = if is_ahead { &["within_next"] } else { &[] };
        own.iter().chain(ahead).chain(&["set", "unset"]).copied()
    }
}

impl FromStr for Field {
    type Err = Fault;

    /// # Errors
    ///
    /// [`Code::UnknownField`] when no field has the name. Whether a custom
    /// field is declared, or a metric, is for the schema to say.
    fn from_str(name: &str) -> Result<Self, Fault> {
        if let Some((_, field)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
            return Ok(field.clone());
        }
        let key_after = |prefix| Key::new(name.strip_prefix(prefix)?).ok();
        let custom = key_after("custom.").map(Self::Custom);
        custom.or_else(|| key_after("sla.").map(Self::Sla)).ok_or_else(|| {
            let shown = super::clip(name);
            Fault::new("", Code::UnknownField, format!("there is no field `{shown}`"))
        })
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Field {
    fn schema_name() -> Cow<'static, str> {
        "Field".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::built_in_names().collect();
        schemars::json_schema!({
            "description": "A field of a ticket.",
            "anyOf": [
                {"type": "string", "enum": names},
                {"type": "string", "pattern": "^(custom|sla)\\.[a-z0-9_-]{1,64}$"},
            ],
        })
    }
}
