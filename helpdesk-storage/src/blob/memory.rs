//! The reference: blobs in memory. For tests; they are gone with the process.

use super::check::Check;
use super::error::{BlobError, BlobResult};
use super::hash::BlobHash;
use super::stream::{ByteStream, next, of_bytes};
use super::{Blob, BlobInfo, BlobRead, BlobStore, PutBlob, within};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use helpdesk_core::id::TenantId;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps blobs in memory.
#[derive(Debug, Default)]
pub struct MemoryBlobStore {
    blobs: Mutex<BTreeMap<(TenantId, BlobHash), Kept>>,
}

#[derive(Debug)]
struct Kept {
    bytes: Bytes,
    put_at: DateTime<Utc>,
}

impl Kept {
    fn info(&self, hash: BlobHash) -> BlobInfo {
        let blob = Blob { hash, size_bytes: self.bytes.len() as u64 };
        BlobInfo { blob, put_at: self.put_at }
    }
}

impl MemoryBlobStore {
    fn blobs(&self) -> MutexGuard<'_, BTreeMap<(TenantId, BlobHash), Kept>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BlobStore for MemoryBlobStore {
    async fn put(&self, put: PutBlob, mut bytes: ByteStream<'_>) -> BlobResult<Blob> {
        let mut check = Check::new(&put);
        let mut all = Vec::new();
        while let Some(piece) = next(&mut bytes).await {
            let piece = piece.map_err(BlobError::Source)?;
            check.piece(&piece)?;
            all.extend_from_slice(&piece);
        }
        let blob = check.end()?;
        let kept = Kept { bytes: Bytes::from(all), put_at: put.now };
        self.blobs().insert((put.tenant, blob.hash), kept);
        Ok(blob)
    }

    async fn head(&self, tenant: TenantId, hash: BlobHash) -> BlobResult<Option<BlobInfo>> {
        Ok(self.blobs().get(&(tenant, hash)).map(|kept| kept.info(hash)))
    }

    async fn get(
        &self,
        tenant: TenantId,
        hash: BlobHash,
        range: Option<Range<u64>>,
    ) -> BlobResult<BlobRead> {
        let found = self.blobs().get(&(tenant, hash)).map(|kept| kept.bytes.clone());
        let Some(bytes) = found else { return Err(BlobError::NotFound { hash }) };
        let size_bytes = bytes.len() as u64;
        let range = within(range, size_bytes)?;
        // Both are at most the length.
        let part = bytes.slice(range.start as usize..range.end as usize);
        Ok(BlobRead { size_bytes, range, bytes: of_bytes(part) })
    }

    async fn delete(&self, tenant: TenantId, hash: BlobHash) -> BlobResult<bool> {
        Ok(self.blobs().remove(&(tenant, hash)).is_some())
    }

    async fn list(&self, tenant: TenantId, first_byte: u8) -> BlobResult<Vec<BlobInfo>> {
        let (mut first, mut last) = ([0; 32], [u8::MAX; 32]);
        (first[0], last[0]) = (first_byte, first_byte);
        let range = (tenant, BlobHash(first))..=(tenant, BlobHash(last));
        Ok(self.blobs().range(range).map(|((_, hash), kept)| kept.info(*hash)).collect())
    }

    async fn tidy(&self, _: TenantId, _: DateTime<Utc>) -> BlobResult<u64> {
        // A put that did not end has left nothing.
        Ok(0)
    }
}
