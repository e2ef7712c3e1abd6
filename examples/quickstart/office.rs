//! The desk of the day: an engine on SQLite, its clock, and who is who.

use crate::day::{COLLEAGUES, Failure, Mail, Step};
use crate::{Result, Trouble, trouble};
use chrono::{DateTime, Utc};
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::command::{
    ApplyConfig, Command, CreateAgent, OnTicket, RejectOffer, Reply, RunMacro, SetPresence,
    UpdateTicket,
};
use helpdesk::core::contact::{Identity, IdentityKind};
use helpdesk::core::id::{AgentId, Key, TenantId, TicketId, TicketNumber, derived_command_id};
use helpdesk::core::intake::inbound::InboundMessage;
use helpdesk::core::query::{Answer, OneTicket, Query, TicketName, TicketView};
use helpdesk::core::report::{Report, ReportQuery};
use helpdesk::core::ticket::change::Change;
use helpdesk::core::ticket::priority::{Channel, Level, SkillLevel};
use helpdesk::core::{desk::from_toml, fault::Fault};
use helpdesk::notify::{DeliveryError, Recorder};
use helpdesk::search::{FullTextIndex, IndexOptions};
use helpdesk::{Call, Helpdesk, Outcome, SqliteOptions, SqliteStore, blocking};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Timers and messages that a step may fire and deliver.
const STEP_MAX: usize = 1_000;

/// A ticket as it was when it came in.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) mail: &'static Mail,
    pub(crate) at: DateTime<Utc>,
    pub(crate) outcome: Outcome,
    pub(crate) view: TicketView,
    /// The external id of the last message of its conversation.
    last_message: String,
}

/// Messages tried again and given up.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    pub(crate) retried: u64,
    pub(crate) dead: u64,
}

/// The desk at work.
#[derive(Debug)]
pub(crate) struct Office {
    pub(crate) desk: blocking::Helpdesk,
    pub(crate) tenant: TenantId,
    pub(crate) recorder: Recorder,
    pub(crate) failures: Failures,
    /// By number.
    pub(crate) opened: BTreeMap<u64, Opened>,
    pub(crate) now: DateTime<Utc>,
    n_calls: u64,
}

impl Office {
    /// Opens the desk on a database in this folder.
    pub(crate) fn open(folder: &Path, config: &str, now: DateTime<Utc>) -> Result<Self> {
        let recorder = Recorder::new();
        let store = SqliteStore::open(folder.join("desk.db"), SqliteOptions::default())?;
        let articles = FullTextIndex::open(folder.join("articles"), &IndexOptions::default())?;
        let engine = Helpdesk::builder()
            .with_store(store)
            .with_notifier(recorder.clone())
            .with_article_index(Arc::new(articles))
            .build()?;
        let mut office = Self {
            desk: engine.into(),
            tenant: TenantId(Uuid::from_u128(1)),
            recorder,
            failures: Failures::default(),
            opened: BTreeMap::new(),
            now,
            n_calls: 0,
        };
        let document = from_toml(config).map_err(|fault| Trouble(fault.to_string()))?;
        let system = office.system();
        office.execute(&system, Command::ApplyConfig(ApplyConfig { document }))?;
        for (i, colleague) in (1u128..).zip(COLLEAGUES) {
            let skill =
                |(name, level): &(&str, u8)| Ok(SkillLevel { skill: key(name)?, level: *level });
            let create = CreateAgent {
                id: Some(AgentId(Uuid::from_u128(i))),
                name: colleague.name.to_owned(),
                email: None,
                roles: Vec::new(),
                groups: colleague.groups.iter().map(|name| key(name)).collect::<Result<_>>()?,
                skills: colleague.skills.iter().map(skill).collect::<Result<_>>()?,
                languages: Vec::new(),
                capacity: helpdesk::core::agent::Capacity {
                    total: colleague.capacity,
                    ..Default::default()
                },
                tier: None,
                shift: None,
                manager: None,
            };
            office.execute(&system, Command::CreateAgent(create))?;
        }
        Ok(office)
    }

    /// The host itself.
    pub(crate) fn system(&self) -> Actor {
        Actor::system(self.tenant, Capability::ActAsSystem)
    }

    /// The command under an id that is the same in every run.
    pub(crate) fn execute(&mut self, actor: &Actor, command: Command) -> Result<Outcome> {
        self.n_calls += 1;
        let id = derived_command_id(&[b"day", &self.n_calls.to_be_bytes()]);
        Ok(self.desk.execute(actor, Call::new(id, command), self.now)?)
    }

    /// Time passes: what is due until then is fired and delivered.
    pub(crate) fn at(&mut self, now: DateTime<Utc>) -> Result<()> {
        self.now = now;
        self.desk.tick(now, STEP_MAX)?;
        self.deliver()
    }

    fn deliver(&mut self) -> Result<()> {
        let report = self.desk.deliver(self.now, STEP_MAX)?;
        self.failures.retried += report.retried;
        self.failures.dead += report.dead;
        Ok(())
    }

    /// Somebody does something; then timers fire that it set, and messages go out.
    pub(crate) fn step(&mut self, step: &'static Step) -> Result<()> {
        match step {
            Step::Comes(mail) => self.comes(mail)?,
            Step::Answers(n, text) => drop(self.answers(*n, text)?),
            Step::Arrives(name) => self.presence(name, "online")?,
            Step::Leaves(name) => self.presence(name, "offline")?,
            Step::MailFails(failure) => {
                self.recorder.fail_next(1, &error(*failure));
                return Ok(());
            }
            _ => self.works(step)?,
        }
        self.at(self.now)
    }

    /// What an agent does with a ticket that it has, or is offered.
    fn works(&mut self, step: &Step) -> Result<()> {
        let (n, command) = match step {
            Step::Replies(n, text, status) => (*n, self.reply(*n, text, status)?),
            Step::Accepts(n) => (*n, Command::AcceptOffer(self.on(*n)?)),
            Step::Rejects(n, reason) => {
                let ticket = self.id(*n)?;
                (*n, Command::RejectOffer(RejectOffer { ticket, reason: (*reason).to_owned() }))
            }
            Step::Solves(n) => (*n, Command::Solve(self.on(*n)?)),
            Step::Runs(n, name) => {
                let run = RunMacro { ticket: self.id(*n)?, key: key(name)? };
                (*n, Command::RunMacro(run))
            }
            Step::Rates(n, impact, urgency) => {
                let changes = vec![
                    Change::SetImpact { to: Level::from_word(impact) },
                    Change::SetUrgency { to: Level::from_word(urgency) },
                ];
                (*n, Command::UpdateTicket(UpdateTicket { ticket: self.id(*n)?, changes }))
            }
            Step::Comes(_)
            | Step::Answers(..)
            | Step::Arrives(_)
            | Step::Leaves(_)
            | Step::MailFails(_) => return Ok(()),
        };
        let view = self.view(n)?;
        let Some(agent) = view.offer.map(|offer| offer.agent).or(view.ticket.assignee) else {
            return trouble(format!("nobody has LB-{n} at {}", self.now));
        };
        self.execute(&Actor::agent(self.tenant, agent), command)?;
        Ok(())
    }

    fn comes(&mut self, mail: &'static Mail) -> Result<()> {
        let external_id = format!("<{}@outside.example>", self.opened.len() + 1);
        let mut message = self.inbound(mail, &external_id, mail.text)?;
        if !mail.subject.is_empty() {
            message.subject = Some(mail.subject.to_owned());
        }
        let outcome = self.desk.receive(self.tenant, message, self.now)?;
        let n = outcome.made.number.as_ref().map_or(0, |number| number.n);
        let view = self.view(n)?;
        let opened = Opened { mail, at: self.now, outcome, view, last_message: external_id };
        self.opened.insert(n, opened);
        Ok(())
    }

    /// The requester answers the last message of a ticket.
    pub(crate) fn answers(&mut self, n: u64, text: &str) -> Result<Outcome> {
        let Some(opened) = self.opened.get(&n) else { return trouble(format!("no LB-{n}")) };
        let external_id = format!("<{n}.{}@outside.example>", self.now.timestamp());
        let mut message = self.inbound(opened.mail, &external_id, text)?;
        message.in_reply_to = Some(opened.last_message.clone());
        Ok(self.desk.receive(self.tenant, message, self.now)?)
    }

    fn inbound(&self, mail: &Mail, external_id: &str, text: &str) -> Result<InboundMessage> {
        let channel = Channel::from_word(mail.channel)
            .ok_or_else(|| Trouble(format!("no channel `{}`", mail.channel)))?;
        let mut from = Identity::email(mail.address);
        if channel == Channel::Chat {
            from.kind = IdentityKind::Handle;
        }
        let mut message = InboundMessage::new(channel, external_id, from, text);
        message.from.name = Some(mail.name.to_owned());
        if channel == Channel::Email {
            message.mailbox = Some(key("help")?);
        }
        Ok(message)
    }

    fn reply(&mut self, n: u64, text: &str, status: &str) -> Result<Command> {
        let external_id = format!("<{n}.{}@lumen.example>", self.now.timestamp());
        if let Some(opened) = self.opened.get_mut(&n) {
            opened.last_message.clone_from(&external_id);
        }
        Ok(Command::Reply(Reply {
            ticket: self.id(n)?,
            text: text.to_owned(),
            html: None,
            attachments: Vec::new(),
            status: Some(key(status)?),
            channel: None,
            external_id: Some(external_id),
        }))
    }

    fn presence(&mut self, name: &str, status: &str) -> Result<()> {
        let Some((id, _)) = (1u128..).zip(COLLEAGUES).find(|(_, c)| c.name == name) else {
            return trouble(format!("nobody is called {name}"));
        };
        let actor = Actor::agent(self.tenant, AgentId(Uuid::from_u128(id)));
        let set = SetPresence { agent: None, channels: None, status: key(status)?, until: None };
        self.execute(&actor, Command::SetPresence(set))?;
        Ok(())
    }

    fn on(&self, n: u64) -> Result<OnTicket> {
        Ok(OnTicket { ticket: self.id(n)? })
    }

    fn id(&self, n: u64) -> Result<TicketId> {
        Ok(self.view(n)?.ticket.id)
    }

    /// A ticket as it is now.
    pub(crate) fn view(&self, n: u64) -> Result<TicketView> {
        match self.ask(Query::GetTicket { ticket: named(n) })? {
            Answer::Ticket(OneTicket::Full(view)) => Ok(view),
            other => trouble(format!("a ticket was expected, not {other:?}")),
        }
    }

    /// A report.
    pub(crate) fn report(&self, query: ReportQuery) -> Result<Report> {
        match self.ask(Query::Report(query))? {
            Answer::Report(report) => Ok(report),
            other => trouble(format!("a report was expected, not {other:?}")),
        }
    }

    /// The answer to a query of the host.
    pub(crate) fn ask(&self, query: Query) -> Result<Answer> {
        Ok(self.desk.query(&self.system(), query, self.now)?)
    }
}

fn error(failure: Failure) -> DeliveryError {
    match failure {
        Failure::Busy => DeliveryError::Transient {
            reason: "the mail server is busy".to_owned(),
            retry_after: None,
        },
        Failure::NoSuchAddress => {
            DeliveryError::Permanent { reason: "the mail server knows no such address".to_owned() }
        }
    }
}

/// A ticket by its number.
pub(crate) fn named(n: u64) -> TicketName {
    TicketName::Number(TicketNumber { prefix: "LB".into(), n })
}

/// The agent's name.
pub(crate) fn name_of(id: AgentId) -> &'static str {
    let mut ids = (1u128..).zip(COLLEAGUES);
    ids.find(|(i, _)| id.0 == Uuid::from_u128(*i)).map_or("?", |(_, colleague)| colleague.name)
}

/// A key of the configuration.
pub(crate) fn key(text: &str) -> Result<Key> {
    Key::new(text).map_err(|fault: Fault| Trouble(fault.to_string()))
}
