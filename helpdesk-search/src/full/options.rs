//! How an index is kept.

use std::time::Duration;

/// Bytes that the writer holds before it writes a segment, at least.
const WRITER_BYTES_MIN: usize = 15_000_000;

/// How an index is kept; the default suits a desk of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexOptions {
    /// How long a change may wait for others to be committed with. Default 20 ms.
    pub window: Duration,
    /// Bytes of documents that the writer holds in memory; never less than 15 MB,
    /// which is the default.
    pub memory_bytes: usize,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self { window: Duration::from_millis(20), memory_bytes: WRITER_BYTES_MIN }
    }
}

impl IndexOptions {
    /// With another window. Zero commits as soon as a change comes in.
    #[must_use]
    pub fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// With more memory, for tenants that are rebuilt at once.
    #[must_use]
    pub fn with_memory_bytes(mut self, memory_bytes: usize) -> Self {
        self.memory_bytes = memory_bytes;
        self
    }

    pub(crate) fn writer_bytes(&self) -> usize {
        self.memory_bytes.max(WRITER_BYTES_MIN)
    }
}
