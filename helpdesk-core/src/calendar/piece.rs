//! Eight years of a calendar: for each day of UTC the working time before it,
//! and which of a few patterns of hours it has.

use super::hours::DAY_SECONDS;
use std::collections::BTreeMap;

/// Entries up to which a list is walked; longer ones are bisected.
const WALK_MAX: usize = 8;
/// Buckets of working time at most: one or two for each open day.
const BUCKETS_MAX: u32 = 4_096;

/// One open stretch within a day of UTC, in seconds since its start.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    length: u32,
    /// Working time of the day before it.
    cum: u32,
}

impl Span {
    fn cum_end(self) -> u32 {
        self.cum + self.length
    }
}

/// A day of UTC.
#[derive(Debug, Clone, Copy)]
struct Day {
    /// Working time of the piece before it.
    cum: u32,
    pattern: u32,
}

/// A piece of a compiled calendar.
///
/// Days share their patterns, so a question touches two or three lines of
/// memory, and a piece takes some 30 KiB whatever the hours of a week.
#[derive(Debug)]
pub(super) struct Piece {
    /// One for each day, and one after them.
    days: Box<[Day]>,
    /// Where each pattern lies in `spans`.
    patterns: Box<[(u32, u32)]>,
    spans: Box<[Span]>,
    /// For each `1 << shift` seconds of working time the day in which they begin.
    by_work: Box<[u16]>,
    shift: u32,
    total: u32,
}

impl Piece {
    /// `windows` are merged, ascending, and within so many days.
    pub(super) fn new(n_days: usize, windows: &[(u32, u32)]) -> Self {
        let mut build = Build::default();
        let mut next = windows.iter().copied().peekable();
        let mut rest = next.next();
        let mut hours = Vec::new();
        for day in 0..n_days {
            let start = day as u32 * DAY_SECONDS;
            let end = start + DAY_SECONDS;
            hours.clear();
            while let Some((from, to)) = rest.filter(|window| window.0 < end) {
                hours.push((from.max(start) - start, to.min(end) - start));
                if to > end {
                    break;
                }
                rest = next.next();
            }
            build.day(&hours);
        }
        build.finish()
    }

    /// Working seconds of the whole piece.
    pub(super) fn total(&self) -> i64 {
        i64::from(self.total)
    }

    /// Working seconds before a second.
    pub(super) fn work_before(&self, at: u32) -> i64 {
        let (day, time) = (at / DAY_SECONDS, at % DAY_SECONDS);
        let Some(day) = self.days.get(day as usize) else { return self.total() };
        let spans = self.spans_of(*day);
        if spans.len() > WALK_MAX {
            let passed = spans.partition_point(|span| span.start <= time);
            let last = passed.checked_sub(1).and_then(|i| spans.get(i));
            return i64::from(day.cum + last.map_or(0, |span| span.cum + passed_of(*span, time)));
        }
        let of_day: u32 = spans.iter().map(|span| passed_of(*span, time)).sum();
        i64::from(day.cum + of_day)
    }

    /// When the working second number `n` begins, the first being 0; `None`
    /// when the piece has fewer.
    pub(super) fn nth_second(&self, n: i64) -> Option<u32> {
        let n = u32::try_from(n).ok().filter(|n| *n < self.total)?;
        let i = self.day_of_work(n);
        let day = self.days.get(i)?;
        let spans = self.spans_of(*day);
        let n = n - day.cum;
        let passed = match spans.len() {
            ..=WALK_MAX => spans.iter().filter(|span| span.cum_end() <= n).count(),
            _ => spans.partition_point(|span| span.cum_end() <= n),
        };
        let span = spans.get(passed)?;
        Some(i as u32 * DAY_SECONDS + span.start + (n - span.cum))
    }

    /// Where the open stretch ends in which a second lies; `None` when it is
    /// not open. An end at the end of the piece may be none.
    pub(super) fn open_until(&self, at: u32) -> Option<u32> {
        let (i, time) = ((at / DAY_SECONDS) as usize, at % DAY_SECONDS);
        let spans = self.spans_of(*self.days.get(i)?);
        let passed = spans.partition_point(|span| span.start <= time);
        let span = spans.get(passed.checked_sub(1)?)?;
        let end = span.start + span.length;
        if end <= time {
            return None;
        }
        if end < DAY_SECONDS {
            return Some(at - time + end);
        }
        // Whole open days follow as long as as much is worked as time passes.
        let later = self.days.get(i + 1..).unwrap_or_default();
        let cum = later.first().map_or(self.total, |day| day.cum);
        let mut n_whole = 0;
        let mut n_days = later.len();
        while n_whole < n_days {
            let middle = (n_whole + n_days).div_ceil(2);
            let is_whole =
                later.get(middle).is_some_and(|day| day.cum - cum == middle as u32 * DAY_SECONDS);
            if is_whole {
                n_whole = middle;
            } else {
                n_days = middle - 1;
            }
        }
        let start = (i + 1 + n_whole) as u32 * DAY_SECONDS;
        let first = later.get(n_whole).and_then(|day| self.spans_of(*day).first());
        let more = first.filter(|span| span.start == 0).map_or(0, |span| span.length);
        Some(start + more)
    }

    fn spans_of(&self, day: Day) -> &[Span] {
        let (from, to) = self.patterns.get(day.pattern as usize).copied().unwrap_or_default();
        self.spans.get(from as usize..to as usize).unwrap_or_default()
    }

    /// The day in which a working second lies.
    fn day_of_work(&self, n: u32) -> usize {
        let bucket = (n >> self.shift) as usize;
        let from = self.by_work.get(bucket).map_or(0, |day| usize::from(*day));
        let last = self.days.len().saturating_sub(1);
        let to = self.by_work.get(bucket + 1).map_or(last, |day| usize::from(*day));
        let ends = self.days.get(from + 1..=to).unwrap_or_default();
        if ends.len() > WALK_MAX {
            return from + ends.partition_point(|day| day.cum <= n);
        }
        from + ends.iter().take_while(|day| day.cum <= n).count()
    }
}

/// Seconds of a span that have passed at a time of its day.
fn passed_of(span: Span, time: u32) -> u32 {
    time.saturating_sub(span.start).min(span.length)
}

/// A piece in the making.
#[derive(Default)]
struct Build {
    days: Vec<Day>,
    patterns: Vec<(u32, u32)>,
    spans: Vec<Span>,
    known: BTreeMap<Vec<(u32, u32)>, u32>,
    total: u32,
}

impl Build {
    /// Adds the next day, open for `hours`.
    fn day(&mut self, hours: &[(u32, u32)]) {
        // Most days are as the one a week before.
        let usual = self.days.len().checked_sub(7).and_then(|i| self.days.get(i));
        let usual = usual.map(|day| day.pattern).filter(|pattern| self.is(*pattern, hours));
        let pattern = usual.unwrap_or_else(|| self.pattern(hours));
        self.days.push(Day { cum: self.total, pattern });
        self.total += hours.iter().map(|(from, to)| to - from).sum::<u32>();
    }

    fn is(&self, pattern: u32, hours: &[(u32, u32)]) -> bool {
        let (from, to) = self.patterns.get(pattern as usize).copied().unwrap_or_default();
        let spans = self.spans.get(from as usize..to as usize).unwrap_or_default();
        let spans = spans.iter().map(|span| (span.start, span.start + span.length));
        spans.eq(hours.iter().copied())
    }

    fn pattern(&mut self, hours: &[(u32, u32)]) -> u32 {
        if let Some(pattern) = self.known.get(hours) {
            return *pattern;
        }
        let first = self.spans.len() as u32;
        let mut cum = 0;
        for &(start, end) in hours {
            self.spans.push(Span { start, length: end - start, cum });
            cum += end - start;
        }
        let pattern = self.patterns.len() as u32;
        self.patterns.push((first, self.spans.len() as u32));
        self.known.insert(hours.to_vec(), pattern);
        pattern
    }

    fn finish(mut self) -> Piece {
        let none = self.pattern(&[]);
        self.days.push(Day { cum: self.total, pattern: none });
        let mut shift = 0;
        while self.total >> shift >= BUCKETS_MAX {
            shift += 1;
        }
        let n_buckets = (self.total >> shift) as usize + 1;
        let mut by_work = Vec::with_capacity(n_buckets + 1);
        // A piece has fewer days than a u16 counts.
        for (i, end) in (0_u16..).zip(self.days.iter().skip(1)) {
            while by_work.len() < n_buckets && (by_work.len() as u64) << shift < u64::from(end.cum)
            {
                by_work.push(i);
            }
        }
        Piece {
            days: self.days.into_boxed_slice(),
            patterns: self.patterns.into_boxed_slice(),
            spans: self.spans.into_boxed_slice(),
            by_work: by_work.into_boxed_slice(),
            shift,
            total: self.total,
        }
    }
}
