//! Questions to a compiled calendar. None walks over time: each looks up one or
//! two places, and passes whole pieces by their sums.

use super::compiled::{Calendar, END, N_PIECES, PIECE_SECONDS};
use super::error::CalendarError;
use super::zone::instant;
use chrono::{DateTime, Utc};

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
        let (from, to) = (self.spot(from)?, self.spot(to)?);
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
        let spot = self.spot(start)?;
        if seconds <= 0 {
            return Ok(instant(start.timestamp()));
        }
        Ok(instant(self.nth_second(spot, seconds - 1)? + 1))
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
        let spot = self.spot(start)?;
        Ok(instant(self.nth_second(spot, seconds)?))
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
        let spot = self.spot(end)?;
        if seconds <= 0 {
            return Ok(instant(end.timestamp()));
        }
        let back = seconds.checked_neg().ok_or(CalendarError::Horizon)?;
        Ok(instant(self.nth_second(spot, back)?))
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
        let spot = self.spot(end)?;
        let back = seconds.checked_neg().and_then(|n| n.checked_sub(1));
        let back = back.ok_or(CalendarError::Horizon)?;
        Ok(instant(self.nth_second(spot, back)? + 1))
    }

    /// Whether the second that begins at `at` is working time.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when it lies outside of 1970 to 2099.
    pub fn is_open(&self, at: DateTime<Utc>) -> Result<bool, CalendarError> {
        let seconds = at.timestamp();
        let (k, offset) = place(seconds)?;
        if seconds >= END {
            return Err(CalendarError::Horizon);
        }
        let piece = self.piece(k).ok_or(CalendarError::Horizon)?;
        let segment = piece.segments().get(piece.segment_after(offset));
        Ok(segment.is_some_and(|segment| segment.start <= offset))
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
        let (first, offset) = place(at.timestamp())?;
        let mut at_end_of_piece = false;
        for k in first..N_PIECES {
            let Some(piece) = self.piece(k) else { break };
            let i = if k == first { piece.segment_after(offset) } else { 0 };
            let start = k as i64 * PIECE_SECONDS;
            let segment = piece.segments().get(i);
            if at_end_of_piece && segment.is_none_or(|segment| segment.start > 0) {
                return Ok(instant(start));
            }
            let Some(segment) = segment else { continue };
            let end = start + i64::from(segment.end);
            at_end_of_piece = i64::from(segment.end) == PIECE_SECONDS || end == END;
            if !at_end_of_piece {
                return Ok(instant(end));
            }
        }
        Err(CalendarError::Horizon)
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
    ) -> Result<Vec<(DateTime<Utc>, DateTime<Utc>)>, CalendarError> {
        let ((first, first_offset), (last, last_offset)) =
            (place(from.timestamp())?, place(to.timestamp())?);
        let mut windows: Vec<(i64, i64)> = Vec::new();
        for k in first..=last {
            let piece = self.piece(k).ok_or(CalendarError::Horizon)?;
            let start = k as i64 * PIECE_SECONDS;
            let lowest = if k == first { first_offset } else { 0 };
            let highest = if k == last { last_offset } else { u32::MAX };
            let segments = piece.segments().iter().skip(piece.segment_after(lowest));
            for segment in segments.take_while(|segment| segment.start < highest) {
                let opens = start + i64::from(segment.start.max(lowest));
                let closes = start + i64::from(segment.end.min(highest));
                match windows.last_mut() {
                    Some(before) if before.1 == opens => before.1 = closes,
                    _ if opens < closes => windows.push((opens, closes)),
                    _ => {}
                }
            }
        }
        Ok(windows.into_iter().map(|(from, to)| (instant(from), instant(to))).collect())
    }

    /// The spot in working time of an instant.
    fn spot(&self, at: DateTime<Utc>) -> Result<Spot, CalendarError> {
        let (k, offset) = place(at.timestamp())?;
        let piece = self.piece(k).ok_or(CalendarError::Horizon)?;
        Ok(Spot { piece: k, work: piece.work_before(offset) })
    }

    /// When the working second `n` after a spot begins; before it when negative.
    fn nth_second(&self, spot: Spot, n: i64) -> Result<i64, CalendarError> {
        let mut k = spot.piece;
        let mut work = spot.work.checked_add(n).ok_or(CalendarError::Horizon)?;
        while work < 0 {
            k = k.checked_sub(1).ok_or(CalendarError::Horizon)?;
            work += self.piece(k).ok_or(CalendarError::Horizon)?.total();
        }
        loop {
            let piece = self.piece(k).ok_or(CalendarError::Horizon)?;
            if let Some(offset) = piece.nth_second(work) {
                return Ok(k as i64 * PIECE_SECONDS + i64::from(offset));
            }
            work -= piece.total();
            k += 1;
        }
    }

    /// The working seconds of the pieces from one until another.
    fn totals(&self, from: usize, to: usize) -> i64 {
        (from..to).filter_map(|k| self.piece(k)).map(|piece| piece.total()).sum()
    }
}

/// The piece of a second, and the seconds since the piece's start.
fn place(seconds: i64) -> Result<(usize, u32), CalendarError> {
    if !(0..=END).contains(&seconds) {
        return Err(CalendarError::Horizon);
    }
    let (k, offset) = (seconds / PIECE_SECONDS, seconds % PIECE_SECONDS);
    match (usize::try_from(k), u32::try_from(offset)) {
        (Ok(k), Ok(offset)) => Ok((k, offset)),
        _ => Err(CalendarError::Horizon),
    }
}
