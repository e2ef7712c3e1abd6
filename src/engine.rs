//! The engine: load, decide, commit.

use crate::archive::Archive;
use crate::builder;
use crate::error::{Error, Result, store_code};
use crate::index::Following;
use crate::predict::Models;
use crate::snapshot::{Tenant, is_in_snapshot, streams_of};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::actor::{Actor, Capability};
use helpdesk_core::case::record::{CommandRecord, TimerOp};
use helpdesk_core::command::Command;
use helpdesk_core::decide::trace::Trace;
use helpdesk_core::decide::{Decision, Made, with_language};
use helpdesk_core::desk::{Desk, DeskReader};
use helpdesk_core::event::{Event, NewEvent, StreamId, StreamKind};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{AgentId, CommandId, TenantId, TicketNumber, Version, derived_command_id};
use helpdesk_core::intake::inbound::InboundMessage;
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::ticket::message::hex;
use helpdesk_notify::Notifier;
use helpdesk_search::{FullTextIndex, TicketIndex, guess_language};
use helpdesk_storage::blob::BlobStore;
use helpdesk_storage::{EventQuery, EventSource, LeaseToken, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use tracing::Instrument;
use uuid::Uuid;

/// Times that a command whose commit lost a race is decided again.
pub const COMMIT_RETRIES_MAX: u32 = 32;
/// Times that it is decided again because what it was decided on did not come to be: no race of
/// its own.
const TAKEN_ALONG_MAX: u32 = 1_000;
/// Days that a command's outcome is kept for a second call with its id.
pub const COMMAND_DAYS: i64 = 7;

/// An embedded help desk. Cheap to clone; every clone is the same engine.
///
/// ```
/// use helpdesk::core::actor::{Actor, Capability};
/// use helpdesk::core::command::{ApplyConfig, Command};
/// use helpdesk::core::id::TenantId;
/// use helpdesk::{Helpdesk, MemoryStore};
/// # helpdesk::block_on(async {
/// let desk = Helpdesk::builder().with_store(MemoryStore::default()).build()?;
/// let now = "2026-11-20T09:00:00Z".parse()?;
/// let system = Actor::system(TenantId(uuid::Uuid::from_u128(1)), Capability::ActAsSystem);
/// let config = ApplyConfig { document: serde_json::json!({"name": "Acme"}) };
/// let outcome = desk.execute(&system, Command::ApplyConfig(config), now).await?;
/// assert_eq!(outcome.made.config_version, Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Helpdesk {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) reader: Arc<DeskReader>,
    pub(crate) blank_desk: Arc<Desk>,
    pub(crate) guesses_language: bool,
    /// Indexes that follow the journal.
    pub(crate) indexes: Vec<Arc<dyn Following>>,
    /// The one of articles among them.
    pub(crate) article_index: Option<Arc<FullTextIndex>>,
    /// The one of tickets among them.
    pub(crate) ticket_index: Option<Arc<TicketIndex>>,
    /// What predicts fields of new tickets.
    pub(crate) models: Models,
    /// Where the bytes of attachments lie, if the host gave a place.
    pub(crate) blobs: Option<Arc<dyn BlobStore>>,
    pub(crate) file_bytes_max: u64,
    /// Where old journal entries go, if the host gave a place.
    pub(crate) archive: Option<Arc<dyn Archive>>,
    pub(crate) tenants: RwLock<BTreeMap<TenantId, Arc<Tenant>>>,
}

/// A command with what belongs to it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The command's own id; a second call with it gives the first outcome.
    pub command_id: CommandId,
    /// The version of the ticket or article that the actor saw.
    pub expected_version: Option<Version>,
    /// The command.
    pub command: Command,
}

impl From<Command> for Call {
    /// The command under an id of its own: derived for `receive`, else drawn.
    fn from(command: Command) -> Self {
        Self { command_id: CommandId(Uuid::new_v4()), expected_version: None, command }
    }
}

impl Call {
    /// The command under this id.
    #[must_use]
    pub fn new(command_id: CommandId, command: Command) -> Self {
        Self { command_id, expected_version: None, command }
    }

    /// The same, refused when the ticket or article is not at this version.
    #[must_use]
    pub fn expecting(mut self, version: Version) -> Self {
        self.expected_version = Some(version);
        self
    }
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// What it made or was about, by reference.
    #[serde(flatten)]
    pub made: Made,
    /// The version of the ticket or article after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// What happened, in order.
    pub events: Vec<NewEvent>,
    /// Why; empty when replayed.
    pub trace: Trace,
    /// Whether the command had been done before, and nothing was done now.
    pub replayed: bool,
    /// For a command on many tickets: each one's outcome, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<EachOutcome>,
    /// Of a rebalance: tickets that there is room for, beyond those of one command.
    /// The next tick gives them.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_left: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// One of many.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EachOutcome {
    /// The ticket.
    pub ticket: helpdesk_core::id::TicketId,
    /// Whether it had been done before, and nothing was done now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// Why it was not done; absent where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<crate::error::ErrorBody>,
}

/// References to what a command did, kept with its id.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) made: Made,
    /// Streams with their first and last new event.
    pub(crate) events: Vec<(StreamId, Version, Version)>,
}

impl Kept {
    pub(crate) fn of(earlier: &CommandRecord) -> Result<Self> {
        let kept = serde_json::from_value(earlier.result.clone()).map_err(|error| {
            Rejection::new(Code::Internal, format!("the kept outcome cannot be read: {error}"))
        })?;
        Ok(kept)
    }

    /// The version of each thing after it.
    pub(crate) fn versions(&self) -> Vec<(StreamId, Version)> {
        self.events.iter().map(|(stream, _, last)| (*stream, *last)).collect()
    }
}

/// What one attempt came to.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    /// The timers that were set or dropped.
    pub(crate) timers: Vec<TimerOp>,
}

/// What the rules of the desk made of a command: done, or refused and nothing changed.
pub(crate) type Verdict = std::result::Result<Done, Rejection>;

/// What is known from the attempts of a call before.
#[derive(Default)]
struct Tried {
    /// The number that a new ticket gets.
    number: Option<TicketNumber>,
    /// A commit that may have been done.
    unknown: Option<StoreError>,
}

/// A call with what the engine adds to it.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) call: &'a Call,
    pub(crate) now: DateTime<Utc>,
    /// The lease that the commit finishes, for a timer.
    pub(crate) lease: Option<LeaseToken>,
}

impl Job<'_> {
    /// Whether it is the engine's own: it fires a timer, is a part of a rebalance or
    /// takes a person out of one ticket.
    /// Then it is known by its lease or by what it finds done, and kept under no
    /// command id.
    pub(crate) fn is_internal(&self) -> bool {
        matches!(
            self.call.command,
            Command::FireTimer(_) | Command::SeekAgent(_) | Command::EraseFromTicket(_)
        )
    }
}

impl Helpdesk {
    /// Starts to build an engine.
    #[must_use]
    pub fn builder() -> builder::Builder {
        builder::Builder::default()
    }

    /// Takes a message that a channel received, as the system actor: a reply to
    /// its ticket, or a new ticket.
    ///
    /// The command id derives from tenant, mailbox and external id, so a message
    /// that comes in twice is one.
    ///
    /// Calls that come in at once, as tasks of one thread or on several, are committed together
    /// and wait for the disk once: whoever reads a mailbox need not wait for each mail.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for a message without a sender to answer to, an
    /// unknown mailbox or custom fields that do not fit; long texts are cut, not refused.
    pub async fn receive(
        &self,
        tenant: TenantId,
        message: InboundMessage,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        let mailbox = message.mailbox.as_ref().map_or("", |key| key.as_str());
        let parts: [&[u8]; 4] =
            [b"receive", tenant.0.as_bytes(), mailbox.as_bytes(), message.external_id.as_bytes()];
        let call = Call::new(derived_command_id(&parts), Command::Receive(message));
        let actor = Actor::system(tenant, Capability::ActAsSystem);
        self.execute(&actor, call, now).await
    }

    /// Carries out a command.
    ///
    /// Loads what it looks at, decides, and commits everything at once; a lost
    /// race is decided again with the same `now`. A [`Command`] alone gets an id
    /// of its own; pass a [`Call`] to name the id, so that a retry after a
    /// failure is safe, and the version that the actor saw.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] when the command does not fit: nothing changed.
    /// [`Error::Store`] when the store failed: nothing changed unless the code is
    /// `outcome_unknown`, and then the same id may be used again to find out. A command of
    /// many commits (on many tickets, `rebalance`, `erase_person`) has that code also when
    /// the store could not be reached after some of them: given again, it does the rest.
    pub async fn execute(
        &self,
        actor: &Actor,
        call: impl Into<Call>,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        let call = call.into();
        actor.check()?;
        refuse_own(&call.command)?;
        match &call.command {
            Command::ErasePerson(erase) => {
                let erased = self.erase_person(actor, &call, erase, now).await;
                // It may have done parts before it failed.
                return erased.map_err(|error| match erase.dry_run {
                    true => error,
                    false => error.after_parts(self.inner.store.capabilities().backend),
                });
            }
            Command::Rebalance(rebalance) => {
                return self.rebalance(actor, &call, rebalance, now).await;
            }
            _ => {}
        }
        if let Some(commands) = call.command.one_by_one() {
            return self.execute_each(actor, &call, commands, now).await;
        }
        let job = Job { actor, call: &call, now, lease: None };
        self.run(&job).await.map(|done| done.outcome)
    }

    /// Decides and commits until it is done, or a race was lost too often.
    pub(crate) async fn run(&self, job: &Job<'_>) -> Result<Done> {
        self.run_to_verdict(job).await?.map_err(Error::from)
    }

    /// The same, telling what the rules of the desk refuse from what could not be decided.
    pub(crate) async fn run_to_verdict(&self, job: &Job<'_>) -> Result<Verdict> {
        let span = command_span(job);
        let verdict = self.run_attempts(job).instrument(span.clone()).await;
        let code = match &verdict {
            Ok(Ok(_)) => None,
            Ok(Err(rejection)) => Some(rejection.code),
            Err(error) => Some(error.code()),
        };
        span.record("code", code.map_or("ok", Code::as_str));
        tell_denied(job, code);
        verdict
    }

    async fn run_attempts(&self, job: &Job<'_>) -> Result<Verdict> {
        let tenant = self.tenant(job.actor.tenant).await?;
        let sha256 = hash_of(job)?;
        let named = self.with_language(job, &tenant);
        let job = &named.as_ref().map_or(*job, |call| Job { call, ..*job });
        self.skip_imported_number(job, &tenant).await?;
        let mut tried = Tried::default();
        let verdict = self.try_until_done(job, &tenant, &sha256, &mut tried).await;
        let verdict = verdict.map_err(|error| or_unknown(error, tried.unknown));
        give_back(&tenant, tried.number.filter(|_| !used_number(&verdict)));
        verdict
    }

    /// A number that an import brings is never leased any more.
    pub(crate) async fn skip_imported_number(&self, job: &Job<'_>, tenant: &Tenant) -> Result<()> {
        if let Command::ImportTicket(import) = &job.call.command
            && let Some(number) = &import.number
        {
            self.check_permission(job.actor, &job.call.command).await?;
            self.skip_numbers(tenant, number).await?;
        }
        Ok(())
    }

    async fn try_until_done(
        &self,
        job: &Job<'_>,
        tenant: &Arc<Tenant>,
        sha256: &str,
        tried: &mut Tried,
    ) -> Result<Verdict> {
        let mut last = None;
        let mut is_fresh = !self.inner.store.capabilities().is_shared;
        let (mut n_tried, mut n_taken_along) = (0, 0);
        while n_tried <= COMMIT_RETRIES_MAX && n_taken_along <= TAKEN_ALONG_MAX {
            match self.attempt(job, tenant, sha256, &mut tried.number).await {
                // No race was lost: what it was decided on did not come to be.
                Ok(None) | Err(Error::Store(StoreError::NotAfter { .. })) => {
                    n_taken_along += 1;
                    continue;
                }
                Err(Error::Store(error)) if error.is_lost_race() => {
                    tracing::debug!(code = store_code(&error).as_str(), "lost a race");
                    self.catch_up(tenant, &error, &mut tried.number).await?;
                    last = Some(error);
                }
                // Another engine may have made what this one does not know yet.
                Ok(Some(Err(_))) | Err(Error::Rejected(_)) if !is_fresh => {
                    self.refresh(tenant.id).await?;
                    is_fresh = true;
                }
                // The same id finds out whether it was committed.
                Err(Error::Store(error @ StoreError::Ambiguous { .. }))
                    if tried.unknown.is_none() =>
                {
                    tried.unknown = Some(error);
                }
                Ok(Some(verdict)) => return Ok(verdict),
                Err(error) => return Err(error),
            }
            n_tried += 1;
        }
        match last {
            Some(error @ StoreError::DuplicateKey { .. }) => Err(error.into()),
            _ => Err(Error::LostRaces { attempts: n_tried + n_taken_along }),
        }
    }

    /// After a lost race: takes in what was newer, and lets go of a taken number.
    async fn catch_up(
        &self,
        tenant: &Tenant,
        error: &StoreError,
        number: &mut Option<TicketNumber>,
    ) -> Result<()> {
        match error {
            StoreError::Conflict(conflict) => {
                // An agent is read whole: this engine may not have known it.
                let stream = conflict.stream;
                let mut streams = vec![stream];
                if stream.kind != StreamKind::Config && is_in_snapshot(stream) {
                    streams = streams_of(AgentId(stream.id)).to_vec();
                }
                self.take_streams(tenant, &streams).await
            }
            StoreError::DuplicateKey { key } => {
                if key.kind() == "number" {
                    *number = None;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The command with a language that it leaves to be guessed before anything is loaded by
    /// it; `None` where it leaves none.
    pub(crate) fn with_language(&self, job: &Job<'_>, tenant: &Tenant) -> Option<Box<Call>> {
        let guess = |text: &str| {
            let desk = tenant.snapshot().desk;
            let guess = guess_language(text, desk.languages());
            guess.filter(|_| self.inner.guesses_language).map(|guess| guess.code)
        };
        let command = with_language(&job.call.command, guess)?;
        Some(Box::new(Call { command, ..job.call.clone() }))
    }

    /// The first outcome of a command that was done before. The snapshot takes in
    /// what it did: another engine may have done it, or a commit whose end is not known.
    pub(crate) async fn replay(
        &self,
        tenant: &Tenant,
        earlier: &CommandRecord,
        sha256: &str,
    ) -> Result<Done> {
        if earlier.sha256 != sha256 {
            return Err(StoreError::KeyReused { command_id: earlier.id }.into());
        }
        let kept = Kept::of(earlier)?;
        let mut events = Vec::new();
        for &(stream, first, last) in &kept.events {
            let mut after = first - 1;
            while after < last {
                let limit = usize::try_from(last - after).map_or(PAGE_MAX, |n| n.min(PAGE_MAX));
                let source = EventSource::Stream { stream, after };
                let query = EventQuery::new(tenant.id, source, limit);
                let page = self.inner.store.events(&query).await?;
                let Some(row) = page.rows.last() else { break };
                after = row.n;
                events.extend(page.rows.into_iter().map(|row| row.entry));
            }
        }
        let streams: Vec<StreamId> = kept.events.iter().map(|(stream, _, _)| *stream).collect();
        self.take_if_readable(tenant, &streams).await;
        let version = version_of(&kept.made, &kept.versions());
        let outcome = Outcome { events, version, replayed: true, ..Outcome::of(kept.made) };
        Ok(Done { outcome, timers: Vec::new() })
    }
}

impl Outcome {
    /// Of a decision that leaves everything as it is.
    pub(crate) fn of_no_change(decision: Decision) -> Self {
        Self { trace: decision.trace, ..Self::of(decision.made) }
    }

    pub(crate) fn of(made: Made) -> Self {
        Self {
            made,
            version: None,
            events: Vec::new(),
            trace: Trace::default(),
            replayed: false,
            each: Vec::new(),
            n_left: 0,
        }
    }
}

/// Tells of an attempt that was denied, by its code: who, what, under which id.
pub(crate) fn tell_denied(job: &Job<'_>, code: Option<Code>) {
    if code == Some(Code::Forbidden) {
        tracing::warn!(
            tenant = %job.actor.tenant,
            actor = ?job.actor.id,
            command = job.call.command.name(),
            command_id = %job.call.command_id,
            "access_denied"
        );
    }
}

/// What is to be said of a call of which a commit may have been done: that, unless the error
/// says what became of it.
pub(crate) fn or_unknown(error: Error, unknown: Option<StoreError>) -> Error {
    match error {
        Error::Store(StoreError::KeyReused { .. } | StoreError::StaleLease) => error,
        error => unknown.map_or(error, Error::from),
    }
}

/// The span of a command; its code is recorded when it ends.
pub(crate) fn command_span(job: &Job<'_>) -> tracing::Span {
    tracing::debug_span!(
        "command",
        tenant = %job.actor.tenant,
        command = job.call.command.name(),
        command_id = %job.call.command_id,
        code = tracing::field::Empty,
    )
}

/// Refuses commands that only the engine gives.
pub(crate) fn refuse_own(command: &Command) -> Result<()> {
    let message = match command {
        Command::FireTimer(_) | Command::SeekAgent(_) => {
            "timers are fired by `tick`, agents sought by `rebalance`"
        }
        Command::EraseFromTicket(_) => "`erase_person` erases a person from every ticket",
        _ => return Ok(()),
    };
    Err(Rejection::new(Code::Forbidden, message).into())
}

pub(crate) fn give_back(tenant: &Tenant, number: Option<TicketNumber>) {
    if let Some(TicketNumber { prefix, n }) = number {
        tenant.give_numbers(&prefix, [n]);
    }
}

pub(crate) fn version_of(made: &Made, versions: &[(StreamId, Version)]) -> Option<Version> {
    let article = || made.article.map(StreamId::article);
    let stream = made.ticket.map(StreamId::case).or_else(article)?;
    versions.iter().find(|(s, _)| *s == stream).map(|(_, version)| *version)
}

/// Whether a ticket was opened, and so has its number.
pub(crate) fn opens(events: &[NewEvent]) -> bool {
    events.iter().any(|event| matches!(event.event, Event::Opened { .. }))
}

fn used_number(result: &Result<Verdict>) -> bool {
    match result {
        Ok(Err(_)) => false,
        Ok(Ok(done)) => opens(&done.outcome.events),
        // It may have been used.
        Err(Error::Store(StoreError::Ambiguous { .. })) => true,
        Err(_) => false,
    }
}

/// What a command's id stands for, as it is kept with its outcome; nothing where none is kept.
///
/// # Errors
///
/// As [`request_hash`].
pub(crate) fn hash_of(job: &Job<'_>) -> Result<String> {
    match job.is_internal() {
        true => Ok(String::new()),
        false => request_hash(job.actor, &job.call.command),
    }
}

/// SHA-256 of actor id and command in canonical JSON (serde's field order, maps
/// sorted), hex.
pub(crate) fn request_hash(actor: &Actor, command: &Command) -> Result<String> {
    use sha2::{Digest, Sha256};
    let json = serde_json::to_vec(&(actor.kind, actor.id, command)).map_err(|error| {
        Rejection::new(Code::Invalid, format!("the command cannot be written as JSON: {error}"))
    })?;
    Ok(hex(&Sha256::digest(json)))
}

/// When a command's outcome may be forgotten.
pub(crate) fn expires_at(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(TimeDelta::days(COMMAND_DAYS)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
