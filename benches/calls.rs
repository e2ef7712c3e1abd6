//! What calls of the whole engine cost on given texts: `cargo bench --bench calls -- --texts FILE`.
//!
//! `benches/compare/django_helpdesk/measure.py` runs it beside another help desk. The desk has
//! 100 rules, SLA policies in working hours, routing and assignment on; its store is a SQLite
//! file that waits for the disk at every commit. Prints one JSON object: milliseconds of CPU
//! and on the wall, the mean of all calls.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench may panic, and prints what it found"
)]

#[path = "fixture/mod.rs"]
#[allow(dead_code, unused_imports, reason = "a part of it is used")]
mod fixture;

use fixture::{TENANT, cpu_time, document, fill, now, system};
use helpdesk::core::command::{ApplyConfig, Command};
use helpdesk::core::contact::Identity;
use helpdesk::core::id::{CommandId, TicketId};
use helpdesk::core::intake::inbound::InboundMessage;
use helpdesk::core::query::{Answer, ListTickets, OneTicket, Query};
use helpdesk::core::ticket::priority::Channel;
use helpdesk::core::view::{Direction, OrderBy};
use helpdesk::{Call, Helpdesk, SqliteOptions, SqliteStore, block_on};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Rules of the desk.
const RULES: usize = 100;
/// Mails that are taken in at once.
const AT_ONCE: usize = 32;
/// Pages that are read.
const PAGES: usize = 200;

#[derive(Deserialize)]
struct Mail {
    from: String,
    subject: String,
    text: String,
}

/// Cargo adds `--bench`, and the suite `--test`: a few texts of its own then.
fn mails() -> Vec<Mail> {
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--texts" => {
                let path = args.next().expect("`--texts` wants a file");
                let text = std::fs::read_to_string(path).expect("a file");
                return serde_json::from_str(&text).expect("mails: from, subject, text");
            }
            "--test" | "--bench" => {}
            other => panic!("no option `{other}`"),
        }
    }
    let mail = |i| Mail {
        from: format!("person{i}@example.com"),
        subject: "A desk that came broken".to_owned(),
        text: fixture::TEXT.to_owned(),
    };
    (0..60).map(mail).collect()
}

/// The desk of the other benches with promises: first and next replies, and solutions.
fn promising() -> Value {
    let mut document = document(RULES);
    let hours = json!([["09:00", "18:00"]]);
    let days = ["mon", "tue", "wed", "thu", "fri"];
    let weekly: serde_json::Map<String, Value> =
        days.iter().map(|day| ((*day).to_owned(), hours.clone())).collect();
    document["calendars"] = json!([{"key": "office", "zone": "Europe/Berlin", "weekly": weekly}]);
    let target = |seconds: u64| json!([{"priorities": ["urgent", "high"], "seconds": seconds / 3}, {"seconds": seconds}]);
    document["sla"] = json!({
        "preset": "zendesk",
        "policies": [
            {
                "key": "vip", "when": {"field": "tags", "has_any": ["vip"]}, "calendar": "office",
                "metrics": [{"metric": "first_reply", "targets": target(7_200)}],
            },
            {
                "key": "everybody", "calendar": "office", "warn_at": [{"percent": 75}],
                "metrics": [
                    {"metric": "first_reply", "targets": target(21_600)},
                    {"metric": "next_reply", "targets": target(28_800)},
                    {"metric": "requester_wait", "targets": target(57_600)},
                ],
            },
        ],
    });
    document
}

/// Milliseconds of each call, in the mean.
fn timed(calls: impl Iterator<Item = impl FnOnce()>) -> Value {
    let (mut cpu, mut wall, mut n) = (Duration::ZERO, Duration::ZERO, 0);
    for call in calls {
        let (before, start) = (cpu_time(), Instant::now());
        call();
        wall += start.elapsed();
        cpu += cpu_time() - before;
        n += 1;
    }
    let mean = |total: Duration| total.as_secs_f64() * 1e3 / f64::from(n.max(1));
    json!({"n": n, "cpu_ms": mean(cpu), "wall_ms": mean(wall)})
}

fn message(i: usize, id: &str, mail: &Mail) -> InboundMessage {
    let from = Identity::email(&mail.from);
    let id = format!("<{id}{i}@example.com>");
    let mut message = InboundMessage::new(Channel::Email, id, from, mail.text.as_str());
    message.mailbox = "support".parse().ok();
    message.subject = Some(mail.subject.clone());
    message
}

fn receive(desk: &Helpdesk, i: usize, id: &str, mail: &Mail) -> TicketId {
    let at = now() + Duration::from_secs(i as u64);
    let made = block_on(desk.receive(TENANT, message(i, id, mail), at)).expect("received").made;
    made.ticket.expect("a ticket")
}

/// Takes mails in at once, as tasks of one thread: milliseconds of each.
fn receive_at_once(desk: &Helpdesk, n: usize, mails: &[Mail]) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (before, start) = (cpu_time(), Instant::now());
    runtime.block_on(async {
        for (i, some) in mails.chunks(n).enumerate() {
            let at = now() + Duration::from_secs((mails.len() + i) as u64);
            let id = format!("at-once-{n}-{i}-");
            let mut tasks = JoinSet::new();
            for (i, mail) in some.iter().enumerate() {
                let (desk, message) = (desk.clone(), message(i, &id, mail));
                tasks.spawn(async move { desk.receive(TENANT, message, at).await });
            }
            let received = tasks.join_all().await;
            assert!(received.iter().all(Result::is_ok), "{received:?}");
        }
    });
    let mean = |total: Duration| total.as_secs_f64() * 1e3 / mails.len() as f64;
    let (cpu, wall) = (mean(cpu_time() - before), mean(start.elapsed()));
    json!({"n": mails.len(), "cpu_ms": cpu, "wall_ms": wall})
}

fn main() {
    let mails = mails();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("desk.db");
    let store = SqliteStore::open(path, SqliteOptions::default()).expect("opens");
    let desk = Helpdesk::builder().with_store(store).build().expect("builds");
    fill(&desk, RULES);
    let config = Command::ApplyConfig(ApplyConfig { document: promising() });
    let call = Call::new(CommandId(Uuid::from_u128(9_999)), config);
    block_on(desk.execute(&system(), call, now())).expect("configured");
    for (i, mail) in mails.iter().take(20).enumerate() {
        receive(&desk, i, "w", mail);
    }
    let create = timed(mails.iter().enumerate().map(|(i, mail)| {
        let desk = &desk;
        move || _ = receive(desk, i, "", mail)
    }));
    let at_once = receive_at_once(&desk, AT_ONCE, &mails);
    let list = Query::ListTickets(ListTickets {
        order: Some(OrderBy::CreatedAt),
        direction: Some(Direction::Descending),
        limit: Some(50),
        ..ListTickets::default()
    });
    let listed = || match block_on(desk.query(&system(), list.clone(), now())).expect("listed") {
        Answer::Tickets(page) => page,
        other => panic!("{other:?}"),
    };
    assert_eq!(listed().rows.len(), 50);
    let ticket = |row: &OneTicket| match row {
        OneTicket::Full(view) => view.ticket.id,
        other => panic!("{other:?}"),
    };
    let tickets: Vec<TicketId> = listed().rows.iter().map(ticket).collect();
    let at = now() + Duration::from_secs(1_000_000);
    let update = timed((0..mails.len() / 2).map(|i| {
        let (desk, ticket) = (&desk, tickets[i % tickets.len()]);
        let reply = json!({"type": "reply", "ticket": ticket, "text": "We look into it."});
        let command: Command = serde_json::from_value(reply).expect("a command");
        let call = Call::new(CommandId(Uuid::from_u128(100_000 + i as u128)), command);
        move || _ = block_on(desk.execute(&system(), call, at)).expect("replied")
    }));
    let list = timed((0..PAGES).map(|_| || assert_eq!(listed().rows.len(), 50)));
    println!(
        "{}",
        json!({"create": create, "create_at_once": at_once, "update": update, "list": list})
    );
}
