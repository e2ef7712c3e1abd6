//! The desk's calendars with their revisions, as clocks name them.

use super::Desk;
use super::document::DeskCalendarDef;
use crate::calendar::{Calendar, ZoneRules};
use crate::condition::CalendarStamp;
use crate::id::{Key, Version};
use crate::limit::CALENDAR_REVISIONS_MAX;
use crate::sla::signal::CalendarRevisions;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Since when a calendar of the configuration is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarMark {
    /// The version of the configuration that made it so; clocks name it.
    pub revision: Version,
    /// When that was applied.
    pub changed_at: DateTime<Utc>,
    /// Changes whenever the calendar, or the time zone rules under it, do.
    pub stamp: CalendarStamp,
    /// What it was before, oldest first: the last [`CALENDAR_REVISIONS_MAX`] revisions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<CalendarChange>,
}

/// A revision of a calendar, and since when it was in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarChange {
    /// The version of the configuration that made it so.
    pub revision: Version,
    /// When that was applied.
    pub changed_at: DateTime<Utc>,
}

impl CalendarMark {
    fn change(&self) -> CalendarChange {
        CalendarChange { revision: self.revision, changed_at: self.changed_at }
    }

    /// What was known before a change makes the calendar something else.
    fn into_former(mut self) -> Vec<CalendarChange> {
        let last = self.change();
        if self.former.len() >= CALENDAR_REVISIONS_MAX {
            self.former.remove(0);
        }
        self.former.push(last);
        self.former
    }
}

/// Zone rules; equal under the same version.
#[derive(Debug, Clone)]
pub(super) struct Zones(pub(super) Arc<dyn ZoneRules>);

impl PartialEq for Zones {
    fn eq(&self, other: &Self) -> bool {
        self.0.tzdb_version() == other.0.tzdb_version()
    }
}

impl Desk {
    /// The same desk, its calendars in the revisions of a stored configuration.
    /// Without them each is in revision 0.
    #[must_use]
    pub fn with_marks(mut self, marks: &BTreeMap<Key, CalendarMark>) -> Self {
        self.marks.clone_from(marks);
        self.date();
        self
    }

    /// Puts the calendars under their revisions.
    pub(super) fn date(&mut self) {
        let mut dated = CalendarRevisions::default();
        for (key, calendar) in self.terms.calendars.iter() {
            let revision = self.marks.get(key).map_or(0, |mark| mark.revision);
            dated = dated.with(key.clone(), revision, calendar.clone());
        }
        self.dated = dated;
    }

    /// The calendars as clocks count in them, each in the revision in force.
    #[must_use]
    pub fn calendar_revisions(&self) -> &CalendarRevisions {
        &self.dated
    }

    /// Since when each calendar is as it is, when this configuration is applied
    /// after one with the marks `known`: those that did not change keep theirs.
    #[must_use]
    pub fn calendar_marks(
        &self,
        known: Option<&BTreeMap<Key, CalendarMark>>,
        revision: Version,
        changed_at: DateTime<Utc>,
    ) -> BTreeMap<Key, CalendarMark> {
        let calendars = &self.terms.calendars;
        let marks = calendars.iter().filter_map(|(key, _)| {
            let stamp = calendars.stamp(key)?.clone();
            let mark = match known.and_then(|known| known.get(key)).cloned() {
                Some(own) if own.stamp == stamp => own,
                other => {
                    let former = other.map_or_else(Vec::new, CalendarMark::into_former);
                    CalendarMark { revision, changed_at, stamp, former }
                }
            };
            Some((key.clone(), mark))
        });
        marks.collect()
    }

    /// What became of a calendar after this revision of it, oldest first.
    pub fn calendar_changes(
        &self,
        key: &Key,
        after: Version,
    ) -> impl Iterator<Item = CalendarChange> + use<'_> {
        let mark = self.marks.get(key);
        let all = mark
            .into_iter()
            .flat_map(|mark| mark.former.iter().copied().chain(std::iter::once(mark.change())));
        all.filter(move |change| change.revision > after)
    }

    /// A calendar as an earlier document had it, by the zone rules of today.
    #[must_use]
    pub fn former_calendar(&self, document: &Value, key: &Key) -> Option<Calendar> {
        let all = document.get("calendars")?.as_array()?;
        let own = all.iter().find(|entry| entry.get("key") == Some(&Value::from(key.as_str())))?;
        let def = DeskCalendarDef::deserialize(own).ok()?;
        Calendar::compile(&def.hours, &*self.zones.0).ok()
    }

    /// The zone rules by which calendars and schedules go.
    #[must_use]
    pub fn zones(&self) -> &Arc<dyn ZoneRules> {
        &self.zones.0
    }
}
