//! Messages: the entries of a ticket's conversation.

use super::priority::Channel;
use crate::actor::Author;
use crate::id::{MessageId, TicketId};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Who may read a message.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Everybody who takes part, requesters included.
    PublicReply,
    /// Agents only.
    InternalNote,
    /// Agents only; written by the desk.
    System,
}

/// A file that came with a message. The engine keeps what it is; the host, or
/// a blob store, keeps the bytes under their hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// The file's name.
    pub name: String,
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of its bytes: 64 lower-case hex digits.
    pub sha256: String,
    /// The Content-ID by which HTML shows it inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline_id: Option<String>,
}

/// What the journal says of a message: everything but its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageMeta {
    /// Its id.
    pub id: MessageId,
    /// Its place in the conversation, from 1.
    pub seq: u32,
    /// Who may read it.
    pub kind: MessageKind,
    /// Who wrote it.
    pub author: Author,
    /// Where it came in or goes out.
    pub channel: Channel,
    /// Bytes of the plain text.
    pub text_bytes: u64,
    /// SHA-256 of plain text and HTML, hex.
    pub sha256: String,
    /// Files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The channel's own id of the message, such as a Message-ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// When it was written, as its sender says.
    #[serde(with = "crate::instant")]
    pub sent_at: DateTime<Utc>,
    /// Whether intake cut it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// One entry of a ticket's conversation, as agents see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The ticket.
    pub ticket_id: TicketId,
    /// All but the text.
    #[serde(flatten)]
    pub meta: MessageMeta,
    /// Plain text; empty when redacted.
    pub text: String,
    /// HTML as it came in, where it did. Not sanitized: the host's page must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Whether the text was removed for good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
}

impl Message {
    /// What a requester may see of it: nothing unless it is public.
    #[must_use]
    pub fn public(&self) -> Option<PublicMessage> {
        if self.meta.kind != MessageKind::PublicReply {
            return None;
        }
        Some(PublicMessage {
            id: self.meta.id,
            seq: self.meta.seq,
            author: self.meta.author,
            channel: self.meta.channel,
            text: self.text.clone(),
            html: self.html.clone(),
            attachments: self.meta.attachments.clone(),
            sent_at: self.meta.sent_at,
            redacted: self.redacted,
        })
    }
}

/// One public entry, as requesters see it. There is no such type for a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicMessage {
    /// Its id.
    pub id: MessageId,
    /// Its place in the conversation; notes leave gaps.
    pub seq: u32,
    /// Who wrote it.
    pub author: Author,
    /// Where it came in or went out.
    pub channel: Channel,
    /// Plain text.
    pub text: String,
    /// HTML as it came in. Not sanitized: the host's page must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// When it was written.
    #[serde(with = "crate::instant")]
    pub sent_at: DateTime<Utc>,
    /// Whether the text was removed for good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
}

/// SHA-256 of a text and its HTML, hex: what the journal keeps of them.
#[must_use]
pub fn text_hash(text: &str, html: Option<&str>) -> String {
    let mut hash = Sha256::new();
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
    if let Some(html) = html {
        hash.update(html);
    }
    hex(&hash.finalize())
}

/// SHA-256 of bytes, hex: what an attachment keeps of them.
#[must_use]
pub fn bytes_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
