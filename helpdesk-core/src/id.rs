//! Ids, keys, versions and numbers.
//!
//! What commands create has an id (a UUID in version 7 layout, derived from
//! the command, never drawn at random); what the configuration defines has a
//! [`Key`].

use crate::fault::{Code, Fault};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id as a UUID.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// Identifies one tenant: a desk with everything in it. The host picks it.
    TenantId;
    /// Identifies one ticket.
    TicketId;
    /// Identifies one message of a ticket.
    MessageId;
    /// Identifies one contact: a person outside the desk.
    ContactId;
    /// Identifies one organization: the requester's company.
    OrganizationId;
    /// Identifies one agent: a person who answers tickets.
    AgentId;
    /// Identifies one knowledge-base article.
    ArticleId;
    /// Identifies one search session: a visit to the knowledge base. The host picks it.
    SearchSessionId;
    /// Identifies one command; it is the id of its commit.
    CommandId;
}

/// Names a thing that the configuration defines: 1–64 of `a-z 0-9 _ -`.
///
/// Cheap to clone.
///
/// ```
/// use helpdesk_core::id::Key;
/// assert_eq!(Key::new("billing-eu")?.as_str(), "billing-eu");
/// assert!(Key::new("Billing").is_err());
/// # Ok::<(), helpdesk_core::fault::Fault>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

/// Chars of a key.
pub const KEY_CHARS_MAX: usize = 64;

impl Key {
    /// Checks and makes a key.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] when `text` is empty, over 64 chars, or has another
    /// char than `a-z 0-9 _ -`.
    pub fn new(text: &str) -> Result<Self, Fault> {
        let fits = (1..=KEY_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if fits {
            return Ok(Self(Arc::from(text)));
        }
        let shown: String = text.chars().take(KEY_CHARS_MAX).collect();
        Err(Fault::new(
            "",
            Code::Invalid,
            format!("`{shown}` is not a key: take 1 to 64 of a-z 0-9 _ -"),
        ))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Key {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Key {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl FromStr for Key {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Key {
    type Error = Fault;
    fn try_from(text: &str) -> Result<Self, Fault> {
        Self::new(text)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[a-z0-9_-]{1,64}$",
            "description": "Names a thing that the configuration defines: 1-64 of a-z 0-9 _ -."
        })
    }
}

/// The version of a stored thing: the number of its last event, from 1.
/// 0 stands for a thing that does not exist yet.
pub type Version = u64;

/// The number of a ticket that people read and say: `HD-1024`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketNumber {
    /// The desk's prefix; empty for a bare number.
    pub prefix: Arc<str>,
    /// The count.
    pub n: u64,
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix.is_empty() {
            return write!(f, "{}", self.n);
        }
        write!(f, "{}-{}", self.prefix, self.n)
    }
}

impl FromStr for TicketNumber {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let (prefix, digits) = text.rsplit_once('-').unwrap_or(("", text));
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let prefix_fits = prefix.len() <= 16 && prefix.chars().all(|c| c.is_ascii_alphanumeric());
        match digits.parse() {
            Ok(n) if plain && prefix_fits => Ok(Self { prefix: Arc::from(prefix), n }),
            _ => Err(Fault::invalid("", format!("`{text}` is not a ticket number like `HD-1024`"))),
        }
    }
}

impl Serialize for TicketNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TicketNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for TicketNumber {
    fn schema_name() -> Cow<'static, str> {
        "TicketNumber".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^([A-Za-z0-9]{1,16}-)?[0-9]+$",
            "description": "A ticket's number, such as HD-1024."
        })
    }
}

/// Makes the ids of one decision: version 7 layout, the milliseconds of `now`
/// and a hash of the command id and a counter.
///
/// They sort by time, and the engine's own retries make the same ones.
#[derive(Debug, Clone)]
pub struct IdSource {
    now: DateTime<Utc>,
    command_id: CommandId,
    n_made: u64,
}

impl IdSource {
    /// Ids for one command at one time.
    #[must_use]
    pub fn new(now: DateTime<Utc>, command_id: CommandId) -> Self {
        Self { now, command_id, n_made: 0 }
    }

    /// The next id, as any kind of id.
    pub fn derive<Id: From<Uuid>>(&mut self) -> Id {
        let mut hash = Sha256::new();
        hash.update(self.command_id.0.as_bytes());
        hash.update(self.n_made.to_be_bytes());
        self.n_made += 1;
        Id::from(uuid_at(self.now, &hash.finalize()))
    }
}

/// A command id derived from what makes the command unique, such as a mailbox
/// and the external id of a message, so that a second delivery is the same command.
#[must_use]
pub fn derived_command_id(parts: &[&[u8]]) -> CommandId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    CommandId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

fn uuid_at(at: DateTime<Utc>, digest: &[u8]) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    let mut random = [0u8; 10];
    random.copy_from_slice(&digest[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_for_the_same_command_and_sort_by_time() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let command = CommandId(Uuid::from_u128(7));
        let make = |at| {
            let mut ids = IdSource::new(at, command);
            (ids.derive::<TicketId>(), ids.derive::<TicketId>())
        };
        assert_eq!(make(at), make(at));
        assert_ne!(make(at).0, make(at).1);
        assert!(make(at).1 < make(at + chrono::TimeDelta::milliseconds(1)).0);
        assert_eq!(make(at).0.0.get_version_num(), 7);
    }

    #[test]
    fn a_key_is_checked_at_its_limits() {
        assert!(Key::new(&"a".repeat(64)).is_ok());
        assert!(Key::new(&"a".repeat(65)).is_err());
        assert!(Key::new("").is_err());
        assert!(Key::new("ключ").is_err());
    }

    #[test]
    fn a_ticket_number_reads_back() {
        let number: TicketNumber = "HD-1024".parse().unwrap();
        assert_eq!(number.to_string(), "HD-1024");
        assert_eq!("7".parse::<TicketNumber>().unwrap().to_string(), "7");
        assert!("HD-".parse::<TicketNumber>().is_err());
        assert!("HD-+1".parse::<TicketNumber>().is_err());
    }
}
