//! Whatever commands come in whatever order, nothing panics, and afterwards the
//! journal folds to what is stored and loads are what tickets say.

#![no_main]

use arbitrary::{Result, Unstructured};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::case::apply::apply;
use helpdesk::core::case::record::{Record, RecordKey, Stored};
use helpdesk::core::event::{StreamId, StreamKind};
use helpdesk::core::id::{AgentId, TenantId};
use helpdesk::core::ticket::priority::Channel;
use helpdesk::storage::{EventQuery, EventSource, ListKind, ListQuery, Store};
use helpdesk::{Helpdesk, MemoryStore, block_on};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const N_AGENTS: u128 = 3;
const STEPS_MAX: usize = 40;
const ROWS_MAX: usize = 1_000;
const TIMERS_MAX: usize = 500;

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new();
    let mut input = Unstructured::new(bytes);
    for _ in 0..STEPS_MAX {
        if input.is_empty() || script.step(&mut input).is_err() {
            break;
        }
    }
    script.check();
});

struct Script {
    desk: Helpdesk,
    store: Arc<MemoryStore>,
    now: DateTime<Utc>,
    n_commands: u128,
    tickets: Vec<Value>,
    contacts: Vec<Value>,
}

impl Script {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let desk = Helpdesk::builder().with_shared_store(store.clone()).build().expect("builds");
        let now = DateTime::from_timestamp(1_795_000_000, 0).expect("in range");
        let (tickets, contacts) = (Vec::new(), Vec::new());
        let mut script = Self { desk, store, now, n_commands: 0, tickets, contacts };
        script.system(json!({"type": "apply_config", "document": document()}));
        for i in 0..N_AGENTS {
            let groups = if i == 0 { json!(["a", "b"]) } else { json!(["a"]) };
            script.system(json!({
                "type": "create_agent", "id": agent(i), "name": format!("Agent {i}"), "roles": ["admin"],
                "groups": groups, "capacity": {"total": 2},
            }));
            script.system(json!({"type": "set_presence", "agent": agent(i), "status": "online"}));
        }
        for name in ["anna", "bert"] {
            let identity = json!({"kind": "email", "value": format!("{name}@example.com")});
            script
                .system(json!({"type": "create_contact", "name": name, "identities": [identity]}));
        }
        assert_eq!(script.contacts.len(), 2);
        script
    }

    fn system(&mut self, command: Value) {
        self.run(
            json!({"tenant": TENANT, "kind": "system", "capability": "act_as_system"}),
            command,
        );
    }

    fn run(&mut self, actor: Value, command: Value) {
        self.n_commands += 1;
        let id = Uuid::from_u128(self.n_commands);
        self.run_text(&json!({"actor": actor, "command_id": id, "command": command}).to_string());
    }

    fn run_text(&mut self, envelope: &str) {
        let answer = block_on(self.desk.execute_json(envelope, self.now));
        let answer: Value = serde_json::from_str(&answer).expect("JSON comes back");
        assert_ne!(answer["error"]["code"], "internal", "{envelope}: {answer}");
        let ids = [("ticket", &mut self.tickets), ("contact", &mut self.contacts)];
        for (name, known) in ids {
            if let Some(id) = answer["ok"].get(name).filter(|id| !known.contains(id)) {
                known.push(id.clone());
            }
        }
    }

    fn step(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.int_in_range(0..=9)? {
            0 => {
                self.now += TimeDelta::seconds(input.int_in_range(0..=100_000)?);
                block_on(self.desk.tick(self.now, TIMERS_MAX)).expect("ticks");
            }
            1 => {
                let text: &str = input.arbitrary()?;
                self.run_text(text);
                block_on(self.desk.query_json(text, self.now));
            }
            2 => self.query(input)?,
            _ => {
                let actor = self.actor(input)?;
                let command = self.command(input)?;
                self.run(actor, command);
            }
        }
        Ok(())
    }

    fn query(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let ticket = json!({"id": self.ticket(input)?});
        let query = match input.int_in_range(0..=5)? {
            0 => json!({"type": "get_ticket", "ticket": ticket}),
            1 => json!({"type": "conversation", "ticket": ticket}),
            2 => json!({"type": "explain", "ticket": ticket}),
            3 => json!({"type": "history", "ticket": ticket}),
            4 => json!({"type": "next_for", "agent": agent(input.int_in_range(0..=N_AGENTS)?)}),
            _ => json!({"type": "list_tickets", "limit": input.int_in_range(0..=3)?}),
        };
        let envelope = json!({"actor": self.actor(input)?, "query": query}).to_string();
        let answer = block_on(self.desk.query_json(&envelope, self.now));
        assert!(!answer.contains(r#""code":"internal""#), "{envelope}: {answer}");
        Ok(())
    }

    fn actor(&self, input: &mut Unstructured<'_>) -> Result<Value> {
        Ok(match input.int_in_range(0..=7)? {
            0 => json!({"tenant": TENANT, "kind": "requester", "id": self.contact(input)?}),
            1..=4 => {
                let id = agent(input.int_in_range(0..=N_AGENTS)?);
                json!({"tenant": TENANT, "kind": "agent", "id": id})
            }
            _ => json!({"tenant": TENANT, "kind": "system", "capability": "act_as_system"}),
        })
    }

    fn ticket(&self, input: &mut Unstructured<'_>) -> Result<Value> {
        if self.tickets.is_empty() {
            return Ok(json!(Uuid::nil()));
        }
        input.choose(&self.tickets).cloned()
    }

    fn contact(&self, input: &mut Unstructured<'_>) -> Result<Value> {
        input.choose(&self.contacts).cloned()
    }

    fn command(&self, input: &mut Unstructured<'_>) -> Result<Value> {
        let mut command = match input.arbitrary::<u8>()? {
            0..60 => return self.message(input),
            60..90 => return self.of_no_ticket(input),
            90..160 => self.plain(input)?,
            160.. => self.detailed(input)?,
        };
        command["ticket"] = self.ticket(input)?;
        Ok(command)
    }

    fn message(&self, input: &mut Unstructured<'_>) -> Result<Value> {
        let n: u8 = input.int_in_range(0..=40)?;
        let mut message = json!({
            "type": "receive", "channel": input.choose(&["email", "chat"])?, "external_id": n.to_string(),
            "from": {"identity": {"kind": "email", "value": format!("p{}@example.com", n % 5)}},
            "text": input.choose(&["refund please", "it is broken", "", "hello"])?,
        });
        if input.ratio(1, 2)? {
            message["in_reply_to"] = json!(input.int_in_range(0..=40)?.to_string());
        }
        if input.ratio(1, 4)? {
            message["thread_key"] = json!(input.choose(&["x", "y"])?);
        }
        Ok(message)
    }

    /// Commands of a ticket and nothing else.
    fn plain(&self, input: &mut Unstructured<'_>) -> Result<Value> {
        const KINDS: [&str; 14] = [
            "solve",
            "reopen",
            "close",
            "wake",
            "mark_spam",
            "unmark_spam",
            "delete_ticket",
            "restore_ticket",
            "unassign",
            "claim",
            "accept_offer",
            "route_again",
            "reject_offer",
            "set_parent",
        ];
        let kind = *input.choose(&KINDS)?;
        let mut command = json!({"type": kind});
        match kind {
            "reject_offer" => command["reason"] = json!("busy"),
            "set_parent" => command["parent"] = self.ticket(input)?,
            _ => {}
        }
        Ok(command)
    }

    fn detailed(&self, input: &mut Unstructured<'_>) -> Result<Value> {
        let agent = agent(input.int_in_range(0..=N_AGENTS)?);
        let seq = input.int_in_range(0..=4)?;
        let at = self.now + TimeDelta::seconds(input.int_in_range(-10..=90_000)?);
        let other = self.ticket(input)?;
        let statuses = ["new", "open", "pending", "on_hold", "solved", "closed", "nonsense"];
        Ok(match input.int_in_range(0..=15)? {
            0 => json!({"type": "reply", "text": "answer", "status": input.choose(&statuses)?}),
            1 => json!({"type": "reply", "text": "answer"}),
            2 => json!({"type": "add_note", "text": "note"}),
            3 => json!({"type": "edit_note", "seq": seq, "text": "other"}),
            4 => json!({"type": "redact", "seq": seq}),
            5 => json!({"type": "set_status", "to": input.choose(&statuses)?}),
            6 => json!({"type": "snooze", "until": at}),
            7 => json!({"type": "assign", "agent": agent}),
            8 => json!({"type": "offer", "agent": agent, "timeout_seconds": 60}),
            9 => json!({"type": "link", "kind": "duplicates", "to": other}),
            10 => json!({"type": "add_follower", "follower": {"type": "agent", "id": agent}}),
            11 => json!({"type": "update_ticket", "changes": [self.change(input)?]}),
            12 => json!({"type": "follow_up", "text": "more"}),
            13 => json!({"type": "mark_seen", "seq": seq}),
            14 => json!({"type": "route_again", "queue": input.choose(&["a", "b", "c"])?}),
            _ => json!({"type": "run_macro", "key": "done"}),
        })
    }

    fn change(&self, input: &mut Unstructured<'_>) -> Result<Value> {
        Ok(match input.int_in_range(0..=5)? {
            0 => json!({"type": "set_priority", "to": input.choose(&["low", "urgent"])?}),
            1 => json!({"type": "add_tags", "tags": [input.choose(&["x", "y", "X "])?]}),
            2 => json!({"type": "remove_tags", "tags": ["x"]}),
            3 => json!({"type": "set_requester", "to": self.contact(input)?}),
            4 => json!({"type": "require_skills", "skills": [{"skill": "french", "level": 2}]}),
            _ => json!({"type": "set_custom", "field": "seats", "to": input.int_in_range(-3..=3)?}),
        })
    }

    fn of_no_ticket(&self, input: &mut Unstructured<'_>) -> Result<Value> {
        let agent = agent(input.int_in_range(0..=N_AGENTS)?);
        let at = self.now + TimeDelta::seconds(input.int_in_range(-10..=90_000)?);
        let contact = self.contact(input)?;
        let other = self.ticket(input)?;
        Ok(match input.int_in_range(0..=6)? {
            0 => {
                let status = input.choose(&["online", "away", "offline"])?;
                json!({"type": "set_presence", "agent": agent, "status": status, "until": at})
            }
            1 => json!({"type": "update_agent", "agent": agent, "patch": {"groups": ["b"]}}),
            2 => json!({"type": "deactivate_agent", "agent": agent}),
            3 => json!({"type": "join_contacts", "from": self.contact(input)?, "into": contact}),
            4 => json!({"type": "update_contact", "contact": contact, "patch": {"tags": ["vip"]}}),
            5 => json!({"type": "take_next"}),
            _ => {
                let changes = [self.change(input)?];
                json!({"type": "apply_changes_to_many", "tickets": [other], "changes": changes})
            }
        })
    }

    fn list(&self, kind: ListKind) -> Vec<Stored> {
        let query = ListQuery::all(TENANT, kind, self.now, ROWS_MAX);
        block_on(self.store.list(&query)).expect("lists").rows
    }

    fn check(&self) {
        let mut loads: BTreeMap<(AgentId, Channel), (u32, u32)> = BTreeMap::new();
        for stored in self.list(ListKind::Things(StreamKind::Case)) {
            let Record::Case(case) = &stored.record else { panic!("no case: {stored:?}") };
            for share in case.shares() {
                let load = loads.entry((share.agent, share.channel)).or_default();
                *load = (load.0 + share.active, load.1 + share.reserved);
            }
            self.check_fold(StreamId::case(case.ticket.id), &stored);
        }
        for kind in [StreamKind::Contact, StreamKind::Agent, StreamKind::Presence] {
            for stored in self.list(ListKind::Things(kind)) {
                self.check_fold(stored.record.stream().expect("has one"), &stored);
            }
        }
        for i in 0..N_AGENTS {
            let agent = AgentId(agent(i));
            let key = RecordKey::Stream(StreamId::load(agent));
            let found = block_on(self.store.get(TENANT, &[key])).expect("reads").remove(0);
            let Some(Record::Load(stored)) = found.map(|stored| stored.record) else { continue };
            for channel in [Channel::Email, Channel::Chat, Channel::Api] {
                let on = stored.on(channel);
                let wanted = loads.get(&(agent, channel)).copied().unwrap_or_default();
                assert_eq!((on.active, on.reserved), wanted, "{agent} on {channel:?}");
            }
        }
    }

    fn check_fold(&self, stream: StreamId, stored: &Stored) {
        let source = EventSource::Stream { stream, after: 0 };
        let query = EventQuery::new(TENANT, source, ROWS_MAX);
        let rows = block_on(self.store.events(&query)).expect("reads").rows;
        let mut folded = None;
        for row in &rows {
            apply(stream, &mut folded, &row.entry.event, row.entry.at).expect("fits");
        }
        assert_eq!(rows.len() as u64, stored.version, "{stream:?}");
        assert_eq!(folded.as_ref(), Some(&stored.record), "{stream:?}");
    }
}

fn agent(i: u128) -> Uuid {
    Uuid::from_u128(1_000 + i)
}

fn document() -> Value {
    json!({
        "groups": [{"key": "a"}, {"key": "b"}],
        "skills": [{"key": "french"}],
        "queues": [
            {"key": "a", "group": "a", "mode": {"type": "assign"}, "idle_unassign_seconds": 5_000,
                "answer_within_seconds": 3_000, "cooldown_seconds": 30},
            {"key": "b", "group": "b", "mode": {"type": "offer", "timeout_seconds": 60},
                "affinity_wait_seconds": 100, "stages": [{}, {"after_seconds": 300, "pools": ["a"]}]},
            {"key": "c", "group": "a"},
        ],
        "fields": [{"key": "seats", "name": "Seats", "kind": {"type": "number", "min": 0.0}}],
        "rules": [
            {"key": "money", "when": {"field": "text", "has_word": ["refund"]}, "then": {"queue": "b"}},
            {"key": "chat", "when": {"field": "channel", "is": "chat"}, "then": {"queue": "c"}},
        ],
        "macros": [{"key": "done", "name": "Done", "steps": [{"type": "set_status", "to": "solved"}]}],
        "offline_grace_seconds": 600,
        "languages": ["en"],
    })
}
