//! What can go wrong with a blob, as its caller can act on it.

use super::hash::BlobHash;
use std::io;
use thiserror::Error;

/// The result of a blob store's method.
pub type BlobResult<T> = Result<T, BlobError>;

/// Why a blob store did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BlobError {
    /// There is no such blob: it was swept, or never put here.
    #[error("no blob `{hash}`")]
    NotFound {
        /// Which.
        hash: BlobHash,
    },
    /// The bytes are too many; nothing was kept.
    #[error("more than {bytes_max} bytes")]
    TooLarge {
        /// Bytes that would be taken.
        bytes_max: u64,
    },
    /// The bytes are not those declared; nothing was kept.
    #[error("declared as {declared}, but it is {actual}")]
    Mismatch {
        /// What was said.
        declared: String,
        /// What came.
        actual: String,
    },
    /// The range has no bytes of the blob.
    #[error("bytes {start} to {end} of a blob of {size_bytes}")]
    OutOfRange {
        /// Where it begins.
        start: u64,
        /// Where it ends, itself not in it.
        end: u64,
        /// The blob's size.
        size_bytes: u64,
    },
    /// The bytes that were to be put could not be read; nothing was kept.
    #[error("the bytes could not be read")]
    Source(#[source] io::Error),
    /// The store cannot be reached, refuses, or is full; nothing was kept, try again later.
    #[error("the {backend} blob store is unavailable")]
    Unavailable {
        /// Which.
        backend: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
