//! From a decision to what one commit does.

use crate::engine::{Job, Kept, Outcome, expires_at};
use helpdesk_core::case::record::{CommandRecord, OutboxMessage, Record};
use helpdesk_core::decide::Decision;
use helpdesk_core::effect::Effect;
use helpdesk_core::event::{NewEvent, StreamId};
use helpdesk_core::id::{IdSource, Version, derived_command_id};
use helpdesk_storage::{ChangeSet, Expect, NewOutbox};
use uuid::Uuid;

/// Whether a decision leaves everything as it is.
pub(crate) fn is_no_change(decision: &Decision) -> bool {
    decision.is_empty() && decision.effects.is_empty() && decision.records.is_empty()
}

/// The change set of a decision, and its outcome as far as it is known.
pub(crate) fn change_set(
    job: &Job<'_>,
    config_version: Version,
    decision: Decision,
    sha256: &str,
) -> (ChangeSet, Outcome) {
    let tenant = job.actor.tenant;
    let config = StreamId::config(tenant);
    let mut set = ChangeSet::new(tenant, job.call.command_id, job.now);
    set.expect =
        decision.expect.iter().map(|&(stream, version)| Expect { stream, version }).collect();
    if !set.expect.iter().any(|expect| expect.stream == config) {
        set.expect.push(Expect { stream: config, version: config_version });
    }
    let family = derived_command_id(&[b"outbox", job.call.command_id.0.as_bytes()]);
    let mut ids = IdSource::new(job.now, family);
    set.outbox = decision
        .effects
        .into_iter()
        .map(|effect| NewOutbox {
            message: OutboxMessage {
                id: ids.derive(),
                ordering_key: lane(&effect),
                not_before: effect.not_before().map_or(job.now, |at| at.max(job.now)),
                effect,
                created_at: job.now,
            },
        })
        .collect();
    set.put = decision.records;
    set.put.extend(decision.texts.into_iter().map(|message| Record::Message(Box::new(message))));
    set.unique = decision.unique;
    set.timers = decision.timers;
    set.done.extend(job.lease);
    if !job.is_internal() {
        set.command = Some(CommandRecord {
            id: job.call.command_id,
            sha256: sha256.to_owned(),
            result: kept(&decision.made, &decision.events, &decision.expect),
            expires_at: expires_at(job.now),
        });
    }
    let outcome = Outcome {
        events: decision.events.clone(),
        trace: decision.trace,
        ..Outcome::of(decision.made)
    };
    set.events = decision.events;
    (set, outcome)
}

/// Effects of one lane are delivered in order. Escalation has one for each
/// recipient, and what SLA clocks tell has one, so that what a maintenance or
/// `notice_hours` hold back holds back nothing else.
fn lane(effect: &Effect) -> Uuid {
    let ticket = effect.ticket().0;
    match effect {
        Effect::NotifyEscalation { to, .. } => {
            let to = serde_json::to_vec(to).unwrap_or_default();
            derived_command_id(&[b"escalation", ticket.as_bytes(), &to]).0
        }
        Effect::NotifySla { .. } => derived_command_id(&[b"sla", ticket.as_bytes()]).0,
        _ => ticket,
    }
}

/// What is kept of an outcome: references.
fn kept(
    made: &helpdesk_core::decide::Made,
    events: &[NewEvent],
    expect: &[(StreamId, Version)],
) -> serde_json::Value {
    let mut spans: Vec<(StreamId, Version, Version)> = Vec::new();
    for event in events {
        match spans.iter_mut().find(|(stream, _, _)| *stream == event.stream) {
            Some((_, _, last)) => *last += 1,
            None => {
                let before = expect.iter().find(|(stream, _)| *stream == event.stream);
                let first = before.map_or(0, |(_, version)| *version) + 1;
                spans.push((event.stream, first, first));
            }
        }
    }
    serde_json::to_value(Kept { made: made.clone(), events: spans }).unwrap_or_default()
}
