//! Blobs in any store of the `object_store` crate: a folder, S3, GCS, Azure, memory.
//!
//! A blob is the object `tenant/first byte/hash`. Small ones are one request; from
//! [`PART_BYTES`] on they go up in parts, of which one at a time is in memory. Where the hash is not
//! declared, a large one goes up under a name of its own and is renamed once its hash is known.

use super::check::Check;
use super::error::{BlobError, BlobResult};
use super::hash::BlobHash;
use super::stream::{ByteStream, next};
use super::{Blob, BlobInfo, BlobRead, BlobStore, PutBlob, within};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_core::Stream;
use helpdesk_core::id::TenantId;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload,
};
use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use uuid::Uuid;

/// Bytes of one part of a large blob unless the host says otherwise: 8 MiB.
pub const PART_BYTES: usize = 8 << 20;

/// Where large blobs lie until their hash is known.
const STAGING: &str = "staging";

/// Keeps blobs in an object store.
///
/// The store's own clock says when a blob was put. A put that is dropped half way leaves in a
/// cloud what its rules for incomplete uploads remove.
///
/// A folder on the local disk must be one `with_fsync(true)`, which it is not unless told: without,
/// a commit that is safe on the disk may after a power loss name a file that is empty or gone.
/// Clouds confirm what they keep.
///
/// ```
/// use helpdesk_storage::blob::ObjectBlobStore;
/// use helpdesk_storage::blob::object_store::local::LocalFileSystem;
/// use std::sync::Arc;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let files = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
/// // Or an `AmazonS3`, ... with a `PrefixStore` around it for a folder of its own.
/// let blobs = ObjectBlobStore::new(Arc::new(files));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ObjectBlobStore {
    store: Arc<dyn ObjectStore>,
    part_bytes: usize,
}

impl ObjectBlobStore {
    /// Blobs in this store.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, part_bytes: PART_BYTES }
    }

    /// The same with parts of another size, which is what one put keeps in memory. S3 takes
    /// 5 MiB at least, and 10,000 parts of a blob; 0 counts as 1.
    #[must_use]
    pub fn with_part_bytes(mut self, bytes: usize) -> Self {
        self.part_bytes = bytes.max(1);
        self
    }

    async fn upload(
        &self,
        put: &PutBlob,
        bytes: &mut ByteStream<'_>,
        upload: &mut Option<Upload>,
    ) -> BlobResult<Blob> {
        let mut check = Check::new(put);
        let mut part = Part::default();
        while let Some(piece) = next(bytes).await {
            let mut piece = piece.map_err(BlobError::Source)?;
            check.piece(&piece)?;
            while part.n_bytes + piece.len() > self.part_bytes {
                part.push(piece.split_to(self.part_bytes - part.n_bytes));
                self.send(put, std::mem::take(&mut part), upload).await?;
            }
            part.push(piece);
        }
        // Only then: an object whose bytes are others than declared is never there.
        let blob = check.end()?;
        let last = PutPayload::from_iter(part.pieces);
        let Some(Upload { parts, at }) = upload else {
            self.store.put(&key(put.tenant, blob.hash), last).await.map_err(failed)?;
            return Ok(blob);
        };
        parts.put_part(last).await.map_err(failed)?;
        parts.complete().await.map_err(failed)?;
        let place = key(put.tenant, blob.hash);
        if *at != place {
            self.store.rename(at, &place).await.map_err(failed)?;
        }
        Ok(blob)
    }

    async fn send(&self, put: &PutBlob, part: Part, upload: &mut Option<Upload>) -> BlobResult<()> {
        let upload = match upload {
            Some(upload) => upload,
            None => {
                let at = match put.declared {
                    Some(blob) => key(put.tenant, blob.hash),
                    None => staging(put.tenant).join(Uuid::new_v4().to_string()),
                };
                let parts = self.store.put_multipart(&at).await.map_err(failed)?;
                upload.insert(Upload { parts, at })
            }
        };
        let payload = PutPayload::from_iter(part.pieces);
        upload.parts.put_part(payload).await.map_err(failed)
    }

    async fn objects(&self, under: &Path) -> BlobResult<Vec<ObjectMeta>> {
        let mut list = self.store.list(Some(under));
        let mut objects = Vec::new();
        while let Some(object) = poll_fn(|cx| list.as_mut().poll_next(cx)).await {
            match object {
                Ok(object) => objects.push(object),
                // Removed while it was listed.
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(objects)
    }

    async fn remove(&self, at: &Path) -> BlobResult<bool> {
        match self.store.delete(at).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

/// A blob that goes up in parts.
struct Upload {
    parts: Box<dyn MultipartUpload>,
    at: Path,
}

/// The part that is being filled.
#[derive(Default)]
struct Part {
    pieces: Vec<Bytes>,
    n_bytes: usize,
}

impl Part {
    fn push(&mut self, piece: Bytes) {
        self.n_bytes += piece.len();
        self.pieces.push(piece);
    }
}

#[async_trait]
impl BlobStore for ObjectBlobStore {
    async fn put(&self, put: PutBlob, mut bytes: ByteStream<'_>) -> BlobResult<Blob> {
        let mut upload = None;
        let result = self.upload(&put, &mut bytes, &mut upload).await;
        if let (Err(_), Some(mut upload)) = (&result, upload)
            && let Err(error) = upload.parts.abort().await
        {
            tracing::debug!(%error, "the parts of a blob stay behind");
        }
        result
    }

    async fn head(&self, tenant: TenantId, hash: BlobHash) -> BlobResult<Option<BlobInfo>> {
        match self.store.head(&key(tenant, hash)).await {
            Ok(object) => Ok(Some(info(hash, &object))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn get(
        &self,
        tenant: TenantId,
        hash: BlobHash,
        range: Option<Range<u64>>,
    ) -> BlobResult<BlobRead> {
        let mut options = GetOptions::default();
        if let Some(asked) = range {
            // What is out of range no store says in a way of its own.
            let Some(known) = self.head(tenant, hash).await? else {
                return Err(BlobError::NotFound { hash });
            };
            options.range = Some(GetRange::Bounded(within(Some(asked), known.blob.size_bytes)?));
        }
        match self.store.get_opts(&key(tenant, hash), options).await {
            Ok(found) => {
                let (size_bytes, range) = (found.meta.size, found.range.clone());
                Ok(BlobRead { size_bytes, range, bytes: Box::pin(Pieces(found.into_stream())) })
            }
            Err(object_store::Error::NotFound { .. }) => Err(BlobError::NotFound { hash }),
            Err(error) => Err(failed(error)),
        }
    }

    async fn delete(&self, tenant: TenantId, hash: BlobHash) -> BlobResult<bool> {
        // Clouds delete what is not there without a word.
        if self.head(tenant, hash).await?.is_none() {
            return Ok(false);
        }
        self.remove(&key(tenant, hash)).await
    }

    async fn list(&self, tenant: TenantId, first_byte: u8) -> BlobResult<Vec<BlobInfo>> {
        let under = Path::from_iter([tenant.0.to_string(), format!("{first_byte:02x}")]);
        let objects = self.objects(&under).await?;
        let named = |object: &ObjectMeta| {
            let hash = object.location.filename()?.parse().ok()?;
            Some(info(hash, object))
        };
        Ok(objects.iter().filter_map(named).collect())
    }

    async fn tidy(&self, tenant: TenantId, before: DateTime<Utc>) -> BlobResult<u64> {
        let mut n = 0;
        for object in self.objects(&staging(tenant)).await? {
            if object.last_modified < before && self.remove(&object.location).await? {
                n += 1;
            }
        }
        Ok(n)
    }
}

fn key(tenant: TenantId, hash: BlobHash) -> Path {
    let first = format!("{:02x}", hash.0[0]);
    Path::from_iter([tenant.0.to_string(), first, hash.to_string()])
}

fn staging(tenant: TenantId) -> Path {
    Path::from_iter([tenant.0.to_string(), STAGING.to_owned()])
}

fn info(hash: BlobHash, object: &ObjectMeta) -> BlobInfo {
    BlobInfo { blob: Blob { hash, size_bytes: object.size }, put_at: object.last_modified }
}

fn failed(error: object_store::Error) -> BlobError {
    BlobError::Unavailable { backend: "object", source: error.into() }
}

/// A store's stream, with its errors as those of reading.
struct Pieces(Pin<Box<dyn Stream<Item = object_store::Result<Bytes>> + Send>>);

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx).map(|item| item.map(|piece| piece.map_err(io::Error::other)))
    }
}
