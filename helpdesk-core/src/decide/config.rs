//! The configuration: a new version, checked as a whole.

use super::work::{Work, gives_work};
use crate::case::record::{ConfigRecord, Record};
use crate::command::ApplyConfig;
use crate::desk::DeskReader;
use crate::event::{Event, StreamId, TimerKind};
use crate::fault::Rejection;
use crate::ticket::message::hex;
use sha2::{Digest, Sha256};

pub(super) fn apply_config(work: &mut Work<'_>, apply: &ApplyConfig) -> Result<(), Rejection> {
    let zones = work.ctx.desk.zones().clone();
    let reader = DeskReader::new().map_err(|fault| Rejection::many(vec![fault]))?.with_zones(zones);
    let desk = reader.read(&apply.document).map_err(|faults| {
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
    let calendars = desk.calendar_marks(known_marks, version, work.now);
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
