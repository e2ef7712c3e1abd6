//! An embeddable help desk engine.
//!
//! Messages from every channel become tickets; each is routed to a queue by
//! rules, given to an agent by skill and load, answered, solved and reported on.
//! The host keeps its own database, its own pages and its own users, and calls
//! four methods:
//!
//! - [`Helpdesk::receive`] takes a message that a channel received,
//! - [`Helpdesk::execute`] carries out a [`Command`](core::command::Command),
//! - [`Helpdesk::query`] answers a [`Query`](core::query::Query) inside the asker's scope,
//! - [`Helpdesk::tick`] and [`Helpdesk::deliver`] let time pass: fire what is due,
//!   hand the outbox to a [`Notifier`](notify::Notifier); [`Helpdesk::index`] brings indexes
//!   up to date.
//!
//! Every rule of the desk lives in [`core`], which is pure; this crate loads,
//! decides, commits and delivers. Nothing reads a clock: the time is an argument.
//!
//! ```
//! use helpdesk::core::actor::{Actor, Capability};
//! use helpdesk::core::command::{ApplyConfig, Command};
//! use helpdesk::core::contact::Identity;
//! use helpdesk::core::id::TenantId;
//! use helpdesk::core::intake::inbound::InboundMessage;
//! use helpdesk::core::ticket::priority::Channel;
//! use helpdesk::{Helpdesk, blocking};
//!
//! let desk = blocking::Helpdesk::from(Helpdesk::builder().build()?);
//! let now = "2026-11-20T09:00:00Z".parse()?;
//! let tenant = TenantId(uuid::Uuid::from_u128(1));
//! let system = Actor::system(tenant, Capability::ActAsSystem);
//! let document = serde_json::json!({"number_prefix": "HD"});
//! desk.execute(&system, Command::ApplyConfig(ApplyConfig { document }), now)?;
//!
//! let from = Identity::email("anna@example.com");
//! let message = InboundMessage::new(Channel::Email, "<1@example.com>", from, "My invoice is wrong.");
//! let outcome = desk.receive(tenant, message, now)?;
//! assert_eq!(outcome.made.number.map(|n| n.to_string()).as_deref(), Some("HD-1"));
//! for step in &outcome.trace.steps {
//!     println!("{step}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `sqlite` (default): the embedded backend.
//! - `bundled` (default): SQLite is compiled in; without it the system's own is linked.
//! - `postgres`: the backend for many nodes.
//! - `object-store`: attachments in any store of the `object_store` crate.
//! - `language` (default): guesses the language of a message that names none.
//! - `ical`: reads iCalendar feeds of holidays.
//! - `tokio`: [`Runner`], a loop that ticks, delivers, indexes and lets go of what is kept no longer.

mod answer;
mod archive;
mod articles;
pub mod blocking;
mod attachments;
mod attempt;
mod builder;
mod change_set;
mod deliver;
mod engine;
mod erase;
mod erase_archive;
mod error;
mod firing;
#[cfg(feature = "ical")]
pub mod ical;
mod inbox_index;
mod index;
mod import;
mod json;
mod knowledge;
mod knowledge_report;
mod leased;
mod load;
mod many;
mod overview;
mod pace;
mod past;
mod predict;
mod prepare;
mod rebalance;
mod restore;
mod retain;
mod rules;
#[cfg(feature = "tokio")]
mod runner;
mod snapshot;
mod search_tickets;
mod spans;
mod tick;
mod together;
mod turns;
mod waiting;
mod watch;
mod what_if;
/// What the tenants in memory and the turns are made of. The reliability suite compiles
/// `snapshot.rs` and `turns.rs` once more, upon what tries threads in orders of its choice.
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, Ordering};
    pub(super) use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
    pub(super) use std::sync::{RwLockReadGuard, RwLockWriteGuard, TryLockError};
}

pub use archive::{Archive, ArchiveFolder, ArchiveTo, ArchivedEntry, read_archive};
pub use attachments::{FileName, FileRead, NewFile, SWEEP_AFTER_SECONDS, SweepReport};
pub use blocking::block_on;
pub use builder::Builder;
pub use deliver::DeliverReport;
pub use engine::{COMMAND_DAYS, COMMIT_RETRIES_MAX, Call, EachOutcome, Helpdesk, Outcome};
pub use erase_archive::EraseArchiveReport;
pub use error::{Error, ErrorBody, Result};
pub use helpdesk_core as core;
pub use helpdesk_notify as notify;
pub use helpdesk_search as search;
pub use helpdesk_storage as storage;
pub use helpdesk_storage::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use helpdesk_storage::postgres::{PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use helpdesk_storage::sqlite::{SqliteOptions, SqliteStore};
pub use import::{IMPORT_GROUP_BYTES, IMPORT_GROUP_MAX, ImportReport, Imported};
pub use index::IndexReport;
pub use pace::Pace;
pub use predict::LearnReport;
pub use prepare::Prepared;
pub use restore::RestoreReport;
pub use retain::{RetainPreview, RetainReport};
#[cfg(feature = "tokio")]
pub use runner::{Clock, Runner};
pub use tick::TickReport;

/// The README's program is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
