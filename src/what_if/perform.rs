//! Does again what somebody did, with whoever has the ticket now.

use super::history::Deed;
use super::parts::{asked, is_in, leave_out, opening, status_key};
use super::replay::{agent_actor, system};
use crate::engine::{Call, Helpdesk, Outcome};
use crate::error::{Error, Result};
use helpdesk_core::actor::{Actor, ActorKind, Author};
use helpdesk_core::case::Case;
use helpdesk_core::command::{
    Acknowledge, AddNote, Assign, Command, DeEscalate, Escalate, OfferTicket, OnTicket, OpenTicket,
    RejectOffer, Reply, RouteAgain, SetDue, SetStatus, Snooze, UpdateTicket,
};
use helpdesk_core::event::AssignedHow;
use helpdesk_core::id::{AgentId, Key, TenantId, TicketId, derived_command_id};
use helpdesk_core::ticket::change::Change;
use helpdesk_core::ticket::message::{MessageKind, MessageMeta};
use helpdesk_core::ticket::status::StatusCategory;
use helpdesk_core::what_if::input::{Act, Input};
use helpdesk_storage::StoreExt;
use std::collections::BTreeMap;

/// What stands for a text that was redacted: a character without a word.
pub(super) const NO_TEXT: &str = "\u{200b}";
/// Times that a command is tried again without the parts that did not fit.
const PARTS_RETRIES_MAX: usize = 4;

/// A private engine, and who is who in it.
pub(super) struct Performer {
    pub(super) desk: Helpdesk,
    pub(super) tenant: TenantId,
    /// The private engine's id of each recorded ticket.
    pub(super) ids: BTreeMap<TicketId, TicketId>,
    pub(super) n_refused: u64,
    pub(super) n_unanswered: u64,
}

/// What is done now, and to which ticket.
#[derive(Clone, Copy)]
struct Now<'d> {
    deed: &'d Deed,
    /// The private engine's id of the ticket.
    ticket: TicketId,
}

impl Performer {
    pub(super) fn new(desk: Helpdesk, tenant: TenantId) -> Self {
        Self { desk, tenant, ids: BTreeMap::new(), n_refused: 0, n_unanswered: 0 }
    }

    /// Does it again. What does not fit is counted and left out.
    pub(super) async fn perform(&mut self, deed: &Deed) -> Result<()> {
        let act = &deed.input.act;
        if let Act::Open { ticket, first, changes, queue } = act {
            let opening = opening(ticket, first.as_ref(), changes, queue.clone(), deed);
            return self.open(deed, first.as_ref(), opening).await;
        }
        let Some(&ticket) = self.ids.get(&deed.ticket) else {
            // Its opening was refused, and so is what came after.
            self.n_refused += 1;
            return Ok(());
        };
        let Some(case) = self.case(ticket).await? else { return Ok(()) };
        let now = Now { deed, ticket };
        if is_work(&deed.input) && self.somebody(&case).await?.is_none() {
            self.n_unanswered += 1;
            return Ok(());
        }
        match act {
            Act::Write { message, status } => {
                self.write(now, &case, message, status.as_ref()).await
            }
            Act::Take { agent, how } => self.take(now, &case, *agent, *how).await,
            Act::Release if case.ticket.assignee.is_none() => Ok(()),
            Act::Reject { reason } => self.reject(now, &case, reason).await,
            Act::Offer { agent } => self.offer(now, &case, *agent).await,
            Act::Change { changes } => self.change(now, changes.clone()).await,
            Act::Escalate | Act::DeEscalate { .. } | Act::Acknowledge { .. } => {
                self.watch(now, &case, act).await
            }
            act => match self.by_host(ticket, act).await? {
                Some(command) => self.order(now, "act", &system(self.tenant), command).await,
                None => Ok(()),
            },
        }
    }

    /// What the host does for whoever did it: it needs no agent.
    async fn by_host(&self, ticket: TicketId, act: &Act) -> Result<Option<Command>> {
        let on = OnTicket { ticket };
        Ok(Some(match act {
            Act::Status { to, category } => {
                let desk = self.desk.tenant(self.tenant).await?.snapshot().desk;
                let to = status_key(&desk, to, *category);
                Command::SetStatus(SetStatus { ticket, to })
            }
            Act::Release => Command::Unassign(on),
            Act::Route { queue } => {
                Command::RouteAgain(RouteAgain { ticket, queue: queue.clone() })
            }
            Act::Snooze { until } => Command::Snooze(Snooze { ticket, until: *until }),
            Act::Wake => Command::Wake(on),
            Act::Spam(true) => Command::MarkSpam(on),
            Act::Spam(false) => Command::UnmarkSpam(on),
            Act::Delete(true) => Command::DeleteTicket(on),
            Act::Delete(false) => Command::RestoreTicket(on),
            Act::SetDue { metric, to } => {
                Command::SetDue(SetDue { ticket, metric: metric.clone(), to: *to })
            }
            _ => return Ok(None),
        }))
    }

    async fn open(
        &mut self,
        deed: &Deed,
        first: Option<&MessageMeta>,
        opening: OpenTicket,
    ) -> Result<()> {
        let actor = match first.map(|message| message.author) {
            Some(Author::Agent { id }) if self.knows(id).await? => agent_actor(self.tenant, id),
            Some(Author::Bot { id }) => bot_actor(self.tenant, id),
            _ => system(self.tenant),
        };
        let command = Command::OpenTicket(opening);
        if let Some(outcome) = self.give_what_fits(deed, "open", &actor, command).await? {
            self.ids.extend(outcome.made.ticket.map(|ticket| (deed.ticket, ticket)));
        }
        Ok(())
    }

    async fn write(
        &mut self,
        now: Now<'_>,
        case: &Case,
        message: &MessageMeta,
        status: Option<&(Key, StatusCategory)>,
    ) -> Result<()> {
        let Some(actor) = self.author(now, case, message).await? else {
            self.n_unanswered += 1;
            return Ok(());
        };
        let ticket = now.ticket;
        let text = now.deed.text.clone().unwrap_or_else(|| NO_TEXT.to_owned());
        let attachments = message.attachments.clone();
        if message.kind != MessageKind::PublicReply {
            let command = Command::AddNote(AddNote { ticket, text, attachments });
            return self.order(now, "note", &actor, command).await;
        }
        let desk = self.desk.tenant(self.tenant).await?.snapshot().desk;
        let status = status.map(|(to, category)| status_key(&desk, to, *category));
        let mut reply = Reply {
            ticket,
            text,
            html: None,
            attachments,
            status: status.clone(),
            channel: Some(message.channel),
            external_id: None,
        };
        let first = self.give(now.deed, "reply", &actor, Command::Reply(reply.clone()));
        match (first.await, status) {
            (Ok(_), _) => Ok(()),
            // The answer counts, though its status does not fit.
            (Err(Error::Rejected(_)), Some(to)) => {
                reply.status = None;
                self.order(now, "answer", &actor, Command::Reply(reply)).await?;
                let set = Command::SetStatus(SetStatus { ticket, to });
                self.order(now, "status", &system(self.tenant), set).await
            }
            (Err(Error::Rejected(_)), None) => {
                self.n_refused += 1;
                Ok(())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Who writes a message now; `None` when nobody of the ticket's group is there.
    async fn author(
        &mut self,
        now: Now<'_>,
        case: &Case,
        message: &MessageMeta,
    ) -> Result<Option<Actor>> {
        Ok(match message.author {
            Author::Contact { id } => {
                let takes_part = case.ticket.has_participant(id);
                let id = if takes_part { id } else { case.ticket.requester };
                Some(Actor::requester(self.tenant, id))
            }
            Author::Bot { id } => Some(bot_actor(self.tenant, id)),
            Author::System => Some(system(self.tenant)),
            Author::Agent { id } => {
                let answers = message.kind == MessageKind::PublicReply;
                let agent = self.answerer(now, case, id, answers).await?;
                agent.map(|agent| agent_actor(self.tenant, agent))
            }
        })
    }

    /// The agent who answers in the place of `author`: whoever has the ticket, where
    /// the author had it; else the author; else somebody of the ticket's group, who
    /// takes it if somebody had it then.
    async fn answerer(
        &mut self,
        now: Now<'_>,
        case: &Case,
        author: AgentId,
        answers: bool,
    ) -> Result<Option<AgentId>> {
        let holder = now.deed.input.holder;
        let has = case.ticket.assignee;
        if let Some(has) = has.filter(|_| holder == Some(author)) {
            return Ok(Some(has));
        }
        if let Some(offer) = case.offer.as_ref().filter(|_| answers && holder == Some(author)) {
            self.accept(now, offer.agent).await?;
            return Ok(Some(offer.agent));
        }
        let found = match self.fits(case, author).await? {
            true => Some(author),
            false => self.somebody(case).await?,
        };
        if let Some(agent) = found.filter(|_| answers && has.is_none() && holder.is_some()) {
            self.assign(now, agent).await?;
        }
        Ok(found)
    }

    async fn take(
        &mut self,
        now: Now<'_>,
        case: &Case,
        agent: AgentId,
        how: AssignedHow,
    ) -> Result<()> {
        let fits = self.fits(case, agent).await?;
        let by_hand = matches!(how, AssignedHow::ByHand | AssignedHow::Macro);
        if by_hand && fits {
            return self.assign(now, agent).await;
        }
        if case.ticket.assignee.is_some() || !case.ticket.category.is_unsolved() {
            return Ok(());
        }
        if let Some(offer) = &case.offer {
            return self.accept(now, offer.agent).await;
        }
        let taker = if fits { Some(agent) } else { self.stand_in(case).await? };
        let Some(taker) = taker else { return Ok(()) };
        let on = OnTicket { ticket: now.ticket };
        match by_hand {
            true => self.assign(now, taker).await,
            false => {
                let actor = agent_actor(self.tenant, taker);
                self.order(now, "claim", &actor, Command::Claim(on)).await
            }
        }
    }

    async fn accept(&mut self, now: Now<'_>, agent: AgentId) -> Result<()> {
        let command = Command::AcceptOffer(OnTicket { ticket: now.ticket });
        self.order(now, "accept", &agent_actor(self.tenant, agent), command).await
    }

    async fn assign(&mut self, now: Now<'_>, agent: AgentId) -> Result<()> {
        let command = Command::Assign(Assign { ticket: now.ticket, agent });
        self.order(now, "assign", &system(self.tenant), command).await
    }

    async fn reject(&mut self, now: Now<'_>, case: &Case, reason: &str) -> Result<()> {
        let Some(offer) = &case.offer else { return Ok(()) };
        let (ticket, reason) = (now.ticket, reason.to_owned());
        let command = Command::RejectOffer(RejectOffer { ticket, reason });
        self.order(now, "reject", &agent_actor(self.tenant, offer.agent), command).await
    }

    async fn offer(&mut self, now: Now<'_>, case: &Case, agent: AgentId) -> Result<()> {
        if case.ticket.assignee.is_some() || !case.ticket.category.is_unsolved() {
            return Ok(());
        }
        let fits = self.fits(case, agent).await?;
        let agent = if fits { Some(agent) } else { self.stand_in(case).await? };
        let Some(agent) = agent else { return Ok(()) };
        let command =
            Command::Offer(OfferTicket { ticket: now.ticket, agent, timeout_seconds: None });
        self.order(now, "offer", &system(self.tenant), command).await
    }

    async fn change(&mut self, now: Now<'_>, changes: Vec<Change>) -> Result<()> {
        let command = Command::UpdateTicket(UpdateTicket { ticket: now.ticket, changes });
        self.give_what_fits(now.deed, "change", &system(self.tenant), command).await.map(|_| ())
    }

    /// What agents do with escalations.
    async fn watch(&mut self, now: Now<'_>, case: &Case, act: &Act) -> Result<()> {
        let Some(agent) = self.somebody(case).await? else {
            self.n_unanswered += 1;
            return Ok(());
        };
        let ticket = now.ticket;
        let command = match act {
            Act::DeEscalate { .. } => {
                let note = now.deed.text.clone().unwrap_or_else(|| NO_TEXT.to_owned());
                Command::DeEscalate(DeEscalate { ticket, note })
            }
            Act::Acknowledge { undo } => Command::Acknowledge(Acknowledge { ticket, undo: *undo }),
            _ => Command::Escalate(Escalate { ticket, step: None, note: None }),
        };
        self.order(now, "watch", &agent_actor(self.tenant, agent), command).await
    }

    /// Gives a command; one that does not fit is counted.
    async fn order(
        &mut self,
        now: Now<'_>,
        what: &str,
        actor: &Actor,
        command: Command,
    ) -> Result<()> {
        match self.give(now.deed, what, actor, command).await {
            Ok(_) => {}
            Err(Error::Rejected(_)) => self.n_refused += 1,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Gives a command, and again without the parts that it was refused for. Each
    /// refusal is counted.
    async fn give_what_fits(
        &mut self,
        deed: &Deed,
        what: &str,
        actor: &Actor,
        mut command: Command,
    ) -> Result<Option<Outcome>> {
        for n in 0..=PARTS_RETRIES_MAX {
            match self.give(deed, &format!("{what}{n}"), actor, command.clone()).await {
                Ok(outcome) => return Ok(Some(outcome)),
                Err(Error::Rejected(rejection)) => {
                    self.n_refused += 1;
                    if !leave_out(&rejection, &mut command) {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Gives a command under an id that is the same in every replay.
    async fn give(
        &self,
        deed: &Deed,
        what: &str,
        actor: &Actor,
        command: Command,
    ) -> Result<Outcome> {
        let at = deed.input.at;
        let position = deed.input.position.to_be_bytes();
        let micros = at.timestamp_micros().to_be_bytes();
        let parts: [&[u8]; 5] =
            [b"what_if", deed.ticket.0.as_bytes(), &position, &micros, what.as_bytes()];
        self.desk.execute(actor, Call::new(derived_command_id(&parts), command), at).await
    }

    async fn case(&self, ticket: TicketId) -> Result<Option<Case>> {
        let found = self.desk.inner.store.get_case(self.tenant, ticket).await?;
        Ok(found.map(|(_, case)| *case))
    }

    async fn knows(&self, agent: AgentId) -> Result<bool> {
        let snapshot = self.desk.tenant(self.tenant).await?.snapshot();
        Ok(snapshot.roster.active(agent).is_some())
    }

    /// Who has the ticket, else who could.
    async fn somebody(&self, case: &Case) -> Result<Option<AgentId>> {
        match case.ticket.assignee {
            Some(has) => Ok(Some(has)),
            None => self.stand_in(case).await,
        }
    }

    /// Whether the agent is one of those whom the ticket's queue asks.
    async fn fits(&self, case: &Case, agent: AgentId) -> Result<bool> {
        let snapshot = self.desk.tenant(self.tenant).await?.snapshot();
        let asked = asked(&snapshot.desk, &case.ticket);
        Ok(snapshot.roster.active(agent).is_some_and(|entry| is_in(entry, &asked)))
    }

    /// Who of those asked has the most room: online before others, fewest units, id.
    async fn stand_in(&self, case: &Case) -> Result<Option<AgentId>> {
        let snapshot = self.desk.tenant(self.tenant).await?.snapshot();
        let asked = asked(&snapshot.desk, &case.ticket);
        let active = snapshot.roster.agents.values().filter(|entry| entry.agent.active);
        let fit = active.filter(|entry| is_in(entry, &asked));
        let channel = case.ticket.channel;
        let best = fit.min_by_key(|entry| {
            (entry.presence.state(channel), entry.load.total(), entry.agent.id)
        });
        Ok(best.map(|entry| entry.agent.id))
    }
}

/// Whether it takes somebody to do it again, who may not be there now.
fn is_work(input: &Input) -> bool {
    let is_agents = matches!(input.by, ActorKind::Agent | ActorKind::Import);
    is_agents && !matches!(input.act, Act::Write { .. } | Act::Spam(_) | Act::Delete(_))
}

fn bot_actor(tenant: TenantId, id: AgentId) -> Actor {
    Actor::bot(tenant, id).with_roles(Key::new("admin"))
}
