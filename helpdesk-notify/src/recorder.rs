//! A notifier that keeps what it is given: for tests.

use crate::notification::Notification;
use crate::notifier::{Delivered, DeliveryError, Notifier};
use async_trait::async_trait;
use helpdesk_core::effect::Effect;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(test)]
mod tests;

/// Keeps what it is given, and fails when told to. For tests.
///
/// Clones share what they keep, so a test gives one to the engine and asks the
/// other. It does not look at delivery ids: what comes twice is kept twice.
///
/// ```
/// use helpdesk_notify::{DeliveryError, Notifier, Recorder};
/// let recorder = Recorder::new();
/// recorder.fail_next(1, &DeliveryError::Permanent { reason: "no such address".to_owned() });
/// for sample in helpdesk_notify::conformance::samples() {
///     let outcome = pollster::block_on(recorder.deliver(&sample));
///     assert_eq!(outcome.is_err(), recorder.attempts().len() == 1);
/// }
/// assert_eq!(recorder.delivered().len(), recorder.attempts().len() - 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    topics: Option<&'static [&'static str]>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    attempts: Vec<Notification>,
    delivered: Vec<Notification>,
    failures: VecDeque<DeliveryError>,
}

impl Recorder {
    /// Handles every effect, and has kept nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, but handles only effects of these [topics](Effect::topic).
    #[must_use]
    pub fn with_topics(mut self, topics: &'static [&'static str]) -> Self {
        self.topics = Some(topics);
        self
    }

    /// Fails the next `n` attempts, after those that are to fail already.
    pub fn fail_next(&self, n: usize, error: &DeliveryError) {
        self.kept().failures.extend(std::iter::repeat_n(error, n).cloned());
    }

    /// What it was given, in order, failures included.
    #[must_use]
    pub fn attempts(&self) -> Vec<Notification> {
        self.kept().attempts.clone()
    }

    /// What it accepted, in order.
    #[must_use]
    pub fn delivered(&self) -> Vec<Notification> {
        self.kept().delivered.clone()
    }

    /// What it accepted since the last call, in order.
    #[must_use]
    pub fn take_delivered(&self) -> Vec<Notification> {
        std::mem::take(&mut self.kept().delivered)
    }

    /// A panic of another test thread leaves nothing half written.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Notifier for Recorder {
    fn name(&self) -> &str {
        "recorder"
    }

    fn handles(&self, effect: &Effect) -> bool {
        self.topics.is_none_or(|topics| topics.contains(&effect.topic()))
    }

    async fn deliver(&self, notification: &Notification) -> Result<Delivered, DeliveryError> {
        if !self.handles(&notification.effect) {
            return Ok(Delivered::Nothing);
        }
        let mut kept = self.kept();
        kept.attempts.push(notification.clone());
        if let Some(error) = kept.failures.pop_front() {
            return Err(error);
        }
        kept.delivered.push(notification.clone());
        Ok(Delivered::Sent)
    }
}
