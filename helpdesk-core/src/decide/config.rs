//! The configuration: a new version, checked as a whole.

use super::work::{Work, gives_work};
use crate::case::record::{ConfigRecord, Record};
use crate::command::ApplyConfig;
use crate::desk::Desk;
use crate::event::{Event, StreamId, TimerKind};
use crate::fault::Rejection;
use crate::ticket::message::hex;
use sha2::{Digest, Sha256};

pub(super) fn apply_config(work: &mut Work<'_>, apply: &ApplyConfig) -> Result<(), Rejection> {
    let desk = Desk::from_value(&apply.document).map_err(|faults| {
        Rejection::many(faults.into_iter().map(|fault| fault.under("document")).collect())
    })?;
    let stream = StreamId::config(work.ctx.actor.tenant);
    let stored = work.loaded.stream(stream);
    let before = stored.map_or(0, |stored| stored.version);
    if let Some(Record::Config(config)) = stored.map(|stored| &stored.record)
        && config.document == apply.document
    {
        work.made.config_version = Some(before);
        return Ok(());
    }
    let version = before + 1;
    let record = ConfigRecord { version, applied_at: work.now, document: apply.document.clone() };
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
