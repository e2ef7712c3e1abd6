//! Questions to a compiled calendar. None walks over time: each looks up one or
//! two places, and passes whole pieces by their sums.

use super::compiled::{Calendar, END, PIECE_SECONDS};
use super::error::CalendarError;
use super::piece::Piece;
use super::zone::instant;
use chrono::{DateTime, Utc};

const HORIZON: CalendarError = CalendarError::Horizon;

/// An open stretch, half-open.
pub type Window = (DateTime<Utc>, DateTime<Utc>);

/// A spot in working time: `work` working seconds after the start of a piece.
#[derive(Debug, Clone, Copy)]
struct Spot {
    piece: usize,
    work: i64,
}

impl Calendar {
    /// Working seconds from one instant until another; negative when they are
    /// the other way round. Both are cut to their second.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when either lies outside of 1970 to 2099.
    pub fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<i64, CalendarError> {
        let (from, to) = (self.spot(from).ok_or(HORIZON)?, self.spot(to).ok_or(HORIZON)?);
        let work = to.work - from.work;
        match to.piece.cmp(&from.piece) {
            std::cmp::Ordering::Equal => Ok(work),
            std::cmp::Ordering::Greater => Ok(work + self.totals(from.piece, to.piece)),
            std::cmp::Ordering::Less => Ok(work - self.totals(to.piece, from.piece)),
        }
    }

    /// The earliest instant, `start` or later, at which `seconds` of working
    /// time have passed since `start`.
    ///
    /// `start` itself when `seconds` is 0 or less. Hours are half-open: a target
    /// used up exactly at closing is due at closing; [`Calendar::breach_at`] is
    /// the latest such instant, the next opening. Source: spec/sla.md, "The
    /// calendar rule".
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when `start` or the answer lies outside of
    /// 1970 to 2099.
    pub fn due_at(
        &self,
        start: DateTime<Utc>,
        seconds: i64,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let spot = self.spot(start).ok_or(HORIZON)?;
        if seconds <= 0 {
            return Ok(instant(start.timestamp()));
        }
        let last = self.nth_second(spot, seconds - 1).ok_or(HORIZON)?;
        Ok(instant(last + 1))
    }

    /// The latest instant at which no more than `seconds` of working time have
    /// passed since `start`.
    ///
    /// Where the time is used up exactly at closing this is the next opening.
    /// A negative number asks for the latest instant at which so much was still
    /// to pass until `start`, as [`Calendar::sub_latest`] does.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when `start` or the answer lies outside of
    /// 1970 to 2099; so when nothing opens any more.
    pub fn breach_at(
        &self,
        start: DateTime<Utc>,
        seconds: i64,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let spot = self.spot(start).ok_or(HORIZON)?;
        self.nth_second(spot, seconds).map(instant).ok_or(HORIZON)
    }

    /// [`Calendar::due_at`] and [`Calendar::breach_at`] together, for less.
    ///
    /// The second is `None` when nothing opens any more after the first.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when `start` or the first lies outside of
    /// 1970 to 2099.
    pub fn deadlines(
        &self,
        start: DateTime<Utc>,
        seconds: i64,
    ) -> Result<(DateTime<Utc>, Option<DateTime<Utc>>), CalendarError> {
        let spot = self.spot(start).ok_or(HORIZON)?;
        let due_at = match seconds {
            ..=0 => start.timestamp(),
            _ => self.nth_second(spot, seconds - 1).ok_or(HORIZON)? + 1,
        };
        let breach_at = self.nth_second(spot, seconds);
        // Within hours, as nearly always, both are one instant.
        let due = instant(due_at);
        let breach = breach_at.map(|at| if at == due_at { due } else { instant(at) });
        Ok((due, breach))
    }

    /// The latest instant, `end` or earlier, from which `seconds` of working
    /// time pass until `end`: the mirror of [`Calendar::due_at`].
    ///
    /// `end` itself when `seconds` is 0 or less.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when `end` or the answer lies outside of 1970
    /// to 2099.
    pub fn sub_latest(
        &self,
        end: DateTime<Utc>,
        seconds: i64,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let spot = self.spot(end).ok_or(HORIZON)?;
        if seconds <= 0 {
            return Ok(instant(end.timestamp()));
        }
        self.nth_second(spot, -seconds).map(instant).ok_or(HORIZON)
    }

    /// The earliest instant from which no more than `seconds` of working time
    /// pass until `end`: the mirror of [`Calendar::breach_at`].
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when `end` or the answer lies outside of 1970
    /// to 2099; so when nothing was open before.
    pub fn sub_earliest(
        &self,
        end: DateTime<Utc>,
        seconds: i64,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let spot = self.spot(end).ok_or(HORIZON)?;
        let back = seconds.checked_neg().and_then(|n| n.checked_sub(1));
        let before = self.nth_second(spot, back.ok_or(HORIZON)?).ok_or(HORIZON)?;
        Ok(instant(before + 1))
    }

    /// Whether the second that begins at `at` is working time.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when it lies outside of 1970 to 2099.
    pub fn is_open(&self, at: DateTime<Utc>) -> Result<bool, CalendarError> {
        let (k, offset) = place(at.timestamp()).ok_or(HORIZON)?;
        if at.timestamp() >= END {
            return Err(HORIZON);
        }
        let piece = self.piece(k).ok_or(HORIZON)?;
        Ok(piece.open_until(offset).is_some())
    }

    /// `at` when it is open, else the next opening.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when there is none up to the end of 2099.
    pub fn next_open(&self, at: DateTime<Utc>) -> Result<DateTime<Utc>, CalendarError> {
        self.breach_at(at, 0)
    }

    /// The first closing strictly after `at`.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when there is none up to the end of 2099.
    pub fn next_close(&self, at: DateTime<Utc>) -> Result<DateTime<Utc>, CalendarError> {
        let open = self.next_open(at)?.timestamp();
        self.close_after(open).map(instant).ok_or(HORIZON)
    }

    /// The latest instant, `at` or earlier, with an open second just before it:
    /// `at` itself within hours, else the last closing.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when nothing was open since 1970.
    pub fn prev_close(&self, at: DateTime<Utc>) -> Result<DateTime<Utc>, CalendarError> {
        self.sub_earliest(at, 0)
    }

    /// The open stretches from one instant until another, merged and clipped to them.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when either lies outside of 1970 to 2099.
    pub fn windows(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Window>, CalendarError> {
        let _ = (place(from.timestamp()).ok_or(HORIZON)?, place(to.timestamp()).ok_or(HORIZON)?);
        let (mut at, to) = (from.timestamp(), to.timestamp());
        let mut windows = Vec::new();
        // Each round is one window.
        while let Some(opens) = self.spot(instant(at)).and_then(|spot| self.nth_second(spot, 0)) {
            if opens >= to {
                break;
            }
            let closes = self.close_after(opens).unwrap_or(END);
            windows.push((instant(opens), instant(closes.min(to))));
            at = closes;
        }
        Ok(windows)
    }

    /// The closing of the stretch in which an open second lies; `None` when it
    /// lasts beyond the horizon.
    fn close_after(&self, open: i64) -> Option<i64> {
        let (mut k, mut offset) = place(open)?;
        // A stretch may run through several pieces, whole ones too.
        loop {
            let start = k as i64 * PIECE_SECONDS;
            let Some(end) = self.piece(k)?.open_until(offset) else { return Some(start) };
            let end = start + i64::from(end);
            if end >= END {
                return None;
            }
            if end < start + PIECE_SECONDS {
                return Some(end);
            }
            (k, offset) = (k + 1, 0);
        }
    }

    /// The spot in working time of an instant.
    fn spot(&self, at: DateTime<Utc>) -> Option<Spot> {
        let (k, offset) = place(at.timestamp())?;
        Some(Spot { piece: k, work: self.piece(k)?.work_before(offset) })
    }

    /// When the working second `n` after a spot begins; before it when negative.
    fn nth_second(&self, spot: Spot, n: i64) -> Option<i64> {
        let mut k = spot.piece;
        let mut work = spot.work.checked_add(n)?;
        while work < 0 {
            k = k.checked_sub(1)?;
            work += self.piece(k)?.total();
        }
        loop {
            let piece = self.piece(k)?;
            if let Some(offset) = piece.nth_second(work) {
                return Some(k as i64 * PIECE_SECONDS + i64::from(offset));
            }
            work -= piece.total();
            k += 1;
        }
    }

    /// The working seconds of the pieces from one until another.
    fn totals(&self, from: usize, to: usize) -> i64 {
        (from..to).filter_map(|k| self.piece(k)).map(Piece::total).sum()
    }
}

/// The piece of a second, and the seconds since the piece's start.
fn place(seconds: i64) -> Option<(usize, u32)> {
    if !(0..=END).contains(&seconds) {
        return None;
    }
    let k = usize::try_from(seconds / PIECE_SECONDS).ok()?;
    Some((k, u32::try_from(seconds % PIECE_SECONDS).ok()?))
}
