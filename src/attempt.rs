//! One attempt at a command: load, decide, commit.
//!
//! A decision that changes what agents hold takes a [turn](crate::turns); the others are committed
//! at once, each for itself.

use crate::change_set::{change_set, is_no_change};
use crate::engine::{Done, Helpdesk, Job, Outcome, Verdict, version_of};
use crate::error::{Error, Result};
use crate::load::{Case, no_tenant};
use crate::snapshot::{Snapshot, Tenant, is_kept, streams_of};
use crate::spans::{code_of, coded, step_span};
use crate::turns::{AtWork, InTurn, Leading, Seen, Turn, Work};
use helpdesk_core::agent::RosterEntry;
use helpdesk_core::case::record::{Record, RecordKey, TimerOp};
use helpdesk_core::command::Command;
use helpdesk_core::decide::{Context, Decision, GuessedLanguage, Loaded, decide, wants_language};
use helpdesk_core::desk::Desk;
use helpdesk_core::event::StreamId;
use helpdesk_core::fault::Rejection;
use helpdesk_core::id::{AgentId, TicketNumber, Version};
use helpdesk_core::prediction::Prediction;
use helpdesk_search::guess_language;
use helpdesk_storage::{ChangeSet, Committed, StoreError};
use std::sync::Arc;

/// What there is to do for a command.
pub(crate) enum Ready {
    /// Nothing: it had been done before.
    Before(Box<Done>),
    /// This is to be decided.
    Now(Box<Looked>),
}

/// What a decision looks at, but for the snapshot.
pub(crate) struct Looked {
    loaded: Loaded,
    number: Option<TicketNumber>,
    language: Option<GuessedLanguage>,
    predictions: Vec<Prediction>,
    config_version: Version,
    /// For whom a candidate was sought, and as what they were known. Their version does not say
    /// it: what they were about to hold may not have come to be.
    taker: Option<(AgentId, Option<RosterEntry>)>,
}

impl Looked {
    /// Whether it was loaded with this, found or not.
    pub(crate) fn has_asked(&self, stream: StreamId) -> bool {
        self.loaded.was_asked(&RecordKey::Stream(stream))
    }
}

/// What a decision came to.
pub(crate) type Decided = std::result::Result<Decision, Rejection>;

/// A decision that is to take a turn.
pub(crate) struct Proposal {
    pub(crate) decided: Decided,
    /// What it was made on.
    pub(crate) seen: Seen,
    /// Whether those behind it stand or fall with it in any case: they take effect in their order.
    pub(crate) leads: bool,
    /// The one before it that it stands or falls with in any case.
    pub(crate) behind: Option<Turn>,
}

/// What a turn is to bring.
enum Turned {
    Refused(Rejection),
    NoChange(Decision),
    Done {
        outcome: Outcome,
        timers: Vec<TimerOp>,
        /// Whether all that it changes of the snapshot is seen by those who decide next.
        is_ahead: bool,
    },
    /// It was decided on what is old.
    Stale,
}

/// A decision in its turn, on its way to be committed.
pub(crate) struct Begun<'t> {
    /// `None` where it is to be decided after somebody before it.
    turned: Option<Turned>,
    turn: InTurn<'t>,
    /// What it is about to write.
    pub(crate) written: Vec<StreamId>,
}

impl Begun<'_> {
    /// Its turn, where there is something to commit in it.
    pub(crate) fn committing(&self) -> Option<Turn> {
        matches!(self.turned, Some(Turned::Done { .. })).then(|| self.turn.turn())
    }

    /// Whether the rules of the desk refuse it.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.turned, Some(Turned::Refused(_)))
    }

    /// The timers that it sets and drops, where others may be decided before it is committed: on
    /// what agents will hold, and on nothing else that it changes.
    pub(crate) fn timers_ahead(&self) -> Option<&[TimerOp]> {
        match &self.turned {
            Some(Turned::Done { timers, is_ahead: true, .. }) => Some(timers),
            // Nothing changes.
            Some(Turned::Refused(_) | Turned::NoChange(_)) => Some(&[]),
            Some(Turned::Done { .. } | Turned::Stale) | None => None,
        }
    }
}

impl Helpdesk {
    /// `None` where what it was decided on changed meanwhile, or did not come to be.
    pub(crate) async fn attempt(
        &self,
        job: &Job<'_>,
        tenant: &Arc<Tenant>,
        sha256: &str,
        number: &mut Option<TicketNumber>,
    ) -> Result<Option<Verdict>> {
        let looked = match self.ready(job, tenant, sha256, number, Tenant::ahead).await? {
            Ready::Before(done) => return Ok(Some(Ok(*done))),
            Ready::Now(looked) => looked,
        };
        let (decided, seen) = tenant.look(|snapshot| self.decide(job, &looked, snapshot));
        let Some(decided) = decided else { return Ok(None) };
        if let Ok(decision) = &decided {
            self.keep_wholes(job, &decision.wholes).await?;
        }
        if seen.is_ahead() || decided.as_ref().is_ok_and(changes_loads) {
            let proposal = Proposal { decided, seen, leads: false, behind: None };
            let begun = self.begin_in_turn(job, tenant, &looked, proposal, sha256);
            return self.end_in_turn(job, tenant, begun, sha256).await;
        }
        match decided {
            Err(rejection) => Ok(Some(Err(rejection))),
            Ok(decision) if is_nothing(&decision, job) => Ok(Some(Ok(no_change(decision)))),
            Ok(decision) => {
                let version = looked.config_version;
                self.commit(job, tenant, version, decision, sha256).await.map(|done| Some(Ok(done)))
            }
        }
    }

    /// Loads what a command looks at, by what `view` shows of the tenant.
    pub(crate) async fn ready(
        &self,
        job: &Job<'_>,
        tenant: &Tenant,
        sha256: &str,
        number: &mut Option<TicketNumber>,
        view: fn(&Tenant) -> Snapshot,
    ) -> Result<Ready> {
        let Job { actor, call, .. } = job;
        self.see_taker(job, tenant).await?;
        // Its agents are not kept: whoever changes them meanwhile would have to copy them.
        let Snapshot { desk, config_version, .. } = view(tenant);
        if config_version == 0 && !matches!(call.command, Command::ApplyConfig(_)) {
            return Err(no_tenant(actor.tenant).into());
        }
        let load = self.load(std::slice::from_ref(job), tenant, &desk, view);
        let case = coded(step_span!("load", job), load).await?.pop().unwrap_or_default();
        if let Some(earlier) = &case.earlier {
            let done = self.replay(tenant, earlier, sha256).await?;
            return Ok(Ready::Before(Box::new(done)));
        }
        if number.is_none() && call.command.may_open() {
            *number = Some(self.number(tenant, desk.number_prefix()).await?);
        }
        let looked = self.looked(job, &desk, config_version, case, number.clone());
        Ok(Ready::Now(Box::new(looked)))
    }

    /// What a decision looks at, of what was loaded for it.
    pub(crate) fn looked(
        &self,
        job: &Job<'_>,
        desk: &Desk,
        config_version: Version,
        case: Case,
        number: Option<TicketNumber>,
    ) -> Looked {
        let Job { actor, call, .. } = job;
        let wanted = wants_language(&call.command).filter(|_| self.inner.guesses_language);
        Looked {
            loaded: case.loaded,
            number,
            language: wanted.and_then(|text| guess_language(text, desk.languages())),
            predictions: self.predictions(actor.tenant, desk, &call.command),
            config_version,
            taker: case.taker,
        }
    }

    /// Decides on a snapshot; `None` where something else would have been loaded by it.
    pub(crate) fn decide(
        &self,
        job: &Job<'_>,
        looked: &Looked,
        snapshot: &Snapshot,
    ) -> Option<Decided> {
        let is_of_this = looked.config_version == snapshot.config_version
            && looked
                .taker
                .as_ref()
                .is_none_or(|(agent, known)| snapshot.roster.get(*agent) == known.as_ref());
        if !is_of_this {
            return None;
        }
        let context = Context {
            index: snapshot.index.as_deref(),
            language: looked.language.clone(),
            predictions: &looked.predictions,
            expected_version: job.call.expected_version,
            file_bytes_max: self.inner.blobs.as_ref().map(|_| self.inner.file_bytes_max),
            ..context_of(job, snapshot, looked.number.clone())
        };
        let span = step_span!("decide", job);
        let decided = span.in_scope(|| decide(&looked.loaded, &job.call.command, &context));
        let code = decided.as_ref().map_or_else(|rejection| rejection.code.as_str(), |_| "ok");
        span.record("code", code);
        Some(decided)
    }

    /// Commits a decision that nobody else's depends on.
    async fn commit(
        &self,
        job: &Job<'_>,
        tenant: &Tenant,
        config_version: Version,
        decision: Decision,
        sha256: &str,
    ) -> Result<Done> {
        let timers = decision.timers.clone();
        let kept = kept_of(&decision);
        let (change_set, outcome) = change_set(job, config_version, decision, sha256);
        let touched: Vec<StreamId> = change_set.expect.iter().map(|e| e.stream).collect();
        let commit = async { Ok(self.inner.store.commit(change_set).await?) };
        let committed = match coded(step_span!("commit", job), commit).await {
            // It may have been done, or was decided on what is old: whoever decides
            // next must not look past it. All at once, else each retry meets the next.
            Err(error @ Error::Store(StoreError::Ambiguous { .. } | StoreError::Conflict(_))) => {
                self.take_if_readable(tenant, &touched).await;
                return Err(error);
            }
            committed => committed?,
        };
        if let Some(earlier) = &committed.replayed {
            return self.replay(tenant, earlier, sha256).await;
        }
        tenant.held_mut().take_commit(tenant.id, kept, &committed);
        Ok(done(outcome, timers, &committed))
    }

    /// Takes a turn: decides, anew where something changed since.
    pub(crate) fn begin_in_turn<'t>(
        &self,
        job: &Job<'_>,
        tenant: &'t Arc<Tenant>,
        looked: &Looked,
        Proposal { decided, seen, leads, behind }: Proposal,
        sha256: &str,
    ) -> Begun<'t> {
        let mut written = Vec::new();
        let (turned, turn) = tenant.take_turn(seen, behind, |changed| {
            let decided = match changed {
                Some(snapshot) => self.decide(job, looked, snapshot),
                None => Some(decided),
            };
            match decided {
                None => (Turned::Stale, Work::default()),
                Some(Err(rejection)) => (Turned::Refused(rejection), Work::default()),
                Some(Ok(decision)) if is_nothing(&decision, job) => {
                    (Turned::NoChange(decision), Work::default())
                }
                Some(Ok(decision)) => {
                    let timers = decision.timers.clone();
                    let kept = kept_of(&decision);
                    let version = looked.config_version;
                    let (change_set, outcome) = change_set(job, version, decision, sha256);
                    written.extend(change_set.put.iter().filter_map(Record::stream));
                    let change_set = Some(change_set);
                    let is_ahead = kept.iter().all(|record| matches!(record, Record::Load(_)));
                    (Turned::Done { outcome, timers, is_ahead }, Work { change_set, kept, leads })
                }
            }
        });
        Begun { turned, turn, written }
    }

    /// Waits until what was decided in turn is committed.
    pub(crate) async fn end_in_turn(
        &self,
        job: &Job<'_>,
        tenant: &Arc<Tenant>,
        Begun { turned, turn, .. }: Begun<'_>,
        sha256: &str,
    ) -> Result<Option<Verdict>> {
        let commit = |leading| -> AtWork {
            let desk = self.clone();
            Box::pin(async move { desk.commit_for_all(leading).await })
        };
        let end = async { Ok(turn.end(&commit).await?) };
        let committed = coded(step_span!("commit", job), end).await?;
        if let Some(earlier) = committed.as_ref().and_then(|it| it.replayed.as_ref()) {
            return self.replay(tenant, earlier, sha256).await.map(|done| Some(Ok(done)));
        }
        Ok(match (turned, committed) {
            (Some(Turned::Refused(rejection)), _) => Some(Err(rejection)),
            (Some(Turned::NoChange(decision)), _) => Some(Ok(no_change(decision))),
            (Some(Turned::Done { outcome, timers, .. }), Some(committed)) => {
                Some(Ok(done(outcome, timers, &committed)))
            }
            (Some(Turned::Done { .. } | Turned::Stale) | None, _) => None,
        })
    }

    /// Commits what waits for its turn.
    async fn commit_for_all(&self, mut leading: Leading) {
        let change_sets = leading.take();
        let expected = change_sets.iter().flat_map(|change_set| &change_set.expect);
        let looked: Vec<StreamId> = expected.map(|expect| expect.stream).collect();
        let store = &self.inner.store;
        let results = match <[ChangeSet; 1]>::try_from(change_sets) {
            // It may go into one transaction with those of others.
            Ok([one]) => vec![store.commit(one).await],
            Err(change_sets) if change_sets.is_empty() => Vec::new(),
            Err(change_sets) => store.commit_many(change_sets).await,
        };
        let is_old = |result: &std::result::Result<Committed, StoreError>| {
            matches!(result, Err(StoreError::Ambiguous { .. } | StoreError::Conflict(_)))
        };
        // Before anybody decides again.
        if results.iter().any(is_old) {
            let tenant = leading.tenant().clone();
            self.take_if_readable(&tenant, &looked).await;
        }
        leading.end(results);
    }

    /// As [`take_streams`](Self::take_streams), where what was done does not depend on it: a
    /// snapshot that stays as it is costs the next command a lost race.
    pub(crate) async fn take_if_readable(&self, tenant: &Tenant, streams: &[StreamId]) {
        let taken = self.take_streams(tenant, streams).await;
        if taken.is_err() {
            tracing::debug!(code = code_of(&taken), "the snapshot stays as it is");
        }
    }

    /// Who takes the next ticket is read anew where other engines may have changed
    /// what they hold: to be given nothing is no commit, and so no lost race.
    async fn see_taker(&self, job: &Job<'_>, tenant: &Tenant) -> Result<()> {
        let agent = job.actor.agent_id().filter(|_| self.inner.store.capabilities().is_shared);
        match (&job.call.command, agent) {
            (Command::TakeNext(_), Some(agent)) => {
                self.take_streams(tenant, &streams_of(agent)).await
            }
            _ => Ok(()),
        }
    }
}

/// What every decision on a snapshot is made with; nothing is guessed, no file kept.
pub(crate) fn context_of<'a>(
    job: &Job<'a>,
    snapshot: &'a Snapshot,
    number: Option<TicketNumber>,
) -> Context<'a> {
    Context {
        now: job.now,
        command_id: job.call.command_id,
        actor: job.actor,
        desk: &snapshot.desk,
        config_version: snapshot.config_version,
        roster: &snapshot.roster,
        index: None,
        number,
        language: None,
        predictions: &[],
        expected_version: None,
        file_bytes_max: None,
    }
}

/// Whether others are to be decided on what this one does.
fn changes_loads(decision: &Decision) -> bool {
    decision.records.iter().any(|record| matches!(record, Record::Load(_)))
}

/// Whether there is nothing to commit: a timer that fires is settled in any case.
fn is_nothing(decision: &Decision, job: &Job<'_>) -> bool {
    is_no_change(decision) && job.lease.is_none()
}

fn kept_of(decision: &Decision) -> Vec<Record> {
    decision.records.iter().filter(|record| is_kept(record)).cloned().collect()
}

fn no_change(decision: Decision) -> Done {
    let timers = decision.timers.clone();
    Done { outcome: Outcome::of_no_change(decision), timers }
}

fn done(outcome: Outcome, timers: Vec<TimerOp>, committed: &Committed) -> Done {
    let version = version_of(&outcome.made, &committed.versions);
    Done { outcome: Outcome { version, ..outcome }, timers }
}
