//! What a process does until it is killed: engines at work on one store, each
//! telling the ledger what it was told is done.

use crate::laws::{cases_of, reply_of};
use crate::office::{Acked, Hand, TENANT, open};
use crate::place::place;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk::core::fault::Code;
use helpdesk::core::id::{CommandId, TicketId};
use helpdesk::core::limit::PAGE_MAX;
use helpdesk::notify::{Delivered, DeliveryError, Notification, Notifier};
use helpdesk::{Helpdesk, block_on};
use helpdesk_storage::{ListKind, ListQuery, Shelf, Store};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// The word that makes a process a child.
pub const WORD: &str = "child";
/// Threads that give commands, beside the one that ticks and delivers.
const N_HANDS: u64 = 2;
/// How much faster time goes for the desk.
pub(crate) const HASTE: u32 = 1_000;

/// Where a child works, and when.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) place: [String; 2],
    pub(crate) ledger: PathBuf,
    pub(crate) seed: u64,
    pub(crate) from: DateTime<Utc>,
}

impl Work {
    pub(crate) fn words(&self) -> Vec<String> {
        let [kind, at] = self.place.clone();
        let ledger = self.ledger.to_str().unwrap().to_owned();
        vec![WORD.to_owned(), kind, at, ledger, self.seed.to_string(), self.from.to_rfc3339()]
    }

    fn read(words: &[String]) -> Self {
        let [kind, at, ledger, seed, from] = words else {
            panic!("a child wants a backend, a place, a ledger, a seed and a time: {words:?}")
        };
        Self {
            place: [kind.clone(), at.clone()],
            ledger: PathBuf::from(ledger),
            seed: seed.parse().unwrap(),
            from: from.parse().unwrap(),
        }
    }
}

/// Works as the words say until the process is killed.
pub fn run(words: &[String]) -> ! {
    let work = Work::read(words);
    let began = Instant::now();
    let now = || work.from + TimeDelta::from_std(began.elapsed() * HASTE).unwrap();
    let [kind, at] = &work.place;
    let store = insist(|| place(kind, at).open().map_err(helpdesk::Error::from));
    let ledger = Arc::new(Ledger::open(&work.ledger));
    let desk = Helpdesk::builder()
        .with_shared_store(store.clone())
        .with_notifier(Postman(ledger.clone()))
        .with_language_guessing(false)
        .build()
        .unwrap();
    insist(|| block_on(open(&desk)));
    std::thread::scope(|scope| {
        for n in 0..N_HANDS {
            let (desk, store, ledger) = (&desk, &store, &ledger);
            scope.spawn(move || give_commands(desk, &**store, ledger, work.seed + n, now));
        }
        loop {
            insist(|| block_on(desk.tick(now(), 100)));
            insist(|| block_on(desk.deliver(now(), 100)));
        }
    })
}

fn give_commands(
    desk: &Helpdesk,
    store: &dyn Store,
    ledger: &Ledger,
    seed: u64,
    now: impl Fn() -> DateTime<Utc>,
) -> ! {
    let mut hand = Hand::new(seed);
    loop {
        let query = ListQuery::all(TENANT, ListKind::Cases(Shelf::Live), now(), PAGE_MAX);
        let Ok(page) = block_on(store.list(&query)) else { continue };
        let cases = cases_of(page.rows);
        let (actor, call) = hand.next(&cases, now());
        let id = call.command_id;
        match block_on(desk.execute(&actor, call, now())) {
            Ok(outcome) => {
                if let Some(acked) = Acked::of(id, &outcome) {
                    ledger.write(&Line::Acked(acked));
                }
            }
            Err(error) => assert!(is_no_defect(error.code()), "{error}"),
        }
    }
}

/// Whether others, the state of a ticket or the store's own end may be the reason.
fn is_no_defect(code: Code) -> bool {
    !matches!(code, Code::Internal | Code::CommandIdReused | Code::SchemaNewer)
}

/// What must come through: lost races, a busy database and
/// one that is gone for a while are tried again.
pub(crate) fn insist<T>(call: impl Fn() -> helpdesk::Result<T>) -> T {
    loop {
        match call() {
            Ok(done) => return done,
            Err(error) if is_passing(error.code()) => {}
            Err(error) => panic!("{error}: {:?}", error.body()),
        }
    }
}

fn is_passing(code: Code) -> bool {
    matches!(code, Code::Conflict | Code::Unavailable | Code::OutcomeUnknown)
}

/// The end of a line that is there whole.
const END: char = '.';

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Acked(Acked),
    Delivered(TicketId, u32),
}

/// What outlives the process beside the store: a file that lines are added to.
#[derive(Debug)]
struct Ledger(File);

impl Ledger {
    fn open(path: &Path) -> Self {
        Self(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    /// One write. A kill can still tear it, where it goes over the end of a page: a line
    /// therefore begins by itself, and says where it ends.
    fn write(&self, line: &Line) {
        let words = match line {
            Line::Acked(Acked { id, message: Some((ticket, seq)) }) => {
                format!("acked {} {} {seq}", id.0, ticket.0)
            }
            Line::Acked(Acked { id, message: None }) => format!("acked {}", id.0),
            Line::Delivered(ticket, seq) => format!("delivered {} {seq}", ticket.0),
        };
        (&self.0).write_all(format!("\n{words}{END}").as_bytes()).unwrap();
    }
}

/// The whole lines of a ledger.
pub(crate) fn read_ledger(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_suffix(END)).map(read_line).collect()
}

fn read_line(line: &str) -> Line {
    let words: Vec<&str> = line.split(' ').collect();
    let id = |text: &str| Uuid::parse_str(text).unwrap();
    match words[..] {
        ["acked", of] => Line::Acked(Acked { id: CommandId(id(of)), message: None }),
        ["acked", of, ticket, seq] => {
            let message = Some((TicketId(id(ticket)), seq.parse().unwrap()));
            Line::Acked(Acked { id: CommandId(id(of)), message })
        }
        ["delivered", ticket, seq] => Line::Delivered(TicketId(id(ticket)), seq.parse().unwrap()),
        _ => panic!("no line of a ledger: {line}"),
    }
}

/// Delivers into the ledger.
#[derive(Debug)]
struct Postman(Arc<Ledger>);

#[async_trait]
impl Notifier for Postman {
    fn name(&self) -> &str {
        "postman"
    }

    fn handles(&self, _: &helpdesk::core::effect::Effect) -> bool {
        true
    }

    async fn deliver(&self, notification: &Notification) -> Result<Delivered, DeliveryError> {
        if let Some((ticket, seq)) = reply_of(notification) {
            self.0.write(&Line::Delivered(ticket, seq));
        }
        Ok(Delivered::Sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a kill may leave of a line is no line, and harms none.
    #[test]
    fn a_torn_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let ledger = Ledger::open(&path);
        let lines = [1, 2].map(|seq| Line::Delivered(TicketId(Uuid::from_u128(5)), seq));
        ledger.write(&lines[0]);
        (&ledger.0).write_all(b"\nacked 0000417b-").unwrap();
        ledger.write(&lines[1]);
        (&ledger.0).write_all(b"\ndelivered 00000000-0000-0000-0000-000000000005 1").unwrap();
        assert_eq!(read_ledger(&path), lines);
    }
}
