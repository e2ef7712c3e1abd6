//! Eight years of a calendar: for each week of UTC the working time before it,
//! and which of a few rows of days it is; a day has one of a few patterns of hours.

use super::hours::DAY_SECONDS;
use std::collections::BTreeMap;
use std::hint::select_unpredictable;

/// Buckets of working time at most: some four for each week.
const BUCKETS_MAX: u32 = 2_048;
/// Weeks that begin in one bucket, up to which they are counted; more are bisected.
const STEPS_MAX: u32 = 4;
/// Days of a week.
const N_DAYS: usize = 7;
/// Open stretches of a part of a pattern; few days have more, and none of them
/// is branched on.
const N_SPANS: usize = 4;

/// Open stretches within a day of UTC, in seconds since its start: all of a
/// pattern, or some.
///
/// Signed, as the signs of differences are what is counted.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Hours {
    starts: [i32; N_SPANS],
    lengths: [i32; N_SPANS],
    /// Working time of the day before the end of each.
    ends: [i32; N_SPANS],
    /// Working time of the day before all of them.
    before: i32,
    /// Parts of the pattern, of which the first one counts.
    n_parts: u32,
}

impl Hours {
    /// Stretches that never start, and no working time comes after them.
    const NEVER: Self = Self {
        starts: [i32::MAX; N_SPANS],
        lengths: [0; N_SPANS],
        ends: [i32::MAX; N_SPANS],
        before: 0,
        n_parts: 1,
    };
}

/// Seven days of UTC; the first week starts when the piece does.
#[derive(Debug, Clone, Copy)]
struct Week {
    /// Working time of the piece before it.
    cum: u32,
    row: u16,
    /// The next week with working time, or the one after the last.
    next: u16,
}

/// The days of a week, in one line of memory.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Row {
    /// Working time of the week before each day, and of the whole week.
    cums: [u32; N_DAYS + 1],
    /// Where the hours of each day begin.
    hours: [u32; N_DAYS],
}

/// A working second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Its day of the piece.
    pub(super) day: u32,
    /// Its second of that day.
    pub(super) time: u32,
    /// Whether the second after it is of the same stretch and day.
    pub(super) goes_on: bool,
}

/// A piece of a compiled calendar.
///
/// Weeks share their rows and days their patterns, so a piece takes some 12 KiB
/// whatever the hours of a week. What depends on the question is counted, not
/// branched on: nothing waits for a branch that was predicted wrongly.
#[derive(Debug)]
pub(super) struct Piece {
    /// All that have a day of the piece or the day after it, and one more.
    weeks: Box<[Week]>,
    rows: Box<[Row]>,
    hours: Box<[Hours]>,
    /// For each `1 << shift` seconds of working time the week in which they begin.
    by_work: Box<[u16]>,
    shift: u32,
    /// Weeks with working time that begin within one bucket, at most.
    n_steps: u32,
    total: u32,
}

impl Piece {
    /// `windows` are merged, ascending, and within so many days.
    pub(super) fn new(n_days: usize, windows: &[(u32, u32)]) -> Self {
        let mut build = Build::default();
        let mut next = windows.iter().copied().peekable();
        let mut rest = next.next();
        let mut spans = Vec::new();
        for day in 0..n_days {
            let start = day as u32 * DAY_SECONDS;
            let end = start + DAY_SECONDS;
            spans.clear();
            while let Some((from, to)) = rest.filter(|window| window.0 < end) {
                spans.push((from.max(start) - start, to.min(end) - start));
                if to > end {
                    break;
                }
                rest = next.next();
            }
            build.day(&spans);
        }
        build.finish()
    }

    /// Working seconds of the whole piece.
    #[inline]
    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// Working seconds before a second of a day; `None` past the day after the piece.
    #[inline(always)]
    pub(super) fn work_before(&self, day: u32, time: u32) -> Option<u32> {
        let (week, row) = self.week(day as usize / N_DAYS)?;
        let i = day as usize % N_DAYS;
        let time = time as i32;
        let hours = self.part(row.hours[i], |part| part.starts[0] <= time)?;
        let spans = hours.starts.iter().zip(&hours.lengths);
        let passed: i32 = spans.map(|(start, length)| (time - start).max(0).min(*length)).sum();
        Some(week.cum + row.cums[i] + (hours.before + passed) as u32)
    }

    /// The working second number `n`, the first being 0; `None` when the piece
    /// has fewer.
    #[inline(always)]
    pub(super) fn nth_second(&self, n: u32) -> Option<Found> {
        let i = self.week_of_work(n)?;
        let (week, row) = self.week(i)?;
        let n = n - week.cum;
        // The sign of each difference; both are less than a week.
        let n_later: u32 = row.cums.iter().map(|cum| n.wrapping_sub(*cum) >> 31).sum();
        let of_week = N_DAYS.checked_sub(n_later as usize)?;
        let n = (n - row.cums.get(of_week)?) as i32;
        let hours = self.part(*row.hours.get(of_week)?, |part| part.before <= n)?;
        let n_later: u32 = hours.ends.iter().map(|end| (n - end) as u32 >> 31).sum();
        let span = N_SPANS.checked_sub(n_later as usize)?;
        let left = hours.ends.get(span)? - n;
        let time = hours.starts.get(span)? + hours.lengths.get(span)? - left;
        let day = (i * N_DAYS + of_week) as u32;
        Some(Found { day, time: time as u32, goes_on: left > 1 })
    }

    /// Where the open stretch ends in which a second of a day lies, in seconds
    /// of the piece; `None` when it is not open. An end at the end of the piece
    /// may be none.
    pub(super) fn open_until(&self, day: u32, time: u32) -> Option<u32> {
        let end = self.open_until_of_day(day, time)?;
        if end < DAY_SECONDS {
            return Some(day * DAY_SECONDS + end);
        }
        // Whole open days follow as long as as much is worked as time passes.
        let first = day + 1;
        let cum = self.work_before(first, 0)?;
        let is_whole = |n: u32| self.work_before(first + n, 0) == Some(cum + n * DAY_SECONDS);
        let n_known = (self.weeks.len().saturating_sub(1) * N_DAYS) as u32;
        let (mut n_whole, mut n_days) = (0, n_known.saturating_sub(first + 1));
        while n_whole < n_days {
            let middle = (n_whole + n_days).div_ceil(2);
            if is_whole(middle) {
                n_whole = middle;
            } else {
                n_days = middle - 1;
            }
        }
        let last = first + n_whole;
        Some(last * DAY_SECONDS + self.open_until_of_day(last, 0).unwrap_or(0))
    }

    /// Where the open stretch of a day ends in which a second of it lies.
    fn open_until_of_day(&self, day: u32, time: u32) -> Option<u32> {
        let (_, row) = self.week(day as usize / N_DAYS)?;
        let time = time as i32;
        let first = row.hours[day as usize % N_DAYS];
        let hours = self.part(first, |part| part.starts[0] <= time)?;
        let mut spans = hours.starts.iter().zip(&hours.lengths);
        let is_open = |span: &(&i32, &i32)| (0..*span.1).contains(&(time - span.0));
        spans.find(is_open).map(|(start, length)| (start + length) as u32)
    }

    #[inline(always)]
    fn week(&self, i: usize) -> Option<(&Week, &Row)> {
        let week = self.weeks.get(i)?;
        Some((week, self.rows.get(usize::from(week.row))?))
    }

    /// Of the pattern that begins somewhere the last part that is reached; of
    /// nearly all the only one.
    #[inline(always)]
    fn part(&self, first: u32, is_reached: impl Fn(&Hours) -> bool) -> Option<&Hours> {
        let hours = self.hours.get(first as usize)?;
        if hours.n_parts == 1 { Some(hours) } else { self.last_part(first, is_reached) }
    }

    #[cold]
    #[inline(never)]
    fn last_part(&self, first: u32, is_reached: impl Fn(&Hours) -> bool) -> Option<&Hours> {
        let parts = parts_of(&self.hours, first);
        parts.get(parts.partition_point(is_reached).saturating_sub(1))
    }

    /// The week in which a working second lies.
    #[inline(always)]
    fn week_of_work(&self, n: u32) -> Option<usize> {
        let bucket = (n >> self.shift) as usize;
        let mut week = usize::from(*self.by_work.get(bucket)?);
        if self.n_steps > STEPS_MAX {
            let later = self.weeks.get(week + 1..)?;
            return Some(week + later.partition_point(|week| week.cum <= n));
        }
        for _ in 0..self.n_steps {
            let next = usize::from(self.weeks.get(week)?.next);
            let is_passed = self.weeks.get(next)?.cum <= n;
            week = select_unpredictable(is_passed, next, week);
        }
        Some(week)
    }
}

/// The parts of the pattern that begins somewhere.
fn parts_of(hours: &[Hours], first: u32) -> &[Hours] {
    let first = first as usize;
    let n_parts = hours.get(first).map_or(0, |hours| hours.n_parts as usize);
    hours.get(first..first + n_parts).unwrap_or_default()
}

/// A piece in the making.
#[derive(Default)]
struct Build {
    /// Where the hours of each day begin.
    days: Vec<u32>,
    hours: Vec<Hours>,
    known: BTreeMap<Vec<(u32, u32)>, u32>,
    /// The spans of the last seven days.
    last: [Vec<(u32, u32)>; N_DAYS],
}

impl Build {
    /// Adds the next day.
    fn day(&mut self, spans: &[(u32, u32)]) {
        let n_days = self.days.len();
        let usual = n_days.checked_sub(N_DAYS).and_then(|i| self.days.get(i)).copied();
        let last = &mut self.last[n_days % N_DAYS];
        // Most days are as the one a week before.
        let first = match usual {
            Some(first) if last == spans => first,
            _ => {
                spans.clone_into(last);
                self.pattern(spans)
            }
        };
        self.days.push(first);
    }

    /// Where the hours of a pattern begin.
    fn pattern(&mut self, spans: &[(u32, u32)]) -> u32 {
        if let Some(first) = self.known.get(spans) {
            return *first;
        }
        let first = self.hours.len() as u32;
        let n_parts = spans.len().div_ceil(N_SPANS).max(1) as u32;
        let mut cum = 0;
        let mut parts = spans.chunks(N_SPANS);
        for _ in 0..n_parts {
            let mut hours = Hours { before: cum, n_parts, ..Hours::NEVER };
            for (i, (from, to)) in parts.next().unwrap_or_default().iter().enumerate() {
                let length = (to - from) as i32;
                cum += length;
                hours.starts[i] = *from as i32;
                hours.lengths[i] = length;
                hours.ends[i] = cum;
            }
            self.hours.push(hours);
        }
        self.known.insert(spans.to_vec(), first);
        first
    }

    fn finish(mut self) -> Piece {
        let closed = self.pattern(&[]);
        self.days.push(closed);
        self.days.resize(self.days.len().next_multiple_of(N_DAYS), closed);
        let (weeks, rows, total) = self.weeks();
        let mut shift = 0;
        while total >> shift >= BUCKETS_MAX {
            shift += 1;
        }
        let (by_work, n_steps) = buckets(&weeks, total, shift);
        Piece {
            weeks: weeks.into_boxed_slice(),
            rows: rows.into_boxed_slice(),
            hours: self.hours.into_boxed_slice(),
            by_work: by_work.into_boxed_slice(),
            shift,
            n_steps,
            total,
        }
    }

    /// The weeks and one after them, their rows, and the working time of all.
    fn weeks(&self) -> (Vec<Week>, Vec<Row>, u32) {
        let (mut weeks, mut rows) = (Vec::<Week>::new(), Vec::<Row>::new());
        let mut known = BTreeMap::new();
        let mut total = 0;
        for days in self.days.as_chunks::<N_DAYS>().0 {
            // Most weeks are as the one before; a piece has fewer than a u16 counts.
            let last = weeks.last().map(|week| week.row);
            let is_usual =
                |row: &u16| rows.get(usize::from(*row)).is_some_and(|row| row.hours == *days);
            let row = last.filter(is_usual).unwrap_or_else(|| {
                *known.entry(days).or_insert_with(|| {
                    rows.push(self.row(*days));
                    (rows.len() - 1) as u16
                })
            });
            weeks.push(Week { cum: total, row, next: 0 });
            total += rows.get(usize::from(row)).map_or(0, |row| row.cums[N_DAYS]);
        }
        let mut next = weeks.len() as u16;
        let mut end = total;
        for (i, week) in (0..next).zip(&mut weeks).rev() {
            week.next = next;
            if week.cum < end {
                (next, end) = (i, week.cum);
            }
        }
        weeks.push(Week { cum: u32::MAX, row: 0, next: 0 });
        (weeks, rows, total)
    }

    fn row(&self, hours: [u32; N_DAYS]) -> Row {
        let mut cum = 0;
        let mut cums = [0; N_DAYS + 1];
        for (first, end) in hours.iter().zip(cums.iter_mut().skip(1)) {
            let parts = parts_of(&self.hours, *first).iter();
            cum += parts.flat_map(|part| part.lengths).sum::<i32>() as u32;
            *end = cum;
        }
        Row { cums, hours }
    }
}

/// The week in which each `1 << shift` seconds of working time begin, and how
/// many more with working time begin before the next ones, at most.
fn buckets(weeks: &[Week], total: u32, shift: u32) -> (Vec<u16>, u32) {
    let mut by_work: Vec<u16> = Vec::with_capacity((total >> shift) as usize + 1);
    let (mut n_steps, mut n_later) = (0, 0);
    let ends = weeks.iter().skip(1).map(|week| week.cum.min(total));
    let open = (0_u16..).zip(weeks).zip(ends).filter(|((_, week), end)| week.cum < *end);
    for ((i, week), end) in open {
        if u64::from(week.cum) < (by_work.len() as u64) << shift {
            n_later += 1;
            n_steps = n_steps.max(n_later);
        }
        while (by_work.len() as u64) << shift < u64::from(end) {
            by_work.push(i);
            n_later = 0;
        }
    }
    (by_work, n_steps)
}
