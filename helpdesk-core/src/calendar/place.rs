//! Where an instant lies among the pieces of a calendar, without a division:
//! chrono keeps a year and a day of it, and pieces are cut at years.

use super::compiled::{END, N_YEARS, PIECE_SECONDS, PIECE_YEARS};
use super::hours::DAY_SECONDS;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc};

/// The first year of the first piece.
const FIRST_YEAR: i32 = 1970;
/// Four years, one of them a leap year.
const FOUR_YEARS_DAYS: u32 = 4 * 365 + 1;
/// The first day of each year, that of 2100 too.
const NEW_YEARS: [NaiveDate; N_YEARS + 1] = {
    let mut days = [NaiveDate::MIN; N_YEARS + 1];
    let mut i = 0;
    while i < days.len() {
        if let Some(day) = NaiveDate::from_yo_opt(FIRST_YEAR + i as i32, 1) {
            days[i] = day;
        }
        i += 1;
    }
    days
};

/// A second of a piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) piece: usize,
    /// The day of the piece.
    pub(super) day: u32,
    /// The second of that day.
    pub(super) time: u32,
}

impl Place {
    /// The second of an instant; `None` beyond the horizon.
    #[inline]
    pub(super) fn of(at: DateTime<Utc>) -> Option<Self> {
        let (date, time) = (at.naive_utc().date(), at.naive_utc().time());
        // A year before the first wraps round, beyond the last.
        let year = date.year().wrapping_sub(FIRST_YEAR) as u32 as usize;
        if year > N_YEARS {
            return None;
        }
        let (piece, of_piece) = (year / PIECE_YEARS, year % PIECE_YEARS);
        let day = days_before(of_piece as u32) + date.ordinal0();
        let place = Self { piece, day, time: time.num_seconds_from_midnight() };
        // Of 2100 there is the first second, as an end.
        (year < N_YEARS || place.seconds() <= END).then_some(place)
    }

    /// The next second.
    #[inline]
    pub(super) fn next(self) -> Self {
        let is_last = self.time + 1 == DAY_SECONDS;
        let time = if is_last { 0 } else { self.time + 1 };
        Self { day: self.day + u32::from(is_last), time, ..self }
    }

    /// Seconds since 1970.
    #[inline]
    pub(super) fn seconds(self) -> i64 {
        let of_piece = i64::from(self.day) * i64::from(DAY_SECONDS) + i64::from(self.time);
        self.piece as i64 * PIECE_SECONDS + of_piece
    }

    /// The instant; there always is one.
    #[inline]
    pub(super) fn instant(self) -> Option<DateTime<Utc>> {
        // The third year of a piece is a leap year, and so is the seventh.
        let of_piece = (4 * self.day + 2) / FOUR_YEARS_DAYS;
        let new_year = NEW_YEARS.get(self.piece * PIECE_YEARS + of_piece as usize)?;
        let date = new_year.with_ordinal0(self.day - days_before(of_piece))?;
        let time = NaiveTime::from_num_seconds_from_midnight_opt(self.time, 0)?;
        Some(date.and_time(time).and_utc())
    }
}

/// Days of a piece before one of its years, or after its last.
#[inline]
fn days_before(year: u32) -> u32 {
    (FOUR_YEARS_DAYS * year + 1) / 4
}
