//! Attachments: what may be put, who may read it, what intake keeps of what it cuts, and
//! what is swept.

use crate::kit::{Kit, TENANT, at, mail, note, stores};
use helpdesk::blocking::Helpdesk;
use helpdesk::core::event::Event;
use helpdesk::core::fault::Code;
use helpdesk::core::limit::{ATTACHMENTS_MAX, TEXT_BYTES_MAX};
use helpdesk::core::query::TicketName;
use helpdesk::core::ticket::message::Attachment;
use helpdesk::storage::Store;
use helpdesk::storage::blob::{self, BlobStore, MemoryBlobStore, PutBlob};
use helpdesk::{Error, FileName, NewFile, SWEEP_AFTER_SECONDS, SweepReport, block_on};
use serde_json::{Value, json};
use std::ops::Range;
use std::sync::Arc;

const AT: &str = "2026-11-20T09:00:00Z";

/// A desk with two tickets, of anna and of bob, and its blobs.
struct Office {
    kit: Kit,
    blobs: Arc<MemoryBlobStore>,
}

fn office(store: Arc<dyn Store>) -> Office {
    let config = json!({"agents": {
        "amy": {"groups": ["support"]}, "lea": {"groups": ["support"], "roles": ["team_lead"]}, "lee": {"roles": ["light_agent"]},
    }});
    let mut kit = Kit::new(store.clone(), config);
    let blobs = Arc::new(MemoryBlobStore::default());
    let engine = helpdesk::Helpdesk::builder()
        .with_shared_store(store)
        .with_shared_blobs(blobs.clone())
        .with_file_bytes_max(TEXT_BYTES_MAX as u64 + 100)
        .with_language_guessing(false)
        .build()
        .unwrap();
    kit.desk = Helpdesk::from(engine);
    kit.run(&[
        (AT, mail("anna@acme.com", "A", "a")),
        (AT, mail("bob@acme.com", "B", "b")),
        (AT, note("amy", "#1", "inside")),
    ]);
    Office { kit, blobs }
}

impl Office {
    fn put(&self, who: &str, name: &str, text: &str) -> Result<Attachment, Error> {
        let file = NewFile::new(name, "text/plain");
        let bytes = blob::of_bytes(text.to_owned());
        block_on(self.kit.desk.engine().put_file(&self.kit.actor(who), file, bytes, at(AT)))
    }

    fn attach(&mut self, who: &'static str, seq: u32, file: &Attachment) {
        let add = json!({"type": "add_attachment", "ticket": "#1", "seq": seq, "attachment": file});
        self.kit.execute(who, add, at(AT)).unwrap();
    }

    fn open(
        &self,
        who: &str,
        seq: u32,
        sha256: &str,
        range: Option<Range<u64>>,
    ) -> Result<Vec<u8>, Code> {
        let ticket: TicketName =
            serde_json::from_value(self.kit.names.in_ids(json!({"id": "#1"}))).unwrap();
        let name = FileName { ticket, seq, sha256: sha256.to_owned(), range };
        let actor = self.kit.actor(who);
        let desk = self.kit.desk.engine();
        let opened = block_on(desk.open_file(&actor, &name, at(AT)));
        let opened = opened.map_err(|error| error.code())?;
        Ok(block_on(blob::collect(opened.read.bytes)).unwrap())
    }

    fn sweep(&self, days: i64) -> SweepReport {
        let now = at(AT) + chrono::TimeDelta::days(days);
        block_on(self.kit.desk.engine().sweep_files(TENANT, now)).unwrap()
    }

    fn has(&self, file: &Attachment) -> bool {
        let hash = file.sha256.parse().unwrap();
        block_on(self.blobs.head(TENANT, hash)).unwrap().is_some()
    }
}

#[test]
fn a_file_is_read_by_whoever_reads_its_message() {
    for store in stores() {
        let mut office = office(store);
        let public = office.put("anna", "a.txt", "for all to see").unwrap();
        let inside = office.put("amy", "n.txt", "for agents only").unwrap();
        assert_eq!((public.size_bytes, public.name.as_str()), (14, "a.txt"));
        office.attach("anna", 1, &public);
        office.attach("amy", 2, &inside);

        for who in ["anna", "amy", "sys"] {
            assert_eq!(office.open(who, 1, &public.sha256, None).unwrap(), b"for all to see");
        }
        assert_eq!(office.open("anna", 1, &public.sha256, Some(4..7)).unwrap(), b"all");
        assert_eq!(office.open("amy", 2, &inside.sha256, None).unwrap(), b"for agents only");
        // A note's file is not there for a requester, also under a message that is.
        assert_eq!(office.open("anna", 2, &inside.sha256, None), Err(Code::NotFound));
        assert_eq!(office.open("anna", 1, &inside.sha256, None), Err(Code::NotFound));
        // Nor is anything of another's ticket.
        assert_eq!(office.open("bob", 1, &public.sha256, None), Err(Code::NotFound));
        assert_eq!(office.open("amy", 9, &public.sha256, None), Err(Code::NotFound));
        assert_eq!(office.open("amy", 1, "no hash", None), Err(Code::NotFound));
        assert_eq!(office.open("amy", 1, &public.sha256, Some(14..20)), Err(Code::Invalid));
    }
}

#[test]
fn a_redacted_messages_file_is_read_no_more() {
    let mut office = office(stores()[0].clone());
    let file = office.put("anna", "a.txt", "my card").unwrap();
    office.attach("anna", 1, &file);
    let redact = json!({"type": "redact", "ticket": "#1", "seq": 1});
    office.kit.execute("lea", redact, at(AT)).unwrap();
    assert_eq!(office.open("amy", 1, &file.sha256, None), Err(Code::NotFound));
}

#[test]
fn a_file_has_at_most_the_bytes_that_the_engine_takes() {
    let office = office(stores()[0].clone());
    let most = TEXT_BYTES_MAX + 100;
    let held = office.put("anna", "a.txt", &"x".repeat(most)).unwrap();
    assert_eq!(held.size_bytes, most as u64);
    let over = office.put("anna", "a.txt", &"y".repeat(most + 1)).unwrap_err();
    assert_eq!(over.code(), Code::OverLimit);
    assert!(over.body().message.contains(&most.to_string()), "{over}");
}

#[test]
fn an_engine_without_a_blob_store_says_so() {
    let mut office = office(stores()[0].clone());
    office.kit.desk = Kit::bare(office.kit.store.clone()).desk;
    assert_eq!(office.put("anna", "a.txt", "a").unwrap_err().code(), Code::NotConfigured);
    let hash = "0".repeat(64);
    assert_eq!(office.open("anna", 1, &hash, None), Err(Code::NotConfigured));
}

/// A message that intake cuts, and what came of it.
fn cut(office: &mut Office, message: Value) -> (Vec<Attachment>, Vec<String>) {
    let from = json!({"identity": {"kind": "email", "value": "anna@acme.com"}});
    let mut letter = json!({"channel": "email", "from": from, "subject": "Long"});
    crate::kit::merge(&mut letter, message);
    let outcome = office.kit.receive(letter, at(AT)).unwrap();
    let steps = outcome.trace.steps.iter().map(ToString::to_string);
    let steps = steps.filter(|step| step.contains("whole") || step.contains("cut from")).collect();
    let message = outcome.events.iter().find_map(|event| match &event.event {
        Event::Replied { message } => Some(message.clone()),
        _ => None,
    });
    let message = message.expect("a message");
    assert!(message.truncated);
    (message.attachments, steps)
}

#[test]
fn the_whole_of_a_cut_message_is_kept_as_an_attachment() {
    for store in stores() {
        let mut office = office(store);
        let text = format!("{}ä and the end", "x".repeat(TEXT_BYTES_MAX - 1));
        let (files, steps) = cut(&mut office, json!({"text": text}));
        assert_eq!(
            steps,
            [
                format!("text cut from {} to {}", text.len(), TEXT_BYTES_MAX - 1),
                "the whole text is kept as attachment `message.txt`".to_owned(),
            ]
        );
        let [file] = &files[..] else { panic!("{files:?}") };
        assert_eq!(file.size_bytes, text.len() as u64);
        let hash = file.sha256.parse().unwrap();
        let read = block_on(office.blobs.get(TENANT, hash, None)).unwrap();
        assert_eq!(block_on(blob::collect(read.bytes)).unwrap(), text.as_bytes());
    }
}

#[test]
fn html_that_nests_too_deep_is_kept_whole_too() {
    let mut office = office(stores()[0].clone());
    let html = format!("{}deep down{}", "<b>".repeat(300), "</b>".repeat(300));
    let file = json!({"name": "a.txt", "media_type": "text/plain", "size_bytes": 1, "sha256": "0".repeat(64)});
    let files = vec![file; ATTACHMENTS_MAX];
    let (files, steps) =
        cut(&mut office, json!({"text": "deep", "html": html, "attachments": files}));
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert_eq!(steps[2], "attachments cut from 100 to 99");
    assert_eq!(files.len(), ATTACHMENTS_MAX);
    let kept = files.last().unwrap();
    assert_eq!((kept.name.as_str(), kept.size_bytes), ("message.html", html.len() as u64));
    assert!(office.has(kept));
}

#[test]
fn what_is_more_than_the_blob_store_takes_is_cut_and_not_refused() {
    let mut office = office(stores()[0].clone());
    let (files, steps) = cut(&mut office, json!({"text": "x".repeat(TEXT_BYTES_MAX + 101)}));
    assert!(files.is_empty(), "{files:?}");
    assert_eq!(steps.len(), 1, "{steps:?}");
}

#[test]
fn a_sweep_removes_what_no_message_names() {
    for store in stores() {
        let mut office = office(store);
        let named = office.put("anna", "a.txt", "named").unwrap();
        let unnamed = office.put("anna", "b.txt", "unnamed").unwrap();
        let redacted = office.put("amy", "c.txt", "redacted").unwrap();
        office.attach("anna", 1, &named);
        office.attach("amy", 2, &redacted);
        let redact = json!({"type": "redact", "ticket": "#1", "seq": 2});
        office.kit.execute("lea", redact, at(AT)).unwrap();

        assert_eq!(office.sweep(1), SweepReport::default(), "a day is not over yet");
        assert!(office.has(&unnamed));
        // Put again, it counts from then on.
        let later = at(AT) + chrono::TimeDelta::seconds(SWEEP_AFTER_SECONDS + 1);
        let again = PutBlob::new(TENANT, later);
        block_on(office.blobs.put(again, blob::of_bytes("unnamed"))).unwrap();
        let report = office.sweep(2);
        assert_eq!((report.n_removed, report.has_more), (1, false));
        assert_eq!([&named, &unnamed, &redacted].map(|file| office.has(file)), [true, true, false]);
        assert_eq!(office.sweep(3).n_removed, 1);
        assert_eq!(office.sweep(30).n_removed, 0);
        assert!(office.has(&named));
    }
}
