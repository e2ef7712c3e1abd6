//! Imports the tickets of another system into a SQLite file, and says how fast that was.
//!
//! ```text
//! cargo run --release --example import_many -- 100000 desk.db
//! ```
//!
//! Interrupted, run it again: what is there is not imported twice.

use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::command::{ApplyConfig, Command, ImportTicket};
use helpdesk::core::id::TenantId;
use helpdesk::{Helpdesk, SqliteOptions, SqliteStore, block_on};
use serde_json::json;
use std::error::Error;
use std::io::{Write, stdout};
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let n: u64 = args.next().map_or(Ok(1_000), |n| n.parse())?;
    let scratch = tempfile::tempdir()?;
    let path = args.next().map_or_else(|| scratch.path().join("desk.db"), Into::into);

    let store = SqliteStore::open(&path, SqliteOptions::default())?;
    let desk = Helpdesk::builder().with_store(store).build()?;
    let tenant = TenantId(uuid::Uuid::from_u128(1));
    let now: DateTime<Utc> = "2026-11-20T09:00:00Z".parse()?;
    let system = Actor::system(tenant, Capability::ActAsSystem);
    let config = ApplyConfig { document: json!({"name": "Acme"}) };
    block_on(desk.execute(&system, Command::ApplyConfig(config), now))?;

    let import = Actor::system(tenant, Capability::ActAsImport);
    let start = Instant::now();
    let mut refused = None;
    let tickets = (0..n).map(|n| old_ticket(n, now));
    let report = block_on(desk.import_tickets(&import, tickets, now, |_, result| {
        refused = refused.take().or(result.err());
    }))?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some(error) = refused {
        return Err(error.into());
    }
    let per_second = n as f64 / seconds;
    let mut out = stdout().lock();
    writeln!(out, "imported {}, there already {}", report.n_imported, report.n_existed)?;
    writeln!(out, "{seconds:.1} s, {per_second:.0} tickets a second")?;
    writeln!(out, "{} MiB of database", std::fs::metadata(&path)?.len() >> 20)?;
    if let Some(peak) = peak_memory() {
        writeln!(out, "memory at most: {peak}")?;
    }
    Ok(())
}

/// A closed ticket with three messages of 200 to 800 bytes; one of ten requesters writes it
/// for the first time.
fn old_ticket(n: u64, now: DateTime<Utc>) -> ImportTicket {
    let opened = now - TimeDelta::minutes(i64::try_from(n % 1_000_000).unwrap_or(0) + 10_000);
    let text = |k: u64| "It does not print. ".repeat(10 + ((n * 7 + k * 13) % 30) as usize);
    let message = |k: u64| {
        let sent_at = opened + TimeDelta::minutes(i64::try_from(k).unwrap_or(0) * 30);
        let id = format!("<{n}.{k}@old.example>");
        json!({"kind": "public_reply", "text": text(k), "sent_at": sent_at, "external_id": id})
    };
    let ticket = json!({
        "external_id": format!("old-{n}"), "subject": format!("Printer {n} does not print"),
        "channel": "email", "status": "closed", "created_at": opened,
        "closed_at": opened + TimeDelta::days(2), "tags": ["printer", "imported"],
        "requester": {"identity": {"kind": "email", "value": format!("c{}@example.com", n / 10)}},
        "messages": [message(0), message(1), message(2)],
    });
    serde_json::from_value(ticket).unwrap_or_else(|error| unreachable!("{error}"))
}

/// What the kernel says of this process, where it says it.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.trim_start_matches("VmHWM:").trim().to_owned())
}
