//! Eight years of a calendar as open stretches with prefix sums.

/// One open stretch, in seconds since the piece's start; `cum` is the working
/// time before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) start: u32,
    pub(super) end: u32,
    cum: u32,
}

impl Segment {
    fn cum_end(self) -> u32 {
        self.cum + (self.end - self.start)
    }
}

/// Candidates up to which a bucket is walked; more are bisected.
const WALK_MAX: usize = 8;

/// Where to start looking: for each bucket of `1 << shift` seconds the first
/// segment that ends after the bucket's first second.
#[derive(Debug)]
struct Buckets {
    shift: u32,
    first: Box<[u32]>,
}

impl Buckets {
    /// Buckets over `0..=length`, about as many as segments. `ends` ascend.
    fn new(length: u32, n_segments: usize, ends: impl Iterator<Item = u32>) -> Self {
        let mut shift = 4;
        while shift < 31 && (length >> shift) as usize > n_segments {
            shift += 1;
        }
        let n_buckets = (length >> shift) as usize + 2;
        let mut first = Vec::with_capacity(n_buckets);
        for (i, end) in (0_u32..).zip(ends) {
            while first.len() < n_buckets && (first.len() as u64) << shift < u64::from(end) {
                first.push(i);
            }
        }
        first.resize(n_buckets, n_segments as u32);
        Self { shift, first: first.into_boxed_slice() }
    }

    /// The first segment whose end, told by `end_of`, is after `at`.
    fn find(&self, segments: &[Segment], at: u32, end_of: impl Fn(Segment) -> u32) -> usize {
        let bucket = (at >> self.shift) as usize;
        let from = self.first.get(bucket).map_or(segments.len(), |i| *i as usize);
        let to = self.first.get(bucket + 1).map_or(segments.len(), |i| *i as usize);
        let candidates = segments.get(from..to).unwrap_or_default();
        if candidates.len() > WALK_MAX {
            return from + candidates.partition_point(|segment| end_of(*segment) <= at);
        }
        let passed = candidates.iter().take_while(|segment| end_of(**segment) <= at).count();
        from + passed
    }
}

/// A piece of a compiled calendar: open stretches that neither overlap nor touch.
#[derive(Debug)]
pub(super) struct Piece {
    segments: Box<[Segment]>,
    by_time: Buckets,
    by_work: Buckets,
    total: u32,
}

impl Piece {
    /// `windows` are merged, ascending, and within `0..=length`.
    pub(super) fn new(length: u32, windows: &[(u32, u32)]) -> Self {
        let mut cum = 0;
        let segments = windows.iter().map(|&(start, end)| {
            let segment = Segment { start, end, cum };
            cum += end - start;
            segment
        });
        let segments: Box<[Segment]> = segments.collect();
        let n = segments.len();
        let by_time = Buckets::new(length, n, segments.iter().map(|segment| segment.end));
        let by_work = Buckets::new(cum, n, segments.iter().map(|segment| segment.cum_end()));
        Self { segments, by_time, by_work, total: cum }
    }

    /// Working seconds of the whole piece.
    pub(super) fn total(&self) -> i64 {
        i64::from(self.total)
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The index of the first segment that ends after `at`.
    pub(super) fn segment_after(&self, at: u32) -> usize {
        self.by_time.find(&self.segments, at, |segment| segment.end)
    }

    /// Working seconds before `at`.
    pub(super) fn work_before(&self, at: u32) -> i64 {
        match self.segments.get(self.segment_after(at)) {
            Some(segment) => i64::from(segment.cum + at.saturating_sub(segment.start)),
            None => self.total(),
        }
    }

    /// When the working second number `n` begins, the first being 0; `None`
    /// when the piece has fewer.
    pub(super) fn nth_second(&self, n: i64) -> Option<u32> {
        let n = u32::try_from(n).ok().filter(|n| *n < self.total)?;
        let at = self.by_work.find(&self.segments, n, Segment::cum_end);
        let segment = self.segments.get(at)?;
        Some(segment.start + (n - segment.cum))
    }
}
