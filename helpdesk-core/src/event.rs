//! What happened: the journal's entries.
//!
//! State changes only through `apply(state, event)`, so an event carries
//! everything that its change needs, and nothing else: no text of a message.
//! Each choice carries its reason in short, so that the past can be explained.

mod stream;

pub use stream::{StreamId, StreamKind};

use crate::actor::Actor;
use crate::agent::{Agent, AgentPatch, ChannelPresence};
use crate::article::{ArticleMeta, Revision};
use crate::clock::{ClockChange, PolicyRef, Slot};
use crate::contact::{Contact, ContactPatch, Organization, OrganizationPatch};
use crate::escalation::chain::EscalationChange;
use crate::id::{AgentId, CommandId, ContactId, Key, TicketId, Version};
use crate::prediction::Prediction;
use crate::ticket::change::Change;
use crate::ticket::message::{Attachment, MessageMeta};
use crate::ticket::priority::{Channel, Priority, SkillLevel, TicketType};
use crate::ticket::relation::Link;
use crate::ticket::status::StatusCategory;
use crate::ticket::{Follower, Ticket};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::net::IpAddr;
use uuid::Uuid;

/// A candidate that was refused, and the first reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Who.
    pub agent: AgentId,
    /// Why not.
    pub reason: RefusedReason,
}

/// Why an agent is no candidate for a ticket; the checks run in this order and
/// the first that fails is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedReason {
    /// Deactivated.
    Inactive,
    /// In none of the stage's groups.
    NotInPool,
    /// Not online on the ticket's channel.
    NotOnline,
    /// Outside of their shift's hours.
    OffShift,
    /// Lacks a required skill, or its level.
    LacksSkill,
    /// No room on the channel.
    ChannelFull,
    /// No room in total.
    TotalFull,
    /// Was given work too short a time ago.
    Cooldown,
    /// Was given as much work as the queue's rate limit allows.
    RateLimited,
    /// Excluded by the ticket.
    Excluded,
}

impl RefusedReason {
    /// The reason as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::NotInPool => "not_in_pool",
            Self::NotOnline => "not_online",
            Self::OffShift => "off_shift",
            Self::LacksSkill => "lacks_skill",
            Self::ChannelFull => "channel_full",
            Self::TotalFull => "total_full",
            Self::Cooldown => "cooldown",
            Self::RateLimited => "rate_limited",
            Self::Excluded => "excluded",
        }
    }
}

/// Why this agent of all candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// The only candidate.
    OnlyCandidate,
    /// Had the ticket, or this requester, before.
    Affinity,
    /// Had room when the ticket's turn came.
    Drained,
    /// The stage's selector.
    Selector,
    /// The selector tied; fewer active units.
    FewerActive,
    /// The same; longest since last assigned, never-assigned first.
    LongestSinceAssigned,
    /// The same; lowest agent id.
    AgentId,
}

/// An automatic choice of an agent, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceShort {
    /// The stage, from 0.
    pub stage: u16,
    /// How the one was chosen.
    pub by: ChosenBy,
    /// The selector's name.
    pub selector: String,
    /// Candidates that passed every check.
    pub n_candidates: u32,
    /// At most 20 that did not, by agent id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
}

/// How a ticket came to its assignee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignedHow {
    /// An agent or the host named them; may exceed capacity.
    ByHand,
    /// They took this one.
    Claimed,
    /// They took the next one.
    Taken,
    /// They accepted an offer.
    Accepted,
    /// The queue gave it to them.
    Automatically,
    /// A macro did.
    Macro,
    /// They had it where it was imported from.
    Imported,
    /// Escalation gave it to them.
    Escalated,
}

/// Why a ticket lost its assignee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnassignedWhy {
    /// Somebody said so.
    ByHand,
    /// It was routed to another queue.
    RoutedAgain,
    /// The agent was offline for longer than the desk's grace.
    Offline,
    /// The agent was deactivated.
    Deactivated,
    /// The agent took it and did not answer in time.
    NotAnswered,
    /// Nothing happened for longer than the queue allows.
    Idle,
    /// Its assignee was not available when it was reopened.
    Reopened,
    /// Escalation took it away.
    Escalated,
}

/// How an offer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OfferEnd {
    /// The agent took it.
    Accepted,
    /// The agent did not want it.
    Rejected {
        /// Their reason.
        reason: String,
    },
    /// Nobody answered in time.
    Expired,
    /// The ticket was solved, assigned or taken away meanwhile.
    Rescinded,
}

/// Why a ticket is where it is: what routing decided, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RoutedBy {
    /// This rule was the first that matched.
    Rule {
        /// The rule.
        rule: Key,
        /// What decided, in words, at most five.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        because: Vec<String>,
    },
    /// No rule matched; the mailbox has a default queue.
    MailboxDefault,
    /// No rule matched; a model took this queue for the right one.
    Predicted {
        /// How likely, and why.
        prediction: Prediction,
    },
    /// No rule matched; the desk has a default queue.
    DeskDefault,
    /// A person or the host named the queue.
    ByHand,
    /// It was reopened, and goes back to the queue it came from.
    Reopened,
    /// Escalation handed it over, or it was handed back.
    Escalated,
}

/// Why a status changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusWhy {
    /// Somebody said so.
    ByHand,
    /// The ticket got an assignee.
    Assigned,
    /// An agent answered.
    AgentReplied,
    /// The requester wrote.
    RequesterReplied,
    /// It was solved for as long as the desk waits.
    AutoClosed,
    /// A macro said so.
    Macro,
    /// A step of an escalation said so.
    Escalated,
}

/// One thing that happened to one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", remote = "Self")]
pub enum Event {
    /// A ticket was opened, or imported.
    Opened {
        /// The ticket at its start.
        ticket: Box<Ticket>,
        /// Whether it is history brought in from elsewhere.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        imported: bool,
        /// How its language was found, when it was guessed: the detector and its confidence in percent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language_by: Option<String>,
    },
    /// A public message: by a requester, an agent or a bot.
    Replied {
        /// All but the text.
        message: MessageMeta,
    },
    /// An internal note.
    Noted {
        /// All but the text.
        message: MessageMeta,
    },
    /// The text of a note changed.
    NoteEdited {
        /// Which.
        seq: u32,
        /// Bytes of the new text.
        text_bytes: u64,
        /// Hash of the new text.
        sha256: String,
    },
    /// The text and files of a message were removed for good.
    Redacted {
        /// Which.
        seq: u32,
        /// Files removed.
        n_attachments: u32,
    },
    /// A file was added to a message.
    AttachmentAdded {
        /// To which.
        seq: u32,
        /// The file.
        attachment: Attachment,
    },
    /// Somebody read the conversation up to a message.
    Seen {
        /// Who.
        by: Follower,
        /// Up to which.
        seq: u32,
    },
    /// Plain fields changed.
    Updated {
        /// The changes that changed something, in order.
        changes: Vec<Change>,
    },
    /// A model took a field to be this, and nobody had set it.
    Predicted {
        /// What, how likely, and why.
        prediction: Prediction,
        /// What it changes.
        change: Change,
    },
    /// The status changed.
    StatusSet {
        /// From this.
        from: Key,
        /// To this.
        to: Key,
        /// What the new one means.
        category: StatusCategory,
        /// Why.
        why: StatusWhy,
        /// Whether the ticket counts against its assignee's capacity now.
        counts: bool,
        /// When a timer will close it, if one will.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        auto_close_at: Option<DateTime<Utc>>,
    },
    /// Out of sight for a while.
    Snoozed {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// In sight again.
    Woken,
    /// Somebody follows.
    FollowerAdded {
        /// Who.
        follower: Follower,
    },
    /// Somebody follows no more.
    FollowerRemoved {
        /// Who.
        follower: Follower,
    },
    /// The desk has no transition that would close the ticket by itself.
    AutoCloseLeft,
    /// Nothing has happened for long enough by the wall clock, but not yet by the
    /// queue's calendar.
    IdleLater {
        /// When the assignee loses the ticket; never by this calendar when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idle_at: Option<DateTime<Utc>>,
    },
    /// Marked as spam.
    MarkedSpam,
    /// No spam after all.
    UnmarkedSpam,
    /// Deleted, restorable.
    Deleted,
    /// Restored.
    Restored,
    /// Put into a queue.
    Routed {
        /// The queue.
        queue: Key,
        /// Its group.
        group: Key,
        /// Why there.
        by: RoutedBy,
        /// The waiting time counts from here.
        entered_queue_at: DateTime<Utc>,
        /// Priority set by the rule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<Priority>,
        /// Type set by the rule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket_type: Option<TicketType>,
        /// Tags added by the rule.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
        /// Skills required from now on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        skills: Vec<SkillLevel>,
    },
    /// No rule matched and there is no default queue.
    Unroutable,
    /// Nobody could be given the ticket now; look again then.
    Waiting {
        /// The stage that was active, from 0.
        stage: u16,
        /// When to look again without being asked, if ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        look_again_at: Option<DateTime<Utc>>,
    },
    /// An agent is responsible.
    Assigned {
        /// Who.
        agent: AgentId,
        /// How.
        how: AssignedHow,
        /// Work units that the ticket takes.
        weight: u32,
        /// Whether the ticket counts against the agent's capacity now.
        counts: bool,
        /// Answer until then, or lose it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer_by: Option<DateTime<Utc>>,
        /// Taken away again when nothing happens for this long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idle_seconds: Option<u64>,
        /// Why this one, when the desk chose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        choice: Option<ChoiceShort>,
    },
    /// Nobody is responsible any more.
    Unassigned {
        /// Who was.
        agent: AgentId,
        /// Why.
        why: UnassignedWhy,
    },
    /// Reserved for an agent until accepted, rejected or expired.
    Offered {
        /// Who.
        agent: AgentId,
        /// Until then.
        expires_at: DateTime<Utc>,
        /// Work units reserved.
        weight: u32,
        /// Why this one, when the desk chose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        choice: Option<ChoiceShort>,
    },
    /// The offer ended.
    OfferEnded {
        /// Who had it.
        agent: AgentId,
        /// How.
        how: OfferEnd,
    },
    /// An agent will not be offered this ticket.
    Excluded {
        /// Who.
        agent: AgentId,
        /// Until when; for ever when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
        /// Why.
        reason: String,
    },
    /// Linked to another ticket.
    Linked {
        /// The link.
        link: Link,
    },
    /// A link was taken away.
    Unlinked {
        /// The link.
        link: Link,
    },
    /// Made a part of another ticket, or of none.
    ParentSet {
        /// The other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<TicketId>,
    },
    /// An agent ran a macro; its changes follow as events of their own.
    MacroRun {
        /// Which.
        key: Key,
    },
    /// An SLA policy was chosen for a ticket, or none.
    PolicyPicked {
        /// For which of its two promises.
        slot: Slot,
        /// The policy; none fits when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<PolicyRef>,
        /// What decided, in words, at most five.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        because: Vec<String>,
    },
    /// Something happened to a clock: it started, paused, was met, warned, breached.
    ClockChanged {
        /// What, and the clock after it.
        change: Box<ClockChange>,
    },
    /// Something happened to the ticket's escalation.
    EscalationChanged {
        /// What, and how it stands after it.
        change: Box<EscalationChange>,
    },
    /// A contact was created, or made from a first message.
    ContactCreated {
        /// The contact.
        contact: Box<Contact>,
    },
    /// A contact changed.
    ContactUpdated {
        /// How.
        patch: Box<ContactPatch>,
    },
    /// Another agent than before answered a contact.
    ContactAnswered {
        /// Who.
        by: AgentId,
    },
    /// A contact lives on in another.
    ContactJoined {
        /// The other.
        into: ContactId,
    },
    /// A contact took over another's identities.
    ContactAbsorbed {
        /// The other.
        from: ContactId,
        /// What it brought: identities, tags, custom values that were unset.
        patch: Box<ContactPatch>,
    },
    /// What the desk held of a contact was removed for good.
    ContactErased,
    /// What a person wrote on a ticket was removed for good.
    WriterErased {
        /// Whether they were its requester: then its subject and custom values are gone too.
        of_requester: bool,
        /// Their messages.
        messages: Vec<u32>,
        /// Files removed.
        n_attachments: u32,
    },
    /// An organization was created.
    OrganizationCreated {
        /// The organization.
        organization: Box<Organization>,
    },
    /// An organization changed.
    OrganizationUpdated {
        /// How.
        patch: Box<OrganizationPatch>,
    },
    /// An agent was created.
    AgentCreated {
        /// The agent.
        agent: Box<Agent>,
    },
    /// An agent changed.
    AgentUpdated {
        /// How.
        patch: Box<AgentPatch>,
    },
    /// An agent works here no more.
    AgentDeactivated,
    /// An agent's presence changed on some channels.
    PresenceSet {
        /// Those channels.
        channels: Vec<(Channel, ChannelPresence)>,
    },
    /// An article was begun: a draft.
    ArticleCreated {
        /// All of it but the text.
        article: Box<ArticleMeta>,
    },
    /// An article has a new revision, a draft again.
    ArticleSaved {
        /// All of it but the text.
        revision: Box<Revision>,
    },
    /// When an article should be read again.
    ArticleReviewSet {
        /// Then; never when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review_at: Option<DateTime<Utc>>,
    },
    /// The newest revision is to be read by another.
    ArticleSubmitted,
    /// The newest revision is to come out.
    ArticleScheduled {
        /// When.
        publish_at: DateTime<Utc>,
    },
    /// The newest revision is out.
    ArticlePublished,
    /// The article is out no more.
    ArticleArchived,
    /// Somebody said whether the article helped.
    ArticleVoted {
        /// Whether it did.
        helpful: bool,
        /// What they had said before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<bool>,
    },
    /// What happened is in the archive; this is its place. Changes nothing.
    Archived {
        /// The type of event that stood here.
        of: String,
    },
    /// The configuration changed.
    ConfigApplied {
        /// SHA-256 of the document in canonical JSON, hex.
        sha256: String,
    },
    /// What only a newer version of the program can read: kept as it stands, and changes nothing
    /// here. Made by [`or_opaque`](Self::or_opaque) alone, so that nodes of two versions share a
    /// journal while one after the other is upgraded.
    #[serde(skip)]
    Opaque(serde_json::Map<String, serde_json::Value>),
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Opaque(map) => map.serialize(serializer),
            // The derived one.
            known => Self::serialize(known, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Event {
    /// Reads what stands in a journal: an event, or [`Opaque`](Self::Opaque) where this version cannot read it.
    ///
    /// ```
    /// use helpdesk_core::event::Event;
    /// use serde_json::json;
    /// assert_eq!(Event::or_opaque(json!({"type": "woken"})).unwrap(), Event::Woken);
    /// let newer = Event::or_opaque(json!({"type": "sung", "song": 7})).unwrap();
    /// assert_eq!(newer.name(), "sung");
    /// assert_eq!(serde_json::to_value(newer).unwrap(), json!({"type": "sung", "song": 7}));
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with it, where it is no event of any version: no object with a `type`.
    pub fn or_opaque(value: serde_json::Value) -> Result<Self, serde_json::Error> {
        use serde_json::Value;
        match (Self::deserialize(&value), value) {
            (Ok(event), _) => Ok(event),
            (Err(_), Value::Object(map)) if map.get("type").is_some_and(Value::is_string) => {
                Ok(Self::Opaque(map))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Its type, as it stands in JSON.
    #[must_use]
    pub fn name(&self) -> String {
        let value = serde_json::to_value(self).ok();
        let name = value.as_ref().and_then(|value| value.get("type")?.as_str());
        name.unwrap_or_default().to_owned()
    }
}

/// What caused an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Cause {
    /// A command.
    Command {
        /// Which.
        id: CommandId,
    },
    /// A timer that came due.
    Timer {
        /// What for.
        kind: TimerKind,
    },
}

/// What a timer is for. The order is their rank within one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// On the configuration: calendars changed; clocks that count in them are dated anew.
    Redate,
    /// On an agent: its presence on a channel ends.
    PresenceEnds,
    /// On a case: nobody answered the offer.
    OfferExpires,
    /// On a case: the agent who took it did not answer.
    AnswerDue,
    /// On a case: nothing happened for too long.
    IdleUnassign,
    /// On a case: in sight again.
    Snooze,
    /// On a case: a clock comes near its target.
    SlaWarning,
    /// On a case: a clock is past its target.
    SlaBreach,
    /// On a case: a step of its escalation, or the end of an acknowledgement.
    Escalation,
    /// On a case: solved for long enough.
    AutoClose,
    /// On an agent: its tickets go back to their queues, one at a time.
    Unload,
    /// On a case: another stage is reached, or somebody is available again.
    LookAgain,
    /// On an agent: it has room; give it the next ticket, one at a time.
    Drain,
    /// On an article: it comes out.
    Publish,
}

impl TimerKind {
    /// The kind as it stands in JSON and in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redate => "redate",
            Self::PresenceEnds => "presence_ends",
            Self::OfferExpires => "offer_expires",
            Self::AnswerDue => "answer_due",
            Self::IdleUnassign => "idle_unassign",
            Self::Snooze => "snooze",
            Self::SlaWarning => "sla_warning",
            Self::SlaBreach => "sla_breach",
            Self::Escalation => "escalation",
            Self::AutoClose => "auto_close",
            Self::Unload => "unload",
            Self::LookAgain => "look_again",
            Self::Drain => "drain",
            Self::Publish => "publish",
        }
    }

    /// All kinds, in rank order.
    pub const ALL: [Self; 14] = [
        Self::Redate,
        Self::PresenceEnds,
        Self::OfferExpires,
        Self::AnswerDue,
        Self::IdleUnassign,
        Self::Snooze,
        Self::SlaWarning,
        Self::SlaBreach,
        Self::Escalation,
        Self::AutoClose,
        Self::Unload,
        Self::LookAgain,
        Self::Drain,
        Self::Publish,
    ];
}

/// Who did it and why: what the journal keeps beside every event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The kind of actor.
    pub kind: crate::actor::ActorKind,
    /// Which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Uuid>,
    /// For whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Uuid>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// By what.
    pub cause: Cause,
}

impl Origin {
    /// The origin of what `actor` causes.
    #[must_use]
    pub fn new(actor: &Actor, cause: Cause) -> Self {
        Self {
            kind: actor.kind,
            actor: actor.id,
            on_behalf_of: actor.on_behalf_of,
            ip: actor.ip,
            cause,
        }
    }
}

/// An event to be appended to a stream; its number comes with the commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewEvent {
    /// The stream.
    pub stream: StreamId,
    /// When it happened: for a timer, its due time.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// Who and why.
    pub origin: Origin,
    /// What; read by [`Event::or_opaque`].
    #[serde(deserialize_with = "or_opaque")]
    pub event: Event,
}

fn or_opaque<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Event::or_opaque(value).map_err(serde::de::Error::custom)
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its number in its stream, from 1; the stream's version after it.
    pub n: Version,
    /// Its position in the tenant's feed.
    pub position: u64,
    /// The event.
    #[serde(flatten)]
    pub entry: NewEvent,
}
