//! What a decision must have loaded: keys first, then what those lead to.

use super::clocks::former_revisions;
use super::conversation_key;
use super::intake::{COPIES_MAX, message_key, normal_id, thread_keys};
use super::loaded::Loaded;
use super::people::{identity_key, normal_domain};
use crate::actor::Actor;
use crate::agent::Roster;
use crate::automation::macros::MacroStep;
use crate::case::Case;
use crate::case::record::{RecordKey, UniqueKey};
use crate::command::{Command, SaveArticle};
use crate::condition::Condition;
use crate::contact::{ContactPatch, Identity, OrganizationPatch};
use crate::desk::Desk;
use crate::event::{StreamId, StreamKind, TimerKind};
use crate::id::{AgentId, ContactId, TicketId};
use crate::intake::inbound::{InboundMessage, Sender};
use crate::routing::next::{
    ForAgent, ToSolveKey, Upcoming, WaitingKey, next_ticket_key, to_solve_key,
};
use crate::ticket::Follower;
use crate::ticket::change::Change;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// The records that a command looks at, as far as its own words name them.
#[must_use]
pub fn needs(command: &Command, actor: &Actor) -> Vec<RecordKey> {
    let mut keys = Vec::new();
    if let Some(organization) = actor.organization {
        keys.push(RecordKey::Stream(StreamId::organization(organization)));
    }
    if let Some(ticket) = command.ticket() {
        keys.push(RecordKey::Stream(StreamId::case(ticket)));
    }
    if let Some(article) = command.article() {
        keys.push(RecordKey::Stream(StreamId::article(article)));
        // Whether a requester may read it depends on their tags.
        keys.extend(actor.contact_id().map(|id| RecordKey::Stream(StreamId::contact(id))));
    }
    let session = command.search_session();
    keys.extend(session.map(|id| RecordKey::Stream(StreamId::search_session(id))));
    named(command, actor, &mut keys);
    keys.sort();
    keys.dedup();
    keys
}

fn named(command: &Command, actor: &Actor, keys: &mut Vec<RecordKey>) {
    let stream = RecordKey::Stream;
    match command {
        Command::Receive(message) => of_inbound(message, keys),
        Command::OpenTicket(open) => {
            let requester = actor.contact_id().or(open.requester);
            keys.extend(requester.map(|id| stream(StreamId::contact(id))));
            of_changes(&open.changes, keys);
        }
        Command::ImportTicket(import) => {
            of_sender(&import.requester, keys);
            let external_id = normal_id(&import.external_id);
            keys.push(RecordKey::Unique(UniqueKey::Imported { external_id }));
        }
        Command::EditNote(edit) => keys.push(RecordKey::Message(edit.ticket, edit.seq)),
        Command::Redact(redact) => keys.push(RecordKey::Message(redact.ticket, redact.seq)),
        Command::AddAttachment(add) => keys.push(RecordKey::Message(add.ticket, add.seq)),
        Command::UpdateTicket(update) => of_changes(&update.changes, keys),
        Command::AddFollower(follow) => match follow.follower {
            Follower::Contact { id } => keys.push(stream(StreamId::contact(id))),
            Follower::Agent { .. } => {}
        },
        Command::TakeNext(take) => {
            keys.extend(take.skip.iter().map(|skip| stream(StreamId::case(skip.ticket))));
        }
        Command::Link(link) | Command::Unlink(link) => keys.push(stream(StreamId::case(link.to))),
        Command::SetParent(set) => keys.extend(set.parent.map(|id| stream(StreamId::case(id)))),
        Command::SetPresence(set) => {
            let agent = set.agent.or(actor.agent_id());
            keys.extend(agent.map(|id| stream(StreamId::presence(id))));
        }
        Command::CreateContact(create) => {
            create.identities.iter().for_each(|identity| of_identity(identity, keys));
            of_patch(&create.details, keys);
        }
        Command::UpdateContact(update) => {
            keys.push(stream(StreamId::contact(update.contact)));
            of_patch(&update.patch, keys);
        }
        Command::JoinContacts(join) => {
            keys.extend([join.from, join.into].map(|id| stream(StreamId::contact(id))));
        }
        Command::ErasePerson(erase) => keys.push(stream(StreamId::contact(erase.contact))),
        Command::EraseFromTicket(erase) => {
            keys.extend(erase.messages.iter().map(|seq| RecordKey::Message(erase.ticket, *seq)));
        }
        Command::CreateOrganization(create) => of_domains(&create.details, keys),
        Command::UpdateOrganization(update) => {
            keys.push(stream(StreamId::organization(update.organization)));
            of_domains(&update.patch, keys);
        }
        Command::CreateAgent(create) => {
            keys.extend(create.id.map(|id| stream(StreamId::agent(id))));
        }
        Command::UpdateAgent(update) => keys.push(stream(StreamId::agent(update.agent))),
        Command::DeactivateAgent(gone) => keys.push(stream(StreamId::agent(gone.agent))),
        Command::ApplyConfig(_) => keys.push(stream(StreamId::config(actor.tenant))),
        Command::FireTimer(fire) => match fire.stream.kind {
            StreamKind::Agent => keys.push(stream(StreamId::presence(AgentId(fire.stream.id)))),
            _ => keys.push(stream(fire.stream)),
        },
        _ => of_article(command, actor, keys),
    }
}

fn of_article(command: &Command, actor: &Actor, keys: &mut Vec<RecordKey>) {
    let stream = RecordKey::Stream;
    match command {
        Command::SaveArticle(save) => {
            if let (None, Some(key), Some(language)) = (save.article, &save.key, &save.language) {
                let (key, language) = (key.clone(), language.clone());
                keys.push(RecordKey::Unique(UniqueKey::Article { key, language }));
            }
        }
        Command::RestoreArticleRevision(it) => {
            keys.push(stream(StreamId::revision(it.article, it.revision)));
        }
        Command::VoteArticle(vote) => {
            keys.extend(StreamId::vote(vote.article, actor.author()).map(stream));
        }
        _ => {}
    }
}

fn of_inbound(message: &InboundMessage, keys: &mut Vec<RecordKey>) {
    of_sender(&message.from, keys);
    message.cc.iter().take(COPIES_MAX).for_each(|sender| of_sender(sender, keys));
    let own = message_key(message.mailbox.as_ref(), &message.external_id);
    keys.push(RecordKey::Unique(own));
    keys.extend(thread_keys(message).into_iter().map(|(key, _)| RecordKey::Unique(key)));
}

fn of_sender(sender: &Sender, keys: &mut Vec<RecordKey>) {
    of_identity(&sender.identity, keys);
}

fn of_identity(identity: &Identity, keys: &mut Vec<RecordKey>) {
    keys.push(RecordKey::Unique(identity_key(identity)));
    if let Some(domain) = identity.clone().normalized().domain() {
        keys.push(RecordKey::Unique(UniqueKey::Domain { domain: domain.to_owned() }));
    }
}

fn of_patch(patch: &ContactPatch, keys: &mut Vec<RecordKey>) {
    patch.add_identities.iter().flatten().for_each(|identity| of_identity(identity, keys));
    if let Some(Some(organization)) = patch.organization {
        keys.push(RecordKey::Stream(StreamId::organization(organization)));
    }
}

fn of_domains(patch: &OrganizationPatch, keys: &mut Vec<RecordKey>) {
    for domain in patch.domains.iter().flatten() {
        keys.push(RecordKey::Unique(UniqueKey::Domain { domain: normal_domain(domain) }));
    }
}

fn of_changes(changes: &[Change], keys: &mut Vec<RecordKey>) {
    for change in changes {
        match change {
            Change::SetRequester { to } => keys.push(RecordKey::Stream(StreamId::contact(*to))),
            Change::SetOrganization { to: Some(to) } => {
                keys.push(RecordKey::Stream(StreamId::organization(*to)));
            }
            _ => {}
        }
    }
}

/// The records that what was loaded leads to. Asked again until it names
/// nothing new: once for nearly every command.
#[must_use]
pub fn needs_more(command: &Command, loaded: &Loaded, desk: &Desk) -> Vec<RecordKey> {
    let mut keys = Vec::new();
    for case in loaded.cases() {
        let ticket = &case.ticket;
        keys.push(RecordKey::Stream(StreamId::contact(ticket.requester)));
        keys.extend(ticket.organization.map(|id| RecordKey::Stream(StreamId::organization(id))));
        let reads_body = desk.watch_needs_body() || may_route(command) && desk.rules_need_body();
        if reads_body && ticket.newest_public_seq > 0 {
            keys.push(RecordKey::Message(ticket.id, ticket.newest_public_seq));
        }
        let revisions = former_revisions(desk, case).into_iter();
        keys.extend(revisions.map(|(_, revision)| RecordKey::ConfigVersion(revision)));
        if matches!(command, Command::SetParent(_)) {
            keys.extend(ticket.parent.map(|id| RecordKey::Stream(StreamId::case(id))));
        }
    }
    for contact in loaded.contacts() {
        let organization = contact.organization.map(StreamId::organization);
        keys.extend(organization.map(RecordKey::Stream));
        keys.extend(
            contact.joined_into.map(|id: ContactId| RecordKey::Stream(StreamId::contact(id))),
        );
    }
    if let Command::RunMacro(run) = command {
        for step in desk.macro_by_key(&run.key).iter().flat_map(|found| &found.steps) {
            if let MacroStep::Change { change } = step {
                of_changes(std::slice::from_ref(change), &mut keys);
            }
        }
    }
    if let Command::SaveArticle(save) = command
        && let Some(article) = save.article.and_then(|id| loaded.article(id))
    {
        let text_of = article.newest.text_of;
        keys.push(RecordKey::Stream(StreamId::revision(article.id, text_of)));
    }
    keys.extend(conversation_key(command, loaded));
    keys.retain(|key| !loaded.was_asked(key));
    keys.sort();
    keys.dedup();
    keys
}

/// Whether the command may try the rules on a ticket that exists.
fn may_route(command: &Command) -> bool {
    matches!(
        command,
        Command::RouteAgain(_)
            | Command::Reopen(_)
            | Command::SetStatus(_)
            | Command::RunMacro(_)
            | Command::Reply(_)
            | Command::FireTimer(_)
    )
}

/// The text whose language the engine should guess before the decision, where
/// the command may open a ticket without naming one.
#[must_use]
pub fn wants_language(command: &Command) -> Option<&str> {
    match command {
        Command::Receive(message) if message.language.is_none() => Some(&message.text),
        Command::OpenTicket(open) => Some(&open.text),
        _ => None,
    }
}

/// The command with the language of a new article that names none, as the engine guesses it
/// from title and body; `None` for every other command, and where nothing can be guessed.
#[must_use]
pub fn with_language(
    command: &Command,
    guess: impl FnOnce(&str) -> Option<String>,
) -> Option<Command> {
    match command {
        Command::SaveArticle(save) if save.article.is_none() && save.language.is_none() => {
            let title = save.title.as_deref().unwrap_or_default();
            let language = guess(&format!("{title}\n{}", save.body.as_deref()?))?;
            let language = Some(language);
            Some(Command::SaveArticle(SaveArticle { language, ..save.clone() }))
        }
        _ => None,
    }
}

/// The subject and the text of a ticket that the command may open, of which models say
/// what it is before the decision.
#[must_use]
pub fn wants_prediction(command: &Command) -> Option<(&str, &str)> {
    match command {
        Command::Receive(message) => {
            Some((message.subject.as_deref().unwrap_or_default(), &message.text))
        }
        Command::OpenTicket(open) => Some((&open.subject, &open.text)),
        _ => None,
    }
}

/// Among which tickets a command looks for one, when it is about no ticket that
/// it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidates {
    /// The next one to solve for this agent, but not the one that is skipped.
    ToSolve {
        /// The agent.
        agent: AgentId,
        /// Not this one.
        but: Option<TicketId>,
    },
    /// The next one that waits and that this agent may be given.
    ToGive {
        /// The agent.
        agent: AgentId,
    },
    /// Any one that this agent holds or is offered, and that is not solved.
    HeldBy {
        /// The agent.
        agent: AgentId,
    },
}

impl Candidates {
    /// The agent.
    #[must_use]
    pub fn agent(self) -> AgentId {
        match self {
            Self::ToSolve { agent, .. } | Self::ToGive { agent } | Self::HeldBy { agent } => agent,
        }
    }
}

/// Among which tickets the command looks for one.
#[must_use]
pub fn candidates(command: &Command, actor: &Actor) -> Option<Candidates> {
    match command {
        Command::TakeNext(take) => {
            let but = take.skip.as_ref().map(|skip| skip.ticket);
            Some(Candidates::ToSolve { agent: actor.agent_id()?, but })
        }
        Command::FireTimer(fire) if fire.stream.kind == StreamKind::Agent => {
            let agent = AgentId(fire.stream.id);
            match fire.kind {
                TimerKind::Drain => Some(Candidates::ToGive { agent }),
                TimerKind::Unload => Some(Candidates::HeldBy { agent }),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A condition that holds for every ticket that waits for an agent, and for others.
#[must_use]
pub fn waiting_condition(desk: &Desk) -> Condition {
    parsed(&waits_for_agent(), desk)
}

fn parsed(source: &Value, desk: &Desk) -> Condition {
    Condition::parse(source, desk.condition_schema()).unwrap_or(Condition::Always)
}

impl Candidates {
    /// A condition that holds for every candidate that somebody has already, and for
    /// others; `None` where all of them wait. An agent without reserved units is
    /// offered nothing.
    #[must_use]
    pub fn held_condition(self, desk: &Desk, roster: &Roster) -> Option<Condition> {
        let source = match self {
            Self::ToGive { .. } => return None,
            Self::ToSolve { agent, .. } => {
                json!({"all": [waits(), {"field": "assignee", "is": agent}]})
            }
            Self::HeldBy { agent } => {
                let is_offered = roster.get(agent).is_some_and(|entry| entry.load.reserved() > 0);
                let held = json!({"field": "assignee", "is": agent});
                let held = match is_offered {
                    true => json!({"any": [held, {"field": "assignee", "unset": true}]}),
                    false => held,
                };
                json!({"all": [held, {"field": "status_category", "not_in": ["solved", "closed"]}]})
            }
        };
        Some(parsed(&source, desk))
    }
}

fn waits() -> Value {
    json!({"field": "status_category", "in": ["new", "open"]})
}

fn waits_for_agent() -> Value {
    json!({"all": [waits(), {"field": "assignee", "unset": true}]})
}

/// The place of a ticket among the candidates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum CandidateKey {
    ToSolve(ToSolveKey),
    ToGive(WaitingKey),
    HeldBy(Option<DateTime<Utc>>, TicketId),
}

/// Finds the first candidate among tickets that come in any order.
#[derive(Debug)]
pub struct Finder<'a> {
    candidates: Candidates,
    desk: &'a Desk,
    roster: &'a Roster,
    now: DateTime<Utc>,
    best: Option<(CandidateKey, TicketId)>,
    n_found: u64,
}

impl<'a> Finder<'a> {
    /// Nothing looked at yet.
    #[must_use]
    pub fn new(
        candidates: Candidates,
        desk: &'a Desk,
        roster: &'a Roster,
        now: DateTime<Utc>,
    ) -> Self {
        Self { candidates, desk, roster, now, best: None, n_found: 0 }
    }

    /// Looks at one ticket; whether it is the best so far. `answered` is who answered
    /// its requester last, which matters where its queue waits for a preferred agent.
    pub fn look(&mut self, case: &Case, answered: Option<AgentId>) -> bool {
        let Some(key) = self.key(case, answered) else { return false };
        self.n_found += 1;
        if self.best.as_ref().is_some_and(|(best, _)| *best <= key) {
            return false;
        }
        self.best = Some((key, case.ticket.id));
        true
    }

    /// The first candidate of those looked at.
    #[must_use]
    pub fn best(&self) -> Option<TicketId> {
        self.best.as_ref().map(|(_, id)| *id)
    }

    /// Candidates among those looked at.
    #[must_use]
    pub fn n_found(&self) -> u64 {
        self.n_found
    }

    fn key(&self, case: &Case, answered: Option<AgentId>) -> Option<CandidateKey> {
        let ticket = &case.ticket;
        let affinity: Vec<AgentId> = answered.into_iter().collect();
        let upcoming = Upcoming {
            ticket,
            queue: ticket.queue.as_ref().and_then(|key| self.desk.queue(key)),
            offered_to: case.offer.as_ref().map(|offer| offer.agent),
            affinity: &affinity,
            due_at: case.due_at(),
        };
        let for_agent = |agent| ForAgent {
            agent,
            roster: self.roster,
            calendars: self.desk.calendars(),
            now: self.now,
        };
        match self.candidates {
            Candidates::ToSolve { but, .. } if but == Some(ticket.id) => None,
            Candidates::ToSolve { agent, .. } => {
                let key = to_solve_key(&upcoming, &for_agent(agent), self.desk.to_solve())?;
                Some(CandidateKey::ToSolve(key))
            }
            Candidates::ToGive { agent } => {
                Some(CandidateKey::ToGive(next_ticket_key(&upcoming, &for_agent(agent))?))
            }
            Candidates::HeldBy { agent } => {
                // Who is only offline keeps what waits for others; who is gone keeps nothing.
                let is_gone = self.roster.active(agent).is_none();
                let is_due = ticket.category.waits_for_agent() || is_gone;
                let is_due = is_due && ticket.category.is_unsolved();
                let holds = ticket.assignee == Some(agent) && is_due;
                let is_offered = case.offer.as_ref().is_some_and(|offer| offer.agent == agent);
                (holds || is_offered)
                    .then_some(CandidateKey::HeldBy(ticket.entered_queue_at, ticket.id))
            }
        }
    }
}
