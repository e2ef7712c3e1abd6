//! Civil days as instants.

use chrono::{DateTime, Utc};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The first instant of a civil day: the earlier midnight of two, and where clocks
/// skip it the first instant after.
pub(crate) fn start_of_day(date: Date, zone: &TimeZone) -> Option<DateTime<Utc>> {
    let start = date.to_zoned(zone.clone()).ok()?.timestamp();
    DateTime::from_timestamp(start.as_second(), u32::try_from(start.subsec_nanosecond()).ok()?)
}
