//! Delivers what a help desk wishes to tell the world.
//!
//! The engine leases an effect from the outbox, reads what it is about from the
//! store as it stands then, and hands a [`Notification`] to a [`Notifier`]: the
//! host's mail, chat or pager. [`Recorder`] is for tests, [`Console`] for a
//! first look, [`Notifiers`] for several channels; [`conformance`] checks one
//! that a host writes.
//!
//! # At least once
//!
//! A notification is delivered again when the engine does not learn that it was:
//! a transient failure, a crash, a lease that ran out. Every attempt carries the
//! same [`delivery_id`](Notification::delivery_id); a channel that takes an
//! idempotency key should be given it. How long the engine waits between two
//! attempts is [`backoff`]; after [`ATTEMPTS_MAX`] the effect is a dead letter.
//!
//! # What a contact can never be sent
//!
//! The only text of a conversation in a notification is a
//! [`PublicMessage`](helpdesk_core::ticket::message::PublicMessage): there is no
//! field that an internal note could stand in.
//!
//! ```
//! use async_trait::async_trait;
//! use helpdesk_core::effect::Effect;
//! use helpdesk_notify::{Delivered, DeliveryError, Notification, Notifier, Recipient};
//!
//! /// Pages the group that a ticket waits for.
//! #[derive(Debug)]
//! struct Pager;
//!
//! #[async_trait]
//! impl Notifier for Pager {
//!     fn name(&self) -> &str {
//!         "pager"
//!     }
//!
//!     fn handles(&self, effect: &Effect) -> bool {
//!         effect.topic() == "group"
//!     }
//!
//!     async fn deliver(&self, notification: &Notification) -> Result<Delivered, DeliveryError> {
//!         let Some(Recipient::Group { key }) = notification.recipients.first() else {
//!             return Ok(Delivered::Nothing);
//!         };
//!         let page = format!("{key}: {} waits", notification.number);
//!         // Send `page` under `notification.delivery_id` here.
//!         # assert_eq!(page, "billing: HD-1024 waits");
//!         Ok(Delivered::Sent)
//!     }
//! }
//! # let notification = helpdesk_notify::conformance::samples()
//! #     .into_iter()
//! #     .find(|sample| Pager.handles(&sample.effect))
//! #     .ok_or("a sample for each topic")?;
//! # pollster::block_on(Pager.deliver(&notification))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backoff;
pub mod conformance;
mod console;
mod notification;
mod notifier;
mod notifiers;
mod recorder;

pub use backoff::{ATTEMPTS_MAX, BACKOFF_FIRST, BACKOFF_MAX, RETRY_AFTER_MAX, backoff};
pub use console::{Console, TEXT_CHARS_MAX};
pub use notification::{Notification, Recipient};
pub use notifier::{Delivered, DeliveryError, Notifier};
pub use notifiers::Notifiers;
pub use recorder::Recorder;
