//! Commands: what a host tells the desk to do.
//!
//! By JSON a command is tagged by `type`; unknown fields are errors. The list
//! holds what works; families that come later add their own.

mod payload;

pub use payload::*;

use crate::access::permission::Permission;
use crate::actor::Actor;
use crate::id::{ArticleId, CommandId, SearchSessionId, TicketId, Version};
use crate::intake::inbound::InboundMessage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a host tells the desk to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "commands are few and short-lived")]
pub enum Command {
    /// A message came in.
    Receive(InboundMessage),
    /// Opens a ticket.
    OpenTicket(OpenTicket),
    /// Brings in history.
    ImportTicket(ImportTicket),
    /// Answers in public.
    Reply(Reply),
    /// Writes an internal note.
    AddNote(AddNote),
    /// Changes a note.
    EditNote(EditNote),
    /// Removes a message's content for good.
    Redact(Redact),
    /// Adds a file to a message.
    AddAttachment(AddAttachment),
    /// Says what was read.
    MarkSeen(MarkSeen),
    /// Changes plain fields.
    UpdateTicket(UpdateTicket),
    /// Sets the status.
    SetStatus(SetStatus),
    /// Solves the ticket: the default status of category solved.
    Solve(OnTicket),
    /// Opens a solved ticket again.
    Reopen(OnTicket),
    /// Closes the ticket for good.
    Close(OnTicket),
    /// Out of sight for a while.
    Snooze(Snooze),
    /// In sight again.
    Wake(OnTicket),
    /// Lets somebody follow.
    AddFollower(FollowTicket),
    /// Lets somebody follow no more.
    RemoveFollower(FollowTicket),
    /// Marks as spam.
    MarkSpam(OnTicket),
    /// No spam after all.
    UnmarkSpam(OnTicket),
    /// Deletes, restorable.
    DeleteTicket(OnTicket),
    /// Restores.
    RestoreTicket(OnTicket),
    /// Makes an agent responsible.
    Assign(Assign),
    /// Makes nobody responsible.
    Unassign(OnTicket),
    /// The acting agent takes this ticket.
    Claim(OnTicket),
    /// The acting agent takes the next ticket.
    TakeNext(TakeNext),
    /// Offers the ticket to an agent.
    Offer(OfferTicket),
    /// The acting agent takes what it was offered.
    AcceptOffer(OnTicket),
    /// The acting agent does not.
    RejectOffer(RejectOffer),
    /// Routes anew.
    RouteAgain(RouteAgain),
    /// Gives waiting tickets to the agents who have room now, the next ticket of all
    /// queues first, each by a decision of its own.
    Rebalance(Rebalance),
    /// Says whether an agent is there.
    SetPresence(SetPresence),
    /// Sets by hand when a clock is due, or lets its target say so again.
    SetDue(SetDue),
    /// Lets the ticket's escalation go on now.
    Escalate(Escalate),
    /// Gives a ticket back to whom it was escalated from.
    DeEscalate(DeEscalate),
    /// The acting agent takes care of an escalated ticket.
    Acknowledge(Acknowledge),
    /// Links two tickets.
    Link(LinkTickets),
    /// Takes a link away.
    Unlink(LinkTickets),
    /// Makes the ticket a part of another.
    SetParent(SetParent),
    /// Goes on from a solved or closed ticket.
    FollowUp(FollowUp),
    /// Runs a macro.
    RunMacro(RunMacro),
    /// Runs a macro on many tickets.
    RunMacroOnMany(RunMacroOnMany),
    /// Changes many tickets.
    ApplyChangesToMany(ApplyChangesToMany),
    /// Creates a contact.
    CreateContact(CreateContact),
    /// Changes a contact.
    UpdateContact(UpdateContact),
    /// Makes two contacts one.
    JoinContacts(JoinContacts),
    /// Removes for good what the desk holds of a person.
    ErasePerson(ErasePerson),
    /// Creates an organization.
    CreateOrganization(CreateOrganization),
    /// Changes an organization.
    UpdateOrganization(UpdateOrganization),
    /// Creates an agent.
    CreateAgent(CreateAgent),
    /// Changes an agent.
    UpdateAgent(UpdateAgent),
    /// Deactivates an agent.
    DeactivateAgent(DeactivateAgent),
    /// Writes, changes or translates an article.
    SaveArticle(SaveArticle),
    /// Gives an article's newest revision to review.
    SubmitArticle(OnArticle),
    /// Publishes an article, now or later.
    PublishArticle(PublishArticle),
    /// Takes an article out.
    ArchiveArticle(OnArticle),
    /// Brings back an earlier revision of an article.
    RestoreArticleRevision(RestoreArticleRevision),
    /// Says whether an article helped.
    VoteArticle(VoteArticle),
    /// Notes a search of the knowledge base.
    RecordSearch(RecordSearch),
    /// Notes that an article that was found was opened.
    RecordSearchClick(RecordSearchClick),
    /// Replaces the configuration.
    ApplyConfig(ApplyConfig),
    /// Seeks an agent for one waiting ticket of a rebalance; internal.
    #[serde(skip)]
    SeekAgent(OnTicket),
    /// Removes a person's words from one ticket; internal.
    #[serde(skip)]
    EraseFromTicket(EraseFromTicket),
    /// A timer came due; internal.
    #[serde(skip)]
    FireTimer(FireTimer),
}

/// A command as it comes by JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandEnvelope {
    /// Who.
    pub actor: Actor,
    /// The command's own id; a second call with it gives the first outcome.
    pub command_id: CommandId,
    /// The version of the ticket or article that the actor saw; refused when it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<Version>,
    /// What.
    pub command: Command,
}

impl Command {
    /// The ticket that the command is about, where it names one that exists.
    #[must_use]
    pub fn ticket(&self) -> Option<TicketId> {
        match self {
            Self::Reply(c) => Some(c.ticket),
            Self::AddNote(c) => Some(c.ticket),
            Self::EditNote(c) => Some(c.ticket),
            Self::Redact(c) => Some(c.ticket),
            Self::AddAttachment(c) => Some(c.ticket),
            Self::MarkSeen(c) => Some(c.ticket),
            Self::UpdateTicket(c) => Some(c.ticket),
            Self::SetStatus(c) => Some(c.ticket),
            Self::Snooze(c) => Some(c.ticket),
            Self::Solve(c)
            | Self::Reopen(c)
            | Self::Close(c)
            | Self::Wake(c)
            | Self::MarkSpam(c)
            | Self::UnmarkSpam(c)
            | Self::DeleteTicket(c)
            | Self::RestoreTicket(c)
            | Self::Unassign(c)
            | Self::Claim(c)
            | Self::AcceptOffer(c)
            | Self::SeekAgent(c) => Some(c.ticket),
            Self::AddFollower(c) | Self::RemoveFollower(c) => Some(c.ticket),
            Self::Assign(c) => Some(c.ticket),
            Self::Offer(c) => Some(c.ticket),
            Self::RejectOffer(c) => Some(c.ticket),
            Self::RouteAgain(c) => Some(c.ticket),
            Self::SetDue(c) => Some(c.ticket),
            Self::EraseFromTicket(c) => Some(c.ticket),
            Self::Escalate(c) => Some(c.ticket),
            Self::DeEscalate(c) => Some(c.ticket),
            Self::Acknowledge(c) => Some(c.ticket),
            Self::Link(c) | Self::Unlink(c) => Some(c.ticket),
            Self::SetParent(c) => Some(c.ticket),
            Self::FollowUp(c) => Some(c.ticket),
            Self::RunMacro(c) => Some(c.ticket),
            Self::Receive(_)
            | Self::OpenTicket(_)
            | Self::ImportTicket(_)
            | Self::TakeNext(_)
            | Self::SetPresence(_)
            | Self::Rebalance(_)
            | Self::RunMacroOnMany(_)
            | Self::ApplyChangesToMany(_)
            | Self::CreateContact(_)
            | Self::UpdateContact(_)
            | Self::JoinContacts(_)
            | Self::ErasePerson(_)
            | Self::CreateOrganization(_)
            | Self::UpdateOrganization(_)
            | Self::CreateAgent(_)
            | Self::UpdateAgent(_)
            | Self::DeactivateAgent(_)
            | Self::SaveArticle(_)
            | Self::SubmitArticle(_)
            | Self::PublishArticle(_)
            | Self::ArchiveArticle(_)
            | Self::RestoreArticleRevision(_)
            | Self::VoteArticle(_)
            | Self::RecordSearch(_)
            | Self::RecordSearchClick(_)
            | Self::ApplyConfig(_)
            | Self::FireTimer(_) => None,
        }
    }

    /// The article that the command is about, where it names one that exists.
    #[must_use]
    pub fn article(&self) -> Option<ArticleId> {
        match self {
            Self::SaveArticle(c) => c.article,
            Self::SubmitArticle(c) | Self::ArchiveArticle(c) => Some(c.article),
            Self::PublishArticle(c) => Some(c.article),
            Self::RestoreArticleRevision(c) => Some(c.article),
            Self::VoteArticle(c) => Some(c.article),
            Self::RecordSearchClick(c) => Some(c.article),
            _ => None,
        }
    }

    /// The search session that the command belongs to, where it names one.
    #[must_use]
    pub fn search_session(&self) -> Option<SearchSessionId> {
        match self {
            Self::Receive(c) => c.search_session,
            Self::OpenTicket(c) => c.search_session,
            Self::VoteArticle(c) => c.session,
            Self::RecordSearch(c) => Some(c.session),
            Self::RecordSearchClick(c) => Some(c.session),
            _ => None,
        }
    }

    /// The commands for which one on many tickets stands, in the order of its
    /// tickets; `None` for every other command.
    #[must_use]
    pub fn one_by_one(&self) -> Option<Vec<Self>> {
        match self {
            Self::RunMacroOnMany(many) => {
                let run = |&ticket| Self::RunMacro(RunMacro { ticket, key: many.key.clone() });
                Some(many.tickets.iter().map(run).collect())
            }
            Self::ApplyChangesToMany(many) => {
                let update = |&ticket| {
                    Self::UpdateTicket(UpdateTicket { ticket, changes: many.changes.clone() })
                };
                Some(many.tickets.iter().map(update).collect())
            }
            _ => None,
        }
    }

    /// Whether the command may open a ticket without naming its number, and so needs one.
    #[must_use]
    pub fn may_open(&self) -> bool {
        match self {
            Self::ImportTicket(import) => import.number.is_none(),
            _ => matches!(
                self,
                Self::Receive(_) | Self::OpenTicket(_) | Self::FollowUp(_) | Self::Reply(_)
            ),
        }
    }

    /// The command's name, as it stands in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Receive(_) => "receive",
            Self::OpenTicket(_) => "open_ticket",
            Self::ImportTicket(_) => "import_ticket",
            Self::Reply(_) => "reply",
            Self::AddNote(_) => "add_note",
            Self::EditNote(_) => "edit_note",
            Self::Redact(_) => "redact",
            Self::AddAttachment(_) => "add_attachment",
            Self::MarkSeen(_) => "mark_seen",
            Self::UpdateTicket(_) => "update_ticket",
            Self::SetStatus(_) => "set_status",
            Self::Solve(_) => "solve",
            Self::Reopen(_) => "reopen",
            Self::Close(_) => "close",
            Self::Snooze(_) => "snooze",
            Self::Wake(_) => "wake",
            Self::AddFollower(_) => "add_follower",
            Self::RemoveFollower(_) => "remove_follower",
            Self::MarkSpam(_) => "mark_spam",
            Self::UnmarkSpam(_) => "unmark_spam",
            Self::DeleteTicket(_) => "delete_ticket",
            Self::RestoreTicket(_) => "restore_ticket",
            Self::Assign(_) => "assign",
            Self::Unassign(_) => "unassign",
            Self::Claim(_) => "claim",
            Self::TakeNext(_) => "take_next",
            Self::Offer(_) => "offer",
            Self::AcceptOffer(_) => "accept_offer",
            Self::RejectOffer(_) => "reject_offer",
            Self::RouteAgain(_) => "route_again",
            Self::Rebalance(_) => "rebalance",
            Self::SeekAgent(_) => "seek_agent",
            Self::SetPresence(_) => "set_presence",
            Self::SetDue(_) => "set_due",
            Self::Escalate(_) => "escalate",
            Self::DeEscalate(_) => "de_escalate",
            Self::Acknowledge(_) => "acknowledge",
            Self::Link(_) => "link",
            Self::Unlink(_) => "unlink",
            Self::SetParent(_) => "set_parent",
            Self::FollowUp(_) => "follow_up",
            Self::RunMacro(_) => "run_macro",
            Self::RunMacroOnMany(_) => "run_macro_on_many",
            Self::ApplyChangesToMany(_) => "apply_changes_to_many",
            Self::CreateContact(_) => "create_contact",
            Self::UpdateContact(_) => "update_contact",
            Self::JoinContacts(_) => "join_contacts",
            Self::ErasePerson(_) => "erase_person",
            Self::EraseFromTicket(_) => "erase_from_ticket",
            Self::CreateOrganization(_) => "create_organization",
            Self::UpdateOrganization(_) => "update_organization",
            Self::CreateAgent(_) => "create_agent",
            Self::UpdateAgent(_) => "update_agent",
            Self::DeactivateAgent(_) => "deactivate_agent",
            Self::SaveArticle(_) => "save_article",
            Self::SubmitArticle(_) => "submit_article",
            Self::PublishArticle(_) => "publish_article",
            Self::ArchiveArticle(_) => "archive_article",
            Self::RestoreArticleRevision(_) => "restore_article_revision",
            Self::VoteArticle(_) => "vote_article",
            Self::RecordSearch(_) => "record_search",
            Self::RecordSearchClick(_) => "record_search_click",
            Self::ApplyConfig(_) => "apply_config",
            Self::FireTimer(_) => "fire_timer",
        }
    }

    /// What the actor must be permitted to do. `None` is for the engine's own
    /// timers alone. Some commands ask for more, by what they hold: `edit_note`
    /// of another's note for `edit_any_note`, `assign` to an agent of no own
    /// group for `assign_to_any_member`, `set_presence` of another for
    /// `set_presence_of_others`.
    #[must_use]
    pub fn permission(&self) -> Option<Permission> {
        Some(match self {
            Self::Receive(_) => Permission::Receive,
            Self::OpenTicket(_) => Permission::OpenTicket,
            Self::ImportTicket(_) => Permission::Import,
            Self::Reply(_) => Permission::Reply,
            Self::AddNote(_) => Permission::AddNote,
            Self::EditNote(_) => Permission::EditNote,
            Self::Redact(_) => Permission::Redact,
            Self::AddAttachment(_) => Permission::AddAttachment,
            Self::MarkSeen(_) => Permission::MarkSeen,
            Self::UpdateTicket(_) => Permission::UpdateTicket,
            Self::SetStatus(_) => Permission::SetStatus,
            Self::Solve(_) => Permission::Solve,
            Self::Reopen(_) => Permission::Reopen,
            Self::Close(_) => Permission::Close,
            Self::Snooze(_) => Permission::Snooze,
            Self::Wake(_) => Permission::Wake,
            Self::AddFollower(_) => Permission::AddFollower,
            Self::RemoveFollower(_) => Permission::RemoveFollower,
            Self::MarkSpam(_) => Permission::MarkSpam,
            Self::UnmarkSpam(_) => Permission::UnmarkSpam,
            Self::DeleteTicket(_) => Permission::DeleteTicket,
            Self::RestoreTicket(_) => Permission::RestoreTicket,
            Self::Assign(_) => Permission::Assign,
            Self::Unassign(_) => Permission::Unassign,
            Self::Claim(_) => Permission::Claim,
            Self::TakeNext(_) => Permission::TakeNext,
            Self::Offer(_) => Permission::Offer,
            Self::AcceptOffer(_) => Permission::AcceptOffer,
            Self::RejectOffer(_) => Permission::RejectOffer,
            Self::RouteAgain(_) | Self::Rebalance(_) | Self::SeekAgent(_) => Permission::RouteAgain,
            Self::SetPresence(_) => Permission::SetPresence,
            Self::SetDue(_) => Permission::SetDue,
            Self::Escalate(_) => Permission::Escalate,
            Self::DeEscalate(_) => Permission::DeEscalate,
            Self::Acknowledge(_) => Permission::Acknowledge,
            Self::Link(_) => Permission::Link,
            Self::Unlink(_) => Permission::Unlink,
            Self::SetParent(_) => Permission::SetParent,
            Self::FollowUp(_) => Permission::FollowUp,
            Self::RunMacro(_) => Permission::RunMacro,
            Self::RunMacroOnMany(_) => Permission::RunMacroOnMany,
            Self::ApplyChangesToMany(_) => Permission::ApplyChangesToMany,
            Self::CreateContact(_) => Permission::CreateContact,
            Self::UpdateContact(_) => Permission::UpdateContact,
            Self::JoinContacts(_) => Permission::JoinContacts,
            Self::ErasePerson(_) | Self::EraseFromTicket(_) => Permission::ErasePerson,
            Self::CreateOrganization(_) => Permission::CreateOrganization,
            Self::UpdateOrganization(_) => Permission::UpdateOrganization,
            Self::CreateAgent(_) | Self::UpdateAgent(_) | Self::DeactivateAgent(_) => {
                Permission::ManageAgents
            }
            Self::SaveArticle(_) => Permission::SaveArticle,
            Self::SubmitArticle(_) => Permission::SubmitArticle,
            Self::PublishArticle(_) => Permission::PublishArticle,
            Self::ArchiveArticle(_) => Permission::ArchiveArticle,
            Self::RestoreArticleRevision(_) => Permission::RestoreArticleRevision,
            Self::VoteArticle(_) => Permission::VoteArticle,
            Self::RecordSearch(_) | Self::RecordSearchClick(_) => Permission::RecordSearch,
            Self::ApplyConfig(_) => Permission::ManageConfig,
            Self::FireTimer(_) => return None,
        })
    }
}

/// The JSON Schema of [`CommandEnvelope`].
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(CommandEnvelope).to_value()
}

#[cfg(test)]
mod tests;
