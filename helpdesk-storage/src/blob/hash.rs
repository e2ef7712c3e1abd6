//! The name of a blob.

use helpdesk_core::ticket::message::hex;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// SHA-256 of a blob's bytes. As a text 64 lower-case hex digits, as attachments have it.
///
/// ```
/// use helpdesk_storage::blob::BlobHash;
/// let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// let hash: BlobHash = text.parse()?;
/// assert_eq!(hash.to_string(), text);
/// assert!("E3".parse::<BlobHash>().is_err());
/// # Ok::<(), helpdesk_storage::blob::NotAHash>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash(pub [u8; 32]);

/// A text that is no [`BlobHash`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not 64 lower-case hex digits: `{0}`")]
pub struct NotAHash(String);

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BlobHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let fault = || NotAHash(text.chars().take(80).collect());
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(fault()) };
        let mut hash = [0; 32];
        if pairs.len() != hash.len() {
            return Err(fault());
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(fault()) };
            *byte = high << 4 | low;
        }
        Ok(Self(hash))
    }
}
