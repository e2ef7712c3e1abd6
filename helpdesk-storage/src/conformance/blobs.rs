//! The suite for blob stores.

use super::{CaseFuture, Outcome};
use crate::blob::{
    self, Blob, BlobError, BlobHash, BlobResult, BlobStore, ByteStream, Check, PutBlob,
};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_core::Stream;
use helpdesk_core::id::TenantId;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use uuid::Uuid;

/// One thing that a blob store must do.
#[derive(Clone, Copy)]
pub struct BlobCase {
    /// What must be so, as a sentence in snake case.
    pub name: &'static str,
    /// Tries it on a fresh, empty store.
    pub run: fn(Arc<dyn BlobStore>) -> CaseFuture,
}

impl fmt::Debug for BlobCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blobs::{}", self.name)
    }
}

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        &[$(BlobCase { name: stringify!($name), run: |store| Box::pin($name(store)) }),*]
    };
}

/// All cases for blob stores.
#[must_use]
pub fn blob_cases() -> &'static [BlobCase] {
    cases![
        what_was_put_is_read,
        large_blobs_are_read_as_they_were_put,
        declared_bytes_are_kept,
        other_bytes_than_declared_are_refused,
        bytes_over_the_limit_are_refused,
        bytes_that_end_in_an_error_leave_nothing,
        what_is_put_twice_is_one_blob,
        a_second_put_counts_as_put_then,
        a_range_is_half_open_and_ends_with_the_blob,
        a_range_without_bytes_is_refused,
        what_is_deleted_is_gone,
        a_list_has_the_blobs_of_one_first_byte,
        a_tenant_never_sees_anothers_blobs,
        tidying_touches_no_blob,
    ]
}

/// Runs every case, each on a fresh, empty store of `factory`; how many there were.
///
/// # Errors
///
/// One line for each case that failed, or whose store could not be made: which and why.
pub async fn run_blobs<Factory>(mut factory: Factory) -> Result<usize, String>
where
    Factory: AsyncFnMut(&BlobCase) -> Result<Arc<dyn BlobStore>, String>,
{
    let mut failures = Vec::new();
    for case in blob_cases() {
        let outcome = match factory(case).await {
            Ok(store) => (case.run)(store).await,
            Err(why) => Err(format!("no store: {why}")),
        };
        if let Err(why) = outcome {
            failures.push(format!("{case:?}: {why}"));
        }
    }
    if failures.is_empty() { Ok(blob_cases().len()) } else { Err(failures.join("\n")) }
}

/// No whole number of pieces, and several parts of a store whose tests make parts small.
const LARGE_BYTES: u64 = (1 << 20) + 7;

fn tenant(n: u128) -> TenantId {
    TenantId(Uuid::from_u128(n))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_603_600 + seconds)
}

fn put() -> PutBlob {
    PutBlob::new(tenant(1), at(0))
}

fn words<T>(result: BlobResult<T>) -> Result<T, String> {
    result.map_err(|error| format!("{error:?}"))
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(what()) }
}

/// Bytes that are never together in memory, and at the end an error where one is asked for.
struct Noise {
    left: u64,
    state: u64,
    fails: bool,
}

impl Noise {
    fn of(n_bytes: u64) -> Self {
        Self { left: n_bytes, state: 0x9E37_79B9_7F4A_7C15, fails: false }
    }

    fn stream(self) -> ByteStream<'static> {
        Box::pin(self)
    }
}

impl Stream for Noise {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            let error = || io::Error::other("the sender hung up");
            return Poll::Ready(std::mem::take(&mut self.fails).then(|| Err(error())));
        }
        // Pieces of odd sizes.
        let n = self.left.min(50_021);
        self.left -= n;
        let mut piece = Vec::with_capacity(n as usize + 8);
        while (piece.len() as u64) < n {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            piece.extend_from_slice(&self.state.to_le_bytes());
        }
        piece.truncate(n as usize);
        Poll::Ready(Some(Ok(Bytes::from(piece))))
    }
}

/// What so many bytes of noise are.
async fn noise(n_bytes: u64) -> Result<Blob, String> {
    let mut check = Check::new(&put().at_most(u64::MAX));
    let mut bytes = Noise::of(n_bytes).stream();
    while let Some(piece) = blob::next(&mut bytes).await {
        words(check.piece(&piece.map_err(|error| error.to_string())?))?;
    }
    words(check.end())
}

async fn read(
    store: &dyn BlobStore,
    hash: BlobHash,
    range: Option<Range<u64>>,
) -> Result<Vec<u8>, String> {
    let read = words(store.get(tenant(1), hash, range).await)?;
    let n_bytes = read.range.end - read.range.start;
    let bytes = blob::collect(read.bytes).await.map_err(|error| error.to_string())?;
    ensure(bytes.len() as u64 == n_bytes, || {
        format!("{} bytes came, the range has {n_bytes}", bytes.len())
    })?;
    Ok(bytes)
}

/// All that the store lists.
async fn listed(store: &dyn BlobStore, tenant: TenantId) -> Result<Vec<Blob>, String> {
    let mut blobs = Vec::new();
    for first_byte in 0..=u8::MAX {
        for info in words(store.list(tenant, first_byte).await)? {
            ensure(info.blob.hash.0[0] == first_byte, || {
                format!("`{}` is listed under {first_byte}", info.blob.hash)
            })?;
            blobs.push(info.blob);
        }
    }
    Ok(blobs)
}

async fn is_empty(store: &dyn BlobStore) -> Outcome {
    let blobs = listed(store, tenant(1)).await?;
    ensure(blobs.is_empty(), || format!("left behind: {blobs:?}"))
}

async fn what_was_put_is_read(store: Arc<dyn BlobStore>) -> Outcome {
    for text in ["", "x", "a longer text, with ä and 漢"] {
        let kept = words(store.put(put(), blob::of_bytes(text)).await)?;
        ensure(kept.size_bytes == text.len() as u64, || format!("{kept:?} of {text:?}"))?;
        ensure(read(&*store, kept.hash, None).await? == text.as_bytes(), || {
            format!("other bytes for {text:?}")
        })?;
        let head = words(store.head(tenant(1), kept.hash).await)?;
        ensure(head.map(|info| info.blob) == Some(kept), || format!("{head:?}"))?;
    }
    Ok(())
}

async fn large_blobs_are_read_as_they_were_put(store: Arc<dyn BlobStore>) -> Outcome {
    let expected = noise(LARGE_BYTES).await?;
    let kept = words(store.put(put(), Noise::of(LARGE_BYTES).stream()).await)?;
    ensure(kept == expected, || format!("{kept:?} is not {expected:?}"))?;
    let read = words(store.get(tenant(1), kept.hash, None).await)?;
    ensure(read.size_bytes == LARGE_BYTES, || format!("{read:?}"))?;
    let mut bytes = blob::verified(read.bytes, kept.hash);
    while let Some(piece) = blob::next(&mut bytes).await {
        piece.map_err(|error| error.to_string())?;
    }
    let blobs = listed(&*store, tenant(1)).await?;
    ensure(blobs == [kept], || format!("{blobs:?}"))
}

async fn declared_bytes_are_kept(store: Arc<dyn BlobStore>) -> Outcome {
    for n_bytes in [0, 1, LARGE_BYTES] {
        let expected = noise(n_bytes).await?;
        let kept = store.put(put().declared(expected), Noise::of(n_bytes).stream()).await;
        ensure(words(kept)? == expected, || format!("{n_bytes} bytes are others"))?;
        let head = words(store.head(tenant(1), expected.hash).await)?;
        ensure(head.is_some_and(|info| info.blob == expected), || format!("{head:?}"))?;
    }
    Ok(())
}

async fn other_bytes_than_declared_are_refused(store: Arc<dyn BlobStore>) -> Outcome {
    for n_bytes in [10, LARGE_BYTES] {
        let real = noise(n_bytes).await?;
        let other = Blob { hash: BlobHash([7; 32]), ..real };
        let longer = Blob { size_bytes: n_bytes + 1, ..real };
        let shorter = Blob { size_bytes: n_bytes - 1, ..real };
        for declared in [other, longer, shorter] {
            let put = store.put(put().declared(declared), Noise::of(n_bytes).stream()).await;
            ensure(matches!(put, Err(BlobError::Mismatch { .. })), || format!("{put:?}"))?;
            is_empty(&*store).await?;
        }
    }
    Ok(())
}

async fn bytes_over_the_limit_are_refused(store: Arc<dyn BlobStore>) -> Outcome {
    for n_bytes in [10, LARGE_BYTES] {
        let over = store.put(put().at_most(n_bytes - 1), Noise::of(n_bytes).stream()).await;
        ensure(
            matches!(over, Err(BlobError::TooLarge { bytes_max }) if bytes_max == n_bytes - 1),
            || format!("{over:?}"),
        )?;
        is_empty(&*store).await?;
        let kept = words(store.put(put().at_most(n_bytes), Noise::of(n_bytes).stream()).await)?;
        ensure(words(store.delete(tenant(1), kept.hash).await)?, || "not there".to_owned())?;
    }
    Ok(())
}

async fn bytes_that_end_in_an_error_leave_nothing(store: Arc<dyn BlobStore>) -> Outcome {
    for n_bytes in [0, 10, LARGE_BYTES] {
        let bytes = Noise { fails: true, ..Noise::of(n_bytes) };
        let result = store.put(put(), bytes.stream()).await;
        ensure(matches!(result, Err(BlobError::Source(_))), || format!("{result:?}"))?;
        is_empty(&*store).await?;
    }
    Ok(())
}

async fn what_is_put_twice_is_one_blob(store: Arc<dyn BlobStore>) -> Outcome {
    let first = words(store.put(put(), blob::of_bytes("twice")).await)?;
    let second = words(store.put(put().declared(first), blob::of_bytes("twice")).await)?;
    ensure(first == second, || format!("{first:?}, {second:?}"))?;
    let blobs = listed(&*store, tenant(1)).await?;
    ensure(blobs == [first], || format!("{blobs:?}"))
}

async fn a_second_put_counts_as_put_then(store: Arc<dyn BlobStore>) -> Outcome {
    let kept = words(store.put(put(), blob::of_bytes("again")).await)?;
    let first = words(store.head(tenant(1), kept.hash).await)?;
    let later = PutBlob::new(tenant(1), at(3600));
    words(store.put(later, blob::of_bytes("again")).await)?;
    let second = words(store.head(tenant(1), kept.hash).await)?;
    let (Some(first), Some(second)) = (first, second) else {
        return Err("it is not there".to_owned());
    };
    // A store with a clock of its own has seen both within one tick of it, perhaps.
    let is_later = second.put_at > first.put_at || first.put_at > at(3600);
    ensure(is_later, || format!("{first:?}, then {second:?}"))
}

async fn a_range_is_half_open_and_ends_with_the_blob(store: Arc<dyn BlobStore>) -> Outcome {
    let kept = words(store.put(put(), blob::of_bytes("0123456789")).await)?;
    for (range, expected) in
        [(0..10, "0123456789"), (0..1, "0"), (9..10, "9"), (3..6, "345"), (8..u64::MAX, "89")]
    {
        let bytes = read(&*store, kept.hash, Some(range.clone())).await?;
        ensure(bytes == expected.as_bytes(), || format!("{range:?}: {bytes:?}"))?;
    }
    Ok(())
}

async fn a_range_without_bytes_is_refused(store: Arc<dyn BlobStore>) -> Outcome {
    let kept = words(store.put(put(), blob::of_bytes("0123456789")).await)?;
    for (start, end) in [(0, 0), (3, 3), (4, 3), (10, 11), (u64::MAX, u64::MAX)] {
        let read = store.get(tenant(1), kept.hash, Some(Range { start, end })).await;
        ensure(matches!(read, Err(BlobError::OutOfRange { size_bytes: 10, .. })), || {
            format!("{start}..{end}: {read:?}")
        })?;
    }
    Ok(())
}

async fn what_is_deleted_is_gone(store: Arc<dyn BlobStore>) -> Outcome {
    let kept = words(store.put(put(), blob::of_bytes("short-lived")).await)?;
    ensure(words(store.delete(tenant(1), kept.hash).await)?, || "it was not there".to_owned())?;
    ensure(!words(store.delete(tenant(1), kept.hash).await)?, || "gone twice".to_owned())?;
    let head = words(store.head(tenant(1), kept.hash).await)?;
    ensure(head.is_none(), || format!("{head:?}"))?;
    for range in [None, Some(0..1)] {
        let read = store.get(tenant(1), kept.hash, range).await;
        ensure(matches!(read, Err(BlobError::NotFound { hash }) if hash == kept.hash), || {
            format!("{read:?}")
        })?;
    }
    is_empty(&*store).await
}

async fn a_list_has_the_blobs_of_one_first_byte(store: Arc<dyn BlobStore>) -> Outcome {
    let mut expected = BTreeSet::new();
    for n in 0..300 {
        let kept = words(store.put(put(), blob::of_bytes(format!("blob {n}"))).await)?;
        expected.insert(kept.hash);
    }
    let blobs = listed(&*store, tenant(1)).await?;
    let hashes: BTreeSet<BlobHash> = blobs.iter().map(|blob| blob.hash).collect();
    ensure(blobs.len() == 300 && hashes == expected, || format!("{} blobs", blobs.len()))
}

async fn a_tenant_never_sees_anothers_blobs(store: Arc<dyn BlobStore>) -> Outcome {
    let kept = words(store.put(put(), blob::of_bytes("secret")).await)?;
    let other = tenant(2);
    ensure(words(store.head(other, kept.hash).await)?.is_none(), || "head".to_owned())?;
    let read = store.get(other, kept.hash, None).await;
    ensure(matches!(read, Err(BlobError::NotFound { .. })), || format!("{read:?}"))?;
    ensure(listed(&*store, other).await?.is_empty(), || "list".to_owned())?;
    ensure(!words(store.delete(other, kept.hash).await)?, || "delete".to_owned())?;
    words(store.put(PutBlob::new(other, at(0)), blob::of_bytes("secret")).await)?;
    ensure(words(store.delete(other, kept.hash).await)?, || "its own".to_owned())?;
    ensure(read_ok(&*store, kept.hash).await?, || "A's blob went with B's".to_owned())
}

async fn read_ok(store: &dyn BlobStore, hash: BlobHash) -> Result<bool, String> {
    Ok(read(store, hash, None).await? == b"secret")
}

async fn tidying_touches_no_blob(store: Arc<dyn BlobStore>) -> Outcome {
    let kept = words(store.put(put(), Noise::of(LARGE_BYTES).stream()).await)?;
    words(store.tidy(tenant(1), DateTime::<Utc>::MAX_UTC).await)?;
    let blobs = listed(&*store, tenant(1)).await?;
    ensure(blobs == [kept], || format!("{blobs:?}"))
}
