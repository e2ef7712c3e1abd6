//! What every notifier must do, a host's own ones too.
//!
//! A notifier is made in up to three [`Setup`]s, and [`check_notifier`] delivers
//! samples through it: alone, again, interrupted, and with the worst that a
//! requester can write. It opens nothing itself; what the notifier sends to is
//! the caller's, such as a server on a loopback port.
//!
//! ```
//! use helpdesk_notify::conformance::{Setup, check_notifier};
//! use helpdesk_notify::{DeliveryError, Notifier, Recorder};
//! use std::sync::Arc;
//!
//! fn recorder(setup: Setup) -> Option<Arc<dyn Notifier>> {
//!     let recorder = Recorder::new();
//!     let reason = "as told".to_owned();
//!     match setup {
//!         Setup::Works => {}
//!         Setup::Unreachable => recorder
//!             .fail_next(99, &DeliveryError::Transient { reason, retry_after: None }),
//!         Setup::Refuses => recorder.fail_next(99, &DeliveryError::Permanent { reason }),
//!     }
//!     Some(Arc::new(recorder))
//! }
//!
//! let report = pollster::block_on(check_notifier(recorder))?;
//! assert!(report.skipped.is_empty());
//! # Ok::<(), helpdesk_notify::conformance::Nonconformance>(())
//! ```

use crate::backoff::ATTEMPTS_MAX;
use crate::notification::{Notification, Recipient};
use crate::notifier::{Delivered, DeliveryError, Notifier};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::actor::Author;
use helpdesk_core::contact::Identity;
use helpdesk_core::effect::{AgentNews, Effect};
use helpdesk_core::id::{AgentId, ContactId, Key, TenantId, TicketId, TicketNumber};
use helpdesk_core::limit::SUBJECT_CHARS_MAX;
use helpdesk_core::ticket::message::PublicMessage;
use helpdesk_core::ticket::priority::Channel;
use std::sync::Arc;
use std::task::{Context, Waker};
use thiserror::Error;
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// Chars of a notifier's name.
const NAME_CHARS_MAX: usize = 64;

/// What the notifier under test meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// A channel that takes everything.
    Works,
    /// A channel that does not answer now.
    Unreachable,
    /// A channel that refuses everything for good.
    Refuses,
}

/// What was checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The cases that the notifier passed.
    pub passed: Vec<&'static str>,
    /// The cases that need a setup which the caller does not offer.
    pub skipped: Vec<&'static str>,
}

/// What a notifier did that it must not do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{case}: {found}")]
pub struct Nonconformance {
    /// What must hold.
    pub case: &'static str,
    /// What was found.
    pub found: String,
}

/// Checks the notifiers that `make` makes. Each case gets a new one; `None` means
/// that the setup cannot be had, and skips its case. Run it on the runtime that
/// the notifier needs.
///
/// # Errors
///
/// The first [`Nonconformance`]; also when [`Setup::Works`] cannot be had.
pub async fn check_notifier(
    make: impl Fn(Setup) -> Option<Arc<dyn Notifier>>,
) -> Result<Report, Nonconformance> {
    let works = || {
        make(Setup::Works).ok_or_else(|| Nonconformance {
            case: "a notifier can be made",
            found: "`Setup::Works` gave none".to_owned(),
        })
    };
    let mut report = Report::default();
    report.passed.push(has_one_name(&*works()?)?);
    report.passed.push(handles_the_same_effects_at_every_call(&*works()?)?);
    report.passed.push(delivers_and_delivers_again(&*works()?).await?);
    report.passed.push(survives_an_interrupted_call(&*works()?).await?);
    report.passed.push(takes_whatever_people_write(&*works()?).await?);
    report.passed.push(does_not_retry_for_nobody(&*works()?).await?);
    match make(Setup::Unreachable) {
        Some(notifier) => {
            report.passed.push(an_unreachable_channel_is_transient(&*notifier).await?);
        }
        None => report.skipped.push(UNREACHABLE),
    }
    match make(Setup::Refuses) {
        Some(notifier) => {
            report.passed.push(a_refusal_is_permanent(&*notifier).await?);
        }
        None => report.skipped.push(REFUSES),
    }
    Ok(report)
}

/// One notification for each kind of effect, all of one ticket, HD-1024.
#[must_use]
pub fn samples() -> Vec<Notification> {
    let ticket = TicketId(Uuid::from_u128(1_024));
    let (ann, bo) = (ContactId(Uuid::from_u128(1)), AgentId(Uuid::from_u128(2)));
    let contact = Recipient::Contact {
        id: ann,
        name: "Ann".to_owned(),
        identities: vec![Identity::email("ann@example.com")],
    };
    let agent =
        Recipient::Agent { id: bo, name: "Bo".to_owned(), email: Some("bo@example.com".into()) };
    let offer = Effect::NotifyOffer { ticket, agent: bo, expires_at: at() + TimeDelta::minutes(5) };
    let mut samples = vec![
        (Effect::SendReply { ticket, seq: 2, to: vec![ann] }, contact),
        (Effect::NotifyAgent { ticket, agent: bo, news: AgentNews::Assigned }, agent.clone()),
        (offer, agent),
    ];
    let billing = Key::new("billing").ok();
    samples.extend(billing.map(|group| {
        (Effect::NotifyGroup { ticket, group: group.clone() }, Recipient::Group { key: group })
    }));
    samples.push((Effect::NotifyUnroutable { ticket }, Recipient::Administrators));
    samples
        .into_iter()
        .zip(1..)
        .map(|((effect, recipient), id)| sample(effect, recipient, Uuid::from_u128(id)))
        .collect()
}

fn sample(effect: Effect, recipient: Recipient, delivery_id: Uuid) -> Notification {
    let message = matches!(effect, Effect::SendReply { .. }).then(|| PublicMessage {
        id: Uuid::from_u128(3).into(),
        seq: 2,
        author: Author::Agent { id: AgentId(Uuid::from_u128(2)) },
        channel: Channel::Email,
        text: "Here it is.".to_owned(),
        html: None,
        attachments: Vec::new(),
        sent_at: at(),
        redacted: false,
    });
    Notification {
        delivery_id,
        attempt: 1,
        tenant: TenantId(Uuid::from_u128(9)),
        effect,
        number: TicketNumber { prefix: "HD".into(), n: 1_024 },
        subject: "Invoice missing".to_owned(),
        message,
        recipients: vec![recipient],
        at: at(),
    }
}

/// 2026-11-20T16:30:00Z.
fn at() -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(1_795_192_200_000_000_000)
}

fn handled(notifier: &dyn Notifier) -> Vec<Notification> {
    samples().into_iter().filter(|sample| notifier.handles(&sample.effect)).collect()
}

fn require(
    holds: bool,
    case: &'static str,
    found: impl FnOnce() -> String,
) -> Result<(), Nonconformance> {
    if holds { Ok(()) } else { Err(Nonconformance { case, found: found() }) }
}

fn has_one_name(notifier: &dyn Notifier) -> Result<&'static str, Nonconformance> {
    let case = "a notifier has one name, a word";
    let name = notifier.name().to_owned();
    let is_word = !name.is_empty()
        && name.chars().count() <= NAME_CHARS_MAX
        && !name.chars().any(|char| char.is_control() || char.is_whitespace());
    require(is_word, case, || format!("`{}`", name.escape_debug()))?;
    require(notifier.name() == name, case, || format!("`{name}`, then `{}`", notifier.name()))?;
    Ok(case)
}

fn handles_the_same_effects_at_every_call(
    notifier: &dyn Notifier,
) -> Result<&'static str, Nonconformance> {
    let case = "a notifier handles some effects, and the same at every call";
    let first = handled(notifier);
    require(!first.is_empty(), case, || "it handles none of the samples".to_owned())?;
    require(handled(notifier) == first, case, || "the second answer differs".to_owned())?;
    Ok(case)
}

async fn delivers_and_delivers_again(
    notifier: &dyn Notifier,
) -> Result<&'static str, Nonconformance> {
    let case = "a later attempt does not fail because of an earlier one";
    for mut sample in handled(notifier) {
        for attempt in [1, 2, ATTEMPTS_MAX] {
            sample.attempt = attempt;
            let outcome = notifier.deliver(&sample).await;
            require(outcome.is_ok(), case, || format!("{}: {outcome:?}", about(&sample)))?;
        }
    }
    Ok(case)
}

/// The engine drops a call when its lease has ended or the host shuts down.
async fn survives_an_interrupted_call(
    notifier: &dyn Notifier,
) -> Result<&'static str, Nonconformance> {
    let case = "a call that was dropped can be made again";
    for sample in handled(notifier) {
        let mut call = notifier.deliver(&sample);
        let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(call);
        let outcome = notifier.deliver(&sample).await;
        require(outcome.is_ok(), case, || format!("{}: {outcome:?}", about(&sample)))?;
    }
    Ok(case)
}

/// A text that cannot be sent will not be sendable later either.
async fn takes_whatever_people_write(
    notifier: &dyn Notifier,
) -> Result<&'static str, Nonconformance> {
    let case = "no text is a reason to try again";
    let long = "ж".repeat(SUBJECT_CHARS_MAX);
    let texts = ["", " ", "a\r\nBcc: all@example.com\r\n\r\nb", "\0\u{1b}[2J\u{202e}", "👩‍👩‍👧", &long];
    for text in texts {
        for sample in handled(notifier) {
            let sample = rewritten(sample, text);
            let outcome = notifier.deliver(&sample).await;
            let ends = !matches!(outcome, Err(DeliveryError::Transient { .. }));
            require(ends, case, || {
                format!("{} with `{}`: {outcome:?}", about(&sample), text.escape_debug())
            })?;
        }
    }
    Ok(case)
}

fn rewritten(mut sample: Notification, text: &str) -> Notification {
    sample.subject = text.to_owned();
    if let Some(message) = &mut sample.message {
        message.text = text.to_owned();
        message.html = Some(format!("<p>{text}"));
    }
    for recipient in &mut sample.recipients {
        if let Recipient::Contact { name, .. } | Recipient::Agent { name, .. } = recipient {
            *name = text.to_owned();
        }
    }
    sample
}

/// Without recipients, or without the text of a reply, waiting changes nothing.
async fn does_not_retry_for_nobody(
    notifier: &dyn Notifier,
) -> Result<&'static str, Nonconformance> {
    let case = "what has nobody to go to, or no text, is not tried again";
    for sample in handled(notifier) {
        let nobody = Notification { recipients: Vec::new(), ..sample.clone() };
        let no_text = Notification { message: None, ..sample };
        for notification in [nobody, no_text] {
            let outcome = notifier.deliver(&notification).await;
            let ends = !matches!(outcome, Err(DeliveryError::Transient { .. }));
            require(ends, case, || format!("{}: {outcome:?}", about(&notification)))?;
        }
    }
    Ok(case)
}

const UNREACHABLE: &str = "a channel that does not answer now is a transient failure";
const REFUSES: &str = "a channel that refuses for good is a permanent failure";

async fn an_unreachable_channel_is_transient(
    notifier: &dyn Notifier,
) -> Result<&'static str, Nonconformance> {
    for sample in handled(notifier) {
        let outcome = notifier.deliver(&sample).await;
        let fits = matches!(outcome, Err(DeliveryError::Transient { .. }));
        require(fits, UNREACHABLE, || format!("{}: {outcome:?}", about(&sample)))?;
        quotes_nothing(UNREACHABLE, &sample, &outcome)?;
    }
    Ok(UNREACHABLE)
}

async fn a_refusal_is_permanent(notifier: &dyn Notifier) -> Result<&'static str, Nonconformance> {
    for sample in handled(notifier) {
        let outcome = notifier.deliver(&sample).await;
        let fits = matches!(outcome, Err(DeliveryError::Permanent { .. }));
        require(fits, REFUSES, || format!("{}: {outcome:?}", about(&sample)))?;
        quotes_nothing(REFUSES, &sample, &outcome)?;
    }
    Ok(REFUSES)
}

/// A dead letter keeps the reason, and no redaction reaches it there.
fn quotes_nothing(
    case: &'static str,
    sample: &Notification,
    outcome: &Result<Delivered, DeliveryError>,
) -> Result<(), Nonconformance> {
    let Err(error) = outcome else { return Ok(()) };
    let reason = error.to_string();
    let text = sample.message.as_ref().map(|message| message.text.as_str());
    let quotes = reason.contains(&sample.subject) || text.is_some_and(|t| reason.contains(t));
    require(!quotes, case, || format!("the reason quotes subject or message: `{reason}`"))
}

fn about(sample: &Notification) -> String {
    format!("`{}`, attempt {}", sample.effect.topic(), sample.attempt)
}
