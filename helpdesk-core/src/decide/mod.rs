//! Decisions: what a command does to the state it finds. Pure.
//!
//! [`needs`] and [`needs_more`] say what to load, [`decide`] decides. The order
//! inside a decision: the ticket's own due timers, then intake and threading,
//! field change, routing, assignment, SLA policies and clocks, escalation, effects. State changes only through
//! [`apply`](crate::case::apply::apply), so each stage sees the state as it will be.

mod articles;
mod batch;
mod clocks;
mod config;
mod conversation;
mod erase;
mod escalation;
mod explain;
mod explain_rules;
mod fields;
mod guard;
mod import;
mod intake;
mod loaded;
mod macros;
mod needs;
mod opening;
mod ownership;
mod people;
mod place;
mod predict;
mod relations;
mod searches;
mod status;
#[cfg(test)]
mod tests;
mod timers;
mod work;

pub use crate::trace;
pub use batch::Batched;
pub use clocks::redate_at;
pub use explain::{explain_now, sentence};
pub use explain_rules::explain_rules;
pub use guard::access_context;
pub use loaded::Loaded;
pub use needs::{
    Candidates, Finder, candidates, needs, needs_more, waiting_condition, wants_language,
    wants_prediction, with_language,
};
pub use people::checked_agent;

use crate::actor::Actor;
use crate::agent::Roster;
use crate::case::record::{Record, RecordKey, TimerOp, UniqueOp};
use crate::command::Command;
use crate::desk::Desk;
use crate::effect::Effect;
use crate::event::{NewEvent, StreamId};
use crate::fault::{Code, Rejection};
use crate::id::{
    AgentId, ArticleId, CommandId, ContactId, OrganizationId, TicketId, TicketNumber, Version,
};
use crate::prediction::Prediction;
use crate::routing::agent_index::AgentIndex;
use crate::ticket::message::Message;
use crate::trace::Trace;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use work::Work;

/// A language that the engine guessed before the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuessedLanguage {
    /// ISO 639-1 code where there is one, else 639-3.
    pub code: String,
    /// The detector, and how sure it is: `whatlang 100 %`.
    pub by: String,
}

/// What a decision is made in.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The time.
    pub now: DateTime<Utc>,
    /// The command's id; all new ids derive from it.
    pub command_id: CommandId,
    /// Who.
    pub actor: &'a Actor,
    /// The configuration.
    pub desk: &'a Desk,
    /// Its version.
    pub config_version: Version,
    /// The agents.
    pub roster: &'a Roster,
    /// The index of this roster, where there are so many that asking all of them at
    /// each ticket costs too much. The decision is the same without; its trace names
    /// fewer of those refused.
    pub index: Option<&'a AgentIndex>,
    /// The number that a new ticket gets.
    pub number: Option<TicketNumber>,
    /// The language of a new message that names none.
    pub language: Option<GuessedLanguage>,
    /// What models say of a new ticket.
    pub predictions: &'a [Prediction],
    /// The version of the ticket or article that the actor saw.
    pub expected_version: Option<Version>,
    /// Bytes of a file that the host's blob store takes; `None` where there is no blob
    /// store, and then what intake cuts off is lost.
    pub file_bytes_max: Option<u64>,
}

/// A text that goes to the blob store before the decision is committed: the whole of
/// what intake cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeText {
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// The text.
    pub text: String,
}

/// What a command made or touched, by reference: the part of its outcome that
/// is kept for a second call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Made {
    /// The ticket it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketId>,
    /// Its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<TicketNumber>,
    /// The message it wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u32>,
    /// The contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// The organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// The article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<ArticleId>,
    /// The version of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_version: Option<Version>,
}

/// What a command does, as data: nothing has happened yet.
#[derive(Debug, Clone)]
#[must_use]
pub struct Decision {
    /// What happens, in order.
    pub events: Vec<NewEvent>,
    /// What the world should do.
    pub effects: Vec<Effect>,
    /// Why.
    pub trace: Trace,
    /// The things that change, as they will be: the events applied.
    pub records: Vec<Record>,
    /// Messages that are written, with their texts.
    pub texts: Vec<Message>,
    /// Texts for the blob store, which attachments of `texts` name.
    pub wholes: Vec<WholeText>,
    /// Unique keys that are set or dropped.
    pub unique: Vec<UniqueOp>,
    /// Timers that are set or dropped.
    pub timers: Vec<TimerOp>,
    /// The versions it was decided on: of what changes (0 where new) and of what
    /// the choice depends on.
    pub expect: Vec<(StreamId, Version)>,
    /// What it makes, by reference.
    pub made: Made,
}

impl Decision {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.texts.is_empty() && self.timers.is_empty()
    }
}

/// Decides what a command does.
///
/// `loaded` holds what [`needs`] and [`needs_more`] named. The same input gives
/// the same decision, ids included, so a lost race is decided again freely.
///
/// # Errors
///
/// A [`Rejection`] with a stable code; nothing has changed.
pub fn decide(
    loaded: &Loaded,
    command: &Command,
    ctx: &Context<'_>,
) -> Result<Decision, Rejection> {
    ctx.actor.check()?;
    let mut work = Work::new(ctx, loaded);
    guard::may(&work, command)?;
    if let Some(ticket) = command.ticket() {
        guard::version(&work, StreamId::case(ticket), "ticket")?;
        timers::catch_up(&mut work, ticket)?;
        // What came first may have closed the ticket.
        guard::state(&work, command, ticket)?;
    }
    if let Some(article) = command.article() {
        guard::version(&work, StreamId::article(article), "article")?;
        articles::catch_up(&mut work, article)?;
    }
    dispatch(&mut work, command)?;
    for ticket in work.changed_tickets() {
        settle(&mut work, ticket)?;
    }
    Ok(work.finish())
}

/// Ends a part of a decision: policies and clocks, then escalation.
fn settle(work: &mut Work<'_>, ticket: TicketId) -> Result<(), Rejection> {
    clocks::settle(work, ticket)?;
    escalation::settle(work, ticket)
}

/// The key under which a reply's external id must not be known yet.
fn conversation_key(command: &Command, loaded: &Loaded) -> Option<RecordKey> {
    let Command::Reply(reply) = command else { return None };
    let mailbox = loaded.case(reply.ticket)?.ticket.mailbox.as_ref();
    Some(RecordKey::Unique(intake::message_key(mailbox, reply.external_id.as_ref()?)))
}

/// What a command is told that the engine takes apart.
fn of_many(parts: &str) -> Rejection {
    Rejection::new(Code::Invalid, format!("this command stands for many: decide {parts}"))
}

fn dispatch(work: &mut Work<'_>, command: &Command) -> Result<(), Rejection> {
    match command {
        Command::Receive(message) => intake::receive(work, message),
        Command::OpenTicket(open) => opening::open_ticket(work, open),
        Command::ImportTicket(import) => import::import_ticket(work, import),
        Command::FollowUp(follow_up) => opening::follow_up(work, follow_up),
        Command::Reply(reply) => conversation::reply(work, reply),
        Command::AddNote(note) => conversation::add_note(work, note),
        Command::EditNote(edit) => conversation::edit_note(work, edit),
        Command::Redact(redact) => conversation::redact(work, redact),
        Command::AddAttachment(add) => conversation::add_attachment(work, add),
        Command::MarkSeen(seen) => conversation::mark_seen(work, seen),
        Command::UpdateTicket(update) => {
            fields::update_ticket(work, update.ticket, &update.changes)
        }
        Command::SetStatus(set) => status::set_by_hand(work, set.ticket, &set.to),
        Command::Solve(on) => status::solve(work, on.ticket),
        Command::Reopen(on) => status::reopen(work, on.ticket),
        Command::Close(on) => status::close(work, on.ticket),
        Command::Snooze(snooze) => fields::snooze(work, snooze),
        Command::Wake(on) => fields::wake(work, on.ticket),
        Command::AddFollower(follow) => fields::add_follower(work, follow),
        Command::RemoveFollower(follow) => fields::remove_follower(work, follow),
        Command::MarkSpam(on) => fields::mark_spam(work, on.ticket),
        Command::UnmarkSpam(on) => fields::unmark_spam(work, on.ticket),
        Command::DeleteTicket(on) => fields::delete(work, on.ticket),
        Command::RestoreTicket(on) => fields::restore(work, on.ticket),
        Command::Assign(assign) => ownership::assign(work, assign.ticket, assign.agent),
        Command::Unassign(on) => ownership::unassign(work, on.ticket),
        Command::Claim(on) => ownership::claim(work, on.ticket),
        Command::TakeNext(take) => ownership::take_next(work, take),
        Command::Offer(offer) => ownership::offer(work, offer),
        Command::AcceptOffer(on) => ownership::accept_offer(work, on.ticket),
        Command::RejectOffer(reject) => ownership::reject_offer(work, reject),
        Command::RouteAgain(route) => place::route_again(work, route),
        Command::SeekAgent(on) => place::seek_now(work, on.ticket),
        Command::SetPresence(set) => ownership::set_presence(work, set),
        Command::SetDue(set) => clocks::set_due(work, set),
        Command::Escalate(order) => escalation::escalate(work, order),
        Command::DeEscalate(back) => escalation::de_escalate(work, back),
        Command::Acknowledge(ack) => escalation::acknowledge_it(work, ack),
        Command::Link(link) => relations::link(work, link),
        Command::Unlink(link) => relations::unlink(work, link),
        Command::SetParent(set) => relations::set_parent(work, set),
        Command::RunMacro(run) => macros::run(work, run.ticket, &run.key),
        Command::RunMacroOnMany(_) | Command::ApplyChangesToMany(_) => {
            Err(of_many("each of `one_by_one`"))
        }
        Command::Rebalance(_) => Err(of_many("`seek_agent` for each ticket that is `Batched`")),
        Command::CreateContact(create) => people::create_contact(work, create),
        Command::UpdateContact(update) => people::update_contact(work, update),
        Command::JoinContacts(join) => people::join_contacts(work, join),
        Command::ErasePerson(erase) => erase::erase_person(work, erase),
        Command::EraseFromTicket(erase) => erase::erase_from_ticket(work, erase),
        Command::CreateOrganization(create) => people::create_organization(work, create),
        Command::UpdateOrganization(update) => people::update_organization(work, update),
        Command::CreateAgent(create) => people::create_agent(work, create),
        Command::UpdateAgent(update) => people::update_agent(work, update),
        Command::DeactivateAgent(deactivate) => people::deactivate_agent(work, deactivate.agent),
        Command::SaveArticle(save) => articles::save(work, save),
        Command::SubmitArticle(on) => articles::submit(work, on.article),
        Command::PublishArticle(publish) => articles::publish(work, publish),
        Command::ArchiveArticle(on) => articles::archive(work, on.article),
        Command::RestoreArticleRevision(restore) => articles::restore(work, restore),
        Command::VoteArticle(vote) => articles::vote(work, vote),
        Command::RecordSearch(record) => searches::record_search(work, record),
        Command::RecordSearchClick(click) => searches::record_click(work, click),
        Command::ApplyConfig(apply) => config::apply_config(work, apply),
        Command::FireTimer(fire) => timers::fire(work, fire),
    }
}
