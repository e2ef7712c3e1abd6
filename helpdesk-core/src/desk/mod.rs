//! The desk: its whole configuration, checked and frozen.
//!
//! A [`Document`] is what people write; [`DeskReader`]
//! checks it, shape and meaning, and tells every fault at once; a [`Desk`] is
//! what the engine decides by. Source: spec/desk.md.

mod changes;
mod check;
mod dated;
pub mod document;
mod draft;
pub mod lint;
mod read;
mod shape;
#[cfg(test)]
mod tests;

pub use changes::DeskChanges;
pub use dated::{CalendarChange, CalendarMark};
pub use read::{from_json, from_toml, from_yaml};
pub use shape::config_schema;

use crate::access::role::RoleTable;
use crate::agent::PresenceState;
use crate::automation::macros::Macro;
use crate::calendar::{BundledZones, Calendar, ZoneRules};
use crate::condition::{CalendarStamp, Calendars, FoldOptions, Schema, Terms};
use crate::escalation::policy::Escalations;
use crate::escalation::tier::TierDef;
use crate::fault::{Code, Fault};
use crate::id::Key;
use crate::limit::FAULTS_MAX;
use crate::prediction::PredictionDef;
use crate::retention::Retention;
use crate::routing::next::ToSolve;
use crate::routing::queue::Queue;
use crate::routing::rules::{RoutingRule, RoutingRules};
use crate::sla::check::SlaRules;
use crate::sla::signal::CalendarRevisions;
use crate::ticket::custom::{FieldDef, FieldOwner};
use crate::ticket::priority::{Level, Priority};
use crate::ticket::status::{StatusCategory, StatusDef, StatusTable};
use crate::view::View;
use dated::Zones;
use document::{DeskCalendarDef, Document, FollowUp, GroupDef, MailboxDef, NamedDef, PresenceDef};
use draft::Draft;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads configurations. Making one compiles the schema; reading is cheap.
#[derive(Debug)]
pub struct DeskReader {
    shape: shape::Shape,
    zones: Zones,
}

impl DeskReader {
    /// Compiles the schema. Calendars go by the bundled zone rules.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] when the schema does not compile: a defect of this crate.
    pub fn new() -> Result<Self, Fault> {
        let zones = Zones(Arc::new(BundledZones::new()));
        shape::Shape::new().map(|shape| Self { shape, zones })
    }

    /// The same reader, for calendars that go by these zone rules.
    #[must_use]
    pub fn with_zones(mut self, zones: Arc<dyn ZoneRules>) -> Self {
        self.zones = Zones(zones);
        self
    }

    /// Checks a document and freezes it.
    ///
    /// What does not fit the schema is left out and the rest is checked all the
    /// same, so that one reading tells every fault: first those of shape, then
    /// those of meaning. An entry of a list with a fault of shape is checked no
    /// further, but for its condition.
    ///
    /// # Errors
    ///
    /// Every fault with its path, [`FAULTS_MAX`] at most and one that counts the rest.
    pub fn read(&self, document: &Value) -> Result<Desk, Vec<Fault>> {
        let mut faults = self.shape.faults(document);
        if faults.iter().any(|fault| fault.path.is_empty()) {
            return Err(faults);
        }
        let Some(draft) = Draft::read(document, &mut faults) else { return Err(faults) };
        let of_shape = faults.len();
        let desk = check::check(&draft, &self.zones, &mut faults);
        for fault in &mut faults[of_shape..] {
            fault.path = draft.origin_of(&fault.path);
        }
        match desk {
            Some(desk) if faults.is_empty() => Ok(desk),
            _ => Err(at_most(faults, FAULTS_MAX)),
        }
    }
}

/// The whole configuration of a desk, checked: every key it names exists, every
/// condition is parsed. Share it in an [`Arc`].
///
/// ```
/// use helpdesk_core::desk::{Desk, from_toml};
/// use helpdesk_core::id::Key;
///
/// let document = from_toml(r#"
///     groups = [{ key = "billing" }, { key = "tech" }]
///
///     [[rules]]
///     key = "refunds"
///     when = { field = "text", has_word = ["refund", "money back"] }
///     then = { queue = "billing" }
/// "#)?;
/// let desk = Desk::from_value(&document).map_err(|faults| faults[0].clone())?;
/// assert_eq!(desk.rules()[0].then.queue, "billing");
/// assert_eq!(desk.queue(&Key::new("tech")?).map(|queue| queue.group.as_str()), Some("tech"));
/// # Ok::<(), helpdesk_core::fault::Fault>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Desk {
    /// As it was written, but for rules and views, which stand below.
    document: Document,
    number_prefix: Arc<str>,
    statuses: StatusTable,
    status_after_reply: Option<Key>,
    fields: BTreeMap<(FieldOwner, Key), FieldDef>,
    calendars: BTreeMap<Key, DeskCalendarDef>,
    groups: BTreeMap<Key, GroupDef>,
    brands: BTreeMap<Key, NamedDef>,
    skills: BTreeMap<Key, NamedDef>,
    tiers: BTreeMap<Key, TierDef>,
    requester_tiers: BTreeMap<Key, NamedDef>,
    mailboxes: BTreeMap<Key, MailboxDef>,
    queues: BTreeMap<Key, Queue>,
    rules: RoutingRules,
    /// Where each rule stood in the document.
    rule_spots: Vec<usize>,
    default_queue: Option<Key>,
    macros: BTreeMap<Key, Macro>,
    views: BTreeMap<Key, View>,
    /// The keys of the views as they stood in the document.
    view_order: Vec<Key>,
    roles: RoleTable,
    presences: BTreeMap<Key, PresenceDef>,
    schema: Schema,
    sla: SlaRules,
    escalations: Escalations,
    /// The group of each queue.
    queue_groups: BTreeMap<Key, Key>,
    terms: Terms,
    zones: Zones,
    watch_needs_body: bool,
    marks: BTreeMap<Key, CalendarMark>,
    /// The calendars, each under its revision.
    dated: CalendarRevisions,
    /// Whether the document lists groups, and queues, of its own.
    lists_groups: bool,
    lists_queues: bool,
}

impl Desk {
    /// Checks a document and freezes it. Who reads many makes a [`DeskReader`].
    ///
    /// ```
    /// use helpdesk_core::desk::Desk;
    /// use serde_json::json;
    /// assert!(Desk::from_value(&json!({})).is_ok());
    /// let document = json!({"default_queue": "vip", "nmae": "Desk"});
    /// let faults = Desk::from_value(&document).err().unwrap_or_default();
    /// assert_eq!(faults[0].to_string(), "nmae: there is no field `nmae`; near it: `name`, `sla`, `roles`");
    /// assert_eq!(faults[1].to_string(), "default_queue: there is no queue `vip`; near it: `support`");
    /// ```
    ///
    /// # Errors
    ///
    /// As [`DeskReader::read`].
    pub fn from_value(document: &Value) -> Result<Self, Vec<Fault>> {
        DeskReader::new().map_err(|fault| vec![fault])?.read(document)
    }

    /// What people call the desk.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// The language of tickets that name none.
    #[must_use]
    pub fn default_language(&self) -> &str {
        &self.document.default_language
    }

    /// Fields that models predict for new tickets.
    #[must_use]
    pub fn predictions(&self) -> &[PredictionDef] {
        &self.document.predictions
    }

    /// How long things are kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.document.retention
    }

    /// Groups of words that mean the same to searches for articles.
    #[must_use]
    pub fn synonyms(&self) -> &[Vec<String>] {
        &self.document.synonyms
    }

    /// The IANA time zone in which the desk lives.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        &self.document.time_zone
    }

    /// What ticket numbers start with; empty for bare numbers.
    #[must_use]
    pub fn number_prefix(&self) -> &Arc<str> {
        &self.number_prefix
    }

    /// The statuses and the steps between them.
    #[must_use]
    pub fn statuses(&self) -> &StatusTable {
        &self.statuses
    }

    /// The status after an agent's public reply that names none.
    #[must_use]
    pub fn status_after_reply(&self) -> Option<&StatusDef> {
        self.status_after_reply.as_ref().and_then(|key| self.statuses.get(key))
    }

    /// A custom field of tickets, contacts or organizations.
    #[must_use]
    pub fn field(&self, owner: FieldOwner, key: &Key) -> Option<&FieldDef> {
        self.fields.get(&(owner, key.clone()))
    }

    /// All custom fields, by owner and key.
    pub fn fields(&self) -> impl Iterator<Item = &FieldDef> {
        self.fields.values()
    }

    /// A calendar, compiled.
    #[must_use]
    pub fn calendar(&self, key: &Key) -> Option<&Calendar> {
        self.terms.calendars.get(key)
    }

    /// What a calendar answers by, in short: another stamp under the same key
    /// means that hours or zone rules changed.
    #[must_use]
    pub fn calendar_stamp(&self, key: &Key) -> Option<&CalendarStamp> {
        self.terms.calendars.stamp(key)
    }

    /// All calendars, compiled, by key.
    #[must_use]
    pub fn calendars(&self) -> &Calendars {
        &self.terms.calendars
    }

    /// The definitions of all calendars, by key.
    pub fn calendar_defs(&self) -> impl Iterator<Item = &DeskCalendarDef> {
        self.calendars.values()
    }

    /// A group.
    #[must_use]
    pub fn group(&self, key: &Key) -> Option<&GroupDef> {
        self.groups.get(key)
    }

    /// All groups, by key.
    pub fn groups(&self) -> impl Iterator<Item = &GroupDef> {
        self.groups.values()
    }

    /// A brand.
    #[must_use]
    pub fn brand(&self, key: &Key) -> Option<&NamedDef> {
        self.brands.get(key)
    }

    /// All brands, by key.
    pub fn brands(&self) -> impl Iterator<Item = &NamedDef> {
        self.brands.values()
    }

    /// A skill.
    #[must_use]
    pub fn skill(&self, key: &Key) -> Option<&NamedDef> {
        self.skills.get(key)
    }

    /// All skills, by key.
    pub fn skills(&self) -> impl Iterator<Item = &NamedDef> {
        self.skills.values()
    }

    /// A level of support.
    #[must_use]
    pub fn tier(&self, key: &Key) -> Option<&TierDef> {
        self.tiers.get(key)
    }

    /// All levels of support, by key.
    pub fn tiers(&self) -> impl Iterator<Item = &TierDef> {
        self.tiers.values()
    }

    /// A class of requesters.
    #[must_use]
    pub fn requester_tier(&self, key: &Key) -> Option<&NamedDef> {
        self.requester_tiers.get(key)
    }

    /// All classes of requesters, by key.
    pub fn requester_tiers(&self) -> impl Iterator<Item = &NamedDef> {
        self.requester_tiers.values()
    }

    /// A mailbox.
    #[must_use]
    pub fn mailbox(&self, key: &Key) -> Option<&MailboxDef> {
        self.mailboxes.get(key)
    }

    /// All mailboxes, by key.
    pub fn mailboxes(&self) -> impl Iterator<Item = &MailboxDef> {
        self.mailboxes.values()
    }

    /// A queue.
    #[must_use]
    pub fn queue(&self, key: &Key) -> Option<&Queue> {
        self.queues.get(key)
    }

    /// All queues, by key.
    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.values()
    }

    /// The queue of a ticket that no rule routes: its mailbox's, else the
    /// desk's; `None` where there is neither and the ticket is unroutable.
    #[must_use]
    pub fn default_queue(&self, mailbox: Option<&Key>) -> Option<&Queue> {
        let own = mailbox.and_then(|key| self.mailbox(key)?.default_queue.as_ref());
        self.queue(own.or(self.default_queue.as_ref())?)
    }

    /// The routing rules in the order in which they are tried: by position, then key.
    #[must_use]
    pub fn rules(&self) -> &[RoutingRule] {
        self.rules.rules()
    }

    /// The same rules, compiled.
    #[must_use]
    pub fn routing(&self) -> &RoutingRules {
        &self.rules
    }

    /// Whether any SLA policy, metric or escalation looks at the newest public message.
    #[must_use]
    pub fn watch_needs_body(&self) -> bool {
        self.watch_needs_body
    }

    /// Whether any rule looks at the newest public message.
    #[must_use]
    pub fn rules_need_body(&self) -> bool {
        self.rules().iter().any(|rule| rule.when.needs().body)
    }

    /// The languages that requesters write in; empty for all.
    #[must_use]
    pub fn languages(&self) -> &[String] {
        &self.document.languages
    }

    /// How the order "to solve" is made.
    #[must_use]
    pub fn to_solve(&self) -> &ToSolve {
        &self.document.to_solve
    }

    /// A macro.
    #[must_use]
    pub fn macro_by_key(&self, key: &Key) -> Option<&Macro> {
        self.macros.get(key)
    }

    /// All macros, by key.
    pub fn macros(&self) -> impl Iterator<Item = &Macro> {
        self.macros.values()
    }

    /// A view.
    #[must_use]
    pub fn view(&self, key: &Key) -> Option<&View> {
        self.views.get(key)
    }

    /// All views, by key.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.views.values()
    }

    /// All roles, the built-in ones and the desk's own.
    #[must_use]
    pub fn roles(&self) -> &RoleTable {
        &self.roles
    }

    /// What a presence status means for work: `online`, `away`, `offline`, or
    /// one of the desk's own.
    #[must_use]
    pub fn presence(&self, key: &Key) -> Option<PresenceState> {
        match built_in_presence(key.as_str()) {
            Some(state) => Some(state),
            None => self.presences.get(key).map(|presence| presence.state),
        }
    }

    /// The desk's own presence statuses, by key.
    pub fn presences(&self) -> impl Iterator<Item = &PresenceDef> {
        self.presences.values()
    }

    /// What impact and urgency give; `None` where the matrix has no such cell.
    #[must_use]
    pub fn priority_of(&self, impact: Level, urgency: Level) -> Option<Priority> {
        let cells = &self.document.priority_matrix;
        let cell = cells.iter().find(|cell| cell.impact == impact && cell.urgency == urgency)?;
        Some(cell.priority)
    }

    /// What a requester's message on a solved ticket of this mailbox does.
    #[must_use]
    pub fn follow_up(&self, mailbox: Option<&Key>) -> FollowUp {
        let own = mailbox.and_then(|key| self.mailbox(key)?.follow_up);
        own.unwrap_or(self.document.follow_up)
    }

    /// A solved ticket is closed after this long; `None` for never.
    #[must_use]
    pub fn auto_close_after_seconds(&self) -> Option<u64> {
        self.document.auto_close_after_seconds
    }

    /// Whether tickets in this category take their assignee's capacity.
    #[must_use]
    pub fn counts(&self, category: StatusCategory) -> bool {
        self.document.load_categories.contains(&category)
    }

    /// An agent who is offline for longer loses unanswered work; `None` for never.
    #[must_use]
    pub fn offline_grace_seconds(&self) -> Option<u64> {
        self.document.offline_grace_seconds
    }

    /// What the selector `random` draws by.
    #[must_use]
    pub fn selection_seed(&self) -> u64 {
        self.document.selection_seed
    }

    /// What is measured and promised. Without a policy no clock starts.
    #[must_use]
    pub fn sla(&self) -> &SlaRules {
        &self.sla
    }

    /// Tiers, on-call schedules, escalation policies and maintenance, ready to be used.
    #[must_use]
    pub fn escalations(&self) -> &Escalations {
        &self.escalations
    }

    /// The group of each queue.
    #[must_use]
    pub fn queue_groups(&self) -> &BTreeMap<Key, Key> {
        &self.queue_groups
    }

    /// The queue in which a group's tickets wait that are handed over to it: the
    /// first, by order and key.
    #[must_use]
    pub fn queue_of_group(&self, group: &Key) -> Option<&Queue> {
        let own = self.queues.values().filter(|queue| queue.group == *group);
        own.min_by_key(|queue| (queue.order, &queue.key))
    }

    /// What conditions may name, for views and queries that come later.
    #[must_use]
    pub fn condition_schema(&self) -> &Schema {
        &self.schema
    }

    /// How conditions look at texts.
    #[must_use]
    pub fn fold_options(&self) -> FoldOptions {
        self.schema.fold
    }

    /// How conditions look at texts, and by which calendars.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }
}

fn built_in_presence(key: &str) -> Option<PresenceState> {
    match key {
        "online" => Some(PresenceState::Online),
        "away" => Some(PresenceState::Away),
        "offline" => Some(PresenceState::Offline),
        _ => None,
    }
}

/// The first faults, and one that counts the rest.
fn at_most(mut faults: Vec<Fault>, max: usize) -> Vec<Fault> {
    let n_more = faults.len().saturating_sub(max);
    if n_more > 0 {
        faults.truncate(max);
        faults.push(Fault::new("", Code::OverLimit, format!("and {n_more} faults more")));
    }
    faults
}
