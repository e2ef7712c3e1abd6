//! Scripts: steps as data, the outcome a readable line for each.
//!
//! In a step's JSON `"#1"` stands for the ticket with that number, `"@amy"` for
//! the agent, contact or organization of that name. A configuration may carry
//! `"agents": {"amy": {…}}`, which are created first; one with `"online": true`
//! is online from the start.

use crate::render::{self, Names};
use crate::state;
use chrono::{DateTime, TimeDelta, Utc};
use expect_test::Expect;
use helpdesk::blocking::Helpdesk;
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::command::Command;
use helpdesk::core::fault::Code;
use helpdesk::core::id::{AgentId, CommandId, ContactId, TenantId};
use helpdesk::core::query::{Answer, Query};
use helpdesk::notify::{DeliveryError, Recorder};
use helpdesk::search::{FullTextIndex, TicketIndex};
use helpdesk::storage::Store;
use helpdesk::storage::postgres::{PostgresOptions, PostgresStore};
use helpdesk::storage::sqlite::Synchronous;
use helpdesk::{Builder, Call, Error, MemoryStore, Outcome, SqliteOptions, SqliteStore};
use helpdesk_test_support::postgres as test_server;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// The tenant of every script.
pub(crate) const TENANT: TenantId = TenantId(Uuid::from_u128(1));

/// One step of a script.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A message comes in.
    Mail(Value),
    /// Somebody gives a command.
    Do(&'static str, Value),
    /// The same, expecting this version of the ticket.
    DoAt(&'static str, u64, Value),
    /// The same, under this command id.
    DoAs(&'static str, u128, Value),
    /// Somebody asks; these fields of the answer are shown.
    Ask(&'static str, Value, &'static [&'static str]),
    /// Indexes are brought up to date.
    Index,
    /// Time passes.
    Tick,
    /// The outbox is delivered.
    Deliver,
    /// The next deliveries fail, for now or for good.
    Fail(usize, bool),
    /// Dead letters go back into the outbox.
    Redrive,
}

pub(crate) fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

pub(crate) fn mail(from: &str, subject: &str, text: &str) -> Step {
    mail_with(from, subject, text, json!({}))
}

/// A mail with more than sender, subject and text.
pub(crate) fn mail_with(from: &str, subject: &str, text: &str, more: Value) -> Step {
    let mut message = json!({
        "channel": "email", "from": sender(from), "subject": subject, "text": text,
    });
    merge(&mut message, more);
    Step::Mail(message)
}

pub(crate) fn sender(address: &str) -> Value {
    json!({"identity": {"kind": "email", "value": address}})
}

pub(crate) fn merge(into: &mut Value, more: Value) {
    let (Value::Object(into), Value::Object(more)) = (into, more) else { return };
    into.extend(more);
}

/// A command about a ticket.
pub(crate) fn on(who: &'static str, kind: &str, ticket: &str) -> Step {
    Step::Do(who, json!({"type": kind, "ticket": ticket}))
}

pub(crate) fn reply(who: &'static str, ticket: &str, text: &str) -> Step {
    Step::Do(who, json!({"type": "reply", "ticket": ticket, "text": text}))
}

pub(crate) fn note(who: &'static str, ticket: &str, text: &str) -> Step {
    Step::Do(who, json!({"type": "add_note", "ticket": ticket, "text": text}))
}

pub(crate) fn set_status(who: &'static str, ticket: &str, to: &str) -> Step {
    Step::Do(who, json!({"type": "set_status", "ticket": ticket, "to": to}))
}

pub(crate) fn change(who: &'static str, ticket: &str, changes: Value) -> Step {
    Step::Do(who, json!({"type": "update_ticket", "ticket": ticket, "changes": changes}))
}

pub(crate) fn assign(who: &'static str, ticket: &str, agent: &str) -> Step {
    Step::Do(who, json!({"type": "assign", "ticket": ticket, "agent": agent}))
}

pub(crate) fn offer(who: &'static str, ticket: &str, agent: &str) -> Step {
    Step::Do(who, json!({"type": "offer", "ticket": ticket, "agent": agent}))
}

pub(crate) fn presence(who: &'static str, status: &str) -> Step {
    Step::Do(who, json!({"type": "set_presence", "status": status}))
}

pub(crate) fn run_macro(who: &'static str, ticket: &str, key: &str) -> Step {
    Step::Do(who, json!({"type": "run_macro", "ticket": ticket, "key": key}))
}

pub(crate) fn take_next(who: &'static str) -> Step {
    Step::Do(who, json!({"type": "take_next"}))
}

/// A configuration without the agents that scripts put beside it.
pub(crate) fn without_agents(mut config: Value) -> Value {
    if let Some(sections) = config.as_object_mut() {
        sections.remove("agents");
    }
    config
}

/// Applies a configuration; its agents stay who they are.
pub(crate) fn apply_config(document: Value) -> Step {
    let document = without_agents(document);
    Step::Do("sys", json!({"type": "apply_config", "document": document}))
}

/// Shows fields of a ticket, as the host sees it.
pub(crate) fn show(ticket: &'static str, fields: &'static [&'static str]) -> Step {
    Step::Ask("sys", json!({"type": "get_ticket", "ticket": {"id": ticket}}), fields)
}

/// Runs a script in memory and on SQLite, which must agree, checks the laws that
/// hold at the end of every script, and compares the outcome.
pub(crate) fn check(config: Value, script: &[(&str, Step)], expected: &Expect) {
    let mut in_memory = Kit::new(Arc::new(MemoryStore::default()), config.clone());
    let lines = in_memory.run(script);
    let mut on_sqlite = Kit::new(Arc::new(sqlite()), config);
    assert_eq!(lines, on_sqlite.run(script), "memory and SQLite disagree");
    for kit in [&in_memory, &on_sqlite] {
        state::check_laws(&*kit.store, TENANT);
    }
    expected.assert_eq(&lines.join("\n"));
}

pub(crate) fn sqlite() -> SqliteStore {
    SqliteStore::open_in_memory(SqliteOptions::default()).unwrap()
}

/// One database that several engines open, each for itself.
pub(crate) struct Shared(Box<dyn Fn() -> Arc<dyn Store> + Send + Sync>);

impl Shared {
    /// A SQLite file.
    pub(crate) fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self(Box::new(move || sqlite_at(&dir.path().join("desk.db"))))
    }

    /// A schema of its own on a PostgreSQL server.
    pub(crate) fn postgres() -> Self {
        let (address, schema) = (test_server::shared().unwrap(), test_server::fresh_schema());
        Self(Box::new(move || {
            let options = PostgresOptions::default().with_schema(&schema).unwrap();
            let open = PostgresStore::open(&address, options.with_connections(4));
            Arc::new(helpdesk::block_on(open).unwrap())
        }))
    }

    pub(crate) fn open(&self) -> Arc<dyn Store> {
        (self.0)()
    }
}

/// A database that several engines may open.
pub(crate) fn sqlite_at(path: &Path) -> Arc<SqliteStore> {
    let options = SqliteOptions::default().with_synchronous(Synchronous::Off);
    Arc::new(SqliteStore::open(path, options).unwrap())
}

/// An empty store in memory, and one on SQLite.
pub(crate) fn stores() -> [Arc<dyn Store>; 2] {
    [Arc::new(MemoryStore::default()), Arc::new(sqlite())]
}

/// One desk and the names of what is in it.
#[derive(Debug)]
pub(crate) struct Kit {
    pub(crate) desk: Helpdesk,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) names: Names,
    pub(crate) recorder: Recorder,
    n_mails: u32,
    pub(crate) n_commands: u128,
}

impl Kit {
    /// A desk with this configuration and its agents.
    pub(crate) fn new(store: Arc<dyn Store>, config: Value) -> Self {
        let mut kit = Self::bare(store);
        kit.configure(config);
        kit
    }

    /// The same with an index of tickets.
    pub(crate) fn indexed(store: Arc<dyn Store>, config: Value, index: Arc<TicketIndex>) -> Self {
        let mut kit = Self::with(store, Builder::default().with_ticket_index(index));
        kit.configure(config);
        kit
    }

    /// The same with an index of articles.
    pub(crate) fn knowing(store: Arc<dyn Store>, config: Value, index: FullTextIndex) -> Self {
        let mut kit = Self::with(store, Builder::default().with_article_index(Arc::new(index)));
        kit.configure(config);
        kit
    }

    /// A desk without a configuration.
    pub(crate) fn bare(store: Arc<dyn Store>) -> Self {
        Self::with(store, Builder::default())
    }

    fn with(store: Arc<dyn Store>, builder: Builder) -> Self {
        let recorder = Recorder::new();
        let engine = builder
            .with_shared_store(store.clone())
            .with_notifier(recorder.clone())
            .with_language_guessing(false)
            .build()
            .unwrap();
        let desk = Helpdesk::from(engine);
        Self { desk, store, names: Names::default(), recorder, n_mails: 0, n_commands: 0 }
    }

    pub(crate) fn configure(&mut self, mut config: Value) {
        let start = at("2026-11-20T08:00:00Z");
        let agents = config.as_object_mut().and_then(|c| c.remove("agents")).unwrap_or_default();
        self.execute("sys", json!({"type": "apply_config", "document": config}), start).unwrap();
        for (i, (name, agent)) in agents.as_object().into_iter().flatten().enumerate() {
            let mut agent = agent.clone();
            let online = agent.as_object_mut().unwrap().remove("online");
            let id = Uuid::from_u128(0xA000 + i as u128);
            merge(&mut agent, json!({"type": "create_agent", "id": id, "name": name}));
            self.execute("sys", agent, start).unwrap();
            if online == Some(json!(true)) {
                let set = json!({"type": "set_presence", "agent": id, "status": "online"});
                self.execute("sys", set, start).unwrap();
            }
        }
    }

    pub(crate) fn run(&mut self, script: &[(&str, Step)]) -> Vec<String> {
        let script: Vec<_> = script.iter().map(|(time, step)| (at(time), step)).collect();
        script
            .into_iter()
            .map(|(now, step)| {
                let line = self.step(step, now);
                format!("{} {line}", render::time(now)).trim_end().to_owned()
            })
            .collect()
    }

    /// Who is called so: `sys`, `import`, an agent, a contact; `bot:amy` is a bot,
    /// `admin:amy` an agent in another role.
    pub(crate) fn actor(&self, who: &str) -> Actor {
        match who {
            "sys" => return Actor::system(TENANT, Capability::ActAsSystem),
            "visitor" => return Actor::visitor(TENANT),
            "import" => return Actor::system(TENANT, Capability::ActAsImport),
            _ => {}
        }
        if let Some((name, organization)) = who.split_once(" of ") {
            return self.actor(name).with_organization(self.names.id(organization).into());
        }
        let (role, name) = who.split_once(':').unwrap_or(("", who));
        let id = self.names.id(name);
        let actor = match (role, self.names.is_agent(id)) {
            ("bot", _) => return Actor::bot(TENANT, AgentId(id)),
            (_, true) => Actor::agent(TENANT, AgentId(id)),
            (_, false) => Actor::requester(TENANT, ContactId(id)),
        };
        match role {
            "" => actor,
            role => actor.with_roles([role.parse().unwrap()]),
        }
    }

    pub(crate) fn step(&mut self, step: &Step, now: DateTime<Utc>) -> String {
        match step {
            Step::Mail(message) => {
                let result = self.receive(message.clone(), now);
                self.line(result)
            }
            Step::Do(who, command) => {
                let result = self.execute(who, command.clone(), now);
                self.line(result)
            }
            Step::DoAt(who, version, command) => {
                let command = self.command(command.clone());
                let call = self.call(command).expecting(*version);
                let result = self.desk.execute(&self.actor(who), call, now);
                self.line(result)
            }
            Step::DoAs(who, id, command) => {
                let call =
                    Call::new(CommandId(Uuid::from_u128(*id)), self.command(command.clone()));
                let result = self.desk.execute(&self.actor(who), call, now);
                self.line(result)
            }
            Step::Ask(who, query, fields) => match self.ask(who, query.clone(), now) {
                Ok(answer) => {
                    let answer = self.names.in_words(serde_json::to_value(answer).unwrap());
                    render::picked(&answer, fields)
                }
                Err(error) => refused(&error),
            },
            Step::Index => {
                self.desk.index(10_000).unwrap();
                "indexed".to_owned()
            }
            Step::Tick => self.tick(now),
            Step::Deliver => self.deliver(now),
            Step::Fail(n, for_now) => {
                let reason = "the line is down".to_owned();
                let error = match for_now {
                    true => DeliveryError::Transient { reason, retry_after: None },
                    false => DeliveryError::Permanent { reason },
                };
                self.recorder.fail_next(*n, &error);
                format!("{n} deliveries will fail")
            }
            Step::Redrive => {
                format!("{} redriven", self.desk.redrive(TENANT, Vec::new(), now).unwrap())
            }
        }
    }

    pub(crate) fn ask(&self, who: &str, query: Value, now: DateTime<Utc>) -> Result<Answer, Error> {
        let query: Query = serde_json::from_value(self.names.in_ids(query)).unwrap();
        self.desk.query(&self.actor(who), query, now)
    }

    /// A command with names in it.
    pub(crate) fn command(&self, command: Value) -> Command {
        let command = self.names.in_ids(command);
        serde_json::from_value(command.clone()).unwrap_or_else(|e| panic!("{e}: {command}"))
    }

    fn call(&mut self, command: Command) -> Call {
        self.n_commands += 1;
        Call::new(CommandId(Uuid::from_u128(0xC000_0000 + self.n_commands)), command)
    }

    pub(crate) fn execute(
        &mut self,
        who: &str,
        command: Value,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Error> {
        let command = self.command(command);
        let call = self.call(command);
        let outcome = self.desk.execute(&self.actor(who), call, now)?;
        self.names.learn(&outcome.events);
        Ok(outcome)
    }

    pub(crate) fn receive(
        &mut self,
        mut message: Value,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Error> {
        self.n_mails += 1;
        if message.get("external_id").is_none() {
            message["external_id"] = json!(format!("<mail-{}@x>", self.n_mails));
        }
        let message = serde_json::from_value(self.names.in_ids(message)).unwrap();
        let outcome = self.desk.receive(TENANT, message, now)?;
        self.names.learn(&outcome.events);
        Ok(outcome)
    }

    fn tick(&mut self, now: DateTime<Utc>) -> String {
        let before = state::last_position(&*self.store, TENANT);
        let report = match self.desk.tick(now, 10_000) {
            Ok(report) => report,
            Err(error) => return refused(&error),
        };
        let events = state::events_after(&*self.store, TENANT, before);
        let mut lines = Vec::new();
        let mut last = None;
        for event in &events {
            let words = self.names.event(event);
            if words.is_empty() {
                continue;
            }
            match last == Some(event.at) {
                true => lines.push(words),
                false => lines.push(format!("{} {words}", render::time(event.at))),
            }
            last = Some(event.at);
        }
        let dropped = match report.dropped {
            0 => String::new(),
            n => format!(", {n} dropped"),
        };
        match lines.is_empty() {
            true => format!("tick: nothing{dropped}"),
            false => format!("tick: {}{dropped}", lines.join("; ")),
        }
    }

    fn deliver(&mut self, now: DateTime<Utc>) -> String {
        let n_before = self.recorder.attempts().len();
        let report = self.desk.deliver(now, 10_000).unwrap();
        let mut parts: Vec<String> = self.recorder.attempts()[n_before..]
            .iter()
            .map(|notification| self.names.notification(notification))
            .collect();
        if report.retried > 0 {
            parts.push(format!("{} retried", report.retried));
        }
        if report.dead > 0 {
            parts.push(format!("{} dead", report.dead));
        }
        match report.next_due {
            Some(due) if due > now => {
                let wait = due - now;
                // Jitter is a tenth of the wait at most.
                let about = TimeDelta::seconds((wait.num_seconds() + 2) / 5 * 5);
                parts.push(format!("next in about {} s", about.num_seconds()));
            }
            _ => {}
        }
        match parts.is_empty() {
            true => "delivered nothing".to_owned(),
            false => format!("delivered {}", parts.join("; ")),
        }
    }

    fn line(&mut self, result: Result<Outcome, Error>) -> String {
        match result {
            Ok(outcome) => {
                self.names.learn(&outcome.events);
                self.names.outcome(&outcome)
            }
            Err(error) => refused(&error),
        }
    }
}

/// `refused: code path`, all of them where there are several.
pub(crate) fn refused(error: &Error) -> String {
    let body = error.body();
    let one = |code: Code, path: &str| format!("{code} {path}").trim_end().to_owned();
    let mut text = match body.errors.is_empty() {
        true => one(body.code, body.path.as_deref().unwrap_or_default()),
        false => {
            let all: Vec<String> = body.errors.iter().map(|f| one(f.code, &f.path)).collect();
            all.join(", ")
        }
    };
    if let Some(actual) = body.actual {
        text.push_str(&format!(" (at version {actual})"));
    }
    format!("refused: {text}")
}
