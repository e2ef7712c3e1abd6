//! A notifier that writes one line for each notification: for a first look.

use crate::notification::{Notification, Recipient};
use crate::notifier::{Delivered, DeliveryError, Notifier};
use async_trait::async_trait;
use helpdesk_core::effect::Effect;
use std::fmt;
use std::io::{Stdout, Write};
use std::sync::{Mutex, PoisonError};

#[cfg(test)]
mod tests;

/// Chars of a text that a line shows.
pub const TEXT_CHARS_MAX: usize = 200;

/// Writes one line for each notification. For demos and first steps.
///
/// A line has no line break and no control character but the one at its end,
/// whatever a requester wrote: they are escaped, as are the marks that turn the
/// direction of text. What a person wrote stands in quotes; texts are cut after
/// [`TEXT_CHARS_MAX`] chars. A line is written by one call.
///
/// ```
/// use helpdesk_notify::{Console, Notifier};
/// let console = Console::new(Vec::new());
/// for sample in helpdesk_notify::conformance::samples() {
///     pollster::block_on(console.deliver(&sample))?;
/// }
/// let lines = String::from_utf8(console.into_inner())?;
/// assert!(lines.lines().any(|line| line.contains(r#"HD-1024 "Invoice missing""#)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Console<W = Stdout> {
    writer: Mutex<W>,
}

impl Console<Stdout> {
    /// Writes to the standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(std::io::stdout())
    }
}

impl Default for Console<Stdout> {
    fn default() -> Self {
        Self::stdout()
    }
}

impl<W: Write + Send> Console<W> {
    /// Writes to `writer`, and flushes it after each line.
    #[must_use]
    pub fn new(writer: W) -> Self {
        Self { writer: Mutex::new(writer) }
    }

    /// The writer, with all lines written.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.writer.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> fmt::Debug for Console<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

/// [`DeliveryError::Transient`] when the line cannot be written.
#[async_trait]
impl<W: Write + Send> Notifier for Console<W> {
    fn name(&self) -> &str {
        "console"
    }

    fn handles(&self, _: &Effect) -> bool {
        true
    }

    async fn deliver(&self, notification: &Notification) -> Result<Delivered, DeliveryError> {
        let line = line(notification);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match writer.write_all(line.as_bytes()).and_then(|()| writer.flush()) {
            Ok(()) => Ok(Delivered::Sent),
            Err(error) => {
                Err(DeliveryError::Transient { reason: error.to_string(), retry_after: None })
            }
        }
    }
}

fn line(notification: &Notification) -> String {
    let Notification { delivery_id, attempt, tenant, effect, number, subject, at, .. } =
        notification;
    let at = at.format("%Y-%m-%dT%H:%M:%SZ");
    let recipients: Vec<String> = notification.recipients.iter().map(recipient).collect();
    let recipients = match recipients.is_empty() {
        true => "nobody".to_owned(),
        false => recipients.join(", "),
    };
    let number = escaped(&number.to_string());
    let (topic, subject, details) = (effect.topic(), quoted(subject), details(notification));
    format!(
        "{at} {topic} {number} {subject} to {recipients}{details} \
         [tenant {tenant}, delivery {delivery_id}, attempt {attempt}]\n"
    )
}

fn recipient(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Contact { name, identities, .. } => {
            let known: Vec<String> = identities.iter().map(|i| escaped(&i.value)).collect();
            format!("{} <{}>", quoted(name), known.join(", "))
        }
        Recipient::Agent { name, email, .. } => {
            format!("agent {} <{}>", quoted(name), escaped(email.as_deref().unwrap_or_default()))
        }
        Recipient::Group { key } => format!("group {key}"),
        Recipient::Channel { key } => format!("channel {key}"),
        Recipient::Administrators => "the administrators".to_owned(),
    }
}

/// What the line says beyond topic and ticket.
fn details(notification: &Notification) -> String {
    if let Some(message) = &notification.message {
        return match message.redacted {
            true => ": redacted".to_owned(),
            false => format!(": {}", quoted(&message.text)),
        };
    }
    if let Effect::NotifyAgent { news, .. } = &notification.effect {
        // The word that events and configuration use for it.
        let word = serde_json::to_value(news).ok();
        return word.and_then(|w| w.as_str().map(|w| format!(": {w}"))).unwrap_or_default();
    }
    if let Effect::NotifyOffer { expires_at, .. } = &notification.effect {
        return format!(": until {}", expires_at.format("%Y-%m-%dT%H:%M:%SZ"));
    }
    if let Effect::SendReply { .. } = &notification.effect {
        return ": redacted".to_owned();
    }
    String::new()
}

/// In quotes, cut, with the quotes inside escaped.
fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    let mut chars = text.chars();
    for char in chars.by_ref().take(TEXT_CHARS_MAX) {
        if matches!(char, '"' | '\\') {
            shown.push('\\');
            shown.push(char);
        } else {
            push_escaped(&mut shown, char);
        }
    }
    if chars.next().is_some() {
        shown.push('…');
    }
    shown.push('"');
    shown
}

fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().take(TEXT_CHARS_MAX).for_each(|char| push_escaped(&mut shown, char));
    shown
}

fn push_escaped(shown: &mut String, char: char) {
    let turns = matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    if char.is_control() || turns || matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}') {
        shown.extend(char.escape_default());
    } else {
        shown.push(char);
    }
}
