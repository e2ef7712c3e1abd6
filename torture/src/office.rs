//! The desk that is tortured, and what goes on there: mails come in, agents work.

use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::case::Case;
use helpdesk::core::command::Command;
use helpdesk::core::id::{AgentId, CommandId, TenantId, TicketId};
use helpdesk::{Call, Helpdesk};
use helpdesk_storage::chaos::Dice;
use serde_json::{Value, json};
use uuid::Uuid;

/// Whose desk it is.
pub(crate) const TENANT: TenantId = TenantId(Uuid::from_u128(0xDE5C));
/// How many agents there are.
pub(crate) const N_AGENTS: u64 = 5;
const QUEUES: [&str; 3] = ["given", "offered", "taken"];
const STATUSES: [&str; 5] = ["open", "pending", "on_hold", "solved", "closed"];
/// Mails that a hand may answer to.
const MAILS_KEPT_MAX: usize = 20;

/// When the first day begins: a Friday.
pub(crate) fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_795_165_200)
}

/// A queue of every mode, clocks, an escalation, and less room than work.
pub(crate) fn document() -> Value {
    let rule = |queue: &&str| json!({"key": queue, "when": {"field": "subject", "is": queue}, "then": {"queue": queue}});
    json!({
        "groups": [{"key": "one"}, {"key": "two"}],
        "queues": [
            {"key": "given", "group": "one", "mode": {"type": "assign"}, "idle_unassign_seconds": 900,
             "stages": [{}, {"after_seconds": 300, "pools": ["two"]}]},
            {"key": "offered", "group": "two", "mode": {"type": "offer", "timeout_seconds": 60}, "exclude_seconds": 30},
            {"key": "taken", "group": "one", "answer_within_seconds": 400},
        ],
        "rules": QUEUES.iter().map(rule).collect::<Vec<_>>(),
        "sla": {"policies": [
            {"key": "all", "warn_at": [{"percent": 50}], "metrics": [
                {"metric": "first_reply", "targets": [{"seconds": 500}]},
                {"metric": "next_reply", "targets": [{"seconds": 400}]},
            ]},
        ]},
        "escalations": [
            {"key": "late", "when": {"field": "channel", "is": "email"}, "stop_on": ["ack", "reply"],
             "steps": [{"trigger": {"type": "after", "seconds": 600}, "targets": [{"type": "assignee"}]}]},
        ],
        "offline_grace_seconds": 200, "auto_close_after_seconds": 1200,
    })
}

/// The actor for what the desk itself does.
pub(crate) fn system() -> Actor {
    Actor::system(TENANT, Capability::ActAsSystem)
}

fn agent_id(n: u64) -> AgentId {
    AgentId(Uuid::from_u128(0xA000 + u128::from(n)))
}

fn command(json: &Value) -> Command {
    serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// The commands that set the desk up, under ids of their own: whoever gives them
/// again changes nothing.
pub(crate) fn opening() -> Vec<Call> {
    let mut commands = vec![json!({"type": "apply_config", "document": document()})];
    for n in 0..N_AGENTS {
        let groups = [json!(["one"]), json!(["two"]), json!(["one", "two"])];
        commands.push(json!({
            "type": "create_agent", "id": agent_id(n), "name": format!("Agent {n}"), "roles": ["admin"],
            "groups": groups[(n % 3) as usize], "capacity": {"total": 1 + n % 3},
        }));
        commands.push(json!({"type": "set_presence", "agent": agent_id(n), "status": "online"}));
    }
    let id = |n: usize| CommandId(Uuid::from_u128(0x0FE0 + n as u128));
    commands.into_iter().enumerate().map(|(n, json)| Call::new(id(n), command(&json))).collect()
}

/// Sets the desk up.
pub(crate) async fn open(desk: &Helpdesk) -> helpdesk::Result<()> {
    for call in opening() {
        desk.execute(&system(), call, start()).await?;
    }
    Ok(())
}

/// Thinks of what somebody does next: the same for the same seed and the same tickets.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    dice: Dice,
    seed: u64,
    n: u64,
    mails: Vec<String>,
}

impl Hand {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), seed, n: 0, mails: Vec::new() }
    }

    /// The next command, and who gives it. What has a text has its id as text.
    pub(crate) fn next(&mut self, cases: &[Case], now: DateTime<Utc>) -> (Actor, Call) {
        self.n += 1;
        let id = CommandId(Uuid::from_u64_pair(self.seed, self.n));
        let agent = agent_id(self.dice.below(N_AGENTS));
        let kind = self.dice.below(24);
        let case = match kind {
            // What an agent has or is offered, where there is something.
            0..14 => self.dice.pick(&own(cases, agent)).copied(),
            _ => self.dice.pick(&cases.iter().collect::<Vec<_>>()).copied(),
        };
        let Some(case) = case.filter(|_| kind < 19) else {
            return match kind {
                20 => (Actor::agent(TENANT, agent), Call::new(id, self.presence(now))),
                21 => (
                    Actor::agent(TENANT, agent),
                    Call::new(id, command(&json!({"type": "take_next"}))),
                ),
                _ => (system(), Call::new(id, self.mail(id))),
            };
        };
        let (who, json) = self.on(kind, case, agent, id, now);
        (who, Call::new(id, command(&json)))
    }

    fn on(
        &mut self,
        kind: u64,
        case: &Case,
        agent: AgentId,
        id: CommandId,
        now: DateTime<Utc>,
    ) -> (Actor, Value) {
        let ticket = case.ticket.id;
        let text = text_of(id);
        let until = now + TimeDelta::seconds(self.dice.below(400) as i64);
        let status = *self.dice.pick(&STATUSES).unwrap();
        let queue = *self.dice.pick(&QUEUES).unwrap();
        let is_offered = case.offer.as_ref().is_some_and(|offer| offer.agent == agent);
        let mut json = match kind {
            0..5 if is_offered => json!({"type": "accept_offer"}),
            5 if is_offered => json!({"type": "reject_offer", "reason": "busy"}),
            0..4 => json!({"type": "reply", "text": text}),
            4 => json!({"type": "reply", "text": text, "status": status}),
            5..8 => json!({"type": "solve"}),
            8 => json!({"type": "set_status", "to": status}),
            9 => json!({"type": "snooze", "until": until}),
            10 => json!({"type": "add_note", "text": text}),
            11 => json!({"type": "unassign"}),
            12 => json!({"type": "acknowledge"}),
            13 => {
                json!({"type": "update_ticket", "changes": [{"type": "add_tags", "tags": [queue]}]})
            }
            14 | 15 => json!({"type": "claim"}),
            16 => json!({"type": "assign", "agent": agent}),
            17 => json!({"type": "route_again", "queue": queue}),
            _ => json!({"type": "reopen"}),
        };
        json["ticket"] = json!(ticket);
        (Actor::agent(TENANT, agent), json)
    }

    fn presence(&mut self, now: DateTime<Utc>) -> Command {
        let status = *self.dice.pick(&["online", "online", "away", "offline"]).unwrap();
        let until = now + TimeDelta::seconds(1 + self.dice.below(300) as i64);
        command(&json!({"type": "set_presence", "status": status, "until": until}))
    }

    fn mail(&mut self, id: CommandId) -> Command {
        let external_id = format!("<{}@mail>", id.0.simple());
        let from = format!("person{}@example.com", self.dice.below(6));
        let mut mail = json!({
            "type": "receive", "channel": "email", "external_id": external_id, "text": text_of(id),
            "subject": self.dice.pick(&QUEUES).unwrap(),
            "from": {"identity": {"kind": "email", "value": from}},
        });
        if self.dice.percent(30)
            && let Some(earlier) = self.dice.pick(&self.mails)
        {
            mail["in_reply_to"] = json!(earlier);
        }
        self.mails.push(external_id);
        let n_old = self.mails.len().saturating_sub(MAILS_KEPT_MAX);
        self.mails.drain(..n_old);
        command(&mail)
    }
}

/// The text of what this command writes, if it writes any.
pub(crate) fn text_of(id: CommandId) -> String {
    format!("written by {}", id.0.simple())
}

/// What this agent has or is offered, unsolved.
fn own(cases: &[Case], agent: AgentId) -> Vec<&Case> {
    let is_own = |case: &&Case| {
        let is_offered = case.offer.as_ref().is_some_and(|offer| offer.agent == agent);
        is_offered || (case.ticket.assignee == Some(agent) && case.ticket.category.is_unsolved())
    };
    cases.iter().filter(is_own).collect()
}

/// A command that the desk said was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acked {
    pub(crate) id: CommandId,
    /// The message that it wrote.
    pub(crate) message: Option<(TicketId, u32)>,
}

impl Acked {
    /// What the desk said; `None` where nothing was to be done.
    pub(crate) fn of(id: CommandId, outcome: &helpdesk::Outcome) -> Option<Self> {
        if outcome.events.is_empty() {
            return None;
        }
        let message = outcome.made.ticket.zip(outcome.made.seq);
        Some(Self { id, message })
    }
}
