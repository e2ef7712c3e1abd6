//! What each command carries.

use crate::agent::{AgentPatch, Capacity};
use crate::article::Visibility;
use crate::contact::{ContactPatch, Identity, OrganizationPatch, Patch, some};
use crate::event::{StreamId, TimerKind};
use crate::id::{
    AgentId, ArticleId, ContactId, Key, OrganizationId, SearchSessionId, TicketId, TicketNumber,
};
use crate::intake::inbound::Sender;
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

/// Names an article that a command is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnArticle {
    /// The article.
    pub article: ArticleId,
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty,)* }
    )*};
}

/// Removes a person's words from one ticket. The engine's own: it has found them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseFromTicket {
    /// The ticket.
    pub ticket: TicketId,
    /// Whether they are, or were, its requester.
    pub of_requester: bool,
    /// Their messages.
    pub messages: Vec<u32>,
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
        /// The search session that did not answer it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        search_session: Option<SearchSessionId>,
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

    /// Sets by hand when an open clock is due.
    SetDue {
        /// The ticket.
        ticket: TicketId,
        /// Whose clock.
        metric: Key,
        /// The date, which stands in place of the target's; the target's again when null.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<DateTime<Utc>>,
    }

    /// Lets the ticket's escalation go on now; it begins where a policy holds
    /// and there is none.
    Escalate {
        /// The ticket.
        ticket: TicketId,
        /// The step to fire, from 0; the next one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u16>,
        /// Why: an internal note.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }

    /// Gives a ticket back to whom it was escalated from last.
    DeEscalate {
        /// The ticket.
        ticket: TicketId,
        /// Why: an internal note.
        note: String,
    }

    /// The acting agent takes care of an escalated ticket.
    Acknowledge {
        /// The ticket.
        ticket: TicketId,
        /// Takes the acknowledgement back instead.
        #[serde(default)]
        undo: bool,
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
        /// Until when the ticket is not given to the actor; for ever when absent. One
        /// that is the actor's own is skipped for a time, which must be given.
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

    /// Gives waiting tickets to the agents who have room now.
    Rebalance {
        /// The queues whose tickets are given; those of all when empty. Tickets of
        /// queues that agents serve themselves are left to them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        queues: Vec<Key>,
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

    /// Removes for good what the desk holds of a person: their contacts, their messages with
    /// files, the subjects and custom values of their tickets, what they searched before they opened
    /// them, all of it in the journal too. Ids, times, tags and counts stay, and what agents wrote.
    /// Files that were put within the last day go with the next sweep; what a deliverer said of a message that
    /// it could not deliver goes with its dead letter. Archives are the host's: copy them without
    /// whoever was erased (`erase_from_archive`).
    ErasePerson {
        /// Who; with them the contacts that were joined into this one.
        contact: ContactId,
        /// Only says which tickets it would change.
        #[serde(default)]
        dry_run: bool,
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
        /// The calendar of their shift; always on shift when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shift: Option<Key>,
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

    /// Begins an article, translates one, or changes one: a new revision, a draft. What is
    /// out stays out until the revision is published.
    SaveArticle {
        /// Which to change; a new one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        article: Option<ArticleId>,
        /// Of a new one: what its translations share. A translation is a new article with
        /// the key of the one it translates and a language of its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<Key>,
        /// Of a new one: its language, as an ISO 639 code; guessed from its text when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// The title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The text, in Markdown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// Its place in the tree; null for none.
        #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
        category: Patch<Key>,
        /// All free words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        labels: Option<Vec<String>>,
        /// Who may read it once it is published; agents alone unless said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visibility: Option<Visibility>,
        /// When it should be read again; null for never.
        #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
        review_at: Patch<DateTime<Utc>>,
    }

    /// Publishes the newest revision of an article.
    PublishArticle {
        /// Which.
        article: ArticleId,
        /// When; at once when absent or over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        publish_at: Option<DateTime<Utc>>,
    }

    /// Brings back an earlier revision of an article as its newest one, a draft.
    RestoreArticleRevision {
        /// Which.
        article: ArticleId,
        /// The number of the revision.
        revision: u32,
    }

    /// Says whether an article helped. A second vote of the same person replaces the first.
    VoteArticle {
        /// Which.
        article: ArticleId,
        /// Whether it did.
        helpful: bool,
        /// The search session in which it was read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SearchSessionId>,
    }

    /// Notes that somebody searched the knowledge base, and how much was found. The host
    /// gives it for searches that were meant, not for every letter of one that is typed.
    RecordSearch {
        /// The search session; its first step begins it.
        session: SearchSessionId,
        /// What was searched.
        text: String,
        /// How many articles were found: the `total` of the answer.
        n_found: u64,
    }

    /// Notes that somebody opened an article that the newest search of the session found.
    RecordSearchClick {
        /// The search session.
        session: SearchSessionId,
        /// Which article.
        article: ArticleId,
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
