//! The configuration: a new version, checked as a whole.

use super::work::{Work, gives_work};
use crate::case::record::{CalendarMark, ConfigRecord, Record};
use crate::command::ApplyConfig;
use crate::desk::Desk;
use crate::event::{Event, StreamId, TimerKind};
use crate::fault::Rejection;
use crate::id::{Key, Version};
use crate::ticket::message::hex;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub(super) fn apply_config(work: &mut Work<'_>, apply: &ApplyConfig) -> Result<(), Rejection> {
    let desk = Desk::from_value(&apply.document).map_err(|faults| {
        Rejection::many(faults.into_iter().map(|fault| fault.under("document")).collect())
    })?;
    let stream = StreamId::config(work.ctx.actor.tenant);
    let stored = work.loaded.stream(stream);
    let before = stored.map_or(0, |stored| stored.version);
    let version = before + 1;
    let known = stored.and_then(|stored| match &stored.record {
        Record::Config(config) => Some(config),
        _ => None,
    });
    let known_marks = known.map(|config| &config.calendars);
    let calendars = marks(&desk, known_marks, version, work.now);
    if known.is_some_and(|config| {
        // The same document is another configuration under other time zone rules.
        config.document == apply.document && config.calendars == calendars
    }) {
        work.made.config_version = Some(before);
        return Ok(());
    }
    if known_marks.is_some_and(|known| *known != calendars) {
        work.set_config_timer(TimerKind::Redate, work.now);
    }
    let document = apply.document.clone();
    let record = ConfigRecord { version, applied_at: work.now, document, calendars };
    let sha256 = hex(&Sha256::digest(apply.document.to_string()));
    work.made.config_version = Some(version);
    work.emit(stream, Event::ConfigApplied { sha256 })?;
    work.put_record(Record::Config(Box::new(record.clone())));
    work.put_record(Record::ConfigVersion(Box::new(record)));
    // The new queues may give what waited in the old ones.
    if gives_work(&desk) {
        for (id, entry) in &work.ctx.roster.agents {
            if entry.agent.active && !entry.presence.channels.is_empty() {
                work.set_agent_timer(*id, TimerKind::Drain, Some(work.now));
            }
        }
    }
    Ok(())
}

/// Since when each of the desk's calendars is as it is: those that did not
/// change keep their mark.
fn marks(
    desk: &Desk,
    known: Option<&BTreeMap<Key, CalendarMark>>,
    revision: Version,
    changed_at: DateTime<Utc>,
) -> BTreeMap<Key, CalendarMark> {
    let mark = |(key, stamp): (&Key, u64)| {
        let own = known.and_then(|known| known.get(key)).filter(|own| own.stamp == stamp);
        let mark = own.cloned().unwrap_or(CalendarMark { revision, changed_at, stamp });
        (key.clone(), mark)
    };
    desk.calendar_stamps().map(mark).collect()
}
