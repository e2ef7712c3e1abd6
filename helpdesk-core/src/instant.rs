//! Instants in JSON: RFC 3339 in universal time, as chrono writes and reads them, in a
//! fraction of the time.
//!
//! A stored case has a dozen of them, and chrono reads each by its general parser: what it
//! took was more than the rest of the document. The form that chrono writes is read and
//! written here by its places; anything else is left to chrono. For
//! `#[serde(with = "crate::instant")]`, and [`optional`] where it may be absent.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Timelike, Utc};
use serde::{Deserializer, Serialize, Serializer, de};
use std::fmt;

#[cfg(test)]
mod tests;

/// Bytes of `2026-11-20T09:00:00Z`.
const PLAIN_BYTES: usize = 20;
/// The same with nine digits of a second's parts.
const LONGEST_BYTES: usize = 30;
/// Nanoseconds of a second; what chrono has beyond stands for a leap second.
const SECOND: u32 = 1_000_000_000;

/// Writes an instant as chrono does.
///
/// # Errors
///
/// The serializer's.
pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    match written(*at, &mut [0; LONGEST_BYTES]) {
        Some(text) => serializer.serialize_str(text),
        None => at.serialize(serializer),
    }
}

/// Reads an instant as chrono does.
///
/// # Errors
///
/// The deserializer's, and chrono's for a text that is no instant.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    deserializer.deserialize_str(Text)
}

/// The same of what may be absent.
pub mod optional {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Instant(#[serde(with = "super")] DateTime<Utc>);

    /// Writes an instant, if there is one, as chrono does.
    ///
    /// # Errors
    ///
    /// The serializer's.
    #[allow(clippy::ref_option, reason = "what serde passes")]
    pub fn serialize<S: Serializer>(
        at: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Instant).serialize(serializer)
    }

    /// Reads an instant, if there is one, as chrono does.
    ///
    /// # Errors
    ///
    /// The deserializer's, and chrono's for a text that is no instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Ok(Option::<Instant>::deserialize(deserializer)?.map(|it| it.0))
    }
}

struct Text;

impl de::Visitor<'_> for Text {
    type Value = DateTime<Utc>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 formatted date and time string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DateTime<Utc>, E> {
        if let Some(at) = read(text.as_bytes()) {
            return Ok(at);
        }
        text.parse::<DateTime<FixedOffset>>().map(|at| at.with_timezone(&Utc)).map_err(E::custom)
    }
}

/// The instant of a text in the form that chrono writes, with any number of digits of the
/// second's parts.
fn read(text: &[u8]) -> Option<DateTime<Utc>> {
    let (places, rest) = text.split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', i0, i1, b':', s0, s1] =
        *places
    else {
        return None;
    };
    let year = number(&[y0, y1, y2, y3])?;
    let date =
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(&[m0, m1])?, number(&[d0, d1])?)?;
    let nanos = match rest {
        [b'Z'] => 0,
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => {
            number(digits)? * scale(digits.len())
        }
        _ => return None,
    };
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[i0, i1])?, number(&[s0, s1])?);
    date.and_hms_nano_opt(hour, minute, second, nanos).map(|at| at.and_utc())
}

/// Nanoseconds of the last of so many digits.
fn scale(n_digits: usize) -> u32 {
    (n_digits..9).fold(1, |scale, _| scale * 10)
}

/// The number of a few digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| n * 10 + u32::from(digit))
    })
}

/// An instant for people to read, to the minute, or to the second where it has some; none for one
/// that is far from our time.
pub(crate) fn shown(at: DateTime<Utc>) -> Option<String> {
    let mut buffer = [0; LONGEST_BYTES];
    let text = written(at, &mut buffer)?;
    let end = if at.second() == 0 { 16 } else { 19 };
    Some(text.get(..end)?.replacen('T', " ", 1))
}

/// The text of an instant; none where it has another form.
fn written(at: DateTime<Utc>, buffer: &mut [u8; LONGEST_BYTES]) -> Option<&str> {
    let at = at.naive_utc();
    let year = u32::try_from(at.year()).ok().filter(|year| *year <= 9_999)?;
    let nanos = at.nanosecond();
    if nanos >= SECOND {
        return None;
    }
    buffer[..PLAIN_BYTES].copy_from_slice(b"0000-00-00T00:00:00Z");
    let parts: [(usize, usize, u32); 6] = [
        (0, 4, year),
        (5, 7, at.month()),
        (8, 10, at.day()),
        (11, 13, at.hour()),
        (14, 16, at.minute()),
        (17, 19, at.second()),
    ];
    for (start, end, n) in parts {
        put(&mut buffer[start..end], n);
    }
    let length = match nanos {
        0 => PLAIN_BYTES,
        _ => {
            let n_digits = match (nanos % 1_000_000, nanos % 1_000) {
                (0, _) => 3,
                (_, 0) => 6,
                _ => 9,
            };
            let end = PLAIN_BYTES + n_digits;
            buffer[PLAIN_BYTES - 1] = b'.';
            put(&mut buffer[PLAIN_BYTES..end], nanos / scale(n_digits));
            buffer[end] = b'Z';
            end + 1
        }
    };
    std::str::from_utf8(&buffer[..length]).ok()
}

/// Writes a number so that it fills the places.
fn put(places: &mut [u8], mut n: u32) {
    for place in places.iter_mut().rev() {
        *place = b'0' + (n % 10) as u8;
        n /= 10;
    }
}
