//! Processes are killed at any moment, again and again on one store; each time what
//! they were told is done must be there, whole, and the desk go on from it.
//!
//! A killed process loses nothing that it wrote, synced or not: that is the matter of
//! `power`. Source: spec/storage.md, "Reliability suite", 5.

use crate::child::{HASTE, Line, Work, read_ledger};
use crate::finish::{LEASES_END, finish};
use crate::laws;
use crate::office::{Acked, start};
use crate::part::Setting;
use crate::place::{Place, PostgresPlace, SqlitePlace};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::id::TicketId;
use helpdesk_storage::chaos::Dice;
use helpdesk_test_support::postgres::{Cluster, Disk};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Times that the processes on one store are killed.
pub(crate) const N_KILLS: u64 = 5;
/// When they are killed, in milliseconds after their start, or after the first thing
/// that was acked.
const KILL_MILLIS: std::ops::Range<u64> = 5..200;
/// How many are killed that soon after their start: most of these still open the store.
const EARLY_PERCENT: u8 = 25;
/// How often the server under them is killed first.
const SERVER_PERCENT: u8 = 40;
/// How long a child may take until it tells the ledger anything.
const READY_MAX: Duration = Duration::from_secs(30);

/// Kills the processes on a SQLite database; how many commands were acked.
pub(crate) fn sqlite(seed: u64, setting: &Setting) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let place = SqlitePlace::new(&folder.path().join("desk.db"));
    kill_all(&place, None, folder.path(), seed, setting)
}

/// Kills the processes on a PostgreSQL schema, and the server under them now and then;
/// how many commands were acked.
pub(crate) fn postgres(seed: u64, setting: &Setting) -> u64 {
    static SERVER: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(Disk::Safe).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let place = PostgresPlace::fresh(SERVER.address());
    kill_all(&place, Some(&SERVER), folder.path(), seed, setting)
}

/// Kills whoever works at the place, and looks at what they left.
fn kill_all(
    place: &dyn Place,
    server: Option<&Cluster>,
    folder: &Path,
    seed: u64,
    setting: &Setting,
) -> u64 {
    let mut dice = Dice::new(seed);
    let ledger = folder.join("ledger");
    let mut drained = BTreeSet::new();
    let mut now = start();
    for n in 0..N_KILLS {
        let n_children = 1 + dice.below(2);
        let began = Instant::now();
        let work = |child: u64| Work {
            place: place.words(),
            ledger: ledger.clone(),
            seed: seed.wrapping_mul(1_000_003).wrapping_add(n * 100 + child * 10),
            from: now,
        };
        let children: Vec<Child> =
            (0..n_children).map(|child| start_child(setting, &work(child).words())).collect();
        if !dice.percent(EARLY_PERCENT) {
            wait_for_more(&ledger);
        }
        let server = server.filter(|_| dice.percent(SERVER_PERCENT));
        if let Some(server) = server {
            server.crash().unwrap();
        }
        for child in children {
            let millis = KILL_MILLIS.start + dice.below(KILL_MILLIS.end - KILL_MILLIS.start);
            std::thread::sleep(Duration::from_millis(millis));
            end(child);
        }
        if let Some(server) = server {
            server.restart().unwrap();
        }
        // No child's clock is later than this.
        now += TimeDelta::from_std(began.elapsed() * HASTE).unwrap();
        now = look(place, &ledger, &mut drained, now);
    }
    read_ledger(&ledger).iter().filter_map(acked_of).count() as u64
}

/// Starts this suite's program as a child with these words.
pub(crate) fn start_child(setting: &Setting, words: &[String]) -> Child {
    let mut command = Command::new(&setting.program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{}: {error}", setting.program.display()))
}

/// Waits until the ledger has another line, or a child had time enough for one: where
/// nothing comes, because a child ended, its end tells why.
pub(crate) fn wait_for_more(ledger: &Path) {
    let length = || std::fs::metadata(ledger).map_or(0, |file| file.len());
    let (before, began) = (length(), Instant::now());
    while length() == before && began.elapsed() < READY_MAX {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Kills a process (SIGKILL); one that ended by itself is a failure.
pub(crate) fn end(mut child: Child) {
    if let Some(status) = child.try_wait().unwrap() {
        let output = child.wait_with_output().unwrap();
        panic!("a child ended: {status}: {}", String::from_utf8_lossy(&output.stderr));
    }
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.is_empty(), "a child said before its end: {said}");
}

/// Checks what was left, lets the desk finish what is due, and checks again.
fn look(
    place: &dyn Place,
    ledger: &Path,
    drained: &mut BTreeSet<(TicketId, u32)>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let lines = read_ledger(ledger);
    place.check();
    let store = place.open().unwrap();
    let acked: Vec<Acked> = lines.iter().filter_map(acked_of).collect();
    laws::check_acked(&*store, &acked);
    laws::check(&*store);
    let (end, delivered) = finish(&store, now, &[LEASES_END]);
    drained.extend(delivered);
    let mut delivered = drained.clone();
    delivered.extend(lines.iter().filter_map(delivered_of));
    laws::check(&*store);
    laws::check_nothing_due(&*store, end);
    laws::check_nobody_waits(&*store, end);
    laws::check_delivered(&*store, &delivered);
    drop(store);
    place.check();
    end
}

fn acked_of(line: &Line) -> Option<Acked> {
    match line {
        Line::Acked(acked) => Some(acked.clone()),
        Line::Delivered(..) => None,
    }
}

fn delivered_of(line: &Line) -> Option<(TicketId, u32)> {
    match line {
        Line::Delivered(ticket, seq) => Some((*ticket, *seq)),
        Line::Acked(_) => None,
    }
}
