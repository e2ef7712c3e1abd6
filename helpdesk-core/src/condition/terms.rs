//! The desk's own terms, by which conditions are evaluated.

use super::text::FoldOptions;
use crate::calendar::{Calendar, CalendarDef, CalendarError, ZoneRules};
use crate::id::Key;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What a desk says about texts and working time. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Terms {
    /// How texts are folded and cut.
    pub fold: FoldOptions,
    /// The calendars that conditions name.
    pub calendars: Calendars,
}

/// Tells two calendars apart by what they answer: equal for the same hours under
/// the same zone rules, whatever the calendar is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CalendarStamp(String);

impl CalendarStamp {
    /// The first 8 bytes of the SHA-256 of the definition as JSON and the
    /// version of its zone's rules, in hexadecimal.
    fn of(def: &CalendarDef, calendar: &Calendar) -> Self {
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(def).unwrap_or_default());
        hash.update([0]);
        hash.update(calendar.tzdb_version());
        Self(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for CalendarStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Calendars by key, compiled. Cheap to clone; two are equal when their keys and
/// stamps are.
///
/// ```
/// use helpdesk_core::calendar::{BundledZones, CalendarDef};
/// use helpdesk_core::condition::Calendars;
/// use helpdesk_core::id::Key;
/// let def: CalendarDef = serde_json::from_value(
///     serde_json::json!({"zone": "Europe/Berlin", "weekly": {"mon": [["09:00", "17:00"]]}}),
/// )?;
/// let mut calendars = Calendars::default();
/// calendars.add(Key::new("office")?, &def, &BundledZones::new())?;
/// assert!(calendars.get(&Key::new("office")?).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Calendars(Arc<BTreeMap<Key, Entry>>);

#[derive(Debug, Clone)]
struct Entry {
    calendar: Calendar,
    stamp: CalendarStamp,
}

impl Calendars {
    /// Compiles one more calendar; it takes the place of another with its key.
    ///
    /// # Errors
    ///
    /// As [`Calendar::compile`].
    pub fn add(
        &mut self,
        key: Key,
        def: &CalendarDef,
        zones: &dyn ZoneRules,
    ) -> Result<(), CalendarError> {
        let calendar = Calendar::compile(def, zones)?;
        let stamp = CalendarStamp::of(def, &calendar);
        Arc::make_mut(&mut self.0).insert(key, Entry { calendar, stamp });
        Ok(())
    }

    /// All calendars, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Calendar)> {
        self.0.iter().map(|(key, entry)| (key, &entry.calendar))
    }

    /// The calendar with this key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Calendar> {
        self.0.get(key).map(|entry| &entry.calendar)
    }

    /// What tells the calendar from others, and from itself after a change.
    #[must_use]
    pub fn stamp(&self, key: &Key) -> Option<&CalendarStamp> {
        self.0.get(key).map(|entry| &entry.stamp)
    }
}

impl PartialEq for Calendars {
    fn eq(&self, other: &Self) -> bool {
        let stamps = |calendars: &Self| -> Vec<(Key, CalendarStamp)> {
            calendars.0.iter().map(|(key, entry)| (key.clone(), entry.stamp.clone())).collect()
        };
        Arc::ptr_eq(&self.0, &other.0) || stamps(self) == stamps(other)
    }
}
