//! Blob stores: each passes the suite, and none of objects holds a whole blob in memory.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_core::Stream;
use helpdesk_core::id::TenantId;
use helpdesk_storage::blob::object_store::local::LocalFileSystem;
use helpdesk_storage::blob::object_store::memory::InMemory;
use helpdesk_storage::blob::{
    self, BlobHash, BlobStore, MemoryBlobStore, ObjectBlobStore, PutBlob,
};
use helpdesk_storage::conformance;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

fn check(store: impl Fn() -> Arc<dyn BlobStore>) {
    let outcome = pollster::block_on(conformance::run_blobs(async |_| Ok(store())));
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    assert_eq!(outcome, Ok(conformance::blob_cases().len()));
}

/// Blobs in a folder of their own.
struct Folder {
    blobs: Arc<ObjectBlobStore>,
    directory: tempfile::TempDir,
}

fn folder() -> Folder {
    let directory = tempfile::tempdir().unwrap();
    let files = LocalFileSystem::new_with_prefix(directory.path()).unwrap().with_fsync(true);
    let blobs = ObjectBlobStore::new(Arc::new(files)).with_part_bytes(256 << 10);
    Folder { blobs: Arc::new(blobs), directory }
}

#[test]
fn blobs_in_memory_conform() {
    check(|| Arc::new(MemoryBlobStore::default()));
}

#[test]
fn blobs_in_an_object_store_conform() {
    let blobs = || ObjectBlobStore::new(Arc::new(InMemory::new()));
    check(|| Arc::new(blobs().with_part_bytes(256 << 10)));
}

#[test]
fn blobs_in_an_object_store_conform_without_parts() {
    check(|| Arc::new(ObjectBlobStore::new(Arc::new(InMemory::new()))));
}

#[test]
fn blobs_on_the_local_disk_conform() {
    let folders = std::cell::RefCell::new(Vec::new());
    check(|| {
        let folder = folder();
        let blobs = folder.blobs.clone();
        folders.borrow_mut().push(folder);
        blobs
    });
}

/// The disk's part of the work goes to other threads there.
#[test]
fn blobs_on_the_local_disk_conform_on_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let folders = std::cell::RefCell::new(Vec::new());
    let outcome = runtime.block_on(conformance::run_blobs(async |_| {
        let folder = folder();
        let blobs = folder.blobs.clone();
        folders.borrow_mut().push(folder);
        Ok(blobs as Arc<dyn BlobStore>)
    }));
    assert_eq!(outcome, Ok(conformance::blob_cases().len()));
}

/// Zeros of which it is known how many are in memory.
struct Counted {
    left: usize,
    live: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct Piece {
    zeros: Vec<u8>,
    live: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.zeros
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.live.fetch_sub(self.zeros.len(), Ordering::Relaxed);
    }
}

impl Stream for Counted {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let n = self.left.min(blob::PIECE_BYTES);
        self.left -= n;
        let live = self.live.fetch_add(n, Ordering::Relaxed) + n;
        self.most.fetch_max(live, Ordering::Relaxed);
        let piece = Piece { zeros: vec![0; n], live: self.live.clone() };
        Poll::Ready((n > 0).then(|| Ok(Bytes::from_owner(piece))))
    }
}

fn put(n_bytes: u64) -> PutBlob {
    PutBlob::new(TenantId(uuid::Uuid::from_u128(1)), DateTime::<Utc>::UNIX_EPOCH).at_most(n_bytes)
}

#[test]
fn a_large_blob_is_never_whole_in_memory() {
    const N: usize = 8 << 20;
    let folder = folder();
    let (live, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let zeros = Counted { left: N, live: live.clone(), most: most.clone() };
    let kept = pollster::block_on(folder.blobs.put(put(N as u64), Box::pin(zeros))).unwrap();
    assert_eq!(kept.size_bytes, N as u64);
    assert_eq!(live.load(Ordering::Relaxed), 0, "pieces that nobody let go");
    let most = most.load(Ordering::Relaxed);
    assert!(most <= 512 << 10, "{most} bytes of {N} in memory at once");

    let read = pollster::block_on(folder.blobs.get(put(0).tenant, kept.hash, None)).unwrap();
    let mut bytes = blob::verified(read.bytes, kept.hash);
    let mut n = 0;
    while let Some(piece) = pollster::block_on(blob::next(&mut bytes)) {
        let piece = piece.unwrap();
        assert!(piece.len() <= 256 << 10, "a piece of {} bytes", piece.len());
        n += piece.len();
    }
    assert_eq!(n, N);
}

#[test]
fn damaged_bytes_are_told_at_the_end() {
    let folder = folder();
    let kept = pollster::block_on(folder.blobs.put(put(100), blob::of_bytes("as it was"))).unwrap();
    let text = kept.hash.to_string();
    let tenant = put(0).tenant;
    let path = folder.directory.path().join(tenant.0.to_string()).join(&text[..2]).join(&text);
    std::fs::write(path, "as it is ").unwrap();
    let read = pollster::block_on(folder.blobs.get(tenant, kept.hash, None)).unwrap();
    let error = pollster::block_on(blob::collect(blob::verified(read.bytes, kept.hash)));
    assert_eq!(error.unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn what_an_unfinished_put_left_is_tidied_up() {
    use helpdesk_storage::blob::object_store::{ObjectStoreExt, path::Path};
    let objects = Arc::new(InMemory::new());
    let blobs = ObjectBlobStore::new(objects.clone());
    let tenant = put(0).tenant;
    let left = Path::from_iter([tenant.0.to_string(), "staging".to_owned(), "x".to_owned()]);
    pollster::block_on(objects.put(&left, "half".into())).unwrap();
    let tidy = |before| pollster::block_on(blobs.tidy(tenant, before)).unwrap();
    assert_eq!(tidy(DateTime::<Utc>::UNIX_EPOCH), 0, "it may still be under way");
    assert_eq!(tidy(DateTime::<Utc>::MAX_UTC), 1);
    assert_eq!(tidy(DateTime::<Utc>::MAX_UTC), 0);
}

#[test]
fn only_lower_case_hex_is_a_hash() {
    let good = "0123456789abcdef".repeat(4);
    let hash: BlobHash = good.parse().unwrap();
    assert_eq!((hash.0[0], hash.0[31], hash.to_string()), (0x01, 0xef, good.clone()));
    for bad in [good.to_uppercase(), good[1..].to_owned(), format!("{good}0"), "ä".repeat(32)] {
        assert!(bad.parse::<BlobHash>().is_err(), "{bad}");
    }
}
