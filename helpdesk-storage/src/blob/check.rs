//! Looks at bytes as they go by: how many, and which.

use super::error::{BlobError, BlobResult};
use super::hash::BlobHash;
use super::{Blob, PutBlob};
use sha2::{Digest, Sha256};

/// Counts and hashes the pieces of a put, and refuses the first that goes too far. For
/// blob stores of your own.
#[derive(Debug)]
pub struct Check {
    declared: Option<Blob>,
    bytes_max: u64,
    n_bytes: u64,
    hash: Sha256,
}

impl Check {
    /// The check of a put, before its first piece.
    #[must_use]
    pub fn new(put: &PutBlob) -> Self {
        Self { declared: put.declared, bytes_max: put.bytes_max, n_bytes: 0, hash: Sha256::new() }
    }

    /// Takes the next piece into account.
    ///
    /// # Errors
    ///
    /// [`BlobError::TooLarge`] with the first byte over the limit, [`BlobError::Mismatch`] with
    /// the first over the declared size.
    pub fn piece(&mut self, bytes: &[u8]) -> BlobResult<()> {
        self.n_bytes = self.n_bytes.saturating_add(bytes.len() as u64);
        if self.n_bytes > self.bytes_max {
            return Err(BlobError::TooLarge { bytes_max: self.bytes_max });
        }
        match self.declared {
            Some(declared) if self.n_bytes > declared.size_bytes => Err(BlobError::Mismatch {
                declared: format!("{} bytes", declared.size_bytes),
                actual: "more".to_owned(),
            }),
            _ => {
                self.hash.update(bytes);
                Ok(())
            }
        }
    }

    /// What all pieces together are.
    ///
    /// # Errors
    ///
    /// [`BlobError::Mismatch`] when they are not what was declared.
    pub fn end(self) -> BlobResult<Blob> {
        let actual = Blob { hash: BlobHash(self.hash.finalize().into()), size_bytes: self.n_bytes };
        match self.declared {
            Some(declared) if declared.size_bytes != actual.size_bytes => {
                Err(BlobError::Mismatch {
                    declared: format!("{} bytes", declared.size_bytes),
                    actual: format!("{} bytes", actual.size_bytes),
                })
            }
            Some(declared) if declared.hash != actual.hash => Err(BlobError::Mismatch {
                declared: format!("SHA-256 `{}`", declared.hash),
                actual: format!("`{}`", actual.hash),
            }),
            _ => Ok(actual),
        }
    }
}
