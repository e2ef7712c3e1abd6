//! Retention: old entries go to the archive, deleted tickets for good, and nothing else does.

use crate::kit::{Kit, Shared, TENANT, at, change, mail, mail_with, on, reply, set_status, stores};
use crate::state;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use expect_test::expect;
use helpdesk::core::case::archive::{filled, is_tombstone, tombstone};
use helpdesk::core::event::{Event, Recorded};
use helpdesk::core::id::TenantId;
use helpdesk::search::{IndexOptions, TicketIndex};
use helpdesk::storage::blob::{self, MemoryBlobStore};
use helpdesk::storage::sqlite::Synchronous;
use helpdesk::storage::{Follower, Store};
use helpdesk::{
    Archive, ArchiveFolder, ArchiveTo, EraseArchiveReport, Error, Helpdesk, MemoryStore, NewFile,
    Pace, RetainReport, SqliteOptions, SqliteStore, block_on, read_archive,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

const OLD: &str = "2026-11-20T09:00:00Z";
const NEW: &str = "2026-12-20T09:00:00Z";
/// Ten days after the new, forty after the old.
const NOW: &str = "2026-12-30T09:00:00Z";

fn config(retention: Value) -> Value {
    json!({
        "retention": retention,
        "auto_close_after_seconds": null,
        "agents": {"amy": {"groups": ["support"]}, "ada": {"roles": ["admin"]}},
    })
}

/// A desk with two old tickets, of which one goes on, and a new one.
fn desk(store: Arc<dyn Store>, retention: Value) -> Kit {
    let mut kit = Kit::new(store, config(retention));
    work(&mut kit);
    kit
}

fn work(kit: &mut Kit) {
    kit.run(&[
        (OLD, mail("anna@acme.com", "Invoice", "It is wrong.")),
        (OLD, mail("bob@acme.com", "Router", "It blinks.")),
        (OLD, reply("amy", "#1", "We look at it.")),
        (OLD, change("amy", "#1", json!([{"type": "add_tags", "tags": ["money"]}]))),
        (OLD, set_status("amy", "#2", "solved")),
        (NEW, reply("amy", "#1", "It is right now.")),
        (NEW, mail("anna@acme.com", "Thanks", "For the router.")),
    ]);
}

/// An archive in memory, and what may go wrong with it.
#[derive(Debug, Default)]
struct Lines {
    written: Mutex<Vec<u8>>,
    /// Appends that write all, and then fail before anybody is told.
    n_unheard: AtomicUsize,
}

#[async_trait]
impl Archive for Lines {
    async fn append(&self, _: TenantId, lines: &[u8]) -> io::Result<()> {
        self.written.lock().unwrap().extend_from_slice(lines);
        let left = self.n_unheard.load(Ordering::Relaxed);
        self.n_unheard.store(left.saturating_sub(1), Ordering::Relaxed);
        if left > 0 { Err(io::Error::other("the power went")) } else { Ok(()) }
    }
}

impl Lines {
    fn entries(&self) -> Vec<Recorded> {
        entries(&self.written.lock().unwrap())
    }
}

fn entries(lines: &[u8]) -> Vec<Recorded> {
    let read = read_archive(lines).map(|line| line.unwrap());
    read.inspect(|line| assert_eq!(line.tenant, TENANT)).map(|line| line.entry).collect()
}

fn retain(kit: &Kit, archive: &dyn Archive, now: &str) -> RetainReport {
    block_on(kit.desk.engine().retain(TENANT, archive, at(now))).unwrap()
}

/// The journal as the feed shows it, once what is committed has settled.
fn journal(kit: &Kit) -> Vec<Recorded> {
    state::journal(&*kit.store, TENANT)
}

#[test]
fn old_entries_go_to_the_archive_and_with_it_the_journal_is_as_before() {
    let [memory, sqlite] = stores();
    for store in [memory, sqlite, Shared::postgres().open()] {
        let kit = desk(store, json!({"journal_days": 30}));
        let before = journal(&kit);
        let preview = block_on(kit.desk.engine().preview_retention(TENANT, at(NOW))).unwrap();
        assert_eq!(journal(&kit), before, "a preview changes nothing");
        let archive = Lines::default();
        let report = retain(&kit, &archive, NOW);
        assert_eq!(report.archived, preview.archived);
        // Old entries of tickets, and nothing else.
        let after = journal(&kit);
        let cutoff = at(NOW) - TimeDelta::days(30);
        for (left, entry) in after.iter().zip(&before) {
            let is_old = entry.entry.stream.kind.as_str() == "case" && entry.entry.at < cutoff;
            let wanted = if is_old { tombstone(entry) } else { entry.clone() };
            assert_eq!(*left, wanted);
        }
        let n_old = after.iter().filter(|it| is_tombstone(it)).count();
        assert_eq!((n_old as u64, archive.entries().len()), (report.archived, n_old));
        assert!(n_old > 5 && n_old < before.len(), "{n_old}");
        // The archive fills the places again, bit for bit; so the laws hold.
        let filled = filled(after, &archive.entries());
        assert_eq!(filled, before);
        state::check_laws_of(&*kit.store, TENANT, &filled);
        // Once more there is nothing to do.
        assert_eq!(retain(&kit, &archive, NOW).archived, 0);
    }
}

#[test]
fn an_archived_ticket_is_read_written_and_explained() {
    let mut kit = desk(Arc::new(MemoryStore::default()), json!({"journal_days": 30}));
    let archive = Lines::default();
    retain(&kit, &archive, NOW);
    let answer =
        kit.ask("amy", json!({"type": "history", "ticket": {"id": "#2"}}), at(NOW)).unwrap();
    let history = serde_json::to_value(answer).unwrap();
    let row = &history["rows"][0];
    assert_eq!(row["event"], json!({"type": "archived", "of": "opened"}), "{row}");
    assert_eq!((&row["n"], &row["at"]), (&json!(1), &json!(OLD)));
    let answer =
        kit.ask("amy", json!({"type": "explain", "ticket": {"id": "#2"}}), at(NOW)).unwrap();
    let explained = serde_json::to_string(&answer).unwrap();
    assert!(explained.contains("an event `status_set` that is in the archive"), "{explained}");
    // The ticket goes on from its record.
    kit.run(&[(NOW, reply("bob", "#2", "It blinks again.")), (NOW, reply("amy", "#2", "Hm."))]);
    let filled = filled(journal(&kit), &archive.entries());
    state::check_laws_of(&*kit.store, TENANT, &filled);
}

#[test]
fn an_archive_is_compared_and_put_back() {
    for store in stores() {
        let kit = desk(store, json!({"journal_days": 30}));
        let before = journal(&kit);
        let archive = ArchiveTo::new(Vec::new());
        let n = retain(&kit, &archive, NOW).archived;
        let lines = archive.into_inner();
        // Lines that stand there twice are no other ones.
        let twice = [&lines[..], &lines[..]].concat();
        let engine = kit.desk.engine();
        let compared = block_on(engine.compare_archive(TENANT, read_archive(&twice[..]))).unwrap();
        assert_eq!((compared.lines, compared.archived), (2 * n, n));
        let restore = |lines: &[u8]| {
            block_on(engine.restore_archive(TENANT, read_archive(lines), at(NOW))).unwrap()
        };
        assert_eq!(restore(&twice).archived, n);
        assert_eq!(journal(&kit), before);
        state::check_laws(&*kit.store, TENANT);
        let again = restore(&lines);
        assert_eq!((again.archived, again.standing), (0, n));
        assert_eq!(retain(&kit, &Lines::default(), NOW).archived, n, "archived again");
        let other = TenantId(uuid::Uuid::from_u128(2));
        let refused = block_on(engine.restore_archive(other, read_archive(&lines[..]), at(NOW)));
        assert_eq!(refused.unwrap_err().body().path.as_deref(), Some("line[1].tenant"));
    }
}

#[test]
fn what_is_not_safe_in_the_archive_stays_in_the_store() {
    for store in stores() {
        let kit = desk(store, json!({"journal_days": 30}));
        let before = journal(&kit);
        // The lines are written, and nobody hears of it: as if killed before the store is told.
        let archive = Lines { n_unheard: AtomicUsize::new(1), ..Lines::default() };
        let failed = block_on(kit.desk.engine().retain(TENANT, &archive, at(NOW))).unwrap_err();
        assert!(matches!(&failed, Error::Archive(_)), "{failed:?}");
        assert_eq!((failed.code().as_str(), journal(&kit)), ("unavailable", before.clone()));
        let n_unheard = archive.entries().len();
        assert!(n_unheard > 0);
        // The next round writes them again, which harms nothing.
        let report = retain(&kit, &archive, NOW);
        assert_eq!(archive.entries().len(), n_unheard + report.archived as usize);
        assert_eq!(filled(journal(&kit), &archive.entries()), before);
        // As if killed after the store was told, and before it kept how far.
        let store = &*kit.store;
        let mut follower = block_on(Follower::open(store, TENANT, "retention")).unwrap();
        assert!(follower.checkpoint() > 0);
        follower.set_checkpoint(0);
        block_on(follower.keep(store, at(NOW))).unwrap();
        assert_eq!(retain(&kit, &archive, NOW).archived, 0);
        assert_eq!(filled(journal(&kit), &archive.entries()), before);
    }
}

#[test]
fn pages_end_where_commits_end() {
    let store = Arc::new(MemoryStore::default());
    let mut kit = Kit::new(store, config(json!({"journal_days": 30})));
    // Each of these tickets is one commit of many entries; together they are several pages.
    for i in 0..25 {
        let message =
            |n| json!({"kind": "public_reply", "text": format!("{i}.{n}"), "sent_at": OLD});
        let import = json!({
            "type": "import_ticket", "external_id": format!("x{i}"), "subject": format!("Old {i}"),
            "channel": "email", "status": "closed", "created_at": OLD, "closed_at": OLD,
            "requester": {"identity": {"kind": "email", "value": "anna@acme.com"}},
            "messages": (0..97).map(message).collect::<Vec<_>>(),
        });
        kit.execute("import", import, at(OLD)).unwrap();
    }
    let before = journal(&kit);
    let archive = Lines::default();
    let report = retain(&kit, &archive, NOW);
    assert!(report.archived > 2_000, "{report:?}");
    assert_eq!(filled(journal(&kit), &archive.entries()), before);
    assert_eq!(archive.entries().len() as u64, report.archived);
}

/// Words of the ticket that goes, each in another place.
const WORDS: [&str; 5] = ["zwieback", "zucchini", "zither", "zeppelin", "zinnober"];

/// A desk on which a ticket was deleted, another one deleted and restored, one deleted lately.
fn with_deleted(
    store: Arc<dyn Store>,
    index: &Arc<TicketIndex>,
    blobs: Arc<MemoryBlobStore>,
) -> Kit {
    let mut document = config(json!({"deleted_days": 30}));
    document["fields"] = json!([{"key": "order", "name": "Order", "kind": {"type": "text"}}]);
    let mut kit = Kit::new(store.clone(), document);
    let engine = Helpdesk::builder()
        .with_shared_store(store)
        .with_ticket_index(index.clone())
        .with_shared_blobs(blobs)
        .with_language_guessing(false)
        .build();
    kit.desk = engine.unwrap().into();
    let file = NewFile::new("zeppelin.txt", "text/plain");
    let bytes = blob::of_bytes("a file");
    let actor = kit.actor("sys");
    let put = kit.desk.engine().put_file(&actor, file, bytes, at(OLD));
    let file = serde_json::to_value(block_on(put).unwrap()).unwrap();
    let more = json!({"attachments": [file], "custom": {"order": "zinnober"},
        "external_id": "<zither@acme.com>"});
    kit.run(&[
        (OLD, mail_with("anna@acme.com", "About zwieback", "I like zucchini.", more)),
        (OLD, mail("bob@acme.com", "Router", "It blinks.")),
        (OLD, mail("bob@acme.com", "Lamp", "It is dark.")),
        (OLD, on("amy", "delete_ticket", "#1")),
        (OLD, on("amy", "delete_ticket", "#2")),
        (NEW, on("amy", "restore_ticket", "#2")),
        (NEW, on("amy", "delete_ticket", "#3")),
        (NEW, mail("bob@acme.com", "Other", "Something else.")),
    ]);
    block_on(kit.desk.engine().index(1_000)).unwrap();
    kit
}

fn in_bytes(bytes: &[u8]) -> Vec<&'static str> {
    let has = |word: &&str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    WORDS.into_iter().filter(has).collect()
}

/// The bytes of a database: its file and its log.
fn bytes_of(path: &Path) -> Vec<u8> {
    let log = path.with_extension("db-wal");
    [std::fs::read(path).unwrap(), std::fs::read(log).unwrap_or_default()].concat()
}

#[test]
fn of_a_ticket_that_was_deleted_long_ago_no_byte_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let options = SqliteOptions::default().with_synchronous(Synchronous::Off);
    let file = Arc::new(SqliteStore::open(&path, options).unwrap());
    let postgres = Shared::postgres().open();
    for store in [Arc::new(MemoryStore::default()), file as Arc<dyn Store>, postgres] {
        let index = Arc::new(TicketIndex::in_memory(&IndexOptions::default()).unwrap());
        let blobs = Arc::new(MemoryBlobStore::default());
        let mut kit = with_deleted(store.clone(), &index, blobs);
        let before = journal(&kit);
        let preview = block_on(kit.desk.engine().preview_retention(TENANT, at(NOW))).unwrap();
        assert_eq!((preview.purged, preview.archived), (1, 0));
        let archive = Lines::default();
        let report = retain(&kit, &archive, NOW);
        assert_eq!((report.purged, report.swept), (1, 1), "{report:?}");
        // Its journal is in the archive, its texts are nowhere.
        let of_it = |it: &&Recorded| it.entry.stream == before_stream(&before);
        let its: Vec<Recorded> = before.iter().filter(of_it).cloned().collect();
        assert_eq!(archive.entries(), its);
        let all = format!("{:?}", state::dump(&*store, TENANT));
        assert_eq!(in_bytes(all.as_bytes()), Vec::<&str>::new());
        assert_eq!(state::cases(&*store, TENANT).len(), 3);
        state::check_laws(&*store, TENANT);
        let search = json!({"type": "search_tickets", "text": "zwieback"});
        let found = serde_json::to_value(kit.ask("ada", search, at(NOW)).unwrap()).unwrap();
        assert_eq!(found["rows"], json!([]), "{found}");
        // Of what was put back, restored there is nothing.
        let lines = archive.written.lock().unwrap().clone();
        let compared = kit.desk.engine().compare_archive(TENANT, read_archive(&lines[..]));
        assert_eq!(block_on(compared).unwrap().gone, its.len() as u64);
        // The same mail once more is a new ticket.
        let again = json!({"external_id": "<zither@acme.com>"});
        let line = kit.run(&[(NOW, mail_with("anna@acme.com", "Again", "once more", again))]);
        assert!(line[0].contains("opened"), "{line:?}");
        state::check_laws(&*store, TENANT);
        assert_eq!(retain(&kit, &archive, NOW).purged, 0);
    }
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    assert!(!in_bytes(&bytes_of(&path)).is_empty(), "else the scrub proves nothing");
    let desk = Helpdesk::builder().with_store(store).build().unwrap();
    block_on(desk.scrub()).unwrap();
    // The external id came in once more.
    assert_eq!(in_bytes(&bytes_of(&path)), ["zither"]);
}

/// The stream of the first ticket.
fn before_stream(journal: &[Recorded]) -> helpdesk::core::event::StreamId {
    let opened = journal.iter().find(|it| matches!(it.entry.event, Event::Opened { .. }));
    opened.unwrap().entry.stream
}

#[test]
fn what_others_say_of_a_ticket_that_is_gone_harms_nothing() {
    let mut kit = Kit::new(Arc::new(MemoryStore::default()), config(json!({"deleted_days": 30})));
    let link = json!({"type": "link", "ticket": "#2", "to": "#1", "kind": "relates"});
    let unlink = json!({"type": "unlink", "ticket": "#2", "to": "#1", "kind": "relates"});
    kit.run(&[
        (OLD, mail("anna@acme.com", "One", "first")),
        (OLD, mail("anna@acme.com", "Two", "second")),
    ]);
    kit.execute("amy", link, at(OLD)).unwrap();
    let unlink = kit.command(unlink);
    kit.run(&[(OLD, on("amy", "delete_ticket", "#1"))]);
    assert_eq!(retain(&kit, &Lines::default(), NOW).purged, 1);
    for query in ["get_ticket", "conversation", "history", "explain"] {
        kit.ask("amy", json!({"type": query, "ticket": {"id": "#2"}}), at(NOW)).unwrap();
        let gone =
            kit.ask("amy", json!({"type": query, "ticket": {"id": "#1"}}), at(NOW)).unwrap_err();
        assert_eq!(gone.code().as_str(), "not_found");
    }
    let actor = kit.actor("amy");
    let unlinked = kit.desk.execute(&actor, unlink, at(NOW));
    assert!(unlinked.is_ok() || unlinked.is_err_and(|error| error.code().as_str() == "not_found"));
    kit.run(&[(NOW, reply("amy", "#2", "Still here."))]);
    block_on(kit.desk.engine().deliver(at(NOW), 100)).unwrap();
    block_on(kit.desk.engine().tick(at(NOW), 100)).unwrap();
}

#[test]
fn a_person_is_erased_from_tickets_whose_journal_is_in_the_archive() {
    for store in stores() {
        let mut kit = desk(store, json!({"journal_days": 30}));
        retain(&kit, &Lines::default(), NOW);
        kit.execute("ada", json!({"type": "erase_person", "contact": "@anna"}), at(NOW)).unwrap();
        let left = format!("{:?}", state::dump(&*kit.store, TENANT));
        for word in ["Invoice", "It is wrong", "anna@acme", "Thanks", "For the router"] {
            assert!(!left.contains(word), "{word}");
        }
        for word in ["We look at it.", "Router", "It blinks."] {
            assert!(left.contains(word), "{word}");
        }
    }
}

/// A desk whose journal is in the archive, with all that anna could leave in it; its lines.
fn archived(store: Arc<dyn Store>) -> (Kit, Vec<u8>) {
    let mut kit = Kit::new(store, config(json!({"journal_days": 30})));
    let outer = json!({"external_id": "<zither@acme.com>"});
    kit.run(&[
        (OLD, mail_with("anna@acme.com", "Invoice zwieback", "It is wrong.", outer)),
        (OLD, mail("bob@acme.com", "Router", "It blinks.")),
        (OLD, reply("amy", "#1", "We look at it.")),
    ]);
    let follow = json!({"type": "add_follower", "ticket": "#2", "follower": {"type": "contact", "id": "@anna"}});
    kit.execute("ada", follow, at(OLD)).unwrap();
    kit.run(&[(OLD, reply("anna", "#2", "Mine too."))]);
    let archive = Lines::default();
    assert!(retain(&kit, &archive, NOW).archived > 5);
    let lines = archive.written.lock().unwrap().clone();
    (kit, lines)
}

fn in_lines(lines: &[u8]) -> Vec<&'static str> {
    let text = std::str::from_utf8(lines).unwrap();
    ["zwieback", "zither"].into_iter().filter(|word| text.contains(word)).collect()
}

fn erase_from(kit: &Kit, lines: &[u8]) -> (Vec<u8>, EraseArchiveReport) {
    let mut copy = Vec::new();
    let engine = kit.desk.engine();
    let report = block_on(engine.erase_from_archive(TENANT, || Ok(lines), &mut copy)).unwrap();
    (copy, report)
}

#[test]
fn an_archive_is_copied_without_whoever_was_erased_since() {
    for store in stores() {
        let (mut kit, lines) = archived(store);
        assert_eq!(in_lines(&lines), ["zwieback", "zither"], "the words stood there before");
        let (same, report) = erase_from(&kit, &lines);
        assert_eq!((same, report.erased), (lines.clone(), 0), "nobody was erased");
        kit.execute("ada", json!({"type": "erase_person", "contact": "@anna"}), at(NOW)).unwrap();
        // A second archive has what the erasure itself said.
        let rest = Lines::default();
        retain(&kit, &rest, "2027-03-01T09:00:00Z");
        let lines = [lines, rest.written.lock().unwrap().clone()].concat();
        let (copy, report) = erase_from(&kit, &lines);
        assert_eq!(report.lines as usize, entries(&lines).len());
        assert!(report.erased > 2, "{report:?}");
        assert_eq!(in_lines(&copy), Vec::<&str>::new());
        for (left, before) in entries(&copy).iter().zip(entries(&lines)) {
            assert_eq!(tombstone(left), tombstone(&before), "each stays in its place");
        }
        let text = String::from_utf8(copy.clone()).unwrap();
        assert!(text.contains("Router"), "what others wrote stays");
        assert_eq!(
            erase_from(&kit, &copy),
            (copy.clone(), EraseArchiveReport { erased: 0, ..report })
        );
        // With the copy in its places the journal is what the desk would have, had it kept it.
        let filled = filled(journal(&kit), &entries(&copy));
        state::check_laws_of(&*kit.store, TENANT, &filled);
    }
}

#[test]
fn who_was_erased_does_not_come_back_from_an_archive() {
    for store in stores() {
        let (mut kit, lines) = archived(store);
        kit.execute("ada", json!({"type": "erase_person", "contact": "@anna"}), at(NOW)).unwrap();
        let engine = kit.desk.engine();
        let compared = block_on(engine.compare_archive(TENANT, read_archive(&lines[..]))).unwrap();
        let restored = engine.restore_archive(TENANT, read_archive(&lines[..]), at(NOW));
        let restored = block_on(restored).unwrap();
        assert_eq!(restored, compared);
        assert_eq!(restored.archived as usize, entries(&lines).len());
        assert!(restored.erased > 2 && restored.erased < restored.archived, "{restored:?}");
        let left = format!("{:?} {:?}", journal(&kit), state::dump(&*kit.store, TENANT));
        assert!(!left.contains("zwieback") && !left.contains("zither"), "{left}");
        assert!(journal(&kit).iter().all(|it| !is_tombstone(it)));
        state::check_laws(&*kit.store, TENANT);
        // What is put back is what a copy without her would have put back.
        let (copy, _) = erase_from(&kit, &lines);
        let of_tickets = |it: &Recorded| it.entry.stream.kind.as_str() == "case";
        let archived = entries(&copy);
        let standing: Vec<Recorded> = journal(&kit).into_iter().filter(of_tickets).collect();
        assert_eq!(standing[..archived.len()], archived);
    }
}

#[test]
fn lines_of_a_newer_version_stay_as_they_are() {
    let (mut kit, lines) = archived(Arc::new(MemoryStore::default()));
    let text = String::from_utf8(lines).unwrap();
    let newer = text.replace(r#""type":"routed""#, r#""type":"sung","song":7"#).into_bytes();
    let opaque = |it: &Recorded| matches!(it.entry.event, Event::Opaque(_));
    assert_eq!(entries(&newer).iter().filter(|it| opaque(it)).count(), 2);
    assert_eq!(entries(&erase_from(&kit, &newer).0), entries(&newer));
    // Nobody knows what it would say of her.
    kit.execute("ada", json!({"type": "erase_person", "contact": "@anna"}), at(NOW)).unwrap();
    let copy = String::from_utf8(erase_from(&kit, &newer).0).unwrap();
    assert!(copy.contains(r#""type":"sung""#) && !copy.contains("song"), "{copy}");
}

#[test]
fn who_was_erased_leaves_the_lines_of_a_ticket_that_is_gone_too() {
    let store = Arc::new(MemoryStore::default());
    let mut kit = Kit::new(store, config(json!({"deleted_days": 30})));
    kit.run(&[
        (OLD, mail("anna@acme.com", "Invoice zwieback", "It is wrong.")),
        (OLD, on("amy", "delete_ticket", "#1")),
    ]);
    let archive = Lines::default();
    assert_eq!(retain(&kit, &archive, NOW).purged, 1);
    kit.execute("ada", json!({"type": "erase_person", "contact": "@anna"}), at(NOW)).unwrap();
    let lines = archive.written.lock().unwrap().clone();
    let (copy, report) = erase_from(&kit, &lines);
    assert!(report.erased > 0, "{report:?}");
    assert_eq!((in_lines(&lines), in_lines(&copy)), (vec!["zwieback"], vec![]));
    let refused = block_on(kit.desk.engine().erase_from_archive(
        TenantId(uuid::Uuid::from_u128(2)),
        || Ok(&lines[..]),
        Vec::new(),
    ));
    assert_eq!(refused.unwrap_err().body().path.as_deref(), Some("line[1].tenant"));
}

#[test]
fn dead_letters_are_dropped_when_the_desk_says_so() {
    let mut kit =
        Kit::new(Arc::new(MemoryStore::default()), config(json!({"dead_letter_days": 30})));
    kit.run(&[
        (OLD, mail("anna@acme.com", "One", "first")),
        (OLD, crate::kit::Step::Fail(1, false)),
        (OLD, crate::kit::Step::Deliver),
        (OLD, reply("amy", "#1", "answered")),
        (OLD, crate::kit::Step::Fail(1, false)),
        (NEW, crate::kit::Step::Deliver),
    ]);
    let n = |kit: &Kit| {
        let letters = state::list(&*kit.store, TENANT, helpdesk::storage::ListKind::DeadLetters);
        letters.len() as u64
    };
    let all = n(&kit);
    let preview = block_on(kit.desk.engine().preview_retention(TENANT, at(NOW))).unwrap();
    let report = retain(&kit, &Lines::default(), NOW);
    assert_eq!(report.dropped, preview.dropped);
    assert!(report.dropped > 0 && report.dropped < all, "{report:?} of {all}");
    assert_eq!(n(&kit), all - report.dropped);
    assert!(report.forgotten > 0, "{report:?}");
}

#[test]
fn retention_is_checked_and_linted() {
    let kit = Kit::new(Arc::new(MemoryStore::default()), json!({}));
    let preview = |document: Value| {
        let query = json!({"type": "preview_config", "document": document});
        let answer = serde_json::to_value(kit.ask("sys", query, at(OLD)).unwrap()).unwrap();
        let lines = |list: &str| {
            let entries = answer[list].as_array().cloned().unwrap_or_default();
            let line = |e: &Value| format!("{} {}: {}\n", e["code"], e["path"], e["message"]);
            entries.iter().map(line).filter(|it| it.contains("retention")).collect::<String>()
        };
        lines("faults") + &lines("lints")
    };
    let wrong = preview(json!({"retention": {
        "journal_days": 7, "deleted_days": 0, "dead_letter_days": 40_000}}));
    let shape = preview(json!({"retention": {"journal_days": "long", "messages_days": 3}}));
    let odd =
        preview(json!({"auto_close_after_seconds": 864_000, "retention": {"journal_days": 10}}));
    let fine = preview(json!({"retention": {"journal_days": 8, "deleted_days": 1}}));
    expect![[r#"
        "invalid" "document.retention.journal_days": "takes 8 to 36525 days, or nothing for ever; found 7"
        "invalid" "document.retention.deleted_days": "takes 1 to 36525 days, or nothing for ever; found 0"
        "invalid" "document.retention.dead_letter_days": "takes 1 to 36525 days, or nothing for ever; found 40000"
        ---
        "unknown_field" "document.retention.messages_days": "there is no field `messages_days`; near it: `deleted_days`, `journal_days`, `dead_letter_days`"
        "invalid" "document.retention.journal_days": "takes null or a whole number; found `long`"
        ---
        "short_retention" "retention.journal_days": "10 days are not longer than a solved ticket waits to be closed: what led to its solution is in the archive by then"
        ---
    "#]]
    .assert_eq(&format!("{wrong}---\n{shape}---\n{odd}---\n{fine}"));
}

/// A clock that stands still.
#[derive(Debug)]
struct Still(DateTime<Utc>);

impl Pace for Still {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }

    fn is_over(&self) -> bool {
        false
    }
}

#[test]
fn of_two_engines_one_archives() {
    for shared in [Shared::sqlite(), Shared::postgres()] {
        let first = desk(shared.open(), json!({"journal_days": 30, "deleted_days": 30}));
        let before = journal(&first);
        let together = Barrier::new(2);
        let work = |name: &'static str| {
            let archive = Arc::new(Lines::default());
            let engine = Helpdesk::builder()
                .with_shared_store(shared.open())
                .with_archive(Handed(archive.clone()))
                .build()
                .unwrap();
            block_on(engine.query(&first.actor("sys"), first_query(), at(NOW))).unwrap();
            together.wait();
            let done = block_on(engine.lead_retention(name, &Still(at(NOW)))).unwrap();
            (engine, done, archive.entries())
        };
        let (one, two) = std::thread::scope(|scope| {
            let one = scope.spawn(|| work("one"));
            let two = scope.spawn(|| work("two"));
            (one.join().unwrap(), two.join().unwrap())
        });
        let reports: Vec<RetainReport> = [one.1, two.1].into_iter().flatten().collect();
        let [report] = reports[..] else { panic!("one leads: {reports:?}") };
        let archived = [one.2, two.2].concat();
        assert_eq!(archived.len() as u64, report.archived);
        let places: BTreeSet<_> = archived.iter().map(|it| (it.entry.stream, it.n)).collect();
        assert_eq!(places.len(), archived.len(), "each once");
        assert_eq!(filled(journal(&first), &archived), before);
        // Given back, the other one leads at once.
        let (leader, name, other, others) = match one.1 {
            Some(_) => (&one.0, "one", &two.0, "two"),
            None => (&two.0, "two", &one.0, "one"),
        };
        let lead = |engine: &Helpdesk, name| {
            block_on(engine.lead_retention(name, &Still(at(NOW)))).unwrap().is_some()
        };
        assert!(!lead(other, others));
        block_on(leader.resign_retention(name)).unwrap();
        assert!(lead(other, others) && !lead(leader, name));
    }
}

/// An archive that others look into.
#[derive(Debug)]
struct Handed(Arc<Lines>);

#[async_trait]
impl Archive for Handed {
    async fn append(&self, tenant: TenantId, lines: &[u8]) -> io::Result<()> {
        self.0.append(tenant, lines).await
    }
}

fn first_query() -> helpdesk::core::query::Query {
    serde_json::from_value(json!({"type": "list_tickets"})).unwrap()
}

#[test]
fn a_folder_keeps_a_file_for_each_tenant_and_cuts_off_what_was_torn() {
    let dir = tempfile::tempdir().unwrap();
    let folder = ArchiveFolder::new(dir.path().join("archive")).unwrap();
    let kit = desk(Arc::new(MemoryStore::default()), json!({"journal_days": 30}));
    let before = journal(&kit);
    let path = folder.path(TENANT);
    // The machine stopped in the middle of a line, longer than is looked at at once.
    std::fs::write(&path, vec![b'x'; 200_000]).unwrap();
    let n = retain(&kit, &folder, NOW).archived;
    let read = entries(&std::fs::read(&path).unwrap());
    assert_eq!((read.len() as u64, filled(journal(&kit), &read)), (n, before));
    // Torn again, behind whole lines.
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], b"{\"v\":1,\"ten"].concat()).unwrap();
    assert_eq!(entries(&std::fs::read(&path).unwrap()).len(), read.len());
    block_on(folder.append(TENANT, &whole)).unwrap();
    assert_eq!(entries(&std::fs::read(&path).unwrap()).len(), 2 * read.len());
    // What is no line says which.
    let bad = [&whole[..], b"nonsense\n"].concat();
    let error = read_archive(&bad[..]).find_map(Result::err).unwrap().body();
    assert_eq!(error.path, Some(format!("line[{}]", read.len() + 1)));
}

/// The runner does it by itself, as soon as there is nothing else to do.
#[cfg(feature = "tokio")]
#[test]
fn a_runner_archives_once_a_day_and_resigns_when_it_stops() {
    use helpdesk::Runner;
    let store = Arc::new(MemoryStore::default());
    let kit = desk(store.clone(), json!({"journal_days": 30}));
    let archive = Arc::new(Lines::default());
    let engine = Helpdesk::builder()
        .with_shared_store(store)
        .with_archive(Handed(archive.clone()))
        .build()
        .unwrap();
    block_on(engine.query(&kit.actor("sys"), first_query(), at(NOW))).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(|| at(NOW));
        let poll = std::time::Duration::from_millis(1);
        let runner = Runner::start_with_clock(engine, poll, clock);
        while archive.entries().is_empty() {
            tokio::task::yield_now().await;
        }
        runner.stop().await;
    });
    let n = archive.entries().len();
    assert!(journal(&kit).iter().filter(|it| is_tombstone(it)).count() == n);
    let still = Still(at(NOW));
    let lead = kit.desk.engine().lead_retention("another", &still);
    assert!(block_on(lead).unwrap().is_some());
}
