//! What a host implements to send notifications, and how it says what came of one.

use crate::backoff::backoff;
use crate::notification::Notification;
use async_trait::async_trait;
use helpdesk_core::effect::Effect;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// A channel through which the desk reaches people.
///
/// # Contract
///
/// - A notification may come more than once, with the same
///   [`delivery_id`](Notification::delivery_id); a later attempt must not fail
///   because of an earlier one.
/// - Calls may overlap. The engine may drop a call it has begun, and make it again.
/// - The engine gives up an attempt when its lease ends, 60 s; a channel should
///   have a shorter timeout of its own and fail with [`DeliveryError::Transient`].
/// - Nothing is sent but to the notification's recipients.
/// - Texts come from outside: a subject or a name may hold line breaks and other
///   control characters, and HTML is not sanitized.
///
/// [`conformance`](crate::conformance) checks what can be checked of it.
#[async_trait]
pub trait Notifier: Send + Sync + Debug {
    /// What logs and dead letters call it: one word, the same at every call.
    fn name(&self) -> &str;

    /// Whether [`deliver`](Self::deliver) is to be called with this effect. Looks
    /// at the kind of effect, and answers the same at every call.
    fn handles(&self, effect: &Effect) -> bool;

    /// Delivers, or says why not. Called with effects that it handles; any other
    /// is answered with [`Delivered::Nothing`].
    ///
    /// # Errors
    ///
    /// [`DeliveryError::Transient`] when a later attempt may succeed: timeouts,
    /// a channel that is down or throttles. [`DeliveryError::Permanent`] when none
    /// will: the address does not exist, the channel refuses the content.
    async fn deliver(&self, notification: &Notification) -> Result<Delivered, DeliveryError>;
}

#[async_trait]
impl<N: Notifier + ?Sized> Notifier for Arc<N> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn handles(&self, effect: &Effect) -> bool {
        (**self).handles(effect)
    }

    async fn deliver(&self, notification: &Notification) -> Result<Delivered, DeliveryError> {
        (**self).deliver(notification).await
    }
}

/// What came of a delivery that did not fail. Either way it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The channel took it; that it was read, or arrived, is not said.
    Sent,
    /// There was nothing to send: the text was redacted, or the channel reaches
    /// none of the recipients.
    Nothing,
}

/// Why a notification was not delivered; the variant says whether to try again.
///
/// The reason is kept with the dead letter, where no redaction reaches it: it
/// must quote neither message nor subject.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// No attempt will succeed; the effect becomes a dead letter at once.
    #[error("cannot be delivered: {reason}")]
    Permanent {
        /// Why.
        reason: String,
    },
    /// A later attempt may succeed.
    #[error("cannot be delivered now: {reason}")]
    Transient {
        /// Why.
        reason: String,
        /// How long to wait, where the channel says.
        retry_after: Option<Duration>,
    },
}

impl DeliveryError {
    /// How long to wait before the next attempt; `None` when there is none, and
    /// the effect is a dead letter. A transient failure waits for [`backoff`].
    ///
    /// ```
    /// use helpdesk_notify::DeliveryError;
    /// let id = uuid::Uuid::from_u128(7);
    /// let refused = DeliveryError::Permanent { reason: "no such address".to_owned() };
    /// assert_eq!(refused.retry_in(1, id), None);
    /// let busy = DeliveryError::Transient { reason: "timed out".to_owned(), retry_after: None };
    /// assert!(busy.retry_in(1, id).is_some());
    /// assert_eq!(busy.retry_in(helpdesk_notify::ATTEMPTS_MAX, id), None);
    /// ```
    #[must_use]
    pub fn retry_in(&self, attempt: u32, delivery_id: uuid::Uuid) -> Option<Duration> {
        match self {
            Self::Permanent { .. } => None,
            Self::Transient { retry_after, .. } => backoff(attempt, delivery_id, *retry_after),
        }
    }
}
