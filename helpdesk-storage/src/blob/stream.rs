//! Bytes a piece at a time.

use super::hash::BlobHash;
use bytes::Bytes;
use futures_core::Stream;
use sha2::{Digest, Sha256};
use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes in pieces; the first error ends them.
pub type ByteStream<'a> = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send + 'a>>;

/// Bytes of the pieces that this crate makes.
pub const PIECE_BYTES: usize = 64 << 10;

/// The next piece; nothing at the end.
pub async fn next(bytes: &mut ByteStream<'_>) -> Option<io::Result<Bytes>> {
    poll_fn(|cx| bytes.as_mut().poll_next(cx)).await
}

/// All of it in memory: for what is known to be small.
///
/// # Errors
///
/// The stream's own.
pub async fn collect(mut bytes: ByteStream<'_>) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(piece) = next(&mut bytes).await {
        all.extend_from_slice(&piece?);
    }
    Ok(all)
}

/// Bytes that are in memory already, in pieces that share them.
#[must_use]
pub fn of_bytes(bytes: impl Into<Bytes>) -> ByteStream<'static> {
    Box::pin(OfBytes(bytes.into()))
}

/// What a reader reads, such as a file. Each piece is read on the thread that asks for it: on
/// an asynchronous runtime wrap a file in a stream of its own.
#[must_use]
pub fn of_reader<'a>(reader: impl Read + Send + Unpin + 'a) -> ByteStream<'a> {
    Box::pin(OfReader(Some(reader)))
}

/// The same bytes; an error at the end if they are not those of the hash.
#[must_use]
pub fn verified(bytes: ByteStream<'_>, hash: BlobHash) -> ByteStream<'_> {
    Box::pin(Verified { bytes, expected: hash, seen: Some(Sha256::new()) })
}

struct OfBytes(Bytes);

impl Stream for OfBytes {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let n = self.0.len().min(PIECE_BYTES);
        let piece = self.0.split_to(n);
        Poll::Ready((n > 0).then_some(Ok(piece)))
    }
}

struct OfReader<R>(Option<R>);

impl<R: Read + Unpin> Stream for OfReader<R> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(reader) = &mut self.0 else { return Poll::Ready(None) };
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let read = reader.take(PIECE_BYTES as u64).read_to_end(&mut piece);
        let item = match read {
            Ok(0) => None,
            Ok(_) => Some(Ok(Bytes::from(piece))),
            Err(error) => Some(Err(error)),
        };
        if !matches!(item, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(item)
    }
}

struct Verified<'a> {
    bytes: ByteStream<'a>,
    expected: BlobHash,
    /// `None` once the end was told.
    seen: Option<Sha256>,
}

impl Stream for Verified<'_> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let polled = this.bytes.as_mut().poll_next(cx);
        match (&polled, &mut this.seen) {
            (Poll::Ready(Some(Ok(piece))), Some(seen)) => seen.update(piece),
            (Poll::Ready(None), seen @ Some(_)) => {
                let actual = seen.take().map(|seen| BlobHash(seen.finalize().into()));
                if let Some(actual) = actual.filter(|actual| *actual != this.expected) {
                    let message = format!("blob `{}` holds the bytes of `{actual}`", this.expected);
                    let error = io::Error::new(io::ErrorKind::InvalidData, message);
                    return Poll::Ready(Some(Err(error)));
                }
            }
            _ => {}
        }
        polled
    }
}
