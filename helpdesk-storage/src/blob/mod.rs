//! Where the bytes of attachments lie: beside the state, by their hash.
//!
//! A message names a file by what it is (name, type, size, SHA-256); a [`BlobStore`] has
//! its bytes. Bytes go in and come out as streams, a piece at a time. What is put twice is one
//! blob, so putting again after a failure is safe, and two tickets may name one file.
//! A blob that no message names is removed by a sweep, once it is old enough that no command
//! under way can name it any more.
//!
//! ```
//! use helpdesk_core::id::TenantId;
//! use helpdesk_storage::blob::{self, BlobStore, MemoryBlobStore, PutBlob};
//! # pollster::block_on(async {
//! let blobs = MemoryBlobStore::default();
//! let tenant = TenantId(uuid::Uuid::from_u128(1));
//! let now = "2026-11-20T09:00:00Z".parse()?;
//!
//! let put = PutBlob::new(tenant, now).at_most(1 << 20);
//! let kept = blobs.put(put, blob::of_bytes("a scan")).await?;
//! assert_eq!(kept.size_bytes, 6);
//!
//! let read = blobs.get(tenant, kept.hash, Some(2..6)).await?;
//! assert_eq!(blob::collect(read.bytes).await?, b"scan");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Source: spec/storage.md, the last paragraph of "Traits".

mod check;
mod error;
mod hash;
mod memory;
#[cfg(feature = "object-store")]
mod object;
mod stream;

pub use check::Check;
pub use error::{BlobError, BlobResult};
pub use hash::{BlobHash, NotAHash};
pub use memory::MemoryBlobStore;
#[cfg(feature = "object-store")]
pub use object::{ObjectBlobStore, PART_BYTES};
/// The object_store that this crate was built with: the host makes its store with the same.
#[cfg(feature = "object-store")]
pub use object_store;
pub use stream::{ByteStream, PIECE_BYTES, collect, next, of_bytes, of_reader, verified};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use helpdesk_core::id::TenantId;
use std::fmt::Debug;
use std::ops::Range;

/// Bytes of one blob unless a put says otherwise: 64 MiB.
pub const BLOB_BYTES_MAX: u64 = 64 << 20;

/// A blob that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of its bytes: its name.
    pub hash: BlobHash,
    /// Its size.
    pub size_bytes: u64,
}

/// What a store knows of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobInfo {
    /// Which.
    pub blob: Blob,
    /// When it was put last. A store of objects says its own clock's time.
    pub put_at: DateTime<Utc>,
}

/// What is known of bytes before they are put.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PutBlob {
    /// The tenant.
    pub tenant: TenantId,
    /// The time now, where the store has no clock of its own.
    pub now: DateTime<Utc>,
    /// What the bytes must be, where that is known.
    pub declared: Option<Blob>,
    /// Bytes at most; one more is [`BlobError::TooLarge`].
    pub bytes_max: u64,
}

impl PutBlob {
    /// Bytes of which nothing is known, [`BLOB_BYTES_MAX`] at most.
    #[must_use]
    pub fn new(tenant: TenantId, now: DateTime<Utc>) -> Self {
        Self { tenant, now, declared: None, bytes_max: BLOB_BYTES_MAX }
    }

    /// The same, so many bytes at most.
    #[must_use]
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// The same, refused when the bytes are others than these.
    #[must_use]
    pub fn declared(mut self, blob: Blob) -> Self {
        self.declared = Some(blob);
        self
    }
}

/// Bytes that are read.
pub struct BlobRead {
    /// The blob's whole size.
    pub size_bytes: u64,
    /// The part that is read.
    pub range: Range<u64>,
    /// Its bytes, in order.
    pub bytes: ByteStream<'static>,
}

impl Debug for BlobRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobRead")
            .field("size_bytes", &self.size_bytes)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// A place for the bytes of attachments.
///
/// # Contract
///
/// - Every call is for one tenant, and tenant B never sees A's blobs: two tenants that put
///   the same bytes have two blobs.
/// - A put is there whole or not at all: bytes that end early, are too many, or are others than
///   declared leave nothing behind that `get` or `list` shows.
/// - A put of what is there already succeeds and counts as put now.
/// - What was put is found by every later call, also after a power loss where commits are: a
///   store on a disk waits for the disk.
///
/// Every implementation passes
/// [`conformance::run_blobs`](crate::conformance::run_blobs) (feature `conformance`).
#[async_trait]
pub trait BlobStore: Send + Sync + Debug + 'static {
    /// Takes in bytes and keeps them under their hash. It is checked, with their
    /// size, while they stream by.
    ///
    /// # Errors
    ///
    /// [`BlobError::TooLarge`] and [`BlobError::Mismatch`] for bytes that may not be kept,
    /// [`BlobError::Source`] when they could not be read, [`BlobError::Unavailable`] when
    /// the store cannot be reached: nothing was kept.
    async fn put(&self, put: PutBlob, bytes: ByteStream<'_>) -> BlobResult<Blob>;

    /// What is known of a blob; nothing when it is not there.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`].
    async fn head(&self, tenant: TenantId, hash: BlobHash) -> BlobResult<Option<BlobInfo>>;

    /// A blob's bytes, or those of a half-open range. An end behind the blob's is the
    /// blob's.
    ///
    /// # Errors
    ///
    /// [`BlobError::NotFound`]; [`BlobError::OutOfRange`] for a range that is empty or begins
    /// at or behind the end; [`BlobError::Unavailable`].
    async fn get(
        &self,
        tenant: TenantId,
        hash: BlobHash,
        range: Option<Range<u64>>,
    ) -> BlobResult<BlobRead>;

    /// Removes a blob; whether it was there.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`].
    async fn delete(&self, tenant: TenantId, hash: BlobHash) -> BlobResult<bool>;

    /// All blobs whose hash begins with this byte, in any order: a 256th part of the tenant's.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`].
    async fn list(&self, tenant: TenantId, first_byte: u8) -> BlobResult<Vec<BlobInfo>>;

    /// Drops what puts that never ended left behind before then; how many.
    ///
    /// # Errors
    ///
    /// [`BlobError::Unavailable`].
    async fn tidy(&self, tenant: TenantId, before: DateTime<Utc>) -> BlobResult<u64>;
}

/// The part of a blob of this size that a range asks for.
///
/// # Errors
///
/// [`BlobError::OutOfRange`] for a range that is empty or begins at or behind the end.
pub fn within(range: Option<Range<u64>>, size_bytes: u64) -> BlobResult<Range<u64>> {
    let Some(range) = range else { return Ok(0..size_bytes) };
    let end = range.end.min(size_bytes);
    if range.start >= end {
        return Err(BlobError::OutOfRange { start: range.start, end: range.end, size_bytes });
    }
    Ok(range.start..end)
}
