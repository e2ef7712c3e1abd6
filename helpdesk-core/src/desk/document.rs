//! The configuration as people write it: one document, nearly everything optional.
//!
//! `{}` is a desk that works. What is read here is only shape; what it means
//! is checked by [`DeskReader`](super::DeskReader). Source: spec/desk.md.

use crate::access::role::RoleDef;
use crate::agent::PresenceState;
use crate::automation::macros::Macro;
use crate::calendar::CalendarDef;
use crate::condition::ConditionSource;
use crate::contact::Patch;
use crate::escalation::oncall::ScheduleDef;
use crate::escalation::policy::{MaintenanceDef, PolicyDef as EscalationPolicyDef};
use crate::escalation::tier::TierDef;
use crate::id::Key;
use crate::prediction::PredictionDef;
use crate::retention::Retention;
use crate::routing::next::ToSolve;
use crate::routing::queue::Queue;
use crate::routing::rules::RouteTo;
use crate::sla::check::SlaDef;
use crate::ticket::custom::FieldDef;
use crate::ticket::priority::{Channel, MatrixCell};
use crate::ticket::status::{StatusCategory, StatusDef, StatusPreset, TransitionDef};
use crate::view::ViewDef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The whole configuration of a desk.
///
/// ```
/// use helpdesk_core::desk::document::Document;
/// let document = Document::default();
/// assert_eq!((&*document.number_prefix, document.auto_close_after_seconds), ("HD", Some(345_600)));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// What people call the desk.
    pub name: String,
    /// The language of tickets that name none, as an ISO 639 code in lower case.
    pub default_language: String,
    /// The IANA time zone in which the desk lives.
    pub time_zone: String,
    /// What ticket numbers start with: 16 letters and digits at most, or empty
    /// for bare numbers.
    pub number_prefix: String,
    /// Whose statuses the desk has when it lists none.
    pub preset: StatusPreset,
    /// The desk's own statuses, in place of the preset's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<StatusDef>,
    /// Which status may follow which; all but out of closed when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<TransitionDef>,
    /// Custom fields of tickets, contacts and organizations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDef>,
    /// When people work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<DeskCalendarDef>,
    /// Groups of agents; one group `support` when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupDef>,
    /// Brands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brands: Vec<NamedDef>,
    /// What agents can and tickets may need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<NamedDef>,
    /// Levels of support, from the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<TierDef>,
    /// Classes of requesters; `standard`, `premium` and `vip` when absent.
    #[serde(default = "requester_tiers")]
    pub requester_tiers: Vec<NamedDef>,
    /// Addresses and accounts that receive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mailboxes: Vec<MailboxDef>,
    /// Where tickets wait; one queue for each group, with its key, when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<Queue>,
    /// Routing rules: the first that holds names the queue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleDef>,
    /// The queue of tickets that no rule and no mailbox routes: the first queue
    /// when absent, none when null.
    #[serde(deserialize_with = "crate::contact::some", skip_serializing_if = "Option::is_none")]
    pub default_queue: Patch<Key>,
    /// Macros.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub macros: Vec<Macro>,
    /// Views.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<ViewDef>,
    /// The desk's own roles, beside the built-in ones or in their place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleDef>,
    /// The desk's own presence statuses, beside `online`, `away` and `offline`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub presences: Vec<PresenceDef>,
    /// What impact and urgency give; the usual table when absent, nothing when empty.
    #[serde(default = "priority_matrix")]
    pub priority_matrix: Vec<MatrixCell>,
    /// What a requester's message on a solved ticket does.
    pub follow_up: FollowUp,
    /// The status after an agent's public reply that names none: the preset's
    /// when absent, none when null.
    #[serde(deserialize_with = "crate::contact::some", skip_serializing_if = "Option::is_none")]
    pub status_after_reply: Patch<Key>,
    /// A solved ticket is closed after this long; null for never.
    pub auto_close_after_seconds: Option<u64>,
    /// Tickets in these categories take their assignee's capacity: of `new`,
    /// `open` and `pending`.
    pub load_categories: Vec<StatusCategory>,
    /// An agent who is offline for longer loses unanswered work; null for never.
    pub offline_grace_seconds: Option<u64>,
    /// Whether `ё` and `е` are one letter to conditions.
    pub fold_yo: bool,
    /// What the selector `random` draws by.
    pub selection_seed: u64,
    /// The languages that requesters write in, as ISO 639 codes; a message that
    /// names none is guessed among them, or among all when there are none.
    pub languages: Vec<String>,
    /// How the order "to solve" is made.
    pub to_solve: ToSolve,
    /// What is measured, and what is promised.
    pub sla: SlaDef,
    /// Who is on call, when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleDef>,
    /// Escalation policies: the first that holds fetches help for a ticket that waits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<EscalationPolicyDef>,
    /// When notifications of escalations wait.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<MaintenanceDef>,
    /// Fields that models predict for new tickets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<PredictionDef>,
    /// How long things are kept; all of them for ever when absent.
    #[serde(skip_serializing_if = "Retention::is_empty")]
    pub retention: Retention,
    /// Groups of words that mean the same: a search for articles by one finds the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub synonyms: Vec<Vec<String>>,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            name: "Help desk".to_owned(),
            default_language: "en".to_owned(),
            time_zone: "UTC".to_owned(),
            number_prefix: "HD".to_owned(),
            preset: StatusPreset::default(),
            statuses: Vec::new(),
            transitions: Vec::new(),
            fields: Vec::new(),
            calendars: Vec::new(),
            groups: Vec::new(),
            brands: Vec::new(),
            skills: Vec::new(),
            tiers: Vec::new(),
            requester_tiers: requester_tiers(),
            mailboxes: Vec::new(),
            queues: Vec::new(),
            rules: Vec::new(),
            default_queue: None,
            macros: Vec::new(),
            views: Vec::new(),
            roles: Vec::new(),
            presences: Vec::new(),
            priority_matrix: priority_matrix(),
            follow_up: FollowUp::default(),
            status_after_reply: None,
            auto_close_after_seconds: Some(4 * 24 * 3600),
            load_categories: vec![StatusCategory::New, StatusCategory::Open],
            offline_grace_seconds: None,
            fold_yo: false,
            selection_seed: 0,
            languages: Vec::new(),
            to_solve: ToSolve::default(),
            sla: SlaDef::default(),
            schedules: Vec::new(),
            escalations: Vec::new(),
            maintenance: Vec::new(),
            predictions: Vec::new(),
            retention: Retention::default(),
            synonyms: Vec::new(),
        }
    }
}

/// A thing that only has a name: a brand, a skill, a class of requesters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedDef {
    /// Its key.
    pub key: Key,
    /// What people read; the key when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// A group: agents who share work. Its members are the agents that name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupDef {
    /// Its key.
    pub key: Key,
    /// What people read; the key when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its level of support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Key>,
    /// When it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Key>,
}

/// A calendar of the desk: hours that groups, agents and conditions name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeskCalendarDef {
    /// Its key.
    pub key: Key,
    /// What people read; the key when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When it is open.
    #[serde(flatten)]
    pub hours: CalendarDef,
}

/// A mailbox: an address or account that receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailboxDef {
    /// Its key.
    pub key: Key,
    /// What people read; the key when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its address; one mailbox has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What it receives.
    #[serde(default = "email")]
    pub channel: Channel,
    /// The queue of its tickets that no rule routes; the desk's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_queue: Option<Key>,
    /// The brand of its tickets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Key>,
    /// What a requester's message on a solved ticket does; the desk's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUp>,
}

/// A routing rule, as the configuration has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleDef {
    /// Its key.
    pub key: Key,
    /// Lower is tried first, ties go by key; ten times its index in the list
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Which tickets; all when absent.
    #[serde(default)]
    pub when: ConditionSource,
    /// Where to.
    pub then: RouteTo,
}

/// A presence status of the desk's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PresenceDef {
    /// Its key.
    pub key: Key,
    /// What people read; the key when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it means for work.
    pub state: PresenceState,
}

/// What a requester's message on a solved ticket does. On a closed one it
/// always opens a new linked ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FollowUp {
    /// It opens the ticket again.
    #[default]
    Reopen,
    /// It opens a new linked ticket.
    NewTicket,
    /// It opens the ticket again within this long after it was solved, the
    /// last second counted in; later a new linked ticket.
    ReopenWithinSeconds(u64),
}

fn email() -> Channel {
    Channel::Email
}

fn requester_tiers() -> Vec<NamedDef> {
    let rows = [("standard", "Standard"), ("premium", "Premium"), ("vip", "VIP")];
    let defs = rows.into_iter().filter_map(|(key, name)| {
        Some(NamedDef { key: Key::new(key).ok()?, name: name.to_owned() })
    });
    defs.collect()
}

/// Source: ITIL's incident priority matrix, its five levels on the desk's four.
fn priority_matrix() -> Vec<MatrixCell> {
    use crate::ticket::priority::{Level, Priority};
    let mut cells = Vec::new();
    for impact in Level::ALL {
        for urgency in Level::ALL {
            let priority = match *impact as u8 + *urgency as u8 {
                4 => Priority::Urgent,
                3 => Priority::High,
                2 => Priority::Normal,
                _ => Priority::Low,
            };
            cells.push(MatrixCell { impact: *impact, urgency: *urgency, priority });
        }
    }
    cells
}
