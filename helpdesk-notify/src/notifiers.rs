//! Several channels as one.

use crate::notification::Notification;
use crate::notifier::{Delivered, DeliveryError, Notifier};
use async_trait::async_trait;
use helpdesk_core::effect::Effect;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// A list of notifiers, as one.
///
/// Those that handle the effect are asked in order, until one says
/// [`Delivered::Sent`]: mail first, and a text message where there is no mail
/// address. A failure ends the attempt, and the next attempt begins again with
/// the first; nobody is told twice because a channel is slow. Without any that
/// handles the effect, nothing is sent, and that is no error.
///
/// ```
/// use helpdesk_notify::{Notifier, Notifiers, Recorder};
/// use std::sync::Arc;
/// let mail = Recorder::new().with_topics(&["reply"]);
/// let chat = Recorder::new();
/// let all = Notifiers::new(vec![Arc::new(mail.clone()), Arc::new(chat.clone())]);
/// # for sample in helpdesk_notify::conformance::samples() {
/// #     pollster::block_on(all.deliver(&sample))?;
/// # }
/// # assert!(mail.delivered().iter().all(|n| n.effect.topic() == "reply"));
/// # assert!(chat.delivered().iter().all(|n| n.effect.topic() != "reply"));
/// # assert!(!mail.delivered().is_empty() && !chat.delivered().is_empty());
/// # Ok::<(), helpdesk_notify::DeliveryError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Notifiers {
    in_order: Vec<Arc<dyn Notifier>>,
}

impl Notifiers {
    /// The first is asked first.
    #[must_use]
    pub fn new(in_order: Vec<Arc<dyn Notifier>>) -> Self {
        Self { in_order }
    }
}

#[async_trait]
impl Notifier for Notifiers {
    fn name(&self) -> &str {
        "notifiers"
    }

    fn handles(&self, effect: &Effect) -> bool {
        self.in_order.iter().any(|notifier| notifier.handles(effect))
    }

    async fn deliver(&self, notification: &Notification) -> Result<Delivered, DeliveryError> {
        for notifier in self.in_order.iter().filter(|n| n.handles(&notification.effect)) {
            if notifier.deliver(notification).await? == Delivered::Sent {
                return Ok(Delivered::Sent);
            }
        }
        Ok(Delivered::Nothing)
    }
}
