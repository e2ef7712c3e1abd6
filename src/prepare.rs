//! Commands that the host commits in a transaction of its own.
//!
//! The decision is the engine's, the commit the host's. So the engine remembers nothing of what it
//! prepared, and takes what was committed as it takes what another engine did.

use crate::attempt::Ready;
use crate::change_set::{change_set, is_no_change};
use crate::engine::{
    COMMIT_RETRIES_MAX, Call, Helpdesk, Job, Kept, Outcome, give_back, opens, refuse_own,
    request_hash, tell_denied, version_of,
};
use crate::error::{Error, Result};
use crate::snapshot::{Tenant, is_in_snapshot, streams_of};
use crate::spans::coded;
use chrono::{DateTime, Utc};
use helpdesk_core::actor::Actor;
use helpdesk_core::case::record::RecordKey;
use helpdesk_core::command::Command;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{AgentId, TicketNumber, Version};
use helpdesk_storage::{ChangeSet, Committed};

/// A command that is decided and not done: see [`Helpdesk::prepare`]. Dropped, it never was.
#[derive(Debug)]
#[must_use = "nothing is done until the host commits the change set"]
pub struct Prepared {
    change_set: ChangeSet,
    outcome: Outcome,
}

impl Prepared {
    /// What the backend's `in_tx` is to commit, once: nothing is in it where nothing is to be done.
    #[must_use]
    pub fn change_set(&self) -> &ChangeSet {
        &self.change_set
    }

    /// Whether the command had been done before, with what the host committed then: its change
    /// set does nothing.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.outcome.replayed
    }

    /// What the command did, by what `in_tx` answered: it holds once the host's transaction is
    /// committed. Where the command was done after it was prepared, by somebody else under its id,
    /// that outcome, without its events.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] where what was kept of an outcome cannot be read.
    pub fn into_outcome(self, committed: &Committed) -> Result<Outcome> {
        if let Some(earlier) = &committed.replayed {
            let kept = Kept::of(earlier)?;
            let version = version_of(&kept.made, &kept.versions());
            return Ok(Outcome { version, replayed: true, ..Outcome::of(kept.made) });
        }
        let version = version_of(&self.outcome.made, &committed.versions);
        Ok(Outcome { version: version.or(self.outcome.version), ..self.outcome })
    }
}

impl Helpdesk {
    /// Decides a command as [`execute`](Self::execute) does, and leaves the commit to the host, for
    /// whom it stands or falls with rows of its own: `in_tx` of
    /// [`storage::sqlite`](helpdesk_storage) or `storage::postgres` commits the change set in the host's
    /// transaction. Nothing changes before that is committed, and nothing is left of what is rolled
    /// back or dropped but a gap in the numbers of tickets.
    ///
    /// Prepare first, then begin the transaction: on SQLite whoever leases numbers waits for it.
    /// The change set expects everything as it was; when something changed meanwhile, `in_tx`
    /// answers with a lost race ([`StoreError::is_lost_race`](helpdesk_storage::StoreError::is_lost_race))
    /// and the host prepares again. Of several that one transaction commits, each must be about other
    /// things than those before it, agents who are given work included. A command id is kept with the
    /// commit, so a second call with it does nothing, by whatever way.
    ///
    /// The engine sees what was committed as it sees what another engine did, at its next use; so do
    /// those beside it.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # helpdesk::block_on(async {
    /// use helpdesk::core::actor::{Actor, Capability};
    /// use helpdesk::core::command::{ApplyConfig, Command};
    /// use helpdesk::storage::sqlite::rusqlite::{Connection, TransactionBehavior};
    /// use helpdesk::storage::sqlite::in_tx;
    /// use helpdesk::{Call, Helpdesk, SqliteOptions, SqliteStore};
    /// # use helpdesk::core::id::{CommandId, TenantId};
    /// # use uuid::Uuid;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("shop.db");
    /// # let now = "2026-11-20T09:00:00Z".parse()?;
    /// # let system = Actor::system(TenantId(Uuid::from_u128(1)), Capability::ActAsSystem);
    /// # let document = serde_json::json!({});
    /// let desk = Helpdesk::builder()
    ///     .with_store(SqliteStore::open(&path, SqliteOptions::default())?)
    ///     .build()?;
    /// # desk.execute(&system, Command::ApplyConfig(ApplyConfig { document }), now).await?;
    /// let mut conn = Connection::open(&path)?;
    /// conn.execute_batch("CREATE TABLE shop_order (id INTEGER PRIMARY KEY, ticket TEXT)")?;
    ///
    /// let open: Command = serde_json::from_value(serde_json::json!({
    ///     "type": "receive", "channel": "form", "external_id": "order-20471",
    ///     "from": {"identity": {"kind": "email", "value": "anna@example.com"}},
    ///     "subject": "Order 20471", "text": "It has to be checked by hand.",
    /// }))?;
    /// let call = Call::new(CommandId(Uuid::from_u128(20471)), open);
    /// let prepared = desk.prepare(&system, call, now).await?;
    ///
    /// let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    /// let committed = in_tx(&tx).commit(prepared.change_set())?;
    /// let outcome = prepared.into_outcome(&committed)?;
    /// let number = outcome.made.number.map(|number| number.to_string());
    /// tx.execute("INSERT INTO shop_order (id, ticket) VALUES (20471, ?1)", [&number])?;
    /// tx.commit()?;
    /// assert_eq!(number.as_deref(), Some("HD-1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute), and nothing changed in any case. [`Error::Rejected`] also for a
    /// command of many commits: on many tickets, `rebalance`, `erase_person`.
    pub async fn prepare(
        &self,
        actor: &Actor,
        call: impl Into<Call>,
        now: DateTime<Utc>,
    ) -> Result<Prepared> {
        let call = call.into();
        actor.check()?;
        refuse_own(&call.command)?;
        let is_of_many = matches!(call.command, Command::ErasePerson(_) | Command::Rebalance(_));
        if is_of_many || call.command.one_by_one().is_some() {
            let message = format!("`{}` is many commits: execute it", call.command.name());
            return Err(Rejection::new(Code::Invalid, message).into());
        }
        let job = Job { actor, call: &call, now, lease: None };
        let span = tracing::debug_span!(
            "prepare",
            tenant = %actor.tenant,
            command = call.command.name(),
            command_id = %call.command_id,
            code = tracing::field::Empty,
        );
        let prepared = coded(span, self.prepare_job(&job)).await;
        tell_denied(&job, prepared.as_ref().err().map(Error::code));
        prepared
    }

    async fn prepare_job(&self, job: &Job<'_>) -> Result<Prepared> {
        let tenant = self.tenant(job.actor.tenant).await?;
        let sha256 = request_hash(job.actor, &job.call.command)?;
        let named = self.with_language(job, &tenant);
        let job = &named.as_ref().map_or(*job, |call| Job { call, ..*job });
        self.skip_imported_number(job, &tenant).await?;
        let mut number = None;
        let prepared = self.prepare_once_current(job, &tenant, &sha256, &mut number).await;
        let is_used = prepared.as_ref().is_ok_and(|it| opens(&it.change_set.events));
        give_back(&tenant, number.filter(|_| !is_used));
        prepared
    }

    /// Decides until what was decided on is what stands: no lost race will tell the engine that
    /// what it knows of agents is old.
    async fn prepare_once_current(
        &self,
        job: &Job<'_>,
        tenant: &Tenant,
        sha256: &str,
        number: &mut Option<TicketNumber>,
    ) -> Result<Prepared> {
        let mut is_fresh = !self.inner.store.capabilities().is_shared;
        for _ in 0..=COMMIT_RETRIES_MAX {
            let decided = match self.ready(job, tenant, sha256, number, Tenant::snapshot).await {
                Ok(Ready::Before(done)) => return Ok(nothing_to_do(job, done.outcome)),
                Ok(Ready::Now(looked)) => {
                    let snapshot = tenant.snapshot();
                    let Some(decided) = self.decide(job, &looked, &snapshot) else { continue };
                    decided.map(|it| (it, snapshot.config_version)).map_err(Error::from)
                }
                Err(error) => Err(error),
            };
            let (decision, config_version) = match decided {
                // Another engine, or a host, may have made what this one does not know yet.
                Err(Error::Rejected(_)) if !is_fresh => {
                    self.refresh(tenant.id).await?;
                    is_fresh = true;
                    continue;
                }
                decided => decided?,
            };
            let config = (StreamId::config(tenant.id), config_version);
            if !self.is_current(tenant, config, &decision.expect).await? {
                continue;
            }
            if is_no_change(&decision) {
                return Ok(nothing_to_do(job, Outcome::of_no_change(decision)));
            }
            self.keep_wholes(job, &decision.wholes).await?;
            let (change_set, outcome) = change_set(job, config_version, decision, sha256);
            return Ok(Prepared { change_set, outcome });
        }
        Err(Error::LostRaces { attempts: COMMIT_RETRIES_MAX + 1 })
    }

    /// Whether configuration and agents stand as a decision expects them. Where they do not,
    /// they are read anew.
    async fn is_current(
        &self,
        tenant: &Tenant,
        config: (StreamId, Version),
        expect: &[(StreamId, Version)],
    ) -> Result<bool> {
        let agents = expect
            .iter()
            .copied()
            .filter(|(stream, _)| is_in_snapshot(*stream) && stream.kind != StreamKind::Config);
        let known: Vec<(StreamId, Version)> = [config].into_iter().chain(agents).collect();
        let keys: Vec<RecordKey> =
            known.iter().map(|(stream, _)| RecordKey::Stream(*stream)).collect();
        let found = self.inner.store.get(tenant.id, &keys).await?;
        let actual = found.iter().map(|stored| stored.as_ref().map_or(0, |stored| stored.version));
        if known.iter().map(|(_, version)| *version).eq(actual) {
            return Ok(true);
        }
        let streams: Vec<StreamId> = known
            .iter()
            .flat_map(|(stream, _)| match stream.kind {
                StreamKind::Config => vec![*stream],
                _ => streams_of(AgentId(stream.id)).to_vec(),
            })
            .collect();
        self.take_streams(tenant, &streams).await?;
        Ok(false)
    }
}

/// Of a command that was done before, or leaves everything as it is.
fn nothing_to_do(job: &Job<'_>, outcome: Outcome) -> Prepared {
    let change_set = ChangeSet::new(job.actor.tenant, job.call.command_id, job.now);
    Prepared { change_set, outcome }
}
