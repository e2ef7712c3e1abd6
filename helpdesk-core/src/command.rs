//! Commands: what a host tells the desk to do.
//!
//! By JSON a command is tagged by `type`; unknown fields are errors. The list
//! holds what works; families that come later add their own.

use crate::access::permission::Permission;
use crate::actor::Actor;
use crate::agent::{AgentPatch, Capacity};
use crate::contact::{ContactPatch, Identity, OrganizationPatch};
use crate::event::{StreamId, TimerKind};
use crate::id::{
    AgentId, CommandId, ContactId, Key, OrganizationId, TicketId, TicketNumber, Version,
};
use crate::intake::inbound::{InboundMessage, Sender};
use crate::ticket::Follower;
use crate::ticket::change::Change;
use crate::ticket::custom::CustomValues;
use crate::ticket::message::{Attachment, MessageKind};
use crate::ticket::priority::{Channel, Priority, SkillLevel, TicketType};
use crate::ticket::relation::LinkKind;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names a ticket that a command is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnTicket {
    /// The ticket.
    pub ticket: TicketId,
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty,)* }
    )*};
}

payloads! {
    /// Opens a ticket on behalf of a contact.
    OpenTicket {
        /// For whom. Requesters open for themselves and leave it out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requester: Option<ContactId>,
        /// The subject.
        subject: String,
        /// The first message.
        text: String,
        /// The same as HTML.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        html: Option<String>,
        /// Whether an agent's first message is a public reply (default) or an
        /// internal note; a requester's is always public.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        as_note: bool,
        /// Where it came in; `api` unless set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<Channel>,
        /// The mailbox it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mailbox: Option<Key>,
        /// Files.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
        /// Changes made at once, as `update_ticket` makes them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<Change>,
        /// Straight into this queue; routed by the rules when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<Key>,
    }

    /// One message of an imported ticket.
    ImportedMessage {
        /// Who may read it.
        kind: MessageKind,
        /// The agent who wrote it; the requester when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        /// Plain text.
        text: String,
        /// When it was written.
        sent_at: DateTime<Utc>,
        /// The channel's own id of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
        /// Files.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
    }

    /// Brings in a ticket of another system as it was: no routing, no
    /// notifications. Idempotent by `external_id`.
    ImportTicket {
        /// The id it had elsewhere.
        external_id: String,
        /// Its number; the next one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<TicketNumber>,
        /// Who asked; made when unknown.
        requester: Sender,
        /// The subject.
        subject: String,
        /// Where it came in.
        channel: Channel,
        /// Its status.
        status: Key,
        /// Its priority.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<Priority>,
        /// Its type.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket_type: Option<TicketType>,
        /// Its group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<Key>,
        /// The agent responsible.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignee: Option<AgentId>,
        /// Its language.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// Its tags.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
        /// Its custom fields.
        #[serde(default, skip_serializing_if = "CustomValues::is_empty")]
        custom: CustomValues,
        /// When it was opened.
        created_at: DateTime<Utc>,
        /// When it was solved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        solved_at: Option<DateTime<Utc>>,
        /// When it was closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closed_at: Option<DateTime<Utc>>,
        /// Its conversation, oldest first.
        messages: Vec<ImportedMessage>,
    }

    /// Answers in public: an agent to the requester, or the requester.
    Reply {
        /// The ticket.
        ticket: TicketId,
        /// Plain text.
        text: String,
        /// The same as HTML.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        html: Option<String>,
        /// Files.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
        /// A status set after the message; agents only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<Key>,
        /// The channel; the ticket's own when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<Channel>,
        /// The id under which the channel sends it, for threading.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
    }

    /// Writes an internal note.
    AddNote {
        /// The ticket.
        ticket: TicketId,
        /// Plain text.
        text: String,
        /// Files.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
    }

    /// Changes the text of an internal note.
    EditNote {
        /// The ticket.
        ticket: TicketId,
        /// The note's sequence number.
        seq: u32,
        /// The new text.
        text: String,
    }

    /// Removes text and files of a message for good.
    Redact {
        /// The ticket.
        ticket: TicketId,
        /// The message's sequence number.
        seq: u32,
    }

    /// Adds a file to a message.
    AddAttachment {
        /// The ticket.
        ticket: TicketId,
        /// The message's sequence number.
        seq: u32,
        /// The file.
        attachment: Attachment,
    }

    /// Says that the actor read the conversation up to a message.
    MarkSeen {
        /// The ticket.
        ticket: TicketId,
        /// Up to which sequence number.
        seq: u32,
    }

    /// Changes plain fields.
    UpdateTicket {
        /// The ticket.
        ticket: TicketId,
        /// The changes, in order.
        changes: Vec<Change>,
    }

    /// Sets the status.
    SetStatus {
        /// The ticket.
        ticket: TicketId,
        /// To this.
        to: Key,
    }

    /// Out of sight until then.
    Snooze {
        /// The ticket.
        ticket: TicketId,
        /// Until then; after now.
        until: DateTime<Utc>,
    }

    /// Lets somebody follow, or follow no more.
    FollowTicket {
        /// The ticket.
        ticket: TicketId,
        /// Who.
        follower: Follower,
    }

    /// Makes an agent responsible; may exceed capacity.
    Assign {
        /// The ticket.
        ticket: TicketId,
        /// Who.
        agent: AgentId,
    }

    /// Offers the ticket to an agent.
    OfferTicket {
        /// The ticket.
        ticket: TicketId,
        /// Who.
        agent: AgentId,
        /// How long the offer stands; 60 s when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_seconds: Option<u32>,
    }

    /// Rejects the offer that the actor has.
    RejectOffer {
        /// The ticket.
        ticket: TicketId,
        /// Why.
        reason: String,
    }

    /// Skips a ticket that `take_next` would give.
    Skip {
        /// Which.
        ticket: TicketId,
        /// Why.
        reason: String,
        /// Until when the ticket is not given to the actor; for ever when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    }

    /// Gives the acting agent the next ticket to solve.
    TakeNext {
        /// The ticket not wanted now, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        skip: Option<Skip>,
    }

    /// Routes the ticket anew, by the rules or into a queue.
    RouteAgain {
        /// The ticket.
        ticket: TicketId,
        /// The queue; by the rules when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<Key>,
    }

    /// Says whether an agent is there.
    SetPresence {
        /// Who; the acting agent when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        /// On which channels; all when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<Vec<Channel>>,
        /// `online`, `away`, `offline`, or the desk's own status.
        status: Key,
        /// Until when: then an online agent goes offline, any other comes online.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    }

    /// Links two tickets, or takes the link away.
    LinkTickets {
        /// The ticket.
        ticket: TicketId,
        /// What it is to the other.
        kind: LinkKind,
        /// The other.
        to: TicketId,
    }

    /// Makes the ticket a part of another, or of none.
    SetParent {
        /// The ticket.
        ticket: TicketId,
        /// The other.
        #[serde(default)]
        parent: Option<TicketId>,
    }

    /// Opens a ticket that goes on from a solved or closed one.
    FollowUp {
        /// The solved or closed ticket.
        ticket: TicketId,
        /// The first message.
        text: String,
        /// The subject; the old one's when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
    }

    /// Runs a macro.
    RunMacro {
        /// The ticket.
        ticket: TicketId,
        /// Which.
        key: Key,
    }

    /// Runs a macro on many tickets, each for itself.
    RunMacroOnMany {
        /// The tickets, 10,000 at most.
        tickets: Vec<TicketId>,
        /// Which.
        key: Key,
    }

    /// Changes plain fields of many tickets, each for itself.
    ApplyChangesToMany {
        /// The tickets, 10,000 at most.
        tickets: Vec<TicketId>,
        /// The changes, in order.
        changes: Vec<Change>,
    }

    /// Creates a contact.
    CreateContact {
        /// The name.
        name: String,
        /// How they are known.
        identities: Vec<Identity>,
        /// Everything else.
        #[serde(default)]
        details: ContactPatch,
    }

    /// Changes a contact.
    UpdateContact {
        /// Who.
        contact: ContactId,
        /// How.
        patch: ContactPatch,
    }

    /// Makes two contacts one.
    JoinContacts {
        /// The one that goes.
        from: ContactId,
        /// The one that stays.
        into: ContactId,
    }

    /// Creates an organization.
    CreateOrganization {
        /// The name.
        name: String,
        /// Everything else.
        #[serde(default)]
        details: OrganizationPatch,
    }

    /// Changes an organization.
    UpdateOrganization {
        /// Which.
        organization: OrganizationId,
        /// How.
        patch: OrganizationPatch,
    }

    /// Creates an agent.
    CreateAgent {
        /// The id the host knows them by; made when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<AgentId>,
        /// The name.
        name: String,
        /// The mail address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// Roles; `agent` when empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roles: Vec<Key>,
        /// Groups.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<Key>,
        /// Skills.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        skills: Vec<SkillLevel>,
        /// Languages, as ISO 639 codes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        languages: Vec<String>,
        /// How much work they take.
        #[serde(default)]
        capacity: Capacity,
        /// Level of support.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tier: Option<Key>,
        /// To whom they report.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        manager: Option<AgentId>,
    }

    /// Changes an agent.
    UpdateAgent {
        /// Who.
        agent: AgentId,
        /// How.
        patch: AgentPatch,
    }

    /// An agent works here no more; open tickets go back to their queues.
    DeactivateAgent {
        /// Who.
        agent: AgentId,
    }

    /// Replaces the configuration.
    ApplyConfig {
        /// The whole document, as JSON. For TOML and YAML see
        /// `desk::document`.
        document: Value,
    }
}

/// A timer came due. Internal: in no schema, refused by JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FireTimer {
    /// Of which thing.
    pub stream: StreamId,
    /// What for.
    pub kind: TimerKind,
    /// When it was due.
    pub due_at: DateTime<Utc>,
}

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
    /// Says whether an agent is there.
    SetPresence(SetPresence),
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
    /// Replaces the configuration.
    ApplyConfig(ApplyConfig),
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
    /// The version of the ticket that the actor saw; refused when it changed.
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
            | Self::AcceptOffer(c) => Some(c.ticket),
            Self::AddFollower(c) | Self::RemoveFollower(c) => Some(c.ticket),
            Self::Assign(c) => Some(c.ticket),
            Self::Offer(c) => Some(c.ticket),
            Self::RejectOffer(c) => Some(c.ticket),
            Self::RouteAgain(c) => Some(c.ticket),
            Self::Link(c) | Self::Unlink(c) => Some(c.ticket),
            Self::SetParent(c) => Some(c.ticket),
            Self::FollowUp(c) => Some(c.ticket),
            Self::RunMacro(c) => Some(c.ticket),
            Self::Receive(_)
            | Self::OpenTicket(_)
            | Self::ImportTicket(_)
            | Self::TakeNext(_)
            | Self::SetPresence(_)
            | Self::RunMacroOnMany(_)
            | Self::ApplyChangesToMany(_)
            | Self::CreateContact(_)
            | Self::UpdateContact(_)
            | Self::JoinContacts(_)
            | Self::CreateOrganization(_)
            | Self::UpdateOrganization(_)
            | Self::CreateAgent(_)
            | Self::UpdateAgent(_)
            | Self::DeactivateAgent(_)
            | Self::ApplyConfig(_)
            | Self::FireTimer(_) => None,
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
            Self::SetPresence(_) => "set_presence",
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
            Self::CreateOrganization(_) => "create_organization",
            Self::UpdateOrganization(_) => "update_organization",
            Self::CreateAgent(_) => "create_agent",
            Self::UpdateAgent(_) => "update_agent",
            Self::DeactivateAgent(_) => "deactivate_agent",
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
            Self::RouteAgain(_) => Permission::RouteAgain,
            Self::SetPresence(_) => Permission::SetPresence,
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
            Self::CreateOrganization(_) => Permission::CreateOrganization,
            Self::UpdateOrganization(_) => Permission::UpdateOrganization,
            Self::CreateAgent(_) | Self::UpdateAgent(_) | Self::DeactivateAgent(_) => {
                Permission::ManageAgents
            }
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
