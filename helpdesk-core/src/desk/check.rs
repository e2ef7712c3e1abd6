//! What a document means: every key resolved, every condition parsed, every
//! limit kept; and the frozen desk where nothing is wrong.

use super::dated::Zones;
use super::document::{Document, GroupDef, NamedDef};
use super::draft::Draft;
use super::{Desk, built_in_presence};
use crate::access::role::{BUILT_IN_ROLES, RoleTable};
use crate::condition::{
    Calendars, Condition, CustomKind, Field, FoldOptions, Schema, Terms, suggestion,
};
use crate::contact::{Identity, is_zone_name};
use crate::escalation::policy::Escalations;
use crate::fault::{Code, Fault};
use crate::id::Key;
use crate::limit::{
    CALENDARS_MAX, CONFIG_ENTRIES_MAX, CUSTOM_FIELDS_MAX, NAME_CHARS_MAX, RULES_MAX,
    SYNONYM_CHARS_MAX, SYNONYM_GROUPS_MAX, SYNONYMS_MAX,
};
use crate::routing::queue::Queue;
use crate::routing::rules::{RoutingRule, RoutingRules};
use crate::routing::stage::Stage;
use crate::sla::check::SlaRules;
use crate::sla::signal::ALWAYS;
use crate::ticket::custom::{FieldOwner, FieldType};
use crate::ticket::priority::Channel;
use crate::ticket::status::{StatusCategory, StatusTable};
use crate::view::View;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

mod escalation;
mod parts;
mod predictions;
mod retention;
mod sla;

/// Checks what could be read. `None` when something is wrong; the faults say what,
/// with paths in the draft.
pub(super) fn check(draft: &Draft, zones: &Zones, faults: &mut Vec<Fault>) -> Option<Desk> {
    let n_before = faults.len();
    let document = with_defaults(draft);
    check_limits(&document, faults);
    if faults.len() > n_before {
        return None;
    }
    let mut checker = Checker::new(draft, &document);
    checker.settings(&document);
    checker.duplicates(&document);
    checker.names_of_things(&document);
    let statuses = checker.statuses(draft, &document);
    let calendars = checker.calendars(&document, &*zones.0);
    checker.parts(&document);
    checker.predictions(&document);
    checker.retention(&document);
    checker.synonyms(&document);
    let rules = checker.rules(&document);
    let views = checker.views(&document);
    let sla = checker.sla(&document);
    let escalations = checker.escalations(&document, sla.as_ref(), &*zones.0);
    for (path, when) in &draft.lost_conditions {
        checker.condition(path, when);
    }
    let Checker { schema, faults: found, .. } = checker;
    faults.extend(found);
    if faults.len() > n_before {
        return None;
    }
    let (sla, escalations) = (sla?, escalations?);
    let parts = Parts { statuses: statuses?, rules, views, calendars, sla, escalations };
    let mut desk = freeze(document, parts, schema, zones.clone());
    desk.date();
    desk.watch_needs_body = desk.sla.needs_body() || escalation::need_body(&desk);
    desk.lists_groups = !draft.document.groups.is_empty();
    desk.lists_queues = !draft.document.queues.is_empty();
    Some(desk)
}

/// The document with the things that are there when it lists none.
fn with_defaults(draft: &Draft) -> Document {
    let mut document = draft.document.clone();
    if document.statuses.is_empty() && draft.is_whole("statuses") {
        document.statuses = document.preset.statuses();
    }
    if document.groups.is_empty() && draft.is_whole("groups") {
        let support = Key::new("support").ok();
        let group = |key| GroupDef { key, name: "Support".to_owned(), tier: None, calendar: None };
        document.groups = support.map(group).into_iter().collect();
    }
    if document.queues.is_empty() && draft.is_whole("queues") {
        document.queues = document.groups.iter().map(queue_of).collect();
    }
    document
}

/// The queue that a group has when the desk lists no queues.
fn queue_of(group: &GroupDef) -> Queue {
    Queue {
        key: group.key.clone(),
        name: group.name.clone(),
        group: group.key.clone(),
        order: 0,
        sort: crate::routing::queue::QueueSort::default(),
        ageing_seconds: None,
        idle_calendar: None,
        mode: crate::routing::queue::QueueMode::default(),
        stages: Vec::<Stage>::new(),
        affinity: true,
        affinity_wait_seconds: None,
        cooldown_seconds: None,
        rate_limit: None,
        reopen_front: false,
        idle_unassign_seconds: None,
        answer_within_seconds: None,
        exclude_seconds: None,
    }
}

fn check_limits(document: &Document, faults: &mut Vec<Fault>) {
    let lists = [
        ("statuses", document.statuses.len(), CONFIG_ENTRIES_MAX),
        ("transitions", document.transitions.len(), CONFIG_ENTRIES_MAX),
        ("fields", document.fields.len(), CUSTOM_FIELDS_MAX),
        ("calendars", document.calendars.len(), CALENDARS_MAX),
        ("groups", document.groups.len(), CONFIG_ENTRIES_MAX),
        ("brands", document.brands.len(), CONFIG_ENTRIES_MAX),
        ("skills", document.skills.len(), CONFIG_ENTRIES_MAX),
        ("tiers", document.tiers.len(), CONFIG_ENTRIES_MAX),
        ("requester_tiers", document.requester_tiers.len(), CONFIG_ENTRIES_MAX),
        ("mailboxes", document.mailboxes.len(), CONFIG_ENTRIES_MAX),
        ("queues", document.queues.len(), CONFIG_ENTRIES_MAX),
        ("rules", document.rules.len(), RULES_MAX),
        ("macros", document.macros.len(), CONFIG_ENTRIES_MAX),
        ("views", document.views.len(), CONFIG_ENTRIES_MAX),
        ("roles", document.roles.len(), CONFIG_ENTRIES_MAX),
        ("presences", document.presences.len(), CONFIG_ENTRIES_MAX),
        ("priority_matrix", document.priority_matrix.len(), CONFIG_ENTRIES_MAX),
        ("predictions", document.predictions.len(), CONFIG_ENTRIES_MAX),
        ("synonyms", document.synonyms.len(), SYNONYM_GROUPS_MAX),
    ];
    for (section, n, max) in lists {
        if n > max {
            let message = format!("{n} entries, at most {max}");
            faults.push(Fault::new(section, Code::OverLimit, message));
        }
    }
}

/// Finds faults of meaning.
struct Checker<'a> {
    draft: &'a Draft,
    /// The keys of each kind; `None` where it cannot be said which there are.
    keys: BTreeMap<&'static str, Option<BTreeSet<Key>>>,
    schema: Schema,
    faults: Vec<Fault>,
}

impl<'a> Checker<'a> {
    fn new(draft: &'a Draft, document: &Document) -> Self {
        let mut keys = BTreeMap::new();
        for (section, own) in keys_by_section(document) {
            let all = draft.lost_keys(section).map(|lost| own.into_iter().chain(lost).collect());
            keys.insert(section, all);
        }
        let schema = schema_of(document, &keys);
        Self { draft, keys, schema, faults: Vec::new() }
    }

    fn fault(&mut self, path: impl Into<String>, code: Code, message: impl Into<String>) {
        self.faults.push(Fault::new(path, code, message));
    }

    fn invalid(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.fault(path, Code::Invalid, message);
    }

    /// A key that must exist in its section; `what` is its kind in words.
    fn resolve(&mut self, section: &str, what: &str, key: &Key, path: impl Into<String>) {
        let Some(Some(keys)) = self.keys.get(section) else { return };
        if keys.contains(key) {
            return;
        }
        let near = suggestion(key.as_str(), keys.iter().map(Key::as_str));
        self.fault(path, Code::NotConfigured, format!("there is no {what} `{key}`{near}"));
    }

    fn resolve_all(&mut self, section: &str, what: &str, keys: &[Key], path: &str) {
        for (i, key) in keys.iter().enumerate() {
            self.resolve(section, what, key, format!("{path}[{i}]"));
        }
    }

    fn condition(&mut self, path: &str, when: &serde_json::Value) -> Option<Condition> {
        let found = match Condition::parse(when, &self.schema) {
            Ok(condition) => return Some(condition),
            Err(found) => found,
        };
        for fault in found {
            // Where custom fields could not be read, nobody knows which there are.
            let excused = !self.draft.is_whole("fields")
                && fault.code == Code::UnknownField
                && fault.path.ends_with("field");
            if !excused {
                self.faults.push(fault.under(path));
            }
        }
        None
    }

    fn rules(&mut self, document: &Document) -> Vec<(usize, RoutingRule)> {
        let mut rules = Vec::with_capacity(document.rules.len());
        for (i, rule) in document.rules.iter().enumerate() {
            let path = format!("rules[{i}]");
            self.route_to(&rule.then, &format!("{path}.then"));
            let when = self.condition(&format!("{path}.when"), &rule.when.0);
            let position = rule.position.unwrap_or(i as i64 * 10);
            let (key, then) = (rule.key.clone(), rule.then.clone());
            rules.extend(when.map(|when| (i, RoutingRule { key, position, when, then })));
        }
        rules.sort_by(|(_, a), (_, b)| (a.position, &a.key).cmp(&(b.position, &b.key)));
        rules
    }

    fn views(&mut self, document: &Document) -> Vec<View> {
        let mut views = Vec::with_capacity(document.views.len());
        for (i, view) in document.views.iter().enumerate() {
            let path = format!("views[{i}]");
            self.resolve_all("groups", "group", &view.groups, &format!("{path}.groups"));
            let condition = self.condition(&format!("{path}.when"), &view.when.0);
            views.extend(condition.map(|condition| View {
                key: view.key.clone(),
                name: name_or_key(&view.name, &view.key),
                condition,
                order: view.order,
                direction: view.direction,
                groups: view.groups.clone(),
            }));
        }
        views
    }

    fn statuses(&mut self, draft: &Draft, document: &Document) -> Option<StatusTable> {
        for (i, transition) in document.transitions.iter().enumerate() {
            let path = format!("transitions[{i}]");
            self.resolve_all("roles", "role", &transition.roles, &format!("{path}.roles"));
            for (j, field) in transition.requires.iter().enumerate() {
                self.required_field(field, &format!("{path}.requires[{j}]"));
            }
        }
        if !draft.is_whole("statuses") {
            return None;
        }
        match StatusTable::new(document.statuses.clone(), document.transitions.clone()) {
            Ok(table) => Some(table),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    fn required_field(&mut self, name: &str, path: &str) {
        let known =
            name.parse::<Field>().ok().is_some_and(|field| self.schema.kind(&field).is_some());
        if known || (name.starts_with("custom.") && !self.draft.is_whole("fields")) {
            return;
        }
        let names = self.schema.field_names();
        let near = suggestion(name, names.iter().map(String::as_str));
        let shown: String = name.chars().take(60).collect();
        self.fault(path, Code::UnknownField, format!("there is no field `{shown}`{near}"));
    }

    fn settings(&mut self, document: &Document) {
        if document.name.trim().is_empty() {
            self.invalid("name", "the desk needs a name");
        }
        self.name("name", &document.name);
        let language = &document.default_language;
        if !((2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase()))
        {
            self.invalid("default_language", "takes an ISO 639 code in lower case, such as `en`");
        }
        if !is_zone_name(&document.time_zone) {
            self.invalid("time_zone", "takes the name of a time zone, such as `Europe/Berlin`");
        }
        let prefix = &document.number_prefix;
        if prefix.len() > 16 || !prefix.bytes().all(|b| b.is_ascii_alphanumeric()) {
            self.invalid("number_prefix", "takes 16 letters and digits of a-z A-Z 0-9 at most");
        }
        for (i, category) in document.load_categories.iter().enumerate() {
            use StatusCategory::{New, Open, Pending};
            if !matches!(category, New | Open | Pending) {
                let message = format!("takes `new`, `open` and `pending`; found `{category}`");
                self.invalid(format!("load_categories[{i}]"), message);
            }
        }
        if let Some(Some(queue)) = &document.default_queue {
            self.resolve("queues", "queue", queue, "default_queue");
        }
        if let Some(Some(status)) = &document.status_after_reply {
            self.resolve("statuses", "status", status, "status_after_reply");
        }
    }

    fn synonyms(&mut self, document: &Document) {
        for (i, group) in document.synonyms.iter().enumerate() {
            let path = format!("synonyms[{i}]");
            if group.len() < 2 {
                self.invalid(&*path, "a group has two words at least");
            }
            if group.len() > SYNONYMS_MAX {
                self.faults.push(Fault::over_limit(&*path, group.len(), "words", SYNONYMS_MAX));
            }
            for (j, word) in group.iter().enumerate() {
                let path = format!("{path}[{j}]");
                let n = word.chars().count();
                if n > SYNONYM_CHARS_MAX {
                    self.faults.push(Fault::over_limit(path, n, "chars", SYNONYM_CHARS_MAX));
                } else if !word.chars().any(char::is_alphanumeric) {
                    self.invalid(path, "takes a word");
                } else if word.split_whitespace().count() > 1 {
                    self.invalid(
                        path,
                        "takes one word: a group of several words says each of them",
                    );
                }
            }
        }
    }

    fn name(&mut self, path: impl Into<String>, name: &str) {
        let n = name.chars().count();
        if n > NAME_CHARS_MAX {
            self.fault(path, Code::OverLimit, format!("{n} chars, at most {NAME_CHARS_MAX}"));
        }
    }

    fn names_of_things(&mut self, document: &Document) {
        let names: [(&str, Vec<&str>); 14] = [
            ("statuses", document.statuses.iter().map(|d| &*d.name).collect()),
            ("fields", document.fields.iter().map(|d| &*d.name).collect()),
            ("calendars", document.calendars.iter().map(|d| &*d.name).collect()),
            ("groups", document.groups.iter().map(|d| &*d.name).collect()),
            ("brands", document.brands.iter().map(|d| &*d.name).collect()),
            ("skills", document.skills.iter().map(|d| &*d.name).collect()),
            ("tiers", document.tiers.iter().map(|d| &*d.name).collect()),
            ("requester_tiers", document.requester_tiers.iter().map(|d| &*d.name).collect()),
            ("mailboxes", document.mailboxes.iter().map(|d| &*d.name).collect()),
            ("queues", document.queues.iter().map(|d| &*d.name).collect()),
            ("macros", document.macros.iter().map(|d| &*d.name).collect()),
            ("views", document.views.iter().map(|d| &*d.name).collect()),
            ("roles", document.roles.iter().map(|d| &*d.name).collect()),
            ("presences", document.presences.iter().map(|d| &*d.name).collect()),
        ];
        for (section, names) in names {
            for (i, name) in names.into_iter().enumerate() {
                self.name(format!("{section}[{i}].name"), name);
            }
        }
    }

    fn duplicates(&mut self, document: &Document) {
        for (section, keys) in keys_by_section(document) {
            // The table of statuses finds its own; fields are told apart by owner too.
            // Escalation finds the doubles of its own sections.
            let elsewhere = ["statuses", "fields", "roles", "tiers", "schedules", "escalations"];
            if !elsewhere.contains(&section) {
                self.unique(section, "key", keys.iter());
            }
        }
        self.unique("roles", "key", document.roles.iter().map(|role| &role.key));
        self.unique("fields", "key", document.fields.iter().map(|f| OwnedField(f.on, &f.key)));
        let cells = document.priority_matrix.iter();
        self.unique("priority_matrix", "", cells.map(|c| format!("{}, {}", c.impact, c.urgency)));
        let mut seen = BTreeSet::new();
        for (i, mailbox) in document.mailboxes.iter().enumerate() {
            let Some(address) = &mailbox.address else { continue };
            let path = format!("mailboxes[{i}].address");
            let identity = Identity::email(address);
            if mailbox.channel == Channel::Email && !identity.is_plausible() {
                self.invalid(&path, "takes a mail address, such as `help@example.com`");
            }
            if !seen.insert((mailbox.channel, identity.value)) {
                self.fault(path, Code::Duplicate, "another mailbox has this address");
            }
        }
        for (i, calendar) in document.calendars.iter().enumerate() {
            if calendar.key.as_str() == ALWAYS {
                let message = format!("`{ALWAYS}` is built in: around the clock; take another key");
                self.fault(format!("calendars[{i}].key"), Code::Duplicate, message);
            }
        }
        for (i, presence) in document.presences.iter().enumerate() {
            if built_in_presence(presence.key.as_str()).is_some() {
                let message = format!("`{}` is built in: take another key", presence.key);
                self.fault(format!("presences[{i}].key"), Code::Duplicate, message);
            }
        }
    }

    fn unique<K: Ord + std::fmt::Display>(
        &mut self,
        section: &str,
        field: &str,
        keys: impl Iterator<Item = K>,
    ) {
        let mut seen = BTreeSet::new();
        for (i, key) in keys.enumerate() {
            if seen.contains(&key) {
                let path = crate::fault::join_path(&format!("{section}[{i}]"), field);
                self.fault(path, Code::Duplicate, format!("`{key}` is defined twice"));
            }
            seen.insert(key);
        }
    }
}

/// A custom field is known by its owner and its key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct OwnedField<'a>(FieldOwner, &'a Key);

impl std::fmt::Display for OwnedField<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.1.fmt(f)
    }
}

fn keys_by_section(document: &Document) -> Vec<(&'static str, Vec<Key>)> {
    let built_in = BUILT_IN_ROLES.iter().filter_map(|key| Key::new(key).ok());
    let own_roles = document.roles.iter().map(|role| role.key.clone());
    vec![
        ("statuses", document.statuses.iter().map(|d| d.key.clone()).collect()),
        ("fields", document.fields.iter().map(|d| d.key.clone()).collect()),
        ("calendars", document.calendars.iter().map(|d| d.key.clone()).collect()),
        ("groups", document.groups.iter().map(|d| d.key.clone()).collect()),
        ("brands", document.brands.iter().map(|d| d.key.clone()).collect()),
        ("skills", document.skills.iter().map(|d| d.key.clone()).collect()),
        ("tiers", document.tiers.iter().map(|d| d.key.clone()).collect()),
        ("requester_tiers", document.requester_tiers.iter().map(|d| d.key.clone()).collect()),
        ("mailboxes", document.mailboxes.iter().map(|d| d.key.clone()).collect()),
        ("queues", document.queues.iter().map(|d| d.key.clone()).collect()),
        ("rules", document.rules.iter().map(|d| d.key.clone()).collect()),
        ("macros", document.macros.iter().map(|d| d.key.clone()).collect()),
        ("views", document.views.iter().map(|d| d.key.clone()).collect()),
        ("roles", built_in.chain(own_roles).collect()),
        ("presences", document.presences.iter().map(|d| d.key.clone()).collect()),
        ("schedules", document.schedules.iter().map(|d| d.key.clone()).collect()),
        ("escalations", document.escalations.iter().map(|d| d.key.clone()).collect()),
    ]
}

/// What conditions of this desk may name.
fn schema_of(document: &Document, keys: &BTreeMap<&'static str, Option<BTreeSet<Key>>>) -> Schema {
    let fold = FoldOptions { fold_yo: document.fold_yo, ..FoldOptions::default() };
    let mut schema = Schema::default().with_fold(fold);
    let closed = [
        (Field::Status, "statuses"),
        (Field::Group, "groups"),
        (Field::Tier, "tiers"),
        (Field::Brand, "brands"),
        (Field::Mailbox, "mailboxes"),
        (Field::RequesterTier, "requester_tiers"),
        (Field::Skills, "skills"),
    ];
    for (field, section) in closed {
        if let Some(Some(keys)) = keys.get(section) {
            schema = schema.with_values(field, keys.iter().map(Key::as_str));
        }
    }
    let own_metrics = document.sla.metrics.iter().map(|metric| metric.key.clone());
    let preset = document.sla.preset.metrics(document.sla.options);
    schema = schema.with_metrics(preset.into_iter().map(|metric| metric.key).chain(own_metrics));
    if let Some(Some(calendars)) = keys.get("calendars") {
        schema = schema.with_calendars(calendars.iter().cloned());
    }
    for field in document.fields.iter().filter(|field| field.on == FieldOwner::Ticket) {
        let values = |values: &[Key]| values.iter().map(|v| v.as_str().to_owned()).collect();
        let kind = match &field.kind {
            FieldType::Choice { values: list } => CustomKind::Choice { values: values(list) },
            FieldType::MultiChoice { values: list } => {
                CustomKind::MultiChoice { values: values(list) }
            }
            FieldType::Text { .. } => CustomKind::Text,
            FieldType::Number { .. } => CustomKind::Number,
            FieldType::Instant => CustomKind::Instant,
            FieldType::Boolean => CustomKind::Boolean,
        };
        schema = schema.with_custom(field.key.clone(), kind);
    }
    schema
}

fn name_or_key(name: &str, key: &Key) -> String {
    if name.is_empty() { key.as_str().to_owned() } else { name.to_owned() }
}

/// What the checks made ready.
struct Parts {
    statuses: StatusTable,
    rules: Vec<(usize, RoutingRule)>,
    views: Vec<View>,
    calendars: Calendars,
    sla: SlaRules,
    escalations: Escalations,
}

fn freeze(mut document: Document, parts: Parts, schema: Schema, zones: Zones) -> Desk {
    let Parts { statuses, rules, views, calendars, sla, escalations } = parts;
    document.rules = Vec::new();
    document.views = Vec::new();
    let (rule_spots, rules): (_, Vec<RoutingRule>) = rules.into_iter().unzip();
    let status_after_reply = match &document.status_after_reply {
        Some(chosen) => chosen.clone(),
        // A desk with statuses of its own may not have the preset's.
        None => document.preset.status_after_reply().filter(|key| statuses.get(key).is_some()),
    };
    let default_queue = match &document.default_queue {
        Some(chosen) => chosen.clone(),
        None => document.queues.first().map(|queue| queue.key.clone()),
    };
    let fields = document.fields.iter().map(|f| ((f.on, f.key.clone()), f.clone())).collect();
    let by_key = |defs: &[NamedDef]| defs.iter().map(|d| (d.key.clone(), named(d))).collect();
    Desk {
        number_prefix: Arc::from(&*document.number_prefix),
        statuses,
        status_after_reply,
        fields,
        groups: map_of(&document.groups, |d| (&d.key, &mut d.name)),
        calendars: map_of(&document.calendars, |d| (&d.key, &mut d.name)),
        brands: by_key(&document.brands),
        skills: by_key(&document.skills),
        tiers: map_of(&document.tiers, |d| (&d.key, &mut d.name)),
        requester_tiers: by_key(&document.requester_tiers),
        mailboxes: map_of(&document.mailboxes, |d| (&d.key, &mut d.name)),
        queues: map_of(&document.queues, |d| (&d.key, &mut d.name)),
        rules: RoutingRules::new(rules),
        rule_spots,
        default_queue,
        macros: map_of(&document.macros, |d| (&d.key, &mut d.name)),
        view_order: views.iter().map(|view| view.key.clone()).collect(),
        views: views.into_iter().map(|view| (view.key.clone(), view)).collect(),
        roles: RoleTable::new(document.roles.clone()),
        presences: map_of(&document.presences, |d| (&d.key, &mut d.name)),
        terms: Terms { fold: schema.fold, calendars },
        schema,
        zones,
        marks: BTreeMap::new(),
        dated: crate::sla::signal::CalendarRevisions::default(),
        watch_needs_body: false,
        sla,
        escalations,
        queue_groups: document.queues.iter().map(|q| (q.key.clone(), q.group.clone())).collect(),
        lists_groups: true,
        lists_queues: true,
        document,
    }
}

/// Things by key, each with a name.
fn map_of<T: Clone>(defs: &[T], parts: impl Fn(&mut T) -> (&Key, &mut String)) -> BTreeMap<Key, T> {
    let named = defs.iter().map(|def| {
        let mut def = def.clone();
        let (key, name) = parts(&mut def);
        let key = key.clone();
        *name = name_or_key(name, &key);
        (key, def)
    });
    named.collect()
}

fn named(def: &NamedDef) -> NamedDef {
    NamedDef { key: def.key.clone(), name: name_or_key(&def.name, &def.key) }
}
