//! People outside the desk, and their companies.

use crate::id::{AgentId, ContactId, Key, OrganizationId};
use crate::ticket::custom::{CustomValue, CustomValues};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// The kind of an identity.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// A mail address.
    Email,
    /// A phone number.
    Phone,
    /// A name or number in the host's or a network's world.
    Handle,
}

/// How a person is known: an address, number or handle.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its kind.
    pub kind: IdentityKind,
    /// Its value, normalized: see [`Identity::normalized`].
    pub value: String,
    /// Whether the host knows it to be the person's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
}

impl Identity {
    /// A mail address.
    #[must_use]
    pub fn email(address: &str) -> Self {
        Self { kind: IdentityKind::Email, value: address.to_owned(), verified: false }.normalized()
    }

    /// The identity in its one form: addresses trimmed and in lower case, phone
    /// numbers without blanks, dots, dashes and brackets, handles trimmed.
    #[must_use]
    pub fn normalized(mut self) -> Self {
        let trimmed = self.value.trim();
        self.value = match self.kind {
            IdentityKind::Email => trimmed
                .trim_matches(|c| matches!(c, '<' | '>' | '"' | '\''))
                .trim_end_matches('.')
                .to_lowercase(),
            IdentityKind::Phone => trimmed
                .chars()
                .filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')' | '/' | '\u{a0}'))
                .collect(),
            IdentityKind::Handle => trimmed.to_owned(),
        };
        self
    }

    /// Whether the value can be an identity of its kind.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let plain = !self.value.is_empty()
            && self.value.chars().count() <= 320
            && !self.value.chars().any(char::is_control);
        plain
            && match self.kind {
                IdentityKind::Email => is_address(&self.value),
                IdentityKind::Phone => self.value.chars().filter(char::is_ascii_digit).count() >= 3,
                IdentityKind::Handle => true,
            }
    }

    /// The text by which a store finds the contact: kind and value.
    #[must_use]
    pub fn lookup_key(&self) -> String {
        let kind = match self.kind {
            IdentityKind::Email => "email",
            IdentityKind::Phone => "phone",
            IdentityKind::Handle => "handle",
        };
        format!("{kind}:{}", self.value)
    }

    /// The domain of a mail address.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        match self.kind {
            IdentityKind::Email => self.value.rsplit_once('@').map(|(_, domain)| domain),
            IdentityKind::Phone | IdentityKind::Handle => None,
        }
    }
}

/// Whether a text can be the IANA name of a time zone.
pub(crate) fn is_zone_name(zone: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/');
    !zone.is_empty() && zone.len() <= 64 && zone.bytes().all(fits)
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty() && !domain.is_empty() && !text.chars().any(char::is_whitespace)
}

/// A person outside the desk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// What people call them.
    pub name: String,
    /// How they are known, sorted; each belongs to one contact only.
    pub identities: Vec<Identity>,
    /// Their company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The language they speak, as an ISO 639 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Their time zone, as an IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Free words, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Their class: `standard`, `premium`, `vip`, or the desk's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester_tier: Option<Key>,
    /// Custom fields that are set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: CustomValues,
    /// What agents should know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// The human agent who answered them last, on any ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_answered_by: Option<AgentId>,
    /// The contact in which this one lives on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_into: Option<ContactId>,
}

impl Contact {
    /// A contact with a name; everything else is unset.
    #[must_use]
    pub fn named(id: ContactId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            identities: Vec::new(),
            organization: None,
            language: None,
            time_zone: None,
            tags: Vec::new(),
            requester_tier: None,
            custom: CustomValues::new(),
            notes: String::new(),
            last_answered_by: None,
            joined_into: None,
        }
    }

    /// The first mail address, verified ones before others.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        let mails = || self.identities.iter().filter(|i| i.kind == IdentityKind::Email);
        mails().find(|i| i.verified).or_else(|| mails().next()).map(|i| i.value.as_str())
    }
}

/// A requester's company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// Mail domains whose senders belong to it, in lower case, sorted; each
    /// belongs to one organization only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Free words, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The class of its requesters who have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester_tier: Option<Key>,
    /// Whether its requesters see each other's tickets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shares_tickets: bool,
    /// Custom fields that are set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: CustomValues,
}

/// A change of an optional field: absent leaves it, null unsets it.
pub type Patch<T> = Option<Option<T>>;

/// Reads a field that may be null as `Some(None)`; for `#[serde(default)]` fields
/// of type [`Patch`].
pub(crate) fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Patch<T>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

macro_rules! patch {
    ($(#[$doc:meta])* $name:ident { set { $($(#[$sdoc:meta])* $set:ident: $sty:ty),* $(,)? } unset { $($(#[$udoc:meta])* $unset:ident: $uty:ty),* $(,)? } }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$sdoc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $set: Option<$sty>,)*
            $($(#[$udoc])* #[serde(default, deserialize_with = "crate::contact::some", skip_serializing_if = "Option::is_none")]
              pub $unset: Patch<$uty>,)*
        }
    };
}
pub(crate) use patch;

patch! {
    /// What to change of a contact. Absent fields stay; null unsets.
    ContactPatch {
        set {
            /// The name.
            name: String,
            /// Identities to add; an existing one becomes verified when the new one is.
            add_identities: Vec<Identity>,
            /// Identities to take away.
            remove_identities: Vec<Identity>,
            /// All tags.
            tags: Vec<String>,
            /// Notes for agents.
            notes: String,
            /// Custom fields to set, or with null to unset.
            custom: BTreeMap<Key, Option<CustomValue>>,
        }
        unset {
            /// The company.
            organization: OrganizationId,
            /// The language.
            language: String,
            /// The time zone.
            time_zone: String,
            /// The class.
            requester_tier: Key,
        }
    }
}

patch! {
    /// What to change of an organization. Absent fields stay; null unsets.
    OrganizationPatch {
        set {
            /// The name.
            name: String,
            /// All mail domains.
            domains: Vec<String>,
            /// All tags.
            tags: Vec<String>,
            /// Whether its requesters see each other's tickets.
            shares_tickets: bool,
            /// Custom fields to set, or with null to unset.
            custom: BTreeMap<Key, Option<CustomValue>>,
        }
        unset {
            /// The class of its requesters.
            requester_tier: Key,
        }
    }
}

impl ContactPatch {
    /// Makes the changes. The values were checked when the patch was decided.
    pub fn apply(&self, contact: &mut Contact) {
        if let Some(name) = &self.name {
            contact.name.clone_from(name);
        }
        for identity in self.remove_identities.iter().flatten() {
            contact.identities.retain(|i| i.lookup_key() != identity.lookup_key());
        }
        for identity in self.add_identities.iter().flatten() {
            add_identity(&mut contact.identities, identity);
        }
        if let Some(tags) = &self.tags {
            contact.tags.clone_from(tags);
        }
        if let Some(notes) = &self.notes {
            contact.notes.clone_from(notes);
        }
        set_custom(&mut contact.custom, self.custom.as_ref());
        set(&mut contact.organization, self.organization.as_ref());
        set(&mut contact.language, self.language.as_ref());
        set(&mut contact.time_zone, self.time_zone.as_ref());
        set(&mut contact.requester_tier, self.requester_tier.as_ref());
    }
}

impl OrganizationPatch {
    /// Makes the changes. The values were checked when the patch was decided.
    pub fn apply(&self, organization: &mut Organization) {
        if let Some(name) = &self.name {
            organization.name.clone_from(name);
        }
        if let Some(domains) = &self.domains {
            organization.domains.clone_from(domains);
        }
        if let Some(tags) = &self.tags {
            organization.tags.clone_from(tags);
        }
        if let Some(shares) = self.shares_tickets {
            organization.shares_tickets = shares;
        }
        set_custom(&mut organization.custom, self.custom.as_ref());
        set(&mut organization.requester_tier, self.requester_tier.as_ref());
    }
}

/// Adds an identity, or makes the one that stands there verified.
pub(crate) fn add_identity(identities: &mut Vec<Identity>, identity: &Identity) {
    let key = identity.lookup_key();
    if let Some(known) = identities.iter_mut().find(|i| i.lookup_key() == key) {
        known.verified |= identity.verified;
        return;
    }
    identities.push(identity.clone());
    identities.sort();
}

pub(crate) fn set<T: Clone>(field: &mut Option<T>, patch: Option<&Option<T>>) {
    if let Some(to) = patch {
        field.clone_from(to);
    }
}

fn set_custom(custom: &mut CustomValues, patch: Option<&BTreeMap<Key, Option<CustomValue>>>) {
    for (key, to) in patch.into_iter().flatten() {
        match to {
            Some(value) => custom.insert(key.clone(), value.clone()),
            None => custom.remove(key),
        };
    }
}
