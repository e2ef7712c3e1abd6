//! From a definition to UTC: the dates of each eight years, their spans mapped
//! onto instants, merged, and closures taken out.

use super::hours::{DAY_SECONDS, LocalSpan, Moment};
use super::piece::Piece;
use super::zone::Cursor;
use super::{CalendarDef, CalendarError, HolidayDate, HolidayDef, Zone, ZoneRules};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use std::fmt;
use std::sync::Arc;

/// The first instant that calendars cover.
pub const HORIZON_START: DateTime<Utc> = DateTime::UNIX_EPOCH;
/// The last instant that calendars cover: the end of 2099, in UTC.
pub const HORIZON_END: DateTime<Utc> = match DateTime::from_timestamp(END, 0) {
    Some(end) => end,
    None => DateTime::<Utc>::MAX_UTC,
};

/// 2100-01-01T00:00:00Z.
pub(super) const END: i64 = 4_102_444_800;
/// Civil years of a piece; each has two leap years, so all are equally long.
pub(super) const PIECE_YEARS: usize = 8;
/// Days of a piece.
const PIECE_DAYS: i64 = 8 * 365 + 2;
/// Seconds of a piece.
pub(super) const PIECE_SECONDS: i64 = PIECE_DAYS * DAY_SECONDS as i64;
/// Years from 1970 to 2099.
pub(super) const N_YEARS: usize = 130;
/// Pieces of all years; the last one is cut short.
const N_PIECES: usize = N_YEARS.div_ceil(PIECE_YEARS);
/// The piece that is compiled with the calendar, 2026 to 2033. It warms what
/// most questions are about, and changes no answer.
const FIRST_PIECE: usize = 7;
/// Local days before and after a piece whose spans may reach into it: a zone is
/// at most 26 hours from UTC, and a span ends on the next day at the latest.
const MARGIN_DAYS: i64 = 4;

/// A compiled calendar: working time in UTC. Cheap to clone, and shared by threads.
///
/// Pieces of eight years are compiled when a question first touches them; no
/// answer depends on which were compiled before.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use helpdesk_core::calendar::{BundledZones, Calendar, CalendarDef};
/// let def: CalendarDef = toml::from_str(r#"
///     zone = "Europe/Berlin"
///     [weekly]
///     fri = [["09:00", "17:00"]]
///     mon = [["09:00", "17:00"]]
/// "#)?;
/// let calendar = Calendar::compile(&def, &BundledZones::new())?;
/// let friday_16h: DateTime<Utc> = "2026-11-20T15:00:00Z".parse()?;
/// assert_eq!(calendar.due_at(friday_16h, 3_600)?.to_rfc3339(), "2026-11-20T16:00:00+00:00");
/// assert_eq!(calendar.breach_at(friday_16h, 3_600)?.to_rfc3339(), "2026-11-23T08:00:00+00:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Calendar(Arc<Compiled>);

struct Compiled {
    plan: Plan,
    #[allow(clippy::disallowed_types, reason = "filled once inside a value, no global")]
    pieces: [std::sync::OnceLock<Piece>; N_PIECES],
}

impl Calendar {
    /// Compiles a definition by the rules of its zone.
    ///
    /// # Errors
    ///
    /// [`CalendarError::UnknownZone`] when the rules have no such zone,
    /// [`CalendarError::Invalid`] when the definition has faults, and
    /// [`CalendarError::NeverOpens`] when it has no open second from 1970 to 2099.
    pub fn compile(def: &CalendarDef, zones: &dyn ZoneRules) -> Result<Self, CalendarError> {
        let faults = def.faults();
        if !faults.is_empty() {
            return Err(CalendarError::Invalid { faults });
        }
        let calendar = Self::of(Plan::new(def, zones.zone(&def.zone)?));
        let order = (FIRST_PIECE..N_PIECES).chain(0..FIRST_PIECE);
        let opens = order.into_iter().any(|k| calendar.piece(k).is_some_and(|p| p.total() > 0));
        if opens { Ok(calendar) } else { Err(CalendarError::NeverOpens) }
    }

    /// Open around the clock, every day.
    #[must_use]
    pub fn always() -> Self {
        let weekly = super::WeeklyHours::every_day(&[LocalSpan::DAY]);
        let def = CalendarDef::new("UTC").with_weekly(weekly);
        Self::of(Plan::new(&def, Arc::new(Zone::utc())))
    }

    /// The version of the zone rules it was compiled by, such as `2026e`; empty
    /// for [`Calendar::always`]. A calendar is compiled again when its zone has
    /// newer rules.
    #[must_use]
    pub fn tzdb_version(&self) -> &str {
        self.0.plan.zone.tzdb_version()
    }

    /// The zone on whose wall clock its hours are.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.0.plan.zone
    }

    /// The piece number `k`, compiled now if need be; `None` past the last one.
    pub(super) fn piece(&self, k: usize) -> Option<&Piece> {
        let slot = self.0.pieces.get(k)?;
        match slot.get() {
            Some(piece) => Some(piece),
            None => Some(slot.get_or_init(|| self.0.plan.compile(k))),
        }
    }

    /// The piece number `k`, if it is compiled.
    pub(super) fn known_piece(&self, k: usize) -> Option<&Piece> {
        self.0.pieces.get(k)?.get()
    }

    fn of(plan: Plan) -> Self {
        Self(Arc::new(Compiled { plan, pieces: Default::default() }))
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Calendar({}, {})", self.0.plan.zone.name(), self.tzdb_version())
    }
}

/// Days since 1970-01-01.
type Day = i64;

/// What is off on a day.
#[derive(Debug, Clone, Default)]
enum Off {
    #[default]
    Nothing,
    Parts(Vec<LocalSpan>),
    All,
}

impl Off {
    /// Two holidays of one day: what either takes off is off.
    fn add(&mut self, hours: &[LocalSpan]) {
        match self {
            _ if hours.is_empty() => *self = Self::All,
            Self::Nothing => *self = Self::Parts(hours.to_vec()),
            Self::Parts(parts) => parts.extend_from_slice(hours),
            Self::All => {}
        }
    }
}

/// A definition, ready to be compiled piece by piece.
struct Plan {
    zone: Arc<Zone>,
    /// From Monday.
    weekly: [Vec<LocalSpan>; 7],
    /// Ascending.
    special_days: Vec<(Day, Vec<LocalSpan>)>,
    /// Listed holidays of whole days, those of feeds too: ascending, merged.
    days_off: Vec<(Day, Day)>,
    /// Rules that give one holiday a year, and listed parts of days.
    holidays: Vec<HolidayDef>,
    /// Instants in seconds, ascending, merged.
    closures: Vec<(i64, i64)>,
}

impl Plan {
    fn new(def: &CalendarDef, zone: Arc<Zone>) -> Self {
        let special = def.special_days.iter().map(|(date, spans)| (day_of(*date), spans.clone()));
        let special_days = special.collect();
        let weekly = def.weekly.days().map(|(_, spans)| spans.to_vec());
        let mut days_off = Vec::new();
        let mut holidays = Vec::new();
        for holiday in &def.holidays {
            match holiday.on {
                HolidayDate::Date(date) if holiday.hours.is_empty() => {
                    let first = day_of(holiday.observed.of(date));
                    days_off.push((first, holiday.until.map_or(first, day_of) + 1));
                }
                _ => holidays.push(holiday.clone()),
            }
        }
        let mut closures = Vec::new();
        let mut cursor = zone.cursor();
        let mut add_closure = |from: Moment, to: Moment| {
            let (from, to) = (seconds_of(from, &mut cursor), seconds_of(to, &mut cursor));
            if from < to {
                closures.push((from, to));
            }
        };
        def.closures.iter().for_each(|closure| add_closure(closure.from, closure.to));
        for event in def.feeds.iter().flat_map(super::FeedDef::active_events) {
            match (event.all_day, event.from, event.to) {
                (true, Moment::Local(from), Moment::Local(to)) => {
                    days_off.push((day_of(from.date()), day_of(to.date())));
                }
                (_, from, to) => add_closure(from, to),
            }
        }
        let (days_off, closures) = (merged(days_off), merged(closures));
        Self { zone, weekly, special_days, days_off, holidays, closures }
    }

    /// The open stretches of eight years.
    fn compile(&self, k: usize) -> Piece {
        let start = k as i64 * PIECE_SECONDS;
        let length = PIECE_SECONDS.min(END - start);
        let n_days = (length / i64::from(DAY_SECONDS)) as usize;
        let windows = merged(self.windows(k));
        let open = subtracted(&windows, &self.closures);
        let clipped = open.into_iter().filter_map(|(from, to)| {
            let from = u32::try_from((from - start).clamp(0, length)).ok()?;
            let to = u32::try_from((to - start).clamp(0, length)).ok()?;
            (from < to).then_some((from, to))
        });
        let clipped: Vec<(u32, u32)> = clipped.collect();
        Piece::new(n_days, &clipped)
    }

    /// The spans of all days that may reach into a piece, as instants.
    fn windows(&self, k: usize) -> Vec<(i64, i64)> {
        let first = k as i64 * PIECE_DAYS - MARGIN_DAYS;
        let end = (k as i64 + 1) * PIECE_DAYS + MARGIN_DAYS;
        let days = (first..end).zip(self.holidays(k, first, end));
        let from = self.special_days.partition_point(|(day, _)| *day < first);
        let mut special_days = self.special_days.iter().skip(from).peekable();
        let mut cursor = self.zone.cursor();
        let mut windows = Vec::with_capacity(2 * PIECE_DAYS as usize);
        for (day, off) in days {
            let special = special_days.next_if(|(special, _)| *special == day);
            let usual = &self.weekly[(day + 3).rem_euclid(7) as usize];
            let mut add = |spans: &[LocalSpan]| {
                for span in spans {
                    let (from, to) = instants(day, *span, &mut cursor);
                    if from < to {
                        windows.push((from, to));
                    }
                }
            };
            match (special, off) {
                (Some((_, spans)), _) => add(spans),
                (None, Off::All) => {}
                (None, Off::Nothing) => add(usual),
                (None, Off::Parts(parts)) => {
                    let own = usual.iter().map(|span| instants(day, *span, &mut cursor));
                    let own = merged(own.collect());
                    let parts = parts.iter().map(|span| instants(day, *span, &mut cursor));
                    windows.extend(subtracted(&own, &merged(parts.collect())));
                }
            }
        }
        windows
    }

    /// What is off on each day from one until another.
    fn holidays(&self, k: usize, first: Day, end: Day) -> Vec<Off> {
        let mut days = vec![Off::Nothing; (end - first) as usize];
        let from = self.days_off.partition_point(|off| off.1 <= first);
        for &(from, to) in self.days_off.iter().skip(from).take_while(|off| off.0 < end) {
            let from = (from.max(first) - first) as usize;
            let to = (to.min(end) - first) as usize;
            days[from..to].fill(Off::All);
        }
        // A rule's day may be observed in the next year or the one before.
        let first_year = 1970 + (k * PIECE_YEARS) as i32 - 1;
        for year in first_year..=first_year + PIECE_YEARS as i32 + 1 {
            for holiday in &self.holidays {
                let date = holiday.on.in_year(year).map(|date| holiday.observed.of(date));
                let index = date.and_then(|date| usize::try_from(day_of(date) - first).ok());
                if let Some(off) = index.and_then(|index| days.get_mut(index)) {
                    off.add(&holiday.hours);
                }
            }
        }
        days
    }
}

fn day_of(date: NaiveDate) -> Day {
    i64::from(date.num_days_from_ce()) - 719_163
}

fn seconds_of(moment: Moment, cursor: &mut Cursor<'_>) -> i64 {
    match moment {
        Moment::Local(local) => cursor.first_at_or_after(local.and_utc().timestamp()),
        Moment::Instant(at) => at.timestamp(),
    }
}

/// The instants of a span that belongs to a day.
fn instants(day: Day, span: LocalSpan, cursor: &mut Cursor<'_>) -> (i64, i64) {
    let midnight = day * i64::from(DAY_SECONDS);
    let from = cursor.first_at_or_after(midnight + i64::from(span.open.seconds()));
    let to = cursor.first_at_or_after(midnight + i64::from(span.end_seconds()));
    (from, to)
}

/// The union, ascending; what touches is one.
fn merged(mut windows: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    if !windows.is_sorted() {
        windows.sort_unstable();
    }
    windows.dedup_by(|next, kept| {
        let joins = next.0 <= kept.1;
        if joins {
            kept.1 = kept.1.max(next.1);
        }
        joins
    });
    windows
}

/// What of `windows` lies outside of `closures`; both ascend and are merged.
fn subtracted(windows: &[(i64, i64)], closures: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut open = Vec::with_capacity(windows.len());
    let first = windows.first().map_or(0, |window| window.0);
    let mut next = closures.partition_point(|closure| closure.1 <= first);
    for &(mut from, to) in windows {
        while let Some(&(closed_from, closed_to)) = closures.get(next).filter(|c| c.0 < to) {
            if from < closed_from {
                open.push((from, closed_from));
            }
            from = from.max(closed_to);
            if closed_to > to {
                break;
            }
            next += 1;
        }
        if from < to {
            open.push((from, to));
        }
    }
    open
}
