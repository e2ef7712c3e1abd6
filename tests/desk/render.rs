//! Events, traces and answers in the field's words, with names in place of ids.

use chrono::{DateTime, Timelike, Utc};
use helpdesk::Outcome;
use helpdesk::core::event::{Event, NewEvent};
use helpdesk::notify::Notification;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// `Fri 16:30`, with seconds where there are any.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    let format = if at.second() == 0 { "%a %H:%M" } else { "%a %H:%M:%S" };
    at.format(format).to_string()
}

/// Names of ids, and back.
#[derive(Debug, Default, Clone)]
pub(crate) struct Names {
    names: BTreeMap<Uuid, String>,
    ids: BTreeMap<String, Uuid>,
    agents: BTreeSet<Uuid>,
}

impl Names {
    pub(crate) fn id(&self, name: &str) -> Uuid {
        *self.ids.get(name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.ids.contains_key(name)
    }

    pub(crate) fn is_agent(&self, id: Uuid) -> bool {
        self.agents.contains(&id)
    }

    pub(crate) fn put(&mut self, name: &str, id: Uuid) {
        self.names.insert(id, name.to_owned());
        self.ids.insert(name.to_owned(), id);
    }

    pub(crate) fn learn(&mut self, events: &[NewEvent]) {
        for event in events {
            match &event.event {
                Event::Opened { ticket, .. } => {
                    self.put(&format!("#{}", ticket.number.n), ticket.id.0);
                }
                Event::ContactCreated { contact } => {
                    let name = contact.name.split('@').next().unwrap_or_default().to_lowercase();
                    self.put(&name, contact.id.0);
                }
                Event::OrganizationCreated { organization } => {
                    self.put(&organization.name.to_lowercase(), organization.id.0);
                }
                Event::AgentCreated { agent } => {
                    self.put(&agent.name, agent.id.0);
                    self.agents.insert(agent.id.0);
                }
                Event::ArticleCreated { article } => {
                    self.put(&format!("{}.{}", article.key, article.language), article.id.0);
                }
                _ => {}
            }
        }
    }

    /// Names in place of ids.
    pub(crate) fn in_words(&self, value: Value) -> Value {
        match value {
            Value::String(text) => {
                let name = text.parse().ok().and_then(|id: Uuid| self.names.get(&id));
                Value::String(name.cloned().unwrap_or(text))
            }
            Value::Array(list) => list.into_iter().map(|v| self.in_words(v)).collect(),
            Value::Object(map) => map.into_iter().map(|(k, v)| (k, self.in_words(v))).collect(),
            other => other,
        }
    }

    /// Ids in place of `#1` and `@amy`.
    pub(crate) fn in_ids(&self, value: Value) -> Value {
        match value {
            Value::String(text) => {
                let name = text.strip_prefix('@').unwrap_or(&text);
                let is_name = text.starts_with('@') || is_number(&text);
                match self.ids.get(name).filter(|_| is_name) {
                    Some(id) => Value::String(id.to_string()),
                    None => Value::String(text),
                }
            }
            Value::Array(list) => list.into_iter().map(|v| self.in_ids(v)).collect(),
            Value::Object(map) => map.into_iter().map(|(k, v)| (k, self.in_ids(v))).collect(),
            other => other,
        }
    }

    pub(crate) fn outcome(&self, outcome: &Outcome) -> String {
        let mut parts: Vec<String> = Vec::new();
        if outcome.replayed {
            parts.push("replayed".to_owned());
        }
        parts.extend(self.steps(outcome));
        parts
            .extend(outcome.events.iter().map(|e| self.event(e)).filter(|words| !words.is_empty()));
        for each in &outcome.each {
            if let Some(error) = &each.error {
                let name = self.names.get(&each.ticket.0).cloned();
                let name = name.unwrap_or_else(|| "a ticket".to_owned());
                parts.push(format!("{name} refused: {}", error.code));
            }
        }
        match parts.is_empty() {
            true => "nothing".to_owned(),
            false => parts.join("; "),
        }
    }

    /// What a trace says that the events do not.
    fn steps(&self, outcome: &Outcome) -> Vec<String> {
        let told = ["duplicate", "joined", "not_joined", "truncated", "no_transition", "caught_up"];
        let steps = outcome.trace.steps.iter().map(|step| serde_json::to_value(step).unwrap());
        steps
            .filter(|step| told.contains(&word(step, "type")))
            .map(|step| {
                let step = self.in_words(step);
                format!("[{}{}]", word(&step, "type"), fields(&step))
            })
            .collect()
    }

    /// One event in words; empty for what scripts do not tell.
    pub(crate) fn event(&self, event: &NewEvent) -> String {
        let value = self.in_words(serde_json::to_value(&event.event).unwrap());
        let stream = self.names.get(&event.stream.id).cloned().unwrap_or_default();
        let kind = word(&value, "type");
        let words = match kind {
            "opened" => opened(&value["ticket"]),
            "replied" | "noted" => return format!("{stream} {}", message(kind, &value["message"])),
            "status_set" => format!(
                "{}→{} ({}){}",
                word(&value, "from"),
                word(&value, "to"),
                word(&value, "why"),
                closes(&value)
            ),
            "routed" => routed(&value),
            "assigned" => assigned(&value),
            "offered" => {
                format!("offered to {} until {}", word(&value, "agent"), when(&value["expires_at"]))
            }
            "contact_created" => return format!("contact {stream} made"),
            "agent_created" | "organization_created" => format!("{kind} {stream}"),
            "presence_set" => {
                return format!("{stream} {}", word(&value["channels"][0][1], "status"));
            }
            "config_applied" => return "config applied".to_owned(),
            "contact_answered" => return String::new(),
            "article_created" => format!("begun {}", revision(&value["article"]["newest"])),
            "article_saved" => format!("saved {}", revision(&value["revision"])),
            "clock_changed" => clock(&value["change"]),
            "policy_picked" => policy(&value),
            "escalation_changed" => escalation(&value["change"]),
            _ => format!("{kind}{}", fields(&value)),
        };
        match kind {
            "opened" => words,
            _ => format!("{stream} {words}").trim_start().to_owned(),
        }
    }

    pub(crate) fn notification(&self, notification: &Notification) -> String {
        let effect = self.in_words(serde_json::to_value(&notification.effect).unwrap());
        let to: Vec<String> = notification
            .recipients
            .iter()
            .map(|r| {
                let recipient = serde_json::to_value(r).unwrap();
                let names = recipient["identities"].as_array().is_none_or(|i| !i.is_empty());
                let key = ["name", "key", "type"].into_iter().find(|k| recipient[k].is_string());
                let name = key.map(|key| word(&recipient, key)).unwrap_or_default();
                format!("{name}{}", if names { "" } else { " (no address)" })
            })
            .collect();
        let news = effect["news"].as_str().map(|news| format!(" {news}")).unwrap_or_default();
        let text = match (&notification.message, effect["seq"].is_number()) {
            (Some(message), _) => format!(" `{}`", message.text),
            (None, true) => " (redacted)".to_owned(),
            (None, false) => String::new(),
        };
        let topic = notification.effect.topic();
        format!("{topic}{news} {}{text} to {}", notification.number, to.join(", "))
    }
}

fn is_number(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|n| n.parse::<u32>().is_ok())
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn when(value: &Value) -> String {
    value.as_str().and_then(|at| at.parse().ok()).map(time).unwrap_or_default()
}

fn closes(value: &Value) -> String {
    match value["auto_close_at"].is_string() {
        true => format!(" closes {}", when(&value["auto_close_at"])),
        false => String::new(),
    }
}

fn opened(ticket: &Value) -> String {
    let mut text = format!(
        "{} opened `{}` for {}",
        word(ticket, "id"),
        word(ticket, "subject"),
        word(ticket, "requester")
    );
    for key in ["organization", "mailbox", "language", "priority", "type", "tags", "custom"] {
        let value = &ticket[key];
        let is_set = !value.is_null()
            && value.as_array().is_none_or(|v| !v.is_empty())
            && value.as_object().is_none_or(|v| !v.is_empty());
        if is_set {
            text.push_str(&format!(" {key}={}", plain(value)));
        }
    }
    text
}

fn message(kind: &str, meta: &Value) -> String {
    let author = meta["author"]["id"].as_str().unwrap_or("the desk");
    let seq = &meta["seq"];
    let mut text = match (kind, word(&meta["author"], "type")) {
        ("replied", "bot") => format!("m{seq} by bot {author}"),
        ("replied", _) => format!("m{seq} by {author}"),
        _ => format!("note m{seq} by {author}"),
    };
    if meta["truncated"] == true {
        text.push_str(" (cut)");
    }
    if let Some(files) = meta["attachments"].as_array() {
        text.push_str(&format!(" +{} files", files.len()));
    }
    text
}

fn routed(value: &Value) -> String {
    let by = match word(&value["by"], "type") {
        "rule" => format!("rule {}", word(&value["by"], "rule")),
        other => other.to_owned(),
    };
    let mut text = format!("to {} ({by})", word(value, "queue"));
    for key in ["priority", "ticket_type", "tags", "skills"] {
        if !value[key].is_null() {
            text.push_str(&format!(" {key}={}", plain(&value[key])));
        }
    }
    text
}

fn assigned(value: &Value) -> String {
    let mut text = format!("assigned to {} ({})", word(value, "agent"), word(value, "how"));
    let choice = &value["choice"];
    if choice.is_object() {
        text.push_str(&format!(" {} of {}", word(choice, "by"), choice["n_candidates"]));
    }
    if value["answer_by"].is_string() {
        text.push_str(&format!(" answer by {}", when(&value["answer_by"])));
    }
    text
}

/// A revision of an article, without what its text is.
fn revision(revision: &Value) -> String {
    let mut text = format!("r{}", revision["number"]);
    if revision["text_of"] != revision["number"] {
        text.push_str(&format!(" (text of r{})", revision["text_of"]));
    }
    for key in ["category", "labels", "visibility", "restored_from"] {
        if !revision[key].is_null() {
            text.push_str(&format!(" {key}={}", plain(&revision[key])));
        }
    }
    text
}

/// A clock's news, and when it is due.
fn clock(change: &Value) -> String {
    let (news, clock) = (&change["news"], &change["clock"]);
    let mut text = word(clock, "metric").to_owned();
    if clock["cycle"] != 1 {
        text.push_str(&format!("#{}", clock["cycle"]));
    }
    text.push_str(&format!(" {}", word(news, "type")));
    for key in ["why", "reason", "threshold"] {
        if !news[key].is_null() {
            text.push_str(&format!(" {}", plain(&news[key])));
        }
    }
    match word(news, "type") {
        "met" | "missed" => text.push_str(&format!(" after {} s", clock["accumulated_seconds"])),
        "breached" => text.push_str(&format!(" at {}", when(&clock["breached_at"]))),
        "warned" | "cancelled" | "paused" | "breach_revised" => {}
        _ if clock["due_at"].is_string() => {
            text.push_str(&format!(" due {}", when(&clock["due_at"])));
        }
        _ => {}
    }
    text
}

fn policy(value: &Value) -> String {
    let slot = if value["slot"] == "group" { "group policy" } else { "policy" };
    format!("{slot} {}", value["policy"]["key"].as_str().unwrap_or("none"))
}

/// An escalation's news, and what it waits for.
fn escalation(change: &Value) -> String {
    let news = &change["news"];
    let mut text = format!("escalation {}", word(news, "type"));
    for key in ["step", "reason", "by", "no_one"] {
        if !news[key].is_null() {
            text.push_str(&format!(" {key}={}", plain(&news[key])));
        }
    }
    if let Some(to) = news["notice"]["to"].as_array() {
        let name = |one: &Value| ["id", "key"].map(|key| word(&one["recipient"], key)).concat();
        let names: Vec<String> = to.iter().map(name).collect();
        text.push_str(&format!(" tells {}", names.join("+")));
    }
    if news["handed_over"].is_object() {
        text.push_str(&format!(" to {}", word(&news["handed_over"], "group")));
    }
    if change["progress"]["due"].is_object() {
        text.push_str(&format!(" next {}", when(&change["progress"]["due"]["at"])));
    }
    text
}

/// The other fields of an event or step, as ` key=value`.
fn fields(value: &Value) -> String {
    let hidden = ["type", "sha256", "text_bytes", "candidates", "ticket", "choice"];
    let map = value.as_object().into_iter().flatten();
    let shown = map.filter(|(key, value)| !hidden.contains(&key.as_str()) && !value.is_null());
    shown.map(|(key, value)| format!(" {key}={}", plain(value))).collect()
}

/// JSON without quotes; instants short.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => match text.parse::<DateTime<Utc>>() {
            Ok(at) => time(at).replace(' ', "-"),
            Err(_) => text.clone(),
        },
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(plain).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(map) => {
            let items: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", plain(v))).collect();
            format!("{{{}}}", items.join(","))
        }
        other => other.to_string(),
    }
}

/// These fields of an answer: of each row where it has rows, of each entry where
/// it is a list.
pub(crate) fn picked(answer: &Value, fields: &[&str]) -> String {
    let rows = answer.get("rows").unwrap_or(answer);
    match rows {
        Value::Array(list) => {
            let rows: Vec<String> = list.iter().map(|row| pick(row, fields)).collect();
            let more = answer.get("next").map_or("", |_| " …");
            format!("{} rows: {}{more}", rows.len(), rows.join(" | "))
        }
        one => pick(one, fields),
    }
}

fn pick(value: &Value, fields: &[&str]) -> String {
    if fields.is_empty() || !value.is_object() {
        return plain(value);
    }
    let found = fields.iter().filter_map(|field| {
        let part = field.split('.').try_fold(value, |value, key| value.get(key))?;
        Some(format!("{field}={}", plain(part)))
    });
    found.collect::<Vec<_>>().join(" ")
}
