//! Somebody's own tickets: routed by the rules of `it.toml`, given to agents, solved.

use crate::args::Own;
use crate::office::key;
use crate::rows::{self, Row};
use crate::score::{Score, percent};
use crate::{Result, Trouble, table, trouble};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::actor::{Actor, Capability};
use helpdesk::core::agent::Capacity;
use helpdesk::core::command::{ApplyConfig, Command, CreateAgent, Reply, SetPresence};
use helpdesk::core::contact::Identity;
use helpdesk::core::desk::from_toml;
use helpdesk::core::event::{Event, RoutedBy};
use helpdesk::core::id::{AgentId, TenantId};
use helpdesk::core::intake::inbound::InboundMessage;
use helpdesk::core::ticket::priority::Channel;
use helpdesk::storage::sqlite::Synchronous;
use helpdesk::{Helpdesk, Outcome, SqliteOptions, SqliteStore, blocking};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Agents of each group.
const AGENTS_A_GROUP: u128 = 3;
/// Senders that are made up where the file names none.
const SENDERS: usize = 500;
/// Seconds between two tickets where the file names no times.
const SECONDS_APART: i64 = 20;
/// Timers that the last tick may fire.
const TIMERS_MAX: usize = 10_000;

/// The desk of the run.
struct Desk {
    /// Whether agents answer and solve what they get.
    solves: bool,
    desk: blocking::Helpdesk,
    tenant: TenantId,
    system: Actor,
    /// Names of the groups by key.
    groups: BTreeMap<String, String>,
}

/// What was counted on the way.
struct Tally {
    score: Score,
    by_rule: BTreeMap<String, u64>,
    n_unassigned: u64,
    /// Time that the engine took to take tickets in, and to answer them.
    intake: Duration,
    answering: Duration,
    /// The last tick: how long, and how many timers.
    ticking: Duration,
    n_timers: u64,
}

/// Runs the file's tickets and tells what came of them.
pub(crate) fn run(own: &Own) -> Result<()> {
    let file = rows::read(own)?;
    if file.rows.is_empty() {
        return trouble(format!("{}: no row has a text", own.file.display()));
    }
    say!("{}: {} tickets ({})", own.file.display(), file.rows.len(), file.columns.join(", "));
    if file.n_empty > 0 {
        say!("{} rows have no text and are left out", file.n_empty);
    }
    let folder = tempfile::tempdir()?;
    let start: DateTime<Utc> = "2026-03-02T08:00:00Z".parse()?;
    let start = file.rows.first().and_then(|row| row.time).unwrap_or(start);
    let desk = Desk::open(folder.path(), own.solve, file.rows.len(), start)?;
    let mut tally = Tally {
        score: Score::new(desk.groups.values().cloned()),
        by_rule: BTreeMap::new(),
        n_unassigned: 0,
        intake: Duration::ZERO,
        answering: Duration::ZERO,
        ticking: Duration::ZERO,
        n_timers: 0,
    };
    let progress = progress_bar(file.rows.len())?;
    let began = Instant::now();
    let mut now = start;
    for (i, row) in file.rows.iter().enumerate() {
        now = row.time.unwrap_or(now + TimeDelta::seconds(SECONDS_APART));
        desk.handle(i, row, now, &mut tally)?;
        progress.inc(1);
    }
    let ticked = Instant::now();
    let n_timers = desk.desk.tick(now, TIMERS_MAX)?.fired;
    tally.ticking = ticked.elapsed();
    tally.n_timers = n_timers;
    let took = began.elapsed();
    progress.finish_and_clear();
    tell(&tally, file.rows.len() as u64, took, &folder.path().join("desk.db"));
    Ok(())
}

fn progress_bar(n: usize) -> Result<ProgressBar> {
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} tickets, {per_sec}, {eta} left")?;
    Ok(ProgressBar::new(n as u64).with_style(style))
}

impl Desk {
    fn open(folder: &Path, solves: bool, n: usize, now: DateTime<Utc>) -> Result<Self> {
        let options = SqliteOptions::default().with_synchronous(Synchronous::Normal);
        let store = SqliteStore::open(folder.join("desk.db"), options)?;
        let document = from_toml(include_str!("it.toml")).map_err(|f| Trouble(f.to_string()))?;
        let groups = document["groups"].as_array().into_iter().flatten();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let groups = groups.map(|group| (text(&group["key"]), text(&group["name"]))).collect();
        let tenant = TenantId(Uuid::from_u128(1));
        let system = Actor::system(tenant, Capability::ActAsSystem);
        let engine = Helpdesk::builder().with_store(store).build()?;
        let desk = Self { solves, desk: engine.into(), tenant, system, groups };
        desk.desk.execute(&desk.system, Command::ApplyConfig(ApplyConfig { document }), now)?;
        desk.hire(n, now)?;
        Ok(desk)
    }

    /// Gives every group its agents, all of them online, each with room for all.
    fn hire(&self, n_tickets: usize, now: DateTime<Utc>) -> Result<()> {
        let total = u32::try_from(n_tickets).unwrap_or(u32::MAX);
        let mut n = 0;
        for (group, name) in &self.groups {
            for i in 1..=AGENTS_A_GROUP {
                n += 1;
                let agent = AgentId(Uuid::from_u128(n));
                let create = CreateAgent {
                    id: Some(agent),
                    name: format!("{name} {i}"),
                    email: None,
                    roles: Vec::new(),
                    groups: vec![key(group)?],
                    skills: Vec::new(),
                    languages: Vec::new(),
                    capacity: Capacity { total, ..Capacity::default() },
                    tier: None,
                    shift: None,
                    manager: None,
                };
                self.desk.execute(&self.system, Command::CreateAgent(create), now)?;
                let online = SetPresence {
                    agent: Some(agent),
                    channels: None,
                    status: key("online")?,
                    until: None,
                };
                self.desk.execute(&self.system, Command::SetPresence(online), now)?;
            }
        }
        Ok(())
    }

    /// Takes one ticket in; the agent who gets it answers and solves it, if asked to.
    fn handle(&self, i: usize, row: &Row, now: DateTime<Utc>, tally: &mut Tally) -> Result<()> {
        let from = match &row.from {
            Some(from) => from.clone(),
            None => format!("sender-{}@example.com", i % SENDERS + 1),
        };
        let id = format!("<row-{}@file.example>", row.n);
        let mut message =
            InboundMessage::new(Channel::Email, id, Identity::email(&from), row.text.clone());
        message.subject.clone_from(&row.subject);
        let in_row = |error: helpdesk::Error| Trouble(format!("row {}: {error}", row.n));
        let began = Instant::now();
        let outcome = self.desk.receive(self.tenant, message, now).map_err(in_row)?;
        tally.intake += began.elapsed();
        self.count(row, &outcome, tally);
        let assignee = outcome.events.iter().find_map(|event| match &event.event {
            Event::Assigned { agent, .. } => Some(*agent),
            _ => None,
        });
        let (Some(agent), Some(ticket)) = (assignee, outcome.made.ticket) else {
            tally.n_unassigned += 1;
            return Ok(());
        };
        if !self.solves {
            return Ok(());
        }
        let reply = Command::Reply(Reply {
            ticket,
            text: "Thank you for writing. This is done now.".to_owned(),
            html: None,
            attachments: Vec::new(),
            status: Some(key("solved")?),
            channel: None,
            external_id: None,
        });
        let began = Instant::now();
        self.desk.execute(&Actor::agent(self.tenant, agent), reply, now).map_err(in_row)?;
        tally.answering += began.elapsed();
        Ok(())
    }

    fn count(&self, row: &Row, outcome: &Outcome, tally: &mut Tally) {
        for event in &outcome.events {
            let Event::Routed { group, by, .. } = &event.event else { continue };
            let rule = match by {
                RoutedBy::Rule { rule, .. } => rule.to_string(),
                _ => "(default queue)".to_owned(),
            };
            *tally.by_rule.entry(rule).or_default() += 1;
            let group = self.groups.get(group.as_str()).map_or("", String::as_str);
            tally.score.count(row.topic.as_deref(), group);
        }
    }
}

fn tell(tally: &Tally, n: u64, took: Duration, database: &Path) {
    let mut by_rule: Vec<(&String, &u64)> = tally.by_rule.iter().collect();
    by_rule.sort_by_key(|(rule, n)| (std::cmp::Reverse(**n), *rule));
    say!("\nWhich rule was the first that held (examples/quickstart/it.toml):");
    let rows: Vec<Vec<String>> = by_rule
        .into_iter()
        .map(|(rule, hits)| vec![rule.clone(), hits.to_string(), percent(*hits, n)])
        .collect();
    table::print(&["rule", "tickets", "share"], &rows, &[1, 2]);
    tally.score.print();
    let each = |time: Duration| format!("{:.0} µs a ticket", time.as_secs_f64() * 1e6 / n as f64);
    say!(
        "\n{n} tickets in {:.2} s: {:.0} a second",
        took.as_secs_f64(),
        n as f64 / took.as_secs_f64()
    );
    say!("  taken in, routed and given to an agent   {}", each(tally.intake));
    if tally.answering > Duration::ZERO {
        say!("  answered and solved by that agent        {}", each(tally.answering));
        say!(
            "  {} timers that look for more work         {:.0} ms in all",
            tally.n_timers,
            tally.ticking.as_secs_f64() * 1e3
        );
    }
    if tally.n_unassigned > 0 {
        say!("  nobody had room for {} of them", tally.n_unassigned);
    }
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let bytes = size(database) + size(&database.with_extension("db-wal"));
    let megabytes = bytes as f64 / 1e6;
    say!("  one commit for each of these; SQLite's file and log have {megabytes:.1} MB");
    say!("  (synchronous=NORMAL: a power loss may take the last commits, and corrupts nothing)");
}
