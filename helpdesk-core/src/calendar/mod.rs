//! Calendars: when a team works, and how much working time lies between two instants.
//!
//! A [`CalendarDef`] is configuration; [`Calendar::compile`] makes it a
//! [`Calendar`], which answers in UTC. An opening or closing at local date-time
//! X happens at the first instant at which the zone's wall clock reads X or
//! later; durations are elapsed seconds; intervals are half-open.
//! Source: spec/sla.md, "The calendar rule".

mod arith;
mod check;
mod civil;
mod compiled;
mod def;
mod error;
mod holiday;
mod hours;
mod piece;
mod place;
#[cfg(test)]
mod tests;
mod zone;
mod zones;

pub use arith::Window;
pub(crate) use civil::start_of_day;
pub use compiled::{Calendar, HORIZON_END, HORIZON_START};
pub use def::{CalendarDef, ClosureDef, FeedDef, FeedEvent};
pub use error::CalendarError;
pub use holiday::{HolidayDate, HolidayDef, MonthDay, Observed, Weekday};
pub use hours::{LocalSpan, LocalTime, Moment, WeeklyHours};
pub(crate) use hours::{MOMENT_PATTERN, TIME_PATTERN};
pub use zone::{OffsetChange, Zone};
pub use zones::{BundledZones, TzifZones, ZoneRules};
