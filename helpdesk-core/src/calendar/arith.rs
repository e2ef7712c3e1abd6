//! Questions to a compiled calendar. None walks over time: each looks up one or
//! two places, and passes whole pieces by their sums.

use super::compiled::{Calendar, END, PIECE_SECONDS};
use super::error::CalendarError;
use super::piece::Piece;
use super::place::Place;
use super::zone::instant;
use chrono::{DateTime, Utc};
use std::cmp::Ordering;
use std::hint::select_unpredictable;

/// Pieces that a long duration may pass without a branch.
const N_COUNTED: usize = 4;
const HORIZON: CalendarError = CalendarError::Horizon;

/// An open stretch, half-open.
pub type Window = (DateTime<Utc>, DateTime<Utc>);

/// A spot in working time: `work` working seconds after the start of a piece.
#[derive(Clone, Copy)]
struct Spot<'a> {
    /// The number of the piece.
    k: usize,
    piece: &'a Piece,
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
        let (Some(from), Some(to)) = (self.spot(from), self.spot(to)) else { return Err(HORIZON) };
        let work = to.work - from.work;
        match to.k.cmp(&from.k) {
            Ordering::Equal => Ok(work),
            Ordering::Greater => Ok(work + self.totals(from.k, to.k)),
            Ordering::Less => Ok(work - self.totals(to.k, from.k)),
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
        let Some(spot) = self.spot(start) else { return Err(HORIZON) };
        if seconds <= 0 {
            return Ok(whole(start));
        }
        within(self.nth_second(spot, seconds - 1).and_then(|(last, _)| last.next().instant()))
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
        let Some(spot) = self.spot(start) else { return Err(HORIZON) };
        within(self.nth_second(spot, seconds).and_then(|(second, _)| second.instant()))
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
        let Some(spot) = self.spot(start) else { return Err(HORIZON) };
        let breach = || self.nth_second(spot, seconds)?.0.instant();
        if seconds <= 0 {
            return Ok((whole(start), breach()));
        }
        let due = self.nth_second(spot, seconds - 1);
        within(due.and_then(|(last, goes_on)| {
            let due = last.next().instant()?;
            // Within hours, as nearly always, both are one instant.
            Some((due, if goes_on { Some(due) } else { breach() }))
        }))
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
        let Some(spot) = self.spot(end) else { return Err(HORIZON) };
        if seconds <= 0 {
            return Ok(whole(end));
        }
        within(self.nth_second(spot, -seconds).and_then(|(second, _)| second.instant()))
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
        let Some(spot) = self.spot(end) else { return Err(HORIZON) };
        let back = seconds.checked_neg().and_then(|n| n.checked_sub(1));
        let before = back.and_then(|n| self.nth_second(spot, n));
        within(before.and_then(|(before, _)| before.next().instant()))
    }

    /// Whether the second that begins at `at` is working time.
    ///
    /// # Errors
    ///
    /// [`CalendarError::Horizon`] when it lies outside of 1970 to 2099.
    pub fn is_open(&self, at: DateTime<Utc>) -> Result<bool, CalendarError> {
        let place = Place::of(at).filter(|place| place.seconds() < END);
        let piece = place.and_then(|place| Some((place, self.piece(place.piece)?)));
        within(piece.map(|(place, piece)| piece.open_until(place.day, place.time).is_some()))
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
        let open = self.spot(at).and_then(|spot| self.nth_second(spot, 0));
        within(open.and_then(|(open, _)| self.close_after(open)).map(instant))
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
        let (Some(mut spot), Some(to)) = (self.spot(from), Place::of(to)) else {
            return Err(HORIZON);
        };
        let to = to.seconds();
        let mut windows = Vec::new();
        // Each round is one window.
        while let Some((opens, _)) = self.nth_second(spot, 0).filter(|opens| opens.0.seconds() < to)
        {
            let closes = instant(self.close_after(opens).unwrap_or(END).min(to));
            let window = opens.instant().map(|opens| (opens, closes));
            windows.extend(window);
            let Some(next) = self.spot(closes) else { break };
            spot = next;
        }
        Ok(windows)
    }

    /// The closing of the stretch in which an open second lies; `None` when it
    /// lasts beyond the horizon.
    fn close_after(&self, open: Place) -> Option<i64> {
        let Place { piece: mut k, mut day, mut time } = open;
        // A stretch may run through several pieces, whole ones too.
        loop {
            let start = k as i64 * PIECE_SECONDS;
            let Some(end) = self.piece(k)?.open_until(day, time) else { return Some(start) };
            let end = start + i64::from(end);
            if end >= END {
                return None;
            }
            if end < start + PIECE_SECONDS {
                return Some(end);
            }
            (k, day, time) = (k + 1, 0, 0);
        }
    }

    /// The spot in working time of an instant.
    #[inline(always)]
    fn spot(&self, at: DateTime<Utc>) -> Option<Spot<'_>> {
        let place = Place::of(at)?;
        let piece = self.piece(place.piece)?;
        let work = piece.work_before(place.day, place.time)?;
        Some(Spot { k: place.piece, piece, work: i64::from(work) })
    }

    /// The working second `n` after a spot, before it when negative; and whether
    /// the second after it is certain to be a working second too.
    #[inline(always)]
    fn nth_second(&self, spot: Spot<'_>, n: i64) -> Option<(Place, bool)> {
        let work = spot.work.checked_add(n)?;
        let total = i64::from(spot.piece.total());
        let spot = if (0..total).contains(&work) {
            Spot { work, ..spot }
        } else {
            self.moved(spot.k, work)?
        };
        let found = spot.piece.nth_second(spot.work as u32)?;
        Some((Place { piece: spot.k, day: found.day, time: found.time }, found.goes_on))
    }

    /// The spot so much working time after the start of a piece, in its own piece.
    #[inline(never)]
    fn moved(&self, mut k: usize, mut work: i64) -> Option<Spot<'_>> {
        // More than there is; what is left has less than `END` in each piece.
        if work >= END {
            return None;
        }
        while work < 0 {
            k = k.checked_sub(1)?;
            work += i64::from(self.piece(k)?.total());
        }
        // Whole pieces are counted like all else, as far as they are compiled.
        let (mut sum, mut passed, mut n_passed) = (0, 0, 0);
        for i in k..k + N_COUNTED {
            sum += self.known_piece(i).map_or(END, |piece| i64::from(piece.total()));
            passed = select_unpredictable(sum <= work, sum, passed);
            n_passed += usize::from(sum <= work);
        }
        (k, work) = (k + n_passed, work - passed);
        loop {
            let piece = self.piece(k)?;
            let total = i64::from(piece.total());
            if work < total {
                return Some(Spot { k, piece, work });
            }
            work -= total;
            k += 1;
        }
    }

    /// The working seconds of the pieces from one until another.
    fn totals(&self, from: usize, to: usize) -> i64 {
        (from..to).filter_map(|k| self.piece(k)).map(|piece| i64::from(piece.total())).sum()
    }
}

/// An answer, if it lies within the horizon.
#[inline]
fn within<T>(answer: Option<T>) -> Result<T, CalendarError> {
    // No `ok_or`: it would drop an error for each answer.
    let Some(answer) = answer else { return Err(HORIZON) };
    Ok(answer)
}

/// An instant cut to its second.
fn whole(at: DateTime<Utc>) -> DateTime<Utc> {
    instant(at.timestamp())
}
