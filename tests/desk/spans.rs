//! What `tracing` is told of the desk's work: names, ids and codes, never what
//! people wrote or where they can be reached.

use crate::kit::{Kit, Step, TENANT, assign, at, mail, mail_with, on, reply};
use crate::races::Flaky;
use expect_test::expect;
use helpdesk::MemoryStore;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const AT: &str = "2026-11-20T09:00:00Z";
/// Stands in everything that people write in these tests.
const SECRET: &str = "zq-secret";

/// A span or an event, with its fields.
#[derive(Debug, Clone, Default)]
struct Told {
    name: String,
    fields: BTreeMap<&'static str, String>,
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// Collects all that is told, of every crate.
#[derive(Debug, Clone, Default)]
struct Listener {
    told: Arc<Mutex<Vec<Told>>>,
}

impl Listener {
    fn told(&self) -> MutexGuard<'_, Vec<Told>> {
        self.told.lock().unwrap()
    }

    fn add(&self, told: Told) -> u64 {
        let mut all = self.told();
        all.push(told);
        all.len() as u64
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut told = Told { name: span.metadata().name().to_owned(), ..Told::default() };
        span.record(&mut told);
        Id::from_u64(self.add(told))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let i = usize::try_from(span.into_u64() - 1).unwrap();
        values.record(&mut self.told()[i]);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut told = Told::default();
        event.record(&mut told);
        told.name = format!("event {}", told.fields.remove("message").unwrap_or_default());
        self.add(told);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is told while the work is done.
fn listen(work: impl FnOnce()) -> Vec<Told> {
    let listener = Listener::default();
    tracing::subscriber::with_default(listener.clone(), work);
    listener.told().clone()
}

/// One a line: name, command or query, code, and the names of the other fields.
fn lines(told: &[Told]) -> String {
    let mut lines = Vec::new();
    for Told { name, fields } in told {
        let mut line = name.clone();
        for shown in ["command", "query", "topic", "code"] {
            if let Some(value) = fields.get(shown) {
                line.push_str(&format!(" {shown}={value}"));
            }
        }
        let others =
            fields.keys().filter(|key| !["command", "query", "topic", "code"].contains(*key));
        let others: Vec<&str> = others.copied().collect();
        lines.push(format!("{line} ({})", others.join(" ")));
    }
    lines.dedup();
    lines.join("\n")
}

fn desk() -> Value {
    json!({
        "queues": [{"key": "support", "group": "support", "mode": {"type": "assign"}}],
        "agents": {"amy": {"groups": ["support"], "online": true, "email": format!("{SECRET}@desk.com")}},
    })
}

fn secret_mail() -> Step {
    mail_with(
        &format!("{SECRET}@acme.com"),
        SECRET,
        SECRET,
        json!({"tags": [SECRET], "external_id": format!("<{SECRET}>"), "thread_key": SECRET,
            "cc": [{"identity": {"kind": "email", "value": format!("cc-{SECRET}@acme.com")}, "name": SECRET}]}),
    )
}

#[test]
fn each_step_has_a_span_with_tenant_command_and_code() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    let told = listen(|| {
        kit.run(&[
            (AT, secret_mail()),
            (AT, reply("amy", "#1", SECRET)),
            (AT, Step::Do("amy", json!({"type": "reopen", "ticket": "#1"}))),
            (AT, on("amy", "solve", "#1")),
            ("2026-11-24T09:00:00Z", Step::Tick),
            ("2026-11-24T09:00:00Z", Step::Deliver),
        ]);
        let count = json!({"type": "search_tickets", "text": SECRET});
        kit.ask("sys", count, at(AT)).unwrap();
    });
    expect![[r#"
        command command=receive code=ok (command_id tenant)
        load command=receive code=ok (tenant)
        decide command=receive code=ok (tenant)
        commit command=receive code=ok (tenant)
        command command=reply code=ok (command_id tenant)
        load command=reply code=ok (tenant)
        decide command=reply code=ok (tenant)
        commit command=reply code=ok (tenant)
        command command=reopen code=no_such_transition (command_id tenant)
        load command=reopen code=ok (tenant)
        decide command=reopen code=no_such_transition (tenant)
        command command=solve code=ok (command_id tenant)
        load command=solve code=ok (tenant)
        decide command=solve code=ok (tenant)
        commit command=solve code=ok (tenant)
        tick code=ok ()
        command command=fire_timer code=ok (command_id tenant)
        load command=fire_timer code=ok (tenant)
        decide command=fire_timer code=ok (tenant)
        commit command=fire_timer code=ok (tenant)
        command command=fire_timer code=ok (command_id tenant)
        load command=fire_timer code=ok (tenant)
        decide command=fire_timer code=ok (tenant)
        commit command=fire_timer code=ok (tenant)
        deliver code=ok ()
        delivery topic=agent code=ok (delivery_id tenant)
        delivery topic=reply code=ok (delivery_id tenant)
        query query=search_tickets code=ok (tenant)"#]]
    .assert_eq(&lines(&told));
    for Told { name, fields } in &told {
        if let Some(tenant) = fields.get("tenant") {
            assert_eq!(*tenant, TENANT.to_string(), "{name}");
        }
    }
}

#[test]
fn a_denied_attempt_is_told_and_changes_nothing() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    kit.run(&[(AT, mail("anna@acme.com", "A", "a"))]);
    let told = listen(|| {
        kit.run(&[
            (AT, assign("anna", "#1", "@amy")),
            (
                AT,
                Step::Do(
                    "anna",
                    json!({"type": "apply_changes_to_many", "tickets": ["#1"], "changes": []}),
                ),
            ),
            (AT, Step::Ask("anna", json!({"type": "queue_state"}), &[])),
        ]);
    });
    let denied: Vec<Told> =
        told.into_iter().filter(|told| told.name == "event access_denied").collect();
    expect![[r#"
        event access_denied command=assign (actor command_id tenant)
        event access_denied command=apply_changes_to_many (actor command_id tenant)
        event access_denied query=queue_state (actor tenant)"#]]
    .assert_eq(&lines(&denied));
    let actor = kit.names.id("anna").to_string();
    assert!(denied.iter().all(|told| told.fields["actor"].contains(&actor)));
}

#[test]
fn what_is_done_together_is_loaded_by_the_first() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), desk());
    for name in ["anna", "bob", "cleo"] {
        kit.run(&[(AT, mail(&format!("{name}@acme.com"), "A", "a"))]);
    }
    kit.run(&[(AT, on("sys", "close", "#2"))]);
    let told = listen(|| {
        let changes = json!([{"type": "add_tags", "tags": [SECRET]}]);
        let tickets = ["#1", "#2", "#3"];
        let many = json!({"type": "apply_changes_to_many", "tickets": tickets, "changes": changes});
        kit.run(&[(AT, Step::Do("sys", many))]);
    });
    expect![[r#"
        command command=update_ticket code=ok (command_id tenant)
        command command=update_ticket code=closed (command_id tenant)
        command command=update_ticket code=ok (command_id tenant)
        load command=update_ticket code=ok (tenant)
        decide command=update_ticket code=ok (tenant)
        decide command=update_ticket code=closed (tenant)
        decide command=update_ticket code=ok (tenant)
        commit command=update_ticket code=ok (tenant)"#]]
    .assert_eq(&lines(&told));
    check_silent(&told);
}

#[test]
fn a_lost_race_is_told_without_the_key_that_was_lost() {
    let told = listen(|| {
        for seed in 0..16 {
            let mut kit = Kit::new(Arc::new(Flaky::new(seed)), desk());
            kit.run(&[(AT, secret_mail())]);
        }
    });
    let lost = told.iter().filter(|told| told.name == "event lost a race");
    let codes: BTreeSet<&str> = lost.map(|told| &*told.fields["code"]).collect();
    assert_eq!(codes, BTreeSet::from(["conflict", "duplicate"]));
    check_silent(&told);
}

#[test]
fn nothing_that_people_wrote_is_told() {
    let mut config = desk();
    config["fields"] = json!([{"key": "f", "name": "F", "kind": {"type": "text"}}]);
    config["macros"] =
        json!([{"key": "m", "name": SECRET, "steps": [{"type": "reply", "text": SECRET}]}]);
    let mut kit = Kit::bare(Arc::new(MemoryStore::default()));
    let contact = |address: &str| {
        json!({"type": "create_contact", "name": SECRET, "details": {"notes": SECRET, "tags": [SECRET]},
            "identities": [{"kind": "email", "value": address}]})
    };
    let told = listen(|| {
        kit.configure(config);
        let address = format!("{SECRET}@acme.com");
        let mut script = vec![
            secret_mail(),
            secret_mail(),
            reply("amy", "#1", SECRET),
            reply("amy", "#1", &SECRET.repeat(200_000)),
            Step::Do("amy", json!({"type": "add_note", "ticket": "#1", "text": SECRET})),
            Step::Do("amy", contact(&address)),
            Step::Do("amy", contact(&format!("{SECRET} {SECRET}"))),
            Step::Do("amy", json!({"type": "run_macro", "ticket": "#1", "key": "m"})),
            Step::Do("amy", json!({"type": "offer", "ticket": "#1", "agent": "@amy"})),
            Step::Do("amy", json!({"type": "reject_offer", "ticket": "#1", "reason": SECRET})),
            Step::Do(
                "sys",
                json!({"type": "apply_config", "document": {"name": 7, SECRET: SECRET}}),
            ),
            Step::Ask("amy", json!({"type": "search_tickets", "text": SECRET}), &[]),
            Step::Ask("amy", json!({"type": "list_tickets", "after": SECRET}), &[]),
            Step::Ask(
                "sys",
                json!({"type": "list_tickets", "which": {"condition": {"field": "subject", "is": SECRET}}}),
                &[],
            ),
            Step::Fail(1, true),
            Step::Deliver,
            Step::Fail(1, false),
            Step::Deliver,
            Step::Tick,
        ];
        for changes in [
            json!([{"type": "set_subject", "to": SECRET}]),
            json!([{"type": "set_custom", "field": "f", "to": SECRET}]),
            json!([{"type": "add_tags", "tags": [SECRET]}]),
            json!([{"type": "set_language", "to": SECRET}]),
        ] {
            script.push(Step::Do(
                "amy",
                json!({"type": "update_ticket", "ticket": "#1", "changes": changes}),
            ));
        }
        let script: Vec<(&str, Step)> = script.into_iter().map(|step| (AT, step)).collect();
        kit.run(&script);
    });
    assert!(told.len() > 60, "{}", told.len());
    check_silent(&told);
}

/// Nothing that people wrote, and no address.
fn check_silent(told: &[Told]) {
    for Told { name, fields } in told {
        for (field, value) in fields {
            assert!(!value.contains(SECRET), "{name}: {field}={value}");
            assert!(!value.contains('@'), "an address? {name}: {field}={value}");
        }
    }
}
