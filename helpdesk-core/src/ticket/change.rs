//! Changes of a ticket's plain fields, and what each does.

use super::Ticket;
use super::custom::CustomValue;
use super::priority::{Level, Priority, SkillLevel, TicketType};
use crate::id::{ContactId, Key, OrganizationId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One change of one plain field. Where `to` is absent or null the field is unset.
///
/// Status, assignee, queue and followers have commands of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// The subject, 1,000 chars at most.
    SetSubject {
        /// The new one.
        to: String,
    },
    /// The priority. Pins it against the priority matrix until impact or urgency change.
    SetPriority {
        /// The new one.
        #[serde(default)]
        to: Option<Priority>,
    },
    /// How many are hit; with the urgency it gives the priority.
    SetImpact {
        /// The new one.
        #[serde(default)]
        to: Option<Level>,
    },
    /// How fast it must be; with the impact it gives the priority.
    SetUrgency {
        /// The new one.
        #[serde(default)]
        to: Option<Level>,
    },
    /// The type.
    SetType {
        /// The new one.
        #[serde(default)]
        to: Option<TicketType>,
    },
    /// The language, as an ISO 639 code in lower case.
    SetLanguage {
        /// The new one.
        #[serde(default)]
        to: Option<String>,
    },
    /// The brand.
    SetBrand {
        /// The new one.
        #[serde(default)]
        to: Option<Key>,
    },
    /// The level of support.
    SetTier {
        /// The new one.
        #[serde(default)]
        to: Option<Key>,
    },
    /// Who asked.
    SetRequester {
        /// The new one.
        to: ContactId,
    },
    /// The requester's company.
    SetOrganization {
        /// The new one.
        #[serde(default)]
        to: Option<OrganizationId>,
    },
    /// Puts tags on.
    AddTags {
        /// Which.
        tags: Vec<String>,
    },
    /// Takes tags off.
    RemoveTags {
        /// Which.
        tags: Vec<String>,
    },
    /// A custom field.
    SetCustom {
        /// Which.
        field: Key,
        /// The new value.
        #[serde(default)]
        to: Option<CustomValue>,
    },
    /// Skills an agent must have to be given the ticket.
    RequireSkills {
        /// All of them.
        skills: Vec<SkillLevel>,
    },
    /// Skills that are better than none, and dropped first.
    PreferSkills {
        /// All of them.
        skills: Vec<SkillLevel>,
    },
}

impl Change {
    /// The field it changes, as conditions name it where they can.
    #[must_use]
    pub fn field(&self) -> String {
        let name = match self {
            Self::SetSubject { .. } => "subject",
            Self::SetPriority { .. } => "priority",
            Self::SetImpact { .. } => "impact",
            Self::SetUrgency { .. } => "urgency",
            Self::SetType { .. } => "type",
            Self::SetLanguage { .. } => "language",
            Self::SetBrand { .. } => "brand",
            Self::SetTier { .. } => "tier",
            Self::SetRequester { .. } => "requester",
            Self::SetOrganization { .. } => "organization",
            Self::AddTags { .. } | Self::RemoveTags { .. } => "tags",
            Self::SetCustom { field, .. } => return format!("custom.{field}"),
            Self::RequireSkills { .. } => "skills",
            Self::PreferSkills { .. } => "preferred_skills",
        };
        name.to_owned()
    }

    /// Makes the change. The values were checked when the change was decided.
    pub fn apply(&self, ticket: &mut Ticket) {
        match self {
            Self::SetSubject { to } => ticket.subject.clone_from(to),
            Self::SetPriority { to } => ticket.priority = *to,
            Self::SetImpact { to } => ticket.impact = *to,
            Self::SetUrgency { to } => ticket.urgency = *to,
            Self::SetType { to } => ticket.ticket_type = *to,
            Self::SetLanguage { to } => ticket.language.clone_from(to),
            Self::SetBrand { to } => ticket.brand.clone_from(to),
            Self::SetTier { to } => ticket.tier.clone_from(to),
            Self::SetRequester { to } => ticket.requester = *to,
            Self::SetOrganization { to } => ticket.organization = *to,
            Self::AddTags { tags } => add_sorted(&mut ticket.tags, tags),
            Self::RemoveTags { tags } => ticket.tags.retain(|tag| !tags.contains(tag)),
            Self::SetCustom { field, to: Some(value) } => {
                ticket.custom.insert(field.clone(), value.clone());
            }
            Self::SetCustom { field, to: None } => {
                ticket.custom.remove(field);
            }
            Self::RequireSkills { skills } => ticket.required_skills.clone_from(skills),
            Self::PreferSkills { skills } => ticket.preferred_skills.clone_from(skills),
        }
    }

    /// Whether the ticket already is as the change would make it.
    #[must_use]
    pub fn is_no_change(&self, ticket: &Ticket) -> bool {
        match self {
            Self::SetSubject { to } => ticket.subject == *to,
            Self::SetPriority { to } => ticket.priority == *to,
            Self::SetImpact { to } => ticket.impact == *to,
            Self::SetUrgency { to } => ticket.urgency == *to,
            Self::SetType { to } => ticket.ticket_type == *to,
            Self::SetLanguage { to } => ticket.language == *to,
            Self::SetBrand { to } => ticket.brand == *to,
            Self::SetTier { to } => ticket.tier == *to,
            Self::SetRequester { to } => ticket.requester == *to,
            Self::SetOrganization { to } => ticket.organization == *to,
            Self::AddTags { tags } => tags.iter().all(|tag| ticket.tags.contains(tag)),
            Self::RemoveTags { tags } => !tags.iter().any(|tag| ticket.tags.contains(tag)),
            Self::SetCustom { field, to } => ticket.custom.get(field) == to.as_ref(),
            Self::RequireSkills { skills } => ticket.required_skills == *skills,
            Self::PreferSkills { skills } => ticket.preferred_skills == *skills,
        }
    }
}

/// Adds to a sorted list without doubles, keeping it so.
pub fn add_sorted<T: Ord + Clone>(list: &mut Vec<T>, more: &[T]) {
    for item in more {
        if let Err(at) = list.binary_search(item) {
            list.insert(at, item.clone());
        }
    }
}
